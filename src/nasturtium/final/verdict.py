"""The verdict: how the networks of the finals compare, by the bootstrap and in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.final import bootstrap
from nasturtium.final.results import Comparison, Finals, Network
from nasturtium.tasks import Task, evaluate_metrics

Array = npt.NDArray[Any]

SHARE, ERROR = (0.0, 1.0), (0.0, math.inf)
RANGES = {
    **dict.fromkeys(("accuracy", "balanced_accuracy", "auroc", "average_precision", "f1"), SHARE),
    **dict.fromkeys(("log_loss", "rmse", "mae"), ERROR),
    "r2": (-math.inf, 1.0),
}
"""The values that metrics can take."""
FEW_ROWS = 30
"""Below which a bootstrap over rows, which knows no others than those it has, is too narrow to go without a word."""


def compare(finals: Finals, task: Task, outputs: Mapping[str, list[Array]], deadline: float | None = None) -> None:
    """Fill in means, intervals, comparisons with the winner, and the verdict.

    Args:
        finals: With the networks and their runs.
        task: Whose test rows were scored.
        outputs: The outputs (N, K) of the completed runs of each network, by its name.
        deadline: ``time.monotonic()`` after which intervals are made of fewer draws.
    """
    there = {
        network.name: _measured(network, outputs.get(network.name, []), finals.metric) for network in finals.networks
    }
    there = {name: given for name, given in there.items() if given}
    count = sum(map(len, there.values()))
    scorers = {name: _scorer(list(given.values()), task) for name, given in there.items()}
    drawn = bootstrap.resampled(scorers, len(task.test), count, 0, _rarest(task), deadline) if there else {}
    for network in finals.networks:
        values = network.values(finals.metric)
        if not values:
            continue
        network.mean = math.fsum(values) / len(values)
        network.sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
        if network.name in drawn:
            network.interval = _within(bootstrap.interval(bootstrap.mean_draws(drawn[network.name])), finals.metric)
    seeds = {name: list(given) for name, given in there.items()}
    others = [name for name in drawn if name != finals.winner and finals.winner in drawn]
    finals.comparisons = [_comparison(finals, name, drawn, seeds) for name in others]
    finals.verdict = sentences(finals) + _of_rows(finals, len(task.test))


def _rarest(task: Task) -> float:
    """Share of the test rows that the rarest of their classes has; 1 of numbers."""
    if task.kind != "classification":
        return 1.0
    counts = np.bincount(task.test.targets.reshape(-1).astype(np.int64))
    return float(counts[counts > 0].min() / len(task.test))


def _measured(network: Network, outputs: list[Array], metric: str) -> dict[int, Array]:
    """The outputs of the completed runs that could be scored, by seed."""
    complete = [run for run in network.runs if run.state == "complete"]
    pairs = zip(complete, outputs, strict=False)
    return {run.seed: given for run, given in pairs if metric in run.scores}


def _within(interval: bootstrap.Interval, metric: str) -> tuple[float, float]:
    """An interval within the values that a metric can take; the seeds' widened deviations may lead out of them."""
    low, high = RANGES.get(metric, (-math.inf, math.inf))
    return max(interval.low, low), min(interval.high, high)


def _scorer(outputs: list[Array], task: Task) -> bootstrap.Score:
    """What scores the trainings of one network on some of the test rows."""
    targets = task.test.targets

    def score(rows: npt.NDArray[np.int64]) -> list[float]:
        return [evaluate_metrics([task.metric], o[rows], targets[rows], task)[task.metric] for o in outputs]

    return score


def _comparison(
    finals: Finals, name: str, drawn: Mapping[str, bootstrap.Floats], seeds: Mapping[str, list[int]]
) -> Comparison:
    """The winner with another network, over the seeds with which both were trained; over all if there are none."""
    ours, theirs = seeds[finals.winner], seeds[name]
    common = [seed for seed in ours if seed in theirs]
    mine, other = (ours, theirs) if not common else (common, common)
    columns, others = [ours.index(seed) for seed in mine], [theirs.index(seed) for seed in other]
    low, high = bootstrap.difference(drawn[finals.winner][:, columns], drawn[name][:, others], paired=bool(common))
    first, second = finals.best.values(finals.metric), finals.network(name).values(finals.metric)
    gap = float(np.mean([first[column] for column in columns]) - np.mean([second[column] for column in others]))
    more, less = low > 0, high < 0
    ahead, behind = (more, less) if finals.maximise else (less, more)
    return Comparison(finals.winner, name, gap, (low, high), ahead, behind)


def sentences(finals: Finals) -> list[str]:
    """What the finals say, in plain English, the most important first."""
    best = finals.best
    if best.mean is None and any(run.state == "complete" for run in best.runs):
        return [f"{finals.metric} is no number on the test rows of this task: nothing can be compared"]
    if best.mean is None:
        return ["no final training was completed: there are no test scores", *_of_failures(finals)]
    said = [_of_winner(finals)]
    rivals = [c for c in finals.comparisons if finals.network(c.second).kind == "finalist"]
    said += [_of_second(rivals[0])] if rivals else []
    said += _of_better(finals, rivals)
    said += _of_noise(finals)
    said += [
        _of_mark(c, finals.network(c.second).breaks)
        for c in finals.comparisons
        if finals.network(c.second).kind != "finalist"
    ]
    return said + _of_failures(finals)


def _of_winner(finals: Finals) -> str:
    best = finals.best
    trainings = len(best.values(finals.metric))
    spread = f" ± {_text(best.sd)} over {trainings} trainings" if best.sd is not None else " in one training"
    where = f" (95 % between {_text(best.interval[0])} and {_text(best.interval[1])})" if best.interval else ""
    return f"{best.name}: test {finals.metric} {_text(best.mean)}{spread}{where}"


def _text(value: float | None, sign: str = "") -> str:
    """A score to four digits after the point; a large or tiny one to five digits."""
    number = value or 0.0
    plain = number == 0 or 5e-5 <= abs(number) < 1e5
    return f"{number:{sign}.4f}" if plain else f"{number:{sign}.5g}"


def _of_gap(pair: Comparison) -> str:
    low, high = pair.interval
    return f"{_text(pair.difference, '+')}, 95 % between {_text(low, '+')} and {_text(high, '+')}"


def _of_second(rival: Comparison) -> str:
    word = "ahead of" if rival.ahead else "behind" if rival.behind else "not clearly different from"
    return f"it is {word} {rival.second}, the next by validation ({_of_gap(rival)})"


def _of_better(finals: Finals, rivals: list[Comparison]) -> list[str]:
    better = [rival.second for rival in rivals if rival.behind]
    if not better:
        return []
    names = " and ".join(better)
    return [
        f"on the test rows {names} did better; the choice stays with validation, because a network chosen by its "
        "test score would look better than it is"
    ]


def _of_noise(finals: Finals) -> list[str]:
    """Whether trainings of one network differ more than the finalists differ in the search."""
    finalists = [network for network in finals.networks if network.kind == "finalist"]
    valid = [network.valid for network in finalists if network.valid is not None]
    spreads = [network.sd for network in finalists if network.sd is not None]
    if len(valid) < 2 or not spreads:
        return []
    gap = max(valid) - min(valid)
    noise = math.sqrt(math.fsum(sd**2 for sd in spreads) / len(spreads))
    if noise <= gap:
        return []
    return [
        f"the {len(valid)} finalists are within {gap:.4f} of each other in the search, but one network trained with "
        f"another seed differs by {noise:.4f} (standard deviation): their order is mostly chance"
    ]


def _of_mark(mark: Comparison, breaks: Sequence[str] = ()) -> str:
    """How the winner compares with a baseline; one that breaks a limit of the search is no choice at all."""
    gap, broken = _of_gap(mark), f", which breaks {' and '.join(breaks)}" if breaks else ""
    if mark.ahead:
        return f"it is ahead of the {mark.second} ({gap}){broken}"
    if mark.behind:
        advice = f"{broken} and so is no choice here" if breaks else ": that may be the better choice"
        return f"it is behind the {mark.second} ({gap}){advice}"
    return f"it is not clearly different from the {mark.second} ({gap}){broken}"


def _of_rows(finals: Finals, rows: int) -> list[str]:
    """That the interval says too little: where test rows are few, the bootstrap knows no others than those it has."""
    if finals.best.interval is None or rows >= FEW_ROWS:
        return []
    return [f"there are only {rows} test rows: the true intervals are wider, and differences may be chance"]


def _of_failures(finals: Finals) -> list[str]:
    lines = []
    for network in finals.networks:
        failed = [run for run in network.runs if run.state != "complete"]
        if failed:
            reason = failed[-1].reason.splitlines()[0] if failed[-1].reason else "no reason given"
            word = "were left out" if failed[-1].state == "stopped" else "failed"
            lines.append(f"{network.name}: {len(failed)} of {len(network.runs)} trainings {word} ({reason})")
    return lines


def contender(network: Network, metric: str) -> bool:
    """Whether a network can win: a finalist with a completed training."""
    return network.kind == "finalist" and any(run.state == "complete" for run in network.runs)
