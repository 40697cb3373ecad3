"""Unschedulable pods and pods without an address, with the limiting resource and their wording."""

from __future__ import annotations

from typing import NamedTuple

from capacity.node.limit_words import limit_words
from capacity.units import counted

RULES = ("anti_affinity", "topology_spread")  # not room, but where the workload's other pods are
# Resources that limit the placement of pods, in the order used for ties
REASONS = ("max_pods", "addresses", "branch_enis", "volumes", "gpus", "cpu", "memory", *RULES, "nodes")


def daemons_on(group: str) -> str:
    """The name under which the unschedulable DaemonSet pods of a node group are counted."""
    return f"DaemonSets on {group}"


class Unplaced(NamedTuple):
    """Unschedulable pods of a workload, and the limiting resource."""

    workload: str
    pods: int
    reason: str

    @property
    def lack(self) -> str:
        """The limiting resource in a few words: ``max pods``."""
        return limit_words(self.reason)

    def __str__(self) -> str:
        return unschedulable(self.pods, self.workload)


def unschedulable(pods: int, workload: str = "") -> str:
    """In words.

    >>> unschedulable(1), unschedulable(1200, "web")
    ('1 pod is unschedulable', '1,200 web pods are unschedulable')
    """
    of = f"{workload} " if workload not in ("", "pods") else ""  # a workload named pods needs no second word
    return f"{pods:,} {of}{'pod is' if pods == 1 else 'pods are'} unschedulable"


def without_address(pods: int, group: str = "") -> str:
    """In words.

    >>> without_address(20, "general")
    '20 pods on general get no address (stuck in ContainerCreating)'
    """
    on = f" on {group}" if group else ""
    return f"{counted(pods, 'pod')}{on} {'gets' if pods == 1 else 'get'} no address (stuck in ContainerCreating)"
