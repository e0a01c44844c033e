"""Proxies: zero-cost scores of networks from one mini-batch, their bias, and what they say together."""

from nasturtium.proxies.scoring import Scorer, Scores, score, scorer, single, together
from nasturtium.proxies.table import PROXIES, SUITE_ZERO, Proxy, ProxyError, chosen

__all__ = [
    "PROXIES",
    "SUITE_ZERO",
    "Proxy",
    "ProxyError",
    "Scorer",
    "Scores",
    "chosen",
    "score",
    "scorer",
    "single",
    "together",
]
