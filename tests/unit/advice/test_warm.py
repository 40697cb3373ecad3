"""Which warm targets: the figures of a setting by hand, what is marked, what is recommended."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.advice.snippets.settings import env_commands
from capacity.advice.warm import WarmAnswer, warm_for_plan, warm_for_type, with_env
from capacity.advice.warm_rows import WarmRow, WarmTargets
from capacity.catalog.table import load_catalog
from capacity.cluster.check import check
from capacity.errors import SpecError
from capacity.node.platform import Platform
from capacity.plan.document import read_document
from capacity.plan.parse import parse_plan, read_plan
from capacity.plan.patch import apply_patch

EXAMPLE = Path(__file__).parents[3] / "examples" / "shop-prod.yaml"
PLATFORM = Platform(mode="secondary")


def on_type(name: str, low: int, high: int | None = None, **env: str) -> WarmAnswer:
    counts = range(low, (high or low) + 1)
    return warm_for_type(load_catalog().get(name), counts, env, PLATFORM)


def row(answer: WarmAnswer, label: str, prefix: bool = False) -> WarmRow:
    return next(r for r in answer.rows if r.targets.label == label and r.targets.prefix == prefix)


class TestFigures:
    """m5.large: 3 ENIs of 10 addresses, so k = 9; max pods 29; 10 pods, which swing by 3."""

    def test_the_default(self) -> None:
        found = row(on_type("m5.large", 10), "WARM_ENI_TARGET=1")
        assert found.addresses == {"range": 30}  # 1 + ceil(10 / 9) = 3 ENIs of 10
        assert found.idle == {"range": 17}  # 27 − 10
        assert found.instant_least == 17  # 29 − 2 host-network − 10, all of them warm
        assert found.calls_per_start == 1  # from 7 to 13 pods: one further ENI, 6 calls for 6 pods
        assert found.calls_per_stop == 0.5  # and back: 3 calls
        assert found.calls_per_launch == 17  # 5 + two further ENIs
        assert not found.frontier  # 13 warm in 3 ENIs are as many, and cost fewer calls

    def test_what_aws_advises_for_ten_pods(self) -> None:
        found = row(on_type("m5.large", 10), "WARM_IP_TARGET=2 MINIMUM_IP_TARGET=12")
        assert found.addresses == {"range": 14}  # 12 and the primaries of two ENIs
        assert (found.idle, found.instant_least) == ({"range": 2}, 2)
        assert found.calls_per_start == found.calls_per_stop == 0.5  # of 8 … 13 only pods 11, 12 and 13
        assert found.ready == pytest.approx(2 / 3)  # three may come at once

    def test_the_swing_counts(self) -> None:
        answer = warm_for_type(load_catalog().get("m5.large"), range(10, 11), {}, PLATFORM, swing=Fraction(1, 10))
        assert row(answer, "WARM_IP_TARGET=2 MINIMUM_IP_TARGET=12").ready == 1

    def test_prefixes(self) -> None:
        answer = on_type("m5.large", 10)
        assert row(answer, "WARM_PREFIX_TARGET=1", prefix=True).addresses == {"range": 33}  # 1 + 2 × 16
        assert row(answer, "WARM_IP_TARGET=5", prefix=True).addresses == {"range": 17}  # 15 fit one prefix
        assert row(answer, "WARM_IP_TARGET=8", prefix=True).addresses == {"range": 33}  # 18 do not

    @pytest.mark.parametrize(
        ("pods", "label", "held"),
        [
            # aws/amazon-vpc-cni-k8s@b5218838 docs/eni-and-ip-target.md L23, docs/prefix-and-ip-target.md L22, L28
            (5, "WARM_ENI_TARGET=1", 12),
            (5, "WARM_IP_TARGET=1", 8),
        ],
    )
    def test_the_documents_own_figures(self, pods: int, label: str, held: int) -> None:
        answer = warm_for_type(load_catalog().get("t3.small"), range(pods, pods + 1), {}, PLATFORM)
        assert row(answer, label).addresses == {"range": held}

    def test_three_idle_nodes_of_the_best_practices_guide(self) -> None:
        """aws/aws-eks-best-practices@dc0243a networking/ip-optimization-strategies.adoc L83-103: 50 held, 43 warm."""
        empty, one = on_type("c5.large", 0).current, on_type("c5.large", 1).current
        assert empty.addresses["range"] + 2 * one.addresses["range"] == 50  # one ENI of 10, and twice two
        assert empty.idle["range"] + 2 * one.idle["range"] == 43  # 45 for pods, two of them on two nodes

    def test_the_worst_waste_of_prefixes(self) -> None:
        """networking/prefix-mode_linux.adoc L65-73: 31 unused with a warm prefix, 15 with WARM_IP_TARGET."""
        answer = on_type("m5.large", 17)
        assert row(answer, "WARM_PREFIX_TARGET=1", prefix=True).idle["range"] == 31  # three prefixes for 17 pods
        assert row(answer, "WARM_IP_TARGET=5", prefix=True).idle["range"] == 15  # 22 fit two

    def test_max_pods_stops_what_can_start_at_once(self) -> None:
        found = row(on_type("m5.large", 26), "WARM_ENI_TARGET=1")
        assert (found.idle, found.instant_least) == ({"range": 1}, 1)
        assert row(on_type("m5.large", 27), "WARM_ENI_TARGET=1").instant_least == 0


class TestFlaws:
    def flaws(self, answer: WarmAnswer, label: str, prefix: bool = False) -> list[str]:
        return [f"{f.kind}: {f.reason}" for f in row(answer, label, prefix).flaws]

    def test_no_spare_eni_flaps_where_pods_fill_the_enis(self) -> None:
        (text,) = self.flaws(on_type("m5.large", 9, 18), "WARM_ENI_TARGET=0")
        assert text.startswith("flaps: nodes whose pods exactly fill their ENIs (multiples of 9)")
        assert text.endswith("about 468 EC2 calls per hour; 2 here")  # 9 and 18 pods

    def test_no_spare_prefix_flaps_every_sixteen_pods(self) -> None:
        (text,) = self.flaws(on_type("m5.large", 8, 16), "WARM_PREFIX_TARGET=0", prefix=True)
        assert text.endswith("about 236 EC2 calls per hour; 1 here")

    def test_a_minimum_alone_starves(self) -> None:
        answer = on_type("m5.large", 8, 12)
        assert self.flaws(answer, "MINIMUM_IP_TARGET=12") == [
            "starves: MINIMUM_IP_TARGET alone: a node never serves more than 12 pods"
        ]
        assert self.flaws(answer, "MINIMUM_IP_TARGET=12", prefix=True) == [
            "starves: MINIMUM_IP_TARGET alone: a node never serves more than 16 pods"
        ]

    def test_zero_is_not_set(self) -> None:
        answer = on_type("m5.large", 10)
        found = row(answer, "WARM_IP_TARGET=0")
        assert [f.kind for f in found.flaws] == ["void"]
        assert found.addresses == row(answer, "WARM_ENI_TARGET=1").addresses


class TestRecommendation:
    def test_for_ten_pods(self) -> None:
        best = on_type("m5.large", 10).recommendation
        assert best is not None
        assert best.row.targets.label == "WARM_IP_TARGET=3 MINIMUM_IP_TARGET=13"  # 3 may come at once, 13 are usual
        assert best.row.addresses == {"range": 15}
        assert best.change == {"WARM_IP_TARGET": "3", "MINIMUM_IP_TARGET": "13"}

    def test_it_is_sound_ready_and_no_dearer(self) -> None:
        answer = on_type("m5.4xlarge", 20, 40)
        best, usual = answer.recommendation, row(answer, "WARM_ENI_TARGET=1")
        assert best is not None
        assert not best.row.flaws
        assert best.row.ready >= 0.9
        assert best.row.calls_per_launch <= 1.1 * usual.calls_per_launch
        assert best.row.calls_per_pod <= max(1, usual.calls_per_pod)
        assert best.row.addresses["range"] <= 0.95 * usual.addresses["range"]

    def test_the_mode_stays(self) -> None:
        best = on_type("m5.large", 10, ENABLE_PREFIX_DELEGATION="true").recommendation
        assert best is not None
        assert best.row.targets == WarmTargets(prefix=True, warm_ip=1)  # 10 to 13 pods fit one prefix
        assert best.row.addresses == {"range": 17}

    def test_kept_where_nothing_is_better(self) -> None:
        env = {"WARM_IP_TARGET": "3", "MINIMUM_IP_TARGET": "13"}
        best = on_type("m5.large", 10, None, **env).recommendation
        assert best is not None
        assert (best.change, best.commands) == ({}, ())

    def test_it_never_holds_more_than_the_default(self) -> None:
        env = {"ENABLE_PREFIX_DELEGATION": "true"}
        answer = warm_for_type(load_catalog().get("m5.4xlarge"), range(200, 201), env, PLATFORM, by_hand=250)
        assert answer.current.ready < 0.9  # 24 addresses ready, 50 pods may come
        assert answer.recommendation is not None
        assert answer.recommendation.row.addresses["range"] <= answer.current.addresses["range"]

    def test_a_small_saving_is_no_reason_to_change(self) -> None:
        best = on_type("m5.2xlarge", 42, None, WARM_IP_TARGET="11", MINIMUM_IP_TARGET="53").recommendation
        assert best is not None
        assert best.change == {}  # 57 addresses held now; 56 would do

    def test_back_to_whole_units_removes_the_addresses(self) -> None:
        # t3.small with 8 pods: 3 ENIs of 3 addresses for pods, all 9 are needed for 8 pods and one more
        env = {"WARM_IP_TARGET": "5", "MINIMUM_IP_TARGET": "2", "WARM_ENI_TARGET": "2"}
        best = on_type("t3.small", 7, 8, **env).recommendation
        assert best is not None
        assert best.change == {"WARM_ENI_TARGET": "1", "WARM_IP_TARGET": None, "MINIMUM_IP_TARGET": None}
        assert best.commands[0].endswith("WARM_ENI_TARGET=1 WARM_IP_TARGET- MINIMUM_IP_TARGET-")

    def test_commands_quote_what_a_shell_would_read(self) -> None:
        kubectl, addon = env_commands({"WARM_IP_TARGET": "2"}, {"ADDITIONAL_ENI_TAGS": '{"a": "it\'s $HOME"}'})
        assert kubectl == "kubectl set env daemonset/aws-node -n kube-system WARM_IP_TARGET=2"
        assert "'\"'\"'" in addon  # the quote inside the single-quoted JSON


class TestPlan:
    def test_addresses_are_those_of_the_check(self) -> None:
        plan = read_plan(EXAMPLE)
        answer = warm_for_plan(plan)
        holders = ("node_primary", "eni_primary", "assigned", "warm")
        for state in check(plan, ("steady", "peak")).scenarios:
            booked = sum(s.used[h] for s in state.subnets for h in holders)
            assert answer.current.addresses[state.name] == booked
            assert answer.current.idle[state.name] == sum(s.used["warm"] for s in state.subnets)

    def test_what_it_frees_is_the_difference_of_two_checks(self) -> None:
        plan = read_plan(EXAMPLE)
        best = warm_for_plan(plan).recommendation
        assert best is not None
        assert best.comparison is not None
        document = apply_patch(read_document(EXAMPLE), best.patch)
        before, after = check(plan), check(parse_plan(document, str(EXAMPLE)))
        for change, old, new in zip(best.comparison.scenarios, before.scenarios, after.scenarios, strict=True):
            freed = [s.free_change for s in change.subnets]
            assert freed == [n.free - o.free for o, n in zip(old.subnets, new.subnets, strict=True)]

    def test_its_saving_is_what_the_rows_say(self) -> None:
        answer = warm_for_plan(read_plan(EXAMPLE))
        best = answer.recommendation
        assert best is not None
        assert best.comparison is not None
        peak = next(s for s in best.comparison.scenarios if s.name == "peak")
        freed = sum(s.free_change or 0 for s in peak.subnets)
        assert freed == answer.current.addresses["peak"] - best.row.addresses["peak"] == 270

    def test_a_changed_environment_is_that_of_a_changed_file(self) -> None:
        plan = read_plan(EXAMPLE)
        patch = {"cni.env.WARM_IP_TARGET": "2", "cni.env.WARM_ENI_TARGET": None}
        read = parse_plan(apply_patch(read_document(EXAMPLE), patch), str(EXAMPLE))
        assert with_env(plan, {"WARM_IP_TARGET": "2", "WARM_ENI_TARGET": None}).cni == read.cni

    def test_xen_nodes_keep_single_addresses_under_prefix_delegation(self) -> None:
        patch = {"cni.env.ENABLE_PREFIX_DELEGATION": True, "nodeGroups.batch.instanceTypes": ["m4.2xlarge"]}
        plan = parse_plan(apply_patch(read_document(EXAMPLE), patch), "plan.yaml")
        answer = warm_for_plan(plan)
        holders = ("node_primary", "eni_primary", "assigned", "warm")
        for state in check(plan, ("steady", "peak")).scenarios:
            assert answer.current.addresses[state.name] == sum(s.used[h] for s in state.subnets for h in holders)
        assert {k.instance_type for k in answer.other_kinds} == {"m6i.xlarge", "m4.2xlarge"}

    def test_windows_nodes_are_left_out(self) -> None:
        document = apply_patch(read_document(EXAMPLE), {"nodeGroups.batch.ami": "windows"})
        answer = warm_for_plan(parse_plan(document, "plan.yaml"))
        assert {k.group for k in answer.kinds} == {"general"}
        assert any("Windows" in note for note in answer.notes)

    def test_auto_mode_nodes_are_left_out(self) -> None:
        document = apply_patch(read_document(EXAMPLE), {"nodeGroups.batch.provisioner": "auto"})
        answer = warm_for_plan(parse_plan(document, "plan.yaml"))
        assert {k.group for k in answer.kinds} == {"general"}
        assert any("Auto Mode" in note for note in answer.notes)

    @pytest.mark.parametrize(
        "group",
        [
            {"name": "fp", "provisioner": "fargate", "subnets": ["private-a"]},
            {"name": "auto", "provisioner": "auto", "subnets": ["private-a"], "instanceTypes": ["m5.large"]},
        ],
    )
    def test_where_nobody_sets_the_pool_there_is_nothing_to_tune(self, group: dict[str, object]) -> None:
        workload = {"name": "w", "replicas": 5, "nodeGroups": [group["name"]]}
        patch = {"nodeGroups": [group], "workloads": [workload]}
        with pytest.raises(SpecError, match="manages no node in steady or peak: there are no warm targets to set"):
            warm_for_plan(parse_plan(apply_patch(read_document(EXAMPLE), patch), "plan.yaml"))

    def test_ipv6_has_nothing_to_tune(self) -> None:
        document = apply_patch(read_document(EXAMPLE), {"kubernetes.ipFamily": "ipv6"})
        with pytest.raises(SpecError, match="no warm targets to set"):
            warm_for_plan(parse_plan(document, "plan.yaml"))

    def test_without_nodes_there_is_no_answer(self) -> None:
        changes = {"workloads": None, "nodeGroups": None, "daemonSets": None}
        document = apply_patch(read_document(EXAMPLE), changes)
        with pytest.raises(SpecError, match="the VPC CNI manages no node in steady or peak"):
            warm_for_plan(parse_plan(document, "plan.yaml"))


@settings(max_examples=25)
@given(
    name=st.sampled_from(["t3.small", "m5.large", "c5.4xlarge", "m4.large", "m6i.32xlarge"]),
    low=st.integers(0, 8),
    span=st.integers(0, 12),
    custom=st.booleans(),
)
def test_laws_of_every_answer(name: str, low: int, span: int, custom: bool) -> None:
    env = {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"} if custom else {}
    platform = Platform(mode="secondary", custom_networking=custom)
    kind = load_catalog().get(name)
    try:
        answer = warm_for_type(kind, range(low, low + span + 1), env, platform)
    except SpecError:
        return  # more pods than the smallest type can run
    for r in answer.rows:
        for population, held in r.addresses.items():
            pods = sum(k.pods * k.nodes for k in (*answer.kinds, *answer.other_kinds) if k.population == population)
            assert 0 <= r.idle[population] < held
            assert held <= r.idle[population] + pods + 15 * r.nodes[population] + r.nodes[population]
        assert 0 <= r.instant_least <= r.instant_mean
    sound = [r for r in answer.rows if r.frontier]
    assert sound
    for r in sound:
        assert not any(
            o.targets.prefix == r.targets.prefix and o.costs != r.costs
            and all(a <= b for a, b in zip(o.costs, r.costs, strict=True))
            for o in answer.rows
            if not o.flaws
        )  # fmt: skip
