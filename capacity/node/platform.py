"""The platform of a node: how its pods get addresses, and what sets the kubelet's max pods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from capacity.brief import changed_fields
from capacity.catalog.instance_type import InstanceType
from capacity.cni.facade import gives_prefixes
from capacity.errors import SpecError, check_count, check_kind, check_switch, check_word
from capacity.plan.cilium import CiliumIpam
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import AMIS, CILIUM, HOST_PODS, MODES, NODE_PROVISIONERS, OVERLAY

WITHOUT_VPC_IPV4 = ("ipv6", OVERLAY)  # modes in which pods use no IPv4 address of the VPC
WITH_PREFIXES = ("prefix", "ipv6")


@dataclass(frozen=True, slots=True, repr=False)
class Platform:
    """How pods get addresses on the node, and what sets the kubelet's max pods.

    Attributes
    ----------
    mode : {'secondary', 'prefix', 'ipv6', 'overlay'}
    custom_networking, pod_eni : bool
    max_eni : int or None
        MAX_ENI. [ENIs]
    reserved_enis : int
        ENIs reserved from pods; with Karpenter its RESERVED_ENIS. [ENIs]
    ami : {'al2023', 'al2', 'bottlerocket', 'windows'}
    provisioner : {'managed', 'self-managed', 'karpenter', 'auto'}
    expression : str or None
        nodeadm's maxPodsExpression.
    host_pods : int or None
        Host-network pods of every Linux node; None if not counted: then two, as in AWS's formula, or as many as an
        expression leaves room for. [pods]
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
        check_switch("custom_networking", self.custom_networking)
        check_switch("pod_eni", self.pod_eni)
        check_count("reserved_enis", self.reserved_enis, unit="ENIs")
        if self.max_eni is not None:
            check_count("max_eni", self.max_eni, 1, "ENIs")
        if self.host_pods is not None:
            check_count("host_pods", self.host_pods, unit="pods")
        if self.expression is not None:
            check_kind("expression", self.expression, str, "text, such as 'max_pods - 2'")
        if self.cilium is not None:
            check_kind("cilium", self.cilium, CiliumIpam, "what cilium_settings(...) gives, or None")
            for on, what in (
                (self.mode == "ipv6", "IPv6 is not modelled with Cilium's ENI mode"),
                (
                    self.custom_networking,
                    "custom networking applies to the VPC CNI: for Cilium, set firstInterfaceIndex",
                ),
                (self.pod_eni, "security groups for pods apply to the VPC CNI: Cilium does not support them"),
                (self.max_eni is not None, "MAX_ENI applies to the VPC CNI: for Cilium, set maxAllocate"),
                (self.windows, "Cilium does not run on Windows nodes"),
            ):
                if on:
                    raise SpecError(what)
        if self.mode == OVERLAY:
            for on, what in (
                (self.custom_networking, "custom networking is"),
                (self.pod_eni, "security groups for pods are"),
                (self.max_eni is not None, "MAX_ENI is"),
                (self.cilium is not None, "Cilium's ENI mode is"),
                (self.auto, "EKS Auto Mode has its own CNI: an overlay is"),
            ):
                if on:
                    raise SpecError(f"{what} not supported with an overlay CNI")
        if self.mode == "ipv6" and self.custom_networking:
            raise SpecError("IPv6 and custom networking cannot be combined: the CNI does not start with both")
        if self.windows:
            for on, what in (
                (self.mode == "ipv6", "IPv6"),
                (self.custom_networking, "custom networking"),
                (self.pod_eni, "security groups for pods"),
            ):
                if on:
                    raise SpecError(f"Windows nodes do not support {what}")

    def __repr__(self) -> str:
        return changed_fields(self)

    @property
    def settings(self) -> CniSettings:
        """The CNI's settings that decide the pods per ENI, without the warm targets."""
        return _settings(self)

    @property
    def agents(self) -> tuple[str, ...]:
        """Names of the CNI's DaemonSet; the first is assumed if none is given."""
        return self.settings.agents

    @property
    def cni(self) -> str:
        """The CNI that runs, as :attr:`CniSettings.cni` names it."""
        return self.settings.cni

    @property
    def windows(self) -> bool:
        return self.ami == "windows"

    @property
    def auto(self) -> bool:
        """Whether this is EKS Auto Mode, whose image includes the CNI and kube-proxy."""
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
    def reserves_for_max_pods(self) -> bool:
        """Whether memory is reserved for the max pods that the node is configured with, set by the user or not.

        Source
        ------
        bottlerocket-core-kit@a10182f9 kubelet-config L84-93; Karpenter types.go L305-306 (Windows). AL2023:
        nodeadm doc/examples.md L253-254, config.go L274-288.
        """
        return self.ami in ("bottlerocket", "windows")

    @property
    def pods_on_host(self) -> int:
        """Host-network pods, counted or assumed. [pods]"""
        if not self.network_pods:
            return 0
        return HOST_PODS if self.host_pods is None else self.host_pods

    @property
    def host_uncounted(self) -> bool:
        """Whether an expression sets max pods and the host-network pods it leaves room for were not counted."""
        return self.expression is not None and self.host_pods is None and self.provisioner == "self-managed"


def check_platform(value: object, what: str = "platform") -> None:
    """Refuse a value that is not a :class:`Platform`."""
    check_kind(what, value, Platform, "a Platform, such as Platform(mode='prefix')")


@lru_cache(maxsize=1024)
def _settings(on: Platform) -> CniSettings:
    return CniSettings(
        prefix=on.mode in WITH_PREFIXES,
        custom_networking=on.custom_networking,
        pod_eni=on.pod_eni,
        ipv6=on.mode == "ipv6",
        max_eni=on.max_eni,
        cilium=on.cilium,
        overlay=on.mode == OVERLAY,
    )


def as_run(on: Platform, kind: InstanceType) -> Platform:
    """The platform as the CNI runs it on a type: single addresses if the type has no prefixes."""
    fallback = on.mode in WITH_PREFIXES and not gives_prefixes(on.settings, kind)
    return replace(on, mode="secondary") if fallback else on


def modes_of(on: Platform) -> tuple[str, ...]:
    """The modes of a platform, for "all"."""
    if on.cni == OVERLAY:
        return (OVERLAY,)
    if on.windows or on.cni == CILIUM:
        return MODES[:2]
    if on.auto:
        return ("prefix", "ipv6")
    return MODES[:2] if on.custom_networking else MODES
