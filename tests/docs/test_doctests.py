"""The examples in docstrings, module by module; importing each module alone is part of the test."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from types import ModuleType

import pytest

import capacity

MODULES = sorted(
    m.name for m in pkgutil.walk_packages(capacity.__path__, "capacity.") if not m.name.endswith("__main__")
)


def examples(module: ModuleType) -> int:
    return sum(len(test.examples) for test in doctest.DocTestFinder().find(module))


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name: str) -> None:
    failed, _ = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert failed == 0


def test_there_are_examples() -> None:
    assert sum(examples(importlib.import_module(name)) for name in MODULES) > 0
