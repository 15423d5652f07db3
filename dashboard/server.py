"""The server: Streamlit's app behind layers of our own, under uvicorn."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import pkgutil
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit import config, file_util
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.runtime_util import get_max_widget_state_size_bytes
from streamlit.web import bootstrap, cli

from dashboard.access import settings
from dashboard.serving.door import Door, Logins
from dashboard.serving.errors import report_error, silence_duplicates
from dashboard.serving.gate import Gate
from dashboard.serving.shield import Shield

APP: Final = Path(__file__).parent.parent / "app.py"
HEALTH: Final = "/healthz"
# Room for the cookies of sign-in: two, each split in parts of 4 kB, where a provider names many groups.
LONGEST_HEADERS: Final = 64 * 1024
SECONDS_TO_PING: Final = 30
SECONDS_TO_END: Final = 5
SECONDS_BETWEEN_COLLECTIONS: Final = 60
SEARCHES_OF_THE_YOUNG: Final = 1_000_000
"""After how many searches for garbage among what is young Python searches the whole heap by itself: hardly ever."""
SECONDS_BETWEEN_SWITCHES: Final = 0.0005
"""After which a thread hands over. Each of the hundred messages of a run may wait so long for the run of another."""
NOT_STARTED: Final = 2


def serve(arguments: Sequence[str]) -> int:
    """Serve until a signal ends it; returns 2, with every reason on stderr, when it does not start."""
    try:
        return int(command.main(args=list(arguments), prog_name="python -m dashboard", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code


@click.command
@click.option(
    settings.OPEN_FLAG,
    "is_open_on_purpose",
    is_flag=True,
    help="Listen for others without sign-in: everybody who reaches the address sees everything.",
)
@cli.configurator_options
def command(is_open_on_purpose: bool, **options: Any) -> int:
    """Serve the dashboard. Options are Streamlit's; see docs/deployment.md."""
    load_options(options)
    address = config.get_option("server.address")
    problems = settings.list_start_problems(address, config.get_option, is_open_on_purpose=is_open_on_purpose)
    if problems:
        sys.stderr.write("Tenken does not start:\n" + "".join(f"- {problem}\n" for problem in problems))
        return NOT_STARTED
    load_pages()
    sys.setswitchinterval(SECONDS_BETWEEN_SWITCHES)
    # A search of the whole heap stops every reader for a tenth of a second, and collect_garbage makes one each minute.
    gc.set_threshold(*gc.get_threshold()[:2], SEARCHES_OF_THE_YOUNG)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    server = _Server(_configure_server(build_app(address)))
    server.run()
    return 0 if server.started else NOT_STARTED


def load_options(options: Mapping[str, Any]) -> None:
    """Read Streamlit's options: of the command line, variables, config.toml; the secrets file is always Tenken's."""
    config._main_script_path = str(APP)
    bootstrap.load_config_options({**options, "secrets_files": [str(settings.find_secrets())]})


def load_pages() -> None:
    """Import what pages need before the first reader comes, and keep it out of every later search for garbage."""
    import dashboard

    for module in pkgutil.walk_packages(dashboard.__path__, "dashboard."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.collect()
    gc.freeze()


def build_app(address: str | None, logins: Logins | None = None, script: Path = APP) -> st.App:
    """The app behind its layers, for an address to listen on."""
    # A folder named pages makes Streamlit look for pages directly in it until app.py has run once, and would open such
    # a page without app.py: past sign-in, and "Page not found" for everybody who opens a link.
    PagesManager.uses_pages_directory = False
    settings.mark_served()
    silence_duplicates()
    sign_in = settings.read_sign_in()
    layers = [
        Middleware(
            Shield,
            index=Path(file_util.get_static_dir()) / "index.html",
            is_https=bool(sign_in and sign_in.is_https) or bool(config.get_option("server.sslCertFile")),
        ),
        Middleware(Gate, hosts=settings.list_hosts(address)),
    ]
    if sign_in:
        layers.append(Middleware(Door, sign_in=sign_in, logins=logins or _find_logins()))
    routes = [Route(HEALTH, tell_health, methods=["GET"])]
    return st.App(script, routes=routes, middleware=layers, on_script_error=report_error)


async def collect_garbage() -> None:
    """What sessions that have ended leave behind.

    Streamlit would search the whole heap after each run, and open pages run a little every few seconds: that held up
    every reader, and took more of the processor than all else where many pages are open.
    """
    gc.collect()


async def tell_health(_: Request) -> JSONResponse:
    """That the process lives; nothing about the data."""
    return JSONResponse({"status": "ok"})


def _find_logins() -> Logins:
    """The record of logins, imported only where sign-in is on."""
    from dashboard.access import reader

    return Logins(reader.is_permitted, reader.end_login, reader.note_refused, reader.read_hours)


def _configure_server(app: st.App) -> uvicorn.Config:
    # websockets reads its limit from here, at import: 8 kB are less than the cookies of sign-in may need.
    os.environ.setdefault("WEBSOCKETS_MAX_LINE_LENGTH", str(LONGEST_HEADERS))
    return uvicorn.Config(
        app,
        host=config.get_option("server.address") or "",
        port=int(config.get_option("server.port")),
        ssl_certfile=config.get_option("server.sslCertFile"),
        ssl_keyfile=config.get_option("server.sslKeyFile"),
        ws="websockets-sansio",
        ws_max_size=get_max_widget_state_size_bytes(),
        ws_ping_interval=SECONDS_TO_PING,
        ws_ping_timeout=SECONDS_TO_PING,
        ws_per_message_deflate=False,
        h11_max_incomplete_event_size=LONGEST_HEADERS,
        timeout_graceful_shutdown=SECONDS_TO_END,
        callback_notify=collect_garbage,
        timeout_notify=SECONDS_BETWEEN_COLLECTIONS,
        server_header=False,
        access_log=False,
        log_level="warning",
        use_colors=False,
    )


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            scheme = "https" if self.config.is_ssl else "http"
            host = f"[{self.config.host}]" if ":" in self.config.host else self.config.host or "localhost"
            sys.stdout.write(f"Tenken listens. URL: {scheme}://{host}:{self.config.port}\n")
            sys.stdout.flush()
