"""Ablations of the search for event sequences: one part is changed at a time, at equal CPU time, with several seeds.

    python benchmarks/event_ablations.py DATA distillation|teachers|operations|surrogate [--minutes 2] [--seeds 5]
                                         [--datasets ...] [--out runs/event_ablations] [--page docs/FILE.md]

``distillation``: off, in the search, in the final training, in both. ``teachers``: none, 1, 3 and 5 of them in the
final training. ``operations``: what encoder layers may have. ``surrogate``: what proposes new networks. The winner of
each search by validation is trained once more on train + valid and scored on test. What several studies have in common
is searched once. Differences are paired by seed, with the interval of 95 % by Student's t. Kept as soon as done; the
same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import math
from collections import defaultdict
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import event_spaces
import event_tasks
import numpy as np
import torch
from event_cells import TEACHERS, Kept, Tuned, chooser, test, tune
from event_page import PACKAGES
from pages import grid, made_by, put

from nasturtium.estimators import Distillation
from nasturtium.tasks import Task

DATASETS = ("bpic2012_next", "sepsis_next", "CricketX")
CLOSING = 2 / 3
"""After this share of the time the best go on to the end of a whole training, and nothing new is tried."""
STUDENTS = Distillation(weight=0.5, teachers=5, after=10, finals=True)
"""Teaches in the search: one of some minutes has no time for the published 30 trials before the first student."""


class Variant(NamedTuple):
    """A search and the final training after it.

    Attributes:
        strategy: What proposes new networks, which are trained short first, the best of them longer.
        options: Of the strategy.
        students: Whether the best so far teach in the search.
        taught: How many teach in the final training.
        operations: What encoder layers may have; all if None.
        warm: Whether it begins with known networks.
    """

    strategy: str = "sequences"
    options: Mapping[str, Any] = {"initial": 16}
    students: bool = False
    taught: int = 0
    operations: tuple[str, ...] | None = None
    warm: bool = True

    @property
    def search(self) -> str:
        """What tells its search from others."""
        return str(self._replace(taught=0, options=dict(self.options)))


ATTENTION, RECURRENCE, CONVOLUTION = ("attention",), ("recurrence",), ("convolution", "block")
TREES = {"predictor": "gradient_boosting", "candidates": "mixed", "initial": 16, "every": 5}
EVOLUTION = {"population": 20, "tournament": 5}

STUDIES: dict[str, dict[str, Variant]] = {
    "distillation": {
        "off": Variant(),
        "in the search": Variant(students=True),
        "in the final training": Variant(taught=5),
        "in both": Variant(students=True, taught=5),
    },
    "teachers": {"none": Variant(), **{f"{count} of them": Variant(taught=count) for count in (1, 3, 5)}},
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
        "Gaussian process": Variant(warm=False),
        "boosted trees": Variant("bayesian", TREES, warm=False),
        "evolution": Variant("evolution", EVOLUTION, warm=False),
        "Gaussian process, known networks first": Variant(),
    },
}
"""What is compared; the first of each study is what the others are compared with."""


def searched(kept: Kept, task: Task, variant: Variant, minutes: float, seed: int) -> tuple[Tuned, float]:
    """What a search found, with its teachers, and its test score after the final training; as far as not known."""
    key = {"dataset": task.name, "contestant": f"{crc32(variant.search.encode()):08x}", "search": variant.search,
           "minutes": minutes, "search_seed": seed}  # fmt: skip
    if not (found := kept.rows(kind="search", **key)):
        tuned = found_by(task, variant, 60 * minutes, seed)
        if tuned.said is not None:
            np.save(kept.place(key, "said"), tuned.said)
        kept.add(kind="search", **key, **tuned.row)
        found = [tuned.row]
    said = None
    if variant.taught and kept.place(key, "said").exists():
        said = np.load(kept.place(key, "said"), allow_pickle=False)[: variant.taught]
    tuned = Tuned(**{name: found[-1][name] for name in Tuned.__dataclass_fields__ if name != "said"}, said=said)
    if not (known := kept.rows(kind="final", taught=variant.taught, **key)):
        scores, _ = test(task, tuned, seed)
        known = [{"test": event_tasks.worth(task, scores)}]
        kept.add(kind="final", taught=variant.taught, **key, **known[0], scores=scores)
    return tuned, known[-1]["test"]


def found_by(task: Task, variant: Variant, seconds: float, seed: int) -> Tuned:
    """What a search finds."""
    options = {} if variant.operations is None else {"operations": list(variant.operations)}
    space = event_spaces.searched("seqnas_plus", task, **options)
    start = event_spaces.starts("seqnas_plus", task, space, **options) if variant.warm else []
    epochs = event_tasks.epochs_for(task)
    inner = {"strategy": variant.strategy, "options": dict(variant.options), "least": max(epochs // 16, 1)}
    choosing = chooser("asha", epochs, seed, start, **inner)
    return tune(task, space, choosing, seconds, seed, CLOSING, STUDENTS if variant.students else TEACHERS)


def difference(ours: list[float], theirs: list[float]) -> str:
    """The mean difference, paired by seed, with its interval of 95 %."""
    from scipy import stats

    gaps = np.subtract(ours, theirs)
    if len(gaps) < 2:
        return "–" if not len(gaps) else f"{gaps.mean():+.4f}"
    half = stats.t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / math.sqrt(len(gaps))
    return f"{gaps.mean():+.4f} ({gaps.mean() - half:+.4f} to {gaps.mean() + half:+.4f})"


class Row(NamedTuple):
    """A search of a variant.

    Attributes:
        dataset: Of the task.
        variant: Its name in the study.
        seed: Of search and training.
        test: The score.
        trials: How many were begun.
    """

    dataset: str
    variant: str
    seed: int
    test: float
    trials: int


def rows_of(kept: Kept, study: str, minutes: float, datasets: list[str]) -> list[Row]:
    """What is known of a study."""
    found = []
    for dataset, (name, variant) in product(datasets, STUDIES[study].items()):
        key = {"dataset": dataset, "search": variant.search, "minutes": minutes}
        trials = {row["search_seed"]: row["trials"] for row in kept.rows(kind="search", **key)}
        finals = kept.rows(kind="final", taught=variant.taught, **key)
        found += [Row(dataset, name, row["search_seed"], row["test"], trials[row["search_seed"]]) for row in finals]
    return found


def table(rows: list[Row], study: str) -> str:
    """Mean test scores of a study, and differences from its first variant over common seeds."""
    first, lines = next(iter(STUDIES[study])), []
    found: dict[tuple[str, str], dict[int, Row]] = defaultdict(dict)
    for row in rows:
        found[row.dataset, row.variant][row.seed] = row
    for (dataset, name), mine in found.items():
        values, other = [row.test for row in mine.values()], found.get((dataset, first), {})
        spread = f" ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else ""
        common = sorted(mine.keys() & other.keys())
        gap = difference([mine[seed].test for seed in common], [other[seed].test for seed in common])
        trials = np.mean([row.trials for row in mine.values()])
        shown = "" if name == first else gap
        lines.append([dataset, name, str(len(values)), f"{trials:.0f}", f"{np.mean(values):.4f}{spread}", shown])
    return grid(["data set", study, "searches", "trials each", "test", f"difference from *{first}*"], lines)


def write_page(page: Path, kept: Kept, folder: Path, minutes: float, datasets: list[str]) -> None:
    """All studies of which something is there."""
    found = {study: rows_of(kept, study, minutes, datasets) for study in STUDIES}
    tables = "\n\n".join(f"## {study.capitalize()}\n\n{table(rows, study)}" for study, rows in found.items() if rows)
    made = made_by(PACKAGES, {str(folder): "DATA", str(kept.folder): "OUT", str(page): "PAGE"})
    put(
        page,
        "Ablations of the search for event sequences",
        f"{made}\n\nEach search had {minutes:g} minutes of CPU time. Its winner by validation was trained once more on "
        "train + valid and scored on test; mean and standard deviation over searches with different seeds, differences "
        f"paired by seed with the interval of 95 % (Student's t).\n\n{tables}",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("study", choices=list(STUDIES))
    parser.add_argument("--minutes", type=float, default=2, help="of CPU time of each search")
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
                tuned, score = searched(kept, task, variant, asked.minutes, seed)
                print(f"{dataset}, {name}, seed {seed}: valid {tuned.valid:.4f}, test {score:.4f} of {tuned.trials} "
                      f"trials in {tuned.cpu:.0f} s", flush=True)  # fmt: skip
    print(table(rows_of(kept, asked.study, asked.minutes, asked.datasets), asked.study))
    if asked.page is not None:
        write_page(asked.page, kept, asked.data, asked.minutes, asked.datasets)


if __name__ == "__main__":
    main()
