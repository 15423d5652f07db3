"""Servers to be measured: the dashboard, or a bare Streamlit page behind the same layers, held to one core."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from bench.bare import PARTS_VARIABLE, Part

ROOT: Final = Path(__file__).resolve().parents[1]
SECONDS_TO_END: Final = 15


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: where it listens, and its process."""

    address: str
    process: psutil.Process
    log: Path

    def read_cpu(self) -> float:
        """Seconds of processor time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def read_mib(self) -> float:
        """Resident memory in MiB."""
        return float(self.process.memory_info().rss / 2**20)


@contextmanager
def serve_dashboard(
    home: Path, folder: Path, core: int | None = None, variables: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """The dashboard on a free port of the loopback, with further variables of its environment."""
    more = {"TENKEN_HOME": str(home), **(variables or {})}
    with _serve([sys.executable, "-m", "dashboard"], more, folder / "dashboard.log", core) as one:
        yield one


@contextmanager
def serve_bare(pages: dict[str, Sequence[Part]], folder: Path, core: int | None = None) -> Iterator[Served]:
    """Bare pages of constants, as many elements of the same kinds as those given by name."""
    path = folder / "parts.json"
    path.write_text(json.dumps({name: [asdict(part) for part in parts] for name, parts in pages.items()}), "utf-8")
    command = [sys.executable, "-m", "bench.bare_server"]
    with _serve(command, {PARTS_VARIABLE: str(path)}, folder / "bare.log", core) as one:
        yield one


@contextmanager
def _serve(command: Sequence[str], more: dict[str, str], log: Path, core: int | None) -> Iterator[Served]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with log.open("wb") as err:
        process = subprocess.Popen(
            [*command, "--server.address", "127.0.0.1", "--server.port", str(port)],
            cwd=ROOT,
            env=os.environ | more,
            stdout=subprocess.PIPE,
            stderr=err,
            text=True,
        )
    with process:
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            assert process.stdout
            if "listens" not in process.stdout.readline():
                raise RuntimeError(f"{' '.join(command)} does not start: {log.read_text('utf-8')}")
            yield Served(f"http://127.0.0.1:{port}", psutil.Process(process.pid), log)
        finally:
            process.terminate()
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()
