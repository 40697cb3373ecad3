"""The addresses that the model gives each node of a cluster, from AWS responses and, if read, its pods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from capacity.advice.node_figures import NodeFigures
from capacity.catalog.table import Catalog
from capacity.cni.facade import effective, node_limits, pool_of, without_primary
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import PREFIX_SIZE
from capacity.readers.aws.groups import cluster_instances
from capacity.readers.values import section, tags, text

if TYPE_CHECKING:
    from capacity.catalog.instance_type import InstanceType
    from capacity.cni.node_limits import NodeLimits
    from capacity.readers.aws.aws_cluster import AwsCluster
    from capacity.readers.aws.owners import Interface
    from capacity.readers.kubernetes.facts import KubernetesFacts

ON_NODES = ("node_primary", "cni_secondary", "trunk", "unmanaged")  # owners of the interfaces of a node


def node_interfaces(found: AwsCluster) -> Mapping[str, list[Interface]]:
    """The interfaces on the default network card of each instance; EFA and other cards are outside the model."""
    held: dict[str, list[Interface]] = defaultdict(list)
    for interface in found.interfaces:
        if interface.owner in ON_NODES and interface.instance and interface.card in (None, 0):
            held[interface.instance].append(interface)
    return held


def known_type(catalog: Catalog, name: str) -> InstanceType | None:
    """The type, if the catalog has its ENI figures."""
    kind = catalog.get(name) if name in catalog else None
    return kind if kind is not None and kind.max_enis is not None and kind.ipv4_per_eni is not None else None


def step_of(kind: InstanceType, settings: CniSettings) -> int:
    """Most addresses that a node allocates in one call: 16 for a prefix, 1 with address targets, else a whole ENI.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L1050-1101 (all or nothing), L2551-2568.
    """
    if settings.ipv6 or (settings.ip_targets and not settings.prefix):
        return 1
    return PREFIX_SIZE if settings.prefix else kind.ipv4_per_eni or 1


def limits_of(kind: InstanceType, own: CniSettings, interfaces: Iterable[Interface], *, closed: bool) -> NodeLimits:
    """Limits of a node with its interfaces and the settings of its type; ``closed``: its subnet is closed to pods."""
    limits = node_limits(kind, own, sum(i.owner == "unmanaged" for i in interfaces))
    return without_primary(limits) if closed else limits


@lru_cache(maxsize=4096)  # the nodes of a group are alike
def _range(limits: NodeLimits, own: CniSettings, max_pods: int, pods: int | None) -> tuple[int | None, int, int]:
    """A node's addresses in the model: expected, fewest and most; without pods, for any number of them."""
    pools = [pool_of(limits, own, max_pods, n) for n in ((pods,) if pods is not None else range(max_pods + 1))]
    expected = int(pools[0].subnet_addresses) if pods is not None else None
    return expected, min(int(p.lowest) for p in pools), max(int(p.highest) for p in pools)


def node_figures(
    found: AwsCluster,
    settings: CniSettings,
    catalog: Catalog,
    max_pods: Mapping[tuple[str, str], int],
    closed: Collection[str] = (),
    kube: KubernetesFacts | None = None,
) -> tuple[NodeFigures, ...]:
    """Every node of the cluster whose type is known, in the model and as AWS describes it.

    Parameters
    ----------
    max_pods : mapping
        Max pods by node group and instance type, for nodes whose kubelet is not known. [pods]
    closed : collection of str
        Identifiers of the subnets that a tag closes to pods.

    Notes
    -----
    Without nodes: IPv6 (a node holds one prefix of its own family), EKS Auto Mode (the settings of its CNI are not
    published), Windows, and nodes whose max pods is not known.
    """
    if settings.ipv6 or section(found.item, "computeConfig").get("enabled") is True:
        return ()
    interfaces = node_interfaces(found)
    free = {a.ident: a.reported_free for a in found.accounts}
    figures = []
    for instance in cluster_instances(found.answers, found.name):
        ident, subnet = text(instance, "InstanceId"), text(instance, "SubnetId")
        group, kind = found.groups.nodes.get(ident, ""), known_type(catalog, text(instance, "InstanceType"))
        mine = interfaces.get(ident, [])
        if kind is None or not mine or text(instance, "Platform") == "windows":
            continue
        most = (kube.max_pods.get(ident) if kube else None) or max_pods.get((group, kind.name))
        if most is None:
            continue
        name = kube.names.get(ident, "") if kube else ""
        pods = kube.vpc_pods.get(name, 0) if kube and kube.vpc_pods is not None and name else None
        own = effective(settings, kind)
        limits = limits_of(kind, own, mine, closed=subnet in closed)
        expected, lowest, highest = _range(limits, own, most, pods)
        places = {i.subnet for i in mine if i.owner == "cni_secondary"} or {subnet}
        figures.append(
            NodeFigures(
                node=name or tags(instance).get("Name") or ident,
                group=group,
                instance_type=kind.name,
                pods=pods,
                held=sum(i.addresses for i in mine),
                expected=expected,
                lowest=lowest,
                highest=highest,
                step=step_of(kind, own),
                trunk=bool(limits.trunk) and not any(i.owner == "trunk" for i in mine),
                subnet_free=min((f for p in places if (f := free.get(p)) is not None), default=None),
            )
        )
    return tuple(figures)
