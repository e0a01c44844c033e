"""The commands and their options; what they do is imported when they run, so that help is instant."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Neural architecture search: from data and limits to a trained network.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


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
def search(
    task: Annotated[str, typer.Argument(help="digits, or a .npz, .csv, .parquet or a folder of images by class.")],
    space: Annotated[str | None, typer.Option(help="Search space; by the kind of data if not given.")] = None,
    strategy: Annotated[str | None, typer.Option(help="What decides what to try; by the data if not given.")] = None,
    trials: Annotated[int, typer.Option(min=1, help="Architectures to try.")] = 50,
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
    target: Annotated[str | None, typer.Option(help="Target column of a table.")] = None,
    metric: Annotated[str | None, typer.Option(help="The task's metric.")] = None,
    kind: Annotated[str | None, typer.Option(help="classification or regression.")] = None,
    layout: Annotated[str | None, typer.Option(help="What arrays hold: image, sequence, vector, tokens.")] = None,
    entity: Annotated[str | None, typer.Option(help="Events: the column that says whose event a row is.")] = None,
    timestamp: Annotated[str | None, typer.Option(help="Events: the column that says when.")] = None,
    labels: Annotated[str | None, typer.Option(help="Events: table of one label an entity.")] = None,
    categorical: Annotated[list[str] | None, typer.Option(help="Events: a column that is a category.")] = None,
    numeric: Annotated[list[str] | None, typer.Option(help="Events: a column that is a number.")] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Events: a column to leave out.")] = None,
    max_events: Annotated[int | None, typer.Option(min=1, help="Events: the newest kept of each entity; 512.")] = None,
    split: Annotated[str | None, typer.Option(help="Events: temporal or stratified, if no split is given.")] = None,
    groups: Annotated[str | None, typer.Option(help="Array, or column of labels: equal values stay together.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps; picked by itself if not given.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> int:
    """Search a network for data; train the best few and plain baselines, and compare them on the test split."""
    from nasturtium.cli.searching import Asked, run_search

    given = {"target": target, "metric": metric, "kind": kind, "layout": layout, "entity": entity,
             "timestamp": timestamp, "labels": labels, "categorical": categorical, "numeric": numeric,
             "ignore": ignore, "max_events": max_events, "split": split, "groups": groups}  # fmt: skip
    options = {name: value for name, value in given.items() if value not in (None, [])}
    asked = Asked(
        task, space, strategy, trials, epochs, workers, objective or [], limit or [], start or [], time, trial_time,
        seed, out, device, quiet, (distil_option or []) if distil or distil_option else None, options,
        {"final_epochs": final_epochs, "final_seeds": final_seeds, "finalists": finalists, "baselines": baselines,
         "tune": tune, "store": store, "memory": memory, "proxy": proxy, "proxy_keep": proxy_keep,
         "proxy_start": proxy_start, "early_stop": early_stop},
    )  # fmt: skip
    return run_search(asked)


@app.command()
def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a search.")],
    top: Annotated[int, typer.Option(min=1, help="How many trials to show.")] = 5,
    importance: Annotated[bool, typer.Option("--importance", help="Say which decisions mattered.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Follow a running search until it ends.")] = False,
    csv: Annotated[Path | None, typer.Option(help="File for all trials as a table.")] = None,
    store: Annotated[str | None, typer.Option(help="PostgreSQL URL that keeps the trials, if one does.")] = None,
) -> int:
    """Show what a study holds: its best trials, how trials ended, the final scores."""
    if watch:
        from nasturtium.cli.watching import watch_study

        return watch_study(folder, top, store)
    from nasturtium.cli.showing import Shown
    from nasturtium.cli.showing import show as show_study

    show_study(folder, Shown(top, importance, csv, store))
    return 0


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a search.")],
    out: Annotated[Path | None, typer.Option(help="The HTML file; report.html in the folder.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for each plot as an SVG file; alone, no page.")] = None,
    store: Annotated[str | None, typer.Option(help="PostgreSQL URL that keeps the trials, if one does.")] = None,
) -> None:
    """Write a page that works offline: the winner, scores, progress, what mattered, how to repeat it."""
    from nasturtium.cli.reporting import run_report

    run_report(folder, out, plots, store)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a search.")],
    file: Annotated[Path, typer.Argument(help="What to write: a name that ends in .py, .onnx or .pt2.")],
) -> None:
    """Write the trained network as PyTorch source, ONNX or torch.export, verified on real rows."""
    from nasturtium.cli.exporting import run_export

    run_export(folder, file)


@app.command()
def track(
    folder: Annotated[Path, typer.Argument(help="The folder of a study.")],
    tensorboard: Annotated[Path | None, typer.Option(help="Folder that TensorBoard is to show.")] = None,
    optuna: Annotated[str | None, typer.Option(help="Optuna storage for its dashboard, as sqlite:///FILE.")] = None,
    csv: Annotated[Path | None, typer.Option(help="File for a table, one row a trial.")] = None,
) -> None:
    """Copy a study to where other programs show it: TensorBoard, Optuna's dashboard, a table."""
    from nasturtium.cli.tracking import track_study

    track_study(folder, tensorboard, optuna, csv)


@app.command()
def doctor(
    folder: Annotated[Path | None, typer.Argument(help="The folder of a study to look at too.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Say what is installed, what the machine can do and how a study is: for a report of a problem."""
    from nasturtium.cli.doctor import examine

    examine(folder, json)


@app.command()
def bench(
    benchmark: Annotated[str, typer.Argument(help="A benchmark, such as nasbench201.")],
    dataset: Annotated[list[str] | None, typer.Option(help="Its data set; several times, or all.")] = None,
    strategy: Annotated[list[str] | None, typer.Option(help="A strategy, or label=strategy; several times.")] = None,
    queries: Annotated[int | None, typer.Option(min=1, help="Queries of a run; 150 without a time.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Runs of each strategy.")] = 100,
    time: Annotated[str | None, typer.Option(help="Simulated time of a run, such as 12000 or 3h.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one for each core if not given.")] = None,
    simulated_workers: Annotated[int, typer.Option(min=1, help="Trainings at a time in simulated time.")] = 1,
    epoch: Annotated[int | None, typer.Option(min=1, help="The epoch whose validation strategies see.")] = None,
    noise: Annotated[bool, typer.Option("--noise", help="They see one training, not the mean of several.")] = False,
    data: Annotated[Path | None, typer.Option(help="File or folder of the benchmark.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="strategy.name=value; several times.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    json: Annotated[Path | None, typer.Option(help="File for the rows.")] = None,
    html: Annotated[Path | None, typer.Option(help="File for a page with plots.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder that keeps finished runs and all results.")] = None,
    surrogate: Annotated[Path | None, typer.Option(help="A surrogate fitted before, in place of the table.")] = None,
    fit: Annotated[Path | None, typer.Option(help="Fit a surrogate on the table, and write it there.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Compare strategies on a benchmark: many runs from a table of results, in seconds."""
    from nasturtium.cli import benching

    if fit is not None:
        benching.fit(benchmark, dataset[0] if dataset else None, data, fit, seed)
        return
    asked = benching.Benched(
        benchmark, dataset or [], strategy or [], queries, runs, time, workers, simulated_workers, epoch, noise, data,
        option or [], seed, json, html, out, surrogate, quiet,
    )  # fmt: skip
    benching.run_bench(asked)


@app.command()
def predict(
    benchmark: Annotated[str, typer.Argument(help="A benchmark, such as nasbench201.")],
    dataset: Annotated[list[str] | None, typer.Option(help="Its data set; several times, or all.")] = None,
    predictor: Annotated[list[str] | None, typer.Option(help="A predictor; several times, or all.")] = None,
    features: Annotated[list[str] | None, typer.Option(help="encoding, proxies or both; several times.")] = None,
    train: Annotated[list[int] | None, typer.Option(min=2, help="Rows to fit on; several times; 100.")] = None,
    runs: Annotated[int, typer.Option(min=1, help="Splits.")] = 20,
    metric: Annotated[str | None, typer.Option(help="What is predicted; the test score if not given.")] = None,
    data: Annotated[Path | None, typer.Option(help="File or folder of the benchmark.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 0,
    json: Annotated[Path | None, typer.Option(help="File for the rows.")] = None,
    html: Annotated[Path | None, typer.Option(help="File for the page.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder that keeps what is done; the same command goes on.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Compare predictors on a benchmark: fitted on some architectures, asked for the others."""
    from nasturtium.cli.predicting import Predicted, run_predict

    asked = Predicted(
        benchmark, dataset or [], predictor or [], features or [], train or [], runs, metric, data, seed, json, html,
        out, quiet,
    )  # fmt: skip
    run_predict(asked)


@app.command("build-benchmark")
def build_benchmark(
    task: Annotated[str, typer.Argument(help="The data, as for search.")],
    space: Annotated[str | None, typer.Option(help="Search space; by the kind of data if not given.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many architectures to train.")] = 100,
    seeds: Annotated[int, typer.Option(min=1, help="How many times each.")] = 3,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training rows in each training.")] = 15,
    limit: Annotated[list[str] | None, typer.Option(help='What must hold, such as "params<=100000".')] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trainings at a time.")] = 1,
    time: Annotated[str | None, typer.Option(help="After which no more trainings start, such as 2h.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of draws and trainings.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder; runs/benchmark-<task>-<space>.")] = None,
    target: Annotated[str | None, typer.Option(help="Target column of a table.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps; picked by itself if not given.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
) -> None:
    """Train random architectures of a space and write a table of results: a benchmark of one's own."""
    from nasturtium.cli.building import Built, run_build

    options = {} if target is None else {"target": target}
    run_build(Built(task, space, count, seeds, epochs, limit or [], workers, time, seed, out, device, quiet, options))


@app.command()
def score(
    what: Annotated[str, typer.Argument(metavar="ARCH|SPACE", help="Text of an architecture, its file, or a space.")],
    task: Annotated[str, typer.Option(help="The data, as for search.")],
    proxies: Annotated[str, typer.Option(help="all, or names with commas.")] = "all",
    count: Annotated[int, typer.Option(min=1, help="How many architectures of a space to draw.")] = 5,
    rows: Annotated[int, typer.Option(min=1, help="Rows of the batch.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Seed of batch, weights and draws.")] = 0,
    target: Annotated[str | None, typer.Option(help="Target column of a table.")] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or mps.")] = "cpu",
    json: Annotated[Path | None, typer.Option(help="File for the rows.")] = None,
) -> None:
    """Score untrained networks by zero-cost proxies on one batch."""
    from nasturtium.cli.scoring import Scored, run_score

    options = {} if target is None else {"target": target}
    run_score(Scored(what, task, proxies, count, rows, seed, device, json, options))


@app.command("list")
def list_(
    what: Annotated[str, typer.Argument(help="spaces, members, strategies, predictors, proxies, benchmarks, ...")],
) -> None:
    """List what there is."""
    from nasturtium.cli.listing import show_list

    show_list(what)


@app.command()
def sample(
    space: Annotated[str, typer.Argument(help="The space to draw from.")],
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 0,
    input: Annotated[str | None, typer.Option(help="Sizes such as 3,64,64 or 128,6 or 16; the space's own.")] = None,
    outputs: Annotated[int | None, typer.Option(min=1, help="Numbers that leave it; the space's own.")] = None,
    option: Annotated[list[str] | None, typer.Option(help="Option of the space: NAME=VALUE, several times.")] = None,
    member: Annotated[str | None, typer.Option(help="Show this known network of the space, draw none.")] = None,
    notation: Annotated[bool, typer.Option("--notation", help="Write the notation of its community.")] = False,
    tree: Annotated[bool, typer.Option("--tree", help="Write each as a tree.")] = False,
    summary: Annotated[bool, typer.Option("--summary", help="Say in a few sentences what each is.")] = False,
    svg: Annotated[Path | None, typer.Option(help="File for the drawing (of several: -0, -1 ... added).")] = None,
) -> None:
    """Draw architectures of a space and write them as text, one a line, as trees, in words or as drawings."""
    from nasturtium.cli.sampling import Wanted, write_samples

    options = option or []
    write_samples(Wanted(space, count, seed, input, outputs, member, tree, notation, summary, svg, options))
