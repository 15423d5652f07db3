"""Writers of exports in the layouts of the known tools whose exports are tables, made for the tests."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

Cell = str | int | float | bool | None

ORGANISATION = """code,name,region,kind
FR-01,Paris Office,EU,site
TKY-01,東京本社,JP,head_office
TKY-02,東京第一センター,JP,site
OSK-01,大阪物流センター,JP,site
SG-01,Lion City Logistics,AS,affiliate
"""
"""The entities that the exports are about, for the source t_entities of the tests."""


def write_organisation(folder: Path) -> Path:
    """Write the master of the entities that the exports are about."""
    return _write_text(folder / "organisation.csv", ORGANISATION)


def _write_text(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def _write_csv(
    path: Path, rows: Sequence[Sequence[Cell]], *, delimiter: str = ",", encoding: str = "utf-8", end: str = "\r\n"
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows(rows)
    return path


def _open_book(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    return xlsxwriter.Workbook(path)


def _write_row(sheet: Any, row: int, cells: Sequence[Cell], cell_format: Any = None) -> None:
    for column, cell in enumerate(cells):
        if isinstance(cell, bool):
            sheet.write_boolean(row, column, cell, cell_format)
        elif isinstance(cell, int | float):
            sheet.write_number(row, column, cell, cell_format)
        elif cell:
            sheet.write_string(row, column, cell, cell_format)


def _write_sheet(book: Any, name: str, rows: Sequence[Sequence[Cell]]) -> Any:
    sheet = book.add_worksheet(name)
    for number, cells in enumerate(rows):
        _write_row(sheet, number, cells)
    return sheet


# --- CISO Assistant ------------------------------------------------------------------------------

_AUDIT_HEAD = (
    "urn", "ref_id", "name", "description", "typical_evidence", "annotation", "compliance_result", "extended_result",
    "requirement_progress", "score", "observations",
)  # fmt: skip
_URN = "urn:intuitem:risk:req_node:iso27001-2022:"
# reference, name, description, result, extended result, progress, score, observation; no result: a heading
_REQUIREMENTS: tuple[tuple[str, str, str, str, str, str, Cell, str], ...] = (
    ("A.5", "Organizational controls", "", "", "", "", "", ""),
    ("A.5.1", "Policies", "Policies are approved and published.", "compliant", "good_practice", "done", 4, ""),
    ("A.5.2", "Roles", "Roles are known.", "compliant", "", "done", 3.5, "'=see the policy portal"),
    ("A.5.3", "Duties", "Duties are kept apart.", "partially_compliant", "minor_nonconformity", "in_review", 2, "経理のみ\n分離済み; 他は未"),
    ("A.5.4", "Managers", "Managers take part.", "non_compliant", "major_nonconformity", "in_progress", 0, "'-no training"),
    ("A.5.5", "Authorities", "Contacts are kept.", "not_applicable", "", "done", "", "Handled by the group"),
    ("A.6", "People controls", "Headings may have a text too.", "", "", "", "", ""),
    ("A.6.1", "Screening", "", "compliant", "", "done", 4, ""),
    ("A.6.2", "Terms", "'=Terms are signed", "compliant", "", "done", 4, ""),
    ("A.6.3", "Awareness", "Staff is trained each year.", "partially_compliant", "observation_sensitive_point", "done", 2, ""),
    ("", "Discipline", "A process is known.", "not_assessed", "", "to_do", "", ""),
    ("A.8", "Technological controls", "", "", "", "", "", ""),
    ("A.8.1", "Endpoints", "Devices are encrypted.", "compliant", "", "done", 4, "“quoted”, and 漢字"),
    ("A.8.2", "Privileges", "Privileges are reviewed.", "non_compliant", "", "to_do", 1, ""),
    ("A.8.3", "Access", "Access is restricted.", "compliant", "", "done", "n/a", ""),
    ("A.8.4", "Source code", "Access to code is restricted.", "not_assessed", "", "to_do", "", ""),
)  # fmt: skip


def ciso_assistant_audit(folder: Path) -> list[Path]:
    """Audit of FR-01 in FY2024: 13 requirements and 3 headings; BOM, semicolons, escaped cells."""
    rows: list[Sequence[Cell]] = [_AUDIT_HEAD]
    for number, (ref_id, name, description, result, extended, progress, score, observation) in enumerate(_REQUIREMENTS):
        urn = _URN + (ref_id.lower() or f"node{number}")
        rows.append([urn, ref_id, name, description, "", "", result, extended, progress, score, observation])
    path = folder / "FR-01_FY2024_audit_export.csv"
    return [_write_csv(path, rows, delimiter=";", encoding="utf-8-sig")]


def ciso_assistant_audit_workbook(folder: Path) -> list[Path]:
    """The same audit of TKY-01 as a workbook: headings carry a result there, and there is a column of answers."""
    path = folder / "TKY-01_FY2024_audit.xlsx"
    head = (
        "urn", "assessable", "ref_id", "name", "description", "typical_evidence", "annotation", "compliance_result",
        "extended_result", "requirement_progress", "observations", "score", "answers",
    )  # fmt: skip
    rows: list[Sequence[Cell]] = [head]
    for number, (ref_id, name, description, result, extended, progress, score, observation) in enumerate(_REQUIREMENTS):
        urn, kept = _URN + (ref_id.lower() or f"node{number}"), score if isinstance(score, int | float) else ""
        rows.append(
            [urn, bool(result), ref_id, name, description, "", "", result or "not_assessed", extended, progress or "to_do",
             observation, kept, "Is it written down? >> [Yes / No]" if result else ""]
        )  # fmt: skip
    with _open_book(path) as book:
        _write_sheet(book, "Sheet1", rows)
    return [path]


def ciso_assistant_findings(folder: Path) -> list[Path]:
    """Findings of a review, one of every status: by the domain's name, its code, and a domain that nobody knows."""
    head = (
        "ref_id", "name", "description", "status", "severity", "priority", "folder", "filtering_labels", "applied_controls",
        "evidences", "vulnerabilities", "observation", "created_at", "eta", "due_date",
    )  # fmt: skip

    def row(ref_id: str, name: str, status: str, severity: str, domain: str, created: str, **more: str) -> list[Cell]:
        return [
            ref_id, name, more.get("description", ""), status, severity, 1 if severity == "critical" else "", domain, "",
            more.get("controls", ""), "", "", more.get("observation", ""), created, more.get("eta", ""), more.get("due", ""),
        ]  # fmt: skip

    rows = [
        list(head),
        row("F-001", "No register of suppliers", "identified", "critical", "Paris Office", "2025-01-14 09:12:33",
            controls="Write a register [to do]", eta="2025-05-31", due="2025-04-30"),
        row("F-002", "Shared administrator", "confirmed", "high", "Paris Office", "2025-01-14 09:13:01", due="2025-12-31"),
        row("F-003", "パスワードの再利用", "assigned", "medium", "東京本社", "2025-01-15 02:00:00", eta="2025-03-31"),
        row("F-004", "Old cipher", "in_progress", "low", "FR-01", "2025-01-15 10:00:00", controls="Switch off TLS 1.0 [in progress]"),
        row("F-005", "'=Formula in a name", "--", "undefined", "FR-01", "2025-01-15 10:00:01"),
        row("F-006", "Door left open", "mitigated", "medium", "FR-01", "2025-01-15 10:00:02", due="2025-02-28"),
        row("F-007", "Screen not locked", "resolved", "low", "FR-01", "2025-01-15 10:00:03", eta="2025-02-15"),
        row("F-008", "Duplicate of F-002", "dismissed", "info", "FR-01", "2025-01-15 10:00:04"),
        row("F-009", "Printer without a PIN", "closed", "high", "TKY-01", "2025-01-16 01:30:00", due="2025-03-01"),
        row("F-010", "Fax machine", "deprecated", "low", "TKY-01", "2025-01-16 01:31:00"),
        row("", "Found without a number", "identified", "info", "TKY-01", "2025-01-16 01:32:00"),
        row("F-011", "Of a domain that is not ours", "identified", "high", "Global", "2025-01-17 08:00:00"),
    ]  # fmt: skip
    path = folder / "Supplier review_findings.xlsx"
    with _open_book(path) as book:
        _write_sheet(book, "Findings", rows)
    return [path]


_PLAN_HEAD = (
    "Name", "Description", "Category", "CSF Function", "Priority", "Status", "ETA", "Expiry date", "Effort", "Impact", "Cost",
    "Covered requirements", "Associated evidences", "Evidence attachments",
)  # fmt: skip
_CONTROLS = (
    ("Multi-factor sign-in", "For all staff", "P1", "To do", "2025-05-31", "A.8.2 - Privileges\nA.8.3 - Access"),
    ("Awareness training", "毎年の教育", "P2", "In progress", "2025-03-31", "A.6.3 - Awareness"),
    ("Supplier register", "", "P3", "On hold", "", "A.5.2 - Roles"),
    ("Disk encryption", "All laptops", "P1", "Active", "2024-12-31", "A.8.1 - Endpoints"),
    ("Patch window", "'=weekly", "P2", "Degraded", "2025-01-31", "A.8.4 - Source code"),
    ("Old proxy", "", "P4", "Deprecated", "2024-06-30", ""),
    ("Backup test", "", "", "--", "2025-02-28", "A.5.1 - Policies"),
)


def ciso_assistant_action_plan(folder: Path) -> list[Path]:
    """Action plan of FR-01's audit as CSV, with English and French words for the status."""
    rows: list[Sequence[Cell]] = [_PLAN_HEAD]
    for name, description, priority, status, eta, covered in _CONTROLS:
        rows.append(
            [
                name,
                description,
                "Technical",
                "protect",
                priority,
                status,
                eta,
                "",
                "Medium",
                "High",
                "1000.00",
                covered,
                "",
                "",
            ]
        )
    rows.append(
        [
            "Bureau propre",
            "",
            "Physique",
            "",
            "",
            "À faire",
            "2025-06-30",
            "",
            "",
            "",
            "",
            "A.7.7 - Bureau propre",
            "",
            "",
        ]
    )
    return [_write_csv(folder / "FR-01_FY2024_action_plan.csv", rows, encoding="utf-8-sig")]


def ciso_assistant_action_plan_workbook(folder: Path) -> list[Path]:
    """Action plan of TKY-01's audit as a workbook whose name holds the day of the export."""
    head = [name.replace(" ", "_").lower() for name in _PLAN_HEAD]
    rows: list[Sequence[Cell]] = [head]
    for name, description, priority, status, eta, covered in _CONTROLS:
        rows.append(
            [
                name,
                description,
                "Technical",
                "protect",
                priority,
                status,
                eta,
                "",
                "Medium",
                "High",
                1000,
                covered,
                "",
                "",
            ]
        )
    path = folder / "TKY-01_FY2024_2025-04-30_action_plan.xlsx"
    with _open_book(path) as book:
        _write_sheet(book, "Sheet1", rows)
    return [path]


# --- SafetyCulture -------------------------------------------------------------------------------

_EXPORTED = "2025-06-30T09:00:00.123456+09:00"


def _site(number: int) -> tuple[str, str]:
    """Code and uuid of a site: the code is the uuid without its dashes."""
    digits = f"{number:032x}"
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return f"location_{digits}", "-".join(parts)


def safetyculture_sites(folder: Path) -> Path:
    """A tree: a country, a region with a code of its own, sites, one of them deleted and one of another tree."""
    head = (
        "site_id",
        "name",
        "creator_id",
        "organisation_id",
        "exported_at",
        "deleted",
        "site_uuid",
        "meta_label",
        "parent_id",
    )
    tree = (
        (1, "日本", "country", None, False),
        (2, "関東", "region", 1, False),
        (3, "横浜物流センター", "location", 2, False),
        (4, "Chiba Depot, Building 2", "location", 2, False),
        (5, "旧 川崎倉庫", "location", 2, True),
        (6, "Depot of another tree", "location", 99, False),
    )
    rows: list[Sequence[Cell]] = [head]
    for number, name, level, parent, deleted in tree:
        code, uuid = _site(number)
        above = _site(parent)[1] if parent else ""
        code = "region_kanto" if number == 2 else code
        rows.append([code, name, "user_1", "role_1", _EXPORTED, str(deleted).lower(), uuid, level, above])
    return _write_csv(folder / "sites.csv", rows, end="\n")


def safetyculture_inspections(folder: Path) -> Path:
    """Five inspections of one template: two sites, one without a site, one deleted, one still under way."""
    head = (
        "audit_id", "name", "archived", "owner_name", "owner_id", "author_name", "author_id", "score", "max_score",
        "score_percentage", "duration", "template_id", "organisation_id", "template_name", "template_author", "site_id",
        "date_started", "date_completed", "date_modified", "created_at", "modified_at", "exported_at", "document_no",
        "prepared_by", "location", "conducted_on", "personnel", "client_site", "latitude", "longitude", "web_report_link",
        "deleted", "asset_id",
    )  # fmt: skip
    visits = (
        ("audit_1", _site(3)[0], "2025-04-10T01:00:00Z", "2025-04-10T02:30:00Z", "2025-04-10T01:00:00Z", False),
        ("audit_2", _site(4)[0], "2025-04-28T23:30:00Z", "2025-05-01T01:00:00Z", "2025-04-29T00:10:00Z", False),
        ("audit_3", "", "2025-05-12T03:00:00Z", "2025-05-12T04:00:00Z", "", False),
        ("audit_4", _site(3)[0], "2025-05-13T03:00:00Z", "2025-05-13T04:00:00Z", "2025-05-13T03:00:00Z", True),
        ("audit_5", _site(3)[0], "2025-06-02T03:00:00Z", "", "2025-06-02T03:00:00Z", False),
    )
    rows: list[Sequence[Cell]] = [head]
    for code, site, started, completed, conducted, deleted in visits:
        rows.append(
            [code, f"Visit {code}", "false", "佐藤", "user_1", "佐藤", "user_1", 4, 6, 66.7, 3600, "template_9", "role_1",
             "Security walk / 巡回", "HQ", site, started, completed, started, started, started, _EXPORTED, "000001", "佐藤", "",
             conducted, "", "", "", "", f"https://example.org/{code}", str(deleted).lower(), ""]
        )  # fmt: skip
    return _write_csv(folder / "inspections.csv", rows, end="\n")


def safetyculture_inspection_items(folder: Path) -> Path:
    """Lines of four inspections: 22 that are judged, and sections, texts, dates, signatures and hidden ones."""
    head = (
        "id", "item_id", "audit_id", "item_index", "template_id", "parent_id", "created_at", "modified_at", "exported_at",
        "type", "category", "category_id", "organisation_id", "parent_ids", "label", "response", "response_id",
        "response_set_id", "is_failed_response", "comment", "media_files", "media_ids", "media_hypertext_reference", "score",
        "max_score", "score_percentage", "combined_score", "combined_max_score", "combined_score_percentage", "mandatory",
        "inactive", "location_latitude", "location_longitude", "primeelement_id", "primeelement_index",
    )  # fmt: skip

    rows: list[Sequence[Cell]] = [head]

    def add(
        audit: str, item: str, kind: str, label: str, response: str = "", score: Cell = 0, most: Cell = 0, **more: str
    ) -> None:
        number = len(rows)
        rows.append(
            [f"{audit}_{item}_{number}", item, audit, number, "template_9", "", more.get("changed", "2025-05-01T00:00:00Z"),
             more.get("changed", "2025-05-01T00:00:00Z"), _EXPORTED, kind, more.get("section", "Entrance"), "s1", "role_1", "",
             label, response, "", "", more.get("failed", "false"), more.get("comment", ""), "", "", "", score, most, 0, 0, 0, 0,
             "true", more.get("inactive", "false"), "", "", more.get("prime", ""), ""]
        )  # fmt: skip

    for audit, door, badge, visitors, keys in (
        ("audit_1", "Yes", "No", "N/A", ""),
        ("audit_2", "Yes", "Yes", "Yes", "Yes"),
        ("audit_3", "No", "Yes", "該当なし", "Yes"),
        ("audit_4", "No", "No", "No", "No"),
    ):
        add(audit, "head", "section", "Title page")
        add(audit, "who", "textsingle", "Prepared by", "佐藤")
        add(audit, "when", "datetime", "Conducted on", "2025-05-01T00:00:00Z")
        add(audit, "door", "question", "Doors are locked", door, int(door == "Yes"), 1, failed=str(door == "No").lower(),
            comment="鍵が壊れている, since May" if door == "No" else "")  # fmt: skip
        add(
            audit,
            "badge",
            "question",
            "Badges are worn",
            badge,
            0,
            0,
            failed=str(badge == "No").lower(),
        )
        add(
            audit,
            "visitors",
            "question",
            "Visitors are signed in",
            visitors,
            int(visitors == "Yes"),
            0 if visitors in ("N/A", "該当なし") else 1,
        )
        add(audit, "keys", "question", "Keys are counted", keys, 0, 0, section="Keys",
            changed="2025-05-02T00:00:00Z" if audit == "audit_2" else "2025-04-01T00:00:00Z")  # fmt: skip
        add(audit, "clean", "slider", "How clean is the desk?", "6", 6, 10)
        add(audit, "rooms", "list", "Which rooms?", "Server room, Store", 0, 0)
        add(audit, "sign", "signature", "Signature")
        add(audit, "why", "question", "Why not?", "", 0, 1, inactive="true")
        # A section that repeats for every room: one item of the template.
        add(audit, f"{audit}-room-1", "question", "The rack is locked", "Yes", 1, 1, prime="rack")
        add(audit, f"{audit}-room-2", "question", "The rack is locked", "No" if audit == "audit_2" else "Yes",
            0 if audit == "audit_2" else 1, 1, prime="rack", failed=str(audit == "audit_2").lower())  # fmt: skip
    add("audit_1", "fire", "checkbox", "Fire door is shut", "1", 1, 1)
    add("audit_1", "info", "information", "Read the instruction")
    add("audit_2", "keys2", "question", "A new question", "Maybe", 1, 2)
    add("audit_9", "door", "question", "Doors are locked", "Yes", 1, 1)
    return _write_csv(folder / "inspection_items.csv", rows, end="\n")


def safetyculture_actions(folder: Path) -> Path:
    """Actions of every status, with the site in the row, in the inspection, given, and nowhere; one deleted, one masked."""
    head = (
        "action_id", "title", "description", "site_id", "priority", "status", "due_date", "created_at", "modified_at",
        "exported_at", "creator_user_id", "creator_user_name", "template_id", "audit_id", "audit_title", "audit_item_id",
        "audit_item_label", "organisation_id", "completed_at", "action_label", "deleted", "asset_id", "unique_id",
    )  # fmt: skip
    rows: list[Sequence[Cell]] = [head]

    def add(number: int, title: str, site: str, priority: str, status: str, due: str, created: str, audit: str = "",
            completed: str = "", deleted: str = "false") -> None:  # fmt: skip
        rows.append(
            [f"00000000-0000-4000-8000-{number:012}", title, "", site, priority, status, due, created, "2025-06-01T00:00:00Z",
             _EXPORTED, "user_1", "佐藤", "template_9" if audit else "", audit, "", "door" if audit else "",
             "Doors are locked" if audit else "", "role_1", completed, "", deleted, "", f"AC-{number}"]
        )  # fmt: skip

    add(1, "Mend the lock", _site(3)[0], "HIGH", "TODO", "2025-05-31T15:00:00Z", "2025-04-10T02:00:00Z", "audit_1")
    add(2, "鍵の交換", "", "MEDIUM", "IN_PROGRESS", "2025-07-31T15:00:00Z", "2025-04-29T02:00:00Z", "audit_2")
    add(
        3,
        "Count the keys",
        _site(4)[0],
        "LOW",
        "COMPLETE",
        "2025-05-10T00:00:00Z",
        "2025-04-29T02:00:00Z",
        "",
        "2025-05-09T01:00:00Z",
    )
    add(4, "Order badges", "", "NONE", "TODO", "2025-06-10T00:00:00Z", "2025-05-12T05:00:00Z", "audit_3")
    add(5, "Move the rack", _site(4)[0], "HIGH", "CANT_DO", "2025-05-20T00:00:00Z", "2025-05-01T00:00:00Z")
    add(6, "Asked twice", _site(3)[0], "LOW", "TODO", "2025-05-20T00:00:00Z", "2025-05-01T00:00:00Z", deleted="true")
    add(7, "Own status", _site(3)[0], "LOW", "WAITING", "2025-05-20T00:00:00Z", "2025-05-01T00:00:00Z")
    add(8, "Masked", _site(3)[0], "LOW", "TODO", "--date--", "--date--")
    add(9, "Of an unknown inspection", "", "LOW", "TODO", "2025-05-20T00:00:00Z", "2025-05-01T00:00:00Z", "audit_9")
    add(10, "Masked due date", _site(3)[0], "LOW", "TODO", "--date--", "2025-05-01T00:00:00Z")
    return _write_csv(folder / "actions.csv", rows, end="\n")


def safetyculture_issues(folder: Path) -> Path:
    """Issues, open and resolved, with and without a site and a day by which they are due; one is empty."""
    head = (
        "id", "title", "description", "creator_id", "creator_user_name", "created_at", "due_at", "priority", "status",
        "template_id", "inspection_id", "inspection_name", "site_id", "site_name", "location_name", "category_id",
        "category_label", "modified_at", "completed_at", "asset_id", "unique_id", "occurred_at",
    )  # fmt: skip
    rows: list[Sequence[Cell]] = [head]

    def add(
        number: int,
        title: str,
        site: str,
        priority: str,
        status: str,
        due: str = "",
        completed: str = "",
        visit: str = "",
    ) -> None:
        rows.append(
            [f"50000000-0000-4000-8000-{number:012}", title, "", "user_2", "鈴木", "2025-05-05T06:50:06.957Z", due, priority,
             status, "", visit, "", site, "", "", "c1", "Hazard", "2025-05-20T02:36:53.304Z", completed, "", f"ID_{number}", ""]
        )  # fmt: skip

    add(1, "Near Miss - 5 May 2025, 14:33 PM", _site(3)[0], "LOW", "RESOLVED", "2025-05-14T23:00:00Z")
    add(2, "停電", _site(4)[0], "HIGH", "OPEN", "2025-05-30T15:00:00Z")
    add(3, "Water on the floor", "", "NONE", "OPEN")
    add(4, "Broken window", "", "MEDIUM", "OPEN", "2025-06-30T15:00:00Z", visit="audit_2")
    add(5, "Lost badge", _site(3)[0], "NONE", "RESOLVED", completed="2025-05-06T01:00:00Z")
    add(6, "", "", "", "")
    return _write_csv(folder / "issues.csv", rows, end="\n")


def safetyculture_schedules(folder: Path) -> Path:
    """Three schedules: of two sites, and of none."""
    head = (
        "schedule_id", "description", "recurrence", "duration", "modified_at", "exported_at", "from_date", "to_date",
        "start_time_hour", "start_time_minute", "all_must_complete", "status", "organisation_id", "timezone",
        "can_late_submit", "site_id", "template_id", "creator_user_id", "asset_id",
    )  # fmt: skip
    rows: list[Sequence[Cell]] = [head]
    for number, site, status in ((1, _site(3)[0], "ACTIVE"), (2, _site(4)[0], "FINISHED"), (3, "", "PAUSED")):
        rows.append(
            [f"scheduleitem_{number}", "毎月の巡回", "INTERVAL=1;FREQ=MONTHLY", "P1D", _EXPORTED, _EXPORTED, "2025-04-01T00:00:00Z",
             "", 9, 0, "false", status, "role_1", "Asia/Tokyo", "true", site, "template_9", "user_1", ""]
        )  # fmt: skip
    return _write_csv(folder / "schedules.csv", rows, end="\n")


def safetyculture_schedule_occurrences(folder: Path) -> Path:
    """Occurrences of three months: done, missed, of two assignees, of a schedule without a site, masked, unknown."""
    head = (
        "id", "schedule_id", "occurrence_id", "template_id", "organisation_id", "start_time", "due_time", "miss_time",
        "occurrence_status", "audit_id", "completed_at", "exported_at", "user_id", "assignee_status", "note",
    )  # fmt: skip
    rows: list[Sequence[Cell]] = [head]

    def add(schedule: int, start: str, due: str, status: str, user: int = 1, audit: str = "") -> None:
        rows.append(
            [f"scheduleitem_{schedule}_{start}_user_{user}", f"scheduleitem_{schedule}", f"occurrence_{start}", "template_9",
             "role_1", start, due, due, status, audit, "", _EXPORTED, f"user_{user}", status, ""]
        )  # fmt: skip

    add(1, "2025-04-07T00:00:00Z", "2025-04-11T08:00:00Z", "COMPLETE", audit="audit_1")
    add(1, "2025-04-21T00:00:00Z", "2025-04-25T08:00:00Z", "MISSED")
    add(1, "2025-05-07T00:00:00Z", "2025-05-11T08:00:00Z", "MISSED")
    add(1, "2025-05-07T00:00:00Z", "2025-05-11T08:00:00Z", "MISSED", user=2)
    add(1, "2025-06-07T00:00:00Z", "2025-06-11T08:00:00Z", "TODO")
    add(2, "2025-04-28T00:00:00Z", "2025-05-02T08:00:00Z", "COMPLETE", audit="audit_2")
    add(2, "2025-05-28T00:00:00Z", "2025-06-02T08:00:00Z", "MISSED")
    add(3, "2025-05-28T00:00:00Z", "2025-06-02T08:00:00Z", "TODO")
    add(1, "--date--", "--date--", "TODO")
    add(9, "2025-05-28T00:00:00Z", "2025-06-02T08:00:00Z", "TODO")
    return _write_csv(folder / "schedule_occurrences.csv", rows, end="\n")


def safetyculture(folder: Path) -> list[Path]:
    """The whole export set, as the exporter writes it into one folder."""
    return [
        safetyculture_actions(folder),
        safetyculture_inspection_items(folder),
        safetyculture_inspections(folder),
        safetyculture_issues(folder),
        safetyculture_schedule_occurrences(folder),
        safetyculture_schedules(folder),
        safetyculture_sites(folder),
    ]


# --- Prowler -------------------------------------------------------------------------------------


def prowler_findings(folder: Path) -> list[Path]:
    """A scan of an account: 14 rows of 7 checks, with muted, manual and mixed resources."""
    head = (
        "AUTH_METHOD", "TIMESTAMP", "ACCOUNT_UID", "ACCOUNT_NAME", "ACCOUNT_EMAIL", "ACCOUNT_ORGANIZATION_UID",
        "ACCOUNT_ORGANIZATION_NAME", "ACCOUNT_TAGS", "FINDING_UID", "PROVIDER", "CHECK_ID", "CHECK_TITLE", "CHECK_TYPE",
        "STATUS", "STATUS_EXTENDED", "MUTED", "SERVICE_NAME", "SUBSERVICE_NAME", "SEVERITY", "RESOURCE_TYPE", "RESOURCE_UID",
        "RESOURCE_NAME", "RESOURCE_DETAILS", "RESOURCE_TAGS", "PARTITION", "REGION", "DESCRIPTION", "RISK", "RELATED_URL",
        "REMEDIATION_RECOMMENDATION_TEXT", "REMEDIATION_RECOMMENDATION_URL", "REMEDIATION_CODE_NATIVEIAC",
        "REMEDIATION_CODE_TERRAFORM", "REMEDIATION_CODE_CLI", "REMEDIATION_CODE_OTHER", "COMPLIANCE", "CATEGORIES",
        "DEPENDS_ON", "RELATED_TO", "NOTES", "PROWLER_VERSION", "ADDITIONAL_URLS",
    )  # fmt: skip
    found = (
        ("iam_root_mfa", "Root has MFA", "PASS", False, "critical", "root"),
        ("s3_public", "Buckets are not public", "PASS", False, "high", "logs"),
        ("s3_public", "Buckets are not public", "FAIL", True, "high", "website"),
        ("s3_public", "Buckets are not public", "PASS", False, "high", "backup"),
        ("sg_ssh_open", "SSH is not open to all", "FAIL", False, "high", "sg-1"),
        ("sg_ssh_open", "SSH is not open to all", "PASS", False, "high", "sg-2"),
        ("sg_ssh_open", "SSH is not open to all", "FAIL", False, "high", "sg-3"),
        ("account_contact", "Contacts are kept", "MANUAL", False, "medium", "111122223333"),
        ("kms_rotation", "Keys are rotated", "FAIL", True, "medium", "key-1"),
        ("kms_rotation", "Keys are rotated", "FAIL", True, "medium", "key-2"),
        ("trail_enabled", "Trails are on; in all regions", "FAIL", False, "critical", "trail"),
        ("ec2_imds", "Instances use IMDSv2", "PASS", False, "medium", "i-1"),
        ("ec2_imds", "Instances use IMDSv2", "MANUAL", False, "medium", "i-2"),
        ("ec2_imds", "Instances use IMDSv2", "PASS", False, "low", "i-3"),
    )
    rows: list[Sequence[Cell]] = [head]
    for check, title, status, muted, severity, resource in found:
        rows.append(
            ["profile: audit", "2025-02-14 14:27:03.913874", "111122223333", "prod", "", "", "", "",
             f"prowler-aws-{check}-111122223333-eu-west-1-{resource}", "aws", check, title, "IAM", status,
             f"{resource}: {status}.", str(muted), check.split("_")[0], "", severity, "Other", resource, resource, "", "", "aws",
             "eu-west-1", title, "Text with; a semicolon\nand a line break", "", "", "", "", "", "", "", "CIS-3.0: 1.20", "", "", "",
             "", "5.3.0", ""]
        )  # fmt: skip
    return [_write_csv(folder / "prowler-output-111122223333-20250214142703.csv", rows, delimiter=";")]


def prowler_compliance(folder: Path) -> list[Path]:
    """Two frameworks: CIS for an AWS account, and ISO 27001 for an Azure subscription, whose columns differ."""
    cis = [
        "PROVIDER", "DESCRIPTION", "ACCOUNTID", "REGION", "ASSESSMENTDATE", "REQUIREMENTS_ID", "REQUIREMENTS_DESCRIPTION",
        "REQUIREMENTS_ATTRIBUTES_SECTION", "REQUIREMENTS_ATTRIBUTES_PROFILE", "STATUS", "STATUSEXTENDED", "RESOURCEID",
        "RESOURCENAME", "CHECKID", "MUTED", "FRAMEWORK", "NAME",
    ]  # fmt: skip
    iso = [
        "PROVIDER", "DESCRIPTION", "SUBSCRIPTIONID", "LOCATION", "ASSESSMENTDATE", "REQUIREMENTS_ID", "REQUIREMENTS_NAME",
        "REQUIREMENTS_DESCRIPTION", "REQUIREMENTS_ATTRIBUTES_CATEGORY", "STATUS", "STATUSEXTENDED", "RESOURCEID", "CHECKID",
        "MUTED", "RESOURCENAME", "FRAMEWORK", "NAME",
    ]  # fmt: skip
    day = "2025-02-14 14:27:03.913874"
    name = "CIS Amazon Web Services Foundations Benchmark v3.0.0"
    found = (
        ("1.1", "Contacts are current", "1 IAM", "MANUAL", "manual", "manual_check", False),
        ("1.4", "Root has no keys", "1 IAM", "PASS", "iam_root_keys", "root", False),
        ("1.5", "Root has MFA", "1 IAM", "PASS", "iam_root_mfa", "root", False),
        ("1.5", "Root has MFA", "1 IAM", "FAIL", "iam_root_hardware_mfa", "root", False),
        ("2.1.4", "Buckets block public access", "2 Storage", "FAIL", "s3_public", "website", True),
        ("2.1.4", "Buckets block public access", "2 Storage", "PASS", "s3_public", "logs", False),
        ("3.1", "Trails are on", "3 Logging", "FAIL", "trail_enabled", "trail", False),
        ("3.5", "Keys are rotated", "3 Logging", "FAIL", "kms_rotation", "key-1", True),
        ("5.2", "SSH is not open to all", "5 Networking", "PASS", "sg_ssh_open", "sg-2", False),
    )
    rows: list[Sequence[Cell]] = [cis]
    for code, text, section, status, check, resource, muted in found:
        account = "" if check == "manual" else "111122223333"
        rows.append(
            ["aws", "The CIS benchmark", account, "eu-west-1" if account else "", day, code, text, section, "Level 1", status,
             "Manual check" if check == "manual" else f"{resource}: {status}", resource, resource, check, str(muted), "CIS", name]
        )  # fmt: skip
    second: list[Sequence[Cell]] = [iso]
    for code, text, status, check in (
        ("A.5.15", "Access control", "FAIL", "entra_mfa"),
        ("A.5.15", "Access control", "PASS", "entra_guests"),
        ("A.8.24", "Cryptography", "PASS", "storage_tls"),
    ):
        second.append(
            ["azure", "ISO 27001", "sub-1", "japaneast", day, code, text, "", "Technological", status, f"{check}: {status}", check,
             check, "False", check, "ISO27001", "ISO/IEC 27001 Information Security Management Standard 2022"]
        )  # fmt: skip
    return [
        _write_csv(folder / "prowler-output-111122223333-20250214142703_cis_3.0_aws.csv", rows, delimiter=";"),
        _write_csv(folder / "prowler-output-sub-1-20250214142703_iso27001_2022_azure.csv", second, delimiter=";"),
    ]


def prowler(folder: Path) -> list[Path]:
    """Findings and compliance of one scan."""
    return prowler_findings(folder) + prowler_compliance(folder)


# --- STIG Manager, NIST CSF, Trestle -------------------------------------------------------------


def stig_manager(folder: Path) -> list[Path]:
    """A self-assessment of 12 items with blanks behind the results and one word that STIG Manager does not write."""
    results = (
        "Not a Finding ", "Not a Finding ", "Informational ", "Informational ", "Informational ", "Not Applicable ", "Open ",
        "Not Reviewed ", "Fixed ", "Not a Finding ", "", "Not a Problem ",
    )  # fmt: skip
    rows = ["Vuln,Title,result,Detail"]
    for number, result in enumerate(results, start=222387):
        detail = "Handled by the provider.\n\nSee issue #485, 対応済み" if number % 2 else ""
        rows.append(f'V-{number},"The application must do ""{number}"".","{result}","{detail}"')
    return [_write_text(folder / "FR-01_FY2024_asd-stig.csv", "\n".join(rows) + "\n\n")]


def csf_profile(folder: Path) -> list[Path]:
    """Three items judged by internal audit, and the same and one more by the CISO; quarters are wide columns."""
    quarters = [
        f"Q{n} {what}"
        for n in (1, 2, 3, 4)
        for what in ("Actual Score", "Target Score", "Observations", "Observation Date")
    ]

    def scores(*by_quarter: str) -> list[Cell]:
        cells: list[Cell] = []
        for number, score in enumerate(by_quarter, start=1):
            cells += [
                score,
                "5",
                "two\nlines" if score == "2" else "",
                f"2026-{3 * number - 2:02}-10" if score else "Not Started",
            ]
        return cells

    audit: list[Sequence[Cell]] = [["ID", "Assessment", "Scope Type", *quarters]]
    own: list[Sequence[Cell]] = [
        ["ID", "Category ID", "Category", "Subcategory ID", "Subcategory Description", "In Scope? ", *quarters]
    ]
    for code, given in (
        ("GV.SC-04 Ex1", ("2", "5", "6", "")),
        ("PR.AT-01 Ex1", ("5", "5", "5", "")),
        ("DE.CM-01 Ex1", ("1", "3", "", "")),
    ):
        audit.append([code, "2026 Assessment", "Controls", *scores(*given)])
        own.append([code, code[:5], "Suppliers", code[:8], f"{code} is done", "Yes", *scores(*given)])
    own.append(["ID.AM-01 Ex1", "ID.AM", "Assets", "ID.AM-01", "Assets are listed", "Yes", *scores("4", "4", "4", "")])
    return [_write_csv(folder / "assessments.csv", audit), _write_csv(folder / "ciso-assessment-2026.csv", own)]


def _trestle(path: Path, heading: Sequence[Cell], *, blank_rows: bool = False) -> Path:
    rows: list[Sequence[Cell]] = [heading]
    for number in range(3000036, 3000046):
        rows.append([number, f"Check whether setting {number} is on", "1.0", "CM-2", "AC-3" if number % 2 else "--"])
        if blank_rows and number % 3 == 0:
            rows += [[], ["", "  ", ""]]
    with _open_book(path) as book:
        _write_sheet(book, "example_controls", rows)
    return path


def trestle_checklist(folder: Path) -> list[Path]:
    """A checklist of ten controls, with blank rows and headings left out above further mappings."""
    heading = ("ControlId", "ControlText", "Version", "NIST Mappings", "", "", "ResourceTitle (oscal)")
    return [_trestle(folder / "controls.xlsx", heading, blank_rows=True)]


def trestle_duplicate_heading(folder: Path) -> Path:
    """The checklist with a heading that stands there twice."""
    return _trestle(folder / "duplicate.xlsx", ("ControlId", "ControlText", "Version", "NIST Mappings", "ControlText"))


def trestle_missing_heading(folder: Path) -> Path:
    """The checklist without the heading of the control's text."""
    return _trestle(folder / "missing.xlsx", ("ControlId", "", "Version", "NIST Mappings"))


# --- Japanese workbooks --------------------------------------------------------------------------

_SITE_AUDIT_HEAD = (
    "優先度", "サービス", "分類", "監査項目", "確認内容", "確認資料", "確認方法", "判定", "指摘内容", "是正期限", "担当者", "是正確認日",
)  # fmt: skip
# priority, category, subject, text, verdict, problem, due, owner, confirmed
_SITE_AUDIT_ROWS = (
    ("S", "入退室", "施錠", "出入口が施錠されている", "OK", "", "", "", ""),
    ("S", "", "", "鍵の貸出を記録している", "NG", "貸出簿に記入がない", "2025年6月30日", "山田", ""),
    ("A", "", "来客", "来客を記録している", "是正中", "記録様式が古い", "令和7年7月15日", "", ""),
    ("A", "端末", "画面", "離席時に画面を施錠している", "ＯＫ", "前回の指摘は是正済み", "2025/5/20", "鈴木", "R7.5.30"),
    ("B", "", "媒体", "媒体を施錠保管している", "N/A", "", "", "", ""),
    ("B", "", "廃棄", "媒体を破砕して廃棄している", "未", "", "", "", ""),
    ("A", "教育", "研修", "年一回研修を行っている", "NG", "", "", "", ""),
    ("B", "", "誓約書", "誓約書を取得している", "", "", "", "", ""),
    ("B", "", "周知", "規程を周知している", "要確認", "", "", "", ""),
)


def japan_site_audit(folder: Path) -> list[Path]:
    """Audits of OSK-01, by its name, and of TKY-01, by its code in the wider edition of the form."""
    narrow = folder / "内部監査チェックリスト_大阪.xlsx"
    wide = folder / "統合ツール_本社.xlsx"
    frequency = [["実地指導\n頻度"], *[["★★★"]] * len(_SITE_AUDIT_ROWS)]
    stored = [["Dropbox\n格納状況"], *[["済"]] * len(_SITE_AUDIT_ROWS)]
    rows = [list(_SITE_AUDIT_HEAD)]
    for number, (priority, category, subject, text, *told) in enumerate(_SITE_AUDIT_ROWS):
        rows.append([priority, "" if number else "共通", category, subject, text, "台帳", "目視", *told])
    _site_audit(narrow, "内部監査チェックリスト", "大阪物流センター", "令和7年5月20日", rows)
    wider = [[*row[:8], *freq, *row[8:], *box] for row, freq, box in zip(rows, frequency, stored, strict=True)]
    _site_audit(wide, "①内部監査チェックリスト", "TKY-01", "2025年5月12日", wider[:5])
    return [narrow, wide]


def _site_audit(path: Path, name: str, site: str, day: str, rows: Sequence[Sequence[Cell]]) -> None:
    """Write the form: merged title cells, the heading in row 6, a summary below, and a further sheet of documents."""
    last = len(rows[0]) - 1
    with _open_book(path) as book:
        sheet = book.add_worksheet(name)
        middle = book.add_format({"align": "center"})
        sheet.merge_range(0, 0, 0, last, "内部監査チェックリスト　【施設名・監査日を入力して使用】", middle)
        facts = (
            (1, "施設名", site, "監査日", day),
            (2, "監査実施者", "内部監査室 佐藤", "前回監査日", "令和6年5月10日"),
        )
        for row, label, value, other, its_value in facts:
            sheet.merge_range(row, 0, row, 3, label, middle)
            sheet.merge_range(row, 4, row, 6, value, middle)
            sheet.merge_range(row, 7, row, 8, other, middle)
            sheet.merge_range(row, 9, row, last, its_value, middle)
        sheet.merge_range(3, 0, 3, 3, "前回指摘事項の是正状況", middle)
        sheet.merge_range(3, 4, 3, last, "☑ 全て完了　□ 一部未了　□ 未対応", middle)
        sheet.merge_range(
            4, 0, 4, last, "【判定】OK＝適合　NG＝不適合（是正要）　N/A＝対象外　是正中＝対応中　未＝未確認", middle
        )
        for number, cells in enumerate(rows, start=5):
            _write_row(sheet, number, cells)
        below = 5 + len(rows) + 1
        sheet.merge_range(below, 0, below, last, "■ 監査結果サマリー", middle)
        _write_row(sheet, below + 1, ["区分", "OK", "NG", "N/A", "是正中", "未確認", "合計"])
        for number, label in enumerate(("S優先度項目", "A優先度項目", "B優先度項目", "合計"), start=below + 2):
            sheet.write_string(number, 0, label)
            sheet.write_formula(number, 1, f'=COUNTIFS(H7:H{below},"OK")', None, 2)
        _write_sheet(book, "確認資料リスト", [["資料名", "保管場所"], ["入退室記録", "総務"], ["研修記録", "人事"]])


def japan_patrol(folder: Path) -> list[Path]:
    """Four patrols of two sites, by name and by code, with 24 lines, of which 5 are NG and one has two corrections."""
    sheets: list[Sequence[Cell]] = [
        ["シート ID", "実施日", "現場名", "クルー名", "パトロール者", "ステータス", "チェックリスト", "テンプレVer", "ワークフロー", "総項目数", "OK", "NG",
         "該当なし", "未入力", "完了率", "写真枚数", "所感", "作成日時", "更新日時"]
    ]  # fmt: skip
    items: list[Sequence[Cell]] = [
        ["実施日", "現場名", "クルー名", "パトロール者", "並び順", "カテゴリ1", "カテゴリ2", "カテゴリ3", "項目内容", "重要", "表示スタイル", "根拠法令",
         "結果", "コメント", "写真枚数", "シート ID", "項目 ID"]
    ]  # fmt: skip
    ng: list[Sequence[Cell]] = [
        ["実施日", "現場名", "クルー名", "パトロール者", "カテゴリ1", "カテゴリ2", "カテゴリ3", "項目内容", "重要", "コメント", "写真枚数", "是正担当",
         "是正期限", "是正ステータス", "是正コメント", "完了日", "完了メモ"]
    ]  # fmt: skip
    lines = (
        ("物理", "入口", "", "入口が施錠されている", "★"),
        ("物理", "入口", "", "来客簿に記入がある", ""),
        ("物理", "書庫", "奥", "書庫が施錠されている", "★"),
        ("人", "机上", "", "机上に書類が残っていない", ""),
        ("人", "画面", "", "画面が施錠されている", ""),
        ("技術", "端末", "", "私物の USB がない", ""),
    )
    patrols = (
        ("p-1", "2025-04-08", "東京第一センター", "A班", "OK NG OK 該当なし OK 未入力"),
        ("p-2", "2025-05-09", "東京第一センター", "A班", "OK OK NG OK OK OK"),
        ("p-3", "2025-05-09", "SG-01", "", "NG NG OK OK 該当なし OK"),
        ("p-4", "2025-06-11", "東京第一センター", "B班", "OK OK OK NG OK OK"),
    )
    # Corrections by patrol and line: person, due, status, day of completion.
    corrections: dict[tuple[str, int], list[tuple[str, str, str, str]]] = {
        ("p-1", 1): [("山田", "2025-04-30", "完了", "2025-04-25")],
        ("p-2", 2): [("山田", "2025-05-31", "完了", "2025-05-20"), ("鈴木", "2025-06-30", "対応中", "")],
        ("p-3", 0): [("Tan", "2025-05-15", "未対応", "")],
    }
    for code, day, site, crew, told in patrols:
        results = told.split()
        sheets.append([code, day, site, crew, "佐藤", "完了", "オフィス巡回", 2, "標準", 6, results.count("OK"), results.count("NG"),
                       results.count("該当なし"), results.count("未入力"), "83%", 0, "", f"{day}T01:00:00Z", f"{day}T02:00:00Z"])  # fmt: skip
        for number, ((first, second, third, text, important), result) in enumerate(zip(lines, results, strict=True)):
            comment = "鍵が壊れている" if result == "NG" else ""
            items.append(
                [
                    day,
                    site,
                    crew,
                    "佐藤",
                    number,
                    first,
                    second,
                    third,
                    text,
                    important,
                    "",
                    "",
                    result,
                    comment,
                    0,
                    code,
                    f"{code}-{number}",
                ]
            )
            if result != "NG":
                continue
            for owner, due, status, done in corrections.get((code, number), [("", "", "", "")]):
                ng.append(
                    [
                        day,
                        site,
                        crew,
                        "佐藤",
                        first,
                        second,
                        third,
                        text,
                        important,
                        comment,
                        0,
                        owner,
                        due,
                        status,
                        "",
                        done,
                        "",
                    ]
                )
    path = folder / "patrol-navi-20250630.xlsx"
    with _open_book(path) as book:
        _write_sheet(book, "Sheets", sheets)
        _write_sheet(book, "Items", items)
        _write_sheet(book, "NG", ng)
        _write_sheet(book, "是正", [["実施日", "現場名", "NG 項目", "担当者", "期限", "是正 ID"]])
        _write_sheet(book, "Workflow", [["実施日", "現場名", "ステップ", "シート ID"]])
    return [path]


# --- a filled questionnaire ----------------------------------------------------------------------

_QUESTIONS = (
    ("1", "Governance", "組織", (
        ("Policy", "方針", "1.1", "A security policy is approved.", "セキュリティ方針が承認されている。", "A.5.1"),
        ("", "", "1.2", "The policy is reviewed each year.", "方針を毎年見直している。", "A.5.1"),
        ("Roles", "役割", "1.3", "A person in charge is named.", "責任者を任命している。", "A.5.2"),
        ("", "", "1.10", "Subcontractors are listed.", "再委託先を一覧にしている。", "A.5.19"),
    )),
    ("2", "People and access", "人とアクセス", (
        ("People", "人", "2.1", "Staff signs a pledge.", "誓約書を取得している。", "A.6.2"),
        ("", "", "2.2", "Staff is trained.", "教育を実施している。", "A.6.3"),
        ("Access", "アクセス", "2.3", "Accounts are reviewed.", "アカウントを棚卸している。", "A.5.18"),
    )),
    ("3", "Technology", "技術", (
        ("Devices", "端末", "3.1", "Disks are encrypted.", "ディスクを暗号化している。", "A.8.1"),
        ("", "", "3.2", "Malware is looked for.", "マルウェア対策をしている。", "A.8.7"),
        ("", "", "3.3", "Backups are tested.", "復元を試験している。", "A.8.13"),
        ("", "", "3.4", "Logs are kept.", "ログを保管している。", "A.8.15"),
    )),
)  # fmt: skip


def security_questionnaire(folder: Path) -> list[Path]:
    """The questionnaire of two companies: in English from SG-01, in Japanese from TKY-02."""
    english = ["Yes", "Partly", "Yes", "No", "Yes", "Yes", "Not applicable", "Yes", "=", "", "No"]
    japanese = ["はい", "はい", "一部", "いいえ", "はい", "該当なし", "はい", "はい", "はい", "一部", ""]
    return [
        _questionnaire(folder / "Questionnaire_SG-01.xlsx", 0, "SG-01", "FY2024", "18 Mar 2025", english),
        _questionnaire(folder / "質問票_東京第一.xlsx", 1, "TKY-02", "2024年度", "令和7年3月18日", japanese),
    ]


def _questionnaire(path: Path, language: int, code: str, period: str, day: str, answers: list[str]) -> Path:
    """Write one edition; the answer to 3.1 is a formula, and `=` stands for one whose value was never stored."""
    cover, lists, summary = (("Instructions", "Lists", "Summary"), ("記入要領", "リスト", "集計"))[language]
    title = ("Security questionnaire for suppliers  Version 3.0", "委託先情報セキュリティ質問票　第3.0版")[language]
    labels = (("Company code", "Fiscal year", "Answered on"), ("会社コード", "対象年度", "回答日"))[language]
    head = (
        ("Area", "No.", "Question", "Answer", "Evidence", "Comment", "ISO/IEC 27001", "Points"),
        ("領域", "No.", "質問", "回答", "証跡", "備考", "ISO/IEC 27001", "点数"),
    )[language]
    yes = ("Yes", "はい")[language]
    with _open_book(path) as book:
        bold = book.add_format({"bold": True})
        first = book.add_worksheet(cover)
        _write_row(first, 0, [title], bold)
        for row, (label, value) in enumerate(zip(labels, (code, period, day), strict=True), start=2):
            _write_row(first, row, [label, value])
        _write_row(
            first,
            6,
            [("Answer every question; blank rows are left as they are.", "すべての質問に回答してください。")[language]],
        )
        told = iter(answers)
        for number, english, japanese, questions in _QUESTIONS:
            sheet = book.add_worksheet(f"{number}. {(english, japanese)[language]}")
            sheet.merge_range(0, 0, 0, 7, title, bold)
            for row, (label, value) in enumerate(zip(labels, (code, period, day), strict=True), start=1):
                sheet.write_string(row, 0, label)
                # The title block repeats what stands on the first sheet.
                sheet.write_formula(row, 1, f"='{cover}'!B{row + 2}", None, value)
            _write_row(sheet, 5, head, bold)
            row = 6
            area = ""
            for area_en, area_ja, item, text_en, text_ja, control in questions:
                if area_en:
                    area = (area_en, area_ja)[language]
                    sheet.merge_range(row, 0, row, 7, f"{number}-{area}", bold)
                    row += 1
                answer = next(told)
                _write_row(sheet, row, [area if area_en else "", item, (text_en, text_ja)[language]])
                if answer == "=":
                    sheet.write_formula(row, 3, "='2. People and access'!D8", None, "")
                elif item == "3.1":
                    sheet.write_formula(row, 3, f'=IF(1=1,"{answer}","")', None, answer)
                else:
                    sheet.write_string(row, 3, answer) if answer else sheet.write_blank(row, 3, None)
                if answer == yes:
                    sheet.write_string(row, 4, "DOC-12")
                sheet.write_string(row, 6, control)
                sheet.write_formula(row, 7, f'=IF(D{row + 1}="{yes}",1,0)', None, int(answer == yes))
                row += 1
            row += 1
            sheet.write_string(row, 0, ("Total", "合計")[language])
            sheet.write_formula(row, 7, f"=SUM(H7:H{row})", None, 1)
        old = _write_sheet(
            book,
            f"2. {('People (2023)', '人 (2023)')[language]}",
            [head, ["", "2.1", "Old question", "No", "", "", "A.6.2", 0]],
        )
        old.hide()
        choices = _write_sheet(book, lists, [["Yes", "はい"], ["Partly", "一部"], ["No", "いいえ"]])
        choices.very_hidden()
        totals = book.add_worksheet(summary)
        for row, (number, english, japanese, _) in enumerate(_QUESTIONS):
            totals.write_string(row, 0, (english, japanese)[language])
            totals.write_formula(row, 1, f"=SUM('{number}. {(english, japanese)[language]}'!H7:H20)", None, "")
    return path


TOOL_EXPORTS: dict[str, Callable[[Path], list[Path]]] = {
    "ciso_assistant_audit": ciso_assistant_audit,
    "ciso_assistant_audit_workbook": ciso_assistant_audit_workbook,
    "ciso_assistant_findings": ciso_assistant_findings,
    "ciso_assistant_action_plan": ciso_assistant_action_plan,
    "ciso_assistant_action_plan_workbook": ciso_assistant_action_plan_workbook,
    "safetyculture": safetyculture,
    "prowler": prowler,
    "stig_manager": stig_manager,
    "csf_profile": csf_profile,
    "trestle_checklist": trestle_checklist,
    "japan_site_audit": japan_site_audit,
    "japan_patrol": japan_patrol,
    "security_questionnaire": security_questionnaire,
}
"""Every export by the name of its tool: a function that writes its files into a folder and gives their paths."""

TOOL_GIVEN: dict[str, str] = {"safetyculture": "SG-01", "prowler": "FR-01"}
"""Entity that a person has to give for the exports of a tool."""
