"""One web process of an installation: python -m deploy.web NUMBER. Checks the settings, then becomes Streamlit.

With a faulty setting nothing starts: every fault is printed, and the exit code is 78, on which systemd does not try again.
"""

import os
import sys
from pathlib import Path

from etl.core import settings

ROOT = Path(__file__).resolve().parents[1]
# sysexits.h: a fault of configuration.
_FAULTY = 78


def main() -> None:
    """Does not return."""
    try:
        known = settings.apply()
    except settings.Faulty as error:
        print(error, file=sys.stderr)
        sys.exit(_FAULTY)
    if len(sys.argv) != 2 or not sys.argv[1].isdecimal():
        sys.exit("python -m deploy.web NUMBER: which process, from 0 on")
    os.chdir(ROOT)
    os.environ.setdefault("LOG_FORMAT", "json")
    # DuckDB's memory for a publication: several may be open at once, besides caches and large questions.
    os.environ.setdefault("QUERY_MEMORY", f"{settings.web_memory(known) // 4 >> 20}MiB")
    arguments = command(known, int(sys.argv[1]))
    os.execv(arguments[0], arguments)


def command(known: settings.Settings, number: int) -> list[str]:
    """Streamlit's command for process `number`."""
    web = known.web
    names = dict.fromkeys((web.host, *web.allowed_hosts, *settings.LOCAL_NAMES, settings.own_address(web.address)))
    return [
        *(sys.executable, "-m", "streamlit", "run", "dashboard.py"),
        *("--server.address", web.address, "--server.port", str(web.port + number)),
        *("--server.baseUrlPath", web.base_path),
        *("--browser.serverAddress", web.host, "--browser.serverPort", str(web.listen_port)),
        *(word for name in names for word in ("--server.allowedHosts", name)),
        *("--logger.messageFormat", "%(message)s"),
    ]


if __name__ == "__main__":
    main()
