"""All errors of a plan in one run: one line each, by line, and nothing that only follows from another error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from capacity.errors import MOST_ERRORS, MOST_LINES, SpecError, SpecErrors, UnknownInstanceType
from capacity.plan.parse import read_patched, read_plan
from capacity.plan.tenants import tenant_kinds
from tests.cli.entry import capacity
from tests.fixtures.plans import SMALL, plan_of

FIVE = (
    ("ipFamily: ipv4", "ipFamily: ipv5"),
    ("used: 10", "used: 252"),
    ("[m5.large]", "[m5.lrage]"),
    ("replicas: 10", "replica: 10"),
    ("minFree: 20%", "minFree: 101%"),
)
LINES = [
    "plan.yaml:4 kubernetes.ipFamily: 'ipv5' is not one of ipv4, ipv6 (did you mean 'ipv6'?)",
    "plan.yaml:11 vpc.subnets[0].used: 252 is out of range (expected 0 to 251)",
    "plan.yaml:16 nodeGroups[0].instanceTypes[0]: 'm5.lrage' is not a known instance type "
    "(did you mean 'm5.large', 'm5n.large' or 'm5d.large'?)",
    "plan.yaml:22 workloads[0].replica: unknown key (did you mean 'replicas'?)",
    "plan.yaml:30 checks.minFree: '101%' is out of range (expected 0% to 100%)",
]


def wrong(*exchanges: tuple[str, str]) -> str:
    text = SMALL
    for old, new in exchanges:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def errors_of(text: str) -> list[str]:
    with pytest.raises(SpecError) as refused:
        plan_of(text)
    return [str(error) for error in refused.value.errors]


def test_five_mistakes_are_five_lines_in_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.yaml").write_text(wrong(*FIVE))
    done = capacity("check", "plan.yaml", "-o", "json")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == "".join(f"error: {line}\n" for line in LINES)
    with pytest.raises(SpecErrors) as refused:
        read_plan("plan.yaml")
    assert str(refused.value) == "\n".join(LINES)
    assert [error.line for error in refused.value.errors] == [4, 11, 16, 22, 30]
    unknown = refused.value.errors[2]
    assert isinstance(unknown, UnknownInstanceType)
    assert unknown.nearest[0] == "m5.large"


def test_each_is_an_annotation_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.yaml").write_text(wrong(*FIVE))
    done = capacity("check", "plan.yaml", "-o", "github")
    places = [line.split(",title")[0] for line in done.stdout.splitlines()]
    assert places == [f"::error file=plan.yaml,line={line}" for line in (4, 11, 16, 22, 30)]


def test_a_json_plan_has_its_lines_too(tmp_path: Path) -> None:
    document = yaml.load(wrong(*FIVE), Loader=yaml.BaseLoader)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(document, indent=1))
    with pytest.raises(SpecError) as refused:
        read_plan(path)
    lines = [error.line or 0 for error in refused.value.errors]
    assert len(lines) == 5
    assert lines == sorted(lines)
    assert min(lines) > 1
    text = path.read_text().splitlines()
    assert [text[line - 1].strip(' "').partition('"')[0] for line in lines] == [
        "ipFamily",
        "used",
        "m5.lrage",
        "replica",
        "minFree",
    ]


def test_lines_come_in_the_order_of_the_file_not_of_the_reading() -> None:
    text = wrong(("controlPlane: {subnets: [a, b]}", "controlPlane: {subnets: [a, z]}"), FIVE[2], FIVE[4])
    places = [line.partition(": ")[0] for line in errors_of(text)]
    assert places == [
        "plan.yaml:13 controlPlane.subnets[1]",
        "plan.yaml:16 nodeGroups[0].instanceTypes[0]",
        "plan.yaml:30 checks.minFree",
    ]


def test_one_error_is_the_error_itself() -> None:
    with pytest.raises(UnknownInstanceType) as refused:
        plan_of(wrong(FIVE[2]))
    assert refused.value.errors == (refused.value,)
    assert refused.value.lines == (LINES[2],)


@pytest.mark.parametrize(
    "exchange",
    [
        ("apiVersion: capacity/v1", "apiVersion: v1"),  # another kind of file
        ("cidrs: [10.0.0.0/16]", "cidrs: [10.0.0.0/15]"),
        ("name: a, zone", "nmae: a, zone"),
        ("name: a, zone", "name: [a], zone"),
        ("cidr: 10.0.1.0/24", "cidr: 10.0.1.0/33"),
        ("vpc:", "vpx:"),
        ("nodeGroups:", "nodeGroup:"),
        ("- name: general", "- nam: general"),
        ("instanceTypes: [m5.large]", "instanceTypes: []"),
        ('env: {WARM_ENI_TARGET: "1"}', "env: {WARM_ENI: 1}"),
        ("kubernetes: {", "kubernetes: {ipfamily: ipv6, "),
        ("name: b, zone", "name: a, zone"),  # it was to be another name
        ("- name: web", "- name: [web]"),
    ],
    ids=lambda part: part[1][:40],
)
def test_what_follows_from_an_error_is_not_said(exchange: tuple[str, str]) -> None:
    assert len(errors_of(wrong(exchange))) == 1


def test_what_does_not_follow_is_said() -> None:
    text = wrong(
        ("name: a, zone", "nmae: a, zone"),
        ("subnets: [a, b]\nworkloads", "subnets: [a, a, b]\nworkloads"),
        ("nodeGroups: [general]", "nodeGroups: [genral]"),
        ("kind: alb", "kind: abl"),
    )
    assert errors_of(text) == [
        "plan.yaml:11 vpc.subnets[0].nmae: unknown key (did you mean 'name'?)",
        "plan.yaml:24 workloads[0].nodeGroups[0]: there is no node group 'genral' (did you mean 'general'?)",
        f"plan.yaml:28 tenants[0].kind: 'abl' is not one of {', '.join(tenant_kinds())} (did you mean 'alb'?)",
    ]


def test_a_block_overlaps_the_one_that_reaches_furthest() -> None:
    blocks = "[10.0.0.0/16, 10.0.1.0/24, 10.0.2.0/24, 10.1.0.0/16]"
    assert errors_of(wrong(("[10.0.0.0/16]", blocks))) == [
        "plan.yaml:9 vpc.cidrs[1]: 10.0.1.0/24 overlaps 10.0.0.0/16",
        "plan.yaml:9 vpc.cidrs[2]: 10.0.2.0/24 overlaps 10.0.0.0/16",
    ]


@pytest.mark.parametrize(("count", "last"), [(20, None), (21, "and 2 more errors"), (49, "and 30 more errors")])
def test_twenty_lines_are_enough(count: int, last: str | None) -> None:
    workloads = "".join(f"  - {{name: w{i}, replicas: x}}\n" for i in range(count))
    with pytest.raises(SpecError) as refused:
        plan_of(SMALL.replace("daemonSets:", f"{workloads}daemonSets:"))
    assert len(refused.value.errors) == count
    lines = refused.value.lines
    assert len(lines) == MOST_LINES
    assert str(refused.value).split("\n") == list(lines)
    assert lines[0].startswith("plan.yaml:25 workloads[1].replicas: ")
    assert lines[-1] == last or (last is None and "workloads[20]" in lines[-1])


def test_a_list_with_nothing_right_is_not_read_to_its_end() -> None:
    workloads = "".join(f"  - {{name: w{i}, replicas: x}}\n" for i in range(3 * MOST_ERRORS))
    with pytest.raises(SpecError) as refused:
        plan_of(SMALL.replace("daemonSets:", f"{workloads}daemonSets:"))
    assert len(refused.value.errors) == MOST_ERRORS
    assert refused.value.lines[-1] == f"and at least {MOST_ERRORS - MOST_LINES + 1} more errors"


def test_a_change_is_named_behind_every_error(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(wrong(FIVE[0], FIVE[4]))
    with pytest.raises(SpecError) as refused:
        read_patched(path, {"region": "us-west-2"})
    assert [line.rpartition(" (")[2] for line in refused.value.lines] == ["after setting region)"] * 2
    assert [error.line for error in refused.value.errors] == [4, 30]


def test_the_errors_of_another_clusters_plan_are_said_at_its_tenant(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(wrong(FIVE[0], FIVE[1]))
    path = tmp_path / "plan.yaml"
    path.write_text(SMALL.replace("tenants:\n", "tenants:\n  - {kind: cluster, plan: other.yaml}\n"))
    with pytest.raises(SpecError) as refused:
        read_plan(path)
    assert len(refused.value.lines) == 2
    for line, inner in zip(refused.value.lines, LINES, strict=False):
        assert line.startswith(f"{path}:28 tenants[0].plan: the other cluster's plan is not valid: ")
        assert line.endswith(inner.removeprefix("plan.yaml"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('{WARM_ENI_TARGET: "1"}', "{{{}}}"),
        ("{cpu: 250m, memory: 512Mi}", "{{{}}}"),
        ("used: 10", "tags: {{{}}}"),
    ],
)
def test_a_mapping_with_nothing_right_is_not_read_to_its_end(old: str, new: str) -> None:
    many = ", ".join(f"W{i}: [x]" for i in range(3 * MOST_ERRORS))
    assert len(errors_of(wrong((old, new.format(many))))) == MOST_ERRORS


def test_overlapping_blocks_are_not_counted_to_the_end() -> None:
    blocks = ", ".join(["10.0.0.0/16", *(f"10.0.{i}.0/24" for i in range(2 * MOST_ERRORS))])
    assert len(errors_of(wrong(("[10.0.0.0/16]", f"[{blocks}]")))) == MOST_ERRORS


@pytest.mark.parametrize(
    ("memory", "hint"),
    [
        ("1GB", "(did you mean '1G' or '1Gi'?)"),
        ("512mb", "(did you mean '512M' or '512Mi'?)"),
        ("1XB", "(expected something like 250m, 2 or 512Mi)"),
    ],
)
def test_a_unit_with_a_b_is_told_without_it(memory: str, hint: str) -> None:
    (line,) = errors_of(wrong(("{cpu: 50m}", f"{{cpu: 50m, memory: {memory}}}")))
    assert line.endswith(f": {memory!r} is not a quantity {hint}")


def test_a_duplicate_name_is_told_even_if_an_entry_has_another_error() -> None:
    document = yaml.safe_load(wrong(("used: 10", "used: 252")))
    subnets = document["vpc"]["subnets"]
    document["vpc"]["subnets"] = [*subnets, {**subnets[0], "used": 0}]
    lines = errors_of(yaml.safe_dump(document))
    assert any("is out of range" in line for line in lines)
    assert any("duplicate subnet 'a'" in line for line in lines), lines


@pytest.mark.parametrize(("region", "nearest"), [("us-esat-1", "us-east-1"), ("eu-wset-1", "eu-west-1")])
def test_a_region_that_aws_does_not_have_is_one_note_with_its_place(region: str, nearest: str) -> None:
    document = yaml.safe_load(SMALL)
    document["region"] = region
    notes = [n for n in plan_of(yaml.safe_dump(document, sort_keys=False)).notes if "region" in n]
    assert len(notes) == 1
    assert notes[0].startswith("plan.yaml:")
    assert f"did you mean '{nearest}'" in notes[0]
    document["region"] = nearest
    assert not [n for n in plan_of(yaml.safe_dump(document)).notes if "is not a known AWS Region" in n]
