"""The address of a view: the reader's choice as ids, so that a link means the same in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import streamlit as st

Address = dict[str, list[str]]


def read_address() -> Address:
    """Every parameter of the address with its values."""
    return {name: st.query_params.get_all(name) for name in st.query_params}


def write_address(address: Address) -> None:
    """Set the address, unless it says so already."""
    if read_address() != address:
        st.query_params.from_dict(address)


def check_address(
    address: Address, known: Mapping[str, Sequence[str]], several: Sequence[str], days: Mapping[str, tuple[date, date]]
) -> tuple[Address, list[str]]:
    """Split an address into the values that are known here and `name=value` for each that is not.

    `known` holds the ids a parameter may take, `several` the parameters that take more than one,
    `days` the parameters that take a day, with the first and the last.
    """
    kept: Address = {}
    unknown: list[str] = []
    for name, values in address.items():
        for value in dict.fromkeys(values):
            day = read_day(value) if name in days else None
            is_known = value in known.get(name, ()) or (day is not None and days[name][0] <= day <= days[name][1])
            if is_known and (name in several or name not in kept):
                kept.setdefault(name, []).append(value)
            else:
                unknown.append(f"{name}={value}")
    return kept, unknown


def read_day(text: str) -> date | None:
    """A day as 2025-10-31; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
