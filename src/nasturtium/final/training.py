"""The final training of one network with one seed: on train + valid, scored once on the test split, and kept."""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.trial import Budget, Report, Scores
from nasturtium.writing import replacing

if TYPE_CHECKING:
    import torch

    from nasturtium.estimators import Training
    from nasturtium.space import Architecture
    from nasturtium.tasks import Task

WEIGHTS = "weights.safetensors"
OUTPUTS = "outputs.npy"


class FinalTraining:
    """An estimator that trains for use: its scores are of the test split, so no strategy may see them.

    Weights and test outputs are left in the trial's folder.

    Args:
        training: How networks are trained in the search; the final training is the same but for its rows.
        trials: The folder of the trials of the search, the best of which teach where distillation is on.
        untaught: Texts of the networks that learn from the data alone, as the plain ones do.
    """

    def __init__(self, training: Training, trials: Path | None = None, untaught: Collection[str] = ()) -> None:
        self.training, self.trials, self.untaught = training, trials, frozenset(untaught)
        self.merged: Task | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "merged": None}

    def evaluate(self, architecture: Architecture, budget: Budget, report: Report) -> Scores:
        """Test scores of the network trained on train + valid for ``budget`` epochs.

        What the test rows cannot say (AUROC of rows of one class) is left out; the network is no worse for it.

        Raises:
            TrainingError: If a loss or an output is not finite, memory runs out, or there are no test rows.
        """
        if self.merged is None:
            self.merged = self.training.task.merged()
        taught = self.trials is not None and str(architecture) not in self.untaught
        lesson = self.training.final_lesson(architecture, self.trials) if self.trials is not None and taught else None
        model = self.training.fit_final(architecture, self.merged, budget, report.seed, report, lesson)
        outputs, scores = self.training.test(model)
        if report.folder is not None:
            keep_weights(model, report.folder / WEIGHTS)
            keep_array(outputs, report.folder / OUTPUTS)
        return {name: value for name, value in scores.items() if math.isfinite(value)}


def keep_weights(model: torch.nn.Module, path: Path) -> None:
    """Write the weights of a network, all or nothing."""
    from safetensors.torch import save_model

    with replacing(path) as draft:
        save_model(model, str(draft))


def keep_array(values: npt.NDArray[Any], path: Path) -> None:
    """Write an array, all or nothing."""
    with replacing(path) as draft, draft.open("wb") as file:
        np.save(file, values)
