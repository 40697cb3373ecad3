"""Other holders of addresses in the cluster's subnets: load balancers, endpoints, other clusters."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from capacity.plan.yaml_writer import printable
from capacity.readers.aws.kinds import MOST_NAME
from capacity.readers.aws.owners import NODE_OWNERS, Interface
from capacity.readers.draft import TenantDraft
from capacity.readers.values import objects, text, texts

if TYPE_CHECKING:
    from capacity.readers.aws.aws_cluster import AwsCluster


def tenants(found: AwsCluster) -> tuple[TenantDraft, ...]:
    """Tenants (load balancers, endpoints, other clusters …) with the addresses each holds now, per subnet."""
    if not found.answers.has("interfaces"):
        return _balancers(found)
    held: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    names = {a.ident: a.name for a in found.accounts}
    for interface in found.interfaces:
        identity = tenant_of(interface, found.name)
        if identity is not None and interface.subnet in names:
            held[identity][names[interface.subnet]] += interface.addresses
    order = {a.name: i for i, a in enumerate(found.accounts)}
    drafts: list[TenantDraft] = []
    taken: set[str] = set()
    for (kind, name), subnets in sorted(held.items()):
        by_count: dict[int, list[str]] = defaultdict(list)
        for subnet in sorted(subnets, key=order.__getitem__):
            if subnets[subnet]:
                by_count[subnets[subnet]].append(subnet)
        for addresses, where in by_count.items():
            label = name if len(by_count) == 1 else f"{name} ({', '.join(where)})"
            label = printable(label)[:MOST_NAME]
            label = label if label not in taken else f"{label} ({kind})"
            taken.add(label)
            drafts.append(TenantDraft(label, kind, tuple(where), addresses))
    return tuple(drafts)


def _balancers(found: AwsCluster) -> tuple[TenantDraft, ...]:
    """Load balancers from their answers, if no interface is known; addresses are AWS's figures for the kind."""
    names = {a.ident: a.name for a in found.accounts}
    drafts = [
        (
            text(item, "LoadBalancerName"),
            BALANCERS.get(text(item, "Type")),
            [text(z, "SubnetId") for z in objects(item, "AvailabilityZones", text(item, "LoadBalancerArn"))],
        )
        for item in found.answers.of("load_balancers")
    ]
    classic = found.answers.of("classic_load_balancers")
    drafts += [(text(item, "LoadBalancerName"), "clb", texts(item, "Subnets")) for item in classic]
    return tuple(
        TenantDraft(f"{printable(name)} ({kind})", kind, tuple(names[s] for s in zones if s in names))
        for name, kind, zones in drafts
        if kind and any(s in names for s in zones)
    )


_COMMON_NAMES = {
    "ec2": "instances outside the cluster",
    "leakedEni": "leaked ENIs",
    "lambda": "lambda",
    "rds": "rds",
    "elasticache": "elasticache",
    "efs": "efs",
    "msk": "msk",
    "opensearch": "opensearch",
    "directory": "directory",
    "transitGateway": "transit gateway",
}


def tenant_of(interface: Interface, cluster: str) -> tuple[str, str] | None:
    """Kind and name of the tenant of an interface; None for the cluster's interfaces and unexplained ones."""
    if interface.cluster and interface.cluster != cluster and interface.owner != "leaked":
        return "cluster", interface.cluster
    if interface.owner in (*NODE_OWNERS, "control_plane", "unknown", "detached"):
        return None
    if interface.kind in _COMMON_NAMES:
        return interface.kind, _COMMON_NAMES[interface.kind]
    return interface.kind or "other", interface.name or interface.owner.replace("_", " ")


BALANCERS = {"application": "alb", "network": "nlb"}  # elbv2 LoadBalancer.Type; a gateway's are of kind other
