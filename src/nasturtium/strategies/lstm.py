"""The LSTM that decides in :mod:`nasturtium.strategies.controller`; the only strategies' file that imports torch."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from nasturtium.space.sharing import choices_in
from nasturtium.strategies.policy import Site, Taken

if TYPE_CHECKING:
    from nasturtium.space import Space

PLACES = 512
"""Into so many classes addresses are hashed: grammars have no end of them."""

READS = ("option", "choice", "place")
"""What a step reads, by the names of the tables of vectors."""

State = list[tuple[torch.Tensor, torch.Tensor]]


class Network(nn.Module):
    """An LSTM that reads where the derivation stands and what was decided before, and scores the options there.

    The input of a step is the sum of three vectors: of the option taken before, of the choice to decide now, and of
    its address, hashed. The scores of options are those of the choice, so that a rule of a grammar has the same
    wherever it is applied, unless the LSTM's state says otherwise.

    Args:
        space: Whose choices are decided.
        hidden: Units of each layer.
        layers: How many layers.
        spread: Weights begin uniform between plus and minus this.
        seed: Of those first weights.
    """

    def __init__(self, space: Space, hidden: int, layers: int, spread: float, seed: int) -> None:
        super().__init__()
        choices = choices_in(space.root)
        counts = [len(choice.options) for choice in choices] or [1]
        self.rows = {choice: number for number, choice in enumerate(choices)}
        self.first = [sum(counts[:number]) for number in range(len(counts))]
        with torch.device("meta"):  # without first values of torch's own, which its global generator would draw
            self.option = nn.Embedding(sum(counts) + 1, hidden)
            self.choice = nn.Embedding(len(counts), hidden)
            self.place = nn.Embedding(PLACES, hidden)
            self.cells = nn.ModuleList([nn.LSTMCell(hidden, hidden) for _ in range(layers)])
            self.score = nn.Parameter(torch.empty(sum(counts), hidden))
        self.to_empty(device="cpu")
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-spread, spread, generator=generator)

    def inputs(self, before: Taken | None, site: Site) -> tuple[int, int, int]:
        """What the step at a site reads: the option taken before, the choice, and the class of the address."""
        option = 0 if before is None else 1 + self.first[self.rows[before.site.choice]] + before.option
        return option, self.rows[site.choice], zlib.crc32(site.address.encode()) % PLACES

    def options(self, site: Site) -> list[int]:
        """The rows of ``score`` for the options offered at a site."""
        first = self.first[self.rows[site.choice]]
        return [first + index for index in site.offered]

    def start(self, batch: int) -> State:
        """The state before the first step."""
        zeros = self.score.new_zeros(batch, self.score.shape[1])  # (B, H)
        return [(zeros, zeros) for _ in self.cells]

    def step(self, read: torch.Tensor, options: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Scores of options, and the state after the step.

        Args:
            read: What :meth:`inputs` gives, (B, 3).
            options: Which rows of ``score`` to give, (B, M).
            state: The state before.
        """
        value = self.option(read[:, 0]) + self.choice(read[:, 1]) + self.place(read[:, 2])  # (B, H)
        after: State = []
        for cell, before in zip(self.cells, state, strict=True):
            after.append(cell(value, before))
            value = after[-1][0]
        return torch.einsum("bh,bmh->bm", value, self.score[options]), after  # (B, M)

    def log_probabilities(self, paths: Sequence[Sequence[Taken]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Of whole derivations: the log probability of each (B,), and the sum of its decisions' entropies (B,)."""
        total, entropy = torch.zeros(len(paths)), torch.zeros(len(paths))
        state = self.start(len(paths))
        for t in range(max(map(len, paths))):
            read, options, offered, place = self._gathered(paths, t)
            scores, state = self.step(read, options, state)
            logs = scores.masked_fill(~offered, -1e9).log_softmax(1)  # (B, M); one option alone has log 1 = 0
            total = total + logs.gather(1, place[:, None])[:, 0]
            entropy = entropy - (logs.exp() * logs).sum(1)
        return total, entropy

    def _gathered(self, paths: Sequence[Sequence[Taken]], t: int) -> tuple[torch.Tensor, ...]:
        """What step ``t`` needs of each derivation; one that has ended has one option, which is taken."""
        read, options, place = [], [], []
        for path in paths:
            if t >= len(path):
                read.append((0, 0, 0))
                options.append([0])
                place.append(0)
                continue
            site, index = path[t]
            read.append(self.inputs(path[t - 1] if t else None, site))
            options.append(self.options(site))
            place.append(site.offered.index(index))
        most = max(map(len, options))
        offered = torch.tensor([[m < len(row) for m in range(most)] for row in options])
        padded = torch.tensor([row + [0] * (most - len(row)) for row in options])
        return torch.tensor(read), padded, offered, torch.tensor(place)


class Walk:
    """The state of a network along one derivation, also where that goes back.

    It computes in numpy on the network's own weights, as torch takes most of its time to be called on one row.

    Args:
        network: The network.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.weights = {name: value.detach().numpy() for name, value in network.named_parameters()}
        zeros = np.zeros(network.score.shape[1], dtype=np.float32)
        self.states: list[list[tuple[np.ndarray, np.ndarray]]] = [[(zeros, zeros)] * len(network.cells)]
        self.reads: list[tuple[int, int, int]] = []
        self.taken: Sequence[Taken] = ()

    def probabilities(self, taken: Sequence[Taken], site: Site) -> np.ndarray:
        """The probability of each option offered at a site, after these decisions (one growing list, or another)."""
        if taken is not self.taken:
            self._go_back(taken)
        for place in range(len(self.reads), len(taken)):
            self._read(taken[place - 1] if place else None, taken[place].site)
        hidden = self._read(taken[-1] if taken else None, site)
        scores = (self.weights["score"][self.network.options(site)] @ hidden).astype(float)
        weights: np.ndarray = np.exp(scores - scores.max())
        weights /= weights.sum()
        return weights

    def _go_back(self, taken: Sequence[Taken]) -> None:
        """Forgets all that does not lead along these decisions."""
        same = 0
        for read, before, step in zip(self.reads, (None, *taken), taken, strict=False):
            if read != self.network.inputs(before, step.site):
                break
            same += 1
        self.reads, self.states, self.taken = self.reads[:same], self.states[: same + 1], taken

    def _read(self, before: Taken | None, site: Site) -> np.ndarray:
        """One step; gives the output of the last layer."""
        read = self.network.inputs(before, site)
        known = self.weights
        value: np.ndarray = sum(known[f"{name}.weight"][n] for name, n in zip(READS, read, strict=True))
        after = []
        for layer, (hidden, memory) in enumerate(self.states[-1]):
            name = f"cells.{layer}"
            gates = known[f"{name}.weight_ih"] @ value + known[f"{name}.bias_ih"]
            gates = gates + known[f"{name}.weight_hh"] @ hidden + known[f"{name}.bias_hh"]
            entering, kept, new, leaving = gates.reshape(4, -1)
            memory = memory / (1 + np.exp(-kept)) + np.tanh(new) / (1 + np.exp(-entering))
            value = np.tanh(memory) / (1 + np.exp(-leaving))
            after.append((value, memory))
        self.reads.append(read)
        self.states.append(after)
        return value


def log_probability(network: Network, path: Sequence[Taken]) -> float:
    """The log probability of one derivation."""
    walk, total = Walk(network), 0.0
    taken: list[Taken] = []
    for step in path:
        if len(step.site.offered) > 1:
            total += float(np.log(walk.probabilities(taken, step.site)[step.site.offered.index(step.option)]))
        taken.append(step)
    return total
