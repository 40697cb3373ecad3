"""The pool of many types at once: equal to the pool of one node everywhere, and the laws of pools for every type."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.catalog.table import load_catalog
from capacity.cni.node_pool import Pool, node_pool
from capacity.cni.sweep import (
    BLOCK_STATES,
    FIELDS,
    MOST,
    UNITS,
    PoolGrid,
    TypeArrays,
    pool_frame,
    sweep,
    type_arrays,
)
from capacity.errors import SpecError
from capacity.plan.cni_env import CniSettings

CATALOG = load_catalog()
KNOWN = [kind for kind in CATALOG if kind.max_enis is not None and kind.ipv4_per_eni is not None]
NITRO = [kind for kind in KNOWN if kind.prefixes_possible is not False]
ARRAYS = type_arrays(CATALOG)
PODS = np.arange(0, 251, dtype=np.int32)
SETTINGS = {
    "defaults": CniSettings(),
    "no warm ENI": CniSettings(warm_eni=0),
    "three warm ENIs, two at most": CniSettings(warm_eni=3, max_eni=2),
    "warm IPs": CniSettings(warm_ip=5),
    "warm and minimum IPs": CniSettings(warm_ip=2, minimum_ip=30),
    "minimum IPs alone": CniSettings(minimum_ip=30),
    "prefixes": CniSettings(prefix=True),
    "no warm prefix": CniSettings(prefix=True, warm_prefix=0),
    "three warm prefixes": CniSettings(prefix=True, warm_prefix=3, max_eni=3),
    "prefixes, warm IPs": CniSettings(prefix=True, warm_ip=17, minimum_ip=40),
    "prefixes, minimum IPs alone": CniSettings(prefix=True, minimum_ip=40),
    "custom networking": CniSettings(custom_networking=True),
    "custom networking, prefixes, trunk": CniSettings(custom_networking=True, prefix=True, pod_eni=True),
    "trunk": CniSettings(pod_eni=True, warm_ip=1),
}


def each(settings: CniSettings, kinds: object, grid: PoolGrid, max_pods: object, windows: bool = False) -> None:
    """Every figure of the grid is that of the node alone, for some pod counts of every type."""
    limits = np.broadcast_to(np.asarray(max_pods), len(grid.names))
    for row, kind in enumerate(kinds):  # type: ignore[var-annotated, arg-type]
        for column in (row % 7, 11 + row % 50, len(grid.pods) - 1):
            one = node_pool(
                kind, settings, int(grid.pods[column]), int(limits[row]), os="windows" if windows else "linux"
            )
            many = {name: int(grid[name][row, column]) for name in FIELDS}
            assert many == {name: getattr(one, name) for name in FIELDS}, (kind.name, grid.pods[column])


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
def test_many_nodes_are_as_each_alone(settings: CniSettings) -> None:
    each(settings, KNOWN, sweep(ARRAYS, settings, PODS, 110, columns=FIELDS), 110)


def test_max_pods_of_each_type_and_rows_that_share_a_block() -> None:
    """No two types alike: the blocks are cut by addresses per ENI, and are more than one."""
    max_pods = np.arange(len(KNOWN)) % 300 + 4
    settings = CniSettings(prefix=True, warm_ip=3, pod_eni=True)
    grid = sweep(KNOWN, settings, PODS, max_pods, columns=FIELDS)
    assert grid.states > 4 * BLOCK_STATES
    each(settings, KNOWN, grid, max_pods)


@pytest.mark.parametrize("settings", [CniSettings(), CniSettings(prefix=True)])
def test_windows(settings: CniSettings) -> None:
    each(settings, NITRO, sweep(NITRO, settings, PODS, 110, columns=FIELDS, windows=True), 110, windows=True)


def test_ipv6() -> None:
    settings = CniSettings(prefix=True, ipv6=True)
    each(settings, NITRO, sweep(NITRO, settings, PODS, 110, columns=FIELDS), 110)
    with pytest.raises(SpecError, match=r"'c1\.medium' does not support prefixes: IPv6 needs Nitro or bare metal"):
        sweep(CATALOG.match("c1.*"), settings, PODS, 110)


def test_unmanaged_enis_hold_an_address_each() -> None:
    kinds = CATALOG.match("m5.*large")
    none, two = (sweep(kinds, CniSettings(), [0], 110, unmanaged_enis=n, columns=FIELDS) for n in (0, 2))
    assert (two["subnet_addresses"] - none["subnet_addresses"] == 2).all()
    assert (two["unmanaged"] == 2).all()


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
def test_laws(settings: CniSettings) -> None:
    grid = sweep(ARRAYS, settings, PODS, 234, columns=FIELDS)
    total, held = grid["subnet_addresses"], grid["pod_addresses"]
    # More pods never need fewer addresses, and what a node holds is accounted for to the last one.
    assert (np.diff(total, axis=1) >= 0).all()
    assert (grid["enis"] + held + grid["trunk"] + grid["unmanaged"] == total).all()
    assert (grid["assigned"] + grid["warm"] == held).all()
    assert (grid["assigned"] + grid["pods_without_address"] == PODS).all()
    assert (grid["lowest"] <= total).all()
    assert (total <= grid["highest"]).all()
    # Prefix mode never beats its own rounding to a /28.
    assert (held == grid["secondary_ips"] + 16 * grid["prefixes"]).all()
    assert (grid["prefixes"] * grid["secondary_ips"] == 0).all()
    assert (16 * grid["prefixes"] >= grid["assigned"])[grid["prefixes"] > 0].all()


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=list(SETTINGS))
@pytest.mark.parametrize("per_eni", [4, 10, 15, 30, 50, 64])
def test_more_enis_never_leave_more_pods_without_an_address(settings: CniSettings, per_eni: int) -> None:
    enis = np.arange(2, 25, dtype=np.int32)
    ones = np.ones_like(enis)
    names = tuple(f"{n} ENIs" for n in enis)
    grid = sweep(TypeArrays(names, enis, ones * per_eni, ones, ones, ones), settings, PODS, 250, columns=FIELDS)
    assert (np.diff(grid["pods_without_address"], axis=0) <= 0).all()


def test_columns_are_the_figures_of_a_pool() -> None:
    assert set(FIELDS) == set(Pool.__dataclass_fields__) - {"kind", "settings"} == set(UNITS)
    one = sweep(CATALOG.match("m5.large"), CniSettings(), [11], 29, columns=["subnet_addresses"])
    assert list(one.columns) == ["subnet_addresses"]
    assert one["subnet_addresses"].dtype == np.int32


def test_an_earlier_result_is_written_over() -> None:
    first = sweep(ARRAYS, CniSettings(), PODS, 110)
    kept = first["subnet_addresses"]
    again = sweep(ARRAYS, CniSettings(warm_ip=1), PODS, 110, out=first)
    assert again["subnet_addresses"] is kept
    assert (kept == sweep(ARRAYS, CniSettings(warm_ip=1), PODS, 110)["subnet_addresses"]).all()
    with pytest.raises(SpecError, match=r"out: has no column 'enis' of shape \(1461, 2\)"):
        sweep(ARRAYS, CniSettings(), [1, 2], 110, out=first)


def test_types_without_figures_are_named_not_guessed() -> None:
    assert len(ARRAYS.names) + len(ARRAYS.left_out) == len(CATALOG)
    assert "cc1.4xlarge" in ARRAYS.left_out
    assert "cc1.4xlarge" not in ARRAYS.names


def test_nothing_to_do() -> None:
    assert sweep([], CniSettings(), PODS, 110)["enis"].shape == (0, 251)
    assert sweep(ARRAYS, CniSettings(), [], 110)["enis"].shape == (1461, 0)


@pytest.mark.parametrize(
    ("pods", "max_pods", "columns", "said"),
    [
        ([-1], 110, FIELDS, "pods: expected counts from 0 to 1,000,000, found -1 to -1"),
        ([MOST + 1], 110, FIELDS, "pods: expected counts from 0 to 1,000,000"),
        ([1.5], 110, FIELDS, r"pods: \[1.5\] \(expected a whole number or a row"),
        ([[1, 2]], 110, FIELDS, r"pods: \[\[1, 2\]\] \(expected a whole number or a row"),
        ([1], -3, FIELDS, "max_pods: expected counts from 0"),
        ([1], [1, 2, 3], FIELDS, "max_pods: expected one number or 1461, found 3"),
        ([1], 110, ["adresses"], "columns: 'adresses' is not one of enis, secondary_ips"),
    ],
)
def test_bad_input(pods: list[int], max_pods: int, columns: list[str], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        sweep(ARRAYS, CniSettings(), pods, max_pods, columns=columns)


def test_huge_targets_do_not_overflow() -> None:
    grid = sweep(CATALOG.match("m5.large"), CniSettings(warm_ip=2**31 - 1), [MOST], MOST, columns=FIELDS)
    one = node_pool(CATALOG.get("m5.large"), CniSettings(warm_ip=2**31 - 1), MOST, MOST)
    assert {name: int(grid[name][0, 0]) for name in FIELDS} == {name: getattr(one, name) for name in FIELDS}


def test_the_frame_has_a_row_per_type_and_count_and_says_its_units() -> None:
    frame = pool_frame(sweep(CATALOG.match("m5.*large"), CniSettings(), [0, 11], 110))
    assert list(frame.index.names) == ["instance_type", "pods"]
    assert frame.loc[("m5.large", 11), "subnet_addresses"] == 30  # 3 ENIs of 10
    assert frame.attrs["units"]["enis"] == "ENIs"
