"""The program that commands are added to, and the options that several of them share."""

from __future__ import annotations

from typing import Annotated, Any

import typer

app = typer.Typer(
    help="Neural architecture search: from data and limits to a trained network.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Target = Annotated[str | None, typer.Option(help="Target column of a table.")]
Metric = Annotated[str | None, typer.Option(help="The task's metric.")]
Kind = Annotated[str | None, typer.Option(help="classification or regression.")]
Layout = Annotated[str | None, typer.Option(help="What arrays hold: image, sequence, vector, tokens.")]
Entity = Annotated[str | None, typer.Option(help="Events: the column that says whose event a row is.")]
Timestamp = Annotated[str | None, typer.Option(help="Events: the column that says when.")]
Labels = Annotated[str | None, typer.Option(help="Events: table of one label an entity.")]
Categorical = Annotated[list[str] | None, typer.Option(help="Events: a column that is a category.")]
Numeric = Annotated[list[str] | None, typer.Option(help="Events: a column that is a number.")]
Ignore = Annotated[list[str] | None, typer.Option(help="Events: a column to leave out.")]
MaxEvents = Annotated[int | None, typer.Option(min=1, help="Events: the newest kept of each entity; 512.")]
PartsBy = Annotated[str | None, typer.Option(help="Events: temporal or stratified, if no split is given.")]
Groups = Annotated[str | None, typer.Option(help="Array, or column of labels: equal values stay together.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda or mps; picked by itself if not given.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]


def given(**options: Any) -> dict[str, Any]:
    """Those options that were given."""
    return {name: value for name, value in options.items() if value not in (None, [])}
