"""Every key of a plan file, declared once.

The parser, the JSON Schema, the order in which an import writes keys and the tables of
``docs/reference/plan-file.md`` all come from here. What needs two keys or another section (a name that must exist,
blocks that overlap) is a rule of the parser's sections, not of a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from capacity.plan.constants import (
    AMIS,
    API_VERSION,
    BURST_SPREADS,
    CAPACITY_TYPES,
    IP_FAMILIES,
    MONTHS,
    MOST,
    MOST_PODS,
    PERIODS,
    PROVISIONERS,
    QUARTER,
    RESERVATION_TYPES,
    ROLLOUT_MODES,
    SPREADS,
    UPDATE_STRATEGIES,
    WEEKDAYS,
)
from capacity.plan.declaration import (
    BLOCK,
    BLOCKS,
    CONFIG_MAP_DATA,
    CONSTANT,
    COUNT,
    COUNT_OR_MAPPING,
    COUNT_OR_PERCENT,
    CPU,
    DATE,
    ENTRIES,
    FACTOR,
    FLAG,
    LABELS,
    MAPPING,
    MEMORY,
    NAME,
    NAMES,
    PERCENT,
    RATE,
    SCENARIO_LIST,
    TAGS,
    TENANT_KIND,
    TEXT,
    VARIABLES,
    VERSION,
    WORD,
    WORD_OR_WEIGHTS,
    Key,
    Keys,
)
from capacity.plan.overlay import CNIS

MOST_TARGET = 1_000_000  # of Cilium's targets: beyond every node's room
LAST_INDEX = 15  # no type has more ENIs on its default network card
MOST_FACTOR = 1000  # of a step or a season: beyond it somebody wrote a percentage as a number


def _name(what: str = "unique among its kind", required: bool = True, absent: str = "") -> Key:
    return Key("name", NAME, what, required, absent=absent, example="general")


# --- cluster ------------------------------------------------------------------------------------

METADATA = Keys(
    "metadata",
    "what the plan is called",
    _name("name of the plan"),
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

# --- CNI ----------------------------------------------------------------------------------------

CILIUM = Keys(
    "cni.cilium",
    "Cilium's ENI mode, with `name: cilium`",
    Key(
        "preAllocate", COUNT, "addresses kept free on a node", absent="8", unit="addresses", high=MOST_TARGET, example=6
    ),
    Key("minAllocate", COUNT, "addresses held at least", absent="0", unit="addresses", high=MOST_TARGET, example=20),
    Key(
        "maxAllocate",
        COUNT,
        "addresses at which it stops asking",
        absent="0: what the type's ENIs hold",
        unit="addresses",
        high=MOST_TARGET,
        example=200,
    ),
    Key(
        "maxAboveWatermark",
        COUNT,
        "addresses requested on top, whenever it requests any",
        absent="0",
        unit="addresses",
        high=MOST_TARGET,
        example=2,
    ),
    Key(
        "firstInterfaceIndex", COUNT, "index of the first ENI that serves pods", absent="0", high=LAST_INDEX, example=1
    ),
    Key(
        "usePrimaryAddress",
        FLAG,
        "a pod may have an ENI's own address; with firstInterfaceIndex 0 counted as off, not with prefixDelegation",
        absent="false",
        example="false",
    ),
    Key("prefixDelegation", FLAG, "/28 prefixes instead of single addresses", absent="false", example="true"),
    Key("releaseExcessIps", FLAG, "addresses beyond the targets are released", absent="false", example="true"),
)
CNI = Keys(
    "cni",
    "the CNI",
    Key(
        "name",
        WORD,
        "`cilium` is its ENI mode, `overlay` any CNI whose pods take no address of the VPC",
        absent="vpc-cni",
        words=CNIS,
        example="vpc-cni",
    ),
    Key("version", VERSION, "as written, such as `1.23.1`", absent="the newest", unit="CNI", example="1.23.1"),
    Key(
        "env",
        VARIABLES,
        "environment of the aws-node daemonset, pasted as it is (VPC CNI only)",
        absent="the chart's values",
        example={"WARM_ENI_TARGET": "1"},
    ),
    Key(
        "windows",
        CONFIG_MAP_DATA,
        "data of ConfigMap kube-system/amazon-vpc-cni, which Windows nodes follow (VPC CNI only)",
        absent="the chart's values",
        example={"warm-ip-target": "2"},
    ),
    Key("cilium", MAPPING, "settings of Cilium's ENI mode, with `name: cilium`", absent="Cilium's defaults", of=CILIUM),
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
    _name(),
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

# --- nodes --------------------------------------------------------------------------------------

NODES = Keys(
    "nodeGroups[].nodes",
    "nodes of a group; a number alone is all three",
    Key("min", COUNT, "nodes at least", default=0, unit="nodes", example=1),
    Key("desired", COUNT, "nodes now", absent="the fewest that fit the pods", unit="nodes", example=3),
    Key("max", COUNT, "nodes at most", absent="no limit", unit="nodes", example=6),
)
UPDATE = Keys(
    "nodeGroups[].update",
    "the rolling update of a managed node group",
    Key(
        "maxUnavailable",
        COUNT_OR_PERCENT,
        "nodes replaced at a time",
        default=1,
        unit="nodes",
        low=1,
        high=100,
        example=1,
    ),
    Key(
        "maxUnavailablePercentage",
        COUNT,
        "the same as a percentage, instead of `maxUnavailable`",
        unit="%",
        low=1,
        high=100,
        example=10,
    ),
    Key(
        "strategy",
        WORD,
        "`default` starts new nodes first, `minimal` drains first",
        default="default",
        words=UPDATE_STRATEGIES,
        example="default",
    ),
)
LIMITS = Keys(
    "nodeGroups[].limits",
    "limits of a Karpenter or Auto Mode NodePool, instead of `nodes.max`",
    Key("cpu", CPU, "vCPUs of all its nodes, such as `400`", absent="none", example="400"),
    Key("memory", MEMORY, "memory of all its nodes, such as `1600Gi`", absent="none", example="1600Gi"),
)
NODE_GROUP = Keys(
    "nodeGroups[]",
    "nodes of one kind",
    _name(),
    Key(
        "instanceTypes",
        NAMES,
        "names; a managed on-demand group uses the first, any other group the cheapest for its pods "
        "([why](../explanation/model.md#several-instance-types-in-a-group))",
        required=True,
        high=64,
        example=["m5.large"],
    ),
    Key("ami", WORD, "AMI family", default="al2023", words=AMIS, example="al2023"),
    Key(
        "provisioner",
        WORD,
        "what starts the nodes; `auto` is EKS Auto Mode",
        default="managed",
        words=PROVISIONERS,
        example="managed",
    ),
    Key(
        "nodes",
        COUNT_OR_MAPPING,
        "how many",
        absent="0, the fewest that fit the pods, no limit",
        unit="nodes",
        of=NODES,
    ),
    Key("subnets", NAMES, "names of the nodes' subnets", required=True, example=["private-a", "private-b"]),
    Key(
        "podSubnets",
        NAMES,
        "names; required under custom networking, at least one in each zone of the nodes (not for Windows, whose pods "
        "stay in the node's subnet); with Cilium the subnets of its ENIs, where firstInterfaceIndex is 1 or more",
        example=["pods-a", "pods-b"],
    ),
    Key("update", MAPPING, "rolling update of a managed group", of=UPDATE),
    Key(
        "maxPods",
        COUNT,
        "set by hand",
        absent="[by platform](../explanation/max-pods.md)",
        unit="pods",
        low=1,
        high=MOST_PODS,
        example=110,
    ),
    Key(
        "maxPodsExpression",
        TEXT,
        "nodeadm's CEL expression, for self-managed AL2023",
        high=2000,
        example="max_pods * 2",
    ),
    Key(
        "spread",
        WORD_OR_WEIGHTS,
        "of the nodes over the zones, such as `worst` or `{us-east-1a: 2, us-east-1b: 50%}`",
        default="even",
        words=SPREADS,
        example="even",
    ),
    Key("capacityType", WORD, "purchase option", default="on-demand", words=CAPACITY_TYPES, example="spot"),
    Key("limits", MAPPING, "of a Karpenter or Auto Mode NodePool, instead of `nodes.max`", absent="none", of=LIMITS),
    Key("reservedEnis", COUNT, "Karpenter's RESERVED_ENIS", default=0, unit="ENIs", high=1_000_000, example=1),
    Key(
        "unmanagedEnis",
        COUNT,
        "ENIs on each node that the CNI leaves alone",
        default=0,
        unit="ENIs",
        high=100,
        example=1,
    ),
)
FARGATE = Keys(
    "nodeGroups[] with `provisioner: fargate`",
    "a Fargate profile",
    _name(),
    Key("provisioner", CONSTANT, "", required=True, words=("fargate",), example="fargate"),
    Key("subnets", NAMES, "names of its pods' subnets", required=True, example=["private-a", "private-b"]),
)

# --- pods ---------------------------------------------------------------------------------------

REQUESTS = Keys(
    "workloads[].requests",
    "what a pod requests",
    Key("cpu", CPU, "such as `250m` or `2`", absent="none", example="250m"),
    Key("memory", MEMORY, "such as `512Mi` or `1Gi`", absent="none", example="512Mi"),
)
REPLICAS = Keys(
    "workloads[].replicas",
    "pods of a workload; a number alone is both",
    Key("now", COUNT, "current replicas", required=True, unit="pods", example=90),
    Key("max", COUNT, "replicas at most", absent="as `now`", unit="pods", example=240),
)
ROLLING_UPDATE = Keys(
    "workloads[].rollingUpdate",
    "the rolling update of a Deployment; not both 0",
    Key("maxSurge", COUNT_OR_PERCENT, "pods on top", default=QUARTER, unit="pods", example="25%"),
    Key("maxUnavailable", COUNT_OR_PERCENT, "pods that may be missing", default=QUARTER, unit="pods", example=0),
)
STEP = Keys(
    "workloads[].growth.steps[]",
    "a change on one day: exactly one of `replicas`, `add` and `factor`",
    Key("date", DATE, "the day", required=True, example="2026-05-01"),
    Key("replicas", COUNT, "sets the replicas", unit="pods", example=200),
    Key("add", COUNT, "adds replicas, negative takes some away", unit="pods", low=-MOST, example=20),
    Key("factor", FACTOR, "multiplies them", high=MOST_FACTOR, example=1.5),
)
WEEKLY = Keys(
    "workloads[].growth.season.weekly",
    "a factor of each weekday",
    *(Key(day, FACTOR, "", absent="1", high=MOST_FACTOR, example=0.5) for day in WEEKDAYS),
)
YEARLY = Keys(
    "workloads[].growth.season.yearly",
    "a factor of each month",
    *(Key(month, FACTOR, "", absent="1", high=MOST_FACTOR, example=1.8) for month in MONTHS),
)
SEASON = Keys(
    "workloads[].growth.season",
    "what repeats",
    Key("weekly", MAPPING, "factors of `mon` … `sun`", absent="1 each", of=WEEKLY),
    Key("yearly", MAPPING, "factors of `jan` … `dec`", absent="1 each", of=YEARLY),
)
GROWTH = Keys(
    "workloads[].growth",
    "for forecasts",
    Key("rate", RATE, "compound growth, such as `4%/month`", absent="0", words=PERIODS, high=40, example="4%/month"),
    Key(
        "stddev",
        PERCENT,
        "standard deviation of the growth of one period",
        default=Fraction(0),
        absent="0%",
        example="1%",
    ),
    Key(
        "uncertainty", PERCENT, "standard deviation of the rate itself", default=Fraction(0), absent="0%", example="1%"
    ),
    Key("from", DATE, "launch: no pods before, growth counts from then", absent="no launch", example="2026-02-01"),
    Key("steps", ENTRIES, "changes on a day", absent="none", of=STEP),
    Key("season", MAPPING, "weekly and yearly factors", absent="none", of=SEASON),
)
_NODE_GROUPS = Key(
    "nodeGroups",
    NAMES,
    "names of the groups the pods may run on",
    absent="any but Fargate profiles",
    example=["general"],
)
WORKLOAD = Keys(
    "workloads[]",
    "pods of one shape",
    _name(),
    Key("replicas", COUNT_OR_MAPPING, "how many", required=True, unit="pods", of=REPLICAS),
    Key("requests", MAPPING, "CPU and memory", absent="0; the scheduler's score counts 100m and 200Mi", of=REQUESTS),
    Key("rollingUpdate", MAPPING, "`maxSurge` and `maxUnavailable`", absent="25% each", of=ROLLING_UPDATE),
    Key("hostNetwork", FLAG, "pods on the node's address", default=False, example="false"),
    Key("securityGroups", FLAG, "a branch ENI per pod", default=False, example="true"),
    _NODE_GROUPS,
    Key("volumes", COUNT, "EBS volumes that each pod attaches", default=0, unit="volumes", high=1000, example=1),
    Key("growth", MAPPING, "for [forecasts](#workloadsgrowth)", absent="none", of=GROWTH),
)
DAEMON_SET = Keys(
    "daemonSets[]",
    "one pod on every node of its groups",
    _name(),
    Key("hostNetwork", FLAG, "pods on the node's address", default=False, example="false"),
    Key("requests", MAPPING, "CPU and memory", absent="0", of=REQUESTS),
    _NODE_GROUPS._replace(absent="all groups"),
)

# --- what else takes addresses, and checks ----------------------------------------------------------

TENANT = Keys(
    "tenants[]",
    "what else takes addresses",
    Key("kind", TENANT_KIND, "below", required=True, example="alb"),
    _name("for messages", required=False, absent="the kind, or the other plan's name"),
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
