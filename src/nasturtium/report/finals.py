"""The final trainings for a reader: those of all networks, or (older folders) that of the winner alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nasturtium.final.results import Finals, Network, Run
from nasturtium.objective import MAXIMISE


def ordered(finals: Finals) -> list[Network]:
    """The networks, best mean first; those without a score last."""
    sign = -1.0 if finals.maximise else 1.0
    return sorted(finals.networks, key=lambda network: math.inf if network.mean is None else sign * network.mean)


def network_called(finals: Finals | None, name: str | None) -> Network | None:
    """The network called so, if there is one."""
    return None if finals is None else next((each for each in finals.networks if each.name == name), None)


def metrics_of(finals: Finals) -> list[str]:
    """The metrics of all runs, the one that decides first."""
    names = dict.fromkeys([finals.metric])
    for network in finals.networks:
        for run in network.runs:
            names.update(dict.fromkeys(run.scores))
    return list(names)


def from_best(best: Mapping[str, Any]) -> Finals | None:
    """What the folder of an older release says: only the winner was trained, its scores stand in ``best.json``.

    Raises:
        TypeError: Or ValueError or AttributeError, if something in it is of another kind than it should be.
    """
    metric, scores = best.get("metric"), best.get("scores") or {}
    mean = scores.get(f"test_{metric}")
    if not isinstance(metric, str) or mean is None:
        return None
    first = int(best.get("seed") or 0)
    runs = [
        Run(first + place, "complete", 0.0, "", {name.removeprefix("test_"): float(v) for name, v in run.items()})
        for place, run in enumerate(best.get("runs") or ())
    ]
    sd = None if scores.get(f"test_{metric}_sd") is None else float(scores[f"test_{metric}_sd"])
    network = Network("best network", "finalist", None, best.get("architecture"), runs=runs, mean=float(mean), sd=sd)
    seeds = [run.seed for run in runs]
    return Finals(metric, MAXIMISE.get(metric, True), float(best.get("epochs") or 0), seeds, [network], "best network")
