"""Genotypes: both notations lead back to themselves, nothing is evaluated, errors say what is wrong and where."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nasturtium.errors import ParseError, SpaceError
from nasturtium.spaces.cifar_cells import CIFAR_CELLS
from nasturtium.spaces.genotype import COMPACT, Genotype, read_genotype, write_compact

TABLE = Path(__file__).resolve().parents[2] / "../shared/data/benchmarks/nas_bench_suite_zero/zc_union.parquet"
SMALL = "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat={}, reduce=[{}], reduce_concat=[2])"
POOLS = "('max_pool_3x3', 0), ('avg_pool_3x3', 0)"


def rows(column):
    if not TABLE.exists():
        pytest.skip("the tables of NAS-Bench-Suite-Zero are not here")
    import polars

    return polars.read_parquet(TABLE, columns=["space", *column]).filter(polars.col("space") == "nasbench301")


def test_every_row_of_nas_bench_301_is_read_and_written():
    texts = rows(["arch"])["arch"].to_list()
    assert len(texts) > 11_000
    for text in texts[::4]:
        found = read_genotype(text)
        assert write_compact(found) == text
        assert read_genotype(str(found)) == found
        assert [sorted(pair) for pair in found.ordered().nodes("normal")] == [sorted(p) for p in found.nodes("normal")]
        assert all(one[1] < other[1] for one, other in found.ordered().nodes("reduce"))
        first, second = ast.literal_eval(text)
        assert [source for _, source in found.normal] == [source for source, _ in first]
        assert [COMPACT.index(name) for name, _ in found.reduce] == [number for _, number in second]


@pytest.mark.parametrize("name", CIFAR_CELLS)
def test_published_text_leads_back_to_itself(name):
    text = CIFAR_CELLS[name].genotype
    assert str(read_genotype(text)) == text


def test_ranges_lists_names_and_pairs_are_one():
    expected = Genotype(
        (("skip_connect", 0), ("sep_conv_3x3", 1)), (2,), (("max_pool_3x3", 0), ("avg_pool_3x3", 0)), (2,)
    )
    for concat in ("range(2, 3)", "[2]", "(2,)", "range(2, 3, 1)"):
        assert read_genotype(SMALL.format(concat, POOLS)) == expected
    assert read_genotype("Best_2 = " + SMALL.format("[2]", POOLS)) == expected
    assert read_genotype(SMALL.format("[2]", f"({POOLS})")) == expected
    values = "[('skip_connect', 0), ('sep_conv_3x3', 1)], range(2, 3)", f"[{POOLS}], [2]"
    assert read_genotype(f"Genotype({', '.join(values)})") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Genotype(", "is no genotype"),
        ("3 + 4", "is no genotype"),
        ("Other(normal=[])", "write Genotype"),
        (SMALL.format("[2]", POOLS).replace("reduce_concat", "rest"), "wrong here: reduce_concat, rest"),
        (SMALL.format("[2]", "('none', 0), ('sepconv_3x3', 0)"), "at reduce[1]; did you mean 'sep_conv_3x3'"),
        (SMALL.format("[2]", "('none', 0), ('none', 2)"), "reduce[1] reads state 2; the states before it are 0 to 1"),
        (SMALL.format("[2]", "('max_pool_3x3', 0)"), "two (operation, source) for each node"),
        (SMALL.format("[2]", "('max_pool_3x3', True), ('none', 0)"), "reduce[0] of the genotype must be"),
        (SMALL.format("[3]", POOLS), "normal_concat must be range(...) or a list of states below 3"),
        (SMALL.format("range(10 ** 9)", POOLS), "normal_concat of a genotype must be a plain list"),
        (SMALL.format("__import__('os').getcwd()", POOLS), "normal_concat of a genotype must be a plain list"),
        ("(((0, 3), (1, 9)), ((0, 1), (1, 1)))", "normal[1] must be (source, operation 0 to 6)"),
        ("(((0, 3), (1, 3)),)", "pair of cells"),
        ("(((0, 3), (2, 3)), ((0, 1), (1, 1)))", "normal[1] reads state 2"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(text, said):
    with pytest.raises(ParseError) as caught:
        read_genotype(text)
    assert said in str(caught.value)


def test_the_compact_form_has_seven_operations():
    with pytest.raises(SpaceError, match="no number for 'sep_conv_7x7'"):
        write_compact(read_genotype(CIFAR_CELLS["NASNet-A"].genotype))
