"""Controllers: an LSTM that takes the decisions, trained by REINFORCE or by PPO."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import numpy as np

from nasturtium.options import at_least, between
from nasturtium.strategies.base import Common, Strategy
from nasturtium.strategies.policy import Advantages, Site, Taken, derived, path
from nasturtium.trial import Proposal, Trial

if TYPE_CHECKING:
    import torch

    from nasturtium.space import Space
    from nasturtium.strategies.lstm import Frozen, Network, Paths


LARGEST = 1e12
"""Advantages are bounded by it, so that squares of their gradients are numbers in single precision."""


class Lesson(NamedTuple):
    """What a trial taught: its decisions, its lead over the baseline, and its log probability when it was asked."""

    path: list[Taken]
    advantage: float
    before: float


class Controlled(Common, total=False):
    """The options of every controller with the same default (see :class:`Controller`)."""

    momentum: float
    power: float
    repeats: bool


class Controller(Strategy):
    """An LSTM trained by REINFORCE (Zoph and Le 2017, arXiv:1611.01578).

    Settings of section 4.1: two layers of 35 units, weights begin within 0.08, Adam with learning rate 0.0006, updates
    of 8 trials (each of its 100 replicas has m = 8 children). It works on every space: a step reads the option taken
    before, the choice and its address, and only options that are offered can be taken, so that grammars are derived
    hierarchically. We differ: the paper's reward is the cube of the accuracy, ours the first objective (``power``
    changes it); the paper's baseline is a moving average of rewards without its momentum, which is that of NASNet here;
    and what was asked before is not proposed again unless ``repeats`` is set.

    Args:
        hidden: Units of each layer.
        layers: How many layers the LSTM has.
        spread: Weights begin uniform between plus and minus this.
        learning_rate: Of Adam.
        momentum: Of the moving average of rewards.
        batch: After how many trials the controller learns.
        entropy: Weight of the entropy of the decisions in what is maximised.
        power: Rewards are raised to it, keeping their sign; Zoph and Le take 3.
        repeats: Whether to propose what was asked before, as the papers do.
        **common: As in :class:`Strategy`; the reward is the first objective (see :class:`.policy.Rewards`).

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    remembers = False

    def __init__(
        self,
        space: Space,
        *,
        hidden: int = 35,
        layers: int = 2,
        spread: float = 0.08,
        learning_rate: float = 0.0006,
        momentum: float = 0.95,
        batch: int = 8,
        entropy: float = 0.0,
        power: float = 1.0,
        repeats: bool = False,
        **common: Unpack[Common],
    ) -> None:
        super().__init__(space, **common)
        self.shape = (at_least("hidden", hidden, 1), at_least("layers", layers, 1), between("spread", spread, 0, 1e3))
        self.rate = between("learning_rate", learning_rate, 0, math.inf)
        self.batch = at_least("batch", batch, 1)
        self.entropy = between("entropy", entropy, 0, math.inf)
        self.advantages = Advantages(momentum, between("power", power, 0, math.inf))
        self.repeats = repeats
        self.lessons: list[Lesson] = []
        self.likely: dict[int, float] = {}
        self._frozen: Frozen | None = None

    @cached_property
    def network(self) -> Network:
        """The LSTM, made when it is first needed, as it takes torch."""
        from nasturtium.strategies.lstm import Network

        return Network(self.space, *self.shape, seed=self.seed)

    @cached_property
    def optimiser(self) -> torch.optim.Optimizer:
        """Adam, which keeps its moments."""
        import torch

        return torch.optim.Adam(self.network.parameters(), lr=self.rate, fused=True)

    @property
    def frozen(self) -> Frozen:
        """The LSTM as it is now, with the steps that it was asked for since it learned."""
        from nasturtium.strategies.lstm import Frozen

        if self._frozen is None:
            self._frozen = Frozen(self.network)
        return self._frozen

    def propose(self, number: int, rng: np.random.Generator) -> Proposal:
        """What the controller draws, or something near it that is new."""
        from nasturtium.strategies.lstm import Walk

        walk = Walk(self.frozen)

        def pick(taken: Sequence[Taken], site: Site) -> int:
            chances = np.cumsum(walk.probabilities(taken, site))
            place = int(np.searchsorted(chances, rng.random() * chances[-1], side="right"))
            return site.offered[min(place, len(site.offered) - 1)]

        return Proposal(self.fresh(lambda: derived(self.space, pick, rng), rng), self.budget)

    def asked(self, proposal: Proposal) -> None:
        """Takes note of how likely the controller held it, if that is needed to learn from it."""
        if self.remembers:
            from nasturtium.strategies.lstm import log_probability

            steps = path(self.space, proposal.architecture.decisions)
            self.likely[self.number] = log_probability(self.frozen, steps)
        super().asked(proposal)

    def tell(self, trial: Trial) -> None:
        """Learns, when a batch of trials has come together."""
        before = self.likely.pop(trial.number, 0.0)
        losses = self.judged(trial)
        if losses is None:
            return
        advantage = self.advantages(losses)
        steps = path(self.space, trial.architecture.decisions)
        if any(len(each.site.offered) > 1 for each in steps):
            self.lessons.append(Lesson(steps, advantage, before))
        if len(self.lessons) >= self.batch:
            self.learn(self.lessons, trial.number)
            self.lessons = []

    def learn(self, lessons: Sequence[Lesson], number: int) -> None:
        """One step of REINFORCE: the mean of advantage times gradient of the log probability."""
        logs, entropy = self.network.log_probabilities(self.network.gathered([lesson.path for lesson in lessons]))
        self._step(-(self._tensor([lesson.advantage for lesson in lessons]) * logs + self.entropy * entropy).mean())

    def _step(self, loss: torch.Tensor) -> None:
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        if all(each.grad is None or bool(each.grad.isfinite().all()) for each in self.network.parameters()):
            self.optimiser.step()  # else the weights would be lost for good
        self._frozen = None

    def _tensor(self, values: Sequence[float]) -> Any:
        import torch

        return torch.tensor(values, dtype=torch.float64).clamp(-LARGEST, LARGEST).float()


class ProximalController(Controller):
    """An LSTM trained by PPO (NASNet: Zoph et al. 2018, arXiv:1707.07012; Schulman et al. 2017, equation 7).

    NASNet's settings (appendices A.2 and A.3): one layer of 100 units, weights begin within 0.1, learning rate 0.00035,
    entropy weight 0.00001, a moving average of rewards (0.95) as baseline, updates from 20 architectures. The clip of
    0.2 is that of Schulman et al. Not given in the paper; ours: Adam, and 4 passes over each batch in minibatches of
    10, as searches here have hundreds of trials and not 20,000. Minibatches are drawn from the number of the trial that
    completes the batch.

    Args:
        passes: How often each batch is gone through.
        minibatch: How many trials a step is made of.
        clip: By how much the ratio of new and old probability may differ from 1.
        hidden, layers, spread, learning_rate, batch, entropy, **common: As in :class:`Controller`.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    remembers = True

    def __init__(
        self,
        space: Space,
        *,
        hidden: int = 100,
        layers: int = 1,
        spread: float = 0.1,
        learning_rate: float = 0.00035,
        batch: int = 20,
        entropy: float = 0.00001,
        passes: int = 4,
        minibatch: int = 10,
        clip: float = 0.2,
        **common: Unpack[Controlled],
    ) -> None:
        super().__init__(
            space, hidden=hidden, layers=layers, spread=spread, learning_rate=learning_rate, batch=batch,
            entropy=entropy, **common,
        )  # fmt: skip
        self.passes = at_least("passes", passes, 1)
        self.minibatch = at_least("minibatch", minibatch, 1)
        self.clip = between("clip", clip, 0, 1)

    def learn(self, lessons: Sequence[Lesson], number: int) -> None:
        """Some passes of clipped steps over the batch."""
        rng = np.random.default_rng((self.seed, 3, number))
        paths = self.network.gathered([lesson.path for lesson in lessons])
        for _ in range(self.passes):
            order = rng.permutation(len(lessons)).tolist()
            for first in range(0, len(order), self.minibatch):
                chosen = order[first : first + self.minibatch]
                self._step(self.clipped([lessons[i] for i in chosen], paths.some(chosen)))

    def clipped(self, lessons: Sequence[Lesson], paths: Paths) -> torch.Tensor:
        """The clipped surrogate loss of some lessons, to be minimised."""
        import torch

        logs, entropy = self.network.log_probabilities(paths)
        ratio = (logs - self._tensor([lesson.before for lesson in lessons])).exp()
        advantage = self._tensor([lesson.advantage for lesson in lessons])
        kept = torch.minimum(ratio * advantage, ratio.clamp(1 - self.clip, 1 + self.clip) * advantage)
        return -(kept + self.entropy * entropy).mean()
