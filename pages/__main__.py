"""python -m pages brief: the briefing on paper."""

import sys

from etl.core import settings

if __name__ == "__main__":
    try:
        settings.apply()
    except settings.Faulty as error:
        sys.exit("\n".join(error.lines))
    # Imported late: modules read their environment variables on import.
    from ui.briefing.command import main

    raise SystemExit(main())
