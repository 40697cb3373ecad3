"""Collect evidence for ``capacity doctor`` from AWS responses and, if given, Kubernetes objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from capacity.advice.evidence import CniFacts, DnsFacts, Evidence, GroupFacts, NodeFacts, SubnetFacts
from capacity.advice.node_figures import NodeFigures
from capacity.catalog.table import Catalog, load_catalog
from capacity.cluster.group_shapes import group_shapes
from capacity.cni.facade import address_capacity, effective
from capacity.errors import SpecError, check_kind, check_path
from capacity.plan.cni_env import CNI_VARIABLES, OTHER_VARIABLES, CniSettings, cni_settings
from capacity.plan.constants import HOST_PODS
from capacity.plan.discovery import closed_to_pods, places_by_tag, takes_further_enis
from capacity.plan.document import parse_yaml
from capacity.plan.model import Cni, Subnet
from capacity.plan.parse import parse_plan
from capacity.plan.subnet_tags import read_tags
from capacity.readers.aws.aws_cluster import parse_cluster, with_unread
from capacity.readers.aws.cni import CUSTOM, POD_ENI, PREFIX, addon, seen_env
from capacity.readers.aws.draft import parse_aws
from capacity.readers.aws.folder import read_folder
from capacity.readers.aws.groups import cluster_instances
from capacity.readers.aws.kinds import KINDS, Gap
from capacity.readers.aws.node_model import known_type, limits_of, node_figures, node_interfaces, step_of
from capacity.readers.aws.paths import path_facts
from capacity.readers.aws.roles import role_facts
from capacity.readers.complete import complete
from capacity.readers.kubernetes.facts import KubernetesFacts, each, parse_kubernetes, streamed
from capacity.readers.plan_document import render_plan
from capacity.readers.values import Item, objects, section, tags, text, texts

if TYPE_CHECKING:
    from capacity.catalog.instance_type import InstanceType
    from capacity.readers.aws.aws_cluster import AwsCluster
    from capacity.readers.aws.owners import Interface

_NEEDS = {
    "subnet-addresses": "subnets",
    "subnet-prefixes": "interfaces",
    "control-plane-addresses": "subnets",
    "accounting": "interfaces",
    "leaked-enis": "interfaces",
    "node-enis": "instances",
    "node-model": "instances",
    "max-pods": "nodegroups",
    "sg-control-plane-to-nodes": "security_groups",
    "sg-nodes-to-control-plane": "security_groups",
    "sg-node-to-node": "security_groups",
    "sg-load-balancers-to-nodes": "security_groups",
    "sg-nodes-to-endpoints": "security_groups",
    "sg-nodes-to-efs": "security_groups",
    "sg-nodes-to-databases": "security_groups",
    "iam-cni": "roles",
    "iam-nodes": "roles",
    "cni-version": "addons",
    "cni-settings": "addons",
    "coredns": "addons",
}


def evidence_of(
    found: AwsCluster, kubernetes: Iterable[tuple[str, Item]] = (), catalog: Catalog | None = None
) -> Evidence:
    """Evidence for all checks; ``kubernetes`` are kinds and objects in addition to those in the answers."""
    catalog = catalog or load_catalog()
    kube = parse_kubernetes(chain(each(found.answers.kubernetes), kubernetes))
    family = text(section(found.item, "kubernetesNetworkConfig"), "ipFamily") or "ipv4"
    item = addon(found.answers, "vpc-cni", found.name)
    env = _env(found, kube)
    settings = _settings(env if env is not None else found.cni.env, family)
    nodes, groups = _nodes(found, kube, settings, catalog), _groups(found)
    return Evidence(
        cluster=found.name,
        prefix_mode=settings.prefix if env is not None or found.cni.env.get(PREFIX) else None,
        subnets=_subnets(found, nodes, settings, catalog),
        nodes=nodes,
        groups=groups,
        model=_model(found, kube, settings, groups, catalog) if env is not None else (),
        paths=path_facts(found),
        roles=role_facts(found),
        cni=_cni(found, item, kube, env, family),
        dns=_dns(found, kube),
        missing=_missing(found),
    )


def saved_evidence(
    folder: Path | str, cluster: str = "", kubectl: Path | str | None = None, catalog: Catalog | None = None
) -> Evidence:
    """Read the evidence for `diagnose` from saved output of the AWS CLI.

    Parameters
    ----------
    folder : path
        JSON files of any names (``aws … --output json``), or one file.
    cluster : str
        The EKS cluster; not needed if the output has only one.
    kubectl : path, optional
        Saved ``kubectl get nodes,pods,daemonsets,deployments -A -o json``.

    Raises
    ------
    SpecError
        Nothing can be read, there is no such cluster, or the output is not plausible.
    """
    check_path("folder", folder)
    check_kind("cluster", cluster, str, "the name of the EKS cluster")
    if catalog is not None:
        check_kind("catalog", catalog, Catalog, "a Catalog: load_catalog(), or None")
    found = parse_cluster(with_unread(read_folder(Path(folder)), cluster, doctor=True), cluster)
    return evidence_of(found, streamed(str(kubectl)) if kubectl is not None else (), catalog)


def model_of(found: AwsCluster) -> tuple[NodeFigures, ...]:
    """The nodes in the model and as AWS describes them, with the pods of the answers; none if the settings of the CNI
    are not known.
    """
    kube = parse_kubernetes(each(found.answers.kubernetes))
    env = _env(found, kube)
    if env is None:
        return ()
    family = text(section(found.item, "kubernetesNetworkConfig"), "ipFamily") or "ipv4"
    return _model(found, kube, _settings(env, family), _groups(found), load_catalog())


def _model(
    found: AwsCluster,
    kube: KubernetesFacts,
    settings: CniSettings,
    groups: Iterable[GroupFacts],
    catalog: Catalog,
) -> tuple[NodeFigures, ...]:
    most = {(g.name, g.instance_type): g.max_pods for g in groups}
    return node_figures(found, settings, catalog, most, _by_tag(found, settings, closed_to_pods), kube)


def _env(found: AwsCluster, kube: KubernetesFacts) -> Mapping[str, str] | None:
    """The environment of aws-node: of its DaemonSet, else of its add-on; None if neither is known."""
    if kube.cni_env is not None:
        return kube.cni_env
    return found.cni.env if addon(found.answers, "vpc-cni", found.name) is not None else None


def _settings(env: Mapping[str, str], family: str) -> CniSettings:
    """Valid settings of the CNI; a separate check reports invalid ones."""
    try:
        return cni_settings({k: v for k, v in env.items() if k in CNI_VARIABLES}, "", family)[0]
    except SpecError:
        return CniSettings(ipv6=family == "ipv6")


def _nodes(found: AwsCluster, kube: KubernetesFacts, settings: CniSettings, catalog: Catalog) -> tuple[NodeFacts, ...]:
    held = node_interfaces(found)
    known = found.answers.has("interfaces")
    closed = _by_tag(found, settings, closed_to_pods)
    facts = []
    for instance in cluster_instances(found.answers, found.name):
        ident, type_name = text(instance, "InstanceId"), text(instance, "InstanceType")
        kind = known_type(catalog, type_name)
        mine = held.get(ident, [])
        name = kube.names.get(ident, "")
        vpc_pods = kube.vpc_pods.get(name, 0) if kube.vpc_pods is not None and name else None
        facts.append(
            NodeFacts(
                name=name or tags(instance).get("Name") or ident,
                group=found.groups.nodes.get(ident, ""),
                instance_type=type_name,
                enis=len(mine) if known else None,
                max_enis=kind.max_enis if kind else None,
                attached=sum(i.pod_addresses for i in mine if i.owner in ("node_primary", "cni_secondary")),
                capacity=_capacity(kind, settings, mine, closed=text(instance, "SubnetId") in closed),
                vpc_pods=vpc_pods,
                host_pods=kube.host_pods.get(name, HOST_PODS) if kube.vpc_pods is not None else HOST_PODS,
                max_pods=kube.max_pods.get(ident),
            )
        )
    return tuple(facts)


def _by_tag(found: AwsCluster, settings: CniSettings, says: Callable[[Subnet, Cni], bool]) -> set[str]:
    """Identifiers of the subnets with tags for subnet discovery; empty if discovery is off."""
    env = {k: v for k, v in found.cni.env.items() if k in OTHER_VARIABLES} | {"CLUSTER_NAME": found.name}
    env |= {} if not settings.custom_networking else {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}
    cni = Cni(found.cni.version, env, "ipv6" if settings.ipv6 else None)
    if not places_by_tag(cni):
        return set()
    of = {a.ident: read_tags(dict(a.tags or ())) for a in found.accounts}
    subnets = {a.ident: Subnet(a.name, a.zone, a.cidr, 0, (), *of[a.ident]) for a in found.accounts}
    return {ident for ident, subnet in subnets.items() if says(subnet, cni)}


def _capacity(
    kind: InstanceType | None, settings: CniSettings, interfaces: Iterable[Interface], *, closed: bool
) -> int | None:
    """Pod addresses that all ENIs of a node can hold with the settings; None for IPv6 and if unknown."""
    if kind is None or settings.ipv6:
        return None
    own = effective(settings, kind)
    return address_capacity(limits_of(kind, own, interfaces, closed=closed), own)


def _subnets(
    found: AwsCluster, nodes: tuple[NodeFacts, ...], settings: CniSettings, catalog: Catalog
) -> tuple[SubnetFacts, ...]:
    control = set(texts(section(found.item, "resourcesVpcConfig"), "subnetIds"))
    mine = [i for i in found.interfaces if i.cluster == found.name]
    serving: dict[str, set[str]] = defaultdict(set)
    for i in mine:
        if i.owner in ("node_primary", "cni_secondary", "trunk", "branch") and i.instance:
            serving[i.subnet].add(i.instance)
    of_groups = {n for g in found.groups.drafts for n in g.subnets or ()}
    pods = set(found.cni.pod_subnets.values())
    pods |= {i.subnet for i in mine if i.owner in ("cni_secondary", "branch")}
    zones = {a.zone for a in found.accounts if serving[a.ident] or a.name in of_groups}
    tagged, closed = (_by_tag(found, settings, says) for says in (takes_further_enis, closed_to_pods))
    pods |= {a.ident for a in found.accounts if a.ident in tagged and a.zone in zones}
    leaked: dict[str, list[str]] = defaultdict(list)
    for i in found.interfaces:
        if i.owner == "leaked":
            leaked[i.subnet].append(i.ident)
    types = {n.instance_type for n in nodes} | {t for g in found.groups.drafts for t in g.instance_types or ()}
    step = _step([k for t in types if (k := known_type(catalog, t))], settings)
    known = found.answers.has("interfaces")
    facts = []
    for a in found.accounts:
        has_nodes = bool(serving[a.ident]) or a.name in of_groups
        has_pods = a.ident not in closed and (a.ident in pods or (has_nodes and not settings.custom_networking))
        facts.append(
            SubnetFacts(
                name=a.name,
                ident=a.ident,
                usable=a.usable,
                free=a.open_free,
                reserved_prefixes=a.reserved_prefixes if known else 0,
                free_blocks=a.free_blocks if known and not a.difference else None,
                unexplained=a.difference if known and a.reported_free is not None else None,
                leaked=tuple(leaked[a.ident]),
                step=step if has_pods else 1,
                control_plane=a.ident in control,
                serves_nodes=has_nodes or has_pods,
                serves_pods=has_pods,
                nodes=len(serving[a.ident]),
            )
        )
    return tuple(f for f in facts if f.control_plane or f.serves_nodes or f.leaked)


def _step(kinds: list[InstanceType], settings: CniSettings) -> int | None:
    """Most addresses that a node of any of the types allocates in one call; None without a type. [addresses]"""
    return max((step_of(kind, settings) for kind in kinds), default=None)


def _groups(found: AwsCluster) -> tuple[GroupFacts, ...]:
    """Max pods by the rules of EKS compared with addresses, from the plan that an import would write."""
    draft = parse_aws(found)
    if not draft.node_groups or (draft.ip_family or "ipv4") == "ipv6":
        return ()
    plan = parse_plan(parse_yaml(render_plan(complete(replace(draft, notes=()))), "import"), "import")
    return tuple(
        GroupFacts(s.group.name, kind.instance_type.name, kind.max_pods, kind.addresses, kind.start[4] - kind.start[5])
        for s in group_shapes(plan)
        for kind in s.types
    )


def _cni(
    found: AwsCluster, item: Item | None, kube: KubernetesFacts, env: Mapping[str, str] | None, family: str
) -> CniFacts | None:
    version = kube.cni_version or (text(item, "addonVersion") if item else None)
    if item is None and kube.cni_env is None:
        return None
    seen = seen_env([i for i in found.interfaces if i.cluster == found.name])
    contradictions = [
        f"the nodes' interfaces show {name}, but the settings do not: set by hand, or changed since"
        for name in (CUSTOM, PREFIX, POD_ENI)
        if name in seen and str((env or {}).get(name, "")).lower() not in ("true", "1", "t")
    ]
    return CniFacts(version, env, family, issues(item), tuple(contradictions))


def issues(item: Item | None) -> tuple[str, ...]:
    """Problems that EKS reports for an add-on."""
    if item is None:
        return ()
    found = objects(section(item, "health"), "issues", "describe-addon")
    lines = [f"EKS reports {text(i, 'code')}: {text(i, 'message')}".strip() for i in found]
    if text(item, "status") in ("DEGRADED", "CREATE_FAILED", "UPDATE_FAILED") and not lines:
        lines = [f"the add-on is {text(item, 'status')}"]
    return tuple(line[:300] for line in lines)


def _dns(found: AwsCluster, kube: KubernetesFacts) -> DnsFacts | None:
    item = addon(found.answers, "coredns", found.name)
    if item is None and kube.dns_replicas is None:
        return None
    status = text(item, "status") if item else None
    return DnsFacts(kube.dns_replicas, kube.dns_ready, status, issues(item))


def _missing(found: AwsCluster) -> dict[str, tuple[str, str]]:
    """Reasons why the evidence of a check is missing: gaps in the answers it needs."""
    gaps: dict[str, Gap] = {}
    for gap in found.gaps:
        gaps.setdefault(gap.kind, gap)
    why = {}
    for check, kind in _NEEDS.items():
        for wanted in dict.fromkeys((kind, "interfaces")):
            if wanted in gaps and (wanted == kind or check.startswith("sg-")):
                why[check] = (f"not known: {gaps[wanted].lost} ({gaps[wanted].reason})", gaps[wanted].command)
                break
        else:
            if kind == "addons":
                name = "coredns" if check == "coredns" else "vpc-cni"
                command = (
                    "kubectl -n kube-system get daemonsets,deployments -o json # for capacity doctor --kubectl FILE"
                )
                why[check] = (f"no {name} add-on in the input: installed by hand, or not saved", command)
            elif check.startswith("sg-"):
                reason = "no interface of the nodes or of the control plane in the input"
                why[check] = (reason, KINDS["interfaces"].command_for())
            else:
                why[check] = (f"no {KINDS[kind].name.replace('_', ' ')} of the cluster in the input", "")
    return why
