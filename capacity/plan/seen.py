"""Entries of a plan that were read before: changed copies of a document share with it what the change leaves alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from capacity.plan.document import Section
from capacity.plan.fields import Field

CONTEXTS = 16  # of which entries are kept

_T = TypeVar("_T")
Entries = dict[tuple[str | int, int], object]  # by place in their list and identity


class Seen:
    """What was read of the subnets and node groups of some documents, where they share them.

    An entry says the same where it is the same object in the same context: all that its reading looks at beside it.
    """

    def __init__(self, document: Section | None = None) -> None:
        """``document``: its entries are kept; without it none are."""
        lists = [] if document is None else [(document.get("vpc") or {}).get("subnets"), document.get("nodeGroups")]
        self._kept: dict[int, object] = {}
        self._read: dict[object, Entries] = {}
        for entries in lists:
            self.keep(entries or ())

    def keep(self, entries: Iterable[object]) -> None:
        """Keep further entries, of a changed document; they must not change any more."""
        self._kept.update((id(entry), entry) for entry in entries)

    def context(self, *parts: object) -> Entries:
        """What was read in a context; the oldest context is forgotten for a new one."""
        if not self._kept:
            return {}
        if parts not in self._read and len(self._read) >= CONTEXTS:
            del self._read[next(iter(self._read))]
        return self._read.setdefault(parts, {})

    def entry(self, field: Field, context: Entries, read: Callable[[], _T]) -> _T:
        """What an entry says in a context, read only once."""
        if id(field.value) not in self._kept:
            return read()
        key = (field.key, id(field.value))
        if key not in context:
            context[key] = read()
        return context[key]  # type: ignore[return-value]
