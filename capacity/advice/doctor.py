"""Judge the checks of ``capacity doctor`` from evidence. This module reads no files and calls nothing.

A check whose evidence is missing is ``unknown``, never ``ok``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from shlex import quote

from capacity.advice.checkup import STATUSES, Checkup, check_kinds
from capacity.advice.evidence import Evidence, PathFacts, RoleFacts
from capacity.advice.node_figures import by_group, reasons, sentence
from capacity.cluster.control_plane import CONTROL_PLANE_ADVISED, CONTROL_PLANE_REQUIRED
from capacity.errors import SpecError, check_kind
from capacity.plan.cni_env import CNI_VARIABLES, CniSettings, cni_settings
from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.versions import IPV6_SINCE, PREFIX_SINCE, version_numbers
from capacity.units import some_of

TIGHT_SHARE = 5  # a subnet is tight if less than 1/5 of its addresses are free, like checks.minFree 20%
NEWEST_CNI = (1, 23, 1)  # released 2026-08-20; the model follows this release
BEHIND = 3  # minor versions; add-on updates go one minor version at a time
MOST_NAMES = 5


# --- judgement ------------------------------------------------------------------------------


def diagnose(evidence: Evidence) -> tuple[Checkup, ...]:
    """Run every check, in the order of the list; each gives at least one result."""
    check_kind("evidence", evidence, Evidence, "what saved_evidence(...) gives")
    found = [
        *_addresses(evidence),
        *_prefixes(evidence),
        *_control_plane(evidence),
        *_accounting(evidence),
        *_leaks(evidence),
        *_node_limits(evidence),
        *_model(evidence),
        *_max_pods(evidence),
        *(_path(p) for p in evidence.paths),
        *(_role(r) for r in evidence.roles),
        *_cni_version(evidence),
        *_cni_settings(evidence),
        *_dns(evidence),
    ]
    seen = {c.kind.ident for c in found}
    for ident in check_kinds():
        if ident not in seen:
            reason, command = evidence.missing.get(ident, ("the input has no data about it", ""))
            found.append(_said(ident, "unknown", "", reason, command))
    order = {ident: i for i, ident in enumerate(check_kinds())}
    return tuple(sorted(found, key=lambda c: order[c.kind.ident]))


def verdict(found: Sequence[Checkup]) -> str:
    """Worst status of all checks: ``fail``, ``warn``, ``unknown`` or ``ok``."""
    return max((c.status for c in found), key=STATUSES.index, default="unknown")


def _said(ident: str, status: str, where: str, evidence: str, command: str = "") -> Checkup:
    return Checkup(check_kinds()[ident], status, where, evidence, command)


def _addresses(evidence: Evidence) -> Iterator[Checkup]:
    for s in evidence.subnets:
        if not s.serves_nodes:
            continue
        add = (
            "capacity size (an additional subnet or a secondary CIDR); immediately: "
            "kubectl -n kube-system set env ds/aws-node WARM_IP_TARGET=2 MINIMUM_IP_TARGET=10"
        )
        if s.free is None:
            command = f"aws ec2 describe-subnets --subnet-ids {quote(s.ident)}"
            yield _said(
                "subnet-addresses", "unknown", s.name, "the input does not have AWS's count of free addresses", command
            )
            continue
        # A reservation of type prefix serves only prefixes: the primary address of a node is outside it.
        text = f"{s.free:,} of {s.usable:,} addresses free"
        reserved = f"{s.reserved_prefixes:,} /28 blocks reserved for prefixes"
        beside = f", plus {reserved}" if s.reserved_prefixes else ""
        free = s.free + (PREFIX_SIZE * s.reserved_prefixes if evidence.prefix_mode else 0)
        if s.free < 1 or free < (s.step or 1):
            step = (
                f", fewer than the {s.step} that a node allocates in one step"
                if s.step and s.step > 1 and s.free
                else ""
            )
            yield _said("subnet-addresses", "fail", s.name, text + step + beside, add)
        elif free * TIGHT_SHARE < s.usable:
            yield _said("subnet-addresses", "warn", s.name, f"{text} ({100 * s.free / s.usable:.1f}%){beside}", add)
        else:
            yield _said("subnet-addresses", "ok", s.name, text + beside)


def _prefixes(evidence: Evidence) -> Iterator[Checkup]:
    if evidence.prefix_mode is False:
        yield _said("subnet-prefixes", "ok", "", "not needed: the CNI assigns single addresses, not prefixes")
        return
    if evidence.prefix_mode is None:
        return
    for s in evidence.subnets:
        if not s.serves_pods:
            continue
        if s.free_blocks is None:
            yield _said("subnet-prefixes", "unknown", s.name, "the interfaces of the subnet are not known")
            continue
        command = (
            f"aws ec2 create-subnet-cidr-reservation --subnet-id {quote(s.ident)} --reservation-type prefix --cidr CIDR"
        )
        text = f"{s.free_blocks:,} free /28 blocks for {s.nodes} nodes"
        status = "fail" if s.free_blocks == 0 else "warn" if s.free_blocks < s.nodes else "ok"
        yield _said("subnet-prefixes", status, s.name, text, command if status != "ok" else "")


def _control_plane(evidence: Evidence) -> Iterator[Checkup]:
    for s in evidence.subnets:
        if not s.control_plane:
            continue
        if s.free is None:
            yield _said(
                "control-plane-addresses", "unknown", s.name, "the input does not have AWS's count of free addresses"
            )
            continue
        low = s.free < CONTROL_PLANE_REQUIRED
        status = "fail" if low else "warn" if s.free < CONTROL_PLANE_ADVISED else "ok"
        outside = " outside reservations" if s.reserved_prefixes else ""
        text = f"{s.free:,} free{outside}; EKS requires {CONTROL_PLANE_REQUIRED} and recommends {CONTROL_PLANE_ADVISED}"
        command = (
            f"aws eks update-cluster-config --name {quote(evidence.cluster)} --resources-vpc-config subnetIds=SUBNETS"
        )
        yield _said("control-plane-addresses", status, s.name, text, command if status != "ok" else "")


def _accounting(evidence: Evidence) -> Iterator[Checkup]:
    known = [s for s in evidence.subnets if s.unexplained is not None]
    if not known:
        return
    odd = [s for s in known if s.unexplained]
    if not odd:
        yield _said(
            "accounting", "ok", "", f"every address of {len(known)} subnets is held by a listed interface or free"
        )
    for s in odd:
        more = s.unexplained or 0
        text = (
            f"{more} used addresses that no listed interface holds"
            if more > 0
            else f"{-more} addresses of listed interfaces that AWS counts as free"
        )
        command = f"aws ec2 describe-network-interfaces --filters Name=subnet-id,Values={quote(s.ident)}"
        yield _said("accounting", "warn", s.name, text, command)


def _leaks(evidence: Evidence) -> Iterator[Checkup]:
    known = [s for s in evidence.subnets if s.unexplained is not None]
    if not known:
        return
    leaky = [s for s in known if s.leaked]
    if not leaky:
        yield _said("leaked-enis", "ok", "", "no leaked ENIs")
    for s in leaky:
        text = f"{len(s.leaked)} leaked: {_some(s.leaked)}"
        yield _said(
            "leaked-enis",
            "warn",
            s.name,
            text,
            f"aws ec2 delete-network-interface --network-interface-id {quote(s.leaked[0])}",
        )


def _node_limits(evidence: Evidence) -> Iterator[Checkup]:
    known = [n for n in evidence.nodes if n.enis is not None and n.max_enis is not None and n.capacity is not None]
    if not known:
        return
    starving = [n for n in known if n.vpc_pods is not None and n.vpc_pods >= (n.capacity or 0)]
    full = [
        n
        for n in known
        if n not in starving and n.enis and n.enis >= (n.max_enis or 0) and (n.attached or 0) >= (n.capacity or 0)
    ]
    prefixes = (
        "kubectl -n kube-system set env ds/aws-node ENABLE_PREFIX_DELEGATION=true "
        "# then replace the nodes; or use a larger type"
    )
    for n in starving:
        text = f"{n.vpc_pods} pods on {n.capacity} addresses ({n.instance_type}, {n.enis} of {n.max_enis} ENIs): full"
        yield _said("node-enis", "fail", n.name, text, prefixes)
    if full:
        text = (
            f"{len(full)} of {len(known)} nodes hold all the ENIs and addresses they can: {_some(n.name for n in full)}"
        )
        yield _said("node-enis", "warn", "", text, prefixes)
    if not starving and not full:
        yield _said("node-enis", "ok", "", f"{len(known)} nodes have room for additional ENIs or addresses")


def _model(evidence: Evidence) -> Iterator[Checkup]:
    for group in by_group(evidence.model):
        text, why = sentence(group), reasons(group) if group.off else ""
        command = "" if group.pods_known else "kubectl get nodes,pods -A -o json # for capacity doctor --kubectl FILE"
        if group.off:
            command = "kubectl -n kube-system logs daemonset/aws-node -c aws-node --tail=100"
        yield _said(
            "node-model", "warn" if group.off else "ok", group.group, f"{text}{f' ({why})' if why else ''}", command
        )


def _max_pods(evidence: Evidence) -> Iterator[Checkup]:
    rows = [(n.name, n.instance_type, n.max_pods, n.capacity, n.host_pods) for n in evidence.nodes if n.max_pods]
    real = bool(rows)
    rows = rows or [(g.name, g.instance_type, g.max_pods, g.capacity, g.host_pods) for g in evidence.groups]
    rows = [r for r in rows if r[2] is not None and r[3] is not None]
    if not rows:
        return
    over = [r for r in rows if (r[2] or 0) > (r[3] or 0) + r[4]]
    many = "" if len(rows) == 1 else "s"
    rule = (
        f"node{many}"
        if real
        else f"node group{many}, by the rules of EKS (kubectl get nodes -o json has the kubelet's value)"
    )
    if not over:
        yield _said("max-pods", "ok", "", f"max pods does not exceed the addresses on {len(rows)} {rule}")
    shown: dict[tuple[str, int | None, int | None, int], list[str]] = {}
    for name, kind_of_node, pods, capacity, host in over:
        shown.setdefault((kind_of_node, pods, capacity, host), []).append(name)
    for (kind_of_node, most, addresses, host), names in shown.items():
        text = f"{kind_of_node}: max pods {most}, but {addresses} addresses and {host} host-network pods"
        fix = f"set maxPods to {(addresses or 0) + host} or less (kubelet), or ENABLE_PREFIX_DELEGATION=true"
        yield _said("max-pods", _failing("max-pods"), _some(names), text, fix)


def _path(path: PathFacts) -> Checkup:
    status = "unknown" if path.open is None else "ok" if path.open else _failing(path.check)
    return _said(path.check, status, path.where, path.evidence, "" if path.open else path.command)


def _failing(ident: str) -> str:
    return "fail" if check_kinds()[ident].severity == "error" else "warn"


def _role(role: RoleFacts) -> Checkup:
    if role.missing is None:
        return _said(role.check, "unknown", role.name, role.reason, role.command)
    if role.missing:
        return _said(role.check, "fail", role.name, f"lacks {', '.join(role.missing)}", role.command)
    if role.conditional:
        text = f"allowed only under conditions: {', '.join(role.conditional)}"
        return _said(role.check, "warn", role.name, text, role.command)
    return _said(role.check, "ok", role.name, role.reason)


def _cni_version(evidence: Evidence) -> Iterator[Checkup]:
    cni = evidence.cni
    version = version_numbers(cni.version) if cni else None
    if cni is None or version is None:
        return
    update = (
        f"aws eks update-addon --cluster-name {quote(evidence.cluster)} --addon-name vpc-cni --addon-version VERSION"
    )
    newest = ".".join(map(str, NEWEST_CNI))
    if evidence.prefix_mode and version < PREFIX_SINCE:
        yield _said("cni-version", "fail", "", f"{cni.version}: prefix delegation requires 1.9.0", update)
    elif cni.ip_family == "ipv6" and version < IPV6_SINCE:
        yield _said("cni-version", "fail", "", f"{cni.version}: IPv6 requires 1.10.1", update)
    elif (behind := NEWEST_CNI[1] - version[1]) >= BEHIND and version[0] <= NEWEST_CNI[0]:
        text = f"{cni.version} is {behind} minor versions behind {newest}; updates go one minor version at a time"
        yield _said("cni-version", "warn", "", text, update)
    else:
        yield _said("cni-version", "ok", "", f"{cni.version} (newest known to this release: {newest})")


def _cni_settings(evidence: Evidence) -> Iterator[Checkup]:
    cni = evidence.cni
    if cni is None:
        return
    command = "kubectl -n kube-system set env ds/aws-node NAME=VALUE # or in the configuration of the add-on"
    for issue in cni.issues:
        show = f"aws eks describe-addon --cluster-name {quote(evidence.cluster)} --addon-name vpc-cni"
        yield _said("cni-settings", "fail", "", issue, show)
    for text in cni.contradictions:
        yield _said("cni-settings", "warn", "", text, command)
    if cni.env is None:
        show = "kubectl -n kube-system get daemonset aws-node -o json"
        yield _said("cni-settings", "unknown", "", "the environment of aws-node is not known", show)
        return
    strange = sorted(set(cni.env) - CNI_VARIABLES)
    known = {k: v for k, v in cni.env.items() if k in CNI_VARIABLES}
    try:
        settings, warnings = cni_settings(known, "", cni.ip_family)
    except SpecError as error:
        yield _said("cni-settings", "fail", "", str(error), command)
        return
    problems = [*warnings, *_odd_targets(settings, known)]
    problems += [f"not a variable of the CNI: {_some(strange)}"] if strange else []
    for text in problems:
        yield _said("cni-settings", "warn", "", text, command)
    if not problems and not cni.issues and not cni.contradictions:
        given = ", ".join(f"{k}={v}" for k, v in sorted(known.items())) or "the chart's defaults"
        yield _said("cni-settings", "ok", "", given)


def _odd_targets(settings: CniSettings, env: Mapping[str, str]) -> Iterator[str]:
    """Warm targets with harmful effects; the conditions of the findings IP009, IP010 and IP016."""
    if settings.ipv6:
        return
    if settings.minimum_ip and not settings.warm_ip:
        yield f"MINIMUM_IP_TARGET={settings.minimum_ip} without WARM_IP_TARGET: a node never serves more pods than this"
    if env.get("WARM_IP_TARGET") == "0":
        yield "WARM_IP_TARGET=0 is treated as not set: the CNI keeps whole ENIs or prefixes warm"
    if not settings.ip_targets and settings.prefix and settings.warm_prefix == 0:
        yield "WARM_PREFIX_TARGET=0 causes a prefix attach/detach loop on idle nodes"
    if not settings.ip_targets and not settings.prefix and settings.warm_eni == 0:
        yield "WARM_ENI_TARGET=0 causes an ENI attach/detach loop on full nodes"


def _dns(evidence: Evidence) -> Iterator[Checkup]:
    dns = evidence.dns
    if dns is None:
        return
    command = "kubectl -n kube-system rollout status deployment/coredns"
    for issue in dns.issues:
        yield _said("coredns", "fail", "", issue, command)
    if dns.replicas is None:
        if dns.status == "ACTIVE" and not dns.issues:
            yield _said("coredns", "ok", "", "the add-on is ACTIVE and reports no issue")
        elif not dns.issues:
            yield _said("coredns", "warn", "", f"the add-on is {dns.status or 'in an unknown state'}", command)
        return
    ready = dns.ready or 0
    text = f"{ready} of {dns.replicas} replicas ready"
    if ready == 0:
        yield _said("coredns", "fail", "", text, command)
    elif ready < dns.replicas or dns.replicas < 2:
        scale = "kubectl -n kube-system scale deployment/coredns --replicas=2"
        yield _said("coredns", "warn", "", text, scale if dns.replicas < 2 else command)
    else:
        yield _said("coredns", "ok", "", text)


def _some(names: Iterable[str]) -> str:
    return some_of(list(names), MOST_NAMES)
