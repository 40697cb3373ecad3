"""From a document to a :class:`~capacity.plan.model.Plan`: every field checked, every reference resolved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import partial
from ipaddress import IPv4Network
from itertools import pairwise
from pathlib import Path
from typing import Any

from capacity.catalog.instance_type import InstanceType
from capacity.catalog.table import Catalog, load_catalog
from capacity.errors import SpecError, UnknownInstanceType, did_you_mean
from capacity.plan.cni_env import CniSettings
from capacity.plan.cni_section import read_cni, read_discovery_tags
from capacity.plan.constants import AMIS, API_VERSION, CAPACITY_TYPES, PROVISIONERS
from capacity.plan.discovery import ROLE_TAG, choices_by_group
from capacity.plan.document import Section, collector_paused, read_plan_file
from capacity.plan.fields import MOST_PODS, RFC_1918, VERSION, Field, items, weight
from capacity.plan.growth import read_growth
from capacity.plan.model import (
    QUARTER,
    Checks,
    Cni,
    DaemonSet,
    Kubernetes,
    Limits,
    NodeGroup,
    Plan,
    Requests,
    Reservation,
    ScenarioSpec,
    Subnet,
    Tenant,
    Workload,
)
from capacity.plan.neighbours import read_neighbour
from capacity.plan.scenarios import ScenarioPlaces, read_scenario
from capacity.plan.seen import Seen
from capacity.plan.tenants import TenantKind, tenant_kinds
from capacity.units import counted

_FARGATE = frozenset(("name", "provisioner", "subnets"))

_TOP = frozenset(
    [
        "apiVersion",
        "metadata",
        "region",
        "kubernetes",
        "cni",
        "vpc",
        "controlPlane",
        "nodeGroups",
        "workloads",
        "daemonSets",
        "tenants",
        "checks",
    ]
)
_GROUP = frozenset(
    [
        "name",
        "instanceTypes",
        "ami",
        "provisioner",
        "nodes",
        "subnets",
        "podSubnets",
        "update",
        "maxPods",
        "maxPodsExpression",
        "spread",
        "capacityType",
        "limits",
        "reservedEnis",
        "unmanagedEnis",
    ]
)
_WORKLOAD = frozenset(
    [
        "name",
        "replicas",
        "requests",
        "rollingUpdate",
        "hostNetwork",
        "securityGroups",
        "nodeGroups",
        "growth",
        "volumes",
    ]
)


@collector_paused()
def read_plan(path: Path | str, catalog: Catalog | None = None) -> Plan:
    """The plan in a file.

    Raises
    ------
    SpecError
        With file, line and path of the first thing that is wrong.
    """
    read = read_plan_file(path)
    return parse_plan(read.document, read.name, catalog)


def parse_plan(document: Section, file: str = "", catalog: Catalog | None = None, seen: Seen | None = None) -> Plan:
    """The plan in a document already decoded; ``file`` names it in messages, ``seen`` has entries read before."""
    root = Field(document, "", None, document.line, file)
    return _Parser(root, catalog or load_catalog(), seen=seen).plan()


def find_plan(start: Path | None = None) -> Path:
    """``capacity.yaml`` in the working directory or the nearest folder above it."""
    folder = (start or Path.cwd()).resolve()
    for place in (folder, *folder.parents):
        if (place / "capacity.yaml").is_file():
            return place / "capacity.yaml"
    raise SpecError(f"no plan given and no capacity.yaml in {folder} or above it (capacity check PLAN)")


class _Parser:
    """Holds what later fields need of earlier ones: names of subnets and groups, and notes."""

    def __init__(self, root: Field, catalog: Catalog, alone: bool = False, seen: Seen | None = None) -> None:
        self.seen = Seen() if seen is None else seen
        self.root = root
        self.catalog = catalog
        self.alone = alone
        self.notes: list[str] = []
        self.others: set[Path] = set()  # plans of clusters beside this one
        self.subnets: dict[str, Subnet] = {}
        self.groups: tuple[str, ...] = ()
        self.fargate: frozenset[str] = frozenset()
        self.workloads: tuple[str, ...] = ()
        self.types: dict[str, InstanceType] = {}

    def plan(self) -> Plan:
        """The whole plan, in the order in which its sections name one another."""
        root = self.root
        root.section(_TOP, required=("apiVersion", "vpc"))
        version = root.child("apiVersion")
        if version.text() != API_VERSION:
            version.fail(f"{version.value!r} is not supported (expected {API_VERSION!r})")
        name = self._name()
        kubernetes = self._kubernetes(root.get("kubernetes"))
        cni, said = read_cni(root.get("cni"), kubernetes, root)
        self.notes += said
        cidrs = self._vpc(root.child("vpc"))
        groups = self._groups(root.get("nodeGroups"), cni)
        self.groups = tuple(g.name for g in groups)
        self.fargate = frozenset(g.name for g in groups if g.fargate)
        workloads = self._unique(map(self._workload, items(root.get("workloads"))), "workload")
        self.workloads = tuple(w.name for w in workloads)
        if workloads and not groups:
            root.child("workloads").fail("there are workloads but no nodeGroups to run them")
        region = root.get("region")
        plan = Plan(
            name=name,
            vpc_cidrs=cidrs,
            subnets=tuple(self.subnets.values()),
            cni=cni,
            region=region.name(40) if region else None,
            kubernetes=kubernetes,
            control_plane=self._control_plane(root.get("controlPlane")),
            node_groups=groups,
            workloads=workloads,
            daemon_sets=self._unique(map(self._daemon_set, items(root.get("daemonSets"))), "daemonSet"),
            tenants=tuple(self._tenant(t) for t in items(root.get("tenants")) if not (self.alone and _has_plan(t))),
            checks=self._checks(root.get("checks")),
            notes=tuple(self.notes),
            file=root.file,
        )
        self._check_pod_places(plan)
        return plan

    def _check_pod_places(self, plan: Plan) -> None:
        """Nodes in a subnet closed to pods need another one for them: without an address the CNI does not start."""
        entries = items(self.root.get("nodeGroups"))
        for choices, entry in zip(choices_by_group(plan), entries, strict=False):
            for name, here in choices.items():
                if not here:
                    entry.child("subnets").fail(
                        f"{name!r} is closed to pods by its tags, and no subnet in zone {plan.subnet(name).zone!r} "
                        f'is tagged {ROLE_TAG}: "1" for them'
                    )

    # --- cluster --------------------------------------------------------------------------

    def _name(self) -> str:
        metadata = self.root.get("metadata")
        if metadata is None:
            return Path(self.root.file).stem or "plan"
        metadata.section(("name", "labels", "annotations"), required=("name",))
        self.notes += _assumed_by_import(metadata.value.get("annotations"))
        return metadata.child("name").name()

    def _kubernetes(self, section: Field | None) -> Kubernetes:
        if section is None:
            return Kubernetes()
        section.section(("version", "serviceCidr", "ipFamily", "services"))
        version, cidr, family, services = (section.get(k) for k in ("version", "serviceCidr", "ipFamily", "services"))
        if version and not VERSION.match(version.text(40)):
            version.fail(f"{version.value!r} is not a Kubernetes version (expected something like 1.34)")
        return Kubernetes(
            version=version.value if version else None,
            service_cidr=cidr.cidr(12, 24, RFC_1918) if cidr else None,
            ip_family=family.one_of(("ipv4", "ipv6")) if family else "ipv4",
            services=services.integer() if services else None,
        )

    def _control_plane(self, section: Field | None) -> tuple[str, ...] | None:
        if section is None:
            self.notes.append("no controlPlane in the plan: no addresses are booked for the control plane's ENIs")
            return None
        section.section(("subnets",), required=("subnets",))
        return self._subnet_names(section.child("subnets"))

    # --- network --------------------------------------------------------------------------

    def _vpc(self, section: Field) -> tuple[IPv4Network, ...]:
        section.section(("cidrs", "subnets"), required=("cidrs", "subnets"))
        cidrs = [(entry.cidr(16, 28), entry) for entry in section.child("cidrs").items()]
        if not cidrs:
            section.child("cidrs").fail("is empty (expected the VPC's blocks)")
        _refuse_overlaps(cidrs)
        blocks = [c for c, _ in cidrs]
        placed: list[tuple[IPv4Network, Field]] = []
        within = self.seen.context("subnets", *blocks)
        for entry in section.child("subnets").items():
            subnet = self.seen.entry(entry, within, partial(self._subnet, entry, blocks))
            if subnet.name in self.subnets:
                entry.child("name").fail(f"duplicate subnet {subnet.name!r}")
            placed.append((subnet.cidr, entry.child("cidr")))
            self.subnets[subnet.name] = subnet
        if not placed:
            section.child("subnets").fail("is empty (expected at least one subnet)")
        _refuse_overlaps(placed)
        return tuple(blocks)

    def _subnet(self, entry: Field, blocks: list[IPv4Network]) -> Subnet:
        entry.section(("name", "zone", "cidr", "used", "reservations", "tags"), required=("name", "zone", "cidr"))
        name = entry.child("name").name()
        cidr = entry.child("cidr").cidr(16, 28, blocks)
        if not any(cidr.subnet_of(b) for b in blocks):
            entry.child("cidr").fail(f"{cidr} is outside the VPC ({', '.join(map(str, blocks[:5]))})")
        used = entry.get("used")
        discovery, clusters = read_discovery_tags(entry.get("tags"))
        return Subnet(
            name=name,
            zone=entry.child("zone").name(64),
            cidr=cidr,
            used=used.integer(0, cidr.num_addresses - 5) if used else 0,
            reservations=self._reservations(entry.get("reservations"), cidr),
            discovery=discovery,
            clusters=clusters,
            where=entry.where,
        )

    def _reservations(self, section: Field | None, subnet: IPv4Network) -> tuple[Reservation, ...]:
        found: list[tuple[IPv4Network, Field]] = []
        types: list[str] = []
        for entry in items(section):
            entry.section(("cidr", "type"), required=("cidr", "type"))
            cidr = entry.child("cidr").cidr(16, 32, (subnet,))
            if not cidr.subnet_of(subnet):
                entry.child("cidr").fail(f"{cidr} is outside its subnet {subnet}")
            kind = entry.child("type").one_of(("prefix", "explicit"))
            if kind == "prefix" and cidr.prefixlen > 28:
                entry.child("cidr").fail(f"{cidr} holds no /28 (a reservation of type prefix is /28 or larger)")
            found.append((cidr, entry.child("cidr")))
            types.append(kind)
        _refuse_overlaps(found)
        return tuple(Reservation(c, t) for (c, _), t in zip(found, types, strict=True))

    def _subnet_names(self, section: Field) -> tuple[str, ...]:
        names: list[str] = []
        for entry in section.items():
            name = entry.text()
            if name not in self.subnets:
                entry.fail(f"there is no subnet {name!r}{did_you_mean(name, self.subnets)}")
            if name in names:
                entry.fail(f"duplicate subnet {name!r}")
            names.append(name)
        if not names:
            section.fail("is empty (expected names of subnets)")
        return tuple(names)

    # --- nodes ----------------------------------------------------------------------------

    def _groups(self, section: Field | None, cni: Cni) -> tuple[NodeGroup, ...]:
        zones = ((name, subnet.zone) for name, subnet in self.subnets.items())
        own = cni.settings  # a group is read with no more of the CNI than this, so its other settings change none
        looked_at = CniSettings(
            custom_networking=own.custom_networking, ipv6=own.ipv6, cilium=own.cilium, overlay=own.overlay
        )
        within = self.seen.context("nodeGroups", looked_at, *zones)
        read = (self.seen.entry(entry, within, partial(self._group, entry, looked_at)) for entry in items(section))
        return self._unique(read, "nodeGroup")

    def _group(self, entry: Field, cni: CniSettings) -> NodeGroup:
        if isinstance(entry.value, Section) and entry.value.get("provisioner") == "fargate":
            return self._fargate(entry)
        entry.section(_GROUP, required=("name", "instanceTypes", "subnets"))
        get = entry.get
        ami, provisioner, max_pods, expression = (
            get(k) for k in ("ami", "provisioner", "maxPods", "maxPodsExpression")
        )
        reserved, unmanaged = get("reservedEnis"), get("unmanagedEnis")
        subnets = self._subnet_names(entry.child("subnets"))
        low, desired, high = self._nodes(get("nodes"))
        unavailable, strategy = self._update(get("update"))
        capacity_type = get("capacityType")
        return NodeGroup(
            name=entry.child("name").name(),
            instance_types=self._instance_types(entry.child("instanceTypes"), cni),
            subnets=subnets,
            pod_subnets=self._pod_subnets(entry, subnets, cni),
            ami=ami.one_of(AMIS) if ami else "al2023",
            provisioner=provisioner.one_of(PROVISIONERS) if provisioner else "managed",
            min_nodes=low,
            desired=desired,
            max_nodes=high,
            max_unavailable=unavailable,
            update_strategy=strategy,
            max_pods=max_pods.integer(1, MOST_PODS) if max_pods else None,
            max_pods_expression=expression.text(2000) if expression else None,
            spread=self._spread(get("spread"), subnets),
            reserved_enis=reserved.integer(0, 1_000_000) if reserved else 0,
            unmanaged_enis=unmanaged.integer(0, 100) if unmanaged else 0,
            where=entry.where,
            capacity_type=capacity_type.one_of(CAPACITY_TYPES) if capacity_type else "on-demand",
            limits=self._limits(get("limits"), provisioner.value if provisioner else "managed"),
        )

    def _limits(self, section: Field | None, provisioner: object) -> Limits:
        """A NodePool's limits. Karpenter starts no node that would exceed them."""
        if section is None:
            return Limits()
        if provisioner not in ("karpenter", "auto"):
            section.fail("applies to Karpenter and Auto Mode only (use nodes.max)")
        section.section(("cpu", "memory"))
        cpu, memory = section.get("cpu"), section.get("memory")
        return Limits(cpu.cpu() if cpu else None, memory.memory() if memory else None)

    def _fargate(self, entry: Field) -> NodeGroup:
        """A Fargate profile: a name and subnets; its nodes are its pods."""
        for key in entry.value:
            if key in _GROUP and key not in _FARGATE:
                entry.child(key).fail("does not apply to a Fargate profile (it has a name and subnets)")
        entry.section(_FARGATE, required=("name", "subnets"))
        return NodeGroup(
            name=entry.child("name").name(),
            instance_types=(InstanceType.unlisted("fargate"),),
            subnets=self._subnet_names(entry.child("subnets")),
            provisioner="fargate",
            where=entry.where,
        )

    def _instance_types(self, section: Field, cni: CniSettings) -> tuple[InstanceType, ...]:
        types: list[InstanceType] = []
        for entry in section.items():
            name = entry.text(64)
            kind = self.types.get(name)
            if kind is None:
                kind = self.types[name] = self._instance_type(name, entry)
            if kind.max_enis is None or kind.ipv4_per_eni is None:
                entry.fail(f"no ENI limits are known for {name!r}, so it cannot be planned")
            if kind.vcpus is None or kind.memory_mib is None:
                entry.fail(f"no vCPU count and memory size are known for {name!r}, so it cannot be planned")
            if cni.ipv6 and kind.prefixes_possible is False:
                entry.fail(f"{name!r} runs on {kind.hypervisor}: IPv6 needs Nitro or bare metal")
            if kind in types:
                entry.fail(f"duplicate {name!r}")
            types.append(kind)
        if not types:
            section.fail("is empty (expected at least one instance type)")
        return tuple(types)

    def _instance_type(self, name: str, entry: Field) -> InstanceType:
        try:
            return self.catalog.get(name)
        except UnknownInstanceType as error:
            raise UnknownInstanceType(name, error.nearest, entry.exact) from None

    def _pod_subnets(self, entry: Field, subnets: tuple[str, ...], cni: CniSettings) -> tuple[str, ...]:
        section = entry.get("podSubnets")
        if entry.value.get("ami") == "windows":
            self._check_windows(entry, section, cni)
            return ()
        if section is None:
            if cni.custom_networking and entry.value.get("provisioner") != "auto":  # Auto Mode has its own
                entry.fail("custom networking is on, but the key 'podSubnets' is missing")
            return ()
        ipam = cni.cilium
        if cni.overlay:
            section.fail("has no meaning with an overlay CNI: its pods take no address of the VPC")
        if ipam is not None and not ipam.first_interface_index:
            section.fail(
                "needs cni.cilium.firstInterfaceIndex 1 or more (with 0 the first ENI serves pods in the node's subnet)"
            )
        if ipam is None and not cni.custom_networking:
            section.fail('needs custom networking (cni.env AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: "true")')
        names = self._subnet_names(section)
        served = {self.subnets[n].zone for n in names}
        for name in subnets:
            zone = self.subnets[name].zone
            if zone not in served:
                section.fail(f"no pod subnet in zone {zone!r}, where the nodes of {name!r} are")
        return names

    def _check_windows(self, entry: Field, pod_subnets: Field | None, cni: CniSettings) -> None:
        """Windows nodes are IPv4 only, and their pods share the node's subnet.

        Source: Amazon EKS user guide, "Deploy Windows nodes", considerations (windows-support.adoc, read 2026-11-25).
        """
        if cni.cilium is not None:
            entry.child("ami").fail("Cilium does not run on Windows nodes")
        if pod_subnets is not None:
            pod_subnets.fail("Windows nodes cannot use custom networking: their pods are in the node's subnet")
        if cni.ipv6:
            entry.child("ami").fail("Windows nodes cannot run in an IPv6 cluster")

    def _nodes(self, section: Field | None) -> tuple[int, int | None, int | None]:
        if section is None:
            return 0, None, None
        if isinstance(section.value, str):
            count = section.integer()
            return count, count, count
        section.section(("min", "desired", "max"))
        low, desired, high = (section.get(k) for k in ("min", "desired", "max"))
        least = low.integer() if low else 0
        wanted = desired.integer() if desired else None
        most = high.integer() if high else None
        if most is not None and most < least:
            section.child("max").fail(f"{most} is less than min {least}")
        if desired and wanted is not None and (wanted < least or (most is not None and wanted > most)):
            desired.fail(f"{wanted} is outside min {least} and max {'none' if most is None else most}")
        return least, wanted, most

    def _update(self, section: Field | None) -> tuple[int | Fraction, str]:
        if section is None:
            return 1, "default"
        section.section(("maxUnavailable", "maxUnavailablePercentage", "strategy"))
        count, percent, strategy = (section.get(k) for k in ("maxUnavailable", "maxUnavailablePercentage", "strategy"))
        if count and percent:
            percent.fail("give maxUnavailable or maxUnavailablePercentage, not both")
        unavailable: int | Fraction = 1
        if count:
            unavailable = count.count_or_percent()
            if isinstance(unavailable, int) and not 1 <= unavailable <= 100:
                count.fail(f"{unavailable} is out of range (expected 1 to 100)")
        if percent:
            unavailable = Fraction(percent.integer(1, 100), 100)
        if isinstance(unavailable, Fraction) and not 0 < unavailable <= 1:
            (count or section).fail("is out of range (expected 1% to 100%)")
        return unavailable, strategy.one_of(("default", "minimal")) if strategy else "default"

    def _spread(self, section: Field | None, subnets: tuple[str, ...]) -> str | Mapping[str, Fraction]:
        if section is None:
            return "even"
        if not isinstance(section.value, Section):
            return section.one_of(("even", "worst"))
        zones = list(dict.fromkeys(self.subnets[n].zone for n in subnets))
        weights: dict[str, Fraction] = {}
        for zone in section.value:
            entry = section.child(zone)
            if zone not in zones:
                entry.fail(f"the group has no subnet in zone {zone!r}{did_you_mean(zone, zones)}")
            weights[zone] = weight(entry)
        if not sum(weights.values()):
            section.fail("the weights are all 0")
        return {zone: weights.get(zone, Fraction(0)) for zone in zones}

    # --- pods -----------------------------------------------------------------------------

    def _workload(self, entry: Field) -> Workload:
        entry.section(_WORKLOAD, required=("name", "replicas"))
        get = entry.get
        now, most = self._replicas(entry.child("replicas"))
        surge, unavailable = self._rolling_update(get("rollingUpdate"))
        host, groups_of, volumes = get("hostNetwork"), get("securityGroups"), get("volumes")
        workload = Workload(
            name=entry.child("name").name(),
            replicas=now,
            max_replicas=most,
            requests=self._requests(get("requests")),
            host_network=host.boolean() if host else False,
            security_groups=groups_of.boolean() if groups_of else False,
            node_groups=self._group_names(get("nodeGroups")),
            max_surge=surge,
            max_unavailable=unavailable,
            growth=read_growth(get("growth")),
            volumes=volumes.integer(0, 1000) if volumes else 0,
            where=entry.where,
        )
        self._check_fargate(workload, entry)
        if workload.host_network and workload.security_groups and groups_of:
            groups_of.fail("a pod on the host's network cannot have security groups of its own")
        return workload

    def _check_fargate(self, workload: Workload, entry: Field) -> None:
        profiles = [n for n in workload.node_groups if n in self.fargate]
        if profiles and len(workload.node_groups) > 1:
            entry.child("nodeGroups").fail(f"{profiles[0]!r} is a Fargate profile: its pods run nowhere else")
        if profiles and workload.host_network:
            entry.child("hostNetwork").fail(f"{profiles[0]!r} is a Fargate profile: it has no host network")
        if profiles and workload.volumes:
            entry.child("volumes").fail(f"{profiles[0]!r} is a Fargate profile: EBS volumes cannot be attached there")
        if not workload.node_groups and self.groups and len(self.fargate) == len(self.groups):
            entry.fail("names no nodeGroups, and all groups are Fargate profiles, which must be named")

    def _replicas(self, field: Field) -> tuple[int, int]:
        if not isinstance(field.value, Section):
            count = field.integer()
            return count, count
        field.section(("now", "max"), required=("now",))
        now = field.child("now").integer()
        most = field.get("max")
        top = most.integer() if most else now
        if most and top < now:
            most.fail(f"{top} is less than now {now}")
        return now, top

    def _rolling_update(self, section: Field | None) -> tuple[int | Fraction, int | Fraction]:
        if section is None:
            return QUARTER, QUARTER
        section.section(("maxSurge", "maxUnavailable"))
        surge, unavailable = section.get("maxSurge"), section.get("maxUnavailable")
        both = (
            surge.count_or_percent() if surge else QUARTER,
            unavailable.count_or_percent() if unavailable else QUARTER,
        )
        if not any(both):
            section.fail("maxSurge and maxUnavailable cannot both be 0")
        return both

    def _requests(self, section: Field | None) -> Requests:
        if section is None:
            return Requests()
        section.section(("cpu", "memory"))
        cpu, memory = section.get("cpu"), section.get("memory")
        return Requests(cpu.cpu() if cpu else None, memory.memory() if memory else None)

    def _group_names(self, section: Field | None) -> tuple[str, ...]:
        names: list[str] = []
        for entry in items(section):
            name = entry.text()
            if name not in self.groups:
                entry.fail(f"there is no node group {name!r}{did_you_mean(name, self.groups)}")
            if name in names:
                entry.fail(f"duplicate node group {name!r}")
            names.append(name)
        if section is not None and not names:
            section.fail("is empty (leave the key out to allow every group)")
        return tuple(names)

    def _daemon_set(self, entry: Field) -> DaemonSet:
        entry.section(("name", "requests", "hostNetwork", "nodeGroups"), required=("name",))
        host = entry.get("hostNetwork")
        return DaemonSet(
            name=entry.child("name").name(),
            requests=self._requests(entry.get("requests")),
            host_network=host.boolean() if host else False,
            node_groups=self._group_names(entry.get("nodeGroups")),
            where=entry.where,
        )

    def _tenant(self, entry: Field) -> Tenant:
        known = ("kind", "name", "subnets", "addresses", "plan")
        entry.section(known, required=("kind",))
        kinds = tenant_kinds()
        kind = kinds[entry.child("kind").one_of(tuple(kinds))]
        if entry.get("plan"):
            return self._other_cluster(entry, kind)
        entry.section(known, required=("subnets",))
        name, addresses = entry.get("name"), entry.get("addresses")
        if addresses is None and not kind.addresses:
            entry.fail(f"a tenant of kind {kind.name!r} must say its addresses (per subnet)")
        return Tenant(
            kind=kind.name,
            name=name.name() if name else kind.name,
            subnets=self._subnet_names(entry.child("subnets")),
            addresses=addresses.integer(0, 65536) if addresses else kind.addresses,
            holder=kind.holder,
            where=entry.where,
        )

    def _other_cluster(self, entry: Field, kind: TenantKind) -> Tenant:
        """A tenant whose addresses its own plan says."""
        plan, name = entry.child("plan"), entry.get("name")
        if kind.name != "cluster":
            plan.fail(f"only a tenant of kind 'cluster' has a plan, not {kind.name!r}")
        for key in ("subnets", "addresses"):
            if stated := entry.get(key):
                stated.fail("is said by the other cluster's plan: leave one of the two out")
        other, shared = read_neighbour(plan, self.subnets, self._parse_alone)
        file = (Path(plan.file).parent / str(plan.value)).resolve()
        if file in self.others:
            plan.fail(f"duplicate plan {plan.value!r}")
        self.others.add(file)
        called = name.name() if name else other.name
        self.notes.append(
            f"{called}: nodes, pods, control plane and load balancers of its plan {plan.value} are booked in the "
            f"{counted(len(shared), 'shared subnet')}, as in its own peak where this plan is at its peak, "
            "else as in its steady; a lost zone is lost to it too"
        )
        return Tenant(kind.name, called, tuple(shared), 0, kind.holder, entry.where, other, shared)

    def _parse_alone(self, document: Section, file: str) -> Plan:
        """Another plan without the clusters that it names: two clusters may name each other."""
        return _Parser(Field(document, "", None, document.line, file), self.catalog, alone=True).plan()

    # --- checks ---------------------------------------------------------------------------

    def _checks(self, section: Field | None) -> Checks:
        if section is None:
            return Checks()
        section.section(("minFree", "scenarios"))
        free, scenarios = section.get("minFree"), section.get("scenarios")
        share = free.percent() if free else Fraction(1, 5)
        if free and share > 1:
            free.fail(f"{free.value!r} is out of range (expected 0% to 100%)")
        return Checks(share, tuple(map(self._scenario, items(scenarios))))

    def _scenario(self, entry: Field) -> ScenarioSpec:
        places = ScenarioPlaces(
            groups=tuple(self.groups),
            workloads=self.workloads,
            zones=tuple(dict.fromkeys(s.zone for s in self.subnets.values())),
        )
        return read_scenario(entry, places)

    def _unique(self, things: Iterable[Any], what: str) -> tuple[Any, ...]:
        seen: dict[str, Any] = {}
        for thing in things:
            if thing.name in seen:
                raise SpecError(f"{thing.where}: duplicate {what} {thing.name!r}")
            seen[thing.name] = thing
        return tuple(seen.values())


def _assumed_by_import(annotations: object) -> list[str]:
    """The warning that an import left in the plan: which of its values no source states."""
    paths = annotations.get("capacity/assumed") if isinstance(annotations, Section) else None
    if not isinstance(paths, list) or not paths:
        return []
    more = f" and {len(paths) - 8} more" if len(paths) > 8 else ""
    return [f"assumed by the import, no source states it: {', '.join(map(str, paths[:8]))}{more}"]


def _has_plan(tenant: Field) -> bool:
    return isinstance(tenant.value, Section) and tenant.value.get("plan") is not None


def _refuse_overlaps(blocks: list[tuple[IPv4Network, Field]]) -> None:
    """Blocks sorted by start overlap exactly where one starts before the one ahead of it ends."""
    ordered = sorted(blocks, key=lambda b: (int(b[0].network_address), -b[0].num_addresses))
    for (first, _), (second, field) in pairwise(ordered):
        if second.network_address <= first.broadcast_address:
            field.fail(f"{second} overlaps {first}")
