"""The pool of a node with an overlay CNI: only the node's primary address.

Calico with VXLAN or IP-in-IP, Cilium with cluster-pool, Flannel and others. ``docs/explanation/overlay.md`` describes
the model. Every function takes ints or integer arrays of one broadcast shape.
"""

from __future__ import annotations

from collections import Counter

from capacity.catalog.instance_type import InstanceType
from capacity.cni.node_limits import EniFigures, NodeLimits, Rest
from capacity.plan.cni_env import CniSettings
from capacity.units import IntLike


def limits_from(
    of: EniFigures,  # noqa: ARG001
    settings: CniSettings,  # noqa: ARG001
    unmanaged_enis: int = 0,
    *,
    windows: bool = False,
) -> NodeLimits:
    """Limits of a node: no ENI has pod addresses.

    >>> limits_from(EniFigures(3, 10), CniSettings(overlay=True)).serving
    0
    """
    return NodeLimits(serving=0, idle_primary=1, k=0, trunk=0, unmanaged=unmanaged_enis, windows=windows)


def gives_prefixes(on: InstanceType) -> bool:  # noqa: ARG001
    """Whether a node gets prefixes: never."""
    return False


def address_capacity(limits: NodeLimits, settings: CniSettings) -> int:  # noqa: ARG001
    """Most pods on VPC addresses: none. [pods]"""
    return 0


def held(limits: NodeLimits, settings: CniSettings, max_pods: IntLike, pods: IntLike) -> tuple[IntLike, IntLike]:  # noqa: ARG001
    """No slots for pods, and the one ENI that every node has."""
    return 0 * pods, 1 + 0 * pods


packed = held  # the choice of pod addresses has no effect


def highest(node: Rest) -> IntLike:
    """The node's primary address, with any pods. [addresses]"""
    return node.enis


def start_calls(limits: NodeLimits, settings: CniSettings, slots: int, enis: int, *, look_up: bool) -> Counter[str]:  # noqa: ARG001
    """EC2 calls after the launch: none. [calls]"""
    return Counter()
