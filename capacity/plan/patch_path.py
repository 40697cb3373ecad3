"""Paths into a plan's document: ``nodeGroups[0]``, ``nodeGroups.general``, ``nodeGroups["a]=b"]``, ``vpc.cidrs[+]``."""

from __future__ import annotations

import re
from typing import NamedTuple

from capacity.errors import SpecError

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_STEP = re.compile(rf"\.?([^.\[\]=\s][^.\[\]=]*)|\[\s*({_QUOTED})\s*\]|\[([^\[\]]+)\]")
SETTING = re.compile(rf"((?:[^\[\]=]|\[\s*{_QUOTED}\s*\]|\[[^\[\]]*\])*)=")  # the path before the equals sign
APPEND = "+"


class Step(NamedTuple):
    """One part of a path; ``bracket`` distinguishes ``[0]`` from ``.0``, and ``quoted`` distinguishes ``["0"]`` from
    both.
    """

    key: str
    bracket: bool
    quoted: bool = False

    @property
    def position(self) -> bool:
        """Whether it is a position in a list instead of a name."""
        return self.bracket and not self.quoted and self.key.isdecimal()

    @property
    def appends(self) -> bool:
        return self.bracket and not self.quoted and self.key == APPEND

    def __str__(self) -> str:
        return f"[{self.key}]" if self.bracket else f".{self.key}"


def entry(section: str, name: str, rest: str) -> str:
    """The path to a key of a named entry, with any characters in the name.

    >>> entry("nodeGroups", "general", "maxPods"), entry("nodeGroups", "a]b", "maxPods")
    ('nodeGroups[general].maxPods', 'nodeGroups["a]b"].maxPods')
    """
    plain = name.isprintable() and not re.search(r'[\[\]"=]', name)
    if plain and name == name.strip() and not name.isdecimal() and name != APPEND:
        return f"{section}[{name}].{rest}"
    import json

    return f"{section}[{json.dumps(name, ensure_ascii=not name.isprintable())}].{rest}"


def steps_of(path: str) -> list[Step]:
    """The steps of a path.

    Raises
    ------
    SpecError
        It is not a path.
    """
    if not path.isprintable():
        raise SpecError(f"{path!r} is not a path (expected something like nodeGroups.general.nodes.max)")
    steps: list[Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if not match or (at == 0 and (path[0] in ".[" or match.group(1) is None)):
            raise SpecError(f"{path!r} is not a path (expected something like nodeGroups.general.nodes.max)")
        word, quoted, bracket = match.groups()
        if word is not None and at and path[at] != ".":
            raise SpecError(f"{path!r} is not a path (a dot is missing before {word!r})")
        if quoted is not None:
            steps.append(Step(_unquoted(quoted, path), bracket=True, quoted=True))
        else:
            steps.append(Step(word if bracket is None else bracket.strip(), bracket=bracket is not None))
        at = match.end()
    if not steps:
        raise SpecError("an empty path (expected something like nodeGroups.general.nodes.max)")
    return steps


def _unquoted(text: str, path: str) -> str:
    import json

    try:
        found: str = json.loads(text)
    except ValueError:
        raise SpecError(f"{path!r} is not a path ({text} is not a valid name in JSON quotes)") from None
    return found
