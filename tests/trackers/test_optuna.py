"""The copy of a study is read by Optuna itself."""

import json

import pytest
from tracked_study import ENDS, write_study

from nasturtium.errors import StudyError
from nasturtium.trackers.optuna import STATES, export
from nasturtium.trackers.reading import read_tracked
from nasturtium.trial import State

optuna = pytest.importorskip("optuna", reason="optuna is not installed (extra optuna)")


@pytest.fixture(scope="module")
def copied(folder, tmp_path_factory):
    url = f"sqlite:///{tmp_path_factory.mktemp('optuna') / 'base.db'}"
    assert export(folder, url) == 20
    return url, optuna.load_study(study_name="digits-convnet", storage=url), read_tracked(folder)


def test_states_values_and_curves_are_those_of_the_study(copied):
    _, study, ours = copied
    for trial, theirs in zip(ours.study, study.trials, strict=True):
        assert theirs.number == trial.number
        assert theirs.state.name == STATES[trial.state]
        assert theirs.user_attrs["state"] == trial.state.value
        assert theirs.user_attrs["architecture"] == str(trial.architecture)
        assert theirs.intermediate_values == {int(p["step"]): p["accuracy"] for p in trial.curve}
    assert {theirs.state.name for theirs in study.trials[:18]} == {STATES[state] for state in ENDS}
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE
    assert study.metric_names == ["accuracy"]


def test_the_best_is_the_best_and_ran_when_it_ran(copied):
    _, study, ours = copied
    assert study.best_trial.number == ours.study.best.number
    assert study.best_value == ours.study.best.scores["accuracy"]
    times = ours.times[study.best_trial.number]
    assert study.best_trial.datetime_start.timestamp() == pytest.approx(times.started, abs=1e-3)
    assert study.best_trial.datetime_complete.timestamp() == pytest.approx(times.ended, abs=1e-3)


def test_parameters_tell_architectures_apart_and_optuna_can_rank_them(copied):
    _, study, ours = copied
    params = {repr(sorted(theirs.params.items())) for theirs in study.trials if theirs.params}
    assert len(params) == len({str(trial.architecture) for trial in ours.study if trial.state.value != "waiting"})
    space = optuna.search_space.intersection_search_space(study.trials)
    importances = optuna.importance.get_param_importances(study, params=sorted(space)[:3], target=lambda t: t.value)
    assert set(importances) == set(sorted(space)[:3])


def test_copied_again_it_is_there_once_and_another_study_is_let_be(copied, folder):
    url, *_ = copied
    export(folder, url)
    assert len(optuna.get_all_study_names(url)) == 1
    optuna.create_study(storage=url, study_name="theirs")
    with pytest.raises(StudyError, match="not a copy of ours; give another name"):
        export(folder, url, "theirs")
    optuna.delete_study(study_name="theirs", storage=url)


def test_several_objectives_go_over(tmp_path):
    folder = write_study(tmp_path / "two", ("accuracy", "-params"), ("accuracy>=0.5",), trials=6)
    url = f"sqlite:///{tmp_path / 'base.db'}"
    export(folder, url)
    study = optuna.load_study(study_name="two", storage=url)
    ours = read_tracked(folder).study
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert study.trials[0].values == [ours.trials[0].scores["accuracy"], ours.trials[0].scores["params"]]
    assert {theirs.user_attrs["keeps limits"] for theirs in study.trials if theirs.values} == {False, True}


def test_trials_from_before_the_objectives_were_changed_have_failed(tmp_path):
    folder = write_study(tmp_path / "changed", trials=6)
    url = f"sqlite:///{tmp_path / 'base.db'}"
    export(folder, url)
    settings = json.loads((folder / "settings.json").read_text())
    (folder / "settings.json").write_text(json.dumps({**settings, "objectives": ["max:auroc"]}))
    assert export(folder, url) == 8
    study, ours = optuna.load_study(study_name="changed", storage=url), read_tracked(folder).study
    assert study.metric_names == ["auroc"]
    lacking = [theirs for trial, theirs in zip(ours, study.trials, strict=True) if trial.state is State.COMPLETE]
    assert len(lacking) == 3
    for theirs in lacking:
        assert theirs.state.name == "FAIL"
        assert theirs.user_attrs["state"] == "complete"
        assert theirs.user_attrs["reason"] == "it has no score auroc, by which the study is judged since"
        assert theirs.user_attrs["score accuracy"] > 0


def test_a_storage_that_cannot_be_written_is_one_line(folder, tmp_path):
    with pytest.raises(StudyError, match="cannot write to the Optuna storage") as told:
        export(folder, f"sqlite:///{tmp_path / 'missing' / 'base.db'}")
    assert "\n" not in str(told.value)
