"""Running a network once, forward and backward, on made-up tensors of its input signals."""

from __future__ import annotations

import torch

from nasturtium.space import Architecture, Signal


def run_once(architecture: Architecture, batch: int, seed: int) -> None:
    """Build, run and differentiate; compare the shapes with the inferred ones and parameters with the cost rules.

    Raises:
        LawBroken: If a shape is wrong or something is not finite.
    """
    from nasturtium.testing.laws import require

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = architecture.build()
        values = [tensor for signal in architecture.input for tensor in made_up(signal, batch)]
        out = model(*values)
    params = sum(parameter.numel() for parameter in model.parameters())
    require(params == architecture.count()["params"], f"{params} parameters, counted otherwise", architecture)
    outs = out if isinstance(out, tuple) else (out,)
    inferred = architecture.output
    signals = (inferred,) if isinstance(inferred, Signal) else inferred
    shapes = [shape for signal in signals for shape in _shapes(signal)]
    given = [tuple(tensor.shape) for tensor in outs]
    fits = len(given) == len(shapes) and all(
        len(actual) == 1 + len(shape)
        and all(size in (None, real) for size, real in zip(shape, actual[1:], strict=True))
        for actual, shape in zip(given, shapes, strict=True)
    )
    require(fits, f"gives {given} for {' and '.join(map(str, signals))}", architecture)
    for tensor in outs:
        require(bool(torch.isfinite(tensor).all()), "the output is not finite", architecture)
    differentiable = [tensor.float().pow(2).sum() for tensor in outs if tensor.requires_grad]
    if differentiable:
        torch.autograd.backward(torch.stack(differentiable).sum())
    for name, parameter in model.named_parameters():
        finite = parameter.grad is None or bool(torch.isfinite(parameter.grad).all())
        require(finite, f"the gradient of {name} is not finite", architecture)


def _shapes(signal: Signal) -> list[tuple[int | None, ...]]:
    """The shapes, without the batch, of the tensors that stand for a signal."""
    if signal.kind == "group":
        return [shape for _, member in signal.members for shape in _shapes(member)]
    return [signal.shape, signal.shape[:1]] if signal.mask else [signal.shape]


def made_up(signal: Signal, batch: int) -> list[torch.Tensor]:
    """Random tensors for a signal: its values, then its mask if it has one. Unknown lengths become 12."""
    if signal.kind == "group":
        return [tensor for _, member in signal.members for tensor in made_up(member, batch)]
    shape = (batch, *(12 if size is None else size for size in signal.shape))
    made = torch.randint(signal.vocabulary[0], shape) if signal.kind == "tokens" else torch.randn(shape)
    values = [made]
    if signal.mask:
        lengths = torch.randint(1, shape[1] + 1, (batch, 1))
        values.append(torch.arange(shape[1])[None] < lengths)
    return values
