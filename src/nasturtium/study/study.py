"""A study: the fold of its events into trials, the best of them, and what was tried already."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from nasturtium.errors import StudyError
from nasturtium.objective import Goal, dominates, ranking
from nasturtium.study.curve import Curve
from nasturtium.study.identity import Recorded, key_of
from nasturtium.study.store import Event, Store, event
from nasturtium.trial import Budget, Proposal, Scores, State, Strategy, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


class Study:
    """The trials of one search, kept in a store.

    The state is a fold over the events of the store and over nothing else, so that a study that is opened
    again equals the one that was closed or killed.

    Args:
        store: Where the events are; the study has it from here on and closes it.
        goal: What is optimised under which limits; may differ from one opening to the next.
        space: What makes architectures of decisions; without it trials hold :class:`Recorded` text.

    Attributes:
        trials: All trials; number ``n`` is at place ``n``.
        history: What the strategy saw, in order: ``n`` for trial n asked, ``~n`` for trial n told.
        counts: How many trials are in each state.
        losses: How many workers died of a trial, where any did.
        deaths: How many drivers died while a trial ran.
    """

    def __init__(self, store: Store, goal: Goal, space: Space | None = None) -> None:
        self.store = store
        self.goal = goal
        self.space = space
        self.trials: list[Trial] = []
        self.history: list[int] = []
        self.counts: Counter[State] = Counter()
        self.losses: dict[int, int] = {}
        self.deaths: Counter[int] = Counter()
        self.keys: list[str] = []
        self.open: dict[int, None] = {}
        self.twins: dict[tuple[str, Budget], int] = {}
        self.copies: dict[int, int] = {}
        self.leaders: list[tuple[tuple[float, ...], int]] = []
        self.last = 0
        self.refresh()

    def refresh(self) -> int:
        """Folds what was stored since; returns how many events there were."""
        count = 0
        for each in self.store.read(self.last):
            self.fold(each)
            self.last = each.id
            count += 1
        return count

    def record(self, events: Iterable[Event], durable: bool = False) -> None:
        """Stores events in one transaction, then folds them."""
        batch = tuple(events)
        self.last = self.store.append(batch, durable)
        for each in batch:
            self.fold(each)

    def ask(self, strategy: Strategy) -> Trial | None:
        """A new trial, waiting, of what the strategy proposes; None when it proposes nothing now."""
        proposals = strategy.ask(1)
        if not proposals:
            return None
        architecture, budget, parent = proposals[0]
        data: dict[str, Any] = {
            "decisions": list(architecture.decisions),
            "text": str(architecture),
            "key": key_of(architecture),
        }
        data |= {"budget": budget, "parent": parent}
        number = len(self.trials)
        self.last = self.store.append((event("asked", number, **data),))
        self.add(number, data, architecture)
        return self.trials[-1]

    def tell(
        self,
        trial: Trial,
        state: State,
        scores: Scores | None = None,
        seconds: float = 0.0,
        reason: str = "",
        copy: Trial | None = None,
        durable: bool = False,
    ) -> Trial:
        """Ends a trial, and gives what the strategy is to be told.

        Args:
            trial: A trial that has not ended.
            state: How it ended.
            scores: What it gave.
            seconds: How long it ran.
            reason: Why it ended so.
            copy: The trial whose scores (and whose checkpoint) are its own as well.
            durable: Whether this must outlive a power cut.
        """
        data: dict[str, Any] = {"state": state, "scores": dict(scores or {}), "seconds": seconds, "reason": reason}
        if copy is not None:
            data["copy"] = self.source(copy.number)
        self.last = self.store.append((event("told", trial.number, **data),), durable)
        self.end(trial, data)
        told = replace(trial)
        trial.architecture = self.lent(trial).architecture
        return told

    def source(self, number: int) -> int:
        """The trial that was run for trial ``number``: itself, or the one whose scores it was given."""
        return self.copies.get(number, number)

    @property
    def repeating(self) -> bool:
        """Whether the newest trial was given the scores of another."""
        return len(self.trials) - 1 in self.copies

    def replay(self, strategy: Strategy) -> None:
        """Brings a new strategy to where the study is.

        A complete trial that lacks a score the goal has come to need since is told as failed, as a new one would be.
        """
        for mark in self.history:
            trial = self.lent(self.trials[mark if mark >= 0 else ~mark])
            if mark < 0:
                lacking = trial.state is State.COMPLETE and self.goal.missing(trial.scores)
                strategy.tell(replace(trial, state=State.FAILED) if lacking else trial)
            else:
                strategy.asked(Proposal(trial.architecture, trial.budget, trial.parent))

    def lent(self, trial: Trial) -> Trial:
        """A copy of a trial, with an architecture of its own.

        What a strategy does with an architecture (closing it, mutating it) is kept in that object, and would
        stay in memory for as long as the study.
        """
        if self.space is None:
            return trial
        return replace(trial, architecture=self.space.architecture(trial.architecture.decisions))

    def asks(self, trial: Trial) -> tuple[str, Budget]:
        """What a trial has in common with its twins: the architecture (canonical form) and the budget."""
        return self.keys[trial.number], trial.budget

    def twin(self, trial: Trial, known: Scores | None = None) -> Trial | None:
        """A complete trial of the same architecture (canonical form) and budget, with all scores that the goal needs.

        What a larger budget gave is no score of a smaller one, nor is a point of its curve, as learning rates follow
        the budget: it would stand on top of its rung, and go on from there.

        Args:
            trial: A trial that has not ended.
            known: What is known of it beforehand, so that the twin need not have it.
        """
        number = self.twins.get(self.asks(trial))
        found = None if number is None else self.trials[number]
        return None if found is None or self.goal.missing({**(known or {}), **found.scores}) else found

    @property
    def unended(self) -> list[Trial]:
        """Trials that have not ended, by number."""
        return [self.trials[number] for number in sorted(self.open)]

    @property
    def best(self) -> Trial | None:
        """The complete trial that keeps all limits and is best by the first objective."""
        if not self.leaders:
            return None
        return self.trials[min(self.leaders, key=lambda leader: (leader[0][1], leader[0], leader[1]))[1]]

    @property
    def front(self) -> list[Trial]:
        """The complete trials that keep all limits and that no other dominates, by the first objective."""
        return [self.trials[number] for _, number in sorted(self.leaders, key=lambda leader: leader[0])]

    def top(self, count: int) -> list[Trial]:
        """The best complete trials that keep all limits, each architecture once (at its best), best first."""
        complete = [t for t in self.trials if t.state is State.COMPLETE and not self.goal.missing(t.scores)]
        able = [trial for trial in complete if self.goal.feasible(trial.scores)]
        losses = [self.goal.losses(trial.scores) for trial in able]
        chosen: dict[str, Trial] = {}
        for i in ranking(losses):
            chosen.setdefault(self.keys[able[i].number], able[i])
            if len(chosen) == count:
                break
        return list(chosen.values())

    def close(self) -> None:
        """Closes the store."""
        self.store.close()

    def __iter__(self) -> Iterator[Trial]:
        return iter(self.trials)

    def __len__(self) -> int:
        return len(self.trials)

    def fold(self, each: Event) -> None:
        """Takes in one event.

        Raises:
            StudyError: If it cannot follow what was there.
        """
        kind, number = each.kind, each.trial
        if kind == "asked":
            self.add(number, each.data)
        elif kind != "opened":
            if not 0 <= number < len(self.trials):
                raise StudyError(f"the study has an event {kind!r} of trial {number}, which was never asked")
            trial = self.trials[number]
            if kind == "reported":
                cast(Curve, trial.curve).append(each.text)
            elif kind == "told":
                self.end(trial, each.data)
            elif kind == "started":
                trial.curve = Curve()
                self.move(trial, State.RUNNING)
            elif kind == "lost":
                self.losses[number] = self.losses.get(number, 0) + 1
                self.move(trial, State.LOST)
            elif kind == "interrupted":
                self.deaths[number] += bool(each.data.get("death"))
                self.move(trial, State.WAITING)
            else:
                raise StudyError(f"the study has an event of unknown kind {kind!r}; was it written by a newer release?")

    def add(self, number: int, data: Mapping[str, Any], architecture: Architecture | None = None) -> None:
        """Takes in a trial that was asked."""
        if number != len(self.trials):
            raise StudyError(f"the study has trial {number} where trial {len(self.trials)} was expected")
        if architecture is None:
            architecture = self.architecture(data)
        trial = Trial(number, State.WAITING, architecture, data["budget"], parent=data["parent"])
        trial.curve = Curve()
        self.trials.append(trial)
        self.keys.append(data["key"])
        self.open[trial.number] = None
        self.counts[State.WAITING] += 1
        self.history.append(trial.number)

    def architecture(self, data: Mapping[str, Any]) -> Architecture:
        """The architecture that was recorded."""
        decisions = tuple(data["decisions"])
        if self.space is None:
            return cast("Architecture", Recorded(data["text"], decisions))
        return self.space.architecture(decisions)

    def move(self, trial: Trial, state: State) -> None:
        """Changes a trial's state."""
        self.counts[trial.state] -= 1
        self.counts[state] += 1
        trial.state = state

    def end(self, trial: Trial, data: Mapping[str, Any]) -> None:
        """Ends a trial as told."""
        self.move(trial, State(data["state"]))
        # Interned: JSON makes a new string of each name each time, which is a tenth of a trial's memory.
        trial.scores = {sys.intern(name): value for name, value in data["scores"].items()}
        trial.seconds, trial.reason = data["seconds"], data["reason"]
        if "copy" in data:
            self.copies[trial.number] = data["copy"]
        cast(Curve, trial.curve).seal()
        self.open.pop(trial.number, None)
        self.history.append(~trial.number)
        if trial.state is State.COMPLETE:
            self.lead(trial)
            twin = self.twins.setdefault(self.asks(trial), trial.number)
            if self.goal.missing(self.trials[twin].scores):  # of an earlier goal
                self.twins[self.asks(trial)] = trial.number

    def lead(self, trial: Trial) -> None:
        """Lets a complete trial into the front, if nothing there is better or equal."""
        if self.goal.missing(trial.scores) or not self.goal.feasible(trial.scores):
            return
        losses = self.goal.losses(trial.scores)
        if any(other == losses or dominates(other, losses) for other, _ in self.leaders):
            return
        self.leaders = [leader for leader in self.leaders if not dominates(losses, leader[0])]
        self.leaders.append((losses, trial.number))
