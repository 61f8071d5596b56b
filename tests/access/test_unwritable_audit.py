"""A full or read-only audit folder, as the kernel makes it: nothing happens that is logged, and a sentence says why."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from etl.core.paths import ROOT
from etl.operations import audit

pytestmark = pytest.mark.slow
# Root may write into read-only folders, unless it gives up that right.
AS_ANYBODY = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
ACTING = """
import io, json, os, resource, sys, time
from contextlib import redirect_stderr
from pathlib import Path
import pytest
from starlette.testclient import TestClient
from etl.cli import commands
from tests.access.gated import PAGE, application, configured, cookie, opens_socket
from ui.shell import people

folder, warehouse, most = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
configured(folder, pytest.MonkeyPatch(), "oidc")
if most:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
client = TestClient(application(), follow_redirects=False)
pages = [client.get("/overview", headers=PAGE | cookie()) for _ in range(2)]
told = {"statuses": [page.status_code for page in pages], "page": pages[-1].text}
told["socket"] = opens_socket(client, cookie())
told["sessions"] = len(people.sessions().of("isfahan.officer", time.time()))
os.environ |= {"AUDIT": str(folder / "audit"), "POLICEYAR_SIGN_IN_MODE": "oidc"}
os.environ |= {f"POLICEYAR_SIGN_IN_{name}": str(folder / f"{name.lower()}.toml") for name in ("ACCESS", "SECRETS")}
told["commands"] = []
for words in (
    ["quarantine", "--from", warehouse, "--to", str(folder / "out" / "rejected.csv")],
    ["backup", "--to", str(folder / "out" / "kept.tar")],
    ["sessions", "end", "isfahan.officer"],
):
    with redirect_stderr(io.StringIO()) as errors:
        told["commands"].append([commands.main(words), errors.getvalue()])
(folder / "told.json").write_text(json.dumps(told))
"""


@pytest.mark.parametrize(("way", "reason"), [("full", "No space left on device"), ("read-only", "Permission denied")])
def test_nothing_happens_that_cannot_be_logged(way: str, reason: str, tmp_path: Path, small_register: Path) -> None:
    folder = tmp_path / "audit"
    # Longer than any other file that is written.
    audit.record(folder, "x" * 2_000_000, "sign_in")
    first_key = audit.take_first_key(folder)
    (log,) = folder.glob("audit-*.jsonl")
    before, most = log.read_bytes(), 0
    (tmp_path / "out").mkdir()
    if way == "full":
        most = len(before) + 10
    else:
        folder.chmod(0o500)
    words = [*(AS_ANYBODY if way == "read-only" else []), sys.executable, "-c", ACTING, tmp_path, small_register, most]
    ended = subprocess.run([*map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    told = json.loads((tmp_path / "told.json").read_text())
    assert told["statuses"] == [503, 503]
    assert "Sign-ins cannot be checked or logged at the moment." in told["page"]
    assert not told["socket"]
    assert told["sessions"] == 0
    for code, error in told["commands"]:
        assert (code, error.count("\n")) == (1, 1), error
        assert error.startswith("the audit log cannot be written"), error
        assert reason in error
        assert error.endswith("nothing was done\n")
    assert list((tmp_path / "out").iterdir()) == []
    folder.chmod(0o700)
    assert log.read_bytes() == before
    audit.record(folder, "x", "sign_in")
    assert audit.verify(folder, first_key) == ""
