"""Latency: how long a network takes for a batch, as the median of warm runs."""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch
from torch import nn

from nasturtium.estimators.device import resolve_device, seeded
from nasturtium.estimators.examples import example_inputs
from nasturtium.space import Architecture
from nasturtium.space.signal import as_signals

WARM_RUNS, WARM_SECONDS = 3, 0.05
LEAST_RUNS, MOST_RUNS, ENOUGH_SECONDS = 7, 200, 0.3


def latency_ms(
    network: Architecture | nn.Module,
    batch: int = 1,
    device: str | None = "cpu",
    *,
    input: Any = None,
    length: int = 64,
) -> float:
    """Median milliseconds of a forward pass in evaluation mode and fp32, once it is warm.

    Runs last until there are 200, or 0.3 s have gone by and there are 7.

    Args:
        network: An architecture, which is built with random weights, or a module.
        batch: Rows.
        device: Where it runs; picked by itself if None.
        input: The input signals or shape, where the network does not know them.
        length: Steps of sequences whose length depends on the data.

    Raises:
        SpaceError: If the input is not known.
    """
    place = resolve_device(device)
    with seeded(0, place), torch.inference_mode():
        if isinstance(network, Architecture):
            signals = as_signals(input) if input is not None else network.input
            model = network.build(signals)
        else:
            signals, model = as_signals(input), network
        was_training = model.training
        model = model.to(place).eval()
        inputs = example_inputs(signals, batch, place, length)
        seconds = _warm(model, inputs, place)
        model.train(was_training)
    return 1000 * statistics.median(seconds)


def _warm(model: nn.Module, inputs: tuple[torch.Tensor, ...], device: torch.device) -> list[float]:
    """Seconds of the runs after the first few."""
    begun, seconds = time.perf_counter(), [_timed(model, inputs, device) for _ in range(WARM_RUNS)]
    while time.perf_counter() - begun < WARM_SECONDS:
        seconds.append(_timed(model, inputs, device))
    begun, seconds = time.perf_counter(), []
    while len(seconds) < MOST_RUNS:
        seconds.append(_timed(model, inputs, device))
        if len(seconds) >= LEAST_RUNS and time.perf_counter() - begun > ENOUGH_SECONDS:
            break
    return seconds


def _timed(model: nn.Module, inputs: tuple[torch.Tensor, ...], device: torch.device) -> float:
    _wait(device)
    begun = time.perf_counter()
    model(*inputs)
    _wait(device)
    return time.perf_counter() - begun


def _wait(device: torch.device) -> None:
    """Until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
