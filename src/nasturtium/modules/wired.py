"""A network that runs a recorded program: which child reads which values and what it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

Step = tuple[str, tuple[int, ...], tuple[int, ...]]


class Wired(nn.Module):
    """Runs its children in a fixed order on numbered values.

    Args:
        children: The modules by name.
        steps: (name of the child, numbers of the values it reads, numbers of the values it leaves), in order.
            A child that leaves several values returns a tuple.
        inputs: Numbers of the values that ``forward`` is called with.
        outputs: Numbers of the values that ``forward`` returns: one tensor, or a tuple of several.
    """

    def __init__(
        self,
        children: Mapping[str, nn.Module],
        steps: Sequence[Step],
        inputs: Sequence[int],
        outputs: Sequence[int],
    ) -> None:
        super().__init__()
        for name, child in children.items():
            self.add_module(name, child)
        self.steps = tuple(steps)
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self._program, self._results, self._registers = _allocate(self.steps, self.inputs, self.outputs)

    def forward(self, *tensors: Tensor) -> Any:
        """Run the program; one tensor for each input."""
        values: list[Any] = [*tensors, *[None] * (self._registers - len(tensors))]
        modules: Any = self._modules
        for name, sources, targets in self._program:
            left = modules[name](*[values[source] for source in sources])
            if len(targets) == 1:
                values[targets[0]] = left
            else:
                for target, value in zip(targets, left, strict=True):
                    values[target] = value
        if len(self._results) == 1:
            return values[self._results[0]]
        return tuple([values[result] for result in self._results])

    def extra_repr(self) -> str:
        """The program, one line a step."""
        lines = [f"forward({_listed(self.inputs)})"]
        lines += [f"  {_listed(targets)} = {name}({_listed(sources)})" for name, sources, targets in self.steps]
        return "\n".join([*lines, f"  return {_listed(self.outputs)}"])


def _listed(values: Sequence[int]) -> str:
    return ", ".join(f"v{value}" for value in values)


def _allocate(
    steps: Sequence[Step], inputs: Sequence[int], outputs: Sequence[int]
) -> tuple[tuple[Step, ...], tuple[int, ...], int]:
    """Put values into registers that are used again after the last reading, so that memory is freed early."""
    last = {value: index for index, (_, sources, _) in enumerate(steps) for value in sources}
    last |= dict.fromkeys(outputs, len(steps))
    place = {value: index for index, value in enumerate(inputs)}
    size, free, program = len(inputs), [place[value] for value in inputs if value not in last], []
    for index, (name, sources, targets) in enumerate(steps):
        read = tuple(place[source] for source in sources)
        free += sorted({place[source] for source in sources if last[source] == index}, reverse=True)
        for target in targets:
            if not free:
                free.append(size)
                size += 1
            place[target] = free.pop()
        program.append((name, read, tuple(place[target] for target in targets)))
        free += [place[target] for target in targets if target not in last]
    return tuple(program), tuple(place[output] for output in outputs), size
