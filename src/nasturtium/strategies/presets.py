"""Presets: published searches as a strategy with its options and what it starts from."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Preset(NamedTuple):
    """A published search, by which a strategy can be asked for.

    Attributes:
        strategy: A name in ``STRATEGIES``.
        summary: One line on what it does.
        source: The paper it comes from.
        options: Of the strategy, where they are not given otherwise.
        start: Members of the space to try first, where nothing else is given.
    """

    strategy: str
    summary: str
    source: str
    options: Mapping[str, Any] = MappingProxyType({})
    start: tuple[str, ...] = ()


SEEDED = MappingProxyType({"population": 100, "tournament": 10, "fill": True})

PRESETS: dict[str, Preset] = {
    "re_scratch": Preset(
        "evolution", "regularised evolution from 100 random architectures: RE(Scratch)", "Ericsson et al. 2024",
        MappingProxyType({"population": 100, "tournament": 10, "initial": 100}),
    ),
    "re_rn18": Preset(
        "evolution", "regularised evolution from 100 copies of ResNet-18: RE(RN18)", "Ericsson et al. 2024",
        SEEDED, ("resnet18",),
    ),
    "re_mix": Preset(
        "evolution", "regularised evolution from copies of four known networks: RE(Mix)", "Ericsson et al. 2024",
        SEEDED, ("resnet18", "wrn16_4", "vit", "mlp_mixer"),
    ),
}  # fmt: skip
"""Every preset by its name."""
