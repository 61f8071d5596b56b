"""The benchmark's rivals give the answers of `ask` on random questions; otherwise a ratio of their times means nothing."""

from datetime import date
from pathlib import Path

import pytest

from bench import rivals
from bench.questions import Asker, Known
from etl.semantic import access, answers, rights
from etl.warehouse import publications
from tests.effort import draws, thorough

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DAY = date(2026, 6, 30)
KINDS = (
    "compliance",
    "expiring",
    "coverage",
    "trend_24",
    "trend_144",
    "growth_144",
    "compliance_county",
    "compliance_institute",
    "trend_24_institute",
)
# Rivals count a trend month by month.
_GOES = {"trend_24": draws(1, 2), "trend_24_institute": draws(1, 2), "trend_144": 1, "growth_144": 1}
# Its window is that of growth_144, and its answers are counted as those of trend_24.
_LONGEST = "trend_144"


@pytest.fixture(scope="module")
def con(small_register):
    with access.connect(small_register, rights.ADMINISTRATOR) as connection:
        yield connection


@pytest.fixture(scope="module")
def contenders(con):
    return [rivals.Pandas(con), rivals.Raw(con)]


def _ours(con, question, plain=False):
    answer = answers.ask(
        con, *question.names, by=question.by, on=question.on, over=question.over, where=question.where, plain=plain
    )
    return rivals.of_answer(answer.columns, answer.rows, question)


def test_every_kind_is_tested(con):
    assert Asker(Known.of(con)).kinds == KINDS


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=thorough if kind == _LONGEST else ()) for kind in KINDS])
def test_rivals_agree_with_ask(con, contenders, kind):
    asker = Asker(Known.of(con), seed=5)
    as_of = publications.describe(con).as_of
    nonzero_answers = 0
    for _ in range(_GOES.get(kind, draws(5, 8))):
        question = asker.ask(kind)
        ours = _ours(con, question)
        assert rivals.same(ours, _ours(con, question, plain=True)), question
        for rival in contenders:
            theirs = rivals.answer(rival, question, as_of)
            assert rivals.same(ours, theirs), (rival.name, question, ours, theirs)
        nonzero_answers += any(any(cell.numbers) for cell in ours)
    assert nonzero_answers, "no question counted anybody: nothing was compared"


def test_a_difference_is_detected():
    cell = rivals.Cell
    assert rivals.same([cell("a", (1, None))], [cell("a", (1, None)), cell("b", (0, None))])
    assert not rivals.same([cell("a", (1,))], [cell("a", (2,))])
    assert not rivals.same([cell("a", (1,))], [])
    assert not rivals.same([cell("a", (0.5,))], [cell("a", (0.5001,))])
    assert not rivals.same([cell("a", (1, None))], [cell("a", (1, 0.0))])


def test_the_same_seed_asks_the_same(con):
    known = Known.of(con)
    first, second = Asker(known, 9), Asker(known, 9)
    assert [first.ask(kind) for kind in KINDS] == [second.ask(kind) for kind in KINDS]
