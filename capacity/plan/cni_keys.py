"""Keys of the plan's CNI."""

from __future__ import annotations

from capacity.plan.constants import CNIS
from capacity.plan.declaration import CONFIG_MAP_DATA, COUNT, FLAG, MAPPING, VARIABLES, VERSION, WORD, Key, Keys

MOST_TARGET = 1_000_000  # of Cilium's targets: beyond every node's room
LAST_INDEX = 15  # no type has more ENIs on its default network card

CILIUM = Keys(
    "cni.cilium",
    "Cilium's ENI mode, with `name: cilium`",
    Key(
        "preAllocate", COUNT, "addresses kept free on a node", absent="8", unit="addresses", high=MOST_TARGET, example=6
    ),
    Key(
        "minAllocate",
        COUNT,
        "minimum number of addresses held",
        absent="0",
        unit="addresses",
        high=MOST_TARGET,
        example=20,
    ),
    Key(
        "maxAllocate",
        COUNT,
        "number of addresses at which it stops requesting",
        absent="0: the limit of the type's ENIs",
        unit="addresses",
        high=MOST_TARGET,
        example=200,
    ),
    Key(
        "maxAboveWatermark",
        COUNT,
        "addresses added to every request",
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
        "a pod can use the primary address of an ENI; off with firstInterfaceIndex 0, invalid with prefixDelegation",
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
        "`cilium` is its ENI mode, `overlay` any CNI whose pods use no address of the VPC",
        absent="vpc-cni",
        words=CNIS,
        example="vpc-cni",
    ),
    Key("version", VERSION, "as written, such as `1.23.1`", absent="the newest", unit="CNI", example="1.23.1"),
    Key(
        "env",
        VARIABLES,
        "environment of the aws-node DaemonSet, pasted unchanged (VPC CNI only)",
        absent="the chart's values",
        example={"WARM_ENI_TARGET": "1"},
    ),
    Key(
        "windows",
        CONFIG_MAP_DATA,
        "data of the ConfigMap kube-system/amazon-vpc-cni, for Windows nodes (VPC CNI only)",
        absent="the chart's values",
        example={"warm-ip-target": "2"},
    ),
    Key("cilium", MAPPING, "settings of Cilium's ENI mode, with `name: cilium`", absent="Cilium's defaults", of=CILIUM),
)
