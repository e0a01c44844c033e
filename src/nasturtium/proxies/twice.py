"""Convolutions and batch norms whose second derivative costs what it must, while a network runs forward."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.overrides import TorchFunctionMode

aten: Any = torch.ops.aten


class Twice(TorchFunctionMode):
    """Puts convolutions and batch norms in the place of torch's, with the same values and derivatives.

    torch takes the second derivative of a convolution by one whose kernel is as large as the image, and that of a batch
    norm by some twenty passes over its input.

    Attributes:
        by_weights: Whether a gradient that runs back now is wanted by weights too; torch does not tell what stands in
            for its operations.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_weights = True

    @contextlib.contextmanager
    def inputs_alone(self) -> Iterator[None]:
        """Inside, gradients are taken by inputs alone, and those by weights are not computed."""
        self.by_weights = False
        try:
            yield
        finally:
            self.by_weights = True

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run what stands in for an operation, if something does for these arguments."""
        stand_in = STAND_INS.get(func)
        left = None if stand_in is None else stand_in(self, *args, **(kwargs or {}))
        return func(*args, **(kwargs or {})) if left is None else left


def _convolution(
    mode: Twice, x: Tensor, weight: Tensor, bias: Tensor | None = None, stride: Any = 1, padding: Any = 0,
    dilation: Any = 1, groups: int = 1,
) -> Tensor | None:  # fmt: skip
    if isinstance(padding, str) or x.ndim != weight.ndim or not x.is_floating_point():
        return None
    places = x.ndim - 2
    numbers = (_each(stride, places), _each(padding, places), _each(dilation, places), False, [0] * places, groups)
    left: Tensor = Convolution.apply(x, weight, bias, numbers, mode)  # type: ignore[no-untyped-call]
    return left


def _each(number: Any, places: int) -> list[int]:
    given = [number] if isinstance(number, int) else list(number)
    return given * places if len(given) == 1 else given


def _batch_norm(
    mode: Twice, x: Tensor, mean: Tensor | None, variance: Tensor | None, weight: Tensor | None = None,
    bias: Tensor | None = None, training: bool = False, momentum: float = 0.1, eps: float = 1e-5,
) -> Tensor | None:  # fmt: skip
    if not training or x.ndim < 2 or x.numel() <= x.shape[1]:  # torch refuses the last two
        return None
    left: Tensor = BatchNorm.apply(x, weight, bias, mean, variance, momentum, eps)  # type: ignore[no-untyped-call]
    return left


STAND_INS: dict[Any, Callable[..., Tensor | None]] = {
    torch.conv1d: _convolution,
    torch.conv2d: _convolution,
    torch.conv3d: _convolution,
    F.batch_norm: _batch_norm,
}
"""What stands in for an operation of torch; None from it means that it does not, for these arguments."""


class Convolution(torch.autograd.Function):
    """T(x, w) + b, linear in x and in w."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, numbers: tuple[Any, ...], mode: Twice
    ) -> Tensor:
        """(B, O, ...) from (B, I, ...)."""
        ctx.save_for_backward(x, weight)
        ctx.numbers, ctx.mode = numbers, mode
        left: Tensor = aten.convolution(x, weight, bias, *numbers)
        return left

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Gradients by x, w and b."""
        by_x, by_weight, by_bias = ctx.needs_input_grad[:3]
        needs = [by_x, by_weight and ctx.mode.by_weights, by_bias and ctx.mode.by_weights]
        found = ConvolutionBackward.apply(gradient, *ctx.saved_tensors, ctx.numbers, needs)  # type: ignore[no-untyped-call]
        return *found, None, None


class ConvolutionBackward(torch.autograd.Function):
    """For a gradient v: T(., w)'v by x, T(x, .)'v by w, the sum over places by b."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, x: Tensor, weight: Tensor, numbers: tuple[Any, ...], needs: list[bool]) -> Any:
        """The three gradients; None where it is not needed."""
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(v, x, weight)
        ctx.numbers = numbers
        return _transposed(v, x, weight, numbers, needs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_x: Tensor | None, by_weight: Tensor | None, by_bias: Tensor | None) -> Any:
        """<by_x, T(., w)'v> = <v, T(by_x, w)> and <by_weight, T(x, .)'v> = <v, T(x, by_weight)>, differentiated."""
        v, x, weight = ctx.saved_tensors
        parts = [None if by_x is None else aten.convolution(by_x, weight, None, *ctx.numbers),
                 None if by_weight is None else aten.convolution(x, by_weight, None, *ctx.numbers),
                 None if by_bias is None else by_bias.view(-1, *[1] * (v.ndim - 2)).expand_as(v)]  # fmt: skip
        held = [each for each in parts if each is not None]
        needs = [by_weight is not None and ctx.needs_input_grad[1], by_x is not None and ctx.needs_input_grad[2], False]
        one, other = (like if given is None else given for given, like in ((by_x, x), (by_weight, weight)))
        found = _transposed(v, one, other, ctx.numbers, needs)
        return (sum(held[1:], held[0]) if held else None), found[0], found[1], None, None


def _transposed(v: Tensor, x: Tensor, weight: Tensor, numbers: tuple[Any, ...], needs: list[bool]) -> Any:
    return aten.convolution_backward(v, x, weight, [weight.shape[0]], *numbers, needs)


class BatchNorm(torch.autograd.Function):
    """w h + b with h = (x - mean) s and s = 1 / sqrt(variance + eps) over rows and places."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor | None, bias: Tensor | None, mean: Tensor | None, variance: Tensor | None,
        momentum: float, eps: float,
    ) -> Tensor:  # fmt: skip
        """(B, C, ...); the running statistics are updated."""
        left, middle, s = aten.native_batch_norm(x, weight, bias, mean, variance, True, momentum, eps)
        ctx.save_for_backward(x, weight, middle, s)
        ctx.eps = eps
        result: Tensor = left
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Gradients by x, w and b."""
        x, weight, mean, s = ctx.saved_tensors
        needs = ctx.needs_input_grad[:3]
        found = BatchNormBackward.apply(gradient, x, weight, mean, s, ctx.eps)  # type: ignore[no-untyped-call]
        return *(each if need else None for each, need in zip(found, needs, strict=True)), None, None, None, None


class BatchNormBackward(torch.autograd.Function):
    """For a gradient v: w s P v by x, with P v = v - mean(v) - h mean(h v); the sum of h v by w; that of v by b."""

    @staticmethod
    def forward(ctx: Any, v: Tensor, x: Tensor, weight: Tensor | None, mean: Tensor, s: Tensor, eps: float) -> Any:
        """The three gradients."""
        ctx.set_materialize_grads(False)
        found = _normal_backward(v, x, weight, mean, s, eps)
        ctx.save_for_backward(v, x, weight, mean, s, *found[:2])
        ctx.eps = eps
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, u: Tensor | None, by_weight: Tensor | None, by_bias: Tensor | None) -> Any:
        """<u, w s P v> differentiated: P is symmetric, s has -s^2 h / N, and h has s P; then the two sums."""
        v, x, weight, mean, s, back, along = ctx.saved_tensors
        shape = (1, -1, *[1] * (x.ndim - 2))
        by_v = by_x = by_w = None
        if u is not None:
            count = x.numel() // x.shape[1]
            moved, with_u, _ = _normal_backward(u, x, None, mean, s, ctx.eps)  # s P u and sum of h u
            axes = [0, *range(2, x.ndim)]
            by_w = (moved * v).sum(axes)  # (C,)
            scale = torch.ones_like(s) if weight is None else weight
            by_v = moved * scale.view(shape)
            slope = -scale * s.square() * by_w / count
            by_x = (x - mean.view(shape)).mul_(slope.view(shape))
            by_x.addcmul_(by_v, (-s * along / count).view(shape)).addcmul_(back, (-s * with_u / count).view(shape))
        if by_weight is not None:
            turned, _, _ = _normal_backward(v, x, by_weight, mean, s, ctx.eps)
            h = (x - mean.view(shape)) * (s * by_weight).view(shape)
            by_x, by_v = _sum(by_x, turned), _sum(by_v, h)
        if by_bias is not None:
            by_v = _sum(by_v, by_bias.view(shape).expand_as(v))
        return by_v, by_x, (None if weight is None else by_w), None, None, None


def _sum(one: Tensor | None, other: Tensor) -> Tensor:
    return other if one is None else one + other


def _normal_backward(v: Tensor, x: Tensor, weight: Tensor | None, mean: Tensor, s: Tensor, eps: float) -> Any:
    return aten.native_batch_norm_backward(v, x, weight, None, None, mean, s, True, eps, [True, True, True])
