"""python -m ui.access NAME: the part of `python -m etl sessions end` that etl leaves to the web side."""

import sys
import time

from etl.core import settings
from ui.access.sessions import Sessions
from ui.access.tokens import Tokens

if __name__ == "__main__":
    try:
        name, current = sys.argv[1], settings.read()
        shared = current.sign_in.database
        ended = Sessions(current.folders.run / "web" / "sessions.sqlite", shared).end_all(name, time.time())
        print(f"{ended} sessions ended, {Tokens(current.folders.views, shared).revoke_all(name)} tokens revoked")
    except (OSError, settings.Faulty) as error:
        sys.exit(str(error))
