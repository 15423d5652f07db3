"""Files with one row per answer: text files put together from ready-made pieces, and Parquet from dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from etl.demo.answering import AnswerBlock
from etl.demo.checklist import Edition
from etl.demo.comments import CommentPool
from etl.demo.group import Group
from etl.demo.rounds import with_slashes
from etl.demo.schedule import Inspection
from etl.demo.text_files import TextForm, quoted

FLAT_COLUMNS = (
    "inspection_type", "entity_code", "inspecting_entity_code", "period", "checklist_code", "checklist_version",
    "performed_on", "submitted_on", "item_code", "answer", "comment", "evidence",
)  # fmt: skip
FLAT_ANSWERS = ("○", "△", "×", "－", "")
FLAT_EVIDENCE = ("0", "1", "")
THIRD_PARTY_COLUMNS = (
    "点検区分", "被点検拠点コード", "被点検拠点名", "点検実施拠点コード", "点検実施拠点名",
    "対象期間", "チェックリスト版", "点検実施日", "報告日", "項番", "判定", "指摘内容", "証跡確認",
)  # fmt: skip
THIRD_PARTY_TYPES = {"mutual_check": "相互点検", "affiliate_check": "関係会社点検"}
THIRD_PARTY_ANSWERS = ("適合", "一部不適合", "不適合", "対象外", "未確認")
AUDIT_COLUMNS = (
    "監査対象コード", "監査対象名", "監査実施者コード", "対象年度", "規格版", "監査実施日", "報告日",
    "要求事項番号", "判定", "所見", "証跡確認",
)  # fmt: skip
AUDIT_ANSWERS = ("適合", "軽微な不適合", "重大な不適合", "対象外", "未確認", "観察事項")
JAPANESE_EVIDENCE = ("無", "有", "")


class AnswerFile(Protocol):
    """A file to which blocks of answers are written; a context manager that closes it."""

    rows: int

    def write(self, block: AnswerBlock) -> None:
        """Append the answers of a block, the rows of one inspection together."""

    def __enter__(self) -> AnswerFile: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


Head = Callable[[Inspection, Edition], Sequence[str]]


def flat_head(group: Group) -> Head:
    """The cells of an inspection in the flat export, from inspection_type to submitted_on."""

    def head(one: Inspection, edition: Edition) -> Sequence[str]:
        inspector = group.entities[one.inspector].code if one.inspector >= 0 else ""
        return (
            one.type, group.entities[one.entity].code, inspector, one.period, edition.checklist, edition.version,
            _iso(one.performed), _iso(one.submitted),
        )  # fmt: skip

    return head


def third_party_head(group: Group) -> Head:
    """The cells of an inspection in the third-party check export."""

    def head(one: Inspection, edition: Edition) -> Sequence[str]:
        entity, inspector = group.entities[one.entity], group.entities[one.inspector]
        return (
            THIRD_PARTY_TYPES[one.type], entity.code, entity.name_ja, inspector.code, inspector.name_ja, one.period_ja,
            edition.version, _slashed(one.performed), _slashed(one.submitted),
        )  # fmt: skip

    return head


def audit_head(group: Group) -> Head:
    """The cells of an inspection in the privacy audit export."""

    def head(one: Inspection, edition: Edition) -> Sequence[str]:
        entity, inspector = group.entities[one.entity], group.entities[one.inspector]
        return (
            entity.code, entity.name_ja, inspector.code, one.period_ja, edition.version,
            _slashed(one.performed), _slashed(one.submitted),
        )  # fmt: skip

    return head


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _slashed(day: date | None) -> str:
    return with_slashes(day) if day else ""


class TextAnswerFile:
    """A delimited text file whose last columns are item code, answer, comment and evidence."""

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        form: TextForm,
        head: Head,
        answers: Sequence[str],
        evidence: Sequence[str],
        pool: CommentPool,
    ) -> None:
        self.rows = 0
        self._form = form
        self._head = head
        self._answers = answers
        self._evidence = evidence
        self._comments = [quoted(text).encode(form.encoding) for text in pool.texts]
        self._pieces: dict[int, tuple[NDArray[np.object_], list[bytes]]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        self._file.write(form.mark + form.line(columns))

    def __enter__(self) -> TextAnswerFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, block: AnswerBlock) -> None:
        """Append the answers of a block."""
        whole, starts = self._pieces_of(block.edition)
        answers, evidences = len(self._answers), len(self._evidence)
        ends = [f",{text}".encode(self._form.encoding) for text in self._evidence]
        item_answer = np.arange(block.verdicts.shape[1], dtype=np.int32) * answers + block.verdicts
        keys = item_answer * evidences + block.evidence
        newline = self._form.newline.encode()
        for row, one in enumerate(block.inspections):
            cells = whole[keys[row]].tolist()
            comments = block.comments[row]
            for place in np.flatnonzero(comments >= 0).tolist():
                cells[place] = (
                    starts[item_answer[row, place]] + self._comments[comments[place]] + ends[block.evidence[row, place]]
                )
            before = ",".join(map(quoted, self._head(one, block.edition))).encode(self._form.encoding) + b","
            self._file.write(before + (newline + before).join(cells) + newline)
        self.rows += block.answer_count

    def _pieces_of(self, edition: Edition) -> tuple[NDArray[np.object_], list[bytes]]:
        """Ends of rows without a comment by item, answer and evidence, and starts of those with one."""
        if id(edition) not in self._pieces:
            starts = [f"{quoted(item.code)},{answer}," for item in edition.items for answer in self._answers]
            whole = np.empty(len(starts) * len(self._evidence), dtype=np.object_)
            whole[:] = [f"{start},{text}".encode(self._form.encoding) for start in starts for text in self._evidence]
            self._pieces[id(edition)] = (whole, [start.encode(self._form.encoding) for start in starts])
        return self._pieces[id(edition)]


class ParquetAnswerFile:
    """The flat export as Parquet, every column a text."""

    def __init__(self, path: Path, head: Head, pool: CommentPool) -> None:
        self.rows = 0
        self._head = head
        self._comments = pa.array(pool.texts, pa.string())
        path.parent.mkdir(parents=True, exist_ok=True)
        text = pa.dictionary(pa.int32(), pa.string())
        self._writer = pq.ParquetWriter(
            path, pa.schema([(name, text) for name in FLAT_COLUMNS]), store_schema=False, compression="zstd"
        )

    def __enter__(self) -> ParquetAnswerFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def write(self, block: AnswerBlock) -> None:
        """Append the answers of a block as one row group."""
        inspections, items = block.verdicts.shape
        heads = list(zip(*(self._head(one, block.edition) for one in block.inspections), strict=True))
        repeated = np.repeat(np.arange(inspections, dtype=np.int32), items)
        columns = []
        for cells in heads:
            distinct = {cell: place for place, cell in enumerate(dict.fromkeys(cells))}
            codes = np.array([distinct[cell] for cell in cells], dtype=np.int32)
            columns.append(_dictionary(codes[repeated], list(distinct)))
        columns += [
            _dictionary(np.tile(np.arange(items, dtype=np.int32), inspections), [i.code for i in block.edition.items]),
            _dictionary(block.verdicts.ravel(), list(FLAT_ANSWERS)),
            pa.DictionaryArray.from_arrays(_codes(block.comments.ravel(), block.comments.ravel() < 0), self._comments),
            _dictionary(block.evidence.ravel(), list(FLAT_EVIDENCE)),
        ]
        self._writer.write_table(pa.table(columns, schema=self._writer.schema), row_group_size=inspections * items)
        self.rows += block.answer_count


def _dictionary(codes: NDArray[np.integer], texts: list[str]) -> pa.DictionaryArray:
    """Texts by code; an empty text is an empty cell."""
    empty = np.isin(codes, [place for place, text in enumerate(texts) if not text]) if "" in texts else None
    return pa.DictionaryArray.from_arrays(_codes(codes, empty), pa.array(texts, pa.string()))


def _codes(codes: NDArray[np.integer], empty: NDArray[np.bool_] | None) -> pa.Array:
    return pa.array(codes.astype(np.int32), mask=empty)
