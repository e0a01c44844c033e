"""The verdict: how the networks of the finals compare, by the bootstrap and in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from nasturtium.final import bootstrap
from nasturtium.final.results import Comparison, Finals, Network
from nasturtium.tasks import Task, evaluate_metrics

Array = npt.NDArray[Any]


def compare(finals: Finals, task: Task, outputs: Mapping[str, list[Array]]) -> None:
    """Fill in means, intervals, comparisons with the winner, and the verdict.

    Args:
        finals: With the networks and their runs.
        task: Whose test rows were scored.
        outputs: The outputs (N, K) of the completed runs of each network, by its name.
    """
    there = {name: given for name, given in outputs.items() if given}
    count = sum(map(len, there.values()))
    scorers = {name: _scorer(given, task) for name, given in there.items()}
    drawn = bootstrap.resampled(scorers, len(task.test), count) if there else {}
    for network in finals.networks:
        values = network.values(finals.metric)
        if not values:
            continue
        network.mean = math.fsum(values) / len(values)
        network.sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
        if network.name in drawn:
            low, high = bootstrap.interval(bootstrap.mean_draws(drawn[network.name]))
            network.interval = (low, high)
    finals.comparisons = [
        _comparison(finals, name, drawn) for name in drawn if name != finals.winner and finals.winner in drawn
    ]
    finals.verdict = sentences(finals)


def _scorer(outputs: list[Array], task: Task) -> bootstrap.Score:
    """What scores the trainings of one network on some of the test rows."""
    targets = task.test.targets

    def score(rows: npt.NDArray[np.int64]) -> list[float]:
        return [evaluate_metrics([task.metric], o[rows], targets[rows], task)[task.metric] for o in outputs]

    return score


def _comparison(finals: Finals, name: str, drawn: Mapping[str, bootstrap.Floats]) -> Comparison:
    low, high = bootstrap.difference(drawn[finals.winner], drawn[name])
    first, second = finals.best.values(finals.metric), finals.network(name).values(finals.metric)
    common = min(len(first), len(second))
    gap = float(np.mean(first[:common]) - np.mean(second[:common]))
    more, less = low > 0, high < 0
    ahead, behind = (more, less) if finals.maximise else (less, more)
    return Comparison(finals.winner, name, gap, (low, high), ahead, behind)


def sentences(finals: Finals) -> list[str]:
    """What the finals say, in plain English, the most important first."""
    best = finals.best
    if best.mean is None:
        return ["no final training was completed: there are no test scores"]
    said = [_of_winner(finals)]
    rivals = [c for c in finals.comparisons if finals.network(c.second).kind == "finalist"]
    said += [_of_second(rivals[0])] if rivals else []
    said += _of_better(finals, rivals)
    said += _of_noise(finals)
    said += [_of_mark(c) for c in finals.comparisons if finals.network(c.second).kind != "finalist"]
    return said + _of_failures(finals)


def _of_winner(finals: Finals) -> str:
    best = finals.best
    trainings = len(best.values(finals.metric))
    spread = f" ± {best.sd:.4f} over {trainings} trainings" if best.sd is not None else " in one training"
    where = f" (95 % between {best.interval[0]:.4f} and {best.interval[1]:.4f})" if best.interval else ""
    return f"{best.name}: test {finals.metric} {best.mean:.4f}{spread}{where}"


def _of_second(rival: Comparison) -> str:
    gap = f"{rival.difference:+.4f}, 95 % between {rival.interval[0]:+.4f} and {rival.interval[1]:+.4f}"
    word = "ahead of" if rival.ahead else "behind" if rival.behind else "not clearly different from"
    return f"it is {word} {rival.second}, the next by validation ({gap})"


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


def _of_mark(mark: Comparison) -> str:
    gap = f"{mark.difference:+.4f}, 95 % between {mark.interval[0]:+.4f} and {mark.interval[1]:+.4f}"
    if mark.ahead:
        return f"it is ahead of the {mark.second} ({gap})"
    if mark.behind:
        return f"it is behind the {mark.second} ({gap}): that may be the better choice"
    return f"it is not clearly different from the {mark.second} ({gap})"


def _of_failures(finals: Finals) -> list[str]:
    lines = []
    for network in finals.networks:
        failed = [run for run in network.runs if run.state != "complete"]
        if failed:
            reason = failed[-1].reason.splitlines()[0] if failed[-1].reason else "no reason given"
            lines.append(f"{network.name}: {len(failed)} of {len(network.runs)} trainings failed ({reason})")
    return lines


def contender(network: Network, metric: str) -> bool:
    """Whether a network can win: a finalist with a completed training."""
    return network.kind == "finalist" and bool(network.values(metric))
