"""The tags of a subnet that the VPC CNI reads."""

from __future__ import annotations

from collections.abc import Mapping

ROLE_TAG = "kubernetes.io/role/cni"
CLUSTER_TAG = "cni.networking.k8s.aws/cluster/"  # and the cluster's name


def read_tags(tags: Mapping[str, str]) -> tuple[bool | None, tuple[str, ...]]:
    """The role of a subnet by its tags (None without the tag), and the clusters it is reserved for."""
    role = tags.get(ROLE_TAG)
    clusters = tuple(key.removeprefix(CLUSTER_TAG) for key in tags if key.startswith(CLUSTER_TAG))
    return None if role is None else role != "0", clusters
