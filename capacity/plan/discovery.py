"""Subnet discovery: the subnets in which the VPC CNI creates a node's additional ENIs.

The CNI tries the subnets of the node's VPC and zone, starting with the most free addresses. The node's own subnet
counts unless it is tagged ``kubernetes.io/role/cni=0``; any other only if it is tagged ``=1``.

Source: awsdocs/amazon-eks-user-guide@1a447df9 latest/ug/networking/cni-subnet-selection.adoc;
aws/amazon-vpc-cni-k8s@b5218838 awsutils.go L1125-1249, L2578-2609; before 1.22: @0066ec88 createENI, validTag.
"""

from __future__ import annotations

from collections.abc import Mapping

from capacity.plan.cni_env import subnet_discovery_switch
from capacity.plan.model import Cni, NodeGroup, Plan, Subnet
from capacity.plan.subnet_tags import CLUSTER_TAG, ROLE_TAG
from capacity.plan.versions import version_numbers

SINCE = (1, 18, 0)  # CHANGELOG.md: "Enhance subnet selection", PR 2714
EXCLUDES_SINCE = (1, 22, 0)  # PR 3463; until then the CNI ignored the tag's value
CLUSTERS_SINCE = (1, 22, 1)  # PR 3647


def _since(cni: Cni, version: tuple[int, int, int]) -> bool:
    """Whether the CNI has at least that version; an unset version means the newest."""
    own = version_numbers(cni.version)
    return own is None or own >= version


def subnet_discovery(cni: Cni) -> bool:
    """Whether the CNI selects subnets by tag: it is new enough, and the feature is on."""
    on, _ = subnet_discovery_switch(cni.env)
    return on and _since(cni, SINCE)


def places_by_tag(cni: Cni) -> bool:
    """Whether tags decide where pod addresses are: custom networking takes precedence, and IPv6 pods use no IPv4.

    Only the VPC CNI uses these tags.
    """
    settings = cni.settings
    return subnet_discovery(cni) and not (settings.custom_networking or settings.spares_subnets or settings.cilium)


def of_another_cluster(subnet: Subnet, cni: Cni) -> bool:
    """Whether cluster tags reserve the subnet for other clusters; without CLUSTER_NAME the CNI ignores them."""
    own = cni.env.get("CLUSTER_NAME")
    return bool(own and subnet.clusters and own not in subnet.clusters and _since(cni, CLUSTERS_SINCE))


def takes_further_enis(subnet: Subnet, cni: Cni) -> bool:
    """Whether nodes in other subnets of the zone can have ENIs in a subnet."""
    if not _since(cni, EXCLUDES_SINCE):
        return subnet.discovery is not None
    return subnet.discovery is True and not of_another_cluster(subnet, cni)


def closed_to_pods(subnet: Subnet, cni: Cni) -> bool:
    """Whether nodes in a subnet get no pod addresses there: their primary ENI has none."""
    if not _since(cni, EXCLUDES_SINCE):
        return False
    return subnet.discovery is False or (subnet.discovery is True and of_another_cluster(subnet, cni))


def leaves_choices(plan: Plan) -> bool:
    """Whether tags decide where pod addresses are, and at least one subnet is tagged."""
    return places_by_tag(plan.cni) and any(s.discovery is not None for s in plan.subnets)


Choices = Mapping[str, tuple[str, ...]]


def choices_by_group(plan: Plan) -> list[Choices]:
    """:func:`eni_choices` of every group."""
    if not leaves_choices(plan):
        return [{} for _ in plan.node_groups]
    places = _places(plan)
    return [_choices(group, places) for group in plan.node_groups]


def eni_choices(plan: Plan, group: NodeGroup) -> Choices:
    """The subnets of additional ENIs for each node subnet of a group, in the plan's order.

    Lists only node subnets with a choice other than themselves; empty if all ENIs stay in the node's subnet.
    """
    return _choices(group, _places(plan)) if leaves_choices(plan) else {}


def _choices(group: NodeGroup, places: Choices) -> Choices:
    if group.windows or group.fargate or group.auto:
        return {}
    return {home: places[home] for home in group.subnets if places[home] != (home,)}


def _places(plan: Plan) -> Choices:
    """For each subnet of the plan, the subnets in which its nodes can have additional ENIs."""
    zones: dict[str, list[Subnet]] = {}
    for subnet in plan.subnets:
        zones.setdefault(subnet.zone, []).append(subnet)
    tagged = {s.name for s in plan.subnets if takes_further_enis(s, plan.cni)}
    found = {}
    for home in plan.subnets:
        able = tagged if closed_to_pods(home, plan.cni) else tagged | {home.name}
        found[home.name] = tuple(s.name for s in zones[home.zone] if s.name in able)
    return found


def closed_of(plan: Plan, choices: Choices) -> list[str]:
    """Node subnets that are closed to pods, from the group's choices."""
    return [name for name in choices if closed_to_pods(plan.subnet(name), plan.cni)]


def tags_of(subnet: Subnet) -> dict[str, str]:
    """The tags that express a subnet's discovery settings."""
    role = {} if subnet.discovery is None else {ROLE_TAG: "1" if subnet.discovery else "0"}
    return role | {f"{CLUSTER_TAG}{cluster}": "shared" for cluster in subnet.clusters}
