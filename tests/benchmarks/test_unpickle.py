"""Pickles of numbers are read; whatever would execute something is refused."""

from __future__ import annotations

import bz2
import collections
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from nasturtium.benchmarks import unpickle
from nasturtium.benchmarks.unpickle import UnpickleError


class Evil:
    """An object whose pickle calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.function, self.arguments


PLAIN = {
    "numbers": [1, 2.5, -3, True, None, 10**30],
    "ordered": collections.OrderedDict(a=1),
    ("cifar10", 777): {"x-valid@0": 10.0},
    "grouped": collections.defaultdict(list, {"a": [1]}),
    "set": {1, 2},
    "text": "|none~0|",
    "bytes": b"\x00\xff",
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_objects_come_back(protocol: int) -> None:
    assert unpickle.loads(pickle.dumps(PLAIN, protocol)) == PLAIN


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_and_numbers_of_numpy_come_as_plain_ones(protocol: int) -> None:
    held = {
        "scalar": np.float32(0.5),
        "int": np.int64(7),
        "bool": np.bool_(True),
        "array": np.arange(6, dtype=">i4").reshape(2, 3),
        "fortran": np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]),
    }
    found = unpickle.loads(pickle.dumps(held, protocol))
    assert found["scalar"] == 0.5
    assert (found["int"], found["bool"]) == (7, True)
    assert found["array"] == [[0, 1, 2], [3, 4, 5]]
    assert found["fortran"] == [[1.0, 2.0], [3.0, 4.0]]


EVIL = [
    Evil(os.system, "echo pwned"),
    Evil(eval, "1 + 1"),
    Evil(exec, "import os"),
    Evil(subprocess.Popen, ["true"]),
    Evil(getattr, {}, "keys"),
    Evil(open, "/etc/passwd"),
    Evil(__import__, "os"),
    Evil(pickle.loads, b"N."),
    Evil(np.load, "x"),
    np.array([Evil(os.system, "echo pwned")], dtype=object),
    Path("/"),
]


@pytest.mark.parametrize("evil", EVIL, ids=lambda each: getattr(getattr(each, "function", each), "__name__", "object"))
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_executes_is_refused(evil: Any, protocol: int, tmp_path: Path) -> None:
    content = pickle.dumps({"arch2infos": evil}, protocol)
    with pytest.raises(UnpickleError, match="refused"):
        unpickle.loads(content)
    with pytest.raises(UnpickleError, match="refused"):
        unpickle.loads(content, allowed=unpickle.TENSORS)
    file = tmp_path / "x.pickle.pbz2"
    file.write_bytes(bz2.compress(content))
    with pytest.raises(UnpickleError, match="refused"):
        unpickle.load(file)


def test_nothing_that_is_given_can_be_changed_by_a_pickle() -> None:
    """BUILD with a state of two parts sets attributes of what was looked up."""
    setting = b"\x80\x04cnumpy.core.multiarray\nscalar\nN}(\x8c\x05_callc_codecs\nencode\nu\x86b."
    with pytest.raises(UnpickleError):
        unpickle.loads(setting)
    assert unpickle.loads(pickle.dumps(np.float64(2.0), 4)) == 2.0


def test_damaged_files_are_named(tmp_path: Path) -> None:
    file = tmp_path / "cut.pickle"
    file.write_bytes(pickle.dumps(PLAIN)[:-20])
    with pytest.raises(UnpickleError, match=r"cut\.pickle cannot be read as a pickle"):
        unpickle.load(file)


def test_several_pickles_in_one_file(tmp_path: Path) -> None:
    file = tmp_path / "two.pickle"
    file.write_bytes(pickle.dumps({"a": 1}) + pickle.dumps([1, 2]))
    assert unpickle.load(file, count=2) == [{"a": 1}, [1, 2]]


@pytest.mark.parametrize("zipped", [True, False])
def test_files_of_torch_are_read_without_their_tensors(zipped: bool, tmp_path: Path) -> None:
    file, held = tmp_path / "x.pth", {"weights": torch.ones(3), "acc": {"x-valid@0": 1.5}, "flop": np.float64(2.0)}
    torch.save(held, file, _use_new_zipfile_serialization=zipped)
    assert unpickle.load_torch(file) == {"weights": None, "acc": {"x-valid@0": 1.5}, "flop": 2.0}
    torch.save({"arch2infos": Evil(os.system, "echo pwned")}, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UnpickleError, match=r"system.*refused"):
        unpickle.load_torch(file)
