"""A saved view belongs to who saved it: nobody else sees it, takes its name, or deletes it; each is noted, without its name."""

from datetime import date
from pathlib import Path

import pytest

from pages.ui.data import user
from pages.ui.state import saved_views
from tests.access.scopes import NATIONAL, OF_ISFAHAN, OF_TEHRAN

DAY = date(2026, 6, 30)


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    monkeypatch.setenv("VIEWS", str(tmp_path))
    events: list[tuple[object, ...]] = []

    def record(sub: str, event: str, **more: object) -> None:
        events.append((sub, event, more))

    monkeypatch.setattr(user, "_sign_in", user.SignIn(lambda: NATIONAL, lambda *_: "", record, lambda: ([], [])))
    return events


def test_views_of_one_are_not_those_of_another(noted: list[tuple[object, ...]]) -> None:
    with user.acting_as(OF_ISFAHAN):
        saved_views.save("Mine", "explore", {"m": ["joiners"]}, DAY)
    with user.acting_as(OF_TEHRAN):
        assert saved_views.listed() == saved_views.shelf().views == []
        saved_views.save("Mine", "explore", {"m": ["leavers"]}, DAY)
        saved_views.save("Other", "explore", {}, DAY)
        saved_views.delete("Mine")
        assert [one.name for one in saved_views.listed()] == ["Other"]
    with user.acting_as(OF_ISFAHAN):
        assert [one.parameters for one in saved_views.listed()] == [{"m": ["joiners"]}]
        saved_views.delete("Other")
    with user.acting_as(OF_TEHRAN):
        assert [one.name for one in saved_views.listed()] == ["Other"]
    assert [event[:2] for event in noted] == [
        ("isfahan.officer", "view_saved"),
        ("tehran.officer", "view_saved"),
        ("tehran.officer", "view_saved"),
        ("tehran.officer", "view_deleted"),
    ]
    assert {str(event[2]) for event in noted} == {"{'page': 'explore'}"}


def test_a_view_from_before_people_signed_in_belongs_to_the_administrator(
    noted: list[tuple[object, ...]], tmp_path: Path
) -> None:
    (tmp_path / "views.json").write_text(
        '[{"name": "Old", "page": "explore", "parameters": {}, "saved_on": "2026-01-01"}]', encoding="utf-8"
    )
    with user.acting_as(OF_ISFAHAN):
        assert saved_views.shelf() == saved_views.Shelf([], True)
    with user.acting_as(user.ADMINISTRATOR):
        assert [one.name for one in saved_views.listed()] == ["Old"]
