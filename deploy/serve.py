"""Several dashboard processes behind nginx, which keeps each reader with one of them.

    python -m deploy.serve --host dashboard.example --processes 2 --certificate full.pem --key private.pem

A process that ends is started again; an interrupt ends them all. Without a certificate nginx speaks plain HTTP: for a trial
on this machine, or behind a proxy that ends TLS.
"""

import argparse
import base64
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_TEMPLATE = Path(__file__).with_name("nginx.conf")
_PATIENCE_SECONDS = 90
# The names by which this machine asks its own processes.
_ITSELF = ("localhost", "127.0.0.1", "::1")
# What the host says under any other path than the dashboard's.
_ELSEWHERE = """
        absolute_redirect off;
        location = @BASE@ {
            return 301 @BASE@/$is_args$args;
        }
        location / {
            return 404;
        }"""
_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


class Unable(Exception):
    """The dashboard cannot be served; its text says why."""


@dataclass(frozen=True)
class Plan:
    """Under which name and port readers find the dashboard, by how many processes, from which publication."""

    host: str
    port: int
    processes: int
    run: Path
    certificate: Path | None = None
    key: Path | None = None
    warehouse: Path | None = None
    path: str = ""

    @property
    def base(self) -> str:
        """The path under which the dashboard stands; empty at the root of the host."""
        return "/" + self.path.strip("/") if self.path.strip("/") else ""

    @property
    def origin(self) -> str:
        """What a browser that is on our own page says where it comes from."""
        scheme, usual = ("https", 443) if self.certificate else ("http", 80)
        return f"{scheme}://{self.host}" + ("" if self.port == usual else f":{self.port}")


class Served:
    """The running processes. A context manager: they end with it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.ports = [free_port() for _ in range(plan.processes)]
        self.dashboards: list[subprocess.Popen[bytes]] = []
        self.proxy: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Served":
        self.plan.run.mkdir(parents=True, exist_ok=True)
        try:
            self.dashboards = [self._dashboard(port) for port in self.ports]
            for port, process in zip(self.ports, self.dashboards, strict=True):
                wait_for(port, process, self.plan.base)
            config = self.plan.run / "nginx.conf"
            scripts = inline_scripts(self.ports[0], self.plan.base)
            config.write_text(render(self.plan, self.ports, scripts), encoding="utf-8")
            command = [nginx(), "-e", str(self.plan.run / "error.log"), "-c", str(config)]
            self.proxy = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            _listening(self.plan.port, self.proxy)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        for process in (self.proxy, *self.dashboards):
            if process and process.poll() is None:
                process.terminate()
        for process in (self.proxy, *self.dashboards):
            if process:
                try:
                    process.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def mend(self) -> None:
        """Start again what has ended by itself. Raises Unable where the proxy has."""
        if self.proxy and self.proxy.poll() is not None:
            raise Unable("nginx ended; see error.log")
        for place, process in enumerate(self.dashboards):
            if process.poll() is not None:
                self.dashboards[place] = self._dashboard(self.ports[place])

    def _dashboard(self, port: int) -> subprocess.Popen[bytes]:
        environment = dict(os.environ)
        if self.plan.warehouse:
            environment["WAREHOUSE"] = str(self.plan.warehouse)
        command = [
            *(sys.executable, "-m", "streamlit", "run", "dashboard.py"),
            *("--server.address", "127.0.0.1", "--server.port", str(port)),
            *("--browser.serverAddress", self.plan.host, "--browser.serverPort", str(self.plan.port)),
            *("--server.baseUrlPath", self.plan.base),
            *(word for name in (self.plan.host, *_ITSELF) for word in ("--server.allowedHosts", name)),
        ]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


def nginx() -> str:
    """Where nginx stands. Raises Unable where it is not installed."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
    if not found:
        raise Unable("nginx is not installed: apt-get install nginx-light")
    return found


def render(plan: Plan, ports: list[int], scripts: list[str]) -> str:
    """The configuration of nginx. `scripts`: the digests of the inline scripts that the shell may run."""
    is_safe = plan.certificate is not None
    tls = f"        ssl_certificate {plan.certificate};\n        ssl_certificate_key {plan.key};" if is_safe else ""
    flags = "secure samesite=lax" if is_safe else "samesite=lax"
    words = {
        "RUN": str(plan.run),
        "SERVERS": "\n".join(f"        server 127.0.0.1:{port} max_fails=0;" for port in ports),
        "ORIGIN": plan.origin,
        "LISTEN": f"{plan.port} ssl" if is_safe else str(plan.port),
        "TLS": tls,
        "HOST": plan.host,
        "POLICY": policy(scripts),
        "SECURE": "; Secure" if is_safe else "",
        "HSTS": '        add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always;'
        if is_safe
        else "",
        "BASE": plan.base,
        "ELSEWHERE": _ELSEWHERE.replace("@BASE@", plan.base) if plan.base else "",
        "COOKIES": f"        proxy_cookie_flags _streamlit_xsrf {flags};\n        proxy_cookie_flags ~ httponly {flags};",
    }
    return re.sub("@([A-Z]+)@", lambda found: words[found[1]], _TEMPLATE.read_text(encoding="utf-8"))


def policy(scripts: list[str]) -> str:
    """What a page of ours may load, run and be framed by: nothing from anywhere else, no script we did not send."""
    allowed = " ".join(f"'sha256-{digest}'" for digest in scripts)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {allowed}".strip(),
            # Streamlit and Plotly style what they draw from scripts.
            "style-src 'self' 'unsafe-inline'",
            # A chart that is saved as a picture is drawn from a `blob:` image that carries its font in itself.
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
        )
    )


def inline_scripts(port: int, base: str = "") -> list[str]:
    """The digests of the scripts that stand in the shell itself, in both languages."""
    found = set()
    for lang in ("fa", "en"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{base}/?lang={lang}", timeout=30) as answer:
            page = answer.read().decode("utf-8")
        for script in _INLINE_SCRIPT.findall(page):
            # A browser hashes what it parsed: line ends are line feeds there.
            text = script.replace("\r\n", "\n")
            found.add(base64.b64encode(hashlib.sha256(text.encode()).digest()).decode())
    return sorted(found)


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes], base: str = "") -> None:
    """Wait until a dashboard process answers. Raises Unable where it does not."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Unable(f"a dashboard process ended with {process.returncode}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{base}/_stcore/health", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    raise Unable("a dashboard process did not answer")


def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Unable(f"nginx ended with {process.returncode}; see error.log")
        with socket.socket() as knock:
            if knock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise Unable("nginx did not listen")


def main() -> int:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m deploy.serve", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--host", required=True, help="the name that readers type")
    parser.add_argument("--port", type=int, default=443)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--certificate", type=Path, metavar="PEM")
    parser.add_argument("--key", type=Path, metavar="PEM")
    parser.add_argument("--warehouse", type=Path, metavar="FILE")
    parser.add_argument("--path", default="", help="where the host has other things: the path of the dashboard")
    parser.add_argument("--run", type=Path, metavar="DIR", help="where nginx keeps its files")
    options = parser.parse_args()
    if not re.fullmatch(r"[\w/-]*", options.path, re.ASCII):
        parser.error("--path takes letters, digits, '-', '_' and '/'")
    if bool(options.certificate) != bool(options.key):
        parser.error("--certificate and --key go together")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    run = options.run or Path(tempfile.mkdtemp(prefix="dashboard-"))
    plan = Plan(
        options.host,
        options.port,
        options.processes,
        run.resolve(),
        options.certificate and options.certificate.resolve(),
        options.key and options.key.resolve(),
        options.warehouse and options.warehouse.resolve(),
        options.path,
    )
    try:
        with Served(plan) as served:
            print(plan.origin, flush=True)
            while True:
                time.sleep(1)
                served.mend()
    except KeyboardInterrupt:
        return 0
    except Unable as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
