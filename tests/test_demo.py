"""The demo group: same bytes from same arguments, and planted stories that the written files really tell."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from etl.__main__ import main
from etl.builds import Home
from etl.commands import Order, load_files
from etl.demo import STORIES, truth_path, write_demo

SCORES = {"○": 1.0, "△": 0.5, "×": 0.0, "適合": 1.0, "一部不適合": 0.5, "不適合": 0.0, "観察事項": 1.0}
SCORES |= {"軽微な不適合": 0.5, "重大な不適合": 0.0}
TINY = {"entities": 12, "items": 10, "rounds": 2}
# The smallest group in which every story fits.
SMALL = {"entities": 45, "items": 16, "rounds": 8, "form": "csv"}
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo group as written."""

    out: Path
    truth: dict[str, Any]

    def without(self, story: str) -> Demo:
        """The same group without a story, written once."""
        out = self.out.with_name(f"{self.out.name}_without_{story}")
        if truth_path(out).is_file():
            return Demo(out, json.loads(truth_path(out).read_text("utf-8")))
        return make(out, **SMALL, without=(story,))

    def story(self, name: str) -> dict[str, Any]:
        return next(one for one in self.truth["stories"] if one["id"] == name)

    def rows(self, pattern: str, encoding: str = "utf-8-sig", skip: int = 0) -> list[Row]:
        found = []
        for path in sorted(self.out.glob(pattern)):
            with path.open(encoding=encoding, newline="") as file:
                for _ in range(skip):
                    next(file)
                found += list(csv.DictReader(file))
        return found

    @property
    def self_checks(self) -> list[Row]:
        return self.rows("self_check/self_check_history.csv", "utf-8")

    @property
    def third_party(self) -> list[Row]:
        return self.rows("third_party_check/*.csv", "cp932")

    @property
    def organisation(self) -> list[Row]:
        return self.rows("master/organisation_master_*.csv", skip=1)

    @property
    def items(self) -> dict[tuple[str, str], dict[str, Row]]:
        """Items by checklist and version, then by code."""
        (path,) = self.out.glob("master/checklist_master_*.xlsx")
        workbook = CalamineWorkbook.from_path(str(path))
        found = {}
        for name in workbook.sheet_names:
            rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
            checklist, version = name.split(" ")
            items = [dict(zip(map(str, rows[3]), map(str, row), strict=True)) for row in rows[4:]]
            found[checklist, version] = {item["項番"]: item for item in items}
        return found


def make(out: Path, **arguments: Any) -> Demo:
    truth = write_demo(out, **arguments)
    # What is returned is what the file says.
    assert json.loads(truth_path(out).read_text("utf-8")) == json.loads(json.dumps(truth))
    return Demo(out, truth)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """All stories, self-checks in one flat file."""
    return make(tmp_path_factory.mktemp("demo"), entities=60, items=40, rounds=12, form="csv")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """All stories in as small a group as has them, to be compared with the same group without one of them."""
    return make(tmp_path_factory.mktemp("small") / "demo", **SMALL)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return make(tmp_path_factory.mktemp("tiny"), **TINY)


def period_code(text: str) -> str:
    """FY2025-H1 from 2025年度上期, FY2025 from 2025年度."""
    return f"FY{text[:4]}" + {"上": "-H1", "下": "-H2", "": ""}[text[6:7]]


def compliance(rows: list[Row], weights: dict[str, float]) -> tuple[float, float]:
    scored = [(weights[row["item_code"]], SCORES[row["answer"]]) for row in rows if row["answer"] in SCORES]
    return sum(weight * score for weight, score in scored), sum(weight for weight, _ in scored)


def in_slashes(text: str) -> date:
    return date(*map(int, text.split("/")))


# --- files ---------------------------------------------------------------------------------------


def contents(out: Path) -> dict[Path, bytes]:
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def rows(out: Path) -> dict[Path, object]:
    """The same, but of Parquet its rows: the writer compresses many comments differently from run to run."""
    return {
        path: pq.read_table(out / path).to_pydict() if path.suffix == ".parquet" else content
        for path, content in contents(out).items()
    }


@pytest.mark.parametrize("form", ["mixed", "csv", "parquet"])
def test_same_arguments_give_the_same_bytes(tmp_path: Path, form: str) -> None:
    for name in ("one", "two"):
        make(tmp_path / name, **TINY, form=form)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(contents(tmp_path / "one")) >= 8


@pytest.mark.parametrize("form", ["mixed", "parquet"])
def test_leaving_out_the_same_stories_gives_the_same_bytes(tmp_path: Path, form: str) -> None:
    size = TINY | {"entities": 30, "rounds": 7}
    told = make(tmp_path / "told", **size, form=form)
    one = make(tmp_path / "one", **size, form=form, without=STORIES)
    two = make(tmp_path / "two", **size, form=form, without=[*reversed(STORIES), "sold"])
    assert rows(one.out) == rows(two.out) != rows(told.out)
    assert one.truth == two.truth
    assert one.truth["left_out"] == list(STORIES)
    assert told.truth["left_out"] == []


def test_another_seed_gives_other_answers(tiny: Demo, tmp_path: Path) -> None:
    other = make(tmp_path, **TINY, seed=1)
    assert other.truth["verdicts"] != tiny.truth["verdicts"]


def test_writing_again_leaves_no_file_of_the_run_before(tmp_path: Path) -> None:
    make(tmp_path, **TINY, form="csv")
    truth = make(tmp_path, **TINY, form="parquet").truth
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert written == set(truth["files"])


def test_files_of_others_stay_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "master").mkdir()
    (tmp_path / "master" / "ours.csv").write_text("kept", "utf-8")
    for _ in range(2):
        make(tmp_path, **TINY, form="csv")
    assert (tmp_path / "master" / "ours.csv").read_text("utf-8") == "kept"


def test_csv_and_parquet_hold_the_same_answers(tmp_path: Path) -> None:
    for form in ("csv", "parquet"):
        make(tmp_path / form, **TINY, form=form)
    read = [
        duckdb.sql(f"select * from read_csv('{tmp_path}/csv/self_check/self_check_history.csv', all_varchar = true)"),
        duckdb.sql(f"select * from '{tmp_path}/parquet/self_check/self_check_history.parquet'"),
    ]
    assert read[0].columns == read[1].columns
    assert [str(one) for one in read[1].types] == ["VARCHAR"] * 12
    rows = [one.fetchall() for one in read]
    assert rows[0] == rows[1]


def test_counts_of_rows_are_those_of_the_files(demo: Demo) -> None:
    for name, count in demo.truth["files"].items():
        if name.endswith(".csv"):
            encoding, skip = ("cp932", 0) if "third_party" in name else ("utf-8-sig", int("organisation" in name))
            assert len(demo.rows(name, encoding, skip)) == count, name


def test_masters_name_every_entity_and_item_that_is_used(demo: Demo) -> None:
    entities = {row["拠点コード"] for row in demo.organisation}
    assert len(entities) == demo.truth["entities"] == 60
    items = demo.items
    for row in demo.self_checks:
        assert row["entity_code"] in entities
        assert row["item_code"] in items[row["checklist_code"], row["checklist_version"]]
        assert row["answer"] in ("○", "△", "×", "－", "")
        assert row["submitted_on"] >= row["performed_on"]
    for row in demo.third_party:
        assert {row["被点検拠点コード"], row["点検実施拠点コード"]} <= entities
        assert row["項番"] in items["SEC", row["チェックリスト版"]]
    for row in demo.rows("privacy_audit/*.csv"):
        assert row["監査対象コード"] in entities
        assert row["要求事項番号"] in items["PMS", row["規格版"]]


def test_no_cell_says_nan_or_none(demo: Demo) -> None:
    for path in demo.out.rglob("*.csv"):
        encoding = "cp932" if "third_party" in str(path) else "utf-8-sig"
        for row in csv.reader(path.read_text(encoding).splitlines()):
            assert not {"nan", "none", "null", "nat"} & {cell.strip().lower() for cell in row}


def test_rows_of_an_inspection_are_adjacent_and_each_item_is_answered_once(demo: Demo) -> None:
    rows = demo.self_checks
    inspections = [(row["entity_code"], row["period"]) for row in rows]
    runs = [one for place, one in enumerate(inspections) if place == 0 or one != inspections[place - 1]]
    assert len(runs) == len(set(runs))
    assert max(Counter((*one, row["item_code"]) for one, row in zip(inspections, rows, strict=True)).values()) == 1


def test_sites_are_never_checked_by_themselves(demo: Demo) -> None:
    kinds = {row["拠点コード"]: row["区分"] for row in demo.organisation}
    pairs = {(row["点検区分"], row["被点検拠点コード"], row["点検実施拠点コード"]) for row in demo.third_party}
    assert {kind for kind, _, _ in pairs} == {"相互点検", "関係会社点検"}
    for kind, inspected, inspecting in pairs:
        assert inspected != inspecting
        wanted = ("事業所", "事業所") if kind == "相互点検" else ("関係会社", "本社部門")
        assert (kinds[inspected], kinds[inspecting]) == wanted
    partners = defaultdict(set)
    for kind, inspected, inspecting in pairs:
        if kind == "相互点検":
            partners[inspected].add(inspecting)
    assert max(map(len, partners.values())) > 1


@pytest.mark.parametrize("items", [4, 10, 119, 120, 130, 300])
def test_a_checklist_of_any_size_has_distinct_codes_and_texts(tmp_path: Path, items: int) -> None:
    demo = make(tmp_path, entities=8, items=items, rounds=1, form="csv")
    newest = demo.items["SEC", "2023"]
    assert len(newest) == items
    assert len({item["要求事項"] for item in newest.values()}) == items
    assert {item["安全管理措置"] for item in newest.values()} == {"組織的", "人的", "物理的", "技術的"}
    if items >= 40:
        assert newest["1.1"]["要求事項"] != newest["1.10"]["要求事項"]


@pytest.mark.parametrize("wrong", [{"entities": 7}, {"items": 3}, {"rounds": 0}, {"form": "xlsx"}])
def test_sizes_that_make_no_group_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        write_demo(tmp_path, **(TINY | wrong))


def test_stories_that_do_not_fit_say_so(tiny: Demo) -> None:
    skipped = [one for one in tiny.truth["stories"] if not one["is_planted"]]
    assert {"chronic_item", "copycat", "acquired", "sold"} <= {one["id"] for one in skipped}
    assert all(one["reason"] for one in skipped)


@pytest.mark.parametrize(
    ("wrong", "near"), [("copycta", "copycat"), ("moved", "moved_region"), ("late", "late_and_missing"), ("?", "")]
)
def test_an_unknown_story_is_refused_with_the_nearest(tmp_path: Path, wrong: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"no story '{re.escape(wrong)}' to leave out; the nearest is {near}"):
        write_demo(tmp_path / "demo", **TINY, without=("sold", wrong))
    assert list(tmp_path.iterdir()) == []


def test_the_command_leaves_stories_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    size = [f"--{name}={count}" for name, count in TINY.items()]
    command = ["demo", "--out", str(tmp_path / "demo"), *size, "--json"]
    assert main([*command, "--without", "late_and_missing", "--without", "rosy_region"]) == 0
    assert json.loads(capsys.readouterr().out)["truth"]["left_out"] == ["rosy_region", "late_and_missing"]
    assert main([*command, "--without", "rosy_regoin"]) == 2
    assert json.loads(capsys.readouterr().out)["error"].endswith("the nearest is rosy_region.")
    with pytest.raises(SystemExit, match="0"):
        main(["demo", "--help"])
    said = capsys.readouterr().out
    assert [story for story in STORIES if story not in said] == []


# --- stories, counted again ----------------------------------------------------------------------


def test_every_story_is_planted(demo: Demo) -> None:
    assert [one["id"] for one in demo.truth["stories"] if not one["is_planted"]] == []
    assert tuple(one["id"] for one in demo.truth["stories"]) == STORIES


def test_the_parts_are_given_to_the_same_entities_as_ever(demo: Demo) -> None:
    """No random number has a say in it."""
    assert {name: demo.story(name)["entity_code"] for name in CAST} == {
        "copycat": "AF-0027", "acquired": "AF-0015", "sold": "AF-0021", "moved_region": "AF-0033",
        "moved_business_group": "AF-0008", "corrected_resubmission": "AF-0007", "lapsed_privacymark": "AF-0006",
    }  # fmt: skip
    assert demo.story("chronic_item")["entity_codes"] == ["ST-0001", "ST-0005", "ST-0010"]


def test_asia_sees_itself_too_rosily(demo: Demo) -> None:
    weights = {code: float(item["配点"]) for code, item in demo.items["SEC", "2023"].items()}
    weights_2020 = {code: float(item["配点"]) for code, item in demo.items["SEC", "2020"].items()}
    corrected = demo.rows("self_check/self_check_history_correction_*.csv", "utf-8")
    own = {(r["entity_code"], r["period"], r["item_code"]): r["answer"] for r in [*demo.self_checks, *corrected]}
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in demo.third_party:
        period = period_code(row["対象期間"])
        mine = SCORES.get(own.get((row["被点検拠点コード"], period, row["項番"]), ""))
        theirs = SCORES.get(row["判定"])
        if mine is None or theirs is None:
            continue
        region = region_in(demo, row["被点検拠点コード"], period)
        weight = (weights if row["チェックリスト版"] == "2023" else weights_2020)[row["項番"]]
        word = "self_better" if mine > theirs else "equal" if mine == theirs else "self_worse"
        found[region]["pairs"] += 1
        found[region][word] += 1
        found[region]["own"] += weight * mine
        found[region]["outside"] += weight * theirs
        found[region]["weight"] += weight
    optimism = {}
    for region, told in demo.story("rosy_region")["by_region"].items():
        counted = found[region]
        assert {name: counted[name] for name in ("pairs", "self_better", "equal", "self_worse")} == {
            name: told[name] for name in ("pairs", "self_better", "equal", "self_worse")
        }
        assert told["self_compliance"] == pytest.approx(counted["own"] / counted["weight"])
        assert told["outside_compliance"] == pytest.approx(counted["outside"] / counted["weight"])
        optimism[region] = told["self_compliance"] - told["outside_compliance"]
    assert optimism["AS"] > 2 * max(gap for region, gap in optimism.items() if region != "AS")


def region_in(demo: Demo, entity: str, period: str) -> str:
    year, half = int(period[2:6]), period[-1]
    last = date(year, 9, 30) if half == "1" else date(year + 1, 3, 31)
    for row in _intervals(demo)[entity]:
        if in_slashes(row["適用開始日"]) <= last and (not row["適用終了日"] or last <= in_slashes(row["適用終了日"])):
            return row["地域コード"]
    raise AssertionError(f"{entity} is in no region in {period}")


_INTERVALS: dict[Path, dict[str, list[Row]]] = {}


def _intervals(demo: Demo) -> dict[str, list[Row]]:
    if demo.out not in _INTERVALS:
        found: dict[str, list[Row]] = defaultdict(list)
        for row in demo.organisation:
            found[row["拠点コード"]].append(row)
        _INTERVALS[demo.out] = found
    return _INTERVALS[demo.out]


def test_a_few_sites_never_fix_one_item(demo: Demo) -> None:
    story = demo.story("chronic_item")
    codes = story["item_code_by_version"]
    asked, failed, outside = Counter[str](), Counter[str](), Counter[str]()
    for row in demo.self_checks:
        if row["item_code"] == codes[row["checklist_version"]]:
            asked[row["entity_code"]] += 1
            failed[row["entity_code"]] += row["answer"] == "×"
    for row in demo.third_party:
        if row["項番"] == codes[row["チェックリスト版"]] and row["判定"] == "不適合":
            outside[row["被点検拠点コード"]] += 1
    assert {code: failed[code] for code in story["entity_codes"]} == story["self_checks_not_met"]
    assert {code: outside[code] for code in story["entity_codes"]} == story["outside_checks_not_met"]
    assert [code for code in sorted(asked) if asked[code] == failed[code]] == story[
        "entity_codes_failing_in_every_round"
    ]
    assert set(story["entity_codes"]) <= set(story["entity_codes_failing_in_every_round"])
    assert all(asked[code] == len(demo.truth["periods"]) for code in story["entity_codes"])


def lineages(demo: Demo) -> dict[tuple[str, str], tuple[str, str]]:
    """The oldest version and code of the same requirement, by version and code."""
    found = {(version, code): (version, code) for version in ("2020", "2023") for code in demo.items["SEC", version]}
    for link in demo.rows("master/checklist_lineage_*.csv"):
        if link["変更区分"] in ("継続", "文言変更"):
            found["2023", link["新項番"]] = ("2020", link["旧項番"])
    return found


def known_in_the_end(demo: Demo) -> dict[tuple[str, str], list[Row]]:
    """Self-checks by entity and period, a corrected one in place of the first."""
    found: dict[tuple[str, str], list[Row]] = {}
    for rows in (demo.self_checks, demo.rows("self_check/self_check_history_correction_*.csv", "utf-8")):
        by_inspection: dict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            by_inspection[row["entity_code"], row["period"]].append(row)
        found |= by_inspection
    return found


@pytest.mark.parametrize("left_out", ["", "chronic_item", "checklist_revision"])
def test_long_unmet_requirements_are_told_for_every_item(demo: Demo, small: Demo, left_out: str) -> None:
    group = small.without(left_out) if left_out else demo
    origin = lineages(group)
    answers: dict[tuple[str, tuple[str, str]], list[tuple[str, Row]]] = defaultdict(list)
    for (entity, period), rows in sorted(known_in_the_end(group).items()):
        for row in rows:
            if row["answer"]:
                answers[entity, origin[row["checklist_version"], row["item_code"]]].append((period, row))
    newest, former = [], []
    for (entity, _), found in answers.items():
        spell = list(takewhile(lambda one: one[1]["answer"] in ("△", "×"), reversed(found)))
        not_met = sum(row["answer"] == "×" for _, row in spell)
        if not_met >= 4:
            row = found[-1][1]
            told = [entity, row["item_code"], len(spell), not_met]
            (newest if row["checklist_version"] == "2023" else former).append(told)
    story = group.story("chronic_item")
    assert sorted(story["entities_not_met_in_every_round_by_item"]) == sorted(newest) != []
    assert sorted(story["entities_not_met_in_every_round_by_former_item"]) == sorted(former)
    # Of the small group too few rounds asked the earlier version.
    assert bool(former) == (left_out == "")
    rounds = len(group.truth["periods"])
    asked = {version for rows in known_in_the_end(group).values() for version in {rows[0]["checklist_version"]}}
    for code, by_version in story["item_code_by_version_of_items"].items():
        assert by_version["2023"] == code
        assert len({origin[version, one] for version, one in by_version.items()}) == 1
        assert set(by_version) == {version for version, _ in (origin["2023", code], ("2023", code))} & asked
    assert {told[1] for told in newest} == set(story["item_code_by_version_of_items"])
    planted = [[site, story["item_code_by_version"]["2023"], rounds, rounds] for site in story.get("entity_codes", ())]
    assert len(planted) == (0 if left_out == "chronic_item" else 3)
    assert [told for told in planted if told not in newest] == []


def weights_of(demo: Demo) -> dict[str, dict[str, float]]:
    return {
        version: {code: float(item["配点"]) for code, item in demo.items["SEC", version].items()}
        for version in ("2020", "2023")
    }


def test_rounds_around_the_revision_compare_the_items_of_both_versions(demo: Demo) -> None:
    story, weights, origin = demo.story("checklist_revision"), weights_of(demo), lineages(demo)
    common = {origin["2020", code] for code in weights["2020"]} & {origin["2023", code] for code in weights["2023"]}
    assert story["common_items"] == len(common) == story["links"]["carried_over"] + story["links"]["reworded"]
    assert list(story["self_check_compliance_around_revision"]) == ["FY2022-H2", "FY2023-H1"]
    known = known_in_the_end(demo)
    for period, told in story["self_check_compliance_around_revision"].items():
        inspections = [rows for (_, one), rows in known.items() if one == period]
        rows = [row for found in inspections for row in found]
        version = told["version"]
        assert {row["checklist_version"] for row in rows} == {version}
        assert len(inspections) == told["self_checks"]
        shared = [row for row in rows if origin[version, row["item_code"]] in common]
        assert 0 < len(shared) < len(rows)
        for name, counted in (("as_asked", rows), ("common_items", shared)):
            figures = told[name]["numerator"], told[name]["denominator"]
            assert figures == compliance(counted, weights[version])
            assert told[name]["rate"] == figures[0] / figures[1]


def test_changes_of_the_last_round_are_told(tmp_path: Path) -> None:
    demo = make(tmp_path / "demo", entities=300, items=8, rounds=2, form="csv")
    told, weights, known = demo.truth["round_changes"], weights_of(demo)["2023"], known_in_the_end(demo)
    assert told["periods"] == ["FY2025-H1", "FY2025-H2"]
    assert demo.story("corrected_resubmission")["period"] == "FY2025-H1"
    present = {}
    for period in told["periods"]:
        present[period] = {entity for entity, one in known if one == period}
        rows = [row for (_, one), found in known.items() if one == period for row in found]
        figures = told["self_check_compliance"][period]
        assert (figures["numerator"], figures["denominator"]) == compliance(rows, weights)
    before, after = present.values()
    assert told["entities_only_in"] == {"FY2025-H1": sorted(before - after), "FY2025-H2": sorted(after - before)}
    assert before - after and after - before
    assert make(tmp_path / "one", entities=8, items=4, rounds=1, form="csv").truth["round_changes"] is None


def test_one_affiliate_copies_last_year(demo: Demo) -> None:
    story = demo.story("copycat")
    by_inspection: dict[tuple[str, str], dict[str, tuple[str, str, str]]] = defaultdict(dict)
    for row in demo.self_checks:
        answer = (row["answer"], row["comment"], row["evidence"])
        by_inspection[row["entity_code"], row["period"]][row["item_code"]] = answer
    assert set(story["periods"]) == {"FY2024-H1", "FY2024-H2", "FY2025-H1", "FY2025-H2"}
    for period, told in story["periods"].items():
        before = f"FY{int(period[2:6]) - 1}{period[6:]}"
        assert by_inspection[story["entity_code"], period] == by_inspection[story["entity_code"], before]
        assert told["share_of_answers_as_a_year_before"] == told["share_of_comments_as_a_year_before"] == 1.0
        assert told["others_median_share_of_answers"] < 1.0


def test_a_corrected_self_check_follows_the_first_one(demo: Demo) -> None:
    story = demo.story("corrected_resubmission")
    weights = {code: float(item["配点"]) for code, item in demo.items["SEC", "2023"].items()}
    of_one = [
        row for row in demo.self_checks
        if (row["entity_code"], row["period"]) == (story["entity_code"], story["period"])
    ]  # fmt: skip
    again = demo.rows("self_check/self_check_history_correction_*.csv", "utf-8")
    assert {row["submitted_on"] for row in of_one} == {story["first_submitted_on"]}
    assert {row["submitted_on"] for row in again} == {story["corrected_submitted_on"]}
    assert story["first_submitted_on"] < story["corrected_submitted_on"]
    changed = [a["item_code"] for a, b in zip(of_one, again, strict=True) if a["answer"] != b["answer"]]
    assert changed == story["changed_item_codes"]
    assert compliance(of_one, weights) == (story["before"]["numerator"], story["before"]["denominator"])
    assert compliance(again, weights) == (story["after"]["numerator"], story["after"]["denominator"])
    assert story["after"]["rate"] < story["before"]["rate"]


def test_affiliates_are_bought_sold_and_moved_in_the_master(demo: Demo) -> None:
    periods: dict[str, list[str]] = defaultdict(list)
    for row in demo.self_checks:
        if row["period"] not in periods[row["entity_code"]]:
            periods[row["entity_code"]].append(row["period"])
    bought, sold = demo.story("acquired"), demo.story("sold")
    (interval,) = _intervals(demo)[bought["entity_code"]]
    assert in_slashes(interval["適用開始日"]).isoformat() == bought["on"]
    assert periods[bought["entity_code"]] == bought["self_check_periods"]
    assert bought["self_check_periods"][0] == "FY2023-H1"
    (interval,) = _intervals(demo)[sold["entity_code"]]
    assert (in_slashes(interval["適用終了日"]) + timedelta(days=1)).isoformat() == sold["on"]
    assert periods[sold["entity_code"]] == sold["self_check_periods"]
    assert sold["self_check_periods"][-1] == "FY2024-H1"
    for name, column in (("moved_region", "地域コード"), ("moved_business_group", "事業グループコード")):
        story = demo.story(name)
        before, after = _intervals(demo)[story["entity_code"]]
        assert in_slashes(before["適用終了日"]) + timedelta(days=1) == in_slashes(after["適用開始日"])
        assert in_slashes(after["適用開始日"]).isoformat() == story["on"]
        key = column.replace("地域コード", "region").replace("事業グループコード", "business_group")
        assert (before[column], after[column]) == (story[f"{key}_before"], story[f"{key}_after"])
        assert before[column] != after[column]


def test_lineage_accounts_for_every_item_of_both_versions(demo: Demo) -> None:
    links = demo.rows("master/checklist_lineage_*.csv")
    items = demo.items
    assert {link["旧項番"] for link in links} - {""} == set(items["SEC", "2020"])
    assert {link["新項番"] for link in links} - {""} == set(items["SEC", "2023"])
    words = {
        "継続": "carried_over",
        "文言変更": "reworded",
        "分割": "split",
        "統合": "merged",
        "新設": "new",
        "廃止": "dropped",
    }
    counts = Counter(words[link["変更区分"]] for link in links)
    story = demo.story("checklist_revision")
    assert dict(counts) == story["links"]
    assert set(counts) == set(words.values())
    assert {version: len(items["SEC", version]) for version in ("2020", "2023")} == story["items"]
    for link in links:
        if link["変更区分"] in ("継続", "文言変更"):
            texts = [items["SEC", "2020"][link["旧項番"]]["要求事項"], items["SEC", "2023"][link["新項番"]]["要求事項"]]
            assert (texts[0] == texts[1]) == (link["変更区分"] == "継続")


def test_findings_and_actions_stand_as_told_on_both_dates(demo: Demo) -> None:
    before: dict[str, Row] = {}
    for as_of, told in demo.story("overdue_and_reopened")["as_of"].items():
        day = date.fromisoformat(as_of)
        rows = demo.rows(f"findings/findings_and_actions_{day:%Y%m%d}.csv")
        findings = {row["指摘番号"]: row for row in rows}
        actions = [row for row in rows if row["是正番号"]]
        reopened = {code for code, row in findings.items() if row["再開回数"] == "1"}
        overdue = [row for row in actions if not row["是正完了日"] and in_slashes(row["是正期限"]) < day]
        assert len({row["是正番号"] for row in actions}) == len(actions) == told["actions"]
        assert len(findings) == told["findings"]
        assert sum(row["状態"] == "未完了" for row in findings.values()) == told["open_findings"]
        assert len(overdue) == told["overdue_actions"] > 0
        assert len(reopened) == told["reopened_findings"] > 0
        for row in rows:
            assert in_slashes(row["指摘日"]) <= day
            assert bool(row["完了日"]) == (row["状態"] == "完了")
            assert not row["完了日"] or in_slashes(row["指摘日"]) <= in_slashes(row["完了日"]) <= day
            assert not row["是正完了日"] or in_slashes(row["是正完了日"]) <= day
        # A finding keeps its identity: what never changes is the same in the later snapshot.
        for code, row in before.items():
            assert {name: findings[code][name] for name in ("対象拠点コード", "項番", "指摘日", "指摘内容")} == {
                name: row[name] for name in ("対象拠点コード", "項番", "指摘日", "指摘内容")
            }
        was_closed = [
            code for code, row in before.items() if row["状態"] == "完了" and findings[code]["状態"] == "未完了"
        ]
        assert not before or was_closed
        before = findings


def test_a_privacymark_lapsed_after_a_missing_audit(demo: Demo) -> None:
    story = demo.story("lapsed_privacymark")
    (row,) = _intervals(demo)[story["entity_code"]]
    assert in_slashes(row["Pマーク有効期限"]).isoformat() == story["valid_until"] == "2025-11-30"
    holders = [row for row in demo.organisation if row["Pマーク登録番号"]]
    assert len({row["拠点コード"] for row in holders}) == story["holders"]
    assert sum(in_slashes(row["Pマーク有効期限"]) < date(2026, 11, 23) for row in holders) == 1
    audited = {(row["監査対象コード"], period_code(row["対象年度"])) for row in demo.rows("privacy_audit/*.csv")}
    assert (story["entity_code"], "FY2024") in audited
    assert [period for period in story["missing_audits"] if (story["entity_code"], period) in audited] == []
    assert story["missing_audits"] == ["FY2025"]


def planned(demo: Demo) -> Iterator[tuple[str, Row]]:
    """The last edition of each year's plan: type and row."""
    words = {"自己点検": "self_check", "相互点検": "mutual_check", "関係会社点検": "affiliate_check"}
    words |= {"個人情報保護監査": "privacy_audit"}
    last = {path.name[:22]: path for path in sorted(demo.out.glob("plan/*.csv"))}
    for path in last.values():
        for row in demo.rows(str(path.relative_to(demo.out))):
            yield words[row["点検区分"]], row


def test_late_and_missing_inspections_are_as_told(demo: Demo) -> None:
    submitted = {("self_check", r["entity_code"], r["period"]): r["submitted_on"] for r in demo.self_checks}
    kinds = {"相互点検": "mutual_check", "関係会社点検": "affiliate_check"}
    for row in demo.third_party:
        key = (kinds[row["点検区分"]], row["被点検拠点コード"], period_code(row["対象期間"]))
        submitted[key] = in_slashes(row["報告日"]).isoformat()
    for row in demo.rows("privacy_audit/*.csv"):
        key = ("privacy_audit", row["監査対象コード"], period_code(row["対象年度"]))
        submitted[key] = in_slashes(row["報告日"]).isoformat()
    counted: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for kind, row in planned(demo):
        period = period_code(row["対象期間"])
        day = submitted.get((kind, row["対象拠点コード"], period))
        cell = counted[kind][period]
        cell["planned"] += 1
        cell["cancelled"] += row["取消"] == "○"
        cell["performed"] += day is not None
        cell["late"] += day is not None and day > in_slashes(row["提出期限"]).isoformat()
        cell["missing"] += day is None and row["取消"] == ""
    story = demo.story("late_and_missing")["by_type_and_period"]
    assert {kind: {period: dict(cell) for period, cell in found.items()} for kind, found in counted.items()} == story
    totals = Counter[str]()
    for found in story.values():
        for cell in found.values():
            totals.update(cell)
    assert totals["late"] > 0
    assert totals["missing"] > 0
    assert totals["cancelled"] > 0


# --- stories left out ----------------------------------------------------------------------------

CAST = {
    "copycat", "acquired", "sold", "moved_region", "moved_business_group", "corrected_resubmission",
    "lapsed_privacymark",
}  # fmt: skip
# Figures about the whole group that a story has a part in; figures of all other stories stay as they are without it.
REACH = {
    "rosy_region": {"chronic_item", "copycat", "checklist_revision"},
    "chronic_item": {"rosy_region", "copycat", "checklist_revision", "overdue_and_reopened"},
    "copycat": {"rosy_region", "chronic_item", "checklist_revision"},
    "acquired": {
        "rosy_region", "chronic_item", "copycat", "checklist_revision", "overdue_and_reopened", "late_and_missing",
    },
    "sold": {"rosy_region", "chronic_item", "copycat", "overdue_and_reopened", "late_and_missing"},
    "moved_region": {"rosy_region", "chronic_item", "copycat"},
    "moved_business_group": set(),
    "checklist_revision": {"rosy_region", "chronic_item", "copycat", "overdue_and_reopened"},
    "corrected_resubmission": {"rosy_region", "chronic_item", "copycat"},
    "overdue_and_reopened": set(),
    "lapsed_privacymark": {"overdue_and_reopened", "late_and_missing"},
    "late_and_missing": {"rosy_region", "chronic_item", "copycat", "checklist_revision", "overdue_and_reopened"},
}  # fmt: skip
Answers = dict[tuple[str, str, str, str], tuple[str, ...]]


def answers_of(demo: Demo) -> Answers:
    """Answer, comment and evidence by type, entity, period and item, as first handed in."""
    found: Answers = {}
    for row in demo.self_checks:
        key = ("self_check", row["entity_code"], row["period"], row["item_code"])
        found[key] = (row["answer"], row["comment"], row["evidence"])
    for row in demo.third_party:
        key = (row["点検区分"], row["被点検拠点コード"], period_code(row["対象期間"]), row["項番"])
        found[key] = (row["点検実施拠点コード"], row["判定"], row["指摘内容"], row["証跡確認"])
    for row in demo.rows("privacy_audit/*.csv"):
        key = ("privacy_audit", row["監査対象コード"], period_code(row["対象年度"]), row["要求事項番号"])
        found[key] = (row["判定"], row["所見"], row["証跡確認"])
    return found


def players(demo: Demo, story: str) -> set[str]:
    """Entities whose answers the story is about."""
    told = demo.story(story)
    if story == "rosy_region":
        return {row["拠点コード"] for row in demo.organisation if row["地域コード"] == "AS"}
    return {told["entity_code"]} if story in CAST else set(told.get("entity_codes", ()))


@pytest.mark.parametrize("story", STORIES)
def test_a_story_that_is_left_out_is_not_told(small: Demo, story: str) -> None:
    left = small.without(story)
    assert left.truth["left_out"] == [story]
    assert [one["id"] for one in left.truth["stories"] if not one["is_planted"]] == [story]
    assert left.story(story)["reason"].startswith("it was left out on request")
    for name in set(STORIES) - {story} - REACH[story]:
        assert left.story(name) == small.story(name), name
    for name in REACH[story]:
        for fact in ("entity_code", "entity_codes", "region", "checklist_code", "links"):
            assert left.story(name).get(fact) == small.story(name).get(fact), name


@pytest.mark.parametrize("story", STORIES)
def test_the_rest_of_the_group_answers_the_same_without_a_story(small: Demo, story: str) -> None:
    told, left = answers_of(small), answers_of(small.without(story))
    actors = players(small, story)
    if story == "checklist_revision":
        told, left = ({key: value for key, value in one.items() if key[2] >= "FY2023"} for one in (told, left))
    missing = [key for key in told if key not in left]
    changed = {key[1] for key, value in told.items() if left.get(key) != value}
    added = {key[1:3] for key in left if key not in told}
    assert missing == []
    assert changed <= actors
    if story in ("rosy_region", "chronic_item", "copycat", "moved_region"):
        assert changed
    if story == "late_and_missing":
        assert added
    else:
        assert {entity for entity, _ in added} <= actors
        assert bool(added) == (story in ("acquired", "sold", "lapsed_privacymark"))


def test_without_the_rosy_region_asia_sees_itself_as_others_do(small: Demo) -> None:
    def gap(demo: Demo) -> dict[str, float]:
        told = demo.story("rosy_region")["by_region"]
        return {region: one["self_compliance"] - one["outside_compliance"] for region, one in told.items()}

    before, after = gap(small), gap(small.without("rosy_region"))
    assert {region for region in after if after[region] != before[region]} == {"AS"}
    assert after["AS"] < before["AS"] / 2
    assert after["AS"] < 2 * max(share for region, share in after.items() if region != "AS")


def test_without_the_chronic_item_no_site_fails_it_for_ever(small: Demo) -> None:
    story, left = small.story("chronic_item"), small.without("chronic_item")
    codes = story["item_code_by_version"]
    verdicts = defaultdict(set)
    for row in left.self_checks:
        if row["item_code"] == codes[row["checklist_version"]]:
            verdicts[row["entity_code"]].add(row["answer"])
    assert [site for site in story["entity_codes"] if verdicts[site] == {"×"}] == []


def test_without_the_copycat_its_answers_are_new(small: Demo) -> None:
    copycat, told = small.story("copycat")["entity_code"], answers_of(small.without("copycat"))
    of_period: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for (kind, entity, period, _), answer in told.items():
        if kind == "self_check" and entity == copycat:
            of_period[period].append(answer)
    for period in small.story("copycat")["periods"]:
        assert of_period[period] != of_period[f"FY{int(period[2:6]) - 1}{period[6:]}"]


@pytest.mark.parametrize("story", ["acquired", "sold", "moved_region", "moved_business_group"])
def test_without_its_story_an_affiliate_stays_as_it_was(small: Demo, story: str) -> None:
    entity, left = small.story(story)["entity_code"], small.without(story)
    (interval,) = _intervals(left)[entity]
    assert (interval["適用開始日"], interval["適用終了日"]) == ("2000/4/1", "")
    first = _intervals(small)[entity][0]
    assert (interval["地域コード"], interval["事業グループコード"]) == (
        first["地域コード"],
        first["事業グループコード"],
    )
    assert {row["period"] for row in left.self_checks if row["entity_code"] == entity} == set(left.truth["periods"])
    plans = [row for kind, row in planned(left) if kind == "self_check" and row["対象拠点コード"] == entity]
    assert len(plans) == len(left.truth["periods"])
    assert {row["取消"] for row in plans} == {""}


def test_without_the_revision_all_rounds_ask_the_newest_version(small: Demo) -> None:
    left = small.without("checklist_revision")
    assert {row["checklist_version"] for row in left.self_checks} == {"2023"}
    assert {row["チェックリスト版"] for row in left.third_party} == {"2023"}
    assert contents(left.out / "master") == contents(small.out / "master")
    story = left.story("checklist_revision")
    assert story["reason"].endswith("all rounds ask version 2023; the lineage is written all the same")
    assert "self_check_compliance_around_revision" not in story
    # Requirements that both versions ask get the same answers in the early rounds, too.
    origin, weights = lineages(small), weights_of(small)
    told, untold = answers_of(small), answers_of(left)
    same = 0
    for code in weights["2023"]:
        version, former = origin["2023", code]
        if version == "2020":
            for (kind, entity, period, item), answer in told.items():
                if kind != "privacy_audit" and period < "FY2023" and item == former:
                    assert untold[kind, entity, period, code] == answer
                    same += 1
    assert same > 1000


def test_without_the_correction_a_self_check_comes_once(small: Demo) -> None:
    left = small.without("corrected_resubmission")
    assert list(left.out.glob("self_check/*correction*")) == []
    assert {name for name in small.truth["files"] if name not in left.truth["files"]} == {
        f"self_check/self_check_history_correction_{small.story('corrected_resubmission')['entity_code']}.csv"
    }
    assert left.self_checks == small.self_checks


def test_without_overdue_and_reopened_findings_all_is_done_in_time(small: Demo) -> None:
    left = small.without("overdue_and_reopened")
    rows = left.rows("findings/*.csv")
    assert len(rows) > 100
    assert {row["再開回数"] for row in rows} == {"0"}
    early = []
    for row in rows:
        if row["是正完了日"]:
            early.append((in_slashes(row["是正期限"]) - in_slashes(row["是正完了日"])).days)
            assert in_slashes(row["指摘日"]) < in_slashes(row["是正完了日"])
        if row["完了日"]:
            assert row["有効性確認"] or row["是正番号"] == ""
    assert min(early) >= 0
    # Days do not pile up on the due day.
    assert Counter(early)[0] < len(early) / 20
    for told in left.story("overdue_and_reopened")["as_of"].values():
        assert told["overdue_actions"] == told["reopened_findings"] == 0
        assert told["open_findings"] > 0
    for as_of in left.story("overdue_and_reopened")["as_of"]:
        day = date.fromisoformat(as_of)
        for row in left.rows(f"findings/findings_and_actions_{day:%Y%m%d}.csv"):
            assert row["是正番号"] == "" or row["是正完了日"] or in_slashes(row["是正期限"]) >= day


def test_without_the_lapse_every_mark_is_valid_and_audited(small: Demo) -> None:
    left, entity = small.without("lapsed_privacymark"), small.story("lapsed_privacymark")["entity_code"]
    holders = [row for row in left.organisation if row["Pマーク登録番号"]]
    assert entity in {row["拠点コード"] for row in holders}
    assert min(in_slashes(row["Pマーク有効期限"]) for row in holders) > date(2026, 11, 23)
    audited = {row["対象年度"][:4] for row in left.rows("privacy_audit/*.csv") if row["監査対象コード"] == entity}
    assert audited == {period[2:6] for period in left.truth["periods"]}


def test_without_late_and_missing_ones_every_inspection_comes_in_time(small: Demo) -> None:
    left = small.without("late_and_missing")
    lapsed = left.story("lapsed_privacymark")
    missing = []
    due = {(kind, row["対象拠点コード"], period_code(row["対象期間"])): row for kind, row in planned(left)}
    came = {("self_check", row["entity_code"], row["period"]): row["submitted_on"] for row in left.self_checks}
    for row in left.third_party:
        kind = {"相互点検": "mutual_check", "関係会社点検": "affiliate_check"}[row["点検区分"]]
        key = (kind, row["被点検拠点コード"], period_code(row["対象期間"]))
        came[key] = in_slashes(row["報告日"]).isoformat()
    for row in left.rows("privacy_audit/*.csv"):
        key = ("privacy_audit", row["監査対象コード"], period_code(row["対象年度"]))
        came[key] = in_slashes(row["報告日"]).isoformat()
    for key, row in due.items():
        if key in came:
            assert came[key] <= in_slashes(row["提出期限"]).isoformat()
        elif not row["取消"]:
            missing.append(key)
    # The audit that was missing before the mark lapsed belongs to that story.
    assert missing == [("privacy_audit", lapsed["entity_code"], "FY2025")]
    cells = [cell for found in left.story("late_and_missing")["by_type_and_period"].values() for cell in found.values()]
    assert sum(cell["late"] for cell in cells) == 0
    assert sum(cell["missing"] for cell in cells) == 1


def test_a_group_without_any_story_is_written_and_loaded(tmp_path: Path) -> None:
    demo = make(tmp_path / "demo", entities=20, items=12, rounds=7, form="parquet", without=STORIES)
    cells = [cell for found in demo.story("late_and_missing")["by_type_and_period"].values() for cell in found.values()]
    assert sum(cell["late"] + cell["missing"] + cell["cancelled"] for cell in cells) == 0
    folders = [path for path in sorted(demo.out.iterdir()) if path.is_dir()]
    report = load_files(Home(tmp_path / "home"), Order(folders), lambda what, done, total: None)
    assert report.refusals == []
    assert report.exit_status == 0


# --- workbooks and loading -----------------------------------------------------------------------


def cells_of(path: Path) -> list[list[Any]]:
    workbook = CalamineWorkbook.from_path(str(path))
    (name,) = workbook.sheet_names
    return workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)


def test_workbooks_look_as_companies_send_them(tiny: Demo) -> None:
    japanese = sorted(tiny.out.glob("self_check/FY2025-H1/自己点検表_HQ-0001_*.xlsx"))
    cells = cells_of(japanese[0])
    assert cells[2][:2] == ["会社名", "情報セキュリティ統括部"]
    assert cells[2][4] == "記入日"
    assert cells[2][5].startswith("令和7年")
    assert cells[4][:2] == ["対象期間", "2025年度上期"]
    assert cells[7][4] == "判定\n(○△×－)"
    data = cells[8:18]
    assert [row[2] for row in data] == list(tiny.items["SEC", "2023"])
    assert [row[0] for row in data if row[0]] == ["組織的", "人的", "物理的", "技術的"]
    assert cells[19][0] == "■ 集計"
    marks = Counter(row[4] for row in data)
    assert [row[4] for row in cells[20:24]] == [marks[row[3]] for row in cells[20:24]]
    english = sorted(tiny.out.glob("self_check/FY2025-H2/Self-Check_AF-*_FY2025-H2.xlsx"))
    cells = cells_of(english[0])
    assert cells[4][:2] == ["Period", "FY2025-H2"]
    assert cells[2][5].split(" ")[1:] in (["Mar", "2026"], ["Feb", "2026"], ["Apr", "2026"])
    assert {row[4] for row in cells[8:18]} <= {"Yes", "Partly", "No", "N/A", ""}


@pytest.mark.parametrize(("form", "rounds"), [("mixed", 3), ("parquet", 1)])
def test_every_export_is_loaded_without_a_refusal(tmp_path: Path, form: str, rounds: int) -> None:
    demo = make(tmp_path / "demo", entities=12, items=12, rounds=rounds, form=form)
    folders = [path for path in sorted(demo.out.iterdir()) if path.is_dir()]
    home = Home(tmp_path / "home")
    report = load_files(home, Order(folders), lambda what, done, total: None)
    assert report.refusals == []
    assert {one["file"]: one["rows_read"] for one in report.loads} == {
        Path(name).name: count for name, count in demo.truth["files"].items()
    }
    newest = home.newest()
    assert newest is not None
    with duckdb.connect(str(newest), read_only=True) as connection:
        counted = connection.execute(
            "select inspection_type, verdict, count(*) from fct_answer a join fct_inspection i using (inspection_id) "
            "where a.known_to = '9999-12-31' and i.known_to = '9999-12-31' and inspection_type <> 'self_check' "
            "group by all"
        ).fetchall()
    told = demo.truth["verdicts"]
    assert {(kind, verdict): count for kind, verdict, count in counted} == {
        (kind, verdict): count for kind in told if kind != "self_check" for verdict, count in told[kind].items()
    }


def test_the_default_group_is_as_large_as_promised(shared_demo: Path) -> None:
    out = shared_demo / "exports"
    demo = Demo(out, json.loads(truth_path(out).read_text("utf-8")))
    assert all(one["is_planted"] for one in demo.truth["stories"])
    rows = demo.organisation
    assert len({row["拠点コード"] for row in rows}) == 150
    assert len({row["拠点名"] for row in rows}) == len({row["拠点名(英語)"] for row in rows}) == 150
    assert len({row["国コード"] for row in rows if row["区分"] == "関係会社"}) > 20
    assert {row["地域コード"] for row in rows} == {"JP", "AM", "EU", "CN", "AS"}
    assert sum(row["区分"] == "事業グループ" for row in rows) >= 5
    assert len(demo.items["SEC", "2023"]) == 120
    assert len({item["分類コード"] for item in demo.items["SEC", "2023"].values()}) == 24
    assert len(list(out.glob("self_check/*/*.xlsx"))) in range(285, 305)
    assert demo.truth["periods"][0] == "FY2020-H1"
    assert {row["period"] for row in demo.self_checks} == set(demo.truth["periods"][:-2])
