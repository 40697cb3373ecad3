"""Max pods and allocatable of a node group, from the node room's formulas."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.spec.cni_env import CniSettings
from capacity.spec.plan import NodeGroup


@dataclass(frozen=True)
class GroupPlatform:
    """Per type of the group: max pods, allocatable CPU [millicores], allocatable memory [MiB]; and what to say aloud."""

    figures: tuple[tuple[int, int, int], ...]
    notes: tuple[str, ...]
    reserved_memory_mib: tuple[int, ...] = ()
    own_max_pods: tuple[int, ...] = ()
    max_pods_terms: tuple[str, ...] = ()


def group_platform(group: NodeGroup, settings: CniSettings) -> GroupPlatform:
    figs = []
    mps = []
    for t in group.instance_types:
        enis = t.max_enis - (1 if settings.custom_networking else 0)
        f = enis * (t.ipv4_per_eni - 1) * (16 if settings.prefix else 1) + 2
        mps.append(min(f, 250 if t.vcpus > 30 else 110))
    mp = group.max_pods or min(mps)
    for t in group.instance_types:
        eni = t.max_enis * (t.ipv4_per_eni - 1) + 2
        m = t.memory_mib - (64 if t.arch == "arm64" else 0)
        m = m - -(-m * 75 // 1000) - 100 - 255 - 11 * eni
        cpu = t.vcpus * 1000 - {1: 60, 2: 70, 4: 80, 8: 90, 16: 110}.get(t.vcpus, 150)
        figs.append((mp, cpu, m))
    return GroupPlatform(tuple(figs), (), tuple(255+11*(t.max_enis * (t.ipv4_per_eni - 1) + 2) for t in group.instance_types), tuple(mps), ())
