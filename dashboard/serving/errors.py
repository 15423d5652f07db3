"""Errors of pages: all of it to the log, a reference to the reader."""

from __future__ import annotations

import errno
import logging
import secrets
from typing import Final

import streamlit as st

from dashboard import filters
from dashboard.words import Language, join_sentences, translate

NO_WRITING: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
LOG: Final = logging.getLogger("tenken.pages")


def report_error(error: Exception) -> bool:
    """Write an error of a page to the log and show its reference in its place; True keeps Streamlit's own away."""
    reference = secrets.token_hex(4)
    # The address is the browser's word, and must not write lines of its own into the log.
    address = (st.context.url or "").encode("unicode_escape").decode()
    LOG.error("Error %s on %s", reference, address, exc_info=error)
    language = find_language()
    said = translate(
        language, "Something went wrong here. The log of the server has it as error {reference}.", reference=reference
    )
    if is_of_disk(error):
        why = translate(
            language,
            "The server cannot write to its disk: it is full or read-only. Whoever runs Tenken has to make room or let "
            "the server write there; then try again.",
        )
        said = join_sentences(language, (why, said))
    st.error(said, icon=":material/error:")
    return True


def is_of_disk(error: Exception) -> bool:
    """Whether a disk that is full or read-only is the cause; DuckDB tells only in words."""
    return (isinstance(error, OSError) and error.errno in NO_WRITING) or "No space left on device" in str(error)


def find_language() -> Language:
    """Language of the run, or of the address where the run broke before it was known."""
    try:
        return filters.current_language()
    except KeyError:
        return "ja" if st.query_params.get(filters.LANGUAGE_PARAMETER) == "ja" else "en"


def silence_duplicates() -> None:
    """Keep Streamlit from writing to the log, without a reference, what `report_error` writes."""
    logging.getLogger("streamlit.error_util").addFilter(lambda record: record.msg != "Uncaught app execution")
