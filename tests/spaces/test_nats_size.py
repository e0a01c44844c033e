"""NATS-Bench's size space, against the records of its official fixtures."""

from __future__ import annotations

import bz2
import io
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.errors import ParseError, SpaceError
from nasturtium.layers import GlobalPool, Linear, Sequential
from nasturtium.space import Space, choice
from nasturtium.spaces.nats_size import SizedCell, SizedHalving, nats_size, published_flops
from nasturtium.testing import check_space

FOLDER = Path(__file__).resolve().parents[2] / "../shared/data/benchmarks/nats_official_fixtures"
FIXTURES = sorted((FOLDER / "NATS-sss-v1_0-50262-simple").glob("0*.pickle.pbz2"))
SHAPES = {"ImageNet16-120": ((3, 16, 16), 120), "cifar100": ((3, 32, 32), 100)}
ALLOWED = {("collections", "OrderedDict"), ("numpy.core.multiarray", "scalar"), ("numpy", "dtype")}


class Plain(pickle.Unpickler):
    """Reads dictionaries and numbers, and nothing that could run."""

    def find_class(self, module, name):
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is not allowed")
        return super().find_class(module, name)


def _records(path):
    read = Plain(io.BytesIO(bz2.decompress(path.read_bytes()))).load()
    return [(key[0], record) for key, record in read["90"]["all_results"].items()]


def test_size():
    assert nats_size().size == 8**5 == 32_768


@pytest.mark.skipif(not FIXTURES, reason="the official fixtures are not here")
@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.name)
def test_official_parameters_and_flops(path):
    records = _records(path)
    assert len(records) == 4
    for dataset, record in records:
        shape, outputs = SHAPES.get(dataset, ((3, 32, 32), 10))
        space = nats_size(shape, outputs)
        architecture = space.from_notation(record["arch_config"]["arch_str"])
        assert space.to_notation(architecture) == record["arch_config"]["channels"]
        assert architecture.count()["params"] == round(record["params"] * 1e6)
        assert published_flops(architecture) == round(record["flop"] * 1e6)


def _conv(before, after, kernel=3, stride=1):
    norm = nn.BatchNorm2d(after)
    return nn.Sequential(nn.ReLU(), nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False), norm)


@pytest.mark.parametrize(("before", "after"), [(4, 4), (4, 6)])
def test_the_cell_computes_what_is_written(before, after):
    torch.manual_seed(0)
    module = Space(SizedCell(choice(4, 6)), input=(before, 5, 5)).parse(f"SizedCell({after})").build()
    theirs = nn.ModuleList([_conv(before, after), _conv(before, after), _conv(after, after)])
    skip = nn.Sequential(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after))
    theirs.extend([skip if before != after else nn.Identity(), _conv(after, after), _conv(after, after)])
    ours, wanted = list(module.state_dict().values()), theirs.state_dict()
    theirs.load_state_dict(dict(zip(wanted, ours, strict=True)))
    x = torch.randn(3, before, 5, 5)
    first = theirs[0](x)
    second = theirs[1](x) + theirs[2](first)
    torch.testing.assert_close(module(x), theirs[3](x) + theirs[4](first) + theirs[5](second))


def test_module_agrees_with_the_costs():
    architecture = nats_size().from_notation("64:8:24:24:40")
    module = architecture.build()
    assert sum(p.numel() for p in module.parameters()) == architecture.count()["params"]
    with FlopCounterMode(display=False) as counter:
        module.to("meta").eval()(torch.empty(1, 3, 32, 32, device="meta"))
    assert counter.get_total_flops() == architecture.count()["flops"]


def test_notation_round_trip_and_members():
    space, rng = nats_size((1, 8, 8), 10), np.random.default_rng(0)
    for _ in range(20):
        architecture = space.sample(rng)
        text = space.to_notation(architecture)
        assert space.from_notation(text) == architecture
        assert [int(part) // 8 - 1 for part in text.split(":")] == list(architecture.decisions)
    assert space.member("largest").decisions == (7,) * 5


@pytest.mark.parametrize("text", ["8:8:8:8", "8:8:8:8:12", "8:8:8:8:72", "8,8,8,8,8", "a:b:c:d:e", ""])
def test_what_is_no_network_is_refused(text):
    with pytest.raises(ParseError, match="5 channel counts"):
        nats_size().from_notation(text)


def test_wrong_options_are_refused():
    with pytest.raises(SpaceError, match="takes one image"):
        nats_size(input=(32, 3))
    with pytest.raises(SpaceError, match="outputs must be"):
        nats_size(outputs=0)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 13, 9)])
def test_trains_on_small_images(shape):
    module = nats_size(shape, 7).sample(np.random.default_rng(1)).build()
    y = module(torch.randn(4, *shape))
    assert y.shape == (4, 7)
    y.square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters())


def test_laws():
    check_space(nats_size((1, 8, 8), 3), seeds=1)
    channels = choice(2, 3, 4)
    small = Sequential(SizedCell(channels), SizedHalving(channels), SizedCell(channels), GlobalPool(), Linear(3))
    check_space(Space(small, input=(3, 6, 6), name="small"), seeds=2)
