"""Read a running cluster with `kubectl get`: nodes, pods, the CNI's settings, ENIConfigs, CNINodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from capacity.advice.pod_room import RunningCluster, RunningNode, RunningSubnet, rooms
from capacity.catalog.table import load_catalog
from capacity.cni.facade import address_capacity, effective, node_limits, node_pool
from capacity.cni.on_node import auto_mode_settings
from capacity.errors import SpecError
from capacity.plan.cni_env import CniSettings
from capacity.plan.model import Cni
from capacity.plan.subnet_tags import ROLE_TAG
from capacity.readers.cni_addon import cni_environment
from capacity.readers.draft import SourceNotes
from capacity.readers.kubernetes.eniconfig import eniconfig_subnet
from capacity.readers.kubernetes.facts import needs_no_address
from capacity.readers.kubernetes.kubectl_command import run_kubectl
from capacity.readers.values import count, items, mapping, objects, path_of, section, text
from capacity.units import counted

# What the plugin lists, one request each: with the first two missing there is no answer. The API groups of the CNI's
# own kinds: aws/amazon-vpc-cni-k8s charts/aws-vpc-cni/crds/customresourcedefinition.yaml.
REQUIRED: tuple[tuple[str, ...], ...] = (("nodes",), ("pods", "-A"))
OPTIONAL: tuple[tuple[str, ...], ...] = (
    ("daemonsets", "-n", "kube-system"),
    ("eniconfigs.crd.k8s.amazonaws.com",),
    ("cninodes.vpcresources.k8s.aws",),
)
ENI_CONFIG_LABEL = "k8s.amazonaws.com/eniConfig"  # default of ENI_CONFIG_LABEL_DEF
_GONE = ("Succeeded", "Failed")


@dataclass
class _Pods:
    """Pods of one node: all, those with an address of its ENIs, and those without an address yet."""

    all: int = 0
    vpc: int = 0
    waiting: int = 0


@dataclass
class _Seen:
    """Facts of the objects read so far."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    pods: dict[str, _Pods] = field(default_factory=dict)
    pending: int = 0
    branch: int = 0
    env: dict[str, str] | None = None
    eniconfigs: dict[str, str] = field(default_factory=dict)
    trunks: int = 0
    ipv6: bool = False


def fetch_running(
    context: str, subnets: Iterable[tuple[RunningSubnet, bool]] = (), kubectl: str = "kubectl", timeout: float = 30
) -> RunningCluster:
    """Read the cluster of a kubectl context (read-only).

    Raises
    ------
    SpecError
        kubectl cannot be run, does not answer in time, or may not list nodes or pods.
    """
    lost: list[str] = []

    def objects_of() -> Iterator[tuple[str, Any]]:
        for what in REQUIRED:
            yield from run_kubectl(kubectl, context, ["get", *what, "-o", "json"], timeout)
        for what in OPTIONAL:
            try:
                yield from run_kubectl(kubectl, context, ["get", *what, "-o", "json"], timeout)
            except SpecError as error:
                if "forbidden" in str(error).lower():
                    lost.append(what[0].partition(".")[0])

    cluster = running(objects_of(), context, subnets)
    notes = [f"not allowed to list {', '.join(lost)}: the CNI's settings are not all known"] if lost else []
    return replace(cluster, notes=(*notes, *cluster.notes))


def running(
    listed: Iterable[tuple[str, Any]], context: str, subnets: Iterable[tuple[RunningSubnet, bool]] = ()
) -> RunningCluster:
    """The cluster from kinds and objects, with the subnets that its nodes use and whether they are found by tag."""
    seen, said = _Seen(), SourceNotes("kubectl")
    for list_kind, value in listed:
        if isinstance(value, dict):
            _take(seen, text(value, "kind") or list_kind.removesuffix("List"), value, said)
    if not seen.nodes and not seen.pods:
        raise SpecError(f"{context}: has no nodes and no pods")
    given = list(subnets)
    notes: list[str] = []
    settings = _settings(seen, notes)
    nodes = [n for n in (_node(seen, raw, settings, [s for s, _ in given], notes) for raw in seen.nodes.values()) if n]
    fargate = sum(p.all for name, p in seen.pods.items() if name.startswith("fargate-"))
    _say(seen, notes, nodes, given, settings)
    return RunningCluster(
        context=context,
        nodes=nodes,
        pending=seen.pending,
        waiting=sum(p.waiting for p in seen.pods.values()),
        fargate=fargate,
        branch=seen.branch,
        subnets=rooms((s for s, _ in given), nodes),
        notes=tuple(dict.fromkeys(notes)),
    )


def _take(seen: _Seen, kind: str, item: dict[str, Any], said: SourceNotes) -> None:
    name = text(section(item, "metadata"), "name")
    if kind == "Node":
        seen.nodes[name] = _kept(item)
    elif kind == "Pod":
        _take_pod(seen, item)
    elif kind == "DaemonSet" and name == "aws-node":
        for raw in items(path_of(item, "spec", "template", "spec", "containers")):
            if mapping(raw).get("name") == "aws-node":
                seen.env = cni_environment(mapping(raw).get("env"), said, "aws-node env")
    elif kind == "ENIConfig":
        seen.eniconfigs |= eniconfig_subnet(item, said)
    elif kind == "CNINode":
        features = (mapping(f).get("name") for f in items(path_of(item, "spec", "features")))
        seen.trunks += "SecurityGroupsForPods" in features


def _kept(node: dict[str, Any]) -> dict[str, Any]:
    """The parts of a node that are used: its images and volumes would fill the memory."""
    metadata, status = section(node, "metadata"), section(node, "status")
    return {
        "metadata": {key: metadata.get(key) for key in ("name", "labels")},
        "spec": {"unschedulable": section(node, "spec").get("unschedulable")},
        "status": {key: status.get(key) for key in ("allocatable", "conditions", "addresses")},
    }


def _take_pod(seen: _Seen, item: dict[str, Any]) -> None:
    spec, status = section(item, "spec"), section(item, "status")
    if text(status, "phase") in _GONE:
        return
    node = text(spec, "nodeName")
    if not node:
        seen.pending += 1
        return
    pods = seen.pods.setdefault(node, _Pods())
    pods.all += 1
    address = text(status, "podIP")
    seen.ipv6 = seen.ipv6 or ":" in address
    if spec.get("hostNetwork") is True:
        return
    pods.waiting += not address
    if needs_no_address(spec) or "vpc.amazonaws.com/pod-eni" in section(section(item, "metadata"), "annotations"):
        seen.branch += 1
    else:
        pods.vpc += 1


def _settings(seen: _Seen, notes: list[str]) -> CniSettings | None:
    """Settings of the VPC CNI; None, with a note, if they are not known."""
    if seen.env is None:
        notes.append("DaemonSet aws-node was not found: how many addresses a node's ENIs hold is not known")
        return None
    try:
        return Cni(env=seen.env, ip_family="ipv6" if seen.ipv6 else None).settings
    except SpecError as error:
        notes.append(f"settings of aws-node: {error}")
        return None


def _node(
    seen: _Seen,
    raw: dict[str, Any],
    settings: CniSettings | None,
    subnets: list[RunningSubnet],
    notes: list[str],
) -> RunningNode | None:
    """One node; None for nodes whose pods use no addresses of ENIs (Fargate, hybrid, control plane)."""
    metadata, status = section(raw, "metadata"), section(raw, "status")
    name, labels = text(metadata, "name"), section(metadata, "labels")
    compute = labels.get("eks.amazonaws.com/compute-type")
    if compute in ("fargate", "hybrid") or name.startswith("fargate-"):
        return None
    if compute == "auto":
        settings = auto_mode_settings(ipv6=seen.ipv6)
    if labels.get("kubernetes.io/os") == "windows":
        settings = None
        notes.append("Windows nodes: the addresses that they can hold are not counted")
    pods = seen.pods.get(name, _Pods())
    kind = text(labels, "node.kubernetes.io/instance-type") or None
    max_pods = count(section(status, "allocatable"), "pods")
    node = RunningNode(
        name=name,
        zone=text(labels, "topology.kubernetes.io/zone") or None,
        instance_type=kind,
        max_pods=max_pods,
        pods=pods.all,
        vpc_pods=pods.vpc,
        addresses=_addresses(kind, settings, notes),
        open=_is_ready(status) and section(raw, "spec").get("unschedulable") is not True,
        subnet=_subnet(seen, raw, settings, subnets),
    )
    return _with_fill(node, settings)


def _addresses(kind: str | None, settings: CniSettings | None, notes: list[str]) -> int | None:
    """Most pods on addresses of the ENIs of a type. [pods]"""
    if settings is None or kind is None:
        return None
    catalog = load_catalog()
    if kind not in catalog:
        notes.append(f"{kind}: no figures of this type (capacity data refresh)")
        return None
    try:
        run = effective(settings, catalog.get(kind))
        return address_capacity(node_limits(catalog.get(kind), run), run)
    except SpecError as error:
        notes.append(str(error))
        return None


def _with_fill(node: RunningNode, settings: CniSettings | None) -> RunningNode:
    """The node with the addresses that it still takes, by the model of a plain start."""
    if settings is None or node.addresses is None or node.instance_type is None or node.more_pods is None:
        return node
    kind = load_catalog().get(node.instance_type)
    most = node.max_pods or 0
    served = min(node.vpc_pods, node.addresses)
    filled = max(min(node.addresses, most - (node.pods - node.vpc_pods)), served)
    held = [
        node_pool(kind, settings, pods, most).subnet_addresses for pods in (served, served + node.more_pods, filled)
    ]
    now, then, full = map(int, held)
    # With custom networking, the primary ENI is in another subnet.
    return replace(node, to_fill=max(then - now, 0), full=None if settings.custom_networking else full)


def _is_ready(status: Mapping[str, Any]) -> bool:
    """Whether the node is Ready; a list without conditions says nothing against it."""
    conditions = [mapping(c) for c in items(status.get("conditions"))]
    return all(c.get("status") == "True" for c in conditions if c.get("type") == "Ready")


def _subnet(seen: _Seen, raw: dict[str, Any], settings: CniSettings | None, subnets: list[RunningSubnet]) -> str:
    """Subnet of the node's pods, by ID: of its ENIConfig with custom networking, else the one with its address."""
    if settings is not None and settings.custom_networking:
        label = (seen.env or {}).get("ENI_CONFIG_LABEL_DEF") or ENI_CONFIG_LABEL
        return seen.eniconfigs.get(str(section(section(raw, "metadata"), "labels").get(label) or ""), "")
    for address in objects(section(raw, "status"), "addresses"):
        if text(address, "type") == "InternalIP" and "." in text(address, "address"):
            try:
                own = IPv4Address(text(address, "address"))
            except ValueError:
                continue
            return next((s.ident for s in subnets if own in IPv4Network(s.cidr)), "")
    return ""


def _say(
    seen: _Seen,
    notes: list[str],
    nodes: list[RunningNode],
    given: list[tuple[RunningSubnet, bool]],
    settings: CniSettings | None,
) -> None:
    """Note what is left out of the figures, and what is not known."""
    closed = sum(not n.open for n in nodes)
    if closed:
        notes.append(f"{counted(closed, 'node')} cordoned or not Ready: no more pods are counted there")
    if seen.eniconfigs:
        told = ", ".join(f"{name} {subnet}" for name, subnet in sorted(seen.eniconfigs.items())[:6])
        notes.append(f"ENIConfigs, the subnets of pods with custom networking: {told}")
    if seen.trunks:
        notes.append(f"{counted(seen.trunks, 'node')} with a trunk ENI for security groups for pods (CNINode)")
    if given:
        lost = sum(not n.subnet or all(s.ident != n.subnet for s, _ in given) for n in nodes)
        if lost:
            notes.append(f"{counted(lost, 'node')} in none of the given subnets")
        if settings is not None and settings.prefix:
            notes.append("prefix delegation takes /28 blocks: which blocks of a subnet are free is not known")
        tagged = [s.name for s, found in given if found]
        if tagged:
            notes.append(f"tagged {ROLE_TAG}=1, so more ENIs can use them: {', '.join(tagged)}")
