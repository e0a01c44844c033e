"""Published searches by name: what they start from, and how their populations are made."""

from __future__ import annotations

from collections import Counter

import pytest

from nasturtium.errors import NasturtiumError
from nasturtium.space.signal import group, sequence, tokens
from nasturtium.spaces import make as make_space
from nasturtium.strategies import PRESETS, STRATEGIES, for_signal, make
from nasturtium.strategies.presets import Preset
from nasturtium.testing.driving import drive
from nasturtium.testing.small_spaces import product
from nasturtium.trial import State, Trial


@pytest.fixture(name="space")
def _space(monkeypatch):
    space = make_space("resnet", (1, 8, 8), 10)
    monkeypatch.setitem(
        PRESETS, "two", Preset("evolution", "", "", PRESETS["re_mix"].options, ("ResNet-20", "ResNet-32"))
    )
    return space


def told(strategy, count):
    asked = []
    for number in range(count):
        (proposal,) = strategy.ask()
        asked.append(proposal.architecture)
        trial = Trial(number, State.COMPLETE, proposal.architecture, proposal.budget, scores={"accuracy": 0.5})
        strategy.tell(trial)
    return asked


def test_every_preset_names_a_strategy():
    for preset in PRESETS.values():
        assert preset.strategy in STRATEGIES
        assert preset.summary
        assert preset.source[-1].isdigit()


def test_seeds_are_copied_until_the_population_is_full(space):
    strategy = make("two", space=space)
    first, second = told(strategy, 2)
    assert [first, second] == [space.member("ResNet-20"), space.member("ResNet-32")]
    population = [member.architecture for member in strategy.strategy.population]
    assert Counter(population) == {first: 50, second: 50}
    children = told(strategy, 60)
    population = [member.architecture for member in strategy.strategy.population]
    assert len(population) == 100
    assert population[-60:] == children
    assert Counter(population[:40]) == {first: 20, second: 20}
    assert all(child.origin is not None and child.origin.kind == "mutation" for child in children)


def ended(strategy, number, proposal, state=State.COMPLETE):
    strategy.tell(Trial(number, state, proposal.architecture, proposal.budget, scores={"accuracy": 0.5}))


def test_only_the_starts_are_copied_whatever_ends_first(space):
    strategy = make("two", space=space)
    asked = strategy.ask(8)  # workers are free before the starts end
    starts = [space.member("ResNet-20"), space.member("ResNet-32")]
    assert [each.architecture for each in asked[:2]] == starts
    assert all(each.architecture.origin.kind == "mutation" for each in asked[2:])
    for number in (5, 3, 0, 7, 1):
        ended(strategy, number, asked[number])
    population = [member.architecture for member in strategy.strategy.population]
    assert population == [*(starts * 50)[3:], *(asked[number].architecture for number in (5, 3, 7))]
    ended(strategy, 2, asked[2])
    assert [member.architecture for member in strategy.strategy.population][-1] == asked[2].architecture


def test_a_start_that_fails_is_not_copied(space):
    strategy = make("two", space=space)
    asked = strategy.ask(3)
    for number, state in ((0, State.FAILED), (2, State.COMPLETE), (1, State.COMPLETE)):
        ended(strategy, number, asked[number], state)
    members = Counter(member.architecture for member in strategy.strategy.population)
    assert members == {asked[1].architecture: 99, asked[2].architecture: 1}
    assert strategy.ask()[0].architecture.origin.kind == "mutation"


def test_where_all_starts_fail_it_begins_at_random(space):
    strategy = make("two", space=space)
    for number, proposal in enumerate(strategy.ask(2)):
        ended(strategy, number, proposal, State.FAILED)
    drawn = strategy.ask(2)
    assert all(each.architecture.origin is None for each in drawn)
    for number, proposal in enumerate(drawn, 2):
        ended(strategy, number, proposal)
    assert strategy.ask()[0].architecture.origin.kind == "mutation"


def test_from_scratch_a_hundred_are_drawn_first(space):
    strategy = make("re_scratch", space=space, seed=3)
    drawn = told(strategy, 101)
    assert all(architecture.origin is None for architecture in drawn[:100])
    assert drawn[100].origin.kind == "mutation"
    assert (strategy.size, strategy.selection.size) == (100, 10)


def test_options_and_starts_of_ones_own_come_first(space):
    strategy = make("two", space=space, start=["ResNet-20"], population=7, tournament=3)
    told(strategy, 1)
    assert len(strategy.strategy.population) == 7
    assert strategy.strategy.selection.size == 3


def test_a_space_without_the_members_is_refused(space):
    with pytest.raises(NasturtiumError, match="starts from 'resnet18', but space 'resnet' knows ResNet-20"):
        make("re_rn18", space=space)
    with pytest.raises(NasturtiumError, match=r"unknown strategy 're_rn'; did you mean 're_rn18'"):
        make("re_rn", space=space)


def test_sequences_go_on_after_short_trainings():
    """The preset under a strategy of several budgets: what is new comes from it, and the best go on."""
    space = make_space("seqnas", (12, 2), 2)
    strategy = make("asha", space=space, budget=9, factor=3, strategy="sequences", options={"initial": 4, "every": 4})
    numbers = {}
    for number in range(24):
        (proposal,) = strategy.ask()
        assert proposal.architecture.build() is not None
        score = len(str(proposal.architecture)) * 1e-3 + 0.01 * proposal.budget
        trial = Trial(
            number, State.COMPLETE, proposal.architecture, proposal.budget, {"accuracy": score}, parent=proposal.parent
        )
        strategy.tell(trial)
        numbers[number] = proposal
    assert {each.budget for each in numbers.values()} == {1, 3, 9}
    assert all(numbers[each.parent].architecture == each.architecture for each in numbers.values() if each.parent)
    assert strategy.strategy.ready


def test_sequences_ask_while_trials_run():
    strategy = make("sequences", space=make_space("seqnas", (12, 2), 2), initial=4, every=2, count=20)
    asked = [proposal.architecture for proposal in strategy.ask(8)]
    assert len(asked) == 8
    for number, architecture in enumerate(asked[:6]):
        strategy.tell(Trial(number, State.COMPLETE, architecture, 1, scores={"accuracy": 0.1 * number}))
    more = [proposal.architecture for proposal in strategy.ask(6)]
    assert len({*asked, *more}) == 14


def test_events_have_a_usual_strategy_of_their_own():
    assert for_signal(group(kind=tokens(9, 4), amount=sequence(9, 1))) == "sequences"
    assert for_signal(group(kind=tokens(9, 4), amount=sequence(9, 1)), objectives=2) == "evolution"
    assert for_signal(group(kind=tokens(9, 4), amount=sequence(9, 1)), timed=True) == "asha_sequences"
    assert for_signal(sequence(9, 1)) == for_signal(sequence(9, 1), timed=True) == "evolution"


def test_a_round_draws_its_random_candidates_once():
    """As SeqNAS does; those that are made of the best are made anew whenever there is a better one, here always."""
    made = dict.fromkeys(("random", "mutation"), 0)
    for candidates in made:
        strategy = make("seqnas", space=product(12, 4), seed=0, initial=10, candidates=candidates)
        inner = strategy.candidates

        def counted(ground, rng, inner=inner, candidates=candidates):
            made[candidates] += 1
            return inner(ground, rng)

        strategy.candidates = counted
        drive(strategy, 10 + 3 * 15, end=lambda number, proposal: (State.COMPLETE, {"accuracy": float(number)}))
    assert made == {"random": 3, "mutation": 45}
