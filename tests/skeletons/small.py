"""Small spaces of unusual kinds: a toy grammar, a training recipe, a pair of networks, a recommender pipeline."""

from typing import Any

from nasturtium.layers import Container, Conv2d, GlobalPool, Linear, ReLU, Residual, Sequential
from nasturtium.space import Part, Space, choice, floats, integers, rule, subset, vector


def toy_grammar():
    layer = choice(Conv2d(choice(4, 8), kernel=choice(1, 3)), ReLU())
    body = rule("body", lambda body: choice(Sequential(body, body), Residual(body), layer, weights=(1, 1, 2)))
    net = Sequential(body, GlobalPool("mean"), Linear(2))
    return Space(net, input=(2, 6, 6), name="toy_grammar", depth=12, nodes=60)


class Momentum(Part):
    rate: float
    momentum: float = 0.9


class Adaptive(Part):
    rate: float
    decay: float = 0.0


class Training(Part):
    """A training recipe: a part through which nothing flows."""

    optimiser: Any
    batch: int
    augment: tuple[str, ...] = ()


def recipe_space():
    optimiser = choice(
        Momentum(floats(1e-3, 1.0, log=True, steps=7), momentum=choice(0.9, 0.95)),
        Adaptive(floats(1e-4, 1e-2, log=True, steps=5), decay=choice(0.0, 0.01)),
    )
    return Space(
        Training(optimiser, integers(16, 128, log=True), subset("flip", "crop", "cutout", k=(0, 2))),
        name="recipe",
    )


class Adversaries(Part):
    """A generator and a discriminator that reads what it makes."""

    generator: Any
    discriminator: Any

    def wire(self, noise, real):
        made = yield self.generator, noise
        judged = yield self.discriminator, made
        return judged


def gan_space():
    generator = Sequential(Linear(choice(16, 32)), ReLU(), Linear(8))
    discriminator = Sequential(Linear(choice(4, 8)), ReLU(), Linear(1))
    return Space(Adversaries(generator, discriminator), input=(vector(4), vector(8)), name="gan")


class Neighbours(Part):
    count: int
    similarity: str


class Factors(Part):
    rank: int
    regularisation: float


class Pipeline(Part):
    """A recommender: a model behind a filter of items."""

    model: Any
    least_interactions: int


def recommender_space():
    model = choice(
        Neighbours(integers(5, 100, step=5), choice("cosine", "jaccard")),
        Factors(integers(8, 128, log=True), floats(1e-3, 1.0, log=True, steps=4)),
    )
    return Space(Pipeline(model, choice(1, 5, 10)), name="recommender")


__all__ = ["Container", "gan_space", "recipe_space", "recommender_space", "toy_grammar"]
