"""All levers: changes to a plan that use fewer addresses or add more, as patches of the plan.

A lever only proposes; :mod:`capacity.advice.search` applies each to the plan and checks it again. Those that disrupt
least come first: settings and existing resources, then nodes, then subnets, then how pods get addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from capacity.advice.levers.existing_subnets import idle_subnets, idle_zones, shared_subnets
from capacity.advice.levers.lever import Lever
from capacity.advice.levers.limits import more_nodes, raise_max_pods
from capacity.advice.levers.new_subnets import Proposed, proposed
from capacity.advice.levers.nodes import fewer_larger, weights
from capacity.advice.levers.pods import ipv6, prefixes, windows_prefixes
from capacity.advice.levers.settings import (
    lower_max_pods,
    minimal_update,
    smaller_pre_allocate,
    smaller_surge,
    warm_targets,
)
from capacity.advice.levers.subnets import added_subnet, custom_networking, larger_subnets
from capacity.advice.levers.tags import subnet_discovery
from capacity.advice.levers.trouble import troubled_groups
from capacity.advice.levers.types import drop_types, instance_type
from capacity.cluster.check import CheckResult

__all__ = ["FACTORIES", "Lever", "lever_for", "levers"]


Factory = Callable[[CheckResult, Collection[str], Proposed], Iterator[Lever]]

FACTORIES: Mapping[str, Factory] = {
    "idle-subnets": lambda r, only, _: idle_subnets(r, only),
    "idle-zones": lambda r, only, _: idle_zones(r, only),
    "warm-targets": lambda r, _, __: warm_targets(r),
    "pre-allocate": lambda r, _, __: smaller_pre_allocate(r),
    "minimal-update": lambda r, only, _: minimal_update(r.plan, only),
    "no-surge": lambda r, only, _: smaller_surge(r.plan, only),
    "more-nodes": lambda r, only, _: more_nodes(r, only),
    "raise-max-pods": lambda r, only, _: raise_max_pods(r, only),
    "drop-types": lambda r, only, _: drop_types(r, only),
    "lower-max-pods": lambda r, only, _: lower_max_pods(r, only),
    "rebalance": lambda r, only, _: weights(r.plan, only),
    "fewer-larger-nodes": lambda r, only, _: fewer_larger(r.plan, only),
    "instance-type": lambda r, only, _: instance_type(r, only),
    "shared-subnets": lambda r, only, _: shared_subnets(r, only),
    "added-subnet": lambda r, _, __: added_subnet(r),
    "larger-subnets": lambda r, _, __: larger_subnets(r),
    "subnet-discovery": lambda r, _, others: subnet_discovery(r, others),
    "custom-networking": lambda r, _, others: custom_networking(r.plan, others),
    "prefix-delegation": lambda r, _, __: prefixes(r.plan),
    "windows-prefix-delegation": lambda r, _, __: windows_prefixes(r.plan),
    "ipv6": lambda r, _, __: ipv6(r.plan),
}


def levers(result: CheckResult, before_each: Callable[[], None] | None = None) -> list[Lever]:
    """Every lever whose conditions a checked plan meets, preferred first.

    Levers that change node groups change only the groups involved in a problem. No lever uses subnets and blocks that
    another one adds, so that any set can be checked together. ``before_each`` is called before each lever is
    computed, because some take a second for a large plan.
    """
    found: list[Lever] = []
    for name in FACTORIES if result.plan.node_groups else ():
        if before_each is not None:
            before_each()
        found += lever_for(result, name, troubled_groups(result), found)
    return found


def lever_for(result: CheckResult, name: str, only: Collection[str], others: Sequence[Lever] = ()) -> tuple[Lever, ...]:
    """The named lever for some node groups, or None if its conditions are not met."""
    return tuple(FACTORIES[name](result, only, proposed(others)))
