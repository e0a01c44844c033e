"""Best so far, fronts, curves, times and ends of trials, against brute force over the trials that were put in."""

import itertools
from pathlib import Path

import pytest

from nasturtium.objective import Goal, Objective
from nasturtium.report.endings import endings, trials_text
from nasturtium.report.progress import best_so_far, curve_metric, curves, front, rivals
from nasturtium.report.reading import Reading, read_folder, times, winner_text
from nasturtium.study import MemoryStore, Study
from nasturtium.study.store import Event
from nasturtium.trial import State, Trial
from tests.report.studies import SECONDS, make_study


@pytest.fixture
def mixed(tmp_path: Path):
    """A study in which trials also fail, break a limit before training, or are stopped."""

    def ends(number: int) -> tuple[str, str]:
        if number % 7 == 3:
            return "failed", f"ValueError: bad value {number}\n  net.py:{number} in forward: x"
        if number % 7 == 5:
            return "infeasible", f"params is {10_000 + number}, the limit is params<=5000"
        return ("stopped", "stopped early") if number == 8 else ("complete", "")

    made = make_study(tmp_path, 30, ends=ends)
    reading = read_folder(tmp_path)
    yield made, reading
    reading.close()


def test_best_so_far_equals_brute_force(mixed) -> None:
    made, reading = mixed
    scores = [t["scores"].get("accuracy", -1) if t["state"] == "complete" else -1 for t in made.trials]
    running = list(itertools.accumulate(scores, max))
    wanted = [number for number in range(30) if scores[number] == running[number] > max([-1, *running[:number]])]
    assert [(each.number, each.ended) for each in best_so_far(reading)] == [(n, n + 1) for n in wanted]


def test_front_equals_brute_force(mixed) -> None:
    made, reading = mixed
    points = {t["number"]: (-t["scores"]["accuracy"], t["scores"]["params"]) for t in made.complete()}
    beaten = {
        a for a, p in points.items()
        if any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points.values())
    }  # fmt: skip
    best = {points[n] for n in points.keys() - beaten}
    found = front(reading.feasible(), reading.objective, Objective("params", False))
    assert {points[trial.number] for trial in found} == best
    assert [t.scores["params"] for t in found] == sorted(p[1] for p in best)


def test_what_the_first_objective_is_drawn_against(mixed) -> None:
    _, reading = mixed
    assert [each.metric for each in rivals(reading)] == ["params", "flops"]
    reading.goal = Goal.of(["accuracy", "max:size", "-flops"])
    assert [str(each) for each in rivals(reading)] == ["max:size", "min:flops", "min:params"]


def test_curves_hold_what_was_reported(mixed) -> None:
    made, reading = mixed
    assert curve_metric(reading) == "accuracy"
    drawn = curves(reading, "accuracy")
    best = max(made.complete(), key=lambda trial: trial["scores"]["accuracy"])
    assert drawn[0][0].number == best["number"]
    for trial, points in drawn:
        score = made.trials[trial.number]["scores"]["accuracy"]
        assert points == [(float(e), pytest.approx(score * (1 - 0.5 / e))) for e in (1, 2, 3)]


def test_times_go_on_by_the_trials(mixed) -> None:
    _, reading = mixed
    assert times(reading.study) == pytest.approx({number: SECONDS * (number + 1) for number in range(30)})


def test_pauses_are_no_time() -> None:
    told = '{"state":"complete","scores":{},"seconds":1,"reason":""}'
    asked = '{"decisions":[],"text":"a","key":"a","budget":1,"parent":null}'
    store = MemoryStore({})
    store.append([
        Event("asked", 0, asked, 100.0), Event("started", 0, "{}", 100.0), Event("told", 0, told, 107.0),
        Event("asked", 1, asked, 107.0), Event("started", 1, "{}", 107.0),
        Event("interrupted", 1, "{}", 5000.0), Event("started", 1, "{}", 5000.0), Event("told", 1, told, 5004.0),
        Event("asked", 2, asked, 90000.0), Event("started", 2, "{}", 90000.0), Event("told", 2, told, 90001.5),
    ])  # fmt: skip
    assert times(Study(store, Goal.of("accuracy"))) == {0: 7.0, 1: 11.0, 2: 12.5}


def test_ends_are_gathered_by_state_and_reason(mixed) -> None:
    made, reading = mixed
    found = endings(reading.study.trials)
    assert [each.state for each in found] == ["complete", "stopped", "failed", "infeasible"]
    for each in found:
        same = [t["number"] for t in made.trials if t["state"] == each.state]
        assert each.trials == tuple(same)
        assert each.seconds == pytest.approx(SECONDS * len(same))
    assert found[2].headline == "ValueError: bad value 3"


def test_reasons_that_differ_in_more_than_numbers_stay_apart() -> None:
    def failed(number: int, reason: str) -> Trial:
        return Trial(number, State.FAILED, None, reason=reason)

    found = endings([failed(0, "time limit of 30 s"), failed(1, "out of memory"), failed(2, "time limit of 2.5e1 s")])
    assert [each.trials for each in found] == [(0, 2), (1,)]
    assert trials_text(tuple(range(11))) == "0, 1, 2, 3, 4, 5, 6, 7 and 3 more"


def test_winner_by_validation_keeps_the_limits(tmp_path: Path) -> None:
    made = make_study(tmp_path, 20, limits=["params<=200000"])
    reading: Reading = read_folder(tmp_path)
    able = [t for t in made.trials if t["scores"]["params"] <= 200_000]
    best = max(able, key=lambda trial: trial["scores"]["accuracy"])
    assert winner_text(reading) == (best["architecture"], best["number"], "validation score")
    assert best_so_far(reading)[-1].number == best["number"]
    reading.close()
