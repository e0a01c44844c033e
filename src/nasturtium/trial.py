"""Trials, proposals, and the protocols by which strategies, estimators and studies speak to each other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np

    from nasturtium.space import Architecture

Budget = int | float
Scores = Mapping[str, float]


class State(StrEnum):
    """What has become of a trial.

    ``lost`` passes: a trial whose worker died is tried again, at most twice, and then ``failed``.
    """

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    STOPPED = "stopped"
    FAILED = "failed"
    INFEASIBLE = "infeasible"
    LOST = "lost"

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to a trial in this state."""
        return self in ENDED


ENDED = frozenset({State.COMPLETE, State.STOPPED, State.FAILED, State.INFEASIBLE})


class Proposal(NamedTuple):
    """What a strategy wants tried next.

    Attributes:
        architecture: The architecture to try.
        budget: How much to spend on it, in the estimator's unit (epochs for training).
        parent: Number of the trial whose checkpoint it continues; None starts afresh.
    """

    architecture: Architecture
    budget: Budget = 1
    parent: int | None = None


@dataclass(slots=True)
class Trial:
    """One architecture at one budget, and what came of it.

    Attributes:
        number: Place in the study, from 0.
        state: What has become of it.
        architecture: The architecture tried.
        budget: What it may spend, in the estimator's unit (epochs for training).
        scores: Final scores by metric; of a trial that gave none, what is known of its structure.
        curve: The reports in order: ``{"step": ..., metric: ...}``.
        seconds: Wall time of the run that ended it; 0 if nothing was run.
        reason: Why it ended as it did: the error, the constraint, or the trial its scores are copied from.
        parent: Number of the trial whose checkpoint it continues.
    """

    number: int
    state: State
    architecture: Architecture
    budget: Budget = 1
    scores: dict[str, float] = field(default_factory=dict)
    curve: Sequence[Mapping[str, float]] = ()
    seconds: float = 0.0
    reason: str = ""
    parent: int | None = None


class Strategy(Protocol):
    """Decides what to try next; its state is a fold over ``asked`` and ``tell``.

    A study that is resumed replays its events in order: ``asked`` for each recorded proposal, ``tell`` for
    each ended trial. So neither may draw random numbers, and ``ask`` changes nothing but through ``asked``.
    """

    def ask(self, n: int = 1) -> list[Proposal]:
        """Up to ``n`` proposals; fewer, or none, when more trials must be told first."""
        ...

    def asked(self, proposal: Proposal) -> None:
        """Takes note that ``proposal`` was made; ``ask`` has called it already for what it returns."""
        ...

    def tell(self, trial: Trial) -> None:
        """Takes note of a trial that ended, in whatever state."""
        ...


class Report(Protocol):
    """What an estimator is given to stream its learning curve, and what it may know of its trial.

    Attributes:
        seed: Seed of everything random in the trial; follows from the study's seed and the trial's number.
        folder: Where the trial may keep a checkpoint, made when first read; an interrupted run of the same
            trial may have left one there. None when nothing may be kept.
        previous: Folder of the trial that this one continues, if any.
        deadline: ``time.monotonic()`` at which the trial is ended by force; None without a time limit.
    """

    seed: int
    previous: Path | None
    deadline: float | None

    @property
    def folder(self) -> Path | None: ...

    def __call__(self, step: int, scores: Scores) -> bool:
        """Records scores at a step (from 1); False asks the estimator to end now and return what it has."""
        ...


class Estimator(Protocol):
    """Says how good an architecture is."""

    def evaluate(self, architecture: Architecture, budget: Budget, report: Report) -> Scores:
        """Scores by metric after spending ``budget``; whatever it raises makes the trial ``failed``."""
        ...


def curve_values(points: Iterable[Mapping[str, float]], metric: str) -> list[float]:
    """A metric after each epoch from the first to the last reported one; NaN where it was not reported.

    Args:
        points: Reports, as :attr:`Trial.curve` has them; of two at the same step the later one counts.
        metric: The metric.

    >>> curve_values([{"step": 1, "accuracy": 0.5}, {"step": 3, "accuracy": 0.7}], "accuracy")
    [0.5, nan, 0.7]
    """
    known = {int(point["step"]): point.get(metric, math.nan) for point in points}
    return [known.get(step, math.nan) for step in range(1, max(known, default=0) + 1)]


def trial_rng(seed: int, number: int) -> np.random.Generator:
    """The generator from which trial ``number`` of a study with ``seed`` draws, whatever ran before it."""
    import numpy as np

    return np.random.Generator(np.random.PCG64(np.random.SeedSequence((seed, number))))


def trial_seed(seed: int, number: int) -> int:
    """A seed (32 bits) for the run of trial ``number``, independent of what :func:`trial_rng` draws."""
    import numpy as np

    return int(np.random.SeedSequence((seed, number), spawn_key=(1,)).generate_state(1)[0])
