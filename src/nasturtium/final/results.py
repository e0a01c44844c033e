"""What the final trainings gave: runs, networks, comparisons, the verdict; and their JSON."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nasturtium.errors import StudyError
from nasturtium.writing import replacing

TRIALS = "trials"
"""The folder of the trials in that of a search."""
FINALS = "finals.json"
TUNED = ", tuned"
"""Ends the name of a network whose recipe was tuned."""


@dataclass
class Run:
    """One final training.

    Attributes:
        seed: It was trained with.
        state: How it ended.
        seconds: How long it took.
        reason: Why it failed, if it did.
        scores: On the test split, by metric.
    """

    seed: int
    state: str
    seconds: float = 0.0
    reason: str = ""
    scores: dict[str, float] = field(default_factory=dict)


@dataclass
class Network:
    """One network of the finals with all its trainings.

    Attributes:
        name: ``trial 17``, ``trial 17, tuned``, ``plain network`` or the name of a scikit-learn model.
        kind: ``finalist``, ``baseline`` (a plain network) or ``classical`` (scikit-learn).
        number: The trial it comes from.
        architecture: Its text; with its recipe where that was tuned.
        valid: Its validation score: in the search, or with the recipe that was found for it.
        params: Its parameters.
        flops: Its FLOPs for one row.
        runs: Its trainings.
        mean: Mean test score of the task's metric over the trainings.
        sd: Sample standard deviation of it.
        interval: Where the mean lies with a probability of 95 % (bootstrap over test rows and seeds).
        breaks: The limits of the search that it does not keep, which only a baseline may.
    """

    name: str
    kind: str
    number: int | None = None
    architecture: str | None = None
    valid: float | None = None
    params: float | None = None
    flops: float | None = None
    runs: list[Run] = field(default_factory=list)
    mean: float | None = None
    sd: float | None = None
    interval: tuple[float, float] | None = None
    breaks: list[str] = field(default_factory=list)

    @property
    def role(self) -> str:
        """Its kind for a table, and which limits it breaks."""
        return f"{self.kind}, breaks {' and '.join(self.breaks)}" if self.breaks else self.kind

    @property
    def tuned(self) -> bool:
        """Whether its recipe was tuned, so that its scores in the search are those of another recipe."""
        return self.name.endswith(TUNED)

    @property
    def done(self) -> bool:
        """Whether a training of it was completed; of older releases the mean alone may be known."""
        return self.mean is not None or any(run.state == "complete" for run in self.runs)

    def values(self, metric: str) -> list[float]:
        """The test scores of the trainings that were completed, where the test rows can give one."""
        return [run.scores[metric] for run in self.runs if run.state == "complete" and metric in run.scores]


@dataclass
class Comparison:
    """Two networks on the same rows and seeds.

    Attributes:
        first: Name of the one.
        second: Name of the other.
        difference: Mean test score of the first minus that of the second.
        interval: Where it lies with a probability of 95 %.
        ahead: Whether the first is better, and the interval holds no zero.
        behind: Likewise the other way round.
    """

    first: str
    second: str
    difference: float
    interval: tuple[float, float]
    ahead: bool
    behind: bool = False


@dataclass
class Finals:
    """The final trainings of a search.

    Attributes:
        metric: The task's metric, which is compared.
        maximise: Whether more of it is better.
        epochs: Of each training.
        seeds: Wanted for each network.
        networks: All of them: finalists in the order of the search, then baselines.
        winner: Name of the network that is handed over: the first by validation, so that its test score is unbiased.
        comparisons: The winner with each other network.
        verdict: What all that says, in sentences.
        settings: What it was made with.
    """

    metric: str
    maximise: bool
    epochs: float
    seeds: list[int]
    networks: list[Network]
    winner: str
    comparisons: list[Comparison] = field(default_factory=list)
    verdict: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)

    def network(self, name: str) -> Network:
        """The network with a name."""
        return next(network for network in self.networks if network.name == name)

    @property
    def best(self) -> Network:
        """The network that is handed over."""
        return self.network(self.winner)


def scores_of_tests(network: Network, metric: str) -> dict[str, float]:
    """``test_<metric>`` (mean over the trainings), ``_sd`` of several, and ``_low``, ``_high`` of the main metric."""
    complete = [run.scores for run in network.runs if run.state == "complete"]
    scores: dict[str, float] = {}
    for each in complete[0] if complete else ():
        values = [run[each] for run in complete if each in run]
        name = f"test_{each.removeprefix('test_')}"
        scores[name] = math.fsum(values) / len(values)
        if len(values) > 1:
            scores[f"{name}_sd"] = math.sqrt(math.fsum((v - scores[name]) ** 2 for v in values) / (len(values) - 1))
    if network.interval is not None:
        scores[f"test_{metric}_low"], scores[f"test_{metric}_high"] = network.interval
    return scores


def write_finals(finals: Finals, folder: Path) -> None:
    """Keep the results beside the study, all or nothing."""
    with replacing(folder / FINALS) as draft:
        draft.write_text(json.dumps(asdict(finals), indent=1))


def read_finals(folder: Path) -> Finals | None:
    """What :func:`write_finals` kept, or None.

    Raises:
        StudyError: If the file is there and cannot be read.
    """
    path = folder / FINALS
    try:
        held = json.loads(path.read_text())
        networks = [Network(**{**each, "runs": [Run(**run) for run in each["runs"]]}) for each in held["networks"]]
        for network in networks:
            numbers = network.mean, network.sd, network.params, *(network.interval or ())
            if not all(each is None or isinstance(each, int | float) for each in numbers):
                raise ValueError(f"a number of {network.name!r} is none")
        comparisons = [Comparison(**each) for each in held["comparisons"]]
        return Finals(**{**held, "networks": networks, "comparisons": comparisons})
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f"cannot read {path}: {error}; run the search again to write it anew") from None
