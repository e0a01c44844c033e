"""Trees on hand-made aggregates as a contestant: drawn at random for so much CPU time, the best by validation kept."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
from event_cells import Clock, Tuned
from event_tasks import judged_by_valid, worth

from nasturtium.errors import NasturtiumError
from nasturtium.final.classical import Classical, categories, rows_of, train_classical
from nasturtium.tasks import Task

FIXED: dict[str, dict[str, Any]] = {
    "HistGradientBoostingClassifier": {"early_stopping": False},
    "RandomForestClassifier": {"n_estimators": 500},
    "ExtraTreesClassifier": {"n_estimators": 500},
}
"""The models of scikit-learn among which trees are drawn, with what is not drawn."""


def draw_trees(rng: np.random.Generator) -> str:
    """Boosted trees, or one time in three a forest, with settings drawn at random, as JSON."""
    boosted, random, extra = FIXED
    name = (boosted, boosted, boosted, boosted, random, extra)[int(rng.integers(6))]
    drawn: dict[str, list[Any]]
    if name == boosted:
        drawn = {
            "learning_rate": [0.01, 0.02, 0.05, 0.1, 0.2],
            "max_iter": [50, 100, 200, 400],
            "max_leaf_nodes": [4, 8, 16, 31, 63],
            "min_samples_leaf": [5, 10, 20, 50],
            "l2_regularization": [0.0, 0.1, 1.0, 10.0],
            "max_features": [0.3, 0.6, 1.0],
        }
    else:
        drawn = {"max_features": ["sqrt", 0.2, 0.5], "min_samples_leaf": [1, 2, 4, 8]}
    return json.dumps({"model": name, **{key: among[int(rng.integers(len(among)))] for key, among in drawn.items()}})


def read_trees(text: str, task: Task) -> Classical:
    """The model that :func:`draw_trees` wrote; boosted trees take ids of a task as categories."""
    from sklearn import ensemble

    options = json.loads(text)
    name = options.pop("model")
    if "max_iter" in options:
        options["categorical_features"] = categories(task)
    return Classical(name, lambda seed: getattr(ensemble, name)(**options, **FIXED[name], random_state=seed))


def tune_trees(task: Task, seconds: float, seed: int) -> Tuned:
    """The best trees on hand-made aggregates by validation that random search finds in so much CPU time."""
    clock, rng = Clock(seconds), np.random.default_rng(seed)
    judged = judged_by_valid(task)
    rows = rows_of(judged)
    best, trials = None, 0
    while best is None or not clock.over:
        drawn = draw_trees(rng)
        (made,), _ = train_classical(read_trees(drawn, task), judged, [seed], rows=rows)
        trials += 1
        valid = worth(task, made.scores)
        if made.state == "complete" and (best is None or valid > best[0]):
            best = (valid, drawn)
    valid, text = best
    return Tuned(text, 0, valid, trials, clock.spent, 0)


def test_trees(task: Task, tuned: Tuned, seed: int) -> tuple[dict[str, float], npt.NDArray[Any]]:
    """Test scores and outputs of the trees, fitted on train + valid."""
    (made,), outputs = train_classical(read_trees(tuned.text, task), task, [seed])
    if not outputs:
        raise NasturtiumError(f"{tuned.text} on {task.name}: {made.reason}")
    return made.scores, outputs[0]
