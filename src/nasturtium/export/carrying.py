"""Carries the source of classes and functions into one file, with everything in their own files that they refer to."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from nasturtium.errors import NasturtiumError

NEEDED = ("torch", "__future__")
"""Packages besides the standard library that the file may import."""


@dataclass(frozen=True)
class _File:
    """The top level of a module: the statement that defines each name, and where imported names come from."""

    name: str
    lines: list[str]
    definitions: dict[str, ast.stmt]
    imports: dict[str, tuple[str, str | None]]


class Carrier:
    """Collects definitions in an order in which Python can run them.

    Args:
        reserved: Names that no definition may have.
    """

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self.reserved = frozenset(reserved)
        self.imports: set[tuple[str, str | None, str]] = set()
        self._files: dict[str, _File] = {}
        self._texts: dict[tuple[str, str], str] = {}
        self._met: set[tuple[str, str]] = set()
        self._names: dict[tuple[str, str], str] = {}
        self._uses: dict[tuple[str, str], set[tuple[str, str]]] = {}

    @property
    def taken(self) -> set[str]:
        """Names that the source uses already."""
        return {*self._names.values(), *(shown for _, _, shown in self.imports)}

    def called(self, kind: type) -> str:
        """What a class is called in the source; its definition is carried along unless it is torch's.

        Raises:
            NasturtiumError: If there is no source of it, or it needs another package.
        """
        import torch

        if getattr(torch.nn, kind.__name__, None) is kind:
            return f"nn.{kind.__name__}"
        if kind.__module__.split(".")[0] == "torch":
            self.imports.add((kind.__module__, kind.__name__, kind.__name__))
            return kind.__name__
        return self.carry(kind)

    def carry(self, thing: Any) -> str:
        """Carry a class or a function of a module; gives its name in the source."""
        if "." in thing.__qualname__ or thing.__module__ == "__main__":
            raise NasturtiumError(
                f"cannot carry the source of {thing.__qualname__}: it is defined in "
                f"{'a function or class' if '.' in thing.__qualname__ else 'the main program'}; "
                "define it at the top of a file that is imported, or export to .pt2 or .onnx"
            )
        key = (thing.__module__, thing.__name__)
        self._need(key)
        return self._names[key]

    def texts(self) -> list[str]:
        """The definitions, each after those it refers to."""
        return [self._renamed(key, text) for key, text in self._texts.items()]

    def import_lines(self) -> list[str]:
        """The import statements, sorted."""
        plain = {f"import {m}" + ("" if shown == m else f" as {shown}") for m, name, shown in self.imports if not name}
        parts: dict[str, set[str]] = {}
        for module, name, shown in self.imports:
            if name:
                parts.setdefault(module, set()).add(name if shown == name else f"{name} as {shown}")
        lines = [*plain, *(f"from {module} import {', '.join(sorted(names))}" for module, names in parts.items())]
        standard = sorted((line for line in lines if not line.split()[1].startswith("torch")), key=_by_kind)
        return [*standard, "", *sorted((line for line in lines if line.split()[1].startswith("torch")), key=_by_kind)]

    def _need(self, key: tuple[str, str]) -> None:
        """Carry a definition and what it refers to."""
        if key in self._met:
            return
        self._met.add(key)
        module, name = key
        file = self._file(module)
        statement = file.definitions.get(name)
        if statement is None:
            raise NasturtiumError(f"cannot carry {name} of {module}: it is not defined at the top of that file")
        self._names[key] = self._free(name, module)
        self._uses[key] = set()
        for beside in _names_of(statement):  # what the same statement defines is carried with it
            if (module, beside) not in self._met:
                self._met.add((module, beside))
                self._names[module, beside] = self._free(beside, module)
        for used in sorted({node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}):
            found = self._refer(file, used, key)
            if found is not None:
                self._uses[key].add(found)
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
        text = "\n".join(file.lines[first - 1 : statement.end_lineno])
        self._texts[key] = re.sub(r"  # (type: ignore|noqa)\S*.*$", "", text, flags=re.MULTILINE)

    def _refer(self, file: _File, used: str, key: tuple[str, str]) -> tuple[str, str] | None:
        """Carry what a name of a file stands for; gives where it is defined, if it is carried."""
        if used in file.definitions:
            target = (file.name, used)
            self._need(target)
            return target
        if used not in file.imports:
            return None
        module, name = file.imports[used]
        package = module.split(".")[0]
        if package in NEEDED or package in sys.stdlib_module_names:
            self.imports.add((module, name, used))
            return None
        if name is None or not self._has_source(module):
            raise NasturtiumError(
                f"{key[1]} of {key[0]} needs {module}, which the file cannot carry; write it with torch alone, or "
                "export to .pt2 or .onnx"
            )
        found = getattr(importlib.import_module(module), name)
        target = (getattr(found, "__module__", module), name)
        if name not in self._file(target[0]).definitions:
            target = (module, name)
        self._need(target)
        return target if used == name else self._alias(file, used, target)

    def _alias(self, file: _File, used: str, target: tuple[str, str]) -> tuple[str, str]:
        """Carry the other name that a file imports something by."""
        key = (file.name, used)
        if key not in self._met:
            self._met.add(key)
            self._names[key] = self._free(used, file.name)
            self._uses[key] = {target}
            self._texts[key] = f"{used} = {target[1]}"
        return key

    def _has_source(self, module: str) -> bool:
        return (
            not module.startswith(("numpy", "scipy", "sklearn", "polars"))
            and importlib.util.find_spec(module) is not None
        )

    def _free(self, name: str, module: str) -> str:
        """The name itself, or one with the file's where another file has the same."""
        if name not in self.reserved and name not in self._names.values():
            return name
        tail = module.rsplit(".", 1)[-1]
        return (
            f"{name}_{tail}" if name.islower() or name.startswith("_") else f"{name}Of{tail.title().replace('_', '')}"
        )

    def _renamed(self, key: tuple[str, str], text: str) -> str:
        new = {used[1]: self._names.get(used, used[1]) for used in (*self._uses[key], key)}
        changed = [re.escape(old) for old in new if old != new[old]]
        if not changed:
            return text
        return re.sub(rf"(?<![\w.])({'|'.join(changed)})(?!\w)", lambda match: new[match[1]], text)

    def _file(self, module: str) -> _File:
        if module not in self._files:
            self._files[module] = _read(importlib.import_module(module))
        return self._files[module]


def _by_kind(line: str) -> tuple[bool, str]:
    """Whole modules first, then names out of modules."""
    return line.startswith("from"), line


def _read(module: ModuleType) -> _File:
    try:
        source = inspect.getsource(module)
    except (OSError, TypeError):
        raise NasturtiumError(
            f"cannot read the source of {module.__name__}; export to .pt2 or .onnx, which do not need it"
        ) from None
    definitions: dict[str, ast.stmt] = {}
    imports: dict[str, tuple[str, str | None]] = {}
    for statement in _statements(ast.parse(source)):
        if isinstance(statement, (ast.ClassDef, ast.FunctionDef)):
            definitions[statement.name] = statement
        elif isinstance(statement, ast.Assign):
            definitions |= dict.fromkeys(_names_of(statement), statement)
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            definitions[statement.target.id] = statement
        elif isinstance(statement, ast.Import):
            for name in statement.names:
                package = name.name.split(".")[0]
                imports[name.asname or package] = (name.name if name.asname else package, None)
        elif isinstance(statement, ast.ImportFrom):
            origin = "." * statement.level + (statement.module or "")
            origin = importlib.util.resolve_name(origin, module.__package__ or "") if statement.level else origin
            imports |= {name.asname or name.name: (origin, name.name) for name in statement.names}
    return _File(module.__name__, source.splitlines(), definitions, imports)


def _names_of(statement: ast.stmt) -> list[str]:
    """The names that an assignment gives, as in ``LOW, HIGH = -1.0, 1.0`` and ``first = second = 0``."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return [node.id for target in targets for node in ast.walk(target)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]  # fmt: skip


def _statements(tree: ast.Module) -> list[ast.stmt]:
    """The statements at the top of a file, those under ``if TYPE_CHECKING:`` included."""
    found: list[ast.stmt] = []
    for statement in tree.body:
        checking = isinstance(statement, ast.If) and isinstance(statement.test, ast.Name)
        found += statement.body if checking and statement.test.id == "TYPE_CHECKING" else [statement]  # type: ignore
    return found
