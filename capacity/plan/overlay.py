"""CNIs that give pods addresses of a separate network, and the names of their node agents."""

from __future__ import annotations

AGENT = "cni-agent"  # the assumed agent if the plan names none of AGENTS
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
