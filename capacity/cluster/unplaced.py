"""Pods without a node or without an address, and what they lack; in words too."""

from __future__ import annotations

from typing import NamedTuple

from capacity.units import counted

# What limits where pods can be, in the order that ties are given to, and in words after "limited by"
LIMITED_BY = {
    "max_pods": "max pods of the nodes",
    "addresses": "the addresses of Windows nodes",
    "branch_enis": "branch ENIs",
    "volumes": "EBS volumes per node",
    "cpu": "CPU",
    "memory": "memory",
    "nodes": "the number of nodes",
}
REASONS = tuple(LIMITED_BY)


class Unplaced(NamedTuple):
    """Pods of a workload that are unschedulable, and the resource that they lack."""

    workload: str
    pods: int
    reason: str

    @property
    def lack(self) -> str:
        """The resource in words, short: ``max pods``."""
        return self.reason.replace("_", " ")

    def __str__(self) -> str:
        return unschedulable(self.pods, self.workload)


def unschedulable(pods: int, workload: str = "") -> str:
    """In words.

    >>> unschedulable(1), unschedulable(1200, "web")
    ('1 pod is unschedulable', '1,200 web pods are unschedulable')
    """
    of = f"{workload} " if workload not in ("", "pods") else ""  # a workload called pods needs no second word
    return f"{pods:,} {of}{'pod is' if pods == 1 else 'pods are'} unschedulable"


def without_address(pods: int, group: str = "") -> str:
    """In words.

    >>> without_address(20, "general")
    '20 pods on general get no address (stuck in ContainerCreating)'
    """
    on = f" on {group}" if group else ""
    return f"{counted(pods, 'pod')}{on} {'gets' if pods == 1 else 'get'} no address (stuck in ContainerCreating)"
