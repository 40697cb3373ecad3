"""The result of a check as DataFrames: a row per scenario and subnet, per scenario and node group, per subnet's runway.

Columns are the keys of the JSON answer, nested ones with a dot (``used.warm``) as in ``-o csv``; unknown is ``<NA>``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from capacity.cluster.check import CheckResult, check_result

if TYPE_CHECKING:
    import pandas as pd

_TEXT = frozenset({"scenario", "variant", "name", "zone", "cidr", "verdict", "instance_type", "binding", "node_group"})
_KINDS = dict.fromkeys(_TEXT, "string") | {"free_pct": "Float64", "lost": "boolean"}  # all other columns are counts


def subnet_frame(result: CheckResult) -> pd.DataFrame:
    """Every subnet in every scenario; ``used.*`` and ``free`` add up to ``usable``. [addresses]

    ``free_pct`` is free ÷ usable [%]; ``free_prefixes`` counts free /28 blocks, ``<NA>`` outside prefix mode.
    """
    check_result(result)
    return _frame(
        {
            "scenario": state.name,
            "variant": state.variant,
            "name": s.subnet.name,
            "zone": s.subnet.zone,
            "cidr": str(s.subnet.cidr),
            "total": s.subnet.total,
            "usable": s.subnet.usable,
            **{f"used.{holder}": number for holder, number in s.used.items()},
            "free": s.free,
            "free_pct": round(100 * s.free / s.subnet.usable, 2),
            "free_reserved": s.free_reserved,
            "free_prefixes": s.free_prefixes,
            "used_lowest": s.used_lowest,
            "used_highest": s.used_highest,
            "verdict": s.verdict,
            "lost": state.is_lost(s.subnet),
        }
        for state in result.scenarios
        for s in state.subnets
    )


def group_frame(result: CheckResult) -> pd.DataFrame:
    """Every node group in every scenario; ``nodes.ZONE`` counts its nodes in a zone. [nodes], [pods]"""
    check_result(result)
    zones = {zone: 0 for state in result.scenarios for group in state.groups for zone in group.nodes_by_zone}
    return _frame(
        {
            "scenario": state.name,
            "variant": state.variant,
            "name": group.shape.group.name,
            "instance_type": group.shape.first.instance_type.name,
            "nodes": group.nodes,
            **{f"nodes.{zone}": number for zone, number in (zones | dict(group.nodes_by_zone)).items()},
            "pods_per_node": group.pods_per_node,
            "max_pods": group.shape.first.max_pods,
            "binding": group.binding,
            "pods_without_address": group.pods_without_address,
        }
        for state in result.scenarios
        for group in state.groups
    )


def runway_frame(result: CheckResult) -> pd.DataFrame:
    """What still fits in each subnet beyond ``steady``; ``<NA>`` without nodes. [nodes], [pods], [addresses]"""
    check_result(result)
    return _frame(
        {
            "name": runway.subnet,
            "more_nodes": runway.more_nodes,
            "more_pods": runway.more_pods,
            "node_group": runway.group,
            "node_addresses": runway.node_addresses,
        }
        for runway in result.runway
    )


def _frame(rows: Any) -> pd.DataFrame:
    """Nullable columns: text, shares as Float64, all else as Int64."""
    import pandas as pd

    frame = pd.DataFrame(list(rows))
    kinds = {c: _KINDS.get(c, "Int64") for c in frame.columns}
    return frame.astype(kinds)
