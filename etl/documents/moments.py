"""Days and moments as documents write them."""

from __future__ import annotations

import datetime
from collections.abc import Iterable


def in_utc(text: str | None) -> str | None:
    """A moment with its distance from UTC as the moment in UTC, without one; any other text as it is."""
    moment = _moment(text)
    return text if moment is None else moment.isoformat(sep=" ")


def earliest(texts: Iterable[str | None]) -> str | None:
    """The earliest moment, as it is written; texts that are no moment count only where there is no other."""
    return min((text for text in texts if text), key=_order, default=None)


def latest(texts: Iterable[str | None]) -> str | None:
    """The latest moment, as it is written; texts that are no moment count only where there is no other."""
    moments = [text for text in texts if text]
    return max(moments, key=lambda text: (_moment(text) is not None, _order(text)), default=None)


def _order(text: str) -> tuple[bool, str, str]:
    moment = _moment(text)
    return moment is None, moment.isoformat() if moment else "", text


def _moment(text: str | None) -> datetime.datetime | None:
    try:
        moment = datetime.datetime.fromisoformat((text or "").strip())
        return moment.astimezone(datetime.UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None
