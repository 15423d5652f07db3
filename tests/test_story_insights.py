"""Each planted story is found by its insight through a warehouse, and a group without stories is told of none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.stories import BEGIN, DETECTORS, END, Detector, Group, read_group
from etl.demo import STORIES
from tests.test_project import ROOT

SEED = 2


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    group = read_group(tmp_path_factory.mktemp("told"), SEED, ())
    yield group
    group.warehouse.close()


@pytest.fixture(scope="module")
def untold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    group = read_group(tmp_path_factory.mktemp("untold"), SEED, STORIES)
    yield group
    group.warehouse.close()


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda one: one.story)
def test_planted_story_is_found(told: Group, detector: Detector) -> None:
    assert told.stories[detector.story]["is_planted"]
    found = detector.find(told)
    assert found.is_found
    # What tests allows itself one region or entity beside the planted one; what counts allows nothing.
    assert found.false_alarms <= (1 if detector.nominal else 0)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda one: one.story)
def test_group_without_the_story_is_told_nothing(untold: Group, detector: Detector) -> None:
    assert not untold.stories[detector.story]["is_planted"]
    assert detector.find(untold).false_alarms == 0


def test_every_story_has_a_detector_and_a_row_in_the_methods() -> None:
    assert [one.story for one in DETECTORS] == list(STORIES)
    methods = (ROOT / "docs" / "methods.md").read_text("utf-8")
    table = methods.split(BEGIN)[1].split(END)[0]
    listed = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if " of " in line]
    assert listed == list(STORIES)
