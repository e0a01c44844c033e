"""SeqNAS beside its published benchmark: codes, dictionaries, parameter counts, members."""

from __future__ import annotations

import itertools
import json

import pytest
import torch

from nasturtium.errors import ParseError
from nasturtium.space.signal import tokens
from nasturtium.spaces.seqnas import seqnas
from nasturtium.spaces.seqnas_code import SEARCHED, to_bits
from nasturtium.spaces.seqnas_dictionary import dictionary
from tests.spaces.data import rows_of
from tests.spaces.event_inputs import events

TABLE = "nas_bench_event_sequences/nas_bench_event_sequences.parquet"
SUBSETS = ("a", "g", "c", "ag", "ac", "gc", "agc")
CODE = to_bits(SEARCHED["AGE"])

DATA = {
    "ABank": (events(250, (*[42] * 15, 44), 3), 2),
    "AGE": (events(1000, (202,), 1), 4),
    "RBchurn": (events(200, (344, 7, 57, 10), 1), 2),
    "TaoBao": (events(500, (6, 1905), 0), 2),
}
"""An input and outputs for each data set. Vocabularies are not published: their sums (674, 202, 418, 1911 with the one
for what is unknown) are what the counted parameters leave; EBES has 4 and 1904 categories for TaoBao, 202 for AGE."""


def _published(name: str):
    return seqnas(*DATA[name], embedding=32, numeric_embedding=32)


@pytest.mark.parametrize("name", DATA)
def test_published_rows_come_back(name):
    space, rows = _published(name), rows_of(TABLE, "dataset", "arch_code", "arch_json")
    mine = [(code, written) for dataset, code, written in rows if dataset == name]
    assert len(mine) == {"ABank": 800, "AGE": 397, "RBchurn": 800, "TaoBao": 397}[name]
    for code, written in mine:
        architecture = space.from_notation(code)
        assert space.to_notation(architecture) == code
        assert json.dumps(dictionary(architecture)) == written
        assert space.from_notation(written).decisions == architecture.decisions


def _chunks(channels: int, count: int) -> list[int]:
    return [part.numel() for part in torch.arange(channels).chunk(count)]


def _mixture(channels: int, heads: int) -> int:
    """Three maps and a scale for each head; normalisation and projection of all."""
    return heads * (3 * 32 * (channels + 1) + 1) + 2 * 32 * heads + (32 * heads + 1) * channels


def _every_mixture(channels: int) -> int:
    """Eight heads, with a projection for each number of heads that may be chosen."""
    return 8 * (3 * 32 * (channels + 1) + 1) + sum(64 * n + (32 * n + 1) * channels for n in (1, 2, 4, 8))


def _feed_forward(d: int) -> int:
    return 2 * d + (d + 1) * 32 + 64 + 33 * d


def _operations(d: int, subset: str, attention) -> int:
    rule = {"a": attention, "g": lambda c: 6 * c * c + 6 * c, "c": lambda c: 3 * c * c + c}
    return sum(rule[kind](size) for kind, size in zip(subset, _chunks(d, len(subset)), strict=True))


def _not_built(d: int, code: str, outputs: int) -> int:
    """Parameters of what the published network holds and does not use, by hand."""
    bits = code[-117:]
    unused = d * d + d  # a linear map between encoder and decoder that is never called
    unused += 0 if bits[65] == "1" else outputs * d  # queries without a decoder
    for layer in range(bits[1:5].count("1")):
        subset = bits[5 + 7 * layer : 12 + 7 * layer].index("1")
        heads = bits[33 + 8 * layer : 41 + 8 * layer].count("1")
        every = sum(_operations(d, one, _every_mixture) + _feed_forward(d) + 4 * d for one in SUBSETS)
        built = _operations(d, SUBSETS[subset], lambda c, heads=heads: _mixture(c, heads)) + _feed_forward(d) + 4 * d
        unused += every - built
    for layer, kind in itertools.product(range(bits[65:67].count("1")), range(2)):
        place = 81 + 16 * kind + 8 * layer
        unused += _every_mixture(d) - _mixture(d, bits[place : place + 8].count("1"))
    return unused


@pytest.mark.parametrize("name", DATA)
def test_published_parameters(name):
    """They count every option of the layers in use, so they depend on the stem's kernel and on depths alone."""
    (_, outputs), space = DATA[name], _published(name)
    rows = [row for row in rows_of(TABLE, "dataset", "arch_code", "params") if row[0] == name]
    d = {"ABank": 608, "AGE": 64, "RBchurn": 160, "TaoBao": 64}[name]
    for _, code, params in rows:
        ours = space.from_notation(code).count()["params"]
        assert ours + _not_built(d, code, outputs) == params


@pytest.mark.parametrize("name", DATA)
def test_published_architectures_build(name):
    space = _published(name)
    codes = {code for dataset, code in rows_of(TABLE, "dataset", "arch_code") if dataset == name}
    assert len(codes) > 390
    for code in sorted(codes)[::8]:  # benchmarks/seqnas.py builds them all
        architecture = space.from_notation(code)
        with torch.device("meta"):
            model = architecture.build()
        assert sum(parameter.numel() for parameter in model.parameters()) == architecture.count()["params"]


def test_members_are_the_best_published_rows():
    rows = rows_of(TABLE, "dataset", "score", "arch_code")
    for name, chosen in SEARCHED.items():
        best = max((score, code) for dataset, score, code in rows if dataset == name)
        assert to_bits(chosen) == best[1]
    assert set(seqnas().members) == {"ABank", "AGE", "RBchurn"}
    space = seqnas(tokens(9, 30))
    assert space.to_notation(space.member("TaoBao")) == to_bits(SEARCHED["TaoBao"])


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("10", "no code of SeqNAS"),
        (CODE[5:], "no numeric stem"),
        ("1" + CODE[1:], "bits 0 to 3, kernel of the stem"),
        (CODE[:6] + "1110" + CODE[10:], "bits 6 to 9, layers of the encoder: 1110 is none of"),
        (CODE[:10] + "0000000" + CODE[17:], "operations of encoder layer 0"),
        (CODE[:38] + "1" + CODE[39:], "heads of layer 0, must be 0"),
        (CODE[:54] + "11100000" + CODE[62:], "heads of encoder layer 2"),
        (CODE[:72] + "0" + CODE[73:], "decoder layer 0"),
        (CODE[:94] + "1" + CODE[95:], "own heads of decoder layers that are off"),
        (CODE[:-3] + "000", "pooling"),
        ("{", "no architecture dictionary"),
    ],
)
def test_what_is_no_code(code, why):
    with pytest.raises(ParseError, match=why):
        seqnas().from_notation(code)


def test_a_dictionary_that_contradicts_itself():
    made = dictionary(seqnas().member("AGE"))
    with pytest.raises(ParseError, match=r"'decoder' is 0 .* asks for 1"):
        seqnas().from_notation(json.dumps(made | {"decoder": 0}))
    with pytest.raises(ParseError, match="'nonsense' is 1"):
        seqnas().from_notation(json.dumps(made | {"nonsense": 1}))
