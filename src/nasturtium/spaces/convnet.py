"""The space ``convnet``: stages of residual or plain convolutions at falling resolution."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.layers import Add, Container, ConvBlock
from nasturtium.space.part import Layer, Wiring
from nasturtium.space.space import Space
from nasturtium.spaces.images import staged
from nasturtium.spaces.inputs import one_input, positive, stacked, weighted


class ConvUnit(Container):
    """Convolutions through an inner width, as many channels out as in, around them the input if asked.

    Two k x k convolutions (the basic block of He et al. 2016, with the activation before the sum), or, if
    separable, a 1x1, a depthwise k x k and a linear 1x1 one (the inverted bottleneck of Sandler et al. 2018).

    Args:
        expansion: Inner channels for each channel that comes in.
        kernel: Of the convolutions.
        separable: Whether the inner convolution keeps the channels apart.
        skip: Whether the input is added.
        activation: Name of the activation.
    """

    expansion: float = 1
    kernel: int = 3
    separable: bool = False
    skip: bool = True
    activation: str = "relu"

    def wire(self, x: Any) -> Wiring:
        if self.expansion <= 0:
            raise SpaceError(f"ConvUnit needs a positive expansion, not {self.expansion!r}")
        channels, act = x.signal.channels, self.activation
        inner = max(int(channels * self.expansion), 1)
        if self.separable:
            y = yield ConvBlock(inner, kernel=1, activation=act), x
            y = yield ConvBlock(kernel=self.kernel, groups="depthwise", activation=act), y
            y = yield ConvBlock(channels, kernel=1, activation="identity"), y
        else:
            y = yield ConvBlock(inner, self.kernel, activation=act), x
            y = yield ConvBlock(channels, self.kernel, activation=act), y
        return (yield Add(), y, x) if self.skip else y


def convnet(input: Any = (3, 32, 32), outputs: int = 10, *, width: float = 1.0, depth: int = 3) -> Space:
    """Convolutional networks for images from 8x8 to 224x224 and beyond.

    A stem (with a stride for large images), then two to four stages, as many as the image allows halvings. Each has
    a width, a number of equal :class:`ConvUnit` and what halves the resolution before it; then global pooling,
    dropout and a linear layer. It holds small relatives of ResNet (He et al. 2016) and MobileNetV2 (Sandler et al.
    2018); one decision on the unit for all its copies in a stage is as in MnasNet (Tan et al. 2019).

    Args:
        input: (channels, height, width), or an image signal.
        outputs: Numbers that leave: classes, or targets.
        width: Factor on all channel counts.
        depth: Most units in a stage.

    Raises:
        SpaceError: If the input is no image, or an option cannot be used.

    >>> convnet(input=(1, 8, 8)).size
    141087744
    """
    signal = one_input("convnet", input, "image")
    positive("convnet", outputs=outputs, depth=depth)
    root = staged("convnet", signal, outputs, width, lambda stage: stacked(_unit(), depth))
    return Space(root, input=signal, name="convnet")


def _unit() -> Layer:
    return ConvUnit(
        weighted({0.5: 1, 1: 3, 2: 0.7}),
        kernel=weighted({3: 5, 5: 1}),
        separable=weighted({False: 3, True: 1}),
        skip=weighted({True: 4, False: 1}),
        activation=weighted({"relu": 2, "silu": 1, "gelu": 1}),
    )
