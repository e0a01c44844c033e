"""The marks: plain networks counted by hand, scikit-learn models against scikit-learn itself."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor

from nasturtium import tasks
from nasturtium.final.baselines import plain_network
from nasturtium.final.classical import Classical, features, fitting, train_classical
from nasturtium.space.signal import Signal
from nasturtium.tasks import Split


def made(shape, rows=60, kind="float", **options):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 12, size=(rows, *shape)) if kind == "tokens" else rng.normal(size=(rows, *shape))
    y = np.arange(rows) % 3
    x = x if kind == "tokens" else x + y.reshape(-1, *[1] * len(shape))
    return tasks.load((x, y), **options)


def test_the_plain_network_of_vectors_has_the_parameters_of_its_layers():
    network = plain_network(made((7,)))
    by_hand = (7 * 256 + 256) + 2 * 256 + (256 * 256 + 256) + 2 * 256 + (256 * 3 + 3)
    assert network.count()["params"] == by_hand


@pytest.mark.parametrize("shape", [(7,), (3, 8, 8), (1, 28, 28), (3, 64, 64), (20, 4)])
def test_plain_networks_run(shape):
    task = made(shape)
    network = plain_network(task)
    model = network.build()
    import torch

    inputs = torch.from_numpy(task.test.inputs[0])
    assert model.eval()(inputs).shape == (len(inputs), 3)
    assert sum(p.numel() for p in model.parameters()) == network.count()["params"]


def test_boosted_trees_are_those_of_scikit_learn():
    task = made((5,), 2800)
    model = fitting(task)
    assert model.name == "boosted trees"
    runs, outputs = train_classical(model, task, [0, 1])
    merged = task.merged().train
    expected = HistGradientBoostingClassifier(random_state=0, early_stopping=False)
    expected.fit(merged.inputs[0], merged.targets)
    assert runs[0].scores["accuracy"] == pytest.approx(expected.score(task.test.inputs[0], task.test.targets))
    assert np.allclose(np.exp(outputs[0]), expected.predict_proba(task.test.inputs[0]), atol=1e-8)
    assert [run.seed for run in runs] == [0, 1]


def test_of_many_rows_so_many_are_drawn(monkeypatch):
    from nasturtium.final import classical

    monkeypatch.setattr(classical, "MOST_ROWS", 2100)
    task = made((5,), 2800)
    whole, drawn = task.merged().train, classical.rows_of(task)
    assert fitting(task).name == f"boosted trees on 2,100 of {len(whole):,} rows"
    assert len(drawn.inputs) == len(drawn.targets) == 2100
    known = {row.tobytes(): target for row, target in zip(whole.inputs[0], whole.targets, strict=True)}
    assert [known[row.tobytes()] for row in drawn.inputs] == drawn.targets.tolist()
    assert len({row.tobytes() for row in drawn.inputs}) == 2100
    assert len(drawn.tested) == len(task.test)


@pytest.mark.parametrize(("columns", "rows", "name"), [(5, 2800, "boosted trees"), (300, 200, "random forest")])
def test_under_a_deadline_the_model_is_the_same_or_none(columns, rows, name):
    task = made((columns,), rows)
    model = fitting(task)
    assert model.name == name
    (plain,), (expected,) = train_classical(model, task, [3])
    (run,), (grown,) = train_classical(model, task, [3], time.monotonic() + 600)
    assert np.allclose(grown, expected, atol=1e-6)
    assert run.scores == pytest.approx(plain.scores)
    runs, outputs = train_classical(model, task, [3, 4, 5], time.monotonic() + 0.001)
    assert (len(runs), runs[0].state, outputs) == (1, "stopped", [])
    assert runs[0].reason.startswith("it needs about ")


def test_many_columns_go_to_a_forest():
    task = made((3, 12, 12), 200)
    model = fitting(task)
    assert model.name == "random forest"
    assert isinstance(model.make(0), RandomForestClassifier)
    assert fitting(made((3, 40, 40), 20)) is None  # 4,800 columns


@pytest.mark.parametrize(("columns", "tried"), [(12, 12), (100, 64), (300, 100), (784, 128)])
def test_a_forest_of_numbers_tries_some_columns_at_each_split(columns, tried):
    x = np.random.default_rng(0).normal(size=(40, columns))
    forest = fitting(tasks.load((x, x[:, 0] + 0.5), kind="regression")).make(0)
    assert isinstance(forest, RandomForestRegressor)
    assert forest.max_features == tried
    assert forest.n_estimators == 500


def test_events_of_many_columns_go_to_boosted_trees():
    """As the guide to events says: by the number of entities alone."""
    ids = np.random.default_rng(0).integers(300, size=6000)
    shops = Signal("tokens", (None,), vocabulary=(300,))
    signal = Signal("group", (), members=(("shop", shops), ("way", shops)))
    offsets = np.arange(0, 6001, 3)
    many, few = (Split((ids[: 3 * rows],) * 2, np.arange(rows) % 3, None, offsets[: rows + 1]) for rows in (2000, 1000))
    assert features(many, signal).shape == (2000, 211)
    task = replace(made((3,), 60), inputs=(signal,), train=many)
    assert fitting(task).name == "boosted trees"
    assert fitting(task).make(0).categorical_features is None  # 300 ids are more than scikit-learn takes as categories
    assert fitting(replace(task, train=few)).name == "random forest"


def test_boosted_trees_take_the_ids_of_the_latest_events_as_categories():
    """Which of 16 shops came last tells the class, in no order of their ids."""
    rng = np.random.default_rng(0)
    ids = rng.integers(1, 17, size=9000)
    classes = rng.permutation(16) % 2
    signal = Signal("group", (), members=(("shop", Signal("tokens", (None,), vocabulary=(17,))),))
    split = Split((ids,), classes[ids[2::3] - 1], None, np.arange(0, 9001, 3))
    task = replace(made((3,), 60), inputs=(signal,), train=split, test=split, valid=split.take(np.arange(0)), outputs=2)
    model = fitting(task)
    columns = model.make(0).categorical_features
    assert columns == [18, 19, 20, 21]
    table = features(split, signal)
    assert np.array_equal(table[:, columns], np.column_stack((ids[2::3], ids[1::3], ids[::3], ids[::3])))
    (run,), _ = train_classical(Classical("stumps", lambda _: model.make(0).set_params(max_iter=1)), task, [0])
    assert run.scores["accuracy"] == 1.0, "one tree tells it, as a category parts in one split"


def test_without_a_time_limit_a_model_that_takes_very_long_is_left_out(monkeypatch):
    from nasturtium.final import classical

    task = made((300,), 200)
    monkeypatch.setattr(classical, "MOST_SECONDS", 0.001)
    (run,), outputs = train_classical(fitting(task), task, [0, 1])
    assert (run.state, outputs) == ("stopped", [])
    assert run.reason.startswith("it needs about ")


def test_a_model_that_takes_long_is_announced_once(monkeypatch):
    from nasturtium.final import classical

    task, said = made((300,), 200), []
    monkeypatch.setattr(classical, "LONG_SECONDS", 0.0)
    runs, _ = train_classical(fitting(task), task, [0, 1], None, said.append)
    assert [run.state for run in runs] == ["complete", "complete"]
    (line,) = said
    assert line.startswith("random forest: 2 fits of about ")
    monkeypatch.setattr(classical, "LONG_SECONDS", 600.0)
    train_classical(fitting(task), task, [0], None, said.append)
    assert len(said) == 1


def test_sequences_are_summed_up_over_what_is_there():
    values = np.array([[[1.0], [3.0], [99.0]], [[5.0], [99.0], [99.0]]])
    mask = np.array([[True, True, False], [True, False, False]])
    split = Split((values, mask), np.zeros(2))
    table = features(split, Signal("sequence", (None, 1), mask=True))
    assert table[:, :6].tolist() == [[2, 1, 1, 3, 3, 1], [5, 0, 5, 5, 5, 0]]  # mean to last, then the mean change
    assert table[:, -1].tolist() == [2, 1]  # lengths


def test_series_are_summed_up_in_eighths_and_bands():
    steps = np.arange(64)
    wave = np.sin(2 * np.pi * 16 * steps / 64).astype(np.float32)
    ramp = (steps // 8).astype(np.float32)
    split = Split((np.stack((wave, ramp))[..., None], np.ones((2, 64), dtype=bool)), np.zeros(2, dtype=np.int64))
    table = features(split, Signal("sequence", (64, 1), mask=True))
    eighths = table[1, 6:22].reshape(8, 2)
    assert eighths.tolist() == [[part, 0] for part in range(8)]
    bands = table[0, 22:30]  # frequencies from 1: 1 to 0, ..., 5 to 8, 9 to 16, 17 to 32
    assert bands.argmax() == 6
    assert table[:, -1].tolist() == [64, 64]


def test_tokens_are_counted():
    split = Split((np.array([[1, 1, 3], [2, 0, 0]]), np.array([[1, 1, 1], [1, 0, 0]], dtype=bool)), np.zeros(2))
    table = features(split, Signal("tokens", (3,), vocabulary=(4,), mask=True))
    assert table.tolist() == [[0, 2, 0, 1], [0, 0, 1, 0]]
