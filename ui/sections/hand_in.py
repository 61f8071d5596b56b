"""What a province submits for a month: what is due, the drop zone, what the check found, and the receipt.

The order of a result is: what stops it, rows that come back, what changes, what is to be confirmed.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

import streamlit as st

from etl.analysis import data_quality as load
from etl.core import jalali
from etl.extract import expected
from etl.extract.causes import because, in_language, words
from etl.extract.contract import TABLES
from etl.extract.source_folder import ENDINGS
from etl.semantic.catalog import catalogue
from etl.submissions import arrivals, deadline, ledger, rows_file
from etl.submissions import desk as steps
from etl.submissions.desk import Desk, Person, Reader
from etl.submissions.originals import MOST_FILES, MOST_OF_FILE
from etl.submissions.records import OPEN, Submission
from ui.components import blocks, tables
from ui.components.plot import component
from ui.data import page_run, submissions, warehouse
from ui.i18n import text
from ui.i18n.member_names import collated
from ui.sections import unusual
from ui.sections.data_quality import column_of, name_of
from ui.state import acts, page_parameters, rendering
from ui.state.page_context import PageContext
from ui.summary.changes import signed

_MONTHS = 12
_EARLIER = 20
_MOST_REASONS = 4
ENDED = ("withdrawn", "superseded")


# ---------------------------------------------------------------- a clerk


def hand_in(view: PageContext) -> None:
    """What one province submits for one month."""
    with blocks.error_boundary(view.lang, "hand_in"):
        if reader := let_in(view, "hand_in.for_submitters", lambda reader: bool(reader.provinces)):
            with st.container(horizontal=True):
                province = _province(view, reader)
                month = month_of(view, "handin")
            if province:
                _of_province(view, submissions.desk(), province, month)
            else:
                with st.container(border=True, key="figure-choose"):
                    blocks.head(view.word("hand_in.whose"), view.word("hand_in.whose_is"))


def let_in(view: PageContext, otherwise: str, may: Callable[[Reader], bool]) -> Reader | None:
    """The reader of the page, if they may use it; else the notice `otherwise` is shown."""
    reader = submissions.reader()
    if not may(reader):
        blocks.notice(view.lang, otherwise, view.word("hand_in.whom_to_ask"))
        return None
    if reader.is_alone:
        blocks.note(view.word("hand_in.alone"))
    return reader


def _province(view: PageContext, reader: Reader) -> str:
    """The own province of the person; of several the one chosen here, empty before that: no filter of another page counts."""
    codes = sorted(reader.provinces, key=lambda code: collated(view.member("province", code)))
    asked = page_parameters.one("handin", "of")
    chosen = asked if asked in codes else None
    if len(codes) == 1:
        return codes[0]
    if codes:
        blocks.controlled(
            st.selectbox,
            view.word("hand_in.province"),
            "hand-in-province",
            chosen,
            lambda code: page_parameters.choose("handin", of=code, receipt=None),
            options=codes,
            format_func=lambda code: view.member("province", code),
            placeholder=view.word("hand_in.choose"),
            width=260,
        )
    return chosen or ""


def month_of(view: PageContext, part: str) -> str:
    """The month chosen on a page: one of the last, or the running one; the last that has ended if none was chosen."""
    today = date.today()
    labels = [jalali.unit_of(today, "month").label, *reversed(deadline.months_ended(today, _MONTHS))]
    asked = page_parameters.one(part, "month")
    chosen = asked if asked in labels else labels[1]
    blocks.controlled(
        st.selectbox,
        view.word("hand_in.month"),
        f"month-{part}",
        chosen,
        lambda label: page_parameters.choose(part, month=label, receipt=None),
        options=labels,
        format_func=lambda label: text.unit_label(label, view.lang),
        width=220,
    )
    return chosen


def address(view: PageContext, province: str, month: str, receipt: str = "") -> str:
    """The address of what a province submits for a month, with the receipt of a submission."""
    asked = {"of": [province], "month": [month], "receipt": [receipt] if receipt else []}
    return page_parameters.address("handin", view.lang, asked)


@rendering.fragment
def _of_province(view: PageContext, desk: Desk, province: str, month: str) -> None:
    with blocks.error_boundary(view.lang, "hand_in"):
        reader = submissions.reader()
        every = [one for one in desk.visible(reader) if one.province == province]
        here = [one for one in every if one.month == month and one.state not in ENDED]
        now = here[-1] if here else None
        if now and now.state == "published":
            now = None
        submissions.go_on(now)
        acts.tell_waiting()
        acts.said(below=_answered_below(reader, now))
        month_of_it = [one for one in every if one.month == month and _stands(one, now)]
        entries = ledger.ledger(month_of_it, desk.rules)
        states = ledger.states(entries, province)
        counting = {table: one for one in month_of_it for table in ledger.counting(entries, one)}
        with st.container(border=True, key="figure-hand_in"):
            stands_in = reader.stands_in_for(province) and not reader.is_alone
            status = f'<p role="status">{text.escape(_state(view, desk, now, here, stands_in))}</p>'
            st.html(blocks.heading(_title(view, desk, province, month, "missing" in states.values()), more=status))
            if now and now.why and now.state == "returned":
                why = view.word("hand_in.returned_why", why=text.isolated(in_language(now.why, view.lang), view.lang))
                do = view.escaped("hand_in.returned_do")
                said_why = f'<strong class="pd-latin">{text.escape(why)}</strong>'
                st.html(f'<div class="pd-notice" role="note">{said_why}<p>{do}</p></div>')
            _four(view, desk, counting, province, states)
            _drop(view, reader, now, province, month)
            _unchanged(view, desk, now, province, month, states)
        asked = page_parameters.one("handin", "receipt")
        mine = now if now and now.state in ("submitted", "approved") else None
        if shown := next((one for one in every if one.id == asked and one.submitted_at), mine):
            _receipt(view, shown)
        if now:
            _result(view, desk, reader, now)
        # A draft that was given up was never submitted.
        earlier = [one for one in reversed(every) if one.submitted_at and (now is None or one.id != now.id)]
        _earlier(view, earlier[:_EARLIER])


def _answered_below(reader: Reader, now: Submission | None) -> set[str]:
    """The places below where steps are answered."""
    if now and now.state == "ready":
        return {"submit"}
    return {place_of(now)} if now and now.state == "submitted" and reader.is_steward else set()


def _title(view: PageContext, desk: Desk, province: str, month: str, is_owed: bool) -> str:
    due = deadline.due(month, desk.rules)
    left = (due - date.today()).days
    key = "is_due" if not is_owed else "due" if left > 0 else "overdue" if left else "due_today"
    return view.word(
        f"hand_in.{key}",
        place=view.member("province", province),
        month=text.unit_label(month, view.lang),
        day=text.day(due, view.lang),
        count=text.number(abs(left), view.lang),
    )


def _state(view: PageContext, desk: Desk, now: Submission | None, here: Sequence[Submission], stands_in: bool) -> str:
    for_it = [view.word("hand_in.stands_in")] * stands_in
    if now is None and here:
        state = view.word("hand_in.is", state=view.word("submission.published"))
        return " ".join([state, view.word("hand_in.again"), *for_it])
    if now is None:
        return " ".join([view.word("hand_in.nothing_yet"), *for_it])
    state = view.word(f"submission.{now.state}")
    parts = [view.word("hand_in.is", state=state)]
    if now.state == "checking" and (place := desk.place_in_queue(now)):
        parts.append(view.word("hand_in.queue", place=text.number(place, view.lang)))
    return " ".join([*parts, *_for_province(view, now)])


def _for_province(view: PageContext, one: Submission) -> list[str]:
    """That a steward entered a submission, where that is so."""
    return [view.word("hand_in.for_province")] * one.for_province


def _stands(one: Submission, now: Submission | None) -> bool:
    """Whether a submission says something about its month: it was submitted, or it is being made."""
    return arrivals.counts(one) or (now is not None and one.id == now.id)


def _four(
    view: PageContext, desk: Desk, counting: Mapping[str, Submission], province: str, states: Mapping[str, str]
) -> None:
    """The four tables: its state, the file accepted last, what arrived for the month, the template."""
    accepted = _accepted(view, desk, province)
    rows = [(table, accepted.get(table), _arrived(view, counting.get(table), table), states[table]) for table in TABLES]

    def template(row: Any) -> str:
        address = f"./hand-in/template/{row[0]}.xlsx?province={province}"
        label = view.word("hand_in.template_of", table=name_of(view, "source", row[0]))
        words = view.escaped("hand_in.template")
        return f'<a href="{text.escape(address)}" aria-label="{text.escape(label)}" download>{words}</a>'

    columns = [
        tables.Column("table", view.word("hand_in.table"), lambda row: text.escape(name_of(view, "source", row[0]))),
        tables.Column("template", view.word("hand_in.empty_file"), template),
        tables.Column("state", view.word("hand_in.state"), lambda row: view.escaped(f"arrival.{row[3]}")),
        tables.Column("accepted", view.word("hand_in.accepted"), lambda row: _file(view, row[1])),
        tables.Column("arrived", view.word("hand_in.arrived"), lambda row: _file(view, row[2])),
    ]
    tables.show(view, "hand_in", columns, rows, view.word("hand_in.tables"), is_stacked=True)


def _file(view: PageContext, found: tuple[str, int | None, str] | None) -> str:
    """The cell of a file: its name, its rows, and the day on which it was accepted, if known."""
    if not found:
        return "–"
    name, rows, day = found
    parts = [blocks.latin(name)]
    parts += [view.escaped("hand_in.rows", count=text.number(rows, view.lang))] if rows is not None else []
    return " · ".join([*parts, *filter(None, [text.escape(day)])])


def _accepted(view: PageContext, desk: Desk, province: str) -> dict[str, tuple[str, int | None, str]]:
    """The file of each table in the publication, with its rows and, where it was submitted here, the day it was accepted."""
    days = {
        file.name: text.day(datetime.fromtimestamp(one.decided_at).date(), view.lang)
        for one in desk.records.all("published", "superseded")
        if one.province == province and one.publication
        for file in one.files
    }
    answer = warehouse.analyse(load.files)
    at = {name: answer.columns.index(name) for name in ("file", "source", "province", "rows_loaded", "refusal")}
    found: dict[str, tuple[str, int | None, str]] = {}
    for row in answer.rows:
        if row[at["province"]] == province and not row[at["refusal"]]:
            name = row[at["file"]]
            found[row[at["source"]]] = (name, row[at["rows_loaded"]], days.get(name, ""))
    return found


def _arrived(view: PageContext, one: Submission | None, table: str) -> tuple[str, int | None, str] | None:
    """The files of a table in the submission that counts, their rows, and once it is decided who approved it and where it is."""
    if one is None:
        return None
    decided = ""
    if one.state in ("approved", "published"):
        words = {"who": text.isolated(one.decided_by, view.lang), "id": text.digits(one.publication, view.lang)}
        decided = view.word(f"hand_in.by_{one.state}", **words)
    entries = [entry for entry in one.result.get("files", ()) if entry.get("table") == table]
    if entries:
        return ", ".join(entry["file"] for entry in entries), sum(entry["rows_read"] for entry in entries), decided
    names = [file.name for file in one.files if table in file.table.split()]
    return ", ".join(names), None, decided


def _drop(view: PageContext, reader: Reader, now: Submission | None, province: str, month: str) -> None:
    is_open = now is None or now.state in OPEN
    taken = [file.number for file in now.files] if now else []
    told = {
        "province": province,
        "month": month,
        "draft": now.id if now else "",
        "state": now.state if now else "",
        "taken": taken,
        "numbers": {file.name: file.number for file in now.files} if now else {},
        "open": is_open,
        "token": page_run.hand_in_token(),
        "lang": view.lang,
        "endings": ",".join(ENDINGS),
        "words": {name: view.word(f"hand_in.drop_{name}") for name in ("hint", "arrived", "failed")}
        | {
            # Who has several provinces sees again whose files these are.
            "choose": view.word("hand_in.drop_choose")
            if len(reader.provinces) == 1
            else view.word("hand_in.drop_choose_of", place=view.member("province", province)),
            # Said before a byte is sent; {file} is filled in there.
            "large": in_language(words("handed_in_too_large", file="{file}", most=MOST_OF_FILE >> 20), view.lang),
            "many": in_language(words("handed_in_too_many", most=MOST_FILES), view.lang),
        },
        "most": {"bytes": MOST_OF_FILE, "files": MOST_FILES - len(taken)},
    }
    # The page is drawn anew by the run that a change starts.
    component("handin")(
        key="hand-in-drop",
        data=json.dumps(told, ensure_ascii=False).encode(),
        on_changed_change=lambda: None,
    )


def _unchanged(
    view: PageContext,
    desk: Desk,
    now: Submission | None,
    province: str,
    month: str,
    states: Mapping[str, str],
) -> None:
    """Declare tables without change, take files out again."""
    if now and now.state not in OPEN:
        return
    with st.container(horizontal=True, key="hand-in-unchanged"):
        for table in (name for name in TABLES if states[name] == "missing"):
            words = view.word("hand_in.no_change", table=name_of(view, "source", table))
            st.button(
                words,
                key=f"unchanged-{table}",
                on_click=acts.take,
                args=(view, partial(_declare, desk, now, province, month, table)),
            )
        for file in now.files if now else ():
            st.button(
                view.word("hand_in.leave_out", file=file.name),
                key=f"leave-{file.number}",
                on_click=acts.take,
                args=(view, partial(_leave_out, desk, now.id if now else "", file.number)),
            )


def _leave_out(desk: Desk, ident: str, number: int, who: Person) -> None:
    desk.remove(who, ident, number)


def _declare(desk: Desk, now: Submission | None, province: str, month: str, table: str, who: Person) -> None:
    ident = now.id if now else desk.open(who, province, month).id
    desk.declare_unchanged(who, ident, [table])


# ---------------------------------------------------------------- the result


def _result(view: PageContext, desk: Desk, reader: Reader, now: Submission) -> None:
    result = now.result
    stops = [in_language(text_, view.lang) for text_ in result.get("stops", ())]
    if stops:
        with st.container(border=True, key="figure-stops"):
            named = "".join(f"<li>{text.escape(stop)}</li>" for stop in stops)
            head = blocks.heading(view.word("hand_in.stops"), view.word("hand_in.stops_are"))
            st.html(f'{head}<ul class="pd-rules pd-latin">{named}</ul>')
    if "rows_loaded" in (result.get("files") or [{}])[0]:
        _rows(view, desk, now)
        # What the whole check refuses changes nothing.
        if not stops:
            _changes(view, now)
    _submit(view, desk, now)
    if now.state == "submitted" and reader.is_steward:
        decide(view, desk, reader, now)


def _rows(view: PageContext, desk: Desk, now: Submission) -> None:
    lines = [line | {"kind": kind} for kind in ("returned", "warned") for line in now.result.get(kind, ())]
    with st.container(border=True, key="figure-returned"):
        counts = " ".join(filter(None, [_counts(view, now), _since_before(view, now)]))
        blocks.head(view.word("hand_in.returned"), counts)
        if not lines:
            blocks.note(view.word("hand_in.all_accepted"))
            return
        columns = [
            tables.Column(
                "table", view.word("hand_in.table"), lambda row: text.escape(name_of(view, "source", row["table"]))
            ),
            tables.Column(
                "column",
                view.word("hand_in.column"),
                lambda row: text.escape(_column(view, now, row["table"], row["column"])),
            ),
            tables.Column("reason", view.word("hand_in.reason"), lambda row: text.escape(_reason(view, row))),
            tables.Column(
                "rows", view.word("hand_in.count"), lambda row: text.number(row["rows"], view.lang), is_number=True
            ),
            tables.Column("places", view.word("hand_in.places"), lambda row: _places(view, now, row["places"])),
        ]
        tables.show(view, "returned", columns, lines, view.word("hand_in.returned"), is_stacked=True)
        _single_rows(view, desk, now)
        if now.state in OPEN:
            blocks.note(view.word("hand_in.to_correct"), on_screen=True)
        address = text.escape(f"./hand-in/{now.id}/rows.xlsx?lang={view.lang}")
        st.html(
            f'<p class="pd-note"><a class="pd-go" href="{address}" download>{view.escaped("hand_in.rows_file")}</a></p>'
        )


def _counts(view: PageContext, one: Submission) -> str:
    """How many rows were read, accepted and returned, and how many are repeated or have an unknown value, if any."""
    read, loaded, back, twice, warned = (
        sum(file.get(name, 0) for file in one.result["files"])
        for name in ("rows_read", "rows_loaded", "rows_quarantined", "exact_duplicates", "rows_warned")
    )
    numbers = {"read": read, "loaded": loaded, "back": back}
    parts = [view.word("hand_in.adds_up", **{name: text.number(count, view.lang) for name, count in numbers.items()})]
    parts += [
        view.word(f"hand_in.{key}", count=text.number(count, view.lang))
        for key, count in (("twice", twice), ("warned", warned))
        if count
    ]
    return " ".join(parts)


def _since_before(view: PageContext, now: Submission) -> str:
    """How many rows came back in the check before and come back now, of the tables whose files were changed since."""
    both = [(now.before[table], found) for table, found in now.came_back.items() if table in now.before]
    changed = [(was["rows"], found["rows"]) for was, found in both if was["files"] != found["files"]]
    before, count = (sum(counts) for counts in zip(*changed, strict=True)) if changed else (0, 0)
    if not before:
        return ""
    numbers = {"before": text.number(before, view.lang), "count": text.number(count, view.lang)}
    return view.word("hand_in.before_and_now" if count else "hand_in.before_and_none", **numbers)


def _column(view: PageContext, now: Submission, table: str, column: str) -> str:
    """What a column is called, with its headings in the files where those are others."""
    name = column_of(view, column)
    headings = now.result.get("headings", {}).get(table, {}).get(column, ())
    return rows_file.in_file(name, text.listed(headings, view.lang), view.lang)


def _single_rows(view: PageContext, desk: Desk, now: Submission) -> None:
    """Row by row where each is and what to do; of sixteen equal faults the summary says enough."""
    if not (rows := rows_file.listed(desk.root, now)):
        return

    def cells(name: str, written: Callable[[Any], str]) -> tables.Column:
        return tables.Column(name, view.word(f"hand_in.{name}"), lambda row: text.escape(written(row)))

    file = tables.Column("file", view.word("hand_in.file"), lambda row: blocks.latin(row["file"]))
    columns = [
        *[file] * (len(now.files) > 1),
        cells("place", lambda row: expected.place(row["at"][0], row["at"][1], view.lang)),
        cells("todo", lambda row: expected.remedy(row["column"], row["reason"], view.lang)),
        cells(
            "column",
            lambda row: rows_file.in_file(column_of(view, row["column"]), row.get("heading", ""), view.lang),
        ),
        cells("expected", lambda row: in_language(row["expected"], view.lang)),
    ]
    title = view.word("hand_in.single", count=text.number(len(rows), view.lang))
    with st.expander(title, key="single-rows"):
        tables.show(view, "single", columns, rows, title, is_stacked=True)


def _reason(view: PageContext, row: Mapping[str, Any]) -> str:
    reason = name_of(view, "reason", row["reason"])
    return reason if row["kind"] == "returned" else view.word("hand_in.as_unknown", reason=reason)


def _places(view: PageContext, now: Submission, places: Sequence[Any]) -> str:
    """The places of rows, each file named once, and not at all where there is only one, as HTML."""
    of_file = [
        text.listed(
            [
                *[blocks.latin(file)] * (len(now.files) > 1),
                text.escape(" · ".join(expected.place(sheet, line, view.lang) for _, sheet, line in inside)),
            ],
            view.lang,
        )
        for file, inside in groupby(places, key=itemgetter(0))
    ]
    return text.clauses(of_file, view.lang)


def _changes(view: PageContext, now: Submission) -> None:
    with st.container(border=True, key="figure-changes"):
        blocks.head(view.word("hand_in.changes"), view.word("hand_in.changes_are"))
        before_after(view, "changes", now.result.get("changes", ()), view.word("hand_in.changes"))
        new_and_gone(view, now)


def new_and_gone(view: PageContext, one: Submission) -> None:
    """The rows of each table that are new and that are not there any more; the tables that had no file before."""
    before = one.result.get("before", {})
    for table, rows in before.items():
        if rows["new"] or rows["gone"]:
            numbers = {"new": rows["new"], "gone": rows["gone"], "count": rows["rows"]}
            written = {name: text.number(count, view.lang) for name, count in numbers.items()}
            blocks.note(view.word("unusual.rows", table=name_of(view, "source", table), **written))
    if first := [name_of(view, "source", table) for table in TABLES if table in one.tables and table not in before]:
        blocks.note(view.word("unusual.first", tables=text.listed(first, view.lang)))


def _unusual(view: PageContext, one: Submission) -> None:
    """What the province confirmed before it submitted: each unusual line with its words, and files that were accepted before."""
    lines = []
    for line in one.result.get("unusual", ()):
        written, said = unusual.sentence(view, line), one.confirmed.get(steps.ident(line))
        lines.append(view.word("unusual.said", line=written, words=text.isolated(said, view.lang)) if said else written)
    lines += [in_language(words, view.lang) for words in one.result.get("confirm", ())]
    if lines:
        blocks.note(view.word("unusual.lines"))
        st.html(f'<ul class="pd-rules pd-latin">{"".join(f"<li>{text.escape(line)}</li>" for line in lines)}</ul>')


def _returned_before(view: PageContext, desk: Desk, one: Submission) -> None:
    """Who returned it before, with which words, and what of each table is another since."""
    before = desk.returned_before(one)
    if not before:
        return
    day = text.day(datetime.fromtimestamp(before.decided_at).date(), view.lang)
    who, why = (text.isolated(words, view.lang) for words in (before.decided_by, in_language(before.why, view.lang)))
    said = [view.word("hand_in.returned_before", who=who, day=day, why=why)]
    known, now = before.returned_with, one.came_back
    changed = [table for table in TABLES if known.get(table, {}).get("files") != now.get(table, {}).get("files")]
    for table in changed:
        was, found = ({"loaded": 0, "rows": 0, **of.get(table, {})} for of in (known, now))
        counts = {
            "loaded_before": was["loaded"], "loaded": found["loaded"], "back_before": was["rows"], "back": found["rows"],
        }  # fmt: skip
        written = {name: text.number(count, view.lang) for name, count in counts.items()}
        said.append(view.word("hand_in.since_then", table=name_of(view, "source", table), **written))
    if not changed:
        said.append(view.word("hand_in.since_then_same"))
    blocks.notice(view.lang, "hand_in.was_returned", " ".join(said))


def _reasons(view: PageContext, one: Submission) -> str:
    """The rows that came back by column and reason, the most frequent first; empty without any."""
    found: Counter[tuple[str, str]] = Counter()
    for line in one.result.get("returned", ()):
        found[line["column"], line["reason"]] += line["rows"]
    shown = [
        view.word(
            "hand_in.back_because",
            column=column_of(view, column),
            reason=name_of(view, "reason", reason),
            count=text.number(rows, view.lang),
        )
        for (column, reason), rows in found.most_common(_MOST_REASONS)
    ]
    if others := len(found) - len(shown):
        shown.append(view.word("hand_in.back_others", count=text.number(others, view.lang)))
    return view.word("hand_in.came_back", reasons=text.clauses(shown, view.lang)) if shown else ""


def _declared(view: PageContext, one: Submission) -> str:
    """The tables that were declared unchanged, with who said so; empty without any."""
    tables_of = [name_of(view, "source", table) for table in TABLES if table in one.unchanged]
    who = [text.isolated(sub, view.lang) for sub in dict.fromkeys(sub for sub, _ in one.unchanged.values())]
    listed = {"tables": text.listed(tables_of, view.lang), "who": text.listed(who, view.lang)}
    return view.word("hand_in.declared", **listed) if tables_of else ""


def before_after(view: PageContext, ident: str, changes: Sequence[Any], title: str, by_province: bool = False) -> None:
    """The headline measures that move, as they are written, before, after and by how much; of several provinces `by_province`."""

    def value(name: str, change: Any) -> str:
        number, unit = change[name], catalogue()[change["metric"]].unit
        return text.escape(text.amount(number, unit, view.lang)) if number is not None else "–"

    def difference(change: Any) -> str:
        metric, both = catalogue()[change["metric"]], (change["after"], change["before"])
        if None in both:
            return "–"
        after, before = both if text.decimals_of(metric.unit) else map(round, both)
        return text.escape(signed(metric, after, before, view.lang))

    changes = [change for change in changes if value("before", change) != value("after", change)]
    if not changes:
        blocks.note(view.word("hand_in.no_changes"))
        return
    columns = [
        tables.Column(
            "metric", view.word("hand_in.measure"), lambda row: text.escape(catalogue()[row["metric"]].label[view.lang])
        ),
        *(
            tables.Column(name, view.word(f"hand_in.{name}"), partial(value, name), is_number=True)
            for name in ("before", "after")
        ),
        tables.Column("difference", view.word("hand_in.difference"), difference, is_number=True),
    ]
    if by_province:
        place = tables.member_column(
            view,
            "province",
            lambda row: None,
            lambda row: view.member("province", row["province"]) if row["province"] else view.word("scope.nation"),
        )
        columns.insert(0, place)
    tables.show(view, ident, columns, changes, title)


def _submit(view: PageContext, desk: Desk, now: Submission) -> None:
    """Confirm what is unusual, give reasons for jumps, submit or withdraw."""
    if now.state not in (*OPEN, "submitted"):
        return
    ticks: list[str] = []
    reasons: dict[str, str] = {}
    boxes: dict[str, tuple[str, str]] = {}
    if now.state == "ready":
        asked = [in_language(words, view.lang) for words in now.result.get("confirm", ())]
        lines, jumps = now.result.get("unusual", ()), now.result.get("jumps", ())
        if asked or lines or jumps:
            with st.container(border=True, key="figure-confirm"):
                kind = "is" if asked or lines else "jumps"
                blocks.head(view.word("hand_in.confirm"), view.word(f"hand_in.confirm_{kind}"))
                for at, words in enumerate(asked):
                    ticks.append(f"confirm-{now.id}-{at}")
                    st.checkbox(words, key=ticks[-1])
                for at, line in enumerate(lines):
                    boxes[steps.ident(line)] = (f"unusual-{now.id}-{now.check}-{at}", f"said-{now.id}-{now.check}-{at}")
                    tick, said = boxes[steps.ident(line)]
                    st.checkbox(view.word("unusual.right", line=unusual.sentence(view, line)), key=tick)
                    st.text_input(view.word("unusual.words"), key=said, max_chars=300)
                for name in jumps:
                    label = view.word(
                        "hand_in.why",
                        measure=catalogue()[name].label[view.lang],
                        least=text.number(steps.LEAST_REASON, view.lang),
                    )
                    reasons[name] = f"why-{now.id}-{name}"
                    st.text_area(label, key=reasons[name], max_chars=300)
        left = sum(found["rows"] for found in now.came_back.values())
        if left:
            blocks.note(view.word("hand_in.left", count=text.number(left, view.lang)), on_screen=True)
        acts.said("submit")
    with st.container(horizontal=True, key="hand-in-steps"):
        if now.state == "checking":
            st.button(
                view.word("hand_in.stop"),
                key="hand-in-stop",
                on_click=acts.take,
                args=(view, lambda who: desk.stop(who, now.id)),
            )
        if now.state in ("draft", "to_correct") and now.files:
            st.button(
                view.word("hand_in.check"),
                key="hand-in-check",
                on_click=acts.take,
                args=(view, lambda who: desk.check(who, now.id)),
            )
        if now.state == "ready":
            # Never disabled: Tab would go on to the next button, and what was typed last is known only when one is pressed.
            done = view.word("hand_in.is_submitted", id=text.isolated(now.id, view.lang))
            st.button(
                view.word("hand_in.submit"),
                key="hand-in-submit",
                type="primary",
                on_click=acts.take,
                args=(view, partial(_send, desk, now.id, ticks, reasons, boxes), done, "submit"),
            )
            if boxes:
                st.button(
                    view.word("unusual.correct"),
                    key="hand-in-correct",
                    on_click=acts.take,
                    args=(view, lambda who: desk.correct(who, now.id), view.word("hand_in.returned_do")),
                )
        done = view.word("hand_in.is_withdrawn", id=text.isolated(now.id, view.lang))
        st.button(
            view.word("hand_in.withdraw"),
            key="hand-in-withdraw",
            on_click=acts.take,
            args=(view, lambda who: desk.withdraw(who, now.id), done),
        )


def _send(
    desk: Desk,
    ident: str,
    ticks: Sequence[str],
    reasons: Mapping[str, str],
    boxes: Mapping[str, tuple[str, str]],
    who: Person,
) -> None:
    """Submit with the present content of these fields. Raises Refused for a box that is not ticked."""
    state = st.session_state
    if not all(state.get(key) for key in ticks):
        raise because("submission_unticked")
    confirmed = {line: state.get(said, "") for line, (tick, said) in boxes.items() if state.get(tick)}
    desk.submit(who, ident, {name: state.get(key, "") for name, key in reasons.items()}, confirmed)


def place_of(one: Submission) -> str:
    """The place where steps of a steward on a submission are answered."""
    return f"decide-{one.id}"


def of_others(view: PageContext, desk: Desk, reader: Reader, one: Submission) -> None:
    """The headlines of other provinces that a submission would move, and the button that lets it pass."""
    about = {"place": view.member("province", one.province), "month": text.unit_label(one.month, view.lang)}
    with st.container(border=True, key=f"figure-{place_of(one)}"):
        others = one.result.get("others")
        title = view.word("hand_in.moves_others" if others else "unusual.other_keys", place=about["place"])
        identity = text.isolated(one.id, view.lang)
        blocks.head(title, view.word("hand_in.moves_others_is", id=identity, month=about["month"]))
        for stop in steps.passable(one.result):
            blocks.note(in_language(stop, view.lang))
        new_and_gone(view, one)
        _unusual(view, one)
        if others:
            before_after(view, f"others-{one.id}", others, title, by_province=True)
        is_own = not reader.is_alone and reader.sub in one.hands
        if is_own:
            blocks.note(view.word("hand_in.own"))
        acts.said(place_of(one))
        st.button(
            view.word("hand_in.let_pass"),
            key=f"let-pass-{one.id}",
            disabled=is_own,
            on_click=acts.take,
            args=(
                view,
                lambda who: desk.let_pass(who, one.id),
                view.word("hand_in.is_let_pass", **about),
                place_of(one),
            ),
        )


def decide(view: PageContext, desk: Desk, reader: Reader, one: Submission) -> None:
    """What a submission changes, and the buttons that approve or return it."""
    with st.container(border=True, key=f"figure-{place_of(one)}"):
        place = view.member("province", one.province)
        at = text.day(datetime.fromtimestamp(one.submitted_at).date(), view.lang)
        blocks.head(
            view.word("hand_in.decide", place=place, month=text.unit_label(one.month, view.lang)),
            " ".join(
                [
                    view.word(
                        "hand_in.decide_is", id=text.isolated(one.id, view.lang), who=_account(view, one), day=at
                    ),
                    *_for_province(view, one),
                ]
            ),
        )
        _returned_before(view, desk, one)
        new_and_gone(view, one)
        _unusual(view, one)
        others = one.result.get("others", ())
        if others:
            blocks.note(view.word("hand_in.moves_others", place=place))
        changes = [change | {"province": one.province} for change in one.result.get("changes", ())]
        title = view.word("hand_in.changes")
        before_after(view, f"decide-{one.id}", [*changes, *others], title, by_province=bool(others))
        for name, why in one.reasons.items():
            if name in catalogue() and why:
                blocks.note(f"{catalogue()[name].label[view.lang]}: {why}")
        if one.result.get("files"):
            blocks.note(" ".join(filter(None, [_counts(view, one), _reasons(view, one)])))
        if declared := _declared(view, one):
            blocks.note(declared)
        is_own = not reader.is_alone and reader.sub in (*one.hands, one.submitted_by)
        if is_own:
            blocks.note(view.word("hand_in.own"))
        about = {"place": place, "month": text.unit_label(one.month, view.lang)}
        acts.said(place_of(one))
        st.button(
            view.word("hand_in.approve"),
            key=f"approve-{one.id}",
            type="primary",
            disabled=is_own,
            on_click=acts.take,
            args=(
                view,
                lambda who: desk.approve(who, one.id),
                view.word("hand_in.is_approved", **about),
                place_of(one),
            ),
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            why = f"return-why-{one.id}"
            st.text_input(view.word("hand_in.return_why"), key=why, max_chars=300)
            st.button(
                view.word("hand_in.return"),
                key=f"return-{one.id}",
                on_click=acts.take,
                args=(
                    view,
                    lambda who: desk.give_back(who, one.id, st.session_state.get(why, "")),
                    view.word("hand_in.is_returned", **about),
                    place_of(one),
                ),
            )


def _account(view: PageContext, one: Submission) -> str:
    return text.isolated(one.submitted_by, view.lang)


def _receipt(view: PageContext, now: Submission) -> None:
    with st.container(border=True, key="figure-receipt"):
        at = datetime.fromtimestamp(now.submitted_at)
        blocks.head(
            view.word("hand_in.receipt", id=text.isolated(now.id, view.lang)),
            " ".join(
                [
                    view.word(
                        "hand_in.receipt_is",
                        who=_account(view, now),
                        day=text.day(at.date(), view.lang),
                        time=text.digits(f"{at:%H:%M}", view.lang),
                    ),
                    *_for_province(view, now),
                ]
            ),
        )
        loaded: Counter[str] = Counter()
        for entry in now.result.get("files", ()):
            loaded[entry["file"]] += entry.get("rows_loaded", 0)
        columns = [
            tables.Column("name", view.word("hand_in.file"), lambda file: blocks.latin(file.name)),
            tables.Column(
                "rows",
                view.word("hand_in.loaded"),
                lambda file: text.number(loaded[file.name], view.lang) if file.name in loaded else "–",
                is_number=True,
            ),
            tables.Column(
                "bytes", view.word("hand_in.bytes"), lambda file: text.number(file.bytes, view.lang), is_number=True
            ),
            tables.Column("digest", view.word("hand_in.digest"), lambda file: blocks.latin(file.sha256[:16])),
        ]
        caption = view.word("hand_in.receipt", id=now.id)
        tables.show(view, "receipt", columns, list(now.files), caption, is_stacked=True)
        # The rows that came back stand below on the screen; the printed receipt is one sheet.
        if now.came_back:
            st.html(f'<p class="pd-note pd-on-paper">{text.escape(_counts(view, now))}</p>')


def _earlier(view: PageContext, listed: Sequence[Submission]) -> None:
    if listed:
        with st.container(border=True, key="figure-earlier"):
            blocks.head(view.word("hand_in.earlier"))
            _list(view, "earlier", listed, view.word("hand_in.earlier"))


def _list(view: PageContext, ident: str, listed: Sequence[Submission], caption: str) -> None:
    def at(one: Submission) -> str:
        return text.day(datetime.fromtimestamp(one.submitted_at or one.changed_at).date(), view.lang)

    def receipt(one: Submission) -> str:
        link = text.escape(address(view, one.province, one.month, one.id))
        return f'<a href="{link}" target="_self">{blocks.latin(one.id)}</a>'

    columns = [
        tables.Column("id", view.word("hand_in.number"), receipt),
        tables.Column(
            "month", view.word("hand_in.month"), lambda one: text.escape(text.unit_label(one.month, view.lang))
        ),
        tables.Column("state", view.word("hand_in.state"), lambda one: view.escaped(f"submission.{one.state}")),
        tables.Column("who", view.word("hand_in.who"), lambda one: blocks.latin(one.submitted_by or one.hands[0])),
        tables.Column("on", view.word("hand_in.on"), lambda one: text.escape(at(one))),
    ]
    tables.show(view, ident, columns, list(listed), caption, is_stacked=True)
