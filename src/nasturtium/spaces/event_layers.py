"""Blocks of networks for event sequences: a stem for numbers and categories, encoder and decoder layers."""

from __future__ import annotations

from typing import Any, ClassVar

from nasturtium.errors import Mismatch
from nasturtium.layers import Add, Concat, Container, Dropout, Embedding, Identity, LayerNorm, Linear, Mish
from nasturtium.layers.events import LearnedQueries, Members, SplitChannels
from nasturtium.space.part import Wiring

LAYER_DROPOUT = 0.1


class EventStem(Container):
    """Features of each event side by side: embedded categories first, then channels made of the numbers.

    Args:
        embeddings: Channels of the embedding of each tokens signal, in their order.
        numeric: What makes channels of all numbers together; None if there are none.
        encoding: What may add an encoding of the times to the result.
        times: Name of the member of a group that holds the times.
    """

    embeddings: tuple[int, ...] = ()
    numeric: Any = None
    encoding: Any = Identity()
    times: str = "times"

    def wire(self, x: Any) -> Wiring:
        wires, when = [x], []
        if x.signal.kind == "group":
            members = yield Members(), x
            found = members if type(members) is tuple else (members,)
            named = list(zip([name for name, _ in x.signal.members], found, strict=True))
            wires = [wire for name, wire in named if name != self.times]
            when = [wire for name, wire in named if name == self.times]
        features = []
        tokens = [wire for wire in wires if wire.signal.kind == "tokens"]
        if len(tokens) != len(self.embeddings):
            raise Mismatch(f"EventStem has {len(self.embeddings)} embeddings for {len(tokens)} tokens signals")
        for wire, channels in zip(tokens, self.embeddings, strict=True):
            features.append((yield Embedding(channels), wire))
        numbers = [wire for wire in wires if wire.signal.kind != "tokens"]
        if numbers and self.numeric is not None:
            joined = numbers[0] if len(numbers) == 1 else (yield Concat(), *numbers)
            features.append((yield self.numeric, joined))
        y = features[0] if len(features) == 1 else (yield Concat(), *features)
        return (yield self.encoding, y, *when)


class NormedFeedForward(Container):
    """Two linear maps of each step with Mish between them, a layer normalisation before each, dropout after each.

    Args:
        width: Channels between them.
        dropout: Share of values dropped.
    """

    width: int
    dropout: float = LAYER_DROPOUT

    def wire(self, x: Any) -> Wiring:
        y = yield LayerNorm(), x
        y = yield Linear(self.width), y
        y = yield Dropout(self.dropout), y
        y = yield Mish(), y
        y = yield LayerNorm(), y
        y = yield Linear(x.signal.channels), y
        return (yield Dropout(self.dropout), y)


class EventEncoderLayer(Container):
    """Operations side by side, each on its part of the channels, then a feed-forward part; both residual.

    Args:
        operations: Layers over sequences.
        width: Channels inside the feed-forward part.
        dropout: Share of values dropped.
    """

    operations: Any
    width: int
    dropout: float = LAYER_DROPOUT

    def wire(self, x: Any) -> Wiring:
        y = yield LayerNorm(), x
        if len(self.operations) == 1:
            y = yield self.operations[0], y
        else:
            parts = yield SplitChannels(len(self.operations)), y
            made = []
            for operation, part in zip(self.operations, parts, strict=True):
                made.append((yield operation, part))
            y = yield Concat(), *made
        y = yield Dropout(self.dropout), y
        x = yield Add(), y, x
        y = yield LayerNorm(), x
        y = yield NormedFeedForward(self.width, self.dropout), y
        return (yield Add(), y, x)


class EventDecoderLayer(Container):
    """Queries attend to themselves, then to a memory, then comes a feed-forward part; all residual, norm before.

    Args:
        own: Attention of the queries to themselves.
        memory: Attention of the queries to the memory.
        width: Channels inside the feed-forward part.
        dropout: Share of values dropped.
    """

    own: Any
    memory: Any
    width: int
    dropout: float = LAYER_DROPOUT

    def wire(self, queries: Any, memory: Any) -> Wiring:
        y = yield LayerNorm(), queries
        y = yield self.own, y
        y = yield Dropout(self.dropout), y
        queries = yield Add(), y, queries
        y = yield LayerNorm(), queries
        read_from = yield LayerNorm(), memory
        y = yield self.memory, y, read_from
        y = yield Dropout(self.dropout), y
        queries = yield Add(), y, queries
        y = yield LayerNorm(), queries
        y = yield NormedFeedForward(self.width, self.dropout), y
        return (yield Add(), y, queries)


class EventDecoder(Container):
    """Learned queries that read a sequence, layer after layer; they leave in its place.

    Args:
        queries: Number of queries.
        layers: The layers.
    """

    variadic: ClassVar[str | None] = "layers"

    queries: int
    layers: tuple[Any, ...]

    def __init__(self, queries: int, *layers: Any) -> None:
        object.__setattr__(self, "queries", queries)
        object.__setattr__(self, "layers", layers)

    def wire(self, memory: Any) -> Wiring:
        queries = yield LearnedQueries(self.queries), memory
        for layer in self.layers:
            queries = yield layer, queries, memory
        return queries
