"""What the planner page can reach imports nothing compiled, except where arrays, frames and CEL are made on request."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from capacity.readers.sources import FILE_SOURCES
from tests.architecture.imports import external_imports, import_graph, reachable, room

ROOT = Path(__file__).parents[2] / "capacity"
COMPILED = {"numpy", "pandas", "matplotlib", "celpy", "scipy", "highspy", "jinja2", "typer", "boto3", "botocore"}

# Functions of arrays and frames, AWS itself, and CEL. The page calls none of the first two, and an expression in CEL is
# an answer that names the command. A new line here needs a scalar path that the page takes instead.
ALLOWED = {
    ("capacity.catalog.table", "numpy"),
    ("capacity.catalog.table", "pandas"),
    ("capacity.cni.prefix_walks", "numpy"),
    ("capacity.node.max_pods_expression", "celpy"),
    ("capacity.readers.aws.client", "boto3"),
    ("capacity.readers.aws.client", "botocore"),
    ("capacity.units", "numpy"),
}


@cache
def closure() -> frozenset[str]:
    """The modules that the page can reach; the readers of an import are named in a table."""
    graph = import_graph(ROOT)
    starts = ["capacity.planner", *(source.module for source in FILE_SOURCES.values())]
    return frozenset(module for start in starts for module in (start, *reachable(start, graph)))


def test_the_closure_of_the_page_has_nothing_compiled() -> None:
    within, packages = closure(), external_imports(ROOT)
    found = {(module, package) for module in within for package in packages[module] & COMPILED}
    assert found == ALLOWED


def test_the_closure_of_the_page_has_no_command_line() -> None:
    assert not {room(module) for module in closure()} & {"cli", "charts"}
