"""Training from scratch: the estimator that says how good an architecture is by training it."""

from __future__ import annotations

import copy
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from nasturtium.errors import TrainingError
from nasturtium.estimators.cost import structural
from nasturtium.estimators.defaults import default_recipe
from nasturtium.estimators.distillation import Distillation
from nasturtium.estimators.recipe import Recipe, recipe_of
from nasturtium.objective import parse_objective
from nasturtium.trial import Budget, Report, Scores

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy.typing as npt
    from torch import Tensor, nn

    from nasturtium.estimators.data import Placed
    from nasturtium.estimators.fit import Fit
    from nasturtium.estimators.lesson import Lesson
    from nasturtium.estimators.teachers import Bank
    from nasturtium.space import Architecture
    from nasturtium.tasks import Task


class Tested(NamedTuple):
    """What a network gives for the test rows.

    Attributes:
        outputs: (N, K), in the order of the rows.
        scores: Every metric of the task, and ``test_loss``.
    """

    outputs: npt.NDArray[Any]
    scores: dict[str, float]


class Training:
    """Trains architectures from scratch; the budget is in epochs.

    An architecture that is a :class:`nasturtium.estimators.Trained` brings its own recipe along.

    The same architecture, budget and seed give the same scores on the same machine. Everything random follows
    from the seed of the trial; torch's generators are afterwards as they were.

    Args:
        task: The data, its loss and metrics.
        recipe: How to train; :func:`nasturtium.estimators.default_recipe` of the task if not given.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``; picked by itself if not given.
        checkpoints: Whether to leave a checkpoint in the trial's folder, from which an interrupted trial is
            resumed and a longer one continues.
        checkpoint_seconds: Least time between two checkpoints of one trial; the last state is always kept.
        distillation: How the best trials of a study teach those that follow; None for not at all.

    Attributes:
        lengths: By which costs are counted where sequences differ in length: those of the task.

    Raises:
        TrainingError: If the recipe is open or holds a value that cannot be used, or the task cannot be taught so.
    """

    def __init__(
        self,
        task: Task,
        recipe: Recipe | None = None,
        device: str | None = None,
        *,
        checkpoints: bool = True,
        checkpoint_seconds: float = 30.0,
        distillation: Distillation | None = None,
    ) -> None:
        self.task = task
        self.lengths = task.lengths
        self.recipe = default_recipe(task) if recipe is None else recipe
        self.recipe.check()
        self.device = device
        self.checkpoints = checkpoints
        self.checkpoint_seconds = checkpoint_seconds
        self.distillation = distillation
        if distillation is not None:
            distillation.check(task)
        self._placed: Placed | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_placed": None}  # tensors do not travel; they are placed anew

    def costs(self, architecture: Architecture, names: Iterable[str] = ("params", "flops")) -> dict[str, float]:
        """What an architecture costs on this task, by name (see :func:`nasturtium.estimators.structural`)."""
        return structural(architecture, names, self.recipe, self.lengths)

    def evaluate(self, architecture: Architecture, budget: Budget, report: Report) -> Scores:
        """Train to a budget and score on the validation rows.

        Reports after every epoch the mean training loss as ``train_loss`` (what teachers say included), every metric
        of the task, and ``valid_loss``. The scores are those of the last epoch, not of the best.

        Args:
            architecture: What to train.
            budget: Epochs; a fraction ends within an epoch.
            report: Receives the learning curve; gives seed and folders.

        Raises:
            TrainingError: If a loss or an output is not finite, memory runs out, there are no validation
                rows, a checkpoint does not fit, or teachers have no folder to be found in.
        """
        from nasturtium.estimators.device import memory_errors, seeded
        from nasturtium.estimators.run import Run, prepare

        if len(self.task.valid) == 0:
            raise TrainingError(f"task {self.task.name!r} has no validation rows to score architectures by")
        placed = self._data()
        recipe = recipe_of(architecture, self.recipe)
        with seeded(report.seed, placed.device), memory_errors(recipe):
            fit = prepare(architecture, recipe, placed, budget, report.seed, self._lesson(architecture, report))
            folder = report.folder if self.checkpoints else None
            scores = Run(fit, placed, report, folder, self.checkpoint_seconds, architecture, budget).scores()
            fit.take_average()
            return self.conclude(architecture, fit, report, scores)

    def tidy(self, folder: Path) -> None:
        """Remove the checkpoint of a trial that ended; three times the size of its network, it is of no more use."""
        from nasturtium.estimators.checkpoint import NAME

        (folder / NAME).unlink(missing_ok=True)
        with suppress(OSError):  # something else is in it, such as what a teacher says
            folder.rmdir()

    def conclude(self, architecture: Architecture, fit: Fit, report: Report, scores: Scores) -> Scores:
        """What else is done with a network that is trained and scored, its weights those that are kept; the scores."""
        if self.distillation is not None and fit.step >= fit.steps:  # who was stopped early teaches nobody
            self._teach(architecture, fit, report, scores)
        return scores

    def untaught(self) -> Training:
        """The same training without teachers."""
        made = copy.copy(self)
        made.distillation = None
        return made

    def _bank(self, study: Path, plan: Distillation) -> Bank:
        from nasturtium.estimators.teachers import Bank

        of, rows = f"{self.task.fingerprint} {self.recipe} {plan}", len(self.task.train) + len(self.task.valid)
        return Bank(study, of, plan.teachers, (rows, self.task.outputs))

    def _lesson(self, architecture: Architecture, report: Report) -> Lesson | None:
        """What the best trials so far say of the training rows, if there are enough of them."""
        from nasturtium.estimators.lesson import Lesson
        from nasturtium.estimators.teachers import outputs_in

        plan = self.distillation
        if plan is None:
            return None
        if report.folder is None:
            raise TrainingError("distillation finds teachers in the folder of the study: give it one by out=")
        bank = self._bank(report.folder.parent, plan)
        chosen = bank.choose(report.folder, report.previous, plan.after, str(architecture.canonical))
        return Lesson(plan, tuple(outputs_in(chosen)))

    def final_lesson(self, architecture: Architecture, study: Path) -> Lesson | None:
        """What the best trials of a whole search say of the rows of train + valid.

        Args:
            architecture: To be taught.
            study: The folder in which every trial has its own.

        Returns:
            None where distillation is off or does not act in final trainings, or nobody can teach.
        """
        from nasturtium.estimators.lesson import Lesson
        from nasturtium.estimators.teachers import outputs_in

        plan = self.distillation
        if plan is None or not plan.finals:
            return None
        said = outputs_in(self._bank(study, plan).best(str(architecture.canonical)))
        return Lesson(plan, tuple(said)) if said else None

    def _teach(self, architecture: Architecture, fit: Fit, report: Report, scores: Scores) -> None:
        """Leave what a trained network says of the rows to those that follow."""
        import torch

        from nasturtium.estimators.scoring import outputs_of
        from nasturtium.estimators.teachers import Mark

        worth = scores.get(self.task.metric, math.nan) * (1 if parse_objective(self.task.objective).maximise else -1)
        if self.distillation is None or report.folder is None or not math.isfinite(worth):
            return
        sets = [self._data().scoring(part, fit.mode.channels_last) for part in ("train", "valid")]

        def outputs() -> Tensor:
            return torch.cat([outputs_of(fit.model, batches)[0] for batches in sets])

        mark = Mark(report.folder, fit.steps / len(fit.batches), worth, str(architecture.canonical))
        self._bank(report.folder.parent, self.distillation).keep(mark, outputs)

    def fit_final(
        self,
        architecture: Architecture,
        task: Task | None = None,
        epochs: Budget = 50,
        seed: int = 0,
        report: Report | None = None,
        lesson: Lesson | None = None,
    ) -> nn.Module:
        """Train a network for use, without looking at any score.

        Args:
            architecture: What to train.
            task: Whose training rows; the estimator's task with its validation rows merged in if not given.
            epochs: For how long.
            seed: Of everything random.
            report: Receives the training loss after each epoch.
            lesson: What teachers say of the training rows; None for the targets alone.

        Returns:
            The network on the CPU in evaluation mode.

        Raises:
            TrainingError: If a loss is not finite, or memory runs out.
        """
        import torch

        from nasturtium.estimators.data import Placed
        from nasturtium.estimators.device import memory_errors, resolve_device, seeded
        from nasturtium.estimators.run import prepare

        placed = Placed(self.task.merged() if task is None else task, resolve_device(self.device))
        recipe = recipe_of(architecture, self.recipe)
        with seeded(seed, placed.device), memory_errors(recipe):
            fit = prepare(architecture, recipe, placed, epochs, seed, lesson)
            while fit.step < fit.steps:
                loss = fit.run_epoch()
                if report is not None:
                    report(fit.epoch, {"train_loss": loss})
        fit.take_average()
        model = fit.model.to("cpu").eval()
        return model.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload, no-any-return]

    def test(self, model: nn.Module, task: Task | None = None) -> Tested:
        """What a network gives for the test rows of a task, and what that is worth.

        Args:
            model: On any device; it is left as it is.
            task: The estimator's if not given.

        Raises:
            TrainingError: If there are no test rows, or an output is not finite.
        """
        from nasturtium.estimators.data import Placed
        from nasturtium.estimators.device import resolve_device
        from nasturtium.estimators.scoring import outputs_of, worth

        task = self.task if task is None else task
        if len(task.test) == 0:
            raise TrainingError(f"task {task.name!r} has no test rows")
        device = resolve_device(self.device)
        batches = Placed(task, device).scoring("test", channels_last=False)
        outputs, targets = outputs_of(copy.deepcopy(model).to(device), batches)
        return Tested(outputs.numpy(), worth(outputs, targets, task, "test"))

    def _data(self) -> Placed:
        from nasturtium.estimators.data import Placed
        from nasturtium.estimators.device import resolve_device

        if self._placed is None:
            self._placed = Placed(self.task, resolve_device(self.device))
        return self._placed
