"""Explains a subnet's or node group's figures in terms, down to the pool of one node."""

from __future__ import annotations

from collections.abc import Iterator

from capacity.cluster.bounds import bounds_of
from capacity.cluster.check import CheckResult, check_result
from capacity.cluster.runway import Runway
from capacity.cluster.scenario import NodeClass, ScenarioState
from capacity.cluster.shape import GroupShape, TypeShape
from capacity.cni.pool_terms import pool_terms
from capacity.errors import SpecError, check_kind, did_you_mean
from capacity.plan.model import RESERVED_BY_AWS
from capacity.trace import Term
from capacity.units import counted
from capacity.vpc.ledger import HOLDERS, SubnetState


def explain(result: CheckResult, what: str, scenario: str | None = None) -> Term:
    """The derivation of a subnet's or a node group's figures.

    Parameters
    ----------
    what : str
        ``SUBNET``, ``SUBNET.HOLDER`` (``private-b.warm``), ``SUBNET.free``, ``SUBNET.runway``, or a
        node group's name.
    scenario : str, optional
        Name of the scenario; the first by default.

    Raises
    ------
    SpecError
        The plan has nothing with that name.
    """
    check_result(result)
    check_kind("what", what, str, "the name of a subnet or a node group")
    state = scenario_named(result, scenario)
    if state is None:
        titles = ", ".join(dict.fromkeys(s.title for s in result.scenarios))
        raise SpecError(f"--scenario: {scenario!r} was not computed (known: {titles})")
    subnets = {s.subnet.name: s for s in state.subnets}
    groups = {g.shape.group.name: g for g in state.groups}
    if what in subnets:
        return subnet_term(subnets[what], state)
    if what in groups:
        return group_term(groups[what].shape, groups[what].classes, state.name)
    name, _, figure = what.rpartition(".")
    if name in subnets:
        return _figure(result, subnets[name], state, figure)
    known = [*subnets, *groups]
    hint = did_you_mean(name or what, known, 3) or f" (known: {', '.join(known[:10])})"
    raise SpecError(f"{what!r} is neither a subnet nor a node group of the plan{hint}")


def scenario_named(result: CheckResult, name: str | None) -> ScenarioState | None:
    """The scenario with that name or title (the first if there are several); None if it was not computed."""
    for state in result.scenarios:
        if name is None or name in (state.name, state.title, f"{state.name}:zone={state.variant}"):
            return state
    return None


def _figure(result: CheckResult, subnet: SubnetState, state: ScenarioState, figure: str) -> Term:
    if figure == "runway":
        return runway_term(next(r for r in result.runway if r.subnet == subnet.subnet.name), subnet, result)
    if figure in HOLDERS:
        return _holder(subnet, figure, tuple(_pools(subnet, state)))
    if figure == "bounds":
        return _bounds(result, subnet, state)
    for part in subnet_term(subnet, state).parts:
        if part.label == figure:
            return part
    known = (*HOLDERS, "free", "usable", "bounds", "runway")
    hint = did_you_mean(figure, known) or f" (known: {', '.join(known)})"
    raise SpecError(f"{subnet.subnet.name!r} has no figure {figure!r}{hint}")


def subnet_term(state: SubnetState, scenario: ScenarioState) -> Term:
    """Usable, every holder with its entries, free, and the bounds."""
    subnet = state.subnet
    usable = Term(
        "usable",
        subnet.usable,
        f"{subnet.cidr} has {subnet.total:,} addresses, AWS reserves {RESERVED_BY_AWS}",
        "awsdocs/amazon-vpc-user-guide subnet-sizing.md L9",
    )
    holders = tuple(_holder(state, h) for h in HOLDERS if state.used[h])
    pools = tuple(_pools(state, scenario))
    free = Term("free", state.free, f"{subnet.usable:,} usable − {state.used_total:,} held: {state.verdict}")
    bounds = Term(
        "bounds",
        [state.used_lowest, state.used_highest],
        "fewest and most addresses held over every placement of the pods and the remaining nodes"
        + (", and every choice of drained or lost nodes" if any(g.turnover.closings for g in scenario.groups) else ""),
        "docs/explanation/model.md",
    )
    why = f"scenario {scenario.title}: {scenario.rule}"
    return Term(
        f"{subnet.name} ({subnet.cidr}, {subnet.zone})",
        state.verdict,
        why,
        "",
        (usable, *holders, *pools, free, bounds),
    )


def _holder(state: SubnetState, holder: str, pools: tuple[Term, ...] = ()) -> Term:
    parts = tuple(Term(str(why), addresses) for h, addresses, why in state.entries if h == holder and addresses)
    if holder in ("assigned", "warm", "eni_primary") and parts:
        parts += pools
    return Term(holder, state.used[holder], "" if parts else "nothing in this subnet", "", parts)


def _bounds(result: CheckResult, state: SubnetState, scenario: ScenarioState) -> Term:
    """The bounds by group; other holders are exact except for the control plane."""
    subnets = {s.name: s for s in result.plan.subnets}
    mine = [
        (taken.lowest, taken.highest, taken.why)
        for group in scenario.groups
        for taken in bounds_of(subnets, group)
        if taken.subnet == state.subnet.name and taken.highest
    ]
    if any(state.roaming):
        why = (
            "additional ENIs: the fewest and the most, each in the subnet of the zone with the most free "
            "addresses, to within one ENI"
        )
        mine.append((*state.roaming, why))
    others = [state.used_lowest - sum(low for low, _, _ in mine), state.used_highest - sum(high for _, high, _ in mine)]
    parts = [Term(why, [low, high]) for low, high, why in mine]
    parts.append(Term("control plane and tenants", others))
    bounds = subnet_term(state, scenario).parts[-1]
    return Term(bounds.label, bounds.value, bounds.why, bounds.source, tuple(parts))


def _pools(state: SubnetState, scenario: ScenarioState) -> Iterator[Term]:
    """The pool of each kind of node with addresses in this subnet."""
    seen: set[tuple[int, int]] = set()
    for group in scenario.groups:
        for c in group.classes:
            key = (id(group.shape), c.vpc_pods)
            here = c.slot.subnets if c.slot.choices else (c.slot.address_subnet,)
            if state.subnet.name in here and key not in seen:
                seen.add(key)
                yield pool_term(group.shape, c.vpc_pods)


def pool_term(shape: GroupShape, vpc_pods: int) -> Term:
    """The pool of one node of a group with a number of pods on VPC addresses."""
    first = shape.first
    terms = pool_terms(first.limits, first.settings, first.max_pods, vpc_pods)
    name = f"one {first.instance_type.name} of {shape.group.name} with {counted(vpc_pods, 'pod')}"
    name += "" if first.settings.spares_subnets else " on VPC addresses"
    return Term(
        name, first.demand(vpc_pods) + 1, "addresses of the node in total, including its primary", "", tuple(terms)
    )


def group_term(shape: GroupShape, classes: tuple[NodeClass, ...], scenario: str) -> Term:
    """Max pods, allocatable and DaemonSets of a group, and its kinds of nodes."""
    first, room = shape.first, shape.first.room
    parts = [
        Term("max_pods", first.max_pods, "; ".join(shape.platform.terms), "docs/explanation/max-pods.md"),
        Term("allocatable_cpu_millicores", room.cpu, "", "docs/explanation/allocatable.md"),
        Term("allocatable_memory_mib", room.memory // 2**20, "", "docs/explanation/allocatable.md"),
        *(
            []
            if first.settings.spares_subnets
            else [Term("addresses", first.addresses, "most pods on VPC addresses that the node supports")]
        ),
        Term("DaemonSet pods", first.start.pods, _where(first)),
    ]
    for c in classes:
        nodes, pods = counted(c.count, "node"), counted(c.pods, "pod")
        label = f"{nodes} in {c.slot.subnet} with {pods}"
        label += "" if first.settings.spares_subnets else f" ({c.vpc_pods} on VPC addresses)"
        parts.append(
            Term(label, c.count * (first.demand(c.vpc_pods) + shape.node_addresses + c.branch_pods), "addresses")
        )
    name = f"{shape.group.name} ({first.instance_type.name}, {shape.group.ami}, {shape.group.provisioner})"
    return Term(name, sum(c.count for c in classes), f"nodes in {scenario}", "", tuple(parts))


def _where(first: TypeShape) -> str:
    if first.settings.spares_subnets:
        return f"{first.host_pods} of them on the host network"
    return f"{first.daemon_pods} of them on VPC addresses"


def runway_term(runway: Runway, subnet: SubnetState, result: CheckResult) -> Term:
    """The terms of the additional nodes and pods that fit."""
    if runway.more_nodes is None:
        return Term("runway", None, "no nodes are in this subnet")
    why = f"⌊{max(subnet.free_open, 0)} free ÷ {runway.node_addresses} addresses of one node of {runway.group}⌋"
    pods = "existing nodes are filled first, then new nodes of any group there, each filled for the most pods"
    pods += "; CPU, memory and node maxima ignored"
    if runway.pool:
        pool = ", ".join(runway.pool)
        why = (
            f"nodes of {runway.group} with {runway.node_addresses} addresses each, their additional ENIs in the "
            f"subnet of {pool} with the most free addresses"
        )
        pods = f"{pods}; an upper bound from the addresses of {pool} together"
    shape = next(s for s in result.shapes if s.group.name == runway.group)
    return Term(
        "runway",
        [runway.more_nodes, runway.more_pods],
        "additional nodes and pods, from steady",
        "docs/explanation/model.md",
        (
            Term("more_nodes", runway.more_nodes, why),
            Term("more_pods", runway.more_pods, pods),
            pool_term(shape, shape.first.daemon_pods + shape.first.most_workload_pods),
        ),
    )
