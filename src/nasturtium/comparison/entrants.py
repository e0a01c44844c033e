"""Predictors that take part in a comparison: by their names, or made by a function of one's own; who can read what."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nasturtium.errors import MissingExtra, NasturtiumError
from nasturtium.predictors import PREDICTORS, PredictorError, make

if TYPE_CHECKING:
    from nasturtium.comparison.predicting import Table
    from nasturtium.predictors import Predictor

Maker = Callable[..., "Predictor"]
"""Makes a predictor for ``space`` and ``seed``; where it is to see zero-cost scores also for ``features``, and for
``encoding="none"`` where it is to see nothing else."""
Entrant = str | tuple[str, Maker]
"""A name in ``nasturtium.predictors.PREDICTORS``, or a name of one's own and what makes the predictor."""


def entrants(given: Sequence[Entrant]) -> dict[str, Maker | None]:
    """What makes each predictor, by its name; None for those that this package knows.

    Raises:
        PredictorError: If a name is given twice, or one of one's own is that of a predictor of this package.
    """
    found: dict[str, Maker | None] = {}
    for each in given:
        name, maker = (each, None) if isinstance(each, str) else each
        if maker is not None and name in PREDICTORS:
            raise PredictorError(f"{name!r} is a predictor of this package; give your own another name")
        if name in found:
            raise PredictorError(f"predictor {name!r} is given twice; give each name once")
        found[name] = maker
    return found


def made(name: str, maker: Maker | None, options: Mapping[str, Any]) -> Predictor:
    """A predictor for ``options``: space, seed, and what it is to see besides.

    Raises:
        PredictorError: If a function of one's own does not take them.
        NasturtiumError: As :func:`nasturtium.predictors.make` does.
    """
    if maker is None:
        return make(name, **options)
    known = inspect.signature(maker).parameters.values()
    taken = {each.name for each in known}
    left = (
        [] if any(each.kind is each.VAR_KEYWORD for each in known) else [each for each in options if each not in taken]
    )
    if left:
        raise PredictorError(
            f"what makes the predictor {name!r} takes no {' and no '.join(left)}; let it take "
            f"{', '.join(f'{each}=None' for each in left)} and pass it on to nasturtium.predictors.make"
        )
    return maker(**options)


def able(table: Table, names: Sequence[str], kind: str) -> tuple[list[str], list[str], list[str]]:
    """Which predictors can be assessed on a table with features of a kind.

    Returns:
        Those that can, those that cannot read the features, and those whose package is not installed.
    """
    can: list[str] = []
    unable: list[str] = []
    missing: list[str] = []
    for name in names:
        try:
            table.predictor(name, kind, 0)
            can.append(name)
        except MissingExtra:
            missing.append(name)
        except NasturtiumError:
            unable.append(name)
    return can, unable, missing
