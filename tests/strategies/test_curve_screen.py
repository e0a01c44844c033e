"""The curve screen: who goes on, what the other strategy hears, and that a study resumed does the same."""

from __future__ import annotations

import numpy as np
import pytest

from nasturtium.comparison.answers import Answers
from nasturtium.comparison.simulation import Limits, Simulation
from nasturtium.errors import NasturtiumError
from nasturtium.objective import Goal
from nasturtium.predictors.curves import make as make_curve
from nasturtium.strategies import make
from nasturtium.study import InProcess, open_study, run
from nasturtium.testing.driving import score
from nasturtium.testing.small_spaces import product
from nasturtium.trial import State, Trial
from tests.benchmarks.data import table

SPACE = product(8, 4)
BUDGET = 40


def curve(architecture):
    """The better it ends the slower it begins."""
    end = score(architecture)
    return 0.3 + 0.2 * end - (0.1 + 0.9 * end) * np.arange(1.0, BUDGET + 1) ** -0.7


class Curved:
    """Reports curves that cross, and goes on where the parent ended."""

    def evaluate(self, architecture, budget, report):
        begun = int((report.previous / "epoch").read_text()) if report.previous else 0
        line = curve(architecture)
        for epoch in range(begun + 1, int(budget) + 1):
            report(epoch, {"accuracy": float(line[epoch - 1])})
        (report.folder / "epoch").write_text(str(int(budget)))
        return {"accuracy": float(line[int(budget) - 1])}


def studied(place, folder, trials, **options):
    study = open_study(place, Goal.of("accuracy"), SPACE, {})
    strategy = make("curve_screen", space=SPACE, seed=3, budget=BUDGET, count=6, keep=2, **options)
    run(study, strategy, InProcess(Curved()), trials=trials, seed=3, folder=folder)
    found = [(t.architecture.decisions, t.budget, t.parent, t.scores) for t in study]
    study.close()
    return study, found


@pytest.mark.parametrize("predictor", ["pow3", "last_value"])
def test_the_best_by_their_extrapolated_end_go_on(tmp_path, predictor):
    study, found = studied(None, tmp_path, 16, predictor=predictor)
    first, second = found[:6], found[6:8]
    assert [budget for _, budget, *_ in first] == [8] * 6
    assert [budget for _, budget, *_ in second] == [BUDGET] * 2
    beginnings = np.array([curve(t.architecture)[:8] for t in study.trials[:6]])
    ends, _ = make_curve(predictor).extrapolate(beginnings, BUDGET)
    assert [parent for *_, parent, _ in second] == np.argsort(-ends, kind="stable")[:2].tolist()
    assert [len(trial.curve) for trial in study.trials[6:8]] == [32, 32]
    assert found[8][1:3] == (8, None)  # the next round


def test_extrapolation_picks_what_the_last_value_would_miss(tmp_path):
    truth = {}
    for predictor in ("pow3", "last_value"):
        study, _ = studied(None, tmp_path / predictor, 48, predictor=predictor)
        truth[predictor] = np.mean([t.scores["accuracy"] for t in study if t.budget == BUDGET])
    assert truth["pow3"] > truth["last_value"] + 0.005


@pytest.mark.parametrize(
    ("predictor", "options"),
    [("svr", {"draws": 10}), ("bayesian_network", {"warm": 100, "steps": 100, "every": 25})],
)
def test_predictors_that_learn_see_the_complete_curves_of_the_rounds_before(tmp_path, predictor, options):
    given = {"predictor": predictor, "predictor_options": options}
    study, found = studied(None, tmp_path, 24, **given)
    whole = np.array([curve(t.architecture) for t in study.trials if t.budget == BUDGET])[:4]  # of two rounds of six
    beginnings = np.array([curve(t.architecture)[:8] for t in study.trials[16:22]])
    ends, _ = make_curve(predictor, **options).fit(whole).extrapolate(beginnings, BUDGET)
    assert [parent for *_, parent, _ in found[22:]] == (16 + np.argsort(-ends, kind="stable")[:2]).tolist()
    early = [parent for *_, parent, _ in found[6:8]]
    assert early == np.argsort([-t.scores["accuracy"] for t in study.trials[:6]], kind="stable")[:2].tolist()
    assert studied(tmp_path / "again.db", tmp_path / "again", 13, **given)[1] == found[:13]
    assert studied(tmp_path / "again.db", tmp_path / "again", 24, **given)[1] == found


def test_the_other_strategy_hears_the_extrapolated_score():
    heard = []
    strategy = make("curve_screen", space=SPACE, seed=0, budget=BUDGET, count=4, keep=1, strategy="evolution")
    tell = strategy.strategy.tell
    strategy.strategy.tell = lambda trial: (heard.append(trial.scores["accuracy"]), tell(trial))
    line = None
    for number, proposal in enumerate(strategy.ask(4)):
        line = curve(proposal.architecture)[:8]
        points = [{"step": epoch + 1, "accuracy": float(value)} for epoch, value in enumerate(line)]
        strategy.tell(Trial(number, State.COMPLETE, proposal.architecture, 8, {"accuracy": float(line[-1])}, points))
    (mean,), _ = make_curve("pow3").extrapolate(line[None], BUDGET)
    assert heard[-1] == pytest.approx(mean)
    assert len(heard) == 4


@pytest.mark.parametrize("options", [{}, {"strategy": "evolution", "options": {"population": 4, "tournament": 2}}])
def test_a_study_that_was_stopped_goes_on_as_one_that_was_not(tmp_path, options):
    _, whole = studied(tmp_path / "whole.db", tmp_path / "whole", 20, **options)
    for trials in (3, 7, 13, 20):
        _, parts = studied(tmp_path / "parts.db", tmp_path / "parts", trials, **options)
        assert parts == whole[:trials]


def test_tables_with_curves_give_them():
    bench = table("nasbench_nlp", "wikitext-2")
    seen = []
    answers = Answers(bench)
    strategy = make(
        "curve_screen", space=answers.space, seed=1, budget=answers.budget, objectives=[answers.objective], count=5
    )
    tell = strategy.tell
    strategy.tell = lambda trial: (seen.append(trial), tell(trial))
    Simulation(answers, Limits(queries=3)).run(strategy)
    first = seen[0]
    row = answers.row(first.architecture.decisions)
    values = [bench.column("val_loss", epoch)[row] for epoch in range(1, 11)]
    assert [point["signal"] for point in first.curve] == pytest.approx(values)
    later = next(trial for trial in seen if trial.parent is not None)
    assert [point["step"] for point in later.curve] == list(range(11, 51))


def test_with_a_budget_of_one_there_is_nothing_to_screen():
    strategy = make("curve_screen", space=SPACE, seed=0, budget=1)
    assert strategy.bracket.budgets == (1,)


def test_mistakes_are_named():
    with pytest.raises(NasturtiumError, match="keep at most count"):
        make("curve_screen", space=SPACE, budget=9, keep=5, count=4)
    with pytest.raises(NasturtiumError, match="unknown curve predictor 'pow'"):
        make("curve_screen", space=SPACE, budget=9, predictor="pow")
