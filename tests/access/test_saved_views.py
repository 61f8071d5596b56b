"""A saved view belongs to its owner: nobody else sees, replaces or deletes it; the audit log omits its name."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from etl.core.errors import AccessDenied
from etl.semantic.rights import ADMINISTRATOR
from tests import postgres
from tests.access.scopes import NATIONAL, OF_ISFAHAN, OF_TEHRAN, sign_in
from ui.access.saved_views import Saved, SavedViews
from ui.access.sessions import LONGEST_SECONDS, Offer, Session, Sessions
from ui.data import page_run
from ui.state import saved_views

DAY = date(2026, 6, 30)


@pytest.fixture(scope="module")
def shared() -> Iterator[str]:
    """The address of a PostgreSQL, as the hosts of one dashboard share it."""
    with postgres.server() as server:
        server.run("create database shared")
        yield f"postgresql:///shared?host={server.folder}&port={server.port}&user=postgres"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def kept_in(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both databases that can store views."""
    address = request.getfixturevalue("shared") if request.param == "postgresql" else ""
    monkeypatch.setenv("SHARED_DATABASE", address)
    return address


@pytest.fixture
def audit_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    monkeypatch.setenv("VIEWS", str(tmp_path))
    events: list[tuple[object, ...]] = []

    def record(sub: str, event: str, **more: object) -> None:
        events.append((sub, event, more))

    sign_in(monkeypatch, NATIONAL, record)
    return events


def test_each_person_has_their_own_saved_views(kept_in: str, audit_events: list[tuple[object, ...]]) -> None:
    with page_run.acting_as(OF_ISFAHAN):
        saved_views.save("Mine", "explore", {"m": ["joiners"]}, DAY)
    with page_run.acting_as(OF_TEHRAN):
        assert saved_views.shelf().views == []
        saved_views.save("Mine", "explore", {"m": ["leavers"]}, DAY)
        saved_views.save("Other", "explore", {}, DAY)
        saved_views.delete("Mine")
        assert [view.name for view in saved_views.shelf().views] == ["Other"]
    with page_run.acting_as(OF_ISFAHAN):
        assert [view.parameters for view in saved_views.shelf().views] == [{"m": ["joiners"]}]
        saved_views.delete("Other")
    with page_run.acting_as(OF_TEHRAN):
        assert [view.name for view in saved_views.shelf().views] == ["Other"]
    assert [event[:2] for event in audit_events] == [
        ("isfahan.officer", "view_saved"),
        ("tehran.officer", "view_saved"),
        ("tehran.officer", "view_saved"),
        ("tehran.officer", "view_deleted"),
    ]
    assert {str(event[2]) for event in audit_events} == {"{'page': 'explore'}"}


def test_a_view_from_before_people_signed_in_belongs_to_the_administrator(
    audit_events: list[tuple[object, ...]], tmp_path: Path
) -> None:
    (tmp_path / "views.json").write_text(
        '[{"name": "Old", "page": "explore", "parameters": {}, "saved_on": "2026-01-01"}]', encoding="utf-8"
    )
    with page_run.acting_as(OF_ISFAHAN):
        assert saved_views.shelf() == saved_views.Shelf([], True)
    with page_run.acting_as(ADMINISTRATOR):
        assert [view.name for view in saved_views.shelf().views] == ["Old"]


def test_hosts_share_views_and_each_imports_its_own_file(
    kept_in: str, audit_events: list[tuple[object, ...]], tmp_path: Path
) -> None:
    hosts = [SavedViews(tmp_path / name, kept_in) for name in ("one", "other")]
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "views.json").write_text(
            f'[{{"name": "Of {name}", "page": "explore", "parameters": {{}}, "saved_on": "2026-01-01", "owner": "x"}}]'
        )
    names = [[view.name for view in host.of("x")[0]] for host in (*hosts, hosts[0])]
    both = ["Of one", "Of other"]
    assert names == ([["Of one"], both, both] if kept_in else [["Of one"], ["Of other"], ["Of one"]])
    assert not list(tmp_path.rglob("views.json"))


def test_only_one_of_several_simultaneous_saves_under_one_name_is_kept(kept_in: str, tmp_path: Path) -> None:
    views = SavedViews(tmp_path, kept_in)
    views.of("first")
    with ThreadPoolExecutor(8) as pool:
        results = list(
            pool.map(lambda place: views.add(Saved("Same", "explore", {"m": [str(place)]}, "", "many")), range(16))
        )
    assert sorted(results) == [""] + ["taken"] * 15
    assert [view.parameters["m"] for view in views.of("many")[0]] == [[str(results.index(""))]]


@pytest.mark.slow
def test_a_session_that_ends_on_one_host_ends_on_all(shared: str, tmp_path: Path) -> None:
    first, second = (Sessions(tmp_path / name / "sessions.sqlite", shared) for name in ("one", "other"))
    begun: list[str] = []

    def admit(host: Sessions, key: str, now: float, began: float = 0) -> str:
        return host.admit(Session(key, "x", began, LONGEST_SECONDS), now, lambda: begun.append(key))

    assert admit(first, "key", 100) == ""
    assert admit(second, "key", 110) == ""
    assert begun == ["key"]
    first.end("key", 120)
    assert admit(second, "key", 130) == "ended"
    first.end("never seen", 120)
    assert admit(second, "never seen", 130) == "ended"
    assert admit(second, "another", 130) == ""
    assert len(first.of("x", 140)) == 1
    assert first.end_all("x", 140) == 1
    assert {admit(second, key, 150, 139) for key in ("another", "not seen yet")} == {"ended"}
    assert admit(second, "signed in since", 150, 141) == ""
    token = first.offer(Offer("x", tmp_path / "file", "name", "{}"), 100)
    assert second.take(token, "x", 110, print) == "gone", "a file is on the host that made it"
    assert first.take(token, "x", 110, print) == Offer("x", tmp_path / "file", "name", "{}")


def test_without_the_database_nothing_is_saved_and_nobody_is_admitted(
    audit_events: list[tuple[object, ...]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"postgresql:///shared?host={tmp_path}&user=nobody"
    monkeypatch.setenv("SHARED_DATABASE", address)
    with page_run.acting_as(OF_ISFAHAN):
        assert saved_views.shelf() == saved_views.Shelf([], False)
        with pytest.raises(OSError, match="PostgreSQL") as raised:
            saved_views.save("Mine", "explore", {"m": ["joiners"]}, DAY)
    assert "joiners" not in str(raised.value)
    assert audit_events == []
    with pytest.raises(OSError, match="PostgreSQL"):
        Sessions(tmp_path / "sessions.sqlite", address)


def test_a_view_is_shared_with_a_team_of_its_owner_and_taken_back(
    kept_in: str, audit_events: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    teams = {"isfahan.officer": ("isfahan", "training"), "tehran.officer": ("tehran", "training")}
    monkeypatch.setattr(page_run, "teams", lambda: teams[page_run.access_scope().sub])
    with page_run.acting_as(OF_ISFAHAN):
        saved_views.save("Team's", "training", {"province": ["IR-10"]}, DAY)
        saved_views.save("Alone", "training", {}, DAY)
        with pytest.raises(AccessDenied):
            saved_views.share("Team's", "tehran")
        saved_views.share("Team's", "training")
        assert {("Team's", "training"), ("Alone", "")} <= {(view.name, view.team) for view in saved_views.shelf().views}
        assert saved_views.shelf().shared == ()
    with page_run.acting_as(OF_TEHRAN):
        (shared,) = saved_views.shelf().shared
        assert (shared.name, shared.owner, shared.parameters) == ("Team's", "isfahan.officer", {"province": ["IR-10"]})
        # Of somebody else's view nobody changes or deletes anything.
        saved_views.share("Team's", "tehran")
        saved_views.delete("Team's")
        assert len(saved_views.shelf().shared) == 1
        teams["tehran.officer"] = ("tehran",)
        assert saved_views.shelf().shared == (), "who has left the team sees it no more"
        teams["tehran.officer"] = ("training",)
    with page_run.acting_as(OF_ISFAHAN):
        saved_views.share("Team's", "")
    with page_run.acting_as(OF_TEHRAN):
        assert saved_views.shelf().shared == ()
    with page_run.acting_as(OF_ISFAHAN):
        saved_views.share("Team's", "training")
        saved_views.delete("Team's")
        saved_views.save("Team's", "training", {}, DAY)
        assert {view.team for view in saved_views.shelf().views} == {""}, "a new view of the name is not shared"
    assert [event[1] for event in audit_events].count("view_shared") == 3
