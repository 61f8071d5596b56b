// Find: a few words, the right page. Ctrl+K, "/" or the button of a header opens the field; /find answers it.
(function () {
  const WAIT = 150, SLOW = 1000, MOST_KEPT = 5, KEPT = "found", MARK = "number", PAUSE = 200, LOOKS = 300, FEW = 50;
  // Every page stands at the root of the site, which may be below a path.
  const { words, kinds, examples } = readerFind;
  const made = (tag, attributes, ...inside) => {
    const element = document.createElement(tag);
    for (const name in attributes) element.setAttribute(name, attributes[name]);
    element.append(...inside);
    return element;
  };
  // What was asked for in this session: computers are shared.
  const kept = () => { try { return JSON.parse(sessionStorage.getItem(KEPT)) ?? []; } catch { return []; } };
  const keep = (said) => {
    try { sessionStorage.setItem(KEPT, JSON.stringify([said, ...kept().filter((one) => one !== said)].slice(0, MOST_KEPT))); } catch { /* none kept */ }
  };

  let dialog, field, list, note, shown = [], active = -1, asked, timer, slow, early;

  const build = () => {
    field = made("input", { type: "text", id: "pd-find-field", role: "combobox", dir: "auto", maxlength: 80, autocomplete: "off", spellcheck: "false",
      "aria-expanded": "false", "aria-controls": "pd-find-list", "aria-autocomplete": "list", "aria-label": words.label, placeholder: words.hint });
    list = made("ul", { id: "pd-find-list", role: "listbox", "aria-label": words.results });
    note = made("p", { role: "status" });
    const close = made("button", { type: "button", class: "pd-find-close", "aria-label": words.close }, "×");
    dialog = made("dialog", { class: "pd-finder", "aria-label": words.label }, made("div", {}, field, close), list, note);
    document.body.append(dialog);
    field.addEventListener("input", typed);
    field.addEventListener("keydown", pressed);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => { forget(); field.value = ""; });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
      const line = event.target.closest("[role=option]");
      if (line) choose([...list.children].indexOf(line), event.ctrlKey || event.metaKey);
    });
    // Nothing that is typed here is a key of the page.
    dialog.addEventListener("keydown", (event) => event.stopPropagation());
  };

  const open = () => {
    if (!dialog) build();
    if (dialog.open) return field.select();
    dialog.style.colorScheme = getComputedStyle(document.querySelector("[data-testid=stApp]") ?? document.body).colorScheme;
    dialog.showModal();
    typed();
    field.focus();
  };

  // The answer under way is no longer wanted.
  const forget = () => {
    clearTimeout(timer);
    clearTimeout(slow);
    asked?.abort();
    early = undefined;
    dialog.removeAttribute("data-waiting");
    field.removeAttribute("aria-busy");
  };

  const typed = () => {
    forget();
    const said = field.value.trim();
    if (!said) {
      const line = (kind) => (title) => ({ kind, title, about: "" });
      return show([...kept().map(line("recent")), ...examples.map(line("example"))], "", -1);
    }
    field.setAttribute("aria-busy", "true");
    timer = setTimeout(() => ask(said), WAIT);
  };

  const ask = async (said) => {
    const mine = asked = new AbortController();
    slow = setTimeout(() => dialog.setAttribute("data-waiting", ""), SLOW);
    let found, sentence = words.fault;
    try {
      const publication = new URLSearchParams(location.search).get("publication") ?? "";
      const query = new URLSearchParams({ q: said, lang: document.documentElement.lang, publication });
      const answer = await fetch(`./find?${query}`, { signal: mine.signal });
      if (answer.ok) found = await answer.json();
      else if ([400, 401, 429].includes(answer.status)) sentence = await answer.text();
    } catch { /* said below */ }
    if (mine.signal.aborted) return;
    const wanted = early;
    forget();
    if (!found) return show([], sentence, -1);
    show(found.results, read(found), 0);
    if (wanted && found.results.length) choose(0, wanted.apart);
  };

  // What was understood, where something was not.
  const read = ({ understood, unknown }) => {
    if (!unknown.length && understood.length) return "";
    const listed = (parts) => [...new Set(parts)].join(words.comma);
    const parts = understood.length ? [words.understood.replace("{words}", listed(understood.map((part) => part.text)))] : [words.nothing];
    if (unknown.length) parts.push(words.unknown.replace("{words}", listed(unknown)));
    return parts.join(" ");
  };

  const show = (lines, sentence, first) => {
    shown = lines;
    list.replaceChildren(...lines.map(({ kind, title, about }, at) => made("li", { role: "option", id: `pd-find-${at}`, "aria-selected": "false", "data-kind": kind },
      made("b", { dir: "auto" }, title), " ", made("span", { dir: "auto" }, about), " ", made("i", {}, kinds[kind] ?? ""))));
    note.textContent = sentence;
    field.setAttribute("aria-expanded", String(lines.length > 0));
    activate(lines.length ? first : -1);
  };

  const activate = (at) => {
    list.children[active]?.setAttribute("aria-selected", "false");
    active = at;
    const line = list.children[at];
    line?.setAttribute("aria-selected", "true");
    line?.scrollIntoView({ block: "nearest" });
    if (line) field.setAttribute("aria-activedescendant", line.id);
    else field.removeAttribute("aria-activedescendant");
  };

  const pressed = (event) => {
    if (event.isComposing) return;
    const last = shown.length - 1, apart = event.ctrlKey || event.metaKey;
    if (event.key === "ArrowDown") activate(active < last ? active + 1 : 0);
    else if (event.key === "ArrowUp") activate(active > 0 ? active - 1 : last);
    else if (event.key !== "Enter") return;
    // The answer to what was typed last is not there yet.
    else if (field.hasAttribute("aria-busy")) early = { apart };
    else choose(Math.max(active, 0), apart);
    event.preventDefault();
  };

  // Commands are acts of the page that is open.
  const ACTS = {
    language: () => document.querySelector(".pd-switch a[hreflang]")?.click(),
    look: () => document.dispatchEvent(new CustomEvent("pd-look")),
    print: () => dispatchEvent(new KeyboardEvent("keydown", { code: "KeyP", ctrlKey: true, cancelable: true })),
    workbook: () => {
      // The server draws what the tools hold once they are open.
      document.querySelector(".st-key-tools button[aria-expanded=false]")?.click();
      const open = (tries) => {
        const fold = document.querySelector(".st-key-page-files summary");
        if (fold) fold.click();
        else if (tries) setTimeout(open, 100, tries - 1);
      };
      open(100);
    },
  };

  const choose = (at, apart) => {
    const line = shown[at];
    if (!line) return;
    if (!line.address) {
      field.value = line.title;
      field.focus();
      return typed();
    }
    keep(field.value.trim());
    if (line.kind === "command") {
      dialog.close();
      return ACTS[line.address.split("#")[1]]?.();
    }
    const address = `.${line.address}${line.value ? `#${new URLSearchParams({ [MARK]: line.value })}` : ""}`;
    if (apart) return void window.open(address, "_blank", "noopener");
    dialog.close();
    location.assign(address);
  };

  // A number that was found is scrolled to on its page, and marked until the next key or click: the card of it, a sentence with it,
  // a row of a table. Its address is that of the page again.
  const SAID = [".pd-value bdi", ".pd-sentence, .pd-said, .pd-heading, h2, h3", ".pd-grid td"];
  const written = (text) => text.replace(/[\s\u200e\u200f\u061c\u2066-\u2069]/g, "");
  const reveal = () => {
    const value = new URLSearchParams(location.hash.slice(1)).get(MARK);
    if (!value) return;
    history.replaceState(history.state, "", location.pathname + location.search);
    const number = written(value).match(/[−+]?\d[\d.,]*%?|[−+]?[۰-۹][۰-۹٬٫]*٪?/)?.[0];
    if (!number) return;
    const around = (text, at, by) => /[\d۰-۹.,٬٫]/.test(text[at] ?? "") && /[\d۰-۹]/.test(text[at + by] ?? text[at] ?? "");
    const holds = (element) => {
      const text = written(element.textContent), at = text.indexOf(number), end = at + number.length;
      // Not as a part of a longer number.
      return at >= 0 && element.checkVisibility() && !around(text, at - 1, -1) && !around(text, end, 1);
    };
    const look = (tries) => {
      const place = SAID.map((one) => [...document.querySelectorAll(one)].find(holds)).find(Boolean);
      // What stands first on a page is drawn first: a card may come after a sentence with the same number.
      if (!place || (!isDrawn() && tries > LOOKS - FEW)) return tries ? void setTimeout(look, PAUSE, tries - 1) : undefined;
      const box = place.closest("[class*=st-key-card-]") ?? place.closest("tr, p, h2, h3") ?? place;
      box.classList.add("pd-found");
      // It stays in sight while what stands above it is still being drawn, until the reader scrolls.
      const kept = new ResizeObserver(() => box.scrollIntoView({ block: "center" }));
      kept.observe(box.closest("[data-testid=stMainBlockContainer]"));
      addEventListener("wheel", () => kept.disconnect(), { once: true });
      const unmark = () => {
        kept.disconnect();
        box.classList.remove("pd-found");
        for (const act of ["pointerdown", "keydown"]) removeEventListener(act, unmark, true);
      };
      for (const act of ["pointerdown", "keydown"]) addEventListener(act, unmark, true);
    };
    look(LOOKS);
  };
  addEventListener("hashchange", reveal);
  reveal();

  onClick(".pd-find", (event) => {
    event.preventDefault();
    open();
  });
  addEventListener("keydown", (event) => {
    // By its place on the keyboard, whose letters may be Persian.
    const isK = event.code === "KeyK" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey;
    const isWritten = event.target.closest?.("input, textarea, select, [contenteditable=true], dialog");
    const isSlash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isWritten;
    if (!isK && !isSlash) return;
    event.preventDefault();
    event.stopPropagation();
    open();
  }, true);
})();
