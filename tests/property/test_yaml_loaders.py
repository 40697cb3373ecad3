"""PyYAML with and without libyaml: the same texts are accepted, read alike, and refused."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from capacity.errors import SpecError
from capacity.plan.document import parse_yaml
from capacity.plan.yaml_loader import PythonLoader, yaml_loader
from capacity.readers.decode import parse_yaml_documents
from tests.fixtures.plans import FULL, SMALL

PIECES = (
    *"{}[]:,-#&*!|>'\"%@`\t\n\r \\0a?=~<é",
    *("\u00a0", "\u0085", "\u2028", "\ufeff", "\n  ", ": ", "- ", " #", "<<: ", "\n---\n", "\n...\n", "!!str ", "!x "),
    *("&a ", "*a", "|\n", ">-\n", "? ", "%YAML 1.1\n", "\\x41", "\\ud8", "\r\n", "{{", "[[", "a:b", "k:", ",]", "null"),
)
ODD = (
    *("[a?b]", "[?a]", "[a ? b]", "{a?: 1}", "{?a: 1}", "[?]", "[a:,b]", "{a:}", "[a:[b]]", "[a:b]", "[-]", "{:}"),
    *("a: |\n  \tb", "a: |\n \t\n  b", "a:\tb\tc", "- -\ta", "a:\n\t b: c", "a: b\n\tc", "\ta: b", "[a,\n\tb]"),
    *("a: !!str\tb", "a: !", "[!, a]", "{a: !!str, b: 1}", "%YAML\t1.1\n---\na: b", "%YAML 1.3\n---\na: b"),
    *("%FOO x\n---\na: b", 'a: "\\ud800"', 'a: "\\U00110000"', "a:\n\ufeffb: c", "a: x\u2028y", "&a [*a]", "*a"),
)


def outcome(text: str, document: Any = parse_yaml) -> Any:
    try:
        return document(text, "plan.yaml")
    except SpecError as error:
        return str(error)


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def read(text: str, document: Any = parse_yaml) -> tuple[Any, Any]:
        yaml_loader.cache_clear()
        with_c = outcome(text, document)
        with monkeypatch.context() as without:
            without.delattr(yaml, "CSafeLoader")
            yaml_loader.cache_clear()
            assert yaml_loader() is PythonLoader
            return with_c, outcome(text, document)

    yield read
    yaml_loader.cache_clear()


def damaged(count: int) -> Iterator[str]:
    rng = random.Random(7)
    for _ in range(count):
        text = rng.choice((FULL, SMALL))
        at = rng.randrange(len(text))
        text = text[at : at + rng.choice((40, 150, 400))]
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice(PIECES) + text[at + rng.choice((0, 0, 1, 5)) :]
        yield text


def same(pair: tuple[Any, Any]) -> bool:
    with_c, without = pair
    if isinstance(with_c, str) and isinstance(without, str) and with_c.startswith("plan.yaml:"):
        return without.startswith("plan.yaml:")  # refused by both; each names the fault in its own words
    return bool(with_c == without)


def test_damaged_texts(both: Any) -> None:
    assert [t for t in damaged(1500) if not same(both(t))] == []


@pytest.mark.parametrize("text", ODD)
def test_where_the_two_differ_by_themselves(both: Any, text: str) -> None:
    assert same(both(text))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: " + "[" * 150 + "]" * 150, 1),
        ("[" * 100_000, 1),
        ("{a: " * 5000, 1),
        ("".join(" " * i + "a:\n" for i in range(3000)), 101),
    ],
)
def test_too_deep_is_the_same_line_whoever_reads(both: Any, text: str, line: int) -> None:
    assert both(text) == (f"plan.yaml:{line}: nested more than 100 deep",) * 2


def test_a_hundred_levels_are_allowed(both: Any) -> None:
    with_c, without = both("[" * 100 + "]" * 100)
    assert isinstance(with_c, list)
    assert with_c == without


def test_outside_files_too(both: Any) -> None:
    assert both("a: " + "[" * 5000, parse_yaml_documents) == ("plan.yaml:1: nested more than 100 deep",) * 2
    assert [t for t in ODD if not same(both(t, parse_yaml_documents))] == []
