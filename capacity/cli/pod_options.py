"""Pods given on the command line: ``--pod NAME=CPU,MEMORY,REPLICAS``, and further rules after commas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from capacity.cli.options import one_of, whole
from capacity.errors import SpecError
from capacity.plan.constants import ANTI_AFFINITIES

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


FORM = "NAME=CPU,MEMORY,REPLICAS (such as web=250m,512Mi,40 or infer=2,8Gi,5,gpu=1)"
RULES = ("gpu", "volumes", "spread", "antiAffinity")


def _pod(text: str) -> PodAsk:
    from capacity.plan.sketch import PodAsk
    from capacity.units import parse_cpu, parse_memory

    name, _, rest = text.partition("=")
    parts = [part.strip() for part in rest.split(",")]
    bad = not name or len(parts) < 3 or not all(parts) or not all("=" in rule for rule in parts[3:])
    if bad or not (parts[2].isascii() and parts[2].isdigit()):
        raise SpecError(f"--pod: {text!r} is not {FORM}")
    place = f"--pod {name}"
    parse_cpu(parts[0], place), parse_memory(parts[1], place)
    replicas = whole(place, int(parts[2]))
    return PodAsk(name, replicas or 0, parts[0], parts[1], **_rules(parts[3:], place))


def _rules(parts: Sequence[str], place: str) -> dict[str, Any]:
    """Further rules of a pod: ``gpu=1``, ``volumes=1``, ``spread=1``, ``antiAffinity=hostname``."""
    stated: dict[str, str] = {}
    for part in parts:
        key, _, value = part.partition("=")
        one_of(f"{place}: rule", key, RULES)
        if key in stated:
            raise SpecError(f"{place}: duplicate {key}")
        stated[key] = value
    counts = {key: _count(place, key, stated[key]) for key in RULES[:3] if key in stated}
    together = stated.get("antiAffinity")
    return {
        "gpus": counts.get("gpu", 0),
        "volumes": counts.get("volumes", 0),
        "zone_skew": counts.get("spread"),
        "anti_affinity": None if together is None else one_of(f"{place}: antiAffinity", together, ANTI_AFFINITIES),
    }


def _count(place: str, key: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= 1000:
        raise SpecError(f"{place}: {key}={text} is not a number from 1 to 1,000")
    return int(text)
