"""The topics of `capacity explain`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from capacity.pages.topic_page import TOPICS
from tests.cli.entry import capacity

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOP = str(EXAMPLES / "shop-prod.yaml")


def results(*arguments: str) -> Any:
    done = capacity("explain", *arguments, "-o", "json")
    assert done.code == 0, done.stderr
    return json.loads(done.stdout)["results"]


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_offered_and_answers(topic: str) -> None:
    assert results(topic, SHOP)
    assert topic in "".join(capacity("explain", "--help").stdout.split())
    assert capacity("explain", topic, SHOP, "-q", "-o", "md").code == 0


def test_paths_and_actions() -> None:
    found = results("security-groups")
    assert {(p["from"], p["to"]) for p in found["paths"]} >= {
        ("control plane", "nodes"),
        ("nodes", "control plane"),
        ("nodes", "nodes"),
        ("load balancers", "nodes"),
        ("nodes", "interface endpoints"),
    }
    assert "--group-id NODE_SG --source-group CLUSTER_SG --protocol tcp --port 10250" in " ".join(found["commands"])
    assert len(found["commands"]) == 9  # those with fixed ports
    actions = {a["action"] for a in found["iam_actions"]}
    assert "ec2:AssignPrivateIpAddresses" in actions
    six = {a["action"] for a in results("security-groups", str(EXAMPLES / "ipv6.yaml"))["iam_actions"]}
    assert "ec2:AssignIpv6Addresses" in six - actions


def test_the_price_of_2018() -> None:
    first, second, _ = results("control-plane-price")
    assert (first["usd_per_hour"], first["usd_per_month"]) == (0.2, 146.0)
    assert (second["since"], second["usd_per_month"]) == ("2020-01-21", 73.0)


def test_limits_name_their_source() -> None:
    rows = results("limits", SHOP)
    assert all(row["source"] for row in rows)
    assert next(row for row in rows if row["name"] == "cluster_nodes")["verdict"] == "ok"


class TestAutoscaling:
    def test_how_far_the_groups_go(self) -> None:
        found = results("autoscaling", SHOP)
        general, batch = found["groups"]
        assert (general["now"], general["ceiling"], general["fits"]) == (9, 26, 9 + 3 * 3)
        assert general["commands"][0].endswith("--scaling-config maxSize=18")
        assert batch["commands"] == []
        assert (found["pods_now"], found["pods_most"]) == (92, 316)
        assert found["calls"]["RunInstances"] == 17 + 6
        assert found["verdict"] == "exhausted"

    def test_the_setting_keeps_the_subnets(self) -> None:
        """With the maximum that it says, and no other group that grows, no subnet runs out at the ceiling."""
        changes = ("--set", "nodeGroups.general.nodes.max=18", "--set", "nodeGroups.batch.nodes.max=2")
        checked = capacity("check", SHOP, "--scenario", "ceiling", "--no-fixes", "-o", "json", *changes)
        (scenario,) = json.loads(checked.stdout)["results"]["scenarios"]
        assert all(subnet["free"] >= 0 for subnet in scenario["subnets"])


def test_a_topic_that_needs_a_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = capacity("explain", "limits")
    assert (done.code, "no plan was given" in done.stderr) == (2, True)


def test_the_density_of_pods_with_security_groups() -> None:
    (group,) = results("network-policy", str(EXAMPLES / "first-plan.yaml"))["density"]
    assert (group["instance_type"], group["max_pods"], group["branch_enis"]) == ("m5.large", 29, 9)
    assert "density" not in results("network-policy")[0]


def test_how_long_the_pods_of_the_scale_up_take() -> None:
    """m5.large: 45 s until a node starts; private-b has too few addresses for the last pods of the shop."""
    small = results("autoscaling", str(EXAMPLES / "first-plan.yaml"))["scale_up"]
    assert small["pods"] == 16
    assert small["served_s"]["p50"] < 45 < small["served_s"]["p100"] < 90
    assert small["without_address"] == 0
    shop = results("autoscaling", SHOP)["scale_up"]
    assert (shop["pods"], shop["served_s"]["p100"], shop["without_address"] > 0) == (224, None, True)
    page = capacity("explain", "autoscaling", str(EXAMPLES / "first-plan.yaml"), "-q").stdout
    assert "16 more pods that start at the same time get their addresses: 50% within 5 s, all within" in page


def test_a_plan_without_a_pool_of_the_cni_says_why_nothing_is_simulated() -> None:
    assert results("autoscaling", str(EXAMPLES / "overlay.yaml"))["scale_up"] is None
    page = capacity("explain", "autoscaling", str(EXAMPLES / "overlay.yaml"), "-q").stdout
    assert "is not simulated: pods have addresses of an overlay network" in page


def test_control_plane_tiers() -> None:
    """224 pods at 167 pods a second take 1.3 s; unknown figures are null; $1.65 × 730 h."""
    standard, xl, *_, largest = results("control-plane-tiers", SHOP)
    assert (standard["seats"], standard["database_gb"], standard["usd_per_month"]) == (None, 8, 0)
    assert (xl["seats"], xl["pods_per_second"], xl["database_gb"]) == (1700, 167, 16)
    assert (xl["usd_per_hour"], xl["usd_per_month"], xl["schedule_s"]) == (1.65, 1204.5, 1.3)
    assert (largest["tier"], largest["seats"], largest["schedule_s"]) == ("tier-8xl", None, None)
    assert all(row["schedule_s"] is None for row in results("control-plane-tiers"))
    page = capacity("explain", "control-plane-tiers", SHOP, "-q").stdout
    assert "The maximum of the workloads is 224 more pods than now; the plan states no churn." in page
