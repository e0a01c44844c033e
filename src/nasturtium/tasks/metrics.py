"""Metrics: how good a network's outputs are, from accuracy to R2, in the target's own units."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import TaskError, did_you_mean

if TYPE_CHECKING:
    from nasturtium.tasks.task import Task

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Metric:
    """A score of outputs against targets.

    Attributes:
        function: For classification of log-probabilities (N, K) and classes (N,); for regression of
            predictions (N, K) and targets (N, K) in their own unit.
        maximise: Whether more is better.
        kinds: The kinds of task it is for.
        name: What it is called; the function's name if not given.
        takes: ``outputs`` as above, or ``classes``: the likeliest class (N,) in place of log-probabilities.
    """

    function: Callable[[Array, Array], float]
    maximise: bool
    kinds: tuple[str, ...] = ("classification", "regression")
    name: str = ""
    takes: str = "outputs"

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TaskError(f"a metric needs a function of (predictions, targets), not {self.function!r}")
        if self.takes not in ("outputs", "classes"):
            raise TaskError(f"a metric takes 'outputs' or 'classes', not {self.takes!r}")
        object.__setattr__(self, "name", self.name or str(getattr(self.function, "__name__", "metric")))

    def score(self, outputs: Array, targets: Array) -> float:
        """The value for log-probabilities or predictions (N, K) and their targets.

        Raises:
            TaskError: If the function gives something else than a number.
        """
        value: Any = self.function(outputs.argmax(axis=1) if self.takes == "classes" else outputs, targets)
        try:
            return float(value)
        except (TypeError, ValueError):
            raise TaskError(f"metric {self.name!r} gave {value!r:.60}; it must give one number") from None


def accuracy(log_probabilities: Array, targets: Array) -> float:
    """Share of rows whose likeliest class is right."""
    return float((log_probabilities.argmax(axis=1) == targets).mean())


def balanced_accuracy(log_probabilities: Array, targets: Array) -> float:
    """Mean recall of the classes that occur in the targets."""
    right = log_probabilities.argmax(axis=1) == targets
    counts = np.bincount(targets)
    recalls = np.bincount(targets, weights=right)[counts > 0] / counts[counts > 0]
    return float(recalls.mean())


def f1(log_probabilities: Array, targets: Array) -> float:
    """Macro F1: 2 TP / (2 TP + FP + FN), averaged over the classes that occur in targets or predictions."""
    predicted = log_probabilities.argmax(axis=1)
    classes = log_probabilities.shape[1]
    hits = np.bincount(targets[predicted == targets], minlength=classes)
    total = np.bincount(targets, minlength=classes) + np.bincount(predicted, minlength=classes)
    return float((2 * hits[total > 0] / total[total > 0]).mean())


def log_loss(log_probabilities: Array, targets: Array) -> float:
    """Mean negative log-likelihood (cross-entropy) in nats."""
    return float(-log_probabilities[np.arange(len(targets)), targets].mean())


def auroc(log_probabilities: Array, targets: Array) -> float:
    """Area under the ROC curve; with several classes one-vs-rest, averaged over the classes that occur.

    NaN where the targets hold one class only.
    """
    classes = log_probabilities.shape[1]
    if classes == 2:
        return _auroc(log_probabilities[:, 1] - log_probabilities[:, 0], targets == 1)
    areas = [_auroc(log_probabilities[:, k], targets == k) for k in range(classes) if (targets == k).any()]
    return float(np.mean(areas))


def _auroc(scores: Array, positive: Array) -> float:
    """Mann-Whitney: the share of pairs (positive, negative) in the right order; ties count half."""
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if positives == 0 or negatives == 0:
        return float("nan")
    _, position, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[position]
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(log_probabilities: Array, targets: Array) -> float:
    """Area under the precision-recall steps, sum of (R_n - R_(n-1)) P_n; one-vs-rest mean over the classes that occur.

    Of two classes the second counts. NaN where it does not occur.
    """
    classes = log_probabilities.shape[1]
    if classes == 2:
        return _precision(log_probabilities[:, 1] - log_probabilities[:, 0], targets == 1)
    areas = [_precision(log_probabilities[:, k], targets == k) for k in range(classes) if (targets == k).any()]
    return float(np.mean(areas))


def _precision(scores: Array, positive: Array) -> float:
    """Rows of the same score are one step."""
    if not positive.any():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)  # the last row of each score
    hits = np.cumsum(positive[order])[ends]
    return float((np.diff(hits, prepend=0) * hits / (ends + 1)).sum() / hits[-1])


def rmse(predictions: Array, targets: Array) -> float:
    """Root of the mean squared error; mean over several targets."""
    return float(np.sqrt(((predictions - targets) ** 2).mean(axis=0)).mean())


def mae(predictions: Array, targets: Array) -> float:
    """Mean absolute error; mean over several targets."""
    return float(np.abs(predictions - targets).mean())


def r2(predictions: Array, targets: Array) -> float:
    """Coefficient of determination, 1 - SSE / SST; mean over several targets.

    NaN for fewer than two rows. A constant target gives 1 if it is met exactly and 0 otherwise.
    """
    if len(targets) < 2:
        return float("nan")
    error = ((predictions - targets) ** 2).sum(axis=0)
    total = ((targets - targets.mean(axis=0)) ** 2).sum(axis=0)
    varies = targets.min(axis=0) < targets.max(axis=0)
    constant = np.where(error == 0, 1.0, 0.0)
    return float(np.where(varies, 1 - error / np.where(varies, total, 1), constant).mean())


CLASSES, NUMBERS = ("classification",), ("regression",)
METRICS: dict[str, Metric] = {
    "accuracy": Metric(accuracy, True, CLASSES),
    "balanced_accuracy": Metric(balanced_accuracy, True, CLASSES),
    "auroc": Metric(auroc, True, CLASSES),
    "average_precision": Metric(average_precision, True, CLASSES),
    "f1": Metric(f1, True, CLASSES),
    "log_loss": Metric(log_loss, False, CLASSES),
    "rmse": Metric(rmse, False, NUMBERS),
    "mae": Metric(mae, False, NUMBERS),
    "r2": Metric(r2, True, NUMBERS),
}
DEFAULT_METRIC = {"classification": "accuracy", "regression": "rmse"}


def metrics_for(kind: str, metric: str | None = None, own: Iterable[Metric] = ()) -> tuple[str, ...]:
    """The metrics reported for a kind of task; the first is the primary one, ``metric`` where given.

    Args:
        kind: ``classification`` or ``regression``.
        metric: The name of the primary one.
        own: Those that a user brought.

    Raises:
        TaskError: If the metric is unknown or is not for this kind.
    """
    primary = metric or DEFAULT_METRIC[kind]
    known = {**METRICS, **{each.name: each for each in own}}
    if primary not in known:
        raise TaskError(
            f"unknown metric {primary!r}; known: {', '.join(known)}{did_you_mean(primary, known)} "
            "(one of your own: nt.tasks.Metric(function, maximise=True))"
        )
    fitting = [name for name, entry in known.items() if kind in entry.kinds]
    if primary not in fitting:
        raise TaskError(f"metric {primary!r} is not for {kind}; use one of {', '.join(fitting)}")
    return (primary, *(name for name in fitting if name != primary))


def log_softmax(logits: Array) -> Array:
    """Log-probabilities (N, K) of logits (N, K); one column is the logit of the second of two classes."""
    if logits.shape[1] == 1:
        logits = np.concatenate((np.zeros_like(logits), logits), axis=1)  # (N, 2)
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def evaluate_metrics(names: Iterable[str], outputs: Any, targets: Any, task: Task) -> dict[str, float]:
    """Score a network's outputs by each of ``names``.

    Args:
        names: Of METRICS, or of the task's own.
        outputs: Logits (N, K), or standardised predictions (N, K) or (N,), as an array or a CPU tensor.
        targets: As in the task's splits: classes (N,), or standardised targets (N, K) or (N,).
        task: Says the kind, and for regression the unit that predictions are put back into.

    Returns:
        The score by name; NaN for every metric where an output is not finite, or there are no rows.

    Raises:
        TaskError: If a metric is unknown or not for this kind of task, or the lengths differ.
    """
    own = {each.name: each for each in task.own}
    chosen = {name: own.get(name) or METRICS[metrics_for(task.kind, name)[0]] for name in names}
    scores = np.asarray(outputs, dtype=np.float64)
    truth = np.asarray(targets)
    if len(scores) != len(truth):
        raise TaskError(f"{len(scores)} outputs, but {len(truth)} targets; give one of each a row")
    if len(scores) == 0 or not np.isfinite(scores).all():
        return dict.fromkeys(chosen, float("nan"))
    scores = scores.reshape(len(scores), -1)
    if task.kind == "classification":
        truth = truth.reshape(-1).astype(np.int64)
        if truth.max() >= max(2, scores.shape[1]):
            raise TaskError(f"targets hold class {truth.max()}, but the outputs have {scores.shape[1]} columns")
    with np.errstate(over="ignore", invalid="ignore"):
        if task.kind == "classification":
            scores = log_softmax(scores)
        else:
            scores, truth = task.in_units(scores), task.in_units(truth)
        return {name: entry.score(scores, truth) for name, entry in chosen.items()}


def undefined(names: Iterable[str], targets: Any, task: Task) -> list[str]:
    """The metrics of ``names`` that rows with these targets do not say, such as AUROC of rows of one class."""
    truth = np.asarray(targets)
    ours = [name for name in names if name in METRICS and len(truth)]
    scores = evaluate_metrics(ours, np.zeros((len(truth), task.outputs), dtype=np.float32), truth, task)
    return [name for name, score in scores.items() if np.isnan(score)]
