"""A study over a real space: decisions are recorded, sent to workers, and come back as what they were."""

import pytest
from bit_space import Sized

from nasturtium.objective import Goal
from nasturtium.spaces import convnet
from nasturtium.strategies import make
from nasturtium.study import InProcess, LocalProcesses, Recorded, open_study, run
from nasturtium.trial import State

SPACE = convnet(input=(1, 8, 8), outputs=10)


def go(place, executor, trials):
    study = open_study(place, Goal.of("accuracy", ["params<=400k"]), SPACE, {"seed": 0})
    start = [next(SPACE.enumerate())]
    strategy = make("evolution", space=SPACE, start=start, limits=["params<=400k"], initial=4)
    run(study, strategy, executor, trials=trials, cost=lambda architecture: architecture.count())
    return study


@pytest.fixture(scope="module")
def whole():
    return go(None, InProcess(Sized()), 16)


def comparable(study):
    return [(t.state, str(t.architecture), t.architecture.decisions, t.scores) for t in study]


def test_in_workers_the_same_architectures_are_evaluated(whole):
    study = go(None, LocalProcesses(Sized(), SPACE, 1), 16)
    assert comparable(study) == comparable(whole)
    assert study.counts[State.COMPLETE] == 16
    assert study.best.scores["accuracy"] == 1 / study.best.architecture.count()["params"]


def test_resumed_from_the_file_it_goes_on_the_same(tmp_path, whole):
    go(tmp_path / "s.sqlite", InProcess(Sized()), 7).close()
    study = go(tmp_path / "s.sqlite", InProcess(Sized()), 16)
    assert comparable(study) == comparable(whole)
    study.close()
    shown = open_study(tmp_path / "s.sqlite", Goal.of("accuracy"), read_only=True)
    assert [str(t.architecture) for t in shown] == [str(t.architecture) for t in whole]
    assert isinstance(shown.best.architecture, Recorded)
    shown.close()
