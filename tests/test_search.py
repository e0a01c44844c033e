"""The one call: from data to a trained network, resumed, limited, seeded, with several workers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

import nasturtium as nt
from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.final.leaders import leading
from nasturtium.layers import Linear, ReLU, Sequential, Tanh
from nasturtium.objective import Goal
from nasturtium.report.reading import LEARNED, read_folder, winner_text
from nasturtium.searching import duration
from nasturtium.space import Architecture, Space, choice
from nasturtium.study import open_study
from nasturtium.study.folder import read_settings
from nasturtium.tasks.arrays import from_arrays

QUICK = {
    "trials": 3,
    "epochs": 2,
    "final_epochs": 3,
    "final_seeds": 1,
    "finalists": 2,
    "baselines": False,
    "quiet": True,
}


class Ends(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if len(x) < 8 else os._exit(3)  # not where layers are tried on a few rows


EndsItsProcess = nt.layers.wrap(
    Ends, name="EndsItsProcess", signal=lambda layer, signal: signal, flops=lambda layer, signal: 0
)


def blobs(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.arange(200) % 2
    return (rng.normal(size=(200, 5)) + 3 * y[:, None]).astype(np.float32), y


def of_one_class() -> nt.tasks.Task:
    """A task whose validation rows are of one class."""
    x, y = blobs()
    split = np.where(np.arange(len(y)) < 120, "train", np.where(y == 0, "valid", "test"))
    return from_arrays(x, y, split=split, name="patients", layout="vector")


def test_a_metric_that_validation_rows_cannot_say_fails_no_trial_that_does_not_need_it() -> None:
    result = nt.search(of_one_class(), objectives=["accuracy"], **QUICK | {"final_epochs": 0})
    assert [str(trial.state) for trial in result.trials] == ["complete"] * 3
    assert all("auroc" not in trial.scores and "accuracy" in trial.scores for trial in result.trials)


@pytest.mark.parametrize("asked", [{"objectives": ["auroc"]}, {"objectives": ["accuracy"], "limits": ["auroc>=0.5"]}])
def test_a_metric_that_is_needed_is_missed_before_anything_is_trained(asked, tmp_path: Path) -> None:
    with pytest.raises(NasturtiumError, match=r"auroc cannot be told from the 40 validation rows .* of 1 of 2 classes"):
        nt.search(of_one_class(), out=tmp_path / "s", **asked, **QUICK)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(("strategy", "kept"), [("random", False), ("successive_halving", True)])
def test_checkpoints_stay_only_where_trials_may_go_on_from_them(strategy, kept, tmp_path: Path) -> None:
    nt.search(blobs(), out=tmp_path, strategy=strategy, **QUICK | {"trials": 5, "epochs": 4, "final_epochs": 0})
    assert any((tmp_path / "trials").rglob("checkpoint.safetensors")) == kept
    assert any((tmp_path / "trials").iterdir()) == kept


def test_a_search_finds_trains_and_scores(tmp_path: Path) -> None:
    result = nt.search(blobs(), out=tmp_path, **QUICK)
    assert len(result.trials) == 3
    assert all(trial.state == "complete" and len(trial.curve) == 2 for trial in result.trials)
    assert result.best.scores["accuracy"] == max(trial.scores["accuracy"] for trial in result.trials)
    assert result.best.scores["test_accuracy"] > 0.8  # the classes are three deviations apart
    import torch

    model = result.best.model
    assert isinstance(model, torch.nn.Module)
    assert not model.training
    logits = model(torch.from_numpy(result.task.test.inputs[0]))
    right = (logits.argmax(1).numpy() == result.task.test.targets).mean()
    assert right == pytest.approx(result.best.scores["test_accuracy"])


def test_the_same_seed_gives_the_same_trials_and_a_stopped_search_goes_on_to_them(tmp_path: Path) -> None:
    whole = nt.search(blobs(), out=tmp_path / "whole", **{**QUICK, "trials": 5})
    nt.search(blobs(), out=tmp_path / "parts", **{**QUICK, "trials": 2, "final_epochs": 0})
    parts = nt.search(blobs(), out=tmp_path / "parts", **{**QUICK, "trials": 5})
    again = nt.search(blobs(), **{**QUICK, "trials": 5})

    def told(result: nt.Result) -> list[tuple[str, float]]:
        return [(str(trial.architecture), trial.scores["valid_loss"]) for trial in result.trials]

    assert told(whole) == told(parts) == told(again)
    assert whole.best.scores == parts.best.scores == again.best.scores


def test_a_finished_search_trains_nothing_again(tmp_path: Path) -> None:
    first = nt.search(blobs(), out=tmp_path, **QUICK)
    kept = sorted((tmp_path / "finals").glob("*/weights.safetensors"))
    written = [path.stat().st_mtime_ns for path in kept]
    assert len(written) == 2  # finalists
    second = nt.search(blobs(), out=tmp_path, **QUICK)
    assert sorted((tmp_path / "finals").glob("*/weights.safetensors")) == kept
    assert [path.stat().st_mtime_ns for path in kept] == written
    import torch

    rows = torch.from_numpy(first.task.test.inputs[0])
    assert torch.equal(first.best.model(rows), second.best.model(rows))
    assert second.best.scores == pytest.approx(first.best.scores)


def test_a_time_limit_alone_allows_as_many_trials_as_there_are(tmp_path: Path) -> None:
    few = Space(Sequential(choice(ReLU(), Tanh()), Linear(2)), input=(5,), name="few")
    with pytest.warns(UserWarning, match="all"):
        result = nt.search(blobs(), few, time="2m", out=tmp_path, **{**QUICK, "trials": None, "final_epochs": 0})
    assert result.ending == "nothing left to try"
    assert len({str(trial.architecture) for trial in result.trials}) == 2
    assert read_settings(tmp_path)["trials"] is None


def test_what_a_strategy_recommends_is_known_to_whoever_reads_the_study(tmp_path: Path) -> None:
    options = {**QUICK, "trials": 12, "epochs": 1, "final_epochs": 0}
    result = nt.search(blobs(), strategy="sequences", strategy_options={"initial": 6}, out=tmp_path, **options)
    reading = read_folder(tmp_path)
    try:
        order = [trial.number for trial in reading.leaders(12)]
        by_score = [trial.number for trial in leading(reading.study, 12)]
        assert order == reading.settings["recommended"] != by_score
        assert sorted(order) == sorted(by_score)
        assert winner_text(reading) == (str(result.best.architecture), order[0], LEARNED)
        assert result.best.number == order[0]
    finally:
        reading.close()
    nt.search(blobs(), strategy="random", out=tmp_path / "plain", **{**options, "trials": 2})
    plain = read_folder(tmp_path / "plain")
    assert plain.recommended == []
    plain.close()


def test_limits_and_start() -> None:
    net = Sequential(Linear(choice(4, 64)), ReLU(), Linear(2))
    space = Space(net, input=(5,), name="two")
    start = "Sequential(Linear(4), ReLU(), Linear(2))"
    result = nt.search(blobs(), space, start=[start], limits=["params<=100"], **{**QUICK, "trials": 1})
    assert str(result.trials[0].architecture) == start
    assert result.best.scores["params"] == 5 * 4 + 4 + 4 * 2 + 2
    with pytest.raises(StudyError, match="params"):
        nt.search(blobs(), space, limits=["params<=3"], **QUICK)
    with pytest.raises(StudyError, match="no trial ended with a score that keeps accuracy"):
        nt.search(blobs(), space, limits=["accuracy>=1.5"], **{**QUICK, "trials": 1})


def test_one_limit_and_one_architecture_need_no_list() -> None:
    space = Space(Sequential(Linear(choice(4, 64)), ReLU(), Linear(2)), input=(5,), name="two")
    text = "Sequential(Linear(4), ReLU(), Linear(2))"
    given = {**QUICK, "trials": 1, "final_epochs": 0, "limits": "params<=100"}
    for start in (text, Architecture.parse(text, input=(5,))):
        result = nt.search(blobs(), space, start=start, **given)
        assert str(result.trials[0].architecture) == text


def test_options_for_a_space_that_is_made_already_are_refused() -> None:
    space = Space(Sequential(Linear(choice(4, 64)), ReLU(), Linear(2)), input=(5,), name="two")
    with pytest.raises(NasturtiumError, match=r"space_options \(depth\) .* 'two' is made already"):
        nt.search(blobs(), space, space_options={"depth": 3}, **QUICK)


def test_other_data_is_refused(tmp_path: Path) -> None:
    nt.search(blobs(), out=tmp_path, **{**QUICK, "trials": 1})
    with pytest.raises(StudyError, match="was made with data"):
        nt.search(blobs(1), out=tmp_path, **{**QUICK, "trials": 2})


def test_workers_try_what_one_process_tries(tmp_path: Path) -> None:
    alone = nt.search(blobs(), strategy="random", **{**QUICK, "final_epochs": 0})
    together = nt.search(blobs(), strategy="random", workers=2, out=tmp_path, **{**QUICK, "final_epochs": 0})
    assert [str(t.architecture) for t in alone.trials] == [str(t.architecture) for t in together.trials]
    scores = [t.scores["valid_loss"] for t in together.trials]
    assert scores == pytest.approx([t.scores["valid_loss"] for t in alone.trials], rel=1e-4)


def test_what_is_written_is_plain(tmp_path: Path) -> None:
    result = nt.search(blobs(), out=tmp_path, **{**QUICK, "final_seeds": 2})
    best = json.loads((tmp_path / "best.json").read_text())
    assert Architecture.from_json(best["json"]) == result.best.architecture
    assert best["scores"]["test_accuracy_sd"] == result.best.scores["test_accuracy_sd"]
    assert json.loads((tmp_path / "settings.json").read_text())["objectives"] == ["max:accuracy"]


@pytest.mark.parametrize(("given", "seconds"), [("90s", 90), ("10m", 600), ("1h30m", 5400), (5, 5), ("2.5", 2.5)])
def test_durations(given: object, seconds: float) -> None:
    assert duration(given) == seconds


@pytest.mark.parametrize("given", ["", "soon", "10x", "-3", 0])
def test_durations_that_are_none(given: object) -> None:
    with pytest.raises(NasturtiumError, match="time"):
        duration(given)


@pytest.mark.parametrize("given", ["1h30", "3 m 4", "30 1h"])
def test_a_number_beside_others_needs_its_unit(given: str) -> None:
    """1h30 is 90 minutes to most who write it, and was an hour and 30 seconds."""
    with pytest.raises(NasturtiumError, match=rf"cannot read '{given}' as a time: \d+ has no unit; write .* 1h30m"):
        duration(given)
    assert duration("3 m 4 s") == 184


def test_a_search_that_is_refused_leaves_the_settings_alone(tmp_path: Path) -> None:
    nt.search(blobs(), out=tmp_path, **{**QUICK, "trials": 1, "final_epochs": 0})
    before = (tmp_path / "settings.json").read_text()
    with pytest.raises(StudyError, match="was made with data"):
        nt.search(blobs(), out=tmp_path, seed=5, **{**QUICK, "trials": 2, "final_epochs": 0})
    assert (tmp_path / "settings.json").read_text() == before


def test_what_ends_its_process_costs_a_trial_of_an_isolated_search(tmp_path: Path) -> None:
    space = Space(Sequential(choice(EndsItsProcess(), ReLU()), Linear(2)), input=(5,), name="fatal")
    result = nt.search(blobs(), space, strategy="random", isolated=True, out=tmp_path, **{**QUICK, "trials": 2})
    assert sorted(trial.state for trial in result.trials) == ["complete", "failed"]


def test_the_best_teach_those_that_follow(tmp_path: Path) -> None:
    from nasturtium.estimators import Distillation

    plan = Distillation(weight=0.5, teachers=1, after=2)
    given = {"trials": 4, "epochs": 2, "strategy": "random", "final_epochs": 0, "quiet": True}
    taught = nt.search(blobs(), out=tmp_path / "taught", distillation=plan, **given)
    plain = nt.search(blobs(), out=tmp_path / "plain", **given)
    assert [each.architecture for each in taught.trials] == [each.architecture for each in plain.trials]
    losses = [[trial.scores["valid_loss"] for trial in result.trials] for result in (taught, plain)]
    same = [one == other for one, other in zip(*losses, strict=True)]
    assert same[:2] == [True, True]
    assert same[2:] == [False, False]
    with pytest.raises(StudyError, match="distillation"):
        nt.search(blobs(), out=tmp_path / "taught", **given)
    with pytest.raises(NasturtiumError, match="give it one by out="):
        nt.search(blobs(), distillation=plan, **given)


def test_recipes_are_tuned_without_teachers(tmp_path: Path) -> None:
    from nasturtium.estimators import Distillation

    plan = Distillation(teachers=1, after=1)
    nt.search(blobs(), out=tmp_path, distillation=plan, tune=2, **{**QUICK, "trials": 2, "finalists": 1})
    study = open_study(next(tmp_path.glob("*tuning.db")), Goal.of("accuracy"), read_only=True)
    assert [str(trial.state) for trial in study.trials] == ["complete"] * 2
    study.close()


def test_early_stopping_in_real_training_says_what_it_did_and_resumes(tmp_path: Path) -> None:
    from nasturtium.study.early import CurveStop

    def go_on(trials: int, out: Path) -> list[tuple[object, ...]]:
        rule = CurveStop(probability=0.5)  # whatever is not expected to win ends
        given = {**QUICK, "trials": trials, "epochs": 8, "final_epochs": 0, "strategy": "random"}
        result = nt.search("digits", "mlp", early_stop=rule, out=out, **given)
        assert result.trials[result.best.number].state == "complete"
        return [(t.state, t.reason, t.scores["accuracy"], len(t.curve)) for t in result.trials]

    whole = go_on(7, tmp_path / "whole")
    stopped = [each for each in whole if each[0] == "stopped"]
    assert stopped
    assert all(str(each[1]).startswith("stopped early after") and each[3] < 8 for each in stopped)
    go_on(4, tmp_path / "parts")
    assert go_on(7, tmp_path / "parts") == whole
    with pytest.raises(StudyError, match="was made with early_stop"):
        nt.search("digits", "mlp", out=tmp_path / "parts", **{**QUICK, "epochs": 8, "strategy": "random"})
    with pytest.raises(NasturtiumError, match="early_stop looks at one objective"):
        nt.search("digits", "mlp", early_stop="median", objectives=["accuracy", "-params"], **QUICK)
