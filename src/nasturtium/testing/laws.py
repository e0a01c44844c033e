"""The laws of spaces as functions of a space and a seed; each raises LawBroken with the architecture at fault."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nasturtium.space import Architecture, Space
from nasturtium.space.part import Layer, is_open
from nasturtium.space.sizes import at_most
from nasturtium.testing.broken import require

if TYPE_CHECKING:
    import numpy

    from nasturtium.space.derivation import Step

ENUMERATED = 3_000
"""Laws that need every architecture are held over spaces of at most this size."""


def generator(seed: int) -> numpy.random.Generator:
    """A generator for a seed."""
    import numpy

    return numpy.random.default_rng(seed)


def builds(space: Space, seed: int, largest: int = 2_000_000, batch: int = 2) -> None:
    """Law 1: nothing is open; the module maps the input to the inferred output, with finite gradients.

    Networks of more than ``largest`` parameters or 2 GFLOPs are only checked to have nothing open.
    """
    architecture = space.sample(generator(seed))
    require(not is_open(architecture.value), "something is left open", architecture)
    if not isinstance(architecture.value, Layer):
        return
    cost = architecture.count()
    if cost["params"] > largest or cost["flops"] > 2e9:
        return
    from nasturtium.testing.running import run_once

    run_once(architecture, batch, seed)


def writes_and_reads(space: Space, seed: int) -> None:
    """Law 2: text and JSON lead back to an equal architecture, with decisions that lead to it; hashes agree."""
    architecture = space.sample(generator(seed))
    text = str(architecture)
    require(Architecture.parse(text) == architecture, "parsing gives another architecture", text)
    again = space.parse(text)
    require(
        again == architecture and again.hash == architecture.hash,
        "the space reads another architecture",
        text,
    )
    require(space.replay(again.decisions).value == architecture.value, "recovered decisions lead elsewhere", text)
    require(space.decisions(text) == again.decisions, "decisions are not deterministic", text)
    read = Architecture.from_json(architecture.to_json(), space)
    require(read == architecture and read.decisions == architecture.decisions, "JSON loses the decisions", text)
    require(Architecture.from_json(architecture.to_json()) == architecture, "JSON alone differs", text)
    require(space.replay(architecture.decisions).value == architecture.value, "replaying differs", text)


def mutates(space: Space, seed: int) -> None:
    """Law 3: a mutation is another valid architecture that keeps the decisions it does not say it redrew."""
    rng = generator(seed)
    parent = space.sample(rng)
    child = space.mutate(parent, rng)
    require(child.value != parent.value, "a mutation equals its parent", parent)
    require(child in space, "a mutation is not in the space", child)
    origin = child.origin
    require(origin is not None and bool(origin.changed), "a mutation does not say what changed", child)
    if origin is None:
        return
    touched = {*origin.changed, *origin.redrawn}
    before = {step.point.address: step for step in parent.steps}
    for step in child.steps:
        known = before.get(step.point.address)
        if known is None or known.point.choice.options != step.point.choice.options:
            continue
        address, kept = step.point.address, known.taken == step.taken
        require(kept or address in touched, f"a decision elsewhere changed at {address}", parent, child)
        if address in origin.redrawn and address not in origin.changed:
            lost = not kept and _lost(step, known.taken)
            require(lost, f"the decision at {address} still applies, but was drawn anew", parent, child)


def _lost(step: Step, taken: int) -> bool:
    """Whether an earlier decision could not be taken again."""
    return taken not in step.point.remaining or step.point.afresh


def crosses(space: Space, seed: int) -> None:
    """Law 4: a crossover is valid and takes every decision from a parent, where it applies."""
    rng = generator(seed)
    parents = space.sample(rng), space.sample(rng)
    child = space.cross(*parents, rng)
    require(child in space, "a crossover is not in the space", child)
    if child.origin is None or child.origin.changed:
        return  # a grafted sub-tree has its decisions from other addresses
    known = [{step.point.address: step for step in parent.steps} for parent in parents]
    for step in child.steps:
        address = step.point.address
        offers = [k[address] for k in known if address in k]
        alike = [o.taken for o in offers if o.point.choice.options == step.point.choice.options]
        if alike and step.taken not in alike:
            lost = address in child.origin.redrawn and all(_lost(step, taken) for taken in alike)
            require(lost, f"the decision at {address} is no parent's", *parents, child)


def neighbours_differ(space: Space, seed: int) -> None:
    """Law 5: neighbours are valid, differ in one decision, and on plain products are all and symmetric."""
    rng = generator(seed)
    architecture = space.sample(rng)
    found = list(itertools.islice(space.neighbours(architecture, rng), 40))
    for neighbour in found:
        require(
            neighbour.value != architecture.value and neighbour in space,
            "not a neighbour",
            architecture,
            neighbour,
        )
        require(neighbour.origin is not None and len(neighbour.origin.changed) == 1, "not one change", neighbour)
    if space.radices is None or space.where:
        return
    every = list(space.neighbours(architecture))
    distinct = sum(radix - 1 for radix in space.radices)
    require(len(every) == distinct, f"{len(every)} neighbours, not {distinct}", architecture)
    other = every[int(rng.integers(len(every)))]
    back = any(again.decisions == architecture.decisions for again in space.neighbours(other))
    require(back, "the relation is not symmetric", architecture, other)


def counts(space: Space, seed: int) -> None:
    """Law 6: the size equals the enumeration, where that is feasible; recursive spaces are infinite."""
    if space.recursive:
        require(space.size == math.inf, "a recursive space has a size", space)
        return
    if space.declared_size is not None:
        _counts_as_declared(space, space.declared_size)
        return
    if space.unconstrained_size > ENUMERATED:
        return
    every = [architecture.decisions for architecture in space.enumerate()]
    require(len(every) == space.size, f"the size is {space.size}, enumeration finds {len(every)}", space)
    require(len(set(every)) == len(every), "a derivation is enumerated twice", space)


def _counts_as_declared(space: Space, declared: float) -> None:
    """A declared size is that of the enumeration, as far as ``ENUMERATED`` derivations tell."""
    if min(declared, at_most(space.root)) > ENUMERATED:
        return
    found = 0
    for number, derivation in enumerate(space.leaves(), 1):
        if number > ENUMERATED:
            return
        found += space.admits(space.finished(derivation))
        require(found <= declared, f"the size is declared as {declared}, enumeration finds more", space)
    require(found == declared, f"the size is declared as {declared}, enumeration finds {found}", space)


def follows_weights(space: Space, seed: int, draws: int = 300) -> None:
    """Law 7: the first decision follows the weights of the options offered (chi-square, p > 1e-6).

    Where dead ends reopen decisions, what is left of them follows no simple law, and nothing is said.
    """
    rng = generator(seed)
    first = space.derive().point
    if first is None or space.where or len(first.offered) < 2 or space.recursive:
        return
    taken: Counter[int] = Counter()
    for _ in range(draws):
        if space.radices is None and _met_dead_end(space, rng):
            return
        taken[space.sample(rng).decisions[0]] += 1
    weights = first.weights(first.offered)
    expected = {index: weight / sum(weights) for index, weight in zip(first.offered, weights, strict=True)}
    _follows(space, taken, expected)


def _met_dead_end(space: Space, rng: numpy.random.Generator) -> bool:
    from nasturtium.space.sampling import guided

    return guided(space, rng).reopened > 0


def samples_uniformly(space: Space, seed: int, largest: int = 30) -> None:
    """Law 7: uniform sampling gives every derivation of a small space with the same probability."""
    if space.recursive or not _countable(space) or not 2 <= space.size <= largest:
        return
    rng = generator(seed)
    every = [architecture.decisions for architecture in space.enumerate()]
    taken = Counter(space.sample(rng, uniform=True).decisions for _ in range(10 * len(every)))
    _follows(space, taken, dict.fromkeys(every, 1 / len(every)))


def _countable(space: Space) -> bool:
    """Whether the size is known at once: declared, or of few enough derivations to enumerate."""
    return space.declared_size is not None or space.unconstrained_size <= ENUMERATED


def _follows(space: Space, taken: Counter[Any], expected: dict[Any, float]) -> None:
    from scipy.stats import chisquare

    require(set(taken) <= set(expected), "what is not offered was taken", space, set(taken) - set(expected))
    observed = [taken[key] for key in expected]
    chance = chisquare(observed, [sum(observed) * share for share in expected.values()]).pvalue
    require(bool(chance > 1e-6), f"sampling is off: {observed} for {list(expected.values())}", space)


def canonical_is_stable(space: Space, seed: int) -> None:
    """Law 8: equal values have equal canonical forms, in text and back; different costs have different ones."""
    rng = generator(seed)
    architecture = space.sample(rng)
    again = space.parse(str(architecture))
    require(again.canonical == architecture.canonical, "the canonical form is not stable", architecture)
    child = space.mutate(architecture, rng)
    if space.simplify or not isinstance(child.value, Layer):
        return
    if child.count() != architecture.count():
        require(child.canonical != architecture.canonical, "different networks look the same", architecture, child)


def repeats(space: Space, seed: int) -> None:
    """Law 10: the same seed gives the same architectures."""
    one, other = generator(seed), generator(seed)
    first, second = space.sample(one), space.sample(other)
    require(first.decisions == second.decisions, "the same seed samples differently", first, second)
    require(space.mutate(first, one) == space.mutate(second, other), "the same seed mutates differently", first)


LAWS: dict[str, Callable[[Space, int], Any]] = {
    "builds": builds,
    "writes_and_reads": writes_and_reads,
    "mutates": mutates,
    "crosses": crosses,
    "neighbours_differ": neighbours_differ,
    "counts": counts,
    "follows_weights": follows_weights,
    "samples_uniformly": samples_uniformly,
    "canonical_is_stable": canonical_is_stable,
    "repeats": repeats,
}
"""Every law by its name."""


def check_space(space: Space, seeds: int = 20) -> None:
    """Hold all laws over a space, for so many seeds.

    Raises:
        LawBroken: At the first that is broken, with the architecture at fault.
    """
    for seed in range(seeds):
        for law in LAWS.values():
            law(space, seed)
