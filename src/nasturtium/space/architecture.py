"""Architectures: parts with nothing left open, as values with text, hash and decisions."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from nasturtium.errors import ParseError, SpaceError
from nasturtium.space.infer import Signals, cost_of, infer
from nasturtium.space.part import PARTS, Layer, Part, is_container
from nasturtium.space.signal import RANKS, Signal, as_signals
from nasturtium.space.text import from_text, to_text

if TYPE_CHECKING:
    import networkx
    import torch

    from nasturtium.space.points import Step
    from nasturtium.space.space import Space

FORMAT = 1
"""Version of the JSON form."""


class Origin(NamedTuple):
    """How an architecture came from others.

    Attributes:
        kind: ``mutation``, ``crossover`` or ``neighbour``.
        changed: Addresses at which it was asked to differ from its (first) parent.
        redrawn: Addresses whose decision was drawn anew because the parent's does not apply there any more.
    """

    kind: str
    changed: tuple[str, ...]
    redrawn: tuple[str, ...]


class Architecture:
    """A network with nothing left open: equal to another if their closed values are equal.

    It is light: it holds its space and its decisions, and makes the closed part when it is asked for.

    Attributes:
        space: The space it was derived in, or None if it stands alone.
        origin: How it came from other architectures, if it did; not part of its identity.
    """

    __slots__ = ("_canonical", "_decisions", "_hash", "_input", "_steps", "_value", "origin", "space")

    def __init__(
        self,
        value: Part | None = None,
        *,
        space: Space | None = None,
        decisions: tuple[int, ...] | None = None,
        input: Any = None,
        steps: Any = None,
    ) -> None:
        if value is None and (space is None or decisions is None):
            raise SpaceError("an architecture needs its value, or its space and decisions")
        if value is not None and value.is_open:
            raise SpaceError(f"{to_text(value)[:80]} has choices left open: sample from Space(...) to close them")
        self._value = value
        self._decisions = decisions
        self._input: Signals | None = as_signals(input) if input is not None else space.input if space else None
        self._steps = steps
        self._hash: str | None = None
        self._canonical: str | None = None
        self.space = space
        self.origin: Origin | None = None

    @property
    def value(self) -> Any:
        """The closed part."""
        if self._value is None:
            self._replay()
        return self._value

    @property
    def decisions(self) -> tuple[int, ...]:
        """The option taken at each choice of the space, in the order of derivation."""
        if self._decisions is None:
            if self.space is None:
                raise SpaceError("an architecture without a space has no decisions; use space.parse(text)")
            self._decisions = self.space.decisions(self)
        return self._decisions

    @property
    def steps(self) -> tuple[Step, ...]:
        """The decisions with their addresses and the options that were offered (derivation steps)."""
        if self._steps is None:
            self._replay()
        steps: tuple[Step, ...] = self._steps
        return steps

    def _replay(self) -> None:
        if self.space is None:
            raise SpaceError("an architecture without a space has no derivation; use space.parse(text)")
        derivation = self.space.replay(self.decisions)
        from nasturtium.space.points import settled

        self._value, self._steps = derivation.value, settled(derivation.trail)

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        state = {name: getattr(self, name) for name in self.__slots__}
        return None, {**state, "_steps": None}  # made again when asked for

    @property
    def input(self) -> Signals:
        """The signals the network receives.

        Raises:
            SpaceError: If neither a space nor an input is known.
        """
        if self._input is None and not isinstance(self.value, Layer):
            raise SpaceError(f"{type(self.value).__name__} is no layer: nothing goes in, and there is nothing to count")
        if self._input is None:
            raise SpaceError("the input of this architecture is not known; give input=(channels, height, width)")
        return self._input

    @property
    def output(self) -> Signal | Signals:
        """The signal the network gives."""
        return infer(self.value, *self.input)

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits of the closed value, the same in every process and release."""
        if self._hash is None:
            self._hash = hashlib.sha256(to_text(self.value).encode()).hexdigest()[:16]
        return self._hash

    @property
    def canonical(self) -> str:
        """A digest that is equal for architectures that compute the same graph.

        See :func:`nasturtium.space.graph.canonical`; for a part that is not a layer it is the hash.
        """
        if self._canonical is None:
            from nasturtium.space.graph import canonical

            simplify = self.space.simplify if self.space is not None else ()
            known = isinstance(self.value, Layer) and self._input is not None
            self._canonical = canonical(self.value, self.input, simplify) if known else self.hash
        return self._canonical

    def build(self, input: Any = None) -> torch.nn.Module:
        """The torch module; its ``forward`` takes the tensors of the input signals in order.

        Args:
            input: The input signals, where the architecture does not know them.
        """
        signals = as_signals(input) if input is not None else self.input
        infer(self.value, *signals)
        value, chain = self.value, cast("Any", PARTS.get("Sequential"))
        plain = len(signals) == 1 and not signals[0].mask and signals[0].kind != "group"
        if not plain and not is_container(value) and chain is not None:  # which takes masks and members apart
            value = chain(value)
        module: torch.nn.Module = value.module(*signals)
        return module

    def graph(self) -> networkx.MultiDiGraph:
        """The layers as a graph: nodes with ``layer`` and ``signal``, edges with the operand ``port``."""
        from nasturtium.space.graph import lower

        return lower(self.value, self.input)

    def count(self, params: bool = True, flops: bool = True, length: int = 1) -> dict[str, int]:
        """Parameters and FLOPs (two for each multiply-accumulate) for one example, from the cost rules.

        Args:
            params: Whether to count parameters.
            flops: Whether to count FLOPs.
            length: Steps that sequences have in the example where their length depends on the data.

        Raises:
            Mismatch: If the network does not take so many.
        """
        counted = {}
        if params:
            counted["params"] = cost_of(self.value, self.input).params
        if flops:
            signals = self.input if length == 1 else tuple([signal.with_length(length) for signal in self.input])
            counted["flops"] = cost_of(self.value, signals).flops
        return counted

    def to_json(self) -> str:
        """The architecture with its decisions, its input and the name and version of its space."""
        space = self.space
        content = {
            "format": FORMAT,
            "architecture": to_text(self.value),
            "space": None if space is None else {"name": space.name, "version": space.version},
            "decisions": None if space is None else list(self.decisions),
            "input": None if self._input is None else [to_json_signal(signal) for signal in self._input],
        }
        return json.dumps(content)

    @classmethod
    def from_json(cls, text: str, space: Space | None = None) -> Architecture:
        """Read what ``to_json`` wrote.

        Args:
            text: The JSON.
            space: The space to put it in; its recorded decisions are used if they lead to the same value.

        Raises:
            ParseError: If the text is not such a JSON.
        """
        try:
            content = json.loads(text)
            version, written = content["format"], content["architecture"]
            signals, recorded = content.get("input"), content.get("decisions")
            inputs = None if signals is None else tuple(from_json_signal(signal) for signal in signals)
            if recorded is not None and not all(type(index) is int for index in recorded):
                raise TypeError(f"decisions are whole numbers, not {recorded!r:.60}")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ParseError(f"not the JSON of an architecture: {error!r}") from None
        if version != FORMAT:
            raise ParseError(
                f"the JSON has format {version}, this version reads {FORMAT}; a newer nasturtium may read it"
            )
        value = _checked(from_text(written), written)
        if space is None:
            return cls(value, input=inputs)
        return space.adopt(cls(value, input=inputs), recorded)

    @classmethod
    def parse(cls, text: str, input: Any = None) -> Architecture:
        """Read an architecture from its text.

        Args:
            text: What ``str`` gave.
            input: Its input signals, needed to build it.

        Raises:
            ParseError: If the text is not that of a closed part.
        """
        return cls(_checked(from_text(text), text), input=input)

    def __str__(self) -> str:
        return to_text(self.value)

    def __repr__(self) -> str:
        return f"Architecture({to_text(self.value)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Architecture):
            return NotImplemented
        same_space = self.space is not None and self.space is other.space
        if same_space and self._decisions is not None and self._decisions == other._decisions:
            return True
        return bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)


def _checked(value: Any, text: str) -> Part:
    if not isinstance(value, Part):
        raise ParseError(f"{text[:60]!r} is a value, not an architecture")
    return value


def to_json_signal(signal: Signal) -> dict[str, Any]:
    """A signal as plain JSON values."""
    content = {name: value for name, value in signal._asdict().items() if value != Signal._field_defaults.get(name)}
    if signal.members:
        content["members"] = [[name, to_json_signal(member)] for name, member in signal.members]
    return content


def from_json_signal(content: dict[str, Any]) -> Signal:
    """Read a signal from what :func:`to_json_signal` gave."""
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in content.items()
    }
    if "members" in values:
        values["members"] = tuple((name, from_json_signal(member)) for name, member in values["members"])
    signal = Signal(**values)
    sizes = [size for size in (*signal.shape, *signal.vocabulary, *(signal.grid or ())) if size is not None]
    if signal.kind not in RANKS or not all(type(size) is int for size in sizes):
        raise ValueError(f"no signal: {content!r:.100}")
    return signal
