"""SeqNAS on event tables: what a sequence scores does not depend on how, or beside what, it was padded."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nasturtium import spaces
from nasturtium.estimators.scoring import outputs_of
from nasturtium.tasks import Batches, load
from tests.tasks.event_tables import OPTIONS, customers

EVENTS, LABELS = customers(60)


@pytest.fixture(scope="module")
def task():
    return load(EVENTS, labels=LABELS, categorical=["shop"], **OPTIONS)


def networks(task, count=12):
    """Networks of which some have each kind of layer; their weights have been trained for a step."""
    space = spaces.make("seqnas", task.inputs, task.outputs, hidden=8)
    rng = np.random.default_rng(0)
    for number in range(count):
        torch.manual_seed(number)
        yield space.sample(rng).build()


def wider(values, mask, number):
    """The same batch with nine more steps of padding, in which anything stands."""
    more = [
        torch.nn.functional.pad(
            each, (0, 0) * (each.dim() - 2) + (0, 9), value=number if each.is_floating_point() else 1
        )
        for each in values
    ]
    return (*more, torch.nn.functional.pad(mask, (0, 9)))


def test_scores_do_not_depend_on_padding(task):
    for model in networks(task):
        model.train()
        (inputs, targets) = next(iter(Batches(task.train, 32, shuffle_seed=0)))
        torch.nn.functional.cross_entropy(model(*inputs), targets).backward()  # moves the running statistics
        model.eval()
        with torch.no_grad():
            alone = torch.cat([model(*inputs) for inputs, _ in Batches(task.train, 1)])
            together = torch.cat([model(*inputs) for inputs, _ in Batches(task.train, len(task.train))])
            ((*values, mask), _) = next(iter(Batches(task.train, len(task.train))))
            longer = model(*wider(values, mask, 7))
        assert torch.allclose(alone, together, atol=1e-5)
        assert torch.allclose(alone, longer, atol=1e-5), "what stands in the padding has no say"
        sorted_outputs, truth = outputs_of(model, Batches(task.train, 8, sort=True))
        assert torch.allclose(sorted_outputs, alone, atol=1e-5), "rows come back in the order of the split"
        assert torch.equal(truth, torch.from_numpy(task.train.targets))


def test_training_does_not_see_padding_either(task):
    short = task.train.take(np.flatnonzero(np.diff(task.train.offsets) < 6))
    ((*values, mask), _) = next(iter(Batches(short, len(short))))
    space = spaces.make("seqnas", task.inputs, task.outputs, hidden=8)
    for number in range(6):
        torch.manual_seed(number)
        model = space.sample(np.random.default_rng(number)).build().train()
        for module in model.modules():
            if isinstance(module, (torch.nn.Dropout, torch.nn.Dropout1d)) or hasattr(module, "p"):
                module.p = 0.0
        first = model(*values, mask)
        second = model(*wider(values, mask, 1))
        assert torch.allclose(first, second, atol=1e-4)


def test_it_is_the_space_to_begin_with(task):
    assert spaces.for_signal(task.inputs[0]) == "seqnas_plus"
    assert "tcn" in spaces.make("seqnas_plus", task.inputs, task.outputs).members
    assert spaces.make("seqnas", task.inputs, task.outputs).size == 3_425_438_016
