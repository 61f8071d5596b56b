"""Each act of the pages is pressed by somebody else, and by who lost the rights between drawing and pressing: nothing happens.

tests/ui/test_acts.py lists the acts in the source; each of them is pressed here, or the last test fails.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import dashboard  # noqa: F401 - outside of a run it is the server, inside it would be a page
from etl.core.errors import AccessDenied, Refused
from etl.core.paths import FOLLOWS
from etl.semantic.rights import WHOLE_COUNTRY, AccessScope, Grant
from etl.submissions.desk import Person
from tests.loading import publish
from tests.parts import html, opened
from tests.submissions.conftest import LAST, Office
from tests.submissions.test_notes import FA
from tests.submissions.test_pages import button
from tests.submissions.test_way import PERSONNEL, more_people
from tests.ui.test_acts import callbacks
from ui.access.follows import Kept
from ui.components import blocks
from ui.data import page_run, signed_notes, submissions
from ui.follow import own, store
from ui.follow.follow import BELOW, Condition, Follow
from ui.state import personal_tokens, saved_views

pytestmark = pytest.mark.slow


def somebody(sub: str, role: str, *provinces: str) -> AccessScope:
    return AccessScope(sub, frozenset({Grant(role, frozenset(provinces) or WHOLE_COUNTRY, False, True)}))


CLERK, STEWARD = somebody("fars.clerk", "submitter", "IR-07"), somebody("data.steward", "steward")
OTHER_CLERK, READER = somebody("isfahan.clerk", "submitter", "IR-10"), somebody("a.reader", "national")
NOBODY = AccessScope("nobody", frozenset())


@dataclass
class SignedIn:
    """Who is signed in at the moment, and what was noted of whom."""

    office: Office
    scope: AccessScope = CLERK
    noted: list[tuple[str, str]] = field(default_factory=list)

    def resolve(self) -> AccessScope:
        if not self.scope.grants:
            raise AccessDenied
        return self.scope

    def record(self, sub: str, event: str, **_: str | int) -> None:
        self.noted.append((sub, event))

    def kept(self) -> dict[str, Any]:
        """All that acts change: each row of each database, each file, each order."""
        folders = (self.office.desk.root, Path(self.office.settings.folders.views))
        found: dict[str, Any] = {}
        for path in sorted(one for folder in folders for one in folder.rglob("*") if one.is_file()):
            if path.suffix == ".sqlite":
                with closing(sqlite3.connect(path)) as database:
                    tables = database.execute("select name from sqlite_master where type = 'table'").fetchall()
                    for (table,) in tables:
                        found[f"{path.name} {table}"] = sorted(database.execute(f"select * from {table}").fetchall())
            elif not path.name.endswith(("lock", "-wal", "-shm")):
                found[str(path)] = path.read_bytes()
        return {name: content for name, content in found.items() if content}


@pytest.fixture
def signed_in(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SignedIn]:
    from dataclasses import replace

    office.settings = replace(
        office.settings,
        folders=replace(office.settings.folders, views=tmp_path / "views"),
        sign_in=office.settings.sign_in,
    )
    office.only_rows = True
    monkeypatch.setenv("VIEWS", str(tmp_path / "views"))
    monkeypatch.setenv("WAREHOUSE", str(office.settings.folders.warehouse))
    monkeypatch.setattr(submissions, "_settings", lambda: office.settings)
    now = SignedIn(office)
    services = page_run.SignIn(
        now.resolve,
        lambda *_: "",
        now.record,
        lambda: ([], None),
        groups=lambda: ("fars",),
        teams=lambda: ("fars",),
        refused=lambda _: now.record(now.scope.sub, "refused"),
    )
    monkeypatch.setattr(page_run, "_sign_in", services)
    # What is folded away in a fold or a popover of these names is drawn.
    monkeypatch.setattr(blocks, "popover", _drawn)
    monkeypatch.setattr(blocks, "folded", _drawn)
    signed_notes.forget()
    yield now
    signed_notes.forget()


def _drawn(_lang: str, _label: str, key: str, inside: Callable[[], object]) -> None:
    if key in ("tools", "views", "files-rows", "connect-rows") or key.startswith("what-"):
        inside()


# ---------------------------------------------------------------- what stands before each act


def _person(office: Office, scope: AccessScope) -> Person:
    return Person(scope.sub, scope, groups=("stewards" if scope is STEWARD else "fars",))


def nothing(_: Office) -> str:
    return ""


def checking(office: Office) -> str:
    draft = office.desk.open(_person(office, CLERK), "IR-07", LAST)
    office.give(_person(office, CLERK), draft.id, 1, PERSONNEL, more_people()[PERSONNEL])
    return draft.id


def stopped(office: Office) -> str:
    return office.desk.stop(_person(office, CLERK), checking(office)).id


def ready(office: Office) -> str:
    draft = office.desk.open(_person(office, CLERK), "IR-07", LAST)
    return office.desk.declare_unchanged(_person(office, CLERK), draft.id, ["training"]).id


def unusual(office: Office) -> str:
    line = {"table": "training", "column": "hours", "what": "empty", "value": None, "rows": 30, "before": 2}
    ident = ready(office)
    office.desk.records.change(ident, ("ready",), lambda one: one.but(result=one.result | {"unusual": [line]}))
    return ident


def submitted(office: Office) -> str:
    return office.desk.submit(_person(office, CLERK), ready(office)).id


def approved(office: Office) -> str:
    ident = office.desk.approve(_person(office, STEWARD), submitted(office)).id
    office.work()
    return ident


def published_twice(office: Office) -> str:
    publish(office.settings.folders.warehouse, office.settings.folders.warehouse)
    return ""


def stopped_for_others(office: Office) -> str:
    moved = [{"metric": "in_service", "province": "IR-10", "before": 30.0, "after": 31.0}]
    ident = ready(office)
    result = {"others": moved, "stops": []}
    office.desk.records.change(ident, ("ready",), lambda one: one.but(state="to_correct", result=result))
    return ident


def noted(office: Office) -> str:
    from etl.submissions import notes

    note = notes.written("training_compliance", "IR-07", LAST, FA, "", date.today())
    signed_notes.store().sign(_person(office, STEWARD), note)
    signed_notes.forget()
    return ""


def saved(_: Office) -> str:
    with page_run.acting_as(CLERK):
        saved_views.save("Mine", "explore", {}, date.today())
    return ""


def token(_: Office) -> str:
    with page_run.acting_as(CLERK):
        personal_tokens.make("Excel")
    return ""


def _followed(is_on: bool) -> str:
    with page_run.acting_as(CLERK):
        own.start(Follow(Condition("below", 0.5), "training_compliance", "IR-07"), "fa")
        ((one,),) = (own.shown(),)
        own.turn(one.ident, is_on)
    return one.ident


def followed(_: Office) -> str:
    return _followed(True)


def silent(_: Office) -> str:
    return _followed(False)


# ---------------------------------------------------------------- the acts


@dataclass(frozen=True)
class Act:
    """A button, by the beginning of its key: on which page, for whom it is drawn, what stands before, what else is filled in.

    `other`: somebody of other rights who presses it; `own`: then it is done for that person, and nothing of the first changes.
    """

    key: str
    part: str
    of: AccessScope
    before: Callable[[Office], str] = nothing
    other: AccessScope = OTHER_CLERK
    fill: Callable[[Any], object] = lambda page: None
    own: bool = False
    event: str = "draft_changed"

    def __str__(self) -> str:
        return self.key


def _ticked(page: Any) -> None:
    for box in page.checkbox:
        if str(box.key).startswith("publish-"):
            box.check()


def _why(page: Any) -> None:
    next(one for one in page.text_input if str(one.key).startswith("return-why")).set_value("the hours are missing")


def _named(key: str) -> Callable[[Any], object]:
    return lambda page: next(one for one in page.text_input if one.key == key).set_value("Another")


def _pressed(*keys: str) -> Callable[[Any], object]:
    """Press what opens a dialog, or a form in it."""
    return lambda page: [_button(page, key).click().run() for key in keys]


def _asked(page: Any) -> None:
    page.session_state["follow-kind"], page.session_state["follow-number"] = BELOW, "40%"
    _button(page, "follow-card-training_compliance").click().run()


def _asked_for_a_team(page: Any) -> None:
    page.session_state["follow-for"] = "fars"
    _asked(page)


def _edited(page: Any) -> None:
    # A test draws the whole page at each step, which closes a dialog; its address opens it again.
    page.query_params["news"] = "1"
    _button(page.run(), "follow-edit-").click()
    page.query_params["news"] = "1"
    number = next(one for one in page.run().text_input if str(one.key).endswith("-number"))
    page.query_params["news"] = "1"
    number.set_value("40%").run()


def _written(page: Any) -> None:
    next(one for one in page.text_area if one.key == "note-fa").set_value(FA)


ACTS = (
    Act("unchanged-training", "handin", CLERK),
    Act("leave-1", "handin", CLERK, stopped),
    Act("hand-in-check", "handin", CLERK, stopped),
    Act("hand-in-stop", "handin", CLERK, checking),
    Act("hand-in-withdraw", "handin", CLERK, ready, event="submission_withdrawn"),
    Act("hand-in-submit", "handin", CLERK, ready, event="file_submitted"),
    Act("hand-in-correct", "handin", CLERK, unusual),
    Act("approve-", "approve", STEWARD, submitted, CLERK, event="load_approved"),
    Act("return-", "approve", STEWARD, submitted, CLERK, _why, event="load_returned"),
    Act("let-pass-", "approve", STEWARD, stopped_for_others, CLERK, event="submission_let_pass"),
    Act("hand-in-publish", "approve", STEWARD, approved, CLERK, _ticked, event=""),
    Act("hand-in-undo", "approve", STEWARD, published_twice, CLERK, _named("undo-why"), event=""),
    Act("note-sign", "approve", STEWARD, nothing, READER, _written, event="note_signed"),
    Act("note-withdraw", "approve", STEWARD, noted, READER, event="note_withdrawn"),
    Act("view-save", "explore", CLERK, nothing, OTHER_CLERK, _named("view name"), own=True, event="view_saved"),
    Act("view-delete-0", "explore", CLERK, saved, OTHER_CLERK, own=True, event="view_deleted"),
    Act("token-make-", "explore", CLERK, nothing, READER, _named("token-name-rows"), own=True, event="token_made"),
    Act(
        "follow-start",
        "training",
        CLERK,
        nothing,
        OTHER_CLERK,
        _asked,
        own=True,
        event="follow_made",
    ),
    Act("follow-start", "training", STEWARD, nothing, READER, _asked_for_a_team, event="follow_made"),
    Act("follow-save", "training", CLERK, followed, OTHER_CLERK, _edited, own=True, event="follow_made"),
    Act("follow-stop-", "training", CLERK, followed, OTHER_CLERK, _pressed("news"), own=True, event="follow_stopped"),
    Act("follow-resume-", "training", CLERK, silent, OTHER_CLERK, _pressed("news"), own=True, event="follow_resumed"),
    Act("follow-remove-", "training", CLERK, followed, OTHER_CLERK, _pressed("news"), own=True, event="follow_removed"),
    Act(
        "follow-occasion-start",
        "training",
        CLERK,
        nothing,
        OTHER_CLERK,
        _pressed("news"),
        own=True,
        event="follow_made",
    ),
    Act("token-revoke-", "explore", CLERK, token, READER, own=True, event="token_revoked"),
)


ADDRESS = {"handin": {"of": "IR-07"}, "explore": {"m": "in_service", "province": "IR-07"}}


def drawn(act: Act, now: SignedIn) -> Any:
    """The page of an act, with what is to be filled in."""
    now.scope = act.of
    page = opened(act.part, **ADDRESS.get(act.part, {}))
    act.fill(page)
    return page


def pressed(act: Act, page: Any) -> Any:
    return _button(page, act.key).click().run()


def _button(page: Any, beginning: str) -> Any:
    return button(page, next(one.key for one in page.button if str(one.key).startswith(beginning)))


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_an_act_is_of_who_presses_and_not_of_whom_it_was_drawn_for(act: Act, signed_in: SignedIn) -> None:
    act.before(signed_in.office)
    for other in (NOBODY, act.other):
        page = drawn(act, signed_in)
        before = signed_in.kept()
        signed_in.scope, signed_in.noted = other, []
        pressed(act, page)
        after = signed_in.kept()
        if act.own and other.grants:
            of_the_first = [row for rows in before.values() for row in rows if act.of.sub in map(str, row)]
            assert of_the_first == [row for rows in after.values() for row in rows if act.of.sub in map(str, row)]
        else:
            assert after == before, other.sub
            # A token is made by the run that follows, which draws nothing any more.
            assert act.event == "token_made" or (other.sub, "refused") in signed_in.noted
        assert not [one for one in signed_in.noted if one[0] == act.of.sub]
    page = drawn(act, signed_in)
    before, signed_in.noted = signed_in.kept(), []
    pressed(act, page)
    assert not page.exception
    assert signed_in.kept() != before, "who has the rights acts"
    assert not act.event or (act.of.sub, act.event) in signed_in.noted


def test_a_view_is_shared_by_who_chooses_the_team(signed_in: SignedIn) -> None:
    saved(signed_in.office)
    act = Act("", "explore", CLERK)
    page, before = drawn(act, signed_in), signed_in.kept()
    for other in (NOBODY, OTHER_CLERK):
        signed_in.scope = other
        next(one for one in page.selectbox if one.key == "view team 0").select("fars").run()
        assert signed_in.kept() == before
        page = drawn(act, signed_in)
    next(one for one in page.selectbox if one.key == "view team 0").select("fars").run()
    assert signed_in.kept() != before


def test_a_steward_whose_group_loses_the_role_approves_nothing_with_a_button_drawn_before(signed_in: SignedIn) -> None:
    """S5, the first attack: seven seconds later one press approved."""
    ident = submitted(signed_in.office)
    signed_in.scope = STEWARD
    page = opened("approve")
    signed_in.scope = AccessScope(STEWARD.sub, READER.grants)
    button(page, f"approve-{ident}").click().run()
    assert signed_in.office.desk.records.get(ident).state == "submitted"
    assert "figure-matrix" not in html(page)
    assert (STEWARD.sub, "refused") in signed_in.noted


def test_a_follow_is_kept_once_and_another_takes_its_place(signed_in: SignedIn) -> None:
    first = followed(signed_in.office)
    with page_run.acting_as(CLERK):
        follow = own.shown()[0].follow
        with pytest.raises(Refused):
            own.start(follow, "fa")
        own.start(replace(follow, condition=Condition(BELOW, 0.4)), "fa", first)
        (left,) = own.shown()
        assert (left.follow.condition.number, left.ident == first) == (0.4, False)
        assert own.news() == [], "what holds when it is begun is no news"
    with page_run.acting_as(OTHER_CLERK):
        assert own.shown() == []
        own.remove(left.ident)
    with page_run.acting_as(CLERK):
        assert [one.ident for one in own.shown()] == [left.ident]


def test_a_steward_follows_for_a_team_and_a_member_only_reads_it(signed_in: SignedIn) -> None:
    with page_run.acting_as(STEWARD):
        own.start(Follow(Condition("publication")), "fa", team="fars")
        ((ident, team, may_change),) = [(one.ident, one.team, one.may_change) for one in own.shown()]
    assert (team, may_change) == ("fars", True)
    with page_run.acting_as(CLERK):
        assert own.teams() == ()
        assert [(one.ident, one.may_change) for one in own.shown()] == [(ident, False)]
        own.turn(ident, False)
        own.remove(ident)
        with pytest.raises(AccessDenied):
            own.start(Follow(Condition("needs action")), "fa", team="fars")
        own.start(Follow(Condition("publication")), "fa")
    with page_run.acting_as(STEWARD):
        with pytest.raises(AccessDenied):
            own.start(Follow(Condition("publication")), "fa", team="isfahan")
        with pytest.raises(Refused):
            own.start(Follow(Condition("publication")), "fa", team="fars")
        (left,) = own.shown()
        assert left.is_on
        own.turn(ident, False)
        assert not own.shown()[0].is_on
    of_settings = Kept("a", "team:fars", "fars", Follow(Condition("publication")).record(), 0.0)
    store.opened().of_teams([of_settings])
    with page_run.acting_as(STEWARD):
        assert [(one.ident, one.may_change) for one in own.shown()] == [(ident, True), ("a", False)]
        own.remove("a")
        own.remove(ident)
        assert [one.ident for one in own.shown()] == ["a"]


def test_without_sign_in_a_page_tells_of_a_publication_once(
    signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody may run `python -m pages tell` on the computer of an analyst."""
    with page_run.acting_as(CLERK):
        own.start(Follow(Condition("publication")), "fa")
    monkeypatch.setattr(page_run, "signs_in", lambda: False)
    folder = Path(signed_in.office.settings.folders.views)
    with closing(sqlite3.connect(folder / FOLLOWS)) as database, database:
        database.execute("update follow_states set publication = '000000', mark = '000000'")
    with page_run.acting_as(CLERK):
        assert [own.unread(), own.unread()] == [1, 1]
        ((news, _),) = own.news()
        assert news.publication != "000000"
        own.note_read()
        assert own.unread() == 0


def test_every_act_of_the_source_is_pressed() -> None:
    def pattern(written: str) -> str:
        return re.sub(r"\\?\{[^{}]*\\?\}", ".*", re.sub(r"^f?['\"]|['\"]$", "", written))

    keys = [act.key for act in ACTS] + ["view team 0"]
    for one in callbacks():
        if one.is_act:
            expected = pattern(one.key)
            assert any(re.match(expected, key) or expected.startswith(key) for key in keys), one
