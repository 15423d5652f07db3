"""Masters and plan of the demo group: organisation, checklists with their lineage, planned inspections."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import xlsxwriter

from etl.demo.checklist import MEASURE_NAMES_JA, Checklists, Edition
from etl.demo.group import Group
from etl.demo.names import GROUP_JA
from etl.demo.rounds import with_slashes
from etl.demo.schedule import Inspection
from etl.demo.text_files import EXCEL_UTF8, write_rows

MASTERS_AS_OF = date(2026, 4, 30)
CREATED = datetime(2026, 4, 30)

ORGANISATION_COLUMNS = (
    "拠点コード", "拠点名", "拠点名(英語)", "区分", "地域コード", "国コード", "事業グループコード", "上位組織コード",
    "Pマーク登録番号", "Pマーク有効期限", "適用開始日", "適用終了日",
)  # fmt: skip
KINDS_JA = {
    "head_office": "本社部門",
    "business_group": "事業グループ",
    "site": "事業所",
    "affiliate": "関係会社",
}
CHECKLIST_COLUMNS = (
    "項番", "分野", "安全管理措置", "分類コード", "分類", "分類(英語)", "要求事項", "要求事項(英語)", "配点", "重要",
    "根拠規程", "参照管理策",
)  # fmt: skip
DOMAINS_JA = {"confidential_information": "機密情報管理", "personal_information": "個人情報保護"}
LINEAGE_COLUMNS = ("チェックリスト", "旧版", "旧項番", "新版", "新項番", "変更区分")
CHANGES_JA = {
    "carried_over": "継続", "reworded": "文言変更", "split": "分割", "merged": "統合", "new": "新設", "dropped": "廃止",
}  # fmt: skip
PLAN_COLUMNS = ("点検区分", "対象拠点コード", "実施拠点コード", "対象期間", "提出期限", "取消")
TYPES_JA = {
    "self_check": "自己点検",
    "mutual_check": "相互点検",
    "affiliate_check": "関係会社点検",
    "privacy_audit": "個人情報保護監査",
}


def in_kanji(day: date) -> str:
    """The day as 2026年4月30日."""
    return f"{day.year}年{day.month}月{day.day}日"


def write_organisation(folder: Path, group: Group) -> dict[str, int]:
    """One row per entity and validity interval; the last day of validity is included, and empty for ever."""
    rows = [
        (
            entity.code, entity.name_ja, entity.name_en, KINDS_JA[entity.kind], interval.region, entity.country,
            interval.business_group, interval.business_group or entity.parent, entity.mark_number,
            with_slashes(entity.mark_until) if entity.mark_until else "",
            with_slashes(interval.first), with_slashes(interval.last) if interval.last else "",
        )
        for entity in group.entities
        for interval in entity.intervals
    ]  # fmt: skip
    name = f"master/organisation_master_{MASTERS_AS_OF:%Y%m%d}.csv"
    title = (f"{GROUP_JA} 組織マスタ", f"基準日:{in_kanji(MASTERS_AS_OF)}")
    return {name: write_rows(folder / name, EXCEL_UTF8, ORGANISATION_COLUMNS, rows, title)}


def write_checklists(folder: Path, checklists: Checklists) -> dict[str, int]:
    """The checklist master, a workbook with a sheet for each version, and the lineage between versions."""
    name = f"master/checklist_master_{MASTERS_AS_OF:%Y%m%d}.xlsx"
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(str(folder / name)) as workbook:
        workbook.set_properties({"title": "チェックリストマスタ", "author": GROUP_JA, "created": CREATED})
        bold = workbook.add_format({"bold": True})
        header = workbook.add_format({"bold": True, "bg_color": "#D9E1F2", "border": 1, "text_wrap": True})
        wrapped = workbook.add_format({"text_wrap": True, "valign": "top"})
        for edition in checklists.editions:
            _write_edition(workbook, edition, bold, header, wrapped)
    rows = [("SEC", "2020", link.from_code, "2023", link.to_code, CHANGES_JA[link.change]) for link in checklists.links]
    lineage = f"master/checklist_lineage_{MASTERS_AS_OF:%Y%m%d}.csv"
    return {
        name: sum(len(edition.items) for edition in checklists.editions),
        lineage: write_rows(folder / lineage, EXCEL_UTF8, LINEAGE_COLUMNS, rows),
    }


def _write_edition(
    workbook: xlsxwriter.Workbook,
    edition: Edition,
    bold: xlsxwriter.format.Format,
    header: xlsxwriter.format.Format,
    wrapped: xlsxwriter.format.Format,
) -> None:
    sheet = workbook.add_worksheet(f"{edition.checklist} {edition.version}")
    sheet.write_string(0, 0, f"チェックリストマスタ {edition.checklist} {edition.version}年版", bold)
    sheet.write_string(1, 0, f"基準日:{in_kanji(MASTERS_AS_OF)}")
    for column, heading in enumerate(CHECKLIST_COLUMNS):
        sheet.write_string(3, column, heading, header)
    for row, item in enumerate(edition.items, 4):
        cells = (
            item.code, DOMAINS_JA[item.domain], MEASURE_NAMES_JA[item.measure], item.category_code, item.category_ja,
            item.category_en, item.text_ja, item.text_en, str(item.weight), "○" if item.is_critical else "",
            item.regulation_ref, item.control_ref,
        )  # fmt: skip
        for column, text in enumerate(cells):
            if CHECKLIST_COLUMNS[column] == "配点":
                sheet.write_number(row, column, item.weight)
            elif text:
                sheet.write_string(row, column, text, wrapped)
    sheet.set_column(6, 7, 60)
    sheet.freeze_panes(4, 1)


def write_plans(folder: Path, group: Group, schedule: list[Inspection]) -> dict[str, int]:
    """The plan of each fiscal year as it was made in April, and again on every day on which it was changed."""
    written: dict[str, int] = {}
    for year in sorted({one.round.fiscal_year for one in schedule}):
        planned = [one for one in schedule if one.round.fiscal_year == year]
        editions = (
            {date(year, 4, 1)}
            | {one.announced for one in planned}
            | {one.cancelled or one.announced for one in planned}
        )
        for as_of in sorted(editions):
            rows = [
                (
                    TYPES_JA[one.type], group.entities[one.entity].code,
                    group.entities[one.inspector].code if one.inspector >= 0 else "", one.period_ja,
                    with_slashes(one.due), "○" if one.cancelled and one.cancelled <= as_of else "",
                )
                for one in planned
                if one.announced <= as_of
            ]  # fmt: skip
            name = f"plan/inspection_plan_FY{year}_{as_of:%Y%m%d}.csv"
            written[name] = write_rows(folder / name, EXCEL_UTF8, PLAN_COLUMNS, rows)
    return written
