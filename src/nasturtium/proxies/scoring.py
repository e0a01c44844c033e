"""Scores of networks and architectures by proxies, each pass run once for all that need it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nasturtium.errors import NasturtiumError
from nasturtium.proxies.generators import own_numbers
from nasturtium.proxies.passes import BEFORE, Batch, Loss, Measured, default_loss, measure, plan
from nasturtium.proxies.table import PROXIES, ProxyError, chosen
from nasturtium.space.architecture import Architecture

if TYPE_CHECKING:
    from nasturtium.tasks import Task

ROWS = 64
"""Rows of a batch that networks are scored on."""


class Scores(dict[str, float]):
    """Scores by the name of their proxy; NaN where a proxy has no value for the network.

    Attributes:
        reasons: For each proxy without a value, why.
        lowest: Those of them whose value would be minus infinity (the determinant of nwot is 0, nothing flows for
            synflow): the network ranks below all others by them. Of the rest nothing is known.
    """

    def __init__(
        self,
        values: Mapping[str, float] | Iterable[tuple[str, float]],
        reasons: Mapping[str, str],
        lowest: Iterable[str] = (),
    ) -> None:
        super().__init__(values)
        self.reasons, self.lowest = dict(reasons), frozenset(lowest)

    @property
    def valid(self) -> dict[str, bool]:
        """For each proxy, whether it has a value."""
        return {name: name not in self.reasons for name in self}


def score(
    model: nn.Module,
    inputs: Tensor | Sequence[Tensor],
    targets: Tensor,
    names: str | Iterable[str] | None = None,
    *,
    loss: Loss | None = None,
) -> Scores:
    """The scores of a network by zero-cost proxies; it is left exactly as it was.

    Batch norms take the statistics of the batch, nothing is dropped, and whatever is drawn is drawn from a generator
    of its own: the same network and batch always have the same scores.

    Args:
        model: Any network, as it begins.
        inputs: What its ``forward`` takes, rows first: one tensor or several; masks (B, T) are bool.
        targets: int64 (B,) classes, or float (B, K) numbers.
        names: Of :data:`PROXIES`; all if not given. Proxies that share a pass are cheaper together.
        loss: Of outputs and targets; cross entropy or mean squared error by the type of the targets.

    Raises:
        ProxyError: If a name is unknown, or inputs and targets differ in rows.
    """
    asked = chosen(names)
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    rows = {len(each) for each in (*given, targets)}
    if len(rows) != 1 or not min(rows):
        raise ProxyError(f"inputs and targets have {sorted(rows)} rows; as many of each are needed, at least one")
    with torch.inference_mode(False), torch.no_grad():
        batch = Batch(model, tuple(_usable(each) for each in given), _usable(targets), loss or default_loss)
        found = measure(batch, plan([need for name in asked for need in PROXIES[name].needs]))
        values, reasons = {}, {}
        for name in asked:
            values[name], reason = _value(name, found)
            if reason:
                reasons[name] = reason
    return Scores(values, reasons, found.lowest.intersection(asked))


def _usable(tensor: Tensor) -> Tensor:
    """A tensor that gradients can begin at, also where it was made in inference mode."""
    return tensor.clone() if tensor.is_inference() else tensor.detach()


def _value(name: str, found: Measured) -> tuple[float, str]:
    """A score, or NaN and why there is none."""
    for need in PROXIES[name].needs:
        for step in (*BEFORE.get(need, ()), need):
            if step in found.reasons:
                return math.nan, found.reasons[step]
    value = math.nan
    with found.step(name):
        value = PROXIES[name].compute(found)
    if name in found.reasons:
        return math.nan, found.reasons[name]
    return (value, "") if math.isfinite(value) else (math.nan, f"it is not finite ({value})")


class Scorer:
    """Scores architectures for a task, on the same rows and from the same seed; no architecture twice.

    Args:
        task: Whose first training rows in a drawn order are taken.
        names: Of :data:`PROXIES`; all if not given.
        rows: How many rows.
        seed: Of the rows and of the first weights.
        device: Where networks are scored.

    Raises:
        ProxyError: If a name is unknown.
    """

    def __init__(
        self,
        task: Task,
        names: str | Iterable[str] | None = None,
        *,
        rows: int = ROWS,
        seed: int = 0,
        device: str | torch.device = "cpu",
    ) -> None:
        from nasturtium.tasks import Batches

        self.task, self.names, self.seed = task, chosen(names), seed
        self.device = torch.device(device)
        batches = Batches(task.train, min(rows, len(task.train)), device=self.device, shuffle_seed=seed)
        self.inputs, self.targets = next(iter(batches))
        self.loss = None if isinstance(task.loss, str) else task.loss
        self.known: dict[str, Scores] = {}

    def __call__(self, architecture: Architecture) -> Scores:
        """The scores of an architecture; NaN for all where its network cannot be built or does not run."""
        key = architecture.hash
        if key not in self.known:
            self.known[key] = self._score(architecture)
        return self.known[key]

    def _score(self, architecture: Architecture) -> Scores:
        fitted = Architecture(architecture.value, input=self.task.inputs)
        with own_numbers(self.seed):
            try:
                model = fitted.build().to(self.device)
                return score(model, self.inputs, self.targets, self.names, loss=self.loss)
            except Exception as error:  # the network's own fault, whatever kind it is of; others are to be scored yet
                why = str(error) if isinstance(error, NasturtiumError) else f"{type(error).__name__}: {error}"
                return Scores(dict.fromkeys(self.names, math.nan), dict.fromkeys(self.names, why))


def scorer(task: Task, names: str | Iterable[str] | None = None, **options: Any) -> Scorer:
    """A function that scores architectures for a task (see :class:`Scorer`)."""
    return Scorer(task, names, **options)


def single(scores: Callable[[Architecture], Mapping[str, float]], name: str) -> Callable[[Architecture], float]:
    """A function that gives one of the scores of an architecture, better ones larger."""
    (found,) = chosen([name])
    sign = 1.0 if PROXIES[found].larger_is_better else -1.0
    return lambda architecture: sign * scores(architecture)[found]


def together(
    scores: Callable[[Architecture], Mapping[str, float]], names: str | Iterable[str]
) -> Callable[[Sequence[Architecture]], list[float]]:
    """A function that gives each of several candidates its mean rank among them, over the proxies that have a value.

    From 0 to 1, better ones larger; NaN where no proxy has a value (see :func:`information.rank_average`). Where
    scores say that one would be minus infinity (:class:`Scores`, ``lowest``), it has the lowest rank.
    """
    from nasturtium.proxies.information import rank_average

    signs = {name: 1.0 if PROXIES[name].larger_is_better else -1.0 for name in chosen(names)}

    def judge(candidates: Sequence[Architecture]) -> list[float]:
        rows = [scores(each) for each in candidates]
        columns = {name: [sign * _ranked(row, name) for row in rows] for name, sign in signs.items()}
        return [float(each) for each in rank_average(columns)]

    return judge


def _ranked(row: Mapping[str, float], name: str) -> float:
    """A score as it is ranked: minus infinity where that is why there is none."""
    return -math.inf if name in getattr(row, "lowest", ()) else row.get(name, math.nan)
