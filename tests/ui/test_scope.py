"""The scope of a page: options of filters, the period, a typed day, names in sentences, filters without effect, Reset."""

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from etl.analysis import analyses
from etl.core.errors import QuestionError
from etl.core.jalali import last_complete_months, period_year_before
from etl.semantic import access, rights
from etl.semantic.answers import ask
from etl.semantic.catalog import catalogue
from etl.warehouse.dimensions import CHOICES, FILTERS
from tests import made
from tests.parts import PARTS, html, opened, opening
from ui.charts.elements import ChartContext
from ui.components import day_field, filter_bar
from ui.data import warehouse
from ui.exhibits import register
from ui.exports import about
from ui.i18n import text
from ui.state import address, given, page_context, periods
from ui.state.page_context import PageContext
from ui.state.scope import Days, Scope, in_order
from ui.summary import changes

pytestmark = pytest.mark.usefixtures("published")

PAGES = PARTS
LATEST = date(2024, 9, 21)
YEAR_SO_FAR = (date(2024, 3, 20), LATEST)
# Pages that show flows or trends, and so have a use for a period.
WITH_PERIOD = {name for name, page in register.pages().items() if page.has_period}
WITHOUT_BAR = {"methods", "quality", "handin", "approve"}
# A choice on each page that has its own parameters.
OWN: dict[str, dict[str, str]] = {
    "growth": {"recruits": "7", "leave": "20", "goal": "900", "n": "50"},
    "training": {"recruits": "7", "leave": "20", "of": "IR-23", "seats": "lead:3"},
    "explore": {"m": "joiners", "by": "month", "show": "pivot", "sort": "-joiners", "page": "2"},
    "compare": {"p": "IR-23", "a": "2023-09-21", "q": "IR-30", "b": "2024-05-04"},
    "licensing": {"open": "lapsed"},
    "legal": {"open": "officers_untrained"},
    "register": {"find": "حفاظتی", "page": "2"},
}


def notice_of(app: AppTest) -> str:
    match = re.search(r'<p class="pd-said" role="status">(.*?)</p>', html(app))
    assert match
    return match[1]


def page_context_of(scope: Scope, lang: str = "fa") -> PageContext:
    return PageContext(replace(scope, lang=lang), has_period=True)


def chosen(where: dict[str, tuple[str, ...]], on: date | None = None) -> Scope:
    return Scope(LATEST, in_order(where)).on_day(on or LATEST)


@pytest.mark.parametrize(
    ("where", "fa", "en"),
    [
        (
            {"province": ("IR-24",), "gender": ("female",), "post": ("manager",), "county": ("2401",)},
            "اردبیل، شهرستان اردبیل، زن، مدیر",
            "Ardabil, Ardabil County, Women, Manager",
        ),
        ({"county": ("2401",)}, "شهرستان اردبیل", "Ardabil County"),
        ({"gender": ("female",), "county": ("2403",)}, "خلخال، زن", "Khalkhal, Women"),
        ({"gender": ("female",)}, "کل کشور، زن", "The whole country, Women"),
    ],
)
def test_places_come_first_and_a_county_is_told_from_the_province_of_its_name(
    where: dict[str, tuple[str, ...]], fa: str, en: str
) -> None:
    for lang, said in (("fa", fa), ("en", en)):
        assert re.sub("[\u2066-\u2069]", "", page_context.place(page_context_of(chosen({}), lang), where)) == said


# ---------------------------------------------------------------- what filters offer


@pytest.mark.parametrize("on", [LATEST, date(2023, 3, 1)])
@pytest.mark.parametrize("where", [{}, {"province": ("IR-23",)}, {"activity": ("guarding",), "gender": ("male",)}])
@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_offers_what_exists_under_the_others_with_its_count(
    name: str, where: dict[str, tuple[str, ...]], on: date, published: Path
) -> None:
    others = {filter_: codes for filter_, codes in where.items() if filter_ != name}
    if name == "county":
        others = {filter_: codes for filter_, codes in others.items() if filter_ != "institute"}
    metric = "trainable_assistants" if name == "course" else "active_assistants"
    with access.connect(published, rights.ADMINISTRATOR) as con:
        counted = {code: count for code, count, *_ in ask(con, metric, by=(name,), on=on, where=others).rows if code}
        if name == "institute":
            institutes = con.execute("select institute_code, province, activity from institutes").fetchall()
            for code, province, activity in institutes:
                if province in others.get("province", (province,)) and activity in others.get("activity", (activity,)):
                    counted.setdefault(code, 0)
    expected = {code: count for code, count in counted.items() if count or name == "institute"} | {
        code: counted.get(code, 0) for code in where.get(name, ())
    }
    options = filter_bar.choices(page_context_of(chosen(where, on)), name, FILTERS)
    names = warehouse.names(name, "fa")
    assert options.keys() == expected.keys()
    for code, label in options.items():
        assert label.startswith(names[code])
        assert label.endswith(f"({text.number(expected[code], 'fa')})")


def test_a_chosen_value_stays_in_the_list_when_nobody_is_left() -> None:
    scope = chosen({"gender": ("female",), "post": ("manager",), "province": ("IR-11",)})
    assert filter_bar.choices(page_context_of(scope), "post", FILTERS) == {"manager": "مدیر (۰)"}
    assert "IR-11" in filter_bar.choices(page_context_of(scope), "province", FILTERS)


def test_a_chosen_county_does_not_narrow_the_list_of_provinces(published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        county = next(code for code, count in ask(con, "active_assistants", by=("county",)).rows if code and count)
    alone = filter_bar.choices(page_context_of(chosen({})), "province", FILTERS)
    assert filter_bar.choices(page_context_of(chosen({"county": (county,)})), "province", FILTERS) == alone
    assert len(alone) > 1


def test_a_filter_that_the_page_lacks_does_not_narrow_the_lists() -> None:
    scope = chosen({"course": ("lead",)})
    without = tuple(name for name in FILTERS if name != "course")
    assert filter_bar.choices(page_context_of(scope), "post", without) == filter_bar.choices(
        page_context_of(chosen({})), "post", without
    )
    assert filter_bar.choices(page_context_of(scope), "post", FILTERS) != filter_bar.choices(
        page_context_of(chosen({})), "post", FILTERS
    )


def test_institutes_with_the_same_name_are_distinguished_by_their_code() -> None:
    labels = filter_bar._unambiguous({"001": "پایش", "002": "پایش", "003": "گشت"}, "fa")
    assert labels == {"001": "پایش، ۰۰۱", "002": "پایش، ۰۰۲", "003": "گشت"}


def test_closed_filters_run_no_query(monkeypatch: pytest.MonkeyPatch) -> None:
    filter_bar._choices.cache_clear()
    names = []
    original = filter_bar.choices
    monkeypatch.setattr(
        filter_bar, "choices", lambda view, name, known: names.append(name) or original(view, name, known)
    )
    app = opened()
    assert set(names) == {"province", "activity"}
    assert {widget.key for widget in app.multiselect} == {"filter province"}, "the first screen shows place and day"
    assert {widget.key for widget in opened("coverage").multiselect} == {"filter province", "filter activity"}


@pytest.mark.slow
def test_a_choice_narrows_the_lists_beside_it() -> None:
    app = opened("coverage")
    before = app.multiselect(key="filter activity").options
    app.multiselect(key="filter province").set_value(["IR-30"]).run()
    after = app.multiselect(key="filter activity").options
    assert after != before
    assert app.multiselect(key="filter province").value == ["IR-30"]
    assert any(label.startswith("تهران (") for label in app.multiselect(key="filter province").options)
    app.multiselect(key="filter activity").set_value(["patrol"]).run()
    assert app.query_params == {"province": "IR-30", "activity": "patrol"}


@pytest.mark.slow
def test_a_choice_made_before_the_address_updates_is_not_lost() -> None:
    app = opened("coverage")
    app.multiselect(key="filter province").set_value(["IR-30"]).run()
    # A quick second click sends the address that the browser still has; going back or opening a link sends another.
    app.query_params.clear()
    app.multiselect(key="filter activity").set_value(["patrol"]).run()
    assert app.query_params == {"province": "IR-30", "activity": "patrol"}
    app.query_params.clear()
    app.run()
    assert app.query_params == {}


def test_a_choice_set_by_the_page_is_not_lost_to_an_old_address() -> None:
    app = opened("explore")
    app.multiselect(key="filter province").set_value(["IR-30"]).run()
    app.query_params.clear()
    app.multiselect(key="explore m").set_value(["training_compliance"]).run()
    assert app.query_params == {"province": "IR-30", "m": "training_compliance"}


# ---------------------------------------------------------------- the period


@pytest.mark.parametrize(
    ("period", "days"),
    [
        ("year", YEAR_SO_FAR),
        ("12", last_complete_months(LATEST, 12)),
        ("24", last_complete_months(LATEST, 24)),
        ("2024-01-01..2024-02-29", (date(2024, 1, 1), date(2024, 2, 29))),
    ],
)
def test_a_period_stands_for_its_days(period: str, days: tuple[date, date]) -> None:
    assert periods.canonical(period) == period
    assert periods.days(period, LATEST) == days


@pytest.mark.parametrize("period", ["", "13", "0", "..", "2024-01-01", "2024-02-29..2024-01-01", "x..y", "days", "'"])
def test_an_invalid_period_is_ignored(period: str) -> None:
    assert periods.canonical(period) == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("period", "parameters"),
    [
        ("2024-01-01..2030-01-01", {"period": f"2024-01-01..{LATEST}"}),
        ("1990-01-01..1990-02-01", {}),
        ("2024-02-29..2024-01-01", {}),
        ("evil", {}),
        ("۱۴۰۳/۰۱/۰۱..۱۴۰۳/۰۲/۱۵", {"period": "2024-03-20..2024-05-04"}),
    ],
)
def test_a_period_that_cannot_be_chosen_is_removed_from_the_address(period: str, parameters: dict[str, str]) -> None:
    assert opened("growth", period=period).query_params == parameters


def test_the_year_before_a_period_has_the_same_days() -> None:
    complete = last_complete_months(LATEST, 12)
    assert period_year_before(complete) == last_complete_months(date(2023, 9, 22), 12)
    assert period_year_before(YEAR_SO_FAR) == (date(2023, 3, 21), date(2023, 9, 22)), "۳۱\u00a0شهریور"
    # Esfand of 1403 has thirty days, that of 1402 twenty-nine, and so the other way round
    assert period_year_before((date(2025, 3, 20), date(2025, 3, 20))) == (date(2024, 3, 19),) * 2
    assert period_year_before((date(2026, 3, 20), date(2026, 3, 20))) == (date(2025, 3, 20),) * 2
    assert period_year_before((date(2024, 9, 10), date(2024, 9, 10))) == (date(2023, 9, 11),) * 2


@pytest.mark.slow
def test_the_period_applies_to_flows_and_trends_but_not_to_states(published: Path) -> None:
    over = last_complete_months(LATEST, 24)
    with access.connect(published, rights.ADMINISTRATOR) as con:
        joined, before = (ask(con, "joiners", over=days).value() for days in (over, period_year_before(over)))
        without = ask(con, "joiners").value()
        active = ask(con, "active_assistants").value()
    assert len({joined, before, without}) == 3
    page = html(opened("growth", period="24"))
    cards = re.findall(r'class="pd-label">(.*?)</p><div><p class="pd-value[^"]*"><bdi>(.*?)</bdi>(.*?)</div>', page)
    numbers = {label: (value, lines) for label, value, lines in cards}
    assert numbers["جذب‌شدگان"][0] == text.number(joined, "fa")
    change = changes.signed(catalogue()["joiners"], joined, before, "fa")
    assert f"{change} نسبت به یک سال پیش" in numbers["جذب‌شدگان"][1]
    assert numbers["پلیس‌یاران فعال"][0] == text.number(active, "fa")
    below = re.findall(r'class="pd-head"><h3>.*?</h3><p>(.*?)</p>', page)
    sentences = [
        sentence for sentence in below if sentence.endswith("۱\u00a0مهر\u00a0۱۴۰۱ تا ۳۱\u00a0شهریور\u00a0۱۴۰۳")
    ]
    assert len(sentences) == 3, "the trend of the stock, joiners next to leavers, and the bridge"


@pytest.mark.slow
def test_a_period_can_be_chosen_and_removed() -> None:
    app = opened("growth")
    app.selectbox(key="filter period").set_value("24").run()
    assert app.query_params == {"period": "24"}
    app.selectbox(key="filter period").set_value("days").run()
    first, last = last_complete_months(LATEST, 24)
    assert app.query_params == {"period": f"{first}..{last}"}
    app.text_input(key="typed last").set_value("۱۴۰۳/۰۲/۱۵").run()
    assert app.query_params == {"period": f"{first}..2024-05-04"}
    app.selectbox(key="filter period").set_value("none").run()
    assert app.query_params == {}
    assert "دورهٔ شاخص‌ها" not in notice_of(app)


def test_explore_asks_over_the_same_period(published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        joined = ask(con, "joiners", over=last_complete_months(LATEST, 24)).value()
        assert joined != ask(con, "joiners").value()
    page = html(opened("explore", period="24", m="joiners", by="-"))
    assert f"<bdi>{text.amount(joined, 'persons', 'fa')}</bdi>" in page


# ---------------------------------------------------------------- a typed day


@pytest.mark.parametrize(
    "value",
    ["۱۴۰۳/۰۲/۱۵", "1403-2-15", "١٤٠٣/٢/١٥", " ۱۴۰۳ ۲ ۱۵ ", "۱۵/۲/۱۴۰۳", "۱۴۰۳.۰۲.۱۵", "14030215", "2024-05-04"],
)
def test_a_typed_day_is_read_in_every_format(value: str) -> None:
    assert day_field.read(value) == date(2024, 5, 4)


@pytest.mark.parametrize("value", ["", "فردا", "۱۴۰۳", "۱۴۰۳/۱۳/۰۱", "۱۴۰۳/۱۲/۳۱", "۰۳/۰۲/۱۵", "1403/2/15/1", "<b>"])
def test_an_invalid_day_is_read_as_none(value: str) -> None:
    with pytest.raises(ValueError, match=r"day|month|year|range"):
        day_field.read(value)


@pytest.mark.slow
def test_a_valid_typed_day_is_used_and_a_wrong_one_gets_a_clear_message() -> None:
    app = opened()
    field = app.text_input(key="typed on")
    assert field.value == "۱۴۰۳/۰۶/۳۱"
    field.set_value("1403-2-15").run()
    assert app.query_params == {"on": "2024-05-04"}
    assert "۱۵ اردیبهشت ۱۴۰۳" in notice_of(app)
    outside = "خارج از بازهٔ مجاز است"
    for wrong, error_text in (("<b>فردا</b>", "تاریخ معتبری نیست"), ("۱۴۹۹/۱/۱", outside), ("9999-12-31", outside)):
        app.text_input(key="typed on").set_value(wrong).run()
        message = re.search(r'<p class="pd-wrong" role="alert">(.*?)</p>', html(app))
        assert message
        assert error_text in message[1]
        assert "<" not in message[1]
        assert app.query_params == {"on": "2024-05-04"}
        assert app.text_input(key="typed on").value == "۱۴۰۳/۰۲/۱۵"
    app.run()
    assert "pd-wrong" not in html(app), "said once"


@pytest.mark.slow
def test_days_of_a_comparison_are_typed_in_the_same_kind_of_field() -> None:
    app = opened("compare")
    app.text_input(key="typed compare-a").set_value("۱۴۰۲/۰۲/۱۵").run()
    assert app.query_params["a"] == "2023-05-05"
    assert app.text_input(key="typed compare-a").value == "۱۴۰۲/۰۲/۱۵"


# ---------------------------------------------------------------- names in sentences


def test_a_name_of_the_other_direction_is_isolated_in_a_sentence_and_not_in_the_name_of_a_file() -> None:
    code, name = next(iter(warehouse.names("institute", "en").items()))
    view = page_context_of(chosen({"institute": (code,)}), "en")
    assert page_context.place(view, view.where) == f"\u2068{name}\u2069"
    assert page_context.place(page_context_of(view.scope, "fa"), view.where) == name
    assert filter_bar.choices(view, "institute", FILTERS)[code].startswith(f"\u2068{name}\u2069 (")
    answer = made.answer("active_assistants", rows=[(1,)], where={"institute": (code,)})
    assert not re.search(
        "[\u2066-\u2069]", about.file_name(answer, ChartContext("en"), page_context.place(view, view.where), "csv")
    )


# ---------------------------------------------------------------- filters without an effect


@pytest.fixture(scope="module")
def con(published: Path) -> Iterator[access.ScopedCursor]:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        yield con


@pytest.fixture(scope="module")
def members(con: access.ScopedCursor) -> dict[str, str]:
    """A member of each filter."""
    return {
        dimension: str(con.execute(f"select {column} from {table} where {column} is not null limit 1").fetchall()[0][0])
        for dimension, column, table in (
            ("province", "province", "service"),
            ("county", "county", "service"),
            ("institute", "institute_code", "institutes"),
            ("course", "course_code", "courses"),
        )
    } | {dimension: min(CHOICES[dimension].values()) for dimension in FILTERS if dimension in CHOICES}


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in analyses.by_name() if name not in ("why", "differs")])
def test_an_analysis_says_which_filters_have_a_meaning_for_it(
    name: str, con: access.ScopedCursor, members: dict[str, str]
) -> None:
    more = {"recruits": 7} if name.startswith("recruit_") else {}
    run = partial(analyses.by_name()[name].run, con, **more)
    for dimension in FILTERS:
        where = {dimension: [members[dimension]]}
        if dimension in analyses.filters(name):
            run(where=where)
        elif name == "target_path" and dimension != "course":
            assert not run(where=where).rows
        elif name in ("announced", "claim", "events"):
            assert run(where=where).rows == run().rows
        else:
            with pytest.raises(QuestionError):
                run(where=where)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["legal", "growth", "licensing", "coverage"])
def test_a_filter_from_another_page_is_reported_as_having_no_effect(name: str) -> None:
    page = html(opened(name, gender="male"))
    assert text.word("scope.no_effect", "fa", filters="جنسیت") in page
    assert text.word("state.not_in_scope", "fa") not in page
    assert "pd-error" not in page


def test_a_filter_from_another_page_can_be_removed() -> None:
    app = opened("licensing", gender="male")
    assert "p::after{content:' (۱)'}" in html(app), "the button shows the number of active filters"


# ---------------------------------------------------------------- Reset


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in PAGES if name not in WITHOUT_BAR])
def test_the_period_is_offered_only_where_it_is_used_and_kept_elsewhere_and_reset_restores_the_initial_page(
    name: str,
) -> None:
    fresh = opened(name)
    expected = controls(fresh)
    chosen = {"province": "IR-23", "activity": "guarding", "on": "2024-05-04", "period": "year"}
    app = opened(name, **chosen, **OWN.get(name, {}))
    assert app.query_params == opening(name)[1] | chosen | OWN.get(name, {})
    assert controls(app) != expected
    # The first screen has it behind its button.
    assert ("filter period" in {box.key for box in app.selectbox}) == (name in WITH_PERIOD - {"overview"})
    period = "بازهٔ جریان‌ها و روندها: سال شمسی جاری، ۱\u00a0فروردین\u00a0۱۴۰۳ تا ۱۵\u00a0اردیبهشت\u00a0۱۴۰۳"
    assert (period in notice_of(app)) == (name in WITH_PERIOD)
    app.button(key="scope-reset").click().run()
    assert not app.exception
    assert app.query_params == opening(name)[1]
    assert controls(app) == expected
    assert notice_of(app) == notice_of(fresh)


def controls(app: AppTest) -> dict[str, Any]:
    """The value of every control of the page."""
    kinds = (app.multiselect, app.selectbox, app.text_input, app.date_input, app.slider)
    return {str(widget.key): widget.value for kind in kinds for widget in kind}


# ---------------------------------------------------------------- the law


@pytest.mark.parametrize("seed", range(300))
def test_a_scope_is_read_back_from_its_address_as_it_was(seed: int) -> None:
    chance = random.Random(seed)
    known = {name: [*warehouse.names(name, "fa")] for name in FILTERS}
    where = {
        name: tuple(chance.sample(known[name], min(len(known[name]), chance.randint(1, 3))))
        for name in chance.sample(FILTERS, chance.randint(0, 4))
    }
    days = Days.until(LATEST)
    on = chance.choice([None, LATEST, date.fromordinal(chance.randint(days.first.toordinal(), LATEST.toordinal()))])
    period = chance.choice(["", *periods.PRESETS, periods.written(date(2023, 5, 1), date(2024, 1, 31))])
    scope = replace(chosen(where, on), period=period, lang=chance.choice(text.LANGUAGES))
    assert Scope.from_query(scope.query(), LATEST, known.__getitem__) == scope
    name = chance.choice(FILTERS)
    toggled = scope.toggled(name, chance.choice(known[name]))
    assert Scope.from_query(toggled.query(), LATEST, known.__getitem__) == toggled


@pytest.mark.parametrize("given", [{"until": "9999"}, {"until": "0000"}, {"n": "1" * 5000}, {"n": "1.5"}, {"n": "²"}])
def test_what_is_no_year_or_count_of_recruits_is_left_out(given: dict[str, str]) -> None:
    query = {name: [value] for name, value in given.items()}
    assert address.valid_parameters("growth", query, Days.until(LATEST)) == {}


@pytest.mark.parametrize(
    ("typed", "read"),
    [("۱۲٬۵۰۰", 12500), ("12,500", 12500), ("۱۲٫۵", 12.5), ("12.5", 12.5), ("5²", None), ("−5", None), ("many", None)],
)
def test_a_typed_number_is_read_as_it_is_written(typed: str, read: float | None) -> None:
    assert given.number(given.typed(typed)) == read


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ({}, None),
        ({"province": ("IR-07",)}, ("province", "IR-07")),
        ({"province": ("IR-07", "IR-10")}, None),
        ({"province": ("IR-07",), "county": ("0707",)}, ("county", "0707")),
        ({"province": ("IR-07",), "county": ("0707", "0710")}, None),
        ({"institute": ("0700001",)}, ("institute", "0700001")),
        ({"province": ("IR-07",), "gender": ("female",)}, ("province", "IR-07")),
    ],
)
def test_the_title_is_of_the_smallest_place(where: dict[str, tuple[str, ...]], place: tuple[str, str] | None) -> None:
    assert Scope(date(2026, 12, 3), in_order(where)).smallest_place == place
