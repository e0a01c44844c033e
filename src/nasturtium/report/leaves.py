"""Motifs of single layers: the table that names them, by what they do to signals and by their fields."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from nasturtium.layers import Add, Concat, Dropout, Identity, Mean, Multiply, Zero
from nasturtium.layers.activation import MODULES
from nasturtium.report.english import spaced
from nasturtium.report.motifs import Motif
from nasturtium.report.outline import Block
from nasturtium.space.signal import Signal

ACTIVATIONS = {"relu": "ReLU", "relu6": "ReLU6", "gelu": "GELU", "elu": "ELU", "selu": "SELU", "silu": "SiLU"} | {
    "leakyrelu": "leaky ReLU", "hardswish": "hard swish", "hardsigmoid": "hard sigmoid", "clippedrelu": "clipped ReLU",
}  # fmt: skip
"""How activations are written, by their names in lower case; others as they are."""


TURN = "transposition"
"""What a permutation of axes is called."""


class Named(NamedTuple):
    """A row of the table: the kind, when it fits, and the words before the noun, the noun, and after it."""

    kind: str
    fits: Callable[[Block], bool]
    words: Callable[[Block], tuple[str, str, str]]


def leaf(block: Block) -> Motif:
    """The motif of a single layer."""
    row = next(row for row in LEAVES if row.fits(block))
    part = block.part
    holds = Counter({row.kind: 1})
    if row.kind == "convolution":
        holds["depthwise"] = int(is_depthwise(block))
        holds["dilated"] = int(part.dilation > 1)
    if row.kind in ("activation", "normalisation"):
        holds[f"{row.kind} {row.words(block)[1]}"] = 1
    return Motif(row.kind, *row.words(block), block.inputs, block.outputs, block.cost.params, +holds, part=part)


def _kinds(block: Block) -> tuple[str, str]:
    return (block.inputs[0].kind, block.outputs[0].kind) if block.inputs and block.outputs else ("", "")


def _keeps(block: Block) -> bool:
    """Whether one signal comes in and leaves as it is."""
    return len(block.inputs) == 1 and [signal.shape for signal in block.outputs] == [block.inputs[0].shape]


def _label(block: Block) -> str:
    """The name of a function of each number, from its class or its field ``name``."""
    name = getattr(block.part, "name", None)
    return (name if isinstance(name, str) else block.tag).replace("_", "").lower()


KNOWN = {name.replace("_", "") for name in MODULES} - {"identity"}


def _is_activation(block: Block) -> bool:
    return _keeps(block) and not block.cost.params and (_label(block) in KNOWN or _label(block).endswith("relu"))


def _activation(block: Block) -> tuple[str, str, str]:
    return "", ACTIVATIONS.get(_label(block), _label(block)), ""


def _normalisation(block: Block) -> tuple[str, str, str]:
    kind = spaced(block.tag).split()[0]
    return "", f"{kind} normalisation" if kind in ("batch", "layer", "group", "instance") else "normalisation", ""


def _is_convolution(block: Block) -> bool:
    return {"kernel", "stride", "dilation", "groups"} <= set(getattr(type(block.part), "fields", ()))


def is_depthwise(block: Block) -> bool:
    """Whether a convolution has a group for each channel."""
    return bool(block.part.groups == "depthwise" or block.part.groups == block.inputs[0].channels > 1)


def window(kernel: Any, kind: str) -> str:
    """The size of a window: 3x3 over an image, 3-step over a sequence."""
    if isinstance(kernel, tuple):
        return "x".join(map(str, kernel))
    return f"{kernel}x{kernel}" if kind == "image" else f"{kernel}-step"


def _convolution(block: Block) -> tuple[str, str, str]:
    part = block.part
    words = [window(part.kernel, block.inputs[0].kind)]
    words += ["dilated"] if part.dilation > 1 else []
    words += ["depthwise"] if is_depthwise(block) else ["grouped"] if part.groups != 1 else []
    return f"{' '.join(words)} ", "convolution", ""


def _is_pooling(block: Block) -> bool:
    windowed = "kernel" in getattr(type(block.part), "fields", ())
    return windowed and not block.cost.params and len({*_kinds(block)}) == 1 and _same_channels(block)


def _same_channels(block: Block) -> bool:
    if len(block.inputs) != 1 or len(block.outputs) != 1 or block.inputs[0].kind == "vector":
        return False
    before, after = block.inputs[0], block.outputs[0]
    measurable = {before.kind, after.kind} <= {"image", "sequence", "nodes", "vector"}
    return measurable and before.channels == after.channels


def _pooling(block: Block) -> tuple[str, str, str]:
    kind = getattr(block.part, "kind", "max" if "max" in block.tag.lower() else "mean")
    return f"{window(block.part.kernel, block.inputs[0].kind)} {kind} ", "pooling", ""


def _is_global(block: Block) -> bool:
    has_kind = isinstance(getattr(block.part, "kind", None), str)
    return _kinds(block)[1] == "vector" and _same_channels(block) and not block.cost.params and has_kind


def _global(block: Block) -> tuple[str, str, str]:
    kind = block.part.kind
    return ("", "readout of the last step", "") if kind == "last" else (f"global {kind} ", "pooling", "")


def _is_linear(block: Block) -> bool:
    if "out" not in getattr(type(block.part), "fields", ()) or any(each.kind == "edges" for each in block.inputs):
        return False
    return len({each.shape[:-1] for each in (*block.inputs, *block.outputs)}) == 1


def _linear(block: Block) -> tuple[str, str, str]:
    return "", "linear map", " of the columns" if block.inputs[0].kind == "image" else ""


def _is_join(block: Block) -> bool:
    return isinstance(block.part, (Add, Mean, Concat, Multiply)) or is_product(block)


def is_product(block: Block) -> bool:
    """Whether a layer has the shapes of a matrix product, and no parameters."""
    if len(block.inputs) != 2 or len(block.outputs) != 1 or block.cost.params or block.part.commutative:
        return False
    a, b, out = (signal.shape for signal in (*block.inputs, *block.outputs))
    return bool(len(a) > 1 and len(b) == len(a) and a[-1] == b[-2] and out == (*a[:-1], b[-1]))


def _embedding(block: Block) -> tuple[str, str, str]:
    return "", "embedding", f" of {block.inputs[0].vocabulary[0]:,} tokens"


def _is_position(block: Block) -> bool:
    return _keeps_first(block) and any(word in _label(block) for word in ("positional", "timeencoding", "offset"))


def _keeps_first(block: Block) -> bool:
    return len(block.outputs) == 1 and block.inputs[0].shape == block.outputs[0].shape


def _position(block: Block) -> tuple[str, str, str]:
    return "", "time encoding" if "time" in block.tag.lower() else "position encoding", ""


def _is_attention(block: Block) -> bool:
    return hasattr(block.part, "heads") and _kinds(block) == ("sequence", "sequence")


def _attention(block: Block) -> tuple[str, str, str]:
    crossed = len(block.inputs) > 1 and block.inputs[1].kind == "sequence"
    heads, source = block.part.heads, block.inputs[crossed]
    tokens = "tokens" if source.length is None else f"{source.length:,} token{'s' * (source.length != 1)}"
    words = "cross-" if crossed else "causal " if getattr(block.part, "causal", False) else ""
    many = f" with {heads} head{'s' * (heads != 1)}" if isinstance(heads, int) else ""
    return words, "attention layer", f"{many} over {tokens}"


def _message(block: Block) -> tuple[str, str, str]:
    return f"{block.tag.removesuffix('Conv') or 'graph'} ", "message-passing layer", ""


def _recurrent(block: Block) -> tuple[str, str, str]:
    return "bidirectional " * bool(getattr(block.part, "bidirectional", False)), block.tag, ""


def _is_token(block: Block) -> bool:
    if _kinds(block) != ("sequence", "sequence") or len(block.inputs) != 1:
        return False
    before, after = block.inputs[0], block.outputs[0]
    longer = before.length is not None and after.shape == (before.length + 1, before.channels)
    return longer and block.cost.params == before.channels


def _is_readout(block: Block) -> bool:
    return _kinds(block) in (("sequence", "vector"), ("image", "vector")) and not (block.cost.params or _flat(block))


def _numbers(signal: Signal) -> int:
    """How many numbers a signal has; a size that is not known counts as one."""
    return math.prod([1 if size is None else size for size in signal.shape])


def _flat(block: Block) -> bool:
    return None not in block.inputs[0].shape and _numbers(block.inputs[0]) == block.outputs[0].channels


def _is_resize(block: Block) -> bool:
    return _kinds(block) == ("image", "image") and _same_channels(block) and not block.cost.params


def _resize(block: Block) -> tuple[str, str, str]:
    return "", "upsampling" if _numbers(block.outputs[0]) > _numbers(block.inputs[0]) else "downsampling", ""


def _unknown(block: Block) -> tuple[str, str, str]:
    name = getattr(block.part, "name", None)
    label = f"{spaced(block.tag)} {spaced(name)}".strip() if isinstance(name, str) else spaced(block.tag)
    return f"{label} ", "layer", ""


def _rearranges(block: Block) -> bool:
    """Whether a layer only puts the numbers of one signal in other places, or copies or splits them."""
    if len(block.inputs) != 1:
        return False
    fields = set(getattr(type(block.part), "fields", ()))
    grouped = "group" in {signal.kind for signal in (*block.inputs, *block.outputs)}
    return grouped or len(block.outputs) > 1 or bool(fields & {"axes", "to", "shape"}) or _folds(block)


def _rearrangement(block: Block) -> tuple[str, str, str]:
    return "", TURN if hasattr(block.part, "axes") else "rearrangement", ""


def _folds(block: Block) -> bool:
    return set(_kinds(block)) == {"image", "sequence"}


LEAVES = (
    Named("zero", lambda block: isinstance(block.part, Zero), lambda _: ("", "zero", "")),
    Named("skip", lambda block: isinstance(block.part, Identity), lambda _: ("", "skip", "")),
    Named("dropout", lambda block: isinstance(block.part, Dropout), lambda _: ("", "dropout", "")),
    Named("activation", _is_activation, _activation),
    Named("normalisation", lambda block: _keeps(block) and _label(block).endswith("norm"), _normalisation),
    Named("softmax", lambda block: _keeps(block) and _label(block) == "softmax", lambda _: ("", "softmax", "")),
    Named("convolution", _is_convolution, _convolution),
    Named("message passing", lambda block: any(each.kind == "edges" for each in block.inputs), _message),
    Named("attention", _is_attention, _attention),
    Named("recurrence", lambda block: hasattr(block.part, "gates"), _recurrent),
    Named("embedding", lambda block: _kinds(block) == ("tokens", "sequence") and block.cost.params > 0, _embedding),
    Named("position", _is_position, _position),
    Named("pooling", _is_pooling, _pooling),
    Named("global pooling", _is_global, _global),
    Named("linear", _is_linear, _linear),
    Named("token", _is_token, lambda _: ("", "class token", "")),
    Named("readout", _is_readout, lambda block: (f"{spaced(block.tag)} ", "readout", "")),
    Named("join", _is_join, lambda block: ("", spaced(block.tag), "")),
    Named("shape", lambda block: not block.cost.params and _rearranges(block), _rearrangement),
    Named("resize", _is_resize, _resize),
    Named("other", lambda _: True, _unknown),
)
"""Single layers: the first row that fits names them."""
