"""Parts of the engine, by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from capacity.cluster.check import check
from capacity.cluster.engine import _binding
from capacity.cluster.node_state import EMPTY, NodeRoom
from capacity.cluster.scenario import GroupState, NodeClass
from capacity.plan.parse import read_plan

EXAMPLE = Path(__file__).parents[3] / "examples" / "shop-prod.yaml"


@cache
def group() -> GroupState:
    return check(read_plan(EXAMPLE), ["steady"])["steady"].group("general")


@pytest.mark.parametrize(
    ("cpu", "gpus", "binding"),
    [
        (900, 1, "cpu"),  # 90% of the CPU of both nodes, 1 of 2 GPUs
        (400, 1, "gpus"),  # 40% of the CPU
        (400, 0, "cpu"),  # no pod has a GPU
    ],
)
def test_the_binding_resource_is_the_one_most_in_use_over_all_nodes(cpu: int, gpus: int, binding: str) -> None:
    shape = replace(group().shape.first, room=NodeRoom(1000, 1000, 10, 10, 0, gpus=1))
    states = (EMPTY._replace(cpu=cpu, pods=1, gpus=gpus), EMPTY._replace(cpu=cpu, pods=1))
    slot = group().classes[0].slot
    assert _binding(shape, [NodeClass(slot, 1, 1, 0, 0, state) for state in states]) == binding
    assert _binding(shape, []) is None
