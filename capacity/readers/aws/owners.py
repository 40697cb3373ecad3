"""Determine the owner of a network interface by a table of rules (``data/eni_owners.csv``); the first match wins."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from capacity.catalog.packaged import data_dir, read_text
from capacity.plan.constants import PREFIX_SIZE
from capacity.readers.decode import brief
from capacity.readers.values import Item, count, moment, objects, section, tags, text

if TYPE_CHECKING:
    from capacity.readers.aws.answers import AwsAnswers

LEAK_AGE_S = 300  # the CNI deletes ENIs that are "available" for longer; ipamd awsutils.go L89-90, L2407

NODE_OWNERS = ("node_primary", "cni_secondary", "trunk", "branch", "unmanaged")
INSTANCE_TAG = "node.k8s.amazonaws.com/instance_id"
CREATED_TAG = "node.k8s.amazonaws.com/createdAt"
CLUSTER_TAG = "cluster.k8s.amazonaws.com/name"
TRUNK_TAG = "vpcresources.k8s.aws/trunk-eni-id"  # on a branch, by the VPC resource controller
NOT_OURS = "clusters of other accounts"


@dataclass(frozen=True, slots=True)
class OwnerRule:
    """Row of the table: every non-empty cell must match."""

    owner: str
    interface_type: str
    description: re.Pattern[str] | None
    requester: re.Pattern[str] | None
    tag: re.Pattern[str] | None
    kind: str
    what: str
    source: str

    def fits(self, interface: Item, tagged: Mapping[str, str]) -> dict[str, str] | None:
        """Names in the description if the rule matches, else None."""
        if self.interface_type and text(interface, "InterfaceType") != self.interface_type:
            return None
        if self.requester and not self.requester.search(text(interface, "RequesterId")):
            return None
        if self.tag and not any(self.tag.search(key) for key in tagged):
            return None
        if self.description is None:
            return {}
        found = self.description.search(text(interface, "Description"))
        return None if found is None else {k: v for k, v in found.groupdict().items() if v}


@cache
def owner_rules() -> tuple[OwnerRule, ...]:
    """Rules of the table, in order."""

    def pattern(cell: str) -> re.Pattern[str] | None:
        return re.compile(cell) if cell else None

    rows = csv.DictReader(io.StringIO(read_text(data_dir() / "eni_owners.csv")))
    return tuple(
        OwnerRule(
            row["owner"],
            row["interface_type"],
            pattern(row["description"]),
            pattern(row["requester"]),
            pattern(row["tag"]),
            row["kind"],
            row["what"],
            row["source"],
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface with its owner.

    Attributes
    ----------
    owner : str
        ``node_primary``, ``cni_secondary``, ``unmanaged``, ``trunk``, ``branch``, ``control_plane``, ``alb`` …,
        ``instance`` (EC2 outside every cluster), ``leaked``, ``detached`` or ``unknown``.
    cluster : str
        Cluster of a node's or control plane's interface, if known.
    name : str
        Name of the owner: a load balancer, an endpoint, an instance.
    kind : str
        Kind of tenant in a plan; empty for the cluster's interfaces.
    primary, secondary, prefixes : int
        The primary address, additional single ones [addresses], and /28s [prefixes].
    spans : tuple of (int, int)
        First and last address of each block it holds.
    device, card : int or None
        Device index and network card, if attached.
    """

    ident: str
    subnet: str
    owner: str
    cluster: str
    name: str
    kind: str
    primary: int
    secondary: int
    prefixes: int
    spans: tuple[tuple[int, int], ...]
    instance: str
    device: int | None
    card: int | None
    groups: tuple[str, ...]

    @property
    def addresses(self) -> int:
        """IPv4 addresses of the subnet that it holds. [addresses]"""
        return self.primary + self.secondary + PREFIX_SIZE * self.prefixes

    @property
    def pod_addresses(self) -> int:
        """Attached addresses for pods, whether a pod uses them or not. [addresses]"""
        return self.secondary + PREFIX_SIZE * self.prefixes


def parse_interfaces(answers: AwsAnswers) -> tuple[Interface, ...]:
    """Read all network interfaces with their owners, in the order of the identifiers."""
    described = answers.of("interfaces")
    clusters = instance_clusters(answers)
    now = newest_moment(described)
    trunks = {text(i, "NetworkInterfaceId"): text(section(i, "Attachment"), "InstanceId") for i in described}
    return tuple(_interface(item, clusters, trunks, now, answers.has("instances")) for item in described)


def instance_clusters(answers: AwsAnswers) -> dict[str, str]:
    """Cluster of each instance: from its tags, else from the ENIs that the CNI added to it."""
    found = {}
    for item in answers.of("interfaces"):
        tagged = tags(item, "TagSet")
        if tagged.get(CLUSTER_TAG):
            instance = tagged.get(INSTANCE_TAG) or text(section(item, "Attachment"), "InstanceId")
            if instance:
                found[instance] = tagged[CLUSTER_TAG]
    for item in answers.of("instances"):
        cluster = cluster_of(tags(item))
        if cluster:
            found[text(item, "InstanceId")] = cluster
    return found


def cluster_of(tagged: Mapping[str, str]) -> str:
    """Cluster of an instance that is a node, from its tags; empty if there is no such tag.

    Managed groups carry ``eks:cluster-name``, Auto Mode ``eks:eks-cluster-name``, eksctl its own, and every
    node that the cloud provider knows ``kubernetes.io/cluster/NAME: owned``.
    """
    for key in ("eks:cluster-name", "aws:eks:cluster-name", "eks:eks-cluster-name", "alpha.eksctl.io/cluster-name"):
        if tagged.get(key):
            return tagged[key]
    owned = sorted(
        k.removeprefix("kubernetes.io/cluster/")
        for k, v in tagged.items()
        if k.startswith("kubernetes.io/cluster/") and v == "owned"
    )
    return owned[0] if owned else ""


def newest_moment(described: Sequence[Item]) -> float | None:
    """Newest time in the answers, which were made then or later. [s since 1970]"""
    times = [moment(section(i, "Attachment").get("AttachTime")) for i in described]
    times += [moment(tags(i, "TagSet").get(CREATED_TAG)) for i in described]
    return max((t for t in times if t is not None), default=None)


def _interface(
    item: Item, clusters: Mapping[str, str], trunks: Mapping[str, str], now: float | None, instances_known: bool
) -> Interface:
    tagged = tags(item, "TagSet")
    attachment = section(item, "Attachment")
    rule, named = _match(item, tagged)
    instance = text(attachment, "InstanceId") or named.get("instance", "") or tagged.get(INSTANCE_TAG, "")
    instance = instance or trunks.get(tagged.get(TRUNK_TAG, ""), "")  # a branch is attached to its trunk
    owner, kind = (rule.owner, rule.kind) if rule else ("", "")
    device = count(attachment, "DeviceIndex")
    if owner in ("", "cni_secondary"):
        owner, kind = _by_attachment(item, tagged, owner, device, clusters.get(instance, ""), instances_known, now)
    elif owner in ("trunk", "branch") and text(item, "Status") == "available":
        owner, kind = _loose(tagged, now), "leakedEni"
    cluster = (
        named.get("cluster", "") or tagged.get(CLUSTER_TAG, "") or cluster_of(tagged) or clusters.get(instance, "")
    )
    if owner in NODE_OWNERS and not cluster and instances_known:
        cluster = NOT_OURS  # nodes that are not visible to this account
    spans, primary, secondary, prefixes = _blocks(item)
    return Interface(
        ident=text(item, "NetworkInterfaceId"),
        subnet=text(item, "SubnetId"),
        owner=owner,
        cluster=cluster if owner in (*NODE_OWNERS, "control_plane", "leaked") else "",
        name=named.get("name", "") or (instance if kind == "ec2" else ""),
        kind=kind,
        primary=primary,
        secondary=secondary,
        prefixes=prefixes,
        spans=spans,
        instance=instance,
        device=device,
        card=count(attachment, "NetworkCardIndex"),
        groups=tuple(text(g, "GroupId") for g in objects(item, "Groups", text(item, "NetworkInterfaceId"))),
    )


def _match(item: Item, tagged: Mapping[str, str]) -> tuple[OwnerRule | None, dict[str, str]]:
    """First rule that matches, with the names it read; a later rule of the same owner can add names."""
    first: OwnerRule | None = None
    for rule in owner_rules():
        named = rule.fits(item, tagged)
        if named is None or (first is not None and rule.owner != first.owner):
            continue
        first = first or rule
        if named:
            return first, named
    return first, {}


def _by_attachment(
    item: Item,
    tagged: Mapping[str, str],
    owner: str,
    device: int | None,
    cluster: str,
    instances_known: bool,
    now: float | None,
) -> tuple[str, str]:
    """Owner and kind of an interface from its attachment or its CNI tags."""
    attached = text(section(item, "Attachment"), "InstanceId")
    if not attached:
        if text(item, "Status") == "available" and owner == "cni_secondary":
            return _loose(tagged, now), "leakedEni"
        if owner == "cni_secondary":
            return owner, ""
        return ("detached", "leakedEni") if text(item, "Status") == "available" else ("unknown", "other")
    if device == 0:
        marked = bool(cluster) or owner == "cni_secondary"
        return ("node_primary", "") if marked else ("instance", "ec2") if instances_known else ("unknown", "other")
    if owner == "cni_secondary":
        return owner, ""
    return ("unmanaged", "") if cluster else ("instance", "ec2") if instances_known else ("unknown", "other")


def _loose(tagged: Mapping[str, str], now: float | None) -> str:
    """``leaked``, unless the interface was created within the last five minutes: it is then being attached."""
    created = moment(tagged.get(CREATED_TAG))
    fresh = created is not None and now is not None and now - created < LEAK_AGE_S
    return "detached" if fresh else "leaked"


def _blocks(item: Item) -> tuple[tuple[tuple[int, int], ...], int, int, int]:
    """Blocks of an interface, and its counts: primary address, additional single addresses, prefixes.

    Raises
    ------
    SpecError
        An address or a prefix is not IPv4.
    """
    from ipaddress import IPv4Address, IPv4Network

    from capacity.errors import SpecError

    ident = text(item, "NetworkInterfaceId")
    try:
        listed = objects(item, "PrivateIpAddresses", ident)
        own = text(item, "PrivateIpAddress")
        if not listed and own:  # an answer cut down by --query
            listed = [{"PrivateIpAddress": own, "Primary": True}]
        singles = [int(IPv4Address(text(a, "PrivateIpAddress"))) for a in listed]
        blocks = [IPv4Network(text(p, "Ipv4Prefix")) for p in objects(item, "Ipv4Prefixes", ident)]
    except ValueError as error:
        raise SpecError(f"{ident}: {brief(error)}") from error
    spans = [(a, a) for a in singles] + [(int(b[0]), int(b[-1])) for b in blocks]
    primary = sum(a.get("Primary") is True for a in listed)
    return tuple(spans), primary, len(singles) - primary, len(blocks)
