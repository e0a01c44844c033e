"""BOHAMIANN: networks drawn from their posterior by stochastic gradient Hamiltonian Monte Carlo."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nasturtium.options import integers, reals
from nasturtium.predictors.base import PredictorError, Regressor
from nasturtium.predictors.calibration import Held, split_off
from nasturtium.predictors.mlp import tensors
from nasturtium.predictors.networks import Networks

Array = NDArray[Any]

NOISE_PRIOR = (-4.0, 1.0)
"""Mean and standard deviation of the normal prior on the logarithm of the noise's variance."""


class Sampler:
    """Scale-adapted SGHMC (Springenberg et al. 2016, section 4 and equation 8) on independent coordinates.

    Args:
        values: Where the chains stand; changed in place.
        rate: epsilon, the step size.
        friction: epsilon C V^(-1/2), the part of the momentum that is lost in a step.
        generator: Of the noise.
    """

    def __init__(self, values: torch.Tensor, rate: float, friction: float, generator: torch.Generator) -> None:
        self.values, self.rate, self.friction, self.generator = values, rate, friction, generator
        self.momentum = torch.zeros_like(values)
        self.tau, self.mean, self.square = (torch.ones_like(values) for _ in range(3))

    def step(self, slope: torch.Tensor, adapting: bool) -> None:
        """One step along the gradient of the negative log posterior; while adapting, scales are estimated."""
        if adapting:
            part = 1.0 / (self.tau + 1.0)
            self.tau += 1.0 - self.tau * self.mean**2 / (self.square + 1e-12)
            self.mean += part * (slope - self.mean)
            self.square += part * (slope**2 - self.square)
        scale = 1.0 / (self.square.sqrt() + 1e-8)
        variance = (2.0 * self.rate**2 * self.friction * scale - self.rate**4).clamp_min(1e-16)
        noise = torch.empty_like(self.values).normal_(generator=self.generator) * variance.sqrt()
        self.momentum.mul_(1.0 - self.friction).sub_(self.rate**2 * scale * slope).add_(noise)
        self.values += self.momentum


class BOHAMIANN(Regressor):
    """Bayesian networks: the mean and spread over networks sampled from the posterior (Springenberg et al. 2016).

    Three layers of 50 tanh units and the noise's variance are sampled, from independent chains that run in the same
    products; there, one long chain. Chains on four fifths of the rows run beside them and scale the spread.

    Args:
        chains: Independent chains.
        steps: Of each chain.
        burn: Steps before the first sample is kept; the scales adapt meanwhile.
        every: Steps from sample to sample.
        layers: Hidden layers.
        width: Units of each.
        batch: Rows in a step.
        rate: Step size.
        friction: Part of the momentum that is lost in a step.
        seed: Of weights, batches and noise.

    Raises:
        NasturtiumError: If an option cannot be used, or no sample would be kept.
    """

    def __init__(
        self,
        chains: int = 4,
        steps: int = 1500,
        burn: int = 750,
        every: int = 75,
        layers: int = 3,
        width: int = 50,
        batch: int = 32,
        rate: float = 0.01,
        friction: float = 0.05,
        seed: int = 0,
    ) -> None:
        integers(chains=chains, every=every, layers=layers, width=width, batch=batch)
        integers(0, steps=steps, burn=burn)
        reals(rate=rate, friction=friction)
        if steps - burn < every:
            raise PredictorError(
                f"options steps={steps}, burn={burn}, every={every}: no network would be kept; give at least burn + "
                "every steps"
            )
        self.chains, self.steps, self.burn, self.every = chains, steps, burn, every
        self.hidden, self.batch, self.rate, self.friction, self.seed = (width,) * layers, batch, rate, friction, seed

    def fit(self, x: Any, y: Array) -> None:
        """Runs the chains."""
        rows, targets = tensors(x, y)
        split = split_off(len(y), self.seed)
        shares = torch.ones(2 * self.chains, len(y))
        shares[self.chains :, split] = 0.0
        kept, noises = self._run(rows, targets, shares)
        self.samples = self._stacked(kept, rows.shape[1], slice(0, self.chains))
        self.noise = float(torch.stack(noises)[:, : self.chains].exp().mean())
        self._held = None
        if len(split):
            others = self._stacked(kept, rows.shape[1], slice(self.chains, None))
            noise = float(torch.stack(noises)[:, self.chains :].exp().mean())
            self._held = (*self._predicted(others, noise, rows[split]), y[split])

    def _run(
        self, rows: torch.Tensor, targets: torch.Tensor, shares: torch.Tensor
    ) -> tuple[list[Networks], list[torch.Tensor]]:
        """The networks and the logarithms of the noise's variance, (chains,), of each sample."""
        chains, generator = len(shares), torch.Generator().manual_seed(self.seed)
        networks = Networks(chains, (rows.shape[1], *self.hidden), "tanh", self.seed)
        noise = torch.full((chains,), NOISE_PRIOR[0])
        counted = shares.sum(1)
        rate = self.rate / float(counted.max()) ** 0.5
        samplers = [Sampler(each, rate, self.friction, generator) for each in (networks.values, noise)]
        kept, noises = [], []
        for step in range(self.steps):
            part = torch.rand(chains, len(rows), generator=generator).argsort(1)[:, : self.batch]
            share = shares.gather(1, part)
            share = share * (counted / share.sum(1).clamp_min(1.0))[:, None]  # as if the batch were all rows
            self._slopes(networks, rows[part], targets[part], share * torch.exp(-noise)[:, None])
            off = networks.outputs(rows[part]) - targets[part]
            by_noise = 0.5 * (counted - (off**2 * share).sum(1) * torch.exp(-noise))
            by_noise += (noise - NOISE_PRIOR[0]) / NOISE_PRIOR[1] ** 2
            samplers[0].step(networks.slopes, step < self.burn)
            samplers[1].step(by_noise, step < self.burn)
            if step >= self.burn and (step - self.burn) % self.every == self.every - 1:
                kept.append(_copied(networks))
                noises.append(noise.clone())
        return kept, noises

    def _slopes(self, networks: Networks, rows: torch.Tensor, targets: torch.Tensor, share: torch.Tensor) -> None:
        """The gradient of the negative log posterior by the weights; their prior variance is 1 / inputs (biases: 1).

        There all have variance 1, with which networks of 50 units vary wildly before they see data.
        """
        networks.backward(rows, targets, 0.5 * share, "mse")
        for (weight, bias), (by_weight, by_bias) in zip(networks.weights, networks.slope_views, strict=True):
            by_weight.add_(weight, alpha=weight.shape[1])
            by_bias.add_(bias)

    def _stacked(self, kept: list[Networks], columns: int, chains: slice) -> Networks:
        """The samples of some chains as one group of networks."""
        members = sum(len(each.weights[0][0][chains]) for each in kept)
        found = Networks(members, (columns, *self.hidden), "tanh")
        for layer, pair in enumerate(found.weights):
            for k, values in enumerate(pair):
                values.copy_(torch.cat([each.weights[layer][k][chains] for each in kept]))
        return found

    def _predicted(self, samples: Networks, noise: float, rows: torch.Tensor) -> tuple[Array, Array]:
        found = samples.outputs(rows).double().numpy()
        return found.mean(0), np.sqrt(found.var(0) + noise)

    def predict(self, x: Any) -> tuple[Array, Array]:
        """Mean over the samples, and the standard deviation of a new score, noise included."""
        return self._predicted(self.samples, self.noise, tensors(x)[0])

    def held_out(self) -> Held | None:
        """Predictions for the fifth of the rows that the second half of the chains did not see."""
        return self._held


def _copied(networks: Networks) -> Networks:
    other = Networks.__new__(Networks)
    other.__setstate__({**networks.__getstate__(), "values": networks.values.clone()})
    return other
