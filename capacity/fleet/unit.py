"""Units of work: some plans and a question about them, small enough to be lost, large enough to be worth sending."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

Row = dict[str, Any]  # plain values only: rows travel as JSON


@dataclass(frozen=True)
class PlanText:
    """A plan as it is sent: its file's name in messages, its content, and the changes of its document by path."""

    file: str
    data: bytes
    patch: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of everything the answer depends on."""
        changes = json.dumps(dict(self.patch), sort_keys=True)
        return _sha256(self.file.encode("utf-8", "surrogateescape"), changes.encode(), self.data)


class Beside(NamedTuple):
    """A cluster that shares subnets with another: position of its plan in the unit, and its names of the subnets.

    ``name`` is a name that the other plan gives it; empty for the name of its plan.
    """

    plan: int
    places: Mapping[str, str]
    name: str = ""


@dataclass(frozen=True)
class Unit:
    """A question about some plans.

    Attributes
    ----------
    question : str
        A key of :data:`capacity.fleet.questions.QUESTIONS`.
    plans : tuple of PlanText
        The plans that are answered, and those that share subnets with them.
    asked : tuple of int
        Positions of the plans that get a row.
    beside : tuple of tuple of Beside
        For each of ``asked`` the clusters in its subnets.
    options : mapping
        Options of the question, as plain values.
    """

    question: str
    plans: tuple[PlanText, ...]
    asked: tuple[int, ...]
    beside: tuple[tuple[Beside, ...], ...]
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the plans that get a row."""
        return tuple(self.plans[i].file for i in self.asked)

    def key(self, base: str) -> str:
        """Identifies the answer: the question, the content of the plans, and ``base`` (the version and the data)."""
        beside = [[[b.plan, dict(b.places), b.name] for b in mine] for mine in self.beside]
        told = json.dumps([base, self.question, self.asked, beside, dict(self.options)], sort_keys=True)
        return _sha256(told.encode(), *(plan.digest.encode() for plan in self.plans))

    def split(self) -> tuple[Unit, ...]:
        """One unit for each plan that gets a row, with the plans in its subnets."""
        return tuple(self._only(i) for i in range(len(self.asked)))

    def _only(self, i: int) -> Unit:
        mine = self.beside[i]
        plans = (self.plans[self.asked[i]], *(self.plans[b.plan] for b in mine))
        beside = tuple(b._replace(plan=n) for n, b in enumerate(mine, 1))
        return Unit(self.question, plans, (0,), (beside,), self.options)


def _sha256(*parts: bytes) -> str:
    """One digest of several parts, each with its length."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()
