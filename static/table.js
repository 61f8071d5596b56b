// The headings of a table (ui/components/tables.py) are buttons: a click, or Enter, sorts its rows on the server, because
// long tables are sent a page at a time. The pressed button keeps the focus when the new rows arrive.
export default function ({ parentElement, setTriggerValue }) {
  const box = parentElement.closest("[class*='st-key-table-']");
  if (!box) return;
  const pressed = (event) => {
    const button = event.target.closest("button[data-sort]");
    if (!button) return;
    const name = button.dataset.sort;
    setTriggerValue("sort", name);
    const seen = new MutationObserver(() => {
      const again = box.querySelector(`button[data-sort="${CSS.escape(name)}"]`);
      if (!again || again === button) return;
      seen.disconnect();
      again.focus({ preventScroll: true });
    });
    seen.observe(box, { childList: true, subtree: true });
  };
  box.addEventListener("click", pressed);
  return () => box.removeEventListener("click", pressed);
}
