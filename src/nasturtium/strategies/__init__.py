"""Strategies: what to try next. One file a family; ``STRATEGIES`` names them, ``make`` puts one together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.objective import Limit, Objectives
from nasturtium.strategies.around import NeighboursFirst
from nasturtium.strategies.asha import ASHA
from nasturtium.strategies.base import Common, Seeded, Strategy
from nasturtium.strategies.bayesian import BayesianOptimisation
from nasturtium.strategies.bohb import BOHB
from nasturtium.strategies.controller import Controller, ProximalController
from nasturtium.strategies.curve_screen import CurveScreen
from nasturtium.strategies.evolution import RegularisedEvolution
from nasturtium.strategies.genetic import NSGA2, GeneticAlgorithm, GeneticCNN
from nasturtium.strategies.halving import Hyperband, SuccessiveHalving
from nasturtium.strategies.local_search import LocalSearch
from nasturtium.strategies.nao import ContinuousSearch
from nasturtium.strategies.npenas import GuidedEvolution
from nasturtium.strategies.options import taken
from nasturtium.strategies.pareto import HypervolumeSearch, ParEGO
from nasturtium.strategies.predict_then_search import PredictThenSearch
from nasturtium.strategies.presets import PRESETS, Preset
from nasturtium.strategies.progressive import ProgressiveSearch
from nasturtium.strategies.random import RandomSearch
from nasturtium.strategies.reinforce import Reinforce
from nasturtium.strategies.scalarisation import RandomScalarisation
from nasturtium.strategies.tpe import TPE
from nasturtium.strategies.tree_search import TreeSearch
from nasturtium.trial import Budget
from nasturtium.trial import Strategy as Protocol

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space
    from nasturtium.space.signal import Signal

STRATEGIES: dict[str, type[Strategy]] = {
    "random": RandomSearch,
    "local_search": LocalSearch,
    "evolution": RegularisedEvolution,
    "genetic": GeneticAlgorithm,
    "genetic_cnn": GeneticCNN,
    "reinforce": Reinforce,
    "controller": Controller,
    "ppo": ProximalController,
    "mcts": TreeSearch,
    "nsga2": NSGA2,
    "scalarisation": RandomScalarisation,
    "successive_halving": SuccessiveHalving,
    "hyperband": Hyperband,
    "asha": ASHA,
    "curve_screen": CurveScreen,
    "tpe": TPE,
    "bohb": BOHB,
    "bayesian": BayesianOptimisation,
    "npenas": GuidedEvolution,
    "predict_then_search": PredictThenSearch,
    "pnas": ProgressiveSearch,
    "nao": ContinuousSearch,
    "hypervolume": HypervolumeSearch,
    "parego": ParEGO,
    "neighbours_first": NeighboursFirst,
}
"""Every strategy by its name."""

USUAL = {"group": ("sequences", "asha_sequences")}
"""The strategies to begin with, by the kind of the input, where that is not ``evolution``: groups hold events. The
second, which trains for a short time first, where trials are not counted: there a short one counts as much as any."""

COMMON = ("space", *Common.__annotations__)
METHODS = ("ask", "asked", "tell")


def for_signal(signal: Signal, objectives: int = 1, timed: bool = False) -> str:
    """The name of the strategy to begin with.

    Args:
        signal: The input, whose kind decides.
        objectives: How many there are; where there are several, one is chosen that looks at all.
        timed: Whether it is time that the search is given, not a number of trials.
    """
    return USUAL[signal.kind][timed] if objectives == 1 and signal.kind in USUAL else "evolution"


def known_first(signal: Signal, space: Space, trials: int | None) -> list[str]:
    """The known networks that a search of tables of events begins with: a quarter of its trials at most."""
    return list(space.members)[: None if trials is None else trials // 4] if signal.kind in USUAL else []


def make(
    name: str | Callable[..., Any],
    *,
    space: Space,
    seed: int = 0,
    start: Iterable[Architecture | str] = (),
    budget: Budget = 1,
    objectives: Objectives = "accuracy",
    limits: Iterable[str | Limit] = (),
    **options: Any,
) -> Strategy:
    """The strategy called ``name``, or made by a class or function.

    Args:
        name: A name in ``STRATEGIES`` or ``PRESETS``; or a class or function that is given the space and, by name,
            whichever of seed, budget, objectives, limits and the options it takes.
        space: Where architectures come from.
        seed: Seed of the study.
        start: Architectures of the space, their text or notation, or names of known members, to try first.
        budget: What each trial may spend, in the estimator's unit.
        objectives: What to optimise: ``"accuracy"``, ``["accuracy", "-params"]``, or values.
        limits: What must hold: ``["params<=100k"]``, or values.
        **options: Those of the strategy, as its docstring lists them.

    Raises:
        NasturtiumError: If the name or an option is unknown, an option's value cannot be used, or what was made is no
            strategy.
        SpaceError: If a start architecture is none of the space.
    """
    begin = [space.read(each) if isinstance(each, str) else space.adopt(each) for each in start]
    if isinstance(name, str) and name in PRESETS:
        begin = begin or [_member(space, each, name) for each in PRESETS[name].start]
        name, options = _preset(PRESETS[name], len(begin), options)
    maker = _maker(name)
    common = {"seed": seed, "budget": budget, "objectives": objectives, "limits": limits}
    strategy: Strategy = _checked(maker(space, **_accepted(maker, name, common, options)), name)
    if not begin:
        return strategy
    if not isinstance(strategy, Strategy):
        raise NasturtiumError(
            f"strategy {_named(name)} cannot be given architectures to start from: derive it from "
            "nasturtium.strategies.Strategy, or have it propose them itself"
        )
    return Seeded(strategy, begin)


def _preset(preset: Preset, begun: int, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The strategy of a preset and its options; a population that is filled up begins with what is given."""
    counted = {"initial": begun} if begun and preset.options.get("fill") else {}
    return preset.strategy, {**preset.options, **counted, **options}


def _maker(name: str | Callable[..., Any]) -> Callable[..., Any]:
    if not isinstance(name, str):
        if not callable(name):
            raise NasturtiumError(f"{name!r} is no strategy: give a name, a class or a function")
        return name
    if name not in STRATEGIES:
        known = [*STRATEGIES, *PRESETS]
        raise NasturtiumError(f"unknown strategy {name!r}{did_you_mean(name, known)} (there are: {', '.join(known)})")
    return STRATEGIES[name]


def _accepted(
    maker: Callable[..., Any], name: str | Callable[..., Any], common: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """What a maker is called with: what it takes of the common things, and all options, which it must take."""
    try:
        names = taken(maker)
    except ValueError:  # of what is built into Python
        raise NasturtiumError(f"{_named(name)} is no strategy: give a name, a class or a function") from None
    if names is None:
        return {**common, **options}
    allowed = [each for each in names if each not in COMMON]
    for option in options:
        if option not in allowed:
            raise NasturtiumError(
                f"strategy {_named(name)} has no option {option!r}{did_you_mean(option, allowed)} "
                f"(its options: {', '.join(allowed) or 'none'})"
            )
    return {**{key: value for key, value in common.items() if key in names}, **options}


def _checked(made: Any, name: str | Callable[..., Any]) -> Any:
    lacking = [method for method in METHODS if not callable(getattr(made, method, None))]
    if lacking:
        raise NasturtiumError(
            f"{_named(name)} made {type(made).__name__}, which is no strategy: it has no {', '.join(lacking)} "
            "(a strategy has ask(n), asked(proposal) and tell(trial))"
        )
    return made


def _named(name: str | Callable[..., Any]) -> str:
    return repr(name) if isinstance(name, str) else getattr(name, "__name__", repr(name))


def _member(space: Space, member: str, preset: str) -> Architecture:
    if member not in space.members:
        known = f"knows {', '.join(space.members)}" if space.members else "knows none"
        raise NasturtiumError(
            f"strategy {preset!r} starts from {member!r}, but space {space.name!r} {known}; give others by start="
        )
    return space.member(member)


__all__ = [
    "ASHA", "BOHB", "NSGA2", "PRESETS", "STRATEGIES", "TPE", "BayesianOptimisation", "Common", "ContinuousSearch",
    "Controller", "CurveScreen", "GeneticAlgorithm", "GeneticCNN", "GuidedEvolution", "Hyperband", "HypervolumeSearch",
    "LocalSearch", "NeighboursFirst", "ParEGO", "PredictThenSearch", "ProgressiveSearch", "Protocol",
    "ProximalController", "RandomScalarisation", "RandomSearch", "RegularisedEvolution", "Reinforce", "Seeded",
    "Strategy", "SuccessiveHalving", "TreeSearch", "for_signal", "known_first", "make",
]  # fmt: skip
