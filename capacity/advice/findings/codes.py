"""Finding codes and their texts, read from ``data/findings.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import NamedTuple

from capacity.catalog.packaged import data_dir, read_text

SEVERITIES = ("info", "warning", "error")


class Code(NamedTuple):
    """Kind of finding: title, why it matters, fix and source."""

    code: str
    severity: str
    title: str
    what: str
    why: str
    fix: str
    source: str


@cache
def codes() -> dict[str, Code]:
    """All finding codes by name."""
    return {name: Code(code=name, **texts) for name, texts in tomllib.loads(_text()).items()}


@cache
def code_of(name: str) -> Code:
    """One finding code. Only its table of the file is parsed: all of them would take longer than a small check."""
    text = _text()
    start = text.index(f"\n[{name}]\n")
    end = text.find("\n[", start + 1)
    return Code(code=name, **tomllib.loads(text[start : end if end > start else len(text)])[name])


@cache
def _text() -> str:
    return read_text(data_dir() / "findings.toml")


@dataclass(frozen=True, slots=True, repr=False)
class Finding:
    """One problem or risk of a plan.

    Attributes
    ----------
    code, severity : str
    where : str
        Path of the subject: ``subnets.private-b``, ``nodeGroups.general``, ``cni.env``.
    message : str
        One line with the numbers.
    fix : mapping
        ``summary``; also ``patch``, ``commands`` and ``frees`` if a lever was tried.
    scenario : str or None
        The scenario of the finding, None if it applies to all.
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
    """Create a finding with the severity and fix of its code, unless a severity is given."""
    entry = code_of(code)
    return Finding(code, severity or entry.severity, where, message, {"summary": entry.fix}, scenario)


Ranked = tuple[float, Finding]  # lower is more severe


def worst_of_each(found: Iterable[Ranked]) -> Iterator[Finding]:
    """One finding per code and place, from its worst scenario; the message names the other scenarios."""
    groups: dict[tuple[str, str], list[Ranked]] = {}
    for rank, entry in found:
        groups.setdefault((entry.code, entry.where), []).append((rank, entry))
    for ranked in groups.values():
        _, gravest = min(ranked, key=lambda r: (-SEVERITIES.index(r[1].severity), r[0]))
        others = dict.fromkeys(e.scenario for _, e in ranked if e.scenario and e.scenario != gravest.scenario)
        also = f" (also in {', '.join(str(o) for o in others)})" if others else ""
        yield replace(gravest, message=gravest.message + also) if also else gravest
