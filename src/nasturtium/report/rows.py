"""Motifs of several layers in a row: separable convolutions, inverted residuals, token mixing, transformer layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from nasturtium.report.english import counted, listed
from nasturtium.report.motifs import Motif, Series, compound, loud
from nasturtium.space.infer import Signals

WINDOW = 48
"""The longest row of layers that makes a motif, norms and activations counted."""


class Row(NamedTuple):
    """A row of the table.

    Attributes:
        name: Of the motif.
        starts: The kinds it begins with.
        length: How many layers it takes at the beginning of a row; 0 if it does not stand there.
        made: What is made of them.
    """

    name: str
    starts: tuple[str, ...]
    length: Callable[[Series], int]
    made: Callable[[Series], Motif]


def rewritten(series: Series) -> Series:
    """A row with every motif of several layers put together, by one row of the table after the other."""
    kinds = {motif.kind for motif in series}
    for row in ROWS:
        if kinds.isdisjoint(row.starts):
            continue
        found: list[Motif] = []
        at = 0
        while at < len(series):
            length = row.length(series[at : at + WINDOW]) if series[at].kind in row.starts else 0
            found.append(row.made(series[at : at + length]) if length else series[at])
            at += length or 1
        series = tuple(found)
        kinds = {motif.kind for motif in series}
    return series


def ends(series: Series) -> tuple[Signals, Signals]:
    """The signals that reach a row and that leave it."""
    return series[0].inputs, series[-1].outputs


def is_pointwise(motif: Motif) -> bool:
    """Whether it is a convolution that mixes the channels of each place alone."""
    kernel = getattr(motif.part, "kernel", None)
    return motif.kind == "convolution" and kernel in (1, (1, 1)) and not motif.holds["depthwise"]


def _is(series: Series, at: int, kind: str) -> bool:
    return at < len(series) and series[at].kind == kind


def _past(series: Series, at: int, *kinds: str) -> int:
    """The first place from ``at`` on that holds another kind."""
    while at < len(series) and series[at].kind in kinds:
        at += 1
    return at


def _pointwise(series: Series, at: int) -> bool:
    return at < len(series) and is_pointwise(series[at])


def _depthwise(series: Series, at: int) -> bool:
    return _is(series, at, "convolution") and series[at].holds["depthwise"] > 0


def _is_windows(motif: Motif) -> bool:
    """Whether it is im2col."""
    kinds = motif.inputs[0].kind, motif.outputs[0].kind
    return motif.kind == "shape" and kinds == ("image", "sequence") and hasattr(motif.part, "kernel")


def _unfolded(series: Series) -> int:
    folds = _is(series, 2, "shape") and series[2].outputs[0].kind == "image"
    return 3 * (_is_windows(series[0]) and _is(series, 1, "linear") and folds)


def _make_unfolded(series: Series) -> Motif:
    kernel = series[0].part.kernel
    made = compound("convolution", (f"{kernel}x{kernel} ", "convolution", ""), series, ends(series), linear=1)
    return replace(made, part=series[0].part)


def _patches(series: Series) -> int:
    first = series[0]
    size = getattr(first.part, "kernel", 1)
    if not isinstance(size, int) or size < 2 or getattr(first.part, "stride", 1) != size:
        return 0
    if _is_windows(first):
        return 2 * _is(series, 1, "linear")
    flat = _is(series, 1, "shape") and series[1].outputs[0].kind == "sequence"
    return 2 * (flat and first.inputs[0].kind == "image" and first.kind == "convolution")


def _make_patches(series: Series) -> Motif:
    size = series[0].part.kernel
    return compound("patches", (f"{size}x{size} ", "patch embedding", ""), series, ends(series))


def _inverted(series: Series) -> int:
    """A convolution that widens, if any; a depthwise one and an activation; one that mixes, and no activation."""
    at = 0
    if is_pointwise(series[0]):
        at = _past(series, 1, "normalisation", "activation", "shape")
        if series[0].outputs[0].channels <= series[0].inputs[0].channels:
            return 0
    if not _depthwise(series, at):
        return 0
    behind = at + 1
    at = _past(series, behind, "normalisation", "activation")
    active = any(motif.kind == "activation" for motif in series[behind:at])
    at = _past(series, at, "squeeze", "shape")
    end = _past(series, at + 1, "normalisation", "shape")
    return end if active and _pointwise(series, at) and not _is(series, end, "activation") else 0


def _make_inverted(series: Series) -> Motif:
    depthwise = next(motif for motif in series if motif.holds["depthwise"])
    squeezed = any(motif.kind == "squeeze" for motif in series)
    after = " with squeeze-and-excitation" if squeezed else ""
    words = depthwise.before.replace("depthwise ", ""), "inverted residual block", after
    return compound("inverted residual", words, series, ends(series))


def _separable(series: Series) -> int:
    at = _past(series, 1, "normalisation")
    return at + 1 if _depthwise(series, 0) and _pointwise(series, at) else 0


def _make_separable(series: Series) -> Motif:
    words = series[0].before.replace("depthwise", "separable"), "convolution", ""
    return compound("separable convolution", words, series, ends(series))


def _feed_forward(series: Series) -> int:
    """Two linear maps of each step with an activation between them, and no fewer channels there."""
    at = _past(series, 1, "activation", "dropout", "normalisation")
    if not _is(series, at, "linear") or all(motif.kind != "activation" for motif in series[1:at]):
        return 0
    before, middle, after = series[0].inputs[0], series[0].outputs[0], series[at].outputs[0]
    if before.kind not in ("sequence", "nodes") or before.shape != after.shape:
        return 0
    return at + 1 if middle.channels >= before.channels else 0


def _make_feed_forward(series: Series) -> Motif:
    after = f" of width {series[0].outputs[0].channels:,}"
    return compound("feed-forward", ("", "feed-forward layer", after), series, ends(series))


def _projected(series: Series) -> int:
    """Attention made of single layers, and the linear map of what all heads give."""
    at = _past(series, 1, "shape", "skip")
    return at + 1 if series[0].inner and _is(series, at, "linear") else 0


def _make_projected(series: Series) -> Motif:
    return compound("attention", series[0].name, series, ends(series), attention=1)


def _mixing(series: Series) -> int:
    """Linear maps of each channel along the steps: the two axes are swapped before and after."""
    if not _swaps(series[0]):
        return 0
    at = next((at for at in range(1, len(series)) if _swaps(series[at])), 0)
    kinds = {motif.kind for motif in loud(series[1:at])}
    return at + 1 if kinds and kinds <= {"linear", "feed-forward"} else 0


def _swaps(motif: Motif) -> bool:
    axes = getattr(motif.part, "axes", ())
    return motif.kind == "shape" and tuple(axes) == (1, 0) and motif.inputs[0].kind == "sequence"


def _make_mixing(series: Series) -> Motif:
    words = "", "token mixing", f" over {series[0].inputs[0].length:,} tokens"
    return compound("token mixing", words, series, ends(series))


def _transformer(series: Series) -> int:
    """Attention, once or more, and a feed-forward layer, each with a skip around it."""
    at = 0
    while _is(series, at, "residual attention") or (at and series[at : at + 1] and series[at].kind in _BETWEEN):
        at += 1
    return at + 1 if _is(series, at, "residual feed-forward") else 0


_BETWEEN = ("normalisation", "dropout")


def _make_transformer(series: Series) -> Motif:
    texts = []
    for part in loud(series):
        before, noun, after = part.name
        texts.append(f"{before.removeprefix('residual ')}{noun.removesuffix(' layer')}{after}")
    words = "", "transformer layer", ""
    return compound("transformer layer", words, series, ends(series), f" ({listed(texts)})")


ROWS = (
    Row("convolution by im2col", ("shape",), _unfolded, _make_unfolded),
    Row("patches", ("shape", "convolution"), _patches, _make_patches),
    Row("inverted residual", ("convolution",), _inverted, _make_inverted),
    Row("separable convolution", ("convolution",), _separable, _make_separable),
    Row("feed-forward", ("linear",), _feed_forward, _make_feed_forward),
    Row("attention", ("attention",), _projected, _make_projected),
    Row("token mixing", ("shape",), _mixing, _make_mixing),
    Row("transformer layer", ("residual attention",), _transformer, _make_transformer),
)
"""What layers in a row are called; the earlier ones are parts of the later ones."""

NAMED = 3
"""So many kinds of things inside a motif are named."""


def inside(motifs: Series) -> str:
    """What is in a row, equal things counted: "two 3x3 convolutions"; activations and the like left out."""
    names: dict[tuple[str, str, str], int] = {}
    for motif in loud(motifs):
        names[motif.name] = names.get(motif.name, 0) + 1
    texts = [counted(count, *name) for name, count in list(names.items())[:NAMED]]
    more = sum(list(names.values())[NAMED:])
    return listed([*texts, f"{more} more"] if more else texts)
