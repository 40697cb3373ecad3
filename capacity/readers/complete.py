"""Last step of an import: required values that are not in the input are assumed, marked and noted.

Each assumption is a note at its place in the plan, and its path is in the annotation ``capacity/assumed``, which
`check` reports as a warning. A later import replaces it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from capacity.catalog.table import Catalog, load_catalog
from capacity.plan.cni_env import CNI_VARIABLES
from capacity.plan.windows import KEYS as WINDOWS_KEYS
from capacity.plan.yaml_writer import printable
from capacity.readers.assumed_network import (
    ADD_NETWORK,
    with_group_subnets,
    with_mentioned_subnets,
    with_network,
    with_pod_network,
    with_region,
)
from capacity.readers.draft import Assumptions, GroupDraft, Note, PlanDraft, WorkloadDraft, at, renamed_subnets, unique
from capacity.readers.instance_choice import type_problem

SWITCHES = (
    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG",
    "ENABLE_IPv4",
    "ENABLE_IPv6",
    "ENABLE_POD_ENI",
    "ENABLE_PREFIX_DELEGATION",
)
ASSUMED_TYPE = "m5.large"
ASSUMED_GROUP = "assumed-nodes"
LONGEST_NAME = 253  # limit of the plan parser


def complete(draft: PlanDraft, catalog: Catalog | None = None) -> PlanDraft:
    """Complete a draft so that `check` can read it: resolve references and fill gaps by marked assumptions.

    The result depends only on the draft; completing it again changes nothing.
    """
    work = Assumptions(catalog or load_catalog())
    for step in STEPS:
        draft = step(draft, work)
    if any(path.startswith("vpc.") for path in work.assumed):
        work.notes.append(Note(ADD_NETWORK))
    return replace(
        draft,
        notes=tuple(dict.fromkeys((*draft.notes, *work.notes))),
        assumed=draft.assumed | work.assumed,
    )


def _readable(draft: PlanDraft, work: Assumptions) -> PlanDraft:
    """Replace names that are not valid in a plan: empty, too long, several lines, or control characters."""
    names: dict[str, dict[str, str]] = {}
    for section in ("subnets", "node_groups", "workloads", "daemon_sets", "services", "tenants"):
        entries = getattr(draft, section)
        taken = {e.name for e in entries}
        bad: dict[str, str] = {}
        for entry in entries:
            if _readable_name(entry.name) != entry.name:
                bad[entry.name] = unique(_readable_name(entry.name), taken)
                taken.add(bad[entry.name])
        names[section] = bad
        for old, new in bad.items():
            work.say(
                "",
                f"renamed to {new!r}: the original is not a valid plan name"
                + (f" ({len(old)} characters)" if old else ""),
            )
    if not any(names.values()):
        return draft
    draft = renamed_subnets(draft, names["subnets"])
    groups = names["node_groups"]

    def renamed(section: str) -> tuple[Any, ...]:
        return tuple(replace(e, name=names[section].get(e.name, e.name)) for e in getattr(draft, section))

    def bound(entries: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            replace(e, node_groups=tuple(groups.get(n, n) for n in e.node_groups)) if e.node_groups else e
            for e in entries
        )

    pods = names["workloads"]
    services = tuple(replace(s, workload=pods.get(s.workload or "", s.workload)) for s in renamed("services"))
    return replace(
        draft,
        services=services,
        subnets=renamed("subnets"),
        node_groups=renamed("node_groups"),
        workloads=bound(renamed("workloads")),
        daemon_sets=bound(renamed("daemon_sets")),
        tenants=renamed("tenants"),
    )


def _readable_name(name: str) -> str:
    return printable(name).strip()[:LONGEST_NAME] or "unnamed"


def _named(draft: PlanDraft, work: Assumptions) -> PlanDraft:
    if draft.name:
        return replace(draft, name=_readable_name(draft.name))
    work.assume("metadata.name", "the name of the cluster is not in the input")
    return replace(draft, name="imported")


# --- the CNI --------------------------------------------------------------------------------


def _environment(draft: PlanDraft, work: Assumptions) -> PlanDraft:
    """Keep only variables that the CNI knows, without contradictions that prevent its start."""
    env = {}
    for name, value in draft.env.items():
        if name in SWITCHES and value.lower() not in ("true", "false", "t", "f", "1", "0", ""):
            work.say("cni.env", f"{name}={value!r} is neither true nor false: ignored")
        elif name in CNI_VARIABLES:
            env[name] = printable(value)
        else:
            work.say("cni.env", f"{name} is not a variable of the VPC CNI: ignored")
    family = draft.ip_family
    if env.get("ENABLE_IPv6", "").lower() in ("true", "1", "t"):
        if family is None:
            family = "ipv6"
        elif family == "ipv4":
            work.say("cni.env", "ENABLE_IPv6 is true in an IPv4 cluster: ignored")
            del env["ENABLE_IPv6"]
    if family == "ipv6":
        for name, wrong in (
            ("ENABLE_IPv6", ("false", "0", "f")),
            ("ENABLE_IPv4", ("true", "1", "t")),
            ("ENABLE_PREFIX_DELEGATION", ("false", "0", "f")),
            ("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", ("true", "1", "t")),
        ):
            if env.get(name, "").lower() in wrong:
                work.say("cni.env", f"{name}={env.pop(name)} contradicts IPv6: ignored")
    elif env.get("ENABLE_IPv4", "").lower() in ("false", "0", "f"):
        work.say("cni.env", f"ENABLE_IPv4={env.pop('ENABLE_IPv4')} in an IPv4 cluster: ignored")
    return replace(draft, env=env, ip_family=family)


def _windows(draft: PlanDraft, work: Assumptions) -> PlanDraft:
    """Keep the settings of Windows nodes, if there are any."""
    if not any(g.ami == "windows" for g in draft.node_groups):
        stated = ", ".join(f"{k} {v}" for k, v in draft.windows.items() if k in WINDOWS_KEYS)
        if stated:
            work.say("cni.windows", f"not in the plan, which has no Windows node group: {stated}")
        return replace(draft, windows={})
    return replace(draft, windows={k: printable(v) for k, v in draft.windows.items() if k in WINDOWS_KEYS})


# --- node groups ----------------------------------------------------------------------------


def _groups(draft: PlanDraft, work: Assumptions) -> PlanDraft:
    if not draft.node_groups and draft.workloads:
        work.assume(at("nodeGroups", ASSUMED_GROUP), "the nodes that run the pods are not in the input")
        draft = replace(draft, node_groups=(GroupDraft(ASSUMED_GROUP, (ASSUMED_TYPE,), provisioner="self-managed"),))
    return replace(draft, node_groups=tuple(_sane(_typed(g, draft, work), work) for g in draft.node_groups))


def _typed(group: GroupDraft, draft: PlanDraft, work: Assumptions) -> GroupDraft:
    """Keep only types that a plan can use; assume one if none is left."""
    path = at("nodeGroups", group.name, "instanceTypes")
    kept = []
    for name in dict.fromkeys(group.instance_types or ()):
        problem = type_problem(name, work.catalog, ipv6=draft.ip_family == "ipv6")
        if problem is None:
            kept.append(name)
        else:
            work.say(path, f"{name!r} {problem}: ignored")
    if not kept:
        work.assume(path, f"{ASSUMED_TYPE}; no type that a plan can use is in the input")
        kept = [ASSUMED_TYPE]
    return replace(group, instance_types=tuple(kept))


def _sane(group: GroupDraft, work: Assumptions) -> GroupDraft:
    """Put sizes in order and remove values that the parser would refuse."""
    path = at("nodeGroups", group.name, "nodes")
    low, wanted, most = group.min_nodes, group.desired, group.max_nodes
    if most is not None and low is not None and most < low:
        work.say(path, f"max {most} is less than min {low}: max set to {low}")
        most = low
    if wanted is not None and most is not None and wanted > most:
        work.say(path, f"desired {wanted} is above max {most}: max set to {wanted}")
        most = wanted
    if wanted is not None and low is not None and wanted < low:
        work.say(path, f"desired {wanted} is below min {low}: min set to {wanted}")
        low = wanted
    return replace(group, min_nodes=low, desired=wanted, max_nodes=most)


# --- pods -----------------------------------------------------------------------------------


def _pods(draft: PlanDraft, work: Assumptions) -> PlanDraft:
    groups = {g.name for g in draft.node_groups}

    def known(names: tuple[str, ...] | None) -> tuple[str, ...] | None:
        left = tuple(n for n in names or () if n in groups)
        return left or None

    return replace(
        draft,
        workloads=tuple(replace(_rolling(w, work), node_groups=known(w.node_groups)) for w in draft.workloads),
        daemon_sets=tuple(replace(d, node_groups=known(d.node_groups)) for d in draft.daemon_sets),
    )


def _rolling(workload: WorkloadDraft, work: Assumptions) -> WorkloadDraft:
    now, most = workload.replicas, workload.max_replicas
    if now is not None and most is not None and most < now:
        work.say(at("workloads", workload.name), f"{now} replicas run, above the maximum {most}: max set to {now}")
        workload = replace(workload, max_replicas=now)
    if _is_zero(workload.max_surge) and _is_zero(workload.max_unavailable):
        work.say(at("workloads", workload.name), "maxSurge and maxUnavailable are both 0: maxUnavailable set to 1")
        workload = replace(workload, max_unavailable=1)
    if now is None:
        work.assume(at("workloads", workload.name, "replicas"), "1; they are not in the input")
        workload = replace(workload, replicas=1)
    if workload.host_network and workload.security_groups:
        workload = replace(workload, security_groups=None)
    return workload


def _is_zero(value: object) -> bool:
    return value is not None and str(value).strip().rstrip("%").strip("0") == ""


STEPS = (
    _readable,
    _named,
    _environment,
    _windows,
    with_region,
    with_mentioned_subnets,
    _groups,
    with_network,
    with_pod_network,
    with_group_subnets,
    _pods,
)
