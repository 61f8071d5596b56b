"""The dialect of a delimited file. It is never sniffed from the body: the encoding and the separator are the ones under which
the header answers to the contract.
"""

import codecs
import csv
import io
from pathlib import Path

from etl.contract import Contract, Match, Refused

_SEPARATORS = (",", ";", "\t", "|")
# Of UTF-7 only the mark gives it away: its letters are those of ASCII.
_UTF7_MARK = b"+/v"
_HEADER_BYTES, _PIECE_BYTES = 1 << 16, 1 << 20


def dialect(path: Path, contract: Contract) -> tuple[str, str, Match]:
    """Encoding and separator under which most of the header is known, and what is known of it.

    Raises Refused where it does not answer to the contract.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER_BYTES)
    found: list[tuple[int, str, str, Match]] = []
    for encoding in _encodings(head):
        text = head.decode(encoding, errors="replace")
        for separator in _SEPARATORS:
            match = contract.match(_first_record(text, separator))
            found.append((len(match.positions) + len(match.twice), encoding, separator, match))
    most = max(known for known, *_ in found)
    best = [one for one in found if one[0] == most]
    _, encoding, separator, match = best[0]
    if not match.complete:
        raise Refused(f"line 1: {match.complaint()}")
    if len({one[1] for one in best}) > 1 and encoding == "utf-8":
        encoding = _confirmed(path)
    return encoding, separator, match


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


def _first_record(text: str, separator: str) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        return next((record for record in reader if record), [])
    except csv.Error:
        return []


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
