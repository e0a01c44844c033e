"""Which rows train, which validate and which test: the user's split, completed by a stratified draw."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError

Array = npt.NDArray[Any]

TRAIN, VALID, TEST = 0, 1, 2
PARTS = ("train", "valid", "test")
SHARE = 0.15
MINIMUM_ROWS = 10
MINIMUM_OF_A_CLASS = 3
WORDS = {"train": TRAIN, "valid": VALID, "val": VALID, "validation": VALID, "dev": VALID, "test": TEST}
NUMBERS = {"0": TRAIN, "1": VALID, "2": TEST}


def is_split(values: Iterable[object]) -> bool:
    """Whether a column that is called ``split`` is one: a value is ``train`` or the like, or all are 0, 1 or 2."""
    words = {_word(value) for value in values} - {""}
    return not words.isdisjoint(WORDS) or (bool(words) and words <= set(NUMBERS))


def _word(value: object) -> str:
    """A value of a split as it is looked up; a missing one is empty."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip().lower()


def read_split(values: object, rows: int, name: str) -> Array:
    """Turn a user's split, ``train``/``valid``/``test`` or 0/1/2 a row, into codes.

    Args:
        values: One value a row: text, bytes or whole numbers.
        rows: How many rows there must be.
        name: The array or column it came from, for messages.

    Returns:
        Codes (N,) of int8: 0 train, 1 valid, 2 test.

    Raises:
        TaskError: If the length differs, a value is none of these, or no row trains.
    """
    array = np.asarray(values)
    if array.shape != (rows,):
        raise TaskError(f"{name} has shape {array.shape}, but there are {rows} rows; give one value a row")
    if array.dtype.kind == "S":
        array = np.char.decode(array)
    words = np.array([_word(value) for value in array.tolist()], dtype=object)
    known = {**WORDS, **NUMBERS}
    strange = [row for row, word in enumerate(words) if word not in known]
    if strange:
        held = repr(str(array[strange[0]])) if words[strange[0]] else "a missing value"
        ways = "use train, valid and test (or 0, 1 and 2) in all rows, or call it something else if it is no split"
        raise TaskError(f"{name} holds {held}; {ways}")
    codes = np.array([known[word] for word in words], dtype=np.int8)
    if not (codes == TRAIN).any():
        raise TaskError(f"{name} marks no row as train; at least the training rows must be there")
    return codes


def complete_split(
    strata: Array, given: Array | None, seed: int, *, order: Array | None = None, groups: Array | None = None
) -> tuple[Array, tuple[str, ...]]:
    """Draw the parts that the user has not given, each stratum in proportion, unless rows have an order or groups.

    Nothing given: 70 % train, 15 % valid, 15 % test. A missing test split takes 15 % of the training rows, a
    missing valid split then 15/85 of them. Strata with fewer than three rows stay in train.

    Args:
        strata: A group number a row (N,): the class, or the decile of a regression target.
        given: Codes (N,) as of ``read_split``, or None.
        seed: Of the draw.
        order: When each row began (N,), so that test rows are later than validation rows, and those later than
            training rows; rows of the same moment stay together.
        groups: The group of each row (N,), a number or text; the rows of a group stay together, and strata do not
            count.

    Returns:
        Codes (N,) of int8, and the names of the parts that were drawn.

    Raises:
        TaskError: With fewer than ten rows, a negative seed, a group that the given split puts into two parts, or
            where a part would get no row.
    """
    if seed < 0:
        raise TaskError(f"seed {seed} is negative; use 0 or more")
    if len(strata) < MINIMUM_ROWS:
        raise TaskError(f"{len(strata)} rows are too few to train and validate on; at least {MINIMUM_ROWS} are needed")
    codes = np.zeros(len(strata), dtype=np.int8) if given is None else given.copy()
    if groups is not None:
        _check_together(groups, codes)
    generator = np.random.default_rng([seed, len(strata)])
    drawn = []
    for part, share in ((TEST, SHARE), (VALID, SHARE / (1 - SHARE))):
        if (codes == part).any():
            continue
        train = np.flatnonzero(codes == TRAIN)
        if groups is not None:
            later = part == TEST and not (codes == VALID).any()
            rows = draw_groups(groups, train, share, generator, 1 + later)
        else:
            rows = draw(strata, train, share, generator) if order is None else latest(order, train, share)
        if len(rows) == 0 or len(rows) == len(train):
            raise TaskError(_of_empty(PARTS[part], strata, groups))
        codes[rows] = part
        drawn.append(PARTS[part])
    return codes, tuple(drawn)


def _of_empty(part: str, strata: Array, groups: Array | None) -> str:
    kinds, what = (strata, "classes") if groups is None else (groups, "groups")
    counts = np.unique(kinds, return_counts=True)[1]
    return (
        f"the {part} split would get no row: {len(strata)} rows in {len(counts)} {what} of "
        f"{counts.min()} to {counts.max()} rows; give more rows, or a split of your own"
    )


def _check_together(groups: Array, codes: Array) -> None:
    """Refuse a split that puts rows of one group into two parts: what is drawn from one part is then in no other."""
    found, member = np.unique(groups, return_inverse=True)
    there = np.zeros((len(found), len(PARTS)), dtype=bool)
    there[member, codes] = True
    several = np.flatnonzero(there.sum(axis=1) > 1)
    if len(several):
        parts = " and ".join(PARTS[part] for part in np.flatnonzero(there[several[0]]))
        raise TaskError(
            f"the split puts {len(several)} of {len(found)} groups into several parts, such as group "
            f"{found.tolist()[several[0]]!r} into {parts}; leave out the split, and whole groups "
            "are drawn, or leave out the groups"
        )


def draw(strata: Array, rows: Array, share: float, generator: np.random.Generator) -> Array:
    """Draw ``share`` of ``rows`` by systematic sampling of the shuffled rows laid out stratum after stratum.

    Every stratum gives its share to within one row, and so does the whole.
    """
    rows = generator.permutation(rows)
    rows = rows[np.argsort(strata[rows], kind="stable")]
    _, position, counts = np.unique(strata[rows], return_inverse=True, return_counts=True)
    rows = rows[counts[position] >= MINIMUM_OF_A_CLASS]
    passed = np.floor(np.arange(len(rows) + 1) * share + generator.random())
    return np.sort(rows[np.diff(passed) > 0])


def latest(order: Array, rows: Array, share: float) -> Array:
    """The ``share`` of ``rows`` that are last in an order; rows of the same rank as the first of them go as it does."""
    rows = rows[np.argsort(order[rows], kind="stable")]
    ranks = order[rows]
    cut = len(rows) - round(len(rows) * share)
    if cut in (0, len(rows)):
        return rows[:0]
    before, after = np.searchsorted(ranks, ranks[cut], "left"), np.searchsorted(ranks, ranks[cut], "right")
    cut = after if before == 0 or (after < len(rows) and after - cut < cut - before) else before
    return np.sort(rows[cut:])


def draw_groups(groups: Array, rows: Array, share: float, generator: np.random.Generator, least: int = 1) -> Array:
    """Whole groups of ``rows`` that hold about ``share`` of them: at least one group, and never all.

    Groups come in a random order. One that would go farther beyond the share than the others fall short of it is left
    out; where every group would, the smallest is drawn. Beside the first, none is drawn that would leave fewer than
    ``least`` groups.
    """
    found, counts = np.unique(groups[rows], return_counts=True)
    if len(found) < 2:
        return rows[:0]
    order = generator.permutation(len(found))
    wanted, held = share * len(rows), 0
    chosen: list[int] = []
    for place in order:
        if chosen and len(found) - len(chosen) <= least:
            break
        if abs(held + counts[place] - wanted) < abs(held - wanted):
            chosen.append(place)
            held += counts[place]
    chosen = chosen or [order[np.argmin(counts[order])]]
    return np.sort(rows[np.isin(groups[rows], found[chosen])])


def deciles(targets: Array) -> Array:
    """The decile (N,) of each value of a numeric target, so that a draw covers its range evenly."""
    first = targets.reshape(len(targets), -1)[:, 0]
    ranks = np.argsort(np.argsort(first, kind="stable"), kind="stable")
    groups = max(1, min(10, len(first) // MINIMUM_OF_A_CLASS))
    return np.asarray(ranks * groups // max(1, len(first)))
