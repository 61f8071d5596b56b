"""The sentences of the first screen and the briefing, made from answers alone: verdict, needs action, ranks, changes."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.analysis import data_quality, registry
from etl.core.errors import QuestionError
from etl.core.jalali import add_months
from etl.semantic import access
from etl.semantic.answers import Answer, ask
from etl.semantic.catalog import catalogue
from etl.semantic.provisional import settled_on
from etl.semantic.ranking import rank
from etl.warehouse import publications
from tests import made
from ui.i18n import text
from ui.summary import changes, needs_action, ranks, verdict
from ui.summary.sources import Sources

LANGUAGES = ("fa", "en")


def sources_of(con: duckdb.DuckDBPyConnection, lang: str = "en", province: str = "") -> Sources:
    """The answers of a connection, as used by the printed briefing."""
    where = {"province": (province,)} if province else {}

    def asked(*names: str, by: Any = (), on: date | None = None, over: Any = None) -> Answer:
        return ask(con, *names, by=by, on=on, over=over, where=where)

    return Sources(
        lang,
        publications.describe(con).as_of,
        province,
        asked,
        lambda name: registry.analyses()[name].run(con, where=where),
        lambda name: registry.analyses()[name].run(con),
        lambda: data_quality.provinces(con),
        lambda name: settled_on(con, name),
        lambda dimension, code: text.member(dimension, code, lang),
    )


# ---------------------------------------------------------------- verdict


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_number_of_the_verdict_is_one_that_was_asked(lang: str, small_register: Path) -> None:
    with access.connect(small_register, access.ADMINISTRATOR) as con:
        sources = sources_of(con, lang)
        facts = verdict.facts(sources)
        sentences = " ".join(verdict.sentences(facts, sources))
        active = ask(con, "active_assistants").value()
        before = ask(con, "active_assistants", on=add_months(sources.on, -12)).value()
        target = ask(con, "target").value()
        progress = ask(con, "target_progress").value()
    assert before != active < target
    for number in (active, target, target - active, abs(active - before)):
        assert text.number(number, lang) in sentences
    assert text.percent(progress, lang) in sentences
    assert text.percent(abs(active - before) / before, lang) in sentences
    assert text.word("compare.better" if active > before else "compare.worse", lang) in sentences


def known(**changes: Any) -> verdict.Facts:
    facts = {
        "active": 900,
        "before": 800,
        "target": 1000.0,
        "first": "1406-01",
        "middle": "1406-03",
        "last": "1406-05",
    }
    return verdict.Facts(**{**facts, "has_range": True, "latest": None, **changes})


def stub(lang: str = "en", **changes: Any) -> Sources:
    nothing: Any = None
    blank = Sources(lang, date(2026, 6, 30), "", nothing, nothing, nothing, nothing, nothing, lambda _, code: str(code))
    return replace(blank, **changes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "the target is reached in Khordad 1406 (between Farvardin and Mordad 1406)."),
        ({"last": "1407-02"}, "in Khordad 1406 (between Farvardin 1406 and Ordibehesht 1407)."),
        ({"first": "1406-03", "last": "1406-03"}, "is reached in Khordad 1406."),
        ({"last": None}, "in Khordad 1406 (not before Farvardin 1406; the latest month is more than five years away)."),
        ({"middle": None, "last": None}, "not reached within five years (at the earliest in Farvardin 1406)."),
        ({"middle": None, "first": None, "last": None}, "not reached within five years."),
        ({"has_range": False, "first": None, "middle": None}, "history is too short"),
        ({"has_range": False, "first": None, "last": None}, "is reached in Khordad 1406."),
        ({"broken": ("1404-07", -6000.0)}, "After the drop of Mehr 1404, the past says little about what comes."),
        ({"broken": ("1404-07", 900.0)}, "After the jump of Mehr 1404,"),
        ({"active": 1100}, "the target of 1,000 is met (110.0%, 100 above it)."),
        ({"target": None}, "900 assistants are active."),
        ({"before": 1000}, "That is worse than a year ago: down 100 (10.0%)."),
        ({"before": 900}, "unchanged from a year ago."),
    ],
)
def test_the_verdict_says_what_is_known_and_no_more(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in " ".join(verdict.sentences(known(**changes), stub()))


@pytest.mark.parametrize(("on", "sentence"), [(date(2021, 6, 1), "too short"), (date(2025, 6, 1), "within five years")])
def test_a_target_is_out_of_reach_for_five_years_only_where_the_range_is_as_long(
    on: date, sentence: str, small_register: Path
) -> None:
    with access.connect(small_register, access.ADMINISTRATOR) as con:
        sources = replace(sources_of(con), on=on, analyse=lambda name: registry.analyses()[name].run(con, on=on))
        facts = verdict.facts(sources)
        assert facts.first is None
        assert sentence in verdict.sentences(facts, sources)[-1]


def test_a_province_without_a_target_of_its_own_has_no_progress(small_register: Path) -> None:
    with access.connect(small_register, access.ADMINISTRATOR) as con:
        sources = sources_of(con, "en", "IR-23")
        facts = verdict.facts(sources)
        assert ask(con, "target", where={"province": ("IR-23",)}).value() > 0, "its census share"
    assert facts.target is None
    assert facts.progress is None


# ---------------------------------------------------------------- needs action


def test_each_item_counts_what_its_list_holds(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs_action, "MOST", 99)
    with access.connect(small_register, access.ADMINISTRATOR) as con:
        sources = sources_of(con)
        actions = {action.kind: action for action in needs_action.actions(sources)}
        lapsed = registry.analyses()["lapsed"].run(con).rows
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
    assert text.day(sources.on + timedelta(days=30), "en") in actions["training_lapsing"].when
    assert actions["lapsed"].part == "licensing"
    assert actions["lapsed"].parameters == {"open": ["lapsed"]}
    assert list(actions)[:2] == [kind for kind in _OPERATIONAL if kind in actions][:2], "exceptions come first"


_OPERATIONAL = ("lapsed", "licences_ending", "training_lapsing", "files_overdue", "not_submitted")


@dataclass
class Signals:
    """A country without exceptions, in which two provinces stand out."""

    def analyse(self, name: str) -> Answer:
        raise QuestionError(name)

    def everywhere(self, name: str) -> Answer:
        if name == "level_signals":
            row = (0.7, 18.0, -4.0, 0.8, 0.9, 1.1, 70, 100, True)
            rows = [
                ("IR-20", *row),
                ("IR-23", 0.95, 20.0, 4.0, *row[3:]),
                ("IR-11", 0.8, 1.0, -1.0, *row[3:8], False),
            ]
            columns = ("funnel_z", "funnel_low", "funnel_high", "funnel_phi")
            names = ("training_compliance", "beyond_common", *columns)
            answer = made.answer("training_compliance", by=("province",), rows=rows)
            return replace(answer, columns=("province", *names, "part", "count", "is_signal"))
        rows = [
            ("IR-30", "1405-01", 0.001, 0.02, 0.05, 0.08, 1, 900, True),
            ("IR-30", "1405-02", 0.001, 0.02, 0.05, 0.08, 2, 900, True),
            ("IR-11", "1405-02", 0.09, 0.02, 0.05, 0.08, 81, 900, True),
        ]
        answer = made.answer("joiners", by=("province", "month"), rows=rows)
        measures = ("flow_share", "flow_low", "flow_middle", "flow_high", "flow_here", "flow_nation", "is_signal")
        return replace(answer, columns=("province", "month", *measures))


def nothing_asked(*_names: str, **_how: Any) -> Answer:
    return made.answer("expiring_30", rows=[(0,)])


def signalling(province: str = "") -> Sources:
    country = Signals()
    nobody = replace(made.answer("expiring_30", rows=[]), columns=("province", "sources_missing", "latest_day"))
    return stub(
        ask=nothing_asked,
        analyse=country.analyse,
        everywhere=country.everywhere,
        provinces=lambda: nobody,
        province=province,
        member=lambda dimension, code: text.member(dimension, code, "en"),
    )


def test_signals_on_the_worse_side_follow_and_lead_to_their_province() -> None:
    level, change = needs_action.actions(signalling())
    assert (level.kind, level.parameters) == ("level", {"province": ["IR-20"]})
    assert "18 people fewer" in level.sentence
    assert (change.kind, change.count, change.parameters) == ("change", 2, {"province": ["IR-30"]})
    assert change.when == "in Ordibehesht 1405", "the latest month alone"
    assert {level.part, change.part} == {"province"}
    assert [action.kind for action in needs_action.actions(signalling("IR-30"))] == ["change"], "a province has its own"
    assert needs_action.actions(signalling("IR-23")) == [], "an improvement needs no action"


def test_no_more_than_five_items_are_named(small_register: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert needs_action.MOST == 5
    with access.connect(small_register, access.ADMINISTRATOR) as con:
        monkeypatch.setattr(needs_action, "MOST", 99)
        every = needs_action.actions(sources_of(con))
        monkeypatch.setattr(needs_action, "MOST", 2)
        actions = needs_action.actions(sources_of(con))
    assert len(every) > 2
    assert actions == every[:2]


# ---------------------------------------------------------------- changes and ranks


@pytest.mark.parametrize(
    ("name", "now", "then", "signed", "judged"),
    [
        ("active_assistants", 55919, 50894, "+5,025 (+9.9%)", "better"),
        ("active_assistants", 90, 100, "−10 (−10.0%)", "worse"),
        ("training_compliance", 0.831, 0.812, "+1.9 percentage points", "better"),
        ("leaver_rate_12m", 0.15, 0.12, "+3.0 percentage points", "worse"),
        ("training_compliance", 0.81204, 0.812, "0.0 percentage points", "unchanged"),
        ("age_median", 34, 33, "+1.0", ""),
    ],
)
def test_a_change_has_its_sign_and_is_judged_by_the_direction_of_its_measure(
    name: str, now: float, then: float, signed: str, judged: str
) -> None:
    metric = catalogue()[name]
    assert changes.signed(metric, now, then, "en").startswith(signed)
    assert changes.verdict(metric, now, then, "en") == judged


def test_no_rank_is_given_where_provinces_differ_no_more_than_by_chance() -> None:
    def line(shares: dict[str, float]) -> str:
        rows = [(code, share, round(share * 400), 400) for code, share in shares.items()]
        parts = ("compliant_assistants", "trainable_assistants")
        places = made.answer("training_compliance", by=("province",), rows=rows, more=parts)
        nation = made.answer("training_compliance", rows=[(0.85, 1020, 1200)], more=parts)
        ((*_, words),) = ranks.rows(stub(province="IR-23"), {"training_compliance": (places, nation)})
        return words

    assert line({"IR-23": 0.855, "IR-00": 0.85, "IR-11": 0.845}) == "no clear difference"
    assert line({"IR-23": 0.955, "IR-00": 0.85, "IR-11": 0.745}) == "1 of 3"


def test_a_rank_counts_from_the_best_and_none_is_given_to_few(small_register: Path) -> None:
    with access.connect(small_register, access.ADMINISTRATOR) as con:
        answers_by_name = {
            name: (ask(con, name, by=("province",)), ask(con, name)) for name in ("coverage_per_10k", "leaver_rate_12m")
        }
        sized = {row["province"]: row for row in answers_by_name["coverage_per_10k"][0].records()}
        by_place = {
            code: {
                name: ranks.place(rank(places, name), code, places.metrics[0])
                for name, (places, _) in answers_by_name.items()
            }
            for code in sized
        }
        best_covered = rank(answers_by_name["coverage_per_10k"][0], "coverage_per_10k").ranked[0]
        (line, _) = ranks.rows(sources_of(con, "en", str(best_covered.key[0])), answers_by_name)
    nation = text.plain(answers_by_name["coverage_per_10k"][1].value(), "per_10k", "en")
    count = sum(places["coverage_per_10k"] is not None for places in by_place.values())
    label = catalogue()["coverage_per_10k"].label["en"]
    assert line == [label, text.plain(best_covered.value, "per_10k", "en"), nation, f"1 of {count}"]
    small = {code for code, row in sized.items() if row["active_assistants"] < 23}
    assert small
    assert all(by_place[code]["coverage_per_10k"] is None for code in small)
    for name, is_low_best in (("coverage_per_10k", False), ("leaver_rate_12m", True)):
        ranked = rank(answers_by_name[name][0], name).ranked
        best = ranked[-1 if is_low_best else 0]
        assert by_place[best.key[0]][name] == 1
        places = sorted(items[name] for items in by_place.values() if items[name] is not None)
        assert len(places) == len(ranked) < len(sized)
        assert places[0] == 1
