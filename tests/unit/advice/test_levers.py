"""Each lever: offered where its condition holds and not just outside, and what is pasted is safe to paste."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path

import pytest
import yaml

from capacity.advice.dollars import Prices
from capacity.advice.fixes import least_free, merged
from capacity.advice.levers.offered import FACTORIES, Lever, levers
from capacity.advice.levers.types import drop_types, has_devices
from capacity.advice.search import _Search, find_fixes
from capacity.advice.snippets.groups import group_subnets_snippets, group_type_snippets, new_subnets_snippets
from capacity.catalog.table import load_catalog
from capacity.cluster.check import CheckResult, check
from capacity.cost.dollar_words import price_difference
from capacity.plan.document import parse_yaml, read_document
from capacity.plan.model import NodeGroup, Subnet
from capacity.plan.parse import parse_patched, parse_plan, read_plan
from capacity.plan.patch import apply_patch, write_patched
from capacity.plan.sections import PlanSection
from tests.cli.entry import capacity

PLAN = """
apiVersion: capacity/v1
region: us-east-1
kubernetes: {version: "1.34", serviceCidr: 172.20.0.0/16}
cni: {version: 1.23.1}
vpc:
  cidrs: [10.0.0.0/21]
  subnets:
    - {name: a, zone: z1, cidr: 10.0.0.0/25}   # kept
    - {name: b, zone: z2, cidr: 10.0.0.128/25}
nodeGroups:
  - {name: web, instanceTypes: [t3.large], subnets: [a, b], nodes: 12}
workloads:
  - {name: shop, replicas: 60}
"""
GROUP = "nodeGroups[web]"


def document(changes: Mapping[str, object] | None = None) -> PlanSection:
    found = parse_yaml(PLAN, "plan.yaml")
    assert isinstance(found, PlanSection)
    return apply_patch(found, changes or {})


def checked(changes: Mapping[str, object] | None = None, scenarios: list[str] | None = None) -> CheckResult:
    return check(parse_plan(document(changes), "plan.yaml"), scenarios)


def offered(changes: Mapping[str, object] | None = None) -> dict[str, Lever]:
    return {lever.name: lever for lever in levers(checked(changes))}


def completed(changes: Mapping[str, object]) -> Lever:
    """Prefix delegation with what depends on the changed plan."""
    lever = offered(changes)["prefix-delegation"]
    assert lever.complete is not None
    return lever.complete(check(parse_patched(document(changes), lever.patch)))


def test_the_order_is_settings_nodes_subnets_and_a_new_cluster_last() -> None:
    assert list(offered()) == [
        "warm-targets",
        "minimal-update",
        "no-surge",
        "lower-max-pods",
        "fewer-larger-nodes",
        "instance-type",
        "added-subnet",
        "larger-subnets",
        "subnet-discovery",
        "custom-networking",
        "prefix-delegation",
        "ipv6",
    ]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("warm-targets", {"cni.env": {"WARM_IP_TARGET": "1"}}),
        ("minimal-update", {f"{GROUP}.update": {"strategy": "minimal"}}),
        ("minimal-update", {f"{GROUP}.provisioner": "karpenter"}),
        ("no-surge", {"workloads[0].rollingUpdate": {"maxSurge": "0", "maxUnavailable": "25%"}}),
        ("lower-max-pods", {f"{GROUP}.maxPods": 10}),
        ("lower-max-pods", {f"{GROUP}.provisioner": "auto"}),
        ("fewer-larger-nodes", {f"{GROUP}.nodes": 3}),
        ("fewer-larger-nodes", {f"{GROUP}.instanceTypes": ["t3.large", "t3.xlarge"]}),
        ("instance-type", {f"{GROUP}.instanceTypes": ["m5a.large"]}),
        ("instance-type", {f"{GROUP}.instanceTypes": ["t3.large", "t3a.large"]}),
        ("instance-type", {f"{GROUP}.instanceTypes": ["m5d.large"]}),
        ("instance-type", {f"{GROUP}.maxPodsExpression": "20"}),
        ("added-subnet", {f"{GROUP}.nodes": 2}),
        ("larger-subnets", {f"{GROUP}.nodes": 2}),
        ("added-subnet", {"vpc.cidrs": ["10.0.0.0/24"]}),
        ("larger-subnets", {"vpc.cidrs": ["10.0.0.0/24"]}),
        ("custom-networking", {f"{GROUP}.ami": "windows"}),
        ("prefix-delegation", {f"{GROUP}.instanceTypes": ["m4.large"]}),
        ("prefix-delegation", {"cni.env": {"ENABLE_PREFIX_DELEGATION": "true"}}),
        ("ipv6", {f"{GROUP}.instanceTypes": ["m4.large"]}),
        ("ipv6", {f"{GROUP}.ami": "windows"}),
        ("ipv6", {"kubernetes.ipFamily": "ipv6"}),
        ("ipv6", {"kubernetes.version": "1.20"}),
        ("ipv6", {"cni.version": "1.10.0"}),
        ("ipv6", {"cni.version": "1.15.5", "cni.env": {"ENABLE_POD_ENI": "true"}}),
        ("ipv6", {"region": "cn-north-1"}),
        (
            "ipv6",
            {"cni.env": {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}, f"{GROUP}.podSubnets": ["a", "b"]},
        ),
    ],
)
def test_a_lever_is_not_offered_where_its_condition_fails(name: str, changes: dict[str, object]) -> None:
    assert name in offered()
    assert name not in offered(changes)


def test_rebalance_wants_subnets_of_unlike_size() -> None:
    assert "rebalance" not in offered()
    assert "rebalance" in offered({"vpc.subnets[b].used": 20})


def test_security_groups_for_pods_go_with_ipv6_from_cni_1_16() -> None:
    assert "ipv6" in offered({"cni.version": "1.16.0", "cni.env": {"ENABLE_POD_ENI": "true"}})


@pytest.mark.parametrize("name", list(offered()))
def test_what_a_lever_frees_is_the_difference_of_two_checks_of_files(name: str, tmp_path: Path) -> None:
    path, mended = tmp_path / "plan.yaml", tmp_path / "mended.yaml"
    path.write_text(PLAN)
    before = check(read_plan(path))
    fix = next(f for f in find_fixes(document(), before).single if f.names == name)
    write_patched(path, fix.patch, mended)
    after = check(read_plan(mended))
    assert "# kept" in mended.read_text()
    assert after.verdict == fix.verdict
    for subnet in ("a", "b"):
        least = [
            min(s.free for t in of.scenarios for s in t.subnets if s.subnet.name == subnet) for of in (before, after)
        ]
        assert fix.frees.get(subnet, 0) == least[1] - least[0]


# --- subnets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("replicas", "most"), [(60, 9), (96, 12), (156, 18)])
def test_max_pods_are_lowered_to_the_fullest_node_and_a_fifth_more(replicas: int, most: int) -> None:
    # On each of 12 nodes a twelfth of them with aws-node and kube-proxy: 7, 10 or 15, and 2, 2 or 3 more.
    lever = offered({"workloads[0].replicas": replicas, "checks": {"scenarios": ["steady"]}})["lower-max-pods"]
    assert lever.patch == {f"{GROUP}.maxPods": most}


def test_a_subnet_beside_the_old_ones_halves_what_they_hold() -> None:
    # 24 addresses a node, six nodes a subnet: three of them go.
    before, lever = checked(scenarios=["steady"]), {x.name: x for x in levers(checked(scenarios=["steady"]))}
    assert lever["added-subnet"].patch[f"{GROUP}.subnets"] == ["a", "b", "more-z1", "more-z2"]
    assert lever["larger-subnets"].patch[f"{GROUP}.subnets"] == ["more-z1", "more-z2"]
    for name, freed in (("added-subnet", 3 * 24), ("larger-subnets", 6 * 24)):
        after = check(parse_patched(document(), lever[name].patch), ["steady"])
        assert least_free(after)["a"] - least_free(before)["a"] == freed
        assert after.verdict == "ok"


def test_a_new_subnet_is_as_small_as_its_nodes_allow() -> None:
    sizes = {
        name: [e["cidr"].partition("/")[2] for e in lever.patch["vpc.subnets[+]"]]  # type: ignore[attr-defined]
        for name, lever in {x.name: x for x in levers(checked(scenarios=["steady"]))}.items()
        if "vpc.subnets[+]" in lever.patch and name not in ("subnet-discovery", "custom-networking")
    }
    # 72 and a node of 24: 96 of the 98 that a /25 may hold; 144 of the 200 of a /24.
    assert sizes == {"added-subnet": ["25", "25"], "larger-subnets": ["24", "24"]}


def test_a_tagged_subnet_that_is_short_gets_another_beside_it() -> None:
    tagged = {"name": "p", "zone": "z1", "cidr": "10.0.1.0/26", "tags": {"kubernetes.io/role/cni": "1"}}
    roomy = {"vpc.subnets[a].cidr": "10.0.4.0/23", "vpc.subnets[b].cidr": "10.0.2.0/23"}
    closed = {"vpc.subnets[a].tags": {"kubernetes.io/role/cni": "0"}}
    before = checked({"vpc.subnets[+]": [tagged], **roomy, **closed}, ["steady"])
    short = {s.subnet.name for s in before.scenarios[0].subnets if s.verdict != "ok"}
    assert short == {"p"}  # 6 nodes with an ENI of 12 each and another, warm: 6 * 24 = 144 of 59
    lever = next(x for x in levers(before) if x.name == "subnet-discovery")
    added = lever.patch["vpc.subnets[+]"]
    assert isinstance(added, list)
    assert [e["zone"] for e in added] == ["z1"]


def test_a_node_without_pods_of_its_own_takes_its_warm_addresses_to_a_new_subnet() -> None:
    # One ENI of 12 each: 6 * 12 = 72 of a /26's 59. Half, and a whole node: 36 + 12 = 48; of a /26 47 are to be used.
    changes: dict[str, object] = {"vpc.subnets[a].cidr": "10.0.0.0/26", "vpc.subnets[b].cidr": "10.0.0.64/26"}
    changes["workloads"] = []
    lever = next(x for x in levers(checked(changes, ["steady"])) if x.name == "added-subnet")
    added = lever.patch["vpc.subnets[+]"]
    assert isinstance(added, list)
    assert [e["cidr"].partition("/")[2] for e in added] == ["25", "25"]


def test_pod_subnets_get_a_pod_subnet_beside_them_with_an_eni_config() -> None:
    changes = {
        "cni.env": {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"},
        "vpc.subnets[+]": [{"name": "p", "zone": "z1", "cidr": "10.0.1.0/26"}],
        f"{GROUP}.subnets": ["a"],
        f"{GROUP}.podSubnets": ["p"],
    }
    found = offered(changes)
    assert found["added-subnet"].patch[f"{GROUP}.podSubnets"] == ["p", "more-pods-z1"]
    assert f"{GROUP}.subnets" not in found["added-subnet"].patch
    (config,) = [c for c in found["added-subnet"].commands if "ENIConfig" in c]
    assert yaml.safe_load(shlex.split(config)[1])["metadata"]["name"] == "more-pods-z1"
    (config,) = [c for c in found["larger-subnets"].commands if "ENIConfig" in c]
    assert yaml.safe_load(shlex.split(config)[1])["metadata"]["name"] == "z1"


def test_two_levers_with_subnets_exclude_each_other() -> None:
    found = offered()
    with pytest.raises(ValueError, match="both set"):
        merged([found["added-subnet"], found["larger-subnets"]])


# --- types --------------------------------------------------------------------------------------


def test_the_type_with_fewest_addresses_and_of_these_the_cheapest() -> None:
    lever = offered()["instance-type"]
    assert lever.patch == {f"{GROUP}.instanceTypes": ["m5a.large"]}
    assert "+0.0028 USD per node-hour" in lever.cost


def test_an_unknown_price_is_said() -> None:
    assert "unknown: the plan has no region" in offered({"region": None})["instance-type"].cost
    unknown = price_difference("m5.large", "m5.xlarge", "eu-west-1")
    assert unknown == "price difference unknown: no price for m5.large and m5.xlarge in eu-west-1"


def test_another_type_lifts_the_limit_of_pods() -> None:
    # 27 of 50 pods find room on an m5.large: max pods 29 with two host-network pods.
    changes = {f"{GROUP}.instanceTypes": ["m5.large"], f"{GROUP}.nodes": 4, "workloads[0].replicas": 200}
    before = checked(changes, ["steady"])
    assert [u.reason for u in before.scenarios[0].unplaced] == ["max_pods"]
    (lever,) = [x for x in levers(before) if x.name == "instance-type"]
    assert not check(parse_patched(document(changes), lever.patch), ["steady"]).scenarios[0].unplaced
    assert "instance-type" not in offered(changes | {f"{GROUP}.maxPods": 29})


def test_no_type_is_left_whose_devices_or_disks_another_would_lack() -> None:
    catalog = load_catalog()
    with_devices = ("g5.xlarge", "p4d.24xlarge", "inf2.xlarge", "m5d.large", "c6gd.large", "i4i.large", "x1e.xlarge")
    assert [n for n in with_devices if not has_devices(catalog.get(n))] == []
    assert [n for n in ("m5.large", "c7i.large", "t3.medium", "r6g.xlarge") if has_devices(catalog.get(n))] == []


def test_a_stand_in_has_the_same_architecture_and_no_less_of_anything() -> None:
    catalog = load_catalog()
    for name in ("m5.large", "m6g.2xlarge", "t3.large", "m4.xlarge", "c5n.4xlarge"):
        for env in ({}, {"WARM_IP_TARGET": "1"}, {"ENABLE_PREFIX_DELEGATION": "true"}):
            found = offered({f"{GROUP}.instanceTypes": [name], "cni.env": env, "workloads[0].replicas": 300})
            if "instance-type" in found:
                old = catalog.get(name)
                new = catalog.get(found["instance-type"].patch[f"{GROUP}.instanceTypes"][0])  # type: ignore[index]
                assert (new.arch, new.hypervisor, new.prefixes_possible) == (
                    old.arch,
                    old.hypervisor,
                    old.prefixes_possible,
                )
                assert (new.vcpus or 0) >= (old.vcpus or 0)
                assert (new.memory_mib or 0) >= (old.memory_mib or 0)


# --- prefixes and IPv6 --------------------------------------------------------------------------

DENSE: dict[str, object] = {
    "vpc.subnets": [{"name": "a", "zone": "z1", "cidr": "10.0.0.0/23"}],
    f"{GROUP}.subnets": ["a"],
    f"{GROUP}.instanceTypes": ["m5.large"],
    f"{GROUP}.provisioner": "karpenter",
    f"{GROUP}.nodes": 4,
    "workloads[0].replicas": 200,
    "checks": {"scenarios": ["steady"]},
}
RESERVED = "vpc.subnets[a].reservations[+]"


def test_prefixes_are_reserved_for_the_worst_scenario() -> None:
    # 50 pods a node: 4 prefixes and one warm, four nodes: 20 blocks of 16.
    lever = completed(DENSE)
    cidrs = [IPv4Network(e["cidr"]) for e in lever.patch[RESERVED]]  # type: ignore[attr-defined]
    assert sum(c.num_addresses for c in cidrs) == 20 * 16
    assert any(c.startswith("aws ec2 create-subnet-cidr-reservation --subnet-id ID-OF-a") for c in lever.commands)
    assert "addresses already in use inside a reserved block stay" in lever.cost


@pytest.mark.parametrize(("used", "reserved"), [(183, True), (184, False)])
def test_an_answer_with_prefixes_is_completed_with_their_reservations(used: int, reserved: bool) -> None:
    changes = DENSE | {"vpc.subnets[0].used": used, "checks.minFree": "0%"}
    result = checked(changes)
    search = _Search(document(changes), result, None, None, Prices(result, None))
    alone = search.check((offered(changes)["prefix-delegation"],))
    answer = search._completed(alone)
    assert RESERVED not in alone.patch
    assert (RESERVED in answer.patch) == reserved
    assert any("create-subnet-cidr-reservation" in c for c in answer.commands) == reserved
    assert answer.verdict == alone.verdict


def test_what_is_reserved_already_counts_and_is_not_reserved_twice() -> None:
    held = [{"cidr": "10.0.1.0/25", "type": "prefix"}]
    lever = completed(DENSE | {"vpc.subnets[0].reservations": held})
    cidrs = [IPv4Network(e["cidr"]) for e in lever.patch[RESERVED]]  # type: ignore[attr-defined]
    assert sum(c.num_addresses for c in cidrs) == (20 - 8) * 16
    assert not any(c.overlaps(IPv4Network("10.0.1.0/25")) for c in cidrs)
    # 4 + 1 + 15 blocks: AWS's last address spoils one of the /24.
    enough = [{"cidr": c, "type": "prefix"} for c in ("10.0.0.64/26", "10.0.0.128/28", "10.0.1.0/24")]
    assert RESERVED not in completed(DENSE | {"vpc.subnets[0].reservations": enough}).patch


def test_no_reservation_where_single_addresses_would_lose_their_room() -> None:
    # Of 507 addresses 324 go to nodes and prefixes; with 183 others none is free, and 4 + 183 singles fill
    # everything outside 20 blocks exactly. One more and even the prefixes have no room.
    assert RESERVED in completed(DENSE | {"vpc.subnets[0].used": 183}).patch
    tight = completed(DENSE | {"vpc.subnets[0].used": 184})
    assert RESERVED not in tight.patch
    assert "no room for a reservation in a" in tight.summary


@pytest.mark.parametrize(("used", "blocks"), [(252, [16]), (253, [8, 1])])
def test_one_large_reservation_or_pieces_where_single_addresses_need_its_blocks(used: int, blocks: list[int]) -> None:
    # 30 pods a node: 2 prefixes and one warm, three nodes: 9 blocks. One /24 has them and leaves 255 of the other
    # half to single addresses: 252 and those of three nodes fill it. With one more only the 9 blocks are reserved.
    lever = completed(DENSE | {f"{GROUP}.nodes": 3, "workloads[0].replicas": 90, "vpc.subnets[0].used": used})
    cidrs = [IPv4Network(e["cidr"]) for e in lever.patch[RESERVED]]  # type: ignore[attr-defined]
    assert sorted((c.num_addresses // 16 for c in cidrs), reverse=True) == blocks


def test_ipv6_is_named_only_where_no_set_of_the_others_is_enough() -> None:
    # A pair is enough here, and IPv6 alone as well.
    changes = {f"{GROUP}.nodes": 20, "vpc.cidrs": ["10.0.0.0/24"], "workloads[0].replicas": 200}
    found = find_fixes(document(changes), checked(changes))
    alone = {f.names: f.verdict for f in found.single}
    assert alone["ipv6"] == "ok"
    assert found.best is not None
    assert "ipv6" not in found.best.names


def test_ipv6_is_the_answer_where_nothing_else_is() -> None:
    # The addresses of 90 nodes have room in five /27, but not their pods'; the VPC is full, and there are more
    # zones than custom networking has pod subnets for.
    changes: dict[str, object] = {
        f"{GROUP}.nodes": 90,
        "vpc.cidrs": ["10.2.0.0/25", "10.2.0.128/27"],
        "vpc.subnets": [{"name": f"s{i}", "zone": f"z{i}", "cidr": f"10.2.0.{32 * i}/27"} for i in range(5)],
        f"{GROUP}.subnets": [f"s{i}" for i in range(5)],
        f"{GROUP}.instanceTypes": ["t3.nano"],
        "workloads[0].replicas": 900,
        "checks": {"scenarios": ["steady"]},
    }
    found = find_fixes(document(changes), checked(changes))
    assert found.best is not None
    assert found.best.names == "ipv6"
    assert found.best.patch["kubernetes.ipFamily"] == "ipv6"
    assert found.best.patch["kubernetes.serviceCidr"] is None
    after = parse_patched(document(changes), found.best.patch)
    assert after.cni.settings.ipv6
    assert after.kubernetes.service_cidr is None
    assert check(after).verdict == "ok"


def test_ipv6_and_types_are_not_for_cilium() -> None:
    found = offered({"cni": {"name": "cilium"}})
    assert not {"ipv6", "instance-type", "custom-networking", "prefix-delegation", "warm-targets"} & set(found)
    assert {"added-subnet", "larger-subnets"} <= set(found)


def test_the_running_clusters_cni_is_not_told_to_change_its_family() -> None:
    commands = offered()["ipv6"].commands
    assert [c for c in commands if "ENABLE_IPv6" in c and not c.startswith("#")] == []


# --- what is pasted -----------------------------------------------------------------------------

WILD = ("x; rm -rf /", "it's", '"$(id)"', "a b ${c} %{d}", "--flag", "ü `e`")


def pasted(lines: list[str]) -> list[list[str]]:
    """The words of what a shell runs; comments and blank lines say nothing to it."""
    assert not [line for line in lines if "\n" in line]
    return [shlex.split(line, comments=True) for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("name", WILD)
@pytest.mark.parametrize("provisioner", ["managed", "self-managed", "karpenter", "auto", "fargate"])
def test_names_reach_the_commands_as_they_are(name: str, provisioner: str) -> None:
    kind = load_catalog().get("m5.large")
    group = NodeGroup(name=name, instance_types=(kind,), subnets=(name,), provisioner=provisioner)
    for words in pasted([*group_subnets_snippets(group, [name], ())]):
        text = " ".join(words)
        # patches are JSON, where a quotation mark is escaped
        assert name in text
        assert (
            f"ID-OF-{name}" in text or f"ID-OF-{name}" in json.loads(words[-1])["spec"]["subnetSelectorTerms"][0]["id"]
        )
    if provisioner != "fargate":
        for words in pasted([*group_type_snippets(group, ["m5.xlarge"], (), {"min": 1, "desired": 3})]):
            assert name in " ".join(words)
            assert "m5.xlarge" in " ".join(words)


@pytest.mark.parametrize("name", WILD)
def test_new_subnets_can_be_pasted_in_every_form(name: str) -> None:
    subnet, block = Subnet(name, name, IPv4Network("100.64.0.0/18")), IPv4Network("100.64.0.0/16")
    lines = [*new_subnets_snippets([subnet], [block])]
    associate, create = pasted(lines)
    assert associate[-1] == str(block)
    assert json.loads(create[create.index("--tag-specifications") + 1])[0]["Tags"][0]["Value"] == name
    assert create[create.index("--availability-zone") + 1] == name
    comments = [line for line in lines if line.startswith("# CloudFormation")]
    resources = [yaml.safe_load(c.partition(": ")[2]) for c in comments]
    assert resources[1].popitem()[1]["Properties"]["AvailabilityZone"] == name
    assert any(line.startswith("# Terraform") for line in lines)


@pytest.mark.parametrize("name", WILD)
@pytest.mark.parametrize("provisioner", ["managed", "self-managed", "karpenter", "auto"])
def test_all_that_levers_print_is_words_and_comments_for_a_shell(name: str, provisioner: str) -> None:
    changes = {
        "vpc.subnets[a].name": name,
        f"{GROUP}.subnets": [name, "b"],
        f"{GROUP}.provisioner": provisioner,
        f"{GROUP}.name": name,
        "workloads[0].name": name,
    }
    dense: dict[str, object] = DENSE | {
        "vpc.subnets": [{"name": name, "zone": "z1", "cidr": "10.0.0.0/23"}],
        f"{GROUP}.subnets": [name],
        f"{GROUP}.provisioner": provisioner,
        f"{GROUP}.name": name,
    }
    found = [*levers(checked(changes)), *levers(checked(dense))]
    for lever in found:
        for words in pasted([*lever.commands]):
            if words[0] != "echo":  # an ENIConfig piped to kubectl
                assert words[0] in ("aws", "kubectl", "helm") or words[0].endswith("=$(aws")
            # the wild name is a word's content, never a word of its own making
            assert "rm" not in words
            assert "$(id)" not in words


def test_every_lever_of_subnets_and_types_has_all_forms_that_fit() -> None:
    for name in ("added-subnet", "larger-subnets", "instance-type", "fewer-larger-nodes"):
        text = "\n".join(offered()[name].commands)
        for form in ("aws ", "Terraform", "CloudFormation", "eksctl"):
            assert form in text, (name, form)
        karpenter = "\n".join(offered({f"{GROUP}.provisioner": "karpenter"})[name].commands)
        assert "ec2nodeclass" in karpenter or "NodePool" in karpenter


# --- the best is written and passes ---------------------------------------------------------------

STEADY: dict[str, object] = {"checks": {"scenarios": ["steady"]}}
FEWEST: dict[str, object] = {"cni.env": {"WARM_IP_TARGET": "1"}}  # no other target holds fewer addresses
ALONE: dict[str, object] = {"cni.env": {"WARM_IP_TARGET": "1", "ENABLE_SUBNET_DISCOVERY": "false"}}
MANY: dict[str, object] = {f"{GROUP}.nodes": 36, "workloads[0].replicas": 144, f"{GROUP}.maxPods": 6}
NARROW: dict[str, object] = {
    "vpc.subnets": [{"name": "a", "zone": "z1", "cidr": "10.0.0.0/24"}],
    f"{GROUP}.subnets": ["a"],
    f"{GROUP}.instanceTypes": ["m5.large"],
    f"{GROUP}.provisioner": "karpenter",
    f"{GROUP}.nodes": 4,
    "workloads[0].replicas": 200,
    "checks": {"scenarios": ["steady"], "minFree": "10%"},
}
TWO: list[tuple[str, str]] = [("10.0.2.0/24", "c"), ("10.0.3.0/24", "d")]


def idle(*zones: str) -> dict[str, object]:
    """Two subnets that no group has."""
    return {"vpc.subnets[+]": [{"name": n, "zone": z, "cidr": c} for (c, n), z in zip(TWO, zones, strict=True)]}


# For each lever a plan in which it is the first that is enough.
BEST: dict[str, dict[str, object]] = {
    "idle-subnets": STEADY | idle("z1", "z2"),
    "idle-zones": STEADY | idle("z3", "z4"),
    "warm-targets": STEADY,
    "minimal-update": FEWEST
    | {f"{GROUP}.nodes": 22, "workloads[0].replicas": 184, "checks": {"scenarios": ["upgrade"], "minFree": "0%"}},
    "no-surge": FEWEST
    | {f"{GROUP}.nodes": 18, "workloads[0].replicas": 162, "checks": {"scenarios": ["rollout"], "minFree": "0%"}},
    # Without a region no price is known, and another type is not cheaper than further nodes.
    "more-nodes": STEADY
    | {"region": None}
    | {f"{GROUP}.instanceTypes": ["m5.large"], f"{GROUP}.nodes": 2, "workloads[0].replicas": 60},
    # 9 nodes with 17 pods leave 18 % of a subnet, six with 25 leave 29 %.
    "raise-max-pods": FEWEST
    | {
        f"{GROUP}.maxPods": 20,
        f"{GROUP}.instanceTypes": ["m5.large"],
        f"{GROUP}.nodes": 6,
        "workloads[0].replicas": 150,
        "checks": {"scenarios": ["steady"], "minFree": "25%"},
    },
    "lower-max-pods": STEADY | FEWEST | {f"{GROUP}.nodes": 26, "workloads[0].replicas": 100},
    "rebalance": FEWEST
    | {"vpc.subnets[b].used": 90, f"{GROUP}.maxPods": 8, "checks": {"scenarios": ["steady"], "minFree": "0%"}},
    "fewer-larger-nodes": STEADY
    | FEWEST
    | {f"{GROUP}.instanceTypes": ["m5.large"], f"{GROUP}.nodes": 8, "workloads[0].replicas": 168},
    "instance-type": FEWEST | NARROW,
    "shared-subnets": STEADY
    | FEWEST
    | MANY
    | idle("z1", "z2")
    | {
        "nodeGroups[+]": [{"name": "spare", "instanceTypes": ["t3.large"], "subnets": ["c", "d"], "nodes": 1}],
        "workloads[0].nodeGroups": ["web"],
    },
    "added-subnet": STEADY | FEWEST | MANY,
    "larger-subnets": STEADY | FEWEST | {f"{GROUP}.nodes": 90, "workloads[0].replicas": 150},
    "subnet-discovery": STEADY | FEWEST | {"workloads[0].replicas": 240, "vpc.cidrs": ["10.0.0.0/24"]},
    "custom-networking": STEADY | ALONE | {"workloads[0].replicas": 240, "vpc.cidrs": ["10.0.0.0/24"]},
    # 15 nodes with single addresses would hold 440 of 507; four with 95 pods each hold 4 x 97.
    "prefix-delegation": ALONE
    | NARROW
    | {
        "vpc.cidrs": ["10.0.0.0/23"],
        "vpc.subnets": [{"name": "a", "zone": "z1", "cidr": "10.0.0.0/23"}],
        f"{GROUP}.instanceTypes": ["m5.large", "m5a.large"],
        "workloads[0].replicas": 380,
        "checks": {"scenarios": ["steady"], "minFree": "20%"},
    },
}
ELSEWHERE = {"pre-allocate", "drop-types", "windows-prefix-delegation", "ipv6"}  # have tests of their own


def test_every_lever_has_a_plan_where_it_is_the_best() -> None:
    assert set(BEST) == set(FACTORIES) - ELSEWHERE


@pytest.mark.parametrize("name", list(BEST))
def test_the_best_is_written_and_passes(name: str, tmp_path: Path) -> None:
    path, mended = tmp_path / "plan.yaml", tmp_path / "mended.yaml"
    write_patched(_file(tmp_path), BEST[name], path)
    assert capacity("check", str(path), "-q", "--exit-zero", "--fix-out", str(mended)).code == 0
    written = check(read_plan(mended))
    before = check(read_plan(path))
    assert (before.verdict != "ok", written.verdict) == (True, "ok")
    best = find_fixes(read_document(path), before).best
    assert best is not None
    assert best.names == name
    assert best.why == "chosen"
    assert read_document(mended) == apply_patch(read_document(path), best.patch)


def _file(folder: Path) -> Path:
    path = folder / "given.yaml"
    path.write_text(PLAN)
    return path


def test_types_are_dropped_from_a_group_of_any_name() -> None:
    # An i3.large is a Xen type: no prefixes, addresses for 27 of the 98 pods that max pods allows beside two host pods.
    text = """\
apiVersion: capacity/v1
region: us-east-1
cni: {env: {ENABLE_PREFIX_DELEGATION: "true"}}
vpc: {cidrs: [10.0.0.0/16], subnets: [{name: a, zone: us-east-1a, cidr: 10.0.0.0/20}]}
nodeGroups:
  - {name: "a]=b", provisioner: karpenter, maxPods: 100, instanceTypes: [i3.large, c5.large], subnets: [a]}
workloads: [{name: web, replicas: 196, requests: {cpu: 10m, memory: 10Mi}}]
"""
    plan = parse_yaml(text, "plan")
    result = check(parse_plan(plan))
    (lever,) = drop_types(result, {"a]=b"})
    assert (result.verdict, lever.summary) == ("tight", "a]=b without i3.large")
    assert check(parse_patched(plan, lever.patch)).verdict == "ok"
    assert any('"values": ["c5.large"]' in command for command in lever.commands)


@pytest.mark.parametrize("provisioner", ["managed", "fargate"])
def test_a_second_group_has_a_name_of_its_own(provisioner: str) -> None:
    kind = load_catalog().get("m5.large")
    group = NodeGroup(name="web", instance_types=(kind,), subnets=("a",), provisioner=provisioner)
    lines = list(group_subnets_snippets(group, ["b"], ("web", "web-2", "batch")))
    if provisioner == "managed":
        lines += group_type_snippets(group, ["m5.xlarge"], ("web", "web-2", "batch"))
    named = [line for line in lines if "web-" in line]
    assert len(named) == (4 if provisioner == "managed" else 1)
    assert all("web-3" in line and "web-2" not in line for line in named)


def test_the_levers_know_the_names_that_are_taken() -> None:
    spare = "  - {name: web-2, instanceTypes: [t3.large], subnets: [a, b], nodes: 2}\n"
    text = PLAN.replace("workloads:", spare + "workloads:")
    found = levers(check(parse_plan(parse_yaml(text, "plan.yaml"), "plan.yaml")))
    made = [c for lever in found for c in lever.commands if "create-nodegroup" in c]
    assert any("--nodegroup-name web-3 " in c for c in made)
    assert not any("--nodegroup-name web-2 " in c for c in made)
