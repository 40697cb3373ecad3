"""The plan to buy nodes for: as in its file, with the node groups to replace, and with other groups."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import ceil
from typing import Any

from capacity.catalog.table import Catalog
from capacity.errors import SpecError, check_each, check_kind
from capacity.optimize.choices import Choices
from capacity.plan.document import parse_plan_file
from capacity.plan.model import NodeGroup, Plan
from capacity.plan.parse import parse_plan
from capacity.plan.sections import PlanSection

TEMPLATE = "nodes"  # the name of the group that stands for those to be bought
ANY_TYPE = "m5.large"  # its type: any type that is in the catalog
ZONES = "abcdef"
DEFAULT_REGION, DEFAULT_ZONES = "us-east-1", 3
CUSTOM_NETWORKING = "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"
REPLACED_KEYS = ("name", "instanceTypes", "nodes", "limits", "spread", "capacityType")
KEPT_PROVISIONERS, KEPT_AMIS = ("fargate",), ("windows",)

Document = dict[str, Any]


@dataclass(frozen=True)
class NewGroup:
    """A node group to write: its type, its nodes, and the workloads that can use it."""

    name: str
    instance_type: str
    nodes: Mapping[str, int]
    workloads: frozenset[str]


@dataclass(frozen=True)
class Draft:
    """A plan whose node groups are to be bought.

    Attributes
    ----------
    document : dict
        The plan with one group in the place of all groups to buy, and the groups that stay.
    plan : Plan
        The document as a plan.
    template : NodeGroup
        That group.
    workloads : tuple of str
        Names of the workloads whose nodes are to be bought; the others run on groups that stay.
    replaced : tuple of NodeGroup
        The groups that are replaced.
    original : Plan or None
        The plan before; None if it has no groups.
    sizes_subnets : bool
        Whether the plan has no subnets; they are then sized for the answer.
    replicas : mapping
        The original replicas of the workloads with added headroom; empty without headroom.
    """

    document: Document
    plan: Plan
    template: NodeGroup
    workloads: tuple[str, ...]
    replaced: tuple[NodeGroup, ...] = ()
    original: Plan | None = None
    sizes_subnets: bool = False
    notes: tuple[str, ...] = ()
    file: str = ""
    replicas: Mapping[str, Any] = field(default_factory=dict)
    catalog: Catalog | None = field(default=None, repr=False)

    @property
    def zones(self) -> int:
        """Zones of the nodes. [zones]"""
        return len({self.plan.subnet(name).zone for name in self.template.subnets})

    def written(self, groups: Sequence[NewGroup]) -> Document:
        """The plan's document with the given groups."""
        document = dict(self.document)
        made = [self._group(g) for g in groups]
        document["nodeGroups"] = [g for g in self.document["nodeGroups"] if g["name"] != self.template.name] + made
        document["workloads"] = [self._workload(w, groups) for w in self.document.get("workloads", ())]
        if document.get("daemonSets"):
            names = [g.name for g in groups]
            document["daemonSets"] = [self._daemon_set(d, names) for d in document["daemonSets"]]
        return document

    def without_headroom(self, document: Document) -> Document:
        """A written document with the plan's original replicas."""
        workloads = [
            {**w, "replicas": self.replicas[w["name"]]} if w["name"] in self.replicas else w
            for w in document.get("workloads", ())
        ]
        return {**document, "workloads": workloads}

    def read(self, document: Document) -> Plan:
        """A written document, read like any plan."""
        return read_document(document, self.file, self.catalog)

    def _group(self, group: NewGroup) -> Document:
        pattern = next(g for g in self.document["nodeGroups"] if g["name"] == self.template.name)
        rest = {key: value for key, value in pattern.items() if key not in REPLACED_KEYS[:3]}
        nodes = {key: str(count) for key, count in group.nodes.items()}
        return {"name": group.name, "instanceTypes": [group.instance_type], **rest, "nodes": nodes}

    def _workload(self, entry: Document, groups: Sequence[NewGroup]) -> Document:
        """Let a workload without replicas use every new group: no group has its pods yet."""
        if entry["name"] not in self.workloads:
            return entry
        mine = [g.name for g in groups if entry["name"] in g.workloads]
        return {**entry, "nodeGroups": mine or [g.name for g in groups]}

    def _daemon_set(self, entry: Document, names: list[str]) -> Document:
        own = entry.get("nodeGroups")
        if not own or self.template.name not in own:
            return entry
        return {**entry, "nodeGroups": [n for n in own if n != self.template.name] + names}


def read_document(document: Mapping[str, Any], file: str, catalog: Catalog | None = None) -> Plan:
    """A plan from plain mappings, lists and texts."""
    text = json.dumps(document, ensure_ascii=False, default=str)
    return parse_plan(parse_plan_file(text.encode(), f"{file or 'plan'}.json").document, file, catalog)


def sketched(pods: Sequence[tuple[str, str, str, int]], region: str | None = None) -> Document:
    """The document of a plan that has only pods.

    Parameters
    ----------
    pods : sequence of (str, str, str, int)
        Name, CPU, memory and replicas of each workload: ``("web", "250m", "512Mi", 120)``.
    """
    check_each("pods", pods, tuple, 'a list such as [("web", "250m", "512Mi", 120)]')
    for pod in pods:
        if len(pod) != 4:
            raise SpecError(f'pods: {pod!r} has {len(pod)} values (expected 4, as in ("web", "250m", "512Mi", 120))')
    if region is not None:
        check_kind("region", region, str, "a region, such as us-east-1")
    return {
        "apiVersion": "capacity/v1",
        "metadata": {"name": "sketch"},
        "region": region or DEFAULT_REGION,
        "workloads": [
            {"name": name, "replicas": str(count), "requests": {"cpu": cpu, "memory": memory}}
            for name, cpu, memory, count in pods
        ],
    }


def draft_of(
    document: Mapping[str, Any],
    choices: Choices,
    *,
    file: str = "",
    zones: int | None = None,
    catalog: Catalog | None = None,
) -> Draft:
    """Prepare a plan's document: add subnets if it has none, and put one group in the place of the groups to buy.

    Raises
    ------
    SpecError
        The plan has an error, or ``zones`` is given for a plan with subnets.
    """
    whole: Document = json.loads(json.dumps(document, default=str))
    notes: list[str] = []
    sizes_subnets = "vpc" not in whole
    if sizes_subnets:
        _add_subnets(whole, zones or DEFAULT_ZONES)
    elif zones is not None:
        raise SpecError("--zones: the zones come from the subnets of the plan")
    original = None
    if whole.get("nodeGroups"):
        # as read, errors name the line of the file
        read = document if isinstance(document, PlanSection) and not sizes_subnets else _section(whole, file)
        original = parse_plan(read, file, catalog)
    if "region" not in whole:
        whole["region"] = DEFAULT_REGION
        notes.append(f"the plan has no region: prices are from {DEFAULT_REGION}")
    replaced = [g for g in whole.get("nodeGroups") or () if _is_replaced(g)]
    names = [g["name"] for g in replaced]
    kept = [g for g in whole.get("nodeGroups") or () if not _is_replaced(g)]
    template = _template(whole, replaced, choices, [g["name"] for g in kept])
    whole["nodeGroups"] = [*kept, template]
    mine = _move_pods(whole, names, template["name"], notes)
    _drop_scenarios(whole, names, notes)
    replicas = _add_headroom(whole, mine, choices.headroom)
    plan = read_document(whole, file, catalog)
    group = next(g for g in plan.node_groups if g.name == template["name"])
    return Draft(
        document=whole,
        plan=plan,
        template=group,
        workloads=mine,
        replaced=tuple(g for g in (original.node_groups if original else ()) if g.name in names),
        original=original,
        sizes_subnets=sizes_subnets,
        notes=tuple(notes),
        file=file,
        replicas=replicas,
        catalog=catalog,
    )


def _add_headroom(document: Document, names: Sequence[str], share: Fraction) -> dict[str, Any]:
    """Add the headroom to the named workloads, rounded up; return their previous replicas."""
    before: dict[str, Any] = {}
    if not share:
        return before

    def more(count: Any) -> Any:
        text = str(count)
        return str(ceil(int(text) * (1 + share))) if text.isdecimal() else count  # the parser names what is wrong

    for workload in document.get("workloads") or ():
        own = workload.get("replicas")
        if workload["name"] in names and own is not None:
            before[workload["name"]] = own
            workload["replicas"] = {k: more(n) for k, n in own.items()} if isinstance(own, dict) else more(own)
    return before


def _section(document: Document, file: str) -> PlanSection:
    return parse_plan_file(json.dumps(document, default=str).encode(), f"{file or 'plan'}.json").document


def _is_replaced(group: Mapping[str, Any]) -> bool:
    """Whether other nodes can replace a group: Fargate profiles and Windows groups stay."""
    return group.get("provisioner") not in KEPT_PROVISIONERS and group.get("ami") not in KEPT_AMIS


def widened(draft: Draft, each: int) -> Draft:
    """A draft of a plan without subnets, with several of the largest subnets in each zone."""
    document: Document = json.loads(json.dumps(draft.document))
    names = _add_subnets(document, draft.zones, each)
    group = next(g for g in document["nodeGroups"] if g["name"] == draft.template.name)
    group.update(zip(("subnets", "podSubnets"), names, strict=False))
    return replace(draft, document=document, plan=draft.read(document))


def _add_subnets(document: Document, zones: int, each: int = 1) -> list[list[str]]:
    """Add subnets of the largest size in each zone, also for pods with custom networking; return their names."""
    if not 1 <= zones <= len(ZONES):
        raise SpecError(f"--zones: {zones} is out of range (expected 1 to {len(ZONES)})")
    region = document.setdefault("region", DEFAULT_REGION)
    roles = ["nodes", "pods"] if _custom_networking(document) else ["nodes"]
    serials = [f"{n}-" if n > 1 else "" for n in range(1, each + 1)]
    by_role = [[f"{role}-{serial}{letter}" for serial in serials for letter in ZONES[:zones]] for role in roles]
    names = [name for mine in by_role for name in mine]
    blocks = [f"10.{i}.0.0/16" for i in range(len(names))]
    document["vpc"] = {
        "cidrs": blocks,
        "subnets": [
            {"name": name, "zone": f"{region}{name[-1]}", "cidr": block}
            for name, block in zip(names, blocks, strict=True)
        ],
    }
    if each == 1:
        document.setdefault("controlPlane", {"subnets": names[:zones]})
    for group in document.get("nodeGroups") or ():
        for key, own in zip(("subnets", "podSubnets"), by_role, strict=False):
            group.setdefault(key, own)
    return by_role


def _template(
    document: Document, replaced: Sequence[Document], choices: Choices, taken: Iterable[str]
) -> dict[str, Any]:
    """One group like the first of the replaced groups."""
    first = replaced[0] if replaced else {"subnets": _node_subnets(document)}
    group = {key: value for key, value in first.items() if key not in REPLACED_KEYS}
    if not replaced and _pod_subnets(document):
        group["podSubnets"] = _pod_subnets(document)
    if choices.provisioner is not None:
        group["provisioner"] = choices.provisioner
        if choices.provisioner not in ("managed",):
            group.pop("update", None)
    if choices.max_pods is not None:
        group["maxPods"] = str(choices.max_pods)
        group.pop("maxPodsExpression", None)
    name = TEMPLATE
    while name in taken:
        name += "-new"
    return {"name": name, "instanceTypes": [ANY_TYPE], **group}


def _custom_networking(document: Document) -> bool:
    env = (document.get("cni") or {}).get("env") or {}
    return str(env.get(CUSTOM_NETWORKING)).lower() == "true"


def _node_subnets(document: Document) -> list[str]:
    """Subnets of nodes if no group names any: all subnets; with custom networking those of the control plane."""
    names = [s["name"] for s in document["vpc"]["subnets"]]
    return list((document.get("controlPlane") or {}).get("subnets") or names) if _custom_networking(document) else names


def _pod_subnets(document: Document) -> list[str]:
    homes = _node_subnets(document)
    names = [s["name"] for s in document["vpc"]["subnets"] if s["name"] not in homes]
    return names if _custom_networking(document) else []


def _move_pods(document: Document, gone: Sequence[str], template: str, notes: list[str]) -> tuple[str, ...]:
    """Move workloads and DaemonSets from the removed groups to the template; return the names of the workloads."""
    mine = []
    for workload in document.get("workloads") or ():
        own = workload.get("nodeGroups") or []
        if own and not set(own) & set(gone):
            continue
        mine.append(workload["name"])
        workload["nodeGroups"] = [template]
    for daemon in document.get("daemonSets") or ():
        own = daemon.get("nodeGroups") or []
        if set(own) & set(gone):
            daemon["nodeGroups"] = [n for n in own if n not in gone] + [template]
            if not set(gone) <= set(own):
                notes.append(f"{daemon['name']} runs on {', '.join(own)} only: it is counted on every new node")
    return tuple(mine)


def _drop_scenarios(document: Document, gone: Sequence[str], notes: list[str]) -> None:
    """Remove scenarios about a removed group."""
    checks = document.get("checks") or {}
    kept = []
    for entry in checks.get("scenarios") or ():
        options = next(iter(entry.values()), None) if isinstance(entry, dict) else None
        if isinstance(options, dict) and options.get("group") in gone:
            notes.append(
                f"the scenario {next(iter(entry))} of {options['group']} is not checked: the group is replaced"
            )
        else:
            kept.append(entry)
    if "scenarios" in checks:
        document["checks"] = {**checks, "scenarios": kept}
        if not kept:
            del document["checks"]["scenarios"]
