"""The sentences of the first screen and the briefing, made from answers alone: verdict, needs action, ranks, changes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from etl.analysis import analyses, data_quality
from etl.core.errors import QuestionError
from etl.core.jalali import add_months
from etl.semantic import access, composed_answers, disclosure, rights
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import catalogue
from etl.submissions.arrivals import Owed
from tests import made
from tests.made import Told, answer, told
from ui.charts.elements import ChartContext
from ui.data.ask import Kept, On, Question
from ui.exhibits import breaks, needs_action, training, verdict
from ui.exhibits.exhibit import Action, Actions, Link, Rows, Sentence
from ui.exhibits.findings import beside_nation
from ui.i18n import member_names, text
from ui.state import wording
from ui.state.scope import Scope, in_order
from ui.summary import changes, different
from ui.summary.claims import together

LANGUAGES = ("fa", "en")


DAY = date(2026, 6, 30)


def scope(lang: str = "en", province: str = "", **filters: tuple[str, ...]) -> Scope:
    where = ({"province": (province,)} if province else {}) | filters
    return Scope(DAY, in_order(where), lang=lang)


def scope_of(con: ScopedCursor, lang: str = "en", province: str = "") -> Scope:
    """The scope on the latest day of a publication."""
    return replace(scope(lang, province), latest=con.publication.as_of)


# ---------------------------------------------------------------- verdict


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_number_of_the_verdict_is_one_that_was_asked(lang: str, small_register: Path) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        sentences = " ".join(verdict.summed_up(scope_of(con, lang), On(con)).sentences)
        active = ask(con, "active_assistants").value()
        before = ask(con, "active_assistants", on=add_months(con.publication.as_of, -12)).value()
        target = ask(con, "target").value()
        progress = ask(con, "target_progress").value()
    assert before != active < target
    for number in (active, target, target - active, abs(active - before)):
        assert text.number(number, lang) in sentences
    assert text.percent(progress, lang) in sentences
    assert text.percent(abs(active - before) / before, lang) in sentences
    assert text.word("compare.better", lang) not in sentences, "a volume is neither better nor worse"


@pytest.mark.parametrize(
    "facts", [{"target": None}, {"target": 50.0}, {"target": 1.0}, {"target": None, "census_share": 9.0}]
)
def test_one_is_singular_in_every_form_of_the_verdict(facts: dict[str, Any]) -> None:
    of_one = known(active=1, before=None, **facts)
    first = verdict.sentences(of_one, "en")[0].words
    assert first.startswith("1 police assistant is active"), first
    assert verdict.sentences(replace(of_one, active=2), "en")[0].words.startswith("2 police assistants are active")


def known(**changes: Any) -> verdict.Facts:
    facts = {
        "active": 900,
        "before": 800,
        "target": 1000.0,
        "first": "1406-01",
        "middle": "1406-03",
        "last": "1406-05",
    }
    return verdict.Facts(
        **{**facts, "has_range": True, "latest": made.answer("active_assistants", rows=[(900,)]), **changes}
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {},
            "(May–Jun\u00a02027); earliest Farvardin\u00a01406 (Mar–Apr\u00a02027), latest Mordad\u00a01406 (Jul–Aug\u00a02027).",
        ),
        (
            {"last": "1407-10"},
            "earliest Farvardin\u00a01406 (Mar–Apr\u00a02027), latest Dey\u00a01407 (Dec\u00a02028–Jan\u00a02029).",
        ),
        ({"first": "1406-03", "last": "1406-03"}, "is projected for Khordad\u00a01406 (May–Jun\u00a02027)."),
        (
            {"last": None},
            "earliest Farvardin\u00a01406 (Mar–Apr\u00a02027), latest in more than five years.",
        ),
        (
            {"middle": None, "last": None},
            "within five years; earliest Farvardin\u00a01406 (Mar–Apr\u00a02027).",
        ),
        ({"middle": None, "first": None, "last": None}, "not reached within five years."),
        ({"has_range": False, "first": None, "middle": None}, "history is too short"),
        (
            {"has_range": False, "first": None, "last": None},
            "is projected for Khordad\u00a01406 (May–Jun\u00a02027).",
        ),
        (
            {"broken": ("1404-07", -6000.0)},
            "After the drop of Mehr\u00a01404, past growth is a poor guide to the future.",
        ),
        ({"broken": ("1404-07", 900.0)}, "After the jump of Mehr\u00a01404,"),
        ({"active": 1100}, "the target of 1,000 is met (110.0%): up 300 (37.5%) on a year earlier, 100 above it."),
        ({"target": None}, "900 police assistants are active: up 100 (12.5%) on a year earlier."),
        ({"before": 1000}, ": down 100 (10.0%) on a year earlier, 100 short."),
        ({"before": 900}, ": unchanged from a year earlier, 100 short."),
    ],
)
def test_the_verdict_says_what_is_known_and_no_more(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in together(verdict.sentences(known(**changes), "en")).words


def counting(**counts: tuple[int, int]) -> Told:
    """Answers with these counts on the day and a year before it."""

    def asked(question: Question) -> Answer:
        at = 0 if question.on == DAY else 1
        row = tuple(counts.get(name, (None, None))[at] for name in question.names)
        return replace(made.answer(question.names[0], rows=[row]), columns=question.names)

    return told(asked)


def test_a_fall_that_comes_from_lapsed_licences_says_so() -> None:
    ask = counting(active_assistants=(700, 800), in_service=(1000, 950), lapsed_licence_service=(300, 150))
    active, why = verdict.summed_up(scope(), ask).sentences
    assert "down 100" in active
    assert why == (
        "The fall comes from lapsed licences: all in service rose by 50 to 1,000, "
        "but 300 of them (150 more than a year earlier) serve without a valid licence."
    )


@pytest.mark.parametrize("now", [(700, 940, 240), (850, 1000, 150)])
def test_a_fall_of_people_and_a_rise_are_no_matter_of_licences(now: tuple[int, int, int]) -> None:
    before = (800, 950, 150)
    names = ("active_assistants", "in_service", "lapsed_licence_service")
    ask = counting(**dict(zip(names, zip(now, before, strict=True), strict=True)))
    (_,) = verdict.summed_up(scope(), ask).sentences


@pytest.mark.parametrize(("on", "sentence"), [(date(2021, 6, 1), "too short"), (date(2025, 6, 1), "within five years")])
def test_a_target_is_out_of_reach_for_five_years_only_where_the_range_is_as_long(
    on: date, sentence: str, small_register: Path
) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        then = replace(scope_of(con), on=on)
        assert verdict.facts(then, On(con)).first is None
        assert sentence in verdict.summed_up(then, On(con)).sentences[-1]


def test_a_province_without_a_target_of_its_own_has_a_share_by_residents_and_no_progress(small_register: Path) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        facts = verdict.facts(scope_of(con, "en", "IR-23"), On(con))
        share = ask(con, "target", where={"province": ("IR-23",)}).value()
        shown = verdict.summed_up(scope_of(con, "en", "IR-23"), On(con))
        two = replace(scope_of(con), filters=(("province", ("IR-10", "IR-23")),))
        of_two = verdict.summed_up(two, On(con)).sentences
    assert facts.target is None
    assert facts.progress is None
    assert isinstance(shown.form, Sentence)
    assert shown.form.progress is None
    (sentence,) = verdict.sentences(facts, "en")
    assert sentence.words.endswith(f"the province’s share would be {text.number(share, 'en')}.")
    assert not [words for words in of_two if "share would be" in words], "several provinces have no share together"


def behind(province: str = "", own: Sequence[tuple[str, Any]] = (), **filters: tuple[str, ...]) -> str:
    """The sentence about who is furthest below a target of its own."""

    def asked(question: Question) -> Answer:
        rows = {"own_target": own, "active_assistants": [("IR-02", 80), ("IR-23", 500)]}
        of_place = [row for row in rows[question.names[0]] if row[0] in question.where.get("province", (row[0],))]
        return made.answer(question.names[0], by=("province",), rows=of_place)

    said = verdict.furthest(scope(province=province, **filters), told(asked))
    return re.sub("[\ue000\ue001]", "", said.words).replace("\u00a0", " ")


def test_provinces_with_targets_of_their_own_are_named_by_what_is_missing_to_them() -> None:
    own = [("IR-02", 120.0), ("IR-23", 400.0), ("IR-11", 35.0), ("IR-20", None)]
    said = "Largest shortfalls from their own targets: Mazandaran 40 and Sistan and Baluchestan 35 people."
    assert behind(own=own) == said, "nobody where it is met"
    assert behind("IR-02", own) == "", "the verdict says it"
    assert behind(own=own, gender=("female",)) == "", "a target is of everybody"
    assert behind() == "", "coverage is no matter of time"


# ---------------------------------------------------------------- needs action


def test_each_item_counts_what_its_list_holds(small_register: Path) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        actions = {action.kind: action for action in needs_action.actions(scope_of(con), On(con))}
        day = con.publication.as_of
        lapsed = analyses.by_name()["lapsed"].run(con).rows
        ending = ask(con, "licences_ending_30").value()
        lapsing, overdue = ask(con, "expiring_30").value(), ask(con, "overdue_files").value()
        oldest = ask(con, "oldest_overdue_file").value()
        missing = [row for row in data_quality.provinces(con).records() if row["sources_missing"]]
    counted = {kind: actions[kind].count if kind in actions else 0 for kind in _OPERATIONAL}
    assert counted == {
        "lapsed": len(lapsed),
        "licences_ending": ending,
        "training_lapsing": lapsing,
        "files_overdue": overdue,
        "not_submitted": len(missing),
    }
    assert overdue
    assert text.day(oldest, "en") in actions["files_overdue"].when
    assert lapsing
    assert text.day(day + timedelta(days=30), "en") in actions["training_lapsing"].when
    assert actions["lapsed"].link == Link("licensing", (("open", ("lapsed",)),))
    assert list(actions)[:2] == [kind for kind in _OPERATIONAL if kind in actions][:2], "exceptions come first"


_OPERATIONAL = ("lapsed", "licences_ending", "training_lapsing", "files_overdue", "not_submitted")


def compared(
    *places: tuple[str, float | None, str], name: str = "training_compliance", whole: float | None = 0.85
) -> Answer:
    """The answer of `different`: each province with its rate and side."""
    rows = [(code, value, whole, 0.01, 9, 0, 5 if side == "untested" else 900, side) for code, value, side in places]
    answer = made.answer(name, by=("province",), rows=rows)
    parts = (str(catalogue()[name].numerator), str(catalogue()[name].denominator))
    columns = ("province", name, "whole_value", "p_value", "institutes_compared", *parts, "side")
    return replace(answer, columns=columns)


def test_none_of_the_lowest_is_better_than_the_whole() -> None:
    def said(*places: tuple[str, float, str]) -> str:
        return different.sentence(compared(*places), "en", lambda _, code: code).words

    assert said(("IR-11", 0.9, "none"), ("IR-23", 0.95, "none")) == "", "both are above 85 %"
    one = said(("IR-11", 0.8, "none"), ("IR-20", 0.88, "none"), ("IR-23", 0.95, "none"))
    assert "IR-11" in one
    assert "IR-20" not in one


@pytest.mark.parametrize("side", ["none", "lower", "unclear"])
@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_the_number_of_the_whole_is_said_to_be_left_out_where_it_may_not_circulate(side: str, lang: str) -> None:
    answer = compared(("IR-11", 0.8, side), ("IR-23", 0.95, "none"), whole=None)
    for said in (
        different.sentence(answer, lang, lambda _, code: code),
        different.of_place(answer, "IR-11", lang, lambda _, code: code),
    ):
        assert "–" not in said.words
        assert text.word("file.status_c", lang) in said.words


def signals(question: Question) -> Answer:
    """A country without exceptions, in which two provinces stand out."""
    if question.analysis == "different":
        ((_, by), (_, name)) = question.options
        assert by == "province"
        return compared(("IR-20", 0.7, "lower"), ("IR-23", 0.95, "higher"), ("IR-11", 0.8, "none"), name=str(name))
    if question.analysis == "change_signals":
        rows = [
            ("IR-30", "1405-01", 0.001, 0.02, 0.05, 0.08, 1, 900, True),
            ("IR-30", "1405-02", 0.001, 0.02, 0.05, 0.08, 2, 900, True),
            ("IR-11", "1405-02", 0.09, 0.02, 0.05, 0.08, 81, 900, True),
        ]
        answer = made.answer("joiners", by=("province", "month"), rows=rows)
        measures = ("flow_share", "flow_low", "flow_middle", "flow_high", "flow_here", "flow_nation", "is_signal")
        return replace(answer, columns=("province", "month", *measures))
    if question.analysis:
        raise QuestionError(question.analysis)
    return made.answer(question.names[0], by=question.by, rows=[] if question.by else [(0,)])


NOBODY_MISSING = {
    data_quality.provinces: replace(
        made.answer("expiring_30", rows=[]), columns=("province", "sources_missing", "latest_day")
    )
}
SIGNALS = told(signals, NOBODY_MISSING)


def signalling(province: str = "") -> list[Action]:
    return needs_action.actions(scope(province=province), SIGNALS)


def test_provinces_below_are_one_item_and_changes_lead_to_their_province() -> None:
    level, change = signalling()
    assert (level.kind, level.count, level.link) == ("level", 1, Link("training"))
    assert level.sentence == "Order catch-up training in 1 province"
    assert (level.who, level.why) == ("Semnan", "training compliance significantly below the national average (85.0%)")
    asked = (("province", ("IR-30",)), ("m", ("joiners",)), ("by", ("month",)), ("chart", ("control",)))
    assert (change.kind, change.count, change.link) == ("change", 2, Link("explore", asked))
    assert change.when == "in Ordibehesht\u00a01405 (Apr–May\u00a02026)", "the latest month alone"
    assert [action.kind for action in signalling("IR-30")] == ["change"], "a province has its own"
    (own,) = signalling("IR-20")
    assert own.link == Link("training", (("province", ("IR-20",)),))
    assert own.sentence == "Order catch-up training"
    assert own.when == "training compliance 70.0%, significantly below the national average (85.0%)"
    assert signalling("IR-23") == [], "an improvement needs no action"


@pytest.mark.parametrize(
    ("province", "lang", "sentence", "about"),
    [
        (
            "",
            "en",
            "Ask 3 provinces for the data of Aban\u00a01405",
            "Isfahan, Hamadan, Tehran · due 5 Azar 1405 · returned: Hamadan",
        ),
        (
            "",
            "fa",
            "پیگیری ارسال دادهٔ آبان ۱۴۰۵ از ۳ استان",
            "اصفهان، همدان، تهران · مهلت: ۵ آذر ۱۴۰۵ · برگشت‌خورده: همدان",
        ),
        ("IR-10", "en", "Submit the data of Aban\u00a01405", "due 5 Azar 1405"),
        ("IR-13", "fa", "اصلاح و ارسال دوبارهٔ دادهٔ آبان ۱۴۰۵", "مهلت: ۵ آذر ۱۴۰۵"),
    ],
)
def test_who_owes_data_by_the_deadline_is_reminded(province: str, lang: str, sentence: str, about: str) -> None:
    codes = [province] if province else ["IR-10", "IR-13", "IR-23"]
    owed = Owed("1405-08", date(2026, 11, 26), codes, [code for code in codes if code == "IR-13"])
    part = "handin" if province else "approve"
    actions = needs_action.actions(scope(lang, province), SIGNALS, lambda: (owed, part))
    item = next(action for action in actions if action.kind == "owed")
    plain = [
        re.sub("[\u2066-\u2069]", "", words).replace("\u00a0", " ") for words in (item.sentence, item.about, sentence)
    ]
    assert plain[0] == plain[2]
    assert re.sub(r" \([^)]*\)", "", plain[1]) == about
    assert (item.link.part, item.count) == (part, len(codes))
    assert dict(item.link.parameters)["month"] == ("1405-08",)


@pytest.mark.parametrize(
    ("codes", "sentence", "who", "of"),
    [
        (["IR-10"], "Submit the data of Aban\u00a01405", "", ("IR-10",)),
        (["IR-10", "IR-23"], "Submit the data of Aban\u00a01405", "Isfahan, Tehran", ()),
    ],
)
def test_who_submits_is_told_what_they_owe_themselves(codes: list[str], sentence: str, who: str, of: tuple) -> None:
    owed = Owed("1405-08", date(2026, 11, 26), codes, [])
    item = next(one for one in needs_action.actions(scope(), SIGNALS, lambda: (owed, "handin")) if one.kind == "owed")
    assert (re.sub("[\u2066-\u2069]", "", item.sentence), re.sub("[\u2066-\u2069]", "", item.who)) == (sentence, who)
    assert (item.link.part, dict(item.link.parameters).get("of", ())) == ("handin", of)


@pytest.mark.parametrize(("province", "kind"), [("", "coverage"), ("IR-11", "coverage"), ("IR-23", "counties")])
def test_coverage_below_half_and_counties_without_anybody_are_an_item(province: str, kind: str) -> None:
    """With the people who could be in these counties; of a province, its own coverage."""

    def asked(question: Question) -> Answer:
        if question.analysis:
            assert question.options == (("by", "province"), ("metric", "coverage_per_10k")), "else not asked"
            places = (("IR-11", 1.81, "far_lower"), ("IR-02", 3.5, "lower"), ("IR-23", 9.0, "none"))
            return compared(*places, name="coverage_per_10k", whole=6.19)
        rows = {
            "active_assistants": [("2301", 900), (None, 12)],
            "uncovered_counties": [(6,)],
            "coverage_gap": [(-1491.2,)],
        }
        return made.answer(question.names[0], by=question.by, rows=rows[question.names[0]])

    (item,) = needs_action._low_coverage(scope(province=province), told(asked))
    counties, unknown = "6 counties without an active police assistant", "12 assistants are in no known county"
    assert (item.kind, item.link.part) == (kind, "coverage")
    said = {
        "": (
            "Recruit in 1 province with very low coverage",
            f"Sistan and Baluchestan · {counties} · coverage below half of the national average (6.19 per 10,000); {unknown}",
        ),
        "IR-11": (
            "Recruit 1,491 people to reach the national average",
            f"coverage 1.81, below half of the national average (6.19 per 10,000) · {counties} · {unknown}",
        ),
        "IR-23": ("Recruit for 6 counties without active assistants", "12 assistants are in no known county"),
    }
    assert (item.sentence, item.about) == said[province]


def test_what_ends_in_later_months_is_no_item(small_register: Path) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        made_of = analyses.analyse(con, "endings", by="nation")
    rows = [(kind, month, 9, 4.0, 8, month > "1405-09") for kind, month, *_ in made_of.rows]

    def asked(question: Question) -> Answer:
        return replace(made_of, rows=rows) if question.analysis == "endings" else signals(question)

    assert needs_action.actions(scope(), told(asked, NOBODY_MISSING)) == signalling()


def test_the_reminder_of_owed_data_takes_no_item_away(small_register: Path) -> None:
    owed = Owed("1405-08", date(2026, 11, 26), ["IR-10"], [])
    with access.connect(small_register, rights.ADMINISTRATOR) as con:

        def asked(question: Question) -> Answer:
            return (signals if question.analysis in ("different", "change_signals") else On(con))(question)

        listed = made.answer("active_assistants", by=("action",), rows=[])
        facts = {data_quality.provinces: data_quality.provinces(con), composed_answers.list_without_rows: listed}
        scope, ask = scope_of(con), told(asked, facts)
        without = [item.kind for item in needs_action.actions(scope, ask)]
        reminded = [item.kind for item in needs_action.actions(scope, ask, lambda: (owed, "approve"))]
        form = needs_action.with_owed(scope, ask, lambda: (owed, "approve")).form
    assert len(without) >= needs_action.MOST - 1 == 6, "else there is room for it"
    assert [kind for kind in reminded if kind != "owed"] == without
    assert reminded.index("owed") < needs_action.MOST
    assert isinstance(form, Actions)
    assert [item.kind for item in form.items + form.others] == reminded
    assert len(form.items) == 7
    assert form.more == (f"and {len(form.others)} more" if form.others else "")


@pytest.mark.parametrize(("dimension", "code"), [("gender", "female"), ("post", "guard"), ("education", "bachelor")])
def test_under_filters_of_persons_no_action_is_listed_and_why_is_said(dimension: str, code: str) -> None:
    nothing = made.answer("active_assistants", by=("action",), rows=[])
    told_ = told(lambda _: nothing, {composed_answers.list_without_rows: nothing})
    made_ = needs_action.needs_action(scope(**{dimension: (code,)}), told_)
    assert isinstance(made_.form, Actions)
    assert (made_.form.items, made_.form.others, made_.own_notes) == ((), (), ())
    assert text.word(f"scope.{dimension}", "en") in made_.form.none


def test_what_a_province_is_asked_about_comes_first_there(small_register: Path) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:

        def asked(question: Question) -> Answer:
            return signals(question) if question.analysis == "different" else On(con)(question)

        facts = {data_quality.provinces: data_quality.provinces(con)}
        first, *others = needs_action.actions(scope_of(con, "en", "IR-20"), told(asked, facts))
    assert first.kind == "level"
    assert others, "else it is first of one"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_an_item_names_its_number_and_repeats_no_sentence_of_the_panels(lang: str, small_register: Path) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        items = needs_action.actions(scope_of(con, lang), On(con))
    items += needs_action.actions(scope(lang), SIGNALS)
    said = training.findings(scope(lang), SIGNALS).sentences
    assert said
    assert {"lapsed", "level", "change"} <= {item.kind for item in items}
    for item in items:
        assert text.number(item.count, lang) in item.sentence
        assert not item.sentence[0].isdigit(), "it begins with what is to be done"
        assert item.sentence not in said


# ---------------------------------------------------------------- changes and clear differences


@pytest.mark.parametrize(
    ("name", "now", "then", "side", "signed", "judged"),
    [
        ("active_assistants", 55919, 50894, "", "+5,025 (+9.9%)", ""),
        ("training_compliance", 0.831, 0.812, "higher", "+1.9 percentage points", "better"),
        ("training_compliance", 0.831, 0.812, "none", "+1.9 percentage points", ""),
        ("leaver_rate_12m", 0.15, 0.12, "higher", "+3.0 percentage points", "worse"),
        ("leaver_rate_12m", 0.12, 0.15, "lower", "−3.0 percentage points", "better"),
        ("women_share", 0.12, 0.15, "lower", "−3.0 percentage points", ""),
        ("age_median", 34, 33, "", "+1.0 years", ""),
        ("coverage_per_10k", 6.0, 5.5, "", "+0.50", ""),
        # Of the shown values: 84.3 - 84.2, 6.29 - 5.79.
        ("training_compliance", 0.84343, 0.84177, "none", "+0.1 percentage points", ""),
        ("coverage_per_10k", 6.2893, 5.7949, "", "+0.50", ""),
    ],
)
def test_a_change_has_its_sign_and_is_judged_only_beyond_chance(
    name: str, now: float, then: float, side: str, signed: str, judged: str
) -> None:
    metric = catalogue()[name]
    assert changes.signed(metric, now, then, "en").startswith(signed)
    assert changes.verdict(metric, side) == judged


def test_the_percentage_of_published_people_is_whole_or_absent() -> None:
    metric = catalogue()["active_assistants"]
    data = disclosure.for_circulation(answer(metric.name, rows=[(1,)]))
    assert [changes.signed(metric, now, then, "en", data) for now, then in ((54_505, 50_055), (110, 95))] == [
        "+4,450 (+9%)",
        "+15",
    ]


@pytest.mark.parametrize(
    ("places", "fa", "en"),
    [
        (
            [("IR-20", 0.7, "lower"), ("IR-23", 0.95, "higher")],
            "پایبندی آموزشی در یک استان به‌طور معنادار کمتر از میانگین کشور (۸۵٫۰٪) است: سمنان ۷۰٫۰٪.",
            "Training compliance is significantly below the national average (85.0%) in one province: Semnan 70.0%.",
        ),
        (
            [("IR-20", 0.7, "lower"), ("IR-06", 0.71, "lower"), ("IR-11", None, "lower")],
            "پایبندی آموزشی در ۳ استان به‌طور معنادار کمتر از میانگین کشور (۸۵٫۰٪) است: سمنان ۷۰٫۰٪، خوزستان ۷۱٫۰٪ "
            "و سیستان و بلوچستان.",
            "Training compliance is significantly below the national average (85.0%) in 3 provinces: Semnan 70.0%, "
            "Khuzestan 71.0% and Sistan and Baluchestan.",
        ),
        (
            [(f"IR-0{n}", 0.7 + n / 100, "lower") for n in range(8)],
            "و ۳ استان دیگر.",
            "and 3 other provinces.",
        ),
        (
            # Nobody is named: the lowest as what they are, but not all of them.
            [("IR-20", 0.84, "none"), ("IR-07", 0.86, "none"), ("IR-11", 0.2, "untested")],
            "پایین‌ترین پایبندی آموزشی (گروه‌های دست‌کم ۲۳ نفر): سمنان ۸۴٫۰٪ (میانگین کشور: ۸۵٫۰٪).",
            "Lowest training compliance (groups of 23 people or more): Semnan 84.0% (the national average: 85.0%).",
        ),
        (
            [("IR-12", 0.95, "higher"), ("IR-20", 0.84, "none")],
            "پایین‌ترین پایبندی آموزشی: سمنان ۸۴٫۰٪ (میانگین کشور: ۸۵٫۰٪).",
            "Lowest training compliance: Semnan 84.0% (the national average: 85.0%).",
        ),
        ([("IR-20", 0.84, "none")], "", ""),
        ([("IR-11", 0.2, "untested")], "", ""),
        (
            [("IR-20", 0.7, "lower"), ("IR-16", 0.75, "unclear"), ("IR-07", 0.86, "none")],
            "پایبندی آموزشی در یک استان به‌طور معنادار کمتر از میانگین کشور (۸۵٫۰٪) است: سمنان ۷۰٫۰٪. "
            "ایلام (۷۵٫۰٪) نیز پایین است، اما با ۹ مؤسسه ممکن است اتفاقی باشد.",
            "Training compliance is significantly below the national average (85.0%) in one province: Semnan 70.0%. "
            "Ilam (75.0%) is also low, but the difference is not statistically significant with 9 institutes.",
        ),
    ],
)
def test_one_sentence_says_how_many_and_who(places: list[Any], fa: str, en: str) -> None:
    for lang, expected in (("fa", fa), ("en", en)):
        said = different.sentence(
            compared(*places), lang, lambda dimension, code, lang=lang: member_names.of(dimension, code, lang)
        )
        plain = re.sub("[\u2066-\u2069\u061c]", "", said.words).replace("\u00a0", " ")
        assert plain.endswith(expected) if expected.startswith(("و ", "and ")) else plain == expected


@pytest.mark.parametrize(
    ("places", "fa", "en"),
    [
        (
            [("IR-20", 0.7, "lower"), ("IR-07", 0.86, "none"), ("IR-11", 0.2, "untested")],
            "پایبندی آموزشی در یک استان انتخاب‌شده به‌طور معنادار کمتر از میانگین کشور (۸۵٫۰٪) است: سمنان ۷۰٫۰٪.",
            "Training compliance is significantly below the national average (85.0%) in one chosen province: Semnan 70.0%.",
        ),
        (
            [("IR-10", 0.95, "higher"), ("IR-07", 0.84, "none")],
            "پایین‌ترین پایبندی آموزشی: فارس ۸۴٫۰٪ (میانگین کشور: ۸۵٫۰٪).",
            "Lowest training compliance: Fars 84.0% (the national average: 85.0%).",
        ),
        ([("IR-11", 0.2, "untested"), ("IR-12", 0.3, "untested")], "", ""),
    ],
)
def test_a_sentence_about_some_provinces_does_not_speak_of_all(places: list[Any], fa: str, en: str) -> None:
    answer = replace(compared(*places), where={"province": tuple(code for code, *_ in places)})
    for lang, expected in (("fa", fa), ("en", en)):
        said = different.sentence(
            answer, lang, lambda dimension, code, lang=lang: member_names.of(dimension, code, lang)
        )
        assert re.sub("[\u2066-\u2069\u061c]", "", said.words).replace("\u00a0", " ") == expected
    # Who may see these provinces only has not chosen them: the page says what it leaves out.
    own = replace(answer, left_out=frozenset({"IR-23"}))
    assert "chosen" not in different.sentence(own, "en", lambda _, code: str(code)).words


def test_provinces_that_are_not_chosen_need_no_action() -> None:
    def kinds(*codes: str) -> list[str]:
        of = scope() if not codes else Scope(DAY, (("province", codes),), lang="en")
        return [action.kind for action in needs_action.actions(of, SIGNALS)]

    assert kinds() == ["level", "change"]
    assert kinds("IR-20", "IR-23") == ["level"]
    assert kinds("IR-30", "IR-23") == ["change"]


@pytest.mark.slow
def test_a_province_stands_beside_the_nation_with_its_side_and_without_a_rank(small_register: Path) -> None:
    with access.connect(small_register, rights.ADMINISTRATOR) as con:
        ask = Kept(On(con))
        for row in analyses.analyse(con, "different", metric="coverage_per_10k").records():
            exhibit = beside_nation(scope_of(con, "en", row["province"]), ask, similar=False)
            assert isinstance(exhibit.form, Rows)
            line, _, settled, *_ = exhibit.form.rows
            values = [text.plain(row[name], "per_10k", "en") for name in ("coverage_per_10k", "whole_value")]
            sides = {"far_lower": "below half of", "lower": "below three quarters of", "higher": "above four thirds of"}
            sides["far_higher"] = "more than twice"
            side = f"{sides[row['side']]} the nation" if row["side"] in sides else "–"
            assert line == (catalogue()["coverage_per_10k"].label["en"], *values, side)
            assert settled[0].startswith(catalogue()["leaver_rate_12m"].label["en"])
            assert ", to " in settled[0], "the day that is settled is named"


PROVINCES = sorted(member_names.fixed("province", "en"))


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (2, "Markazi, Gilan"),
        (3, "Markazi and 2 more"),
        (25, "Markazi and 24 more"),
        (26, "all but 5 provinces"),
        (28, "all but 3 provinces"),
        (29, "all but South Khorasan, Alborz"),
        (30, "all but Alborz"),
        (31, "Markazi and 30 more"),
    ],
)
def test_of_nearly_all_provinces_the_few_are_named_that_are_not_chosen(count: int, said: str) -> None:
    (written,) = wording.filters(ChartContext("en"), {"province": tuple(PROVINCES[:count])})
    assert re.sub("[\u2066-\u2069]", "", written) == said


@pytest.mark.parametrize(
    ("passes", "said"),
    [
        (1200, "20 fewer than needed"),
        (1440, "as many as needed"),
        (1560, "10 more than needed"),
    ],
)
def test_the_balance_of_seats_is_a_sum_of_the_numbers_beside_it(passes: float, said: str) -> None:
    written = training._balance({"lapses_ahead": 960.0, "joiner_courses": 480.0, "passes_ahead": passes}, "en")
    assert re.findall(r"\d+", written)[1:4] == ["80", "40", str(round(passes / 12))]
    assert written.endswith(f": {said}.")


BREAKS = [
    # before, after, size of the break; who is named
    ({"0100001": 112, "0100002": 50}, {"0100001": 0, "0100002": 55}, -120, "0100001 (−112)"),
    ({"0100001": 0}, {"0100001": 116, "0100002": 3}, 118, "0100001 (+116)"),
    ({}, {"0100001": 30, "0100002": 28, "0100003": 9}, 100, "0100001 (+30), 0100002 (+28)"),
    ({}, {f"010000{at}": 10 for at in range(1, 10)}, 90, ""),
    ({"0100001": 100}, {"0100001": 99}, 90, ""),
]


@pytest.mark.parametrize(("before", "after", "size", "named"), BREAKS)
def test_the_institutes_that_make_half_of_a_break_are_named(
    before: dict[str, int], after: dict[str, int], size: float, named: str
) -> None:
    def asked(question: Question) -> Answer:
        counts = after if question.on == date(2026, 11, 21) else before
        return made.answer("active_assistants", by=("institute",), rows=[*counts.items(), (None, 500)])

    said = "".join(breaks._said(replace(scope(), latest=date(2026, 12, 2)), told(asked), "1405-08", size))
    assert re.sub("[\u2066-\u2069]", "", said).rpartition(" at ")[2] == named
