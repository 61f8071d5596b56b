// What the server says of a draft that it does not open.
class Refusal extends Error {}

// The drop zone of a submission (ui/sections/hand_in.py): files go to the server one after another, in pieces, and what came of
// each is said. While the submission is checked its state is asked for; the page is drawn anew when it changes.
export default function ({ parentElement, data, setTriggerValue }) {
  const given = typeof data === "string" ? JSON.parse(data) : JSON.parse(new TextDecoder().decode(data));
  const before = parentElement.querySelector(".pd-drop");
  // The zone stays while its page is drawn anew: it may have the focus, an open dialog, or a file on its way.
  if (before?.renew && given.open) return before.renew(given, setTriggerValue);
  before?.remove();
  const told = given;
  const { words } = told;
  let trigger = setTriggerValue;
  const zone = document.createElement("div");
  zone.className = "pd-drop";
  const choose = document.createElement("input");
  choose.type = "file";
  choose.multiple = true;
  choose.hidden = true;
  choose.accept = told.endings;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = words.choose;
  const hint = document.createElement("p");
  hint.textContent = words.hint;
  const said = document.createElement("ul");
  said.setAttribute("role", "status");
  if (told.open) zone.append(button, hint, choose);
  zone.append(said);
  if (told.open) parentElement.append(zone);
  let ended = false;

  const line = (text) => {
    const item = document.createElement("li");
    item.dir = "auto";
    item.textContent = text;
    said.append(item);
    return item;
  };
  // It keeps the focus: a disabled button would lose it.
  const busy = (is) => button.setAttribute("aria-disabled", String(is));
  const isBusy = () => button.getAttribute("aria-disabled") === "true";
  const changed = () => trigger("changed", String(Date.now()));
  const headers = told.token ? { "X-Hand-In": told.token } : {};
  const opened = async (province, month) => {
    const answer = await fetch(`./hand-in?lang=${told.lang}`, {
      method: "POST", headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify({ province, month }),
    });
    if (!answer.ok) throw new Refusal((await answer.text()).trim());
    return (await answer.json()).draft;
  };
  const sent = (draft, number, file, item) => new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `./hand-in/${encodeURIComponent(draft)}/${number}?lang=${told.lang}&name=${encodeURIComponent(file.name)}`);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    const bar = document.createElement("progress");
    bar.setAttribute("aria-label", file.name);
    item.append(" ", bar);
    request.upload.onprogress = ({ loaded, total }) => Object.assign(bar, { max: total, value: loaded });
    request.onload = () => {
      const answer = request.status === 204 ? words.arrived : request.responseText.trim() || words.failed;
      item.textContent = answer.includes(file.name) ? answer : `${file.name} · ${answer}`;
      item.dataset.arrived = request.status === 204 ? "yes" : "";
      done(request.status === 204);
    };
    request.onerror = () => { item.textContent = `${file.name} · ${words.failed}`; done(false); };
    request.send(file);
  });
  // Files, or the promise of those of a folder.
  const take = async (given) => {
    busy(true);
    // While files are on their way another province or month may be chosen: what came of them is nothing of that.
    const { province, month, draft: begun } = told;
    const isSame = () => told.province === province && told.month === month;
    // A file of the name of one that is there already takes its place; two of one name in a drop both count.
    const numbers = { ...told.numbers };
    const taken = new Set(told.taken);
    try {
      const files = await given;
      if (!files.length) return;
      said.replaceChildren();
      if (files.length > told.most.files) return void line(words.many);
      const draft = begun || (await opened(province, month));
      if (isSame()) told.draft = draft;
      const free = () => { for (let number = 1; ; number += 1) if (!taken.has(number)) return number; };
      let arrived = 0;
      for (const file of files) {
        const item = line(file.name);
        if (file.size > told.most.bytes) {
          item.textContent = words.large.replace("{file}", () => file.name);
          continue;
        }
        const number = numbers[file.name] ?? free();
        delete numbers[file.name];
        if (await sent(draft, number, file, item)) { taken.add(number); arrived += 1; }
      }
      if (isSame()) told.taken = [...taken];
      if (arrived && !ended) changed();
    } catch (fault) {
      // What the browser says of a fault is English.
      line((fault instanceof Refusal && fault.message) || words.failed);
    } finally {
      busy(false);
    }
  };
  const every = async (entries) => {
    const files = [];
    const walk = async (entry) => {
      if (entry.isFile) files.push(await new Promise((done, fail) => entry.file(done, fail)));
      else if (entry.isDirectory) {
        const reader = entry.createReader();
        for (;;) {
          const found = await new Promise((done, fail) => reader.readEntries(done, fail));
          if (!found.length) break;
          for (const each of found) await walk(each);
        }
      }
    };
    for (const entry of entries) await walk(entry);
    return files;
  };
  button.onclick = () => { if (!isBusy()) choose.click(); };
  choose.onchange = () => { const files = [...choose.files]; choose.value = ""; take(files); };
  zone.ondragover = (event) => { event.preventDefault(); zone.classList.add("pd-over"); };
  zone.ondragleave = () => zone.classList.remove("pd-over");
  zone.ondrop = (event) => {
    event.preventDefault();
    zone.classList.remove("pd-over");
    if (!told.open || isBusy()) return;
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    take(entries.length ? every(entries) : [...event.dataTransfer.files]);
  };

  let timer = 0;
  const look = async () => {
    try {
      const answer = await fetch(`./hand-in/${encodeURIComponent(told.draft)}?lang=${told.lang}`);
      if (answer.ok && (await answer.json()).state !== "checking") { if (!ended) changed(); return; }
    } catch { /* the next time */ }
    if (!ended) timer = setTimeout(look, 2000);
  };
  const watch = () => {
    clearTimeout(timer);
    if (told.state === "checking") timer = setTimeout(look, 2000);
  };
  const close = () => { ended = true; clearTimeout(timer); };
  zone.renew = (now, set) => {
    const isSame = now.province === told.province && now.month === told.month;
    // What was refused stays to be read.
    for (const item of [...said.children]) if (item.dataset.arrived === "yes" || !isSame) item.remove();
    Object.assign(told, now);
    trigger = set;
    ended = false;
    watch();
    return close;
  };
  watch();
  return close;
}
