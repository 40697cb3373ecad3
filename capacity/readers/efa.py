"""Addresses of Elastic Fabric Adapters: one interface for each network card of a node."""

from __future__ import annotations

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
    nodes = group.max_nodes or group.desired or group.min_nodes
    if not known or len(known) < len(group.instance_types or ()):
        said.say(where, "EFA: one interface with an address for each network card of a node; cards not known", path)
        return None
    more = min(known) - 1
    each = f"EFA: {min(known)} interfaces for each node ({', '.join(group.instance_types or ())}: one per network card)"
    if not more or not nodes or not group.subnets:
        if more:
            said.say(where, f"{each}: each node takes {more} more addresses than the plan has", path)
        return None
    total, subnets = more * nodes, len(group.subnets)
    text = f"{each}: {nodes} nodes take {min(known) * nodes} addresses, {total} of them in tenants[efa-{group.name}]"
    said.say(where, text, path)
    return TenantDraft(f"efa-{group.name}", "other", group.subnets, ceil_div(total, subnets))
