"""NAS-Bench-201 against its published table, torch's counter and its own strings."""

from __future__ import annotations

import time
from collections import defaultdict

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.errors import ParseError, SpaceError
from nasturtium.spaces.nasbench201 import MEMBERS, nasbench201, published_flops
from tests.spaces.data import rows_of

TABLE = "nats_tss/nats_tss.parquet"


def test_size_strings_and_members():
    space = nasbench201()
    assert space.size == 15_625
    rng = np.random.default_rng(0)
    for _ in range(50):
        architecture = space.sample(rng)
        assert space.from_notation(space.to_notation(architecture)) == architecture
    for name, text in MEMBERS.items():
        assert space.to_notation(space.member(name)) == text
    assert space.read("ResNet") == space.read(MEMBERS["ResNet"]) == space.read(str(space.member("ResNet")))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("|conv~0|+|none~0|none~1|+|none~0|none~1|none~2|", "'conv' in .* is no operation"),
        ("|none~0|+|none~0|none~1|", "it takes six operations"),
        ("|none~0|+|none~1|none~0|+|none~0|none~1|none~2|", "it takes six operations"),
        ("", "it takes six operations"),
    ],
)
def test_strings_that_are_none(text, what):
    with pytest.raises(ParseError, match=what):
        nasbench201().from_notation(text)


def test_an_unknown_member_is_named():
    with pytest.raises(SpaceError, match=r"knows no member 'Resnet'; did you mean 'ResNet'\?"):
        nasbench201().member("Resnet")


def test_costs_and_keys_of_every_network_equal_the_table():
    columns = ["arch", "isomorph_key"]
    columns += [
        f"{data}.{what}" for data in ("cifar10", "cifar100", "ImageNet16-120") for what in ("params_m", "flops_m")
    ]
    rows = rows_of(TABLE, *columns)
    space = nasbench201()
    start, same = time.process_time(), defaultdict(set)
    for row in rows:
        architecture = space.from_notation(row[0])
        assert architecture.count()["params"] == round(row[2] * 1e6)
        assert abs(published_flops(architecture) / 1e6 - row[3]) < 1e-3
        same[space.key(architecture)].add(row[1])
    assert time.process_time() - start < 60
    assert len(rows) == space.size
    assert len(same) == 6_466
    assert all(len(keys) == 1 for keys in same.values())
    others = {100: (4, nasbench201(outputs=100)), 120: (6, nasbench201((3, 16, 16), 120))}
    for column, other in others.values():
        for row in rows[::97]:
            architecture = other.from_notation(row[0])
            assert architecture.count()["params"] == round(row[column] * 1e6)
            assert abs(published_flops(architecture) / 1e6 - row[column + 1]) < 1e-3


def test_fifty_networks_equal_torch_on_the_meta_device():
    space, rng = nasbench201(), np.random.default_rng(1)
    for _ in range(50):
        architecture = space.sample(rng)
        with torch.device("meta"):
            model = architecture.build().eval()
            counter = FlopCounterMode(display=False)
            with counter:
                model(torch.empty(1, 3, 32, 32))
        assert architecture.count()["params"] == sum(p.numel() for p in model.parameters())
        assert architecture.count()["flops"] == counter.get_total_flops()


def test_equal_keys_compute_the_same():
    space = nasbench201((3, 8, 8), 4, channels=4, cells=1)
    one = space.from_notation("|skip_connect~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|")
    other = space.from_notation("|none~0|+|skip_connect~0|none~1|+|none~0|none~1|nor_conv_1x1~2|")
    assert space.key(one) == space.key(other)
    first, second = one.build().eval(), other.build().eval()
    weights = list(first.parameters())
    for mine, its in zip(second.parameters(), weights, strict=True):
        mine.data.copy_(its.data)
    x = torch.randn(2, 3, 8, 8)
    assert torch.allclose(first(x), second(x), atol=1e-6)
