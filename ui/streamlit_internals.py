"""All that the project uses of Streamlit beyond its documented functions; docs/streamlit.md says why, and a test what broke.

What serves requests is imported by its function: a worker or a script run does not need it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import streamlit
from starlette.requests import HTTPConnection
from streamlit.delta_generator import DeltaGenerator
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.scriptrunner import RerunException, StopException, get_script_run_ctx

__all__ = ["DeltaGenerator", "RerunException", "StopException"]

# The beginnings of the names of its loggers whose texts may contain what a user asked.
LOGGERS = ("streamlit.web.server.", "streamlit.runtime.", "streamlit.error_util")
# The cookies of its sign-in begin so: that of the person, and that of a sign-in that has begun.
COOKIES = (b"_streamlit_user", b"_streamlit_session")
# Tells its script in the browser where the site is: pages stand beside each other, right below that.
BASE = 'window.__streamlit={BACKEND_BASE_URL:new URL("./",location.href).href};'


def is_script_run() -> bool:
    """Whether a script runs for a user in this thread."""
    return get_script_run_ctx(suppress_warning=True) is not None


def went_back() -> bool:
    """Whether this script run follows Back or Forward of the browser."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


@contextmanager
def messages_held() -> Iterator[Callable[[], None]]:
    """Hold the messages to the browser back; send them at the end, and when the yielded function is called."""
    context, held = get_script_run_ctx(), list[ForwardMsg]()
    if context is None:
        yield lambda: None
        return
    enqueue = context._enqueue

    def send() -> None:
        messages = held.copy()
        held.clear()
        for message in messages:
            enqueue(message)

    context._enqueue = held.append
    try:
        yield send
    finally:
        context._enqueue = enqueue
        send()


def serve_components(package: str, names: tuple[str, ...], root: Path, folder: str) -> None:
    """Register components whose scripts are files of `folder`, with the current runtime, if they are not."""
    from streamlit.components.v2.get_bidi_component_manager import get_bidi_component_manager
    from streamlit.components.v2.manifest_scanner import ComponentConfig, ComponentManifest

    manager = get_bidi_component_manager()
    if manager.get_component_asset_root(f"{package}.{names[0]}") is None:
        components = [ComponentConfig(name, asset_dir=folder) for name in names]
        manager.register_from_manifest(ComponentManifest(package, "1", components), root)


# Which options a box offers for what is typed: a function of them, the typed text, and how Streamlit would filter them.
_OFFERED = re.compile(
    r"function (\w+)\((\w+),(\w+),(\w+)\)\{if\(!\3\|\|\4===(\w+)\.SelectWidgetFilterMode\.FILTER_MODE_NONE\)return \2;"
)


@cache
def script_of_boxes(offered: str) -> tuple[str, str]:
    """The name and text of the script of boxes to choose from, in which the function `offered` of the page filters and orders
    the options. Both are empty where this Streamlit has no such place.
    """
    folder = Path(streamlit.__file__).parent / "static" / "static" / "js"
    for path in sorted(folder.glob("*.js")):
        text = path.read_text(encoding="utf-8")
        if "FILTER_MODE_NONE" in text and (found := _OFFERED.search(text)):
            options, typed, mode, enum = found.group(2, 3, 4, 5)
            ours = f"if({mode}!=={enum}.SelectWidgetFilterMode.FILTER_MODE_NONE)return {offered}({options},{typed});"
            return path.name, text.replace(found[0], found[0].replace("{", "{" + ours, 1), 1)
    return "", ""


def is_host_allowed(host: str) -> bool:
    """Whether `server.allowedHosts` names the host of a request."""
    from streamlit.web.server.starlette import starlette_websocket

    return starlette_websocket.is_host_allowed(host)


def sign_in_cookie(connection: HTTPConnection) -> tuple[bool, bytes | None]:
    """Whether a request brings the cookie of the sign-in, and its content if this installation signed it."""
    from streamlit.web.server.starlette import starlette_auth_routes
    from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

    try:
        content = starlette_auth_routes._get_cookie_value_from_request(connection, USER_COOKIE_NAME)  # type: ignore[arg-type]
    except (ValueError, KeyError, TypeError):
        content = None
    return bool(connection.cookies.get(USER_COOKIE_NAME)), content


def sign_in_address() -> str:
    """The address that begins a sign-in at the identity provider."""
    from streamlit.user_info import generate_login_redirect_url

    return generate_login_redirect_url("default")


def open_sessions() -> int | None:
    """How many users are connected; None outside of a server."""
    from streamlit.runtime import Runtime

    if not Runtime.exists():
        return None
    stats: Mapping[str, Any] = Runtime.instance().stats_mgr.get_stats(["active_sessions"])
    return sum(int(getattr(gauge, "value", 0)) for gauge in stats.get("active_sessions", ()))
