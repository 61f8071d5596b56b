"""python -m pages brief: the briefing on paper."""

from pages.ui.briefing.command import main

if __name__ == "__main__":
    raise SystemExit(main())
