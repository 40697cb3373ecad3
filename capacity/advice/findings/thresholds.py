"""From a plan's runway to counts at which somebody should be told."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.cluster.check import CheckResult
from capacity.cluster.engine import Engine
from capacity.cluster.headroom import headroom_by_nodes


@dataclass(frozen=True, slots=True)
class NodeThresholds:
    """Counts of Linux nodes, which are those that run aws-node and are counted by its metrics.

    Attributes
    ----------
    now : int
        Of ``steady``. [nodes]
    warning : int
        Up to here every further node fits even if all start in the tightest subnet. [nodes]
    critical : int
        Up to here they fit where they are spread as planned; at least ``warning``. [nodes]
    subnet : str
        The tightest one: it has room for the fewest further nodes.
    group : str
        Of which group.
    more_nodes : int
        That runway. [nodes]
    """

    now: int
    warning: int
    critical: int
    subnet: str
    group: str
    more_nodes: int


def node_thresholds(result: CheckResult) -> NodeThresholds | None:
    """Thresholds on the count of nodes; None where no Linux node lives in any subnet.

    Notes
    -----
    warning = nodes now + the least ``more_nodes`` of all subnets. critical = nodes now + further nodes of the same
    group, spread as the plan says, before a subnet has fewer than 0 free; where the spread favours the tightest
    subnet the two are equal.

    Examples
    --------
    By hand for the example plan: 11 nodes; private-b has 107 free addresses and a node of ``general`` takes 30, so 3
    further nodes fit there whatever their zones (warning 14). Spread evenly, ``general`` fits up to 19 of its own
    nodes instead of 9 (critical 21).
    """
    windows = {s.group.name for s in result.shapes if s.group.windows}
    rows = [
        (r.more_nodes, r.subnet, r.group)
        for r in result.runway
        if r.more_nodes is not None and r.group is not None and r.group not in windows
    ]
    if not rows:
        return None
    more, subnet, group = min(rows)
    state = Engine(result.plan, result.shapes).at_rest("steady")
    nodes = {g.shape.group.name: g.nodes for g in state.groups}
    now = sum(n for name, n in nodes.items() if name not in windows)
    ends = [e for e in headroom_by_nodes(result, group).exhausted_at if e is not None]
    spread = max(min(ends) - 1 - nodes[group], 0) if ends else more
    return NodeThresholds(now, now + more, now + max(spread, more), subnet, group, more)
