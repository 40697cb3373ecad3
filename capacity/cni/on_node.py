"""Which CNI settings run on a node: the plan's, EKS Auto Mode's or the VPC resource controller's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from capacity.plan.cni_env import CniSettings

if TYPE_CHECKING:
    from capacity.plan.model import Cni, NodeGroup
    from capacity.plan.windows import WindowsIpam


def settings_on(cni: Cni, group: NodeGroup) -> CniSettings:
    """The CNI's settings on a group's nodes. EKS Auto Mode and Windows take none of aws-node's."""
    if group.auto:
        return auto_mode_settings(ipv6=cni.settings.ipv6)
    return windows_node_settings(cni.windows) if group.windows and not cni.settings.overlay else cni.settings


def auto_mode_settings(*, ipv6: bool = False) -> CniSettings:
    """The CNI of EKS Auto Mode, which takes no settings: it gives out prefixes.

    How many spare prefixes it keeps is not published; one, as with the VPC CNI's chart, is assumed.

    Source
    ------
    Amazon EKS user guide, "VPC networking in EKS Auto Mode" (read 2026-11-25).
    """
    return CniSettings(prefix=True, ipv6=ipv6)


def windows_node_settings(ipam: WindowsIpam) -> CniSettings:
    """The settings of a Windows node, which takes none of aws-node's."""
    return CniSettings(prefix=ipam.prefix, windows=ipam)
