"""python -m pages brief: the briefing on paper; python -m pages tell: the news of the newest publication."""

import sys

from etl.core import settings
from etl.core.errors import Refused

if __name__ == "__main__":
    try:
        settings.apply()
        # Imported late: modules read their environment variables and declarations on import.
        from ui.follow.command import main
    except (settings.Faulty, Refused) as error:
        sys.exit(str(error))

    raise SystemExit(main())
