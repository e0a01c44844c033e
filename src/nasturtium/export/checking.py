"""Whether an export computes what the trained network computes, on the same rows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import NasturtiumError
from nasturtium.export.trained import Trained

if TYPE_CHECKING:
    import torch

Array = npt.NDArray[Any]

TOLERANCE = 1e-4
"""Largest difference, as a share of 1 + max |y|."""
KEPT_TOLERANCE = 1e-2
"""Likewise to what another device gave when the network was trained, perhaps in lower precision."""

ALONE = """
import importlib.util, json, sys
for package in ("nasturtium", "numpy", "safetensors"):
    sys.modules[package] = None
import torch
torch.set_num_threads(1)
source, rows = sys.argv[1:]
found = importlib.util.spec_from_file_location("exported", source)
exported = importlib.util.module_from_spec(found)
sys.modules["exported"] = exported
found.loader.exec_module(exported)
given = torch.load(rows, weights_only=True)
output = exported.run(tuple(given["inputs"]))
expected = given["expected"]
same = output.shape == expected.shape and bool(torch.isfinite(output).all())
difference = (output.double() - expected.double()).abs().max().item() if same else None
print(json.dumps({"difference": difference, "shape": list(output.shape)}))
"""
"""Run in a process of its own, in which only torch can be imported."""


def expected_output(trained: Trained) -> Array:
    """What the trained network gives for the rows, of several outputs the first.

    Raises:
        NasturtiumError: If that is not finite, or not what it gave when it was trained.
    """
    output = run_model(trained.model, trained)
    if not np.isfinite(output).all():
        raise NasturtiumError(
            "the trained network gives outputs that are not finite, which no export can be verified on"
        )
    if trained.output is not None and trained.output.shape == output.shape:
        difference = float(np.abs(trained.output - output).max())
        if difference > KEPT_TOLERANCE * (1 + np.abs(output).max()):
            raise NasturtiumError(
                f"the weights do not belong to the rows kept beside them: outputs differ by {difference:.2g}; "
                "run the search again to train the best network anew"
            )
    return output


def run_model(model: torch.nn.Module, trained: Trained) -> Array:
    """The first output (N, K) of a module for the rows, in evaluation mode."""
    import torch

    training = model.training
    with torch.inference_mode():
        output: Any = model.eval()(*[torch.from_numpy(values) for values in trained.rows])
    model.train(training)
    first = output[0] if isinstance(output, tuple) else output
    return np.asarray(first.float().numpy())


def largest_difference(output: Array, expected: Array, what: str) -> float:
    """The largest difference between an export's output and the network's.

    Raises:
        NasturtiumError: If it is more than 1e-4 (1 + max |y|).
    """
    fits = output.shape == expected.shape and bool(np.isfinite(output).all())
    difference = float(np.abs(output.astype(np.float64) - expected).max()) if fits else None
    return judged(difference, output.shape, expected, what)


def judged(difference: float | None, shape: tuple[int, ...], expected: Array, what: str) -> float:
    """The difference, if it is small enough; None stands for outputs of another shape, or that are not finite."""
    bound = TOLERANCE * (1 + float(np.abs(expected).max()))
    if difference is None:
        raise NasturtiumError(
            f"the {what} gives {shape} for {expected.shape}, or numbers that are not finite; not kept"
        )
    if difference > bound:
        raise NasturtiumError(
            f"the {what} differs from the trained network by {difference:.2g}, more than {bound:.2g}; it was not kept"
        )
    return difference


def check_source(file: Path, trained: Trained, expected: Array) -> float:
    """Run an exported .py in a process that can import torch alone; gives the largest difference.

    Raises:
        NasturtiumError: If it does not run, or gives something else than the trained network.
    """
    import torch

    rows = file.with_suffix(".rows")
    given = [torch.from_numpy(values) for values in trained.rows]
    torch.save({"inputs": given, "expected": torch.from_numpy(expected)}, rows)
    command = [sys.executable, "-I", "-c", ALONE, str(file), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    rows.unlink()
    if done.returncode:
        last = "; ".join(done.stderr.strip().splitlines()[-3:]) or f"exit code {done.returncode}"
        raise NasturtiumError(f"the exported source does not run by itself: {last}; it was not kept")
    said = json.loads(done.stdout.splitlines()[-1])
    return judged(said["difference"], tuple(said["shape"]), expected, "exported source")
