"""The section of docs/performance.md about the four charts side by side."""

from __future__ import annotations

from typing import Any, Final

NAMES: Final = {
    "tenken": "Tenken",
    "pandas": "pandas page",
    "pandas_careful": "pandas page, careful",
    "superset": "Superset",
    "superset_uncached": "Superset, no cache",
}
TIMES: Final = (
    ("start_seconds", "server answers, s", 1),
    ("first_ms", "first page, s", 1000),
    ("repeated_ms", "repeated, s", 1000),
    ("filter_ms", "filter changed, s", 1000),
    ("filter_again_ms", "filter seen before, s", 1000),
)
COSTS: Final = (
    ("memory_mib", "memory, MiB", 0),
    ("peak_mib", "at its highest, MiB", 0),
    ("start_cpu_seconds", "processor: start, s", 2),
    ("first_cpu_seconds", "first page, s", 2),
    ("repeated_cpu_seconds", "repeated, s", 2),
    ("filter_cpu_seconds", "filter changed, s", 2),
    ("first_kilobytes", "files fetched at first, MB", 1),
)


def describe(result: dict[str, Any]) -> str:
    """Markdown: a heading, the tables, and what they say."""
    programs = result["programs"]
    parts = ["## Side by side", introduce(result)]
    parts.append(
        draw_table(
            ["", *(title for _, title, _ in TIMES)],
            [
                [NAMES[name], *(f"{found[key] / divisor:.2f}" for key, _, divisor in TIMES)]
                for name, found in programs.items()
            ],
        )
    )
    parts.append(
        draw_table(
            ["", *(title for _, title, _ in COSTS)],
            [
                [NAMES[name], *(write_cost(found[key], key, digits) for key, _, digits in COSTS)]
                for name, found in programs.items()
            ],
        )
    )
    parts += [describe_data(result), conclude(result)]
    return "\n\n".join(part for part in parts if part) + "\n"


def write_cost(value: float, key: str, digits: int) -> str:
    """A figure of the second table; kilobytes as megabytes."""
    return f"{value / 1000 if key.endswith('kilobytes') else value:.{digits}f}"


def introduce(result: dict[str, Any]) -> str:
    """What was compared, on what, and how."""
    counted, machine, versions = result["prepared"]["pandas"], result["machine"], result["versions"]
    starts = result["programs"]["tenken"]["starts"]
    others = (
        f"Apache Superset {result['superset_versions']['apache-superset']} over DuckDB "
        f"{result['superset_versions']['duckdb']}"
        if "superset" in result["programs"]
        else ""
    )
    programs = f"Tenken, a page of pandas {versions['pandas']} in Streamlit {versions['streamlit']}"
    return (
        f"Compliance by region and half (lines), by measure, of the 20 weakest entities and of the 20 weakest items, "
        f"over the same {counted['rows']:,} self-check answers ({counted['counted']:,} of them count), shown by "
        f"{programs}{f' and {others}' if others else ''}, one after the other on one machine with {machine['cores']} "
        f"cores and {machine['memory_gib']} GiB. Medians; each server was started {starts} times, each time "
        "with one first visit, three repeated ones and five changes of the filter by region. A page is full when "
        "Chromium has drawn all four charts; "
        "the browser shares the cores. First: caches of server and browser are empty. Memory is the resident "
        "set of all processes of a server after the visits."
    )


def describe_data(result: dict[str, Any]) -> str:
    """What each program needed before it could show anything."""
    prepared = result["prepared"]
    tenken, pandas, lines = prepared["tenken"], prepared["pandas"], result["lines"]
    rows = [
        ["Tenken", "the exports as handed in", f"{tenken['seconds']}", f"{tenken['bytes'] / 1e6:.0f}",
         f"{lines['tenken']} lines"],
        ["pandas page", "a flat file written from Tenken's build", f"{pandas['seconds']}",
         f"{pandas['bytes'] / 1e6:.0f}", f"{lines['pandas']} lines"],
    ]  # fmt: skip
    if "superset" in prepared:
        found = prepared["superset"]
        rows.append(
            ["Superset", "the same flat file", f"{found['load_seconds']} (and {found['setup_seconds']} to set it up)",
             f"{found['bytes'] / 1e6:.0f}", f"{found['calls']} calls of its API"]
        )  # fmt: skip
    return draw_table(["", "reads", "data ready after, s", "on disk, MB", "to make the page"], rows)


def conclude(result: dict[str, Any]) -> str:
    """What the figures say, and how far they can be compared."""
    programs, figures = result["programs"], result["figures"]
    tenken = programs["tenken"]
    ratios = []
    for name in ("pandas", "pandas_careful", "superset"):
        if found := programs.get(name):
            first, again, changed, peak = (
                f"{found[key] / tenken[key]:.1f}" for key in ("first_ms", "repeated_ms", "filter_ms", "peak_mib")
            )
            ratios.append(
                f"{NAMES[name]}: {first} for the first page, {again} for a repeated one, {changed} for a changed "
                f"filter, {peak} for the highest memory"
            )
    sentences = [f"As multiples of Tenken's: {'; '.join(ratios)}."]
    sentences.append(
        f"A repeated page takes Tenken's server {tenken['repeated_cpu_seconds']:.2f} s of processor time; most of the "
        f"{tenken['repeated_ms'] / 1000:.1f} s until it is full are the browser's, which starts Streamlit's scripts."
    )
    if figures["problems"]:
        sentences.append("The programs did **not** send the same rates: " + "; ".join(figures["problems"]) + ".")
    elif figures["compared"]:
        sentences.append(
            f"All of them sent the same rates to the browser: {figures['compared']} were compared with Tenken's, "
            f"without a filter and for one region, and the largest difference is {figures['largest_difference']:.1g}."
        )
    caveats = [
        "Tenken's page has more on it (sidebar, intervals around dots in place of plain bars, tables and downloads "
        "behind tabs), and its load keeps history and checks every row, where the others read what it has joined and "
        "cleaned.",
        "The careful pandas page reads texts as categories, shares one frame and remembers figures by region.",
    ]
    if "superset" in programs:
        caveats.append(
            "Superset runs as its image does (gunicorn, one process, twenty threads), with a cache of files, and in "
            "the last row without one, as it comes; that its charts move into place is not waited for."
        )
    caveats.append(result["left_out"])
    return " ".join(sentences) + "\n\n" + " ".join(caveat for caveat in caveats if caveat)


def draw_table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table: names to the left, figures to the right."""
    lines = [head, ["---", *("--:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
