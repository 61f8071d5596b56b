"""The numbers of one sentence are of the same people: those of a list, its filters and the provinces of the reader's rights."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from etl.analysis import analyses
from etl.semantic import access
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import ask
from etl.semantic.rights import ADMINISTRATOR, AccessScope, Grant, every_province
from tests.access.scopes import sign_in
from tests.parts import files_open, html, opened
from ui.briefing import writing
from ui.components import blocks
from ui.exhibits import needs_action
from ui.i18n import member_names, text

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def con(small_register: Path) -> Iterator[ScopedCursor]:
    with pytest.MonkeyPatch.context() as setting, access.connect(small_register, ADMINISTRATOR) as cursor:
        setting.setenv("WAREHOUSE", str(small_register))
        yield cursor


@pytest.fixture(scope="module")
def province(con: ScopedCursor) -> str:
    """The province in which most institutes have no valid licence, of those with counties without assistants."""
    lapsed = Counter(analyses.analyse(con, "lapsed").column("province"))
    return next(code for code, _ in lapsed.most_common() if counties(con, code)[0])


def counties(con: ScopedCursor, code: str) -> tuple[int, int]:
    """How many counties of a province have no active assistant, and how many it has, counted one by one."""
    where = {"province": (code,)}
    active = dict(ask(con, "active_assistants", by=("county",), where=where).rows)
    known = [row[0] for row in ask(con, "residents", by=("county",), where=where).rows if row[0] is not None]
    return sum(not active.get(county) for county in known), len(known)


def of(code: str) -> AccessScope:
    return AccessScope("officer", frozenset({Grant("province", frozenset({code}), False, True)}))


def shown(page: str, **view: str | list[str]) -> str:
    return html(opened(page, lang="en", **view))


def test_an_item_of_a_person_of_one_province_is_of_that_province_in_all_its_numbers(
    con: ScopedCursor, province: str, small_register: Path
) -> None:
    where = {"province": (province,)}
    people, everywhere = (ask(con, "lapsed_licence_service", where=place).value() for place in (where, {}))
    listed = len(analyses.analyse(con, "lapsed", where=where).rows)
    assert people != everywhere
    only = f"in {text.isolated(member_names.of('province', province, 'en'), 'en')} only · "
    with writing.press(small_register, of(province)) as press:
        for place in ("IR", province):
            write = press.writer(place, "en", exact=True)
            actions = {action.kind: action for action in needs_action.actions(write.scope, write.ask)}
            item = actions["lapsed"]
            assert item.count == listed
            assert f"({people} pe" in item.sentence
            assert item.about.startswith(only) == (place == "IR"), "a title that names the province says it"
            assert not actions["training_lapsing"].about.startswith(only), "totals are open"


def test_an_item_whose_list_ignores_a_filter_is_not_shown_under_it(con: ScopedCursor) -> None:
    assert '<li class="pd-action-lapsed">' in shown("overview")
    assert '<li class="pd-action-lapsed">' not in shown("overview", post="guard")


def test_counties_without_assistants_are_counted_where_they_are_named(
    con: ScopedCursor, province: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, of(province))
    page = shown("coverage")
    said = re.search(r"<summary>(\d+) of (\d+) counties.*?</summary>(.*?)<p>", page, re.S)
    assert said
    assert (int(said[1]), int(said[2])) == counties(con, province)
    assert len(said[3].split(", ")) == int(said[1])
    after = page[said.end() :].partition("pd-head")[0]
    assert text.escape(member_names.left_out(of(province).others, "en")) in after


def test_provinces_that_may_not_be_seen_are_not_called_empty(
    con: ScopedCursor, province: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = shown("coverage", gender="male")
    sign_in(monkeypatch, of(province))
    own = shown("coverage", gender="male")
    begin = text.word("population.with_none", "en", places="", whom=" (Men)")
    for page in (everybody, own):
        named = re.search(re.escape(begin) + "([^<]*)", page)
        empty = set(named[1].split(", ")) if named else set()
        males = dict(ask(con, "active_assistants", by=("province",), where={"gender": ("male",)}).rows)
        names = {member_names.of("province", code, "en") for code in every_province() if not males.get(code)}
        assert empty == (names if page is everybody else names & {member_names.of("province", province, "en")})


@pytest.mark.parametrize("dimension", ["county", "institute"])
def test_the_page_of_one_county_or_institute_says_nothing_of_the_others(dimension: str, con: ScopedCursor) -> None:
    code = next(row[0] for row in ask(con, "active_assistants", by=(dimension,)).rows if row[0] and row[1])
    nation, one = shown("coverage"), shown("coverage", **{dimension: code})
    for mark in ("no active police assistant", "Provinces without active assistants", 'class="pd-intro">Coverage'):
        assert mark not in one
    assert 'class="pd-intro">Coverage' in nation
    assert "no active police assistant" in nation
    first = shown("overview", **{dimension: code})
    sentence = r'class="pd-sentence">[^<]*Coverage is below half'
    assert re.search(sentence, shown("overview"))
    assert not re.search(sentence, first)
    assert "pd-action-level" not in first
    assert "Coverage per 10,000 residents · The whole country" not in one, "no figure is of the nation"
    assert text.escape(text.word("action.whole", "en", filters=text.word(f"scope.{dimension}", "en"))) in first


def test_explore_draws_no_map_of_others_beside_an_institute(con: ScopedCursor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "popover", files_open)
    code = next(row[0] for row in ask(con, "active_assistants", by=("institute",)).rows if row[0] and row[1])
    question = {"lang": "en", "m": "active_assistants", "by": "province"}
    nation, one = (opened("explore", **question, **where) for where in ({}, {"institute": code}))
    drawn = [
        "table-chart-map-active_assistants-province" in {button.key for button in app.button} for app in (nation, one)
    ]
    assert drawn == [True, False]


def test_counties_without_women_are_not_said_to_have_nobody(con: ScopedCursor) -> None:
    page = shown("coverage", gender="female")
    women = ask(con, "uncovered_counties", where={"gender": ("female",)}).value()
    assert women > ask(con, "uncovered_counties").value()
    said = re.search(r"<summary>([\d,]+) of [\d,]+ counties have no active police assistant(.*?)</summary>", page)
    assert said
    assert said[1] == text.number(women, "en")
    assert re.sub("[\u2066-\u2069]", "", said[2]).startswith(" (Women)")


def test_the_findings_of_two_provinces_are_said_of_the_chosen(con: ScopedCursor) -> None:
    rates = {row[0]: row[1] for row in ask(con, "coverage_per_10k", by=("province",)).rows if row[1] is not None}
    chosen = [min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)]
    page = shown("coverage", province=chosen)
    said = " ".join(words for words in re.findall(r'<p class="pd-intro">(.*?)</p>', page) if "overage" in words)
    named = {name for name in member_names.fixed("province", "en").values() if name in said}
    lowest, highest = (member_names.of("province", code, "en") for code in chosen)
    assert lowest in named
    assert named <= {lowest, highest}


def test_two_provinces_have_no_bridge_and_one_county_no_curve(
    con: ScopedCursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "popover", files_open)
    county = next(row[0] for row in ask(con, "active_assistants", by=("county",)).rows if row[0] and row[1])
    none: dict[tuple[str, str], dict[str, str | list[str]]] = {
        ("growth", "table-bridge"): {"province": ["IR-07", "IR-10"]},
        ("coverage", "table-lorenz"): {"county": county},
    }
    for (page, key), where in none.items():
        of_one, without = opened(page, lang="en", province="IR-07"), opened(page, lang="en", **where)
        assert [key in {button.key for button in app.button} for app in (of_one, without)] == [True, False]
        shown_without = html(without)
        assert text.word("state.refused_title", "en") not in shown_without
        assert page != "coverage" or "Gini" not in shown_without


@pytest.mark.parametrize("page", ["overview", "growth"])
def test_a_headline_says_which_provinces_it_leaves_out(
    page: str, con: ScopedCursor, province: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(monkeypatch, of(province))
    without = text.escape(member_names.left_out(of(province).others, "en"))
    nation, of_men = shown(page), shown(page, gender="male")
    verdict = r'class="pd-verdict">((?!</div>).)*</div>\s*<p class="pd-note">' + re.escape(without)
    assert re.search(verdict, of_men, re.S)
    assert not re.search(verdict, nation, re.S), "the nation as a whole is open"
    if page == "overview":
        panels = re.findall(r'<p class="pd-parts">(.*?)</p>', of_men)
        assert panels
        assert all(without in parts for parts in panels)
