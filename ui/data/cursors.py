"""Publications that are asked without a server, a page or a session: the current one, and what the one before it said."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from etl.core.errors import QuestionError, Refused
from etl.revisions import diff
from etl.semantic import access, resolve
from etl.semantic.access import ScopedCursor
from etl.semantic.answers import Answer
from etl.semantic.rights import AccessScope
from etl.warehouse import publications, version_files
from etl.warehouse.publications import Publication
from ui.data.ask import Ask, On, Question, Rounded, Where, frozen


@contextmanager
def opened(pointer: Path, scope: AccessScope) -> Iterator[On]:
    """The Ask of the current publication under a scope. Raises Refused, also for database errors while it is open."""
    try:
        with access.connect(pointer, scope) as con:
            yield On(con)
    except duckdb.Error as error:
        raise Refused(f"{pointer}: the database refused the work ({type(error).__name__})") from None


@dataclass(frozen=True)
class Revision:
    """The previous publication, the changed rows and definitions, and the numbers of both publications on one day.

    A metric that stays provisional is measured on the day that was settled then, and left out where there is none.
    """

    publication: Publication
    day: date
    changes: diff.Changes
    before: Mapping[str, Answer]
    after: Mapping[str, Answer]


def revision(ask: Ask, pointer: Path, names: Iterable[str], day: date, where: Where) -> Revision | None:
    """The comparison with the previous publication; None if there is none or its tables cannot be compared."""
    earlier = version_files.before(pointer, version_files.number_of(Path(ask.publication.id)))
    if not earlier:
        return None
    try:
        changes = ask.look_up(_changes_since, earlier[-1])
        day = min(changes.day, day)
        with publications.connect(earlier[-1], any_code=True) as old:
            publication, exactly = publications.describe(old), On(ScopedCursor(old, ask.rights))
            then = exactly if ask is ask.exactly else Rounded(exactly)
            settled = {name: ask.look_up(resolve.settled_on, name, day) for name in names}
            before = {name: then(_of(name, on, where)) for name, on in settled.items() if on}
    except (Refused, QuestionError, duckdb.Error):
        return None
    after = {name: ask(_of(name, settled[name], where)) for name in before}
    return Revision(publication, day, changes, before, after)


def _of(name: str, on: date | None, where: Where) -> Question:
    return Question((name,), on=on, filters=frozen(where))


def _changes_since(con: ScopedCursor, earlier: Path) -> diff.Changes:
    with publications.connect(earlier, any_code=True) as old:
        return diff.changes(old, con.whole)
