"""Looks the pinned packages up among the known vulnerabilities; says so, and ends well, where there is no network.

`make audit` runs it. pip-audit has an environment of its own, so that its packages are not among ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINS = ROOT / "requirements.lock"
AUDITOR = "pip-audit==2.10.1"
PLACE = ROOT / ".venv-audit"
# An old release with known vulnerabilities: an index that lists none for it has no advisories.
PROBE = "https://pypi.org/pypi/jinja2/2.4.1/json"
SECONDS_TO_ANSWER = 4
SECONDS_TO_AUDIT = 120


def main() -> int:
    """Audit; returns 1 when a package has a known vulnerability."""
    if not has_advisories():
        return leave("no network to advisories: pypi.org does not answer with any")
    python = PLACE / "bin" / "python"
    if not python.exists():
        venv.create(PLACE, with_pip=True)
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run([*pip, AUDITOR], check=False).returncode:
        return leave(f"{AUDITOR} cannot be installed")
    # Exact pins of everything: nothing is resolved or installed for the audit.
    command = [python, "-m", "pip_audit", "--requirement", PINS, "--no-deps", "--disable-pip", "--format", "json"]
    try:
        audit = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_TO_AUDIT, check=False)
        packages = json.loads(audit.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError) as error:
        return leave(f"pip-audit gave no answer: {error}")
    return judge(packages)


def has_advisories() -> bool:
    """Whether the index answers, and with advisories."""
    try:
        with urllib.request.urlopen(PROBE, timeout=SECONDS_TO_ANSWER) as answer:
            return bool(json.load(answer).get("vulnerabilities"))
    except (OSError, ValueError):
        return False


def judge(packages: list[dict[str, object]]) -> int:
    """Say what was found. What pip-audit could not look up it leaves out, and ends as if all were well."""
    known = [package for package in packages if "vulns" in package]
    if not known:
        return leave("pip-audit could look none of them up")
    found = [(package, each) for package in known for each in package["vulns"]]  # type: ignore[attr-defined]
    for package, each in found:
        fixed = ", ".join(each["fix_versions"]) or "no release yet"
        sys.stdout.write(f"{package['name']} {package['version']}: {each['id']}, mended in {fixed}\n")
    unknown = len(packages) - len(known)
    said = f"; {unknown} could not be looked up" if unknown else ""
    sys.stdout.write(f"Dependency audit: {len(known)} packages, {len(found)} known vulnerabilities{said}.\n")
    return 1 if found else 0


def leave(why: str) -> int:
    """Say that nothing was audited, which is no failure."""
    sys.stdout.write(f"Dependency audit: NOT AUDITED, {why}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
