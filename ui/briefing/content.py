"""The content of a briefing: every word from pages/text.toml, every number from an Answer."""

from dataclasses import replace
from typing import Any

from etl.core.jalali import year_before
from etl.semantic.answers import Answer
from etl.submissions.notes import NATION
from ui.briefing import drawing, tables
from ui.briefing.writer import Writer, refuse_empty
from ui.charts import boundaries, county_maps, forecast, maps, marks, time_titles
from ui.data import cursors, owed
from ui.exhibits import coverage, growth, overview, training, verdict
from ui.exhibits.cards import at_once
from ui.exhibits.exhibit import Actions
from ui.exhibits.needs_action import needs_action
from ui.i18n import member_names, text
from ui.state import wording
from ui.state.questions import analyse_under, of_nation, on_day, settled_on, who_differs
from ui.summary import changes

HEADLINE = ("active_assistants", "training_compliance", "licensed_institutes", "leaver_rate_12m")
# Only the latest events fit below the trend; the file of numbers has all of them.
_MOST_EVENTS = 4
# In points.
_HEIGHTS = range(110, 371, 12)
_HALF_HEIGHTS = (168, 216, 264, 312, 360, 408)


def book(write: Writer) -> dict[str, Any]:
    """The content of the briefing of a place. Raises Refused for a place or day without data."""
    # None of what it asks is in the book.
    refuse_empty(write.scope, write.ask.ask.exactly)
    publication, lang, day = write.ask.publication, write.lang, write.scope.day
    facts = verdict.facts(write.scope, write.ask)
    date = text.day_in_both(day, lang)
    title = write.word("title")
    is_nation = not write.scope.province
    following = [tables.of_nation(write)] if is_nation else tables.order_form(write) if write.is_exact else []
    return {
        "lang": lang,
        "iso": day.isoformat(),
        "digits": [text.digits(number, lang) for number in range(100)],
        "title": title,
        "place": write.place,
        "date": date,
        "owner": text.word("app.owner", lang),
        "about": write.word("about", place=write.place_within, date=date),
        "page_words": write.words("page"),
        "footer": write.word(
            "footer",
            title=title,
            place=write.place_within,
            date=text.day(day, lang),
            id=text.digits(publication.id, lang),
        ),
        "sample": write.word("sample") if publication.is_sample else "",
        "circulation_short": write.word("exact_short" if write.is_exact else "circulation_short"),
        "circulation": _circulation(write),
        "verdict": [*(said.words for said in verdict.sentences(facts, lang)), *_findings(write)],
        **_cards(write),
        "trend": _trend(write, facts),
        "actions": _actions(write),
        "ranks": None if is_nation else tables.ranks_of_province(write),
        "map": _map(write) if is_nation else None,
        "halves": [] if is_nation else [_counties(write), _compliance(write)],
        "ranking": tables.ranking(write),
        "tables": following,
        "changes": _changes(write),
        "notes": _notes(write),
        "method": _method(write),
        "numbers_about": write.word("numbers_about"),
    }


def _circulation(write: Writer) -> str:
    """What was done to the numbers for circulation, or that they are exact."""
    return text.word("file.exact" if write.is_exact else "file.circulation_short", write.lang)


def _findings(write: Writer) -> list[str]:
    """Who is below the whole in coverage and in training."""
    made = (make(write.scope, write.ask) for make in (coverage.findings, training.findings))
    return [" ".join(exhibit.sentences) for exhibit in made]


def _cards(write: Writer) -> dict[str, Any]:
    cards, notes = [], []
    numbers = at_once(write.scope, write.ask.ask, HEADLINE)
    for name in HEADLINE:
        now, earlier = numbers[name].now, numbers[name].before
        write.beside.extend([now, *([earlier] if earlier else [])])
        metric, settled = now.metrics[0], settled_on(write.ask, name, write.scope.day)
        value, before = now.value(), earlier.value() if earlier else None
        change, judged = "", ""
        if value is not None and before is not None:
            compared = write.word("year_same")
            if changes.is_visible(metric, value, before):
                change = changes.signed(metric, value, before, write.lang, now)
                judged = changes.verdict(metric, numbers[name].side)
                compared = write.word(f"year_{judged or 'plain'}")
        elif settled and now.hidden:
            compared = text.word("file.status_c", write.lang)
        elif earlier and earlier.hidden:
            compared = write.word("year_left_out")
        else:
            compared = write.word("no_year" if settled else "not_settled")
        cards.append(
            {
                "label": metric.label[write.lang],
                "value": text.plain(value, metric.unit, write.lang),
                "change": change,
                "verdict": compared,
                "better": judged == "better",
                "worse": judged == "worse",
            }
        )
        if day := numbers[name].settled_on:
            notes.append(write.word("settled", label=metric.label[write.lang], day=text.day(day, write.lang)))
    return {"cards": cards, "cards_note": " ".join(notes)}


def _trend(write: Writer, facts: verdict.Facts) -> dict[str, Any]:
    lang = write.lang
    scope, ask, exhibit = write.scope, write.ask, write.exhibit(growth.projection)
    assert exhibit.answer is not None
    answer = exhibit.answer
    path, all_events = (analyse_under(scope, ask, name)[0] for name in ("target_path", "events"))
    actual = [row for row in answer.rows if row[1] is not None]
    if not forecast.has_range(answer):
        answer = replace(answer, rows=actual)
    events = marks.of(marks.events(all_events, write.context)[-_MOST_EVENTS:], [row[0] for row in answer.rows])
    first, last = actual[0], actual[-1]
    span = [text.unit_label(label, lang) for label in (first[0], answer.rows[-1][0])]
    counted = [text.number(row[1], lang) for row in (first, last)]
    until = text.day(scope.day, lang)
    alt = write.word("trend_alt", first=counted[0], since=span[0], last=counted[1], until=until)
    title = write.word("trend_alone", active=text.number(facts.active, lang), before=text.number(facts.before, lang))
    keys = ["actual"]
    if time_titles.projected(answer):
        title = time_titles.ahead(answer, write.context).sentence
        alt += f" {title}."
        keys.append("projection")
    keys += (["path"] if path.rows else []) + (["event"] if events else [])
    return {
        "title": title,
        "sub": write.word("trend_sub", place=write.place_within, first=span[0], last=span[1]),
        # The template uses the highest picture that fits on the page.
        "pictures": [
            {"height": height, "svg": drawing.trend(answer, write.context, facts.target, path, events, float(height))}
            for height in _HEIGHTS
        ],
        "alt": alt,
        "keys": [{"kind": key, "words": write.word(f"key_{key}")} for key in keys],
        "events": [{"number": text.digits(event.number, lang), "words": event.words} for event in events],
        "path": _path(write, path),
    }


def _path(write: Writer, path: Answer) -> str:
    """The gap to the target path on the day."""
    rows = [row for row in path.records() if row["planned_gap"] is not None]
    if not rows:
        return ""
    row = rows[-1]
    return write.word(
        "path_behind" if row["planned_gap"] < 0 else "path_ahead",
        day=text.day(write.scope.day, write.lang),
        planned=text.number(row["planned"], write.lang),
        gap=text.number(abs(row["planned_gap"]), write.lang),
    )


def _actions(write: Writer) -> dict[str, Any]:
    exhibit = needs_action(write.scope, write.ask)
    assert isinstance(exhibit.form, Actions)
    return {
        "title": exhibit.title.sentence,
        "none": exhibit.form.none,
        "items": [
            {
                "number": text.digits(f"{at}.", write.lang),
                "sentence": action.sentence,
                "about": action.about,
            }
            for at, action in enumerate(exhibit.form.items, 1)
        ],
        "more": exhibit.form.more,
    }


def _map(write: Writer) -> dict[str, Any] | None:
    """The map of the provinces; nothing where no coverage is known or may be shown.

    A province that is named is on it without its number where that does not circulate.
    """
    lang = write.lang
    answer = who_differs(write.scope, write.ask, coverage.RATE, "province")
    known = [row for row in answer.rows if row[1] is not None]
    if not known:
        return None
    nation = on_day(write.scope, write.ask, coverage.RATE)
    areas = maps.areas_of(answer, known, write.context)
    return {
        "title": write.title(coverage.by_province(write.scope, write.ask)),
        "sub": write.word("map_sub", day=text.day(write.scope.day, lang), nation=write.plain(nation)),
        "svg": drawing.province_map(answer, write.context, boundaries.label_points()),
        "alt": write.word("map_alt"),
        "width": 158,
        "legend": [{"colour": step["colour"], "words": step["label"]} for step in areas.keys],
        "credit": f"{text.word('figure.osm', lang)} (ODbL)",
    }


def _counties(write: Writer) -> dict[str, Any]:
    """The map of the counties of a province; one that is named for few people is painted without its number."""
    answer = who_differs(write.scope, write.ask, coverage.RATE, "county")
    paint = county_maps.painted(answer, write.context)
    return {
        "title": write.title(coverage.by_county(write.scope, write.ask)),
        "sub": write.word("counties_sub", place=write.place, day=text.day(write.scope.day, write.lang)),
        "pictures": [drawing.county_map(paint, write.context, float(height)) for height in _HALF_HEIGHTS],
        "alt": write.word("counties_alt", place=write.place),
        "legend": [{"colour": key["colour"], "kind": key["kind"], "words": key["label"]} for key in paint.keys],
        "credit": paint.note,
    }


def _compliance(write: Writer) -> dict[str, Any]:
    """The compliance of a province over two years, beside the nation's."""
    exhibit = write.exhibit(overview.training)
    assert exhibit.answer is not None
    here, nation = exhibit.answer, of_nation(exhibit.answer, write.ask)
    first, last = (text.unit_label(here.rows[at][0], write.lang) for at in (0, -1))
    return {
        "title": time_titles.latest(here, write.context).sentence,
        "sub": write.word("compliance_sub", place=write.place, first=first, last=last),
        "pictures": [drawing.shares(here, nation, write.context, float(height)) for height in _HALF_HEIGHTS],
        "alt": write.word("compliance_alt", place=write.place, first=first, last=last),
        "legend": [],
        "credit": "",
    }


def _changes(write: Writer) -> dict[str, Any]:
    lang = write.lang
    section: dict[str, Any] = {"title": write.word("changes_title"), "heads": write.words("changes_heads"), "rows": []}
    revision = cursors.revision(write.ask, write.pointer, HEADLINE, write.scope.day, write.scope.where)
    if revision is None:
        return section | {"lead": write.word("changes_first")}
    counts = {
        kind: sum(getattr(source, f"{kind}_rows") for source in revision.changes.rows)
        for kind in ("new", "corrected", "removed")
    }
    rows = write.word("changes_no_rows")
    if any(counts.values()):
        rows = write.word("changes_rows", **{kind: text.number(count, lang) for kind, count in counts.items()})
    for name, now in revision.after.items():
        metric, label = now.metrics[0], now.metrics[0].label[lang]
        if now.on and now.on != revision.day:
            label = text.word("change.settled", lang, label=label, day=text.day(now.on, lang))
        before, after = revision.before[name].value(), now.value()
        if None not in (before, after) and changes.is_visible(metric, after, before):
            values = (text.plain(value, metric.unit, lang) for value in (before, after))
            section["rows"].append([label, *values, changes.signed(metric, after, before, lang, now)])
    lead = write.word(
        "changes_some" if section["rows"] else "changes_none",
        old=text.digits(revision.publication.id, lang),
        rows=rows,
        day=text.day(revision.day, lang),
    )
    if revision.changes.definitions or revision.changes.references:
        lead += f" {write.word('changes_references')}"
    return section | {"lead": lead}


def _notes(write: Writer) -> dict[str, Any]:
    """The signed notes about the place and the year up to the day."""
    day, place = write.scope.day, write.scope.province or NATION
    begins = year_before(day)
    signed = [
        note for note in write.ask.notes if note.place == place and note.days[0] <= day and note.days[1] >= begins
    ]
    return {
        "title": text.word("signed.title", write.lang),
        "lines": [
            wording.note(write.context, note, write.is_exact) for note in sorted(signed, key=lambda note: note.first)
        ],
    }


def _method(write: Writer) -> dict[str, Any]:
    publication, lang = write.ask.publication, write.lang
    source = write.word(
        "source",
        day=text.day(publication.as_of, lang),
        built=text.day(publication.built_on, lang),
        files=text.number(publication.files, lang),
        read=text.number(publication.rows_read, lang),
        loaded=text.number(publication.rows_loaded, lang),
        rejected=text.number(publication.rows_quarantined, lang),
    )
    places = [write.scope.province] if write.scope.province else member_names.fixed("province", lang)
    late = [*filter(None, [wording.not_arrived(write.ask, places, lang)])]
    about = [f"{name}: {line}" for name, line in owed.lines(lang, publication)]
    return {
        "title": write.word("method_title"),
        "lines": [source, *late, *write.words("method"), *about],
        "safety": write.word("safety"),
    }
