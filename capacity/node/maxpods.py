"""Max pods of instance types, in every mode and on every platform."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from capacity.catalog.instance_type import InstanceType
from capacity.cni import cilium_limits
from capacity.errors import SpecError, check_count, check_word
from capacity.node import density
from capacity.plan import cilium, overlay
from capacity.plan.cilium import CiliumIpam
from capacity.plan.constants import AMIS, HOST_PODS, MODES, NODE_PROVISIONERS, PREFIX_SIZE
from capacity.units import IntLike, counted, larger, smaller

OVERLAY = "overlay"  # the mode of a CNI with a network of its own
WITHOUT_VPC_IPV4 = ("ipv6", OVERLAY)  # modes in which pods take no IPv4 address of the VPC
WITH_PREFIXES = ("prefix", "ipv6")
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


@dataclass(frozen=True, slots=True)
class Platform:
    """How pods get addresses on the node and who tells the kubelet its max pods.

    Attributes
    ----------
    mode : {'secondary', 'prefix', 'ipv6', 'overlay'}
    custom_networking, pod_eni : bool
    max_eni : int or None
        MAX_ENI. [ENIs]
    reserved_enis : int
        ENIs kept from pods; under Karpenter its RESERVED_ENIS. [ENIs]
    ami : {'al2023', 'al2', 'bottlerocket', 'windows'}
    provisioner : {'managed', 'self-managed', 'karpenter', 'auto'}
    expression : str or None
        nodeadm's maxPodsExpression.
    host_pods : int or None
        Pods on the host's network of every Linux node; None where nobody counted them: two, as in AWS's formula,
        or as many as an expression leaves room for. [pods]
    cilium : CiliumIpam or None
        Cilium in ENI mode instead of the VPC CNI.
    """

    mode: str = "secondary"
    custom_networking: bool = False
    pod_eni: bool = False
    max_eni: int | None = None
    reserved_enis: int = 0
    ami: str = "al2023"
    provisioner: str = "managed"
    expression: str | None = None
    cilium: CiliumIpam | None = None
    host_pods: int | None = None

    def __post_init__(self) -> None:
        check_word("mode", self.mode, (*MODES, OVERLAY))
        check_word("ami", self.ami, AMIS)
        check_word("provisioner", self.provisioner, NODE_PROVISIONERS)
        check_count("reserved_enis", self.reserved_enis, unit="ENIs")
        if self.max_eni is not None:
            check_count("max_eni", self.max_eni, 1, "ENIs")
        if self.host_pods is not None:
            check_count("host_pods", self.host_pods, unit="pods")
        if self.cilium is not None:
            for on, what in (
                (self.mode == "ipv6", "IPv6 is not modelled with Cilium's ENI mode"),
                (self.custom_networking, "custom networking is the VPC CNI's: with Cilium set firstInterfaceIndex"),
                (self.pod_eni, "security groups for pods are the VPC CNI's: Cilium has none"),
                (self.max_eni is not None, "MAX_ENI is the VPC CNI's: with Cilium set maxAllocate"),
                (self.windows, "Cilium does not run on Windows nodes"),
            ):
                if on:
                    raise SpecError(what)
        if self.overlay:
            for on, what in (
                (self.custom_networking, "custom networking is"),
                (self.pod_eni, "security groups for pods are"),
                (self.max_eni is not None, "MAX_ENI is"),
                (self.auto, "EKS Auto Mode brings a CNI of its own: an overlay is"),
            ):
                if on:
                    raise SpecError(f"{what} not for an overlay CNI")
        if self.mode == "ipv6" and self.custom_networking:
            raise SpecError("IPv6 and custom networking exclude each other: the CNI does not start with both")
        if self.windows:
            for on, what in (
                (self.mode == "ipv6", "IPv6"),
                (self.custom_networking, "custom networking"),
                (self.pod_eni, "security groups for pods"),
            ):
                if on:
                    raise SpecError(f"Windows nodes do not support {what}")

    @property
    def agent(self) -> str:
        """The CNI's daemonset, on the host's network of every Linux node."""
        if self.overlay:
            return overlay.AGENT
        return "aws-node" if self.cilium is None else cilium.AGENT

    @property
    def agents(self) -> tuple[str, ...]:
        """Names under which a daemonset is the CNI's."""
        return overlay.AGENTS if self.overlay else (self.agent,)

    @property
    def overlay(self) -> bool:
        """Another CNI gives pods addresses of a network of its own."""
        return self.mode == OVERLAY

    @property
    def windows(self) -> bool:
        return self.ami == "windows"

    @property
    def auto(self) -> bool:
        """EKS Auto Mode, whose image has its own CNI and kube-proxy."""
        return self.provisioner == "auto"

    @property
    def network_pods(self) -> bool:
        """Whether the CNI's agent and kube-proxy are pods of the node: on Windows and in Auto Mode they are services.

        Source
        ------
        Amazon EKS user guide, "Deploy Windows nodes" and "Learn how EKS Auto Mode works" (read 2026-11-25).
        """
        return not (self.windows or self.auto)

    @property
    def pods_on_host(self) -> int:
        """Pods on the host's network, counted or assumed. [pods]"""
        if not self.network_pods:
            return 0
        return HOST_PODS if self.host_pods is None else self.host_pods

    @property
    def host_uncounted(self) -> bool:
        """Whether an expression sets max pods, and nobody counted the pods on the host's network it leaves room for."""
        return self.expression is not None and self.host_pods is None and self.provisioner == "self-managed"


class Interfaces(NamedTuple):
    """What the formulas need of a type, as ints or as arrays of one shape; flags are 0 or 1."""

    enis: IntLike
    ips_per_eni: IntLike
    vcpus: IntLike
    prefix_possible: IntLike
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
    custom, trunk = int(on.custom_networking), int(on.pod_eni) * of.trunk_slot
    wants_prefix = int(on.mode in WITH_PREFIXES)
    prefix = wants_prefix * gives_prefixes(of, on)
    if on.cilium is not None:
        index = on.cilium.first_interface_index
        usable: IntLike = cilium_limits.serving_enis(of.enis, index, unmanaged_enis(of, on))
        unit = 1 + (PREFIX_SIZE - 1) * prefix
        most = cilium_limits.most_asked(of.enis, of.ips_per_eni, unit, on.cilium)
        primary = int(on.cilium.use_primary_address)
        capacity = cilium_limits.pod_capacity(usable, of.ips_per_eni - 1, unit, primary, most)
        formula = density.eni_limited_pods(capacity)
        wants_prefix = 0
    elif on.overlay:  # no ENI bounds the pods: only what Kubernetes is tested for
        usable, capacity = 0 * of.enis, 0 * of.enis
        formula = density.CAP_LARGE + 0 * of.enis
    elif on.windows:
        usable = smaller(of.enis, 1)
        capacity = density.pod_addresses(usable, of.ips_per_eni, prefix)
        formula = capacity
    else:
        limit = of.enis if on.max_eni is None else smaller(of.enis, on.max_eni)
        usable = density.usable_enis(of.enis, limit, unmanaged_enis(of, on), custom, trunk)
        capacity = density.pod_addresses(usable, of.ips_per_eni, prefix)
        formula = density.eni_limited_pods(capacity)
        if on.provisioner == "karpenter":  # which gives a node without usable ENIs no pods, not two
            formula = formula * (usable > 0)
    script_enis = density.usable_enis(of.enis, of.enis, 0, custom, 0)
    script = density.eni_limited_pods(density.pod_addresses(script_enis, of.ips_per_eni, wants_prefix * of.nitro))
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


def gives_prefixes(of: Interfaces, on: Platform) -> IntLike:
    """1 where the CNI gives prefixes on the type: Cilium only where EC2 names Nitro, so not on bare metal.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 ipamd.go L2771-2779; cilium/cilium@00137987 pkg/aws/eni/node.go IsPrefixDelegated.
    """
    return of.prefix_possible if on.cilium is None else of.nitro


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
    """The same for one instance type. [ENIs]"""
    known = interfaces(of)
    return 0 if known is None else int(unmanaged_enis(known, on))


@dataclass(frozen=True, slots=True)
class MaxPods:
    """Max pods of one type on one platform; None where nobody states what it needs.

    Attributes
    ----------
    max_enis : int or None
        ENIs of the default network card. [ENIs]
    usable_enis : int or None
        Those that may serve pods. [ENIs]
    ipv4_per_eni : int or None
        [addresses]
    ip_capacity : int or None
        Pods on VPC addresses that the ENIs can carry; None for IPv6. [pods]
    max_pods_formula : int or None
        ENIs × (IPs − 1) + 2 and its variants, uncapped. [pods]
    max_pods_recommended : int or None
        AWS's calculator: the same capped at 110 or 250. [pods]
    max_pods : int or None
        What the kubelet gets where nobody sets it. [pods]
    max_pods_expression : int or None
        Value of the CEL expression, where one was given and it evaluates. [pods]
    branch_enis : int or None
        Branch ENIs, where security groups for pods are on. [branch ENIs]
    limited_by : str
        One of :data:`LIMITS`: what bounds ``max_pods_recommended``.
    reserved_for : int or None
        Pods that kube-reserved memory is computed for on this platform. [pods]
    warnings : tuple of str
    """

    instance_type: str
    mode: str
    custom_networking: bool
    max_enis: int | None
    usable_enis: int | None
    ipv4_per_eni: int | None
    ip_capacity: int | None
    max_pods_formula: int | None
    max_pods_recommended: int | None
    max_pods: int | None
    max_pods_expression: int | None
    branch_enis: int | None
    limited_by: str
    reserved_for: int | None
    warnings: tuple[str, ...] = ()


def interfaces(of: InstanceType) -> Interfaces | None:
    """The type's figures for the formulas, None where the catalog lacks one of them."""
    if of.max_enis is None or of.ipv4_per_eni is None:
        return None
    return Interfaces(
        enis=of.max_enis,
        ips_per_eni=of.ipv4_per_eni,
        vcpus=of.vcpus if of.vcpus is not None else 0,
        prefix_possible=int(of.prefixes_possible is True),
        nitro=int(of.hypervisor == "nitro"),
        trunk_slot=int(of.trunk_slot),
    )


def max_pods(of: InstanceType, on: Platform) -> MaxPods:
    """Max pods of one instance type on a platform.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> row = max_pods(load_catalog().get("m5.large"), Platform(mode="prefix"))
    >>> row.ip_capacity, row.max_pods_formula, row.max_pods_recommended
    (432, 434, 110)
    """
    known = interfaces(of)
    blocked = on.mode in WITH_PREFIXES and of.prefixes_possible is not True
    if known is None or (blocked and (on.mode == "ipv6" or of.prefixes_possible is None)):
        return _without_figures(
            of, on, "hypervisor" if known is not None and of.prefixes_possible is False else "unknown"
        )
    got = figures(known, on)
    computed, warnings = _expression(of, on, got)
    pods = kubelet_max_pods(on, got, computed)
    warnings += _addresses_warning(of, on, got, pods, computed)
    if on.windows and of.arch == "arm64":
        warnings.append(f"{of.name} is an arm64 type: there is no Windows image for it")
    uncapped = of.vcpus is None and got.formula > density.CAP_SMALL
    return MaxPods(
        instance_type=of.name,
        mode=on.mode,
        custom_networking=on.custom_networking,
        max_enis=of.max_enis,
        usable_enis=got.usable_enis,
        ipv4_per_eni=of.ipv4_per_eni,
        ip_capacity=None if on.mode in WITHOUT_VPC_IPV4 else got.ip_capacity,
        max_pods_formula=None if on.overlay else got.formula,
        max_pods_recommended=None if uncapped else got.recommended,
        max_pods=None if uncapped and on.provisioner == "managed" and not on.windows else pods,
        max_pods_expression=computed,
        branch_enis=of.branch_enis if on.pod_eni else None,
        limited_by=next(name for holds, name in limits(known, on, got) if holds),
        reserved_for=reserved_for(on, got, pods, computed),
        warnings=tuple(warnings),
    )


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
    if on.ami in ("bottlerocket", "windows"):
        return pods
    return computed if computed is not None and on.ami == "al2023" else got.standard


def _expression(of: InstanceType, on: Platform, got: Figures) -> tuple[int | None, list[str]]:
    if on.expression is None:
        return None, []
    assert of.max_enis is not None
    assert of.ipv4_per_eni is not None
    if on.ami != "al2023":
        return None, [f"{on.ami} has no maxPodsExpression (nodeadm, AL2023 only): it is ignored"]
    from capacity.node.expression import evaluate_expression

    try:
        value = evaluate_expression(on.expression, of.max_enis, of.ipv4_per_eni, got.standard)
    except SpecError as error:
        return None, [f"{of.name}: {error}; nodeadm falls back to the standard value {got.standard}"]
    if on.provisioner == "managed":
        return value, ["a managed node group writes its own max pods into the user data: the expression loses"]
    if on.provisioner == "karpenter":
        return value, ["Karpenter passes max pods to the node: the expression loses"]
    if on.auto:
        return value, ["EKS Auto Mode sets max pods itself: the expression loses"]
    return value, []


def _addresses_warning(of: InstanceType, on: Platform, got: Figures, pods: int, computed: int | None) -> list[str]:
    """Where the kubelet takes more pods on VPC addresses than there are.

    An expression leaves room for pods on the host's network (nodeadm's own example adds theirs to ``max_pods``):
    how many there are is known only where they were counted.
    """
    if never_ready(on, got.usable_enis):
        return [f"{of.name}: no ENI is left for pods, so the CNI does not start: the node never becomes Ready"]
    able = got.ip_capacity + on.pods_on_host
    if on.mode in WITHOUT_VPC_IPV4 or pods <= able:
        return []
    if computed is not None and on.host_uncounted:
        return []
    return [f"{of.name}: the kubelet accepts {counted(pods, 'pod')}, but only {able} can have an address ({on.mode})"]


def never_ready(on: Platform, usable_enis: int | None) -> bool:
    """Whether a node of so many usable ENIs never becomes Ready: its CNI waits for an ENI that may serve pods.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L686-689 (custom networking); cilium/cilium@00137987
    pkg/aws/eni/node.go GetMaximumAllocatableIPv4: the agent's own addresses are of the pool.
    """
    return usable_enis == 0 and on.mode != "ipv6" and (on.custom_networking or on.cilium is not None)


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
        found.append((gives_prefixes(of, on) == 0, "hypervisor"))
    if on.windows:
        return [*found, (got.formula > density.WINDOWS_MAX_PODS, "ami-default"), (always, "windows-single-eni")]
    found += [(got.usable_enis == 0, "no-enis"), (got.recommended < got.formula, "recommended-cap")]
    if on.cilium is not None and on.cilium.max_allocate:
        unit = 1 + (PREFIX_SIZE - 1) * (on.mode == "prefix") * of.nitro
        found.append((on.cilium.max_allocate < got.usable_enis * (of.ips_per_eni - 1) * unit, "max-allocate"))
    if on.max_eni is not None:
        found.append((of.enis > on.max_eni, "max-eni"))
    return [*found, (always, "enis")]


def _without_figures(of: InstanceType, on: Platform, why: str) -> MaxPods:
    if why == "unknown":
        missing = "ENI figures" if of.max_enis is None or of.ipv4_per_eni is None else "hypervisor"
        text = (
            f"{of.name}: its {missing} are not known to any source"
            if missing != "hypervisor"
            else (f"{of.name}: its hypervisor is not known, so neither is whether it can have prefixes")
        )
    else:
        text = f"{of.name} runs on {of.hypervisor}: IPv6 needs Nitro or bare metal"
    return MaxPods(
        instance_type=of.name,
        mode=on.mode,
        custom_networking=on.custom_networking,
        max_enis=of.max_enis,
        usable_enis=None,
        ipv4_per_eni=of.ipv4_per_eni,
        ip_capacity=None,
        max_pods_formula=None,
        max_pods_recommended=None,
        max_pods=None,
        max_pods_expression=None,
        branch_enis=of.branch_enis if on.pod_eni else None,
        limited_by=why,
        reserved_for=None,
        warnings=(text,),
    )


def modes_of(on: Platform) -> tuple[str, ...]:
    """Modes that exist on a platform, for "all"."""
    if on.overlay:
        return (OVERLAY,)
    if on.windows or on.cilium is not None:
        return ("secondary", "prefix")
    if on.auto:
        return ("prefix", "ipv6")
    return MODES[:2] if on.custom_networking else MODES


def max_pods_rows(types: Iterable[InstanceType], on: Platform, modes: Iterable[str]) -> list[MaxPods]:
    """One row per type and mode."""
    platforms = [replace(on, mode=m) for m in modes]
    return [max_pods(of, platform) for of in types for platform in platforms]


def common_max_pods(rows: Iterable[MaxPods]) -> dict[int, list[str]]:
    """The one max pods that suits every type, by mode: the smallest recommended. Modes of one figure together.

    One figure for a group of several types must not exceed what the smallest of them has addresses for. [pods]
    """
    by_mode: dict[str, int] = {}
    for row in rows:
        if row.max_pods_recommended is not None:
            by_mode[row.mode] = min(by_mode.get(row.mode, row.max_pods_recommended), row.max_pods_recommended)
    found: dict[int, list[str]] = {}
    for mode, pods in by_mode.items():
        found.setdefault(pods, []).append(mode)
    return found
