"""What is made once for all: by one thread, in the order of runs, for nobody who asks for what is there already."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest

from dashboard.kept import Kept, Turns

PLACES = (1, 2)
LONG = 30
"""Seconds after which a thread that waits for ever fails its test."""


def start(*does: Callable[[], object]) -> list[threading.Thread]:
    threads = [threading.Thread(target=one, daemon=True) for one in does]
    for thread in threads:
        thread.start()
    return threads


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive()


@pytest.mark.parametrize("places", PLACES)
def test_what_many_ask_for_at_once_is_made_once(places: int) -> None:
    turns = Turns(places)
    kept, made, got = Kept(10, turns), [], []

    def make(key: str) -> str:
        made.append(key)
        if len(made) == 1:
            # Everybody has asked before the first is done: whoever has no place waits for one.
            wait_until(lambda: len(turns._waiting) == 8 - places)
        return f"value of {key}"

    def ask() -> None:
        got.extend((key, kept.find(key, lambda key=key: make(key))) for key in ("a", "b"))

    join(start(*[ask] * 8))
    assert sorted(made) == ["a", "b"]
    assert sorted(got) == [("a", "value of a")] * 8 + [("b", "value of b")] * 8


@pytest.mark.parametrize("places", PLACES)
def test_what_is_kept_is_there_while_others_are_made(places: int) -> None:
    kept = Kept(10, Turns(places))
    kept.find("known", lambda: 1)
    begun, goes_on = threading.Barrier(places + 1), threading.Event()

    def make() -> None:
        begun.wait(LONG)
        assert goes_on.wait(LONG)

    threads = start(*[lambda key=key: kept.find(key, make) for key in range(places)])
    begun.wait(LONG)
    found = []
    join(start(lambda: found.append(kept.find("known", lambda: 2))))
    assert found == [1]
    goes_on.set()
    join(threads)


@pytest.mark.parametrize("places", PLACES)
def test_what_is_made_of_others_does_not_wait_for_itself(places: int) -> None:
    kept = Kept(100, Turns(places))

    def make(number: int) -> int:
        return kept.find(number, lambda: 1 if number == 0 else make(number - 1) + 1)

    got: list[int] = []
    join(start(*[lambda number=number: got.append(make(number)) for number in (20, 10, 20, 15)]))
    assert sorted(got) == [11, 16, 21, 21]


def test_runs_that_began_first_are_served_first() -> None:
    turns = Turns(1)
    kept, order, begun, goes_on = Kept(100, turns), [], threading.Event(), threading.Event()
    waiting = [threading.Event() for _ in range(5)]
    asking = [threading.Event() for _ in range(5)]

    def hold() -> None:
        turns.begin()
        kept.find("held", lambda: (begun.set(), goes_on.wait(LONG)))

    def run(number: int) -> None:
        turns.begin()
        waiting[number].set()
        assert asking[number].wait(LONG)
        kept.find(number, lambda: order.append(number))

    holder = start(hold)
    assert begun.wait(LONG)
    threads = []
    for number in range(5):
        threads += start(lambda number=number: run(number))
        assert waiting[number].wait(LONG)
    for asked, number in enumerate((3, 1, 4, 0, 2)):
        asking[number].set()
        wait_until(lambda asked=asked: len(turns._waiting) > asked)
    goes_on.set()
    join(holder + threads)
    assert all(before < after for before, after in pairwise(order)) and len(order) == 5


def wait_until(is_so: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(LONG * 1000):
        if is_so():
            return
        pause.wait(0.001)
    raise AssertionError("it did not come to be")


@pytest.mark.parametrize("places", PLACES)
def test_what_failed_is_made_again_and_leaves_its_place(places: int) -> None:
    kept = Kept(10, Turns(places))

    def fail() -> None:
        raise ValueError("no")

    for _ in range(places + 1):
        with pytest.raises(ValueError, match="no"):
            kept.find("key", lambda: kept.find("part", fail))
    found = []
    join(start(lambda: found.append(kept.find("key", lambda: "yes"))))
    assert found == ["yes"]


def test_the_last_that_were_asked_for_are_kept() -> None:
    kept, made = Kept(3, Turns(1)), []
    for key in ("a", "b", "c", "a", "d", "a", "c", "d", "b"):
        kept.find(key, lambda key=key: made.append(key))
    assert made == ["a", "b", "c", "d", "b"]


def test_nothing_is_a_value_too() -> None:
    kept, made = Kept(3, Turns(1)), []
    for _ in range(3):
        assert kept.find("key", lambda: made.append(1)) is None
    assert made == [1]
