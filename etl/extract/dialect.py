"""The dialect of a delimited file. It is never sniffed from the body: the encoding and the separator are the ones under which
the header answers to the contract.
"""

import codecs
import csv
import io
import re
from dataclasses import dataclass, replace
from pathlib import Path

from etl.core.errors import Refused
from etl.extract.contract import Contract, Match

_SEPARATORS = (",", ";", "\t", "|")
_SEPARATOR_SAID = re.compile('\ufeff?"?sep=', re.IGNORECASE)
_MOST_TITLES = 20
# Of UTF-7 only the mark gives it away: its letters are those of ASCII.
_UTF7_MARK = b"+/v"
_HEADER_BYTES, _PIECE_BYTES = 1 << 16, 1 << 20


@dataclass(frozen=True)
class Dialect:
    """How a file is to be split, what is known of its header, and how many lines stand above it; `titles` are not blank."""

    encoding: str
    separator: str
    match: Match
    above: int
    titles: int


def dialect(path: Path, contract: Contract) -> Dialect:
    """The one under which most of the header is known. Titles may stand above the header, and a line `sep=;`.

    Raises Refused where no line answers to the contract.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    lines = {name: _lines(head.decode(name, errors="replace")) for name in _encodings(head)}
    best: list[tuple[int, Dialect]] = []
    for at in range(_MOST_TITLES + 2):
        found = [
            (len(one.match.positions) + len(one.match.twice), one)
            for encoding, (texts, told) in lines.items()
            if at < len(told) and told[at][1] <= _MOST_TITLES
            for separator in _SEPARATORS
            for one in [Dialect(encoding, separator, _match(texts, told[at][0], separator, contract), *told[at])]
        ]
        here = [one for one in found if one[0] == max(known for known, _ in found)]
        if any(one.match.complete for _, one in here):
            best = here
            break
        best = [one for one in (*best, *here) if one[0] == max(known for known, _ in (*best, *here))]
    # Where none is known, the first line that is not blank is told.
    chosen = best[0][1]
    if not chosen.match.complete:
        raise chosen.match.refusal(f"line {chosen.above + 1}", f"سطر {chosen.above + 1}")
    if len({one.encoding for _, one in best}) > 1 and chosen.encoding == "utf-8":
        return replace(chosen, encoding=_confirmed(path))
    return chosen


def _lines(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """The lines of a text; for each that is not blank its number from 0, and how many titles stand above it."""
    lines = list(io.StringIO(text, newline=""))
    told = [at for at, line in enumerate(lines) if line.strip()] or [0]
    said = bool(lines) and bool(_SEPARATOR_SAID.match(lines[told[0]]))
    return lines, [(at, max(0, number - said)) for number, at in enumerate(told[: _MOST_TITLES + 2])]


def _match(lines: list[str], at: int, separator: str, contract: Contract) -> Match:
    """What is known of the record that begins in a line."""
    reader = csv.reader(lines[at:], delimiter=separator)
    try:
        return contract.match(next(reader, []))
    except csv.Error:
        return contract.match([])


def _encodings(head: bytes) -> tuple[str, ...]:
    if head.startswith(codecs.BOM_UTF8):
        return ("utf-8-sig",)
    # The mark of UTF-32 begins with that of UTF-16.
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return ("utf-32",)
    if head.startswith(_UTF7_MARK):
        raise Refused("the file is written in UTF-7; save it as UTF-8")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    if b"\x00" in head[:200]:
        return _unmarked(head[:200])
    return ("utf-8", "cp1256")


def _unmarked(head: bytes) -> tuple[str, ...]:
    """The encodings of a text with NUL bytes: in UTF-32 the upper half of every character is zero.

    Read as UTF-16, UTF-32 gives the same titles, each letter with a NUL behind it.
    """
    if not any(head[2::4]) and not any(head[3::4]):
        return ("utf-32-le",)
    if not any(head[::4]) and not any(head[1::4]):
        return ("utf-32-be",)
    return ("utf-16-le", "utf-16-be", "utf-8")


def _confirmed(path: Path) -> str:
    """An English header says nothing between UTF-8 and Windows-1256: the bytes of the body do.

    A file with some broken bytes among valid Persian UTF-8 stays UTF-8, and its broken rows are kept back.
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
        valid = broken = 0
        for line in file:
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                valid += 1
            except UnicodeDecodeError:
                broken += 1
    return "cp1256" if broken > valid else "utf-8"
