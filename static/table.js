// The headings of a table (ui/components/tables.py) are buttons: a click, or Enter, sorts its rows on the server, because
// long tables are sent a page at a time; the menu of a column has more. The pressed button, or that of its menu, keeps the
// focus when the new rows arrive.
export default function ({ parentElement, setTriggerValue }) {
  const box = parentElement.closest("[class*='st-key-table-']");
  if (!box) return;
  const pressed = (event) => {
    const button = event.target.closest("button[data-sort], button[data-choice]");
    if (!button) return;
    const { sort, choice } = button.dataset;
    const menu = button.closest("[popover]");
    menu?.hidePopover();
    setTriggerValue(menu ? "choice" : "sort", menu ? choice : sort);
    const wanted = menu ? `button[popovertarget="${CSS.escape(menu.id)}"]` : `button[data-sort="${CSS.escape(sort)}"]`;
    const before = box.querySelector(wanted);
    const seen = new MutationObserver(() => {
      const again = box.querySelector(wanted);
      if (!again || again === before) return;
      seen.disconnect();
      // A reader who went on to another field meanwhile stays there.
      if (document.activeElement === document.body) again.focus({ preventScroll: true });
    });
    seen.observe(box, { childList: true, subtree: true });
  };
  box.addEventListener("click", pressed);
  return () => box.removeEventListener("click", pressed);
}
