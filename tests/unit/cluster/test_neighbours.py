"""Clusters that share subnets: each plan names the other's."""

from __future__ import annotations

from pathlib import Path

import pytest

from capacity.catalog.packaged import data_dir
from capacity.catalog.table import Catalog
from capacity.cluster.check import CheckResult, check
from capacity.cluster.quota_use import quota_usage
from capacity.errors import SpecError
from capacity.plan.parse import read_plan

# One m5.large with 1 to 9 pods: two ENIs of ten addresses, 20 in all.
PLAN = """\
apiVersion: capacity/v1
metadata: {{name: {name}}}
cni: {{env: {{{env}}}}}
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {{name: {name}-a, zone: us-east-1a, cidr: 10.0.0.0/24, used: {used}}}
    - {{name: {name}-b, zone: us-east-1b, cidr: 10.0.1.0/24}}
controlPlane: {{subnets: [{name}-a, {name}-b]}}
nodeGroups:
  - {{name: g, instanceTypes: [m5.large], nodes: {{min: 2, desired: {nodes}, max: 6}}, subnets: [{name}-a, {name}-b]}}
workloads:
  - {{name: w, replicas: {{now: {pods}, max: 30}}}}
tenants:
  - {{kind: nlb, name: in, subnets: [{name}-a]}}
  - {{kind: vpcEndpoint, name: ecr, subnets: [{name}-a]}}
  - {{kind: cluster, plan: {other}}}
"""


def pair(folder: Path, env: str = "") -> CheckResult:
    """Of ``one`` with four nodes and 20 pods, beside ``two`` with two nodes and 10."""
    (folder / "one.yaml").write_text(PLAN.format(name="one", env="", used=0, nodes=4, pods=20, other="two.yaml"))
    (folder / "two.yaml").write_text(PLAN.format(name="two", env=env, used=7, nodes=2, pods=10, other="one.yaml"))
    return check(read_plan(folder / "one.yaml"))


def others(result: CheckResult, scenario: str, variant: str = "") -> list[int]:
    state = next(s for s in result.scenarios if s.name == scenario and s.variant == variant)
    return [s.used["other"] for s in state.subnets]


def test_the_other_cluster_is_booked_as_in_its_own_check(tmp_path: Path) -> None:
    result = pair(tmp_path)
    # a node of 20, 2 control-plane ENIs, and a load balancer in a; not the endpoint, not what is used
    assert others(result, "steady") == [20 + 2 + 1, 20 + 2]
    assert others(result, "rollout") == others(result, "upgrade") == others(result, "steady")
    assert others(result, "peak") == [30 + 2 + 1, 30 + 2]  # the same two nodes with more pods
    assert others(check(result.plan, ["ceiling"]), "ceiling") == [3 * 20 + 2 + 1, 3 * 20 + 2]


def test_the_other_plan_is_read_with_the_same_catalog(tmp_path: Path) -> None:
    pair(tmp_path)
    for name in ("one", "two"):
        file = tmp_path / f"{name}.yaml"
        file.write_text(file.read_text().replace("m5.large", "m5.mine"))
    rows = (data_dir() / "eni_limits.csv").read_text()
    catalog = Catalog(rows.replace("\nm5.large,", "\nm5.mine,"))
    assert others(check(read_plan(tmp_path / "one.yaml", catalog)), "steady") == [20 + 2 + 1, 20 + 2]


def test_a_lost_zone_is_lost_to_both(tmp_path: Path) -> None:
    result = pair(tmp_path)
    assert others(result, "zone-loss", "us-east-1a") == [20 + 2 + 1, 2 * 20 + 2]
    assert others(result, "zone-loss", "us-east-1b") == [2 * 20 + 2 + 1, 20 + 2]
    rule = next(s.rule for s in result.scenarios if s.variant)
    assert "as do those of two" in rule


def test_both_plans_see_the_same_free_addresses(tmp_path: Path) -> None:
    one = pair(tmp_path)
    two = check(read_plan(tmp_path / "two.yaml"))
    for mine, theirs in zip(one.scenarios[0].subnets, two.scenarios[0].subnets, strict=True):
        used_only_there = 7 if mine.subnet.name == "one-a" else 0
        assert mine.free == theirs.free + used_only_there


def test_bounds_and_prefixes_come_with_it(tmp_path: Path) -> None:
    alone = check(read_plan(write_alone(tmp_path)), ["steady"]).scenarios[0]
    result = pair(tmp_path, env="ENABLE_PREFIX_DELEGATION: true")
    beside = result.scenarios[0]
    assert [s.prefixes for s in beside.subnets] == [2, 2]  # five pods: one /28, and a warm one
    for mine, base in zip(beside.subnets, alone.subnets, strict=True):
        assert mine.used_lowest > base.used_lowest
        assert mine.used_highest >= base.used_highest + mine.used["other"]
        assert sum(mine.used.values()) + mine.free == mine.subnet.usable


def write_alone(folder: Path) -> Path:
    path = folder / "alone.yaml"
    text = PLAN.format(name="one", env="", used=0, nodes=4, pods=20, other="none")
    path.write_text(text.replace("  - {kind: cluster, plan: none}\n", ""))
    return path


def test_interfaces_of_both_count_against_the_quota(tmp_path: Path) -> None:
    def interfaces(result: CheckResult) -> int:
        return next(q.used for q in quota_usage(result) if q.quota.name == "region_enis")

    beside = interfaces(pair(tmp_path))
    # two's peak: two nodes of three ENIs each and four of the control plane
    assert beside - interfaces(check(read_plan(write_alone(tmp_path)))) == 2 * 3 + 4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("plan: two.yaml", "plan: no.yaml", "no.yaml: no such file"),
        ("plan: two.yaml", "plan: one.yaml", "is this plan itself"),
        ("plan: two.yaml", "plan: .", "is a directory"),
        ("plan: two.yaml", "plan: ''", "is empty"),
        ("plan: two.yaml", "plan: '-'", "expected a file, not standard input"),
        ("plan: two.yaml", "plan: two.yaml, addresses: 3", "remove this key or 'plan'"),
        ("plan: two.yaml", "plan: two.yaml, subnets: [one-a]", "remove this key or 'plan'"),
        ("kind: cluster, plan", "kind: alb, plan", "only a tenant of kind 'cluster' can have a plan"),
        ("10.0.0.0/24", "10.0.0.0/25", "two-a (10.0.0.0/24) in the other plan overlaps one-a (10.0.0.0/25) here"),
        ("zone: us-east-1b", "zone: us-east-1c", "in the other plan is in us-east-1b, but one-b here is in us-east-1c"),
        ("plan: two.yaml}", "plan: two.yaml}\n  - {kind: cluster, plan: ./two.yaml}", "duplicate plan './two.yaml'"),
        ("plan: two.yaml", "plan: null", "the key 'subnets' is missing"),
        ("plan: two.yaml", "plan: far.yaml", "far.yaml shares no subnet with this plan"),
        ("plan: two.yaml", "plan: bad.yaml", "bad.yaml:2"),
    ],
)
def test_what_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    pair(tmp_path)
    (tmp_path / "far.yaml").write_text((tmp_path / "two.yaml").read_text().replace("10.0.", "10.9."))
    (tmp_path / "bad.yaml").write_text("apiVersion: capacity/v1\nnonsense: 1\n")
    one = tmp_path / "one.yaml"
    one.write_text(one.read_text().replace(old, new))
    with pytest.raises(SpecError) as raised:
        read_plan(one)
    assert message in str(raised.value).replace(str(tmp_path), "")
    assert "one.yaml:" in str(raised.value)
