"""Read Karpenter NodePools and EC2NodeClasses, those of EKS Auto Mode, and the older Provisioner and AWSNodeTemplate.

A NodePool becomes a node group with the types of the catalog that its requirements allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from capacity.catalog.table import Catalog, load_catalog
from capacity.readers.draft import GroupDraft, PlanDraft, SourceNotes, at, unique
from capacity.readers.efa import say_template_interfaces
from capacity.readers.karpenter_limits import pool_counts
from capacity.readers.karpenter_types import Requirement, allowed_zones, listed_types, matching_types, requirements
from capacity.readers.node_group import SourceGroup, group_draft, say_eniconfig, say_reserved, say_taints, taint_text
from capacity.readers.user_data import ami_of, family_of_user_data
from capacity.readers.values import (
    int_of,
    items,
    mapping,
    path_of,
    region_of_zone,
    say_placeholders,
    subnet_id_of,
    text_of,
)

AUTO_GROUP = "eks.amazonaws.com"  # API group of the node classes of EKS Auto Mode
POOLS = ("NodePool", "Provisioner")
CAPACITY_TYPES = ("reserved", "spot", "on-demand")
CLASSES = ("EC2NodeClass", "AWSNodeTemplate", "NodeClass")


def parse_karpenter(documents: Sequence[Any], file: str = "", catalog: Catalog | None = None) -> PlanDraft:
    """Convert decoded objects of Karpenter to a draft; pools and classes can be in any order."""
    catalog = catalog or load_catalog()
    said = SourceNotes(file)
    classes = {(_is_auto(d), _name(d)): d for d in map(mapping, documents) if d.get("kind") in CLASSES}
    groups: list[GroupDraft] = []
    zones: dict[str, None] = {}
    for document in map(mapping, documents):
        say_placeholders(document, said.say)
        kind = str(document.get("kind") or "")
        if kind in POOLS:
            groups.append(_pool(document, classes, [g.name for g in groups], catalog, said))
            zones |= dict.fromkeys(allowed_zones(requirements(document)))
        elif kind not in CLASSES:
            said.say(_name(document), f"{kind} has no effect on a plan: ignored")
    used = {_class_of(d) for d in map(mapping, documents) if d.get("kind") in POOLS}
    for auto, class_name in classes if groups else ():
        if (auto, class_name) not in used:
            said.say(f"node class {class_name}", "no NodePool in this file uses it")
    if not groups and classes:
        said.say("", "node classes without a NodePool or Provisioner: no nodes in this file")
    regions = {region for zone in zones if (region := region_of_zone(zone))}
    return PlanDraft(
        source=f"karpenter {file}".strip(),
        region=regions.pop() if len(regions) == 1 else None,
        zones=tuple(zones),
        node_groups=tuple(groups),
        notes=said.collected(),
    )


def _is_auto(document: Any) -> bool:
    """Whether a node class is of EKS Auto Mode."""
    return str(document.get("apiVersion") or "").startswith(AUTO_GROUP) or document.get("kind") == "NodeClass"


def _class_of(pool: Any) -> tuple[bool, str]:
    """Node class that a pool names: whether it is of EKS Auto Mode, and its name."""
    spec = mapping(pool.get("spec"))
    reference = mapping(
        spec.get("providerRef")
        if pool.get("kind") == "Provisioner"
        else path_of(spec, "template", "spec", "nodeClassRef")
    )
    auto = reference.get("group") == AUTO_GROUP or reference.get("kind") == "NodeClass"
    return auto, str(reference.get("name") or "")


def _name(document: object) -> str:
    return str(path_of(document, "metadata", "name") or "unnamed")


def _pool(
    document: Any, classes: dict[tuple[bool, str], Any], taken: list[str], catalog: Catalog, said: SourceNotes
) -> GroupDraft:
    old = document.get("kind") == "Provisioner"
    name = unique(text_of(_name(document)) or "pool", taken)
    where = f"{document.get('kind')} {name}"
    path = at("nodeGroups", name)
    spec = mapping(document.get("spec"))
    if old:
        said.say(where, "is of the old Karpenter API (v1alpha5): read as a NodePool", path)
    template = spec if old else mapping(path_of(spec, "template", "spec"))
    auto, class_name = _class_of(document)
    node_class = classes.get((auto, class_name))
    if node_class is None and (class_name or not old):
        lost = "its subnets are" if auto else "AMI, subnets and max pods are"
        whose = f"its node class {class_name!r} is not in this file" if class_name else "it names no node class"
        said.say(where, f"{whose}: {lost} not known", path)
    class_spec = mapping(mapping(node_class).get("spec")) if node_class else mapping(spec.get("provider"))
    _say_class(class_spec, said, where, path)
    taints = map(mapping, items(template.get("taints")))
    say_taints(said, where, name, [taint_text(t.get("key"), t.get("value"), t.get("effect")) for t in taints])
    labels = path_of(spec, "labels") if old else path_of(spec, "template", "metadata", "labels")
    say_eniconfig(said, where, name, mapping(labels).items())
    wanted = requirements(document)
    kinds = matching_types(wanted, catalog, said, where, f"{path}.instanceTypes", auto=auto)
    counts = pool_counts(spec, kinds, said, where, path)
    _say_disruption(spec, said, where, path)
    draft = group_draft(
        SourceGroup(
            name=name,
            provisioner="auto" if auto else "karpenter",
            types=listed_types(kinds),
            ami=None if auto else _ami(class_spec, wanted),
            low=counts.low,
            desired=counts.desired,
            high=counts.most,
            subnets=_subnets(class_spec, said, where, f"{path}.subnets") if node_class or class_spec else None,
            max_pods=None if auto else _max_pods(spec, template, class_spec, said, where, path),
            user_data=None if auto else class_spec.get("userData"),
            spot=_is_spot(wanted, said, where, path),
            zones=_zones(wanted, said, where, path),
            limit_cpu_millicores=counts.cpu_millicores,
            limit_memory_bytes=counts.memory_bytes,
        )
    )
    interfaces = [
        {"InterfaceType": mapping(i).get("interfaceType")} for i in items(class_spec.get("networkInterfaces"))
    ]
    say_template_interfaces(draft, interfaces, said, where)
    return draft


def _say_class(class_spec: Any, said: SourceNotes, where: str, path: str) -> None:
    """Note parts of a node class that are elsewhere."""
    if class_spec.get("launchTemplate"):
        text = f"its launch template {class_spec['launchTemplate']} is not in this file: AMI and max pods are not known"
        said.say(where, text, path)
    if class_spec.get("ipPrefixCount"):
        text = f"ipPrefixCount {class_spec['ipPrefixCount']}: prefixes with which a node's interface starts"
        said.leave_out(where, f"{text}: not in the plan", path)
    terms = [mapping(t) for t in items(class_spec.get("amiSelectorTerms"))]
    if terms and not any(t.get("alias") for t in terms) and _ami(class_spec, ()) is None:
        shown = ", ".join(str(w) for t in terms for w in (t.get("name"), t.get("id"), *_tags(t.get("tags"))) if w)
        said.say(where, f"AMI by {shown}: its family is not known: assumed al2023", f"{path}.ami")


def _zones(wanted: Sequence[Requirement], said: SourceNotes, where: str, path: str) -> list[str]:
    for rule in wanted:
        if rule.key == "topology.k8s.aws/zone-id":
            text = f"{rule}: which zones these are depends on the account; its subnets are not restricted in the plan"
            said.say(where, text, f"{path}.subnets")
    return allowed_zones(wanted)


def _is_spot(wanted: Sequence[Requirement], said: SourceNotes, where: str, path: str) -> bool:
    """Whether Karpenter starts Spot Instances: it does if they are allowed, and without the requirement they are not.

    Source: karpenter.sh/docs/concepts/nodepools (capacity type; read 2026-11-30).
    """
    rules = [r for r in wanted if r.key == "karpenter.sh/capacity-type"]
    allowed = [t for t in CAPACITY_TYPES if all(_allows_type(r, t) for r in rules)]
    if not rules or "spot" not in allowed:
        return False
    if len(allowed) > 1:
        text = f"capacity types {', '.join(allowed)}: Karpenter prefers Spot"
        said.say(where, text, f"{path}.capacityType")
    return True


def _allows_type(rule: Requirement, capacity_type: str) -> bool:
    if rule.operator in ("In", "NotIn"):
        return (capacity_type in rule.values) == (rule.operator == "In")
    return rule.operator != "DoesNotExist"


# --- classes, disruption -----------------------------------------------------------------------


def _max_pods(spec: Any, template: Any, class_spec: Any, said: SourceNotes, where: str, path: str) -> int | None:
    kubelets = [mapping(class_spec.get("kubelet")), mapping(template.get("kubelet"))]
    kubelets += [mapping(spec.get("kubeletConfiguration"))]
    for kubelet in kubelets:
        say_reserved(said, where, path, kubelet)
        if kubelet.get("podsPerCore"):
            said.say(
                where, f"podsPerCore {kubelet['podsPerCore']} can lower max pods (not in the plan)", f"{path}.maxPods"
            )
        if int_of(kubelet.get("maxPods"), 1):
            return int_of(kubelet.get("maxPods"), 1)
    return None


def _ami(class_spec: Any, wanted: Sequence[Requirement]) -> str | None:
    if any(r.key == "kubernetes.io/os" and r.operator == "In" and r.values == ("windows",) for r in wanted):
        return "windows"
    aliases = [text_of(mapping(t).get("alias")) for t in items(class_spec.get("amiSelectorTerms"))]
    stated = next((ami for a in aliases if (ami := ami_of(a))), None) or ami_of(text_of(class_spec.get("amiFamily")))
    return stated or family_of_user_data(str(class_spec.get("userData") or ""))


def _subnets(class_spec: Any, said: SourceNotes, where: str, path: str) -> tuple[str, ...] | None:
    terms = [mapping(t) for t in items(class_spec.get("subnetSelectorTerms"))]
    old = mapping(class_spec.get("subnetSelector"))
    stated = [text for t in terms if (text := text_of(t.get("id")))]
    stated += [i.strip() for i in str(old.get("aws-ids") or old.get("aws::ids") or "").split(",") if text_of(i)]
    ids = [i for i in stated if subnet_id_of(i)]
    for text in stated:
        if text not in ids:
            said.say(where, f"subnet {text!r} is not an ID: not known", path)
    tags = [tag for t in terms for tag in _tags(t.get("tags"))]
    tags += [f"{k}={v}" for k, v in old.items() if not str(k).startswith("aws")]
    if tags:
        also = f"{', '.join(ids)} and " if ids else ""
        said.say(where, f"its subnets are {also}those with tags {', '.join(tags)}; they are not in this file", path)
    pods = [mapping(t) for t in items(class_spec.get("podSubnetSelectorTerms"))]
    if pods:
        shown = "; ".join(
            str(t.get("id") or ", ".join(f"{k}={v}" for k, v in mapping(t.get("tags")).items())) for t in pods
        )
        said.say(
            where, f"podSubnetSelectorTerms ({shown}): pods take addresses there, in the plan in its subnets", path
        )
    return tuple(dict.fromkeys(ids)) or None


def _tags(tags: Any) -> list[str]:
    return [f"{k}={v}" for k, v in mapping(tags).items()]


def _say_disruption(spec: Any, said: SourceNotes, where: str, path: str) -> None:
    """Note consolidation and expiry, which change node counts over time."""
    disruption = mapping(spec.get("disruption")) or mapping(spec.get("consolidation"))
    told = [f"{k} {v}" for k, v in disruption.items() if not isinstance(v, (dict, list))]
    budgets = [str(mapping(b).get("nodes")) for b in items(disruption.get("budgets")) if mapping(b).get("nodes")]
    told += [f"budgets {', '.join(budgets)}"] if budgets else []
    told += [f"{k} {spec[k]}" for k in ("ttlSecondsAfterEmpty", "ttlSecondsUntilExpired") if k in spec]
    expiry = mapping(mapping(mapping(spec.get("template")).get("spec"))).get("expireAfter")
    told += [f"expireAfter {expiry}"] if expiry else []
    if int_of(spec.get("weight")):
        text = f"weight {spec['weight']}: Karpenter tries pools in descending order; in the plan no pool goes first"
        said.say(where, text, path)
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
