"""Tasks from arrays: normalisation, masks, notes, merging, fingerprints and bad input."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from nasturtium.errors import TaskError
from nasturtium.space.signal import image, sequence, tokens, vector
from nasturtium.tasks import Preprocessing, Split, load


def test_columns_are_standardised_by_the_training_rows_only(generator):
    x, y = generator.normal(5, 3, size=(100, 3)), np.tile([0, 1], 50)
    x[80:] += 1000
    task = load((x[:80], y[:80], x[80:], y[80:]))
    assert task.inputs == (vector(3),)
    assert (len(task.train), len(task.test)) == (80 - len(task.valid), 20)
    train = task.train.inputs[0]
    assert train.dtype == np.float32
    assert train.mean(axis=0) == pytest.approx(np.zeros(3), abs=1e-5)
    assert train.std(axis=0) == pytest.approx(np.ones(3), abs=1e-5)
    rows = [int(np.flatnonzero((task.preprocessing.apply(x[:80])[0] == row).all(axis=1))[0]) for row in train]
    scaler = StandardScaler().fit(x[:80][rows])
    assert task.test.inputs[0] == pytest.approx(scaler.transform(x[80:]), rel=1e-4)


def test_large_offsets_lose_no_precision(generator):
    x = 1.7e9 + generator.normal(size=(100, 1))
    train = load((x, np.tile([0, 1], 50))).train.inputs[0]
    assert train.std() == pytest.approx(1, abs=1e-4)
    assert len(np.unique(train)) == len(train)


def test_images_are_normalised_by_channel(generator):
    x = generator.integers(0, 256, size=(60, 9, 8, 3), dtype=np.uint8)
    x[..., 1] //= 4
    task = load((x, np.tile([0, 1, 2], 20)), seed=3)
    assert task.inputs == (image(3, 9, 8),)
    train = task.train.inputs[0]
    assert train.shape[1:] == (3, 9, 8)
    assert train.mean(axis=(0, 2, 3)) == pytest.approx(np.zeros(3), abs=1e-5)
    assert train.std(axis=(0, 2, 3)) == pytest.approx(np.ones(3), abs=1e-5)
    assert x.dtype == np.uint8, "the user's array is left alone"


def test_sequences_are_normalised_over_real_steps(generator):
    rows = [generator.normal([3, -40], [1, 9], size=(length, 2)) for length in generator.integers(2, 12, size=80)]
    task = load((rows, np.tile([0, 1], 40)))
    longest = max(map(len, rows))
    assert task.inputs == (sequence(longest, 2, mask=True),)
    values, mask = task.train.inputs
    assert values.shape == (len(task.train), longest, 2)
    assert mask.dtype == bool
    assert (values[~mask] == 0).all()
    assert values[mask].mean(axis=0) == pytest.approx(np.zeros(2), abs=1e-5)
    assert values[mask].std(axis=0) == pytest.approx(np.ones(2), abs=1e-5)
    lengths = sorted(int(m.sum()) for part in (task.train, task.valid, task.test) for m in part.inputs[1])
    assert lengths == sorted(map(len, rows))


def test_tokens_keep_their_numbers(generator):
    rows = [generator.integers(0, 9, size=length) for length in (3, 5, 2, 7) * 10]
    rows[0][0] = 8
    task = load((rows, np.tile([0, 1], 20)))
    assert task.inputs == (tokens(7, 9, mask=True),)
    assert task.train.inputs[0].dtype == np.int64
    fixed = load((generator.integers(0, 9, size=(40, 6)), np.tile([0, 1], 20)), layout="tokens")
    assert len(fixed.train.inputs) == 1
    with pytest.raises(TaskError, match="tokens must be 0 to"):
        fixed.preprocessing.apply(np.full((2, 6), 30))


def test_constant_columns_are_dropped_with_a_note(generator):
    x = generator.normal(size=(40, 4))
    x[:, 2] = 0.1
    task = load((x, np.tile([0, 1], 20)))
    assert task.inputs == (vector(3),)
    assert "dropped 1 constant columns of x: 2" in task.notes
    assert task.preprocessing.apply(x)[0].shape == (40, 3)
    with pytest.raises(TaskError, match="every column of x is constant"):
        load((np.ones((40, 4)), np.tile([0, 1], 20)))


def test_a_constant_channel_stays_finite(generator):
    x = generator.normal(size=(40, 6, 2))
    x[..., 1] = 5
    task = load((x, np.tile([0, 1], 20)))
    assert task.inputs == (sequence(6, 2),)
    assert (task.train.inputs[0][..., 1] == 0).all()
    assert "channel 1 of x is constant over the training rows" in task.notes


def test_imbalance_and_rare_classes_are_noted(generator):
    y = np.array([0] * 90 + [1] * 9 + [2])
    task = load((generator.normal(size=(100, 2)), y))
    notes = " | ".join(task.notes)
    assert "classes are unbalanced: '0' has 90.0% of the rows, '2' 1.0%" in notes
    assert "too few rows to split, so all of them train: 2" in notes
    assert "few rows" in notes
    assert (task.train.targets == 2).sum() == 1


def test_classes_without_training_rows_are_noted(generator):
    x, y = generator.normal(size=(60, 2)), np.tile([0, 1], 30)
    task = load((x, y, x[:5], np.array([0, 1, 2, 2, 2])))
    assert task.classes == ("0", "1", "2")
    assert "no training row has these classes, so none can be learned: 2" in task.notes


def test_one_hot_targets_are_classes(generator):
    y = np.arange(60) % 3
    task = load((generator.normal(size=(60, 2)), np.eye(3)[y]))
    assert task.kind == "classification"
    assert np.bincount(task.merged().train.targets).sum() == len(task.train) + len(task.valid)


def test_new_rows_are_treated_as_the_old_ones_also_after_json(generator, blobs):
    images = generator.integers(0, 256, size=(40, 6, 5), dtype=np.uint8)
    ragged = [generator.normal(size=(length, 2)) for length in [3, 6, 4, 5] * 10]
    for x in (blobs[0][:40], images, ragged, generator.normal(size=(40, 5, 2))):
        task = load((x, np.tile([0, 1], 20)))
        read = Preprocessing.from_json(task.preprocessing.to_json())
        assert read == task.preprocessing
        new = read.apply(x)
        for row, old in enumerate(task.train.inputs[0]):
            assert (new[0] == old).reshape(40, -1).all(axis=1).any(), row
    assert len(read.decode(np.zeros((2, 2)))) == 2


def test_new_rows_of_another_shape_are_refused(generator):
    ragged = [generator.normal(size=(length, 2)) for length in [3, 6, 4, 5] * 10]
    coding = load((ragged, np.tile([0, 1], 20))).preprocessing
    assert coding.apply([np.zeros((2, 2))])[0].shape == (1, 6, 2)
    assert coding.apply(np.zeros((3, 6, 2)))[1].all()
    with pytest.raises(TaskError, match="a sequence has 9 steps, but the longest the task was made with has 6"):
        coding.apply([np.zeros((9, 2))])
    with pytest.raises(TaskError, match="rows of shape"):
        coding.apply([np.zeros((3, 5))])
    coding = load((generator.normal(size=(40, 5, 2)), np.tile([0, 1], 20))).preprocessing
    with pytest.raises(TaskError, match=r"x has rows of shape \(7, 2\); the task was made with \(5, 2\)"):
        coding.apply(np.zeros((3, 7, 2)))
    with pytest.raises(TaskError, match=r"x has shape \(3, 7, 2, 1\), which is no sequence"):
        coding.apply(np.zeros((3, 7, 2, 1)))
    with pytest.raises(TaskError, match="not the JSON of a preprocessing"):
        Preprocessing.from_json("[1, 2]")


def test_merging_puts_validation_rows_into_train(blobs):
    task = load(blobs)
    merged = task.merged()
    assert len(merged.train) == len(task.train) + len(task.valid)
    assert len(merged.valid) == 0
    assert (merged.train.inputs[0][len(task.train) :] == task.valid.inputs[0]).all()
    assert merged.test is task.test
    assert merged.fingerprint != task.fingerprint


def test_the_fingerprint_follows_data_and_split(blobs):
    x, y = blobs
    task = load((x, y))
    assert load((x.copy(), y.copy())).fingerprint == task.fingerprint
    assert load((x, y), metric="f1", name="other").fingerprint == task.fingerprint
    assert load((x, y), seed=1).fingerprint != task.fingerprint
    changed = x.copy()
    changed[5, 2] += 0.01
    assert load((changed, y)).fingerprint != task.fingerprint
    assert load((x, np.roll(y, 1))).fingerprint != task.fingerprint


def test_a_task_says_what_it_is_in_a_line(blobs):
    task = load(blobs, name="blobs", metric="auroc")
    assert task.summary() == "blobs: vector 4 -> 3 classes; 84/18/18 rows train/valid/test; judged by auroc"
    assert task.loss == "cross_entropy"
    assert task.metrics[0] == "auroc"
    assert task.train.take(np.array([3, 1])).inputs[0].tolist() == task.train.inputs[0][[3, 1]].tolist()


def test_regression_from_arrays(generator):
    x = generator.normal(size=(80, 3))
    task = load((x, 100 + 10 * x[:, 0]))
    assert (task.kind, task.loss, task.outputs, task.metric) == ("regression", "mse", 1, "rmse")
    assert task.train.targets.shape == (len(task.train), 1)
    assert task.train.targets.dtype == np.float32
    assert task.in_units(task.train.targets).mean() == pytest.approx(task.preprocessing.target.mean[0], rel=1e-5)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ((np.zeros((5, 2)), np.zeros(4)), "y has 4 rows, but x has 5"),
        ((np.ones((20, 2)), np.ones(20)), "y holds|y has the same value"),
        (
            (np.array([[1, np.nan]] * 20), np.tile([0, 1], 10)),
            r"x has 20 missing values \(NaN; first at index \(0, 1\)",
        ),
        ((np.zeros((5, 2)), np.arange(5) % 2), "5 rows are too few"),
        ((np.zeros((20, 2)), np.tile([0, 1], 10), np.zeros((0, 2)), np.zeros(0)), "x_test has no rows"),
        (
            (np.zeros((20, 2)), np.tile([0, 1], 10), np.zeros((5, 3)), np.zeros(5)),
            r"x_test has rows of shape \(3,\)",
        ),
        (
            (np.zeros((20, 2)), np.tile([0, 1], 10), np.zeros((5, 2)), np.zeros(4)),
            "y_test has 4 rows, but x_test has 5",
        ),
        (
            (np.zeros((20, 2)), np.eye(2)[np.tile([0, 1], 10)], np.ones((2, 2)), np.ones(2)),
            "y_test has shape",
        ),
    ],
)
def test_arrays_that_cannot_be_used_are_named(source, line):
    with pytest.raises(TaskError, match=line):
        load(source)


def test_tasks_that_contradict_themselves_are_refused(blobs):
    task = load(blobs)
    with pytest.raises(TaskError, match="unknown kind 'ranking'"):
        dataclasses.replace(task, kind="ranking")
    with pytest.raises(TaskError, match="metric 'rmse' is not for classification"):
        dataclasses.replace(task, metric="rmse")
    with pytest.raises(TaskError, match="has no training rows"):
        dataclasses.replace(task, train=task.train.take(np.arange(0)))
    with pytest.raises(TaskError, match="has 1 input arrays; sequence 3x2 masked need 2"):
        dataclasses.replace(task, inputs=(sequence(3, 2, mask=True),))
    with pytest.raises(TaskError, match="input 0 has 3 rows, but there are 2 targets"):
        Split((np.zeros((3, 1)),), np.zeros(2))


def test_a_target_whose_classes_are_named_is_one_of_classes(generator):
    x, y = generator.normal(size=(120, 3)), np.arange(120) % 30
    assert load((x, y)).kind == "regression"
    assert load((x, y), classes=[f"c{k}" for k in range(30)]).classes[:2] == ("c0", "c1")
    with pytest.raises(TaskError, match="y holds 1, 2, which classes"):
        load((x, y % 2 + 1), classes=["no", "yes"])


def test_a_sequence_of_no_steps_is_refused_however_it_comes(generator):
    x = generator.normal(size=(30, 5, 2))
    x[4, 3:] = np.nan
    task = load((x, np.arange(30) % 2))
    assert task.inputs == (sequence(5, 2, mask=True),)
    x[7] = np.nan
    for raw in (x, [row[~np.isnan(row[:, 0])] for row in x]):
        with pytest.raises(TaskError, match="x has an empty sequence at row 7; leave that row out"):
            load((raw, np.arange(30) % 2))
        with pytest.raises(TaskError, match="x has an empty sequence at row 7"):
            task.preprocessing.apply(raw)
    with pytest.raises(TaskError, match="x has an empty sequence at row 0"):
        load((np.full((30, 5, 2), np.nan), np.arange(30) % 2))


def test_many_classes_of_images_stay_classes_with_a_word(generator):
    x, y = generator.integers(0, 255, size=(300, 6, 6, 3), dtype=np.uint8), np.arange(300) % 50
    task = load((x, y))
    assert (task.kind, task.outputs) == ("classification", 50)
    assert any("50 whole numbers: read as classes (else: kind='regression')" in note for note in task.notes)
    named = load((x, y), classes=[f"c{k}" for k in range(50)])
    assert not any("read as classes" in note for note in (*named.notes, *load("digits").notes))
    with pytest.raises(TaskError, match="names of classes were given for y, but kind='regression'"):
        load((x, y), classes=[f"c{k}" for k in range(50)], kind="regression")
