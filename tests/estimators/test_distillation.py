"""Distillation: losses by hand and against torch, teachers that are distinct and the best, and what goes wrong."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from nasturtium.errors import TrainingError
from nasturtium.estimators import Distillation, Recipe, Training
from nasturtium.estimators.distillation import read_distillation
from nasturtium.estimators.fit import make_loss
from nasturtium.estimators.lesson import Distilled, Lessons, Taught
from nasturtium.estimators.scoring import outputs_of
from nasturtium.estimators.teachers import MARK, OUTPUTS, TAUGHT_BY, Bank, Mark, outputs_in
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.space import Architecture
from nasturtium.tasks import Batches, Split


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_squared_error_is_the_formula_of_the_paper():
    outputs, said, targets = drawn(5, 3), drawn(2, 5, 3), torch.tensor([0, 1, 2, 1, 0])
    loss = Distilled(make_loss("cross_entropy", 0.0), Distillation(weight=0.2))(outputs, Taught(targets, said))
    shares = [0.5 * ((outputs - each) ** 2).mean() for each in said]
    assert loss == pytest.approx(0.8 * F.cross_entropy(outputs, targets).item() + 0.2 * (sum(shares) / 2).item())


def test_divergence_is_that_of_torch_distributions():
    outputs, said, targets = drawn(6, 4), drawn(3, 6, 4), torch.arange(6) % 4
    plan = Distillation(weight=1.0, temperature=2.5)
    loss = Distilled(make_loss("cross_entropy", 0.0), plan)(outputs, Taught(targets, said))
    student = torch.distributions.Categorical(logits=outputs / 2.5)
    parts = [torch.distributions.kl_divergence(torch.distributions.Categorical(logits=z / 2.5), student) for z in said]
    assert loss == pytest.approx(2.5**2 * torch.stack(parts).mean().item(), rel=1e-5)


def test_without_weight_it_is_the_loss_alone():
    outputs, said, targets = drawn(5, 3), drawn(2, 5, 3), torch.tensor([0, 1, 2, 1, 0])
    plain = make_loss("cross_entropy", 0.1)
    assert Distilled(plain, Distillation(weight=0.0))(outputs, Taught(targets, said)) == plain(outputs, targets)


@pytest.mark.parametrize("shuffle", [None, 3])
def test_what_is_said_goes_with_its_row(blobs, shuffle):
    rows = len(blobs.train)
    said = torch.from_numpy(blobs.train.inputs[0] @ np.ones((2, 3), np.float32))
    batches = Lessons(Batches(blobs.train, 17, shuffle_seed=shuffle, drop_last=True), [said, -said])
    seen = 0
    for _ in range(2):
        for (x,), taught in batches:
            assert torch.allclose(taught.said[0], x.sum(1, keepdim=True).expand(-1, 3), atol=1e-5)
            assert torch.equal(taught.said[1], -taught.said[0])
            seen += len(x)
    assert seen == 2 * (rows // 17) * 17
    assert batches.epoch == 2


def test_mixup_mixes_what_is_said_with_its_rows():
    taught = Taught(torch.arange(4), drawn(2, 4, 3))
    other = torch.tensor([3, 0, 1, 2])
    assert torch.equal(taught[other].said, taught.said[:, other])
    assert torch.equal(taught[other].targets, other)


def bank(folder, outputs=4, count=2, of="data"):
    return Bank(folder, of, count, (outputs, 2))


def trials(folder, worths, outputs=4, of="data"):
    """Trials that ended with such scores, in order; architectures are named by the keys."""
    for number, (key, worth, *budget) in enumerate(worths):
        path = folder / f"{number:05d}"
        path.mkdir(parents=True)
        mark = Mark(path, *(budget or [1.0]), worth, key)
        bank(folder, outputs, of=of).keep(mark, lambda worth=worth: torch.full((outputs, 2), float(worth)))


def chosen(folder, name, after=1, key="new", previous=None, **options):
    """The names of the teachers of a new trial."""
    (folder / name).mkdir(exist_ok=True)
    return [each.name for each in bank(folder, **options).choose(folder / name, previous, after, key)]


def test_teachers_are_the_best_and_distinct(tmp_path):
    trials(tmp_path, [("a", 0.5), ("b", 0.9), ("b", 0.8), ("c", 0.7), ("d", 0.6), ("e", 0.1)])
    names = chosen(tmp_path, "00006", after=3)
    assert names == ["00001", "00003"]  # not 00002, which is b again
    said = outputs_in([tmp_path / name for name in names])
    assert [float(each[0, 0]) for each in said] == pytest.approx([0.9, 0.7])
    assert not (tmp_path / "00005" / OUTPUTS).exists()  # it can never be among the best: nothing is kept of it


def test_nobody_teaches_itself_and_nobody_before_its_time(tmp_path):
    trials(tmp_path, [("d", 0.8), ("a", 0.5), ("b", 0.9), ("c", 0.7)])
    assert chosen(tmp_path, "1", after=4, key="b") == ["00000", "00003"]  # the third best was kept for this
    assert chosen(tmp_path, "2", after=5, key="x") == []
    assert chosen(tmp_path, "3", after=4, key="x") == ["00002", "00000"]


def test_who_was_trained_for_longer_teaches_first(tmp_path):
    trials(tmp_path, [("a", 0.9, 1.0), ("b", 0.6, 9.0), ("c", 0.5, 9.0)])
    assert chosen(tmp_path, "1") == ["00001", "00002"]


def test_a_trial_keeps_its_teachers_when_it_is_interrupted_or_continued(tmp_path):
    trials(tmp_path, [("a", 0.5), ("b", 0.9)])
    assert chosen(tmp_path, "00002") == ["00001", "00000"]
    trials(tmp_path / "later", [("c", 1.0)])
    (tmp_path / "later" / "00000").rename(tmp_path / "00003")
    assert chosen(tmp_path, "00002") == ["00001", "00000"]
    assert chosen(tmp_path, "00004", previous=tmp_path / "00002") == ["00001", "00000"]
    assert chosen(tmp_path, "00005") == ["00003", "00001"]


def test_what_is_damaged_or_of_other_data_is_no_teacher(tmp_path):
    trials(tmp_path, [("a", 0.5), ("b", 0.9), ("c", 0.7)])
    (tmp_path / "00001" / MARK).write_text('{"worth": 0.9')
    (tmp_path / "00002" / OUTPUTS).write_bytes(b"")
    assert chosen(tmp_path, "1") == ["00000"]
    (tmp_path / "1" / TAUGHT_BY).write_text("[")
    assert chosen(tmp_path, "1") == ["00000"]
    (tmp_path / "00000" / OUTPUTS).unlink()
    assert chosen(tmp_path, "1") == []
    assert chosen(tmp_path, "2", of="other data") == []
    assert chosen(tmp_path, "3", outputs=5) == []


def test_outputs_that_are_not_finite_teach_nobody(tmp_path):
    trials(tmp_path, [("a", 0.5)])
    (tmp_path / "00001").mkdir()
    bank(tmp_path).keep(Mark(tmp_path / "00001", 1.0, 0.9, "b"), lambda: torch.full((4, 2), float("inf")))
    assert chosen(tmp_path, "1") == ["00000"]


def networks():
    return [Architecture(Sequential(Linear(width), ReLU(), Linear(3)), input=(2,)) for width in (4, 5, 6, 7)]


def run(training, folder, notes, architectures):
    found = []
    for number, each in enumerate(architectures):
        path = folder / f"{number:05d}"
        path.mkdir(parents=True, exist_ok=True)
        found.append(training.evaluate(each, 3, notes(seed=number, folder=path)))
    return found


def test_students_learn_from_teachers_and_the_first_ones_do_not(blobs, notes, tmp_path):
    recipe = Recipe(mixup=0.2, ema=0.9)  # with all that touches targets and weights
    plan = Distillation(weight=0.9, teachers=2, after=2)
    taught = run(Training(blobs, recipe, distillation=plan), tmp_path / "taught", notes, networks())
    plain = run(Training(blobs, recipe), tmp_path / "plain", notes, networks())
    assert taught[:2] == plain[:2]
    assert all(one != other for one, other in zip(taught[2:], plain[2:], strict=True))
    again = run(Training(blobs, recipe, distillation=plan), tmp_path / "again", notes, networks())
    assert again == taught


def test_a_student_comes_to_say_what_its_teacher_says(blobs, notes, tmp_path):
    """With the whole weight on one teacher a linear student copies a linear teacher."""
    linear = Architecture(Sequential(Linear(3)), input=(2,))
    student = Architecture(Sequential(Linear(3), Linear(3)), input=(2,))
    plan = Distillation(weight=1.0, teachers=1, after=1)
    recipe = Recipe(batch_size=16, learning_rate=0.05, weight_decay=0.0)
    training = Training(blobs, recipe, distillation=plan)
    for number, each in enumerate((linear, student)):
        (tmp_path / f"{number:05d}").mkdir()
        training.evaluate(each, 30, notes(seed=number, folder=tmp_path / f"{number:05d}"))
    (teacher,) = outputs_in([tmp_path / "00000"])
    model_outputs = trained_outputs(training, student, blobs, tmp_path / "00001")
    assert (model_outputs - teacher[: len(blobs.train)]).abs().mean() < 0.15 * teacher.std()


def trained_outputs(training, architecture, task, folder):
    """What the network in a trial's checkpoint says of the training rows."""
    from nasturtium.estimators import checkpoint

    saved = checkpoint.load(folder)
    model = architecture.build()
    model.load_state_dict({name[6:]: value for name, value in saved.tensors.items() if name.startswith("model.")})
    return outputs_of(model, Batches(task.train, len(task.train)))[0]


def test_an_interrupted_student_ends_as_if_it_had_not_been(blobs, notes, tmp_path):
    plan = Distillation(weight=0.5, teachers=2, after=2)
    three = networks()[:3]
    whole = run(Training(blobs, distillation=plan, checkpoint_seconds=0), tmp_path / "whole", notes, three)
    cut = Training(blobs, distillation=plan, checkpoint_seconds=0)
    run(cut, tmp_path / "cut", notes, three[:2])
    folder = tmp_path / "cut" / "00002"
    folder.mkdir()
    with pytest.raises(KeyboardInterrupt):
        cut.evaluate(three[2], 3, notes(seed=2, folder=folder, crash_after=2))
    assert cut.evaluate(three[2], 3, notes(seed=2, folder=folder)) == whole[2]


def test_who_was_stopped_early_teaches_nobody(blobs, mlp, notes, tmp_path):
    folder = tmp_path / "00000"
    folder.mkdir()
    Training(blobs, distillation=Distillation(after=1)).evaluate(mlp, 3, notes(folder=folder, stop_after=1))
    assert not (folder / MARK).exists()


def test_regression_is_taught_by_squared_error_alone(line, notes, tmp_path):
    plan = Distillation(weight=0.5, teachers=1, after=1)
    two = [Architecture(Sequential(Linear(width), ReLU(), Linear(1)), input=(4,)) for width in (8, 9)]
    assert all(scores["r2"] > -5 for scores in run(Training(line, distillation=plan), tmp_path, notes, two))
    assert outputs_in([tmp_path / "00000"])[0].shape == (len(line.train) + len(line.valid), 1)
    with pytest.raises(TrainingError, match="leave the temperature out"):
        Training(line, distillation=Distillation(temperature=2.0))


def test_no_folder_is_said(blobs, mlp, notes):
    with pytest.raises(TrainingError, match="give it one by out="):
        Training(blobs, distillation=Distillation()).evaluate(mlp, 1, notes())


def test_options_are_read_and_checked():
    assert read_distillation([]) == Distillation()
    assert read_distillation(["weight=0.5", "teachers=5", "temperature=3"]) == Distillation(0.5, 5, 30, 3.0)
    for texts, said in [
        (["wieght=1"], "did you mean 'weight'"),
        (["teachers=many"], "no such number"),
        (["weight=2"], "from 0 to 1"),
        (["after=0"], "from 1 up"),
        (["temperature=0"], "above 0"),
    ]:
        with pytest.raises(TrainingError, match=said):
            read_distillation(texts)


def test_what_is_said_goes_with_its_row_where_rows_differ_in_length():
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 9, 40)
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    steps = np.repeat(np.arange(40, dtype=np.float32), lengths)[:, None]  # every step holds the number of its row
    split = Split((steps,), np.arange(40), offsets=offsets)
    for batches in (Batches(split, 7, shuffle_seed=2, drop_last=True), Batches(split, 7, sort=True)):
        for (_, _), taught in Lessons(batches, [torch.arange(40.0)[:, None]]):
            assert torch.equal(taught.said[0, :, 0].long(), taught.targets)


def test_final_trainings_are_told_of_train_and_valid_by_the_best(blobs, notes, tmp_path):
    training = Training(blobs, distillation=Distillation(weight=0.9, teachers=2, after=9, finals=True))
    scores = run(training, tmp_path, notes, networks())
    order = sorted(range(4), key=lambda number: (-scores[number]["accuracy"], number))
    best = networks()[order[0]]
    lesson = training.final_lesson(best, tmp_path)
    expected = outputs_in([tmp_path / f"{number:05d}" for number in order[1:3]])  # nobody teaches itself
    assert [torch.equal(one, other) for one, other in zip(lesson.said, expected, strict=True)] == [True, True]
    merged = blobs.merged().train
    assert lesson.said[0].shape == (len(merged), 3)
    # what is said of the rows of valid is as good as it was in the search
    right = lesson.said[0][len(blobs.train) :].argmax(1).numpy() == blobs.valid.targets
    assert right.mean() == pytest.approx(scores[order[1]]["accuracy"])
    taught, plain = (training.fit_final(best, epochs=1, seed=3, lesson=each) for each in (lesson, None))
    assert not torch.equal(taught(torch.zeros(1, 2)), plain(torch.zeros(1, 2)))
    alone = Training(blobs, distillation=Distillation(weight=0.9, teachers=2, after=9))
    assert alone.final_lesson(best, tmp_path) is None
    assert training.final_lesson(best, tmp_path / "elsewhere") is None
    assert Training(blobs).final_lesson(best, tmp_path) is None
