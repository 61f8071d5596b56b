"""`ask` compared with pandas on frames in memory, DuckDB on the raw tables, and a scan without pre-aggregates."""

import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from bench import rivals
from bench.questions import Asker, Known, Question
from bench.register import Register
from bench.timing import Times, quantile, timed
from etl.core.errors import QuestionError
from etl.semantic import access, answers, open_totals, rights
from etl.warehouse import publications

# A slow rival answers as many questions as fit into this many seconds, but at least _LEAST.
_SECONDS, _LEAST = 20.0, 1
# Frames of more completions do not fit into memory.
_MOST_IN_FRAMES = 20_000_000
# Questions asked in a row, so that most do not follow a rival that has just filled the processor's caches.
_BLOCK = 10
# The checks of a question are timed so often; the shortest counts, since other processes use the machine too.
_CHECKS = 5


class Disagreement(Exception):
    """Two methods gave different answers to the same question, so their times cannot be compared."""


def run(register: Register, questions: int) -> dict[str, Any]:
    """By kind of question: the times of `ask` and of each rival, and the ratio of medians on the questions both answered."""
    results: dict[str, Any] = {}
    with (
        access.connect(register.warehouse, rights.ADMINISTRATOR) as con,
        tempfile.TemporaryDirectory(dir=register.folder.parent) as folder,
        register.separate_instance(Path(folder)) as raw,
    ):
        contest = _Contest(con, _rivals(raw))
        asker = Asker(Known.of(con.whole))
        for kind in asker.kinds:
            results[kind] = contest.race([asker.ask(kind) for _ in range(questions)])
            _print(kind, results[kind])
    return results


def scope_checks(register: Register, questions: int) -> dict[str, Any]:
    """The milliseconds that the scope of one province adds to a question: its checks run with this scope and all rights in turns.

    Opens a cursor with its views, restricts the filters and compares scopes; the shortest of five times counts.
    """
    with publications.connect(register.warehouse) as con:
        published = publications.describe(con)
        known = Known.of(con)
        places = dict(con.execute("select institute_code, province from institutes").fetchall())
        places |= dict(con.execute("select sci_code, province_iso from counties").fetchall())
        scope = rights.AccessScope("bench", frozenset({rights.Grant("province", frozenset({"IR-23"}))}))
        for name in ("county", "institute"):
            known.members[name] = [code for code in known.members[name] if places.get(code) == "IR-23"]
        asker = Asker(known)

        def check(question: Question, scope: rights.AccessScope) -> None:
            with access.cursor_for(con, scope, published) as cursor, suppress(QuestionError):
                where = open_totals.members_in_scope(cursor, question.where)
                where, _ = open_totals.narrow(cursor, question.names, question.by, where)
                cursor.execute("select 1").fetchall()
                open_totals.visible_rows(scope, question.by, where, [])
                assert open_totals.restricted(scope, question.by, where) <= scope.codes
                assert scope.rights() == scope

        added = []
        for question in [asker.ask(kind) for kind in asker.kinds for _ in range(questions)]:
            times: dict[str, list[float]] = {"province": [], "steward": []}
            for _ in range(_CHECKS):
                for asking in (scope, rights.ADMINISTRATOR):
                    times[asking.role].append(timed(partial(check, question, asking))[1])
            added.append(min(times["province"]) - min(times["steward"]))
    return asdict(Times.of(added))


def _rivals(con: duckdb.DuckDBPyConnection) -> list[rivals.Rival]:
    row = con.execute("select count(*) from completions").fetchone()
    fits = row is not None and row[0] <= _MOST_IN_FRAMES
    return [rivals.Pandas(con), rivals.Raw(con)] if fits else [rivals.Raw(con)]


class _Contest:
    """`ask` and its rivals on one publication."""

    def __init__(self, con: access.ScopedCursor, others: list[rivals.Rival]) -> None:
        self._con = con
        self._publication = con.publication
        self._rivals = others

    def race(self, questions: list[Question]) -> dict[str, Any]:
        """Ask all in turns, in blocks of questions, so that the load of the machine affects all alike."""
        runners: dict[str, Callable[[Question], list[rivals.Cell]]] = {"scan": partial(self._ask, plain=True)}
        for rival in self._rivals:
            runners[rival.name] = partial(rivals.answer, rival, as_of=self._publication.as_of)
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
                # A rival that stopped early is compared on the questions it answered.
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
            # The dashboard caches it too.
            publication=self._publication,
        )
        return rivals.of_answer(answer.columns, answer.rows, question)


def _print(kind: str, result: dict[str, Any]) -> None:
    rival_times = ", ".join(
        f"{name} {rival['p50']:.1f} (x{rival['times_slower']})" for name, rival in result["rivals"].items()
    )
    print(f"{kind}: {result['ask']['p50']:.1f} / {result['ask']['p95']:.1f} ms; {rival_times}", file=sys.stderr)
