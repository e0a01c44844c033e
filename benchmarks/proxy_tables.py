"""Zero-cost proxies on published tables, written to docs/proxies_table.md.

``python benchmarks/proxy_tables.py [--data DIR] [--page FILE]``: how each ranks networks of each space, how it follows
what they are made of before and after that is taken out, and how much of the accuracy several leave unknown.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pages import grid
from scipy.stats import spearmanr

from nasturtium import __version__
from nasturtium.benchmarks import load
from nasturtium.benchmarks.features import proxy_names, scored
from nasturtium.proxies.bias import bias_table, removed, trait_columns
from nasturtium.proxies.information import greedy

ROOT = Path(__file__).resolve().parents[1]
TASKS = ("class_object", "class_scene", "jigsaw", "segmentsemantic")
TABLES = (
    *[f"nasbench201/{each}" for each in ("cifar10", "cifar100", "ImageNet16-120", "ninapro", "scifar100")],
    *[f"nasbench301/{each}" for each in ("cifar10", "ninapro", "scifar100")],
    *[f"transbench101_macro/{each}" for each in TASKS],
    *[f"transbench101_micro/{each}" for each in (*TASKS, "ninapro", "scifar100")],
)
SHORT = {"nasbench201": "201", "nasbench301": "301", "transbench101_macro": "macro", "transbench101_micro": "micro"}
ORDER = (
    "params", "flops", "l2_norm", "synflow", "nwot", "zen", "jacov", "epe_nas", "snip", "grad_norm", "grasp", "fisher",
    "plain",
)  # fmt: skip
BIASED = ("nasbench201/cifar10", "nasbench301/cifar10", "transbench101_micro/jigsaw")
TRAITS = {"conv_over_pool": BIASED[:2], "cell_size": (BIASED[0], BIASED[2]), "num_skip": BIASED, "params": BIASED}
"""Of which tables the correlation with each trait was published."""

PUBLISHED: dict[str, tuple[float, ...]] = {
    "accuracy": (0.36, 0.45, 0.36, 0.51, 0.01, 0.13, 0.18, 0.33, 0.47, 0.42),
    "params": (0.61, 0.78, 0.29, 0.39, -0.29, -0.32, -0.37, 1.0, 1.0, 1.0),
    "flops": (0.59, 0.70, 0.30, 0.39, -0.30, -0.35, -0.37, 1.0, 0.99, 1.0),
    "l2_norm": (0.87, 0.76, 0.41, 0.70, -0.41, -0.33, -0.40, 0.70, 0.99, 0.64),
    "synflow": (0.53, 0.41, 0.57, 0.62, -0.14, -0.20, -0.19, 0.69, 0.62, 0.57),
    "nwot": (0.06, 0.78, 0.28, 0.67, 0.05, -0.22, -0.19, 0.10, 0.95, 0.47),
    "zen": (0.05, 0.75, 0.35, 0.41, 0.09, -0.33, 0.14, 0.10, 0.99, 0.15),
    "jacov": (0.05, -0.11, 0.35, 0.41, 0.09, 0.08, 0.14, 0.10, -0.10, 0.15),
    "epe_nas": (0.05, -0.02, 0.35, 0.33, 0.09, 0.01, 0.11, 0.10, -0.01, 0.12),
    "snip": (0.37, 0.27, -0.04, 0.39, -0.28, -0.28, -0.42, 0.33, 0.50, 0.59),
    "grad_norm": (0.35, 0.27, -0.04, 0.36, -0.26, -0.26, -0.42, 0.30, 0.51, 0.50),
    "grasp": (0.01, 0.28, -0.02, -0.02, -0.01, 0.03, -0.01, 0.0, 0.24, 0.02),
    "fisher": (0.05, 0.01, -0.05, 0.05, -0.05, -0.15, -0.32, 0.03, 0.17, 0.21),
    "plain": (-0.33, -0.45, 0.13, 0.33, 0.05, 0.02, 0.50, -0.14, -0.45, -0.12),
}
"""Pearson correlations of NASLib's BiasExperiments.ipynb, in the order of TRAITS."""

MOST, BINS = 4, 6
"""So many proxies are put together for the conditional entropy, with so many bins each."""


@dataclass(frozen=True)
class Held:
    """What a table holds of the networks that all proxies were computed for.

    Attributes:
        name: The table.
        accuracy: NASLib's accuracy of each, (n,).
        scores: Of each proxy, (n,); NaN where it failed.
        architectures: The networks.
    """

    name: str
    accuracy: NDArray[Any]
    scores: Mapping[str, NDArray[Any]]
    architectures: Sequence[Any]


def held(name: str, data: Path) -> Held:
    """Those of a table."""
    bench = load("suite_zero", name, data)
    metric = "naslib_accuracy" if "naslib_accuracy" in bench.metrics else "val_accuracy"
    names = [each for each in ORDER if each in proxy_names(bench, metric)]
    rows = np.flatnonzero(scored(bench, names) & np.isfinite(bench.column(metric)))
    every = bench.architectures()
    return Held(
        name, bench.column(metric)[rows], {each: bench.column(each)[rows] for each in names},
        [every[int(row)] for row in rows],
    )  # fmt: skip


def rank(values: NDArray[Any], accuracy: NDArray[Any]) -> float:
    """Spearman's correlation where both are known."""
    both = np.isfinite(values) & np.isfinite(accuracy)
    return float(spearmanr(values[both], accuracy[both]).statistic) if both.sum() > 2 else float("nan")


def shown(value: float, star: str = "") -> str:
    """A correlation without its leading zero."""
    return "–" if np.isnan(value) else f"{value:.2f}".replace("0.", ".", 1) + star if abs(value) < 1 else f"{value:.2f}"


def ranking(tables: Sequence[Held]) -> str:
    """How each proxy ranks the networks of each table, the best in bold."""
    ranks = {(each.name, name): rank(each.scores[name], each.accuracy) for each in tables for name in each.scores}
    lines = []
    for each in tables:
        found = [ranks.get((each.name, name), float("nan")) for name in ORDER]
        best = float(np.nanmax(found))
        space, _, data = each.name.partition("/")
        texts = [f"**{shown(value)}**" if value == best else shown(value) for value in found]
        lines.append([f"{SHORT[space]} {data}", str(len(each.accuracy)), *texts])
    return grid(["table", "networks", *ORDER], lines)


def lacking(tables: Sequence[Held]) -> str:
    """Of how many networks a proxy has a value, where that is not all of a table."""
    lines = []
    for each in tables:
        counts = {name: int(np.isfinite(each.scores[name]).sum()) if name in each.scores else 0 for name in ORDER}
        fewer = [f"{name} {count}" for name, count in counts.items() if count < len(each.accuracy)]
        if fewer:
            lines.append([_short(each.name), str(len(each.accuracy)), ", ".join(fewer)])
    return grid(["table", "networks", "of which have a value"], lines)


def bias(tables: Mapping[str, Held], traits: Mapping[str, Mapping[str, Any]]) -> str:
    """Correlation with traits, ours and the published one."""
    columns = [(trait, name) for trait, names in TRAITS.items() for name in names]
    found = {
        name: bias_table({"accuracy": tables[name].accuracy, **tables[name].scores}, traits[name]) for name in BIASED
    }
    lines = []
    for score, published in PUBLISHED.items():
        cells = [score]
        for (trait, name), value in zip(columns, published, strict=True):
            ours = found[name].get(score, {}).get(trait, float("nan"))
            cells.append(f"{shown(ours)} ({shown(value)})")
        lines.append(cells)
    return grid(["", *[f"{trait}, {_short(name)}" for trait, name in columns]], lines)


def _short(name: str) -> str:
    space, _, data = name.partition("/")
    return f"{SHORT[space]} {data}"


def removal(tables: Mapping[str, Held], traits: Mapping[str, Mapping[str, Any]], trait: str) -> str:
    """Correlation with a trait and with the accuracy, before and after it is taken out."""
    lines = []
    for score in ORDER:
        cells = [score]
        for name in BIASED:
            values = tables[name].scores.get(score)
            if values is None or np.ptp(values[np.isfinite(values)]) == 0:
                cells += ["–", "–"]
                continue
            cleaned = removed(values, traits[name][trait])
            before, after = (rank(each, tables[name].accuracy) for each in (values, cleaned.values))
            cells += [f"{shown(cleaned.before)} → {shown(cleaned.after)}", f"{shown(before)} → {shown(after)}"]
        lines.append(cells)
    header = [text for name in BIASED for text in (f"{_short(name)}: Pearson", "Spearman")]
    return grid(["", *header], lines)


def entropies(tables: Sequence[Held]) -> str:
    """What is left unknown of the accuracy by the best next proxy, beside shuffled accuracies."""
    lines = []
    for each in tables:
        told = greedy(each.accuracy, each.scores, MOST, BINS)
        shuffled = greedy(np.random.default_rng(0).permutation(each.accuracy), each.scores, MOST, BINS)
        cells = [f"{one.entropy:.2f} ({other.entropy:.2f})" for one, other in zip(told, shuffled, strict=True)]
        lines.append([_short(each.name), *cells, ", ".join(told[-1].names)])
    return grid(["table", *[f"k = {k}" for k in range(MOST + 1)], "in this order"], lines)


def page(data: Path) -> str:
    """The page."""
    tables = {name: held(name, data) for name in TABLES}
    traits = {name: trait_columns(tables[name].architectures) for name in BIASED}
    every = list(tables.values())
    made = f"{date.today().isoformat()}, nasturtium {__version__}, numpy {version('numpy')}, scipy {version('scipy')}"
    return f"""# Zero-cost proxies on published tables

Made by `python benchmarks/proxy_tables.py` on {made}, from the part of
NAS-Bench-Suite-Zero that is public (Krishnakumar et al. 2022). Networks are those for which every proxy of a table was
computed; where one failed it has no value, and the correlation is that of the others.

The accuracy, here and below, is the one that NASLib gives with them: on 201 with CIFAR-10, CIFAR-100 and ImageNet16-120
the **test** accuracy of a single training (seed 888, where that was checked), which NASLib calls validation accuracy;
everywhere else what it calls validation accuracy, of which nothing was checked.

## Ranking

Spearman's correlation with the accuracy; the best of each table in bold.

{ranking(every)}

Where a proxy failed on some networks of a table, or on all (0), its correlation rests on this many:

{lacking(every)}

## Bias

Pearson's correlation with what networks are made of; in parentheses the published one (NASLib's notebook). There,
failures count as -100,000,000, which is what the published values of zen, jacov and epe_nas on 201 and jigsaw show, and
201 has all 15,625 networks, 301 11,221 and jigsaw 4,096; here those of the table above, and all layers count, copies of
cells included.

{bias(tables, traits)}

`conv_over_pool` taken out, f / (b + C) with C so that the correlation with it comes nearest to 0: Pearson's correlation
with the trait, and Spearman's with the accuracy, before → after. The published constants are not known.

{removal(tables, traits, "conv_over_pool")}

The same for `params`.

{removal(tables, traits, "params")}

## Together

Conditional entropy of the accuracy in nats when the k proxies are known that leave least unknown one after the other;
in parentheses for shuffled accuracies. Where both fall alike, every network has bins of its own and nothing is learned:
with the published 24 bins that is so from two proxies on, as there are 200 to 700 networks; so here there are {BINS}.

{entropies(every)}
"""


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/benchmarks")
    parser.add_argument("--page", type=Path, default=ROOT / "docs/proxies_table.md")
    options = parser.parse_args()
    options.page.write_text(page(options.data), encoding="utf-8")
    print(f"wrote {options.page}", file=sys.stderr)


if __name__ == "__main__":
    main()
