"""Laws of levers on random plans: what one claims is the difference of two checks, alone and merged."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from itertools import combinations, product

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from capacity.advice.fixes import least_free, merged
from capacity.advice.judge import check as judge
from capacity.advice.levers.lever import RISKS
from capacity.advice.levers.offered import Lever, lever_for, levers
from capacity.advice.search import find_fixes
from capacity.cluster.check import CheckResult, check
from capacity.errors import SpecError
from capacity.plan.document import parse_yaml
from capacity.plan.parse import parse_patched, parse_plan
from capacity.plan.patch import apply_patch
from capacity.plan.sections import PlanSection
from capacity.vpc.ledger import VERDICTS

TYPES = ("m5.large", "t3.large", "m4.large", "c6i.2xlarge", "m7g.medium", "m5d.large")
PROVISIONERS = ("managed", "karpenter", "self-managed", "auto")
ENVIRONMENTS = (
    "",
    "WARM_IP_TARGET: '2'",
    "WARM_ENI_TARGET: '2'",
    "ENABLE_PREFIX_DELEGATION: 'true'",
    "ENABLE_POD_ENI: 'true'",
    "MAX_ENI: '2'",
)


@st.composite
def documents(draw: st.DrawFn) -> PlanSection:
    """Two groups over one to three zones, subnets of unlike sizes, with what else may stand in a plan."""
    zones = draw(st.integers(1, 3))
    sizes = [draw(st.integers(23, 27)) for _ in range(zones)]
    subnets = "".join(
        f"    - {{name: s{i}, zone: z{i}, cidr: 10.0.{2 * i}.0/{size}, used: {draw(st.integers(0, 12))}}}\n"
        for i, size in enumerate(sizes)
    )
    names = ", ".join(f"s{i}" for i in range(zones))
    groups = ""
    for i in range(draw(st.integers(1, 2))):
        kind, who = (
            draw(st.sampled_from(TYPES)),
            draw(st.sampled_from(("managed", "karpenter", "self-managed", "auto"))),
        )
        nodes = draw(st.one_of(st.integers(0, 14).map(str), st.just("{min: 1, max: 9}")))
        max_pods = draw(st.sampled_from(("", ", maxPods: 17")))
        groups += f"  - {{name: g{i}, instanceTypes: [{kind}], provisioner: {who}, subnets: [{names}], "
        groups += f"nodes: {nodes}{max_pods}}}\n"
    env, vpc = draw(st.sampled_from(ENVIRONMENTS)), draw(st.sampled_from((20, 21)))
    pods, secured = draw(st.integers(0, 240)), draw(st.sampled_from(("", ", securityGroups: true")))
    found = parse_yaml(
        f"apiVersion: capacity/v1\nregion: us-east-1\ncni: {{env: {{{env}}}}}\n"
        f"vpc:\n  cidrs: [10.0.0.0/{vpc}]\n  subnets:\n{subnets}"
        f"nodeGroups:\n{groups}"
        f"workloads:\n  - {{name: w, replicas: {pods}, requests: {{cpu: 20m, memory: 32Mi}}{secured}}}\n"
        f"tenants:\n  - {{kind: alb, subnets: [{names}]}}\n",
        "plan.yaml",
    )
    assert isinstance(found, PlanSection)
    return found


def checked(document: PlanSection) -> CheckResult:
    return check(parse_plan(document, "plan.yaml"))


def judged(document: PlanSection) -> CheckResult:
    """With the findings' last word, as the search judges."""
    return judge(parse_plan(document, "plan.yaml"))


def by_hand(before: CheckResult, after: CheckResult) -> dict[str, int]:
    """Least free of each subnet after less before, where it changed; ledger by ledger, no helper of the library."""
    found = {}
    for subnet in before.plan.subnets:
        least = []
        for of in (before, after):
            states = [s for scenario in of.scenarios for s in scenario.subnets if s.subnet.name == subnet.name]
            least.append(min((s.subnet.usable - sum(s.used.values()) for s in states), default=0))
        if least[0] != least[1]:
            found[subnet.name] = least[1] - least[0]
    return found


def offered(before: CheckResult) -> dict[str, Lever]:
    return {lever.name: lever for lever in levers(before)}


@settings(max_examples=20, deadline=None)
@given(documents())
def test_every_set_of_levers_claims_what_two_checks_say(document: PlanSection) -> None:
    before = judged(document)
    for fix in find_fixes(document, before).tried[:20]:
        if fix.verdict is None:
            assert fix.fault
            continue
        after = judged(apply_patch(document, fix.patch))
        if fix.judged_in:  # refused in the scenario that it names
            assert after.verdict != "ok"
            assert fix.judged_in in {s.title for s in after.scenarios if s.verdict != "ok"}
            continue
        assert after.verdict == fix.verdict
        assert dict(fix.frees) == by_hand(before, after)


def disturbs(several: Sequence[Lever]) -> tuple[int, int]:
    """What comes first of two sets, but for the order of levers."""
    return max(RISKS.index(x.risk) for x in several), len(several)


def every_size(several: Sequence[Lever]) -> Iterator[tuple[Lever, ...]]:
    """The set with each lever in each of its sizes."""
    yield from product(*((lever, *lever.milder) for lever in several))


@settings(max_examples=12, deadline=None)
@given(documents())
def test_no_smaller_set_than_the_one_named_is_enough(document: PlanSection) -> None:
    """By brute force over every lever alone, every pair and every three, in every size, none left out for not helping.

    Threes only where the answer is no smaller, and of those only the first hundred.
    """
    before = judged(document)
    assume(before.verdict != "ok")
    found = find_fixes(document, before)
    assume(found.complete)
    best = found.best
    if best is not None:
        assert judged(apply_patch(document, best.patch)).verdict == "ok"
        assert best.patch == merged(best.levers)
    limit = disturbs(best.levers) if best is not None else (len(RISKS), 1)
    pool = levers(before)
    for size in (1, 2):
        for several in combinations([x for x in pool if size == 1 or not x.last], size):
            if disturbs(several) >= limit:
                continue
            for sized in every_size(several) if size == 1 else [several]:
                try:
                    after = judged(apply_patch(document, merged(sized)))
                except SpecError:  # they cannot be combined
                    continue
                assert after.verdict != "ok", [x.summary for x in sized]


@settings(max_examples=10, deadline=None)
@given(documents())
def test_no_group_of_the_answer_can_be_left_out_and_no_size_is_milder(document: PlanSection) -> None:
    before = judged(document)
    assume(before.verdict != "ok")
    best = find_fixes(document, before).best
    assume(best is not None)
    assert best is not None
    whole = {x.name: x for x in levers(before)}
    if len(best.levers) == 1:
        for milder in whole[best.names].milder:
            if milder.patch == best.patch:
                break
            assert judged(apply_patch(document, milder.patch)).verdict != "ok"
    groups = [g for lever in best.levers for g in lever.groups]
    if len(best.levers) == 1 and len(groups) > 1:
        for group in groups:
            for fewer in lever_for(before, best.names, [g for g in groups if g != group]):
                assert group in fewer.groups or judged(apply_patch(document, fewer.patch)).verdict != "ok"


@settings(max_examples=15, deadline=None)
@given(documents())
def test_what_is_pasted_is_the_patch(document: PlanSection) -> None:
    """Numbers and variables of the patch stand in the commands, with the value of the patch and no other."""
    before = judged(document)
    for fix in [f for f in find_fixes(document, before).tried if f.verdict][:20]:
        lines = "\n".join(fix.commands)
        for path, value in fix.patch.items():
            name = path.rpartition(".")[2]
            if path.startswith("cni.env.") and value is not None and not fix.levers[0].last:
                (set_env,) = (line for line in fix.commands if line.startswith("kubectl set env daemonset/aws-node"))
                assert f"{name}={value}" in shlex.split(set_env)
            elif name == "maxPods" and isinstance(value, int):
                assert str(value) in lines
            elif name == "subnets" and isinstance(value, list):
                assert all(f"ID-OF-{n}" in lines for n in value)
            elif name == "instanceTypes" and isinstance(value, list):
                assert all(n in lines for n in value)


@settings(max_examples=30, deadline=None)
@given(documents())
def test_every_patch_of_a_lever_is_a_plan(document: PlanSection) -> None:
    for lever in levers(checked(document)):
        parse_patched(document, lever.patch)
        assert lever.summary
        assert lever.cost
        assert lever.source
        assert not [line for line in lever.commands if "\n" in line]


@settings(max_examples=20, deadline=None)
@given(documents())
def test_merged_levers_are_their_patches_one_after_the_other(document: PlanSection) -> None:
    for one, two in combinations(levers(checked(document)), 2):
        try:
            patch = merged([one, two])
        except SpecError:
            shared = set(one.patch) & set(two.patch)
            assert any(one.patch[path] != two.patch[path] for path in shared)
            continue
        assert apply_patch(document, patch) == apply_patch(apply_patch(document, one.patch), two.patch)


@settings(max_examples=40, deadline=None)
@given(documents())
def test_a_new_subnet_is_ok_itself_at_rest(document: PlanSection) -> None:
    # Where nodes start in the other scenarios depends on what stands where, so a new subnet moves that a little.
    before = check(parse_plan(document, "plan.yaml"), ["steady", "peak"])
    for name in ("added-subnet", "larger-subnets"):
        lever = offered(before).get(name)
        if lever is None:
            continue
        after = check(parse_patched(document, lever.patch), ["steady", "peak"])
        known = {s.name for s in before.plan.subnets}
        new = [s for scenario in after.scenarios for s in scenario.subnets if s.subnet.name not in known]
        assert new
        assert [(s.subnet.name, s.used_total, s.used_highest) for s in new if s.verdict != "ok"] == []


@settings(max_examples=40, deadline=None)
@given(documents())
def test_a_reservation_never_makes_a_subnet_worse(document: PlanSection) -> None:
    lever = offered(checked(document)).get("prefix-delegation")
    if lever is None or lever.complete is None:
        return
    without = checked(apply_patch(document, lever.patch))
    reserved = checked(apply_patch(document, lever.complete(without).patch))
    assert least_free(without) == least_free(reserved)
    for one, two in zip(without.scenarios, reserved.scenarios, strict=True):
        for was, now in zip(one.subnets, two.subnets, strict=True):
            assert VERDICTS.index(now.verdict) <= VERDICTS.index(was.verdict)


@settings(max_examples=40, deadline=None)
@given(documents())
def test_another_type_takes_fewer_addresses_or_carries_more(document: PlanSection) -> None:
    before = checked(document)
    lever = offered(before).get("instance-type")
    if lever is None:
        return
    after = checked(apply_patch(document, lever.patch))
    gravest = min(
        range(len(before.scenarios)),
        key=lambda i: (
            -VERDICTS.index(before.scenarios[i].verdict),
            min(s.free for s in before.scenarios[i].subnets),
        ),
    )
    was, now = before.scenarios[gravest], after.scenarios[gravest]
    nodes = [[g.nodes for g in scenario.groups] for scenario in (was, now)]
    if len(before.shapes) > 1 or nodes[0] != nodes[1]:
        return  # pods move between groups by what is free on them, and other nodes carry other numbers of pods
    held = [sum(s.used_total for s in scenario.subnets) for scenario in (was, now)]
    without = [s.unplaced_pods + s.pods_without_address for s in (was, now)]
    assert held[1] < held[0] or without[1] < without[0]
