"""Laws of a cost: more nodes never cost less, a total is its lines, what is not known is never 0."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.cluster.check import check
from capacity.cost.bill import plan_cost
from capacity.cost.dollar_words import AT_REST, cost_json, cost_sentence, lines_of, usd
from capacity.cost.fargate import SIZES, fargate_size
from capacity.cost.inputs import CostInputs
from capacity.cost.plan_cost import PlanCost
from tests.fixtures.plans import small

DAY = dt.date(2026, 11, 30)
MIB = 2**20


@st.composite
def inputs(draw: st.DrawFn) -> CostInputs:
    share = st.integers(0, 99).map(lambda n: Fraction(n, 100))
    return CostInputs(
        price_factor=draw(st.none() | st.integers(1, 1000).map(lambda n: Fraction(n, 100))),
        savings_plan=draw(share),
        spot_discount=draw(st.none() | share),
        node_cost=draw(st.floats(0, 50, allow_nan=False)),
        public_ipv4=draw(st.sampled_from(((), ("general",)))),
        tier=draw(st.sampled_from(("standard", "tier-xl", "tier-8xl"))),
        as_of=DAY,
    )


def cost(nodes: int, region: str, capacity: str, given_inputs: CostInputs) -> PlanCost:
    plan = small(
        ("region: us-east-1", f"region: {region}"),
        ("    ami: al2023\n", f"    ami: al2023\n    capacityType: {capacity}\n"),
        ("{min: 1, desired: 3, max: 6}", f"{{min: 0, desired: {nodes}, max: {nodes}}}"),
    )
    return plan_cost(check(plan, ["steady", "peak"]), given_inputs)


REGIONS, CAPACITY = st.sampled_from(("us-east-1", "eu-west-1", "cn-north-1")), st.sampled_from(("on-demand", "spot"))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), REGIONS, CAPACITY, inputs())
def test_more_nodes_never_cost_less(nodes: int, region: str, capacity: str, given_inputs: CostInputs) -> None:
    few, many = (cost(n, region, capacity, given_inputs).costs[0] for n in (nodes, nodes + 1))
    assert few.known_usd_per_month <= many.known_usd_per_month
    assert (few.usd_per_month is None) == (many.usd_per_month is None)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), REGIONS, CAPACITY, inputs())
def test_a_total_is_its_lines_and_the_text_says_what_json_says(
    nodes: int, region: str, capacity: str, given_inputs: CostInputs
) -> None:
    found = cost(nodes, region, capacity, given_inputs)
    said, told = cost_sentence(found), cost_json(found)
    for one, row in zip(found.at_rest(AT_REST), told["scenarios"], strict=True):
        amounts = [line["usd_per_month"] for line in lines_of(one)]
        known = [a for a in amounts if a is not None]
        assert row["usd_per_month_at_least"] == round(sum(known), 2)
        assert row["usd_per_month"] == (None if None in amounts else row["usd_per_month_at_least"])
        assert usd(row["usd_per_month_at_least"]) in said
        for line in one.lines:
            assert line.rate.usd_per_hour != 0 or line.usd_per_month == 0.0
            assert (line.rate.usd_per_hour is None) == bool(line.rate.unknown)
            assert line.rate.usd_per_hour is None or line.rate.source
    assert ("at least" in said) == any(row["usd_per_month"] is None for row in told["scenarios"])


@given(st.integers(0, 17000), st.integers(0, 130 * 1024))
def test_a_fargate_pod_gets_what_it_asks_for_and_no_smaller_size_would_do(cpu: int, memory_mib: int) -> None:
    size = fargate_size(cpu, memory_mib * MIB)
    offered = sorted({(c / 1000, m / 1024) for c, (first, last, step) in SIZES for m in range(first, last + 1, step)})
    wanted = memory_mib + (256 if cpu or memory_mib else 0)
    fitting = [(c, m) for c, m in offered if c * 1000 >= cpu and m * 1024 >= wanted]
    assert size == min(fitting, default=None)
