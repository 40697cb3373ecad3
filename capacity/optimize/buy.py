"""Find the node groups to buy: the cheapest division of the workloads for which ``check`` of the written plan is ok."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from capacity.cluster.check import CheckResult
from capacity.cluster.scenario import ScenarioState
from capacity.optimize.divide import Counted, Rules, Sized
from capacity.optimize.market import Pods
from capacity.optimize.open_plan import Document, Draft, NewGroup
from capacity.plan.model import Plan
from capacity.plan.scenario_spec import ScenarioSpec

Judge = Callable[[Plan, Sequence[str | ScenarioSpec] | None], CheckResult]
Division = tuple[Sized, ...]

ADDED = 40  # times that nodes are added to a division before it is given up
GROWING = ("peak", "rollout", "zone-loss", "spot-storm", "burst")  # scenarios in which groups may grow to their maximum
UNBOUNDED = 1_000_000  # nodes of a group while its maximum is found out


@dataclass(frozen=True)
class Purchase:
    """Node groups, and the checked plan that has them.

    Attributes
    ----------
    division : tuple of Sized
        The type and the workloads of each group.
    names : tuple of str
        Their names in the plan.
    result : CheckResult
        Of the written plan, in the chosen scenarios.
    steady, peak : ScenarioState
    usd_per_hour : float
        Cost of the bought nodes, weighted by hours.
    limited : bool
        Whether the subnets limit the answer; if False, addresses are only counted.
    """

    division: Division
    names: tuple[str, ...]
    document: Document
    result: CheckResult
    steady: ScenarioState
    peak: ScenarioState
    usd_steady: float
    usd_peak: float
    usd_per_hour: float
    limited: bool = True

    @property
    def ok(self) -> bool:
        """Whether the check has no objection, or only a lack of addresses in a plan whose addresses are counted, not
        limited.
        """
        well = self.result.verdict == "ok" if self.limited else not (self.result.blocked or self.result.harmful)
        return well and not any(s.unplaced_pods or s.pods_without_address for s in self.result.scenarios)

    def nodes(self, *, peak: bool) -> int:
        """Bought nodes at the peak, or at steady state. [nodes]"""
        return sum(nodes_of(self.peak if peak else self.steady, name) for name in self.names)

    @property
    def vcpus(self) -> int:
        """vCPUs of the bought nodes at the peak. [vCPUs]"""
        pairs = zip(self.division, self.names, strict=True)
        return sum(s.candidate.vcpus * nodes_of(self.peak, name) for s, name in pairs)

    @property
    def addresses(self) -> int:
        """Addresses in use in all subnets at the peak. [addresses]"""
        return sum(s.used_total for s in self.peak.subnets)

    @property
    def figures(self) -> tuple[float, int, int]:
        """Dollars per hour, and addresses and nodes at the peak."""
        return self.usd_per_hour, self.addresses, self.nodes(peak=True)


@dataclass(frozen=True)
class Buying:
    """The judge of a purchase. ``counted``: nodes by block and type, shared by questions about equal pods on equal
    nodes.
    """

    draft: Draft
    pods: Sequence[Pods]
    rules: Rules
    judge: Judge
    scenarios: tuple[str, ...]
    survive_zone: bool = False
    vcpu_quota: int | None = None
    counted: Counted = field(default_factory=dict, compare=False)
    stopped: Callable[[], bool] = lambda: False

    def accepts(self, found: Purchase) -> bool:
        """Whether the check has no objection to a purchase, and its nodes at the peak are within the vCPU quota."""
        return found.ok and (self.vcpu_quota is None or found.vcpus <= self.vcpu_quota)


def nodes_of(state: ScenarioState, group: str) -> int:
    """Nodes of a group outside lost zones. [nodes]"""
    found = state.group(group).nodes_by_zone
    return sum(count for zone, count in found.items() if zone not in state.lost_zones)


def group_names(division: Division, pods: Sequence[Pods], taken: Iterable[str]) -> tuple[str, ...]:
    """A name for each group: its type, and if several groups have that type also the first workload.

    >>> group_names((), (), ())
    ()
    """
    used = set(taken)
    types = [sized.candidate.name for sized in division]
    names = []
    for sized in division:
        kind = sized.candidate.name
        name = kind.replace(".", "-")
        if types.count(kind) > 1:
            name = f"{name}-{pods[sized.block[0]].name}"[:60].rstrip("-.")
        serial, base = 2, name
        while name in used:
            name, serial = f"{base}-{serial}", serial + 1
        used.add(name)
        names.append(name)
    return tuple(names)


def purchase(buying: Buying, division: Division) -> Purchase:
    """Write a division as a plan and check it; add nodes if the check leaves pods unschedulable.

    The maximum of each group is its most nodes in any scenario in which it can grow.
    """
    found = _checked(buying, division, None)
    for _ in range(ADDED):
        more = _short(buying, division, found)
        if not more:
            break
        division = tuple(
            replace(s, now=s.now + int(i in more), peak=max(s.peak, s.now + int(i in more)))
            for i, s in enumerate(division)
        )
        found = _checked(buying, division, None)
    most = tuple(_most(found, name) for name in found.names)
    bounded = _checked(buying, division, most)
    for _ in range(3):
        if not any(s.unplaced_pods for s in bounded.result.scenarios) or bounded.ok:
            break
        most = tuple(m + 1 + m // 10 for m in most)
        bounded = _checked(buying, division, most)
    return bounded


def again(buying: Buying, found: Purchase) -> Purchase:
    """The purchase with equal groups in a plan with other subnets."""
    groups = {g.name: g for g in found.result.plan.node_groups}
    made = _checked(buying, found.division, [groups[name].max_nodes or UNBOUNDED for name in found.names])
    return made if made.ok else purchase(buying, found.division)


def _most(found: Purchase, name: str) -> int:
    growing = [s for s in found.result.scenarios if set(s.name.split("+")) & set(GROWING)]
    return max(nodes_of(s, name) for s in (*growing, found.steady, found.peak))


def _short(buying: Buying, division: Division, found: Purchase) -> set[int]:
    """Groups that need one more node: they have unschedulable pods now, or after the loss of a zone if that is not
    allowed.
    """
    states = [found.steady]
    if buying.survive_zone:
        states += _after_losses(buying, division, found)
    names = {p.name: i for i, p in enumerate(buying.pods)}
    short: set[int] = set()
    for state in states:
        for entry in state.unplaced:
            number = names.get(entry.workload)
            mine = [i for i, s in enumerate(division) if number in s.block]
            if mine:
                short.add(min(mine, key=lambda i: division[i].candidate.price))
    return short


def _after_losses(buying: Buying, division: Division, found: Purchase) -> list[ScenarioState]:
    """The states after the loss of each zone if no node starts."""
    fixed = tuple(replace(s, peak=s.now) for s in division)
    groups = _groups(buying, fixed, found.names, tuple(s.now for s in fixed))
    result = buying.judge(buying.draft.read(buying.draft.written(groups)), ("zone-loss",))
    return list(result.scenarios)


def _groups(buying: Buying, division: Division, names: Sequence[str], most: Sequence[int] | None) -> list[NewGroup]:
    found = []
    for i, (sized, name) in enumerate(zip(division, names, strict=True)):
        top = UNBOUNDED if most is None else max(most[i], sized.peak)
        if buying.rules.max_nodes is not None:
            top = max(min(top, buying.rules.max_nodes), sized.now)
        nodes = {"min": sized.now, "desired": sized.now, "max": top}
        workloads = frozenset(buying.pods[n].name for n in sized.block)
        found.append(NewGroup(name, sized.candidate.name, nodes, workloads))
    return found


def _checked(buying: Buying, division: Division, most: Sequence[int] | None) -> Purchase:
    draft = buying.draft
    taken = [g.name for g in draft.plan.node_groups if g.name != draft.template.name]
    names = group_names(division, buying.pods, taken)
    document = draft.written(_groups(buying, division, names, most))
    plan = draft.read(document)
    result = buying.judge(plan, buying.scenarios or None)
    at_rest = {s.name: s for s in result.scenarios if not s.variant}
    if not {"steady", "peak"} <= at_rest.keys():
        at_rest |= {s.name: s for s in buying.judge(plan, ("steady", "peak")).scenarios}
    steady, peak = at_rest["steady"], at_rest["peak"]
    now, then = (
        sum(s.candidate.price * nodes_of(state, name) for s, name in zip(division, names, strict=True))
        for state in (steady, peak)
    )
    usd = buying.rules.weighed(now, then)
    limited = not draft.sizes_subnets
    return Purchase(
        division, names, document, result, steady, peak, round(now, 9), round(then, 9), round(usd, 9), limited
    )
