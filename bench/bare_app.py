"""The bare app: a page of constants for every page of the dashboard, in one navigation."""

from __future__ import annotations

from functools import partial

import streamlit as st

from bench.bare import draw_parts, read_pages

st.set_page_config(layout="wide")
pages = []
for name, parts in read_pages().items():
    draw = partial(draw_parts, parts)
    draw.__name__ = name or "first"  # type: ignore[attr-defined]
    pages.append(st.Page(draw, title=name or "first", url_path=name, default=not name))
st.navigation(pages).run()
