"""The entrance: every run begins here. Whoever may see something gets in as a Reader; everybody else sees why not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final, ParamSpec, cast

import streamlit as st

from dashboard import answers
from dashboard.access import logins, settings, trail
from dashboard.access.audit import Event
from dashboard.access.logins import LoginsProblem
from dashboard.access.policy import ROLES, Grant
from dashboard.access.reader import EVERYBODY, THIS_MACHINE, Reader, Reason, Refusal, identify
from dashboard.words import N_, Language, join_values, plain, translate
from metrics.warehouse import find_home

READER_STATE: Final = "access.reader"
REFUSED_STATE: Final = "access.refused"
GRANT_STATE: Final = "access.grant"
MOST_NAMED: Final = 3
Given = ParamSpec("Given")

SENTENCES: Final[dict[Reason, str]] = {
    "audience": N_("This sign-in was made for another application."),
    "claim": N_(
        "Your sign-in says nothing of: {value}. Ask whoever runs the identity provider to put it into the ID token."
    ),
    "unverified": N_("The identity provider has not verified your address."),
    "too_old": N_("You signed in more than {value} hours ago."),
    "idle": N_("Nothing was done here for {value} minutes."),
    "ended": N_("This sign-in has ended."),
    "revoked": N_("The access of {value} was withdrawn."),
    "not_named": N_("You are signed in as {value}, and nothing is open to you. Ask whoever keeps access.toml."),
    "policy": N_("Nobody sees anything until access.toml can be used again. Ask whoever runs Tenken."),
    "logins": N_("Sign-ins cannot be recorded on the server, so that nobody is let in. Ask whoever runs Tenken."),
}
AGAIN: Final[tuple[Reason, ...]] = ("too_old", "idle", "ended", "audience")
"""Reasons that signing in again does away with."""


def let_in(language: Language) -> Reader | None:
    """The reader of this run, or None after saying what is to be done first."""
    if not settings.is_served_by_tenken():
        st.error(translate(language, "Tenken serves its pages by itself: start it with python -m dashboard."))
        return None
    if not settings.is_sign_in_on():
        st.session_state[READER_STATE] = EVERYBODY
        return EVERYBODY
    found = find_reader()
    if isinstance(found, Reader):
        found = _use(found)
    if isinstance(found, Reader):
        st.session_state[READER_STATE] = found
        st.session_state.pop(REFUSED_STATE, None)
        return found
    st.session_state.pop(READER_STATE, None)
    if found is None:
        show_door(language)
    else:
        _note_refusal(found)
        show_refusal(found, language)
    return None


def current_reader() -> Reader:
    """The reader of this run; only where let_in() has let somebody in."""
    return cast(Reader, st.session_state[READER_STATE])


def find_reader() -> Reader | Refusal | None:
    """Whoever is signed in, as the policy and the record of logins stand now; None where nobody is."""
    if not settings.is_sign_in_on():
        return EVERYBODY
    claims = read_claims()
    if claims is None:
        return None
    found = identify(claims, find_home())
    return _act(found) if isinstance(found, Reader) else found


def read_claims() -> Mapping[str, Any] | None:
    """What the token said of who is signed in; None where nobody is."""
    return st.user.to_dict() if getattr(st.user, "is_logged_in", False) is True else None


def find_client() -> str:
    """The address of the reader's machine, the proxy's word for it where the proxy is trusted."""
    return st.context.ip_address or THIS_MACHINE


def is_changed() -> bool:
    """Whether the reader of this run would not be let in as the same one now."""
    return find_reader() != st.session_state.get(READER_STATE)


def only_for(role: str) -> Callable[[Callable[Given, None]], Callable[Given, None]]:
    """Guard a callback, which runs before let_in() does: it does nothing for whoever is not let in in the role now."""

    def guard(act: Callable[Given, None]) -> Callable[Given, None]:
        @wraps(act)
        def run(*args: Given.args, **more: Given.kwargs) -> None:
            found = find_reader()
            if isinstance(found, Reader) and found.has_role(role):
                act(*args, **more)

        return run

    return guard


def hand_over(make: Callable[[], bytes], name: str, rows: int) -> Callable[[], bytes]:
    """A file to be taken by the reader of this run: noted when it is, and refused to whoever is let in no more."""
    reader, claims, came_from = current_reader(), read_claims(), find_client()

    def take() -> bytes:
        # The file is made outside any run, when the page may long have been open.
        if reader.is_signed_in:
            found = identify(claims or {}, find_home())
            if isinstance(found, Refusal) or reader.grant not in found.grants:
                raise PermissionError(f"{reader.address} asked for {name}, and is let in no more.")
        trail.note("downloaded", reader, came_from, rows={name: rows}, detail=name)
        if problem := trail.find_problem(reader):
            raise PermissionError(problem)
        return make()

    return take


def note_act(event: Event, detail: str) -> None:
    """Append what the reader does in a callback."""
    found = find_reader()
    if isinstance(found, Reader):
        trail.note(event, found, find_client(), detail=detail)


def show_banner(language: Language) -> None:
    """Say that sign-in is off, where it is."""
    if not current_reader().is_signed_in:
        with st.container(key="sign-in-is-off"):
            st.caption(
                ":material/lock_open: "
                + translate(language, "Sign-in is off: whoever reaches this address sees everything.")
            )


def show_reader(language: Language) -> None:
    """Who is signed in, under which grant, and the way out; in the sidebar."""
    reader = current_reader()
    if not reader.is_signed_in:
        return
    with st.sidebar.container(key="reader", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(reader.address, width="stretch")
            st.button(translate(language, "Sign out"), on_click=st.logout, type="tertiary", icon=":material/logout:")
        if len(reader.grants) > 1:
            st.selectbox(
                translate(language, "Acting as"),
                list(range(len(reader.grants))),
                format_func=lambda place: say_grant(reader.grants[place], language),
                key=GRANT_STATE,
                on_change=_note_change,
            )
        else:
            st.caption(plain(say_grant(reader.grant, language)))


def say_grant(grant: Grant, language: Language) -> str:
    """Role and reach in words; units by their names where there is a build that has them."""
    reach = grant.reach
    build = answers.find_build(EVERYBODY.holding(grant))
    units = [
        answers.read_names(build, dimension, language).get(code, code) if build else code
        for dimension, codes in (
            ("region", reach.regions),
            ("business_group", reach.business_groups),
            ("entity", reach.entities),
        )
        for code in codes
    ]
    parts = [translate(language, "Whole group")] if reach.is_group else units or [translate(language, "No figures")]
    if len(parts) > MOST_NAMED:
        rest = translate(language, "{number} more", number=len(parts) - MOST_NAMED)
        parts = [*parts[:MOST_NAMED], rest]
    return f"{translate(language, ROLES[grant.role])} · {join_values(language, parts)}"


def show_door(language: Language) -> None:
    """The way in, and nothing else."""
    with st.container(key="door", horizontal_alignment="center", gap="medium"):
        st.title("Tenken", anchor=False, text_alignment="center")
        st.text(
            translate(language, "Where the group's information security is weak, and how sure that is."),
            text_alignment="center",
        )
        st.button(translate(language, "Sign in"), on_click=st.login, type="primary", icon=":material/login:")


def show_refusal(refusal: Refusal, language: Language) -> None:
    """Why somebody is not let in, and what to do."""
    with st.container(key="door", horizontal_alignment="center", gap="medium"):
        st.title("Tenken", anchor=False, text_alignment="center")
        # As plain text: Markdown would make a link of an address.
        st.text(translate(language, SENTENCES[refusal.reason], value=refusal.value), text_alignment="center")
        if refusal.reason in AGAIN:
            st.button(translate(language, "Sign in again"), on_click=st.login, type="primary", icon=":material/login:")
        else:
            st.button(translate(language, "Sign out"), on_click=st.logout, icon=":material/logout:")


def _act(reader: Reader) -> Reader:
    """The reader under the grant that they chose."""
    place = st.session_state.get(GRANT_STATE, 0)
    if not isinstance(place, int) or not 0 <= place < len(reader.grants):
        place = st.session_state[GRANT_STATE] = 0
    return reader.under(place)


def _use(reader: Reader) -> Reader | Refusal:
    try:
        if logins.use(find_home(), reader.login):
            trail.note("signed_in", reader, find_client())
    except LoginsProblem as problem:
        return Refusal("logins", reader.address, detail=str(problem))
    return reader


def _note_change() -> None:
    found = find_reader()
    if isinstance(found, Reader):
        note_act("changed_role", found.grant.say())


def _note_refusal(refusal: Refusal) -> None:
    """One record for each reason, however often the page runs."""
    if st.session_state.get(REFUSED_STATE) != refusal:
        st.session_state[REFUSED_STATE] = refusal
        trail.note_refusal(refusal, find_client())
