"""The table of all pages: its sorting, paging and cells, and where its state is kept."""

import csv
import re
import shutil
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import duckdb
import pytest
import xlsxwriter
from streamlit.testing.v1 import AppTest

from etl.analysis import comparison, data_quality
from etl.build import pipeline
from etl.core.text_folding import latin_digits
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue, label_of
from etl.semantic.formulas import changes
from etl.semantic.rights import ADMINISTRATOR, AccessScope, Grant
from tests import made
from tests.parts import html, opened
from ui.charts import matrix, titles
from ui.charts.elements import ChartContext
from ui.components import day_field, footer, table_html, table_state, tables
from ui.components.downloads import Picture
from ui.components.tables import Column
from ui.data import page_run, warehouse
from ui.data.ask import Ask, Question, frozen
from ui.exhibits import compare, lists
from ui.exhibits.compare import Sides
from ui.i18n import text
from ui.state import address, page_context, questions
from ui.state.page_context import PageContext
from ui.state.scope import SIMILAR, Scope

SAMPLE = Path(__file__).parents[1] / "sample"
ROWS = [("a", 3), ("b", None), ("c", 10), ("d", 0)]
COLUMNS = [
    Column("name", "Name", lambda row: f"<b>{row[0]}</b>", lambda row: row[0]),
    Column("count", "Count <&>", lambda row: str(row[1]), lambda row: row[1], is_number=True, has_bar=True),
]


def body(rows: list[tuple], sort: str = "") -> str:
    return table_html.html(COLUMNS, rows, rows, 'A "caption"', sort, ())


@pytest.mark.parametrize(("sort", "expected"), [("count", "dacb"), ("-count", "cadb"), ("-name", "dcba")])
def test_rows_are_sorted_and_what_is_unknown_comes_last_either_way(sort: str, expected: str) -> None:
    assert "".join(row[0] for row in tables.sorted_by(COLUMNS, ROWS, sort)) == expected


@pytest.mark.parametrize(("pressed", "expected"), [("", "abc"), ("-count", "abc"), ("count", "cab")])
def test_a_table_is_sorted_by_its_first_order_which_equal_cells_keep(
    pressed: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(tables, "component", lambda _: lambda **__: None)
    monkeypatch.setattr(tables, "st", SimpleNamespace(container=lambda **_: nullcontext(), html=shown.append))
    store = SimpleNamespace(read=lambda: table_state.TableState(pressed))
    rows = [("b", 1), ("a", 1), ("c", 0)]
    tables.show(None, "x", COLUMNS, rows, "", "name", store)  # type: ignore[arg-type]
    assert "".join(re.findall("<b>(.)</b>", shown[0])) == expected


def test_a_heading_is_a_button_that_says_how_the_rows_stand() -> None:
    table = body(ROWS, "-count")
    assert 'aria-sort="descending"><button type="button" data-sort="count">Count &lt;&amp;&gt;' in table
    assert 'aria-sort="none"><button type="button" data-sort="name">' in table
    assert "<button" not in body(ROWS[:1]), "one row cannot be sorted"


def test_a_bar_is_as_long_as_its_number_is_of_the_longest_and_numbers_below_zero_have_none() -> None:
    assert re.findall(r"--bar:([\d.]+)%", body(ROWS)) == ["30.0", "100.0", "0.0"]
    assert "--bar" not in body([*ROWS, ("e", -1)])
    assert "--bar" not in body(ROWS[:2]), "two numbers need no bars"
    assert "--bar" not in body([(name, 7) for name in "abcd"]), "bars of one length say nothing"


def test_a_click_on_a_heading_reverses_the_order_and_returns_to_the_first_page(monkeypatch: pytest.MonkeyPatch) -> None:
    class Kept:
        state = table_state.TableState("", 3)

        def read(self) -> table_state.TableState:
            return self.state

        def write(self, state: table_state.TableState) -> None:
            self.state = state

    store = Kept()
    states = []
    for name in ("count", "count", "name", "name", "evil"):
        monkeypatch.setattr(tables.st, "session_state", {"key": {"sort": name}})
        tables._press(store, COLUMNS, "-count", "key")
        states.append((store.state.sort, store.state.page))
    store.state = table_state.TableState()
    monkeypatch.setattr(tables.st, "session_state", {"key": {"sort": "count"}})
    tables._press(store, COLUMNS, "", "key")
    assert store.state.sort == "-count", "numbers are sorted in descending order first"
    # the initial order is descending
    assert states == [("count", 1), ("", 1), ("name", 1), ("-name", 1), ("-name", 1)]


@pytest.mark.parametrize("value", ["register:-active_assistants:2", "lapsed::all", "stopped:status_since:1"])
def test_the_address_holds_the_order_and_page_of_a_list(value: str) -> None:
    assert address._LISTS([value, value], None) == [value]  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["register", "register:x:0", "register:x:-1", "a:<b>:1", "a:b:1:2", "a:b:9999999"])
def test_invalid_values_of_a_list_in_the_address_are_ignored(value: str) -> None:
    assert address._LISTS([value], None) == []  # type: ignore[arg-type]


def test_a_table_stands_as_the_bars_of_its_chart_and_a_map_by_its_values() -> None:
    answer = made.by_province()
    codes = [row[0] for row in answer.rows][::-1]
    bars = {"data": [{"type": "bar", "orientation": "h", "customdata": codes}], "layout": {}}
    rows, start = footer._as_drawn(answer, Picture(bars, "", "", ""))
    assert ([row[0] for row in rows], start) == (codes, "")
    _, start = footer._as_drawn(answer, Picture({"data": [{"type": "choropleth"}], "layout": {}}, "", "", ""))
    assert start == answer.metrics[0].name, "of a rate the worst first"
    counts = made.answer("active_assistants", by=("county",), rows=[("a", 3), ("b", 2)])
    assert footer._as_drawn(counts, None)[1] == "-active_assistants"


def test_a_table_goes_on_in_the_order_of_a_ranking_that_is_cut_and_of_its_map() -> None:
    by_code = [
        ("IR-00", 0.80, 800, 1000, "none"),
        ("IR-01", 0.95, 950, 1000, "higher"),
        ("IR-02", 0.82, 820, 1000, "lower"),
        ("IR-03", 0.10, 1, 10, "untested"),
        ("IR-04", 0.75, 750, 1000, "lower"),
        ("IR-05", None, None, None, "untested"),
    ]
    tested = made.answer(
        "training_compliance",
        by=("province",),
        rows=by_code,
        more=("trained_assistants", "trainable_assistants", "side"),
    )
    ranked = ["IR-03", "IR-04", "IR-00", "IR-02", "IR-01", "IR-05"]
    for trace in ({"orientation": "h", "customdata": ["IR-03", "IR-04"]}, {"type": "choropleth"}):
        rows, start = footer._as_drawn(tested, Picture({"data": [trace], "layout": {}}, "", "", ""))
        assert ([row[0] for row in rows], start) == (ranked, "")


def test_members_across_time_stand_as_the_last_month_has_them_and_time_as_it_runs() -> None:
    rows = [("1403-02", "x", 9), ("1403-01", "x", 1), ("1403-02", "y", 10), ("1403-01", "y", 0), ("1403-01", "z", 99)]
    answer = made.answer("active_assistants", by=("month", "province"), rows=rows)
    assert matrix.in_order(answer, 0, 2) == ["1403-01", "1403-02"]
    assert matrix.in_order(answer, 1, 2) == ["y", "x", "z"]


def test_a_list_is_narrowed_by_the_days_that_are_left() -> None:
    rows = [("a", "1-30", 1), ("b", "31-60", 1), ("c", "61-90", 1)]
    answer = made.answer("active_assistants", by=("institute", "span"), rows=rows)
    assert [[row[0] for row in lists.ending_within(answer, days).rows] for days in (30, 60, 90)] == [
        ["a"],
        ["a", "b"],
        ["a", "b", "c"],
    ]


@pytest.mark.parametrize("value", ["۳۱ شهریور ۱۴۰۳", "31 Shahrivar 1403", "۳۱ شهريور، ۱۴۰۳", "۱۴۰۳/۶/۳۱", "31-6-1403"])
def test_a_day_is_read_with_the_name_of_its_month(value: str) -> None:
    assert day_field.read(value) == date(2024, 9, 21)


@pytest.mark.parametrize("value", ["۳۲ شهریور ۱۴۰۳", "شهریور ۱۴۰۳", "۱ نامه ۱۴۰۳", "31 6", ""])
def test_an_invalid_day_is_not_read(value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        day_field.read(value)


@pytest.mark.slow
def test_two_places_are_compared_on_one_day_and_one_place_with_the_year_before(published: Path) -> None:
    def days(app: AppTest) -> tuple[str, ...]:
        return tuple(app.text_input(key=f"typed compare-{side}").value for side in "ab")

    first, second = days(opened("compare", province="IR-23"))
    assert first == second
    first, second = days(opened("compare"))
    assert first < second


@pytest.mark.parametrize(
    ("name", "side", "verdict"),
    [
        ("training_compliance", "higher", "better"),
        ("training_compliance", "lower", "worse"),
        ("leaver_rate_12m", "higher", "worse"),
        ("training_compliance", "none", ""),
        ("training_compliance", "untested", ""),
        ("women_share", "higher", ""),
        ("active_assistants", "higher", ""),
    ],
)
def test_only_a_rate_that_differs_beyond_chance_is_better_or_worse(
    name: str,
    side: str,
    verdict: str,
    published: Path,
) -> None:
    asked: list[tuple[str, object]] = []
    on, settled = date(2024, 9, 21), questions.settled_on(warehouse.of_page(), name, date(2024, 9, 21))

    class Told:
        def __call__(self, question: Question) -> SimpleNamespace:
            asked.append((question.analysis, dict(question.options)["than"]))
            return SimpleNamespace(value=lambda _: side)

        def look_up(self, *_: object) -> date | None:
            return settled

        @property
        def exactly(self) -> "Told":
            return self

    told, sides = cast(Ask, Told()), Sides(("IR-23", "IR"), (on, on))
    assert compare._verdict(told, sides, catalogue()[name], ()) == verdict
    for other in (Sides(("IR-23", "IR"), (date(2024, 3, 20), on)), Sides(("IR-23", SIMILAR), (on, on))):
        assert compare._verdict(told, other, catalogue()[name], ()) == "", "both differ, or a median of provinces"
    first = comparison.Side(settled or on, frozen({"province": ("IR-23",)}))
    assert asked == ([] if name == "active_assistants" else [("differs", first)])


@pytest.mark.parametrize(("before", "is_asked"), [(0.795, False), (0.79, True), (0.75, True)])
def test_a_change_too_small_to_be_named_is_not_tested(before: float, is_asked: bool) -> None:
    asked: list[str] = []

    class Tested:
        def __call__(self, question: Question) -> SimpleNamespace:
            asked.append(question.analysis)
            return SimpleNamespace(value=lambda _: "higher")

        @property
        def exactly(self) -> "Tested":
            return self

    now, then = (made.answer("training_compliance", rows=[(value,)]) for value in (0.8, before))
    assert questions.side(cast(Ask, Tested()), now, then) == ("higher" if is_asked else "")
    assert bool(asked) is is_asked


@pytest.mark.slow
def test_the_progress_of_a_place_without_a_target_of_its_own_is_not_compared(published: Path) -> None:
    named = catalogue()["target_progress"].label["fa"]
    on = page_run.publication().as_of
    provinces = [row[0] for row in warehouse.ask("active_assistants", by=("province",), on=on).rows]
    without = next(p for p in provinces if warehouse.ask("own_target", on=on, where={"province": (p,)}).value() is None)
    assert f">{named}<" in html(opened("compare"))
    assert f">{named}<" not in html(opened("compare", p=without, q="IR"))


@pytest.mark.slow
def test_the_scope_of_a_comparison_is_said_to_be_that_of_each_side(published: Path) -> None:
    said = text.word("compare.own_scope", "fa")
    assert said in html(opened("compare", p="IR-23", q="IR"))
    assert said not in html(opened("explore"))


@pytest.mark.slow
def test_the_sides_of_a_comparison_are_of_no_county_and_name_the_filters_of_both(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    county = next(iter(warehouse.names("county", "en")))
    page = html(opened("compare", lang="en", county=county))
    assert "Showing: The whole country</span>" in page, "so are both sides"
    assert text.word("scope.no_effect", "en", filters=text.word("scope.county", "en")) in page
    with monkeypatch.context() as patched:
        patched.setattr(page_context, "part", lambda: "compare")
        day = page_run.publication().as_of
        view = PageContext(Scope(day, (("county", (county,)),), lang="en"))
        assert page_context.scope_in_words(view) == "The whole country", "on the cover of the workbook too"
    women = html(opened("compare", lang="en", p="IR-23", q="IR", gender="female"))
    below = re.findall(r"</h3><p>(.*?)</p>", women)
    sides = [line for line in below if "Tehran" in line and "The whole country" in line]
    assert len(sides) == 2, "the table and the lines"
    for line in sides:
        assert line.split(" · ").count("Women") == 1, "the filters alone, and on the lines too"


RATES = ("training_compliance", "leaver_rate_12m", "early_attrition", "smart_service_share")


def compared(verdicts: list[str], rows: dict[str, tuple[Any, ...]]) -> Answer:
    """An answer with a rate for each verdict; a single number of people for one."""
    names = RATES[: len(verdicts)] if len(verdicts) > 1 else ("active_assistants",)
    return made.answer(*names, by=("side",), rows=[(row[0], *row[1:] * len(names)) for row in rows.values()])


@pytest.mark.parametrize(
    ("verdicts", "tested", "fa", "en"),
    [
        (
            ["", "better", "worse", "better"],
            4,
            "تهران نسبت به سمنان: ۲ نرخ بهتر، یک نرخ بدتر",
            "Tehran compared with Semnan: better on 2 rates, worse on 1",
        ),
        (
            ["better", "", ""],
            2,
            "تهران نسبت به سمنان: بهتر در پایبندی آموزشی",
            "Tehran compared with Semnan: better on training compliance",
        ),
        (
            ["worse", "worse"],
            2,
            "نسبت به سمنان: بدتر در پایبندی آموزشی و نرخ ترک خدمت ۱۲\u200cماهه",
            "Tehran compared with Semnan: worse on training compliance and 12-month leaver rate",
        ),
        (
            ["worse", "worse", "worse"],
            3,
            "تهران نسبت به سمنان: هر ۳ نرخ بدتر",
            "Tehran compared with Semnan: worse on all 3 rates",
        ),
        (
            ["worse", "worse", "worse", ""],
            4,
            "تهران نسبت به سمنان: ۳ نرخ بدتر",
            "Tehran compared with Semnan: worse on 3 rates",
        ),
        (["", ""], 1, "سمنان و تهران: ۲ شاخص", "Semnan and Tehran: 2 measures"),
        (["", ""], 0, "سمنان و تهران: ۲ شاخص", "Semnan and Tehran: 2 measures"),
        (
            ["better"],
            1,
            "پلیس‌یاران فعال: ۱۰ ← ۱۲ (\u2066+۲\u2069 نفر)",
            "Active police assistants: 10 → 12 (+2 people)",
        ),
    ],
)
def test_the_title_of_a_comparison_tells_of_the_rates_that_differ(
    verdicts: list[str], tested: int, fa: str, en: str
) -> None:
    rows = {side: (side, value) for side, value in (("first", 10), ("second", 12), ("difference", 2))}
    answer = compared(verdicts, rows)
    for lang, title in (("fa", fa), ("en", en)):
        chosen = Sides(("IR-20", "IR-23"), (date(2026, 11, 28),) * 2)
        sentence = compare._finding(answer, {}, verdicts, tested, chosen, lang)
        assert sentence == title
        assert len(sentence.split()) <= titles.MOST_WORDS


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_the_title_of_a_comparison_is_short_with_the_longest_names_too(lang: str) -> None:
    rows = {side: (side, 0.5) for side in ("first", "second", "difference")}
    days = date(2026, 3, 20), date(2026, 11, 28)
    for chosen in (Sides(("IR-14", "IR-17"), (days[1],) * 2), Sides(("IR-14", "IR-17"), days)):
        places, dated = (
            (compare.named(place, lang) for place in chosen.places),
            (text.day(day, lang) for day in chosen.days),
        )
        pairs = (text.listed(side, lang) for side in zip(places, dated, strict=True))
        titled = dict(zip(compare.SIDES, pairs, strict=True))
        for verdicts in (["", ""], ["better", ""], ["worse", ""], ["better", "worse"]):
            sentence = compare._finding(compared(verdicts, rows), titled, verdicts, len(verdicts), chosen, lang)
            assert len(sentence.split()) <= titles.MOST_WORDS, sentence


def test_the_meaning_of_a_number_leads_to_method_and_revisions_under_the_scope(
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words: list[str] = []
    monkeypatch.setattr(footer.st, "html", words.append)
    monkeypatch.setattr(footer.st, "code", lambda *_, **__: None)
    scope = Scope(date(2024, 9, 21), (("province", ("IR-23",)),), lang="en")
    view = PageContext(scope)
    monkeypatch.setattr(footer.following, "offer", lambda *_: None)
    footer._meaning(view, warehouse.ask("active_assistants", on=view.as_of, where=scope.where), "card", None)
    links = re.findall(r'href="(.*?)"', words[0])
    assert links == [
        "methods?province=IR-23&amp;lang=en#active_assistants",
        "quality?province=IR-23&amp;of=active_assistants&amp;lang=en",
        "quality?tab=approve&amp;note=active_assistants&amp;of=IR-23&amp;at=1403-06&amp;lang=en",
    ]


@pytest.mark.parametrize(
    ("name", "is_said"), [("time_to_licence_median", True), ("overdue_files", True), ("applications", False)]
)
def test_the_meaning_of_working_days_says_to_which_day_the_calendar_is_confirmed(
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    is_said: bool,
) -> None:
    words: list[str] = []
    monkeypatch.setattr(footer.st, "html", words.append)
    monkeypatch.setattr(footer.st, "code", lambda *_, **__: None)
    view = PageContext(Scope(date(2024, 9, 21), lang="en"))
    monkeypatch.setattr(footer.following, "offer", lambda *_: None)
    footer._meaning(view, warehouse.ask(name), "card", None)
    sentence = text.escaped("figure.calendar", "en", day=text.day(date(2027, 4, 2), "en"))
    assert (sentence in words[0]) is is_said


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["fa", "en"])
def test_a_changed_definition_states_the_number_by_both_rules(lang: str, published: Path) -> None:
    page = html(opened("methods", lang=lang))
    label = label_of("time_to_licence_median", lang)
    now, before = (text.amount(days, "working_days", lang) for days in (17.0, 19.5))
    assert text.escaped("methods.both_values", lang, measure=label, now=now, before=before) in page
    change = next(change for change in changes() if "trained_assistants" in change.metrics)
    labels = text.listed([label_of(name, lang) for name in change.metrics], lang)
    assert text.escape(f"{labels}: {change.words[lang]}") in page, "what a change is about stands first"


@pytest.mark.slow
def test_changes_between_publications_are_listed_by_province_reason_and_file(tmp_path: Path) -> None:
    incoming, pointer = tmp_path / "incoming", tmp_path / "warehouse.duckdb"
    shutil.copytree(SAMPLE, incoming)
    read = {
        table: list(csv.reader((incoming / f"{table}.csv").open(encoding="utf-8")))
        for table in ("personnel", "training")
    }
    for table in read:
        (incoming / f"{table}.csv").unlink()
    for left_out in (0, 5):
        # A book of two tables, of which one changes.
        del read["personnel"][1 : 1 + left_out]
        with xlsxwriter.Workbook(str(incoming / "personnel.xlsx")) as book:
            for table, rows in read.items():
                sheet = book.add_worksheet(table)
                for at, cells in enumerate(rows):
                    sheet.write_row(at, 0, cells)
        options = pipeline.BuildOptions(incoming, pointer, date(2024, 9, 21), skip_refused=True)
        pipeline.build(options, lambda _: None, lambda *_: None)
    con = ScopedCursor(duckdb.connect(), ADMINISTRATOR)
    revision = data_quality.last_revision(con, pointer)
    assert revision
    assert any(change.province and "removed_rows" in change.causes for change in revision.moved)
    of_personnel, of_training = data_quality.changed_files(con, pointer)
    assert [of_personnel[name] for name in ("file", "source")] == ["personnel.xlsx", "personnel"]
    assert of_personnel["after"] < of_personnel["before"]
    assert of_training["source"] == "training", "courses of the people left out are rejected"
    assert data_quality.last_revision(con, tmp_path / "none.duckdb") is None
    # A user of another province sees the nation and their own province, and no file of others.
    moved = {change.province for change in revision.moved if change.province}
    other = next(code for code in ("IR-23", "IR-10", "IR-30") if code != of_personnel["province"])
    scope = AccessScope("officer", frozenset({Grant("province", frozenset({other}), False, False)}))
    own = ScopedCursor(duckdb.connect(), scope)
    revision_shown = data_quality.last_revision(own, pointer)
    assert revision_shown
    assert {change.province for change in revision_shown.moved} <= {None, other}
    assert moved - {other}
    assert {row["province"] for row in data_quality.changed_files(own, pointer)} <= {other}


def test_without_sign_in_the_foot_of_the_page_says_so(published: Path) -> None:
    assert text.word("sign_in.open_mode", "fa") in html(opened("quality")).partition("pd-trust")[2]


def test_provinces_that_have_been_silent_for_long_are_counted(
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    days = warehouse.analyse(data_quality.provinces).column("days_silent")
    longest = max(filter(None, days))
    monkeypatch.setattr(data_quality, "MOST_DAYS_SILENT", longest - 1)
    numbers = {"count": text.number(days.count(longest), "fa"), "days": text.number(longest - 1, "fa")}
    page, _, foot = html(opened("quality")).rpartition("pd-trust")
    assert text.word("trust.silent", "fa", **numbers) in page
    assert text.word("trust.silent", "fa", **numbers) in foot, "at the foot of every page"


def test_names_stand_in_the_order_of_the_alphabet() -> None:
    answer = made.answer("active_assistants", by=("province",), rows=[("IR-23", 1), ("IR-03", 2), (None, 3)])
    rows = made.in_order(answer, ChartContext("fa"), "province")
    assert [row[0] for row in rows] == ["IR-03", "IR-23", None]


def test_a_day_that_moved_has_moved_by_days() -> None:
    assert compare.signed(date(2030, 2, 5), date(2030, 1, 2), "date", "en") == f"+34 {text.unit_word('days', 'en')}"


@pytest.mark.parametrize("lang", ["fa", "en"])
def test_a_list_longer_than_its_last_button_shows_says_where_the_rest_is(
    lang: str,
    published: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tables, "PAGE_ROWS", 10)
    monkeypatch.setattr(tables, "MOST_ROWS", 20)
    app = opened("explore", by=["institute", "month"], page="all", **({"lang": "en"} if lang == "en" else {}))
    page = "\n".join(element.proto.body for element in app.get("html"))
    status = re.search(r'role="status">([^<]*)<span class="pd-on-paper">([^<]*)</span>', page)
    assert status
    rows = page.rpartition("<tbody>")[2].count("<tr>")
    count = int(re.findall("[0-9]+", re.sub("[,٬]", "", latin_digits(status[1])))[2])
    numbers = {"first": 1, "last": rows, "count": count}
    assert rows == 20 < count
    by = re.search(r'aria-sort="(?:a|de)scending"><button[^>]*>([^<]*)<', page)
    assert by
    words = {key: text.number(number, lang) for key, number in numbers.items()}
    assert status[1] == text.word("more.page_sorted", lang, by=by[1], **words)
    assert status[2] == text.word("more.rest_in_file", lang)


@pytest.mark.parametrize(("count", "is_unfolded", "is_cut"), [(31, False, False), (32, False, True), (32, True, False)])
def test_paper_has_a_short_table_whole_and_a_long_list_as_the_screen_shows_it(
    count: int, is_unfolded: bool, is_cut: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    state = {"all rows x": is_unfolded}
    fake = SimpleNamespace(
        container=lambda **_: nullcontext(), html=shown.append, session_state=state, button=lambda *_, **__: None
    )
    monkeypatch.setattr(tables, "component", lambda _: lambda **__: None)
    monkeypatch.setattr(tables, "st", fake)
    view = PageContext(Scope(date(2026, 1, 1), lang="en"))
    store = SimpleNamespace(read=lambda: table_state.TableState(""))
    tables.show(view, "x", COLUMNS, [(f"{i}", i) for i in range(count)], "", "name", store, is_short=True)  # type: ignore[arg-type]
    assert shown[0].count("<tr>") == count + 1, "the style sheet hides the others"
    assert ('class="pd-long"' in shown[0]) == is_cut
    words = text.escape(text.word("more.first_printed", "en", first="5", count=text.number(count, "en")))
    assert (words in shown[0]) == is_cut


@pytest.mark.parametrize(("count", "number"), [(0, 1), (200, 1), (202, 1), (399, 1), (400, 2), (599, 2), (600, 3)])
def test_no_page_has_but_a_few_rows(count: int, number: int) -> None:
    assert tables.pages(count) == number
    assert [row for page in range(number) for row in tables.page_of(range(count), page + 1)] == list(range(count))


def test_shares_of_few_people_are_pale_and_stand_below() -> None:
    rows = [("1", 0.5, 50, 100), ("2", 1.0, 4, 4)]
    metric = catalogue()["training_compliance"]
    answer = made.answer(
        metric.name, by=("institute",), more=(str(metric.numerator), str(metric.denominator)), rows=rows
    )
    columns = [Column(metric.name, "", lambda row: text.percent(row[1], "en"), lambda row: row[1], True, True)]
    (column,) = tables.paled(columns, answer)
    assert [column.cell(row) for row in rows] == ["50.0%", "<small>100.0%</small>"]
    assert tables.sorted_by([column], rows, f"-{metric.name}") == rows, "the share of four people is not the highest"


def test_a_list_marks_the_column_that_it_is_sorted_by() -> None:
    assert tables.order_of(COLUMNS, ROWS) == "name"
    assert tables.order_of(COLUMNS[1:], [("b", 9), ("c", 3), ("a", 3), ("d", None)]) == "-count"
    assert tables.order_of(COLUMNS[1:], ROWS) == ""
    assert tables.order_of(COLUMNS[1:], [("b", 9), ("c", 9)]) == "", "equal cells have no order"
