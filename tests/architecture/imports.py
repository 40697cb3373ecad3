"""Who imports whom in a package, read from the source: imports inside functions count, type-only ones do not."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

Graph = dict[str, set[str]]


def import_graph(root: Path) -> Graph:
    """Each module under ``root`` (a package folder) with the modules of the same package that it names.

    The implicit load of a parent's ``__init__`` is no edge: with it, every package that re-exports a
    name would read as a cycle.
    """
    modules = {_module_name(path, root): path for path in sorted(root.rglob("*.py"))}
    return {name: set(_targets(name, path, modules)) - {name} for name, path in modules.items()}


def room(module: str) -> str:
    """Second part of a dotted name: ``capacity.node.density`` is in ``node``; the package itself in ``""``."""
    return [*module.split("."), ""][1]


def layer_violations(graph: Graph, layers: str) -> list[str]:
    """Imports that do not run inward, and rooms that ``layers`` does not name.

    ``layers`` reads from the innermost row to the outermost, ``<`` between rows, ``,`` between rooms of one row.
    """
    rank = {name: level for level, row in enumerate(layers.split("<")) for name in row.split(",")}
    found = [f"{module}: room {room(module)!r} is in no row" for module in sorted(graph) if room(module) not in rank]
    for module, targets in sorted(graph.items()):
        for target in sorted(targets):
            here, there = rank.get(room(module)), rank.get(room(target))
            if room(module) != room(target) and here is not None and there is not None and there >= here:
                found.append(f"{module} -> {target}")
    return found


def import_cycles(graph: Graph) -> list[list[str]]:
    """Groups of modules that reach each other, each sorted."""
    reach = {module: reachable(module, graph) for module in graph}
    groups = {tuple(sorted(o for o in reach[m] if m in reach[o])) for m in graph if m in reach[m]}
    return [list(group) for group in sorted(groups)]


def reachable(start: str, graph: Graph) -> set[str]:
    """The modules that a module reaches, by one or more imports."""
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting.extend(graph[module])
    return seen


def external_imports(root: Path) -> dict[str, set[str]]:
    """Each module under ``root`` with the top names of all packages that it imports at run time."""
    return {
        _module_name(path, root): {name.partition(".")[0] for name in _wanted(_module_name(path, root), path)}
        for path in sorted(root.rglob("*.py"))
    }


def _module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _targets(name: str, path: Path, modules: dict[str, Path]) -> Iterator[str]:
    for wanted in _wanted(name, path):
        target = wanted
        while target and target not in modules:  # a name inside a module, or a module of someone else's
            target = target.rpartition(".")[0]
        if target:
            yield target


def _wanted(name: str, path: Path) -> Iterator[str]:
    """The full names that a module imports at run time."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in _runtime_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{stem}.{alias.name}" for alias in node.names)


def _runtime_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node of the tree but those under ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _runtime_nodes(ast.Module(body=child.orelse, type_ignores=[]))
        else:
            yield child
            yield from _runtime_nodes(child)
