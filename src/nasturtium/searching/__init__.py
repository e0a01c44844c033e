"""One call from data to a trained network: puts tasks, spaces, strategies, estimators and studies together."""

from nasturtium.final.leaders import leading, no_winner, winner
from nasturtium.searching.call import search
from nasturtium.searching.result import Best, Result
from nasturtium.searching.units import duration
from nasturtium.study.folder import SETTINGS, STUDY

__all__ = [
    "SETTINGS",
    "STUDY",
    "Best",
    "Result",
    "duration",
    "leading",
    "no_winner",
    "search",
    "winner",
]
