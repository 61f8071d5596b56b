"""python -m pages brief: the briefing on paper."""

import sys

from etl.core import settings

if __name__ == "__main__":
    try:
        settings.apply()
    except settings.Faulty as error:
        sys.exit("\n".join(error.lines))
    # Modules read their variables when they are imported.
    from pages.ui.briefing.command import main

    raise SystemExit(main())
