"""Sections of the report: assumptions, sources of rules and data, and how to reproduce the report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from capacity.cni.facade import settings_on
from capacity.cni.on_node import own_cni
from capacity.pages.page import CodeBlock, Section, Table, TableColumn, Text
from capacity.pages.report_blocks import Block
from capacity.plan.cilium_settings import all_settings
from capacity.plan.constants import CILIUM, OVERLAY
from capacity.plan.model import Plan

if TYPE_CHECKING:
    from capacity.pages.report_material import Material

_SETTINGS = (TableColumn("setting", "setting"), TableColumn("value", "value"))
SOURCES = (
    ("AWS reserves 5 addresses in every subnet", "awsdocs/amazon-vpc-user-guide subnet-sizing.md L9"),
    ("max pods: ENIs × (addresses per ENI − 1) + 2", "awslabs/amazon-eks-ami@81fec2e8 eni_max_pods.go L75-77"),
    ("control plane: 2 to 4 cross-account ENIs", "awsdocs/amazon-eks-user-guide@4d52b4d network-reqs.adoc L66"),
    ("prefixes are aligned /28 blocks", "awsdocs/amazon-vpc-user-guide subnet-cidr-reservation.md L3-14"),
)
POOLS = {
    "vpc-cni": [("warm pool of the CNI", "aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go")],
    "cilium": [
        ("addresses that Cilium's operator allocates", "cilium/cilium@00137987 pkg/ipam/node.go, pkg/aws/eni/node.go")
    ],
    "overlay": [],
}


def assumptions_section(material: Material) -> Section:
    plan, settings = material.result.plan, material.result.plan.cni.settings
    notes = [{"assumption": note} for note in material.result.notes]
    vpc_cni = [
        ("prefix delegation", settings.prefix),
        ("custom networking", settings.custom_networking),
        ("branch ENIs (ENABLE_POD_ENI)", settings.pod_eni),
        ("WARM_ENI_TARGET", settings.warm_eni),
        ("WARM_IP_TARGET", settings.warm_ip or "not set"),
        ("MINIMUM_IP_TARGET", settings.minimum_ip or "not set"),
        ("WARM_PREFIX_TARGET", settings.warm_prefix),
        ("MAX_ENI", settings.max_eni if settings.max_eni is not None else "the limit of the instance type"),
    ]
    chosen: list[tuple[str, object]] = [
        ("CNI", plan.cni.name),
        ("CNI version", plan.cni.version or "not given"),
        ("address family", plan.kubernetes.ip_family),
        *(all_settings(settings).items() if settings.cni == CILIUM else vpc_cni if own_cni(plan) else ()),
        *_other_pools(plan),
        ("minimum free (checks.minFree)", f"{float(100 * plan.checks.min_free):g}%"),
    ]
    rows = [{"setting": name, "value": value} for name, value in chosen]
    settings_table = Table(_SETTINGS, rows, "Settings after defaults", folded=True, name="Settings")
    blocks: list[Block] = []
    if notes:
        blocks.append(
            Table((TableColumn("assumption", "assumption"),), notes, "Assumed (not in the plan)", name="Assumed")
        )
    blocks.append(settings_table)
    sources = [{"rule": rule, "source": source} for rule, source in (*SOURCES, *POOLS[plan.cni.name])]
    blocks.append(
        Table(
            (TableColumn("rule", "rule"), TableColumn("source", "source")),
            sources,
            "Rules and their sources",
            folded=True,
            name="Rules",
        )
    )
    return Section("assumptions", "Assumptions and sources", [*blocks, *_data(material)])


def _other_pools(plan: Plan) -> Iterator[tuple[str, object]]:
    """How nodes to which the settings above do not apply hold their addresses."""
    windows = [g for g in plan.node_groups if g.windows]
    if plan.cni.settings.cni == OVERLAY:
        yield "addresses of pods", "from the CNI's overlay network, not from the VPC"
    elif windows:
        told = settings_on(plan.cni, windows[0]).windows
        yield "Windows nodes: prefix delegation (enable-windows-prefix-delegation)", told.prefix
        yield "Windows nodes: warm-ip-target, minimum-ip-target", f"{told.warm_ip}, {told.minimum_ip}"
        yield "Windows nodes: warm-prefix-target", told.warm_prefix
    auto = [g.name for g in plan.node_groups if g.auto]
    if auto:
        yield f"EKS Auto Mode ({', '.join(auto)})", "prefixes, one of them warm; CNI settings of the plan do not apply"


def _data(material: Material) -> list[Block]:
    """The packaged data with their dates."""
    status = material.status
    rows = [
        {
            "source": s.source.title,
            "version": s.source.version or None,
            "date": s.source.date.isoformat() if s.source.date else None,
            "types": s.types,
        }
        for s in status.sources
    ]
    columns = (
        TableColumn("source", "source"),
        TableColumn("version", "version"),
        TableColumn("date", "date"),
        TableColumn("types", "types covered"),
    )
    text = f"{status.types:,} instance types; limits of {status.date}."
    region = material.result.plan.region
    priced = [p for p in status.prices if p.region == region]
    text += f" Prices of {region} of {priced[0].date}." if priced else ""
    said: list[Block] = [Text(f"Data: {note}.") for note in material.limit_notes]
    grid = Table(columns, rows, "Sources of the packaged data", folded=True, name="Data")
    return [Text(text), *said, grid]


def reproduce_section(material: Material) -> Section:
    text = f"capacity {material.version}, packaged data of {material.status.date}."
    if material.plan_sha256:
        text += f" SHA-256 of the plan file: {material.plan_sha256}."
    text += " The same version, data and plan give the same figures."
    return Section("reproduce", "How to reproduce", [Text(text), CodeBlock(material.command, "command")])
