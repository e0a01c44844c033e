"""``nasturtium export``: the trained network of a search as a file for use elsewhere."""

from __future__ import annotations

from pathlib import Path

import typer


def run_export(folder: Path, file: Path) -> None:
    """Export the best network in a folder, and say how it was verified."""
    from nasturtium.export import export

    made = export(folder, file)
    kind = "rows of data" if made.real else "made-up rows (the folder keeps none of its data)"
    typer.echo(
        f"largest difference to the trained network on {made.rows} {kind}: {made.difference:.2g} "
        f"(allowed: {made.bound:.2g})"
    )
    for path in made.files:
        typer.echo(f"written: {path}")
    if made.note:
        typer.echo(f"note: {made.note}", err=True)
