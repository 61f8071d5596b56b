"""What the unit of a web process lets it do."""

import sys
from pathlib import Path

import pytest

from etl.operations import programs
from tests.deploy.test_path_unit import OF_THE_HOST, has_systemd, start
from tests.serving import ROOT, until

_FIGURE = '{"data": [{"type": "bar", "y": [1, 2]}], "layout": {"width": 300, "height": 200}}'


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(not programs.browser(), reason="Chromium is not installed (apt-get install chromium)")
def test_a_browser_draws_within_the_limits_of_the_unit(tmp_path: Path) -> None:
    if not has_systemd(tmp_path):
        pytest.skip("systemd cannot be started here")
    units, drawn, program = (tmp_path / name for name in ("units", "drawn.svg", "draw.py"))
    name = "policeyar-web@0.service"
    (units / f"{name}.d").mkdir(parents=True)
    unit = (ROOT / "deploy" / "systemd" / "policeyar-web@.service").read_text(encoding="utf-8")
    (units / "policeyar-web@.service").write_text(OF_THE_HOST.sub("", unit), encoding="utf-8")
    # It draws instead of serving.
    (units / f"{name}.d" / "test.conf").write_text(
        f"[Service]\nType=oneshot\nRestart=no\nRuntimeDirectory=\nExecStart=\nExecStart={sys.executable} {program}\n"
        f"WorkingDirectory={ROOT}\nEnvironment=PYTHONPATH={ROOT}\nBindPaths={tmp_path}\nBindReadOnlyPaths={ROOT}\n"
    )
    (units / "default.target").write_text(f"[Unit]\nWants={name}\n")
    program.write_text(
        "from ui.exports.picture import PictureJob\n"
        f"with open({str(drawn)!r}, 'wb') as out:\n    PictureJob('svg', {_FIGURE!r}, 'fa').write(out)\n"
    )
    manager = start(units)
    try:
        until(lambda: drawn.exists() and drawn.read_bytes().startswith(b"<svg"), "it is drawn")
    finally:
        manager.kill()
        manager.wait()
