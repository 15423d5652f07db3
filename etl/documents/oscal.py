"""OSCAL assessment results and plan of action and milestones (JSON), as tables of findings, actions and observations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from etl.cells import Unreadable
from etl.documents.document import Document, join_texts, make_table
from etl.documents.json_parts import Part
from etl.documents.moments import earliest, in_utc, latest

RESULTS: Final = "assessment-results"
PLAN: Final = "plan-of-action-and-milestones"
WORDS: Final = (RESULTS, PLAN)

FINDINGS: Final = (
    "Kind", "Document", "Document title", "Document version", "Last modified", "OSCAL version", "Result", "Result title",
    "Start", "End", "Finding", "Title", "Description", "Target type", "Target", "State", "Reason",
    "Implementation status", "Collected", "Has evidence", "Remarks", "Risks", "Risk status", "Is closed", "Closed on",
    "Deadline", "Impact", "Likelihood", "Raised on", "Is nonconformity",
)  # fmt: skip
ACTIONS: Final = (
    "Document", "Last modified", "Result", "Action", "Finding", "Risk", "Title", "Description", "Type", "Lifecycle",
    "Owner", "Deadline", "Tasks", "Tasks end", "Completed on",
)  # fmt: skip
OBSERVATIONS: Final = (
    "Document", "Result", "Observation", "Title", "Description", "Methods", "Types", "Collected", "Expires", "Remarks",
    "Evidence", "Named by",
)  # fmt: skip

Cells = dict[str, str | None]


def read_oscal(root: Part) -> Document | None:
    """Assessment results or a plan of action and milestones, else None. Raises Unreadable."""
    if RESULTS in root.values:
        results = root.part(RESULTS)
        head = _head(results)
        sections = [_Section(one, head | _result_cells(one), results) for one in results.parts("results")]
        return _document("oscal_assessment_results", sections)
    if PLAN in root.values:
        plan = root.part(PLAN)
        return _document("oscal_poam", [_Section(plan, _head(plan), plan)])
    return None


def _head(document: Part) -> Cells:
    metadata = document.part("metadata")
    version = metadata.text("oscal-version")
    if version and not version.startswith("1."):
        raise Unreadable(
            "unknown_version", f"The file is of OSCAL {version[:40]}; Tenken reads OSCAL 1. Export it in that version."
        )
    return {
        "Document": document.text("uuid"),
        "Document title": metadata.text("title"),
        "Document version": metadata.text("version"),
        "Last modified": in_utc(metadata.text("last-modified")),
        "OSCAL version": version,
    }


def _result_cells(result: Part) -> Cells:
    return {
        "Result": result.text("uuid"),
        "Result title": result.text("title"),
        "Start": result.text("start"),
        "End": result.text("end"),
    }


def _document(name: str, sections: list[_Section]) -> Document:
    _tell_nonconformities(sorted(sections, key=lambda one: one.moment))
    return Document(
        name,
        {
            "findings": make_table(FINDINGS, (cells for one in sections for cells in one.findings)),
            "actions": make_table(ACTIONS, (cells for one in sections for cells in one.actions())),
            "observations": make_table(OBSERVATIONS, (cells for one in sections for cells in one.observation_cells())),
        },
    )


def _tell_nonconformities(sections: list[_Section]) -> None:
    """Mark, of results in the order of time, the rows that tell how each nonconformity stands, and since when.

    Every later result tells a finding again: the last that is not satisfied speaks for it, and a later one that is
    satisfied closes it.
    """
    standing: dict[tuple[str | None, str | None], list[Cells]] = {}
    for section in sections:
        told: dict[tuple[str | None, str | None], list[Cells]] = {}
        for cells in section.findings:
            key = (cells["Kind"], cells["Finding"])
            before = standing.get(key, [])
            if _is_satisfied(cells):
                for earlier in before:
                    earlier |= {"Is closed": "true", "Closed on": cells.get("End") or cells.get("Start")}
                continue
            is_the_same = any(earlier["Is closed"] != "true" for earlier in before)
            since = [earlier["Raised on"] for earlier in before] if is_the_same else []
            cells["Raised on"] = earliest([cells["Raised on"], *since])
            cells["Is nonconformity"] = "true"
            told.setdefault(key, []).append(cells)
        for key, rows in told.items():
            for earlier in standing.get(key, []):
                earlier["Is nonconformity"] = "false"
            standing[key] = rows


def _is_satisfied(cells: Cells) -> bool:
    # An item of a plan is there to be done, whatever the findings behind it say.
    return cells["Kind"] == "finding" and (cells["State"] or "").strip().lower() == "satisfied"


@dataclass(frozen=True, slots=True)
class _Risk:
    """A risk: what is known of it, and what is to be done about it."""

    part: Part
    uuid: str | None
    status: str | None
    closed_on: str | None
    deadline: str | None
    impact: str | None
    likelihood: str | None

    @property
    def is_closed(self) -> bool:
        return self.status == "closed"


def _risk(part: Part) -> _Risk:
    facets = [facet for one in part.parts("characterizations") for facet in one.parts("facets")]
    levels = {name: join_texts(one.text("value") for one in facets if one.text("name") == name) for name in _LEVELS}
    closing = (one for one in part.part("risk-log").parts("entries") if one.text("status-change") == "closed")
    return _Risk(
        part,
        part.text("uuid"),
        part.text("status"),
        latest(one.text("end") or one.text("start") for one in closing),
        part.text("deadline"),
        join_texts(levels[name] for name in ("impact", "severity", "risk")),
        levels["likelihood"],
    )


_LEVELS: Final = ("impact", "severity", "risk", "likelihood")


class _Section:
    """A result of an assessment, or a whole plan: what findings and items say, joined with their risks and observations."""

    def __init__(self, part: Part, head: Cells, document: Part) -> None:
        self.part = part
        self.head = head
        self.moment = in_utc(head.get("End") or head.get("Start")) or ""
        self.roles, self.parties = _names(document.part("metadata"))
        self.risks = [_risk(one) for one in part.parts("risks")]
        self.observations = part.parts("observations")
        self._risks_by_uuid: dict[str | None, list[_Risk]] = {}
        for risk in self.risks:
            self._risks_by_uuid.setdefault(risk.uuid, []).append(risk)
        self._observations_by_uuid: dict[str | None, list[Part]] = {}
        for observation in self.observations:
            self._observations_by_uuid.setdefault(observation.text("uuid"), []).append(observation)
        self._naming: dict[str | None, list[str | None]] = {}
        self._risks_of: list[tuple[Cells, list[_Risk]]] = []
        self.findings = list(self._findings())

    def _findings(self) -> Iterator[Cells]:
        """One row per item and finding, then one per finding no item names and per risk that nothing names."""
        findings = self.part.parts("findings")
        by_uuid = {one.text("uuid"): one for one in findings}
        named_findings: set[str | None] = set()
        named_risks: set[str | None] = set()
        for item in self.part.parts("poam-items"):
            uuids = [one.text("finding-uuid") for one in item.parts("related-findings")]
            related = [by_uuid[uuid] for uuid in uuids if uuid in by_uuid]
            named_findings.update(uuids)
            yield self._finding("item", item, related, named_risks)
        for finding in findings:
            if finding.text("uuid") not in named_findings:
                yield self._finding("finding", finding, [finding], named_risks)
        for risk in self.risks:
            if risk.uuid not in named_risks:
                yield self._cells("risk", risk.part, [], [risk])

    def _finding(self, kind: str, part: Part, findings: list[Part], named_risks: set[str | None]) -> Cells:
        says = [part, *(one for one in findings if one is not part)]
        uuids = dict.fromkeys(
            risk.text("risk-uuid")
            for one in says
            # OSCAL 1.0 called them associated in findings and related in items.
            for key in ("related-risks", "associated-risks")
            for risk in one.parts(key)
        )
        risks = [risk for uuid in uuids for risk in self._risks_by_uuid.get(uuid, ())]
        cells = self._cells(kind, part, findings, risks)
        # An open risk behind a finding that is satisfied would vanish with it.
        named_risks.update(risk.uuid for risk in risks if risk.is_closed or not _is_satisfied(cells))
        return cells

    def _cells(self, kind: str, part: Part, findings: list[Part], risks: list[_Risk]) -> Cells:
        targets = [one.part("target") for one in findings]
        states = [target.part("status") for target in targets]
        observations = self._observations_of([part, *findings, *(risk.part for risk in risks)], part.text("uuid"))
        has_evidence = any(one.parts("relevant-evidence") for one in observations)
        remarks = [*(one.text("remarks") for one in states), part.text("remarks")]
        cells = self.head | {
            "Kind": kind,
            "Finding": part.text("uuid"),
            "Title": part.text("title"),
            "Description": part.text("description") or part.text("statement"),
            "Target type": join_texts(one.text("type") for one in targets),
            "Target": join_texts(one.text("target-id") for one in targets),
            "State": join_texts(one.text("state") for one in states),
            "Reason": join_texts(one.text("reason") for one in states),
            "Implementation status": join_texts(one.part("implementation-status").text("state") for one in targets),
            "Collected": earliest(one.text("collected") for one in observations),
            "Has evidence": ("true" if has_evidence else "false") if observations else None,
            "Remarks": join_texts(remarks, "\n"),
            "Risks": join_texts(risk.uuid for risk in risks),
            "Risk status": join_texts(risk.status for risk in risks),
            "Is closed": ("true" if all(risk.is_closed for risk in risks) else "false") if risks else None,
            "Closed on": latest(risk.closed_on for risk in risks),
            "Deadline": earliest(risk.deadline for risk in risks),
            "Impact": join_texts(risk.impact for risk in risks),
            "Likelihood": join_texts(risk.likelihood for risk in risks),
            "Is nonconformity": "false",
        }
        seen_on = (cells["Collected"], cells.get("End"), cells.get("Start"), cells["Last modified"])
        cells["Raised on"] = next((moment for moment in seen_on if moment), None)
        self._risks_of.append((cells, risks))
        return cells

    def _observations_of(self, parts: list[Part], named_by: str | None) -> list[Part]:
        uuids = dict.fromkeys(
            one.text("observation-uuid") for part in parts for one in part.parts("related-observations")
        )
        for uuid in uuids:
            self._naming.setdefault(uuid, []).append(named_by)
        return [one for uuid in uuids for one in self._observations_by_uuid.get(uuid, ())]

    def actions(self) -> Iterator[Cells]:
        """One row per remediation of each risk of each nonconformity; a deadline without one is an action of its own."""
        for finding, risks in self._risks_of:
            if finding["Is nonconformity"] == "true":
                shared = {key: finding.get(key) for key in ("Document", "Last modified", "Result", "Finding")}
                for cells in (cells for risk in risks for cells in self._actions_of(risk)):
                    # A remediation serves every finding of its risk, and each of them needs an action of its own.
                    parts = [finding["Finding"], cells["Action"]]
                    yield cells | shared | {"Action": "/".join(part for part in parts if part) or None}

    def _actions_of(self, risk: _Risk) -> Iterator[Cells]:
        remediations = risk.part.parts("remediations")
        for remediation in remediations:
            tasks = remediation.parts("tasks")
            uuid = remediation.text("uuid")
            entries = [
                entry
                for entry in risk.part.part("risk-log").parts("entries")
                if any(one.text("response-uuid") == uuid for one in entry.parts("related-responses"))
            ]
            ended = latest(one.text("end") or one.text("start") for one in entries) or risk.closed_on
            is_completed = remediation.text("lifecycle") == "completed"
            yield {
                "Action": uuid,
                "Risk": risk.uuid,
                "Title": remediation.text("title"),
                "Description": remediation.text("description"),
                "Type": join_texts(
                    one.text("value") for one in remediation.parts("props") if one.text("name") == "type"
                ),
                "Lifecycle": remediation.text("lifecycle"),
                "Owner": self._owner(tasks),
                "Deadline": risk.deadline,
                "Tasks": join_texts((one.text("title") for one in tasks), "\n"),
                "Tasks end": latest(_task_end(one) for one in tasks),
                "Completed on": (ended or self.head["Last modified"]) if is_completed else None,
            }
        if not remediations and risk.deadline:
            yield {
                "Action": risk.uuid,
                "Risk": risk.uuid,
                "Title": risk.part.text("title"),
                "Deadline": risk.deadline,
                "Completed on": (risk.closed_on or self.head["Last modified"]) if risk.is_closed else None,
            }

    def _owner(self, tasks: list[Part]) -> str | None:
        names: list[str | None] = []
        for role in (role for task in tasks for role in task.parts("responsible-roles")):
            role_id, uuids = role.text("role-id"), role.texts("party-uuids")
            names += [self.parties.get(uuid) or uuid for uuid in uuids] or [self.roles.get(role_id) or role_id]
        return join_texts(names)

    def observation_cells(self) -> Iterator[Cells]:
        """One row per observation, with the findings that name it."""
        for one in self.observations:
            yield {
                **{key: self.head.get(key) for key in ("Document", "Result")},
                "Observation": one.text("uuid"),
                "Title": one.text("title"),
                "Description": one.text("description"),
                "Methods": join_texts(one.texts("methods")),
                "Types": join_texts(one.texts("types")),
                "Collected": one.text("collected"),
                "Expires": one.text("expires"),
                "Remarks": one.text("remarks"),
                "Evidence": join_texts(
                    (
                        evidence.text("description") or evidence.text("href")
                        for evidence in one.parts("relevant-evidence")
                    ),
                    "\n",
                ),
                "Named by": join_texts(self._naming.get(one.text("uuid"), ())),
            }


def _names(metadata: Part) -> tuple[dict[str | None, str | None], dict[str | None, str | None]]:
    roles = {one.text("id"): one.text("title") for one in metadata.parts("roles")}
    parties = {one.text("uuid"): one.text("name") for one in metadata.parts("parties")}
    return roles, parties


def _task_end(task: Part) -> str | None:
    timing = task.part("timing")
    return timing.part("within-date-range").text("end") or timing.part("on-date").text("date")
