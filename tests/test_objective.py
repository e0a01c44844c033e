"""Objectives, limits and the order they put scores in, against brute force and examples by hand."""

import math
import random
from itertools import product

import pytest

from nasturtium.errors import ObjectiveError
from nasturtium.objective import Goal, Limit, Objective, crowding, dominates, fronts, parse_objective, ranking


@pytest.mark.parametrize(
    ("text", "metric", "maximise"),
    [
        ("accuracy", "accuracy", True),
        ("rmse", "rmse", False),
        ("-params", "params", False),
        ("params", "params", False),
        ("min:flops", "flops", False),
        ("max: own_metric", "own_metric", True),
        ("+own_metric", "own_metric", True),
        ("val_accuracy", "val_accuracy", True),
        ("test_log_loss", "test_log_loss", False),
    ],
)
def test_objectives_are_read(text, metric, maximise):
    assert parse_objective(text) == Objective(metric, maximise)
    assert parse_objective(str(parse_objective(text))) == parse_objective(text)


def test_a_metric_of_ones_own():
    assert parse_objective("gain", {"gain": True}) == Objective("gain", True)


@pytest.mark.parametrize("text", ["", "max:", "a b", "accuracy>=3", "--x", "biggest:x"])
def test_an_unreadable_objective_is_refused(text):
    with pytest.raises(ObjectiveError, match="cannot read the objective"):
        parse_objective(text)


def test_an_unknown_metric_gets_the_nearest_name_and_a_way_out():
    with pytest.raises(ObjectiveError, match=r"did you mean 'accuracy'\?; .*'max:acuracy'"):
        parse_objective("acuracy")


@pytest.mark.parametrize(
    ("text", "bound", "inside", "outside"),
    [
        ("params<=100000", 1e5, 1e5, 100_001),
        ("params<100k", 1e5, 99_999, 1e5),
        ("flops <= 1.5G", 1.5e9, 1.5e9, 1.6e9),
        ("params<=2M", 2e6, 0, 2e6 + 1),
        ("accuracy>=0.9", 0.9, 0.9, 0.89),
        ("accuracy > .9", 0.9, 0.91, 0.9),
        ("latency_ms<=1e1", 10, 10, 10.1),
        ("gain>=-2", -2, -2, -2.1),
    ],
)
def test_limits_are_read_and_hold(text, bound, inside, outside):
    limit = Limit(text)
    assert limit.bound == bound
    assert limit.satisfied({limit.metric: inside})
    assert not limit.satisfied({limit.metric: outside})
    assert not limit.satisfied({limit.metric: math.nan})
    assert limit.violation({limit.metric: inside}) == 0 < limit.violation({limit.metric: outside})
    assert limit.violation({limit.metric: math.nan}) == math.inf
    assert Limit(str(limit)) == limit


def test_structural_limits_are_those_known_before_training():
    texts = ("params<=1", "flops<=1", "latency_ms<=1", "memory_mb<=1", "accuracy>=1", "rmse<=1")
    assert [Limit(text).structural for text in texts] == [True] * 4 + [False] * 2


@pytest.mark.parametrize("text", ["params", "params=3", "params<=", "params<=many", "<=3", "params<=1..2", "a<=nan"])
def test_an_unreadable_limit_is_refused(text):
    with pytest.raises(ObjectiveError, match="cannot read the limit"):
        Limit(text)


def test_a_missing_score_is_named_with_the_nearest():
    message = r"no score 'params'; did you mean 'param'\? \(scores given: acc, param\)"
    with pytest.raises(ObjectiveError, match=message):
        Limit("params<=3").satisfied({"param": 1, "acc": 2})


def test_violation_is_relative_to_the_bound():
    assert Limit("params<=100").violation({"params": 150}) == pytest.approx(0.5)
    assert Limit("accuracy>=0.8").violation({"accuracy": 0.6}) == pytest.approx(0.25)


def test_what_keeps_the_limits_comes_first():
    goal = Goal.of(["accuracy", "-params"], ["params<=100"])
    kept, near, far = ({"accuracy": a, "params": p} for a, p in ((0.1, 90), (0.8, 101), (0.9, 500)))
    losses = [goal.losses(scores) for scores in (far, near, kept)]
    assert ranking(losses) == [2, 1, 0]
    assert goal.missing({"accuracy": 1}) == ["params"]
    assert goal.feasible(kept)
    assert not goal.feasible(near)


def test_no_objective_is_refused():
    with pytest.raises(ObjectiveError, match="no objective"):
        Goal.of([])


def peel(points):
    """Fronts by their definition: what nothing left dominates, again and again."""
    left, found = list(range(len(points))), []
    while left:
        front = [i for i in left if not any(dominates(points[j], points[i]) for j in left)]
        found.append(front)
        left = [i for i in left if i not in front]
    return found


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("objectives", [1, 2, 3])
def test_fronts_equal_brute_force(seed, objectives):
    draw = random.Random(seed)
    points = [(draw.choice((0.0, 0.0, 0.5)), *(draw.randrange(6) for _ in range(objectives))) for _ in range(60)]
    assert fronts(points) == peel(points)
    order = ranking(points)
    assert sorted(order) == list(range(60))
    if objectives == 1:
        assert [points[i] for i in order] == sorted(points)
    place = {i: k for k, front in enumerate(peel(points)) for i in front}
    assert [place[i] for i in order] == sorted(place.values())


def test_with_two_objectives_each_point_is_compared_with_few_others(monkeypatch):
    compared = []

    def counted(a, b):
        compared.append(a)
        return dominates(a, b)

    monkeypatch.setattr("nasturtium.objective.dominates", counted)
    count = 2000  # all in one front
    assert len(fronts([(0.0, float(n), float(-n)) for n in range(count)])) == 1
    assert len(compared) < count
    compared.clear()
    assert len(fronts([(0.0, float(n), float(n)) for n in range(count)])) == count
    assert len(compared) <= count * count.bit_length()


def test_domination_is_a_strict_partial_order():
    points = [(v, a, b) for v, a, b in product((0, 1), (0, 1, 2), (0, 1, 2))]
    for a, b in product(points, points):
        assert not (dominates(a, b) and dominates(b, a))
        for c in points:
            assert not (dominates(a, b) and dominates(b, c)) or dominates(a, c)


def test_crowding_by_hand():
    # widths 4 and 4; the middle ones: (3 - 0) / 4 + (4 - 1) / 4 and (4 - 1) / 4 + (2 - 0) / 4
    assert crowding([(0, 0, 4), (0, 1, 2), (0, 3, 1), (0, 4, 0)]) == [math.inf, 1.5, 1.25, math.inf]


def test_one_objective_is_ranked_by_its_loss():
    goal = Goal.of("rmse")
    assert ranking([goal.losses({"rmse": value}) for value in (3.0, 1.0, 2.0)]) == [1, 2, 0]


@pytest.mark.parametrize("limit", ["params<=100k", Limit("params<=100k")])
def test_a_single_objective_or_limit_needs_no_list(limit):
    assert Goal.of("accuracy", limit) == Goal.of(["accuracy"], ["params<=100k"])
