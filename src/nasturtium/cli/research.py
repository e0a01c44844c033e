"""The commands about searches themselves: comparisons, tables, scores, draws; the same holds for their imports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nasturtium.cli.app import Device, Quiet, app
from nasturtium.cli.options import SpaceOption, read_options, reads_data
from nasturtium.errors import NasturtiumError


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
    quiet: Quiet = False,
) -> None:
    """Compare strategies on a benchmark: many runs from a table of results, in seconds."""
    from nasturtium.cli import benching

    if fit is not None:
        if dataset and len(dataset) > 1:
            raise NasturtiumError("--fit fits one surrogate, on one table; give one --dataset")
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
    quiet: Quiet = False,
) -> None:
    """Compare predictors on a benchmark: fitted on some architectures, asked for the others."""
    from nasturtium.cli.predicting import Predicted, run_predict

    asked = Predicted(
        benchmark, dataset or [], predictor or [], features or [], train or [], runs, metric, data, seed, json, html,
        out, quiet,
    )  # fmt: skip
    run_predict(asked)


@app.command("build-benchmark")
@reads_data
def build_benchmark(
    *,
    data: dict[str, Any],
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
    space_option: SpaceOption = None,
    device: Device = None,
    quiet: Quiet = False,
) -> None:
    """Train random architectures of a space and write a table of results: a benchmark of one's own."""
    from nasturtium.cli.building import Built, run_build

    run_build(
        Built(
            task, space, count, seeds, epochs, limit or [], workers, time, seed, out, device, quiet, data,
            read_options(space_option),
        )
    )  # fmt: skip


@app.command()
@reads_data
def score(
    *,
    data: dict[str, Any],
    what: Annotated[str, typer.Argument(metavar="ARCH|SPACE", help="Text of an architecture, its file, or a space.")],
    task: Annotated[str, typer.Option(help="The data, as for search.")],
    proxies: Annotated[str, typer.Option(help="all, or names with commas.")] = "all",
    count: Annotated[int, typer.Option(min=1, help="How many architectures of a space to draw.")] = 5,
    rows: Annotated[int, typer.Option(min=1, help="Rows of the batch.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Seed of batch, weights and draws.")] = 0,
    space_option: SpaceOption = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or mps.")] = "cpu",
    json: Annotated[Path | None, typer.Option(help="File for the rows.")] = None,
) -> None:
    """Score untrained networks by zero-cost proxies on one batch."""
    from nasturtium.cli.scoring import Scored, run_score

    run_score(Scored(what, task, proxies, count, rows, seed, device, json, data, read_options(space_option)))


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
