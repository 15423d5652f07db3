"""What is made once for all readers and kept by its key; few make something at a time, in the order of their runs.

Shared by all threads, the processor finishes many views at the same late moment. In order, each is finished as soon as
those before it are, and whoever asks for what is kept waits for nobody.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final, TypeVar, cast

Made = TypeVar("Made")
NOTHING: Final = object()


class Turns:
    """Places for threads that make something, handed to whoever waits of the run that began first."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: list[tuple[int, int, threading.Lock]] = []
        self._lock = threading.Lock()
        self._numbers = count()
        self._own = threading.local()

    def begin(self) -> None:
        """Begin a run in this thread: whatever it makes comes after what runs make that began before."""
        self._own.run = next(self._numbers)

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a place, waiting for it where there is none; who holds one already takes no other."""
        if getattr(self._own, "holds", False):
            yield
            return
        self._enter()
        self._own.holds = True
        try:
            yield
        finally:
            self._own.holds = False
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            number = next(self._numbers)
            called = threading.Lock()
            called.acquire()
            heappush(self._waiting, (getattr(self._own, "run", number), number, called))
        called.acquire()

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                # The place goes straight to the first, so that nobody who comes later slips in.
                heappop(self._waiting)[-1].release()
            else:
                self._free += 1


TURNS: Final = Turns(len(os.sched_getaffinity(0)))
"""A place for each core that the process may use: of more, each would only be slower."""


class Kept:
    """Values by key, of which the `most` that were asked for last are kept. Who gets one does not change it."""

    def __init__(self, most: int, turns: Turns = TURNS) -> None:
        self._most = most
        self._turns = turns
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._making: dict[Hashable, threading.RLock] = {}
        self._lock = threading.Lock()

    def find(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """The value of a key; where there is none, one thread makes it and others who ask for it wait.

        What `make` raises is raised to whoever called it; the next who asks makes it again.
        """
        found = self._look(key)
        if found is not NOTHING:
            return cast(Made, found)
        # The place comes first: who waits for what another makes must not keep that one from a place.
        with self._turns.take():
            with self._lock:
                making = self._making.setdefault(key, threading.RLock())
            with making:
                found = self._look(key)
                if found is not NOTHING:
                    return cast(Made, found)
                try:
                    made = make()
                    with self._lock:
                        self._values[key] = made
                        while len(self._values) > self._most:
                            self._values.popitem(last=False)
                    return made
                finally:
                    with self._lock:
                        self._making.pop(key, None)

    def _look(self, key: Hashable) -> object:
        with self._lock:
            if key not in self._values:
                return NOTHING
            self._values.move_to_end(key)
            return self._values[key]
