"""A figure that several commands show is one figure: every command on the same random plan, compared."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity.cluster.check import check
from capacity.cluster.headroom import headroom_by_nodes, headroom_by_pods
from capacity.plan.parse import read_plan
from tests.cli.entry import capacity

ENVIRONMENTS: tuple[dict[str, str], ...] = (
    {},
    {"WARM_IP_TARGET": "3", "MINIMUM_IP_TARGET": "8"},
    {"WARM_ENI_TARGET": "0"},
    {"ENABLE_PREFIX_DELEGATION": "true"},
    {"ENABLE_PREFIX_DELEGATION": "true", "WARM_IP_TARGET": "5"},
    {"ENABLE_POD_ENI": "true"},
    {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"},
)
COUNTS = (None, 4, {"min": 1, "max": 30}, {"min": 2, "desired": 5, "max": 7}, {"min": 0, "desired": 2})
GROWTH = (None, {"rate": "6%/month"}, {"rate": "6%/month", "stddev": "2%"})
QUICK = settings(max_examples=12, suppress_health_check=list(HealthCheck))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A plan of one to three groups and workloads over one to three zones, small and large subnets."""
    zones = draw(st.integers(1, 3))
    env = draw(st.sampled_from(ENVIRONMENTS))
    custom = "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG" in env
    nodes = [f"n{i}" for i in range(zones)]
    pods = [f"p{i}" for i in range(zones)] if custom else []
    subnets: list[dict[str, Any]] = [
        {"name": name, "zone": f"us-east-1{'abc'[i % zones]}", "cidr": f"10.0.{8 * i}.0/{draw(st.integers(22, 26))}"}
        for i, name in enumerate([*nodes, *pods])
    ]
    subnets[0]["used"] = draw(st.integers(0, 20))
    groups = []
    for i in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(("m5.large", "c5.xlarge", "m6i.2xlarge")))
        group = {"name": f"g{i}", "instanceTypes": [kind], "subnets": nodes, "nodes": draw(st.sampled_from(COUNTS))}
        group["provisioner"] = draw(st.sampled_from(("managed", "karpenter")))
        groups.append({k: v for k, v in group.items() if v is not None} | ({"podSubnets": pods} if custom else {}))
    workloads = []
    for i in range(draw(st.integers(1, 3))):
        now = draw(st.integers(0, 60))
        load: dict[str, Any] = {"name": f"w{i}", "replicas": {"now": now, "max": now + draw(st.integers(0, 60))}}
        load["requests"] = {"cpu": draw(st.sampled_from(("50m", "300m", "1")))}
        load["securityGroups"] = draw(st.booleans())
        load["growth"] = draw(st.sampled_from(GROWTH))
        load["nodeGroups"] = draw(st.sampled_from(([], [f"g{i % len(groups)}"])))
        workloads.append({k: v for k, v in load.items() if v})
    return {
        "apiVersion": "capacity/v1",
        "region": "us-east-1",
        "cni": {"env": env},
        "vpc": {"cidrs": ["10.0.0.0/16"], "subnets": subnets},
        "controlPlane": {"subnets": nodes},
        "nodeGroups": groups,
        "workloads": workloads,
        "daemonSets": [{"name": "agent", "requests": {"cpu": "50m"}}],
    }


@dataclass(frozen=True)
class Asked:
    """A plan in a file, and what check says of it."""

    path: Path
    results: dict[str, Any]

    @property
    def scenarios(self) -> dict[tuple[str, str], dict[str, Any]]:
        return {(s["name"], s["variant"]): s for s in self.results["scenarios"]}

    def json(self, command: str, *options: str) -> dict[str, Any]:
        done = capacity(command, str(self.path), *options, "-o", "json")
        assert done.code in (0, 1), (done.stderr, self.path.read_text(encoding="utf-8"))
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def asked(document: dict[str, Any], folder: Path) -> Asked:
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(document), encoding="utf-8")
    done = capacity("check", str(path), "--no-fixes", "-o", "json")
    assert done.code in (0, 1), done.stderr
    return Asked(path, json.loads(done.stdout)["results"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans")


def used(subnet: dict[str, Any]) -> int:
    total = sum(int(n) for n in subnet["used"].values())
    assert total + subnet["free"] == subnet["usable"]
    return total


@QUICK
@given(documents())
def test_forecast_starts_from_check(folder: Path, document: dict[str, Any]) -> None:
    plan = asked(document, folder)
    exhausted = {s["name"] for s in plan.results["scenarios"] if s["verdict"] == "exhausted"}
    for scenario in ("steady", "peak", "ceiling"):
        (state,) = plan.json("check", "--no-fixes", "--scenario", scenario)["results"]["scenarios"]
        found = plan.json(
            "forecast", "--as-of", "2026-11-30", "--horizon", "30d", "--paths", "20", "--scenario", scenario
        )
        for subnet, row in zip(state["subnets"], found["results"], strict=True):
            assert (row["name"], row["usable"], row["used_now"]) == (subnet["name"], subnet["usable"], used(subnet))
            short = subnet["verdict"] == "exhausted"
            assert (row["date_p90"] == "2026-11-30") is short
            assert (scenario in row["exhausted_in"]) is short
        page = capacity("forecast", str(plan.path), "--horizon", "30d", "--paths", "20", "--scenario", scenario).stdout
        if exhausted or state["verdict"] == "exhausted":
            assert page.startswith("Already exhausted ")
            assert "no subnet runs out" not in page.lower()
        else:
            assert "lready exhausted" not in page


@QUICK
@given(documents())
def test_compare_explain_and_runway_say_what_check_says(folder: Path, document: dict[str, Any]) -> None:
    plan = asked(document, folder)
    same = plan.json("compare", str(plan.path))["results"]
    assert (same["verdict_before"], same["verdict_after"]) == (plan.results["verdict"],) * 2
    for change in same["scenarios"]:
        state = plan.scenarios[change["name"], change["variant"]]
        assert change["nodes_before"] == change["nodes_after"] == sum(g["nodes"] for g in state["node_groups"])
        for row, subnet in zip(change["subnets"], state["subnets"], strict=True):
            for side in ("before", "after"):
                shown = [row[f"{key}_{side}"] for key in ("used", "free", "usable", "verdict")]
                assert shown == [used(subnet), subnet["free"], subnet["usable"], subnet["verdict"]]
    for change, row in zip(same["runway"], plan.results["runway"], strict=True):
        assert [change["more_nodes_before"], change["more_pods_after"]] == [row["more_nodes"], row["more_pods"]]
    (peak,) = [s for s in plan.results["scenarios"] if s["name"] == "peak"]
    for subnet in peak["subnets"]:
        for figure, value in (("free", subnet["free"]), ("warm", subnet["used"]["warm"])):
            term = _explained(plan, f"{subnet['name']}.{figure}")
            assert term == value


def _explained(plan: Asked, what: str) -> int:
    done = capacity("explain", what, str(plan.path), "--scenario", "peak", "-o", "json")
    value: int = json.loads(done.stdout)["results"]["value"]
    return value


@QUICK
@given(documents())
def test_headroom_passes_through_check(folder: Path, document: dict[str, Any]) -> None:
    path = asked(document, folder).path
    result = check(read_plan(path), ["steady"])
    (steady,) = result.scenarios
    free = {s.subnet.name: s.free_open for s in steady.subnets}
    if not any(w.replicas for w in result.plan.workloads):
        return
    if not steady.unplaced:  # else the curve adds the nodes that steady lacks
        curve = headroom_by_pods(result)
        assert curve.now is not None
        at = curve.counts.index(curve.now)
        assert {n: row[at] for n, row in zip(curve.subnets, curve.free, strict=True)} == {
            n: free[n] for n in curve.subnets
        }
    for group in steady.groups:
        nodes = headroom_by_nodes(result, group.shape.group.name)
        assert nodes.now == group.nodes


@QUICK
@given(documents())
def test_warm_counts_the_addresses_of_check(folder: Path, document: dict[str, Any]) -> None:
    plan = asked(document, folder)
    done = capacity("warm", str(plan.path), "-o", "json")
    if done.code == 2:  # no node in steady or peak
        assert not any(
            s["node_groups"] and any(g["nodes"] for g in s["node_groups"]) for s in plan.results["scenarios"]
        )
        return
    found = json.loads(done.stdout)["results"]
    current = found["settings"][0]
    nodes = Counter[str]()
    for kind in found["nodes"]:
        nodes[kind["population"]] += kind["nodes"]
    for name, addresses in current["addresses"].items():
        (state,) = plan.json("check", "--no-fixes", "--scenario", name)["results"]["scenarios"]
        assert nodes[name] == sum(g["nodes"] for g in state["node_groups"])
        holders = ("node_primary", "eni_primary", "assigned", "warm")
        assert addresses == sum(s["used"][h] for s in state["subnets"] for h in holders)
        assert current["idle"][name] == sum(s["used"]["warm"] for s in state["subnets"])


@settings(QUICK, max_examples=3)
@given(documents())
def test_the_report_shows_the_figures_of_the_others(folder: Path, document: dict[str, Any]) -> None:
    plan = asked(document, folder)
    found = plan.json("report", "--as-of", "2026-11-30", "--horizon", "60d")["results"]
    for key in ("verdict", "scenarios", "runway"):
        assert found[key] == plan.results[key]
    tables = {(t["section"], t["title"].split(":")[0]): t["rows"] for t in found["tables"]}
    for (name, variant), state in plan.scenarios.items():
        rows = (
            tables.get(("subnets", title := f"{name} ({variant})" if variant else name)) or tables["scenarios", title]
        )
        for row, subnet in zip(sorted(rows, key=lambda r: str(r["subnet"])), state["subnets"], strict=True):
            assert row["usable"] == row["enis"] + row["pods"] + row["warm"] + row["others"] + subnet["free"]
            assert row["pods"] == subnet["used"]["assigned"] + subnet["used"]["branch"]
            assert row["warm"] == subnet["used"]["warm"]
    glance = {row["scenario"]: row for row in tables["scenarios", "All scenarios"]}
    for (name, variant), state in plan.scenarios.items():
        row = glance[f"{name} ({variant})" if variant else name]
        assert (row["verdict"], row["nodes"]) == (state["verdict"], sum(g["nodes"] for g in state["node_groups"]))
    groups = {row["group"]: row for row in tables["node-groups", "Node groups in steady"]}
    for group in plan.scenarios["steady", ""]["node_groups"]:
        row = groups[group["name"]]
        shown = [row[key] for key in ("nodes", "pods_per_node", "max_pods")]
        assert shown == [group[key] for key in ("nodes", "pods_per_node", "max_pods")]
    if any("growth" in w for w in document["workloads"]):
        dates = plan.json("forecast", "--as-of", "2026-11-30", "--horizon", "60d")["results"]
        (rows,) = [rows for (section, title), rows in tables.items() if title.startswith("When each subnet runs out")]
        for row, subnet in zip(rows, dates, strict=True):
            assert [row["now"], row["p10"], row["p50"], row["p90"]] == [
                subnet[key] for key in ("used_now", "date_p10", "date_p50", "date_p90")
            ]


@QUICK
@given(documents())
def test_size_counts_the_nodes_of_check(folder: Path, document: dict[str, Any]) -> None:
    plan = asked(document, folder)
    done = capacity("size", str(plan.path), "-o", "json")
    if done.code == 2:
        assert "no room in the VPC" in done.stderr or "even a /16" in done.stderr, done.stderr
        return
    found = json.loads(done.stdout)["results"]
    assert [(s["name"], s["variant"]) for s in found["scenarios"]] == list(plan.scenarios)
    for state in found["scenarios"]:
        assert state["node_groups"] == plan.scenarios[state["name"], state["variant"]]["node_groups"]
    if all(s["action"] == "keep" for s in found["subnets"]):
        free = {
            s["name"]: min(x["free"] for t in plan.results["scenarios"] for x in t["subnets"] if x["name"] == s["name"])
            for s in found["subnets"]
        }
        assert free == {s["name"]: s["free_in_tightest"] for s in found["subnets"]}
