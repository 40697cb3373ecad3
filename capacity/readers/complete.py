"""The last step of an import: what a plan must say and no source does is assumed, marked and noted.

Nothing is assumed in silence: each assumption is a note beside its place, its path is listed in the plan's
annotation ``capacity/assumed``, which `check` repeats as a warning, and a later import replaces it.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network, collapse_addresses
from typing import Any

from capacity.catalog.table import Catalog, load_catalog
from capacity.plan.cni_env import CNI_VARIABLES
from capacity.plan.windows import KEYS as WINDOWS_KEYS
from capacity.plan.yaml_writer import printable
from capacity.readers.cluster_facts import block_of, unique
from capacity.readers.draft import GroupDraft, Note, PlanDraft, SubnetDraft, WorkloadDraft, at
from capacity.readers.instance_choice import type_problem
from capacity.readers.merge import renamed_subnets

SWITCHES = (
    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG",
    "ENABLE_IPv4",
    "ENABLE_IPv6",
    "ENABLE_POD_ENI",
    "ENABLE_PREFIX_DELEGATION",
)
ASSUMED_VPC = IPv4Network("10.0.0.0/16")
ASSUMED_PODS = IPv4Network("100.64.0.0/16")  # the secondary block AWS's custom-networking guide uses
ASSUMED_SUBNET_PREFIX = 20
ASSUMED_PODS_PREFIX = 18
ASSUMED_TYPE = "m5.large"
ASSUMED_GROUP = "assumed-nodes"
ADD_NETWORK = "the network is partly assumed: put the real one in with capacity import aws … --into PLAN"
LONGEST_NAME = 253  # what the plan's parser takes


@dataclass
class _Work:
    """A draft on its way to a whole plan."""

    catalog: Catalog
    notes: list[Note] = field(default_factory=list)
    assumed: set[str] = field(default_factory=set)

    def assume(self, path: str, text: str) -> None:
        self.assumed.add(path)
        self.notes.append(Note(f"{path}: assumed: {text}", path))

    def say(self, path: str, text: str) -> None:
        self.notes.append(Note(f"{path}: {text}" if path else text, path))


def complete(draft: PlanDraft, catalog: Catalog | None = None) -> PlanDraft:
    """The draft as a plan `check` reads: references resolved, gaps filled by marked assumptions.

    The result is the same for the same draft; completing it again changes nothing.
    """
    work = _Work(catalog or load_catalog())
    for step in STEPS:
        draft = step(draft, work)
    if any(path.startswith("vpc.") for path in work.assumed):
        work.notes.append(Note(ADD_NETWORK))
    return replace(
        draft,
        notes=tuple(dict.fromkeys((*draft.notes, *work.notes))),
        assumed=draft.assumed | work.assumed,
    )


def _readable(draft: PlanDraft, work: _Work) -> PlanDraft:
    """Names a plan may have: one line without control characters, not empty, not endless."""
    names: dict[str, dict[str, str]] = {}
    for section in ("subnets", "node_groups", "workloads", "daemon_sets", "tenants"):
        entries = getattr(draft, section)
        taken = {e.name for e in entries}
        bad: dict[str, str] = {}
        for entry in entries:
            if _readable_name(entry.name) != entry.name:
                bad[entry.name] = unique(_readable_name(entry.name), taken)
                taken.add(bad[entry.name])
        names[section] = bad
        for old, new in bad.items():
            work.say("", f"the name {new!r} was not fit for a plan" + (f" ({len(old)} characters)" if old else ""))
    if not any(names.values()):
        return draft
    draft = renamed_subnets(draft, names["subnets"])
    groups = names["node_groups"]

    def renamed(section: str) -> tuple[Any, ...]:
        return tuple(replace(e, name=names[section].get(e.name, e.name)) for e in getattr(draft, section))

    def bound(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            replace(e, node_groups=tuple(groups.get(n, n) for n in e.node_groups)) if e.node_groups else e
            for e in entries
        )

    return replace(
        draft,
        subnets=renamed("subnets"),
        node_groups=renamed("node_groups"),
        workloads=bound(renamed("workloads")),
        daemon_sets=bound(renamed("daemon_sets")),
        tenants=renamed("tenants"),
    )


def _readable_name(name: str) -> str:
    return printable(name).strip()[:LONGEST_NAME] or "unnamed"


def _named(draft: PlanDraft, work: _Work) -> PlanDraft:
    if draft.name:
        return replace(draft, name=_readable_name(draft.name))
    work.assume("metadata.name", "no source names the cluster")
    return replace(draft, name="imported")


# --- the CNI --------------------------------------------------------------------------------


def _environment(draft: PlanDraft, work: _Work) -> PlanDraft:
    """Only variables that the CNI knows, and no contradiction that keeps it from starting."""
    env = {}
    for name, value in draft.env.items():
        if name in SWITCHES and value.lower() not in ("true", "false", "t", "f", "1", "0", ""):
            work.say("cni.env", f"{name}={value!r} is neither true nor false: left out")
        elif name in CNI_VARIABLES:
            env[name] = printable(value)
        else:
            work.say("cni.env", f"{name} is not a variable of the VPC CNI: left out")
    family = draft.ip_family
    if env.get("ENABLE_IPv6", "").lower() in ("true", "1", "t"):
        if family is None:
            family = "ipv6"
        elif family == "ipv4":
            work.say("cni.env", "ENABLE_IPv6 is true in an IPv4 cluster: left out")
            del env["ENABLE_IPv6"]
    if family == "ipv6":
        for name, wrong in (
            ("ENABLE_IPv6", ("false", "0", "f")),
            ("ENABLE_IPv4", ("true", "1", "t")),
            ("ENABLE_PREFIX_DELEGATION", ("false", "0", "f")),
            ("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", ("true", "1", "t")),
        ):
            if env.get(name, "").lower() in wrong:
                work.say("cni.env", f"{name}={env.pop(name)} contradicts IPv6: left out")
    elif env.get("ENABLE_IPv4", "").lower() in ("false", "0", "f"):
        work.say("cni.env", f"ENABLE_IPv4={env.pop('ENABLE_IPv4')} in an IPv4 cluster: left out")
    return replace(draft, env=env, ip_family=family)


def _windows(draft: PlanDraft, work: _Work) -> PlanDraft:  # noqa: ARG001
    """What Windows nodes follow, where there are any."""
    if not any(g.ami == "windows" for g in draft.node_groups):
        return replace(draft, windows={})
    return replace(draft, windows={k: printable(v) for k, v in draft.windows.items() if k in WINDOWS_KEYS})


def is_on(draft: PlanDraft, variable: str) -> bool:
    """Whether a switch of the CNI is true in this draft."""
    return draft.env.get(variable, "") in ("1", "t", "T", "TRUE", "true", "True")


# --- subnets --------------------------------------------------------------------------------


def _subnet_references(draft: PlanDraft, _: _Work) -> PlanDraft:
    """Ids in place of names become names; a subnet that is only mentioned becomes one of unknown block."""
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


def _network(draft: PlanDraft, work: _Work) -> PlanDraft:
    """The VPC's blocks, and a zone and a block for every subnet."""
    subnets = _without_overlaps(draft.subnets, work)
    blocks = _blocks(draft.vpc_cidrs, subnets, work)
    if all(s.name in draft.pod_subnets for s in subnets):
        subnets = (*_assumed_subnets(draft, blocks, work), *subnets)
    free = _FreeSpace(blocks, [s.cidr for s in subnets if s.cidr])
    zones = Counter({zone: sum(s.zone == zone for s in subnets) for zone in spare_zones(draft)})
    placed = []
    for subnet in subnets:
        if subnet.cidr is None:
            size = ASSUMED_SUBNET_PREFIX
            cidr = free.take(size)
            subnet = replace(subnet, cidr=cidr)
            work.assume(at("vpc.subnets", subnet.name, "cidr"), "no source states its block")
        if not subnet.zone:
            subnet = replace(subnet, zone=min(zones, key=lambda z: zones[z]))
            zones[subnet.zone or ""] += 1
            work.assume(at("vpc.subnets", subnet.name, "zone"), "no source states its zone")
        placed.append(subnet)
    return replace(draft, vpc_cidrs=tuple(free.blocks), subnets=tuple(placed))


def _without_overlaps(subnets: tuple[SubnetDraft, ...], work: _Work) -> tuple[SubnetDraft, ...]:
    """A block that overlaps an earlier one, or is no subnet's size, is unknown rather than wrong."""
    kept: list[SubnetDraft] = []
    for subnet in subnets:
        cidr = subnet.cidr
        if cidr is not None:
            path = at("vpc.subnets", subnet.name, "cidr")
            clash = next((s for s in kept if s.cidr and s.cidr.overlaps(cidr)), None)
            if not 16 <= cidr.prefixlen <= 28:
                work.say(path, f"{cidr} is no size of a subnet (/16 to /28)")
                subnet = replace(subnet, cidr=None)
            elif clash is not None:
                work.say(path, f"{cidr} overlaps {clash.name} ({clash.cidr}): two VPCs in one source?")
                subnet = replace(subnet, cidr=None)
        kept.append(subnet)
    return tuple(kept)


def _blocks(stated: tuple[IPv4Network, ...], subnets: tuple[SubnetDraft, ...], work: _Work) -> list[IPv4Network]:
    """The VPC's blocks: stated ones, and for each subnet outside them the smallest that holds its neighbours."""
    blocks = [b for b in stated if 16 <= b.prefixlen <= 28]
    for block in stated:
        if block not in blocks:
            work.say("vpc.cidrs", f"{block} is no size of a VPC's block (/16 to /28): left out")
    outside = [s.cidr for s in subnets if s.cidr and not any(s.cidr.subnet_of(b) for b in blocks)]
    for around in sorted({c.supernet(new_prefix=16) for c in outside}):
        holder = smallest_holder([c for c in outside if c.subnet_of(around)])
        blocks = [b for b in blocks if not b.subnet_of(holder)] + [holder]
        work.assume("vpc.cidrs", f"no source states the VPC's block; {holder} is the smallest that holds its subnets")
    if not blocks:
        work.assume("vpc.cidrs", f"no source states the VPC's blocks: {ASSUMED_VPC} stands in")
        blocks = [ASSUMED_VPC]
    return blocks


def smallest_holder(cidrs: list[IPv4Network]) -> IPv4Network:
    """The smallest block that holds all of these.

    >>> smallest_holder([IPv4Network("10.0.1.0/24"), IPv4Network("10.0.2.0/24")])
    IPv4Network('10.0.0.0/22')
    """
    holder = cidrs[0]
    while not all(c.subnet_of(holder) for c in cidrs):
        holder = holder.supernet()
    return holder


def zones_of(draft: PlanDraft) -> list[str]:
    """The zones the draft names; three of its region where it names none."""
    named = dict.fromkeys(s.zone for s in draft.subnets if s.zone)
    return list(named) or list(draft.zones) or [f"{draft.region or 'zone-'}{letter}" for letter in "abc"]


def spare_zones(draft: PlanDraft) -> list[str]:
    """Zones for subnets of unknown zone: the named ones, filled up to three from the region."""
    named = zones_of(draft)
    more = [f"{draft.region}{letter}" for letter in "abc"] if draft.region else []
    return [*named, *[z for z in more if z not in named]][: max(3, len(named))]


def _assumed_subnets(draft: PlanDraft, blocks: list[IPv4Network], work: _Work) -> tuple[SubnetDraft, ...]:
    zones = zones_of(draft)
    free = _FreeSpace(blocks, [])
    made = []
    for zone in zones:
        name = f"assumed-{zone}"
        made.append(SubnetDraft(name, zone, free.take(ASSUMED_SUBNET_PREFIX)))
        work.assume(at("vpc.subnets", name), "no source names a subnet")
    return tuple(made)


class _FreeSpace:
    """Hands out blocks of a VPC that no subnet has; grows the VPC where it is full."""

    def __init__(self, blocks: list[IPv4Network], taken: list[IPv4Network]) -> None:
        self.blocks = list(blocks)
        # first and last address of what is taken: apart from each other, in order
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
        """Where the first so many aligned free addresses of a block begin."""
        # What is taken stays so: below the last place of this size there is none.
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


def _pod_network(draft: PlanDraft, work: _Work) -> PlanDraft:
    """Pod subnets under custom networking; none without it."""
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


def _group_subnets(draft: PlanDraft, work: _Work) -> PlanDraft:
    """Every group has subnets, and under custom networking a pod subnet in each of its zones."""
    names, whose = _subnets_for_nodes(draft)
    groups = []
    for group in draft.node_groups:
        if not group.subnets:
            work.assume(at("nodeGroups", group.name, "subnets"), f"no source states them; {whose}")
            group = replace(group, subnets=names)
        groups.append(group)
    draft = replace(draft, node_groups=tuple(groups))
    if is_on(draft, "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG") and groups:
        return _with_pod_subnets(draft, work)
    return draft


def _subnets_for_nodes(draft: PlanDraft) -> tuple[tuple[str, ...], str]:
    """Where nodes of unknown subnets most likely are: where the other groups are, else in the private subnets."""
    used = {n for g in draft.node_groups for n in g.subnets or ()}
    pods = {n for g in draft.node_groups for n in g.pod_subnets or ()} | set(draft.pod_subnets)
    names = tuple(s.name for s in draft.subnets if s.name not in pods) or tuple(s.name for s in draft.subnets)
    of_others = tuple(n for n in names if n in used)
    if of_others:
        return of_others, "those of the other node groups"
    private = tuple(n for n in names if "private" in n.lower())
    if private and len(private) < len(names):
        return private, "those called private"
    return names, "all of the plan's"


def _with_pod_subnets(draft: PlanDraft, work: _Work) -> PlanDraft:
    zone_of = {s.name: s.zone for s in draft.subnets}
    all_pods = draft.pod_subnets or tuple(dict.fromkeys(n for g in draft.node_groups for n in g.pod_subnets or ()))
    subnets, blocks = list(draft.subnets), list(draft.vpc_cidrs)
    made: dict[str, str] = {}

    def pod_subnet(zone: str) -> str:
        if zone not in made:
            space = _pod_space(blocks)
            free = _FreeSpace([space], [s.cidr for s in subnets if s.cidr])
            name = f"assumed-pods-{zone}"
            subnets.append(SubnetDraft(name, zone, free.take(ASSUMED_PODS_PREFIX)))
            blocks.extend(b for b in free.blocks if b not in blocks)
            work.assume(
                at("vpc.subnets", name),
                f"custom networking is on, no source names pod subnets in {zone}",
            )
            made[zone] = name
        return made[zone]

    groups = []
    for group in draft.node_groups:
        path = at("nodeGroups", group.name, "podSubnets")
        names = list(group.pod_subnets or all_pods)
        zones = dict.fromkeys(zone_of[n] or "" for n in group.subnets or ())
        names = [n for n in names if zone_of[n] in zones] if not group.pod_subnets else names
        missing = [z for z in zones if z not in {zone_of[n] for n in names}]
        names += [pod_subnet(z) for z in missing]
        if missing or not group.pod_subnets:
            work.assume(path, "no source states them" if missing else "the pod subnets of the cluster in its zones")
        groups.append(replace(group, pod_subnets=tuple(names)))
    return replace(draft, node_groups=tuple(groups), subnets=tuple(subnets), vpc_cidrs=tuple(blocks))


def _pod_space(blocks: list[IPv4Network]) -> IPv4Network:
    for second in range(64, 128):
        block = IPv4Network(f"100.{second}.0.0/16")
        if block in blocks or not any(block.overlaps(b) for b in blocks):
            return block
    return ASSUMED_PODS


# --- node groups ----------------------------------------------------------------------------


def _groups(draft: PlanDraft, work: _Work) -> PlanDraft:
    if not draft.node_groups and draft.workloads:
        work.assume(at("nodeGroups", ASSUMED_GROUP), "no source names the nodes that run the pods")
        draft = replace(draft, node_groups=(GroupDraft(ASSUMED_GROUP, (ASSUMED_TYPE,), provisioner="self-managed"),))
    return replace(draft, node_groups=tuple(_sane(_typed(g, draft, work), work) for g in draft.node_groups))


def _typed(group: GroupDraft, draft: PlanDraft, work: _Work) -> GroupDraft:
    """Only types that can be planned; one assumed where none is left."""
    path = at("nodeGroups", group.name, "instanceTypes")
    kept = []
    for name in dict.fromkeys(group.instance_types or ()):
        problem = type_problem(name, work.catalog, draft.ip_family == "ipv6")
        if problem is None:
            kept.append(name)
        else:
            work.say(path, f"{name!r} {problem}: left out")
    if not kept:
        work.assume(path, f"no source states a type that can be planned: {ASSUMED_TYPE} stands in")
        kept = [ASSUMED_TYPE]
    return replace(group, instance_types=tuple(kept))


def _sane(group: GroupDraft, work: _Work) -> GroupDraft:
    """Sizes in order, and nothing the parser would refuse."""
    path = at("nodeGroups", group.name, "nodes")
    low, wanted, most = group.min_nodes, group.desired, group.max_nodes
    if most is not None and low is not None and most < low:
        work.say(path, f"max {most} is less than min {low}: max taken as {low}")
        most = low
    if wanted is not None and most is not None and wanted > most:
        work.say(path, f"desired {wanted} is above max {most}: max taken as {wanted}")
        most = wanted
    if wanted is not None and low is not None and wanted < low:
        work.say(path, f"desired {wanted} is below min {low}: min taken as {wanted}")
        low = wanted
    return replace(group, min_nodes=low, desired=wanted, max_nodes=most)


# --- pods -----------------------------------------------------------------------------------


def _pods(draft: PlanDraft, work: _Work) -> PlanDraft:
    groups = {g.name for g in draft.node_groups}

    def known(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        left = tuple(n for n in names or () if n in groups)
        return left or None

    return replace(
        draft,
        workloads=tuple(replace(_rolling(w, work), node_groups=known(w.node_groups)) for w in draft.workloads),
        daemon_sets=tuple(replace(d, node_groups=known(d.node_groups)) for d in draft.daemon_sets),
    )


def _rolling(workload: WorkloadDraft, work: _Work) -> WorkloadDraft:
    now, most = workload.replicas, workload.max_replicas
    if now is not None and most is not None and most < now:
        work.say(at("workloads", workload.name), f"{now} replicas run, above the maximum {most}: max taken as {now}")
        workload = replace(workload, max_replicas=now)
    if _is_zero(workload.max_surge) and _is_zero(workload.max_unavailable):
        work.say(at("workloads", workload.name), "maxSurge and maxUnavailable are both 0: maxUnavailable taken as 1")
        workload = replace(workload, max_unavailable=1)
    if now is None:
        work.assume(at("workloads", workload.name, "replicas"), "1, no source states them")
        workload = replace(workload, replicas=1)
    if workload.host_network and workload.security_groups:
        workload = replace(workload, security_groups=None)
    return workload


def _is_zero(value: Any) -> bool:
    return value is not None and str(value).strip().rstrip("%").strip("0") == ""


STEPS = (
    _readable,
    _named,
    _environment,
    _windows,
    _subnet_references,
    _groups,
    _network,
    _pod_network,
    _group_subnets,
    _pods,
)
