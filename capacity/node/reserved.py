"""Computes the CPU and memory that the platform reserves, and what is left for pods.

Every function takes ints or integer arrays of one broadcast shape.
"""

from __future__ import annotations

from fractions import Fraction

from capacity.units import IntLike, ceil_div, larger, smaller

# (cores up to, reserved per core in ten-thousandths): nodeadm config.go L410-440
CPU_BANDS = ((1, 600), (2, 100), (4, 50), (None, 25))
MEMORY_BASE_MIB, MEMORY_PER_POD_MIB = 255, 11  # nodeadm config.go L442-444
EVICTION_MIB = 100  # nodeadm config.go L110-114; kubelet's own default
ARM_CMA_MIB = 64  # Karpenter types.go L512-522
VM_OVERHEAD = Fraction(75, 1000)  # Karpenter options.go L66


def kube_reserved_cpu(vcpus: IntLike) -> IntLike:
    """CPU reserved for kubelet and runtime. [millicores]

    Notes
    -----
    6% of the first core, 1% of the second, 0.5% of the third and fourth, 0.25% of the rest; each band is truncated to
    whole millicores.

    Source
    ------
    awslabs/amazon-eks-ami@81fec2e8 nodeadm/internal/kubelet/config.go L410-440; the same figures in AL2's
    bootstrap.sh, Karpenter types.go L685-704 and, for every vCPU count EC2 has, Bottlerocket.

    Examples
    --------
    >>> [kube_reserved_cpu(n) for n in (1, 2, 4, 8, 96)]
    [60, 70, 80, 90, 310]
    """
    total: IntLike = 0
    below = 0
    for upto, share in CPU_BANDS:
        cores = larger(vcpus - below, 0)
        if upto is not None:
            cores = smaller(cores, upto - below)
            below = upto
        total = total + cores * share // 10
    return total


def kube_reserved_memory_mib(pods: IntLike) -> IntLike:
    """Memory reserved for kubelet and runtime, by the pods that the platform reserves for. [MiB]

    Source
    ------
    nodeadm config.go L442-444; AL2 bootstrap.sh L274-278; Karpenter types.go L680; Bottlerocket helpers/mod.rs L791.

    Examples
    --------
    >>> kube_reserved_memory_mib(29)  # 255 + 11 * 29
    574
    """
    return MEMORY_BASE_MIB + MEMORY_PER_POD_MIB * pods


def memory_capacity_mib(memory_mib: IntLike, arm: IntLike, overhead_ppm: int = int(VM_OVERHEAD * 10**6)) -> IntLike:
    """Memory the node reports, as Karpenter estimates it before it has seen one. [MiB]

    Parameters
    ----------
    memory_mib : int or ndarray of int
        Memory as EC2 states it. [MiB]
    arm : int or ndarray of int
        1 on arm64, which loses 64 MiB to the contiguous-memory allocator.
    overhead_ppm : int
        Share lost to the hypervisor and firmware, in millionths (default 7.5%).

    Notes
    -----
    m - ceil(m * overhead), m = memory - 64 on arm64; in integer arithmetic, so that rounding is exact.

    Source
    ------
    aws/karpenter-provider-aws@1d927085 pkg/providers/instancetype/types.go L512-522, options.go L66.

    Examples
    --------
    >>> memory_capacity_mib(8192, arm=0)
    7577
    """
    visible = memory_mib - ARM_CMA_MIB * arm
    return visible - ceil_div(visible * overhead_ppm, 10**6)


def allocatable(capacity: IntLike, kube_reserved: IntLike, system_reserved: IntLike, eviction: IntLike) -> IntLike:
    """The resources that the scheduler can give to pods, never below 0: CPU in millicores or memory in MiB.

    Source
    ------
    kubernetes.io "Reserve compute resources for system daemons"; kubelet GetNodeAllocatableReservation.

    >>> allocatable(7577, kube_reserved_memory_mib(29), 0, EVICTION_MIB)  # m5.large on AL2023
    6903
    """
    return larger(capacity - kube_reserved - system_reserved - eviction, 0)
