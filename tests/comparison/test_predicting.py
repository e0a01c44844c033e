"""Predictors on a table: scores against scipy, splits that are shared, going on, what cannot be asked."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import numpy as np
import polars
import pytest
from scipy import stats

from nasturtium.benchmarks import Benchmark, from_table
from nasturtium.cli import run
from nasturtium.comparison.predicting import Table, assess, judged
from nasturtium.errors import NasturtiumError
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.predictors import Regressor, make
from nasturtium.report.prediction import write_prediction
from nasturtium.space import Space, choice

WIDTHS = (2, 4, 8, 16, 32)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """A table of 125 networks whose score is a sum over their widths, with two zero-cost scores."""
    layers = [layer for _ in range(3) for layer in (Linear(choice(*WIDTHS)), ReLU())]
    space = Space(Sequential(*layers, Linear(2)), input=(4,), name="three")
    every = list(space.enumerate())
    rng = np.random.default_rng(0)
    score = np.array([sum(each.decisions) for each in every]) + rng.normal(0, 0.1, len(every))
    path = tmp_path_factory.mktemp("table") / "three.parquet"
    close, noise = score + rng.normal(0, 2.0, 125), rng.normal(size=125)
    columns = {"architecture": [str(each) for each in every], "accuracy": score, "close": close, "noise": noise}
    polars.DataFrame(columns).write_parquet(path)
    return from_table(path, space, {"accuracy": "validation", "close": "proxy", "noise": "proxy"})


def test_judged_by_hand():
    truth = np.arange(20.0)
    mean = truth.copy()
    mean[[19, 0]] = mean[[0, 19]]  # the best and the worst are mistaken for each other
    rank, tau, precision, _, inner = judged(mean, np.full(20, 1.0), truth)
    assert rank == pytest.approx(stats.spearmanr(mean, truth).statistic)
    assert tau == pytest.approx(1 - 2 * 37 / 190)  # 37 of the 190 pairs are in the wrong order
    assert precision == 0.5  # 18 is found, 19 is not
    assert inner == 0.9  # two of twenty are far off


def test_predictors_are_told_apart_on_the_same_splits(bench):
    rows = assess(bench, ["random_forest", "linear"], train=[20, 40], runs=2, features=["encoding", "proxies", "both"])
    assert len(rows) == 2 * 2 * 2 * 3
    best = {(row.predictor, row.features): row.spearman for row in rows if row.train == 40 and row.run == 0}
    assert best["linear", "encoding"] > 0.9  # the score is linear in the widths' ranks
    assert best["linear", "both"] > best["linear", "proxies"] > 0.6
    table = Table(bench, "accuracy", 0)
    few, many = table.split(20, 1)[0], table.split(40, 1)[0]
    assert set(few) < set(many)
    assert not set(table.split(40, 1)[1]) & set(many)


def test_a_call_goes_on_where_it_stopped(bench, tmp_path):
    first = assess(bench, ["linear"], train=[20], runs=2, out=tmp_path)
    file = tmp_path / "predictions.jsonl"
    written = file.read_text()
    file.write_text(written[:-20])  # the last line was cut off
    again = assess(bench, ["linear"], train=[20], runs=3, out=tmp_path)
    assert again[0] == first[0]
    assert again[1].spearman == first[1].spearman
    assert len(again) == 3


def test_rows_of_another_metric_seed_or_table_are_not_taken_for_its_own(bench, tmp_path):
    given = {"train": [20], "runs": 1}
    first, *_ = assess(bench, ["linear"], out=tmp_path, **given)
    for change in ({"metric": "close"}, {"seed": 5}):
        (fresh,), (row,) = (
            assess(bench, ["linear"], **given, **change),
            assess(bench, ["linear"], out=tmp_path, **given, **change),
        )
        assert row.spearman == fresh.spearman != first.spearman
        assert (row.metric, row.seed) == (change.get("metric", "accuracy"), change.get("seed", 0))
    columns = {name: bench.held(name)[::-1] if name == "accuracy" else bench.held(name) for name in bench.metrics}
    other = Benchmark(
        bench.name, bench.dataset, bench.space, bench.rows, list(bench.metrics.values()), columns,
        signal=bench.signal, verdict=bench.verdict,
    )  # fmt: skip
    assert assess(other, ["linear"], out=tmp_path, **given)[0].spearman != first.spearman
    assert assess(bench, ["linear"], out=tmp_path, **given)[0] == first


def test_the_page_shows_ranks_over_train_sizes_and_coverage(bench, tmp_path):
    rows = assess(bench, ["linear", "gp"], train=[20, 40, 80], runs=3)
    write_prediction(rows, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    plots = [ElementTree.fromstring(text) for text in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    lines = [
        each for plot in plots for each in plot.iter() if each.tag.endswith("path") and "line" in each.get("class")
    ]
    named = [[child.text for child in each] for each in lines]
    assert named.count(["linear"]) == named.count(["gp"]) == 2  # one for ranks, one for coverage
    curve = lines[named.index(["gp"])].get("d")
    heights = [float(each.split()[1]) for each in re.findall(r"[ML]([\d.]+ [\d.]+)", curve)]
    means = [np.mean([row.spearman for row in rows if row.predictor == "gp" and row.train == n]) for n in (20, 40, 80)]
    slope = (heights[2] - heights[0]) / (means[2] - means[0])  # the axis is linear and points upwards
    assert slope < 0
    assert heights[1] == pytest.approx(heights[0] + slope * (means[1] - means[0]), abs=0.2)
    assert f"{np.mean([row.coverage90 for row in rows if row.predictor == 'gp' and row.train == 80]):.2f}" in page


def test_what_cannot_be_asked(bench):
    with pytest.raises(NasturtiumError, match="give from 2 to 115"):
        assess(bench, ["linear"], train=[124])
    with pytest.raises(NasturtiumError, match="unknown features 'all'"):
        assess(bench, ["linear"], features=["all"])
    with pytest.raises(NasturtiumError, match="did you mean 'linear'"):
        assess(bench, ["linaer"], runs=1)


def test_the_command_writes_rows_as_others_rely_on_them(tmp_path, capsys):
    options = ["--predictor", "linear", "--train", "30", "--runs", "1", "--metric", "val_accuracy", "--quiet"]
    code = run(
        [
            "predict",
            "nasbench201",
            *options,
            "--json",
            str(tmp_path / "rows.json"),
            "--html",
            str(tmp_path / "page.html"),
        ]
    )
    if code == 2 and "pip install" in capsys.readouterr().err:
        pytest.skip("no table of NAS-Bench-201 is installed")
    assert code == 0
    (row,) = json.loads((tmp_path / "rows.json").read_text())
    assert {"benchmark", "dataset", "predictor", "features", "train", "run", "spearman", "kendall", "fit_seconds",
            "query_seconds"} <= row.keys()  # fmt: skip
    assert row["benchmark"] == "nasbench201"
    assert "linear" in (tmp_path / "page.html").read_text()
    assert row["spearman"] > 0.4


def test_what_cannot_be_used_is_said_before_anything_is_fitted(bench, tmp_path):
    with pytest.raises(NasturtiumError, match="unknown predictor 'nope'"):
        assess(bench, ["linear", "nope"], train=[20], runs=1, out=tmp_path)
    assert not list(tmp_path.iterdir())
    assert len(assess(bench, ["linear"], train=[20], runs=1, out=tmp_path)) == 1


class Nearest(Regressor):
    """The score of the nearest row."""

    def fit(self, x, y):
        self.x, self.y = x, y

    def predict(self, x):
        nearest = ((x[:, None] - self.x[None]) ** 2).sum(2).argmin(1)
        return self.y[nearest], np.ones(len(x))


def nearest(space, seed, **options):
    return make(Nearest(), space=space, seed=seed, **options)


def test_a_predictor_of_ones_own_takes_part(bench, tmp_path):
    given = {"train": [40], "runs": 2, "features": ["encoding", "proxies", "both"], "out": tmp_path}
    rows = assess(bench, ["linear", ("nearest", nearest)], **given)
    own = [row for row in rows if row.predictor == "nearest"]
    assert len(rows) == 2 * len(own) == 12
    assert [row.spearman for row in own if row.features == "encoding"] > [0.4, 0.4]
    assert len({row.spearman for row in own}) == 6
    assert assess(bench, [("nearest", nearest)], **given) == own  # kept by its name


def test_what_of_ones_own_cannot_take_part(bench):
    with pytest.raises(NasturtiumError, match="'gp' is a predictor of this package; give your own another name"):
        assess(bench, [("gp", nearest)], train=[20], runs=1)
    with pytest.raises(NasturtiumError, match="'nearest' is given twice"):
        assess(bench, [("nearest", nearest), ("nearest", nearest)], train=[20], runs=1)
    plain = ("plain", lambda space, seed: nearest(space, seed))
    assert len(assess(bench, [plain], train=[20], runs=1)) == 1
    with pytest.raises(NasturtiumError, match="takes no features and no encoding; let it take features=None"):
        assess(bench, [plain], train=[20], runs=1, features=["proxies"])
