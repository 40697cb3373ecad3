"""Bounds of one subnet's nodes, from the batches in which they came."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from capacity.advice.judge import check
from capacity.cluster.bounds import _nodes_in
from capacity.cluster.scenario import Batch

EXAMPLE = Path(__file__).parents[3] / "examples" / "shop-prod.yaml"


def test_nodes_that_may_be_anywhere_are_all_in_the_only_subnet() -> None:
    group = check(EXAMPLE, ["steady"])["steady"].group("general")
    batch = Batch(3, {"us-east-1a": (3, 3)}, anywhere=True)
    state = replace(group, batches=(batch,))
    assert _nodes_in(state, "us-east-1a", ["private-a"], "private-a").old == (3, 3)
    assert _nodes_in(state, "us-east-1a", ["private-a", "private-d"], "private-a").old == (0, 3)
    even = replace(group, batches=(replace(batch, anywhere=False),))
    assert _nodes_in(even, "us-east-1a", ["private-a", "private-d"], "private-a").old == (1, 2)
