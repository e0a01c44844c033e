"""Parts that are no single network: a pair of networks, a training recipe, a recommender pipeline."""

import numpy as np
import pytest

from tests.skeletons.small import gan_space, recipe_space, recommender_space


@pytest.mark.parametrize(
    ("make", "size"),
    [
        (gan_space, 2 * 2),
        (recipe_space, (7 * 2 + 5 * 2) * 4 * (1 + 3 + 3)),
        (recommender_space, (20 * 2 + 5 * 4) * 3),
    ],
)
def test_counted_by_hand_and_searched_like_any_space(make, size) -> None:
    space = make()
    assert space.size == size
    every = list(space.enumerate())
    assert len({architecture.hash for architecture in every}) == size
    rng = np.random.default_rng(0)
    for _ in range(50):
        one, other = space.sample(rng), space.sample(rng)
        assert space.parse(str(one)).decisions == one.decisions
        assert space.mutate(one, rng) != one
        assert space.cross(one, other, rng) in space


def test_a_discriminator_reads_what_its_generator_makes() -> None:
    space = gan_space()
    derivation = space.derive()
    while derivation.point is not None:
        derivation.take(derivation.point.offered[-1])
    assert derivation.output.signal.shape == (1,)
    assert str(derivation.value.generator) == "Sequential(Linear(32), ReLU(), Linear(8))"
