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

# --- cluster ------------------------------------------------------------------------------------

METADATA = Keys(
    "metadata",
    "what the plan is called",
    name_key("name of the plan"),
    Key("labels", LABELS, "not read", example={"team": "shop"}),
    Key("annotations", LABELS, "read and written by imports only", example={"note": "any text"}),
)
KUBERNETES = Keys(
    "kubernetes",
    "the cluster",
    Key("version", VERSION, 'as written, such as `"1.34"`', unit="Kubernetes", example="1.34"),
    Key("serviceCidr", BLOCK, "block of Services, outside the VPC's blocks", low=12, high=24, example="172.20.0.0/16"),
    Key("ipFamily", WORD, "family of pods", default="ipv4", words=IP_FAMILIES, example="ipv4"),
    Key("services", COUNT, "Services of the cluster", absent="unknown", unit="Services", example=300),
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
        "`prefix`: only prefixes of ENIs; `explicit`: only addresses that are named",
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
        "addresses taken by what the plan does not model, without AWS's five",
        default=0,
        unit="addresses",
        high=65531,  # of a /16; each subnet's own size is a rule of the parser
        example=10,
    ),
    Key("reservations", ENTRIES, "CIDR reservations", absent="none", of=RESERVATION),
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
        "cidrs",
        BLOCKS,
        "the VPC's IPv4 blocks, not overlapping",
        required=True,
        low=16,
        high=28,
        example=["10.0.0.0/16"],
    ),
    Key("subnets", ENTRIES, "[subnets](#vpcsubnets), one at least", required=True, of=SUBNET),
)
CONTROL_PLANE = Keys(
    "controlPlane",
    "the cluster's network interfaces",
    Key("subnets", NAMES, "names of the cluster's subnets", required=True, example=["private-a", "private-b"]),
)

# --- what else takes addresses, and checks ----------------------------------------------------------

TENANT = Keys(
    "tenants[]",
    "what else takes addresses",
    Key("kind", TENANT_KIND, "below", required=True, example="alb"),
    name_key("for messages", required=False, absent="the kind, or the other plan's name"),
    Key(
        "subnets",
        NAMES,
        "names; the tenant is in each (required without `plan`)",
        absent="with `plan`: those of both plans",
        example=["private-a", "private-b"],
    ),
    Key("addresses", COUNT, "per subnet", absent="the kind's number", unit="addresses", high=65536, example=8),
    Key(
        "plan",
        NAME,
        "only of kind `cluster`: the plan file of a cluster in the same subnets, relative to this file; instead of "
        "`subnets` and `addresses`",
        high=1024,
        example="staging.yaml",
    ),
)
OPTIONS = Keys(
    "checks.scenarios[]",
    "options of a scenario",
    Key("mode", WORD, "deployments that roll out at once", default="all", words=ROLLOUT_MODES, example="one"),
    Key(
        "workload", NAME, "the one workload", absent="all; with `mode: one` the one with most surge pods", example="web"
    ),
    Key(
        "group",
        NAME,
        "the one node group",
        absent="all; for `burst` the one that takes most addresses",
        example="general",
    ),
    Key("strategy", WORD, "update strategy", absent="each group's own", words=UPDATE_STRATEGIES, example="minimal"),
    Key("zone", NAME, "the zone that is lost", absent="each zone in turn", example="us-east-1a"),
    Key("nodes", COUNT, "nodes started at once", default=10, unit="nodes", low=1, high=100_000, example=20),
    Key("spread", WORD, "where they start", default="even", words=BURST_SPREADS, example="worst"),
    Key(
        "share",
        PERCENT,
        "share of the nodes that is replaced at once",
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
    "what to hold the plan to",
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
        "names, names joined by `+`, or one with options",
        absent="those the plan can feed",
        of=OPTIONS,
        example=["steady", "peak"],
    ),
)
PLAN = Keys(
    "",
    "a cluster in its VPC",
    Key("apiVersion", CONSTANT, "version of the format", required=True, words=(API_VERSION,), example=API_VERSION),
    Key("metadata", MAPPING, "[name of the plan](#metadata)", absent="the file's name", of=METADATA),
    Key("region", NAME, "AWS region; decides which prices are known", absent="no prices", high=40, example="us-east-1"),
    Key("kubernetes", MAPPING, "[cluster](#kubernetes)", of=KUBERNETES),
    Key("cni", MAPPING, "[VPC CNI, Cilium or an overlay](#cni)", absent="the chart's settings", of=CNI),
    Key("vpc", MAPPING, "[blocks and subnets](#vpc)", required=True, of=VPC),
    Key(
        "controlPlane",
        MAPPING,
        "`subnets`: names of the cluster's subnets",
        absent="none booked, with a note",
        of=CONTROL_PLANE,
    ),
    Key("nodeGroups", ENTRIES, "[nodes](#nodegroups)", absent="no nodes", of=NODE_GROUP),
    Key("workloads", ENTRIES, "[pods](#workloads)", absent="no pods", of=WORKLOAD),
    Key(
        "daemonSets",
        ENTRIES,
        "[pods on every node](#daemonsets)",
        absent="the CNI's agent and kube-proxy only",
        of=DAEMON_SET,
    ),
    Key("tenants", ENTRIES, "[what else takes addresses](#tenants)", absent="none booked, with a note", of=TENANT),
    Key(
        "checks",
        MAPPING,
        "[what to hold the plan to](#checks)",
        absent="20% free, the scenarios the plan can feed",
        of=CHECKS,
    ),
)
