"""Max pods of single types: values worked by hand, what bounds them, who tells the kubelet, what is said aloud."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from capacity.catalog.table import load_catalog
from capacity.cni.facade import address_capacity, effective, node_limits
from capacity.errors import SpecError
from capacity.node import density
from capacity.node.figures import LIMITS, Interfaces, figures, unmanaged_of
from capacity.node.maxpods import max_pods, max_pods_rows
from capacity.node.offer_terms import max_pods_terms
from capacity.node.platform import Platform, modes_of
from capacity.plan.cilium import CiliumIpam
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import MODES

CATALOG = load_catalog()
M5 = CATALOG.get("m5.large")  # 3 ENIs of 10, 2 vCPUs, 9 branch ENIs
BIG = CATALOG.get("m5.24xlarge")  # 15 ENIs of 50, 96 vCPUs
METAL = CATALOG.get("c5.metal")  # 15 ENIs of 50, 96 vCPUs, no hypervisor
XEN = CATALOG.get("t2.large")  # 3 ENIs of 12


class TestDensity:
    @pytest.mark.parametrize(
        ("limit", "max_eni", "reserved", "custom", "trunk", "usable"),
        [
            (3, 3, 0, 0, 0, 3),
            (3, 2, 0, 1, 0, 1),  # MAX_ENI first, then custom networking takes its one
            (3, 1, 0, 1, 0, 0),
            (2, 2, 0, 1, 1, 0),
            (3, 9, 0, 0, 0, 3),
            (3, 3, 5, 1, 1, 0),  # never below 0
        ],
    )
    def test_usable_enis(self, limit: int, max_eni: int, reserved: int, custom: int, trunk: int, usable: int) -> None:
        kind = Interfaces(limit, ips_per_eni=10, vcpus=2, gives_prefixes=1, nitro=1, trunk_slot=trunk)
        on = Platform(
            custom_networking=bool(custom), pod_eni=bool(trunk), max_eni=max_eni, reserved_enis=reserved, host_pods=2
        )
        assert figures(kind, on).usable_enis == usable

    @pytest.mark.parametrize(("vcpus", "cap"), [(1, 110), (30, 110), (31, 250), (192, 250)])
    def test_the_cap_rises_above_30_vcpus(self, vcpus: int, cap: int) -> None:
        assert density.recommended_cap(vcpus) == cap


@pytest.mark.parametrize(
    ("kind", "on", "capacity", "formula", "recommended", "limited_by"),
    [
        (M5, Platform(), 27, 29, 29, "enis"),  # 3 × 9; + 2
        (M5, Platform(mode="prefix"), 432, 434, 110, "recommended-cap"),  # 3 × 9 × 16
        (M5, Platform(custom_networking=True), 18, 20, 20, "enis"),  # 2 × 9
        (M5, Platform(mode="prefix", custom_networking=True), 288, 290, 110, "recommended-cap"),
        (M5, Platform(custom_networking=True, pod_eni=True), 9, 11, 11, "enis"),  # one of three ENIs is left
        (M5, Platform(max_eni=1), 9, 11, 11, "max-eni"),
        (M5, Platform(max_eni=1, custom_networking=True), 0, 2, 2, "no-enis"),
        (M5, Platform(reserved_enis=7), 0, 2, 2, "no-enis"),
        (M5, Platform(reserved_enis=7, provisioner="karpenter"), 0, 0, 0, "no-enis"),  # 0 there, not 2
        (M5, Platform(ami="windows"), 9, 9, 9, "windows-single-eni"),  # no host-network pods
        (M5, Platform(ami="windows", mode="prefix"), 144, 144, 110, "ami-default"),
        (BIG, Platform(), 735, 737, 250, "recommended-cap"),  # 15 × 49
        (METAL, Platform(mode="prefix"), 11760, 11762, 250, "recommended-cap"),  # 15 × 49 × 16
        (XEN, Platform(mode="prefix"), 33, 35, 35, "hypervisor"),  # as with secondary IPs
    ],
    ids=lambda v: v.name if hasattr(v, "vcpus") else "",
)
def test_by_hand(kind: Any, on: Platform, capacity: int, formula: int, recommended: int, limited_by: str) -> None:
    row = max_pods(kind, on)
    assert (row.ip_capacity, row.max_pods_formula, row.max_pods_recommended) == (capacity, formula, recommended)
    assert row.limited_by == limited_by
    assert limited_by in LIMITS


class TestWhatTheKubeletGets:
    @pytest.mark.parametrize(
        ("on", "pods", "reserved_for"),
        [
            (Platform(mode="prefix"), 110, 29),  # EKS caps; AL2023 reserves memory for the ENI formula
            (Platform(mode="prefix", max_eni=1), 110, 29),  # EKS is blind to MAX_ENI
            (Platform(mode="prefix", provisioner="self-managed"), 29, 29),
            (Platform(mode="prefix", provisioner="karpenter"), 29, 29),
            (Platform(provisioner="karpenter", reserved_enis=1), 20, 29),
            (Platform(mode="prefix", ami="bottlerocket"), 110, 110),  # follows what is configured
            (Platform(ami="windows"), 110, 110),
            (Platform(provisioner="self-managed", expression="50"), 50, 50),
            (Platform(provisioner="managed", expression="50"), 29, 50),
        ],
    )
    def test_m5_large(self, on: Platform, pods: int, reserved_for: int) -> None:
        row = max_pods(M5, on)
        assert (row.max_pods, row.reserved_for) == (pods, reserved_for)

    def test_a_plain_image_does_not_cap(self) -> None:
        assert max_pods(BIG, Platform(provisioner="self-managed")).max_pods == 737
        assert max_pods(BIG, Platform()).max_pods == 250


class TestKarpentersReservedEnis:
    """RESERVED_ENIS there stands for custom networking and the trunk as well: they are not taken twice."""

    @pytest.mark.parametrize(
        ("reserved", "custom", "trunk", "unmanaged"),
        [(1, True, False, 0), (1, False, True, 0), (2, True, True, 0), (2, True, False, 1), (1, False, False, 1)],
    )
    def test_what_is_left_is_an_eni_of_its_own(self, reserved: int, custom: bool, trunk: bool, unmanaged: int) -> None:
        on = Platform(custom_networking=custom, pod_eni=trunk, reserved_enis=reserved, provisioner="karpenter")
        assert unmanaged_of(M5, on) == unmanaged
        assert unmanaged_of(M5, replace(on, provisioner="managed")) == reserved


class TestUnknown:
    def test_no_vcpus_no_cap(self) -> None:
        row = max_pods(replace(BIG, vcpus=None), Platform())
        assert (row.max_pods_formula, row.max_pods_recommended, row.max_pods) == (737, None, None)
        small = max_pods(replace(M5, vcpus=None), Platform())
        assert small.max_pods_recommended == 29  # below either cap

    def test_no_hypervisor_no_prefixes_and_no_guess(self) -> None:
        row = max_pods(replace(M5, hypervisor=None, bare_metal=None), Platform(mode="prefix"))
        assert (row.max_pods_formula, row.limited_by) == (None, "unknown")
        assert row.warnings == ("m5.large: its hypervisor is unknown, so it is unknown whether it supports prefixes",)

    def test_xen_has_no_ipv6(self) -> None:
        row = max_pods(XEN, Platform(mode="ipv6"))
        assert (row.max_pods, row.limited_by) == (None, "hypervisor")
        assert row.warnings == ("t2.large runs on xen: IPv6 needs Nitro or bare metal",)


def test_no_windows_on_arm() -> None:
    row = max_pods(CATALOG.get("m6g.large"), Platform(ami="windows"))
    assert row.warnings[-1] == "m6g.large is an arm64 type: there is no Windows image for it"
    assert not any("Windows image" in w for w in max_pods(M5, Platform(ami="windows")).warnings)
    assert not any("Windows image" in w for w in max_pods(CATALOG.get("m6g.large"), Platform()).warnings)


def test_modes() -> None:
    assert modes_of(Platform()) == MODES
    assert modes_of(Platform(custom_networking=True)) == modes_of(Platform(ami="windows")) == ("secondary", "prefix")
    rows = max_pods_rows([M5, XEN], Platform(), ("secondary", "prefix"))
    assert [(r.instance_type, r.mode) for r in rows][1:3] == [("m5.large", "prefix"), ("t2.large", "secondary")]


@pytest.mark.parametrize(
    "contradiction",
    [
        {"mode": "ipv6", "custom_networking": True},
        {"ami": "windows", "mode": "ipv6"},
        {"ami": "windows", "pod_eni": True},
        {"ami": "windows", "custom_networking": True},
    ],
)
def test_what_excludes_each_other(contradiction: dict[str, Any]) -> None:
    with pytest.raises(SpecError, match=r"cannot be combined|do not support"):
        Platform(**contradiction)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", [M5, BIG, METAL, XEN, CATALOG.get("cc1.4xlarge")], ids=lambda k: k.name)
@pytest.mark.parametrize(
    "on",
    [
        Platform(),
        Platform(pod_eni=True, max_eni=2, reserved_enis=1),
        Platform(provisioner="karpenter"),
        Platform(provisioner="self-managed", expression="max_pods"),
    ],
    ids=["plain", "trunk", "karpenter", "expression"],
)
def test_the_terms_are_the_row(mode: str, kind: Any, on: Platform) -> None:
    """Each term of an explanation has the row's figure, and each figure that is known has a term and a reason."""
    on = replace(on, mode=mode)
    row = max_pods(kind, on)
    terms = {t.label: (t.value, t.why) for t in max_pods_terms(row, kind, on)}
    assert all(why for _, why in terms.values())
    assert {name: value for name, (value, _) in terms.items()} == {name: getattr(row, name) for name in terms}
    if row.max_pods_formula is not None:
        assert {"usable_enis", "max_pods_formula", "max_pods_recommended", "max_pods", "limited_by"} <= set(terms)
        slots = terms["max_pods_formula"][1].split(" + ")[0].replace("×", "*").replace("−", "-")
        assert eval(slots.replace(" per prefix", "")) + 2 == row.max_pods_formula  # the words are the sum


class TestNodeAsksTheCni:
    """``node`` has no pool formula of its own: both rooms say the same of every type."""

    @pytest.mark.parametrize(
        "on",
        [
            Platform(),
            Platform(mode="prefix"),
            Platform(mode="prefix", custom_networking=True, pod_eni=True, max_eni=3),
            Platform(mode="prefix", cilium=CiliumIpam(first_interface_index=1, max_allocate=40)),
            Platform(mode="prefix", ami="windows"),
            Platform(mode="overlay"),
        ],
        ids=lambda on: f"{on.settings.cni} {on.mode} {on.ami} {on.max_eni}",
    )
    def test_the_addresses_of_every_type(self, on: Platform) -> None:
        for kind in load_catalog().all():
            row = max_pods(kind, on)
            if row.usable_enis is None:
                continue
            own = effective(on.settings, kind)
            limits = node_limits(kind, own, windows=on.windows)
            assert row.usable_enis == limits.serving, kind.name
            assert (row.ip_capacity or 0) == address_capacity(limits, own), kind.name

    @pytest.mark.parametrize("cni", ["vpc-cni", "cilium", "overlay"])
    def test_the_cni_that_runs_has_one_name(self, cni: str) -> None:
        on = {
            "vpc-cni": Platform(),
            "cilium": Platform(cilium=CiliumIpam()),
            "overlay": Platform(mode="overlay"),
        }[cni]
        assert on.settings.cni == cni

    def test_a_node_has_one_cni(self) -> None:
        with pytest.raises(SpecError, match="Cilium's ENI mode is not supported with an overlay CNI"):
            Platform(mode="overlay", cilium=CiliumIpam())
        with pytest.raises(SpecError, match="a node has one CNI"):
            CniSettings(overlay=True, cilium=CiliumIpam())
