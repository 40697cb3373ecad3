"""Changes the formulas a little, one place at a time, and lists the changes that no test notices.

python tools/mutants.py --room cni --number 50 --seed 1

The rooms, their tests and the changes that cannot matter, each with its reason, are in tools/mutants.toml. The package
and its tests are copied to a temporary folder, so that nothing here is ever changed. Exit code 1: a change survived
that is not among those listed, or one that is listed is no longer possible; 2: the options or the table are wrong.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tools" / "mutants.toml"
NEEDED = ("capacity", "data", "docs", "examples", "requirements", "tests", "tools", "pyproject.toml", "README.md")
LEAST_SECONDS = 60  # for the tests of one change; more where the tests of the code as it is take long

SWAPPED = {
    "min": "max",
    "max": "min",
    "smaller": "larger",
    "larger": "smaller",
    "ceil": "floor",
    "floor": "ceil",
    "any": "all",
    "all": "any",
}
IMPORTS = "from math import ceil, floor\nfrom capacity.units import ceil_div, larger, smaller\n"
BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}

# Tests that fail stop at their first counterexample instead of looking for the smallest.
PLUGIN = """\
from hypothesis import Phase, settings

settings.register_profile(
    "mutants", derandomize=True, deadline=None, database=None, phases=(Phase.explicit, Phase.generate)
)
"""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one statement: where it is, the statement before and after.

    ``place`` is the number of the expression in its module, ``choice`` that of the change among those of it.
    """

    module: str
    function: str
    line: int
    was: str
    now: str
    place: int
    choice: int

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it, whatever lines are above it."""
        return self.module, self.function, self.was, self.now


@dataclass(frozen=True, slots=True)
class Room:
    """Modules with formulas and the tests that guard them."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """The rooms, and the changes that are known to change no answer, with the reason of each."""

    rooms: Mapping[str, Room]
    accepted: Mapping[tuple[str, str, str, str], str]


def read_table(path: Path = TABLE) -> Table:
    """The table of rooms and accepted survivors."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    rooms = {name: Room(name, tuple(room["modules"]), tuple(room["tests"])) for name, room in told["rooms"].items()}
    accepted = {(a["module"], a["function"], a["was"], a["now"]): a["reason"] for a in told.get("accepted", ())}
    return Table(rooms, accepted)


# --- the changes ----------------------------------------------------------------------------------


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Each small change of one node, as a node to put in its place."""
    match node:
        case ast.Compare(left, ops, comparators):
            for i, op in enumerate(ops):
                yield ast.Compare(left, [*ops[:i], BOUNDARY[type(op)](), *ops[i + 1 :]], comparators)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() as value):
            yield ast.Constant(value + 1)
            if value:
                yield ast.Constant(value - 1)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.BinOp(left, ast.Add(), right):
            yield ast.BinOp(left, ast.Sub(), right)
        case ast.BinOp(left, ast.Sub(), right):
            yield ast.BinOp(left, ast.Add(), right)
        case ast.BinOp(left, ast.FloorDiv(), right):
            yield ast.Call(ast.Name("ceil_div"), [left, right], [])
        case ast.Call(ast.Name("ceil_div"), [left, right], []):
            yield ast.BinOp(left, ast.FloorDiv(), right)
        case ast.Call(ast.Name(name), args, keywords) if name in SWAPPED:
            yield ast.Call(ast.Name(SWAPPED[name]), args, keywords)


def mutants_of(module: str, text: str) -> Iterator[Mutant]:
    """Every small change of a module's functions and constants, in the order of its lines.

    Not of what the head of a statement does not show: the patterns and guards of ``match``.
    """
    tree = ast.parse(text)
    for place, (parent, field, index, statement, function) in enumerate(list(_places(tree))):
        old, was = _child(parent, field, index), _head(statement)
        for choice, new in enumerate(list(changes(old))):
            _put(parent, field, index, new)
            now = _head(statement)
            _put(parent, field, index, old)
            if now != was:
                yield Mutant(module, function, statement.lineno, was, now, place, choice)


def mutated(mutant: Mutant, text: str) -> str:
    """The source of a module with one change."""
    tree = ast.parse(text)
    parent, field, index, _, _ = list(_places(tree))[mutant.place]
    _put(parent, field, index, list(changes(_child(parent, field, index)))[mutant.choice])
    # After the docstring and the __future__ import, and before the module's own, which win.
    first = next((i for i, s in enumerate(tree.body) if not _opens_a_module(s)), len(tree.body))
    tree.body[first:first] = ast.parse(IMPORTS).body
    return ast.unparse(ast.fix_missing_locations(tree))


def _put(parent: ast.AST, field: str, index: int | None, new: ast.AST) -> None:
    if index is None:
        setattr(parent, field, new)
    else:
        getattr(parent, field)[index] = new


Place = tuple[ast.AST, str, int | None, ast.stmt, str]  # parent, field and index of a node; its statement and function


def _places(tree: ast.Module) -> Iterator[Place]:
    """Every expression that runs: no annotations, docstrings, decorators, imports nor assertions, of which the
    ``strict=True`` of ``zip`` is one.
    """
    for statement in tree.body:
        yield from _inside(statement, "")


def _inside(statement: ast.stmt, function: str) -> Iterator[Place]:
    if isinstance(statement, ast.Assert | ast.Import | ast.ImportFrom) or _is_text(statement):
        return
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        function = f"{function}.{statement.name}".strip(".")
    for field, value in ast.iter_fields(statement):
        if field in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            here = index if isinstance(value, list) else None
            if isinstance(child, ast.stmt):
                yield from _inside(child, function)
            elif isinstance(child, ast.AST):
                yield from _expressions(statement, field, here, statement, function)


def _expressions(parent: ast.AST, field: str, index: int | None, statement: ast.stmt, function: str) -> Iterator[Place]:
    node = _child(parent, field, index)
    if isinstance(node, ast.stmt):  # of a match case or an exception handler
        yield from _inside(node, function)
        return
    if isinstance(node, ast.expr):
        yield parent, field, index, statement, function
    if isinstance(node, ast.keyword) and node.arg == "strict":  # of zip: an assertion
        return
    for name, value in ast.iter_fields(node):
        if name == "annotation":
            continue
        for at, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST):
                yield from _expressions(node, name, at if isinstance(value, list) else None, statement, function)


def _child(parent: ast.AST, field: str, index: int | None) -> ast.AST:
    value = getattr(parent, field)
    child: ast.AST = value if index is None else value[index]
    return child


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _opens_a_module(statement: ast.stmt) -> bool:
    return _is_text(statement) or (isinstance(statement, ast.ImportFrom) and statement.module == "__future__")


def _head(statement: ast.stmt) -> str:
    """A statement as one line; of one with a body its head."""
    alone = copy.copy(statement)
    for field in ("body", "orelse", "finalbody", "handlers", "decorator_list"):
        if isinstance(getattr(alone, field, None), list):
            setattr(alone, field, [ast.Pass()] if field == "body" else [])
    return ast.unparse(ast.fix_missing_locations(alone)).splitlines()[0].strip()


# --- the tests ------------------------------------------------------------------------------------


class Copy:
    """The repository's code and tests in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in NEEDED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, folder / name)
        (folder / "mutants_profile.py").write_text(PLUGIN, encoding="utf-8")

    def passes(self, tests: Sequence[str], seconds: float | None = None) -> bool:
        """Whether the tests pass in time; a change that makes a loop endless is noticed too."""
        options = ("-x", "-p", "no:cacheprovider", "-p", "mutants_profile", "--hypothesis-profile", "mutants")
        # The folder comes before the installed package; a stale .pyc could hide a change within one second.
        env = os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(self.folder)}
        command = [sys.executable, "-m", "pytest", *options, *tests]
        try:
            done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def survives(self, mutant: Mutant, tests: Sequence[str], seconds: float) -> bool:
        """Whether the tests pass with the change."""
        file = self.folder / mutant.module
        text = file.read_text(encoding="utf-8")
        file.write_text(mutated(mutant, text), encoding="utf-8")
        try:
            return self.passes(tests, seconds)
        finally:
            file.write_text(text, encoding="utf-8")


def mutants_in(room: Room) -> list[Mutant]:
    """Every change of a room's modules."""
    return [m for module in room.modules for m in mutants_of(module, (ROOT / module).read_text(encoding="utf-8"))]


def stale(table: Table, room: Room, possible: Sequence[Mutant]) -> list[str]:
    """Accepted changes of a room's modules that are no longer possible."""
    keys = {m.key for m in possible}
    return [f"{a[0]} {a[1]}: {a[3]}" for a in table.accepted if a[0] in room.modules and a not in keys]


def run(
    room: Room, table: Table, number: int, seed: int, say: Callable[[str], Any], functions: Sequence[str] = ()
) -> int:
    """Try a sample of a room's changes, of some functions only if they are named; the exit code."""
    possible = mutants_in(room)
    named = [m for m in possible if not functions or m.function.rpartition(".")[2] in functions]
    if not named:
        say(f"{room.name} has no function {', '.join(functions)}")
        return 2
    chosen = random.Random(seed).sample(named, min(number, len(named)))
    gone = stale(table, room, possible)
    alive: list[Mutant] = []
    known: list[Mutant] = []
    with tempfile.TemporaryDirectory(prefix="capacity-mutants-") as folder:
        there = Copy(Path(folder))
        start = time.monotonic()
        if not there.passes(room.tests):
            say(f"the tests of {room.name} fail without any change")
            return 2
        seconds = max(LEAST_SECONDS, 4 * (time.monotonic() - start))
        for at, mutant in enumerate(chosen, start=1):
            print(f"{room.name}: change {at} of {len(chosen)}", end="\r", file=sys.stderr, flush=True)
            if mutant.key in table.accepted:
                known.append(mutant)
            elif there.survives(mutant, room.tests, seconds):
                alive.append(mutant)
    killed = len(chosen) - len(alive) - len(known)
    say(
        f"{room.name}, seed {seed}: {len(chosen)} of {len(named)} changes tried, {killed} noticed, "
        f"{len(known)} known to change no answer, {len(alive)} survived"
    )
    for mutant in known:
        say(f"known: {described(mutant)}\n    {table.accepted[mutant.key]}")
    for mutant in alive:
        say(f"survived: {described(mutant)}")
    for entry in gone:
        say(f"no longer possible, to be taken out of {TABLE.name}: {entry}")
    return 1 if alive or gone else 0


def described(mutant: Mutant) -> str:
    """Place, statement before and after."""
    return f"{mutant.module}:{mutant.line} {mutant.function}\n  - {mutant.was}\n  + {mutant.now}"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    table = read_table()
    parser = argparse.ArgumentParser(description="Small changes of the formulas that no test notices.")
    parser.add_argument("--room", choices=sorted(table.rooms), action="append", help="a room; all of them by default")
    parser.add_argument("--function", action="append", help="a function of the room; all of them by default")
    parser.add_argument("--number", type=int, default=20, help="changes tried in each room")
    parser.add_argument("--seed", type=int, default=0, help="which of them")
    told = parser.parse_args(arguments)
    if told.number < 1:
        parser.error("--number must be 1 or more")
    rooms = told.room or sorted(table.rooms)
    return max(
        run(table.rooms[name], table, told.number, told.seed, lambda s: print(s, flush=True), told.function or ())
        for name in rooms
    )


if __name__ == "__main__":
    sys.exit(main())
