"""Limits of a NodePool: those on vCPUs and memory go into the plan, those on devices bound its nodes.

Source: kubernetes-sigs/karpenter pkg/controllers/provisioning/scheduling/scheduler.go filterByRemainingResources
(a node whose capacity would exceed a limit is not started).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

from capacity.catalog.instance_type import InstanceType
from capacity.errors import SpecError
from capacity.node.reserved import memory_capacity_mib
from capacity.readers.draft import SourceNotes
from capacity.readers.karpenter_types import gpu_maker
from capacity.readers.values import int_of, mapping
from capacity.units import MIB, counted, parse_quantity

_NEURON = ("inferentia", "trainium")


@dataclass(frozen=True, slots=True)
class Counts:
    """Nodes of a pool, and the limits for the plan; None if not set. [nodes], [millicores], [bytes]"""

    low: int | None = None
    desired: int | None = None
    most: int | None = None
    cpu_millicores: int | None = None
    memory_bytes: int | None = None


def pool_counts(spec: Any, kinds: Sequence[InstanceType], said: SourceNotes, where: str, path: str) -> Counts:
    """Node counts of a pool: fixed for a static one, else limited; ``kinds`` are all types that it can start."""
    stated = mapping(spec.get("limits"))
    stated = mapping(stated.get("resources")) or stated
    limits = _quantities(stated, kinds, said, where, path)
    most = int_of(stated.get("nodes"))
    for resource, limit in limits.items():
        if resource not in ("cpu", "memory"):  # every type has the device
            bound = int(limit / min(_amount(k, resource) for k in kinds))
            most = bound if most is None else min(most, bound)
    if not stated:
        said.say(where, "no limits: the number of its nodes is not limited", f"{path}.nodes")
    elif limits and kinds:
        shown = ", ".join(f"{resource} {stated[resource]}" for resource in limits)
        fits = {k: min(int(limit / _amount(k, resource)) for resource, limit in limits.items()) for k in kinds}
        kind = max(fits, key=lambda k: fits[k])
        each = f"{counted(kind.vcpus or 1, 'vCPU')} ({kind.name})"
        text = f"limits {shown}: at most {counted(fits[kind], 'node')} of {each}"
        said.say(where, text, f"{path}.nodes")
    cpu, memory = limits.get("cpu"), limits.get("memory")
    replicas = int_of(spec.get("replicas"))
    return Counts(
        replicas,
        replicas,
        most if replicas is None else max(most or replicas, replicas),
        None if cpu is None else ceil(cpu * 1000),
        None if memory is None else ceil(memory),
    )


def _quantities(
    stated: Any, kinds: Sequence[InstanceType], said: SourceNotes, where: str, path: str
) -> dict[str, Fraction]:
    """Limits that bound the nodes, in base units; the others are noted."""
    found = {}
    for resource, text in stated.items():
        if resource == "nodes":
            continue
        try:
            quantity = parse_quantity(str(text))
        except SpecError:
            said.say(where, f"limit {resource} {text!r} is not a quantity: ignored", f"{path}.limits")
            continue
        if (kinds and all(_amount(k, resource) for k in kinds)) or resource in ("cpu", "memory"):
            found[resource] = quantity
        else:
            said.say(where, f"limit {resource} {text} (not in the plan)", f"{path}.limits")
    return found


def _amount(kind: InstanceType, resource: str) -> int:
    """Amount of a resource that a node has; 0 if it has none, or if it is not known."""
    if resource == "cpu":
        return kind.vcpus or 1
    if resource == "memory":
        return int(memory_capacity_mib(kind.memory_mib or 1, int(kind.arch == "arm64"))) * MIB
    device = (kind.accelerator or "").lower()
    if resource == "aws.amazon.com/neuron":
        return (kind.accelerators or 0) if device.startswith(_NEURON) else 0
    if resource in ("amd.com/gpu", "nvidia.com/gpu"):
        return (kind.gpus or 0) if gpu_maker(kind) == resource.partition(".")[0] else 0
    return 0
