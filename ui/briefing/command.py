"""python -m pages brief: briefings of the nation or of provinces.

Exit 0: done. 1: some briefings were refused, failed or not written, one line each; the others are written. 2: wrong usage.
"""

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from etl.cli import arguments
from etl.core.errors import QuestionError, Refused
from etl.core.paths import warehouse_pointer
from etl.core.text_folding import printable
from etl.operations.commands import note
from etl.semantic.rights import ADMINISTRATOR
from ui.briefing import writing
from ui.briefing.writing import Press
from ui.i18n import member_names, text
from ui.state.scope import NATION


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    parser = argparse.ArgumentParser(prog="python -m pages", allow_abbrev=False)
    add(parser.add_subparsers(required=True, metavar="command"))
    return run(parser, parser.parse_args(words))


def run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Write the briefings that the options ask for; returns the exit code."""
    if wrong := _contradiction(options):
        parser.error(wrong)
    try:
        with writing.press(options.source or warehouse_pointer(), ADMINISTRATOR) as press:
            return _books(press, options)
    except (Refused, QuestionError) as error:
        _tell(str(error))
    except OSError as error:
        _tell(f"{error.filename or 'the machine'}: {error.strerror or type(error).__name__}")
    return 1


def _books(press: Press, options: argparse.Namespace) -> int:
    places = [options.province or NATION]
    if options.all:
        places = sorted(member_names.fixed("province", options.lang))
    code = 0
    for place in places:
        write = press.writer(place, options.lang, options.on, options.exact)
        name = writing.file_name(write.scope, options.exact)
        to = options.to if options.to.suffix.lower() == ".pdf" else options.to / name
        try:
            if options.exact:
                note("export", form="briefing", why="exact", province=place, publication=write.ask.publication.id)
            print(press.write(write, to).file)
        except Refused as error:
            _tell(str(error))
            code = 1
    return code


def _tell(line: str) -> None:
    print(printable(" ".join(line.split())), file=sys.stderr)


def _contradiction(options: argparse.Namespace) -> str:
    """The contradiction between options; empty if there is none."""
    if options.all and options.province:
        return "--all and --province exclude each other"
    return "--all writes into a folder" if options.all and options.to.suffix.lower() == ".pdf" else ""


def _province(code: str) -> str:
    if code.upper() not in member_names.fixed("province", "en"):
        raise argparse.ArgumentTypeError(f"{code!r} is no province; write a code like IR-11")
    return code.upper()


def add(commands: Any) -> None:
    """Add the command to those of a parser."""
    brief = commands.add_parser("brief", help="briefings as PDF", allow_abbrev=False)
    brief.add_argument("--province", type=_province, metavar="IR-11", help="its book (the nation's)")
    brief.add_argument("--all", action="store_true", help="a book for each of the 31 provinces")
    brief.add_argument("--on", type=arguments.day, metavar="DAY", help="the as-of day (the latest)")
    brief.add_argument("--lang", choices=text.LANGUAGES, default="fa")
    brief.add_argument("--exact", action="store_true", help="exact numbers, not for circulation")
    brief.add_argument("--to", type=Path, required=True, metavar="FILE.pdf|FOLDER")
    brief.add_argument("--from", dest="source", type=Path, metavar="FILE", help="another warehouse")
    brief.set_defaults(run=run)
