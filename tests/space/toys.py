"""Small layers without torch, whose signals agree or not, and random small spaces made of them."""

from typing import Any, ClassVar

import numpy as np

from nasturtium.errors import Mismatch
from nasturtium.layers import Sequential, repeat
from nasturtium.space import Layer, Part, Space, choice, vector
from nasturtium.space.sizes import at_most


class Times(Layer):
    """Multiplies the channels."""

    factor: Any

    def signal(self, x):
        return vector(x.channels * self.factor)


class Same(Layer):
    """Leaves the signal as it is; ``label`` tells copies apart."""

    label: Any = 0

    def signal(self, x):
        return x


class Fits(Layer):
    """Works on channels that ``size`` divides."""

    size: Any

    def signal(self, x):
        if x.channels % self.size:
            raise Mismatch("{} does not divide {}", self.size, x.channels)
        return x


class At(Layer):
    """Works on channels of at most ``most``; two values that have to suit each other."""

    least: Any
    most: Any

    def signal(self, x):
        if not self.least <= x.channels <= self.most:
            raise Mismatch("{} is out of range", x.channels)
        return x


class Plus(Layer):
    """Joins equal signals, in any order."""

    commutative: ClassVar[bool] = True

    def signal(self, *inputs):
        if len({x.channels for x in inputs}) != 1:
            raise Mismatch("sizes differ")
        return inputs[0]


class Minus(Plus):
    """Joins equal signals, in order."""

    commutative: ClassVar[bool] = False


class Two(Layer):
    """Two paths beside each other, joined."""

    left: Any
    right: Any
    join: Any = Plus()

    def wire(self, x):
        left = yield self.left, x
        right = yield self.right, x
        return (yield self.join, left, right)


class Twice(Layer):
    """Its body twice in a row: one decision, checked on both signals; a tail that is not always reached."""

    body: Any

    def wire(self, x):
        x = yield self.body, x
        return (yield self.body, x)


class Maybe(Layer):
    """Visits its body only where the channels are even; the body's decisions are taken all the same."""

    body: Any

    def wire(self, x):
        return (yield self.body, x) if x.signal.channels % 2 == 0 else x
        yield


class Held(Part):
    """A part that is no layer, with a layer inside."""

    number: Any
    layer: Any


class Holder(Layer):
    """A container that finds its layer inside a part."""

    held: Any

    def wire(self, x):
        return (yield self.held.layer, x)


def random_layer(rng, depth):
    """A random open layer with few derivations."""
    kinds = ["leaf"] * 3 + (["choice", "row", "two", "twice", "repeat", "maybe", "holder"] if depth else [])
    kind = kinds[rng.integers(len(kinds))]

    def inner():
        return random_layer(rng, depth - 1)

    if kind == "leaf":
        leaves = (
            lambda: Times(choice(1, 2)),
            lambda: Times(choice(1, 2, 3)),
            lambda: Times(2),
            lambda: Fits(choice(1, 2, 3)),
            lambda: Fits(2),
            lambda: At(choice(1, 2), choice(3, 8)),
            lambda: Same(choice(0, choice(1, 2), (choice(3, 4), 5))),
            lambda: Times(choice(1, lambda x: x.channels)),
        )
        return leaves[rng.integers(len(leaves))]()
    if kind == "choice":
        return choice(*(inner() for _ in range(rng.integers(1, 4))))
    if kind == "row":
        return Sequential(*(inner() for _ in range(rng.integers(1, 4))))
    if kind == "two":
        return Two(inner(), inner(), choice(Plus(), Minus()) if rng.random() < 0.3 else Plus())
    if kind == "repeat":
        return repeat(inner(), choice(1, 2) if rng.random() < 0.5 else 2, shared=bool(rng.random() < 0.5))
    if kind == "holder":
        return Holder(choice(Held(choice(1, 2), inner()), Held(3, inner())))
    return (Twice if kind == "twice" else Maybe)(inner())


def random_spaces(count=60):
    """Random small spaces with all architectures of each, and the generator that made it."""
    for seed in range(count):
        rng = np.random.default_rng(seed)
        root = Sequential(random_layer(rng, 3), random_layer(rng, 1))
        if root.is_open and at_most(root) <= 300:
            space = Space(root, input=int(rng.integers(1, 4)))
            every = list(space.enumerate())
            if every:
                yield space, every, rng
