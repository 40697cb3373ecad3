"""The answer of `capacity size`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from capacity.advice.findings.rules import findings
from capacity.advice.snippets.subnets import KINDS, snippets
from capacity.cluster.scenario import ScenarioState, first_and_worst
from capacity.cluster.sizing import SizedSubnet, Sizing
from capacity.node.limit_words import limit_words
from capacity.pages.answer import Answer
from capacity.pages.check_page import group_json, inputs_of, scenario_json
from capacity.pages.page import CodeBlock, Items, Page, Table, TableColumn, Text
from capacity.pages.vocabulary import by_zone
from capacity.units import counted

LANGUAGES = {"terraform": "hcl", "aws": "sh", "eksctl": "yaml", "cloudformation": "yaml", "plan": "yaml"}


def answer(sizing: Sizing, snippet: str, document: Mapping[str, object] | None = None) -> Answer:
    """Nodes, sizes, blocks and snippets in every format.

    ``document``: the plan described by options, printed whole as the plan's snippet.
    """
    texts = snippets(sizing, document)
    rows = [_row(s) for s in sizing.subnets]
    states = sizing.result.scenarios
    results = {
        "verdict": sizing.result.verdict,
        "nodes": nodes_of(first_and_worst(states)[0]),
        "scenarios": [_scenario(s) for s in states],
        "subnets": rows,
        "added_vpc_cidrs": [str(c) for c in sizing.added_blocks],
        "snippets": texts,
    }
    shown = [k for k in KINDS if snippet in (k, "all") and texts[k]]
    why = [f"{s.name}: {s.smaller_fails}" for s in sizing.subnets if s.smaller_fails]
    page = Page(
        [
            Text(_sentence(sizing)),
            _groups(sizing),
            _table(sizing),
            *([Items(why, "Why not one size smaller:")] if why else []),
            *(CodeBlock(texts[name], name, LANGUAGES[name]) for name in shown),
        ]
    )
    errors = [f"{f.code}: {f.message}" for f in findings(sizing.result) if f.severity == "error"]
    warnings = [*sizing.result.notes, *_no_requests(sizing, document), *sizing.notes, *errors]
    return Answer("size", _inputs(sizing, document), results, page, rows, warnings)


def _inputs(sizing: Sizing, document: Mapping[str, object] | None) -> dict[str, Any]:
    """The inputs of the answer, after defaults."""
    plan, checked = sizing.result.plan, inputs_of(sizing.result)
    sketched: dict[str, Any] = {}
    if document is not None:
        sketched = {
            "pods": sum(w.replicas for w in plan.workloads),
            "nodes": nodes_of(first_and_worst(sizing.result.scenarios)[0]),
            "type": plan.node_groups[0].instance_types[0].name,
            "workloads": [
                {
                    "name": w.name,
                    "replicas": w.replicas,
                    "cpu_millicores": w.requests.cpu_millicores,
                    "memory_bytes": w.requests.memory_bytes,
                }
                for w in plan.workloads
            ],
            "zones": list(dict.fromkeys(s.zone for s in plan.subnets)),
            "ami": plan.node_groups[0].ami,
            "provisioner": plan.node_groups[0].provisioner,
        }
    return {
        "plan": plan.file if document is None else None,
        **sketched,
        **{key: checked[key] for key in ("region", "ip_family", "cni")},
        "headroom": checked["min_free"],
        "vpc_cidrs": [str(c) for c in plan.vpc_cidrs],
        "scenarios": checked["scenarios"],
    }


def nodes_of(state: ScenarioState) -> int:
    """Nodes of a scenario that hold addresses. [nodes]"""
    return sum(g.nodes for g in state.groups)


def _scenario(state: ScenarioState) -> dict[str, Any]:
    whole = scenario_json(state)
    kept = ("name", "variant", "verdict")
    counts = {key: whole[key] for key in ("node_groups", "unplaced_pods")}
    return {key: whole[key] for key in kept} | {"nodes": nodes_of(state)} | counts


def _no_requests(sizing: Sizing, document: Mapping[str, object] | None) -> list[str]:
    """The assumption behind a node count from options: pods without requests."""
    plan = sizing.result.plan
    if document is None or not any(w.replicas for w in plan.workloads):
        return []
    if any(w.requests.cpu_millicores is not None or w.requests.memory_bytes is not None for w in plan.workloads):
        return []
    most = sizing.result.shapes[0].first.max_pods
    return [
        f"no --pod-cpu and no --pod-memory: only max pods ({most:,}) limits how many pods share a node; "
        "pods with requests need more nodes"
    ]


def _row(s: SizedSubnet) -> dict[str, Any]:
    return {
        "name": s.name,
        "zone": s.zone,
        "serves": s.serves,
        "needed": f"/{s.needed}",
        "existing": str(s.existing) if s.existing else None,
        "cidr": str(s.cidr),
        "action": "keep" if s.kept else "new",
        "growth_ready": None if s.kept else s.growth_ready,
        "usable": s.tightest.subnet.usable,
        "free_in_tightest": s.tightest.free,
        "tightest_scenario": s.scenario,
        "used_highest": s.tightest.used_highest,
        "prefix_reservations": [str(r) for r in s.reservations],
        "smaller_fails": s.smaller_fails or None,
    }


def _sentence(sizing: Sizing) -> str:
    new = [s for s in sizing.subnets if not s.kept]
    share = float(100 * sizing.result.plan.checks.min_free)
    names = ", ".join(dict.fromkeys(s.name for s in sizing.result.scenarios))
    for_nodes = _for_nodes(sizing)
    if not new:
        return f"Every subnet is large enough{for_nodes}: at least {share:g}% stays free ({names})."
    addresses = sum(s.cidr.num_addresses for s in new)
    kept = len(sizing.subnets) - len(new)
    also = f", {kept} kept" if kept else ""
    count = f"{len(new)} new subnet{'s' if len(new) != 1 else ''}"
    return f"{count} of {addresses:,} addresses{also}{for_nodes}: at least {share:g}% stays free ({names})."


def _for_nodes(sizing: Sizing) -> str:
    """`` for 20 nodes (up to 27 in upgrade)``."""
    first = first_and_worst(sizing.result.scenarios)[0]
    most = max(sizing.result.scenarios, key=nodes_of)
    more = f" (up to {nodes_of(most):,} in {most.title})" if nodes_of(most) > nodes_of(first) else ""
    return f" for {counted(nodes_of(first), 'node')}{more}"


def _groups(sizing: Sizing) -> Table:
    """Every node group as check has it in steady (or the first scenario), and its most nodes in any."""
    states = sizing.result.scenarios
    first = first_and_worst(states)[0]
    rows = []
    for i, group in enumerate(first.groups):
        most = max(states, key=lambda s: s.groups[i].nodes)
        row = group_json(group)
        grows = most.groups[i].nodes > group.nodes
        rows.append(
            row
            | {
                "zones": by_zone(row["nodes_by_zone"]),
                "most": most.groups[i].nodes,
                "most_in": most.title if grows else first.title,
                "binding": limit_words(group.binding),
            }
        )
    columns = (
        TableColumn("name", "node group"),
        TableColumn("instance_type", "type", 1),
        TableColumn("nodes", "nodes"),
        TableColumn("zones", "by zone", 2, whole=True),
        TableColumn("most", "most nodes"),
        TableColumn("most_in", "in scenario", 3, whole=True),
        TableColumn("pods_per_node", "pods on the busiest node"),
        TableColumn("max_pods", "max pods"),
        TableColumn("binding", "limited by"),
    )
    return Table(columns, rows, f"Nodes in {first.title}")


def _table(sizing: Sizing) -> Table:
    rows = [
        _row(s)
        | {
            "grows": "–" if s.kept else "yes" if s.growth_ready else "no",
            "tightest": s.tightest.free,
            "existing": str(s.existing) if s.existing else "–",
        }
        for s in sizing.subnets
    ]
    columns = [
        TableColumn("name", "subnet"),
        TableColumn("zone", "zone", 2),
        TableColumn("serves", "serves", 4),
        TableColumn("needed", "needs", 1),
        TableColumn("existing", "has", 1),
        TableColumn("action", "action"),
        TableColumn("cidr", "block"),
        TableColumn("grows", "room to grow", 3),
        TableColumn("usable", "usable"),
        TableColumn("tightest", "fewest free"),
        TableColumn("tightest_scenario", "in scenario", 2, whole=True),
    ]
    if all(s.existing is None for s in sizing.subnets):
        columns = [c for c in columns if c.key not in ("existing", "action")]
    if any(s.reservations for s in sizing.subnets):
        columns.append(TableColumn("prefix_reservations", "reserve for prefixes"))
    return Table(columns, rows, "Subnets")
