"""The network in a plan's cost: by hand, and left out unless it is asked."""

from __future__ import annotations

from fractions import Fraction

import pytest

from capacity.cluster.check import check
from capacity.cost.bill import plan_cost
from capacity.cost.dollar_words import terms
from capacity.cost.inputs import CostInputs, NetworkUse
from capacity.cost.plan_cost import Cost
from capacity.errors import SpecError
from tests.fixtures.plans import plan_of

TEXT = """
apiVersion: capacity/v1
region: us-east-1
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {name: a, zone: us-east-1a, cidr: 10.0.0.0/22}
    - {name: b, zone: us-east-1b, cidr: 10.0.4.0/22}
nodeGroups: [{name: g, instanceTypes: [m5.large], nodes: 2, subnets: [a, b]}]
workloads: [{name: web, replicas: 2}]
tenants:
  - {kind: alb, name: public, subnets: [a, b], scheme: internet-facing}
  - {kind: nlb, name: inner, subnets: [a, b]}
  - {kind: natGateway, name: nat, subnets: [a, b]}
  - {kind: vpcEndpoint, name: ecr, subnets: [a, b]}
  - {kind: efs, name: files, subnets: [a, b]}
"""


def cost(inputs: CostInputs, text: str = TEXT) -> Cost:
    return plan_cost(check(plan_of(text), ["steady"]), inputs).costs[0]


def test_every_line_by_hand() -> None:
    found = cost(CostInputs(network=NetworkUse(cross_zone_gb=100, nat_gb=1000)))
    lines = {(line.item, line.where): line.usd_per_month for line in found.lines[2:]}
    assert lines == {
        ("load-balancer", "public"): 16.43,  # 0.0225 × 730 = 16.425
        ("public-ipv4", "public"): 7.30,  # 2 × 0.005 × 730
        ("load-balancer", "inner"): 16.43,
        ("nat-gateway", "nat"): 65.70,  # 2 × 0.045 × 730
        ("public-ipv4", "nat"): 7.30,
        ("vpc-endpoint", "ecr"): 14.60,  # 2 × 0.01 × 730
        ("cross-zone-traffic", ""): 2.00,  # 2 × 100 × 0.01: both directions
        ("nat-traffic", ""): 45.00,
    }
    assert terms(found.lines[-1]) == "1,000 × $0.045 = $45.00"
    assert all(line.rate.source and line.rate.date for line in found.lines)


def test_left_out_by_default() -> None:
    assert [line.item for line in cost(CostInputs()).lines] == ["nodes", "control-plane"]
    assert "network" not in CostInputs().told()
    assert CostInputs(network=NetworkUse(1, 2)).told()["network"] == {"cross_zone_gb": 1, "nat_gb": 2}


def test_another_region_has_no_price_unless_a_factor_is_given() -> None:
    text = (
        TEXT.replace("us-east-1\n", "eu-west-1\n")
        .replace("us-east-1a", "eu-west-1a")
        .replace("us-east-1b", "eu-west-1b")
    )
    found = cost(CostInputs(network=NetworkUse()), text)
    assert "load-balancer" in [line.item for line in found.unknown]
    scaled = cost(CostInputs(network=NetworkUse(), price_factor=Fraction(2)), text)
    assert next(line for line in scaled.lines if line.where == "ecr").usd_per_month == 29.20


@pytest.mark.parametrize("use", [{"cross_zone_gb": -1}, {"nat_gb": 1e10}, {"nat_gb": float("nan")}])
def test_traffic_out_of_range(use: dict[str, float]) -> None:
    with pytest.raises(SpecError, match="out of range"):
        NetworkUse(**use)
