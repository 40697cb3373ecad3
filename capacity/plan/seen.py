"""Caches entries of a plan: changed copies of a document share the unchanged entries with the original."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from capacity.plan.fields import Field
from capacity.plan.sections import PlanSection

CONTEXTS = 16  # number of contexts whose entries are kept

_T = TypeVar("_T")
Entries = dict[tuple[str | int, int], object]  # by position in the list and identity


class Seen:
    """Cached subnets and node groups of documents that share entries.

    An entry has the same result if it is the same object in the same context (everything else that its reading uses).
    """

    def __init__(self, document: PlanSection | None = None) -> None:
        """``document``: its entries are cached; without it nothing is."""
        lists = [] if document is None else [(document.get("vpc") or {}).get("subnets"), document.get("nodeGroups")]
        self._kept: dict[int, object] = {}
        self._read: dict[object, Entries] = {}
        for entries in lists:
            self.keep(entries or ())

    def keep(self, entries: Iterable[object]) -> None:
        """Add the entries of a changed document; they must not change afterwards."""
        self._kept.update((id(entry), entry) for entry in entries)

    def context(self, *parts: object) -> Entries:
        """The entries cached for a context; a new context evicts the oldest."""
        if not self._kept:
            return {}
        if parts not in self._read and len(self._read) >= CONTEXTS:
            del self._read[next(iter(self._read))]
        return self._read.setdefault(parts, {})

    def entry(self, field: Field, context: Entries, read: Callable[[], _T]) -> _T:
        """The result of reading an entry in a context, read only once."""
        if id(field.value) not in self._kept:
            return read()
        key = (field.key, id(field.value))
        if key not in context:
            context[key] = read()
        return context[key]  # type: ignore[return-value]
