"""The inputs of a simulation that no plan states: EC2's latency and limits, the pace of nodes and pods, the length.

Defaults with their sources; every one can be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from capacity.errors import SpecError, check_count, check_number
from capacity.sim.cluster_life import Pace
from capacity.sim.ec2_api import Bucket, Ec2Api
from capacity.sim.ec2_side import ALL_CALLS

# Medians. No vendor publishes them: the order of magnitude is that of the CNI's own metric awscni_aws_api_latency_ms
# (AssignPrivateIpAddresses 510 ms in aws/amazon-vpc-cni-k8s#3480), and "up to 10 s" for an ENI to be attached
# (its guide eni-and-ip-target, L54). [ms]
LATENCY_MS: Mapping[str, int] = {
    "DescribeNetworkInterfaces": 100,
    "DescribeSubnets": 100,
    "CreateTags": 100,
    "ModifyNetworkInterfaceAttribute": 100,
    "AssignPrivateIpAddresses": 300,
    "UnassignPrivateIpAddresses": 200,
    "CreateNetworkInterface": 500,
    "DescribeInstances": 100,
    "AttachNetworkInterface": 1500,
    "DetachNetworkInterface": 200,
    "DeleteNetworkInterface": 300,
    "AssignIpv6Addresses": 300,
}
LATENCY_SPREAD = 0.3  # sigma of the logarithm: 95% of the calls within 0.55 to 1.8 times the median
# Amazon EC2 developer guide, ec2-api-throttling: buckets of 100 tokens and 20 per second for non-mutating actions, 50
# and 5 for mutating ones. Single actions of an account can have other values (Service Quotas).
READS, WRITES = Bucket(100, 20), Bucket(50, 5)
BUCKETS: Mapping[str, Bucket] = {kind: READS if kind.startswith("Describe") else WRITES for kind in ALL_CALLS}
ASSUMED = (
    "Assumed, without a published source: the latency of EC2's calls, and how long nodes and pods take to start or "
    "end (--latency, --node-start, --node-end, --pod-stop, --pod-ready). The token buckets are those of EC2's "
    "categories; the account's buckets can differ (--bucket)."
)


@dataclass(frozen=True)
class SimulationInputs:
    """How the world around the pools behaves, and how long it is watched.

    Attributes
    ----------
    seconds : float
        Length of the timeline. [s]
    settle_s : float
        Time before it for pods to be placed and pools to settle. [s]
    step_s : float or None
        Between two samples; None: 120 samples in all. [s]
    churn : float
        Pods replaced per node and minute, besides the scenario; 0: what the workloads of the plan state. [pods/min]
    latency_ms, spread : mapping of str to int, float
        Median latency of EC2's calls, and sigma of its logarithm.
    failing : mapping of str to float
        Share of the calls of an action that fail.
    buckets : mapping of str to Bucket
        Token buckets of the account by action; empty: nothing is throttled.
    pace : Pace
        Start and end of nodes and pods.
    ramp_s : float
        Time in which autoscalers bring workloads to their maximum. [s]
    """

    seconds: float = 1800
    settle_s: float = 900
    step_s: float | None = None
    churn: float = 0.0
    latency_ms: Mapping[str, int] = field(default_factory=lambda: dict(LATENCY_MS))
    spread: float = LATENCY_SPREAD
    failing: Mapping[str, float] = field(default_factory=dict)
    buckets: Mapping[str, Bucket] = field(default_factory=lambda: dict(BUCKETS))
    pace: Pace = field(default_factory=Pace)
    ramp_s: float = 600

    def __post_init__(self) -> None:
        check_number("seconds", self.seconds, 1, 60 * 86_400, "seconds")
        check_number("settle_s", self.settle_s, 60, 86_400, "seconds")
        check_number("churn", self.churn, 0, 6000, "pods per minute and node")
        for kind, value in self.latency_ms.items():
            check_count(f"latency of {kind}", value)
        for kind, share in self.failing.items():
            if not 0 <= share < 1:
                raise SpecError(f"failures of {kind}: {share:g} is not a share (expected 0 or more, below 1)")

    @property
    def step(self) -> int:
        """Between two samples. [ms]"""
        return max(round(1000 * (self.step_s or self.seconds / 120)), 1)

    def api(self, random: Random) -> Ec2Api:
        """EC2's API, not throttling yet."""
        return Ec2Api(self.latency_ms, self.spread, {}, {}, random)
