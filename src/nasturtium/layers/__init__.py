"""Descriptions of the building blocks, one file a family; torch is imported only when one is built.

Costs are for one example. Where the length of a sequence depends on the data it counts as one step: for the
cost of a longer one, ask on a signal that has a length.
"""

from nasturtium.layers.activation import (
    ELU,
    GELU,
    Activation,
    Dropout,
    HardSigmoid,
    HardSwish,
    LeakyReLU,
    Mish,
    ReLU,
    Sigmoid,
    SiLU,
    Tanh,
)
from nasturtium.layers.attention import Attention
from nasturtium.layers.cell import Cell, Edge, Node
from nasturtium.layers.container import Container, build
from nasturtium.layers.convolution import Conv1d, Conv2d, ConvBlock, SeparableConv1d, SeparableConv2d
from nasturtium.layers.embedding import Embedding, PositionalEncoding, TimeEncoding
from nasturtium.layers.join import Add, Branch, Chunk, Clone, Concat, Mean, Multiply
from nasturtium.layers.linear import FeedForward, Linear
from nasturtium.layers.norm import BatchNorm, GroupNorm, LayerNorm
from nasturtium.layers.pool import AvgPool, GlobalPool, MaxPool
from nasturtium.layers.recurrent import GRU, LSTM
from nasturtium.layers.repeat import Repeat, repeat
from nasturtium.layers.sequential import Residual, Sequential
from nasturtium.layers.shape import Flatten, Identity, Permute, Reshape, Unflatten, Zero
from nasturtium.space.part import Layer

LAYERS: dict[str, type[Layer]] = {
    "Activation": Activation,
    "Add": Add,
    "Attention": Attention,
    "AvgPool": AvgPool,
    "BatchNorm": BatchNorm,
    "Branch": Branch,
    "Cell": Cell,
    "Chunk": Chunk,
    "Clone": Clone,
    "Concat": Concat,
    "Conv1d": Conv1d,
    "Conv2d": Conv2d,
    "ConvBlock": ConvBlock,
    "Dropout": Dropout,
    "ELU": ELU,
    "Embedding": Embedding,
    "FeedForward": FeedForward,
    "Flatten": Flatten,
    "GELU": GELU,
    "GRU": GRU,
    "GlobalPool": GlobalPool,
    "GroupNorm": GroupNorm,
    "HardSigmoid": HardSigmoid,
    "HardSwish": HardSwish,
    "Identity": Identity,
    "LSTM": LSTM,
    "LayerNorm": LayerNorm,
    "LeakyReLU": LeakyReLU,
    "Linear": Linear,
    "MaxPool": MaxPool,
    "Mean": Mean,
    "Mish": Mish,
    "Multiply": Multiply,
    "Permute": Permute,
    "PositionalEncoding": PositionalEncoding,
    "ReLU": ReLU,
    "Repeat": Repeat,
    "Reshape": Reshape,
    "Residual": Residual,
    "SeparableConv1d": SeparableConv1d,
    "SeparableConv2d": SeparableConv2d,
    "Sequential": Sequential,
    "SiLU": SiLU,
    "Sigmoid": Sigmoid,
    "Tanh": Tanh,
    "TimeEncoding": TimeEncoding,
    "Unflatten": Unflatten,
    "Zero": Zero,
}
"""Every building block by its name."""

__all__ = [
    "ELU",
    "GELU",
    "GRU",
    "LAYERS",
    "LSTM",
    "Activation",
    "Add",
    "Attention",
    "AvgPool",
    "BatchNorm",
    "Branch",
    "Cell",
    "Chunk",
    "Clone",
    "Concat",
    "Container",
    "Conv1d",
    "Conv2d",
    "ConvBlock",
    "Dropout",
    "Edge",
    "Embedding",
    "FeedForward",
    "Flatten",
    "GlobalPool",
    "GroupNorm",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MaxPool",
    "Mean",
    "Mish",
    "Multiply",
    "Node",
    "Permute",
    "PositionalEncoding",
    "ReLU",
    "Repeat",
    "Reshape",
    "Residual",
    "SeparableConv1d",
    "SeparableConv2d",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Tanh",
    "TimeEncoding",
    "Unflatten",
    "Zero",
    "build",
    "repeat",
]
