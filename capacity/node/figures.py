"""Computes every max-pods figure of a platform, for one instance type or for the whole catalog."""

from __future__ import annotations

from typing import Any, NamedTuple

from capacity.catalog.instance_type import InstanceType
from capacity.cni import cilium_limits
from capacity.cni.facade import EniFigures, carried, gives_prefixes, starts_without_serving_eni
from capacity.node import density
from capacity.node.platform import WITH_PREFIXES, Platform
from capacity.plan.constants import OVERLAY, PREFIX_SIZE, VPC_CNI
from capacity.units import IntLike, larger, smaller

LIMITS = {
    "enis": "ENIs times addresses per ENI",
    "max-eni": "MAX_ENI",
    "recommended-cap": "AWS's cap of 110, or 250 above 30 vCPUs",
    "ami-default": "the AMI's default, 110 on Windows",
    "hypervisor": "no prefixes on this hypervisor: computed with secondary IPs",
    "no-enis": "no ENI is left for pods",
    "windows-single-eni": "Windows uses one ENI",
    "max-allocate": "Cilium's maxAllocate",
    "unknown": "the required figures are not known",
}


class Interfaces(NamedTuple):
    """A type's inputs to the formulas, as ints or as arrays of one shape; flags are 0 or 1."""

    enis: IntLike
    ips_per_eni: IntLike
    vcpus: IntLike
    gives_prefixes: IntLike
    nitro: IntLike
    trunk_slot: IntLike


class Figures(NamedTuple):
    """The numbers of :class:`~capacity.node.maxpods.MaxPods`, as ints or arrays."""

    usable_enis: IntLike
    ip_capacity: IntLike
    formula: IntLike
    recommended: IntLike
    script: IntLike
    standard: IntLike
    karpenter: IntLike


def interfaces(of: InstanceType, on: Platform) -> Interfaces | None:
    """The type's inputs to the formulas on a platform; None if the catalog lacks one of them."""
    if of.max_enis is None or of.ipv4_per_eni is None:
        return None
    return Interfaces(
        enis=of.max_enis,
        ips_per_eni=of.ipv4_per_eni,
        vcpus=of.vcpus if of.vcpus is not None else 0,
        gives_prefixes=int(gives_prefixes(on.settings, of)),
        nitro=int(of.hypervisor == "nitro"),
        trunk_slot=int(of.trunk_slot),
    )


def figures(of: Interfaces, on: Platform) -> Figures:
    """Every max-pods figure of a platform, for a type or for the whole catalog.

    Notes
    -----
    ``script`` is AWS's max-pods-calculator.sh with the prefix and custom-networking settings, which is what EKS
    computes for a managed node group: it ignores MAX_ENI, trunks and reserved ENIs, and prefixes on bare metal, for
    which EC2 gives no hypervisor. With Cilium it has the value without the VPC CNI's settings, because EKS does not
    know about Cilium. Cilium uses two of its pod addresses itself, as many as there are host-network pods, so that
    ``formula`` is (ENIs - first index) x (IPs - 1), x 16 with prefixes.

    Source
    ------
    awslabs/amazon-eks-ami@8e751826~1 max-pods-calculator.sh L113-162; nodeadm eni_max_pods.go L75-77
    (``standard``); awsdocs/amazon-eks-user-guide@4d52b4d create-managed-node-group.adoc L23, L103.
    """
    settings, unmanaged = on.settings, unmanaged_enis(of, on)
    enis = EniFigures(of.enis, of.ips_per_eni, of.trunk_slot)
    usable, capacity = carried(enis, settings, of.gives_prefixes, unmanaged, windows=on.windows)
    if settings.cni == VPC_CNI and not on.windows:  # no ENI for pods: the primary exists, but has no pod addresses
        some_left = (of.enis if on.max_eni is None else smaller(of.enis, on.max_eni)) > unmanaged
        usable, capacity = usable * some_left, capacity * some_left
    usable, capacity = usable + 0 * of.enis, capacity + 0 * of.enis
    if on.cni == OVERLAY:  # ENIs do not limit the pods, only AWS's recommended maximum
        formula = density.CAP_LARGE + 0 * of.enis
    elif on.windows:
        formula = capacity
    else:
        formula = density.eni_limited_pods(capacity)
        if on.provisioner == "karpenter" and settings.cni == VPC_CNI:  # no usable ENI: no pods, not two
            formula = formula * (usable > 0)
    script_enis = larger(of.enis - int(on.custom_networking), 0)
    script_prefix = int(settings.prefix and settings.cni == VPC_CNI) * of.nitro
    script = density.eni_limited_pods(density.pod_addresses(script_enis, of.ips_per_eni, script_prefix))
    standard = density.eni_limited_pods(density.pod_addresses(of.enis, of.ips_per_eni, 0))
    return Figures(
        usable_enis=usable,
        ip_capacity=capacity,
        formula=formula,
        recommended=density.recommended_pods(formula, of.vcpus),
        script=density.recommended_pods(script, of.vcpus),
        standard=standard,
        karpenter=density.karpenter_pods(of.enis, of.ips_per_eni, on.reserved_enis),
    )


def unmanaged_enis(of: Interfaces, on: Platform) -> IntLike:
    """ENIs that the CNI does not manage, from the number reserved. [ENIs]

    Karpenter does not know custom networking and trunks and asks users to include them in RESERVED_ENIS: only the rest
    are unmanaged ENIs.

    Source
    ------
    aws/karpenter-provider-aws@1d927085 website settings.md L46, troubleshooting.md L239-251.

    Examples
    --------
    >>> m5_large = Interfaces(3, 10, 2, 1, 1, 1)
    >>> unmanaged_enis(m5_large, Platform(custom_networking=True, reserved_enis=1, provisioner="karpenter"))
    0
    """
    if on.provisioner != "karpenter":
        return on.reserved_enis
    if on.cilium is not None:  # the ENIs before the first one with pod addresses are reserved in the same way
        return larger(on.reserved_enis - on.cilium.first_interface_index, 0)
    return larger(on.reserved_enis - int(on.custom_networking) - int(on.pod_eni) * of.trunk_slot, 0)


def unmanaged_of(of: InstanceType, on: Platform) -> int:
    """ENIs of a node of one type that the CNI does not manage. [ENIs]"""
    known = interfaces(of, on)
    return 0 if known is None else int(unmanaged_enis(known, on))


def kubelet_max_pods(on: Platform, got: Figures, computed: int | None = None) -> Any:
    """Max pods if it is not set, by provisioner. Ints or arrays. [pods]

    managed: AWS's script, capped, takes precedence over an expression. self-managed: nodeadm's expression or the
    standard formula, uncapped, ignoring prefixes and custom networking. karpenter: the ENI formula minus RESERVED_ENIS,
    passed to the node, so it also takes precedence over an expression. auto: AWS's script with prefixes, 110 at most.
    Windows: the kubelet's 110.

    Source
    ------
    docs/explanation/max-pods.md, with the file and line of each.
    """
    if on.windows:
        return density.WINDOWS_MAX_PODS + 0 * got.standard
    if on.provisioner == "karpenter":
        return got.karpenter
    if on.auto:
        return smaller(got.script, density.AUTO_MAX_PODS)
    if on.provisioner == "managed":
        return got.script
    return got.standard if computed is None else computed


def reserved_for(on: Platform, got: Figures, pods: Any, computed: int | None = None) -> Any:
    """Pods that kube-reserved memory is computed for, not always max pods. Ints or arrays. [pods]

    AL2023 and AL2 reserve for the ENI formula (AL2023: or its expression) regardless of max pods, also with Karpenter;
    Bottlerocket and Windows for the max pods they are configured with.

    Source
    ------
    nodeadm config.go L274-288; AL2 bootstrap.sh L510-532; Karpenter types.go L305-306, resolver.go L148-155;
    bottlerocket-core-kit@a10182f9 kubelet-config L84-93.
    """
    if on.reserves_for_max_pods:
        return pods
    return computed if computed is not None and on.ami == "al2023" else got.standard


def never_ready(on: Platform, usable_enis: int | None) -> bool:
    """Whether a node with these usable ENIs never becomes Ready because its CNI waits for an ENI for pods."""
    return usable_enis == 0 and not starts_without_serving_eni(on.settings)


def limits(of: Interfaces, on: Platform, got: Figures) -> list[tuple[IntLike, str]]:
    """The limits of the recommended figure as (condition, name); the first true condition applies. Ints or arrays.

    Source
    ------
    The names are those of :data:`~capacity.node.figures.LIMITS`.
    """
    always = got.formula == got.formula
    found: list[tuple[IntLike, str]] = []
    if on.cni == OVERLAY:
        return [(always, "recommended-cap")]
    if on.mode in WITH_PREFIXES:
        found.append((of.gives_prefixes == 0, "hypervisor"))
    if on.windows:
        return [*found, (got.formula > density.WINDOWS_MAX_PODS, "ami-default"), (always, "windows-single-eni")]
    found += [(got.usable_enis == 0, "no-enis"), (got.recommended < got.formula, "recommended-cap")]
    if on.cilium is not None and on.cilium.max_allocate:
        unit = 1 + (PREFIX_SIZE - 1) * (on.mode == "prefix") * of.gives_prefixes
        stopped = cilium_limits.stopped_by_max_allocate(got.usable_enis, of.ips_per_eni - 1, unit, on.cilium)
        found.append((stopped, "max-allocate"))
    if on.max_eni is not None:
        found.append((of.enis > on.max_eni, "max-eni"))
    return [*found, (always, "enis")]
