"""A crowd of sessions that think and act, and what a span of time of it comes to."""

from __future__ import annotations

import asyncio
import random
import resource
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from bench.served import Served
from bench.sessions import SHARES, Interaction, Kind, Session

THINK_SECONDS: Final = (4.0, 16.0)
"""A reader looks at a page for so long, evenly spread, before doing the next thing."""
COMING_AT_ONCE: Final = 6
SECONDS_BETWEEN_LOOKS: Final = 0.2


@dataclass
class Crowd:
    """Readers of one server; the seed makes each do the same in every run, however long the answers take."""

    served: Served
    seed: int
    interactions: list[Interaction] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    think: tuple[float, float] = THINK_SECONDS
    shares: Mapping[Kind, int] = field(default_factory=SHARES.copy)
    _came: int = 0
    _resized: float = 0.0

    async def resize(self, number: int) -> None:
        """Let readers come, or leave, until there are as many as that and nobody waits for what they asked before."""
        for task in self.tasks[number:]:
            task.cancel()
        await asyncio.gather(*(session.leave() for session in self.sessions[number:]))
        del self.tasks[number:], self.sessions[number:]
        gate = asyncio.Semaphore(COMING_AT_ONCE)

        async def come(session: Session) -> None:
            async with gate:
                self.interactions.append(await session.come())

        new = []
        for _ in range(number - len(self.sessions)):
            self._came += 1
            dice = random.Random(self.seed * 100_000 + self._came)
            new.append(Session(self.served.address, dice, shares=self.shares))
        await asyncio.gather(*map(come, new))
        if not new:
            # A larger crowd's backlog is not what a smaller one waits for.
            shrunk = time.monotonic()
            while any(session.began < shrunk and session.count_pending(shrunk) for session in self.sessions):
                await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        self._resized = time.monotonic()
        self.sessions += new
        self.tasks += [asyncio.create_task(self._live(session)) for session in new]

    async def measure(self, settle: float, seconds: float) -> dict[str, Any]:
        """What a span of time comes to, after some in which the crowd settles."""
        await asyncio.sleep(settle)
        began, cpu, own = time.monotonic(), self.served.read_cpu(), _read_own_cpu()
        looked = [len(session.looks) for session in self.sessions]
        await asyncio.sleep(seconds)
        ended = time.monotonic()
        cpu, own = self.served.read_cpu() - cpu, _read_own_cpu() - own
        done = [
            one
            for one in self.interactions
            if one.began + one.seconds >= began and one.began >= self._resized and one.kind != "first"
        ]
        looks = [look for session, before in zip(self.sessions, looked, strict=True) for look in session.looks[before:]]
        # Whoever still waits has waited for at least so long; only who waits longer than most says something.
        waiting = [wait for session in self.sessions if (wait := session.count_pending(ended)) > 1]
        errors = Counter(error for one in done for error in one.errors)
        times = [one.seconds for one in done] + waiting
        return {
            "sessions": len(self.sessions),
            **_list_percentiles(times),
            "interactions": len(done),
            "per_second": round(len(done) / (ended - began), 1),
            "still_waiting": len(waiting),
            "errors": sum(errors.values()),
            "error_texts": [text for text, _ in errors.most_common(3)],
            "by_kind_p95_s": {
                kind: _list_percentiles([one.seconds for one in done if one.kind == kind])["p95_s"]
                for kind in ("filter", "page", "tab")
            },
            "look_p95_s": _list_percentiles(looks)["p95_s"],
            "looks_per_second": round(len(looks) / (ended - began), 1),
            "kilobytes": round(float(np.mean([one.size for one in done])) / 1000, 1) if done else 0.0,
            "messages": round(float(np.mean([one.messages for one in done])), 1) if done else 0.0,
            "server_cpu": round(cpu / (ended - began), 3),
            "server_ms_per_interaction": round(1000 * cpu / len(done), 1) if done else None,
            "server_mib": round(self.served.read_mib(), 1),
            "generator_cpu": round(own / (ended - began), 3),
        }

    async def measure_idle(self, seconds: float) -> dict[str, Any]:
        """What sessions cost that are open and do nothing."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await asyncio.sleep(2)
        began, cpu = time.monotonic(), self.served.read_cpu()
        await asyncio.sleep(seconds)
        used = (self.served.read_cpu() - cpu) / (time.monotonic() - began)
        return {
            "sessions": len(self.sessions),
            "server_cpu": round(used, 3),
            "ms_per_session_and_second": round(1000 * used / max(len(self.sessions), 1), 2),
        }

    async def warm(self, number: int, seconds: float) -> None:
        """Let some readers look around without thinking, so that what most look at has been looked at before."""
        think, self.think = self.think, (0.0, 0.1)
        await self.resize(number)
        await asyncio.sleep(seconds)
        await self.resize(0)
        self.think = think
        self.interactions.clear()

    async def _live(self, session: Session) -> None:
        while True:
            await asyncio.sleep(session.dice.uniform(*self.think))
            self.interactions.append(await session.act())
            if session.is_lost:
                self.interactions.append(await session.come())


def _list_percentiles(seconds: list[float]) -> dict[str, float | None]:
    names = {"p50_s": 50, "p95_s": 95, "p99_s": 99}
    if not seconds:
        return dict.fromkeys(names)
    return {name: round(float(np.percentile(seconds, place)), 3) for name, place in names.items()}


def _read_own_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
