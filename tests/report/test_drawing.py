"""Drawings, read back from their SVG: what stands in them, where, and that nothing is in the way of anything."""

import re
import time

import pytest

from nasturtium.errors import SpaceError
from nasturtium.report.drawing import draw
from nasturtium.space import Architecture
from nasturtium.space.graph import nodes_of
from tests.report.geometry import Page
from tests.report.networks import EVERY, deep, stages, two_back
from tests.skeletons.small import recipe_space


@pytest.fixture(params=EVERY, scope="module")
def network(request):
    return EVERY[request.param]


@pytest.fixture(scope="module")
def page(network):
    return Page(draw(network))


def said(page):
    return "\n".join(text for _, text in page.texts)


def test_every_class_of_leaf_is_named(network, page):
    leaves = {type(node.layer).__name__ for node in nodes_of(network.value, network.input) if node.layer is not None}
    assert leaves <= set(re.findall(r"\w+", said(page)))


def test_boxes_of_one_frame_do_not_overlap_and_lie_in_it(page):
    for index, box in enumerate(page.boxes):
        for other in page.boxes[index + 1 :]:
            assert box.parent != other.parent or not box.overlaps(other)
        if box.parent:
            outer = page.boxes[box.parent - 1]
            assert box.left >= outer.left - 0.2
            assert box.right <= outer.right + 0.2
            assert box.top >= outer.top - 0.2
            assert box.bottom <= outer.bottom + 0.2


def test_no_wire_runs_through_a_box(page):
    for wire in page.wires:
        for x, y in wire:
            inside = [b for b in page.of_kind("layer") if b.left + 1 < x < b.right - 1 and b.top + 1 < y < b.bottom - 1]
            assert not inside


def test_texts_lie_in_their_box_and_on_no_other_text_or_box(page):
    width, height = float(page.root.get("width")), float(page.root.get("height"))
    for index, (place, text) in enumerate(page.texts):
        outer = page.boxes[place.parent - 1] if place.parent else None
        assert place.right <= (outer.right if outer else width) + 0.2, text
        assert place.bottom <= (outer.bottom if outer else height) + 0.2, text
        assert not [other for other, _ in page.texts[index + 1 :] if place.overlaps(other)], text
        assert not [b for n, b in enumerate(page.of_kind("layer")) if b.overlaps(place) and b is not outer], text


def test_the_parameters_are_those_that_are_counted(network, page):
    counted = network.count()
    assert int(page.root.get("data-params")) == counted["params"]
    assert int(page.root.get("data-flops")) == counted["flops"]
    assert f"{counted['params']:,} parameters" in said(page)
    main = [b for b in page.boxes if b.kind != "whole" and b.parent and page.boxes[b.parent - 1].kind == "whole"]
    first = main[0].parent
    assert sum(box.params for box in main if box.parent == first) == counted["params"]


def test_readers_are_told_and_the_same_network_gives_the_same_text(network, page):
    svg = "{http://www.w3.org/2000/svg}"
    assert page.root.get("role") == "img"
    assert page.root.get("aria-label")
    ids = {child.get("id") for child in page.root}
    assert set(page.root.get("aria-labelledby").split()) <= ids
    assert page.root.find(f"{svg}title").text
    assert "prefers-color-scheme:dark" in page.root.find(f"{svg}style").text
    assert draw(network) == draw(Architecture.parse(str(network), input=network.input)).replace(
        ">architecture<", f">{network.space.name if network.space else 'architecture'}<"
    ).replace('aria-label="architecture"', f'aria-label="{network.space.name if network.space else "architecture"}"')


def test_a_cell_that_occurs_often_is_drawn_once_with_its_number():
    text = said(Page(draw(stages())))
    assert text.count("A: CellOfSix × 5") == 3
    assert text.count("15 times") == 1
    assert "gives 8×32×32, 16×16×16, 32×8×8" in text


def test_cells_that_read_the_two_before_fold():
    short, long = (said(Page(draw(two_back(cells)))) for cells in (18, 30))
    assert len(short.splitlines()) == len(long.splitlines())
    assert re.search(r"× 2\d, each on the one before", long)


def test_networks_of_thousands_of_layers_are_drawn_at_once_and_stay_small():
    largest = 0
    for network in deep():
        leaves = nodes_of(network.value, network.input)
        largest = max(largest, len(leaves))
        begun = time.process_time()
        page = Page(draw(network))
        assert time.process_time() - begun < 1
        assert len(page.of_kind("layer")) <= 150
        assert {type(n.layer).__name__ for n in leaves if n.layer} <= set(re.findall(r"\w+", said(page)))
        assert not [
            b for i, b in enumerate(page.boxes) for o in page.boxes[:i] if b.parent == o.parent and b.overlaps(o)
        ]
    assert largest > 1000


def test_what_is_no_network_is_refused():
    import numpy as np

    with pytest.raises(SpaceError, match="no layer"):
        draw(recipe_space().sample(np.random.default_rng(0)))
    with pytest.raises(SpaceError, match="input"):
        draw(Architecture(stages().value))
