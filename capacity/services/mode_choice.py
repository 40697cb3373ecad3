"""Which mode of kube-proxy to use, by Kubernetes and CNI version, and what to watch."""

from __future__ import annotations

from typing import NamedTuple

from capacity.plan.constants import VPC_CNI
from capacity.plan.versions import version_numbers
from capacity.services.cluster_figures import ADVISED_PER_CLUSTER, ServiceFigures

Version = tuple[int, ...]
NFTABLES_SINCE = (1, 33)  # GA; kubernetes/enhancements KEP-3866
NFTABLES_CNI = (1, 23, 0)  # AWS best practices, "Running kube-proxy in nftables Mode" (read 2026-11-30)
# kubernetes/enhancements@3a8eb26 KEP-5495: deprecated in 1.35, a gate in 1.37, off by default in 1.40, then removed
IPVS_REMOVED = (1, 43)
NFTABLES_WARNED = (1, 37)  # KEP-5343, plan: default from 1.40
SLOW_START_SERVICES, SLOW_START_ENDPOINTS = 5_000, 100_000
SOURCES = (
    "kubernetes/enhancements KEP-3866 (nftables), KEP-5343 (default), KEP-5495 (IPVS)",
    'AWS best practices for EKS, "Running kube-proxy in nftables Mode" (read 2026-11-30)',
    "kubernetes/kubernetes issues 135639 and 139328, PR 130119",
)


class Cluster(NamedTuple):
    """What decides the mode: versions as written (None: unknown), the CNI and the mode in use (None: unknown)."""

    kubernetes: str | None = None
    cni_version: str | None = None
    cni: str = VPC_CNI
    mode: str | None = None
    windows: bool = False


UNKNOWN = Cluster()


class ModeChoice(NamedTuple):
    """The recommended mode, the reason, and warnings about it and the mode in use."""

    mode: str
    why: str
    warnings: tuple[str, ...]


def mode_choice(figures: ServiceFigures, cluster: Cluster) -> ModeChoice:
    """Recommend a mode.

    Notes
    -----
    nftables from EKS 1.33 with VPC CNI 1.23.0 for more than 1,000 Services; otherwise iptables; never IPVS. The best
    practices' page on IPVS (2026-05) still recommends it above 1,000 Services; AWS's newer page and upstream's
    deprecation contradict it, and they are followed here.
    """
    kubernetes = version_numbers(cluster.kubernetes)
    many = figures.services > ADVISED_PER_CLUSTER
    missing = missing_for_nftables(cluster)
    if many and not missing:
        mode = "nftables"
        why = (
            f"above {ADVISED_PER_CLUSTER:,} Services the first packet of a connection costs more in iptables mode; in "
            "nftables mode it costs the same for any number"
        )
        if not kubernetes:
            why += "; it requires EKS 1.33 and VPC CNI 1.23.0 or later"
    elif many:
        mode, why = "iptables", f"nftables mode would suit {figures.services:,} Services, but it requires {missing}"
    else:
        mode, why = "iptables", f"up to {ADVISED_PER_CLUSTER:,} Services, kube-proxy's default mode is enough"
    return ModeChoice(mode, why, tuple(_warnings(mode, figures, kubernetes, cluster)))


def missing_for_nftables(cluster: Cluster) -> str:
    """What the cluster lacks for nftables mode, in words; empty if nothing is known to be missing."""
    kubernetes = version_numbers(cluster.kubernetes)
    if kubernetes and kubernetes < NFTABLES_SINCE:
        return "EKS 1.33 or later"
    cni = version_numbers(cluster.cni_version)
    if cluster.cni == VPC_CNI and cni and cni < NFTABLES_CNI:
        return "VPC CNI 1.23.0 or later"
    return ""


def _warnings(mode: str, figures: ServiceFigures, kubernetes: Version | None, cluster: Cluster) -> list[str]:
    told = []
    if mode == "nftables" or cluster.mode == "nftables":
        if figures.services > SLOW_START_SERVICES or figures.endpoints > SLOW_START_ENDPOINTS:
            told.append(
                "a full sync is slower in nftables mode than in iptables mode, most of all the first one of a new node "
                "(10,000 Services: 3 min 14 s against 40 s): measure it before the change if nodes start often"
            )
        told.append(
            "nftables mode needs Linux 5.13 or later and nft 1.0.0 or later: AL2023 and current Ubuntu have both"
        )
    if cluster.mode == "nftables" and (missing := missing_for_nftables(cluster)):
        told.append(f"the cluster runs nftables mode, which requires {missing}")
    if cluster.mode == "ipvs":
        told.append(_ipvs(kubernetes))
    elif mode == "iptables" and kubernetes and kubernetes >= NFTABLES_WARNED:
        told.append("nftables is planned as the default mode in Kubernetes 1.40")
    if cluster.windows and figures.services > 100:
        told.append("Windows nodes without DSR run out of ports above 100 Services")
    return told


def _ipvs(kubernetes: Version | None) -> str:
    text = (
        "IPVS mode is deprecated since Kubernetes 1.35; KEP-5495 plans to turn it off by default in 1.40 and to remove "
        "it in 1.43: change to nftables mode (iptables mode before 1.33)"
    )
    if kubernetes and kubernetes >= IPVS_REMOVED:
        return f"Kubernetes {'.'.join(map(str, kubernetes[:2]))} has no IPVS mode: KEP-5495 removes it in 1.43"
    return text
