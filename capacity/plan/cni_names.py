"""Names of CNIs as people write them, and what to write in a plan."""

from __future__ import annotations

from capacity.errors import did_you_mean
from capacity.plan.constants import CNIS

OVERLAYS = ("calico", "flannel", "canal", "antrea", "weave", "weave-net", "kube-ovn", "kube-router", "cluster-pool")
# Common names of CNIs, and what to write for them; names not listed here are overlays only.
_CALICO = "'overlay' for Calico with VXLAN or IP-in-IP, 'vpc-cni' if it only enforces policies for the VPC CNI"
_ALIASES = {
    **dict.fromkeys(("calico", "tigera"), _CALICO),
    "cilium-eni": "'cilium' for its ENI mode",
    "cilium-overlay": "'overlay' for Cilium with cluster-pool",
    "cluster-pool": "'overlay' for Cilium with cluster-pool",
    **dict.fromkeys(("aws-node", "aws-vpc-cni", "amazon-vpc-cni", "aws", "vpc"), "'vpc-cni'"),
}


def which_name(given: str) -> str:
    """A hint for a CNI name that is not in :data:`CNIS`, to append to a message.

    >>> which_name("flannel"), which_name("overlya"), which_name("xyz")
    (" (expected 'overlay')", " (did you mean 'overlay'?)", '')
    """
    word = given.strip().lower()
    found = _ALIASES.get(word) or ("'overlay'" if word in OVERLAYS else "")
    if found:
        return f" (expected {found})"
    return did_you_mean(given, CNIS)
