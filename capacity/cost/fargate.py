"""Computes the size of a Fargate pod: its requests, rounded up to a size that Fargate offers."""

from __future__ import annotations

from capacity.units import MIB, ceil_div

RESERVED_MIB = 256  # added to each pod's memory for kubelet, kube-proxy and containerd
GIB_MIB = 1024

# vCPU [millicores], and its memory sizes: first, last, step [MiB].
SIZES = (
    (250, (512, 512, 512)),
    (250, (1024, 2048, 1024)),
    (500, (1024, 4096, 1024)),
    (1000, (2048, 8192, 1024)),
    (2000, (4096, 16384, 1024)),
    (4000, (8192, 30720, 1024)),
    (8000, (16384, 61440, 4096)),
    (16000, (32768, 122880, 8192)),
)


def fargate_size(cpu_millicores: int, memory_bytes: int) -> tuple[float, float] | None:
    """The vCPUs and GB that a pod is billed for; None if Fargate has no size that large.

    The smallest size with at least the requested vCPUs and the requested memory plus 256 MB. A pod without requests
    gets the smallest size.

    Source
    ------
    Amazon EKS user guide, "Understand Fargate Pod configuration details" (read 2026-11-30), Pod CPU and memory: its
    table of combinations, and the example of 1 vCPU and 8 GB, which becomes 2 vCPU and 9 GB. GB are counted as GiB.

    Examples
    --------
    >>> fargate_size(0, 0), fargate_size(1000, 8 * 2**30), fargate_size(250, 300 * 2**20)
    ((0.25, 0.5), (2.0, 9.0), (0.25, 1.0))
    """
    wanted = max(ceil_div(memory_bytes, MIB), 0) + (RESERVED_MIB if memory_bytes or cpu_millicores else 0)
    for cpu, (first, last, step) in SIZES:
        if cpu >= cpu_millicores and last >= wanted:
            memory = first + ceil_div(max(wanted - first, 0), step) * step
            return cpu / 1000, memory / GIB_MIB
    return None
