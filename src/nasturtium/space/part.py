"""Parts: the frozen values that spaces and architectures are made of, and the layers through which signals flow."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Generator
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, dataclass_transform

from nasturtium.errors import SpaceError
from nasturtium.space.fields import Kinds, check_value, kinds_of, no_layer
from nasturtium.space.plain import hashable, kinds
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch

PARTS: dict[str, type[Part]] = {}
"""Every concrete part by its tag (the class name), which is permanent: text and hashes are made of tags."""


class Cost(NamedTuple):
    """What a layer costs for one example: parameters, and FLOPs (two for each multiply-accumulate)."""

    params: int = 0
    flops: int = 0

    def __add__(self, other: object) -> Cost:
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(self.params + other.params, self.flops + other.flops)


class Wire(NamedTuple):
    """What a container handles while signals are inferred: the signal, and the decisions that shaped it.

    Attributes:
        signal: The signal on the wire.
        fed_by: The decisions that shaped it, as a bit mask: bit n for decision n.
    """

    signal: Signal
    fed_by: int = 0


class Slot(NamedTuple):
    """A child of a container at its place, as ``wire`` sees it."""

    key: str
    part: Any


class Open:
    """Something left open in a part; see :class:`nasturtium.space.choice.Choice`."""

    @property
    def of_layers(self) -> bool:
        """Whether it takes the place of a layer."""
        return False


Wiring = Generator[tuple[Any, ...], Any, Any]
"""What ``wire`` is: it yields (child, wire, ...) and is sent the wire (or tuple of wires) that leaves."""


@dataclass_transform(frozen_default=True)
class Part:
    """A frozen value whose fields are plain values, tuples, choices or other parts.

    A subclass becomes a frozen dataclass, known to the parser by its class name. Its first field is positional in text,
    the others named; with ``variadic`` set, that tuple field takes all positional arguments that are left.
    """

    variadic: ClassVar[str | None] = None
    fields: ClassVar[tuple[str, ...]] = ()
    defaults: ClassVar[dict[str, Any]] = {}
    _kinds: ClassVar[dict[str, Kinds]] = {}
    _checked: ClassVar[set[tuple[type, ...]]] = set()

    def __init_subclass__(cls, abstract: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        notes = inspect.get_annotations(cls)
        own = {name: kinds for name, note in notes.items() if (kinds := kinds_of(note)) is not None}
        cls._kinds = {name: kinds for name, kinds in cls._kinds.items() if name not in notes} | own
        cls._checked = set()
        if cls._kinds and not hasattr(cls, "__post_init__"):
            cls.__post_init__ = cls.check_fields  # type: ignore[attr-defined]
        dataclasses.dataclass(frozen=True, eq=False, repr=False)(cls)
        declared = dataclasses.fields(cls)  # type: ignore[arg-type]
        cls.fields = tuple(field.name for field in declared)
        cls.defaults = {f.name: f.default for f in declared if f.default is not dataclasses.MISSING}
        if abstract:
            return
        known = PARTS.get(cls.__name__)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise SpaceError(
                f"two parts are called {cls.__name__!r} ({known.__module__} and {cls.__module__}): "
                "the name is the tag in texts and hashes, so it must be unique; rename one"
            )
        PARTS[cls.__name__] = cls

    def check_fields(self) -> None:
        """Check the values of fields whose annotation names plain kinds; every constructor of a dataclass does it.

        Derivations put in options without a constructor, so that it is done for what users write.

        Raises:
            SpaceError: If one is of another kind.
        """
        state = self.__dict__
        types = tuple(map(type, state.values()))
        if types in self._checked:  # layers that wirings make on the fly: nothing is looked at twice
            return
        tag = type(self).__name__
        every = [check_value(tag, name, state[name], kinds) for name, kinds in self._kinds.items()]
        if all(every):
            self._checked.add(types)

    @property
    def values(self) -> tuple[Any, ...]:
        """The field values in order."""
        return tuple([self.__dict__[name] for name in self.fields])

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Part) or type(self) is not type(other):
            return False
        mine, others = self.__dict__, other.__dict__
        # The hash tells 1 from 1.0 and True, which Python holds equal but texts do not.
        if (mine.get("_hash") or hash(self)) != (others.get("_hash") or hash(other)):
            return False
        return all(mine[name] is others[name] or mine[name] == others[name] for name in self.fields)

    def __hash__(self) -> int:
        state = self.__dict__
        known: int | None = state.get("_hash")
        if known is None:
            values = self.values
            try:
                known = state["_hash"] = hash((type(self).__name__, values, kinds(values)))
            except TypeError:
                loose = next(name for name in self.fields if not hashable(state[name]))
                what = f"{type(self).__name__} holds {state[loose]!r} as {loose}, which can change"
                raise SpaceError(f"{what}: use numbers, strings, tuples or parts") from None
        return known

    def __getstate__(self) -> dict[str, Any]:
        # Cached entries do not travel: string hashes differ between processes.
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_")}

    def __repr__(self) -> str:
        from nasturtium.space.text import to_text

        return to_text(self)

    __str__ = __repr__

    def with_values(self, values: dict[str, Any]) -> Self:
        """The same part with some fields replaced."""
        state = {name: values.get(name, self.__dict__[name]) for name in self.fields}
        if self.variadic is not None:
            rest = state.pop(self.variadic)
            before = [state.pop(name) for name in self.fields[: self.fields.index(self.variadic)]]
            return type(self)(*before, *rest, **state)
        made = object.__new__(type(self))
        made.__dict__.update(state)
        return made

    @property
    def is_open(self) -> bool:
        """Whether a choice is left anywhere inside."""
        state = self.__dict__
        known: bool | None = state.get("_open")
        if known is None:
            known = state["_open"] = is_open(self.values)
        return known

    def align(self, closed: Part) -> Part | None:
        """Lay ``closed`` out as this open part is, or None if this part cannot close to it.

        A part that closes to a shorter form of itself (equal copies written once) overrides it.
        """
        return closed if type(self) is type(closed) else None


class Layer(Part, abstract=True):
    """A part through which signals flow.

    A leaf implements ``signal``, ``cost`` and ``module``; a container implements ``wire`` alone (and inherits
    ``module`` from :class:`nasturtium.layers.Container`).
    """

    uses_mask: ClassVar[bool] = False
    changes_mask: ClassVar[bool] = False
    commutative: ClassVar[bool] = False
    total: ClassVar[bool] = False
    """Whether the layer works on any one signal of numbers, of known sizes and without padding: nobody has to ask."""
    steady: ClassVar[bool] = False
    """Whether, as its author knows, it works and gives one signal whatever is decided inside: nobody has to try."""
    passes: ClassVar[bool] = False
    """Whether it hands on the values that reach it, all or some, in their order or another: nothing is kept for it."""
    beside: ClassVar[tuple[str, ...]] = ()
    """Fields that are no part of the graph and yet tell two architectures apart: how one is to be trained."""

    def signal(self, *inputs: Signal) -> Signal | tuple[Signal, ...]:
        """The signal that leaves for the signals that come in.

        Raises:
            Mismatch: If the layer cannot work on them.
        """
        raise SpaceError(f"{type(self).__name__} has neither a signal rule nor a wiring")

    def cost(self, *inputs: Signal) -> Cost:
        """Parameters and FLOPs for one example; nothing by default."""
        return Cost()

    def module(self, *inputs: Signal) -> torch.nn.Module:
        """The torch module for these input signals."""
        raise SpaceError(f"{type(self).__name__} has no torch module")


def is_container(part: object) -> bool:
    """Whether signals are routed through the children of ``part``."""
    return hasattr(part, "wire")


def is_open(value: Any) -> bool:
    """Whether a field value holds a choice."""
    if isinstance(value, Part):
        return value.is_open
    if isinstance(value, tuple):
        for item in value:  # noqa: SIM110 - asked at every step of a derivation, and a generator takes twice as long
            if is_open(item):
                return True
        return False
    return isinstance(value, Open)


def check_children(tag: str, children: tuple[Any, ...]) -> None:
    """Check that parts, or choices of them, stand where layers are to stand.

    Raises:
        SpaceError: If something else does; the text says where.
    """
    for place, child in enumerate(children):
        if not isinstance(child, (Part, Open)):
            raise no_layer(child, f"{tag}: child {place}")


def is_layer(value: Any) -> bool:
    """Whether ``value`` takes the place of a layer: a layer, or a choice among layers."""
    return isinstance(value, Layer) or (isinstance(value, Open) and value.of_layers)
