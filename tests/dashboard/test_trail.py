"""What the audit log is told while readers use the dashboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.access import entrance, settings
from dashboard.access.audit import Record
from dashboard.access.audit_read import read_records
from tests.dashboard.small_group import SmallGroup
from tests.dashboard.test_access import CLAIMS, POLICY

OpenApp = Callable[..., AppTest]


class SignedIn:
    """Who is signed in, as the provider's token says it; a test changes it."""

    claims: Mapping[str, Any] = CLAIMS


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> type[SignedIn]:
    """Sign-in is on, and the reader of each run is whoever SignedIn names."""
    monkeypatch.setattr(settings, "is_sign_in_on", lambda: True)
    monkeypatch.setattr(settings, "read_client_id", lambda: "tenken")
    monkeypatch.setattr(SignedIn, "claims", CLAIMS)
    monkeypatch.setattr(entrance, "read_claims", lambda: SignedIn.claims)
    monkeypatch.setattr(entrance, "find_client", lambda: "10.0.0.7")
    return SignedIn


@pytest.fixture
def home(small_group: SmallGroup, group_home: Path, tmp_path: Path) -> Path:
    """A home of one's own with the small group's build and a policy."""
    (tmp_path / "warehouse").symlink_to(group_home / "warehouse")
    (tmp_path / "access.toml").write_text(POLICY, "utf-8")
    return tmp_path


def list_records(home: Path) -> list[Record]:
    """What was logged, oldest first."""
    return [entry.record for entry in reversed(read_records(home).entries)]


def test_log_says_who_saw_what_and_nothing_of_what_it_said(
    open_app: OpenApp, home: Path, signed_in: type[SignedIn]
) -> None:
    app = open_app(home=home, page="regions", lang="ja", region="EU")
    shown = [str(cell) for table in app.dataframe for cell in table.value.to_numpy().ravel() if cell is not None]
    app.run()
    entry, view = list_records(home)
    assert (entry.event, entry.who, entry.role) == ("signed_in", "ann@example.com", "regional_manager")
    assert (view.event, view.who, view.page, view.came_from) == (
        "viewed",
        "ann@example.com",
        "regions",
        "10.0.0.7",
    )
    assert "Europe" in view.query and sum(view.rows.values()) > 0
    written = b"".join(path.read_bytes() for path in (home / "audit").glob("*.jsonl")).decode("ascii")
    figures = [cell for cell in shown if "." in cell and len(cell) > 5]
    assert figures
    assert [figure for figure in figures if figure in written] == []


def test_what_is_not_open_is_refused_and_logged(open_app: OpenApp, home: Path, signed_in: type[SignedIn]) -> None:
    open_app(home=home, page="imports", lang="en", entity="AF-9999")
    refused = [record for record in list_records(home) if record.event == "refused"]
    assert [(record.page, record.detail) for record in refused] == [("imports", "not a page of the role")]
    signed_in.claims = CLAIMS | {"email": "bob@example.com", "groups": []}
    open_app(home=home, page="regions", lang="en")
    last = list_records(home)[-1]
    assert (last.event, last.who, last.detail) == ("sign_in_refused", "bob@example.com", "not_named")


def test_pages_are_closed_while_the_log_cannot_be_written(
    open_app: OpenApp, home: Path, signed_in: type[SignedIn]
) -> None:
    (home / "audit").write_text("in the way", "utf-8")
    app = open_app(home=home, page="regions", lang="en")
    assert [error.value for error in app.error] == [
        "The audit log cannot be written, so that nothing is shown. Ask whoever runs Tenken."
    ]
    assert len(app.dataframe) == len(app.metric) == 0
    (home / "audit").unlink()
    assert not app.run().error
