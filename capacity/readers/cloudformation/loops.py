"""Unroll ``Fn::ForEach``: one entry for each value of a collection.

Source: AWS CloudFormation template reference, intrinsic-function-reference-foreach (read 2026-11-30): ``${X}`` is the
value in keys and texts, ``&{X}`` the value without characters other than letters and digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from capacity.readers.values import items, mapping

LOOP = "Fn::ForEach::"
MOST_ROUNDS = 500  # of one loop; CloudFormation allows 500 resources


def unrolled(
    section: Mapping[str, Any], value: Callable[[Any], Any], open_loops: dict[str, str], deep: int = 0
) -> Mapping[str, Any]:
    """A section with its loops unrolled; loops that cannot be are added to ``open_loops`` with the reason."""
    if not any(key.startswith(LOOP) for key in section):
        return section
    found: dict[str, Any] = {}
    for key, raw in section.items():
        if not key.startswith(LOOP):
            found[key] = raw
            continue
        parts = items(raw)
        if len(parts) != 3 or not isinstance(parts[0], str) or not isinstance(parts[2], dict) or deep > 5:
            open_loops[key] = "it is not a loop with a name, a collection and a body"
            continue
        rounds = _collection(value(parts[1]))
        if rounds is None or len(rounds) > MOST_ROUNDS:
            open_loops[key] = "its collection is not known"
            continue
        for word in rounds:
            body = mapping(_replaced(parts[2], parts[0], word))
            found.update(unrolled(body, value, open_loops, deep + 1))
    return found


def _collection(value: object) -> list[str] | None:
    """Values of a collection, which can have lists in it; None if one is not known."""
    if isinstance(value, str):
        return [v.strip() for v in value.split(",")]
    if not isinstance(value, list):
        return None
    found: list[str] = []
    for entry in value:
        inner = _collection(entry) if isinstance(entry, list) else [entry] if isinstance(entry, (str, int)) else None
        if inner is None:
            return None
        found += map(str, inner)
    return found


def _replaced(body: Any, name: str, word: str) -> Any:
    """The body of a loop with the value in the place of its name."""
    if isinstance(body, dict):
        if body == {"Ref": name}:
            return word
        return {_text(k, name, word): _replaced(v, name, word) for k, v in body.items()}
    if isinstance(body, list):
        return [_replaced(entry, name, word) for entry in body]
    return _text(body, name, word) if isinstance(body, str) else body


def _text(text: str, name: str, word: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9]", "", word)
    return text.replace("${" + name + "}", word).replace("&{" + name + "}", plain)
