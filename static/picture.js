const dataUrl = (blob) => new Promise((done) => {
  const reader = new FileReader();
  reader.onload = () => done(reader.result);
  reader.readAsDataURL(blob);
});

// A chart as a picture in the font of the page: an image made of SVG sees none of its fonts, so it carries them. The browser of a
// reader draws with it, and that of the server (ui/exports/picture.py).
const picture = (function () {
  let fonts;
  const embedded = async (rule) => {
    const [, url] = rule.cssText.match(/url\("([^"]+)"\)/);
    return rule.cssText.replace(url, await dataUrl(await (await fetch(new URL(url, rule.parentStyleSheet.href ?? document.baseURI))).blob()));
  };
  const faces = () => [...document.styleSheets].flatMap((sheet) => { try { return [...sheet.cssRules]; } catch { return []; } })
    .filter((rule) => rule instanceof CSSFontFaceRule && rule.style.getPropertyValue("font-family").includes("Vazirmatn"));
  const svg = async ({ data, layout }) => {
    // What was not fetched is fetched for the next picture.
    fonts ??= Promise.all(faces().map(embedded)).catch((fault) => { fonts = undefined; throw fault; });
    const { width, height } = layout;
    const drawn = await window.Plotly.toImage({ data, layout }, { format: "svg", width, height });
    const style = `<style>${(await fonts).join("")}</style>`;
    return decodeURIComponent(drawn.slice(drawn.indexOf(",") + 1)).replace(/<svg[^>]*>/, (opening) => opening + style);
  };
  return async (figure, format = "png") => {
    // Plotly comes with the first chart.
    await allDrawn();
    const drawn = await svg(figure);
    if (format === "svg") return new Blob([drawn], { type: "image/svg+xml" });
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(drawn)}`;
    await image.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: 2 * image.width, height: 2 * image.height });
    const paper = canvas.getContext("2d");
    paper.scale(2, 2);
    paper.drawImage(image, 0, 0);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  };
})();
