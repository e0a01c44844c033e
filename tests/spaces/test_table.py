"""The table of spaces: what it holds, and how it refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nasturtium import spaces
from nasturtium.errors import ParseError, SpaceError
from nasturtium.space.signal import Signal, group, image, sequence, tokens, vector
from nasturtium.spaces import DEFAULTS, SPACES, convnet, for_signal, make, mlp, multibranch, sequencenet

EXAMPLES = {
    "vector": vector(9),
    "image": image(1, 8, 8),
    "sequence": sequence(20, 3),
    "tokens": tokens(20, 30),
    "group": group(kind=tokens(20, 30), amount=sequence(20, 2)),
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
    with pytest.raises(SpaceError, match="; use seqnas"):
        make("mlp", group(a=vector(2), b=vector(3)), 1)
    with pytest.raises(SpaceError, match="not image 1x8x8 and image 1x8x8"):
        make("convnet", (image(1, 8, 8), image(1, 8, 8)), 10)


def test_names_that_are_no_text_are_refused_like_others():
    with pytest.raises(SpaceError, match=r"unknown space 3 \(there are: mlp,"):
        make(3, (1, 8, 8), 10)


def test_every_space_of_the_table_is_exported():
    assert set(spaces.SPACES) <= set(spaces.__all__)
    assert all(getattr(spaces, name) is spaces.SPACES[name].function for name in spaces.SPACES)


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("darts", "drop_path"), ("nasnet", "drop_path"), ("nasbench_asr", "dropout"), ("nasbench_nlp", "dropout"),
        ("seqnas", "dropout"), ("seqnas_plus", "dropout"), ("nasbench_graph", "dropout"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rate", [1.5, 1, -0.1, "a", True, None])
def test_rates_are_checked_before_anything_is_sampled(name, option, rate):
    with pytest.raises(SpaceError, match=f"{name}: {option} must be a number from 0 and below 1, not {rate!r}"):
        spaces.SPACES[name].function(**{option: rate})
    spaces.SPACES[name].function(**{option: 0.3})


@pytest.mark.parametrize(
    ("name", "told"), [("nasbench_asr", "'pool' or 'steps'"), ("nasbench_nlp", "'last' or 'mean' or 'steps'")]
)
def test_heads_that_are_none_are_told_the_others(name, told):
    with pytest.raises(SpaceError, match=f"{name}: head must be {told}, not 'bad'"):
        spaces.SPACES[name].function(head="bad")


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


def test_options_are_of_the_kind_of_their_defaults():
    with pytest.raises(SpaceError, match="darts: auxiliary must be like its default False, not 'no'"):
        make("darts", (1, 8, 8), 10, auxiliary="no")
    with pytest.raises(SpaceError, match=r"darts: drop_path must be like its default 0\.0, not 'x'"):
        make("darts", (1, 8, 8), 10, drop_path="x")
    with pytest.raises(SpaceError, match=r"nasbench_asr: filters must be like its default \(32, 40, 48, 56\), not 3"):
        make("nasbench_asr", (20, 8), 10, filters=3)
    assert make("nasnet", (1, 8, 8), 10, nodes=(2, 3)).size > 0


def test_what_is_too_small_or_too_few_is_refused():
    for name in ("nasbench101", "nasbench1shot1"):
        with pytest.raises(SpaceError, match="needs images of at least 6x6, not image 1x5x9"):
            make(name, (1, 5, 9), 10)
        with pytest.raises(SpaceError, match="channels must be at least 5, not 4"):
            make(name, (1, 8, 8), 10, channels=4)
    for name in ("darts", "nasnet"):
        with pytest.raises(SpaceError, match="cells must be at least 3"):
            make(name, (1, 8, 8), 10, cells=2)


@pytest.mark.parametrize("name", ["nasbench201", "nasbench101", "fbnet", "nasbench_mr", "nats_size"])
def test_huge_and_strange_texts_are_refused_at_once_and_in_short(name):
    space = make(name, (3, 32, 32), 10)
    for text in ("[" * 100_000, "{" * 50_000, "1" * 5_000, "~" * 9_000, "ü" * 3_000, "x" * 2_000_000):
        with pytest.raises(ParseError) as caught:
            space.read(text)
        assert len(str(caught.value)) < 2_500
    for value in (None, 3, ["a"]):
        with pytest.raises(ParseError, match="is read from text"):
            space.read(value)
