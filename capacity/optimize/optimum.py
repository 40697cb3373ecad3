"""``capacity optimize``: the node groups to buy for a plan, and the packing that bounds their cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from capacity.catalog.table import Catalog
from capacity.errors import SpecError
from capacity.optimize.buy import Buying, Division, Purchase
from capacity.optimize.choices import COST, Choices
from capacity.optimize.clash import clash, too_large
from capacity.optimize.compare import alternatives
from capacity.optimize.divide import Rules
from capacity.optimize.divisions import Found, divisions, mixed, ranked, search
from capacity.optimize.fallback import never_dearer
from capacity.optimize.frontier import OBJECTIVES, explored, frontier
from capacity.optimize.market import Market, Pods, pods_of
from capacity.optimize.modes import cheapest, check_modes, with_mode
from capacity.optimize.open_plan import Draft, draft_of
from capacity.optimize.optimized import INFEASIBLE, OPTIMAL, TIME_LIMIT, WITHIN_GAP, Optimized, Packed
from capacity.optimize.own_subnets import with_own_subnets
from capacity.optimize.pack import EFFORTS, PROVEN, Packing
from capacity.optimize.pack_zones import pack_over_zones
from capacity.optimize.request import Request, archs_of, market_of
from capacity.optimize.solver import interruptible
from capacity.plan.constants import ARCHS
from capacity.units import some_of

CHECKED = {"quick": 20, "normal": 60, "thorough": 200}  # divisions that are checked, at most
MOST_SIZED = 1  # further purchases for which subnets are sized
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
        A plan's document; ``vpc`` and ``nodeGroups`` are optional.
    zones : int, optional
        Zones of the nodes if the plan has no subnets.

    Raises
    ------
    SpecError
        The plan has an error, no type is allowed, or no allowed type has a price.
    """
    request = request or Request()
    draft = draft_of(document, request.choices, file=file, zones=zones, catalog=catalog)
    if not request.choices.modes:
        return _optimized(draft, request)
    check_modes(draft)

    def in_mode(mode: str) -> Optimized:
        made = with_mode(document, mode)
        return _optimized(draft_of(made, request.choices, file=file, zones=zones, catalog=catalog), request)

    return cheapest(request.choices.modes, in_mode)


def _optimized(draft: Draft, request: Request) -> Optimized:
    """The node groups to buy for a prepared plan."""
    choices = request.choices
    if request.current and not draft.replaced:
        raise SpecError("--current: the plan has no node groups to compare with")
    if choices.survive == "zone" and draft.zones < 2:
        raise SpecError("--survive zone: the nodes are in one zone only")
    pods = tuple(p for p in pods_of(draft.plan, draft.workloads) if p.most)
    if not pods:
        return _nothing(draft, choices)
    market, archs = market_of(draft, request)
    notes = [*draft.notes, *market.notes, *_said(market, archs, choices, gpus=any(p.pod.gpus for p in pods))]
    rules = rules_of(draft, choices)
    base = Optimized(OPTIMAL, draft, market, pods, archs, rules, notes=tuple(notes), choices=choices)
    large = too_large(market, pods)
    if large is not None:
        return replace(base, status=INFEASIBLE, infeasible=large)
    with interruptible(request.stopped):
        packed = _packed(market, pods, rules, request)
    buying = Buying(
        draft,
        pods,
        rules,
        request.judge,
        choices.scenarios,
        choices.survive == "zone",
        choices.vcpu_quota,
        stopped=request.stopped,
    )
    found = _searched(buying, market, packed, request)
    if found.bought is None:
        return replace(base, status=INFEASIBLE, packed=packed, infeasible=clash(buying, market, choices, found))
    if request.simpler or choices.minimize != COST:
        found = explored(buying, market, found, request)
    others, found = alternatives(buying, market, found, request)
    accepted = [p for p in found.tried if buying.accepts(p)]
    bought, said = _in_own_subnets(buying, sorted(accepted, key=OBJECTIVES[choices.minimize]))
    if draft.replicas:
        bought = replace(bought, document=draft.without_headroom(bought.document))
    packed = never_dearer(packed, bought, market, pods, rules)
    status = OPTIMAL if packed.gap <= PROVEN else TIME_LIMIT if request.stopped() else WITHIN_GAP
    return replace(
        base,
        status=status,
        packed=packed,
        bought=bought,
        alternatives=others,
        frontier=frontier(bought, accepted) if request.simpler else (),
        notes=(*notes, *said),
    )


def _in_own_subnets(buying: Buying, accepted: Sequence[Purchase]) -> tuple[Purchase, list[str]]:
    """The best purchase that fits in one VPC, with subnets of its size; the first purchase if none fits."""
    best = with_own_subnets(buying, accepted[0])
    if best[0].result.verdict == "ok":
        return best
    for other in [p for p in accepted if p.addresses < accepted[0].addresses][:MOST_SIZED]:
        sized = with_own_subnets(buying, other)
        if sized[0].result.verdict == "ok":
            return sized
    return best


def _nothing(draft: Draft, choices: Choices) -> Optimized:
    """The answer for a plan without pods; types and prices are not read."""
    zero = Packing((), 0.0, 0.0)
    return Optimized(
        OPTIMAL,
        draft,
        Market(draft.plan, ()),
        (),
        archs_of(draft, choices),
        rules_of(draft, choices),
        packed=Packed(zero, zero, 0.0, 0.0),
        notes=draft.notes,
        choices=choices,
    )


def rules_of(draft: Draft, choices: Choices) -> Rules:
    """The rules of a search without penalties."""
    zones = draft.zones if choices.survive == "zone" else 0
    return Rules(choices.peak_hours, 0.0, choices.min_nodes, choices.max_nodes, zones, draft.zones)


def _said(market: Market, archs: Sequence[str], choices: Choices, *, gpus: bool) -> list[str]:
    """Notes on what the user did not request but must know."""
    notes = []
    if choices.arch is None:
        if len(archs) > 1:
            notes.append("types of x86_64 and arm64 are compared: the images must support both (or use --arch)")
        elif not choices.types:
            other = ARCHS[1 - ARCHS.index(archs[0])]
            notes.append(f"{archs[0]} only: images are not assumed to run on {other} as well (--arch {other})")
    if not choices.types:
        other = "" if gpus else "GPU, "
        notes.append(f"burstable, metal, {other}HPC and Xen types are excluded (use --types to choose the types)")
    if gpus:
        notes.append("NVIDIA GPUs of all models count the same, and parts of one (g6f) are excluded (use --types)")
    for reason, names in market.left_out:
        notes.append(f"{reason}, left out: {some_of(names, MOST_NAMED)}")
    return notes


def _packed(market: Market, pods: Sequence[Pods], rules: Rules, request: Request) -> Packed:
    """The packing now and at the peak; each costs at least as much as the fewest replicas require."""
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
    """Divisions from one group per workload to one group, and the packing's own mix."""
    choices = request.choices
    # Also without subnets: mixes with fewer addresses can need fewer added nodes, and subnets never lower the cost.
    listed: list[Division] = divisions(buying, market, choices, limited=True)
    mix = mixed(market, buying.pods, buying.rules, packed.now, packed.peak)
    if mix is not None:
        listed = ranked([*listed, mix], buying.rules, choices)
    return search(buying, listed, CHECKED[request.effort], request.stopped)
