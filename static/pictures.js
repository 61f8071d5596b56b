// Draws the figures of a workbook (ui/components/page_files.py) in the user's browser and sends them as PNG.
const base64 = (url) => url.slice(url.indexOf(",") + 1);

export default function ({ data, parentElement, setTriggerValue }) {
  const written = new TextDecoder().decode(data);
  if (parentElement.drawn === written) return;
  parentElement.drawn = written;
  // One after the other: each takes all of the browser.
  const made = JSON.parse(written).reduce(
    (before, figure) => before.then(async (done) => [...done, await picture(figure).then(dataUrl).then(base64).catch(() => "")]),
    Promise.resolve([]),
  );
  made.then((pictures) => setTriggerValue("made", pictures));
}
