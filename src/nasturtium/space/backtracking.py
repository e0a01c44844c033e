"""Going back from a dead end: which earlier decision of a derivation reopens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nasturtium.space.frames import Frame
from nasturtium.space.points import DeadEnd, Exhausted, Step

if TYPE_CHECKING:
    from nasturtium.space.derivation import Derivation

REOPENINGS = 10_000
"""How many decisions one derivation reopens before it gives up."""

PATIENCE = 2
"""How often a dead end of a grammar reopens the nearest decision before it jumps further back."""

FINITE_PATIENCE = REOPENINGS // 2
"""The same for finite spaces, which are small enough that going back in order usually settles the matter."""


def go_back(derivation: Derivation, dead: DeadEnd) -> None:
    """Reopen the latest decision that is to blame, without the option that led here.

    This alone is complete (conflict-directed backjumping, Prosser 1993). Where the same place stays dead, larger and
    larger sub-trees before it are drawn afresh instead: the shape of a whole branch has to change, not the last
    activation in it.

    Raises:
        Exhausted: If no decision is left to reopen, or too many were.
    """
    fails = derivation.fails[dead.address] = derivation.fails.get(dead.address, 0) + 1
    patience = FINITE_PATIENCE if derivation.budget is None else PATIENCE
    if fails > patience and _draw_afresh(derivation, dead, fails - patience):
        return
    blame = dead.blame
    while blame:
        number = blame.bit_length() - 1
        step = _rewind(derivation, number, dead)
        blame = (step.point.blame | blame) & ~(1 << number)
        point = step.point._replace(excluded=step.point.excluded | {step.taken}, blame=blame)
        if point.remaining:
            derivation.point = point
            return
    raise _exhausted(derivation, dead)


def _draw_afresh(derivation: Derivation, dead: DeadEnd, times: int) -> bool:
    starts = _starts(derivation.frame if dead.frame is None else dead.frame, derivation.count)
    if not starts:
        return False
    if times >= len(starts):
        derivation.fails.clear()
    step = _rewind(derivation, starts[min(times, len(starts)) - 1], dead)
    derivation.point = step.point._replace(afresh=True)
    return True


def _starts(frame: Frame | None, count: int) -> list[int]:
    """Decisions with which larger and larger sub-trees before a dead end began, from the inside out."""
    starts: list[int] = []
    while frame is not None:
        number = frame.here.since
        if number < (starts[-1] if starts else count):
            starts.append(number)
        frame = frame.parent
    return starts


def _rewind(derivation: Derivation, number: int, dead: DeadEnd) -> Step:
    """Go back to before the decision with this number."""
    derivation.reopened += 1
    step = derivation.trail
    while step is not None and step.number > number:
        step = step.previous
    if step is None or derivation.reopened > REOPENINGS:
        raise _exhausted(derivation, dead)
    derivation.frame, derivation.bound, derivation.spent, derivation.reserved, derivation.burden = step.state
    derivation.trail = step.previous
    return step


def _exhausted(derivation: Derivation, dead: DeadEnd) -> Exhausted:
    times = derivation.reopened
    return Exhausted(f"no architecture was found after {times} dead ends, the last one: {dead}")
