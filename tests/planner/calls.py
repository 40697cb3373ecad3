"""The command lines whose answers the planner page gives too, over every example."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

REPO = Path(__file__).parents[2]
EXAMPLE = "examples/shop-prod.yaml"
PLANS = sorted(
    path.relative_to(REPO).as_posix()
    for path in (REPO / "examples").rglob("*.yaml")
    if path.read_text(encoding="utf-8").find("apiVersion: capacity/v1") >= 0
)
TWO = """\
apiVersion: capacity/v1
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {name: a, zone: us-east-1a, cidr: 10.0.0.0/25, used: 3}
    - {name: b, zone: us-east-1a, cidr: 10.0.0.128/25, used: 4}
    - {name: c, zone: us-east-1b, cidr: 10.0.1.0/28}
nodeGroups:
  - {name: web, instanceTypes: [m5.large], nodes: {min: 1, max: 4}, subnets: [a, b, c]}
workloads:
  - {name: app, replicas: 20}
tenants:
  - {kind: natGateway, name: nat, subnets: [b]}
"""
CHANGE = "checks.minFree=10%"


class Case(NamedTuple):
    """A command line, and the call of the page that gives the same answer."""

    command: tuple[str, ...]
    call: str
    request: dict[str, Any]


def cases() -> list[Case]:
    """Every plan of the examples with the verbs that take a plan, then what takes no plan."""
    found = [case for plan in PLANS for case in _of_plan(plan)]
    found += [
        Case(("maxpods", "m5.large", "m6g.4xlarge"), "maxpods", {"types": ["m5.large", "m6g.4xlarge"]}),
        Case(
            ("maxpods", "c6i.xlarge", "--mode", "prefix", "--custom-networking", "--pod-eni"),
            "maxpods",
            {"types": ["c6i.xlarge"], "mode": "prefix", "custom_networking": True, "pod_eni": True},
        ),
        Case(("node", "m5.large", "t3.medium"), "node", {"types": ["m5.large", "t3.medium"]}),
        Case(
            ("node", "m6i.xlarge", "--pod-cpu", "250m", "--pod-memory", "512Mi"),
            "node",
            {"types": ["m6i.xlarge"], "cpu": "250m", "memory": "512Mi"},
        ),
        Case(("explain", "IP001"), "explain", {"text": "", "what": "IP001"}),
        Case(
            ("explain", "private-b.warm", EXAMPLE, "--scenario", "peak"),
            "explain",
            {**_given(EXAMPLE), "what": "private-b.warm", "scenario": "peak"},
        ),
        Case(
            ("check", EXAMPLE, "--no-fixes", "--scenario", "peak", "--set", "cni.env.WARM_IP_TARGET=2"),
            "check",
            {**_given(EXAMPLE), "settings": ["cni.env.WARM_IP_TARGET=2"], "scenarios": ["peak"]},
        ),
    ]
    return found


def _of_plan(plan: str) -> list[Case]:
    given = _given(plan)
    both = {"before": given["text"], "names": [plan, plan], "settings": [CHANGE], "text": given["text"]}
    return [
        Case(("check", plan, "--no-fixes"), "check", given),
        Case(("check", plan, "--fixes"), "fixes", given),
        Case(("warm", plan), "warm", given),
        Case(("size", plan), "size", given),
        Case(("compare", plan, "--set", CHANGE), "compare", both),
    ]


def _given(plan: str) -> dict[str, Any]:
    return {"text": (REPO / plan).read_text(encoding="utf-8"), "name": plan}
