"""A plan's draft from AWS answers: the cluster, its network, its node groups, and everything else in its subnets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, collapse_addresses

from capacity.catalog.table import Catalog, load_catalog
from capacity.cluster.check import check
from capacity.errors import SpecError, either, nearest_names
from capacity.plan.discovery import CLUSTER_TAG, ROLE_TAG
from capacity.plan.document import parse_yaml
from capacity.plan.parse import parse_plan
from capacity.plan.yaml_writer import printable
from capacity.readers.aws.addresses import SubnetAccount, parse_subnets, vpc_of
from capacity.readers.aws.answers import KINDS, Answers, Gap
from capacity.readers.aws.cni import CUSTOM, CniFound, parse_cni
from capacity.readers.aws.groups import MOST_NAME, Groups, parse_groups
from capacity.readers.aws.owners import NODE_OWNERS, Interface, parse_interfaces
from capacity.readers.cluster_facts import block_of
from capacity.readers.complete import complete
from capacity.readers.decode import brief
from capacity.readers.draft import PODS_TODAY, GroupDraft, Note, PlanDraft, SubnetDraft, TenantDraft, at
from capacity.readers.plan_document import render_plan
from capacity.readers.values import Item, objects, section, text, texts

MODELLED = ("node_primary", "eni_primary", "assigned", "warm", "branch")
GROWING = ("alb", "clb")
BALANCERS = {"application": "alb", "network": "nlb"}  # elbv2 LoadBalancer.Type; a gateway's are of kind other
WIDEST = 16  # a VPC block; aws/aws-eks-best-practices@dc0243a networking/subnets.adoc L65


@dataclass(frozen=True)
class AwsCluster:
    """One cluster in its VPC as AWS answers it, read once for the plan and for the doctor."""

    answers: Answers
    item: Item
    name: str
    interfaces: tuple[Interface, ...]
    accounts: tuple[SubnetAccount, ...]
    cni: CniFound
    groups: Groups

    @property
    def region(self) -> str | None:
        """From the cluster's ARN, else from the zone names."""
        parts = text(self.item, "arn").split(":")
        if len(parts) > 3 and parts[3]:
            return parts[3]
        zones = sorted({a.zone for a in self.accounts if a.zone})
        return zones[0][:-1] if zones and zones[0][-1:].isalpha() else None

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return (*self.answers.gaps, *self.groups.gaps)


def parse_cluster(answers: Answers, cluster: str = "", catalog: Catalog | None = None) -> AwsCluster:
    """The cluster of that name among the answers; without a name the only one there is.

    Raises
    ------
    SpecError
        No such cluster, several and no name, or an answer that cannot be right.
    """
    item = _cluster(answers, cluster)
    name = text(item, "name")
    interfaces = parse_interfaces(answers)
    accounts = parse_subnets(answers, interfaces, item)
    return AwsCluster(
        answers=answers,
        item=item,
        name=name,
        interfaces=interfaces,
        accounts=accounts,
        cni=parse_cni(answers, name, interfaces),
        groups=parse_groups(answers, name, {a.ident: a.name for a in accounts}, catalog or load_catalog()),
    )


def _cluster(answers: Answers, name: str) -> Item:
    """The cluster's answer; without it, what the node groups say of its name; subnets alone make a network."""
    known = {text(c, "name"): c for c in answers.of("cluster")}
    if name in known:
        return known[name]
    if known and name:
        near = nearest_names(name, known, 1)
        raise SpecError(f"--cluster: no cluster {name!r} among the answers (found {either(near or sorted(known))})")
    if len(known) > 1:
        raise SpecError(f"--cluster: several clusters among the answers: say which ({either(sorted(known))})")
    if known:
        return next(iter(known.values()))
    names = {text(g, "clusterName") for g in answers.of("nodegroups")} - {""}
    if not name and len(names) == 1:
        name = names.pop()
    if not name and not answers.of("subnets"):
        raise SpecError(f"no cluster among the answers: {KINDS['cluster'].command_for()}")
    vpcs = {text(s, "VpcId") for s in answers.of("subnets")} - {""}
    if len(vpcs) > 1:
        command = KINDS["cluster"].command_for(cluster=name or "CLUSTER")
        raise SpecError(f"subnets of {len(vpcs)} VPCs, and nothing says which is the cluster's: {command}")
    return {"name": name}


def aws_draft(found: AwsCluster, source: str = "AWS") -> PlanDraft:
    """The whole draft of a plan, whose steady state takes the addresses that are taken today.

    Raises
    ------
    SpecError
        The answers make no plan that `check` reads.
    """
    draft = parse_aws(found, source)
    return settle(draft, found, steady_use(draft))


def steady_use(draft: PlanDraft) -> dict[str, dict[str, int]]:
    """Addresses by subnet and holder in the steady state of what the draft says so far. [addresses]"""
    plan = parse_plan(parse_yaml(render_plan(complete(draft)), draft.source), draft.source)
    (state,) = check(plan, ["steady"]).scenarios
    return {s.subnet.name: s.used for s in state.subnets}


def parse_aws(found: AwsCluster, source: str = "AWS") -> PlanDraft:
    """The draft of a plan. What nothing explains is not booked yet: see :mod:`capacity.readers.aws.addresses`."""
    network = section(found.item, "kubernetesNetworkConfig")
    names = {a.ident: a.name for a in found.accounts}
    control = tuple(names[s] for s in texts(section(found.item, "resourcesVpcConfig"), "subnetIds") if s in names)
    notes = [*found.groups.notes, *found.cni.notes]
    groups = tuple(_with_unmanaged(_with_pod_subnets(g, found, notes), found) for g in found.groups.drafts)
    booked = tenants(found)
    if any(t.kind in GROWING for t in booked) and found.answers.has("interfaces"):
        notes.append(
            Note(
                "tenants: load balancers stand with the addresses they hold now; AWS asks for 8 free per subnet, into "
                "which Application and Classic Load Balancers grow",
                "tenants",
            )
        )
    if section(found.item, "computeConfig").get("enabled") is True:
        notes.append(
            Note(
                "cni: EKS Auto Mode runs its nodes and a CNI of its own; what its interfaces prove is taken over, its "
                "warm targets are not published and stand as the chart's",
                "cni",
            )
        )
    service = block_of(network.get("serviceIpv4Cidr"))
    notes += [Note(n) for n in found.answers.notes]
    notes += [Note(g.line) for g in found.gaps]
    known = found.answers.has("interfaces")
    notes += [Note(n, at("vpc.subnets", a.name)) for a in found.accounts if (n := a.note(known)) is not None]
    notes += [
        Note(
            f"subnet {a.name}: AvailableIpAddressCount ({a.reported_free}) leaves out the {a.reserved_unused} unused "
            "addresses of its CIDR reservations; in the plan they are free but reserved",
            at("vpc.subnets", a.name),
        )
        for a in found.accounts
        if a.counts_reservations
    ]
    if any(key == ROLE_TAG for a in found.accounts for key, _ in a.tags or ()):
        notes.append(
            Note(
                "vpc.subnets: the plan places further ENIs in the emptiest subnet that the tags allow, today's are "
                "where they were created: of such a zone only the sum is today's",
                "vpc.subnets",
            )
        )
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
        subnets=tuple(
            SubnetDraft(a.name, a.zone, a.cidr, None, a.reservations or None, a.tags, a.ident) for a in found.accounts
        ),
        control_plane=control or None,
        node_groups=groups,
        tenants=booked,
        notes=tuple(dict.fromkeys(notes)),
        assumed=found.groups.assumed | unread,
    )


def _unread_settings(found: AwsCluster, notes: list[Note]) -> set[str]:
    """Paths of the plan that stand for calls which were refused; one note each."""
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
    """The CNI's environment; with CLUSTER_NAME, which EKS sets, where subnets are tagged for some clusters only."""
    env = dict(found.cni.env)
    if any(key.startswith(CLUSTER_TAG) for a in found.accounts for key, _ in a.tags or ()) and found.name:
        env.setdefault("CLUSTER_NAME", found.name)
    return env


def _vpc_blocks(found: AwsCluster) -> tuple[tuple[IPv4Network, ...], Note | None]:
    """All blocks of the VPC; without its answer, the least blocks that hold the subnets."""
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
    note = Note("vpc.cidrs: the VPC's blocks are not known; the least blocks that hold the subnets stand", "vpc.cidrs")
    return tuple(narrow), note


def _block(given: str) -> IPv4Network:
    try:
        return IPv4Network(given)
    except ValueError as error:
        raise SpecError(f"describe-vpcs: {brief(error)}") from error


def _with_pod_subnets(group: GroupDraft, found: AwsCluster, notes: list[Note]) -> GroupDraft:
    """Under custom networking: the subnets of the add-on's ENIConfigs, else those where the pods' ENIs are."""
    if not found.cni.custom_networking:
        return group
    accounts = {a.name: a for a in found.accounts}
    by_ident = {a.ident: a for a in found.accounts}
    wanted = [by_ident[s] for s in found.cni.pod_subnets.values() if s in by_ident]
    if not wanted:
        members = {i for i, g in found.groups.nodes.items() if g == group.name}
        everyone = [i for i in found.interfaces if i.owner == "cni_secondary" and i.cluster == found.name]
        seen = {i.subnet for i in everyone if i.instance in members} or {i.subnet for i in everyone}
        wanted = [by_ident[s] for s in sorted(seen) if s in by_ident]
    zones = list(dict.fromkeys(accounts[s].zone for s in group.subnets or ()))
    chosen = [a.name for z in zones for a in wanted if a.zone == z]
    served = {accounts[n].zone for n in chosen}
    for zone in zones:
        if zone not in served:
            chosen += [n for n in group.subnets or () if accounts[n].zone == zone][:1]
            notes.append(
                Note(
                    f"node group {group.name}: custom networking is on ({CUSTOM}), but no pod subnet "
                    f"is known in {zone}: the nodes' own subnet stands",
                    at("nodeGroups", group.name, "podSubnets"),
                )
            )
    return replace(group, pod_subnets=tuple(chosen))


# --- everything else in the subnets ---------------------------------------------------------


def tenants(found: AwsCluster) -> tuple[TenantDraft, ...]:
    """Load balancers, endpoints, other clusters … with the addresses each holds now, per subnet."""
    if not found.answers.has("interfaces"):
        return _balancers(found)
    held: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    names = {a.ident: a.name for a in found.accounts}
    for interface in found.interfaces:
        identity = tenant_of(interface, found.name)
        if identity is not None and interface.subnet in names:
            held[identity][names[interface.subnet]] += interface.addresses
    order = {a.name: i for i, a in enumerate(found.accounts)}
    drafts: list[TenantDraft] = []
    taken: set[str] = set()
    for (kind, name), subnets in sorted(held.items()):
        by_count: dict[int, list[str]] = defaultdict(list)
        for subnet in sorted(subnets, key=order.__getitem__):
            if subnets[subnet]:
                by_count[subnets[subnet]].append(subnet)
        for addresses, where in by_count.items():
            label = name if len(by_count) == 1 else f"{name} ({', '.join(where)})"
            label = printable(label)[:MOST_NAME]
            label = label if label not in taken else f"{label} ({kind})"
            taken.add(label)
            drafts.append(TenantDraft(label, kind, tuple(where), addresses))
    return tuple(drafts)


def _balancers(found: AwsCluster) -> tuple[TenantDraft, ...]:
    """Load balancers by their own answers, where no interface is known; addresses as AWS states them for the kind."""
    names = {a.ident: a.name for a in found.accounts}
    drafts = [
        (
            text(item, "LoadBalancerName"),
            BALANCERS.get(text(item, "Type")),
            [text(z, "SubnetId") for z in objects(item, "AvailabilityZones", text(item, "LoadBalancerArn"))],
        )
        for item in found.answers.of("load_balancers")
    ]
    classic = found.answers.of("classic_load_balancers")
    drafts += [(text(item, "LoadBalancerName"), "clb", texts(item, "Subnets")) for item in classic]
    return tuple(
        TenantDraft(f"{printable(name)} ({kind})", kind, tuple(names[s] for s in zones if s in names))
        for name, kind, zones in drafts
        if kind and any(s in names for s in zones)
    )


def _with_unmanaged(group: GroupDraft, found: AwsCluster) -> GroupDraft:
    """ENIs on every node of the group that the CNI did not add."""
    members = [i for i, name in found.groups.nodes.items() if name == group.name]
    counts = Counter(i.instance for i in found.interfaces if i.owner == "unmanaged")
    fewest = min((counts[m] for m in members), default=0)
    return replace(group, unmanaged_enis=fewest) if fewest else group


_COMMON_NAMES = {
    "ec2": "instances outside the cluster",
    "leakedEni": "leaked ENIs",
    "lambda": "lambda",
    "rds": "rds",
    "elasticache": "elasticache",
    "efs": "efs",
    "msk": "msk",
    "opensearch": "opensearch",
    "directory": "directory",
    "transitGateway": "transit gateway",
}


def tenant_of(interface: Interface, cluster: str) -> tuple[str, str] | None:
    """Kind and name of the tenant an interface belongs to; None for the cluster's own and for the unexplained."""
    if interface.cluster and interface.cluster != cluster and interface.owner != "leaked":
        return "cluster", interface.cluster
    if interface.owner in (*NODE_OWNERS, "control_plane", "unknown", "detached"):
        return None
    if interface.kind in _COMMON_NAMES:
        return interface.kind, _COMMON_NAMES[interface.kind]
    return interface.kind or "other", interface.name or interface.owner.replace("_", " ")


# --- the ledger of today --------------------------------------------------------------------


def settle(draft: PlanDraft, found: AwsCluster, steady: Mapping[str, Mapping[str, int]]) -> PlanDraft:
    """Book what the model does not: ``used`` per subnet, and today's pods as a tenant that workloads replace.

    Parameters
    ----------
    steady : mapping of str to mapping of str to int
        Addresses by holder of each subnet in the plan's steady state with nothing booked as ``used``. [addresses]

    Notes
    -----
    rest = addresses taken now - addresses of the model. Of it, what the cluster's own nodes hold beyond the model
    is their pods' (the plan has no workloads yet); all else is ``used``. A negative rest cannot be booked: the
    model holds more than AWS counts, which a note says.
    """
    subnets, pods, notes = [], [], list(draft.notes)
    assumed: set[str] = set()
    for account, subnet in zip(found.accounts, draft.subnets, strict=True):
        modelled = steady.get(account.name, {})
        rest = account.taken - sum(modelled.values())
        own = _own_addresses(found, account)
        beyond = max(min(rest, own - sum(modelled.get(h, 0) for h in MODELLED)), 0)
        used = max(rest - beyond, 0)
        subnets.append(replace(subnet, used=used))
        if beyond:
            pods.append(TenantDraft(f"{PODS_TODAY} ({account.name})", "other", (account.name,), beyond))
        if rest < 0:
            notes.append(Note(_excess(account, modelled, -rest, own), at("vpc.subnets", account.name, "used")))
        elif used:
            path = at("vpc.subnets", account.name, "used")
            notes.append(Note(_explained(account, modelled, used), path))
            if why := _unsure(found, account):
                assumed.add(path)
                notes.append(Note(f"{path}: assumed: {why}", path))
    if pods:
        total = sum(t.addresses or 0 for t in pods)
        notes.append(
            Note(
                f"{total} addresses that the nodes hold for pods are tenants named {PODS_TODAY!r}: AWS does not know "
                "pods. Workloads (import kubectl) take their place",
                "tenants",
            )
        )
    return replace(
        draft,
        subnets=tuple(subnets),
        tenants=(*draft.tenants, *pods),
        notes=tuple(dict.fromkeys(notes)),
        assumed=draft.assumed | assumed,
    )


def _unsure(found: AwsCluster, account: SubnetAccount) -> str:
    """Why the addresses in use are no statement of AWS; empty where they are."""
    if not found.answers.has("interfaces"):
        return "EC2's count alone, without the network interfaces"
    if account.difference > 0 and not found.answers.has("reservations"):
        return "EC2's count leaves out what is reserved, and the CIDR reservations were not read"
    return ""


def _own_addresses(found: AwsCluster, account: SubnetAccount) -> int:
    """Addresses that the nodes of this cluster hold in a subnet. [addresses]"""
    return sum(
        i.addresses
        for i in found.interfaces
        if i.subnet == account.ident and i.owner in NODE_OWNERS and i.cluster in ("", found.name)
    )


def _excess(account: SubnetAccount, modelled: Mapping[str, int], excess: int, own: int) -> str:
    nodes = sum(modelled.get(h, 0) for h in MODELLED)
    return (
        f"subnet {account.name}: the steady state of the plan takes {excess} addresses more than are taken now "
        f"(nodes: {nodes} in the plan, {own} now; control plane: {modelled.get('control_plane', 0)} in the plan, "
        f"{account.owners.get('control_plane', 0)} now)"
    )


def _explained(account: SubnetAccount, modelled: Mapping[str, int], used: int) -> str:
    """The terms of ``used``, each signed; what is left over stands as its own term."""
    control = account.owners.get("control_plane", 0) - modelled.get("control_plane", 0)
    terms = [
        (account.owners.get("unknown", 0), "of unknown owners"),
        (account.owners.get("detached", 0), "on detached interfaces"),
        (account.difference, "held by no listed interface"),
        (control, "of the control plane against the model's share"),
    ]
    terms.append((used - sum(n for n, _ in terms), "that the model places elsewhere"))
    parts = [f"{'-' if n < 0 else '+'} {abs(n)} {what}" for n, what in terms if n]
    return f"subnet {account.name}: used {used} = {' '.join(parts).removeprefix('+ ')}"


def with_unread(answers: Answers, cluster: str = "", doctor: bool = False) -> Answers:
    """Saved answers with a gap for every kind that is not among them, and the command that makes it.

    Launch templates are only missed where a node group refers to one: its reader says so.
    """
    item = next(iter(answers.of("cluster")), {})
    groups = {text(g, "clusterName") for g in answers.of("nodegroups")} - {""}
    name = cluster or text(item, "name") or (groups.pop() if len(groups) == 1 else "CLUSTER")
    names = {"cluster": name, "vpc": vpc_of(answers, item) or "VPC"}
    uses = ("must", "plan", "doctor") if doctor else ("must", "plan")
    return answers.with_gaps(
        Gap(kind.name, "not among the answers", kind.lost, kind.command_for(**names), kind.actions)
        for kind in KINDS.values()
        if kind.use in uses and not answers.has(kind.name) and kind.name not in ("launch_templates", "policies")
    )
