"""Levers tried on plans: each is what it claims, the smallest set is found, and what is written passes."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.advice.distance import distance_of
from capacity.advice.effort import is_large, most_checks
from capacity.advice.findings.codes import finding
from capacity.advice.findings.rules import findings
from capacity.advice.fixes import Fixes, after, least_free, merged, with_fix
from capacity.advice.levers.offered import Lever, levers
from capacity.advice.search import find_fixes
from capacity.advice.snippets.settings import (
    eni_config,
    env_snippets,
    max_pods_snippets,
    minimal_update_snippet,
    no_surge_snippet,
)
from capacity.cluster.check import CheckResult, check
from capacity.errors import SpecError
from capacity.plan.document import parse_yaml
from capacity.plan.parse import parse_patched, parse_plan
from capacity.plan.patch import apply_patch, write_patched
from capacity.plan.sections import PlanSection

PLAN = """
apiVersion: capacity/v1
vpc:
  cidrs: [10.0.0.0/%(vpc)s]
  subnets:
    - {name: a, zone: z1, cidr: 10.0.0.0/%(size)s, used: %(used)s}   # kept
    - {name: b, zone: z2, cidr: 10.0.4.0/%(size)s}
controlPlane: {subnets: [a, b]}
nodeGroups:
  - {name: "it's web", instanceTypes: [m5.large], subnets: [a, b], nodes: {desired: %(nodes)s, max: %(nodes)s}}
workloads:
  - {name: app, replicas: %(pods)s}
"""


def document(vpc: int = 16, size: int = 24, used: int = 0, nodes: int = 20, pods: int = 40) -> PlanSection:
    values = {"vpc": vpc, "size": size, "used": used, "nodes": nodes, "pods": pods}
    found = parse_yaml(PLAN % values, "plan.yaml")
    assert isinstance(found, PlanSection)
    return found


def checked(of: PlanSection) -> CheckResult:
    return check(parse_plan(of, "plan.yaml"))


def fixes_of(of: PlanSection) -> Fixes:
    return find_fixes(of, checked(of))


def test_warm_targets_save_what_the_hand_says() -> None:
    # 20 nodes with 2 pods: 1 + 1 ENIs and 18 addresses each, 10 nodes a subnet: 200. With WARM_IP_TARGET 4 and
    # MINIMUM_IP_TARGET 2 + 4: 1 ENI and 6 addresses.
    plan = document()
    fix = next(f for f in fixes_of(plan).single if f.names == "warm-targets")
    assert fix.patch == {"cni.env.WARM_IP_TARGET": "4", "cni.env.MINIMUM_IP_TARGET": "6"}
    steady = check(parse_patched(plan, fix.patch, "plan.yaml"), ["steady"]).scenarios[0]
    assert [s.subnet.usable - s.free - s.used["control_plane"] for s in steady.subnets] == [10 * (1 + 6)] * 2


def test_every_lever_alone_is_tried_and_the_first_that_is_enough_is_named() -> None:
    fixes = fixes_of(document())
    assert fixes.best is not None
    assert [f.names for f in fixes.single] == [lever.name for lever in levers(checked(document()))]
    enough = [f.names for f in fixes.single if f.verdict == "ok"]
    assert fixes.best.names == enough[0]


def test_nothing_is_claimed_where_nothing_is_enough() -> None:
    # 13 addresses usable a subnet are needed by the nodes themselves, whatever the CNI does.
    plan = document(vpc=21, size=28, nodes=60, pods=600)
    fixes = fixes_of(plan)
    assert fixes.best is None
    assert fixes.complete
    assert "ok" not in {f.verdict for f in fixes.tried}
    assert fixes.nearest is not None
    assert fixes.nearest.helped
    assert fixes.nearest.rank < distance_of(checked(plan))


@settings(max_examples=25, deadline=None)
@given(st.integers(22, 27), st.integers(0, 20), st.integers(1, 30), st.integers(0, 200))
def test_what_a_lever_claims_is_the_difference_of_two_checks(size: int, used: int, nodes: int, pods: int) -> None:
    plan = document(size=size, used=used, nodes=nodes, pods=pods)
    before = checked(plan)
    for fix in find_fixes(plan, before).single:
        if fix.verdict is None:
            continue
        after = check(parse_patched(plan, fix.patch, "plan.yaml"))
        assert after.verdict == fix.verdict
        was, now = least_free(before), least_free(after)
        assert dict(fix.frees) == {n: now[n] - f for n, f in was.items() if n in now and now[n] != f}


def test_the_written_plan_passes_and_keeps_its_comments(tmp_path: Path) -> None:
    given_plan, mended = tmp_path / "plan.yaml", tmp_path / "mended.yaml"
    given_plan.write_text(PLAN % {"vpc": 16, "size": 24, "used": 0, "nodes": 20, "pods": 40})
    fixes = fixes_of(document())
    assert fixes.best is not None
    write_patched(given_plan, fixes.best.patch, mended)
    text = mended.read_text()
    assert "# kept" in text
    found = parse_yaml(text, "mended.yaml")
    assert isinstance(found, PlanSection)
    assert checked(found).verdict == "ok"


def test_a_lever_that_changes_nothing_helps_nowhere() -> None:
    # At rest nothing rolls out and no group is updated; fewer warm addresses leave less missing.
    plan = apply_patch(document(nodes=60), {"checks": {"scenarios": ["steady"]}})
    fixes = {f.names: f for f in fixes_of(plan).single}
    assert checked(plan).verdict == "exhausted"
    assert fixes["minimal-update"].helped == fixes["no-surge"].helped == frozenset()
    assert "short" in fixes["warm-targets"].helped


def test_levers_that_exclude_each_other_are_refused() -> None:
    one, two = (Lever(name, "", {"cni.env.MAX_ENI": value}, "", "") for name, value in (("one", "1"), ("two", "2")))
    with pytest.raises(SpecError, match="two and another lever both set"):
        merged([one, two])
    lists = [Lever(n, "", {"vpc.cidrs[+]": [n]}, "", "") for n in ("x", "y")]
    assert merged(lists) == {"vpc.cidrs[+]": ["x", "y"]}


def test_xen_types_get_no_prefixes_and_windows_no_custom_networking() -> None:
    xen = document()
    xen["nodeGroups"][0]["instanceTypes"][0] = "m4.large"
    assert "prefix-delegation" not in [lever.name for lever in levers(checked(xen))]
    windows = document()
    windows["nodeGroups"][0]["ami"] = "windows"
    assert "custom-networking" not in [lever.name for lever in levers(checked(windows))]


def test_findings_about_addresses_carry_the_fix() -> None:
    plan = document()
    before = checked(plan)
    fixes = find_fixes(plan, before)
    assert fixes.best is not None
    (fix,) = (e.fix for e in with_fix(findings(before), fixes) if (e.where, e.code) == ("subnets.a", "IP001"))
    assert fix["patch"] == fixes.best.patch
    assert fix["frees"] == fixes.best.frees["a"]


@pytest.mark.parametrize(
    ("code", "carries"),
    [(c, True) for c in ("IP001", "IP002", "IP003", "IP004", "IP006", "IP019")]
    + [(c, False) for c in ("IP005", "IP007", "IP018", "IP028")],
)
def test_only_findings_about_missing_addresses_carry_the_fix(code: str, carries: bool) -> None:
    plan = document()
    fixes = find_fixes(plan, checked(plan))
    (entry,) = with_fix([finding(code, "subnets.a", "text")], fixes)
    assert ("patch" in entry.fix) is carries


def test_names_of_the_plan_are_quoted_in_what_is_pasted() -> None:
    group = checked(document()).plan.node_groups[0]
    assert "'it'\"'\"'s web'" in minimal_update_snippet(group)
    karpenter = replace(group, provisioner="karpenter", name="x; rm -rf /")
    (command,) = max_pods_snippets(karpenter.name, "karpenter", karpenter.ami, 110)
    assert shlex.split(command)[3] == "x; rm -rf /"
    assert json.loads(shlex.split(command)[-1]) == {"spec": {"kubelet": {"maxPods": 110}}}
    assert shlex.split(no_surge_snippet("$(id)"))[3] == "$(id)"
    manifest = yaml.safe_load(shlex.split(eni_config("us-east-1a", "pods'a"))[1])
    assert manifest["spec"]["subnet"] == "ID-OF-pods'a"
    assert any(line.startswith("# Terraform") for line in env_snippets({"WARM_IP_TARGET": "2"}, {}))


def test_changes_asked_for_and_the_fix_are_written_together() -> None:
    asked = {"vpc.cidrs[+]": "100.65.0.0/16", "cni.env.MAX_ENI": "3"}
    fix = {"vpc.cidrs[+]": ["100.64.0.0/16"], "cni.env.MAX_ENI": "2"}
    assert after(asked, fix) == {"vpc.cidrs[+]": ["100.65.0.0/16", "100.64.0.0/16"], "cni.env.MAX_ENI": "2"}


@pytest.mark.parametrize(
    ("workloads", "checks", "large"),
    [
        (1, 150, False),
        (19_990, 100, False),  # one group in two subnets counts for 10: two million ÷ 20,000
        (49_990, 40, False),
        (50_000, 40, True),  # 39 would be two million's worth
    ],
)
def test_the_larger_the_plan_the_fewer_checks(workloads: int, checks: int, large: bool) -> None:
    result = check(parse_plan(document(), "plan.yaml"), ["steady"])
    plan = replace(result.plan, workloads=result.plan.workloads * workloads)
    assert (most_checks(replace(result, plan=plan)), is_large(replace(result, plan=plan))) == (checks, large)


def test_a_search_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    plan = document()
    fixes = find_fixes(plan, checked(plan), tell=lambda done, most: told.append((done, most)))
    assert list(dict.fromkeys(told)) == [
        (i, 150) for i in range(len(set(told)))
    ]  # the first while levers are looked for
    assert len(told) >= len(fixes.tried)


def test_fixes_are_sought_for_a_file_whose_plans_beside_it_are_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(__file__).parents[3] / "examples" / "shared-subnets"  # shop.yaml names staging.yaml beside it
    monkeypatch.chdir(tmp_path)
    found = find_fixes(folder / "shop.yaml")
    assert found.best is not None
    assert found.best.verdict == "ok"
