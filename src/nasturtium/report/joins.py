"""Motifs of parallel paths: residual blocks, squeeze-and-excitation, dense layers, attention, branches."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from nasturtium.report.motifs import Motif, Series, compound, held, loud
from nasturtium.report.rows import inside, is_pointwise
from nasturtium.space.infer import Signals

WAYS = {"Add": "summed", "Mean": "averaged", "Concat": "concatenated", "Multiply": "multiplied"}
"""How joins are said; others are matrix products."""

SINGLE = ("attention", "feed-forward", "token mixing", "recurrence", "message passing")
"""What a skip is led around without a name of its own."""


class Paths(NamedTuple):
    """Parallel paths.

    Attributes:
        join: The layer that joins them.
        paths: What is on each.
        inputs, outputs: The signals that reach them and that leave the join.
        split: The signals that enter the paths, if the input is cut into parts.
    """

    join: Motif
    paths: list[Series]
    inputs: Signals
    outputs: Signals
    split: Signals

    @property
    def tag(self) -> str:
        """The class of the layer that joins."""
        return type(self.join.part).__name__

    @property
    def whole(self) -> Series:
        """Everything on the paths, and the join."""
        return (*(motif for path in self.paths for motif in path), self.join)


class Join(NamedTuple):
    """A row of the table.

    Attributes:
        name: Of the motif.
        made: What is made of paths; None where they are another motif.
        of_parts: Whether each path may get another part of the input.
    """

    name: str
    made: Callable[[Paths], Motif | None]
    of_parts: bool = False


def joined(join: Motif, paths: list[Series], ends: tuple[Signals, Signals], split: Signals = ()) -> Motif:
    """Parallel paths that are joined, as the first motif of the table that fits."""
    given = Paths(join, paths, *ends, split)
    for row in JOINS:
        found = row.made(given) if row.of_parts or not split else None
        if found is not None:
            return found
    raise ValueError("the last row of the table fits always")


def _make(kind: str, words: tuple[str, str, str], given: Paths, detail: str = "") -> Motif:
    return compound(kind, words, given.whole, (given.inputs, given.outputs), detail)


def _attention(given: Paths) -> Motif | None:
    """Softmax of a product, multiplied with a third."""
    if given.tag in WAYS or len(given.paths) != 2:
        return None
    first = loud(given.paths[0])
    while first and first[-1].kind == "linear":
        first.pop()
    if [motif.kind for motif in first[-2:]] != ["product", "softmax"]:
        return None
    tokens = given.outputs[0].shape[-2]
    return _make("attention", ("", "attention layer", f" with 1 head over {tokens:,} tokens"), given)


def _heads(given: Paths) -> Motif | None:
    """Attention on every path: its heads."""
    shown = [loud(path) for path in given.paths]
    kinds = [[motif.kind for motif in path] for path in shown]
    if given.tag not in ("Add", "Concat") or kinds != [["attention"]] * len(kinds) or not shown[0][0].inner:
        return None
    ways, tokens = len(kinds), shown[0][0].outputs[0].shape[-2]
    made = _make("attention", ("", "attention layer", f" with {ways} heads over {tokens:,} tokens"), given)
    made.holds["attention"] = 1
    return made


def _product(given: Paths) -> Motif | None:
    if given.tag in WAYS:
        return None
    within = inside(given.whole)
    return _make("product", ("", "matrix product", ""), given, f" of {within}" if within else "")


def _squeeze(given: Paths) -> Motif | None:
    """Channels multiplied with a gate made of their means."""
    if given.tag != "Multiply" or len(given.paths) != 2:
        return None
    for path, other in (given.paths, given.paths[::-1]):
        kinds = [motif.kind for motif in loud(other)]
        gates = kinds[:1] == ["global pooling"] and set(kinds[1:]) <= {"linear", "convolution"} and len(kinds) > 1
        if gates and not loud(path):
            return _make("squeeze", ("", "squeeze-and-excitation", ""), given)
    return None


def _is_projection(path: Series, given: Paths) -> bool:
    """Whether a path only brings what entered to the shape that leaves."""
    shown = loud(path)
    changes = given.inputs[0].shape != given.outputs[0].shape
    weights = [motif for motif in shown if motif.kind != "pooling"]
    plain = all(is_pointwise(motif) or motif.kind == "linear" for motif in weights)
    return not shown or (changes and plain and len(weights) < 2)


def _residual(given: Paths) -> Motif | None:
    """The sum of a path and of what entered it, as it is or projected."""
    if given.tag not in ("Add", "Mean"):
        return None
    bodies = [path for path in given.paths if not _is_projection(path, given)]
    if len(bodies) == len(given.paths) or not bodies:
        return None
    body = bodies[0]
    shown = loud(body)
    if len(bodies) == 1 and len(shown) == 1:
        single = _around(given, shown[0])
        if single is not None:
            return single
    convolutional = held(given.whole)["convolution"] > 0
    kind = "residual block" if convolutional else "residual connection"
    before = "bottleneck " if len(bodies) == 1 and _narrows(shown) else ""
    detail = inside(body) if len(bodies) == 1 else f"{len(bodies)} parallel paths"
    return _make(kind, (before, "residual block", ""), given, f" of {detail}")


def _around(given: Paths, motif: Motif) -> Motif | None:
    """A skip around one motif; None if that makes a plain residual block."""
    if motif.kind == "inverted residual":
        found = _make("inverted with skip", motif.name, given)
    elif motif.kind in SINGLE:
        before, noun, after = motif.name
        found = _make(f"residual {motif.kind}", (f"residual {before}", noun, after), given, motif.detail)
        found.holds["residual connection"] += 1
    else:
        return None
    return found


def _narrows(shown: list[Motif]) -> bool:
    """Whether convolutions narrow the channels, work there, and widen them again."""
    if len(shown) < 3 or not is_pointwise(shown[0]) or not is_pointwise(shown[-1]):
        return False
    middle = shown[0].outputs[0].channels
    return middle < shown[-1].outputs[0].channels and any(not is_pointwise(motif) for motif in shown[1:-1])


def _skip(given: Paths) -> Motif | None:
    """A sum of what entered with itself, or with what only activations and norms make of it."""
    if given.tag not in ("Add", "Mean") or loud(given.whole):
        return None
    return _make("residual connection", ("", "residual connection", ""), given)


def _dense(given: Paths) -> Motif | None:
    """What entered, and a path on it, next to each other."""
    if given.tag != "Concat" or len(given.paths) != 2 or given.inputs[0].kind not in ("image", "sequence", "vector"):
        return None
    shown = [loud(path) for path in given.paths]
    added = given.outputs[0].channels - given.inputs[0].channels
    if bool(shown[0]) == bool(shown[1]) or added < 1:
        return None
    return _make("dense layer", ("", "dense layer", f" of growth {added}"), given)


def _branch(given: Paths) -> Motif | None:
    """Any other parallel paths."""
    ways = len(given.paths)
    names = [[motif.name for motif in loud(path)] for path in given.paths]
    alike = all(each == names[0] for each in names)
    within = inside(given.paths[0] if alike else tuple([motif for path in given.paths for motif in path]))
    cut = bool(given.split) and given.split[0].shape != given.inputs[0].shape
    words = f"{ways}-way ", "split" if cut else "branch", ""
    way = f" ({WAYS.get(given.tag, 'multiplied')})"
    return _make("branch", words, given, f" of {within}{' each' * alike}{way}" if within else way)


JOINS = (
    Join("attention", _attention, of_parts=True),
    Join("product", _product, of_parts=True),
    Join("heads", _heads, of_parts=True),
    Join("squeeze-and-excitation", _squeeze),
    Join("residual", _residual),
    Join("skip", _skip),
    Join("dense layer", _dense),
    Join("branch", _branch, of_parts=True),
)
"""What parallel paths are called: the first row that fits; the last one fits always."""
