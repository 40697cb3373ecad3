"""Counts the addresses of other clusters in the subnets they share with this one."""

from __future__ import annotations

from collections.abc import Callable

from capacity.cluster.fleet import Extra
from capacity.cluster.scenario import ScenarioState
from capacity.plan.model import Plan, Tenant

# Holders that belong to a cluster; endpoints and ``used`` could also be in this plan and would count twice.
OWN = ("node_primary", "eni_primary", "assigned", "warm", "branch", "control_plane", "load_balancers")


def neighbour_extras(plan: Plan, at_rest: Callable[[Plan], ScenarioState]) -> list[Extra]:
    """The addresses of the clusters that share subnets with a plan: its tenants with a plan.

    Counts their nodes, pods, control plane and load balancers, with the bounds of their own check.

    Parameters
    ----------
    at_rest : callable
        Returns another plan in the state that matches this one's: steady with steady, peak with peak.
    """
    return [extra for tenant in plan.tenants if tenant.plan for extra in _extras(tenant, at_rest(tenant.plan))]


def _extras(tenant: Tenant, state: ScenarioState) -> list[Extra]:
    found = []
    by_name = {s.subnet.name: s for s in state.subnets}
    for mine, theirs in tenant.places.items():
        subnet = by_name[theirs]
        held = sum(subnet.used[holder] for holder in OWN)
        rest = subnet.used_total - held
        why = f"cluster {tenant.name} in {state.name}: its nodes, pods, control plane and load balancers"
        bounds = (subnet.used_lowest - rest, subnet.used_highest - rest)
        found.append(Extra(mine, tenant.holder, held, *bounds, why, subnet.prefixes))
    return found
