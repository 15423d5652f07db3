"""Names of the stories that are planted in the demo group, any of which can be left out."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

STORIES: Final = (
    "rosy_region", "chronic_item", "copycat", "acquired", "sold", "moved_region", "moved_business_group",
    "checklist_revision", "corrected_resubmission", "overdue_and_reopened", "lapsed_privacymark", "late_and_missing",
)  # fmt: skip
STORY_BY_ROLE: Final = {
    "chronic": "chronic_item", "copycat": "copycat", "acquired": "acquired", "sold": "sold",
    "moved_region": "moved_region", "moved_business_group": "moved_business_group",
    "corrected": "corrected_resubmission", "lapsed": "lapsed_privacymark",
}  # fmt: skip
"""The story in which each part of the cast plays; the other stories need no cast."""
LEFT_OUT: Final = "it was left out on request"


def choose_left_out(names: Iterable[str]) -> frozenset[str]:
    """The stories to leave out; a name that is no story is refused with the nearest one."""
    for name in (wanted := tuple(names)):
        if name not in STORIES:
            (near,) = get_close_matches(name, STORIES, n=1, cutoff=0.0)
            raise ValueError(f"There is no story '{name}' to leave out; the nearest is {near}.")
    return frozenset(wanted)
