"""The final training of the best network, its test scores, and the files that keep it."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError
from nasturtium.space import Architecture

if TYPE_CHECKING:
    import torch

    from nasturtium.tasks import Task

BEST = "best.json"
WEIGHTS = "best.safetensors"


def train_best(
    architecture: Architecture,
    task: Task,
    estimator: Any,
    epochs: int,
    seeds: int,
    seed: int,
    out: Path | None,
) -> tuple[torch.nn.Module, dict[str, float]]:
    """Train on train + valid, once for each seed, and score each once on the test split.

    What an earlier call with the same settings left in ``out`` is read instead of trained again.

    Returns:
        The network of the first seed, on the CPU and in evaluation mode; the test scores as ``test_<metric>``
        (mean over seeds) and ``test_<metric>_sd`` (sample standard deviation, for several seeds).
    """
    settings = {"architecture": str(architecture), "epochs": epochs, "seeds": seeds, "seed": seed,
                "data": task.fingerprint, "recipe": str(estimator.recipe)}  # fmt: skip
    kept = None if out is None else _kept(out, settings)
    if kept is not None and out is not None:
        return _loaded(architecture, out), kept
    merged = task.merged()
    model, runs = None, []
    for number in range(seeds):
        trained = estimator.fit_final(architecture, merged, epochs, seed + number)
        runs.append(estimator.test_scores(trained))
        model = model if model is not None else trained
    if model is None:
        raise NasturtiumError(f"the final training needs at least one seed, not {seeds}")
    scores = summary(runs)
    if out is not None:
        _keep(out, model, {**settings, "scores": scores, "runs": runs, "json": architecture.to_json(),
                           "task": task.name, "classes": list(task.classes), "metric": task.metric})  # fmt: skip
    return model, scores


def summary(runs: list[dict[str, float]]) -> dict[str, float]:
    """Mean and sample standard deviation of the test scores of several runs."""
    scores: dict[str, float] = {}
    for metric in runs[0]:
        values = [run[metric] for run in runs]
        mean = sum(values) / len(values)
        name = f"test_{metric.removeprefix('test_')}"
        scores[name] = mean
        if len(values) > 1:
            scores[f"{name}_sd"] = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
    return scores


def read_best(out: Path) -> dict[str, Any] | None:
    """What the final training left in a folder, or None."""
    try:
        content = json.loads((out / BEST).read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise NasturtiumError(f"cannot read {out / BEST}: {error}; delete it to train the best again") from None
    return content if isinstance(content, dict) else None


def _kept(out: Path, settings: dict[str, Any]) -> dict[str, float] | None:
    content = read_best(out)
    same = content is not None and all(content.get(name) == value for name, value in settings.items())
    if content is None or not same or not (out / WEIGHTS).exists():
        return None
    return dict(content["scores"])


def _loaded(architecture: Architecture, out: Path) -> torch.nn.Module:
    from safetensors.torch import load_model

    model = architecture.build()
    load_model(model, str(out / WEIGHTS))
    return model.eval()


def _keep(out: Path, model: torch.nn.Module, content: dict[str, Any]) -> None:
    from safetensors.torch import save_model

    out.mkdir(parents=True, exist_ok=True)
    save_model(model, str(out / f"{WEIGHTS}.part"))
    os.replace(out / f"{WEIGHTS}.part", out / WEIGHTS)
    (out / f"{BEST}.part").write_text(json.dumps(content, indent=1))
    os.replace(out / f"{BEST}.part", out / BEST)
