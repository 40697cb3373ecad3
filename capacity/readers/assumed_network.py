"""Assume the parts of a plan's network that no source has: blocks, subnets, zones, pod subnets. Each is marked."""

from __future__ import annotations

from bisect import bisect, insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Network, collapse_addresses

from capacity.readers.draft import Assumptions, GroupDraft, PlanDraft, SubnetDraft, at, renamed_subnets
from capacity.readers.values import block_of, region_of_zone

ASSUMED_VPC = IPv4Network("10.0.0.0/16")
ASSUMED_PODS = IPv4Network("100.64.0.0/16")  # the secondary block in AWS's guide to custom networking
ASSUMED_SUBNET_PREFIX = 20
ASSUMED_PODS_PREFIX = 18
ADD_NETWORK = "the network is partly assumed: import the real one with capacity import aws … --into PLAN"


def with_region(draft: PlanDraft, _: Assumptions) -> PlanDraft:
    """Fill in the region if all zones in the input are in one."""
    if draft.region:
        return draft
    stated = [s.zone for s in draft.subnets if s.zone and at("vpc.subnets", s.name, "zone") not in draft.assumed]
    stated += [*draft.zones, *(z for g in draft.node_groups for z in g.zones or ())]
    regions = set(map(region_of_zone, stated)) - {None}
    return replace(draft, region=regions.pop()) if len(regions) == 1 else draft


def is_on(draft: PlanDraft, variable: str) -> bool:
    """Whether a switch of the CNI is true in this draft."""
    return draft.env.get(variable, "") in ("1", "t", "T", "TRUE", "true", "True")


def with_mentioned_subnets(draft: PlanDraft, _: Assumptions) -> PlanDraft:
    """Replace subnet IDs by names; a subnet that is only mentioned is added with an unknown block."""
    names = {s.id: s.name for s in draft.subnets if s.id}
    known = {s.name for s in draft.subnets}
    subnets = list(draft.subnets)
    for name in _mentioned(draft):
        if name not in known and name not in names:
            identity = name if name.startswith("subnet-") else None
            subnets.append(SubnetDraft(name, cidr=block_of(name), id=identity))
            known.add(name)
    return renamed_subnets(replace(draft, subnets=tuple(subnets)), names)


def _mentioned(draft: PlanDraft) -> Iterable[str]:
    for group in draft.node_groups:
        yield from group.subnets or ()
        yield from group.pod_subnets or ()
    yield from draft.control_plane or ()
    yield from draft.pod_subnets
    for tenant in draft.tenants:
        yield from tenant.subnets


def with_network(draft: PlanDraft, work: Assumptions) -> PlanDraft:
    """Fill in the VPC's blocks, and a zone and a block for every subnet."""
    subnets = _without_overlaps(draft.subnets, work)
    blocks = _blocks(draft, subnets, work)
    if all(s.name in draft.pod_subnets for s in subnets):
        subnets = (*_assumed_subnets(draft, blocks, work), *subnets)
    free = FreeSpace(blocks, [s.cidr for s in subnets if s.cidr])
    zones = Counter({zone: sum(s.zone == zone for s in subnets) for zone in spare_zones(draft)})
    sized = {s.name: free.take(s.prefix) for s in subnets if s.cidr is None and s.prefix}
    size = _assumed_prefix(blocks, sum(s.cidr is None and not s.prefix for s in subnets))
    placed = []
    for subnet in subnets:
        if subnet.cidr is None:
            words = f"its block, a /{subnet.prefix}, is" if subnet.prefix else "its block is"
            subnet = replace(subnet, cidr=sized.get(subnet.name) or free.take(size))
            work.assume(at("vpc.subnets", subnet.name, "cidr"), f"{words} not in the input")
        if not subnet.zone:
            subnet = replace(subnet, zone=min(zones, key=lambda z: zones[z]))
            zones[subnet.zone or ""] += 1
            work.assume(at("vpc.subnets", subnet.name, "zone"), "its zone is not in the input")
        placed.append(subnet)
    return replace(draft, vpc_cidrs=tuple(free.blocks), subnets=tuple(placed))


def _without_overlaps(subnets: tuple[SubnetDraft, ...], work: Assumptions) -> tuple[SubnetDraft, ...]:
    """Remove blocks that overlap an earlier one or have no valid subnet size; they become unknown."""
    kept: list[SubnetDraft] = []
    for subnet in subnets:
        cidr = subnet.cidr
        if cidr is not None:
            path = at("vpc.subnets", subnet.name, "cidr")
            clash = next((s for s in kept if s.cidr and s.cidr.overlaps(cidr)), None)
            if not 16 <= cidr.prefixlen <= 28:
                work.say(path, f"{cidr} is not a valid subnet size (/16 to /28)")
                subnet = replace(subnet, cidr=None)
            elif clash is not None:
                work.say(path, f"{cidr} overlaps {clash.name} ({clash.cidr}): two VPCs in one source?")
                subnet = replace(subnet, cidr=None)
        kept.append(subnet)
    return tuple(kept)


def _assumed_prefix(blocks: list[IPv4Network], subnets: int) -> int:
    """Prefix length of subnets whose size is not known: /20, or longer if the VPC cannot hold all of them.

    >>> _assumed_prefix([IPv4Network("10.0.0.0/20")], 3), _assumed_prefix([IPv4Network("10.0.0.0/16")], 3)
    (22, 20)
    """
    widest = min(b.prefixlen for b in blocks)
    return min(max(ASSUMED_SUBNET_PREFIX, widest + max(subnets - 1, 0).bit_length()), 28)


def _blocks(draft: PlanDraft, subnets: tuple[SubnetDraft, ...], work: Assumptions) -> list[IPv4Network]:
    """Blocks of the VPC: those in the input, and for subnets outside them the smallest block that contains them."""
    stated = draft.vpc_cidrs
    blocks = [b for b in stated if 16 <= b.prefixlen <= 28]
    for block in stated:
        if block not in blocks:
            work.say("vpc.cidrs", f"{block} is not a valid VPC block size (/16 to /28): ignored")
    outside = [s.cidr for s in subnets if s.cidr and not any(s.cidr.subnet_of(b) for b in blocks)]
    for around in sorted({c.supernet(new_prefix=16) for c in outside}):
        holder = smallest_holder([c for c in outside if c.subnet_of(around)])
        blocks = [b for b in blocks if not b.subnet_of(holder)] + [holder]
        work.assume(
            "vpc.cidrs", f"the VPC's block is not in the input; {holder} is the smallest that contains its subnets"
        )
    if not blocks and draft.vpc_prefixes:
        blocks = [IPv4Network((f"10.{i}.0.0", prefix)) for i, prefix in enumerate(draft.vpc_prefixes)]
        work.assume("vpc.cidrs", f"{', '.join(map(str, blocks))}: only the sizes of its blocks are in the input")
    if not blocks:
        work.assume("vpc.cidrs", f"{ASSUMED_VPC}; the VPC's blocks are not in the input")
        blocks = [ASSUMED_VPC]
    return blocks


def smallest_holder(cidrs: list[IPv4Network]) -> IPv4Network:
    """Smallest block that contains all given blocks.

    >>> smallest_holder([IPv4Network("10.0.1.0/24"), IPv4Network("10.0.2.0/24")])
    IPv4Network('10.0.0.0/22')
    """
    holder = cidrs[0]
    while not all(c.subnet_of(holder) for c in cidrs):
        holder = holder.supernet()
    return holder


def zones_of(draft: PlanDraft) -> list[str]:
    """Zones of the draft, or three zones of its region if it has none."""
    named = dict.fromkeys(s.zone for s in draft.subnets if s.zone)
    return list(named) or list(draft.zones) or [f"{draft.region or 'zone-'}{letter}" for letter in "abc"]


def spare_zones(draft: PlanDraft) -> list[str]:
    """Zones for subnets of unknown zone: those of the draft, filled up to three from the region."""
    named = zones_of(draft)
    more = [f"{draft.region}{letter}" for letter in "abc"] if draft.region else []
    return [*named, *[z for z in more if z not in named]][: max(3, len(named))]


def _assumed_subnets(draft: PlanDraft, blocks: list[IPv4Network], work: Assumptions) -> tuple[SubnetDraft, ...]:
    zones = dict.fromkeys((*(s.zone for s in draft.subnets if s.zone), *draft.zones)) or zones_of(draft)
    free = FreeSpace(blocks, [])
    made = []
    for zone in zones:
        name = f"assumed-{zone}"
        made.append(SubnetDraft(name, zone, free.take(ASSUMED_SUBNET_PREFIX)))
        work.assume(at("vpc.subnets", name), "no subnet is in the input")
    return tuple(made)


class FreeSpace:
    """Allocate free blocks of a VPC; add a block to the VPC if it is full."""

    def __init__(self, blocks: list[IPv4Network], taken: list[IPv4Network]) -> None:
        self.blocks = list(blocks)
        # first and last address of the used ranges, disjoint and sorted
        self.taken = [(int(b[0]), int(b[-1])) for b in sorted(collapse_addresses(taken))]
        self.passed: dict[tuple[IPv4Network, int], int] = {}

    def take(self, prefix: int) -> IPv4Network:
        for size in range(prefix, 29):
            for block in self.blocks:
                first = self._free_from(block, 2 ** (32 - size)) if size >= block.prefixlen else None
                if first is not None:
                    return self._taken(IPv4Network((first, size)))
        for second in range(256):  # every block is full: the next /16 of 10.0.0.0/8
            more = IPv4Network(f"10.{second}.0.0/16")
            if not any(more.overlaps(b) for b in self.blocks):
                self.blocks.append(more)
                return self.take(prefix)
        raise AssertionError("a plan of 256 full VPC blocks")

    def _free_from(self, block: IPv4Network, size: int) -> int | None:
        """First address of the first free, aligned run of ``size`` addresses in a block; None if there is none."""
        # Used space stays used, so the search continues after the last place of this size.
        first, end = self.passed.get((block, size), int(block[0])), int(block[-1])
        for low, high in self.taken[max(bisect(self.taken, (first, 0)) - 1, 0) :]:
            if low > first + size - 1:
                break
            if high >= first:
                first = -(-(high + 1) // size) * size
        self.passed[block, size] = first
        return first if first + size - 1 <= end else None

    def _taken(self, candidate: IPv4Network) -> IPv4Network:
        insort(self.taken, (int(candidate[0]), int(candidate[-1])))
        return candidate


def with_pod_network(draft: PlanDraft, work: Assumptions) -> PlanDraft:
    """Fill in pod subnets with custom networking; remove them without it."""
    if draft.pod_subnets and "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG" not in draft.env:
        work.assume("cni.env.AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true, because there are ENIConfigs")
        draft = replace(draft, env={**draft.env, "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"})
    if not is_on(draft, "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"):
        groups = []
        for group in draft.node_groups:
            if group.pod_subnets:
                work.say(
                    at("nodeGroups", group.name),
                    f"pod subnets {', '.join(group.pod_subnets)} are not used: "
                    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG is not true",
                )
            groups.append(replace(group, pod_subnets=None))
        return replace(draft, node_groups=tuple(groups))
    return draft


def with_group_subnets(draft: PlanDraft, work: Assumptions) -> PlanDraft:
    """Fill in the subnets of every group, and with custom networking a pod subnet in each of its zones."""
    names, whose = _subnets_for_nodes(draft)
    groups = []
    for group in draft.node_groups:
        if not group.subnets:
            chosen, words = _in_zones(draft, group, names, whose, work)
            work.assume(at("nodeGroups", group.name, "subnets"), f"{words}; they are not in the input")
            group = replace(group, subnets=chosen)
        groups.append(group)
    draft = replace(draft, node_groups=tuple(groups))
    if is_on(draft, "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG") and groups:
        return _with_pod_subnets(draft, work)
    return draft


def _in_zones(
    draft: PlanDraft, group: GroupDraft, names: tuple[str, ...], whose: str, work: Assumptions
) -> tuple[tuple[str, ...], str]:
    """The likely subnets in the zones of a group, otherwise any other subnets of the plan in these zones."""
    if not group.zones:
        return names, whose
    zone_of = {s.name: s.zone for s in draft.subnets}
    pods = {n for g in draft.node_groups for n in g.pod_subnets or ()} | set(draft.pod_subnets)
    shown = ", ".join(group.zones)
    for pool, words in ((names, whose), (tuple(n for n in zone_of if n not in pods), "all subnets of the plan")):
        chosen = tuple(n for n in pool if zone_of[n] in group.zones)
        if chosen:
            return chosen, f"{words} in {shown}"
    work.say(at("nodeGroups", group.name, "subnets"), f"it is restricted to {shown}, where the plan has no subnet")
    return names, whose


def _subnets_for_nodes(draft: PlanDraft) -> tuple[tuple[str, ...], str]:
    """Most likely subnets of nodes: those of the other groups, or the private subnets."""
    used = {n for g in draft.node_groups for n in g.subnets or ()}
    pods = {n for g in draft.node_groups for n in g.pod_subnets or ()} | set(draft.pod_subnets)
    names = tuple(s.name for s in draft.subnets if s.name not in pods) or tuple(s.name for s in draft.subnets)
    of_others = tuple(n for n in names if n in used)
    if of_others:
        return of_others, "those of the other node groups"
    private = tuple(n for n in names if "private" in n.lower())
    if private and len(private) < len(names):
        return private, "those named private"
    return names, "all subnets of the plan"


def _with_pod_subnets(draft: PlanDraft, work: Assumptions) -> PlanDraft:
    zone_of = {s.name: s.zone for s in draft.subnets}
    all_pods = draft.pod_subnets or tuple(dict.fromkeys(n for g in draft.node_groups for n in g.pod_subnets or ()))
    subnets, blocks = list(draft.subnets), list(draft.vpc_cidrs)
    made: dict[str, str] = {}

    def pod_subnet(zone: str) -> str:
        if zone not in made:
            space = _pod_space(blocks)
            free = FreeSpace([space], [s.cidr for s in subnets if s.cidr])
            name = f"assumed-pods-{zone}"
            subnets.append(SubnetDraft(name, zone, free.take(ASSUMED_PODS_PREFIX)))
            blocks.extend(b for b in free.blocks if b not in blocks)
            work.assume(
                at("vpc.subnets", name),
                f"custom networking is on, but no pod subnets in {zone} are in the input",
            )
            made[zone] = name
        return made[zone]

    groups = []
    for group in draft.node_groups:
        path = at("nodeGroups", group.name, "podSubnets")
        if group.ami == "windows":
            work.say(at("nodeGroups", group.name), "Windows nodes have no custom networking: pods use their subnets")
            groups.append(replace(group, pod_subnets=None))
            continue
        names = list(group.pod_subnets or all_pods)
        zones = dict.fromkeys(zone_of[n] or "" for n in group.subnets or ())
        names = [n for n in names if zone_of[n] in zones] if not group.pod_subnets else names
        missing = [z for z in zones if z not in {zone_of[n] for n in names}]
        names += [pod_subnet(z) for z in missing]
        if missing or not group.pod_subnets:
            work.assume(path, "they are not in the input" if missing else "the pod subnets of the cluster in its zones")
        groups.append(replace(group, pod_subnets=tuple(names)))
    return replace(draft, node_groups=tuple(groups), subnets=tuple(subnets), vpc_cidrs=tuple(blocks))


def _pod_space(blocks: list[IPv4Network]) -> IPv4Network:
    for second in range(64, 128):
        block = IPv4Network(f"100.{second}.0.0/16")
        if block in blocks or not any(block.overlaps(b) for b in blocks):
            return block
    return ASSUMED_PODS
