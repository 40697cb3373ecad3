"""The limits of one node's pool, and the settled node, for the rules of every CNI."""

from __future__ import annotations

from typing import NamedTuple

from capacity.plan.cni_env import CniSettings
from capacity.units import IntLike


class EniFigures(NamedTuple):
    """The figures of an instance type for the pool, as ints or integer arrays of one shape.

    Attributes
    ----------
    enis : int or ndarray of int
        ENIs of the default network card. [ENIs]
    ips_per_eni : int or ndarray of int
        Addresses of each ENI, including the primary. [addresses]
    trunk_slot, trunking : int or ndarray of int
        1 if ENABLE_POD_ENI reserves a slot for a trunk, and 1 if a trunk is attached.
    """

    enis: IntLike
    ips_per_eni: IntLike
    trunk_slot: IntLike = 0
    trunking: IntLike = 0


class NodeLimits(NamedTuple):
    """The limits of one node's pool as numbers, or of many nodes as arrays (:mod:`capacity.cni.sweep`).

    Attributes
    ----------
    serving : int or ndarray of int
        ENIs that can have pod addresses. [ENIs]
    idle_primary : int
        1 if the primary ENI has no pod addresses: custom networking, or its subnet is closed to pods.
    k : int or ndarray of int
        Secondary IPs or prefixes per ENI. [slots]
    trunk : int or ndarray of int
        1 if a trunk ENI is attached. [ENIs]
    unmanaged : int
        ENIs that ipamd does not manage, each with its primary address. [ENIs]
    windows : bool
        The VPC resource controller serves the node, from one ENI.
    own : int
        Pod addresses that the CNI itself uses on every node. [addresses]
    primary : int
        1 if pods can use the primary addresses of these ENIs.
    most : int or ndarray of int or None
        Most addresses that the CNI allocates; None if only the slots limit it. [addresses]
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
    """Limits of a node whose subnet is closed to pods by a tag, so that its primary ENI has no pod addresses.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L2869-2893, datastore/data_store.go L1118-1139.
    """
    return limits._replace(serving=limits.serving - 1, idle_primary=1)


class Rest(NamedTuple):
    """A settled node: the inputs of its pool's figures, as ints or arrays of one broadcast shape.

    ``slots`` are secondary IPs (``unit`` 1) or prefixes (``unit`` 16), ``enis`` the ENIs for pods.
    """

    limits: NodeLimits
    settings: CniSettings
    max_pods: IntLike
    pods: IntLike
    slots: IntLike
    enis: IntLike
    unit: int
