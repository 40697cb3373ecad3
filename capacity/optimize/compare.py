"""Compare the answer with simpler choices: one type, two types, small nodes, another architecture, and their cost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from capacity.cost.inputs import CostInputs
from capacity.cost.rates import PriceBook
from capacity.errors import SpecError
from capacity.optimize.buy import Buying, Purchase, nodes_of
from capacity.optimize.choices import Choices
from capacity.optimize.divisions import Found, divisions, search
from capacity.optimize.market import Market, node_price, pods_of
from capacity.optimize.modes import NAMES, PREFIXES
from capacity.optimize.open_plan import Draft, draft_of
from capacity.optimize.optimized import Alternative
from capacity.optimize.request import Request, archs_of, market_of
from capacity.plan.constants import ARCHS

CHECKED = 6  # divisions of an alternative that are checked, at most
SMALL_VCPUS = 16
ONE_TYPE = "one type"
OWN_GROUPS = "the plan's own node groups"


def alternatives(
    buying: Buying, market: Market, found: Found, request: Request
) -> tuple[tuple[Alternative, ...], Found]:
    """Simpler and other choices; if one of the simpler choices is cheaper than the answer, it becomes the answer."""
    assert found.bought is not None
    own = _current(buying, request.inputs) if request.simpler or request.current else []
    if not request.simpler:
        return tuple(own), found
    rows: list[tuple[str, Purchase | None]] = []
    best, tried = found.bought, list(found.tried)
    for name, part, choices in _simpler(market, request.choices):
        if request.stopped():
            break
        simple = _bought(buying, part, choices, request.stopped)
        known = [p for p in tried if buying.accepts(p) and _within(p, part, choices)]
        simple = min([*([simple] if simple else []), *known], key=lambda p: p.figures, default=None)
        rows.append((name, simple))
        if simple is not None and simple not in known:
            tried.append(simple)
            if simple.usd_per_hour < best.usd_per_hour - 1e-9:
                best = simple
    others = [_row(name, p) for name, p in rows if name != ONE_TYPE or not _same(rows)]
    others += [] if request.stopped() else list(_other_networks(buying, request))
    others += own
    return tuple(others), Found(best, found.nearest, tuple(tried))


def _within(p: Purchase, market: Market, choices: Choices) -> bool:
    """Whether a purchase also answers a narrower question."""
    types = {s.candidate.name for s in p.division}
    few = choices.max_types is None or len(types) <= choices.max_types
    return few and len(p.division) <= choices.max_groups and types <= {c.name for c in market.candidates}


def _same(rows: list[tuple[str, Purchase | None]]) -> bool:
    """Whether one type is cheapest in one node group."""
    if len(rows) < 2:
        return False
    (_, group), (_, kind) = rows[:2]
    return group is not None and kind is not None and group.usd_per_hour == kind.usd_per_hour


def _simpler(market: Market, choices: Choices) -> Iterator[tuple[str, Market, Choices]]:
    """Narrower questions: each of their answers is also an answer to the question."""
    yield "one node group of one type", market, replace(choices, max_types=1, max_groups=1)
    yield ONE_TYPE, market, replace(choices, max_types=1)
    yield "at most two types", market, replace(choices, max_types=min(choices.max_types or 2, 2))
    x86 = [c.name for c in market.candidates if c.shape.first.instance_type.arch == ARCHS[0]]
    if 0 < len(x86) < len(market.candidates):
        yield "x86_64 only", market.of(x86), choices
    small = [c.name for c in market.candidates if c.vcpus <= SMALL_VCPUS]
    if 0 < len(small) < len(market.candidates):
        yield f"at most {SMALL_VCPUS} vCPUs per node", market.of(small), choices


def _bought(buying: Buying, market: Market, choices: Choices, stopped: Callable[[], bool]) -> Purchase | None:
    listed = divisions(buying, market, choices, limited=not buying.draft.sizes_subnets)
    return search(buying, listed, CHECKED, stopped).bought


def _row(name: str, p: Purchase | None, note: str = "") -> Alternative:
    if p is None:
        return Alternative(name, None, note=note or "not possible")
    return Alternative(name, p.usd_per_hour, p.nodes(peak=True), p.addresses, note or mix(p))


def mix(p: Purchase) -> str:
    """The nodes at the peak by type."""
    count: dict[str, int] = {}
    for s, name in zip(p.division, p.names, strict=True):
        count[s.candidate.name] = count.get(s.candidate.name, 0) + nodes_of(p.peak, name)
    return mix_words(count)


def mix_words(count: Mapping[str, int]) -> str:
    """Numbers of nodes by type.

    >>> mix_words({"m5.large": 2, "c5.large": 1})
    '2 m5.large + 1 c5.large'
    """
    return " + ".join(f"{n:,} {kind}" for kind, n in count.items())


def _other_networks(buying: Buying, request: Request) -> Iterator[Alternative]:
    """Alternatives with the other architecture, and with the other CNI mode (single addresses or prefixes)."""
    draft = buying.draft
    archs = archs_of(draft, request.choices)
    if len(archs) == 1 and not request.choices.types:
        other = ARCHS[1 - ARCHS.index(archs[0])]
        yield _elsewhere(f"{other} instead of {archs[0]}", buying, draft, request, (other,))
    settings = draft.plan.cni.settings
    if draft.plan.cni.name == "vpc-cni" and not settings.ipv6 and not draft.template.auto:
        value, name, instead = ("false", *NAMES.values()) if settings.prefix else ("true", *reversed(NAMES.values()))
        changed = _with_env(draft, request.choices, {PREFIXES: value})
        if changed is not None:
            yield _elsewhere(f"{name} instead of {instead}", buying, changed, request, archs)


def _with_env(draft: Draft, choices: Choices, env: dict[str, str]) -> Draft | None:
    """The draft with other CNI variables; None if they contradict the plan."""
    document = json.loads(json.dumps(draft.document))
    cni = document["cni"] = dict(document.get("cni") or {})
    cni["env"] = {**(cni.get("env") or {}), **env}
    try:
        plain = replace(choices, headroom=Fraction(0))  # the draft has it
        made = draft_of(document, plain, file=draft.file, catalog=draft.catalog)
    except SpecError:
        return None
    return replace(
        made,
        workloads=draft.workloads,
        replaced=draft.replaced,
        sizes_subnets=draft.sizes_subnets,
        replicas=draft.replicas,
    )


def _elsewhere(name: str, buying: Buying, draft: Draft, request: Request, archs: tuple[str, ...]) -> Alternative:
    try:
        market, _ = market_of(draft, request, archs)
    except SpecError as error:
        return _row(name, None, str(error))
    moved = tuple(p for p in pods_of(draft.plan, draft.workloads) if p.most)
    other = replace(buying, draft=draft, pods=moved, counted={})
    return _row(name, _bought(other, market, request.choices, request.stopped))


def _current(buying: Buying, inputs: CostInputs) -> list[Alternative]:
    """The cost of the plan's current groups that would be replaced."""
    plan = buying.draft.original
    if plan is None or not buying.draft.replaced:
        return []
    result = buying.judge(plan, buying.scenarios or None)
    states = {s.name: s for s in buying.judge(plan, ("steady", "peak")).scenarios}
    steady, peak = states["steady"], states["peak"]
    book = PriceBook(buying.draft.plan.region, inputs)
    shapes = {s.group.name: s for s in result.shapes}
    prices = {
        g.name: node_price(book, shapes[g.name].group, shapes[g.name].first.instance_type)
        for g in buying.draft.replaced
    }
    nodes = sum(nodes_of(peak, name) for name in prices)
    addresses = sum(s.used_total for s in peak.subnets)
    left = steady.unplaced_pods or peak.unplaced_pods
    types: dict[str, int] = {}
    for name in prices:
        kind = shapes[name].first.instance_type.name
        types[kind] = types.get(kind, 0) + nodes_of(peak, name)
    note = f"{left:,} unschedulable pods" if left else ""
    if result.verdict != "ok" and buying.draft.sizes_subnets is False:
        note = f"check: {result.verdict}" + (f", {note}" if note else "")
    note = mix_words(types) + (f" ({note})" if note else "")
    unknown = [name for name, each in prices.items() if each is None]
    if unknown:
        return [Alternative(OWN_GROUPS, None, nodes, addresses, f"no price of {unknown[0]} is known")]
    now, then = (
        sum((each or 0.0) * nodes_of(state, name) for name, each in prices.items()) for state in (steady, peak)
    )
    usd = round(buying.rules.weighed(now, then), 9)
    return [Alternative(OWN_GROUPS, usd, nodes, addresses, note)]
