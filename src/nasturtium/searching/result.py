"""What a search gives: the best network, all trials, the final comparison."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nasturtium.space import Architecture, Space
from nasturtium.tasks import Task
from nasturtium.trial import Trial

if TYPE_CHECKING:
    import torch

    from nasturtium.final import Finals


@dataclass
class Best:
    """The best network of a search.

    Attributes:
        architecture: What it is.
        scores: Its search scores by metric (of the validation split; of a tuned recipe those of the tuning), and of
            the final trainings ``test_<metric>`` (the mean over seeds), ``test_<metric>_sd`` where there are several,
            and ``test_<metric>_low`` and ``_high``, between which that mean lies with a probability of 95 %.
        model: The trained module, on the CPU and in evaluation mode; None if nothing was trained in the end.
        number: The trial it comes from.
    """

    architecture: Architecture
    scores: dict[str, float]
    model: torch.nn.Module | None = field(default=None, repr=False)
    number: int = -1


@dataclass
class Result:
    """What a search found.

    Attributes:
        best: The best network.
        trials: All trials, by number.
        task: The data.
        space: The space.
        out: The folder of the study; None for a search in memory.
        ending: Why the search ended.
        finals: The final trainings of the best few and of the baselines; None if nothing was trained in the end.
    """

    best: Best
    trials: Sequence[Trial]
    task: Task
    space: Space
    out: Path | None
    ending: str
    finals: Finals | None = None
