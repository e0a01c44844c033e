"""Runs in virtual time, worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nasturtium.benchmarks import BenchmarkError, load
from nasturtium.comparison import Answers, Limits, Simulation, compare
from nasturtium.comparison.answers import one_run
from nasturtium.comparison.plan import Contender
from nasturtium.errors import NasturtiumError
from nasturtium.objective import Objective
from nasturtium.strategies.curve_screen import CurveScreen
from nasturtium.strategies.fidelity import steps
from tests.comparison.tables import DATA, Scripted, every, nasbench201, surrogate, table

A, B, C, D = (0, 0, 0, 0, 3), (3, 0, 0, 0, 0), (1, 1, 0, 0, 0), (2, 0, 0, 0, 0)
"""Validation 3, 15, 9, 10; seconds 10, 13, 11, 12."""

BUDGETS = (4, 12, 36, 108)


def run(proposals, limits, benchmark=None, epoch=None):
    answers = Answers(table() if benchmark is None else benchmark, epoch)
    script = Scripted(answers.space, proposals)
    return Simulation(answers, limits).run(script), script


def once(*decisions):
    return [(each, 1, None) for each in decisions]


def test_one_after_another() -> None:
    track, script = run(once(A, C, D, B), Limits(queries=4))
    assert [number for number, _, _ in script.told] == [0, 1, 2, 3]
    assert track.queries == [1, 2, 3, 4]
    assert track.seconds == [10, 21, 33, 46]
    assert track.validation == [3, 9, 10, 15]
    assert track.test == [2.5, 8.5, 9.5, 14.5]


def test_two_workers_in_virtual_time() -> None:
    # A 0-10 and B 0-13; at 10 C begins and ends at 21; at 13 D begins and ends at 25
    track, script = run(once(A, B, C, D), Limits(queries=4, workers=2))
    assert [number for number, _, _ in script.told] == [0, 1, 2, 3]
    assert track.seconds == [10, 13]
    assert track.passed == 25
    # with B first, A is told before it
    track, script = run(once(B, A, C, D), Limits(queries=4, workers=2))
    assert [number for number, _, _ in script.told] == [1, 0, 2, 3]
    assert track.validation == [3, 15]


def test_what_ends_too_late_does_not_count() -> None:
    track, _ = run(once(A, C, B), Limits(seconds=33.0))
    assert (track.asked, track.spent, track.passed) == (2, 2, 33.0)
    assert track.validation[-1] == 9
    track, _ = run(once(A, C, B), Limits(seconds=34.0))
    assert (track.asked, track.validation[-1]) == (3, 15)


def test_the_same_twice_costs_twice() -> None:
    track, _ = run(once(A, A, A, B), Limits(queries=3))
    assert (track.spent, track.passed, track.validation) == (3, 30, [3])


def test_smaller_budgets_cost_their_share() -> None:
    # one of 10 of 40 epochs is a quarter of a query and of the seconds; what goes on pays for the other 30 epochs
    proposals = [(B, 10, None), (C, 10, None), (C, 40, 1), (A, 25, None)]
    track, script = run(proposals, Limits(queries=5), table(epochs=(10, 40)))
    assert track.queries == [0.25, 1.25]
    assert track.seconds == pytest.approx([13 / 4, 13 / 4 + 11])
    assert track.validation == [15, 9]  # what was seen at the largest budget is the incumbent
    assert track.signal == pytest.approx([15 / 4, 9])
    assert track.spent == 1.5  # 25 epochs pay for the value after 10
    assert script.told[3][2] == pytest.approx({"signal": 3 / 4})


def test_what_was_trained_anew_is_paid_in_full() -> None:
    # C goes on from 10 epochs to 40 of another training: 10 + 40 epochs, for which 10 + 30 were charged
    proposals = [(C, 10, None), (C, 40, 0)]
    track, script = run(proposals, Limits(queries=5), table(epochs=(10, 40), separate=True))
    assert (track.spent, track.passed) == (1.25, pytest.approx(11 / 4 + 11))
    assert script.curves == [[], []]
    track, _ = run([(C, 3, None), (C, 10, 0)], Limits(queries=5), table(epochs=(10, 40), separate=True))
    assert track.spent == 0.25  # the first pays for 10 epochs, as the table knows no fewer, and the second is that one
    track, script = run(proposals, Limits(queries=5), table(epochs=(10, 40)))
    assert (track.spent, track.passed) == (1, 11)
    assert [[point["step"] for point in curve] for curve in script.curves] == [[10], [40]]


def test_tables_say_whether_their_epochs_are_of_one_training() -> None:
    assert all(metric.separate for metric in nasbench201().metrics.values() if metric.epochs)
    retrained = load("nasbench101", "4V9E", DATA)
    assert (retrained.metric().epochs, retrained.metric().separate) == ((4, 12, 36, 108), True)
    assert not load("nasbench_nlp", "wikitext-2", DATA).metric().separate
    row = retrained.architectures()[0]
    script = Scripted(retrained.space, [(row.decisions, each, n - 1 if n else None) for n, each in enumerate(BUDGETS)])
    track = Simulation(Answers(retrained), Limits(queries=10)).run(script)
    assert track.spent == pytest.approx((4 + 12 + 36 + 108) / 108)
    assert track.passed == pytest.approx(sum(retrained.query(row, "train_seconds", each) for each in BUDGETS))


def test_surrogates_report_their_curves() -> None:
    """Of the value 9, 9 - 9/epoch is known after each epoch."""
    script = run([(C, 3, None), (C, 10, 0)], Limits(queries=5), surrogate())[1]
    known = [[9 - 9 / epoch for epoch in each] for each in (range(1, 4), range(4, 11))]
    assert [[point["signal"] for point in curve] for curve in script.curves] == [pytest.approx(each) for each in known]
    assert [[point["step"] for point in curve] for curve in script.curves] == [[1, 2, 3], [4, 5, 6, 7, 8, 9, 10]]


def test_a_screen_extrapolates_the_curves_of_a_surrogate() -> None:
    """It sees five of ten epochs, and the end is 1.125 times what it has seen last."""
    foreseen: list[float] = []
    kept = CurveScreen.foreseen

    class Noting(CurveScreen):
        def foreseen(self, curve):
            found = kept(self, curve)
            foreseen.append(found["signal"] / curve[-1]["signal"])
            return found

    options = {"budget": 10, "share": 0.5, "objectives": Objective("signal", True), "seed": 0}
    answers = Answers(surrogate(by=5.0))
    Simulation(answers, Limits(queries=5)).run(Noting(answers.space, **options))
    assert len(foreseen) > 5
    assert min(foreseen) > 1.05  # (1 - 1/10) / (1 - 1/5)


def test_noise_on_a_surrogate_is_that_of_its_runs() -> None:
    bench = surrogate(spread=2.0)
    seen = []
    for noise in range(300):
        answers = Answers(bench)
        script = Scripted(answers.space, [(C, 10, None)])
        Simulation(answers, Limits(queries=1), noise).run(script)
        seen.append(script.told[0][2]["signal"])
        assert script.curves[0][0]["signal"] == bench.query(bench.space.architecture(C), epoch=1, seed=noise)
    end = 9 * (1 - 1 / 10)
    assert np.mean(seen) == pytest.approx(end, abs=4 * 2 / 300**0.5)
    assert np.std(seen) == pytest.approx(2.0, rel=0.2)
    noisy = compare(bench, ["random"], 5, 2, workers=1, noise=True)
    assert not np.array_equal(noisy.values(0, 0, "signal"), noisy.values(0, 0, "validation"))
    with pytest.raises(BenchmarkError, match="leave noise"):
        compare(surrogate(), ["random"], 5, 1, workers=1, noise=True)


def test_an_early_signal_and_the_end_of_training() -> None:
    track, _ = run(once(B), Limits(queries=1), table(epochs=(10, 40)), epoch=10)
    assert (track.signal, track.validation, track.seconds) == ([15 / 4], [15], [13 / 4])


def test_unknown_rows_fail_and_cost_a_query() -> None:
    benchmark = table()
    answers = Answers(benchmark)
    simulation = Simulation(answers, Limits(queries=2))
    simulation.signals[0][answers.row(A)] = math.nan
    script = Scripted(answers.space, once(A, B))
    track = simulation.run(script)
    assert [state for _, state, _ in script.told] == ["failed", "complete"]
    assert (track.asked, track.failed, track.queries) == (2, 1, [2])


def test_noise_is_a_measured_run() -> None:
    values = np.array([[1.0, 2.0, 3.0], [4.0, np.nan, 6.0], [np.nan, np.nan, 9.0]])
    seen = np.array([one_run(values, seed) for seed in range(200)])
    assert [set(column) for column in seen.T] == [{1.0, 2.0, 3.0}, {4.0, 6.0}, {9.0}]
    assert np.array_equal(one_run(values, 3), one_run(values, 3))


def test_time_needs_seconds() -> None:
    benchmark = table()
    benchmark.cost = None
    with pytest.raises(BenchmarkError, match="queries"):
        compare(benchmark, ["random"], None, 1, seconds=100, workers=1)


def test_a_budget_must_be_given() -> None:
    with pytest.raises(NasturtiumError, match="queries"):
        compare(table(), ["random"], None, 1, workers=1)


def test_a_whole_table_is_not_restricted() -> None:
    assert not Answers(table()).restricted
    assert Answers(table(every()[:100])).restricted


class Recommending(Scripted):
    """Recommends what it is told to, after so many trials."""

    recommendations: dict[int, tuple[int, ...]]

    def recommended(self):
        chosen = self.recommendations.get(len(self.told))
        return () if chosen is None else (self.space.architecture(chosen),)


def test_the_incumbent_is_what_a_strategy_recommends():
    script = Recommending(Answers(table()).space, once(A, B, C, D))
    script.recommendations = {2: A, 3: C, 4: C}
    track = Simulation(Answers(table()), Limits(queries=4)).run(script)
    assert track.queries == [1, 3]  # at first the best that was seen; A is that already; then C, which stays
    assert track.validation == [3, 9]


def test_what_a_search_of_several_budgets_recommends_is_of_the_largest_and_noted_as_it_was_there() -> None:
    """The strategy prefers one of which it had asked at 1 epoch last."""
    benchmark = table(epochs=(1, 9))
    answers = Answers(benchmark)
    script = Scripted(answers.space, [(A, 9, None), (B, 9, None), (C, 1, None)])
    script.recommended = lambda: [answers.space.architecture(C)] if len(script.told) > 2 else []
    track = Simulation(answers, Limits(queries=3)).run(script)
    assert track.validation == [3, 15, 9]
    assert track.signal == [3, 15, 9]  # of the recommended one too what 9 epochs gave, not 1


@pytest.mark.parametrize("name", ["asha", "hyperband", "successive_halving", "bohb", "asha_sequences"])
@pytest.mark.parametrize("epochs", [(1, 12, 90), (4, 36, 108), (12, 200)])
def test_where_a_table_has_few_epochs_every_one_of_them_is_a_budget(name, epochs) -> None:
    answers = Answers(table(epochs=epochs))
    assert tuple(Contender.of(name, {}).make(answers, 0).budgets) == epochs
    given = {name: {"factor": 3, "least": epochs[0]}}
    chosen = Contender.of(name, given).make(answers, 0)
    assert chosen.budgets == steps(epochs[-1], epochs[0], 3)


def test_trials_go_on_from_each_epoch_to_the_next() -> None:
    answers = Answers(table(epochs=(1, 12, 90)))
    simulation, script = Simulation(answers, Limits(queries=3)), Contender.of("asha", {}).make(answers, 0)
    seen: list[int] = []
    tell = script.tell
    script.tell = lambda trial: (seen.append(trial.budget), tell(trial))
    simulation.run(script)
    assert {1, 12} <= set(seen) <= {1, 12, 90}


def test_a_table_with_every_epoch_has_steps_of_the_strategy_s_own() -> None:
    answers = Answers(table(epochs=tuple(range(1, 82))))
    assert Contender.of("hyperband", {}).make(answers, 0).budgets == [1, 3, 9, 27, 81]
