"""Every way to close an open part, found by brute force: close all choices in all ways, keep what works."""

from collections import Counter

from nasturtium.errors import Mismatch
from nasturtium.space.choice import Choice
from nasturtium.space.infer import infer
from nasturtium.space.part import Layer, Part, is_container


def every_value(space):
    """The closed values of a space by how many derivations lead to each, without the constraints."""
    found = Counter()
    for value, _ in _closings(space.root, {}):
        try:
            if space.input is not None and (isinstance(value, Layer) or is_container(value)):
                infer(value, *space.input)
        except Mismatch:
            continue
        found[value] += 1
    return found


def _closings(value, shared):
    """(closed value, shared decisions so far), for every way; knows nothing of signals."""
    if isinstance(value, Choice):
        known = shared.get((value.whole, value.share)) if value.share else None
        for index, option in enumerate(value.options):
            if known in (None, index):
                after = {**shared, (value.whole, value.share): index} if value.share else shared
                yield from _closings(option, after)
    elif isinstance(value, tuple):
        yield from _in_turn(value, shared, tuple)
    elif isinstance(value, Part) and value.is_open:
        if getattr(value, "scope", False):
            for bodies, after in _scoped(value.bodies, shared):
                yield value.with_values({"bodies": bodies}), after
        else:
            fields = value.fields
            yield from _in_turn(
                value.values, shared, lambda values: value.with_values(dict(zip(fields, values, strict=True)))
            )
    else:
        yield value, shared


def _in_turn(values, shared, make):
    if not values:
        yield make(()), shared
        return
    for first, after in _closings(values[0], shared):
        for rest, last in _in_turn(values[1:], after, tuple):
            yield make((first, *rest)), last


def _scoped(bodies, shared):
    """Copies of a repeat: each has shared decisions of its own, but for those of the whole space."""
    if not bodies:
        yield (), shared
        return
    for first, after in _closings(bodies[0], {key: taken for key, taken in shared.items() if key[0]}):
        whole = {**shared, **{key: taken for key, taken in after.items() if key[0]}}
        for rest, last in _scoped(bodies[1:], whole):
            yield (first, *rest), last


def chance(observed, expected):
    """The p-value of a chi-square test of counts against probabilities, both by key."""
    from scipy.stats import chisquare

    assert set(observed) <= set(expected)
    draws = sum(observed.values())
    keys = list(expected)
    return float(chisquare([observed[key] for key in keys], [draws * expected[key] for key in keys]).pvalue)


def by_address(architecture):
    """The decisions of an architecture by address."""
    return {step.point.address: step for step in architecture.steps}


def applies(before, after):
    """Whether a decision at one address means the same in two derivations."""
    return before.point.choice.options == after.point.choice.options
