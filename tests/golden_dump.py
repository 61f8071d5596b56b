"""What stands on the pages, written down and compared: the judge of a move from one design to another. Run by hand.

    python tests/golden_dump.py write WAREHOUSE OUT.jsonl [--pages training coverage] [--scopes nation women] [--langs fa]
    python tests/golden_dump.py compare BEFORE.jsonl AFTER.jsonl [--rename OLD=NEW] [--only KIND] [--without REGEX]

Each page is opened as a test does, under each scope and in each language. One JSON object a line holds one thing, by page,
scope, language, kind and name:
- `shown`: HTML, charts, buttons and fields in the order of the page, with the keys of the containers around them;
- `figure`, `list` and `card`: title, the line below it, notes, rows, what draws the chart, the table, and its files: CSV exact
  and for circulation, JSON, and what draws the picture for circulation; in some scopes the cells of the workbook too;
- `sentence`: in the order of the page.

A file of a figure is taken where its popover would offer it, so that a dump sees the very context of that file.
"""

import argparse
import difflib
import hashlib
import io
import json
import logging
import os
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

import openpyxl  # noqa: E402
from streamlit.components.v2 import manifest_scanner  # noqa: E402

import dashboard  # noqa: E402, F401 - outside of a run it is the server
from etl.core.errors import Refused  # noqa: E402
from etl.semantic import disclosure  # noqa: E402
from etl.semantic.rights import AccessScope, Grant  # noqa: E402
from tests.parts import PARTS, opened  # noqa: E402
from ui.components import blocks, connect, downloads, footer, table_html, tables  # noqa: E402
from ui.data import page_run  # noqa: E402
from ui.exports.job import ExportJob  # noqa: E402
from ui.exports.page_workbook import Part  # noqa: E402
from ui.state import page_context  # noqa: E402

# Pages of a sign-in show nothing without one.
PAGES = [part for part in PARTS if part not in ("handin", "approve")]
# What a name of today, in any text of a record, is called after the move: a pattern and its replacement.
RENAMED: dict[str, str] = {}

PAST, EARLY = "2025-05-21", "2024-02-19"
SCOPES: dict[str, dict[str, Any]] = {
    "nation": {},
    "province": {"province": "IR-23"},
    "province-b": {"province": "IR-11"},
    "two": {"province": ["IR-10", "IR-05"]},
    "five": {"province": ["IR-10", "IR-05", "IR-07", "IR-02", "IR-20"]},
    "county": {"province": "IR-00", "county": "0001"},
    "county-alone": {"county": ["0002", "0003"]},
    "few": {"province": "IR-11", "county": ["1103", "1110"]},
    "institute": {"institute": "0600013"},
    "women": {"gender": "female"},
    "post": {"post": "team_leader", "province": "IR-23"},
    "education": {"education": ["diploma", "associate"]},
    "course": {"course": "PY-103"},
    "course-in": {"course": "PY-201", "province": "IR-11", "gender": "male"},
    "activity": {"activity": "guarding"},
    "activity-in": {"activity": ["patrol", "events"], "province": "IR-23"},
    "past": {"on": PAST},
    "past-in": {"on": PAST, "province": "IR-10"},
    "early": {"on": EARLY},
    "period": {"period": "24"},
    "period-in": {"period": "2025-03-21..2026-02-19", "province": "IR-23"},
    "year-women": {"period": "year", "gender": "female", "education": "bachelor"},
    "unknown": {"province": ["IR-99", "IR-23"], "evil": "<b>"},
}
# Under cut rights.
CUT: dict[str, dict[str, Any]] = {
    "cut-nation": {},
    "cut-own": {"province": "IR-23"},
    "cut-other": {"province": "IR-11"},
    "cut-women": {"gender": "female"},
    "cut-county": {"province": "IR-11", "county": "1101"},
}
# What a page's own parameters ask for.
OWN: dict[str, dict[str, dict[str, Any]]] = {
    "training": {
        "scenario": {"recruits": "700", "leave": "9", "seats": ["PY-201:90", "IR-23.PY-103:20"]},
        "scenario-in": {"of": "IR-10", "seats": ["PY-101:40"], "province": "IR-10"},
    },
    "coverage": {"counties": {"map": "county"}, "census": {"census": "1395", "province": "IR-10"}},
    "growth": {"goal": {"goal": "150000", "until": "1408"}, "scenario": {"recruits": "900", "leave": "4", "n": "3"}},
    "licensing": {"open": {"open": "licences_ending", "days": "30"}, "stopped": {"open": "stopped"}},
    "legal": {"open": {"open": "officers_untrained"}},
    "register": {"find": {"find": "0600013"}, "sorted": {"sort": "-active_assistants", "page": "2"}},
    "explore": {
        "province": {"m": ["training_compliance", "leaver_rate_12m"], "by": ["province"]},
        "funnel": {"m": ["training_compliance", "leaver_rate_12m"], "by": ["province"], "chart": "funnel"},
        "two-ways": {"m": ["active_assistants"], "by": ["gender", "education"], "show": "pivot", "province": "IR-23"},
        "months": {"m": ["joiners", "leavers"], "by": ["month"], "period": "24"},
        "counties": {"m": ["active_assistants"], "by": ["county"], "show": "table"},
        "one": {"m": ["training_compliance"], "by": ["-"]},
    },
    "compare": {
        "places": {"p": "IR-23", "q": "IR-10", "m": "training_compliance", "by": "gender"},
        "days": {"p": "IR", "a": PAST, "q": "IR", "b": "2026-11-21", "m": "leaver_rate_12m"},
        "similar": {"p": "IR-11", "q": "similar", "m": "active_assistants"},
    },
    "quality": {"why": {"of": "training_compliance"}},
}
PERSON = AccessScope("tester", frozenset({Grant("province", frozenset({"IR-23", "IR-10"}), may_export=True)}))
# Where a workbook is written too: it takes as long as all else.
WITH_WORKBOOK = ("province", "women", "cut-own")


# ---------------------------------------------------------------- write


def digest(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def rows_of(answer: Any) -> dict[str, Any]:
    """What an answer holds; its rows and query as a digest, for the CSV has them in words."""
    return {
        "columns": answer.columns,
        "by": answer.by,
        "metrics": [metric.name for metric in answer.metrics],
        "where": answer.where,
        "on": answer.on,
        "over": answer.over,
        "rows": digest(answer.rows),
        "count": len(answer.rows),
        "provisional": sorted(answer.provisional),
        "left_out": sorted(answer.left_out),
        "hidden": sorted(map(repr, answer.hidden)),
        "sources": sorted(answer.sources),
        "query": digest(answer.query),
    }


def file_of(form: str, source: Any, context: Any, place: str, limit: str = "", circulation: bool = False) -> str:
    """The content of a file as text; what refuses it instead of that."""
    out = io.BytesIO()
    try:
        ExportJob(form, source, context, circulation, place, limit).write(out)
    except (disclosure.NotForCirculation, Refused) as refused:
        return f"refused: {refused}"
    return _cells(out) if form == "xlsx" else out.getvalue().decode()


def _cells(book: io.BytesIO) -> str:
    sheets = openpyxl.load_workbook(book).worksheets
    return "\n".join(
        "\t".join([sheet.title, *("" if cell is None else str(cell) for cell in row)])
        for sheet in sheets
        for row in sheet.iter_rows(values_only=True)
    )


def table_of(view: Any, answer: Any, picture: Any, context: Any) -> str:
    """The table below a figure, as the page shows it."""
    rows, start = footer._as_drawn(answer, picture)
    columns = tables.columns_of(view, answer, context) + footer._events(view, answer, picture)
    if start:
        rows = tables.sorted_by(columns, rows, start)
    return table_html.html(columns, rows, rows[: tables.PAGE_ROWS], footer.subtitle(view, answer), start, ())


class Parts:
    """The figures, lists, cards and sentences of one page as it is drawn, in their order."""

    def __init__(self, with_workbook: bool) -> None:
        self.found: dict[tuple[str, str], dict[str, Any]] = {}
        self.sentences: list[str] = []
        self._with_workbook = with_workbook

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within the context, what a page draws is noted where every page passes."""
        intro, popover = blocks.intro, blocks.popover

        def said(words: str) -> None:
            self.sentences.append(words)
            intro(words)

        def opened_to_us(lang: str, label: str, key: str, inside: Callable[[], object]) -> None:
            if key.startswith(("files-", "what-")):
                inside()
            else:
                popover(lang, label, key, inside)

        nothing = mock.Mock()
        with (
            mock.patch.object(blocks, "intro", said),
            mock.patch.object(blocks, "popover", opened_to_us),
            mock.patch.object(footer, "_table_switch", nothing),
            mock.patch.object(downloads, "copy_and_present", nothing),
            mock.patch.object(downloads, "buttons", self.figure),
            mock.patch.object(connect, "connect", nothing),
        ):
            yield

    def figure(
        self,
        view: Any,
        source: Any,
        context: Any,
        ident: str,
        picture: Any = None,
        made: Any = None,
        address: str = "",
    ) -> None:
        """Note a figure with its files, where its popover would offer them."""
        answer, place = getattr(source, "answer", source), page_context.place(view, source_where(source))
        limit = made.exhibit.limit if made else ""
        part = self._at("figure", ident)
        part["answer"], part["limit"] = rows_of(answer), limit
        if made:
            of = Part.of(made.exhibit)
            part["title"], part["below"] = of.title, of.below
        if picture:
            part["chart"], part["subtitle"], part["source"] = picture.figure, picture.subtitle, picture.source
            if made:
                part["notes"] = made.exhibit.all_notes(view.dark)
            rounded, other = downloads.for_circulation(view, source, made)
            part["circulated"] = other and {
                "title": other.title,
                "below": other.subtitle,
                "chart": other.figure,
                "source": other.source,
            }
        part["files"] = self._files(source, context, place, limit, rounded if picture else source)
        if picture:
            part["table"] = table_of(view, answer, picture, context)

    def _files(self, source: Any, context: Any, place: str, limit: str = "", rounded: Any = None) -> dict[str, str]:
        rounded = rounded or source
        files = {
            "csv": file_of("csv", source, context, place, limit),
            "csv_circulated": file_of("csv", rounded, context, place, limit, True),
            "json": digest(file_of("json", source, context, place, limit)),
        }
        if self._with_workbook:
            files["xlsx"] = file_of("xlsx", source, context, place, limit)
            files["xlsx_circulated"] = file_of("xlsx", rounded, context, place, limit, True)
        return files

    def _at(self, kind: str, ident: str) -> dict[str, Any]:
        return self.found.setdefault((kind, ident), {})


def source_where(source: Any) -> Mapping[str, tuple[str, ...]]:
    return getattr(source, "answer", source).where


def shown(app: Any) -> list[list[Any]]:
    """What the browser gets, in its order, each with the keys of the containers around it."""
    found: list[list[Any]] = []

    def walk(block: Any, path: tuple[str, ...]) -> None:
        for child in block.children.values():
            key, kind = getattr(child, "key", None), getattr(child, "type", "")
            if kind == "html":
                found.append(["/".join(path), "html", child.proto.body])
            elif kind == "bidi_component":
                written = child.proto.bytes.decode("utf-8", "replace") or str(child.proto.json)
                found.append(["/".join((*path, str(key))), "component", written])
            elif hasattr(child, "children"):
                if kind in ("expander", "popover"):
                    found.append(["/".join(path), kind, getattr(child.proto, kind, child.proto).label])
                walk(child, (*path, key) if key else path)
            elif kind:
                value = getattr(child, "value", None)
                fields = [getattr(child, "label", ""), getattr(child, "options", ""), "" if value is None else value]
                found.append(["/".join((*path, str(key))), kind, " | ".join(map(str, fields))])

    walk(app._tree[0], ())
    return found


def records(page: str, lang: str, name: str, scope: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Everything on one page under one scope."""
    parts = Parts(name in WITH_WORKBOOK)
    with parts.watching():
        app = opened(page, lang=lang, **scope)
    head = {"page": page, "scope": name, "lang": lang}
    for kind, ident in sorted(parts.found):
        yield head | {"kind": kind, "name": ident} | parts.found[kind, ident]
    for number, words in enumerate(parts.sentences):
        yield head | {"kind": "sentence", "name": f"{number:03}", "path": "", "what": "sentence", "value": words}
    for number, (path, what, value) in enumerate(shown(app)):
        yield head | {"kind": "shown", "name": f"{number:03}", "path": path, "what": what, "value": value}
    yield head | {
        "kind": "address",
        "name": "",
        "value": {name: [*app.query_params[name]] for name in app.query_params},
    }


def write(given: argparse.Namespace) -> None:
    os.environ["WAREHOUSE"] = str(given.warehouse.resolve())
    # Why a part is broken is logged at this level alone.
    log = logging.getLogger("policeyar.page")
    log.setLevel(logging.DEBUG)
    log.addHandler(logging.StreamHandler())
    # Each AppTest searches all installed packages for components, which takes nine tenths of its time.
    manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)
    cut = page_run.SignIn(lambda: PERSON, lambda *_: "/files/0", lambda *_, **__: None, lambda: ([], None))
    with given.out.open("w", encoding="utf-8") as out:
        for page in given.pages:
            began, count, broken = time.monotonic(), 0, 0
            for lang in given.langs:
                for sign_in, scopes in ((None, SCOPES | OWN.get(page, {})), (cut, CUT)):
                    page_run.sign_in_with(sign_in)
                    for name, scope in scopes.items():
                        if given.scopes and name not in given.scopes:
                            continue
                        for record in records(page, lang, name, scope):
                            out.write(json.dumps(record, ensure_ascii=False, default=str, sort_keys=True) + "\n")
                            count, broken = count + 1, broken + ("pd-notice pd-error" in str(record.get("value")))
            seconds = time.monotonic() - began
            print(f"{page}: {count} records in {seconds:.0f} s, {broken} broken parts", file=sys.stderr, flush=True)


# ---------------------------------------------------------------- compare

_Place = tuple[str, str, str]


def read(path: Path, renamed: Iterable[tuple[str, str]]) -> dict[_Place, list[dict[str, Any]]]:
    """The records of a dump by page, scope and language, with the names after the move."""
    patterns = [(re.compile(before), after) for before, after in renamed]
    found: dict[_Place, list[dict[str, Any]]] = defaultdict(list)
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            for pattern, after in patterns:
                line = pattern.sub(after, line)
            value = json.loads(line)
            found[value["page"], value["scope"], value["lang"]].append(value)
    return found


def differing(before: Any, after: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, str, str]]:
    """Where two values differ, and both values there; the number of a place in a list is left out."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({*before, *after}):
            yield from differing(before.get(key), after.get(key), (*path, key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from differing(one, other, (*path, "*"))
    elif before != after:
        yield ".".join(path), _text(before), _text(after)


def _text(value: Any) -> str:
    return "(nothing)" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def in_order(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    """The differences of two sequences of what is shown: a thing that comes or goes moves nothing else."""
    one, other = ([(item["path"], item["what"], str(item["value"])) for item in items] for items in (before, after))
    if one == other:
        return
    for kind, i, j, k, m in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if kind != "equal":
            for at in range(max(j - i, m - k)):
                old, new = one[i + at] if i + at < j else None, other[k + at] if k + at < m else None
                if old and new and old[:2] == new[:2]:
                    yield f"{old[0]} {old[1]}", old[2], new[2]
                else:
                    for item, is_old in ((old, True), (new, False)):
                        if item:
                            yield (
                                f"{item[0]} {item[1]} {'gone' if is_old else 'new'}",
                                item[2] if is_old else "(nothing)",
                                "(nothing)" if is_old else item[2],
                            )


def compared(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    """Kind, place, and both values of each difference of one page under one scope."""
    for kind in ("sentence", "shown"):
        ordered = [[item for item in side if item["kind"] == kind] for side in (before, after)]
        for place, one, other in in_order(*ordered):
            yield kind, place, one, other
    named = [
        {(item["kind"], item["name"]): item for item in side if item["kind"] not in ("sentence", "shown")}
        for side in (before, after)
    ]
    for kind, name in sorted({*named[0], *named[1]}):
        one, other = (side.get((kind, name)) for side in named)
        if one is None or other is None:
            yield kind, f"{name} {'new' if one is None else 'gone'}", _text(one), _text(other)
        else:
            for path, old, new in differing(one, other):
                yield kind, f"{name} {path}", old, new


def excerpt(one: str, other: str) -> str:
    """Both values where they begin to differ."""
    at = next(
        (i for i, pair in enumerate(zip(one, other, strict=False)) if len({*pair}) > 1), min(len(one), len(other))
    )
    return f"    before: {one[max(at - 100, 0) : at + 160]!r}\n    after:  {other[max(at - 100, 0) : at + 160]!r}"


def compare(given: argparse.Namespace) -> int:
    """Print each kind of difference once, with its count, its scopes and an example; whether there is none."""
    renamed = [*RENAMED.items(), *(tuple(pair.split("=", 1)) for pair in given.rename)]
    before, after = read(given.before, renamed), read(given.after, ())
    places = [place for place in before if place in after]
    groups: dict[tuple[str, str, str], list[tuple[_Place, str, str]]] = defaultdict(list)
    for place in places:
        for kind, where, one, other in compared(before[place], after[place]):
            group = (place[0], kind, where)
            if given.only in ("", kind) and not (given.without and re.search(given.without, " ".join(group))):
                groups[group].append((place, one, other))
    for (page, kind, where), found in sorted(groups.items()):
        (_, scope, lang), one, other = found[0]
        scopes = sorted({place[1] for place, *_ in found})
        print(f"{len(found)} × {page} {kind} {where}\n  {scope}, {lang}; in {', '.join(scopes)}\n{excerpt(one, other)}")
    for only, missing in (("before", before.keys() - after.keys()), ("after", after.keys() - before.keys())):
        if missing:
            print(f"only {only}: {len(missing)} pages × scopes × languages are not compared")
    count = sum(len(before[place]) for place in places)
    print(
        f"{len(places)} pages × scopes × languages, {count} records, {sum(map(len, groups.values()))} differences "
        f"of {len(groups)} kinds"
    )
    return 1 if groups or not places else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("write")
    command.add_argument("warehouse", type=Path)
    command.add_argument("out", type=Path)
    command.add_argument("--pages", nargs="+", default=PAGES, choices=PARTS, metavar="PAGE")
    command.add_argument("--scopes", nargs="+", default=[], metavar="SCOPE")
    command.add_argument("--langs", nargs="+", default=["fa", "en"])
    command.set_defaults(run=write)
    command = commands.add_parser("compare")
    command.add_argument("before", type=Path)
    command.add_argument("after", type=Path)
    command.add_argument("--rename", nargs="+", default=[], metavar="OLD=NEW", help="a pattern in the records before")
    command.add_argument("--only", default="", metavar="KIND")
    command.add_argument("--without", default="", metavar="REGEX", help="differences that are explained")
    command.set_defaults(run=compare)
    given = parser.parse_args()
    return given.run(given) or 0


if __name__ == "__main__":
    sys.exit(main())
