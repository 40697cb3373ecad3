"""The verdict in one sentence, and the node at which a subnet is full."""

from __future__ import annotations

from dataclasses import replace

import pytest

from capacity.advice.digest import subnet_digests
from capacity.advice.summary import verdict_sentence, waste_sentence
from capacity.cluster.check import CheckResult, check
from capacity.cluster.headroom import exhaustion
from capacity.cluster.unplaced import Unplaced
from tests.fixtures.plans import plan_of, small

NODES = "nodes: {min: 1, desired: 3, max: 6}"


def steady(*exchanges: tuple[str, str]) -> CheckResult:
    return check(small(*exchanges), ["steady"])


@pytest.mark.parametrize(
    ("exchanges", "said"),
    [
        ((), "OK: every subnet keeps at least 20% of its addresses free (steady)."),
        # 50 held beside `used`: two nodes of 20, 2 of the control plane, 8 of the load balancer; 251 − 290 = −39
        (
            [("used: 10", "used: 240")],
            "EXHAUSTED: a (10.0.0.0/24, us-east-1a) is 39 addresses short in the steady state. "
            "Node 1 of 3 in general (20 addresses each) no longer fits. "
            "240 addresses are used by others, 27 are kept warm.",
        ),
        (
            [("used: 10", "used: 202")],
            "EXHAUSTED: a (10.0.0.0/24, us-east-1a) is 1 address short in the steady state. "
            "Node 3 of 3 in general (20 addresses each) no longer fits. "
            "202 addresses are used by others, 27 are kept warm.",
        ),
        (
            [("used: 10", "used: 150")],
            "TIGHT: a (10.0.0.0/24, us-east-1a): only 51 of 251 addresses stay free in the steady state.",
        ),
        (
            [("replicas: 10", "replicas: 30")],
            "TIGHT: in the steady state, 9 pods are unschedulable: limited by CPU. No subnet is short of addresses.",
        ),
        (
            [("replicas: 10", "replicas: 22"), ("used: 10", "used: 150")],
            "TIGHT: a (10.0.0.0/24, us-east-1a): only 51 of 251 addresses stay free in the steady state. "
            "1 pod is unschedulable: limited by CPU.",
        ),
        (
            [("used: 10", "used: 199")],
            "TIGHT: a (10.0.0.0/24, us-east-1a): 2 of 251 addresses stay free, "
            "but the worst-case placement needs 261 in the steady state.",
        ),
    ],
)
def test_sentences(exchanges: list[tuple[str, str]], said: str) -> None:
    exchanges = list(exchanges)
    if "51 of 251" in said:
        exchanges.append(("minFree: 20%", "minFree: 21%"))
    assert verdict_sentence(steady(*exchanges)) == said


def test_pods_without_an_address_are_worse_than_a_tight_subnet() -> None:
    # MAX_ENI 1 leaves 9 secondary addresses on an m5.large: 3 nodes serve 27 of 40 small pods and 3 of a daemonset
    few = ('WARM_ENI_TARGET: "1"', "MAX_ENI: 1")
    small_pods = (("replicas: 10", "replicas: 40"), ("cpu: 250m, memory: 512Mi", "cpu: 10m"))
    said = verdict_sentence(steady(few, *small_pods, ("used: 10", "used: 200")))
    assert said.startswith("EXHAUSTED: in the steady state, 16 pods get no address (stuck in ContainerCreating). ")
    assert said.endswith(
        "The subnet with the least room is a (10.0.0.0/24, us-east-1a): only 21 of 251 addresses stay free."
    )


def test_several_reasons_the_one_of_most_pods_first() -> None:
    result = steady(("replicas: 10", "replicas: 30"))
    state = replace(
        result.scenarios[0],
        unplaced=(
            Unplaced("a", 1, "cpu"),
            Unplaced("b", 7, "nodes"),
            Unplaced("c", 2, "memory"),
            Unplaced("d", 1, "cpu"),
        ),
    )
    said = verdict_sentence(replace(result, scenarios=(state,)))
    assert "11 pods are unschedulable: limited by the number of nodes, CPU and memory." in said


def test_reservations_that_leave_too_little_for_single_addresses() -> None:
    kept = "reservations: [{cidr: 10.0.0.128/25, type: prefix}, {cidr: 10.0.0.64/26, type: explicit}]"
    said = verdict_sentence(steady(("used: 10", kept), (NODES, "nodes: 9")))
    assert said.startswith(
        "EXHAUSTED: a (10.0.0.0/24, us-east-1a): its CIDR reservations leave too few single addresses"
    )


def test_prefixes_that_cannot_be_placed() -> None:
    result = check(
        small(
            ('WARM_ENI_TARGET: "1"', "ENABLE_PREFIX_DELEGATION: true"),
            ("10.0.0.0/24, used: 10", "10.0.0.0/26"),
            (NODES, "nodes: 1"),
            ("replicas: 10", "replicas: 19"),
            ("cpu: 250m, memory: 512Mi", "cpu: 10m"),
        ),
        ["steady"],
    )
    # 20 pods: 1 + ⌈20 ÷ 16⌉ = 3 prefixes; with 1 + 2 + 8 single addresses just the 59 there are, but a /26 has two
    # whole blocks only
    a = result.scenarios[0].subnets[0]
    assert (a.prefixes, a.free, a.verdict) == (3, 0, "exhausted")
    assert verdict_sentence(result) == (
        "EXHAUSTED: a (10.0.0.0/26, us-east-1a): its prefixes cannot be placed in the steady state."
    )


def test_the_waste() -> None:
    # warm 27 + 14 of 36 + 18 held
    assert waste_sentence(steady()) == "Held but unused in steady: 41 of 54 pod addresses (76%)."


@pytest.mark.parametrize("used", range(110, 240, 7))
def test_the_node_at_which_it_is_full_is_the_first_that_does_not_fit(used: int) -> None:
    """Against counting: nodes go a, b, a, b, …; each takes what the scenario's fullest takes."""
    result = check(small(("used: 10", f"used: {used}"), (NODES, "nodes: 9")), ["steady"])
    state = result.scenarios[0]
    found = exhaustion(result, state, "a")
    a = state.subnets[0]
    per_node = max(
        1 + state.groups[0].shape.first.demand(c.vpc_pods) for c in state.groups[0].classes if c.slot.subnet == "a"
    )
    room = 251 - used - 2 - 8
    first = next((n for n in range(1, 10) if (n + 1) // 2 * per_node > room), None)
    if first is None:
        assert found is None
        assert a.free >= 0
    else:
        assert found is not None
        assert (found.node, found.addresses, found.most) == (first, per_node, 9)


def test_no_node_there_and_short_without_nodes() -> None:
    result = check(small((NODES, "nodes: 0")), ["steady"])
    assert exhaustion(result, result.scenarios[0], "a") is None
    result = check(small(("used: 10", "used: 250")), ["steady"])
    assert exhaustion(result, result.scenarios[0], "a") is None


def test_a_plan_of_subnets_only() -> None:
    bare = """\
apiVersion: capacity/v1
vpc:
  cidrs: [10.0.0.0/24]
  subnets: [{name: a, zone: z, cidr: 10.0.0.0/28, used: 11}]
"""
    result = check(plan_of(bare))
    assert result.verdict == "tight"
    assert verdict_sentence(result).startswith("TIGHT: a (10.0.0.0/28, z): only 0 of 11 addresses stay free")
    assert waste_sentence(result) == ""


def test_what_only_the_ceiling_lacks_is_tight_in_every_answer() -> None:
    text = """\
apiVersion: capacity/v1
vpc: {cidrs: [10.0.0.0/20], subnets: [{name: s0, zone: z1, cidr: 10.0.0.0/25}]}
nodeGroups: [{name: g0, instanceTypes: [m5.large], subnets: [s0], nodes: {min: 1, max: 19}}]
workloads: [{name: w, replicas: 4}]
"""
    result = check(plan_of(text))
    assert result.verdict == "tight"
    assert verdict_sentence(result).startswith("TIGHT: s0 (10.0.0.0/25, z1) is 107 addresses short at the ceiling.")
    (digest,) = subnet_digests(result)
    assert (digest.verdict, digest.scenario, digest.state.free) == ("tight", "ceiling", -107)
