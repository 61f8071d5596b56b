"""The parts of the pages by name (pages without tabs, and every tab of the others), and the script that draws one."""

from streamlit.util import calc_hash

from ui.i18n import navigation

PARTS = [part for entry in navigation.pages() for part in navigation.parts(entry)]
FIRST = navigation.menu()[0]["page"]
# As dashboard.py does for each user. A script in a folder without `pages/`: AppTest would run the files of that.
SCRIPT = "from dashboard import menu\nfrom ui.shell import frame\nframe.run(menu)\n"


def opening(part: str) -> tuple[str, dict[str, str]]:
    """The hash by which Streamlit knows the page of a part (empty for the first page), and the parameter that names its tab."""
    page, tab = navigation.part_address(part)
    # switch_page takes a file; ours are functions, found by their address
    return "" if page == FIRST else calc_hash(page), {"tab": tab} if tab else {}
