"""The two real OpenID providers of the tests and a dashboard that signs in at one, each a process on the loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
MODULES = Path(sys.prefix) / "oidc"
"""Where make puts what strict_provider.mjs needs."""
CLIENT = "tenken"
CLIENT_SECRET = "only for tests"
COOKIE_SECRET = "only for tests, but long enough to sign with"
SECONDS_TO_END = 10

User = dict[str, Any]


def explain_no_strict_provider() -> str | None:
    """Why the strict provider cannot run here, if so."""
    if not (MODULES / "node_modules" / "oidc-provider").exists():
        return "the npm package oidc-provider is not installed (make test does, where npm is)"
    node = shutil.which("node")
    # The package hashes by a function that came with Node.js 20.12.
    if (
        not node
        or subprocess.run([node, "-e", "require('crypto').hash || process.exit(1)"], capture_output=True).returncode
    ):
        return "Node.js 20.12 or later is not installed"
    return None


def find_free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run_dashboard(home: Path, secrets: Path, issuer: str, port: int) -> Iterator[str]:
    """Address of a dashboard of this home whose readers sign in there, with a secrets file written for it."""
    address = f"http://127.0.0.1:{port}"
    secrets.write_text(
        "[auth]\n"
        f'redirect_uri = "{address}/oauth2callback"\n'
        f'cookie_secret = "{COOKIE_SECRET}"\n'
        f'client_id = "{CLIENT}"\n'
        f'client_secret = "{CLIENT_SECRET}"\n'
        f'server_metadata_url = "{issuer}/.well-known/openid-configuration"\n'
        # Without a prompt Streamlit asks for one that the standard lets a provider refuse.
        'client_kwargs = { scope = "openid email groups", prompt = "login" }\n',
        "utf-8",
    )
    secrets.chmod(0o600)
    command = [sys.executable, "-m", "dashboard", "--server.address", "127.0.0.1", "--server.port", str(port)]
    with run_program(command, r"URL: (?P<address>http://\S+)", TENKEN_HOME=str(home), TENKEN_SECRETS=str(secrets)):
        yield address


@contextmanager
def run_mock_provider(users: Sequence[User]) -> Iterator[str]:
    """Address of oidc-provider-mock, which signs in whoever is picked on its page."""
    told = [part for user in users for part in ("--user-claims", json.dumps(user))]
    # A process of its own: what it imports warns, which the tests hold to be errors.
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", "0", *told]
    with run_program(command, r"running on (?P<address>http://\S+)") as address:
        yield address


@contextmanager
def run_strict_provider(users: Sequence[User], dashboard: str) -> Iterator[str]:
    """Address of npm's oidc-provider, which demands PKCE and the client's secret of the dashboard at an address."""
    asked = {
        "client_id": CLIENT,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": f"{dashboard}/oauth2callback",
        "users": users,
    }
    command = ["node", "--no-warnings", str(FOLDER / "strict_provider.mjs"), str(MODULES)]
    with run_program(command, r"^(?P<address>http://\S+)$", json.dumps(asked)) as address:
        yield address


@contextmanager
def run_program(command: Sequence[str], ready: str, told: str = "", **variables: str) -> Iterator[str]:
    """The address that a program says, once it says it, for as long as it is needed."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | variables, text=True, **pipes) as program:
        assert program.stdin and program.stdout
        # What it says later is read too, or it would wait for a reader.
        rest = threading.Thread(target=program.stdout.read)
        try:
            program.stdin.write(f"{told}\n")
            program.stdin.flush()
            found, said = None, []
            for line in program.stdout:
                said.append(line)
                if found := re.search(ready, line):
                    break
            assert found, "".join(said)
            rest.start()
            yield found["address"]
        finally:
            program.terminate()
            try:
                program.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                program.kill()
            if rest.ident:
                rest.join()
