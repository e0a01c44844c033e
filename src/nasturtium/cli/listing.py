"""``nasturtium list``: the tables of names."""

from __future__ import annotations

import sys

from nasturtium.errors import NasturtiumError, did_you_mean


def lines(what: str) -> list[tuple[str, str]]:
    """Names and a line about each.

    Raises:
        NasturtiumError: If there is no such table.
    """
    from nasturtium import layers, spaces, strategies, tasks

    tables = {
        "spaces": {n: f"{s.summary} ({', '.join(s.kinds)}; {s.source})" for n, s in spaces.SPACES.items()},
        "strategies": {n: _first(s) for n, s in strategies.STRATEGIES.items()},
        "tasks": {n: _first(t) for n, t in tasks.TASKS.items()},
        "metrics": {n: f"{'more' if m.maximise else 'less'} is better; {', '.join(m.kinds)}"
                    for n, m in tasks.METRICS.items()},
        "layers": {n: _first(layer) for n, layer in layers.LAYERS.items()},
    }  # fmt: skip
    if what not in tables:
        raise NasturtiumError(
            f"nothing called {what!r} to list{did_you_mean(what, tables)}; there are {', '.join(tables)}"
        )
    return list(tables[what].items())


def _first(thing: object) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]


def show_list(what: str) -> None:
    """Write a table of names."""
    found = lines(what)
    width = max(len(name) for name, _ in found)
    for name, about in found:
        sys.stdout.write(f"{name:<{width}}  {about}\n")
