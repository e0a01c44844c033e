"""The live line of a search: trials done, best so far, time left; plain lines without a terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from nasturtium.trial import State

if TYPE_CHECKING:
    from nasturtium.study.study import Study

QUIET_SECONDS = 30.0
"""How often a line is written where there is no terminal."""


class Progress(Protocol):
    """Is kept up to date by the loop."""

    def update(self, study: Study, running: int) -> None:
        """Something may have changed."""
        ...

    def note(self, text: str) -> None:
        """Something the user should read."""
        ...

    def close(self) -> None:
        """The run is over."""
        ...


class Silent:
    """Shows nothing."""

    def update(self, study: Study, running: int) -> None:
        """Shows nothing."""

    def note(self, text: str) -> None:
        """Shows nothing."""

    def close(self) -> None:
        """Nothing to end."""


class Line:
    """One line about a run: redrawn in place on a terminal, written now and then elsewhere.

    Args:
        trials: How many trials the study shall have; None if that is not said.
        seconds: Time limit of the run, if any.
        console: A rich console; standard error unless given.
    """

    def __init__(self, trials: int | None, seconds: float | None = None, console: Any = None) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        self.as_text = Text
        self.trials = trials
        self.seconds = seconds
        self.console = console or Console(stderr=True)
        self.begun = time.monotonic()
        self.before: int | None = None
        self.shown = -QUIET_SECONDS
        self.text = ""
        self.live = Live(console=self.console, auto_refresh=False, transient=True) if self.terminal else None
        if self.live is not None:
            self.live.start()

    @property
    def terminal(self) -> bool:
        """Whether lines can be redrawn."""
        return bool(self.console.is_terminal)

    def update(self, study: Study, running: int) -> None:
        """Shows where the search is, if that was long enough ago."""
        done = done_trials(study)
        if self.before is None:
            self.before = done
        now = time.monotonic()
        if now - self.shown < (0.1 if self.live is not None else QUIET_SECONDS):
            return
        self.shown = now
        self.text = describe(study, running, self.trials, self.left(done, now))
        if self.live is not None:
            self.live.update(self.as_text(self.text), refresh=True)
        else:
            self.console.print(self.text, highlight=False, soft_wrap=True)

    def left(self, done: int, now: float) -> float | None:
        """Seconds left, as far as can be told: by the pace of this run, and by its time limit."""
        passed = now - self.begun
        here = done - (self.before or 0)
        guesses = [] if here <= 0 or self.trials is None else [passed / here * max(self.trials - done, 0)]
        guesses += [] if self.seconds is None else [max(self.seconds - passed, 0.0)]
        return min(guesses, default=None)

    def note(self, text: str) -> None:
        """Writes what stays; it may be a user's own text, so brackets in it mean nothing."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Clears the live line."""
        if self.live is not None:
            self.live.stop()


def done_trials(study: Study) -> int:
    """Trials that ended, infeasible ones not counted."""
    return sum(study.counts[state] for state in (State.COMPLETE, State.STOPPED, State.FAILED))


def describe(study: Study, running: int, trials: int | None, left: float | None) -> str:
    """The line: ``12/50 trials, 2 running, 1 failed, best accuracy 0.9812 (trial 7), 3:12 left``."""
    parts = [f"{done_trials(study)}{'' if trials is None else f'/{trials}'} trials"]
    parts += [f"{running} running"] if running else []
    parts += [f"{study.counts[s]} {s}" for s in (State.FAILED, State.INFEASIBLE) if study.counts[s]]
    best = study.best
    if best is not None:
        metric = study.goal.objectives[0].metric
        parts.append(f"best {metric} {best.scores[metric]:.5g} (trial {best.number})")
    if left is not None:
        parts.append(f"{clock(left)} left")
    return ", ".join(parts)


def clock(seconds: float) -> str:
    """``3:12``, or ``1:03:12``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def make_progress(trials: int | None, seconds: float | None = None, quiet: bool = False) -> Progress:
    """A live line, or plain lines without a terminal, or nothing when quiet."""
    return Silent() if quiet else Line(trials, seconds)
