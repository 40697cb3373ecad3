"""Fixed words, and numbers of AWS and Kubernetes, that several rooms use."""

from __future__ import annotations

API_VERSION = "capacity/v1"

SYSTEMS = ("linux", "windows")  # of a node
AMIS = ("al2023", "al2", "bottlerocket", "windows")
NODE_PROVISIONERS = ("managed", "self-managed", "karpenter", "auto")
PROVISIONERS = (*NODE_PROVISIONERS, "fargate")
ARCHS = ("x86_64", "arm64")  # of an instance type, as EC2 names them
CAPACITY_TYPES = ("on-demand", "spot")
TIERS = ("standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl")  # EKS API, ControlPlaneScalingConfig.tier
ZONE_TOPOLOGY = "topology.kubernetes.io/zone"  # topologyKey of a spread over zones
ANTI_AFFINITIES = ("hostname",)  # at most one pod of a workload on a node
VPC_CNI, CILIUM, OVERLAY = CNIS = ("vpc-cni", "cilium", "overlay")  # which of them gives pods their addresses
MODES = ("secondary", "prefix", "ipv6")  # in which the VPC CNI gives pods addresses
GROUP_FORMS = ("plan", "eksctl", "terraform", "karpenter", "cloudformation")  # in which node groups are written
IP_FAMILIES = ("ipv4", "ipv6")
SCHEMES = ("internal", "internet-facing")  # of a load balancer
TARGET_TYPES = ("ip", "instance")
RESERVATION_TYPES = ("prefix", "explicit")  # of a subnet CIDR reservation
UPDATE_STRATEGIES = ("default", "minimal")  # of a managed node group
SPREADS = ("even", "worst")  # spread of a node group's nodes over its zones
BURST_SPREADS = (*SPREADS, "one")
ROLLOUT_MODES = ("all", "one")  # deployments that roll out at the same time

AT_REST = ("steady", "peak", "ceiling")
SCENARIOS = (*AT_REST, "rollout", "upgrade", "zone-loss", "burst", "blue-green", "spot-storm")

PERIODS = ("day", "week", "month", "quarter", "year")  # of a rate of growth
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

PREFIX_SIZE = 16  # addresses of a /28; aws/aws-eks-best-practices@dc0243a prefix-mode_linux.adoc L22
HOST_PODS = 2  # aws-node and kube-proxy, on the host's network of every Linux node

MOST = 10_000_000  # largest count of anything, far above any cluster, VPC or fleet; bounds the arithmetic
MOST_PODS = 100_000  # on one node, far above any kubelet
