"""Self-check workbooks: the Japanese form of head office and its English twin for overseas entities."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import xlsxwriter

from etl.demo.answering import MET, NOT_APPLICABLE, NOT_MET, PARTLY_MET, YES, AnswerBlock
from etl.demo.checklist import MEASURE_NAMES_JA, Item
from etl.demo.comments import CommentPool
from etl.demo.group import Entity
from etl.demo.names import GROUP_EN, GROUP_JA
from etl.demo.rounds import in_english, in_japanese_era

HEADER_ROW = 7
COLUMNS = 7


@dataclass(frozen=True, slots=True)
class _Form:
    """The words of one language's form."""

    sheet: str
    title: str
    labels: tuple[str, str, str, str, str, str]
    guide: str
    headings: tuple[str, ...]
    answers: tuple[str, str, str, str, str]
    summary: str
    evidence: tuple[str, ...]


JAPANESE = _Form(
    "自己点検表",
    f"{GROUP_JA} 情報セキュリティ自己点検表",
    ("会社名", "会社コード", "対象期間", "記入日", "提出日", "版"),
    "記入要領  ○:実施している △:一部実施 ×:未実施 －:該当なし。△と×にはコメントを記入してください。",
    ("区分\n(安全管理措置)", "分類", "項番", "点検項目", "判定\n(○△×－)", "証跡\n(文書名など)", "コメント\n(△×は必須)"),
    ("○", "△", "×", "－", ""),
    "■ 集計",
    ("管理規程 第{n}版", "{n}月度 実施記録", "台帳({n}月末時点)", "承認記録 No.{n}", "設定画面の写し{n}枚"),
)
ENGLISH = _Form(
    "Self-check",
    f"{GROUP_EN}: Information Security Self-check",
    ("Company", "Company code", "Period", "Date completed", "Date submitted", "Version"),
    "How to answer: Yes = done, Partly = done in part, No = not done, N/A = does not apply. Explain Partly and No.",
    ("Measure", "Category", "No.", "Requirement", "Answer\n(Yes/Partly/No/N/A)", "Evidence\n(documents)", "Comment"),
    ("Yes", "Partly", "No", "N/A", ""),
    "■ Summary",
    (
        "Regulations, revision {n}", "Record of month {n}", "Register (end of month {n})", "Approval no. {n}",
        "{n} screenshots",
    ),
)  # fmt: skip
# Companies write the circle with whatever their input method offers first.
CIRCLES = ("○", "○", "○", "〇", "◯")
CROSSES = ("×", "×", "×", "✕", "×")


def file_name(entity: Entity, block: AnswerBlock, is_correction: bool) -> str:
    """Name of the workbook of the block's first inspection, such as 自己点検表_AF-0012_2025年度上期.xlsx."""
    turn = block.inspections[0].round
    if entity.writes_japanese:
        return f"自己点検表_{entity.code}_{turn.label_ja}{'_訂正版' if is_correction else ''}.xlsx"
    return f"Self-Check_{entity.code}_{turn.code}{'_corrected' if is_correction else ''}.xlsx"


def write_workbook(path: Path, entity: Entity, block: AnswerBlock, row: int, pool: CommentPool) -> int:
    """Write the self-check in that row of the block as a workbook; returns the number of answers in it."""
    one = block.inspections[row]
    is_japanese = entity.writes_japanese
    form = JAPANESE if is_japanese else ENGLISH
    assert one.performed
    assert one.submitted
    in_words = in_japanese_era if is_japanese else in_english
    period = one.round.label_ja if is_japanese else one.round.code
    version = f"{block.edition.version}年版" if is_japanese else block.edition.version
    facts = (entity.name_ja if is_japanese else entity.name_en, entity.code, period)
    right = (in_words(one.performed), in_words(one.submitted), version)
    # The workbook is put together in memory and written once, so a folder never shows half of one.
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as workbook:
        workbook.set_properties({"title": form.title, "author": entity.code, "created": _noon(one.submitted)})
        formats = _Formats(workbook)
        sheet = workbook.add_worksheet(form.sheet)
        sheet.merge_range(0, 0, 0, COLUMNS - 1, form.title, formats.title)
        for line in range(3):
            sheet.write_string(2 + line, 0, form.labels[line], formats.label)
            sheet.write_string(2 + line, 1, facts[line])
            sheet.write_string(2 + line, 4, form.labels[3 + line], formats.label)
            sheet.write_string(2 + line, 5, right[line])
        sheet.write_string(5, 0, form.guide, formats.guide)
        sheet.set_row(HEADER_ROW, 32)
        for column, heading in enumerate(form.headings):
            sheet.write_string(HEADER_ROW, column, heading, formats.header)
        _write_answers(sheet, formats, form, entity, block, row, pool)
        _write_summary(sheet, formats, form, entity, len(block.edition.items), block.verdicts[row].tolist())
        for column, width in enumerate((14, 18, 8, 60, 10, 24, 48)):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(HEADER_ROW + 1, 3)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(buffer.getvalue())
    return len(block.edition.items)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12)


class _Formats:
    """Cell formats of one workbook."""

    __slots__ = ("cell", "group", "guide", "header", "label", "title")

    def __init__(self, workbook: xlsxwriter.Workbook) -> None:
        self.title = workbook.add_format({"bold": True, "font_size": 14})
        self.label = workbook.add_format({"bold": True, "bg_color": "#F2F2F2"})
        self.guide = workbook.add_format({"font_color": "#7F7F7F"})
        self.header = workbook.add_format({"bold": True, "bg_color": "#D9E1F2", "border": 1, "text_wrap": True})
        self.group = workbook.add_format({"border": 1, "valign": "top", "text_wrap": True})
        self.cell = workbook.add_format({"border": 1, "valign": "top", "text_wrap": True})


def _marks(form: _Form, entity: Entity) -> tuple[str, ...]:
    if form is ENGLISH:
        return form.answers
    habit = int(entity.code[-4:]) % len(CIRCLES)
    return (CIRCLES[habit], form.answers[PARTLY_MET], CROSSES[habit], *form.answers[3:])


def _write_answers(
    sheet: xlsxwriter.worksheet.Worksheet,
    formats: _Formats,
    form: _Form,
    entity: Entity,
    block: AnswerBlock,
    row: int,
    pool: CommentPool,
) -> None:
    is_japanese = form is JAPANESE
    first = HEADER_ROW + 1
    measures = [MEASURE_NAMES_JA[i.measure] if is_japanese else i.measure.capitalize() for i in block.edition.items]
    categories = [i.category_ja if is_japanese else i.category_en for i in block.edition.items]
    for column, names in enumerate((measures, categories)):
        # A category never runs across two measures, so its name alone tells where it ends.
        for start, end in _runs(names):
            if end > start:
                sheet.merge_range(first + start, column, first + end, column, names[start], formats.group)
            else:
                sheet.write_string(first + start, column, names[start], formats.group)
    marks = _marks(form, entity)
    verdicts, evidence, comments = (array[row].tolist() for array in (block.verdicts, block.evidence, block.comments))
    for place, item in enumerate(block.edition.items):
        cells = (
            item.code,
            item.text_ja if is_japanese else item.text_en,
            marks[verdicts[place]],
            _evidence(form, item, entity) if evidence[place] == YES else "",
            pool.texts[comments[place]] if comments[place] >= 0 else "",
        )
        for column, text in enumerate(cells, 2):
            if text:
                sheet.write_string(first + place, column, text, formats.cell)
            else:
                sheet.write_blank(first + place, column, None, formats.cell)


def _runs(names: list[str]) -> list[tuple[int, int]]:
    """First and last positions of equal neighbours."""
    starts = [place for place in range(len(names)) if place == 0 or names[place] != names[place - 1]]
    return [(start, end - 1) for start, end in zip(starts, [*starts[1:], len(names)], strict=True)]


def _evidence(form: _Form, item: Item, entity: Entity) -> str:
    seed = item.requirement * 7 + int(entity.code[-4:])
    return form.evidence[seed % len(form.evidence)].format(n=seed % 9 + 1)


def _write_summary(
    sheet: xlsxwriter.worksheet.Worksheet,
    formats: _Formats,
    form: _Form,
    entity: Entity,
    items: int,
    verdicts: list[int],
) -> None:
    """Counts below the data, as formulas with their values."""
    marks = _marks(form, entity)
    top = HEADER_ROW + 1 + items + 1
    answers = f"E{HEADER_ROW + 2}:E{HEADER_ROW + 1 + items}"
    sheet.write_string(top, 0, form.summary, formats.label)
    for line, verdict in enumerate((MET, PARTLY_MET, NOT_MET, NOT_APPLICABLE), 1):
        mark = marks[verdict]
        sheet.write_string(top + line, 3, mark)
        sheet.write_formula(top + line, 4, f'=COUNTIF({answers},"{mark}")', None, verdicts.count(verdict))
