"""Proxies made of how alike the rows of a batch are to the network: jacob_cov, epe_nas, nwot."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from nasturtium.proxies.failing import Undefined
from nasturtium.proxies.passes import Measured
from nasturtium.proxies.precision import double

Matrix = npt.NDArray[np.float64]

SMALL = 1e-5
"""Added before logarithms and quotients (the constant k of the published code)."""

MANY_CLASSES = 100
"""Beyond so many classes epe_nas compares classes with each other (Lopes et al. 2021, section 3.2)."""


def jacob_cov(found: Measured) -> float:
    """-sum over eigenvalues v of (log(v + k) + 1 / (v + k)) of the correlations of the rows' Jacobians.

    A row of the Jacobian is the gradient of the sum of all outputs by the inputs of one row (Mellor et al. 2020,
    arXiv:2006.04647v1, eq. 2). The matrix is symmetric, so its eigenvalues are taken as real ones; the published code
    may give complex ones.
    """
    values = np.linalg.eigvalsh(correlations(found.jacobian))
    return float(-np.sum(np.log(values + SMALL) + 1.0 / (values + SMALL)))


def epe_nas(found: Measured) -> float:
    """The sum over classes of |sum of log(|c| + k)| over the correlations c of the Jacobians of its rows.

    With more than 100 classes each sum is divided by the rows of its class, and the score is the sum of the
    differences between all pairs of classes, divided by the number of classes that occur (Lopes et al. 2021,
    arXiv:2102.08099, eq. 5 to 7). A class with one row counts with its correlation to itself, 1.
    """
    targets = found.batch.targets
    if targets.is_floating_point() or targets.ndim != 1:
        raise Undefined("there are no classes to compare rows within")
    matrix = correlations(found.jacobian)
    classes = targets.cpu().numpy()
    outputs = int(classes.max()) + 1
    scores = []
    for each in np.unique(classes):
        rows = np.flatnonzero(classes == each)
        score = float(np.log(np.abs(matrix[np.ix_(rows, rows)]) + SMALL).sum())
        scores.append(score / len(rows) if outputs > MANY_CLASSES else score)
    sums = np.array(scores)
    if outputs <= MANY_CLASSES:
        return float(np.abs(sums).sum())
    return float(np.abs(sums[:, None] - sums[None, :]).sum() / len(sums))


def correlations(jacobian: Tensor | None) -> Matrix:
    """The correlations (B, B) between the rows of (B, N).

    Raises:
        Undefined: If there are not two rows, or a row is constant or not finite.
    """
    if jacobian is None or len(jacobian) < 2:
        raise Undefined("rows are compared, and there is only one")
    rows = double(jacobian)
    if not bool(torch.isfinite(rows).all()):
        raise Undefined("a gradient by the inputs is not finite")
    rows = rows - rows.mean(1, keepdim=True)
    lengths = rows.norm(dim=1, keepdim=True)
    if bool((lengths == 0).any()):
        raise Undefined("the outputs depend on all inputs of a row alike, so that it correlates with nothing")
    rows = rows / lengths
    matrix: Matrix = (rows @ rows.T).clamp(-1, 1).cpu().numpy()
    return matrix


def nwot(found: Measured) -> float:
    """log |det K|, where K counts at how many activations two rows have the same code (Mellor et al. 2021, eq. 2).

    The code is 1 where the input of an activation is positive. Besides ReLU, module or not, in place or not, all other
    activations count, for networks that have no ReLU; padding does not.
    """
    watch = found.watch
    if watch is None or watch.kernel is None:
        raise Undefined("the network has no activation that it knows")
    if not watch.finite:
        raise Undefined("the input of an activation is not finite")
    values = torch.linalg.eigvalsh(watch.kernel).cpu()  # symmetric and positive semidefinite
    if float(values.min()) <= len(values) * 1e-12 * float(values.max()):
        raise Undefined("the codes of the rows are not independent, so that the determinant is 0", lowest=True)
    return float(values.log().sum())
