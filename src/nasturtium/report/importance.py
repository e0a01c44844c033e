"""Which decisions mattered: shares of the variance of a random forest's prediction, and the mean of each option.

Functional ANOVA with forests: Hutter, Hoos and Leyton-Brown 2014, ICML, "An efficient approach for assessing
hyperparameter importance". The marginal of one decision is exact for each tree: the leaves cut the space of all
combinations into boxes. We differ in the weights of levels: options weigh the same, as there, but numbers of
occurrences weigh as often as they were seen, because most combinations of counts are no architecture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.report.features import Feature, Table
from nasturtium.report.numbers import mean_and_spread

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FEWEST = 10
"""With fewer trials no forest is grown."""

TREES = 64
LEAF = 2
"""A leaf holds at least so many trials."""


@dataclass(frozen=True, slots=True)
class Level:
    """One option of a decision: the trials that took it.

    Attributes:
        text: The option.
        count: How many trials took it.
        mean: Their mean score; None where there is no trial.
        sd: Their sample standard deviation; None for fewer than two.
    """

    text: str
    count: int
    mean: float | None
    sd: float | None


@dataclass(frozen=True, slots=True)
class Importance:
    """What one decision explains.

    Attributes:
        feature: The decision.
        share: Mean over the trees of its share of the variance; None without a forest.
        sd: The standard deviation of that share over the trees.
        levels: Its options.
    """

    feature: Feature
    share: float | None
    sd: float | None
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class Importances:
    """All decisions, the most important first.

    Attributes:
        ranked: The decisions.
        explained: Out-of-bag R² of the forest: what it explains of trials it was not grown from.
        note: What was used and what it is worth, for the reader.
    """

    ranked: tuple[Importance, ...]
    explained: float | None
    note: str


def importances(table: Table, seed: int = 0) -> Importances:
    """The share of variance that each decision alone explains, and the scores of each of its options.

    Args:
        table: The trials.
        seed: Of the forest.
    """
    levels = [_levels(feature, table.scores) for feature in table.features]
    shares: list[tuple[float | None, float | None]] = [(None, None)] * len(table.features)
    explained = None
    if len(table.scores) >= FEWEST and table.features and np.ptp(table.scores) > 0:
        forest, explained = grow(table, seed)
        each = np.array([tree_shares(tree.tree_, table.features) for tree in forest.estimators_])
        shares = list(zip(each.mean(axis=0).tolist(), each.std(axis=0).tolist(), strict=True))
    rows = zip(table.features, shares, levels, strict=True)
    found = [Importance(feature, share, sd, tuple(made)) for feature, (share, sd), made in rows]
    ranked = sorted(found, key=lambda one: -(one.share or 0.0))
    return Importances(tuple(ranked), explained, " ".join((table.note, _worth(table, explained))))


def _worth(table: Table, explained: float | None) -> str:
    if not table.features:
        return "They do not differ in anything that could be told apart."
    if explained is None and len(table.scores) < FEWEST:
        return f"Fewer than {FEWEST} trials: too few for a forest, so only the mean of each option is shown."
    if explained is None:
        return "All scores are equal, so nothing can be explained."
    said = f"A forest of {TREES} trees explains {max(explained, 0.0):.0%} of the variance of trials it has not seen"
    if explained < 0.2:
        return f"{said}: too little to rely on these shares; more trials would help."
    return f"{said}."


def grow(table: Table, seed: int) -> tuple[Any, float]:
    """A regression forest over the columns of all features, and its out-of-bag R²."""
    from sklearn.ensemble import RandomForestRegressor

    parts = [feature_columns(feature)[feature.values] for feature in table.features]
    forest = RandomForestRegressor(
        TREES, min_samples_leaf=LEAF, max_features=0.5, bootstrap=True, oob_score=True, random_state=seed
    )
    forest.fit(np.concatenate(parts, axis=1), table.scores)
    return forest, float(forest.oob_score_)


def feature_columns(feature: Feature) -> Floats:
    """What a forest sees of each level: one column for a number, one for each option otherwise; (levels, columns)."""
    if feature.ordered:
        return np.array([[float(level)] for level in feature.levels])
    return np.eye(len(feature.levels))


def level_weights(feature: Feature) -> Floats:
    """How much each level weighs in means over the space, (levels,); sums to 1."""
    if not feature.ordered:
        return np.full(len(feature.levels), 1.0 / len(feature.levels))
    seen = np.bincount(feature.values, minlength=len(feature.levels)).astype(np.float64)
    weights: Floats = seen / seen.sum()
    return weights


def tree_shares(tree: Any, features: tuple[Feature, ...]) -> Floats:
    """The share of the variance over the whole space that each feature alone explains in one tree; (features,).

    With leaves L of value c and boxes of levels, the marginal of feature j at level l is the sum over the leaves
    that allow l of c times the weights of what they allow in all other features (Hutter et al. 2014, Algorithm 2).
    """
    masks, values = leaves(tree, features)
    weights = [level_weights(feature) for feature in features]
    starts = np.cumsum([0, *(len(each) for each in weights)])[:-1]
    allowed = np.add.reduceat(masks * np.concatenate(weights), starts, axis=1)  # (leaves, features)
    volume = allowed.prod(axis=1)
    mean = float(volume @ values)
    total = float(volume @ (values - mean) ** 2)
    shares = np.zeros(len(features))
    if total <= 1e-15 * max(1.0, mean * mean):
        return shares
    for number, (start, weight) in enumerate(zip(starts, weights, strict=True)):
        others = values * volume / allowed[:, number]
        marginal = others @ masks[:, start : start + len(weight)]  # (levels,)
        shares[number] = float(weight @ (marginal - mean) ** 2) / total
    return shares


def leaves(tree: Any, features: tuple[Feature, ...]) -> tuple[Bools, Floats]:
    """Which levels of all features lead to each leaf, (leaves, sum of levels), and the values of the leaves."""
    columns = [(number, column) for number, f in enumerate(features) for column in feature_columns(f).T]
    starts = np.cumsum([0, *(len(feature.levels) for feature in features)])
    found: list[tuple[Bools, float]] = []
    pending = [(0, np.ones(int(starts[-1]), dtype=np.bool_))]
    while pending:
        node, mask = pending.pop()
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left < 0:
            found.append((mask, float(tree.value[node][0][0])))
            continue
        number, column = columns[int(tree.feature[node])]
        inside = slice(int(starts[number]), int(starts[number + 1]))
        below = column.astype(np.float32) <= tree.threshold[node]
        for child, kept in ((left, below), (right, ~below)):
            narrowed = mask.copy()
            narrowed[inside] &= kept
            pending.append((child, narrowed))
    return np.array([mask for mask, _ in found]), np.array([value for _, value in found])


def _levels(feature: Feature, scores: Floats) -> list[Level]:
    made = []
    for number, text in enumerate(feature.levels):
        taken = scores[feature.values == number].tolist()
        mean, sd = mean_and_spread(taken) if taken else (None, None)
        made.append(Level(text, len(taken), mean, sd))
    return made
