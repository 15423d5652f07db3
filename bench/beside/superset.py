"""Apache Superset from the package index: installed in a folder of its own, set up through its REST API, and served.

Nothing of it is part of this project; the folder may be thrown away.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from bench.beside.processes import Server, find_port, start_server

PACKAGES: Final = (
    "apache-superset==6.1.0",
    "duckdb-engine",
    "duckdb",
    "gunicorn",
    # Superset imports both and its package names neither.
    "rich",
    "cachetools",
    # From 2.4 on it hands Superset's own cache an argument that this does not know, and nothing starts.
    "flask-caching<2.4",
)
USER: Final = "admin"
METRIC: Final = "compliance"
METRIC_SQL: Final = "sum(weight * score) / sum(case when score is not null then weight end)"
COLUMNS: Final = 12
ROWS_OF_A_CHART: Final = 60
FILTER_ID: Final = "NATIVE_FILTER-region"

CONFIG: Final = """import json
from pathlib import Path

HERE = Path(__file__).parent
SECRETS = json.loads((HERE / "secrets.json").read_text())
SECRET_KEY = SECRETS["key"]
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HERE}/superset.db"
if CACHED:
    # Files, because processes share them and nothing else needs to be installed.
    DATA_CACHE_CONFIG = {"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": f"{HERE}/cache", "CACHE_DEFAULT_TIMEOUT": 86400}
"""
"""The rest is as it comes; by default Superset keeps no answers."""


def install(venv: Path) -> float:
    """Install Superset into a new virtual environment: the seconds that it took; raises RuntimeError where it fails."""
    began = time.perf_counter()
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for command in ([sys.executable, "-m", "venv", str(venv)], [*pip, *PACKAGES]):
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return time.perf_counter() - began


def read_versions(venv: Path) -> dict[str, str]:
    """Versions of Superset and of what it asks with."""
    listed = subprocess.run(
        [venv / "bin" / "python", "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    found = {one["name"].replace("_", "-"): one["version"] for one in json.loads(listed.stdout)}
    return {name: found[name] for name in ("apache-superset", "duckdb", "duckdb-engine", "gunicorn", "pandas")}


def prepare(venv: Path, folder: Path, answers: Path) -> dict[str, Any]:
    """Load the answers into a DuckDB file, and make Superset's own database with a user: seconds of each, bytes."""
    folder.mkdir(parents=True)
    (folder / "secrets.json").write_text(
        json.dumps({"key": secrets.token_urlsafe(42), "password": secrets.token_urlsafe(12)})
    )
    for name, cached in (("cached.py", True), ("uncached.py", False)):
        (folder / name).write_text(f"CACHED = {cached}\n{CONFIG}")
    target = folder / "answers.duckdb"
    load = (
        "import duckdb, sys\n"
        "with duckdb.connect(sys.argv[1]) as c:\n"
        "    c.execute('set enable_progress_bar = false')\n"
        "    c.execute(f\"create table answers as from read_parquet('{sys.argv[2]}')\")"
    )
    began = time.perf_counter()
    subprocess.run([venv / "bin" / "python", "-c", load, str(target), str(answers)], check=True)
    loaded = time.perf_counter()
    password = read_secrets(folder)["password"]
    admin = ["--username", USER, "--firstname", "A", "--lastname", "B", "--email", "a@example.com"]
    for command in (["db", "upgrade"], ["fab", "create-admin", *admin, "--password", password], ["init"]):
        done = subprocess.run(
            [venv / "bin" / "superset", *command], env=make_environment(venv, folder), capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"superset {command[0]} failed: {done.stderr[-400:]}")
    return {
        "load_seconds": round(loaded - began, 1),
        "setup_seconds": round(time.perf_counter() - loaded, 1),
        "bytes": target.stat().st_size,
    }


def read_secrets(folder: Path) -> dict[str, str]:
    """Key and password, made for this run."""
    return dict(json.loads((folder / "secrets.json").read_text()))


def make_environment(venv: Path, folder: Path, *, cached: bool = True) -> dict[str, str]:
    """Variables of Superset's processes; no usage figures are sent out."""
    return os.environ | {
        "PATH": f"{venv / 'bin'}:{os.environ['PATH']}",
        "FLASK_APP": "superset",
        # What it and gunicorn keep of their own goes away with the folder.
        "HOME": str(folder),
        "SUPERSET_CONFIG_PATH": str(folder / ("cached.py" if cached else "uncached.py")),
        "SCARF_ANALYTICS": "false",
    }


@contextmanager
def serve(venv: Path, folder: Path, *, cached: bool = True) -> Iterator[Server]:
    """Superset under gunicorn as its own image starts it, one process of twenty threads, with an empty cache."""
    shutil.rmtree(folder / "cache", ignore_errors=True)
    port = find_port()
    command = [
        str(venv / "bin" / "gunicorn"), "--bind", f"127.0.0.1:{port}", "--workers", "1",
        "--worker-class", "gthread", "--threads", "20", "--timeout", "60", "superset.app:create_app()",
    ]  # fmt: skip
    with start_server(
        command, f"http://127.0.0.1:{port}", "/health", make_environment(venv, folder, cached=cached)
    ) as server:
        yield server


class Client:
    """Superset's REST API, signed in."""

    def __init__(self, address: str, password: str) -> None:
        self.calls = 0
        self.http = httpx.Client(base_url=f"{address}/api/v1", timeout=60)
        login = {"username": USER, "password": password, "provider": "db", "refresh": True}
        token = self.send("POST", "/security/login", login)["access_token"]
        self.http.headers["Authorization"] = f"Bearer {token}"
        self.http.headers["X-CSRFToken"] = self.send("GET", "/security/csrf_token/")["result"]
        self.http.headers["Referer"] = address

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send and receive JSON; raises RuntimeError with what Superset says when it refuses."""
        self.calls += 1
        answer = self.http.request(method, path, json=body)
        if answer.is_error:
            raise RuntimeError(f"Superset refused {method} {path}: {answer.status_code} {answer.text[:400]}")
        return dict(answer.json())


def make_dashboard(address: str, folder: Path) -> tuple[str, int]:
    """Make database, dataset, four charts and their dashboard with a filter by region: its path, and the calls."""
    client = Client(address, read_secrets(folder)["password"])
    database = client.send(
        "POST",
        "/database/",
        {
            "database_name": "answers",
            "sqlalchemy_uri": f"duckdb:///{folder / 'answers.duckdb'}",
            "extra": json.dumps({"engine_params": {"connect_args": {"read_only": True}}}),
        },
    )["id"]
    dataset = client.send("POST", "/dataset/", {"database": database, "schema": "main", "table_name": "answers"})["id"]
    metric = {"metric_name": METRIC, "expression": METRIC_SQL, "verbose_name": "Compliance rate", "d3format": ".1%"}
    client.send("PUT", f"/dataset/{dataset}", {"metrics": [metric]})
    dashboard = client.send("POST", "/dashboard/", {"dashboard_title": "Four charts", "published": True})["id"]
    charts = [
        client.send(
            "POST",
            "/chart/",
            {
                "slice_name": name,
                "viz_type": form["viz_type"],
                "datasource_id": dataset,
                "datasource_type": "table",
                "dashboards": [dashboard],
                "params": json.dumps({"datasource": f"{dataset}__table", **form}),
            },
        )["id"]
        for name, form in list_charts().items()
    ]
    client.send(
        "PUT",
        f"/dashboard/{dashboard}",
        {
            "position_json": json.dumps(lay_out(charts, list(list_charts()))),
            "json_metadata": json.dumps({"native_filter_configuration": [make_filter(dataset, charts)]}),
        },
    )
    # Signing in and its token are calls, but no steps of making a dashboard.
    return f"/superset/dashboard/{dashboard}/", client.calls - 2


def list_charts() -> dict[str, dict[str, Any]]:
    """The four charts by title, in the words of Superset's forms."""
    plain = {"metrics": [METRIC], "adhoc_filters": [], "y_axis_format": ".1%", "rich_tooltip": True}
    bars = plain | {"viz_type": "echarts_timeseries_bar", "groupby": [], "orientation": "horizontal"}
    weakest = bars | {
        "row_limit": 20,
        "order_desc": False,
        "timeseries_limit_metric": METRIC,
        "x_axis_sort": METRIC,
        "x_axis_sort_asc": True,
    }
    return {
        "Compliance by region and half": plain
        | {"viz_type": "echarts_timeseries_line", "x_axis": "half", "groupby": ["region"], "row_limit": 10000},
        "Compliance by measure": bars | {"x_axis": "measure", "row_limit": 100},
        "The 20 weakest entities": weakest | {"x_axis": "entity"},
        "The 20 weakest items": weakest | {"x_axis": "item"},
    }


def make_filter(dataset: int, charts: list[int]) -> dict[str, Any]:
    """A filter of one region for all charts."""
    return {
        "id": FILTER_ID,
        "name": "Region",
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        "targets": [{"datasetId": dataset, "column": {"name": "region"}}],
        "controlValues": {"multiSelect": False, "enableEmptyFilter": False, "defaultToFirstItem": False},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "chartsInScope": charts,
    }


def lay_out(charts: list[int], names: list[str]) -> dict[str, Any]:
    """Two charts in a row, two rows."""
    layout: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "children": ["ROW-0", "ROW-1"], "parents": ["ROOT_ID"]},
    }
    for row in range(2):
        places = range(2 * row, 2 * row + 2)
        layout[f"ROW-{row}"] = {
            "type": "ROW",
            "id": f"ROW-{row}",
            "children": [f"CHART-{place}" for place in places],
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
        for place in places:
            layout[f"CHART-{place}"] = {
                "type": "CHART",
                "id": f"CHART-{place}",
                "children": [],
                "parents": ["ROOT_ID", "GRID_ID", f"ROW-{row}"],
                "meta": {
                    "chartId": charts[place],
                    "sliceName": names[place],
                    "width": COLUMNS // 2,
                    "height": ROWS_OF_A_CHART,
                },
            }
    return layout
