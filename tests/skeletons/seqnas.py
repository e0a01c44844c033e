"""A skeleton of SeqNAS (Udovichenko et al. 2024): operations on channel chunks, an encoder and a decoder."""

from typing import Any, ClassVar

from nasturtium.errors import Mismatch
from nasturtium.layers import (
    GRU,
    Activation,
    Add,
    Attention,
    Chunk,
    Concat,
    Container,
    Conv1d,
    Dropout,
    FeedForward,
    GlobalPool,
    Identity,
    LayerNorm,
    Linear,
    PositionalEncoding,
    Residual,
    Sequential,
    repeat,
)
from nasturtium.space import Layer, Space, choice, sequence, subset

HEADS = (1, 2, 4, 8)


class Chunked(Container):
    """Each operation sees its own chunk of the channels."""

    variadic: ClassVar = None
    operations: tuple[Any, ...]

    def wire(self, x):
        chunks = yield Chunk(len(self.operations)), x
        chunks = chunks if len(self.operations) > 1 else (chunks,) if hasattr(chunks, "signal") else chunks
        outs = []
        for operation, chunk in zip(self.operations, chunks, strict=True):
            outs.append((yield operation, chunk))
        return (yield Concat(), *outs)


class Queries(Layer):
    """Learned queries, as many as there are outputs, beside the sequence they read."""

    count: int

    def signal(self, x):
        return sequence(self.count, x.channels), x


class Cross(Layer):
    """Attention of queries over a memory."""

    heads: int

    def signal(self, queries, memory):
        if queries.channels != memory.channels:
            raise Mismatch("queries and memory differ in channels")
        return queries


class Decoder(Container):
    """Layers in which learned queries read themselves and the encoded sequence."""

    outputs: int
    layers: Any

    def wire(self, memory):
        queries, memory = yield Queries(self.outputs), memory
        return (yield self.layers, queries, memory)


class Stack(Container):
    """Decoder layers, each with decisions of its own."""

    layers: tuple[Any, ...]

    def wire(self, queries, memory):
        for layer in self.layers:
            queries = yield layer, queries, memory
        return queries


class DecoderLayer(Container):
    itself: Any
    memory: Any

    def wire(self, queries, memory):
        queries = yield Add(), queries, (yield self.itself, queries)
        read = yield self.memory, queries, memory
        return (yield Residual(FeedForward()), (yield Add(), queries, read))


def seqnas(length=96, channels=32, outputs=7):
    kernels = choice(1, 3, 5, lambda x: min(1 + x.length // 4 * 2, 11))
    stem = Sequential(Conv1d(kernel=kernels, groups="depthwise"), choice(Identity(), Dropout(0.3)))
    operations = subset(Attention(choice(*HEADS), width=channels), GRU(), Conv1d(kernel=3))
    block = Sequential(Residual(Sequential(LayerNorm(), Chunked(operations))), Residual(FeedForward()))
    decode = DecoderLayer(Attention(choice(*HEADS), width=channels), Cross(choice(*HEADS)))
    net = Sequential(
        stem,
        choice(Identity(), PositionalEncoding()),
        choice(Identity(), repeat(block, choice(1, 2, 4))),
        choice(Identity(), *(Decoder(outputs, Stack((decode,) * count)) for count in (1, 2))),
        Activation("mish"),
        choice(Identity(), Dropout(0.2)),
        GlobalPool(choice("mean", "max", "mixed")),
        Linear(outputs),
    )
    return Space(net, input=(length, channels), name="seqnas")
