"""Torch modules that torch lacks; each file imports torch alone."""

from nasturtium.modules.attention import CrossAttention, SelfAttention
from nasturtium.modules.convolution import SequenceConv1d
from nasturtium.modules.drop import ChannelDropout, DropPath, QuickDropout
from nasturtium.modules.encoding import AddedTimeWaves, LearnedPositions, SinusoidalPositions, TimeWaves
from nasturtium.modules.norm import ChannelLayerNorm, MaskedBatchNorm, SequenceGroupNorm
from nasturtium.modules.pool import ImagePool, SequencePool, WindowPool
from nasturtium.modules.recurrent import Recurrent
from nasturtium.modules.shape import (
    Add,
    Chunk,
    Clone,
    Concat,
    FirstChannels,
    ImageToSequence,
    Mean,
    Multiply,
    Permute,
    Reshape,
    SequenceToImage,
    Zero,
)
from nasturtium.modules.wired import Wired

__all__ = [
    "Add",
    "AddedTimeWaves",
    "ChannelDropout",
    "ChannelLayerNorm",
    "Chunk",
    "Clone",
    "Concat",
    "CrossAttention",
    "DropPath",
    "FirstChannels",
    "ImagePool",
    "ImageToSequence",
    "LearnedPositions",
    "MaskedBatchNorm",
    "Mean",
    "Multiply",
    "Permute",
    "QuickDropout",
    "Recurrent",
    "Reshape",
    "SelfAttention",
    "SequenceConv1d",
    "SequenceGroupNorm",
    "SequencePool",
    "SequenceToImage",
    "SinusoidalPositions",
    "TimeWaves",
    "WindowPool",
    "Wired",
    "Zero",
]
