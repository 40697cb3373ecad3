"""A plan as commented YAML: the same draft gives the same bytes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capacity.readers.document import document
from capacity.readers.draft import Note, PlanDraft, at

WIDTH = 118
MOST_AT_THE_TOP = 40  # notes; the others stand beside their places

_PLAIN = re.compile(
    r"[A-Za-z_/][A-Za-z0-9_./@-]*"  # words, names, paths
    r"|[0-9]+(?:\.[0-9]+){3}/[0-9]+"  # blocks
    r"|[0-9]+(?:m|%|Ki|Mi|Gi)"  # quantities and shares
    r"|[0-9]+\.[0-9]+\.[0-9]+(?:-[a-z0-9.]+)?"  # versions of three parts; 1.30 would be read as a number
)
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"))  # YAML 1.1


def render_plan(draft: PlanDraft) -> str:
    """The whole file: what could not be known at the top and beside its place, then the plan."""
    return head(draft) + "\n".join(_Writer(draft.notes).lines(document(draft))) + "\n"


def head(draft: PlanDraft) -> str:
    """The comment at the top of a plan."""
    origin = f" from {draft.source}" if draft.source else ""
    lines = [f"A plan imported{origin}. Check it: capacity check FILE"]
    if draft.notes:
        lines.append("What could not be known, was assumed or differs:")
        lines += [f"  - {n.text}" for n in draft.notes[:MOST_AT_THE_TOP]]
        if len(draft.notes) > MOST_AT_THE_TOP:
            lines.append(f"  - and {len(draft.notes) - MOST_AT_THE_TOP} more, beside their places")
    return "".join(comment(line) + "\n" for line in lines)


def comment(text: str) -> str:
    """One line of comment; whatever could steer a terminal or end the comment is shown, not sent."""
    return "# " + printable(text)


def printable(text: str) -> str:
    """Text in one line without control, format or surrogate characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _harmless(c) else f"\\u{ord(c):04x}" for c in text)


def _harmless(character: str) -> bool:
    return unicodedata.category(character)[0] != "C" and unicodedata.category(character) not in ("Zl", "Zp")


def scalar(value: Any) -> str:
    """A value as YAML: text quoted wherever YAML might read anything else.

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
    if 0xD800 <= code <= 0xDFFF:  # half a surrogate pair is no character
        code = 0xFFFD
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


class _Writer:
    """Lays out mappings and lists: on one line where they fit, else a line for each entry."""

    def __init__(self, notes: Sequence[Note]) -> None:
        self.notes: dict[str, list[str]] = {}
        for note in notes:
            if note.path:
                self.notes.setdefault(note.path, []).append(note.text)

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
        return at(path, item["name"]) if isinstance(item, dict) and "name" in item else path

    def paths(self, value: Any, path: str) -> Iterator[str]:
        """The path and those of everything inside: they share a line."""
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
