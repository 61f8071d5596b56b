"""The scope bar of every page: province, activity, as-of day and period, further filters in a popover, and Reset."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache, partial

import streamlit as st

from etl.analysis import detail
from etl.core.errors import AccessDenied
from etl.core.places import newer_counties
from etl.semantic.open_totals import sees_nation
from etl.semantic.rights import BELOW_PROVINCE, AccessScope
from etl.warehouse.dimensions import FILTERS, PLACES, expand_groups
from ui.components import blocks, day_field, tables
from ui.components.blocks import controlled
from ui.data import page_run, warehouse
from ui.data.ask import Filters, frozen
from ui.i18n import text
from ui.state import page_context, page_parameters, periods
from ui.state.page_context import PageContext

# The count next to an option: active assistants or, if a course is involved, those who must take it.
_COUNTED, _OF_COURSES = "active_assistants", "trainable_assistants"
# Dimensions sorted by name; the others have a natural order.
_BY_NAME = (*PLACES, "course")
# Filters known to the register of institutes: institutes without assistants are offered too.
_REGISTERED = ("province", "county", "activity")
_MAIN = tuple(expand_groups(["@main"]))
_NONE = "none"
# Begins the label of an option that is offered only to those who type something (static/shell.js).
_SEARCHED = "\u2063"
_ENDS = ("first", "last")


# The options of each filter, by code.
_Offered = Mapping[str, Mapping[str, str]]


def offered(view: PageContext, more: tuple[str, ...]) -> _Offered:
    """The options of the main filters; `more` are the filters of this page besides."""
    return {name: choices(view, name, (*_MAIN, *more)) for name in _MAIN}


def bar(view: PageContext, more: tuple[str, ...], options: _Offered) -> None:
    """Draw the bar for `view`, with the options that are `offered`."""
    known = (*_MAIN, *more)
    # Before the first number of the first screen stand place and day; the rest is behind one button.
    is_first = page_context.part() == "overview"
    main = _MAIN[:1] if is_first else _MAIN
    # A filter kept from another page is offered too, so that it can be removed.
    further = [name for name in FILTERS if name not in main and (name in known or name in view.where)]
    with page_context.scope_line():
        _said(view)
    with st.container(key="scope", gap="small"):
        with st.container(key="scope-bar", horizontal=True, vertical_alignment="bottom", gap="small"):
            for name in main:
                _filter(view, name, known, options[name])
            day_field.field(view, "on", view.word("scope.on"), view.as_of, page_context.set_day)
            if view.has_period and not is_first:
                _period(view)
            if further:
                _more(view, further, known, view.has_period and is_first)
            if not view.scope.is_empty or page_parameters.of(page_context.part()):
                st.button(view.word("scope.reset"), key="scope-reset", on_click=page_context.reset, type="tertiary")
        if view.has_period and periods.kind(view.scope.period) == periods.DAYS:
            _two_days(view)
        day_field.trouble("on", *_ENDS)
        if not sees_nation(page_run.access_scope(), view.where):
            blocks.note(view.word("sign_in.nation_closed"))


def _said(view: PageContext) -> None:
    """The scope in words, with links to other views of the same place; on a phone beside the button that opens the filters."""
    summary = "<i> · </i>".join(f"<span>{text.escape(part)}</span>" for part in _summary(view))
    said = f'<p class="pd-said" role="status">{summary}{_profile(view)}</p>'
    st.html(f'<div class="pd-scope">{_filters_button(view)}{said}{_compared_with(view)}</div>')


def whole(view: PageContext) -> None:
    """The day of a page that no filter changes; where the address has filters, that it shows the whole country."""
    nation = [view.word("scope.in_words", parts=view.word("scope.nation"))] if view.where else []
    day = view.word("trust.as_of", day=text.day_in_both(page_run.publication().as_of, view.lang))
    with page_context.scope_line():
        st.html(f'<p class="pd-said">{text.escape(" · ".join([*nation, day]))}</p>')


def _profile(view: PageContext) -> str:
    """A link to the profile of the selected province, for users who clicked on a map or a ranking."""
    provinces = view.where.get("province", ())
    if len(provinces) != 1 or page_context.part() == "overview":
        return ""
    address = page_parameters.profile(provinces[0], view.lang, view.scope.address())
    words = view.word("profile.link", place=view.member("province", provinces[0]))
    return f' · <a href="{text.escape(address)}" target="_self">{text.escape(words)}</a>'


def _compared_with(view: PageContext) -> str:
    """Links that compare the selected province with each other one on the same day."""
    provinces, is_here = view.where.get("province", ()), page_context.part() == "compare"
    if len(provinces) != 1 or is_here or BELOW_PROVINCE & {*view.where}:
        return ""
    names = warehouse.names("province", view.lang)
    words = view.word("compare.with", place=view.member("province", provinces[0]))

    def link(code: str) -> str:
        address = page_parameters.address("compare", view.lang, view.scope.address() | {"q": [code]})
        return f'<a href="{text.escape(address)}" target="_self">{text.escape(names[code])}</a>'

    other_codes = sorted(names.keys() - set(provinces), key=lambda code: tables.collated(names[code]))
    return (
        f'<details class="pd-with"><summary>{text.escape(words)}</summary>{"".join(map(link, other_codes))}</details>'
    )


def _filters_button(view: PageContext) -> str:
    """The button that opens the filters on a phone and shows how many are active (static/shell.js handles it)."""
    count = len(view.where) + bool(view.scope.on) + bool(view.over)
    label = view.word("why.filters") + (f" ({text.number(count, view.lang)})" if count else "")
    return f'<button type="button" class="pd-filters" aria-expanded="false">{text.escape(label)}</button>'


def _summary(view: PageContext) -> list[str]:
    """The active scope in words: places and filters, the day in both calendars, the period with its days."""
    parts = [
        view.word("scope.in_words", parts=page_context.scope_in_words(view)),
        view.word("trust.as_of", day=text.day_in_both(view.as_of, view.lang)),
    ]
    if view.over:
        kind = periods.kind(view.scope.period)
        key = "scope.days_said" if kind == periods.DAYS else "scope.period_said"
        parts.append(
            view.word(key, name=periods.named(kind, view.as_of, view.lang), days=text.period(*view.over, view.lang))
        )
    if page_context.part() == "compare":
        # They begin as the scope, and are then chosen for each side.
        parts.append(view.word("compare.own_scope"))
    return parts


def _more(view: PageContext, further: Sequence[str], known: tuple[str, ...], has_period: bool) -> None:
    # The label must stay constant: a new label is a new widget, which would close at each choice.
    box = st.popover(view.word("scope.more"), key="scope-more", on_change="rerun")
    if on := [name for name in further if name in view.where]:
        count = text.number(len(on), view.lang)
        st.html(f"<style>.st-key-scope-more [data-testid='stPopoverButton'] p::after{{content:' ({count})'}}</style>")
    if box.open:
        with box:
            for name in further:
                _filter(view, name, known, choices(view, name, known))
            if has_period:
                _period(view)
            blocks.note(view.word("scope.counts_are"))


def _filter(view: PageContext, name: str, known: tuple[str, ...], options: Mapping[str, str]) -> None:
    chosen = [code for code in view.where.get(name, ()) if code in options]
    narrowed: Callable[[Sequence[str]], None] = partial(page_context.narrow, name)
    if name == "province" and "county" in known:
        counties = counties_offered(page_run.current_file(), page_run.access_scope().rights(), view.lang)
        options, narrowed = {**options, **counties}, _narrow_to_place
    controlled(
        st.multiselect,
        view.word(f"scope.{name}"),
        f"filter {name}",
        chosen,
        narrowed,
        options=list(options),
        format_func=lambda code: options.get(code, code),
        placeholder=view.word("scope.all_of"),
        filter_mode="contains",
        select_all=False,
        wrap=True,
    )


def _narrow_to_place(codes: Sequence[str]) -> None:
    """Filter by the provinces, or by the county that was chosen among them."""
    provinces = warehouse.analyse(detail.provinces_of_counties)
    county = next((code for code in codes if code in provinces), "")
    if county:
        page_context.narrow_to_county(county, provinces[county])
    else:
        page_context.narrow("province", codes)


@lru_cache(maxsize=20)
def counties_offered(_file: str, _scope: AccessScope, lang: str) -> Mapping[str, str]:
    """Codes and labels of all counties that the user may choose, for those who type one into the box of provinces."""
    names, provinces = warehouse.names("county", lang), warehouse.names("province", lang)
    province_of = warehouse.analyse(detail.provinces_of_counties)
    labels = {code: name for code, name in names.items() if code in province_of}
    labels |= _with_newer(labels, lang)
    return {
        code: _SEARCHED
        + text.word("scope.county_typed", lang, county=labels[code], province=provinces[province_of[code]])
        for code in sorted(labels, key=lambda code: tables.collated(labels[code]))
    }


def _period(view: PageContext) -> None:
    """The period for flows and trends: none, a preset, or two days."""

    def changed(now: str) -> None:
        if now == periods.DAYS:
            # Start from the period shown now.
            page_context.set_period(periods.written(*(view.over or view.complete_months(periods.DEFAULT_MONTHS))))
        else:
            page_context.set_period("" if now == _NONE else now)

    controlled(
        st.selectbox,
        view.word("scope.period"),
        "filter period",
        periods.kind(view.scope.period) or _NONE,
        changed,
        options=(_NONE, *periods.PRESETS, periods.DAYS),
        format_func=lambda option: periods.named(option, view.as_of, view.lang),
    )


def _two_days(view: PageContext) -> None:
    first, last = periods.days(view.scope.period, view.as_of)
    with st.container(key="scope-days", horizontal=True, vertical_alignment="bottom", gap="small"):
        for ident, day, other in zip(_ENDS, (first, last), (last, first), strict=True):
            day_field.field(view, ident, view.word(f"more.{ident}"), day, partial(_set_end, other))


def _set_end(other: date, day: date) -> None:
    page_context.set_period(periods.written(day, other))


# ---------------------------------------------------------------- options


def choices(view: PageContext, name: str, known: tuple[str, ...]) -> Mapping[str, str]:
    """Codes and labels of the options of filter `name`, including selected ones; `known` are the filters of this page.

    Smaller places do not narrow a larger one: they are cleared when it changes (see Scope.with_filter).
    """
    below = PLACES[PLACES.index(name) :] if name in PLACES else (name,)
    other_filters = {
        dimension: codes for dimension, codes in view.where.items() if dimension in known and dimension not in below
    }
    others, chosen = frozen(other_filters), frozenset(view.where.get(name, ()))
    return _choices(
        page_run.current_file(), page_run.access_scope().rights(), view.lang, name, view.as_of, others, chosen
    )


@lru_cache(maxsize=500)
def _choices(
    _file: str, _scope: AccessScope, lang: str, name: str, on: date, frozen: Filters, chosen: frozenset[str]
) -> Mapping[str, str]:
    other_filters = dict(frozen)
    metric = _OF_COURSES if "course" in (name, *other_filters) else _COUNTED
    try:
        counts = dict(warehouse.ask(metric, by=name, on=on, where=other_filters).rows)
    except AccessDenied:
        # Of the chosen provinces only totals are visible.
        counts = {}
    names = warehouse.names(name, lang)
    offered_codes = {code for code, count in counts.items() if count} | chosen
    if name == "institute":
        offered_codes |= _registered(other_filters)
    codes = [code for code in names if code in offered_codes]
    labels = _unambiguous({code: names[code] for code in codes}, lang)
    if name == "county":
        labels |= _with_newer(labels, lang)
    if name in _BY_NAME:
        codes.sort(key=lambda code: tables.collated(labels[code]))
    return {
        code: text.word(
            "scope.counted", lang, name=text.isolated(labels[code], lang), count=text.number(counts.get(code, 0), lang)
        )
        for code in codes
    }


def _registered(other_filters: Mapping[str, tuple[str, ...]]) -> set[str]:
    """Institutes in the register under the filters it knows."""
    register_filters = {name: other_filters[name] for name in _REGISTERED if name in other_filters}
    return {
        institute.code
        for institute in warehouse.analyse(detail.institutes).values()
        if all(getattr(institute, name) in codes for name, codes in register_filters.items())
    }


def _with_newer(names: Mapping[str, str], lang: str) -> dict[str, str]:
    """The counties from which others were separated since the census, with the names of those, to be found by them."""
    newer: dict[str, list[str]] = {}
    for county in newer_counties():
        newer.setdefault(county["parent_code"], []).append(county["name" if lang == "fa" else "name_en"])
    return {
        code: text.word("scope.with_newer", lang, name=names[code], newer=text.listed(newer[code], lang))
        for code in names.keys() & newer.keys()
    }


def _unambiguous(names: Mapping[str, str], lang: str) -> dict[str, str]:
    """Names made unique: those shared by several institutes get their code."""
    often = Counter(names.values())
    return {
        code: name if often[name] == 1 else text.listed([name, text.digits(code, lang)], lang)
        for code, name in names.items()
    }
