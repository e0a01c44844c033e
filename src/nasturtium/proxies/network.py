"""What proxies ask of a network: its weights, its norms, where inputs enter, and that it stays as it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from nasturtium.modules import ImagePool, SequenceConv1d, SequencePool
from nasturtium.proxies.failing import Undefined
from nasturtium.proxies.generators import own_numbers

CONVOLUTIONS = (nn.modules.conv._ConvNd,)
BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)
NORMS = (*BATCH_NORMS, nn.GroupNorm, nn.LayerNorm, nn.LocalResponseNorm, nn.RMSNorm)
EMBEDDINGS = (nn.Embedding, nn.EmbeddingBag)
POOLS = (
    ImagePool, SequencePool, nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d,
    nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d,
)  # fmt: skip
"""What takes a whole image or sequence together, before the classifier."""

SEED = 0
"""Of whatever is drawn while a network is scored, so that the same network always has the same scores."""


def weights(model: nn.Module) -> list[nn.Parameter]:
    """The weights that proxies sum over: of convolutions and linear maps, recurrent and attention layers included.

    Biases, norms, embeddings and learned positions are left out, as in the published code, which looks at
    ``Conv2d`` and ``Linear`` alone: on networks of these the two agree. Each comes once where modules share it.
    """
    found: dict[int, nn.Parameter] = {}
    for module in model.modules():
        if isinstance(module, (*NORMS, *EMBEDDINGS)):
            continue
        for name, parameter in module.named_parameters(recurse=False):
            if "weight" in name and parameter.ndim >= 2:
                found.setdefault(id(parameter), parameter)
    return list(found.values())


def channel_axis(module: nn.Module) -> int | None:
    """The axis of a module's output that holds channels with weights of their own; None where there are none."""
    if isinstance(module, (nn.Linear, SequenceConv1d)):
        return -1
    return 1 if isinstance(module, CONVOLUTIONS) else None


def fan_in(module: nn.Module) -> int:
    """How many weights each output channel of a convolution or linear map has."""
    weight: Any = module.weight
    channels = getattr(module, "out_channels", None) or weight.shape[0]
    return int(weight.numel() // channels)


def first(value: Any) -> Tensor:
    """The answer of a module that may give several tensors: the first one.

    Raises:
        Undefined: If there is no first tensor, as in None, or a dict with names.
    """
    while not isinstance(value, Tensor):
        try:
            value = None if isinstance(value, str) else value[0]  # a letter has a first letter
        except (TypeError, LookupError) as error:
            kind = "nothing (None)" if value is None else f"a {type(value).__name__}"
            raise Undefined(
                f"the network gives {kind} where a tensor is needed, or several in a tuple, of which the first counts"
            ) from error
    return value


def replaced(value: Any, tensor: Tensor) -> Any:
    """What a module gave, with another first tensor."""
    return tensor if isinstance(value, Tensor) else type(value)((tensor, *value[1:]))


@contextlib.contextmanager
def kept(model: nn.Module) -> Iterator[None]:
    """Run a network for its scores, and leave weights, buffers, modes and random generators as they were.

    Inside, batch norms use the batch's statistics and nothing is dropped.
    """
    modes = [(module, module.training) for module in model.modules()]
    buffers = [
        (module, name, buffer, None if buffer is None else buffer.detach().clone())
        for module in model.modules()
        for name, buffer in module._buffers.items()
    ]
    with steady(model):
        for module, _ in modes:
            module.training = isinstance(module, BATCH_NORMS)
        try:
            yield
        finally:
            for module, training in modes:
                module.training = training
            with torch.no_grad():
                for module, name, buffer, value in buffers:
                    module._buffers[name] = buffer
                    if buffer is not None and value is not None:
                        buffer.copy_(value)


@contextlib.contextmanager
def steady(model: nn.Module) -> Iterator[None]:
    """Gradients on, own random numbers, and of attention the form that can be differentiated twice.

    The fused forms of attention have no second derivative, nor has cuDNN's recurrence.
    """
    from torch.nn.attention import SDPBackend, sdpa_kernel

    with (
        own_numbers(SEED),
        torch.inference_mode(False),
        torch.enable_grad(),
        sdpa_kernel(SDPBackend.MATH),
        torch.backends.cudnn.flags(enabled=not has_recurrence(model), deterministic=True, allow_tf32=False),
    ):
        yield


def has_recurrence(model: nn.Module) -> bool:
    """Whether there is a recurrent layer in a network."""
    return any(isinstance(module, nn.RNNBase) for module in model.modules())


@contextlib.contextmanager
def hooked(handles: Sequence[Any]) -> Iterator[None]:
    """Remove hooks in the end."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def without_norms(model: nn.Module) -> list[Any]:
    """Hooks by which every norm hands on what it gets."""

    def pass_on(module: nn.Module, arguments: tuple[Any, ...], output: Any) -> Any:
        return replaced(output, arguments[0])

    return [module.register_forward_hook(pass_on) for module in model.modules() if isinstance(module, NORMS)]


def embedded(model: nn.Module, make: Any) -> list[Any]:
    """Hooks by which every embedding gives what ``make`` makes of its output."""

    def replace(module: nn.Module, arguments: tuple[Any, ...], output: Tensor) -> Tensor:
        made: Tensor = make(output)
        return made

    return [module.register_forward_hook(replace) for module in model.modules() if isinstance(module, EMBEDDINGS)]
