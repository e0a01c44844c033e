"""Local changes of grammars: a sub-tree is derived anew, and everything else stays as it was."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.space.architecture import Architecture, Origin
from nasturtium.space.derivation import Derivation, Step
from nasturtium.space.following import Kept, again
from nasturtium.space.infer import outcome, signals_of
from nasturtium.space.part import Layer, Part
from nasturtium.space.sampling import draw
from nasturtium.space.sharing import computed
from nasturtium.space.wiring import Path, at, slots, substitute

if TYPE_CHECKING:
    import numpy

REOPENINGS = 3
"""How many dead ends a new sub-tree may meet before it is given up; another place is soon found."""

LARGEST = 40
"""How many decisions may be drawn for a new sub-tree here; larger ones come about where the whole is followed."""


def changed(
    parent: Architecture, step: Step, index: int, rng: numpy.random.Generator, start: Derivation
) -> Architecture | None:
    """The architecture that takes another option at one place and decides the same everywhere else, or None.

    The sub-tree below the place is derived alone; where all options share what is inside them, it stays. If all that
    follows works on what leaves the sub-tree now, nothing else has to be derived. None if it does not, if what is
    inside cannot stay, or if the place is a plain value.

    Args:
        parent: The architecture, of a space without shared decisions.
        step: The decision that is to differ.
        index: What is taken there.
        rng: Draws what is below.
        start: A derivation of the space, of which only the surroundings are used.
    """
    point, value = step.point, parent.value
    path = place_of(value, point.place)
    if point.part is not None or point.signals is None or path is None:
        return None
    old, end = at(value, path), _end(parent.steps, step)
    outside = sum(each.point.here.copies for each in (*parent.steps[: step.number], *parent.steps[end:]))
    inside = parent.steps[step.number + 1 : end] if point.choice.transparent else ()
    kept = {each.point.address: each for each in inside}
    derivation = _derived(start, step, outside, index, rng, kept)
    if derivation is None or derivation.value == old:
        return None
    made = substitute(value, path, derivation.value)
    if not isinstance(made, Layer) or isinstance(outcome(made, parent.input), Mismatch):
        return None
    steps = _joined(parent.steps, derivation.taken(), step.number, end)
    alike = signals_of(derivation.output) == outcome(old, point.signals)
    if not alike:
        choices = {each.point.choice for each in steps}  # few, however many steps there are
        if any(computed(option) for choice in choices for option in choice.options):
            return None  # an option would compute something else from what reaches it now
    decisions = tuple([each.taken for each in steps])
    child = Architecture(made, space=parent.space, decisions=decisions, steps=steps if alike else None)
    child.origin = Origin("mutation", (point.address,), ())
    return child


def place_of(value: Any, address: str) -> Path | None:
    """Where in a closed value the layer at an address stands; None if it is not found."""
    path: Path = ()
    for key in re.sub(r"#\d*", "", address).split(".") if address else ():
        part = at(value, path)
        found = [inner for inner, slot in slots(part) if slot.key == key] if isinstance(part, Part) else []
        if not found:
            return None
        path = (*path, *found[0])
    return path


def _derived(
    start: Derivation, step: Step, outside: int, index: int, rng: numpy.random.Generator, kept: Kept
) -> Derivation | None:
    """The sub-tree with this option, closed; None where it meets dead ends or becomes large."""
    drawn = 0
    try:
        derivation = start.within(step.point, outside)
        derivation.take(index)
        while (point := derivation.point) is not None:
            if derivation.reopened > REOPENINGS or drawn >= LARGEST:
                return None
            known = again(kept, point)
            if known is not None and (point.afresh or known not in point.remaining):
                return None  # what is kept does not work below this option
            derivation.take(draw(point, rng) if known is None else known)
            drawn += known is None
    except SpaceError:
        return None
    return derivation if derivation.taken()[0].taken == index else None


def _end(steps: tuple[Step, ...], step: Step) -> int:
    """Number of the first decision behind the sub-tree of a decision."""
    below = f"{step.point.place}#"
    end = step.number + 1
    while end < len(steps) and steps[end].point.place.startswith(below):
        end += 1
    return end


def _joined(steps: tuple[Step, ...], inside: list[Step], start: int, end: int) -> tuple[Step, ...]:
    rest = enumerate([*inside, *steps[end:]], start)
    return (*steps[:start], *[Step(None, number, each.point, each.taken, ()) for number, each in rest])
