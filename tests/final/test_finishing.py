"""The final trainings from end to end: paired seeds, nothing done twice, the winner's files, tuning, faults."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import nasturtium as nt
from nasturtium.errors import NasturtiumError, StudyError
from nasturtium.estimators import Distillation, Recipe, Trained
from nasturtium.final import Finals, load_best, read_finals
from nasturtium.final.leaders import by_gain
from nasturtium.final.tuning import open_recipe
from nasturtium.layers import Linear
from nasturtium.objective import Goal
from nasturtium.report.reading import read_folder, winner_text
from nasturtium.report.winner import numbers_of
from nasturtium.space import Architecture, Space
from nasturtium.strategies.random import RandomSearch
from nasturtium.study import open_study
from nasturtium.trial import Trial
from tests.final.rings import QUICK, rings, space


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


def test_the_seed_that_is_named_is_that_of_the_weights(tmp_path, monkeypatch):
    from nasturtium.estimators import Training

    fit, seeds = Training.fit_final, []

    def failing(self, architecture, task, budget, seed, *others):
        seeds.append(seed)
        if seed == seeds[0]:
            raise FloatingPointError("burnt")
        return fit(self, architecture, task, budget, seed, *others)

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
    options = {"tune": 2, "finalists": 2, "final_seeds": 1, "baselines": False, "out": tmp_path, **QUICK}
    result = nt.search(rings(), space, **options)
    first, second = result.finals.networks
    assert (first.name, first.valid) == (result.finals.winner, 2.0)
    assert first.name.endswith(", tuned")
    assert second.valid < 2.0
    assert result.best.scores["accuracy"] == 2.0  # with the recipe that is handed over, not with the search's
    reading = read_folder(tmp_path)
    shown = {number.key: number.value for number in numbers_of(reading, winner_text(reading)[1])}
    reading.close()
    assert shown["accuracy"] == 2.0
    assert shown["params"] == first.params
    again = nt.search(rings(), space, **options)  # nothing is trained again
    assert again.best.scores == pytest.approx(result.best.scores)


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


def test_finalists_are_taught_and_what_they_are_compared_with_is_not(tmp_path):
    options = {**QUICK, "finalists": 2, "final_seeds": 2}
    plan = Distillation(weight=0.9, teachers=2, after=99, finals=True)  # nobody in the search
    plain, taught = (
        nt.search(rings(), space, out=tmp_path / str(each), distillation=each, **options).finals
        for each in (None, plan)
    )
    assert [[run.scores == other.scores for run, other in zip(one.runs, two.runs, strict=True)]
            for one, two in zip(plain.networks, taught.networks, strict=True)] == [
        [False, False], [False, False], [True, True], [True, True],
    ]  # fmt: skip
    assert not any("taught the finalists" in line for line in plain.verdict)
    assert sum("taught the finalists" in line for line in taught.verdict) == 1
    again = nt.search(rings(), space, out=tmp_path / str(plan), distillation=plan, **options).finals
    assert [each.runs for each in again.networks] == [each.runs for each in taught.networks]  # not trained again
    assert again.verdict == taught.verdict
