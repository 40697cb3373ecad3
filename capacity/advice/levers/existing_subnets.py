"""Levers that use existing subnets: idle ones, and those of other node groups with more free addresses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from capacity.advice.levers.lever import GUIDE, Lever
from capacity.advice.levers.new_subnets import Key, names_of
from capacity.advice.levers.trouble import short_subnets
from capacity.advice.snippets.groups import group_subnets_snippets
from capacity.cluster.check import CheckResult
from capacity.plan.discovery import closed_to_pods, of_another_cluster
from capacity.plan.model import NodeGroup, Plan, Subnet
from capacity.plan.patch import entry
from capacity.units import counted

KEYS: tuple[Key, ...] = ("subnets", "podSubnets")
Choice = Callable[[NodeGroup, Key, Sequence[Subnet]], list[str]]


def idle_subnets(result: CheckResult, only: Collection[str]) -> Iterator[Lever]:
    """Add subnets that no node group uses to the groups that are short of addresses in the same zones."""
    yield from _widened(result, only, "idle-subnets", _idle(result, further_zones=False))


def idle_zones(result: CheckResult, only: Collection[str]) -> Iterator[Lever]:
    """Add idle subnets to the groups that are short of addresses, including subnets in additional zones."""
    yield from _widened(result, only, "idle-zones", _idle(result, further_zones=True))


def shared_subnets(result: CheckResult, only: Collection[str]) -> Iterator[Lever]:
    """Share the subnets of other groups in the same zones that have more free addresses."""
    plan, short = result.plan, short_subnets(result)
    used = used_by_groups(plan)

    def choice(_group: NodeGroup, key: Key, mine: Sequence[Subnet]) -> list[str]:
        zones = {s.zone for s in mine if s.name in short}
        others = [s for s in plan.subnets if s.name in used[key] and s.name not in short and s.zone in zones]
        return [s.name for s in others if s not in mine and _open(plan, s)]

    yield from _widened(result, only, "shared-subnets", choice, risk="subnets")


def used_by_groups(plan: Plan) -> dict[Key, set[str]]:
    """Names of the subnets that any group uses for nodes or pods."""
    return {key: {n for g in plan.node_groups for n in names_of(g, key)} for key in KEYS}


def idle(plan: Plan) -> list[Subnet]:
    """Subnets that no node group uses and that can have nodes: without a tag that excludes pods."""
    used = {n for names in used_by_groups(plan).values() for n in names}
    return [s for s in plan.subnets if s.name not in used and s.discovery is None and _open(plan, s)]


def _open(plan: Plan, subnet: Subnet) -> bool:
    return not (of_another_cluster(subnet, plan.cni) or closed_to_pods(subnet, plan.cni))


def _idle(result: CheckResult, further_zones: bool) -> Choice:
    """Idle subnets at least as large as the group's smallest; additional zones only if pods need no subnet there."""
    plan, short = result.plan, short_subnets(result)
    free = idle(plan)

    def choice(group: NodeGroup, key: Key, mine: Sequence[Subnet]) -> list[str]:
        zones = {s.zone for s in mine if s.name in short}
        known = {s.zone for s in mine}
        least = min(s.usable for s in mine)
        further = further_zones and key == "subnets" and not group.pod_subnets and isinstance(group.spread, str)
        fit = [s for s in free if s.usable - s.used >= least]
        found = [s for s in fit if s.zone in zones or (further and s.zone not in known)]
        if further_zones and all(s.zone in known for s in found):
            return []  # covered by the other lever
        return [s.name for s in found]

    return choice


def _widened(
    result: CheckResult, only: Collection[str], name: str, choice: Choice, risk: str = "settings"
) -> Iterator[Lever]:
    plan, short = result.plan, short_subnets(result)
    patch: dict[str, object] = {}
    commands: list[str] = []
    words: list[str] = []
    costs = ["check that each has the routes and network ACL of the others"]
    for group in (g for g in plan.node_groups if g.name in only):
        for key in KEYS:
            mine = [plan.subnet(n) for n in names_of(group, key)]
            more = choice(group, key, mine) if any(s.name in short for s in mine) else []
            if not more:
                continue
            names = [*names_of(group, key), *more]
            patch[entry("nodeGroups", group.name, key)] = names
            words.append(f"{group.name} gets {', '.join(more)}{' for pods' if key == 'podSubnets' else ''}")
            if key == "subnets":
                commands += group_subnets_snippets(group, names, plan.group_names)
                if group.provisioner in ("managed", "fargate"):
                    costs.append("the subnets of a managed node group cannot change: create a second group")
                if {plan.subnet(n).zone for n in more} - {s.zone for s in mine}:
                    costs.append("pods with a volume stay in its zone; cross-zone traffic is charged")
            else:
                costs.append("requires an ENIConfig per pod subnet, which nodes select by annotation")
    if patch:
        what = "idle subnets" if risk == "settings" else "subnets of other groups with more free addresses"
        number = len({n for v in patch.values() if isinstance(v, list) for n in v})
        yield Lever(
            name=name,
            summary=f"use existing {what}: {'; '.join(words)}",
            patch=patch,
            cost="; ".join((*dict.fromkeys(costs), f"{counted(number, 'subnet')} then")),
            source=f"{GUIDE}/ip-optimization-strategies.adoc L48",
            commands=tuple(commands),
            risk=risk,
        )
