"""DISA STIG checklists, of STIG Viewer 2 (`.ckl`, XML) and 3 (`.cklb`, JSON), as one table of checked vulnerabilities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from xml.etree.ElementTree import Element

from etl.cells import Unreadable
from etl.documents.document import Document, join_texts, make_table
from etl.documents.json_parts import Part
from etl.documents.xml_parts import text_of

NAME: Final = "stig_checklist"
ROOTS: Final = ("CHECKLIST",)
WORDS: Final = ("stigs",)

VULNERABILITIES: Final = (
    "Target", "Host", "Site", "Instance", "Asset type", "STIG", "STIG title", "Version", "Release", "Vuln", "Rule",
    "Rule version", "Group title", "Rule title", "Severity", "Severity override", "Override reason", "CCI", "Status",
    "Finding details", "Comments",
)  # fmt: skip

Cells = dict[str, str | None]


def _document(rows: Iterable[Cells]) -> Document:
    return Document(NAME, {"vulnerabilities": make_table(VULNERABILITIES, rows)})


def _target(names: Iterable[str | None], site: str | None, instance: str | None) -> str | None:
    """What was checked: a host, or one of its sites or instances, which are checked each for itself."""
    host = next((name for name in names if name), None)
    return "/".join(text for text in (host, site, instance) if text) or None


# --- .ckl ----------------------------------------------------------------------------------------


def read_ckl(root: Element) -> Document:
    """A checklist of STIG Viewer 2: one asset, one or several STIGs. Raises Unreadable."""
    stigs = root.findall("STIGS/iSTIG")
    if not stigs:
        raise Unreadable(
            "no_results",
            "The checklist holds no STIG (STIGS/iSTIG), so there is nothing to load. Open it in STIG Viewer 2 or later, "
            "and save it again.",
        )
    asset = root.find("ASSET")
    said = {} if asset is None else {part.tag: text_of(part) for part in asset}
    names = [said.get(key) for key in ("HOST_NAME", "HOST_FQDN", "HOST_IP", "HOST_MAC")]
    site, instance = said.get("WEB_DB_SITE"), said.get("WEB_DB_INSTANCE")
    head: Cells = {
        "Target": _target(names, site, instance),
        "Host": names[0],
        "Site": site,
        "Instance": instance,
        "Asset type": said.get("ASSET_TYPE"),
    }
    return _document(row for stig in stigs for row in _ckl_rows(head, stig))


def _ckl_rows(head: Cells, stig: Element) -> Iterator[Cells]:
    info = {text_of(one.find("SID_NAME")): text_of(one.find("SID_DATA")) for one in stig.iterfind("STIG_INFO/SI_DATA")}
    head = head | {
        "STIG": info.get("stigid"),
        "STIG title": info.get("title"),
        "Version": info.get("version"),
        "Release": info.get("releaseinfo"),
    }
    for vulnerability in stig.iterfind("VULN"):
        said: dict[str | None, list[str | None]] = {}
        for one in vulnerability.iterfind("STIG_DATA"):
            said.setdefault(text_of(one.find("VULN_ATTRIBUTE")), []).append(text_of(one.find("ATTRIBUTE_DATA")))
        yield head | {
            "Vuln": join_texts(said.get("Vuln_Num", ())),
            "Rule": join_texts(said.get("Rule_ID", ())),
            "Rule version": join_texts(said.get("Rule_Ver", ())),
            "Group title": join_texts(said.get("Group_Title", ())),
            "Rule title": join_texts(said.get("Rule_Title", ())),
            "Severity": join_texts(said.get("Severity", ())),
            "Severity override": text_of(vulnerability.find("SEVERITY_OVERRIDE")),
            "Override reason": text_of(vulnerability.find("SEVERITY_JUSTIFICATION")),
            "CCI": join_texts(said.get("CCI_REF", ())),
            "Status": text_of(vulnerability.find("STATUS")),
            "Finding details": text_of(vulnerability.find("FINDING_DETAILS")),
            "Comments": text_of(vulnerability.find("COMMENTS")),
        }


# --- .cklb ---------------------------------------------------------------------------------------


def read_cklb(root: Part) -> Document | None:
    """A checklist of STIG Viewer 3: one asset, one or several STIGs; None when it is none. Raises Unreadable."""
    if not ("stigs" in root.values and {"target_data", "cklb_version"} & root.values.keys()):
        return None
    asset = root.part("target_data")
    # Evaluate-STIG writes an address as a list, STIG Viewer as a text.
    names = [join_texts(asset.texts(key)) for key in ("host_name", "fqdn", "ip_address", "mac_address")]
    site, instance = asset.text("web_db_site"), asset.text("web_db_instance")
    head: Cells = {
        "Target": _target(names, site, instance),
        "Host": names[0],
        "Site": site,
        "Instance": instance,
        "Asset type": asset.text("target_type"),
    }
    stigs = root.parts("stigs")
    if not stigs:
        raise Unreadable(
            "no_results",
            "The checklist holds no STIG ('stigs' is empty), so there is nothing to load. Add a STIG in STIG Viewer, and "
            "save it again.",
        )
    return _document(row for stig in stigs for row in _cklb_rows(head, stig))


def _cklb_rows(head: Cells, stig: Part) -> Iterator[Cells]:
    head = head | {
        "STIG": stig.text("stig_id"),
        "STIG title": stig.text("stig_name") or stig.text("display_name"),
        "Version": stig.text("version"),
        "Release": stig.text("release_info"),
    }
    for rule in stig.parts("rules"):
        override = rule.part("overrides").part("severity")
        yield head | {
            "Vuln": rule.text("group_id") or rule.text("group_id_src"),
            "Rule": rule.text("rule_id_src") or rule.text("rule_id"),
            "Rule version": rule.text("rule_version"),
            "Group title": rule.text("group_title"),
            "Rule title": rule.text("rule_title"),
            "Severity": rule.text("severity"),
            "Severity override": override.text("severity"),
            "Override reason": override.text("reason"),
            "CCI": join_texts(rule.texts("ccis")),
            "Status": rule.text("status"),
            "Finding details": rule.text("finding_details"),
            "Comments": rule.text("comments"),
        }
