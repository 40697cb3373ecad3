"""CNIs that give pods addresses of their own network, and the names of their node agents."""

from __future__ import annotations

from capacity.errors import did_you_mean

CNIS = ("vpc-cni", "cilium", "overlay")
AGENT = "cni-agent"  # the implied one, where the plan names none of AGENTS
AGENTS = (
    AGENT,
    "calico-node",
    "canal",
    "cilium",
    "kube-flannel-ds",
    "kube-flannel",
    "antrea-agent",
    "weave-net",
    "kube-ovn-cni",
    "kube-router",
)
OVERLAYS = ("calico", "flannel", "canal", "antrea", "weave", "weave-net", "kube-ovn", "kube-router", "cluster-pool")
# What people call a CNI, and what to write for it; the others are overlays and nothing else.
_CALICO = "'overlay' for Calico with VXLAN or IP-in-IP, 'vpc-cni' where it only enforces policies beside the VPC CNI"
_ALIASES = {
    **dict.fromkeys(("calico", "tigera"), _CALICO),
    "cilium-eni": "'cilium' for its ENI mode",
    "cilium-overlay": "'overlay' for Cilium with cluster-pool",
    "cluster-pool": "'overlay' for Cilium with cluster-pool",
    **dict.fromkeys(("aws-node", "aws-vpc-cni", "amazon-vpc-cni", "aws", "vpc"), "'vpc-cni'"),
}


def which_name(given: str) -> str:
    """What to write instead of a CNI's name that is none of :data:`CNIS`, to be put after a message.

    >>> which_name("flannel"), which_name("overlya"), which_name("xyz")
    (" (expected 'overlay')", " (did you mean 'overlay'?)", '')
    """
    word = given.strip().lower()
    found = _ALIASES.get(word) or ("'overlay'" if word in OVERLAYS else "")
    if found:
        return f" (expected {found})"
    return did_you_mean(given, CNIS)
