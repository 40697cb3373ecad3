"""What a plan costs: each line by hand, what is not known, Fargate's sizes, the control plane, changes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from fractions import Fraction

import pytest

from capacity.catalog.price_lookup import price_per_hour
from capacity.cluster.check import check
from capacity.cost.bill import plan_cost
from capacity.cost.cluster_fees import in_extended_support, support_of
from capacity.cost.dollar_words import amount, change_sentence, cost_sentence, lines_of, terms, usd
from capacity.cost.fargate import fargate_size
from capacity.cost.inputs import CostInputs, PriceFile
from capacity.cost.plan_cost import Cost, CostLine, PlanCost, Rate, difference
from capacity.errors import SpecError
from capacity.plan.model import Plan
from tests.fixtures.plans import small

MIB, GIB = 2**20, 2**30
DAY = dt.date(2026, 11, 30)


def cost_of(plan: Plan, scenario: str = "steady", **inputs: object) -> Cost:
    found = plan_cost(check(plan, [scenario]), CostInputs(as_of=DAY, **inputs)).cost(scenario)  # type: ignore[arg-type]
    assert found is not None
    return found


def amounts(cost: Cost) -> dict[str, float | None]:
    return {line.title: line.usd_per_month for line in cost.lines}


def line_of(cost: Cost, item: str) -> CostLine:
    return next(line for line in cost.lines if line.item == item)


class TestNodes:
    def test_are_nodes_times_price_times_730_hours(self) -> None:
        cost = cost_of(small())
        assert price_per_hour("m5.large") == 0.096
        assert amounts(cost) == {"nodes of general": round(3 * 0.096 * 730, 2), "control-plane": 73.0}
        assert cost.usd_per_month == 210.24 + 73.0
        assert terms(line_of(cost, "nodes")) == "3 × $0.096 × 730 h = $210.24"

    def test_at_the_ceiling_there_are_more(self) -> None:
        assert line_of(cost_of(small(), "ceiling"), "nodes").count == 6

    def test_in_a_lost_zone_are_not_billed(self) -> None:
        result = check(small(), ["zone-loss"])
        found = plan_cost(result, CostInputs(as_of=DAY))
        for state, cost in zip(result.scenarios, found.costs, strict=True):
            by_zone = state.groups[0].nodes_by_zone
            assert by_zone[state.variant]  # they still hold addresses
            assert line_of(cost, "nodes").count == sum(n for z, n in by_zone.items() if z != state.variant)

    def test_a_price_is_that_of_the_type_the_check_uses(self) -> None:
        plan = small(("instanceTypes: [m5.large]", "instanceTypes: [m5.xlarge, m5.large]\n    provisioner: karpenter"))
        result = check(plan, ["steady"])
        assert line_of(cost_of(plan), "nodes").what == result.shapes[0].first.instance_type.name == "m5.xlarge"

    def test_a_group_without_nodes_has_no_line(self) -> None:
        plan = small(("{min: 1, desired: 3, max: 6}", "0"))
        assert amounts(cost_of(plan)) == {"control-plane": 73.0}


class TestDiscounts:
    def test_a_savings_plan_is_taken_off_the_list_price(self) -> None:
        line = line_of(cost_of(small(), savings_plan=Fraction(28, 100)), "nodes")
        assert line.rate.usd_per_hour == pytest.approx(0.096 * 0.72)
        assert line.rate.how == "$0.096 − 28% (Savings Plan)"

    def test_a_spot_price_nobody_gives_is_not_known(self) -> None:
        plan = small(("    ami: al2023\n", "    ami: al2023\n    capacityType: spot\n"))
        cost = cost_of(plan, savings_plan=Fraction(28, 100))
        assert (cost.usd_per_month, cost.known_usd_per_month) == (None, 73.0)
        assert "--spot-discount" in line_of(cost, "nodes").rate.unknown

    def test_a_spot_discount_is_taken_off_the_on_demand_price_alone(self) -> None:
        plan = small(("    ami: al2023\n", "    ami: al2023\n    capacityType: spot\n"))
        line = line_of(cost_of(plan, spot_discount=Fraction(60, 100), savings_plan=Fraction(28, 100)), "nodes")
        assert line.rate.usd_per_hour == pytest.approx(0.096 * 0.4)

    def test_a_price_of_the_users_file_is_taken_as_it_is(self) -> None:
        own = PriceFile("own.csv", {("m5.large", "us-east-1", "linux", "on-demand"): 0.05})
        line = line_of(cost_of(small(), prices=own, savings_plan=Fraction(28, 100)), "nodes")
        assert (line.rate.usd_per_hour, line.rate.source, line.rate.how) == (0.05, "own.csv", "")

    def test_a_spot_price_of_the_file_comes_before_a_discount(self) -> None:
        plan = small(("    ami: al2023\n", "    ami: al2023\n    capacityType: spot\n"))
        own = PriceFile("own.csv", {("m5.large", "", "linux", "spot"): 0.03})
        assert line_of(cost_of(plan, prices=own, spot_discount=Fraction(1, 2)), "nodes").rate.usd_per_hour == 0.03

    def test_the_files_on_demand_price_is_what_a_spot_discount_is_taken_off(self) -> None:
        plan = small(("    ami: al2023\n", "    ami: al2023\n    capacityType: spot\n"))
        own = PriceFile("own.csv", {("m5.large", "", "linux", "on-demand"): 0.08})
        assert line_of(cost_of(plan, prices=own, spot_discount=Fraction(1, 2)), "nodes").rate.usd_per_hour == 0.04


class TestNotKnown:
    def test_a_region_without_prices(self) -> None:
        plan = small(("region: us-east-1", "region: eu-west-1"))
        cost = cost_of(plan)
        assert (cost.usd_per_month, cost.known_usd_per_month) == (None, 73.0)
        assert "eu-west-1" in line_of(cost, "nodes").rate.unknown
        assert amount(cost) == "at least $73.00"

    def test_a_factor_takes_us_east_1_and_says_so(self) -> None:
        plan = small(("region: us-east-1", "region: eu-west-1"))
        found = plan_cost(check(plan, ["steady"]), CostInputs(price_factor=Fraction(11, 10), as_of=DAY))
        line = line_of(found.costs[0], "nodes")
        assert line.rate.usd_per_hour == pytest.approx(0.1056)
        assert line.rate.how == "us-east-1 $0.096 × 1.1"
        assert found.notes == ("prices for eu-west-1 are not known: us-east-1 prices × 1.1 are used",)
        assert "us-east-1 prices × 1.1 are used" in cost_sentence(found)

    def test_a_factor_moves_no_price_that_is_known(self) -> None:
        found = plan_cost(check(small(), ["steady"]), CostInputs(price_factor=Fraction(2), as_of=DAY))
        assert (line_of(found.costs[0], "nodes").rate.usd_per_hour, found.notes) == (0.096, ())

    def test_a_factor_helps_no_type_that_us_east_1_does_not_have(self) -> None:
        plan = small(("region: us-east-1", "region: eu-west-1"), ("[m5.large]", "[hpc6a.48xlarge]"))
        unknown = line_of(cost_of(plan, price_factor=Fraction(1)), "nodes").rate.unknown
        assert unknown == "no price is known for hpc6a.48xlarge in eu-west-1 or us-east-1"

    def test_a_plan_without_a_region(self) -> None:
        cost = cost_of(small(("region: us-east-1\n", "")))
        assert line_of(cost, "nodes").rate.unknown == "no price is known for m5.large: the plan has no region"

    def test_another_currency(self) -> None:
        cost = cost_of(small(("region: us-east-1", "region: cn-north-1")))
        assert "in CNY" in line_of(cost, "nodes").rate.unknown
        assert line_of(cost, "control-plane").usd_per_month is None  # AWS China has prices of its own

    def test_windows_is_not_the_price_of_linux(self) -> None:
        plan = small(("ami: al2023", "ami: windows"))
        assert "Windows price" in line_of(cost_of(plan), "nodes").rate.unknown
        own = PriceFile("own.csv", {("m5.large", "", "windows", "on-demand"): 0.188})
        assert line_of(cost_of(plan, prices=own), "nodes").rate.usd_per_hour == 0.188

    def test_what_is_not_known_is_named_once_in_the_sentence(self) -> None:
        plan = small(("region: us-east-1", "region: eu-west-1"))
        said = cost_sentence(plan_cost(check(plan, ["steady", "ceiling"]), CostInputs(as_of=DAY)))
        assert said.startswith(
            "Cost: at least $73.00 per month now and at the ceiling. Not included: nodes of general ("
        )
        assert said.count("nodes of general") == 1


class TestAutoMode:
    PLAN = small(("    ami: al2023\n", "    provisioner: auto\n"))

    def test_the_fee_is_a_share_of_the_on_demand_price(self) -> None:
        cost = cost_of(self.PLAN)
        assert line_of(cost, "auto-mode").usd_per_month == round(3 * 0.096 * 0.12 * 730, 2)

    def test_the_fee_is_not_discounted(self) -> None:
        cost = cost_of(self.PLAN, savings_plan=Fraction(1, 2))
        assert line_of(cost, "auto-mode").rate.usd_per_hour == pytest.approx(0.096 * 0.12)

    def test_the_fee_of_gpus_is_not_known(self) -> None:
        plan = small(("    ami: al2023\n", "    provisioner: auto\n"), ("[m5.large]", "[g5.xlarge]"))
        assert line_of(cost_of(plan), "auto-mode").usd_per_month is None


class TestFees:
    def test_a_cost_of_each_node(self) -> None:
        assert line_of(cost_of(small(), node_cost=0.01), "per-node-cost").usd_per_month == 21.9

    def test_a_public_address_for_each_node_of_the_named_groups(self) -> None:
        line = line_of(cost_of(small(), public_ipv4=("general",)), "public-ipv4")
        assert (line.count, line.usd_per_month) == (3, 10.95)

    def test_a_group_that_is_not_there(self) -> None:
        with pytest.raises(SpecError, match=r"there is no node group 'genral' \(did you mean 'general'\?\)"):
            cost_of(small(), public_ipv4=("genral",))

    @pytest.mark.parametrize(
        ("inputs", "why"),
        [
            ({"savings_plan": Fraction(1)}, "Savings Plan discount: 100% is out of range"),
            ({"spot_discount": Fraction(-1, 10)}, "Spot discount: -10% is out of range"),
            ({"price_factor": Fraction(0)}, "price factor: 0 is out of range"),
            ({"price_factor": Fraction(11)}, "price factor: 11 is out of range"),
            ({"node_cost": float("nan")}, "per-node cost: nan is out of range"),
            ({"node_cost": -0.1}, "per-node cost: -0.1 is out of range"),
            ({"tier": "tier-x"}, "control plane tier: 'tier-x' is not one of"),
        ],
    )
    def test_inputs_out_of_range(self, inputs: dict[str, object], why: str) -> None:
        with pytest.raises(SpecError, match=why):
            CostInputs(**inputs)  # type: ignore[arg-type]


class TestControlPlane:
    @pytest.mark.parametrize(
        ("version", "day", "extended"),
        [
            ("1.34", dt.date(2026, 12, 1), False),
            ("1.34", dt.date(2026, 12, 2), True),  # billed from the beginning of that day
            ("v1.34.2-eks-1", dt.date(2026, 12, 2), True),
            ("1.21", dt.date(2026, 1, 1), True),  # older than the calendar
            ("1.99", dt.date(2030, 1, 1), False),
            (None, dt.date(2030, 1, 1), False),
        ],
    )
    def test_extended_support(self, version: str | None, day: dt.date, extended: bool) -> None:
        found = support_of(version)
        assert (found is not None and in_extended_support(found, day)) is extended

    def test_costs_fifty_cents_an_hour_more(self) -> None:
        cost = cost_of(small(('version: "1.34"', 'version: "1.33"')))
        assert line_of(cost, "extended-support").usd_per_month == 365.0

    def test_an_unknown_version_is_said_to_be_assumed(self) -> None:
        cost = cost_of(small(('version: "1.34", ', "")))
        assert "standard support assumed" in line_of(cost, "control-plane").what

    def test_a_tier_comes_on_top(self) -> None:
        cost = cost_of(small(), tier="tier-xl")
        assert (line_of(cost, "control-plane").usd_per_month, line_of(cost, "control-plane-tier").usd_per_month) == (
            73.0,
            1204.5,
        )


class TestFargate:
    @pytest.mark.parametrize(
        ("cpu", "memory", "size"),
        [
            (0, 0, (0.25, 0.5)),  # without requests the smallest
            (250, 256 * MIB, (0.25, 0.5)),
            (250, 257 * MIB, (0.25, 1.0)),  # 256 MB for the Kubernetes components come on top
            (251, 256 * MIB, (0.5, 1.0)),
            (250, 2 * GIB, (0.5, 3.0)),
            (1000, 8 * GIB, (2.0, 9.0)),  # the user guide's own example
            (4000, 30 * GIB, (8.0, 32.0)),
            (8000, 17 * GIB, (8.0, 20.0)),  # steps of 4 GB
            (16000, 119 * GIB, (16.0, 120.0)),
            (16000, 120 * GIB, None),
            (16001, GIB, None),
        ],
    )
    def test_sizes(self, cpu: int, memory: int, size: tuple[float, float] | None) -> None:
        assert fargate_size(cpu, memory) == size

    PLAN = small(
        (
            "  - name: general\n    instanceTypes: [m5.large]\n    ami: al2023\n"
            "    nodes: {min: 1, desired: 3, max: 6}\n    subnets: [a, b]\n",
            "  - {name: general, provisioner: fargate, subnets: [a, b]}\n",
        )
    )

    def test_pods_are_billed_by_vcpu_and_gb(self) -> None:
        cost = cost_of(self.PLAN)  # ten pods of 250m and 512Mi: 0.25 vCPU and 1 GB each
        assert amounts(cost) == {
            "fargate-vcpu of general": round(2.5 * 0.04048 * 730, 2),
            "fargate-gb of general": round(10 * 0.004445 * 730, 2),
            "control-plane": 73.0,
        }
        assert line_of(cost, "fargate-vcpu").what == "10 × 0.25 vCPU and 1 GB"

    def test_pods_larger_than_fargate_offers_have_no_price(self) -> None:
        plan = replace(
            self.PLAN,
            workloads=tuple(
                replace(w, requests=replace(w.requests, cpu_millicores=17000)) for w in self.PLAN.workloads
            ),
        )
        cost = cost_of(plan)
        assert cost.usd_per_month is None
        assert cost.unknown[0].count == 10

    def test_an_address_of_its_pods_is_not_public(self) -> None:
        with pytest.raises(SpecError, match="is a Fargate profile"):
            cost_of(self.PLAN, public_ipv4=("general",))


class TestChange:
    def test_is_the_difference(self) -> None:
        before, after = cost_of(small()), cost_of(small(("desired: 3", "desired: 5")))
        assert difference(before, after) == round(2 * 0.096 * 730, 2)

    def test_what_neither_price_is_known_of_cancels_out(self) -> None:
        def plan(nodes: int) -> Plan:
            return small(("region: us-east-1", "region: eu-west-1"), ("desired: 3", f"desired: {nodes}"))

        assert difference(cost_of(plan(3)), cost_of(plan(3), tier="tier-xl")) == 1204.5
        assert difference(cost_of(plan(3)), cost_of(plan(4))) is None

    def test_of_nothing_is_not_known(self) -> None:
        assert difference(None, cost_of(small())) is None

    def test_in_words(self) -> None:
        def cost(nodes: int) -> PlanCost:
            plan = small(("desired: 3", f"desired: {nodes}"))
            return plan_cost(check(plan, ["steady", "ceiling"]), CostInputs(as_of=DAY))

        assert change_sentence(cost(3), cost(5)) == (
            "Cost: $283.24 → $423.40 per month now (+$140.16), $493.48 at the ceiling (±$0.00) "
            "(us-east-1, prices of 2026-07-20)."
        )


def test_the_total_is_the_sum_of_the_lines_and_json_says_the_same() -> None:
    cost = cost_of(small(), node_cost=0.013, tier="tier-xl", public_ipv4=("general",))
    rows = lines_of(cost)
    assert cost.usd_per_month == round(sum(row["usd_per_month"] for row in rows), 2)
    for row in rows:
        assert row["terms"].endswith(usd(row["usd_per_month"]))


def test_a_line_that_is_not_known_says_why() -> None:
    assert terms(CostLine("nodes", "g", "x", 1, "node", Rate(None, unknown="nobody knows"))) == (
        "not known: nobody knows"
    )
