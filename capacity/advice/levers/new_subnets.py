"""The subnets and blocks that levers propose, and their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any, Literal

from capacity.advice.levers.lever import Lever
from capacity.plan.model import NodeGroup

SMALLEST_NEW = 26  # a smaller one would be full again soon


Key = Literal["subnets", "podSubnets"]


@dataclass(frozen=True, slots=True)
class Proposed:
    """Subnets and blocks that other levers would add. They are not used, so that levers can be combined."""

    names: frozenset[str] = frozenset()
    blocks: tuple[IPv4Network, ...] = ()
    joined: tuple[IPv4Network, ...] = ()


def proposed(several: Sequence[Lever]) -> Proposed:
    """Subnets and blocks that some levers would add to the VPC."""
    entries = [e for lever in several for e in _listed(lever.patch.get("vpc.subnets[+]"))]
    return Proposed(
        frozenset(e["name"] for e in entries),
        tuple(IPv4Network(e["cidr"]) for e in entries),
        tuple(IPv4Network(c) for lever in several for c in _listed(lever.patch.get("vpc.cidrs[+]"))),
    )


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def names_of(group: NodeGroup, key: Key) -> tuple[str, ...]:
    """Names of the group's subnets for nodes or pods."""
    return group.subnets if key == "subnets" else group.pod_subnets


def free_name(wanted: str, taken: set[str]) -> str:
    """The name, with a number added if a subnet already has it."""
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted}-{number}", number + 1
    taken.add(name)
    return name
