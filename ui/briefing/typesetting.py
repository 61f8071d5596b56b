"""A briefing as PDF (PDF/A-3 and PDF/UA-1) by Typst, with the project's own font and nothing from the network.

The same content gives the same bytes. A warning of Typst (a missing glyph or font) is an error.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import typst
from fontTools.ttLib import TTFont

from etl.core.errors import Refused
from etl.core.paths import ROOT
from etl.core.spreadsheet import safe
from etl.semantic.answers import Answer
from ui import palette

_TEMPLATE = Path(__file__).with_name("book.typ")
_FONTS = ("Vazirmatn-Regular.woff2", "Vazirmatn-Bold.woff2")
_HEADER = ("metric", "by", "member", "by_2", "member_2", "province", "on", "over_from", "over_to", "value")


class Typesetter:
    """Typesets briefings with fonts that are opened once and written unpacked into `folder`."""

    def __init__(self, folder: Path) -> None:
        for name in _FONTS:
            (folder / f"{Path(name).stem}.ttf").write_bytes(_unpacked(name))
        template = folder / _TEMPLATE.name
        template.write_bytes(_TEMPLATE.read_bytes())
        self._compiler = typst.Compiler(
            input=str(template), root=str(folder), font_paths=[str(folder)], ignore_system_fonts=True
        )

    def pdf(self, book: Mapping[str, Any], numbers: str) -> bytes:
        """The PDF with the file of its numbers attached. Raises Refused if typesetting fails or warns."""
        colours = {role: light for role, (light, _) in palette.COLOURS.items()}
        inputs = {"book": json.dumps(drawable({**book, "colours": colours}), ensure_ascii=False), "numbers": numbers}
        day = datetime.fromisoformat(book["iso"]).replace(tzinfo=UTC)
        try:
            made, warnings = self._compiler.compile_with_warnings(
                sys_inputs=inputs, format="pdf", pdf_standards=["a-3a", "ua-1"], timestamp=day
            )
        except typst.TypstError as error:
            raise Refused(f"the briefing cannot be set: {error.message}") from None
        if warnings:
            raise Refused(f"the briefing cannot be set: {warnings[0].message}")
        assert isinstance(made, bytes)
        return made


@cache
def _unpacked(name: str) -> bytes:
    """A font as Typst reads it. Unpacking it takes longer than all else that opens a press."""
    font = TTFont(ROOT / "static" / "fonts" / name, recalcBBoxes=False, recalcTimestamp=False, lazy=True)
    font.flavor = None
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def drawable(value: Any) -> Any:
    """Words with each character that the font lacks replaced by its code point, so that nothing is lost."""
    if isinstance(value, str):
        return _lacking().sub(lambda match: f"[U+{ord(match[0]):04X}]", value)
    if isinstance(value, Mapping):
        return {key: drawable(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [drawable(part) for part in value]
    return value


# Direction and joining marks have no glyph.
_WITHOUT_PICTURE = frozenset([*range(0x2066, 0x206A), 0x200C, 0x200D, 0x200E, 0x200F, 0x061C, 0x0A])


@cache
def _lacking() -> re.Pattern[str]:
    """A pattern of the characters that the fonts lack."""
    glyphs = [frozenset(TTFont(ROOT / "static" / "fonts" / name).getBestCmap()) for name in _FONTS]
    drawable_codes = frozenset.intersection(*glyphs) | _WITHOUT_PICTURE
    return re.compile(f"[^{''.join(re.escape(chr(code)) for code in sorted(drawable_codes))}]")


def numbers_file(answers: Iterable[Answer]) -> str:
    """All numbers of a briefing as CSV, one per row: metric, members, day or period, value at full precision."""
    # The keys of a dictionary: each line once, in order.
    lines: dict[tuple[Any, ...], None] = {}
    for answer in answers:
        where, on, over = "|".join(answer.where.get("province", ())), answer.on or "", answer.over or ("", "")
        for row in answer.records():
            members = [part for name in answer.by for part in (name, row[name])]
            members += [""] * (4 - len(members))
            for name in answer.columns[len(answer.by) :]:
                lines[(name, *members[:4], where, on, *over, row[name])] = None
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows([safe("" if cell is None else cell) for cell in line] for line in lines)
    return out.getvalue()
