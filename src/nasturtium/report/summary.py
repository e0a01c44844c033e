"""What a network is, in a few sentences: its motifs in order, their numbers, where its parameters are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from nasturtium.report.english import counted, listed, total
from nasturtium.report.flow import by_kind, by_stage, in_full, stages
from nasturtium.report.motifs import Motif, Series
from nasturtium.report.outline import Block, outline
from nasturtium.report.structure import Structure
from nasturtium.space.architecture import Architecture
from nasturtium.space.signal import Signal

LONGEST = 120
"""A summary has at most about so many words."""

TOTALS = {
    "cell": "cell", "dense block": "dense block", "transformer layer": "transformer layer",
    "residual block": "residual block", "inverted residual": "inverted residual block",
    "squeeze": "squeeze-and-excitation", "dense layer": "dense layer", "attention": "attention layer",
    "token mixing": "token-mixing layer", "recurrence": "recurrent layer", "message passing": "message-passing layer",
    "convolution": "convolution", "linear": "linear map", "branch": "branch",
    "residual connection": "residual connection",
}  # fmt: skip
"""The kinds of motifs whose numbers are said, and their nouns, in this order."""

MOST = 6
"""At most so many numbers of motifs are said."""

WITHIN = {
    "convolution": (("depthwise", "depthwise"), ("dilated", "dilated")),
    "inverted residual": (("inverted with skip", "with a skip"),),
}
"""Of which kinds it is said how many are of a special kind."""

ALMOST = 0.995
"""A share from which on it is almost all."""

MANY_PARAMS = 0.4
"""The part that holds most parameters is named if it holds at least this share of them."""


def summary(architecture: Architecture) -> str:
    """A network in two to six sentences of English, from the motifs it is made of.

    Motifs are found by structure, whatever containers they are written in: a sum of a path and of what entered it is
    a residual block, a product with a gate made of the means of all channels squeeze-and-excitation. All numbers are
    counted. What repeats is said once with its number; long networks are told by runs between changes of resolution.

    Raises:
        SpaceError: If the architecture is no network, or its input is not known.

    >>> from nasturtium.layers import Linear, ReLU, Sequential
    >>> network = Architecture(Sequential(Linear(8), ReLU(), Linear(2)), input=(4,))
    >>> print(summary(network))  # doctest: +NORMALIZE_WHITESPACE
    A fully connected network with 58 parameters, from 4 numbers to 2 numbers. Signals run through a linear map to 8
    features and a linear map to 2 features. In all it has 2 linear maps, with ReLU.
    """
    root = outline(architecture)
    motifs = Structure().network(root)
    holds: Counter[str] = Counter()
    for motif in motifs:
        holds.update(motif.holds)
    around = [_opening(root, holds), _totals(holds), _share(motifs, root.cost.params)]
    room = LONGEST - sum(len(sentence.split()) for sentence in around)
    flow = ""
    for told in (in_full(motifs, True), in_full(motifs, False), by_stage(motifs), by_kind(motifs)):
        flow = f"Signals run through {told}." if told else ""
        if len(flow.split()) <= room:
            break
    return " ".join(sentence for sentence in (around[0], flow, *around[1:]) if sentence)


def _opening(root: Block, holds: Counter[str]) -> str:
    family = _family(holds, all(signal.kind == "vector" for signal in root.inputs))
    count = f"{root.cost.params:,} parameter{'s' * (root.cost.params != 1)}" if root.cost.params else "no parameters"
    article = "An" if family[0] in "aeiou" else "A"
    ends = [
        listed([_signal(each) for each in signals if each.kind != "edges"]) for signals in (root.inputs, root.outputs)
    ]
    return f"{article} {family} with {count}, from {ends[0]} to {ends[1]}."


def _family(holds: Counter[str], flat: bool) -> str:
    if holds["message passing"]:
        return "graph neural network"
    if holds["transformer layer"] and not holds["recurrence"] and holds["convolution"] <= 1:
        return "transformer"
    kinds = [
        name
        for kind, name in (("convolution", "convolutional"), ("recurrence", "recurrent"), ("attention", "attention"))
        if holds[kind] > (kind == "convolution" and holds["patches"] > 0)
    ]
    if kinds:
        return f"{listed(kinds)} network"
    if holds["token mixing"]:
        return "token-mixing network"
    return "network" if not holds["linear"] else "fully connected network" if flat else "network of linear maps"


def _signal(signal: Signal) -> str:
    """A signal in words: an image of 3x32x32, a sequence of 70 tokens."""
    sizes = "x".join("?" if size is None else str(size) for size in signal.shape)
    if signal.kind == "group":
        return listed([f"{name} ({_signal(member)})" for name, member in signal.members])
    if signal.kind == "image":
        return f"an image of {sizes}"
    if signal.kind == "vector":
        return f"{signal.channels:,} number{'s' * (signal.channels != 1)}"
    if signal.kind == "edges":
        return "edges"
    length = "any number of" if signal.length is None else f"{signal.length:,}"
    one = signal.length == 1
    if signal.kind == "tokens":
        return f"{length} token{'s' * (not one)} of a vocabulary of {signal.vocabulary[0]:,}"
    place = "node" if signal.kind == "nodes" else "step"
    return f"{length} {place}{'s' * (not one)} with {signal.channels:,} channel{'s' * (signal.channels != 1)}"


def _totals(holds: Counter[str]) -> str:
    said = []
    for kind, noun in TOTALS.items():
        if not holds[kind] or (kind == "residual connection" and holds["transformer layer"]):
            continue
        if kind == "residual connection" and holds["residual block"]:
            noun = f"other {noun}"
        special = [f"{_of(holds[inner], holds[kind])}{name}" for inner, name in WITHIN.get(kind, ()) if holds[inner]]
        said.append(total(holds[kind], noun) + (f" ({listed(special)})" if special else ""))
    used = listed([name for kind in ("normalisation", "activation") if (name := _most(holds, kind))])
    if not said:
        return f"It works with {used}." if used else ""
    return f"In all it has {listed(said[:MOST])}{f', with {used}' if used else ''}."


def _of(number: int, whole: int) -> str:
    """So many of a whole."""
    return f"{number:,} " if number < whole else "all " if whole > 1 else ""


def _most(holds: Counter[str], kind: str) -> str:
    """The most frequent norm or activation; of several, that there are others."""
    found = Counter({name.removeprefix(f"{kind} "): n for name, n in holds.items() if name.startswith(f"{kind} ")})
    if not found:
        return ""
    (name, _), *others = found.most_common()
    return f"mostly {name}" if others else name


def _share(motifs: Iterable[Motif], whole: int) -> str:
    """Where most parameters are."""
    found = _by_place(tuple(motifs))
    if not whole or len(found) < 2:
        return ""
    place, params = max(found, key=lambda each: each[1])
    share = params / whole
    if share < MANY_PARAMS:
        return ""
    part = f"{100 * share:.0f} % of" if share < ALMOST else "Almost all of" if params < whole else "All of"
    return f"{part} the parameters are in {place}."


def _by_place(motifs: Series) -> list[tuple[str, int]]:
    """Runs between changes of resolution with their parameters; single motifs where there are no such changes."""
    runs = stages(motifs)
    images = [run for run in runs if run[-1].outputs[0].kind == "image"]
    found = []
    for run in runs:
        params = sum(motif.params for motif in run)
        out = run[-1].outputs[0]
        if out.kind == "image" and len(images) > 1 and all(motif.kind != "streams" for motif in run):
            which = "first" if run is images[0] else "last" if run is images[-1] else ""
            sizes = "x".join(map(str, out.shape))
            found.append((f"the {which} stage ({sizes})" if which else f"the stage at {sizes}", params))
        else:
            found += _by_motif(run)
    return found


def _by_motif(run: Series) -> list[tuple[str, int]]:
    params: Counter[tuple[str, str]] = Counter()
    times: Counter[tuple[str, str]] = Counter()
    for motif in run:
        if motif.params and not motif.quiet:
            params[motif.before, motif.noun] += motif.params
            times[motif.before, motif.noun] += 1
    return [
        (f"the {''.join(name) if times[name] == 1 else counted(times[name], *name)}", n) for name, n in params.items()
    ]
