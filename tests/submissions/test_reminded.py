"""A submitter who follows the own submissions is told of each that came back or was approved, and of what is owed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from etl.core import settings
from etl.core.settings import Submission as Rules
from etl.extract.contract import TABLES
from etl.semantic.rights import WHOLE_COUNTRY, AccessScope, Grant
from etl.submissions.desk import Desk
from etl.submissions.records import Records, Submission
from tests.submissions.test_arrivals import DUE, MONTH, of
from ui.access.follows import Follows, Kept, Subscriber
from ui.follow import words
from ui.follow.follow import Condition, Follow
from ui.follow.telling import HandedIn, Receiver, handed_in, ident_of, told_to
from ui.i18n import text

CLERK = AccessScope("a", frozenset({Grant("submitter", frozenset({"IR-07"}), False, True)}))
STEWARD = AccessScope("a", frozenset({Grant("steward", WHOLE_COUNTRY, False, True)}))
FOLLOW = Follow(Condition("hand-in"))
EARLIER = of("IR-07", "published", *TABLES, month="1405-07")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(settings.Folders(submissions=tmp_path / "submissions"), Rules())


class Clerk:
    """Somebody who follows the own submissions, on one day after the other."""

    def __init__(self, desk: Desk, scope: AccessScope, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk, self.scope, self.patch = desk, scope, monkeypatch
        self.follows, self.at = Follows(desk.root), 0.0
        self.follows.add(Kept(ident_of("a", FOLLOW), "a", "", FOLLOW.record(), 0.0))

    def told(self, today: date, *submissions: Submission) -> list[str]:
        """What is told on a day on which these submissions stand."""
        self.patch.setattr(Records, "all", lambda _: [EARLIER, *submissions])
        self.at += 1
        ask: Any = SimpleNamespace(publication=SimpleNamespace(id="000001"))
        receiver = Receiver(Subscriber("a", signed_in=self.at), self.scope, ask)
        found = handed_in(self.desk, "a", self.scope, today)
        telling = told_to(receiver, self.follows.all(), self.follows.states("a"), self.at, found)
        before = len(self.follows.news("a"))
        self.follows.tell(telling.states, telling.news, None, "")
        assert len(self.follows.news("a")) == before + len(telling.news)
        return [words.line(one, FOLLOW, "en") for one in telling.news]


OWED = text.word("follow.told_owed", "en", day=text.day(DUE, "en"))
DECIDED = text.word("follow.told_hand_in", "en")


def test_what_is_owed_is_told_before_the_deadline_and_after_it_once_each(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = Clerk(desk, CLERK, monkeypatch)
    days = [DUE + timedelta(days=number) for number in range(-20, 5)]
    told = {day: said for day in days if (said := clerk.told(day))}
    first, last = told
    assert [*told.values()] == [[OWED], [OWED]]
    assert first < DUE < last
    assert clerk.told(last) == [], "the same day twice"


def test_what_is_there_is_not_owed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = Clerk(desk, CLERK, monkeypatch)
    assert clerk.told(DUE - timedelta(days=20)) == []
    sent = of("IR-07", "submitted", *TABLES, on=DUE - timedelta(days=10))
    assert [clerk.told(DUE + timedelta(days=number), sent) for number in (-1, 0, 1, 4)] == [[]] * 4


def test_own_submissions_are_told_when_they_come_back_and_are_approved(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = Clerk(desk, CLERK, monkeypatch)
    sent = of("IR-07", "submitted", *TABLES, submitted_by="a")
    of_other = replace(sent, id="another", submitted_by="b")
    steps = [
        clerk.told(DUE - timedelta(days=20), replace(sent, state=own), replace(of_other, state=other))
        for own, other in [
            ("submitted", "submitted"),
            ("submitted", "returned"),
            ("returned", "returned"),
            ("returned", "approved"),
            ("approved", "approved"),
            ("published", "published"),
        ]
    ]
    assert steps == [[], [], [DECIDED], [], [DECIDED], []]


def test_a_steward_owes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Records, "all", lambda _: [EARLIER])
    assert handed_in(desk, "a", STEWARD, DUE) == HandedIn()
    assert handed_in(desk, "a", CLERK, DUE).owed == {MONTH: "soon"}
