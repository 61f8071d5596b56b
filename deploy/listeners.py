"""Whether another program listens where nginx is to listen, and which (proc_net_tcp(5), proc(5))."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from deploy import watch

# As the kernel writes them: 127.0.0.1, and the head of an IPv4 address that is written as one of IPv6.
_THIS_MACHINE, _MAPPED = "0100007F", "0000000000000000FFFF0000"
_LISTENS = "0A"


def stranger(port: int, everywhere: bool, config: Path) -> str | None:
    """The program that keeps nginx from a port, other than the nginx that runs with the file `config`; None if there is none.

    `everywhere`: of every address of this machine, else of 127.0.0.1.
    """
    sockets = {f"socket:[{inode}]" for inode in _inodes(port, everywhere)}
    if not sockets:
        return None
    is_seen = False
    for pid, name, _, parent, _ in sorted(watch.processes()):
        if not sockets.isdisjoint(_files(pid)):
            is_seen = True
            # The workers of nginx do not name its file.
            if not _is_run_with(config, pid) and not _is_run_with(config, parent):
                return f"{name} (process {pid})"
    return None if is_seen else "a program of another user"


def _inodes(port: int, everywhere: bool) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):
            for line in Path("/proc/net", table).read_text().splitlines()[1:]:
                _, local, _, state, _, _, _, _, _, inode = line.split()[:10]
                address, _, number = local.rpartition(":")
                address = address.removeprefix(_MAPPED)
                is_ours = not address.strip("0") or address == _THIS_MACHINE or (everywhere and len(address) == 8)
                if state == _LISTENS and int(number, 16) == port and is_ours:
                    yield inode


def _files(pid: int) -> Iterator[str]:
    """The names of what a process has open; none if that is not for this user."""
    with suppress(OSError):
        for path in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                yield os.readlink(path)


def _is_run_with(config: Path, pid: int) -> bool:
    with suppress(OSError):
        return str(config).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False
