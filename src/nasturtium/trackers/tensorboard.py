"""TensorBoard: a run for each trial with its learning curve, and one for the study; written later or while it runs."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.errors import MissingExtra, StudyError
from nasturtium.study.progress import Progress, Silent
from nasturtium.trackers.fields import Plain, varying_fields
from nasturtium.trial import State, Trial

if TYPE_CHECKING:
    from nasturtium.study import Study

EVENTS, SUFFIX = "events.out.tfevents.", ".nasturtium"
STUDY_RUN = "study"
RUN = re.compile(r"\d{5,}")
"""What the runs of trials are called."""
CURVE, SCORE = "curve", "score"


def write(study_folder: str | Path, log_dir: str | Path, store: str | None = None) -> int:
    """Writes the study of a folder for TensorBoard, each trial as a run; what was written before is replaced.

    Args:
        study_folder: The folder of a search.
        log_dir: Where TensorBoard looks: ``tensorboard --logdir LOG_DIR``.
        store: URL of the database that keeps the trials; if None the one in the settings, else the file in the folder.

    Returns:
        How many trials were written.

    Raises:
        MissingExtra: If TensorBoard is not installed.
        StudyError: If there is no study, or ``log_dir`` cannot be written.
    """
    from nasturtium.trackers.reading import read_tracked

    tracked = read_tracked(Path(study_folder), store)
    board = Board(Path(log_dir))
    board.clear()
    fields = varying_fields(tracked.study.trials)
    for trial, times, differs in zip(tracked.study, tracked.times, fields, strict=True):
        board.trial(trial, times.reports, times.ended, differs)
    leaders = best_so_far(tracked.study)
    board.scalars(STUDY_RUN, leaders, [tracked.times[number].ended for number, _ in leaders])
    return len(fields)


class Board:
    """A folder that TensorBoard reads.

    Args:
        log_dir: The folder.
    """

    def __init__(self, log_dir: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise MissingExtra("tensorboard", "tensorboard") from None
        self.writer: Any = SummaryWriter
        self.log_dir = log_dir

    def clear(self) -> None:
        """Removes the runs of trials that we wrote before, of which there may have been more; those of others stay."""
        if not self.log_dir.is_dir():
            return
        for folder in [each for each in self.log_dir.iterdir() if RUN.fullmatch(each.name) and each.is_dir()]:
            try:
                remove_ours(folder)
                if not any(folder.iterdir()):
                    folder.rmdir()
            except OSError as error:
                raise StudyError(f"cannot write to {folder}: {error.strerror}; give another folder") from None

    def open(self, run: str) -> Any:
        """A writer of a run; what we wrote of it before is removed, what others wrote is left."""
        folder = self.log_dir / run
        try:
            remove_ours(folder)
            return self.writer(str(folder), filename_suffix=SUFFIX)
        except OSError as error:
            raise StudyError(f"cannot write to {folder}: {error.strerror}; give another folder") from None

    def trial(
        self, trial: Trial, reports: Sequence[float], ended: float | None, differs: Mapping[str, Plain] | None = None
    ) -> None:
        """Writes a trial: its curve by step, its scores, and what it is."""
        writer = self.open(f"{trial.number:05d}")
        for point, at in zip(trial.curve, [*reports, *[None] * len(trial.curve)], strict=False):
            add_point(writer, point, at)
        finish(writer, trial, ended, differs or {})

    def scalars(self, run: str, points: Sequence[tuple[int, Mapping[str, float]]], at: Sequence[float | None]) -> None:
        """Writes a run of numbers by step."""
        writer = self.open(run)
        for (step, values), moment in zip(points, at, strict=True):
            for name, value in values.items():
                writer.add_scalar(name, value, step, walltime=moment)
        writer.close()


def remove_ours(folder: Path) -> None:
    """Removes what we wrote of a run; older releases left beside it a file without our suffix, by the same process."""
    for ours in list(folder.glob(f"{EVENTS}*{SUFFIX}")):
        writer = ours.name.removesuffix(SUFFIX).rpartition(".")[0].removeprefix(EVENTS).partition(".")[2]
        for beside in list(folder.glob(f"{EVENTS}*")):
            if writer and f".{writer}." in beside.name:
                beside.unlink()
        ours.unlink(missing_ok=True)


def add_point(writer: Any, point: Mapping[str, float], at: float | None) -> None:
    """Writes one report."""
    for name, value in point.items():
        if name != "step" and math.isfinite(value):
            writer.add_scalar(f"{CURVE}/{name}", value, int(point["step"]), walltime=at)


def finish(writer: Any, trial: Trial, ended: float | None, differs: Mapping[str, Plain]) -> None:
    """Writes how a trial ended and what it is, and closes its run."""
    writer.add_text("architecture", f"`{trial.architecture}`", walltime=ended)
    writer.add_text("state", f"{trial.state.value}: {trial.reason}" if trial.reason else trial.state.value)
    if trial.state is State.COMPLETE:
        scores = {f"{SCORE}/{name}": float(value) for name, value in trial.scores.items()}
        values = {name: value if value is not None else "None" for name, value in differs.items()}
        add_hyperparameters(writer, {"budget": trial.budget, **values}, scores)
    writer.close()


def add_hyperparameters(writer: Any, values: Mapping[str, Plain], scores: Mapping[str, float]) -> None:
    """What ``SummaryWriter.add_hparams`` writes, into the file of the run and not into one of its own."""
    from torch.utils.tensorboard.summary import hparams

    for summary in hparams(dict(values), dict(scores)):  # type: ignore[no-untyped-call]
        writer.file_writer.add_summary(summary)
    for name, value in scores.items():
        writer.add_scalar(name, value)


def best_so_far(study: Study) -> list[tuple[int, dict[str, float]]]:
    """The best value of the first objective after each complete trial that improved it, and how trials ended."""
    first, found = study.goal.objectives[0], []
    best = math.inf
    for trial in study:
        able = trial.state is State.COMPLETE and not study.goal.missing(trial.scores)
        if able and study.goal.feasible(trial.scores) and first.loss(trial.scores) < best:
            best = first.loss(trial.scores)
            found.append((trial.number, {f"best/{first.metric}": trial.scores[first.metric]}))
    return found


class Live:
    """Writes for TensorBoard while a search runs: to be given to the loop as its ``progress``.

    Args:
        log_dir: Where TensorBoard looks.
        inner: What shows the progress otherwise.
    """

    def __init__(self, log_dir: str | Path, inner: Progress | None = None) -> None:
        self.board = Board(Path(log_dir))
        self.inner: Progress = inner or Silent()
        self.writers: dict[int, Any] = {}
        self.written: dict[int, int] = {}
        self.seen = 0

    def update(self, study: Study, running: int) -> None:
        """Writes the reports and ends of trials that are new."""
        for trial in study.unended:
            self.follow(trial)
        for mark in study.history[self.seen :]:
            if mark < 0:
                self.follow(study.trials[~mark])
                finish(self.writers.pop(~mark), study.trials[~mark], None, {})
        self.seen = len(study.history)
        self.inner.update(study, running)

    def follow(self, trial: Trial) -> None:
        """Writes the reports of a trial that are new; one that was started again begins anew."""
        length = len(trial.curve)
        if trial.number not in self.writers or length < self.written[trial.number]:
            self.writers[trial.number] = self.board.open(f"{trial.number:05d}")
            self.written[trial.number] = 0
        if length > self.written[trial.number]:
            for point in trial.curve[self.written[trial.number] :]:
                add_point(self.writers[trial.number], point, None)
            self.written[trial.number] = length

    def note(self, text: str) -> None:
        """Passes a line on."""
        self.inner.note(text)

    def close(self) -> None:
        """Closes the runs of trials that have not ended."""
        for writer in self.writers.values():
            writer.close()
        self.writers.clear()
        self.inner.close()
