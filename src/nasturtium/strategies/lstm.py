"""The LSTM that decides in :mod:`nasturtium.strategies.controller`; the only strategies' file that imports torch."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

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

MOST = 5_000
"""So many steps are remembered between two lessons; grammars may take many more."""


class Paths(NamedTuple):
    """Derivations of a batch, step by step; one that has ended has a single option, which is taken.

    Attributes:
        reads: What the network reads, (T, B, 3).
        options: The rows of ``score`` for the options offered, filled up with zeros, (T, B, M).
        offered: Which of them are options, (T, B, M).
        places: Which of them was taken, (T, B).
    """

    reads: torch.Tensor
    options: torch.Tensor
    offered: torch.Tensor
    places: torch.Tensor

    def some(self, chosen: Sequence[int]) -> Paths:
        """Some derivations of the batch."""
        return Paths(*[each[:, list(chosen)] for each in self])


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
            self.lstm = nn.LSTM(hidden, hidden, layers)
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

    def gathered(self, paths: Sequence[Sequence[Taken]]) -> Paths:
        """Whole derivations as a batch."""
        steps, most = max(map(len, paths)), max(len(each.site.offered) for path in paths for each in path)
        reads = np.zeros((steps, len(paths), len(READS)), dtype=np.int64)
        options = np.zeros((steps, len(paths), most), dtype=np.int64)
        offered = np.zeros((steps, len(paths), most), dtype=bool)
        places = np.zeros((steps, len(paths)), dtype=np.int64)
        offered[:, :, 0] = True
        for b, path in enumerate(paths):
            before = None
            for t, step in enumerate(path):
                count = len(step.site.offered)
                reads[t, b] = self.inputs(before, step.site)
                options[t, b, :count] = self.options(step.site)
                offered[t, b, :count] = True
                places[t, b] = step.site.offered.index(step.option)
                before = step
        return Paths(*map(torch.from_numpy, (reads, options, offered, places)))

    def log_probabilities(self, paths: Paths) -> tuple[torch.Tensor, torch.Tensor]:
        """Of whole derivations: the log probability of each (B,), and the sum of its decisions' entropies (B,)."""
        read = paths.reads.unbind(2)
        value = self.option(read[0]) + self.choice(read[1]) + self.place(read[2])  # (T, B, H)
        hidden, _ = self.lstm(value)  # (T, B, H)
        scores = (hidden @ self.score.T).gather(2, paths.options)  # (T, B, M)
        logs = scores.masked_fill(~paths.offered, -1e9).log_softmax(2)  # (T, B, M); one option alone has log 1 = 0
        entropy = -(logs.exp() * logs).sum((0, 2))
        return logs.gather(2, paths.places[:, :, None]).sum((0, 2)), entropy


class Stop:
    """Where an LSTM stands after a step: its state, layer by layer, and what it met further on."""

    __slots__ = ("after", "chances", "state")

    def __init__(self, state: list[tuple[np.ndarray, np.ndarray]]) -> None:
        self.state = state
        self.after: dict[tuple[int, int, int], Stop] = {}
        self.chances: dict[tuple[int, ...], np.ndarray] = {}


class Frozen:
    """A network as it is now, in numpy, as torch takes most of its time to be called on one row.

    Steps are remembered: many derivations of the same network begin alike.

    Args:
        network: The network; what it learns later is not seen.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        known = {name: value.detach().numpy() for name, value in network.named_parameters()}
        self.tables = [known[f"{name}.weight"].copy() for name in READS]
        self.score = known["score"].copy()
        layers = range(network.lstm.num_layers)
        self.weights = [np.hstack([known[f"lstm.weight_{way}_l{n}"] for way in ("ih", "hh")]) for n in layers]
        self.biases = [known[f"lstm.bias_ih_l{n}"] + known[f"lstm.bias_hh_l{n}"] for n in layers]
        zeros = np.zeros(network.score.shape[1], dtype=np.float32)
        self.start = Stop([(zeros, zeros)] * len(layers))
        self.count = 0

    def step(self, stop: Stop, read: tuple[int, int, int]) -> Stop:
        """Where it stands after one more step."""
        known = stop.after.get(read)
        if known is not None:
            return known
        made = Stop(self._state(stop, read))
        if self.count < MOST:
            stop.after[read] = made
            self.count += 1
        return made

    def _state(self, stop: Stop, read: tuple[int, int, int]) -> list[tuple[np.ndarray, np.ndarray]]:
        value = self.tables[0][read[0]] + self.tables[1][read[1]] + self.tables[2][read[2]]
        after = []
        for weights, bias, (hidden, memory) in zip(self.weights, self.biases, stop.state, strict=True):
            gates = (weights @ np.concatenate((value, hidden)) + bias).reshape(4, -1)
            entering, kept, _, leaving = 1 / (1 + np.exp(-gates))
            memory = memory * kept + np.tanh(gates[2]) * entering
            value = np.tanh(memory) * leaving
            after.append((value, memory))
        return after

    def probabilities(self, stop: Stop, site: Site) -> np.ndarray:
        """The probability of each option offered at the site that was read last."""
        known = stop.chances.get(site.offered)
        if known is None:
            scores = (self.score[self.network.options(site)] @ stop.state[-1][0]).astype(float)
            known = np.exp(scores - scores.max())
            known /= known.sum()
            stop.chances[site.offered] = known
        return known


class Walk:
    """Follows a frozen network along one derivation, also where that goes back.

    Args:
        frozen: The network.
    """

    def __init__(self, frozen: Frozen) -> None:
        self.frozen = frozen
        self.stops = [frozen.start]
        self.reads: list[tuple[int, int, int]] = []
        self.taken: Sequence[Taken] = ()

    def probabilities(self, taken: Sequence[Taken], site: Site) -> np.ndarray:
        """The probability of each option offered at a site, after these decisions (one growing list, or another)."""
        if taken is not self.taken:
            self._go_back(taken)
        for place in range(len(self.reads), len(taken)):
            self._read(taken[place - 1] if place else None, taken[place].site)
        self._read(taken[-1] if taken else None, site)
        return self.frozen.probabilities(self.stops[-1], site)

    def _go_back(self, taken: Sequence[Taken]) -> None:
        """Forgets all that does not lead along these decisions."""
        same = 0
        for read, before, step in zip(self.reads, (None, *taken), taken, strict=False):
            if read != self.frozen.network.inputs(before, step.site):
                break
            same += 1
        self.reads, self.stops, self.taken = self.reads[:same], self.stops[: same + 1], taken

    def _read(self, before: Taken | None, site: Site) -> None:
        read = self.frozen.network.inputs(before, site)
        self.stops.append(self.frozen.step(self.stops[-1], read))
        self.reads.append(read)


def log_probability(frozen: Frozen, path: Sequence[Taken]) -> float:
    """The log probability of one derivation."""
    walk, total = Walk(frozen), 0.0
    taken: list[Taken] = []
    for step in path:
        if len(step.site.offered) > 1:
            total += float(np.log(walk.probabilities(taken, step.site)[step.site.offered.index(step.option)]))
        taken.append(step)
    return total
