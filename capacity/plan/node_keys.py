"""Keys of the plan's node groups."""

from __future__ import annotations

from capacity.plan.constants import AMIS, CAPACITY_TYPES, MOST_PODS, PROVISIONERS, SPREADS, UPDATE_STRATEGIES
from capacity.plan.declaration import (
    CONSTANT,
    COUNT,
    COUNT_OR_MAPPING,
    COUNT_OR_PERCENT,
    CPU,
    MAPPING,
    MEMORY,
    NAMES,
    TEXT,
    WORD,
    WORD_OR_WEIGHTS,
    Key,
    Keys,
    name_key,
)

NODES = Keys(
    "nodeGroups[].nodes",
    "nodes of a group; a single number sets all three",
    Key("min", COUNT, "minimum number of nodes", default=0, unit="nodes", example=1),
    Key("desired", COUNT, "current number of nodes", absent="the fewest that fit the pods", unit="nodes", example=3),
    Key("max", COUNT, "maximum number of nodes", absent="no limit", unit="nodes", example=6),
)
UPDATE = Keys(
    "nodeGroups[].update",
    "the rolling update of a managed node group",
    Key(
        "maxUnavailable",
        COUNT_OR_PERCENT,
        "nodes replaced at the same time",
        default=1,
        unit="nodes",
        low=1,
        high=100,
        example=1,
    ),
    Key(
        "maxUnavailablePercentage",
        COUNT,
        "a percentage of the nodes, instead of `maxUnavailable`",
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
    name_key(),
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
        "number of nodes",
        absent="0, the fewest that fit the pods, no limit",
        unit="nodes",
        of=NODES,
    ),
    Key("subnets", NAMES, "names of the nodes' subnets", required=True, example=["private-a", "private-b"]),
    Key(
        "podSubnets",
        NAMES,
        "names; required with custom networking, at least one in each zone of the nodes (not for Windows, whose pods "
        "stay in the node's subnet); with Cilium, the subnets of its ENIs if firstInterfaceIndex is 1 or more",
        example=["pods-a", "pods-b"],
    ),
    Key("update", MAPPING, "rolling update of a managed group", of=UPDATE),
    Key(
        "maxPods",
        COUNT,
        "max pods set by hand",
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
        "spread of the nodes over the zones, such as `worst` or `{us-east-1a: 2, us-east-1b: 50%}`",
        default="even",
        words=SPREADS,
        example="even",
    ),
    Key("capacityType", WORD, "purchase option", default="on-demand", words=CAPACITY_TYPES, example="spot"),
    Key(
        "limits",
        MAPPING,
        "limits of a Karpenter or Auto Mode NodePool, instead of `nodes.max`",
        absent="none",
        of=LIMITS,
    ),
    Key("reservedEnis", COUNT, "Karpenter's RESERVED_ENIS", default=0, unit="ENIs", high=1_000_000, example=1),
    Key(
        "unmanagedEnis",
        COUNT,
        "ENIs on each node that the CNI does not manage",
        default=0,
        unit="ENIs",
        high=100,
        example=1,
    ),
)
FARGATE = Keys(
    "nodeGroups[] with `provisioner: fargate`",
    "a Fargate profile",
    name_key(),
    Key("provisioner", CONSTANT, "", required=True, words=("fargate",), example="fargate"),
    Key("subnets", NAMES, "names of its pods' subnets", required=True, example=["private-a", "private-b"]),
)
