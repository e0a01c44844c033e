"""How SeqNAS writes its architectures in full: a dictionary with the names of its modules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nasturtium.errors import ParseError
from nasturtium.space.architecture import Architecture
from nasturtium.spaces.seqnas_code import Chosen, decided, leading, of_bits, one_hot, thermometer

_ENCODER_HEADS = "encoder.layer.layers.ops.{}.ops.{}.split_layer.layers.0.heads"
_DECODER_HEADS = (
    "decoder.layer.layers.repeated_layer.ops.{}.self_attention.heads",
    "decoder.layer.layers.repeated_layer.ops.{}.enc_attention.heads",
)


def read(text: str, kernels: tuple[int, ...]) -> tuple[int, ...]:
    """The decisions of a code, or of an architecture dictionary written as JSON."""
    found = _of_json(text) if text.lstrip().startswith("{") else of_bits(text)
    if (found.kernel is None) != (not kernels):
        has = "has a numeric stem (122 bits)" if found.kernel is not None else "has no numeric stem (117 bits)"
        raise ParseError(f"the code {has}, which does not go with the input of this space")
    return decided(found, kernels)


def dictionary(architecture: Architecture) -> dict[str, Any]:
    """The published dictionary of an architecture of a ``seqnas`` space."""
    if architecture.space is None:
        raise ParseError(
            "only an architecture of a seqnas space has a dictionary; space.adopt(architecture) makes it one"
        )
    return to_dictionary(of_bits(architecture.space.to_notation(architecture)))


def to_dictionary(found: Chosen) -> dict[str, Any]:
    """The published dictionary: names of the modules, and 0 or 1 or a list of them for each."""
    made: dict[str, Any] = {}
    if found.kernel is not None:
        made["stem.linear_prep.1"] = _listed(one_hot(found.kernel, 4))
        made["stem.linear_prep.2"] = found.dropout
    made |= {"position_encoding": found.time, "encoder": int(bool(found.encoder)), "decoder": int(bool(found.decoder))}
    if found.encoder:
        made["encoder.layer.layers"] = _listed(leading(len(found.encoder), 4))
    for place, (subset, heads) in enumerate(found.encoder):
        made[f"encoder.layer.layers.ops.{place}"] = _listed(one_hot(subset, 7))
        if heads is not None:
            made[_ENCODER_HEADS.format(place, subset)] = _listed(thermometer(heads))
    if found.decoder:
        made["decoder.layer.layers.repeated_layer"] = _listed(leading(len(found.decoder), 2))
    for place, layer in enumerate(found.decoder):
        for name, heads in zip(_DECODER_HEADS, layer, strict=True):
            made[name.format(place)] = _listed(thermometer(heads))
    made |= {"head.layers.1": found.steps, "head.layers.2": _listed(one_hot(found.pool, 3))}
    return dict(sorted(made.items()))


def of_dictionary(made: Mapping[str, Any]) -> Chosen:
    """What a published dictionary says.

    Raises:
        ParseError: If it is none.
    """
    found = of_bits(_bits_of(made))
    again = to_dictionary(found)
    for name in sorted({*again, *made}):
        if again.get(name) != made.get(name):
            raise ParseError(
                f"{name!r} is {made.get(name)} in the dictionary; what else it says asks for {again.get(name)}"
            )
    return found


def _bits_of(made: Mapping[str, Any]) -> str:
    """The code that a dictionary leads to; what is missing counts as off."""

    def bits(name: str, size: int) -> str:
        value = made.get(name, [0] * size)
        return "".join(map(str, value)) if isinstance(value, list) else str(value)

    stem = bits("stem.linear_prep.1", 4) + bits("stem.linear_prep.2", 1) if "stem.linear_prep.1" in made else ""
    subsets = [bits(f"encoder.layer.layers.ops.{place}", 7) for place in range(4)]
    heads = [bits(_ENCODER_HEADS.format(i, subset.find("1")), 8) for i, subset in enumerate(subsets)]
    depth = bits("decoder.layer.layers.repeated_layer", 2)
    slots = [one_hot(0, 7) if bit == "1" else "0" * 7 for bit in depth]
    read_heads = [bits(name.format(place), 8) for name in _DECODER_HEADS for place in range(2)]
    encoder = [bits("encoder.layer.layers", 4), *subsets, *heads]
    head = [bits("head.layers.1", 1), bits("head.layers.2", 3)]
    return "".join([stem, bits("position_encoding", 1), *encoder, depth, *slots, *read_heads, *head])


def _of_json(text: str) -> Chosen:
    try:
        made = json.loads(text)
    except ValueError as error:
        raise ParseError(f"{text[:60]!r} is no architecture dictionary of SeqNAS: {error}") from None
    return of_dictionary(made)


def _listed(bits: str) -> list[int]:
    return [int(bit) for bit in bits]
