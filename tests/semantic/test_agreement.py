"""The pipeline against the oracle: two computations of one contract, which must agree.

The hand-made sample and a made-up register of 31 provinces are built by the command line; then
every metric of the contract is asked for ungrouped and by every dimension it has, on ten days, by
month, quarter and year, filtered at random, and compared with plain Python counting from the source
files.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from etl.cli.commands import main
from etl.semantic import answers, catalog
from etl.semantic.access import ScopedCursor
from etl.semantic.rights import ADMINISTRATOR
from etl.warehouse import publications
from tests.conftest import BUILD_DAY, Sample
from tests.effort import draws
from tests.loading import build
from tests.oracle import oracle
from tests.oracle.measures import SPELL_DIMENSIONS as PEOPLE
from tests.oracle.measures import TIMES, Answers, Where
from tests.oracle.read import check_digit_ok, fold

SAMPLE = Path(__file__).parents[1] / "sample"
TOLERANCE = 1e-9

INSTITUTES = ("province", "county", "institute", "activity")
# The dimensions by which each metric of the contract must at least answer, besides time.
MUST_ANSWER = {
    "active_assistants": PEOPLE,
    "in_service": PEOPLE,
    "licensed_institutes": INSTITUTES,
    "judicial_officers": PEOPLE,
    "judicial_officer_share": PEOPLE,
    "veterans": PEOPLE,
    "veteran_share": PEOPLE,
    "smart_service_share": INSTITUTES,
    "target_progress": ("province",),
    "joiners": PEOPLE,
    "leavers": PEOPLE,
    "transfers_in": ("province", "institute"),
    "transfers_out": ("province", "institute"),
    "net_change": PEOPLE,
    "leaver_rate_12m": PEOPLE,
    "early_attrition": PEOPLE,
    "residents": ("province",),
    "per_100k": ("province",),
    "coverage_per_10k": ("province",),
    "coverage_per_100km2": ("province",),
    "coverage_gap": ("province",),
    "counties_covered": ("province",),
    "training_compliance": (*PEOPLE, "course"),
    "trained_assistants": PEOPLE,
    "trained_share": PEOPLE,
    "veteran_led_institutes": INSTITUTES,
    "veteran_led_institute_share": INSTITUTES,
    "institute_age_median": INSTITUTES,
    "institutes_founded": INSTITUTES,
    "requirement_rate": PEOPLE,
    "expiring_30": PEOPLE,
    "expiring_60": PEOPLE,
    "expiring_90": PEOPLE,
    "training_hours": PEOPLE,
    "applications": INSTITUTES,
    "decided": INSTITUTES,
    "granted": INSTITUTES,
    "refused": INSTITUTES,
    "outstanding": INSTITUTES,
    "overdue_files": INSTITUTES,
    "time_to_licence_median": INSTITUTES,
    "time_to_licence_p90": INSTITUTES,
    "renewal_rate": INSTITUTES,
}
DIMENSIONS = (*PEOPLE, "course", "outcome")
# Numerators may be filtered by these, although the metric itself is grouped by province only.
FILTERED_COVERAGE = tuple(name for name in PEOPLE if name not in ("province", "county", "institute"))
STATES, FLOWS = list(oracle.STATES), list(oracle.FLOWS)


def run(*arguments: str) -> str:
    """The output of a command, run in this process; its errors are shown where it fails."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    assert code == 0, err.getvalue()[-2000:]
    return out.getvalue()


@dataclass
class Built:
    """A folder built by the pipeline, and the same folder read by the oracle."""

    file: Path
    report: dict[str, Any]
    con: duckdb.DuckDBPyConnection
    load: oracle.Load
    data: oracle.Data

    def cases(self, few: int, promised: int) -> int:
        """The number of cases: fewer for a large register in every run, since the oracle counts all of it for each."""
        return promised if len(self.data.spells) < 1000 else draws(few, promised)

    def ask(self, *names: str, **question: Any) -> Answers:
        answer = answers.ask(self.con, *names, **question)
        return keyed(answer.by, names, answer.records())


def open_built(folder: Path, file: Path) -> Built:
    load, data = oracle.read(folder, BUILD_DAY)
    con = ScopedCursor(publications.connect(file), ADMINISTRATOR)
    report = json.loads(file.with_name("report.json").read_text(encoding="utf-8"))
    return Built(file, report, con, load, data)


@pytest.fixture(scope="module")
def by_hand(publish_sample: Callable[..., Sample]) -> Iterator[Built]:
    sample = publish_sample()
    built = open_built(sample.folder, sample.pointer)
    yield built
    built.con.close()


@pytest.fixture(scope="module")
def made_up(publish_sample: Callable[..., Sample]) -> Iterator[Built]:
    sample = publish_sample(0.02, 5)
    built = open_built(sample.folder, sample.pointer)
    yield built
    built.con.close()


@pytest.fixture(scope="module")
def tangled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    at = tmp_path_factory.mktemp("tangled")
    folder = at / "incoming"
    folder.mkdir()
    write_tangled(folder, random.Random(5))
    file = at / "warehouse.duckdb"
    assert build(folder, to=file, accept_loss=False).code == 0
    built = open_built(folder, file)
    yield built
    built.con.close()


@pytest.fixture(params=["by_hand", *(pytest.param(name, marks=pytest.mark.slow) for name in ("made_up", "tangled"))])
def built(request: pytest.FixtureRequest) -> Built:
    return request.getfixturevalue(request.param)


# ------------------------------------------------------------------ a register gone wild
def write_csv(path: Path, header: str, rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header.split(","))
        writer.writerows(rows)


def national_id(number: int) -> str:
    return next(f"{number:09}{digit}" for digit in range(10) if check_digit_ok(f"{number:09}{digit}"))


def write_tangled(folder: Path, chance: random.Random) -> None:
    """Few people and places, many short spells that overlap, touch, and begin or end on one day, which is rare in
    a tidy register. Days are close together so that edge cases are frequent."""

    def day(first: int, last: int) -> date:
        return date(2023, 1, 1) + timedelta(chance.randint(first, last))

    def sometimes(value: Any, how_often: float = 0.7) -> Any:
        return value if chance.random() < how_often else ""

    places = [("IR-23", "2301"), ("IR-23", "2303"), ("IR-30", "3001"), ("IR-10", "")]
    codes = ["B1", "b2", "A3", "۰4", "٠5", "06"]
    institutes: list[tuple[Any, ...]] = []
    licences: list[tuple[Any, ...]] = []
    spells: dict[tuple[str, str, date], tuple[Any, ...]] = {}
    completions = set()
    for code in codes:
        status = chance.choice(["active", "active", "suspended", "revoked"])
        since = day(400, 1000) if status != "active" else ""
        province, county = chance.choice(places)
        activity = chance.choice(["guarding", "patrol", "escort"])
        smart = chance.choice(["yes", "no", ""])
        institutes.append((code, "نمونه", province, county, activity, status, since, smart))
        until = date(2022, 12, 1)
        for number in range(6):
            applied = until - timedelta(chance.randint(0, 60))
            complete = applied + timedelta(chance.randint(0, 20))
            decided = complete + timedelta(chance.randint(0, 70))
            outcome = chance.choice(["granted"] * 4 + ["refused", "withdrawn", ""])
            start = until + timedelta(chance.choice([-20, 0, 1, 1, 2, 30]))
            until = start + timedelta(chance.randint(100, 300))
            granted = outcome == "granted"
            licences.append(
                (
                    f"{code}/{number}",
                    code,
                    chance.choice(["new", "renewal"]),
                    applied,
                    sometimes(complete, 0.9),
                    decided if outcome else sometimes(decided, 0.5),
                    outcome,
                    start if granted else "",
                    until if granted else "",
                )
            )
    # A value that cannot be loaded has one fault, and is not reported as missing as well.
    rejected_rows = [
        ("9/1", "B1", "new", "2024-01-01", "", "2124-01-01", "granted", "2024-02-30", "2025-01-01"),
        ("9/2", "B1", "new", "2024-01-01", "1403/13/01", "2023-12-31", "refused", "", ""),
        ("9/3", "B1", "new", "2024-01-01", "2023-12-31", "2023-12-30", "granted", "", "2025-01-01"),
        ("9/4", "B1", "new", "2024-01-01", "", "", "granted", "2025-01-02", "2025-01-01"),
    ]
    licences += rejected_rows
    institutes.append(("X9", "نمونه", "IR-23", "", "patrol", "closed", "1404/12/30", ""))
    institutes.append(("X8", "نمونه", "IR-23", "", "patrol", "closed", "", ""))
    steps = [0, 0, 1, 1, 2, 45, 89, 90, 91, 92, 150]
    for number in range(150):
        person = national_id(999100000 + number)
        gender, education = chance.choice(["male", "female"]), sometimes("diploma")
        left_on = day(0, 700)
        for _ in range(chance.randint(1, 6)):
            hired = left_on + timedelta(chance.choice(steps) * chance.choice([1, 1, 1, -1]))
            left_on = hired + timedelta(chance.choice([0, 1, 30, 89, 90, 200, 360]))
            code, (province, county) = chance.choice(codes), chance.choice(places)
            from_day = sometimes(hired + timedelta(chance.randint(-30, 60)), 0.3)
            spells[person, code, hired] = (
                person,
                code,
                province,
                county,
                gender,
                "1990-05-05",
                education,
                chance.choice(["guard", "guard", "team_leader", "operator", "manager"]),
                hired,
                sometimes(left_on, 0.9),
                from_day,
                sometimes(from_day and from_day + timedelta(chance.randint(0, 200))),
                chance.choice(["yes", "no", ""]),
            )
        for _ in range(chance.randint(0, 9)):
            course, result = chance.choice("xyz"), chance.choice(["passed"] * 4 + ["failed"])
            completions.add((person, course, day(-200, 1000), result))
    leader_chance = random.Random(9)
    founded = ["2020-02-29", "2016-02-29", "", *(date(2014, 3, 1) + timedelta(97 * at) for at in range(30))]
    write_csv(
        folder / "institutes.csv",
        "institute_code,name,province,county,activity,status,status_since,smart_services,veteran_led,founded_on",
        [
            (*institute, leader_chance.choice(["yes", "no", ""]), leader_chance.choice(founded))
            for institute in institutes
        ],
    )
    write_csv(
        folder / "licences.csv",
        "application_no,institute_code,kind,applied_on,file_complete_on,decided_on,outcome,valid_from,valid_until",
        licences,
    )
    write_csv(
        folder / "personnel.csv",
        "national_id,institute_code,province,county,gender,birth_date,education,post,hired_on,"
        "left_on,judicial_officer_from,judicial_officer_until,veteran",
        list(spells.values()),
    )
    write_csv(
        folder / "training.csv",
        "national_id,course_code,completed_on,result,hours",
        [(*row, chance.choice(["", 5, 7.5])) for row in sorted(completions)],
    )
    write_csv(
        folder / "courses.csv",
        "course_code,title_fa,title_en,posts,valid_months,hours,due_days",
        [
            ("x", "ایکس", "X", "*", 6, 10, 30),
            ("Y", "ایگرگ", "Y", "guard|manager", 3, "", 90),
            ("z", "زد", "Z", "team_leader|operator", "", 4, ""),
        ],
    )
    write_csv(
        folder / "population.csv",
        "province,date,residents,kind,source",
        [
            (province, day, chance.randrange(50_000, 9_000_000), chance.choice(["census", "estimate"]), "made up")
            for province in sorted(oracle.read_folder(SAMPLE, BUILD_DAY).reference.provinces)
            for day in chance.sample(
                [date(2018, 1, 1) + timedelta(days=90 * at) for at in range(40)], chance.randint(1, 4)
            )
        ],
    )
    write_csv(
        folder / "targets.csv",
        "metric,province,date,value",
        [
            ("active_assistants", "", "2023-06-01", 60),
            ("active_assistants", "تهران", "2024-01-01", 25.5),
            ("active_assistants", "", "1403/01/01", 90),
            ("joiners", "", "2024-06-01", 1),
        ],
    )


# ------------------------------------------------------------------ comparing
def member(value: Any) -> Any:
    """A group's name: codes are the same in any letter case, an empty cell is the unknown."""
    return fold(value) if isinstance(value, str) and value else None


def keyed(by: tuple[str, ...], names: tuple[str, ...], records: list[dict[str, Any]]) -> Answers:
    groups = {tuple(member(row[dimension]) for dimension in by): {name: row[name] for name in names} for row in records}
    assert len(groups) == len(records), f"a group stands twice: by {by}"
    return groups


def same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def is_met(values: dict[str, float | None]) -> bool:
    """Whether anything is counted there. Residents and a gap to the average exist without anybody in service."""
    return any(value for name, value in values.items() if name not in ("coverage_gap", "residents"))


def must_have_a_row(key: tuple[Any, ...], by: tuple[str, ...]) -> bool:
    """Whether a group must have a row: every province and every unit of time does."""
    return not by or (len(by) == 1 and (by[0] in TIMES or (by[0] == "province" and bool(key[0]))))


def differences(theirs: Answers, ours: Answers, by: tuple[str, ...]) -> list[str]:
    """The differences, in words. A group that one side leaves out must count nothing on the other."""
    ours = {tuple(member(code) for code in key): values for key, values in ours.items()}
    messages = [f"{key}: only in the pipeline" for key in theirs.keys() - ours.keys()]
    for key, values in ours.items():
        if key not in theirs:
            if must_have_a_row(key, by) or is_met(values):
                messages.append(f"{key}: not in the pipeline, oracle {values}")
            continue
        messages += [
            f"{key} {name}: pipeline {theirs[key][name]}, oracle {value}"
            for name, value in values.items()
            if not same(theirs[key][name], value)
        ]
    return messages


def compare(built: Built, names: list[str], by: tuple[str, ...] = (), **question: Any) -> None:
    where: Where = question.pop("where", {})
    filters = {dimension: sorted(values) for dimension, values in where.items()}
    theirs = built.ask(*names, by=by, where=filters, **question)
    ours = oracle.ask(built.data, names, by=by, where=where, **question)
    messages = differences(theirs, ours, by)
    assert not messages, f"by {by} {question} where {where}:\n" + "\n".join(sorted(messages)[:20])


def allowed(name: str, *dimensions: str) -> bool:
    """Whether a metric can be split by these dimensions."""
    return catalog.catalogue()[name].groups.issuperset(dimensions)


def days(built: Built) -> list[date]:
    """The as-of day, its neighbour, the leap days of both calendars, and up to seven more back in the past."""
    as_of = built.data.as_of
    chosen = random.Random(1).sample(range(2, 2400), built.cases(1, 7))
    leap_days = [day for day in (date(2024, 2, 29), date(2025, 3, 20)) if day <= as_of]
    return [as_of, as_of - timedelta(1), *leap_days, *(as_of - timedelta(n) for n in chosen)]


def edges(built: Built) -> list[date]:
    """Last days of licences, spells and accreditations, and some first days."""
    data, chance, days = built.data, random.Random(4), []
    for days_met in (
        [row["valid_until"] for row in data.licences],
        [row["valid_from"] for row in data.licences],
        [row["status_since"] for row in data.institutes.values()],
        [spell.judicial_until for spell in data.spells],
        [spell.left_on for spell in data.spells],
        [spell.hired_on for spell in data.spells],
        [row["completed_on"] for row in data.completions],
    ):
        past = sorted({day for day in days_met if day is not None and day <= data.as_of})
        days += chance.sample(past, min(len(past), built.cases(1, 4)))
    return days


def periods(built: Built) -> list[tuple[date, date]]:
    """The twelve complete months, one day, a half year cut anywhere, five years."""
    as_of = built.data.as_of
    return [
        oracle.last_twelve_months(as_of),
        (as_of, as_of),
        (as_of - timedelta(400), as_of - timedelta(217)),
        (as_of - timedelta(5 * 365), as_of),
    ]


# ------------------------------------------------------------------ the load
def test_every_file_is_counted_alike(built):
    theirs = {
        entry["file"]: (
            entry["table"],
            entry["rows_read"],
            entry["rows_loaded"],
            entry["rows_quarantined"],
            entry["exact_duplicates"],
            entry["rows_warned"],
        )
        for entry in built.report["files"]
    }
    ours = {
        name: (count.table, count.read, count.loaded, count.quarantined, count.duplicates, count.warned)
        for name, count in built.load.files.items()
    }
    assert theirs == ours
    assert all(read == loaded + quarantined + twice for _, read, loaded, quarantined, twice, _ in theirs.values())


def test_reasons_are_counted_alike(built):
    assert {k: v for k, v in built.report["reasons"].items() if v} == dict(built.load.reasons)


@pytest.mark.slow
def test_the_made_up_register_exercises_every_reason(made_up):
    assert set(made_up.load.reasons) == {
        "missing_value",
        "bad_date",
        "future_date",
        "unknown_value",
        "unknown_province",
        "unknown_course",
        "bad_national_id",
        "spoilt_number",
        "age_out_of_range",
        "left_before_hired",
        "decided_before_complete",
        "ends_before_starts",
        "missing_status_since",
        "orphan_institute",
        "orphan_person",
        "conflicting_key",
        "ragged_row",
        "bad_encoding",
    }


@pytest.mark.slow
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_made_up_register_has_members_of_every_dimension(made_up, dimension):
    """Otherwise a new dimension would be compared on unknown members only."""
    assert len([value for value in oracle.members(made_up.data, dimension) if value is not None]) > 1


def test_the_same_rows_are_rejected(built):
    for options, ours in (((), built.load.faults), (("--warned",), built.load.warned)):
        rows = csv.DictReader(io.StringIO(run("quarantine", "--from", str(built.file), *options)))
        # The place in a workbook is its sheet and row.
        theirs = Counter((r["file"], int(r["line"].rpartition("!")[2]), r["column"], r["reason"]) for r in rows)
        assert theirs == Counter(ours)


def test_the_as_of_day(built):
    assert built.report["as_of"] == built.data.as_of.isoformat()


# ------------------------------------------------------------------ every metric
def test_the_catalogue_holds_every_metric_of_the_contract():
    assert set(MUST_ANSWER) == set(STATES) | set(FLOWS)
    names = {line.split()[0] for line in run("metrics").splitlines()}
    assert set(MUST_ANSWER) <= names
    for name, dimensions in MUST_ANSWER.items():
        assert allowed(name, *dimensions, *TIMES), f"{name} is refused by one of {dimensions}"


def test_states_ungrouped(built):
    for day in days(built):
        compare(built, STATES, on=day)


def test_states_on_the_days_things_change(built):
    for day in edges(built):
        compare(built, STATES, on=day)


def test_flows_ungrouped(built):
    for over in periods(built):
        compare(built, FLOWS, over=over)
    compare(built, FLOWS)  # the default: the last twelve complete months


@pytest.mark.parametrize("dimension", [*PEOPLE, "course"])
def test_states_by(built, dimension):
    names = [name for name in STATES if allowed(name, dimension)]
    chosen = days(built)[:4:2]
    # A large register is counted ungrouped on all days, and by dimensions of many members on one.
    if built.cases(0, 1):
        chosen = days(built) if dimension == "province" else chosen
    elif dimension in ("county", "institute"):
        chosen = chosen[1:]
    for day in chosen:
        compare(built, names, (dimension,), on=day)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_flows_by(built, dimension):
    names = [name for name in FLOWS if allowed(name, dimension)]
    # Five years of a large register are counted by province alone.
    for over in periods(built) if dimension == "province" else periods(built)[2 : built.cases(3, 4)]:
        compare(built, names, (dimension,), over=over)


@pytest.mark.parametrize("time", TIMES)
def test_by_time(built, time):
    as_of = built.data.as_of
    # About as many months and quarters of a large register as years.
    length = built.cases({"month": 80, "quarter": 230, "year": 900}[time], 900)
    given = [(as_of - timedelta(length), as_of), (as_of - timedelta(length + 40), as_of - timedelta(40))]
    # Years without a period are those of the whole register.
    for over in (*given, *[None] * built.cases(0, 1)):
        compare(built, STATES, (time,), **({"over": over} if over else {}))
        compare(built, FLOWS, (time,), **({"over": over} if over else {}))


def test_states_and_flows_in_one_question(built):
    day, over = built.data.as_of - timedelta(50), periods(built)[2]
    compare(built, ["active_assistants", "joiners", "renewal_rate"], on=day, over=over)
    compare(built, ["joiners", "in_service"], ("province",), on=day, over=over)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        (
            ("province", "month"),
            ["active_assistants", "training_compliance", "licensed_institutes"],
        ),
        (("province", "month"), ["joiners", "leavers", "transfers_in", "transfers_out", "decided"]),
        (("year", "institute"), ["joiners", "transfers_in", "transfers_out", "granted"]),
        (("activity", "post"), ["active_assistants", "requirement_rate", "leaver_rate_12m"]),
        (("gender", "province"), ["in_service", "veteran_share", "expiring_60"]),
        (("province", "course"), ["training_compliance"]),
    ],
)
def test_pairs(built, by, names):
    compare(built, names, by)


# ------------------------------------------------------------------ filters
def random_filter(built: Built, chance: random.Random, dimensions: list[str]) -> Where:
    where: Where = {}
    for dimension in chance.sample(dimensions, min(len(dimensions), chance.choice([1, 1, 2, 3]))):
        members = [value for value in oracle.members(built.data, dimension) if value is not None]
        # A register without the column has no member to filter by.
        if members:
            where[dimension] = set(chance.sample(members, min(len(members), chance.choice([1, 2, 4]))))
    return where


def test_filters(built):
    chance = random.Random(2)
    for name in MUST_ANSWER:
        dimensions = [d for d in DIMENSIONS if d in catalog.catalogue()[name].dimensions]
        if name.startswith("transfers"):
            dimensions = [chance.choice(dimensions)]
        kept_apart = {"province", "institute"} if name.startswith("transfers") else set()
        for by in ((), ("province",), ("month",)):
            where = random_filter(built, chance, dimensions)
            if kept_apart and by == ("province",):
                where = {k: v for k, v in where.items() if k == "province"}
            compare(built, [name], by, where=where)


def test_several_courses_at_once(built):
    names = [name for name in STATES if allowed(name, "course")]
    courses = oracle.members(built.data, "course")
    for chosen in (courses, courses[:2], courses[1:]):
        for by in ((), ("province",), ("post",)):
            where: Where = {"course": set(chosen)}
            compare(built, names, by, where=where, on=built.data.as_of - timedelta(200))


def test_coverage_filters_its_numerator_only(built):
    chance = random.Random(3)
    for name in ("coverage_per_10k", "coverage_per_100km2", "coverage_gap", "counties_covered"):
        for dimension in FILTERED_COVERAGE:
            where = random_filter(built, chance, [dimension])
            compare(built, [name], where=where)
            compare(built, [name], ("province",), where=where)


# ------------------------------------------------------------------ the command line says the same
def number(text: str) -> float | None:
    return float(text) if text else None


@pytest.mark.slow
def test_csv_of_the_command_line(made_up):
    names = [*STATES, *FLOWS]
    output = run("ask", *names, "--by", "province", "--format", "csv", "--from", str(made_up.file))
    rows = [
        {column: cell if column == "province" else number(cell) for column, cell in row.items()}
        for row in csv.DictReader(io.StringIO(output))
    ]
    assert list(rows[0])[: len(names) + 1] == ["province", *names]
    by = ("province",)
    messages = differences(keyed(by, tuple(names), rows), oracle.ask(made_up.data, names, by), by)
    assert not messages, "\n".join(messages[:20])


@pytest.mark.slow
def test_json_of_the_command_line(made_up):
    names, day = ["training_compliance", "in_service"], made_up.data.as_of - timedelta(77)
    women = ("--where", "gender=زن", "--where", "post=guard,operator")
    on = ("--on", day.isoformat(), "--format", "json", "--from", str(made_up.file))
    rows = json.loads(run("ask", *names, "--by", "activity", *women, *on))
    by = ("activity",)
    where: Where = {"gender": {"female"}, "post": {"guard", "operator"}}
    ours = oracle.ask(made_up.data, names, by, on=day, where=where)
    messages = differences(keyed(by, tuple(names), rows), ours, by)
    assert not messages, "\n".join(messages[:20])


@pytest.mark.slow
def test_months_of_the_command_line(made_up):
    names = ["joiners", "active_assistants"]
    over = ("--over", "1403/01/01..1404/06/31", "--from", str(made_up.file))
    rows = csv.DictReader(io.StringIO(run("ask", *names, "--by", "month", *over, "--format", "csv")))
    theirs = keyed(("month",), tuple(names), [{**r, **{n: number(r[n]) for n in names}} for r in rows])
    ours = oracle.ask(made_up.data, names, ("month",), over=(date(2024, 3, 20), date(2025, 9, 22)))
    messages = differences(theirs, ours, ("month",))
    assert len(theirs) == 18
    assert not messages, "\n".join(messages[:20])
