"""Changes a plan's document: finds the place that a path names, and sets, appends or deletes there.

The same walk changes a decoded plan and the text of a file; the caller chooses the form of the new value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from capacity.errors import SpecError, did_you_mean
from capacity.plan.patch_path import Step, steps_of
from capacity.plan.sections import EntryList, PlanSection, kind_of

_INTEGER = re.compile(r"^(0|-?[1-9][0-9]{0,17})$")
LONGEST_INDEX = 10  # digits; no list is longer
LONGEST_SHOWN = 60  # longest path in a message, in characters

Shape = Callable[[object, int | None, str], Any]  # value, line, path -> node of the document


class Changeable:
    """A document that can be changed in place; positions of names in lists are cached until lists or names change.

    A lever can set a value on each of ten thousand workloads: a search for each name would take minutes.
    """

    def __init__(self, root: Any) -> None:
        self.root = root
        self._positions: dict[int, tuple[Any, dict[str, int]]] = {}  # by id of the list, which stays alive

    def enter(self, at: Any, key: str | int) -> Any:
        """The value at a key, ready to be changed."""
        return at[key]

    def position(self, items: Any, name: str) -> int | None:
        """Position of the first entry with a name in a list."""
        known = self._positions.get(id(items))
        if known is None:
            names: dict[str, int] = {}
            for i, item in enumerate(items):
                own = item.get("name") if isinstance(item, dict) else item
                if isinstance(own, int) and not isinstance(own, bool):
                    own = str(own)  # a name of digits, which a file can have without quotes
                if isinstance(own, str):
                    names.setdefault(own, i)
            known = self._positions[id(items)] = (items, names)
        return known[1].get(name)

    def moved(self) -> None:
        """Clear the cached positions."""
        self._positions.clear()


class ChangedCopy(Changeable):
    """A changed copy of a document: nodes on the path are copied, the rest is shared with the original.

    An alias is one value in two places; each place on the path gets a separate copy, so a change affects only one.
    """

    def __init__(self, root: Any) -> None:
        super().__init__(_copied(root))
        self._own: dict[int, Any] = {}  # copies made, by id

    def enter(self, at: Any, key: str | int) -> Any:
        inner = at[key]
        if id(inner) not in self._own:
            inner = at[key] = _copied(inner)
            self._own[id(inner)] = inner
        return inner


def change(document: Changeable, path: str, value: object, shape: Shape) -> None:
    """Apply one change in place. ``shape`` turns a value into a node of the document."""
    steps = steps_of(path)
    at, done = document.root, ""
    for step, following in pairwise(steps):
        key = _find(document, at, step, done, path)
        if key is None or at[key] is None:
            if value is None:
                raise SpecError(f"{path}: there is nothing to delete{did_you_mean(step.key, _known(at))}")
            key = _make(
                at,
                step,
                [] if following.appends else {},
                shape,
                path,
            )
        done = f"{done}[{key}]" if isinstance(key, int) else f"{done}.{key}".lstrip(".")
        at = document.enter(at, key)
    last = steps[-1]
    if isinstance(at, list) and last.appends:
        document.moved()
        _append(at, value, shape, path)
        return
    key = _find(document, at, last, done, path)
    if isinstance(at, list) or last.key == "name":
        document.moved()
    if value is None:
        if key is None:
            raise SpecError(f"{path}: there is nothing to delete{did_you_mean(last.key, _known(at))}")
        _delete(at, key)
    elif key is None:
        _make(at, last, value, shape, path)
    else:
        at[key] = shape(value, _line(at, key), path)


def _find(document: Changeable, at: Any, step: Step, done: str, path: str) -> str | int | None:
    """Key or position of a step; None if the mapping does not have it."""
    if isinstance(at, list):
        if step.position:
            position = int(step.key) if len(step.key) < LONGEST_INDEX else len(at)
            if position >= len(at):
                raise SpecError(f"{_cut(path)}: {done} has no entry [{_cut(step.key)}] (it has {len(at)})")
            return position
        found = document.position(at, step.key)
        if found is None:
            known = _known(at)
            hint = did_you_mean(step.key, known) or (f" (there: {', '.join(known[:8])})" if known else " (it is empty)")
            raise SpecError(f"{path}: there is no {step.key!r} in {done}{hint}")
        return found
    if not isinstance(at, dict):
        raise SpecError(f"{path}: {done} is {kind_of(at)}, a single value: set the whole value ({done}=...)")
    if step.appends or step.position:
        raise SpecError(f"{path}: {done} is a mapping, not a list")
    return step.key if step.key in at else None


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _make(at: Any, step: Step, value: object, shape: Shape, path: str) -> str:
    assert isinstance(at, dict)  # _find refused everything else
    at[step.key] = shape(value, _line(at, step.key), path)
    return step.key


def _append(items: Any, value: object, shape: Shape, path: str) -> None:
    if value is None:
        raise SpecError(f"{path}: cannot append null")
    line = getattr(items, "line", None)
    for entry in value if isinstance(value, list) else [value]:
        items.append(shape(entry, line, path))
        if line is not None and hasattr(items, "lines"):
            items.lines.append(line)


def _delete(at: Any, key: Any) -> None:
    lines = getattr(at, "lines", None)
    del at[key]
    if isinstance(lines, dict):
        lines.pop(key, None)
    elif isinstance(lines, list) and lines:
        del lines[key]


def _line(at: Any, key: str | int) -> int | None:
    lines = getattr(at, "lines", None)
    own: int | None = None
    if isinstance(lines, dict):
        own = lines.get(str(key))
    elif isinstance(lines, list) and isinstance(key, int) and key < len(lines):
        own = lines[key]
    return own if own is not None else getattr(at, "line", None)


def _known(at: Any) -> list[str]:
    if isinstance(at, dict):
        return [str(k) for k in at]
    names = [item.get("name") if isinstance(item, dict) else item for item in at]
    return [n for n in names if isinstance(n, str)]


# --- values -----------------------------------------------------------------------------


def _copied(value: Any) -> Any:
    """A shallow copy of a mapping or list; other values unchanged."""
    if isinstance(value, dict):
        section = PlanSection(getattr(value, "line", None))
        section.lines = dict(getattr(value, "lines", {}))
        section.update(value)
        return section
    if isinstance(value, list):
        items = EntryList(getattr(value, "line", None))
        items.lines = list(getattr(value, "lines", ()))
        items.extend(value)
        return items
    return value


def decoded(value: object, line: int | None, path: str) -> Any:
    """A value in document form: scalars as text, each part with the line of its new place."""
    if isinstance(value, Mapping):
        section = PlanSection(line)
        for key, inner in value.items():
            section[str(key)] = decoded(inner, line, path)
            if line is not None:
                section.lines[str(key)] = line
        return section
    if isinstance(value, (list, tuple)):
        items = EntryList(line)
        items.extend(decoded(inner, line, path) for inner in value)
        items.lines = [] if line is None else [line] * len(items)
        return items
    return _text(value, path)


def _text(value: object, path: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Fraction):
        value = float(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int):
        return str(value)
    raise SpecError(f"{path}: a plan cannot contain {type(value).__name__}")


def native(value: object, line: int | None, path: str) -> Any:
    """A value as written by hand in a file: whole numbers unquoted, the CNI's variables as text."""
    if isinstance(value, Mapping):
        return {str(k): native(v, line, f"{path}.{k}") for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [native(v, line, path) for v in value]
    text = _text(value, path)
    if text is None or path.startswith("cni.env.") or not _INTEGER.match(text):
        return text
    return int(text)
