"""Limits of recursive spaces: how deep rules may nest, and how many decisions a derivation may hold."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nasturtium.errors import SpaceError
from nasturtium.space.choice import Choice, Rule
from nasturtium.space.part import Part


class Needs(NamedTuple):
    """What a choice needs at least, and each of its options: decisions (``least``) and levels of rules (``height``).

    Attributes:
        own: Decisions that the choice needs, its own included.
        least: Decisions that each option needs.
        height: Levels of rules that each option needs.
        most: The largest of ``least``.
        highest: The largest of ``height``.
        level: How many levels of depth the options are below the choice.
        change: By how much the decisions still to come change when each option is taken.
    """

    own: int
    least: tuple[float, ...]
    height: tuple[float, ...]
    most: float
    highest: float
    level: int
    change: tuple[int, ...]


class Budget:
    """Keeps derivations within a depth and a number of nodes, by offering only options that can still end in time.

    A node is one decision, counted as often as it will stand in the network (a body that is copied eight times
    counts eight times); what every pending choice needs at least is set aside.

    Args:
        root: The open part.
        depth: How many rules may enclose a choice.
        nodes: How many nodes a derivation may have.

    Raises:
        SpaceError: If a rule can never end, or the smallest derivation exceeds the limits.
    """

    def __init__(self, root: Part, depth: int, nodes: int) -> None:
        self.depth = depth
        self.nodes = nodes
        self._rules = _rules_in(root)
        self._least = _fixpoint(self._rules, self._least_of)
        self._height = _fixpoint(self._rules, self._height_of)
        self._known: dict[tuple[str, Any], float] = {}
        self._needs: dict[Choice, Needs] = {}
        for rule, least in self._least.items():
            if least == math.inf:
                raise SpaceError(f"rule {rule.name!r} can never end: give it an option without rules")
        if self._rules and (self.least(root) > nodes or self._need("height", root) > depth):
            raise SpaceError(f"no derivation fits {nodes} nodes and depth {depth}; allow more of them")

    def widened(self, lenient: bool, spent: int) -> Budget:
        """The same with room for so many nodes at least; all but without limits if ``lenient``."""
        if not lenient and spent <= self.nodes:
            return self
        made = copy.copy(self)
        made.nodes = 10**12 if lenient else spent
        made.depth = 10**6 if lenient else self.depth
        return made

    @property
    def recursive(self) -> bool:
        """Whether some rule can contain itself, so that the space is infinite but for the limits."""
        return any(rule in _rules_in(option) for rule in self._rules for option in rule.options)

    def least(self, value: Any) -> int:
        """How many decisions a part or choice takes at least."""
        return int(self._need("least", value))

    def copies(self, part: Any, key: str, closed: Mapping[str, Any]) -> int:
        """How many times a child of ``part`` will stand in the network for each time the part does."""
        count = getattr(part, "copies", None)
        return 1 if count is None else int(count(key, closed))

    def affordable(
        self, choice: Choice, offered: tuple[int, ...], depth: int, copies: int, spent: int, reserved: int
    ) -> tuple[int, ...]:
        """Those of the offered options with which the derivation can still end within the limits.

        A choice of one option keeps it: what it needs was set aside when the choice came up.
        """
        needs = self.needs(choice)
        left = (self.nodes - spent - reserved) // copies + needs.own - 1
        levels = self.depth - depth - needs.level
        if (needs.most <= left and needs.highest <= levels) or len(needs.least) == 1:
            return offered
        return tuple([i for i in offered if needs.least[i] <= left and needs.height[i] <= levels])

    def needs(self, choice: Choice) -> Needs:
        """What a choice and its options need at least; remembered."""
        known = self._needs.get(choice)
        if known is None:
            own = self.least(choice)
            least = tuple([self._need("least", option) for option in choice.options])
            height = tuple([self._need("height", option) for option in choice.options])
            change = tuple([int(need) - own for need in least])
            level = int(isinstance(choice, Rule))
            known = self._needs[choice] = Needs(own, least, height, max(least), max(height), level, change)
        return known

    def _need(self, what: str, value: Any) -> float:
        key = (what, value)
        known = self._known.get(key)
        if known is None:
            rules = self._least if what == "least" else self._height
            known = (self._least_of if what == "least" else self._height_of)(value, rules)
            self._known[key] = known
        return known

    def _least_of(self, value: Any, rules: Mapping[Choice, float]) -> float:
        if isinstance(value, Rule) and value in rules:
            return rules[value]
        if isinstance(value, Choice):
            return 1 + min(self._least_of(option, rules) for option in value.options)
        if isinstance(value, Part):
            if not value.is_open:
                return 0
            needs = 0.0
            for name, index, item in _children(value):
                key = str(index) if name == value.variadic else name if index is None else f"{name}_{index}"
                needs += self._least_of(item, rules) * self.copies(value, key, {})
            return needs
        return sum(self._least_of(item, rules) for item in value) if isinstance(value, tuple) else 0

    def _height_of(self, value: Any, rules: Mapping[Choice, float]) -> float:
        if isinstance(value, Rule) and value in rules:
            return rules[value]
        if isinstance(value, Choice):
            return min(self._height_of(option, rules) for option in value.options)
        if isinstance(value, Part):
            return max((self._height_of(item, rules) for _, _, item in _children(value)), default=0)
        return max((self._height_of(item, rules) for item in value), default=0) if isinstance(value, tuple) else 0


def _children(part: Part) -> list[tuple[str, int | None, Any]]:
    found: list[tuple[str, int | None, Any]] = []
    for name in part.fields:
        value = part.__dict__[name]
        if isinstance(value, tuple):
            found += [(name, index, item) for index, item in enumerate(value)]
        else:
            found.append((name, None, value))
    return found


def _rules_in(value: Any) -> list[Rule]:
    found: dict[Rule, None] = {}
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Rule):
            if item in found:
                continue
            found[item] = None
        if isinstance(item, Choice):
            pending.extend(item.options)
        elif isinstance(item, tuple):
            pending.extend(item)
        elif isinstance(item, Part) and item.is_open:
            pending.extend(item.values)
    return list(found)


def _fixpoint(rules: list[Rule], of: Callable[[Any, Mapping[Choice, float]], float]) -> dict[Choice, float]:
    """The least solution of: a rule needs one more than the option that needs least."""
    found: dict[Choice, float] = dict.fromkeys(rules, math.inf)
    changed = True
    while changed:
        changed = False
        for rule in rules:
            value = 1 + min(of(option, found) for option in rule.options)
            if value < found[rule]:
                found[rule], changed = value, True
    return found
