"""Prometheus rules and a Grafana dashboard from a plan: the CNI's metrics compared with the plan's runway.

The metrics are those that ipamd registers (aws/amazon-vpc-cni-k8s@02488bbe
utils/prometheusmetrics/prometheusmetrics.go); ``error`` of awscni_aws_api_error_count is EC2's error code
(pkg/awsutils/awsutils.go, awsAPIErrInc). They are per node and name no subnet: what is known of subnets comes from
the plan.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from capacity.pages.cells import brief, plain

if TYPE_CHECKING:
    from capacity.advice.findings.thresholds import NodeThresholds
    from capacity.cluster.check import CheckResult

# What ipamd registers and the rules use.
METRICS = (
    "awscni_assigned_ip_addresses",
    "awscni_aws_api_error_count",
    "awscni_ec2api_req_count",
    "awscni_eni_allocated",
    "awscni_eni_max",
    "awscni_ip_max",
    "awscni_no_available_ip_addresses",
    "awscni_total_ip_addresses",
)
NODES = "count(awscni_eni_max)"
HELD, ASSIGNED = "sum(awscni_total_ip_addresses)", "sum(awscni_assigned_ip_addresses)"
# EC2's answers where an ENI, address or prefix finds no room: aws/amazon-vpc-cni-k8s@b5218838 docs/troubleshooting.md
# L9-14, aws/aws-eks-best-practices@dc0243a networking/prefix-mode_linux.adoc L75-85.
NO_ROOM = "InsufficientFreeAddressesInSubnet|InsufficientCidrBlocks"


def alert_rules(result: CheckResult, thresholds: NodeThresholds | None) -> dict[str, Any]:
    """A Prometheus rule file as data: one group."""
    name = plan_name(result)
    rules = [
        _rule(
            "CapacityPodsWithoutAddress",
            "increase(awscni_no_available_ip_addresses[10m]) > 0",
            "0m",
            "critical",
            "No pod IP available on {{ $labels.instance }}",
            "In the last 10 minutes ipamd had no free address for a pod. The pod stays in ContainerCreating.",
        ),
        _rule(
            "CapacitySubnetRefusesAddresses",
            f'sum by (api, error) (increase(awscni_aws_api_error_count{{error=~"{NO_ROOM}"}}[15m])) > 0',
            "0m",
            "critical",
            "EC2 cannot assign addresses in a subnet: {{ $labels.error }}",
            "Calls of {{ $labels.api }} failed in the last 15 minutes. A subnet of the cluster is full, or has no free "
            "aligned /28 block.",
        ),
        _rule(
            "CapacityNodeAddressesNearlyAllAssigned",
            "awscni_assigned_ip_addresses / (awscni_ip_max > 0) > 0.95",
            "15m",
            "warning",
            "{{ $labels.instance }} has assigned 95% of the pod addresses that its instance type can hold",
            "Additional pods on this node get no address, but the scheduler can still place them.",
        ),
    ]
    return {"groups": [{"name": f"capacity-{name}", "rules": rules + _node_rules(thresholds)}]}


def _node_rules(thresholds: NodeThresholds | None) -> list[dict[str, Any]]:
    if thresholds is None:
        return []
    t, subnet, group = thresholds, literal(thresholds.subnet), literal(thresholds.group)
    found = [
        _rule(
            "CapacityRunwayUsedUp",
            f"{NODES} > {t.critical}",
            "10m",
            "critical",
            f"{{{{ $value }}}} nodes: a subnet is full at more than {t.critical:,}",
            f"According to the plan, {t.now:,} nodes run in steady, and {t.critical - t.now:,} more of {group} fit if "
            "they are spread as planned. Nodes beyond that get no addresses.",
        )
    ]
    if t.warning < t.critical:
        found.append(
            _rule(
                "CapacityRunwayShort",
                f"{NODES} > {t.warning}",
                "30m",
                "warning",
                f"{{{{ $value }}}} nodes: {subnet} can be full: it has room for {t.more_nodes:,} beyond the plan's "
                f"{t.now:,}",
                f"According to the plan: {t.now:,} nodes in steady + {t.more_nodes:,} of {group} that fit in {subnet} "
                f"in any zone = {t.warning:,}. Compare the plan with the cluster before it grows further.",
            )
        )
    return found


def _rule(name: str, expr: str, wait: str, severity: str, summary: str, description: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        "for": wait,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": description},
    }


def literal(name: str) -> str:
    """A name escaped for Prometheus templates, which then print it unchanged.

    >>> literal("{{ boom }}")
    '{{ "{{" }} boom }}'
    """
    return brief(plain(name)).replace("{{", '{{ "{{" }}')


def plan_name(result: CheckResult) -> str:
    """The plan's name as a valid name for Kubernetes and Grafana: letters, digits and dashes.

    ``plan`` if nothing is left of it.
    """
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in (result.plan.name or "").lower())
    return "-".join(part for part in kept.split("-") if part)[:40] or "plan"


def rules_yaml(result: CheckResult, thresholds: NodeThresholds | None) -> str:
    """The rule file, as ``rule_files`` of Prometheus reads it."""
    return _header(result) + _yaml(alert_rules(result, thresholds))


def rules_manifest(result: CheckResult, thresholds: NodeThresholds | None) -> str:
    """The rules as a PrometheusRule of the Prometheus operator."""
    manifest = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": f"capacity-{plan_name(result)}", "labels": {"app.kubernetes.io/name": "capacity"}},
        "spec": alert_rules(result, thresholds),
    }
    return _header(result) + _yaml(manifest)


def _header(result: CheckResult) -> str:
    name = plan_name(result)
    return f"# Generated by capacity report --alerts from the plan {name}; generate it again when the plan changes.\n"


def _yaml(value: object) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
    return text


# --- Grafana ---------------------------------------------------------------------------------


def dashboard_json(result: CheckResult, thresholds: NodeThresholds | None) -> str:
    """A Grafana dashboard with a variable for its data source, ready to import."""
    panels = [
        _plan_panel(result, thresholds),
        _series(
            "Nodes against the plan's runway",
            "nodes that run aws-node",
            [(NODES, "nodes")],
            _node_lines(thresholds),
        ),
        _series("Pod addresses held by nodes", "addresses", [(HELD, "held"), (ASSIGNED, "assigned to pods")]),
        _series("Held but unused (warm)", "addresses", [(f"{HELD} - {ASSIGNED}", "warm")]),
        _series("ENIs", "ENIs", [("sum(awscni_eni_allocated)", "attached"), ("sum(awscni_eni_max)", "maximum")]),
        _series(
            "Pods without a free address",
            "pods per 5 min",
            [("sum(increase(awscni_no_available_ip_addresses[5m]))", "refused")],
        ),
        _series(
            "EC2 errors",
            "calls per 5 min",
            [("sum by (error) (increase(awscni_aws_api_error_count[5m]))", "{{error}}")],
        ),
        _series(
            "EC2 calls of the CNI",
            "calls per second",
            [("sum by (fn) (rate(awscni_ec2api_req_count[5m]))", "{{fn}}")],
        ),
    ]
    for index, panel in enumerate(panels):
        panel["id"] = index + 1
        panel["gridPos"] = {"h": 8, "w": 12, "x": 12 * (index % 2), "y": 8 * (index // 2)}
    source = {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"}
    board = {
        "uid": f"capacity-{plan_name(result)}"[:40],
        "title": f"Pod-IP capacity: {plan_name(result)}",
        "tags": ["capacity", "eks", "vpc-cni"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "refresh": "1m",
        "time": {"from": "now-7d", "to": "now"},
        "templating": {"list": [source]},
        "panels": panels,
    }
    return json.dumps(board, indent=2) + "\n"


def _node_lines(thresholds: NodeThresholds | None) -> list[tuple[str, int]]:
    if thresholds is None:
        return []
    found = [("red", thresholds.critical)]
    return found if thresholds.warning == thresholds.critical else [("orange", thresholds.warning), *found]


SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def _series(
    title: str, unit: str, queries: list[tuple[str, str]], lines: list[tuple[str, int]] | None = None
) -> dict[str, Any]:
    """A time series; ``lines`` are thresholds drawn across it."""
    steps = [{"color": "green", "value": None}, *({"color": c, "value": v + 1} for c, v in lines or [])]
    style = "dashed" if lines else "off"
    custom = {"axisLabel": unit, "axisSoftMin": 0, "thresholdsStyle": {"mode": style}}
    targets = [
        {"refId": chr(ord("A") + i), "datasource": SOURCE, "expr": expr, "legendFormat": legend}
        for i, (expr, legend) in enumerate(queries)
    ]
    return {
        "type": "timeseries",
        "title": title,
        "datasource": SOURCE,
        "fieldConfig": {
            "defaults": {"custom": custom, "thresholds": {"mode": "absolute", "steps": steps}},
            "overrides": [],
        },
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": targets,
    }


MOST_ROWS = 20


def _plan_panel(result: CheckResult, thresholds: NodeThresholds | None) -> dict[str, Any]:
    """The plan's figures as text, because metrics do not name subnets."""
    from capacity.pages.markdown import safe

    rows = sorted(result.runway, key=lambda r: (r.more_nodes is None, r.more_nodes or 0, r.subnet))
    lines = [
        f"Verdict of the plan: **{result.verdict}**.",
        "",
        "| subnet | additional nodes | additional pods |",
        "|---|---:|---:|",
    ]
    lines += [f"| {safe(brief(r.subnet))} | {safe(r.more_nodes)} | {safe(r.more_pods)} |" for r in rows[:MOST_ROWS]]
    if len(rows) > MOST_ROWS:
        lines += ["", f"The {MOST_ROWS} tightest of {len(rows):,} subnets."]
    if thresholds is not None:
        t = thresholds
        lines += ["", f"Nodes: {t.now:,} in steady, warning above {t.warning:,}, critical above {t.critical:,}."]
    return {"type": "text", "title": "The plan", "options": {"mode": "markdown", "content": "\n".join(lines)}}
