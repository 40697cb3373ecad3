"""Lever of subnet discovery: subnets that the VPC CNI finds by their tag."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from capacity.advice.levers.lever import GUIDE, Lever
from capacity.advice.levers.new_subnets import SMALLEST_NEW, Proposed, free_name
from capacity.advice.snippets.groups import new_subnets_snippets
from capacity.cluster.check import CheckResult
from capacity.cni.on_node import is_own_cni, own_cni
from capacity.plan.discovery import places_by_tag, tags_of
from capacity.plan.model import RESERVED_BY_AWS, Plan, Subnet
from capacity.plan.subnet_tags import ROLE_TAG
from capacity.vpc.cidr_rules import LARGEST, proposals
from capacity.vpc.layout import first_free
from capacity.vpc.ledger import SubnetState


def subnet_discovery(result: CheckResult, others: Proposed) -> Iterator[Lever]:
    """Add a tagged subnet for pods in each zone that is not ok; the nodes keep their subnets.

    The subnets are in free VPC space that no other lever uses, or in an additional block of 100.64.0.0/10.
    """
    plan = result.plan
    if not places_by_tag(plan.cni):
        return
    short = {zone: states for zone in _zones_of_own(plan) if (states := _short(result, zone))}
    busy, taken = [*(s.cidr for s in plan.subnets), *others.blocks], {s.name for s in plan.subnets} | others.names
    added: list[Subnet] = []
    blocks = list(plan.vpc_cidrs)
    for zone, states in short.items():
        length = _length(result, states)
        block = first_free(length, blocks, busy)
        if block is None and (more := next(iter(proposals(blocks)), None)) is not None:
            blocks.append(more)
            block = first_free(length, [more], busy)
        if block is None:
            return
        busy.append(block)
        added.append(Subnet(free_name(f"tagged-{zone}", taken), zone, block, discovery=True))
    if not added:
        return
    joined = blocks[len(plan.vpc_cidrs) :]
    patch: dict[str, object] = {"vpc.cidrs[+]": [str(b) for b in joined]} if joined else {}
    patch["vpc.subnets[+]"] = [{"name": s.name, "zone": s.zone, "cidr": str(s.cidr), "tags": tags_of(s)} for s in added]
    where = ", ".join(f"{s.cidr} in {s.zone}" for s in added)
    yield Lever(
        risk="subnets",
        name="subnet-discovery",
        summary=f"add pod subnets that the CNI finds by their tag {ROLE_TAG}=1: {where}",
        patch=patch,
        cost="only new ENIs use them, running nodes keep theirs; set route tables and network ACLs",
        source=f"{GUIDE}/ip-optimization-strategies.adoc L69-81",
        commands=tuple(new_subnets_snippets(added, joined)),
    )


def _zones_of_own(plan: Plan) -> list[str]:
    """Zones with nodes whose addresses depend on the settings of the VPC CNI."""
    return list(dict.fromkeys(plan.subnet(n).zone for g in own_cni(plan) for n in g.subnets))


def _short(result: CheckResult, zone: str) -> list[list[SubnetState]]:
    """Subnets with ENIs of a zone's nodes, in each scenario where one of them is not ok."""
    plan = result.plan
    used = {n for g in own_cni(plan) for n in g.subnets if plan.subnet(n).zone == zone}
    used |= {n for s in result.shapes for home in used & s.choices.keys() for n in s.choices[home]}
    found = [[s for s in scenario.subnets if s.subnet.name in used] for scenario in result.scenarios]
    return [states for states in found if any(s.verdict != "ok" for s in states)]


def _length(result: CheckResult, short: Sequence[Sequence[SubnetState]]) -> int:
    """Prefix length of the smallest additional subnet with which a zone is ok; the largest allowed if none is."""
    eni = max(s.first.largest_eni for s in result.shapes if is_own_cni(result.plan, s.group))
    min_free = result.plan.checks.min_free
    lengths = range(SMALLEST_NEW, LARGEST, -1)
    return next((n for n in lengths if all(_enough(n, states, min_free, eni) for states in short)), LARGEST)


def _enough(length: int, states: Sequence[SubnetState], min_free: Fraction, eni: int) -> bool:
    """Whether the subnets of a zone are ok with one more of that length.

    The CNI uses the subnet with the most free addresses, so all end equally free: the total over their number.
    Addresses that cannot move are considered only by the check of the changed plan.
    """
    usable = (1 << (32 - length)) - RESERVED_BY_AWS
    places = len(states) + 1
    free = (usable + sum(s.free for s in states)) // places - eni
    least = (usable + sum(s.subnet.usable - s.used_highest for s in states)) // places - eni
    return least >= 0 and all(free >= min_free * n for n in (usable, *(s.subnet.usable for s in states)))
