"""Reads the models of published surrogates without executing anything: their states are taken, their code is not."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasturtium.benchmarks import unpickle
from nasturtium.benchmarks.forest import Forest
from nasturtium.benchmarks.table import BenchmarkError
from nasturtium.benchmarks.unpickle import UnpickleError

CLASSES = (
    ("lightgbm.basic", "Booster"), ("lightgbm.sklearn", "LGBMRegressor"), ("xgboost.core", "Booster"),
    ("sklearn.multioutput", "RegressorChain"), ("sklearn.preprocessing._data", "StandardScaler"),
    ("sklearn.preprocessing.data", "StandardScaler"), ("scipy.stats.kde", "gaussian_kde"),
    ("scipy.stats._kde", "gaussian_kde"),
)  # fmt: skip
"""The classes of the models; each is read as :class:`Captured`."""

WRAPPER = ("joblib.numpy_pickle", "NumpyArrayWrapper")
LARGEST = 1 << 30
"""Bytes of the largest array in a file of joblib."""


class Captured:
    """An object of which only the state was read.

    Attributes:
        state: Its attributes.
    """

    def __init__(self, *_: Any) -> None:
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}


class _Wrapper(Captured):
    """What joblib writes before the bytes of an array."""


def model(path: Path) -> Any:
    """The content of a ``surrogate_model.model``, written by pickle or joblib; models in it are ``Captured``.

    Raises:
        UnpickleError: If it asks for anything else, or cannot be read.
    """
    with open(path, "rb") as file:
        try:
            return _Joblib(file, str(path)).load()
        except (UnpickleError, BenchmarkError):
            raise
        except Exception as error:  # a damaged pickle may raise anything
            raise UnpickleError(f"{path} cannot be read as a model: {type(error).__name__}: {error}") from None


_InPython: Any = pickle._Unpickler


class _Joblib(_InPython):  # type: ignore[misc]
    """The unpickler of Python in Python, for arrays that stand between the instructions."""

    dispatch = dict(_InPython.dispatch)

    def __init__(self, file: Any, name: str) -> None:
        super().__init__(file)
        self.name, self.file = name, file
        taken = {each: type("Captured", (Captured,), {}) for each in CLASSES}  # of this file alone
        self.wrapper = type("Wrapper", (_Wrapper,), {})
        raw = unpickle.Maker(lambda content=b"", encoding="latin1": _bytes(content, encoding))
        self.allowed = {**unpickle.KNOWN, **taken, WRAPPER: self.wrapper, ("builtins", "bytearray"): raw}

    def find_class(self, module: str, name: str) -> Any:
        """Only what :data:`CLASSES` and the unpickler of tables name."""
        found = self.allowed.get((module, name))
        if found is None:
            raise UnpickleError(
                f"{self.name} asks for {module}.{name}, which no model needs that is read: it is refused"
            )
        return found

    def load_build(self) -> None:
        """Sets a state; where it is that of an array of joblib, its bytes follow."""
        super().load_build()
        if isinstance(self.stack[-1], _Wrapper):
            self.stack.append(self._array(self.stack.pop().state))

    dispatch[pickle.BUILD[0]] = load_build

    def _array(self, state: dict[str, Any]) -> Any:
        kind, shape = state["dtype"].dtype, tuple(int(size) for size in state["shape"])
        if state.get("numpy_array_alignment_bytes") is not None:
            self.file.read(self.file.read(1)[0])
        size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
        if not 0 <= size <= LARGEST:
            raise UnpickleError(f"{self.name} has an array of {size:,} bytes")
        return np.frombuffer(self.file.read(size), kind).reshape(shape, order=state["order"])


def _bytes(content: Any, encoding: str) -> bytes:
    if isinstance(content, int):
        raise UnpickleError("bytes of a given length without content are refused")
    return content.encode(encoding) if isinstance(content, str) else bytes(content)


def lightgbm(booster: Any, path: Path) -> Forest:
    """The trees of a captured LightGBM booster, whose predictions are added; LightGBM itself is not needed.

    Raises:
        BenchmarkError: If it is none, or its trees are of a kind that is not read.
    """
    state = booster.state if isinstance(booster, Captured) else {}
    text = state.get("_handle") or state.get("handle")
    if not isinstance(text, str) or not text.startswith("tree"):
        raise BenchmarkError(f"{path} holds no LightGBM model")
    if "average_output" in text.split("Tree=", 1)[0]:
        raise BenchmarkError(f"{path} holds a LightGBM forest whose trees are averaged; only boosted trees are read")
    blocks = [_block(part) for part in text.split("end of trees")[0].split("\nTree=")[1:]]
    trees = [_tree(block, path) for block in blocks]
    starts = np.cumsum([0, *[len(tree[0]) for tree in trees]]).astype(np.int32)
    shift = np.repeat(starts[:-1], [len(tree[0]) for tree in trees])
    feature, threshold, left, right, value = (np.concatenate([tree[place] for tree in trees]) for place in range(5))
    children = [np.where(feature < 0, 0, side + shift).astype(np.int32) for side in (left, right)]
    return Forest(feature.astype(np.int32), threshold, children[0], children[1], value, starts[:-1])


def _block(part: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in part.splitlines() if "=" in line)


def _tree(block: dict[str, str], path: Path) -> tuple[Any, ...]:
    """One tree: inner nodes first, then leaves. A child is an inner node from 0 on, or a leaf as -1, -2, ..."""
    if int(block.get("num_cat", 0)) or int(block.get("is_linear", 0)):
        raise BenchmarkError(f"{path} holds trees with categories or linear leaves, which are not read")

    def numbers(name: str) -> Any:
        return np.array(block.get(name, "").split(), dtype=np.float64)

    leaves, splits = numbers("leaf_value"), numbers("split_feature")
    inner = len(splits)
    sides = [np.where(side < 0, inner - side - 1, side) for side in (numbers("left_child"), numbers("right_child"))]
    pad = np.zeros(len(leaves))
    feature = np.concatenate([splits, pad - 1])
    value = np.concatenate([np.zeros(inner), leaves])
    return feature, np.concatenate([numbers("threshold"), pad]), *[np.concatenate([s, pad]) for s in sides], value


def members(folder: Path) -> Sequence[Path]:
    """The models of an ensemble: one folder each.

    Raises:
        BenchmarkError: If there is none.
    """
    found = sorted(folder.rglob("*surrogate_model.model"))
    if not found:
        raise BenchmarkError(f"{folder} holds no surrogate_model.model")
    return found
