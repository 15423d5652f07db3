"""Comments of the demo exports: sentences about the item's category, many enough not to repeat at a glance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from etl.demo.checklist import Checklists, Edition

KINDS = ("partly_met", "not_met", "not_applicable", "outside_partly_met", "outside_not_met")
VARIANTS = 36
NO_COMMENT = -1

JAPANESE = {
    "partly_met": (
        "{c}について、{d}の一部で未実施。{m}月までに完了予定。",
        "手順書は改訂済みだが、{d}への周知が完了していない。",
        "{d}では実施しているが、記録が一部残っていない。",
        "前回から改善したものの、対象の{n}件が未対応。{m}月に再確認する。",
        "新システムへの移行中のため、{d}のみ旧手順で運用している。",
        "台帳の更新が遅れている({n}件)。担当を追加し、{m}月末までに解消する。",
    ),
    "not_met": (
        "{c}に関する手順が未整備。{m}月までに本社の様式をもとに作成する。",
        "担当者の異動により実施できなかった。{d}で後任を選任中。",
        "予算が確保できず未対応。来年度の計画に計上した。",
        "{d}で{n}件の不備が見つかり、対応方法を検討している。",
        "現行の設備では対応できない。{m}月の更新に合わせて実施する。",
        "決まりは定めたが、まだ運用を始めていない({m}月開始予定)。",
    ),
    "not_applicable": (
        "該当する業務がない。",
        "{d}では対象となる情報を取り扱っていない。",
        "設備を保有していないため対象外。",
        "本社が一括して実施しているため、当社では該当なし。",
    ),
    "outside_partly_met": (
        "{d}で抽出した{n}件のうち一部に記録の欠落を確認した。",
        "手順はあるが、{c}の実施状況を示す記録が直近3か月分しかなかった。",
        "責任者は把握していたが、{d}の担当者への聞き取りでは周知が不十分であった。",
        "現場確認の結果、{d}の一部で決まりと異なる運用が見られた。",
        "台帳と現物を照合したところ、{n}件が一致しなかった。",
    ),
    "outside_not_met": (
        "{c}の手順書および記録を確認できなかった。",
        "{d}を現場確認したが、要求事項が実施されていなかった。",
        "自己点検では実施済みとされていたが、証跡を確認できなかった。",
        "前回の指摘から改善が見られず、{d}で同じ不備を{n}件確認した。",
        "責任者が不在で、実施状況を説明できる者がいなかった。",
    ),
}
ENGLISH = {
    "partly_met": (
        "Not yet done in part of {d}; to be completed by {m}.",
        "The procedure on {c} was revised, but {d} has not been informed yet.",
        "Done in {d}, although some records are missing.",
        "Better than last time, but {n} cases are still open. We will check again in {m}.",
        "During the move to the new system, {d} still follows the old procedure.",
        "The register is behind ({n} entries). Extra staff assigned, to be caught up by end of {m}.",
    ),
    "not_met": (
        "There is no procedure on {c} yet. It will be written from the head office template by {m}.",
        "Not done, because the person in charge left; {d} is looking for a successor.",
        "No budget this year; included in next year's plan.",
        "{n} defects were found in {d}; we are considering what to do.",
        "Not possible with the present equipment, which will be replaced in {m}.",
        "The rule was set, but is not applied yet (from {m}).",
    ),
    "not_applicable": (
        "We have no such work.",
        "{d} does not handle this kind of information.",
        "We own no such equipment.",
        "Done centrally by head office, so not applicable to us.",
    ),
}
PLACES_JA = (
    "営業部",
    "総務課",
    "製造部",
    "設計部",
    "購買課",
    "品質保証課",
    "倉庫",
    "経理課",
    "情報システム課",
    "サービス部門",
)
PLACES_EN = ("Sales", "General Affairs", "Production", "Design", "Purchasing", "Quality Assurance", "the warehouse",
             "Accounting", "IT", "the service department")  # fmt: skip
MONTHS_EN = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
             "November", "December")  # fmt: skip

ACTIONS_JA = (
    "{c}の手順書を改訂し、{d}に周知する。",
    "{d}の台帳を棚卸しし、不一致を解消する。",
    "{c}の実施記録の様式を定め、毎月責任者が確認する。",
    "{d}の担当者を再教育し、理解度を確認する。",
    "設定を変更し、{d}の全台に適用されたことを確認する。",
    "責任者と代行者を選任し、{c}の実施計画を作成する。",
)
OWNERS_JA = ("総務課", "情報システム課", "人事課", "製造管理課", "営業管理課", "品質保証課", "法務課", "施設管理課")


@dataclass(frozen=True, slots=True)
class CommentPool:
    """All comments that occur; a comment is a position in `texts`, or NO_COMMENT."""

    texts: tuple[str, ...]
    category_names: tuple[str, ...]

    def categories(self, edition: Edition) -> NDArray[np.int32]:
        """Number of the category of each item; shape (items,)."""
        return np.array([self.category_names.index(item.category_ja) for item in edition.items], dtype=np.int32)

    def positions(
        self,
        is_japanese: NDArray[np.bool_],
        kinds: NDArray[np.int8],
        categories: NDArray[np.int32],
        variants: NDArray[np.int32],
    ) -> NDArray[np.int32]:
        """Positions of comments; shapes (n, 1), (n, items), (items,) and (n, items); a kind below 0 is no comment."""
        per_language = len(KINDS) * len(self.category_names) * VARIANTS
        found = kinds.astype(np.int32)
        found *= len(self.category_names)
        found += categories[None, :]
        found *= VARIANTS
        found += variants
        found += np.where(is_japanese, 0, per_language).astype(np.int32)
        found[kinds < 0] = NO_COMMENT
        return found


def make_pool(checklists: Checklists) -> CommentPool:
    """The pool for the categories of the checklists."""
    texts: list[str] = []
    for language, places in ((JAPANESE, PLACES_JA), (ENGLISH, PLACES_EN)):
        for kind in KINDS:
            # Reports of outside checks are written at head office, in Japanese, wherever the entity is.
            templates = language.get(kind, JAPANESE[kind])
            for name_ja, name_en in checklists.categories:
                is_english = language is ENGLISH and kind in ENGLISH
                for variant in range(VARIANTS):
                    seed = variant + len(texts)
                    month = MONTHS_EN[seed * 5 % 12] if is_english else str(seed * 5 % 12 + 1)
                    place = (places if is_english else PLACES_JA)[seed * 7 % 10]
                    name = name_en.lower() if is_english else name_ja
                    text = templates[variant % len(templates)].format(c=name, d=place, m=month, n=2 + seed * 3 % 11)
                    texts.append(text[0].upper() + text[1:])
    return CommentPool(tuple(texts), tuple(ja for ja, _ in checklists.categories))


def describe_actions(names: tuple[str, ...]) -> list[str]:
    """Corrective actions, `len(ACTIONS_JA)` in a row for each category."""
    return [
        template.format(c=name, d=PLACES_JA[(number + place) % 10])
        for number, name in enumerate(names)
        for place, template in enumerate(ACTIONS_JA)
    ]
