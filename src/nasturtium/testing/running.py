"""Running a network once, forward and backward, on made-up tensors of its input signals."""

from __future__ import annotations

import torch

from nasturtium.space import Architecture, Signal

UNKNOWN = 12
"""What stands for sizes that depend on the data."""


def run_once(architecture: Architecture, batch: int, seed: int) -> None:
    """Build, run and differentiate; compare the shapes with the inferred ones and parameters with the cost rules.

    Raises:
        LawBroken: If a shape is wrong or something is not finite.
    """
    from nasturtium.proxies.generators import own_numbers
    from nasturtium.testing.broken import require

    with own_numbers(seed):
        model = architecture.build()
        nodes = next((s.shape[0] for s in architecture.input if s.kind == "nodes"), None)
        values = [tensor for signal in architecture.input for tensor in made_up(signal, batch, nodes or UNKNOWN)]
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
    shape = (2, *signal.shape) if signal.kind == "edges" else signal.shape
    return [shape, shape[:1]] if signal.mask else [shape]


def made_up(signal: Signal, batch: int, nodes: int = UNKNOWN) -> list[torch.Tensor]:
    """Random tensors for a signal: its values, then its mask if it has one.

    Args:
        signal: What the tensors stand for; sizes that are not known become ``UNKNOWN``.
        batch: How many examples.
        nodes: Number of nodes that the edges of a graph may lead to; some of the edges are padding.
    """
    if signal.kind == "group":
        made = [tensor for _, member in signal.members for tensor in made_up(member, batch, nodes)]
        length = made[0].shape[1] if made else UNKNOWN
    else:
        sizes = [UNKNOWN if size is None else size for size in signal.shape]
        made, length = [_values(signal, batch, sizes, nodes)], sizes[0]
    if signal.mask:
        made.append(torch.arange(length)[None] < torch.randint(1, length + 1, (batch, 1)))
    return made


def _values(signal: Signal, batch: int, sizes: list[int], nodes: int) -> torch.Tensor:
    if signal.kind == "tokens":
        return torch.randint(signal.vocabulary[0], (batch, *sizes))
    if signal.kind == "edges":
        padding = torch.rand(batch, 1, *sizes) < 0.1
        return torch.randint(nodes, (batch, 2, *sizes)).masked_fill(padding, -1)
    return torch.randn(batch, *sizes)
