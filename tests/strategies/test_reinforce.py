"""REINFORCE and the controllers against autograd, torch's own LSTM and Adam, and the clipped loss by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nasturtium.errors import NasturtiumError
from nasturtium.strategies import make
from nasturtium.strategies.controller import Lesson
from nasturtium.strategies.lstm import MOST, Frozen, Walk, log_probability
from nasturtium.strategies.policy import MovingAverage, Rewards, derived, path
from nasturtium.testing.driving import asked, drive
from nasturtium.testing.small_spaces import SMALL_SPACES, conditional, product
from nasturtium.trial import State, Trial
from tests.strategies.toy_searches import dead_ends, quick

SPACE = product(3, 4)


def told(number, architecture, **scores):
    return Trial(number, State.COMPLETE, architecture, 1, scores)


def test_the_table_of_logits_follows_autograd_and_adam_of_torch():
    strategy = make("reinforce", space=SPACE, seed=0, learning_rate=0.05)
    logits = [torch.zeros(4, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    adam = torch.optim.Adam(logits, lr=0.05)
    numerator = denominator = 0.0
    for number in range(25):
        (proposal,) = strategy.ask()
        reward = math.sin(number * 2.0)
        strategy.tell(told(number, proposal.architecture, accuracy=reward))
        numerator, denominator = 0.9 * numerator + 0.1 * reward, 0.9 * denominator + 0.1
        decisions = proposal.architecture.decisions
        logs = sum(row.log_softmax(0)[d] for row, d in zip(logits, decisions, strict=True))
        loss = -logs * (reward - numerator / denominator)
        adam.zero_grad()
        loss.backward()
        adam.step()
        for (site, _), row in zip(path(SPACE, decisions), logits, strict=True):
            expected = row.detach().softmax(0).numpy()
            np.testing.assert_allclose(strategy.probabilities(site), expected, rtol=1e-9)


def test_only_what_is_offered_gets_probability_and_gradient():
    strategy = make("reinforce", space=SPACE, seed=0)
    site = path(SPACE, (0, 1, 2))[1].site._replace(offered=(1, 3))
    assert strategy.probabilities(site).tolist() == [0.5, 0.5]
    np.testing.assert_allclose(strategy.score(site, 3), [0, -0.5, 0, 0.5])


@pytest.mark.parametrize("kind", SMALL_SPACES)
@pytest.mark.parametrize("name", ["controller", "ppo"])
def test_the_walk_computes_what_the_network_computes(name, kind):
    """Probabilities along a derivation, by numpy, and log probabilities of whole batches, by torch."""
    space, rng = SMALL_SPACES[kind], np.random.default_rng(1)
    network = quick(name, space, seed=5).network
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(20)  # far from uniform
    paths = [path(space, space.sample(rng).decisions) for _ in range(5)]
    logs, entropy = network.log_probabilities(network.gathered(paths))
    frozen = Frozen(network)
    by_walk = [log_probability(frozen, each) for each in paths]
    assert by_walk == [log_probability(frozen, each) for each in paths]  # also from what it remembers
    np.testing.assert_allclose(by_walk, logs.detach().numpy(), rtol=1e-3, atol=1e-3)
    assert (entropy > 0).all()


def test_the_layers_are_torch_lstm_cells_and_the_probabilities_sum_to_one():
    network = make("controller", space=SPACE, seed=2).network
    cells = [torch.nn.LSTMCell(35, 35) for _ in range(2)]
    with torch.no_grad():
        for layer, cell in enumerate(cells):
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                getattr(cell, kind).copy_(getattr(network.lstm, f"{kind}_l{layer}"))
    steps = path(SPACE, (3, 0, 2))
    reads = [network.inputs(steps[t - 1] if t else None, steps[t].site) for t in range(3)]
    hidden, states = [], [(torch.zeros(35), torch.zeros(35))] * 2
    for a, b, c in reads:
        value = network.option.weight[a] + network.choice.weight[b] + network.place.weight[c]
        for layer, cell in enumerate(cells):
            states[layer] = cell(value, states[layer])
            value = states[layer][0]
        hidden.append(value)
    logs = [(network.score[network.options(s.site)] @ hidden[t]).log_softmax(0)[s.option] for t, s in enumerate(steps)]
    torch.testing.assert_close(network.log_probabilities(network.gathered([steps]))[0][0], torch.stack(logs).sum())
    every = [path(SPACE, (a, b, c)) for a in range(4) for b in range(4) for c in range(4)]
    assert float(network.log_probabilities(network.gathered(every))[0].detach().exp().sum()) == pytest.approx(
        1.0, abs=1e-5
    )


def test_a_walk_that_goes_back_forgets_what_it_left():
    space = conditional()
    network = make("ppo", space=space, seed=3).network
    steps = max((path(space, space.sample(np.random.default_rng(n)).decisions) for n in range(9)), key=len)
    walk = Walk(Frozen(network))
    straight = [walk.probabilities(steps[:t], each.site) for t, each in enumerate(steps)]
    again = Walk(Frozen(network))
    for t in (len(steps) - 1, 1, 0, len(steps) - 1, 2):
        np.testing.assert_allclose(again.probabilities(steps[:t], steps[t].site), straight[t], rtol=1e-5)
    other = steps[0]._replace(option=next(o for o in steps[0].site.offered if o != steps[0].option))
    changed = again.probabilities([other, *steps[1:2]], steps[2].site)
    assert not np.allclose(changed, straight[2], rtol=1e-6)


def test_reinforce_of_the_controller_is_the_gradient_of_the_mean():
    strategy = make("controller", space=SPACE, seed=1, batch=2, learning_rate=0.0)
    lessons = [Lesson(path(SPACE, (0, 1, 2)), 0.5, 0.0), Lesson(path(SPACE, (3, 3, 0)), -1.5, 0.0)]
    strategy.learn(lessons, 1)
    got = strategy.network.score.grad.clone()
    gradients = []
    for lesson in lessons:
        strategy.network.zero_grad()
        strategy.network.log_probabilities(strategy.network.gathered([lesson.path]))[0].sum().backward()
        gradients.append(strategy.network.score.grad.clone())
    torch.testing.assert_close(got, -(0.5 * gradients[0] - 1.5 * gradients[1]) / 2)


@pytest.mark.parametrize(
    ("change", "advantage", "value"),
    [
        (0.1, 1.0, math.exp(0.1)),
        (0.5, 1.0, 1.2),
        (-0.5, 1.0, math.exp(-0.5)),
        (-0.5, -1.0, -0.8),
        (0.5, -1.0, -math.exp(0.5)),
    ],
)
def test_ppo_clips_as_equation_7_of_schulman(change, advantage, value):
    strategy = make("ppo", space=SPACE, seed=1, entropy=0.0)
    steps = path(SPACE, (0, 1, 2))
    paths = strategy.network.gathered([steps])
    now = float(strategy.network.log_probabilities(paths)[0].detach())
    loss = strategy.clipped([Lesson(steps, advantage, now - change)], paths)
    assert float(loss.detach()) == pytest.approx(-value, rel=1e-5)
    loss.backward()
    moves = float(strategy.network.score.grad.abs().sum()) > 0
    assert moves == (abs(value) not in (1.2, 0.8))


def test_ppo_remembers_how_likely_a_proposal_was_when_it_was_asked():
    strategy = make("ppo", space=SPACE, seed=1, batch=3, learning_rate=0.05)
    first = strategy.ask(4)
    before = dict(strategy.likely)
    for number, proposal in enumerate(first[:3]):
        strategy.tell(told(number, proposal.architecture, accuracy=float(number)))
    last = first[3].architecture.decisions
    assert strategy.likely == {3: before[3]}
    assert log_probability(strategy.frozen, path(SPACE, last)) != pytest.approx(before[3], abs=1e-3)


def test_ppo_tells_trials_of_one_architecture_apart():
    strategy = make("ppo", space=SPACE, seed=1, batch=3, repeats=True, learning_rate=0.05)
    (first,) = strategy.ask()
    strategy.asked(first)  # the same once more, while the first runs
    likely = log_probability(strategy.frozen, path(SPACE, first.architecture.decisions))
    for number in range(2):
        strategy.tell(told(number, first.architecture, accuracy=float(number)))
    assert [lesson.before for lesson in strategy.lessons] == [likely, likely]


def test_what_ended_early_in_a_batch_is_judged_as_by_itself():
    space, rng = conditional(), np.random.default_rng(2)
    network = make("ppo", space=space, seed=3).network
    paths = [path(space, space.sample(rng).decisions) for _ in range(12)]
    assert len(set(map(len, paths))) > 1
    together = network.gathered(paths)
    logs, entropy = network.log_probabilities(together)
    for place, each in enumerate(paths):
        log, own = network.log_probabilities(network.gathered([each]))
        torch.testing.assert_close(log[0], logs[place])
        torch.testing.assert_close(own[0], entropy[place])
    some, _ = network.log_probabilities(together.some([7, 2, 2]))
    torch.testing.assert_close(some, logs[[7, 2, 2]])


def test_a_frozen_network_does_not_see_what_is_learned_later():
    strategy = make("ppo", space=SPACE, seed=1, batch=2, learning_rate=0.05)
    before, steps = strategy.frozen, path(SPACE, (0, 1, 2))
    likely = log_probability(before, steps)
    for number, proposal in enumerate(strategy.ask(2)):
        strategy.tell(told(number, proposal.architecture, accuracy=float(number)))
    assert strategy.frozen is not before
    assert log_probability(Frozen(strategy.network), steps) == log_probability(strategy.frozen, steps)
    assert log_probability(strategy.frozen, steps) != pytest.approx(likely, abs=1e-3)
    before.start.after.clear()
    assert log_probability(before, steps) == likely


def test_no_more_than_so_many_steps_are_remembered():
    frozen = Frozen(make("controller", space=SPACE, seed=1).network)
    for decisions in np.ndindex(4, 4, 4):
        log_probability(frozen, path(SPACE, decisions))
    assert frozen.count == 1 + 4 + 16
    frozen.count, before = MOST, log_probability(frozen, path(SPACE, (3, 3, 3)))
    frozen.start.after.clear()
    assert log_probability(frozen, path(SPACE, (3, 3, 3))) == before
    assert not frozen.start.after


def test_rewards_put_feasible_first():
    rewards = Rewards()
    assert [rewards((0.0, -0.7)), rewards((0.0, -0.4)), rewards((0.25, -0.9)), rewards((9.0, -0.9))] == [
        0.7, 0.4, pytest.approx(0.4 - 0.25 * 0.3), pytest.approx(0.4 - 0.3)
    ]  # fmt: skip


def test_the_baseline_has_no_bias_at_its_start():
    average = MovingAverage(0.9)
    assert average.update(5.0) == pytest.approx(5.0)
    assert average.update(1.0) == pytest.approx((0.9 * 5 + 1) / 1.9)


def test_a_policy_is_asked_again_where_a_derivation_goes_back():
    """Whatever a policy prefers, what comes out is in the space; also where it prefers what leads nowhere."""
    for kind, space in SMALL_SPACES.items():
        for preference in (0, -1):
            rng = np.random.default_rng(0)
            architecture = derived(space, lambda taken, site, p=preference: site.offered[p], rng)
            assert space.admits(architecture), kind
            assert space.replay(architecture.decisions).point is None


def test_where_a_derivation_goes_back_the_policy_sees_what_was_kept():
    space, rng = dead_ends(), np.random.default_rng(0)
    back = 0
    for _ in range(40):
        seen = []

        def pick(taken, site):
            seen.append(([each.option for each in taken], site))  # noqa: B023 - called at once
            return site.offered[int(rng.random() * len(site.offered))]

        decisions = derived(space, pick, rng).decisions
        lengths = [len(before) for before, _ in seen]
        back += lengths != sorted(set(lengths))
        assert tuple(seen[-1][0]) == decisions[: len(seen[-1][0])]
        assert len(seen[-1][0]) >= 3  # of five decisions, the last may be forced
        for before, site in seen:
            assert len(site.offered) > 1
            assert len(before) < len(decisions)
    assert back > 5


def test_a_policy_that_is_sure_still_proposes_something_new():
    strategy = make("reinforce", space=product(6, 4), seed=0, learning_rate=5.0)
    end = lambda number, proposal: (State.COMPLETE, {"accuracy": float(proposal.architecture.decisions == best)})  # noqa: E731
    best = strategy.ask()[0].architecture.decisions
    strategy = make("reinforce", space=product(6, 4), seed=0, learning_rate=5.0)
    seen = [proposal.architecture.decisions for proposal in asked(drive(strategy, 80, end=end))]
    assert len(set(seen)) == 80
    repeating = make("reinforce", space=product(2, 2), seed=0, repeats=True)
    assert len({p.architecture.decisions for p in asked(drive(repeating, 30))}) <= 4


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("reinforce", {"learning_rate": -1}, "option learning_rate=-1: a number from 0 up"),
        ("reinforce", {"momentum": 2}, "option momentum=2: a number from 0 to 1"),
        ("controller", {"hidden": 0}, "option hidden=0"),
        ("ppo", {"clip": 3}, "option clip=3"),
        ("ppo", {"minibatch": 0.5}, "option minibatch=0.5: a whole number"),
    ],
)
def test_mistakes_are_named(name, options, message):
    with pytest.raises(NasturtiumError, match=message):
        make(name, space=SPACE, **options)


def test_the_global_generator_of_torch_is_left_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    drive(quick("ppo", SPACE, seed=1), 14)
    assert torch.equal(before, torch.get_rng_state())
