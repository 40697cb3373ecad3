"""The codes of findings and their texts, from ``data/findings.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from capacity.catalog.packaged import data_dir, read_text

SEVERITIES = ("info", "warning", "error")


class Code(NamedTuple):
    """A kind of finding: what it says, why it matters, how to fix it, its source."""

    code: str
    severity: str
    title: str
    what: str
    why: str
    fix: str
    source: str


@cache
def codes() -> dict[str, Code]:
    """All codes by name."""
    table = tomllib.loads(read_text(data_dir() / "findings.toml"))
    return {name: Code(code=name, **texts) for name, texts in table.items()}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth saying about a plan.

    Attributes
    ----------
    code, severity : str
    where : str
        What it is about: ``subnets.private-b``, ``nodeGroups.general``, ``cni.env``.
    message : str
        One line with the numbers.
    fix : mapping
        ``summary``, and where a lever was tried ``patch``, ``commands`` and ``frees``.
    scenario : str or None
        Where it was seen, None where it holds in all.
    """

    code: str
    severity: str
    where: str
    message: str
    fix: Mapping[str, object] = field(default_factory=dict)
    scenario: str | None = None

    def __repr__(self) -> str:
        return f"<Finding {self.code}: {self.severity}, {self.where[:60]}>"


def finding(code: str, where: str, message: str, scenario: str | None = None, severity: str | None = None) -> Finding:
    """A finding with its code's own severity and cure."""
    entry = codes()[code]
    return Finding(code, severity or entry.severity, where, message, {"summary": entry.fix}, scenario)


Ranked = tuple[float, Finding]  # the lower, the graver


def worst_of_each(found: Iterable[Ranked]) -> Iterator[Finding]:
    """One finding per code and place: from the scenario where it is worst, naming the others."""
    groups: dict[tuple[str, str], list[Ranked]] = {}
    for rank, entry in found:
        groups.setdefault((entry.code, entry.where), []).append((rank, entry))
    for ranked in groups.values():
        _, gravest = min(ranked, key=lambda r: (-SEVERITIES.index(r[1].severity), r[0]))
        others = dict.fromkeys(e.scenario for _, e in ranked if e.scenario and e.scenario != gravest.scenario)
        also = f" (also in {', '.join(str(o) for o in others)})" if others else ""
        yield replace(gravest, message=gravest.message + also) if also else gravest
