"""Draft a plan from AWS responses: the cluster, its network, its node groups, and everything else in its subnets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from ipaddress import IPv4Network, collapse_addresses
from typing import TYPE_CHECKING

from capacity.cluster.check import check
from capacity.errors import SpecError
from capacity.plan.document import parse_yaml
from capacity.plan.parse import parse_plan
from capacity.plan.subnet_tags import CLUSTER_TAG, ROLE_TAG
from capacity.readers.aws.addresses import SubnetAccount, vpc_of
from capacity.readers.aws.booked_today import settle
from capacity.readers.aws.cni import CUSTOM
from capacity.readers.aws.interface_holders import tenants
from capacity.readers.complete import complete
from capacity.readers.decode import brief
from capacity.readers.draft import GroupDraft, Note, PlanDraft, SubnetDraft, at
from capacity.readers.plan_document import render_plan
from capacity.readers.values import block_of, objects, section, text, texts

if TYPE_CHECKING:
    from capacity.readers.aws.aws_cluster import AwsCluster

GROWING = ("alb", "clb")
WIDEST = 16  # a VPC block; aws/aws-eks-best-practices@dc0243a networking/subnets.adoc L65


def aws_draft(found: AwsCluster, source: str = "AWS") -> PlanDraft:
    """Complete draft of a plan whose steady state uses the addresses in use today.

    Raises
    ------
    SpecError
        The answers make no plan that `check` reads.
    """
    draft = parse_aws(found, source)
    return settle(draft, found, steady_use(draft))


def steady_use(draft: PlanDraft) -> dict[str, dict[str, int]]:
    """Addresses by subnet and holder in the steady state of the draft so far. [addresses]"""
    plan = parse_plan(parse_yaml(render_plan(complete(draft)), draft.source), draft.source)
    (state,) = check(plan, ["steady"]).scenarios
    return {s.subnet.name: s.used for s in state.subnets}


def parse_aws(found: AwsCluster, source: str = "AWS") -> PlanDraft:
    """Draft of a plan without unexplained addresses: see :mod:`capacity.readers.aws.addresses`."""
    network = section(found.item, "kubernetesNetworkConfig")
    names = {a.ident: a.name for a in found.accounts}
    control = tuple(names[s] for s in texts(section(found.item, "resourcesVpcConfig"), "subnetIds") if s in names)
    notes = [*found.groups.notes, *found.cni.notes]
    groups = tuple(_with_unmanaged(_with_pod_subnets(g, found, notes), found) for g in found.groups.drafts)
    booked = tenants(found)
    if any(t.kind in GROWING for t in booked) and found.answers.has("interfaces"):
        notes.append(
            Note(
                "tenants: load balancers have the addresses they hold now; AWS requires 8 free per subnet, into "
                "which Application and Classic Load Balancers grow",
                "tenants",
            )
        )
    if section(found.item, "computeConfig").get("enabled") is True:
        notes.append(
            Note(
                "cni: EKS Auto Mode runs its own nodes and CNI; settings that its interfaces prove are used; its "
                "warm targets are not published and are assumed to be the chart's",
                "cni",
            )
        )
    service = block_of(network.get("serviceIpv4Cidr"))
    notes += _notes_on_answers(found)
    cidrs, note = _vpc_blocks(found)
    if note:
        notes.append(note)
    unread = _unread_settings(found, notes)
    return PlanDraft(
        source=source,
        name=found.name or None,
        region=found.region,
        kubernetes_version=text(found.item, "version") or None,
        service_cidr=service if service and 12 <= service.prefixlen <= 24 else None,  # what EKS allows
        ip_family=text(network, "ipFamily") or None,
        cni_version=found.cni.version,
        env=_env(found),
        windows=found.cni.windows,
        vpc_cidrs=cidrs,
        subnets=(
            *(
                SubnetDraft(a.name, a.zone, a.cidr, None, a.reservations or None, a.tags, a.ident)
                for a in found.accounts
            ),
            *_unread_pod_subnets(found),
        ),
        pod_subnets=tuple(s.name for s in _unread_pod_subnets(found)),
        control_plane=control or None,
        node_groups=groups,
        tenants=booked,
        notes=tuple(dict.fromkeys(notes)),
        assumed=found.groups.assumed | unread,
    )


def _subnet(account: SubnetAccount) -> SubnetDraft:
    kept = account.reservations or None
    return SubnetDraft(account.name, account.zone, account.cidr, None, kept, account.tags, account.ident)


def _notes_on_answers(found: AwsCluster) -> list[Note]:
    """Notes on missing answers, and on subnets whose count is not the sum of their interfaces."""
    notes = [Note(n) for n in found.answers.notes]
    notes += [Note(g.line) for g in found.gaps]
    known = found.answers.has("interfaces")
    notes += [
        Note(n, at("vpc.subnets", a.name)) for a in found.accounts if (n := a.note(interfaces_known=known)) is not None
    ]
    notes += [
        Note(
            f"subnet {a.name}: AvailableIpAddressCount ({a.reported_free}) excludes the {a.reserved_unused} unused "
            "addresses of its CIDR reservations; in the plan they are free but reserved",
            at("vpc.subnets", a.name),
        )
        for a in found.accounts
        if a.counts_reservations
    ]
    if any(key == ROLE_TAG for a in found.accounts for key, _ in a.tags or ()):
        notes.append(
            Note(
                "vpc.subnets: the plan adds ENIs in the subnet with the most free addresses, existing ones "
                "stay where they were created, so only zone totals match today",
                "vpc.subnets",
            )
        )
    return notes


def _unread_settings(found: AwsCluster, notes: list[Note]) -> set[str]:
    """Paths of the plan that are assumed because a call was refused, with one note each."""
    unread = {
        "vpcs": ("vpc.cidrs", "the VPC was not read"),
        "addons": ("cni.env", "the vpc-cni add-on was not read: the chart's settings"),
    }
    assumed = set()
    for kind, (path, why) in unread.items():
        if any(gap.kind == kind for gap in found.gaps):
            assumed.add(path)
            notes.append(Note(f"{path}: assumed: {why}", path))
    return assumed


def _env(found: AwsCluster) -> dict[str, str]:
    """Environment of the CNI, with CLUSTER_NAME (set by EKS) if subnets are tagged only for some clusters."""
    env = dict(found.cni.env)
    if any(key.startswith(CLUSTER_TAG) for a in found.accounts for key, _ in a.tags or ()) and found.name:
        env.setdefault("CLUSTER_NAME", found.name)
    return env


def _vpc_blocks(found: AwsCluster) -> tuple[tuple[IPv4Network, ...], Note | None]:
    """All blocks of the VPC; without its answer, the smallest blocks that contain the subnets."""
    vpc = vpc_of(found.answers, found.item)
    for item in found.answers.of("vpcs"):
        if text(item, "VpcId") != vpc:
            continue
        listed = [
            text(a, "CidrBlock")
            for a in objects(item, "CidrBlockAssociationSet", vpc)
            if text(section(a, "CidrBlockState"), "State") in ("associated", "")
        ]
        own = text(item, "CidrBlock")
        blocks = list(dict.fromkeys(b for b in [own, *listed] if b))
        if blocks:
            return tuple(map(_block, blocks)), None
    if not found.accounts:
        return (), None
    merged = collapse_addresses(a.cidr for a in found.accounts)
    narrow = [p for b in merged for p in (b.subnets(new_prefix=WIDEST) if b.prefixlen < WIDEST else (b,))]
    note = Note(
        "vpc.cidrs: the VPC's blocks are not known: assumed to be the smallest that contain the subnets", "vpc.cidrs"
    )
    return tuple(narrow), note


def _block(given: str) -> IPv4Network:
    try:
        return IPv4Network(given)
    except ValueError as error:
        raise SpecError(f"describe-vpcs: {brief(error)}") from error


def _with_pod_subnets(group: GroupDraft, found: AwsCluster, notes: list[Note]) -> GroupDraft:
    """Fill in pod subnets with custom networking: those of the add-on's ENIConfigs, else those of the pods' ENIs."""
    if not found.cni.custom_networking:
        return group
    by_ident = {a.ident: a for a in found.accounts}
    zone_of = {a.name: a.zone for a in found.accounts}
    wanted = [(by_ident[s].name, by_ident[s].zone) for s in found.cni.pod_subnets.values() if s in by_ident]
    wanted += [(s.name, s.zone or "") for s in _unread_pod_subnets(found)]
    if not wanted:
        members = {i for i, g in found.groups.nodes.items() if g == group.name}
        everyone = [i for i in found.interfaces if i.owner == "cni_secondary" and i.cluster == found.name]
        seen = {i.subnet for i in everyone if i.instance in members} or {i.subnet for i in everyone}
        wanted = [(by_ident[s].name, by_ident[s].zone) for s in sorted(seen) if s in by_ident]
    zones = list(dict.fromkeys(zone_of[s] for s in group.subnets or () if s in zone_of))
    chosen = [name for z in zones for name, zone in wanted if zone == z]
    served = {zone for name, zone in wanted if name in chosen}
    for zone in zones:
        if zone not in served:
            chosen += [n for n in group.subnets or () if zone_of.get(n) == zone][:1]
            notes.append(
                Note(
                    f"node group {group.name}: custom networking is on ({CUSTOM}), but no pod subnet "
                    f"is known in {zone}: the subnet of the nodes is used",
                    at("nodeGroups", group.name, "podSubnets"),
                )
            )
    return replace(group, pod_subnets=tuple(chosen) or None)


def _unread_pod_subnets(found: AwsCluster) -> tuple[SubnetDraft, ...]:
    """Subnets of the add-on's ENIConfigs that are not in the answers."""
    if not found.cni.custom_networking:
        return ()
    known = {a.ident for a in found.accounts}
    named = found.cni.pod_subnets.items()
    return tuple(SubnetDraft(s, zone if zone != s else None, id=s) for zone, s in named if s not in known)


def _with_unmanaged(group: GroupDraft, found: AwsCluster) -> GroupDraft:
    """Count the ENIs on every node of the group that the CNI did not add."""
    members = [i for i, name in found.groups.nodes.items() if name == group.name]
    counts = Counter(i.instance for i in found.interfaces if i.owner == "unmanaged")
    fewest = min((counts[m] for m in members), default=0)
    return replace(group, unmanaged_enis=fewest) if fewest else group
