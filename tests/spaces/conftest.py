"""Inputs to try the spaces on, and tensors for them."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from nasturtium.space.signal import Signal, as_signals, sequence, tokens

SMALL: dict[str, Any] = {
    "mlp": (16,),
    "convnet": (1, 8, 8),
    "multibranch": (1, 8, 8),
    "sequencenet": (48, 3),
}
"""One cheap input for each space."""

INPUTS: list[tuple[str, Any]] = [
    ("mlp", (1, 8, 8)),
    ("mlp", (12, 3)),
    ("mlp", 1),
    ("convnet", (1, 4, 4)),
    ("convnet", (1, 28, 28)),
    ("convnet", (3, 32, 32)),
    ("convnet", (3, 45, 61)),
    ("convnet", (3, 64, 64)),
    ("convnet", (3, 224, 224)),
    ("multibranch", (2, 5, 9)),
    ("multibranch", (1, 28, 28)),
    ("multibranch", (3, 32, 32)),
    ("multibranch", (3, 64, 64)),
    ("multibranch", (3, 224, 224)),
    ("sequencenet", (None, 9)),
    ("sequencenet", sequence(None, 9, mask=True)),
    ("sequencenet", sequence(40, 2, mask=True)),
    ("sequencenet", (128, 6)),
    ("sequencenet", (1000, 1)),
    ("sequencenet", (1, 4)),
    ("sequencenet", tokens(20, 50)),
    ("sequencenet", tokens(None, 50, mask=True)),
]


def tensors_for(signal: Signal, batch: int = 2, length: int = 7) -> list[torch.Tensor]:
    """Random tensors for a signal; a length not known is ``length``; the second example is half padding."""
    sizes = [length if size is None else size for size in signal.shape]
    if signal.kind == "tokens":
        made = [torch.randint(signal.vocabulary[0], (batch, *sizes))]
    else:
        made = [torch.randn(batch, *sizes)]
    if signal.mask:
        real = torch.tensor([sizes[0]] + [(sizes[0] + 1) // 2] * (batch - 1))
        made.append(torch.arange(sizes[0]) < real.unsqueeze(1))
    return made


def _inputs_of(input: Any) -> list[torch.Tensor]:
    return [tensor for signal in as_signals(input) for tensor in tensors_for(signal)]


@pytest.fixture(name="inputs_of")
def _inputs_of_fixture() -> Any:
    return _inputs_of


@pytest.fixture(params=list(SMALL))
def small(request: Any) -> tuple[str, Any]:
    """Each space with a cheap input."""
    return request.param, SMALL[request.param]


@pytest.fixture(params=INPUTS, ids=[f"{name}|{as_signals(input)[0]}" for name, input in INPUTS])
def case(request: Any) -> tuple[str, Any]:
    """A space and an input it takes."""
    made: tuple[str, Any] = request.param
    return made
