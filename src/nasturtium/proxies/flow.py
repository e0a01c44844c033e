"""synflow: how much flows through the absolute weights of a network from ones to its outputs."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from nasturtium.proxies.failing import FAILURES, Undefined, finite
from nasturtium.proxies.network import embedded, first, hooked, steady, weights, without_norms
from nasturtium.proxies.passes import Batch, Measured, gradients, total
from nasturtium.proxies.precision import able, double_network


def synflow(found: Measured) -> float:
    """The logarithm of the sum of |w dR/dw|; R sums the outputs for ones, with absolute weights (Tanaka et al. 2020).

    In double precision, on a copy, for a batch of one row. Norms hand on what they get; ones enter in place of float
    inputs and of embeddings, and nothing is padding. The published code takes no logarithm, NASLib does.
    """
    flow = _flow(found.batch)
    if flow == 0:
        raise Undefined("nothing flows from the inputs to the outputs through any weight", lowest=True)
    if not math.isfinite(flow):
        many = "is no number" if math.isnan(flow) else "exceeds double precision"
        raise Undefined(f"what flows {many}")
    return math.log(flow)


def _flow(batch: Batch) -> float:
    model = double_network(copied(batch.model)).eval()
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            if tensor.is_floating_point():
                tensor.abs_()
        for module in model.modules():
            for name, value in vars(module).items():  # what is kept as a plain tensor
                if isinstance(value, Tensor) and value.is_floating_point():
                    setattr(module, name, value.abs())
    for parameter in model.parameters():
        parameter.requires_grad_(parameter.is_floating_point())
    inputs = [_ones(each) for each in batch.inputs]
    handles = [*without_norms(model), *embedded(model, torch.ones_like)]
    with steady(model), hooked(handles):
        outputs = first(model(*inputs))
        finite([outputs.detach()], "for ones and absolute weights, the outputs are")
        measured = weights(model)
        found = gradients(total(outputs), measured)
    pairs = zip(measured, found, strict=True)
    return sum(float((weight.detach() * each).abs().sum()) for weight, each in pairs if each is not None)


def _ones(tensor: Tensor) -> Tensor:
    """One row of ones; of whole numbers the first row as it is, since they are looked up."""
    row = able(tensor[:1].detach().clone())
    return torch.ones_like(row, dtype=torch.double) if row.is_floating_point() else _real(row)


def _real(row: Tensor) -> Tensor:
    return torch.ones_like(row) if row.dtype == torch.bool else row


def copied(model: nn.Module) -> nn.Module:
    """A copy of a network that may be changed.

    Raises:
        Undefined: If it cannot be copied.
    """
    try:
        return copy.deepcopy(model)
    except (copy.Error, *FAILURES) as error:
        raise Undefined(f"the network cannot be copied: {str(error).splitlines()[0]}") from error
