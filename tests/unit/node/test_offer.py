"""What a node offers: reserved CPU and memory, what fits and what binds, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from capacity.catalog.table import load_catalog
from capacity.errors import SpecError
from capacity.node import fits, reserved
from capacity.node.allocatable import Keep
from capacity.node.max_pods_expression import evaluate_expression, karpenter_max_pods, karpenter_resources
from capacity.node.offer import Daemon, PodAsked, daemons_with_implied, offer, reserved_pods
from capacity.node.offer_terms import offer_terms
from capacity.node.platform import Platform
from capacity.units import MIB

CATALOG = load_catalog()
M5 = CATALOG.get("m5.large")
ARM = CATALOG.get("m6g.large")


class TestReserved:
    @pytest.mark.parametrize(
        ("vcpus", "millicores"),
        # 60 + 10 + 5 + 5 + 2.5 for each further core, each band in whole millicores
        [(1, 60), (2, 70), (3, 75), (4, 80), (5, 82), (8, 90), (16, 110), (96, 310), (448, 1190)],
    )
    def test_cpu(self, vcpus: int, millicores: int) -> None:
        assert reserved.kube_reserved_cpu(vcpus) == millicores

    @pytest.mark.parametrize(("pods", "mib"), [(0, 255), (8, 343), (29, 574), (110, 1465), (737, 8362)])
    def test_memory(self, pods: int, mib: int) -> None:
        assert reserved.kube_reserved_memory_mib(pods) == mib

    @pytest.mark.parametrize(
        ("memory", "arm", "ppm", "capacity"),
        [
            (8192, 0, 75_000, 7577),  # 8192 − ⌈614.4⌉
            (8192, 1, 75_000, 7518),  # 8128 − ⌈609.6⌉
            (8000, 0, 75_000, 7400),  # 600 exactly: nothing to round
            (8192, 0, 0, 8192),
        ],
    )
    def test_memory_capacity(self, memory: int, arm: int, ppm: int, capacity: int) -> None:
        assert reserved.memory_capacity_mib(memory, arm, ppm) == capacity

    def test_never_below_nothing(self) -> None:
        assert reserved.allocatable(512, 574, 0, 100) == 0

    def test_eviction_as_a_share(self) -> None:
        assert Keep(eviction_share=Fraction(5, 100)).eviction_of(16384) == 820  # ⌈819.2⌉
        assert Keep(eviction_share=Fraction(1)).eviction_of(16384) == 0  # 100 % switches it off
        with pytest.raises(SpecError, match="too many decimals"):
            Keep(eviction_share=Fraction(1, 10**7))


class TestFits:
    def test_a_request_above_the_room_fits_no_time(self) -> None:
        assert fits.pods_by_request(-5, 250) == fits.pods_by_request(249, 250) == 0
        assert fits.pods_by_request(250, 250) == 1
        assert fits.pods_by_count(2, 3) == 0

    @pytest.mark.parametrize(
        ("attachments", "shared", "enis", "left"),
        [(27, 1, 3, 24), (27, 0, 3, 26), (27, 1, 0, 26), (2, 1, 9, 0)],
    )
    def test_volumes(self, attachments: int, shared: int, enis: int, left: int) -> None:
        assert fits.volumes_left(attachments, shared, enis) == left


class TestOffer:
    @pytest.mark.parametrize(
        ("pod", "pods", "binding"),
        [
            (PodAsked(cpu=250, memory=512 * MIB), 7, "cpu"),  # 1930 ÷ 250
            (PodAsked(cpu=50, memory=512 * MIB), 13, "memory"),  # 6903 ÷ 512
            (PodAsked(cpu=10, memory=10 * MIB), 27, "max_pods"),  # 29 − 2; the addresses are 27 too: the first counts
            (PodAsked(cpu=0, memory=0), 27, "max_pods"),  # a request of nothing bounds nothing
            (PodAsked(volumes=3), 8, "volumes"),  # 24 ÷ 3
            (PodAsked(cpu=2000), 0, "cpu"),
        ],
    )
    def test_m5_large(self, pod: PodAsked, pods: int, binding: str) -> None:
        got = offer(M5, Platform(), pod)
        assert (got.pods, got.binding) == (pods, binding)

    def test_what_is_stranded(self) -> None:
        got = offer(M5, Platform(), PodAsked(cpu=250, memory=512 * MIB))
        assert got.stranded_cpu_pct == 9.33  # 100 × (1930 − 1750) ÷ 1930
        assert got.stranded_memory_pct == 48.08  # 100 × (6903 − 3584) ÷ 6903

    def test_the_price_of_a_pod(self) -> None:
        got = offer(M5, Platform(), PodAsked(cpu=250), price=0.096)
        assert got.usd_per_pod_month == 10.0114  # 0.096 × 730 ÷ 7
        assert offer(M5, Platform(), PodAsked(cpu=9000), price=0.096).usd_per_pod_month is None
        assert offer(M5, Platform()).usd_per_hour is None

    def test_daemonsets_take_room_first(self) -> None:
        big = Daemon("agent", cpu=500, memory=1024 * MIB)
        got = offer(M5, Platform(), PodAsked(cpu=100, memory=100 * MIB), [big])
        # (1930 − 500) ÷ 100, (6903 − 1024) ÷ 100, 27 − 1 addresses, 29 − 3 pods
        assert [got.fits[name] for name in ("cpu", "memory", "ips", "max_pods")] == [14, 58, 26, 26]

    def test_aws_node_and_kube_proxy_are_there_unless_given(self) -> None:
        own = Daemon("aws-node", cpu=50, host_network=True)
        assert [d.name for d in daemons_with_implied([own])] == ["kube-proxy", "aws-node"]
        assert daemons_with_implied([])[0] == Daemon("aws-node", host_network=True)
        assert offer(M5, Platform(ami="windows")).fits["max_pods"] == 110  # no pods on Windows

    def test_branch_pods_need_no_pool_address(self) -> None:
        got = offer(M5, Platform(pod_eni=True), PodAsked(branch=True))
        assert (got.fits["ips"], got.fits["branch_enis"], got.pods, got.binding) == (None, 9, 9, "branch_enis")
        assert offer(M5, Platform(), PodAsked(branch=True)).fits["ips"] == 27  # without ENABLE_POD_ENI: ordinary pods
        ordinary = offer(M5, Platform(pod_eni=True), PodAsked())  # the trunk takes one of the three ENIs
        assert (ordinary.fits["ips"], ordinary.fits["branch_enis"]) == (18, None)

    def test_memory_follows_max_pods_set_by_hand_on_two_images_only(self) -> None:
        assert reserved_pods(29, Platform(), 10) == reserved_pods(29, Platform(ami="al2"), 10) == 29
        assert (
            reserved_pods(29, Platform(ami="bottlerocket"), 10) == reserved_pods(110, Platform(ami="windows"), 10) == 10
        )

    def test_arm_loses_64_mib(self) -> None:
        # 8128 − ⌈609.6⌉ = 7518; − 574 − 100
        assert offer(ARM, Platform()).allocatable.memory_mib == 6844

    def test_reserved_memory_is_said_from_a_tenth(self) -> None:
        assert offer(CATALOG.get("t3.nano"), Platform()).warnings == (
            "t3.nano: 299 of 512 MiB memory is kube-reserved (58%, more than a quarter)",
        )
        assert "18%, more than a tenth" in offer(M5, Platform(ami="windows")).warnings[-1]
        assert offer(M5, Platform()).warnings == ()  # 574 of 8192: 7 %

    def test_unknown_is_no_answer(self) -> None:
        got = offer(replace(M5, vcpus=None), Platform(), PodAsked(cpu=100))
        assert (got.allocatable.cpu_millicores, got.fits["cpu"], got.pods, got.binding) == (None, None, None, None)
        got = offer(replace(M5, ebs_attachments=None), Platform(), PodAsked(volumes=1))
        assert (got.fits["volumes"], got.pods) == (None, None)

    @pytest.mark.parametrize(
        ("ami", "who", "said"),
        [
            ("al2023", "managed", "nodeadm/internal/kubelet/config.go L274-288"),
            ("al2023", "karpenter", "types.go L305-306, L680"),
            ("al2", "managed", "bootstrap.sh L274-278"),
            ("bottlerocket", "managed", "kubelet-config L84-93"),
            ("windows", "karpenter", "types.go L305-306"),
        ],
    )
    def test_the_terms_cite_who_reserves(self, ami: str, who: str, said: str) -> None:
        on = Platform(ami=ami, provisioner=who)
        got = offer(M5, on, PodAsked(cpu=250))
        terms: dict[str, Any] = {t.label: (t.value, t.why, t.source) for t in offer_terms(got, M5, on)}
        value, why, source = terms["kube_reserved_memory_mib"]
        assert said in source
        assert why.startswith(f"255 + 11 × {(value - 255) // 11} pods: ")
        assert terms["pods"][0] == 7


class TestExpression:
    """The rest is in tests/conformance/cel_expressions.csv."""

    @pytest.mark.parametrize(
        ("text", "pods"),
        [
            ("default_enis * (ips_per_eni - 1) + 2", 29),
            ("7 / 2", 3),  # whole numbers
            ("-7 / -2", 3),
            ("3.9", 3),  # a double truncates
            ("'12'", 12),
            ("max_pods > 20 && ips_per_eni == 10 ? 20 : 5", 20),
        ],
    )
    def test_values(self, text: str, pods: int) -> None:
        assert evaluate_expression(text, 3, 10, 29) == pods

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("0", "gives 0, not a number of pods from 1 to 2147483647"),
            ("2147483648", "gives 2147483648"),
            ("true", "does not give a number of pods"),
            ("max_pods * 1.5", "no operation for these types"),
            ("max(1, 2)", "cannot be evaluated"),  # Karpenter's, not nodeadm's
            ("true ? 5 : fake", "undeclared reference to 'fake'"),  # also in a branch not taken
            ("max_pods +", "syntax error"),
            ("(" * 3000, "cannot be evaluated"),
            ("9223372036854775807 + 1", "cannot be evaluated"),
            ("", "cannot be evaluated"),
        ],
    )
    def test_refused(self, text: str, why: str) -> None:
        with pytest.raises(SpecError, match=why):
            evaluate_expression(text, 3, 10, 29)

    def test_karpenter_takes_zero_and_has_min_and_max(self) -> None:
        assert karpenter_max_pods("max(0, vcpus - 9)", {"vcpus": 2}) == 0
        assert karpenter_resources({"cpu": "vcpus * 31", "memory": "0 - 1"}, {"vcpus": 1}) == {"cpu": "40m"}
