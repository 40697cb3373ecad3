"""Parts of a plan that can be checked without the rest: some node groups with everything that they depend on.

Groups depend on each other if they share workloads. At rest, in a rollout and after the loss of a zone, pods and nodes
depend on nothing else, and a subnet's addresses depend on the groups with nodes or pods there. This is not true if
groups are connected in other ways: by another cluster in shared subnets, or by a group with spread ``worst``, whose
zone is the one with the fewest free addresses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from capacity.cluster.group_shapes import gives_prefixes
from capacity.cluster.load import Load
from capacity.plan.model import Plan
from capacity.plan.scenario_spec import ScenarioSpec

LARGEST_SHARE = 2  # a part with more than one in this many groups saves too little
_INDEPENDENT = {"steady", "peak", "ceiling", "rollout", "zone-loss"}


def independent(spec: ScenarioSpec) -> bool:
    """Whether groups that share no workloads do not affect each other in a scenario."""
    return _INDEPENDENT.issuperset(spec.parts) and spec.mode == "all"


def part_of(plan: Plan, groups: Collection[int], load: Load) -> Plan | None:
    """The plan with the given groups, the groups that share workloads with them, and all their workloads.

    Parameters
    ----------
    groups : collection of int
        Positions of the groups in the plan.

    Returns
    -------
    Plan or None
        None if the part depends on the rest of the plan, or is too large to save work.
    """
    if any(t.plan for t in plan.tenants) or any(g.spread == "worst" for g in plan.node_groups):
        return None
    parts = [part for part in load.parts if not set(groups).isdisjoint(part.groups)]
    mine, workloads = (_in_order(p.groups for p in parts), _in_order(p.workloads for p in parts))
    if len(mine) * LARGEST_SHARE > len(plan.node_groups):
        return None
    part = replace(
        plan,
        node_groups=tuple(plan.node_groups[i] for i in mine),
        workloads=tuple(plan.workloads[i] for i in workloads),
    )
    return part if gives_prefixes(part) == gives_prefixes(plan) else None


def _in_order(positions: Iterable[Iterable[int]]) -> list[int]:
    return sorted({position for several in positions for position in several})
