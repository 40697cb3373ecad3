"""Subnets of the size that an answer needs, for a plan without subnets: addresses are counted, not limited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import ceil

from capacity.cluster.sizing import size_plan
from capacity.errors import InfeasiblePlan
from capacity.optimize.buy import Buying, Purchase, again, purchase
from capacity.optimize.open_plan import widened
from capacity.plan.model import RESERVED_BY_AWS
from capacity.vpc.cidr_rules import LARGEST, MOST_BLOCKS
from capacity.vpc.ledger import SubnetState

LARGEST_USABLE = (1 << (32 - LARGEST)) - RESERVED_BY_AWS
TRIES = 3  # subnets more per zone than the sums say, at most


def with_own_subnets(buying: Buying, bought: Purchase) -> tuple[Purchase, list[str]]:
    """The purchase with subnets of the size it needs, and a note if no VPC is large enough for it."""
    if not buying.draft.sizes_subnets:
        return bought, []
    each = _subnets_per_zone(bought)
    roles = 2 if any(g.pod_subnets for g in bought.result.plan.node_groups) else 1
    why = f"a VPC has at most {MOST_BLOCKS} blocks of a /{LARGEST}"
    for count in range(each, each + TRIES):
        if count * roles * buying.draft.zones > MOST_BLOCKS:
            break
        wide = buying if count == 1 else replace(buying, draft=widened(buying.draft, count))
        try:
            sized = _sized(wide, bought if count == 1 else purchase(wide, bought.division))
        except InfeasiblePlan as error:
            why = str(error)
            continue
        return sized, [_too_many(sized, "; ".join(sized.result.blocked))] if sized.result.blocked else []
    return bought, [_too_many(bought, why)]


def _too_many(bought: Purchase, why: str) -> str:
    settings = bought.result.plan.cni.settings
    cure = "use IPv6" if settings.prefix else "use prefixes or IPv6"
    return (
        f"addresses are counted, not limited: {bought.addresses:,} at the peak are too many for one VPC ({why}). "
        f"Divide the pods over several clusters, or {cure}"
    )


def _subnets_per_zone(bought: Purchase) -> int:
    """The fewest subnets of the largest size that have room for the addresses of the fullest one. [subnets]"""
    share = 1 - bought.result.plan.checks.min_free
    need = max(
        (max(Fraction(s.used_total) / (share or 1), Fraction(s.used_highest)) for s in _every_subnet(bought)),
        default=Fraction(0),
    )
    return max(ceil(need / LARGEST_USABLE), 1)


def _every_subnet(bought: Purchase) -> Sequence[SubnetState]:
    return [s for scenario in bought.result.scenarios for s in scenario.subnets]


def _sized(buying: Buying, bought: Purchase) -> Purchase:
    """The purchase with the smallest subnets that the check allows, in the VPC blocks that they need."""
    plan = bought.result.plan
    sizing = size_plan(plan, scenarios=buying.scenarios or None, fresh=True)
    taken = [s.cidr for s in sizing.plan.subnets]
    blocks = [c for c in plan.vpc_cidrs if any(s.subnet_of(c) for s in taken)]
    subnets = [{"name": s.name, "zone": s.zone, "cidr": str(s.cidr)} for s in sizing.plan.subnets]
    vpc = {"cidrs": [str(c) for c in blocks], "subnets": subnets}
    document = {**buying.draft.document, "vpc": vpc}
    draft = replace(buying.draft, document=document, plan=buying.draft.read(document))
    return again(replace(buying, draft=draft), bought)
