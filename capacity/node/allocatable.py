"""CPU and memory that a node has for pods, and what is reserved."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from capacity.catalog.instance_type import InstanceType
from capacity.errors import SpecError, check_count, check_number
from capacity.node import reserved
from capacity.units import IntLike, ceil_div


@dataclass(frozen=True, slots=True)
class Keep:
    """Resources reserved in addition to kube-reserved.

    Attributes
    ----------
    overhead_ppm : int
        VM memory overhead, in millionths of the memory that EC2 states.
    system_cpu, system_memory_mib : int
        system-reserved. [millicores], [MiB]
    eviction_mib : int
        memory.available threshold, used if ``eviction_share`` is None. [MiB]
    eviction_share : Fraction or None
        The threshold as a share of the node's capacity; 100% disables it, as in Karpenter.
    """

    overhead_ppm: int = int(reserved.VM_OVERHEAD * 10**6)
    system_cpu: int = 0
    system_memory_mib: int = 0
    eviction_mib: int = reserved.EVICTION_MIB
    eviction_share: Fraction | None = None

    def __post_init__(self) -> None:
        units = ("millionths", "millicores", "MiB", "MiB")
        for name, unit in zip(("overhead_ppm", "system_cpu", "system_memory_mib", "eviction_mib"), units, strict=True):
            check_count(name, getattr(self, name), unit=unit)
        if self.eviction_share is not None:
            check_number("eviction_share", self.eviction_share, 0, 1)
        # 6 decimals keep MiB × numerator within 64 bits for every type
        if self.eviction_share is not None and self.eviction_share.denominator > 10**6:
            raise SpecError("the eviction threshold has too many decimals (expected at most 4 decimals of a percent)")

    def eviction_of(self, capacity_mib: IntLike) -> IntLike:
        """Eviction threshold on a node with a given capacity. [MiB]

        Source
        ------
        aws/karpenter-provider-aws@1d927085 types.go L710-730.

        >>> Keep(eviction_share=Fraction(1, 10)).eviction_of(15155)
        1516
        """
        share = self.eviction_share
        if share is None:
            return self.eviction_mib
        return 0 if share == 1 else ceil_div(capacity_mib * share.numerator, share.denominator)


class Allocatable(NamedTuple):
    """CPU and memory of a node, and the reserved parts. CPU in millicores, memory in MiB; None if unknown."""

    cpu_millicores: int | None
    memory_mib: int | None
    memory_capacity_mib: int | None
    kube_reserved_cpu: int | None
    kube_reserved_memory_mib: int | None
    eviction_mib: int | None


DEFAULT_KEEP = Keep()


def allocatable_of(of: InstanceType, reserved_for: int | None, keep: Keep = DEFAULT_KEEP) -> Allocatable:
    """Allocatable CPU and memory of a node whose platform reserves memory for ``reserved_for`` pods.

    Examples
    --------
    >>> from capacity.catalog.table import load_catalog
    >>> got = allocatable_of(load_catalog().get("m5.large"), reserved_for=29)
    >>> got.cpu_millicores, got.memory_mib
    (1930, 6903)
    """
    cpu = cpu_kept = memory = capacity = memory_kept = eviction = None
    if of.vcpus is not None:
        cpu_kept = reserved.kube_reserved_cpu(of.vcpus)
        cpu = reserved.allocatable(1000 * of.vcpus, cpu_kept, keep.system_cpu, 0)
    if of.memory_mib is not None:
        capacity = reserved.memory_capacity_mib(of.memory_mib, int(of.arch == "arm64"), keep.overhead_ppm)
        eviction = keep.eviction_of(capacity)
        if reserved_for is not None:
            memory_kept = reserved.kube_reserved_memory_mib(reserved_for)
            memory = reserved.allocatable(capacity, memory_kept, keep.system_memory_mib, eviction)
    return Allocatable(cpu, memory, capacity, cpu_kept, memory_kept, eviction)
