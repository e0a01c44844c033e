"""The motifs of a network in order, as text: in full, by runs between changes of resolution, or by their kinds."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from nasturtium.report.english import counted, listed, number_word, plural, total
from nasturtium.report.leaves import TURN
from nasturtium.report.motifs import Motif, Series, loud, places
from nasturtium.space.signal import Signal

PERIOD = 5
"""The longest row of motifs whose repetition is looked for."""

SAYS_CHANNELS = ("convolution", "linear", "separable convolution")
"""Kinds that are counted together only where they leave the channels as they are."""

KINDS = 4
"""So many kinds of motifs are named where a network is told by its kinds."""


class Item(NamedTuple):
    """Equal motifs in a row, or a row of items that repeats."""

    text: str
    key: tuple[object, ...]


def in_full(motifs: Series, details: bool) -> str:
    """Every motif in order, equal ones and rows that repeat counted."""
    shown = [motif for motif in motifs if not motif.quiet or _turns(motif)]
    made: dict[tuple[str, str, str], set[str]] = {}
    for motif in shown:
        made.setdefault(motif.name, set()).add(motif.detail)
    said: set[tuple[str, str, str]] = set()
    items = []
    for group in _groups(shown, details):
        name = group[0].name
        items.append(_item(group, details and (len(made[name]) > 1 or name not in said)))
        said.add(name)
    return listed([item.text for item in _folded(items)])


def _groups(motifs: list[Motif], details: bool) -> list[list[Motif]]:
    """Equal motifs in a row; what changes the resolution begins anew."""
    groups: list[list[Motif]] = []
    for motif in motifs:
        alike = bool(groups) and _alike(groups[-1][-1], motif, details)
        if alike and not _moves(motif) and not (motif.kind in SAYS_CHANNELS and _change(motif, motif)):
            groups[-1].append(motif)
        else:
            groups.append([motif])
    return groups


def _alike(one: Motif, other: Motif, details: bool) -> bool:
    return one.name == other.name and (not details or one.detail == other.detail)


def _turns(motif: Motif) -> bool:
    """Whether a layer exchanges axes of different sizes, so that what follows works on something else."""
    return motif.kind == "shape" and motif.noun == TURN and motif.inputs[0].shape != motif.outputs[0].shape


def _moves(motif: Motif) -> bool:
    """Whether the places that leave are not the places that enter."""
    return bool(motif.inputs) and places(motif.inputs[0]) != places(motif.outputs[0])


def _item(group: list[Motif], details: bool) -> Item:
    first, last = group[0], group[-1]
    text = counted(len(group), *first.name)
    if details and first.detail:
        each = " each" if len(group) > 1 and first.detail.startswith(" of") and not first.detail.endswith(")") else ""
        text += first.detail + each
    change = _change(first, last)
    if len(group) > 1 and _moves(first):
        change = f" (the first{change})"
    text += change
    return Item(text, (text,))


def _change(first: Motif, last: Motif) -> str:
    """What becomes of the signal: its resolution, or else its channels."""
    if not first.inputs or not last.outputs:
        return ""
    before, after = first.inputs[0], last.outputs[0]
    if after.kind == "vector":
        same = before.kind != "vector" or before.shape == after.shape
        return "" if same else f" to {after.channels:,} feature{'s' * (after.channels != 1)}"
    if after.kind not in ("image", "sequence", "nodes") or before.kind == "group":
        return ""
    if before.kind == after.kind and places(before) != places(after):
        return f" {'to' if first.noun == TURN else _verb(before, after)} {_sizes(after)}"
    if before.kind != after.kind:
        return f" to {_sizes(after)}"
    return "" if before.channels == after.channels else f" to {after.channels:,} channel{'s' * (after.channels != 1)}"


def _verb(before: Signal, after: Signal) -> str:
    pairs = [(old, new) for old, new in zip(places(before), places(after), strict=True) if old and new]
    if pairs and all(-(-old // 2) == new for old, new in pairs):
        return "halving to"
    if pairs and all(2 * old == new for old, new in pairs):
        return "doubling to"
    return "to"


def _sizes(signal: Signal) -> str:
    if signal.kind == "image":
        return "x".join("?" if size is None else str(size) for size in signal.shape)
    place = "node" if signal.kind == "nodes" else "step"
    length = f"{signal.length:,} {place}{'s' * (signal.length != 1)}" if signal.length is not None else f"{place}s"
    return f"{length} of {signal.channels:,} channel{'s' * (signal.channels != 1)}"


def _folded(items: list[Item]) -> list[Item]:
    """Rows of items that repeat, once with their number."""
    found: list[Item] = []
    at = 0
    while at < len(items):
        period, rows = max(
            ((period, _rows(items, at, period)) for period in range(2, PERIOD + 1)),
            key=lambda each: each[0] * each[1] if each[1] > 1 else 0,
        )
        if rows > 1:
            inner = listed([item.text for item in items[at : at + period]])
            text = f"{'twice' if rows == 2 else f'{number_word(rows)} times'} ({inner})"
            found.append(Item(text, (text,)))
            at += period * rows
        else:
            found.append(items[at])
            at += 1
    return found


def _rows(items: list[Item], at: int, period: int) -> int:
    keys = [item.key for item in items[at : at + period]]
    rows = 1
    while len(keys) == period and [i.key for i in items[at + rows * period : at + (rows + 1) * period]] == keys:
        rows += 1
    return rows


def stages(motifs: Series) -> list[Series]:
    """Runs of motifs between changes of resolution; what changes it begins a run."""
    runs: list[list[Motif]] = []
    for motif in motifs:
        if not runs or _stage(motif) != _stage(runs[-1][-1]):
            runs.append([])
        runs[-1].append(motif)
    return [tuple(run) for run in runs]


def _stage(motif: Motif) -> tuple[object, ...]:
    out = motif.outputs[0]
    return (out.kind, *places(out))


def by_stage(motifs: Series) -> str:
    """The nouns of each run with their numbers, and the signal that leaves it."""
    texts = []
    for run in stages(tuple(loud(motifs))):
        nouns = Counter(motif.noun for motif in run)
        named = [counted(count, "", noun) for noun, count in nouns.items()]
        if len(named) > 2:
            (noun, count), *_ = nouns.most_common()
            most = f", mostly {plural(noun)} ({count:,})," if 2 * count > len(run) else ""
            named = [f"{number_word(len(run))} layers and blocks{most}"]
        out = run[-1].outputs[0]
        where = f" at {_sizes(out)}" if out.kind == "image" else f" over {_sizes(out)}" if places(out) else ""
        texts.append(f"{listed(named)}{where}")
    return "; ".join(texts)


def by_kind(motifs: Series) -> str:
    """The most frequent nouns of the whole with their numbers."""
    shown = loud(motifs)
    nouns = Counter(motif.noun for motif in shown)
    texts = [total(count, noun) for noun, count in nouns.most_common(KINDS)]
    sizes = len(stages(tuple(shown)))
    across = f" at {number_word(sizes)} sizes" if sizes > 1 else ""
    return f"{len(shown):,} layers and blocks in a row{across}, mostly {listed(texts)}"
