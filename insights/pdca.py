"""How far an entity has come in the PDCA cycle of a year, and what keeps it from going on."""

from __future__ import annotations

from typing import Final

import pandas as pd

STAGES: Final = ("plan", "do", "check", "act", "closed")
REASONS: Final = (
    "no_plan",
    "nothing_performed_yet",
    "missing_inspections",
    "inspections_to_come",
    "findings_without_action",
    "overdue_actions",
    "open_actions",
    "open_findings",
)
COUNTS: Final = (
    "planned", "performed", "missing", "findings", "open_findings", "actions", "open_actions", "overdue_actions",
)  # fmt: skip


def find_stages(counts: pd.DataFrame) -> pd.DataFrame:
    """The stage in which each entity stands, and `blocked_by`: the codes of what keeps it there, in order.

    One row per entity and year with the numbers that COUNTS names; a missing number is nothing. An entity stands in
    the first stage whose condition is not met:

    - plan: passed when an inspection of the year is planned (else `no_plan`);
    - do: the measures are in operation. Inspections do not show that themselves, so the stage counts as passed when
      the first planned inspection has a result (else `nothing_performed_yet`);
    - check: passed when every planned inspection has a result (else `missing_inspections` past their due day, or
      `inspections_to_come` whose day has not come);
    - act: passed when no finding and no corrective action is open (else `findings_without_action`,
      `overdue_actions`, `open_actions` that are not overdue, `open_findings`);
    - closed: nothing is left.

    A column `findings_without_action` counts open findings for which no action is recorded. Without it, that is
    as many as the open findings are more than the actions, which is the least that there can be.
    """
    frame = counts.reindex(columns=[*COUNTS]).astype(float).fillna(0)
    if "findings_without_action" in counts:
        without = counts["findings_without_action"].astype(float).fillna(0)
    else:
        without = frame["open_findings"] - frame["actions"]
    is_planned = frame["planned"] > 0
    is_begun = frame["performed"] > 0
    is_checked = frame["performed"] >= frame["planned"]
    is_done = (frame["open_findings"] <= 0) & (frame["open_actions"] <= 0)
    stages = pd.Series("closed", index=frame.index, dtype=object)
    # From the last condition to the first, so that the first one that is not met decides.
    for stage, is_passed in (("act", is_done), ("check", is_checked), ("do", is_begun), ("plan", is_planned)):
        stages = stages.where(is_passed, stage)
    in_check = stages.isin(("do", "check"))
    in_act = stages == "act"
    holds = {
        "no_plan": stages == "plan",
        "nothing_performed_yet": stages == "do",
        "missing_inspections": in_check & (frame["missing"] > 0),
        "inspections_to_come": in_check & (frame["planned"] - frame["performed"] > frame["missing"]),
        "findings_without_action": in_act & (without > 0),
        "overdue_actions": in_act & (frame["overdue_actions"] > 0),
        "open_actions": in_act & (frame["open_actions"] > frame["overdue_actions"]),
        "open_findings": in_act & (frame["open_findings"] > 0),
    }
    marks = [holds[reason].tolist() for reason in REASONS]
    blocked = [
        tuple(reason for reason, is_held in zip(REASONS, row, strict=True) if is_held)
        for row in zip(*marks, strict=True)
    ]
    return pd.DataFrame({"stage": stages, "blocked_by": pd.Series(blocked, index=frame.index, dtype=object)})
