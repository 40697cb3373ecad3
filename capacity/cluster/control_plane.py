"""The control plane's network interfaces: how many there are, and when EKS refuses an update for want of addresses."""

from __future__ import annotations

from collections.abc import Mapping

from capacity.plan.model import Plan

# Cross-account ENIs of a cluster, 2 to 4; awsdocs/amazon-eks-user-guide@4d52b4d network-reqs.adoc L66
CONTROL_PLANE_ENIS = 4
FEWEST_CONTROL_PLANE_ENIS = 2
# Further free addresses that an update may take; awsdocs/amazon-eks-user-guide@4d52b4d
# network-reqs.adoc L66-68, aws/aws-eks-best-practices@dc0243a upgrades/index.adoc L293-306.
CONTROL_PLANE_UPDATE = 5
UPDATE_ZONES = 2  # zones in which EKS wants a subnet with so many free addresses


def short_subnets(update_room: Mapping[str, int]) -> list[str]:
    """Cluster subnets with fewer free addresses than an update needs."""
    return [name for name, free in update_room.items() if free < CONTROL_PLANE_UPDATE]


def refusal(plan: Plan, update_room: Mapping[str, int]) -> bool:
    """Whether EKS refuses a control-plane update.

    Parameters
    ----------
    update_room : mapping of str to int
        Addresses free in each cluster subnet before the update books any. The interfaces that the control plane
        already has are not free. [addresses]

    Notes
    -----
    It is refused where fewer than two zones have a cluster subnet with 5 free addresses; of a plan that names
    cluster subnets in one zone only, that one is asked for.

    Source
    ------
    EKS answers "Provided subnets … Free IPs: N, need at least 5 IPs in each subnet to be free for this operation"
    (aws/containers-roadmap#1693); awsdocs/amazon-eks-user-guide@4d52b4d network-reqs.adoc L66-68.
    """
    zones = {plan.subnet(name).zone for name in update_room}
    short = short_subnets(update_room)
    roomy = {plan.subnet(name).zone for name in update_room if name not in short}
    return len(roomy) < min(UPDATE_ZONES, len(zones))
