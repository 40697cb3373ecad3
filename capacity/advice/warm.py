"""Compare WARM_* and MINIMUM_* targets on given nodes, and recommend one combination.

The addresses and calls of each combination are computed in :mod:`capacity.advice.warm_rows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

from capacity.advice.compare import Comparison, compare
from capacity.advice.distance import Distance, distance_of
from capacity.advice.judge import check
from capacity.advice.snippets.settings import env_commands
from capacity.advice.warm_choice import (
    candidates,
    env_change,
    mildest,
    plan_kinds,
    targets_of,
    warm_choices,
    with_frontier,
)
from capacity.advice.warm_churn import ChurnAsked
from capacity.advice.warm_rows import (
    NodeKind,
    WarmRow,
    WarmTargets,
    is_sound,
    waits_little,
    warm_curve,
    warm_rows,
)
from capacity.advice.warm_simulated import rows_under_churn, usual_row
from capacity.advice.warm_words import ENOUGH, HELPS, WORTH, rule, too_many_pods
from capacity.catalog.instance_type import InstanceType, check_type
from capacity.cluster.check import CheckResult
from capacity.cluster.group_shapes import group_shapes
from capacity.cluster.shape import GroupShape
from capacity.cni.calls import (
    CallCosts,
    call_costs,
)
from capacity.cni.node_pool import effective, gives_prefixes, node_limits
from capacity.cni.pool_terms import Terms, call_terms, pool_terms
from capacity.errors import SpecError, check_count, check_kind
from capacity.node.maxpods import max_pods
from capacity.node.platform import Platform, check_platform
from capacity.plan.cni_env import CniSettings, cni_settings, subnet_discovery_switch
from capacity.plan.constants import CILIUM, HOST_PODS, MOST_PODS, OVERLAY
from capacity.plan.declaration import QUARTER
from capacity.plan.model import Plan
from capacity.trace import Term
from capacity.units import counted, share_of


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Recommended setting and its effect.

    Attributes
    ----------
    change : mapping of str to (str or None)
        Variables to set, None to remove; empty if the current setting is recommended.
    comparison : Comparison or None
        Check of the plan before and after.
    """

    row: WarmRow
    rule: str
    change: Mapping[str, str | None]
    commands: tuple[str, ...]
    comparison: Comparison | None

    @property
    def patch(self) -> dict[str, object]:
        """Change as a patch of the plan."""
        return {f"cni.env.{name}": value for name, value in self.change.items()}


@dataclass(frozen=True, slots=True, repr=False)
class WarmAnswer:
    """All settings on the nodes, the current one, and the recommendation.

    Attributes
    ----------
    kinds, other_kinds : tuple of NodeKind
        The nodes, and the nodes in the other mode (prefixes instead of single addresses or the reverse).
    current : WarmRow
        The current settings.
    plan : Plan or None
        The plan of the nodes; None if the answer is for a type.
    churn : ChurnAsked or None
        The churn under which the settings were simulated; None if that was not asked.
    """

    kinds: tuple[NodeKind, ...]
    other_kinds: tuple[NodeKind, ...]
    rows: tuple[WarmRow, ...]
    current: WarmRow
    recommendation: Recommendation | None
    swing: Fraction
    costs: CallCosts
    notes: tuple[str, ...]
    plan: Plan | None = None
    churn: ChurnAsked | None = None

    def __repr__(self) -> str:
        change = self.recommendation.change if self.recommendation else {}
        told = " ".join(f"{name}={value}" for name, value in change.items()) or "nothing to change"
        return f"<WarmAnswer: {len(self.rows)} settings, {told}>"


def explain_row(found: WarmAnswer, row: WarmRow) -> Iterator[tuple[NodeKind, Terms]]:
    """Terms of one setting of the current mode on the fullest node of each group."""
    fullest: dict[str, NodeKind] = {}
    for kind in found.kinds:
        if kind.pods > fullest.get(kind.group, replace(kind, pods=-1)).pods:
            fullest[kind.group] = kind
    for kind in fullest.values():
        settings, swung = row.targets.on(kind.settings), kind.swing(found.swing)
        low, high = max(kind.pods - swung, 0), kind.pods + min(swung, kind.room)
        curve = warm_curve(kind.limits, settings, found.costs, kind.max_pods, max(kind.max_pods, high))
        terms = pool_terms(kind.limits, settings, kind.max_pods, kind.pods)
        terms.append(Term("swing", swung, f"{found.swing} of {kind.pods} pods, rounded up, at least 1"))
        terms += call_terms(kind.limits, settings, kind.max_pods, kind.pods, found.costs)
        for label, sums in (("coming", curve.started), ("going", curve.stopped)):
            calls = sums[high] - sums[low]
            terms.append(Term(f"calls: {label}", calls, f"{high - low} pods between {low} and {high}, one by one"))
        yield kind, terms


# --- who asks ---------------------------------------------------------------------------


def warm_for_plan(plan: Plan, swing: Fraction | float = QUARTER, churn: ChurnAsked | None = None) -> WarmAnswer:
    """Compare settings on the nodes of a plan, in steady and peak.

    Parameters
    ----------
    swing : Fraction or float
        Share of a node's pods that come and go, from 0 to 1.
    churn : ChurnAsked, optional
        Also simulate every setting under this churn; a recommended one then makes few pods wait. Without it, or with 0
        pods per minute, under the churn that the workloads of the plan state, if any.

    Raises
    ------
    SpecError
        The VPC CNI manages the pool of no node (Windows, Auto Mode, Fargate, Cilium), or the cluster is IPv6.
    """
    _check_churn(churn)
    check_kind("plan", plan, Plan, "a Plan, as returned by read_plan")
    swing = share_of("swing", swing)
    _refuse_without_targets(plan.cni.settings)
    base = check(plan, ("steady", "peak"))
    own, other = plan_kinds(base, base.scenarios), _other_mode(plan, base)
    if not own:
        nodes = "the VPC CNI manages no node in steady or peak"
        raise SpecError(f"{plan.file or 'the plan'}: {nodes}: there are no warm targets to set")
    notes = [*plan.notes]
    churn = churn if churn and churn.per_minute else churn_of_plan(plan, own, churn)
    if any(g.windows for g in plan.node_groups):
        notes.append("Windows nodes are not included: their targets are keys of ConfigMap amazon-vpc-cni (cni.windows)")
    if any(g.auto for g in plan.node_groups):
        notes.append(
            "EKS Auto Mode nodes are not included: Auto Mode manages their addresses and has no targets to set"
        )
    answer = _answer(own, other, plan.cni.settings, plan.cni.env, swing, notes, churn)
    before = check(plan, reuse=base.reuse)
    answer = replace(_enough_for(answer, own, before), plan=plan)
    best = answer.recommendation
    if best is None or not best.change:
        return answer
    comparison = compare(before, check(with_env(plan, best.change), reuse=before.reuse))
    commands = env_commands(best.change, plan.cni.env, plan.cni.config_map)
    return replace(answer, recommendation=replace(best, comparison=comparison, commands=commands))


def churn_of_plan(plan: Plan, kinds: Sequence[NodeKind], asked: ChurnAsked | None) -> ChurnAsked | None:
    """What the workloads of a plan state, spread evenly over its nodes in steady; None if none states any."""
    total = sum(w.churn or 0.0 for w in plan.workloads if not w.host_network and not w.security_groups)
    nodes = sum(kind.nodes for kind in kinds if kind.population == kinds[0].population)
    if not total or not nodes:
        return None
    source = f"{60 * total:g} pods per hour that the workloads of the plan state, over {counted(nodes, 'node')}"
    return replace(asked or ChurnAsked(0.0), per_minute=total / nodes, source=source)


def _enough_for(answer: WarmAnswer, kinds: Sequence[NodeKind], before: CheckResult) -> WarmAnswer:
    """The answer with the mildest targets that help most, if targets help a plan that is not ok."""
    plan = before.plan
    choices = None if before.verdict == "ok" else warm_choices(before)
    if choices is None:
        return answer

    def change_to(targets: WarmTargets) -> dict[str, str | None]:
        return env_change(targets, choices.current.targets, plan.cni.env)

    @cache
    def after(targets: WarmTargets) -> Distance:
        return distance_of(check(with_env(plan, change_to(targets)), before.specs, before.reuse))

    found = mildest(choices, distance_of(before), after)
    if found is None:
        return answer
    told = ENOUGH if after(found.targets).verdict == 0 else HELPS
    rows = answer.rows
    row = next((r for r in rows if r.targets == found.targets), None)
    if row is None:
        plain = warm_rows([found.targets], kinds, answer.costs, answer.swing)
        (row,) = rows_under_churn(
            plain, kinds, answer.churn, len(rows), discovery=subnet_discovery_switch(plan.cni.env)[0]
        )
        rows = (rows[0], row, *rows[1:])
    if not waits_little(row, usual_row(rows, prefix=row.targets.prefix)):
        return answer
    change = change_to(found.targets)
    recommended = Recommendation(row, told, change, env_commands(change, plan.cni.env), None)
    return replace(answer, rows=rows, recommendation=recommended)


def warm_for_type(
    kind: InstanceType,
    pods: range,
    env: Mapping[str, str | None],
    platform: Platform,
    by_hand: int | None = None,
    swing: Fraction | float = QUARTER,
    churn: ChurnAsked | None = None,
) -> WarmAnswer:
    """Compare settings on one node of a type, over a range of pods on VPC addresses.

    Parameters
    ----------
    pods : range
        All counts have equal weight. [pods]
    by_hand : int, optional
        Max pods set by hand. [pods]

    Raises
    ------
    SpecError
        The type has no known ENI limits, the node cannot run the smallest count, or the cluster is IPv6.
    """
    _check_churn(churn)
    check_type(kind)
    check_kind("pods", pods, range, "range(8, 31)")
    check_platform(platform)
    if len(pods) == 0 or pods[0] < 0:
        raise SpecError(f"pods: {pods!r} is not a range of counts (expected something like range(8, 31))")
    if by_hand is not None:
        check_count("by_hand", by_hand, 1, "pods", most=MOST_PODS)
    swing = share_of("swing", swing)
    given, notes = cni_settings(env)
    _refuse_without_targets(given)
    if platform.ami == "windows":
        raise SpecError(
            "Windows nodes: their targets are keys of ConfigMap amazon-vpc-cni (cni.windows), not aws-node's variables"
        )
    settings = effective(given, kind)
    if settings.prefix != given.prefix:
        notes = [*notes, f"{kind.name} runs on {kind.hypervisor}: it gets single addresses, not prefixes"]
    own = _range_kinds(kind, pods, settings, platform, by_hand)
    if not own:
        most = _range_kinds(kind, range(0, 1), settings, platform, by_hand)[0].room
        raise SpecError(f"{kind.name!r} runs at most {most} pods on VPC addresses under these settings, not {pods[0]}")
    if own[-1].pods < pods[-1]:
        notes = [*notes, too_many_pods(kind.name, own[-1], pods[-1])]
    other: list[NodeKind] = []
    if gives_prefixes(settings, kind):
        flipped = replace(settings, prefix=not settings.prefix)
        other = _range_kinds(kind, pods, flipped, platform, by_hand)
    return _answer(own, other, settings, env, swing, notes, churn)


def with_env(plan: Plan, change: Mapping[str, str | None]) -> Plan:
    """The plan with CNI variables set, or removed if None."""
    env = {n: v for n, v in {**plan.cni.env, **change}.items() if change.get(n, "") is not None}
    warnings = cni_settings(env, "", plan.kubernetes.ip_family)[1]
    replaced = set(cni_settings(plan.cni.env, "", plan.kubernetes.ip_family)[1])
    notes = (*(n for n in plan.notes if n not in replaced), *warnings)
    return replace(plan, cni=replace(plan.cni, env=env), notes=notes)


def _refuse_without_targets(settings: CniSettings) -> None:
    if settings.ipv6:
        raise SpecError("IPv6 nodes hold no IPv4 addresses for pods: there are no warm targets to set")
    if settings.cni == OVERLAY:
        raise SpecError("pods of an overlay CNI use no VPC addresses: there are no warm targets to set")
    if settings.cni == CILIUM:
        raise SpecError(
            "WARM_* targets belong to the VPC CNI: with Cilium, change cni.cilium.preAllocate (capacity compare)"
        )


# --- the nodes --------------------------------------------------------------------------


def _other_mode(plan: Plan, result: CheckResult) -> list[NodeKind]:
    """Nodes and pods in the other mode: prefixes instead of single addresses, or the reverse."""
    flipped = with_env(plan, {"ENABLE_PREFIX_DELEGATION": "false" if plan.cni.settings.prefix else "true"})
    shapes = {s.group.name: s for s in group_shapes(flipped)}
    kinds = [_in_shape(k, shapes[k.group]) for k in plan_kinds(result, result.scenarios)]
    return kinds if any(k.settings.prefix != plan.cni.settings.prefix for k in kinds) else []


def _in_shape(kind: NodeKind, shape: GroupShape) -> NodeKind:
    """Nodes and pods with the figures of another shape."""
    first = shape.first
    return replace(kind, limits=first.limits, settings=first.settings, max_pods=first.max_pods)


def _range_kinds(
    kind: InstanceType, pods: range, settings: CniSettings, platform: Platform, by_hand: int | None
) -> list[NodeKind]:
    mode = "prefix" if settings.prefix else "secondary"
    most = by_hand if by_hand is not None else max_pods(kind, replace(platform, mode=mode)).max_pods
    limits = node_limits(kind, settings)
    assert most is not None, "node_limits refuses types without ENI figures"
    first = NodeKind("range", "", kind.name, limits, settings, most, HOST_PODS, 0, 1)
    return [replace(first, pods=p) for p in pods if p <= first.room]


# --- the choice -------------------------------------------------------------------------


def _check_churn(value: object) -> None:
    if value is not None:
        check_kind("churn", value, ChurnAsked, "a ChurnAsked, or None")


def _answer(
    own: Sequence[NodeKind],
    other: Sequence[NodeKind],
    settings: CniSettings,
    env: Mapping[str, str | None],
    swing: Fraction,
    notes: Sequence[str],
    churn: ChurnAsked | None,
) -> WarmAnswer:
    discovery, _ = subnet_discovery_switch(env)
    costs = call_costs(custom_networking=settings.custom_networking, subnet_discovery=discovery)
    mode = settings.prefix
    present = targets_of(settings)
    asked = list(dict.fromkeys((present, *candidates(own, swing, prefix=mode))))
    rows = with_frontier(warm_rows(asked, own, costs, swing))
    others = with_frontier(warm_rows(candidates(other, swing, prefix=not mode), other, costs, swing)) if other else []
    settings_asked = len(rows) + len(others)
    rows = rows_under_churn(rows, own, churn, settings_asked, discovery=discovery)
    rows += rows_under_churn(others, other, churn, settings_asked, discovery=discovery)
    return WarmAnswer(
        kinds=tuple(own),
        other_kinds=tuple(other),
        rows=tuple(rows),
        current=rows[0],
        recommendation=_recommend(rows, rows[0], env, churn),
        swing=swing,
        costs=costs,
        notes=tuple(dict.fromkeys(notes)),
        churn=churn,
    )


def _recommend(
    rows: Sequence[WarmRow], current: WarmRow, env: Mapping[str, str | None], churn: ChurnAsked | None
) -> Recommendation | None:
    """Sound setting of the current mode with the fewest addresses."""
    prefix = current.targets.prefix
    usual = usual_row(rows, prefix=prefix)
    fit = [r for r in rows if r.targets.prefix == prefix and is_sound(r, usual)]
    if not fit:
        return None
    best = min(fit, key=lambda r: (r.costs[0], sum(r.addresses.values()), *r.costs[1:]))
    if current in fit and current.costs[0] - best.costs[0] < WORTH * current.costs[0]:
        best = current
    change = env_change(best.targets, current.targets, env)
    return Recommendation(best, rule(prefix=prefix, churn=churn), change, env_commands(change, env), None)
