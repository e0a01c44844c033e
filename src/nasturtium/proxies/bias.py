"""The bias of proxies: how they follow what a network is made of, and how that is taken out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from nasturtium.errors import did_you_mean
from nasturtium.proxies.table import ProxyError

if TYPE_CHECKING:
    from nasturtium.space import Architecture, Layer

Values = npt.NDArray[np.float64]

TRAITS = ("conv_over_pool", "cell_size", "num_skip", "params", "kernel", "diversity")
"""What a network is made of: convolutions less pools; operations that are not zero; identities; parameters;
convolutions of the larger kernels less 1x1 ones; different operations (Krishnakumar et al. 2022, section 4.2)."""

LEAST, MOST, POINTS = 1e-3, 1e4, 281
"""The constants that are tried, in spreads of the trait above its smallest value, and how many."""


def traits(architecture: Architecture) -> dict[str, float]:
    """The traits of an architecture, counted over all its layers; copies of a cell count each.

    So they are those of the cell times the number of its copies, plus what all networks of a space have in common,
    which changes no correlation.
    """
    from nasturtium.space.infer import Signals, walk_leaves

    counted = dict.fromkeys(("conv", "pool", "skip", "large", "small"), 0)
    different: set[str] = set()

    def meet(address: str, layer: Layer, signals: Signals) -> None:
        kind = _kind(layer)
        if kind:
            counted[kind] += 1
            window = max(getattr(layer, "window", (1,)))
            if kind == "conv":
                counted["small" if window == 1 else "large"] += 1
            different.add(f"{kind} {window}")

    walk_leaves(architecture.value, architecture.input, meet)
    return {
        "conv_over_pool": float(counted["conv"] - counted["pool"]),
        "cell_size": float(counted["conv"] + counted["pool"] + counted["skip"]),
        "num_skip": float(counted["skip"]),
        "params": float(architecture.count(flops=False)["params"]),
        "kernel": float(counted["large"] - counted["small"]),
        "diversity": float(len(different)),
    }


def _kind(layer: Layer) -> str:
    from nasturtium.layers import AvgPool, Conv1d, Conv2d, Identity, MaxPool

    kinds = {"conv": (Conv1d, Conv2d), "pool": (AvgPool, MaxPool), "skip": (Identity,)}
    return next((kind for kind, classes in kinds.items() if isinstance(layer, classes)), "")


def trait_columns(architectures: Iterable[Architecture]) -> dict[str, Values]:
    """The traits of architectures, one column each."""
    rows = [traits(each) for each in architectures]
    return {name: np.array([row[name] for row in rows]) for name in TRAITS}


def pearson(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Pearson's correlation where both are finite; NaN where one is constant, or there are fewer than three."""
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    both = np.isfinite(one) & np.isfinite(other)
    one, other = one[both], other[both]
    if len(one) < 3 or np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def bias_table(
    scores: Mapping[str, npt.ArrayLike], columns: Mapping[str, npt.ArrayLike]
) -> dict[str, dict[str, float]]:
    """For each proxy (or accuracy) its Pearson correlation with each trait, over networks for which it has a value.

    Args:
        scores: Of each proxy (n,), NaN where there is none.
        columns: Of each trait (n,).
    """
    return {
        name: {trait: pearson(values, column) for trait, column in columns.items()} for name, values in scores.items()
    }


class Removed(NamedTuple):
    """A proxy with a bias taken out.

    Attributes:
        values: f / (b + C), (n,).
        constant: C.
        before, after: The correlation with the trait.
    """

    values: Values
    constant: float
    before: float
    after: float


def removed(
    scores: npt.ArrayLike, trait: npt.ArrayLike, how: str = "minimise", target: npt.ArrayLike | None = None
) -> Removed:
    """Take a bias out of a proxy: f'(a) = f(a) / (b(a) + C) (Krishnakumar et al. 2022, section 4.2).

    C is the best of a logarithmic grid above the smallest value of the trait, which keeps b + C positive. The larger it
    is, the less is changed.

    Args:
        scores: f (n,), NaN where there is none.
        trait: b (n,).
        how: ``minimise``: the correlation of f' with b comes nearest to 0; ``equalise``: to that of the target;
            ``performance``: the rank correlation of f' with the target is highest.
        target: The accuracy (n,), which the last two need. Use one of networks that are not judged afterwards.

    Raises:
        ProxyError: If ``how`` is unknown or lacks its target, or the trait is constant.
    """
    f, b = np.asarray(scores, dtype=np.float64), np.asarray(trait, dtype=np.float64)
    if how not in AIMS:
        raise ProxyError(f"cannot remove a bias to {how!r}; use {', '.join(AIMS)}{did_you_mean(how, AIMS)}")
    if target is None and how != "minimise":
        raise ProxyError(f"removing a bias to {how!r} needs the target, such as validation accuracies")
    spread = float(np.ptp(b))
    if spread == 0:
        raise ProxyError("the trait is the same for all networks, so there is no bias to remove")
    goal = np.zeros_like(b) if target is None else np.asarray(target, dtype=np.float64)
    grid = -float(b.min()) + spread * np.geomspace(LEAST, MOST, POINTS)
    losses = [AIMS[how](f / (b + constant), b, goal) for constant in grid]
    if not np.isfinite(losses).any():
        raise ProxyError("the proxy has no values that differ, so no bias can be removed")
    constant = float(grid[int(np.nanargmin(losses))])
    values = f / (b + constant)
    return Removed(values, constant, pearson(f, b), pearson(values, b))


def _minimise(f: Values, b: Values, goal: Values) -> float:
    return abs(pearson(f, b))


def _equalise(f: Values, b: Values, goal: Values) -> float:
    return abs(pearson(f, b) - pearson(goal, b))


def _performance(f: Values, b: Values, goal: Values) -> float:
    from scipy.stats import rankdata

    both = np.isfinite(f) & np.isfinite(goal)
    return -pearson(rankdata(f[both]), rankdata(goal[both]))


AIMS: dict[str, Callable[[Values, Values, Values], float]] = {
    "minimise": _minimise,
    "equalise": _equalise,
    "performance": _performance,
}
"""How C is chosen: what is to be as small as can be, for f', b and the target."""
