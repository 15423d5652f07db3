"""What the reader chose: sidebar widgets, the address that keeps the choice as ids, and the choice in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import streamlit as st

from dashboard import words
from dashboard.address import Address, check_address, read_address, read_day, write_address
from dashboard.selection import CHOICES, Options, Selection
from dashboard.words import LANGUAGES, Language, Text, say_day, say_half

DEFAULT_INSPECTION_TYPE: Final = "self_check"
LANGUAGE_PARAMETER: Final = "lang"
ADDRESS_STATE: Final = "filters.address"
UNKNOWN_STATE: Final = "filters.unknown"
SELECTION_STATE: Final = "filters.selection"


PARAMETERS: Final = (LANGUAGE_PARAMETER, "type", "from", "to", *(choice.parameter for choice in CHOICES), "known")


def current() -> Selection:
    """The choice of this run, for pages."""
    return cast(Selection, st.session_state[SELECTION_STATE])


def choose_language() -> Language:
    """Language of the address at first, of the selector afterwards; the browser's where neither says."""
    key = _state(LANGUAGE_PARAMETER)
    if key not in st.session_state:
        written = st.query_params.get(LANGUAGE_PARAMETER)
        locale = st.context.locale or ""
        st.session_state[key] = written if written in LANGUAGES else "ja" if locale.startswith("ja") else "en"
    st.session_state[key] = st.session_state[key]
    st.sidebar.segmented_control(
        words.LANGUAGE.say(st.session_state[key]),
        list(LANGUAGES),
        format_func=lambda code: LANGUAGES[code],
        key=key,
        required=True,
        label_visibility="collapsed",
    )
    return cast(Language, st.session_state[key])


def choose_filters(options: Options, language: Language) -> Selection:
    """Show the sidebar, keep the address in step with it, and hand back the choice."""
    address = read_address()
    written = st.session_state.get(ADDRESS_STATE)
    if written is None or _state("type") not in st.session_state or (address and address != written):
        _adopt_address(address, options)
    _forget_vanished(options)
    _show_widgets(options, language)
    selection = _read_widgets(language)
    st.session_state[SELECTION_STATE] = selection
    _write_selection(selection)
    return selection


def show_unknown(language: Language) -> None:
    """Name the values of a link that are not known here, as plain text, because anybody can write a link."""
    unknown = cast(Sequence[str], st.session_state.get(UNKNOWN_STATE, ()))
    if unknown:
        with st.container(border=True, key="unknown-values"):
            st.text(words.UNKNOWN_IN_LINK.say(language))
            st.text("\n".join(unknown))


def _state(parameter: str) -> str:
    """Name of a filter's widget in the session."""
    return f"filters.{parameter}"


def _known_values(options: Options) -> dict[str, list[str]]:
    """The ids that each parameter but the day may take."""
    known = {choice.parameter: list(options.choices[choice.dimension]) for choice in CHOICES}
    known |= {"from": list(options.halves), "to": list(options.halves)}
    return known | {LANGUAGE_PARAMETER: list(LANGUAGES), "type": list(options.choices["inspection_type"])}


def _adopt_address(address: Address, options: Options) -> None:
    """Set every widget from the address, and remember what it names that is not known."""
    several = [choice.parameter for choice in CHOICES]
    kept, unknown = check_address(
        address, _known_values(options), several, {"known": (options.first_known_on, options.last_known_on)}
    )
    state = st.session_state
    state[_state("type")] = kept.get("type", [_default_type(options)])[0]
    for name in ("from", "to"):
        state[_state(name)] = kept.get(name, [""])[0]
    for name in several:
        state[_state(name)] = kept.get(name, [])
    state[_state("known")] = read_day(kept.get("known", [""])[0])
    state[UNKNOWN_STATE] = unknown


def _default_type(options: Options) -> str:
    types = options.choices["inspection_type"]
    return DEFAULT_INSPECTION_TYPE if DEFAULT_INSPECTION_TYPE in types else next(iter(types))


def _forget_vanished(options: Options) -> None:
    """Set each widget again, so that it outlives a run that did not show it, without ids a new build dropped."""
    known = _known_values(options)
    state = st.session_state
    if state[_state("type")] not in known["type"]:
        state[_state("type")] = _default_type(options)
    for name in ("from", "to"):
        state[_state(name)] = state[_state(name)] if state[_state(name)] in known[name] else ""
    for choice in CHOICES:
        key = _state(choice.parameter)
        state[key] = [value for value in state[key] if value in known[choice.parameter]]
    for name in ("type", "known"):
        state[_state(name)] = state[_state(name)]


def _forget_unknown() -> None:
    """A choice of the reader's own answers the note about the link."""
    st.session_state[UNKNOWN_STATE] = []


def _clear_filters() -> None:
    for name in PARAMETERS:
        if name != LANGUAGE_PARAMETER:
            st.session_state.pop(_state(name), None)
    st.session_state[ADDRESS_STATE] = None
    st.query_params.from_dict({LANGUAGE_PARAMETER: st.session_state[_state(LANGUAGE_PARAMETER)]})


def _show_widgets(options: Options, language: Language) -> None:
    types = options.choices["inspection_type"]
    halves = options.halves

    def label_end(text: Text, half: str) -> str:
        return text.say(language, half=say_half(half, language))

    with st.sidebar:
        st.selectbox(
            words.INSPECTION_TYPE.say(language),
            list(types),
            format_func=_label(types, language),
            key=_state("type"),
            help=words.INSPECTION_TYPE_HELP.say(language),
            on_change=_forget_unknown,
        )
        st.selectbox(
            words.PERIOD_FROM.say(language),
            ["", *halves],
            key=_state("from"),
            on_change=_forget_unknown,
            format_func=lambda half: say_half(half, language) if half else label_end(words.OLDEST, halves[0]),
        )
        st.selectbox(
            words.PERIOD_TO.say(language),
            ["", *reversed(halves)],
            key=_state("to"),
            on_change=_forget_unknown,
            format_func=lambda half: say_half(half, language) if half else label_end(words.NEWEST, halves[-1]),
        )
        for choice in CHOICES:
            labels = options.choices[choice.dimension]
            st.multiselect(
                choice.label.say(language),
                list(labels),
                key=_state(choice.parameter),
                on_change=_forget_unknown,
                format_func=_label(labels, language),
                placeholder=words.ALL.say(language),
                select_all=False,
            )
        st.date_input(
            words.KNOWN_AT.say(language),
            value=None,
            key=_state("known"),
            format="YYYY-MM-DD",
            min_value=options.first_known_on,
            max_value=options.last_known_on,
            help=words.KNOWN_AT_HELP.say(language),
            on_change=_forget_unknown,
        )
        st.button(words.RESET.say(language), on_click=_clear_filters, type="tertiary", icon=":material/filter_alt_off:")


def _label(labels: Mapping[str, Text], language: Language) -> Callable[[str], str]:
    """What a widget calls an id."""
    return lambda value: labels[value].say(language)


def _read_widgets(language: Language) -> Selection:
    state = st.session_state
    return Selection(
        language=language,
        inspection_type=state[_state("type")],
        from_half=state[_state("from")] or None,
        to_half=state[_state("to")] or None,
        chosen=tuple((choice.dimension, tuple(state[_state(choice.parameter)])) for choice in CHOICES),
        known_on=state[_state("known")],
    )


def _write_selection(selection: Selection) -> None:
    """Write what differs from the plain view, so that a bookmark of the plain view moves on with new builds."""
    address: Address = {LANGUAGE_PARAMETER: [selection.language], "type": [selection.inspection_type]}
    if selection.from_half:
        address["from"] = [selection.from_half]
    if selection.to_half:
        address["to"] = [selection.to_half]
    for choice in CHOICES:
        if selection.values(choice.dimension):
            address[choice.parameter] = list(selection.values(choice.dimension))
    if selection.known_on:
        address["known"] = [say_day(selection.known_on)]
    write_address(address)
    st.session_state[ADDRESS_STATE] = address
