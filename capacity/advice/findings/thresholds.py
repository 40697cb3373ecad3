"""Compute alert thresholds from the remaining room of a plan."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.cluster.check import CheckResult
from capacity.cluster.engine import Engine
from capacity.cluster.headroom import headroom_by_nodes


@dataclass(frozen=True, slots=True)
class NodeThresholds:
    """Node counts at which to alert: Linux nodes, which run aws-node and appear in its metrics.

    Attributes
    ----------
    now : int
        Nodes in ``steady``. [nodes]
    warning : int
        Up to this count all additional nodes fit, even if all start in the tightest subnet. [nodes]
    critical : int
        Up to this count they fit if they are spread as planned; at least ``warning``. [nodes]
    subnet : str
        The tightest subnet: it has room for the fewest additional nodes.
    group : str
        The group of those nodes.
    more_nodes : int
        Additional nodes that fit in the tightest subnet. [nodes]
    """

    now: int
    warning: int
    critical: int
    subnet: str
    group: str
    more_nodes: int


def node_thresholds(result: CheckResult) -> NodeThresholds | None:
    """Thresholds on the node count; None if no Linux node is in a subnet.

    Notes
    -----
    warning = nodes now + the least ``more_nodes`` of all subnets. critical = nodes now + additional nodes of the
    same group, spread as the plan says, before a subnet has fewer than 0 free. The two are equal if the spread favours
    the tightest subnet.

    Examples
    --------
    By hand for the example plan: 11 nodes; private-b has 107 free addresses and a node of ``general`` uses 30, so 3
    additional nodes fit there in any case (warning 14). Spread evenly, ``general`` fits up to 19 nodes
    instead of 9 (critical 21).
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
