"""Searches for event sequences on surrogates of SeqNAS's table: trainings until the incumbent is among the best 0.1 %.

python benchmarks/seqnas_search.py [--strategies NAME...] [--runs N] [--queries N] [--out DIR] [--page FILE]

Finished runs are kept in --out: the same command goes on where it stopped, also with more runs or strategies.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pages import made_by, put

from nasturtium.benchmarks import FittedSurrogate, fit_surrogate, load
from nasturtium.benchmarks.fitted import features
from nasturtium.comparison import compare
from nasturtium.comparison.simulation import Track
from nasturtium.writing import replacing

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "benchmarks"

DATASETS = ("ABank", "RBchurn")
"""Those with a run of random sampling."""

KINDS = ("boosted", "process")
STRATEGIES = ("random", "evolution", "seqnas", "sequences")
OURS, THEIRS = "sequences", "seqnas"
PACKAGES = ("numpy", "scipy", "scikit-learn")
LEVEL = 0.999
RESAMPLED = 2_000

Numbers = NDArray[np.float64]


class World(NamedTuple):
    """A surrogate to search on, and how good a network is to be found."""

    dataset: str
    kind: str
    surrogate: FittedSurrogate
    target: float


class Row(NamedTuple):
    """A strategy on a surrogate: trainings of each run until the target, infinite where it was not reached."""

    dataset: str
    kind: str
    strategy: str
    trainings: Numbers


def world(dataset: str, kind: str, given: argparse.Namespace) -> World:
    """The surrogate fitted on the rows of random sampling, its noise bounded by the trainings SeqNAS's run repeats."""
    table = load("event_sequences", f"random_sampling/{dataset}", given.data)
    again = load("event_sequences", f"seqnas/{dataset}", given.data)
    surrogate = fit_surrogate(table, kind=kind, again=again)
    return World(dataset, kind, surrogate, target(surrogate, dataset, kind, given))


def target(surrogate: FittedSurrogate, dataset: str, kind: str, given: argparse.Namespace) -> float:
    """The 99.9th percentile of what the surrogate says of a sample of the space; kept beside the runs."""
    file, key = given.out / "targets.json", f"{dataset} {kind} {given.sample}"
    known: dict[str, float] = json.loads(file.read_text()) if file.exists() else {}
    if key not in known:
        rng, space, model = np.random.default_rng(0), surrogate.space, surrogate.models[0]
        drawn = (features(space, [space.sample(rng)])[0] for _ in range(given.sample))
        known[key] = float(np.quantile([model.predict(row).mean() for row in drawn], LEVEL))
        given.out.mkdir(parents=True, exist_ok=True)
        with replacing(file) as draft:
            draft.write_text(json.dumps(known, indent=1))
    return known[key]


def rows(made: World, given: argparse.Namespace) -> Iterator[Row]:
    """Every strategy on a surrogate, one after the other."""
    for name in given.strategies:
        found = compare(
            made.surrogate, [name], given.queries, given.runs, noise=True, target=made.target, workers=given.workers,
            out=given.out / f"{made.dataset}-{made.kind}",
        )  # fmt: skip
        trainings = np.array([until(track, made.target) for track in found.tracks[0, 0]])
        row = Row(made.dataset, made.kind, name, trainings)
        print(cells(row, given.queries), flush=True)
        yield row


def until(track: Track, aim: float) -> float:
    """Trainings until the incumbent is as good as was aimed at."""
    return next(
        (queries for queries, value in zip(track.queries, track.validation, strict=True) if value >= aim), math.inf
    )


def resampled(values: Numbers, of: str, most: int) -> Numbers:
    """The median, or the mean of what was spent, of bootstrap samples of the runs."""
    drawn = values[np.random.default_rng(0).integers(len(values), size=(RESAMPLED, len(values)))]
    return middle(drawn) if of == "median" else np.minimum(drawn, most).mean(axis=-1)


def middle(values: Numbers) -> Numbers:
    """The median over the last axis, the upper of the two in the middle: what did not end is infinite."""
    found: Numbers = np.sort(values, axis=-1)[..., values.shape[-1] // 2]
    return found


def shown(value: float, most: int) -> str:
    """A number of trainings."""
    return f"{value:.0f}" if value <= most else f"> {most}"


def interval(values: Numbers, of: str, most: int) -> str:
    """A statistic of the runs with its 95 % interval."""
    value = float(middle(values)) if of == "median" else float(np.minimum(values, most).mean())
    low, high = np.quantile(resampled(values, of, most), (0.025, 0.975), method="nearest")
    return f"{shown(value, most)} ({shown(low, most)} to {shown(high, most)})"


def cells(row: Row, most: int) -> str:
    """A line of the table."""
    reached = np.isfinite(row.trainings).mean()
    median, mean = (interval(row.trainings, of, most) for of in ("median", "mean"))
    return (
        f"| {row.dataset} | {row.kind} | `{row.strategy}` | {len(row.trainings)} | {reached:.0%} | {median} | {mean} |"
    )


def ratio(found: Sequence[Row], most: int) -> Iterator[str]:
    """How many trainings ours needs for each of the preset's, on each surrogate."""
    at = {(row.dataset, row.kind, row.strategy): row.trainings for row in found}
    for dataset, kind in dict.fromkeys((row.dataset, row.kind) for row in found):
        if (dataset, kind, OURS) not in at or (dataset, kind, THEIRS) not in at:
            continue
        ours, theirs = at[dataset, kind, OURS], at[dataset, kind, THEIRS]
        spent = resampled(ours, "mean", most) / resampled(theirs, "mean", most)
        low, high = np.quantile(spent, (0.025, 0.975))
        mean = np.minimum(ours, most).mean() / np.minimum(theirs, most).mean()
        yield f"| {dataset} | {kind} | {of_medians(ours, theirs, most)} | {mean:.2f} ({low:.2f} to {high:.2f}) |"


def of_medians(ours: Numbers, theirs: Numbers, most: int) -> str:
    """The ratio of the medians, or what bounds it where one of them is beyond the limit."""
    done, theirs_done = (bool(np.isfinite(middle(each))) for each in (ours, theirs))
    if not done and not theirs_done:
        return "not known: neither is half done"
    bound = "" if done and theirs_done else "at most " if done else "at least "
    return f"{bound}{np.minimum(middle(ours), most) / np.minimum(middle(theirs), most):.2f}"


def quality(made: World) -> str:
    """A line on a surrogate."""
    held, bounds = made.surrogate.quality[made.surrogate.signal], made.surrogate.bounds[0]
    noise = min(bound.of(made.target) for bound in bounds)
    return (
        f"| {made.dataset} | {made.kind} | {held['spearman']:.3f} | {held['rmse']:.4f} | {held['noise']:.4f} "
        f"| {noise:.4f} | {made.target:.4f} |"
    )


def page(worlds: Sequence[World], found: Sequence[Row], given: argparse.Namespace) -> str:
    """What is to be written down."""
    places = {str(given.data): "DATA", str(given.out): "OUT", str(given.page): "PAGE"}
    parts = [
        f"{made_by(PACKAGES, places)} A run ends after {given.queries} trainings at most; intervals are 95 %, by "
        "bootstrap over runs.",
        "| data | surrogate | rank correlation | error | noise, middling | noise at the target | target |\n"
        "|---|---|---|---|---|---|---|\n" + "\n".join(map(quality, worlds)),
        "| data | surrogate | strategy | runs | reached | median trainings | mean, at most the limit |\n"
        "|---|---|---|---|---|---|---|\n" + "\n".join(cells(row, given.queries) for row in found),
        f"| data | surrogate | median of `{OURS}` / `{THEIRS}` | means, at most the limit |\n"
        "|---|---|---|---|\n" + "\n".join(ratio(found, given.queries)),
    ]  # fmt: skip
    return "\n\n".join(parts)


def main() -> None:
    """Run what is missing, and print or write the tables."""
    asked = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    asked.add_argument("--strategies", nargs="+", default=list(STRATEGIES))
    asked.add_argument("--datasets", nargs="+", default=list(DATASETS), choices=DATASETS)
    asked.add_argument("--kinds", nargs="+", default=list(KINDS), choices=("forest", *KINDS))
    asked.add_argument("--runs", type=int, default=100)
    asked.add_argument("--queries", type=int, default=400, help="after so many trainings a run ends")
    asked.add_argument("--sample", type=int, default=100_000, help="architectures the percentile is taken of")
    asked.add_argument("--workers", type=int, default=1, help="processes")
    asked.add_argument("--data", type=Path, default=DATA)
    asked.add_argument("--out", type=Path, default=ROOT / "runs" / "seqnas_search")
    asked.add_argument("--page", type=Path, help="a file in which the tables stand between two marks")
    given = asked.parse_args()
    if not given.data.exists():
        print(f"the tables are not in {given.data}; give --data")
        return
    worlds = [world(dataset, kind, given) for dataset in given.datasets for kind in given.kinds]
    found = [row for made in worlds for row in rows(made, given)]
    made = page(worlds, found, given)
    print(made) if given.page is None else put(given.page, "Searching networks for event sequences", made)


if __name__ == "__main__":
    main()
