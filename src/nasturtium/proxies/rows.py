"""Proxies that compare gradients of parts of a batch: zico of its halves, gradsign of its rows."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from nasturtium.proxies.failing import Undefined, finite
from nasturtium.proxies.flow import copied
from nasturtium.proxies.network import BATCH_NORMS, first, kept, steady, weights
from nasturtium.proxies.passes import Batch, Gradients, Measured, gradients
from nasturtium.proxies.precision import double

ROWS = 64
"""Rows whose gradients gradsign compares at most; each has a backward pass of its own."""


def zico(found: Measured) -> float:
    """The sum over layers of log(sum over weights of E|g| / sd(g)); g is the gradient over each half of the batch.

    Li et al. 2023 (arXiv:2301.11300, eq. 18), who take two batches. Weights whose gradient does not vary are left out,
    and layers in which none does, as in the published code.
    """
    batch = found.batch
    middle = batch.rows // 2
    if middle < 1:
        raise Undefined("two halves of the batch are compared, and there is one row")
    halves = [_of_rows(batch, slice(None, middle)), _of_rows(batch, slice(middle, 2 * middle))]
    with kept(batch.model):
        one, other = (_gradients(batch.model, half, found.weights) for half in halves)
    layers = [_ratio(double(a), double(b)) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    if not layers:
        raise Undefined("the loss depends on no weight")
    if not any(layers):
        raise Undefined("no gradient differs between the halves of the batch")
    return sum(math.log(each) for each in layers if each)


def _ratio(one: Tensor, other: Tensor) -> float:
    """The sum of mean absolute value over standard deviation of two values each, where they differ."""
    deviation = (one - other).abs() / 2
    mean = (one.abs() + other.abs()) / 2
    varies = deviation > 0
    return float((mean[varies] / deviation[varies]).sum())


def gradsign(found: Measured) -> float:
    """The sum over weights of |sum over rows of the sign of the gradient of the row's loss|.

    Zhang and Jia 2022, equation 8. Each row runs alone. The published code lets batch norms then take the statistics of
    that one row; here they keep those of the whole batch, so that all rows meet the same function, as the
    theory has it, and vectors can be normalised at all.
    """
    batch = found.batch
    model = copied(batch.model)
    measured = weights(model)
    _settle(model, batch)
    sums: list[Tensor | None] = [None] * len(measured)
    with steady(model):
        for row in range(min(batch.rows, ROWS)):
            signs = _gradients(model, _of_rows(batch, slice(row, row + 1)), measured)
            for place, each in enumerate(signs):
                before = sums[place]
                if each is not None:
                    sums[place] = each.sign() if before is None else before + each.sign()
    known = [each for each in sums if each is not None]
    if not known:
        raise Undefined("the loss depends on no weight")
    return sum(float(each.abs().sum()) for each in known)


def _settle(model: nn.Module, batch: Batch) -> None:
    """Put the statistics of the batch into the batch norms, and everything into evaluation mode."""
    model.eval()
    for module in model.modules():
        if isinstance(module, BATCH_NORMS) and module.track_running_stats:
            module.reset_running_stats()
            module.momentum = None  # the mean over batches, of which there is one
            module.train()
    with steady(model), torch.no_grad():
        model(*batch.inputs)
    model.eval()


def _of_rows(batch: Batch, rows: slice) -> Batch:
    return Batch(batch.model, tuple(each[rows] for each in batch.inputs), batch.targets[rows], batch.loss)


def _gradients(model: nn.Module, batch: Batch, by: list[nn.Parameter]) -> Gradients:
    outputs = first(model(*batch.inputs))
    finite([outputs.detach()], "the outputs of the network for a part of the batch are")
    found = gradients(batch.loss(outputs, batch.targets), by)
    finite(found, "gradients of the loss of a part of the batch are")
    return found
