"""Proxies made of weights and gradients: grad_norm, snip, plain, grasp, fisher; of weights alone: l2_norm, params."""

from __future__ import annotations

from torch import Tensor

from nasturtium.proxies.failing import Undefined
from nasturtium.proxies.passes import Measured
from nasturtium.proxies.precision import double


def grad_norm(found: Measured) -> float:
    """The sum over layers of the norm of the gradient: sum_l ||dL/dW_l|| (not the norm of all together)."""
    return sum(float(double(gradient).norm()) for _, gradient in _pairs(found))


def snip(found: Measured) -> float:
    """The sum of |w dL/dw|, what the loss would change by if each weight were taken out (Lee et al. 2019, eq. 6)."""
    return sum(float(double(weight * gradient).abs().sum()) for weight, gradient in _pairs(found))


def plain(found: Measured) -> float:
    """The sum of w dL/dw, signed."""
    return sum(float(double(weight * gradient).sum()) for weight, gradient in _pairs(found))


def grasp(found: Measured) -> float:
    """The sum of -w (Hg)_w with Hessian H and gradient g (Wang et al. 2020, eq. 8, where it has the other sign)."""
    if not found.curvature:
        raise Undefined("the loss depends on no weight")
    pairs = zip(found.weights, found.curvature, strict=True)
    return -sum(float(double(weight.detach() * each).sum()) for weight, each in pairs if each is not None)


def fisher(found: Measured) -> float:
    """The sum over channels of mean_n (sum_places a dL/da)^2 / 2, each as often as the channel has weights.

    Activations a are what convolutions and linear maps give (Theis et al. 2018, eq. 5; Turner et al. 2020). Weighing
    by the weights of a channel is what the published code does, which spreads each value over them.
    """
    if not found.channels:
        raise Undefined("no convolution or linear map takes part")
    return sum(count * 0.5 * float(double(sums).square().mean(0).sum()) for count, sums in found.channels)


def l2_norm(found: Measured) -> float:
    """The sum over layers of the norm of the weights: sum_l ||W_l||."""
    if not found.weights:
        raise Undefined("the network has no weights")
    return sum(float(double(weight.detach()).norm()) for weight in found.weights)


def params(found: Measured) -> float:
    """The number of parameters, biases and norms included."""
    return float(sum(each.numel() for each in found.batch.model.parameters()))


def flops(found: Measured) -> float:
    """FLOPs of a row, two a multiply-accumulate, of all convolutions and matrix products that the network runs."""
    return 0.0 if found.watch is None else found.watch.flops / found.batch.rows


def _pairs(found: Measured) -> list[tuple[Tensor, Tensor]]:
    pairs = found.pairs()
    if not pairs:
        raise Undefined("the loss depends on no weight")
    return pairs
