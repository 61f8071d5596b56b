"""Downloads of other users, counters, changed settings, and in which modes a server starts. No browser."""

import secrets
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from etl.core.paths import ROOT
from etl.core.settings import Faulty, read
from etl.operations import audit, sign_in
from etl.semantic.rights import AccessScope
from tests import serving
from tests.access.gated import ACCESS, AUTH, SECRET, application, configured, cookie, opens_socket, status
from tests.access.scopes import ISFAHAN
from ui.access import sessions
from ui.data import page_run
from ui.i18n import text
from ui.shell import frame, gate, people

# ------------------------------------------------------------------ files


def unwritable(*_: object) -> None:
    raise OSError(28, "No space left on device")


def officer() -> AccessScope:
    return people.table().scope_of("isfahan.officer", ["isfahan"])


def offered(tmp_path: Path, scope: AccessScope) -> str:
    file = tmp_path / "made.csv"
    file.write_text(f"of {scope.sub}")
    with page_run.acting_as(scope):
        return gate.offer(file, "numbers.csv", {"metric": "leavers", "form": "csv", "rows": 3})


def test_a_file_can_be_fetched_once_and_only_by_its_owner(oidc: TestClient, tmp_path: Path) -> None:
    address = offered(tmp_path, officer())
    assert oidc.get(address).status_code == 401
    assert oidc.get(address, headers=cookie(sub="tehran.officer", groups=["tehran"])).status_code == 403
    assert oidc.head(address, headers=cookie()).status_code == 405, "a HEAD spends nothing"
    assert oidc.get(address, headers=cookie() | {"Range": "bytes=0-1"}).status_code == 416, "nor does a part"
    with pytest.MonkeyPatch.context() as full:
        full.setattr(audit, "_replace", unwritable)
        assert oidc.get(address, headers=cookie()).status_code == 503, "nor does what cannot be logged"
    answer = oidc.get(address, headers=cookie())
    assert answer.text == "of isfahan.officer"
    assert answer.headers["cache-control"] == "private, no-store"
    assert oidc.get(address, headers=cookie()).status_code == 404
    assert not (tmp_path / "made.csv").exists()
    events = [(event.sub, event.event, event.more) for event in audit.events(people.audit_folder())]
    exported = {"metric": "leavers", "form": "csv", "rows": 3, "role": "province", "provinces": ISFAHAN}
    assert ("isfahan.officer", "export", exported) in events
    assert ("tehran.officer", "refused") in [event[:2] for event in events]
    assert audit.verify(people.audit_folder()) == ""


@pytest.mark.parametrize("way", ["other provinces", "no files"])
def test_a_file_is_not_fetched_with_other_rights_than_it_was_made_with(
    way: str, oidc: TestClient, tmp_path: Path
) -> None:
    address, table = offered(tmp_path, officer()), tmp_path / "access.toml"
    before = table.read_text(encoding="utf-8")
    group = before.partition("[groups.isfahan]")[2]
    less = group.replace("IR-10", "IR-11") if way == "other provinces" else group.replace("may_export = true", "")
    table.write_text(before.replace(group, less), encoding="utf-8")
    assert oidc.get(address, headers=cookie()).status_code == 403
    assert [event.more["why"] for event in audit.events(people.audit_folder()) if event.event == "refused"] == [
        "file of earlier rights"
    ]
    table.write_text(before, encoding="utf-8")
    assert oidc.get(address, headers=cookie()).text == "of isfahan.officer"


def test_a_file_whose_process_was_killed_is_gone(oidc: TestClient, tmp_path: Path) -> None:
    address = offered(tmp_path, officer())
    (tmp_path / "made.csv").unlink()
    assert oidc.get(address, headers=cookie()).status_code == 404


def test_a_file_is_offered_for_five_minutes(oidc: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = offered(tmp_path, officer())
    now = time.time()
    monkeypatch.setattr(gate.time, "time", lambda: now + sessions.OFFER_SECONDS + 1)
    assert oidc.get(address, headers=cookie()).status_code == 404


# ------------------------------------------------------------------ counters, settings


@pytest.mark.parametrize(
    ("client", "host", "headers", "expected"),
    [
        ("127.0.0.1", "127.0.0.1:8501", {}, 200),
        ("::1", "localhost:8501", {}, 200),
        ("127.0.0.1", "dashboard.example", {}, 401),
        ("127.0.0.1", "localhost:8501", {"X-Forwarded-For": "10.0.0.7"}, 401),
        ("10.0.0.7", "localhost:8501", {}, 401),
        ("10.0.0.1", "10.0.0.1:8501", {}, 200),
        ("10.0.0.7", "10.0.0.1:8501", {}, 401),
        ("10.0.0.1", "10.0.0.1:8501", {"X-Forwarded-For": "10.0.0.7"}, 401),
    ],
)
def test_counters_are_for_this_machine(
    client: str, host: str, headers: dict[str, str], expected: int, oidc: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.shell.gate.st.get_option", {"server.address": "10.0.0.1"}.get)
    local = TestClient(application(), base_url=f"http://{host}", client=(client, 50000))
    assert local.get("/metrics", headers=headers).status_code == expected
    for path in ("/_stcore/metrics", "/overview", "/media/x"):
        assert local.get(path, headers=headers).status_code == 401


def test_a_changed_table_of_roles_is_noted_once(oidc: TestClient, tmp_path: Path) -> None:
    def noted() -> list[str]:
        return [event.event for event in audit.events(people.audit_folder()) if event.sub == "server"]

    people.table()
    assert noted() == []
    for _ in range(2):
        (tmp_path / "access.toml").write_text(ACCESS.replace("groups.tehran", "groups.other"), encoding="utf-8")
        people.table()
        people.table()
        assert noted() == ["settings_changed"]
    assert audit.events(people.audit_folder())[0].more == {"setting": "access.toml"}


# ------------------------------------------------------------------ modes


def test_without_sign_in_everything_is_allowed_but_only_on_this_machine(tmp_path: Path, monkeypatch) -> None:
    config = configured(tmp_path, monkeypatch, "open")
    client = TestClient(application())
    assert status(client, {}) == 200
    assert opens_socket(client, {})
    assert config.sign_in.mode == "open"
    for address in ("0.0.0.0", "", None, "10.1.2.3", "::"):
        monkeypatch.setattr(people.st, "get_option", lambda _name, address=address: address)
        with pytest.raises(Faulty, match="this machine only"):
            people.begin()
    monkeypatch.setattr(people.st, "get_option", lambda _name: "localhost")
    assert people.begin() == {}


@pytest.mark.parametrize("lang", text.LANGUAGES)
def test_without_sign_in_nobody_is_named(lang: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(tmp_path, monkeypatch, "open")
    assert frame._signed_in(lang) == ""


@pytest.mark.slow
def test_without_sign_in_a_public_address_is_refused_with_a_one_line_error() -> None:
    command = [sys.executable, "-m", "streamlit", "run", "dashboard.py", "--server.address", "0.0.0.0"]
    port = ["--server.port", str(serving.free_ports())]
    result = subprocess.run([*command, *port], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "sign_in.mode: open serves this machine only, and server.address is 0.0.0.0"
    )
    assert "Traceback" not in result.stderr


def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, secrets: str) -> str:
    """The faults at the start, which are the doctor's too; empty if there are none."""
    configured(tmp_path, monkeypatch, mode, secrets)
    try:
        people.begin()
    except Faulty as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "a",
        "a" * 64,
        "ab" * 40,
        "0123456789abcdef" * 4,
        "kept-by-tests-alone-7f3Qz9wLxT2",
        "1234567890 " * 6,
        "passwordpasswordpasswordpassword-2026!",
        "PasswordpasswordPASSWORD1405passwordPassword",
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "zyxwvutsrqponmlkjihgfedcba9876543210",
        "qwertyuiopasdfghjklzxcvbnm1234567890",
    ],
)
def test_a_short_or_easily_guessed_secret_prevents_the_start(
    secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "secret" in starts(tmp_path, monkeypatch, "proxy", f'[proxy]\nsecret = "{secret}"\n')
    assert "cookie_secret" in starts(tmp_path, monkeypatch, "oidc", AUTH.replace(SECRET, secret))
    assert starts(tmp_path, monkeypatch, "oidc", AUTH) == ""


def test_a_random_secret_is_strong_enough() -> None:
    for _ in range(2000):
        for secret in (secrets.token_urlsafe(24), secrets.token_hex(32), b64encode(secrets.token_bytes(48)).decode()):
            assert not sign_in._is_weak(secret)


@pytest.mark.parametrize("mode", [0o777, 0o730])
def test_an_empty_audit_folder_that_others_may_write_prevents_the_start(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(tmp_path, monkeypatch, "oidc")
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit").chmod(mode)
    with pytest.raises(Faulty, match="audit: others than its owner may write it"):
        people.begin()


def test_a_provider_without_tls_prevents_the_start_unless_it_is_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for host in ("sso.example", "10.0.0.1", "localhost.example"):
        elsewhere = AUTH.replace("http://localhost:1/", f"http://{host}/")
        assert "server_metadata_url has to begin with https" in starts(tmp_path, monkeypatch, "oidc", elsewhere)
        over_tls = AUTH.replace("http://localhost:1/", f"https://{host}/")
        assert starts(tmp_path, monkeypatch, "oidc", over_tls) == ""


@pytest.mark.parametrize("name", ["access.toml", "secrets.toml", "settings.toml", "audit/settings.json", "."])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_rights_and_log_that_others_may_write_prevent_the_start(
    name: str, mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.toml").touch()
    monkeypatch.setenv("POLICEYAR_SETTINGS", str(tmp_path / "settings.toml"))
    assert starts(tmp_path, monkeypatch, "oidc", AUTH) == ""
    people.table()
    configured(tmp_path, monkeypatch, "oidc")
    path = tmp_path / name
    path.chmod(path.stat().st_mode | mode)
    with pytest.raises(Faulty, match="chmod"):
        people.begin()
    path.chmod(path.stat().st_mode & ~mode)


def test_secrets_that_others_may_read_prevent_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(tmp_path, monkeypatch, "oidc")
    (tmp_path / "secrets.toml").chmod(0o644)
    with pytest.raises(Faulty, match="chmod 600"):
        people.begin()


def test_signing_in_from_other_machines_needs_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "any").touch()
    file = str(tmp_path / "any")
    signing = {
        f"POLICEYAR_SIGN_IN_{name}": value for name, value in (("MODE", "oidc"), ("ACCESS", file), ("SECRETS", file))
    }
    signing["POLICEYAR_SETTINGS"] = file
    with pytest.raises(Faulty, match="over TLS alone"):
        read(signing | {"POLICEYAR_WEB_HOST": "dashboard.example"})
    tls = {"POLICEYAR_WEB_CERTIFICATE": file, "POLICEYAR_WEB_CERTIFICATE_KEY": file}
    for allowed in (tls, {"POLICEYAR_WEB_HOST": "localhost"}, {"POLICEYAR_WEB_ADDRESS": "10.0.0.2"}):
        read(signing | {"POLICEYAR_WEB_HOST": "dashboard.example"} | allowed)


def test_a_run_of_a_page_checks_the_session_once(oidc: TestClient) -> None:
    """The questions of one page read the session store once; `make bench` reports the cost."""
    assert status(oidc, cookie()) == 200
    person = next(iter(people._people.values()))
    checks: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "of_run", lambda: person)
        patch.setattr(people, "refusal", lambda person, now: checks.append(person.sub) or "")
        for _ in range(50):
            people.scope_of_run()
    assert len(checks) == 1
