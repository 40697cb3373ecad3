"""Computes max pods of instance types, in every mode and on every platform."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from capacity.catalog.instance_type import InstanceType, check_type
from capacity.errors import SpecError
from capacity.node import density
from capacity.node.figures import Figures, figures, interfaces, kubelet_max_pods, limits, never_ready, reserved_for
from capacity.node.platform import WITH_PREFIXES, WITHOUT_VPC_IPV4, Platform, check_platform
from capacity.plan.constants import OVERLAY
from capacity.units import counted


@dataclass(frozen=True, slots=True, repr=False)
class MaxPods:
    """Max pods of one type on one platform; a figure is None if its inputs are unknown.

    Attributes
    ----------
    max_enis : int or None
        ENIs of the default network card. [ENIs]
    usable_enis : int or None
        ENIs that can have pod addresses. [ENIs]
    ipv4_per_eni : int or None
        [addresses]
    ip_capacity : int or None
        Pods on VPC addresses that the ENIs can carry; None for IPv6. [pods]
    max_pods_formula : int or None
        ENIs × (IPs − 1) + 2 and its variants, uncapped. [pods]
    max_pods_recommended : int or None
        AWS's calculator: the formula capped at 110 or 250. [pods]
    max_pods : int or None
        The kubelet's max pods if it is not set. [pods]
    max_pods_expression : int or None
        Value of the CEL expression, if given and valid. [pods]
    branch_enis : int or None
        Branch ENIs, if security groups for pods are on. [branch ENIs]
    limited_by : str
        One of :data:`~capacity.node.figures.LIMITS`: the limit of ``max_pods_recommended``.
    reserved_for : int or None
        Pods that kube-reserved memory is computed for on this platform. [pods]
    kind, platform : InstanceType, Platform
        The inputs of the figures.
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
    kind: InstanceType
    platform: Platform
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        pods = "max pods unknown" if self.max_pods is None else f"{self.max_pods} max pods"
        return f"<MaxPods {self.instance_type}, {self.mode}: {pods}, limited by {self.limited_by}>"


def max_pods(of: InstanceType, on: Platform) -> MaxPods:
    """Max pods of one instance type on a platform.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> row = max_pods(load_catalog().get("m5.large"), Platform(mode="prefix"))
    >>> row.ip_capacity, row.max_pods_formula, row.max_pods_recommended
    (432, 434, 110)
    """
    check_type(of)
    check_platform(on)
    known = interfaces(of, on)
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
        max_pods_formula=None if on.cni == OVERLAY else got.formula,
        max_pods_recommended=None if uncapped else got.recommended,
        max_pods=None if uncapped and on.provisioner == "managed" and not on.windows else pods,
        max_pods_expression=computed,
        branch_enis=of.branch_enis if on.pod_eni else None,
        limited_by=next(name for holds, name in limits(known, on, got) if holds),
        reserved_for=reserved_for(on, got, pods, computed),
        kind=of,
        platform=on,
        warnings=tuple(warnings),
    )


def _expression(of: InstanceType, on: Platform, got: Figures) -> tuple[int | None, list[str]]:
    if on.expression is None:
        return None, []
    assert of.max_enis is not None
    assert of.ipv4_per_eni is not None
    if on.ami != "al2023":
        return None, [f"{on.ami} has no maxPodsExpression (nodeadm, AL2023 only), so it is ignored"]
    from capacity.node.max_pods_expression import evaluate_expression

    try:
        value = evaluate_expression(on.expression, of.max_enis, of.ipv4_per_eni, got.standard)
    except SpecError as error:
        return None, [f"{of.name}: {error}; nodeadm uses the standard value {got.standard}"]
    if on.provisioner == "managed":
        return value, ["a managed node group writes max pods into the user data, which overrides the expression"]
    if on.provisioner == "karpenter":
        return value, ["Karpenter passes max pods to the node, which overrides the expression"]
    if on.auto:
        return value, ["EKS Auto Mode sets max pods itself and ignores the expression"]
    return value, []


def _addresses_warning(of: InstanceType, on: Platform, got: Figures, pods: int, computed: int | None) -> list[str]:
    """The warning if the kubelet accepts more pods than there are VPC addresses.

    An expression leaves room for host-network pods (nodeadm's example adds them to ``max_pods``): their number is known
    only if they were counted.
    """
    if never_ready(on, got.usable_enis):
        return [f"{of.name}: no ENI is left for pods, so the CNI does not start: the node never becomes Ready"]
    able = got.ip_capacity + on.pods_on_host
    if on.mode in WITHOUT_VPC_IPV4 or pods <= able:
        return []
    if computed is not None and on.host_uncounted:
        return []
    return [f"{of.name}: the kubelet accepts {counted(pods, 'pod')}, but only {able} can have an address ({on.mode})"]


def _without_figures(of: InstanceType, on: Platform, why: str) -> MaxPods:
    if why == "unknown":
        missing = "ENI figures" if of.max_enis is None or of.ipv4_per_eni is None else "hypervisor"
        text = (
            f"{of.name}: its {missing} are not published"
            if missing != "hypervisor"
            else (f"{of.name}: its hypervisor is unknown, so it is unknown whether it supports prefixes")
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
        kind=of,
        platform=on,
        warnings=(text,),
    )


def max_pods_rows(types: Iterable[InstanceType], on: Platform, modes: Iterable[str]) -> list[MaxPods]:
    """One row per type and mode."""
    platforms = [replace(on, mode=m) for m in modes]
    return [max_pods(of, platform) for of in types for platform in platforms]


def common_max_pods(rows: Iterable[MaxPods]) -> dict[int, list[str]]:
    """The max pods value that is safe for every type, by mode: the smallest recommended. Modes with equal values are
    joined.

    The value for a group of several types must not exceed the addresses of the smallest type. [pods]
    """
    by_mode: dict[str, int] = {}
    for row in rows:
        if row.max_pods_recommended is not None:
            by_mode[row.mode] = min(by_mode.get(row.mode, row.max_pods_recommended), row.max_pods_recommended)
    found: dict[int, list[str]] = {}
    for mode, pods in by_mode.items():
        found.setdefault(pods, []).append(mode)
    return found
