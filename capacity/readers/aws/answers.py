"""AWS responses as plain dictionaries by kind, fetched or saved.

The content of an answer determines its kind, never the file name. This module does not call AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from capacity.errors import SpecError
from capacity.readers.aws.kinds import KINDS, Gap
from capacity.readers.values import Item, objects
from capacity.units import counted

_BY_KEY = {kind.key: kind for kind in KINDS.values()}
_LISTINGS = frozenset(("nodegroups", "addons", "clusters", "PolicyNames", "AttachedPolicies", "PolicyVersion"))
_OF_EKS = ("cluster", "nodegroups", "addons")  # kinds whose names start with small letters
_CAPITALISED = {"Cluster": "cluster", "Nodegroup": "nodegroup", "Addon": "addon", "Nodegroups": "nodegroups"}


@dataclass(frozen=True)
class AwsAnswers:
    """All answers, by kind.

    Attributes
    ----------
    items : mapping of str to tuple of dict
        By the names of :data:`KINDS`; a kind that was read and is empty has no items.
    listed : mapping of str to tuple of str
        Names from listings (``nodegroups``).
    gaps : tuple of Gap
    notes : tuple of str
        Notes for the user about odd answers.
    """

    items: Mapping[str, tuple[Item, ...]] = field(default_factory=dict)
    listed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    kubernetes: tuple[Item, ...] = ()

    def of(self, kind: str) -> tuple[Item, ...]:
        """Objects of a kind; empty if it was not read."""
        return self.items.get(kind, ())

    def has(self, kind: str) -> bool:
        """Whether a kind was read, even if it is empty."""
        return kind in self.items

    def with_gaps(self, gaps: Iterable[Gap]) -> AwsAnswers:
        return replace(self, gaps=(*self.gaps, *gaps))


class Sorter:
    """Collects decoded documents and sorts them by kind."""

    def __init__(self) -> None:
        self._items: dict[str, dict[str, Item]] = {}
        self._listed: dict[str, dict[str, None]] = {}
        self._notes: dict[str, None] = {}
        self._kubernetes: list[Item] = []

    def add(self, document: object, origin: str) -> bool:
        """Sort one document; False if it is not output of a command of AWS or a Kubernetes object.

        A list has answers or their objects; a note counts its entries that are neither.
        """
        document = unwrapped(document)
        if isinstance(document, list):
            found = [not isinstance(entry, list) and self.add(entry, origin) for entry in document]
            if any(found) and not all(found):
                self.remark(f"{origin}: {counted(found.count(False), 'entry', 'entries')} of a list not known: ignored")
            return any(found)
        if not isinstance(document, dict):
            return False
        code = _error_code(document)
        if code is not None:
            self._notes[f"{origin}: a saved error ({_word(code)}), not output of a command"] = None
            return True
        if "apiVersion" in document and "kind" in document:
            self._kubernetes.append(document)
            return True
        return self._keys(document, origin) or self._bare(document, origin)

    def remark(self, line: str) -> None:
        """Add a note for the user."""
        self._notes[line] = None

    def present(self, kind: str) -> None:
        """Record that a kind was read, even if it is empty."""
        self._items.setdefault(kind, {})

    def absent(self, kind: str) -> None:
        """Record that a kind could not be read."""
        self._items.pop(kind, None)

    def _keys(self, document: Item, origin: str) -> bool:
        """Sort an answer by its wrapper key; True if the key is known."""
        found = False
        for key, value in document.items():
            name = _CAPITALISED.get(key, key)
            if name not in _BY_KEY and _is_kind_in_small_letters(key, value):
                name, value = key[:1].upper() + key[1:], raised(value)
                document = {**document, name: value}
            if key in _CAPITALISED:
                value = lowered(value)
            if name == "Reservations" and isinstance(value, list):  # describe-instances: instances in launch batches
                self._items.setdefault("instances", {})
                for batch in objects(document, "Reservations", origin):
                    self._take("instances", objects(batch, "Instances", origin), origin)
                found = True
            elif name in _LISTINGS and isinstance(value, list):
                self._listed.setdefault(name, {}).update(dict.fromkeys(v for v in value if isinstance(v, str)))
                found = True
            elif name in _BY_KEY:
                many = [value] if isinstance(value, dict) else objects({name: value}, name, origin)
                self._take(_BY_KEY[name].name, many, origin)
                found = True
        if found and (document.get("NextToken") or document.get("nextToken") or document.get("Marker")):
            self._notes[f"{origin}: the output is not complete (NextToken): objects are missing"] = None
        return found

    def _bare(self, entry: object, origin: str) -> bool:
        """Sort an object without its wrapper by its keys."""
        if not isinstance(entry, dict):
            return False
        if "apiVersion" in entry and "kind" in entry:
            self._kubernetes.append(entry)
            return True
        if "ReservationId" in entry and "Instances" in entry:
            self._take("instances", objects(entry, "Instances", origin), origin)
            return True
        for kind in KINDS.values():
            if kind.marks <= entry.keys():
                self._take(kind.name, [entry], origin)
                return True
        high = raised(entry)
        for kind in KINDS.values():
            if kind.name not in _OF_EKS and kind.marks <= high.keys():
                self._take(kind.name, [high], origin)
                return True
        low = lowered(entry)
        for name in _OF_EKS:
            if KINDS[name].marks <= low.keys():
                self._take(name, [low], origin)
                return True
        return False

    def _take(self, name: str, entries: list[Item], origin: str) -> None:
        held = self._items.setdefault(name, {})
        kind = KINDS[name]
        for number, entry in enumerate(entries):
            ident = str(entry.get(kind.ident) or "") if kind.ident else _template_id(entry)
            if not ident:
                raise SpecError(f"{origin}: {kind.key}[{number}] has no {kind.ident or 'LaunchTemplateId'}")
            if ident in held and held[ident] != entry:
                self._notes[f"{origin}: {ident} differs from another file; the later file is used"] = None
            held[ident] = entry

    def done(self) -> AwsAnswers:
        """Collected answers, in the order of the identifiers."""
        if self._listed.get("nodegroups") == {}:
            self.present("nodegroups")  # an empty listing: there is nothing to describe
        return AwsAnswers(
            items={name: tuple(held[i] for i in sorted(held)) for name, held in self._items.items()},
            listed={name: tuple(sorted(names)) for name, names in self._listed.items()},
            notes=tuple(self._notes),
            kubernetes=tuple(self._kubernetes),
        )


def _error_code(document: Item) -> object:
    """Code of an error in the forms in which services and SDKs save it; None if it is not one."""
    if isinstance(document.get("Error"), dict):
        return document["Error"].get("Code")
    if "__type" in document:
        return document["__type"]
    return document["Code"] if document.keys() >= {"Code", "Message"} else None


def _is_kind_in_small_letters(key: str, value: object) -> bool:
    """Whether a key and its objects are an answer of EC2 whose names start with small letters."""
    kind = _BY_KEY.get(key[:1].upper() + key[1:])
    if key == "reservations":
        return bool(isinstance(value, list) and value and isinstance(value[0], dict) and "instances" in value[0])
    if kind is None or key in _LISTINGS or not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return False
    return bool(kind.marks <= raised(value[0]).keys())


def _template_id(entry: Item) -> str:
    return f"{entry.get('LaunchTemplateId') or ''}:{entry.get('VersionNumber') or ''}".strip(":")


def unwrapped(document: object) -> Any:
    """Remove the ``{status_code, data}`` wrapper that test recorders add to an answer."""
    if isinstance(document, dict) and "data" in document and document.keys() <= {"status_code", "data"}:
        return document["data"]
    return document


def raised(value: object) -> Any:
    """Convert keys to the AWS CLI's spelling for EC2: some programs save them with small first letters."""
    if isinstance(value, dict):
        return {k[:1].upper() + k[1:]: raised(v) for k, v in value.items()}
    if isinstance(value, list):
        return [raised(v) for v in value]
    return value


def lowered(value: object, inside: str = "") -> Any:
    """Convert keys to the AWS CLI's spelling for EKS: Go programs save them capitalized. Labels and tags stay."""
    if isinstance(value, dict):
        if inside in ("labels", "tags"):
            return value
        return {k[:1].lower() + k[1:]: lowered(v, k[:1].lower() + k[1:]) for k, v in value.items()}
    if isinstance(value, list):
        return [lowered(v, inside) for v in value]
    return value


def _word(value: object) -> str:
    return value if isinstance(value, str) and re.fullmatch(r"[A-Za-z.]{1,80}", value) else "unknown code"
