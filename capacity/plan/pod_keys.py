"""Keys of the plan's workloads and DaemonSets."""

from __future__ import annotations

from fractions import Fraction

from capacity.plan.constants import ANTI_AFFINITIES, MONTHS, MOST, PERIODS, WEEKDAYS, ZONE_TOPOLOGY
from capacity.plan.declaration import (
    COUNT,
    COUNT_OR_MAPPING,
    COUNT_OR_PERCENT,
    CPU,
    DATE,
    ENTRIES,
    FACTOR,
    FLAG,
    MAPPING,
    MEMORY,
    NAMES,
    PERCENT,
    QUARTER,
    RATE,
    TEXT,
    WORD,
    Key,
    Keys,
    name_key,
)

MOST_FACTOR = 1000  # of a step or a season: beyond it somebody wrote a percentage as a number

REQUESTS = Keys(
    "workloads[].requests",
    "what a pod requests",
    Key("cpu", CPU, "such as `250m` or `2`", absent="none", example="250m"),
    Key("memory", MEMORY, "such as `512Mi` or `1Gi`", absent="none", example="512Mi"),
    Key("gpu", COUNT, "NVIDIA GPUs (`nvidia.com/gpu`)", default=0, unit="GPUs", high=64, example=1),
)
REPLICAS = Keys(
    "workloads[].replicas",
    "pods of a workload; a single number sets both",
    Key("now", COUNT, "current replicas", required=True, unit="pods", example=90),
    Key("max", COUNT, "maximum number of replicas", absent="same as `now`", unit="pods", example=240),
)
ROLLING_UPDATE = Keys(
    "workloads[].rollingUpdate",
    "the rolling update of a Deployment; not both 0",
    Key("maxSurge", COUNT_OR_PERCENT, "additional pods", default=QUARTER, unit="pods", example="25%"),
    Key("maxUnavailable", COUNT_OR_PERCENT, "pods that can be missing", default=QUARTER, unit="pods", example=0),
)
STEP = Keys(
    "workloads[].growth.steps[]",
    "a change on one day: exactly one of `replicas`, `add` and `factor`",
    Key("date", DATE, "the day", required=True, example="2026-05-01"),
    Key("replicas", COUNT, "sets the replicas", unit="pods", example=200),
    Key("add", COUNT, "adds replicas; a negative number removes some", unit="pods", low=-MOST, example=20),
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
    "weekly and yearly factors",
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
TOPOLOGY_SPREAD = Keys(
    "workloads[].topologySpread[]",
    "a topologySpreadConstraint with whenUnsatisfiable: DoNotSchedule",
    Key("key", WORD, "what pods are spread over", required=True, words=(ZONE_TOPOLOGY,), example=ZONE_TOPOLOGY),
    Key("maxSkew", COUNT, "pods that two zones may differ by", default=1, unit="pods", low=1, example=1),
)
_NODE_GROUPS = Key(
    "nodeGroups",
    NAMES,
    "names of the groups on which the pods can run",
    absent="any except Fargate profiles",
    example=["general"],
)
WORKLOAD = Keys(
    "workloads[]",
    "pods of one shape",
    name_key(),
    Key("replicas", COUNT_OR_MAPPING, "number of pods", required=True, unit="pods", of=REPLICAS),
    Key(
        "requests",
        MAPPING,
        "CPU, memory and GPUs",
        absent="0; the scheduler's score counts 100m and 200Mi",
        of=REQUESTS,
    ),
    Key("rollingUpdate", MAPPING, "`maxSurge` and `maxUnavailable`", absent="25% each", of=ROLLING_UPDATE),
    Key("hostNetwork", FLAG, "pods use the node's address", default=False, example="false"),
    Key("securityGroups", FLAG, "a branch ENI per pod", default=False, example="true"),
    _NODE_GROUPS,
    Key("volumes", COUNT, "EBS volumes that each pod attaches", default=0, unit="volumes", high=1000, example=1),
    Key(
        "topologySpread",
        ENTRIES,
        "spread over zones, see [below](#workloadstopologyspread)",
        absent="none",
        of=TOPOLOGY_SPREAD,
    ),
    Key(
        "antiAffinity",
        WORD,
        "`hostname`: at most one of its pods on a node, surge pods included",
        absent="none",
        words=ANTI_AFFINITIES,
        example="hostname",
    ),
    Key(
        "churn",
        TEXT,
        "pods replaced in the whole cluster, by restarts, deploys or a CronJob: for `simulate` and `warm`",
        absent="unknown",
        high=20,
        example="30/h",
    ),
    Key("growth", MAPPING, "for [forecasts](#workloadsgrowth)", absent="none", of=GROWTH),
)
DAEMON_SET = Keys(
    "daemonSets[]",
    "one pod on every node of its groups",
    name_key(),
    Key("hostNetwork", FLAG, "pods use the node's address", default=False, example="false"),
    Key("requests", MAPPING, "CPU, memory and GPUs", absent="0", of=REQUESTS),
    _NODE_GROUPS._replace(absent="all groups"),
)
