"""What a comparison has found: curves over queries or simulated time, regret, ranks, rows for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nasturtium.comparison.plan import Plan
from nasturtium.comparison.ranks import Ranking, ranking
from nasturtium.comparison.simulation import ROUNDING, Track
from nasturtium.errors import NasturtiumError, did_you_mean

Numbers = NDArray[np.float64]

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
OPTIMA = {"test": "optimum", "validation": "optimum_validation", "signal": "optimum_signal"}
"""Where the best value in the table stands among what is known of a benchmark."""

SEEN = "signal_split"
"""Where the split that strategies see stands among what is known of a benchmark."""

POINTS = 200
"""So many points a curve over simulated time has."""

FEWEST = 3
"""Over fewer benchmarks the runs are ranked instead."""


@dataclass(frozen=True)
class Curve:
    """The incumbent of a strategy on a benchmark, over queries or simulated time.

    Attributes:
        at: Queries, or seconds, (n,).
        mean: Of the runs, (n,).
        error: Standard error of the mean, (n,); NaN of a single run.
        quantiles: By the fractions of ``QUANTILES``, (5, n).
        regret: How far the mean falls behind the best value in the table, (n,); that of ``signal`` behind the best at
            the epoch after which strategies see it. NaN where the best is not known: on surrogates, and of ``signal``
            where each run sees another training of each architecture.
        runs: How many.
    """

    at: Numbers
    mean: Numbers
    error: Numbers
    quantiles: Numbers
    regret: Numbers
    runs: int


class Comparison:
    """The results of a plan.

    Args:
        plan: What was compared.
        facts: For each benchmark what is known of it.
        tracks: For each benchmark and strategy, by their places, its runs in order.
        seconds: How long it took, runs that were kept from before not counted.
    """

    def __init__(
        self,
        plan: Plan,
        facts: list[dict[str, Any]],
        tracks: Mapping[tuple[int, int], list[Track]],
        seconds: float = 0.0,
    ) -> None:
        self.plan, self.facts, self.tracks, self.seconds = plan, facts, tracks, seconds

    @property
    def titles(self) -> list[str]:
        """The benchmarks."""
        return [each["title"] for each in self.facts]

    @property
    def names(self) -> list[str]:
        """The strategies."""
        return [each.name for each in self.plan.contenders]

    @property
    def cautions(self) -> list[str]:
        """What has to be known of benchmarks whose strategies see test scores; see :func:`caution`."""
        return [f"{each['title']}: {said}" for each in self.facts if (said := caution(each))]

    @cached_property
    def timed(self) -> bool:
        """Whether the budget is simulated time alone."""
        return self.plan.limits.queries is None

    @cached_property
    def at(self) -> Numbers:
        """Where curves are known: after 1, 2, ... queries, or at points of simulated time."""
        limits = self.plan.limits
        if limits.queries is not None:
            return np.arange(1, limits.queries + 1, dtype=np.float64)
        return np.linspace(0, limits.seconds or 0.0, POINTS + 1)[1:]

    def values(self, title: str | int, strategy: str | int, what: str = "test") -> Numbers:
        """Values of the incumbent of every run, (runs, n); NaN before the first.

        Args:
            title: A benchmark, by its title or place.
            strategy: A strategy, by its name or place.
            what: ``test``, ``validation`` or ``signal``.

        Raises:
            NasturtiumError: If there is no such benchmark or strategy.
        """
        pair = _place("benchmark", self.titles, title), _place("strategy", self.names, strategy)
        return np.array([self._stepped(track, what) for track in self.tracks[pair]])

    def _stepped(self, track: Track, what: str) -> Numbers:
        changes = track.seconds if self.timed else track.queries
        values = np.array([np.nan, *getattr(track, what)])
        found: Numbers = values[np.searchsorted(changes, self.at + ROUNDING, side="right")]
        return found

    def curve(self, title: str | int, strategy: str | int, what: str = "test") -> Curve:
        """Mean, standard error, quantiles and regret of the incumbent; see :meth:`values`."""
        values = self.values(title, strategy, what)
        facts = self.facts[_place("benchmark", self.titles, title)]
        best = None if what == "signal" and self.plan.noise else facts[OPTIMA[what]]
        sign = 1.0 if facts["verdict_maximise" if what == "test" else "maximise"] else -1.0
        runs, mean = len(values), values.mean(axis=0)
        error = values.std(axis=0, ddof=1) / np.sqrt(runs) if runs > 1 else np.full_like(mean, np.nan)
        regret = np.full_like(mean, np.nan) if best is None else sign * (best - mean)
        return Curve(self.at, mean, error, np.quantile(values, QUANTILES, axis=0), regret, runs)

    @cached_property
    def finals(self) -> Numbers:
        """The mean verdict at the end of the budget, (benchmarks, strategies)."""
        return np.array(
            [[self.values(s, c)[:, -1].mean() for c in range(len(self.names))] for s in range(len(self.facts))]
        )

    def ranking(self, alpha: float = 0.05) -> Ranking | None:
        """Strategies by their average rank at the end of the budget; None where there is nothing to rank.

        Blocks are the benchmarks. Of fewer than three benchmarks the runs are the blocks, the same run of all
        strategies having the same seed: what that says holds for these benchmarks alone.
        """
        signs = np.array([1.0 if each["verdict_maximise"] else -1.0 for each in self.facts])
        if len(self.facts) >= FEWEST:
            table, over = self.finals * signs[:, None], "benchmarks"
        else:
            ends = [[self.values(s, c)[:, -1] * sign for c in range(len(self.names))] for s, sign in enumerate(signs)]
            table, over = np.concatenate([np.array(each).T for each in ends]), "runs"
        table = table[~np.isnan(table).any(axis=1)]
        if min(table.shape) < 2:
            return None
        return ranking(self.names, table, over=over, alpha=alpha)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Rows: benchmark, dataset, strategy, run, n, validation and test of the incumbent after n queries.

        Over simulated time there is one row for each change of the incumbent and one for the end, and ``seconds``.
        """
        for (subject, contender), tracks in self.tracks.items():
            facts = self.facts[subject]
            for number, track in enumerate(tracks):
                head = {
                    "benchmark": facts["benchmark"], "dataset": facts["dataset"], "strategy": self.names[contender],
                    "run": number,
                }  # fmt: skip
                for tail in self._changes(track) if self.timed else self._each(track):
                    yield {**head, **tail}

    def _each(self, track: Track) -> Iterator[dict[str, Any]]:
        validation, test = self._stepped(track, "validation"), self._stepped(track, "test")
        for n in range(1, len(self.at) + 1):
            yield {"n": n, "validation": _number(validation[n - 1]), "test": _number(test[n - 1])}

    def _changes(self, track: Track) -> Iterator[dict[str, Any]]:
        entries = list(zip(track.queries, track.seconds, track.validation, track.test, strict=True))
        if entries:
            entries.append((track.spent, track.passed, *entries[-1][2:]))
        for queries, seconds, validation, test in entries:
            yield {
                "n": round(queries, 6), "validation": _number(validation), "test": _number(test), "seconds": seconds,
            }  # fmt: skip


def caution(facts: Mapping[str, Any]) -> str:
    """A sentence on a benchmark that has strategies see its test split; empty where they see another.

    Args:
        facts: What is known of the benchmark.
    """
    if facts[SEEN] != "test":
        return ""
    return (
        f"strategies see {facts['signal']}, which is on the test split: what is written as validation is a test score, "
        "and what is reported is what they chose by, so it flatters the strategies that look at most"
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _place(what: str, names: list[str], asked: str | int) -> int:
    if isinstance(asked, int) and -len(names) <= asked < len(names):
        return asked
    if asked not in names:
        raise NasturtiumError(f"no {what} {asked!r}{did_you_mean(str(asked), names)} (there are: {', '.join(names)})")
    return names.index(str(asked))
