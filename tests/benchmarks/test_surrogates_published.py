"""Surrogates of NAS-Bench-301 and -311, on models written in the published layout by the libraries of the authors."""

from __future__ import annotations

import base64
import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nasturtium import benchmarks
from nasturtium.benchmarks import BenchmarkError, NotInTable, captured, nasbench301
from nasturtium.benchmarks.unpickle import UnpickleError
from nasturtium.spaces import nasbench101
from tests.benchmarks.test_written_cells import message, tfrecord_of


@pytest.fixture(scope="module")
def sampled() -> tuple[list[Any], np.ndarray]:
    """Architectures and what the models see of them."""
    rng = np.random.default_rng(0)
    architectures = [nasbench301.space().sample(rng) for _ in range(150)]
    return architectures, np.stack([nasbench301.encoded(a.decisions) for a in architectures])


def member(folder: Path, kind: str, model: Any) -> None:
    folder.mkdir(parents=True)
    (folder / "model_config.json").write_text(json.dumps({"model": kind}))
    (folder / "data_config.json").write_text(json.dumps({"seed": 1}))
    (folder / "surrogate_model.model").write_bytes(pickle.dumps(model))


CONFIGSPACE = [
    0.586345179, 0, 0, 0, 0.166664444, 0.309999924, 0, 0, 0, 0, 3, 3, 0, 0, 0.003149999, 0, 0, 1, 2, 1, 4,
    0.000749999, 0, 0, -3.688879454, 0.898876404, -8.111728083, 0.009949999, 0, 0, 0, 0.70512784, -1, 5, -1,
    -1, 3, 3, -1, 2, 3, -1, -1, 2, 0, 2, -1, -1, -1, 0, 2, 0, -1, 2, -1, -1,
]  # fmt: skip
"""What ConfigSpace 0.6.1 gives for DARTS (second order) in the published space, with -1 where it has NaN."""


def test_the_row_is_that_of_configspace() -> None:
    darts = nasbench301.space().member("DARTS (second order)")
    assert nasbench301.encoded(darts.decisions) == pytest.approx(CONFIGSPACE, abs=1e-8)


def test_what_the_models_see_of_darts() -> None:
    """The genotype of DARTS (second order), column by column as the published configuration space orders them."""
    space = nasbench301.space()
    row = nasbench301.encoded(space.member("DARTS (second order)").decisions)
    columns, prefix = nasbench301.COLUMNS, "NetworkSelectorDatasetInfo:darts:"
    assert len(row) == 22 + 4 + 6 + 24 == len(columns)
    names = list(columns)
    assert names[0] == "CreateImageDataLoader:batch_size"
    assert names[32:35] == [f"{prefix}edge_normal_{edge}" for edge in (10, 11, 12)]
    # normal: sep_conv_3x3 of 0, sep_conv_3x3 of 1; then of 0 and 1; then sep_conv_3x3 of 1 and skip_connect of 0; ...
    assert row[columns[f"{prefix}edge_normal_0"]] == row[columns[f"{prefix}edge_normal_1"]] == 3
    assert row[columns[f"{prefix}inputs_node_normal_3"]] == 0  # states 0 and 1
    assert row[columns[f"{prefix}edge_normal_4"]] == -1
    assert sum(row[columns[name]] >= 0 for name in names if "edge_normal" in name) == 8


def test_ensembles_of_lightgbm(sampled: tuple[list[Any], np.ndarray], tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    architectures, rows = sampled
    rng, boosters = np.random.default_rng(1), []
    for number in range(3):
        targets = 90 + rows[:, 11] + rng.normal(scale=0.3, size=len(rows))
        data = lightgbm.Dataset(rows, targets)
        boosters.append(lightgbm.train({"verbose": -1, "min_data_in_leaf": 3, "seed": number}, data, 20))
        member(tmp_path / "nb_models_1.0" / "lgb_v1.0" / f"lgb_{number}", "lgb", boosters[-1])
    member(tmp_path / "nb_models_1.0" / "lgb_runtime_v1.0" / "lgb_time_0", "lgb_time", boosters[0])
    bench = benchmarks.load("nasbench301", "cifar10/lgb", tmp_path)
    predicted = np.stack([booster.predict(rows) for booster in boosters])
    for number, a in enumerate(architectures[:30]):
        assert bench.query(a) == pytest.approx(predicted[:, number].mean(), abs=1e-9)
        assert bench.query(a, "train_seconds") == pytest.approx(predicted[0, number], abs=1e-9)
    draws = np.array([bench.query(architectures[0], seed=seed) for seed in range(300)])
    assert draws.std() == pytest.approx(predicted[:, 0].std(), rel=0.2)
    assert bench.cost == "train_seconds"
    with pytest.raises(BenchmarkError, match=r"not xgb_v1\.0"):
        benchmarks.load("nasbench301", "cifar10", tmp_path)


def test_ensembles_of_xgboost(sampled: tuple[list[Any], np.ndarray], tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost")
    architectures, rows = sampled
    targets = 90 + rows[:, 11] - rows[:, 40]
    booster = xgboost.train({"max_depth": 3}, xgboost.DMatrix(rows, label=targets), 20)
    member(tmp_path / "xgb_v1.0" / "xgb_0", "xgb", booster)
    bench = nasbench301.official(tmp_path, "cifar10")
    expected = booster.predict(xgboost.DMatrix(rows))
    assert [bench.query(a) for a in architectures[:20]] == pytest.approx(list(expected[:20]), abs=1e-4)
    assert bench.cost is None


def chain_of(rows: np.ndarray, curves: np.ndarray, count: int) -> tuple[list[Any], Any]:
    """A member as the authors keep it, and what it predicts for rows, by the libraries it is made of."""
    lightgbm = pytest.importorskip("lightgbm")
    from scipy.stats import gaussian_kde
    from sklearn.multioutput import RegressorChain
    from sklearn.preprocessing import StandardScaler

    components, strengths, directions = np.linalg.svd(curves, full_matrices=False)
    scaler = StandardScaler()
    chain = RegressorChain(lightgbm.LGBMRegressor(n_estimators=10, min_child_samples=3, verbose=-1, n_jobs=1))
    chain.fit(rows, scaler.fit_transform(components[:, :count]))

    def predicted(some: np.ndarray) -> Any:
        return scaler.inverse_transform(chain.predict(some)) @ np.diag(strengths[:count]) @ directions[:count]

    return [chain, scaler, strengths, directions, count, gaussian_kde(curves.T)], predicted


@pytest.mark.parametrize("noise", [True, False])
def test_learning_curves(noise: bool, sampled: tuple[list[Any], np.ndarray], tmp_path: Path) -> None:
    """A chain of boosted trees on the components of a singular value decomposition, kept by joblib."""
    joblib = pytest.importorskip("joblib")
    architectures, rows = sampled
    rng, epochs = np.random.default_rng(2), np.arange(1, 13)
    curves = 90 - np.outer(5 + rows[:, 11], 1 / epochs) + rng.normal(scale=0.1, size=(len(rows), 12))
    held, predicted = chain_of(rows, curves, 3)
    folder = tmp_path / "nb311-v0.5" / "svd_lgb_0"
    folder.mkdir(parents=True)
    joblib.dump(held[: 6 if noise else 5], folder / "surrogate_model.model")
    bench = benchmarks.load("nasbench301", "cifar10/curves", tmp_path)
    assert bench.metrics["val_accuracy"].epochs == tuple(epochs)
    for a, line in zip(architectures[:10], predicted(rows[:10]), strict=True):
        assert [bench.query(a, epoch=epoch) for epoch in (1, 5, 12)] == pytest.approx(line[[0, 4, 11]].tolist())
    assert bench.query(architectures[0]) == bench.query(architectures[0], epoch=12)
    with pytest.raises(NotInTable, match="at epochs 1 to 12, not at 13"):
        bench.query(architectures[0], epoch=13)


def test_learning_curves_of_nasbench101(tmp_path: Path) -> None:
    """Matrix, operations and the accuracies of the four budgets, as the authors' ``encode_adj`` orders them."""
    joblib, space, rng = pytest.importorskip("joblib"), nasbench101(), np.random.default_rng(0)
    records, rows, architectures = [], [], []
    numbers = {"conv1x1-bn-relu": 0.0, "conv3x3-bn-relu": 0.5, "maxpool3x3": 1.0}
    seen = set()
    while len(rows) < 60:  # graphs of seven vertices, for which the authors' rule is the plain one
        extra = rng.choice(49, 3)
        matrix = "".join(str(int(j == i + 1 or (j > i and 7 * i + j in extra))) for i in range(7) for j in range(7))
        operations = ",".join(["input", *rng.choice(list(numbers), 5), "output"])
        a = space.from_notation(f"{matrix} {operations}")
        key, accuracies = space.key(a), rng.random(4)
        if key in seen:
            continue
        seen.add(key)
        for budget, accuracy in zip((4, 12, 36, 108), accuracies, strict=True):
            end = message([(0.0,) * 5, (1.0,) * 5, (budget, 1.0, 0.9, accuracy, 0.5)], 1, 1.0)
            records += [[key, budget, matrix, operations, base64.b64encode(end).decode()]] * 3
        upper = [int(matrix[7 * i + j]) for i in range(6) for j in range(i + 1, 7)]
        rows.append([*upper, *[numbers[name] for name in operations.split(",")[1:-1]], *accuracies])
        architectures.append(a)
    held, predicted = chain_of(
        np.array(rows), np.outer(np.array(rows)[:, -1] + 1, np.arange(1, 9)) + rng.random((60, 8)), 2
    )
    (tmp_path / "checkpoints" / "nb111-v0.5" / "m").mkdir(parents=True)
    joblib.dump(held, tmp_path / "checkpoints" / "nb111-v0.5" / "m" / "surrogate_model.model")
    with pytest.raises(BenchmarkError, match=r"put nasbench_full\.tfrecord beside them"):
        benchmarks.load("nasbench101", "cifar10/curves", tmp_path)
    tfrecord_of(tmp_path / "checkpoints" / "nasbench_full.tfrecord", records)
    bench = benchmarks.load("nasbench101", "cifar10/curves", tmp_path)
    for a, line in zip(architectures[:10], predicted(np.array(rows[:10])), strict=True):
        assert [bench.query(a, epoch=epoch) for epoch in (1, 8)] == pytest.approx(line[[0, 7]].tolist(), abs=1e-4)


class Evil:
    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return os.system, ("echo pwned",)


def test_a_model_that_executes_is_refused(tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    file = tmp_path / "surrogate_model.model"
    file.write_bytes(pickle.dumps([Evil()]))
    with pytest.raises(UnpickleError, match=r"system.*refused"):
        captured.model(file)
    joblib.dump([np.arange(3), np.array([Evil()], dtype=object)], file)
    with pytest.raises(UnpickleError, match="refused"):
        captured.model(file)
    file.write_bytes(b"\x80\x04N")
    with pytest.raises(UnpickleError, match="cannot be read as a model"):
        captured.model(file)


def test_arrays_of_joblib(tmp_path: Path) -> None:
    joblib = pytest.importorskip("joblib")
    file = tmp_path / "surrogate_model.model"
    joblib.dump([np.arange(6.0).reshape(2, 3), np.asfortranarray(np.eye(2)), {"a": np.arange(2, dtype=np.int32)}], file)
    first, second, third = captured.model(file)
    assert first.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert second.tolist() == [[1, 0], [0, 1]]
    assert third["a"].tolist() == [0, 1]
