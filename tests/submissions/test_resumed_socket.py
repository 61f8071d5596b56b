"""S5, the second attack: behind the site's proxy a clerk's socket resumes a steward's session and presses a button of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from etl.operations import audit
from tests import serving
from tests.parts import opening
from tests.processes import Process
from tests.submissions.conftest import ACCESS, LAST, Office

pytestmark = pytest.mark.slow
SECRET = "the secret of the proxy, 7f3Qz9wLxT2vBm"
GROUPS = {"fars.clerk": "fars", "data.steward": "stewards"}


@dataclass
class Wire:
    """A socket, and the session of Streamlit that it got."""

    socket: ClientConnection
    session: str = ""

    def ask(self, pressed: str = "", fragment: str = "") -> None:
        """Ask for a run of the page of approval, or of a fragment of it, in which a button is pressed."""
        asked = BackMsg()
        asked.rerun_script.page_script_hash, tab = opening("approve")
        asked.rerun_script.query_string = urlencode({"lang": "en"} | tab)
        asked.rerun_script.fragment_id = fragment
        if pressed:
            state = asked.rerun_script.widget_states.widgets.add()
            state.id, state.trigger_value = pressed, True
        self.socket.send(asked.SerializeToString())

    def run(self, pressed: str = "") -> list[ForwardMsg]:
        """What a run of the page sends."""
        self.ask(pressed)
        found: list[ForwardMsg] = []
        while not found or found[-1].WhichOneof("type") != "script_finished":
            found.append(ForwardMsg.FromString(self.socket.recv(timeout=serving.PATIENCE)))  # type: ignore[arg-type]
            if found[-1].WhichOneof("type") == "new_session":
                self.session = found[-1].new_session.initialize.session_id
        return found


@pytest.fixture
def port(office: Office, tmp_path: Path) -> Iterator[int]:
    (tmp_path / "access.toml").write_text(ACCESS, encoding="utf-8")
    (tmp_path / "secrets.toml").write_text(f'[proxy]\nsecret = "{SECRET}"\n', encoding="utf-8")
    (tmp_path / "secrets.toml").chmod(0o600)
    port = serving.free_ports()
    environment = {
        **os.environ,
        "WAREHOUSE": str(office.settings.folders.warehouse),
        **{name.upper(): str(tmp_path / name) for name in ("submissions", "incoming", "audit", "views")},
        "POLICEYAR_RUN": str(tmp_path / "run"),
        "POLICEYAR_WEB_PORT": str(port),
        "POLICEYAR_SIGN_IN_MODE": "proxy",
        "POLICEYAR_SIGN_IN_ACCESS": str(tmp_path / "access.toml"),
        "POLICEYAR_SIGN_IN_SECRETS": str(tmp_path / "secrets.toml"),
    }
    running = Process("deploy.web", "0", env=environment)
    try:
        serving.until(lambda: serving.ask(port, "/healthz")[0] == 200, "the web process answers")
        yield port
    finally:
        running.kill_session()
        running.wait()


@contextmanager
def opened(port: int, sub: str, session: str = "") -> Iterator[Wire]:
    with connect(
        f"ws://localhost:{port}/_stcore/stream",
        subprotocols=["streamlit", "none", session] if session else ["streamlit"],  # type: ignore[list-item]
        origin=f"http://localhost:{port}",  # type: ignore[arg-type]
        additional_headers={"X-Remote-User": sub, "X-Remote-Groups": GROUPS[sub], "X-Proxy-Secret": SECRET},
        max_size=None,
    ) as socket:
        yield Wire(socket)


def drawn(found: list[ForwardMsg], key: str) -> tuple[str, str]:
    """The ids of a button and of the fragment that it is in."""
    deltas = (one.delta for one in found if one.WhichOneof("type") == "delta")
    return next((d.new_element.button.id, d.fragment_id) for d in deltas if key in d.new_element.button.id)


def test_a_socket_that_resumes_the_session_of_a_steward_approves_nothing(
    office: Office, port: int, tmp_path: Path
) -> None:
    draft = office.desk.open(office.clerk, "IR-07", LAST)
    office.desk.declare_unchanged(office.clerk, draft.id, ["training"])
    office.desk.submit(office.clerk, draft.id)

    def state() -> str:
        return office.desk.records.get(draft.id).state

    with opened(port, "data.steward") as steward:
        button, fragment = drawn(steward.run(), f"approve-{draft.id}")
    with opened(port, "fars.clerk", steward.session) as clerk:
        # Of the page, and of the part of it alone: what is unknown to a session is not answered.
        clerk.ask(button, fragment)
        clerk.run(button)
    assert clerk.session != steward.session
    assert state() == "submitted"
    events = [(event.sub, event.event) for event in audit.events(tmp_path / "audit")]
    assert not [event for event in events if event[1] == "load_approved"]
    # The steward goes on after the line was cut.
    with opened(port, "data.steward", steward.session) as again:
        again.run(button)
    assert again.session == steward.session
    assert state() == "approved"
