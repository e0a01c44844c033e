"""What we write is read by TensorBoard's own reader."""

import pytest

from nasturtium.errors import StudyError
from nasturtium.objective import Goal
from nasturtium.strategies import make
from nasturtium.study import InProcess, Silent, open_study, run
from nasturtium.trackers.reading import read_tracked
from nasturtium.trackers.tensorboard import Live, write

accumulators = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is not installed (extra tensorboard)"
)


def read(folder):
    accumulator = accumulators.EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def scalars(accumulator, tag):
    return [(each.step, pytest.approx(each.value)) for each in accumulator.Scalars(tag)]


def test_each_trial_is_a_run_with_its_curve_and_scores(folder, tmp_path):
    assert write(folder, tmp_path) == 20
    trials = read_tracked(folder).study.trials
    for number in (0, 5, 18):
        found = read(tmp_path / f"{number:05d}")
        for name in ("accuracy", "loss") if number < 18 else ():
            curve = [(int(point["step"]), point[name]) for point in trials[number].curve]
            assert scalars(found, f"curve/{name}") == curve
        if number < 18:
            assert scalars(found, "score/accuracy") == [(0, trials[number].scores["accuracy"])]
        texts = found.Tensors("architecture/text_summary")
        assert str(trials[number].architecture) in texts[0].tensor_proto.string_val[0].decode()
    assert "score/accuracy" not in read(tmp_path / "00003").Tags()["scalars"]  # it failed


def test_the_study_is_a_run_of_its_bests(folder, tmp_path):
    write(folder, tmp_path)
    best = scalars(read(tmp_path / "study"), "best/accuracy")
    study = read_tracked(folder).study
    assert best[-1] == (study.best.number, study.best.scores["accuracy"])
    values = [value.expected for _, value in best]
    assert values == sorted(values)


def test_what_trials_differ_in_are_hyperparameters(folder, tmp_path):
    write(folder, tmp_path)
    plugins = read(tmp_path / "00000").summary_metadata
    assert plugins["_hparams_/session_start_info"].plugin_data.plugin_name == "hparams"


def test_written_again_nothing_is_there_twice_and_other_files_stay(folder, tmp_path):
    (tmp_path / "00000").mkdir()
    (tmp_path / "00000" / "mine.txt").write_text("kept")
    write(folder, tmp_path)
    write(folder, tmp_path)
    assert len(read(tmp_path / "00000").Scalars("curve/accuracy")) == 3
    assert (tmp_path / "00000" / "mine.txt").read_text() == "kept"


class Smooth:
    def evaluate(self, architecture, budget, report):
        for step in (1, 2, 3):
            report(step, {"accuracy": step / (3 + len(str(architecture)))})
        return {"accuracy": 3 / (3 + len(str(architecture)))}


class Counting(Silent):
    updates = 0

    def update(self, study, running):
        self.updates += 1


def test_while_a_search_runs_it_writes_the_same_curves(tmp_path):
    from tracked_study import SPACE

    study = open_study(None, Goal.of("accuracy"), SPACE, {})
    inner = Counting()
    run(study, make("random", space=SPACE), InProcess(Smooth()), trials=5, progress=Live(tmp_path, inner))
    for trial in study:
        found = read(tmp_path / f"{trial.number:05d}")
        curve = [(int(point["step"]), point["accuracy"]) for point in trial.curve]
        assert scalars(found, "curve/accuracy") == curve
        assert scalars(found, "score/accuracy") == [(0, trial.scores["accuracy"])]
    assert inner.updates > 5


def test_a_folder_without_a_study_is_refused(tmp_path):
    with pytest.raises(StudyError, match="there is no study in"):
        write(tmp_path, tmp_path / "log")


def test_runs_of_a_larger_study_before_are_gone(folder, tmp_path):
    from tracked_study import write_study

    log = tmp_path / "log"
    write(folder, log)
    assert all(each.name.endswith(".nasturtium") for each in log.glob("*/events*"))
    (log / "00007" / "mine.txt").write_text("kept")
    (ours,) = (log / "00005").iterdir()
    (log / "00005" / f"{ours.name.removesuffix('.nasturtium').rpartition('.')[0]}.99").write_bytes(b"")
    (log / "other").mkdir()
    (log / "other" / "events.out.tfevents.1.nasturtium").write_bytes(b"")
    write(write_study(tmp_path / "small", trials=2), log)
    assert sorted(each.name for each in log.iterdir()) == [
        "00000",
        "00001",
        "00002",
        "00003",
        "00007",
        "other",
        "study",
    ]
    assert [each.name for each in (log / "00007").iterdir()] == ["mine.txt"]
    assert len(list((log / "other").iterdir())) == 1
