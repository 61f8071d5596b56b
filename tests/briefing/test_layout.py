"""How the pages of a book are filled, and its reading order by its structure."""

import re
import subprocess
from collections.abc import Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from etl.analysis import detail
from etl.semantic.rights import ADMINISTRATOR
from tests.effort import draws
from ui.briefing import content, writing
from ui.briefing.writing import Press
from ui.i18n import text

pytestmark = pytest.mark.slow

# The lower edge of the text on A4, in points.
BOTTOM = 842 - 51
PLACES = ("IR", "IR-07", "IR-17", "IR-23")
HUGE = "漢" + "ن" * 199


class Book:
    """A book as data and as PDF."""

    def __init__(self, press: Press, place: str, lang: str, on: date | None, folder: Path, exact: bool = False) -> None:
        questions = press.writer(place, lang, on, exact)
        self.data = content.book(questions)
        self.path = folder / "book.pdf"
        self.path.write_bytes(press.pdf(questions))

    def read(self) -> str:
        """The text in the order of the structure."""
        with pikepdf.open(self.path) as pdf:
            pieces: dict[tuple[tuple[int, int], int], list[str]] = {}
            for page in pdf.pages:
                run = 0
                for mark, piece, is_reversed in _marked(page):
                    line = pieces.setdefault((page.obj.objgen, mark), [])
                    # Right-to-left words come in visual order, those of one run next to each other. A bracket ends no run.
                    is_in_run = is_reversed or (run > 0 and not any(sign.isalnum() for sign in piece))
                    run = run + 1 if is_in_run and run <= len(line) else int(is_reversed)
                    line.insert(len(line) - max(run - 1, 0), piece)
            return "\n".join("".join(pieces.get(key, "")) for key in _order(pdf.Root.StructTreeRoot.K, None))

    @cached_property
    def pages(self) -> list[list[tuple[float, str]]]:
        """Of each page, without head and foot: the lower edge of each word, and the word."""
        words_of_pages = []
        for page in _run("pdftotext", "-bbox", self.path, "-").split("<page ")[1:]:
            words = re.findall(r'yMax="([\d.]+)">(.*?)</word>', page)
            words_of_pages.append([(float(y), word) for y, word in words if 45 < float(y) < BOTTOM])
        return words_of_pages


def _marked(page: pikepdf.Page) -> Iterator[tuple[int, str, bool]]:
    """The pieces of a page's text, each with the mark under which the structure names it."""
    fonts = {str(name): _letters(font) for name, font in page.Resources.get("/Font", {}).items()}
    # The current mark, and whether letters are in visual order.
    within: list[tuple[int | None, bool]] = [(None, False)]
    letters: dict[int, str] = {}
    for operands, operator in pikepdf.parse_content_stream(page):
        mark, is_reversed = within[-1]
        match str(operator):
            case "BDC":
                properties = operands[1] if isinstance(operands[1], pikepdf.Dictionary) else {}
                mark = int(properties["/MCID"]) if "/MCID" in properties else mark
                if mark is not None and "/ActualText" in properties:
                    yield (
                        mark,
                        str(properties["/ActualText"]),
                        is_reversed or bool(re.search("[\u060c-\u064a\u067e-\u06cc]", str(properties["/ActualText"]))),
                    )
                    # Its glyphs repeat the text in pieces.
                    mark = None
                within.append((mark, is_reversed))
            case "BMC":
                within.append((mark, is_reversed or operands[0] == "/ReversedChars"))
            case "EMC":
                within.pop()
            case "Tf":
                letters = fonts[str(operands[0])]
            case "Tj" | "TJ" if mark is not None:
                parts = operands[0] if isinstance(operands[0], pikepdf.Array) else [operands[0]]
                glyphs = b"".join(bytes(part) for part in parts if isinstance(part, pikepdf.String))
                codes = [int.from_bytes(glyphs[at : at + 2]) for at in range(0, len(glyphs), 2)]
                ordered = reversed(codes) if is_reversed else codes
                yield mark, "".join(letters.get(code, "?") for code in ordered), is_reversed


def _letters(font: pikepdf.Dictionary) -> dict[int, str]:
    """The text of each glyph."""
    letters_of = {}
    mapping = font.ToUnicode.read_bytes().decode()
    for block in re.findall("beginbfchar(.*?)endbfchar", mapping, re.DOTALL):
        for code, letters in re.findall("<(.+?)> *<(.+?)>", block):
            letters_of[int(code, 16)] = bytes.fromhex(letters).decode("utf-16-be")
    for block in re.findall("beginbfrange(.*?)endbfrange", mapping, re.DOTALL):
        for first, last, letter in re.findall("<(.+?)> *<(.+?)> *<(.+?)>", block):
            for code in range(int(first, 16), int(last, 16) + 1):
                letters_of[code] = chr(int(letter, 16) + code - int(first, 16))
    return letters_of


def _plain(words: str) -> str:
    """Without spaces, marks of direction and brackets, which are in visual order."""
    return re.sub(r"[()\s\u061c\u200c-\u200f\u2066-\u2069]", "", words)


def _order(node: Any, page: Any) -> Iterator[tuple[tuple[int, int], int]]:
    """The page and the mark of each piece, in the order of the structure."""
    if isinstance(node, pikepdf.Array):
        for part in node:
            yield from _order(part, page)
    elif isinstance(node, pikepdf.Dictionary):
        page = node.get("/Pg", page)
        if "/MCID" in node:
            yield page.objgen, int(node.MCID)
        elif "/K" in node:
            yield from _order(node.K, page)
    elif page is not None:
        yield page.objgen, int(node)


def _run(*words: object) -> str:
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module", params=[(place, lang) for place in PLACES for lang in text.LANGUAGES], ids="-".join)
def book(request, press, tmp_path_factory) -> Book:
    place, lang = request.param
    return Book(press, place, lang, None, tmp_path_factory.mktemp(place))


def test_the_first_page_is_full_and_holds_what_belongs_there(book):
    pages = book.pages
    assert len(pages) == (3 if book.data["tables"] else 2)
    assert max(y for y, _ in pages[0]) > BOTTOM - 40
    last = book.data["ranks"]["rows"][-1][-1] if book.data["ranks"] else book.data["actions"]["items"][-1]["about"]
    assert {word for _, word in pages[0]} & set(re.findall(r"\d+", last)) or not re.search(r"\d", last)


def test_no_page_is_next_to_empty_and_none_ends_with_a_heading(book):
    for page in book.pages[1:]:
        assert max(y for y, _ in page) > BOTTOM * 0.25
    if book.data["lang"] == "en":
        headings = {book.data["actions"]["title"], book.data["changes"]["title"], book.data["method"]["title"]}
        for page in book.pages:
            lowest = max(y for y, _ in page)
            assert " ".join(word for y, word in page if lowest - y < 1) not in headings


def test_the_structure_is_read_in_the_order_of_the_page(book):
    data = book.data
    ranked, ranks = data["ranking"], data["ranks"]
    parts = [data["title"], data["place"], *data["verdict"]]
    for card in data["cards"]:
        parts += [card["label"], card["value"], card["verdict"]]
    parts += [data["trend"]["title"], *(event["words"] for event in data["trend"]["events"])]
    for item in data["actions"]["items"]:
        parts += [item["number"], item["sentence"]]
    if ranks:
        parts += [ranks["title"], *ranks["heads"], *(cell for row in ranks["rows"] for cell in row)]
    for half in data["halves"]:
        parts += [half["title"], half["sub"]]
    if ranked:
        parts += [ranked["title"], *(head for head in ranked["heads"] if head)]
        for row in ranked["rows"]:
            parts += [row["name"], row["value"], row["count"], *row["more"]]
        parts += [ranked["small_title"], *ranked["small"]] if ranked["small"] else []
    for table in data["tables"]:
        parts += [table["title"], *(cell for row in table["rows"] for cell in row)]
    parts += [data["changes"]["title"], data["method"]["title"], *data["method"]["lines"][2:]]
    read = _plain(book.read())
    at = 0
    for part in map(_plain, parts):
        before, at = at, read.find(part, at)
        assert at >= 0, f"{part!r} is not read where it stands, but: {read[before : before + 300]}"
        at += len(part)


def test_long_names_and_letters_that_the_font_lacks_burst_no_page(pointer, tmp_path):
    """All institutes get one name of 200 letters, the first of which is in no font."""
    with writing.press(pointer, ADMINISTRATOR) as press:
        questions = press.writer("IR-23", "en", exact=True)
        named = questions.ask.look_up(detail.member_names, "institute")
        named |= {"en": dict.fromkeys(named["en"], HUGE)}
        book = Book(press, "IR-23", "en", None, tmp_path, exact=True)
    assert "[U+6F22]" in book.read()
    assert len(book.pages) == 3
    assert max(y for y, _ in book.pages[0]) > BOTTOM - 40


def test_more_counties_than_fit_are_ranked_without_their_other_numbers(press, monkeypatch, tmp_path):
    monkeypatch.setattr("ui.briefing.tables._MOST_COUNTIES_IN_FULL", 0)
    book = Book(press, "IR-23", "en", None, tmp_path, exact=True)
    assert book.data["ranking"]["rows"]
    assert all(row["more"] == [] for row in book.data["ranking"]["rows"])
    assert book.data["ranking"]["total"] is None
    assert len(book.pages) == 3


def test_what_changed_begins_on_the_sheet_that_says_so(press, tmp_path):
    data = content.book(press.writer("IR-23", "en", exact=True))
    data["changes"] |= {"lead": "Lead", "rows": [[f"Row{number}", "1", "2", "+1"] for number in range(30)]}
    path, positions = tmp_path / "book.pdf", set()
    # Line by line the list moves to the next sheet.
    for lines in range(8, 128, draws(12, 4)):
        data["ranking"]["small"] = [" "] * 4 * lines
        path.write_bytes(press._typesetter.pdf(data, ""))
        sheets = _run("pdftotext", path, "-").split("\f")
        (at,) = (number for number, words in enumerate(sheets) if "Lead" in words)
        assert "Row0" in sheets[at], f"the list begins below {lines} lines"
        positions.add(at)
    assert len(positions) == 2
