"""events.csv is loaded and checked like targets; events are numbered marks on trends; dated targets draw a path."""

from datetime import date

import pytest

from etl.analysis import announcements, growth
from etl.semantic import access
from etl.semantic.disclosure import for_circulation
from etl.semantic.rights import ADMINISTRATOR, AccessScope, Grant
from tests import loading, made
from ui.charts import lines, marks
from ui.charts.elements import ChartContext
from ui.components import downloads, footer
from ui.components.downloads import Picture
from ui.i18n import text
from ui.state.page_context import PageContext
from ui.state.scope import Scope

pytestmark = pytest.mark.slow

HEAD = "date,province,title_fa,title_en,kind,source\n"
FA, EN = ChartContext("fa"), ChartContext("en")


@pytest.fixture
def folder(tmp_path):
    return loading.put_good(tmp_path / "in")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("1404/13/01,,ع,t,decree,s", "line 2, date: bad_date"),
        ("1404/01/01,nowhere,ع,t,decree,s", "line 2, province: unknown_province"),
        ("1404/01/01,,,t,decree,s", "line 2, title_fa: missing_value"),
        ("1404/01/01,,ع,,decree,s", "line 2, title_en: missing_value"),
        ("1404/01/01,,ع,t,party,s", "line 2, kind: unknown_value"),
        ("1404/01/01,,ع,t,decree,", "line 2, source: missing_value"),
        (f"1404/01/01,,ع,{'t' * 121},decree,s", "line 2, title_en: longer than 120 characters"),
        ("1404/01/01,,ع,t,decree,s\n2025-03-21,,ع,u,strike,s", "line 3, date: the same as in line 2"),
        ("1404/01/01,,ع,t,decree", "line 2: ragged_row"),
    ],
)
def test_events_that_cannot_be_used_refuse_the_build(folder, row, fault):
    loading.put(folder, "events.csv", f"{HEAD}{row}\n")
    assert loading.build(folder).refusal.startswith(f"events.csv, {fault}; ")


def test_events_of_a_province_and_the_nation_are_listed_up_to_the_day(pointer):
    with access.connect(pointer, ADMINISTRATOR) as con:
        everywhere = announcements.events(con)
        own = announcements.events(con, where={"province": ("IR-11",)})
        before = announcements.events(con, on=date(2025, 12, 31))
    rows = [(row["event_month"], row["event_province"], row["event_kind"]) for row in everywhere.records()]
    assert rows == [("1404-03", None, "register"), ("1404-11", "IR-11", "campaign"), ("1405-01", "IR-23", "strike")]
    assert own.column("event_province") == [None, "IR-11"]
    assert len(before.rows) == 1


def test_a_reader_of_one_province_sees_national_events_too(pointer):
    reader = AccessScope("r", frozenset({Grant("province", frozenset({"IR-11"}), False, False)}))
    with access.connect(pointer, reader) as con:
        assert announcements.events(con, where={"province": ("IR-11",)}).column("event_province") == [None, "IR-11"]


def test_an_installation_without_events_has_none(folder):
    with access.connect(loading.build(folder).to, ADMINISTRATOR) as con:
        assert announcements.events(con).rows == []


def events_answer(pointer):
    with access.connect(pointer, ADMINISTRATOR) as con:
        return announcements.events(con)


def test_a_trend_numbers_its_events_and_lists_them(pointer):
    chart_events = marks.events(events_answer(pointer), FA)
    plain = lines.trend(made.by_month(), FA)
    figure = lines.trend(made.by_month(), FA, events=chart_events)
    labels = [row[0] for row in made.by_month().rows]
    numbers = [note for note in figure["layout"]["annotations"] if note["yref"] == "paper" and note["x"] in (2, 10, 12)]
    assert [labels[note["x"]] for note in numbers] == ["1404-03", "1404-11", "1405-01"]
    assert [any(digit in note["text"] for digit in "۱۲۳") for note in numbers] == [True] * 3
    assert len(figure["layout"]["shapes"]) == len(plain["layout"].get("shapes", [])) + 3
    assert figure["layout"]["meta"]["events"] == [event.words for event in chart_events]
    listing = marks.listed(figure["layout"]["meta"]["events"], FA)
    assert listing.count("<li>") == 3
    assert 'tabindex="0"' in listing


def test_the_table_of_a_trend_names_each_event_beside_its_month(pointer):
    answer, chart_events = made.by_month(), marks.events(events_answer(pointer), FA)
    picture = Picture(lines.trend(answer, FA, events=chart_events), "", "", "")
    view = PageContext(Scope(answer.over[1]))
    (column,) = footer._events(view, answer, picture)
    cells = {row[0]: column.cell(row) for row in answer.rows if column.cell(row)}
    expected = {
        mark.label: f"{text.digits(mark.number, 'fa')}. {text.escape(mark.words)}"
        for mark in marks.of(chart_events, answer.column("month"))
    }
    assert expected
    assert cells == expected
    assert footer._events(view, answer, Picture(lines.trend(answer, FA), "", "", "")) == []


@pytest.mark.parametrize("context", [FA, EN], ids=["fa", "en"])
def test_a_picture_carries_the_events_of_its_chart_in_words(pointer, context):
    chart_events = marks.events(events_answer(pointer), context)
    below = []
    for events_shown in ((), chart_events):
        figure = lines.trend(made.by_month(), context, events=events_shown)
        on_paper = downloads.on_paper(downloads.Picture(figure, "title", "sub", "source"), context)
        below.append((on_paper["layout"]["height"], on_paper["layout"]["annotations"][-1]["text"]))
    assert below[1][0] - below[0][0] > 3 * 10
    assert [event.words in below[1][1] for event in chart_events] == [True] * 3
    assert below[1][1].count("<br>") == 3
    assert "<br>" not in below[0][1]


def test_events_outside_of_a_chart_are_not_on_it(pointer):
    chart_events = [marks.Event(date(2001, 1, 1), "old"), marks.Event(date(2025, 6, 10), "in")]
    figure = lines.trend(made.by_month(), EN, events=chart_events)
    assert figure["layout"]["meta"]["events"] == ["in"]


def test_a_title_is_never_markup():
    assert "<b>" not in marks.listed(["<b>x</b>"], EN)


def test_dated_targets_draw_a_straight_path_and_the_gap_is_active_minus_path(pointer):
    with access.connect(pointer, ADMINISTRATOR) as con:
        answer = growth.target_path(con)
        own = growth.target_path(con, where={"province": ("IR-11",)})
    rows = {row["month"]: row for row in answer.records()}
    start, end = date(2024, 3, 20), date(2028, 3, 20)
    last = date(2026, 5, 21)
    expected = 1000 + 800 * (last - start).days / (end - start).days
    assert rows["1405-02"]["planned"] == pytest.approx(expected)
    assert rows["1405-02"]["planned_gap"] == pytest.approx(rows["1405-02"]["active_assistants"] - expected)
    assert answer.rows[-1][0] == "1407-01"
    assert answer.rows[-1][2:] == (1800.0, None)
    assert own.rows == []


def test_the_circulated_gap_reveals_no_more_than_its_count(pointer):
    with access.connect(pointer, ADMINISTRATOR) as con:
        answer = for_circulation(growth.target_path(con))
    rows = [row for row in answer.records() if row["planned_gap"] is not None]
    assert rows
    assert all(row["active_assistants"] % 5 == 0 for row in rows)
    assert all(row["planned_gap"] == pytest.approx(row["active_assistants"] - row["planned"], abs=0.51) for row in rows)
