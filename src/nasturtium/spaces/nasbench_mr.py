"""The space ``nasbench_mr``: parallel branches at several resolutions, coded by 27 numbers (Ding et al. 2022)."""

from __future__ import annotations

import functools
import math
import re
from typing import Any, ClassVar

from nasturtium.errors import ParseError, SpaceError
from nasturtium.layers import Add, Concat, Container, ConvBlock, GlobalPool, Linear, ReLU, Residual, Sequential
from nasturtium.layers.norm import BatchNorm
from nasturtium.layers.resize import Resize
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import integers
from nasturtium.space.graph import nodes_of
from nasturtium.space.notations import Notation
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.signal import Signal
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import counts, one_input, positive, smaller_side

BRANCHES = (1, 2, 3, 4)
"""Branches of each stage."""

MOST = 4
"""Modules of a stage, and units of a branch, go from 1 to this."""

LEVELS = 16
"""Channel counts go from one step to this many."""

STEM_SIDE = 16
"""The two convolutions of the stem have stride 2 for as long as the side they get is larger than this."""

STEPS = {48: 8, 24: 4, 0: 2}
"""The step of the channel counts by the smallest side of an image for which it stands; 8 is the published one."""


class Fusion(Container):
    """Goes from some branches to as many or one more: each new one sums what its neighbours say, at its resolution.

    A neighbour of higher resolution comes through a 3x3 convolution with stride 2, the branch itself through a
    3x3 one, a neighbour of lower resolution through a 1x1 one and is then enlarged; each with batch normalisation
    and ReLU. A branch that is new is a 3x3 convolution with stride 2 of the fused one before it.

    Args:
        channels: Channels of each branch that leaves, the highest resolution first.
    """

    channels: tuple[Any, ...]

    def wire(self, *branches: Any) -> Wiring:
        fused: list[Any] = []
        for here, channels in enumerate(self.channels):
            if here >= len(branches):
                fused.append((yield ConvBlock(channels, stride=2), fused[-1]))
                continue
            terms = []
            for there in range(max(here - 1, 0), min(here + 2, len(branches))):
                kernel, stride = (1, 1) if there > here else (3, 2 if there < here else 1)
                y = yield ConvBlock(channels, kernel, stride), branches[there]
                if there > here:
                    y = yield Resize(*branches[here].signal.shape[1:]), y
                terms.append(y)
            fused.append(terms[0] if len(terms) == 1 else (yield Add(), *terms))
        return tuple(fused)


UNIT: Layer = Sequential(Residual(Sequential(ConvBlock(), ConvBlock(activation="identity"))), ReLU())
"""The basic block of He et al. (2016), made once: a network has hundreds of it."""


class ResolutionStage(Container):
    """Modules of a multi-resolution network: each a fusion, then residual units on every branch.

    Args:
        modules: How many; they are alike.
        units: Residual units of each branch, the highest resolution first.
        channels: Channels of each branch.
    """

    modules: int
    units: tuple[Any, ...]
    channels: tuple[Any, ...]

    def wire(self, *branches: Any) -> Wiring:
        if len(self.units) != len(self.channels):
            raise SpaceError(f"ResolutionStage has {len(self.units)} unit counts for {len(self.channels)} branches")
        for _ in range(self.modules):
            fused = yield Fusion(self.channels), *branches
            left = []
            for branch, units in zip(fused if type(fused) is tuple else (fused,), self.units, strict=True):
                for _ in range(units):
                    branch = yield UNIT, branch
                left.append(branch)
            branches = tuple(left)
        return branches if len(branches) > 1 else branches[0]


class MultiResolution(Container):
    """A network of NAS-Bench-MR.

    Args:
        stem: Channels of the two 3x3 convolutions.
        stages: For each stage (modules, units of each branch, channels of each branch).
        channels: Channels of the 1x1 convolution that joins all branches at the lowest resolution.
        outputs: Numbers that leave.
        strides: Strides of the two convolutions.
    """

    steady: ClassVar[bool] = True  # all numbers go together, and the last linear layer gives one signal

    stem: tuple[Any, ...]
    stages: tuple[tuple[Any, ...], ...]
    channels: int
    outputs: int
    strides: tuple[int, ...] = (2, 2)

    def wire(self, x: Any) -> Wiring:
        for channels, stride in zip(self.stem, self.strides, strict=True):
            x = yield ConvBlock(channels, stride=stride), x
        branches: Any = (x,)
        for modules, units, channels in self.stages:
            branches = yield ResolutionStage(modules, units, channels), *branches
            branches = branches if type(branches) is tuple else (branches,)
        height, width = branches[-1].signal.shape[1:]
        small = []
        for branch in branches[:-1]:
            small.append((yield Resize(height, width, "bilinear"), branch))
        x = yield Concat(), *small, branches[-1]
        x = yield ConvBlock(self.channels, kernel=1), x
        x = yield GlobalPool(), x
        return (yield Linear(self.outputs), x)


def nasbench_mr(input: Any = (3, 128, 128), outputs: int = 50, *, step: int | None = None) -> Space:
    """The multi-resolution networks of NAS-Bench-MR (Ding et al. 2022, arXiv:2103.13253), for classification.

    Two 3x3 convolutions, then stages of one, two, three and four parallel branches, each branch at half the
    resolution of the one before (the networks of HRNet, Wang et al. 2020, fused among neighbours only), and a head
    that joins all branches. 27 numbers are open: the channels of the two convolutions; in each stage the number of
    modules (1 to 4), then for each branch the units (1 to 4) and the channels (8, 16, ..., 128); and the channels
    of the head: 4^14 16^13 = 2^80 networks. The notation is the code of the published table,
    ``[16, 16, 1, 1, 16, ...]``; the form with dashes of the authors' list of codes is read too.

    Parameters equal the published ones (of networks with 50 outputs, whatever the setting), and the published
    FLOPs, on 128x128 images, are :func:`published_flops`. What differs from the authors' code: branches with an odd
    side are enlarged in one step rather than two; a second ReLU behind a sum of ReLUs is left out, as it does
    nothing. The convolutions of the stem have stride 2 only while the side is larger than 16, and images smaller
    than those of the paper get narrower networks, in which few modules are likelier: what is deep learns slowly, as
    nothing leads around a fusion.

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Classes.
        step: Step of the channel counts; 8 as published from a side of 48 on, 4 from 24 on, else 2 if not given.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> space = nasbench_mr()
    >>> space.size == 2**80
    True
    >>> space.member("smallest of the table").count()["params"]
    82658
    """
    signal = one_input("nasbench_mr", input, "image")
    side = smaller_side(signal)
    step = next(steps for least, steps in STEPS.items() if side >= least) if step is None else step
    positive("nasbench_mr", outputs=outputs, step=step)
    first = 1 + (side > STEM_SIDE)
    second = 1 + (-(-side // first) > STEM_SIDE)
    stem, stages = (_channels(step), _channels(step)), tuple(_stage(branches, step) for branches in BRANCHES)
    root = MultiResolution(stem, stages, _channels(step), outputs, strides=(first, second))
    notation = Notation(functools.partial(write, step=step), functools.partial(read, step=step))
    members = MEMBERS if step == STEPS[48] else {}
    return Space(root, input=signal, name="nasbench_mr", notation=notation, members=members)


def _channels(step: int) -> Any:
    return integers(step, LEVELS * step, step=step)


def _stage(branches: int, step: int) -> tuple[Any, ...]:
    modules = integers(1, MOST) if step >= STEPS[48] else counts(MOST)
    units = tuple(integers(1, MOST) for _ in range(branches))
    return modules, units, tuple(_channels(step) for _ in range(branches))


MEMBERS = {
    "smallest of the table": str([16, 16, *[n for b in BRANCHES for n in (1, *[1] * b, *[16] * b)], 16]),
    "largest": str([128, 128, *[n for b in BRANCHES for n in (4, *[4] * b, *[128] * b)], 128]),
    "NCP cls": "[88, 128, 1, 1, 128, 1, 1, 4, 120, 32, 2, 1, 2, 4, 128, 128, 128, 1, 1, 1, 1, 1, 32, 128, 8, 8, 128]",
    "NCP seg": "[40, 40, 1, 4, 8, 1, 1, 2, 104, 64, 1, 3, 1, 1, 56, 32, 88, 3, 1, 1, 3, 3, 8, 64, 128, 128, 16]",
    "NCP video": "[8, 8, 1, 1, 88, 1, 1, 1, 8, 8, 1, 1, 1, 1, 64, 128, 128, 1, 1, 1, 1, 4, 80, 128, 128, 48, 128]",
    "NCP 3ddet": "[120, 48, 1, 1, 24, 1, 3, 4, 80, 128, 1, 1, 3, 1, 96, 8, 128, 1, 1, 1, 2, 1, 40, 80, 40, 96, 112]",
}
"""Two corners, and the codes that the authors' code lists as found for each task."""


COUNTS = (2, 3, 5, 6, 7, 10, 11, 12, 13, 17, 18, 19, 20, 21)
"""Places of the numbers of modules and units in a code; all others are channels."""

PLACES = 27
"""Numbers of a code."""

TOLD = (3, 7, 13, 21)
"""Places of the numbers of branches in the form with dashes, which has them too."""


def _steps(step: int) -> tuple[int, ...]:
    return tuple([1 if place in COUNTS else step for place in range(PLACES)])


def write(architecture: Architecture, step: int = 8) -> str:
    """The code of an architecture as the published table writes it."""
    return str([(index + 1) * size for index, size in zip(architecture.decisions, _steps(step), strict=True)])


def read(text: str, step: int = 8) -> tuple[int, ...]:
    """The decisions of a code: 27 numbers, or the 31 with dashes that also tell the branches of each stage.

    Raises:
        ParseError: If it is none of these, or a number is not among the options of its place.
    """
    numbers = [int(number) for number in re.findall(r"\d{1,9}", text)]
    if len(numbers) == PLACES + len(TOLD) and tuple(numbers[place] for place in TOLD) == BRANCHES:
        numbers = [number for place, number in enumerate(numbers) if place not in TOLD]
    if len(numbers) != PLACES or re.search(r"[^\d\s,_\[\]-]", text):
        raise ParseError(f"{text!r} is no code of NAS-Bench-MR, which has 27 numbers: {MEMBERS['NCP seg']!r}")
    for place, (number, size) in enumerate(zip(numbers, _steps(step), strict=True)):
        most = size * (MOST if place in COUNTS else LEVELS)
        if number % size or not size <= number <= most:
            raise ParseError(f"number {place} of {text!r} is {number}; there it goes from {size} to {most} by {size}")
    return tuple([number // size - 1 for number, size in zip(numbers, _steps(step), strict=True)])


def published_flops(architecture: Architecture) -> int:
    """What the published table calls FLOPs (it gives billions): multiply-accumulates, two for each value that is
    normalised, and one for each output."""
    value, inputs, leaving = architecture.value, architecture.input, architecture.output
    if not isinstance(value, Layer) or inputs is None or not isinstance(leaving, Signal):
        raise SpaceError(f"{architecture} is no network of NAS-Bench-MR")
    normed = [node.signals[0] for node in nodes_of(value, inputs) if isinstance(node.layer, BatchNorm)]
    values = sum(math.prod(size or 0 for size in signal.shape) for signal in normed)
    return architecture.count()["flops"] // 2 + 2 * values + leaving.channels
