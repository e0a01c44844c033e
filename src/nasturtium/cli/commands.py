"""The commands of a search and their options; what they do is imported when they run, so that help is instant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nasturtium.cli.app import Device, Import, Quiet, Store, app
from nasturtium.cli.options import SpaceOption, StrategyOption, import_modules, read_options, reads_data


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
) -> None:
    """Neural architecture search: from data and limits to a trained network."""
    if version:
        from nasturtium import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.command()
@reads_data
def search(
    *,
    data: dict[str, Any],
    task: Annotated[str, typer.Argument(help="digits, or a .npz, .csv, .parquet or a folder of images by class.")],
    space: Annotated[str | None, typer.Option(help="Search space; by the kind of data if not given.")] = None,
    strategy: Annotated[str | None, typer.Option(help="What decides what to try; by the data if not given.")] = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Trials; if not given 50, or as many as --time allows.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training rows in each trial.")] = 15,
    workers: Annotated[int, typer.Option(min=1, help="Trials at a time.")] = 1,
    objective: Annotated[list[str] | None, typer.Option(help="What to optimise; may be given several times.")] = None,
    limit: Annotated[list[str] | None, typer.Option(help='What must hold, such as "params<=100000".')] = None,
    start: Annotated[list[str] | None, typer.Option(help="Architectures to try first: text, or a file of it.")] = None,
    proxy: Annotated[str | None, typer.Option(help="Proxies that screen what is tried: nwot,synflow.")] = None,
    proxy_keep: Annotated[float, typer.Option(help="Share of a strategy's candidates that are tried.")] = 0.25,
    proxy_start: Annotated[int, typer.Option(min=0, help="Best of a drawn pool that are tried first.")] = 5,
    time: Annotated[str | None, typer.Option(help="Time for everything, such as 10m.")] = None,
    trial_time: Annotated[str | None, typer.Option(help="Time limit of one trial.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder of the study; runs/<task>-<space>-<strategy>.")] = None,
    final_epochs: Annotated[int | None, typer.Option(min=0, help="Epochs of the final training; 0 for none.")] = None,
    final_seeds: Annotated[int, typer.Option(min=1, help="How often each finalist is trained.")] = 3,
    finalists: Annotated[int, typer.Option(min=1, help="How many of the best are trained again in the end.")] = 5,
    baselines: Annotated[bool, typer.Option(help="Train a plain network and a scikit-learn model too.")] = True,
    tune: Annotated[int, typer.Option(min=0, help="Recipes to try on the finalists before.")] = 0,
    store: Annotated[
        str | None, typer.Option(help="PostgreSQL URL that keeps the trials; a file if not given.")
    ] = None,
    memory: Annotated[str | None, typer.Option(help="Most memory of a worker, such as 4G.")] = None,
    distil: Annotated[
        bool, typer.Option("--distil", help="Let the best networks so far teach those that follow.")
    ] = False,
    distil_option: Annotated[
        list[str] | None, typer.Option(help="weight=0.2, teachers=3, after=30, temperature=2.")
    ] = None,
    early_stop: Annotated[str | None, typer.Option(help="curve or median: end trials that promise too little.")] = None,
    space_option: SpaceOption = None,
    strategy_option: StrategyOption = None,
    device: Device = None,
    quiet: Quiet = False,
) -> int:
    """Search a network for data; train the best few and plain baselines, and compare them on the test split."""
    from nasturtium.cli.searching import Asked, run_search

    asked = Asked(
        task, space, strategy, trials, epochs, workers, objective or [], limit or [], start or [], time, trial_time,
        seed, out, device, quiet, (distil_option or []) if distil or distil_option else None, data,
        {"final_epochs": final_epochs, "final_seeds": final_seeds, "finalists": finalists, "baselines": baselines,
         "tune": tune, "store": store, "memory": memory, "proxy": proxy, "proxy_keep": proxy_keep,
         "proxy_start": proxy_start, "early_stop": early_stop, "space_options": read_options(space_option),
         "strategy_options": read_options(strategy_option, "population=50")},
    )  # fmt: skip
    return run_search(asked)


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a search.")],
    top: Annotated[int, typer.Option(min=1, help="How many trials to show.")] = 5,
    importance: Annotated[bool, typer.Option("--importance", help="Say which decisions mattered.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Follow a running search until it ends.")] = False,
    csv: Annotated[Path | None, typer.Option(help="File for all trials as a table.")] = None,
    store: Store = None,
) -> int:
    """Show what a study holds: its best trials, how trials ended, the final scores."""
    from nasturtium.cli import showing
    from nasturtium.writing import checked_place

    wanted = showing.Shown(top, importance, csv, store)
    if csv is not None:
        checked_place(csv)
    if watch:
        from nasturtium.cli.watching import watch_study

        return watch_study(folder, wanted)
    showing.show(folder, wanted)
    return 0


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a search.")],
    out: Annotated[Path | None, typer.Option(help="The HTML file; report.html in the folder.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for each plot as an SVG file; alone, no page.")] = None,
    store: Store = None,
    modules: Import = None,
) -> None:
    """Write a page that works offline: the winner, scores, progress, what mattered, how to repeat it."""
    from nasturtium.cli.reporting import run_report

    import_modules(modules)
    run_report(folder, out, plots, store)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a search.")],
    file: Annotated[Path, typer.Argument(help="What to write: a name that ends in .py, .onnx or .pt2.")],
    modules: Import = None,
) -> None:
    """Write the trained network as PyTorch source, ONNX or torch.export, verified on real rows."""
    from nasturtium.cli.exporting import run_export

    import_modules(modules)
    run_export(folder, file)


@app.command()
def track(
    folder: Annotated[Path, typer.Argument(help="The folder of a study.")],
    tensorboard: Annotated[Path | None, typer.Option(help="Folder that TensorBoard is to show.")] = None,
    optuna: Annotated[str | None, typer.Option(help="Optuna storage for its dashboard, as sqlite:///FILE.")] = None,
    csv: Annotated[Path | None, typer.Option(help="File for a table, one row a trial.")] = None,
    store: Store = None,
) -> None:
    """Copy a study to where other programs show it: TensorBoard, Optuna's dashboard, a table."""
    from nasturtium.cli.tracking import track_study

    track_study(folder, tensorboard, optuna, csv, store)


@app.command()
def doctor(
    folder: Annotated[Path | None, typer.Argument(help="The folder of a study to look at too.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    store: Store = None,
) -> None:
    """Say what is installed, what the machine can do and how a study is: for a report of a problem."""
    from nasturtium.cli.doctor import examine

    examine(folder, json, store)
