"""Numbers drawn from a seed through torch's global generators, which are afterwards as they were."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def own_numbers(seed: int) -> Iterator[None]:
    """Inside, whatever is drawn follows from a seed; afterwards all global generators are as they were.

    ``torch.manual_seed`` would seed those of every CUDA device, also of devices that are first used later, and
    ``torch.random.fork_rng`` brings back those of the devices that it is told of alone. So those that are in use are
    seeded one by one, all of which come back.
    """
    used = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    devices = list(range(torch.cuda.device_count())) if used else []
    with torch.random.fork_rng(devices), _metal(seed):
        torch.default_generator.manual_seed(seed)
        for device in devices:
            torch.cuda.default_generators[device].manual_seed(seed)
        yield


@contextlib.contextmanager
def _metal(seed: int) -> Iterator[None]:
    """The same for the one generator of Apple's GPUs."""
    if not torch.backends.mps.is_available():
        yield
        return
    state = torch.mps.get_rng_state()
    torch.mps.manual_seed(seed)
    try:
        yield
    finally:
        torch.mps.set_rng_state(state)
