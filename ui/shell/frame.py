"""The frame of every page: menu, switches, heading, and the footer on the data behind its numbers."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from etl.analysis import data_quality
from etl.core.errors import AccessDenied, OtherVersion
from ui.components import blocks, news, page_files
from ui.components.blocks import error_boundary, notice
from ui.components.figures import NothingYet
from ui.data import owed, page_run, warehouse
from ui.exhibits.quality import silent_provinces
from ui.i18n import navigation, text
from ui.sections import briefings, saved_views
from ui.shell import people, sign_in_page
from ui.state import acts, page_context, page_parameters, rendering
from ui.streamlit_internals import DeltaGenerator

# How many invalid address parameters are shown, and how many letters of each.
_MOST_LEFT, _MOST_LETTERS = 4, 40


def part_open(entry: Mapping[str, Any], parts: Mapping[str, Callable[[], None]]) -> Callable[[], None]:
    """A page that draws its only part, or its tabs with the content of the open one: a closed tab asks nothing."""

    def page() -> None:
        part = page_context.part_of(entry)
        with _tabs(entry, part) if len(parts) > 1 else nullcontext():
            parts[part]()

    return page


def _tabs(entry: Mapping[str, Any], part: str) -> DeltaGenerator:
    """Draw the tabs of a page; returns the container of the open one."""
    lang, key = page_context.language(), f"tabs {entry['page']}"
    names = {part_name: navigation.part_words(part_name)[lang] for part_name in navigation.parts(entry)}
    by_name = {name: part_name for part_name, name in names.items()}
    st.session_state[key] = names[part]
    tabs = st.tabs(
        list(names.values()), key=key, on_change=lambda: page_context.open_part(by_name[st.session_state[key]])
    )
    return tabs[list(names).index(part)]


def run(menu: Callable[[str, int], Mapping[str, list[st.Page]]]) -> None:
    """Set up, choose and run the page, between heading and footer."""
    pinned = page_context.pinned()
    page_run.begin()
    lang = page_context.language()
    title = text.word("app.title", lang)
    st.set_page_config(page_title=title, page_icon="🛡️", layout="wide")
    chosen = st.navigation(menu(lang, acts.waiting()), expanded=True)
    entry = next(
        entry for entry in navigation.menu() if entry["page"] == (chosen.url_path or navigation.menu()[0]["page"])
    )
    part = page_context.part_of(entry)
    with st.sidebar:
        st.html(
            f'<div class="pd-brand"><strong>{text.escape(title)}</strong><span>{text.escaped("app.owner", lang)}</span>'
            f"{_signed_in(lang)}</div>"
        )
    try:
        page_run.access_scope()
        page_context.enter_page(part)
        is_first = entry == navigation.menu()[0]
        with st.container(key="title-line", horizontal=True, gap="small"):
            _heading(entry, navigation.part_words(part), lang)
            tools = st.container(key="page-tools", width="content")
            if is_first:
                briefings.take_away(page_context.view())
            with error_boundary(lang, "news"):
                news.bell(page_context.view(), page_context.NEWS in st.query_params)
            st.html(_switches(lang), width="content")
        if left := page_context.left_out():
            notice(lang, "state.left_out_title", text.word("state.left_out", lang, parts=_shortened(left, lang)))
        if pinned:
            _pinned(pinned, lang)
        # On the first screen it stands beside the filters.
        page_context.keep_scope_line(st.container(key="page-scope-beside" if is_first else "page-scope"))
        with error_boundary(lang, part), suppress(NothingYet):
            chosen.run()
        with error_boundary(lang, part):
            rendering.flush()
        with tools, error_boundary(lang, "page-tools"):
            blocks.popover(lang, text.word("tools.title", lang), "tools", partial(_tools, part))
        _trust(lang)
        page_context.write()
    except AccessDenied:
        notice(lang, "sign_in.lost_title", text.word("sign_in.lost", lang))
    except page_run.Unpublished:
        notice(lang, "state.unpublished_title", text.word("state.unpublished", lang))
        st.code("python -m etl build", language="bash")
    except OtherVersion:
        notice(lang, "state.other_version_title", text.word("state.other_version", lang), "error")
        st.code("python -m etl build", language="bash")
    finally:
        page_context.leave_page()


def _tools(part: str) -> None:
    """What can be done with the whole page: print, present, darken, copy its link, save its view, take it as one workbook."""
    view = page_context.view()
    st.html(
        f'<nav class="pd-switch"><a class="pd-print" href="#" role="button">{view.escaped("app.print")}</a>'
        f'<a class="pd-present" href="#" role="button">{view.escaped("more.present")}</a>'
        f'<a class="pd-look" href="#" role="button">{view.escaped("app.look")}</a></nav>'
    )
    saved_views.copy_link(view)
    page_files.offer(view, part)
    saved_views.block(view, part)


def _signed_in(lang: str) -> str:
    """The signed-in person with own sessions and a button to sign out; empty where nobody signs in."""
    person = people.of_run()
    if not person:
        return ""
    listed = "".join(
        f"<li>{text.escaped('sign_in.session', lang, began=_clock(began, lang), seen=_clock(seen, lang))}</li>"
        for began, seen in people.own_sessions()
    )
    out = sign_in_page.sign_out(lang) if people.mode() == "oidc" else ""
    return (
        f"<details><summary><bdi>{text.escape(person.name)}</bdi></summary>"
        f"<p>{text.escaped('sign_in.sessions', lang)}</p><ul>{listed}</ul></details>{out}"
    )


def _clock(seconds: float, lang: str) -> str:
    """The time of a day on this server's clock."""
    return text.digits(f"{datetime.fromtimestamp(seconds):%H:%M}", lang)


def _shortened(left: list[str], lang: str) -> str:
    """The first invalid address parameters, each cut to fit on a line."""
    shortened = [part if len(part) <= _MOST_LETTERS else f"{part[:_MOST_LETTERS]}…" for part in left[:_MOST_LEFT]]
    more = [f"+{text.number(len(left) - _MOST_LEFT, lang)}"] if len(left) > _MOST_LEFT else []
    return text.listed([text.isolated(" ".join(part.split()), lang) for part in [*shortened, *more]], lang)


def _pinned(pinned: str, lang: str) -> None:
    """Which publication the address pins and that it is not the latest one, or that it is no longer kept."""
    published = page_run.publication()
    key = "owed.pinned" if published.id == pinned else "owed.not_kept"
    day = text.day(published.as_of, lang)
    words = text.word(key, lang, id=text.digits(pinned, lang), day=day)
    notice(lang, "owed.pinned_title", words)
    address = page_parameters.address(
        page_context.part(), lang, page_context.view().scope.address() | {"publication": [""]}
    )
    st.html(
        f'<p class="pd-note"><a href="{text.escape(address)}" target="_self">{text.escaped("owed.latest", lang)}</a></p>'
    )


def _heading(entry: Mapping[str, Any], part: Mapping[str, Any], lang: str) -> None:
    view, title = page_context.view(), entry[lang]
    if entry == navigation.menu()[0] and (place := view.scope.smallest_place):
        dimension, code = place
        name = view.member(dimension, code)
        # An institute's name says what it is.
        key = "profile.title" if dimension == "province" else "profile.county"
        title = name if dimension == "institute" else view.word(key, place=name)
    # On paper no tab says which part this is.
    is_tab, first = part[lang] != entry[lang], " pd-first" if entry == navigation.menu()[0] else ""
    tab = f'<strong class="pd-on-paper">{text.escape(part[lang])}</strong>' if is_tab else ""
    st.html(
        f'<header class="pd-title{first}"><h1>{text.escape(title)}</h1>{tab}{_sample(lang)}'
        f"<p>{text.escape(part['question'][lang])}</p></header>"
    )


def _switches(lang: str) -> str:
    """Find, and the switch of language, which is a link, so that the HTML shell is in it too."""
    other = "en" if lang == "fa" else "fa"
    return (
        f'<nav class="pd-switch"><a class="pd-find" href="#" role="button" title="{text.escaped("find.keys", lang)}">'
        f"{text.escaped('find.open', lang)}</a>"
        f'<a href="{_address(other)}" lang="{other}" hreflang="{other}" title="{text.escaped("app.language_help", lang)}">'
        f"{text.escaped('app.language', lang)}</a></nav>"
    )


def _address(lang: str) -> str:
    """The current address, in `lang`."""
    pairs = [(key, value) for key, values in page_context.address().items() for value in values if key != "lang"]
    if lang == "en":
        pairs.append(("lang", "en"))
    return text.escape(f"?{urlencode(pairs)}")


def _sample(lang: str) -> str:
    """The badge of sample data, if the publication is one."""
    if not page_run.publication().is_sample:
        return ""
    return f'<b class="pd-sample" title="{text.escaped("trust.sample_help", lang)}">{text.escaped("trust.sample", lang)}</b>'


def _trust(lang: str) -> None:
    """The footer: source, latest day, last load, sample, missing and provisional data, links to method and quality.

    In the mode `open` it says that nobody signs in.
    """
    published = page_run.publication()
    view = page_context.view()
    loaded, latest = (text.day(day, lang) for day in (published.published_at.date(), published.as_of))
    hour = text.digits(f"{published.published_at:%H:%M}", lang)
    counts = {"files": published.files, "rows": published.rows_loaded, "rejected": published.rows_quarantined}
    numbers = {name: text.number(count, lang) for name, count in counts.items()}
    # These are at the foot of each sheet too.
    sources = [
        text.escaped("trust.source", lang, **numbers),
        # The scope names the day, if it is the latest.
        *([text.escaped("trust.as_of_latest", lang, day=latest)] if view.as_of != published.as_of else []),
        *([text.escape(silent)] if (silent := silent_provinces(warehouse.of_page(), lang)) else []),
        text.escaped("trust.loaded", lang, day=f"{loaded} {hour}"),
    ]
    if missing := warehouse.analyse(data_quality.refused_files):
        files = [text.isolated(file, lang) for file in missing]
        sources.insert(1, text.escaped("trust.missing", lang, files=text.listed(files, lang)))
    sentences = [
        *([text.escaped("trust.provisional", lang)] if page_files.has_provisional() else []),
        text.escaped("trust.boundaries", lang, source=text.word("figure.osm", lang)),
    ]
    if people.mode() == "open":
        sentences.append(text.escaped("sign_in.open_mode", lang))
    cited, releases = owed.citation(lang, published), text.word("owed.calendar", lang)
    for name, line in owed.lines(lang, published):
        words = f"<bdi>{text.escape(line)}</bdi>"
        if line == cited:
            words += (
                f" {saved_views.copy_button(text.escaped('owed.copy', lang), text.escaped('owed.copied', lang), line)}"
            )
        # Twelve days are opened by who wants them.
        is_long = name == releases
        label = text.escape(name)
        sentences.append(f"<details><summary>{label}</summary>{words}</details>" if is_long else f"{label}: {words}")
    spans = "".join(f'<span class="pd-source">{part}</span>' for part in sources)
    spans += "".join(f"<span>{part}</span>" for part in sentences)
    scope = view.scope.address()
    links = "".join(
        f'<a href="{text.escape(page_parameters.address(name, lang, scope))}">{text.escaped(f"trust.{name}", lang)}</a>'
        for name in ("methods", "quality")
    )
    # What a newer one is told against (static/shell.js); who pinned a publication asked for it.
    shown = "" if page_run.pinned() else f' data-publication="{text.escape(published.id)}"'
    st.html(f'<footer class="pd-trust"{shown}>{_sample(lang)}{spans}{links}</footer>')
