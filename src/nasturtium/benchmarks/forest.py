"""Forests of regression trees as plain arrays: fitted by scikit-learn, kept and asked without it."""

from __future__ import annotations

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
    return _flat(model), _unseen(model, examples)


def _flat(model: Any) -> Forest:
    """The trees of scikit-learn's forest in one array each."""
    trees = [each.tree_ for each in model.estimators_]
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
