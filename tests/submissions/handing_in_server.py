"""The address of submissions alone, in a process of its own: python -m tests.submissions.handing_in_server PORT.

Orders are left for a worker that the test starts and kills.
"""

import sys

import uvicorn
from starlette.applications import Starlette

from ui.data import submissions
from ui.shell import hand_in_address


def main() -> None:
    submissions._work = lambda *_: None
    uvicorn.run(
        Starlette(routes=hand_in_address.routes()), host="127.0.0.1", port=int(sys.argv[1]), log_level="critical"
    )


if __name__ == "__main__":
    main()
