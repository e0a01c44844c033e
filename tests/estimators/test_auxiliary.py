"""Auxiliary heads: their loss counts in training by its weight, and never in evaluation."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from nasturtium.errors import TrainingError
from nasturtium.estimators import Recipe, Training
from nasturtium.estimators.data import Placed
from nasturtium.estimators.run import prepare
from nasturtium.estimators.scoring import outputs_of
from nasturtium.layers import Container, ConvBlock, Flatten, GlobalPool, Linear, Sequential
from nasturtium.space import Architecture


class TwoHeads(Container):
    """A network with an auxiliary head of its own number of outputs."""

    outputs: int = 10
    auxiliary: int = 10

    def wire(self, x):
        x = yield ConvBlock(8, stride=2), x
        pooled = yield GlobalPool(), x
        flat = yield Flatten(), x
        main = yield Linear(self.outputs), flat
        return main, (yield Linear(self.auxiliary), pooled)


@pytest.fixture
def network():
    return Architecture(TwoHeads(), input=(1, 8, 8))


@pytest.mark.parametrize("weight", [0.0, 0.4, 2.0])
def test_the_loss_is_the_weighted_sum(network, digits, weight):
    placed = Placed(digits, torch.device("cpu"))
    fit = prepare(network, Recipe(auxiliary_weight=weight, precision="fp32"), placed, 1, 0)
    inputs, targets = next(iter(placed.training(fit.recipe, 0, False)))
    main, auxiliary = fit.model(*inputs)
    expected = F.cross_entropy(main, targets) + weight * F.cross_entropy(auxiliary, targets)
    torch.testing.assert_close(fit._loss((main, auxiliary), targets), expected)


@pytest.mark.parametrize("mixup", [0.0, 0.2])
def test_it_learns_and_is_scored_by_its_first_output(network, digits, notes, mixup):
    training = Training(digits, Recipe(mixup=mixup))
    assert training.evaluate(network, 6, notes())["accuracy"] > 0.6
    model = training.fit_final(network, epochs=1)
    batches = Placed(digits, torch.device("cpu")).scoring("test", channels_last=False)
    outputs, targets = outputs_of(model, batches)
    assert outputs.shape == (len(targets), 10)
    assert training.test(model).scores["accuracy"] == pytest.approx((outputs.argmax(1) == targets).float().mean())


def test_the_head_has_gradients_only_by_its_weight(network, digits):
    placed = Placed(digits, torch.device("cpu"))
    for weight, moved in ((0.0, False), (0.4, True)):
        fit = prepare(network, Recipe(auxiliary_weight=weight, weight_decay=0.0), placed, 0.1, 0)
        before = [parameter.clone() for parameter in list(fit.model.parameters())[-2:]]
        fit.run_epoch()
        after = list(fit.model.parameters())[-2:]
        assert any((one != other).any() for one, other in zip(before, after, strict=True)) == moved


def test_heads_must_answer_the_task(digits, notes):
    with pytest.raises(TrainingError, match="asks for 10 outputs"):
        Training(digits).evaluate(Architecture(TwoHeads(10, 3), input=(1, 8, 8)), 1, notes())
    plain = Architecture(Sequential(Flatten(), Linear(3)), input=(1, 8, 8))
    with pytest.raises(TrainingError, match="asks for 10 outputs"):
        Training(digits).evaluate(plain, 1, notes())


def test_the_weight_stays_out_of_the_text_at_its_default():
    assert str(Recipe()) == "Recipe()"
    assert str(Recipe(auxiliary_weight=0.5)) == "Recipe(auxiliary_weight=0.5)"
    with pytest.raises(TrainingError, match="auxiliary_weight is -1"):
        Recipe(auxiliary_weight=-1).check()
