"""Objectives and limits: what to maximise or minimise, what must hold, and how scores are ranked by them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from nasturtium.errors import ObjectiveError, did_you_mean

STRUCTURAL = frozenset({"params", "flops", "latency_ms", "memory_mb"})
"""Metrics of an architecture that need no training: limits on them are checked before it."""

MAXIMISE: dict[str, bool] = {
    **dict.fromkeys(("accuracy", "balanced_accuracy", "top5_accuracy", "auroc", "auprc", "f1", "precision"), True),
    **dict.fromkeys(("recall", "r2", "pearson", "spearman", "kendall", "ndcg", "hit_rate", "map", "reward"), True),
    **dict.fromkeys(("average_precision", "miou", "dice", "psnr", "ssim", "inception_score"), True),
    **dict.fromkeys(("loss", "log_loss", "error", "rmse", "mse", "mae", "mape", "perplexity", "fid"), False),
    **dict.fromkeys(("params", "flops", "latency_ms", "memory_mb", "seconds", "energy_mj"), False),
}
"""Known metrics: True where more is better."""

SPLITS = re.compile(r"^(train|val|valid|validation|test)_")
SUFFIXES = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9}
LIMIT = re.compile(r"^\s*([A-Za-z_]\w*)\s*(<=|>=|<|>)\s*([-+0-9._eE]+?)\s*([kKmMgG]?)\s*$")
OBJECTIVE = re.compile(r"^\s*(?:(min|max):|([-+]))?\s*([A-Za-z_]\w*)\s*$")


@dataclass(frozen=True, slots=True)
class Objective:
    """A metric to maximise or minimise."""

    metric: str
    maximise: bool = True

    def __str__(self) -> str:
        return f"{'max' if self.maximise else 'min'}:{self.metric}"

    def loss(self, scores: Mapping[str, float]) -> float:
        """The score with its sign turned so that less is better.

        Raises:
            ObjectiveError: If the metric is not among the scores.
        """
        value = score_of(self.metric, scores)
        return -value if self.maximise else value


def parse_objective(text: str | Objective, known: Mapping[str, bool] | None = None) -> Objective:
    """Reads ``accuracy``, ``-params`` (minimise), ``+size`` (maximise), ``min:flops`` or ``max:size``.

    Args:
        text: The objective; an :class:`Objective` is returned as it is.
        known: Further metrics: name to whether more is better.

    Raises:
        ObjectiveError: If the text has another form, or names an unknown metric without saying its direction.
    """
    if isinstance(text, Objective):
        return text
    match = OBJECTIVE.match(text)
    if match is None:
        raise ObjectiveError(f"cannot read the objective {text!r}; write 'accuracy', '-params' or 'min:flops'")
    word, sign, metric = match.groups()
    if word or sign:
        return Objective(metric, word == "max" or sign == "+")
    directions = {**MAXIMISE, **(known or {})}
    base = metric if metric in directions else SPLITS.sub("", metric)
    if base not in directions:
        raise ObjectiveError(
            f"unknown metric {metric!r}{did_you_mean(metric, directions)}; "
            f"for a metric of your own write 'max:{metric}' or 'min:{metric}'"
        )
    return Objective(metric, directions[base])


Objectives = str | Objective | Iterable[str | Objective]
"""How objectives may be given."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that must hold, such as ``Limit("params<=100k")``; suffixes k, M and G.

    Raises:
        ObjectiveError: If the text is not ``metric<=number``, with ``<=``, ``>=``, ``<`` or ``>``.
    """

    text: str
    metric: str = field(init=False, compare=False)
    relation: str = field(init=False, compare=False)
    bound: float = field(init=False, compare=False)

    def __post_init__(self) -> None:
        match = LIMIT.match(self.text)
        try:
            number = float(match.group(3)) if match else math.nan
        except ValueError:
            number = math.nan
        if match is None or not math.isfinite(number):
            raise ObjectiveError(f"cannot read the limit {self.text!r}; write 'params<=100k' or 'accuracy>=0.9'")
        metric, relation, _, suffix = match.groups()
        bound = number * SUFFIXES[suffix.lower()]
        for name, value in (("metric", metric), ("relation", relation), ("bound", bound)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "text", f"{metric}{relation}{bound:.12g}")

    def __str__(self) -> str:
        return self.text

    @property
    def structural(self) -> bool:
        """Whether it is known before training."""
        return self.metric in STRUCTURAL

    def satisfied(self, scores: Mapping[str, float]) -> bool:
        """Whether the scores keep the limit; NaN never does.

        Raises:
            ObjectiveError: If the metric is not among the scores.
        """
        value = score_of(self.metric, scores)
        if self.relation[0] == "<":
            return value < self.bound or (self.relation == "<=" and value == self.bound)
        return value > self.bound or (self.relation == ">=" and value == self.bound)

    def violation(self, scores: Mapping[str, float]) -> float:
        """How far the scores miss the limit, relative to its bound: 0 when satisfied, infinite for NaN."""
        if self.satisfied(scores):
            return 0.0
        miss = abs(scores[self.metric] - self.bound) / max(abs(self.bound), 1e-12)
        return max(miss, 1e-12) if math.isfinite(miss) else math.inf

    def complaint(self, scores: Mapping[str, float]) -> str:
        """A line for the user: which limit, and what the value was."""
        return f"{self.metric} is {scores[self.metric]:.6g}, the limit is {self}"


def score_of(metric: str, scores: Mapping[str, float]) -> float:
    """The score called ``metric``.

    Raises:
        ObjectiveError: If there is none.
    """
    try:
        return scores[metric]
    except KeyError:
        there = ", ".join(sorted(scores)) or "none"
        raise ObjectiveError(
            f"there is no score {metric!r}{did_you_mean(metric, scores)} (scores given: {there})"
        ) from None


@dataclass(frozen=True, slots=True)
class Goal:
    """Objectives under limits: the order that makes one set of scores better than another.

    Constrained domination (Deb et al. 2002, NSGA-II, section VI): what keeps all limits comes before what
    does not; among those that do not, the smaller sum of relative violations comes first. The first objective
    is the one by which the single best is chosen.
    """

    objectives: tuple[Objective, ...]
    limits: tuple[Limit, ...] = ()

    @classmethod
    def of(
        cls,
        objectives: str | Objective | Iterable[str | Objective],
        limits: str | Limit | Iterable[str | Limit] | None = (),
        known: Mapping[str, bool] | None = None,
    ) -> Goal:
        """Reads objectives and limits, one or several, as text or values; ``known`` as in :func:`parse_objective`."""
        given = (objectives,) if isinstance(objectives, str | Objective) else tuple(objectives)
        if not given:
            raise ObjectiveError("no objective given; write for example objectives=['accuracy']")
        read = tuple(parse_objective(each, known) for each in given)
        bounds = (limits,) if isinstance(limits, str | Limit) else tuple(limits or ())
        return cls(read, tuple(each if isinstance(each, Limit) else Limit(each) for each in bounds))

    @property
    def metrics(self) -> tuple[str, ...]:
        """What objectives and limits need, each once."""
        needed = (*(each.metric for each in self.objectives), *(each.metric for each in self.limits))
        return tuple(dict.fromkeys(needed))

    def missing(self, scores: Mapping[str, float]) -> list[str]:
        """The metrics that objectives and limits need and that are not among the scores."""
        return [metric for metric in self.metrics if metric not in scores]

    def feasible(self, scores: Mapping[str, float]) -> bool:
        """Whether every limit is satisfied."""
        return all(limit.satisfied(scores) for limit in self.limits)

    def losses(self, scores: Mapping[str, float]) -> tuple[float, ...]:
        """``(violation, loss of each objective)``: less is better, the violation first of all."""
        violation = sum(limit.violation(scores) for limit in self.limits)
        return (float(violation), *(objective.loss(scores) for objective in self.objectives))


def dominates(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether losses ``a`` (see :meth:`Goal.losses`) are better than ``b`` in one thing and worse in none."""
    if a[0] != b[0]:
        return a[0] < b[0]
    return a != b and all(x <= y for x, y in zip(a[1:], b[1:], strict=True))


def fronts(losses: Sequence[Sequence[float]]) -> list[list[int]]:
    """Non-dominated sort: indices of the first front, of the second once the first is gone, and so on.

    In lexicographic order nothing is dominated by what comes later, and the fronts that dominate a point are
    a beginning of the list of fronts, so that bisection finds its own (ENS-BS: Zhang et al. 2015, IEEE TEVC
    19(2)). With two objectives the second falls along a front, so that its last member beats what any of it beats.
    """
    last = bool(losses) and len(losses[0]) <= 3
    found: list[list[int]] = []
    for i in sorted(range(len(losses)), key=lambda i: tuple(losses[i])):
        low, high = 0, len(found)
        while low < high:
            middle = (low + high) // 2
            front = found[middle]
            if any(dominates(losses[j], losses[i]) for j in (front[-1:] if last else reversed(front))):
                low = middle + 1
            else:
                high = middle
        if low == len(found):
            found.append([])
        found[low].append(i)
    return [sorted(front) for front in found]


def crowding(losses: Sequence[Sequence[float]]) -> list[float]:
    """Crowding distance within one front (Deb et al. 2002): large far from others, infinite at the ends."""
    distance = [0.0] * len(losses)
    for k in range(len(losses[0]) if losses else 0):
        order = sorted(range(len(losses)), key=lambda i: losses[i][k])
        width = losses[order[-1]][k] - losses[order[0]][k]
        if not width > 0:
            continue
        distance[order[0]] = distance[order[-1]] = math.inf
        for before, i, after in zip(order, order[1:], order[2:], strict=False):
            distance[i] += (losses[after][k] - losses[before][k]) / width
    return distance


def ranking(losses: Sequence[Sequence[float]]) -> list[int]:
    """All indices, best first: by the loss if there is one; else by front, there the less crowded first."""
    if losses and len(losses[0]) == 2:
        return sorted(range(len(losses)), key=lambda i: tuple(losses[i]))
    order: list[int] = []
    for front in fronts(losses):
        spread = crowding([losses[i] for i in front])
        order += [front[i] for i in sorted(range(len(front)), key=lambda i: -spread[i])]
    return order
