"""Values of a template that are not fully known: unknown ones, references to resources, and texts with such parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Unresolved:
    """A value that the template alone does not determine.

    ``text`` is what is known of a text with unknown parts; ``ssm`` the parameter of Systems Manager that has the value.
    """

    why: str
    text: str = ""
    ssm: str = ""


@dataclass(frozen=True)
class ToResource:
    """A reference to a resource of the templates, or to one of its attributes; ``name`` includes its nested stack."""

    name: str
    attribute: str = ""


@dataclass(frozen=True)
class Pieces:
    """A text whose parts are known, but some of them only as references to resources."""

    parts: tuple[str | ToResource, ...]

    @property
    def text(self) -> str:
        """The text without the references."""
        return "".join(p for p in self.parts if isinstance(p, str))

    def split(self, mark: str) -> list[Any]:
        """The parts between the marks."""
        found: list[list[str | ToResource]] = [[]]
        for part in self.parts:
            words: Sequence[str | ToResource] = part.split(mark) if isinstance(part, str) else [part]
            for i, word in enumerate(words):
                if i:
                    found.append([])
                if word != "":
                    found[-1].append(word)
        return [entry[0] if len(entry) == 1 else Pieces(tuple(entry)) if entry else "" for entry in found]


def unknown_in(value: object) -> Unresolved | None:
    """First part of a value that the template alone does not determine."""
    if isinstance(value, Unresolved):
        return value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((found for part in inner if (found := unknown_in(part)) is not None), None)


def joined_text(parts: list[str | ToResource]) -> str | Pieces | ToResource:
    """Parts as one text, or as what they are if some of them are resources."""
    kept = [p for p in parts if p != ""]
    if all(isinstance(p, str) for p in kept):
        return "".join(str(p) for p in kept)
    return kept[0] if len(kept) == 1 else Pieces(tuple(kept))
