"""A page in plain HTML, without a script: what its exhibits say, in the order of reading.

The first response to a reader holds it until the page itself is drawn (ui/shell/first_answer.py), and `/data/training.html` is
it as one file. Every number is that of an exhibit; every word is escaped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache

from etl.core.paths import ROOT
from etl.semantic.answers import Answer
from etl.semantic.catalog import described, label_of
from etl.semantic.disclosure import Circulated
from etl.semantic.rights import AccessScope
from etl.warehouse.publications import Publication
from ui import palette
from ui.charts import elements
from ui.charts.elements import ChartContext
from ui.data import owed
from ui.exhibits.exhibit import Actions, Card, Drawing, Exhibit, Line, Nothing, Rows, Sentence, Table, Value
from ui.exhibits.named import Named
from ui.exports.picture import font_address
from ui.i18n import fonts, member_names, navigation, text
from ui.state import page_parameters, periods, wording
from ui.state.scope import Scope

# The rows of a table in the first response: a list of all institutes would be read before any sentence below it.
FIRST_ROWS = 40


@dataclass(frozen=True)
class PlainPage:
    """A page with what stands on it: its part of the menu, its scope, who reads it, and its exhibits.

    `rows` is the most that a table shows, None for all; `pictures` are the drawings as SVG, above their tables.
    """

    part: str
    scope: Scope
    rights: AccessScope
    publication: Publication
    shown: tuple[tuple[Named, Exhibit], ...]
    rows: int | None = None
    pictures: Mapping[Named, str] = field(default_factory=dict)

    @property
    def lang(self) -> str:
        return self.scope.lang

    @property
    def title(self) -> str:
        """The heading: the name of the page, on the first one under a province that of the province."""
        page, _ = navigation.part_address(self.part)
        entry = next(entry for entry in navigation.menu() if entry["page"] == page)
        if entry == navigation.menu()[0] and self.scope.province:
            return text.word("profile.title", self.lang, place=self._context.member("province", self.scope.province))
        part = navigation.part_words(self.part)[self.lang]
        return part if part == entry[self.lang] else f"{entry[self.lang]} · {part}"

    @property
    def _context(self) -> ChartContext:
        return next(
            (exhibit.context() for _, exhibit in self.shown if exhibit.names), ChartContext(self.lang, False, {})
        )

    def scope_line(self) -> str:
        """Place, filters, day and period in words, as the page says them."""
        lang = self.lang
        parts = [
            text.word("scope.in_words", lang, parts=wording.place(self._context, self.scope.where, self.rights)),
            text.word("trust.as_of", lang, day=text.day_in_both(self.scope.day, lang)),
        ]
        if over := self.scope.over:
            named = periods.named(periods.kind(self.scope.period), self.scope.day, lang)
            parts.append(text.word("scope.period_said", lang, name=named, days=text.period(*over, lang)))
        return " · ".join(parts)

    def main(self) -> str:
        """Heading, scope, exhibits and source."""
        question = navigation.part_words(self.part)["question"][self.lang]
        parts = [f"<h1>{text.escape(self.title)}</h1><p>{text.escape(question)}</p>"]
        parts.append(f'<p class="pd-said">{text.escape(self.scope_line())}</p>')
        notes: dict[str, None] = {}
        for named, row in self._rows():
            cards = [exhibit for exhibit in row if isinstance(exhibit.form, Card)]
            numbers = f"<dl>{''.join(map(_card, cards))}</dl>" if cards else ""
            inside = numbers + "".join(self._exhibit(named, one) for one in row if not isinstance(one.form, Card))
            if inside:
                parts.append(f'<section id="{text.escape(named.name.replace("/", "-"))}">{inside}</section>')
            for exhibit in row:
                notes |= dict.fromkeys((*exhibit.own_notes, *exhibit.notes))
        parts += [f'<p class="pd-note">{text.escape(note)}</p>' for note in notes]
        return "".join(parts) + self._source()

    def _rows(self) -> Iterable[tuple[Named, list[Exhibit]]]:
        """The exhibits of each name together: a row of cards has several."""
        found: dict[Named, list[Exhibit]] = {}
        for named, exhibit in self.shown:
            found.setdefault(named, []).append(exhibit)
        return found.items()

    def _exhibit(self, named: Named, exhibit: Exhibit) -> str:
        form = exhibit.form
        head = f"<h2>{text.escape(exhibit.title.sentence)}</h2>" if exhibit.title.sentence else ""
        if isinstance(form, Nothing):
            return head + (f"<p>{text.escape(exhibit.said(self.lang))}</p>" if form.words else "")
        if head and exhibit.below:
            head += f'<p class="pd-note">{text.escape(exhibit.below)}</p>'
        if exhibit.intro:
            head += f"<p>{text.escape(exhibit.intro)}</p>"
        if isinstance(form, Sentence):
            return head + "".join(f"<p>{_line(line)}</p>" for line in form.lines)
        if isinstance(form, Actions):
            items = "".join(
                f"<li><strong>{text.escape(item.sentence)}</strong> {text.escape(item.about)}</li>"
                for item in (*form.items, *form.others)
            )
            return f"{head}<ul>{items}</ul>" if items else f"{head}<p>{text.escape(form.none)}</p>"
        if isinstance(form, Rows):
            return head + _table(exhibit.title.sentence, form.heads, [[*map(text.escape, row)] for row in form.rows])
        value = form.value if isinstance(form, Value | Drawing) else ""
        if value:
            head += f'<p class="pd-value"><bdi>{text.escape(value)}</bdi></p>'
        answer = exhibit.answer
        is_listed = isinstance(form, Drawing | Table) and answer is not None and answer.rows
        listed = self._answer(exhibit, answer) if is_listed and answer is not None else ""
        if isinstance(form, Drawing) and (drawn := self.pictures.get(named)):
            title = text.escape(exhibit.title.sentence)
            figure = drawn.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)
            return f"{head}<figure>{figure}</figure>{self._folded(listed)}"
        is_long = self.rows is None and answer is not None and len(answer.rows) > FIRST_ROWS
        return head + (self._folded(listed) if is_long else listed)

    def _folded(self, listed: str) -> str:
        return f"<details><summary>{text.escaped('figure.table', self.lang)}</summary>{listed}</details>"

    def _answer(self, exhibit: Exhibit, answer: Answer) -> str:
        """The rows of an answer as a table, its measures in words."""
        context = exhibit.context()
        at = [
            place
            for place, name in enumerate(answer.columns)
            if name in answer.by or (described(name, answer.metrics) and not _is_hidden(answer, name))
        ]
        heads = [
            text.word(f"dimension.{name}", self.lang)
            if name in answer.by
            else label_of(name, self.lang, answer.metrics)
            for name in (answer.columns[place] for place in at)
        ]
        rows = exhibit.in_order()[: self.rows]
        cells = [[_cell(answer, context, answer.columns[place], row[place]) for place in at] for row in rows]
        more = ""
        if len(rows) < len(answer.rows):
            counts = {"first": text.number(len(rows), self.lang), "count": text.number(len(answer.rows), self.lang)}
            more = f'<p class="pd-note">{text.escaped("without_script.first_rows", self.lang, **counts)}</p>'
        return _table(exhibit.title.sentence or heads[0], heads, cells) + more

    def _source(self) -> str:
        """Who published what, from which day, and for whom this page was made."""
        lines = [
            owed.source(self.lang, self.publication),
            *(f"{name}: {line}" for name, line in owed.lines(self.lang, self.publication)),
        ]
        if any(isinstance(exhibit.answer, Circulated) for _, exhibit in self.shown):
            lines.append(text.word("file.circulation_short", self.lang))
        lines.append(
            text.word(
                "without_script.made_for", self.lang, place=wording.place(self._context, self._own(), self.rights)
            )
        )
        return "<footer>" + "".join(f"<p>{text.escape(line)}</p>" for line in lines) + "</footer>"

    def _own(self) -> dict[str, tuple[str, ...]]:
        """The provinces whose rows the reader sees, as a filter; empty for the whole country."""
        return {} if self.rights.sees_whole_country else {"province": tuple(sorted(self.rights.codes))}

    def menu(self) -> str:
        """Links to the other parts, with the scope, and to the other language."""
        scope, links = self.scope.address(), []
        for entry in navigation.menu():
            for part in navigation.parts(entry):
                words = navigation.part_words(part)[self.lang]
                here = ' aria-current="page"' if part == self.part else ""
                address = page_parameters.address(part, self.lang, scope)
                links.append(f'<li><a href="{text.escape(address)}"{here}>{text.escape(words)}</a></li>')
        other = "en" if self.lang == "fa" else "fa"
        address = page_parameters.address(self.part, other, scope)
        links.append(
            f'<li><a href="{text.escape(address)}" lang="{other}" hreflang="{other}">'
            f"{text.escaped('app.language', self.lang)}</a></li>"
        )
        return f"<nav><ul>{''.join(links)}</ul></nav>"

    def choice(self) -> str:
        """A form for the province and the day, which needs no script."""
        chosen, lang = self.scope.where.get("province", ("",))[0], self.lang
        options = "".join(
            f'<option value="{text.escape(code)}"{" selected" if code == chosen else ""}>{text.escape(name)}</option>'
            for code, name in {"": text.word("scope.nation", lang), **member_names.fixed("province", lang)}.items()
        )
        page, tab = navigation.part_address(self.part)
        kept = {"tab": tab, "lang": "en" if lang == "en" else "", "period": self.scope.period}
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{text.escape(value)}">' for name, value in kept.items() if value
        )
        path = "./" if page == navigation.menu()[0]["page"] else page
        return (
            f'<form method="get" action="{path}">{hidden}<label>{text.escaped("dimension.province", lang)} '
            f'<select name="province">{options}</select></label> '
            f'<label>{text.escaped("scope.on", lang)} <input name="on" size="12" value="{text.iso_jalali(self.scope.day)}">'
            f"</label> <button>{text.escaped('without_script.show', lang)}</button></form>"
        )

    def document(self) -> str:
        """The page as one file, with its style in it and no address of another."""
        lang, title = self.lang, text.escape(f"{text.word('app.title', self.lang)} · {self.title}")
        policy = "default-src 'none'; style-src 'unsafe-inline'; font-src data:"
        return (
            f'<!DOCTYPE html><html lang="{lang}" dir="{text.direction(lang)}"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
            f"<style>{fonts.faces(lang, font_address)}{style()}</style></head><body><main>{self.main()}</main></body></html>"
        )


@cache
def style() -> str:
    """The style of a plain page, in the colours of the dashboard."""
    return palette.variables() + (ROOT / "static" / "plain.css").read_text(encoding="utf-8")


def _is_hidden(answer: Answer, name: str) -> bool:
    metric = described(name, answer.metrics)
    return bool(metric and metric.hidden)


def _cell(answer: Answer, context: ChartContext, name: str, value: object) -> str:
    if name in answer.by:
        written = context.member(name, value)
    elif isinstance(value, date):
        written = text.day(value, context.lang)
    else:
        written = text.plain(value, elements.unit_of(answer, name), context.lang)
    return text.escape(written)


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose cells are HTML already; the first of a row names it."""
    head = "".join(f'<th scope="col">{text.escape(title)}</th>' for title in heads)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in others)}</tr>'
        for first, *others in rows
    )
    return (
        f"<table><caption>{text.escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _card(exhibit: Exhibit) -> str:
    form = exhibit.form
    assert isinstance(form, Card)
    # A line that is one link leads on from the number and says nothing of it.
    lines = "".join(f"<dd>{_line(line)}</dd>" for line in form.lines if len(line) > 1 or not line[0].link)
    value = f"<dd><b><bdi>{text.escape(form.value)}</bdi></b> {text.escape(form.unit)}</dd>"
    return f"<div><dt>{text.escape(exhibit.title.sentence)}</dt>{value}{lines}</div>"


def _line(line: Line) -> str:
    return "".join(
        f"<strong>{text.escape(span.words)}</strong>" if span.kind else text.escape(span.words) for span in line
    )
