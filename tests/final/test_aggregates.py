"""Hand-made features of event sequences against polars, and the marks that event tasks get."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

from nasturtium.final.aggregates import aggregates
from nasturtium.final.baselines import plain_network
from nasturtium.final.classical import features, fitting, train_classical
from nasturtium.space.signal import group, sequence, tokens
from nasturtium.tasks import Batches, Split, load
from nasturtium.tasks.ragged import offsets_of
from tests.tasks.event_tables import OPTIONS, customers


def test_aggregates_are_what_polars_gives():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 9, 40)
    ids = rng.integers(0, 4, lengths.sum()).astype(np.int32)
    numbers = rng.normal(size=(lengths.sum(), 1)).astype(np.float32)
    split = Split((ids, numbers), np.zeros(40), None, offsets_of(lengths))
    signal = group(kind=tokens(None, 4), numbers=sequence(None, 1))._replace(mask=True)
    table = aggregates(split, signal)
    frame = pl.DataFrame({"row": np.repeat(np.arange(40), lengths), "id": ids, "x": numbers[:, 0].astype(np.float64)})
    x = pl.col("x")
    expected = frame.group_by("row", maintain_order=True).agg(
        pl.len(),
        *[(pl.col("id") == k).sum().alias(f"count {k}") for k in range(4)],
        pl.col("id").last().alias("last id"),
        *[pl.col("id").reverse().get(k, null_on_oob=True).fill_null(-1).alias(f"last but {k}") for k in (1, 2)],
        pl.col("id").first().alias("first id"),
        pl.col("id").n_unique().alias("distinct"),
        x.mean().alias("mean"), x.std(ddof=0).alias("std"), x.min().alias("min"), x.max().alias("max"),
        x.last().alias("last"), x.first().alias("first"),
    )  # fmt: skip
    np.testing.assert_allclose(table, expected.drop("row").to_numpy(), atol=1e-6)


def test_an_event_task_has_both_marks():
    events, labels = customers(200)
    task = load(events, labels=labels, **OPTIONS)
    model = fitting(task)
    assert model.name == "random forest"
    (run,), (outputs,) = train_classical(model, task, [0])
    assert outputs.shape == (len(task.test), 2)
    assert run.scores["auroc"] > 0.7, "the number of orders tells it"
    network = plain_network(task)
    built = network.build().eval()
    assert sum(parameter.numel() for parameter in built.parameters()) == network.count()["params"]
    for inputs, targets in Batches(task.test, 8):
        assert torch.isfinite(built(*inputs)).all()
        assert len(built(*inputs)) == len(targets)


def test_rows_that_are_held_flat_have_the_features_of_padded_ones():
    rng = np.random.default_rng(0)
    lengths = [90, *rng.integers(2, 9, 59)]
    waves, words = [rng.normal(size=(n, 2)) for n in lengths], [rng.integers(0, 12, n) for n in lengths]
    for raw in (waves, words):
        task = load((raw, np.arange(60) % 2))
        assert fitting(task) is not None
        coding, (flat, _) = task.preprocessing.inputs, task.preprocessing.rows(raw)
        padded = Split(coding.apply(raw), flat.targets)
        ours, theirs = features(flat, coding.signal), features(padded, coding.signal)
        if raw is words:
            assert np.array_equal(ours, theirs)
        else:  # all but the power in bands, which are those of the length that all are padded to
            assert ours.shape == theirs.shape
            assert ours[:, [*range(44), -1]] == pytest.approx(theirs[:, [*range(44), -1]], abs=1e-4)
        scores = train_classical(fitting(task), task, [0])[0][0].scores
        assert scores["accuracy"] >= 0.0


@pytest.mark.parametrize(
    ("name", "categorical", "least"),
    [("cdnow_repurchase", (), 0.69), ("bpic2012_day7", ("resource",), 0.602), ("sepsis_release_a_day1", (), 0.70)],
)
def test_boosted_trees_reach_the_points_of_reference(datasets, name, categorical, least):
    place = datasets / "events"
    task = load(place / f"{name}_events.parquet", labels=place / f"{name}_labels.parquet", entity="case_id",
                timestamp="t", target="label", categorical=categorical)  # fmt: skip
    (run,), _ = train_classical(fitting(task), task, [0])
    assert run.scores["auroc"] > least
