"""The networks of the CIFAR-10 table: published cells in the skeleton they are compared in, with their parameters."""

from __future__ import annotations

from typing import Any, NamedTuple

from nasturtium.errors import SpaceError, did_you_mean
from nasturtium.space.architecture import Architecture
from nasturtium.space.space import Space
from nasturtium.spaces.cifar_cells import CIFAR_CELLS, MISSING
from nasturtium.spaces.darts import darts
from nasturtium.spaces.nasnet import nasnet


class CifarRow(NamedTuple):
    """A line of the table; parameters in millions.

    Attributes:
        name: Of the network.
        params: Ours, without the auxiliary head.
        with_auxiliary: Ours, with it.
        published: What the paper says.
    """

    name: str
    params: float
    with_auxiliary: float
    published: float

    @property
    def difference(self) -> float:
        """Ours without the auxiliary head, less the published figure."""
        return self.params - self.published


def cifar_space(name: str, input: Any = (3, 32, 32), outputs: int = 10, **options: Any) -> Space:
    """The space of a published network, of 20 cells with 36 channels unless told otherwise.

    Args:
        name: Of :data:`CIFAR_CELLS`.
        input: (channels, height, width), or an image signal.
        outputs: Classes.
        **options: Of ``darts`` or ``nasnet``.

    Raises:
        SpaceError: If the name is unknown or its cells are not public.
    """
    if name in MISSING:
        raise SpaceError(f"the cells of {name} are not public: {MISSING[name]}")
    if name not in CIFAR_CELLS:
        raise SpaceError(
            f"unknown network {name!r}{did_you_mean(name, CIFAR_CELLS)} (there are: {', '.join(CIFAR_CELLS)})"
        )
    cell = CIFAR_CELLS[name]
    make = darts if cell.space == "darts" else nasnet
    return make(input, outputs, **{"channels": 36, "cells": 20, **cell.options, **options})


def cifar_network(name: str, **options: Any) -> Architecture:
    """A published network of 20 cells with 36 channels for CIFAR-10, unless told otherwise.

    Raises:
        SpaceError: If the name is unknown or its cells are not public.

    >>> cifar_network("DARTS (second order)").count()["params"]
    3349342
    """
    return cifar_space(name, **options).member(name)


def cifar_row(name: str) -> CifarRow:
    """The parameters of a published network beside the published figure."""
    plain, auxiliary = (
        cifar_network(name, auxiliary=each).count(flops=False)["params"] / 1e6 for each in (False, True)
    )
    return CifarRow(name, plain, auxiliary, CIFAR_CELLS[name].params)
