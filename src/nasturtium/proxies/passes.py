"""The passes that proxies share, and the planner that runs each of them once for all proxies that need it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nasturtium.proxies.failing import FAILURES, Undefined, finite
from nasturtium.proxies.network import embedded, first, hooked, kept, weights
from nasturtium.proxies.observers import Channels, Watch, step_mask
from nasturtium.proxies.twice import Twice

Loss = Callable[[Tensor, Tensor], Tensor]
Gradients = list[Tensor | None]


@dataclass
class Batch:
    """What a network is scored on.

    Attributes:
        model: The network.
        inputs: Tensors that its ``forward`` takes, rows first; masks (B, T) are bool.
        targets: (B,) classes, or (B, K) numbers.
        loss: Of outputs and targets, one number.
    """

    model: nn.Module
    inputs: tuple[Tensor, ...]
    targets: Tensor
    loss: Loss

    @property
    def rows(self) -> int:
        """Rows of the batch."""
        return len(self.targets)


@dataclass
class Measured:
    """What passes have found; a pass that was not needed leaves its places empty.

    Attributes:
        batch: What was scored.
        weights: The weights of the network.
        watch: The codes and FLOPs of the forward pass.
        channels: For each layer the weights of a channel and (B, C) activation times gradient.
        jacobian: (B, N) gradients of the sum of all outputs by the inputs of each row.
        gradients: Of the loss by each weight; None where it does not depend on it.
        curvature: Hessian of the loss times the gradient, for each weight.
        reasons: Of each step that failed, why.
        lowest: Those of them that failed because their value is minus infinity.
    """

    batch: Batch
    weights: list[nn.Parameter]
    watch: Watch | None = None
    channels: list[tuple[int, Tensor]] = field(default_factory=list)
    jacobian: Tensor | None = None
    gradients: Gradients = field(default_factory=list)
    curvature: Gradients = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    lowest: set[str] = field(default_factory=set)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Run one step; why it failed, if it does, stands in ``reasons``."""
        try:
            yield
        except Undefined as error:
            self.reasons[name] = str(error)
            if error.lowest:
                self.lowest.add(name)
        except FAILURES as error:
            said = str(error).strip().splitlines()
            self.reasons[name] = f"{type(error).__name__}: {said[0] if said else ''}"

    def pairs(self) -> list[tuple[Tensor, Tensor]]:
        """Each weight that the loss depends on, and its gradient."""
        found = zip(self.weights, self.gradients, strict=True)
        return [(weight.detach(), gradient) for weight, gradient in found if gradient is not None]


FORWARD, FINITE, CODES, FLOPS, CHANNELS, GRADIENTS, CURVATURE, JACOBIAN = (
    "forward", "finite", "codes", "flops", "channels", "gradients", "curvature", "jacobian",
)  # fmt: skip
"""Steps of the shared pass, by which a proxy says what it needs."""

BEFORE: dict[str, tuple[str, ...]] = {
    CODES: (FORWARD, FINITE),
    FLOPS: (FORWARD,),
    JACOBIAN: (FORWARD, FINITE),
    GRADIENTS: (FORWARD, FINITE),
    CHANNELS: (FORWARD, FINITE, GRADIENTS),
    CURVATURE: (FORWARD, FINITE, GRADIENTS),
}
"""What has to be done before a step; ``finite`` is whether the outputs are."""


def plan(needs: Collection[str]) -> frozenset[str]:
    """All steps that have to be done for those that are needed."""
    return frozenset(step for need in needs for step in (need, *BEFORE.get(need, ())))


def measure(batch: Batch, steps: Collection[str]) -> Measured:
    """Run the shared pass: one forward, one gradient for each kind that is needed; all from the same graph.

    Args:
        batch: The network and its rows.
        steps: What :func:`plan` says.
    """
    found = Measured(batch, weights(batch.model))
    if FORWARD not in steps:
        return found
    watch = Watch(batch.rows, step_mask(batch.inputs), CODES in steps, FLOPS in steps)
    channels = Channels(batch.model) if CHANNELS in steps else None
    sources: list[Tensor] = []
    handles = [*watch.pauses(batch.model), *(channels.handles if channels else ())]
    if JACOBIAN in steps:
        handles += embedded(batch.model, lambda output: _noted(output, sources, batch.rows))
    inputs = [_leaf(each, JACOBIAN in steps) for each in batch.inputs]
    sources += [each for each in inputs if each.requires_grad]
    found.watch = watch if CODES in steps or FLOPS in steps else None
    twice = Twice() if CURVATURE in steps else None
    with kept(batch.model), hooked(handles), found.step(FORWARD):
        with found.watch or contextlib.nullcontext(), twice or contextlib.nullcontext():
            outputs = first(batch.model(*inputs))
        with found.step(FINITE):
            finite([outputs.detach()], "the outputs of the network are")
        if FINITE in found.reasons:
            return found
        if JACOBIAN in steps:
            with found.step(JACOBIAN), twice.inputs_alone() if twice else contextlib.nullcontext():
                found.jacobian = _jacobian(outputs, sources, retain=GRADIENTS in steps)
        if GRADIENTS in steps:
            with found.step(GRADIENTS):
                _differentiate(found, outputs, channels, CURVATURE in steps)
    return found


def _leaf(tensor: Tensor, differentiate: bool) -> Tensor:
    tensor = tensor.detach().clone()
    return tensor.requires_grad_(differentiate and tensor.is_floating_point())


def _noted(output: Tensor, sources: list[Tensor], rows: int) -> Tensor:
    if not output.requires_grad:
        output.requires_grad_()
    if output.ndim > 1 and output.shape[0] == rows:
        sources.append(output)
    return output


def _jacobian(outputs: Tensor, sources: Sequence[Tensor], retain: bool) -> Tensor:
    if not sources:
        raise Undefined("no input of the network can be differentiated by")
    found = torch.autograd.grad(total(outputs), sources, retain_graph=retain, allow_unused=True)
    both = zip(found, sources, strict=True)
    rows = [(torch.zeros_like(source) if each is None else each).flatten(1) for each, source in both]
    return torch.cat(rows, 1).detach()  # (B, N)


def total(outputs: Tensor) -> Tensor:
    """The sum of all outputs, as something that can be differentiated.

    Raises:
        Undefined: If the outputs depend on nothing.
    """
    if not outputs.requires_grad:
        raise Undefined("the outputs of the network do not depend on its inputs or weights")
    return outputs.sum()


def _differentiate(found: Measured, outputs: Tensor, channels: Channels | None, twice: bool) -> None:
    loss = found.batch.loss(outputs, found.batch.targets)
    if channels is not None:
        channels.listening = True
    found.gradients = gradients(loss, found.weights, twice=twice)
    if channels is not None:
        channels.listening = False
        found.channels = channels.sums
    finite(_values(found.gradients), "gradients of the loss by the weights are")
    if twice:
        with found.step(CURVATURE):
            squares = [(each * each.detach()).sum() for each in found.gradients if each is not None]
            found.curvature = gradients(torch.stack(squares).sum(), found.weights) if squares else []
            finite(found.curvature, "second derivatives of the loss are")
    found.gradients = _values(found.gradients)


def _values(found: Gradients) -> Gradients:
    return [None if each is None else each.detach() for each in found]


def gradients(value: Tensor, by: Sequence[Tensor], twice: bool = False) -> Gradients:
    """The gradient of a number by each tensor; None where it does not depend on it, or that is frozen."""
    open_ones = [each for each in by if each.requires_grad]
    if not value.requires_grad or not open_ones:
        return [None] * len(by)
    found = iter(torch.autograd.grad(value, open_ones, create_graph=twice, allow_unused=True))
    return [next(found) if each.requires_grad else None for each in by]


def default_loss(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean cross entropy for classes (one output is the logit of the second of two), mean squared error for numbers."""
    if targets.is_floating_point():
        return F.mse_loss(outputs, targets.view(outputs.shape))
    if outputs.ndim == 2 and outputs.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(outputs[:, 0], targets.to(outputs.dtype))
    return F.cross_entropy(outputs, targets)
