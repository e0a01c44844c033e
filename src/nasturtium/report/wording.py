"""Short texts for trees and drawings: layers, signals, numbers, letters, and how wide a text is."""

from __future__ import annotations

from typing import Any

from nasturtium.space.part import Part
from nasturtium.space.signal import Signal
from nasturtium.space.text import to_text
from nasturtium.space.wiring import slots

LONGEST = 60
"""Values of fields longer than this many characters are cut in drawings and trees."""

NARROW = {
    0.29: "ijlI|'",
    0.40: "frt.,:;()[]!·-/ ",
    0.55: 'csxyzkv_"',
    0.84: "mwMW=×+<>→←~%@…",
    0.72: "ABCDEFGHKLNOPQRTUVXYZ&",
}
"""Widths of characters in a wide sans-serif face (DejaVu, Verdana), as shares of the font size."""

WIDTHS = {character: width for width, characters in NARROW.items() for character in characters}


def text_width(text: str, size: float, bold: bool = False) -> float:
    """The width of a text in pixels, rather too large than too small."""
    return sum(WIDTHS.get(character, 0.64) for character in text) * size * (1.1 if bold else 1.0)


def arguments(part: Part) -> str:
    """The fields of a part that are not layers and not at their default, as its text writes them."""
    inside = {path[0] for path, _ in slots(part)}
    written = []
    for index, name in enumerate(part.fields):
        value: Any = part.__dict__[name]
        if name in inside or (name in part.defaults and value == part.defaults[name]):
            continue
        if name == part.variadic:
            written += [_cut(to_text(item)) for item in value]
        else:
            written.append(_cut(to_text(value)) if index == 0 else f"{name}={_cut(to_text(value))}")
    return ", ".join(written)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def layer_text(part: Part) -> str:
    """A layer without the layers inside it: ``Conv2d(16, kernel=3)``, ``ReLU``."""
    inside = arguments(part)
    return f"{type(part).__name__}({inside})" if inside else type(part).__name__


def shape_text(signal: Signal) -> str:
    """A signal by its sizes alone: 16×32×32, or the names of a group."""
    if signal.kind == "group":
        return ", ".join(f"{name} {shape_text(member)}" for name, member in signal.members)
    sizes = "×".join("?" if size is None else str(size) for size in signal.shape)
    if signal.kind == "tokens":
        sizes += " tokens"
    return f"{sizes} masked" if signal.mask else sizes


def signals_text(signals: tuple[Signal, ...]) -> str:
    """Several signals by their sizes; equal ones once, with their number."""
    texts = [shape_text(signal) for signal in signals]
    if len(texts) > 1 and len(set(texts)) == 1:
        return f"{len(texts)} of {texts[0]}"
    return " | ".join(texts)


def short_number(number: float) -> str:
    """A count as people read it: 432, 1.2k, 34.5M."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{unit}" if number / size < 999.5 else f"{number / size:.0f}{unit}"
    return f"{number:.0f}"


def share_text(part: float, whole: float) -> str:
    """A share in percent: 34%, <1%."""
    percent = 100 * part / whole if whole else 0.0
    return "<1%" if 0 < percent < 1 else f"{percent:.0f}%"


def letter(number: int) -> str:
    """A, B, ..., Z, AA, AB, ... for 0, 1, ..., 25, 26, 27, ..."""
    text = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def wrapped(text: str, longest: int) -> list[str]:
    """Lines of at most about ``longest`` characters, broken after commas or, where there is none, inside."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= longest:
            lines[-1] += f" {word}"
        else:
            pieces = [word[at : at + longest] for at in range(0, len(word), longest)]
            lines += pieces
    return lines
