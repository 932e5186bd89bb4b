"""The feeder as a one-line diagram, its buses coloured by voltage or by price: plain SVG.

The root stands at the left. Lines are drawn at right angles, devices as small badges at their bus;
the bus that matters most (nearest to a voltage limit, dearest) is ringed and named. `steps` holds
all intervals, for a page's script that recolours the picture of one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

from gridpact.grid.feeder import Feeder
from gridpact.report.layers import SHADES, Layer, is_dark
from gridpact.report.style import BATTERY, INK, LOSS, QUIET, ZONAL
from gridpact.report.tree_layout import Places, layout

_WIDTH, _MARGIN, _HEAD, _FOOT = 520.0, 24.0, 66.0, 34.0
_STEP, _ROW = (9.0, 80.0), (9.0, 34.0)
_TALL = 480.0
_NUMBERED = 6.5  # radius from which on a bus number fits inside
_NONE, _HIDDEN = "#d5dbe1", ' display="none"'
_SIDES = {"plant": (-0.8, 0.95), "battery": (0.8, 0.95), "generator": (-0.8, -0.95)}


@dataclass(frozen=True)
class _Sheet:
    """Where things stand on the sheet. [px]"""

    places: Places
    step: float
    row: float

    @property
    def radius(self) -> float:
        return min(0.38 * self.step, 0.30 * self.row, 10.0)

    @property
    def width(self) -> float:
        return max(_WIDTH, 2 * _MARGIN + (self.places.columns - 1) * self.step)

    @property
    def height(self) -> float:
        return _HEAD + self.row * self.places.rows + _FOOT

    def numbered(self, feeder: Feeder) -> bool:
        """Say whether bus numbers fit into the dots."""
        return self.radius >= _NUMBERED and int(feeder.ids.max()) < 1000

    def at(self, place: int) -> tuple[float, float]:
        """Return the middle of a bus."""
        return (
            _MARGIN + self.places.column[place] * self.step,
            _HEAD + (self.places.row[place] + 0.5) * self.row,
        )


def _sheet(feeder: Feeder) -> _Sheet:
    places = layout(feeder.parent.tolist())
    step = (_WIDTH - 2 * _MARGIN) / max(places.columns - 1, 1)
    row = _TALL / places.rows
    return _Sheet(places, float(np.clip(step, *_STEP)), float(np.clip(row, *_ROW)))


def one_line(
    feeder: Feeder,
    layer: Layer,
    interval: int,
    when: str,
    marks: Mapping[str, Collection[int]] | None = None,
) -> str:
    """Return the feeder in one interval as an SVG element.

    Parameters
    ----------
    when
        What the interval is called, as "19:00-20:00".
    marks
        Bus numbers by kind of device: "plant", "battery", "generator".
    """
    sheet = _sheet(feeder)
    marked = {kind: sorted(buses) for kind, buses in (marks or {}).items() if buses}
    label = f"{layer.name}, {when}: {layer.said[interval]} ({layer.unit})"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="one-line" role="img"'
        f' viewBox="0 0 {sheet.width:.0f} {sheet.height:.0f}" font-family="DejaVu Sans, sans-serif"'
        f' font-size="10" aria-label="{escape(label)}">',
        *_head(layer, interval, when, sheet),
        *_lines(feeder, sheet),
        *_buses(feeder, layer, interval, sheet),
        *_badges(feeder, marked, sheet),
        *_pointer(feeder, layer, interval, sheet),
        *_legend(layer, marked, sheet),
        "</svg>",
    ]
    return "\n".join(parts)


def _text(x: float, y: float, words: str, **more: object) -> str:
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{value}"' for name, value in more.items()
    )
    return f'<text x="{x:.1f}" y="{y:.1f}"{given}>{escape(words)}</text>'


def _head(layer: Layer, interval: int, when: str, sheet: _Sheet) -> list[str]:
    bar, right = 170.0, sheet.width - 14
    left, piece = right - bar, bar / SHADES
    ticks = (layer.low[interval], layer.high[interval])
    middle = (ticks[0] + ticks[1]) / 2
    ends = {"low": (left, ticks[0], "start"), "middle": (left + bar / 2, middle, "middle"),
            "high": (right, ticks[1], "end")}  # fmt: skip
    return [
        _text(16, 20, layer.name, font_size=12.5, font_weight="bold", fill=INK),
        _text(16, 36, when, fill=QUIET, class_="when"),
        _text(16, 50, layer.said[interval], fill=QUIET, class_="said"),
        *(
            f'<rect x="{left + i * piece:.2f}" y="12" width="{piece + 0.3:.2f}" height="9"'
            f' fill="{colour}"/>'
            for i, colour in enumerate(layer.palette)
        ),
        f'<rect x="{left:.1f}" y="12" width="{bar:.1f}" height="9" fill="none" stroke="{QUIET}"'
        ' stroke-width="0.6"/>',
        *(
            _text(x, 33, layer.shown(float(value)), text_anchor=anchor, fill=QUIET, class_=name)
            for name, (x, value, anchor) in ends.items()
        ),
        _text(left - 6, 20, layer.unit, text_anchor="end", fill=QUIET),
    ]


def _lines(feeder: Feeder, sheet: _Sheet) -> list[str]:
    """Draw each line to the right of its upper bus, then up or down, then on to the lower one."""
    drawn = []
    for place in range(1, feeder.size):
        (x, y), (to_x, to_y) = sheet.at(int(feeder.parent[place])), sheet.at(place)
        bend = f"H{x + sheet.step / 2:.1f}V{to_y:.1f}" if abs(to_y - y) > 0.01 else ""
        drawn.append(f"M{x:.1f} {y:.1f}{bend}H{to_x:.1f}")
    thick = max(1.0, min(2.0, sheet.radius / 4))
    return [
        f'<path d="{"".join(drawn)}" fill="none" stroke="#8a97a3" stroke-width="{thick:.1f}"'
        ' stroke-linejoin="round"/>'
    ]


def _buses(feeder: Feeder, layer: Layer, interval: int, sheet: _Sheet) -> list[str]:
    """Draw the buses, the root as a square, with numbers where they fit."""
    size, dots, numbers = sheet.radius, [], []
    for place, bus in enumerate(feeder.ids.tolist()):
        x, y = sheet.at(place)
        shade = layer.shade(interval, place)
        colour = layer.palette[shade] if shade >= 0 else _NONE
        out = layer.is_out(interval, place)
        edge = f'fill="{colour}" stroke="{LOSS if out else INK}" stroke-width="{2 if out else 0.9}"'
        value = layer.values[interval, place]
        said = f"{layer.shown(float(value))} {layer.unit}" if shade >= 0 else "none"
        title = f"<title>bus {bus}: {escape(said)}</title>"
        if place == 0:
            dots.append(
                f'<rect x="{x - size:.1f}" y="{y - size:.1f}" width="{2 * size:.1f}"'
                f' height="{2 * size:.1f}" rx="{size / 4:.1f}" {edge}>{title}</rect>'
            )
        else:
            dots.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" {edge}>{title}</circle>')
        if not sheet.numbered(feeder):
            continue
        fill = "#ffffff" if shade >= 0 and is_dark(colour) else INK
        numbers.append(_text(x, y + 0.32 * size, str(bus), fill=fill))
    font = size * (0.95 if feeder.ids.max() < 100 else 0.78)
    return [
        '<g class="buses">',
        *dots,
        "</g>",
        f'<g class="numbers" text-anchor="middle" font-size="{font:.1f}" pointer-events="none">',
        *numbers,
        "</g>",
    ]


def _badge(kind: str, x: float, y: float, size: float) -> str:
    """Return a small picture of a device."""
    back = f'<circle r="{1.25 * size:.1f}" fill="#ffffff" stroke="{QUIET}" stroke-width="0.5"/>'
    if kind == "plant":
        rays = "".join(
            f"M{0.62 * np.cos(a) * size:.1f} {0.62 * np.sin(a) * size:.1f}"
            f"L{np.cos(a) * size:.1f} {np.sin(a) * size:.1f}"
            for a in np.arange(8) * np.pi / 4
        )
        inner = (
            f'<circle r="{0.45 * size:.1f}" fill="{ZONAL}"/>'
            f'<path d="{rays}" stroke="{ZONAL}" stroke-width="{0.22 * size:.1f}"/>'
        )
    elif kind == "battery":
        inner = (
            f'<rect x="{-0.8 * size:.1f}" y="{-0.45 * size:.1f}" width="{1.4 * size:.1f}"'
            f' height="{0.9 * size:.1f}" rx="0.5" fill="{BATTERY}"/>'
            f'<rect x="{0.6 * size:.1f}" y="{-0.2 * size:.1f}" width="{0.25 * size:.1f}"'
            f' height="{0.4 * size:.1f}" fill="{BATTERY}"/>'
        )
    else:
        wave = f"M{-0.7 * size:.1f} 0q{0.35 * size:.1f} {-0.8 * size:.1f} {0.7 * size:.1f} 0"
        inner = (
            f'<path d="{wave}t{0.7 * size:.1f} 0" fill="none" stroke="{INK}"'
            f' stroke-width="{0.25 * size:.1f}"/>'
        )
    return f'<g transform="translate({x:.1f} {y:.1f})" class="{kind}">{back}{inner}</g>'


def _badges(feeder: Feeder, marked: Mapping[str, Sequence[int]], sheet: _Sheet) -> list[str]:
    """Draw devices at the corners of their bus, each kind at its own."""
    size = max(1.6, 0.42 * sheet.radius)
    drawn = []
    for kind, buses in marked.items():
        right, down = _SIDES[kind]
        for bus in buses:
            x, y = sheet.at(feeder.at(bus))
            drawn.append(_badge(kind, x + right * sheet.radius, y + down * sheet.radius, size))
    return ['<g pointer-events="none">', *drawn, "</g>"]


def _pointer(feeder: Feeder, layer: Layer, interval: int, sheet: _Sheet) -> list[str]:
    """Draw a ring around the bus that matters most, with its value above."""
    known = _pointed(feeder, layer, interval, sheet)
    (x, y), anchor, words = known or ((0.0, 0.0), "middle", "")
    reach = sheet.radius + 3
    return [
        f'<g class="pointer" pointer-events="none" transform="translate({x} {y})"'
        f'{"" if known else _HIDDEN}>',
        f'<circle r="{reach:.1f}" fill="none" stroke="{INK}" stroke-width="1.8"/>',
        _text(
            0, -reach - 3, words, text_anchor=anchor, font_weight="bold", fill=INK,
            stroke="#ffffff", stroke_width=3, paint_order="stroke", stroke_linejoin="round",
        ),
        "</g>",
    ]  # fmt: skip


def _pointed(
    feeder: Feeder, layer: Layer, interval: int, sheet: _Sheet
) -> tuple[tuple[float, float], str, str] | None:
    """Return where the bus that matters most stands, and what is written at which side of it."""
    place = int(layer.worst[interval])
    if place < 0:
        return None
    x, y = sheet.at(place)
    value = layer.shown(float(layer.values[interval, place]))
    words = value if sheet.numbered(feeder) else f"bus {feeder.ids[place]}: {value}"
    half = 3.4 * len(words)
    anchor = "start" if x < half else "end" if x > sheet.width - half else "middle"
    return (round(x, 1), round(y, 1)), anchor, words


def _legend(layer: Layer, marked: Mapping[str, Sequence[int]], sheet: _Sheet) -> list[str]:
    y, x, drawn = sheet.height - 12, 16.0, []
    drawn.append(
        f'<rect x="{x:.1f}" y="{y - 4:.1f}" width="8" height="8" rx="2" fill="none"'
        f' stroke="{INK}"/>'
    )
    x = _entry(drawn, x + 13, y, "substation")
    for kind in marked:
        drawn.append(_badge(kind, x + 4, y, 4.2))
        x = _entry(drawn, x + 14, y, kind)
    drawn.append(
        f'<circle cx="{x + 4:.1f}" cy="{y:.1f}" r="5" fill="none" stroke="{INK}"'
        ' stroke-width="1.6"/>'
    )
    words = "dearest bus" if layer.room is None else "nearest to a limit"
    x = _entry(drawn, x + 14, y, words)
    if layer.breaks:
        drawn.append(
            f'<circle cx="{x + 4:.1f}" cy="{y:.1f}" r="4" fill="none" stroke="{LOSS}"'
            ' stroke-width="2"/>'
        )
        _entry(drawn, x + 14, y, "outside limits")
    return drawn


def _entry(drawn: list[str], x: float, y: float, words: str) -> float:
    """Write a word of the legend and return where the next entry begins."""
    drawn.append(_text(x, y + 3.5, words, fill=QUIET))
    return x + 5.7 * len(words) + 12


def stacked(pictures: Sequence[str]) -> str:
    """Return pictures one below the other as one SVG that stands alone."""
    sizes = [
        tuple(map(float, picture.split('viewBox="0 0 ')[1].split('"')[0].split()))
        for picture in pictures
    ]
    width, height = max(size[0] for size in sizes), sum(size[1] for size in sizes)
    parts, y = [], 0.0
    for picture, (wide, high) in zip(pictures, sizes, strict=True):
        parts.append(picture.replace("<svg ", f'<svg y="{y}" width="{wide}" height="{high}" ', 1))
        y += high
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
            f' width="{width:.0f}" height="{height:.0f}">',
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *parts,
            "</svg>\n",
        ]
    )


def steps(feeder: Feeder, layer: Layer, when: Sequence[str]) -> dict[str, Any]:
    """Return all intervals of a picture; values as whole numbers of the last digit shown."""
    sheet, scale = _sheet(feeder), 10**layer.digits
    known = np.asarray(np.isfinite(layer.values).all(axis=1))
    return {
        "when": list(when),
        "said": list(layer.said),
        "unit": layer.unit,
        "digits": layer.digits,
        "palette": list(layer.palette),
        "dark": [int(is_dark(colour)) for colour in layer.palette],
        "none": _NONE,
        "ink": [INK, LOSS],
        "bus": feeder.ids.tolist(),
        "low": np.round(layer.low, 6).tolist(),
        "high": np.round(layer.high, 6).tolist(),
        "out": [
            [place for place in range(feeder.size) if layer.is_out(t, place)]
            for t in range(len(layer.values))
        ],
        "pointed": [_pointed(feeder, layer, t, sheet) for t in range(len(layer.values))],
        "values": [
            np.rint(row * scale).astype(int).tolist() if here else None
            for row, here in zip(layer.values, known.tolist(), strict=True)
        ],
    }
