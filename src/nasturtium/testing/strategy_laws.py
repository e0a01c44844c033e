"""The laws of strategies, as functions of what makes one, a space and a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from nasturtium import strategies
from nasturtium.space import Space
from nasturtium.testing.broken import LawBroken, require
from nasturtium.testing.chance import disturbed, global_state, kept, moved
from nasturtium.testing.driving import End, asked, drive, good, places, plain, replay, rough
from nasturtium.testing.laws import generator
from nasturtium.testing.small_spaces import SMALL_SPACES
from nasturtium.trial import Proposal, State, Strategy

Make = Callable[[Space, int], Strategy]
"""Makes a strategy of a space and a seed."""

COUNT = 36
"""Trials of the searches that laws are held over."""

CUTS = 3
"""At so many places a search is replayed."""

BUDGET = 9
"""What a trial may spend, so that strategies of several budgets have room."""


def replays(make: Make, space: Space, seed: int) -> None:
    """Replayed from its events up to any place, a strategy proposes there what it proposed; so a study can go on."""
    for workers in (1, 3):
        events = drive(make(space, seed), COUNT, workers, rough)
        cuts = places(events)[COUNT // 4 :]
        for cut in generator(seed).choice(cuts, min(CUTS, len(cuts)), replace=False).tolist():
            proposed = replay(make(space, seed), events[:cut], space).ask(1)
            known: Any = events[cut]
            same = [plain(each) for each in proposed] == [plain(known)]
            what = f"replayed up to event {cut} of {len(events)} (trials at a time: {workers}), it proposes otherwise"
            require(same, what, proposed, known)


def asks_one_by_one(make: Make, space: Space, seed: int) -> None:
    """Several are asked at once as one by one, and never more than were asked for."""
    several, one = make(space, seed), make(space, seed)
    together = several.ask(4)
    require(len(together) <= 4, "asked for 4, it proposes more", len(together))
    apart = [proposal for _ in range(len(together)) for proposal in one.ask(1)]
    require([*map(plain, together)] == [*map(plain, apart)], "asked for 4, it proposes otherwise", together, apart)


def draws_nothing_when_told(make: Make, space: Space, seed: int) -> None:
    """What it is told moves none of the generators that it keeps: a study that goes on does not draw again."""
    strategy = make(space, seed)

    class Watched:
        """Asks the strategy, and looks at its generators while it is told."""

        def ask(self, n: int = 1) -> list[Proposal]:
            return strategy.ask(n)

        def asked(self, proposal: Proposal) -> None:
            strategy.asked(proposal)

        def tell(self, trial: Any) -> None:
            before = kept(strategy)
            strategy.tell(trial)
            require(not moved(before, kept(strategy)), "being told of a trial moved a generator of numbers", trial)

    drive(Watched(), COUNT, 2, rough)


def follows_from_its_seed(make: Make, space: Space, seed: int) -> None:
    """The seed decides all: global generators are neither read nor moved."""
    found = []
    for others in (1, 99):
        with disturbed(others):
            before = global_state()
            found.append([plain(each) for each in asked(drive(make(space, seed), COUNT, 2, rough))])
            require(global_state() == before, "a global generator of random numbers moved", space)
    require(found[0] == found[1], "the same seed proposes otherwise after others drew numbers", space)


def stays_in_the_space(make: Make, space: Space, seed: int) -> None:
    """Proposals are closed architectures that keep the constraints, and go on with trials of theirs that ended."""
    events = drive(make(space, seed), COUNT, 3, rough)
    numbers = dict(zip(places(events), range(COUNT), strict=False))
    ended: dict[int, Any] = {}
    for place, event in enumerate(events):
        if not isinstance(event, Proposal):
            ended[event.number] = event
            continue
        architecture = event.architecture
        closed = space.replay(architecture.decisions).point is None
        require(closed and space.admits(architecture), "a proposal is not in the space", architecture)
        require(event.budget > 0, f"trial {numbers[place]} has no budget", event)
        if event.parent is not None:
            known = ended.get(event.parent)
            same = known is not None and known.architecture.decisions == architecture.decisions
            require(same, f"trial {numbers[place]} goes on with {event.parent}, no trial of it that ended", event)


def goes_on_without_scores(make: Make, space: Space, seed: int) -> None:
    """It goes on whatever becomes of trials.

    All fail, are infeasible, stopped early, or have scores that are no numbers; or some are lost with their workers,
    and it is told of them, as failed, when nothing else runs.
    """
    for state in (State.FAILED, State.INFEASIBLE, State.STOPPED, State.COMPLETE):
        _goes_on(make(space, seed), _always(state), f"where all trials are {state}", None)
    _goes_on(make(space, seed), _lost, "where every third trial is lost", lambda number: number % 3 == 1)


def _goes_on(strategy: Strategy, end: End, where: str, late: Callable[[int], bool] | None) -> None:
    """Drive a search to its end.

    Raises:
        LawBroken: If it does not come to its end.
    """
    try:
        drive(strategy, COUNT, 2, end, late)
    except LawBroken as broken:
        raise LawBroken(f"{where}, {broken}") from None
    except Exception as error:
        raise LawBroken(f"{where}, it raises {type(error).__name__}: {error}") from error


def _always(state: State) -> End:
    nan = {"accuracy": float("nan"), "params": float("nan")}
    return lambda number, proposal: (state, nan if state is State.COMPLETE else {})


def _lost(number: int, proposal: Proposal) -> tuple[State, dict[str, float]]:
    return (State.FAILED, {}) if number % 3 == 1 else good(number, proposal)


STRATEGY_LAWS: dict[str, Callable[[Make, Space, int], None]] = {
    "goes_on_without_scores": goes_on_without_scores,
    "replays": replays,
    "asks_one_by_one": asks_one_by_one,
    "draws_nothing_when_told": draws_nothing_when_told,
    "follows_from_its_seed": follows_from_its_seed,
    "stays_in_the_space": stays_in_the_space,
}
"""Every law by its name."""


def check_strategy(
    strategy: str | Callable[..., Any], spaces: Iterable[Space] | None = None, seeds: int = 1, **options: Any
) -> None:
    """Hold all laws over a strategy, on small spaces of each kind.

    Args:
        strategy: What :func:`nasturtium.strategies.make` takes: a class, a function, or a name.
        spaces: Other spaces; their architectures are searched by the sum of their decisions, not trained.
        seeds: For so many seeds.
        **options: Of the strategy, and those that all have: objectives (of ``accuracy`` and ``params``), limits and
            budget (9 if not given).

    Raises:
        LawBroken: At the first that is broken, with what was at fault.
        NasturtiumError: If the strategy cannot be made.
    """
    given = {"budget": BUDGET, **options}

    def make(space: Space, seed: int) -> Strategy:
        return strategies.make(strategy, space=space, seed=seed, **given)

    for space in SMALL_SPACES.values() if spaces is None else spaces:
        for seed in range(seeds):
            for law in STRATEGY_LAWS.values():
                law(make, space, seed)
