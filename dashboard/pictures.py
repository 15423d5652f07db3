"""Charts as pictures, drawn here and not in the browser, so that a file has its title and says what it rests on."""

from __future__ import annotations

import json
import textwrap
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import pandas as pd
import vl_convert

from dashboard.words import plain_lines

THEME: Final = Path(__file__).parent.parent / ".streamlit" / "config.toml"
WIDTH: Final = 900
PADDING: Final = 24
TITLE_SIZE: Final = 18
NOTE_SIZE: Final = 11
FONT: Final = "Noto Sans CJK JP, Noto Sans JP, Hiragino Sans, Yu Gothic, sans-serif"
"""Without the page's Source Sans, which no machine has as a file; the first that is there has every letter."""
OUTSIDE: Final = frozenset({"url", "href"})
"""Names in a specification that lead outside; vl-convert fetches the pictures of image marks and reads file: addresses
whatever addresses it is allowed."""
INLINE: Final = frozenset({"values", "datasets"})
"""Names of what a specification holds itself: rows, whose columns may be named as they like, and shapes."""


class PictureProblem(ValueError):
    """A chart that cannot be drawn as a picture; the text says why."""


def draw_picture(
    spec: Mapping[str, Any],
    data: pd.DataFrame | Mapping[str, pd.DataFrame],
    form: Literal["png", "svg"],
    title: str,
    note: str,
    width: int = WIDTH,
) -> bytes:
    """A Vega-Lite specification as a picture of the light theme, `width` pixels wide (PNG: twice as many).

    `data` is the frame that the specification draws, or frames by the names that its layers give. Other threads wait
    while a picture is drawn.
    """
    if leads_outside(spec):
        raise PictureProblem("The chart takes something from an address, and pictures are drawn without a network.")
    full: dict[str, Any] = drop_selections(spec) | {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": width,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": "white",
        "padding": PADDING,
        "title": {
            "text": plain_lines(title, round(width / TITLE_SIZE * 1.6)),
            "subtitle": plain_lines(note, round(width / NOTE_SIZE * 1.6)),
            # A word too long for a line must not make the picture wider.
            "limit": width - 2 * PADDING,
        },
        "config": merge_config(read_config(), spec.get("config", {})),
    }
    if isinstance(data, pd.DataFrame):
        full["data"] = {"values": list_rows(data)}
    else:
        full["datasets"] = full.get("datasets", {}) | {name: list_rows(frame) for name, frame in data.items()}
    try:
        if form == "svg":
            return vl_convert.vegalite_to_svg(json.dumps(full), allowed_base_urls=[]).encode()
        return bytes(vl_convert.vegalite_to_png(json.dumps(full), scale=2, allowed_base_urls=[]))
    except ValueError as error:
        raise PictureProblem(f"The chart could not be drawn: {textwrap.shorten(str(error), 200)}") from error


def list_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON has them: days and moments in ISO 8601, null where there is none."""
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", date_format="iso", double_precision=15))
    return rows


def drop_selections(part: Any) -> Any:
    """A copy of a specification without its selections; parameters that only hold a value stay."""
    if isinstance(part, Mapping):
        copied = {name: value if name in INLINE else drop_selections(value) for name, value in part.items()}
        params = [one for one in copied.pop("params", []) if "select" not in one]
        return copied | ({"params": params} if params else {})
    return [drop_selections(one) for one in part] if isinstance(part, list | tuple) else part


def leads_outside(part: Any) -> bool:
    """Whether a specification asks for anything that it does not hold itself."""
    if isinstance(part, Mapping):
        return any(name in OUTSIDE or (name not in INLINE and leads_outside(value)) for name, value in part.items())
    return isinstance(part, list | tuple) and any(leads_outside(one) for one in part)


def merge_config(theme: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The theme's configuration, but for what a chart says itself."""
    merged = dict(theme)
    for name, value in own.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(name), Mapping)
        merged[name] = {**merged[name], **value} if both else value
    return merged


@cache
def read_config() -> dict[str, Any]:
    """The look of the dashboard's light theme, as a Vega-Lite configuration; sizes are Streamlit's own."""
    light = tomllib.loads(THEME.read_text("utf-8"))["theme"]["light"]
    text, faint, line = light["textColor"], light["grayTextColor"], light["borderColor"]
    categories, ramp = light["chartCategoricalColors"], light["chartSequentialColors"]
    labels = {"labelColor": faint, "titleColor": faint, "labelFontWeight": 400, "titleFontWeight": 400}
    return {
        "font": FONT,
        "view": {"stroke": "transparent", "strokeWidth": 0, "continuousHeight": 350},
        "title": {
            "anchor": "start", "align": "left", "frame": "bounds", "offset": 16,
            "color": text, "fontSize": TITLE_SIZE, "fontWeight": 600,
            "subtitleColor": faint, "subtitleFontSize": NOTE_SIZE, "subtitlePadding": 6,
        },
        "axis": {
            **labels, "labelFontSize": 12, "titleFontSize": 14, "ticks": False, "gridColor": line,
            "domain": False, "domainColor": line, "labelFlush": True, "labelFlushOffset": 1, "labelBound": False,
            "labelLimit": 100, "titlePadding": 16, "labelPadding": 16, "labelSeparation": 4, "labelOverlap": True,
        },
        **{axis: {"grid": False} for axis in ("axisDiscrete", "axisXPoint", "axisTemporal", "axisXBand")},
        "header": {**labels, "labelFontSize": 12, "titleFontSize": 16},
        "legend": {
            **labels, "labelFontSize": 14, "titleFontSize": 14, "titlePadding": 8, "labelPadding": 16,
            "columnPadding": 8, "rowPadding": 4, "padding": 8, "symbolStrokeWidth": 4,
        },
        "mark": {"color": categories[0]},
        "text": {"color": text},
        "bar": {"binSpacing": 4, "discreteBandSize": {"band": 0.85}},
        "range": {
            "category": categories, "ramp": ramp, "heatmap": ramp, "ordinal": ramp,
            "diverging": light.get("chartDivergingColors", [categories[1], line, categories[3]]),
        },
    }  # fmt: skip
