"""Part 1: the door against pandas on frames in memory, DuckDB on the raw tables, and its own plain count."""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from bench import rivals
from bench.questions import Asker, Known, Question
from bench.register import Register
from bench.timing import Times, quantile, timed
from etl.semantic import access, answers
from etl.warehouse import publications

# A rival that is slow answers fewer of the questions: as many as fit into so many seconds, this many at least.
_SECONDS, _LEAST = 20.0, 1
# Frames of more completions than this do not fit into this machine beside what they are worked on with.
_MOST_IN_FRAMES = 20_000_000
# So many questions one after the other: a reader's question does not follow upon a rival that has just been through all memory.
_BLOCK = 10


class Disagreement(Exception):
    """Two ways to the same question gave different answers: no ratio of their times means anything."""


def run(register: Register, questions: int) -> dict[str, Any]:
    """By kind of question: the door's times and each rival's, and the ratio of medians on what both answered."""
    found: dict[str, Any] = {}
    with (
        access.connect(register.warehouse, access.ADMINISTRATOR) as con,
        tempfile.TemporaryDirectory(dir=register.folder.parent) as folder,
        register.apart(Path(folder)) as free,
    ):
        field = _Field(con, _others(free))
        asker = Asker(Known.of(con))
        for kind in asker.kinds:
            found[kind] = field.race([asker.ask(kind) for _ in range(questions)])
            _tell(kind, found[kind])
    return found


def _others(con: duckdb.DuckDBPyConnection) -> list[rivals.Rival]:
    row = con.execute("select count(*) from completions").fetchone()
    fits = row is not None and row[0] <= _MOST_IN_FRAMES
    return [rivals.Pandas(con), rivals.Raw(con)] if fits else [rivals.Raw(con)]


class _Field:
    def __init__(self, con: duckdb.DuckDBPyConnection, others: list[rivals.Rival]) -> None:
        self._con = con
        self._publication = publications.describe(con)
        self._others = others

    def race(self, questions: list[Question]) -> dict[str, Any]:
        """All are asked in turn, some questions at a time: what else the machine does then meets them all."""
        runners: dict[str, Callable[[Question], list[rivals.Cell]]] = {"scan": partial(self._ask, plain=True)}
        for one in self._others:
            runners[one.name] = partial(rivals.answer, one, as_of=self._publication.as_of)
        self._ask(questions[0])
        ours: list[float] = []
        theirs: dict[str, list[float]] = {name: [] for name in runners}
        for start in range(0, len(questions), _BLOCK):
            block = questions[start : start + _BLOCK]
            right = []
            for question in block:
                answer, took = timed(partial(self._ask, question))
                right.append(answer)
                ours.append(took)
            for name, runner in runners.items():
                for number, question in enumerate(block):
                    if start + number >= _LEAST and sum(theirs[name]) > _SECONDS * 1000:
                        break
                    answer, took = timed(partial(runner, question))
                    if not rivals.same(right[number], answer):
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
        answer = answers.ask(
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
