"""Published spaces: one file a space; ``SPACES`` names them, ``make`` gives one for an input and outputs."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nasturtium.errors import SpaceError, did_you_mean
from nasturtium.space.signal import Signal, as_signals, edges, nodes, tokens
from nasturtium.space.space import Space
from nasturtium.spaces.around import around
from nasturtium.spaces.convnet import convnet
from nasturtium.spaces.darts import darts
from nasturtium.spaces.densenet import densenet
from nasturtium.spaces.einspace import einspace
from nasturtium.spaces.fbnet import fbnet
from nasturtium.spaces.hierarchical import hierarchical
from nasturtium.spaces.hierarchical_nasbench201 import SIZE, hierarchical_nasbench201
from nasturtium.spaces.mlp import mlp
from nasturtium.spaces.mobilenet_v3 import mobilenet_v3
from nasturtium.spaces.multibranch import multibranch
from nasturtium.spaces.nasbench1shot1 import nasbench1shot1
from nasturtium.spaces.nasbench101 import nasbench101
from nasturtium.spaces.nasbench201 import nasbench201
from nasturtium.spaces.nasbench_asr import nasbench_asr
from nasturtium.spaces.nasbench_graph import nasbench_graph
from nasturtium.spaces.nasbench_macro import nasbench_macro
from nasturtium.spaces.nasbench_mr import nasbench_mr
from nasturtium.spaces.nasbench_nlp import nasbench_nlp
from nasturtium.spaces.nasnet import nasnet
from nasturtium.spaces.nats_size import nats_size
from nasturtium.spaces.resnet import resnet
from nasturtium.spaces.seqnas import seqnas
from nasturtium.spaces.seqnas_plus import seqnas_plus
from nasturtium.spaces.sequencenet import sequencenet
from nasturtium.spaces.transformer import transformer
from nasturtium.spaces.transnas_macro import transnas_macro
from nasturtium.spaces.transnas_micro import transnas_micro


class Published(NamedTuple):
    """A space that can be asked for by name; calling it makes the space.

    Attributes:
        function: ``function(input, outputs, **options) -> Space``.
        kinds: Kinds of signal it takes: ``vector``, ``image``, ``sequence``, ``tokens``, ``group``, ``nodes`` with
            ``edges``.
        size: Number of architectures for ``input`` and the default options.
        input: An input as the paper has it.
        summary: One line on what it holds.
        source: The paper it comes from.
    """

    function: Callable[..., Space]
    kinds: tuple[str, ...]
    size: int | float
    input: Any
    summary: str
    source: str

    def __call__(self, *arguments: Any, **options: Any) -> Space:
        return self.function(*arguments, **options)


SPACES: dict[str, Published] = {
    "mlp": Published(
        mlp, ("vector", "image", "sequence"), 1_680_912, (16,),
        "fully connected networks, plain and residual", "Gorishniy et al. 2021",
    ),
    "convnet": Published(
        convnet, ("image",), 3_554_598_483_394_560, (3, 32, 32),
        "stages of residual, plain or separable convolutions", "He et al. 2016; Sandler et al. 2018",
    ),
    "multibranch": Published(
        multibranch, ("image",), 199171341433472349634560, (3, 32, 32),
        "residual blocks of two to four parallel paths", "Szegedy et al. 2015, 2017",
    ),
    "sequencenet": Published(
        sequencenet, ("sequence", "tokens"), 51_459_762_240, (96, 3),
        "convolution, recurrence and attention over sequences", "Bai et al. 2018; Xiong et al. 2020",
    ),
    "seqnas": Published(
        seqnas, ("sequence", "tokens", "group"), 3_425_438_016, (96, 1),
        "stem, encoder and decoder for event sequences", "Udovichenko et al. 2024",
    ),
    "seqnas_plus": Published(
        seqnas_plus, ("sequence", "tokens", "group"), 3_562_159_338_075_199_680, (96, 1),
        "the same with state spaces, directions, dilations, widths and more pooling", "SeqNAS 2024; Gu et al. 2022",
    ),
    "einspace": Published(
        einspace, ("image", "sequence"), math.inf, (3, 64, 64),
        "a probabilistic grammar of fundamental operations", "Ericsson et al. 2024",
    ),
    "transformer": Published(
        transformer, ("image", "sequence", "tokens"), 9940125290681180627592120, (3, 224, 224),
        "encoders and decoders with heads, width and depth open", "Vaswani et al. 2017; Chen et al. 2021",
    ),
    "resnet": Published(
        resnet, ("image",), 10_080, (3, 224, 224),
        "stages of basic or bottleneck residual blocks", "He et al. 2016",
    ),
    "densenet": Published(
        densenet, ("image",), 12_288, (3, 32, 32),
        "blocks whose layers read all layers before them", "Huang et al. 2017",
    ),
    "mobilenet_v3": Published(
        mobilenet_v3, ("image",), 10047586578218006084623487345098752, (3, 224, 224),
        "inverted residuals: kernel, expansion, squeezing, width, depth", "Howard et al. 2019",
    ),
    "fbnet": Published(
        fbnet, ("image",), 984_770_902_183_611_232_881, (3, 224, 224),
        "22 layers, each one of nine blocks", "Wu et al. 2019",
    ),
    "darts": Published(
        darts, ("image",), 1_076_746_950_455_072_400, (3, 32, 32),
        "a normal and a reduction cell of four nodes with two inputs each", "Liu et al. 2019",
    ),
    "nasnet": Published(
        nasnet, ("image",), 5107366597713630212832188866560000, (3, 32, 32),
        "normal and reduction cell of blocks with free inputs", "Zoph et al. 2018; Real et al. 2019",
    ),
    "hierarchical": Published(
        hierarchical, ("image",), 747007552859802582596847973726025441628, (3, 32, 32),
        "six motifs of primitives, and a cell made of motifs", "Liu et al. 2018",
    ),
    "hierarchical_nasbench201": Published(
        hierarchical_nasbench201, ("image",), SIZE, (3, 32, 32),
        "a grammar from the network down to the convolution", "Schrodi et al. 2023",
    ),
    "nasbench101": Published(
        nasbench101, ("image",), 423_624, (3, 32, 32),
        "cells of up to seven vertices and nine edges", "Ying et al. 2019",
    ),
    "nasbench1shot1": Published(
        nasbench1shot1, ("image",), 14_580, (3, 32, 32),
        "three parts of NAS-Bench-101 for supernets", "Zela et al. 2020",
    ),
    "nasbench201": Published(
        nasbench201, ("image",), 15_625, (3, 32, 32),
        "cells of six edges with five operations", "Dong and Yang 2020",
    ),
    "nats_size": Published(
        nats_size, ("image",), 32_768, (3, 32, 32),
        "five channel counts of one network", "Dong et al. 2021",
    ),
    "transnas_micro": Published(
        transnas_micro, ("image",), 4_096, (3, 256, 256),
        "cells of six edges with four operations", "Duan et al. 2021",
    ),
    "transnas_macro": Published(
        transnas_macro, ("image",), 3_256, (3, 256, 256),
        "plans of four to six residual modules", "Duan et al. 2021",
    ),
    "nasbench_macro": Published(
        nasbench_macro, ("image",), 6_561, (3, 32, 32),
        "eight layers, each one of three blocks", "Su et al. 2021",
    ),
    "nasbench_mr": Published(
        nasbench_mr, ("image",), 1208925819614629174706176, (3, 128, 128),
        "parallel branches of four resolutions", "Ding et al. 2021",
    ),
    "nasbench_asr": Published(
        nasbench_asr, ("sequence",), 13_824, (100, 80),
        "cells of three nodes for speech", "Mehrotra et al. 2021",
    ),
    "nasbench_nlp": Published(
        nasbench_nlp, ("sequence", "tokens"),
        777631113787124175438339938876057594779034100518543377, tokens(70, 10_000),
        "recurrent cells drawn as random graphs", "Klyuchnikov et al. 2020",
    ),
    "nasbench_graph": Published(
        nasbench_graph, ("nodes", "edges"), 59_040, (nodes(2_708, 1_433), edges()),
        "four graph layers in a tree, for the nodes of a graph", "Qin et al. 2022",
    ),
}  # fmt: skip
"""Every space by its name."""

ALIKE: dict[type, tuple[type, ...]] = {
    bool: (bool,),
    int: (int, tuple, list),
    float: (int, float),
    str: (str, int),
    tuple: (tuple, list),
}
"""What an option may be, by the type of its default; several numbers may stand for one, and a number for ``"auto"``."""

DEFAULTS = {
    "vector": "mlp",
    "image": "convnet",
    "sequence": "sequencenet",
    "tokens": "sequencenet",
    "group": "seqnas_plus",
}
"""The space to begin with, by the kind of the input."""


def make(name: str, input: Any, outputs: int, **options: Any) -> Space:
    """The space called ``name``.

    Args:
        name: A name in ``SPACES``.
        input: (channels, height, width), (length, channels), (features,), or signals.
        outputs: Numbers that leave a network: classes, or targets.
        **options: Those of the space's function.

    Raises:
        SpaceError: If the name or an option is unknown, or the space does not take such an input.
    """
    if name not in SPACES:
        there = ", ".join(SPACES)
        raise SpaceError(f"unknown space {name!r}{did_you_mean(name, SPACES)} (there are: {there})")
    published, signals = SPACES[name], as_signals(input)
    allowed = [each for each in inspect.signature(published.function).parameters if each not in ("input", "outputs")]
    for option in options:
        if option not in allowed:
            raise SpaceError(
                f"space {name!r} has no option {option!r}{did_you_mean(option, allowed)} "
                f"(its options: {', '.join(allowed) or 'none'})"
            )
    _check_types(name, inspect.signature(published.function).parameters, options)
    if any(signal.kind not in published.kinds for signal in signals):
        raise SpaceError(
            f"space {name!r} takes {' or '.join(published.kinds)}, not {' and '.join(map(str, signals))}; "
            f"{_that_take(signals)}"
        )
    return published(input=input, outputs=outputs, **options)


def _check_types(name: str, parameters: Mapping[str, inspect.Parameter], options: Mapping[str, Any]) -> None:
    """Options are of the kind of their defaults; those without a default are looked at by the space itself."""
    for option, given in options.items():
        default = parameters[option].default
        kinds = ALIKE.get(type(default))
        if kinds is not None and given is not None and type(given) not in kinds:
            raise SpaceError(f"{name}: {option} must be like its default {default!r}, not {given!r}")


def _that_take(signals: tuple[Signal, ...]) -> str:
    able = [name for name, other in SPACES.items() if all(signal.kind in other.kinds for signal in signals)]
    return f"use {' or '.join(able)}" if able else "no space in the table does"


def for_signal(signal: Signal) -> str:
    """The name of the space to begin with for a kind of input.

    Raises:
        SpaceError: If there is none.
    """
    if signal.kind not in DEFAULTS:
        kinds = ", ".join(DEFAULTS)
        raise SpaceError(f"no space in the table takes {signal} (there are some for {kinds}); give a space of your own")
    return DEFAULTS[signal.kind]


__all__ = [
    "DEFAULTS",
    "SPACES",
    "Published",
    "around",
    "convnet",
    "darts",
    "densenet",
    "einspace",
    "fbnet",
    "for_signal",
    "hierarchical",
    "hierarchical_nasbench201",
    "make",
    "mlp",
    "mobilenet_v3",
    "multibranch",
    "nasbench1shot1",
    "nasbench101",
    "nasbench201",
    "nasbench_asr",
    "nasbench_graph",
    "nasbench_macro",
    "nasbench_mr",
    "nasbench_nlp",
    "nasnet",
    "nats_size",
    "resnet",
    "seqnas",
    "seqnas_plus",
    "sequencenet",
    "transformer",
    "transnas_macro",
    "transnas_micro",
]
