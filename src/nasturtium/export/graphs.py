"""A trained network as a graph for other runtimes: ONNX, and torch.export."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from nasturtium.errors import MissingExtra, NasturtiumError
from nasturtium.export.checking import largest_difference
from nasturtium.export.trained import Trained, input_names, open_lengths

if TYPE_CHECKING:
    import torch

Array = npt.NDArray[Any]


def write_program(trained: Trained, file: Path) -> None:
    """Write the network as a program of ``torch.export`` for batches of any size, with what surrounds it as JSON.

    Raises:
        NasturtiumError: If torch cannot trace a module; the text says what it says.
    """
    import torch

    with quiet():
        torch.export.save(traced(trained), file, extra_files={"nasturtium.json": _surroundings(trained)})


def check_program(file: Path, trained: Trained, expected: Array) -> float:
    """Run a written program, on all rows and on some; gives the largest difference."""
    import torch

    with quiet():
        module = torch.export.load(file).module()
    found = []
    for count in _batches(expected):
        with torch.inference_mode():
            output = module(*[torch.from_numpy(values[:count]) for values in full_rows(trained)])
        found.append(largest_difference(output.numpy(), expected[:count], ".pt2 program"))
    return max(found)


def write_onnx(trained: Trained, file: Path) -> None:
    """Write the network as ONNX for batches of any size, with what surrounds it in its metadata.

    Raises:
        MissingExtra: If a package is not installed.
        NasturtiumError: If an operator has no counterpart in ONNX; the text says which.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        _needs(package)
    import torch

    try:
        with quiet():
            made: Any = torch.onnx.export(
                traced(trained), dynamo=True, verbose=False, external_data=False, optimize=True,
                input_names=list(input_names(trained.architecture.input)), output_names=["output"],
            )  # fmt: skip
            made.model.metadata_props["nasturtium"] = _surroundings(trained)
            made.save(file, external_data=False)
    except NasturtiumError:
        raise
    except Exception as error:  # whatever the converter raises becomes one line for the user
        raise NasturtiumError(
            f"torch cannot convert the network to ONNX: {_reason(error)}; export to .pt2 or .py"
        ) from error


def check_onnx(file: Path, trained: Trained, expected: Array) -> float:
    """Run a written ONNX file with onnxruntime, on all rows and on some; gives the largest difference."""
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    names = input_names(trained.architecture.input)
    wanted, rows = {given.name for given in session.get_inputs()}, full_rows(trained)
    found = []
    for count in _batches(expected):
        given = {name: values[:count] for name, values in zip(names, rows, strict=True) if name in wanted}
        found.append(largest_difference(session.run(None, given)[0], expected[:count], "ONNX file"))
    return max(found)


def traced(trained: Trained) -> torch.export.ExportedProgram:
    """The network as a traced program, the batch of any size.

    Raises:
        NasturtiumError: If torch cannot trace a module.
    """
    import torch

    batch = torch.export.Dim("batch", min=1)
    rows = tuple(torch.from_numpy(np.ascontiguousarray(values[:7])) for values in full_rows(trained))
    try:
        with quiet():
            module = first_output(trained.model)
            return torch.export.export(module, rows, dynamic_shapes=(tuple({0: batch} for _ in rows),))
    except Exception as error:  # whatever the tracer raises becomes one line for the user
        raise NasturtiumError(f"torch cannot trace the network: {_reason(error)}; export to .py") from error


def full_rows(trained: Trained) -> list[Array]:
    """The rows, where lengths differ from batch to batch filled up to the longest there can be.

    Recurrent layers are traced for one length; padding changes nothing.
    """
    most = ((trained.preprocessing or {}).get("inputs") or {}).get("most", 0)
    return [_filled(values, most) if is_open else values for values, is_open in open_lengths(trained)]


def _filled(values: Array, steps: int) -> Array:
    missing = max(steps - values.shape[1], 0)
    return np.pad(values, [(0, 0), (0, missing), *[(0, 0)] * (values.ndim - 2)])


def first_output(model: torch.nn.Module) -> torch.nn.Module:
    """The network in evaluation mode, of several outputs the first."""
    from torch import Tensor, nn

    class FirstOutput(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = model

        def forward(self, *inputs: Tensor) -> Tensor:
            output: Any = self.network(*inputs)
            first: Tensor = output[0] if isinstance(output, tuple) else output
            return first

    return FirstOutput().eval()


@contextmanager
def quiet() -> Iterator[None]:
    """Without the notes and warnings that torch's exporters print."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _batches(expected: Array) -> list[int]:
    """All rows, and two batches of other sizes, one row included."""
    return [len(expected), min(3, len(expected)), 1]


def _surroundings(trained: Trained) -> str:
    """Architecture, classes and preprocessing, for whoever finds the file."""
    return json.dumps({
        "architecture": str(trained.architecture), "title": trained.title, "classes": list(trained.classes),
        "preprocessing": trained.preprocessing,
    })  # fmt: skip


def _needs(package: str) -> None:
    import importlib.util

    if importlib.util.find_spec(package) is None:
        raise MissingExtra(package, "export")


def _reason(error: BaseException) -> str:
    """The innermost cause in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else ''}"[:300]
