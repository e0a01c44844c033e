"""Networks of many kinds of wiring, and what spaces sample, for trees and drawings."""

from typing import Any

import numpy as np

from nasturtium import spaces
from nasturtium.layers import (
    Activation,
    Add,
    BatchNorm,
    Branch,
    Chunk,
    Clone,
    Concat,
    Container,
    Conv2d,
    ConvBlock,
    GlobalPool,
    Identity,
    Linear,
    MaxPool,
    ReLU,
    Repeat,
    Residual,
    Sequential,
)
from nasturtium.space import Architecture, image, vector
from nasturtium.spaces.einspace import einspace


class CellOfSix(Container):
    """Four nodes, each the sum of one operation for each node before it, as in NAS-Bench-201."""

    edges: tuple[Any, ...]

    def wire(self, x):
        nodes, edges = [x], iter(self.edges)
        for _ in range(3):
            sums = []
            for source in nodes:
                sums.append((yield next(edges), source))
            nodes.append((yield Add(), *sums))
        return nodes[-1]


class ThreeStages(Container):
    """One cell visited ``times`` times in each of three stages."""

    cell: Any
    times: int = 5

    def wire(self, x):
        x = yield ConvBlock(8), x
        for stage in range(3):
            if stage:
                x = yield Residual(Conv2d(8 << stage, stride=2)), x
            for _ in range(self.times):
                x = yield self.cell, x
        return x


class TwoBack(Container):
    """Cells that read the two before, as in DARTS."""

    cell: Any
    cells: int

    def wire(self, x):
        before = last = yield Conv2d(8), x
        for _ in range(self.cells):
            one = yield ConvBlock(8, kernel=1), before
            other = yield ConvBlock(8, kernel=1), last
            before, last = last, (yield self.cell, one, other)
        return last


class Pairing(Container):
    """Reads two wires."""

    first: Any
    second: Any

    def wire(self, a, b):
        a = yield self.first, a
        b = yield self.second, b
        both = yield Concat(), a, b
        return (yield Conv2d(8, kernel=1), both)


class Critic(Container):
    """Judges what is made of noise beside what is real."""

    maker: Any
    judge: Any

    def wire(self, noise, real):
        made = yield self.maker, noise
        return (yield self.judge, made), (yield self.judge, real)


def conv(kernel):
    return Sequential(ReLU(), Conv2d(kernel=kernel), BatchNorm())


def stages():
    cell = CellOfSix((conv(3), conv(1), Identity(), conv(3), MaxPool(3, stride=1), conv(1)))
    return Architecture(Sequential(ThreeStages(cell), GlobalPool(), Linear(10)), input=(3, 32, 32))


def two_back(cells=12):
    return Architecture(TwoBack(Pairing(conv(3), Identity()), cells), input=(3, 16, 16))


def chain():
    return Architecture(Sequential(Conv2d(8), ReLU(), GlobalPool(), Linear(3)), input=(3, 8, 8))


def leaf():
    return Architecture(Linear(3), input=(8,))


def repeats():
    block = Sequential(Conv2d(8), Repeat(3, BatchNorm()), Activation("silu"))
    return Architecture(Sequential(Conv2d(8), Repeat(20, block)), input=(3, 8, 8))


def branches():
    paths = Branch(Clone(3), Conv2d(4), Sequential(Conv2d(4), ReLU()), Identity(), join=Concat())
    cut = Branch(Chunk(4, axis=1), Residual(Conv2d(11)), join=Concat(1))
    return Architecture(Sequential(Conv2d(4), paths, cut), input=(3, 8, 8))


def residuals():
    inner = Residual(Sequential(Conv2d(8, stride=2), BatchNorm(), ReLU(), Conv2d(8)))
    return Architecture(Sequential(inner, Residual(Residual(Conv2d(8)))), input=(3, 9, 9))


def several_inputs():
    judge = Sequential(Linear(4), ReLU(), Linear(1))
    return Architecture(Critic(Sequential(Linear(16), Linear(8)), judge), input=(vector(4), vector(8)))


def group_of_images():
    return Architecture(Pairing(Conv2d(4), Conv2d(5)), input=(image(3, 8, 8), image(1, 8, 8)))


def no_parameters():
    return Architecture(Sequential(ReLU(), GlobalPool()), input=(3, 8, 8))


def awkward_text():
    return Architecture(Sequential(AwkwardText("<&\"'> " + "very long " * 30), Linear(2)), input=(4,))


class AwkwardText(Identity):
    """An identity with a text."""

    said: str


MADE = (
    stages, two_back, chain, leaf, repeats, branches, residuals, several_inputs, group_of_images, no_parameters,
    awkward_text,
)  # fmt: skip


def sampled():
    """A sample of every space whose architectures are networks, by name; of some, more."""
    found = {}
    for name, published in spaces.SPACES.items():
        space = published(published.input)
        if space.input is None:
            continue
        for seed in range(3 if name in ("convnet", "multibranch", "sequencenet", "mlp") else 1):
            found[f"{name}-{seed}"] = space.sample(np.random.default_rng(seed))
    return found


def deep():
    """Samples of a grammar, some with thousands of layers."""
    space, rng = einspace(), np.random.default_rng(0)
    return [space.sample(rng) for _ in range(30)]


EVERY = {make.__name__: make() for make in MADE} | sampled()
