"""``nasturtium list``: the tables of names."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

from nasturtium.errors import NasturtiumError, did_you_mean

if TYPE_CHECKING:
    from rich.table import Table

    from nasturtium.spaces import Published

MEMBERS = 4
"""So many known networks of a space are named; of more the number is said."""


def lines(what: str) -> list[tuple[str, str]]:
    """Names and a line about each.

    Raises:
        NasturtiumError: If there is no such table.
    """
    from nasturtium import layers, spaces, strategies, tasks

    tables = {
        "spaces": {n: "; ".join(filter(None, facts(s))) for n, s in spaces.SPACES.items()},
        "strategies": {n: _first(s) for n, s in strategies.STRATEGIES.items()}
        | {n: f"{p.summary} ({p.source})" for n, p in strategies.PRESETS.items()},
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
