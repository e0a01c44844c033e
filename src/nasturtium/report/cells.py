"""Cells: steps that are wired in no simpler way, what they are made of, and what leads into them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from nasturtium.report.english import counted, listed, number_word, plural
from nasturtium.report.motifs import Motif, Series, compound, places
from nasturtium.report.outline import Block, Source
from nasturtium.report.rows import rewritten
from nasturtium.space.infer import Signals
from nasturtium.space.signal import Signal

SHOWN = 3
"""So many kinds of operations of a cell are named."""


class Step(NamedTuple):
    """A visit to a child with the wires that reach it, those that copy another one replaced by that one."""

    number: int
    block: Block
    reads: tuple[Source, ...]
    series: Series


def with_leading(cell: Motif, leading: Series) -> Motif:
    """A cell with what leads into it."""
    if not leading:
        return cell
    inputs = min((motif.inputs for motif in leading), key=lambda signals: _smallest(signals[0]))
    words = (shrinks(inputs, cell.outputs), "cell", "")
    made = compound("cell", words, (*leading, cell), (inputs, cell.outputs), cell.detail)
    made.holds["cell"] -= 1
    return made


def shrinks(inputs: Signals, outputs: Signals) -> str:
    """What stands before the noun of a cell that lowers the resolution."""
    sizes = [_smallest(signals[0]) for signals in (inputs, outputs) if signals]
    return "reduction " if len(sizes) == 2 and sizes[1] < sizes[0] else ""


def _smallest(signal: Signal) -> int:
    return min([size for size in places(signal) if size is not None], default=0)


def dense_layers(steps: Sequence[Step]) -> int:
    """How many layers there are whose results are all joined with everything before; 0 if wires run otherwise."""
    read = [set(step.reads) for step in steps if not step.block.is_container and step.block.tag == "Concat"]
    if len(read) < 2 or any(not one < other for one, other in pairwise(read)):
        return 0
    return len(read[-1]) - 1


def operations(steps: Sequence[Step]) -> str:
    """What the steps of a cell are: the most frequent ones, joins left out."""
    names: Counter[tuple[str, str, str]] = Counter()
    for step in steps:
        motifs = rewritten(step.series)
        loud = [motif for motif in motifs if not motif.quiet]
        names.update([motif.name for motif in loud])
        if not loud and all(motif.kind == "skip" for motif in motifs):
            names["", "skip", ""] += 1
    if not names:
        return ""
    shown = names.most_common(SHOWN)
    texts = [counted(count, *name) for name, count in shown]
    others = sum(names.values()) - sum(count for _, count in shown)
    rest = [f"{number_word(others)} other {'operation' if others == 1 else plural('operation')}"] if others else []
    return f" of {listed([*texts, *rest])}"
