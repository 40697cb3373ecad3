"""Computes how many pods of one shape fit each resource of a node. Ints or integer arrays of one broadcast shape."""

from __future__ import annotations

from capacity.units import IntLike, larger

ROOT_VOLUMES = 1


def pods_by_request(room: IntLike, request: IntLike) -> IntLike:
    """How often a request above 0 fits into the remaining room. [pods]

    >>> pods_by_request(room=1930, request=250)
    7
    """
    return larger(room // request, 0)


def pods_by_count(limit: IntLike, taken: IntLike) -> IntLike:
    """Remaining pods of a limit that counts pods: max pods, addresses, branch ENIs. [pods]

    >>> pods_by_count(limit=29, taken=2)  # m5.large, aws-node and kube-proxy
    27
    """
    return larger(limit - taken, 0)


def volumes_left(attachments: IntLike, shared: IntLike, enis: IntLike) -> IntLike:
    """EBS volumes that pods can attach with every ENI in use. [volumes]

    Parameters
    ----------
    attachments : int or ndarray of int
        Most EBS volumes with one ENI, the root volume included. [volumes]
    shared : int or ndarray of int
        1 if every additional ENI uses a volume slot.
    enis : int or ndarray of int
        Most ENIs attached at the same time. [ENIs]

    Notes
    -----
    A lower bound: the EBS CSI driver counts the ENIs attached when it starts, which can be fewer.

    Source
    ------
    EC2 user guide, "Amazon EBS volume limits for Amazon EC2 instances" (read through EC2's EbsInfo figures in
    data/eni_limits.csv).

    Examples
    --------
    >>> volumes_left(attachments=27, shared=1, enis=3)  # m5.large: 27 - 1 root - 2 additional ENIs
    24
    """
    return larger(attachments - ROOT_VOLUMES - shared * larger(enis - 1, 0), 0)
