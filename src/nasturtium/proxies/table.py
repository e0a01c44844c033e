"""Every proxy by its name: what it needs, its formula, the paper."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from nasturtium.errors import NasturtiumError, did_you_mean
from nasturtium.proxies.flow import synflow
from nasturtium.proxies.kernels import epe_nas, jacob_cov, nwot
from nasturtium.proxies.noise import zen
from nasturtium.proxies.passes import CHANNELS, CODES, CURVATURE, FLOPS, GRADIENTS, JACOBIAN, Measured
from nasturtium.proxies.rows import gradsign, zico
from nasturtium.proxies.saliency import fisher, flops, grad_norm, grasp, l2_norm, params, plain, snip


class ProxyError(NasturtiumError):
    """A proxy, or what it is to be computed on, cannot be used as given."""


class Proxy(NamedTuple):
    """A zero-cost score from one mini-batch.

    Attributes:
        needs: Steps of the shared pass; those with a pass of their own need none.
        compute: The score from what was measured.
        paper: Where it was proposed.
        summary: What it says, in a line.
        larger_is_better: Whether it was proposed with that sign.
    """

    needs: tuple[str, ...]
    compute: Callable[[Measured], float]
    paper: str
    summary: str
    larger_is_better: bool = True


PROXIES: dict[str, Proxy] = {
    "epe_nas": Proxy((JACOBIAN,), epe_nas, "Lopes et al. 2021", "Jacobians of rows of a class correlate"),
    "fisher": Proxy((CHANNELS,), fisher, "Turner et al. 2020", "squared activation times gradient of channels"),
    "flops": Proxy((FLOPS,), flops, "", "FLOPs of a row"),
    "grad_norm": Proxy((GRADIENTS,), grad_norm, "Abdelfattah et al. 2021", "norms of the gradients of layers"),
    "grasp": Proxy((CURVATURE,), grasp, "Wang et al. 2020", "how taking weights out changes the gradient's flow"),
    "jacob_cov": Proxy((JACOBIAN,), jacob_cov, "Mellor et al. 2020", "Jacobians of rows do not correlate"),
    "l2_norm": Proxy((), l2_norm, "Abdelfattah et al. 2021", "norms of the weights of layers"),
    "nwot": Proxy((CODES,), nwot, "Mellor et al. 2021", "rows fall into different linear regions"),
    "params": Proxy((), params, "", "parameters"),
    "plain": Proxy((GRADIENTS,), plain, "Abdelfattah et al. 2021", "weights times gradients, signed"),
    "snip": Proxy((GRADIENTS,), snip, "Lee et al. 2019", "what the loss loses without a weight"),
    "synflow": Proxy((), synflow, "Tanaka et al. 2020", "flow through absolute weights, logarithmic"),
    "zen": Proxy((), zen, "Lin et al. 2021", "how far features move with Gaussian inputs"),
    "zico": Proxy((), zico, "Li et al. 2023", "gradients of two batches agree"),
    "gradsign": Proxy((), gradsign, "Zhang and Jia 2022", "gradients of rows have the same sign"),
}
"""The 13 proxies of NAS-Bench-Suite-Zero, then two that came after."""

SUITE_ZERO = tuple(name for name in PROXIES if name not in ("zico", "gradsign"))
"""The 13 proxies of NAS-Bench-Suite-Zero (Krishnakumar et al. 2022)."""

ALIASES = {"jacov": "jacob_cov"}
"""Other names that proxies go by."""


def chosen(names: str | Iterable[str] | None) -> tuple[str, ...]:
    """The names of proxies: all for None or ``all``, else those given, a text with commas or several.

    Raises:
        ProxyError: If a name is unknown, or there is none.
    """
    if names is None or names == "all":
        return tuple(PROXIES)
    asked = [each.strip() for each in names.split(",")] if isinstance(names, str) else list(names)
    found = dict.fromkeys(ALIASES.get(each, each) for each in asked if each)
    for name in found:
        if name not in PROXIES:
            known = ", ".join(PROXIES)
            raise ProxyError(f"unknown proxy {name!r}{did_you_mean(name, PROXIES)} (there are: all, {known})")
    if not found:
        raise ProxyError(f"no proxy is named; give all, or some of {', '.join(PROXIES)}")
    return tuple(found)
