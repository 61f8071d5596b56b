"""An installation with two provinces whose files are published, and the people who hand in and decide."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from etl.build import pipeline
from etl.core import jalali, settings
from etl.semantic.rights import WHOLE_COUNTRY, AccessScope, Grant
from etl.submissions import checking, publishing, work
from etl.submissions.desk import Desk, Person
from etl.submissions.records import Submission
from tests.access.gated import configured, cookie
from tests.loading import WarmPool, build, csv_text, national_id, put, row, without_models
from ui.data import submissions
from ui.shell import gate, hand_in_address, people

LAST = jalali.unit_of(jalali.unit_of(date.today(), "month").first - timedelta(days=1), "month").label
ACCESS = """
[groups.fars]
role = "submitter"
provinces = ["IR-07"]
[groups.isfahan]
role = "submitter"
provinces = ["IR-10"]
[groups.stewards]
role = "steward"
"""
THIS = jalali.unit_of(date.today(), "month").label
SITE = "http://testserver"
PEOPLE = {
    "fars.clerk": "fars",
    "fars.other": "fars",
    "isfahan.clerk": "isfahan",
    "data.steward": "stewards",
    "nobody": "unknown",
}
FARS, ISFAHAN = ("IR-07", "فارس", 100), ("IR-10", "اصفهان", 200)


def person(number: int, province: str, institute: str, **changes: str) -> dict[str, str]:
    return row("personnel", national_id=national_id(number), institute_code=institute, province=province, **changes)


def province_files(place: tuple[str, str, int], people: int = 30) -> dict[str, str]:
    """The four tables of a province, as CSV by file name."""
    code, name, first = place
    institute = f"{first}"
    staff = [person(first * 1000 + at, code, institute) for at in range(people)]
    courses = [row("training", national_id=one["national_id"]) for one in staff]
    return {
        f"institutes_{code}.csv": csv_text("institutes", [row("institutes", institute_code=institute, province=name)]),
        f"licences_{code}.csv": csv_text(
            "licences", [row("licences", application_no=f"L{first}", institute_code=institute)]
        ),
        f"personnel_{code}.csv": csv_text("personnel", staff),
        f"training_{code}.csv": csv_text("training", courses),
    }


def with_rows(text: str, table: str, *rows: dict[str, str]) -> str:
    """A file with further rows."""
    return csv_text(table, [*csv.DictReader(io.StringIO(text)), *rows])


@dataclass
class Office:
    """An installation: its settings, its desk, and what was noted in the audit log."""

    settings: settings.Settings
    notes: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    # Checks and publications of `work` end before the models.
    only_rows: bool = False
    # The folder of submissions after the first of them was checked, by all that its check reads.
    _checked: ClassVar[dict[str, tuple[str, Path]]] = {}

    @property
    def desk(self) -> Desk:
        return work.desk_of(self.settings)

    def somebody(self, sub: str, role: str, *provinces: str) -> Person:
        scope = AccessScope(sub, frozenset({Grant(role, frozenset(provinces) or WHOLE_COUNTRY)}))
        group = {"submitter": "fars" if "IR-07" in provinces else "isfahan", "steward": "stewards"}.get(role, "")
        return Person(sub, scope, lambda event, **more: self.notes.append((sub, event, more)), (group,))

    @property
    def clerk(self) -> Person:
        return self.somebody("fars.clerk", "submitter", "IR-07")

    @property
    def steward(self) -> Person:
        return self.somebody("data.steward", "steward")

    def give(self, who: Person, ident: str, number: int, name: str, content: str | bytes) -> Submission:
        """Hand in one file in pieces."""
        data = content.encode() if isinstance(content, str) else content
        received = self.desk.receive(who, ident, number, name, len(data))
        try:
            for at in range(0, len(data), 1000):
                received.write(data[at : at + 1000])
            return self.desk.keep(who, ident, number, received)
        finally:
            received.close()

    def hand_in(self, who: Person, province: str, files: dict[str, str | bytes], month: str = LAST) -> Submission:
        """A draft with files, checked. The first one of an installation is checked once for all tests."""
        root = self.desk.root
        # Records in PostgreSQL are not in the folder.
        first = not root.exists() and not self.settings.sign_in.database
        incoming = {path.name: path.read_bytes() for path in sorted(self.settings.folders.incoming.iterdir())}
        rules = (self.settings.submission, self.settings.sign_in.mode, self.only_rows)
        same = repr((who.sub, who.scope, province, month, files, incoming, *rules))
        if first and same in self._checked:
            ident, kept = self._checked[same]
            shutil.copytree(kept, root)
            return self.desk.look(who, ident)
        draft = self.desk.open(who, province, month)
        for number, (name, content) in enumerate(files.items(), 1):
            self.give(who, draft.id, number, name, content)
        self.work()
        if first:
            self._checked[same] = draft.id, shutil.copytree(root, root.with_name("checked"))
        return self.desk.look(who, draft.id)

    def order(self) -> list[Submission]:
        """Have the candidate built, and leave the order to publish it."""
        self.work()
        found = publishing.candidate(self.desk)
        return self.desk.publish(self.steward, found.digest if found else "")

    def work(self) -> int:
        with rows_alone() if self.only_rows else nullcontext():
            return work.work(self.settings, lambda _: None)


@contextmanager
def rows_alone() -> Iterator[None]:
    """Checks and publications end before the models: they hold rows, and no number."""
    with without_models(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            checking, "_changes", lambda *_, **__: {"changes": [], "jumps": [], "gone": None, "stale": [], "others": []}
        )
        yield


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of Fars and Isfahan, and their publication. Tests copy it."""
    folder = tmp_path_factory.mktemp("built")
    for place in (FARS, ISFAHAN):
        for name, content in province_files(place).items():
            put(folder / "incoming", name, content)
    (folder / "warehouse").mkdir()
    to = folder / "warehouse" / "warehouse.duckdb"
    assert build(folder / "incoming", to=to, day=date.today()).code == 0
    return folder


@pytest.fixture
def office(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Fars and Isfahan, built from their files."""
    for module in (pipeline, checking):
        monkeypatch.setattr(module, "WorkerPool", WarmPool)
    monkeypatch.setattr("etl.submissions.work.SETTLED_SECONDS", 0.0)
    for module in (work, publishing):
        monkeypatch.setattr(module, "note", lambda *_, **__: None)
    folders = settings.Folders(
        warehouse=tmp_path / "warehouse" / "warehouse.duckdb",
        incoming=tmp_path / "incoming",
        submissions=tmp_path / "submissions",
        audit=tmp_path / "audit",
    )
    shutil.copytree(built, tmp_path, symlinks=True, dirs_exist_ok=True)
    (tmp_path / "access.toml").write_text(ACCESS, encoding="utf-8")
    sign_in = settings.SignIn("oidc", access=tmp_path / "access.toml")
    return Office(replace(settings.Settings(), folders=folders, sign_in=sign_in))


@dataclass
class Site:
    """The address behind the gate, and its people."""

    client: TestClient
    office: Office

    def sent(
        self,
        who: str,
        method: str,
        path: str,
        origin: str = SITE,
        token: str = "",
        more: dict[str, str] | None = None,
        **request: Any,
    ) -> Any:
        headers = cookie(sub=who, groups=[PEOPLE[who]]) | ({"Origin": origin} if origin else {})
        headers["X-Hand-In"] = token or self.token(headers)
        return self.client.request(method, f"/hand-in{path}", headers=headers | (more or {}), **request)

    def token(self, headers: dict[str, str]) -> str:
        from starlette.requests import HTTPConnection

        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        one = people.who(HTTPConnection({"type": "http", "headers": raw, "path": "/", "query_string": b""}))
        assert one
        return people.hand_in_token(one)

    def draft(self, who: str = "fars.clerk", province: str = "IR-07") -> str:
        answer = self.sent(who, "POST", "", json={"province": province, "month": LAST})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["draft"])

    def put(self, ident: str, number: int, name: str, content: str, who: str = "fars.clerk") -> Any:
        return self.sent(who, "PUT", f"/{ident}/{number}", params={"name": name}, content=content.encode())


@pytest.fixture
def site(office: Office, tmp_path, monkeypatch) -> Iterator[Site]:
    known = configured(tmp_path, monkeypatch, "oidc")
    (tmp_path / "access.toml").write_text(ACCESS, encoding="utf-8")
    monkeypatch.setattr(submissions, "_settings", lambda: office.settings)
    people.begin()
    app = Starlette(routes=hand_in_address.routes(), middleware=[Middleware(gate.Gate)])
    assert known.sign_in.mode == "oidc"
    with TestClient(app) as client:
        yield Site(client, office)
