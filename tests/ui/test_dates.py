"""The calendar file of what is to come, read back with the library that reads calendars."""

import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from icalendar import Calendar

from etl.core import settings
from etl.semantic import access
from etl.semantic.access import ScopedCursor
from etl.semantic.rights import ADMINISTRATOR, AccessScope, Grant
from etl.submissions import deadline
from ui.data import owed
from ui.data.ask import Kept, On
from ui.follow import dates
from ui.follow.dates import Dated
from ui.i18n import text
from ui.state.scope import Scope

TODAY = date(2026, 12, 7)


@pytest.fixture(scope="module")
def con(small_register: Path) -> Iterator[ScopedCursor]:
    with access.connect(small_register, ADMINISTRATOR) as cursor:
        yield cursor


def events(dated: list[Dated]) -> dict[str, tuple[date, str]]:
    """The day and the words of each event by its ident, as a calendar reads the file."""
    out = io.BytesIO()
    dates.write(out, dated, "name", "about", "fa")
    (calendar,) = Calendar.from_ical(out.getvalue(), multiple=True)
    return {str(one["UID"]): (one["DTSTART"].dt, str(one["SUMMARY"])) for one in calendar.events}


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_the_ends_of_licences_are_those_of_the_raw_rows(lang: str, con: ScopedCursor) -> None:
    ask = Kept(On(con))
    latest = ask.publication.as_of
    days = con.whole.execute("select institute_code, valid_from, valid_until from licensed_days").df()
    now = days[(days.valid_from <= pd.Timestamp(latest)) & (days.valid_until > pd.Timestamp(latest))]
    ends = days[days.institute_code.isin(now.institute_code) & (days.valid_from <= pd.Timestamp(latest))]
    last = ends.groupby("institute_code").valid_until.max() - pd.Timedelta(days=1)
    soon = last[last < pd.Timestamp(latest + timedelta(days=90))]
    dated, _ = dates.licences(Scope(latest, lang=lang), ask)
    found = events(dated)
    assert {uid: day for uid, (day, _) in found.items()} == {
        f"licence-{code}-{end.date()}@policeyar": end.date() for code, end in soon.items()
    }
    assert found
    for uid, (_, said) in found.items():
        assert text.digits(uid.split("-")[1], lang) in said


def test_of_another_province_nothing_is_dated(small_register: Path, con: ScopedCursor) -> None:
    ask = Kept(On(con))
    latest = ask.publication.as_of
    everywhere, answer = dates.licences(Scope(latest), ask)
    assert answer
    place, other = list(dict.fromkeys(answer.column("province")))[:2]
    of_place = Scope(latest, (("province", (place,)),))
    own, _ = dates.licences(of_place, ask)
    assert 0 < len(own) < len(everywhere)
    seen = AccessScope("a.person", frozenset({Grant("province", frozenset({place}), True, True)}))
    with access.connect(small_register, seen) as cursor:
        for scope in (Scope(latest), of_place):
            assert dates.licences(scope, Kept(On(cursor)))[0] == own
        assert dates.licences(Scope(latest, (("province", (other,)),)), Kept(On(cursor)))[0] == []


def test_deadlines_are_those_to_come() -> None:
    rules = settings.Submission()
    found = [*dates.deadlines("fa", TODAY, rules)]
    assert [one.day for one in found] == sorted(one.day for one in found)
    assert all(one.day >= TODAY for one in found)
    last = deadline.latest_month(TODAY)
    assert (deadline.due(last, rules) >= TODAY) == (f"deadline-{last}" in {one.ident for one in found})
    assert len(found) >= 3


def test_releases_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owed, "calendar", lambda: [TODAY])
    assert events([*dates.releases("en")]) == {
        "release-2026-12-07@policeyar": (TODAY, text.word("follow.release", "en"))
    }


@pytest.mark.parametrize("words", ["a, b; c\\d", "first\nEND:VEVENT\nBEGIN:VEVENT", "x" * 300, "مؤسسهٔ «نگهبان»؛ تهران"])
def test_no_name_ends_its_line(words: str) -> None:
    assert events([Dated(TODAY, "one", words)]) == {"one@policeyar": (TODAY, words)}
