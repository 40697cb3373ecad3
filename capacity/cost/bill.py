"""Computes the cost of a plan in each scenario, from the nodes that the check counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from capacity.cluster.check import CheckResult, check_result
from capacity.cluster.scenario import GroupState, ScenarioState
from capacity.cost.cluster_fees import control_plane_lines
from capacity.cost.fargate import fargate_size
from capacity.cost.inputs import CostInputs
from capacity.cost.network_cost import network_lines
from capacity.cost.plan_cost import (
    AUTO_MODE,
    EXTENDED_SUPPORT,
    FARGATE_GB,
    FARGATE_VCPU,
    NODE_COST,
    NODES,
    PUBLIC_IPV4,
    Cost,
    CostLine,
    PlanCost,
    Rate,
)
from capacity.cost.rates import PriceBook
from capacity.errors import check_kind
from capacity.plan.model import Plan

GIVEN = "given"  # source of the user's inputs


def plan_cost(result: CheckResult, inputs: CostInputs | None = None) -> PlanCost:
    """The cost of a checked plan in each of its scenarios.

    Parameters
    ----------
    result : CheckResult
    inputs : CostInputs, optional
        By default on-demand list prices.

    Raises
    ------
    SpecError
        ``inputs`` names a node group that the plan does not have.

    Notes
    -----
    Nodes and pods come from the check and are not placed or counted again. Nodes of a lost zone do not run and are not
    billed. In a temporary scenario, such as ``upgrade``, the figure is the cost of a month in that state.
    """
    check_result(result)
    inputs = CostInputs() if inputs is None else inputs
    check_kind("inputs", inputs, CostInputs, "CostInputs(...), or None")
    inputs.check_groups(result.plan)
    bill = Bill(result.plan, inputs)
    costs = tuple(bill.cost(state) for state in result.scenarios)
    return PlanCost(costs, result.plan.region, tuple(bill.notes()), inputs.told())


def node_prices(result: CheckResult, inputs: CostInputs | None = None) -> dict[str, float | None]:
    """The price of a node of each group; None if unknown; a Fargate profile has no node. [USD per hour]"""
    book = PriceBook(result.plan.region, inputs or CostInputs())
    shapes = {s.group.name: s for s in result.shapes}
    return {
        name: None if s.group.fargate else book.node(s.group, s.first.instance_type).usd_per_hour
        for name, s in shapes.items()
    }


class Bill:
    """The prices of one plan under some inputs, for any number of scenarios."""

    def __init__(self, plan: Plan, inputs: CostInputs, book: PriceBook | None = None) -> None:
        """``book``: prices already looked up by another bill with the same region and inputs."""
        self.inputs = inputs
        self.book = book or PriceBook(plan.region, inputs)
        self._cluster = tuple(control_plane_lines(plan.kubernetes.version, self.book))
        self._network = tuple(network_lines(plan, inputs.network, self.book)) if inputs.network else ()

    def cost(self, state: ScenarioState) -> Cost:
        """The cost of a scenario if its nodes run for a month."""
        lines = [line for group in state.groups for line in self._group(group, state.lost_zones)]
        counted = (line for line in lines if line.count)
        return Cost(state.name, state.variant, (*counted, *self._cluster, *self._network))

    def notes(self) -> Iterator[str]:
        """Assumptions of the figures that the output must show."""
        for line in self._cluster:
            if line.item == EXTENDED_SUPPORT:
                yield f"the cluster fee includes extended support ({line.what})"
        yield from self.book.notes()

    def _group(self, state: GroupState, lost: Sequence[str]) -> Iterator[CostLine]:
        if state.shape.group.fargate:
            yield from self._fargate(state, lost)
            return
        group, kind = state.shape.group, state.shape.first.instance_type
        nodes = sum(count for zone, count in state.nodes_by_zone.items() if zone not in lost)

        def line(item: str, unit: str, rate: Rate) -> CostLine:
            return CostLine(item, group.name, kind.name, nodes, unit, rate)

        yield line(NODES, "node", self.book.node(group, kind))
        if group.auto:
            yield line(AUTO_MODE, "node", self.book.auto_mode(kind))
        if self.inputs.node_cost:
            yield line(NODE_COST, "node", Rate(self.inputs.node_cost, GIVEN))
        if group.name in self.inputs.public_ipv4:
            yield line(PUBLIC_IPV4, "address", self.book.of_fee("public-ipv4", "a public IPv4 address"))

    def _fargate(self, state: GroupState, lost: Sequence[str]) -> Iterator[CostLine]:
        """vCPU-hours and GB-hours of a profile's pods; pods larger than Fargate supports have no price."""
        sizes: dict[tuple[float, float], int] = {}
        too_large = 0
        for c in state.classes:
            if c.slot.zone in lost:
                continue
            size = fargate_size(c.state[2], c.state[3])
            if size is None:
                too_large += c.count
            else:
                sizes[size] = sizes.get(size, 0) + c.count
        name = state.shape.group.name
        what = ", ".join(f"{count:,} × {cpu:g} vCPU and {gb:g} GB" for (cpu, gb), count in sorted(sizes.items()))
        cpus, memory = sum(c * n for (c, _), n in sizes.items()), sum(m * n for (_, m), n in sizes.items())
        yield CostLine(FARGATE_VCPU, name, what, cpus, "vCPU", self.book.of_fee("fargate-vcpu", "Fargate"))
        yield CostLine(FARGATE_GB, name, what, memory, "GB", self.book.of_fee("fargate-gb", "Fargate"))
        unknown = Rate(None, unknown="Fargate has no size for pods that request more than 16 vCPU or 120 GB")
        yield CostLine(FARGATE_VCPU, name, "pods that are too large", too_large, "pod", unknown)
