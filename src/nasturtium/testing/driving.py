"""Searches without a study: a strategy is asked and told, its events are recorded, and another one replays them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nasturtium.space import Architecture, Space
from nasturtium.testing.broken import require
from nasturtium.trial import Budget, Proposal, State, Strategy, Trial

Event = Proposal | Trial
"""What a strategy asked for, or a trial that it was told of."""

End = Callable[[int, Proposal], tuple[State, Mapping[str, float]]]
"""How a trial ends, by its number and what was proposed: its state and its scores."""


def score(architecture: Architecture, seed: int = 0) -> float:
    """Between 0 and 1: the mean worth of the decisions, each by itself."""
    worths = [zlib.crc32(f"{seed} {i} {d}".encode()) % 1000 / 999 for i, d in enumerate(architecture.decisions)]
    return sum(worths) / len(worths)


def good(number: int, proposal: Proposal) -> tuple[State, dict[str, float]]:
    """Every trial is complete."""
    architecture = proposal.architecture
    return State.COMPLETE, {"accuracy": score(architecture), "params": float(sum(architecture.decisions))}


def rough(number: int, proposal: Proposal) -> tuple[State, Mapping[str, float]]:
    """Of every seven trials, some fail, stop, are infeasible, or give scores that are no numbers."""
    state, scores = good(number, proposal)
    broken: dict[int, tuple[State, dict[str, float]]] = {
        1: (State.FAILED, {}),
        2: (State.COMPLETE, {**scores, "accuracy": float("nan")}),
        3: (State.INFEASIBLE, {"params": 1e6}),
        4: (State.STOPPED, {"accuracy": 0.1, "params": 1.0}),
        5: (State.COMPLETE, {**scores, "accuracy": float("inf")}),
    }
    return broken.get(number % 7, (state, scores))


def drive(
    strategy: Strategy, count: int, workers: int = 1, end: End = good, late: Callable[[int], bool] | None = None
) -> list[Event]:
    """Runs a search.

    Args:
        strategy: Is asked one by one.
        count: Trials.
        workers: Trials that run at a time; they do not end in order.
        end: How each ends.
        late: Which trials, by number, end when nothing else runs, as those whose worker died do: they hold no worker.

    Returns:
        Its events: proposals as they were asked, trials as they were told.

    Raises:
        LawBroken: If nothing runs, and nothing is proposed.
    """
    events: list[Event] = []
    running: list[tuple[int, Proposal]] = []
    number = 0
    while number < count or running:
        busy = [each for each in running if late is None or not late(each[0])]
        proposals = strategy.ask(1) if len(busy) < workers and number < count else []
        if proposals:
            events.append(proposals[0])
            running.append((number, proposals[0]))
            number += 1
            continue
        require(bool(running), f"after {number} trials nothing runs, and nothing is proposed", strategy)
        ending = busy or running
        which, proposal = ending[number * 5 % len(ending)]
        running.remove((which, proposal))
        state, scores = end(which, proposal)
        trial = Trial(which, state, proposal.architecture, proposal.budget, dict(scores), parent=proposal.parent)
        events.append(trial)
        strategy.tell(trial)
    return events


def replay(strategy: Any, events: Iterable[Event], space: Space) -> Any:
    """Brings a new strategy to where the events led, with architectures that know their decisions alone."""
    for event in events:
        architecture = space.architecture(event.architecture.decisions)
        if isinstance(event, Proposal):
            strategy.asked(Proposal(architecture, event.budget, event.parent))
        else:
            told = Trial(event.number, event.state, architecture, event.budget, event.scores, parent=event.parent)
            strategy.tell(told)
    return strategy


def asked(events: Iterable[Event]) -> list[Proposal]:
    """The proposals among events."""
    return [event for event in events if isinstance(event, Proposal)]


def places(events: Sequence[Event]) -> list[int]:
    """Where in the events something was asked."""
    return [number for number, event in enumerate(events) if isinstance(event, Proposal)]


def plain(proposal: Proposal) -> tuple[tuple[int, ...], Budget, int | None]:
    """A proposal as plain values."""
    return proposal.architecture.decisions, proposal.budget, proposal.parent
