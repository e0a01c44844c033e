"""Tasks from .npz files and the built-in digits, and how ``load`` finds them."""

from __future__ import annotations

import time

import numpy as np
import pytest
from sklearn.datasets import load_digits

from nasturtium.errors import TaskError
from nasturtium.space.signal import image
from nasturtium.tasks import TASKS, load
from nasturtium.tasks.arrays import from_arrays


@pytest.fixture
def save(tmp_path):
    def write(name="file.npz", **arrays):
        np.savez(tmp_path / name, **arrays)
        return tmp_path / name

    return write


def test_x_and_y_are_split_70_15_15(save, blobs):
    task = load(str(save(x=blobs[0], y=blobs[1])))
    assert [len(part) for part in (task.train, task.valid, task.test)] == [84, 18, 18]
    assert task.name == "file"


def test_the_users_split_is_kept(save, blobs, generator):
    split = generator.choice(["train", "valid", "test"], size=120)
    task = load(save(x=blobs[0], y=blobs[1], split=split))
    for part in ("train", "valid", "test"):
        expected = task.preprocessing.apply(blobs[0][split == part])[0]
        assert (getattr(task, part).inputs[0] == expected).all()
    numbers = np.array([["train", "valid", "test"].index(part) for part in split])
    assert load(save("b.npz", x=blobs[0], y=blobs[1], split=numbers)).fingerprint == task.fingerprint


def test_named_parts(save, blobs):
    x, y = blobs
    task = load(save(x_train=x[::2], y_train=y[::2], x_valid=x[1::4], y_valid=y[1::4], x_test=x[3::4], y_test=y[3::4]))
    assert [len(part) for part in (task.train, task.valid, task.test)] == [60, 30, 30]
    task = load(save(x_train=x[::2], y_train=y[::2], x_test=x[1::2], y_test=y[1::2]))
    assert len(task.test) == 60
    assert 0.15 <= len(task.valid) / 60 <= 0.2
    assert any("drew valid" in note for note in task.notes)
    task = load(save(x_train=x, y_train=y))
    assert len(task.test) == 18


def test_class_names_come_from_the_file(save, blobs):
    assert load(save(x=blobs[0], y=blobs[1], classes=np.array(["a", "b", "c"]))).classes == ("a", "b", "c")


@pytest.mark.parametrize(
    ("arrays", "line"),
    [
        ({"a": np.zeros(3)}, "holds a; it needs arrays x and y, or x_train and y_train"),
        ({"x": np.zeros((20, 2))}, "holds x; it needs arrays x and y"),
        ({"x_train": np.zeros((20, 2))}, "holds x_train alone; x_train and y_train belong together"),
        ({"x_test": np.zeros((20, 2)), "y_test": np.zeros(20)}, "it needs arrays x and y"),
        ({"x": np.zeros((20, 2)), "y": np.zeros(20), "split": np.zeros(3)}, r"split has shape \(3,\)"),
        ({"x": np.zeros((20, 2)), "y": np.zeros(20), "split": np.full(20, "train2")}, "split holds 'train2'"),
        ({"x": np.array([[1], [2, 3]], dtype=object), "y": np.zeros(2)}, "array x in .* is pickled"),
    ],
)
def test_files_that_cannot_be_used_are_named(save, arrays, line):
    with pytest.raises(TaskError, match=line):
        load(save(**arrays))


def test_unreadable_files_are_named(tmp_path, save, blobs):
    text = tmp_path / "text.npz"
    text.write_text("no zip at all")
    with pytest.raises(TaskError, match=r"cannot read .*text\.npz"):
        load(text)
    (tmp_path / "empty.npz").write_bytes(b"")
    with pytest.raises(TaskError, match=r"cannot read .*empty\.npz"):
        load(tmp_path / "empty.npz")
    whole = save(x=blobs[0], y=blobs[1]).read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TaskError, match=r"cannot read .*cut\.npz"):
        load(tmp_path / "cut.npz")
    (tmp_path / "flipped.npz").write_bytes(whole[:400] + bytes(50) + whole[450:])
    with pytest.raises(TaskError, match=r"array x in .*flipped.npz is damaged"):
        load(tmp_path / "flipped.npz")
    with (tmp_path / "single.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(TaskError, match="is a single array"):
        load(tmp_path / "single.npz")


def test_unknown_sources_are_named(tmp_path):
    (tmp_path / "mnist.npz").touch()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(TaskError, match=r"there is no file .*minst.npz; did you mean 'mnist.npz'"):
        load(tmp_path / "minst.npz")
    with pytest.raises(
        TaskError,
        match="unknown task 'digit'; give one of digits, or the path of a file; did you mean 'digits'",
    ):
        load("digit")
    with pytest.raises(TaskError, match=r"cannot read .*notes.txt: use .npz, .csv"):
        load(tmp_path / "notes.txt")
    with pytest.raises(TaskError, match="the task is empty; give one of digits"):
        load("")
    with pytest.raises(TaskError, match="cannot make a task of int"):
        load(3)
    with pytest.raises(TaskError, match="3 arrays are no task"):
        load((1, 2, 3))
    with pytest.raises(TaskError, match="target='a' does not apply to 'digits'"):
        load("digits", target="a")


def test_digits():
    task = load("digits", seed=5)
    data = load_digits()
    assert task.inputs == (image(1, 8, 8),)
    assert (task.outputs, task.kind, task.name, len(task.test)) == (10, "classification", "digits", 360)
    assert task.test.targets.tolist() == data.target[-360:].tolist()
    assert (task.preprocessing.apply(data.images[-360:])[0] == task.test.inputs[0]).all()
    assert 0.15 <= len(task.valid) / (len(task.valid) + len(task.train)) <= 0.2
    shares = np.bincount(task.valid.targets) / np.bincount(task.merged().train.targets)
    assert shares.min() > 0.16
    assert shares.max() < 0.19
    assert load("digits", seed=6).valid.targets.tolist() != task.valid.targets.tolist()


def test_a_task_is_its_own_source(blobs):
    task = load(blobs)
    assert load(task).fingerprint == task.fingerprint
    assert load(task, metric="f1", name="again").metrics[0] == "f1"
    with pytest.raises(TaskError, match="layout='image' does not apply to a task that is already made"):
        load(task, layout="image")


def test_the_registry_is_a_dictionary(monkeypatch, blobs):
    monkeypatch.setitem(TASKS, "blobs", lambda **options: load(blobs, **options))
    assert load("blobs", seed=1, name="mine").name == "mine"


def test_real_files(datasets):
    start = time.process_time()
    task = load(datasets / "mnist/train.npz")
    assert time.process_time() - start < 10
    assert task.inputs == (image(1, 28, 28),)
    assert task.name == "mnist"
    assert [len(part) for part in (task.train, task.valid, task.test)] == [42_000, 9_000, 9_000]
    assert np.bincount(task.test.targets).min() > 800
    task = load(datasets / "ucr/ElectricDevices.npz", layout="sequence")
    assert task.inputs[0].shape == (96, 1)
    assert task.classes == tuple("1234567")
    assert (len(task.train) + len(task.valid), len(task.test)) == (8926, 7711)
    task = load(datasets / "har_watch/windows128.npz")
    assert task.inputs[0].shape == (128, 6)
    assert "PEN" in task.classes


def test_rows_of_unequal_length_lie_one_after_another(generator, tmp_path):
    lengths = generator.integers(3, 9, 40)
    values = generator.normal(size=(lengths.sum(), 2)).astype(np.float32)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    y = np.arange(40) % 2
    np.savez(tmp_path / "one.npz", x=values, offsets=offsets, y=y)
    rows = np.split(values, offsets[1:-1])
    assert load(tmp_path / "one.npz").fingerprint == load((rows, y)).fingerprint
    np.savez(
        tmp_path / "two.npz", x_train=values[: offsets[30]], offsets_train=offsets[:31], y_train=y[:30],
        x_test=values[offsets[30] :], offsets_test=offsets[30:] - offsets[30], y_test=y[30:],
    )  # fmt: skip
    assert load(tmp_path / "two.npz").fingerprint == load((rows[:30], y[:30], rows[30:], y[30:])).fingerprint
    np.savez(tmp_path / "words.npz", x=np.arange(lengths.sum()) % 7, offsets=offsets, y=y)
    assert load(tmp_path / "words.npz").inputs[0].kind == "tokens"


@pytest.mark.parametrize("offsets", [[0, 5, 9], [1, 5, 10], [0, 6, 5, 10], [0.0, 10.0], [10], [[0, 10]], []])
def test_offsets_that_do_not_fit_are_refused(offsets, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((10, 2)), offsets=np.array(offsets), y=np.zeros(2))
    with pytest.raises(TaskError, match=r"offsets in .* must rise from 0 to the length of x"):
        load(tmp_path / "a.npz")
    np.savez(tmp_path / "b.npz", offsets=np.array([0, 2]), y=np.zeros(2))
    with pytest.raises(TaskError, match="holds offsets without x, the values of its rows"):
        load(tmp_path / "b.npz")


def test_groups_stay_together(generator, tmp_path):
    persons = np.repeat(np.arange(12), 10)
    x = np.stack((persons, generator.normal(size=120)), axis=1)
    np.savez(tmp_path / "a.npz", x=x, y=np.arange(120) % 2, person=persons.astype(str))
    task = load(tmp_path / "a.npz", groups="person")
    own = [np.unique(split.inputs[0][:, 0]) for split in (task.train, task.valid, task.test)]
    assert sum(map(len, own)) == 12
    assert len(np.unique(np.concatenate(own))) == 12
    assert any(note.startswith("drawn were whole groups: test (20 rows)") for note in task.notes)
    with pytest.raises(TaskError, match=r"there is no array 'persons' in .*; did you mean 'person'"):
        load(tmp_path / "a.npz", groups="persons")
    parts = np.arange(120) % 3
    np.savez(tmp_path / "c.npz", x=x, y=np.arange(120) % 2, person=persons.astype(str), split=parts)
    with pytest.raises(TaskError, match="12 of 12 groups into several parts, such as group '0' into train and valid"):
        load(tmp_path / "c.npz", groups="person")
    with pytest.raises(TaskError, match=r"groups have 1 missing values \(first at row 3\)"):
        from_arrays(x, parts, groups=np.where(np.arange(120) == 3, np.nan, persons))
    np.savez(tmp_path / "b.npz", x_train=x, y_train=np.arange(120) % 2, person=persons)
    with pytest.raises(TaskError, match="groups='person' goes with arrays x and y"):
        load(tmp_path / "b.npz", groups="person")


def test_real_time_series(datasets):
    task = load(datasets / "har_watch" / "windows128.npz", groups="subject")
    assert task.summary().startswith("windows128: sequence 128x6 -> 7 classes; 2,373/639/593 rows")
    assert load(datasets / "ucr" / "FacesUCR.npz", layout="sequence").inputs[0].shape == (131, 1)
