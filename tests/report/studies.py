"""Studies made up for tests: real architectures of published spaces, scores of a known function, no training."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium import spaces
from nasturtium.objective import Goal
from nasturtium.space import Architecture, Space
from nasturtium.study import open_study
from nasturtium.study.identity import key_of
from nasturtium.study.store import Event

SUMMARY = "digits: image 1x8x8 -> 10 classes; 1,184/253/360 rows train/valid/test; judged by accuracy"
BEGUN = 1_700_000_000.0
SECONDS = 2.0


@dataclass
class Made:
    """What a made-up study holds, as it was put in."""

    folder: Path
    space: Space
    trials: list[dict[str, Any]] = field(default_factory=list)

    def complete(self) -> list[dict[str, Any]]:
        return [trial for trial in self.trials if trial["state"] == "complete"]


def score_of(architecture: Architecture, rng: np.random.Generator) -> float:
    """A score that the first decision settles for the most part."""
    first, *rest = architecture.decisions
    return 0.5 + 0.08 * first + 0.004 * sum(rest[:3]) + 0.001 * rng.random()


def make_study(
    folder: Path,
    count: int = 24,
    *,
    space: str = "nasbench201",
    objectives: Sequence[str] = ("max:accuracy",),
    limits: Sequence[str] = (),
    ends: Callable[[int], tuple[str, str]] = lambda number: ("complete", ""),
    epochs: int = 3,
    settings: dict[str, Any] | None = None,
) -> Made:
    """A study in a folder as a search leaves it; trial n ends as ``ends(n)`` says: state and reason."""
    made = spaces.make(space, (1, 8, 8), 10)
    goal = Goal.of(objectives, limits)
    header = {"task": "digits", "data": "0123abcd", "strategy": "random", "seed": 0, "epochs": epochs}
    content = {**header, "recipe": "Recipe()", "options": "[]", "trials": count, "summary": SUMMARY,
               "notes": ["drew valid (253 rows) from the training rows"], "metric": "accuracy", "space": space,
               "objectives": list(objectives), "limits": list(limits), **(settings or {})}  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.json").write_text(json.dumps(content))
    result = Made(folder, made)
    study = open_study(folder / "study.db", goal, made, header)
    rng = np.random.default_rng(0)
    for number in range(count):
        state, reason = ends(number)
        study.record(events(result, number, made.sample(rng), state, reason, epochs, rng))
    study.close()
    return result


def events(
    made: Made, number: int, architecture: Architecture, state: str, reason: str, epochs: int, rng: np.random.Generator
) -> list[Event]:
    """The life of one trial, two seconds long."""
    at = BEGUN + number * SECONDS
    score = score_of(architecture, rng)
    costs = {name: float(value) for name, value in architecture.count().items()}
    scores = {**costs, "accuracy": score, "valid_loss": 1 - score} if state in ("complete", "stopped") else costs
    asked = {"decisions": list(architecture.decisions), "text": str(architecture), "key": key_of(architecture)}
    told = {"state": state, "scores": scores, "seconds": SECONDS, "reason": reason}
    made.trials.append({"number": number, "architecture": str(architecture), **told})
    lived = [("asked", {**asked, "budget": epochs, "parent": None}, 0.0), ("started", {}, 0.0)]
    if "accuracy" in scores:
        points = [{"accuracy": score * (1 - 0.5 / epoch), "step": epoch} for epoch in range(1, epochs + 1)]
        lived += [("reported", point, SECONDS * point["step"] / (epochs + 1)) for point in points]
    lived.append(("told", told, SECONDS))
    return [Event(kind, number, json.dumps(data), at + later) for kind, data, later in lived]


def network(name: str, kind: str, values: Sequence[float], **known: Any) -> dict[str, Any]:
    """One network of ``finals.json``; without values its trainings failed."""
    runs: list[dict[str, Any]] = [
        {"seed": seed, "state": "complete", "seconds": 3.0, "reason": "", "scores": {"accuracy": v, "log_loss": 0.5}}
        for seed, v in enumerate(values)
    ] or [{"seed": 0, "state": "failed", "seconds": 1.0, "reason": "out of memory (MemoryError)", "scores": {}}]
    mean = float(np.mean(values)) if values else None
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    interval = [mean - 0.01, mean + 0.01] if mean is not None else None
    plain = {"number": None, "architecture": None, "valid": None, "params": None, "flops": None}
    return {**plain, "name": name, "kind": kind, "runs": runs, "mean": mean, "sd": sd, "interval": interval, **known}


def write_finals(made: Made) -> dict[str, Any]:
    """Final trainings of the best two trials and two baselines, one of which failed."""
    best, second = sorted(made.complete(), key=lambda trial: -trial["scores"]["accuracy"])[:2]
    finalists = [
        network(f"trial {trial['number']}", "finalist", values, number=trial["number"],
                architecture=trial["architecture"], valid=trial["scores"]["accuracy"],
                params=trial["scores"]["params"], flops=trial["scores"]["flops"])
        for trial, values in ((best, (0.91, 0.93, 0.95)), (second, (0.92, 0.90, 0.94)))
    ]  # fmt: skip
    baselines = [network("plain network", "baseline", (0.88, 0.89, 0.90), params=85_322)]
    baselines.append(network("HistGradientBoostingClassifier", "classical", ()))
    name = finalists[0]["name"]
    gap = {"first": name, "second": finalists[1]["name"], "difference": 0.01, "interval": [-0.01, 0.03], "ahead": False}
    content = {"metric": "accuracy", "maximise": True, "epochs": 60, "seeds": [0, 1, 2], "winner": name,
               "networks": finalists + baselines, "comparisons": [gap],
               "verdict": [f"{name} is not clearly ahead of {finalists[1]['name']}"]}  # fmt: skip
    (made.folder / "finals.json").write_text(json.dumps(content))
    return content


def write_best(made: Made) -> dict[str, Any]:
    """The ``best.json`` of an older release: the winner alone, trained with two seeds."""
    best = max(made.complete(), key=lambda trial: trial["scores"]["accuracy"])
    architecture = made.space.parse(best["architecture"])
    runs = [{"accuracy": 0.9, "test_loss": 0.3}, {"accuracy": 0.94, "test_loss": 0.2}]
    scores = {"test_accuracy": 0.92, "test_accuracy_sd": float(np.std([0.9, 0.94], ddof=1)), "test_loss": 0.25}
    content = {"architecture": str(architecture), "json": architecture.to_json(), "scores": scores, "runs": runs,
               "epochs": 12, "seeds": 2, "seed": 0, "metric": "accuracy", "classes": list("0123456789")}  # fmt: skip
    (made.folder / "best.json").write_text(json.dumps(content))
    return content
