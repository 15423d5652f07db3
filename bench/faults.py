"""Processes killed at random moments, hundreds of times: python -m bench.faults [--kills N] [--servers N] [--seed N].

Loads, rebuilds and what a server writes (audit log, logins, inbox) run as processes of their own and are killed with
SIGKILL: after a random time, or when they are about to do the n-th thing to a file. After each it is looked at whether
all is whole, and the work is done again. Writes bench/results/faults.json.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dashboard.access.audit_check import verify
from dashboard.inbox import list_batches, list_uploads
from etl.builds import KEEP_BUILDS
from metrics.warehouse import Warehouse
from tests.etl.conftest import Group

ROOT: Final = Path(__file__).parents[1]
RESULT: Final = Path(__file__).parent / "results" / "faults.json"
LOGIN: Final = "login-of-a-reader"
SECONDS_TO_START: Final = 60
MOST_THINGS: Final = 80
"""A load of the small group does about so many things to files that Python can see."""

# Everything is imported once; each command is a process of its own, forked from this one before it has any thread.
NURSERY: Final = """
import json, os, signal, sys, time
sys.argv[0] = "etl"
from bench.faults import run_command
for line in sys.stdin:
    asked = json.loads(line)
    child = os.fork()
    if child == 0:
        run_command(asked)
    status = None
    if asked["seconds"] is not None:
        until = time.monotonic() + asked["seconds"]
        while time.monotonic() < until:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                break
            status = None
            time.sleep(0.002)
        else:
            os.kill(child, signal.SIGKILL)
    if status is None:
        _, status = os.waitpid(child, 0)
    print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)
"""
THINGS: Final = (
    "open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.utime", "os.scandir",
    "fcntl.flock",
)  # fmt: skip
"""What Python tells an audit hook before it does it to a file."""
LOADS_OF_GROUP: Final = 40
"""A rebuild takes as long as all loads before it, so a group has no more of them than these."""
FOLDERS: Final = ("warehouse", "facts", "archive", "audit", "logins", "inbox")
"""What Tenken writes to in a home."""


def run_command(asked: dict[str, Any]) -> None:
    """In the process that is to be killed: do what was asked, up to the n-th thing done to a file; never returns."""
    os.setsid()
    for stream in (1, 2):
        os.dup2(os.open(asked["said_to"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), stream)
    left, places = asked["things"], tuple(f"{asked['home']}/{name}" for name in FOLDERS)

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        # A file is named by its path, or by its number once it is open.
        is_ours = event in THINGS and (isinstance(arguments[0], int) or str(arguments[0]).startswith(places))
        if left is not None and is_ours:
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    code = 99
    try:
        if asked["what"] == "write":
            write_as_a_server(Path(asked["home"]), asked["seed"])
        else:
            from etl.__main__ import main

            code = main(asked["arguments"])
    finally:
        sys.stdout.flush()
        os._exit(code)


def write_as_a_server(home: Path, seed: int) -> None:
    """What a server writes for its readers, over and over: records, logins, uploads, choices."""
    import io

    from dashboard import inbox
    from dashboard.access import logins
    from dashboard.access.audit import Record, append_record

    chance = random.Random(seed)
    for number in range(1_000_000):
        append_record(
            home, Record("viewed", "ann@example.com", page="overview", rows={"panel": number}), most_bytes=40_000
        )
        logins.use(home, LOGIN)
        logins.use(home, f"login-{seed}-{number}")
        logins.end(home, f"login-{seed}-{number}")
        if chance.random() < 0.3:
            batch = inbox.make_batch(home)
            inbox.keep_upload(batch, "a.csv", io.BytesIO(os.urandom(200_000)))
            inbox.choose(batch, ["a.csv"], entity=f"E-{number}")
            if chance.random() < 0.5:
                inbox.discard(batch)


@dataclass(slots=True)
class Nursery:
    """Where processes are born; one is asked for at a time."""

    process: subprocess.Popen[str]

    def run(
        self, what: str, *arguments: str, home: Path, seconds: float | None = None, things: int | None = None,
        seed: int = 0, said_to: Path = Path(os.devnull),
    ) -> int:  # fmt: skip
        """Exit status of a command; -9 where it was killed, after some seconds or before the n-th thing."""
        asked = {
            "what": what, "arguments": arguments, "home": str(home), "seconds": seconds, "things": things, "seed": seed,
            "said_to": str(said_to),
        }  # fmt: skip
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return int(json.loads(self.process.stdout.readline())["code"])

    def load(self, home: Path, path: Path, known_at: str, **kill: Any) -> int:
        """Load a file."""
        return self.run("load", "load", "--home", str(home), "--known-at", known_at, str(path), home=home, **kill)

    def rebuild(self, home: Path, **kill: Any) -> int:
        """Rebuild."""
        return self.run("rebuild", "rebuild", "--home", str(home), home=home, **kill)


@contextmanager
def open_nursery() -> Iterator[Nursery]:
    """A nursery, for as long as it is needed."""
    command = [sys.executable, "-c", NURSERY]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield Nursery(process)
        assert process.stdin
        process.stdin.close()


@dataclass(slots=True)
class Tally:
    """What became of what was killed, and all that was not as it should be."""

    killed: int = 0
    ended_before: int = 0
    after: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def expect(self, is_so: bool, problem: str) -> None:
        """Note a problem."""
        if not is_so:
            self.problems.append(problem)

    def tell(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {"killed": self.killed, "ended_before": self.ended_before, **dict(self.after), "problems": self.problems}


def read_everything(home: Path) -> tuple[str, list[tuple[Any, ...]]]:
    """Fingerprint of all that was known when, as a reader gets it, and the loads; of the newest build and no other."""
    warehouse = Warehouse.open_newest(home)
    try:
        assert not warehouse.passed, warehouse.passed
        tables = sorted(
            name
            for (name,) in warehouse.read_rows("select table_name from duckdb_tables()")
            if name.startswith(("dim_", "fct_", "brg_", "cube_"))
        )
        texts = []
        for table in tables:
            # Which load says first what two say is the order of loading, and so is part of what is compared.
            texts += sorted(f"{table} {row}" for row in warehouse.read_rows(f"select * from {table}"))
        loads = warehouse.read_rows("select load_no, file_name, sha256, rows_read, known_at from load order by load_no")
    finally:
        warehouse.close()
    return hashlib.sha256("\n".join(texts).encode()).hexdigest(), loads


def list_leftovers(home: Path, files: int) -> list[str]:
    """What a load that has ended should have taken away, and what is missing of the files and notes of the archive."""
    parts = [path.name for path in home.rglob("*") if ".building" in path.name or path.name.endswith(".part")]
    builds = sorted((home / "warehouse").glob("build-*"))
    kept = list((home / "archive").glob("*/*/*"))
    notes = sum(path.name.endswith(".load.json") for path in kept)
    if len(builds) > KEEP_BUILDS:
        parts.append(f"{len(builds)} builds")
    if (len(kept) - notes, notes) != (files, files):
        parts.append(f"{len(kept) - notes} files and {notes} notes of {files} loads")
    return parts


def kill_loads(folder: Path, kills: int, seed: int) -> Tally:
    """Kill loads and rebuilds of small groups, one after the other, until so many were killed."""
    chance, tally = random.Random(seed), Tally()
    with open_nursery() as nursery:
        for number in itertools.takewhile(lambda _: tally.killed < kills, itertools.count(1)):
            kill_loads_of_group(nursery, folder / str(number), kills, chance, tally)
    return tally


def kill_loads_of_group(nursery: Nursery, folder: Path, kills: int, chance: random.Random, tally: Tally) -> None:
    """Kill loads and rebuilds of a small group; see that readers have the build before or the new one, and go on."""
    group = Group(folder).masters(is_anew=True)
    home = group.home.path
    began = time.monotonic()
    first = group.write("first.csv", spell_export(0))
    tally.expect(nursery.load(home, first, "2024-01-01") == 0, "the first load failed")
    took, files = time.monotonic() - began, 3
    for number in range(1, LOADS_OF_GROUP + 1):
        kill = choose_moment(chance, MOST_THINGS, 1.2 * took)
        before = read_everything(home)
        is_rebuild = chance.random() < 0.2
        path = group.write(f"n{number}.csv", spell_export(number))
        known_at = f"2025-{1 + number // 28:02}-{1 + number % 28:02}"
        code = nursery.rebuild(home, **kill) if is_rebuild else nursery.load(home, path, known_at, **kill)
        where = f"{folder.name}: {'rebuild' if is_rebuild else 'load'} {number}, killed at {kill}"
        tally.killed += code == -9
        tally.ended_before += code == 0
        tally.expect(code in (0, -9), f"{where}: exit status {code}")
        seen = read_everything(home)
        began = time.monotonic()
        tally.expect(nursery.load(home, path, known_at) == 0, f"{where}: the next load failed")
        took = 0.5 * took + 0.5 * (time.monotonic() - began)
        after = read_everything(home)
        files += 1
        if is_rebuild:
            tally.expect(seen == before, f"{where}: readers saw another thing than before")
        else:
            tally.expect(seen in (before, after), f"{where}: readers saw neither the build before nor the new one")
            tally.after["new_build_seen" if seen == after else "build_before_seen"] += code == -9
        once = [load[1:3] for load in after[1]]
        tally.expect(len(once) == len(set(once)) == files, f"{where}: {len(once)} loads of {files} files")
        tally.expect(after[1][:-1] == before[1], f"{where}: loads of before changed")
        left = list_leftovers(home, files)
        tally.expect(not left, f"{where}: left over: {', '.join(left)}")
        is_last = number == LOADS_OF_GROUP or tally.killed == kills
        if number % 10 == 0 or is_last:
            tally.expect(nursery.rebuild(home) == 0, f"{where}: the rebuild failed")
            tally.expect(read_everything(home) == after, f"{where}: the rebuild gave another thing")
            tally.after["rebuilds_compared"] += 1
        if is_last:
            return


def choose_moment(chance: random.Random, most_things: int, most_seconds: float) -> dict[str, Any]:
    """When a process is to be killed: after some seconds, or before it does the n-th thing to a file."""
    if chance.random() < 0.6:
        return {"things": chance.randrange(most_things)}
    return {"seconds": round(chance.uniform(0, most_seconds), 4)}


def spell_export(number: int) -> str:
    """A self-check that corrects the one before in one answer, and one of a year of its own."""
    verdict = "○" if number % 2 else "×"
    return (
        "entity,period,item,answer\n"
        f"E-1,FY2024-H1,5.1,{verdict}\nE-1,FY2024-H1,5.10,△\nE-2,FY{1990 + number % 30}-H2,5.1,{verdict}\n"
        f"E-2,FY{1990 + number % 30}-H2,6.1,{'○' if number % 7 else '×'}\n"
    )


def kill_writers(folder: Path, kills: int, seed: int) -> Tally:
    """Kill what writes the audit log, logins and the inbox; see that all of them are whole, and go on."""
    chance, tally = random.Random(seed), Tally()
    home = folder / "home"
    home.mkdir(parents=True)
    with open_nursery() as nursery:
        for number in range(kills):
            kill = choose_moment(chance, 400, 0.3)
            code = nursery.run("write", home=home, seed=seed * 10_000 + number, **kill)
            tally.killed += code == -9
            tally.expect(code == -9, f"writer {number}: exit status {code}")
            tally.problems += [f"writer {number}, killed at {kill}: {one}" for one in look_at_writings(home)]
    found = verify(home)
    tally.after.update(records=found.records, half_written_lines_noted=len(found.notes))
    return tally


def look_at_writings(home: Path) -> list[str]:
    """What is not whole of the audit log, the logins and the inbox."""
    problems = [one.say("en") for one in verify(home).problems]
    logins = home / "logins"
    texts = {path.name: path.read_text("utf-8") for path in (logins.iterdir() if logins.exists() else ())}
    problems += [f"login {name} holds {text!r}" for name, text in texts.items() if text not in ("", "ended")]
    for batch in list_batches(home):
        problems += [f"upload of {one.size} bytes" for one in list_uploads(batch) if one.size != 200_000]
        choices = batch.folder / "choices.json"
        if choices.exists():
            with suppress(ValueError):
                json.loads(choices.read_text("utf-8"))
                continue
            problems.append(f"{choices} is half-written")
    return problems


def kill_servers(home: Path, kills: int, seed: int) -> Tally:
    """Kill a whole server while it is read; see that the next one starts, serves and finds a whole audit log."""
    from tests.dashboard.streamlit_client import come, sign_claims

    chance, tally = random.Random(seed), Tally()
    secret = "only for tests, but long enough to sign with"
    secrets = home.parent / "secrets.toml"
    (home / "access.toml").write_text(
        '[[grant]]\nrole = "executive"\nscope = "group"\naddresses = ["ann@example.com"]\n', "utf-8"
    )
    for number in range(kills + 1):
        port = find_free_port()
        address = f"http://127.0.0.1:{port}"
        secrets.write_text(
            f'[auth]\nredirect_uri = "{address}/oauth2callback"\ncookie_secret = "{secret}"\nclient_id = "tenken"\n'
            'client_secret = "secret"\nserver_metadata_url = "http://127.0.0.1:9/.well-known/openid-configuration"\n'
        )
        secrets.chmod(0o600)
        claims = {
            "iss": "http://127.0.0.1:9", "sub": "ann", "aud": "tenken", "nonce": "the same for all",
            "iat": int(time.time()) - 60, "email": "ann@example.com", "email_verified": True,
        }  # fmt: skip
        cookie = sign_claims(claims, secret, address)
        command = [sys.executable, "-m", "dashboard", "--server.address", "127.0.0.1", "--server.port", str(port)]
        told = os.environ | {"TENKEN_HOME": str(home), "TENKEN_SECRETS": str(secrets)}
        with subprocess.Popen(command, cwd=ROOT, env=told, stdout=subprocess.PIPE, text=True) as server:
            try:
                assert server.stdout
                if not any("URL:" in line for line in server.stdout):
                    tally.problems.append(f"server {number} did not start")
                    continue
                with come(address, cookie) as client:
                    shown = client.open("overview", {"lang": "en"})
                    is_read = b"Sign in" not in shown.text and not shown.exceptions and len(shown.messages) > 20
                    tally.expect(is_read, f"server {number}: the page was not shown")
                    if number < kills:
                        stop = chance.randrange(3)
                        for page in chance.sample(["regions", "findings", "items", "matrix"], stop):
                            client.open(page, {"lang": "ja"})
                        # The next run is under way when the server is killed.
                        client.ask("loads", {"lang": "en"})
            finally:
                server.kill()
        tally.killed += number < kills
        tally.problems += [f"server {number}: {one}" for one in look_at_writings(home)]
    tally.after["records"] = verify(home).records
    return tally


def find_free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(kills: int, servers: int, seed: int) -> dict[str, Any]:
    """All of it; a result that describe() understands."""
    result: dict[str, Any] = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "seed": seed}
    with tempfile.TemporaryDirectory(prefix="tenken-faults-") as folder:
        for name, count, run in (
            ("loader", kills, lambda: kill_loads(Path(folder, "loads"), kills, seed)),
            ("writers", kills, lambda: kill_writers(Path(folder, "writers"), kills, seed)),
            ("servers", servers, lambda: kill_servers(Path(folder, "loads", "1", "home"), servers, seed)),
        ):
            print(f"{name}: {count} kills", file=sys.stderr, flush=True)
            began = time.monotonic()
            result[name] = run().tell() | {"seconds": round(time.monotonic() - began, 1)}
    return result


def describe(result: dict[str, Any]) -> str:
    """The Markdown section of the performance report."""
    loader, writers, servers = result["loader"], result["writers"], result["servers"]
    problems = [one for part in (loader, writers, servers) for one in part["problems"]]
    seen = (
        f"the build before {loader.get('build_before_seen', 0)} times, the new one whole "
        f"{loader.get('new_build_seen', 0)} times; {loader.get('rebuilds_compared', 0)} rebuilds gave the same tables"
    )
    written = (
        f"{writers['records']:,} records verified; {writers['half_written_lines_noted']} half-written lines were "
        "named by the record after them"
    )
    served = f"the next one started and showed the page each time; {servers['records']:,} records verified"
    rows = [
        ("load or rebuild", loader, seen),
        ("what a server writes: audit log, logins, inbox", writers, written),
        ("a server while it was read", servers, served),
    ]
    total = sum(part["killed"] for part in (loader, writers, servers))
    lines = [
        "## Killed at random moments",
        "",
        "| what was killed | times | what was found afterwards |",
        "|---|---:|---|",
    ]
    lines += [f"| {what} | {part['killed']:,} | {found} |" for what, part, found in rows]
    verdict = (
        "Nothing was lost, nothing was half shown, and nothing was left lying about."
        if not problems
        else f"{len(problems)} times something was not as it should be; the first: {problems[0]}"
    )
    how = (
        f"{total:,} processes were killed with SIGKILL (seed {result['seed']}), after a random time or before a random "
        "step on a file; after each the work was done again."
    )
    return "\n".join([*lines, "", f"{how} {verdict}", ""])


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="of loads, and of writers as many")
    parser.add_argument("--servers", type=int, default=40, help="kills of whole servers")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args(arguments)
    result = measure(options.kills, options.servers, options.seed)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    print(describe(result))


if __name__ == "__main__":
    main()
