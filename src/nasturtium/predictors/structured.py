"""Kernels on decisions and graphs: Hamming, Weisfeiler-Lehman, and exponentials of distances between networks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nasturtium.predictors.distances import distances
from nasturtium.predictors.graphs import Graphs, blocks
from nasturtium.predictors.kernels import AMPLITUDE, Kernel

Array = NDArray[Any]


class Shaped(Kernel):
    """Base of v exp(-d / l) for a distance d that needs nothing but the rows."""

    @abstractmethod
    def distance(self, a: Any, b: Any) -> Array:
        """Distances of rows, (n, m)."""

    def prepared(self, x: Any) -> Array:
        """Distances of the training rows."""
        return self.distance(x, x)

    def bounds(self, prepared: Array) -> list[tuple[float, float]]:
        """Length scales of 0.05 to 50 times the median distance."""
        middle = self._middle(prepared)
        return [tuple(np.log(AMPLITUDE)), (np.log(0.05 * middle), np.log(50 * middle))]

    def start(self, prepared: Array) -> Array:
        """Variance 1 and the median distance."""
        return np.array([0.0, np.log(self._middle(prepared))])

    def _middle(self, prepared: Array) -> float:
        positive = prepared[prepared > 0]
        return float(np.median(positive)) if len(positive) else 1.0

    def covariance(self, theta: Array, prepared: Array) -> Array:
        """Of the training rows."""
        return _fallen(theta, prepared)

    def pullback(self, theta: Array, prepared: Array, outer: Array) -> Array:
        """By variance and length scale."""
        weighted = outer * _fallen(theta, prepared)
        return np.array([weighted.sum(), np.sum(weighted * prepared) * np.exp(-theta[1])])

    def between(self, theta: Array, x: Any, training: Any) -> tuple[Array, Array]:
        """Covariance of new and training rows."""
        cross = _fallen(theta, self.distance(x, training))
        return cross, np.full(len(cross), np.exp(theta[0]))


class Hamming(Shaped):
    """v exp(-d / l), d the number of decisions that differ, from one-hot rows (or half the difference of counts)."""

    def distance(self, a: Any, b: Any) -> Array:
        """Half the sum of absolute differences; by products where rows hold only 0 and 1."""
        first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
        if np.all((first == 0) | (first == 1)) and np.all((second == 0) | (second == 1)):
            return np.asarray(0.5 * (first.sum(1)[:, None] + second.sum(1)[None]) - first @ second.T)
        from scipy.spatial.distance import cdist

        return 0.5 * np.asarray(cdist(first, second, "cityblock"))


class DistanceKernel(Shaped):
    """v exp(-d / l), d a distance between networks; where d is no metric of negative type, noise keeps it positive.

    Args:
        kind: ``edit`` (Jin et al. 2018, Auto-Keras) or ``transport`` (Kandasamy et al. 2018, NASBOT).
    """

    graphs = True

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def distance(self, a: Graphs, b: Graphs) -> Array:
        """Distances of networks."""
        return distances(self.kind, a, b)

    def prepared(self, x: Graphs) -> Array:
        """Distances of the training networks."""
        return self.distance(x, x)

    def covariance(self, theta: Array, prepared: Array) -> Array:
        """Of the training rows; the diagonal is lifted as far as the smallest eigenvalue asks for.

        The gradient takes the lift as constant. It is noise of the training rows, and no covariance with others, be
        they the same networks.
        """
        found = _fallen(theta, prepared)
        return found + _lift(found) * np.eye(len(found))


def _fallen(theta: Array, distances: Array) -> Array:
    return np.asarray(np.exp(theta[0] - distances * np.exp(-theta[1])))


def _lift(matrix: Array) -> float:
    least = float(np.linalg.eigvalsh(matrix)[0])
    return max(0.0, -1.01 * least)


class Counted(NamedTuple):
    """Features that were seen in training by their hash in order, their counts (n, f), and covariances (n, n)."""

    hashes: NDArray[np.uint64]
    counts: Array
    norm: Array
    products: Array


class WeisfeilerLehman(Kernel):
    """v times the normalised Weisfeiler-Lehman subtree kernel on graphs of what was decided (NASBOWL).

    Ru et al. 2021 (arXiv:2006.07556), section 3.1: counts of the labels that ``depth`` rounds of refinement give, from
    0 to depth, labels being refined by those of the nodes that feed a node; the depth by marginal likelihood.
    Their sum over depths is unweighted, as here; counts are normalised to length 1.

    Args:
        depths: Those that are tried.
    """

    graphs = True

    def __init__(self, depths: Sequence[int] = (0, 1, 2, 3)) -> None:
        self.depths, self.depth = tuple(depths), depths[0]
        self._known: tuple[Graphs, int, Counted] | None = None

    def variants(self, x: Any) -> int:
        """One for each depth."""
        return len(self.depths)

    def choose(self, variant: int) -> None:
        """Takes a depth."""
        self.depth = self.depths[variant]

    def prepared(self, x: Graphs) -> Counted:
        """Counts of the training graphs."""
        refined = refinements(x, self.depth)
        hashes = np.unique(np.concatenate([labels[x.labels >= 0] for labels in refined]))
        counts, norm = counted(refined, x, hashes)
        normal = counts / norm[:, None]
        return Counted(hashes, counts, norm, normal @ normal.T)

    def bounds(self, prepared: Counted) -> list[tuple[float, float]]:
        """Of the variance."""
        return [tuple(np.log(AMPLITUDE))]

    def start(self, prepared: Counted) -> Array:
        """Variance 1."""
        return np.zeros(1)

    def covariance(self, theta: Array, prepared: Counted) -> Array:
        """Of the training graphs."""
        return np.asarray(np.exp(theta[0]) * prepared.products)

    def pullback(self, theta: Array, prepared: Counted, outer: Array) -> Array:
        """By the variance."""
        return np.array([np.exp(theta[0]) * np.sum(outer * prepared.products)])

    def between(self, theta: Array, x: Graphs, training: Graphs) -> tuple[Array, Array]:
        """Covariance of new and training graphs."""
        if self._known is None or self._known[0] is not training or self._known[1] != self.depth:
            self._known = training, self.depth, self.prepared(training)
        known = self._known[2]
        counts, norm = counted(refinements(x, self.depth), x, known.hashes)
        cross = (counts / norm[:, None]) @ (known.counts / known.norm[:, None]).T
        return np.exp(theta[0]) * cross, np.full(len(cross), np.exp(theta[0]))


MULTIPLIERS = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], np.uint64)


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """A number that looks random from each number (splitmix64, Steele et al. 2014); sums wrap around."""
    found = (values + MULTIPLIERS[0]).astype(np.uint64)
    found = (found ^ (found >> np.uint64(30))) * MULTIPLIERS[1]
    found = (found ^ (found >> np.uint64(27))) * MULTIPLIERS[2]
    return np.asarray(found ^ (found >> np.uint64(31)))


def refinements(graphs: Graphs, depth: int) -> list[NDArray[np.uint64]]:
    """The label of each node after 0 to ``depth`` rounds, (n, s) each.

    A label becomes a hash of itself and of the multiset of labels that feed the node (a sum of mixed labels).
    """
    parts = [_refined(graphs.rows(part), depth) for part in _parts(graphs)]
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def _parts(graphs: Graphs) -> list[slice]:
    return list(blocks([graphs.labels.shape[1]] * len(graphs.labels), len(graphs.labels)))


def _refined(graphs: Graphs, depth: int) -> list[NDArray[np.uint64]]:
    feeds = graphs.adjacency.astype(np.uint64).transpose(0, 2, 1)  # (n, target, source)
    labels = mixed((graphs.labels + 2).astype(np.uint64))
    found = [labels]
    for _ in range(depth):
        fed = np.matmul(feeds, mixed(labels)[:, :, None])[:, :, 0]
        labels = mixed(labels * MULTIPLIERS[1] + mixed(fed))
        found.append(labels)
    return found


def counted(refined: list[NDArray[np.uint64]], graphs: Graphs, hashes: NDArray[np.uint64]) -> tuple[Array, Array]:
    """How often each known label occurs in each graph (n, f), and the length of the vector of all counts (n,)."""
    counts = np.zeros((len(graphs.labels), len(hashes)))
    squares = np.zeros(len(graphs.labels))
    valid = graphs.labels >= 0
    for labels in refined:
        for part in _parts(graphs):  # the sum of squared counts is the number of pairs with the same label
            there = valid[part, :, None] & valid[part, None, :]
            squares[part] += ((labels[part, :, None] == labels[part, None, :]) & there).sum((1, 2))
        place = np.minimum(np.searchsorted(hashes, labels), len(hashes) - 1)
        known = valid & (hashes[place] == labels)
        rows = np.broadcast_to(np.arange(len(labels))[:, None], labels.shape)
        np.add.at(counts, (rows[known], place[known]), 1.0)
    return counts, np.sqrt(squares)
