"""Rules and dashboard: valid files, the CNI's own metric names, thresholds that the check itself confirms."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from capacity.advice.findings.thresholds import NodeThresholds, node_thresholds
from capacity.cluster.check import CheckResult, check
from capacity.pages.alerts import METRICS, alert_rules, dashboard_json, literal, plan_name, rules_manifest, rules_yaml
from capacity.plan.parse import read_plan
from tests.report import plans

# All that ipamd registers: aws/amazon-vpc-cni-k8s@02488bbe utils/prometheusmetrics/prometheusmetrics.go
UPSTREAM = (
    "awscni_ipamd_error_count",
    "awscni_ipamd_action_inprogress",
    "awscni_eni_max",
    "awscni_ip_max",
    "awscni_reconcile_count",
    "awscni_add_ip_req_count",
    "awscni_del_ip_req_count",
    "awscni_pod_eni_error_count",
    "awscni_aws_api_latency_ms",
    "awscni_aws_api_error_count",
    "awscni_aws_utils_error_count",
    "awscni_ec2api_req_count",
    "awscni_ec2api_error_count",
    "awscni_eni_allocated",
    "awscni_total_ip_addresses",
    "awscni_assigned_ip_addresses",
    "awscni_force_removed_enis",
    "awscni_force_removed_ips",
    "awscni_unrecovered_checkpoint_entries",
    "awscni_total_ipv4_prefixes",
    "awscni_assigned_ip_per_cidr",
    "awscni_no_available_ip_addresses",
    "awscni_assigned_ip_per_eni",
    "awscni_ipamd_startup_duration_seconds",
    "awscni_ipamd_node_initialization_duration_seconds",
    "awscni_connmark_backend",
    "awscni_connmark_reconcile_total",
)


@pytest.fixture(scope="module")
def result() -> CheckResult:
    return check(read_plan(plans.EXAMPLE))


def test_thresholds_by_hand(result: CheckResult) -> None:
    found = node_thresholds(result)
    # 11 nodes; private-b: 107 free // 30 per node = 3 more; evenly spread, general fits up to 19 instead of 9.
    assert found == NodeThresholds(now=11, warning=14, critical=21, subnet="private-b", group="general", more_nodes=3)


def test_the_check_confirms_the_critical_count(result: CheckResult) -> None:
    """With as many nodes the subnet still fits; with one more in its zone it does not."""
    group = result.plan.node_groups[0]

    def free(nodes: int) -> int:
        groups = (replace(group, desired=nodes, max_nodes=None), *result.plan.node_groups[1:])
        full = [replace(w, replicas=round(w.replicas * nodes / 9)) for w in result.plan.workloads[:3]]
        plan = replace(result.plan, node_groups=groups, workloads=(*full, *result.plan.workloads[3:]))
        state = check(plan, ["steady"]).scenarios[0]
        return next(s.free for s in state.subnets if s.subnet.name == "private-b")

    assert free(21 - 2) >= 0
    assert free(21 - 2 + 1) < 0


def test_without_nodes_there_are_no_thresholds(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(
        "apiVersion: capacity/v1\nvpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: z, cidr: 10.0.0.0/24}]}\n"
    )
    empty = check(read_plan(path))
    assert node_thresholds(empty) is None
    names = [r["alert"] for r in alert_rules(empty, None)["groups"][0]["rules"]]
    assert "CapacityRunwayUsedUp" not in names
    assert len(names) == 3


def test_rules_are_yaml_with_upstreams_metrics(result: CheckResult) -> None:
    thresholds = node_thresholds(result)
    rules = yaml.safe_load(rules_yaml(result, thresholds))
    manifest = yaml.safe_load(rules_manifest(result, thresholds))
    assert manifest["spec"] == rules
    assert manifest["kind"] == "PrometheusRule"
    group = rules["groups"][0]
    assert group["name"] == "capacity-shop-prod"
    for rule in group["rules"]:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"\d+m", rule["for"])
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(re.findall(r"awscni_\w+", rule["expr"])) <= set(METRICS)
        assert rule["expr"].count("(") == rule["expr"].count(")")
    by_name = {r["alert"]: r for r in group["rules"]}
    assert by_name["CapacityRunwayUsedUp"]["expr"] == "count(awscni_eni_max) > 21"
    assert by_name["CapacityRunwayShort"]["expr"] == "count(awscni_eni_max) > 14"
    assert "11 nodes in steady + 3 of general" in by_name["CapacityRunwayShort"]["annotations"]["description"]


def test_metric_names_are_upstreams() -> None:
    assert set(METRICS) <= set(UPSTREAM)


def test_the_dashboard(result: CheckResult) -> None:
    board: dict[str, Any] = json.loads(dashboard_json(result, node_thresholds(result)))
    assert board["uid"] == "capacity-shop-prod"
    assert [p["id"] for p in board["panels"]] == list(range(1, len(board["panels"]) + 1))
    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
    assert len(set(places)) == len(places)
    nodes = board["panels"][1]
    steps = nodes["fieldConfig"]["defaults"]["thresholds"]["steps"]
    assert [s["value"] for s in steps] == [None, 15, 22]
    used = set(re.findall(r"awscni_\w+", json.dumps(board)))
    assert used <= set(UPSTREAM)
    assert "| private-b | 3 | 155 |" in board["panels"][0]["options"]["content"]


def test_hostile_names_are_not_templates(tmp_path: Path) -> None:
    hostile = check(read_plan(plans.write_hostile(tmp_path)), ["steady"])
    thresholds = node_thresholds(hostile)
    assert thresholds is not None
    evil = replace(thresholds, subnet="{{7*7}}", group="<i>{{ .Labels }}</i>")
    text = rules_yaml(hostile, evil)
    values = json.dumps(yaml.safe_load(text))
    assert '{{ \\"{{\\" }}7*7}}' in values
    assert plan_name(hostile) == "b-evil-plan-b"
    board = json.loads(dashboard_json(hostile, evil))
    assert "<" not in board["panels"][0]["options"]["content"]
    assert "The 20 tightest of 200 subnets." in board["panels"][0]["options"]["content"]
    assert literal("a {{ b") == 'a {{ "{{" }} b'


def test_a_plan_name_always_makes_a_name(result: CheckResult) -> None:
    assert plan_name(replace(result, plan=replace(result.plan, name="🚀"))) == "plan"
