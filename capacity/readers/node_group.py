"""A node group of an EKS cluster, whichever source states it, as the plan's node group: the one mapping of its fields.

A source fills in a :class:`SourceGroup` with its values as written; :func:`group_draft` decides what
each means. What EKS itself fills in, and what is said where a source leaves something open, is here too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from capacity.readers.draft import GroupDraft, SourceNotes, at
from capacity.readers.user_data import ami_of, max_pods_in
from capacity.readers.values import int_of

EKS_DEFAULT_TYPE = "t3.medium"  # of a managed node group that names none; EKS API, CreateNodegroup instanceTypes


@dataclass(frozen=True, slots=True)
class SourceGroup:
    """A node group as a source states it; None where it does not.

    Attributes
    ----------
    provisioner : str
        ``managed``, ``self-managed`` or ``karpenter``.
    types : iterable of str or None
        Instance types in the source's order; what is no text is left out.
    ami : str or None
        An AMI family or an EKS amiType in any spelling.
    low, desired, high : object
        Sizes, numbers or digits. [nodes]
    subnets : iterable of str
        Names or ids.
    unavailable_percent, unavailable : object
        Of an update at one time; the percentage counts where both are stated. [%], [nodes]
    max_pods : object
        Stated for the kubelet; without it ``user_data`` is searched. [pods]
    user_data : object
        The boot script, plain or in base64.
    """

    name: str
    provisioner: str
    types: Iterable[str | None] = ()
    ami: str | None = None
    low: object = None
    desired: object = None
    high: object = None
    subnets: Iterable[str] | None = None
    unavailable_percent: object = None
    unavailable: object = None
    update_strategy: str | None = None
    max_pods: object = None
    user_data: object = None


def group_draft(source: SourceGroup) -> GroupDraft:
    """The plan's node group: sizes and shares within what EKS takes, everything else unknown."""
    percent = int_of(source.unavailable_percent, 1, 100)
    return GroupDraft(
        name=source.name,
        instance_types=tuple(dict.fromkeys(t for t in source.types if t)) or None,
        ami=ami_of(source.ami),
        provisioner=source.provisioner,
        min_nodes=int_of(source.low),
        desired=int_of(source.desired),
        max_nodes=int_of(source.high),
        subnets=tuple(dict.fromkeys(source.subnets or ())) or None,
        max_unavailable=f"{percent}%" if percent else int_of(source.unavailable, 1, 100),
        update_strategy=source.update_strategy or None,
        max_pods=int_of(source.max_pods, 1) or max_pods_in(source.user_data),
    )


# --- what EKS fills in, and what is said ------------------------------------------------------


def default_types(said: SourceNotes, where: str, group: str) -> list[str]:
    """The types of a managed group that names none, with a note."""
    said.say(where, f"names no instance type: EKS takes {EKS_DEFAULT_TYPE}", at("nodeGroups", group, "instanceTypes"))
    return [EKS_DEFAULT_TYPE]


def say_fargate(said: SourceNotes, where: str) -> None:
    """A Fargate profile is no node group, but its pods take addresses."""
    said.say(where, "each Fargate pod takes an address: add them as tenants of kind fargate")


def say_no_nodes(said: SourceNotes, where: str) -> None:
    """An autoscaling group that may be anything."""
    said.say(where, "nothing says that its instances are nodes of the cluster: left out")
