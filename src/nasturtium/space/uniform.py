"""Drawing every derivation of a finite space with the same probability."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NoReturn

from nasturtium.errors import Mismatch, SpaceError
from nasturtium.space.counting import Counting, Infinite, NotFactorable
from nasturtium.space.derivation import DeadEnd, Derivation, Point
from nasturtium.space.frames import Frame
from nasturtium.space.infer import Signals, signals_of
from nasturtium.space.opening import option_value
from nasturtium.space.part import is_container, is_open
from nasturtium.space.sharing import choices_in, computed, shared_in
from nasturtium.space.sizes import at_most, bound_of
from nasturtium.space.wiring import slots, substitute

if TYPE_CHECKING:
    import numpy

    from nasturtium.space.space import Space

LISTED = 10**6
"""Spaces whose derivations depend on each other are enumerated up to this many to draw from them uniformly."""

TRIES = 1_000
"""How many combinations of options in a row may lead nowhere."""


def draw_uniform(space: Space, rng: numpy.random.Generator) -> Derivation:
    """A derivation; each has the probability 1/size.

    At every point an option has the weight of the number of complete derivations it leaves. Where that does not
    follow from the parts (shared decisions, children visited again), the derivations are listed once and one of the
    list is drawn; where they are too many for that, combinations of all options are drawn until one works.

    Raises:
        SpaceError: If the space is infinite, or neither way is possible.
    """
    if space.recursive:
        raise SpaceError(f"{space.name!r} is infinite: no distribution over it is uniform; sample by the weights")
    if not space.shares:
        try:
            return _guided(space, rng)
        except (Infinite, NotFactorable):
            pass
    if at_most(space.root) > LISTED and _is_product(space):
        for _ in range(TRIES):
            derivation = _combination(space, rng)
            if derivation is not None:
                return derivation
    decisions = _listed(space)
    return space.replay(decisions[whole_number(len(decisions), rng)])


def _guided(space: Space, rng: numpy.random.Generator) -> Derivation:
    derivation = space.derive()
    while (point := derivation.point) is not None:
        numbers = list(accumulate(completions(space.counting, derivation.frame, point)))
        if numbers[-1] == 0:
            _explain_empty(derivation)
        derivation.take(point.remaining[bisect_right(numbers, whole_number(numbers[-1], rng))])
    return derivation


def _is_product(space: Space) -> bool:
    """Whether the combinations of all options can be counted part by part, whichever of them work."""
    known: bool | None = space.__dict__.get("_product")
    if known is None:
        found = choices_in(space.root)
        known = not any(computed(option) for choice in found for option in choice.options)
        known = known and all(choice.whole for choice in found if choice.share is not None)
        try:
            list(shared_in(space.root, whole=True, conditional=False))
        except NotFactorable:  # some derivations reach a shared decision, others do not
            known = False
        space.__dict__["_product"] = known
    return known


def _combination(space: Space, rng: numpy.random.Generator) -> Derivation | None:
    """A derivation that takes one of all combinations of options, each as likely as any other; None if it cannot."""
    try:
        derivation = space.derive(chronological=True)
        while (point := derivation.point) is not None:
            numbers = list(accumulate(space.counting.total(option, None) for option in point.choice.options))
            index = bisect_right(numbers, whole_number(numbers[-1], rng))
            if index not in point.remaining:
                return None
            derivation.take(index)
    except DeadEnd:
        return None
    return derivation


def _explain_empty(derivation: Derivation) -> NoReturn:
    """Let the derivation find out where there is no way on."""
    while derivation.point is not None:
        derivation.take(derivation.point.remaining[0])
    raise SpaceError("the counted and the derived architectures differ: a layer does not always give the same signal")


def completions(counting: Counting, frame: Frame | None, point: Point) -> list[int]:
    """How many complete derivations each remaining option at a point leaves; ``frame`` is where the point stands."""
    found = []
    for index in point.remaining:
        try:
            option = option_value(point.choice.options[index], point.signals)
        except Mismatch:
            found.append(0)
            continue
        if point.part is not None:
            option = substitute(point.part, point.path, option)
        outs = counting.tally(option, point.signals)
        found.append(
            sum(number * _onwards(counting, frame, point.here.key, point.signals, out) for out, number in outs.items())
        )
    return found


def _onwards(counting: Counting, frame: Frame | None, key: str, reached: Signals | None, out: Any) -> int:
    """How many ways lead on to the end when the child ``key`` of a frame gives ``out``."""
    if frame is None:
        return 1
    signals = frame.here.signals
    if reached is None or signals is None:
        return 1  # without signals nothing further on depends on what is decided here
    if not is_container(frame.part):
        raise NotFactorable
    open_keys = {slot.key for _, slot in slots(frame.part) if is_open(slot.part)}
    replies = tuple([None if reply is None else signals_of(reply) for reply in frame.replies])
    visited = tuple([(k, signals_of(v.wires), signals_of(v.reply)) for k, v in frame.visited.items() if k in open_keys])
    ways = counting.after(frame.part, signals, (*replies, out), (*visited, (key, reached, out)))
    return sum(
        number * _onwards(counting, frame.parent, frame.here.key, signals, leaving) for leaving, number in ways.items()
    )


def _listed(space: Space) -> list[tuple[int, ...]]:
    """The decisions of every derivation, found once."""
    known: list[tuple[int, ...]] | None = space.__dict__.get("_every")
    if known is None:
        most = bound_of(space)
        if most > LISTED:
            raise SpaceError(
                f"{space.name!r} cannot be sampled uniformly: its decisions depend on each other, and its derivations, "
                f"up to {most}, are more than the {LISTED} that are listed; sample by the weights"
            )
        known = [tuple([step.taken for step in leaf.taken()]) for leaf in space.leaves()]
        if not known:
            _explain_empty(space.derive())
        space.__dict__["_every"] = known
    return known


def whole_number(below: int, rng: numpy.random.Generator) -> int:
    """A whole number from 0, uniformly; for more than 2^53 in steps of that fineness."""
    if below < 1 << 53:
        return int(rng.random() * below)
    return int(rng.integers(1 << 53)) * below >> 53
