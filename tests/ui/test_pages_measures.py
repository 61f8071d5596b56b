"""The cards and sentences of Growth, Coverage, Training and Institutes against `ask`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from persiantools.jdatetime import JalaliDate

from etl.analysis import (
    announcements,
    backtesting,
    coverage,
    international,
    licensing,
    planning,
    projection,
    survival,
)
from etl.analysis.signals import Funnel, level_signals
from etl.core import jalali
from etl.core.errors import TooEarly
from etl.semantic import access, rights
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import ask
from etl.semantic.catalog import catalogue, derived
from etl.semantic.resolve import settled_on
from tests.loading import build, put, put_good, row
from tests.made import answer
from tests.parts import html, opened
from tests.ui.test_pages_workforce import in_address, in_language, plain
from ui.charts import forecast, time_titles
from ui.charts import signals as charts
from ui.charts.elements import ChartContext
from ui.i18n import member_names, text

pytestmark = pytest.mark.slow

LANGUAGES = ("fa", "en")


@contextmanager
def opened_at(pointer: Path) -> Iterator[ScopedCursor]:
    with access.connect(pointer, rights.ADMINISTRATOR) as con:
        yield con


# How the growth needed and the growth of 6 and 12 months would be written.
UNIT_OF_PACE = [text.word("units.persons_per_month", lang) for lang in LANGUAGES]


def ask_day(pointer: Path) -> date:
    with opened_at(pointer) as con:
        return con.publication.as_of


def labelled(page: str) -> dict[str, str]:
    """The value of every card by its label."""
    cards = re.findall(r'class="pd-label">(.*?)</p><div><p class="pd-value[^"]*"><bdi>(.*?)</bdi>', page, re.S)
    return dict(cards)


def not_enough(row: dict[str, Any], until: date, lang: str) -> str:
    """What is said of recruits of now that are fewer than a goal needs: both numbers, and by how many they are apart."""
    assert row["sufficiency"] == "not_enough"
    values = {name: text.plain(row[key], "persons", lang) for name, key in
            (("target", "goal"), ("recruits", "recruits_needed"), ("now", "plan_recruits"))}  # fmt: skip
    apart = text.word("goal.fewer", lang, count=text.number(row["recruits_needed"] - row["plan_recruits"], lang))
    return text.word("sufficiency.not_enough", lang, day=text.day(until, lang), apart=apart, **values)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_growth_says_the_recruits_that_reach_the_goal_and_whether_those_of_now_are_enough(
    lang: str,
    published: Path,
) -> None:
    until = date(2027, 2, 4)
    page = html(opened("growth", goal="14", until=until.isoformat(), **in_language(lang)))
    with opened_at(published) as con:
        row = planning.recruits_needed(con, until=until, goal=14.0).records()[0]
    assert row["recruits_needed"] > 0
    assert text.escape(not_enough(row, until, lang)) in page
    before = text.escape(text.word("goal.before", lang, month=text.unit_in_both(row["reached"], lang)))
    assert (before in page) == (row["reached"] < jalali.unit_of(until, "month").label)
    assert not [unit for unit in UNIT_OF_PACE if unit in page], "one pair of monthly numbers, no other"


def test_growth_opens_with_its_answer_and_shows_the_chart_before_the_form(published: Path) -> None:
    page = html(opened("growth", lang="en", goal="14"))
    with opened_at(published) as con:
        title = time_titles.ahead(projection.projection(con), ChartContext("en")).sentence
    parts = ('class="pd-verdict"', text.escape(title), text.escaped("goal.title", "en"))
    places = [page.index(part) for part in parts]
    assert places == sorted(places)


def test_the_link_of_a_goal_seek_opens_the_scenario_of_the_exact_recruits_to_the_same_goal(published: Path) -> None:
    until = date(2027, 2, 4)
    link = re.search(r'<a class="pd-go" href="([^"]*)"', html(opened("growth", goal="14", until=until.isoformat())))
    assert link
    asked = {name: values for name, values in parse_qs(unescape(link[1]).partition("?")[2]).items() if name != "tab"}
    with opened_at(published) as con:
        row = planning.recruits_needed(con, until=until, goal=14.0).records()[0]
        needed = row["exact_recruits"]
        plan = planning.headcount(con, scenario=planning.Scenario(needed), goal=14.0)
    assert row["recruits_needed"] - 1 < needed < row["recruits_needed"]
    assert asked == {"recruits": [str(needed)], "goal": ["14"], "until": [until.isoformat()]}
    title = forecast.reached(plan, ChartContext("fa")).sentence
    assert text.unit_label(plan.records()[0]["reached_middle"], "fa") in title
    assert plan.records()[0]["reached_middle"] == row["reached"]
    app = opened("growth", recruits=str(needed), goal="14")
    assert text.escape(title) in html(app)
    assert app.slider(key="plan plan_recruits").value == row["recruits_needed"], "shown rounded up, as in the sentence"


@pytest.mark.parametrize("goal", [1, 1_000_000])
def test_a_goal_that_is_passed_and_one_that_no_recruiting_can_reach_have_a_sentence(goal: int, published: Path) -> None:
    until = ask_day(published) + timedelta(1)
    page = html(opened("growth", lang="en", goal=str(goal), until=until.isoformat()))
    with opened_at(published) as con:
        row = planning.recruits_needed(con, until=until, goal=float(goal)).records()[0]
    assert goal == 1 or row["recruits_needed"] > 1_000_000
    passed = text.word("goal.none_needed", "en", target=text.plain(goal, "persons", "en"), day=text.day(until, "en"))
    assert text.escape(passed if goal == 1 else not_enough(row, until, "en")) in page
    assert (text.escaped("goal.scenario", "en") in page) == (goal == 1), "no link to a scenario that none takes"


def test_a_year_is_one_click_and_a_typed_target_is_read_in_persian_digits(published: Path) -> None:
    app = opened("growth")
    before = html(app)
    app.text_input(key="goal target").set_value("۲۰").run()
    assert in_address(app, "goal") == ["20"]
    after = html(app)
    assert text.word("goal.title", "fa") in after
    assert after != before
    with opened_at(published) as con:
        recruits = planning.recruits_needed(con, goal=20.0).value()
    assert text.plain(recruits, "persons", "fa") in after


def test_a_year_in_the_address_of_growth_means_its_last_day(published: Path) -> None:
    last = jalali.unit_of(JalaliDate(1406, 1, 1).to_gregorian(), "year").last
    year, day = (html(opened("growth", until=until)).partition("pd-scope")[2] for until in ("1406", last.isoformat()))
    assert text.day(last, "fa") in year
    assert year == day


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_part_of_the_people_has_no_target_and_a_course_leaves_the_country_its_own(lang: str, published: Path) -> None:
    with opened_at(published) as con:
        target = text.plain(ask(con, "own_target").value(), "persons", lang)
    for part in ("overview", "growth"):
        women = html(opened(part, gender="female", **in_language(lang))).partition("</header>")[2]
        assert text.escaped("verdict.no_target_of_part", lang) in women
        assert text.escaped("verdict.no_target", lang) not in women, "the country has one"
    course = html(opened("overview", course="base", **in_language(lang))).partition("</header>")[2]
    verdict, note, _ = course.partition(text.word("scope.no_effect", lang, filters=text.word("scope.course", lang)))
    assert target in verdict, "a course has no effect on who is active"
    assert note
    assert text.escaped("verdict.no_target", lang) not in course


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(("province", "has_target"), [("IR-23", True), ("IR-30", False)])
def test_progress_is_to_a_target_set_for_the_province_and_never_to_its_census_share(
    province: str, has_target: bool, lang: str, published: Path
) -> None:
    with opened_at(published) as con:
        share, progress = ask(con, "target", where={"province": (province,)}), ask_metric("target_progress")
    growth = html(opened("growth", province=province, **in_language(lang))).partition("</header>")[2]
    assert (progress[0].label[lang] in labelled(growth)) == has_target
    assert (text.escaped("verdict.no_target", lang) in growth) != has_target
    # The verdict alone names the share, as what it is.
    goal = text.plain(share.value(), "persons", lang)
    box = growth.partition(text.escaped("goal.title", lang))[2].partition("pd-card")[0]
    assert bool(re.search(rf"(?<!\d){goal}(?!\d)", box)) == has_target
    label = share.metrics[0].label[lang]
    assert bool(re.search(rf"{label} · ", growth, re.IGNORECASE)) == has_target


@pytest.mark.parametrize("lang", LANGUAGES)
def test_leavers_are_measured_on_the_settled_month_alone(lang: str, published: Path) -> None:
    with opened_at(published) as con:
        day = settled_on(con, "leaver_rate_12m")
        assert day
        rate = ask(con, "leaver_rate_12m", on=day)
    page = html(opened("growth", **in_language(lang)))
    label = text.word("change.settled", lang, label=rate.metrics[0].label[lang], day=text.day(day, lang))
    assert labelled(page)[label] == text.plain(rate.value(), "share", lang)
    leavers = {metric.label[lang] for metric in ask_metric("leavers")}
    assert not leavers & labelled(page).keys(), "no second window of twelve months next to the rate"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_measure_without_a_settled_day_is_reported_and_not_shown(lang: str, published: Path) -> None:
    with opened_at(published) as con:
        ((first,),) = con.execute("select min(hired_on) from spells").fetchall()
        day = first + timedelta(40)
        assert settled_on(con, "leaver_rate_12m", day) is None
        with pytest.raises(TooEarly):
            level_signals(con, on=day, name="leaver_rate_12m")
    page = html(opened("growth", on=day.isoformat(), **in_language(lang)))
    label = ask_metric("leaver_rate_12m")[0].label[lang]
    assert labelled(page)[label] == "–"
    assert page.count(text.escape(text.word("figure.not_settled", lang))) == 2, "early attrition likewise"
    # Replaces the ranking.
    assert page.count(text.escape(text.word("state.too_early", lang))) == 2, "the ranking, and where recruits go"
    assert text.escape(text.word("state.not_in_scope", lang)) not in page
    assert "pd-error" not in page


def ask_metric(name: str) -> list:
    return [catalogue()[name]]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_announced_number_stands_beside_the_registered_one(lang: str, published: Path) -> None:
    with opened_at(published) as con:
        row = announcements.announced(con).records()[0]
    page = html(opened("growth", **in_language(lang)))
    for key in ("announced_value", "registered_value"):
        assert text.plain(row[key], "persons", lang) in page
    assert row["announced_difference"] < 0
    fewer = text.plain(-row["announced_difference"], "persons", lang)
    assert text.word("goal.fewer", lang, count=fewer) in page
    assert text.isolated(row["announced_words"], lang) in page
    assert text.escape(text.word("goal.announced_why", lang)) in page


def test_growth_says_where_a_filter_leaves_the_numbers_of_all(published: Path) -> None:
    page = html(opened("growth", lang="en", post="guard", province="IR-23"))
    post, place = (text.word(f"scope.{name}", "en") for name in ("post", "province"))
    note = text.escape(text.word("scope.no_effect", "en", filters=post))
    assert note in page.partition(text.escaped("goal.title", "en"))[0], (
        "a province has a path of its own, a post has not"
    )
    filters = text.escape(text.word("scope.no_effect", "en", filters=text.listed([place, post], "en")))
    after = page.partition(text.escape(text.word("goal.announced_why", "en")))[2]
    assert re.match(rf'</p>\s*<p class="pd-note">{re.escape(filters)}', after), (
        "the announced number is one of the nation"
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_trained_share_stands_on_the_card_of_compliance(lang: str, published: Path) -> None:
    with opened_at(published) as con:
        trained = ask(con, "trained_share")
    page = html(opened("training", **in_language(lang)))
    label = f'class="pd-label">{text.escape(ask_metric("training_compliance")[0].label[lang])}'
    card = page[page.index(label) :].split("</div>")[0]
    short = trained.metrics[0].short[lang]
    assert f"{short}: {text.plain(trained.value(), 'share', lang)}" in card
    assert f"{short}: " not in html(opened("training", course="base", **in_language(lang)))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_coverage_names_the_residents_and_the_provinces_that_move(lang: str, published: Path) -> None:
    with opened_at(published) as con:
        answer = coverage.coverage_on_census(con)
        active = ask(con, "active_assistants", by=("province",))
        above = {row["force"] for row in international.claim(con).records() if row["above_claim"] is not None}
    basis = answer.publication.provinces.basis(answer.publication.as_of)
    assert basis is not None
    page = html(opened("coverage", census="1395", **in_language(lang)))
    kind, source = text.word(f"population.{basis.kind}", lang), text.word("population.statistical_centre", lang)
    sentence = text.word("population.basis", lang, year=text.digits(basis.year, lang), kind=kind, source=source)
    assert text.escape(sentence) in page
    served = {row["province"] for row in active.records() if row["active_assistants"]}
    assert len(served) < 31
    none = re.search(rf"{text.word('population.with_none', lang, places='', whom='')}(.*?)</p>", page)
    assert none
    for code, name in member_names.fixed("province", lang).items():
        assert (name in none[1]) is (code not in served), name
    with opened_at(published) as con:
        covered = ask(con, "counties_covered")
        counties = dict(ask(con, "active_assistants", by=("county",)).rows)
    # The county of Mina, one of nine, is unknown: any that seems empty may be hers.
    assert counties[None] == 1
    assert covered.value() is None
    assert text.escape(text.word("population.boundaries", lang)) in page
    assert text.escape(text.word("population.no_county", lang, count=text.number(1, lang))) in page
    said = text.word("population.counties_without", lang, count="", whole="", whom="")
    assert said.split("(")[-1].strip() not in page
    assert above == {"guards"}
    forces = {
        "above": {"fa": "نگهبانان خصوصی", "en": "private guards"}[lang],
        "below": {"fa": "داوطلبان، نیروهای کمکی پلیس", "en": "volunteers, police auxiliaries"}[lang],
    }
    assert text.escape(text.word("abroad.only", lang, **forces)) in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_counties_are_titled_by_the_range_of_all_with_anybody_and_their_residents_are_no_official_estimate(
    lang: str,
    small_register: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    with opened_at(small_register) as con:
        counties = ask(con, "coverage_per_10k", by=("county",)).column("coverage_per_10k")
    page = html(opened("coverage", **in_language(lang)))
    assert text.escape(text.word("population.of_counties", lang)) in page
    present = [value for value in counties if value]
    low, high = (text.plain(end(present), "per_10k", lang) for end in (min, max))
    count, groups = text.number(len(present), lang), member_names.counted("county", lang, len(present))
    measure = catalogue()["coverage_per_10k"].short[lang]
    words = {"measure": measure, "count": count, "groups": groups, "low": low, "high": high}
    assert text.escape(text.word("finding.spread_present", lang, **words)) in page


def test_a_profile_counts_its_counties_with_assistants_and_names_the_others(
    small_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    with opened_at(small_register) as con:
        provinces = ask(con, "census_counties", by=("province",)).column("province")
        counts = {
            code: ask(con, "uncovered_counties", "census_counties", where={"province": (code,)}).records()[0]
            for code in provinces[:6]
        }
    code, count = max(counts.items(), key=lambda each: each[1]["uncovered_counties"])
    assert count["uncovered_counties"], "else nothing is tried"
    page = html(opened("overview", lang="en", province=code))
    served = count["census_counties"] - count["uncovered_counties"]
    assert f"{served} counties of " in page
    assert (
        f"{count['uncovered_counties']} of {count['census_counties']} counties have no active police assistant" in page
    )


def test_licensing_says_the_times_of_all_files_and_none_of_the_decided_alone(published: Path) -> None:
    with opened_at(published) as con:
        times = survival.licensing_times(con).records()[0]
    page = html(opened("licensing", lang="en"))
    cards = labelled(page)
    assert cards["Median time to a decision"] == text.plain(times["files_median"], "working_days", "en")
    assert cards["Decided within 25 working days"] == text.plain(times["files_within_25"], "share", "en")
    assert times["files_p90"] is None, "fewer than 90 % are decided"
    assert text.escape(text.word("figure.not_reached", "en")) in page
    assert ask_metric("time_to_licence_median")[0].label["en"] not in cards


@pytest.mark.parametrize("lang", LANGUAGES)
def test_smart_services_are_not_compared_before_a_licence_is_decided_after_they_were_shown(
    lang: str,
    published: Path,
) -> None:
    page = html(opened("licensing", **in_language(lang)))
    day = text.day(date(2024, 9, 21), lang)
    assert text.escape(text.word("smart.no_comparison", lang, day=day)) in page
    assert text.escape(text.word("how.inputs", lang)) in html(opened("methods", **in_language(lang)))
    assert plain(page).count(ask_metric("time_to_licence_p90")[0].label[lang]) == 0


@pytest.fixture(scope="module")
def published_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pointer of a register published twice: licences are decided after the flag of smart services was first shown."""
    folder = put_good(tmp_path_factory.mktemp("twice") / "incoming")
    kinds = {"0001": "yes", "0002": "no", "0003": "no"}
    put(
        folder,
        "institutes.csv",
        [row("institutes", institute_code=code, smart_services=smart) for code, smart in kinds.items()],
    )
    put(folder, "personnel.csv", [row("personnel", institute_code="0001")])
    before = [row("licences", application_no="L1", institute_code="0001")]
    days = {"1403/02/10": "0001", "1403/02/13": "0002", "1403/02/20": "0003", "1403/02/29": "0002"}
    after = [
        row("licences", application_no=f"M{day}", institute_code=code, applied_on="1403/02/01", file_complete_on="1403/02/01",
            decided_on=day, valid_from=day, valid_until="1406/01/01")
        for day, code in days.items()
    ]  # fmt: skip
    put(folder, "licences.csv", before)
    pointer = build(folder, day=date(2024, 4, 20)).to
    put(folder, "licences.csv", [*before, *after])
    build(folder, day=date(2024, 6, 20), to=pointer)
    return pointer


@pytest.mark.parametrize("lang", LANGUAGES)
def test_smart_services_are_compared_on_licences_decided_after_they_were_shown(
    lang: str, published_twice: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE", str(published_twice))
    with opened_at(published_twice) as con:
        first = licensing.adoption(con).records()[0]["day"]
        period = (first + timedelta(1), con.publication.as_of)
        rows = {row["smart"]: row for row in ask(con, "time_to_licence_median", by=("smart",), over=period).records()}
    # Working days from 1 Ordibehesht 1403, a Saturday: 8 for the adopter; 11, 16 and 23 for the others (15 Ordibehesht is off).
    assert {code: row["time_to_licence_median"] for code, row in rows.items()} == {"yes": 8, "no": 16}
    page = html(opened("licensing", **in_language(lang)))
    counts = {name: text.number(count, lang) for name, count in (("count", 4), ("adopters", 1), ("others", 3))}
    assert text.escape(text.word("smart.since", lang, day=text.day(first, lang), **counts)) in page
    assert text.escape(text.word("smart.no_proof", lang)) in page
    fewest = text.amount(23, "applications", lang)
    for name in ("time_to_licence_median", "time_to_licence_p90", "within_25_days_share"):
        measure = ask_metric(name)[0].short[lang]
        assert text.escape(text.word("finding.all_small", lang, measure=measure, fewest=fewest)) in plain(page)


# ---------------------------------------------------------------- the charts of signals


def test_the_funnel_draws_its_limits_as_the_signals_have_them_and_names_who_is_beyond(published: Path) -> None:
    context = ChartContext("en")
    with opened_at(published) as con:
        signals = level_signals(con)
    assert charts.beyond(signals, context).sentence == "Training compliance: no province is unusually high or low"
    at = signals.columns.index("is_signal")
    rows = [(*row[:at], row[0] == "IR-30", *row[at + 1 :]) for row in signals.rows]
    beyond = replace(signals, rows=rows)
    assert charts.beyond(beyond, context).sentence == "Training compliance, worse than the expected range: Alborz"
    low, high, inside, outside = charts.funnel(beyond, context)["data"]
    assert outside["customdata"] == ["IR-30"]
    assert sorted(inside["customdata"]) == sorted(row[0] for row in rows if row[0] != "IR-30")
    assert outside["marker"]["color"] == context.colour("problem")
    # Beyond the limits on the good side is no problem, and the title says so.
    good = [(*row[:at], row[0] == "IR-23", *row[at + 1 :]) for row in signals.rows]
    better = replace(signals, rows=good)
    share = signals.columns.index("training_compliance")
    assert next(row[share] for row in good if row[0] == "IR-23") > signals.records()[0]["common"]
    assert charts.beyond(better, context).sentence == "Training compliance, better than the expected range: Tehran"
    *_, outside = charts.funnel(better, context)["data"]
    assert (outside["customdata"], outside["marker"]["color"]) == (["IR-23"], context.colour("actual"))
    # The largest province has no room for its name beyond it, the others crowd before the smallest.
    assert outside["textposition"] == ["middle left"]
    counted = signals.columns.index("trainable_assistants")
    smallest = min(signals.rows, key=lambda row: row[counted])
    *_, outside = charts.funnel(
        replace(signals, rows=[(*row[:at], row == smallest, *row[at + 1 :]) for row in signals.rows]), context
    )["data"]
    assert outside["textposition"] == ["middle right"]
    keys = {key["label"]: key["kind"] for key in charts.funnel(beyond, context)["layout"]["meta"]["keys"]}
    assert keys["Nation"] == "dash", "as the line is drawn"
    row = beyond.records()[0]
    limits = Funnel(row["common"], row["funnel_phi"], ())
    for count, bottom, top in zip(low["x"], low["y"], high["y"], strict=True):
        assert (bottom, top) == limits.limits(count)
    assert limits.limits(row["trainable_assistants"]) == (row["funnel_low"], row["funnel_high"])


def test_the_months_of_a_province_mark_those_beyond_their_limits() -> None:
    metrics = tuple(derived(name) for name in ("flow_share", "flow_low", "flow_middle", "flow_high"))
    columns = ("month", *(metric.name for metric in metrics), "flow_here", "flow_nation", "is_signal")
    rows = [("1403-01", 0.16, 0.02, 0.1, 0.18, 8, 50, False), ("1403-02", 0.16, 0.05, 0.1, 0.15, 32, 200, True)]
    data = replace(answer(rows=[]), metrics=metrics, by=("month",), columns=columns, rows=rows)
    sentence = charts.months_beyond(data, ChartContext("en")).sentence
    assert sentence == "Share of the nation beyond its limits in Ordibehesht\u00a01403 (Apr–May\u00a02024)"
    low, high, line = charts.process(data, ChartContext("en"))["data"]
    assert (low["y"], high["y"]) == ([0.02, 0.05], [0.18, 0.15]), "each month has its own limits"
    assert line["marker"]["symbol"] == ["circle", "diamond"]
    assert line["marker"]["color"] == ChartContext("en").colour("actual"), "unusual is not a problem yet"
    kinds = [
        {key["label"]: key["kind"] for key in charts.process(months, ChartContext("en"))["layout"]["meta"]["keys"]}
        for months in (data, replace(data, rows=rows[:1]))
    ]
    assert kinds[0]["Beyond the expected range"] == "diamond"
    assert "Beyond the expected range" not in kinds[1], "no key for what is not drawn"
    calm = charts.months_beyond(replace(data, rows=rows[:1]), ChartContext("en")).sentence
    assert calm == "Share of the nation: every month within its limits"


def test_by_course_the_base_is_said_and_not_counted(published: Path) -> None:
    page = plain(html(opened("explore", lang="en", m="training_compliance", by="course")))
    below, *_ = re.findall(r"<h3>[^<]*</h3><p>(Training compliance[^<]*)</p>", page)
    assert "n\xa0=" not in below
    assert text.word("figure.of_course", "en") in page


def test_with_one_publication_nothing_is_said_to_be_unchanged(published: Path) -> None:
    page = html(opened("quality", lang="en"))
    said = re.search(r'<p class="pd-intro">(.*?)</p>', page)
    assert said
    assert said[1].endswith(text.word("load.first_publication", "en")), "behind what was loaded: no excuse comes first"
    assert page.count(text.word("load.first_publication", "en")) == 1
    assert text.word("scope.nation", "en") not in re.sub("<table.*?</table>", "", page, flags=re.S), (
        "no filter changes it"
    )
    assert text.word("load.no_revisions", "en") not in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_card_of_events_says_its_period_and_one_of_a_day_does_not(lang: str, published: Path) -> None:
    first, last = jalali.last_complete_months(date(2024, 9, 21), 12)
    period = text.period(first, last, lang)
    for name, timed, of_a_day in (
        ("growth", ("joiners",), ()),
        ("licensing", ("renewal_rate", "files_median"), ("outstanding",)),
        ("training", ("training_hours",), ("training_compliance",)),
    ):
        page = html(opened(name, **in_language(lang)))
        cards = dict(re.findall(r'class="pd-label">(.*?)</p>(.*?)</div>', page, re.S))
        said = {label for label, card in cards.items() if text.escape(period) in card}
        labels = {metric: (catalogue().get(metric) or derived(metric)).label[lang] for metric in (*timed, *of_a_day)}
        assert {labels[metric] for metric in timed} <= said
        assert not {labels[metric] for metric in of_a_day} & said


def test_the_trials_of_a_title_are_counted_at_its_distance(
    small_register: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    page = plain(html(opened("methods", lang="en")))
    ((share, count),) = re.findall(
        r"<h3>The range of six-month projections held in (.*?) of trials</h3><p>[^<]*n\xa0=\xa0(\d+) ", page
    )
    with opened_at(small_register) as con:
        rows = {row["ahead"]: row for row in backtesting.backtest(con).records()}
    assert (share, count) == (text.percent(rows[6]["backtest_inside"], "en", 0), str(rows[6]["backtest_months"]))
    assert rows[6]["backtest_months"] != rows[12]["backtest_months"]


def test_groups_that_add_up_to_more_than_all_say_why(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", str(small_register))
    said = text.word("figure.overlap", "en")
    with opened_at(small_register) as con:
        sums = {
            by: sum(ask(con, "active_assistants", by=(by,)).column("active_assistants")) for by in ("province", "post")
        }
        assert sums["post"] == ask(con, "active_assistants").value() < sums["province"]
    assert said in html(opened("explore", lang="en", m="active_assistants", by="province"))
    assert said not in html(opened("explore", lang="en", m="active_assistants", by="post"))
