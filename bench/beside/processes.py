"""A server as processes: started, waited for, weighed and ended."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

SECONDS_TO_START: Final = 120
SECONDS_TO_END: Final = 10
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers, and how many seconds that took."""

    process: subprocess.Popen[bytes]
    address: str
    start_seconds: float

    def list_processes(self) -> list[psutil.Process]:
        """The process and all that it has started."""
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def measure_memory(self) -> float:
        """MiB that all its processes hold together, by their resident sets."""
        return sum(one.memory_info().rss for one in self.list_processes()) / MIB

    def measure_peak(self) -> float:
        """MiB of the largest resident set that each of its processes has had, added up."""
        peak = 0
        for one in self.list_processes():
            for line in Path(f"/proc/{one.pid}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peak += int(line.split()[1])
        return peak / 1024

    def measure_cpu(self) -> float:
        """Seconds of processor time that all its processes have used since they began."""
        return sum(one.cpu_times().user + one.cpu_times().system for one in self.list_processes())


def find_port() -> int:
    """A free port of the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def start_server(
    command: list[str], address: str, health: str, environment: Mapping[str, str], folder: Path | None = None
) -> Iterator[Server]:
    """Start a server, wait until it answers, and end it; raises RuntimeError where it does not come up."""
    began = time.perf_counter()
    with subprocess.Popen(
        command,
        env=dict(environment),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            while not answers(address + health):
                if process.poll() is not None or time.perf_counter() - began > SECONDS_TO_START:
                    raise RuntimeError(f"{' '.join(command)} does not answer at {address}{health}")
                time.sleep(0.02)
            yield Server(process, address, time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()


def answers(url: str) -> bool:
    """Whether something answers there."""
    try:
        return httpx.get(url, timeout=10).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
