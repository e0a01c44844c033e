"""Search in the continuous encoding: embed, step along the gradient of the predicted score, decode by greedy choice."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from nasturtium.predictors.base import Predictor, PredictorError
from nasturtium.predictors.sequence import Coder, SequenceModel
from nasturtium.space.architecture import Architecture
from nasturtium.space.choice import Choice
from nasturtium.space.encoding import token_offsets
from nasturtium.space.limits import TooLarge
from nasturtium.space.points import Exhausted
from nasturtium.space.space import Space


def embed(predictor: Predictor, architectures: Sequence[Architecture]) -> torch.Tensor:
    """The points of architectures in the continuous encoding, (n, h), each of length 1.

    Raises:
        PredictorError: If the predictor has no such encoding.
    """
    return _model(predictor).improved(predictor.encoder(_own(predictor, architectures)), 0.0)


def improve(predictor: Predictor, architectures: Sequence[Architecture], step: float) -> list[Architecture | None]:
    """What NAO makes of architectures: their points moved along the gradient of the predicted score, and decoded.

    Args:
        predictor: A fitted ``nao``.
        architectures: Where to begin, usually the best so far.
        step: How far, where points have length 1; below 0 where less is better. The further, the more changes.

    Returns:
        An architecture each, which may be the one it began with; None where decoding led into a dead end.

    Raises:
        PredictorError: If the predictor has no continuous encoding.
    """
    model = _model(predictor)
    points = model.improved(predictor.encoder(_own(predictor, architectures)), step)
    return [decode(predictor, point) for point in points]


def decode(predictor: Predictor, point: torch.Tensor) -> Architecture | None:
    """The architecture that is derived by taking, at each choice, the offered option with the highest score.

    Where a derivation meets a dead end it goes back, and the decoder is asked again among what remains.
    """
    space, coder = predictor.encoder.space, _model(predictor).models[0]
    try:
        with torch.inference_mode():
            architecture = _derived(space, coder, point[None])
    except (TooLarge, Exhausted):
        return None
    return architecture if space.admits(architecture) else None


def _derived(space: Space, coder: Coder, point: torch.Tensor) -> Architecture:
    offsets = token_offsets(space)
    derivation = space.derive()
    states = [coder.started(point)]
    tokens = [0]
    while (stop := derivation.point) is not None:
        if derivation.count + 1 != len(tokens):  # a dead end has led back, and perhaps on again
            taken = [offsets[step.point.choice] + step.taken + 1 for step in derivation.taken()]
            states, tokens = _again(coder, point, taken)
        scores, state = coder.step(torch.tensor([tokens[-1]]), states[-1])
        option = _best(scores[0], stop.choice, stop.remaining, offsets)
        states.append(state)
        tokens.append(_known(offsets[stop.choice] + option + 1, coder))
        derivation.take(option)
    return space.finished(derivation)


def _again(
    coder: Coder, point: torch.Tensor, taken: Sequence[int]
) -> tuple[list[tuple[torch.Tensor, torch.Tensor]], list[int]]:
    """The decoder's states along tokens that are settled."""
    states, tokens = [coder.started(point)], [0]
    for token in taken:
        states.append(coder.step(torch.tensor([tokens[-1]]), states[-1])[1])
        tokens.append(_known(token, coder))
    return states, tokens


def _best(scores: torch.Tensor, choice: Choice, offered: Sequence[int], offsets: dict[Choice, int]) -> int:
    first = offsets[choice] + 1
    known = [float(scores[first + option]) if first + option < len(scores) else -1e9 for option in offered]
    return offered[max(range(len(known)), key=known.__getitem__)]


def _known(token: int, coder: Coder) -> int:
    return token if token <= coder.tokens else 0


def _own(predictor: Predictor, architectures: Sequence[Architecture]) -> list[Architecture]:
    return [predictor.encoder.space.adopt(architecture) for architecture in architectures]


def _model(predictor: Predictor) -> SequenceModel:
    if not isinstance(predictor.regressor, SequenceModel) or not hasattr(predictor.regressor, "models"):
        raise PredictorError(f"{predictor!r} has no continuous encoding: fit a predictor 'nao' first")
    if predictor.features:
        raise PredictorError("architectures are decoded from their tokens alone: make the predictor without features")
    return predictor.regressor
