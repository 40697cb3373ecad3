"""Load balancers of a plan against their quotas, and one for each Service against a shared one."""

from __future__ import annotations

import pytest

from capacity.advice.findings.balancers import balancer_findings
from capacity.cost.inputs import CostInputs
from capacity.cost.rates import PriceBook
from capacity.errors import SpecError
from capacity.plan.model import Plan
from capacity.services.load_balancers import balancer_choices, load_balancers
from tests.fixtures.plans import plan_of

HEAD = """
apiVersion: capacity/v1
region: us-east-1
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {name: a, zone: us-east-1a, cidr: 10.0.0.0/20}
    - {name: b, zone: us-east-1b, cidr: 10.0.16.0/20}
nodeGroups:
  - {name: g, instanceTypes: [m5.large], nodes: {min: 1, max: 300}, subnets: [a, b]}
  - {name: h, instanceTypes: [m5.large], nodes: 5, subnets: [a, b]}
workloads:
  - {name: web, replicas: {now: 10, max: 700}}
  - {name: api, replicas: 301}
"""


def plan(tenant: str, text: str = HEAD) -> Plan:
    return plan_of(f"{text}tenants: [{{name: lb, subnets: [a, b], {tenant}}}]\n")


def uses(tenant: str) -> dict[str, tuple[int, str]]:
    (found,) = load_balancers(plan(tenant))
    return {use.quota.name: (use.used, use.verdict) for use in found.uses}


def test_targets_are_pods_at_their_maximum() -> None:
    (found,) = load_balancers(plan("kind: alb, workloads: [web, api]"))
    assert (found.targets, found.largest_group, found.target_groups) == (1001, 700, 2)
    assert (found.addresses, found.lowest, found.zones) == (16, 2, 2)
    assert uses("kind: alb, workloads: [web, api]")["alb_targets"] == (1001, "raise")
    assert uses("kind: alb, workloads: [web]")["alb_targets"] == (700, "ok")


def test_targets_are_nodes_in_every_group() -> None:
    (found,) = load_balancers(plan("kind: nlb, targetType: instance, workloads: [web, api]"))
    assert (found.targets, found.largest_group) == (2 * 305, 305)
    assert uses("kind: nlb, targetType: instance, workloads: [web, api]")["nlb_zone_targets"] == (305, "ok")
    endless = HEAD.replace("nodes: {min: 1, max: 300}", "nodes: {min: 1}, provisioner: karpenter")
    (found,) = load_balancers(plan("kind: nlb, targetType: instance, workloads: [web]", endless))
    assert found.targets is None
    assert "nlb_targets" not in {use.quota.name for use in found.uses}


def test_an_nlb_counts_targets_by_zone() -> None:
    assert uses("kind: nlb, workloads: [web, api]")["nlb_zone_targets"] == (501, "raise")  # ⌈1,001 ÷ 2⌉
    assert uses("kind: nlb, workloads: [web]")["nlb_zone_targets"] == (350, "ok")


@pytest.mark.parametrize(
    ("tenant", "severity"),
    [
        ("kind: alb, rules: 101", "warning"),
        ("kind: alb, rules: 100", ""),
        ("kind: alb, certificates: 26", "warning"),
        ("kind: alb, certificates: 25", ""),
        ("kind: nlb, rules: 101", ""),
        ("kind: nlb, securityGroups: 6", "warning"),
        ("kind: nlb, securityGroups: 17", "error"),
        ("kind: nlb, securityGroups: 5", ""),
        ("kind: clb, securityGroups: 6", "warning"),
    ],
)
def test_findings(tenant: str, severity: str) -> None:
    found = list(balancer_findings(plan(tenant)))
    assert [f.severity for f in found] == ([severity] if severity else [])
    assert all(f.code == "LB001" and f.where == "tenants.lb" for f in found)


@pytest.mark.parametrize(
    ("tenant", "said"),
    [
        ("kind: efs, scheme: internal", "scheme: does not apply to a tenant of kind 'efs'"),
        ("kind: alb, scheme: public", "scheme: 'public' is not one of internal, internet-facing"),
        ("kind: alb, workloads: [wbe]", "there is no workload 'wbe'"),
        ("kind: alb, targetType: pods", "targetType: 'pods' is not one of ip, instance"),
    ],
)
def test_wrong_keys(tenant: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        plan(tenant)
    assert said in str(caught.value)


class TestChoices:
    def choices(self, services: int, targets: int, region: str | None = "us-east-1") -> list[tuple[object, ...]]:
        book = PriceBook(region, CostInputs())
        return [tuple(c)[1:] for c in balancer_choices(services, targets, 3, book)]

    def test_one_shared_is_enough(self) -> None:
        assert self.choices(40, 400) == [
            ("nlb", 40, 120, 657.0, ""),
            ("alb", 40, 960, 657.0, ""),
            ("alb", 1, 24, 16.43, ""),
        ]

    def test_the_quota_that_needs_more(self) -> None:
        assert self.choices(101, 400)[2][1:] == (
            2,
            48,
            32.85,
            "Rules of an Application Load Balancer, without the default ones",
        )
        assert self.choices(100, 1001)[2][1:3] == (2, 48)
        assert "Targets" in str(self.choices(100, 1001)[2][4])
        assert self.choices(0, 0)[2][1:] == (0, 0, 0.0, "")

    def test_without_a_price(self) -> None:
        assert self.choices(1, 1, "eu-west-1")[0][3] is None
        assert self.choices(1, 1, None)[0][3] is None
