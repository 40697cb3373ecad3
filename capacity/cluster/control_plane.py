"""The control plane's network interfaces, and when EKS refuses an update because there are too few addresses."""

from __future__ import annotations

from collections.abc import Mapping

from capacity.plan.model import Plan

# Cross-account ENIs of a cluster, 2 to 4; awsdocs/amazon-eks-user-guide@4d52b4d network-reqs.adoc L66
CONTROL_PLANE_ENIS = 4
FEWEST_CONTROL_PLANE_ENIS = 2
# Additional free addresses that an update can use; awsdocs/amazon-eks-user-guide@4d52b4d network-reqs.adoc L66-68,
# aws/aws-eks-best-practices@dc0243a upgrades/index.adoc L293-306.
CONTROL_PLANE_UPDATE = 5
# Free addresses in each cluster subnet that EKS requires for a new cluster, and that it recommends; network-reqs.adoc
# L77
CONTROL_PLANE_REQUIRED, CONTROL_PLANE_ADVISED = 6, 16
UPDATE_ZONES = 2  # zones in which EKS requires a subnet with these free addresses


def short_subnets(update_room: Mapping[str, int]) -> list[str]:
    """Cluster subnets with fewer free addresses than an update needs."""
    return [name for name, free in update_room.items() if free < CONTROL_PLANE_UPDATE]


def refusal(plan: Plan, update_room: Mapping[str, int]) -> bool:
    """Whether EKS refuses a control-plane update.

    Parameters
    ----------
    update_room : mapping of str to int
        Free addresses in each cluster subnet before the update starts. The control plane's existing interfaces are not
        free. [addresses]

    Notes
    -----
    EKS refuses the update if fewer than two zones have a cluster subnet with 5 free addresses; for a plan with cluster
    subnets in only one zone, that zone must have one.

    Source
    ------
    EKS answers "Provided subnets … Free IPs: N, need at least 5 IPs in each subnet to be free for this operation"
    (aws/containers-roadmap#1693); awsdocs/amazon-eks-user-guide@4d52b4d network-reqs.adoc L66-68.
    """
    zones = {plan.subnet(name).zone for name in update_room}
    short = short_subnets(update_room)
    roomy = {plan.subnet(name).zone for name in update_room if name not in short}
    return len(roomy) < min(UPDATE_ZONES, len(zones))
