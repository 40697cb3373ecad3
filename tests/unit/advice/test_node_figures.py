"""Nodes in the model and as AWS describes them: which are off, and the likely reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capacity.advice.node_figures import GroupFigures, NodeFigures, by_group, reason, reasons, sentence

# m5.large with 11 pods and the default settings: 3 ENIs of 10, at least 2 ENIs with packed pods
NODE = NodeFigures("n1", "web", "m5.large", 11, held=30, expected=30, lowest=20, highest=30, step=10)


@pytest.mark.parametrize(("held", "off"), [(19, True), (20, False), (30, False), (31, True)])
def test_the_bounds_are_inclusive(held: int, off: bool) -> None:
    assert replace(NODE, held=held).off is off


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (NODE, ""),
        (replace(NODE, held=31), "settings changed since aws-node started"),
        (replace(NODE, expected=20, held=30), "still cool down or their ENIs stay"),
        (replace(NODE, held=20), "already warm"),
        (replace(NODE, held=10), "ENIs of a new node"),
        (replace(NODE, held=10, subnet_free=9), "the subnet has 9 free, the CNI adds 10 at a time"),
        (replace(NODE, held=10, subnet_free=10), "ENIs of a new node"),
        (replace(NODE, held=19, trunk=True), "no trunk ENI yet"),
        (replace(NODE, held=10, trunk=True), "ENIs of a new node"),
        (replace(NODE, expected=None, held=25), ""),
    ],
)
def test_the_likely_reason(node: NodeFigures, words: str) -> None:
    assert words in reason(node)
    assert bool(reason(node)) == bool(words)


def test_a_group_in_one_sentence() -> None:
    nodes = (NODE, replace(NODE, node="n2", held=28), replace(NODE, node="n3", held=32, pods=1))
    group = GroupFigures("web", nodes)
    assert (group.expected, group.held, group.bounds) == (90, 90, (60, 90))
    assert sentence(group) == (
        "model 30 addresses per node (20 to 30 possible), yours 28 to 32; 1 of 3 nodes off: "
        "n3 (m5.large, 1 pod) holds 32"
    )
    assert reasons(group).startswith("more than possible: ")


def test_without_pods_the_model_has_a_range() -> None:
    node = replace(NODE, pods=None, expected=None, lowest=10)
    group = GroupFigures("web", (node, NODE))
    assert not group.pods_known
    assert group.expected is None
    assert sentence(group) == "model 10 to 30 addresses per node for any number of pods, yours 30; 2 nodes in the range"


def test_more_nodes_off_than_a_sentence_names() -> None:
    group = GroupFigures("web", tuple(replace(NODE, node=f"n{i}", held=5) for i in range(5)))
    assert "5 of 5 nodes off: n0 (m5.large, 11 pods) holds 5, n1" in sentence(group)
    assert sentence(group).endswith("and 2 more")


def test_nodes_of_each_group_stay_together() -> None:
    nodes = [NODE, replace(NODE, group=""), replace(NODE, node="n2")]
    assert [(g.group, len(g.nodes)) for g in by_group(nodes)] == [("web", 2), ("", 1)]
