"""A followed condition is told once for each publication in which it begins to hold, with the rights of the moment."""

import re
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from email import message_from_bytes
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etl.analysis.transitions import State, Told
from etl.core import settings
from etl.core.errors import QuestionError, Refused
from etl.core.jalali import add_months, unit_of
from etl.semantic import access
from etl.semantic.access import ScopedCursor, cursor_for
from etl.semantic.catalog import catalogue
from etl.semantic.rights import ADMINISTRATOR, WHOLE_COUNTRY, AccessScope, Grant
from etl.warehouse import publications
from etl.warehouse.publications import Publication
from ui.access.follows import Follows, Kept, News, StateKept, Subscriber
from ui.data.ask import Ask, On
from ui.data.ask import Kept as KeptAnswers
from ui.follow import command, mail, own, team_file, telling, words
from ui.follow.evaluate import OUTSIDE, Found, evaluated, occurs
from ui.follow.follow import Condition, Follow, checked, of_record
from ui.follow.telling import OUTSIDE_NOW, Receiver, Telling, ident_of, number_of, replay, told_to
from ui.i18n import text

ME = Subscriber("a.person", ("office",), "a.person@police.example", "en", 1000.0)
OF_FARS = AccessScope("a.person", frozenset({Grant("province", frozenset({"IR-07"}), True, True)}))
NATIONAL = AccessScope("a.person", frozenset({Grant("national", WHOLE_COUNTRY)}))


@pytest.fixture(scope="module")
def con(small_register: Path) -> Iterator[ScopedCursor]:
    with access.connect(small_register, ADMINISTRATOR) as cursor:
        yield cursor


@pytest.fixture(scope="module")
def ask(con: ScopedCursor) -> KeptAnswers:
    return KeptAnswers(On(con))


@dataclass(frozen=True)
class At:
    """Another Ask as that of an earlier publication, whose data ended on a day."""

    ask: Ask
    publication: Publication

    def __getattr__(self, name: str) -> Any:
        return getattr(self.ask, name)

    def __call__(self, question: Any) -> Any:
        return self.ask(question)

    @property
    def exactly(self) -> "At":
        return self


def of_months(ask: Ask, count: int = 24) -> list[Ask]:
    """Made-up publications, one for each of the last months."""
    latest = ask.publication.as_of
    ends = [unit_of(add_months(latest, -back), "month").last for back in range(count, 0, -1)]
    return [At(ask, replace(ask.publication, id=f"{number:06d}", as_of=end)) for number, end in enumerate(ends, 1)]


def kept_of(follow: Follow, owner: str = ME.sub, team: str = "") -> Kept:
    return Kept(ident_of(owner, follow, team), owner, team, follow.record(), 0.0)


class Person:
    """Somebody with follows, told of one publication after the other, as the store keeps it."""

    def __init__(self, folder: Path, *follows: Follow, person: Subscriber = ME) -> None:
        self.store, self.person = Follows(folder), person
        self.store.note_person(person)
        for one in follows:
            assert self.store.add(kept_of(one, person.sub)) == ""

    def told(self, ask: Ask, scope: AccessScope = ADMINISTRATOR, now: float = 2000.0) -> Telling:
        receiver = Receiver(self.person, scope, ask, telling.is_paused(self.person, now))
        found = told_to(receiver, self.store.all(), self.store.states(self.person.sub), now + int(ask.publication.id))
        self.store.tell(found.states, found.news, None, "000000")
        return found


# ---------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    "written",
    [
        "below 0.8",
        "above 60000.0",
        "clearly lower",
        "clearly higher",
        "changed",
        "target month moved",
        "needs action",
        "publication",
    ],
)
def test_a_condition_is_read_as_it_is_written(written: str) -> None:
    follow = Follow(Condition.read(written), "training_compliance", "IR-07", (("gender", ("female",)),))
    assert Condition.read(follow.condition.written) == follow.condition
    assert follow.condition.written == written
    assert of_record(follow.record() | {"of a later version": 1}) == follow


@pytest.mark.parametrize("written", ["", "below", "below much", "lower", "above 1,000", "clearly", "changed 3"])
def test_what_is_no_condition_is_refused(written: str) -> None:
    with pytest.raises(QuestionError, match="no condition"):
        Condition.read(written)


@pytest.mark.parametrize(
    ("follow", "fault"),
    [
        (Follow(Condition("below", 80), "training_compliance"), "80 % is written 0.8"),
        (Follow(Condition("below", 1), "no_such"), "no measure"),
        (Follow(Condition("below", 1), "in_service", "IR-99"), "no place"),
        (Follow(Condition("below", 1), "in_service", "Fars"), "no place"),
        (Follow(Condition("clearly lower"), "training_compliance"), "the nation"),
        (Follow(Condition("clearly lower"), "in_service", "IR-07"), "no test"),
        (Follow(Condition("changed"), "coverage_per_10k", "IR-07"), "no test between"),
        (Follow(Condition("above", 3.0), "licensed_until"), "is a day, not a number"),
        (Follow(Condition("needs action"), place="every province"), "of the nation or of one province"),
        (Follow(Condition("below", 1), "in_service", filters=(("outcome", ("granted",)),)), "no meaning by outcome"),
    ],
)
def test_a_follow_that_can_never_be_told_is_refused(follow: Follow, fault: str) -> None:
    with pytest.raises(QuestionError, match=fault):
        checked(follow)


@pytest.mark.parametrize(
    ("written", "unit", "number"),
    [
        ("۸۰٪", "share", 0.8),
        ("80%", "share", 0.8),
        ("0.8", "share", 0.8),
        ("۶۰٬۰۰۰", "persons", 60000.0),
        ("۱۲٫۵", "share", 12.5),
    ],
)
def test_a_number_is_read_in_any_digits(written: str, unit: str, number: float) -> None:
    assert number_of(written, unit) == pytest.approx(number)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="could not convert"):
        number_of("خیلی", "persons")


@pytest.mark.parametrize("lang", ["fa", "en"])
@pytest.mark.parametrize("unit", sorted({metric.unit for metric in catalogue().values()}))
def test_a_number_is_read_as_the_form_writes_it(unit: str, lang: str) -> None:
    """The form of a follow that is edited begins with its number."""
    for number in (0.8, 0.125, 1.0) if unit == "share" else (1234.0, 7.0):
        assert number_of(text.plain(number, unit, lang), unit) == pytest.approx(number)


# ---------------------------------------------------------------- what is told


def raw_in_service(con: ScopedCursor) -> pd.DataFrame:
    return con.whole.execute("select person_id, province, hired_on, end_day from spells").df()


@pytest.mark.parametrize("seed", range(3))
def test_what_is_told_is_the_changes_that_pandas_finds_in_the_raw_rows(
    seed: int, ask: KeptAnswers, con: ScopedCursor, tmp_path: Path
) -> None:
    spells, months = raw_in_service(con), of_months(ask)
    counts = {
        one.publication.id: spells[
            (spells.hired_on <= (day := pd.Timestamp(one.publication.as_of))) & (spells.end_day > day)
        ]
        .groupby("province")
        .person_id.nunique()
        for one in months
    }
    counted = pd.DataFrame(counts).fillna(0)
    limit = float(np.random.default_rng(seed).choice(counted.to_numpy().ravel()))
    kinds = {"below": counted < limit, "above": counted > limit}
    follows = [Follow(Condition(kind, limit), "in_service", "every province", tells_end=True) for kind in kinds]
    me = Person(tmp_path, *follows)
    told = {
        (telling_of.follows[one.follow].condition.kind, one.member, one.publication, one.told)
        for month in months
        for telling_of in [me.told(month)]
        for one in telling_of.news
    }
    expected = set()
    for kind, holds in kinds.items():
        steps = holds.astype(int).diff(axis=1)
        for step, what in ((1, Told.BEGAN), (-1, Told.ENDED)):
            found = steps.where(steps == step).stack().dropna()
            expected |= {(kind, province, publication, what) for province, publication in found.index}
    assert told == expected
    assert expected


def test_a_publication_twice_a_rollback_and_the_way_forward_tell_nothing(ask: KeptAnswers, tmp_path: Path) -> None:
    follow = Follow(Condition("publication"))
    first, second, third = of_months(ask)[:3]
    me = Person(tmp_path, follow)
    assert [len(me.told(one).news) for one in (first, second, second, first, second, third, second, third)] == [
        0,
        1,
        0,
        0,
        0,
        1,
        0,
        0,
    ]


def found_by(monkeypatch: pytest.MonkeyPatch, values: Mapping[tuple[str, str], float]) -> None:
    """Values by publication and day, for one province, in place of an evaluation."""

    def made(follow: Follow, ask: Ask, on: date | None = None) -> dict[str, Found]:
        day = on or ask.publication.as_of
        value = values[ask.publication.id, day.isoformat()]
        assert follow.condition.number is not None
        state = State.HOLDS if value < follow.condition.number else State.DOES_NOT_HOLD
        return {"IR-07": Found(state, value, day)}

    monkeypatch.setattr(telling, "evaluated", made)


def test_a_publication_that_was_evaluated_is_asked_nothing(
    ask: KeptAnswers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = Person(tmp_path, Follow(Condition("above", 0.0), "in_service"), Follow(Condition("publication")))
    month = of_months(ask)[-1]
    assert len(me.told(month).states) == 2
    monkeypatch.setattr(telling, "evaluated", lambda *_: pytest.fail("asked again"))
    assert me.told(month).states == []


def test_a_follow_that_fails_stops_no_other(ask: KeptAnswers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing, fine = Follow(Condition("above", 0.0), "in_service"), Follow(Condition("publication"))

    def some(follow: Follow, *more: Any) -> dict[str, Found]:
        if follow == failing:
            raise TypeError("a row of somebody")
        return evaluated(follow, *more)

    monkeypatch.setattr(telling, "evaluated", some)
    me = Person(tmp_path, failing, fine)
    found = me.told(of_months(ask)[-1])
    assert [one.follow for one in found.states] == [ident_of(ME.sub, fine)]
    assert found.faults == [f"follow {ident_of(ME.sub, failing)} cannot be evaluated (TypeError)"]


@pytest.mark.parametrize(("of_old_day", "by_revision"), [(0.85, False), (0.7, True)])
def test_a_revision_is_told_apart_from_a_change(
    of_old_day: float, by_revision: bool, ask: KeptAnswers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = of_months(ask)[:2]
    days = [one.publication.as_of.isoformat() for one in (first, second)]
    values = {("000001", days[0]): 0.85, ("000002", days[1]): 0.7, ("000002", days[0]): of_old_day}
    found_by(monkeypatch, values)
    me = Person(tmp_path, Follow(Condition("below", 0.8), "training_compliance", "IR-07"))
    assert me.told(first).news == []
    (news,) = me.told(second).news
    assert bool(news.by_revision) is by_revision
    said = words.line(news, of_record(me.store.all()[0].content), "en")
    assert said.startswith("Training compliance · Fars: fell below 80.0% (85.0% → 70.0%")
    assert ("because the data were corrected" in said) is by_revision


def test_a_changed_definition_begins_anew_and_says_so(
    ask: KeptAnswers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = of_months(ask)[:3]
    values = {}
    for one, value in ((first, 0.85), (second, 0.7), (third, 0.85)):
        values |= {(one.publication.id, other.publication.as_of.isoformat()): value for other in (first, second, third)}
    found_by(monkeypatch, values)
    monkeypatch.setattr(telling, "definition_of", lambda _, ask: "old" if ask.publication.id == "000001" else "new")
    me = Person(tmp_path, Follow(Condition("below", 0.8), "training_compliance", "IR-07", tells_end=True))
    told = [[one.told for one in me.told(month).news] for month in (first, second, third)]
    assert told == [[], [Told.DEFINITION_CHANGED], [Told.ENDED]]


@pytest.mark.parametrize(
    ("kind", "before", "now", "happens"),
    [
        ("needs action", '{"lapsed": 3}', '{"lapsed": 3}', False),
        ("needs action", '{"lapsed": 3}', '{"lapsed": 2}', False),
        ("needs action", '{"lapsed": 3}', '{"lapsed": 4}', True),
        ("needs action", '{"lapsed": 3}', '{"lapsed": 1, "level": 1}', True),
        ("target month moved", "1406-03", "1406-03", False),
        ("target month moved", "1406-03", "", True),
        ("hand-in", '{"a": "approved"}', "{}", False),
        ("hand-in", "{}", '{"a": "returned"}', True),
    ],
)
def test_an_occasion_is_known_by_its_mark(kind: str, before: str, now: str, happens: bool) -> None:
    assert occurs(Follow(Condition(kind)), before, now) is happens


@pytest.mark.parametrize("written", ["clearly lower", "changed", "below 0.9", "needs action", "target month moved"])
def test_every_condition_is_evaluated_as_the_page_asks(written: str, ask: KeptAnswers) -> None:
    place = "IR-07" if written in ("needs action", "target month moved") else "every province"
    follow = checked(Follow(Condition.read(written), "training_compliance", place))
    found = evaluated(follow, ask)
    assert len(found) == (1 if place == "IR-07" else 31)
    assert any(one.state.is_known for one in found.values())


def test_the_replay_is_what_would_have_been_told(ask: KeptAnswers, tmp_path: Path) -> None:
    follow, months = Follow(Condition("below", 30.0), "in_service", "every province"), of_months(ask)
    me = Person(tmp_path, follow)
    told = {(one.publication, one.member) for month in months for one in me.told(month).news}
    by_day = {month.publication.as_of.isoformat(): month.publication.id for month in months}
    replayed = replay(follow, ask, [month.publication.as_of for month in months])
    assert {(by_day[day], member) for day, members in replayed.times for member in members} == told
    assert told
    assert replayed.holds_now == {
        code: found.value for code, found in evaluated(follow, months[-1]).items() if found.state is State.HOLDS
    }


def test_places_that_the_test_can_never_name_are_known(ask: KeptAnswers) -> None:
    follow, months = Follow(Condition("clearly lower"), "training_compliance", "counties of IR-07"), of_months(ask, 3)
    assert replay(follow, ask, [month.publication.as_of for month in months]).never


# ---------------------------------------------------------------- rights


def test_what_lies_outside_of_the_rights_is_told_without_its_number(small_register: Path, tmp_path: Path) -> None:
    """The group is taken away between two publications."""
    follow = Follow(Condition("below", 1000.0), "in_service", "counties of IR-10")
    me = Person(tmp_path, follow)
    with publications.connect(small_register) as whole:
        for number, (scope, told) in enumerate([(NATIONAL, set()), (OF_FARS, {OUTSIDE_NOW}), (OF_FARS, set())], 1):
            with cursor_for(whole, scope) as cursor:
                on = On(cursor)
                asked = At(on, replace(on.publication, id=f"{number:06d}"))
                found = me.told(asked, scope)
            assert {one.told for one in found.news} == told
            assert all(one.now_value is one.before_value is None for one in found.news)
            said = [words.line(one, follow, "en") for one in found.news]
            assert all("outside your access" in line and not re.search(r"\d", line) for line in said)


@pytest.mark.parametrize("place", ["counties of IR-10", "every province", "IR-10"])
def test_a_group_of_others_is_never_evaluated(place: str, small_register: Path) -> None:
    follow = Follow(Condition("below", 1000.0), "in_service", place, (("gender", ("female",)),))
    with access.connect(small_register, OF_FARS) as cursor:
        found = evaluated(follow, On(cursor))
    assert {code: one.value for code, one in found.items() if one.value is not None}.keys() <= {"IR-07"}
    assert all(one.why == OUTSIDE for code, one in found.items() if code != "IR-07")


def test_who_has_not_signed_in_for_sixty_days_is_not_told(ask: KeptAnswers, tmp_path: Path) -> None:
    me = Person(tmp_path, Follow(Condition("publication")))
    first, second = of_months(ask)[:2]
    me.told(first)
    assert me.told(second, now=ME.signed_in + 61 * 86400.0).states == []
    assert len(me.told(second, now=ME.signed_in + 59 * 86400.0).news) == 1


def test_members_of_a_team_are_told_and_nobody_else(ask: KeptAnswers, tmp_path: Path) -> None:
    follow = Follow(Condition("publication"))
    for groups, told in ((("office",), 1), (("another",), 0)):
        me = Person(tmp_path / groups[0], person=replace(ME, groups=groups))
        me.store.of_teams([kept_of(follow, "team:office", "office")])
        first, second = of_months(ask)[:2]
        me.told(first)
        assert len(me.told(second).news) == told


def test_a_definition_is_the_same_whoever_asks(small_register: Path, ask: KeptAnswers) -> None:
    follow = Follow(Condition("below", 0.8), "training_compliance", "IR-07")
    with access.connect(small_register, OF_FARS) as cursor:
        found = telling.definition_of(follow, On(cursor))
    assert found == telling.definition_of(follow, ask)
    assert len(found.split()) > 1, "of the measure and of its parts"


# ---------------------------------------------------------------- the store


def test_a_person_has_no_more_than_fifty_follows_and_touches_no_others(tmp_path: Path) -> None:
    store = Follows(tmp_path)
    for number in range(50):
        assert store.add(kept_of(Follow(Condition("below", number), "in_service"))) == ""
    assert store.add(kept_of(Follow(Condition("publication")))) == "full"
    ident = store.of(ME.sub)[0].ident
    store.turn("another", ident, False)
    store.remove("another", ident)
    assert [one.ident for one in store.of(ME.sub) if one.is_on].count(ident) == 1
    store.turn(ME.sub, ident, False)
    assert [one.ident for one in store.of(ME.sub) if not one.is_on] == [ident]
    store.remove(ME.sub, ident)
    assert len(store.of(ME.sub)) == 49
    assert store.add(kept_of(Follow(Condition("below", 3), "in_service"))) == (
        "taken" if len(store.of(ME.sub)) == 49 else ""
    )


def test_old_states_go_but_for_the_last_that_is_known(tmp_path: Path) -> None:
    store = Follows(tmp_path)
    for number, state in enumerate(("holds", "does_not_hold", "not_evaluated", "not_evaluated"), 1):
        kept = StateKept("f", ME.sub, "IR-07", f"{number:06d}", float(number), state, "", None, "", "")
        store.tell([kept], [], None, f"{number:06d}")
    ((states),) = store.states(ME.sub).values()
    assert [one.publication for one in states] == ["000002", "000003", "000004"]


def test_news_is_read_once(ask: KeptAnswers, tmp_path: Path) -> None:
    me = Person(tmp_path, Follow(Condition("publication")))
    for month in of_months(ask)[:3]:
        me.told(month)
    assert me.store.unread(ME.sub) == 2
    assert [one.publication for one in me.store.news(ME.sub)] == ["000003", "000002"]
    me.store.note_read(ME.sub, 1.0)
    assert me.store.unread(ME.sub) == 0


def test_news_of_a_province_outside_of_the_rights_since_has_no_number() -> None:
    news = News(ME.sub, "000001", "f", "IR-07", 1.0, Told.BEGAN, 0, 0.6, "2024-01-01", 0.4, "2024-02-01", 0.1, "IR-07")
    elsewhere = AccessScope("a.person", frozenset({Grant("province", frozenset({"IR-23"}), True, True)}))
    assert own._as_seen(news, OF_FARS) == news
    seen = own._as_seen(news, elsewhere)
    assert (seen.told, seen.before_value, seen.now_value) == (OUTSIDE_NOW, None, None)


@pytest.mark.parametrize(
    ("days", "place", "lang", "said"),
    [
        (("2028-02-01", "2028-03-01"), "IR", "en", "The month of the target moved (Bahman 1406 → Esfand 1406)"),
        (("2028-02-01", ""), "IR", "en", "The month of the target moved"),
        (("", "2028-03-01"), "IR-07", "en", "Fars: The month of the target moved"),
        (("2028-02-01", "2028-03-01"), "IR-07", "fa", "فارس: ماه تحقق هدف جابه‌جا شد (بهمن ۱۴۰۶ ← اسفند ۱۴۰۶)"),
    ],
)
def test_both_months_of_the_target_are_said_where_they_are_known(
    days: tuple[str, str], place: str, lang: str, said: str
) -> None:
    follow = Follow(Condition("target month moved"), place=place)
    told = News(ME.sub, "000001", "f", place, 1.0, Told.BEGAN, 0, None, days[0], None, days[1], 0.0)
    assert text.one_calendar(words.line(told, follow, lang)).replace("\u00a0", " ") == said


# ---------------------------------------------------------------- mail

RULES = settings.Mail(
    sender="dashboard@police.example", domains=("police.example",), address="https://dashboard.example"
)


def with_news(ask: KeptAnswers, tmp_path: Path) -> tuple[Receiver, Telling]:
    follow = Follow(Condition("below", 30.0), "in_service", "every province", by_mail=True)
    me = Person(tmp_path, follow)
    for month in of_months(ask):
        found = me.told(month)
        if found.news:
            return Receiver(ME, ADMINISTRATOR, month), found
    raise AssertionError("nothing is told")


def body(made: Any) -> str:
    assert made is not None
    return str(message_from_bytes(made.content.encode()).get_payload(decode=True).decode())


def test_a_mail_of_the_setting_link_holds_no_number_and_no_place(ask: KeptAnswers, tmp_path: Path) -> None:
    receiver, found = with_news(ask, tmp_path)
    said = body(mail.message_of(receiver, found, RULES))
    count, publication = str(len(found.news)), receiver.ask.publication.id
    assert {*re.findall(r"\d+", said)} <= {count, publication, "1"}
    assert "Fars" not in said
    assert "https://dashboard.example/?news=1&lang=en" in said
    exact = body(mail.message_of(receiver, found, replace(RULES, says="exact")))
    for one in found.news[: mail.MOST_LINES]:
        assert words.line(one, found.follows[one.follow], "en") in exact


def test_a_mail_in_rounded_numbers_tells_what_published_counts_tell(ask: KeptAnswers, tmp_path: Path) -> None:
    receiver, found = with_news(ask, tmp_path)
    said = body(mail.message_of(receiver, found, replace(RULES, says="rounded")))
    numbers = [int(number) for number in re.findall(r"below 30 \((\d+),", said)]
    assert all(number % 5 == 0 and number < 30 for number in numbers)
    assert len(numbers) + sum(map(int, re.findall(r"and (\d+) more", said))) == len(found.news)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a@other.example",
        "a@police.example.org",
        "a\nBcc: b@x@police.example",
        "a, b@police.example",
        "@police.example",
    ],
)
def test_mail_goes_to_the_domains_of_the_settings_alone(address: str, ask: KeptAnswers, tmp_path: Path) -> None:
    receiver, found = with_news(ask, tmp_path)
    assert mail.message_of(replace(receiver, person=replace(ME, mail=address)), found, RULES) is None


class Smtp(socketserver.StreamRequestHandler):
    """A mail server that takes, refuses, or goes away after DATA."""

    def handle(self) -> None:
        server: Any = self.server
        if server.way == "hangs":
            server.let_go.wait()
            return
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"RCPT" and server.way == "refuses":
                self.wfile.write(b"550 no\r\n")
            elif word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (text := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(text)
                server.taken.append(b"".join(lines))
                if server.way == "drops":
                    return
                self.wfile.write(b"250 taken\r\n")
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@contextmanager
def mail_server(way: str) -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        held: Any = server
        held.way, held.taken, held.let_go, held.daemon_threads = way, [], threading.Event(), True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            held.let_go.set()
            server.shutdown()


@pytest.mark.parametrize("way", ["hangs", "refuses", "drops", "takes"])
def test_no_mail_is_lost_and_none_is_two_messages(
    way: str, ask: KeptAnswers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "hangs":
        monkeypatch.setattr(mail, "SMTP_SECONDS", 0.2)
    receiver, found = with_news(ask, tmp_path)
    store = Follows(tmp_path / "outbox")
    made = mail.message_of(receiver, found, RULES)
    for _ in range(2):
        store.tell([], [], made, "")
    with mail_server(way) as server:
        rules = replace(RULES, server="127.0.0.1", port=server.server_address[1])
        faults = mail.send(store, rules)
        assert len(store.unsent()) == len(faults) == (0 if way == "takes" else 1)
        server.way = "takes"
        assert mail.send(store, rules) == mail.send(store, rules) == []
        known = {message_from_bytes(one)["Message-ID"] for one in server.taken}
        assert len(known) == 1, "whoever has it twice knows it by its Message-ID"
        assert len(server.taken) == (2 if way == "drops" else 1)
    assert all("police" not in fault for fault in faults)


def test_without_a_server_messages_are_files(ask: KeptAnswers, tmp_path: Path) -> None:
    receiver, found = with_news(ask, tmp_path)
    store, rules = Follows(tmp_path / "store"), replace(RULES, outbox=tmp_path / "outbox")
    store.tell([], [], mail.message_of(receiver, found, rules), "")
    assert mail.send(store, rules) == mail.send(store, rules) == []
    (file,) = (tmp_path / "outbox").iterdir()
    assert message_from_bytes(file.read_bytes())["To"] == ME.mail


# ---------------------------------------------------------------- teams and the command


def test_the_follows_of_teams_are_read_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "follows.toml"
    file.write_text(
        '[[follow]]\nteam = "office"\nmeasure = "training_compliance"\nplace = "counties of IR-07"\n'
        'filters = { gender = "female" }\ncondition = "below 0.8"\nmail = true\n'
        '[[follow]]\nteam = "office"\ncondition = "publication"\nuntil = "1406/06/31"\n',
        encoding="utf-8",
    )
    first, second = (of_record(one.content) for one in team_file.read(file, {"office"}))
    assert first == Follow(
        Condition("below", 0.8), "training_compliance", "counties of IR-07", (("gender", ("female",)),), by_mail=True
    )
    assert (second.condition.kind, second.until, second.place) == ("publication", "1406/06/31", "IR")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("[[follow]]\nteam = 3\n", "team is missing"),
        ('[[follow]]\nteam = "strangers"\ncondition = "publication"\n', "no group of access.toml"),
        ('[[follow]]\nteam = "office"\ncondition = "sometimes"\n', "no condition"),
        ('[[follow]]\nteam = "office"\ncondition = "publication"\nwhy = "x"\n', "why is unknown"),
        ('[[follow]]\nteam = "office"\ncondition = "publication"\nuntil = "soon"\n', "follow 1"),
        ("follow = 3\n", "write"),
        ("[rules]\n", "rules is unknown"),
        ("[[follow\n", "is not TOML"),
    ],
)
def test_a_file_of_teams_with_a_fault_is_refused(content: str, fault: str, tmp_path: Path) -> None:
    file = tmp_path / "follows.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(Refused, match=re.escape(fault)):
        team_file.read(file, {"office"})


def test_the_command_prints_keeps_and_tells_once(
    small_register: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VIEWS", str(tmp_path))
    store = Follows(tmp_path)
    follow = Follow(Condition("above", 0.0), "in_service", "IR-07")
    store.add(kept_of(follow, ADMINISTRATOR.sub))
    ident, file = ident_of(ADMINISTRATOR.sub, follow), str(small_register)
    before = StateKept(
        ident,
        ADMINISTRATOR.sub,
        "IR-07",
        "000000",
        1.0,
        "does_not_hold",
        _definition(small_register, follow),
        0.0,
        "",
        "",
    )
    store.tell([before], [], None, "")
    told = []
    for words_of in (["--dry-run"], ["--dry-run"], [], []):
        assert command.main(["tell", "--from", file, *words_of]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1] == told[2]
    assert told[3] == ""
    who, what, earlier, now = told[0].rstrip("\n").split("\t")
    assert (who, earlier) == (ADMINISTRATOR.sub, "0.0")
    assert what == "All in service, lapsed licences included · Fars: rises above 0 [IR-07] began"
    assert int(now) > 0
    assert store.unread(ADMINISTRATOR.sub) == 1


def _definition(register: Path, follow: Follow) -> str:
    with access.connect(register, ADMINISTRATOR) as cursor:
        return telling.definition_of(follow, On(cursor))
