"""nginx over two hosts: one that is up but not ready is left out, and where none is ready both go on."""

import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from websockets.sync.client import connect

from deploy import proxy
from etl.core import settings
from tests import processes
from tests.conftest import Sample
from tests.serving import free_ports, start_nginx, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("nginx", path="/usr/sbin:/usr/bin"), reason="nginx is not installed"),
]
# Two addresses of this machine stand for two hosts.
HOSTS = ("127.0.0.1", "127.0.0.2")
SECRET = "a secret that only this test uses"
SIGNED_IN = {"X-Remote-User": "reader", "X-Remote-Groups": "readers", "X-Proxy-Secret": SECRET}


class Hosts:
    """The web process of each host, with a folder of its own, and one nginx over both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        first = free_ports(2)
        self.web = settings.Web(host="localhost", hosts=HOSTS, processes=1, port=first, listen_port=first + 1)
        (folder / "access.toml").write_text('[groups.readers]\nrole = "national"\n', encoding="utf-8")
        (folder / "secrets.toml").write_text(f'[proxy]\nsecret = "{SECRET}"\n', encoding="utf-8")
        (folder / "secrets.toml").chmod(0o600)
        self.running = [self._start(host) for host in HOSTS]

    def pointer(self, host: str) -> Path:
        return self.folder / host / "warehouse" / "warehouse.duckdb"

    def ready(self, host: str) -> int:
        try:
            with urllib.request.urlopen(f"http://{host}:{self.web.port}/readyz", timeout=180):
                return 200
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def served_by(self, reader: int) -> set[str]:
        """The hosts that gave a reader the page and took the socket of its session."""
        before = self._log()
        cookie = f"reader={reader:032x}"
        address = f"localhost:{self.web.listen_port}"
        headers = SIGNED_IN | {"Cookie": cookie}
        request = urllib.request.Request(f"http://{address}/", headers=headers | {"Accept": "text/html"})
        with urllib.request.urlopen(request, timeout=180) as answer:
            assert "<title>" in answer.read().decode()
        with connect(
            f"ws://{address}/_stcore/stream",
            origin=f"http://{address}",  # type: ignore[arg-type]
            subprotocols=["streamlit"],  # type: ignore[list-item]
            additional_headers=headers,
        ):
            pass
        # A line is written when its answer is over.
        until(lambda: len(self._log()) == len(before) + 2, "both are counted")
        # Of several upstreams in a line the last one answered.
        return {line.split()[-1].partition(":")[0] for line in self._log()[len(before) :]}

    def _log(self) -> list[str]:
        return (self.folder / "access.log").read_text().splitlines()

    def _start(self, host: str) -> processes.Process:
        self.pointer(host).parent.mkdir(parents=True)
        here = {
            "WAREHOUSE": str(self.pointer(host)),
            "VIEWS": str(self.folder / host / "views"),
            "AUDIT": str(self.folder / host / "audit"),
            "POLICEYAR_RUN": str(self.folder / host / "run"),
            "POLICEYAR_WEB_HOST": "localhost",
            "POLICEYAR_WEB_ADDRESS": host,
            "POLICEYAR_WEB_PORT": str(self.web.port),
            "POLICEYAR_WEB_LISTEN_PORT": str(self.web.listen_port),
            "POLICEYAR_SIGN_IN_MODE": "proxy",
            "POLICEYAR_SIGN_IN_ACCESS": str(self.folder / "access.toml"),
            "POLICEYAR_SIGN_IN_SECRETS": str(self.folder / "secrets.toml"),
        }
        return processes.Process("deploy.web", "0", env=os.environ | here)


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    group = Hosts(tmp_path)
    try:
        for host in HOSTS:
            until(lambda host=host: group.ready(host), "a host answers")  # type: ignore[misc]
        config = settings.Settings(web=group.web, folders=settings.Folders(run=tmp_path))
        (tmp_path / "nginx.conf").write_text(proxy.render(config), encoding="utf-8")
        group.running.append(start_nginx(tmp_path, group.web.listen_port))
        yield group
    finally:
        for process in group.running:
            process.terminate()
            process.wait()


def test_a_host_that_is_not_ready_gets_no_reader_while_another_is(
    hosts: Hosts, publish_sample: Callable[..., Sample]
) -> None:
    def publish(host: str) -> None:
        shutil.copytree(built.parent, hosts.pointer(host).parent, symlinks=True, dirs_exist_ok=True)

    def spread() -> set[str]:
        answers = [hosts.served_by(reader) for reader in range(12)]
        assert all(len(names) == 1 for names in answers), "page and session are of one host"
        return set.union(*answers)

    built = publish_sample().pointer
    assert [hosts.ready(host) for host in HOSTS] == [503, 503]
    assert spread() == set(HOSTS), "none is ready: each goes on with what it has"
    publish(HOSTS[1])
    assert [hosts.ready(host) for host in HOSTS] == [503, 200]
    assert spread() == {HOSTS[1]}
    publish(HOSTS[0])
    assert spread() == set(HOSTS)
    old = os.path.realpath(hosts.pointer(HOSTS[1]))
    os.utime(old, (0, 0))
    assert [hosts.ready(host) for host in HOSTS] == [200, 503]
    assert spread() == {HOSTS[0]}
