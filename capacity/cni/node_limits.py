"""What bounds the pool of one node, and the node at rest: what every law of the pool works on."""

from __future__ import annotations

from typing import NamedTuple

from capacity.plan.cni_env import CniSettings
from capacity.units import IntLike


class EniFigures(NamedTuple):
    """What an instance type gives to the pool, ints or integer arrays of one shape.

    Attributes
    ----------
    enis : int or ndarray of int
        ENIs of the default network card. [ENIs]
    ips_per_eni : int or ndarray of int
        Addresses of each, the primary included. [addresses]
    trunk_slot, trunking : int or ndarray of int
        1 where ENABLE_POD_ENI keeps a slot for a trunk, and where one comes.
    """

    enis: IntLike
    ips_per_eni: IntLike
    trunk_slot: IntLike = 0
    trunking: IntLike = 0


class NodeLimits(NamedTuple):
    """What bounds the pool of one node, in plain numbers; of many nodes, in arrays (:mod:`capacity.cni.sweep`).

    Attributes
    ----------
    serving : int or ndarray of int
        ENIs that may serve pods. [ENIs]
    idle_primary : int
        1 where the primary ENI serves none: custom networking, or its subnet is closed to pods.
    k : int or ndarray of int
        Secondary IPs or prefixes per ENI. [slots]
    trunk : int or ndarray of int
        1 where a trunk ENI is attached. [ENIs]
    unmanaged : int
        ENIs that ipamd leaves alone, each with one address of its own. [ENIs]
    windows : bool
        The VPC resource controller serves the node, from one ENI.
    own : int
        Pod addresses that the CNI itself takes on every node. [addresses]
    primary : int
        1 where pods may have the serving ENIs' own addresses.
    most : int or ndarray of int or None
        Addresses at which the CNI stops asking for more, None where only the slots stop it. [addresses]
    """

    serving: IntLike
    idle_primary: int
    k: IntLike
    trunk: IntLike
    unmanaged: int
    windows: bool
    own: int = 0
    primary: int = 0
    most: IntLike | None = None


def without_primary(limits: NodeLimits) -> NodeLimits:
    """Limits of a node where its subnet is closed to pods by a tag, so that its primary ENI serves none.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L2869-2893, datastore/data_store.go L1118-1139.
    """
    return limits._replace(serving=limits.serving - 1, idle_primary=1)


class Rest(NamedTuple):
    """A node at rest: what its pool's figures follow from, ints or arrays of one broadcast shape.

    ``slots`` are secondary IPs (``unit`` 1) or prefixes (``unit`` 16), ``enis`` those for pods.
    """

    limits: NodeLimits
    settings: CniSettings
    max_pods: IntLike
    pods: IntLike
    slots: IntLike
    enis: IntLike
    unit: int
