"""What becomes of exhibits where they are shown: the notes of a picture, units and changes of cards, names as text, and totals.

No page is opened; every figure and row of cards of the topics is made, so a new one is tested on its first day.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints
from urllib.parse import parse_qs, urlsplit

import pytest
import streamlit as st
from persiantools.jdatetime import JalaliDate

from etl.semantic import access, answers, disclosure
from etl.semantic.access import ScopedCursor
from etl.semantic.catalog import catalogue, described
from etl.semantic.rights import ADMINISTRATOR
from etl.warehouse import publications
from etl.warehouse.dimensions import FILTERS
from tests import loading
from tests.made import named
from ui.briefing import tables as briefing_tables
from ui.briefing import writing
from ui.charts import bars, titles
from ui.components import blocks, downloads, figures, page_files, tables
from ui.components import cards as components
from ui.data import page_run
from ui.data.ask import Ask, Kept, On, Question, Rounded
from ui.exhibits import coverage, register
from ui.exhibits.cards import headline
from ui.exhibits.exhibit import Card, Drawing, Exhibit
from ui.exhibits.figure import figure
from ui.exhibits.named import Made
from ui.exports.page_workbook import PageJob
from ui.i18n import member_names, text
from ui.sections import explore_rows
from ui.state import page_parameters
from ui.state.page_context import PageContext
from ui.state.scope import Scope
from ui.summary import changes

pytestmark = pytest.mark.slow

ROWS = [make for make in register.exhibits().values() if Exhibit in get_args(get_type_hints(make)["return"])]
SCOPES: dict[str, dict[str, list[str]]] = {
    "nation": {},
    "province": {"province": ["IR-23"]},
    "women": {"gender": ["female"]},
    "past": {"on": ["2025-09-22"]},
    "period": {"period": ["12"]},
}


@pytest.fixture(scope="module")
def con(small_register: Path) -> Iterator[ScopedCursor]:
    with access.connect(small_register, ADMINISTRATOR) as cursor:
        yield cursor


@pytest.fixture(scope="module")
def ask(con: ScopedCursor) -> Iterator[Ask]:
    """Each question is asked once for all tests, and each drawing made once."""
    yield Kept(On(con))
    drawings.cache_clear()


@pytest.fixture
def run(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a component asks goes to the register, without a page."""
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    with page_run.acting_as(ADMINISTRATOR), page_run.reading(str(publications.current(small_register))):
        yield


def scoped(ask: Ask, of: str, lang: str = "en") -> Scope:
    return of_query(ask, SCOPES[of], lang)


def of_query(ask: Ask, query: dict[str, list[str]], lang: str = "en") -> Scope:
    scope = Scope.from_query(
        query | {"lang": [lang]}, ask.publication.as_of, lambda name: member_names.fixed(name, "fa")
    )
    assert {*scope.where} == {*query} & {*FILTERS}, "the scope that was meant"
    return scope


@cache
def drawings(scope: Scope, ask: Ask) -> dict[str, Exhibit]:
    every = {address: named(address, scope).exhibit(ask) for address in register.exhibits()}
    return {address: exhibit for address, exhibit in every.items() if isinstance(exhibit.form, Drawing)}


def the_cards(scope: Scope, ask: Ask) -> Iterator[tuple[Exhibit, Card]]:
    assert ROWS
    for make in ROWS:
        found = make(scope, ask)
        assert isinstance(found, tuple)
        for exhibit in found:
            assert isinstance(exhibit.form, Card), exhibit
            yield exhibit, exhibit.form


# ---------------------------------------------------------------- pictures


def words_of(written: str) -> str:
    """Words in one line, without the marks of their direction."""
    return " ".join(re.sub("[\u2066-\u2069]", "", written.replace("<br>", " ")).split())


@pytest.mark.parametrize("circulates", [False, True], ids=["exact", "circulated"])
@pytest.mark.parametrize("of", ["nation", "women"])
def test_a_picture_has_every_note_of_its_exhibit(of: str, circulates: bool, ask: Ask) -> None:
    scope, seen = scoped(ask, of), set()
    for name, exhibit in drawings(scope, Rounded(ask) if circulates else ask).items():
        picture = downloads.picture_of(PageContext(scope), exhibit)
        meta = picture.figure["layout"]["meta"]
        notes = [*exhibit.own_notes, *exhibit.notes, *(meta[key] for key in ("credit", "boundaries") if key in meta)]
        written = downloads.on_paper(picture, exhibit.context())["layout"]["annotations"][-1]["text"]
        for note in notes:
            assert words_of(text.escape(note)) in words_of(written), name
        seen |= {*notes}
    assert len(seen) > 3
    assert of == "nation" or any(text.word("scope.gender", "en") in note for note in seen)


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from numbers(part)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield value


@pytest.mark.parametrize("of", ["nation", "province", "women"])
def test_the_nations_line_of_a_circulated_picture_is_the_rounded_one(of: str, con: ScopedCursor, ask: Ask) -> None:
    scope, seen = scoped(ask, of), set()
    circulated = drawings(scope, Rounded(ask))
    for name, exhibit in drawings(scope, ask).items():
        answer = exhibit.answer
        assert isinstance(exhibit.form, Drawing)
        assert answer
        line = dict(exhibit.form.options).get("nation")
        if not isinstance(line, (int, float, Decimal)) or name not in circulated:
            continue
        # The line of tested counties is that of their province.
        is_of_province = answer.by == ("county",) and "whole_value" in answer.columns
        beside = () if is_of_province else ("province", "county", "institute")
        where = {key: codes for key, codes in answer.where.items() if key not in beside}
        when = {"over": answer.over} if answer.metrics[0].kind == "event" else {"on": answer.on}
        whole = answers.ask(con, answer.measures[0], where=where, **when)
        exact = whole.value()
        rounded = disclosure.for_circulation(whole, lambda *names, **more: answers.ask(con, *names, **more)).value()

        def on_it(picture: Exhibit) -> list[float]:
            layout = downloads.on_paper(downloads.picture_of(PageContext(scope), picture), picture.context())["layout"]
            return [*numbers(layout["shapes"]), *numbers(layout["annotations"])]

        assert exact in on_it(exhibit), name
        if rounded is not None:
            assert rounded in on_it(circulated[name]), name
        if rounded != exact:
            assert exact not in on_it(circulated[name]), name
            seen.add(name)
    assert len(seen) > 1, "the rounded rate differs from the exact one"


@pytest.mark.parametrize("broken", ["plot", "paper", "keys"])
def test_a_chart_that_cannot_be_drawn_is_a_notice_and_says_no_more(
    broken: str, run: None, ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """On screen or on paper; the other parts of the page are shown as ever."""

    def fails(*_: Any, **__: Any) -> None:
        raise LookupError("a name of the register")

    said: list[str] = []
    monkeypatch.setattr(st, "html", lambda words, **_: said.append(words))
    monkeypatch.setattr(downloads if broken == "paper" else figures, broken, fails)
    scope = scoped(ask, "nation")
    send = figures.show(PageContext(scope), Made(named("training/by_place", scope), ask), "by_place", st.container())
    assert send
    send()
    assert text.escaped("state.error_title", "en") in said[-1]
    assert "of the register" not in "".join(said) + caplog.text
    assert "by_place: LookupError" in caplog.text


# ---------------------------------------------------------------- cards


@pytest.mark.parametrize("lang", text.LANGUAGES)
@pytest.mark.parametrize("of", ["nation", "province"])
def test_the_unit_of_a_card_is_that_of_its_measure(of: str, lang: str, ask: Ask) -> None:
    words = set()
    for exhibit, card in the_cards(scoped(ask, of, lang), ask):
        assert exhibit.answer
        metric = described(card.measure, exhibit.answer.metrics)
        assert metric
        value = exhibit.answer.value(card.measure)
        if card.value == "–" or metric.unit in text.NAMED_BY_LABEL:
            assert card.unit == "", exhibit.name
        else:
            assert f"{card.value} {card.unit}" == text.amount(value, metric.unit, lang), exhibit.name
            words.add(card.unit)
        shown = components.card("label", card.value, card.unit, "")
        assert f"<bdi>{text.escape(card.value)}</bdi> <small>{text.escape(card.unit)}</small>" in shown
    assert len(words) > 3


def test_a_card_for_circulation_names_the_rate_of_the_nation_that_circulates(ask: Ask) -> None:
    scope, name = of_query(ask, {"province": ["IR-10"]}), "coverage_per_10k"
    (card,) = (one.form for one in coverage.numbers(scope, Rounded(ask)) if one.name == name)
    assert isinstance(card, Card)
    said = " ".join(span.words for line in card.lines for span in line)
    exact, circulated = (
        f"({text.plain(way(Question((name,), on=scope.day)).value(), 'per_10k', 'en')})" for way in (ask, Rounded(ask))
    )
    assert exact != circulated
    assert exact not in said
    assert circulated in said


def a_year_before(day: date) -> date:
    jalali = JalaliDate(day)
    return JalaliDate(jalali.year - 1, jalali.month, jalali.day).to_gregorian()


def change_by_hand(con: ScopedCursor, name: str, answer: answers.Answer, lang: str) -> str:
    """The words of a change between two answers that are asked here."""
    metric, one = catalogue()[name], timedelta(days=1)
    if metric.kind == "event":
        assert answer.over
        first, last = answer.over
        when = [{"over": answer.over}, {"over": (a_year_before(first), a_year_before(last + one) - one)}]
    else:
        assert answer.on
        when = [{"on": answer.on}, {"on": a_year_before(answer.on)}]
    now, then = (answers.ask(con, name, where=answer.where, **question).value() for question in when)
    if now == then or not changes.is_visible(metric, now, then):
        return text.word("change.unchanged", lang)
    return text.word("change.line", lang, change=changes.signed(metric, now, then, lang))


@pytest.mark.parametrize("of", ["nation", "province", "past", "period"])
def test_the_change_of_a_card_is_that_between_its_number_and_the_one_of_a_year_before(
    of: str, con: ScopedCursor, ask: Ask
) -> None:
    unchanged, ending = text.word("change.unchanged", "en"), text.word("change.line", "en", change="")
    compared, changed = set(), set()
    for exhibit, card in the_cards(scoped(ask, of), ask):
        lines = ["".join(span.words for span in line) for line in card.lines]
        said = [line for line in lines if line == unchanged or ending.strip() in line]
        if said and exhibit.name in catalogue():
            assert exhibit.answer
            by_hand = change_by_hand(con, exhibit.name, exhibit.answer, "en")
            assert said[0].startswith(by_hand), exhibit.name
            compared.add(exhibit.name)
            changed |= {exhibit.name} if by_hand != unchanged else set()
    assert {"active_assistants", "training_compliance", "joiners", "licensed_institutes", "women_share"} <= compared
    assert len(changed) > 8


@pytest.mark.parametrize("name", ["active_assistants", "training_compliance", "licensed_institutes"])
def test_the_number_of_a_panel_has_its_own_unit_and_change(name: str, run: None, con: ScopedCursor, ask: Ask) -> None:
    scope = scoped(ask, "nation")
    found = headline(scope, ask, name)
    number, _, _ = components.headline_number(PageContext(scope), name, found)
    answer = found and found.numbers.now
    assert answer
    metric = answer.metrics[0]
    written = text.plain(answer.value(), metric.unit, "en")
    assert f"<bdi>{text.escape(written)}</bdi>" in number
    if metric.unit == "share":
        # Its parts are shown instead of a unit.
        assert text.number(answer.value(str(metric.denominator)), "en") in number
    else:
        assert f"<small>{text.unit_word(metric.unit, 'en', written)}</small>" in number
    assert text.escape(change_by_hand(con, name, answer, "en")) in number


# ---------------------------------------------------------------- names as text


@pytest.fixture(scope="module")
def marked_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """A register with an institute whose name is markup, and one without."""
    folder = tmp_path_factory.mktemp("marked") / "in"
    loading.put_good(folder)
    names = {"0001": "<b>x</b>", "0002": "نگهبان غرب"}
    loading.put(
        folder,
        "institutes.csv",
        [loading.row("institutes", institute_code=code, name=name) for code, name in names.items()],
    )
    licences = [
        loading.row("licences", application_no=f"L{code}", licence_no=code, institute_code=code) for code in names
    ]
    loading.put(folder, "licences.csv", licences)
    people = [
        loading.row(
            "personnel", national_id=loading.national_id(number), institute_code="0001" if number > 30 else "0002"
        )
        for number in range(1, 81)
    ]
    loading.put(folder, "personnel.csv", people)
    built = loading.build(folder)
    assert built.code == 0, built.err
    with access.connect(built.to, ADMINISTRATOR) as cursor:
        yield On(cursor)


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_a_name_in_a_title_is_text_on_screen_and_on_a_picture(lang: str, marked_up: Ask) -> None:
    scope = Scope(marked_up.publication.as_of, lang=lang)
    exhibit = figure(scope, marked_up, bars.ranking, "active_assistants", by="institute", says=titles.highest)
    assert "<b>x</b>" in exhibit.title.sentence
    picture = downloads.picture_of(PageContext(scope), exhibit)
    on_paper = downloads.on_paper(picture, exhibit.context())["layout"]["title"]["text"]
    heading = blocks.heading(exhibit.title.sentence, exhibit.title.sentence, "<i>more</i>")
    for markup in (heading, on_paper, components.card(exhibit.title.sentence, "<b>x</b>", "<b>x</b>", "")):
        assert "<b>x</b>" not in markup
        assert "&lt;b&gt;x&lt;/b&gt;" in markup
    assert "<i>more</i>" in heading, "what is HTML already is left as it is"


# ---------------------------------------------------------------- totals


@pytest.mark.parametrize(
    ("name", "by"), [("training_compliance", ("province", "gender")), ("active_assistants", ("province", "activity"))]
)
def test_the_totals_of_a_pivot_are_asked(
    name: str, by: tuple[str, ...], run: None, con: ScopedCursor, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[tuple[Any, ...]] = []
    monkeypatch.setattr(
        tables, "show", lambda _view, _ident, head, groups, *_, total, **__: shown.append((head, groups, total))
    )
    scope, unit = scoped(ask, "nation"), catalogue()[name].unit
    answer = ask(Question((name,), by, on=scope.day))
    selection = explore_rows.Selection((name,), by, scope.complete_months(12))
    explore_rows._pivot(PageContext(scope), selection, answer)
    ((head, groups, total),) = shown

    def asked(*axes: str) -> dict[Any, str]:
        found = answers.ask(con, name, by=axes, on=scope.day)
        return {row[: len(axes)]: text.plain(row[len(axes)], unit, "en") for row in found.rows}

    across, down, whole = asked(by[1]), asked(by[0]), asked()[()]
    members = [(column.name.partition(":")[2],) for column in head[1:-1]]
    assert len(members) > 1
    assert total == [text.word("more.total", "en"), *(across[member] for member in members), whole]
    assert [head[-1].cell(group) for group in groups] == [down[group] for group in groups]
    values = [value for value in answers.ask(con, name, by=by[1:], on=scope.day).column(name) if value is not None]
    if unit == "share":
        assert text.plain(sum(values), unit, "en") != whole, "their sum is another number"


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("place", ["IR", "IR-23"])
def test_the_whole_below_the_ranking_of_a_briefing_is_of_its_measure(
    place: str, exact: bool, small_register: Path, con: ScopedCursor
) -> None:
    where = {} if place == "IR" else {"province": (place,)}
    whole = answers.ask(con, "training_compliance", where=where)
    if not exact:
        whole = disclosure.for_circulation(whole, lambda *names, **more: answers.ask(con, *names, **more))
    with writing.press(small_register, ADMINISTRATOR) as press:
        ranking = briefing_tables.ranking(press.writer(place, "en", exact=exact))
    assert ranking
    shares = re.findall(r"(?:about )?[0-9.]+%", ranking["sub"])
    assert shares == [text.plain(whole.value(), "share", "en")]
    if ranking["total"]:
        assert ranking["total"]["value"] == shares[0]


# ---------------------------------------------------------------- the scope in words and in addresses


def test_the_workbook_of_a_page_names_the_scope_of_the_page(
    run: None, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[tuple[str, PageJob]] = []
    monkeypatch.setattr(downloads, "made_first", lambda _view, _ident, name, job, _details: jobs.append((name, job)))
    monkeypatch.setattr(st, "checkbox", lambda *_, **__: False)
    scope = of_query(ask, {"province": ["IR-10"], "gender": ["female"]})
    page_files._inside(PageContext(scope), "workforce")
    ((name, job),) = jobs
    assert re.sub("[\u2066-\u2069]", "", job.scope) == "Isfahan, Women"
    assert "Isfahan" in name
    assert "Women" in name


@pytest.mark.parametrize("name", FILTERS)
def test_an_address_keeps_every_filter(name: str, ask: Ask) -> None:
    """Read from an address, written to it, and in a link to another page."""
    members, latest = ("first", "second"), ask.publication.as_of
    scope = Scope.from_query({name: members}, latest, lambda _: members)
    assert scope.where == {name: members}
    assert scope.address() == {name: [*members]}
    link = page_parameters.address("training", "fa", scope.address())
    assert parse_qs(urlsplit(link).query)[name] == [*members]
    assert Scope.from_query(parse_qs(urlsplit(link).query), latest, lambda _: members) == scope


OF_TITLES = [
    {},
    *({"province": [code]} for code in sorted(member_names.fixed("province", "en"))),
    {"activity": ["guarding"]},
    {"activity": ["monitoring"]},
]


@pytest.mark.parametrize("query", OF_TITLES)
def test_the_title_for_circulation_names_only_who_stands_in_the_file(query: dict[str, list[str]], ask: Ask) -> None:
    """Totals of provinces are open, so that one with nobody is named there too."""
    scope = of_query(ask, query)
    for address in ("training/by_place", "coverage/by_place"):
        circulated = named(address, scope).exhibit(Rounded(ask))
        if isinstance(circulated.form, Drawing):
            assert circulated.answer
            untold = {*circulated.title.focus} - {row[0] for row in circulated.answer.rows}
            assert not untold or (not query and circulated.answer.by == ("province",)), (address, untold)
