"""Writes a plan's YAML: quotes and lays out values and comments, and edits a text that has comments.

A new plan (an import, `init`) is laid out here, and the same document gives the same bytes. An existing plan
(``--into``, ``--fix-out``, ``write_patched``) is edited through ruamel.yaml, which keeps its comments, order and
quotes; new values follow the same rules. ruamel.yaml does not lay out new plans because it takes twenty times as long
(10 s for 2,000 workloads) and wraps long lists differently.
"""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

WIDTH = 118

_PLAIN = re.compile(
    r"[A-Za-z_/][A-Za-z0-9_./@-]*"  # words, names, paths
    r"|[0-9]+(?:\.[0-9]+){3}/[0-9]+"  # blocks
    r"|[0-9]+(?:m|%|Ki|Mi|Gi)"  # quantities and shares
    r"|[0-9]+\.[0-9]+\.[0-9]+(?:-[a-z0-9.]+)?"  # versions of three parts; 1.30 would be read as a number
)
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"))  # YAML 1.1


def comment(text: str) -> str:
    """One line of comment; characters that could control a terminal or end the comment are escaped."""
    return "# " + printable(text)


def printable(text: str) -> str:
    """Text in one line without control, format or surrogate characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _harmless(c) else f"\\u{ord(c):04x}" for c in text)


def _harmless(character: str) -> bool:
    return unicodedata.category(character)[0] != "C" and unicodedata.category(character) not in ("Zl", "Zp")


def scalar(value: Any) -> str:
    """A value as YAML: text is quoted if YAML could read it as something else.

    >>> [scalar(v) for v in ("web", "1.30", "no", "25%", "a: b", "x\\x1b[0m", 3, True)]
    ['web', '"1.30"', '"no"', '25%', '"a: b"', '"x\\\\u001b[0m"', '3', 'true']
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character == " " or _harmless(character):
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:  # half a surrogate pair is not a character
        code = 0xFFFD
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


# --- a new text ---------------------------------------------------------------------------------


def plan_lines(document: Mapping[str, Any], notes: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The lines of a new plan; ``notes`` are comments by path (``nodeGroups[general].maxPods``)."""
    return _Layout(notes).lines(document)


class _Layout:
    """Lays out mappings and lists: on one line if they fit, otherwise one line per entry."""

    def __init__(self, notes: Mapping[str, Sequence[str]]) -> None:
        self.notes = notes

    def lines(self, plan: Mapping[str, Any]) -> Iterator[str]:
        for key, value in plan.items():
            if isinstance(value, list) or key in ("vpc", "cni"):
                yield from self.comments(key, "")
                yield from self.open(f"{key}:", value, key, "")
            else:
                yield from self.entry(key, value, key, "")

    def entry(self, key: str, value: Any, path: str, indent: str) -> Iterator[str]:
        """``key: value``, in one line if it fits."""
        if not isinstance(value, (dict, list)):
            yield from self.comments(path, indent)
            yield f"{indent}{scalar(key)}: {scalar(value)}"
            return
        line = f"{indent}{scalar(key)}: {flow(value)}"
        if len(line) <= WIDTH:
            for inner in self.paths(value, path):
                yield from self.comments(inner, indent)
            yield line
        else:
            yield from self.comments(path, indent)
            yield from self.open(f"{indent}{scalar(key)}:", value, path, indent)

    def open(self, first: str, value: Any, path: str, indent: str) -> Iterator[str]:
        """A heading line and its entries below."""
        if not value:
            yield f"{first} {flow(value)}"
            return
        yield first
        inner = indent + "  "
        if isinstance(value, dict):
            for key, item in value.items():
                yield from self.entry(key, item, f"{path}.{key}", inner)
        elif any(isinstance(item, dict) for item in value):
            for item in value:
                yield from self.item(item, self.item_path(path, item), inner)
        else:
            yield from _wrapped([scalar(item) for item in value], inner)

    def item(self, item: Any, path: str, indent: str) -> Iterator[str]:
        """``- entry`` of a list."""
        line = f"{indent}- {flow(item)}"
        if not isinstance(item, dict) or len(line) <= WIDTH:
            for inner in self.paths(item, path):
                yield from self.comments(inner, indent)
            yield line
            return
        yield from self.comments(path, indent)
        lead = f"{indent}- "
        for key, value in item.items():
            for text in self.entry(key, value, f"{path}.{key}", indent + "  "):
                if lead and not text.lstrip().startswith("#"):
                    text, lead = lead + text[len(lead) :], ""
                yield text

    def item_path(self, path: str, item: Any) -> str:
        return f"{path}[{item['name']}]" if isinstance(item, dict) and "name" in item else path

    def paths(self, value: Any, path: str) -> Iterator[str]:
        """The path and the paths inside it, which share a line."""
        yield path
        if isinstance(value, dict):
            for key, inner in value.items():
                yield from self.paths(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, dict):
                    yield from self.paths(item, self.item_path(path, item))

    def comments(self, path: str, indent: str) -> Iterator[str]:
        for text in self.notes.get(path, ()):
            yield indent + comment(text)


def _wrapped(words: Sequence[str], indent: str) -> Iterator[str]:
    """``[a, b, c]`` over as many lines as it needs."""
    line = indent + "["
    for i, word in enumerate(words):
        piece = word + ("]" if i == len(words) - 1 else ",")
        if len(line) + len(piece) >= WIDTH and line.strip() != "[":
            yield line.rstrip()
            line = indent + " "
        line += piece + " "
    yield line.rstrip()


def flow(value: Any) -> str:
    """A value on one line, mappings and lists in YAML's flow style."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(k)}: {flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


# --- a text that is there ---------------------------------------------------------------------


def editor_for(text: str) -> Any:
    """ruamel.yaml's round-trip editor, configured to keep comments, order, quotes and flow style."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000  # lines are not wrapped
    yaml.indent(**_indents(text))
    return yaml


def edited(yaml: Any, root: Any) -> str:
    """The text of an edited document."""
    out = io.StringIO()
    yaml.dump(root, out)
    return out.getvalue()


# a key with nothing after it, blank and comment lines, the first entry of its list
_LIST = re.compile(r"^( *)[^\s#\-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?:[ \t]*(?:#[^\n]*)?\n)*( *)-( +)\S", re.MULTILINE)


def _indents(text: str) -> dict[str, int]:
    """The indentation of list entries in the file."""
    match = _LIST.search(text)
    if not match or len(match.group(2)) < len(match.group(1)):
        return {"mapping": 2, "sequence": 4, "offset": 2}
    offset = len(match.group(2)) - len(match.group(1))
    return {"mapping": 2, "sequence": offset + 1 + len(match.group(3)), "offset": offset}


def one_line(value: Any, quoted: Callable[[str], bool] = lambda _: False) -> Any:
    """A plain value as ruamel.yaml's nodes, all of it on one line.

    Parameters
    ----------
    quoted : callable
        Whether text at a path inside the value (``.env.NAME``) is quoted although it does not need quotes.
    """
    return _node(value, "", quoted, WIDTH * 1000)


def short_on_one_line(value: Any) -> Any:
    """A plain value as ruamel.yaml's nodes: each part that is short enough on one line."""
    return _node(value, "", lambda _: False, WIDTH - 8)


def _node(value: Any, inside: str, quoted: Callable[[str], bool], longest: int) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, dict):
        pairs = value.items()
        node: Any = CommentedMap(
            (_node(k, "", quoted, longest), _node(v, f"{inside}.{k}", quoted, longest)) for k, v in pairs
        )
    elif isinstance(value, list):
        node = CommentedSeq(_node(v, inside, quoted, longest) for v in value)
    elif isinstance(value, str):
        return DoubleQuotedScalarString(value) if quoted(inside) or scalar(value)[0] == '"' else value
    else:
        return value
    if value and len(flow(value)) < longest:  # an empty one can be filled later, on separate lines
        node.fa.set_flow_style()
    return node
