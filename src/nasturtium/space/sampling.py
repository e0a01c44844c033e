"""Sampling: derivations whose decisions are drawn, guided by preferences where there are any."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from nasturtium.errors import SpaceError
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import Choice
from nasturtium.space.derivation import Derivation, Point, Step
from nasturtium.space.limits import TooLarge
from nasturtium.space.uniform import draw_uniform

if TYPE_CHECKING:
    import numpy

    from nasturtium.space.space import Space

REJECTIONS = 10_000
"""How many samples may fail the constraints in a row."""

Prefer = Callable[[Point], int | None]
"""The option that is wanted at a point, or None."""


def sample(space: Space, rng: numpy.random.Generator, uniform: bool) -> Architecture:
    """See :meth:`Space.sample`."""
    for _ in range(REJECTIONS):
        try:
            architecture = _drawn(space, rng, uniform)
        except TooLarge:
            continue
        if space.admits(architecture):
            return architecture
    names = ", ".join(getattr(constraint, "__name__", str(constraint)) for constraint in space.where)
    raise SpaceError(
        f"none of {REJECTIONS} samples of {space.name!r} keeps its constraints ({names}): "
        "loosen them, or close choices that lead nowhere"
    )


def _drawn(space: Space, rng: numpy.random.Generator, uniform: bool) -> Architecture:
    if space.radices is not None:
        return _product_sample(space, rng, uniform)
    return space.finished(draw_uniform(space, rng) if uniform else guided(space, rng))


def guided(space: Space, rng: numpy.random.Generator, prefer: Prefer | None = None, spent: int = 0) -> Derivation:
    """Derive, taking what is preferred where it is offered and drawing the rest.

    Args:
        space: The space.
        rng: The generator to draw with.
        prefer: The option wanted at each point; all are drawn if not given.
        spent: Allow at least this many nodes.
    """
    derivation = space.derive(spent=spent)
    while (point := derivation.point) is not None:
        wanted = None if prefer is None else prefer(point)
        remaining = point.remaining
        if wanted is None or wanted not in remaining or (point.afresh and len(remaining) > 1):
            wanted = draw(point, rng)
        derivation.take(wanted)
    return derivation


def draw(point: Point, rng: numpy.random.Generator) -> int:
    """One of the remaining options, by weight."""
    remaining = point.remaining
    if len(remaining) == 1:
        return remaining[0]
    if point.choice.weights is None:
        return remaining[int(rng.random() * len(remaining))]
    cumulative = _cumulative(point.choice, remaining)
    return remaining[min(bisect_right(cumulative, rng.random() * cumulative[-1]), len(remaining) - 1)]


@lru_cache(maxsize=1 << 14)
def _cumulative(choice: Choice, indices: tuple[int, ...]) -> tuple[float, ...]:
    weights = choice.weights or (1.0,) * len(choice.options)
    return tuple(accumulate(weights[index] for index in indices))


def _product_sample(space: Space, rng: numpy.random.Generator, uniform: bool) -> Architecture:
    decisions = []
    for radix, step in zip(space.radices or (), template(space), strict=True):
        even = uniform or step.point.choice.weights is None
        decisions.append(int(rng.random() * radix) if even else draw(step.point, rng))
    return space.architecture(decisions)


def template(space: Space) -> tuple[Step, ...]:
    """The choices of a product space, which are the same for every architecture."""
    known = space.__dict__.get("_template")
    if known is None:
        known = space.__dict__["_template"] = space.architecture((0,) * len(space.radices or ())).steps
    steps: tuple[Step, ...] = known
    return steps
