"""The countries of the world: coarse shapes to colour and one point for each, from files that lie beside this module.

`python -m dashboard.world --atlas <folder>` makes the two files again from the unpacked npm package world-atlas.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Final

import pandas as pd

FOLDER: Final = Path(__file__).parent / "world"
SHAPES: Final = "countries.json"
POINTS: Final = "points.csv"
ANTARCTICA: Final = 10

Place = tuple[float, float]
"""Longitude and latitude, in degrees."""


@cache
def read_shapes() -> dict[str, Any]:
    """Countries as TopoJSON (object `countries`, ids are numeric codes); the same object each time: do not change it.

    Three shapes have no id, because ISO 3166 has no code for them.
    """
    shapes: dict[str, Any] = json.loads((FOLDER / SHAPES).read_text("utf-8"))
    return shapes


@cache
def read_shaped_codes() -> frozenset[int]:
    """Numeric codes of the countries that have a shape; the others, such as Singapore, have a point only."""
    return frozenset(one["id"] for one in read_shapes()["objects"]["countries"]["geometries"] if "id" in one)


def read_points() -> pd.DataFrame:
    """Where each country's point stands: numeric_code, longitude and latitude in degrees."""
    return pd.read_csv(FOLDER / POINTS, dtype={"numeric_code": int, "longitude": float, "latitude": float})


def make_shapes(atlas: dict[str, Any]) -> dict[str, Any]:
    """The countries of an atlas with their ids and arcs alone, without Antarctica."""
    countries = []
    for one in atlas["objects"]["countries"]["geometries"]:
        # As a number, because atlases write 036 and reference data 36.
        code = {"id": int(one["id"])} if "id" in one else {}
        if code.get("id") != ANTARCTICA:
            countries.append({"type": one["type"], "arcs": one["arcs"]} | code)
    return {
        "type": "Topology",
        "objects": {"countries": {"type": "GeometryCollection", "geometries": countries}},
        "arcs": atlas["arcs"],
        "transform": atlas["transform"],
    }


def make_points(atlas: dict[str, Any]) -> dict[int, Place]:
    """Numeric codes, but for Antarctica's, with the middle of each country's largest polygon."""
    arcs = [list(unfold_arc(arc, atlas["transform"])) for arc in atlas["arcs"]]
    largest: dict[int, tuple[float, Place]] = {}
    for one in atlas["objects"]["countries"]["geometries"]:
        code = int(one.get("id", ANTARCTICA))
        if code == ANTARCTICA:
            continue
        for polygon in one["arcs"] if one["type"] == "MultiPolygon" else [one["arcs"]]:
            area, middle = measure_ring(join_arcs(polygon[0], arcs))
            if code not in largest or area > largest[code][0]:
                largest[code] = area, middle
    return {code: middle for code, (_, middle) in sorted(largest.items())}


def unfold_arc(arc: Sequence[Sequence[int]], transform: dict[str, Any]) -> Iterator[Place]:
    """An arc's places from its whole-numbered steps."""
    (scale_x, scale_y), (shift_x, shift_y) = transform["scale"], transform["translate"]
    steps_x, steps_y = zip(*arc, strict=True)
    for x, y in zip(accumulate(steps_x), accumulate(steps_y), strict=True):
        yield x * scale_x + shift_x, y * scale_y + shift_y


def join_arcs(numbers: Sequence[int], arcs: Sequence[list[Place]]) -> list[Place]:
    """A closed ring; a negative number is an arc run backwards."""
    ring: list[Place] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        ring += arc[1:] if ring else arc
    return ring


def measure_ring(ring: Sequence[Place]) -> tuple[float, Place]:
    """Area (for comparison only) of a ring and a place in its middle: the centroid, moved inside where it is not."""
    # On the equal-area cylinder, where polygons in the north are not blown up.
    flat = [(longitude, math.sin(math.radians(latitude))) for longitude, latitude in ring]
    # Atlases run a ring that crosses the 180th meridian on from the other edge of the map.
    turns = accumulate((round((x - next_x) / 360) for (x, _), (next_x, _) in pairwise(flat)), initial=0)
    flat = [(x + 360 * turn, y) for (x, y), turn in zip(flat, turns, strict=True)]
    first_x, first_y = flat[0]
    double = sum_x = sum_y = 0.0
    # Measured from the first place, so that small islands keep their digits.
    for (x, y), (next_x, next_y) in pairwise([(x - first_x, y - first_y) for x, y in flat]):
        cross = x * next_y - next_x * y
        double += cross
        sum_x += (x + next_x) * cross
        sum_y += (y + next_y) * cross
    if double == 0:
        return 0.0, ring[0]
    x, y = first_x + sum_x / (3 * double), first_y + sum_y / (3 * double)
    longitude, latitude = move_inside(flat, x, y), math.degrees(math.asin(y))
    return abs(double) / 2, ((longitude + 180) % 360 - 180, latitude)


def move_inside(ring: Sequence[Place], x: float, y: float) -> float:
    """The x of a place of the ring: as it is if inside, else in the middle of the ring's widest part at that y."""
    # The middle of a bent country can be in its neighbour, where a point would be read as a statement.
    edges = sorted(
        from_x + (to_x - from_x) * (y - from_y) / (to_y - from_y)
        for (from_x, from_y), (to_x, to_y) in pairwise(ring)
        if (from_y > y) != (to_y > y)
    )
    spans = list(zip(edges[::2], edges[1::2], strict=True))
    if not spans or any(low <= x <= high for low, high in spans):
        return x
    low, high = max(spans, key=lambda span: span[1] - span[0])
    return (low + high) / 2


def write_files(atlas: Path, folder: Path) -> None:
    """Make both files from an unpacked world-atlas package."""
    coarse = json.loads((atlas / "countries-110m.json").read_text("utf-8"))
    fine = json.loads((atlas / "countries-50m.json").read_text("utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SHAPES).write_text(json.dumps(make_shapes(coarse), separators=(",", ":")) + "\n", "utf-8")
    with (folder / POINTS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["numeric_code", "longitude", "latitude"])
        writer.writerows((code, f"{x:.2f}", f"{y:.2f}") for code, (x, y) in make_points(fine).items())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m dashboard.world", description="Make the files of the world map.")
    parser.add_argument("--atlas", type=Path, required=True, help="the unpacked npm package world-atlas, version 2")
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write to (that of the dashboard)")
    arguments = parser.parse_args()
    write_files(arguments.atlas, arguments.out)


if __name__ == "__main__":
    main()
