// node provider.mjs PORT ADDRESS: a provider at PORT for the dashboard at ADDRESS. Anybody may sign in under any name.
import Provider from "oidc-provider";

const [port, address] = process.argv.slice(2);
const groups = { "isfahan.officer": ["isfahan"], "national.analyst": ["national"] };
const provider = new Provider(`http://localhost:${port}`, {
  clients: [
    {
      client_id: "dashboard",
      client_secret: "of the tests",
      redirect_uris: [`${address}/oauth2callback`],
      post_logout_redirect_uris: [`${address}/oauth2callback`],
    },
  ],
  claims: { openid: ["sub", "name", "groups"], email: ["email"], profile: [] },
  conformIdTokenClaims: false,
  cookies: { keys: ["of the tests"] },
  findAccount: (_context, sub) => ({
    accountId: sub,
    claims: () => ({ sub, name: `Account ${sub}`, email: `${sub}@example.org`, groups: groups[sub] }),
  }),
  pkce: { required: () => true },
});
provider.listen(Number(port), "localhost");
