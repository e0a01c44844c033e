"""What an architecture costs, against torch's counter, formulas by hand and a stopwatch."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.errors import ObjectiveError, SpaceError
from nasturtium.estimators import Recipe, Trained, Training, lengths_for, structural
from nasturtium.estimators.examples import example_inputs
from nasturtium.estimators.latency import latency_ms
from nasturtium.estimators.memory import PeakMemory, training_memory, training_step
from nasturtium.layers import (
    GRU,
    LSTM,
    Attention,
    Conv1d,
    Embedding,
    GlobalPool,
    Linear,
    PositionalEncoding,
    ReLU,
    Sequential,
)
from nasturtium.space import Architecture
from nasturtium.space.signal import group, sequence, tokens
from nasturtium.tasks import load
from nasturtium.tasks.ragged import Lengths
from nasturtium.trial import State, Trial
from tests.tasks.event_tables import OPTIONS, customers

NETWORKS = [
    Architecture(Sequential(Conv1d(8), LSTM(16), Attention(4), GlobalPool(), Linear(3)), input=(12, 5)),
    Architecture(Sequential(Embedding(16), GRU(8, bidirectional=True), GlobalPool(), Linear(2)), input=tokens(9, 30)),
]


@pytest.mark.parametrize("architecture", NETWORKS)
def test_params_and_flops_are_those_torch_counts(architecture):
    scores = structural(architecture)
    model = architecture.build()
    assert scores["params"] == sum(parameter.numel() for parameter in model.parameters())
    inputs = example_inputs(architecture.input, 1, "meta")
    with FlopCounterMode(display=False) as counter:
        model.to("meta").eval()(*inputs)
    assert scores["flops"] == counter.get_total_flops() > 0


def test_peak_of_a_chain_by_hand():
    with PeakMemory() as memory:
        x = torch.zeros(1000)  # 4 kB
        y = x + 1  # 8 kB
        del x
        z = torch.cat((y, y))  # 4 + 8 kB
        view = z[:10]
        del z
    assert memory.peak == 12_000
    assert memory.now == 12_000
    del view, y
    assert memory.now == 0


def test_memory_of_a_training_step_by_hand():
    batch, before, after = 50, 40, 60
    architecture = Architecture(Linear(after), input=(before,))
    params = before * after + after
    # Weights, gradients and both moments; the inputs; the outputs or their gradient. Temporaries come on top.
    least = 4 * (4 * params + batch * before)
    most = least + 4 * (2 * batch * after + 3 * before * after)
    assert least / 1e6 <= training_memory(architecture, batch) <= most / 1e6


def test_meta_tensors_take_what_real_ones_take(convnet):
    with PeakMemory() as memory:
        training_step(convnet.build(), example_inputs(convnet.input, 32))
    assert training_memory(convnet, 32) == pytest.approx(memory.peak / 1e6, rel=1e-6)


@pytest.mark.parametrize("signal", [sequence(None, 6, mask=True), sequence(20, 6)])
def test_memory_grows_with_the_batch(signal):
    architecture = Architecture(Sequential(GRU(16), GlobalPool(), Linear(2)), input=signal)
    small, large = (training_memory(architecture, batch) for batch in (8, 64))
    assert 4 * small < large < 9 * small


def test_latency_is_that_of_a_stopwatch():
    model = nn.Sequential(*[nn.Linear(400, 400) for _ in range(10)]).eval()
    x = torch.randn(64, 400)
    with torch.inference_mode():
        for _ in range(5):
            model(x)
        times = []
        for _ in range(30):
            begun = time.perf_counter()
            model(x)
            times.append(time.perf_counter() - begun)
    assert 0.2 * min(times) < latency_ms(model, 64, input=400) / 1000 < 5 * max(times)


def test_latency_leaves_the_model_and_the_random_state_as_they_were(convnet):
    model = convnet.build().train()
    state = torch.get_rng_state()
    assert latency_ms(model, input=(1, 8, 8)) > 0
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)


def test_only_what_is_asked_for_is_measured(convnet, monkeypatch):
    monkeypatch.setattr("nasturtium.estimators.latency.latency_ms", None)
    assert structural(convnet, ["flops"]).keys() == {"flops"}
    with pytest.raises(ObjectiveError, match="unknown cost 'latency'; known: params, flops"):
        structural(convnet, ["latency"])
    with pytest.raises(SpaceError, match="input of this architecture is not known"):
        structural(Architecture(Linear(3)), ["flops"])


def test_memory_follows_the_batch_size_of_the_recipe():
    network = Sequential(Linear(64), ReLU(), Linear(2))
    costs = [
        structural(Architecture(Trained(network, Recipe(batch_size=size)), input=(256,)), ["memory_mb"])
        for size in (16, 1024)
    ]
    assert costs[0]["memory_mb"] < costs[1]["memory_mb"] / 2
    plain = Architecture(network, input=(256,))
    assert structural(plain, ["memory_mb"], Recipe(batch_size=1024)) == costs[1]


def test_examples_have_the_shapes_of_their_signals():
    signals = (group(events=tokens(None, 9, mask=True), times=sequence(None, 1)), sequence(4, 2))
    events, mask, times, other = example_inputs(signals, 3, length=5)
    assert events.shape == mask.shape == (3, 5)
    assert mask.dtype == torch.bool
    assert int(events.max()) < 9
    assert times.shape == (3, 5, 1)
    assert other.shape == (3, 4, 2)


LENGTHS = Lengths(20, 20, 90)


@pytest.mark.parametrize(
    "network",
    [
        Sequential(GRU(16), GlobalPool(), Linear(2)),
        Sequential(Conv1d(8), Attention(4), GlobalPool(), Linear(3)),
    ],
)
def test_unknown_lengths_cost_what_known_ones_cost(network):
    unknown = Architecture(network, input=sequence(None, 8, mask=True))
    typical, longest = (Architecture(network, input=sequence(length, 8, mask=True)) for length in (20, 90))
    costs = structural(unknown, ("params", "flops", "memory_mb"), Recipe(batch_size=12), LENGTHS)
    assert costs["params"] == structural(typical)["params"]
    assert costs["flops"] == structural(typical)["flops"] > 19 * structural(unknown)["flops"]
    held = structural(longest, ["memory_mb"], Recipe(batch_size=12))["memory_mb"]
    assert costs["memory_mb"] == pytest.approx(held, rel=0.01)


def test_latency_is_that_of_a_typical_row(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "nasturtium.estimators.latency.latency_ms", lambda architecture, length: seen.append(length) or 1
    )
    structural(Architecture(Sequential(GRU(4), GlobalPool()), input=sequence(None, 2)), ["latency_ms"], None, LENGTHS)
    assert seen == [20]


def test_lengths_are_those_of_the_rows_of_a_task():
    events, labels = customers()
    task = load(events, labels=labels, **OPTIONS, max_events=9)
    counts = dict(events.group_by("who").len().iter_rows())
    kept = {part: [min(int(n), 9) for n in np.diff(getattr(task, part).offsets)] for part in ("train", "valid", "test")}
    assert sorted([*kept["train"], *kept["valid"], *kept["test"]]) == sorted(min(n, 9) for n in counts.values())
    assert task.lengths == Lengths(round(np.median(kept["train"])), round(np.median(kept["train"])), 9)
    assert load("digits").lengths is None
    network = Architecture(Sequential(GRU(4)), input=sequence(None, 2))
    assert Training(task).costs(network)["flops"] == network.count(length=task.lengths.counted)["flops"]


def test_a_network_that_takes_fewer_steps_is_counted_all_the_same():
    network = Sequential(PositionalEncoding("learned", longest=5), GlobalPool(), Linear(2))
    architecture = Architecture(network, input=sequence(None, 4))
    assert structural(architecture, ["flops"], None, LENGTHS) == structural(architecture, ["flops"])


def test_a_study_is_counted_on_as_it_began():
    architecture = Architecture(Sequential(GRU(4), GlobalPool()), input=sequence(None, 2))
    old, new = (structural(architecture, ["flops"], None, each) for each in (None, LENGTHS))
    trials = [Trial(n, State.COMPLETE, architecture, scores=scores) for n, scores in enumerate(({}, old, new))]
    assert lengths_for(LENGTHS, trials) is None
    assert lengths_for(LENGTHS, trials[2:]) == lengths_for(LENGTHS, []) == LENGTHS
    assert lengths_for(None, trials) is None
