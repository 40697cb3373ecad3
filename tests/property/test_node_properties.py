"""Max pods and what a node offers: laws for every type, and the whole catalog at once against one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.catalog.price_lookup import price_per_hour
from capacity.catalog.table import load_catalog
from capacity.errors import SpecError
from capacity.node import density
from capacity.node.allocatable import Keep
from capacity.node.figures import Interfaces, figures
from capacity.node.frames import max_pods_frame, node_frame
from capacity.node.maxpods import max_pods
from capacity.node.offer import Daemon, Offer, PodAsked, offer
from capacity.node.platform import Platform
from capacity.plan.cilium import CiliumIpam
from capacity.plan.constants import AMIS, HOST_PODS, MODES, NODE_PROVISIONERS
from capacity.units import MIB

CATALOG = load_catalog()
TYPES = CATALOG.all()
MIXED = "max_pods > 100 ? 100 : default_enis * 0 + max_pods - 40"  # refused for small types, a number for the others


def platforms() -> Iterator[Platform]:
    """Each mode on each AMI and provisioner, and everything else that changes a figure, wherever it is allowed."""
    for mode, ami, who in product(MODES, AMIS, NODE_PROVISIONERS):
        for change in (
            {},
            {"custom_networking": True, "max_eni": 3},
            {"pod_eni": True, "reserved_enis": 2, "custom_networking": who == "karpenter"},
            {"expression": MIXED, "max_eni": 1},
            {"cilium": CiliumIpam(first_interface_index=1, max_allocate=300), "reserved_enis": 2},
        ):
            try:
                yield Platform(mode=mode, ami=ami, provisioner=who, **change)
            except SpecError:
                continue


def name_of(value: object) -> str | None:
    if not isinstance(value, Platform):
        return None
    told = [f"{n}={v}" for n in Platform.__slots__ if (v := getattr(value, n)) != getattr(Platform(), n)]
    return ",".join(told) or "defaults"


EVERY = list(platforms())
enis = st.integers(1, 24)
ips = st.integers(2, 64)
flag = st.integers(0, 1)


def plain(values: pd.Series[Any]) -> list[Any]:
    """A column's values with None for <NA>."""
    return [None if pd.isna(v) else v.item() if isinstance(v, np.generic) else v for v in values]


@pytest.mark.parametrize("on", EVERY, ids=name_of)
def test_max_pods_of_the_whole_catalog_is_that_of_each_type(on: Platform) -> None:
    frame = max_pods_frame(CATALOG, on)
    one_by_one = [max_pods(kind, on) for kind in TYPES]
    for column in frame.columns:
        assert plain(frame[column]) == [getattr(row, column) for row in one_by_one], column


def cell(got: Offer, column: str) -> Any:
    if column.startswith("fits."):
        return got.fits[column.removeprefix("fits.")]
    if column == "allocatable_cpu_millicores":
        return got.allocatable.cpu_millicores
    if column == "allocatable_memory_mib":
        return got.allocatable.memory_mib
    return getattr(got, column)


SHAPES: list[tuple[PodAsked, tuple[Daemon, ...], int | None, Keep]] = [
    (PodAsked(), (), None, Keep()),
    (PodAsked(250, 512 * MIB), (Daemon("log", 50, 128 * MIB), Daemon("aws-node", 50, 0, True)), None, Keep()),
    (PodAsked(cpu=100, branch=True, volumes=2), (), 110, Keep(0, 200, 300, 0, Fraction(5, 100))),
    (PodAsked(memory=MIB), (Daemon("big", 90_000, 2**38),), 3, Keep(system_memory_mib=70_000)),
]


@pytest.mark.parametrize("on", EVERY[::5], ids=name_of)
def test_what_every_node_offers_is_what_each_offers(on: Platform) -> None:
    pod, daemons, by_hand, keep = SHAPES[EVERY.index(on) // 5 % len(SHAPES)]
    frame = node_frame(CATALOG, on, pod, daemons, by_hand, keep, region="us-east-1")
    prices = [price_per_hour(kind.name, "us-east-1") for kind in TYPES]
    one_by_one = [offer(k, on, pod, daemons, by_hand, keep, p) for k, p in zip(TYPES, prices, strict=True)]
    for column in frame.columns:
        assert plain(frame[column]) == [cell(got, column) for got in one_by_one], column


def test_every_shape_is_asked_on_some_platform() -> None:
    assert len(EVERY[::5]) >= len(SHAPES)


@given(enis, enis, ips, flag, flag, flag, st.integers(0, 3))
def test_more_enis_never_give_fewer_pods(
    few: int, more: int, per_eni: int, prefix: int, custom: int, trunk: int, reserved: int
) -> None:
    few, more = sorted((few, more))

    def pods(limit: int) -> int:
        kind = Interfaces(limit, per_eni, vcpus=2, gives_prefixes=prefix, nitro=prefix, trunk_slot=trunk)
        on = Platform(
            mode="prefix" if prefix else "secondary",
            custom_networking=bool(custom),
            pod_eni=bool(trunk),
            reserved_enis=reserved,
        )
        found: int = figures(kind, on).formula
        return found

    assert pods(few) <= pods(more)
    assert density.karpenter_pods(few, per_eni, reserved) <= density.karpenter_pods(more, per_eni, reserved)


@pytest.mark.parametrize("kind", TYPES[::40], ids=lambda k: k.name)
def test_limits_and_options_only_take_away(kind: Any) -> None:
    for mode in MODES[:2]:
        free = max_pods(kind, Platform(mode=mode))
        if free.max_pods_formula is None:
            continue
        for on in (
            Platform(mode=mode, custom_networking=True),
            Platform(mode=mode, max_eni=2),
            Platform(mode=mode, reserved_enis=1),
            Platform(mode=mode, pod_eni=True),
        ):
            less = max_pods(kind, on)
            assert less.max_pods_formula is not None
            assert HOST_PODS <= less.max_pods_formula <= free.max_pods_formula
        assert free.max_pods_recommended is not None
        assert free.max_pods_recommended <= min(250, free.max_pods_formula)


def test_prefixes_hold_sixteen_times_as_many() -> None:
    for kind in TYPES:
        single, prefix = (max_pods(kind, Platform(mode=mode)) for mode in ("secondary", "prefix"))
        if prefix.ip_capacity is not None and single.ip_capacity is not None:
            assert prefix.ip_capacity == single.ip_capacity * (16 if kind.prefixes_possible else 1), kind.name


@pytest.mark.parametrize("kind", TYPES[::60], ids=lambda k: k.name)
def test_the_pods_that_fit_do_and_one_more_does_not(kind: Any) -> None:
    pod = PodAsked(cpu=300, memory=700 * MIB)
    got = offer(kind, Platform(), pod)
    if got.pods is None:
        return
    assert got.allocatable.cpu_millicores is not None
    assert got.allocatable.memory_mib is not None
    assert got.max_pods is not None
    assert got.density.ip_capacity is not None

    def fits(pods: int) -> bool:
        return (
            pods * 300 <= got.allocatable.cpu_millicores  # type: ignore[operator]
            and pods * 700 <= got.allocatable.memory_mib  # type: ignore[operator]
            and pods + 2 <= got.max_pods  # type: ignore[operator]
            and pods <= got.density.ip_capacity  # type: ignore[operator]
        )

    assert fits(got.pods)
    assert not fits(got.pods + 1)


def test_unknown_stays_unknown() -> None:
    unknown = next(kind for kind in TYPES if kind.max_enis is None)
    row = max_pods(unknown, Platform())
    assert (row.max_pods, row.max_pods_formula, row.limited_by) == (None, None, "unknown")
    frame = max_pods_frame(CATALOG, Platform()).set_index("instance_type")
    assert frame.loc[unknown.name, "max_pods"] is pd.NA
    got = offer(replace(CATALOG.get("m5.large"), memory_mib=None), Platform(), PodAsked(cpu=250, memory=MIB))
    assert (got.pods, got.binding, got.allocatable.memory_mib) == (None, None, None)  # never the least of what is known


def test_every_number_of_a_frame_has_a_unit() -> None:
    for frame in (max_pods_frame(CATALOG, Platform()), node_frame(CATALOG, Platform())):
        numbers = {name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name].dtype)}
        assert numbers - {"custom_networking"} == set(frame.attrs["units"])
