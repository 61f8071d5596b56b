"""Part 1: the door against pandas on frames in memory, DuckDB on the raw tables, and its own plain count."""

import sys
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import duckdb

from bench import rivals
from bench.questions import Asker, Known, Question
from bench.register import Register
from bench.timing import Times, quantile, timed
from etl import metrics, publication

# A rival that is slow answers fewer of the questions: as many as fit into so many seconds, this many at least.
_SECONDS, _LEAST = 20.0, 3


class Disagreement(Exception):
    """Two ways to the same question gave different answers: no ratio of their times means anything."""


def run(register: Register, questions: int) -> dict[str, Any]:
    """By kind of question: the door's times and each rival's, and the ratio of medians on what both answered."""
    found: dict[str, Any] = {}
    with publication.connect(register.warehouse) as con:
        field = _Field(con, [rivals.Pandas(con), rivals.Raw(con)])
        asker = Asker(Known.of(con))
        for kind in asker.kinds:
            found[kind] = field.race([asker.ask(kind) for _ in range(questions)])
            _tell(kind, found[kind])
    return found


class _Field:
    def __init__(self, con: duckdb.DuckDBPyConnection, others: list[rivals.Rival]) -> None:
        self._con = con
        self._publication = publication.describe(con)
        self._others = others

    def race(self, questions: list[Question]) -> dict[str, Any]:
        """All are asked in turn, question by question: what else the machine does then meets them all."""
        runners: dict[str, Callable[[Question], list[rivals.Cell]]] = {"scan": partial(self._ask, plain=True)}
        for one in self._others:
            runners[one.name] = partial(rivals.answer, one, as_of=self._publication.as_of)
        self._ask(questions[0])
        ours: list[float] = []
        theirs: dict[str, list[float]] = {name: [] for name in runners}
        for number, question in enumerate(questions):
            right, took = timed(partial(self._ask, question))
            ours.append(took)
            for name, runner in runners.items():
                if number >= _LEAST and sum(theirs[name]) > _SECONDS * 1000:
                    continue
                answer, took = timed(partial(runner, question))
                if not rivals.same(right, answer):
                    raise Disagreement(f"{name} does not agree on {question}")
                theirs[name].append(took)
        return {
            "ask": asdict(Times.of(ours)),
            "rivals": {
                # Whoever gave up after some questions is compared on those.
                name: {
                    **asdict(Times.of(times)),
                    "times_slower": round(quantile(times, 0.5) / quantile(ours[: len(times)], 0.5), 2),
                }
                for name, times in theirs.items()
            },
        }

    def _ask(self, question: Question, plain: bool = False) -> list[rivals.Cell]:
        answer = metrics.ask(
            self._con,
            *question.names,
            by=question.by,
            on=question.on,
            over=question.over,
            where=question.where,
            plain=plain,
            # The door knows it too.
            publication=self._publication,
        )
        return rivals.of_answer(answer.columns, answer.rows, question)


def _tell(kind: str, result: dict[str, Any]) -> None:
    others = ", ".join(f"{name} {one['p50']:.1f} (x{one['times_slower']})" for name, one in result["rivals"].items())
    print(f"{kind}: {result['ask']['p50']:.1f} / {result['ask']['p95']:.1f} ms; {others}", file=sys.stderr)
