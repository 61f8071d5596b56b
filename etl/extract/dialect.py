"""The dialect of a delimited file: the encoding and the separator under which the header matches the contract best.

It is never sniffed from the body.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from etl.extract.causes import because
from etl.extract.contract import Contract, Match, unreadable

_SEPARATORS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile('\ufeff?"?sep=', re.IGNORECASE)
_MOST_TITLES = 20
MOST_COLUMNS = 10_000
# UTF-7 is recognised by its byte order mark only: the rest is ASCII.
_UTF7_MARK = b"+/v"
# Encodings of old programs, which are recognised but not read: some of them lack letters of Persian.
_OLD_ENCODINGS = ("cp720", "mac_farsi", "iso8859_6", "cp864")
_PERSIAN = re.compile("[\u0600-\u06ff\u200c\u00a0\u00ab\u00bb]")
# The least share of Persian letters among the letters beyond ASCII of a text in Windows-1256.
_LEAST_PERSIAN = 0.9
# The fewest letters beyond ASCII below an ASCII header that tell an encoding: a file may hold a name like «Café».
_FEWEST_LETTERS = 20
_HEADER_BYTES, _PIECE_BYTES = 1 << 16, 1 << 20


@dataclass(frozen=True)
class Dialect:
    """How to split a file: encoding, separator, matched header, lines above it, and how many of those are titles (not blank)."""

    encoding: str
    separator: str
    match: Match
    above: int
    titles: int


def dialect(path: Path, contract: Contract) -> Dialect:
    """The dialect under which most of the header is known. Titles and a line `sep=;` may precede the header.

    Raises Refused if no line matches the contract.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    lines = {name: _lines(head.decode(name, errors="replace")) for name in _encodings(head)}
    best: list[Dialect] = []
    for at in range(_MOST_TITLES + 2):
        best_of_line = _best(
            Dialect(encoding, separator, _match(texts, filled[at][0], separator, contract), *filled[at])
            for encoding, (texts, filled) in lines.items()
            if at < len(filled) and filled[at][1] <= _MOST_TITLES
            for separator in _SEPARATORS
        )
        if any(candidate.match.complete for candidate in best_of_line):
            best = best_of_line
            break
        best = _best([*best, *best_of_line])
    # If no title is known, the error names the first line that is not blank.
    chosen = best[0]
    if not chosen.match.complete:
        if len(chosen.match.titles) > MOST_COLUMNS:
            raise because("too_many_columns", line=chosen.above + 1, most=f"{MOST_COLUMNS:,}")
        if len(head) == _HEADER_BYTES and not chosen.match.resembles and b"\n" not in head and b"\r" not in head:
            raise because("long_header", line=1, most=_HEADER_BYTES >> 10)
        if len(chosen.match.positions) <= 1:
            _refuse_unreadable(head, [texts for texts, _ in lines.values()], contract)
            # Of readings in which no title is known, the one whose letters are whole.
            chosen = next((found for found in best if "\ufffd" not in "".join(found.match.titles)), chosen)
        raise chosen.match.refusal(f"line {chosen.above + 1}", f"سطر {chosen.above + 1}", _MOST_TITLES + 1)
    if len({candidate.encoding for candidate in best}) > 1 and chosen.encoding == "utf-8":
        return replace(chosen, encoding=_confirmed(path))
    return chosen


def _refuse_unreadable(head: bytes, readings: Iterable[list[str]], contract: Contract) -> None:
    """Raises Refused for a file whose headers are in an encoding that is not read, or were misread by another program."""
    is_utf8 = _is_utf8(head)
    old = [_lines(head.decode(name, errors="replace"))[0] for name in _OLD_ENCODINGS]
    for texts, is_old in [*((texts, False) for texts in readings), *((texts, True) for texts in old)]:
        for at, line in enumerate(texts[: _MOST_TITLES + 1]):
            for match in (_match([line], 0, separator, contract) for separator in _SEPARATORS if separator in line):
                is_lost = match.is_lost and (is_utf8 or "\ufffd" not in line)
                if match.resembles if is_old else match.is_misread or is_lost:
                    raise unreadable(f"line {at + 1}", f"سطر {at + 1}", resembles=is_old or match.is_misread)
    letters = [char for char in head.decode("cp1256", errors="replace") if not char.isascii()]
    is_persian = sum(map(_is_persian, letters)) >= _LEAST_PERSIAN * len(letters)
    if not (is_utf8 or is_persian or b"\x00" in head):
        raise unreadable("line 1", "سطر 1")


def _is_utf8(head: bytes) -> bool:
    """Whether the beginning of a file, which may end within a letter, is UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def _best(candidates: Iterable[Dialect]) -> list[Dialect]:
    """The candidates under which most titles are known."""
    known = [(len(candidate.match.positions) + len(candidate.match.repeated), candidate) for candidate in candidates]
    most = max((count for count, _ in known), default=0)
    return [candidate for count, candidate in known if count == most]


def _lines(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """The lines of a text, and for each that is not blank (its number from 0, the titles above it)."""
    lines = list(io.StringIO(text, newline=""))
    filled = [at for at, line in enumerate(lines) if line.strip()] or [0]
    names_separator = bool(lines) and bool(_SEPARATOR_LINE.match(lines[filled[0]]))
    return lines, [(at, max(0, number - names_separator)) for number, at in enumerate(filled[: _MOST_TITLES + 2])]


def _match(lines: list[str], at: int, separator: str, contract: Contract) -> Match:
    """How the record that begins on line `at` matches the contract."""
    reader = csv.reader(lines[at:], delimiter=separator)
    try:
        return contract.match(next(reader, []))
    except csv.Error:
        return contract.match([])


def _encodings(head: bytes) -> tuple[str, ...]:
    if head.startswith(codecs.BOM_UTF8):
        return ("utf-8-sig",)
    # The byte order mark of UTF-32 begins with that of UTF-16.
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return ("utf-32",)
    if head.startswith(_UTF7_MARK):
        raise because("utf7")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    beginning = head[:200]
    if b"\x00" not in beginning:
        return ("utf-8", "cp1256")
    # In UTF-32 the upper half of every character is zero; decoded as UTF-16 it gives the same titles with NULs in them.
    if not any(beginning[2::4]) and not any(beginning[3::4]):
        return ("utf-32-le",)
    if not any(beginning[::4]) and not any(beginning[1::4]):
        return ("utf-32-be",)
    return ("utf-16-le", "utf-16-be", "utf-8", "cp1256")


def _confirmed(path: Path) -> str:
    """UTF-8 or Windows-1256 by the bytes of the body, for a file whose header is ASCII.

    A file with some invalid bytes among valid Persian UTF-8 is UTF-8, and its invalid rows are rejected. Raises Refused for one
    that is neither.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while raw := file.read(_PIECE_BYTES):
                decoder.decode(raw)
            decoder.decode(b"", final=True)
            return "utf-8"
        except UnicodeDecodeError:
            file.seek(0)
        valid = broken = first = letters = persian = 0
        # Files of old Macintoshes end lines with a lone carriage return.
        for at, line in enumerate((line for lines in file for line in lines.splitlines()), 1):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                valid += 1
            except UnicodeDecodeError:
                broken, first = broken + 1, first or at
                text = [char for char in line.decode("cp1256", errors="replace") if not char.isascii()]
                letters, persian = letters + len(text), persian + sum(map(_is_persian, text))
    if broken > valid and letters >= _FEWEST_LETTERS and persian < _LEAST_PERSIAN * letters:
        raise unreadable(f"line {first}", f"سطر {first}")
    return "cp1256" if broken > valid else "utf-8"


def _is_persian(char: str) -> bool:
    return bool(_PERSIAN.match(char))
