"""Predictors: learned guesses of scores, with a spread. An encoding and a regressor each; ``PREDICTORS`` names them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from nasturtium.errors import did_you_mean
from nasturtium.predictors.base import Features, Predictor, PredictorError, Regressor
from nasturtium.predictors.calibration import calibration
from nasturtium.predictors.committee import Committee, costs
from nasturtium.predictors.drawn import GraphEncoder, Paths
from nasturtium.predictors.encoders import ENCODERS, encoder
from nasturtium.predictors.table import PREDICTORS, Row
from nasturtium.predictors.vectors import Encoder
from nasturtium.predictors.views import Together
from nasturtium.space.part import Layer

if TYPE_CHECKING:
    from nasturtium.space.space import Space

COMMITTEE = ("gp", "gp_wl", "extra_trees", "gradient_boosting")
"""Who sits in ``committee``; those that read graphs are left out where architectures are no networks."""


def committee(
    space: Space,
    members: Sequence[str] = COMMITTEE,
    *,
    seed: int = 0,
    features: Features | Sequence[Features] | None = None,
) -> Committee:
    """Several predictors asked together: different models on different encodings err differently.

    Args:
        space: Where architectures come from.
        members: Names in ``PREDICTORS``.
        seed: Of each.
        features: Further columns, for those members that read vectors.

    Raises:
        PredictorError: If a name is unknown, or none can read this space.
    """
    drawn = isinstance(space.root, Layer) and space.input is not None
    kept = [name for name in members if name not in PREDICTORS or PREDICTORS[name].reads != "graph" or drawn]
    if not kept:
        raise PredictorError(f"none of {', '.join(members) or 'no members'} can read the space {space.name!r}")
    vectors = [name not in PREDICTORS or PREDICTORS[name].reads is None for name in kept]
    return Committee(
        [
            make(name, space=space, seed=seed, features=features if reads else None)
            for name, reads in zip(kept, vectors, strict=True)
        ]
    )


def make(
    name: str | Regressor,
    *,
    space: Space,
    seed: int = 0,
    encoding: str | Encoder | Callable[[Space], Encoder] | None = None,
    features: Features | Sequence[Features] | None = None,
    calibrate: bool | str = True,
    warp: bool | None = None,
    **options: Any,
) -> Predictor:
    """The predictor called ``name``, or one around a regressor of yours.

    Args:
        name: A name in ``PREDICTORS``, or a regressor.
        space: Where architectures come from.
        seed: Of whatever is drawn; the same seed gives the same predictions.
        encoding: What the regressor sees instead of its usual encoding: a name in ``ENCODERS``, an encoder, or what
            makes one for a space.
        features: Gives further columns for architectures, (n, k), such as costs, zero-cost proxies or early curves; or
            several that do.
        calibrate: Whether spreads are scaled to fit held-out residuals; see :class:`Predictor`.
        warp: Whether scores are learned as normal quantiles of their ranks (see :class:`Predictor`); None for what the
            predictor's row says.
        **options: Those of the regressor, as its docstring lists them.

    Raises:
        PredictorError: If the name or an option is unknown, or the regressor cannot read the encoding.
        SpaceError: If the space cannot be encoded so.
        MissingExtra: If the predictor needs a package that is not installed.
    """
    if isinstance(name, Regressor):
        if options:
            raise PredictorError(f"options {', '.join(options)} belong to the regressor, which is made already")
        return Predictor(encoder(encoding or "one_hot", space), name, features, calibrate, bool(warp), seed, "own")
    if name not in PREDICTORS:
        raise PredictorError(
            f"unknown predictor {name!r}{did_you_mean(name, PREDICTORS)} (there are: {', '.join(PREDICTORS)})"
        )
    row = PREDICTORS[name]
    if row.reads in ("graph", "tokens") and isinstance(encoding, str) and encoding != row.reads:
        raise PredictorError(f"predictor {name!r} reads the encoding {row.reads!r}, not {encoding!r}")
    if row.reads is not None and features is not None and name.startswith(("gp_", "nao")):
        raise PredictorError(f"predictor {name!r} compares networks alone; give features to one that reads vectors")
    regressor = row.load()
    settings = _accepted(name, regressor, {**row.options, **options})
    if "seed" in inspect.signature(regressor).parameters:
        settings["seed"] = seed
    warped = row.warp if warp is None else warp
    sees, made = _seen(row, encoding, space), regressor(**settings)
    _readable(name, made, sees)
    return Predictor(sees, made, features, calibrate, warped, seed, name, row.columns)


def _seen(row: Row, encoding: str | Encoder | Callable[[Space], Encoder] | None, space: Space) -> Encoder:
    if row.reads == "views":
        return Together(space, None if encoding in (None, "views") else encoder(encoding, space))
    return encoder(encoding or row.encoding, space)


def _readable(name: str, regressor: Regressor, sees: Encoder) -> None:
    """Makes sure that graphs go to what reads graphs, and rows to what reads rows."""
    alone = sees.alone if isinstance(sees, Together) else sees
    if isinstance(alone, GraphEncoder) and not regressor.graphs:
        others = ", ".join(each for each, row in PREDICTORS.items() if row.reads == "graph")
        raise PredictorError(
            f"predictor {name!r} reads rows of numbers, not the encoding 'graph'; leave the encoding out, or take a "
            f"predictor of graphs ({others})"
        )
    if regressor.graphs and type(alone) in ENCODERS.values() and not isinstance(alone, GraphEncoder):
        raise PredictorError(f"predictor {name!r} with these options reads the encoding 'graph'; give encoding='graph'")


def _accepted(name: str, regressor: type[Regressor], options: dict[str, Any]) -> dict[str, Any]:
    allowed = [each for each in inspect.signature(regressor).parameters if each != "seed"]
    for option in options:
        if option not in allowed:
            raise PredictorError(
                f"predictor {name!r} has no option {option!r}{did_you_mean(option, allowed)} "
                f"(its options: {', '.join(allowed) or 'none'})"
            )
    return options


__all__ = [
    "COMMITTEE", "ENCODERS", "PREDICTORS", "Committee", "Encoder", "Features", "Paths", "Predictor", "PredictorError",
    "Regressor", "Row", "calibration", "committee", "costs", "encoder", "make",
]  # fmt: skip
