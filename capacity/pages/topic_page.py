"""The topics of `capacity explain`: what a cluster's network needs, costs and is limited by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from capacity.advice.judge import check
from capacity.pages.answer import Answer
from capacity.pages.page import CodeBlock, Page, Table, TableColumn, Text
from capacity.plan.model import Plan
from capacity.plan.parse import find_plan, read_plan

TOPICS = {
    "security-groups": "paths that security groups must allow, and IAM actions",
    "network-policy": "what each network policy engine costs in pods, addresses and ENIs",
    "limits": "the plan against quotas and tested limits",
    "autoscaling": "how far the autoscalers can go, and how far the subnets allow it",
    "control-plane-price": "what the control plane of EKS has cost since 2018",
    "control-plane-tiers": "limits and prices of provisioned control planes",
}


def topic_answer(topic: str, plan: Path | None) -> Answer:
    """A topic; ``limits`` and ``autoscaling`` need a plan, the others use the given one."""
    if topic in ("limits", "autoscaling"):
        needed = read_plan(plan or find_plan())
        return (_limits if topic == "limits" else _autoscaling)(needed)
    document = read_plan(plan) if plan is not None else None
    pages = {
        "security-groups": _security_groups,
        "network-policy": _network_policy,
        "control-plane-price": _price,
        "control-plane-tiers": _tiers,
    }
    return pages[topic](document)


def _answer(topic: str, plan: Plan | None, results: Any, blocks: Sequence[Any], notes: Sequence[str] = ()) -> Answer:
    inputs = {"what": topic, "plan": plan.file if plan else None}
    rows = results if isinstance(results, list) else [results]
    return Answer("explain", inputs, results, Page(list(blocks)), rows, notes, dated=False)


def _columns(*keys: str) -> list[TableColumn]:
    return [TableColumn(key, key.replace("_", " ").replace("enis", "ENIs"), rank) for rank, key in enumerate(keys)]


def _security_groups(plan: Plan | None) -> Answer:
    from capacity.advice.network_paths import iam_actions, security_group_commands, security_paths

    family = "ipv6" if plan is not None and plan.cni.settings.ipv6 else "ipv4"
    paths = [dict(path) for path in security_paths()]
    actions = [action._asdict() for action in iam_actions(family)]
    commands = list(security_group_commands())
    blocks = [
        Table(_columns("from", "to", "protocol", "ports", "why", "source"), paths, "Paths that must be allowed"),
        CodeBlock("\n".join(commands), "Rules (replace the names in capitals)", "sh"),
        Table(
            _columns("use", "action", "source"),
            actions,
            f"IAM actions in an {'IPv6' if family == 'ipv6' else 'IPv4'} cluster",
        ),
        Text("capacity doctor checks these paths and actions in a live cluster."),
    ]
    if plan is not None and plan.cni.settings.pod_eni:
        text = "Pods with their own security groups also need: TCP and UDP 53 to CoreDNS, and their probes' ports from "
        blocks.append(Text(text + "the nodes."))
    return _answer("security-groups", plan, {"paths": paths, "iam_actions": actions, "commands": commands}, blocks)


def _network_policy(plan: Plan | None) -> Answer:
    from capacity.advice.network_paths import policy_engines

    rows = [dict(row) for row in policy_engines()]
    columns = _columns("engine", "max_pods", "addresses", "enis", "limits", "notes", "source")
    blocks = [Table(columns, rows, "Network policy engines")]
    if plan is not None:
        density = _branch_density(plan)
        note = "Pods with security groups on a node are limited by its branch ENIs, other pods by max pods."
        columns = _columns("name", "instance_type", "max_pods", "branch_enis")
        blocks.append(Table(columns, density, "Density with security groups for pods", note))
        return _answer("network-policy", plan, {"engines": rows, "density": density}, blocks)
    return _answer("network-policy", plan, rows, blocks)


def _branch_density(plan: Plan) -> list[dict[str, Any]]:
    """Max pods and branch ENIs of a node of each group; its type's branch ENIs also if ENABLE_POD_ENI is not set."""
    return [
        {
            "name": shape.group.name,
            "instance_type": shape.first.instance_type.name,
            "max_pods": shape.first.max_pods,
            "branch_enis": shape.first.instance_type.branch_enis,
        }
        for shape in check(plan, ["steady"]).shapes
        if not shape.group.fargate
    ]


def _price(plan: Plan | None) -> Answer:
    from capacity.cost.cluster_fees import control_plane_history
    from capacity.units import HOURS_PER_MONTH

    rows = [
        {
            "since": step.since,
            "usd_per_hour": step.usd_per_hour,
            "usd_per_month": round(step.usd_per_hour * HOURS_PER_MONTH, 2),
            "what": step.what,
            "source": step.source,
        }
        for step in control_plane_history()
    ]
    columns = _columns("since", "what", "usd_per_hour", "usd_per_month", "source")
    note = f"A month has {HOURS_PER_MONTH} hours."
    return _answer("control-plane-price", plan, rows, [Table(columns, rows, "Price of the EKS control plane", note)])


def _tiers(plan: Plan | None) -> Answer:
    from capacity.cost.control_plane_tiers import tier_costs

    pods = None if plan is None else sum(w.max_replicas - w.replicas for w in plan.workloads)
    churn = 0.0 if plan is None else sum(w.churn or 0.0 for w in plan.workloads) / 60
    rows = [
        {
            "tier": cost.tier.tier,
            "seats": cost.tier.seats,
            "pods_per_second": cost.tier.pods_per_second,
            "database_gb": cost.tier.database_gb,
            "usd_per_hour": cost.usd_per_hour,
            "usd_per_month": cost.usd_per_month,
            "schedule_s": cost.schedule_s,
            "source": cost.tier.source,
        }
        for cost in tier_costs(plan.region if plan else None, pods)
    ]
    note = "Kubernetes 1.30 and later; the price is in addition to that of the cluster. – is not published."
    columns = [
        TableColumn("tier", "tier"),
        TableColumn("seats", "API requests at the same time (seats)"),
        TableColumn("pods_per_second", "pods scheduled per second"),
        TableColumn("database_gb", "database GB"),
        TableColumn("usd_per_hour", "USD per hour", 0, 2),
        TableColumn("usd_per_month", "USD per month", 1, 2),
        TableColumn("source", "source", 2),
    ]
    blocks: list[Any] = [Table(columns, rows, "Control planes of EKS", note)]
    if pods is not None:
        columns.insert(4, TableColumn("schedule_s", f"least seconds to schedule {pods:,} pods", 0, 1))
        told = f"The maximum of the workloads is {pods:,} more pods than now"
        more = f"; as stated, {churn:.2g} pods per second are replaced" if churn else "; the plan states no churn"
        blocks.insert(0, Text(f"{told}{more}."))
    return _answer("control-plane-tiers", plan, rows, blocks)


def _limits(plan: Plan) -> Answer:
    from capacity.cluster.quota_use import quota_usage

    result = check(plan)
    rows = [
        {
            "name": use.quota.name,
            "what": use.quota.what,
            "used": use.used,
            "default": use.quota.default,
            "most": use.quota.most,
            "verdict": use.verdict,
            "where": use.where or None,
            "source": use.quota.source,
        }
        for use in quota_usage(result)
    ]
    columns = _columns("what", "used", "default", "verdict", "where", "most", "source")
    note = "ok: within the default; raise: an increase is enough; over: it cannot be raised that far."
    table = Table(columns, rows, "Use of each quota, at most", note)
    more = Text("Requests, scheduled pods and database of the control plane: capacity explain control-plane-tiers PLAN")
    return _answer("limits", plan, rows, [table, more], result.notes)


def _autoscaling(plan: Plan) -> Answer:
    from capacity.advice.autoscaling import PREFIX_ATTACH_S, reach

    result = check(plan, ["steady", "ceiling"])
    found = reach(result)
    groups: list[dict[str, Any]] = [
        {
            "name": g.name,
            "provisioner": g.provisioner,
            "limited_by": g.limited_by,
            "now": g.now,
            "ceiling": g.ceiling,
            "fits": g.fits,
            "commands": list(g.commands),
        }
        for g in found.groups
    ]
    subnets = [
        {"name": s.subnet.name, "verdict": s.verdict, "usable": s.subnet.usable, "free": s.free}
        | {"more_nodes": row.more_nodes, "more_pods": row.more_pods}
        for s, row in zip(result["ceiling"].subnets, result.runway, strict=True)
    ]
    calls = dict(found.calls)
    blocks: list[Any] = [
        Text(_reach_words(plan, groups, found.pods_now, found.pods_most)),
        Table(
            _columns("name", "now", "ceiling", "fits", "limited_by", "provisioner"),
            groups,
            "Nodes of each group: now, at its maximum, and as far as its subnets allow",
            "Spread evenly, if it alone grows: groups that share subnets share the room.",
        ),
        Table(
            [
                TableColumn("name", "subnet"),
                TableColumn("verdict", "at the ceiling"),
                TableColumn("free", "free there"),
                TableColumn("more_nodes", "more nodes from now"),
                TableColumn("more_pods", "or more pods", 1),
                TableColumn("usable", "usable", 2),
            ],
            subnets,
            "Subnets",
        ),
    ]
    if calls:
        told = ", ".join(f"{api} {count:,}" for api, count in sorted(calls.items(), key=lambda c: (-c[1], c[0])))
        blocks.append(Text(f"EC2 calls of that scale-up, at least: {told}."))
        blocks.append(
            Text(
                f"An ENI attaches within 10 s and a prefix within {PREFIX_ATTACH_S} s: the ENIs of one node take up to "
                f"{found.slowest_node_s} s. EC2 throttles calls by account; the rates are not published."
            )
        )
    simulated, told = _scale_up(plan, sum(g.ceiling for g in found.groups))
    if told:
        blocks.append(Text(told))
    commands = [command for g in groups for command in g["commands"]]
    if commands:
        blocks.append(CodeBlock("\n".join(commands), "Maximums that keep each group within its subnets", "sh"))
    results = {"groups": groups, "subnets": subnets, "calls": calls, "slowest_node_s": found.slowest_node_s}
    results |= {"pods_now": found.pods_now, "pods_most": found.pods_most, "verdict": result["ceiling"].verdict}
    results["scale_up"] = simulated
    return _answer("autoscaling", plan, results, blocks, result.notes)


def _scale_up(plan: Plan, nodes: int) -> tuple[dict[str, Any] | None, str]:
    """How long its pods take to get addresses: figures and words."""
    from capacity.advice.scale_up import scale_up
    from capacity.sim.facade import NotSimulated

    command = f"capacity simulate {plan.file or 'PLAN'} --scenario ceiling"
    try:
        found = scale_up(plan, nodes)
    except NotSimulated as error:
        return None, f"How long pods take to get addresses is not simulated: {error.reason}."
    if found is None:
        return None, f"{command} shows how long pods take to get addresses."
    figures = {
        "pods": found.pods,
        "served_s": {f"p{share}": at for share, at in found.served_s.items()},
        "without_address": found.left,
        "ec2_calls": found.calls,
        "throttled_s": found.throttled_s,
    }
    return (
        figures,
        f"In a simulation, {found.words}. Assumed: EC2's latency, the start of nodes. {command} has options.",
    )


def _reach_words(plan: Plan, groups: Sequence[Mapping[str, Any]], pods: int, most: int) -> str:
    now, ceiling = (sum(g[key] for g in groups) for key in ("now", "ceiling"))
    return (
        f"{plan.name}: {pods:,} replicas now and {most:,} at the maximum of their HPAs; {now:,} nodes now, and up to "
        f"{ceiling:,} if every autoscaled group grows to its maximum."
    )
