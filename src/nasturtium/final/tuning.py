"""Tuning: the recipe of the finalists, searched through the same choices as everything else."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nasturtium.estimators import Recipe, Trained, Training
from nasturtium.final.leaders import leading, standing
from nasturtium.objective import STRUCTURAL, Goal
from nasturtium.space import Space, choice
from nasturtium.space.choice import Choice
from nasturtium.strategies import make
from nasturtium.study import Executor, open_study, run
from nasturtium.trial import Trial

STUDY = "tuning.db"


def open_recipe(recipe: Recipe, rows: int) -> Recipe:
    """A recipe with its learning rate, weight decay, batch size, smoothing and dropout open around what they are.

    Args:
        recipe: The one that the search used.
        rows: Training rows; a batch has at most an eighth of them.
    """
    rate, decay = recipe.learning_rate, recipe.weight_decay
    sizes = [size for size in (recipe.batch_size // 2, recipe.batch_size, 2 * recipe.batch_size) if size >= 4]
    sizes = [size for size in sizes if size == recipe.batch_size or size <= rows / 8]
    open_fields: dict[str, Any] = {
        "learning_rate": around(rate, 8),
        "weight_decay": around(decay, 16) if decay > 0 else choice(0.0, 0.001, 0.01, 0.1),
        "batch_size": choice(*sizes) if len(sizes) > 1 else recipe.batch_size,
        "dropout": choice(0.0, 0.1, 0.2, 0.3, 0.5),
    }
    fields = {name: getattr(recipe, name) for name in Recipe.__dataclass_fields__}
    return Recipe(**{**fields, **open_fields})


def around(value: float, factor: float, steps: int = 6) -> Choice:
    """From ``value / factor`` to ``value * factor`` in so many equal ratios each way, ``value`` itself among them."""
    ratios = [factor ** (step / steps) for step in range(-steps, steps + 1)]
    return Choice(tuple(value if r == 1 else float(f"{value * r:.4g}") for r in ratios), None, None, ordered=True)


def tuning_space(leaders: Sequence[Trial], recipe: Recipe, rows: int) -> Space:
    """The finalists, each with any recipe around the given one."""
    networks = [trial.architecture.value for trial in leaders]
    network = choice(*networks) if len(networks) > 1 else networks[0]
    return Space(Trained(network, open_recipe(recipe, rows)), input=leaders[0].architecture.input, name="tuning")


def digest(space: Space, goal: Goal) -> str:
    """What tells one tuning from another: the networks with their recipes, and what is asked of them."""
    plain = goal.objectives[1:] == () and not goal.limits
    told = [space.fingerprint, *map(str, goal.objectives), *map(str, goal.limits)]
    return space.fingerprint[:8] if plain else hashlib.sha256("/".join(told).encode()).hexdigest()[:8]


def tuned(
    leaders: Sequence[Trial], training: Training, goal: Goal, executor: Any, trials: int, epochs: float, seed: int,
    folder: Path | None, seconds: float | None, header: dict[str, Any], progress: Any,
) -> dict[str, Trial]:  # fmt: skip
    """The best recipe found for each finalist that is better by validation than the one it had, by its text.

    Better is what the search held to be better: by its first objective, within its limits.

    Args:
        leaders: The finalists, best first.
        training: Trains and scores on the validation rows.
        goal: Of the search.
        executor: Makes an executor of an estimator and a space.
        trials: How many recipes are tried in all.
        epochs: For how long each, as in the search.
        seed: Of the study.
        folder: Where the study ``tuning.db`` is kept; in memory if None.
        seconds: Time limit.
        header: Of the search, which must not change.
        progress: Is kept up to date.
    """
    space = tuning_space(leaders, training.recipe, len(training.task.train))
    strategy = make("evolution", space=space, seed=seed, budget=epochs, objectives=goal.objectives, limits=goal.limits,
                    population=max(4, trials // 3), tournament=max(2, trials // 8))  # fmt: skip
    asked = STRUCTURAL.intersection(goal.metrics)
    place = None if folder is None else folder / f"{digest(space, goal)}-{STUDY}"
    study = open_study(place, goal, space, {**header, "tuning": epochs})
    running: Executor = executor(training, space)
    try:
        run(study, strategy, running, trials=trials, seed=seed, time=seconds, progress=progress,
            cost=lambda architecture: training.costs(architecture, asked))  # fmt: skip
        best: dict[str, Trial] = {}
        before = {str(trial.architecture): standing(goal, trial.scores) for trial in leaders}
        for trial in leading(study, len(study.trials)):
            network = str(trial.architecture.value.network)
            if network not in best and standing(goal, trial.scores) < before.get(network, (-math.inf, 0.0)):
                best[network] = trial
        return best
    finally:
        study.close()
