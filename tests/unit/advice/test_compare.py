"""Two checks side by side: differences equal those of the checks, and nothing is lost on either side."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.advice.compare import compare, freed
from capacity.cluster.check import CheckResult, check
from capacity.plan.document import read_document
from capacity.plan.parse import parse_plan
from capacity.plan.patch import apply_patch

EXAMPLE = Path(__file__).parents[3] / "examples" / "shop-prod.yaml"
DOCUMENT = read_document(EXAMPLE)


def checked(patch: dict[str, object] | None = None, scenarios: tuple[str, ...] | None = None) -> CheckResult:
    return check(parse_plan(apply_patch(DOCUMENT, patch or {}), str(EXAMPLE)), scenarios)


def test_nothing_changes_against_itself() -> None:
    result = checked()
    same = compare(result, result)
    assert not any(s.changed for s in same.scenarios)
    assert (same.gained, same.lost) == ((), ())
    assert same.sentence == "EXHAUSTED before and after: no figures change; 0 findings gone, 0 new."


def test_the_sentence_names_the_largest_change() -> None:
    found = compare(checked(), checked({"cni.env.WARM_IP_TARGET": 3, "cni.env.MINIMUM_IP_TARGET": 15}))
    # 34 nodes at the ceiling hold 30 addresses each now; then 15 and two primaries: 34 × (30 − 17)
    assert found.sentence.startswith("EXHAUSTED before and after: 477 more free addresses in peak+rollout; ")
    (ceiling,) = [s for s in found.scenarios if s.name == "ceiling"]
    assert sum(s.free_change or 0 for s in ceiling.subnets) == 442
    assert {f.code for f in found.lost} >= {"IP002"}


def test_fewer_addresses_the_other_way_round() -> None:
    found = compare(checked({"cni.env.WARM_IP_TARGET": 3, "cni.env.MINIMUM_IP_TARGET": 15}), checked())
    assert "477 fewer free addresses in peak+rollout" in found.sentence
    assert {f.code for f in found.gained} >= {"IP002"}


def test_a_subnet_that_comes_has_nothing_before() -> None:
    new = {"name": "private-d", "zone": "us-east-1a", "cidr": "10.40.8.0/24"}
    found = compare(checked(), checked({"vpc.subnets[+]": new}))
    for scenario in found.scenarios:
        (change,) = [s for s in scenario.subnets if s.name == "private-d"]
        assert change.before is None
        assert change.after is not None
        assert change.free_change is None
        assert change.changed
    assert next(r for r in found.runway if r.name == "private-d").before is None


def test_a_subnet_that_goes_has_nothing_after() -> None:
    patch: dict[str, object] = {
        "vpc.subnets.private-c": None,
        "controlPlane": None,
        "tenants": None,
        "nodeGroups.general.subnets[private-c]": None,
        "nodeGroups.batch.subnets[private-c]": None,
    }
    found = compare(checked(), checked(patch))
    steady = found.scenarios[0]
    assert [s.name for s in steady.subnets if s.after is None] == ["private-c"]
    lost = [s for s in found.scenarios if s.after is None]
    assert [s.title for s in lost] == ["zone-loss (us-east-1c)", "peak+zone-loss (us-east-1c)"]  # no node there


def test_scenarios_of_one_side_only() -> None:
    found = compare(checked(scenarios=("steady",)), checked(scenarios=("steady", "peak")))
    assert [(s.name, s.before is None) for s in found.scenarios] == [("steady", False), ("peak", True)]
    assert found.scenarios[1].changed
    assert found.scenarios[1].nodes == (None, 26)


@settings(max_examples=20)
@given(warm=st.integers(0, 20), least=st.integers(0, 20), used=st.integers(0, 200), most=st.integers(9, 30))
def test_differences_are_those_of_the_two_checks(warm: int, least: int, used: int, most: int) -> None:
    before = checked(scenarios=("steady", "peak"))
    patch: dict[str, object] = {
        "cni.env.WARM_IP_TARGET": warm,
        "cni.env.MINIMUM_IP_TARGET": least,
        "vpc.subnets.private-a.used": used,
        "nodeGroups.general.nodes.max": most,
    }
    after = checked(patch, ("steady", "peak"))
    found = freed(compare(before, after))
    for old, new in zip(before.scenarios, after.scenarios, strict=True):
        for x, y in zip(old.subnets, new.subnets, strict=True):
            assert found[old.title][x.subnet.name] == y.free - x.free
