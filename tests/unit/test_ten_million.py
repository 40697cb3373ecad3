"""A count that a field accepts is accepted everywhere: work and memory do not grow with it, and the answer is right.

Times and memory are measured by `benchmarks/growth.py`; here it is counted how often what costs them is done.
"""

from __future__ import annotations

import weakref
from datetime import date
from typing import Any

import numpy as np
import pytest

from benchmarks.growth import growing_plan, many_pods
from capacity.advice.whatif import MOST_FURTHER, PERCENTS, what_if
from capacity.cluster import node_counts
from capacity.cluster.check import check
from capacity.cluster.engine import Engine
from capacity.cluster.group_shapes import group_shapes
from capacity.forecast import components as tables
from capacity.forecast import draws
from capacity.forecast.components import components
from capacity.forecast.grown import grown_demand
from capacity.forecast.growth_points import calibrate
from capacity.forecast.plan_growth import forecast_growth
from capacity.forecast.quantile import count_quantiles
from capacity.forecast.replicas import replica_paths
from capacity.forecast.span import Horizon
from capacity.plan.document import parse_yaml
from capacity.plan.model import Plan
from capacity.plan.parse import parse_plan

SPAN = Horizon(date(2026, 12, 1), 90)
GROWTH = ", growth: {rate: 4%/month, stddev: 1%}"


def plan(text: str) -> Plan:
    return parse_plan(parse_yaml(text, "p.yaml"), "p.yaml")


def shop(replicas: int) -> Plan:
    """Many small pods that leave no room for the few large ones until every node has one less of them."""
    text = many_pods("min: 2").replace("replicas: 10000000", f"replicas: {replicas}")
    return plan(text + "  - {name: search, replicas: 12, requests: {cpu: 500m, memory: 1Gi}}\n")


class TestNodeCounts:
    def test_steps_that_are_alike_are_taken_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = 0
        place = Engine._placement

        def counted(self: Engine, *given: Any) -> Any:
            nonlocal asked
            asked += 1
            return place(self, *given)

        monkeypatch.setattr(Engine, "_placement", counted)
        big = shop(1_000_000)
        (group,) = Engine(big, group_shapes(big)).at_rest("peak").groups
        assert sum(c.count * c.vpc_pods for c in group.classes) == 1_000_012
        assert asked < 500  # more than 5,000 one by one

    @pytest.mark.parametrize("replicas", [700, 3_001, 9_999])
    def test_the_count_is_that_of_single_steps(self, replicas: int, monkeypatch: pytest.MonkeyPatch) -> None:
        small = shop(replicas)
        found = {}
        for patience in (0, 64, 10**9):
            monkeypatch.setattr(node_counts, "PATIENCE", patience)
            found[patience] = Engine(small, group_shapes(small)).at_rest("peak").groups[0].nodes
        assert len(set(found.values())) == 1


def test_the_positions_of_the_what_if_are_few() -> None:
    found = what_if(check(plan(many_pods("min: 2, desired: 4, max: 700000"))))
    assert len(found.percents) <= len(PERCENTS) + MOST_FURTHER
    assert max(o.nodes for o in found.outcomes[0]) >= 700_000


class TestForecast:
    def test_of_each_component_only_sums_are_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn_so_far, most = [], 0

        class Watched(np.ndarray[Any, Any]):  # numpy's own cannot be watched
            pass

        def watched(*given: Any, **named: Any) -> Any:
            nonlocal most
            drawn = replica_paths(*given, **named).view(Watched)
            if drawn.shape[1] > 1:
                drawn_so_far.append(weakref.ref(drawn))
            most = max(most, sum(ref() is not None for ref in drawn_so_far))
            return drawn

        monkeypatch.setattr(draws, "replica_paths", watched)
        forecast_growth(plan(growing_plan(2, 40, 6)), SPAN, 50)
        assert 1 <= most <= 2  # the one that is made while the last one is given up

    def test_fewer_draws_at_a_time_for_many_groups(self) -> None:
        together, held = {}, {}
        for groups in (2, 81, 401):
            spec = plan(growing_plan(groups, 2 * groups, 12))
            engine = Engine(spec, group_shapes(spec))
            base = list(engine.demand("steady").replicas)
            found = components(engine, calibrate(engine, [base]), base)
            drawn = draws._Draws(found, [w.growth for w in spec.workloads], base, Horizon(SPAN.start, 730))
            together[groups] = drawn.together()
            held[groups] = 4 * 731 * together[groups] * sum(len(c.weights) for c in found)
        assert together[2] == draws.CHUNK
        assert draws.FEWEST_DRAWS < together[401] < together[81] < draws.CHUNK
        assert max(held.values()) <= draws.MOST_CHUNK_BYTES

    def test_bands_of_fewer_draws_for_many_subnets(self) -> None:
        assert draws.fan_draws(300 * 37) == draws.FAN_DRAWS
        assert draws.fan_draws(6_000 * 37) == draws.FEWEST_FAN_DRAWS
        assert draws.FEWEST_FAN_DRAWS < draws.fan_draws(600 * 37) < draws.FAN_DRAWS

    def test_quantiles_of_values_far_apart(self) -> None:
        values = np.random.default_rng(1).integers(0, 2**40, (3, 500))
        found = count_quantiles(values, (0.1, 0.5, 0.9))
        assert found.T.tolist() == [[sorted(row)[i] for i in (49, 249, 449)] for row in values.tolist()]
        assert count_quantiles(values % 1000, (0.5,))[0, 0] == sorted(values[0] % 1000)[249]

    @pytest.mark.parametrize("kind", ["m5.large", "m5.24xlarge"])
    @pytest.mark.parametrize(
        "nodes", ["min: 2", "min: 2, max: 700000", "min: 2, max: 20", "min: 10000000, max: 10000000"]
    )
    def test_tables_of_ten_million_pods(self, nodes: str, kind: str) -> None:
        spec = plan(many_pods(nodes, GROWTH).replace("m5.large", kind))
        engine = Engine(spec, group_shapes(spec))
        (component,) = components(engine, calibrate(engine, [[10_000_000]]), [10_000_000])
        assert component.table.singles.nbytes < 20 << 20
        for pods in (0, 999_999, 5_000_000, 10_000_000):
            state = int(component.states([np.array([[pods]], dtype=np.float32)])[0, 0])
            shown = -(-pods // component.pods_per_state) * component.pods_per_state
            truth = engine.run(grown_demand(engine, [shown], "steady"))
            assert component.table.used()[:, state].tolist() == [s.used_total for s in truth.subnets]

    def test_many_components_share_the_room_for_tables(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tables, "MOST_STATES", 40_000)
        text = growing_plan(64, 64, 12).replace("now: 5, max: 10", "now: 9000, max: 9000")
        spec = plan(text.replace(", max: 60", ""))
        engine = Engine(spec, group_shapes(spec))
        base = list(engine.demand("steady").replicas)
        found = components(engine, calibrate(engine, [base]), base)
        assert {c.pods_per_state for c in found} == {9}
        assert sum(c.table.singles.shape[1] for c in found) < tables.FULL_TABLES * 40_000

    def test_ranks_are_no_larger_than_the_states(self) -> None:
        text = many_pods("min: 2", GROWTH) + (
            "  - {name: api, replicas: 10000000, requests: {cpu: 350m, memory: 200Mi}" + GROWTH + "}\n"
        )
        spec = plan(text)
        engine = Engine(spec, group_shapes(spec))
        (component,) = components(engine, calibrate(engine, [[10**7, 10**7]]), [10**7, 10**7])
        assert component.rank is not None
        used = component.table.used().sum(axis=0)
        assert component.rank.max() < max(len(used), 1)
        order = np.argsort(component.rank, kind="stable")
        assert (np.diff(used[order]) >= 0).all()
