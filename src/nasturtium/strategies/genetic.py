"""Evolution in generations: the genetic algorithm, Genetic CNN and NSGA-II."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import numpy as np

from nasturtium.objective import ranking
from nasturtium.options import at_least, between
from nasturtium.strategies.base import Common, Losses, Strategy, named
from nasturtium.strategies.population import (
    VARIATIONS,
    Cross,
    Exchange,
    Member,
    Ranked,
    Roulette,
    Selection,
    Variation,
    selections,
)
from nasturtium.trial import Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


class Bred(Common, total=False):
    """The options of every evolution in generations with the same default (see :class:`Generational`)."""

    repeats: bool


class Generational(Strategy):
    """Evolution in generations: when as many children were told as there are parents, the next parents are chosen.

    Nothing waits: what is asked while the last children of a generation still run belongs to the next.

    Args:
        population: How many parents there are, and children in a generation; the first are drawn at random.
        selection: Chooses parents from the population, which is sorted, best first.
        variation: Makes children of them.
        elitist: Whether the best of parents and children live on; otherwise the children replace their parents.
        repeats: Whether to propose what was asked before without trying for something new.
        **common: As in :class:`Strategy`.
    """

    def __init__(
        self,
        space: Space,
        *,
        population: int,
        selection: Selection,
        variation: Variation,
        elitist: bool,
        repeats: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        self.size = at_least("population", population, 1)
        self.selection = selection
        self.variation = variation
        self.elitist = elitist
        self.repeats = repeats
        self.population: list[Member] = []
        self.children: list[Member] = []
        self.ended = 0

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        """A child of the present parents; at random where there are none."""
        population, space = self.population, self.space

        def parent() -> Architecture:
            return self.selection(population, rng).architecture

        def vary() -> Architecture:
            return self.variation(parent, space, rng)

        return Proposal(self.fresh(vary if population else lambda: space.sample(rng), rng), self.budget)

    def tell(self, trial: Trial) -> None:
        """Takes in a child; the last of a generation makes the next."""
        self.ended += 1
        losses = self.counted(trial)
        if losses is not None:
            self.children.append(Member(losses, self.space.architecture(trial.architecture.decisions)))
        if self.ended < self.size:
            return
        among = [*self.population, *self.children] if self.elitist or not self.children else self.children
        best = ranking([member.losses for member in among])[: self.size]
        self.population, self.children, self.ended = [among[i] for i in best], [], 0

    def counted(self, trial: Trial) -> Losses | None:
        """The losses by which a trial takes part in the population, or None."""
        return self.losses(trial)


class GeneticAlgorithm(Generational):
    """Generations bred by binary tournaments, crossover and mutation (CNN-GA: Sun et al. 2020, arXiv:1808.03818).

    Population 20, crossover 0.9, mutation 0.2, as the authors' code (``global.ini`` of cnn-ga) has them. We differ: the
    paper fills the next generation by tournaments and adds the best; here the best of parents and children live on,
    which draws nothing.

    Args:
        population: How many parents there are, and children in a generation.
        crossover: How often two parents are crossed; otherwise one is mutated.
        mutation: How often a crossed child is mutated as well.
        selection: ``"ranked"`` (a binary tournament by place), ``"roulette"``, ``"chebyshev"``, ``"linear"``, or a
            :class:`Selection`.
        elitist: Whether the best of parents and children live on; otherwise the children replace their parents.
        **common: As in :class:`Generational`.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        population: int = 20,
        crossover: float = 0.9,
        mutation: float = 0.2,
        selection: str | Selection = "ranked",
        elitist: bool = True,
        **common: Unpack[Bred],
    ) -> None:
        super().__init__(
            space, population=population, selection=named(selection, {"ranked": Ranked, **selections(2)}),
            variation=Cross(between("crossover", crossover, 0, 1), between("mutation", mutation, 0, 1)),
            elitist=elitist, **common,
        )  # fmt: skip


class GeneticCNN(Generational):
    """Generations drawn by roulette, crossed or mutated (Xie and Yuille 2017, arXiv:1703.01513).

    Defaults are those of the CIFAR-10 experiment (section 4.2, as gentun, a public replica of it, has them): population
    20, p_C = 0.2, q_C = 0.2, p_M = 0.8, q_M = 0.05. (MNIST, section 4.1, has q_C = 0.3 and q_M = 0.1.) A child is
    chosen by its lead over the worst of its generation; children replace their parents. We differ: decisions are
    exchanged rather than whole stages, and what was asked before is not evaluated again unless ``repeats`` is set.

    Args:
        population: How many parents there are, and children in a generation.
        crossover: p_C, how often two parents are crossed.
        exchange: q_C, how likely a decision then comes from the second.
        mutation: p_M, how often a parent that was not crossed is mutated.
        rate: q_M, how likely each of its decisions then changes.
        elitist: Whether the best of parents and children live on instead.
        **common: As in :class:`Generational`; the first objective decides, and what violates a limit is chosen only
            where nothing keeps all.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        population: int = 20,
        crossover: float = 0.2,
        exchange: float = 0.2,
        mutation: float = 0.8,
        rate: float = 0.05,
        elitist: bool = False,
        **common: Unpack[Bred],
    ) -> None:
        shares = {"crossover": crossover, "exchange": exchange, "mutation": mutation, "rate": rate}
        variation = Exchange(**{name: between(name, share, 0, 1) for name, share in shares.items()})
        super().__init__(
            space, population=population, selection=Roulette(), variation=variation, elitist=elitist, **common
        )


class NSGA2(Generational):
    """Several objectives: non-dominated sorting and crowding (NSGA-II, Deb et al. 2002; NSGA-Net, Lu et al. 2019).

    Population 40 as in NSGA-Net, crossover 0.9 with a binary crowded tournament. Constrained domination: what keeps
    all limits comes before what does not, and among the latter the smaller violation; architectures refused for their
    structure before any training take part by their violation.

    Args:
        population: How many parents there are, and children in a generation.
        crossover: How often two parents are crossed; otherwise one is mutated.
        mutation: How often a crossed child is mutated as well.
        variation: A name or a :class:`Variation` instead of the two above.
        **common: As in :class:`Generational`, with objectives such as ``["accuracy", "-params"]``.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        population: int = 40,
        crossover: float = 0.9,
        mutation: float = 1.0,
        variation: str | Variation | None = None,
        **common: Unpack[Bred],
    ) -> None:
        cross = Cross(between("crossover", crossover, 0, 1), between("mutation", mutation, 0, 1))
        made = cross if variation is None else named(variation, VARIATIONS)
        super().__init__(space, population=population, selection=Ranked(), variation=made, elitist=True, **common)

    def counted(self, trial: Trial) -> Losses | None:
        """The losses, also of what was refused for its structure."""
        return self.judged(trial)
