"""Notes how every module of a network was constructed: its class, its arguments, and the layer that asked for it."""

from __future__ import annotations

import inspect
import sys
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

from nasturtium.layers import container

if TYPE_CHECKING:
    from torch import nn

    from nasturtium.space import Architecture

BUILDERS: frozenset[CodeType] = frozenset(f.__code__ for f in (container._assemble, container._child))
"""Where a layer becomes a module; both leave a value with the attribute ``module``."""

WINDOWS = ("kernel_size", "stride", "padding", "dilation", "output_size")


@dataclass(frozen=True)
class Argument:
    """One argument of a constructor.

    Attributes:
        keyword: Its name; None for those of ``*args``.
        value: What was given, or the default.
        default: The default; ``inspect.Parameter.empty`` where there is none.
        named: Whether it can be given by its name alone.
    """

    keyword: str | None
    value: Any
    default: Any = inspect.Parameter.empty
    named: bool = False

    @property
    def positional(self) -> bool:
        """Whether it is written without its name."""
        return self.keyword is None or (self.default is inspect.Parameter.empty and not self.named)


@dataclass(frozen=True)
class Record:
    """How the modules of a network came to be.

    Attributes:
        model: The network as built, untrained.
        constructions: The arguments of each module by its ``id``.
        layers: The layer that each module was built for, by the ``id`` of the module.
        held: All modules met, so that no ``id`` is used twice.
    """

    model: nn.Module
    constructions: dict[int, tuple[Argument, ...]]
    layers: dict[int, Any]
    held: list[Any]


def record(architecture: Architecture) -> Record:
    """Build an architecture and note how.

    A profiling function sees each ``__init__`` as it begins: the first one on an object is that of its own class, with
    the arguments as they were given. Nothing of torch is patched, and what ran before runs on.
    """
    from torch import nn

    constructions: dict[int, tuple[Argument, ...]] = {}
    layers: dict[int, Any] = {}
    held: list[Any] = []

    def note(frame: FrameType, event: str, result: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_name == "__init__" and code.co_argcount:
            made = frame.f_locals.get(code.co_varnames[0])
            if isinstance(made, nn.Module) and id(made) not in constructions:
                held.append(made)
                constructions[id(made)] = _arguments(made, frame)
        elif event == "return" and code in BUILDERS and result is not None:
            layers.setdefault(id(result.module), frame.f_locals["part"])

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        model = architecture.build()
    finally:
        sys.setprofile(before)
    layers.setdefault(id(model), architecture.value)
    return Record(model, constructions, layers, held)


def _arguments(made: Any, frame: FrameType) -> tuple[Argument, ...]:
    """The arguments of the constructor that begins to run in ``frame``."""
    values = frame.f_locals
    arguments: list[Argument] = []
    for parameter in list(inspect.signature(type(made).__init__).parameters.values())[1:]:
        value = values.get(parameter.name)
        if parameter.kind is parameter.VAR_POSITIONAL:
            arguments += [Argument(None, item) for item in value or ()]
        elif parameter.kind is parameter.VAR_KEYWORD:
            arguments += [Argument(name, item, named=True) for name, item in (value or {}).items()]
        else:
            named = parameter.kind is parameter.KEYWORD_ONLY
            arguments.append(Argument(parameter.name, _simple(parameter.name, value), parameter.default, named))
    return tuple(arguments)


def _simple(name: str, value: Any) -> Any:
    """One number for a window as long as wide: torch takes both."""
    square = name in WINDOWS and isinstance(value, tuple) and len(value) == 2 and value[0] == value[1]
    return value[0] if square else value
