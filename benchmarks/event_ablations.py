"""Ablations of the search for event sequences: one part is changed at a time, at equal CPU time, with several seeds.

    python benchmarks/event_ablations.py DATA distillation|teachers|operations|surrogate [--minutes 5] [--seeds 5]
                                         [--datasets ...] [--out runs/event_ablations] [--page docs/FILE.md]

``distillation``: on against off. ``teachers``: 1, 3 and 5 of them. ``operations``: what encoder layers may have.
``surrogate``: what proposes new networks. Each search is judged by the test score of its winner by validation, with the
weights it had in the search: nothing is trained again, so that what a teacher taught counts. Differences are paired by
seed, with the interval of 95 % by Student's t. Kept as soon as done; the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import event_spaces
import event_tasks
import numpy as np
import torch
from event_cells import Kept, chooser, explore
from event_page import PACKAGES
from pages import grid, made_by, put

from nasturtium.estimators import Distillation, Training
from nasturtium.estimators.scoring import scores_of
from nasturtium.tasks import Task

DATASETS = ("bpic2012_next", "sepsis_next", "CricketX")
CLOSING = 2 / 3
"""After this share of the time the best go on to the end of a whole training, and nothing new is tried."""
AFTER = 10
"""Trials before the first student: a search of some minutes has no time for the published 30."""


class Variant(NamedTuple):
    """A search.

    Attributes:
        strategy: What proposes new networks, which are trained short first, the best of them longer.
        options: Of the strategy.
        teachers: How many; 0 for no distillation.
        operations: What encoder layers may have; all if None.
        warm: Whether it begins with known networks.
    """

    strategy: str = "evolution"
    options: Mapping[str, Any] = {"population": 20, "tournament": 5}
    teachers: int = 0
    operations: tuple[str, ...] | None = None
    warm: bool = True


ATTENTION, RECURRENCE, CONVOLUTION = ("attention",), ("recurrence",), ("convolution", "block")
SURROGATE = {"predictor": "gradient_boosting", "candidates": "mixed", "initial": 16, "every": 5}

STUDIES: dict[str, dict[str, Variant]] = {
    "distillation": {"off": Variant(), "on": Variant(teachers=3)},
    "teachers": {f"{count} of them": Variant(teachers=count) for count in (1, 3, 5)},
    "operations": {
        "all": Variant(),
        "attention": Variant(operations=ATTENTION),
        "recurrence": Variant(operations=RECURRENCE),
        "convolution": Variant(operations=CONVOLUTION),
        "attention, recurrence": Variant(operations=(*ATTENTION, *RECURRENCE)),
        "attention, convolution": Variant(operations=(*ATTENTION, *CONVOLUTION)),
        "recurrence, convolution": Variant(operations=(*RECURRENCE, *CONVOLUTION)),
        "these three": Variant(operations=(*ATTENTION, *RECURRENCE, *CONVOLUTION)),
    },
    "surrogate": {
        "random": Variant("random", {}, warm=False),
        "surrogate": Variant("bayesian", SURROGATE, warm=False),
        "evolution": Variant(warm=False),
        "surrogate, known networks first": Variant("bayesian", SURROGATE),
        "evolution, known networks first": Variant(),
    },
}
"""What is compared; the first of each study is what the others are compared with."""


class Tested(Training):
    """Training that scores on test, too, under names that no strategy looks at."""

    def conclude(self, architecture: Any, fit: Any, report: Any, scores: Any) -> dict[str, float]:
        """The scores with those of the test rows."""
        found = super().conclude(architecture, fit, report, scores)
        batches = self._data().scoring("test", fit.mode.channels_last)
        tested = scores_of(fit.model, batches, self.task, "test")
        return {**found, **{f"tested_{name}": value for name, value in tested.items()}}


def searched(task: Task, variant: Variant, seconds: float, seed: int) -> dict[str, Any]:
    """What a search found, judged on test."""
    options = {} if variant.operations is None else {"operations": list(variant.operations)}
    space = event_spaces.searched("seqnas_plus", task, **options)
    start = event_spaces.starts("seqnas_plus", task, space, **options) if variant.warm else []
    plan = Distillation(teachers=variant.teachers, after=AFTER) if variant.teachers else None
    training = Tested(task, device="cpu", distillation=plan)
    epochs = event_tasks.epochs_for(task)
    inner = {"strategy": variant.strategy, "options": dict(variant.options), "least": max(epochs // 16, 1)}
    choosing = chooser("asha", epochs, seed, start, **inner)
    best, trials, spent, _ = explore(task, space, choosing, seconds, seed, training, CLOSING)
    scores = {name: value for name, value in best.scores.items() if math.isfinite(value)}
    return {"text": str(best.architecture), "epochs": best.budget, "trials": trials, "cpu": spent,
            "valid": event_tasks.worth(task, best.scores), "test": best.scores[f"tested_{task.metric}"],
            "scores": scores}  # fmt: skip


def difference(ours: list[float], theirs: list[float]) -> str:
    """The mean difference, paired by seed, with its interval of 95 %."""
    from scipy import stats

    gaps = np.subtract(ours, theirs)
    if len(gaps) < 2:
        return "–" if not len(gaps) else f"{gaps.mean():+.4f}"
    half = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / math.sqrt(len(gaps))
    return f"{gaps.mean():+.4f} ({gaps.mean() - half:+.4f} to {gaps.mean() + half:+.4f})"


def table(kept: Kept, study: str, minutes: float, datasets: list[str]) -> str:
    """Mean test scores of a study, and differences from its first variant over common seeds."""
    names, lines = list(STUDIES[study]), []
    for dataset in datasets:
        rows = kept.rows(study=study, minutes=minutes, dataset=dataset)
        found: dict[str, dict[int, float]] = {name: {} for name in names}
        for row in rows:
            found[row["variant"]][row["seed"]] = row["test"]
        for name in [name for name in names if found[name]]:
            values = list(found[name].values())
            spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
            common = sorted(found[name].keys() & found[names[0]].keys())
            gap = difference([found[name][seed] for seed in common], [found[names[0]][seed] for seed in common])
            trials = np.mean([row["trials"] for row in rows if row["variant"] == name])
            shown = "" if name == names[0] else gap
            lines.append([dataset, name, str(len(values)), f"{trials:.0f}", f"{np.mean(values):.4f}{spread}", shown])
    return grid(["data set", study, "searches", "trials each", "test", f"difference from *{names[0]}*"], lines)


def write_page(page: Path, kept: Kept, folder: Path, minutes: float, datasets: list[str]) -> None:
    """All studies of which something is there."""
    done = [study for study in STUDIES if kept.rows(study=study, minutes=minutes)]
    tables = "\n\n".join(f"## {study.capitalize()}\n\n{table(kept, study, minutes, datasets)}" for study in done)
    made = made_by(PACKAGES, {str(folder): "DATA", str(kept.folder): "OUT", str(page): "PAGE"})
    put(
        page,
        "Ablations of the search for event sequences",
        f"{made}\n\nEach search had {minutes:g} minutes of "
        "CPU time. Its winner by validation is scored on test with the weights it had in the search; mean and standard "
        "deviation over searches with different seeds, differences paired by seed with the interval of 95 % "
        f"(Student's t).\n\n{tables}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("study", choices=list(STUDIES))
    parser.add_argument("--minutes", type=float, default=5, help="of CPU time of each search")
    parser.add_argument("--seeds", type=int, default=5, help="how many searches of each kind")
    parser.add_argument("--datasets", nargs="*", default=list(DATASETS), choices=list(event_tasks.TASKS))
    parser.add_argument("--out", type=Path, default=Path("runs/event_ablations"))
    parser.add_argument("--page", type=Path, help="write what is there, of all studies, to this file")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    kept = Kept(asked.out)
    for dataset in asked.datasets:
        task = event_tasks.load(dataset, asked.data)
        for seed in range(asked.seeds):
            for name, variant in STUDIES[asked.study].items():
                key = {"study": asked.study, "dataset": dataset, "variant": name, "seed": seed,
                       "minutes": asked.minutes}  # fmt: skip
                if kept.rows(**key):
                    continue
                row = searched(task, variant, 60 * asked.minutes, seed)
                kept.add(**key, **row)
                print(f"{dataset}, {name}, seed {seed}: valid {row['valid']:.4f}, test {row['test']:.4f} of "
                      f"{row['trials']} trials in {row['cpu']:.0f} s", flush=True)  # fmt: skip
    print(table(kept, asked.study, asked.minutes, asked.datasets))
    if asked.page is not None:
        write_page(asked.page, kept, asked.data, asked.minutes, asked.datasets)


if __name__ == "__main__":
    main()
