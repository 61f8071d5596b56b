"""Everything on a page as one workbook: a cover, a list of contents, and a sheet with one table for each figure.

It follows the Government Analysis Function's checklist for accessible spreadsheets: the cover first, a title and a language
in the document, one marked-up table with one header row a sheet, no merged, hidden or unexplained empty cells, no meaning by
colour alone, links with words.
"""

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import IO, Any

import pyarrow as pa
import xlsxwriter

from etl.core import spreadsheet
from etl.core.errors import AccessDenied, QuestionError, Refused
from etl.semantic import answers, disclosure, exportable
from etl.semantic.answers import Answer
from etl.semantic.catalog import described
from etl.submissions.notes import Note
from ui.charts.elements import ChartContext
from ui.data import owed, page_run, warehouse
from ui.data.ask import Ask, Rounded
from ui.data.worker_process import Report
from ui.exhibits import exhibit as exhibits
from ui.exhibits.exhibit import Exhibit
from ui.exhibits.named import Named
from ui.exhibits.page import Page
from ui.exports import about, signed
from ui.exports.file_content import Exportable, decoded, sheet, status_column
from ui.exports.status import Facts
from ui.exports.status_facts import facts_of
from ui.exports.workbook import format_of, format_of_number, heading, title
from ui.i18n import member_names, text
from ui.state.given import Given
from ui.state.scope import Scope

# Such a workbook is made in memory: rows of all its tables together.
MOST_ROWS = 100_000
_NO_SHEET_NAME, _SHEET_NAME = re.compile(r"[\[\]:*?/\\'\x00-\x1f\u200e\u200f\u2066-\u2069]+"), 31
_WIDTHS, _TEXT = (10, 60), "@"


def safe(value: Any) -> Any:
    """A value that no program runs, as the text of a cell."""
    return spreadsheet.safe(text.in_cell(value)) if isinstance(value, str) else value


def content_of(value: Any) -> Any:
    """A value to compare by: an answer equals only itself, and a page may make the same one anew in each run."""
    return (
        {field.name: content_of(getattr(value, field.name)) for field in fields(value)}
        if is_dataclass(value)
        else value
    )


@dataclass(frozen=True)
class Part:
    """A figure or list: its words, its rows, and its picture as PNG if there is one.

    `names` are of members that it alone knows.
    """

    title: str
    below: str
    source: Exportable
    limit: str = ""
    picture: bytes = b""
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    no_effect: str = ""

    @classmethod
    def of(cls, exhibit: Exhibit, picture: bytes = b"") -> "Part":
        """The part that an exhibit is; one without a title is named by its measure."""
        assert exhibit.answer is not None
        words = title_of(exhibit), exhibit.below
        return cls(*words, exhibit.answer, exhibit.limit, picture, exhibit.names, exhibit.no_effect)


@dataclass(frozen=True)
class Card:
    """A number of a group of cards: its label, the answer that holds it, and the name of its measure."""

    label: str
    below: str
    answer: Answer
    measure: str

    @classmethod
    def of(cls, exhibit: Exhibit) -> "Card":
        """The card that an exhibit is."""
        assert isinstance(exhibit.form, exhibits.Card)
        assert exhibit.answer is not None
        below = " · ".join(filter(None, (exhibit.subtitle, exhibit.no_effect)))
        return cls(exhibit.title.sentence, below, exhibit.answer, exhibit.form.measure)


@dataclass(frozen=True)
class Contents:
    """What a workbook holds of a page: its figures and its cards by name, in the order of reading, and what is left out."""

    figures: dict[Named, Exhibit]
    cards: dict[Named, tuple[Exhibit, ...]]
    left_out: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.figures or self.cards)

    def measures(self) -> set[str]:
        """The names of all measures in it."""
        every = [*self.figures.values(), *(card for row in self.cards.values() for card in row)]
        return {name for one in every if one.answer for name in one.answer.measures}

    def job(
        self,
        page: str,
        scope: str,
        made: str,
        context: ChartContext,
        circulation: bool,
        pictures: Mapping[Named, bytes],
    ) -> "PageJob":
        """The workbook to write, with the pictures of figures where there are any."""
        parts = tuple(Part.of(one, pictures.get(named, b"")) for named, one in self.figures.items())
        cards = tuple(Card.of(card) for row in self.cards.values() for card in row)
        return PageJob(page, scope, made, cards, parts, context, circulation, self.left_out)


def contents_of(page: Page, scope: Scope, ask: Ask, given: Given, circulation: bool) -> Contents:
    """The exhibits that stand on a page, made for this workbook: nothing is drawn.

    What the rights do not let leave, and what cannot be made or may not circulate, is named and left out. Raises Wrong.
    """
    figures: dict[Named, Exhibit] = {}
    cards: dict[Named, tuple[Exhibit, ...]] = {}
    left_out: dict[str, None] = {}
    shown = Rounded(ask) if circulation else ask
    for named in page.shown(scope, ask, given):
        try:
            made = named.exhibits(shown)
            held = [one for one in made if one.answer is not None]
            allowed = tuple(one for one in held if _may_leave(one))
        except (AccessDenied, QuestionError, disclosure.NotForCirculation):
            left_out[named.name] = None
            continue
        for one in held:
            if one not in allowed:
                left_out[title_of(one)] = None
        if all(isinstance(one.form, exhibits.Card) for one in allowed):
            cards |= {named: allowed} if allowed else {}
        else:
            for one in allowed:
                if not (
                    isinstance(one.form, exhibits.Sentence) and any(_is_alike(one, other) for other in figures.values())
                ):
                    figures[named] = one
    return Contents(figures, cards, tuple(left_out))


def _is_alike(sentence: Exhibit, other: Exhibit) -> bool:
    """Whether the rows behind a sentence are those of a sheet already."""
    one, two = sentence.answer, other.answer
    return one is not None and two is not None and (one.columns, one.rows) == (two.columns, two.rows)


def _may_leave(exhibit: Exhibit) -> bool:
    assert exhibit.answer is not None
    return answers.may_leave(page_run.access_scope(), exhibit.answer)


def title_of(exhibit: Exhibit) -> str:
    """The title of an exhibit; of one without, its measure."""
    assert exhibit.answer is not None
    return exhibit.title.sentence or exhibit.answer.metrics[0].label[exhibit.lang]


@dataclass(frozen=True)
class PageJob:
    """A workbook to write: the page, its scope in words, who makes it and when, its cards and its parts.

    For circulation these are of exhibits in rounded numbers. `left_out` names what the page shows and the workbook may not hold.
    """

    page: str
    scope: str
    made: str
    cards: tuple[Card, ...]
    parts: tuple[Part, ...]
    context: ChartContext
    circulation: bool
    left_out: tuple[str, ...] = ()
    form: str = "xlsx"

    def rows(self) -> int:
        """How many rows all tables have together."""
        return len(self.cards) + sum(exportable.of(part.source).count() for part in self.parts)

    def made_of(self) -> list[Any]:
        """What the file is made of besides what its name says."""
        asked = warehouse.of_page()
        return [*(content_of(one) for one in (*self.cards, *self.parts)), asked.notes, asked.behind]

    def check(self) -> None:
        """Raise Refused for more rows than one workbook holds."""
        lang = self.context.lang
        if (rows := self.rows()) > MOST_ROWS:
            counts = {"rows": text.number(rows, lang), "most": text.number(MOST_ROWS, lang)}
            raise Refused(text.word("book.too_large", lang, **counts))

    def write(self, out: IO[bytes], tell: Report | None = None) -> None:
        """Write the workbook. Raises Refused for more rows than one holds."""
        self.check()
        made = io.BytesIO()
        with xlsxwriter.Workbook(made, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
            writer = _Writer(book, self)
            for number, part in enumerate(self.parts, 1):
                writer.figure(part)
                if tell:
                    tell(number / (len(self.parts) + 1))
            writer.notes()
            writer.contents()
        _with_language(made, out, "fa-IR" if self.context.rtl else "en-GB")


def _with_language(made: IO[bytes], out: IO[bytes], lang: str) -> None:
    """Copy a workbook with the language of its document, which XlsxWriter has no property for."""
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as copy:
        for item in source.infolist():
            content = source.read(item)
            if item.filename == "docProps/core.xml":
                end = b"</cp:coreProperties>"
                content = content.replace(end, f"<dc:language>{lang}</dc:language>".encode() + end)
            copy.writestr(item, content)


class _Writer:
    """The sheets of a job, in order."""

    def __init__(self, book: Any, job: PageJob) -> None:
        self._book, self._job, self._context = book, job, job.context
        self._named: list[tuple[str, str]] = []
        self._names: set[str] = set()
        # Each note once, by its number.
        self._signed: dict[int, Note] = {}
        self._formats: dict[str, Any] = {}
        # A font that Windows and LibreOffice have, for both scripts; text of one size is read at any zoom.
        self._plain = book.add_format({"font_name": "Tahoma", "valign": "top", "text_wrap": True})
        self._title = book.add_format({"font_name": "Tahoma", "bold": True, "font_size": 14})
        self._head = book.add_format(
            {"font_name": "Tahoma", "bold": True, "text_wrap": True, "valign": "top", "bottom": 1}
        )
        self._link = book.add_format({"font_name": "Tahoma", "underline": 1})
        word = self._context.word
        heading = f"{word('app.title')}: {job.page}"
        book.set_properties({"title": heading, "author": word("app.owner"), "subject": job.scope, "comments": job.made})
        self._cover, self._contents = self._sheet(word("book.cover")), self._sheet(word("book.contents"))
        self._lines(self._cover, heading, self._about())
        if job.cards:
            self._cards()

    def _about(self) -> Iterable[tuple[str, str]]:
        job, context = self._job, self._context
        published, word = page_run.publication(), context.word
        yield word("file.scope"), job.scope
        yield word("file.data_to"), f"{published.as_of.isoformat()} · {text.day_in_both(published.as_of, context.lang)}"
        yield word("file.load"), published.id
        yield word("book.made"), job.made
        yield word("book.use"), word("file.circulation" if job.circulation else "file.exact")
        if published.is_sample:
            yield word("book.data"), word("file.made_up")
        yield from owed.lines(context.lang, published)
        if job.left_out:
            yield word("book.left_out"), text.listed(list(job.left_out), context.lang)
        for symbol, words in about.symbols(context):
            yield word("book.symbol", symbol=symbol), words

    def _sheet(self, name: str) -> Any:
        bare = _NO_SHEET_NAME.sub(" ", name).strip()[:_SHEET_NAME].strip()
        taken = {sheet.name.casefold() for sheet in self._book.worksheets()}
        number = 1
        unique = bare
        while unique.casefold() in taken:
            number += 1
            unique = f"{bare[: _SHEET_NAME - 4]} {number}"
        added = self._book.add_worksheet(unique)
        added.add_write_handler(str, type(added).write_string)
        if self._context.rtl:
            added.right_to_left()
        added.set_paper(9)
        added.fit_to_pages(1, 0)
        return added

    def _lines(self, on: Any, heading: str, lines: Iterable[tuple[str, str]]) -> None:
        """A sheet of a heading and a table of two columns."""
        on.write_string(0, 0, safe(heading), self._title)
        rows = [((safe(name), _TEXT), (safe(words), _TEXT)) for name, words in lines]
        words = [self._context.word(key) for key in ("book.about", "book.words")]
        on.set_column(0, 0, 28)
        on.set_column(1, 1, 100)
        self._table(on, 1, words, rows)

    def _table(self, on: Any, first: int, heads: Sequence[str], rows: Sequence[Sequence[tuple[Any, str]]]) -> int:
        """A marked-up table of values with their number formats, its header in row `first`; returns the row below it."""
        unique: list[str] = []
        seen: Counter[str] = Counter()
        for head in heads:
            # The headers of a table have to differ.
            seen[head.casefold()] += 1
            number = seen[head.casefold()]
            unique.append(f"{safe(head)} ({number})" if number > 1 else str(safe(head)))
        name = f"table_{on.index + 1}"
        # A table has a row, and no empty cell.
        rows = rows or [[("–", _TEXT)] * len(heads)]
        last = first + len(rows)
        options = {
            "name": name,
            "style": "Table Style Light 15",
            "banded_rows": False,
            "autofilter": len(rows) > 1,
            "columns": [{"header": head, "header_format": self._head} for head in unique],
        }
        on.add_table(first, 0, last, len(heads) - 1, options)
        for at, row in enumerate(rows, first + 1):
            for column, (value, number_format) in enumerate(row):
                on.write(at, column, value, self._format(_TEXT if isinstance(value, str) else number_format))
        return last + 1

    def _format(self, number_format: str) -> Any:
        if number_format not in self._formats:
            look = {"font_name": "Tahoma", "valign": "top", "text_wrap": number_format == _TEXT}
            self._formats[number_format] = self._book.add_format(look | {"num_format": number_format})
        return self._formats[number_format]

    def _begin(self, name: str, heading: str, lines: Iterable[str]) -> tuple[Any, int]:
        """A new sheet with its heading, a link to the contents and lines of text; returns it and the next row."""
        on = self._sheet(f"{len(self._named) + 1} {name}")
        self._named.append((on.name, heading))
        on.write_string(0, 0, safe(heading), self._title)
        row = 1
        for line in filter(None, lines):
            on.write_string(row, 0, safe(line))
            row += 1
        link = f"internal:'{self._contents.name}'!A1"
        on.write_url(row, 0, link, self._link, string=self._context.word("book.back"))
        return on, row + 1

    def figure(self, part: Part) -> None:
        """The sheet of a figure or list: heading, table, notes, and its picture."""
        job, context = self._job, replace(self._context, names={**self._context.names, **part.names})
        # Rows that are too many for an exhibit are rounded here.
        source = Rounded(warehouse.of_page()).shown(part.source) if job.circulation else part.source
        answer = exportable.of(source).answer
        metrics = {metric.name: metric for metric in answer.metrics}
        on, row = self._begin(self._name(part, answer), part.title, (part.below, part.limit, part.no_effect))
        facts = self._facts(answer)
        with sheet(source, context, facts, lambda name: title(name, context, answer)) as contents:
            names = contents.schema.names
            heads = [heading(name, context, answer, names) for name in names]
            formats = [format_of(field, answer) for field in contents.schema]
            table = pa.Table.from_batches(
                [pa.record_batch(decoded(batch), schema=contents.schema) for batch in contents.batches], contents.schema
            )
        columns = [column.to_pylist() for column in table.columns]
        keys = list(zip(*(columns[names.index(axis)] for axis in answer.by), strict=True)) or [()] * len(columns[0])
        shown = [at for at, name in enumerate(names) if self._is_shown(name, columns[at], answer)]
        rows_shown = zip(*(columns[at] for at in shown), strict=True)
        rows = [
            [(self._cell(names[at], value, answer, key), formats[at]) for at, value in zip(shown, values, strict=True)]
            for key, values in zip(keys, rows_shown, strict=True)
        ]
        below = self._table(on, row, [heads[at] for at in shown], rows)
        on.freeze_panes(row + 1, 0)
        on.set_column(0, len(shown) - 1, 20)
        notes = [member_names.left_out(answer.left_out, context.lang)] if answer.left_out else []
        notes += [f"{metric.label[context.lang]}: {metric.description[context.lang]}" for metric in metrics.values()]
        for at, note in enumerate(notes, below):
            on.write_string(at, 0, safe(note))
        if part.picture:
            options = {"description": safe(f"{part.title}. {part.below}"), "x_scale": 0.5, "y_scale": 0.5}
            on.insert_image(
                below + len(notes) + 1, 0, "picture.png", options | {"image_data": io.BytesIO(part.picture)}
            )

    def _name(self, part: Part, answer: Answer) -> str:
        """The measure and what it is by; the title of the figure, or the line below it, where another sheet has both too."""
        lang = self._context.lang
        by = text.listed([text.word_or(axis, f"dimension.{axis}", lang) for axis in answer.by], lang)
        end = f" – {by}"[: _SHEET_NAME // 2] if by else ""
        measure = answer.metrics[0].short[lang]
        # Three letters are left for its number.
        first = f"{measure[: _SHEET_NAME - 3 - len(end)].strip()}{end}"
        name = next((one for one in (first, part.title, part.below) if one and one not in self._names), first)
        self._names.add(name)
        return name

    def _is_shown(self, name: str, values: Sequence[Any], answer: Answer) -> bool:
        """Whether a column is described; that of the status only where a row has one."""
        if name in (status_column(answer), signed.NOTES):
            return any(values)
        bare = name.removesuffix("_name").removesuffix("_jalali")
        return bare in answer.by or name in answer.by or described(bare, answer.metrics) is not None

    def _cell(self, name: str, value: Any, answer: Answer, key: tuple[Any, ...]) -> Any:
        """A value as it is written; an empty cell says why it is empty."""
        if value is None:
            if name in (status_column(answer), signed.NOTES):
                return "–"
            hidden = (key, name) in answer.hidden
            is_number = name not in answer.by and not name.endswith(("_name", "_jalali"))
            return "[c]" if hidden else "[x]" if is_number else self._context.member(name, None)
        return safe(value)

    def _cards(self) -> None:
        """The sheet of the numbers on cards, one row each."""
        word = self._context.word
        on, row = self._begin(word("book.cards"), word("book.cards"), (self._job.scope,))
        heads = [word(f"book.{key}") for key in ("measure", "value", "unit", "when")] + [word("file.status")]
        rows = []
        for card in self._job.cards:
            answer, metric = card.answer, described(card.measure, card.answer.metrics) or card.answer.metrics[0]
            value = answer.value(metric.name)
            is_estimated = metric.name in self._facts(answer).estimated
            letter = ("e" if is_estimated else "–") if value is not None else "c" if answer.hidden else "x"
            cells = (card.label, f"[{letter}]" if value is None else value, self._unit(metric.unit), card.below, letter)
            number = format_of_number(metric.unit, isinstance(value, float), self._job.circulation)
            rows.append([(safe(cell), number) for cell in cells])
        self._table(on, row, heads, rows)
        on.set_column(0, 0, 50)
        on.set_column(1, 4, 24)

    def _unit(self, unit: str) -> str:
        return self._context.word("book.percent") if unit == "share" else text.unit_word(unit, self._context.lang)

    def _facts(self, answer: Answer) -> Facts:
        """The facts of an answer, whose notes are kept for their sheet."""
        facts = facts_of(answer)
        self._signed |= {note.number: note for note in facts.notes}
        return facts

    def notes(self) -> None:
        """The sheet of the signed notes on the numbers of the page, if there are any."""
        if not self._signed:
            return
        name = self._context.word("signed.title")
        on, row = self._begin(name, name, (self._job.scope,))
        rows = signed.rows(self._signed.values(), self._context, not self._job.circulation)
        self._table(on, row, signed.heads(self._context), [[(safe(cell), _TEXT) for cell in cells] for cells in rows])
        on.set_column(0, 2, 22)
        on.set_column(3, 3, 80)
        on.set_column(4, 7, 22)

    def contents(self) -> None:
        """The list of the sheets, with a link to each."""
        on, word = self._contents, self._context.word
        on.write_string(0, 0, word("book.contents"), self._title)
        heads = [word("book.number"), word("book.sheet")]
        rows = [[(number, "0"), (safe(words), _TEXT)] for number, (_, words) in enumerate(self._named, 1)]
        self._table(on, 1, heads, rows)
        for at, (name, words) in enumerate(self._named, 2):
            on.write_url(at, 1, f"internal:'{name}'!A1", self._link, string=str(safe(words)))
        for at, width in enumerate(_WIDTHS):
            on.set_column(at, at, width + 20 * at)
