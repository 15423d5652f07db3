"""python -m dashboard [streamlit's options]: serve the dashboard, as `streamlit run app.py` does."""

from __future__ import annotations

import sys
from pathlib import Path

from streamlit.runtime.pages_manager import PagesManager
from streamlit.web import cli

APP = Path(__file__).parent.parent / "app.py"

if __name__ == "__main__":
    # A folder named pages makes Streamlit look for pages directly in it until app.py has run once, so that the first
    # link into a page that anybody opens would say "Page not found".
    PagesManager.uses_pages_directory = False
    sys.argv = ["streamlit", "run", str(APP), *sys.argv[1:]]
    sys.exit(cli.main())
