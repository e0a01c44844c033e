"""Forests and boosted trees as plain arrays: fitted by scikit-learn, kept and asked without it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.floating[Any]]


class Forest(NamedTuple):
    """Regression trees, one behind the other.

    Attributes:
        feature: (nodes,) the column that a node looks at; negative for a leaf.
        threshold: (nodes,) up to which value an example goes to the left.
        left: (nodes,) the left child.
        right: (nodes,) the right child.
        value: (nodes,) the prediction of a leaf.
        roots: (trees,) where each tree begins.
    """

    feature: NDArray[np.int32]
    threshold: Numbers
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Numbers
    roots: NDArray[np.int32]

    def mean(self, row: Numbers) -> float:
        """The mean prediction of the trees for one example, (features,)."""
        return float(self.predict(row).mean())

    def predict(self, row: Numbers) -> Numbers:
        """The prediction of every tree for one example: (trees,).

        Args:
            row: (features,).
        """
        nodes = self.roots.copy()
        while True:
            features = self.feature[nodes]
            inner = features >= 0
            if not inner.any():
                return self.value[nodes]
            goes_left = row[features] <= self.threshold[nodes]
            nodes = np.where(inner, np.where(goes_left, self.left[nodes], self.right[nodes]), nodes)


class Boosted(NamedTuple):
    """Members whose trees are added to a base, one behind the other; fields as those of a forest.

    Attributes:
        base: (members,) what each begins with. All have as many trees.
    """

    feature: NDArray[np.int32]
    threshold: Numbers
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: Numbers
    roots: NDArray[np.int32]
    base: Numbers

    def mean(self, row: Numbers) -> float:
        """The mean prediction of the members for one example, (features,)."""
        return float(self.predict(row).mean())

    def predict(self, row: Numbers) -> Numbers:
        """The prediction of every member for one example: (members,).

        Args:
            row: (features,).
        """
        leaves = Forest(*self[:6]).predict(row)
        found: Numbers = self.base + leaves.reshape(len(self.base), -1).sum(axis=1)
        return found


def fit_boosted(rows: Numbers, targets: Numbers, trees: int, seed: int) -> tuple[Boosted, Numbers]:
    """Gradient boosting (Friedman 2001) on ten bootstrap samples: the predictor ``gradient_boosting``.

    Args:
        rows: (n, features).
        targets: (n,).
        trees: Of each member.
        seed: Of the samples and trees.

    Returns:
        The members, and for each example the mean of those that have not seen it: (n,), NaN where these are fewer than
        two.
    """
    from nasturtium.predictors.boosting import Bagged

    model = Bagged(trees=trees, seed=seed)
    model.fit(rows, targets)
    flat = _arrays([tree for member in model.models for tree in member.estimators_[:, 0]])
    rates = np.array([member.learning_rate for member in model.models])
    nodes = np.diff([*flat.roots, len(flat.value)]).reshape(len(rates), -1).sum(axis=1)
    base = np.array([float(member.init_.predict(rows[:1])[0]) for member in model.models])
    made = Boosted(*flat._replace(value=flat.value * np.repeat(rates, nodes)), base)
    held = model.held_out()
    return made, np.full(len(targets), np.nan) if held is None else np.asarray(held[0], dtype=np.float64)


def fit(rows: Numbers, targets: Numbers, trees: int, seed: int) -> tuple[Forest, Numbers]:
    """A random forest (Breiman 2001) with scikit-learn's defaults but a third of the features at each split.

    Args:
        rows: (n, features).
        targets: (n,).
        trees: How many.
        seed: Of the bootstrap samples and the features tried.

    Returns:
        The forest, and for each example the mean over the trees that have not seen it: (n,), NaN if all have.
    """
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(trees, max_features=1 / 3, bootstrap=True, random_state=seed)
    examples = np.ascontiguousarray(rows, dtype=np.float32)
    model.fit(examples, targets)
    return _arrays(model.estimators_), _unseen(model, examples)


def _arrays(models: Sequence[Any]) -> Forest:
    """Trees of scikit-learn in one array each."""
    trees = [each.tree_ for each in models]
    starts = np.cumsum([0, *[tree.node_count for tree in trees]]).astype(np.int32)
    leaf = np.concatenate([tree.children_left for tree in trees]) < 0
    shift = np.repeat(starts[:-1], [tree.node_count for tree in trees])
    left, right = (
        np.where(leaf, 0, np.concatenate([getattr(tree, f"children_{side}") for tree in trees]) + shift).astype(
            np.int32
        )
        for side in ("left", "right")
    )
    feature = np.where(leaf, -1, np.concatenate([tree.feature for tree in trees])).astype(np.int32)
    threshold = np.concatenate([tree.threshold for tree in trees])
    value = np.concatenate([tree.value[:, 0, 0] for tree in trees])
    return Forest(feature, threshold, left, right, value, starts[:-1])


def _unseen(model: Any, examples: Numbers) -> Numbers:
    """The mean prediction of the trees whose bootstrap sample left an example out."""
    total, count = np.zeros(len(examples)), np.zeros(len(examples))
    for tree, seen in zip(model.estimators_, model.estimators_samples_, strict=True):
        left_out = np.ones(len(examples), dtype=bool)
        left_out[seen] = False
        total[left_out] += tree.predict(examples[left_out])
        count += left_out
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Numbers = total / count
    return means
