"""Small trained networks to export."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from nasturtium.export import Trained
from nasturtium.space import Architecture, Space
from nasturtium.space.signal import edges, nodes, tokens
from nasturtium.spaces import make

SMALL: dict[str, tuple[Any, dict[str, Any]]] = {
    "mlp": ((16,), {}),
    "sequencenet": ((12, 3), {}),
    "seqnas": ((12, 2), {"numeric_embedding": 3, "hidden": 4}),
    "einspace": ((1, 8, 8), {"nodes": 300, "limits": {"params": 1e6, "flops": 1e8, "activations": 1e6}}),
    "darts": ((1, 8, 8), {"channels": 4, "cells": 3}),
    "nasbench201": ((1, 8, 8), {"channels": 4, "cells": 1}),
    "nasbench_nlp": (tokens(6, 11), {"nodes": 6, "embedding": 4, "hidden": (6,)}),
    "nasbench_graph": ((nodes(9, 5), edges()), {"width": 8}),
}
"""A cheap input and cheap options; an 8x8 image and none where nothing is said."""


def small(name: str) -> Space:
    input, options = SMALL.get(name, ((1, 8, 8), {}))
    return make(name, input, 4, **options)


def trained(architecture: Architecture, steps: int = 3) -> Trained:
    """A network after some steps of training on made-up rows, so that no weight or statistic is at its start."""
    torch.manual_seed(0)
    model = architecture.build()
    given = Trained(model, architecture)
    rows = [torch.from_numpy(values) for values in given.rows]
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(steps):
        output = model.train()(*rows)
        outputs = output if isinstance(output, tuple) else (output,)
        loss = sum((each - torch.linspace(-1, 1, each.numel()).view_as(each)).square().mean() for each in outputs)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    return Trained(model.eval(), architecture)


@pytest.fixture
def convnet() -> Trained:
    return trained(small("convnet").sample(np.random.default_rng(3)))
