"""Findings about network policy: strict mode, its CNI version, and two engines at the same time."""

from __future__ import annotations

from collections.abc import Iterator

from capacity.advice.findings.codes import Finding, finding
from capacity.plan.model import Plan
from capacity.plan.versions import version_numbers

MODE = "NETWORK_POLICY_ENFORCING_MODE"
STRICT_SINCE = (1, 17, 1)  # release notes of VPC CNI 1.17.1
ENGINES = ("calico-node", "cilium")  # agents that enforce policies, as DaemonSets are called


def policy_findings(plan: Plan) -> Iterator[Finding]:
    """Findings about the network policy engines that a plan names."""
    mode = plan.cni.env.get(MODE)
    if mode == "strict":
        text = "strict network policies: a new pod can reach nothing until a policy allows it, CoreDNS included"
        yield finding("NP001", f"cni.env.{MODE}", text)
        version = version_numbers(plan.cni.version)
        if version is not None and version < STRICT_SINCE:
            text = f"strict network policies require VPC CNI 1.17.1 or later, not {plan.cni.version}"
            yield finding("NP002", "cni.version", text)
    others = [d.name for d in plan.daemon_sets if d.name.rpartition("/")[2] in ENGINES]
    if mode and others and plan.cni.name == "vpc-cni":
        text = f"{', '.join(others)} and the VPC CNI both enforce network policies"
        yield finding("NP003", f"daemonSets.{others[0]}", text)
