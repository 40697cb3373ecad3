"""The kinds of checks of ``capacity doctor``, and the result of one."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from capacity.catalog.packaged import data_dir, read_text

STATUSES = ("ok", "unknown", "warn", "fail")


@dataclass(frozen=True, slots=True)
class CheckKind:
    """Kind of check; ``severity`` is the severity of a failure."""

    ident: str
    title: str
    severity: str
    why: str
    source: str


@cache
def check_kinds() -> dict[str, CheckKind]:
    """All kinds of checks by identifier, in order."""
    table = tomllib.loads(read_text(data_dir() / "doctor.toml"))
    return {ident: CheckKind(ident, **texts) for ident, texts in table.items()}


@dataclass(frozen=True, slots=True, repr=False)
class Checkup:
    """Result of one check.

    Attributes
    ----------
    status : str
        ``ok``, ``warn``, ``fail``, or ``unknown`` if the evidence is missing.
    where : str
        Subject of the check: a subnet, a node, a role; empty for the cluster.
    evidence : str
        The figures, or what is missing.
    command : str
        Command that fixes the problem or collects the evidence; empty if there is nothing to do.
    """

    kind: CheckKind
    status: str
    where: str
    evidence: str
    command: str = ""

    def __repr__(self) -> str:
        return f"<Checkup {self.kind.ident}: {self.status}{f', {self.where[:60]}' if self.where else ''}>"
