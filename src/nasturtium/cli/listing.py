"""``nasturtium list``: the tables of names."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError, did_you_mean

if TYPE_CHECKING:
    from rich.table import Table

    from nasturtium.spaces import Published

Lines = Iterator[tuple[str, str]]

MEMBERS = 4
"""So many known networks of a space are named; of more the number is said."""


def lines(what: str) -> list[tuple[str, str]]:
    """Names and a line about each.

    Raises:
        NasturtiumError: If there is no such table.
    """
    if what not in TABLES:
        raise NasturtiumError(
            f"nothing called {what!r} to list{did_you_mean(what, TABLES)}; there are {', '.join(TABLES)}"
        )
    return list(TABLES[what]())


def _spaces() -> Lines:
    from nasturtium.spaces import SPACES

    return ((name, "; ".join(filter(None, facts(published)))) for name, published in SPACES.items())


def _members() -> Lines:
    from nasturtium.spaces import SPACES

    for name, published in SPACES.items():
        for member in published(input=published.input).members:
            yield f"{name}: {member}", published.source


def _strategies() -> Lines:
    from nasturtium.strategies import PRESETS, STRATEGIES

    yield from ((name, _first(strategy)) for name, strategy in STRATEGIES.items())
    yield from ((name, f"{preset.summary} ({preset.source})") for name, preset in PRESETS.items())


def _tasks() -> Lines:
    from nasturtium.tasks import TASKS

    return ((name, _first(task)) for name, task in TASKS.items())


def _metrics() -> Lines:
    from nasturtium.tasks import METRICS

    for name, metric in METRICS.items():
        yield name, f"{'more' if metric.maximise else 'less'} is better; {', '.join(metric.kinds)}"


def _layers() -> Lines:
    from nasturtium.layers import LAYERS

    return ((name, _first(layer)) for name, layer in LAYERS.items())


def _benchmarks() -> Lines:
    from nasturtium.benchmarks import BENCHMARKS

    for name, published in BENCHMARKS.items():
        datasets = list(published.datasets)
        shown = ", ".join(datasets) if len(datasets) <= MEMBERS else f"{len(datasets)} data sets"
        yield name, f"{published.summary}; {shown}"


def _predictors() -> Lines:
    from nasturtium.predictors import PREDICTORS

    for name, row in PREDICTORS.items():
        extra = f"; pip install 'nasturtium[{row.extra}]'" if row.extra else ""
        yield name, f"{row.family} on {row.encoding}; {row.paper}{extra}"


def _curves() -> Lines:
    from nasturtium.predictors.curves import CURVES

    return ((name, f"{row.summary}; {row.paper}") for name, row in CURVES.items())


def _proxies() -> Lines:
    from nasturtium.proxies import PROXIES

    return ((name, "; ".join(filter(None, (proxy.summary, proxy.paper)))) for name, proxy in PROXIES.items())


TABLES: dict[str, Callable[[], Lines]] = {
    "spaces": _spaces,
    "members": _members,
    "strategies": _strategies,
    "tasks": _tasks,
    "metrics": _metrics,
    "benchmarks": _benchmarks,
    "predictors": _predictors,
    "curves": _curves,
    "proxies": _proxies,
    "layers": _layers,
}
"""What can be listed."""


def _first(thing: object) -> str:
    return (thing.__doc__ or "").strip().split("\n")[0]


def show_list(what: str) -> None:
    """Write a table of names: one line each, or for spaces in a terminal a table of its width."""
    if what == "spaces" and sys.stdout.isatty():
        from rich.console import Console

        console = Console()
        console.print(spaces_table())
        return
    found = lines(what)
    width = max(len(name) for name, _ in found)
    for name, about in found:
        sys.stdout.write(f"{name:<{width}}  {about}\n")


def spaces_table() -> Table:
    """The spaces as a table that fits 80 columns, its cells wrapped."""
    from rich import box
    from rich.table import Table

    from nasturtium import spaces

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=False)
    table.add_column("space", style="bold", overflow="fold", no_wrap=False)
    table.add_column("size", justify="right", overflow="fold")
    table.add_column("input", overflow="fold")
    table.add_column("what it holds, members, paper", ratio=1, overflow="fold")
    for name, published in spaces.SPACES.items():
        size, kinds, summary, members, source = facts(published)
        about = "\n".join(filter(None, (summary, members, f"[dim]{_plain(source)}[/]")))
        table.add_row(name, size, kinds.replace(", ", "\n"), about)
    return table


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def facts(published: Published) -> tuple[str, str, str, str, str]:
    """Size, kinds of input, summary, members and paper of a space, as text; size and members may be empty."""
    known = list(published().members)
    shown = (
        ", ".join(known) if len(known) <= MEMBERS else f"{', '.join(known[:MEMBERS])} and {len(known) - MEMBERS} more"
    )
    members = f"members: {shown}" if known else ""
    return size_text(published.size), ", ".join(published.kinds), published.summary, members, published.source


def size_text(size: Any) -> str:
    """The size of a space as people read it: 15,625 or 3.4e+09 or infinite; empty where it is not said."""
    if size is None:
        return ""
    if size == math.inf:
        return "infinite"
    return f"{size:,.0f}" if size < 1e8 else f"{float(size):.1e}" if size < 1e300 else f"1e+{len(str(int(size))) - 1}"
