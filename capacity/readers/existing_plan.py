"""Read an existing plan as a draft, and write a completed draft into its file; comments and order are kept."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from capacity.errors import SpecError
from capacity.files import input_name, read_bytes
from capacity.plan import service_keys
from capacity.plan.declaration import COUNT, FLAG
from capacity.plan.document import decode_text, parse_json, parse_yaml
from capacity.plan.parse import parse_plan
from capacity.plan.sections import PlanSection
from capacity.plan.yaml_writer import comment, edited, editor_for, printable, short_on_one_line
from capacity.readers.assumed_network import ADD_NETWORK
from capacity.readers.draft import (
    DaemonSetDraft,
    GroupDraft,
    PlanDraft,
    ServiceDraft,
    SubnetDraft,
    TenantDraft,
    WorkloadDraft,
    at,
    key_of,
)
from capacity.readers.plan_document import ASSUMED, POD_SUBNETS, SUBNET_IDS, PlanMapping, plan_document, render_plan
from capacity.readers.values import discovery_tags
from capacity.units import parse_cpu, parse_memory

# --- reading ----------------------------------------------------------------------------------


def plan_section(text: str, name: str) -> PlanSection:
    """Parse the text of a plan with the checks of `check`.

    Raises
    ------
    SpecError
        It is not a plan, or has a fault.
    """
    parsed = parse_json(text, name) if text.lstrip()[:1] == "{" else parse_yaml(text, name)
    if not isinstance(parsed, PlanSection):
        raise SpecError(f"{name}: is not a plan (expected 'apiVersion: capacity/v1')")
    parse_plan(parsed, name)
    return parsed


def plan_draft(plan: PlanSection, source: str = "") -> PlanDraft:
    """Convert a plan to a draft."""
    metadata = plan.get("metadata") or {}
    annotations = metadata.get("annotations") or {}
    kubernetes, cni, vpc = (plan.get(k) or {} for k in ("kubernetes", "cni", "vpc"))
    ids = annotations.get(SUBNET_IDS) or {}
    control_plane = plan.get("controlPlane") or {}
    return PlanDraft(
        source=source,
        name=metadata.get("name"),
        region=plan.get("region"),
        kubernetes_version=kubernetes.get("version"),
        service_cidr=_block(kubernetes.get("serviceCidr")),
        ip_family=kubernetes.get("ipFamily"),
        cni_version=cni.get("version"),
        env={k: "" if v is None else str(v) for k, v in (cni.get("env") or {}).items()},
        windows={k: "" if v is None else str(v) for k, v in (cni.get("windows") or {}).items()},
        vpc_cidrs=tuple(IPv4Network(c) for c in vpc.get("cidrs") or ()),
        subnets=tuple(_subnet(s, ids) for s in vpc.get("subnets") or ()),
        control_plane=_names(control_plane.get("subnets")),
        pod_subnets=tuple(annotations.get(POD_SUBNETS) or ()),
        node_groups=tuple(map(_group, plan.get("nodeGroups") or ())),
        workloads=tuple(map(_workload, plan.get("workloads") or ())),
        daemon_sets=tuple(map(_daemon_set, plan.get("daemonSets") or ())),
        services=tuple(map(_service, plan.get("services") or ())),
        tenants=tuple(map(_tenant, plan.get("tenants") or ())),
        assumed=frozenset(annotations.get(ASSUMED) or ()),
    )


def _block(text: str | None) -> IPv4Network | None:
    return None if text is None else IPv4Network(text)


def _names(names: Any) -> tuple[str, ...] | None:
    return tuple(names) if names else None


def _number(text: Any) -> int | None:
    return None if text is None else int(text)


def _count(text: Any) -> int | str | None:
    return int(text) if isinstance(text, str) and text.strip().isdigit() else text


def _flag(text: object) -> bool | None:
    return None if text is None else str(text).lower() == "true"


def _subnet(entry: PlanMapping, ids: PlanMapping) -> SubnetDraft:
    kept = entry.get("reservations")
    named_by_id = entry["name"] if entry["name"].startswith("subnet-") else None
    return SubnetDraft(
        name=entry["name"],
        zone=entry["zone"],
        cidr=IPv4Network(entry["cidr"]),
        used=_number(entry.get("used")),
        reservations=tuple((IPv4Network(r["cidr"]), r["type"]) for r in kept) if kept else None,
        tags=discovery_tags(entry.get("tags") or {}),
        id=entry.get("id") or ids.get(entry["name"]) or named_by_id,
    )


def _group(entry: PlanMapping) -> GroupDraft:
    nodes = entry.get("nodes")
    sizes = nodes if isinstance(nodes, dict) else dict.fromkeys(("min", "desired", "max"), nodes)
    update = entry.get("update") or {}
    share = update.get("maxUnavailablePercentage")
    limits = _quantities(entry, "limits")
    return GroupDraft(
        name=entry["name"],
        instance_types=_names(entry.get("instanceTypes")),
        ami=entry.get("ami"),
        provisioner=entry.get("provisioner"),
        min_nodes=_number(sizes.get("min")),
        desired=_number(sizes.get("desired")),
        max_nodes=_number(sizes.get("max")),
        subnets=_names(entry.get("subnets")),
        pod_subnets=_names(entry.get("podSubnets")),
        max_unavailable=f"{share}%" if share is not None else _count(update.get("maxUnavailable")),
        update_strategy=update.get("strategy"),
        max_pods=_number(entry.get("maxPods")),
        max_pods_expression=entry.get("maxPodsExpression"),
        reserved_enis=_number(entry.get("reservedEnis")),
        unmanaged_enis=_number(entry.get("unmanagedEnis")),
        capacity_type=entry.get("capacityType"),
        limit_cpu_millicores=limits["cpu_millicores"],
        limit_memory_bytes=limits["memory_bytes"],
    )


def _quantities(entry: PlanMapping, key: str) -> dict[str, int | None]:
    """vCPUs and memory under a key of an entry."""
    asked = entry.get(key) or {}
    cpu, memory = asked.get("cpu"), asked.get("memory")
    return {
        "cpu_millicores": None if cpu is None else parse_cpu(cpu),
        "memory_bytes": None if memory is None else parse_memory(memory),
    }


def _workload(entry: PlanMapping) -> WorkloadDraft:
    replicas = entry["replicas"]
    now, most = (replicas["now"], replicas.get("max")) if isinstance(replicas, dict) else (replicas, None)
    rolling = entry.get("rollingUpdate") or {}
    return WorkloadDraft(
        name=entry["name"],
        replicas=_number(now),
        max_replicas=_number(most),
        max_surge=_count(rolling.get("maxSurge")),
        max_unavailable=_count(rolling.get("maxUnavailable")),
        host_network=_flag(entry.get("hostNetwork")),
        security_groups=_flag(entry.get("securityGroups")),
        node_groups=_names(entry.get("nodeGroups")),
        zone_skew=_skew(entry.get("topologySpread")),
        anti_affinity=entry.get("antiAffinity"),
        gpus=_number((entry.get("requests") or {}).get("gpu")),
        volumes=_number(entry.get("volumes")),
        **_quantities(entry, "requests"),
    )


def _skew(spread: Any) -> int | None:
    """The smallest maxSkew of a topology spread."""
    return min((_number(rule.get("maxSkew")) or 1 for rule in spread or ()), default=None)


def _daemon_set(entry: PlanMapping) -> DaemonSetDraft:
    return DaemonSetDraft(
        name=entry["name"],
        host_network=_flag(entry.get("hostNetwork")),
        node_groups=_names(entry.get("nodeGroups")),
        gpus=_number((entry.get("requests") or {}).get("gpu")),
        **_quantities(entry, "requests"),
    )


def _service(entry: PlanMapping) -> ServiceDraft:
    found: dict[str, Any] = {}
    for f in fields(ServiceDraft):
        value = entry.get(key_of("services", f.name))
        if value is not None:
            found[f.name] = _of_service(f.name, value)
    return ServiceDraft(**found)


def _of_service(name: str, value: Any) -> Any:
    kind = service_keys.SERVICE[key_of("services", name)].kind
    if kind == FLAG:
        return _flag(value)
    return _number(value) if kind == COUNT else value


def _tenant(entry: PlanMapping) -> TenantDraft:
    return TenantDraft(
        name=entry.get("name") or entry["kind"],
        kind=entry["kind"],
        subnets=tuple(entry["subnets"]),
        addresses=_number(entry.get("addresses")),
    )


_LISTS = {"vpc.subnets": "subnets", "nodeGroups": "node_groups", "workloads": "workloads", "daemonSets": "daemon_sets"}


def without_assumptions(draft: PlanDraft) -> PlanDraft:
    """The draft without assumed entries and with assumed fields unknown again."""
    assumed = draft.assumed
    if not assumed:
        return draft
    changes: dict[str, Any] = {"assumed": frozenset()}
    for section, attribute in _LISTS.items():
        kept = []
        for entry in getattr(draft, attribute):
            if at(section, entry.name) in assumed:
                continue
            open_fields = [
                f.name
                for f in fields(entry)
                if f.name != "name" and at(section, entry.name, key_of(section, f.name)) in assumed
            ]
            kept.append(replace(entry, **dict.fromkeys(open_fields)) if open_fields else entry)
        changes[attribute] = tuple(kept)
    if "vpc.cidrs" in assumed:
        changes["vpc_cidrs"] = ()
    changes["env"] = {k: v for k, v in draft.env.items() if f"cni.env.{k}" not in assumed}
    if "metadata.name" in assumed:
        changes["name"] = None
    return replace(draft, **changes)


# --- writing ----------------------------------------------------------------------------------


def checked(text: str, draft: PlanDraft) -> str:
    """Text of a plan, verified by reading it like `check`.

    Raises
    ------
    SpecError
        `check` would refuse it; nothing is written then.
    """
    plan_section(text, draft.source or "import")
    return text


def render(draft: PlanDraft) -> str:
    """Text of a new plan file for a completed draft."""
    return checked(render_plan(draft), draft)


def render_into(draft: PlanDraft, base: Base) -> str:
    """Write a completed draft into the text of the plan it was merged with.

    Comments, order and keys that an import does not touch stay; new notes go to the top.
    """
    text = _without_settled(base.text, base.full.assumed, draft.assumed)
    yaml = editor_for(text)
    plan = yaml.load(text)
    _sync(plan, plan_document(base.full), plan_document(draft))
    body = edited(yaml, plan)
    fresh = [printable(n.text) for n in draft.notes if printable(n.text) not in text]
    if fresh:
        origin = draft.source.split(" + ", 1)[-1]
        lines = [
            f"Imported from {origin}. Values that are unknown, assumed or different:",
            *(f"  - {n}" for n in fresh),
        ]
        body = "".join(comment(line) + "\n" for line in lines) + body
    return checked(body, draft)


def _without_settled(text: str, before: frozenset[str], left: frozenset[str]) -> str:
    """Text without comments on assumptions that were replaced."""
    settled = before - left
    if not settled:
        return text
    over = [f"{path}: assumed: " for path in settled]
    if not any(path.startswith("vpc.") for path in left):
        over.append(ADD_NETWORK.partition(":")[0])
    gone = tuple(mark + printable(start) for start in over for mark in ("# ", "#   - "))
    return "".join(line for line in text.splitlines(keepends=True) if not line.lstrip().startswith(gone))


def _sync(old: Any, was: PlanMapping, new: PlanMapping) -> None:
    """Apply the differences between ``was`` and ``new`` to ``old``, which has the content ``was``."""
    for key in was.keys() - new.keys():
        del old[key]
    for key, value in new.items():
        before = was.get(key)
        if before == value:
            continue
        if isinstance(value, dict) and isinstance(before, dict) and isinstance(old.get(key), dict):
            _sync(old[key], before, value)
        elif isinstance(before, list) and any(isinstance(v, dict) for v in value):
            _sync_list(old[key], before, value)
        elif key in old:
            old[key] = short_on_one_line(value)
        else:
            _insert(old, key, value, list(new))


def _insert(old: Any, key: str, value: Any, order: list[str]) -> None:
    """Insert a new key in the usual order: after the last key that precedes it."""
    before = order[: order.index(key)]
    places = [i for i, k in enumerate(old) if k in before]
    old.insert(places[-1] + 1 if places else 0, key, short_on_one_line(value))


def _sync_list(old: Any, was: list[PlanMapping], new: list[PlanMapping]) -> None:
    """Change a list of named entries: changed ones in place, new ones at the end, removed ones out."""
    wanted = {entry["name"]: entry for entry in new}
    known = {entry["name"] for entry in was}
    for i in range(len(was) - 1, -1, -1):
        name = was[i]["name"]
        if name in wanted:
            _sync(old[i], was[i], wanted[name])
        else:
            del old[i]
    old.extend(short_on_one_line(entry) for entry in new if entry["name"] not in known)


@dataclass(frozen=True)
class Base:
    """The plan an import is merged into or compared with.

    Attributes
    ----------
    full : PlanDraft
        All values of the plan.
    draft : PlanDraft
        The plan without the assumptions of earlier imports.
    """

    text: str
    full: PlanDraft
    draft: PlanDraft


def read_base(path: Path) -> Base:
    """Read an existing plan.

    Raises
    ------
    SpecError
        `check` would refuse it.
    """
    name = input_name(path)
    return parse_base(decode_text(read_bytes(path), name), name)


def parse_base(text: str, name: str) -> Base:
    """Parse an existing plan from its text; see :func:`read_base`."""
    full = plan_draft(plan_section(text, name), name)
    return Base(text, full, without_assumptions(full))
