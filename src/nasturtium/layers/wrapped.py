"""Layers made of a user's own torch modules: what leaves them and what they cost is seen by running them once."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from nasturtium.errors import SpaceError, did_you_mean
from nasturtium.layers.seeing import seen
from nasturtium.space.part import PARTS, Cost, Layer
from nasturtium.space.plain import PLAIN
from nasturtium.space.signal import Signal

if TYPE_CHECKING:
    import torch


class Wrapped(Layer, abstract=True):
    """A layer around a torch module of the user's; :func:`wrap` makes its subclasses."""

    make: ClassVar[Callable[..., Any]]
    computed: ClassVar[Mapping[str, Callable[..., Any]]]
    signal_rule: ClassVar[Callable[..., Any] | None]
    flops_rule: ClassVar[Callable[..., int] | None]

    def signal(self, *inputs: Signal) -> Signal | tuple[Signal, ...]:
        """By the user's rule; else what leaves the module when it runs."""
        cls = type(self)
        if cls.signal_rule is None:
            return seen(self, inputs).signals
        found: Signal | tuple[Signal, ...] = cls.signal_rule(self, *inputs)
        return found

    def cost(self, *inputs: Signal) -> Cost:
        """Parameters of the module, and its FLOPs by the user's rule or torch's counter."""
        cls = type(self)
        known = seen(self, inputs).cost
        return known if cls.flops_rule is None else Cost(known.params, int(cls.flops_rule(self, *inputs)))

    def module(self, *inputs: Signal) -> torch.nn.Module:
        """A fresh module."""
        cls = type(self)
        for name, value in zip(self.fields, self.values, strict=True):
            if not _plain(value):
                raise SpaceError(
                    f"{cls.__name__}: {name}={value!r} is no plain value; use numbers, text, None or tuples"
                )
        given = {name: rule(*inputs) for name, rule in cls.computed.items()}
        made = cls.make(**dict(zip(self.fields, self.values, strict=True)), **given)
        if not callable(getattr(made, "parameters", None)):
            raise SpaceError(f"{cls.__name__}: its function gives {made!r:.60}, not a torch.nn.Module")
        module: torch.nn.Module = made
        return module

    def __reduce_ex__(self, protocol: Any) -> Any:
        home = type(self).__module__
        if home == "__main__":  # such classes travel by value
            return super().__reduce_ex__(protocol)
        return remade, (home, type(self).__name__, self.values)


def remade(home: str, tag: str, values: tuple[Any, ...]) -> Wrapped:
    """A wrapped layer in a process that may not have met its class yet."""
    import importlib

    if tag not in PARTS:
        importlib.import_module(home)
    kind: Any = PARTS.get(tag)
    if kind is None:
        raise SpaceError(f"importing {home} does not define the layer {tag!r}; call wrap at the top of that module")
    made: Wrapped = kind(**dict(zip(kind.fields, values, strict=True)))
    return made


def wrap(
    module: Callable[..., Any],
    *,
    name: str | None = None,
    channels: str | None = None,
    computed: Mapping[str, Callable[..., Any]] | None = None,
    signal: Callable[..., Any] | None = None,
    flops: Callable[..., int] | None = None,
    mask: bool = False,
) -> Any:
    """A layer class made of a module class, or of a function that gives modules.

    The arguments of the constructor become the fields of the layer, which may be left open by ``choice``; those whose
    default is no plain value (a class, a list) stay at it. The module takes tensors with the batch first: (B, C),
    (B, T, C), (B, C, H, W).

    Args:
        module: The class or function.
        name: What the layer is called in texts and hashes, for good; the module's name if not given.
        channels: The argument that is given the channels of the (first) input.
        computed: Further arguments that follow from the input: a function of the input signals for each.
        signal: ``signal(layer, *inputs)`` gives the signal that leaves, or raises Mismatch; if not given, the module
            is run once on tensors without content.
        flops: ``flops(layer, *inputs)`` for one example; counted by torch if not given (two for each
            multiply-accumulate of matrix products, convolutions and attention).
        mask: Whether ``forward`` takes the mask (B, T) of a masked sequence behind its values.

    Raises:
        SpaceError: If the arguments cannot become fields, or the name is taken.
    """
    tag: str = name or str(getattr(module, "__name__", ""))
    if not tag.isidentifier():
        raise SpaceError(f"a layer cannot be called {tag!r}; give a plain name by name='...'")
    if tag in PARTS and not issubclass(PARTS[tag], Wrapped):
        raise SpaceError(f"there is a layer {tag!r} already; give yours another name by name='...'")
    rules = dict(computed or {})
    if channels is not None:
        rules[channels] = _channels
    fields = _fields(module, tag, rules)
    home = _caller()
    PARTS.pop(tag, None)  # a cell of a notebook that is run again
    content = {
        "__doc__": f"{inspect.getdoc(module) or tag}",
        "__annotations__": dict.fromkeys(fields, Any),
        **{field: default for field, default in fields.items() if default is not inspect.Parameter.empty},
        "__module__": home, "__qualname__": tag, "uses_mask": mask,
        "make": staticmethod(module), "computed": rules,
        "signal_rule": None if signal is None else staticmethod(signal),
        "flops_rule": None if flops is None else staticmethod(flops),
    }  # fmt: skip
    return type(tag, (Wrapped,), content)


def _caller() -> str:
    """The module in which :func:`wrap` is called."""
    return str(sys._getframe(2).f_globals.get("__name__", "__main__"))


def _channels(*inputs: Signal) -> int:
    return inputs[0].channels


def _fields(module: Callable[..., Any], tag: str, rules: Mapping[str, Any]) -> dict[str, Any]:
    """The constructor's arguments that become fields, those without a default first."""
    try:
        parameters = inspect.signature(module).parameters
    except (TypeError, ValueError):
        raise SpaceError(f"wrap needs a module class or a function that gives modules, not {module!r:.60}") from None
    for rule in rules:
        if rule not in parameters:
            raise SpaceError(
                f"{tag} has no argument {rule!r}{did_you_mean(rule, parameters)} (it has: {', '.join(parameters)})"
            )
    empty, fields = inspect.Parameter.empty, {}
    for name, parameter in parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD) or name in rules:
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise SpaceError(f"{tag}: argument {name!r} has no name to give it by; wrap a function that calls it")
        if parameter.default is empty or _plain(parameter.default):
            fields[name] = parameter.default
    clash = [name for name in fields if hasattr(Wrapped, name)]
    if clash:
        raise SpaceError(
            f"{tag}: argument {clash[0]!r} has the name of a layer's method; wrap a function that renames it"
        )
    return dict(sorted(fields.items(), key=lambda item: item[1] is not empty))


def _plain(value: Any) -> bool:
    return type(value) in PLAIN or (isinstance(value, tuple) and all(map(_plain, value)))
