"""Who gets in, as whom, and how far: the policy, the claims, the record of logins, and two readers at once."""

from __future__ import annotations

import io
import os
import random
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from dashboard import answers
from dashboard.access import entrance, logins, settings, trail
from dashboard.access import reader as reading
from dashboard.access.audit_read import Wanted, read_records
from dashboard.access.logins import LoginsProblem
from dashboard.access.policy import Grant, Policy, PolicyProblem, Reach, parse_policy, read_policy
from dashboard.access.policy_command import main
from dashboard.access.reader import EVERYBODY, Reader, Refusal, end_login, identify, is_permitted, name_login
from dashboard.answers import Build, find_build
from dashboard.data import import_batch, import_settings, imports
from dashboard.inbox import make_batch
from dashboard.navigation import ENTRIES, PAGES
from metrics.query import OUTSIDE, Filters, Query
from metrics.rows import RowsQuery
from metrics.scopes import find_entities, list_unknown_units
from metrics.warehouse import Warehouse

NOW = datetime.now(UTC).timestamp()
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example.com",
    "sub": "1",
    "aud": "tenken",
    "nonce": "n",
    "iat": NOW,
    "email": "Ann@Example.com",
    "email_verified": True,
    "groups": ["europe"],
}
POLICY = """
revoked = ["Gone@example.com"]
[session]
hours = 10
idle_minutes = 30
[comparison]
least_entities = 4
[[grant]]
role = "regional_manager"
groups = ["europe"]
scope = { regions = ["EU"] }
compare = true
[[grant]]
role = "analyst"
addresses = ["ANN@example.com"]
scope = { entities = ["AF-0001"], inspection_types = ["self_check"], domains = ["personal_information"] }
[[grant]]
role = "auditor"
addresses = ["audit@example.com"]
[[grant]]
role = "data_steward"
addresses = ["steward@example.com"]
scope = "group"
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the policy, whose readers sign in."""
    (tmp_path / "access.toml").write_text(POLICY, "utf-8")
    monkeypatch.setenv("TENKEN_HOME", str(tmp_path))
    monkeypatch.setattr(settings, "read_client_id", lambda: "tenken")
    return tmp_path


# --- access.toml ------------------------------------------------------------------------------------


def test_policy_says_who_sees_what() -> None:
    policy = parse_policy(POLICY)
    assert (policy.hours, policy.idle_minutes, policy.least_entities) == (10, 30, 4)
    assert policy.revoked == ("gone@example.com",)
    europe, analyst, auditor, _ = policy.grants
    assert policy.find_grants("ann@example.com", ["europe", "x"]) == (europe, analyst)
    assert policy.find_grants("bob@example.com", []) == ()
    assert europe.reach == Reach(regions=("EU",)) and europe.compares
    assert analyst.reach.domains == ("personal_information",) and not analyst.reach.is_whole
    assert auditor.reach.is_nothing


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = ", "no TOML"),
        ("grants = 1", "'grants' is not known (did you mean grant?)"),
        ("[grant]\nrole = 'analyst'", "written as [[grant]]"),
        ("[[grant]]\nrole = 'analist'\naddresses = ['a']\nscope = 'group'", "did you mean analyst?"),
        ("[[grant]]\nrole = 'analyst'\nscope = 'group'", "neither groups nor addresses"),
        ("[[grant]]\nrole = 'analyst'\naddresses = 'a'\nscope = 'group'", "must be a list of texts"),
        ("[[grant]]\nrole = 'analyst'\naddresses = ['a']", 'scope must be "group" or name units'),
        ("[[grant]]\nrole = 'analyst'\naddresses = ['a']\nscope = 'all'", 'scope must be "group"'),
        ("[[grant]]\nrole = 'analyst'\naddresses = ['a']\nscope = {}", "no unit is named"),
        ("[[grant]]\nrole = 'analyst'\naddresses = ['a']\nscope = { regoins = ['EU'] }", "did you mean regions?"),
        ("[[grant]]\nrole = 'analyst'\naddresses = ['a']\nscope = { regions = ['EU'], domains = [] }", "names none"),
        ("[[grant]]\nrole = 'analyst'\naddresses = ['a']\nscope = { group = true, regions = ['EU'] }", "without units"),
        ("[[grant]]\nrole = 'data_steward'\naddresses = ['a']\nscope = { regions = ['EU'] }", "data steward"),
        ("[[grant]]\nrole = 'analyst'\naddresses = ['a']\nscope = 'group'\ncompare = true", "the whole group"),
        ("[comparison]\nleast_entities = 2", "from 3 to 1000"),
        ("[session]\nhours = 800", "from 0.1 to 720"),
        ("[session]\nsigned_in_after = 2026-11-01T00:00:00", "with its zone"),
    ],
)
def test_policy_that_cannot_be_used_opens_nothing(text: str, said: str) -> None:
    with pytest.raises(PolicyProblem) as caught:
        parse_policy(text)
    assert said in str(caught.value)


def test_every_problem_is_said_at_once() -> None:
    with pytest.raises(PolicyProblem) as caught:
        parse_policy("a = 1\n[session]\nhours = 'x'\n[[grant]]\nrole = 1\nscope = 2\n")
    assert str(caught.value).count(";") >= 4


def test_policy_is_read_anew_once_it_changes(home: Path) -> None:
    assert len(read_policy(home).grants) == 4
    (home / "access.toml").write_text("", "utf-8")
    assert read_policy(home) == Policy()
    (home / "access.toml").unlink()
    with pytest.raises(PolicyProblem, match="missing"):
        read_policy(home)


def test_policy_that_others_may_change_opens_nothing(home: Path) -> None:
    (home / "access.toml").chmod(0o664)
    with pytest.raises(PolicyProblem, match="chmod go-w"):
        read_policy(home)
    (home / "access.toml").chmod(0o644)
    assert read_policy(home).grants


# --- readers ----------------------------------------------------------------------------------------


def say_reason(found: Reader | Refusal) -> str:
    return found.reason if isinstance(found, Refusal) else found.grant.role


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, "regional_manager"),
        ({"aud": ["other", "tenken"]}, "regional_manager"),
        ({"aud": "other", "azp": "tenken"}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": ""}, "audience"),
        ({"aud": None}, "audience"),
        ({"email": None}, "claim"),
        ({"email": ["ann@example.com"]}, "claim"),
        ({"email": " "}, "claim"),
        ({"nonce": None}, "claim"),
        ({"sub": ""}, "claim"),
        ({"iat": None}, "claim"),
        ({"iat": "now"}, "claim"),
        ({"iat": True}, "claim"),
        ({"iat": 1e300}, "claim"),
        ({"iat": NOW + 3600}, "claim"),
        ({"iat": NOW - 11 * 3600}, "too_old"),
        ({"iat": NOW - 9 * 3600}, "regional_manager"),
        ({"email_verified": False}, "unverified"),
        ({"email_verified": "false"}, "unverified"),
        ({"email": "GONE@example.com"}, "revoked"),
        # The long s folds into a letter of ASCII: the address of somebody else.
        ({"email": "\u017fteward@example.com", "groups": []}, "not_named"),
        ({"email": "bob@example.com", "groups": []}, "not_named"),
        ({"email": "bob@example.com", "groups": "europe"}, "regional_manager"),
        ({"email": "bob@example.com", "groups": {"europe": 1}}, "not_named"),
        ({"groups": None}, "analyst"),
    ],
)
def test_only_a_whole_and_fresh_login_gets_in(home: Path, changed: Mapping[str, Any], reason: str) -> None:
    assert say_reason(identify(CLAIMS | changed, home)) == reason


def test_nobody_gets_in_without_a_policy_or_a_client(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "access.toml").write_text("grant = 1", "utf-8")
    assert say_reason(identify(CLAIMS, home)) == "policy"
    (home / "access.toml").write_text(POLICY, "utf-8")
    monkeypatch.setattr(settings, "read_client_id", lambda: None)
    assert say_reason(identify(CLAIMS, home)) == "audience"


def test_logins_before_a_moment_are_over(home: Path) -> None:
    moment = datetime.fromtimestamp(NOW, UTC) + timedelta(seconds=1)
    text = POLICY.replace("hours = 10", f"signed_in_after = {moment.isoformat()}")
    (home / "access.toml").write_text(text, "utf-8")
    assert say_reason(identify(CLAIMS, home)) == "ended"
    assert say_reason(identify(CLAIMS | {"iat": NOW + 60}, home)) == "regional_manager"


def test_login_ends_for_every_copy_of_its_cookie_and_for_no_other(home: Path) -> None:
    login = name_login(CLAIMS)
    assert logins.use(home, login) and not logins.use(home, login)
    assert logins.look_up(home, login, 30) == "open"
    end_login(CLAIMS, "10.0.0.1")
    assert say_reason(identify(dict(CLAIMS), home)) == "ended"
    assert not is_permitted(CLAIMS, "see")
    assert say_reason(identify(CLAIMS | {"nonce": "m"}, home)) == "regional_manager"
    # Not even a use that another process has begun opens it again.
    logins.use(home, login)
    assert say_reason(identify(CLAIMS, home)) == "ended"


def test_login_that_is_not_used_is_over(home: Path) -> None:
    login = name_login(CLAIMS)
    logins.use(home, login)
    place = home / "logins" / login
    for minutes, reason in ((29, "regional_manager"), (31, "idle")):
        os.utime(place, (NOW, datetime.now(UTC).timestamp() - minutes * 60))
        assert say_reason(identify(CLAIMS, home)) == reason
    assert place.stat().st_mode & 0o777 == 0o600 and place.parent.stat().st_mode & 0o777 == 0o700


def test_logins_that_cannot_be_recorded_let_nobody_in(home: Path) -> None:
    (home / "logins").write_text("in the way", "utf-8")
    with pytest.raises(LoginsProblem, match="cannot be written"):
        logins.use(home, name_login(CLAIMS))
    assert say_reason(identify(CLAIMS, home)) == "logins"
    assert not is_permitted(CLAIMS, "see")


def test_uploads_are_for_data_stewards(home: Path) -> None:
    assert is_permitted(CLAIMS, "see") and not is_permitted(CLAIMS, "upload")
    assert is_permitted(CLAIMS | {"email": "steward@example.com", "groups": []}, "upload")


def test_pages_are_those_of_the_role(home: Path) -> None:
    def list_pages(address: str) -> set[str]:
        found = identify(CLAIMS | {"email": address, "groups": []}, home)
        assert isinstance(found, Reader)
        return {entry.name for entry in PAGES if entry.is_open_to(found)}

    everything = {entry.name for entry in PAGES}
    assert list_pages("ann@example.com") == everything - {"imports", "loads", "audit"}
    assert list_pages("audit@example.com") == {"audit"}
    assert list_pages("steward@example.com") == everything - {"audit"}
    assert all(entry.is_open_to(EVERYBODY) for entry in ENTRIES.values())


def test_command_says_what_grants_open(demo_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "warehouse").symlink_to(demo_home / "warehouse")
    (tmp_path / "access.toml").write_text(POLICY.replace('"AF-0001"', '"AF-0001", "AF-9999"'), "utf-8")
    assert main(["check", "--home", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "regions EU (18 entities, and beside the group)" in said and "AF-9999" in said
    assert main(["who", "bob@example.com", "--group", "europe", "--home", str(tmp_path)]) == 0
    assert main(["who", "bob@example.com", "--home", str(tmp_path)]) == 1
    assert main(["who", "gone@example.com", "--group", "europe", "--home", str(tmp_path)]) == 1
    (tmp_path / "access.toml").write_text("x = 1", "utf-8")
    assert main(["check", "--home", str(tmp_path)]) == 2


# --- scopes -----------------------------------------------------------------------------------------


def make_reader(reach: Reach, *others: Grant, compares: bool = False) -> Reader:
    grant = Grant("analyst", reach, compares=compares)
    return Reader(grant, (grant, *others), "a@example.com", "login", 5)


@pytest.fixture(scope="module")
def at_demo(demo_home: Path) -> Iterator[None]:
    st.cache_resource.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TENKEN_HOME", str(demo_home))
        yield
    st.cache_resource.clear()


def open_build(reader: Reader) -> Build:
    build = find_build(reader)
    assert build
    return build


def test_units_open_everything_below_them(demo_home: Path) -> None:
    warehouse = Warehouse.open_newest(demo_home)
    below = {*find_entities(warehouse, entities=("BG-0002",))}
    assert {"BG-0002", "AF-0001"} < below and "BG-0003" not in below
    assert below == {*find_entities(warehouse, business_groups=("BG-0002",))}
    assert find_entities(warehouse, entities=("AF-0001",)) == ("AF-0001",)
    assert find_entities(warehouse) == () and find_entities(warehouse, regions=("'; drop table load; --",)) == ()
    assert list_unknown_units(warehouse, ("EU", "XX"), ("BG-0001",), ("AF-0001", "y")) == ("XX", "y")
    warehouse.close()


@pytest.mark.usefixtures("at_demo")
def test_comparison_is_open_only_where_no_other_grant_gives_it_away() -> None:
    europe = Reach(regions=("EU",))
    assert open_build(make_reader(europe)).comparison_k is None
    plain = open_build(make_reader(europe, compares=True))
    assert (plain.comparison_k, plain.also_seen) == (5, ())
    beside = open_build(make_reader(europe, Grant("analyst", Reach(entities=("AF-0001",))), compares=True))
    assert beside.also_seen == ("AF-0001",)
    for other in (
        Grant("executive", Reach(is_group=True)),
        Grant("analyst", Reach(regions=("AS",), domains=("personal_information",)), compares=True),
    ):
        assert open_build(make_reader(europe, other, compares=True)).comparison_k is None


@pytest.mark.usefixtures("at_demo")
def test_readers_at_the_same_time_get_their_own_answers() -> None:
    """10,000 questions of two readers, interleaved in four threads: no answer crosses over."""
    readers = (make_reader(Reach(regions=("EU",))), make_reader(Reach(business_groups=("BG-0002",))))
    builds = [open_build(reader) for reader in readers]
    allowed = [{*(build.scope.entity_codes or ()), OUTSIDE} for build in builds]
    assert allowed[0] - allowed[1] and allowed[1] - allowed[0]
    questions = [
        (metric, by, half)
        for metric in ("compliance_rate", "answers", "coverage_rate", "open_findings")
        for by in ("entity", "business_group")
        for half in (None, "FY2024-H1", "FY2024-H2", "FY2025-H1", "FY2025-H2")
    ]

    def ask(number: int, question: tuple[str, str, str | None]) -> tuple[str, set[str]]:
        metric, by, half = question
        build, filters = builds[number], Filters(period_from=half, period_to=half)
        frame = answers.ask(build, Query((metric,), (by,), filters, build.known_at, build.scope)).frame
        listed = answers.list_rows(build, RowsQuery("findings", filters, build.known_at, build.scope, limit=50)).frame
        labels = answers.read_labels(build, "entity")
        text = frame.to_csv()
        assert answers.remember(build, f"made {question}", lambda: (number, text)) == (number, text)
        return text, {*frame[by].dropna(), *listed["entity"].dropna(), *labels}

    expected = {(number, question): ask(number, question)[0] for number in (0, 1) for question in questions}
    assert all(expected[0, question] != expected[1, question] for question in questions if question[1] == "entity")
    st.cache_resource.clear()
    builds[:] = [open_build(reader) for reader in readers]
    crossed: list[object] = []

    def run(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(2500):
            number, question = chance.randrange(2), chance.choice(questions)
            try:
                text, codes = ask(number, question)
                if text != expected[number, question] or codes - allowed[number]:
                    crossed.append((number, question, codes - allowed[number]))
            except Exception as error:
                crossed.append(error)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert crossed == []


# --- files, callbacks and the log -------------------------------------------------------------------


@pytest.fixture
def signed_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """The reader of this run, who came with CLAIMS."""
    reader = identify(CLAIMS, home)
    assert isinstance(reader, Reader)
    monkeypatch.setattr(settings, "is_sign_in_on", lambda: True)
    monkeypatch.setattr(entrance, "current_reader", lambda: reader)
    monkeypatch.setattr(entrance, "read_claims", lambda: CLAIMS)
    monkeypatch.setattr(entrance, "find_client", lambda: "10.0.0.1")
    monkeypatch.setattr(trail._Log, "problem", "")
    return reader


def list_events(home: Path) -> list[tuple[str, str]]:
    return [(entry.record.event, entry.record.who) for entry in read_records(home, Wanted()).entries]


def test_file_goes_to_nobody_who_was_let_out_since_it_was_offered(home: Path, signed_in: Reader) -> None:
    take = entrance.hand_over(lambda: b"figures", "sites.csv", 3)
    assert take() == b"figures"
    assert list_events(home) == [("downloaded", signed_in.address)]
    changed = POLICY.replace("[session]", "[session] # ").replace('groups = ["europe"]', 'groups = ["asia"]')
    (home / "access.toml").write_text(changed, "utf-8")
    with pytest.raises(PermissionError):
        take()
    (home / "access.toml").write_text(POLICY, "utf-8")
    end_login(CLAIMS, "10.0.0.1")
    with pytest.raises(PermissionError):
        take()
    assert ("downloaded", signed_in.address) in list_events(home) and len(list_events(home)) == 2


def test_callbacks_do_nothing_for_whom_is_not_let_in_any_more(home: Path, signed_in: Reader) -> None:
    done: list[str] = []
    as_manager = entrance.only_for("regional_manager")(done.append)
    entrance.only_for("data_steward")(done.append)("not a steward")
    as_manager("first")
    (home / "access.toml").write_text(POLICY.replace("Gone@", "ann@"), "utf-8")
    as_manager("revoked")
    assert done == ["first"]
    assert {"_publish", "_settle", "_remove", "_check_again", "_stop_check", "keep_dropped", "discard_batch"} <= {
        name
        for module in (import_batch, import_settings, imports)
        for name, function in vars(module).items()
        if hasattr(function, "__wrapped__") and function.__qualname__ == name
    }


def test_log_that_cannot_be_written_closes_the_dashboard(home: Path, signed_in: Reader) -> None:
    (home / "audit").write_text("in the way", "utf-8")
    take = entrance.hand_over(lambda: b"figures", "sites.csv", 3)
    with pytest.raises(PermissionError, match="audit"):
        take()
    assert "audit" in trail.find_problem(signed_in)
    assert trail.find_problem(EVERYBODY) == ""
    (home / "audit").unlink()
    assert trail.find_problem(signed_in) == ""
    assert list_events(home) == [("policy_problem", signed_in.address)]


def test_refused_answers_of_providers_do_not_fill_the_disk(home: Path) -> None:
    reading._REFUSED.clear()
    for _ in range(reading.MOST_REFUSED + 5):
        reading.note_refused("127.0.0.1")
    assert len(list_events(home)) == reading.MOST_REFUSED
    reading._REFUSED.clear()


def test_loads_and_checks_of_the_import_page_are_logged(
    home: Path, signed_in: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entrance, "read_claims", lambda: CLAIMS | {"email": "steward@example.com", "groups": []})
    monkeypatch.setattr(import_batch, "begin_publishing", lambda batch, asked: asked == "as it was looked at")
    batch = make_batch(home)
    import_batch._publish(batch, "as it was looked at")
    import_batch._publish(batch, "changed since")
    key = "imports.drop"
    monkeypatch.setattr(st, "session_state", {key: [Dropped("checks of 2025.csv")]})
    imports.keep_dropped(imports.Desk("en", home, None), batch, key)
    records = [entry.record for entry in read_records(home).entries]
    assert [(record.event, record.who, record.detail) for record in records] == [
        ("checked", "steward@example.com", f"batch {batch.name}: checks of 2025.csv"),
        ("loaded", "steward@example.com", f"batch {batch.name}"),
    ]


class Dropped(io.BytesIO):
    """A file as the browser hands it over."""

    def __init__(self, name: str) -> None:
        super().__init__(b"a,b\n1,2\n")
        self.name, self.file_id = name, "1"
