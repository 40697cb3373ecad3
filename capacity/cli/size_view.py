"""The answer of `capacity size`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from capacity.advice.findings.rules import findings
from capacity.advice.snippets.subnets import KINDS, snippets
from capacity.cli.check_view import group_json, inputs_of, scenario_json
from capacity.cli.output import Answer, Table
from capacity.cluster.scenario import ScenarioState, first_and_gravest
from capacity.cluster.sizing import SizedSubnet, Sizing
from capacity.units import counted

LANGUAGES = {"terraform": "hcl", "aws": "sh", "eksctl": "yaml", "cloudformation": "yaml", "plan": "yaml"}


def answer(sizing: Sizing, snippet: str, document: Mapping[str, object] | None = None, fenced: bool = False) -> Answer:
    """Nodes, sizes, blocks and snippets in every format.

    ``document``: the plan that options stood for, printed whole as the plan's snippet. ``fenced``: snippets as
    Markdown's code blocks.
    """
    texts = snippets(sizing, document)
    rows = [_row(s) for s in sizing.subnets]
    states = sizing.result.scenarios
    results = {
        "verdict": sizing.result.verdict,
        "nodes": nodes_of(first_and_gravest(states)[0]),
        "scenarios": [_scenario(s) for s in states],
        "subnets": rows,
        "added_vpc_cidrs": [str(c) for c in sizing.added_blocks],
        "snippets": texts,
    }
    shown = [k for k in KINDS if snippet in (k, "all") and texts[k]]
    blocks: list[str | Table] = [_sentence(sizing), "", _groups(sizing), "", _table(sizing), ""]
    blocks += _why(sizing)
    for name in shown:
        text = f"```{LANGUAGES[name]}\n{texts[name]}\n```" if fenced else f"# {name}\n{texts[name]}"
        blocks += [text, ""]
    grave = [f"{f.code}: {f.message}" for f in findings(sizing.result) if f.severity == "error"]
    warnings = [*sizing.result.notes, *_no_requests(sizing, document), *sizing.notes, *grave]
    return Answer("size", _inputs(sizing, document), results, blocks, rows, warnings)


def _inputs(sizing: Sizing, document: Mapping[str, object] | None) -> dict[str, Any]:
    """What the answer rests on, after defaults."""
    plan, checked = sizing.result.plan, inputs_of(sizing.result)
    sketched: dict[str, Any] = {}
    if document is not None:
        sketched = {
            "pods": sum(w.replicas for w in plan.workloads),
            "nodes": nodes_of(first_and_gravest(sizing.result.scenarios)[0]),
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
    """The one thing that a node count out of options rests on and that nobody said."""
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
        return f"Every subnet suffices as it is{for_nodes}: at least {share:g} % stays free ({names})."
    addresses = sum(s.cidr.num_addresses for s in new)
    kept = len(sizing.subnets) - len(new)
    also = f", {kept} kept" if kept else ""
    count = f"{len(new)} new subnet{'s' if len(new) != 1 else ''}"
    return f"{count} of {addresses:,} addresses{also}{for_nodes}: at least {share:g} % stays free ({names})."


def _for_nodes(sizing: Sizing) -> str:
    """`` for 20 nodes (up to 27 in upgrade)``."""
    first = first_and_gravest(sizing.result.scenarios)[0]
    most = max(sizing.result.scenarios, key=nodes_of)
    more = f" (up to {nodes_of(most):,} in {most.title})" if nodes_of(most) > nodes_of(first) else ""
    return f" for {counted(nodes_of(first), 'node')}{more}"


def _groups(sizing: Sizing) -> Table:
    """Every node group as check has it in steady (or the first scenario), and its most nodes in any."""
    states = sizing.result.scenarios
    first = first_and_gravest(states)[0]
    rows = []
    for i, group in enumerate(first.groups):
        most = max(states, key=lambda s: s.groups[i].nodes)
        row = group_json(group)
        zones = ", ".join(f"{zone} {count:,}" for zone, count in row["nodes_by_zone"].items())
        more = f"{most.groups[i].nodes:,} in {most.title}" if most.groups[i].nodes > group.nodes else "–"
        rows.append(row | {"zones": zones, "most": more})
    columns = (
        ("name", "node group"),
        ("instance_type", "type"),
        ("nodes", "nodes"),
        ("zones", "by zone"),
        ("most", "most nodes"),
        ("pods_per_node", "pods on the fullest"),
        ("max_pods", "max pods"),
        ("binding", "limited by"),
    )
    return Table(columns, rows, f"nodes in {first.title}")


def _table(sizing: Sizing) -> Table:
    rows = [
        _row(s)
        | {
            "grows": "–" if s.kept else "yes" if s.growth_ready else "no",
            "tightest": f"{s.tightest.free:,} in {s.scenario}",
            "existing": str(s.existing) if s.existing else "–",
        }
        for s in sizing.subnets
    ]
    columns = [
        ("name", "subnet"),
        ("zone", "zone"),
        ("serves", "serves"),
        ("needed", "needs"),
        ("existing", "has"),
        ("action", "action"),
        ("cidr", "block"),
        ("grows", "room to grow"),
        ("usable", "usable"),
        ("tightest", "fewest free"),
    ]
    if all(s.existing is None for s in sizing.subnets):
        columns = [c for c in columns if c[0] not in ("existing", "action")]
    if any(s.reservations for s in sizing.subnets):
        columns.append(("prefix_reservations", "reserve for prefixes"))
    return Table(columns, rows)


def _why(sizing: Sizing) -> list[str | Table]:
    lines = [f"{s.name}: {s.smaller_fails}" for s in sizing.subnets if s.smaller_fails]
    if not lines:
        return []
    return ["Why not one size smaller:", "", *(f"- {line}" for line in lines), ""]
