"""Importance of decisions, against brute force over the whole space, analysis of variance by hand, and Optuna."""

from itertools import product

import numpy as np
import pytest

from nasturtium.report.features import NOT_REACHED, Feature, Table, labels, operations, table_of
from nasturtium.report.importance import (
    FEWEST,
    feature_columns,
    grow,
    importances,
    level_weights,
    tree_shares,
)
from nasturtium.report.reading import read_folder
from nasturtium.space import Architecture
from nasturtium.spaces import make
from nasturtium.trial import State, Trial
from tests.report.studies import make_study


def made_up(seed: int, count: int = 80) -> Table:
    """Three decisions and a count, with an interplay of the first two."""
    rng = np.random.default_rng(seed)
    sizes = {"first": 3, "second": 2, "third": 4}
    columns = {name: rng.integers(size, size=count) for name, size in sizes.items()}
    seen = rng.choice([0, 1, 2], size=count, p=[0.7, 0.2, 0.1])
    scores = columns["first"] * 1.0 + columns["first"] * columns["second"] * 0.7 + seen * 0.4 + rng.normal(size=count)
    features = [
        Feature(name, "", tuple("abcd"[: sizes[name]]), values.astype(np.int64)) for name, values in columns.items()
    ]
    features.append(Feature("count", "", ("0", "3", "7"), seen.astype(np.int64), ordered=True))
    return Table(tuple(features), scores, "decisions", "made up.")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_marginals_of_trees_equal_brute_force(seed: int) -> None:
    table = made_up(seed)
    forest, _ = grow(table, seed)
    levels = list(product(*[range(len(feature.levels)) for feature in table.features]))
    weights = [level_weights(feature) for feature in table.features]
    chance = np.array([np.prod([w[i] for w, i in zip(weights, row, strict=True)]) for row in levels])
    columns = [feature_columns(feature) for feature in table.features]
    inputs = np.array([np.concatenate([c[i] for c, i in zip(columns, row, strict=True)]) for row in levels])
    for tree in forest.estimators_[:10]:
        predicted = tree.predict(inputs)
        mean = chance @ predicted
        total = chance @ (predicted - mean) ** 2
        wanted = []
        for place in range(len(table.features)):
            taken = np.array([row[place] for row in levels])
            marginal = np.array([chance[taken == i] @ predicted[taken == i] / w for i, w in enumerate(weights[place])])
            wanted.append(weights[place] @ (marginal - mean) ** 2 / total)
        assert tree_shares(tree.tree_, table.features) == pytest.approx(wanted, abs=1e-9)


def full_factorial(effects: dict[str, list[float]]) -> Table:
    """Every combination four times, with a score that is the sum of the effects."""
    rows = list(product(*[range(len(each)) for each in effects.values()])) * 4
    scores = np.array([sum(e[i] for e, i in zip(effects.values(), row, strict=True)) for row in rows])
    features = tuple(
        Feature(name, "", tuple(map(str, range(len(each)))), np.array([row[place] for row in rows]))
        for place, (name, each) in enumerate(effects.items())
    )
    return Table(features, scores, "decisions", "")


EFFECTS = {"large": [0.0, 1.0, 3.0], "small": [0.0, 1.0], "none": [0.0, 0.0, 0.0]}


def test_shares_of_a_sum_are_those_of_the_analysis_of_variance() -> None:
    found = importances(full_factorial(EFFECTS))
    variances = {name: float(np.var(effect)) for name, effect in EFFECTS.items()}
    assert [each.feature.name for each in found.ranked] == ["large", "small", "none"]
    assert found.explained == pytest.approx(1.0, abs=0.05)
    for each in found.ranked:
        assert each.share == pytest.approx(variances[each.feature.name] / sum(variances.values()), abs=0.06)


def test_agrees_with_optuna() -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table = full_factorial(EFFECTS)
    choices = {f.name: optuna.distributions.CategoricalDistribution(range(len(f.levels))) for f in table.features}
    study = optuna.create_study()
    for row, score in enumerate(table.scores):
        params = {feature.name: int(feature.values[row]) for feature in table.features}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=choices, value=float(score)))
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    theirs = optuna.importance.get_param_importances(study, evaluator=evaluator)
    ours = {each.feature.name: each.share for each in importances(table).ranked}
    for name, share in theirs.items():
        assert ours[name] / sum(ours.values()) == pytest.approx(share, abs=0.05)


def test_mean_spread_and_count_of_options() -> None:
    table = made_up(0)
    found = {each.feature.name: each for each in importances(table).ranked}["third"]
    values = next(feature for feature in table.features if feature.name == "third").values
    for number, level in enumerate(found.levels):
        taken = table.scores[values == number]
        assert level.count == len(taken)
        assert level.mean == pytest.approx(taken.mean())
        assert level.sd == pytest.approx(taken.std(ddof=1))


def test_few_trials_or_equal_scores_grow_no_forest() -> None:
    table = made_up(0, FEWEST - 1)
    assert importances(table).explained is None
    assert "too few" in importances(table).note
    equal = Table(made_up(0).features, np.ones(80), "decisions", "")
    assert importances(equal).ranked[0].share is None
    assert "equal" in importances(equal).note


def test_noise_is_called_unreliable() -> None:
    features = made_up(0).features
    noise = Table(features, np.random.default_rng(5).normal(size=80), "decisions", "")
    assert "too little to rely on" in importances(noise).note


def test_decisions_of_a_study(tmp_path) -> None:
    made = make_study(tmp_path, 40)
    reading = read_folder(tmp_path)
    table = table_of(reading)
    reading.close()
    assert table.kind == "decisions"
    assert [feature.name for feature in table.features] == [
        f"0.cell.nodes_{node}_edges_{edge}_operation" for node in range(3) for edge in range(node + 1)
    ]
    assert table.features[0].levels[0] == "Zero"
    assert [int(v) for v in table.features[0].values] == [
        made.space.parse(trial["architecture"]).decisions[0] for trial in made.trials
    ]
    assert importances(table).ranked[0].feature.name == "0.cell.nodes_0_edges_0_operation"


def test_decisions_that_are_not_always_met_have_a_level_of_their_own(tmp_path) -> None:
    from nasturtium.report.features import decisions

    space = make("mlp", (16,), 3)
    rng = np.random.default_rng(0)
    trials = [Trial(number, State.COMPLETE, space.sample(rng)) for number in range(30)]
    met = [{step.point.address for step in trial.architecture.steps} for trial in trials]
    for feature in decisions(space, trials):
        reached = [feature.name in each for each in met]
        assert (feature.levels[-1] == NOT_REACHED) == (not all(reached))
        if not all(reached):
            last = len(feature.levels) - 1
            assert [value != last for value in feature.values] == reached


def test_recursive_spaces_are_told_by_their_operations(tmp_path) -> None:
    make_study(tmp_path, 14, space="einspace")
    reading = read_folder(tmp_path)
    table = table_of(reading)
    assert table.kind == "operations"
    assert "recursive" in table.note
    by_name = {feature.name: feature for feature in table.features}
    for row, trial in enumerate(reading.study.trials):
        held = str(trial.architecture).count("LastLinear(")
        assert by_name["LastLinear"].levels[by_name["LastLinear"].values[row]] == str(held)
    reading.close()


def test_operations_are_counted_by_their_whole_names() -> None:
    from nasturtium.layers import Linear, ReLU, Sequential

    nets = [Sequential(Linear(4), ReLU()), Sequential(Linear(4), ReLU(), Linear(4), Linear(2))]
    trials = [Trial(n, State.COMPLETE, Architecture(net, input=(3,))) for n, net in enumerate(nets)]
    assert [(f.name, f.levels, f.values.tolist()) for f in operations(trials)] == [("Linear", ("1", "3"), [0, 1])]


def test_labels_tell_options_apart() -> None:
    long = "x" * 50
    assert labels([3, "mean", True]) == ("3", "mean", "True")
    assert len(set(labels([f"{long}a", f"{long}b"]))) == 2
