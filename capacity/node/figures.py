"""Max pods in numbers: every figure of a platform, for one instance type or for the whole catalog."""

from __future__ import annotations

from typing import Any, NamedTuple

from capacity.catalog.instance_type import InstanceType
from capacity.cni import cilium_limits
from capacity.cni.facade import EniFigures, carried, gives_prefixes, starts_without_serving_eni
from capacity.node import density
from capacity.node.platform import WITH_PREFIXES, Platform
from capacity.plan.constants import PREFIX_SIZE
from capacity.units import IntLike, larger, smaller

LIMITS = {
    "enis": "ENIs times addresses per ENI",
    "max-eni": "MAX_ENI",
    "recommended-cap": "AWS's cap of 110, or 250 above 30 vCPUs",
    "ami-default": "the AMI's own default, 110 on Windows",
    "hypervisor": "no prefixes on this hypervisor: computed with secondary IPs",
    "no-enis": "no ENI is left for pods",
    "windows-single-eni": "Windows uses one ENI",
    "max-allocate": "Cilium's maxAllocate",
    "unknown": "the figures it needs are not known",
}


class Interfaces(NamedTuple):
    """What the formulas need of a type, as ints or as arrays of one shape; flags are 0 or 1."""

    enis: IntLike
    ips_per_eni: IntLike
    vcpus: IntLike
    gives_prefixes: IntLike
    nitro: IntLike
    trunk_slot: IntLike


class Figures(NamedTuple):
    """The numbers of :class:`MaxPods`, as ints or arrays."""

    usable_enis: IntLike
    ip_capacity: IntLike
    formula: IntLike
    recommended: IntLike
    script: IntLike
    standard: IntLike
    karpenter: IntLike


def interfaces(of: InstanceType, on: Platform) -> Interfaces | None:
    """The type's figures for the formulas on a platform, None where the catalog lacks one of them."""
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
    """Every max-pods figure of a platform; one code for a type and for the whole catalog.

    Notes
    -----
    ``script`` is AWS's max-pods-calculator.sh with the prefix and custom-networking settings, which is
    what EKS computes for a managed node group: blind to MAX_ENI, trunks and reserved ENIs, and to
    prefixes on bare metal, where EC2 states no hypervisor. With Cilium it is what it is without the VPC CNI's
    settings: nobody tells EKS. Two of the addresses that Cilium holds are its own, as many as the pods on the
    host's network, so that ``formula`` is (ENIs - first index) x (IPs - 1), x 16 with prefixes.

    Source
    ------
    awslabs/amazon-eks-ami@8e751826~1 max-pods-calculator.sh L113-162; nodeadm eni_max_pods.go L75-77
    (``standard``); awsdocs/amazon-eks-user-guide@4d52b4d create-managed-node-group.adoc L23, L103.
    """
    settings, unmanaged = on.settings, unmanaged_enis(of, on)
    enis = EniFigures(of.enis, of.ips_per_eni, of.trunk_slot)
    usable, capacity = carried(enis, settings, of.gives_prefixes, unmanaged, windows=on.windows)
    if settings.cni == "vpc-cni" and not on.windows:  # all ENIs kept from pods: the primary is there, but not for them
        some_left = (of.enis if on.max_eni is None else smaller(of.enis, on.max_eni)) > unmanaged
        usable, capacity = usable * some_left, capacity * some_left
    usable, capacity = usable + 0 * of.enis, capacity + 0 * of.enis
    if on.overlay:  # no ENI bounds the pods: only what Kubernetes is tested for
        formula = density.CAP_LARGE + 0 * of.enis
    elif on.windows:
        formula = capacity
    else:
        formula = density.eni_limited_pods(capacity)
        if on.provisioner == "karpenter" and settings.cni == "vpc-cni":  # no usable ENI: no pods, not two
            formula = formula * (usable > 0)
    script_enis = larger(of.enis - int(on.custom_networking), 0)
    script_prefix = int(settings.prefix and settings.cni == "vpc-cni") * of.nitro
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
    """ENIs that the CNI leaves alone, from the number reserved. [ENIs]

    Karpenter knows neither custom networking nor trunks and tells its users to count them in
    RESERVED_ENIS: there only what exceeds those two is an ENI of its own.

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
    if on.cilium is not None:  # the ENIs before the first that serves pods are reserved in the same way
        return larger(on.reserved_enis - on.cilium.first_interface_index, 0)
    return larger(on.reserved_enis - int(on.custom_networking) - int(on.pod_eni) * of.trunk_slot, 0)


def unmanaged_of(of: InstanceType, on: Platform) -> int:
    """ENIs of a node of one type that the CNI leaves alone. [ENIs]"""
    known = interfaces(of, on)
    return 0 if known is None else int(unmanaged_enis(known, on))


def kubelet_max_pods(on: Platform, got: Figures, computed: int | None = None) -> Any:
    """Max pods where nobody sets it, by who provisions the node. Ints or arrays. [pods]

    managed: AWS's script, capped, wins over an expression. self-managed: nodeadm's expression or the
    standard formula, uncapped, blind to prefixes and custom networking. karpenter: the ENI formula less
    RESERVED_ENIS, passed to the node, so it too wins over an expression. auto: AWS's script with prefixes, 110 at
    most. Windows: the kubelet's 110.

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
    """Pods that kube-reserved memory is computed for: not always max pods. Ints or arrays. [pods]

    AL2023 and AL2 reserve for the ENI formula (AL2023: or its expression) whatever max pods is set to,
    under Karpenter too; Bottlerocket and Windows for the max pods they are configured with.

    Source
    ------
    nodeadm config.go L274-288; AL2 bootstrap.sh L510-532; Karpenter types.go L305-306, resolver.go L148-155;
    bottlerocket-core-kit@a10182f9 kubelet-config L84-93.
    """
    if on.reserves_for_max_pods:
        return pods
    return computed if computed is not None and on.ami == "al2023" else got.standard


def never_ready(on: Platform, usable_enis: int | None) -> bool:
    """Whether a node of so many usable ENIs never becomes Ready: its CNI waits for an ENI that may serve pods."""
    return usable_enis == 0 and not starts_without_serving_eni(on.settings)


def limits(of: Interfaces, on: Platform, got: Figures) -> list[tuple[IntLike, str]]:
    """What bounds the recommended figure: (does it hold, its name), the first that holds counts. Ints or arrays.

    Source
    ------
    The names are those of :data:`LIMITS`.
    """
    always = got.formula == got.formula
    found: list[tuple[IntLike, str]] = []
    if on.overlay:
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
