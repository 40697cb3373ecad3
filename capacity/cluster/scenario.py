"""One scenario of a plan: so many nodes and pods, placed, spread and booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from capacity.cluster.place import VPC, GroupNodes, NodeRoom, Placement, PodShape, State, Unplaced, fits, pod_shape
from capacity.cluster.shape import GroupShape, workload_kind
from capacity.cluster.spread import Slot, share_range, slot_counts, zone_ranges, zone_shares
from capacity.cni.extremes import least_addresses, most_addresses
from capacity.cni.facade import slots_and_enis
from capacity.spec.plan import Plan, Subnet
from capacity.units import ceil_div
from capacity.vpc.ledger import Booking, SubnetState, settle, worst

CONTROL_PLANE_ENIS = (
    4  # cross-account ENIs of a cluster, 2 to 4; awsdocs/amazon-eks-user-guide@4d52b4d network-reqs.adoc L66
)
FEWEST_CONTROL_PLANE_ENIS = 2


@dataclass(frozen=True, slots=True)
class NodeClass:
    """Identical nodes of a group in one place: how many, and their pods by kind."""

    slot: Slot
    count: int
    pods: int
    vpc_pods: int
    branch_pods: int
    state: State


@dataclass(frozen=True, slots=True)
class GroupState:
    """A node group in one scenario.

    Attributes
    ----------
    nodes : int
        [nodes]
    nodes_by_zone : dict of str to int
    classes : tuple of NodeClass
    binding : str or None
        What stops the next pod of this group's kind of load; None without nodes.
    """

    shape: GroupShape
    nodes: int
    nodes_by_zone: dict[str, int]
    classes: tuple[NodeClass, ...]
    binding: str | None

    @property
    def pods_per_node(self) -> int:
        """Pods on the fullest node, daemonsets and host-network pods included. [pods]"""
        return max((c.pods for c in self.classes), default=0)

    @property
    def fullest(self) -> tuple[int, int]:
        """VPC and branch pods of the node that takes the most addresses."""
        return max(((c.vpc_pods, c.branch_pods) for c in self.classes), key=sum, default=(0, 0))


@dataclass(frozen=True, slots=True)
class ScenarioState:
    """The answer of one scenario."""

    name: str
    rule: str
    verdict: str
    subnets: tuple[SubnetState, ...]
    groups: tuple[GroupState, ...]
    unplaced: tuple[Unplaced, ...]

    @property
    def unplaced_pods(self) -> int:
        return sum(u.pods for u in self.unplaced)


@dataclass(frozen=True, slots=True)
class Demand:
    """What a scenario asks for: nodes per group and replicas per workload, in plan order.

    A None among ``nodes`` is "as few as hold the pods", at least ``floor`` and at most ``ceiling``.
    """

    name: str
    rule: str
    nodes: tuple[int | None, ...]
    floor: tuple[int, ...]
    ceiling: tuple[int | None, ...]
    replicas: tuple[int, ...]


def steady(plan: Plan) -> Demand:
    """Exactly ``desired`` nodes and the replicas of now."""
    groups = plan.node_groups
    return Demand(
        name="steady",
        rule="desired nodes (none given: the fewest between min and max that hold the pods), replicas of now",
        nodes=tuple(g.desired for g in groups),
        floor=tuple(g.min_nodes for g in groups),
        ceiling=tuple(g.max_nodes for g in groups),
        replicas=tuple(w.replicas for w in plan.workloads),
    )


def peak(plan: Plan) -> Demand:
    """Every node group and every workload at its maximum."""
    groups = plan.node_groups
    return Demand(
        name="peak",
        rule="max nodes (none given: as many as the pods need), replicas at their maximum",
        nodes=tuple(g.max_nodes for g in groups),
        floor=tuple(max(g.min_nodes, g.desired or 0) for g in groups),
        ceiling=tuple(g.max_nodes for g in groups),
        replicas=tuple(w.max_replicas for w in plan.workloads),
    )


class Engine:
    """A plan made ready once, for any number of scenarios."""

    def __init__(self, plan: Plan, shapes: Sequence[GroupShape]) -> None:
        self.plan = plan
        self.shapes = tuple(shapes)
        self.subnets: dict[str, Subnet] = {s.name: s for s in plan.subnets}
        self.zones = [list(dict.fromkeys(self.subnets[n].zone for n in g.subnets)) for g in plan.node_groups]
        index = {g.name: i for i, g in enumerate(plan.node_groups)}
        everywhere = tuple(range(len(plan.node_groups)))
        self.pods = [
            pod_shape(w.requests, workload_kind(plan, w.host_network, w.security_groups)) for w in plan.workloads
        ]
        self.allowed = [tuple(sorted(index[n] for n in w.node_groups)) or everywhere for w in plan.workloads]

    def run(self, demand: Demand) -> ScenarioState:
        """Place, spread, book and judge one scenario."""
        nodes = self._node_counts(demand)
        worst_zones = self._worst_zones(nodes, demand)
        groups, unplaced = self._place(nodes, demand.replicas, worst_zones)
        bookings = self._book(groups, worst_zones)
        subnets = tuple(settle(b, self.plan.checks.min_free, self.plan.cni.settings.prefix) for b in bookings.values())
        verdicts = [s.verdict for s in subnets] + [unplaced_verdict(u) for u in unplaced]
        return ScenarioState(demand.name, demand.rule, worst(verdicts), subnets, groups, tuple(unplaced))

    # --- how many nodes -------------------------------------------------------------------

    def _node_counts(self, demand: Demand) -> list[int]:
        """Nodes per group; groups without a count grow until their pods fit or their maximum is reached."""
        counts = [f if n is None else n for n, f in zip(demand.nodes, demand.floor, strict=True)]
        growing = [n is None for n in demand.nodes]
        if not any(growing):
            return counts
        self._raise_to_bound(counts, growing, demand)
        while True:
            placement = self._placement([[c] for c in counts], demand.replicas)
            wanted = self._growth(placement, counts, growing, demand)
            if not wanted:
                return counts
            for group, more in wanted.items():
                counts[group] += more

    def _raise_to_bound(self, counts: list[int], growing: list[bool], demand: Demand) -> None:
        """Start no lower than what the pods that can run nowhere else need in sum."""
        needs: dict[int, list[int]] = {}
        for pod, allowed, replicas in zip(self.pods, self.allowed, demand.replicas, strict=True):
            if len(allowed) == 1 and growing[allowed[0]] and self._fits_empty(allowed[0], pod):
                total = needs.setdefault(allowed[0], [0, 0, 0, 0])
                for i, amount in enumerate((pod.cpu, pod.memory, 1, pod.kind == VPC)):
                    total[i] += replicas * amount
        for group, total in needs.items():
            shape = self.shapes[group].first
            room, start = shape.room, shape.start
            per_node = (
                room.cpu - start[2],
                room.memory - start[3],
                room.max_pods - start[4],
                room.addresses - start[5],
            )
            bound = max(ceil_div(t, p) for t, p in zip(total, per_node, strict=True) if t)
            counts[group] = _clip(max(counts[group], bound), demand.ceiling[group])

    def _growth(self, placement: Placement, counts: list[int], growing: list[bool], demand: Demand) -> dict[int, int]:
        """Further nodes for the pods that found none, in the first group that may grow and could hold one."""
        wanted: dict[int, int] = {}
        names = {w.name: i for i, w in enumerate(self.plan.workloads)}
        for unplaced in placement.unplaced:
            work = names[unplaced.workload]
            for group in self.allowed[work]:
                ceiling = demand.ceiling[group]
                if growing[group] and self._fits_empty(group, self.pods[work]) and counts[group] != ceiling:
                    shape = self.shapes[group].first
                    # Even full of nothing else, that many nodes are short; half of it keeps the count the fewest.
                    step = max(unplaced.pods // max(shape.max_pods - shape.start[4], 1) // 2, 1)
                    wanted[group] = max(wanted.get(group, 1), _clip(counts[group] + step, ceiling) - counts[group])
                    break
        return wanted

    def _fits_empty(self, group: int, pod: PodShape) -> bool:
        shape = self.shapes[group].first
        return fits(shape.room, shape.start, pod)

    # --- where ------------------------------------------------------------------------------

    def _slots(self, group: int, nodes: int, worst_zone: str) -> list[tuple[Slot, int]]:
        """Places of a group's nodes in subnet order, with the count of each."""
        spec = self.plan.node_groups[group]
        shares = zone_shares(nodes, self.zones[group], spec.spread, worst_zone)
        found: dict[tuple[str, str | None], int] = {}
        for zone, count in shares.items():
            mine = [n for n in spec.subnets if self.subnets[n].zone == zone]
            pods = [n for n in spec.pod_subnets if self.subnets[n].zone == zone]
            found.update(slot_counts(count, mine, pods))
        order = {n: i for i, n in enumerate((*spec.subnets, *spec.pod_subnets))}
        keys = sorted(found, key=lambda k: (order[k[0]], order[k[1]] if k[1] else 0))
        return [(Slot(self.subnets[k[0]].zone, *k), found[k]) for k in keys]

    def slots(self, group: int, nodes: int, worst_zone: str = "") -> list[tuple[Slot, int]]:
        """Places of a group's nodes in subnet order with the count of each; ``worst_zone`` for spread ``worst``."""
        return self._slots(group, nodes, worst_zone)

    def nodes_in(self, group: int, nodes: int, subnet: str) -> int:
        """How many of a group's nodes have their own or their pods' addresses in a subnet."""
        zone = self.subnets[subnet].zone if self.plan.node_groups[group].spread == "worst" else ""
        slots = self._slots(group, nodes, zone)
        return sum(count for slot, count in slots if subnet in (slot.subnet, slot.address_subnet))

    def _worst_zones(self, nodes: Sequence[int], demand: Demand) -> dict[int, str]:
        """For each group of spread ``worst``, the zone that has the least left once all its nodes are there."""
        spread = [i for i, g in enumerate(self.plan.node_groups) if g.spread == "worst"]
        zones = {i: self.zones[i][0] for i in spread}
        if not any(len(self.zones[i]) > 1 for i in spread):
            return zones
        groups, _ = self._place(nodes, demand.replicas, zones)
        for i in spread:
            rest = [g for j, g in enumerate(groups) if j != i]
            free = {n: b.subnet.usable - sum(b.used.values()) for n, b in self._book(rest, zones).items()}
            need = sum(
                c.count * self.shapes[i].first.demand(c.vpc_pods) + c.count * c.branch_pods for c in groups[i].classes
            )
            own = self.shapes[i].node_addresses * nodes[i]
            left = {z: self._left_in_zone(i, z, free, need, own) for z in self.zones[i]}
            zones[i] = min(self.zones[i], key=lambda z: left[z])
            groups, _ = self._place(nodes, demand.replicas, zones)
        return zones

    def _left_in_zone(self, group: int, zone: str, free: Mapping[str, int], need: int, own: int) -> int:
        """Free addresses of the tightest subnet of a zone with all of the group's demand in that zone."""
        spec = self.plan.node_groups[group]
        mine = [n for n in spec.subnets if self.subnets[n].zone == zone]
        pods = [n for n in spec.pod_subnets if self.subnets[n].zone == zone] or mine
        extra = dict.fromkeys((*mine, *pods), 0)
        for n in mine:
            extra[n] += -(-own // len(mine))
        for n in pods:
            extra[n] += -(-need // len(pods))
        return min(free[n] - e for n, e in extra.items())

    # --- pods -------------------------------------------------------------------------------

    def _placement(self, slots: Sequence[Sequence[int]], replicas: Sequence[int]) -> Placement:
        nodes = [GroupNodes(s.first.room, counts, s.first.start) for s, counts in zip(self.shapes, slots, strict=True)]
        placement = Placement(nodes)
        for workload, pod, allowed, pods in zip(self.plan.workloads, self.pods, self.allowed, replicas, strict=True):
            if pods:
                placement.place(workload.name, pod, pods, allowed)
        return placement

    def _place(
        self, nodes: Sequence[int], replicas: Sequence[int], worst_zones: Mapping[int, str]
    ) -> tuple[tuple[GroupState, ...], list[Unplaced]]:
        slots = [self._slots(i, n, worst_zones.get(i, "")) for i, n in enumerate(nodes)]
        placement = self._placement([[count for _, count in s] for s in slots], replicas)
        groups = tuple(
            self._group_state(i, nodes[i], [slot for slot, _ in slots[i]], placement.groups[i])
            for i in range(len(nodes))
        )
        return groups, placement.unplaced + self._daemons_left_out(nodes)

    def _group_state(self, group: int, nodes: int, slots: Sequence[Slot], placed: GroupNodes) -> GroupState:
        classes = tuple(
            NodeClass(slots[slot], count, state[4], state[5], state[6], state)
            for (slot, state), count in sorted(placed.classes.items())
        )
        by_zone = dict.fromkeys(self.zones[group], 0)
        for c in classes:
            by_zone[c.slot.zone] += c.count
        return GroupState(self.shapes[group], nodes, by_zone, classes, _binding(placed.room, classes))

    def _daemons_left_out(self, nodes: Sequence[int]) -> list[Unplaced]:
        """Daemonset pods beyond max pods or addresses on each node."""
        found = []
        for shape, count in zip(self.shapes, nodes, strict=True):
            room, start = shape.first.room, shape.first.start
            for over, reason in ((start[4] - room.max_pods, "max_pods"), (start[5] - room.addresses, "addresses")):
                if over > 0 and count:
                    found.append(Unplaced(f"daemonsets on {shape.group.name}", over * count, reason))
        return found

    # --- addresses --------------------------------------------------------------------------

    def _book(self, groups: Sequence[GroupState], worst_zones: Mapping[int, str]) -> dict[str, Booking]:
        """Everything that takes addresses, subnet by subnet."""
        bookings = {s.name: Booking(s) for s in self.plan.subnets}
        self._book_tenants(bookings)
        index = {id(s): i for i, s in enumerate(self.shapes)}
        for state in groups:
            _book_nodes(bookings, state)
            self._bound_group(bookings, state, worst_zones.get(index[id(state.shape)], ""))
        return bookings

    def _book_tenants(self, bookings: Mapping[str, Booking]) -> None:
        for subnet in self.plan.subnets:
            if subnet.used:
                bookings[subnet.name].book("other", subnet.used, "used: taken by what the plan does not model")
        places = self.plan.control_plane or ()
        for i, name in enumerate(places):
            expected = CONTROL_PLANE_ENIS // len(places) + (i < CONTROL_PLANE_ENIS % len(places))
            fewest = FEWEST_CONTROL_PLANE_ENIS if len(places) == 1 else 0
            why = f"control plane: {CONTROL_PLANE_ENIS} ENIs over {len(places)} subnets"
            bookings[name].book("control_plane", expected, why, (fewest, CONTROL_PLANE_ENIS))
        for tenant in self.plan.tenants:
            for name in tenant.subnets:
                bookings[name].book(tenant.holder, tenant.addresses, f"{tenant.kind} {tenant.name}")

    def _bound_group(self, bookings: Mapping[str, Booking], state: GroupState, worst_zone: str) -> None:
        """Bounds of one group over all splits of its pods and over where odd nodes fall."""
        spec, shape = state.shape.group, state.shape
        zones = list(state.nodes_by_zone)
        pods = sum(c.count * (c.vpc_pods - shape.first.daemon_pods) for c in state.classes)
        branch = sum(c.count * c.branch_pods for c in state.classes)
        for zone, (low, high) in zone_ranges(state.nodes, zones, spec.spread, worst_zone).items():
            mine = [n for n in spec.subnets if self.subnets[n].zone == zone]
            homes = [n for n in spec.pod_subnets if self.subnets[n].zone == zone] or mine
            few, many = share_range(low, high, len(mine))
            for name in mine:
                bookings[name].bound(few * shape.node_addresses, many * shape.node_addresses)
            few, many = share_range(low, high, len(homes))
            bounds = group_bounds(shape, state.nodes, few, many, pods, branch)
            for name in homes:
                bookings[name].bound(*bounds)


def group_bounds(shape: GroupShape, nodes: int, few: int, many: int, pods: int, branch: int) -> tuple[int, int]:
    """Fewest and most addresses that a group's pods take in a subnet with few…many of its nodes.

    Parameters
    ----------
    nodes, few, many : int
        Nodes of the group in all; fewest and most of them here. [nodes]
    pods, branch : int
        Workload pods on VPC addresses, and branch pods, of the whole group. [pods]
    """
    cap = shape.most_workload_pods
    fewest = max(pods - cap * (nodes - few), 0)
    low = least_addresses(shape.thriftiest, few, fewest) + max(branch - shape.branch_enis * (nodes - few), 0)
    high = most_addresses(shape.hungriest, many, min(pods, cap * many)) + min(branch, shape.branch_enis * many)
    return low, high


def _book_nodes(bookings: Mapping[str, Booking], state: GroupState) -> None:
    """The expected addresses of a group's nodes, bounds apart."""
    shape, name = state.shape.first, state.shape.group.name
    none = (0, 0)
    for c in state.classes:
        slots, enis = slots_and_enis(shape.limits, shape.settings, shape.max_pods, c.vpc_pods)
        held = slots * shape.unit
        served = min(c.vpc_pods, held)
        what = f"{c.count} × {shape.instance_type.name} of {name} with {c.vpc_pods} pods on VPC addresses"
        home, pods = bookings[c.slot.subnet], bookings[c.slot.address_subnet]
        home.book("node_primary", c.count, what, none)
        home.book("eni_primary", c.count * shape.limits.unmanaged, f"{what}: unmanaged ENIs", none)
        pods.book(
            "eni_primary",
            c.count * (enis - 1 + shape.limits.trunk),
            f"{what}: {enis} ENIs + {shape.limits.trunk} trunk",
            none,
        )
        pods.book("assigned", c.count * served, what, none)
        pods.book("warm", c.count * (held - served), f"{what}: {held} held − {served} assigned", none)
        pods.book("branch", c.count * c.branch_pods, f"{what}: {c.branch_pods} branch ENIs", none)
        pods.prefixes += c.count * slots if shape.settings.prefix else 0


def unplaced_verdict(unplaced: Unplaced) -> str:
    """Exhausted for want of addresses; tight for CPU, memory, max pods, branch ENIs or nodes."""
    return "exhausted" if unplaced.reason == "addresses" else "tight"


def _binding(room: NodeRoom, classes: Sequence[NodeClass]) -> str | None:
    """Which resource of the group's nodes is used most, as a share of what there is."""
    if not classes:
        return None
    nodes = sum(c.count for c in classes)
    shares = {
        "max_pods": (sum(c.count * c.pods for c in classes), room.max_pods),
        "ips": (sum(c.count * c.vpc_pods for c in classes), room.addresses),
        "cpu": (sum(c.count * c.state[2] for c in classes), room.cpu),
        "memory": (sum(c.count * c.state[3] for c in classes), room.memory),
    }
    return max(shares, key=lambda k: shares[k][0] / (nodes * shares[k][1]) if shares[k][1] > 0 else float("inf"))


def _clip(count: int, ceiling: int | None) -> int:
    return count if ceiling is None else min(count, ceiling)
