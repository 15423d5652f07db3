"""The files of a batch one by one: how each is understood, what is wrong with it, and what is settled about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd
import streamlit as st

from dashboard.access import entrance
from dashboard.data.import_settings import offer_taking_back, show_settings
from dashboard.data.import_words import (
    GIVEN,
    Colour,
    Desk,
    say_advice,
    say_field,
    say_kind,
    say_reason,
    say_rows,
    say_value,
)
from dashboard.inbox import Batch, Look
from dashboard.panels import XLSX
from dashboard.words import N_, Label, join_values, plain, say_number

FILES_A_PAGE: Final = 10
TABLE_HEIGHT: Final = 320
ROWS_WITHOUT_SCROLLING: Final = 8
Group = Literal["all", "needs", "refused", "known"]
GROUPS: Final[Mapping[Group, str]] = {
    "all": N_("All"),
    "needs": N_("Needs something"),
    "refused": N_("With refused rows"),
    "known": N_("Nothing new"),
}
Stage = Literal["check", "publish"]
REFUSAL_COLUMNS: Final = {
    "sheet": N_("Sheet"),
    "row": N_("Row"),
    "column": N_("Column"),
    "value": N_("Value"),
    "problem": N_("Problem"),
    "advice": N_("What to do"),
    "reason": N_("Reason"),
    "suggestion": N_("Probably meant"),
}


def show_files(desk: Desk, batch: Batch, look: Look) -> None:
    """A page of the files as they were checked, those that need something first."""
    assert look.check and look.check.answer
    loads = sorted(look.check.answer["loads"], key=_weigh)
    st.subheader(desk.say("Files"), anchor=False)
    if len(loads) > FILES_A_PAGE:
        loads = _narrow(desk, loads)
    _list_files(desk, batch, look, look.check.answer, loads, "check")
    offer_taking_back(desk, batch, look)


def show_refused_files(desk: Desk, batch: Batch, look: Look) -> None:
    """The published files of which rows were refused, to be mended and dropped again."""
    assert look.publish and look.publish.answer
    loads = [load for load in look.publish.answer["loads"] if load["rows_refused"]]
    if loads:
        st.text(desk.say("Rows of these files were refused. They can be mended and dropped again at any time."))
        _list_files(desk, batch, look, look.publish.answer, loads, "publish")


def _list_files(
    desk: Desk,
    batch: Batch,
    look: Look,
    answer: Mapping[str, Any],
    loads: Sequence[Mapping[str, Any]],
    stage: Stage,
) -> None:
    pages = max(1, -(-len(loads) // FILES_A_PAGE))
    key = f"imports.{stage}.{batch.name}"
    page = min(int(st.session_state.get(key, 1) or 1), pages)
    refusals: dict[str, list[dict[str, Any]]] = {}
    for one in answer["refusals"]:
        refusals.setdefault(one["file"], []).append(one)
    seen: dict[str, int] = {}
    for number, load in enumerate(loads):
        name = str(load["file"])
        seen[name] = seen.get(name, 0) + 1
        if (page - 1) * FILES_A_PAGE <= number < page * FILES_A_PAGE:
            same = [one for one in look.uploads if one.name == (load["package"] or name)]
            upload = same[min(seen[name], len(same)) - 1] if same else None
            file = _File(load, refusals.get(name, []), upload.key if upload else None, stage, number)
            _show_file(desk, batch, look, file, bool(answer.get("refusals_left_out")))
    if pages > 1:
        st.pagination(pages, key=key, default=page)


def _narrow(desk: Desk, loads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The files of the group that the steward chose."""
    groups: dict[Group, list[dict[str, Any]]] = {
        "all": loads,
        "needs": [load for load in loads if load["is_refused"]],
        "refused": [load for load in loads if load["rows_refused"]],
        "known": [load for load in loads if load["is_known"]],
    }
    listed = [name for name, some in groups.items() if some]
    chosen = st.segmented_control(
        desk.say("Show"),
        listed,
        format_func=lambda name: f"{desk.say(GROUPS[name])} ({say_number(len(groups[name]))})",
        default="all",
        required=True,
        key="imports.group",
        label_visibility="collapsed",
    )
    return groups.get(chosen, loads)


def _weigh(load: Mapping[str, Any]) -> tuple[int, str]:
    """What needs something comes first, what is known already last."""
    rank = 0 if load["is_refused"] else 1 if load["rows_refused"] else 3 if load["is_known"] else 2
    return rank, str(load["file"])


def _judge(load: Mapping[str, Any]) -> tuple[str, str, Colour]:
    """How a file stands: what that is called, its icon and its colour."""
    if load["needs"]:
        return N_("Needs something"), "edit", "orange"
    if load["is_refused"]:
        return N_("Cannot be loaded"), "error", "red"
    if load["is_known"]:
        return N_("Nothing new"), "history", "gray"
    if load["rows_refused"]:
        return N_("Some rows refused"), "warning", "orange"
    return N_("Good"), "check_circle", "green"


@dataclass(frozen=True, slots=True)
class _File:
    """A file of a check or a publication: what was refused of it, and the upload that it is, while that is there."""

    load: Mapping[str, Any]
    refusals: Sequence[Mapping[str, Any]]
    upload: str | None
    stage: Stage
    number: int

    def key(self, batch: Batch) -> str:
        """Tells its widgets from those of other files."""
        stage = "" if self.stage == "check" else "published-"
        return f"{stage}{batch.name}-{self.number}-{self.load['file']}"


def _show_file(desk: Desk, batch: Batch, look: Look, file: _File, is_cut: bool) -> None:
    """One file: how it stands, what to do, and behind that its details."""
    load = file.load
    label, icon, colour = _judge(load)
    with st.container(border=True, key=f"file-{file.stage}-{file.number}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(desk.say(label), icon=f":material/{icon}:", color=colour)
            st.markdown(f"**{plain(str(load['file']))}**", width="stretch")
        source = Label(load["label"]["en"], load["label"]["ja"]).say(desk.language) if load["label"] else ""
        facts = [source, say_rows(desk, load)]
        if load["package"]:
            facts.append(desk.say("in {package}", package=load["package"]))
        if any(facts):
            st.text(" · ".join(fact for fact in facts if fact))
        if load["needs"]:
            missing = join_values(desk.language, [desk.say(GIVEN[name]) for name in load["needs"] if name in GIVEN])
            st.text(desk.say("The file does not say this; give it under Settings: {missing}.", missing=missing))
        elif load["reason_code"] == "unknown_source":
            st.text(desk.say("No source describes this layout yet: choose one under Settings, or describe it there."))
            st.caption(plain(str(load["reason"])))
        elif load["reason"]:
            said = [
                say_reason(desk, load["reason_code"]) or desk.say("Cannot be loaded"),
                say_advice(desk, load["reason_code"]),
            ]
            st.text(" · ".join(part for part in said if part))
            st.caption(plain(str(load["reason"])))
        details = st.expander(desk.say("Details"), type="compact", key=f"details-{file.key(batch)}", on_change="rerun")
        if details.open:
            with details:
                if file.stage == "publish":
                    _show_refused(desk, batch, file, is_cut)
                else:
                    _show_details(desk, batch, look, file, is_cut)


def _show_details(desk: Desk, batch: Batch, look: Look, file: _File, is_cut: bool) -> None:
    """The three tabs of a file; the one that matters most is open."""
    load, key = file.load, file.key(batch)
    names = {
        "understood": desk.say("As understood"),
        "refused": desk.say("Refused ({number})", number=say_number(load["rows_refused"]))
        if load["rows_refused"]
        else desk.say("Refused"),
        "settings": desk.say("Settings"),
    }
    first = "settings" if load["is_refused"] else "refused" if load["rows_refused"] else "understood"
    tabs = st.tabs(list(names.values()), key=f"tabs-{key}", on_change="rerun", default=names[first])
    for name, tab in zip(names, tabs, strict=True):
        if not tab.open:
            continue
        with tab:
            if name == "understood":
                _show_understood(desk, load, key)
            elif name == "refused":
                _show_refused(desk, batch, file, is_cut)
            else:
                show_settings(desk, batch, look, load, file.upload, key)


def _show_understood(desk: Desk, load: Mapping[str, Any], key: str) -> None:
    """The first good rows, as they will be shown once they are published."""
    if load["is_known"]:
        st.text(desk.say("This file was loaded before, or is in this batch twice; there is nothing new in it."))
        return
    shown = [one for one in load["preview"] if one["rows"]]
    if not shown:
        st.text(desk.say("No row of this file can be loaded yet."))
    for place, one in enumerate(shown):
        columns = [name for index, name in enumerate(one["columns"]) if any(row[index] for row in one["rows"])]
        frame = pd.DataFrame(one["rows"], columns=one["columns"], dtype=object)[columns]
        table = pd.DataFrame({name: [say_value(desk, name, cell) for cell in frame[name]] for name in columns})
        kind = say_kind(desk, one["kind"])
        st.caption(desk.say("{kind}: the first rows as they will be loaded", kind=plain(kind)))
        _show_table(table, {name: say_field(desk, name) for name in columns}, kind, f"{key}-understood-{place}")


def _show_refused(desk: Desk, batch: Batch, file: _File, is_cut: bool) -> None:
    """Every refused row and cell with its reason, and the workbook in which they can be mended."""
    refusals, key = file.refusals, file.key(batch)
    if not refusals:
        st.text(desk.say("Nothing was refused."))
        return
    rows = [
        {name: "" if one.get(name) is None else str(one[name]) for name in REFUSAL_COLUMNS}
        | {"problem": say_reason(desk, one["reason_code"]), "advice": say_advice(desk, one["reason_code"])}
        for one in refusals
    ]
    table = pd.DataFrame(rows, columns=list(REFUSAL_COLUMNS))
    used = [name for name in table if name in ("reason", "value") or (table[name] != "").any()]
    labels = {name: desk.say(REFUSAL_COLUMNS[name]) for name in used}
    _show_table(table[used], labels, desk.say("Refused rows and cells"), f"{key}-refused", wide=("reason", "advice"))
    if is_cut:
        st.caption(desk.say("There are more than are listed; the workbook has them."))
    workbook = _find_workbook(batch, file.load)
    if workbook:
        st.text(desk.say("Mend the marked cells in the workbook, save it, and drop it here as it is."))
        st.download_button(
            desk.say("Download the refused rows"),
            entrance.hand_over(workbook.read_bytes, workbook.name, len(refusals)),
            file_name=workbook.name,
            mime=XLSX,
            key=f"download-{key}",
            on_click="ignore",
            icon=":material/download:",
        )
    else:
        st.text(desk.say("Mend the file where it comes from, and drop it again."))


def _find_workbook(batch: Batch, load: Mapping[str, Any]) -> Path | None:
    """The workbook of refused rows, where it lies in the batch."""
    if not load["refused_workbook"]:
        return None
    path = Path(str(load["refused_workbook"])).resolve()
    return path if path.is_relative_to((batch.folder / "refused").resolve()) and path.is_file() else None


def _show_table(table: pd.DataFrame, labels: Mapping[str, str], alt: str, key: str, wide: Sequence[str] = ()) -> None:
    config = {
        name: st.column_config.TextColumn(label, width="large" if name in wide else None)
        for name, label in labels.items()
    }
    tall: int | Literal["content"] = TABLE_HEIGHT if len(table) > ROWS_WITHOUT_SCROLLING else "content"
    st.dataframe(table, hide_index=True, column_config=config, height=tall, alt=alt, key=key, placeholder="")
