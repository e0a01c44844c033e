"""Writes docs/predictors_table.md from the fits that predictor_table.py keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import numpy as np
from pages import grid

from nasturtium import __version__
from nasturtium.comparison.predicting import Assessed

PUBLISHED = {
    "nasbench201/cifar10": (0.622, 0.905, 0.906), "nasbench201/cifar100": (0.640, 0.907, 0.908),
    "nasbench201/ImageNet16-120": (0.683, 0.879, 0.883), "nasbench301/cifar10": (0.314, 0.405, 0.465),
    "transbench101_macro/class_object": (0.736, 0.840, 0.843), "transbench101_macro/class_scene": (0.832, 0.891, 0.899),
    "transbench101_macro/jigsaw": (0.809, 0.706, 0.809), "transbench101_macro/segmentsemantic": (0.900, 0.807, 0.876),
    "transbench101_micro/class_object": (0.637, 0.733, 0.752), "transbench101_micro/class_scene": (0.710, 0.849, 0.866),
    "transbench101_micro/jigsaw": (0.585, 0.730, 0.743), "transbench101_micro/segmentsemantic": (0.767, 0.886, 0.897),
}  # fmt: skip
"""Spearman of a boosted tree on the encoding, on proxies, on both (Krishnakumar et al. 2022, talk)."""

KINDS = ("encoding", "proxies", "both")
Name = tuple[str, str, str, str, int]


class Kept:
    """All fits by what was fitted.

    Args:
        rows: One for each fit.
    """

    def __init__(self, rows: Iterable[Assessed]) -> None:
        self.rows: dict[Name, list[Assessed]] = defaultdict(list)
        for row in rows:
            self.rows[row.benchmark, row.dataset, row.predictor, row.features, row.train].append(row)

    def values(self, name: Name, what: str = "spearman") -> list[float]:
        """A number of each split, in their order."""
        return [getattr(row, what) for row in sorted(self.rows.get(name, []), key=lambda row: row.run)]

    def mean(self, name: Name, what: str = "spearman") -> float:
        """The mean over the splits; NaN if there is none."""
        values = self.values(name, what)
        return float(np.mean(values)) if values else float("nan")


def shown(value: float, digits: int = 3) -> str:
    """A number, or a dash for none."""
    return "–" if np.isnan(value) else f"{value:.{digits}f}"


def with_error(values: Sequence[float]) -> str:
    """A mean with its standard error."""
    if not values:
        return "–"
    if len(values) < 2:
        return shown(values[0])
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1) / np.sqrt(len(values)):.3f}"


def slides(kept: Kept) -> str:
    """Encoding, proxies and both, beside what is published."""
    lines, below, above, gains = [], [], 0, []
    for dataset, published in PUBLISHED.items():

        def name(predictor: str, kind: str, dataset: str = dataset) -> Name:
            return "suite_zero", dataset, predictor, kind, 100

        boosted = [kept.mean(name("gradient_boosting", kind)) for kind in KINDS]
        omni, forest = kept.mean(name("omni", "both")), kept.mean(name("untuned forest", "both"))
        below += [dataset for ours, theirs in zip(boosted, published, strict=True) if ours < theirs - 0.08]
        above += omni > published[2]
        gains.append(omni - forest)
        pairs = [f"{shown(ours)} ({theirs:.3f})" for ours, theirs in zip(boosted, published, strict=True)]
        splits = [len(kept.values(name(predictor, "both"))) for predictor in ("omni", "untuned forest")]
        lines.append([dataset, *pairs, shown(forest), with_error(kept.values(name("omni", "both"))), str(min(splits))])
    header = ["table", *[f"boosted, {kind}" for kind in KINDS], "untuned forest, both", "omni, both", "splits"]
    return f"""{grid(header, lines)}

Boosted trees more than 0.08 below what is published: {", ".join(below) or "none"}.
omni with both is above the published boosted tree with both on {above} of {len(PUBLISHED)} tables.
On average it is {np.mean(gains):+.3f} from the untuned forest with the same features."""


def events(kept: Kept) -> str:
    """Event sequences, beside the untuned forest on the same splits."""
    found = sorted({name[1:4] for name in kept.rows if name[0] == "event_sequences" and name[4] == 100})
    lines = []
    for dataset, predictor, kind in found:
        values = kept.values(("event_sequences", dataset, predictor, kind, 100))
        forest = kept.values(("event_sequences", dataset, "untuned forest", "encoding", 100))
        gains = [ours - theirs for ours, theirs in zip(values, forest, strict=False)]
        lines.append([dataset, f"{predictor}, {kind}", with_error(values), with_error(gains), str(len(values))])
    return grid(["data", "predictor", "Spearman", "less the untuned forest, encoding", "splits"], lines)


def tables(kept: Kept) -> str:
    """Every table by itself: over train sizes, and what else there is at 100 rows."""
    named = [name for name in kept.rows if name[0] != "suite_zero" and name[3] == "encoding"]
    made = []
    for benchmark, dataset in dict.fromkeys((name[0], name[1]) for name in named):
        here = [name for name in named if name[:2] == (benchmark, dataset) and name[2] != "untuned forest"]
        sizes = sorted({name[4] for name in here})
        order = sorted({name[2] for name in here}, key=lambda each: -_at(kept, benchmark, dataset, each))
        lines = [_line(kept, benchmark, dataset, predictor, sizes) for predictor in order]
        header = ["predictor", *map(str, sizes), "Kendall", "top 10 %", "50 %", "90 %", "fit s", "ask s", "splits"]
        made.append(f"### {benchmark}, {dataset}\n\n{grid(header, lines)}")
    return "\n\n".join(made)


def _at(kept: Kept, benchmark: str, dataset: str, predictor: str) -> float:
    found = kept.mean((benchmark, dataset, predictor, "encoding", 100))
    return -1.0 if np.isnan(found) else found


def _line(kept: Kept, benchmark: str, dataset: str, predictor: str, sizes: Sequence[int]) -> list[str]:
    name: Name = (benchmark, dataset, predictor, "encoding", 100)
    ranks = [with_error(kept.values((benchmark, dataset, predictor, "encoding", size))) for size in sizes]
    rest = [shown(kept.mean(name, what), 2) for what in ("kendall", "precision", "coverage50", "coverage90")]
    rest += [shown(kept.mean(name, what), 2) for what in ("fit_seconds", "query_seconds")]
    return [predictor, *ranks, *rest, str(len(kept.values(name)))]


def write_page(path: Path, rows: Sequence[Assessed], command: str) -> None:
    """Write the page.

    Args:
        path: Where to.
        rows: All fits.
        command: What made them.
    """
    kept = Kept(rows)
    versions = ", ".join(f"{each} {version(each)}" for each in ("numpy", "scipy", "scikit-learn", "torch"))
    path.write_text(
        f"""# Predictors on published tables

Made by `{command}` on {date.today().isoformat()},
nasturtium {__version__}, {versions}.
CPU seconds are those of one thread of a shared machine, graphs drawn beforehand. Spearman's rank correlation is that on
the rows that were not learned from (2,000 of them at most), mean over random splits ± its standard error; a split holds
the same rows for every predictor.

## Encoding, proxies, and both

NAS-Bench-Suite-Zero, 100 networks to learn from, those alone for which all proxies were computed; in parentheses
what is published for a boosted tree. The untuned forest is scikit-learn's with its defaults. What is predicted is
NASLib's accuracy.

{slides(kept)}

## Event sequences

NAS-Bench Event Sequences, the rows of random sampling, 100 to learn from; the encoding is one-hot, the published bits
are those that SeqNAS gives its predictor, costs are the logarithms of parameters and FLOPs.

{events(kept)}

## Tables

The encoding alone; what is predicted is what a search sees. Kendall, the share of the top tenth that is found, the
coverage of the 50 % and 90 % intervals, and seconds are those of 100 rows; predictors
that take long have fewer splits, and 50 and 500 rows half of them.
On nasbench_mr no predictor reads graphs, which are large there, and omni reads decisions alone.

{tables(kept)}
""",
        encoding="utf-8",
    )
