"""The final trainings from end to end: paired seeds, nothing done twice, the winner's files, tuning, faults."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

import nasturtium as nt
from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.estimators import Recipe, Trained
from nasturtium.final import Finals, load_best, read_finals
from nasturtium.final.leaders import by_gain
from nasturtium.final.roster import Replicates, Roster, replicate
from nasturtium.final.tuning import open_recipe
from nasturtium.layers import Linear, ReLU, Sequential
from nasturtium.objective import Goal
from nasturtium.space import Architecture, Space, choice
from nasturtium.strategies.random import RandomSearch
from nasturtium.study import open_study
from nasturtium.trial import State, Trial

QUICK = {"trials": 4, "epochs": 2, "final_epochs": 3, "quiet": True, "strategy": "random"}


def rings(rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that no line parts: inside and outside of a circle."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, 2)).astype(np.float32)
    return x, (np.linalg.norm(x, axis=1) > 1.2).astype(int)


def space(input=None, outputs=None) -> Space:
    return Space(Sequential(Linear(choice(4, 8, 16, 32)), ReLU(), Linear(2)), input=(2,), name="widths")


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    out = tmp_path_factory.mktemp("searched")
    return nt.search(rings(), space, out=out, finalists=3, final_seeds=2, **QUICK)


def test_finalists_and_baselines_are_trained_with_the_same_seeds(searched):
    finals: Finals = searched.finals
    kinds = [network.kind for network in finals.networks]
    assert kinds == ["finalist"] * 3 + ["baseline", "classical"]
    assert all([run.seed for run in network.runs] == [0, 1] for network in finals.networks)
    leaders = sorted(searched.trials, key=lambda t: (-t.scores["accuracy"], t.scores["valid_loss"]))
    assert [network.number for network in finals.networks[:3]] == [trial.number for trial in leaders[:3]]
    assert finals.winner == f"trial {leaders[0].number}"
    assert len(finals.comparisons) == 4


def test_the_model_handed_over_is_the_first_training_of_the_winner(searched):
    rows = torch.from_numpy(searched.task.test.inputs[0])
    right = (searched.best.model(rows).argmax(1).numpy() == searched.task.test.targets).mean()
    first, second = searched.finals.best.values("accuracy")
    assert right == pytest.approx(first)
    assert searched.best.scores["test_accuracy"] == pytest.approx((first + second) / 2)
    assert searched.best.scores["test_accuracy_low"] <= searched.best.scores["test_accuracy"]


def test_strategies_never_see_the_test_rows(searched):
    assert not any(name.startswith("test") for trial in searched.trials for name in trial.scores)


def test_the_folder_gives_the_winner_back(searched):
    loaded = load_best(searched.out)
    assert loaded.architecture == searched.best.architecture
    assert torch.equal(loaded.model(torch.from_numpy(loaded.rows["input0"])), torch.from_numpy(loaded.rows["output"]))
    assert loaded.content["kind"] == "classification"
    assert nt.tasks.Preprocessing.from_json(loaded.content["preprocessing"]).apply(rings()[0])[0].shape == (300, 2)
    assert read_finals(searched.out).verdict == searched.finals.verdict


def test_damage_is_named(searched, tmp_path):
    with pytest.raises(StudyError, match="there is no trained network"):
        load_best(tmp_path)
    for name in ("best.json", "best.safetensors"):
        (tmp_path / name).write_bytes((searched.out / name).read_bytes())
    (tmp_path / "best_rows.npz").write_bytes((searched.out / "best_rows.npz").read_bytes()[:-30])
    with pytest.raises(StudyError, match=r"best_rows.npz is damaged; run the search again to write it anew"):
        load_best(tmp_path)
    (tmp_path / "best.safetensors").write_bytes(b"\x08")
    with pytest.raises(StudyError, match=r"best.safetensors: .*; run the search again to write it anew"):
        load_best(tmp_path)
    for content in ("{}", '{"json": 5}'):
        (tmp_path / "best.json").write_text(content)
        with pytest.raises(StudyError, match=r"best.json holds no architecture; run the search again"):
            load_best(tmp_path)


def test_more_seeds_and_trials_train_only_what_is_missing(tmp_path):
    options = {**QUICK, "baselines": False}
    nt.search(rings(), space, out=tmp_path, finalists=2, final_seeds=1, **options)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.glob("finals/*/weights.safetensors")}
    assert len(before) == 2
    result = nt.search(rings(), space, out=tmp_path, finalists=2, final_seeds=2, **options)
    after = {path: path.stat().st_mtime_ns for path in tmp_path.glob("finals/*/weights.safetensors")}
    assert len(after) == 4
    assert before.items() <= after.items()
    assert [len(network.runs) for network in result.finals.networks] == [2, 2]


def test_replicates_go_seed_by_seed_and_count_what_was_done():
    roster = Roster((nt.Signal("vector", (2,)),), [])
    numbers = [roster.add(Architecture.parse(f"Linear({width})")) for width in (2, 3, 4)]
    assert roster.add(Architecture.parse("Linear(3)")) == 1
    strategy = Replicates(roster, numbers, 2, 10)
    asked = [proposal.architecture.decisions[0] for proposal in strategy.ask(4)]
    assert asked == [0, 1, 2, 0]
    assert [p.architecture.decisions[0] for p in strategy.ask(9)] == [1, 2]
    assert strategy.ask() == []
    trials = [
        Trial(n, State.COMPLETE, roster.architecture((d,)), b) for n, (d, b) in enumerate([(0, 9), (0, 10), (0, 10)])
    ]
    assert [replicate(trials, trial) for trial in trials] == [0, 0, 1]
    assert str(Roster(roster.input, roster.texts).architecture((2,))) == "Linear(4)"


def test_a_failing_final_training_costs_its_network_alone(tmp_path, monkeypatch):
    from nasturtium.estimators import Training

    fit = Training.fit_final

    def failing(self, architecture, *rest):
        if "Linear(32)" in str(architecture):
            raise FloatingPointError("burnt")
        return fit(self, architecture, *rest)

    monkeypatch.setattr(Training, "fit_final", failing)
    start = ["Sequential(Linear(32), ReLU(), Linear(2))", "Sequential(Linear(4), ReLU(), Linear(2))"]
    options = {**QUICK, "trials": 2, "epochs": 8, "final_seeds": 1, "baselines": False}
    result = nt.search(rings(), space, out=tmp_path, start=start, **options)
    failed = next(network for network in result.finals.networks if "Linear(32)" in network.architecture)
    assert failed.runs[0].state == "failed"
    assert "Linear(4)" in str(result.best.architecture)
    assert any("trainings failed (FloatingPointError: burnt" in line for line in result.finals.verdict)


def test_the_seed_that_is_named_is_that_of_the_weights(tmp_path, monkeypatch):
    from nasturtium.estimators import Training

    fit, seeds = Training.fit_final, []

    def failing(self, architecture, task, budget, seed, report):
        seeds.append(seed)
        if seed == seeds[0]:
            raise FloatingPointError("burnt")
        return fit(self, architecture, task, budget, seed, report)

    monkeypatch.setattr(Training, "fit_final", failing)
    options = {**QUICK, "trials": 1, "finalists": 1, "final_seeds": 2, "baselines": False}
    result = nt.search(rings(), space, out=tmp_path, **options)
    assert [run.state for run in result.finals.best.runs] == ["failed", "complete"]
    content = json.loads((tmp_path / "best.json").read_text())
    assert content["seed"] == result.finals.best.runs[1].seed == 1


def test_tuning_tries_recipes_and_keeps_what_is_better(tmp_path):
    recipe = Recipe(learning_rate=5e-4)  # far too small: most others are better
    options = {**QUICK, "baselines": False, "epochs": 20}
    result = nt.search(rings(), space, out=tmp_path, recipe=recipe, tune=8, finalists=2, final_seeds=1, **options)
    names = [network.name for network in result.finals.networks]
    assert any(name.endswith(", tuned") for name in names)
    tuned = next(network for network in result.finals.networks if network.name.endswith("tuned"))
    assert tuned.architecture.startswith("Trained(Sequential(")
    (place,) = tmp_path.glob("*-tuning.db")
    study = open_study(place, Goal.of("accuracy"), read_only=True)
    assert len(study) == 8
    study.close()
    loaded = load_best(tmp_path)
    assert loaded.model(torch.zeros(3, 2)).shape == (3, 2)


def test_recipes_are_judged_by_what_the_search_optimises_and_within_its_limits(tmp_path):
    options = {**QUICK, "baselines": False, "epochs": 5, "trials": 2}
    asked = {"objectives": ["log_loss"], "limits": ["params<=100000", "memory_mb<=50"]}
    nt.search(rings(), space, out=tmp_path, tune=3, finalists=1, final_seeds=1, **asked, **options)
    (place,) = tmp_path.glob("*-tuning.db")
    study = open_study(place, Goal.of("log_loss"), read_only=True)
    assert len(study) == 3
    assert all({"log_loss", "params", "memory_mb"} <= trial.scores.keys() for trial in study)
    study.close()


def test_an_open_recipe_holds_the_one_it_is_made_from():
    recipe = Recipe(learning_rate=0.01, weight_decay=0.05, batch_size=32)
    opened = Space(Trained(Linear(2), open_recipe(recipe, 1000)), input=(2,))
    sampled = [opened.sample(np.random.default_rng(n)).value.recipe for n in range(50)]
    assert all(0.00125 <= each.learning_rate <= 0.08 for each in sampled)
    assert {each.batch_size for each in sampled} == {16, 32, 64}
    assert len({each.dropout for each in sampled}) > 2
    assert {each.optimiser for each in sampled} == {"adamw"}
    assert Architecture(Trained(Linear(2), recipe), input=(2,)) in opened


def test_the_best_by_validation_is_handed_over_also_after_tuning(tmp_path, monkeypatch):
    """The second finalist is tuned past the first: it leads then."""
    from nasturtium.final import finishing

    def second_is_better(leaders, *_):
        second = leaders[1]
        return {str(second.architecture): replace(second, scores={**second.scores, "accuracy": 2.0})}

    monkeypatch.setattr(finishing, "tuned", second_is_better)
    result = nt.search(rings(), space, tune=2, finalists=2, final_seeds=1, baselines=False, **QUICK)
    first, second = result.finals.networks
    assert (first.name, first.valid) == (result.finals.winner, 2.0)
    assert first.name.endswith(", tuned")
    assert second.valid < 2.0


def test_tuning_that_finds_nothing_leaves_the_order_that_the_strategy_recommends(monkeypatch):
    from nasturtium.final import finishing

    options = {**QUICK, "strategy": Doubting, "finalists": 3, "final_seeds": 1, "baselines": False}
    plain = nt.search(rings(), space, **options)
    monkeypatch.setattr(finishing, "tuned", lambda *_: {})
    found = nt.search(rings(), space, tune=2, **options)
    assert [n.name for n in found.finals.networks] == [n.name for n in plain.finals.networks]
    assert found.finals.winner == plain.finals.winner
    valid = [network.valid for network in found.finals.networks]
    assert valid != sorted(valid, reverse=True)  # the order is not that of the scores


def test_leaders_move_up_by_what_tuning_gained():
    def order(before, now):
        return by_gain([((-was, 0.0), (-is_, 0.0)) for was, is_ in zip(before, now, strict=True)])

    rng = np.random.default_rng(0)
    for _ in range(200):  # ordered by score: as sorted anew
        before = sorted(rng.integers(0, 9, 6).tolist(), reverse=True)
        now = [score + int(gain) for score, gain in zip(before, rng.integers(0, 3, 6), strict=True)]
        assert order(before, now) == sorted(range(6), key=lambda place: -now[place])
    for _ in range(50):  # in any order: what did not gain stays in order, and passes none
        before = rng.normal(size=6).tolist()
        gains = np.where(rng.random(6) < 0.5, 0, rng.random(6))
        found = order(before, [score + gain for score, gain in zip(before, gains, strict=True)])
        untouched = [place for place in found if gains[place] == 0]
        assert untouched == sorted(untouched)
        assert all(found.index(place) >= place for place in untouched)
    assert order([0.80, 0.85, 0.84], [0.80, 0.85, 0.86]) == [2, 0, 1]  # past the lucky one it scores better than
    assert order([0.80, 0.85, 0.70], [0.80, 0.85, 0.75]) == [0, 1, 2]
    assert order([0.80, 0.85], [0.83, 0.86]) == [0, 1]  # both gained, the recommended one more


@pytest.mark.parametrize("name", ["best.json", "best.safetensors", "best_rows.npz", "finals.json"])
def test_damaged_files_are_written_anew_and_nothing_is_trained_again(tmp_path, name):
    options = {**QUICK, "baselines": False, "finalists": 1, "final_seeds": 1}
    before = nt.search(rings(), space, out=tmp_path, **options)
    trained = {path: path.stat().st_mtime_ns for path in tmp_path.glob("finals/*/weights.safetensors")}
    (tmp_path / name).write_bytes(b"garbage{")
    after = nt.search(rings(), space, out=tmp_path, **options)
    assert after.finals.verdict == before.finals.verdict == read_finals(tmp_path).verdict
    loaded = load_best(tmp_path)
    assert torch.equal(loaded.model(torch.zeros(1, 2)), before.best.model(torch.zeros(1, 2)))
    assert loaded.rows is not None
    assert {path: path.stat().st_mtime_ns for path in tmp_path.glob("finals/*/weights.safetensors")} == trained


def test_a_winner_that_belongs_to_other_finals_is_written_anew(tmp_path):
    """As after a kill between the files of two calls."""
    options = {**QUICK, "baselines": False, "finalists": 2, "final_seeds": 1}
    result = nt.search(rings(), space, out=tmp_path, **options)
    content = json.loads((tmp_path / "best.json").read_text())
    other = nt.search(rings(), space, out=tmp_path / "other", **{**options, "seed": 5, "epochs": 1})
    assert other.best.scores != result.best.scores
    for name in ("best.json", "best.safetensors", "best_rows.npz"):
        (tmp_path / name).write_bytes((tmp_path / "other" / name).read_bytes())
    nt.search(rings(), space, out=tmp_path, **options)
    assert json.loads((tmp_path / "best.json").read_text()) == content


def test_trainings_for_which_time_ran_out_are_done_by_the_next_call(tmp_path, monkeypatch):
    from nasturtium.final import finishing

    options = {**QUICK, "finalists": 2, "final_seeds": 2, "baselines": False}
    monkeypatch.setattr(finishing, "fitted", lambda whole, *_: whole)  # a plan that was far too hopeful
    monkeypatch.setattr(finishing, "LEAST_SECONDS", 0.05)
    monkeypatch.setattr(finishing.Wanted, "left", 0.0)
    slow = finishing.FinalTraining.evaluate

    def evaluate(self, *given):
        time.sleep(0.1)
        return slow(self, *given)

    monkeypatch.setattr(finishing.FinalTraining, "evaluate", evaluate)
    short = nt.search(rings(), space, out=tmp_path, **options)
    assert [len(network.runs) for network in short.finals.networks] == [1, 0]
    assert short.finals.verdict[-1].startswith("the time was over before all final trainings were done")
    assert not any("failed" in line for line in short.finals.verdict)
    monkeypatch.setattr(finishing.Wanted, "left", None)
    whole = nt.search(rings(), space, out=tmp_path, **options)
    assert [[run.seed for run in network.runs] for network in whole.finals.networks] == [[0, 1], [0, 1]]
    assert len(list(tmp_path.glob("finals/*/weights.safetensors"))) == 4


def test_one_class_among_the_test_rows_ends_no_search(tmp_path):
    x, y = rings()
    inside = y == 0
    result = nt.search((x, y, x[inside], y[inside]), space, finalists=1, final_seeds=1, out=tmp_path,
                       task_options={"metric": "auroc"}, **QUICK)  # fmt: skip
    assert result.best.model is not None
    assert result.finals.verdict[0].startswith("auroc is no number on the test rows")


def test_numbers_that_cannot_be_used(tmp_path):
    with pytest.raises(NasturtiumError, match="finalists must be at least 1, not 0"):
        nt.search(rings(), space, finalists=0, **QUICK)


def test_time_that_is_short_cuts_the_plan_not_the_result(tmp_path):
    result = nt.search(rings(), space, out=tmp_path, time=3, **{**QUICK, "final_epochs": 2000})
    assert result.best.model is not None
    assert "the time left allows" in result.finals.verdict[-1]
    assert json.loads((tmp_path / "best.json").read_text())["epochs"] < 2000


def test_loading_counts_against_the_time_limit(monkeypatch):
    from nasturtium import study, tasks

    load, run, given = tasks.load, study.run, []

    def slowly(*args, **options):
        time.sleep(1.5)
        return load(*args, **options)

    def noted(*args, **options):
        given.append(options["time"])
        return run(*args, **options)

    monkeypatch.setattr(tasks, "load", slowly)
    monkeypatch.setattr(study, "run", noted)
    options = {**QUICK, "trials": 1, "epochs": 1, "baselines": False, "finalists": 1, "final_seeds": 1}
    nt.search(rings(), space, time=10, **options)
    assert 1 < given[0] < 10 * 0.6 - 1.5
    nt.search(rings(), space, time=2, **options)
    assert given[1] == 1.0  # a trial starts in any case


class Doubting(RandomSearch):
    """Recommends what scored worst."""

    def __init__(self, space, **common):
        super().__init__(space, **common)
        self.told: list[Trial] = []

    def tell(self, trial):
        self.told.append(trial)

    def recommended(self):
        return [trial.architecture for trial in sorted(self.told, key=lambda trial: trial.scores["accuracy"])[:2]]


def test_finalists_are_what_the_strategy_recommends_and_then_what_scored_best(tmp_path):
    found = nt.search(rings(), space, finalists=3, final_seeds=1, out=tmp_path, **{**QUICK, "strategy": Doubting})
    order = sorted(found.trials, key=lambda t: t.scores["accuracy"])
    numbers = [network.number for network in found.finals.networks[:3]]
    assert numbers == [order[0].number, order[1].number, order[-1].number]
    assert found.finals.winner == f"trial {order[0].number}"
    again = nt.search(rings(), space, finalists=3, final_seeds=1, out=tmp_path, **{**QUICK, "strategy": Doubting})
    assert again.finals.winner == found.finals.winner
