"""Two server processes behind Debian's nginx and the very deploy/nginx.conf: a build published and a process killed."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb
import httpx
import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from bench.served import Served, serve_dashboard
from bench.sessions import Interaction, Session
from tests.dashboard.small_group import write_group

NGINX: Final = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIGURATION: Final = Path(__file__).parents[2] / "deploy" / "nginx.conf"
MARKS: Final = {"build-alpha": b"Alphaville", "build-beta": b"Betaville"}
"""Every name of a region and an entity, by the build that holds it."""
PLANTED: Final = ("dim_region", "region_code"), ("dim_entity", "entity_code")
READERS, WATCHERS = 8, 2
LONGEST_WAIT: Final = 90
MAIN: Final = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/tenken.conf;
}}
"""

pytestmark = pytest.mark.skipif(
    NGINX is None or shutil.which("openssl") is None,
    reason="nginx or openssl is missing; on Debian: apt-get install nginx-light openssl",
)


@dataclass
class Watch:
    """What sessions have shown, run by run."""

    mixtures: list[str] = field(default_factory=list)
    shown: dict[int, str] = field(default_factory=dict)
    figures: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    done: list[Interaction] = field(default_factory=list)

    def look(self, session: Session) -> None:
        """Note which build a run showed, and whether anything in it is of another."""
        text = session.shown.text
        builds = {name for name, mark in MARKS.items() if mark in text or name.encode() in text}
        if len(builds) > 1:
            self.mixtures.append(f"{session.query_string}: {sorted(builds)}")
        elif builds:
            self.shown[id(session)] = builds.pop()

    def look_at_figures(self, session: Session) -> None:
        """Note the figures of the first page as well."""
        self.look(session)
        deltas = [ForwardMsg.FromString(raw).delta for raw in session.shown.messages]
        metrics = tuple(one.new_element.metric.body for one in deltas if one.new_element.HasField("metric"))
        self.figures.add((self.shown[id(session)], metrics))


def make_build(folder: Path, name: str, seed: int) -> Path:
    """A build of the small group with figures and names of its own."""
    write_group(folder / name, name, seed)
    path = folder / name / "warehouse" / f"{name}.duckdb"
    with duckdb.connect(str(path)) as connection:
        for table, code in PLANTED:
            connection.execute(f"update {table} set name_en = '{MARKS[name].decode()} ' || {code}")
    return path


def publish(build: Path, home: Path) -> None:
    """Publish a build as the loader does: a new file, then the pointer replaced in one step."""
    folder = home / "warehouse"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(build, folder / build.name)
    (folder / ".current").write_text(build.name, "utf-8")
    (folder / ".current").replace(folder / "current")


def find_port() -> int:
    """A free port of the loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def name_port(served: Served) -> str:
    """The port of a server, which is its name in nginx.conf."""
    return served.address.rpartition(":")[2]


@contextmanager
def serve_nginx(folder: Path, ports: tuple[str, str]) -> Iterator[tuple[str, ssl.SSLContext]]:
    """Address of nginx with the project's configuration, ports and paths filled in, and whom to trust for it."""
    port = find_port()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    text = CONFIGURATION.read_text("utf-8")
    filled = {
        "8501": ports[0],
        "8502": ports[1],
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen 80;": f"listen 127.0.0.1:{find_port()};",
        "/etc/ssl/tenken.pem": str(certificate),
        "/etc/ssl/tenken.key": str(key),
        "/var/cache/nginx/tenken": str(folder / "cache"),
    }
    for old, new in filled.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "tenken.conf").write_text(text, "utf-8")
    # As root, nginx would serve as somebody who may not enter the folders of tests.
    user = "user root;" if Path("/proc/self").stat().st_uid == 0 else ""
    (folder / "nginx.conf").write_text(MAIN.format(folder=folder, user=user), "utf-8")
    assert NGINX
    command = [NGINX, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    with subprocess.Popen(command) as process:
        try:
            wait_until(lambda: is_open(port), lambda: (folder / "error.log").read_text("utf-8"))
            yield f"https://127.0.0.1:{port}", ssl.create_default_context(cafile=str(certificate))
        finally:
            process.terminate()


def is_open(port: int) -> bool:
    """Whether somebody listens on a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_until(is_so: Callable[[], bool], tell: Callable[[], object]) -> None:
    """Return once something is so."""
    deadline = time.monotonic() + LONGEST_WAIT
    while not is_so():
        assert time.monotonic() < deadline, tell()


async def wait_for(is_so: Callable[[], bool], tell: Callable[[], object]) -> None:
    """Return once something is so, while readers go on."""
    deadline = time.monotonic() + LONGEST_WAIT
    while not is_so():
        assert time.monotonic() < deadline, tell()
        await asyncio.sleep(0.05)


async def live(session: Session, watch: Watch) -> None:
    """Do one thing after the other, and come back when the connection is lost."""
    while True:
        watch.done.append(await session.act())
        if session.is_lost:
            watch.done.append(await session.come())


def list_errors(done: list[Interaction]) -> list[str]:
    """Everything that went wrong for readers."""
    return [error for one in done for error in one.errors]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the first build, and the second beside it."""
    folder = tmp_path_factory.mktemp("deploy")
    publish(make_build(folder, "build-alpha", 1), folder / "home")
    make_build(folder, "build-beta", 2)
    return folder


def test_readers_of_two_processes_see_one_build_at_a_time_and_outlive_a_process(folder: Path) -> None:
    with ExitStack() as stack:
        servers = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            servers.append(stack.enter_context(serve_dashboard(folder / "home", folder / name)))
        ports = name_port(servers[0]), name_port(servers[1])
        address, trusted = stack.enter_context(serve_nginx(folder, ports))
        asyncio.run(follow_readers(folder, servers, address, trusted))
        logs = "".join(one.log.read_text("utf-8") for one in servers)
        assert "Traceback" not in logs, logs


async def follow_readers(folder: Path, servers: list[Served], address: str, trusted: ssl.SSLContext) -> None:
    """Readers come to both processes, a build is published under them, and a process is killed."""
    watch = Watch()
    sessions = [
        Session(address, random.Random(seed), on_run=watch.look, keeps_messages=True, trusted=trusted)
        for seed in range(READERS + WATCHERS)
    ]
    for session in sessions[READERS:]:
        session.on_run = watch.look_at_figures
    # One after the other, as the processes take turns.
    for session in sessions:
        watch.done.append(await session.come())
    ports = {name_port(one) for one in servers}
    assert {find_process(session) for session in sessions} == ports
    await check_ways(sessions, address, trusted)
    tasks = [asyncio.create_task(live(session, watch)) for session in sessions[:READERS]]
    try:
        await wait_for(lambda: len(watch.done) > 2 * len(sessions), lambda: watch.done)
        assert set(watch.shown.values()) == {"build-alpha"}
        publish(folder / "build-beta" / "warehouse" / "build-beta.duckdb", folder / "home")
        # Whoever only watches is shown the new build too.
        await wait_for(lambda: bool(watch.mixtures) or set(watch.shown.values()) == {"build-beta"}, lambda: watch.shown)
        assert watch.mixtures == []
        assert list_errors(watch.done) == []
        await check_failover(servers[0], sessions, watch)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for session in sessions:
            await session.leave()
    assert watch.mixtures == []
    # Of each build one set of figures, and no two the same.
    assert sorted(build for build, _ in watch.figures) == sorted(MARKS)
    assert len({figures for _, figures in watch.figures}) == len(MARKS)


def find_process(session: Session) -> str:
    """The port of the process that nginx leads a session to."""
    return session.cookies["tenken_process"]


async def check_ways(sessions: list[Session], address: str, trusted: ssl.SSLContext) -> None:
    """Each browser is led to its own process time and again, by whatever address it comes, and so is not told anew."""
    for session in sessions[:2]:
        async with httpx.AsyncClient(base_url=address, verify=trusted, cookies=session.cookies) as http:
            pages = [await http.get(path) for path in ("/", "/healthz", "/", "/_stcore/health", "/")]
            assert {page.status_code for page in pages} == {200}
            told = [page.headers.get("set-cookie", "") for page in pages]
            assert not [one for one in told if "tenken_process" in one]
            script = re.search(r"\./(static/js/index[^\"]+\.js)", pages[0].text)
            assert script
            assert (await http.get(script[1])).headers["cache-control"].startswith("public, immutable")
    async with httpx.AsyncClient(base_url=address, verify=trusted) as http:
        # A cookie that names nothing of ours counts as none, and the one that is given is for this host and TLS alone.
        page = await http.get("/", headers={"Cookie": "tenken_process=9; other=1"})
        assert re.search(r"tenken_process=\d+; Path=/; HttpOnly; Secure; SameSite=Lax", page.headers["set-cookie"])


async def check_failover(killed: Served, sessions: list[Session], watch: Watch) -> None:
    """Readers of a process that dies are led to the other, with the view that they had."""
    moved = [session for session in sessions if find_process(session) == name_port(killed)]
    before = len(watch.done)
    killed.process.kill()
    watchers = [session for session in moved if session in sessions[READERS:]]
    await wait_for(lambda: all(session.is_lost for session in watchers), lambda: "a watcher's connection lives on")
    for session in watchers:
        seen = session.query_string
        assert not (await session.come()).errors
        assert session.query_string == seen
    await wait_for(
        lambda: not [session for session in moved if session.is_lost or find_process(session) == name_port(killed)],
        lambda: [find_process(session) for session in sessions],
    )
    # Of those that were answered since, only what the death itself cut short has failed.
    await wait_for(lambda: len(watch.done) > before + 4 * READERS, lambda: watch.done[before:])
    errors = list_errors(watch.done[before:])
    assert len(errors) <= len(moved), errors
    assert all("close" in error for error in errors), errors
    assert set(watch.shown.values()) == {"build-beta"}
