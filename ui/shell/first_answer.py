"""The page in words that the first response holds, before any script: under the scope, language and rights of the request.

    GET /training?province=IR-23  →  <main id="first-answer"> … </main> before the page that Streamlit draws

static/shell.js takes it away once the page has its first number; without JavaScript it is the page.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from cachetools import TTLCache
from starlette.types import Scope as Request

from etl.core.errors import AccessDenied, QuestionError, Refused
from etl.semantic.rights import ADMINISTRATOR, AccessScope
from ui.data import page_run, warehouse
from ui.exhibits import register
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.named import Named
from ui.exports.plain_page import FIRST_ROWS, PlainPage
from ui.i18n import navigation
from ui.shell import people, threads
from ui.shell.requests import base_path
from ui.state.page_parameters import TAB
from ui.state.scope import Scope

# A page that takes longer is drawn without it; it is then there for the next reader.
_SECONDS = 3.0
_MOST_KEPT, _KEPT_SECONDS = 200, 300.0
_LOG = logging.getLogger("policeyar.first")
_kept: TTLCache[Any, str] = TTLCache(_MOST_KEPT, _KEPT_SECONDS)
_lock = threading.Lock()


async def found(request: Request, lang: str) -> str:
    """The page of a request as HTML; empty where it has none, its reader no rights, or it takes too long."""
    query = parse_qs(request.get("query_string", b"").decode("latin-1"))
    part = _part(request["path"], query)
    if part not in register.pages():
        return ""
    person: people.Person | None = request.get("person")
    if people.mode() == "open":
        asker = ADMINISTRATOR
    elif person:
        asker = people.scope_of(person)
    else:
        return ""
    work = partial(_of, asker, part, query, lang)
    return await threads.run_within(threads.ANSWERS, _SECONDS, work) or ""


def _part(path: str, query: Mapping[str, Sequence[str]]) -> str:
    """The part of the menu that an address opens; empty for no page."""
    name, menu = path.removeprefix(base_path()).strip("/"), navigation.menu()
    entry = next((entry for entry in menu if entry["page"] == (name or menu[0]["page"])), None)
    if entry is None:
        return ""
    parts, tab = navigation.parts(entry), query.get(TAB, [""])[-1]
    return tab if tab in parts else parts[0]


def _of(asker: AccessScope, part: str, query: Mapping[str, Sequence[str]], lang: str) -> str:
    try:
        pinned = query.get(page_run.PINNED, [""])[-1]
        file = (page_run.kept_file(pinned) if pinned.isdecimal() else "") or page_run.current_file()
        said = tuple(sorted((name, tuple(values)) for name, values in query.items()))
        key = (file, asker.rights(), part, said, lang)
        with _lock:
            if (known := _kept.get(key)) is not None:
                return known
        with page_run.acting_as(asker), page_run.reading(file), page_run.pinned_as(pinned):
            made = _made(part, query, lang)
    except (AccessDenied, Refused, OSError, page_run.Unpublished):
        return ""
    except Exception as failed:
        # The page proper says what is wrong; a message may hold data.
        _LOG.error(f"first answer: {type(failed).__name__}")
        return ""
    with _lock:
        _kept[key] = made
    return made


def _made(part: str, query: Mapping[str, Sequence[str]], lang: str) -> str:
    page, ask = register.pages()[part], warehouse.of_page()
    scope = Scope.from_query(query, ask.publication.as_of, lambda name: warehouse.names(name, lang), lang)
    shown: list[tuple[Named, Exhibit]] = []
    for named in page.shown(scope, ask, query):
        with suppress(AccessDenied, QuestionError):
            shown += [(named, exhibit) for exhibit in named.exhibits(ask)]
    plain = PlainPage(part, page.scoped(scope), ask.rights, ask.publication, tuple(shown), FIRST_ROWS)
    return f'<main id="first-answer">{plain.menu()}{plain.choice()}{plain.main()}</main>'
