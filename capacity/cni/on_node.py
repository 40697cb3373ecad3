"""Which CNI settings a node has: the plan's, EKS Auto Mode's or the VPC resource controller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import OVERLAY, VPC_CNI

if TYPE_CHECKING:
    from capacity.plan.model import Cni, NodeGroup, Plan
    from capacity.plan.windows import WindowsIpam


def settings_on(cni: Cni, group: NodeGroup) -> CniSettings:
    """The CNI's settings on a group's nodes. EKS Auto Mode and Windows nodes don't use those of aws-node."""
    if group.auto:
        return auto_mode_settings(ipv6=cni.settings.ipv6)
    return windows_node_settings(cni.windows) if group.windows and cni.settings.cni != OVERLAY else cni.settings


def auto_mode_settings(*, ipv6: bool = False) -> CniSettings:
    """The settings of EKS Auto Mode's CNI, which cannot be configured and assigns prefixes.

    The number of spare prefixes is not published; one is assumed, as in the VPC CNI's chart.

    Source
    ------
    Amazon EKS user guide, "VPC networking in EKS Auto Mode" (read 2026-11-25).
    """
    return CniSettings(prefix=True, ipv6=ipv6)


def windows_node_settings(ipam: WindowsIpam) -> CniSettings:
    """The settings of a Windows node, which does not use those of aws-node."""
    return CniSettings(prefix=ipam.prefix, windows=ipam)


def own_cni(plan: Plan) -> list[NodeGroup]:
    """Groups whose addresses depend on the settings of the VPC CNI: none with another CNI."""
    return [g for g in plan.node_groups if is_own_cni(plan, g)]


def is_own_cni(plan: Plan, group: NodeGroup) -> bool:
    """Whether the addresses of a group depend on the settings of the VPC CNI."""
    return plan.cni.settings.cni == VPC_CNI and not (group.fargate or group.auto or group.windows)
