"""Every key of a plan file, declared once.

The parser, the JSON Schema, the order in which an import writes keys and the tables of
``docs/reference/plan-file.md`` all come from here. What needs two keys or another section (a name that must exist,
blocks that overlap) is a rule of the parser's sections, not of a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from capacity.plan.cni_keys import CNI
from capacity.plan.constants import (
    API_VERSION,
    BURST_SPREADS,
    IP_FAMILIES,
    RESERVATION_TYPES,
    ROLLOUT_MODES,
    SCHEMES,
    TARGET_TYPES,
    UPDATE_STRATEGIES,
)
from capacity.plan.declaration import (
    BLOCK,
    BLOCKS,
    CONSTANT,
    COUNT,
    ENTRIES,
    LABELS,
    MAPPING,
    NAME,
    NAMES,
    PERCENT,
    SCENARIO_LIST,
    TAGS,
    TENANT_KIND,
    VERSION,
    WORD,
    Key,
    Keys,
    name_key,
)
from capacity.plan.node_keys import NODE_GROUP
from capacity.plan.pod_keys import DAEMON_SET, WORKLOAD
from capacity.plan.service_keys import KUBE_PROXY, SERVICE

# --- cluster ------------------------------------------------------------------------------------

METADATA = Keys(
    "metadata",
    "name and labels of the plan",
    name_key("name of the plan"),
    Key("labels", LABELS, "not read", example={"team": "shop"}),
    Key("annotations", LABELS, "read and written only by imports", example={"note": "any text"}),
)
KUBERNETES = Keys(
    "kubernetes",
    "the cluster",
    Key("version", VERSION, 'as written, such as `"1.34"`', unit="Kubernetes", example="1.34"),
    Key("serviceCidr", BLOCK, "block of Services, outside the VPC's blocks", low=12, high=24, example="172.20.0.0/16"),
    Key("ipFamily", WORD, "family of pods", default="ipv4", words=IP_FAMILIES, example="ipv4"),
    Key(
        "services",
        COUNT,
        "Services of the cluster",
        absent="the number in [`services`](#services), if the plan has them",
        unit="Services",
        example=300,
    ),
    Key("kubeProxy", MAPPING, "[kube-proxy](#kuberneteskubeproxy)", absent="its defaults", of=KUBE_PROXY),
)

# --- network ------------------------------------------------------------------------------------

RESERVATION = Keys(
    "vpc.subnets[].reservations[]",
    "a subnet CIDR reservation",
    Key(
        "cidr",
        BLOCK,
        "inside the subnet, overlapping no other; of type prefix /28 or larger",
        required=True,
        low=16,
        high=32,
        example="10.0.0.16/28",
    ),
    Key(
        "type",
        WORD,
        "`prefix`: only prefixes of ENIs; `explicit`: only explicitly requested addresses",
        required=True,
        words=RESERVATION_TYPES,
        example="prefix",
    ),
)
SUBNET = Keys(
    "vpc.subnets[]",
    "a subnet",
    name_key(),
    Key("zone", NAME, "availability zone", required=True, high=64, example="us-east-1a"),
    Key(
        "cidr",
        BLOCK,
        "inside a block of the VPC, overlapping no other subnet",
        required=True,
        low=16,
        high=28,
        example="10.0.0.0/24",
    ),
    Key(
        "used",
        COUNT,
        "addresses used by what the plan does not model, without the five that AWS reserves",
        default=0,
        unit="addresses",
        high=65531,  # of a /16; each subnet's own size is a rule of the parser
        example=10,
    ),
    Key("reservations", ENTRIES, "CIDR reservations", absent="none", of=RESERVATION),
    Key("id", NAME, "AWS ID; `fleet` recognizes a shared subnet by it", high=64, example="subnet-0a1b2c3d4e5f67890"),
    Key(
        "tags",
        TAGS,
        "tags as AWS shows them; two are read by subnet discovery, the others are ignored",
        absent="none",
        example={"kubernetes.io/role/cni": "1"},
    ),
)
VPC = Keys(
    "vpc",
    "the network",
    Key(
        "id",
        NAME,
        "AWS ID; `fleet` counts plans with the same VPC ID together in their shared subnets",
        high=64,
        example="vpc-0a1b2c3d4e5f67890",
    ),
    Key(
        "cidrs",
        BLOCKS,
        "the VPC's IPv4 blocks, not overlapping",
        required=True,
        low=16,
        high=28,
        example=["10.0.0.0/16"],
    ),
    Key("subnets", ENTRIES, "[subnets](#vpcsubnets), at least one", required=True, of=SUBNET),
)
CONTROL_PLANE = Keys(
    "controlPlane",
    "the cluster's network interfaces",
    Key("subnets", NAMES, "names of the cluster's subnets", required=True, example=["private-a", "private-b"]),
)

# --- what else takes addresses, and checks ----------------------------------------------------------

TENANT = Keys(
    "tenants[]",
    "what else uses addresses",
    Key("kind", TENANT_KIND, "below", required=True, example="alb"),
    name_key("for messages", required=False, absent="the kind, or the other plan's name"),
    Key(
        "subnets",
        NAMES,
        "names; the tenant is in each (required without `plan`)",
        absent="with `plan`: the subnets of both plans",
        example=["private-a", "private-b"],
    ),
    Key("addresses", COUNT, "per subnet", absent="the number of the kind", unit="addresses", high=65536, example=8),
    Key(
        "plan",
        NAME,
        "only for kind `cluster`: the plan file of a cluster in the same subnets, relative to this file; replaces "
        "`subnets` and `addresses`",
        high=1024,
        example="staging.yaml",
    ),
    Key("scheme", WORD, "of a load balancer", absent="internal", words=SCHEMES, example="internet-facing"),
    Key("targetType", WORD, "of a load balancer: pods or nodes are targets", absent="ip", words=TARGET_TYPES,
        example="instance"),
    Key("workloads", NAMES, "workloads behind a load balancer, each with a target group", absent="none",
        example=["web"]),
    Key("rules", COUNT, "listener rules of an ALB, without the default ones", absent="0", unit="rules", high=100_000,
        example=12),
    Key("certificates", COUNT, "certificates of a load balancer, without the default one", absent="0",
        unit="certificates", high=100_000, example=3),
    Key("securityGroups", COUNT, "security groups of a load balancer", absent="0", unit="groups", high=1000, example=2),
)  # fmt: skip
BALANCER_KEYS = tuple(key.name for key in TENANT.keys[5:])  # of load balancers only
OPTIONS = Keys(
    "checks.scenarios[]",
    "options of a scenario",
    Key("mode", WORD, "deployments that roll out at the same time", default="all", words=ROLLOUT_MODES, example="one"),
    Key(
        "workload",
        NAME,
        "only this workload",
        absent="all; with `mode: one` the one with the most surge pods",
        example="web",
    ),
    Key(
        "group",
        NAME,
        "only this node group",
        absent="all; for `burst` the one that holds the most addresses",
        example="general",
    ),
    Key(
        "strategy",
        WORD,
        "update strategy",
        absent="the strategy of each group",
        words=UPDATE_STRATEGIES,
        example="minimal",
    ),
    Key("zone", NAME, "the zone that is lost", absent="each zone in turn", example="us-east-1a"),
    Key("nodes", COUNT, "nodes started at the same time", default=10, unit="nodes", low=1, high=100_000, example=20),
    Key("spread", WORD, "where they start", default="even", words=BURST_SPREADS, example="worst"),
    Key(
        "share",
        PERCENT,
        "share of the nodes that are replaced at the same time",
        default=Fraction(3, 10),
        absent="30%",
        high=100,
        above=True,
        example="30%",
    ),
)
SCENARIO_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "steady": (),
    "peak": (),
    "ceiling": (),
    "rollout": ("mode", "workload"),
    "upgrade": ("group", "strategy"),
    "zone-loss": ("zone",),
    "burst": ("nodes", "spread", "group"),
    "blue-green": ("group",),
    "spot-storm": ("share", "group"),
}
CHECKS = Keys(
    "checks",
    "the rules for the verdict",
    Key(
        "minFree",
        PERCENT,
        "share of each subnet's usable addresses that must stay free",
        default=Fraction(1, 5),
        absent="20%",
        high=100,
        example="20%",
    ),
    Key(
        "scenarios",
        SCENARIO_LIST,
        "names, names joined by `+`, or a name with options",
        absent="those for which the plan has data",
        of=OPTIONS,
        example=["steady", "peak"],
    ),
)
PLAN = Keys(
    "",
    "a cluster in its VPC",
    Key("apiVersion", CONSTANT, "version of the format", required=True, words=(API_VERSION,), example=API_VERSION),
    Key("metadata", MAPPING, "[name of the plan](#metadata)", absent="the file's name", of=METADATA),
    Key("region", NAME, "AWS Region; decides which prices are used", absent="no prices", high=40, example="us-east-1"),
    Key("account", NAME, "AWS account; only `fleet` uses it, for quotas", high=64, example="111122223333"),
    Key("kubernetes", MAPPING, "[cluster](#kubernetes)", of=KUBERNETES),
    Key("cni", MAPPING, "[VPC CNI, Cilium or an overlay](#cni)", absent="the chart's settings", of=CNI),
    Key("vpc", MAPPING, "[blocks and subnets](#vpc)", required=True, of=VPC),
    Key(
        "controlPlane",
        MAPPING,
        "`subnets`: names of the cluster's subnets",
        absent="none counted, with a note",
        of=CONTROL_PLANE,
    ),
    Key("nodeGroups", ENTRIES, "[nodes](#nodegroups)", absent="no nodes", of=NODE_GROUP),
    Key("workloads", ENTRIES, "[pods](#workloads)", absent="no pods", of=WORKLOAD),
    Key(
        "daemonSets",
        ENTRIES,
        "[pods on every node](#daemonsets)",
        absent="only the CNI's agent and kube-proxy",
        of=DAEMON_SET,
    ),
    Key("services", ENTRIES, "[Services](#services), for `capacity services`", absent="unknown", of=SERVICE),
    Key("tenants", ENTRIES, "[what else uses addresses](#tenants)", absent="none counted, with a note", of=TENANT),
    Key(
        "checks",
        MAPPING,
        "[the rules for the verdict](#checks)",
        absent="20% free, the scenarios for which the plan has data",
        of=CHECKS,
    ),
)
