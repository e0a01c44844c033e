"""What a container shows: its children, chains laid open, and what repeats folded to one with its number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from nasturtium.report.outline import Block, Source, entering
from nasturtium.space.infer import Signals
from nasturtium.space.part import Cost
from nasturtium.space.signal import Signal

PERIOD = 12
"""The longest row of children whose repetition is looked for."""

BESIDE = 3
"""So many equal children side by side, or more, are folded."""

RETURN = 1 << 60
"""Stands for the container itself among those that read a child."""


@dataclass
class Item:
    """A child of a container, or several equal ones.

    Attributes:
        block: The (first) child; None for a row of several children that repeats.
        reads: The wires that reach the first of them, in terms of items.
        outputs: The signals that leave the last of them.
        cost: Of all of them together.
        first, last: The numbers of the (laid open) children it stands for.
        times: How many rows in turn, or children side by side, it stands for.
        beside: Whether they stand side by side, not in turn.
        row: The children of one row, if there are several.
        lags: For each output, how many rows before the last it leaves.
    """

    block: Block | None
    reads: tuple[Source, ...]
    outputs: Signals
    cost: Cost
    first: int
    last: int
    times: int = 1
    beside: bool = False
    row: Graph | None = None
    lags: tuple[int, ...] = ()


@dataclass
class Graph:
    """The items of a container with its inputs and what it returns."""

    inputs: Signals
    items: list[Item]
    returns: tuple[Source, ...]


def graph_of(block: Block, opens: Callable[[Block], bool] = lambda _: False) -> Graph:
    """The children of a container, with those children laid open for which ``opens`` holds, and repeats folded."""
    items: list[Item] = []

    def put(inner: Block, reaching: tuple[Source, ...]) -> tuple[Source, ...]:
        left = dict(zip(entering(len(inner.inputs)), reaching, strict=True))
        for number, (child, reads) in enumerate(inner.steps):
            sources = tuple([left[read] for read in reads])
            if opens(child):
                leaving = put(child, sources)
            else:
                at = len(items)
                items.append(Item(child, sources, child.outputs, child.cost, at, at))
                leaving = tuple([Source(at, output) for output in range(len(child.outputs))])
            left |= {Source(number, output): source for output, source in enumerate(leaving)}
        return tuple([left[source] for source in inner.returns])

    returns = put(block, entering(len(block.inputs)))
    return _Folder(block.inputs, items, returns).fold()


class _Folder:
    """Finds rows that repeat, from the first item on, always the repetition that covers most."""

    def __init__(self, inputs: Signals, items: list[Item], returns: tuple[Source, ...]) -> None:
        self.inputs = inputs
        self.items = items
        self.returns = returns
        self.readers: list[set[int]] = [set() for _ in items]
        for number, item in enumerate(items):
            for source in item.reads:
                if source.step >= 0:
                    self.readers[source.step].add(number)
        for source in returns:
            if source.step >= 0:
                self.readers[source.step].add(RETURN)
        self.place: dict[Source, Source] = {}
        self.folded: list[Item] = []

    def fold(self) -> Graph:
        at = 0
        while at < len(self.items):
            beside = self._beside(at)
            period, rows = self._in_turn(at)
            if beside >= BESIDE:
                self._put_beside(at, beside)
                at += beside
            elif rows > 1:
                start, rows = self._best_start(at, period, rows)
                for number in range(at, start):
                    self._put_one(number)
                self._put_rows(start, period, rows)
                at = start + period * rows
            else:
                self._put_one(at)
                at += 1
        return Graph(self.inputs, self.folded, tuple([self._placed(source) for source in self.returns]))

    def _best_start(self, at: int, period: int, rows: int) -> tuple[int, int]:
        """Where rows begin so that the fewest wires enter and leave them, and how many there are (at most one less)."""
        found = [(start, self._rows(start, period)) for start in range(at, at + period)]
        least = rows - 1 if rows > 2 else rows
        able = [(start, count) for start, count in found if count >= least]
        return min(able, key=lambda each: (self._open_wires(each[0], period, each[1]), -each[1], each[0]))

    def _open_wires(self, start: int, period: int, rows: int) -> int:
        row = self.items[start : start + period]
        entering = {read for item in row for read in item.reads if read.step < start}
        leaving = {(source.step - start) % period for source in self._wanted(start, start + period * rows)}
        return len(entering) + len(leaving)

    def _put_one(self, number: int) -> None:
        item = self.items[number]
        self._put(item, {Source(number, output): output for output in range(len(item.outputs))})

    def _placed(self, source: Source) -> Source:
        return self.place.get(source, source)

    def _put(self, item: Item, outputs: dict[Source, int]) -> None:
        item.reads = tuple([self._placed(read) for read in item.reads])
        self.folded.append(item)
        self.place |= {source: Source(len(self.folded) - 1, output) for source, output in outputs.items()}

    def _alike(self, number: int, start: int, period: int) -> bool:
        """Whether an item repeats the one a period later.

        Each reads what is as far back, or both the same wire from before the rows; the first row may also read
        something from before where the second reads something of the first.
        """
        first, second = self.items[number], self.items[number + period]
        if _key(first) != _key(second) or first.outputs != second.outputs or len(first.reads) != len(second.reads):
            return False
        before = self.items[number - period].reads if number >= start + period else (None,) * len(first.reads)
        for earlier, one, other in zip(before, first.reads, second.reads, strict=True):
            fixed = one == other and one.step < start and earlier in (None, one)
            shifted = one.step >= 0 and other == Source(one.step + period, one.output) and earlier != one
            enters = earlier is None and one.step < start <= other.step < start + period
            if not (fixed or shifted or enters):
                return False
        return True

    def _in_turn(self, start: int) -> tuple[int, int]:
        """The period and the number of rows of the repetition that begins here; (1, 1) if none does."""
        best = (1, 1)
        for period in range(1, min(PERIOD, (len(self.items) - start) // 2) + 1):
            rows = self._rows(start, period)
            if rows > 1 and period * rows > best[0] * best[1]:
                best = (period, rows)
        return best

    def _rows(self, start: int, period: int) -> int:
        end = start + period
        while end < len(self.items) and self._alike(end - period, start, period):
            end += 1
        rows = (end - start) // period
        if rows < 2 or not self._feeds(start, period) or self._merges(start, period):
            return 1
        while rows > 1 and not self._closed(start, period, rows):
            rows -= 1
        return rows

    def _feeds(self, start: int, period: int) -> bool:
        """Whether the second row reads something of the first."""
        second = range(start + period, start + 2 * period)
        return any(start <= read.step < start + period for number in second for read in self.items[number].reads)

    def _merges(self, start: int, period: int) -> bool:
        """Whether one wire that enters the first row stands for two that enter the second."""
        become: dict[Source, Source] = {}
        for number in range(start, start + period):
            for one, other in zip(self.items[number].reads, self.items[number + period].reads, strict=True):
                if one.step < start and become.setdefault(one, other) != other:
                    return True
        return False

    def _closed(self, start: int, period: int, rows: int) -> bool:
        """Whether nobody outside reads anything but the last row, or of three and more the last but one."""
        end = start + period * rows
        open_from = end - period * (2 if rows > 2 else 1)
        return all(start < reader < end for number in range(start, open_from) for reader in self.readers[number])

    def _beside(self, start: int) -> int:
        """How many equal children that read one child each, and are read by the same one, stand from here on."""
        first = self.items[start]
        readers = self.readers[start]
        end = start
        while end < len(self.items):
            item = self.items[end]
            alike = _key(item) == _key(first) and item.outputs == first.outputs and self.readers[end] == readers
            if not alike or len(item.reads) != 1 or item.reads[0].step != first.reads[0].step:
                break
            end += 1
        return end - start if len(readers) == 1 else 0

    def _put_beside(self, start: int, count: int) -> None:
        items = self.items[start : start + count]
        reads = tuple([read for item in items for read in item.reads])
        cost = sum((item.cost for item in items), Cost())
        item = Item(items[0].block, reads, items[0].outputs, cost, start, start + count - 1, count, beside=True)
        outputs = range(len(item.outputs))
        self._put(item, {Source(start + n, output): output for n in range(count) for output in outputs})

    def _put_rows(self, start: int, period: int, rows: int) -> None:
        end = start + period * rows
        items = self.items[start:end]
        cost = sum((item.cost for item in items), Cost())
        wanted = sorted(self._wanted(start, end), key=lambda source: (-source.step, source.output))
        lags = tuple([rows - 1 - (source.step - start) // period for source in wanted])
        if period == 1 and not any(lags):
            item = Item(items[0].block, items[0].reads, items[-1].outputs, cost, start, end - 1, rows)
            self._put(item, {Source(end - 1, output): output for output in range(len(item.outputs))})
            return
        outputs = tuple([self._signal(source) for source in wanted])
        item = Item(None, (), outputs, cost, start, end - 1, rows, lags=lags)
        item.reads, item.row = self._row(start, period, wanted)
        self._put(item, {source: output for output, source in enumerate(wanted)})

    def _wanted(self, start: int, end: int) -> set[Source]:
        """The wires that leave a row of items."""
        outside = [read for item in (*self.items[:start], *self.items[end:]) for read in item.reads]
        return {source for source in (*outside, *self.returns) if start <= source.step < end}

    def _row(self, start: int, period: int, wanted: list[Source]) -> tuple[tuple[Source, ...], Graph]:
        """What the first row reads from before it, and the row."""
        row = self.items[start : start + period]
        outside = list(dict.fromkeys(read for each in row for read in each.reads if read.step < start))
        name = dict(zip(outside, entering(len(outside)), strict=True))
        inside = []
        for each in row:
            reads = tuple([name.get(read) or Source(read.step - start, read.output) for read in each.reads])
            inside.append(Item(each.block, reads, each.outputs, each.cost, each.first, each.last))
        returns = tuple([Source((source.step - start) % period, source.output) for source in wanted])
        return tuple(outside), Graph(tuple([self._signal(source) for source in outside]), inside, returns)

    def _signal(self, source: Source) -> Signal:
        return self.inputs[-1 - source.step] if source.step < 0 else self.items[source.step].outputs[source.output]


def _key(item: Item) -> int:
    return -1 if item.block is None else item.block.key
