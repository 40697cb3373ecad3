"""Drafts: merging, assumptions, and the plan file that comes of them."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network as Net
from pathlib import Path

import pytest

from capacity.cluster.check import check
from capacity.errors import SpecError
from capacity.plan.model import Plan
from capacity.plan.parse import parse_plan
from capacity.plan.yaml_writer import scalar
from capacity.readers.complete import ASSUMED_GROUP, ASSUMED_TYPE, complete
from capacity.readers.draft import GroupDraft, PlanDraft, SubnetDraft, WorkloadDraft
from capacity.readers.existing_plan import (
    Base,
    plan_draft,
    plan_section,
    read_base,
    render,
    render_into,
    without_assumptions,
)
from capacity.readers.merge import merge

SHOP = PlanDraft(
    source="eksctl cluster.yaml",
    name="shop",
    region="eu-west-1",
    kubernetes_version="1.30",
    vpc_cidrs=(Net("10.1.0.0/16"),),
    subnets=(SubnetDraft("a", "eu-west-1a", Net("10.1.0.0/20")), SubnetDraft("b", "eu-west-1b", Net("10.1.16.0/20"))),
    node_groups=(GroupDraft("general", ("m5.large",), desired=3, max_nodes=6, subnets=("a", "b")),),
    workloads=(WorkloadDraft("shop/web", 4, 9, 250, 512 * 2**20, "25%", 0),),
)


def parsed(text: str) -> Plan:
    return parse_plan(plan_section(text, "plan.yaml"), "plan.yaml")


def base_of(text: str) -> Base:
    full = plan_draft(plan_section(text, "plan.yaml"), "plan.yaml")
    return Base(text, full, without_assumptions(full))


def test_a_whole_draft_is_written_without_assumptions_and_read_back() -> None:
    text = render(complete(SHOP))
    plan = parsed(text)
    assert plan.kubernetes.version == "1.30"
    assert [str(s.cidr) for s in plan.subnets] == ["10.1.0.0/20", "10.1.16.0/20"]
    assert (plan.workloads[0].max_replicas, plan.workloads[0].requests.cpu_millicores) == (9, 250)
    assert "assumed" not in text
    back = plan_draft(plan_section(text, "plan.yaml"), "eksctl cluster.yaml")
    assert back == SHOP


def test_the_same_draft_gives_the_same_bytes() -> None:
    assert render(complete(SHOP)) == render(complete(SHOP))


def test_what_no_source_states_is_assumed_marked_and_said_by_check() -> None:
    bare = PlanDraft(source="kubectl pods.json", workloads=(WorkloadDraft("web", 2),))
    done = complete(bare)
    plan = parsed(render(done))
    assert plan.node_groups[0].name == ASSUMED_GROUP
    assert plan.node_groups[0].instance_types[0].name == ASSUMED_TYPE
    assert {"vpc.cidrs", f"nodeGroups[{ASSUMED_GROUP}]", "vpc.subnets[assumed-zone-a]"} <= done.assumed
    assert any("assumed by the import" in note for note in check(plan).notes)


def test_completing_twice_changes_nothing() -> None:
    done = complete(replace(SHOP, subnets=(), vpc_cidrs=()))
    assert complete(done) == done


def test_a_later_source_replaces_assumptions_and_no_statement() -> None:
    first = render(complete(PlanDraft(source="kubectl", workloads=(WorkloadDraft("web", 2, max_surge="10%"),))))
    base = base_of(first)
    later = replace(SHOP, workloads=(WorkloadDraft("web", 5, 9),))
    text = render_into(complete(merge(base.draft, later)), base)
    plan = parsed(text)
    assert [g.name for g in plan.node_groups] == ["general"]
    assert [s.name for s in plan.subnets] == ["a", "b"]
    assert (plan.workloads[0].replicas, plan.workloads[0].max_replicas) == (2, 9)
    assert "workloads[web].replicas: kept 2; eksctl cluster.yaml has 5" in text
    assert "assumed:" not in text
    assert "assumed;" not in text


def test_comments_order_and_unknown_keys_of_the_plan_stay(tmp_path: Path) -> None:
    mine = (
        "# my plan\napiVersion: capacity/v1\nkubernetes: {version: 1.30}\nvpc:\n  cidrs: [10.1.0.0/16]\n"
        "  subnets:\n    # the old one\n    - {name: a, zone: eu-west-1a, cidr: 10.1.0.0/20}\n"
        "nodeGroups:\n  - {name: general, instanceTypes: [m5.large], subnets: [a], spread: worst}   # kept\n"
        "workloads:\n  - {name: w, replicas: 3, growth: {rate: 4%/month}}\nchecks: {minFree: 10%}\n"
    )
    path = tmp_path / "plan.yaml"
    path.write_text(mine)
    base = read_base(path)
    text = render_into(complete(merge(base.draft, SHOP)), base)
    for kept in (
        "# my plan\n",
        "version: 1.30",
        "# the old one\n",
        "spread: worst",
        "# kept",
        "growth: {rate: 4%/month}",
    ):
        assert kept in text
    assert text.index("checks:") > text.index("workloads:")
    again = base_of(text)
    assert render_into(complete(merge(again.draft, SHOP)), again) == text


def test_subnets_are_the_same_by_id_by_block_and_by_name() -> None:
    first = PlanDraft(subnets=(SubnetDraft("subnet-1", id="subnet-1"), SubnetDraft("b", cidr=Net("10.1.16.0/20"))))
    second = PlanDraft(
        subnets=(
            SubnetDraft("private-a", "z", Net("10.1.0.0/20"), id="subnet-1"),
            SubnetDraft("private-b", "y", Net("10.1.16.0/20"), used=7),
        ),
        node_groups=(GroupDraft("g", subnets=("private-a", "private-b")),),
    )
    merged = merge(first, second)
    assert [(s.name, s.zone, s.used) for s in merged.subnets] == [("subnet-1", "z", None), ("b", "y", 7)]
    assert merged.node_groups[0].subnets == ("subnet-1", "b")


def test_two_subnets_of_one_name_are_told_apart_by_their_ids() -> None:
    first = PlanDraft(subnets=(SubnetDraft("private", "a", Net("10.1.0.0/24"), id="subnet-1"),))
    second = PlanDraft(
        subnets=(SubnetDraft("private", "b", Net("10.1.1.0/24"), id="subnet-2"),),
        node_groups=(GroupDraft("g", subnets=("private",)),),
    )
    merged = merge(first, second)
    assert [s.name for s in merged.subnets] == ["private", "subnet-2"]
    assert merged.node_groups[0].subnets == ("subnet-2",)


@pytest.mark.parametrize(
    ("group", "said"),
    [
        (GroupDraft("g", desired=9, max_nodes=3), "desired 9 is above max 3: max set to 9"),
        (GroupDraft("g", min_nodes=4, desired=1), "desired 1 is below min 4: min set to 1"),
        (GroupDraft("g", ("m5.lrage",)), "'m5.lrage' is not a known instance type: ignored"),
    ],
)
def test_what_the_parser_would_refuse_is_mended_and_said(group: GroupDraft, said: str) -> None:
    done = complete(replace(SHOP, node_groups=(group,)))
    assert any(said in n.text for n in done.notes)
    parsed(render(done))


def test_custom_networking_without_pod_subnets_gets_some() -> None:
    done = complete(replace(SHOP, env={"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}))
    plan = parsed(render(done))
    assert plan.node_groups[0].pod_subnets == ("assumed-pods-eu-west-1a", "assumed-pods-eu-west-1b")
    assert str(plan.vpc_cidrs[1]) == "100.64.0.0/16"


def test_a_subnet_known_by_its_id_only_gets_a_block_that_is_marked() -> None:
    done = complete(replace(SHOP, node_groups=(GroupDraft("g", ("m5.large",), subnets=("subnet-0ab", "a")),)))
    assert "vpc.subnets[subnet-0ab].cidr" in done.assumed
    assert [str(s.cidr) for s in done.subnets] == ["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/20"]


def test_text_is_quoted_where_yaml_would_misread_it() -> None:
    written = {
        "1.30": '"1.30"',
        "on": '"on"',
        "a\x1b[0m": '"a\\u001b[0m"',
        "\ud800": '"\\ufffd"',
        "😀": '"😀"',
        "": '""',
    }
    assert {text: scalar(text) for text in written} == written


def test_a_base_that_check_refuses_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("apiVersion: capacity/v1\nvpc: {cidrs: [10.0.0.0/16], subnets: []}\n")
    with pytest.raises(SpecError, match=r"vpc\.subnets: is empty"):
        read_base(path)
