"""The parts of the pages by name (pages without tabs, and every tab of the others), and what draws one."""

from collections.abc import Callable

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from ui.i18n import navigation

PARTS = [part for entry in navigation.menu() for part in navigation.parts(entry)]
FIRST = navigation.menu()[0]["page"]
# As dashboard.py does for each user. A script in a folder without `pages/`: AppTest would run the files of that.
SCRIPT = "from dashboard import menu\nfrom ui.shell import frame\nframe.run(menu)\n"


def opening(part: str) -> tuple[str, dict[str, str]]:
    """The hash by which Streamlit knows the page of a part (empty for the first page), and the parameter that names its tab."""
    page, tab = navigation.part_address(part)
    # switch_page takes a file; ours are functions, found by their address
    return "" if page == FIRST else calc_hash(page), {"tab": tab} if tab else {}


def opened(name: str = FIRST, **view: str | list[str]) -> AppTest:
    """A part after its run without an exception, with these parameters in its address."""
    app = AppTest.from_string(SCRIPT, default_timeout=300)
    app._page_hash, tab = opening(name)
    for key, value in {**tab, **view}.items():
        app.query_params[key] = value
    assert not app.run().exception
    return app


def files_open(_lang: str, _label: str, key: str, inside: Callable[[], object]) -> None:
    """In place of `blocks.popover`, which AppTest does not open: the ways to take a figure are drawn, nothing else."""
    if key.startswith("files-"):
        inside()


def html(app: AppTest) -> str:
    """All HTML that a part shows."""
    return "\n".join(element.proto.body for element in app.get("html"))
