"""Runs scenarios of a plan: from nodes and replicas to a fleet, and from a fleet to the ledger of every subnet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cached_property, partial
from math import inf

from capacity.cluster.booking import Counted, Holding, book, holding_of
from capacity.cluster.control_plane import refusal
from capacity.cluster.demand import AT_REST, Demand
from capacity.cluster.fleet import Extra, Fleet
from capacity.cluster.group_shapes import gives_prefixes, group_shapes
from capacity.cluster.node_counts import NodeCounts
from capacity.cluster.other_clusters import neighbour_extras
from capacity.cluster.place import Placement
from capacity.cluster.reuse import CountsKey, HoldingKey, PlacementKey, Reuse, batches_key
from capacity.cluster.scenario import Batch, GroupState, NodeClass, ScenarioState, Turnover
from capacity.cluster.shape import GroupShape, TypeShape
from capacity.cluster.spread import Ground, NodeSpread, Slot, node_spread
from capacity.cluster.turnover import Dues, at_rest, dues_of, turnovers
from capacity.cluster.unplaced import Unplaced, daemons_on
from capacity.plan.model import NodeGroup, Plan, Subnet
from capacity.vpc.ledger import worst

KEPT_FLEETS = len(AT_REST)  # the states that other scenarios start from
BINDING = ("max_pods", "ips", "cpu", "memory", "gpus")


class Engine:
    """A prepared plan, for any number of scenarios."""

    def __init__(self, plan: Plan, shapes: Sequence[GroupShape], reuse: Reuse | None = None) -> None:
        """``reuse``: cached answers of other engines, which are used and extended."""
        self.plan = plan
        self.reuse = Reuse() if reuse is None else reuse
        self.load = self.reuse.load(plan)
        self.shapes = tuple(shapes)
        self.kinds = [(s.first.room, s.first.start) for s in self.shapes]
        self.subnets: dict[str, Subnet] = {s.name: s for s in plan.subnets}
        self.grounds = [self._ground(g) for g in plan.node_groups]
        self.zones = [ground.zones for ground in self.grounds]
        self.slots = [self._all_slots(group) for group in range(len(self.shapes))]
        self.pods = self.load.pods
        self.allowed = self.load.allowed
        self.counts = NodeCounts(self.pods, self.load.names)
        self._demands: dict[str, Demand] = {}
        self._fleets: dict[Demand, Fleet] = {}
        self._at_rest: dict[str, ScenarioState] = {}
        self._beside: dict[str, list[Extra]] = {}

    def demand(self, name: str) -> Demand:
        """The demand of the state ``steady``, ``peak`` or ``ceiling``."""
        if name not in self._demands:
            self._demands[name] = AT_REST[name](self.plan, self.shapes)
        return self._demands[name]

    def at_rest(self, name: str, counted: Counted | None = None) -> ScenarioState:
        """The cluster in one of these states, computed once because several scenarios start from it."""
        if name not in self._at_rest:
            self._at_rest[name] = self.run(self.demand(name), counted)
        return self._at_rest[name]

    def run(self, demand: Demand, counted: Counted | None = None) -> ScenarioState:
        """Place and count the pods of a state without events, and compute its verdict."""
        return self.settle(demand.name, demand.rule, self.fleet(demand), counted=counted)

    def fleet(self, demand: Demand) -> Fleet:
        """The fleet of a state without events, read-only; :meth:`Fleet.copy` creates one to change."""
        known = self._fleets.get(demand)
        if known is None:
            nodes = self._node_counts(demand)
            known = self._fleet(nodes, demand, self._worst_zones(nodes, demand))
            if len(self._fleets) < KEPT_FLEETS:
                self._fleets[demand] = known
        return known

    def settle(
        self, name: str, rule: str, fleet: Fleet, variant: str = "", counted: Counted | None = None
    ) -> ScenarioState:
        """The ledger of every subnet with everything that a fleet holds, and the verdict.

        ``counted``: the result of :meth:`count` for the fleet, if there is one already.
        """
        counted = counted or self.count(fleet)
        subnets = tuple(counted.subnet(name) for name in counted.bookings)
        unplaced = fleet.unplaced() + self._daemons_left_out(counted.groups)
        verdicts = [s.verdict for s in subnets] + [unplaced_verdict(u) for u in unplaced]
        verdicts += ["exhausted"] if any(g.pods_without_address for g in counted.groups) else []
        refused = refusal(self.plan, fleet.update_room)
        verdicts += ["exhausted"] if refused else []
        return ScenarioState(
            name,
            rule,
            worst(verdicts),
            subnets,
            counted.groups,
            tuple(unplaced),
            variant,
            tuple(sorted(fleet.lost)),
            fleet.update_room,
            refused,
        )

    def count(self, fleet: Fleet) -> Counted:
        """Count the addresses of everything that a fleet holds."""
        neighbours = self.neighbours(fleet.base) if fleet.neighbours is None else fleet.neighbours
        holdings = self._holdings(fleet)
        return Counted(
            book(self.plan, holdings, [*fleet.extras, *neighbours]),
            holdings,
            self.plan.checks.min_free,
            prefix_mode=self._gives_prefixes,
            bounds_decide=fleet.at_rest and fleet.base != "ceiling",
        )

    def worst_zone(self, group: int, candidates: Sequence[str], outcome: Callable[[str], ScenarioState]) -> str:
        """The zone of a group that is exhausted first if chosen: its tightest subnet has the fewest free addresses."""

        def left(zone: str) -> int:
            mine = {name for slot in self.slots[group] if slot.zone == zone for name in slot.subnets}
            return min(s.free for s in outcome(zone).subnets if s.subnet.name in mine)

        return min(candidates, key=left)

    # --- how many nodes -------------------------------------------------------------------

    def _node_counts(self, demand: Demand) -> list[int]:
        """Nodes per group; groups without a count grow until their pods fit or their maximum is reached."""
        counts = [f if n is None else n for n, f in zip(demand.nodes, demand.floor, strict=True)]
        for part in self.load.parts if None in demand.nodes else ():
            key = CountsKey(
                part,
                tuple(self.kinds[g] for g in part.groups),
                tuple(counts[g] for g in part.groups),
                tuple(demand.nodes[g] is None for g in part.groups),
                tuple(demand.ceiling[g] for g in part.groups),
                tuple(demand.replicas[w] for w in part.workloads),
                tuple((self.grounds[g], self._rule(g)) for g in part.groups) if part.zoned else (),
            )
            for group, count in zip(
                part.groups, self.reuse.counts.get(key, partial(self.counts.grown, key)), strict=True
            ):
                counts[group] = count
        return counts

    # --- where ------------------------------------------------------------------------------

    def _ground(self, group: NodeGroup) -> Ground:
        """Node subnets and pod subnets of a group with their zones."""
        here = self.subnets
        return Ground(
            tuple((n, here[n].zone) for n in group.subnets), tuple((n, here[n].zone) for n in group.pod_subnets)
        )

    def _all_slots(self, group: int) -> tuple[Slot, ...]:
        """Every place where a group's nodes can be, in subnet order."""
        choices, slots = self.shapes[group].choices, self.grounds[group].slots
        return tuple(s._replace(choices=choices.get(s.subnet, ())) for s in slots) if choices else slots

    def _spread(self, group: int, nodes: int, worst_zone: str) -> NodeSpread:
        """Nodes of a group over its slots and zones."""
        return node_spread(self.grounds[group], nodes, self._rule(group), worst_zone)

    def _rule(self, group: int) -> str | tuple[tuple[str, Fraction], ...]:
        spread = self.plan.node_groups[group].spread
        return spread if isinstance(spread, str) else tuple(spread.items())

    def places(self, group: int, nodes: int, worst_zone: str = "") -> list[tuple[Slot, int]]:
        """Places of a group's nodes in subnet order with the count of each; ``worst_zone`` for spread ``worst``."""
        counts = zip(self.slots[group], self._spread(group, nodes, worst_zone).by_slot, strict=True)
        return [(slot, count) for slot, count in counts if count]

    def nodes_in(self, group: int, nodes: int, subnet: str) -> int:
        """The number of a group's nodes with node or pod addresses in a subnet."""
        zone = self.subnets[subnet].zone if self.plan.node_groups[group].spread == "worst" else ""
        counts = zip(self.slots[group], self._spread(group, nodes, zone).by_slot, strict=True)
        return sum(count for slot, count in counts if subnet in (slot.subnet, slot.address_subnet))

    def _worst_zones(self, nodes: Sequence[int], demand: Demand) -> dict[int, str]:
        """For each group with spread ``worst``, the zone with the fewest free addresses if all its nodes are there."""
        spread = [i for i, g in enumerate(self.plan.node_groups) if g.spread == "worst"]
        zones = {i: self.zones[i][0] for i in spread}
        for i in spread:
            if len(self.zones[i]) > 1:

                def outcome(zone: str, group: int = i) -> ScenarioState:
                    return self.settle("", "", self._fleet(nodes, demand, zones | {group: zone}))

                zones[i] = self.worst_zone(i, self.zones[i], outcome)
        return zones

    # --- pods -------------------------------------------------------------------------------

    def _placement(self, slots: Sequence[tuple[int, ...]], replicas: Sequence[int]) -> Placement:
        """The placement of all pods on the given nodes by group and slot, read-only."""
        parts = []
        for part in self.load.parts:
            key = PlacementKey(
                part,
                tuple(self.kinds[g] for g in part.groups),
                tuple(slots[g] for g in part.groups),
                tuple(replicas[w] for w in part.workloads),
                tuple(tuple(s.zone for s in self.slots[g]) for g in part.groups) if part.zoned else (),
            )
            parts.append((part.groups, self.reuse.placements.get(key, partial(self.counts.placed, key))))
        return Placement.joined(len(self.shapes), parts, self.load.names)

    def _fleet(self, nodes: Sequence[int], demand: Demand, worst_zones: Mapping[int, str]) -> Fleet:
        spread = [self._spread(i, n, worst_zones.get(i, "")) for i, n in enumerate(nodes)]
        return Fleet(
            self.plan,
            self.shapes,
            self.pods,
            self.allowed,
            self.slots,
            self._placement([s.by_slot for s in spread], demand.replicas),
            [[Batch(n, s.ranges)] for n, s in zip(nodes, spread, strict=True)],
            list(demand.replicas),
            [{} for _ in nodes],
            [{} for _ in nodes],
            base=demand.name if demand.name in AT_REST else "steady",
        )

    def neighbours(
        self, base: str, happens: Callable[[Engine, Fleet], object] | None = None, event: str = ""
    ) -> list[Extra]:
        """The addresses of other clusters in shared subnets, each in this cluster's state or after an event.

        ``event`` names what happens and where: the states of other clusters are kept by it.
        """

        def state(other: Plan) -> ScenarioState:
            engine = self.beside(other)
            if not happens:
                return engine.at_rest(base)
            fleet = engine.fleet(engine.demand(base)).copy()
            happens(engine, fleet)
            return engine.settle(base, "", fleet)

        def kept(other: Plan) -> ScenarioState:
            return self.reuse.of_other(other, f"{base} {event}", lambda: state(other))

        if happens:
            return neighbour_extras(self.plan, kept)
        if base not in self._beside:
            self._beside[base] = neighbour_extras(self.plan, state)
        return self._beside[base]

    def beside(self, other: Plan) -> Engine:
        """The engine of another cluster, one for all plans that share subnets with it."""
        return self.reuse.of_other(other, "engine", lambda: Engine(other, group_shapes(other)))

    def _holdings(self, fleet: Fleet) -> list[Holding]:
        """The addresses of every group."""
        kept = turnovers(fleet, self._dues) if fleet.moved else at_rest(fleet)
        return [self._holding(i, fleet, *kept[i]) for i in range(len(self.shapes))]

    def _holding(self, group: int, fleet: Fleet, turnover: Turnover, batches: tuple[Batch, ...]) -> Holding:
        key = HoldingKey(
            self.shapes[group],
            self.slots[group],
            frozenset(fleet.placement.groups[group].classes.items()),
            frozenset(fleet.closed[group].items()),
            frozenset(fleet.beside[group].items()),
            turnover,
            batches_key(batches),
        )

        def make() -> Holding:
            return holding_of(self.subnets, self._group_state(group, fleet, turnover, batches))

        return self.reuse.holdings.get(key, make)

    @cached_property
    def _gives_prefixes(self) -> bool:
        return gives_prefixes(self.plan)

    @cached_property
    def _dues(self) -> list[Dues]:
        return dues_of(self.shapes, self.pods, self.allowed)

    def _group_state(self, group: int, fleet: Fleet, turnover: Turnover, batches: tuple[Batch, ...]) -> GroupState:
        placed = dict(fleet.placement.groups[group].classes)
        for further in (fleet.closed[group], fleet.beside[group]):
            for place, count in further.items():
                placed[place] = placed.get(place, 0) + count
        slots = self.slots[group]
        classes = tuple(
            NodeClass(slots[slot], count, state.pods, state.vpc_pods, state.branch_pods, state)
            for (slot, state), count in sorted(placed.items())
        )
        by_zone = dict.fromkeys(self.zones[group], 0)
        for c in classes:
            by_zone[c.slot.zone] += c.count
        binding = _binding(self.shapes[group].first, classes)
        nodes = sum(by_zone.values())
        stuck = self._stuck(group, fleet)
        return GroupState(self.shapes[group], nodes, by_zone, classes, binding, turnover, batches, stuck)

    def _stuck(self, group: int, fleet: Fleet) -> int:
        """Pods on open nodes whose ENIs have no address for them. [pods]"""
        first, stuck = self.shapes[group].first, 0
        for running in (fleet.placement.groups[group].classes, fleet.beside[group]):
            for (_, state), nodes in running.items():
                pods = state.vpc_pods
                if pods:
                    stuck += nodes * (pods - first.served(pods))
        return stuck

    def _daemons_left_out(self, groups: Sequence[GroupState]) -> list[Unplaced]:
        """DaemonSet pods that don't fit on each node: because of max pods or, on Windows, addresses."""
        found = []
        for state in groups:
            room, start = state.shape.first.room, state.shape.first.start
            for over, reason in (
                (start.pods - room.max_pods, "max_pods"),
                (start.vpc_pods - room.addresses, "addresses"),
            ):
                if over > 0 and state.nodes:
                    found.append(Unplaced(daemons_on(state.shape.group.name), over * state.nodes, reason))
        return found


def unplaced_verdict(unplaced: Unplaced) -> str:
    """The verdict of unschedulable pods: exhausted if addresses are short (Windows), otherwise tight."""
    return "exhausted" if unplaced.reason == "addresses" else "tight"


def _binding(on: TypeShape, classes: Sequence[NodeClass]) -> str | None:
    """The resource of the group's nodes with the highest share in use."""
    if not classes:
        return None
    nodes = cpu = memory = pods = vpc_pods = gpus = 0
    for c in classes:
        count, state = c.count, c.state
        nodes += count
        cpu += count * state.cpu
        memory += count * state.memory
        pods += count * state.pods
        vpc_pods += count * state.vpc_pods
        gpus += count * state.gpus
    room = on.room
    used = [(pods, room.max_pods), (vpc_pods, on.addresses), (cpu, room.cpu), (memory, room.memory)]
    used += [(gpus, room.gpus)] if gpus else []
    shares = [amount / (nodes * each) if each > 0 else inf for amount, each in used]
    return BINDING[shares.index(max(shares))]
