"""Searched networks for event sequences and time series against known ones, all tuned for the same CPU time.

    python benchmarks/event_networks.py DATA [--minutes 5] [--datasets cdnow_repurchase ...] [--contestants GRU ...]
                                        [--rivals] [--seeds 3] [--out runs/event_networks] [--page docs/FILE.md]

DATA is a folder with ``events``, ``ucr`` and ``har_watch``. Each contestant is tuned on train, judged on valid, for so
many minutes of CPU time. GRU, LSTM, transformer and convolutions: their usual network with the default recipe first,
then others with other settings and recipes, drawn at random; all are trained short first, the best fourth longer,
twice, and in the last third of the time the best go on. ``searched`` goes the same way in ``seqnas_plus``, with the
networks first that this space knows by name, and then with what a Gaussian process proposes; in its final training it
is taught by the best five others of its search, as in SeqNAS. Trees by random search over their settings. What is best
by validation is then trained on train + valid with each seed and scored on test. Everything is kept as soon as it is
done; the same command goes on where it stopped. ``--rivals`` compares searches in place of networks, none of them
taught: in the same space, at equal cost.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import event_spaces
import event_tasks
import numpy as np
import torch
from event_cells import TEACHERS, AnyLength, Kept, Tuned, chooser, test, tune
from event_page import write_page
from event_trees import test_trees, tune_trees

from nasturtium.errors import NasturtiumError
from nasturtium.estimators import Distillation
from nasturtium.tasks import Task

SPACE = "seqnas_plus"
TREES = "aggregates + trees"
EVOLUTION: dict[str, Any] = {"population": 20, "tournament": 5}
CLOSING = 2 / 3
"""After this share of the time the best go on to the end of a whole training, and nothing new is tried."""
Tuner = Callable[[Task, float, int], Tuned]


def known(name: str, task: Task, seconds: float, seed: int) -> Tuned:
    """A known kind of network: the usual one first, then others with settings and recipes drawn at random."""
    space = event_spaces.rival(name, task)
    start = [event_spaces.usual(name, task, space)]
    choosing = chooser("asha", event_tasks.epochs_for(task), seed, start, least=shortest(task))
    return tune(task, space, choosing, seconds, seed, CLOSING)


def shortest(task: Task) -> int:
    """Epochs of the shortest trainings."""
    return max(event_tasks.epochs_for(task) // 16, 1)


def searched(
    chosen: Any, task: Task, seconds: float, seed: int, space: str = SPACE, warm: bool = False, closing: float = 1.0,
    distillation: Distillation | None = None, **options: Any,
) -> Tuned:  # fmt: skip
    """What a strategy finds in a published space with an open recipe; ``warm``: it begins with the known networks."""
    opened = event_spaces.searched(space, task)
    start = event_spaces.starts(space, task, opened) if warm else []
    choosing = chooser(chosen, event_tasks.epochs_for(task), seed, start, **options)
    return tune(task, opened, choosing, seconds, seed, closing, distillation)


def ours(task: Task, seconds: float, seed: int, warm: bool = True, teach: bool = True) -> Tuned:
    """The library's strategy for a table of events and a time limit; in the last third of the time the best go on.

    The known networks, then those of a calibrated Gaussian process, are trained short first, the best fourth longer,
    twice. Unlike in ``nasturtium.search`` recipes are open, as they are for all contestants, the best by score wins,
    and there is a last third.
    """
    options: dict[str, Any] = {"closing": CLOSING, "distillation": TEACHERS if teach else None, "least": shortest(task)}
    return searched("asha_sequences", task, seconds, seed, warm=warm, **options)


SAME_SEARCH = {"searched, not taught": "searched"}
"""Contestants that are what another's search found, trained from the data alone in the end."""
CONTESTANTS: dict[str, Tuner] = {
    "searched": ours,
    "searched, not taught": ours,
    **{name: partial(known, name) for name in event_spaces.NETWORKS},
    TREES: tune_trees,
}
RIVALS: dict[str, Tuner] = {
    "searched, not taught": ours,
    "searched, no start": partial(ours, warm=False, teach=False),
    "random": partial(searched, "random"),
    "random, any length": partial(searched, AnyLength),
    "evolution": partial(searched, "evolution", **EVOLUTION),
    "hyperband": partial(searched, "hyperband"),
    "preset seqnas": partial(searched, "seqnas"),
    "preset seqnas in its space": partial(searched, "seqnas", space="seqnas"),
}
ALL = {**RIVALS, **CONTESTANTS}


def cell(kept: Kept, task: Task, contestant: str, minutes: float, seeds: int, search_seed: int) -> None:
    """Tune a contestant and test it with each seed, as far as that is not done."""
    key = {"dataset": task.name, "contestant": contestant, "minutes": minutes, "search_seed": search_seed}
    source = {**key, "contestant": SAME_SEARCH.get(contestant, contestant)}
    found = kept.rows(kind="tuned", **source)
    if not found:
        tuned = ALL[contestant](task, 60 * minutes, search_seed)
        if tuned.said is not None:
            np.save(kept.place(source, "said"), tuned.said)
        kept.add(kind="tuned", **source, **tuned.row)
        print(f"{task.name}, {contestant}: valid {tuned.valid:.4f} of {tuned.trials} trials in {tuned.cpu:.0f} s; "
              f"{tuned.epochs:g} epochs, {tuned.params:,.0f} parameters", flush=True)  # fmt: skip
        found = [{"kind": "tuned", **tuned.row}]
    if contestant in SAME_SEARCH and not kept.rows(kind="tuned", **key):
        kept.add(**{**found[-1], **key})
    taught = kept.place(key, "said")
    said = np.load(taught, allow_pickle=False) if taught.exists() else None
    tuned = Tuned(**{name: found[-1][name] for name in Tuned.__dataclass_fields__ if name != "said"}, said=said)
    done = {row["seed"] for row in kept.rows(kind="test", **key)}
    for seed in range(seeds):
        if seed in done:
            continue
        begun = time.process_time()
        scores, outputs = (test_trees if contestant == TREES else test)(task, tuned, seed)
        row = {**key, "seed": seed, "scores": scores, "cpu": time.process_time() - begun}
        kept.keep_outputs(row, outputs)
        kept.add(kind="test", **row)
        score = event_tasks.worth(task, scores)
        print(f"{task.name}, {contestant}, seed {seed}: test {score:.4f} in {row['cpu']:.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--minutes", type=float, default=5, help="of CPU time to tune each contestant")
    parser.add_argument("--datasets", nargs="*", default=list(event_tasks.TASKS), choices=list(event_tasks.TASKS))
    parser.add_argument("--contestants", nargs="*", choices=list(ALL))
    parser.add_argument("--rivals", action="store_true", help="compare searches in one space in place of networks")
    parser.add_argument("--seeds", type=int, default=3, help="of the final trainings")
    parser.add_argument("--search-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/event_networks"))
    parser.add_argument("--page", type=Path, help="write what is there to this file")
    parser.add_argument("--only-page", action="store_true", help="compute nothing")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    kept = Kept(asked.out)
    chosen = asked.contestants or list(RIVALS if asked.rivals else CONTESTANTS)
    for name in asked.datasets:
        if not event_tasks.there(name, asked.data):
            print(f"{name}: not in {asked.data}, left out")
            continue
        task = event_tasks.load(name, asked.data)
        print(task.summary(), flush=True)
        for contestant in [] if asked.only_page else chosen:
            try:
                cell(kept, task, contestant, asked.minutes, asked.seeds, asked.search_seed)
            except NasturtiumError as error:  # the others go on; the same command tries this one again
                print(f"{name}, {contestant}: {error}", flush=True)
    if asked.page is not None:
        title = f"{'Searches' if asked.rivals else 'Networks'} for event sequences"
        write_page(asked.page, title, kept, asked.data, asked.minutes, chosen, asked.search_seed)


if __name__ == "__main__":
    main()
