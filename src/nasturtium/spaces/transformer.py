"""The space ``transformer``: encoders and decoders for images, sequences and tokens (Vaswani et al. 2017)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from nasturtium.errors import SpaceError, did_you_mean
from nasturtium.layers import (
    Attention,
    Container,
    Conv1d,
    Conv2d,
    Embedding,
    FeedForward,
    Flatten,
    GlobalPool,
    LayerNorm,
    Linear,
    PositionalEncoding,
    Repeat,
    Residual,
    Sequential,
    repeat,
)
from nasturtium.layers.rules import one_of, only
from nasturtium.space.choice import Choice
from nasturtium.space.part import Cost, Layer, Wiring
from nasturtium.space.signal import Signal, vector
from nasturtium.space.space import Space
from nasturtium.spaces.inputs import one_input, positive, weighted

if TYPE_CHECKING:
    import torch


class Ranges(NamedTuple):
    """What is open in a transformer.

    Attributes:
        embeddings: Channels of the steps.
        heads: Heads of the attention of a layer.
        width: Channels of each head.
        ratios: Inner channels of the feed-forward part of a layer for each channel of a step.
        layers: Numbers of layers.
    """

    embeddings: tuple[int, ...]
    heads: tuple[int, ...]
    width: int
    ratios: tuple[float, ...]
    layers: tuple[int, ...]


RANGES = {
    "small": Ranges((32, 48, 64, 96, 128), (1, 2, 4, 8), 16, (1, 2, 3, 4), (1, 2, 3, 4, 5, 6)),
    "autoformer_tiny": Ranges((192, 216, 240), (3, 4), 64, (3.5, 4), (12, 13, 14)),
    "autoformer_small": Ranges((320, 384, 448), (5, 6, 7), 64, (3, 3.5, 4), (12, 13, 14)),
    "autoformer_base": Ranges((528, 576, 624), (8, 9, 10), 64, (3, 3.5, 4), (14, 15, 16)),
    "vit": Ranges(
        (192, 216, 240, 320, 384, 448, 528, 576, 624, 768), (*range(3, 11), 12), 64, (3, 3.5, 4), (12, 13, 14, 15, 16)
    ),
}
"""Ranges by name: the three of AutoFormer (Chen et al. 2021, table 1), all of them with ViT-B, and small ones."""

LARGE_SIDE = 128
"""Images from this side on have the ranges ``vit`` if none are given, everything else ``small``."""

PATCHES = {"image": (1, 2, 4, 7, 8, 14, 16, 32), "sequence": (1, 2, 4, 8, 16, 32)}
"""Sides of a patch to choose from, and lengths of a piece; doubled where the input is too large for all."""

MOST_STEPS, FEWEST_STEPS = 256, 4
"""Patches are offered if this many steps come of them."""

LIKELY_STEPS = 16
"""In the ranges ``small`` patches that leave more steps than this are less likely."""


class Patches(Container):
    """An image, a sequence or tokens as a sequence of vectors of one size.

    An image is cut into square patches, a sequence into pieces, which go through a linear map; what is missing of
    the last ones is zero. Tokens are embedded.

    Args:
        channels: Channels of the steps that leave.
        size: Side of a patch, or length of a piece.
    """

    channels: int
    size: int = 1

    def wire(self, x: Any) -> Wiring:
        if x.signal.kind == "tokens":
            return (yield Embedding(self.channels), x)
        if x.signal.kind == "image":
            x = yield Conv2d(self.channels, self.size, self.size), x
            return (yield Flatten("sequence"), x)
        return (yield Linear(self.channels) if self.size == 1 else Conv1d(self.channels, self.size, self.size), x)


class ClassToken(Layer):
    """A learned step before the others.

    A length that is not known stays so: the longer sequence must not be joined with the one that came in.
    """

    uses_mask: ClassVar[bool] = True
    changes_mask: ClassVar[bool] = True

    def signal(self, *inputs: Signal) -> Signal:
        x = only(self, inputs, "sequence")
        return x._replace(shape=(None if x.length is None else x.length + 1, x.channels), grid=None)

    def cost(self, *inputs: Signal) -> Cost:
        return Cost(inputs[0].channels)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.token import PrependToken

        return PrependToken(inputs[0].channels)


class FirstStep(Layer):
    """The first step of a sequence as a vector."""

    def signal(self, *inputs: Signal) -> Signal:
        return vector(only(self, inputs, "sequence").channels)

    def module(self, *inputs: Signal) -> torch.nn.Module:
        from nasturtium.modules.token import FirstStep as Module

        return Module()


class TransformerLayer(Container):
    """Attention, then a feed-forward part, each residual with layer normalisation before it.

    Args:
        heads: Heads of the attention.
        ratio: Inner channels of the feed-forward part for each channel.
        width: Channels of each head.
        causal: Whether a step sees only itself and those before it.
    """

    heads: int
    ratio: float = 4
    width: int = 64
    causal: bool = False

    def wire(self, x: Any) -> Wiring:
        x = yield Residual(Sequential(LayerNorm(), Attention(self.heads, self.width, self.causal))), x
        return (yield Residual(Sequential(LayerNorm(), FeedForward(self.ratio))), x)


class TransformerBody(Container):
    """Patches, positions, layers, and one vector of it all.

    Args:
        patches: What makes a sequence of the input.
        layers: What works on the sequence.
        positions: ``learned`` or ``sinusoidal``.
        summary: ``token`` (a class token), ``mean``, or ``last`` (the last real step).
    """

    patches: Any
    layers: Any
    positions: str = "learned"
    summary: str = "token"

    def wire(self, x: Any) -> Wiring:
        one_of(self, "summary", self.summary, ("token", "mean", "last"))
        x = yield self.patches, x
        if self.summary == "token":
            x = yield ClassToken(), x
        x = yield PositionalEncoding(self.positions), x
        x = yield self.layers, x
        x = yield LayerNorm(), x
        return (yield FirstStep() if self.summary == "token" else GlobalPool(self.summary), x)


def transformer(
    input: Any = (3, 224, 224), outputs: int = 10, *, ranges: str | None = None, causal: bool = False
) -> Space:
    """Transformers (Vaswani et al. 2017) for sequences and tokens, and vision transformers (Dosovitskiy et al. 2021).

    An image is cut into patches, whose side is open, as is the length of the pieces of a sequence of known length;
    tokens are embedded. Open are too: the channels of the steps, whether positions are learned (where the length is
    known) or sinusoidal, the number of layers, for each layer its heads and the ratio of its feed-forward part
    (as in AutoFormer, Chen et al. 2021), and whether a class token or the mean of all steps goes to the last linear
    layer. A decoder (``causal``) has the last step in place of the token, which would see nothing there.

    The size is patches x channels x positions x summaries x the sum over the numbers of layers n of
    (heads x ratios)^n. Members are ViT-Ti, ViT-S and ViT-B with patches of 16, as far as the ranges hold them.

    Layers have the normalisation before (as ViT; Vaswani et al. have it behind), GELU, and heads of one width, so
    that every number of heads goes with every number of channels (as AutoFormer, whose relative positions we have
    not). Normalisation has torch's epsilon of 1e-5, not the 1e-6 of ViT. Patches that do not divide an image are
    offered only where none does; then it is padded.

    Args:
        input: (channels, height, width), (length or None, channels), or an image, sequence or tokens signal.
        outputs: Classes, or targets.
        ranges: A name in :data:`RANGES`; if not given ``vit`` for images from a side of 128 on, else ``small``.
        causal: Whether a step sees only itself and those before it.

    Raises:
        SpaceError: If the input is none of these, or an option cannot be used.

    >>> transformer(input=(1, 8, 8)).size == 3 * 5 * 2 * 2 * sum(16**n for n in range(1, 7))
    True
    >>> transformer(outputs=1000).member("ViT-Ti/16").count()["params"]
    5717416
    """
    signal = one_input("transformer", input, "image", "sequence", "tokens")
    positive("transformer", outputs=outputs)
    named = _ranges_for(signal) if ranges is None else ranges
    if named not in RANGES:
        there = ", ".join(RANGES)
        raise SpaceError(f"transformer knows no ranges {named!r}{did_you_mean(named, RANGES)} (there are: {there})")
    of, patches = RANGES[named], patches_for(signal)
    layer = TransformerLayer(_among(of.heads), _among(of.ratios), of.width, causal)
    body = TransformerBody(
        Patches(_among(of.embeddings), _cut(signal, patches) if named == "small" else _among(patches)),
        repeat(layer, _among(of.layers)),
        _among(("learned", "sinusoidal") if _sides(signal) else ("sinusoidal",), ordered=False),
        _among(("last" if causal else "token", "mean"), ordered=False),
    )
    members = _members(of, outputs) if signal.kind == "image" and 16 in patches and not causal else {}
    return Space(Sequential(body, Linear(outputs)), input=signal, name="transformer", members=members)


def _ranges_for(signal: Signal) -> str:
    return "vit" if signal.kind == "image" and min(_sides(signal)) >= LARGE_SIDE else "small"


def _sides(signal: Signal) -> tuple[int, ...]:
    """Sides of an image, or the length of a sequence if it is known."""
    sizes = signal.shape[1:] if signal.kind == "image" else signal.shape[:1]
    return tuple([size for size in sizes if size is not None])


def patches_for(signal: Signal) -> tuple[int, ...]:
    """Sides of patches that suit an image, or lengths of the pieces of a sequence."""
    sides = _sides(signal)
    if signal.kind == "tokens" or not sides:
        return (1,)
    sizes = list(PATCHES[signal.kind])
    while _steps(signal, sizes[-1]) > MOST_STEPS:
        sizes.append(2 * sizes[-1])
    able = [patch for patch in sizes if FEWEST_STEPS <= _steps(signal, patch) <= MOST_STEPS]
    whole = [patch for patch in able if signal.kind == "image" and not any(side % patch for side in sides)]
    return tuple(whole or able) or (1,)


def _steps(signal: Signal, patch: int) -> int:
    return math.prod(-(-side // patch) for side in _sides(signal))


def _cut(signal: Signal, patches: tuple[int, ...]) -> Any:
    """A choice among patches, those likelier that leave few steps: small ones say little, cost much, learn slowly."""
    return weighted({patch: max(_steps(signal, patch), LIKELY_STEPS) ** -0.5 for patch in patches})


def _among(options: tuple[Any, ...], ordered: bool = True) -> Any:
    """A choice among values in their order; a single one is no choice."""
    return options[0] if len(options) == 1 else Choice(options, ordered=ordered)


def vit(embedding: int, heads: int, outputs: int) -> Layer:
    """A vision transformer of twelve layers with patches of 16 (Dosovitskiy et al. 2021; Touvron et al. 2021).

    Args:
        embedding: Channels; 64 for each head.
        heads: Heads of each layer.
        outputs: Classes.
    """
    body = TransformerBody(Patches(embedding, 16), Repeat(12, TransformerLayer(heads)))
    return Sequential(body, Linear(outputs))


VITS = {"ViT-Ti/16": (192, 3), "ViT-S/16": (384, 6), "ViT-B/16": (768, 12)}
"""Channels and heads of the published vision transformers."""


def _members(ranges: Ranges, outputs: int) -> dict[str, Layer]:
    def held(embedding: int, heads: int) -> bool:
        return embedding in ranges.embeddings and heads in ranges.heads and 12 in ranges.layers and 4 in ranges.ratios

    return {name: vit(*sizes, outputs) for name, sizes in VITS.items() if held(*sizes) and ranges.width == 64}
