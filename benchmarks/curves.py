"""Learning curves: how well their end is foreseen, what early stopping saves and costs, a search that screens, speed.

    python benchmarks/curves.py [errors] [scores] [stops] [searches] [speed]

All of them if none is named. Curves: 341 trainings of NAS-Bench-NLP (WikiText-2, 50 epochs of validation loss), the
three networks of the official fixtures of NATS-Bench (topology 200, size 90 epochs of accuracy), 91 networks of EC-NAS
(validation accuracies of separate trainings of 4, 12, 36 and 108 epochs, taken for points of one curve), and a random
search of ours on digits (40 networks, 20 epochs of loss), which is trained first, into the folder given by
``--digits``, if it is not there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import nasturtium as nt
from nasturtium.benchmarks import Benchmark, load
from nasturtium.comparison import compare
from nasturtium.predictors.curves import CURVE_SCORES, CURVES, make
from nasturtium.trial import curve_values

Array = NDArray[Any]

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "benchmarks"
FIXTURES = DATA / "nats_official_fixtures"
SHARES = (0.1, 0.25, 0.5)
TAUGHT = 100
"""So many complete curves the predictors that learn are given; the others are asked of all predictors."""
CERTAIN = 0.95
EARLIEST, FEWEST = 0.2, 5
"""The defaults of the rule ``curve``."""


Foreseen = list[tuple[int, Array, Array]]
"""Epoch, means (n,) and standard deviations (n,); more is better."""


class Set(NamedTuple):
    """Complete curves (n, t) of one kind, and the training losses beside them, where they are known."""

    name: str
    curves: Array
    maximise: bool
    training: Array | None = None


def nlp() -> Set:
    """Every training of NAS-Bench-NLP that came to its end."""
    bench = load("nasbench_nlp", "wikitext-2", DATA)
    epochs = bench.metric("val_loss").epochs
    runs, training = (
        np.stack([bench.runs(name, epoch) for epoch in epochs], axis=-1).reshape(-1, len(epochs))
        for name in ("val_loss", "train_loss")
    )
    whole = np.isfinite(runs).all(1) & np.isfinite(training).all(1)
    return Set("NAS-Bench-NLP, 50 epochs", runs[whole], False, training[whole])


def fixtures() -> Iterator[Set]:
    """The curves of NATS-Bench's official fixtures, the mean over seeds."""
    topology = load("nasbench201", "cifar10", FIXTURES / "NATS-tss-v1_0-3ffb9-simple")
    yield Set("NATS topology, CIFAR-10, 200 epochs", _curves(topology), True)
    parts = []
    for dataset in ("cifar10", "cifar100", "imagenet16-120"):
        parts.append(_curves(load("nats_size", dataset, FIXTURES / "NATS-sss-v1_0-50262-simple")))
    yield Set("NATS size, three data sets, 90 epochs", np.concatenate(parts), True)


def separate() -> Set:
    """EC-NAS's trainings of all graphs of at most four vertices, at four lengths, the mean over three each."""
    bench = load("nasbench101", "4V9E", DATA)
    epochs = bench.metric("val_accuracy").epochs
    curves = np.full((len(bench.column("val_accuracy", epochs[-1])), epochs[-1]), np.nan)
    for epoch in epochs:
        curves[:, epoch - 1] = bench.column("val_accuracy", epoch)
    return Set(f"EC-NAS, separate trainings of {', '.join(map(str, epochs))} epochs", curves, True)


def _curves(bench: Benchmark) -> Array:
    epochs = bench.metric("val_curve").epochs
    return np.stack([bench.column("val_curve", epoch) for epoch in epochs], axis=1)


def digits(folder: Path) -> Set:
    """A random search of ours; what is there already is not trained again."""
    found = nt.search(
        "digits", trials=40, epochs=20, final_epochs=0, seed=0, quiet=True, strategy="random", out=folder
    )  # fmt: skip
    curves, training = (
        np.array([curve_values(trial.curve, metric) for trial in found.trials if len(trial.curve) == 20])
        for metric in ("log_loss", "train_loss")
    )
    return Set("digits, 20 epochs of validation loss", curves, False, training)


def errors(sets: list[Set]) -> None:
    """Median error, rank correlation and coverage of each predictor on each set."""
    for each in sets:
        rng = np.random.default_rng(0)
        order = rng.permutation(len(each.curves))
        taught = each.curves[order[: min(TAUGHT, len(order) // 2)]]
        asked = each.curves[order[min(TAUGHT, len(order) // 2) :]] if len(order) > 20 else each.curves
        print(f"\n**{each.name}**: {len(asked)} curves, {len(taught)} for those that learn\n")
        heads = [f"{share:.0%}: error | rank | 90 %" for share in SHARES]
        print(f"| predictor | {' | '.join(heads)} | CPU s |\n|---|{'---|' * (3 * len(SHARES) + 1)}")
        for name in CURVES:
            if len(order) <= 20 and name in ("svr", "bayesian_network"):
                continue
            print(f"| `{name}` | {' | '.join(judged(name, each, taught, asked))} |", flush=True)


def judged(name: str, given: Set, taught: Array, asked: Array) -> list[str]:
    """The cells of a row."""
    from scipy.stats import spearmanr

    begun, cells = time.process_time(), []
    horizon, ends = asked.shape[1], asked[:, -1]
    for share in SHARES:
        predictor = make(name, maximise=given.maximise)
        if predictor.learns:
            predictor.fit(taught)
        mean, std = predictor.extrapolate(asked[:, : max(1, round(share * horizon))], horizon)
        off = np.abs(mean - ends)
        rank = f"{float(spearmanr(mean, ends)[0]):.3f}" if len(asked) > 20 else ""
        cells.append(f"{np.median(off):.3g} | {rank} | {np.mean(off <= 1.645 * std):.2f}")
    return [*cells, f"{time.process_time() - begun:.1f}"]


def scores(sets: list[Set]) -> None:
    """Rank correlation of the scores that guess no end with it."""
    from scipy.stats import spearmanr

    heads = " | ".join(f"{share:.0%}" for share in SHARES)
    print(f"\n| curves | score | {heads} |\n|---|---|{'---|' * len(SHARES)}")
    for each in sets:
        ends = each.curves[:, -1] * (1.0 if each.maximise else -1.0)
        for name, score in CURVE_SCORES.items():
            given = each.training if name.startswith("sotl") else each.curves
            if given is None or len(ends) < 20:
                continue
            begun = [given[:, : max(1, round(share * given.shape[1]))] for share in SHARES]
            better = False if name.startswith("sotl") else each.maximise
            cells = [f"{float(spearmanr(score(lines, maximise=better), ends)[0]):.3f}" for lines in begun]
            print(f"| {each.name} | `{name}` | {' | '.join(cells)} |")


def stops(sets: list[Set], orders: int = 200) -> None:
    """What the rule ``curve`` saves, and what it costs, where the curves come in random order."""
    print(
        f"\n| curves | predictor | epochs spent | best of 30 lost | mean lag of the best / spread |\n|---|{'---|' * 4}"
    )
    for each in sets:
        if len(each.curves) < 30:
            continue
        for name in ("pow3", "averaged", "last_value"):
            chances = foreseen(name, each)
            found = [screened(each, chances, np.random.default_rng(seed)) for seed in range(orders)]
            spent, lost, lag = np.mean(found, axis=0)
            print(f"| {each.name} | `{name}` | {spent:.0%} | {lost:.1%} | {lag:.3f} |", flush=True)


def foreseen(name: str, given: Set) -> Foreseen:
    """Epoch, means and spreads at each epoch at which a trial may be stopped; more is better."""
    horizon, sign = given.curves.shape[1], 1.0 if given.maximise else -1.0
    found = []
    for epoch in range(max(FEWEST, int(np.ceil(EARLIEST * horizon))), horizon):
        mean, std = make(name, maximise=given.maximise).extrapolate(given.curves[:, :epoch], horizon)
        found.append((epoch, sign * mean, std))
    return found


def screened(
    given: Set, chances: list[tuple[int, Array, Array]], rng: np.random.Generator
) -> tuple[float, float, float]:
    """One search of 30: the share of epochs, whether its best was stopped, and how far behind what was found is."""
    horizon, ends = given.curves.shape[1], given.curves[:, -1] * (1.0 if given.maximise else -1.0)
    width = NormalDist().inv_cdf(CERTAIN)
    order, best, spent = rng.permutation(len(ends))[:30], -np.inf, 0
    complete: list[int] = []
    for each in order.tolist():
        stopped = horizon
        for epoch, mean, std in chances if len(complete) >= 3 else ():
            missed = (ends - mean)[complete]
            wide = np.hypot(std[each], missed.std(ddof=1) * (1 + 1 / len(missed)) ** 0.5)
            if mean[each] + missed.mean() + width * wide < best:
                stopped = epoch
                break
        spent += stopped
        if stopped == horizon:
            best = max(best, ends[each])
            complete.append(each)
    behind = float(ends[order].max() - best)
    return spent / (30 * horizon), float(behind > 0), behind / float(ends.std())


SEARCHES: dict[str, dict[str, Any]] = {
    "random": {},
    "screen-random=curve_screen": {"predictor": "pow3"},
    "screen-last=curve_screen": {"predictor": "last_value"},
    "evolution": {"population": 10, "tournament": 3},
    "screen-evolution=curve_screen": {"strategy": "evolution", "options": {"population": 10, "tournament": 3}},
    "asha": {"factor": 3, "least": 6},
    "hyperband": {"factor": 3, "least": 6},
}


def searches(runs: int = 100) -> None:
    """Strategies with and without a screen at equal simulated time, on NAS-Bench-NLP."""
    bench = load("nasbench_nlp", "wikitext-2", DATA)
    whole = float(np.nanmean(bench.column("train_seconds")))
    print(f"\nValidation loss of the incumbent, mean of {runs} runs ± standard error; best in the table "
          f"{bench.optimum('val_loss'):.4f}\n")  # fmt: skip
    print("| strategy | 5 trainings' time | 10 | 20 | trainings begun |\n|---|---|---|---|---|")
    options = {name.split("=")[0]: given for name, given in SEARCHES.items()}
    rows: dict[str, list[str]] = {name: [] for name in options}
    for trainings in (5, 10, 20):
        found = compare(bench, list(SEARCHES), None, runs, seconds=trainings * whole, options=options, workers=1)
        for place, name in enumerate(options):
            last = found.values(0, place, "validation")[:, -1]
            rows[name].append(f"{np.nanmean(last):.4f} ± {np.nanstd(last) / runs**0.5:.4f}")
            asked = np.mean([track.asked for track in found.tracks[0, place]])
            rows[name][3:] = [f"{asked:.0f}"] if trainings == 20 else []
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")


def speed(count: int = 10_000) -> None:
    """CPU seconds to extrapolate curves of 50 points, the bar being 60 for the fast family."""
    rng = np.random.default_rng(0)
    x = np.arange(1.0, 51.0)
    curves = 0.9 - 0.8 * x ** -rng.uniform(0.3, 2.0, (count, 1)) + rng.normal(0, 0.01, (count, 50))
    print("\n| predictor | curves of 50 points | CPU s |\n|---|---|---|")
    for name, share in (("pow3", 1.0), ("mmf", 1.0), ("averaged", 1.0), ("combined", 0.01)):
        some = curves[: round(share * count)]
        begun = time.process_time()
        make(name, bound=1.0).extrapolate(some, 200)
        print(f"| `{name}` | {len(some):,} | {time.process_time() - begun:.2f} |", flush=True)


def main() -> None:
    """Print the tables that are asked for."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("parts", nargs="*", choices=["errors", "scores", "stops", "searches", "speed", []], default=[])
    asked.add_argument("--digits", type=Path, default=Path("runs/digits-curves"))
    given = asked.parse_args()
    parts = given.parts or ["errors", "scores", "stops", "searches", "speed"]
    tables = DATA.exists()
    if not tables:
        print(f"the tables are not in {DATA}: digits alone")
    if {"errors", "scores", "stops"} & set(parts):
        sets = [*([nlp(), *fixtures()] if tables else []), digits(given.digits)]
        for part, wanted in ((errors, "errors"), (scores, "scores"), (stops, "stops")):
            if wanted in parts:
                part([*sets, separate()] if part is errors and tables else sets)
    if "searches" in parts and tables:
        searches()
    if "speed" in parts:
        speed()


if __name__ == "__main__":
    main()
