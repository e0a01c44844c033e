"""SeqNAS: sizes, laws, sampling, padding, and what its published code gets wrong."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from nasturtium.errors import SpaceError
from nasturtium.space.signal import Signal, group, image, sequence, tokens
from nasturtium.spaces.seqnas import seqnas
from nasturtium.spaces.seqnas_code import SEARCHED, to_bits
from nasturtium.spaces.seqnas_plus import seqnas_plus
from nasturtium.testing import check_space
from nasturtium.testing.running import made_up, run_once
from tests.spaces.event_inputs import events

KINDS = {
    "sequence": (sequence(20, 2), {"numeric_embedding": 3}),
    "masked": (sequence(None, 1, mask=True), {"numeric_embedding": 6}),
    "tokens": (tokens(None, 9, mask=True), {}),
    "times": (events(None, (5,), 0, times=True, mask=True), {"embedding": 7}),
    "events": (events(None, (5, 9), 2, times=True, mask=True), {"embedding": 3, "numeric_embedding": 2}),
    "group": (events(12, (5,), 1), {}),
}


def _small(kind: str):
    input, options = KINDS[kind]
    return seqnas(input, 3, hidden=4, **options)


def test_published_sizes():
    assert seqnas().size == 3_425_438_016
    assert seqnas(events(250, (*[42] * 15, 44), 3), 2).size == 3_425_438_016
    assert seqnas(tokens(None, 50, mask=True)).size == 428_179_752
    assert seqnas((8, 1)).size == 3_425_438_016 * 3 // 4  # 1 + 8 // 4 * 2 is 5 again


@pytest.mark.parametrize("kind", KINDS)
def test_laws(kind):
    check_space(_small(kind), seeds=2)


@pytest.mark.parametrize("kind", KINDS)
def test_200_networks_run_and_differentiate(kind):
    space, rng = _small(kind), np.random.default_rng(1)
    for seed in range(34):
        run_once(space.sample(rng, uniform=seed % 2 == 0), 3, seed)


def test_every_choice_is_uniform_as_published():
    space, rng = seqnas((96, 1)), np.random.default_rng(0)
    codes = np.array([list(map(int, space.to_notation(space.sample(rng)))) for _ in range(2000)])
    encoder, decoder = codes[:, 6], codes[:, 70]
    near = {"abs": 0.05}
    assert [encoder.mean(), decoder.mean(), codes[:, 5].mean()] == pytest.approx([0.5] * 3, **near)
    assert [codes[encoder == 1, 7].mean(), codes[encoder == 1, 8].mean()] == pytest.approx([2 / 3, 1 / 3], **near)
    assert codes[encoder == 1, 10:17].mean(0) == pytest.approx([1 / 7] * 7, **near)
    assert codes[:, :4].mean(0) == pytest.approx([1 / 4] * 4, **near)
    assert codes[:, -3:].mean(0) == pytest.approx([1 / 3] * 3, **near)


def test_uniform_sampling_is_over_architectures():
    space, rng = seqnas(), np.random.default_rng(0)
    codes = [space.to_notation(space.sample(rng, uniform=True)) for _ in range(300)]
    # 19^4 of 130,702 encoders have four layers; a network without encoder is one in 130,702.
    assert sum(code[9] == "1" for code in codes) > 290
    assert sum(code[71] == "1" for code in codes) == pytest.approx(300 * 256 / 273, abs=25)


CODE = to_bits(SEARCHED["AGE"])


def _stretched(tensors: list[torch.Tensor], signal: Signal, more: int) -> list[torch.Tensor]:
    """The same sequences with ``more`` steps of rubbish behind them."""
    made = []
    for place, tensor in enumerate(tensors):
        shape = (tensor.shape[0], more, *tensor.shape[2:])
        if place == len(tensors) - 1:
            rest = torch.zeros(shape, dtype=torch.bool)
        else:
            rest = torch.full(shape, 4 if tensor.dtype == torch.int64 else 1e4, dtype=tensor.dtype)
        made.append(torch.cat([tensor, rest], 1))
    return made


@pytest.mark.parametrize("kind", ["masked", "tokens", "times", "events"])
def test_padding_changes_nothing(kind):
    """Defect 6 (and 5: padded times) of the published code."""
    space, rng = _small(kind), np.random.default_rng(2)
    torch.manual_seed(0)
    for number in range(50):
        model = space.sample(rng, uniform=number % 2 == 0).build().eval()
        tensors = made_up(KINDS[kind][0], 3)
        tensors[-1] = torch.arange(tensors[0].shape[1]) < torch.tensor([[12], [7], [1]])
        before = model(*tensors)
        for more in (0, 3, 17):
            assert torch.allclose(model(*_stretched(tensors, KINDS[kind][0], more)), before, atol=2e-5)
        for row, length in enumerate((12, 7, 1)):  # alone and unpadded; defect 12: any batch size will do
            alone = model(*[tensor[row : row + 1, :length] for tensor in tensors])
            assert torch.allclose(alone, before[row : row + 1], atol=2e-5)


def test_padding_does_not_reach_the_running_statistics():
    torch.manual_seed(0)
    models = [_small("masked").member("RBchurn").build() for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    tensors = made_up(KINDS["masked"][0], 8)
    models[0](*tensors)
    models[1](*_stretched(tensors, KINDS["masked"][0], 9))
    norms = [next(m for m in model.modules() if isinstance(m, torch.nn.BatchNorm1d)) for model in models]
    assert torch.allclose(norms[0].running_mean, norms[1].running_mean, atol=1e-6)
    assert torch.allclose(norms[0].running_var, norms[1].running_var, atol=1e-6)


def test_equal_times_and_empty_sequences_give_numbers():
    """Defect 5: 0/0 where all times are equal."""
    space, rng = _small("events"), np.random.default_rng(3)
    codes = [(space.sample(rng), number) for number in range(40)]
    for architecture, number in codes:
        tensors = made_up(KINDS["events"][0], 3)
        tensors[-2] = torch.full_like(tensors[-2], 5.0)
        tensors[-1][0] = number % 2 == 0
        assert torch.isfinite(architecture.build().eval()(*tensors)).all()


def test_times_matter_only_relative_to_their_sequence():
    space = _small("times")
    architecture = space.from_notation("1" + "0" * 112 + "0100")
    model = architecture.build().eval()
    kinds, times, mask = made_up(KINDS["times"][0], 2)
    assert torch.allclose(model(kinds, times * 30 + 7, mask), model(kinds, times, mask), atol=1e-4)
    assert not torch.allclose(model(kinds, times.square(), mask), model(kinds, times, mask), atol=1e-4)


def test_no_layer_is_built_that_was_not_chosen():
    """Defect 16: neither supernet nor copies of it."""
    space = seqnas((96, 1), hidden=8)
    names = [type(module).__name__ for module in space.from_notation(CODE).build().modules()]
    assert (names.count("MixtureOfHeads"), names.count("Recurrent"), names.count("SequenceConv1d")) == (3, 3, 3)
    alone = "1000" + "0" * 114 + "0100"
    assert len(list(space.from_notation(alone).build().parameters())) == 6


def test_scales_start_at_one_and_the_first_loss_is_that_of_guessing():
    """Defect 7: scales drawn from N(0, 1)."""
    torch.manual_seed(0)
    space, rng, losses = seqnas((32, 2), 2), np.random.default_rng(4), []
    for _ in range(30):
        model = space.sample(rng).build()
        scales = [value for name, value in model.named_parameters() if name.endswith("scale")]
        assert all((scale == 1).all() for scale in scales)
        losses.append(torch.nn.functional.cross_entropy(model(torch.randn(64, 32, 2)), torch.arange(64) % 2).item())
    assert np.median(losses) == pytest.approx(np.log(2), abs=0.12)


def test_automatic_widths():
    def width(*input, **options):
        return seqnas(*input, **options).architecture((0,) * 7).value.layers[0].signal(*seqnas(*input).input).channels

    # min(600, round(1.6 n^0.56)): 203 -> 31, 5 -> 4
    assert seqnas(events(9, (204, 6), 0)).root.layers[0].embeddings == (31, 4)
    assert width(events(20, (204, 6), 2)) == 31 + 4 + 2 * 17
    assert [width((20, count)) for count in (1, 4, 100)] == [32, 64, 200]
    assert width((20, 3), numeric_embedding=5) == 15


def test_narrow_networks_are_offered_fewer_parts():
    space = seqnas((30, 2), numeric_embedding=1)
    assert space.size == 4 * 2 * 2 * (1 + 15 + 15**2 + 15**4) * 273 * 6
    all_three = CODE[:6] + "1000" + "0000001" + "0" * 21 + "1" + "0" * 31 + "0" * 48 + "0001"
    with pytest.raises(SpaceError, match="offered"):
        _ = space.from_notation(all_three).value


@pytest.mark.parametrize(
    ("input", "options", "why"),
    [
        (image(1, 8, 8), {}, "takes one sequence or tokens or group"),
        (group(times=sequence(9, 1)), {}, "a group of sequences and tokens"),
        (group(x=sequence(9, 1, mask=True)), {}, "one mask for all"),
        (group(x=sequence(9, 1), y=tokens(8, 4)), {}, "differ in length"),
        (group(x=sequence(9, 1), times=sequence(9, 2)), {}, r"times must be a sequence \(T, 1\)"),
        ((9, 1), {"embedding": "auto", "numeric_embedding": "wide"}, "numeric_embedding must be a whole number"),
        ((9, 1), {"hidden": 0}, "hidden must be"),
    ],
)
def test_what_cannot_be_used(input, options, why):
    with pytest.raises(SpaceError, match=why):
        seqnas(input, **options)


def test_the_space_travels_to_other_processes():
    space = _small("events")
    there = pickle.loads(pickle.dumps(space))  # noqa: S301 - our own bytes
    assert there.fingerprint == space.fingerprint
    assert there.from_notation(CODE).canonical == space.member("AGE").canonical


def test_learns_whether_a_kind_comes_late():
    torch.manual_seed(0)
    input = events(None, (4,), 0, times=True, mask=True)
    model = seqnas(input, 2, embedding=16, hidden=8, span=6.0).from_notation("1" + "0" * 112 + "0001").build()
    kinds = torch.ones(128, 10, dtype=torch.int64)
    target = torch.arange(128) % 2
    kinds[torch.arange(128), torch.where(target == 0, 2, 7)] = 2
    times = torch.arange(10.0).view(1, -1, 1).expand(128, -1, -1) + torch.rand(128, 1, 1) * 50
    optimizer = torch.optim.Adam(model.parameters(), 0.03)
    for _ in range(60):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(kinds, times, torch.ones(128, 10, dtype=torch.bool)), target)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3


def test_the_space_with_more_of_everything_ignores_padding():
    """Networks of ``seqnas_plus`` on categories, numbers and times with a mask: padding changes nothing."""
    signal = group(kind=tokens(None, 9), sizes=sequence(None, 2), times=sequence(None, 1))._replace(mask=True)
    space = seqnas_plus(signal, 3, embedding=4, numeric_embedding=3, hidden=4)
    torch.manual_seed(0)
    kinds, sizes, times = torch.randint(0, 9, (2, 6)), torch.randn(2, 6, 2), torch.rand(2, 6, 1).cumsum(1)
    mask = torch.tensor([[True] * 6, [True] * 4 + [False] * 2])
    texts = []
    known = [space.member(name) for name in space.members]
    for architecture in [*known, *[space.sample(np.random.default_rng(seed)) for seed in range(24)]]:
        texts.append(str(architecture))
        model = architecture.build().eval()
        given = model(kinds, sizes, times, mask)
        more = [torch.cat((each, torch.full_like(each[:, :3], 5)), 1) for each in (kinds, sizes, times)]
        longer = torch.cat((mask, torch.zeros(2, 3, dtype=torch.bool)), 1)
        torch.testing.assert_close(model(*more, longer), given, rtol=1e-4, atol=1e-5)
    wanted = ("GapEncoding", "StateSpace", "LSTM", "AttentionPool", "Residual")
    assert all(any(name in text for text in texts) for name in wanted)


@pytest.mark.parametrize("signal", [sequence(96, 1), tokens(None, 9, mask=True), events(None, (5,), 0, times=True)])
def test_known_networks_are_members_of_the_space_with_more_of_everything(signal):
    space = seqnas_plus(signal, 3)
    networks = [space.member(name) for name in ("gru", "lstm", "transformer", "state_space", "mixed", "tcn", "pooled")]
    assert len({network.canonical for network in networks}) == len(space.members) == 7
    assert all(network in space for network in networks)


def test_encoder_layers_have_the_allowed_operations_alone():
    attention = seqnas_plus((96, 1), 3, operations=["attention"])
    both = seqnas_plus((96, 1), 3, operations=["attention", "block"])
    assert attention.size < both.size < seqnas_plus((96, 1), 3).size
    assert set(attention.members) == {"transformer", "pooled"}
    assert set(both.members) == {"transformer", "tcn", "pooled"}
    texts = " ".join(str(attention.sample(np.random.default_rng(seed))) for seed in range(20))
    assert "EventEncoderLayer((MixtureOfHeads" in texts
    assert not any(name in texts for name in ("GRU", "LSTM", "StateSpace", "Residual", "SeparableConv1d"))
    with pytest.raises(SpaceError, match="attention, recurrence"):
        seqnas_plus((96, 1), 3, operations=["gru"])
