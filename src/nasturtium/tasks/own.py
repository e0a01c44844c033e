"""What a user brings of their own to judge and train by: metrics, losses, and objectives made of several scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from nasturtium.errors import ObjectiveError, TaskError
from nasturtium.objective import MAXIMISE, Objective
from nasturtium.tasks.metrics import METRICS, Metric

if TYPE_CHECKING:
    from nasturtium.tasks.task import Task


def with_own(task: Task, metric: object = None, metrics: Iterable[object] = (), loss: object = None) -> Task:
    """A task that is judged or trained by what a user brought.

    Args:
        task: As it was loaded.
        metric: A :class:`Metric` of the user's that becomes the primary one.
        metrics: Further ones that are reported.
        loss: ``cross_entropy``, ``mse``, or a function of outputs and targets (see ``Task.loss``).

    Raises:
        TaskError: If one cannot be used.
    """
    own = tuple(_checked(each, task.kind) for each in ([] if metric is None else [metric]) + list(metrics))
    names = [each.name for each in own]
    known = {each.name: each for each in (*task.own, *own)}
    if len(set(names)) < len(names):
        raise TaskError(f"two metrics have the same name ({', '.join(names)}); give each its own by name=")
    if own:
        listed = tuple(dict.fromkeys((*(names[:1] if metric is not None else ()), *task.metrics, *names)))
        task = replace(task, own=tuple(known.values()), metrics=listed, metric=listed[0])
    return task if loss is None else replace(task, loss=_loss(loss))


def _checked(given: object, kind: str) -> Metric:
    if not isinstance(given, Metric):
        if callable(given):
            raise TaskError(
                f"say whether more of {_name(given)} is better: "
                f"nt.tasks.Metric({_name(given)}, maximise=True), or maximise=False"
            )
        raise TaskError(f"{given!r} is no metric of your own; give nt.tasks.Metric(function, maximise=True)")
    if given.name in METRICS and METRICS[given.name] is not given:
        raise TaskError(f"there is a metric {given.name!r} already; give yours another name by name=")
    if MAXIMISE.get(given.name, given.maximise) != given.maximise:
        better = "more" if MAXIMISE[given.name] else "less"
        raise TaskError(f"of {given.name!r} {better} is better everywhere else; give the metric another name by name=")
    if not given.name.isidentifier():
        raise TaskError(f"a metric cannot be called {given.name!r}; give it a plain name by name='...'")
    if kind not in given.kinds:
        raise TaskError(f"metric {given.name!r} is for {' and '.join(given.kinds)}, the task is a {kind}")
    if given.takes == "classes" and kind != "classification":
        raise TaskError(f"metric {given.name!r} takes classes, but the task is a {kind}; use takes='outputs'")
    return given


def _loss(given: object) -> Any:
    if isinstance(given, type):
        raise TaskError(f"the loss is the class {given.__name__}; give {given.__name__}(), or a function")
    if callable(given) or given in ("cross_entropy", "mse"):
        return given
    raise TaskError(f"unknown loss {given!r}; use 'cross_entropy', 'mse', or a function of (outputs, targets)")


def _name(given: object) -> str:
    return str(getattr(given, "__name__", type(given).__name__))


@dataclass(frozen=True)
class Combined(Objective):
    """An objective made of several scores of a trial: ``Combined("accuracy", value)``.

    Reports that are made later, without the function, go by the one score.

    Args:
        metric: The score that has to be there for a trial to count, such as the task's metric.
        function: Gives the value for all scores of a trial by name: the task's metrics, ``params``, ``flops``.
        maximise: Whether more of the value is better.
    """

    function: Callable[[Mapping[str, float]], float] = field(default=len)

    def __init__(self, metric: str, function: Callable[[Mapping[str, float]], float], *, maximise: bool = True) -> None:
        if not callable(function):
            raise ObjectiveError(f"an objective of your own needs a function of the scores, not {function!r}")
        for attribute, given in (("metric", metric), ("maximise", maximise), ("function", function)):
            object.__setattr__(self, attribute, given)

    def __str__(self) -> str:
        return f"{'max' if MAXIMISE.get(self.metric, self.maximise) else 'min'}:{self.metric}"

    def loss(self, scores: Mapping[str, float]) -> float:
        """The value with its sign turned so that less is better.

        Raises:
            ObjectiveError: If the function asks for a score that is not there.
        """
        try:
            value = float(self.function(scores))
        except KeyError as missing:
            there = ", ".join(sorted(scores)) or "none"
            raise ObjectiveError(f"the objective on {self.metric} asks for {missing}; scores given: {there}") from None
        return -value if self.maximise else value
