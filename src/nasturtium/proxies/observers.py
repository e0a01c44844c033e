"""What is read off a forward pass while it runs: codes of activations, FLOPs, and the channels of layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from nasturtium.proxies.network import channel_axis, fan_in, first, replaced
from nasturtium.proxies.precision import double

aten: Any = torch.ops.aten

ACTIVATIONS = frozenset(
    {
        aten.relu, aten.relu_, aten.leaky_relu, aten.leaky_relu_, aten.elu, aten.elu_, aten.gelu, aten.gelu_,
        aten.silu, aten.silu_, aten.mish, aten.mish_, aten.hardswish, aten.hardswish_, aten.hardtanh, aten.hardtanh_,
        aten.sigmoid, aten.sigmoid_, aten.tanh, aten.tanh_, aten.hardsigmoid, aten.hardsigmoid_, aten.softplus,
        aten._prelu_kernel, aten.celu, aten.celu_, aten.rrelu_with_noise, aten.rrelu_with_noise_,
        aten.log_sigmoid_forward, aten.threshold, aten.threshold_, aten.hardshrink, aten.softshrink,
    }
)  # fmt: skip
"""Operations whose input has a code: 1 where it is positive. Functional and in-place ones are met like modules; SELU is
met as ELU, ReLU6 as hardtanh."""

CLAMPS = frozenset({aten.clamp, aten.clamp_, aten.clamp_min, aten.clamp_min_})
"""ReLU in other words where the lower bound is 0; otherwise a guard against numbers that are too small."""


def coded(packet: Any, args: Any, kwargs: Any) -> Tensor | None:
    """What has codes in an operation: the input of an activation, the gates of a GLU; None in any other."""
    if packet in ACTIVATIONS:
        x: Tensor = args[0]
        return x
    if packet in CLAMPS:
        least = args[1] if len(args) > 1 else kwargs.get("min")
        return args[0] if isinstance(least, (int, float)) and least == 0 else None
    if packet is aten.glu:
        axis = args[1] if len(args) > 1 else kwargs.get("dim", -1)
        gates: Tensor = args[0].chunk(2, axis)[1]
        return gates
    return None


class Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Watches the operations of a forward pass.

    Args:
        rows: Rows of the batch.
        mask: (B, T), True where a step of a sequence is real; places that are padding have no code.
        codes: Whether to compare the codes of activations.
        flops: Whether to count FLOPs.

    Attributes:
        kernel: (B, B): at how many activations two rows have the same code (Mellor et al. 2021, equation 2).
        finite: Whether all inputs of activations were; a code alone does not tell, since NaN is not positive.
        flops: Of matrix products and convolutions, two a multiply-accumulate.
    """

    def __init__(self, rows: int, mask: Tensor | None, codes: bool, flops: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.rows, self.mask = rows, mask
        self.codes, self.counts = codes, flops
        self.kernel: Tensor | None = None
        self.extremes: list[Tensor] = []
        self.flops = 0
        self.paused = False

    def pauses(self, model: nn.Module) -> list[Any]:
        """Hooks by which the gates of recurrent layers have no codes: fused kernels hide them, and padding has some."""

        def entered(module: nn.Module, arguments: tuple[Any, ...]) -> None:
            self.paused = True

        def left(module: nn.Module, arguments: tuple[Any, ...], output: Any) -> None:
            self.paused = False

        layers = [module for module in model.modules() if isinstance(module, nn.RNNBase)]
        before = [layer.register_forward_pre_hook(entered) for layer in layers]
        return before + [layer.register_forward_hook(left) for layer in layers]

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Without this torch imports its compiler, three seconds, at the first operation."""
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Look at the input before an operation, which may overwrite it, and count what it costs."""
        packet = func._overloadpacket
        if self.codes and not self.paused:
            x = coded(packet, args, kwargs or {})
            if x is not None:
                self._compare(x)
        left = func(*args, **(kwargs or {}))
        if self.counts:
            count = COUNTS.get(packet)
            self.flops += 0 if count is None else int(count(*args, **(kwargs or {}), out_val=left))
        return left

    @property
    def finite(self) -> bool:
        """Whether all inputs of activations were finite."""
        return all(bool(torch.isfinite(each)) for each in self.extremes)

    def _compare(self, x: Tensor) -> None:
        if x.ndim < 2 or x.shape[0] != self.rows or not x.is_floating_point():
            return
        code = (x.detach() > 0).flatten(1).float()  # (B, N)
        real = self._real(x)
        code = code if real is None else code * real
        self._note(x if real is None else x.flatten(1).where(real > 0, 0))
        both = double(code @ code.T)  # (B, B), at how many both are 1
        if real is None:
            ones = both.diagonal()
            neither = code.shape[1] - ones[:, None] - ones + both
        else:
            ones = double(code @ real.T)
            neither = double(real @ real.T) - ones - ones.T + both
        self.kernel = both + neither + (0 if self.kernel is None else self.kernel)

    def _note(self, x: Tensor) -> None:
        """Keep the smallest and largest number, which are NaN where one is; it costs a tenth of asking each."""
        if x.numel():
            self.extremes += x.detach().aminmax()

    def _real(self, x: Tensor) -> Tensor | None:
        """1 where a place of x (B, T', ...) is no padding, (B, N); None where x has no steps that a mask is for."""
        if self.mask is None or x.ndim < 3 or not x.shape[1]:
            return None
        stride = round(self.mask.shape[1] / x.shape[1])
        mask = self.mask[:, :: max(stride, 1)]
        if mask.shape[1] != x.shape[1]:
            return None
        return mask.reshape(*mask.shape, *[1] * (x.ndim - 2)).expand(x.shape).flatten(1).float()


def _recurrent_flops(input: Tensor, weight: Tensor, hidden: Tensor, *others: Any, out_val: Any = None) -> int:
    """FLOPs of the fused recurrence on CPUs, which torch does not count: input (T, B, C)."""
    return 2 * int(input.shape[0] * input.shape[1]) * (weight.numel() + hidden.numel())


COUNTS: dict[Any, Callable[..., Any]] = {**flop_registry, aten.mkldnn_rnn_layer: _recurrent_flops}


class Channels:
    """Sums activation times gradient over the places of each channel, while a gradient runs back (Theis et al. 2018).

    Args:
        model: The network; its convolutions and linear maps are hooked.

    Attributes:
        handles: The hooks, to be removed.
        listening: Whether gradients that pass are taken note of.
        sums: For each layer, how many weights a channel has, and for each call in the batch (B, C) the sums.
    """

    def __init__(self, model: nn.Module) -> None:
        layers = [(module, axis) for module in model.modules() if (axis := channel_axis(module)) is not None]
        self.listening = False
        self.sums: list[tuple[int, Tensor]] = []
        self.handles = [module.register_forward_hook(self._hook(axis)) for module, axis in layers]

    def _hook(self, axis: int) -> Callable[..., Any]:
        def met(module: nn.Module, arguments: tuple[Any, ...], output: Any) -> Any:
            left = first(output)
            if not left.requires_grad:
                return output
            held, weight_count = left.detach(), fan_in(module)  # detached: a graph must not hold itself

            def passed(gradient: Tensor) -> None:
                if self.listening:
                    self.sums.append((weight_count, _summed(held * gradient.detach(), axis)))

            left.register_hook(passed)  # type: ignore[no-untyped-call]
            return replaced(output, left.clone())  # what is done in place later must not change what is held

        return met


def _summed(product: Tensor, axis: int) -> Tensor:
    """(B, C): the sum over all axes but the batch's and the channels'."""
    if product.ndim < 2:
        product = product.unsqueeze(0)
    channels = axis % product.ndim
    places = [each for each in range(1, product.ndim) if each != channels]
    return product.sum(places) if places else product


def step_mask(inputs: Sequence[Tensor]) -> Tensor | None:
    """The mask (B, T) among the inputs, if there is exactly one."""
    masks = [each for each in inputs if each.dtype == torch.bool and each.ndim == 2]
    return masks[0] if len(masks) == 1 else None
