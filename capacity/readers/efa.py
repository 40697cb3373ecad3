"""Addresses of Elastic Fabric Adapters: one interface for each network card of a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from capacity.catalog.table import Catalog
from capacity.readers.draft import GroupDraft, SourceNotes, TenantDraft, at
from capacity.units import ceil_div


def efa_tenant(group: GroupDraft, catalog: Catalog, said: SourceNotes, where: str) -> TenantDraft | None:
    """Holder of the addresses of a group's EFA interfaces beyond the primary one; None, with a note, if not known.

    Notes
    -----
    The launch template has one EFA interface, with a private address, for each network card: that of the type with the
    fewest. The VPC CNI leaves the cards above 0 alone, so they change neither its ENIs nor max pods.

    Source
    ------
    eksctl-io/eksctl pkg/cfn/builder/network_interfaces.go buildNetworkInterfaces;
    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L296-324 (unmanaged network cards).
    """
    path = at("nodeGroups", group.name)
    cards = [catalog.get(t).network_cards for t in group.instance_types or () if t in catalog]
    known = [c for c in cards if c]
    if not known or len(known) < len(group.instance_types or ()):
        said.say(where, "EFA: one interface with an address for each network card of a node; cards not known", path)
        return None
    return _holder(group, min(known), said, where, "one per network card")


def template_tenant(
    group: GroupDraft, interfaces: Sequence[Mapping[str, Any]], said: SourceNotes, where: str
) -> TenantDraft | None:
    """Holder of the addresses of a launch template's interfaces beyond the primary one; EFA-only ones have none.

    ``interfaces`` have the keys of CloudFormation's ``NetworkInterfaces``.
    """
    addressed = [i for i in interfaces if i.get("InterfaceType") != "efa-only"]
    return _holder(group, len(addressed), said, where, "in the launch template")


def say_template_interfaces(
    group: GroupDraft, interfaces: Sequence[Mapping[str, Any]], said: SourceNotes, where: str
) -> None:
    """Note the addresses of a template's interfaces for nodes whose number is not known."""
    template_tenant(replace(group, max_nodes=None, desired=None, min_nodes=None), interfaces, said, where)


def _holder(group: GroupDraft, each: int, said: SourceNotes, where: str, why: str) -> TenantDraft | None:
    path = at("nodeGroups", group.name)
    nodes = group.max_nodes or group.desired or group.min_nodes
    if each < 2:
        return None
    types = ", ".join(group.instance_types or ())
    words = f"EFA: {each} interfaces for each node ({types}: {why})"
    if not nodes or not group.subnets:
        said.say(where, f"{words}: each node takes {each - 1} more addresses than the plan has", path)
        return None
    total = (each - 1) * nodes
    text = f"{words}: {nodes} nodes take {each * nodes} addresses, {total} of them in tenants[efa-{group.name}]"
    said.say(where, text, path)
    return TenantDraft(f"efa-{group.name}", "other", group.subnets, ceil_div(total, len(group.subnets)))
