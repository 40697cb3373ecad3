"""Convert a draft to a plan file: the mapping with the plan's keys in order, and its text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from ipaddress import IPv4Network
from typing import Any

from capacity.plan import cni_keys, keys, node_keys, pod_keys, service_keys
from capacity.plan.constants import API_VERSION, ZONE_TOPOLOGY
from capacity.plan.declaration import Keys
from capacity.plan.yaml_writer import comment, plan_lines
from capacity.readers.draft import (
    DaemonSetDraft,
    GroupDraft,
    PlanDraft,
    ServiceDraft,
    SubnetDraft,
    TenantDraft,
    WorkloadDraft,
    key_of,
)

ASSUMED = "capacity/assumed"  # annotation: paths with an assumption of an import
POD_SUBNETS = "capacity/pod-subnets"  # annotation: the subnets of ENIConfigs, for node groups of later imports
SUBNET_IDS = "capacity/subnet-ids"  # annotation: AWS IDs of the plan's subnets

PlanMapping = dict[str, Any]


def plan_document(draft: PlanDraft) -> PlanMapping:
    """The plan as mappings, lists, text, whole numbers and booleans."""
    return _known(
        keys.PLAN,
        apiVersion=API_VERSION,
        metadata=_known(keys.METADATA, name=draft.name, annotations=_annotations(draft)),
        region=draft.region,
        kubernetes=_known(
            keys.KUBERNETES,
            version=draft.kubernetes_version,
            serviceCidr=_block(draft.service_cidr),
            ipFamily=draft.ip_family,
        ),
        cni=_known(
            cni_keys.CNI, version=draft.cni_version, env=dict(draft.env) or None, windows=dict(draft.windows) or None
        ),
        vpc=_known(keys.VPC, cidrs=[str(c) for c in draft.vpc_cidrs], subnets=[_subnet(s) for s in draft.subnets]),
        controlPlane=_known(keys.CONTROL_PLANE, subnets=_names(draft.control_plane)),
        nodeGroups=_entries(map(_group, draft.node_groups)),
        workloads=_entries(map(_workload, draft.workloads)),
        daemonSets=_entries(map(_daemon_set, draft.daemon_sets)),
        services=_entries(map(_service, draft.services)),
        tenants=_entries(map(_tenant, draft.tenants)),
    )


def _known(declared: Keys, **entries: Any) -> PlanMapping:
    """Entries with a value, in the order of the plan's keys."""
    return declared.ordered(_said(entries))


def _said(entries: PlanMapping) -> PlanMapping:
    return {key: value for key, value in entries.items() if value is not None and value != {}}


def _entries(items: Iterable[PlanMapping]) -> list[PlanMapping] | None:
    return list(items) or None


def _names(names: tuple[str, ...] | None) -> list[str] | None:
    return list(names) if names else None


def _block(cidr: IPv4Network | None) -> str | None:
    return None if cidr is None else str(cidr)


def _annotations(draft: PlanDraft) -> PlanMapping:
    ids = {s.name: s.id for s in draft.subnets if s.id and s.id != s.name}
    waiting = None if draft.node_groups else _names(draft.pod_subnets)
    return _said({ASSUMED: sorted(draft.assumed) or None, SUBNET_IDS: ids or None, POD_SUBNETS: waiting})


def _subnet(subnet: SubnetDraft) -> PlanMapping:
    kept = [_known(keys.RESERVATION, cidr=str(cidr), type=kind) for cidr, kind in subnet.reservations or ()]
    return _known(
        keys.SUBNET,
        name=subnet.name,
        zone=subnet.zone,
        cidr=_block(subnet.cidr),
        used=subnet.used,
        reservations=kept or None,
        tags=dict(subnet.tags) if subnet.tags else None,
    )


def _group(group: GroupDraft) -> PlanMapping:
    return _known(
        node_keys.NODE_GROUP,
        name=group.name,
        instanceTypes=_names(group.instance_types),
        ami=group.ami,
        provisioner=group.provisioner,
        nodes=_known(node_keys.NODES, min=group.min_nodes, desired=group.desired, max=group.max_nodes),
        subnets=_names(group.subnets),
        podSubnets=_names(group.pod_subnets),
        update=_known(node_keys.UPDATE, maxUnavailable=group.max_unavailable, strategy=group.update_strategy),
        maxPods=group.max_pods,
        maxPodsExpression=group.max_pods_expression,
        reservedEnis=group.reserved_enis or None,
        unmanagedEnis=group.unmanaged_enis or None,
        capacityType=group.capacity_type,
        limits=_limits(group),
    )


def _limits(group: GroupDraft) -> PlanMapping:
    cpu, memory = group.limit_cpu_millicores, group.limit_memory_bytes
    return _known(
        node_keys.LIMITS,
        cpu=None if cpu is None else cpu_text(cpu),
        memory=None if memory is None else memory_text(memory),
    )


def _workload(workload: WorkloadDraft) -> PlanMapping:
    replicas: Any = workload.replicas if workload.replicas is not None else 1
    if workload.max_replicas is not None and workload.max_replicas != replicas:
        replicas = _known(pod_keys.REPLICAS, now=replicas, max=workload.max_replicas)
    return _known(
        pod_keys.WORKLOAD,
        name=workload.name,
        replicas=replicas,
        requests=_requests(workload),
        rollingUpdate=_known(
            pod_keys.ROLLING_UPDATE, maxSurge=workload.max_surge, maxUnavailable=workload.max_unavailable
        ),
        hostNetwork=workload.host_network or None,
        securityGroups=workload.security_groups or None,
        nodeGroups=_names(workload.node_groups),
        topologySpread=_spread(workload.zone_skew),
        antiAffinity=workload.anti_affinity,
        volumes=workload.volumes or None,
    )


def _spread(skew: int | None) -> list[PlanMapping] | None:
    return None if skew is None else [_known(pod_keys.TOPOLOGY_SPREAD, key=ZONE_TOPOLOGY, maxSkew=skew)]


def _daemon_set(daemon: DaemonSetDraft) -> PlanMapping:
    return _known(
        pod_keys.DAEMON_SET,
        name=daemon.name,
        hostNetwork=daemon.host_network or None,
        requests=_requests(daemon),
        nodeGroups=_names(daemon.node_groups),
    )


def _service(service: ServiceDraft) -> PlanMapping:
    return _known(
        service_keys.SERVICE, **{key_of("services", f.name): getattr(service, f.name) for f in fields(service)}
    )


def _tenant(tenant: TenantDraft) -> PlanMapping:
    return _known(
        keys.TENANT,
        kind=tenant.kind,
        name=tenant.name,
        subnets=list(tenant.subnets),
        addresses=tenant.addresses,
    )


def _requests(pod: WorkloadDraft | DaemonSetDraft) -> PlanMapping:
    cpu, memory = pod.cpu_millicores, pod.memory_bytes
    return _known(
        pod_keys.REQUESTS,
        cpu=None if cpu is None else cpu_text(cpu),
        memory=None if memory is None else memory_text(memory),
        gpu=pod.gpus or None,
    )


def cpu_text(millicores: int) -> str:
    """Text of millicores in Kubernetes notation.

    >>> cpu_text(250), cpu_text(2000)
    ('250m', '2')
    """
    return f"{millicores}m" if millicores % 1000 else str(millicores // 1000)


def memory_text(size_bytes: int) -> str:
    """Exact text of bytes in Kubernetes notation.

    >>> memory_text(512 * 2**20), memory_text(3 * 2**30), memory_text(100)
    ('512Mi', '3Gi', '100')
    """
    for unit, power in (("Gi", 30), ("Mi", 20), ("Ki", 10)):
        if size_bytes and size_bytes % 2**power == 0:
            return f"{size_bytes >> power}{unit}"
    return str(size_bytes)


# --- as text ----------------------------------------------------------------------------------


MOST_AT_THE_TOP = 40  # notes; the others are at their places


def render_plan(draft: PlanDraft) -> str:
    """Text of the whole file: notes at the top and at their places, and the plan."""
    notes: dict[str, list[str]] = {}
    for note in draft.notes:
        if note.path:
            notes.setdefault(note.path, []).append(note.text)
    return head(draft) + "\n".join(plan_lines(plan_document(draft), notes)) + "\n"


def head(draft: PlanDraft) -> str:
    """Comment at the top of a plan."""
    origin = f" from {draft.source}" if draft.source else ""
    lines = [f"A plan imported{origin}. Check it: capacity check FILE"]
    if draft.notes:
        lines.append("Values that are unknown, assumed or different:")
        lines += [f"  - {n.text}" for n in draft.notes[:MOST_AT_THE_TOP]]
        if len(draft.notes) > MOST_AT_THE_TOP:
            lines.append(f"  - and {len(draft.notes) - MOST_AT_THE_TOP} more, at their places")
    return "".join(comment(line) + "\n" for line in lines)
