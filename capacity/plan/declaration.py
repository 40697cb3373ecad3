"""Declares a key of the plan file; :mod:`capacity.plan.keys` declares all keys."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from capacity.plan.constants import MOST

LONGEST_NAME = 253  # characters
QUARTER = Fraction(1, 4)  # Kubernetes' default for maxSurge and maxUnavailable

# Kinds of values. plan/reading.py reads the first group by kind; a function of the section reads the others.
TEXT, NAME, VERSION, WORD, COUNT, FLAG = "text", "name", "version", "word", "count", "flag"
CPU, MEMORY, PERCENT, COUNT_OR_PERCENT = "cpu", "memory", "percent", "count or percent"
DATE, FACTOR, LABELS, CONSTANT = "date", "factor", "labels", "constant"

BLOCK, RATE, TENANT_KIND = "block", "rate", "tenant kind"
MAPPING, COUNT_OR_MAPPING, WORD_OR_WEIGHTS = "mapping", "count or mapping", "word or weights"
ENTRIES, NAMES, BLOCKS, SCENARIO_LIST = "entries", "names", "blocks", "scenarios"
VARIABLES, CONFIG_MAP_DATA, TAGS = "variables", "config map", "tags"


class Key(NamedTuple):
    """A key of a plan file.

    Attributes
    ----------
    name, kind : str
        The key as written, and one of the kinds above.
    what : str
        One line that describes it, in Markdown.
    required : bool
    default : object
        The value if the key is left out; None for no value.
    absent : str
        The default in words, if the value alone is not clear.
    unit : str
        The unit of a number; for a version, the name of the software.
    low, high : int
        Bounds of a count, characters of a text, prefix lengths of a block, percent of a share; both are allowed.
    above : bool
        ``low`` itself is not allowed.
    words : tuple of str
        Allowed words.
    of : Keys or None
        Keys of the mapping, or of each entry of the list.
    example : object
        A value as a plan holds it.
    """

    name: str
    kind: str
    what: str
    required: bool = False
    default: Any = None
    absent: str = ""
    unit: str = ""
    low: int = 0
    high: int | None = None
    above: bool = False
    words: tuple[str, ...] = ()
    of: Keys | None = None
    example: Any = None

    @property
    def most(self) -> int:
        """The upper bound of a count, or of the characters of a text."""
        if self.high is not None:
            return self.high
        return MOST if self.kind in (COUNT, COUNT_OR_PERCENT, COUNT_OR_MAPPING) else LONGEST_NAME


class Keys:
    """The keys of one mapping, in the usual order."""

    __slots__ = ("by_name", "defaults", "keys", "place", "required", "what")

    def __init__(self, place: str, what: str, *keys: Key) -> None:
        """``place``: path of the mapping in a plan; ``what``: one line on its meaning."""
        self.place = place
        self.what = what
        self.keys = keys
        self.by_name = {key.name: key for key in keys}
        self.required = tuple(key.name for key in keys if key.required)
        self.defaults = {key.name: key.default for key in keys}

    def __getitem__(self, name: str) -> Key:
        return self.by_name[name]

    def ordered(self, entries: Mapping[str, object]) -> dict[str, Any]:
        """The entries in the order of the declaration.

        >>> Keys("nodes", "", Key("min", COUNT, "at least"), Key("max", COUNT, "at most")).ordered({"max": 9, "min": 3})
        {'min': 3, 'max': 9}
        """
        assert entries.keys() <= self.by_name.keys(), f"{self.place}: {sorted(entries.keys() - self.by_name.keys())}"
        return {name: entries[name] for name in self.by_name if name in entries}


def name_key(what: str = "unique among its kind", *, required: bool = True, absent: str = "") -> Key:
    """The name of an entry of a list."""
    return Key("name", NAME, what, required, absent=absent, example="general")
