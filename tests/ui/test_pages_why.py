"""Why a rate changed, what comes next, and similar provinces: what the pages say against the analyses."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from etl.analysis import analyses
from etl.analysis.why import OVERLAP, TOTAL, dimensions
from etl.semantic import access, catalog, rights
from etl.semantic.answers import Answer
from etl.semantic.catalog import catalogue
from etl.warehouse.dimensions import PLACES
from tests.made import answer as made
from tests.parts import files_open, html, opened
from tests.ui.test_pages_workforce import in_address
from ui.charts import ahead, comparison
from ui.charts.elements import ChartContext
from ui.components import blocks
from ui.data import warehouse
from ui.data.ask import On, Question
from ui.exhibits import licensing as exhibits
from ui.exports import workbook
from ui.i18n import member_names, text
from ui.state.scope import Scope
from ui.summary import changes

pytestmark = pytest.mark.slow

COMPLIANCE = catalogue()["training_compliance"]
RATE = ("share_before", "share_after", "rate_before", "rate_after", "rate_effect", "composition_effect", "effect")


def page(name: str, **view: str) -> str:
    app = opened(name, lang="en", **view)
    assert not app.exception
    return html(app)


def split(*parts: tuple[Any, float, float]) -> Any:
    """The answer of `why` by province, of rate and composition effects."""
    rows = [(code, 0.5, 0.5, 0.8, 0.8, rate, mix, rate + mix) for code, rate, mix in parts]
    sums = [sum(column) for column in list(zip(*rows, strict=True))[5:]]
    base = made("training_compliance", by=("province",), rows=[*rows, (TOTAL, 1, 1, 0.8, 0.8 + sums[-1], *sums)])
    metrics = tuple(replace(COMPLIANCE, name=name) for name in RATE)
    return replace(base, metrics=metrics, columns=("province", *RATE))


def said(answer: Any, lang: str = "en", kind: str = "day", sides: tuple[str, str] = ("1404", "1405")) -> str:
    member = ChartContext(lang).member
    return re.sub("[\u2066-\u2069]", "", changes.sentence(answer, COMPLIANCE, lang, member, kind, sides)).replace(
        "\u00a0", " "
    )


def test_the_sentence_says_how_much_comes_of_rates_and_how_much_of_composition() -> None:
    answer = split(("IR-07", -0.013, -0.001), ("IR-23", -0.008, -0.008))
    assert said(answer) == (
        "Training compliance fell by 3.0 percentage points from 1404 to 1405: 2.1 percentage points from lower rates within "
        "provinces and 0.9 percentage points from a change of composition. Most in: Tehran −1.6, Fars −1.4."
    )
    assert said(answer, "fa") == (
        "پایبندی آموزشی از 1404 تا 1405، ۳٫۰ واحد درصد کاهش یافته است: ۲٫۱ واحد درصد از محل کاهش نرخ در استان‌ها "
        "و ۰٫۹ واحد درصد از محل تغییر ترکیب گروه‌ها. بیشترین سهم: تهران −۱٫۶، فارس −۱٫۴."
    )
    assert said(answer, kind="place", sides=("the nation", "Fars")).startswith(
        "Training compliance is 3.0 percentage points lower in Fars than in the nation: 2.1 percentage points from lower rates"
    )


def test_parts_that_work_against_each_other_have_signs_and_overlap_is_no_composition() -> None:
    answer = split(("IR-07", -0.03, 0.0), ("IR-23", 0.0, 0.008), (OVERLAP, 0.0, 0.002))
    assert said(answer) == (
        "Training compliance fell by 2.0 percentage points from 1404 to 1405: −3.0 percentage points from lower rates within "
        "provinces, +0.8 percentage points from a change of composition and +0.2 percentage points from people counted in "
        "two groups. Most in: Fars −3.0, Tehran +0.8."
    )


def test_what_is_shown_as_zero_is_neither_named_nor_ranked() -> None:
    nothing = split(("IR-07", 0.0004, 0.0), ("IR-23", 0.0, -0.0001))
    assert said(nothing) == "Training compliance has not changed from 1404 to 1405."
    assert comparison.largest(nothing, ChartContext("en"), COMPLIANCE).sentence == "Training compliance: no difference"
    assert changes.ranked(split(("IR-07", 0.02, 0), ("IR-23", 0.0004, 0)), "share") == [("IR-07", 0.02)]


def test_a_title_names_no_group_that_works_against_the_change() -> None:
    answer = split(("IR-07", -0.05, 0.0), ("IR-23", 0.04, 0.0), ("IR-30", 0.03, 0.0))
    title = comparison.largest(answer, ChartContext("en"), COMPLIANCE).sentence
    assert title == "Training compliance: +2.0 percentage points, most in Tehran (+4.0)"


def test_a_title_names_no_group_whose_part_is_shown_as_that_of_another() -> None:
    answer = split(("IR-07", 0.012, 0.0), ("IR-23", 0.012, 0.0))
    title = comparison.largest(answer, ChartContext("en"), COMPLIANCE).sentence
    assert title == "Training compliance: +2.4 percentage points"


def test_parts_of_a_small_difference_of_a_rate_are_not_named() -> None:
    small, large = (
        split(("IR-07", 0.008, 0.0), ("IR-23", 0.001, 0.0)),
        split(("IR-07", 0.009, 0.0), ("IR-23", 0.001, 0.0)),
    )
    assert (
        said(small)
        == "Training compliance rose by 0.9 percentage points from 1404 to 1405; the difference is not significant, "
        "so it is not split by group."
    )
    assert (
        comparison.largest(small, ChartContext("en"), COMPLIANCE).sentence
        == "Training compliance: no significant difference (+0.9 percentage points)"
    )
    assert "Fars +0.9, Tehran +0.1" in said(large)
    assert "Fars" in comparison.largest(large, ChartContext("en"), COMPLIANCE).sentence


def test_the_bars_add_up_to_their_sum_and_those_without_a_bar_are_one_row() -> None:
    answer = split(
        *((f"IR-{number:02}", -0.002 - number / 1000, 0.001) for number in range(1, 15)), (OVERLAP, 0.0, 0.004)
    )
    drawn = comparison.parts(answer, ChartContext("en"), unit="share")
    for trace in drawn["data"]:
        *bars, total = trace["x"]
        assert sum(bars) == pytest.approx(total, abs=1e-12)
    names = [re.sub("[\u2066-\u2069]", "", name) for name in drawn["layout"]["yaxis"]["ticktext"]]
    assert names[-3:] == ["Other groups", "Counted in two groups", "Sum"]
    assert len(names) == 13


def test_a_difference_that_is_too_small_to_split_has_no_chart(published: Path) -> None:
    sides = {"p": "IR-23", "q": "IR-23", "a": "2024-09-20", "b": "2024-09-21", "m": "judicial_officer_share"}
    with access.connect(published, rights.ADMINISTRATOR) as con:
        answer = analyses.analyse(
            con, "why", date(2024, 9, 21), {"province": ("IR-23",)}, metric=sides["m"], before=date(2024, 9, 20)
        )
    assert not changes.is_split(answer, catalogue()[sides["m"]])
    note = text.escape(text.word("split.note", "en"))
    assert note not in page("compare", **sides)
    assert note in page("compare", **sides | {"m": "active_assistants"})


def test_a_ratio_card_leads_to_the_parts_of_its_change_in_the_year(published: Path) -> None:
    cards = re.findall(r'<a class="pd-go" href="([^"]*)"[^>]*aria-label="Why the change\?: ([^"]*)"', page("training"))
    address = dict(map(reversed, cards))[COMPLIANCE.label["en"]].replace("&amp;", "&")
    assert "tab=compare" in address
    assert "p=IR&a=2023-09-22&q=IR&b=2024-09-21&m=training_compliance" in address
    of_two = page("training", province="IR-23,IR-30")
    assert "Why the change?: Training" in page("training", province="IR-23")
    assert "Why the change?: Training" not in page("training", county="2301"), "Compare knows no counties"
    assert of_two


def test_compare_says_why_a_difference_is_not_split(published: Path) -> None:
    day = {"a": "2023-09-21", "b": "2024-09-21"}
    two_sides, no_parts = (text.escape(text.word(f"split.{key}", "en")) for key in ("two_sides", "no_parts"))
    assert two_sides in page("compare", p="IR-23", q="IR-30", **day)
    assert two_sides in page("compare", p="IR-23", q="IR-23", a="2024-09-21", b="2024-09-21")
    assert no_parts in page("compare", p="IR", q="IR", m="age_median", **day)
    with_parts = page("compare", p="IR", q="IR", m="active_assistants", by="gender", **day)
    assert "Active police assistants fell by" in with_parts
    assert two_sides not in with_parts


def test_two_places_are_compared_without_the_places_inside(published: Path) -> None:
    two = {"p": "IR-23", "q": "IR-30", "a": "2024-09-21", "b": "2024-09-21"}
    of_coverage = page("compare", **two, m="coverage_per_10k")
    note = text.escape(text.word("split.note", "en"))
    assert note not in of_coverage
    assert "pd-refused" not in of_coverage
    assert text.escape(text.word("split.no_parts", "en")) not in of_coverage
    by_post = page("compare", **two, m="active_assistants", by="post")
    assert note in by_post
    county, none = (re.findall("<h3.*", page("compare", **two, m="active_assistants", by=by)) for by in ("county", ""))
    assert county == none
    boxes = opened("compare", lang="en", **two, m="active_assistants").selectbox
    (by,) = (box for box in boxes if box.label == text.word("split.by", "en"))
    places = [text.word(f"dimension.{place}", "en") for place in PLACES]
    assert by.options
    assert not {*by.options} & {*places}


def test_the_excuse_for_a_difference_that_is_not_split_has_no_box(published: Path) -> None:
    app = opened("compare", lang="en", p="IR-23", q="IR-30", a="2023-09-21", b="2024-09-21")
    assert "Parts of the difference" not in html(app)
    heads = re.findall("<h3[^>]*>(.*?)</h3>", html(app))
    assert any(re.match("Tehran, .* and .*: [0-9]+ measures", re.sub("[\u2066-\u2069]", "", head)) for head in heads), (
        heads
    )


def test_the_lines_of_two_sides_mark_their_days_and_can_be_copied(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "popover", files_open)
    sides = {"p": "IR-23", "q": "IR-30", "a": "2023-09-21", "b": "2024-09-21", "m": "active_assistants"}
    written = page("compare", **sides)
    values = [
        warehouse.ask("active_assistants", on=day, where={"province": (code,)}).value()
        for code, day in (("IR-23", date(2023, 9, 21)), ("IR-30", date(2024, 9, 21)))
    ]
    heads = re.findall("<h3[^>]*>(.*?)</h3>", written)
    assert f"Active police assistants: Tehran {values[0]}, Alborz {values[1]}" in heads
    assert written.count("pd-copy-picture") >= 3, "the lines and both bridges"


def of_sides(*days: comparison.SideDay) -> tuple[Any, ChartContext]:
    rows = [(month, "IR-23", 0.8, 80, 100) for month in ("1403-01", "1403-02")]
    rows += [(month, "IR-07", 0.9, 90, 100) for month in ("1403-01", "1403-02")]
    answer = made("training_compliance", by=("month", "side"), rows=rows, over=(date(2024, 3, 20), date(2024, 5, 5)))
    return answer, ChartContext("en", names={"side": {"IR-23": "Tehran", "IR-07": "Fars"}})


def test_a_side_is_marked_on_its_day_and_outside_of_the_period_not_at_all() -> None:
    days = (
        comparison.SideDay("IR-23", date(2024, 4, 19), 0.8),
        comparison.SideDay("IR-07", date(2024, 5, 5), 0.9),
        comparison.SideDay("IR-07", date(2023, 5, 5), 0.9),
    )
    answer, context = of_sides()
    figure = comparison.two_sides(answer, context, days=days)
    points = [(trace["x"], trace["y"]) for trace in figure["data"] if trace["mode"] == "markers"]
    assert points == [([0.0], [0.8]), ([1.0], [0.9])], "the end of a month, and the last day of one that is not over"
    words = [key["label"] for key in figure["layout"]["meta"]["keys"] if key["kind"] == "dot"]
    assert words == [
        "Tehran, 31\u00a0Farvardin\u00a01403 (19\u00a0Apr\u00a02024): 80.0%",
        "Fars, 16\u00a0Ordibehesht\u00a01403 (5\u00a0May\u00a02024): 90.0%",
    ]
    assert len(figure["layout"]["shapes"]) == 2


def test_the_title_of_two_sides_is_of_their_days_but_for_circulation_of_a_month() -> None:
    answer, context = of_sides()

    def title(*days: comparison.SideDay) -> str:
        return comparison.side_by_side(answer, context, days).sentence

    first, second = date(2024, 4, 19), date(2024, 5, 5)
    assert title(comparison.SideDay("IR-23", first, 0.81), comparison.SideDay("IR-23", second, 0.82)).startswith(
        "Training compliance: 81.0% on 31\u00a0Farvardin\u00a01403"
    )
    long = replace(answer, metrics=(catalogue()["leaver_rate_12m"],), columns=("month", "side", "leaver_rate_12m"))
    sides = comparison.SideDay("IR-23", date(2023, 8, 22), 0.169), comparison.SideDay("IR-23", date(2024, 8, 21), 0.153)
    for lang, expected in (
        ("en", "12-month leaver rate in Mordad 1403: 15.3%, 16.9% in Mordad 1402"),
        ("fa", "نرخ ترک خدمت ۱۲ماهه در مرداد ۱۴۰۳: ۱۵٫۳٪ (مرداد ۱۴۰۲: ۱۶٫۹٪)"),
    ):
        words = comparison.side_by_side(long, replace(context, lang=lang), sides).sentence.replace("\u00a0", " ")
        assert re.sub("[\u2066-\u2069\u061c\u200c]", "", words) == expected
    within = comparison.side_by_side(long, context, (sides[1], replace(sides[1], on=date(2024, 8, 1)))).sentence
    assert "Tehran" not in within, "one place names no side"
    same_day = title(comparison.SideDay("IR-23", second, 0.81), comparison.SideDay("IR-07", second, 0.92))
    assert same_day.startswith("Training compliance, 16\u00a0Ordibehesht\u00a01403")
    assert same_day.endswith("Tehran 81.0%, Fars 92.0%")
    rounded = title(comparison.SideDay("IR-23", first, None), comparison.SideDay("IR-07", second, None))
    assert rounded.endswith("Tehran 80.0%, Fars 90.0%"), "the value of the rounded lines"


def test_the_reader_turns_to_another_dimension(published: Path) -> None:
    app = opened("compare", lang="en", p="IR", q="IR", m="active_assistants")
    app.selectbox(key="compare by").set_value("post").run()
    assert in_address(app, "by") == ["post"]
    assert app.selectbox(key="compare by").options == [
        text.word(f"dimension.{by}", "en") for by in dimensions("active_assistants")
    ]


def test_similar_provinces_are_a_side_where_there_are_some(published: Path) -> None:
    none = text.escape(text.word("compare.none_similar", "en"))
    assert none in page("compare", p="IR-23", q="similar"), "Tehran is far from all others"
    assert none in page("compare", p="IR", q="similar")
    assert none not in page("compare", p="IR-30", q="similar")


def test_the_profile_and_methods_name_similar_provinces(published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        rows = analyses.analyse(con, "similar_provinces").records()
    names = [member_names.of("province", row["similar"], "en") for row in rows if row["province"] == "IR-30"]
    assert f"Similar provinces: {', '.join(names)}" in page("overview", province="IR-30")
    methods = page("methods")
    for row in rows:
        if row["similar"]:
            distance = text.number(row["distance"], "en", 1)
            assert f"{member_names.of('province', row['similar'], 'en')} ({distance})" in methods


def test_growth_gives_places_for_as_many_recruits_as_are_typed(published: Path) -> None:
    app = opened("growth", lang="en")
    assert "n" not in app.query_params
    app.text_input(key="recruit places").set_value("۱٬۲۰۰").run()
    assert in_address(app, "n") == ["1200"]
    assert "1,200 recruits by equal coverage" in html(app)
    for typed in ("-5", "0", "۱٬۰۰۰٬۰۰۰", "12.5", "5²"):
        app.text_input(key="recruit places").set_value(typed).run()
        assert text.word("ahead.recruits_bounds", "en", most="100,000") in html(app)
    for n in ("0", "100001", "1.5"):
        assert text.escape(text.word("state.left_out", "en", parts=f"n={n}")) in page("growth", n=n)


def test_growth_gives_places_for_as_many_as_joined_under_any_filter(published: Path) -> None:
    # Two men and a woman joined in the last 12 complete months.
    for filters in ({}, {"gender": "male"}, {"gender": "female", "province": "IR-23"}):
        assert opened("growth", lang="en", **filters).text_input(key="recruit places").value == "3"


def test_the_curves_of_provinces_have_a_gini_of_provinces(published: Path) -> None:
    with access.connect(published, rights.ADMINISTRATOR) as con:
        curves = analyses.analyse(con, "recruit_lorenz", recruits=5)
    assert "gini_provinces" in curves.columns
    assert "gini" not in curves.columns
    assert catalog.derived("gini_provinces").label["en"] == "Inequality between provinces (Gini)"


def test_growth_says_where_the_history_is_too_short(published: Path) -> None:
    early = page("growth", on="1399/12/29")
    assert text.escape(text.word("state.too_early", "en")) in early
    assert "pd-error" not in early


def test_a_month_above_the_highest_is_orange_and_named(small_register: Path) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        asked = analyses.analyse(con, "endings", by="nation")
    rows = [row[1:] for row in asked.rows if row[0] == "training"]
    marked = [
        (month, 99, mean, most, True) if at == 3 else (month, 0, mean, most, False)
        for at, (month, _, mean, most, _) in enumerate(rows)
    ]
    answer, context = replace(asked, by=("month",), columns=asked.columns[1:], rows=marked), ChartContext("en")
    assert text.unit_label(marked[3][0], "en") in ahead.above(answer, context).sentence
    colours = ahead.endings(answer, context)["data"][0]["marker"]["color"]
    assert [at for at, colour in enumerate(colours) if colour == context.colour("problem")] == [3]


@pytest.mark.parametrize(("day", "is_part"), [(date(2024, 8, 22), False), (date(2024, 9, 10), True)])
def test_a_month_that_is_partly_over_is_lighter_and_what_ends_has_its_unit(
    day: date, is_part: bool, small_register: Path
) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        asked = analyses.analyse(con, "endings", on=day, by="nation")
    rows = [row[1:] for row in asked.rows if row[0] == "training"]
    metric = replace(asked.metrics[0], unit="person_courses")
    answer = replace(asked, by=("month",), columns=asked.columns[1:], rows=rows, metrics=(metric, *asked.metrics[1:]))
    figure = ahead.endings(answer, ChartContext("en"))
    assert figure["data"][0]["marker"]["line"]["width"] == [int(is_part), *[0] * 23]
    labels = [key["label"] for key in figure["layout"]["meta"]["keys"]]
    assert labels[0].endswith("(person-courses)")
    assert ("Incomplete month" in labels) is is_part


def test_licensing_starts_with_the_licences_that_end_and_says_the_queue(published: Path) -> None:
    licensing = page("licensing")
    assert licensing.index("listing-licences_ending") < licensing.index("pd-card")
    assert text.escape(text.word("queue.title", "en", count="1")) in licensing, "the hand-made sample has one file"


def test_the_axis_of_the_queue_holds_its_intervals_and_what_is_needed_has_none(small_register: Path) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        answer = analyses.analyse(con, "queue", least=1)
    for lang in text.LANGUAGES:
        figure = ahead.paces(answer, ChartContext(lang))
        (bar,), (row,) = figure["data"], answer.records()
        ends = [value + (more or 0) for value, more in zip(bar["x"], bar["error_x"]["array"], strict=True)]
        assert ends[:2] == pytest.approx([row["arrivals_high"], row["decisions_high"]])
        assert bar["error_x"]["array"][2] is bar["error_x"]["arrayminus"][2] is None
        assert max(figure["layout"]["xaxis"]["range"]) > 1.03 * max(ends)


def test_the_name_of_the_method_of_the_queue_is_on_methods_alone(published: Path) -> None:
    assert "Poisson" in page("methods")
    shown = [catalog.derived(name).description for name in catalog.derived_names()]
    for words in (*shown, {lang: text.word("queue.note", lang) for lang in text.LANGUAGES}):
        assert "Poisson" not in words["en"]
        assert "پواسون" not in words["fa"]


def test_the_order_form_has_a_sheet_for_each_province_with_its_seats(small_register: Path, tmp_path: Path) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        plan = analyses.analyse(con, "seat_plan")
    with (tmp_path / "form.xlsx").open("wb") as out:
        workbook.write_order_form(out, plan, ChartContext("en"), "Iran")
    book = openpyxl.load_workbook(tmp_path / "form.xlsx")
    frame = plan.frame
    provinces = list(dict.fromkeys(frame["province"]))
    assert len(book.worksheets) == len(provinces) + 1, "and a cover"
    for province, sheet in zip(provinces, book.worksheets, strict=False):
        assert sheet.title == member_names.of("province", province, "en")[:31]
        (stated, *_), months, *rows = sheet.iter_rows(min_row=2, values_only=True)
        assert text.unit_word("seats", "en") in stated
        assert text.day_in_both(plan.on, "en") in stated, "it is signed without its cover"
        assert len(months) == 1 + 12 + 1
        assert "scenario above" not in str(rows), "it is a sheet of paper"
        assert "first point" not in str(rows)
        total = next(row for row in rows if row[0] == text.word("member.part.total", "en"))
        ordered = frame[frame["province"] == province]
        assert total[-1] == ordered["seats_planned"].sum()
        assert list(total[1:-1]) == ordered.groupby("month")["seats_planned"].sum().tolist()


def test_the_numbers_of_the_first_screen_lead_to_the_parts_of_their_change(published: Path) -> None:
    overview = page("overview")
    for name in ("coverage_per_10k", "training_compliance"):
        label = text.escape(catalogue()[name].label["en"])
        assert f"Why the change?: {label}" in overview
    assert "9 among" in overview, "a rate of residents says of how many"


def test_the_queue_says_how_many_decisions_a_month_it_takes(small_register: Path) -> None:
    class OfFew(On):
        def __call__(self, question: Question) -> Answer:
            return super().__call__(replace(question, options=(("least", 1),)))

    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        exhibit = exhibits.queue(Scope(con.publication.as_of, lang="en"), OfFew(con))
    queue = exhibit.answer
    assert queue is not None
    for name in ("queue_arrivals", "queue_decisions", "queue_needed"):
        assert f" {text.number(round(queue.value(name)), 'en')} " in exhibit.intro, "about so many, in whole files"
