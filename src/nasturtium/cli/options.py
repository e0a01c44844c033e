"""Options that several commands share: how data are read, and NAME=VALUE for spaces and strategies."""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from nasturtium.errors import NasturtiumError

DATA: dict[str, Any] = {
    "target": Annotated[str | None, typer.Option(help="Target column of a table.")],
    "metric": Annotated[str | None, typer.Option(help="The task's metric.")],
    "kind": Annotated[str | None, typer.Option(help="classification or regression.")],
    "layout": Annotated[str | None, typer.Option(help="What arrays hold: image, sequence, vector, tokens.")],
    "entity": Annotated[str | None, typer.Option(help="Events: the column that says whose event a row is.")],
    "timestamp": Annotated[str | None, typer.Option(help="Events: the column that says when.")],
    "labels": Annotated[str | None, typer.Option(help="Events: table of one label an entity.")],
    "categorical": Annotated[list[str] | None, typer.Option(help="Events: a column that is a category.")],
    "numeric": Annotated[list[str] | None, typer.Option(help="Events: a column that is a number.")],
    "ignore": Annotated[list[str] | None, typer.Option(help="Events: a column to leave out.")],
    "max_events": Annotated[int | None, typer.Option(min=1, help="Events: the newest kept of each entity; 512.")],
    "split": Annotated[str | None, typer.Option(help="Events: temporal or stratified, if no split is given.")],
    "groups": Annotated[str | None, typer.Option(help="Array, or column of labels: equal values stay together.")],
}
"""Those of :func:`nasturtium.tasks.load`."""

SpaceOption = Annotated[list[str] | None, typer.Option(help="Option of the space: NAME=VALUE, several times.")]
StrategyOption = Annotated[list[str] | None, typer.Option(help="Option of the strategy: NAME=VALUE, several times.")]

ELSEWHERE = {"input": "--input", "outputs": "--outputs"}
"""What spaces take that is given by options of their own, or follows from the data."""


def import_modules(names: Iterable[str] | None) -> None:
    """Import modules of the user's, so that the layers they define are known.

    Args:
        names: Of modules that Python finds, the current folder first, or files such as ``code/layers.py``.

    Raises:
        NasturtiumError: If one cannot be imported.
    """
    for name in names or ():
        file = Path(name)
        module, folder = (file.stem, file.parent) if file.suffix == ".py" else (name, Path())
        if str(folder.resolve()) not in sys.path:
            sys.path.insert(0, str(folder.resolve()))
        try:
            importlib.import_module(module)
        except Exception as error:
            why = " ".join(f"{type(error).__name__}: {error}".split())
            raise NasturtiumError(
                f"cannot import {name!r} ({why}); give a module that Python finds from {Path().resolve()}, or its file"
            ) from error


def reads_data(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options ``DATA`` after its own; it takes those that were given as the argument ``data``."""
    own = inspect.signature(command, eval_str=True)
    kept = [parameter for parameter in own.parameters.values() if parameter.name != "data"]
    keyword = inspect.Parameter.KEYWORD_ONLY
    added = [inspect.Parameter(name, keyword, default=None, annotation=told) for name, told in DATA.items()]

    @wraps(command)
    def called(**options: Any) -> Any:
        data = {name: options.pop(name) for name in DATA}
        return command(**options, data={name: each for name, each in data.items() if each not in (None, [])})

    called.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in (*kept, *added)}
    return called


def read_options(texts: Iterable[str] | None, example: str = "cells=20") -> dict[str, Any]:
    """Options by name, from texts as :func:`read_option` takes them.

    Raises:
        NasturtiumError: If one cannot be read, or is given twice.
    """
    options: dict[str, Any] = {}
    for name, value in (read_option(text, example) for text in texts or ()):
        if name in options:
            raise NasturtiumError(f"the option {name} is given twice; give it once")
        options[name] = value
    return options


def read_strategy_options(texts: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Options of several strategies, by their names, from texts such as ``evolution.population=50``.

    Raises:
        NasturtiumError: If one cannot be read, or is given twice.
    """
    example = "evolution.population=50"
    of: dict[str, list[str]] = {}
    for text in texts:
        strategy, dot, option = text.partition("=")[0].strip().rpartition(".")
        if not (dot and strategy and option):
            raise NasturtiumError(f"option {text!r}: write strategy.name=value, such as {example}")
        of.setdefault(strategy, []).append(f"{option}={text.partition('=')[2]}")
    return {strategy: read_options(given, "population=50") for strategy, given in of.items()}


def read_option(text: str, example: str = "cells=20") -> tuple[str, Any]:
    """An option such as ``cells=20``: its value is JSON, or a number, true, false, text, or some of them with commas.

    Raises:
        NasturtiumError: If it is not NAME=VALUE.
    """
    name, equals, value = text.partition("=")
    name, value = name.strip(), value.strip()
    if not equals or not name.isidentifier() or not value:
        raise NasturtiumError(f"cannot read the option {text!r}; write NAME=VALUE, such as {example}")
    if value[0] in '[{"':
        try:
            return name, json.loads(value)
        except ValueError as error:
            raise NasturtiumError(f"cannot read the option {text!r}: it is no JSON ({error})") from None
    parts = [_value(part.strip()) for part in value.split(",") if part.strip()]
    return name, tuple(parts) if "," in value else parts[0]


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
