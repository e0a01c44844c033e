"""The final trainings: the best few of a search and plain baselines, compared honestly; the winner and its files."""

from typing import TYPE_CHECKING, Any

from nasturtium.final.leaders import leading, no_winner, winner
from nasturtium.final.results import FINALS, TRIALS, Comparison, Finals, Network, Run, read_finals

if TYPE_CHECKING:
    from nasturtium.final.files import BEST, ROWS, WEIGHTS, Loaded, load_best, read_best
    from nasturtium.final.finishing import Finish, Wanted, finish
    from nasturtium.final.reserve import Reserve

_LATER = {
    **dict.fromkeys(("BEST", "ROWS", "WEIGHTS", "Loaded", "load_best", "read_best"), "files"),
    **dict.fromkeys(("Finish", "Wanted", "finish"), "finishing"),
    "Reserve": "reserve",
}


def __getattr__(name: str) -> Any:
    """What needs torch or much else is imported when it is first used."""
    import importlib

    if name not in _LATER:
        raise AttributeError(f"module 'nasturtium.final' has no attribute {name!r}")
    return getattr(importlib.import_module(f"nasturtium.final.{_LATER[name]}"), name)


__all__ = [
    "BEST",
    "FINALS",
    "ROWS",
    "TRIALS",
    "WEIGHTS",
    "Comparison",
    "Finals",
    "Finish",
    "Loaded",
    "Network",
    "Reserve",
    "Run",
    "Wanted",
    "finish",
    "leading",
    "load_best",
    "no_winner",
    "read_best",
    "read_finals",
    "winner",
]
