"""The plan as frozen objects, checked when they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from ipaddress import IPv4Network
from typing import NamedTuple

from capacity.catalog.instance_type import InstanceType
from capacity.errors import SpecError
from capacity.plan.cni_env import CniSettings, cni_settings
from capacity.plan.declaration import QUARTER
from capacity.plan.growth import Growth
from capacity.plan.scenario_spec import ScenarioSpec
from capacity.plan.service import DEFAULT_PROXY, KubeProxy, Service
from capacity.plan.windows import WindowsIpam, windows_ipam

RESERVED_BY_AWS = 5  # first four and last; awsdocs/amazon-vpc-user-guide subnet-sizing.md L9


class Reservation(NamedTuple):
    """A subnet CIDR reservation: AWS assigns prefixes from ``prefix``, and assigns nothing automatically from
    ``explicit``.
    """

    cidr: IPv4Network
    type: str


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of the VPC.

    Attributes
    ----------
    used : int
        Addresses used by anything the plan does not model. [addresses]
    discovery : bool or None
        Tag ``kubernetes.io/role/cni``: 1 is True, 0 False, None without the tag; see :mod:`capacity.plan.discovery`.
    clusters : tuple of str
        Clusters that tags reserve the subnet for; empty means all.
    id : str or None
        AWS ID; only a fleet uses it.
    """

    name: str
    zone: str
    cidr: IPv4Network
    used: int = 0
    reservations: tuple[Reservation, ...] = ()
    discovery: bool | None = None
    clusters: tuple[str, ...] = ()
    where: str = ""
    id: str | None = None

    def __hash__(self) -> int:
        return hash((self.name, self.where))  # a fleet has many subnets of one name

    @property
    def total(self) -> int:
        """Addresses of the block. [addresses]"""
        return 1 << (self.cidr.max_prefixlen - self.cidr.prefixlen)

    @property
    def usable(self) -> int:
        """Usable addresses: the total minus the five that AWS reserves. [addresses]"""
        return self.total - RESERVED_BY_AWS


@dataclass(frozen=True, slots=True)
class Kubernetes:
    """Version as written, Service CIDR, IP family and number of Services of the cluster (None: not set).

    ``proxy_mode`` is the mode of kube-proxy (None: not set), ``proxy`` its settings.
    """

    version: str | None = None
    service_cidr: IPv4Network | None = None
    ip_family: str = "ipv4"
    services: int | None = None
    proxy_mode: str | None = None
    proxy: KubeProxy = DEFAULT_PROXY


@dataclass(frozen=True, slots=True)
class Cni:
    """The CNI of the plan, and the settings derived from it.

    Attributes
    ----------
    env : mapping
        The VPC CNI's environment as written; empty with another CNI.
    ip_family : {'ipv4', 'ipv6'} or None
        The cluster's IP family, which decides together with ``env``; None if unknown.
    config_map : mapping
        Keys of ConfigMap amazon-vpc-cni as written: the VPC resource controller's settings for Windows nodes.
    own : CniSettings or None
        The settings of another CNI: Cilium or an overlay.
    settings : CniSettings
        Derived from ``env`` and ``ip_family``, or ``own``; never passed in, so it cannot contradict them.
    windows : WindowsIpam
        Derived from ``config_map``.

    Raises
    ------
    SpecError
        Variables with which the VPC CNI does not start, or an environment together with another CNI's settings.

    Examples
    --------
    >>> from dataclasses import replace
    >>> cni = Cni(env={"WARM_IP_TARGET": "2"})
    >>> cni.settings.warm_ip, replace(cni, env={"WARM_IP_TARGET": "5"}).settings.warm_ip
    (2, 5)
    """

    version: str | None = None
    env: Mapping[str, str | None] = field(default_factory=dict)
    ip_family: str | None = None
    config_map: Mapping[str, str] = field(default_factory=dict)
    own: CniSettings | None = None
    settings: CniSettings = field(init=False)
    windows: WindowsIpam = field(init=False)

    def __post_init__(self) -> None:
        if self.own is not None and (self.env or self.config_map):
            raise SpecError(f"the variables and keys of the VPC CNI have no effect with {self.own.cni}")
        settings = cni_settings(self.env, "", self.ip_family)[0] if self.own is None else self.own
        object.__setattr__(self, "settings", settings)
        object.__setattr__(self, "windows", windows_ipam(self.config_map)[0])

    @property
    def name(self) -> str:
        """``vpc-cni``, ``cilium`` or ``overlay``."""
        return self.settings.cni


@dataclass(frozen=True, slots=True)
class Requests:
    """A pod's resource requests; None means "not set", which the scheduler's score treats as 100m and 200Mi.

    ``gpus`` are whole NVIDIA GPUs (``nvidia.com/gpu``). [devices]
    """

    cpu_millicores: int | None = None
    memory_bytes: int | None = None
    gpus: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """A NodePool's limits: vCPUs [millicores] and memory [bytes] of all its nodes; None if not set."""

    cpu_millicores: int | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """A set of nodes of one shape.

    Attributes
    ----------
    instance_types : tuple of InstanceType
        In the plan's order; :mod:`capacity.cluster.expected_type` chooses the one that the figures use.
    capacity_type : str
        ``on-demand`` or ``spot``.
    limits : Limits
        Karpenter's limits on the vCPUs and memory of all nodes of the group.
    min_nodes, desired, max_nodes : int
        None for ``desired``: the fewest that fit the pods; None for ``max_nodes``: no limit. [nodes]
    subnets, pod_subnets : tuple of str
        Names; ``pod_subnets`` only under custom networking, or with Cilium.
    spread : str or mapping
        ``even``, ``worst``, or a weight per zone.
    max_pods : int or None
        Set in the plan. [pods]
    max_pods_expression : str or None
        nodeadm's CEL expression.
    reserved_enis : int
        Karpenter's RESERVED_ENIS. [ENIs]
    unmanaged_enis : int
        ENIs on each node that the CNI leaves alone. [ENIs]
    """

    name: str
    instance_types: tuple[InstanceType, ...]
    subnets: tuple[str, ...]
    pod_subnets: tuple[str, ...] = ()
    ami: str = "al2023"
    provisioner: str = "managed"
    min_nodes: int = 0
    desired: int | None = None
    max_nodes: int | None = None
    max_unavailable: int | Fraction = 1
    update_strategy: str = "default"
    max_pods: int | None = None
    max_pods_expression: str | None = None
    spread: str | Mapping[str, Fraction] = "even"
    reserved_enis: int = 0
    unmanaged_enis: int = 0
    where: str = ""
    capacity_type: str = "on-demand"
    limits: Limits = Limits()

    @property
    def prioritized(self) -> bool:
        """Whether the types are tried in the order written, as EKS does for managed on-demand groups only.

        Source
        ------
        Amazon EKS user guide, "Simplify node lifecycle with managed node groups", capacity types (read 2026-11-30):
        on-demand groups use the allocation strategy ``prioritized``, Spot groups ``price-capacity-optimized``.
        """
        return self.provisioner == "managed" and self.capacity_type == "on-demand"

    @property
    def autoscaled(self) -> bool:
        """Whether an autoscaler can add nodes: ``nodes.min`` below ``nodes.max``, or no maximum."""
        return self.max_nodes is None or self.min_nodes < self.max_nodes

    @property
    def windows(self) -> bool:
        return self.ami == "windows"

    @property
    def fargate(self) -> bool:
        """Whether this is a Fargate profile: each pod is a separate node with one address."""
        return self.provisioner == "fargate"

    @property
    def auto(self) -> bool:
        """Whether this is EKS Auto Mode: AWS runs the CNI, and the plan's CNI settings don't apply."""
        return self.provisioner == "auto"


@dataclass(frozen=True, slots=True)
class Workload:
    """Replicas of one pod shape. Empty ``node_groups`` means any group but a Fargate profile.

    ``volumes`` are EBS volumes that each pod attaches. [volumes] ``zone_skew`` is how much two zones can differ in its
    pods (None: no limit), ``one_per_node`` whether no two are on one node. ``churn`` are pods that are replaced, in the
    whole cluster (None: unknown). [pods/min]
    """

    name: str
    replicas: int
    max_replicas: int
    requests: Requests = Requests()
    host_network: bool = False
    security_groups: bool = False
    node_groups: tuple[str, ...] = ()
    max_surge: int | Fraction = QUARTER
    max_unavailable: int | Fraction = QUARTER
    growth: Growth | None = None
    volumes: int = 0
    where: str = ""
    zone_skew: int | None = None
    one_per_node: bool = False
    churn: float | None = None


@dataclass(frozen=True, slots=True)
class DaemonSet:
    """One pod on every node of its groups (of all groups if none is named)."""

    name: str
    requests: Requests = Requests()
    host_network: bool = False
    node_groups: tuple[str, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Balancing:
    """What a load balancer serves.

    Attributes
    ----------
    internet_facing : bool
        Scheme ``internet-facing``: it has public addresses.
    target_type : {'ip', 'instance'}
        Targets are pods, or the nodes.
    workloads : tuple of str
        Workloads behind it, each with a target group.
    rules, certificates, security_groups : int
        Listener rules and certificates without the default ones, and security groups.
    """

    internet_facing: bool = False
    target_type: str = "ip"
    workloads: tuple[str, ...] = ()
    rules: int = 0
    certificates: int = 0
    security_groups: int = 0


@dataclass(frozen=True, slots=True)
class Tenant:
    """Anything other than nodes that uses addresses in subnets; ``addresses`` is per subnet. [addresses]

    Another cluster can have a ``plan``, which then gives its addresses; ``places`` has its name of each shared subnet.
    """

    kind: str
    name: str
    subnets: tuple[str, ...]
    addresses: int
    holder: str
    where: str = ""
    plan: Plan | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    balancing: Balancing | None = None

    @property
    def internet_facing(self) -> bool:
        """Whether this is a load balancer with public addresses."""
        return self.balancing is not None and self.balancing.internet_facing


@dataclass(frozen=True, slots=True)
class Checks:
    """The requirements that ``check`` applies to the plan."""

    min_free: Fraction = Fraction(1, 5)
    scenarios: tuple[ScenarioSpec, ...] = ()


@dataclass(frozen=True, repr=False)
class Plan:
    """A cluster in its VPC. ``notes`` are the assumptions and replaced values to show."""

    name: str
    vpc_cidrs: tuple[IPv4Network, ...]
    subnets: tuple[Subnet, ...]
    cni: Cni
    region: str | None = None
    kubernetes: Kubernetes = Kubernetes()
    control_plane: tuple[str, ...] | None = None
    node_groups: tuple[NodeGroup, ...] = ()
    workloads: tuple[Workload, ...] = ()
    daemon_sets: tuple[DaemonSet, ...] = ()
    tenants: tuple[Tenant, ...] = ()
    services: tuple[Service, ...] = ()
    checks: Checks = Checks()
    notes: tuple[str, ...] = ()
    file: str = ""
    account: str | None = None
    vpc_id: str | None = None

    def __repr__(self) -> str:
        counts = f"{len(self.subnets)} subnets, {len(self.node_groups)} node groups, {len(self.workloads)} workloads"
        return f"<Plan {self.name or 'without a name'}: {counts}>"

    def subnet(self, name: str) -> Subnet:
        """The subnet with that name."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> Mapping[str, Subnet]:
        return {s.name: s for s in self.subnets}

    @property
    def service_count(self) -> int | None:
        """Services of the cluster: stated, or counted from ``services``; None if unknown. [Services]"""
        if self.kubernetes.services is not None or not self.services:
            return self.kubernetes.services
        return sum(service.count for service in self.services)

    @property
    def group_names(self) -> tuple[str, ...]:
        """Names of the node groups, in their order."""
        return tuple(g.name for g in self.node_groups)
