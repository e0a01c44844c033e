"""How SeqNAS writes its architectures for a predictor: the code of 122 or 117 bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from nasturtium.errors import ParseError
from nasturtium.space.architecture import Architecture

HEADS = (1, 2, 4, 8)
DEPTHS = ((1, 2, 4), (1, 2))
POOLS = ("mean", "max", "mixed")

WITH_ATTENTION = (0, 3, 4, 6)
"""Which of the seven subsets of (attention, GRU, convolution), in their published order, hold attention."""

LONGEST_KERNEL = 11


class Chosen(NamedTuple):
    """What the code says.

    Attributes:
        kernel: Number of the stem's kernel, or None without numeric features.
        dropout: Whether the stem drops values, or None.
        time: Whether times are encoded.
        encoder: For each layer the number of its subset of operations and of its heads (None without attention).
        decoder: For each layer the numbers of its own heads and of those that read the sequence.
        steps: Whether whole steps are dropped.
        pool: Number of the pooling.
    """

    kernel: int | None
    dropout: int | None
    time: int
    encoder: tuple[tuple[int, int | None], ...]
    decoder: tuple[tuple[int, int], ...]
    steps: int
    pool: int


SEARCHED = {
    "ABank": Chosen(0, 1, 1, ((2, None), (4, 1)), (), 0, 2),
    "AGE": Chosen(1, 1, 0, ((5, None), (1, None), (4, 3), (1, None)), ((2, 3),), 0, 2),
    "RBchurn": Chosen(3, 0, 0, (), ((2, 3), (3, 0)), 1, 1),
    "TaoBao": Chosen(None, None, 0, (), ((3, 0), (2, 3)), 0, 2),
}
"""The best of the released benchmark on each data set, by the validation score of one training (AUC .7982, accuracy
.6470, AUC .8614 and .7148); RBchurn's comes from the random search, the others from the runs of SeqNAS."""


def stem_kernels(length: int | None) -> tuple[int, ...]:
    """The four kernels of the stem for sequences of a length."""
    longest = LONGEST_KERNEL if length is None else min(1 + length // 4 * 2, LONGEST_KERNEL)
    return 1, 3, 5, longest


def write(architecture: Architecture, kernels: tuple[int, ...]) -> str:
    """The code of an architecture, whose stem chose among ``kernels`` (none without numeric features)."""
    return to_bits(chosen(architecture.decisions, kernels))


def chosen(decisions: Sequence[int], kernels: tuple[int, ...]) -> Chosen:
    """What the decisions of an architecture mean."""
    taken = iter(decisions)
    kernel = dropout = None
    if kernels:
        kernel, dropout = kernels.index(tuple(dict.fromkeys(kernels))[next(taken)]), next(taken)
    time, encoder, decoder = next(taken), [], []
    if next(taken):
        for _ in range(DEPTHS[0][next(taken)]):
            subset = next(taken)
            encoder.append((subset, next(taken) if subset in WITH_ATTENTION else None))
    if next(taken):
        for _ in range(DEPTHS[1][next(taken)]):
            own = next(taken)
            decoder.append((own, next(taken)))
    return Chosen(kernel, dropout, time, tuple(encoder), tuple(decoder), next(taken), next(taken))


def decided(found: Chosen, kernels: tuple[int, ...]) -> tuple[int, ...]:
    """The decisions that lead to what was chosen."""
    taken: list[int] = []
    if found.kernel is not None and found.dropout is not None:
        taken += [tuple(dict.fromkeys(kernels)).index(kernels[found.kernel]), found.dropout]
    taken.append(found.time)
    for layers, depths in zip((found.encoder, found.decoder), DEPTHS, strict=True):
        taken += [1, depths.index(len(layers))] if layers else [0]
        taken += [number for layer in layers for number in layer if number is not None]
    return (*taken, found.steps, found.pool)


def to_bits(found: Chosen) -> str:
    """The code: stem 4 + 1, time 1, encoder 4 + 4 x 7 + 4 x 8, decoder 2 + 2 x 7 + 2 x 8 + 2 x 8, head 1 + 3."""
    encoder, decoder = found.encoder, found.decoder
    parts = [] if found.kernel is None else [one_hot(found.kernel, 4), str(found.dropout)]
    parts += [str(found.time), leading(len(encoder), 4)]
    parts += [one_hot(subset, 7) for subset, _ in encoder] + ["0" * 7] * (4 - len(encoder))
    parts += [thermometer(heads) for _, heads in encoder] + ["0" * 8] * (4 - len(encoder))
    parts.append(leading(len(decoder), 2))
    parts += [one_hot(0, 7)] * len(decoder) + ["0" * 7] * (2 - len(decoder))
    for which in (0, 1):
        parts += [thermometer(layer[which]) for layer in decoder] + ["0" * 8] * (2 - len(decoder))
    return "".join([*parts, str(found.steps), one_hot(found.pool, 3)])


def of_bits(text: str) -> Chosen:
    """What a code says.

    Raises:
        ParseError: If it is none.
    """
    if len(text) not in (117, 122) or set(text) - set("01"):
        raise ParseError(f"{text[:40]!r}... is no code of SeqNAS: 122 bits 0 or 1 (117 without numeric features)")
    bits = _Bits(text)
    kernel = dropout = None
    if len(text) == 122:
        kernel, dropout = bits.one_hot(4, "kernel of the stem"), bits.flag()
    time = bits.flag()
    count = bits.first(4, (0, *DEPTHS[0]), "layers of the encoder")
    subsets = [bits.one_hot(7, f"operations of encoder layer {i}") for i in range(count)]
    bits.empty(7 * (4 - count), "operations of encoder layers that are off")
    heads = [
        bits.heads(f"heads of encoder layer {i}") if subset in WITH_ATTENTION else bits.empty(8, f"heads of layer {i}")
        for i, subset in enumerate(subsets)
    ]
    bits.empty(8 * (4 - count), "heads of encoder layers that are off")
    depth = bits.first(2, (0, *DEPTHS[1]), "layers of the decoder")
    for place in range(2):
        if bits.take(7) != (one_hot(0, 7) if place < depth else "0" * 7):
            raise ParseError(f"decoder layer {place} of the code has operations; it is attention where the layer is on")
    read_heads = []
    for kind in ("own", "reading"):
        read_heads.append([bits.heads(f"{kind} heads of decoder layer {i}") for i in range(depth)])
        bits.empty(8 * (2 - depth), f"{kind} heads of decoder layers that are off")
    encoder, decoder = zip(subsets, heads, strict=True), zip(*read_heads, strict=True)
    return Chosen(kernel, dropout, time, tuple(encoder), tuple(decoder), bits.flag(), bits.one_hot(3, "pooling"))


class _Bits:
    """A code that is read from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0

    def take(self, count: int) -> str:
        self.place += count
        return self.text[self.place - count : self.place]

    def flag(self) -> int:
        return int(self.take(1))

    def one_hot(self, size: int, what: str) -> int:
        bits = self.take(size)
        if bits.count("1") != 1:
            raise ParseError(f"bits {self.place - size} to {self.place - 1}, {what}: {bits} needs exactly one 1")
        return bits.index("1")

    def first(self, size: int, counts: tuple[int, ...], what: str) -> int:
        bits = self.take(size)
        if bits not in [leading(count, size) for count in counts]:
            allowed = ", ".join(leading(count, size) for count in counts)
            raise ParseError(f"bits {self.place - size} to {self.place - 1}, {what}: {bits} is none of {allowed}")
        return bits.count("1")

    def heads(self, what: str) -> int:
        return HEADS.index(self.first(8, HEADS, what))

    def empty(self, size: int, what: str) -> int | None:
        if "1" in self.take(size):
            raise ParseError(f"bits {self.place - size} to {self.place - 1}, {what}, must be 0")
        return None


def one_hot(index: int, size: int) -> str:
    return "0" * index + "1" + "0" * (size - index - 1)


def leading(count: int, size: int) -> str:
    return "1" * count + "0" * (size - count)


def thermometer(number: int | None) -> str:
    return "0" * 8 if number is None else leading(HEADS[number], 8)
