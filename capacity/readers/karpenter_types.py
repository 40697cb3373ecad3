"""Instance types that the requirements of a NodePool allow.

Labels of types: aws/karpenter-provider-aws@1d927085 pkg/providers/instancetype/types.go (category and generation by
``(^[a-z]+)(\\-[0-9]+tb)?([0-9]+).*\\.``), pkg/providers/instancetype/instancetype.go UpdateInstanceTypes (architectures
x86_64 and arm64 only, so no Macs). EKS Auto Mode has the same labels with another prefix, and no types with one vCPU or
of size nano, micro or small: Amazon EKS user guide, create-node-pool and automode-learn-instances (read 2026-11-30).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from capacity.catalog.instance_type import InstanceType
from capacity.catalog.table import Catalog
from capacity.plan.constants import ARCHS
from capacity.readers.draft import SourceNotes
from capacity.readers.instance_choice import candidates
from capacity.readers.values import PLACEHOLDER, int_of, items, mapping, path_of, text_of
from capacity.units import counted

MOST_TYPES = 40  # listed in a plan; the note has the total
ZONE_KEYS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_OWN, _AUTO = "karpenter.k8s.aws/instance-", "eks.amazonaws.com/instance-"
_WITH_VALUES = ("In", "NotIn", "Gt", "Lt")
_SMALL = ("nano", "micro", "small")
_SCHEME = re.compile(r"(^[a-z]+)(-[0-9]+tb)?([0-9]+).*\.")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a pool; ``key`` has Karpenter's prefix also if the pool is of EKS Auto Mode."""

    key: str
    operator: str
    values: tuple[str, ...]
    least: int | None = None  # minValues

    def __str__(self) -> str:
        return f"{self.key} {self.operator} {','.join(self.values)}".strip()


def requirements(document: Any) -> list[Requirement]:
    """Requirements of a NodePool or Provisioner, and the labels of its nodes that act as such.

    One whose values are all placeholders is left out: what it allows is not known.
    """
    spec = mapping(document.get("spec"))
    raw = spec.get("requirements") or path_of(spec, "template", "spec", "requirements")
    found = [
        Requirement(
            _plain(r.get("key")),
            str(r.get("operator") or "In"),
            tuple(str(v) for v in items(r.get("values")) if not PLACEHOLDER.search(str(v))),
            int_of(r.get("minValues"), 1),
        )
        for r in map(mapping, items(raw))
    ]
    found = [r for r in found if r.values or r.operator not in _WITH_VALUES]
    labels = mapping(path_of(spec, "template", "metadata", "labels")) or mapping(spec.get("labels"))
    stated = [Requirement(_plain(k), "In", (str(v),)) for k, v in labels.items() if not PLACEHOLDER.search(str(v))]
    return found + [r for r in stated if r.key in OF_TYPE or r.key in ZONE_KEYS]


def _plain(key: object) -> str:
    """Key of a label with the prefix of Karpenter."""
    text = str(key or "")
    return _OWN + text.removeprefix(_AUTO) if text.startswith(_AUTO) else text


def allowed_zones(wanted: Sequence[Requirement]) -> list[str]:
    """Zones to which a pool is restricted."""
    bound = [r.values for r in wanted if r.key in ZONE_KEYS and r.operator == "In"]
    return [zone for values in bound for zone in values if text_of(zone)]


def matching_types(
    wanted: Sequence[Requirement], catalog: Catalog, said: SourceNotes, where: str, path: str, *, auto: bool
) -> list[InstanceType]:
    """Types of the catalog that every requirement allows, common ones first."""
    rules = [r for r in wanted if r.key in OF_TYPE]
    for rule in wanted:
        if rule.key.startswith(_OWN) and rule.key not in OF_TYPE:
            said.say(where, f"the requirement {rule} is not in the catalog: ignored", path)
    if not rules:
        said.say(where, "no requirement restricts the instance types: every type is allowed", path)
    names = candidates(
        catalog, lambda kind: _runs_nodes(kind, auto=auto) and all(_allows(rule, kind) for rule in rules)
    )
    found = sorted(map(catalog.get, names), key=_unusual)
    if not found:
        said.say(where, "no type in the catalog meets its requirements", path)
    elif len(found) > 1:
        listed = f", the plan lists {MOST_TYPES}" if len(found) > MOST_TYPES else ""
        text = f"{len(found)} types meet its requirements{listed}: `check` uses the cheapest one for its pods"
        said.say(where, text, path)
    for rule in rules:
        _say_least(rule, found, said, where, path)
    return found


def listed_types(found: Sequence[InstanceType]) -> list[str]:
    """Names of the types for a plan: the first, and an even spread of the others."""
    names = [kind.name for kind in found]
    return names[:1] + _spread(names[1:], MOST_TYPES - 1)


def _say_least(rule: Requirement, found: Sequence[InstanceType], said: SourceNotes, where: str, path: str) -> None:
    """Note ``minValues``, which restricts no type, but prevents nodes if too few values are left."""
    if rule.least is None:
        return
    left = len({value for kind in found if (value := OF_TYPE[rule.key](kind)) is not None})
    outcome = "enough" if left >= rule.least else "too few, so Karpenter starts no node"
    values = counted(left, "value")
    said.say(where, f"minValues {rule.least} of {rule.key}: {values} in the catalog, {outcome}", path)


def _runs_nodes(kind: InstanceType, *, auto: bool) -> bool:
    if kind.arch not in ARCHS:
        return False
    return not auto or ((kind.vcpus or 0) > 1 and _size(kind) not in _SMALL)


def _unusual(kind: InstanceType) -> tuple[bool, bool]:
    """Sort key: old types and very small ones come last."""
    return (kind.current_generation is False, (kind.vcpus or 0) < 2 or (kind.memory_mib or 0) < 4096)


def _spread(names: list[str], most: int) -> list[str]:
    """At most ``most`` names, evenly spread from small to large, both ends included."""
    if len(names) <= most:
        return names
    return [names[i * (len(names) - 1) // (most - 1)] for i in range(most)]


def _allows(rule: Requirement, kind: InstanceType) -> bool:
    there = OF_TYPE[rule.key](kind)
    if rule.operator == "In":
        return there in rule.values
    if rule.operator == "NotIn":
        return there not in rule.values
    if rule.operator == "Exists":
        return there is not None
    if rule.operator == "DoesNotExist":
        return there is None
    if rule.operator in ("Gt", "Lt", "Gte", "Lte") and rule.values:
        have, bound = int_of(there), int_of(rule.values[0])
        if have is None or bound is None:
            return False
        return {"Gt": have > bound, "Lt": have < bound, "Gte": have >= bound, "Lte": have <= bound}[rule.operator]
    return True


# --- labels ---------------------------------------------------------------------------------


def _scheme(kind: InstanceType, group: int) -> str | None:
    match = _SCHEME.match(kind.name)
    return match[group] if match else None


def _maker(kind: InstanceType) -> str:
    if (kind.arch or "").startswith("arm64"):
        return "aws"
    return "amd" if re.search(r"[0-9]a", kind.family) else "intel"


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)


def _size(kind: InstanceType) -> str:
    return kind.name.partition(".")[2]


def _architecture(kind: InstanceType) -> str:
    return "arm64" if kind.arch == "arm64" else "amd64"


def _word(name: str | None) -> str | None:
    """A device's name as a label has it: lower case, with hyphens."""
    return name.lower().replace(" ", "-") if name else None


def gpu_maker(kind: InstanceType) -> str | None:
    """Maker of the GPUs of a type as EC2 spells it, in lower case; None without GPUs.

    >>> from capacity.catalog.table import load_catalog
    >>> [gpu_maker(load_catalog().get(t)) for t in ("g6.xlarge", "g4ad.xlarge", "dl1.24xlarge", "m5.large")]
    ['nvidia', 'amd', 'habana', None]
    """
    if not kind.gpus:
        return None
    device = (kind.accelerator or "").lower()
    return "amd" if device.startswith("radeon") else "habana" if device.startswith("gaudi") else "nvidia"


OF_TYPE: dict[str, Callable[[InstanceType], str | None]] = {
    "node.kubernetes.io/instance-type": lambda k: k.name,
    "beta.kubernetes.io/instance-type": lambda k: k.name,
    f"{_OWN}family": lambda k: k.family,
    f"{_OWN}category": lambda k: _scheme(k, 1),
    f"{_OWN}generation": lambda k: _scheme(k, 3),
    f"{_OWN}size": _size,
    f"{_OWN}cpu": lambda k: _text(k.vcpus),
    f"{_OWN}memory": lambda k: _text(k.memory_mib),
    f"{_OWN}hypervisor": lambda k: k.hypervisor or "",
    f"{_OWN}cpu-manufacturer": _maker,
    f"{_OWN}gpu-count": lambda k: _text(k.gpus) if k.gpus else None,
    f"{_OWN}gpu-name": lambda k: _word(k.accelerator) if k.gpus else None,
    f"{_OWN}gpu-manufacturer": gpu_maker,
    f"{_OWN}accelerator-count": lambda k: _text(k.accelerators) if k.accelerators else None,
    f"{_OWN}accelerator-name": lambda k: _word(k.accelerator) if k.accelerators else None,
    f"{_OWN}capability-flex": lambda k: str("-flex" in k.family).lower(),
    f"{_OWN}network-bandwidth": lambda k: (
        None if k.network_baseline_gbps is None else str(int(k.network_baseline_gbps * 1000))
    ),
    "kubernetes.io/arch": _architecture,
    "beta.kubernetes.io/arch": _architecture,
}
"""Value of each label of a type; None if the type does not have it."""
