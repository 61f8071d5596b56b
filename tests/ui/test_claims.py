"""A sentence is a claim that anybody can work out again.

Each number and each name in a sentence or title belongs to one of its claims; each claim is worked out here from the question
that it names, by pandas and by nothing of `ui`.
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from etl.analysis import analyses
from etl.cli import arguments
from etl.core.errors import AccessDenied, QuestionError
from etl.core.places import place_names
from etl.semantic import answers
from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.catalog import catalogue, size_of
from etl.semantic.rights import ADMINISTRATOR
from etl.warehouse import publications
from tests.effort import draws
from tests.made import named
from ui.data.ask import Ask, Kept, On, Rounded
from ui.exhibits import register
from ui.exhibits.exhibit import Exhibit
from ui.i18n import text
from ui.state.scope import Scope, in_order
from ui.summary.claims import Claim, Said

pytestmark = pytest.mark.slow

# Exhibits of which a sentence holds a number that no command gives by itself, and why.
WITHOUT_CLAIM = {
    "of two sides, each with filters and a day of its own, which the table beside names": (
        "compare/parts", "compare/over_time", "compare/numbers",
    ),
    "the months of one of the three kinds that the command prints together": (
        "training/endings", "licensing/endings", "legal/endings",
    ),
    "between two points of the curve": ("coverage/lorenz",),
    "the sum of parts divided by their whole, of the two ends": ("training/by_status",),
    "the rows of the table that it stands above": (
        "quality/provinces", "quality/reasons", "quality/files", "approve/publications",
        "register/institutes", "register/licences",
    ),
    "the range of a projection, by a rule of its own": ("growth/projection", "overview/growth", "growth/headcount"),
}  # fmt: skip
NOT_CLAIMED = frozenset(one for names in WITHOUT_CLAIM.values() for one in names)
# What words say of a measure or a side, in any sentence: "within 25 working days", "per 10,000".
CONSTANTS = {
    Decimal(one) for one in ("10", "10000", "100000", "100", "6", "12", "17", "20", "23", "24", "25", "30", "90", "95")
}
DIMENSIONS = {
    "gender": ["female", "male"],
    "post": ["guard", "manager"],
    "education": ["diploma", "doctorate"],
    "activity": ["guarding", "monitoring"],
}


@pytest.fixture(scope="module")
def con(small_register: Path) -> Iterator[ScopedCursor]:
    with publications.connect(small_register) as whole, cursor_for(whole, ADMINISTRATOR) as cursor:
        yield cursor


@pytest.fixture(scope="module")
def ask(con: ScopedCursor) -> Kept:
    return Kept(On(con))


def drawn(con: ScopedCursor) -> list[dict[str, Any]]:
    """Scopes: the ones that hold the bad cases, and random ones."""
    provinces = [*place_names("province", "en")]
    counties = answers.ask(con, "residents", by=("county",)).column("county")
    latest = con.publication.as_of
    fixed: list[dict[str, Any]] = [
        {},
        {"province": ("IR-23",)},
        {"province": ("IR-10", "IR-23")},
        {"province": ("IR-16",), "gender": ("female",), "education": ("doctorate",), "post": ("manager",)},
        {"county": ("2301",)},
        {"activity": ("guarding",)},
        {"province": ("IR-00", "IR-01", "IR-03", "IR-09", "IR-12"), "gender": ("male",)},
        {"on": latest - timedelta(400)},
        {"period": "12"},
    ]
    chance, found = Random(7), list[dict[str, Any]]()
    while len(found) < draws(15, 193):
        one: dict[str, Any] = {}
        if chance.random() < 0.7:
            one["province"] = tuple(sorted(chance.sample(provinces, chance.choice((1, 1, 1, 2, 5)))))
        elif chance.random() < 0.2:
            one["county"] = (chance.choice(counties),)
        for name, codes in DIMENSIONS.items():
            if chance.random() < 0.2:
                one[name] = (chance.choice(codes),)
        if chance.random() < 0.3:
            one["on"] = latest - timedelta(chance.randrange(1, 1500))
        if chance.random() < 0.2:
            one["period"] = chance.choice(("12", "24"))
        found.append(one)
    return fixed + found


def scoped(one: dict[str, Any], lang: str, latest: date) -> Scope:
    where = {name: codes for name, codes in one.items() if name not in ("on", "period")}
    return Scope(latest, in_order(where), one.get("on"), one.get("period", ""), lang)


def made(scope: Scope, ask: Ask) -> Iterator[tuple[str, Exhibit]]:
    for address in register.exhibits():
        try:
            yield address, named(address, scope).exhibit(ask)
        except (AccessDenied, QuestionError):
            continue


def test_numbers_and_names_belong_to_claims_that_are_worked_out_again(con: ScopedCursor, ask: Kept) -> None:
    unclaimed, wrong, claimed = list[Any](), list[Any](), 0
    for at, one in enumerate(drawn(con)):
        for lang in ("fa", "en") if at < 2 or draws(0, 1) else ("fa", "en")[at % 2 :][:1]:
            for address, exhibit in made(scoped(one, lang, con.publication.as_of), ask):
                for said in exhibit.stated:
                    if address not in NOT_CLAIMED and (left := unclaimed_of(said, lang)):
                        unclaimed.append((one, address, said.words, left))
                    for claim in said.claims:
                        claimed += 1
                        if fault := fault_of(con, claim):
                            wrong.append((one, address, said.words, claim, fault))
    assert not [*unclaimed, *wrong], "\n".join(map(str, [*unclaimed, *wrong]))
    assert claimed > 500, "they claim something"


def test_the_list_of_what_is_not_claimed_names_exhibits() -> None:
    assert {*register.exhibits()} >= NOT_CLAIMED


# ---------------------------------------------------------------- what a sentence says

_NAMES = """
فروردین اردیبهشت خرداد تیر مرداد شهریور مهر آبان آذر دی بهمن اسفند
Farvardin Ordibehesht Khordad Tir Mordad Shahrivar Mehr Aban Azar Dey Bahman Esfand
Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec
بهار تابستان پاییز زمستان Spring Summer Autumn Winter
"""
_MONTHS = "|".join(_NAMES.split())
_DAYS = re.compile(
    rf"(\b\d{{1,2}}[\s\u00a0]+)?\b({_MONTHS})\b([\s\u00a0–]*\d{{4}})?|\b(1[34]\d\d|20\d\d)(–\d\d)?\b", re.UNICODE
)
_NUMBER = re.compile(r"(?<![\w])[−-]?\d[\d,٬]*(?:[.٫]\d+)?[٪%]?")
_ISOLATED = re.compile("\u2068[^\u2069]*\u2069")


def numbers_of(words: str) -> list[tuple[Decimal, int, bool]]:
    """The numbers of a sentence without its days: each with its decimals, and whether it is a percentage."""
    latin = "".join(str(int(sign)) if sign.isdigit() else sign for sign in words)
    latin = latin.replace("٬", ",").replace("٫", ".").replace("٪", "%")
    # Names of institutes are data.
    latin = re.sub("\u2068(?=[^\u2069]*[^\u2069 \\d])([^\u2069]*)\u2069", lambda m: re.sub(r"\d", "", m[1]), latin)
    found = []
    for one in _NUMBER.findall(_DAYS.sub(" ", latin)):
        written = one.rstrip("%").replace(",", "").replace("−", "-").lstrip("-")
        found.append((Decimal(written), len(written.partition(".")[2]), one.endswith("%")))
    return found


def unclaimed_of(said: Said, lang: str) -> list[Any]:
    """The numbers and the provinces of a sentence that belong to none of its claims."""
    left: list[Any] = []
    known = [number for claim in said.claims for number in told_by(claim)]
    values = [claim.number for claim in said.claims if claim.kind == "value" and claim.number is not None]
    for claim in said.claims:
        if claim.values and claim.kind == "value":
            values += [value for value in claim.values if value is not None]
    # A reader adds and subtracts: "5,496 short", and divides a change by what was before.
    known += [first - second for first in values for second in values]
    of_values = [claim for claim in said.claims if claim.kind == "value"]
    known += [float(sum(claim.number or 0 for claim in of_values))]
    known += [float(sum(filter(None, claim.values))) for claim in of_values]
    known += [first / second for first in known for second in values if second]
    for number, decimals, is_percent in numbers_of(said.words):
        if number in CONSTANTS or any(is_written(value, number, decimals, is_percent) for value in known):
            continue
        left.append(str(number))
    members = {member for claim in said.claims for member in claim.members}
    members |= {code for claim in said.claims for _, codes in claim.where for code in codes}
    for code, name in province_names(lang):
        is_named = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said.words)
        # Cities, and institutes, bear the names of provinces.
        is_of_smaller = any(one.by and one.by[0] in ("county", "institute") for one in said.claims)
        if is_named and not is_of_smaller and not any(code in str(one) for one in members):
            left.append(code)
    return left


def told_by(claim: Claim) -> list[float]:
    told = [value for value in (claim.number, *claim.values, claim.least_size) if isinstance(value, (int, float))]
    if claim.kind in ("count", "all") and claim.number is not None:
        told += [claim.number - len(claim.members)]
    # The name of a band has numbers: 30 to 34 years.
    told += [int(one) for member in claim.members for one in re.findall(r"\d+", str(member))]
    if claim.metric == "tenure_median" and claim.number is not None:
        # In words: 2 years and 9 months.
        told += divmod(round(claim.number), 12)
    if match := re.search(r"(?:below|above):([0-9.]+)$", claim.side):
        told += [float(match[1])]
    return [float(value) for value in told if value == value]


def is_written(value: float, number: Decimal, decimals: int, is_percent: bool) -> bool:
    exact = abs(Decimal(repr(float(value)))) * (100 if is_percent else 1)
    step = Decimal(1).scaleb(-decimals)
    # Goals and pace are rounded up.
    return exact.quantize(step, ROUND_HALF_UP) == number or abs(exact - number) < step * Decimal("0.5000001")


def province_names(lang: str) -> list[tuple[str, str]]:
    return [*place_names("province", lang).items()]


# ---------------------------------------------------------------- worked out again

_answers: dict[Any, pd.DataFrame] = {}
# What the size of a group is counted by, of a measure of the catalogue or of an analysis.
_sizes: dict[str, str] = {}


def rows_of(con: ScopedCursor, claim: Claim, on: date | None, metric: str = "") -> pd.DataFrame:
    """What the command that a claim names prints."""
    name = metric or claim.metric
    key = (id(con), name, claim.by, claim.where, on, claim.over, claim.analysis, claim.options)
    if key not in _answers:
        where = dict(claim.where)
        if claim.analysis:
            run = analyses.find(claim.analysis).run
            more = arguments.settings(claim.analysis, run, [f"{name}={value}" for name, value in claim.options])
            more |= {"over": claim.over} if claim.over else {}
            answer = analyses.analyse(con, claim.analysis, on, where, **more)
        else:
            answer = answers.ask(con, name, by=claim.by, on=on, over=claim.over, where=where)
        _answers[key] = answer.frame
        _sizes.update({metric.name: size_of(metric) for metric in answer.metrics})
    return _answers[key]


def fault_of(con: ScopedCursor, claim: Claim) -> str:
    """What is wrong with a claim, or with its question."""
    try:
        return refuted(con, claim)
    except (QuestionError, KeyError, AttributeError, IndexError, ValueError) as fault:
        return repr(fault)


def refuted(con: ScopedCursor, claim: Claim) -> str:
    """What is wrong with a claim; empty if nothing is."""
    frame = rows_of(con, claim, claim.on)
    name = claim.metric
    if claim.kind == "change":
        now, before = (rows_of(con, claim, day)[name].iloc[0] for day in (claim.on, claim.before))
        return "" if now - before == pytest.approx(claim.number) else f"{now} - {before}"
    if claim.kind == "month":
        found = {str(label) for label in frame[name].dropna()}
        return "" if {*map(str, claim.members)} <= found else f"{found}"
    if claim.kind == "sum":
        return "" if frame[name].sum() == pytest.approx(claim.number) else f"{frame[name].sum()}"
    keys = [*claim.by]
    if keys and keys[0] in frame.columns:
        group = frame[keys].astype(object).apply(lambda row: joined(row.tolist()), axis=1)
        frame = frame.assign(group=group)
    if claim.kind == "value" and not claim.members:
        return "" if is_same(frame[name].iloc[0], claim.number) else f"{frame[name].iloc[0]}"
    of = {None if key != key else key: value for key, value in zip(frame.group, frame[name], strict=True)}
    for member, value in zip(claim.members, claim.values, strict=True) if claim.values else ():
        if not is_same(of.get(member, 0), value):
            return f"{member}: {of.get(member)}"
    if claim.kind == "value":
        return ""
    if claim.kind in ("least", "most"):
        large = frame[frame.group.notna() & frame[name].notna()]
        if claim.least_size:
            large = large[large[_sizes[name]] >= claim.least_size]
        ends = sorted(large[name], reverse=claim.kind == "most")[: len(claim.members)]
        return "" if [*map(float, claim.values)] == pytest.approx([*map(float, ends)]) else f"{ends}"
    return counted(con, claim, frame)


def joined(key: list[Any]) -> Any:
    codes = [None if code is None or code != code else code for code in key]
    return codes[0] if len(codes) == 1 else "|".join("" if code is None else str(code) for code in codes)


def counted(con: ScopedCursor, claim: Claim, frame: pd.DataFrame) -> str:
    """A count, by the side that it names, of all groups."""
    name = claim.metric
    values = frame[frame.group.notna()].set_index("group")[name]
    if claim.metric in ("coverage_per_10k", "coverage_per_100km2") and claim.by == ("county",):
        everywhere = rows_of(con, claim, claim.on, str(catalogue()[name].denominator))["county"].dropna()
        values = values.reindex(everywhere).fillna(0)
    if claim.side in ("lower", "higher"):
        found = frame[frame.side == claim.side].group
    elif match := re.fullmatch(r"(below|above):([0-9.]+)(whole)?", claim.side):
        bound = float(match[2])
        if match[3]:
            at = Claim("value", name, (), claim.where if claim.by != ("province",) else (), claim.on, claim.over)
            if claim.by == ("province",):
                at = Claim("value", name, (), without_places(claim), claim.on, claim.over)
            bound *= rows_of(con, at, claim.on)[name].iloc[0]
        if claim.kind == "all":
            return "" if (values < bound).all() else f"{values.max()}"
        is_on = values < bound if match[1] == "below" else values > bound
        found = values[is_on].index
    elif claim.side == "zero":
        of_all = [*place_names("province", "en")] if claim.by == ("province",) else [*values.index]
        chosen = dict(claim.where).get("province", of_all) if claim.by == ("province",) else of_all
        found = [code for code in chosen if not values.get(code)]
    else:
        found = [*values.index] if not isinstance(values.index, pd.RangeIndex) else values
    if claim.number is not None and len(found) != claim.number:
        return f"{len(found)}"
    strange = {*claim.members} - {*found} if claim.side else set()
    return f"{strange}" if strange else ""


def without_places(claim: Claim) -> Any:
    return tuple((name, codes) for name, codes in claim.where if name not in ("province", "county", "institute"))


def is_same(value: Any, other: Any) -> bool:
    if value is None or value != value or other is None:
        return other is None or (other == 0 and (value is None or value != value))
    return float(value) == pytest.approx(float(other))


def test_what_circulates_claims_no_exact_number_of_people(con: ScopedCursor, ask: Kept) -> None:
    scope = scoped({}, "en", con.publication.as_of)
    exact = 0
    for address, exhibit in made(scope, Rounded(ask)):
        for claim in [claim for said in exhibit.stated for claim in said.claims]:
            known = catalogue().get(claim.metric)
            if known is None or known.counts != known.unit or known.unit != "persons" or known.is_difference:
                continue
            numbers = [claim.number] if claim.kind in ("value", "change", "sum") else []
            for number in filter(None, [*numbers, *claim.values]):
                assert number % 5 == 0, (address, claim)
                exact += 1
    assert exact
    assert text.LANGUAGES
