"""Sources: the declarations in data/sources that say how to recognise, read and understand an export."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from etl.schema import DATA, RecordKind, record_kinds
from etl.values import nearest, normalise_answer, normalise_heading

FORMATS = ("csv", "xlsx", "parquet", "json", "jsonl", "xml")
DATE_FORMS = ("iso", "d/m/y", "m/d/y", "d mon y", "japanese", "serial")
VERDICTS = ("met", "partly_met", "not_met", "not_applicable", "not_answered")
ENCODINGS = ("utf-8", "utf-16", "cp932", "gb18030", "latin-1")
CAPTURE_PLACES = ("file_name", "sheet", "cell", "label", "title", "given")
GIVEN = ("entity", "period")
"""What a person may say of a file that does not say it itself."""
REPEATS = ("refuse", "worst")
BUILT_IN = ("file_name", "sheet", "row_no")
_KEY = re.compile(r"[a-z][a-z0-9_]*")
_TOP = (
    "source",
    "recognise",
    "read",
    "columns",
    "capture",
    "constants",
    "lookup",
    "unpivot",
    "dates",
    "answers",
    "maps",
    "patterns",
    "known_at",
    "record",
)


class SourceProblem(Exception):
    """One or several source files that cannot be used; the text names the file, the key and what to do."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the export: its key in expressions and its headings, in the editions in which they appear."""

    key: str
    names: tuple[str, ...]
    is_optional: bool = False

    @property
    def headings(self) -> frozenset[str]:
        """The headings, normalised for comparison."""
        return frozenset(normalise_heading(name) for name in self.names)


@dataclass(frozen=True, slots=True)
class Capture:
    """A text found outside the table: where to look, and the pattern or address to look for.

    `given` names what a person may say of the file; that goes before what is found.
    """

    key: str
    place: str
    pattern: str
    given: str | None = None
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """What other exports said of a code: the register that holds it, and the SQL that gives the code of a row."""

    key: str
    register: str
    code: str
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Unpivot:
    """Wide columns that become rows, one per value; `{}` in a heading stands for the value."""

    key: str
    values: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What the texts of a field must look like in this export, and the sentence for those that do not."""

    pattern: str
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """One kind of record that each row of the export yields, with an SQL expression per field."""

    kind: RecordKind
    expressions: dict[str, str]
    when: str | None = None
    lenient: frozenset[str] = frozenset()
    counts_worst: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A declared kind of export."""

    name: str
    label_en: str
    label_ja: str
    format: str
    records: tuple[Record, ...]
    priority: int = 0
    part_of: str | None = None
    is_draft: bool = False
    document: str | None = None
    reads_hidden: bool = False
    file_name: str | None = None
    header: tuple[str, ...] = ()
    sheet: str | None = None
    encodings: tuple[str, ...] = ("utf-8",)
    delimiter: str = ","
    header_row: int | None = None
    header_rows: int = 1
    stop_at: str | None = None
    fill_down: tuple[str, ...] = ()
    skip_when: str | None = None
    records_path: str | None = None
    columns: tuple[Column, ...] = ()
    captures: tuple[Capture, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
    unpivot: Unpivot | None = None
    date_forms: tuple[str, ...] = ("iso",)
    answers: dict[str, str] = field(default_factory=dict)
    answer_texts: tuple[str, ...] = ()
    maps: dict[str, dict[str, str]] = field(default_factory=dict)
    patterns: dict[str, Pattern] = field(default_factory=dict)
    known_at: str | None = None

    @property
    def wide_columns(self) -> tuple[Column, ...]:
        """The columns that `unpivot` reads, one for each value and heading; absent cells are empty."""
        if self.unpivot is None:
            return ()
        return tuple(
            Column(f"{key}__{number}", (heading.replace("{}", value),))
            for number, value in enumerate(self.unpivot.values)
            for key, heading in self.unpivot.columns
        )

    @property
    def asks(self) -> tuple[str, ...]:
        """What a person may say of a file of this source: entity, period."""
        return tuple(dict.fromkeys(one.given for one in self.captures if one.given))

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Every column that is read from the file."""
        return self.columns + self.wide_columns

    def fits_name(self, name: str) -> bool:
        """Whether the file name is one that the source accepts."""
        return self.file_name is None or re.search(self.file_name, name) is not None


def load_sources(home: Path | None = None) -> dict[str, Source]:
    """Every source of the project and, where a home has a folder `sources`, of that home; by name.

    A source of the home replaces the project's of the same name. Raises SourceProblem with all problems of all files.
    """
    folders = dict.fromkeys([DATA / "sources", *([home / "sources"] if home else [])])
    sources, problems = {}, []
    for path in [path for folder in folders for path in sorted(folder.glob("*.toml"))]:
        try:
            source = parse_source(path.read_text("utf-8"), path.stem)
            sources[source.name] = source
        except SourceProblem as problem:
            problems += [f"{path.name}: {line}" for line in str(problem).splitlines()]
    for source in sources.values():
        if source.part_of and source.part_of not in sources:
            near = nearest(source.part_of, sources)
            hint = f"; did you mean '{near}'?" if near else ""
            problems.append(f"{source.name}.toml: source.part_of: there is no source '{source.part_of}'{hint}")
    if problems:
        raise SourceProblem("\n".join(problems))
    return sources


# Each load of a rebuild asks for all sources anew, and few of them have changed.
@lru_cache(maxsize=500)
def parse_source(text: str, stem: str) -> Source:
    """The source that the TOML text declares. Raises SourceProblem with one line per problem."""
    try:
        declared = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SourceProblem(f"is not TOML: {error}") from error
    return _Reading(declared, stem).source()


class _Reading:
    """Turns the parsed TOML into a Source, gathering every problem on the way."""

    def __init__(self, declared: dict[str, Any], stem: str) -> None:
        self.declared = declared
        self.stem = stem
        self.problems: list[str] = []

    def source(self) -> Source:
        self._known(self.declared, _TOP, "")
        head = self._table("source", ("name", "label", "format", "priority", "description", "part_of", "draft"))
        recognise = self._table("recognise", ("file_name", "header", "sheet", "document", "hidden"))
        read = self._table(
            "read",
            ("encoding", "delimiter", "header_row", "header_rows", "stop_at", "fill_down", "skip_when", "records"),
        )
        if head.get("name") != self.stem:
            self.problems.append(f"source.name must be the file's own name, '{self.stem}'; it is {head.get('name')!r}")
        self._one_of(head.get("format"), FORMATS, "source.format")
        encodings = tuple(read.get("encoding", ["utf-8"]))
        for encoding in encodings:
            self._one_of(encoding, ENCODINGS, "read.encoding")
        forms = tuple(self._table("dates", ("forms",)).get("forms", ["iso"]))
        for form in forms:
            self._one_of(form, DATE_FORMS, "dates.forms")
        for place, pattern in (
            ("recognise.file_name", recognise.get("file_name")),
            ("recognise.sheet", recognise.get("sheet")),
            ("read.stop_at", read.get("stop_at")),
        ):
            self._pattern(pattern, place)
        if not (recognise.get("file_name") or recognise.get("header") or recognise.get("document")):
            self.problems.append(
                "recognise needs file_name or header (or document): otherwise every file would be taken for this export"
            )
        columns = self._columns()
        captures = self._captures()
        lookups = self._lookups()
        constants = {key: str(value) for key, value in self.declared.get("constants", {}).items()}
        unpivot = self._unpivot()
        names = (
            {column.key for column in columns}
            | {capture.key for capture in captures}
            | set(constants)
            | set(BUILT_IN)
            | {lookup.key for lookup in lookups}
        )
        if unpivot:
            names |= {unpivot.key} | {key for key, _ in unpivot.columns}
        for key in names:
            if not _KEY.fullmatch(key):
                self.problems.append(f"'{key}' is no key: lower-case letters, digits and _ only")
        for key in read.get("fill_down", []):
            self._one_of(key, tuple(names), "read.fill_down")
        records = self._records()
        answers = self._map(self.declared.get("answers", {}), VERDICTS, "answers")
        if not answers and any("verdict" in record.expressions for record in records):
            self.problems.append("answers is missing: a source that yields answers says what each text means")
        choices = {f.name: f.choices for record in records for f in record.kind.fields if f.choices}
        maps = {}
        for name, body in self.declared.get("maps", {}).items():
            if self._one_of(name, tuple(choices), "maps"):
                maps[name] = self._map(body, choices[name], f"maps.{name}")
        patterns = {}
        fields = tuple(f.name for record in records for f in record.kind.fields)
        for name, body in self.declared.get("patterns", {}).items():
            self._known(body, ("pattern", "reason"), f"patterns.{name}")
            self._pattern(body.get("pattern"), f"patterns.{name}.pattern")
            if self._one_of(name, fields, "patterns") and {"pattern", "reason"} <= set(body):
                patterns[name] = Pattern(body["pattern"], body["reason"])
        label = head.get("label", {})
        if self.problems:
            raise SourceProblem("\n".join(self.problems))
        return Source(
            name=self.stem,
            label_en=label.get("en", self.stem),
            label_ja=label.get("ja", label.get("en", self.stem)),
            format=head["format"],
            records=records,
            priority=head.get("priority", 0),
            part_of=head.get("part_of"),
            is_draft=bool(head.get("draft", False)),
            document=recognise.get("document"),
            reads_hidden=bool(recognise.get("hidden", False)),
            file_name=recognise.get("file_name"),
            header=tuple(recognise.get("header", ())),
            sheet=recognise.get("sheet"),
            encodings=encodings,
            delimiter=read.get("delimiter", ","),
            header_row=read.get("header_row"),
            header_rows=read.get("header_rows", 1),
            stop_at=read.get("stop_at"),
            fill_down=tuple(read.get("fill_down", ())),
            skip_when=read.get("skip_when"),
            records_path=read.get("records"),
            columns=columns,
            captures=captures,
            lookups=lookups,
            constants=constants,
            unpivot=unpivot,
            date_forms=forms,
            answers=answers,
            answer_texts=_texts(self.declared.get("answers", {})),
            maps=maps,
            patterns=patterns,
            known_at=self._table("known_at", ("expression",)).get("expression"),
        )

    def _known(self, table: dict[str, Any], allowed: tuple[str, ...], place: str) -> None:
        for key in table:
            if key not in allowed:
                near = nearest(key, allowed)
                hint = f"did you mean '{near}'?" if near else f"known keys: {', '.join(allowed)}"
                self.problems.append(f"unknown key '{f'{place}.' if place else ''}{key}'; {hint}")

    def _table(self, name: str, allowed: tuple[str, ...]) -> dict[str, Any]:
        table = self.declared.get(name, {})
        if not isinstance(table, dict):
            self.problems.append(f"{name} must be a table")
            return {}
        self._known(table, allowed, name)
        return table

    def _one_of(self, value: Any, allowed: tuple[str, ...], place: str) -> bool:
        if value in allowed:
            return True
        near = nearest(str(value), allowed)
        hint = f"did you mean '{near}'?" if near else f"it is one of {', '.join(sorted(allowed))}"
        self.problems.append(f"{place}: {value!r} is not known; {hint}")
        return False

    def _pattern(self, pattern: str | None, place: str) -> None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            self.problems.append(f"{place}: '{pattern}' is no regular expression: {error}")

    def _columns(self) -> tuple[Column, ...]:
        columns = []
        for key, spec in self.declared.get("columns", {}).items():
            spec = spec if isinstance(spec, dict) else {"names": spec}
            self._known(spec, ("names", "optional"), f"columns.{key}")
            names = spec.get("names", [])
            columns.append(
                Column(key, (names,) if isinstance(names, str) else tuple(names), spec.get("optional", False))
            )
        return tuple(columns)

    def _captures(self) -> tuple[Capture, ...]:
        captures = []
        for key, spec in self.declared.get("capture", {}).items():
            rest = dict(spec) if isinstance(spec, dict) else {}
            is_optional = bool(rest.pop("optional", False))
            given = rest.pop("given", None)
            if given is not None:
                self._one_of(given, GIVEN, f"capture.{key}.given")
                rest = rest or {"given": ""}
            if len(rest) != 1:
                self.problems.append(f"capture.{key} needs exactly one of {', '.join(CAPTURE_PLACES)}")
                continue
            ((place, pattern),) = rest.items()
            if self._one_of(place, CAPTURE_PLACES, f"capture.{key}"):
                if place in ("file_name", "sheet", "title"):
                    self._pattern(pattern, f"capture.{key}")
                captures.append(Capture(key, place, pattern, given, is_optional))
        return tuple(captures)

    def _lookups(self) -> tuple[Lookup, ...]:
        lookups = []
        for key, spec in self.declared.get("lookup", {}).items():
            spec = spec if isinstance(spec, dict) else {}
            self._known(spec, ("register", "code", "optional"), f"lookup.{key}")
            if not {"register", "code"} <= set(spec):
                self.problems.append(f"lookup.{key} needs register and code")
                continue
            lookups.append(Lookup(key, str(spec["register"]), str(spec["code"]), bool(spec.get("optional", False))))
        return tuple(lookups)

    def _unpivot(self) -> Unpivot | None:
        if "unpivot" not in self.declared:
            return None
        table = self._table("unpivot", ("key", "values", "columns"))
        missing = [key for key in ("key", "values", "columns") if key not in table]
        if missing:
            self.problems.append(f"unpivot needs {', '.join(missing)}")
            return None
        return Unpivot(table["key"], tuple(str(value) for value in table["values"]), tuple(table["columns"].items()))

    def _records(self) -> tuple[Record, ...]:
        kinds, records = record_kinds(), []
        for number, spec in enumerate(self.declared.get("record", []), start=1):
            place = f"record {number}"
            self._known(spec, ("kind", "when", "lenient", "repeats", "fields"), place)
            self._one_of(spec.get("repeats", "refuse"), REPEATS, f"{place}.repeats")
            if "repeats" in spec and spec.get("kind") != "answer":
                self.problems.append(f"{place}.repeats: only answers repeat")
            if not self._one_of(spec.get("kind"), tuple(kinds), f"{place}.kind"):
                continue
            kind = kinds[spec["kind"]]
            allowed = tuple(f.name for f in kind.fields)
            self._known(spec.get("fields", {}), allowed, f"{place}.fields")
            for name in spec.get("lenient", []):
                if self._one_of(name, allowed, f"{place}.lenient") and (
                    kind.field(name).is_key or kind.field(name).is_required
                ):
                    self.problems.append(f"{place}.lenient: '{name}' is needed, so a cell of it cannot be left out")
            for f in kind.fields:
                if f.is_required and f.default is None and f.name not in spec.get("fields", {}):
                    self.problems.append(f"{place}.fields: '{f.name}' is missing ({f.help})")
            records.append(
                Record(
                    kind,
                    dict(spec.get("fields", {})),
                    spec.get("when"),
                    frozenset(spec.get("lenient", ())),
                    spec.get("repeats") == "worst",
                )
            )
        if not records:
            self.problems.append("no [[record]]: the source says nothing")
        order = list(kinds)
        return tuple(sorted(records, key=lambda record: order.index(record.kind.name)))

    def _map(self, body: dict[str, Any], allowed: tuple[str, ...], place: str) -> dict[str, str]:
        meanings: dict[str, str] = {}
        for meaning, texts in body.items():
            if not self._one_of(meaning, allowed, place):
                continue
            for text in [texts] if isinstance(texts, str) else texts:
                key = normalise_answer(text)
                if meanings.setdefault(key, meaning) != meaning:
                    self.problems.append(f"{place}: '{text}' means both {meanings[key]} and {meaning}")
        return meanings


def _texts(body: dict[str, Any]) -> tuple[str, ...]:
    """The texts of a map as they are written, to be suggested."""
    return tuple(text for texts in body.values() for text in ([texts] if isinstance(texts, str) else texts) if text)
