"""Recipes: how a network is trained, as a part whose fields may be left open like those of any other."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

from nasturtium.errors import TrainingError, did_you_mean
from nasturtium.layers import Container
from nasturtium.space.part import Part, Wiring

if TYPE_CHECKING:
    from nasturtium.space import Architecture

OPTIMISERS = ("adamw", "sgd")
SCHEDULES = ("one_cycle", "cosine", "constant")
PRECISIONS = ("auto", "fp32", "bf16")
PADDINGS = ("background", "edge")


class Augmentation(Part):
    """Random changes to each image of a batch; nothing by default.

    Args:
        shift: Pixels that an image may move up, down, left and right; whole ones unless it also turns or scales.
        flip: Whether half of the images are mirrored left to right.
        rotate: Degrees that it may turn either way.
        scale: Share by which it may shrink or grow, 0.1 for a tenth.
        cutout: Side, in pixels, of a square that is painted over (DeVries and Taylor 2017).
        padding: What comes in from outside: ``background`` (each channel's median along the borders of the
            training images) or ``edge`` (the nearest pixel).
    """

    shift: float = 0
    flip: bool = False
    rotate: float = 0.0
    scale: float = 0.0
    cutout: int = 0
    padding: str = "background"

    @property
    def paints(self) -> bool:
        """Whether the colour of the background comes into images."""
        moves = self.rotate or self.scale or self.shift >= 1
        return bool(self.cutout or (moves and self.padding == "background"))

    def check(self) -> None:
        """Raise what is wrong with the values.

        Raises:
            TrainingError: If a value is negative or not known.
        """
        for name in ("shift", "rotate", "scale", "cutout"):
            _within(f"augmentation.{name}", getattr(self, name), 0.0, math.inf)
        _within("augmentation.scale", self.scale, 0.0, 0.99)
        _one_of("augmentation.padding", self.padding, PADDINGS)


class Recipe(Part):
    """How a network is trained; any field may be a choice.

    >>> str(Recipe(learning_rate=0.01, schedule="cosine"))
    "Recipe(learning_rate=0.01, schedule='cosine')"

    Args:
        optimiser: ``adamw`` (Loshchilov and Hutter 2019) or ``sgd`` with Nesterov momentum 0.9.
        learning_rate: The highest of the schedule.
        weight_decay: Of matrices and kernels; norms, biases and other vectors have none.
        batch_size: Rows a step.
        schedule: ``one_cycle`` (cosine up, cosine down, momentum the other way round; Smith and Topin 2018),
            ``cosine`` (linear up, cosine down; Loshchilov and Hutter 2017) or ``constant`` (linear up).
        warmup: Share of all steps in which the learning rate goes up.
        label_smoothing: Share of the target spread evenly over all classes (Szegedy et al. 2016).
        clip: Largest norm of the whole gradient; None for no limit.
        augmentation: Random changes to images.
        mixup: Alpha of the Beta distribution that mixes pairs of rows (Zhang et al. 2018); 0 mixes nothing.
            Tokens and masked sequences cannot be mixed.
        ema: Decay, a step, of the exponential moving average of the weights that is scored and kept, shortened
            early on to (1 + t) / (10 + t); 0 takes the last weights.
        precision: ``fp32``, ``bf16`` (autocast), or ``auto``: bf16 where it is known to be faster.
        auxiliary_weight: Of the loss of every output after the first, of networks that have auxiliary heads.
        dropout: Share of the values that reach the last linear layer which are set to zero in training, on top of
            whatever dropout the network has of its own.
    """

    optimiser: str = "adamw"
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    batch_size: int = 64
    schedule: str = "one_cycle"
    warmup: float = 0.25
    label_smoothing: float = 0.0
    clip: float | None = 1.0
    augmentation: Augmentation = Augmentation()
    mixup: float = 0.0
    ema: float = 0.0
    precision: str = "auto"
    auxiliary_weight: float = 0.4
    dropout: float = 0.0

    def check(self) -> None:
        """Raise what is wrong with the values.

        Raises:
            TrainingError: If a choice is left open, or a value is unknown or out of range.
        """
        if self.is_open:
            raise TrainingError(f"{self} has choices left open; search over Trained(network, recipe) instead")
        _one_of("optimiser", self.optimiser, OPTIMISERS)
        _one_of("schedule", self.schedule, SCHEDULES)
        _one_of("precision", self.precision, PRECISIONS)
        _within("learning_rate", self.learning_rate, 1e-12, math.inf)
        _within("weight_decay", self.weight_decay, 0.0, math.inf)
        _within("batch_size", self.batch_size, 1, math.inf)
        _whole("batch_size", self.batch_size)
        _within("warmup", self.warmup, 0.0, 1.0)
        _within("label_smoothing", self.label_smoothing, 0.0, 0.999)
        _within("mixup", self.mixup, 0.0, math.inf)
        _within("ema", self.ema, 0.0, 0.999999)
        _within("dropout", self.dropout, 0.0, 0.99)
        _within("auxiliary_weight", self.auxiliary_weight, 0.0, math.inf)
        if self.clip is not None:
            _within("clip", self.clip, 1e-12, math.inf)
        given: object = self.augmentation
        if not isinstance(given, Augmentation):
            raise TrainingError(f"augmentation is {given!r} in a recipe; use Augmentation(), which changes nothing")
        self.augmentation.check()


class Trained(Container):
    """A network with the recipe it is to be trained by, so that one search may choose both.

    Args:
        network: The layer that is the network.
        recipe: Its :class:`Recipe`.
    """

    network: Any
    recipe: Any = Recipe()

    names: ClassVar[tuple[str, ...]] = ("network", "recipe")
    beside: ClassVar[tuple[str, ...]] = ("recipe",)

    def wire(self, *inputs: Any) -> Wiring:
        return (yield self.network, *inputs)


def recipe_of(architecture: Architecture, default: Recipe) -> Recipe:
    """The recipe that an architecture brings along, or the default."""
    value = architecture.value
    return value.recipe if isinstance(value, Trained) else default


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise TrainingError(
            f"unknown {name} {value!r} in a recipe; use {', '.join(known)}{did_you_mean(str(value), known)}"
        )


def _whole(name: str, value: float) -> None:
    if value != int(value):
        raise TrainingError(f"{name} is {value!r} in a recipe; use a whole number")


def _within(name: str, value: object, low: float, high: float) -> None:
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    if not low <= number <= high or not math.isfinite(number):
        upper = "" if high == math.inf else f" to {high:g}"
        raise TrainingError(f"{name} is {value!r} in a recipe; use a number from {low:g}{upper or ' up'}")
