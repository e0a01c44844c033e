"""What may stand in a field: its value against its annotation, where that names plain kinds; layers where they go."""

from __future__ import annotations

from typing import Any

from nasturtium.errors import SpaceError
from nasturtium.space.plain import plain

Kinds = frozenset[type]

KINDS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "str": (str,),
    "bool": (bool, int),
    "None": (type(None),),
    "tuple": (tuple,),
}
"""The types that a plain annotation stands for; what is in a tuple is left to the layer."""

TOLD = {int: "a whole number", float: "a number", str: "a text", bool: "True or False", tuple: "a tuple"}
"""What types are called in messages."""


def kinds_of(annotation: Any) -> Kinds | None:
    """The types of the values that an annotation allows, or None where it names more than plain kinds.

    >>> sorted(each.__name__ for each in kinds_of("int | tuple[int, int]"))
    ['int', 'tuple']
    >>> kinds_of("Any") is None
    True
    """
    text = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
    found: set[type] = set()
    for name in (each.strip() for each in text.split("|")):
        name = "tuple" if name.startswith("tuple[") and name.endswith("]") else name
        if name not in KINDS:
            return None
        found.update(KINDS[name])
    return frozenset(found)


def check_value(tag: str, name: str, value: Any, kinds: Kinds) -> bool:
    """Check a value that a user writes into a field, and the options of a choice there.

    Returns:
        Whether every value of this type will do.

    Raises:
        SpaceError: If it cannot work there.
    """
    from nasturtium.space.choice import Choice, Rule

    if isinstance(value, Choice):
        options = () if isinstance(value, Rule) else value.options
        for option in options:
            if not callable(option) or isinstance(option, Choice):  # else it is computed from the signals
                check_value(tag, name, option, kinds)
        return False
    if type(plain(value)) not in kinds:
        wanted = [told for kind, told in TOLD.items() if kind in kinds and not (kind is int and kinds & {float, bool})]
        wanted += ["None"] * (type(None) in kinds)
        shown = f"the class {value.__name__}" if isinstance(value, type) else f"{value!r:.60}"
        raise SpaceError(f"{tag}: {name} must be {' or '.join(wanted)}, not {shown}")
    return True


def no_layer(value: Any, where: str) -> SpaceError:
    """The error for what stands in a layer's place and is none.

    Args:
        value: What stands there.
        where: The place, as a message names it.
    """
    if callable(getattr(value, "named_modules", None)):
        kind = value if isinstance(value, type) else type(value)
        return SpaceError(f"{where} is a torch module, {kind.__name__}; nt.layers.wrap makes a layer of such a class")
    if isinstance(value, type) and hasattr(value, "fields"):
        given = "..." if len(value.fields) > len(value.defaults) else ""  # type: ignore[attr-defined]
        return SpaceError(f"{where} is the class {value.__name__}; write {value.__name__}({given}), with brackets")
    return SpaceError(f"{where} is {value!r:.60}, which is no layer")
