"""Every text of the dashboard's own, in English and Japanese; labels of metrics and dimensions are the catalog's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

Language = Literal["en", "ja"]
LANGUAGES: Final[dict[Language, str]] = {"en": "English", "ja": "日本語"}


@dataclass(frozen=True, slots=True)
class Text:
    """One text in both languages; `{names}` are filled in when it is said."""

    en: str
    ja: str

    def say(self, language: Language, **values: object) -> str:
        """The text in a language, with its values filled in; names from exports come without, and may hold braces."""
        text = self.en if language == "en" else self.ja
        return text.format(**values) if values else text


GROUP = Text("Group", "グループ")
OVERVIEW = Text("Group overview", "グループ概況")
LANGUAGE = Text("Language", "言語")

# Filters
INSPECTION_TYPE = Text("Inspection type", "点検の種類")
INSPECTION_TYPE_HELP = Text(
    "One kind at a time: a self-check and an outside check do not measure the same thing, so they are never mixed.",
    "一度に一種類だけを表示します。自己点検と第三者による点検は測るものが違うため、混ぜて集計しません。",
)
PERIOD_FROM = Text("From", "開始")
PERIOD_TO = Text("To", "終了")
OLDEST = Text("Oldest ({half})", "最初（{half}）")
NEWEST = Text("Newest ({half})", "最新（{half}）")
REGION = Text("Region", "地域")
BUSINESS_GROUP = Text("Business group", "事業グループ")
ENTITY_KIND = Text("Kind of entity", "組織の区分")
MEASURE = Text("Measure", "対策")
DOMAIN = Text("Domain", "領域")
ALL = Text("All", "すべて")
KNOWN_AT = Text("As known at the end of", "この日の終わりの時点")
KNOWN_AT_HELP = Text(
    "Shows what was known at the end of that day (UTC). Empty: everything known today.",
    "その日の終わり（UTC）に把握していた内容で表示します。空欄なら現在の内容です。",
)
RESET = Text("Clear filters", "条件をクリア")
UNKNOWN_IN_LINK = Text(
    "This link names values that are not known here. They were left out:",
    "リンクに、ここでは使えない値が含まれています。次の値は使わずに表示しています。",
)

# What is shown
SPAN = Text("{first} to {last}", "{first}から{last}まで")
ONE_HALF = Text("{first} only", "{first}のみ")
EVERYTHING_ELSE = Text("no further filter", "ほかの絞り込みなし")
SHOWN = Text("{inspection_type}, {span}; {filters}.", "{inspection_type}、{span}。{filters}。")
FILTER_JOIN = Text("; ", "。")
VALUE_JOIN = Text(", ", "、")
FILTER_VALUES = Text("{label}: {values}", "{label}：{values}")
KNOWN_AT_BUILD = Text("As known at {known_at} UTC · {build}", "{known_at} UTC 時点の把握内容 · {build}")

# Cards
NEWEST_HALF = Text("{half}, change against {previous}", "{half}（増減は{previous}との比較）")
FIRST_HALF = Text("{half}; no earlier half to compare with", "{half}（比較できる前の半期なし）")
CONTRIBUTING = Text("Entities contributing", "報告した組織")
CONTRIBUTING_HELP = Text(
    "Entities behind the compliance rate, of those whose inspection was planned or done.",
    "遵守率のもとになった組織の数と、点検が計画または実施された組織の数です。",
)
OF_EXPECTED = Text("{contributing} of {expected}", "{contributing} / {expected}")
POINTS = Text("%+.1f pt", "%+.1f pt")
RATIO = Text("{numerator} / {denominator}", "{numerator} / {denominator}")

# Panels
OVER_TIME_BY = Text("{metric} by {dimension}", "{dimension}ごとの{metric}")
ACROSS = Text("{metric}: {rows} × {columns}, {half}", "{metric}：{rows}×{columns}（{half}）")
TAB_CHART = Text("Chart", "グラフ")
TAB_TABLE = Text("Table", "表")
TAB_COUNTED = Text("How this is counted", "数え方")
DOWNLOAD = Text("Download CSV", "CSVをダウンロード")
HALF = Text("Half-year", "半期")
NUMERATOR = Text("Numerator", "分子")
DENOMINATOR = Text("Denominator", "分母")
ENTITIES_TITLE = Text("Entities", "組織")
NOT_STATED = Text("Not stated", "記載なし")
ALL_OF = Text("All", "全体")
GAPS = Text(
    "A half without inspections is a gap, not 0 %. The axis does not begin at 0 %.",
    "点検のない半期は空白にしています（0%ではありません）。縦軸は0%から始まっていません。",
)
NO_PLAN = Text(
    "In percent. A half without a plan is empty, not 0 %; planned but not inspected is 0 %.",
    "単位は%。計画のない半期は空欄（0%ではない）、計画したが実施のない半期は0%です。",
)
NOT_INSPECTED = Text("An empty cell was not inspected.", "空欄は点検がなかったことを示します。")
DEEPER_IS_WEAKER = Text("Deeper colour: weaker.", "色が濃いほど低い値です。")
WHOLE_INSPECTIONS = Text(
    "Coverage counts whole inspections, so the filters by measure and domain do not apply here.",
    "実施率は点検全体を数えるため、対策と領域の絞り込みはここには適用しません。",
)
ALL_TYPES_SHOWN = Text(
    "All inspection types, each in its own row; the inspection type filter does not apply here.",
    "すべての点検の種類を行ごとに示します。点検の種類の絞り込みはここには適用しません。",
)
RATIO_OF_SUMS = Text(
    "Every rate is a ratio of sums: the numerators of all entities added up, divided by their denominators added up. "
    "It is never a mean of rates.",
    "率はすべて合計どうしの比です。各組織の分子の合計を分母の合計で割ります。率の平均ではありません。",
)
EXPECTED_MEANS = Text(
    "Entities, such as 13 of 14: those behind a figure, of those whose inspection was planned or done.",
    "組織（例：13 / 14）：数値のもとになった組織の数と、点検が計画または実施された組織の数です。",
)
CHART_OVER_TIME_ALT = Text(
    "Line chart: {title}, {first} to {last}. {figures}", "折れ線グラフ：{title}、{first}から{last}まで。{figures}"
)
CHART_HEAT_ALT = Text("Heat map: {title}. Lowest: {figures}", "ヒートマップ：{title}。最も低い値：{figures}")

# Empty states
NO_BUILD = Text("There is no data to show yet.", "表示できるデータがまだありません。")
NO_BUILD_RUN = Text(
    "Make a first build from the demo exports, or load your own exports, then reload this page:",
    "デモ用のエクスポートで最初のビルドを作るか、お手元のエクスポートを取り込んでから、この画面を再読み込みしてください。",
)
NO_ROWS = Text("No inspection matches these filters.", "この条件に合う点検はありません。")
NO_ROWS_DO = Text(
    "Widen the period or clear a filter in the sidebar.", "サイドバーで期間を広げるか、条件を減らしてください。"
)


def say_half(code: str, language: Language) -> str:
    """FY2025-H1 as FY2025 H1, or 2025年度上期."""
    if language == "en":
        return code.replace("-", " ")
    return f"{code[2:6]}年度{'上期' if code.endswith('H1') else '下期'}"


def say_moment(moment: datetime) -> str:
    """A moment to the minute, the same in both languages."""
    return f"{moment:%Y-%m-%d %H:%M}"


def say_day(day: date) -> str:
    """A day, the same in both languages."""
    return day.isoformat()


def join_sentences(language: Language, texts: Iterable[Text]) -> str:
    """Sentences one after another: with a space between them in English, without one in Japanese."""
    return (" " if language == "en" else "").join(text.say(language) for text in texts)


def say_percent(rate: float | None, digits: int = 1) -> str:
    """A rate as a percentage; a dash where there is none. Only a whole is 100 %, and only nothing is 0 %."""
    if rate is None or rate != rate:
        return "–"
    step = 10.0 ** -(digits + 2)
    shown = rate if rate in (0.0, 1.0) else min(max(rate, step), 1.0 - step)
    return f"{shown:.{digits}%}"


def say_number(number: float | None) -> str:
    """A sum with thousands separated and at most one decimal; a dash where there is none."""
    if number is None or number != number:
        return "–"
    return f"{number:,.1f}".removesuffix(".0")
