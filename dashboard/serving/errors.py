"""Errors of pages: all of it to the log, a reference to the reader."""

from __future__ import annotations

import logging
import secrets
from typing import Final

import streamlit as st

from dashboard import filters
from dashboard.words import Language, translate

LOG: Final = logging.getLogger("tenken.pages")


def report_error(error: Exception) -> bool:
    """Write an error of a page to the log and show its reference in its place; True keeps Streamlit's own away."""
    reference = secrets.token_hex(4)
    # The address is the browser's word, and must not write lines of its own into the log.
    address = (st.context.url or "").encode("unicode_escape").decode()
    LOG.error("Error %s on %s", reference, address, exc_info=error)
    said = translate(
        find_language(),
        "Something went wrong here. The log of the server has it as error {reference}.",
        reference=reference,
    )
    st.error(said, icon=":material/error:")
    return True


def find_language() -> Language:
    """Language of the run, or of the address where the run broke before it was known."""
    try:
        return filters.current_language()
    except KeyError:
        return "ja" if st.query_params.get(filters.LANGUAGE_PARAMETER) == "ja" else "en"


def silence_duplicates() -> None:
    """Keep Streamlit from writing to the log, without a reference, what `report_error` writes."""
    logging.getLogger("streamlit.error_util").addFilter(lambda record: record.msg != "Uncaught app execution")
