"""BOHB: Hyperband whose new architectures come from TPE, which learns from every budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from nasturtium.strategies.base import Common
from nasturtium.strategies.halving import Hyperband
from nasturtium.trial import Budget

if TYPE_CHECKING:
    from nasturtium.space import Space


class BOHB(Hyperband):
    """Hyperband with TPE in place of random sampling (Falkner et al. 2018, arXiv:1807.01774, algorithms 1 and 2).

    The model is that of the largest budget with enough trials; a third of what is new is random. We differ from the
    paper: decisions are counted (see :class:`TPE`) where there is a kernel density over vectors; the number of trials
    that is enough is ``initial``, not one more than the dimensions, which differ from architecture to architecture.

    Args:
        factor: eta.
        least: The smallest budget.
        initial: How many trials at a budget are enough for its model.
        options: Further options of TPE; the paper's are ``gamma`` 0.15, ``candidates`` 64, ``random`` 1/3.
        budgets: As in :class:`MultiFidelity`.
        **common: As in :class:`MultiFidelity`.

    Raises:
        NasturtiumError: If an option's value cannot be used.
    """

    def __init__(
        self,
        space: Space,
        *,
        factor: int = 3,
        least: Budget = 1,
        initial: int = 8,
        options: Mapping[str, Any] | None = None,
        budgets: Sequence[Budget] | None = None,
        **common: Unpack[Common],
    ) -> None:
        settings = {"gamma": 0.15, "candidates": 64, "random": 1 / 3, "initial": initial, **(options or {})}
        super().__init__(space, strategy="tpe", options=settings, factor=factor, least=least, budgets=budgets, **common)
