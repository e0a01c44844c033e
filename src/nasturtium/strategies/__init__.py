"""Strategies: what to try next. One file a family; ``STRATEGIES`` names them, ``make`` puts one together."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.objective import Limit, Objectives
from nasturtium.strategies.base import Seeded, Strategy
from nasturtium.strategies.evolution import RegularisedEvolution
from nasturtium.strategies.presets import PRESETS
from nasturtium.strategies.random import RandomSearch
from nasturtium.trial import Budget

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

STRATEGIES: dict[str, type[Strategy]] = {
    "random": RandomSearch,
    "evolution": RegularisedEvolution,
}

COMMON = ("self", "space", "seed", "budget", "objectives", "limits")


def make(
    name: str,
    *,
    space: Space,
    seed: int = 0,
    start: Iterable[Architecture | str] = (),
    budget: Budget = 1,
    objectives: Objectives = "accuracy",
    limits: Iterable[str | Limit] = (),
    **options: Any,
) -> Strategy:
    """The strategy called ``name``.

    Args:
        name: A name in ``STRATEGIES`` or ``PRESETS``.
        space: Where architectures come from.
        seed: Seed of the study.
        start: Architectures of the space, their text or notation, or names of known members, to try first.
        budget: What each trial may spend, in the estimator's unit.
        objectives: What to optimise: ``"accuracy"``, ``["accuracy", "-params"]``, or values.
        limits: What must hold: ``["params<=100k"]``, or values.
        **options: Those of the strategy, as its docstring lists them.

    Raises:
        NasturtiumError: If the name or an option is unknown, or an option's value cannot be used.
        SpaceError: If a start architecture is none of the space.
    """
    begin = [space.read(each) if isinstance(each, str) else space.adopt(each) for each in start]
    if name in PRESETS:
        preset = PRESETS[name]
        begin = begin or [_member(space, each, name) for each in preset.start]
        options = {**preset.options, **({"initial": len(begin)} if begin else {}), **options}
        name = preset.strategy
    if name not in STRATEGIES:
        known = [*STRATEGIES, *PRESETS]
        raise NasturtiumError(f"unknown strategy {name!r}{did_you_mean(name, known)} (there are: {', '.join(known)})")
    maker = STRATEGIES[name]
    allowed = [each for each in inspect.signature(maker).parameters if each not in COMMON]
    for option in options:
        if option not in allowed:
            raise NasturtiumError(
                f"strategy {name!r} has no option {option!r}{did_you_mean(option, allowed)} "
                f"(its options: {', '.join(allowed) or 'none'})"
            )
    strategy = maker(space, seed=seed, budget=budget, objectives=objectives, limits=limits, **options)
    return Seeded(strategy, begin) if begin else strategy


def _member(space: Space, member: str, preset: str) -> Architecture:
    if member not in space.members:
        known = f"knows {', '.join(space.members)}" if space.members else "knows none"
        raise NasturtiumError(
            f"strategy {preset!r} starts from {member!r}, but space {space.name!r} {known}; give others by start="
        )
    return space.member(member)


__all__ = ["PRESETS", "STRATEGIES", "RandomSearch", "RegularisedEvolution", "Seeded", "Strategy", "make"]
