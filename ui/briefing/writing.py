"""Briefings as files, written atomically, and the list of written ones."""

import json
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from etl.core.errors import Refused
from etl.core.files import replacing
from etl.core.paths import BRIEFINGS
from etl.semantic.rights import AccessScope
from etl.warehouse import version_files
from etl.warehouse.publications import Publication
from ui.briefing import content, typesetting
from ui.briefing.typesetting import Typesetter
from ui.briefing.writer import Writer
from ui.data import cursors, signed_notes, submissions
from ui.data.ask import Kept, On, Rounded, frozen
from ui.i18n import member_names, text
from ui.state.scope import NATION, Scope

# The list keeps the latest ones only.
MOST_LISTED = 500


@dataclass(frozen=True)
class Written:
    """A written briefing: its file, place (`IR` is the nation), day, language and publication."""

    file: str
    place: str
    day: str
    lang: str
    publication: str
    is_exact: bool


class Press:
    """Makes the briefings of one publication. What is asked once serves the books of all places."""

    def __init__(self, ask: On, pointer: Path, typesetter: Typesetter) -> None:
        self._ask, self._pointer, self._typesetter = ask, pointer, typesetter
        self._exactly = Kept(ask)
        self._circulated = Kept(Rounded(self._exactly))

    def writer(self, place: str, lang: str, on: date | None = None, exact: bool = False) -> Writer:
        """What the book of a place is made with, and the signed notes of this moment."""
        scope = scope_of(self._ask.publication, place, lang, on)
        asked = replace(self._ask, notes=signed_notes.shown_to(self._ask.rights), behind=submissions.behind())
        exactly = replace(self._exactly, ask=asked)
        circulated = replace(self._circulated, ask=Rounded(exactly))
        return Writer(scope, Kept(exactly if exact else circulated), self._pointer)

    def pdf(self, write: Writer) -> bytes:
        """The briefing as PDF. Raises Refused for a place or day without data, and for any fault, with the place."""
        with made_for(write.scope.province):
            made = content.book(write)
            return self._typesetter.pdf(made, typesetting.numbers_file(write.recorded()))

    def write(self, write: Writer, to: Path) -> Written:
        """Write the briefing and list it. Raises Refused if it cannot be made or written."""
        save(to, self.pdf(write))
        scope = write.scope
        place, day = scope.province or NATION, scope.day.isoformat()
        book = Written(str(to.absolute()), place, day, scope.lang, write.ask.publication.id, write.is_exact)
        note(book)
        return book


def scope_of(publication: Publication, place: str, lang: str, on: date | None = None) -> Scope:
    """The scope of a book; a day after the latest is kept, to be refused."""
    where = {} if place == NATION else {"province": (place,)}
    return Scope(publication.as_of, frozen(where), on, lang=lang)


@contextmanager
def made_for(province: str) -> Iterator[None]:
    """Any fault as a Refused that names the place: the books of other places do not wait for its mend."""
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        at = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(at.filename).name}, line {at.lineno}"
        raise Refused(
            f"{province or 'the nation'}: no book could be made ({type(error).__name__} in {where})"
        ) from error


@contextmanager
def press(path: Path, scope: AccessScope) -> Iterator[Press]:
    """A press for the publication at `path`, a pointer or a version, under a scope. Raises Refused if there is none."""
    with cursors.opened(path, scope) as ask, TemporaryDirectory(prefix="briefing-") as folder:
        yield Press(ask, version_files.pointer_of(path) or path, Typesetter(Path(folder)))


def file_name(scope: Scope, is_exact: bool) -> str:
    """`briefing-IR-11-2026-10-22-fa.pdf`."""
    exact = "-exact" if is_exact else ""
    return f"briefing-{scope.province or NATION}-{scope.day.isoformat()}-{scope.lang}{exact}.pdf"


def save(path: Path, content: bytes) -> None:
    """Write a file atomically. Raises Refused if it cannot be written, and leaves no partial file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as waiting:
            waiting.write_bytes(content)
    except OSError as error:
        raise Refused(f"{path}: cannot be written ({os.strerror(error.errno or 0)})") from None


def folder() -> Path:
    """The folder of the list; BRIEFINGS overrides it."""
    return Path(os.environ.get("BRIEFINGS") or BRIEFINGS)


def note(book: Written) -> None:
    """Add a briefing to the list. A failure is ignored: the briefing itself is written."""
    earlier = [other for other in written() if other.file != book.file][: MOST_LISTED - 1]
    lines = [json.dumps(asdict(listed), ensure_ascii=False) for listed in (*reversed(earlier), book)]
    with suppress(Refused):
        save(_list(), ("\n".join(lines) + "\n").encode())


def written() -> list[Written]:
    """The listed briefings, the latest first; unreadable lines are skipped."""
    try:
        lines = _list().read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    names = {field.name for field in fields(Written)}
    books = []
    for line in reversed(lines):
        with suppress(ValueError, TypeError):
            entry = json.loads(line)
            if isinstance(entry, dict) and entry.keys() == names:
                books.append(Written(**entry))
    return books


def place_name(place: str, lang: str) -> str:
    """The name of a place; `IR` is the nation."""
    return text.word("scope.nation", lang) if place == NATION else member_names.of("province", place, lang)


def _list() -> Path:
    return folder() / "written.jsonl"
