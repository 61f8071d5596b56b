// A chart keeps its element: for every new answer Plotly redraws what has changed. Streamlit's own chart is removed and
// created again each time, and drawn twice. A plot lives as long as its element.
const plots = new WeakMap();
const ruler = document.createElement("canvas").getContext("2d");
let library;

function plotly() {
  library ??= new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.src = readerPlotly;
    script.onload = () => loaded(window.Plotly);
    script.onerror = () => { library = undefined; failed(new Error(`${readerPlotly} was not loaded`)); };
    document.head.append(script);
  });
  return library;
}

function create(parent) {
  const element = document.createElement("div");
  element.className = "pd-plot";
  element.setAttribute("role", "figure");
  // Until it is drawn it is a pale box, and print and pictures wait for it (shell.js).
  element.setAttribute("aria-busy", "true");
  // Tools find a chart on a page of Streamlit by this name.
  element.setAttribute("data-testid", "stPlotlyChart");
  parent.append(element);
  const plot = { element, width: 0, drawn: Promise.resolve() };
  // In print shell.js sets its size.
  const onPaper = () => document.documentElement.classList.contains("pd-paper");
  new ResizeObserver(() => { if (!onPaper() && element.clientWidth !== plot.width) draw(plot); }).observe(element);
  element.addEventListener("pd-resize", () => { plot.width = 0; draw(plot); });
  // For shell.js: the figure of a picture, and what notes that it was copied.
  element.onPaper = () => ({ ...plot.content.figure, layout: { ...plot.content.figure.layout, ...plot.content.paper } });
  element.copied = () => { if (plot.content.noted) plot.noteCopy(); };
  plots.set(parent, plot);
  return plot;
}

// A map is about as high as it is wide: on a phone its frame would be half empty.
function heightOf({ geo, height }, width, element) {
  const box = element?.closest("[data-presented]");
  // Presented, it takes what title, legend and notes leave of the screen.
  if (box) return Math.max(240, innerHeight - 150 - [...box.querySelectorAll(".pd-head, .pd-keys, .pd-note, .pd-panel, .pd-card")]
    .reduce((sum, { offsetHeight }) => sum + offsetHeight, 0));
  const tallest = Number(element && getComputedStyle(element).getPropertyValue("--pd-tallest")) || height;
  return Math.min(height, tallest, geo && width ? Math.floor(width * 0.9) : height);
}

// A map on a phone has no room for names: of its labels it shows those with values alone.
function fitting(data, { geo, meta }, width) {
  if (!geo || width > (meta?.narrow || (innerWidth > 640 ? 300 : 340))) return data;
  return data.map((trace) => (["wide", "narrow"].includes(trace.meta) ? { ...trace, visible: trace.meta === "narrow" } : trace));
}

const labelLines = ({ ticktext }) => ticktext.map((label) => label.replace(/<(?!br>)[^>]*>/g, "").split("<br>"));
const isLabelled = (axis) => axis?.ticktext?.length && axis.tickfont && axis.showticklabels !== false;

// Where labels of an axis would touch, every second of its ticks is left, counted from the last. A name for each column stays.
function thinned(axis, { l, r }, width, { family }) {
  const span = axis?.range && Math.abs(axis.range[1] - axis.range[0]);
  if (!isLabelled(axis) || !span || Math.abs(span - axis.tickvals.length) < 0.5) return axis;
  const { tickvals, ticktext, tickfont: { size } } = axis;
  ruler.font = `${size}px ${family}`;
  const widths = labelLines(axis).map((label) => Math.max(...label.map((line) => ruler.measureText(line).width)));
  const pixels = (width - l - r) / span;
  const touches = (at, i, all) => i && Math.abs(tickvals[at] - tickvals[all[i - 1]]) * pixels < (widths[at] + widths[all[i - 1]]) / 2 + 6;
  let left = [...tickvals.keys()];
  while (left.length > 2 && left.some(touches)) left = left.filter((_, i) => (left.length - 1 - i) % 2 === 0);
  return { ...axis, tickvals: left.map((at) => tickvals[at]), ticktext: left.map((at) => ticktext[at]) };
}

// Margins with room for the labels of the axes, in pixels as Plotly counts them. Plotly finds this room only by drawing, and
// then draws everything again; it still does where these margins are too small.
function roomForLabels({ margin, font, xaxis, yaxis }) {
  const room = { ...margin };
  const take = (side, size) => { room[side[0]] = Math.max(room[side[0]], Math.ceil(size)); };
  if (isLabelled(yaxis)) {
    const { side = "left", ticklabelstandoff = 0, tickfont } = yaxis;
    ruler.font = `${tickfont.size}px ${font.family}`;
    take(side, 9 + ticklabelstandoff + Math.max(...labelLines(yaxis).flat().map((line) => ruler.measureText(line).width)));
  }
  if (isLabelled(xaxis)) {
    const { side = "bottom", ticklabelstandoff = 0, ticks, ticklen, title, tickfont: { size } } = xaxis;
    const height = (0.28 + 1.3 * Math.max(...labelLines(xaxis).map((label) => label.length))) * size;
    take(side, 8 + ticklabelstandoff + height + (ticks ? ticklen + 2 : 0) + (title ? 16 : 0));
  }
  return room;
}

// Draw one at a time; of the answers that arrive during a drawing, only the latest is drawn.
function draw(plot) {
  const waiting = plot.waiting = {};
  plot.element.setAttribute("aria-busy", "true");
  plot.drawn = plot.drawn.then(plotly).then((Plotly) => {
    const { element, content: { figure: { data, layout }, config } } = plot;
    const width = element.clientWidth;
    if (!width || (plot.shows === plot.content && plot.width === width)) return;
    const first = !plot.shows;
    Object.assign(plot, { shows: plot.content, width });
    if (first) element.replaceChildren();
    else Plotly.Fx.unhover(element);
    const height = heightOf(layout, width, element);
    element.style.height = `${height}px`;
    // Plotly's own button draws pictures in a font of the machine.
    const { toImageButtonOptions: asked } = config;
    const save = () => picture({ data, layout }, asked.format).then((blob) => savePicture(blob, `${asked.filename}.${asked.format}`));
    // Its name is Plotly's own, which shell.js translates.
    const title = asked?.format === "png" ? "Download plot as a PNG" : "Download plot";
    const button = asked && { name: "picture", title, icon: Plotly.Icons.camera, click: save };
    const shown = asked ? { ...config, modeBarButtons: [[button]] } : config;
    const margin = roomForLabels(layout);
    const axes = layout.xaxis && { xaxis: thinned(layout.xaxis, margin, width, layout.font) };
    const painted = Plotly.react(element, fitting(data, layout, width), { ...layout, ...axes, margin, width, height }, shown);
    if (first) element.on("plotly_click", ({ points: [point] }) => {
      const member = point.location ?? [point.customdata].flat()[0];
      if (member) plot.clicked(member);
    });
    return painted;
  }).catch((fault) => {
    console.error(fault);
    plot.shows = undefined;
    window.Plotly?.purge(plot.element);
    plot.element.replaceChildren(readerNoChart);
  }).then(() => {
    // Folded away it has no width, and is drawn when it is opened.
    if (plot.shows || plot.element.clientWidth) plot.element.setAttribute("data-drawn", "");
    if (plot.waiting === waiting) plot.element.removeAttribute("aria-busy");
  });
  return plot.drawn;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const plot = plots.get(parentElement) ?? create(parentElement);
  plot.noteCopy = () => setTriggerValue("copied", true);
  plot.clicked = (member) => { if (plot.content.clickable) setTriggerValue("click", member); };
  const written = new TextDecoder().decode(data);
  if (plot.written === written) return;
  Object.assign(plot, { written, content: JSON.parse(written) });
  const { layout } = plot.content.figure;
  Object.assign(plot.element.style, { width: layout.width ? `${layout.width}px` : "", maxWidth: "100%" });
  plot.element.style.height = `${heightOf(layout, plot.element.clientWidth, plot.element)}px`;
  plot.element.setAttribute("aria-label", plot.content.spoken);
  // shell.css inverts a chart that was drawn for the other look
  plot.element.dataset.look = getComputedStyle(plot.element).colorScheme;
  return draw(plot).then(() => undefined);
}
