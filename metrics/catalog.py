"""Every metric and every dimension, defined once."""

from __future__ import annotations

import re
from dataclasses import dataclass

ENTITY_FACTS = ("answers", "inspections", "plans", "findings", "actions", "entities", "pairs")
PERIOD_FACTS = ("answers", "inspections", "plans", "findings", "actions", "pairs")
ITEM_FACTS = ("answers", "findings", "actions", "pairs")


@dataclass(frozen=True, slots=True)
class Dimension:
    """A way to split figures: SQL of its id by fact, and the labels of its values where the catalog has them."""

    name: str
    label_en: str
    label_ja: str
    description_en: str
    description_ja: str
    facts: tuple[str, ...]
    column: str
    values: tuple[tuple[str, str, str], ...] = ()
    labels_sql: str | None = None

    @property
    def is_of_item(self) -> bool:
        """Whether it describes items, so that it is no dimension of a plan or an inspection as a whole."""
        return "plans" not in self.facts and "entities" not in self.facts and "inspections" not in self.facts

    @property
    def table(self) -> str:
        """Alias of the table that its column is of."""
        found = re.search(r"\b([a-z])\.", self.column)
        assert found
        return found[1]


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: the additive columns of its fact that make its numerator and denominator, and what it says."""

    name: str
    label_en: str
    label_ja: str
    description_en: str
    description_ja: str
    fact: str
    numerator: str
    denominator: str | None = None
    unit: str = "count"
    direction: str = "higher_is_better"

    @property
    def is_ratio(self) -> bool:
        """Whether it is a ratio of two sums."""
        return self.denominator is not None

    @property
    def base(self) -> str:
        """The sum that entities behind the figure have something in: the denominator, where there is one."""
        return self.denominator or self.numerator


INSPECTION_TYPES = (
    ("self_check", "Self-check", "自己点検"),
    ("mutual_check", "Third-party check between sites", "相互点検"),
    ("affiliate_check", "Third-party check of affiliates", "関係会社点検"),
    ("privacy_audit", "Personal information protection audit", "個人情報保護監査"),
)
MEASURES = (
    ("organizational", "Organizational", "組織的対策"),
    ("human", "Human", "人的対策"),
    ("physical", "Physical", "物理的対策"),
    ("technological", "Technological", "技術的対策"),
)
DOMAINS = (
    ("confidential_information", "Confidential corporate information", "企業機密情報"),
    ("personal_information", "Personal information", "個人情報"),
)
VERDICTS = (
    ("met", "Met", "適合"),
    ("partly_met", "Partly met", "一部適合"),
    ("not_met", "Not met", "不適合"),
    ("not_applicable", "Not applicable", "対象外"),
    ("not_answered", "Not answered", "未回答"),
)
ENTITY_KINDS = (
    ("head_office", "Head-office department", "本社部門"),
    ("business_group", "Business group", "事業グループ"),
    ("site", "Site", "事業所"),
    ("affiliate", "Affiliate", "関係会社"),
)
SEVERITIES = (("major", "Major", "重大"), ("minor", "Minor", "軽微"), ("observation", "Observation", "観察事項"))
STATUSES = (("open", "Open", "未完了"), ("closed", "Closed", "完了"))

AGE_BANDS = (
    ("000-030", "Up to 30 days", "30日以内"),
    ("031-090", "31 to 90 days", "31〜90日"),
    ("091-180", "91 to 180 days", "91〜180日"),
    ("181-365", "181 to 365 days", "181〜365日"),
    ("366-", "More than 365 days", "365日超"),
)
KNOWN_DAY = "cast($known_at as date)"
FINDING_AGE = f"cast(case when f.status = 'open' then {KNOWN_DAY} else f.closed_on end - f.raised_on as integer)"
# A finding said to be closed without a day has no age, and so no band.
AGE_BAND = f"""case when {FINDING_AGE} <= 30 then '000-030' when {FINDING_AGE} <= 90 then '031-090'
            when {FINDING_AGE} <= 180 then '091-180' when {FINDING_AGE} <= 365 then '181-365'
            when {FINDING_AGE} > 365 then '366-' end"""

ENTITY_LABELS = """select entity_code, arg_max(name_en, valid_from), arg_max(name_ja, valid_from) from dim_entity
where known_from <= $known_at and known_to > $known_at
    and ($sees_all_entities or entity_code in (select unnest($scope_entities)))
group by entity_code"""
ITEMS_TO_LABEL = """dim_item where known_from <= $known_at and known_to > $known_at
    and ($sees_all_domains or domain in (select unnest($scope_domains)))"""
ITEM_LABELS = f"""select checklist_code || '|' || checklist_version || '|' || item_code, text_en, text_ja
from {ITEMS_TO_LABEL}"""

DIMENSIONS = {
    one.name: one
    for one in (
        Dimension("region", "Region", "地域", "Region of the entity in the period.", "その期間に組織が属した地域。",
                  ENTITY_FACTS, "e.region_code", labels_sql="select region_code, name_en, name_ja from dim_region order by sort_no, region_code"),
        Dimension("country", "Country", "国", "Country of the entity in the period.", "その期間に組織があった国。",
                  ENTITY_FACTS, "e.country_code", labels_sql="select country_code, name_en, name_ja from dim_country"),
        Dimension("business_group", "Business group", "事業グループ", "Business group of the entity in the period.",
                  "その期間に組織が属した事業グループ。", ENTITY_FACTS, "e.business_group_code", labels_sql=ENTITY_LABELS),
        Dimension("entity_kind", "Kind of entity", "組織区分", "Head-office department, business group, site or affiliate.",
                  "本社部門、事業グループ、事業所、関係会社の別。", ENTITY_FACTS, "e.entity_kind", ENTITY_KINDS),
        Dimension("entity", "Entity", "組織", "The inspected entity, by its code.", "点検を受けた組織（コード）。",
                  ENTITY_FACTS, "e.entity_code", labels_sql=ENTITY_LABELS),
        Dimension("inspection_type", "Inspection type", "点検種別", "Self-check, third-party checks, privacy audit.",
                  "自己点検、第三者点検、個人情報保護監査の別。", PERIOD_FACTS, "f.inspection_type", INSPECTION_TYPES),
        Dimension("inspecting_entity", "Inspecting entity", "点検実施組織", "The entity that inspected, by its code.",
                  "点検を実施した組織（コード）。", ("answers", "inspections", "plans", "pairs"), "x.entity_code",
                  labels_sql=ENTITY_LABELS),
        Dimension("fiscal_year", "Fiscal year", "年度", "Fiscal year of the period, named by the year it begins in.",
                  "期間の属する年度（開始年で表す）。", PERIOD_FACTS, "f.fiscal_year"),
        Dimension("fiscal_half", "Half", "半期", "Half of the fiscal year.", "年度の上期・下期。", PERIOD_FACTS, "f.fiscal_half"),
        Dimension("fiscal_quarter", "Quarter", "四半期", "Quarter of the fiscal year.", "年度の四半期。",
                  PERIOD_FACTS, "f.fiscal_quarter"),
        Dimension("fiscal_month", "Month", "月", "Calendar month.", "暦月。", PERIOD_FACTS, "f.fiscal_month"),
        Dimension("checklist_version", "Checklist version", "チェックリスト版", "Checklist and its version.",
                  "チェックリストとその版。", ("answers", "inspections", "pairs"), "f.checklist_code || ' ' || f.checklist_version"),
        Dimension("domain", "Domain", "領域", "Confidential corporate information or personal information.",
                  "企業機密情報または個人情報。", ITEM_FACTS, "c.domain", DOMAINS),
        Dimension("measure", "Measure", "対策区分", "Organizational, human, physical or technological.",
                  "組織的、人的、物理的、技術的の別。", ITEM_FACTS, "c.measure", MEASURES),
        Dimension("category", "Category", "分類", "Category of items within the measure.", "対策区分の中の項目の分類。",
                  ITEM_FACTS, "c.category_code",
                  labels_sql="select category_code, any_value(category_en), any_value(category_ja) "
                  f"from {ITEMS_TO_LABEL} group by category_code"),
        Dimension("item", "Checklist item", "点検項目", "Item of a checklist version: checklist|version|item code.",
                  "版ごとの点検項目（チェックリスト|版|項番）。", ITEM_FACTS,
                  "c.checklist_code || '|' || c.checklist_version || '|' || c.item_code", labels_sql=ITEM_LABELS),
        Dimension("item_lineage", "Item lineage", "項目系譜", "The same requirement through checklist versions.",
                  "版をまたいで同じ要求事項を追ったもの。", ITEM_FACTS, "c.lineage_code", labels_sql=ITEM_LABELS),
        Dimension("control", "Control or clause", "管理策・条項", "Published control or clause that the item refers to.",
                  "項目が参照する公開規格の管理策または条項。", ITEM_FACTS, "c.control_ref"),
        Dimension("verdict", "Verdict", "判定", "What the answer means; in pairs, the answer of the outside check.",
                  "回答の意味。自己点検との対では第三者側の回答の意味。", ("answers", "pairs"), "a.verdict", VERDICTS),
        Dimension("self_verdict", "Verdict of the self-check", "自己点検の判定",
                  "What the answer of the self-check means, in pairs.", "第三者側との対における自己点検の回答の意味。",
                  ("pairs",), "a.self_verdict", VERDICTS),
        Dimension("answer", "Answer as written", "回答（原文）", "What was written for the item.", "項目に記入された原文。",
                  ("answers",), "a.answer"),
        Dimension("severity", "Severity", "重大度", "Severity of the finding.", "指摘の重大度。",
                  ("findings", "actions"), "f.severity", SEVERITIES),
        Dimension("status", "Status", "状態", "Whether the finding is open.", "指摘が未完了か完了か。",
                  ("findings", "actions"), "f.status", STATUSES),
        Dimension("age_band", "Age of the finding", "指摘の経過日数",
                  "Days since an open finding was raised, at the knowledge date; of a closed one, days until it was closed.",
                  "未完了の指摘は情報時点での発生からの日数、完了した指摘は完了までの日数。",
                  ("findings", "actions"), AGE_BAND, AGE_BANDS),
        Dimension("owner", "Owner", "担当", "Who is to do the corrective action, as written.",
                  "是正処置の担当（原文）。", ("actions",), "g.owner"),
    )
}  # fmt: skip

ANSWERED = "(met + partly_met + not_met + not_applicable)"
APPLICABLE = "(met + partly_met + not_met)"
ASKED = "(met + partly_met + not_met + not_applicable + not_answered)"
LOWER = "lower_is_better"

METRICS = {
    one.name: one
    for one in (
        Metric("compliance_rate", "Compliance rate", "遵守率",
               "Sum of weight × score ÷ sum of weights, over applicable, answered items; met counts 1, partly met ½.",
               "該当し回答のある項目の「重み×得点」の合計÷重みの合計。適合は1、一部適合は½。",
               "answers", "weight_scored", "weight_applicable", "rate"),
        Metric("strict_compliance_rate", "Strict compliance rate", "厳格遵守率",
               "Sum of weights of items met ÷ sum of weights of applicable, answered items.",
               "適合した項目の重みの合計÷該当し回答のある項目の重みの合計。",
               "answers", "weight_met", "weight_applicable", "rate"),
        Metric("completion_rate", "Completion rate", "回答率",
               "Items answered, not applicable included, ÷ items asked.",
               "回答のある項目数（対象外を含む）÷質問した項目数。", "answers", ANSWERED, ASKED, "rate"),
        Metric("not_applicable_rate", "Not-applicable rate", "対象外率",
               "Items answered as not applicable ÷ items answered.", "対象外と回答した項目数÷回答のある項目数。",
               "answers", "not_applicable", ANSWERED, "rate", "neutral"),
        Metric("mean_written_score", "Mean score as written", "記入得点の平均",
               "Sum of the scores as written, on the source's own scale, ÷ their number.",
               "原文の尺度による記入得点の合計÷その件数。", "answers", "written_score", "written_scores", "score"),
        Metric("answers", "Answers", "回答数", "Number of items asked, unanswered ones included.",
               "質問した項目の数（未回答を含む）。", "answers", ASKED, direction="neutral"),
        Metric("applicable_answers", "Answers that count", "評価対象の回答数",
               "Number of applicable, answered items: met, partly met or not met.",
               "該当し回答のある項目の数（適合、一部適合、不適合）。", "answers", APPLICABLE, direction="neutral"),
        Metric("inspections", "Inspections", "点検数", "Number of inspections with a result.", "結果のある点検の数。",
               "inspections", "inspections", direction="neutral"),
        Metric("coverage_rate", "Coverage", "実施率",
               "Planned inspections with a result ÷ planned inspections; cancelled ones are not counted.",
               "結果のある計画点検の数÷計画点検の数。中止した計画は数えない。", "plans", "performed", "planned", "rate"),
        Metric("on_time_rate", "On-time rate", "期限内実施率",
               "Planned inspections handed in by their due day ÷ those that were handed in or are past it.",
               "期限内に提出された計画点検の数÷提出済みまたは期限を過ぎた計画点検の数。",
               "plans", "on_time", "settled", "rate"),
        Metric("planned_inspections", "Planned inspections", "計画点検数",
               "Number of planned inspections that were not cancelled.", "中止していない計画点検の数。",
               "plans", "planned", direction="neutral"),
        Metric("performed_inspections", "Performed inspections", "実施済みの計画点検",
               "Planned inspections with a result; cancelled ones are not counted.",
               "結果のある計画点検の数。中止した計画は数えない。", "plans", "performed"),
        Metric("missing_inspections", "Missing inspections", "未実施点検数",
               "Planned inspections past their due day without a result.", "期限を過ぎても結果のない計画点検の数。",
               "plans", "missing", direction=LOWER),
        Metric("late_inspections", "Late inspections", "期限超過点検数",
               "Planned inspections handed in after their due day.", "期限を過ぎて提出された計画点検の数。",
               "plans", "late", direction=LOWER),
        Metric("findings", "Findings", "指摘件数", "Number of findings raised.", "指摘の件数。",
               "findings", "findings", direction=LOWER),
        Metric("open_findings", "Open findings", "未完了の指摘", "Findings that are open.", "完了していない指摘の件数。",
               "findings", "open_findings", direction=LOWER),
        Metric("findings_without_action", "Findings without a corrective action", "是正処置のない指摘",
               "Open findings for which no corrective action is recorded, completed or not.",
               "完了していない指摘のうち、是正処置の記録が（完了したものも含めて）一つもないものの件数。",
               "findings", "findings_without_action", direction=LOWER),
        Metric("reopened_findings", "Reopened findings", "再発生した指摘",
               "Findings that were opened again after they had been closed.", "完了後に再び未完了となった指摘の件数。",
               "findings", "reopened_findings", direction=LOWER),
        Metric("closed_findings", "Closed findings", "完了した指摘", "Findings that are closed.", "完了した指摘の件数。",
               "findings", "closed_findings"),
        Metric("repeat_findings", "Repeat findings", "繰り返しの指摘",
               "Findings on an item on whose lineage the same entity had a finding raised earlier.",
               "同じ組織の同じ項目系譜で以前にも指摘があった指摘の件数。", "findings", "repeat_findings", direction=LOWER),
        Metric("mean_days_to_close", "Mean days to close", "完了までの平均日数",
               "Sum of the days from raising to closing ÷ number of closed findings; those without a closing day are left out.",
               "発生から完了までの日数の合計÷完了した指摘の数。完了日のないものは除く。",
               "findings", "days_to_close", "dated_closures", "days", LOWER),
        Metric("actions", "Corrective actions", "是正処置", "Number of corrective actions.", "是正処置の件数。",
               "actions", "actions", direction="neutral"),
        Metric("open_actions", "Open corrective actions", "未完了の是正処置",
               "Corrective actions that are not completed.", "完了していない是正処置の件数。",
               "actions", "open_actions", direction=LOWER),
        Metric("overdue_actions", "Overdue corrective actions", "期限超過の是正処置",
               "Corrective actions past their due day that are not completed.",
               "期限を過ぎても完了していない是正処置の件数。", "actions", "overdue_actions", direction=LOWER),
        Metric("due_soon_actions", "Corrective actions due soon", "期限間近の是正処置",
               "Corrective actions that are not completed and due within 30 days of the day of the knowledge date.",
               "情報時点の日から30日以内に期限を迎える未完了の是正処置の件数。",
               "actions", "due_soon_actions", direction=LOWER),
        Metric("entities", "Entities", "組織数", "Entities of the group on the day of the knowledge date.",
               "情報時点の日に存在する組織の数。", "entities", "entities", direction="neutral"),
        Metric("lapsed_privacymarks", "Lapsed PrivacyMarks", "失効したプライバシーマーク",
               "Entities whose PrivacyMark was no longer valid on the day of the knowledge date.",
               "情報時点の日にプライバシーマークの有効期限が過ぎている組織の数。",
               "entities", "lapsed_privacymarks", direction=LOWER),
        Metric("privacymark_holders", "PrivacyMark holders", "プライバシーマーク取得組織",
               "Entities whose PrivacyMark was valid on the day of the knowledge date.",
               "情報時点の日に有効なプライバシーマークを持つ組織の数。",
               "entities", "privacymark_holders", direction="neutral"),
        Metric("privacymarks_due_soon", "PrivacyMarks due soon", "更新時期の近いプライバシーマーク",
               "Entities whose PrivacyMark is valid and ends within 12 months of the day of the knowledge date.",
               "プライバシーマークが有効で、情報時点の日から12か月以内に期限を迎える組織の数。",
               "entities", "privacymarks_due_soon", direction="neutral"),
        Metric("pairs", "Pairs of answers", "回答の対",
               "Answers of a self-check beside those of an outside check of the same entity, item lineage and half (and quarter, where both are of one); both applicable and answered.",
               "同じ組織・項目系譜・半期（双方が四半期のものは四半期）の自己点検と第三者側の回答の対の数（ともに該当し回答のあるもの）。",
               "pairs", "pairs", direction="neutral"),
        Metric("net_optimism", "Net optimism", "自己評価の甘さ",
               "(Pairs whose self-check answer scores higher − pairs in which it scores lower) ÷ pairs.",
               "（自己点検の得点が高い対の数−低い対の数）÷対の数。",
               "pairs", "self_higher - self_lower", "pairs", "share", LOWER),
        Metric("exact_agreement", "Exact agreement", "一致率",
               "Pairs in which both answers score the same ÷ pairs.", "双方の得点が等しい対の数÷対の数。",
               "pairs", "equal_scores", "pairs", "rate"),
        Metric("paired_self_rate", "Self-check rate in pairs", "対での自己点検の遵守率",
               "Sum of weight × score of the self-check ÷ sum of weights, over pairs; weights are those of the outside check's items.",
               "対における「重み×自己点検の得点」の合計÷重みの合計。重みは第三者側の項目のもの。",
               "pairs", "weight_self_scored", "weight_paired", "rate"),
        Metric("paired_outside_rate", "Outside-check rate in pairs", "対での第三者側の遵守率",
               "Sum of weight × score of the outside check ÷ sum of weights, over pairs; weights are those of the outside check's items.",
               "対における「重み×第三者側の得点」の合計÷重みの合計。重みは第三者側の項目のもの。",
               "pairs", "weight_outside_scored", "weight_paired", "rate"),
        Metric("optimism_gap", "Optimism gap", "自己評価の乖離",
               "(Sum of weight × score of the self-check − sum of weight × score of the outside check) ÷ sum of weights, over pairs.",
               "対における（「重み×自己点検の得点」の合計−「重み×第三者側の得点」の合計）÷重みの合計。",
               "pairs", "weight_self_scored - weight_outside_scored", "weight_paired", "share", LOWER),
    )
}  # fmt: skip
