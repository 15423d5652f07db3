"""python -m bench.bare_server: the bare pages, served as the dashboard is, so that only the pages differ."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from unittest import mock

from dashboard import server


def main() -> None:
    """Serve until a signal ends it."""
    script = Path(__file__).with_name("bare_app.py")
    build = server.build_app

    def build_bare(address: str | None, **_: Any) -> Any:
        return build(address, script=script)

    with mock.patch.object(server, "build_app", build_bare):
        sys.exit(server.serve(sys.argv[1:]))


if __name__ == "__main__":
    main()
