"""zen: how far the features of a Gaussian network move when its inputs, which are noise, move a little."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from nasturtium.proxies.failing import Undefined, finite
from nasturtium.proxies.flow import copied
from nasturtium.proxies.network import BATCH_NORMS, NORMS, POOLS, SEED, embedded, first, hooked, steady, weights
from nasturtium.proxies.passes import Batch, Measured
from nasturtium.proxies.precision import double

STEP = 0.01
"""How much of a second noise is added to the first."""


def zen(found: Measured) -> float:
    """log E|f(x) - f(x + 0.01 n)| + the sum over batch norms of log sqrt(mean running variance).

    Lin et al. 2021, algorithm 1: x and n are standard normal, of the shape of the batch; f gives the features before
    the last pooling over places, or before the last linear map; |.| sums over the features, E is over rows. All weights
    are drawn anew from N(0, 1), on a copy. Running variances are those after
    the two passes, as in the published code; without batch norms that term is 0. Embeddings give noise too.
    """
    model = copied(found.batch.model)
    if any(each.ndim == 4 for each in found.batch.inputs):
        model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    generator = torch.Generator().manual_seed(SEED)
    _redraw(model, generator)
    noise = Noise(found.batch, generator)
    with steady(model), torch.no_grad():
        before, after = (_features(model, noise.inputs(step), noise, step) for step in (0.0, STEP))
    moved = float(double(before - after).abs().flatten(1).sum(1).mean())
    if moved == 0:
        raise Undefined("the features do not depend on the inputs", lowest=True)
    return math.log(moved) + sum(_scale(module) for module in model.modules())


def _scale(module: nn.Module) -> float:
    if not isinstance(module, BATCH_NORMS) or module.running_var is None:
        return 0.0
    variance = float(double(module.running_var).mean())
    if variance == 0:
        raise Undefined("what reaches a batch norm does not vary", lowest=True)
    return 0.5 * math.log(variance)


def _redraw(model: nn.Module, generator: torch.Generator) -> None:
    """Weights from N(0, 1), biases 0, norms as they begin; batch norms in training mode."""
    drawn = {id(each) for each in weights(model)}
    model.eval()
    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if id(parameter) in drawn:
                    parameter.copy_(torch.randn(parameter.shape, generator=generator))
                    drawn.discard(id(parameter))
                elif "bias" in name:
                    parameter.zero_()
                elif isinstance(module, NORMS):
                    parameter.fill_(1.0)
            if isinstance(module, BATCH_NORMS):
                module.reset_running_stats()
                module.train()


class Noise:
    """Standard normal noise for float inputs and embeddings, the same each time it is asked for.

    Args:
        batch: Whose shapes it takes.
        generator: Draws it.
    """

    def __init__(self, batch: Batch, generator: torch.Generator) -> None:
        self.given = batch.inputs
        self.generator = generator
        self.pairs: list[tuple[Tensor, Tensor]] = [self._pair(each) for each in batch.inputs]
        self.lookups: list[tuple[Tensor, Tensor]] = []

    def _pair(self, like: Tensor) -> tuple[Tensor, Tensor]:
        if not like.is_floating_point():
            return like, like
        one, other = (torch.randn(like.shape, generator=self.generator).to(like) for _ in range(2))
        return one, other

    def inputs(self, step: float) -> list[Tensor]:
        """Inputs, a step away from the first noise."""
        return [one + step * other if one.is_floating_point() else one for one, other in self.pairs]

    def replacing(self, step: float) -> Any:
        """What an embedding's output is replaced by, call by call."""
        calls = iter(range(1_000_000))

        def replace(output: Tensor) -> Tensor:
            call = next(calls)
            if call == len(self.lookups):
                self.lookups.append(self._pair(output))
            one, other = self.lookups[call]
            return one + step * other

        return replace


def _features(model: nn.Module, inputs: list[Tensor], noise: Noise, step: float) -> Tensor:
    """What the last pooling over places gets; without one what the last linear map gets, else the outputs."""
    met: dict[str, Tensor] = {}

    def note(kind: str) -> Any:
        def noted(module: nn.Module, arguments: tuple[Any, ...]) -> None:
            met[kind] = arguments[0]

        return noted

    handles = embedded(model, noise.replacing(step))
    for module in model.modules():
        if isinstance(module, POOLS):
            handles.append(module.register_forward_pre_hook(note("pool")))
        elif isinstance(module, nn.Linear):
            handles.append(module.register_forward_pre_hook(note("linear")))
    with hooked(handles):
        outputs = first(model(*inputs))
    features = met.get("pool", met.get("linear", outputs))
    finite([features, outputs], "with weights drawn from N(0, 1), the features or outputs are")
    return features
