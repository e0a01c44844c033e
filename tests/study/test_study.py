"""The fold of events into trials: equal live and replayed, with the best, the front and what was tried."""

import itertools
import json
import random

import pytest
from bit_space import Bits, BitSpace

from nasturtium.errors import StudyError
from nasturtium.objective import Goal, dominates
from nasturtium.strategies import RandomSearch
from nasturtium.study import MemoryStore, Recorded, Study, open_study
from nasturtium.study.curve import Curve
from nasturtium.study.identity import key_of
from nasturtium.study.store import event
from nasturtium.trial import Proposal, State

SPACE = BitSpace(10)


def make(objectives="accuracy", limits=(), store=None):
    return Study(store or MemoryStore(), Goal.of(objectives, limits), SPACE)


def populate(study, count=40, seed=0):
    """Trials in all states, with scores drawn at random."""
    draw = random.Random(seed)
    strategy = RandomSearch(SPACE, seed=seed)
    for number in range(count):
        trial = study.ask(strategy)
        study.record([event("started", number)])
        study.record([event("reported", number, step=s, accuracy=draw.random()) for s in range(1, 3)])
        if number % 7 == 3:
            study.record([event("lost", number, reason="gone"), event("started", number)])
        states = (State.COMPLETE, State.COMPLETE, State.FAILED, State.STOPPED, State.INFEASIBLE)
        state = states[number % 5]
        scores = {"accuracy": draw.randrange(8) / 8, "params": float(draw.randrange(8))}
        study.tell(trial, state, scores if state is not State.FAILED else {}, draw.random(), "why")
    return strategy


def facts(study):
    return (study.trials, study.history, study.counts, study.losses, study.keys, study.open, study.front)


def test_the_fold_of_the_stored_events_equals_what_was_lived(tmp_path):
    study = open_study(tmp_path / "s.sqlite", Goal.of(["accuracy", "-params"]), SPACE, {"seed": 0})
    populate(study)
    study.ask(RandomSearch(SPACE, seed=9))
    lived = facts(study)
    study.close()
    again = open_study(tmp_path / "s.sqlite", Goal.of(["accuracy", "-params"]), SPACE, {"seed": 0})
    assert facts(again) == lived
    assert [trial.number for trial in again.unended] == [40]
    again.close()


def test_every_beginning_of_the_events_can_be_opened():
    whole = make()
    populate(whole, 12)
    for count in range(len(whole.store.events) + 1):
        store = MemoryStore()
        store.append(whole.store.events[:count])
        study = make(store=store)
        assert len(study) == sum(e.kind == "asked" for e in whole.store.events[:count])
        assert sum(study.counts.values()) == len(study)
        assert set(study.open) == {t.number for t in study if not t.state.ended}


def test_best_and_front_equal_brute_force():
    for seed in range(6):
        study = make(["accuracy", "-params"], ["params<=6", "accuracy>=0.1"])
        populate(study, 60, seed)
        able = [t for t in study if t.state is State.COMPLETE and study.goal.feasible(t.scores)]
        losses = {t.number: study.goal.losses(t.scores) for t in able}
        free = [n for n in losses if not any(dominates(other, losses[n]) for other in losses.values())]
        first = {losses[n]: n for n in reversed(free)}  # of equal scores, the first trial
        assert {t.number for t in study.front} == set(first.values())
        assert study.best.scores["accuracy"] == max(t.scores["accuracy"] for t in able)
        assert study.best in study.front
        top = study.top(5)
        assert len({key_of(t.architecture) for t in top}) == 5
        assert top[0].number in free


def test_top_gives_each_architecture_once_at_its_best():
    study = make()
    for bits, accuracy in (
        ("0000000001", 0.5),
        ("0000000011", 0.7),
        ("0000000001", 0.9),
        ("0000000111", 0.1),
    ):
        strategy = RandomSearch(SPACE)
        strategy.propose = lambda number, rng, bits=bits: Proposal(Bits(tuple(map(int, bits))))
        study.tell(study.ask(strategy), State.COMPLETE, {"accuracy": accuracy})
    assert [trial.number for trial in study.top(10)] == [2, 1, 3]
    assert study.best.number == 2


def test_a_twin_is_a_complete_trial_of_the_same_budget():
    study = make()
    strategy = RandomSearch(SPACE)
    strategy.propose = lambda number, rng: Proposal(Bits((1,) * 10), (4, 2, 4, 8)[number])
    first = study.ask(strategy)
    assert study.twin(first) is None
    study.tell(first, State.COMPLETE, {"accuracy": 0.5})
    less, same, more = (study.ask(strategy) for _ in range(3))
    assert study.twin(less) is None
    assert study.twin(same) is first
    assert study.twin(more) is None
    study.tell(more, State.FAILED)
    assert study.twin(same) is first
    study.tell(same, State.COMPLETE, {"accuracy": 0.5}, copy=first)
    assert study.source(same.number) == first.number
    assert study.source(more.number) == more.number


def test_without_the_space_trials_are_known_by_their_text():
    store = MemoryStore()
    populate(make(store=store), 3)
    study = Study(store, Goal.of("accuracy"))
    assert isinstance(study.trials[0].architecture, Recorded)
    assert str(study.trials[0].architecture).startswith("Bits(")


def test_a_watcher_sees_what_is_new(tmp_path):
    study = open_study(tmp_path / "s.sqlite", Goal.of("accuracy"), SPACE, {})
    watcher = open_study(tmp_path / "s.sqlite", Goal.of("accuracy"), SPACE, read_only=True)
    populate(study, 3)
    assert len(watcher) == 0
    assert watcher.refresh() > 9
    assert watcher.trials == study.trials
    assert watcher.refresh() == 0
    study.close()
    watcher.close()


def test_another_header_is_refused_by_name(tmp_path):
    place, goal = tmp_path / "s.sqlite", Goal.of("accuracy")
    open_study(place, goal, SPACE, {"seed": 0, "task": "digits"}).close()
    with pytest.raises(StudyError, match="was made with seed 0, now it is 1"):
        open_study(place, goal, SPACE, {"seed": 1, "task": "digits"})
    with pytest.raises(StudyError, match="was made with fingerprint 'bits-10', now it is 'bits-11'"):
        open_study(place, goal, BitSpace(11), {"seed": 0, "task": "digits"})
    open_study(place, Goal.of("accuracy", ["params<=3"]), SPACE, {"seed": 0, "task": "digits"}).close()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (event("told", 3), "trial 3, which was never asked"),
        (event("asked", 5, decisions=[1], key="k", budget=1, parent=None), "trial 5 where trial 1"),
        (event("exploded", 0), "unknown kind 'exploded'"),
    ],
)
def test_events_that_cannot_be_are_refused(bad, message):
    study = make()
    study.ask(RandomSearch(SPACE))
    study.store.append([bad])
    with pytest.raises(StudyError, match=message):
        study.refresh()


def test_a_limit_on_what_old_trials_never_measured_leaves_the_study_open():
    store = MemoryStore()
    populate(make(store=store), 5)
    assert make(limits=["latency_ms<=3"], store=store).best is None


def test_long_canonical_forms_are_shortened_and_stay_apart():
    class Long:
        def __init__(self, canonical):
            self.canonical = canonical

    assert key_of(Long("short")) == "short"
    keys = {key_of(Long("x" * 1000 + str(i))) for i in range(10)}
    assert len(keys) == 10
    assert all(len(key) == 64 for key in keys)


@pytest.mark.parametrize("long", [1, 10_000])
def test_a_curve_is_a_sequence_of_its_points(long, monkeypatch):
    monkeypatch.setattr("nasturtium.study.curve.LONG", long)
    points = [{"step": i, "accuracy": i / 4} for i in range(1, 5)]
    for sealed in range(6):
        curve = Curve()
        for i, point in enumerate(points):
            if i == sealed:
                curve.seal()
            curve.append(json.dumps(point))
        if sealed == 5:
            curve.seal()
        assert curve == points
        assert list(curve) == points
        assert (len(curve), curve[-1], curve[1:3]) == (4, points[-1], points[1:3])
        assert list(itertools.islice(reversed(curve), 1)) == points[-1:]
    assert len(Curve()) == 0
    assert list(Curve()) == []


def test_what_a_strategy_is_told_is_not_what_the_study_keeps():
    """Architectures hold on to their closed parts; those of ten thousand trials must not stay in memory."""
    study = make()
    strategy = RandomSearch(SPACE)
    seen = []
    strategy.tell = strategy_tell = lambda trial: seen.append(trial)
    trial = study.ask(strategy)
    asked = trial.architecture
    strategy_tell(study.tell(trial, State.COMPLETE, {"accuracy": 1.0}))
    study.replay(strategy)
    assert seen[0].architecture is asked
    assert len({id(each.architecture) for each in (*seen, trial)}) == 3
    assert seen == [trial, trial]
