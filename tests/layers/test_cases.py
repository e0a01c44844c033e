"""Every layer on many signals: what is built does what was inferred and costs what was reckoned."""

from __future__ import annotations

import copy
import pickle

import torch
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.layers import build
from nasturtium.space.infer import cost_of, infer
from nasturtium.space.signal import Signal
from nasturtium.space.text import from_text


def _outputs(result, signals):
    """The output tensors, the mask of each masked signal behind its values."""
    signals = signals if type(signals) is tuple else (signals,)
    tensors = list(result) if isinstance(result, tuple) else [result]
    assert len(tensors) == sum(1 + signal.mask for signal in signals)
    return [(signal, tensors.pop(0), tensors.pop(0) if signal.mask else None) for signal in signals]


def _inputs(case, make, **options):
    return [tensor for signal in case[1:] for tensor in make(signal, **options)]


def test_module_gives_inferred_signal_and_finite_gradients(case, tensors_for):
    layer, *signals = case
    torch.manual_seed(0)
    module = build(layer, *signals)
    loss = torch.zeros(())
    for signal, tensor, mask in _outputs(module(*_inputs(case, tensors_for)), infer(layer, *signals)):
        sizes = tuple(7 if size is None else size for size in signal.shape)
        assert tensor.shape == (3, *sizes)
        assert torch.isfinite(tensor).all()
        if mask is not None:
            assert mask.shape == (3, sizes[0])
            assert mask.dtype == torch.bool
        loss = loss + (tensor * torch.randn_like(tensor)).sum()
    parameters = list(module.parameters())
    if parameters:
        loss.backward()
    for parameter in parameters:
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()


def test_cost_equals_parameters_and_torch_counter(case, tensors_for):
    layer, *signals = case
    cost = cost_of(layer, tuple(signals))
    module = build(layer, *signals)
    assert cost.params == sum(parameter.numel() for parameter in module.parameters())
    # The counter misses fused kernels on the CPU, so it runs on the meta device; there, gathering real steps
    # is impossible, so batch normalisation runs as in evaluation, which counts the same: nothing.
    inputs = [tensor.to("meta") for tensor in _inputs(case, tensors_for, batch=1, length=1)]
    with FlopCounterMode(display=False) as counter:
        module.to("meta").eval()(*inputs)
    assert cost.flops == counter.get_total_flops()


def test_padding_changes_nothing(masked_case, tensors_for):
    layer, signal = masked_case
    torch.manual_seed(0)
    module = build(layer, signal)
    x, mask = tensors_for(signal)
    extra = torch.full((3, 7, x.shape[2]), 1e3)
    longer, longer_mask = torch.cat((x, extra), 1), torch.cat((mask, torch.zeros(3, 7, dtype=torch.bool)), 1)
    noisy = x.masked_fill(~mask.unsqueeze(-1), -77.0)
    for training in (True, False):
        results = []
        for values, real in ((x, mask), (noisy, mask), (longer, longer_mask)):
            trained = copy.deepcopy(module).train(training)
            state = trained.state_dict()
            ((out, tensor, kept),) = _outputs(trained(values, real), infer(layer, signal))
            results.append((tensor[kept] if out.mask else tensor, [state[key] for key in sorted(state)]))
        for tensor, state in results[1:]:
            torch.testing.assert_close(tensor, results[0][0])
            for one, other in zip(state, results[0][1], strict=True):
                torch.testing.assert_close(one, other)


def test_channels_last_changes_nothing(image_case, tensors_for):
    layer, *signals = image_case
    torch.manual_seed(0)
    module = build(layer, *signals).eval()
    x, *rest = _inputs(image_case, tensors_for)
    expected = module(x, *rest)
    rest = [tensor.contiguous(memory_format=torch.channels_last) if tensor.dim() == 4 else tensor for tensor in rest]
    found = module.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last), *rest)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_copies_and_state_round_trip(case, tensors_for):
    layer, *signals = case
    inputs = _inputs(case, tensors_for)
    module = build(layer, *signals).eval()
    expected = module(*inputs)
    torch.testing.assert_close(copy.deepcopy(module)(*inputs), expected)
    torch.testing.assert_close(pickle.loads(pickle.dumps(module))(*inputs), expected)  # noqa: S301 - our own bytes
    other = build(layer, *signals).eval()
    other.load_state_dict(module.state_dict())
    torch.testing.assert_close(other(*inputs), expected)
    assert repr(other) == repr(module)


def test_text_round_trip(case):
    assert from_text(str(case[0])) == case[0]


def test_shorter_than_nominal(masked_case, tensors_for):
    """A batch may be shorter than the length the network was built for."""
    layer, signal = masked_case
    shorter = signal._replace(shape=(4, signal.channels))
    result = build(layer, signal)(*tensors_for(shorter))
    inferred = infer(layer, shorter)
    assert isinstance(inferred, Signal)
    ((out, tensor, _),) = _outputs(result, inferred)
    assert tensor.shape == (3, *out.shape)
