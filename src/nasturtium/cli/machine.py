"""What is installed and what the machine can do: versions, extras, devices, threads, memory, disk, speed."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import statistics
import sys
import time
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "polars", "sqlalchemy", "safetensors", "networkx")
NAME = re.compile(r"^[A-Za-z0-9._-]+")
EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
DEVELOPMENT = ("dev", "testing")
SPEED_SECONDS = 4.0
"""How long the speed of one device is measured; of two devices, less than ten seconds in all."""
BATCH, CHANNELS, SIDE = 64, (3, 32, 64), 32


def versions() -> dict[str, str]:
    """The releases that results and errors depend on."""
    found = {"nasturtium": installed("nasturtium") or "from source", "python": platform.python_version()}
    found["system"] = platform.platform()
    return found | {name: installed(name) or "missing" for name in PACKAGES}


def installed(name: str) -> str | None:
    """The release of a package, or None."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def extras() -> dict[str, dict[str, Any]]:
    """For each extra whether it is there, what is missing of it, and how to get that."""
    wanted: dict[str, list[str]] = {}
    with contextlib.suppress(PackageNotFoundError):  # run from a folder that was not installed: nothing is known
        for line in requires("nasturtium") or ():
            needed, _, marker = line.partition(";")
            extra, name = EXTRA.search(marker), NAME.match(needed)
            if extra and name and extra[1] not in DEVELOPMENT and for_this_system(marker):
                wanted.setdefault(extra[1], []).append(name[0])
    found = {}
    for extra_name, names in wanted.items():
        missing = [name for name in names if installed(name) is None]
        found[extra_name] = {"present": not missing, "missing": missing}
        if missing:
            found[extra_name]["install"] = f"pip install 'nasturtium[{extra_name}]'"
    return found


def for_this_system(marker: str) -> bool:
    """Whether a requirement is meant for this system, as far as its marker says."""
    return "sys_platform" not in marker or f"'{sys.platform}'" in marker.replace('"', "'")


def threads() -> dict[str, Any]:
    """Processors, and how many of them may be used here."""
    able = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found: dict[str, Any] = {"processors": os.cpu_count(), "usable": able}
    found["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS")
    if hasattr(os, "getloadavg"):
        found["load"] = round(os.getloadavg()[0], 2)
    return found


def memory() -> dict[str, int]:
    """Bytes of memory: in all, available now, and what a container may use, if it is less."""
    import psutil

    known = psutil.virtual_memory()
    found = {"total": int(known.total), "available": int(known.available)}
    with contextlib.suppress(OSError, ValueError):  # no container, or no limit ("max")
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        if limit < known.total:
            found["container"] = limit
    return found


def disk(folder: Path) -> dict[str, Any]:
    """Bytes of the disk that holds a folder, and whether it may be written."""
    there = folder.resolve()
    while not there.exists():
        there = there.parent
    usage = shutil.disk_usage(there)
    return {"folder": str(there), "total": usage.total, "free": usage.free, "writable": os.access(there, os.W_OK)}


def devices() -> list[dict[str, Any]]:
    """Where networks can be trained, each with its speed."""
    import torch

    found: list[dict[str, Any]] = [{"device": "cpu", "threads": torch.get_num_threads()}]
    for number in range(torch.cuda.device_count()):
        known = torch.cuda.get_device_properties(number)
        found.append({"device": f"cuda:{number}", "name": known.name, "memory": known.total_memory})
    if torch.backends.mps.is_available():
        found.append({"device": "mps", "memory": torch.mps.recommended_max_memory()})
    for each in found[:2]:
        each["gflops"] = round(speed(each["device"]), 1)
    return found


def speed(device: str) -> float:
    """GFLOP/s of training steps of a fixed small convolutional network, by the median step."""
    import torch

    first, second, third = CHANNELS
    model = torch.nn.Sequential(
        torch.nn.Conv2d(first, second, 3, padding=1), torch.nn.ReLU(),
        torch.nn.Conv2d(second, third, 3, padding=1), torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(third, 10),
    ).to(device)  # fmt: skip
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01)
    inputs, targets = torch.randn(BATCH, first, SIDE, SIDE, device=device), torch.arange(BATCH, device=device) % 10
    taken: list[float] = []
    deadline = time.perf_counter() + SPEED_SECONDS
    while len(taken) < 3 or (time.perf_counter() < deadline and len(taken) < 30):
        begun = time.perf_counter()
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        loss.item()  # waits for the device
        taken.append(time.perf_counter() - begun)
    return step_flops() / statistics.median(taken[1:]) / 1e9


def step_flops() -> float:
    """Operations of one training step: forward, and twice as many backward but for the first layer's input."""
    first, second, third = CHANNELS
    pixels = BATCH * SIDE * SIDE
    one, two = 2 * 9 * first * second * pixels, 2 * 9 * second * third * pixels
    return float(2 * one + 3 * two + 3 * 2 * BATCH * third * 10)
