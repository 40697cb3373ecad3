"""Levers: what can be changed in a plan to hold fewer addresses or to have more, as patches of the plan.

A lever only proposes; :mod:`capacity.advice.fixes` applies each to the plan and checks it again. Those
that change running nodes least come first: settings, then nodes, then subnets, then how pods get addresses.
"""

from __future__ import annotations

from capacity.advice.lever import Lever
from capacity.advice.node_levers import fewer_larger, weights
from capacity.advice.pod_levers import ipv6, prefixes, windows_prefixes
from capacity.advice.setting_levers import (
    lower_max_pods,
    minimal_update,
    smaller_pre_allocate,
    smaller_surge,
    warm_targets,
)
from capacity.advice.subnet_levers import added_subnet, custom_networking, larger_subnets
from capacity.advice.tag_levers import subnet_discovery
from capacity.advice.type_levers import drop_types, instance_type
from capacity.cluster.check import CheckResult

__all__ = ["Lever", "levers"]


def levers(result: CheckResult) -> list[Lever]:
    """Every lever whose conditions hold for a checked plan, in the order in which they are preferred."""
    plan = result.plan
    if not plan.node_groups:
        return []
    return [
        *warm_targets(result),
        *smaller_pre_allocate(result),
        *minimal_update(plan),
        *smaller_surge(plan),
        *drop_types(result),
        *lower_max_pods(result),
        *weights(plan),
        *fewer_larger(plan),
        *instance_type(result),
        *added_subnet(result),
        *larger_subnets(result),
        *subnet_discovery(result),
        *custom_networking(plan),
        *prefixes(result),
        *windows_prefixes(plan),
        *ipv6(plan),
    ]
