"""The table of spaces: what it holds, and how it refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nasturtium.errors import SpaceError
from nasturtium.space.signal import Signal, group, image, sequence, tokens, vector
from nasturtium.spaces import DEFAULTS, SPACES, convnet, for_signal, make, mlp, multibranch, sequencenet

EXAMPLES = {
    "vector": vector(9),
    "image": image(1, 8, 8),
    "sequence": sequence(20, 3),
    "tokens": tokens(20, 30),
}


@pytest.mark.parametrize("name", SPACES)
def test_a_space_takes_just_the_kinds_it_names(name):
    published = SPACES[name]
    for kind, signal in EXAMPLES.items():
        if kind in published.kinds:
            assert published(input=signal, outputs=4).name == name
            continue
        with pytest.raises(SpaceError, match=f"takes .*not {kind}"):
            published(input=signal, outputs=4)
    assert published.summary
    assert published.source


def test_every_kind_has_a_space_to_begin_with():
    for kind, signal in EXAMPLES.items():
        assert kind in SPACES[for_signal(signal)].kinds
    assert set(DEFAULTS) == set(EXAMPLES)
    with pytest.raises(SpaceError, match="no space in the table takes nodes"):
        for_signal(Signal("nodes", (None, 4)))


def test_refusals_say_what_would_do():
    with pytest.raises(SpaceError, match=r"unknown space 'convent'; did you mean 'convnet'\?"):
        make("convent", (1, 8, 8), 10)
    with pytest.raises(SpaceError, match=r"takes image, not vector 16; use mlp"):
        make("convnet", (16,), 10)
    with pytest.raises(SpaceError, match=r"no option 'dept'; did you mean 'depth'\? \(its options: width, depth\)"):
        make("mlp", (16,), 10, dept=2)
    with pytest.raises(SpaceError, match="no space in the table does"):
        make("mlp", group(a=vector(2), b=vector(3)), 1)
    with pytest.raises(SpaceError, match="not image 1x8x8 and image 1x8x8"):
        make("convnet", (image(1, 8, 8), image(1, 8, 8)), 10)


def test_unusable_options_are_named():
    with pytest.raises(SpaceError, match="outputs must be a whole number from 1, not 0"):
        convnet(outputs=0)
    with pytest.raises(SpaceError, match=r"depth must be a whole number from 1, not 1\.5"):
        mlp(depth=1.5)  # type: ignore[arg-type]
    with pytest.raises(SpaceError, match="width must be a positive factor, not -1"):
        sequencenet(width=-1)
    with pytest.raises(SpaceError, match="paths must be a whole number from 2 to 4, not 1"):
        multibranch(paths=1)


def test_mlp_refuses_what_has_no_fixed_number_of_values():
    for signal in (sequence(None, 3), sequence(20, 3, mask=True)):
        with pytest.raises(SpaceError, match="sequencenet takes any length"):
            mlp(input=signal)


def test_importing_the_spaces_imports_no_torch():
    code = "import sys, nasturtium.spaces; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
