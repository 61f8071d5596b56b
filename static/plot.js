// A chart that stays where it is: for every new answer Plotly redraws what has changed. Streamlit's own chart is taken
// away and made anew each time, and drawn twice. Nothing here outlives its element.
const standing = new WeakMap();
let library;

function plotly() {
  library ??= new Promise((loaded, failed) => {
    const script = document.createElement("script");
    script.src = readerPlotly;
    script.onload = () => loaded(window.Plotly);
    script.onerror = () => { library = undefined; failed(new Error(`${readerPlotly} did not come`)); };
    document.head.append(script);
  });
  return library;
}

function stand(parent) {
  const element = document.createElement("div");
  element.className = "pd-plot";
  element.setAttribute("role", "figure");
  // the name by which tools find a chart on a page of Streamlit
  element.setAttribute("data-testid", "stPlotlyChart");
  parent.append(element);
  const plot = { element, width: 0, drawn: Promise.resolve() };
  // for paper shell.js fits it
  const onPaper = () => document.documentElement.classList.contains("pd-paper");
  new ResizeObserver(() => { if (!onPaper() && element.clientWidth !== plot.width) draw(plot); }).observe(element);
  standing.set(parent, plot);
  return plot;
}

// Draw one at a time; of answers that arrive during a drawing keep only the latest.
function draw(plot) {
  plot.drawn = plot.drawn.then(plotly).then((Plotly) => {
    const { element, told: { figure: { data, layout }, config } } = plot;
    const width = element.clientWidth;
    if (!width || (plot.shows === plot.told && plot.width === width)) return;
    const first = !plot.shows;
    Object.assign(plot, { shows: plot.told, width });
    if (first) element.replaceChildren();
    else Plotly.Fx.unhover(element);
    const painted = Plotly.react(element, data, { ...layout, width }, config);
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
  });
  return plot.drawn;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const plot = standing.get(parentElement) ?? stand(parentElement);
  plot.clicked = (member) => { if (plot.told.clickable) setTriggerValue("click", member); };
  const written = new TextDecoder().decode(data);
  if (plot.written === written) return;
  Object.assign(plot, { written, told: JSON.parse(written) });
  const { height, width } = plot.told.figure.layout;
  Object.assign(plot.element.style, { height: `${height}px`, width: width ? `${width}px` : "", maxWidth: "100%" });
  plot.element.setAttribute("aria-label", plot.told.spoken);
  return draw(plot).then(() => undefined);
}
