"""How far running clusters are from running out of pod addresses: one row for each, then zones and subnets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from capacity.advice.pod_room import LEVELS, RunningCluster, RunningNode, first_limit, sentence, total, worst
from capacity.pages.answer import Answer
from capacity.pages.page import Items, Page, Table, TableColumn, Text, Verdict
from capacity.units import counted

MORE = "--vpc FILE adds free addresses: aws ec2 describe-subnets --filters Name=vpc-id,Values=VPC > FILE"

_CLUSTERS = (
    TableColumn("context", "context"),
    TableColumn("verdict", "verdict"),
    TableColumn("nodes", "nodes"),
    TableColumn("pods", "pods"),
    TableColumn("more_pods", "more pods fit"),
    TableColumn("first", "first limit"),
)
_ZONES = (
    TableColumn("context", "context"),
    TableColumn("zone", "zone"),
    TableColumn("nodes", "nodes"),
    TableColumn("pods", "pods"),
    TableColumn("max_pods", "max pods"),
    TableColumn("vpc_pods", "on VPC addresses"),
    TableColumn("addresses", "ENIs can hold"),
    TableColumn("more_pods", "more pods fit"),
)
_SUBNETS = (
    TableColumn("context", "context"),
    TableColumn("subnet", "subnet"),
    TableColumn("verdict", "verdict"),
    TableColumn("zone", "zone", 1),
    TableColumn("cidr", "CIDR", 2),
    TableColumn("usable", "usable", 1),
    TableColumn("free", "free"),
    TableColumn("nodes", "nodes"),
    TableColumn("vpc_pods", "pods"),
    TableColumn("to_fill", "to fill nodes"),
    TableColumn("more_nodes", "more full nodes"),
)


def answer(clusters: Sequence[RunningCluster], failed: Mapping[str, str], inputs: Mapping[str, Any]) -> Answer:
    """The answer for all contexts; ``failed``: the contexts that could not be read, with the reason."""
    rows = [_cluster_row(c) for c in clusters]
    rows += [{"context": name, "verdict": "not read", "first": reason} for name, reason in failed.items()]
    return Answer(
        command="podips",
        inputs=dict(inputs),
        results={
            "verdict": worst(c.verdict for c in clusters) if clusters else None,
            "clusters": [cluster_json(c) for c in clusters],
            "failed": [{"context": name, "error": reason} for name, reason in failed.items()],
        },
        page=_page(clusters, rows, hint=not inputs.get("vpc")),
        rows=[zone | {"verdict": c.verdict} for c in clusters for zone in zone_rows(c)],
    )


def cluster_json(cluster: RunningCluster) -> dict[str, Any]:
    """One of ``results.clusters``."""
    return {
        "context": cluster.context,
        "verdict": cluster.verdict,
        "nodes": len(cluster.nodes),
        "pods": cluster.pods,
        "vpc_pods": sum(n.vpc_pods for n in cluster.nodes),
        "more_pods": cluster.more_pods,
        "first_limit": first_limit(cluster) if cluster.nodes else None,
        "nodes_by_limit": dict(sorted(cluster.limits.items())),
        "pending_pods": cluster.pending,
        "pods_without_address": cluster.waiting,
        "fargate_pods": cluster.fargate,
        "branch_eni_pods": cluster.branch,
        "zones": [{k: v for k, v in row.items() if k != "context"} for row in zone_rows(cluster)],
        "subnets": [{k: v for k, v in row.items() if k != "context"} for row in _subnet_rows(cluster)],
        "notes": list(cluster.notes),
    }


def _cluster_row(cluster: RunningCluster) -> dict[str, Any]:
    return {
        "context": cluster.context,
        "verdict": cluster.verdict,
        "nodes": len(cluster.nodes),
        "pods": cluster.pods,
        "more_pods": cluster.more_pods,
        "first": first_limit(cluster),
    }


def zone_rows(cluster: RunningCluster) -> list[dict[str, Any]]:
    """The nodes of each zone: pods now, what max pods and the ENIs allow, and what still fits."""
    zones: dict[str, list[RunningNode]] = {}
    for node in cluster.nodes:
        zones.setdefault(node.zone or "unknown", []).append(node)
    return [
        {
            "context": cluster.context,
            "zone": zone,
            "nodes": len(mine),
            "pods": sum(n.pods for n in mine),
            "max_pods": total(n.max_pods for n in mine),
            "vpc_pods": sum(n.vpc_pods for n in mine),
            "addresses": total(n.addresses for n in mine),
            "more_pods": total(n.more_pods for n in mine),
        }
        for zone, mine in sorted(zones.items())
    ]


def _subnet_rows(cluster: RunningCluster) -> list[dict[str, Any]]:
    return [
        {
            "context": cluster.context,
            "subnet": room.subnet.name,
            "verdict": room.verdict,
            "zone": room.subnet.zone,
            "cidr": room.subnet.cidr,
            "usable": room.subnet.usable,
            "free": room.subnet.free,
            "nodes": room.nodes,
            "vpc_pods": room.vpc_pods,
            "to_fill": room.to_fill,
            "more_nodes": room.more_nodes,
        }
        for room in cluster.subnets
    ]


def _page(clusters: Sequence[RunningCluster], rows: list[dict[str, Any]], *, hint: bool) -> Page:
    one = len(rows) == 1
    names = short_names([str(row["context"]) for row in rows])
    rows = [_named(row, names) for row in rows]
    blocks: list[Verdict | Table | Text | Items] = []
    if clusters:
        worst_one = max(clusters, key=lambda c: LEVELS.index(c.verdict))
        worst_one = replace(worst_one, context=names[worst_one.context])
        told = sentence(worst_one) if one else f"{counted(len(clusters), 'cluster')}. {sentence(worst_one)}"
        blocks.append(Verdict(worst_one.verdict, told))
    blocks += [] if one and clusters else [Table(_CLUSTERS, rows, "Clusters")]
    zones = [row for c in clusters for row in zone_rows(c)]
    subnets = [row for c in clusters for row in _subnet_rows(c)]
    zones, subnets = ([_named(row, names) for row in part] for part in (zones, subnets))
    blocks += [Table(_columns(_ZONES, one=one), zones, "Nodes by zone")] if zones else []
    blocks += [Table(_columns(_SUBNETS, one=one), subnets, "Subnets")] if subnets else []
    notes = [n if one else f"{names[c.context]}: {n}" for c in clusters for n in c.notes]
    blocks += [Items(notes, "Notes:")] if notes else []
    blocks += [Text(MORE)] if hint and clusters and not subnets else []
    return Page(blocks)


def short_names(contexts: Sequence[str]) -> dict[str, str]:
    """Contexts as a person calls them: of the ARN of an EKS cluster its name, if no other context has the same.

    >>> short_names(["arn:aws:eks:us-east-1:111122223333:cluster/shop", "dev"])
    {'arn:aws:eks:us-east-1:111122223333:cluster/shop': 'shop', 'dev': 'dev'}
    """
    ends = {c: c.rpartition(":cluster/")[2] for c in contexts}
    uses = Counter(ends.values())
    return {c: end if end and uses[end] == 1 else c for c, end in ends.items()}


def _named(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return row | {"context": names[str(row["context"])]}


def _columns(columns: Sequence[TableColumn], *, one: bool) -> list[TableColumn]:
    """The columns; the context is named only if there are several."""
    return [c for c in columns if not (one and c.key == "context")]
