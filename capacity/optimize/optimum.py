"""``capacity optimize``: the node groups to buy for a plan, beside the packing that bounds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from capacity.catalog.table import Catalog
from capacity.cluster.sizing import size_plan
from capacity.errors import InfeasiblePlan, SpecError
from capacity.optimize.buy import Buying, Division, Purchase, purchase
from capacity.optimize.choices import ARCHS, COST, Choices
from capacity.optimize.clash import clash, too_large
from capacity.optimize.compare import alternatives
from capacity.optimize.divide import Rules
from capacity.optimize.divisions import Found, divisions, mixed, ranked, search
from capacity.optimize.frontier import OBJECTIVES, explored, frontier
from capacity.optimize.market import Market, Pods, pods_of
from capacity.optimize.open_plan import Draft, draft_of
from capacity.optimize.optimized import INFEASIBLE, OPTIMAL, TIME_LIMIT, WITHIN_GAP, Alternative, Optimized, Packed
from capacity.optimize.pack import EFFORTS, PROVEN, Packing
from capacity.optimize.pack_zones import pack_over_zones
from capacity.optimize.request import Request, market_of

CHECKED = {"quick": 20, "normal": 60, "thorough": 200}  # divisions that are checked, at most
MOST_NAMED = 6  # types named in a note


def optimize_plan(
    document: Mapping[str, Any],
    request: Request | None = None,
    *,
    file: str = "",
    zones: int | None = None,
    catalog: Catalog | None = None,
) -> Optimized:
    """The node groups to buy for the workloads of a plan.

    Parameters
    ----------
    document : mapping
        A plan's document; ``vpc`` and ``nodeGroups`` may be missing.
    zones : int, optional
        Of the nodes, where the plan has no subnets.

    Raises
    ------
    SpecError
        The plan has a fault, no type is allowed, or none of the allowed types has a price.
    """
    request = request or Request()
    choices = request.choices
    draft = draft_of(document, choices, file=file, zones=zones, catalog=catalog)
    if choices.survive == "zone" and draft.zones < 2:
        raise SpecError("--survive zone: the nodes are in one zone only")
    market, archs = market_of(draft, request)
    pods = tuple(p for p in pods_of(draft.plan, draft.workloads) if p.most)
    notes = [*draft.notes, *market.notes, *_said(market, archs, choices)]
    rules = rules_of(draft, choices)
    base = Optimized(OPTIMAL, draft, market, pods, archs, rules, notes=tuple(notes), choices=choices)
    if not pods:
        zero = Packed(Packing((), 0.0, 0.0), Packing((), 0.0, 0.0), 0.0, 0.0)
        return replace(base, packed=zero, notes=(*notes, "no pods: nothing to buy"))
    large = too_large(market, pods)
    if large is not None:
        return replace(base, status=INFEASIBLE, infeasible=large)
    packed = _packed(market, pods, rules, request)
    buying = Buying(draft, pods, rules, request.judge, choices.scenarios, choices.survive == "zone")
    found = _searched(buying, market, packed, request)
    if found.bought is None:
        return replace(base, status=INFEASIBLE, packed=packed, infeasible=clash(buying, market, choices, found))
    others: tuple[Alternative, ...] = ()
    if request.simpler or choices.minimize != COST:
        found = explored(buying, market, found, choices, request.effort, request.stopped)
    if request.simpler:
        others, found = alternatives(buying, market, found, request)
    assert found.bought is not None
    best = min((p for p in found.tried if p.ok), key=OBJECTIVES[choices.minimize])
    bought, said = _with_subnets(buying, best)
    status = OPTIMAL if packed.gap <= PROVEN else TIME_LIMIT if request.stopped() else WITHIN_GAP
    return replace(
        base,
        status=status,
        packed=packed,
        bought=bought,
        alternatives=others,
        frontier=frontier([bought, *(p for p in found.tried if p is not best)]) if request.simpler else (),
        notes=(*notes, *said),
    )


def rules_of(draft: Draft, choices: Choices) -> Rules:
    """The rules of a search without penalties."""
    zones = draft.zones if choices.survive == "zone" else 0
    return Rules(choices.peak_hours, 0.0, choices.min_nodes, choices.max_nodes, zones, draft.zones)


def _said(market: Market, archs: Sequence[str], choices: Choices) -> list[str]:
    """What the user did not ask for and must know."""
    notes = []
    if choices.arch is None:
        if len(archs) > 1:
            notes.append("types of x86_64 and arm64 are compared: the images must support both (or use --arch)")
        else:
            other = ARCHS[1 - ARCHS.index(archs[0])]
            notes.append(f"{archs[0]} only: images are not assumed to run on {other} as well (--arch {other})")
    if not choices.types:
        notes.append("burstable, metal, GPU, HPC and Xen types are excluded (use --types to choose the types)")
    for reason, names in market.left_out:
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        notes.append(f"{reason}, left out: {', '.join(names[:MOST_NAMED])}{more}")
    return notes


def _packed(market: Market, pods: Sequence[Pods], rules: Rules, request: Request) -> Packed:
    """The packing now and at the peak, each at least as dear as the fewest replicas allow."""
    effort = EFFORTS[request.effort]
    now = pack_over_zones(market, pods, rules.spread_zones, effort, request.stopped, peak=False)
    same = all(p.now == p.most for p in pods)
    peak = now if same else pack_over_zones(market, pods, rules.spread_zones, effort, request.stopped, peak=True)
    return Packed(
        now,
        peak,
        round(rules.weighed(now.cost, peak.cost), 9),
        rules.weighed(now.bound, peak.bound),
    )


def _searched(buying: Buying, market: Market, packed: Packed, request: Request) -> Found:
    """Divisions from separate groups to one group, and the packing's own mix."""
    choices, limited = request.choices, not buying.draft.sizes_subnets
    listed: list[Division] = divisions(market, buying.pods, buying.rules, choices, limited=limited)
    mix = mixed(market, buying.pods, buying.rules, packed.now, packed.peak)
    if mix is not None:
        listed = ranked([*listed, mix], buying.rules, choices)
    return search(buying, listed, CHECKED[request.effort], request.stopped)


def _with_subnets(buying: Buying, bought: Purchase) -> tuple[Purchase, list[str]]:
    """The purchase in subnets of its own size, where the plan had none."""
    if not buying.draft.sizes_subnets:
        return bought, []
    plan = bought.result.plan
    blocks = plan.vpc_cidrs
    custom = 2 if any(g.pod_subnets for g in plan.node_groups) else 1
    for count in dict.fromkeys((custom, len(blocks))):
        try:
            sizing = size_plan(replace(plan, vpc_cidrs=blocks[:count]), scenarios=buying.scenarios or None, fresh=True)
        except InfeasiblePlan as error:
            why = str(error)
            continue
        subnets = [{"name": s.name, "zone": s.zone, "cidr": str(s.cidr)} for s in sizing.plan.subnets]
        document = {**buying.draft.document, "vpc": {"cidrs": [str(c) for c in blocks[:count]], "subnets": subnets}}
        draft = replace(buying.draft, document=document, plan=buying.draft.read(document))
        return purchase(buying._replace(draft=draft), bought.division), []
    return bought, [f"the subnets could not be sized: {why}"]
