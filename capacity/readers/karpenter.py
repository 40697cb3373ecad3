"""Read Karpenter NodePools and EC2NodeClasses, and the older Provisioner and AWSNodeTemplate.

A NodePool becomes a node group with the types of the catalog that its requirements allow. Labels of types:
aws/karpenter-provider-aws@1d927085 pkg/providers/instancetype/types.go (category and generation by
``(^[a-z]+)(\\-[0-9]+tb)?([0-9]+).*\\.``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from capacity.catalog.instance_type import InstanceType
from capacity.catalog.table import Catalog, load_catalog
from capacity.errors import SpecError
from capacity.readers.draft import GroupDraft, PlanDraft, SourceNotes, at, unique
from capacity.readers.instance_choice import candidates
from capacity.readers.node_group import SourceGroup, group_draft
from capacity.readers.user_data import ami_of
from capacity.readers.values import int_of, items, mapping, path_of, say_placeholders, text_of
from capacity.units import counted, parse_quantity

Requirement = tuple[str, str, tuple[str, ...]]

_SCHEME = re.compile(r"(^[a-z]+)(-[0-9]+tb)?([0-9]+).*\.")
_ZONE_KEYS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
# Requirements that do not restrict the type
_NOT_OF_TYPES = frozenset(
    (
        "karpenter.sh/capacity-type",
        "kubernetes.io/os",
        "topology.k8s.aws/zone-id",
        "karpenter.k8s.aws/ec2nodeclass",
        "karpenter.sh/nodepool",
        *_ZONE_KEYS,
    )
)
MOST_TYPES = 40  # listed in a plan; the note has the total


def parse_karpenter(documents: Sequence[Any], file: str = "", catalog: Catalog | None = None) -> PlanDraft:
    """Convert decoded objects of Karpenter to a draft; pools and classes can be in any order."""
    catalog = catalog or load_catalog()
    said = SourceNotes(file)
    classes = {_name(d): d for d in map(mapping, documents) if d.get("kind") in ("EC2NodeClass", "AWSNodeTemplate")}
    groups: list[GroupDraft] = []
    zones: dict[str, None] = {}
    for document in map(mapping, documents):
        say_placeholders(document, said.say)
        kind = str(document.get("kind") or "")
        if kind in ("NodePool", "Provisioner"):
            groups.append(_pool(document, classes, [g.name for g in groups], catalog, said))
            zones |= dict.fromkeys(_zones(document))
        elif kind == "NodeClass":
            said.say(_name(document), "a NodeClass of EKS Auto Mode: AWS sets its max pods and reserves")
        elif kind not in ("EC2NodeClass", "AWSNodeTemplate"):
            said.say(_name(document), f"{kind} has no effect on a plan: ignored")
    if not groups and classes:
        said.say("", "node classes without a NodePool or Provisioner: no nodes in this file")
    region = next((m[1] for z in zones if (m := re.fullmatch(r"([a-z]{2}(?:-[a-z]+)+-[0-9])[a-z]", z))), None)
    return PlanDraft(
        source=f"karpenter {file}".strip(),
        region=region,
        zones=tuple(zones),
        node_groups=tuple(groups),
        notes=tuple(said.notes),
    )


def _zones(document: object) -> list[str]:
    """Zones to which a pool is restricted."""
    bound = [values for key, operator, values in _requirements(document) if key in _ZONE_KEYS and operator == "In"]
    return [zone for values in bound for zone in values if text_of(zone)]


def _name(document: object) -> str:
    return str(path_of(document, "metadata", "name") or "unnamed")


def _pool(document: Any, classes: dict[str, Any], taken: list[str], catalog: Catalog, said: SourceNotes) -> GroupDraft:
    old = document.get("kind") == "Provisioner"
    name = unique(text_of(_name(document)) or "pool", taken)
    where = f"{document.get('kind')} {name}"
    path = at("nodeGroups", name)
    spec = mapping(document.get("spec"))
    if old:
        said.say(where, "is of the old Karpenter API (v1alpha5): read as a NodePool", path)
    template = spec if old else mapping(path_of(spec, "template", "spec"))
    reference = mapping(spec.get("providerRef") if old else template.get("nodeClassRef"))
    class_name = str(reference.get("name") or "")
    node_class = classes.get(class_name)
    if node_class is None and (class_name or not old):
        said.say(
            where, f"its node class {class_name!r} is not in this file: AMI, subnets and max pods are not known", path
        )
    class_spec = mapping(mapping(node_class).get("spec")) if node_class else mapping(spec.get("provider"))
    wanted = _requirements(document)
    types = _types(wanted, catalog, said, where, f"{path}.instanceTypes")
    low, desired, most = _counts(spec, types, catalog, said, where, path)
    _say_disruption(spec, said, where, path)
    return group_draft(
        SourceGroup(
            name=name,
            provisioner="karpenter",
            types=types,
            ami=_ami(class_spec, wanted),
            low=low,
            desired=desired,
            high=most,
            subnets=_subnets(class_spec, said, where, f"{path}.subnets") if node_class or class_spec else None,
            max_pods=_max_pods(spec, template, class_spec, said, where, path),
            user_data=class_spec.get("userData"),
        )
    )


# --- types ----------------------------------------------------------------------------------


def _requirements(document: Any) -> list[Requirement]:
    spec = mapping(document.get("spec"))
    raw = spec.get("requirements") or path_of(spec, "template", "spec", "requirements")
    found: list[Requirement] = [
        (str(r.get("key") or ""), str(r.get("operator") or "In"), tuple(str(v) for v in items(r.get("values"))))
        for r in map(mapping, items(raw))
    ]
    labels = mapping(path_of(spec, "template", "metadata", "labels")) or mapping(spec.get("labels"))
    return found + [(str(k), "In", (str(v),)) for k, v in labels.items() if str(k) in _OF_TYPE]


def _types(wanted: list[Requirement], catalog: Catalog, said: SourceNotes, where: str, path: str) -> list[str]:
    """Types of the catalog that every requirement allows, common ones first, because `check` uses the first."""
    rules = [r for r in wanted if r[0] in _OF_TYPE]
    for key, operator, values in wanted:
        if key.startswith("karpenter.k8s.aws/instance-") and key not in _OF_TYPE:
            said.say(where, f"the requirement {key} {operator} {','.join(values)} is not in the catalog: ignored", path)
    if not rules:
        said.say(where, "no requirement restricts the instance types: every type is allowed", path)
    found = candidates(catalog, lambda kind: all(_allows(rule, kind) for rule in rules))
    if not found:
        said.say(where, "no type in the catalog meets its requirements", path)
        return []
    found.sort(key=lambda n: _unusual(catalog.get(n)))
    if len(found) > 1:
        listed = f", the plan lists {MOST_TYPES}" if len(found) > MOST_TYPES else ""
        said.say(where, f"{len(found)} types meet its requirements{listed}: `check` uses {found[0]}", path)
    return found[:1] + _spread(found[1:], MOST_TYPES - 1)


def _unusual(kind: InstanceType) -> tuple[bool, bool]:
    """Sort key: old types and very small ones come last."""
    return (not kind.current_generation, (kind.vcpus or 0) < 2 or (kind.memory_mib or 0) < 4096)


def _spread(names: list[str], most: int) -> list[str]:
    """At most ``most`` names, evenly spread from small to large, both ends included."""
    if len(names) <= most:
        return names
    return [names[i * (len(names) - 1) // (most - 1)] for i in range(most)]


def _allows(rule: Requirement, kind: InstanceType) -> bool:
    key, operator, values = rule
    there = _OF_TYPE[key](kind)
    if operator == "In":
        return there in values
    if operator == "NotIn":
        return there not in values
    if operator == "Exists":
        return there is not None
    if operator == "DoesNotExist":
        return there is None
    if operator in ("Gt", "Lt", "Gte", "Lte") and values:
        have, bound = int_of(there), int_of(values[0])
        if have is None or bound is None:
            return False
        return {"Gt": have > bound, "Lt": have < bound, "Gte": have >= bound, "Lte": have <= bound}[operator]
    return True


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


_OF_TYPE: dict[str, Any] = {
    "node.kubernetes.io/instance-type": lambda k: k.name,
    "beta.kubernetes.io/instance-type": lambda k: k.name,
    "karpenter.k8s.aws/instance-family": lambda k: k.family,
    "karpenter.k8s.aws/instance-category": lambda k: _scheme(k, 1),
    "karpenter.k8s.aws/instance-generation": lambda k: _scheme(k, 3),
    "karpenter.k8s.aws/instance-size": _size,
    "karpenter.k8s.aws/instance-cpu": lambda k: _text(k.vcpus),
    "karpenter.k8s.aws/instance-memory": lambda k: _text(k.memory_mib),
    "karpenter.k8s.aws/instance-hypervisor": lambda k: k.hypervisor or "",
    "karpenter.k8s.aws/instance-cpu-manufacturer": _maker,
    "karpenter.k8s.aws/instance-gpu-count": lambda k: _text(k.gpus) if k.gpus else None,
    "karpenter.k8s.aws/instance-network-bandwidth": lambda k: (
        None if k.network_baseline_gbps is None else str(int(k.network_baseline_gbps * 1000))
    ),
    "kubernetes.io/arch": lambda k: "arm64" if (k.arch or "").startswith("arm64") else "amd64",
    "beta.kubernetes.io/arch": lambda k: "arm64" if (k.arch or "").startswith("arm64") else "amd64",
}


# --- counts, classes, disruption --------------------------------------------------------------


def _counts(
    spec: Any, types: list[str], catalog: Catalog, said: SourceNotes, where: str, path: str
) -> tuple[int | None, int | None, int | None]:
    """Node counts of a pool: fixed for a static pool, else from its limits."""
    limits = mapping(spec.get("limits"))
    limits = mapping(limits.get("resources")) or limits
    replicas, most = int_of(spec.get("replicas")), int_of(limits.get("nodes"))
    cpu = _quantity(limits.get("cpu"))
    known = [catalog.get(t) for t in types if t in catalog]
    if cpu is not None and known:
        least = min(k.vcpus or 1 for k in known)
        bound = int(cpu // least)
        if len(known) == 1:
            most = bound if most is None else min(most, bound)
        said.say(where, f"limit of {cpu} vCPUs: at most {counted(bound, 'node')} of {least} vCPUs", f"{path}.nodes")
    for key, value in limits.items():
        if key not in ("cpu", "nodes"):
            said.say(where, f"limit {key} {value} (not in the plan)", f"{path}.nodes")
    if not limits:
        said.say(where, "no limits: the number of its nodes is not limited", f"{path}.nodes")
    if replicas is not None:
        return replicas, replicas, max(most or replicas, replicas)
    return None, None, most


def _quantity(text: object) -> int | None:
    try:
        return None if text is None else int(parse_quantity(str(text)))
    except SpecError:
        return None


def _max_pods(spec: Any, template: Any, class_spec: Any, said: SourceNotes, where: str, path: str) -> int | None:
    kubelets = [mapping(class_spec.get("kubelet")), mapping(template.get("kubelet"))]
    kubelets += [mapping(spec.get("kubeletConfiguration"))]
    for kubelet in kubelets:
        if kubelet.get("podsPerCore"):
            said.say(
                where, f"podsPerCore {kubelet['podsPerCore']} can lower max pods (not in the plan)", f"{path}.maxPods"
            )
        if int_of(kubelet.get("maxPods"), 1):
            return int_of(kubelet.get("maxPods"), 1)
    return None


def _ami(class_spec: Any, wanted: list[Requirement]) -> str | None:
    if any(key == "kubernetes.io/os" and op == "In" and values == ("windows",) for key, op, values in wanted):
        return "windows"
    aliases = [text_of(mapping(t).get("alias")) for t in items(class_spec.get("amiSelectorTerms"))]
    return next((ami for a in aliases if (ami := ami_of(a))), None) or ami_of(text_of(class_spec.get("amiFamily")))


def _subnets(class_spec: Any, said: SourceNotes, where: str, path: str) -> tuple[str, ...] | None:
    terms = [mapping(t) for t in items(class_spec.get("subnetSelectorTerms"))]
    old = mapping(class_spec.get("subnetSelector"))
    ids = [i for t in terms if (i := text_of(t.get("id")))]
    ids += [i.strip() for i in str(old.get("aws-ids") or old.get("aws::ids") or "").split(",") if text_of(i)]
    tags = [f"{k}={v}" for t in terms for k, v in mapping(t.get("tags")).items()]
    tags += [f"{k}={v}" for k, v in old.items() if not str(k).startswith("aws")]
    if tags and not ids:
        said.say(where, f"its subnets are those with tags {', '.join(tags)}; they are not in this file", path)
    return tuple(dict.fromkeys(ids)) or None


def _say_disruption(spec: Any, said: SourceNotes, where: str, path: str) -> None:
    """Note consolidation and expiry, which change node counts over time."""
    disruption = mapping(spec.get("disruption")) or mapping(spec.get("consolidation"))
    told = [f"{k} {v}" for k, v in disruption.items() if not isinstance(v, (dict, list))]
    budgets = [str(mapping(b).get("nodes")) for b in items(disruption.get("budgets")) if mapping(b).get("nodes")]
    told += [f"budgets {', '.join(budgets)}"] if budgets else []
    told += [f"{k} {spec[k]}" for k in ("ttlSecondsAfterEmpty", "ttlSecondsUntilExpired", "weight") if k in spec]
    if told:
        said.say(where, "; ".join(told), path)


def read(paths: Sequence[str]) -> PlanDraft:
    """Read files of Karpenter objects as one draft; pools and classes can be in different files."""
    from capacity.readers.decode import file_name, read_documents
    from capacity.readers.merge import merge
    from capacity.readers.sources import left_out, refuse_all, sort_out

    documents: list[Any] = []
    notes = PlanDraft()
    for path in paths:
        loaded = read_documents(path)
        fitting, others = sort_out("karpenter", loaded)
        if not fitting:
            raise refuse_all("karpenter", loaded, path)
        documents += [d.value for d in fitting]
        for other in others:
            notes = merge(notes, left_out(other))
    return merge(parse_karpenter(documents, ", ".join(map(file_name, paths))), notes)
