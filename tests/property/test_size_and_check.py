"""`size` from options, and `check` of the plan that it prints: one engine, so the same nodes and addresses."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cli.entry import capacity

TYPES = ("m5.large", "m6i.2xlarge", "c7g.xlarge", "t3.medium", "r7i.4xlarge")
SCENARIOS = ((), ("steady",), ("peak", "zone-loss"), ("upgrade+zone-loss", "rollout"))
SHAPES = st.tuples(
    st.sampled_from(("0", "50m", "250m", "1", "1.5")), st.sampled_from(("0", "64Mi", "1Gi", "3G")), st.integers(0, 60)
)


@st.composite
def sketches(draw: st.DrawFn) -> list[str]:
    """Options of `size` that describe a cluster."""
    options = ["--type", draw(st.sampled_from(TYPES)), "--zones", str(draw(st.integers(1, 4)))]
    if draw(st.booleans()):
        shapes = draw(st.lists(SHAPES, min_size=1, max_size=3))
        for i, (cpu, memory, replicas) in enumerate(shapes):
            options += ["--pod", f"w{i}={cpu},{memory},{replicas}"]
    else:
        options += ["--pods", str(draw(st.integers(0, 120)))]
        options += draw(st.sampled_from([[], ["--pod-cpu", "300m"], ["--pod-memory", "700Mi", "--pod-cpu", "1"]]))
    options += draw(st.sampled_from([[], ["--nodes", "7"]]))
    options += draw(st.sampled_from([[], ["--mode", "prefix"], ["--custom-networking"], ["--env", "WARM_IP_TARGET=2"]]))
    options += draw(st.sampled_from([[], ["--provisioner", "karpenter"], ["--provisioner", "self-managed"]]))
    options += draw(st.sampled_from([[], ["--headroom", "35%"]]))
    for name in draw(st.sampled_from(SCENARIOS)):
        options += ["--scenario", name]
    return options


def answer(*arguments: str, stdin: bytes = b"") -> dict[str, Any]:
    done = capacity(*arguments, "-o", "json", stdin=stdin)
    assert done.code in (0, 1), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@given(sketches())
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_check_of_the_printed_plan_says_the_same(options: list[str]) -> None:
    sized = answer("size", *options)
    text = sized["results"]["snippets"]["plan"]
    checked = answer("check", "-", "--no-fixes", stdin=text.encode())

    def nodes(scenarios: list[dict[str, Any]]) -> list[Any]:
        return [(s["name"], s["variant"], s["verdict"], s["node_groups"], s["unplaced_pods"]) for s in scenarios]

    theirs = checked["results"]["scenarios"]
    assert nodes(sized["results"]["scenarios"]) == nodes(theirs)
    assert [s["nodes"] for s in sized["results"]["scenarios"]] == [
        sum(g["nodes"] for g in s["node_groups"]) for s in theirs
    ]
    first = next((s for s in theirs if s["name"] == "steady"), theirs[0])
    assert sized["results"]["nodes"] == sized["inputs"]["nodes"] == sum(g["nodes"] for g in first["node_groups"])
    for subnet in sized["results"]["subnets"]:
        states = [s for state in theirs for s in state["subnets"] if s["name"] == subnet["name"]]
        assert {s["cidr"] for s in states} == {subnet["cidr"]}
        assert {s["usable"] for s in states} == {subnet["usable"]}
        assert min(s["free"] for s in states) == subnet["free_in_tightest"]
        assert {s["verdict"] for s in states} == {"ok"}
    assert sized["inputs"]["headroom"] == checked["inputs"]["min_free"]
    assert sized["inputs"]["cni"] == checked["inputs"]["cni"]
    assert yaml.safe_load(text)["nodeGroups"][0]["instanceTypes"] == [sized["inputs"]["type"]]
