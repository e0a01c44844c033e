"""NAS-Bench-MR: every code of its published table, its parameters and its FLOPs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from nasturtium.errors import ParseError, SpaceError
from nasturtium.layers import build
from nasturtium.layers.resize import Resize
from nasturtium.space import Space, choice
from nasturtium.space.infer import infer
from nasturtium.space.signal import image
from nasturtium.spaces.nasbench_mr import Fusion, MultiResolution, nasbench_mr, published_flops
from nasturtium.testing import check_space
from nasturtium.testing.laws import LAWS

TABLE = Path(__file__).resolve().parents[2] / "../shared/data/benchmarks/nas_bench_mr/nas_bench_mr.parquet"
needs_table = pytest.mark.skipif(not TABLE.exists(), reason="the published table is not here")


@pytest.fixture(scope="module")
def rows():
    import polars

    return polars.read_parquet(TABLE).unique("embedding", maintain_order=True).rows(named=True)


@needs_table
def test_every_published_code_comes_back(rows):
    space = nasbench_mr()
    assert len(rows) == 2507
    for row in rows:
        architecture = space.from_notation(row["embedding"])
        assert space.to_notation(architecture) == row["embedding"]
        assert architecture == space.from_notation(",".join(map(str, json.loads(row["embedding"]))))


@needs_table
def test_published_parameters_and_flops(rows):
    space = nasbench_mr()
    for row in rows[::100]:
        architecture = space.from_notation(row["embedding"])
        assert architecture.count()["params"] == round(row["params_m"] * 1e6)
        assert published_flops(architecture) == round(row["flops_g"] * 1e9)


@needs_table
def test_published_settings_follow_from_the_code(rows):
    for row in rows[::400]:
        value = nasbench_mr().from_notation(row["embedding"]).value
        written = [[len(u), list(u), list(c)] for modules, u, c in value.stages for _ in range(modules)]
        assert written == json.loads(row["network_setting"])
        assert list(value.stem) == json.loads(row["input_channel"])
        assert value.channels == row["last_channel"]


def test_the_number_of_networks():
    space = nasbench_mr()
    steps = space.sample(np.random.default_rng(0)).steps
    sizes = [len(step.point.choice.options) for step in steps]
    assert sorted(sizes) == [4] * 14 + [16] * 13
    assert space.size == 4**14 * 16**13 == 2**80


def test_both_forms_of_a_code_are_read():
    space = nasbench_mr()
    dashes = "96_128-1_1_1_48-1_2_1_1_128_8-1_3_1_1_1_128_128_120-4_4_4_4_4_4_128_128_128_128-64"
    code = "[96, 128, 1, 1, 48, 1, 1, 1, 128, 8, 1, 1, 1, 1, 128, 128, 120, 4, 4, 4, 4, 4, 128, 128, 128, 128, 64]"
    assert space.to_notation(space.from_notation(dashes)) == code
    for name in space.members:
        assert space.from_notation(space.to_notation(space.member(name))) == space.member(name)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[16, 16]", "27 numbers"),
        ("nonsense", "27 numbers"),
        (str([16, 16, 5, 1, 16, 1, 1, 1, 16, 16, *[1] * 4, *[16] * 3, *[1] * 5, *[16] * 5]), "from 1 to 4"),
        (str([12, 16, 1, 1, 16, 1, 1, 1, 16, 16, *[1] * 4, *[16] * 3, *[1] * 5, *[16] * 5]), "from 8 to 128 by 8"),
    ],
)
def test_what_is_no_code_is_refused(text, says):
    with pytest.raises(ParseError, match=says):
        nasbench_mr().from_notation(text)


def test_wrong_options_are_refused():
    with pytest.raises(SpaceError, match="takes one image"):
        nasbench_mr(input=(32, 3))
    with pytest.raises(SpaceError, match="step must be"):
        nasbench_mr(step=0)


def test_resize_is_the_interpolation_of_torch():
    x = torch.randn(2, 3, 4, 5)
    for mode, size in (("nearest", (7, 10)), ("bilinear", (2, 1)), ("bilinear", (8, 15))):
        layer = Resize(*size, mode)
        assert infer(layer, image(3, 4, 5)) == image(3, *size)
        torch.testing.assert_close(build(layer, image(3, 4, 5))(x), F.interpolate(x, size, mode=mode))
    with pytest.raises(SpaceError, match="knows no mode"):
        infer(Resize(2, 2, "cubic"), image(3, 4, 5))


def test_fusion_sums_the_neighbours_and_opens_a_branch():
    torch.manual_seed(0)
    module = build(Fusion((4, 5, 6)), image(2, 8, 8), image(3, 4, 4)).eval()
    blocks = dict(module.named_children())
    convolutions = [m for name, m in blocks.items() if name.startswith("convblock")]
    own, up, down, second, new = convolutions
    high, low = torch.randn(2, 2, 8, 8), torch.randn(2, 3, 4, 4)
    first = own(high) + F.interpolate(up(low), scale_factor=2)
    fused = down(high) + second(low)
    for found, wanted in zip(module(high, low), (first, fused, new(fused)), strict=True):
        torch.testing.assert_close(found, wanted)


def test_module_agrees_with_the_costs():
    architecture = nasbench_mr().member("NCP video")
    module = architecture.build()
    assert sum(p.numel() for p in module.parameters()) == architecture.count()["params"]
    with FlopCounterMode(display=False) as counter:
        module.to("meta").eval()(torch.empty(1, 3, 128, 128, device="meta"))
    assert counter.get_total_flops() == architecture.count()["flops"]


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 13, 21), (1, 28, 28), (3, 32, 32)])
def test_trains_on_small_images(shape):
    space = nasbench_mr(shape, 7)
    architecture = space.sample(np.random.default_rng(3))
    assert space.parse(str(architecture)) == architecture
    module = architecture.build()
    y = module(torch.randn(3, *shape))
    assert y.shape == (3, 7)
    y.square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters())


def test_small_images_get_strides_and_widths_that_suit_them():
    strides = {side: nasbench_mr((1, side, side)).root.strides for side in (8, 16, 28, 32, 64, 128)}
    assert strides == {8: (1, 1), 16: (1, 1), 28: (2, 1), 32: (2, 1), 64: (2, 2), 128: (2, 2)}
    code = [2 * n for n in (3, 16)] + [1, 1, 2, 1, 1, 1, 2, 2, *[1] * 4, *[2] * 3, *[1] * 5, *[2] * 5]
    space = nasbench_mr((1, 8, 8))
    assert space.from_notation(str(code)).decisions[:2] == (2, 15)
    assert not space.members


def test_laws():
    stages = ((1, (1,), (choice(2, 4),)), (choice(1, 2), (1, choice(1, 2)), (4, 2)))
    space = Space(MultiResolution((choice(2, 4), 4), stages, 4, 3, strides=(1, 1)), input=(1, 8, 8), name="small")
    assert space.size == 16
    check_space(space, seeds=2)
    whole = nasbench_mr((1, 8, 8), 3)
    for name, law in LAWS.items():
        if name != "neighbours_differ":  # 237 neighbours of each of two networks take long
            law(whole, 0)
