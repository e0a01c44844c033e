"""The loop: asks, checks limits, runs trials, records what happens, tells; and goes on where it stopped."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.study.complaints import Complaints
from nasturtium.study.ending import DEADLY, FULL, Closing, Ending
from nasturtium.study.executor import Ended, Executor, InProcess, Job, reason_of
from nasturtium.study.gate import Gate
from nasturtium.study.interrupts import Interrupts
from nasturtium.study.progress import Progress, Silent
from nasturtium.study.reports import Reports
from nasturtium.study.store import event
from nasturtium.study.study import Study
from nasturtium.trial import Scores, State, Strategy, Trial, trial_seed

if TYPE_CHECKING:
    from nasturtium.space import Architecture

RETRIES = 2
"""How often a trial whose worker died is tried again."""
DURABLE_SECONDS = 0.05
"""A trial that took longer is recorded so that it outlives a power cut, which costs some milliseconds."""
SAME = "scores of trial {}, the same architecture"
GONE = "{} has a trial go on from trial {}, whose checkpoint was not kept; give the strategy continues = True"


def run(
    study: Study,
    strategy: Strategy,
    executor: Executor,
    *,
    trials: int | None,
    seed: int = 0,
    time: float | None = None,
    spares: Callable[[Study], bool] | None = None,
    trial_seconds: float | None = None,
    cost: Callable[[Architecture], Scores] | None = None,
    folder: Path | None = None,
    repeats: bool = False,
    stop: Callable[[Study, Trial], bool | str] | None = None,
    progress: Progress | None = None,
    seed_of: Callable[[Trial], int] | None = None,
    tidy: Callable[[Path], None] | None = None,
) -> Ending:
    """Searches until there are ``trials`` trials, going on from whatever the study holds.

    The strategy must be new: it is brought to where the study is by replaying it. Trials that ran when the
    last driver died are run again under the same number and seed. Ctrl-C once lets running trials finish;
    twice ends them.

    Args:
        study: Holds the trials; stays open.
        strategy: Decides what to try.
        executor: Runs the trials; is shut down at the end.
        trials: How many trials the study shall have, infeasible ones not counted; as many as there are if None.
        seed: Seed of the study.
        time: Seconds after which no more trials start; those that run are finished.
        spares: Says after that time, before each further trial, whether it may start nevertheless.
        trial_seconds: Time limit of one trial; beyond it, it is ended by force and failed.
        cost: Gives the structural metrics of an architecture before training (``params``, ``flops``, ...);
            they are checked against the limits, and joined to the trial's scores.
        folder: Where trials may keep checkpoints, each in a folder of its own.
        repeats: Whether to train the same architecture again at a budget, instead of copying the scores it has there.
        stop: Called after each report; True, or a reason, stops the trial early (see :mod:`nasturtium.study.early`).
        progress: Is kept up to date.
        seed_of: Gives the seed of a trial's run; by default it follows from the seed and the trial's number.
        tidy: Called with the folder of each trial that ended, where no other trial may go on from it.

    Returns:
        Why it ended.

    Raises:
        StudyError: If the study cannot be written, workers cannot start, or nothing keeps the limits.
        KeyboardInterrupt: At the second Ctrl-C; all that ended is recorded, the rest can be resumed.
    """
    closing, gate = Closing(time, spares), Gate(study.goal, cost)
    loop = Loop(study, strategy, executor, trials, seed, closing, trial_seconds, gate, folder, repeats, stop)
    loop.progress, loop.seed_of = progress or Silent(), seed_of
    loop.tidy = None if getattr(strategy, "continues", True) else tidy
    try:
        return loop.run()
    finally:
        executor.shutdown()
        loop.progress.close()


@dataclass
class Loop:
    """The state of one run; see :func:`run` for the fields."""

    study: Study
    strategy: Strategy
    executor: Executor
    trials: int | None
    seed: int
    closing: Closing
    trial_seconds: float | None
    gate: Gate
    folder: Path | None
    repeats: bool
    stop: Callable[[Study, Trial], bool | str] | None
    progress: Progress = field(default_factory=Silent)
    seed_of: Callable[[Trial], int] | None = None
    tidy: Callable[[Path], None] | None = None
    queue: deque[Trial] = field(default_factory=deque)
    running: dict[int, dict[str, float]] = field(default_factory=dict)
    verdicts: dict[int, str] = field(default_factory=dict)
    interrupts: Interrupts = field(default_factory=Interrupts)
    complaints: Complaints = field(default_factory=Complaints)

    def __post_init__(self) -> None:
        self.reports = Reports(self.study)

    def run(self) -> Ending:
        """Until the end."""
        self.study.replay(self.strategy)
        if self.trials is None and self.study.repeating and (look := getattr(self.strategy, "look", None)):
            look()  # or each time that the search goes on one more is asked to find out
        self.take_over()
        with self.interrupts.caught(self.on_interrupt):
            try:
                ending = self.fill()
                while self.running:
                    self.collect()
                    ending = self.fill()
            except (KeyboardInterrupt, NasturtiumError):
                self.give_back()
                raise
        return ending

    def take_over(self) -> None:
        """Queues what the last driver left; what ran when it died is run again."""
        left = self.study.unended
        died = [trial for trial in left if trial.state is not State.WAITING]
        self.study.record([event("interrupted", trial.number, death=True) for trial in died])
        self.queue.extend(left)
        for trial in died:
            times = self.study.deaths[trial.number]
            if times > 1 and isinstance(self.executor, InProcess):
                self.progress.note(DEADLY.format(trial.number, times))

    def give_back(self) -> None:
        """Records what ran as interrupted, if the store can still be written."""
        with contextlib.suppress(StudyError):  # what is on its way to the user says more
            self.reports.store()
            self.study.record([event("interrupted", number) for number in self.running])

    def fill(self) -> Ending:
        """Starts trials while there is room; says what would end the run if nothing ran."""
        self.progress.update(self.study, len(self.running))
        while True:
            if self.interrupts.count:
                return Ending.INTERRUPTED
            if len(self.running) >= self.executor.capacity:
                return Ending.TRIALS
            if self.closing.over(self.study):
                return Ending.TIME
            if (trial := self.next()) is None:
                return Ending.TRIALS if self.trials is not None and self.enough else Ending.NOTHING
            self.start(trial)

    def next(self) -> Trial | None:
        """The next trial to start: one that waits, or a new one; None if there is none now."""
        busy = set() if self.repeats else {self.study.asks(self.study.trials[number]) for number in self.running}
        for place, trial in enumerate(self.queue):
            if self.study.asks(trial) not in busy:  # else it waits for its twin, whose scores will do
                del self.queue[place]
                return trial
        while len(self.queue) < self.executor.capacity and not self.enough:
            new = self.study.ask(self.strategy)
            if new is None or self.study.asks(new) not in busy:
                return new
            self.queue.append(new)
        return None

    @property
    def enough(self) -> bool:
        """Whether all trials have been asked, infeasible ones not counted; without a number, all that there is."""
        none_left: bool = self.study.repeating and getattr(self.strategy, "exhausted", False)
        asked = len(self.study) - self.study.counts[State.INFEASIBLE]
        return none_left if self.trials is None else asked >= self.trials

    def start(self, trial: Trial) -> None:
        """Runs a trial, unless its limits or its twin make that needless."""
        try:
            costs = self.gate.costs(trial.architecture)
        except Exception as error:  # a cost rule's fault is this trial's, and is recorded with it
            self.tell(trial, State.FAILED, {}, reason=reason_of(error))
            return
        refusal = self.gate.refuse(costs)
        twin = None if self.repeats else self.study.twin(trial, costs)
        if refusal:
            self.tell(trial, State.INFEASIBLE, costs, reason=refusal)
            self.gate.check()
        elif twin is not None:
            scores, reason = {**costs, **twin.scores}, SAME.format(self.study.source(twin.number))
            state, reason = self.gate.verdict(State.COMPLETE, scores, reason)
            self.tell(trial, state, scores, reason=reason, copy=twin)
        else:
            self.study.record((event("started", trial.number),))
            self.running[trial.number] = costs
            self.executor.submit(self.job(trial))

    def job(self, trial: Trial) -> Job:
        """What the executor must know of a trial."""
        return Job(
            number=trial.number,
            architecture=trial.architecture,
            budget=trial.budget,
            seed=trial_seed(self.seed, trial.number) if self.seed_of is None else self.seed_of(trial),
            folder=self.folder_of(trial.number),
            previous=self.previous(trial),
            seconds=self.trial_seconds,
            stoppable=self.stop is not None,
        )

    def previous(self, trial: Trial) -> Path | None:
        """Where the trial that this one goes on from left its checkpoint."""
        if trial.parent is not None and self.tidy is not None:
            raise StudyError(GONE.format(type(self.strategy).__name__, trial.parent))
        return None if trial.parent is None else self.folder_of(self.study.source(trial.parent))

    def folder_of(self, number: int) -> Path | None:
        """Where a trial keeps its checkpoint."""
        return None if self.folder is None else self.folder / f"{number:05d}"

    def collect(self) -> None:
        """Waits for something to happen, and takes it in."""
        with self.interrupts.allowed():
            ended = self.executor.wait(self.closing.tick, self.on_report)
        if ended or self.reports.due:
            self.reports.store()
        for each in ended:
            self.finish(each)
        self.interrupts.check()

    def on_report(self, number: int, step: int, scores: dict[str, float]) -> bool:
        """Takes in a report; says whether the trial shall go on."""
        with self.interrupts.deferred():
            self.reports.add(number, step, scores)
            if self.stop is not None or self.reports.due:
                self.reports.store()
            verdict = self.stop is not None and self.stop(self.study, self.study.trials[number])
            if isinstance(verdict, str):
                self.verdicts[number] = verdict
            self.progress.update(self.study, len(self.running))
        return not verdict

    def on_interrupt(self) -> None:
        """Tells the user what the first Ctrl-C does."""
        if self.running:
            self.progress.note(f"finishing {len(self.running)} running; Ctrl-C again ends them")

    def finish(self, ended: Ended) -> None:
        """Takes in the end of a trial's run."""
        trial = self.study.trials[ended.number]
        costs = self.running.pop(ended.number)
        if ended.state is State.WAITING:
            self.running[trial.number] = costs  # to be given back with the others
            raise StudyError(f"{ended.reason.splitlines()[0]} (in trial {trial.number}); {FULL}")
        if ended.state is State.LOST:
            self.study.record((event("lost", trial.number, reason=ended.reason),))
            times = self.study.losses[trial.number]
            if times > RETRIES:
                self.tell(trial, State.FAILED, {}, ended.seconds, f"{ended.reason} ({times} times, not tried again)")
            else:
                self.queue.appendleft(trial)
            return
        state: State = ended.state
        scores, verdict = {**costs, **ended.scores}, self.verdicts.pop(trial.number, "")
        reason = verdict if verdict and state is State.STOPPED else ended.reason
        if state in (State.COMPLETE, State.STOPPED):
            state, reason = self.gate.verdict(state, scores, reason)
        self.tell(trial, state, scores, ended.seconds, reason)

    def tell(
        self, trial: Trial, state: State, scores: Scores, seconds: float = 0.0, reason: str = "",
        copy: Trial | None = None,
    ) -> None:  # fmt: skip
        """Records the end of a trial, and tells the strategy."""
        self.strategy.tell(self.study.tell(trial, state, scores, seconds, reason, copy, seconds > DURABLE_SECONDS))
        folder = self.folder_of(trial.number)
        if self.tidy is not None and folder is not None and folder.exists():
            self.tidy(folder)
        if complaint := self.complaints.about(trial):
            self.progress.note(complaint)
        self.progress.update(self.study, len(self.running))
