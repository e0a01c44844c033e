"""The stages of a search: trials until time or trials are over, then the final trainings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium import spaces
from nasturtium.errors import SpaceError, StudyError
from nasturtium.final import TRIALS, Finish, Wanted, leading, no_winner, winner
from nasturtium.objective import Goal
from nasturtium.searching.costing import Costing
from nasturtium.searching.result import Best, Result
from nasturtium.searching.screening import Screen
from nasturtium.searching.settings import write_settings
from nasturtium.space import Architecture, Space
from nasturtium.study.folder import place_of, without_password
from nasturtium.tasks import Task
from nasturtium.trial import Scores, Strategy

if TYPE_CHECKING:
    from nasturtium.estimators import Training
    from nasturtium.study import Executor, Progress, Study
    from nasturtium.study.early import Rule

PRELOADED = ("torch", "torch._dynamo", "nasturtium.estimators.run", "nasturtium.final.training")
"""What workers have imported before their first trial, so that its seconds are those of the training."""
SHARE = 0.6
"""Share of a time limit that is the search's in any case; of the rest, what the final trainings do not need."""
LEAST_SECONDS = 1.0
"""In which trials may start in any case, so that there is something to train in the end."""


def space_for(given: str | Space | Callable[..., Space] | None, task: Task, options: Mapping[str, Any]) -> Space:
    """The space that was given, made for a task; by its kind of input if none was.

    Raises:
        SpaceError: If there are options for a space that is made already, or there is no such space.
    """
    if isinstance(given, Space):
        if options:
            raise SpaceError(
                f"space_options ({', '.join(options)}) are for a space that is yet to be made, and {given.name!r} is "
                "made already; give them where you make it, or give its name or the function that makes it"
            )
        return given
    if callable(given):
        return given(input=task.inputs, outputs=task.outputs, **options)
    return spaces.make(given or spaces.for_signal(task.inputs[0]), task.inputs, task.outputs, **options)


@dataclass(frozen=True)
class Kept:
    """Where a search is kept.

    Attributes:
        folder: Of all files; in memory if None.
        store: URL of a database for the trials, instead of a file.
        header: What must stay the same while the study lives.
        options: Those that the space was made with.
        call: How the search was called (see :func:`nasturtium.searching.calling.call_of`).
    """

    folder: Path | None
    store: str | None
    header: dict[str, Any]
    options: dict[str, Any]
    call: dict[str, Any]

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            StudyError: If that cannot be done.
        """
        if self.folder is None:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StudyError(f"cannot write to {self.folder}: {error.strerror}; give another folder") from None

    def note(self, trials: int | None, task: Task, space: Space, goal: Goal, recommended: Iterable[int] = ()) -> None:
        """Write down how the study was made, once it is ours; in the end also which trials are recommended."""
        if self.folder is not None:
            store = None if self.store is None else without_password(self.store)
            noted = {**self.header, "trials": trials, "store": store, "call": self.call,
                     "recommended": list(recommended)}  # fmt: skip
            write_settings(self.folder, task, space, goal, noted, self.options)


@dataclass(frozen=True)
class Means:
    """How trials are run.

    Attributes:
        memory: Most bytes a worker may take.
        trial_seconds: Time limit of a trial.
        alone: Whether a trial has a process of its own even with one worker.
        quiet: Show no progress.
        stop: Says after each report whether a trial ends early.
    """

    memory: int | None
    trial_seconds: float | None
    alone: bool
    quiet: bool
    stop: Rule | None = None

    @property
    def isolated(self) -> bool:
        """Whether no trial may run in this process."""
        return self.alone or self.memory is not None or self.trial_seconds is not None


@dataclass
class Search:
    """A search that is ready to run.

    Attributes:
        space: Where architectures come from.
        goal: What is optimised, under which limits.
        strategy: Decides what to try.
        training: Trains what is tried.
        wanted: What is to be done in the end.
        kept: Where all is kept, and what is noted there.
        means: How trials are run.
        screen: Proxies whose scores trials keep, if there are any.
    """

    space: Space
    goal: Goal
    strategy: Strategy
    training: Training
    wanted: Wanted
    kept: Kept
    means: Means
    screen: Screen | None = None

    def result(self, trials: int | None, seconds: float | None) -> Result:
        """Run it: the trials, then the final trainings."""
        from nasturtium.estimators import lengths_for
        from nasturtium.study import open_study, run

        place, name = place_of(self.kept.folder, self.kept.store)
        self.kept.prepare()
        study = open_study(place, self.goal, self.space, self.kept.header, name=name)
        try:
            self.kept.note(trials, self.training.task, self.space, self.goal)
            self.training.lengths = lengths_for(self.training.lengths, study.trials)
            if self.screen is not None:
                self.screen.lengths = self.training.lengths
            ending = run(
                study,
                self.strategy,
                self.executor(self.training, self.space),
                trials=trials,
                seed=self.wanted.seed,
                time=self.left(seconds),
                spares=self.spares,
                trial_seconds=self.means.trial_seconds,
                cost=self.cost(study),
                folder=None if self.kept.folder is None else self.kept.folder / TRIALS,
                stop=self.means.stop,
                progress=self.progress(trials, seconds),
                tidy=self.training.tidy,
            )
            if recommended := self.recommended:
                order = [trial.number for trial in leading(study, len(study.trials), recommended)]
                self.kept.note(trials, self.training.task, self.space, self.goal, order)
            return self.conclude(study, str(ending))
        finally:
            study.close()

    def left(self, seconds: float | None) -> float | None:
        """Seconds in which trials may start in any case, of a time limit that began before the data were loaded."""
        left = self.wanted.left
        if seconds is None or left is None:
            return None
        return max(left - seconds * (1 - SHARE if self.wanted.epochs > 0 else 0.0), LEAST_SECONDS)

    @property
    def spares(self) -> Callable[[Study], bool] | None:
        """Says whether a trial that starts after that leaves time for the final trainings."""
        from nasturtium.final import Reserve

        if self.wanted.left is None or self.wanted.epochs == 0:
            return None
        reserve = Reserve(self.training, self.wanted)
        return lambda study: reserve.spares(study, lambda: self.recommended)

    def conclude(self, study: Study, ending: str) -> Result:
        """The best network, trained for use if there is time and nobody stopped the search."""
        leader = winner(study, self.recommended)
        if leader is None and ending == "interrupted":
            raise KeyboardInterrupt
        if leader is None:
            raise StudyError(no_winner(study))
        best = Best(leader.architecture, dict(leader.scores), number=leader.number)
        result = Result(best, tuple(study.trials), self.training.task, self.space, self.kept.folder, ending)
        if self.wanted.epochs > 0 and ending != "interrupted":
            self.take(result, self.finished(study))
        return result

    def finished(self, study: Study) -> Finish:
        """The final trainings."""
        from nasturtium.final import finish

        return finish(
            study,
            self.training,
            self.wanted,
            self.executor,
            self.kept.folder,
            self.kept.header,
            self.progress,
            self.note,
            self.recommended,
        )

    @property
    def recommended(self) -> Sequence[Architecture]:
        """What the strategy takes to be best where that is not what scored best."""
        recommended: Sequence[Architecture] = getattr(self.strategy, "recommended", tuple)()
        return recommended

    def take(self, result: Result, made: Finish) -> None:
        """Note in a result what the final trainings gave."""
        number = made.finals.best.number
        if number is not None:
            result.best = Best(made.architecture, dict(made.known), number=number)
        result.best.model = made.model
        result.best.scores |= made.scores
        result.finals = made.finals
        if made.interrupted:
            result.ending = "interrupted"

    def executor(self, estimator: Any, space: Any) -> Executor:
        """What runs the trials, or the final trainings: this process, or several of their own."""
        from nasturtium.study import InProcess, LocalProcesses

        if self.wanted.workers == 1 and not self.means.isolated:
            return InProcess(estimator)
        return LocalProcesses(estimator, space, self.wanted.workers, preload=PRELOADED, memory=self.means.memory)

    def cost(self, study: Study) -> Callable[[Architecture], Scores]:
        """What says what the limits before training need, and what proxies said."""
        costs, screen = Costing(self.training, self.goal, study), self.screen
        return costs if screen is None else lambda architecture: {**costs(architecture), **screen.kept(architecture)}

    def progress(self, trials: int | None, seconds: float | None = None) -> Progress:
        """A line about so many trials."""
        from nasturtium.study import make_progress

        return make_progress(trials, seconds, self.means.quiet)

    def note(self, text: str) -> None:
        """Something the user should know, unless nothing is to be shown."""
        if not self.means.quiet:
            sys.stderr.write(f"{text}\n")
