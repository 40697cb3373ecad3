"""Short one-line representations of dataclasses with many fields."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

LONGEST = 118  # characters of a line that shows a thing
LONGEST_VALUE = 40


def changed_fields(thing: Any) -> str:
    """The name of a dataclass and its values that differ from the defaults: ``Platform(mode='prefix')``; cut if long.

    A default from a factory counts as changed.
    """
    values = {f.name: getattr(thing, f.name) for f in fields(thing)}
    changed = [f.name for f in fields(thing) if f.default is MISSING or values[f.name] != f.default]
    said = (f"{name}={_cut(repr(values[name]), LONGEST_VALUE)}" for name in changed)
    return _cut(f"{type(thing).__name__}({', '.join(said)})", LONGEST)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
