"""Reads pickles of numbers, texts and arrays without executing anything; whatever else a file asks for is refused."""

from __future__ import annotations

import bz2
import io
import pickle
import zipfile
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from nasturtium.errors import NasturtiumError

MAGIC = 0x1950A86A20F9469CFC6C
"""The first object of a file that torch wrote before 1.6."""

PLAIN = "biufcSUV?"
"""Kinds of numpy types that hold no objects."""


class UnpickleError(NasturtiumError):
    """A pickle asks for what a table of results has no need of, or is damaged."""


def load(path: Path | str, count: int = 1, allowed: Mapping[tuple[str, str], Any] | None = None) -> Any:
    """The object of a pickle file, also one compressed with bz2 (``.pbz2``).

    Args:
        path: The file.
        count: How many pickles follow each other in it; with more than one they come as a list.
        allowed: What may be asked for besides numpy arrays and numbers, by (module, name).

    Raises:
        UnpickleError: If the pickle asks for anything else, or cannot be read.
    """
    with open(path, "rb") as file:
        start = file.read(3)
        file.seek(0)
        stream: Any = bz2.BZ2File(file) if start == b"BZh" else file
        found = [_object(stream, str(path), allowed) for _ in range(count)]
    return found[0] if count == 1 else found


def loads(content: bytes, name: str = "pickle", allowed: Mapping[tuple[str, str], Any] | None = None) -> Any:
    """The object of a pickle in memory."""
    return _object(io.BytesIO(content), name, allowed)


def load_torch(path: Path | str) -> Any:
    """The object of a file that ``torch.save`` wrote, of any version; tensors come as None.

    Raises:
        UnpickleError: If the file asks for anything but numbers, texts, arrays and tensors, or cannot be read.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            inner = [name for name in archive.namelist() if name.endswith("data.pkl")]
            if len(inner) != 1:
                raise UnpickleError(f"{path} is a zip file, but none that torch wrote")
            return loads(archive.read(inner[0]), str(path), TENSORS)
    with open(path, "rb") as file:
        first = _object(file, str(path), TENSORS)
        if first != MAGIC:
            return first
        _object(file, str(path), TENSORS), _object(file, str(path), TENSORS)  # version, and facts about the machine
        return _object(file, str(path), TENSORS)


def _object(stream: BinaryIO, name: str, allowed: Mapping[tuple[str, str], Any] | None) -> Any:
    try:
        return _Restricted(stream, name, allowed or {}).load()
    except NasturtiumError:
        raise
    except Exception as error:  # a damaged pickle may raise anything
        raise UnpickleError(f"{name} cannot be read as a pickle: {type(error).__name__}: {error}") from None


class _Restricted(pickle.Unpickler):
    """An unpickler that makes plain objects, numpy numbers and numpy arrays, and nothing else."""

    def __init__(self, stream: BinaryIO, name: str, allowed: Mapping[tuple[str, str], Any]) -> None:
        super().__init__(stream)
        self.name, self.allowed = name, {**KNOWN, **allowed}

    def find_class(self, module: str, name: str) -> Any:
        """What a pickle may ask for; everything else is refused by its name."""
        found = self.allowed.get((module, name))
        if found is None:
            raise UnpickleError(f"{self.name} asks for {module}.{name}, which no table of results needs: it is refused")
        return found

    def persistent_load(self, pid: Any) -> Any:
        """The storage of a tensor, which is not read."""
        return None


class Maker:
    """A function that a pickle can call, and cannot change."""

    __slots__ = ("_call",)

    _call: Callable[..., Any]

    def __init__(self, call: Callable[..., Any]) -> None:
        object.__setattr__(self, "_call", call)

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setattr__(self, name: str, value: Any) -> None:
        raise UnpickleError(f"a pickle that sets {name} of what it may only call is refused")

    def __setstate__(self, state: Any) -> None:
        raise UnpickleError("a pickle that sets the state of what it may only call is refused")


class _Type:
    """A numpy type while it is made; what it is of is fixed from the beginning, so its state is not needed."""

    def __new__(cls, code: Any, *_: Any) -> Any:
        made = np.dtype(code) if isinstance(code, str) else None
        if made is None or made.kind not in PLAIN or made.hasobject:
            raise UnpickleError(f"a numpy type {code!r} holds objects, which no table of results needs: it is refused")
        self = object.__new__(cls)
        self.dtype = made
        return self

    dtype: np.dtype[Any]

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">", "="):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array(list[Any]):
    """A numpy array while it is made: a list, so that it can be filled afterwards."""

    def __init__(self, *_: Any) -> None:
        super().__init__()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, fortran, content = state
        if not isinstance(kind, _Type) or not isinstance(content, bytes):
            raise UnpickleError("an array of objects, which no table of results needs, is refused")
        flat = np.frombuffer(content, kind.dtype)
        self.extend(flat.reshape(shape, order="F" if fortran else "C").tolist())


def _scalar(kind: Any, content: bytes) -> Any:
    """A numpy number as a plain one."""
    if not isinstance(kind, _Type) or not isinstance(content, bytes | str):
        raise UnpickleError("a numpy number of an unknown type is refused")
    raw = content.encode("latin1") if isinstance(content, str) else content
    return np.frombuffer(raw, kind.dtype)[0].item()


def _from_buffer(content: Any, kind: Any, shape: tuple[int, ...], order: str) -> list[Any]:
    """A numpy array as protocol 5 writes it, as a list."""
    made = _Array()
    made.__setstate__(
        (1, shape, kind, order == "F", bytes(content) if isinstance(content, bytes | bytearray) else None)
    )
    return made


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    """Bytes as old protocols write them."""
    if encoding != "latin1":
        raise UnpickleError(f"bytes in the encoding {encoding!r} are refused")
    return text.encode("latin1")


def _grouped(kind: Any = None) -> Any:
    """A ``defaultdict`` as a plain dictionary is filled the same."""
    return defaultdict(kind if kind in (dict, list, int, float, set) else None)


def _nothing(*_: Any) -> None:
    """What stands for a tensor."""


KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "defaultdict"): Maker(_grouped),
    ("_codecs", "encode"): Maker(_encoded),
    ("numpy", "dtype"): Maker(_Type),
    ("numpy", "ndarray"): Maker(_nothing),  # only named, as an argument
    **{(f"numpy.{core}.multiarray", "scalar"): Maker(_scalar) for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "_reconstruct"): Maker(_Array) for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): Maker(_from_buffer) for core in ("core", "_core")},
    **{(place, name): kind for place in ("builtins", "__builtin__")
       for name, kind in {"dict": dict, "list": list, "int": int, "float": float, "set": set,
                          "frozenset": frozenset, "complex": complex}.items()},
}  # fmt: skip
"""What pickles of results ask for, and what they get."""

TENSORS: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): Maker(_nothing),
    ("torch._utils", "_rebuild_tensor"): Maker(_nothing),
    ("torch._utils", "_rebuild_parameter"): Maker(_nothing),
    ("torch", "Size"): Maker(lambda sizes=(): tuple(sizes)),
    **{("torch", f"{kind}Storage"): Maker(_nothing)
       for kind in ("Float", "Double", "Half", "Long", "Int", "Short", "Byte", "Char", "Bool", "BFloat16")},
    **{("torch.storage", name): Maker(_nothing) for name in ("UntypedStorage", "TypedStorage", "_TypedStorage")},
}  # fmt: skip
"""What files of torch ask for besides; tensors are not needed, so they come as None."""
