"""Learning curves by Bayesian networks: a network whose last layer is made of curves, sampled by SGHMC."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nasturtium.predictors.calibration import scale, split_off
from nasturtium.predictors.curves.base import CurveLearner, Scaled, scaled, spread
from nasturtium.predictors.curves.curve_network import CurveNetwork, Points
from nasturtium.predictors.curves.families import families
from nasturtium.predictors.curves.fitting import fit
from nasturtium.predictors.sampled import Sampler

Array = NDArray[Any]

SHAPES = ("vap", "pow3", "log_power", "exp3", "hill3")
NOISE_PRIOR = (-8.0, 2.0)
"""Mean and standard deviation of the normal prior on the logarithm of the noise's variance."""
LEAST = 6
"""So many complete curves are needed; with fewer the last value stands for the end."""


class BayesianCurves(CurveLearner):
    """A Bayesian network that gives curves (Klein et al. 2017, ICLR).

    Its last layer is a weighted sum of five families, whose weights and parameters the network gives for what is known
    of an architecture: the features, if there are any, and where the beginning of its curve starts, stands and bends.
    It learns from the complete curves and from the beginnings that it is asked about; mean and spread are over networks
    sampled by SGHMC and the noise's variance. Differs from the paper: there the beginning is no input; chains begin
    where Adam has taken them instead of at random, which saves thousands of steps; and the spread is scaled by chains
    that have not seen a fifth of the curves, because the points of one curve are no independent observations.

    Args:
        maximise: Whether more is better.
        bound: The largest value there can be.
        chains: Independent chains, and as many beside them that do not see all curves.
        warm: Steps of Adam.
        steps: Steps of SGHMC.
        every: Steps from sample to sample.
        width: Units of both hidden layers.
        batch: Points in a step.
        rate: Step size.
        friction: Part of the momentum that is lost in a step.
        seed: Of weights, batches and noise.
    """

    def __init__(
        self,
        maximise: bool = True,
        bound: float | None = None,
        chains: int = 2,
        warm: int = 600,
        steps: int = 600,
        every: int = 50,
        width: int = 32,
        batch: int = 128,
        rate: float = 0.01,
        friction: float = 0.05,
        seed: int = 0,
    ) -> None:
        super().__init__(maximise, bound)
        self.chains, self.warm, self.steps, self.every = chains, warm, steps, every
        self.width, self.batch, self.rate, self.friction, self.seed = width, batch, rate, friction, seed

    def _extrapolated(self, given: Scaled, horizon: int, features: Array | None) -> tuple[Array, Array]:
        mean, std = given.last.copy(), spread(given)
        for length in np.unique(given.lengths):
            complete = self.complete(horizon, int(length))
            if self.known is None or len(complete) < LEAST:
                continue
            asked = np.flatnonzero(given.lengths == length)
            known = self.known[complete, :horizon]
            beginning = scaled(known[:, :length], self.maximise, self.bound or _same(given))
            whole = beginning.slope[:, None] * known + beginning.offset[:, None]
            own = np.full((len(asked), horizon), np.nan)
            own[:, :length] = given.values[asked, :length]
            rows = np.vstack([_summary(beginning, length), _summary(given.some(asked), length)])
            if features is not None and self.features is not None:
                rows = np.hstack([rows, np.vstack([self.features[complete], features[asked]])])
            mean[asked], std[asked] = self._learned(rows, np.vstack([whole, own]), len(complete), horizon)
        return mean, std

    def _learned(self, rows: Array, values: Array, complete: int, horizon: int) -> tuple[Array, Array]:
        """The ends of the curves behind the first ``complete`` of them."""
        generator = torch.Generator().manual_seed(self.seed)
        unit = rows[:complete].std(0)
        rows = np.clip((rows - rows[:complete].mean(0)) / np.where(unit > 0, unit, 1.0), -4.0, 4.0)
        shapes = families(SHAPES)
        full = np.full(complete, values.shape[1])
        centers = [np.median(fit(family, values[:complete], full).theta, axis=1) for family in shapes]
        network = CurveNetwork(2 * self.chains, rows.shape[1], self.width, shapes, centers, generator)
        curve, place = np.nonzero(np.isfinite(values))
        points = Points(
            torch.tensor(rows).float(), torch.tensor(curve), torch.tensor(place + 1.0).float(),
            torch.tensor(values[curve, place]).float(),
        )  # fmt: skip
        held = split_off(complete, self.seed)
        shares = torch.ones(2 * self.chains, len(rows))
        shares[self.chains :, held] = 0.0
        samples, noises = self._sampled(network, points, shares, generator)
        x = torch.full((network.chains, len(rows)), float(horizon))
        every = points.rows.expand(network.chains, *points.rows.shape)
        with torch.no_grad():
            ends = torch.stack([network(flat, every, x) for flat in samples]).double().numpy()  # (S, C, n)
        noise = np.exp(torch.stack(noises).double().numpy())  # (S, C)
        mean, std = _over(ends[:, : self.chains], noise[:, : self.chains])
        if len(held):
            other, wide = _over(ends[:, self.chains :], noise[:, self.chains :])
            std = std * scale(other[held], wide[held], values[held, horizon - 1])
        return np.clip(mean[complete:], -1.0, 1.5), std[complete:]

    def _sampled(
        self, network: CurveNetwork, points: Points, shares: torch.Tensor, generator: torch.Generator
    ) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Flat weights and the logarithms of the noise's variance, (C,), of each sample."""
        flat = network.values.requires_grad_()
        noise = torch.full((network.chains,), -5.0, requires_grad=True)
        adam = torch.optim.Adam([flat, noise], lr=0.01)
        for _ in range(self.warm):
            adam.zero_grad()
            self._loss(network, flat, noise, points, shares, generator).backward()  # type: ignore[no-untyped-call]
            adam.step()
        flat, noise = flat.detach(), noise.detach()
        rate = self.rate / len(points.y) ** 0.5
        samplers = [Sampler(each, rate, self.friction, generator) for each in (flat, noise)]
        kept: tuple[list[torch.Tensor], list[torch.Tensor]] = ([], [])
        for step in range(self.steps):
            leaves = [flat.clone().requires_grad_(), noise.clone().requires_grad_()]
            loss = self._loss(network, leaves[0], leaves[1], points, shares, generator)
            for sampler, slope in zip(samplers, torch.autograd.grad(loss, leaves), strict=True):
                sampler.step(slope, step < self.steps // 2)
            if step >= self.steps // 2 and step % self.every == self.every - 1:
                kept[0].append(flat.clone())
                kept[1].append(noise.clone())
        return kept

    def _loss(
        self,
        network: CurveNetwork,
        flat: torch.Tensor,
        noise: torch.Tensor,
        points: Points,
        shares: torch.Tensor,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """Minus the logarithm of the posterior of all chains, by a batch."""
        part = torch.randint(len(points.y), (network.chains, self.batch), generator=generator)
        curve = points.curve[part]
        share = shares.gather(1, curve)
        off = network(flat, points.rows[curve], points.x[part]) - points.y[part]
        each = 0.5 * (off**2 * torch.exp(-noise)[:, None] + noise[:, None]) * share
        prior = 0.5 * ((noise - NOISE_PRIOR[0]) / NOISE_PRIOR[1]) ** 2
        return each.sum() * (len(points.y) / self.batch) + prior.sum() + network.penalty(flat)


def _over(ends: Array, noise: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of a new value over samples and chains, from (S, C, n) and (S, C)."""
    return ends.mean((0, 1)), np.sqrt(ends.var((0, 1)) + noise.mean())


def _same(given: Scaled) -> float | None:
    """The bound that the curves asked about were scaled by."""
    return None if given.offset.any() else float(1.0 / given.slope[0])


def _summary(given: Scaled, length: int) -> Array:
    """Where beginnings start, stand and bend, (n, 6)."""
    values = given.values[:, :length]
    known = np.isfinite(values)
    middle = np.array([line[seen][seen.sum() // 2] for line, seen in zip(values, known, strict=True)])
    quarter = values[:, -max(1, length // 4) :]
    late = np.where(np.isfinite(quarter).any(1), np.nansum(quarter, 1), given.last)  # a gap may be there
    late /= np.maximum(np.isfinite(quarter).sum(1), 1)
    ends = [(each - given.offset) / given.slope for each in (given.first, given.last)]
    return np.stack([*ends, given.first, middle, late, given.last], axis=1)
