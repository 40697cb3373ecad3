"""Computes the smallest subnets for a plan in all its scenarios, allocated from free space of the VPC.

Only ``check`` decides: subnets of a copy of the plan are enlarged until each is ok in every scenario, so headroom,
worst-case placement, reservations and prefixes count exactly as in a check.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from ipaddress import IPv4Network

from capacity.cluster.check import CheckResult, check
from capacity.cluster.scenario import ScenarioState
from capacity.cluster.unplaced import without_address
from capacity.errors import InfeasiblePlan, check_each, check_kind, check_switch
from capacity.plan.discovery import eni_choices
from capacity.plan.model import RESERVED_BY_AWS, NodeGroup, Plan, Reservation, Subnet
from capacity.plan.scenarios import when_words
from capacity.units import share_of
from capacity.vpc.cidr_rules import LARGEST, SMALLEST, addable
from capacity.vpc.free_space import laid_out
from capacity.vpc.layout import Layout
from capacity.vpc.ledger import SubnetState
from capacity.vpc.reservations import reservation_choices


@dataclass(frozen=True)
class SizedSubnet:
    """One subnet of the answer.

    Attributes
    ----------
    serves : str
        ``nodes``, ``pods`` (custom networking, or tagged for discovery), or both.
    needed : int
        Prefix length of the smallest size that is ok in every scenario.
    existing : IPv4Network or None
        The plan's current block.
    cidr : IPv4Network
        Kept or new.
    kept : bool
        Whether the existing subnet is large enough.
    growth_ready : bool
        Whether the other half of the next larger block is free (new subnets only).
    smaller_fails : str
        Why the next smaller size is not enough; empty for a /28.
    tightest : SubnetState
        The ledger of the scenario with the fewest free addresses.
    scenario : str
        Its name.
    reservations : tuple of IPv4Network
        CIDR reservations of type prefix that guarantee room for its prefixes.
    """

    name: str
    zone: str
    serves: str
    needed: int
    existing: IPv4Network | None
    cidr: IPv4Network
    kept: bool
    growth_ready: bool
    smaller_fails: str
    tightest: SubnetState
    scenario: str
    reservations: tuple[IPv4Network, ...]


@dataclass(frozen=True, repr=False)
class Sizing:
    """The result: the subnets, the plan with them, its check, and the added VPC blocks."""

    subnets: tuple[SizedSubnet, ...]
    plan: Plan
    result: CheckResult
    added_blocks: tuple[IPv4Network, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        kept = sum(s.kept for s in self.subnets)
        return f"<Sizing: {len(self.subnets)} subnets, {kept} kept, {len(self.added_blocks)} blocks added>"


def size_plan(
    plan: Plan,
    headroom: Fraction | float | None = None,
    scenarios: Sequence[str] | None = None,
    more_blocks: Sequence[IPv4Network] = (),
    *,
    fresh: bool = False,
    equal: bool = False,
) -> Sizing:
    """Size the subnets that node groups use.

    Parameters
    ----------
    headroom : Fraction or float, optional
        Share from 0 to 1 that stays free in every scenario; without it the plan's ``minFree``.
    fresh : bool
        Create new subnets for all; otherwise existing subnets that are large enough are kept.
    equal : bool
        One size for all node subnets and one for all pod subnets.
    more_blocks : sequence of IPv4Network
        Blocks to add to the VPC.

    Raises
    ------
    SpecError
        A headroom that is not a share from 0 to 1.
    InfeasiblePlan
        A subnet needs more than a /16, or the VPC has no room; the message says what helps.
    """
    check_kind("plan", plan, Plan, "a Plan, as read_plan gives")
    check_each("more_blocks", more_blocks, IPv4Network, "a list of ipaddress.IPv4Network")
    check_switch("fresh", fresh)
    check_switch("equal", equal)
    if headroom is not None:
        plan = replace(plan, checks=replace(plan.checks, min_free=share_of("headroom", headroom)))
    serves = _served(plan)
    if not serves:
        raise InfeasiblePlan("the plan has no node groups, so nothing needs a subnet", ("nodeGroups",))
    blocks = _blocks(plan, more_blocks)
    needed, fails = _smallest_sizes(plan, serves, scenarios)
    if equal:
        needed = _equalised(needed, serves)
    kept = frozenset[str]() if fresh else _sufficient(plan, serves, needed, scenarios)
    layout = laid_out(plan, {n: size for n, size in needed.items() if n not in kept}, blocks, serves, fresh=fresh)
    sized = _with_cidrs(plan, layout.placed, blocks)
    result = check(sized, scenarios)
    reservations = _reservations(result, layout.placed)
    if reservations:
        sized, result, reservations = _with_reservations(sized, result, reservations, scenarios)
    subnets = tuple(
        _sized(plan.subnet(name), what, needed, fails, layout, result, reservations, fresh)
        for name, what in serves.items()
    )
    return Sizing(subnets, sized, result, tuple(blocks[len(plan.vpc_cidrs) :]), _notes(result, serves, kept))


def _served(plan: Plan) -> dict[str, str]:
    """The use of each subnet that a node group names, in the plan's order."""
    nodes = {n for g in plan.node_groups for n in g.subnets}
    pods = {n for g in plan.node_groups for n in (*g.pod_subnets, *_discovered(plan, g))}
    words = {(True, False): "nodes", (False, True): "pods", (True, True): "nodes and pods"}
    return {s.name: words[s.name in nodes, s.name in pods] for s in plan.subnets if s.name in nodes | pods}


def _discovered(plan: Plan, group: NodeGroup) -> set[str]:
    """Subnets that get additional ENIs of a group's nodes because of their tags."""
    return {n for home, here in eni_choices(plan, group).items() for n in here if n != home}


def _blocks(plan: Plan, more: Sequence[IPv4Network]) -> list[IPv4Network]:
    """The VPC's blocks plus the added ones, each of which AWS must allow."""
    blocks = list(plan.vpc_cidrs)
    for cidr in more:
        verdict = addable(cidr, blocks)
        if verdict.verdict == "no":
            raise InfeasiblePlan(
                f"{cidr} cannot be added to the VPC: {verdict.reason} ({verdict.source})", (str(cidr),)
            )
        blocks.append(cidr)
    return blocks


# --- how large ----------------------------------------------------------------------------------


def _smallest_sizes(
    plan: Plan, serves: Mapping[str, str], scenarios: Sequence[str] | None
) -> tuple[dict[str, int], dict[str, str]]:
    """Prefix length per subnet, and why the next smaller size fails.

    All start as /28. Subnets that fail the check grow to the size for the addresses used there, at least by one, until
    none fails. Then each is tried one size smaller: all at the same time, because one subnet's size does not affect the
    load of others, except with spread ``worst``, where they are tried one by one.
    """
    lengths = dict.fromkeys(serves, SMALLEST)
    while failing := _failing(check(_resized(plan, lengths), scenarios), lengths):
        stuck = [name for name in failing if lengths[name] == LARGEST]
        if stuck:
            fault = _fault(*failing[stuck[0]], plan.checks.min_free)
            raise InfeasiblePlan(_too_large(plan, stuck[0], fault), tuple(stuck))
        for name, (state, _) in failing.items():
            lengths[name] = min(_length_for(state, plan.checks.min_free), lengths[name] - 1)
    alone = any(g.spread == "worst" or eni_choices(plan, g) for g in plan.node_groups)
    return _tightened_one_by_one(plan, lengths, scenarios) if alone else _tightened(plan, lengths, scenarios)


def _length_for(state: SubnetState, min_free: Fraction) -> int:
    """The smallest size with enough addresses for the current use: the next size to try, not a verdict."""
    for length in range(SMALLEST, LARGEST, -1):
        usable = (1 << (32 - length)) - RESERVED_BY_AWS
        if state.used_total <= (1 - min_free) * usable and state.used_highest <= usable:
            return length
    return LARGEST


def _tightened(
    plan: Plan, lengths: dict[str, int], scenarios: Sequence[str] | None
) -> tuple[dict[str, int], dict[str, str]]:
    """The smallest sizes that pass the check, and why smaller ones fail."""
    while True:
        smaller = {name: length + 1 for name, length in lengths.items() if length < SMALLEST}
        fails = _faults(check(_resized(plan, lengths | smaller), scenarios), smaller)
        if len(fails) == len(smaller):
            return lengths, fails
        lengths = lengths | {name: length for name, length in smaller.items() if name not in fails}


def _tightened_one_by_one(
    plan: Plan, lengths: dict[str, int], scenarios: Sequence[str] | None
) -> tuple[dict[str, int], dict[str, str]]:
    """The smallest sizes if the size of one subnet affects the load of others."""
    fails: dict[str, str] = {}
    for name in lengths:
        while lengths[name] < SMALLEST:
            trial = lengths | {name: lengths[name] + 1}
            faults = _faults(check(_resized(plan, trial), scenarios), trial)
            if faults:
                fails[name] = faults.get(name) or f"then {next(iter(faults))} fails: {next(iter(faults.values()))}"
                break
            lengths = trial
    return lengths, fails


def _resized(plan: Plan, lengths: Mapping[str, int]) -> Plan:
    """The plan with resized subnets in new blocks, without reservations, which belong to the old blocks."""
    start = int(IPv4Network("10.0.0.0/8").network_address)
    subnets = tuple(
        replace(s, cidr=IPv4Network((start + (i << 16), lengths[s.name])), reservations=()) if s.name in lengths else s
        for i, s in enumerate(plan.subnets)
    )
    return replace(plan, subnets=subnets)


def _failing(result: CheckResult, names: Mapping[str, object]) -> dict[str, tuple[SubnetState, ScenarioState]]:
    """The subnets that fail the check, each in the failing scenario with the fewest free addresses."""
    worst: dict[str, tuple[SubnetState, ScenarioState]] = {}
    for scenario in result.scenarios:
        for state in scenario.subnets:
            name = state.subnet.name
            if name in names and state.verdict != "ok" and (name not in worst or state.free < worst[name][0].free):
                worst[name] = (state, scenario)
    return worst


def _faults(result: CheckResult, names: Mapping[str, object]) -> dict[str, str]:
    """The failure of each subnet, in words."""
    return {name: _fault(*found, result.plan.checks.min_free) for name, found in _failing(result, names).items()}


def _fault(state: SubnetState, scenario: ScenarioState, min_free: Fraction) -> str:
    size, usable = f"a /{state.subnet.cidr.prefixlen}", state.subnet.usable
    if state.free < 0:
        return f"{size} is {-state.free:,} short in {scenario.title}"
    if not state.prefixes_placed:
        return f"{size} has no room for {state.prefixes:,} prefixes in {scenario.title}"
    if state.free < min_free * usable:
        share = float(100 * min_free)
        return f"{size} keeps {state.free:,} of {usable:,} free in {scenario.title}, less than {share:g}%"
    return f"{size} can need {state.used_highest:,} addresses in {scenario.title} in the worst-case placement"


def _too_large(plan: Plan, name: str, fault: str) -> str:
    zone = plan.subnet(name).zone
    return (
        f"{name}: even {fault}, and no subnet is larger: add subnets in {zone} to the node groups, or hold "
        "fewer addresses per node (capacity warm)"
    )


def _equalised(needed: Mapping[str, int], serves: Mapping[str, str]) -> dict[str, int]:
    """Sizes with the largest size of each kind for all subnets of that kind."""
    return {name: min(needed[other] for other in needed if serves[other] == serves[name]) for name in needed}


def _sufficient(
    plan: Plan, serves: Mapping[str, str], needed: Mapping[str, int], scenarios: Sequence[str] | None
) -> frozenset[str]:
    """Subnets that can stay: they pass the check unchanged, with the others at their new sizes.

    If resizing others moves load to a kept subnet, it cannot stay either.
    """
    kept = {name for name in serves if plan.subnet(name).cidr.prefixlen <= needed[name]}
    while kept:
        lengths = {name: size for name, size in needed.items() if name not in kept}
        faults = _faults(check(_resized(plan, lengths), scenarios), dict.fromkeys(kept))
        if not faults:
            break
        kept -= set(faults)
    return frozenset(kept)


def _with_cidrs(plan: Plan, placed: Mapping[str, IPv4Network], blocks: Sequence[IPv4Network]) -> Plan:
    subnets = tuple(replace(s, cidr=placed[s.name], reservations=()) if s.name in placed else s for s in plan.subnets)
    return replace(plan, subnets=subnets, vpc_cidrs=tuple(blocks))


# --- reservations for prefixes --------------------------------------------------------------------


def _reservations(result: CheckResult, placed: Mapping[str, IPv4Network]) -> dict[str, list[tuple[IPv4Network, ...]]]:
    """For each new subnet with prefixes, the reservations for its maximum number of prefixes, best first."""
    most: dict[str, int] = {}
    for state in result.scenarios:
        for s in state.subnets:
            if s.subnet.name in placed and s.prefixes:
                most[s.subnet.name] = max(most.get(s.subnet.name, 0), s.prefixes)
    return {name: reservation_choices(Subnet(name, "", placed[name]), blocks) for name, blocks in most.items()}


def _with_reservations(
    plan: Plan,
    result: CheckResult,
    choices: Mapping[str, list[tuple[IPv4Network, ...]]],
    scenarios: Sequence[str] | None,
) -> tuple[Plan, CheckResult, dict[str, list[tuple[IPv4Network, ...]]]]:
    """Add reservations with which the subnet is still ok: one CIDR if that leaves enough room, otherwise several."""
    chosen: dict[str, list[tuple[IPv4Network, ...]]] = {}
    left = {name: list(options) for name, options in choices.items()}
    while any(left.values()):
        trial = {name: options.pop(0) for name, options in left.items() if options}
        reserved = {n: tuple(Reservation(c, "prefix") for c in cidrs) for n, cidrs in trial.items()}
        proposed = _reserve(plan, reserved)
        checked = check(proposed, scenarios)
        faults = _faults(checked, trial)
        good = {n: r for n, r in reserved.items() if n not in faults}
        plan = _reserve(plan, good)
        for name in good:
            chosen[name] = [trial[name]]
            left[name] = []
    return plan, check(plan, scenarios) if chosen else result, chosen


def _reserve(plan: Plan, reserved: Mapping[str, tuple[Reservation, ...]]) -> Plan:
    subnets = tuple(replace(s, reservations=reserved[s.name]) if s.name in reserved else s for s in plan.subnets)
    return replace(plan, subnets=subnets)


# --- the answer -----------------------------------------------------------------------------------


def _sized(
    old: Subnet,
    what: str,
    needed: Mapping[str, int],
    fails: Mapping[str, str],
    layout: Layout,
    result: CheckResult,
    reservations: Mapping[str, list[tuple[IPv4Network, ...]]],
    fresh: bool,
) -> SizedSubnet:
    name, new = old.name, result.plan.subnet(old.name)
    scenario, state = tightest(result, name)
    return SizedSubnet(
        name=name,
        zone=old.zone,
        serves=what,
        needed=needed[name],
        existing=None if fresh else old.cidr,
        cidr=new.cidr,
        kept=name not in layout.placed,
        growth_ready=name in layout.growth_ready,
        smaller_fails=fails.get(name, "") if needed[name] < SMALLEST else "",
        tightest=state,
        scenario=scenario,
        reservations=tuple(r.cidr for r in new.reservations) if name in reservations else (),
    )


def tightest(result: CheckResult, name: str) -> tuple[str, SubnetState]:
    """The scenario with the fewest free addresses in a subnet, and its ledger there."""
    states = [(s.title, t) for s in result.scenarios for t in s.subnets if t.subnet.name == name]
    return min(states, key=lambda pair: pair[1].free)


def _notes(result: CheckResult, serves: Mapping[str, str], kept: frozenset[str]) -> tuple[str, ...]:
    notes = [
        f"{unplaced} {when_words(state.name, state.title)}, limited by {unplaced.lack}: the sizes are for the "
        "schedulable pods"
        for state in result.scenarios
        for unplaced in state.unplaced
    ]
    notes += [
        f"{without_address(group.pods_without_address, group.shape.group.name)} "
        f"{when_words(state.name, state.title)}: no subnet size helps, because max pods is higher than the ENIs support"
        for state in result.scenarios
        for group in state.groups
        if group.pods_without_address
    ]
    others = sorted({s.subnet.name for t in result.scenarios for s in t.subnets if s.verdict != "ok"} - set(serves))
    if others:
        notes.append(f"not sized because no node group uses them, and not ok: {', '.join(others)}")
    moved = [s.name for s in result.plan.subnets if s.used and s.name in serves and s.name not in kept]
    if moved:
        notes.append(f"the plan's 'used' of {', '.join(moved)} is counted in the new subnets too")
    return tuple(dict.fromkeys(notes))
