"""What checks of like plans share: the answer is that of a check that shares nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.big_plan import plan_text
from capacity.advice.judge import check
from capacity.advice.trial import Trials
from capacity.cluster.check import CheckResult, nodes_in
from capacity.cluster.further_enis import FEW, emptiest_first
from capacity.cluster.reuse import Kept, Reuse
from capacity.errors import SpecError
from capacity.plan.document import parse_json, parse_yaml
from capacity.plan.fields import Field
from capacity.plan.model import Plan
from capacity.plan.parse import parse_patched, parse_plan
from capacity.plan.patch import apply_patch
from capacity.plan.sections import PlanSection
from capacity.plan.seen import Seen

SCENARIOS = (
    "steady",
    "peak",
    "ceiling",
    "rollout",
    "upgrade",
    "zone-loss",
    "blue-green",
    "spot-storm",
    "burst:nodes=2",
)
PLAN: Mapping[str, Any] = {
    "apiVersion": "capacity/v1",
    "region": "us-east-1",
    "vpc": {
        "cidrs": ["10.0.0.0/20"],
        "subnets": [
            {"name": "a", "zone": "us-east-1a", "cidr": "10.0.0.0/24"},
            {"name": "b", "zone": "us-east-1b", "cidr": "10.0.1.0/24", "used": 30},
            {"name": "c", "zone": "us-east-1b", "cidr": "10.0.2.0/25"},
        ],
    },
    "controlPlane": {"subnets": ["a", "b"]},
    "nodeGroups": [
        {
            "name": "web",
            "instanceTypes": ["m5.large"],
            "nodes": {"min": 2, "desired": 3, "max": 9},
            "subnets": ["a", "b"],
        },
        {
            "name": "jobs",
            "provisioner": "karpenter",
            "instanceTypes": ["c5.large", "c5.xlarge"],
            "nodes": {"min": 0, "max": 12},
            "subnets": ["a", "b", "c"],
        },
        {"name": "apart", "instanceTypes": ["m5.xlarge"], "nodes": 4, "subnets": ["b", "c"], "maxPods": 20},
    ],
    "workloads": [
        {"name": "web", "replicas": {"now": 24, "max": 60}, "requests": {"cpu": "100m"}, "nodeGroups": ["web"]},
        {
            "name": "jobs",
            "replicas": {"now": 10, "max": 40},
            "requests": {"cpu": "300m"},
            "nodeGroups": ["web", "jobs"],
        },
        {"name": "apart", "replicas": 30, "requests": {"memory": "64Mi"}, "nodeGroups": ["apart"]},
    ],
    "daemonSets": [{"name": "log-agent", "requests": {"cpu": "50m"}}],
}
CHANGES: tuple[Mapping[str, object], ...] = (
    {},
    {"cni.env.WARM_IP_TARGET": "2"},
    {"nodeGroups[web].maxPods": "12"},
    {"nodeGroups[apart].nodes": "6"},
    {"nodeGroups[apart].subnets": ["c"]},
    {"nodeGroups[jobs].instanceTypes": ["c5.xlarge"]},
    {"vpc.subnets[c].tags": {"kubernetes.io/role/cni": "1"}},
    {"workloads[web].rollingUpdate": {"maxSurge": "0"}},
    {"workloads[apart].replicas": "90"},
    {"cni.env.ENABLE_PREFIX_DELEGATION": "true", "nodeGroups[web].nodes.max": "4"},
)


def document() -> PlanSection:
    found = parse_json(json.dumps(PLAN), "plan.json")
    assert isinstance(found, PlanSection)
    return found


def changed(patch: Mapping[str, object]) -> Plan:
    return parse_plan(apply_patch(document(), patch), "plan.json")


def everything(result: CheckResult) -> object:
    """All that a check says, bounds included."""
    bounds = [[(s.used_lowest, s.used_highest, s.roaming) for s in state.subnets] for state in result.scenarios]
    return result, bounds, [h.scenario.subnets for h in result.harmful]


def test_checks_that_share_say_what_each_says_alone() -> None:
    reuse = Reuse()
    for patch in (*CHANGES, *CHANGES):
        plan = changed(patch)
        assert everything(check(plan, SCENARIOS, reuse)) == everything(check(plan, SCENARIOS)), patch


def test_little_room_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    reuse = Reuse(Kept(1), Kept(2), Kept(1))
    monkeypatch.setattr("capacity.cluster.reuse.SHAPES", 1)
    monkeypatch.setattr("capacity.cluster.reuse.LOADS", 1)
    for patch in CHANGES:
        plan = changed(patch)
        assert everything(check(plan, SCENARIOS, reuse)) == everything(check(plan, SCENARIOS)), patch


def test_what_a_change_leaves_alone_is_not_worked_out_again() -> None:
    before = check(changed({}), ("peak",))
    after = check(changed({"nodeGroups[apart].nodes": "6"}), ("peak",), before.reuse)
    same = [a is b for a, b in zip(before.scenarios[0].groups, after.scenarios[0].groups, strict=True)]
    assert same == [True, True, False]


def test_nodes_without_a_ledger_are_those_of_the_ledger() -> None:
    result = check(changed({}), SCENARIOS)
    states = result.scenarios
    expected = [
        (s.name, {g.shape.group.name: sum(n for z, n in g.nodes_by_zone.items() if z not in s.lost_zones)})
        for s in states
        for g in s.groups
    ]
    for name in (g.name for g in result.plan.node_groups):
        mine = [(title, nodes) for title, nodes in expected if name in nodes]
        assert nodes_in(result.plan, result.specs, {name}, Reuse()) == mine


class TestKept:
    def test_the_one_asked_for_least_lately_goes_first(self) -> None:
        kept: Kept[str, str] = Kept(2)
        made: list[str] = []

        def ask(key: str) -> str:
            def make() -> str:
                made.append(key)
                return key.upper()

            return kept.get(key, make)

        assert [ask(key) for key in "abacab"] == list("ABACAB")
        assert made == ["a", "b", "c", "b"]


class TestSeen:
    def field(self, entry: object, key: int = 0) -> Field:
        return Field(entry, key, None, None, "plan.json")

    def test_an_entry_is_read_once_in_a_context(self) -> None:
        of = document()
        seen, entry = Seen(of), of["nodeGroups"][0]
        first = seen.entry(self.field(entry), seen.context("x", 1), object)
        assert seen.entry(self.field(entry), seen.context("x", 1), object) is first
        assert seen.entry(self.field(entry), seen.context("x", 2), object) is not first
        assert seen.entry(self.field(entry, 1), seen.context("x", 1), object) is not first

    def test_entries_of_other_documents_are_not_kept(self) -> None:
        seen, other = Seen(document()), document()["nodeGroups"][0]
        first = seen.entry(self.field(other), seen.context("x"), object)
        assert seen.entry(self.field(other), seen.context("x"), object) is not first

    @pytest.mark.parametrize("patch", CHANGES)
    def test_a_plan_with_entries_seen_before_is_the_plan(self, patch: Mapping[str, object]) -> None:
        of = document()
        seen = Seen(of)
        for change in (*CHANGES, patch):
            draft = apply_patch(of, change)
            assert parse_plan(draft, "plan.json", seen=seen) == parse_plan(draft, "plan.json")


@settings(max_examples=200, deadline=None)
@given(
    free=st.lists(st.integers(-40, 120), min_size=1, max_size=5),
    size=st.integers(1, 40),
    count=st.integers(FEW + 1, 4 * FEW),
)
def test_many_enis_go_where_one_after_the_other_would(free: list[int], size: int, count: int) -> None:
    left, found = list(free), [0] * len(free)
    for _ in range(count):
        emptiest = left.index(max(left))
        left[emptiest] -= size
        found[emptiest] += 1
    assert emptiest_first(free, size, count) == found


def test_node_groups_changed_alike_are_read_as_in_a_whole_plan() -> None:
    document = parse_yaml(plan_text(4, 6, 8), "plan.yaml")
    assert isinstance(document, PlanSection)
    trials = Trials(document, check(parse_plan(document, "plan.yaml")))
    first: dict[str, object] = {
        "nodeGroups[g0].nodes": {"min": 1, "desired": 2, "max": 3},
        "nodeGroups[g1].maxPods": 20,
    }
    second = first | {"nodeGroups[g0].nodes.max": 9, "cni.env.WARM_IP_TARGET": "2"}
    other: dict[str, object] = {"nodeGroups[g1].maxPods": 21, "nodeGroups[g0].nodes.max": 40}
    for patch in (first, second, other, second, first, {}):
        assert trials._plan(patch) == parse_patched(document, patch, "plan.yaml")
    with_networks = first | {"cni.env.AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}
    with pytest.raises(SpecError, match="custom networking is on"):
        trials._plan(with_networks)
