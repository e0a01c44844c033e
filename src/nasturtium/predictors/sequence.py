"""Networks on token sequences that also decode: encoder, predictor and decoder of NAO and SemiNAS."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from nasturtium.options import integers, reals
from nasturtium.predictors.base import PredictorError, Regressor
from nasturtium.predictors.calibration import Held, split_off
from nasturtium.proxies.generators import own_numbers

Array = NDArray[Any]


class Coder(nn.Module):
    """LSTM encoder, predictor on the mean of its states, LSTM decoder that starts from it.

    Args:
        tokens: How many tokens there are; 0 stands for none.
        width: Units of each LSTM.
    """

    def __init__(self, tokens: int, width: int) -> None:
        super().__init__()
        self.tokens = tokens
        self.read = nn.Embedding(tokens + 1, width, padding_idx=0)
        self.encoder = nn.LSTM(width, width, batch_first=True)
        self.guess = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))
        self.begin = nn.Linear(width, 2 * width)
        self.write = nn.Embedding(tokens + 1, width)
        self.decoder = nn.LSTM(width, width, batch_first=True)
        self.score = nn.Linear(width, tokens + 1)

    def encode(self, tokens: torch.Tensor) -> torch.Tensor:
        """The point of each sequence, (n, h): the mean of the encoder's states, of length 1 (NAO, section 3.1)."""
        states, _ = self.encoder(self.read(tokens))
        valid = (tokens > 0).float()[:, :, None]
        return F.normalize((states * valid).sum(1) / valid.sum(1).clamp_min(1.0), dim=1)

    def predict(self, points: torch.Tensor) -> torch.Tensor:
        """The score of each point, (n,)."""
        found: torch.Tensor = self.guess(points)[:, 0]
        return found

    def started(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The decoder's state before the first token."""
        first, second = self.begin(points)[None].contiguous().chunk(2, 2)
        return first.tanh().contiguous(), second.contiguous()

    def step(
        self, before: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Scores of the next token (n, tokens + 1) after token ``before`` (n,), and the state behind it."""
        out, state = self.decoder(self.write(before)[:, None], state)
        return self.score(out[:, 0]), state

    def decode_loss(self, points: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of the tokens, each after the true ones before it."""
        before = torch.cat([torch.zeros_like(tokens[:, :1]), tokens[:, :-1]], 1)
        out, _ = self.decoder(self.write(before), self.started(points))
        return F.cross_entropy(self.score(out).flatten(0, 1), tokens.flatten(), ignore_index=0)


class SequenceModel(Regressor):
    """Encoder, predictor and decoder trained together (NAO, Luo et al. 2018, arXiv:1808.07233, equation 1).

    The loss is ``weight`` times the squared error plus the rest times the cross-entropy of the decoded tokens. With
    ``unlabelled`` rows, which are only decoded, this is the pretraining of SemiNAS (Luo et al. 2020,
    arXiv:2002.10389); pseudo-labels are left to whoever calls ``fit`` again with them. The spread is that of the
    members; the first of them gives the continuous encoding. As many more models learn from four fifths of the rows, to
    scale the spread by.

    Args:
        members: Models.
        width: Units of each LSTM.
        epochs: Passes over the training set.
        batch: Sequences in a step.
        rate: Learning rate of Adam, lowered to zero along a cosine.
        decay: Weight decay.
        weight: Of the squared error, between 0 and 1.
        size: How many tokens there are; the largest seen if not given.
        holding_out: Whether the models that scale the spread are trained.
        seed: Of first weights and orders.

    Raises:
        NasturtiumError: If an option cannot be used.
    """

    def __init__(
        self,
        members: int = 2,
        width: int = 48,
        epochs: int = 100,
        batch: int = 32,
        rate: float = 0.005,
        decay: float = 1e-4,
        weight: float = 0.8,
        size: int | None = None,
        holding_out: bool = True,
        seed: int = 0,
    ) -> None:
        integers(members=members, width=width, epochs=epochs, batch=batch)
        reals(rate=rate, decay=decay)
        if not 0 < weight <= 1:
            raise PredictorError(f"option weight={weight!r}: a number above 0 and at most 1 is expected")
        self.members, self.width, self.epochs, self.batch = members, width, epochs, batch
        self.rate, self.decay, self.weight, self.size = rate, decay, weight, size
        self.holding_out, self.seed = holding_out, seed

    def fit(self, x: Any, y: Array, unlabelled: Any = None) -> None:
        """Trains the models on tokens (n, s) and scores; further tokens (m, s) are only decoded."""
        tokens = np.asarray(x, np.int64)
        self.known = int(tokens.max(initial=1)) if self.size is None else self.size
        self.models = [self._trained(tokens, y, unlabelled, self.seed + k) for k in range(self.members)]
        self._held = None
        split = split_off(len(y), self.seed) if self.holding_out else np.zeros(0, np.int64)
        if len(split):
            seen = np.setdiff1d(np.arange(len(y)), split)
            seeds = range(self.seed + self.members, self.seed + 2 * self.members)
            others = [self._trained(tokens[seen], y[seen], unlabelled, seed) for seed in seeds]
            self._held = (*self._predicted(others, tokens[split]), y[split])

    def _tokens(self, x: Any) -> torch.Tensor:
        rows = np.asarray(x, np.int64)
        return torch.from_numpy(np.where(rows <= self.known, rows, 0))

    def _trained(self, x: Array, y: Array, unlabelled: Any, seed: int) -> Coder:
        with own_numbers(seed):
            coder = Coder(self.known, self.width)
        generator = torch.Generator().manual_seed(seed)
        parameters = list(coder.parameters())
        adam = torch.optim.AdamW(parameters, self.rate, weight_decay=self.decay, foreach=True)
        tokens, targets = self._tokens(x), torch.from_numpy(np.asarray(y, np.float32))
        further = None if unlabelled is None else self._tokens(unlabelled)
        steps = self.epochs * -(-len(targets) // self.batch)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
        for _ in range(self.epochs):
            for part in torch.split(torch.randperm(len(targets), generator=generator), self.batch):
                adam.zero_grad()
                loss = self._loss(coder, tokens[part], targets[part])
                if further is not None:
                    drawn = further[torch.randint(len(further), (self.batch,), generator=generator)]
                    loss = loss + (1 - self.weight) * coder.decode_loss(coder.encode(drawn), drawn)
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(parameters, 5.0)
                adam.step()
                schedule.step()
        adam.zero_grad()
        return coder

    def _loss(self, coder: Coder, tokens: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        points = coder.encode(tokens)
        squared = F.mse_loss(coder.predict(points), targets)
        return self.weight * squared + (1 - self.weight) * coder.decode_loss(points, tokens)

    def predict(self, x: Any) -> tuple[Array, Array]:
        """Mean and spread of the models."""
        return self._predicted(self.models, x)

    def _predicted(self, models: list[Coder], x: Any) -> tuple[Array, Array]:
        tokens = self._tokens(x)
        with torch.inference_mode():
            found = np.stack([model.predict(model.encode(tokens)).double().numpy() for model in models])
        return found.mean(0), found.std(0, ddof=1) if len(found) > 1 else np.ones(found.shape[1])

    def held_out(self) -> Held | None:
        """What the models that did not see a fifth of the rows say of them."""
        return self._held

    def improved(self, x: Any, step: float) -> torch.Tensor:
        """The points of token sequences moved by ``step`` along the gradient of the predicted score, (n, h).

        Negative steps lower the score. NAO, equation 2; the gradient is brought to length 1.
        """
        coder = self.models[0]
        with torch.enable_grad():
            points = coder.encode(self._tokens(x)).detach().requires_grad_(True)
            (slope,) = torch.autograd.grad(coder.predict(points).sum(), points)
        return F.normalize((points + step * F.normalize(slope, dim=1)).detach(), dim=1)
