"""The entry point: page set-up, language and menu. No numbers.

`streamlit run dashboard.py` finds `app` here and serves it within our middleware; each script run executes this file
again. The menu is also built once at start, so that Streamlit does not run the files of `pages/` on their own: without it
a deep link to a fresh server would bypass this entry point.
"""

import gc
import logging
import sys
from importlib import import_module

import streamlit as st
from starlette.middleware import Middleware

from etl.core.errors import Refused
from etl.core.settings import Faulty

# What is imported stays: looking for garbage in it takes a seventh of the time.
gc.disable()
# Declarations are read on import: a fault of one is a line, and nothing is served.
try:
    from etl.semantic import catalog
    from ui import streamlit_internals
    from ui.i18n import navigation, text
    from ui.shell import allowed_hosts, data_address, find_address, frame, gate, hand_in_address, logs, service
    from ui.shell import middleware as shell

    catalog.entries()
    text.book()
except Refused as fault:
    sys.exit(str(fault))


def menu(lang: str, waiting: int = 0) -> dict[str, list[st.Page]]:
    """The pages of text.toml by group, in its order. The file of a page or tab only defines `page()`.

    `waiting`: how many submissions wait for who looks.
    """
    groups: dict[str, list[st.Page]] = {}
    for place, entry in enumerate(navigation.menu()):
        parts = {part: import_module(f"pages.{part}").page for part in navigation.parts(entry)}
        group = text.word(f"menu_group.{entry['group']}", lang)
        number = f" `{text.number(waiting, lang)}`" if waiting and "handin" in parts else ""
        groups.setdefault(group, []).append(
            st.Page(
                frame.part_open(entry, parts),
                title=f"{entry[lang]}{number}",
                url_path=entry["page"],
                default=place == 0,
            )
        )
    return groups


if streamlit_internals.is_script_run():
    gc.enable()
    with service.RERUNS.time():
        frame.run(menu)
else:
    try:
        service.begin()
        secrets = gate.begin()
        # Streamlit warns about commands outside of a script run.
        logging.disable(logging.WARNING)
        st.navigation(menu("fa"))
        logging.disable(logging.NOTSET)
    except (Faulty, Refused) as fault:
        sys.exit(str(fault))
    logs.keep_users_out()
    middleware = [Middleware(one) for one in (service.OnlyReady, allowed_hosts.AllowedHosts, gate.Gate, shell.Shell)]
    routes = [
        *service.routes(),
        *gate.routes(),
        *data_address.routes(),
        *find_address.routes(),
        *hand_in_address.routes(),
        *shell.routes(),
    ]
    gc.freeze()
    gc.enable()
    app = st.App(__file__, middleware=middleware, routes=routes, secrets=secrets or None)
