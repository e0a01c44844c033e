"""The table of all strategies on all benchmarks: compares, and writes docs/strategies_table.md and its plot."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from nasturtium.benchmarks import BenchmarkError, load
from nasturtium.comparison import Comparison, Ranking, compare
from nasturtium.report.comparison import write_comparison, write_difference
from nasturtium.report.comparison_text import protocol, ranking_sentences
from nasturtium.strategies import PRESETS, STRATEGIES
from nasturtium.strategies.fidelity import MultiFidelity

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "benchmarks"
PAGE = ROOT / "docs" / "strategies_table.md"

FAMILIES: dict[str, tuple[str, ...]] = {
    "nasbench201": ("cifar10", "cifar100", "imagenet16-120"),
    "transnas_micro": ("class_object", "class_scene", "jigsaw", "segmentsemantic"),
    "transnas_macro": ("class_object", "class_scene", "jigsaw", "segmentsemantic"),
    "nasbench_macro": ("cifar10",),
    "nasbench_mr": ("cls-50-1000", "seg", "video"),
    "nasbench_graph": ("cora", "pubmed", "cs"),
    "event_sequences": ("random_sampling/ABank", "random_sampling/RBchurn", "seqnas/AGE"),
}
"""The benchmarks of the table, and their data sets."""

MODEL_FREE = (
    "random", "local_search", "local_search_full", "evolution", "aging_evolution", "rea_nats", "re_scratch",
    "steady_state", "genetic", "genetic_cnn", "nsga2", "scalarisation", "reinforce", "controller", "ppo", "mcts",
    "neighbours_first", "successive_halving", "hyperband", "hyperband_evolution", "asha",
)  # fmt: skip
"""The strategies that learn no predictor; those that do are added by ``--with``, as they take far longer."""

LONG = 1_000
OF_LONG = ("local_search", "evolution", "random")
EQUAL = 1e-9
"""Runs that all ended at the same value have a standard error of rounding alone."""

YARDSTICKS = ("random", "rea_nats", "aging_evolution", "evolution")
CLEARLY = 2.0

OPTIONS = {"predict_then_search": {"initial": 50}}
"""Of strategies whose defaults are for more queries: the 172 random networks of the paper would be all of them."""

PACKAGES = ("numpy", "scipy", "torch")

Subject = tuple[str, str]


def strategies(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The strategies of one budget, and those of several."""
    of = {name: STRATEGIES[PRESETS[name].strategy if name in PRESETS else name] for name in names}
    several = [name for name, made in of.items() if issubclass(made, MultiFidelity)]
    return [name for name in names if name not in several], several


def subjects(data: Path | None) -> list[Subject]:
    """The benchmarks of the table on every data set whose files are here."""
    found = []
    for name, datasets in FAMILIES.items():
        for dataset in datasets:
            try:
                load(name, dataset, data)
            except BenchmarkError as error:
                print(f"left out: {name} {dataset} ({error})")
                continue
            found.append((name, dataset))
    return found


class Said:
    """Prints every now and then how far the comparison is."""

    def __init__(self) -> None:
        self.begun = self.last = time.monotonic()

    def __call__(self, ended: int, total: int, what: str) -> None:
        now = time.monotonic()
        if now - self.last > 20 or ended == total:
            self.last = now
            print(f"{now - self.begun:6.0f} s  {ended:,} of {total:,} runs; {what}", flush=True)


def main() -> None:
    """Compares and writes the page."""
    given = arguments()
    begun = time.monotonic()
    data = given.data if given.data.exists() else None
    beside = YARDSTICKS if given.yardsticks else MODEL_FREE
    one, several = strategies([name for name in (*beside, *given.more) if name in STRATEGIES or name in PRESETS])
    one = [name for name in one if name not in given.without]
    here = subjects(data)
    common = {"data": data, "workers": given.workers, "out": given.out, "progress": Said()}
    options = {name: chosen for name, chosen in OPTIONS.items() if name in one}
    found = compare(here, one, given.queries, given.runs, options=options, **common)
    cells = [each for each in here if each[0] == "nasbench201"]
    budgets = compare(cells, ["random", *several], given.queries, given.runs, **common) if several else None
    long = None if given.yardsticks else compare(cells, list(OF_LONG), LONG, given.runs, **common)
    write_comparison(found, given.out / "comparison.html")
    write_difference(found, given.page.with_suffix(".svg"))
    lines = [*head(found, given, time.monotonic() - begun), *ranks_of(found.ranking(), given.page)]
    lines += [*head_to_head(found, [name for name in given.more if name in found.names])]
    lines += [*by_family(found), *each_benchmark(found), *several_budgets(budgets), *optima(long)]
    given.page.write_text("\n".join([*lines, ""]))
    print(f"wrote {given.page} after {time.monotonic() - begun:.0f} s")


def arguments() -> argparse.Namespace:
    """What was given on the command line."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--data", type=Path, default=DATA, help="folder of the tables")
    asked.add_argument("--queries", type=int, default=150)
    asked.add_argument("--runs", type=int, default=100)
    asked.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    asked.add_argument("--with", action="append", default=[], dest="more", help="one more strategy; several times")
    asked.add_argument("--yardsticks", action="store_true", help=f"of the others only {', '.join(YARDSTICKS)}")
    asked.add_argument("--without", action="append", default=[], help="a strategy to leave out; several times")
    asked.add_argument("--out", type=Path, default=ROOT / "runs" / "bench-table", help="keeps finished runs")
    asked.add_argument("--page", type=Path, default=PAGE)
    return asked.parse_args()


def head(found: Comparison, given: argparse.Namespace, seconds: float) -> list[str]:
    """What was done when, where and with what."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("nasturtium", *PACKAGES))
    passed = f"{seconds / 60:.1f} minutes" if found.seconds > 1 else "no time, as all runs were kept from before"
    command = " ".join(["python benchmarks/bench_table.py", *sys.argv[1:]]) if sys.argv[1:] else "make bench-table"
    made = f"Made by `{command}` on {datetime.date.today():%d %B %Y}: {versions}, Python "
    made += (
        f"{platform.python_version()}, {given.workers} process{'es' * (given.workers > 1)} on {platform.machine()}; "
    )
    validation = "Benchmarks whose table has no test split report the validation value."
    left = [f"`{name}` with {', '.join(f'{key} {value}' for key, value in OPTIONS[name].items())}, not its default."
            for name in found.names if name in OPTIONS]  # fmt: skip
    left += [f"Left out for their time: {', '.join(given.without)}."] if given.without else []
    return [
        "# All strategies on all benchmarks", "", f"{made}it took {passed}.", "", *protocol(found), validation,
        *[f"{each}." for each in found.cautions], *left,
        "[comparison.md](comparison.md) says more about the protocol.", "",
    ]  # fmt: skip


def ranks_of(ranks: Ranking | None, page: Path) -> list[str]:
    """The average ranks."""
    if ranks is None:
        return []
    lines = ["## Ranks", "", f"![average ranks]({page.with_suffix('.svg').name})", ""]
    lines += ["| strategy | average rank |", "|---|---|"]
    lines += [f"| `{name}` | {rank:.2f} |" for name, rank in zip(ranks.names, ranks.ranks, strict=True)]
    said = [
        *ranking_sentences(ranks),
        "Data sets of one benchmark share their space, so these blocks are not independent.",
    ]
    return [*lines, "", *said, ""]


def head_to_head(found: Comparison, names: Sequence[str]) -> list[str]:
    """On how many data sets each of these is clearly ahead of the yardsticks, not told apart, and clearly behind."""
    against = [name for name in YARDSTICKS if name in found.names]
    if not names or not against:
        return []
    clear = f"Clearly means that the means differ by more than {CLEARLY:g} standard errors of their difference."
    said = f"Data sets on which one is clearly ahead of the other, not told apart from it, and clearly behind. {clear}"
    lines = ["## One against the other", "", said, ""]
    lines += [f"| strategy | {' | '.join(f'`{name}`' for name in against)} |", f"|---{'|---' * len(against)}|"]
    for name in names:
        cells = [" / ".join(map(str, tally(found, name, other))) for other in against]
        lines.append(f"| `{name}` | {' | '.join(cells)} |")
    return [*lines, ""]


def tally(found: Comparison, name: str, other: str) -> tuple[int, int, int]:
    """On how many data sets the first is ahead, not told apart, and behind."""
    ahead = behind = 0
    for place, facts in enumerate(found.facts):
        own, its = (found.curve(place, found.names.index(each)) for each in (name, other))
        gain = (own.mean[-1] - its.mean[-1]) * (1 if facts["verdict_maximise"] else -1)
        doubt = max(CLEARLY * float(np.hypot(own.error[-1], its.error[-1])), EQUAL)
        ahead, behind = ahead + bool(gain > doubt), behind + bool(gain < -doubt)
    return ahead, len(found.facts) - ahead - behind, behind


def by_family(found: Comparison) -> list[str]:
    """Mean regret of the reported value, the mean over the data sets of each benchmark."""
    names = list(dict.fromkeys(facts["benchmark"] for facts in found.facts))
    best = np.array([facts["optimum"] for facts in found.facts])
    regret = np.abs(found.finals - best[:, None])  # (benchmarks, strategies)
    families = np.array([names.index(facts["benchmark"]) for facts in found.facts])
    table = np.array([regret[families == number].mean(axis=0) for number in range(len(names))]).T
    lines = ["## Regret by benchmark", "", "Mean distance to the best in the table, the mean over data sets.", ""]
    lines += [f"| strategy | {' | '.join(names)} |", f"|---{'|---' * len(names)}|"]
    ranks = found.ranking()
    order = list(ranks.names) if ranks is not None else found.names
    for name in order:
        row = table[found.names.index(name)]
        lines.append(f"| `{name}` | {' | '.join(f'{value:.3g}' for value in row)} |")
    return [*lines, ""]


def each_benchmark(found: Comparison) -> list[str]:
    """Mean and standard error of the reported value on every data set."""
    lines = ["## Every data set", "", "Mean ± standard error of what is reported, the best in bold.", ""]
    lines += [f"| benchmark | best in the table | {' | '.join(found.names)} |", f"|---|---{'|---' * len(found.names)}|"]
    for place, facts in enumerate(found.facts):
        best = np.argmax(found.finals[place] * (1 if facts["verdict_maximise"] else -1))
        cells = []
        for number in range(len(found.names)):
            curve = found.curve(place, number)
            text = f"{curve.mean[-1]:.5g}±{curve.error[-1] if curve.error[-1] > EQUAL else 0:.2g}"
            cells.append(f"**{text}**" if number == best else text)
        lines.append(f"| {facts['title']} | {facts['optimum']:.5g} | {' | '.join(cells)} |")
    return [*lines, ""]


def several_budgets(found: Comparison | None) -> list[str]:
    """Strategies of several budgets, where a table knows more than one."""
    if found is None:
        return []
    lines = [
        "## Several budgets",
        "",
        "NAS-Bench-201 has trainings of 12 and of 200 epochs; one of 12 costs 12/200 of a query, and what goes on to",
        "200 a whole one, as the longer training began anew. On tables that know the end of training alone these",
        "strategies are random search.",
        "",
    ]
    lines += [f"| strategy | {' | '.join(found.titles)} |", f"|---{'|---' * len(found.titles)}|"]
    for number, name in enumerate(found.names):
        curves = [found.curve(place, number) for place in range(len(found.titles))]
        cells = " | ".join(f"{curve.mean[-1]:.2f}±{curve.error[-1]:.2f}" for curve in curves)
        lines.append(f"| `{name}` | {cells} |")
    return [*lines, ""]


def optima(found: Comparison | None) -> list[str]:
    """How often the best validation value of the table is found."""
    if found is None:
        return []
    lines = [
        f"## The optimum in {LONG:,} queries",
        "",
        "Share of runs that find the best validation value in the table.",
        "",
    ]
    lines += [f"| strategy | {' | '.join(found.titles)} |", f"|---{'|---' * len(found.titles)}|"]
    for number, name in enumerate(found.names):
        shares = []
        for place, facts in enumerate(found.facts):
            ends = found.values(place, number, "validation")[:, -1]
            shares.append(f"{np.isclose(ends, facts['optimum_validation']).mean():.0%}")
        lines.append(f"| `{name}` | {' | '.join(shares)} |")
    return lines


if __name__ == "__main__":
    main()
