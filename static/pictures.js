// Draws the figures of a workbook (ui/components/page_files.py) in the user's browser and sends them as PNG.
const base64 = (blob) => new Promise((done) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
  reader.readAsDataURL(blob);
});

export default function ({ data, parentElement, setTriggerValue }) {
  const written = new TextDecoder().decode(data);
  if (parentElement.drawn === written) return;
  parentElement.drawn = written;
  // One after the other: each takes all of the browser.
  const made = JSON.parse(written).reduce(
    (before, figure) => before.then(async (done) => [...done, await picture(figure).then(base64).catch(() => "")]),
    Promise.resolve([]),
  );
  made.then((pictures) => setTriggerValue("made", pictures));
}
