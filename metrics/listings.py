"""Every listing of rows and its columns, defined once. Aliases of tables are those of metrics/facts.py."""

from __future__ import annotations

from dataclasses import dataclass

from metrics.catalog import DIMENSIONS, FINDING_AGE, KNOWN_DAY
from metrics.facts import FACTS, known

KINDS = ("text", "code", "date", "moment", "integer", "number", "rate", "flag")


@dataclass(frozen=True, slots=True)
class RowColumn:
    """A column of a listing: its SQL, what it sorts by where that is not itself, and the dimension that labels its ids.

    A `rate` is 0..1, a `moment` is UTC; days are whole numbers. What `is_of_group` is empty for readers of a part of
    the group: a file may be named after others.
    """

    name: str
    label_en: str
    label_ja: str
    kind: str
    sql: str
    labelled_by: str | None = None
    sorted_by: str | None = None
    is_of_group: bool = False


@dataclass(frozen=True, slots=True)
class Beginning:
    """How the inspections that the first rows of a long listing are of are found, without reading the others.

    The listing is in the order of its columns from `first` to `last`, which are the same for all rows of an inspection,
    among the rows that hold to `condition`, which come before all others. `counted` gives how many of them each
    inspection has; `beside` gives further inspections whose answers a row of the inspections in $inspections shows.
    `metric` counts all rows.
    """

    metric: str
    first: str
    last: str
    counted: str
    condition: str = "true"
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of one kind: where they come from, which of them there are, and in which order they stand.

    `fact` is that of the metrics which count these rows; its filters and scope hold. `details` are tables that show
    more of a row and hold nothing back, one join a line; `key` makes a row unique, and `detail_key` is the same in details
    that are too big to be joined whole; `searched` are the texts that a search
    looks into besides the code and the names of the entity.
    """

    name: str
    label_en: str
    label_ja: str
    description_en: str
    description_ja: str
    columns: tuple[RowColumn, ...]
    order: tuple[tuple[str, bool], ...]
    key: tuple[str, ...]
    searched: tuple[str, ...]
    fact: str | None = None
    source: str = ""
    conditions: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    details: str = ""
    detail_key: tuple[str, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()
    domain_conditions: tuple[str, ...] = ()
    is_of_group: bool = False
    beginning: Beginning | None = None

    @property
    def rows(self) -> str:
        """The from clause, without details."""
        return FACTS[self.fact].source if self.fact else self.source

    @property
    def held_conditions(self) -> tuple[str, ...]:
        """The conditions that make a row one of the listing, whatever the filters."""
        return FACTS[self.fact].conditions if self.fact else self.conditions

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names of its columns, in their order."""
        return tuple(column.name for column in self.columns)

    @property
    def filter_columns(self) -> dict[str, str]:
        """The dimensions whose filters it knows, and their SQL here."""
        if self.fact is None:
            return dict(self.filters)
        return {name: one.column for name, one in DIMENSIONS.items() if self.fact in one.facts}


SEARCHED_ENTITIES = "select entity_id from entity where held_to = date '9999-12-31' and ({0})"
ENTITY_TEXTS = ("entity_code", "name_en", "name_ja")
ITEM_TEXTS = ("c.item_code", "c.text_en", "c.text_ja")
LOAD = "\n    left join load l on l.load_id = {0}.load_id"
# The two answers of a pair, as written: `o` that of the outside check, `s` that of the self-check. Most answers are of
# self-checks without an outside check beside them.
OUTSIDE_ANSWER = f"""outside_answer as not materialized (
    select a.*
    from fct_answer a
    where {known("a")} and a.inspection_id in (select inspection_id from fct_inspection where inspection_type <> 'self_check')
)"""
SELF_ANSWER = f"""self_answer as not materialized (
    select a.*
    from fct_answer a
    where {known("a")} and a.inspection_id in (
        select n.inspection_id
        from fct_inspection n
        join fct_inspection o on o.entity_id = n.entity_id and o.fiscal_half = n.fiscal_half
        where n.inspection_type = 'self_check' and o.inspection_type <> 'self_check'
    )
)"""
PAIRED = (
    "\n    join outside_answer o on o.inspection_id = a.inspection_id and o.item_id = a.item_id"
    "\n    join self_answer s on s.inspection_id = a.self_inspection_id and s.item_id = a.self_item_id"
)

OF_ANSWERS = Beginning(
    "answers", "performed_on", "entity",
    """select inspection_id, met + partly_met + not_met + not_applicable + not_answered as number
    from cube_inspection
    where known_from <= $known_at and known_to > $known_at""",
)  # fmt: skip
OF_PAIRS = Beginning(
    "pairs", "fiscal_half", "entity",
    """select inspection_id, sum(widest_gaps) as number
    from cube_pair
    where is_whole and known_from <= $known_at and known_to > $known_at
    group by inspection_id""",
    "a.self_score - a.score >= 1",
    "select self_inspection_id from cube_pair where is_whole and inspection_id in (select unnest($inspections))",
)  # fmt: skip

# What was handed in before the group's own log began is held to its knowledge date, what came later to its arrival.
LOADED = "least(l.loaded_at, l.known_at) <= $known_at"

MEASURED = """measured as (
    select
        c.inspection_id,
        nullif(round(sum(c.weight_applicable), 9), 0) as weight_applicable,
        round(sum(c.weight_scored), 9) as weight_scored,
        sum(c.met + c.partly_met + c.not_met + c.not_applicable + c.not_answered) as answers, sum(c.not_met) as not_met
    from cube_measure c
    where c.event_at <= $known_at and ($sees_all_domains or c.domain in (select unnest($scope_domains)))
    group by c.inspection_id
)"""

LINK = f"""link as (
    select
        b.checklist_code, b.from_version, b.from_item_code, b.to_version, b.to_item_code, b.change,
        b.from_item_id, b.to_item_id, p.domain as from_domain, q.domain as to_domain, p.item_no as from_no,
        q.item_no as to_no, p.text_en as from_en, p.text_ja as from_ja, q.text_en as to_en, q.text_ja as to_ja,
        p.lineage_code as from_lineage, q.lineage_code as to_lineage
    from brg_item_lineage b
    left join dim_item p on p.item_id = b.from_item_id and {known("p")}
    left join dim_item q on q.item_id = b.to_item_id and {known("q")}
    where {known("b")}
)"""
ENDS_IN_LINEAGE = (
    "cast({0}.from_lineage as varchar) in (select unnest($item_lineage))"
    " or cast({0}.to_lineage as varchar) in (select unnest($item_lineage))"
)
NEAR = " union ".join(
    f"select z.{end}_item_id from link z where z.{end}_item_id is not null and ({ENDS_IN_LINEAGE.format('z')})"
    for end in ("from", "to")
)

REFUSED = """refused as (
    select *, row_number() over (
        order by load_id, sheet, row_no, column_name, reason_code, value, reason, suggestion, is_row_refused, row_text
    ) as refusal_no
    from refusal
)"""

PLAN = FACTS["plans"].counts
PLAN_STATUS = (
    f"case when {PLAN['on_time']} then 'on_time' when {PLAN['late']} then 'late'"
    f" when {PLAN['missing']} then 'missing' else 'not_yet_due' end"
)
PLAN_DAYS_LATE = (
    f"case when {PLAN['late']} then cast(f.handed_in_on - f.due_on as integer)"
    f" when {PLAN['missing']} then cast({KNOWN_DAY} - f.due_on as integer) end"
)
IS_OVERDUE = f"coalesce({FACTS['actions'].counts['overdue_actions']}, false)"


def _dimension(name: str, sql: str | None = None, sorted_by: str | None = None) -> RowColumn:
    """A column that is a dimension of the catalog, with its labels."""
    one = DIMENSIONS[name]
    labelled = name if one.values or one.labels_sql or name == "fiscal_year" else None
    kind = "integer" if name == "fiscal_year" else "code" if labelled else "text"
    return RowColumn(name, one.label_en, one.label_ja, kind, sql or one.column, labelled, sorted_by)


def _item_columns() -> tuple[RowColumn, ...]:
    item = DIMENSIONS["item"]
    return (
        RowColumn("item", item.label_en, item.label_ja, "code", item.column, sorted_by="c.item_no"),
        RowColumn("item_text", "Requirement", "要求事項", "text", item.column, "item", "c.text_en"),
    )


def _loaded_column() -> RowColumn:
    return RowColumn("file_name", "File", "ファイル", "text", "l.file_name", is_of_group=True)


KNOWN_FROM = ("known_from", "Known from", "把握日時", "moment")
PERFORMED_ON = ("performed_on", "Performed", "実施日", "date")
RAISED_ON = ("raised_on", "Raised", "発生日", "date")
INSPECTION_ID = ("inspection_id", "Inspection", "点検ID", "text")
FINDING_CODE = ("finding_code", "Finding", "指摘番号", "code")

LISTINGS = {
    one.name: one
    for one in (
        Listing(
            "answers", "Answers", "回答", "One row per answer behind the rates: what was written for an item.",
            "率のもとになる回答を1行ずつ示す（項目に記入された内容）。",
            (
                RowColumn(*INSPECTION_ID, "cast(a.inspection_id as varchar)"),
                _dimension("inspection_type"),
                _dimension("entity"),
                _dimension("inspecting_entity"),
                _dimension("fiscal_half"),
                RowColumn(*PERFORMED_ON, "f.performed_on"),
                _dimension("checklist_version"),
                _item_columns()[0],
                RowColumn("item_code", "Item code", "項番", "code", "c.item_code", sorted_by="c.item_no"),
                _item_columns()[1],
                _dimension("measure"),
                _dimension("category"),
                RowColumn("weight", "Weight", "重み", "number", "c.weight"),
                _dimension("verdict"),
                RowColumn("score", "Score", "得点", "rate", "a.score"),
                RowColumn("answer", "Answer as written", "回答（原文）", "text", "a.answer"),
                RowColumn("comment", "Comment", "コメント", "text", "a.comment"),
                RowColumn("has_evidence", "Evidence", "証跡", "flag", "a.has_evidence"),
                RowColumn(*KNOWN_FROM, "a.known_from"),
                _loaded_column(),
                RowColumn("sheet", "Sheet", "シート", "text", "a.sheet", is_of_group=True),
                RowColumn("row_no", "Row", "行", "integer", "a.row_no"),
                _dimension("item_lineage"),
            ),
            (("performed_on", True), ("entity", False), ("item_code", False)),
            ("a.inspection_id", "a.item_id"),
            ("a.answer", "a.comment", *ITEM_TEXTS),
            fact="answers", details=LOAD.format("a"), beginning=OF_ANSWERS,
        ),
        Listing(
            "inspections", "Inspections", "点検", "One row per inspection with a result.", "結果のある点検を1行ずつ示す。",
            (
                RowColumn(*INSPECTION_ID, "cast(f.inspection_id as varchar)"),
                _dimension("inspection_type"),
                _dimension("entity"),
                _dimension("inspecting_entity"),
                _dimension("fiscal_year"),
                _dimension("fiscal_half"),
                RowColumn(*PERFORMED_ON, "f.performed_on"),
                RowColumn("submitted_on", "Handed in", "提出日", "date", "f.submitted_on"),
                _dimension("checklist_version"),
                RowColumn("compliance_rate", "Compliance rate", "遵守率", "rate", "m.weight_scored / m.weight_applicable"),
                RowColumn("compliance_rate_numerator", "Weight × score", "重み×得点", "number",
                          "case when m.weight_applicable is not null then m.weight_scored end"),
                RowColumn("compliance_rate_denominator", "Weight", "重み", "number", "m.weight_applicable"),
                RowColumn("answers", "Answers", "回答数", "integer", "coalesce(m.answers, 0)"),
                RowColumn("not_met", "Not met", "不適合", "integer", "coalesce(m.not_met, 0)"),
                RowColumn(*KNOWN_FROM, "f.known_from"),
                RowColumn("source_name", "Source", "ソース定義", "code", "f.source_name"),
                _loaded_column(),
            ),
            (("fiscal_half", True), ("entity", False), ("inspection_type", False)),
            ("f.inspection_id",), ("f.inspection_code", "f.checklist_version", "l.file_name"),
            fact="inspections", tables=(MEASURED,),
            details="\n    left join measured m on m.inspection_id = f.inspection_id" + LOAD.format("f"),
        ),
        Listing(
            "findings", "Findings", "指摘", "One row per finding, as it stood at the knowledge date.",
            "情報時点の指摘を1件ずつ示す。",
            (
                RowColumn(*FINDING_CODE, "f.finding_code"),
                _dimension("inspection_type"),
                _dimension("entity"),
                _dimension("fiscal_half"),
                _dimension("severity"),
                _dimension("status"),
                RowColumn("description", "Description", "内容", "text", "f.description"),
                *_item_columns(),
                _dimension("measure"),
                _dimension("category"),
                RowColumn(*RAISED_ON, "f.raised_on"),
                RowColumn("closed_on", "Closed", "完了日", "date", "f.closed_on"),
                RowColumn("age_days", "Age in days", "経過日数", "integer", FINDING_AGE),
                _dimension("age_band"),
                RowColumn("reopened_count", "Times reopened", "再発回数", "integer", "f.reopened_count"),
                RowColumn("is_repeat", "Repeat", "繰り返し", "flag", f"coalesce({FACTS['findings'].counts['repeat_findings']}, false)"),
                RowColumn("open_actions", "Open actions", "未完了の処置", "integer", "coalesce(o.open_actions, 0)"),
                RowColumn("overdue_actions", "Overdue actions", "期限超過の処置", "integer", "coalesce(o.overdue_actions, 0)"),
                _dimension("item_lineage"),
            ),
            (("raised_on", True), ("finding_code", False)),
            ("f.finding_id",), ("f.finding_code", "f.description", *ITEM_TEXTS),
            fact="findings",
        ),
        Listing(
            "actions", "Corrective actions", "是正処置", "One row per corrective action, as it stood at the knowledge date.",
            "情報時点の是正処置を1件ずつ示す。",
            (
                RowColumn("action_code", "Corrective action", "是正処置番号", "code", "g.action_code"),
                RowColumn(*FINDING_CODE, "f.finding_code"),
                _dimension("entity"),
                _dimension("inspection_type"),
                _dimension("severity"),
                _dimension("measure"),
                _dimension("owner"),
                RowColumn("description", "Description", "内容", "text", "g.description"),
                RowColumn("due_on", "Due", "期限", "date", "g.due_on"),
                RowColumn("completed_on", "Completed", "完了日", "date", "g.completed_on"),
                RowColumn("is_open", "Open", "未完了", "flag", f"({FACTS['actions'].counts['open_actions']})"),
                RowColumn("is_overdue", "Overdue", "期限超過", "flag", IS_OVERDUE),
                RowColumn("days_overdue", "Days overdue", "超過日数", "integer",
                          f"case when {IS_OVERDUE} then cast({KNOWN_DAY} - g.due_on as integer) end"),
                RowColumn("effectiveness", "Effectiveness", "有効性", "code", "g.effectiveness"),
                RowColumn("effectiveness_checked_on", "Effectiveness checked", "有効性確認日", "date",
                          "g.effectiveness_checked_on"),
                RowColumn(*RAISED_ON, "f.raised_on"),
            ),
            (("is_open", True), ("due_on", False), ("action_code", False)),
            ("g.action_id",),
            ("g.action_code", "f.finding_code", "g.description", "g.owner", "f.description"),
            fact="actions",
        ),
        Listing(
            "plans", "Planned inspections", "点検計画",
            "One row per planned inspection that was not cancelled, and what became of it; days late of one not handed in run on.",
            "中止していない計画点検とその結果を1行ずつ示す。未提出のものの遅延日数は情報時点まで数える。",
            (
                _dimension("inspection_type"),
                _dimension("entity"),
                _dimension("inspecting_entity"),
                _dimension("fiscal_half"),
                RowColumn("due_on", "Due", "期限", "date", "f.due_on"),
                RowColumn("handed_in_on", "Handed in", "提出日", "date", "f.handed_in_on"),
                RowColumn("plan_status", "Plan status", "計画の状況", "code", PLAN_STATUS),
                RowColumn("days_late", "Days late", "遅延日数", "integer", PLAN_DAYS_LATE),
            ),
            (("due_on", True), ("entity", False), ("inspection_type", False)),
            ("f.plan_id",), (), fact="plans",
        ),
        Listing(
            "entities", "Entities", "組織", "One row per entity of the group on the day of the knowledge date.",
            "情報時点の日に存在する組織を1行ずつ示す。",
            (
                _dimension("entity"),
                _dimension("entity_kind"),
                _dimension("region"),
                _dimension("country"),
                _dimension("business_group"),
                RowColumn("parent_entity", "Parent entity", "上位組織", "code", "e.parent_entity_code", "entity"),
                RowColumn("has_privacymark", "PrivacyMark", "プライバシーマーク", "flag", "e.has_privacymark"),
                RowColumn("privacymark_number", "PrivacyMark number", "登録番号", "code", "e.privacymark_number"),
                RowColumn("privacymark_until_on", "PrivacyMark valid until", "有効期限", "date", "e.privacymark_until_on"),
                RowColumn("privacymark_days_left", "Days left", "残り日数", "integer",
                          f"cast(e.privacymark_until_on - {KNOWN_DAY} as integer)"),
                RowColumn("valid_from", "Since", "適用開始日", "date", "e.valid_from"),
            ),
            (("entity", False),),
            ("e.entity_id",), ("e.privacymark_number",), fact="entities",
        ),
        Listing(
            "pairs", "Pairs of answers", "回答の対",
            "One row per answer of a self-check beside that of an outside check of the same entity, item lineage and half.",
            "同じ組織・項目系譜・半期の自己点検と第三者側の回答を1対ずつ示す。",
            (
                _dimension("entity"),
                _dimension("fiscal_half"),
                _dimension("inspection_type"),
                _dimension("inspecting_entity"),
                *_item_columns(),
                _dimension("measure"),
                _dimension("category"),
                _dimension("self_verdict"),
                _dimension("verdict"),
                RowColumn("self_answer", "Answer of the self-check", "自己点検の回答（原文）", "text", "s.answer"),
                RowColumn("answer", "Answer of the outside check", "第三者側の回答（原文）", "text", "o.answer"),
                RowColumn("self_comment", "Comment of the self-check", "自己点検のコメント", "text", "s.comment"),
                RowColumn("comment", "Comment of the outside check", "第三者側のコメント", "text", "o.comment"),
                RowColumn("difference", "Self − outside", "自己−第三者", "number", "a.self_score - a.score"),
                _dimension("item_lineage"),
            ),
            (("difference", True), ("fiscal_half", True), ("entity", False)),
            ("a.inspection_id", "a.item_id", "a.self_inspection_id", "a.self_item_id"),
            ("o.answer", "o.comment", "s.answer", "s.comment", *ITEM_TEXTS),
            fact="pairs", tables=(OUTSIDE_ANSWER, SELF_ANSWER), details=PAIRED,
            detail_key=("o.inspection_id", "o.item_id", "s.inspection_id", "s.item_id"), beginning=OF_PAIRS,
        ),
        Listing(
            "items", "Checklist items", "点検項目", "One row per assessable item of a checklist version.",
            "版ごとの評価対象の点検項目を1行ずつ示す。",
            (
                _item_columns()[0],
                RowColumn("item_code", "Item code", "項番", "code", "c.item_code", sorted_by="c.item_no"),
                _dimension("item_lineage"),
                RowColumn("checklist_code", "Checklist", "チェックリスト", "code", "c.checklist_code"),
                RowColumn("checklist_version", "Version", "版", "code", "c.checklist_version"),
                _item_columns()[1],
                _dimension("domain"),
                _dimension("measure"),
                _dimension("category"),
                RowColumn("weight", "Weight", "重み", "number", "c.weight"),
                RowColumn("is_critical", "Critical", "重要項目", "flag", "c.is_critical"),
                RowColumn("regulation_ref", "Regulation", "根拠規程", "text", "c.regulation_ref"),
                RowColumn("control_ref", "Control or clause", "管理策・条項", "text", "c.control_ref"),
            ),
            (("checklist_code", False), ("checklist_version", True), ("item_code", False)),
            ("c.item_id",), (*ITEM_TEXTS, "c.regulation_ref", "c.control_ref"),
            source="from dim_item c", conditions=(known("c"), "c.is_assessable"),
            filters=(
                *((name, DIMENSIONS[name].column) for name in ("domain", "measure", "category", "item", "item_lineage", "control")),
                ("checklist_version", "c.checklist_code || ' ' || c.checklist_version"),
            ),
            domain_conditions=("c.domain in (select unnest($scope_domains))",),
        ),
        Listing(
            "lineage", "Item lineage", "項目系譜",
            "One row per link between an item and its successor in the next checklist version.",
            "項目と次の版での後継とのつながりを1行ずつ示す。",
            (
                RowColumn("checklist_code", "Checklist", "チェックリスト", "code", "k.checklist_code"),
                RowColumn("from_version", "From version", "旧版", "code", "k.from_version"),
                RowColumn("from_item", "From item", "旧項目", "code",
                          "k.checklist_code || '|' || k.from_version || '|' || k.from_item_code", sorted_by="k.from_no"),
                RowColumn("from_text", "Earlier requirement", "旧要求事項", "text",
                          "k.checklist_code || '|' || k.from_version || '|' || k.from_item_code", "item", "k.from_en"),
                RowColumn("to_version", "To version", "新版", "code", "k.to_version"),
                RowColumn("to_item", "To item", "新項目", "code",
                          "k.checklist_code || '|' || k.to_version || '|' || k.to_item_code", sorted_by="k.to_no"),
                RowColumn("to_text", "Later requirement", "新要求事項", "text",
                          "k.checklist_code || '|' || k.to_version || '|' || k.to_item_code", "item", "k.to_en"),
                RowColumn("change", "Change", "変更", "code", "k.change"),
            ),
            (("checklist_code", False), ("from_version", False), ("from_item", False), ("to_item", False)),
            ("k.checklist_code", "k.from_version", "k.to_version", "coalesce(k.from_item_code, '')",
             "coalesce(k.to_item_code, '')"),
            ("k.from_item_code", "k.from_en", "k.from_ja", "k.to_item_code", "k.to_en", "k.to_ja"),
            source="from link k", tables=(LINK,),
            filters=(("item_lineage", f"({ENDS_IN_LINEAGE.format('k')} or k.from_item_id in ({NEAR}) or k.to_item_id in ({NEAR}))"),),
            domain_conditions=(
                "(k.from_item_id is null or k.from_domain in (select unnest($scope_domains)))",
                "(k.to_item_id is null or k.to_domain in (select unnest($scope_domains)))",
            ),
        ),
        Listing(
            "loads", "Files taken in", "取込ファイル", "One row per file taken in.", "取り込んだファイルを1件ずつ示す。",
            (
                RowColumn("load_no", "Load", "取込番号", "integer", "l.load_no"),
                _loaded_column(),
                RowColumn("source_name", "Source", "ソース定義", "code", "l.source_name"),
                RowColumn("loaded_at", "Taken in", "取込日時", "moment", "l.loaded_at"),
                RowColumn("known_at", "Knowledge date", "把握時点", "moment", "l.known_at"),
                RowColumn("byte_count", "Bytes", "バイト数", "integer", "l.byte_count"),
                RowColumn("rows_read", "Rows read", "読込行数", "integer", "l.rows_read"),
                RowColumn("rows_loaded", "Rows loaded", "取込行数", "integer", "l.rows_loaded"),
                RowColumn("rows_unchanged", "Rows unchanged", "変更なしの行数", "integer", "l.rows_unchanged"),
                RowColumn("rows_refused", "Rows refused", "取込不可の行数", "integer", "l.rows_refused"),
                RowColumn("rows_skipped", "Rows skipped", "対象外の行数", "integer", "l.rows_skipped"),
                RowColumn("refusals", "Refusals", "取込不可の件数", "integer",
                          "(select count(*) from refusal z where z.load_id = l.load_id)"),
            ),
            (("load_no", True),),
            ("l.load_id",), ("l.file_name", "l.source_name"),
            source="from load l", conditions=(LOADED,), is_of_group=True,
        ),
        Listing(
            "refusals", "Refusals", "取込不可", "One row per reason for which a row, a cell or a file was not loaded.",
            "行・セル・ファイルを取り込めなかった理由を1件ずつ示す。",
            (
                RowColumn("load_no", "Load", "取込番号", "integer", "l.load_no"),
                _loaded_column(),
                RowColumn("sheet", "Sheet", "シート", "text", "z.sheet"),
                RowColumn("row_no", "Row", "行", "integer", "z.row_no"),
                RowColumn("column_name", "Column", "列", "text", "z.column_name"),
                RowColumn("value", "Value", "値", "text", "z.value"),
                RowColumn("reason_code", "Kind of reason", "理由の種類", "code", "z.reason_code"),
                RowColumn("reason", "Reason", "理由", "text", "z.reason"),
                RowColumn("suggestion", "Suggestion", "候補", "text", "z.suggestion"),
                RowColumn("is_row_refused", "Row refused", "行の取込不可", "flag", "z.is_row_refused"),
                RowColumn("row_text", "Row as read", "読み込んだ行", "text", "z.row_text"),
            ),
            (("load_no", True), ("sheet", False), ("row_no", False)),
            ("z.refusal_no",), ("l.file_name", "z.value", "z.column_name", "z.reason", "z.row_text"),
            source="from refused z\n    join load l on l.load_id = z.load_id", conditions=(LOADED,), tables=(REFUSED,),
            is_of_group=True,
        ),
    )
}  # fmt: skip
