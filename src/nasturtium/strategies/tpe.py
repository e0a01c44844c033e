"""TPE: the options that good architectures take are drawn, and weighed against those of the others."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Unpack

import numpy as np

from nasturtium.objective import ranking
from nasturtium.options import at_least, between
from nasturtium.strategies.base import Common, Losses, Strategy
from nasturtium.strategies.known import Decisions
from nasturtium.strategies.policy import Site, Taken, derived, sites
from nasturtium.trial import Budget, Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space

Key = object
"""What decisions are counted by: the address of the choice; in recursive spaces the choice, wherever it stands."""

LEAST = 1e-9
"""No option that is offered is less likely, in counts; some have weight 0 and were taken all the same."""


class Made(NamedTuple):
    """A decision: what it is counted by, and which option was taken."""

    key: Key
    option: int


class Density:
    """How likely some architectures make each option: (N p_i + C_i) / (N + C), (Bergstra et al. 2011, section 4.2).

    N is the number of options of the choice, p_i the probability of option i by the weights of the space, C_i how often
    it was taken. Among the options offered at a place the probabilities are made to add up to 1.

    Args:
        made: The decisions of the architectures.
        prior: What N is multiplied by; the paper's 1.
    """

    def __init__(self, made: Iterable[Sequence[Made]], prior: float = 1.0) -> None:
        self.prior = prior
        self.counts: Counter[tuple[Key, int]] = Counter((each.key, each.option) for row in made for each in row)

    def probabilities(self, key: Key, site: Site) -> np.ndarray:
        """Of the options offered at a site, (n,)."""
        weights = site.choice.weights or (1.0,) * len(site.choice.options)
        total = sum(weights)
        share = self.prior * len(weights) / total if total > 0 else self.prior
        found = np.array([share * weights[i] + self.counts[key, i] for i in site.offered])
        found = np.maximum(found, LEAST)
        return np.asarray(found / found.sum())


class TPE(Strategy):
    """Tree-structured Parzen estimator over decisions (Bergstra et al. 2011, NeurIPS, algorithm in section 4).

    The best ``gamma`` of what was told give the density l of decisions, the others g. Candidates are derived by drawing
    each decision from l, and the one with the largest l / g is tried, in which the expected improvement grows (equation
    4). The paper's tree of conditions is the derivation itself: a decision counts only where it was made. Every
    decision is one between options, also where the options are numbers. Trials that still run count among the others.

    Given trials at several budgets it goes by the largest budget with enough of them (BOHB, Falkner et al. 2018).

    Args:
        initial: How many random architectures are scored first.
        gamma: Which part of what was told counts as good; the paper's 0.15.
        candidates: How many are drawn from l; hyperopt's 24.
        prior: The weight of the space's own probabilities; the paper's 1.
        random: How often a proposal is random all the same; BOHB's 1/3.
        **common: As in :class:`Strategy`; several objectives are ranked by domination.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        initial: int = 20,
        gamma: float = 0.15,
        candidates: int = 24,
        prior: float = 1.0,
        random: float = 0.0,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        self.initial = at_least("initial", initial, 2)
        self.gamma = between("gamma", gamma, 0, 1)
        self.candidates = at_least("candidates", candidates, 1)
        self.prior = between("prior", prior, 0, math.inf)
        self.random = between("random", random, 0, 1)
        self.told: dict[Budget, list[tuple[Losses, Decisions]]] = {}
        self.running: dict[int, Decisions] = {}
        self._made: dict[Decisions, tuple[Made, ...]] = {}
        self._split: tuple[Density, Density] | None = None

    def asked(self, proposal: Proposal) -> None:
        """Takes note of what runs."""
        self.running[self.number] = proposal.architecture.decisions
        super().asked(proposal)
        self._split = None

    def tell(self, trial: Trial) -> None:
        """Takes note of the losses at the trial's budget."""
        self.running.pop(trial.number, None)
        self.learn(trial)

    def went_on(self, trial: Trial) -> None:
        """Takes note of it likewise."""
        self.learn(trial)

    def learn(self, trial: Trial) -> None:
        """Takes note of the losses at the trial's budget; the largest with enough of them counts."""
        losses = self.judged(trial)
        if losses is not None:
            self.told.setdefault(trial.budget, []).append((losses, trial.architecture.decisions))
            self._split = None

    def propose(self, number: int, rng: np.random.Generator) -> Proposal | None:
        """At random at first, then the candidate with the largest l / g that is new."""
        if self.level is None or rng.random() < self.random:
            return Proposal(self.fresh(lambda: self.space.sample(rng), rng), self.budget)
        good, other = self.densities()
        drawn = [self.draw(good, rng) for _ in range(self.candidates)]
        new = [each for each in drawn if each not in self.known]
        if not new:
            return Proposal(self.fresh(lambda: self.draw(good, rng), rng), self.budget)
        return Proposal(max(new, key=lambda each: self.ratio(each, good, other)), self.budget)

    @property
    def level(self) -> Budget | None:
        """The largest budget at which enough is known; None where there is none yet."""
        enough = [budget for budget, rows in self.told.items() if len(rows) >= self.initial]
        return max(enough, default=None)

    def densities(self) -> tuple[Density, Density]:
        """l of the best, and g of the others, trials that still run among them."""
        if self._split is None:
            rows = [] if self.level is None else self.told[self.level]
            order = ranking([losses for losses, _ in rows])
            cut = min(max(1, math.ceil(self.gamma * len(rows))), len(rows) - 1)
            made = [self.made(rows[i][1]) for i in order]
            running = [self.made(decisions) for decisions in self.running.values()]
            self._split = Density(made[:cut], self.prior), Density([*made[cut:], *running], self.prior)
        return self._split

    def made(self, decisions: Decisions) -> tuple[Made, ...]:
        """Decisions with what they are counted by."""
        found = self._made.get(decisions)
        if found is None:
            steps = taken(self.space, self.space.architecture(decisions))
            found = self._made[decisions] = tuple([Made(self.key(site), option) for site, option in steps])
        return found

    def key(self, site: Site) -> Key:
        """What a decision at a site is counted by."""
        return site.choice if self.space.recursive else site.address

    def draw(self, density: Density, rng: np.random.Generator) -> Architecture:
        """An architecture whose every decision is drawn from the density."""

        def pick(_: Sequence[Taken], site: Site) -> int:
            total = np.cumsum(density.probabilities(self.key(site), site))
            return site.offered[min(int(np.searchsorted(total, rng.random(), side="right")), len(total) - 1)]

        return derived(self.space, pick, rng)

    def ratio(self, architecture: Architecture, good: Density, other: Density) -> float:
        """log l - log g, summed over the decisions."""
        found = 0.0
        for site, option in taken(self.space, architecture):
            place, key = site.offered.index(option), self.key(site)
            found += math.log(good.probabilities(key, site)[place] / other.probabilities(key, site)[place])
        return found


def taken(space: Space, architecture: Architecture) -> list[Taken]:
    """The decisions of an architecture with the sites at which they were made."""
    if space.radices is not None:
        return [Taken(site, option) for site, option in zip(sites(space), architecture.decisions, strict=True)]
    points = [(step.point, step.taken) for step in architecture.steps]
    return [Taken(Site(point.address, point.choice, point.offered), option) for point, option in points]
