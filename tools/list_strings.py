"""List every sentence a user can read, with file and line: messages, help texts, docstrings, findings, pages.

    python -m tools.list_strings [messages|docstrings|data|pages ...]

One line each (`file:line: text`), for reading aloud and for tests/docs/test_plain_words.py.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Sentence(NamedTuple):
    """A text and where it stands."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}: {' '.join(self.text.split())}"


def messages() -> Iterator[Sentence]:
    """String literals of the package that hold more than one word; a value in an f-string reads ``{}``."""
    for path, tree in _trees():
        skipped = _docstrings(tree) | _inside_f_strings(tree)
        for node in ast.walk(tree):
            if id(node) in skipped:
                continue
            text = _text(node)
            if text and re.search(r"[A-Za-z]\S* \S", text):
                yield Sentence(path, getattr(node, "lineno", 0), text)


def docstrings() -> Iterator[Sentence]:
    """Docstrings of modules, classes and functions."""
    for path, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                text = ast.get_docstring(node)
                if text:
                    yield Sentence(path, getattr(node, "lineno", 1), text)


def data() -> Iterator[Sentence]:
    """Texts of the TOML tables that become findings, messages and reasons."""
    for path in sorted((ROOT / "data").glob("*.toml")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for text in _strings(tomllib.loads("\n".join(lines))):
            first = text.strip().splitlines()[0] if text.strip() else ""
            line = next((n for n, row in enumerate(lines, 1) if first and first in row), 1)
            if " " in text:
                yield Sentence(path, line, text)


def pages() -> Iterator[Sentence]:
    """Lines of prose in README, CONTRIBUTING, docs, notebooks and examples, without code blocks."""
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for path in paths:
        fenced = False
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.lstrip().startswith("```"):
                fenced = not fenced
            elif not fenced and " " in line.strip():
                yield Sentence(path, number, line)
    yield from _comments()


def _comments() -> Iterator[Sentence]:
    """Comments of notebooks (their Markdown cells among them) and of examples."""
    paths = [path for path in sorted((ROOT / "examples").rglob("*")) if path.suffix in (".yaml", ".toml", ".tf")]
    for path in [*sorted((ROOT / "notebooks").glob("*.py")), *paths]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            text = re.match(r"(?:.*\s)?# (.+)", line)
            if text and " " in text[1]:
                yield Sentence(path, number, text[1])


KINDS = {"messages": messages, "docstrings": docstrings, "data": data, "pages": pages}


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / "capacity").rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def _docstrings(tree: ast.Module) -> set[int]:
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }


def _inside_f_strings(tree: ast.Module) -> set[int]:
    return {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
        if isinstance(part, ast.Constant)
    }


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def main(kinds: list[str]) -> None:
    """Print the sentences of ``kinds``, all of them without one."""
    for kind in kinds or KINDS:
        for sentence in KINDS[kind]():
            print(sentence)


if __name__ == "__main__":
    main(sys.argv[1:])
