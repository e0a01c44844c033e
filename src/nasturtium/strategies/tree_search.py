"""Monte-Carlo tree search over decisions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

import numpy as np

from nasturtium.options import between
from nasturtium.strategies.base import Common, Strategy
from nasturtium.strategies.known import Decisions
from nasturtium.strategies.policy import Rewards, Site, Taken, derived, path
from nasturtium.trial import Proposal, Trial

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Space


class Node:
    """What is known of all architectures whose decisions begin alike.

    Attributes:
        asked: How many were asked, those that still run included.
        told: How many of them kept all limits and gave a reward.
        broken: How many broke a limit.
        failed: How many ended with neither.
        total: The sum of the rewards.
        missed: The sum of the violations, each at most 1.
    """

    __slots__ = ("asked", "broken", "failed", "missed", "told", "total")

    def __init__(self) -> None:
        self.asked = 0
        self.told = 0
        self.broken = 0
        self.failed = 0
        self.total = 0.0
        self.missed = 0.0


class TreeSearch(Strategy):
    """UCT over the decisions of a derivation, completed at random (AlphaX: Wang et al. 2018, arXiv:1805.07440).

    From the root, the decision with the largest mean reward plus ``2 c sqrt(2 ln N / n)`` is taken (Kocsis and
    Szepesvari 2006; AlphaX's equation), those never taken first; below a decision that was never taken, the rest is
    drawn at random. Each trial adds one node. Rewards are scaled to 0..1 by the least and largest so far, trials
    without one count as 0, and running trials count as visits, so that workers spread. What fails the constraints of a
    space is never taken, so it would be tried first each time; a proposal leaves it alone once it has met it. The
    authors' code for NAS-Bench-101 has c = 2 on accuracies from 0 to 1, UCB1 has c = 0.5 (Auer et al. 2002); with
    budgets of hundreds of trials both are all but random search, so ours is 0.05. We differ from AlphaX: there is no
    network that predicts rewards, and its moves add layers where ours take decisions.

    Args:
        exploration: c.
        repeats: Whether to propose what was asked before without trying for something new.
        **common: As in :class:`Strategy`; the reward is the first objective (see :class:`.policy.Rewards`).

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        exploration: float = 0.05,
        repeats: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        self.exploration = between("exploration", exploration, 0, math.inf)
        self.repeats = repeats
        self.rewards = Rewards()
        self.nodes: dict[Decisions, Node] = {(): Node()}

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        """Down the tree by UCT, then at random, but not twice to what fails the constraints."""
        closed: set[Decisions] = set()

        def pick(taken: Sequence[Taken], site: Site) -> int:
            prefix = tuple([each.option for each in taken])
            offered = [index for index in site.offered if (*prefix, index) not in closed] or site.offered
            parent = self.nodes.get(prefix)
            if parent is None or not parent.asked:
                return offered[int(rng.random() * len(offered))]
            return self.selected(prefix, offered, rng)

        def rejected(architecture: Architecture) -> None:
            close(path(self.space, architecture.decisions), closed)

        return Proposal(self.fresh(lambda: derived(self.space, pick, rng, rejected), rng), self.budget)

    def selected(self, prefix: Decisions, offered: Sequence[int], rng: np.random.Generator) -> int:
        """The option to take below a node: one never taken if there is one, else that of the largest value."""
        children = [self.nodes.get((*prefix, index)) for index in offered]
        new = [index for index, child in zip(offered, children, strict=True) if child is None or not child.asked]
        if new:
            return new[int(rng.random() * len(new))]
        parent = self.nodes[prefix]
        values = [self.value(child, parent) for child in children if child is not None]
        best = [index for index, value in zip(offered, values, strict=True) if value == max(values)]
        return best[int(rng.random() * len(best))]

    def value(self, node: Node, parent: Node) -> float:
        """Mean reward of a node, scaled to 0..1, plus what its uncertainty is worth."""
        low, high = self.rewards.range
        rewarded, total = node.told, node.total
        if node.broken:
            rewarded += node.broken
            total += node.broken * self.rewards.broken(node.missed / node.broken)
        ended = rewarded + node.failed
        mean = (total - rewarded * low) / (high - low) / ended if ended and high > low else 0.0
        return mean + 2 * self.exploration * math.sqrt(2 * math.log(parent.asked) / node.asked)

    def asked(self, proposal: Proposal) -> None:
        """Counts a visit along the tree, which grows by one node."""
        super().asked(proposal)
        decisions = proposal.architecture.decisions
        for length in range(len(decisions) + 1):
            node = self.nodes.get(decisions[:length])
            if node is None:
                self.nodes[decisions[:length]] = node = Node()
                node.asked = 1
                return
            node.asked += 1

    def tell(self, trial: Trial) -> None:
        """Adds the reward along the tree."""
        losses = self.judged(trial)
        reward = 0.0 if losses is None else self.rewards(losses)
        decisions = trial.architecture.decisions
        for length in range(len(decisions) + 1):
            node = self.nodes.get(decisions[:length])
            if node is None:
                return
            if losses is None:
                node.failed += 1
            elif losses[0] > 0:
                node.broken += 1
                node.missed += min(losses[0], 1.0)
            else:
                node.told += 1
                node.total += reward


def close(steps: Sequence[Taken], closed: set[Decisions]) -> None:
    """Takes note that an architecture cannot be, nor what begins alike where all options are closed by now.

    Args:
        steps: Its decisions.
        closed: The beginnings that lead nowhere.
    """
    decisions = tuple([step.option for step in steps])
    closed.add(decisions)
    for length in range(len(steps) - 1, -1, -1):
        if any((*decisions[:length], index) not in closed for index in steps[length].site.offered):
            return
        closed.add(decisions[:length])
