"""The structure of a network: chains of motifs, found where wires part and where they join again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from nasturtium.report.cells import SHOWN, Step, dense_layers, operations, shrinks, with_leading
from nasturtium.report.english import number_word
from nasturtium.report.joins import joined
from nasturtium.report.leaves import leaf
from nasturtium.report.motifs import Motif, Series, compound, held
from nasturtium.report.outline import Block, Source, entering
from nasturtium.report.rows import rewritten

ACCOMPANIED = ("attention", "message passing", "position")
"""Kinds of layers whose first input is what they work on."""

WIRED = {"cell", "dense block", "residual block", "residual connection", "branch", "squeeze", "product", "dense layer"}
"""Kinds that are not counted inside a recurrent cell, where any wiring is part of the cell."""


class Structure:
    """Reads blocks, each distinct one once."""

    def __init__(self) -> None:
        self.known: dict[int, Series] = {}
        self.beside: dict[int, set[int]] = {}

    def network(self, root: Block) -> Series:
        """The motifs of a whole network, in order."""
        return rewritten(self.series(root, whole=True))

    def series(self, block: Block, whole: bool = False) -> Series:
        """The motifs of a block, in order; what stands in a row is not yet put together."""
        if not block.is_container:
            return (leaf(block),)
        if id(block) not in self.known:
            self.known[id(block)] = self._container(block, whole)
        return self.known[id(block)]

    def _container(self, block: Block, whole: bool) -> Series:
        if block.is_chain:
            return tuple([motif for step in block.steps for motif in self.series(step.block)])
        if any(step.block.tag == "PreviousStates" for step in block.steps):
            return (self._recurrence(block),)
        return _Wiring(self, block).series(whole)

    def context(self, block: Block) -> set[int]:
        """The inputs of a layer that only accompany another one, by their numbers."""
        if len(block.inputs) < 2:
            return set()
        if not block.is_container:
            return set(range(1, len(block.inputs))) if leaf(block).kind in ACCOMPANIED else set()
        if id(block) not in self.beside:
            beside = _Wiring(self, block).beside
            self.beside[id(block)] = {-1 - source.step for source in beside if source.step < 0}
        return self.beside[id(block)]

    def _recurrence(self, block: Block) -> Motif:
        """A cell that is unrolled over the steps of a sequence."""
        inner = tuple([motif for step in block.steps for motif in self.series(step.block)])
        layers = sum(step.block.tag == "PreviousStates" for step in block.steps)
        width = getattr(block.part, "hidden", ())
        states = getattr(block.part, "states", 1)
        many = f"{number_word(layers)}-layer " if layers > 1 else ""
        after = f" of width {width[-1]}" if width else ""
        after += f" with {states} states" if states > 1 else ""
        made = compound("recurrence", (many, "recurrent cell", after), inner, (block.inputs[:1], block.outputs))
        for kind in WIRED & made.holds.keys():
            del made.holds[kind]
        return made


class _Wiring:
    """A container that is no chain."""

    def __init__(self, structure: Structure, block: Block) -> None:
        self.structure = structure
        self.block = block
        self.same: dict[Source, Source] = {}
        self.dead: set[Source] = set()
        self.signals = dict(zip(entering(len(block.inputs)), block.inputs, strict=True))
        self.beside = self._context()
        self.steps = [step for number in range(len(block.steps)) if (step := self._step(number)) is not None]
        self.returns = tuple([self._origin(source) for source in block.returns])

    def series(self, whole: bool) -> Series:
        """The motifs in order: one cell if several wires enter, the steps in a row if several leave."""
        starts = {read for step in self.steps for read in step.reads if read.step < 0}
        starts |= {source for source in self.returns if source.step < 0}
        if len(set(self.returns)) > 1 or (whole and len(starts) > 1):
            return self._in_order(self.steps)
        if len(starts) > 1:
            single = sum(not _is_join(step.block) for step in self.steps) < 2
            return self._in_order(self.steps) if single else (self._cell(self.steps),)
        return self._chain(self.steps, starts, self.returns[0])

    def _context(self) -> set[Source]:
        """Wires that only accompany another one: edges of a graph, a memory that is attended to."""
        found = {source for source, signal in self.signals.items() if signal.kind == "edges"}
        for source in list(self.signals)[1:]:
            found |= self._accompanying(source)
        return found

    def _accompanying(self, source: Source) -> set[Source]:
        """A wire and what is made of it on the way, if it only accompanies others; else nothing."""
        found = {source}
        if source in self.block.returns:
            return set()
        for number, (block, reads) in enumerate(self.block.steps):
            for position, read in enumerate(reads):
                if read != source or position in self.structure.context(block):
                    continue
                made = Source(number)
                quiet = len(reads) == 1 and all(motif.quiet for motif in self.structure.series(block))
                behind = self._accompanying(made) if quiet and len(block.outputs) == 1 else set()
                if not behind:
                    return set()
                found |= behind
        return found

    def _step(self, number: int) -> Step | None:
        """The step of a number; None if it only copies wires, or gives zeros."""
        block, sources = self.block.steps[number]
        outputs = [Source(number, output) for output in range(len(block.outputs))]
        self.signals |= dict(zip(outputs, block.outputs, strict=True))
        reads = tuple([self._origin(read) for read in sources])
        beside = self.structure.context(block)
        own = [read for position, read in enumerate(reads) if position not in beside]
        alive = tuple([read for read in own if read not in self.beside and read not in self.dead])
        if not block.is_container and len(reads) == 1 and len(outputs) > 1 and _copies(block):
            self.same |= dict.fromkeys(outputs, reads[0])
            return None
        series = self.structure.series(block)
        if any(motif.kind == "zero" for motif in series) and not block.cost.params:
            self.dead |= set(outputs)
            return None
        if reads and not alive and all(read in self.dead for read in reads) and not block.cost.params:
            self.dead |= set(outputs)
            return None
        return Step(number, block, alive, series)

    def _origin(self, source: Source) -> Source:
        return self.same.get(source, source)

    def _chain(self, steps: Sequence[Step], starts: set[Source], end: Source) -> Series:
        """The motifs between wires, cut wherever a single wire is left."""
        last = {read: at for at, step in enumerate(steps) for read in step.reads}
        last[end] = len(steps)
        live, waiting = set(starts), list[Step]()
        found: list[Motif] = []
        for at, step in enumerate(steps):
            waiting.append(step)
            outputs = [Source(step.number, output) for output in range(len(step.block.outputs))]
            live |= {output for output in outputs if output in last}
            before = set(starts)
            live = {source for source in live if last.get(source, -1) > at}
            if len(live) == 1:
                found += self._region(waiting, before, next(iter(live)))
                starts, waiting = set(live), []
        found += self._in_order(waiting)
        return tuple(found)

    def _region(self, steps: list[Step], starts: set[Source], end: Source) -> Series:
        """The motifs of steps that lead from wires to one wire."""
        if len(steps) == 1:
            return steps[0].series
        idle = [step for step in steps if not step.reads and all(motif.quiet for motif in step.series)]
        if idle:
            first = tuple([motif for step in idle for motif in step.series])
            return first + self._region([step for step in steps if step not in idle], starts, end)
        if steps[-1].number == end.step:
            found = self._branches(steps, starts)
            if found:
                return found
        if any(_is_cell(step.series) and len(step.reads) > 1 for step in steps):
            return self._in_order(steps)
        if any(step.block.is_container and len(step.block.outputs) > 1 for step in steps):
            return (self._streams(steps),)
        return (self._cell(steps),)

    def _branches(self, steps: list[Step], starts: set[Source]) -> Series:
        """Paths that part at one wire, or at one split, and join in one layer; nothing if the steps are no such."""
        *inside, join = steps
        first = inside[0]
        split = len(first.block.outputs) > 1 and not first.block.is_container and first.reads and first is not join
        origins = {Source(first.number, n) for n in range(len(first.block.outputs))} if split else starts
        inside = inside[1:] if split else inside
        opening, rest = self._join(join)
        if opening is None:
            return ()
        paths, used = [], 0
        for read in join.reads:
            path = _behind(inside, read)
            used += len(path)
            if {each for step in path for each in step.reads if each.step not in _numbers(path)} - origins:
                return ()
            paths.append(rewritten(self._chain(path, origins & _reached(path, read), read)) if path else ())
        if used != len(inside) or len(join.reads) < 2:
            return ()
        origin = tuple([self.signals[source] for source in sorted(starts, reverse=True)])
        ends = (first.block.inputs if split else origin, opening.outputs)
        splits = first.block.outputs if split else ()
        return (joined(opening, paths, ends, splits), *rest)

    def _join(self, step: Step) -> tuple[Motif | None, Series]:
        """The layer that joins, and what follows it in the same container."""
        block, children = step.block, step.block.steps
        if not block.is_container:
            return step.series[0], ()
        opening = children[0].block if children else block
        if opening.is_container or not _is_join(opening) or children[0].reads != entering(len(block.inputs)):
            return None, ()
        rest = [motif for child in children[1:] for motif in self.structure.series(child.block)]
        return (leaf(opening), tuple(rest)) if block.is_chain else (None, ())

    def _in_order(self, steps: Sequence[Step]) -> Series:
        """The motifs of steps one after the other; what only leads into a cell becomes part of it."""
        readers = Counter(read.step for step in steps for read in {*step.reads})
        leading: dict[int, list[Motif]] = {}
        cells = {step.number: step for step in steps if _is_cell(step.series) and len(step.reads) > 1}
        fed = {read.step: number for number, step in cells.items() for read in step.reads if readers[read.step] == 1}
        found: list[Motif] = []
        for step in steps:
            if step.number in fed and step.number not in cells and held(step.series)["convolution"] <= SHOWN:
                leading.setdefault(fed[step.number], []).extend(step.series)
            elif step.number in cells:
                found.append(with_leading(step.series[0], tuple(leading.get(step.number, ()))))
            else:
                found += step.series
        return tuple(found)

    def _streams(self, steps: Sequence[Step]) -> Motif:
        """Containers that hand several signals on to each other."""
        inner = tuple([motif for step in steps for motif in step.series])
        many = max(len(step.block.outputs) for step in steps)
        words = "", f"{number_word(many)}-stream part", ""
        return compound("streams", words, inner, (steps[0].block.inputs, steps[-1].block.outputs), operations(steps))

    def _cell(self, steps: Sequence[Step]) -> Motif:
        """Steps that are wired in no simpler way."""
        inner = tuple([motif for step in steps for motif in step.series])
        inputs = self.block.inputs[:1] if not steps else steps[0].block.inputs
        outputs = steps[-1].block.outputs if steps else self.block.outputs
        dense = dense_layers(steps)
        if dense:
            words, detail = ("", "dense block", ""), f" of {number_word(dense)} layers that each read all before"
            return compound("dense block", words, inner, (inputs, outputs), detail)
        return compound("cell", (shrinks(inputs, outputs), "cell", ""), inner, (inputs, outputs), operations(steps))


def _is_join(block: Block) -> bool:
    return not block.is_container and leaf(block).kind == "join"


def _is_cell(series: Series) -> bool:
    return len(series) == 1 and series[0].kind == "cell"


def _copies(block: Block) -> bool:
    return all(signal == block.inputs[0] for signal in block.outputs) and not block.cost.params


def _numbers(steps: Sequence[Step]) -> set[int]:
    return {step.number for step in steps}


def _behind(steps: Sequence[Step], end: Source) -> list[Step]:
    """The steps that lead to a wire."""
    wanted, found = {end.step}, []
    for step in reversed(steps):
        if step.number in wanted:
            wanted |= {read.step for read in step.reads}
            found.append(step)
    return found[::-1]


def _reached(path: Sequence[Step], end: Source) -> set[Source]:
    return {read for step in path for read in step.reads} | {end}
