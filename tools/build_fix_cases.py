"""Writes docs/reference/fix-cases.md: failing plans of six kinds, and the fix that the search chooses for each.

python tools/build_fix_cases.py
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capacity.advice.fixes import Fixes
from capacity.advice.judge import check
from capacity.advice.search import find_fixes
from capacity.plan.document import parse_json
from capacity.plan.parse import parse_plan
from capacity.plan.sections import PlanSection

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "fix-cases.md"
EACH = 10  # plans of a kind

HEAD = """\
# Fixes chosen on generated plans

Made by `make docs-reference`; edit `tools/build_fix_cases.py`, not this page.

A seeded generator creates ten failing plans of each of six kinds; the tables show the smallest fix that `check` finds.
A test generates them again and checks that each gets the expected fix for its kind. For how the search orders fixes,
see [the levers explained](../explanation/levers.md).
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A way for a plan to fail."""

    name: str
    about: str
    natural: tuple[str, ...]
    make: Callable[[random.Random], dict[str, Any]]


def _plan(**parts: Any) -> dict[str, Any]:
    zones = ("us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d")
    subnets = [
        {"name": name, "zone": zones[zone], "cidr": cidr, **more} for name, zone, cidr, more in parts.pop("subnets")
    ]
    plan = {"apiVersion": "capacity/v1", "region": "us-east-1", "vpc": {"cidrs": ["10.0.0.0/16"], "subnets": subnets}}
    checks = {"scenarios": parts.pop("scenarios", ["steady"]), "minFree": parts.pop("min_free", "20%")}
    return plan | {"checks": checks} | parts


def _pods(name: str, group: str, replicas: object) -> dict[str, Any]:
    return {"name": name, "replicas": replicas, "nodeGroups": [group], "requests": {"cpu": "20m", "memory": "32Mi"}}


def _dense_and_sparse(rng: random.Random) -> dict[str, Any]:
    dense, sparse = rng.randint(6, 30), 4
    on_dense, on_sparse = rng.randint(40, 80), rng.randint(1, 3)
    return _plan(
        subnets=[
            ("big-a", 0, "10.0.0.0/19", {}),
            ("big-b", 1, "10.0.32.0/19", {}),
            ("small-a", 0, "10.0.64.0/26", {"used": 12}),
            ("small-b", 1, "10.0.64.64/26", {"used": 12}),
        ],
        min_free="0%",
        cni={"env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}},
        nodeGroups=[
            {"name": "dense", "instanceTypes": ["m5.4xlarge"], "nodes": dense, "subnets": ["big-a", "big-b"]},
            {"name": "sparse", "instanceTypes": ["m5.large"], "nodes": sparse, "subnets": ["small-a", "small-b"]},
        ],
        workloads=[_pods("many", "dense", dense * on_dense), _pods("few", "sparse", sparse * on_sparse)],
    )


def _idle(rng: random.Random) -> dict[str, Any]:
    nodes, further = 2 * rng.randint(9, 10), rng.random() < 0.5
    zones = (2, 3) if further else (0, 1)
    return _plan(
        subnets=[
            ("p1", 0, "10.0.1.0/24", {}),
            ("p2", 1, "10.0.2.0/24", {}),
            ("p3", zones[0], "10.0.3.0/24", {}),
            ("p4", zones[1], "10.0.4.0/24", {}),
        ],
        nodeGroups=[
            {"name": "peers", "instanceTypes": ["c6i.2xlarge"], "nodes": nodes, "subnets": ["p1", "p2"]},
        ],
        workloads=[_pods("swap", "peers", nodes * rng.randint(2, 5))],
    )


def _bad_type(rng: random.Random) -> dict[str, Any]:
    nodes, pods = rng.randint(4, 12), rng.randint(32, 50)
    good, bad = rng.choice([("m5.2xlarge", "m5.large"), ("c5.4xlarge", "c5.large"), ("m6i.4xlarge", "m6i.large")])
    return _plan(
        subnets=[("a", 0, "10.0.0.0/21", {}), ("b", 1, "10.0.8.0/21", {})],
        nodeGroups=[
            {
                "name": "pool",
                "provisioner": "managed",
                "instanceTypes": [good, bad],
                "maxPods": 58,
                "nodes": nodes,
                "subnets": ["a", "b"],
            }
        ],
        workloads=[_pods("web", "pool", nodes * pods)],
    )


def _most_nodes(rng: random.Random) -> dict[str, Any]:
    most = rng.randint(4, 12)
    kind = rng.choice(["m5.large", "c5.large", "r5.large"])
    now, peak = (most - 2) * rng.randint(10, 20), most * rng.randint(29, 50)
    return _plan(
        subnets=[("a", 0, "10.0.0.0/20", {}), ("b", 1, "10.0.16.0/20", {})],
        scenarios=["steady", "peak"],
        nodeGroups=[
            {
                "name": "web",
                "provisioner": rng.choice(["managed", "self-managed", "karpenter"]),
                "instanceTypes": [kind],
                "nodes": {"min": 1, "desired": most - 1, "max": most},
                "subnets": ["a", "b"],
            }
        ],
        workloads=[_pods("web", "web", {"now": now, "max": peak})],
    )


def _fragmented(rng: random.Random) -> dict[str, Any]:
    # 14 whole blocks of a /24, of which single addresses beyond the 27 of the two others spoil some.
    nodes, prefixes = 2 * rng.randint(2, 3), 3
    used = 27 + 16 * (14 - nodes // 2 * prefixes) + rng.randint(1, 8)
    return _plan(
        subnets=[("a", 0, "10.0.0.0/24", {"used": used}), ("b", 1, "10.0.1.0/24", {"used": used})],
        min_free="0%",
        cni={"env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_IP_TARGET": "1"}},
        nodeGroups=[
            {
                "name": "web",
                "instanceTypes": ["m5.xlarge"],
                "maxPods": 48,
                "nodes": nodes,
                "subnets": ["a", "b"],
            }
        ],
        workloads=[_pods("web", "web", nodes * 46)],
    )


def _small_zone(rng: random.Random) -> dict[str, Any]:
    nodes, pods = 3 * rng.randint(4, 6), rng.randint(5, 7)
    return _plan(
        subnets=[("a", 0, "10.0.0.0/23", {}), ("b", 1, "10.0.2.0/23", {}), ("c", 2, "10.0.4.0/27", {})],
        min_free="0%",
        cni={"env": {"WARM_IP_TARGET": "1"}},
        nodeGroups=[
            {
                "name": "web",
                "provisioner": "karpenter",
                "instanceTypes": ["m5.xlarge"],
                "maxPods": pods + 4,
                "nodes": nodes,
                "subnets": ["a", "b", "c"],
            }
        ],
        workloads=[_pods("web", "web", nodes * (pods + 1))],
    )


KINDS = (
    Kind(
        "dense and sparse groups",
        "Prefixes; many pods per node in one group, few in another with small subnets: a warm target that fits both.",
        ("warm-targets",),
        _dense_and_sparse,
    ),
    Kind("idle subnets", "The VPC has subnets that no group uses.", ("idle-subnets", "idle-zones"), _idle),
    Kind(
        "one bad type",
        "An allowed type whose ENIs have fewer addresses than max pods allows pods.",
        ("drop-types",),
        _bad_type,
    ),
    Kind(
        "node maximum reached", "Pods at their maximum need more nodes than `nodes.max`.", ("more-nodes",), _most_nodes
    ),
    Kind(
        "prefixes fragmented",
        "Addresses are free, but no whole /28 blocks: a subnet with whole blocks.",
        ("added-subnet", "larger-subnets"),
        _fragmented,
    ),
    Kind("one zone small", "The subnet of one zone is far smaller than the others.", ("rebalance",), _small_zone),
)


def cases() -> Mapping[str, tuple[Kind, dict[str, Any]]]:
    """The plans by their names, each with its kind."""
    return {f"{k.name} {i}": (k, k.make(random.Random(f"{k.name} {i}"))) for k in KINDS for i in range(1, EACH + 1)}


def document(plan: Mapping[str, Any]) -> PlanSection:
    """A plan as the parser reads it."""
    found = parse_json(json.dumps(plan), "plan.json")
    assert isinstance(found, PlanSection)
    return found


def searched(plan: Mapping[str, Any]) -> tuple[str, Fixes]:
    """The verdict of a plan, and what the search finds."""
    of = document(plan)
    result = check(parse_plan(of, "plan.json"))
    return result.verdict, find_fixes(of, result)


def page() -> str:
    text = HEAD
    rows: dict[str, list[str]] = {}
    for name, (kind, plan) in cases().items():
        verdict, fixes = searched(plan)
        chosen = "; ".join(lever.summary for lever in fixes.best.levers) if fixes.best else "none"
        names = fixes.best.names if fixes.best else "none"
        rows.setdefault(kind.name, []).append(f"| {name.rpartition(' ')[2]} | {verdict} | {names} | {chosen} |\n")
    for kind in KINDS:
        text += f"\n## {kind.name.capitalize()}\n\n{kind.about}\n\n| plan | verdict | fix | what it changes |\n"
        text += "|---:|---|---|---|\n" + "".join(rows[kind.name])
    return text


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    print(os.path.relpath(PAGE))


if __name__ == "__main__":
    main()
