"""Section of the report: the addresses of the cluster's nodes, against the model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from capacity.pages.page import Section, Text
from capacity.units import counted

if TYPE_CHECKING:
    from capacity.pages.report_material import Material


def model_section(material: Material) -> Section:
    """One row per node group, with the likely reason for what differs; empty without facts about the nodes."""
    if not material.nodes:
        return Section("model", "Model and cluster", [])
    from capacity.advice.node_figures import by_group
    from capacity.pages.doctor_page import model_table

    off = sum(node.off for node in material.nodes)
    told = f"{off:,} of {counted(len(material.nodes), 'node')} hold a number of addresses that the model excludes."
    if not off:
        told = f"All {counted(len(material.nodes), 'node')} hold a number of addresses that the model allows."
    table = model_table(by_group(material.nodes))
    return Section("model", "Model and cluster", [Text(told), replace(table, name="Model and cluster")])
