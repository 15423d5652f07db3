"""python -m dashboard [streamlit's options]: serve the dashboard; audit …, access …: commands about who sees what."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Final

COMMANDS: Final = {"audit": "dashboard.access.audit_command", "access": "dashboard.access.policy_command"}
OWNER_ONLY: Final = 0o077


def main(arguments: Sequence[str]) -> int:
    """Run a command, or serve; what is written is its owner's only."""
    os.umask(OWNER_ONLY)
    if arguments and arguments[0] in COMMANDS:
        return int(importlib.import_module(COMMANDS[arguments[0]]).main(list(arguments[1:])))
    from dashboard.server import serve

    return serve(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
