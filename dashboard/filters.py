"""What the reader chose: sidebar widgets, the address that keeps the choice as ids, and what a page adds of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

import streamlit as st

from dashboard.address import Address, check_address, read_address, read_day, write_address
from dashboard.periods import GRAINS, Grain, change_grain
from dashboard.selection import CHOICES, Choice, Options, Selection
from dashboard.words import LANGUAGES, N_, Label, Language, say_day, say_period, translate

DEFAULT_INSPECTION_TYPE: Final = "self_check"
EVERY_TYPE: Final = "all"
"""In an address: no inspection type is chosen, so that all are shown together. Without it self-checks are shown."""
LANGUAGE_PARAMETER: Final = "lang"
ADDRESS_STATE: Final = "filters.address"
UNKNOWN_STATE: Final = "filters.unknown"
PAGE_STATE: Final = "filters.page"
SEVERAL: Final = tuple(choice.parameter for choice in CHOICES)
GRAIN_LABELS: Final[dict[Grain, str]] = {"year": N_("Year"), "half": N_("Half-year"), "quarter": N_("Quarter")}


def choose_language() -> Language:
    """Language of the address at first, of the selector afterwards; the browser's where neither says."""
    key = _state(LANGUAGE_PARAMETER)
    if key not in st.session_state:
        written = st.query_params.get(LANGUAGE_PARAMETER)
        locale = st.context.locale or ""
        st.session_state[key] = written if written in LANGUAGES else "ja" if locale.startswith("ja") else "en"
    st.session_state[key] = st.session_state[key]
    st.sidebar.segmented_control(
        translate(st.session_state[key], "Language"),
        list(LANGUAGES),
        format_func=lambda code: LANGUAGES[code],
        key=key,
        required=True,
        label_visibility="collapsed",
    )
    return cast(Language, st.session_state[key])


def current_language() -> Language:
    """Language of this run."""
    return cast(Language, st.session_state[_state(LANGUAGE_PARAMETER)])


def choose_filters(options: Options, language: Language, own: Sequence[str], *, are_shown: bool = True) -> Selection:
    """Show the sidebar and hand back the choice; `own` names the parameters that the page of this run adds.

    A page to which filters do not apply keeps them without showing them.
    """
    address = read_address()
    written = st.session_state.get(ADDRESS_STATE)
    if written is None or _state("per") not in st.session_state or (address and address != written):
        _adopt_address(address, options, own)
    else:
        _restore_lost(written)
    _forget_vanished(options)
    if are_shown:
        _show_widgets(options, language)
    st.session_state[PAGE_STATE] = {}
    return _read_widgets(language)


def adopt_own(own: Sequence[str]) -> None:
    """Take a page's own parameters from the address, before there is anything to choose filters from."""
    address = read_address()
    if address and address != st.session_state.get(ADDRESS_STATE):
        for name in own:
            st.session_state.pop(own_state(name), None)
            if address.get(name):
                st.session_state[own_state(name)] = address[name][0]
    st.session_state[PAGE_STATE] = {}


def write_own(language: Language) -> None:
    """Write language and a page's own parameters to the address, before there are filters."""
    address: Address = {LANGUAGE_PARAMETER: [language]} | st.session_state.get(PAGE_STATE, {})
    write_address(address)
    st.session_state[ADDRESS_STATE] = address


def choose_own(parameter: str, known: Sequence[str], default: str) -> str:
    """The id that the address or a widget with the key `own_state(parameter)` gives a page's own parameter.

    A value that is not known is named to the reader, and the default holds.
    """
    value = keep_own(parameter, default)
    if value not in known:
        note_unknown(parameter, [value])
        st.session_state[own_state(parameter)] = value = default
    _note_own(parameter, value, default)
    return value


def keep_own(parameter: str, default: str) -> str:
    """The text of a page's own parameter, such as what is searched for; it outlives a run without its widget."""
    key = own_state(parameter)
    st.session_state[key] = st.session_state.get(key, default) or default
    value = str(st.session_state[key])
    _note_own(parameter, value, default)
    return value


def list_own() -> list[str]:
    """The page's own parameters that this run has read, in words for the log."""
    return [f"{name}: {', '.join(values)}." for name, values in st.session_state.get(PAGE_STATE, {}).items()]


def note_unknown(parameter: str, values: Sequence[str]) -> None:
    """Name values of a page's own parameter that are not known here."""
    named = [f"{parameter}={value}" for value in values]
    noted = list(st.session_state.get(UNKNOWN_STATE, ()))
    st.session_state[UNKNOWN_STATE] = [*noted, *(one for one in named if one not in noted)]


def own_state(parameter: str) -> str:
    """Name of the session's entry, and key of the widget, of a page's own parameter."""
    return f"own.{parameter}"


def keep_widgets() -> None:
    """Set every choice again, so that it outlives a run that ends before its widget is shown."""
    shown = _state(LANGUAGE_PARAMETER)
    for key in [str(key) for key in st.session_state]:
        if key.startswith(("filters.", "own.")) and key != shown:
            st.session_state[key] = st.session_state[key]


def narrow(**ids: Sequence[str]) -> None:
    """Choose ids for dimensions; only in a callback, before the widgets are shown again."""
    for choice in CHOICES:
        if choice.dimension in ids:
            st.session_state[_state(choice.parameter)] = list(ids[choice.dimension])
    st.session_state[UNKNOWN_STATE] = []


def choose_period(code: str) -> None:
    """Show one period; only in a callback."""
    st.session_state[_state("from")] = st.session_state[_state("to")] = code


def read_unknown() -> tuple[str, ...]:
    """What the address names that is not known here."""
    return tuple(cast(Sequence[str], st.session_state.get(UNKNOWN_STATE, ())))


def write_selection(selection: Selection) -> None:
    """Write what differs from the plain view, so that a bookmark of the plain view moves on with new builds."""
    address = spell_address(selection) | st.session_state.get(PAGE_STATE, {})
    write_address(address)
    st.session_state[ADDRESS_STATE] = address


def spell_address(selection: Selection) -> Address:
    """The choice as parameters of an address."""
    address: Address = {LANGUAGE_PARAMETER: [selection.language]}
    if selection.grain != "half":
        address["per"] = [selection.grain]
    if selection.from_period:
        address["from"] = [selection.from_period]
    if selection.to_period:
        address["to"] = [selection.to_period]
    for choice in CHOICES:
        ids = list(selection.values(choice.dimension))
        if choice.dimension == "inspection_type":
            address[choice.parameter] = ids or [EVERY_TYPE]
        elif ids:
            address[choice.parameter] = ids
    if selection.known_on:
        address["known"] = [say_day(selection.known_on)]
    return address


def _note_own(parameter: str, value: str, default: str) -> None:
    noted = st.session_state.setdefault(PAGE_STATE, {})
    noted.pop(parameter, None)
    if value != default:
        noted[parameter] = [value]


def _state(parameter: str) -> str:
    """Name of a filter's widget in the session."""
    return f"filters.{parameter}"


def _known_values(options: Options, grain: Grain) -> dict[str, list[str]]:
    """The ids that each parameter but the day may take."""
    known = {choice.parameter: list(options.choices[choice.dimension]) for choice in CHOICES}
    known["type"].append(EVERY_TYPE)
    known |= {"from": list(options.periods[grain]), "to": list(options.periods[grain]), "per": list(GRAINS)}
    return known | {LANGUAGE_PARAMETER: list(LANGUAGES)}


def _adopt_address(address: Address, options: Options, own: Sequence[str]) -> None:
    """Set every widget from the address, and remember what it names that is not known."""
    written_grain = address.get("per", ["half"])[0]
    grain: Grain = written_grain if written_grain in GRAINS else "half"
    shared = {name: values for name, values in address.items() if name not in own}
    days = {"known": (options.first_known_on, options.last_known_on)}
    kept, unknown = check_address(shared, _known_values(options, grain), SEVERAL, days)
    state = st.session_state
    state[_state("per")] = grain
    for name in ("from", "to"):
        state[_state(name)] = kept.get(name, [""])[0]
    for name in SEVERAL:
        state[_state(name)] = kept.get(name, [])
    types = kept.get("type") or _default_types(options)
    state[_state("type")] = [] if EVERY_TYPE in types else types
    state[_state("known")] = read_day(kept.get("known", [""])[0])
    for name in own:
        state.pop(own_state(name), None)
        if address.get(name):
            state[own_state(name)] = address[name][0]
    state[UNKNOWN_STATE] = unknown


def _restore_lost(written: Address) -> None:
    """Set again, as the address that was written last has it, each choice whose widget's state Streamlit has dropped.

    It does so where a run is cut short by a click that names fewer widgets than there are, mostly on a slow server.
    """
    state = st.session_state
    for name in ("from", "to"):
        if _state(name) not in state:
            state[_state(name)] = written.get(name, [""])[0]
    for name in SEVERAL:
        if _state(name) not in state:
            ids = written.get(name, [])
            state[_state(name)] = [] if EVERY_TYPE in ids else list(ids)
    if _state("known") not in state:
        state[_state("known")] = read_day(written.get("known", [""])[0])


def _default_types(options: Options) -> list[str]:
    types = options.choices["inspection_type"]
    return [DEFAULT_INSPECTION_TYPE if DEFAULT_INSPECTION_TYPE in types else next(iter(types))]


def _forget_vanished(options: Options) -> None:
    """Set each widget again, so that it outlives a run that did not show it, without ids a new build dropped."""
    state = st.session_state
    known = _known_values(options, state[_state("per")])
    for name in ("from", "to"):
        state[_state(name)] = state[_state(name)] if state[_state(name)] in known[name] else ""
    for name in SEVERAL:
        state[_state(name)] = [value for value in state[_state(name)] if value in known[name]]
    for name in ("per", "known"):
        state[_state(name)] = state[_state(name)]


def _forget_unknown() -> None:
    """A choice of the reader's own answers the note about the link."""
    st.session_state[UNKNOWN_STATE] = []


def _follow_grain() -> None:
    """Keep the span when its periods become longer or shorter."""
    _forget_unknown()
    state = st.session_state
    for name in ("from", "to"):
        if state[_state(name)]:
            state[_state(name)] = change_grain(state[_state(name)], state[_state("per")], is_end=name == "to")


def _clear_filters() -> None:
    for name in ("per", "from", "to", "known", *SEVERAL):
        st.session_state.pop(_state(name), None)
    st.session_state[ADDRESS_STATE] = None
    st.query_params.from_dict({LANGUAGE_PARAMETER: st.session_state[_state(LANGUAGE_PARAMETER)]})


def _show_widgets(options: Options, language: Language) -> None:
    state = st.session_state
    periods = options.periods[state[_state("per")]]
    is_more_open = bool(state[_state("known")]) or any(
        state[_state(choice.parameter)] for choice in CHOICES if choice.place == "more"
    )
    with st.sidebar:
        st.segmented_control(
            translate(language, "Period"),
            list(GRAINS),
            format_func=lambda grain: translate(language, GRAIN_LABELS[grain]),
            key=_state("per"),
            required=True,
            on_change=_follow_grain,
            width="stretch",
        )
        begin, end = st.columns(2, gap="small")
        oldest = translate(language, "Oldest")
        newest = translate(language, "Newest")
        for column, name, label, whole, listed in (
            (begin, "from", N_("From"), oldest, periods),
            (end, "to", N_("To"), newest, periods[::-1]),
        ):
            column.selectbox(
                translate(language, label),
                ["", *listed],
                key=_state(name),
                on_change=_forget_unknown,
                format_func=_say_period_or(whole, language),
            )
        for choice in CHOICES:
            if choice.place == "first" or (choice.place == "when chosen" and state[_state(choice.parameter)]):
                _show_choice(choice, options, language)
        with st.expander(translate(language, "More filters"), expanded=is_more_open, key="filters.more"):
            for choice in CHOICES:
                if choice.place == "more":
                    _show_choice(choice, options, language)
            st.date_input(
                translate(language, "As known at the end of"),
                value=None,
                key=_state("known"),
                format="YYYY-MM-DD",
                min_value=options.first_known_on,
                max_value=options.last_known_on,
                help=translate(
                    language, "Shows what was known at the end of that day (UTC). Empty: everything known today."
                ),
                on_change=_forget_unknown,
            )
        st.button(
            translate(language, "Clear filters"),
            on_click=_clear_filters,
            type="tertiary",
            icon=":material/filter_alt_off:",
        )


def _show_choice(choice: Choice, options: Options, language: Language) -> None:
    labels = options.choices[choice.dimension]
    key = _state(choice.parameter)
    # All items of all checklists would be a long list to send; the ones chosen can be taken away here.
    listed = st.session_state[key] if choice.place == "when chosen" else list(labels)
    is_type = choice.dimension == "inspection_type"
    st.multiselect(
        translate(language, choice.label),
        listed,
        key=key,
        on_change=_forget_unknown,
        format_func=_label(labels, language),
        placeholder=translate(language, "All"),
        select_all=False,
        help=translate(
            language,
            "A self-check and an outside check do not measure the same thing. Chosen together, or with none chosen, "
            "their answers are added up.",
        )
        if is_type
        else None,
    )


def _say_period_or(whole: str, language: Language) -> Callable[[str], str]:
    return lambda period: say_period(period, language) if period else whole


def _label(labels: Mapping[str, Label], language: Language) -> Callable[[str], str]:
    """What a widget calls an id."""
    return lambda value: labels[value].say(language)


def _read_widgets(language: Language) -> Selection:
    state = st.session_state
    return Selection(
        language=language,
        grain=state[_state("per")],
        from_period=state[_state("from")] or None,
        to_period=state[_state("to")] or None,
        chosen=tuple((choice.dimension, tuple(state[_state(choice.parameter)])) for choice in CHOICES),
        known_on=state[_state("known")],
    )
