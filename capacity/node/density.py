"""Computes the pods that a node's network interfaces can address, and each platform's max pods.

Every function takes ints or integer arrays of one broadcast shape.
"""

from __future__ import annotations

from capacity.plan.constants import HOST_PODS, PREFIX_SIZE
from capacity.units import IntLike, larger, smaller

WINDOWS_MAX_PODS = 110  # kubelet's default; best-practices guide @dc0243a prefix-mode_windows.adoc L39
CAP_SMALL, CAP_LARGE, LARGE_ABOVE_VCPUS = 110, 250, 30
AUTO_MAX_PODS = 110  # awsdocs/amazon-eks-user-guide@4d52b4d nodes/choosing-instance-type.adoc L112-117


def pod_addresses(enis: IntLike, ips_per_eni: IntLike, prefix: IntLike) -> IntLike:
    """Addresses for pods on a number of ENIs, without the primary addresses. [addresses]

    ``prefix`` is 1 if each slot has a /28 instead of one address, otherwise 0.

    Source
    ------
    aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go L2570-2584.

    Examples
    --------
    >>> pod_addresses(enis=3, ips_per_eni=10, prefix=0), pod_addresses(enis=3, ips_per_eni=10, prefix=1)
    (27, 432)
    """
    return enis * (ips_per_eni - 1) * (1 + (PREFIX_SIZE - 1) * prefix)


def eni_limited_pods(addresses: IntLike) -> IntLike:
    """Pods on a node with the given pod addresses, plus two host-network pods. [pods]

    Source
    ------
    awslabs/amazon-eks-ami@81fec2e8 nodeadm/internal/kubelet/eni_max_pods.go L75-77.

    Examples
    --------
    >>> eni_limited_pods(27)  # m5.large: 3 * (10 - 1) + 2
    29
    """
    return addresses + HOST_PODS


def recommended_cap(vcpus: IntLike) -> IntLike:
    """Most pods that AWS recommends on a node: 110, or 250 above 30 vCPUs. [pods]

    No EC2 type has 29 to 31 vCPUs, so the documents' "less than 30" is equivalent.

    Source
    ------
    max-pods-calculator.sh L149-162 (as above); awsdocs/amazon-eks-user-guide@4d52b4d choosing-instance-type.adoc L108.

    Examples
    --------
    >>> recommended_cap(16), recommended_cap(32)
    (110, 250)
    """
    return CAP_SMALL + (CAP_LARGE - CAP_SMALL) * (vcpus > LARGE_ABOVE_VCPUS)


def recommended_pods(pods: IntLike, vcpus: IntLike) -> IntLike:
    """Max pods of AWS's calculator: the formula, capped. [pods]

    >>> recommended_pods(234, vcpus=16)  # m5.4xlarge
    110
    """
    return smaller(pods, recommended_cap(vcpus))


def karpenter_pods(limit: IntLike, ips_per_eni: IntLike, reserved: IntLike) -> IntLike:
    """Max pods that Karpenter passes to a Linux node: ignores prefixes, 0 if no ENI is left. [pods]

    Source
    ------
    aws/karpenter-provider-aws@1d927085 pkg/providers/instancetype/types.go L641-661.

    Examples
    --------
    >>> karpenter_pods(limit=3, ips_per_eni=12, reserved=1), karpenter_pods(limit=3, ips_per_eni=12, reserved=9)
    (24, 0)
    """
    enis = larger(limit - reserved, 0)
    return eni_limited_pods(pod_addresses(enis, ips_per_eni, 0)) * (enis > 0)
