// The reader's language decides how the browser writes digits and which calendar a day is picked from.
Object.defineProperty(navigator, "language", { get: () => readerLocale });
Object.defineProperty(navigator, "languages", { get: () => [readerLocale, readerLocale.slice(0, 2)] });

const onClick = (selector, act) => document.addEventListener("click", (event) => {
  const clicked = event.target.closest?.(selector);
  if (clicked) act(event);
});
const onChange = (act) => new MutationObserver(act).observe(document, { subtree: true, childList: true });

// Light or dark: Streamlit stores it for each path separately; a user chooses it once.
(function () {
  const kept = () => { try { return localStorage.getItem("look"); } catch { return null; } };
  const apply = (look) => localStorage.setItem(`stActiveTheme-${location.pathname}-v2`, JSON.stringify(look));
  if (kept()) apply(kept());
  else document.documentElement.classList.add("pd-system-look");
  // Small boxes and dialogs stand beside the page of Streamlit, which alone it gives its look.
  document.documentElement.style.colorScheme = kept()?.toLowerCase() ?? "light dark";
  const turn = (event) => {
    event.preventDefault();
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "Dark" : "Light";
    const look = (kept() || system) === "Dark" ? "Light" : "Dark";
    localStorage.setItem("look", look);
    apply(look);
    location.reload();
  };
  onClick(".pd-look", turn);
  document.addEventListener("pd-look", turn);
})();

// The first answer, a page in words, goes when the page proper has its first number, or says why there is none. Plotly comes after
// what is read: it is fetched then.
(function () {
  const numbered = new MutationObserver(() => {
    const shown = document.querySelector("[data-testid=stApp]");
    if (!shown?.querySelector(".pd-value, .pd-verdict, .pd-intro, .pd-notice, .pd-trust")) return;
    numbered.disconnect();
    document.getElementById("first-answer")?.remove();
    document.head.append(Object.assign(document.createElement("link"), { rel: "preload", as: "script", href: readerPlotly }));
  });
  numbered.observe(document, { subtree: true, childList: true });
})();

// Streamlit's own words (labels for screen readers, "No results") are English; where we have a word for one, ours is shown.
(function () {
  if (!Object.keys(readerWords).length) return;
  const ours = (part) => readerWords[part.trim()];
  const translated = (text) => {
    if (!/[A-Za-z]/.test(text)) return text;
    if (ours(text)) return ours(text);
    const counted = text.match(/^(\d+) (options? available\.)$/);
    if (counted && ours(counted[2])) return `${counted[1]} ${ours(counted[2])}`;
    const help = text.match(/^(Help for) (.+)$/s);
    if (help) return `${ours(help[1])} ${help[2]}`;
    // lists of labels and phrases: "year, as-of day", "Search: the table"
    const parts = text.split(/(, |: | )/);
    return parts.some(ours) && !/[A-Za-z]{2,}/.test(parts.map((p) => ours(p) || p).join(""))
      ? parts.map((p) => ours(p) || p).join("")
      : text.split(/(, |: )/).map((p) => ours(p) || p).join("");
  };
  const NAMES = ["aria-label", "title", "placeholder"];
  const skipped = "code, pre, script, style, textarea, [data-testid=stIconMaterial], [data-testid=stMarkdownContainer], [data-testid=stHtml]";
  const visit = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      if (!node.parentElement || node.parentElement.closest(skipped)) return;
      const now = translated(node.nodeValue);
      if (now !== node.nodeValue) node.nodeValue = now;
    } else if (node.nodeType === Node.ELEMENT_NODE) {
      for (const name of NAMES) {
        const was = node.getAttribute(name);
        if (was && !node.closest("[data-testid=stHtml]")) {
          const now = translated(was);
          if (now !== was) node.setAttribute(name, now);
        }
      }
      if (!node.closest("svg")) node.childNodes.forEach(visit);
    }
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      // the words of a chart are ours from the start, and it is drawn of thousands of pieces
      if (change.target instanceof SVGElement) continue;
      if (change.type === "childList") change.addedNodes.forEach(visit);
      else visit(change.target);
    }
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: NAMES });
})();

// A small box opens where it has room, above its button too: Streamlit leaves it below with what is free there, be it 73 pixels.
// It stands at the end of the page: opened by keyboard it gets the focus, so that Tab leads into it, not past it.
(function () {
  const LEAST = 320, GAP = 4, EDGE = 8;
  const opener = () => document.querySelector("[data-testid=stPopoverButton][aria-expanded=true]");
  const place = (box) => {
    const button = opener();
    const { top, bottom } = button?.getBoundingClientRect() ?? {};
    const below = innerHeight - bottom - GAP - EDGE, above = top - GAP - EDGE;
    const isUp = Boolean(button) && below < LEAST && above > below;
    box.toggleAttribute("data-upward", isUp);
    if (!isUp) return;
    const room = { "--bottom": `${innerHeight - top + GAP}px`, "--room": `${Math.floor(above)}px`,
      "--start": box.style.transform.match(/-?[\d.]+px/)?.[0] ?? "0px" };
    for (const [name, value] of Object.entries(room))
      if (box.style.getPropertyValue(name) !== value) box.style.setProperty(name, value);
  };
  // Each move of the button moves the box.
  const moved = new MutationObserver((changes) => changes.forEach(({ target }) => place(target)));
  onChange((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) {
      const box = node.nodeType === Node.ELEMENT_NODE && (node.matches("[data-testid=stPopoverBody]") ? node : node.querySelector("[data-testid=stPopoverBody]"));
      if (!box) continue;
      place(box);
      moved.observe(box, { attributeFilter: ["style"] });
      if (!opener()?.matches(":focus-visible")) continue;
      box.tabIndex = -1;
      box.focus({ preventScroll: true });
    }
  });
})();

// What a box offers for what is typed, best first: the name itself, names that begin so, with a word that does, that hold it,
// that hold each word of it. Letters count as etl.core.text_folding folds them. The count after a name is no part of it.
const readerOffered = (function () {
  const LETTERS = { ك: "ک", ي: "ی", ى: "ی", أ: "ا", إ: "ا", ؤ: "و", ئ: "ی", ۀ: "ه" };
  const known = new Map();
  const folded = (text) => text.normalize("NFC").toLowerCase()
    .replace(/[\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u061c\u0640\u0300-\u036f\u064b-\u065f\u0670]/g, "")
    .replace(/[كيىأإؤئۀ]/g, (letter) => LETTERS[letter])
    .replace(/[۰-۹٠-٩]/g, (digit) => String(digit.codePointAt(0) & 15))
    .replace(/[\u200c\s]+/g, " ").trim();
  const nameOf = (label) => {
    if (!known.has(label)) known.set(label, folded(label).replace(/ \([\d,٬]+\)$/, ""));
    return known.get(label);
  };
  const fit = (name, typed, words) => {
    if (name === typed) return 0;
    const at = name.indexOf(typed);
    if (at === 0) return 1;
    // The earlier of two places is the better one.
    const word = [" ", "(", "«", "“"].map((before) => name.indexOf(before + typed)).filter((place) => place >= 0);
    if (word.length) return 2 + Math.min(...word, 999) / 1000;
    if (at > 0) return 3 + Math.min(at, 999) / 1000;
    return words.length > 1 && words.every((word) => name.includes(word)) ? 4 : 5;
  };
  return (options, text) => {
    const typed = folded(text ?? "");
    // A county among the provinces is offered to those who type it.
    if (!typed) return options.filter(({ label }) => !label.startsWith("\u2063"));
    const words = typed.split(" "), fits = new Map();
    for (const option of options) fits.set(option, fit(nameOf(option.label), typed, words));
    return options.filter((option) => fits.get(option) < 5).sort((one, other) => fits.get(one) - fits.get(other));
  };
})();

// The browser searches lists by letter: letters of an Arabic keyboard become the Persian letters of our names.
document.addEventListener("input", (event) => {
  const field = event.target;
  if (!(field instanceof HTMLInputElement) || field.getAttribute("role") !== "combobox" || event.isComposing) return;
  const persian = field.value.replace(/ك/g, "ک").replace(/[يى]/g, "ی");
  if (persian === field.value) return;
  const at = field.selectionStart;
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(field, persian);
  field.setSelectionRange(at, at);
}, true);

// Streamlit puts a bare address into the history when a page opens, and a second one when the page has written its filters.
// Both are one step: until the page's first run is over, an address of the same page replaces the one before.
(function () {
  let opening = true;
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const same = new URL(url, location.href).pathname === location.pathname;
    if (opening && same) return history.replaceState(state, title, url);
    opening = !same;
    push(state, title, url);
  };
  const run = "data-test-script-state";
  const settle = () => { if (document.querySelector(`[${run}="notRunning"]`)) opening = false; };
  new MutationObserver(settle).observe(document, { subtree: true, attributeFilter: [run] });
  // A run can begin and end between two frames, and then no attribute changes.
  for (const action of ["pointerdown", "click", "keydown"]) addEventListener(action, settle, true);
})();

// Print: charts get the width of the sheet, and every sheet states its content, its scope and its source.
(function () {
  const paper = () => document.documentElement.classList.contains("pd-paper");
  // The bars of all provinces stay legible, and leave half of the sheet to others; names of two lines keep their room.
  const TALLEST = 500, LOWER = 0.8;
  const fitChart = (chart) => {
    const width = chart.clientWidth;
    if (!width) return;
    // A map is drawn anew only after its base map came, which is too late for the paper: it is made smaller as it is.
    if (chart._fullLayout && chart._fullLayout._subplots.geo.length) {
      const zoom = paper() ? Math.min(1, width / chart._fullLayout.width) : 1;
      chart.firstElementChild.style.zoom = zoom;
      chart.style.height = `${chart._fullLayout.height * zoom}px`;
      return;
    }
    chart.dataset.height ??= chart._fullLayout.height;
    const onScreen = Number(chart.dataset.height), onPaper = getComputedStyle(chart).getPropertyValue("--pd-paper-height");
    const lower = chart.querySelector(".ytick tspan ~ tspan") ? onScreen : Math.min(onScreen * LOWER, TALLEST);
    const height = paper() ? Number(onPaper) || lower : onScreen;
    chart.style.height = `${height}px`;
    window.Plotly.relayout(chart, { width, height });
    if (!paper()) delete chart.dataset.height;
  };
  const fit = () => {
    document.querySelectorAll(".pd-plot.js-plotly-plot").forEach(fitChart);
    for (const table of document.querySelectorAll(".pd-grid"))
      table.style.zoom = paper() ? Math.min(1, table.parentElement.clientWidth / table.offsetWidth) : "";
  };
  const words = (selector) => [...document.querySelectorAll(selector)].map((part) => part.textContent.trim()).filter(Boolean);
  const quoted = (text) => `"${text.replace(/[\\"\n<]/g, (sign) => `\\${sign.codePointAt(0).toString(16)} `)}"`;
  const sheet = document.createElement("style");
  addEventListener("beforeprint", () => {
    const start = document.documentElement.dir === "rtl" ? ["right", "left", "persian", " از "] : ["left", "right", "decimal", " / "];
    // The menu of the browser prints at once.
    const said = [...(isDrawn() ? [] : [readerUndrawn]), ...words(".pd-title > :is(h1, strong)"), ...words(".pd-said").map((part) => part.replace(/\s+/g, " "))].join(" · ");
    const source = [...words(".pd-title .pd-sample"), ...words(".pd-source")].join(" · ");
    const font = `font: 7.5pt Vazirmatn, sans-serif; color: ${readerQuiet}; vertical-align: middle;`;
    sheet.textContent = `@page {
      @top-${start[0]} { content: ${quoted(said)}; ${font} width: 100%; text-align: ${start[0]}; }
      @bottom-${start[0]} { content: ${quoted(source)}; ${font} width: 90%; text-align: ${start[0]}; }
      @bottom-${start[1]} { content: counter(page, ${start[2]}) "${start[3]}" counter(pages, ${start[2]}); ${font} width: 10%; text-align: ${start[1]}; }
    }`;
    document.head.append(sheet);
    document.documentElement.classList.add("pd-paper");
    // These pages are laid out for the sheet.
    document.documentElement.classList.toggle("pd-fitted", Boolean(document.querySelector(".st-key-panels")));
    document.documentElement.classList.toggle("pd-few-counties", document.querySelectorAll(".st-key-table-glance tbody tr").length < 11);
    fit();
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("pd-paper", "pd-fitted");
    sheet.remove();
    fit();
  });
})();

// Whether the page is complete: its run is over, and every chart that is not folded away is drawn.
const isDrawn = () => document.querySelector('[data-test-script-state="notRunning"]') && !document.querySelector("[data-testid=stSkeleton]")
  && ![...document.querySelectorAll(".pd-plot[aria-busy=true]")].some((plot) => plot.clientWidth);
const allDrawn = () => new Promise((done) => {
  const look = () => (isDrawn() ? done() : setTimeout(look, 100));
  look();
});

// "Print" and Ctrl+P print a page that is complete.
(function () {
  const print = (event) => {
    event.preventDefault();
    closeBox();
    allDrawn().then(() => window.print());
  };
  onClick(".pd-print", print);
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.code === "KeyP") print(event);
  }, true);
})();

// On a phone one button opens the filters (components/filter_bar.py). It is redrawn with the page and keeps its state.
(function () {
  const root = document.documentElement;
  const tell = () => {
    const button = document.querySelector(".pd-filters"), isOpen = String(root.classList.contains("pd-filtering"));
    if (button && button.getAttribute("aria-expanded") !== isOpen) button.setAttribute("aria-expanded", isOpen);
  };
  onClick(".pd-filters", () => {
    root.classList.toggle("pd-filtering");
    tell();
  });
  onChange(tell);
})();

// On a narrow screen the menu covers the page, so it closes once a page is chosen. Streamlit does so only in the browsers of phones.
onClick("[data-testid=stSidebarNavLink]", () => {
  if (!matchMedia("(max-width: 768px)").matches) return;
  setTimeout(() => {
    const isOpen = !document.querySelector("[data-testid=stExpandSidebarButton]");
    if (isOpen) document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  }, 100);
});

// Streamlit's grouped menu has headings among the items of one list, which screen readers cannot announce: each group becomes
// a list that its heading names.
onChange(() => {
  for (const group of document.querySelectorAll("[data-testid=stSidebarNavItems] > div:not([role])")) {
    const heading = group.querySelector("header"), name = heading?.querySelector("p")?.textContent;
    if (!name) continue;
    group.parentElement.setAttribute("role", "none");
    group.setAttribute("role", "list");
    group.setAttribute("aria-label", name);
    heading.setAttribute("aria-hidden", "true");
  }
});

// "Copy link": the address holds the whole choice. Saving a view, by its button or with Enter, copies its link too.
(function () {
  const copy = (button) => {
    const words = button.dataset.words ?? location.href;
    const showCopied = () => { button.nextElementSibling.textContent = button.dataset.copied; };
    // a page without https has no clipboard, but can copy a selection
    if (navigator.clipboard) return void navigator.clipboard.writeText(words).then(showCopied);
    const field = Object.assign(document.createElement("textarea"), { value: words }), focus = document.activeElement;
    document.body.append(field);
    field.select();
    if (document.execCommand("copy")) showCopied();
    field.remove();
    focus?.focus();
  };
  const saves = { click: ".st-key-view-save button", keydown: ".st-key-view-form input" };
  for (const kind of Object.keys(saves)) document.addEventListener(kind, (event) => {
    const at = (selector) => event.target.closest && event.target.closest(selector);
    const name = document.querySelector(saves.keydown)?.value ?? "";
    // A view without a name, or with one that is too long, is not saved.
    const isNamed = /[\p{L}\p{N}]/u.test(name) && [...name.trim()].length <= 60;
    const isSaved = at(saves[kind]) && isNamed && (kind === "click" || event.key === "Enter");
    const button = isSaved ? document.querySelector(".st-key-copy-link .pd-copy") : kind === "click" && at(".pd-copy");
    if (button) copy(button);
  }, true);
})();

// One line tells that another publication is shown now than an open page shows. Nothing else changes until the reader wants it:
// asking runs no script of the page.
(function () {
  const EVERY = 60_000;
  const line = Object.assign(document.createElement("div"), { className: "pd-newer", role: "status" });
  const shown = () => document.querySelector(".pd-trust")?.dataset.publication;
  const ask = async () => {
    if (document.hidden || !shown()) return;
    const answer = await fetch("./publication.json").then((told) => (told.ok ? told.json() : {})).catch(() => ({}));
    if (!answer.publication || answer.publication === shown()) return void line.replaceChildren();
    if (line.childElementCount) return;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: readerNewer });
    button.addEventListener("click", () => location.reload());
    line.replaceChildren(button);
  };
  addEventListener("DOMContentLoaded", () => document.body.append(line));
  document.addEventListener("visibilitychange", ask);
  setInterval(ask, EVERY);
})();

// Back returns to where one was: a page is drawn only after it is open, so the browser itself cannot scroll it.
(function () {
  const main = () => document.querySelector("[data-testid=stMain]");
  const key = () => `scrolled ${location.pathname}${location.search}`;
  addEventListener("pagehide", () => { try { sessionStorage.setItem(key(), String(main()?.scrollTop ?? 0)); } catch { /* none kept */ } });
  const opened = performance.getEntriesByType("navigation")[0];
  let wanted = 0;
  try { wanted = opened && opened.type === "back_forward" ? Number(sessionStorage.getItem(key())) : 0; } catch { /* none kept */ }
  // a link to a part of a page, which is drawn later too
  const part = location.hash.startsWith("#listing-") && !wanted ? location.hash.slice(1) : "";
  if (!wanted && !part) return;
  const seen = new MutationObserver(() => {
    const at = main(), aim = part && document.getElementById(part);
    if (aim) aim.scrollIntoView();
    else if (at && wanted && at.scrollHeight - at.clientHeight >= wanted) at.scrollTop = wanted;
  });
  const end = () => seen.disconnect();
  ["wheel", "touchstart", "keydown", "pointerdown"].forEach((kind) => addEventListener(kind, end, { once: true }));
  setTimeout(end, 8000);
  seen.observe(document, { subtree: true, childList: true });
})();

function savePicture(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// What opened a box closes it after use.
const closeBox = () => document.querySelector("[data-testid=stPopoverButton][aria-expanded=true]")?.click();

const plotNear = (node) => {
  // A popover stands apart from its chart.
  const named = node.closest("[data-chart]")?.dataset.chart;
  const chart = named && [...document.querySelectorAll(`[class*="st-key-chart-"]`)].find((at) => at.classList.contains(`st-key-${named}`));
  if (chart) node = chart;
  for (let at = node; at; at = at.parentElement) {
    const plot = at.querySelector(".pd-plot.js-plotly-plot");
    if (plot) return plot;
  }
};

// While a page is drawn anew, Streamlit disables its tabs for a moment: the one that had the focus gets it back.
document.addEventListener("focusout", ({ target: tab }) => queueMicrotask(() => {
  if (!tab.matches("[role=tab][aria-disabled]")) return;
  new MutationObserver((_, disabled) => {
    disabled.disconnect();
    if (document.activeElement === document.body) tab.focus();
  }).observe(tab, { attributeFilter: ["aria-disabled"] });
}));

// What a step came to is met wherever the reader is: the button that was pressed may be gone. It is met once: a page that is
// drawn anew by itself may say it again when the reader is elsewhere.
let lastMet;
onChange(() => {
  const line = document.querySelector(".pd-answer:not([data-met])");
  if (!line) return;
  line.dataset.met = "";
  if (line.dataset.at !== lastMet || document.activeElement === document.body) line.focus();
  lastMet = line.dataset.at;
});

// "Copy picture": the chart with title, scope, day and source. A page without https has no clipboard for pictures: it is saved.
onClick(".pd-copy-picture", (event) => {
  const button = event.target.closest(".pd-copy-picture"), plot = plotNear(button), made = picture(plot.onPaper());
  const tell = () => { button.nextElementSibling.textContent = button.dataset.copied; plot.copied(); };
  if (!navigator.clipboard || !window.ClipboardItem) return void made.then((blob) => savePicture(blob, "picture.png")).then(plot.copied);
  navigator.clipboard.write([new ClipboardItem({ "image/png": made })]).then(tell);
});

// Presenting: one figure at a time fills the screen; the arrows of the keyboard and of a presenter turn, Escape ends.
(function () {
  const root = document.documentElement;
  const boxOf = (plot) => plot.closest("[class*='st-key-panel-']") ?? plot.closest("[class*='st-key-figure-']") ?? plot.parentElement;
  // What is folded away cannot be shown.
  const figures = () => [...new Set([...document.querySelectorAll(".pd-plot.js-plotly-plot")].filter((plot) => plot.checkVisibility()).map(boxOf))];
  const note = Object.assign(document.createElement("p"), { className: "pd-presented-note" });
  let shown;
  const resize = () => document.querySelectorAll(".pd-plot").forEach((plot) => plot.dispatchEvent(new Event("pd-resize")));
  const show = (box) => {
    shown?.removeAttribute("data-presented");
    shown = box;
    root.toggleAttribute("data-presenting", Boolean(box));
    if (box) {
      const all = figures(), latin = `${all.indexOf(box) + 1} / ${all.length}`;
      const place = root.lang === "fa" ? latin.replace(/\d/g, (digit) => "۰۱۲۳۴۵۶۷۸۹"[digit]).replace("/", "از") : latin;
      note.textContent = [...document.querySelectorAll(".pd-title h1, .pd-title .pd-sample, .pd-said, .pd-source:first-of-type")]
        .map((part) => part.textContent.trim().replace(/\s+/g, " ")).concat(place).join(" · ");
      document.body.append(note);
      box.setAttribute("data-presented", "");
      box.scrollTop = 0;
    } else note.remove();
    resize();
  };
  const end = () => {
    const box = shown;
    show();
    box?.scrollIntoView({ block: "center" });
    if (document.fullscreenElement) document.exitFullscreen();
  };
  const turn = (step) => {
    const all = figures();
    show(all[Math.min(Math.max(all.indexOf(shown) + step, 0), all.length - 1)]);
  };
  onClick(".pd-present", (event) => {
    event.preventDefault();
    const inNav = event.target.closest(".pd-switch"), all = figures();
    const box = inNav ? all.find((one) => one.getBoundingClientRect().bottom > 100) ?? all[0] : boxOf(plotNear(event.target));
    if (!box) return;
    closeBox();
    show(box);
    root.requestFullscreen?.().catch(() => {});
  });
  addEventListener("keydown", (event) => {
    if (!shown) return;
    const ahead = root.dir === "rtl" ? "ArrowLeft" : "ArrowRight", back = root.dir === "rtl" ? "ArrowRight" : "ArrowLeft";
    const steps = { [ahead]: 1, PageDown: 1, " ": 1, [back]: -1, PageUp: -1 };
    if (event.key === "Escape") end();
    else if (steps[event.key]) turn(steps[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  // Escape leaves the full screen without a key that the page hears.
  document.addEventListener("fullscreenchange", () => { if (!document.fullscreenElement && shown) end(); });
  addEventListener("resize", () => { if (shown) resize(); });
})();
