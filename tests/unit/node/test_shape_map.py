"""The map over pod shapes says what one node's offer says, cell by cell."""

from __future__ import annotations

from itertools import product

import pytest

from capacity.catalog.table import load_catalog
from capacity.errors import SpecError
from capacity.node.offer import Daemon, PodAsked, offer
from capacity.node.platform import Platform
from capacity.node.shape_map import ShapeMap, request_grid, shape_map
from capacity.units import MIB

CPU, MEMORY = [50, 100, 250, 1000, 4000], [64 * MIB, 300 * MIB, 2048 * MIB, 32768 * MIB]
DAEMONS = (Daemon("log", 50, 128 * MIB),)


def small_map() -> ShapeMap:
    return shape_map(load_catalog().get("m5.large"), Platform(), CPU, MEMORY, DAEMONS)


@pytest.mark.parametrize("name", ["t3.nano", "m5.large", "c6g.16xlarge", "r5.24xlarge", "m4.large"])
@pytest.mark.parametrize("on", [Platform(), Platform(mode="prefix"), Platform(pod_eni=True, provisioner="karpenter")])
def test_every_cell_is_an_offer(name: str, on: Platform) -> None:
    kind = load_catalog().get(name)
    found = shape_map(kind, on, CPU, MEMORY, DAEMONS)
    for (i, memory), (j, cpu) in product(enumerate(MEMORY), enumerate(CPU)):
        one = offer(kind, on, PodAsked(cpu=cpu, memory=memory), DAEMONS)
        assert found.pods[i, j] == one.pods
        assert found.limits[found.binding[i, j]] == one.binding


def test_by_hand() -> None:
    found = shape_map(load_catalog().get("m5.large"), Platform(), [250], [512 * MIB])
    assert found.pods.tolist() == [[7]]  # 1930 // 250; memory: 6903 // 512 = 13; addresses: 27
    assert found.limits[found.binding[0, 0]] == "cpu"


@pytest.mark.parametrize(("cpu", "memory"), [([], [1]), ([0], [1]), ([1], [-5])])
def test_requests_must_be_there(cpu: list[int], memory: list[int]) -> None:
    with pytest.raises(SpecError, match=r"at least 1m CPU|memory_bytes: -5 is less than 0"):
        shape_map(load_catalog().get("m5.large"), Platform(), cpu, memory)


def test_unknown_figures_are_an_error() -> None:
    with pytest.raises(SpecError, match="the figures for a map are not known"):
        shape_map(load_catalog().get("cc1.4xlarge"), Platform(), [100], [MIB])


def test_the_grid_rises_evenly_in_ratio() -> None:
    cpu, memory = request_grid()
    assert (cpu[0], cpu[-1], memory[0], memory[-1]) == (50, 8000, 64 * MIB, 32768 * MIB)
    assert sorted(set(cpu)) == cpu
