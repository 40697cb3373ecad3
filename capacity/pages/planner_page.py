"""What the planner page shows in addition to an answer: the sentence, sliders, block maps and headroom curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from capacity.advice.subnet_split import other_half
from capacity.advice.summary import verdict_sentence
from capacity.cluster.check import CheckResult
from capacity.cluster.headroom import HeadroomCurve
from capacity.cluster.scenario import ScenarioState
from capacity.plan.constants import MOST
from capacity.plan.model import NodeGroup, Plan, Workload
from capacity.plan.patch import entry
from capacity.vpc.block_map import packed_blocks
from capacity.vpc.cidr_rules import SMALLEST

MOST_SLIDERS = 12  # of node groups and workloads: a page with more is a form
_ENV = "cni.env."
_TARGETS = ("WARM_IP_TARGET", "MINIMUM_IP_TARGET")


def sentence_json(result: CheckResult) -> dict[str, Any]:
    """The verdict with its sentence, and the share of each subnet that must stay free."""
    sentence = verdict_sentence(result).removeprefix(f"{result.verdict.upper()}: ")
    return {"verdict": result.verdict, "sentence": sentence, "min_free": float(result.plan.checks.min_free)}


def maps_json(result: CheckResult, state: ScenarioState) -> list[dict[str, Any]]:
    """The /28 blocks of each subnet in a scenario as runs of one state, its holders, and what can be split or joined.

    Runs are ``[state, blocks]`` in address order, packed as in :func:`capacity.vpc.block_map.packed_blocks`.
    """
    return [
        {
            "name": held.subnet.name,
            "zone": held.subnet.zone,
            "cidr": str(held.subnet.cidr),
            "usable": held.subnet.usable,
            "free": held.free,
            "verdict": held.verdict,
            "lost": state.is_lost(held.subnet),
            "holders": held.grouped,
            "blocks": [[kind, len(list(run))] for kind, run in groupby(packed_blocks(held).states)],
            "split": held.subnet.cidr.prefixlen < SMALLEST and not held.subnet.reservations,
            "join": half.name if (half := other_half(result.plan, held.subnet)) and not half.reservations else None,
        }
        for held in state.subnets
    ]


def curve_json(curve: HeadroomCurve) -> dict[str, Any]:
    """A headroom curve, with the crossing in words."""
    ends = [(end, name) for name, end in zip(curve.subnets, curve.exhausted_at, strict=True) if end is not None]
    full = "; ".join(f"{name} runs out at {end:,} {curve.what}" for end, name in sorted(ends))
    return {
        "what": curve.what,
        "rule": curve.rule,
        "now": curve.now,
        "counts": list(curve.counts),
        "subnets": list(curve.subnets),
        "free": [list(row) for row in curve.free],
        "exhausted_at": list(curve.exhausted_at),
        "sentence": f"{full or f'No subnet runs out up to {curve.counts[-1]:,} {curve.what}'}.",
    }


def sliders_json(plan: Plan, document: Mapping[str, Any]) -> dict[str, Any]:
    """The figures that can be changed by a slider, each with its path, and the number of those left out.

    Only what the plan already contains can be changed, except for the CNI's warm targets.
    """
    groups = zip(plan.node_groups, document.get("nodeGroups") or (), strict=False)
    loads = zip(plan.workloads, document.get("workloads") or (), strict=False)
    found = [s for g, written in groups for s in _of_group(g, written)]
    found += [s for w, written in loads for s in _of_workload(w, written)]
    own = [] if plan.cni.name != "vpc-cni" or plan.cni.settings.ipv6 else list(_of_cni(plan))
    types = [
        {"path": entry("nodeGroups", g.name, "instanceTypes"), "label": g.name, "value": g.instance_types[0].name}
        for g in plan.node_groups
        if not g.fargate
    ]
    return {
        "numbers": own + found[:MOST_SLIDERS],
        "left_out": max(len(found) - MOST_SLIDERS, 0),
        "types": types[:MOST_SLIDERS],
        "prefix": {"path": f"{_ENV}ENABLE_PREFIX_DELEGATION", "value": plan.cni.settings.prefix} if own else None,
    }


def _number(path: str, label: str, value: int | None, most: int) -> dict[str, Any]:
    return {"path": path, "label": label, "value": value, "most": min(most, MOST)}


def _of_group(group: NodeGroup, written: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    nodes = written.get("nodes")
    if isinstance(nodes, Mapping) and group.max_nodes is not None and "max" in nodes:
        most = max(3 * group.max_nodes, 10)
        yield _number(entry("nodeGroups", group.name, "nodes.max"), f"{group.name}: nodes.max", group.max_nodes, most)


def _of_workload(load: Workload, written: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    replicas = written.get("replicas")
    if isinstance(replicas, Mapping) and "max" in replicas:
        path, label, value = "replicas.max", f"{load.name}: replicas.max", load.max_replicas
    elif isinstance(replicas, str):
        path, label, value = "replicas", f"{load.name}: replicas", load.replicas
    else:
        return
    yield _number(entry("workloads", load.name, path), label, value, max(3 * value, 10))


def _of_cni(plan: Plan) -> Iterator[dict[str, Any]]:
    settings = plan.cni.settings
    for name, value in zip(_TARGETS, (settings.warm_ip, settings.minimum_ip), strict=True):
        yield _number(f"{_ENV}{name}", f"{name} (0: not set)", value, 60)
