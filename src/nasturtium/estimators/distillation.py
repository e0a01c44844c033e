"""Distillation: the best networks of a search so far teach those that follow, by what they say of the training rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nasturtium.errors import TrainingError, did_you_mean

if TYPE_CHECKING:
    from nasturtium.tasks import Task


@dataclass(frozen=True)
class Distillation:
    """How students learn from teachers, which are the best trials so far with distinct architectures.

    With outputs s of the student and z_k of teacher k, a student of loss L learns

        (1 - w) L(s, y) + w mean_k MSE(s, z_k) / 2                     (SeqNAS, arXiv:2401.03246)

    or, with a temperature T, the divergence of softened classes instead (Hinton et al. 2015, arXiv:1503.02531):

        (1 - w) L(s, y) + w T^2 mean_k KL(softmax(z_k / T) || softmax(s / T)).

    Teachers are the best by the task's metric, of the longest budget there is; they speak as they are used, in
    evaluation mode, after their last epoch, of rows without augmentation. The public code of the former records outputs
    while its teachers train. Auxiliary outputs learn the same as the main one. A trial that continues another keeps its
    teachers. In the search validation and test rows are never taught; the final training, on train + valid, is told
    what its teachers, which were trained on train alone, say of both.

    Args:
        weight: w, from 0 to 1.
        teachers: How many there are at most.
        after: How many trials must have been trained and scored before the first student; earlier ones are trained as
            usual.
        temperature: T; None for the squared error.
        finals: Whether finalists are taught in their final training, too, by the best of the whole search. It gains
            where those are about as good as the finalist, and costs where they are not.

    Raises:
        TrainingError: If a value cannot be used.
    """

    weight: float = 0.2
    teachers: int = 3
    after: int = 30
    temperature: float | None = None
    finals: bool | int = field(default=False, repr=False)  # trials do not depend on it

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise TrainingError(f"weight={self.weight} of distillation is a share: give a number from 0 to 1")
        for name, value in (("teachers", self.teachers), ("after", self.after)):
            if not isinstance(value, int) or value < 1:
                raise TrainingError(f"{name}={value} of distillation: give a whole number from 1 up")
        if self.finals not in (0, 1):
            raise TrainingError(f"finals={self.finals} of distillation: give 1 to teach in final trainings, or 0")
        if self.temperature is not None and not 0 < self.temperature < math.inf:
            raise TrainingError(f"temperature={self.temperature} of distillation: give a number above 0")

    def check(self, task: Task) -> None:
        """Whether a task can be taught this way.

        Raises:
            TrainingError: If it has no classes to soften.
        """
        if self.temperature is not None and task.kind != "classification":
            raise TrainingError(
                f"distillation with a temperature compares classes, but task {task.name!r} is a {task.kind}; "
                "leave the temperature out"
            )


NUMBERS = {"weight": float, "teachers": int, "after": int, "temperature": float, "finals": int}


def read_distillation(texts: Sequence[str]) -> Distillation:
    """What is written as ``weight=0.3``, ``teachers=5``, ``after=10``, ``temperature=2``; the rest as usual.

    Raises:
        TrainingError: If a name is unknown or a value is no such number.
    """
    given: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if name not in NUMBERS:
            known = ", ".join(NUMBERS)
            raise TrainingError(
                f"unknown option {name!r} of distillation{did_you_mean(name, NUMBERS)} (there are: {known})"
            )
        try:
            given[name] = NUMBERS[name](value)
        except ValueError:
            raise TrainingError(f"{text!r} of distillation: {value!r} is no such number; write {name}=3, say") from None
    return Distillation(**given)  # type: ignore[arg-type]
