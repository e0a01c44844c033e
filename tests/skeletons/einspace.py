"""A skeleton of einspace: a probabilistic grammar over shapes, with branching, routing and computation."""

from collections.abc import Mapping
from typing import Any, ClassVar

from nasturtium.errors import Mismatch
from nasturtium.layers import Add, Chunk, Clone, Concat, Identity, Permute
from nasturtium.space import Layer, Signal, Space, choice, image, rule, vector


class Pair(Layer):
    first: Any
    second: Any

    def wire(self, x):
        x = yield self.first, x
        return (yield self.second, x)


class Fork(Layer):
    """Split, transform each part (one path given: equal copies), join."""

    variadic: ClassVar = "paths"
    split: Any
    join: Any
    paths: tuple

    def __init__(self, split, join, *paths):
        self.__dict__.update(split=split, join=join, paths=paths)

    def copies(self, key: str, closed: Mapping[str, Any]) -> int:
        return closed["split"].count if len(self.paths) == 1 and key == "0" and "split" in closed else 1

    def wire(self, x):
        parts = yield self.split, x
        outs = []
        for index, part in enumerate(parts):
            outs.append((yield self.paths[index % len(self.paths)], part))
        return (yield self.join, *outs)


class Route(Layer):
    before: Any
    body: Any
    after: Any

    def wire(self, x):
        x = yield self.before, x
        x = yield self.body, x
        return (yield self.after, x)


class MatMul(Layer):
    scaled: bool = False

    def signal(self, a, b):
        if a.kind != b.kind or a.shape[:-2] != b.shape[:-2] or a.shape[-1] != b.shape[-2]:
            raise Mismatch("cannot multiply {} by {}", a, b)
        return a._replace(shape=(*a.shape[:-1], b.shape[-1]))


class Im2Col(Layer):
    kernel: int
    stride: int = 1
    padding: int = 0

    def signal(self, x):
        if x.kind != "image" or min(x.shape[1:]) < self.kernel:
            raise Mismatch("no windows of {} in {}", self.kernel, x)
        rows, columns = ((s + 2 * self.padding - self.kernel) // self.stride + 1 for s in x.shape[1:])
        return Signal("sequence", (rows * columns, x.shape[0] * self.kernel**2), grid=(rows, columns))


class Col2Im(Layer):
    def signal(self, x):
        if x.kind != "sequence" or x.grid is None or x.shape[0] % (x.grid[0] * x.grid[1]):
            raise Mismatch("{} does not fold back", x)
        rows, columns = x.grid
        return image(x.shape[1] * (x.shape[0] // (rows * columns)), rows, columns)


class Dense(Layer):
    out: int

    def signal(self, x):
        return x._replace(shape=(*x.shape[:-1], self.out))


class Compute(Layer):
    name: str

    def signal(self, x):
        return x


class Head(Layer):
    outputs: int

    def signal(self, x):
        return vector(self.outputs)


def einspace(size=(3, 64, 64), compute=0.32, **limits):
    permutes = [choice(*map(Permute, ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0), (1, 0))))]
    windows = [
        Im2Col(1),
        Im2Col(1, 2),
        Im2Col(3, 1, 1),
        Im2Col(3, 2, 1),
        Im2Col(4, 4),
        Im2Col(8, 8),
        Im2Col(16, 16),
    ]
    before = choice(Identity(), *permutes[0].options, *windows)
    after = choice(Identity(), *permutes[0].options, Col2Im())
    linear = [Dense(2**k) for k in range(4, 12)]
    C = choice(Identity(), *linear, *map(Compute, ("norm", "leakyrelu", "softmax", "positional")))
    splits = {b: choice(Clone(b), *(Chunk(b, axis, equal=True) for axis in range(3))) for b in (2, 4, 8)}
    joins = choice(Add(), *(Concat(axis) for axis in range(3)))
    joins2 = choice(MatMul(), MatMul(True), *joins.options)

    def modules(M, rest):
        branch = choice(Fork(splits[2], joins2, M, M), *(Fork(splits[b], joins, M) for b in (4, 8)))
        return (Pair(M, M), branch, Route(before, M, after), *rest)

    share = (1 - compute) / 3
    M = rule("M", lambda M: choice(*modules(M, (C,)), weights=(share, share, share, compute)))
    S = choice(*modules(M, ()))
    return Space(Pair(S, Head(10)), input=size, name="einspace", **limits)
