"""The sequence model: it decodes what it encoded, follows its gradient, and only takes options that are offered."""

import numpy as np
import pytest
import torch

from nasturtium.predictors import PredictorError, make
from nasturtium.predictors.continuous import decode, embed, improve
from nasturtium.predictors.sequence import Coder, SequenceModel
from nasturtium.strategies import make as make_strategy
from tests.predictors.common import scored, small_space
from tests.skeletons.small import toy_grammar

SPACE = small_space()
TRAINED, SCORES = scored(SPACE, 60)


@pytest.fixture(scope="module")
def fitted():
    return make("nao", space=SPACE, members=1, epochs=150).fit(TRAINED, SCORES)


def test_what_was_encoded_is_decoded(fitted):
    again = improve(fitted, TRAINED, 0.0)
    same = [one == other for one, other in zip(again, TRAINED, strict=True)]
    assert np.mean(same) > 0.8
    torch.testing.assert_close(embed(fitted, TRAINED).norm(dim=1), torch.ones(60))


def test_steps_along_the_gradient_raise_the_predicted_score(fitted):
    model = fitted.regressor
    tokens = fitted.encoder(TRAINED)
    with torch.no_grad():
        scores = [model.models[0].predict(model.improved(tokens, step)) for step in (-0.1, 0.0, 0.1)]
    assert ((scores[0] < scores[1]) & (scores[1] < scores[2])).float().mean() > 0.95
    worst = [TRAINED[k] for k in np.argsort(SCORES)[:15]]
    better = [each for each in improve(fitted, worst, 1.0) if each is not None]
    assert fitted.predict(better)[0].mean() > fitted.predict(worst)[0].mean() + 1.0


def test_the_gradient_is_that_of_finite_differences(fitted):
    coder = fitted.regressor.models[0]
    point = embed(fitted, TRAINED[:1]).double()
    coder = Coder(coder.tokens, 48).double()
    point.requires_grad_(True)
    assert torch.autograd.gradcheck(coder.predict, (point,))


def test_grammars_are_decoded_by_their_rules():
    space, rng = toy_grammar(), np.random.default_rng(0)
    sampled = [space.sample(rng) for _ in range(30)]
    predictor = make("nao", space=space, members=1, epochs=10).fit(sampled, np.arange(30.0))
    generator = torch.Generator().manual_seed(0)
    found = [decode(predictor, torch.randn(48, generator=generator)) for _ in range(10)]
    assert all(each is None or each in space for each in found)
    assert any(each is not None for each in found)


def test_unlabelled_sequences_are_learned_to_decode():
    encoder = make("nao", space=SPACE).encoder
    encoder.fit(TRAINED)
    everything = encoder(list(SPACE.enumerate()))
    y = (SCORES - SCORES.mean()) / SCORES.std()
    few, y = encoder(TRAINED[:16]), y[:16]

    def lost(unlabelled):
        model = SequenceModel(members=1, epochs=60, size=int(everything.max()))
        model.fit(few, y, unlabelled)
        tokens = torch.from_numpy(everything)
        with torch.no_grad():
            return float(model.models[0].decode_loss(model.models[0].encode(tokens), tokens))

    assert lost(everything) < 0.85 * lost(None)


def test_the_spread_is_scaled_by_models_that_saw_none_of_the_rows_they_are_asked_of(monkeypatch):
    trained = []

    def noted(model, x, *rest):
        trained.append((original(model, x, *rest), x))
        return trained[-1][0]

    original = SequenceModel._trained
    monkeypatch.setattr(SequenceModel, "_trained", noted)
    model = SequenceModel(members=2, epochs=3)
    encoder = make("nao", space=SPACE).encoder
    encoder.fit(TRAINED)
    tokens = encoder(TRAINED)
    model.fit(tokens, (SCORES - SCORES.mean()) / SCORES.std())
    assert [len(x) for _, x in trained] == [60, 60, 48, 48]
    mean, std, truth = model.held_out()
    held = [row for row in tokens.tolist() if row not in trained[2][1].tolist()]
    with torch.no_grad():
        said = [coder.predict(coder.encode(model._tokens(held))).double().numpy() for coder, _ in trained[2:]]
    assert len(held) == len(truth) == 12
    np.testing.assert_allclose(mean, np.mean(said, 0), rtol=1e-5)
    np.testing.assert_allclose(std, np.std(said, 0, ddof=1), rtol=1e-5)


def test_nothing_is_held_out_where_nobody_looks_at_the_spread():
    kept = make("nao", space=SPACE, members=1, epochs=3, holding_out=False).fit(TRAINED, SCORES)
    assert kept.regressor.held_out() is None
    assert kept.factor == 1.0
    scaled = make("nao", space=SPACE, members=1, epochs=3).fit(TRAINED, SCORES)
    np.testing.assert_array_equal(kept.predict(TRAINED)[0], scaled.predict(TRAINED)[0])
    strategy = make_strategy("nao", space=SPACE)
    assert not strategy.made(30).regressor.holding_out


def test_what_has_no_continuous_encoding_is_refused():
    with pytest.raises(PredictorError, match="fit a predictor 'nao' first"):
        improve(make("nao", space=SPACE), TRAINED[:1], 1.0)
    with pytest.raises(PredictorError, match="fit a predictor 'nao' first"):
        embed(make("linear", space=SPACE).fit(TRAINED, SCORES), TRAINED[:1])
    with pytest.raises(PredictorError, match="weight=0"):
        make("nao", space=SPACE, weight=0)
