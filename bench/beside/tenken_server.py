"""Tenken's own server with one page more in its navigation: python -m bench.beside.tenken_server [options]."""

from __future__ import annotations

import os
import sys

from dashboard import navigation
from dashboard.__main__ import OWNER_ONLY
from dashboard.navigation import PageEntry
from dashboard.server import serve

PAGE = PageEntry("four_charts", "bench/beside/four_charts.py", "Compare", "Four charts", "grid_view")


def main() -> int:
    """Serve until a signal ends it."""
    navigation.PAGES = (*navigation.PAGES, PAGE)  # type: ignore[misc]
    navigation.ENTRIES[PAGE.name] = PAGE
    os.umask(OWNER_ONLY)
    return serve(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
