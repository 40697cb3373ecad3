"""Levers that add addresses: subnets in free space of the VPC, or of an additional block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from ipaddress import IPv4Network

from capacity.advice.levers.lever import GUIDE, Lever
from capacity.advice.levers.new_subnets import SMALLEST_NEW, Key, Proposed, free_name, names_of
from capacity.advice.levers.variables import env
from capacity.advice.snippets.groups import group_subnets_snippets, new_subnets_snippets
from capacity.advice.snippets.settings import eni_config, reserved_enis_snippet
from capacity.cluster.booking import FIXED_HOLDERS
from capacity.cluster.bounds import bounds_of
from capacity.cluster.check import CheckResult
from capacity.cluster.scenario import GroupState, ScenarioState
from capacity.cni.on_node import own_cni
from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.model import RESERVED_BY_AWS, NodeGroup, Plan, Subnet
from capacity.plan.patch import entry
from capacity.units import ceil_div
from capacity.vpc.blocks import prefixes_fit
from capacity.vpc.cidr_rules import LARGEST, proposals
from capacity.vpc.layout import first_free

POD_SUBNETS = 4  # a /16 is split into this many pod subnets, one per zone


def added_subnet(result: CheckResult) -> Iterator[Lever]:
    """Add a subnet in each zone that is not ok; nodes use the old and the new subnets."""
    added = _new_subnets(result, keep=True)
    if added:
        yield Lever(
            risk="subnets",
            name="added-subnet",
            summary=f"keep the subnets and add new ones: {_places(added)}",
            patch=_patch(result.plan, added, keep=True),
            cost=f"uses VPC address space; only new nodes start there{_costs(result.plan, added)}",
            source=f"{GUIDE}/ip-optimization-strategies.adoc L48",
            commands=tuple(_commands(result.plan, added, keep=True)),
        )


def larger_subnets(result: CheckResult) -> Iterator[Lever]:
    """Move all nodes of each zone that is not ok to a larger subnet: a subnet cannot be resized."""
    added = _new_subnets(result, keep=False)
    if added:
        yield Lever(
            risk="subnets",
            name="larger-subnets",
            summary=f"move the nodes to larger subnets in free VPC space: {_places(added)}",
            patch=_patch(result.plan, added, keep=False),
            cost=f"uses VPC address space; all nodes are replaced{_costs(result.plan, added)}",
            source=f"{GUIDE}/ip-optimization-strategies.adoc L26, L48",
            commands=tuple(_commands(result.plan, added, keep=False)),
        )


# --- which subnets, how large, where ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Load:
    """Most addresses that nodes or pods use in a zone's subnets, and those of one node. [addresses], [prefixes]"""

    addresses: int = 0
    prefixes: int = 0
    node: int = 0

    def most(self, other: _Load) -> _Load:
        return _Load(
            max(self.addresses, other.addresses), max(self.prefixes, other.prefixes), max(self.node, other.node)
        )

    def share(self, places: int) -> _Load:
        """Load of one of ``places`` equal subnets, rounded up to whole nodes."""
        if places == 1:
            return self
        node_prefixes = ceil_div(self.node, PREFIX_SIZE) if self.prefixes else 0
        return _Load(
            ceil_div(self.addresses, places) + self.node, ceil_div(self.prefixes, places) + node_prefixes, self.node
        )


Added = dict[tuple[Key, str], Subnet]  # use of the subnet (nodes or pods) and its zone


def _new_subnets(result: CheckResult, keep: bool) -> Added:
    """One new subnet per zone that is not ok, for nodes or pods; empty if the VPC has no room for one of them."""
    plan = result.plan
    taken, busy = {s.name for s in plan.subnets}, [s.cidr for s in plan.subnets]
    found: Added = {}
    keys: tuple[Key, ...] = ("subnets", "podSubnets")
    for key in keys:
        loads = _loads(result, key)
        names = {zone: free_name(f"more-{zone}" if key == "subnets" else f"more-pods-{zone}", taken) for zone in loads}
        parts = {zone: load.share(1 + _fewest_there(plan, key, zone) if keep else 1) for zone, load in loads.items()}
        least = (_length(part, 0, plan.checks.min_free) for part in parts.values())
        if any(first_free(length, plan.vpc_cidrs, busy) is None for length in least):
            return {}  # the bounds take long and can only require more
        highest = _highest(result, key, names, keep)
        for zone, part in parts.items():
            block = first_free(_length(part, highest[names[zone]], plan.checks.min_free), plan.vpc_cidrs, busy)
            if block is None:
                return {}
            busy.append(block)
            found[key, zone] = Subnet(names[zone], zone, block)
    return found


def _loads(result: CheckResult, key: Key) -> dict[str, _Load]:
    """Largest load of each zone's subnets of that kind, for zones with a subnet that is not ok."""
    used = {n for g in result.plan.node_groups for n in names_of(g, key)}
    states = [[s for s in scenario.subnets if s.subnet.name in used] for scenario in result.scenarios]
    loads = {s.subnet.zone: _Load() for mine in states for s in mine if s.verdict != "ok"}
    for scenario, mine in zip(result.scenarios, states, strict=True):
        for zone, load in loads.items():
            here = [s for s in mine if s.subnet.zone == zone]
            addresses = sum(s.used_total - sum(s.used[h] for h in FIXED_HOLDERS) for s in here)
            loads[zone] = load.most(_Load(addresses, sum(s.prefixes for s in here), _node(scenario, key, zone)))
    return loads


def _node(scenario: ScenarioState, key: Key, zone: str) -> int:
    """Sum of what the fullest node of each group in the zone uses there. [addresses]"""
    total = 0
    for state in scenario.groups:
        if state.nodes_by_zone.get(zone):
            apart = bool(state.shape.group.pod_subnets)
            total += state.full_node(at_home=key == "subnets", with_pods=(key == "podSubnets") == apart)
    return total


def _fewest_there(plan: Plan, key: Key, zone: str) -> int:
    """Fewest subnets that a group has in the zone, among the groups that have any."""
    counts = (sum(plan.subnet(n).zone == zone for n in names_of(g, key)) for g in plan.node_groups)
    return min(n for n in counts if n)


def _highest(result: CheckResult, key: Key, names: Mapping[str, str], keep: bool) -> dict[str, int]:
    """Upper bound of the addresses in each new subnet, over all scenarios. [addresses]"""
    plan = result.plan
    subnets = {s.name: s for s in plan.subnets}
    subnets |= {name: Subnet(name, zone, plan.vpc_cidrs[0]) for zone, name in names.items()}
    most = dict.fromkeys(names.values(), 0)
    for scenario in result.scenarios if names else ():
        here = dict.fromkeys(names.values(), 0)
        for state in scenario.groups:
            moved = _moved(plan, state.shape.group, key, names, keep)
            if moved:
                for taken in bounds_of(subnets, _regrouped(state, key, moved)):
                    if taken.subnet in here:
                        here[taken.subnet] += taken.highest
        most = {name: max(most[name], high) for name, high in here.items()}
    return most


def _regrouped(state: GroupState, key: Key, names: tuple[str, ...]) -> GroupState:
    """The group in other subnets; the subnet in which its nodes start within a zone is then unknown."""
    group = state.shape.group
    changed = replace(group, subnets=names) if key == "subnets" else replace(group, pod_subnets=names)
    batches = tuple(replace(b, subnet=None) for b in state.batches)
    return replace(state, shape=replace(state.shape, group=changed), batches=batches)


def _moved(plan: Plan, group: NodeGroup, key: Key, names: Mapping[str, str], keep: bool) -> tuple[str, ...]:
    """The group's subnets with the new ones; empty if it has none in those zones."""
    mine = names_of(group, key)
    zones = dict.fromkeys(plan.subnet(n).zone for n in mine)
    new = [names[z] for z in zones if z in names]
    return (*(n for n in mine if keep or plan.subnet(n).zone not in names), *new) if new else ()


def _length(load: _Load, highest: int, min_free: Fraction) -> int:
    """Prefix length of the smallest subnet that is ok with this load; the largest allowed if none is."""
    for length in range(SMALLEST_NEW, LARGEST, -1):
        usable = (1 << (32 - length)) - RESERVED_BY_AWS
        empty = Subnet("", "", IPv4Network((0, length)))
        blocks = prefixes_fit(empty, load.prefixes, max(load.addresses - PREFIX_SIZE * load.prefixes, 0))
        if load.addresses <= (1 - min_free) * usable and highest <= usable and blocks:
            return length
    return LARGEST


# --- as a patch and as text -------------------------------------------------------------------------


def _patch(plan: Plan, added: Added, keep: bool) -> dict[str, object]:
    entries = [{"name": s.name, "zone": s.zone, "cidr": str(s.cidr)} for s in added.values()]
    patch: dict[str, object] = {"vpc.subnets[+]": entries}
    for group, key, names in _groups(plan, added, keep=keep):
        patch[entry("nodeGroups", group.name, key)] = list(names)
    return patch


def _groups(plan: Plan, added: Added, *, keep: bool) -> Iterator[tuple[NodeGroup, Key, tuple[str, ...]]]:
    """Each group and subnet list that changes, with the new names."""
    for key in dict.fromkeys(key for key, _ in added):
        names = {zone: s.name for (of, zone), s in added.items() if of == key}
        for group in plan.node_groups:
            moved = _moved(plan, group, key, names, keep)
            if moved:
                yield group, key, moved


def _places(added: Added) -> str:
    return ", ".join(
        f"{s.cidr} in {s.zone}{' for pods' if key == 'podSubnets' else ''}" for (key, _), s in added.items()
    )


def _costs(plan: Plan, added: Added) -> str:
    fixed = any(
        g.provisioner in ("managed", "fargate") for g, key, _ in _groups(plan, added, keep=True) if key == "subnets"
    )
    text = "; the subnets of a managed node group cannot change: create a second group" if fixed else ""
    if plan.cni.settings.custom_networking and any(key == "podSubnets" for key, _ in added):
        text += "; requires an ENIConfig per pod subnet, which nodes select by annotation"
    return f"{text}; set route tables and tags"


def _commands(plan: Plan, added: Added, keep: bool) -> Iterator[str]:
    yield from new_subnets_snippets(list(added.values()))
    for (key, zone), subnet in added.items():
        if key == "podSubnets" and plan.cni.settings.custom_networking:  # Cilium finds its subnets by tags
            yield eni_config(subnet.name if keep else zone, subnet.name)
    for group, key, names in _groups(plan, added, keep=keep):
        if key == "subnets":
            yield from group_subnets_snippets(group, names, plan.group_names)


def custom_networking(plan: Plan, others: Proposed) -> Iterator[Lever]:
    """Put pods on subnets of a secondary block of 100.64.0.0/10, one per zone of the groups."""
    settings = plan.cni.settings
    zones = list(dict.fromkeys(plan.subnet(n).zone for g in own_cni(plan) for n in g.subnets))
    windows = any(g.windows for g in plan.node_groups)
    if settings.custom_networking or settings.ipv6 or windows or not zones or len(zones) > POD_SUBNETS:
        return
    block = next(iter(proposals((*plan.vpc_cidrs, *others.joined))), None)
    if block is None:
        return
    pieces = dict(zip(zones, block.subnets(prefixlen_diff=POD_SUBNETS.bit_length() - 1), strict=False))
    taken = {s.name for s in plan.subnets} | others.names
    names = {zone: free_name(f"pods-{zone}", taken) for zone in zones}
    new = [Subnet(names[z], z, pieces[z]) for z in zones]
    # The ENIConfigs have the names of zones; without the label nodes would use one named "default".
    change = {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true", "ENI_CONFIG_LABEL_DEF": "topology.kubernetes.io/zone"}
    patch, commands = env(plan, {n: v for n, v in change.items() if n not in plan.cni.env or n.startswith("AWS")})
    patch["vpc.cidrs[+]"] = [str(block)]
    patch["vpc.subnets[+]"] = [{"name": s.name, "zone": s.zone, "cidr": str(s.cidr)} for s in new]
    for group in own_cni(plan):
        mine = dict.fromkeys(plan.subnet(n).zone for n in group.subnets)
        patch[entry("nodeGroups", group.name, "podSubnets")] = [names[z] for z in mine]
        if group.provisioner == "karpenter":
            patch[entry("nodeGroups", group.name, "reservedEnis")] = max(group.reserved_enis, 1)
    yield Lever(
        risk="architecture",
        name="custom-networking",
        summary=f"put pods on subnets of {block}, one per zone, with custom networking",
        patch=patch,
        cost="the primary ENI serves no pods, so max pods is lower; requires new nodes and an ENIConfig per zone",
        source=f"{GUIDE}/custom-networking.adoc L29-130",
        commands=(
            *new_subnets_snippets(new, [block]),
            *commands,
            *(eni_config(z, names[z]) for z in zones),
            *reserved_enis_snippet(plan),
        ),
    )
