"""The operations of einspace by the names of its public code, and architectures written in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from nasturtium.errors import ParseError, did_you_mean
from nasturtium.layers import Add, Branch, Chunk, Clone, Concat, Conv1d, Identity, LeakyReLU, Permute, Sequential
from nasturtium.layers.fundamental import (
    DotProduct,
    Fold,
    LastLinear,
    LearnedOffset,
    ModeNorm,
    Routing,
    Softmax,
    Unfold,
)
from nasturtium.space.architecture import Architecture
from nasturtium.space.part import Layer, Part

WAYS = (2, 4, 8)
"""How many branches there can be."""

SPLITS: dict[str, Layer] = {f"clone{count}": Clone(count) for count in WAYS}
SPLITS |= {f"group_dim{count}s{axis}d": Chunk(count, axis - 1, equal=True) for count in WAYS for axis in (1, 2, 3)}
"""Branching: copies, or equal parts along an axis."""

PRODUCTS: dict[str, Layer] = {"dot_product": DotProduct(), "scaled_dot_product": DotProduct(True)}
CONCATS = {count: {f"cat_tensors{axis}d{count}t": Concat(axis - 1) for axis in (1, 2, 3)} for count in WAYS}
JOINS: dict[int, dict[str, Layer]] = {
    count: {**(PRODUCTS if count == 2 else {}), "add": Add(), **CONCATS[count]} for count in WAYS
}
"""Aggregation, by the number of branches."""

PERMUTATIONS: dict[str, Layer] = {"identity": Identity(), "permute21": Permute((1, 0))}
PERMUTATIONS |= {
    f"permute{order}": Permute(tuple([int(axis) - 1 for axis in order]))
    for order in ("132", "213", "231", "312", "321")
}
WINDOWS = ((1, 1, 0), (1, 2, 0), (3, 1, 1), (3, 2, 1), (4, 4, 0), (8, 8, 0), (16, 16, 0))
UNFOLDINGS: dict[str, Layer] = {f"im2col{k}k{s}s{p}p": Unfold(k, s, p) for k, s, p in WINDOWS}
FOLDINGS: dict[str, Layer] = {"col2im": Fold()}
"""Routing: what may stand before a module, and after it."""

LINEAR: dict[str, Layer] = {f"linear{2**power}": LastLinear(2**power) for power in range(4, 12)}
CONVOLUTIONS: dict[str, Layer] = {
    f"conv1d{kernel}k1s{(kernel - 1) // 2}p{out}d": Conv1d(out, kernel)
    for kernel in (8, 5, 3, 1)
    for out in (32, 64, 128, 256)
}
OTHERS: dict[str, Layer] = {
    "norm": ModeNorm(),
    "leakyrelu": LeakyReLU(),
    "softmax": Softmax(),
    "learnable_positional_encoding": LearnedOffset(),
}
COMPUTATIONS: dict[str, Layer] = {"identity": Identity(), **LINEAR, **CONVOLUTIONS, **OTHERS}
"""Computations; the convolutions for sequences only."""

ALIASES = {f"clone_tensor{count}": f"clone{count}" for count in WAYS} | {
    "add_tensors": "add",
    "pos-enc": "learnable_positional_encoding",
}
"""Other names that are read: those of the public code where ours are shorter, and the paper's."""

BEFORE = {**PERMUTATIONS, **UNFOLDINGS}
AFTER = {**PERMUTATIONS, **FOLDINGS}
NAMES: dict[Part, str] = {
    layer: name for table in (SPLITS, BEFORE, AFTER, COMPUTATIONS) for name, layer in table.items()
}

DEEPEST = 250
"""More brackets than this are not open at once in what is read."""

TOKEN = re.compile(r"[SBRC]\[|[\]{};]|[^\s\[\]{};]+|\[")


def write(architecture: Architecture) -> str:
    """A backbone as ``S[module module]``, ``B[split {module ; module} join]``, ``R[before module after]``, ``C[name]``.

    Branches of four and eight have one module, which stands for all.
    """
    return written(architecture.value.layers[0])


def written(part: Any) -> str:
    """One module, as :func:`write` says."""
    if isinstance(part, Sequential):
        return f"S[{' '.join([written(layer) for layer in part.layers])}]"
    if isinstance(part, Branch):
        join = part.join
        count = part.split.count
        name = next(name for name, layer in JOINS[count].items() if layer == join)
        return f"B[{NAMES[part.split]} {{{' ; '.join([written(path) for path in part.paths])}}} {name}]"
    if isinstance(part, Routing):
        return f"R[{NAMES[part.before]} {written(part.body)} {NAMES[part.after]}]"
    return f"C[{NAMES[part]}]"


def read(text: str, head: Sequence[Layer]) -> Part:
    """The network of a backbone in brackets, with its head.

    Raises:
        ParseError: If the text is none, with the place, what stands there and what could.
    """
    reader = _Reader(text)
    backbone = reader.module()
    reader.end()
    return Sequential(backbone, *head)


class _Reader:
    """Reads modules off a text, token by token."""

    def __init__(self, text: str) -> None:
        self.tokens: Iterator[re.Match[str]] = TOKEN.finditer(text)
        self.size = len(text)
        self.depth = 0
        self.token = ""
        self.place = 0
        self.advance()

    def advance(self) -> str:
        """Go on to the next token; gives the one that was passed."""
        passed, match = self.token, next(self.tokens, None)
        self.token, self.place = (match[0], match.start()) if match else ("", self.size)
        return passed

    def refuse(self, wanted: str) -> ParseError:
        """The error that says what should stand here."""
        found = repr(self.token[:40]) if self.token else "the end"
        return ParseError(f"expected {wanted} at place {self.place}, not {found}")

    def expect(self, token: str) -> None:
        """Pass this token."""
        if self.token != token:
            raise self.refuse(repr(token))
        self.advance()

    def end(self) -> None:
        """Nothing may follow."""
        if self.token:
            raise self.refuse("the end")

    def name(self, table: dict[str, Layer], what: str) -> Layer:
        """An operation by its name."""
        name = ALIASES.get(self.token, self.token)
        if name not in table:
            raise ParseError(f"{self.refuse(f'a {what}')}{did_you_mean(name, table)} (there are {', '.join(table)})")
        self.advance()
        return table[name]

    def module(self) -> Layer:
        """One module in its brackets."""
        kind = self.token
        readers = {"S[": self.row, "B[": self.branches, "R[": self.routing, "C[": self.computation}
        if kind not in readers:
            raise self.refuse("a module: S[, B[, R[ or C[")
        self.depth += 1
        if self.depth > DEEPEST:
            raise ParseError(f"more than {DEEPEST} brackets are open at place {self.place}: nested too deep to be read")
        self.advance()
        found = readers[kind]()
        self.expect("]")
        self.depth -= 1
        return found

    def row(self) -> Layer:
        """What stands in S[...]."""
        return Sequential(self.module(), self.module())

    def branches(self) -> Layer:
        """What stands in B[...]."""
        split: Any = self.name(SPLITS, "branching")
        self.expect("{")
        paths = [self.module()]
        while self.token == ";":
            self.advance()
            paths.append(self.module())
        if len(paths) != (2 if split.count == 2 else 1):
            wanted = "two modules, one for each branch" if split.count == 2 else "one module, which stands for all"
            raise self.refuse(f"{wanted}, in {NAMES[split]} {{...}} with {len(paths)}")
        self.expect("}")
        return Branch(split, *paths, join=self.name(JOINS[split.count], "aggregation"))

    def routing(self) -> Layer:
        """What stands in R[...]."""
        before = self.name(BEFORE, "routing")
        body = self.module()
        return Routing(before, body, self.name(AFTER, "routing"))

    def computation(self) -> Layer:
        """What stands in C[...]."""
        return self.name(COMPUTATIONS, "computation")
