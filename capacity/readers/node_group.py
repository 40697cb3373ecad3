"""Convert a node group of any source to a node group of the plan: the only mapping of its fields.

A source fills in a :class:`SourceGroup` with its values as written; :func:`group_draft` decides what
each means. The defaults of EKS, and the notes on missing values, are here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from capacity.readers.draft import GroupDraft, SourceNotes, at
from capacity.readers.user_data import ami_of, max_pods_in, max_pods_of_user_data, script_of
from capacity.readers.values import int_of

FIRST_AL2023 = (1, 30)  # Kubernetes; EKS user guide, kubernetes-versions-extended "Kubernetes 1.30" (read 2026-11-30)
RESERVING = ("kubeReserved", "systemReserved", "evictionHard")
ENI_CONFIG_LABEL = "k8s.amazonaws.com/eniConfig"  # default of ENI_CONFIG_LABEL_DEF
EKS_DEFAULT_TYPE = "t3.medium"  # of a managed node group without types; EKS API, CreateNodegroup instanceTypes


@dataclass(frozen=True, slots=True)
class SourceGroup:
    """Node group of a source; None for values that the source does not have.

    Attributes
    ----------
    provisioner : str
        ``managed``, ``self-managed``, ``karpenter`` or ``auto``.
    types : iterable of str or None
        Instance types in the order of the source; values that are not text are ignored.
    ami : str or None
        An AMI family or an EKS amiType in any spelling.
    low, desired, high : object
        Sizes, numbers or digits. [nodes]
    subnets : iterable of str
        Names or ids.
    unavailable_percent, unavailable : object
        Unavailable nodes during an update; the percentage is used if both are set. [%], [nodes]
    max_pods : object
        Value for the kubelet; if None, ``user_data`` is searched. [pods]
    user_data : object
        The boot script, plain or in base64.
    spot : bool
        Whether all its nodes are Spot instances.
    zones : iterable of str
        Zones that restrict its subnets, if these are not known.
    limit_cpu_millicores, limit_memory_bytes : int or None
        Limits of a NodePool. [millicores], [bytes]
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
    spot: bool = False
    zones: Iterable[str] = ()
    limit_cpu_millicores: int | None = None
    limit_memory_bytes: int | None = None


def group_draft(source: SourceGroup) -> GroupDraft:
    """Draft of the plan's node group: sizes and shares that EKS accepts; other values are unknown."""
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
        capacity_type="spot" if source.spot else None,
        zones=tuple(dict.fromkeys(source.zones)) or None,
        limit_cpu_millicores=source.limit_cpu_millicores,
        limit_memory_bytes=source.limit_memory_bytes,
    )


def with_expression(draft: GroupDraft, user_data: object) -> GroupDraft:
    """The group with nodeadm's maxPodsExpression, if its boot script has one and no number."""
    expression = max_pods_of_user_data(script_of(user_data))[1] if draft.max_pods is None else None
    return replace(draft, max_pods_expression=expression) if expression else draft


def own_image(draft: GroupDraft, said: SourceNotes, where: str) -> GroupDraft:
    """A managed group with its own image and no max pods: EKS does not set them."""
    text = "custom AMI: EKS does not set max pods, the default of the AMI applies"
    said.say(where, text, at("nodeGroups", draft.name, "provisioner"))
    return replace(draft, provisioner="self-managed")


# --- what EKS fills in, and what is said ------------------------------------------------------


def default_types(said: SourceNotes, where: str, group: str) -> list[str]:
    """Default types of a managed group without types, with a note."""
    said.say(where, f"no instance type: EKS uses {EKS_DEFAULT_TYPE}", at("nodeGroups", group, "instanceTypes"))
    return [EKS_DEFAULT_TYPE]


def eks_default_ami(version: str | None) -> str | None:
    """AMI family of a managed group that states none: AL2 below Kubernetes 1.30, else AL2023; None if not known.

    >>> eks_default_ami("1.29"), eks_default_ami("1.33"), eks_default_ami(None)
    ('al2', 'al2023', None)
    """
    if version is None:
        return None
    major, _, minor = version.partition(".")
    return "al2023" if (int(major), int(minor)) >= FIRST_AL2023 else "al2"


def taint_text(key: object, value: object, effect: object) -> str:
    """A taint as kubectl writes it.

    >>> taint_text("gpu", None, "NoSchedule"), taint_text("team", "a", "NoExecute")
    ('gpu:NoSchedule', 'team=a:NoExecute')
    """
    return f"{key}={value}:{effect}" if value else f"{key}:{effect}"


def say_taints(said: SourceNotes, where: str, group: str, taints: Iterable[str]) -> None:
    """Note the taints of a group, which keep pods off it that do not tolerate them."""
    shown = ", ".join(taints)
    if shown:
        text = f"tainted ({shown}): set nodeGroups of the workloads to keep others off it"
        said.say(where, text, at("nodeGroups", group))


def say_reserved(said: SourceNotes, where: str, path: str, kubelet: Mapping[str, Any]) -> None:
    """Note the settings of a kubelet that change what a node leaves for pods: a plan has the defaults."""
    stated = [key for key in RESERVING if kubelet.get(key)]
    if stated:
        text = f"not in the plan: {', '.join(stated)}: allocatable CPU and memory are those of the defaults"
        said.leave_out(where, text, path)


def say_eniconfig(said: SourceNotes, where: str, group: str, labels: Iterable[tuple[object, object]]) -> None:
    """Note the label by which the VPC CNI chooses the ENIConfig of a group's nodes, if it is the default one.

    Source: aws/amazon-vpc-cni-k8s@b5218838 README.md ENI_CONFIG_LABEL_DEF.
    """
    for key, value in labels:
        if key == ENI_CONFIG_LABEL:
            text = f"its nodes use ENIConfig {value} ({key}): set podSubnets to its subnet"
            said.say(where, text, at("nodeGroups", group, "podSubnets"))


def say_fargate(said: SourceNotes, where: str, spaces: Iterable[str | None], subnets: Iterable[str]) -> None:
    """Note that a Fargate profile is not a node group, but its pods use addresses of its subnets."""
    selected = ", ".join(s for s in spaces if s)
    whose = f" (namespaces {selected})" if selected else ""
    named = ", ".join(subnets) or "the private subnets"
    text = f"each of its pods{whose} uses an address of {named}: add tenants of kind fargate"
    said.say(where, text)


def say_no_nodes(said: SourceNotes, where: str) -> None:
    """Note on an Auto Scaling group that might not belong to the cluster."""
    said.say(where, "its instances are not known to be nodes of the cluster: ignored")
