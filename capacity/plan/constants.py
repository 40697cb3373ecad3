"""Words with a fixed set of values, and numbers of AWS and Kubernetes, that several rooms need: their one home."""

from __future__ import annotations

from fractions import Fraction

API_VERSION = "capacity/v1"

SYSTEMS = ("linux", "windows")  # of a node
AMIS = ("al2023", "al2", "bottlerocket", "windows")
NODE_PROVISIONERS = ("managed", "self-managed", "karpenter", "auto")
PROVISIONERS = (*NODE_PROVISIONERS, "fargate")
CAPACITY_TYPES = ("on-demand", "spot")
TIERS = ("standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl")  # EKS API, ControlPlaneScalingConfig.tier
MODES = ("secondary", "prefix", "ipv6")  # in which the VPC CNI gives pods addresses

PREFIX_SIZE = 16  # addresses of a /28; aws/aws-eks-best-practices@dc0243a prefix-mode_linux.adoc L22
HOST_PODS = 2  # aws-node and kube-proxy, on the host's network of every Linux node
QUARTER = Fraction(1, 4)  # Kubernetes' default for maxSurge and maxUnavailable
