"""The mean node: its pods and resources, added up by hand."""

from __future__ import annotations

from typing import Any

import pytest

from capacity.advice.judge import check
from capacity.optimize.choices import Choices
from capacity.optimize.mean_node import MeanNode, mean_nodes
from capacity.optimize.open_plan import sketched
from capacity.optimize.optimum import optimize_plan
from capacity.optimize.request import Request
from capacity.units import MIB


def nodes(document: dict[str, Any], *types: str) -> list[MeanNode]:
    found = optimize_plan(document, Request(Choices(types=types, arch="x86_64"), judge=check, simpler=False))
    return mean_nodes(found)


def test_ten_pods_on_four_nodes_by_hand() -> None:
    # c6i.xlarge: 3,920 millicores allocatable, so 3 of 1 CPU beside the agent; 58 pods; 4 ENIs of 14 pod addresses.
    document = sketched([("job", "1", "128Mi", 10)])
    document["daemonSets"] = [{"name": "agent", "requests": {"cpu": "100m", "memory": "64Mi"}}]
    (mean,) = nodes(document, "c6i.xlarge")
    assert (mean.instance_type, mean.nodes, mean.binding, mean.pods) == ("c6i.xlarge", 4, "cpu", {"job": 2.5})
    uses = {u.resource: u for u in mean.uses}
    assert list(uses) == ["cpu", "memory", "max_pods", "addresses"]
    assert (uses["cpu"].allocatable, uses["cpu"].daemonsets, uses["cpu"].workloads) == (3920, 100, {"job": 2500.0})
    assert uses["cpu"].share == pytest.approx(2600 / 3920)
    assert (uses["memory"].daemonsets, uses["memory"].workloads) == (64 * MIB, {"job": 2.5 * 128 * MIB})
    assert (uses["max_pods"].allocatable, uses["max_pods"].daemonsets) == (58, 3)  # agent, aws-node, kube-proxy
    assert (uses["addresses"].allocatable, uses["addresses"].daemonsets) == (4 * 14, 1)
    assert uses["addresses"].workloads == {"job": 2.5}


def test_the_pods_of_all_groups_are_all_pods() -> None:
    document = sketched([("web", "250m", "512Mi", 150), ("api", "1", "2Gi", 20), ("big", "3", "12Gi", 5)])
    found = nodes(document, "m5a.*", "c6a.*")
    total = {name: sum(n.nodes * n.pods.get(name, 0) for n in found) for name in ("web", "api", "big")}
    assert total == pytest.approx({"web": 150, "api": 20, "big": 5})
    for use in (u for n in found for u in n.uses):
        assert 0 < use.share <= 1


def test_branch_enis_are_shown_where_pods_take_them() -> None:
    document = sketched([("web", "100m", "128Mi", 40)])
    document["cni"] = {"env": {"ENABLE_POD_ENI": "true"}}
    document["workloads"][0]["securityGroups"] = "true"
    found = nodes(document, "m5.large")
    branch = [u for n in found for u in n.uses if u.resource == "branch_enis"]
    assert [u.allocatable for u in branch] == [9] * len(found)
