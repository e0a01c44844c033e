"""The program that commands are added to, and the options that most of them share."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="Neural architecture search: from data and limits to a trained network.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Device = Annotated[str | None, typer.Option(help="cpu, cuda or mps; picked by itself if not given.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
Import = Annotated[
    list[str] | None,
    typer.Option("--import", metavar="MODULE", help="Module that defines layers of your own; several times."),
]
Store = Annotated[str | None, typer.Option(help="PostgreSQL URL that keeps the trials, if one does.")]
