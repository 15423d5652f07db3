"""How a self-check was filled in, beside those of all others: signs that are worth a look, and prove nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pandas as pd

from dashboard.downloads import Column
from dashboard.panels import Panel, remembered, say_nothing
from dashboard.view import View
from dashboard.words import N_, join_sentences, say_number, say_percent
from insights.tick_box import MIN_ANSWERS, MIN_ENTITIES, SIGNS, judge_self_checks

SELF_CHECK: Final = "self_check"
HALF: Final = "fiscal_half"
PLACES: Final = ("entity", "region", "country", "business_group", "entity_kind")
LABELS: Final = {
    "longest_run": N_("Longest identical run"),
    "variability": N_("Variability"),
    "copied_share": N_("Answered as before"),
    "telling_copied_share": N_("As before, telling answers"),
    "met_without_evidence_share": N_("Met without evidence"),
    "not_applicable_share": N_("Not applicable"),
}
MEANINGS: Final = {
    "longest_run": N_("Items in a row with one verdict (Curran 2016)."),
    "variability": N_("Standard deviation of the scores 0, ½ and 1; unusual when low for its mean score."),
    "copied_share": N_("Verdict, comment and evidence as before, of the items answered in both rounds."),
    "telling_copied_share": N_("The same, of answers that say more than “met” or “not applicable”: this is judged."),
    "met_without_evidence_share": N_("Of the met answers that say whether there is evidence."),
    "not_applicable_share": N_("Of the items answered in both rounds; unusual when more became not applicable."),
}
JUDGED_BY: Final = {sign: sign for sign in SIGNS if sign != "copied_share"} | {"telling_copied_share": "copied_share"}
"""The sign by which each row is judged; the whole copied share is not, because all repeats where nothing changes."""


def show_tick_box(view: View, code: str) -> None:
    """Signs of the entity's newest self-check shown, or that there is none."""
    half = find_half(view)
    if half is None:
        silence = view.say("There is no self-check of this entity in the periods shown.")
        say_nothing(view, "entity-tick-box", view.say("How the self-check was filled in"), silence)
        return
    earlier = find_earlier(view, half)
    found = judge_group(view, half, earlier)
    row = found[found["entity"] == code]
    if row.empty or not row["answers"].iloc[0]:
        silence = view.say("The self-check of {period} has no answers.", period=view.say_period(half))
        say_nothing(view, "entity-tick-box", title_signs(view, half), silence)
    else:
        show_signs(view, code, half, earlier)


def title_signs(view: View, half: str) -> str:
    """Title of the panel."""
    return view.say("How the self-check of {period} was filled in", period=view.say_period(half))


def find_half(view: View) -> str | None:
    """The newest half shown in which the entity handed in a self-check."""
    frame = view.hold(inspection_type=(SELF_CHECK,)).ask(("answers",), (HALF,), with_entities=False)
    return max(frame.loc[frame["answers"] > 0, HALF], default=None)


def find_earlier(view: View, half: str) -> str:
    """The half a year earlier where there is anything of it, else the half before."""
    year, part = int(half[2:6]), half[-1]
    a_year_ago = f"FY{year - 1}-H{part}"
    before = f"FY{year}-H1" if part == "2" else f"FY{year - 1}-H2"
    return a_year_ago if a_year_ago in view.options.periods["half"] else before


def judge_group(view: View, half: str, earlier: str) -> pd.DataFrame:
    """Signs of every self-check of a half, of the whole group: found once, whoever looks and whatever is shown."""
    selection = replace(view.selection, language="en", grain="half", from_period=None, to_period=None)
    everyone: dict[str, tuple[str, ...]] = dict.fromkeys(PLACES, ())
    group = replace(view, selection=selection).hold(**everyone, inspection_type=(SELF_CHECK,))
    return group.remember(
        f"signs of self-checks {half} {earlier}", lambda: judge_self_checks(group.read_round(half, earlier))
    )


@remembered
def show_signs(view: View, code: str, half: str, earlier: str) -> Panel:
    """Each sign of the entity beside the median of all others."""
    found = judge_group(view, half, earlier)
    is_own = found["entity"] == code
    own, others = found[is_own].iloc[0], found[~is_own]
    rows = pd.DataFrame({"sign": list(LABELS)})
    table = rows.assign(
        name=[view.say(text) for text in LABELS.values()],
        mark=[say_mark(view, own, JUDGED_BY.get(sign)) for sign in LABELS],
        own=[write_sign(view, own, sign) for sign in LABELS],
        others=[write_figure(sign, others[sign].median()) for sign in LABELS],
        meaning=[view.say(text) for text in MEANINGS.values()],
    )
    notes = [
        view.say(
            "Signs by which a self-check stands out from the others of its round; worth a look, with many innocent "
            "explanations: a truly compliant entity also answers the same throughout."
        ),
        view.say("Others: median of {number}.", number=say_number(len(others))),
        say_all_met(view, own),
        view.say("Nobody is judged with fewer than {least} entities to compare.", least=MIN_ENTITIES)
        if len(found) < MIN_ENTITIES
        else "",
    ]
    return Panel(
        key="entity-tick-box",
        title=title_signs(view, half),
        table=table,
        columns=(
            Column("name", view.say("Sign"), "text"),
            Column("mark", view.say("Mark"), "text"),
            Column("own", view.say("This entity"), "text"),
            Column("others", view.say("Others"), "text"),
            Column("meaning", view.say("What it is"), "text"),
        ),
        note=join_sentences(view.language, notes),
        definition=view.say(
            "Self-checks only, whatever inspection types are chosen; the earlier round is {earlier}. Each sign is set "
            "against all self-checks of the half in units of their median absolute deviation, and of no less than "
            "chance alone gives; the marks hold false alarms to 5 % of those marked (Benjamini and Hochberg 1995). A "
            "sign needs {answers} answers and {entities} entities, and an entity with one verdict throughout is not "
            "judged by its run.",
            earlier=view.say_period(earlier),
            answers=MIN_ANSWERS,
            entities=MIN_ENTITIES,
        ),
    )


def say_mark(view: View, own: pd.Series, judged_by: str | None) -> str:
    """Whether a sign is worth a look; nothing where the row only explains another."""
    if judged_by is None:
        return ""
    if pd.isna(own[f"{judged_by}_p"]):
        return view.say("not judged")
    return view.say("● worth a look") if own[f"{judged_by}_is_unusual"] else view.say("nothing unusual")


def say_all_met(view: View, own: pd.Series) -> str:
    """That every applicable answer is met, which says nothing by itself."""
    return view.say("Here every applicable item is met.") if own["all_met"] else ""


def write_sign(view: View, own: pd.Series, sign: str) -> str:
    """A figure of the entity, with what it is counted of."""
    number = {
        "longest_run": own["answers"],
        "copied_share": own["compared"],
        "telling_copied_share": own["telling"],
        "not_applicable_share": own["compared"],
    }.get(sign)
    figure = write_figure(sign, own[sign])
    if number is None or pd.isna(own[sign]):
        return figure
    return view.say("{figure} of {number}", figure=figure, number=say_number(number))


def write_figure(sign: str, value: float) -> str:
    """A figure as it is shown: items, a standard deviation, or a share."""
    if sign == "longest_run":
        return say_number(value)
    if sign == "variability":
        return say_percent(None) if pd.isna(value) else f"{value:.2f}"
    return say_percent(value)
