"""Pods given on the command line: ``--pod NAME=CPU,MEMORY,REPLICAS``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from capacity.cli.options import whole
from capacity.errors import SpecError

if TYPE_CHECKING:
    from capacity.plan.sketch import PodAsk


def read_pods(texts: Sequence[str]) -> list[PodAsk]:
    """One entry per ``--pod``; names are unique."""
    asked = [_pod(text) for text in texts]
    names = [p.name for p in asked]
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise SpecError(f"--pod: duplicate {twice!r}")
    return asked


def _pod(text: str) -> PodAsk:
    from capacity.plan.sketch import PodAsk
    from capacity.units import parse_cpu, parse_memory

    name, _, rest = text.partition("=")
    parts = [part.strip() for part in rest.split(",")]
    if not name or len(parts) != 3 or not all(parts) or not (parts[2].isascii() and parts[2].isdigit()):
        raise SpecError(f"--pod: {text!r} is not NAME=CPU,MEMORY,REPLICAS (such as web=250m,512Mi,40)")
    place = f"--pod {name}"
    parse_cpu(parts[0], place), parse_memory(parts[1], place)
    replicas = whole(place, int(parts[2]))
    return PodAsk(name, replicas or 0, parts[0], parts[1])
