"""Findings about network policy engines."""

from __future__ import annotations

import pytest

from capacity.advice.findings.codes import codes
from capacity.advice.findings.policies import policy_findings
from tests.fixtures.plans import plan_of

HEAD = """
apiVersion: capacity/v1
vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/22}]}
nodeGroups: [{name: g, instanceTypes: [m5.large], subnets: [a]}]
"""
STRICT = "env: {NETWORK_POLICY_ENFORCING_MODE: strict}"
STANDARD = "env: {NETWORK_POLICY_ENFORCING_MODE: standard}"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"cni: {{{STRICT}}}", ["NP001"]),
        (f"cni: {{{STRICT}, version: 1.17.0}}", ["NP001", "NP002"]),
        (f"cni: {{{STRICT}, version: 1.17.1}}", ["NP001"]),
        (f"cni: {{{STANDARD}, version: 1.16.0}}", []),
        (f"cni: {{{STANDARD}}}\ndaemonSets: [{{name: calico-node}}]", ["NP003"]),
        (f"cni: {{{STANDARD}}}\ndaemonSets: [{{name: kube-system/calico-node}}]", ["NP003"]),
        (f"cni: {{{STANDARD}}}\ndaemonSets: [{{name: logs}}]", []),
        ("daemonSets: [{name: calico-node}]", []),
    ],
)
def test_codes(text: str, found: list[str]) -> None:
    assert [f.code for f in policy_findings(plan_of(HEAD + text + "\n"))] == found


def test_every_code_is_triggered_above() -> None:
    assert [code for code in codes() if code.startswith("NP")] == ["NP001", "NP002", "NP003"]
