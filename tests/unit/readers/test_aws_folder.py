"""Saved answers: recognised by content, whatever their names and wrappers."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from capacity.cli.main import app
from capacity.cluster.check import check
from capacity.errors import SpecError
from capacity.plan.parse import read_plan
from capacity.readers.aws.aws_cluster import AwsCluster, parse_cluster, with_unread
from capacity.readers.aws.doctor import evidence_of
from capacity.readers.aws.draft import aws_draft
from capacity.readers.aws.folder import read_folder
from capacity.readers.complete import complete
from capacity.readers.draft import PODS_TODAY, PlanDraft, WorkloadDraft
from capacity.readers.existing_plan import render
from capacity.readers.merge import merge

SAVED = Path(__file__).parents[3] / "examples" / "aws-answers"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(SAVED, tmp_path / "saved")
    return tmp_path / "saved"


def change(folder: Path, name: str, **changes: Any) -> None:
    """Rewrite the one object of an answer."""
    path = folder / name
    answer = json.loads(path.read_text())
    (body,) = answer.values()
    body.update(changes)
    path.write_text(json.dumps(answer))


def found(folder: Path, name: str = "") -> AwsCluster:
    return parse_cluster(with_unread(read_folder(folder), name), name)


def draft(folder: Path) -> PlanDraft:
    return aws_draft(found(folder), "saved")


def test_todays_free_count_is_the_plans_steady_state(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(render(complete(draft(folder))))
    (steady,) = check(read_plan(tmp_path / "plan.yaml"), ["steady"]).scenarios
    assert {s.subnet.name: s.free for s in steady.subnets} == {"private-a": 69, "private-b": 74}


def test_pods_seen_give_way_to_workloads(folder: Path) -> None:
    alone = draft(folder)
    assert [t.addresses for t in alone.tenants if t.name.startswith(PODS_TODAY)] == [29, 10]
    both = merge(alone, PlanDraft(workloads=(WorkloadDraft("web", 20),)))
    assert not [t for t in both.tenants if t.name.startswith(PODS_TODAY)]
    assert {t.name for t in both.tenants} >= {"web", "leaked ENIs"}


def test_names_wrappers_and_layout_do_not_matter(folder: Path, tmp_path: Path) -> None:
    plain = render(complete(draft(folder)))
    other = tmp_path / "other"
    (other / "deep").mkdir(parents=True)
    for number, path in enumerate(sorted(folder.iterdir())):
        answer = json.loads(path.read_text())
        if number % 4 == 0:
            answer = {"status_code": 200, "data": {"ResponseMetadata": {}, **answer}}
        ((key, value),) = [(k, v) for k, v in answer.get("data", answer).items() if k != "ResponseMetadata"][:1]
        if number % 4 == 1 and isinstance(value, list) and value:
            answer = value  # as --query leaves it
        if number % 4 == 2 and key in ("cluster", "nodegroup", "addon"):
            answer = {key.capitalize(): {k[:1].upper() + k[1:]: v for k, v in value.items()}}  # as Go programs save it
        (other / ("deep" if number % 2 else ".") / f"{number}.txt").write_text(json.dumps(answer))
    assert render(complete(draft(other))) == plain


def test_the_same_object_twice_counts_once(folder: Path) -> None:
    (folder / "again.json").write_text((folder / "describe-network-interfaces.json").read_text())
    assert draft(folder) == draft(SAVED)


def test_all_in_one_file_one_after_the_other(folder: Path, tmp_path: Path) -> None:
    one = tmp_path / "all.json"
    one.write_text("\n".join(p.read_text() for p in sorted(folder.iterdir())))
    assert draft(one) == draft(SAVED)


def test_missing_answers_are_named_with_their_command(folder: Path) -> None:
    for name in ("describe-network-interfaces.json", "describe-vpcs.json", "describe-addon-vpc-cni.json"):
        (folder / name).unlink()
    (folder / "describe-addon-coredns.json").unlink()
    notes = [n.text for n in draft(folder).notes]
    for command in (
        "aws ec2 describe-network-interfaces --filters Name=vpc-id,Values=vpc-0a1b2c3d4e5f60718",
        "aws ec2 describe-vpcs --vpc-ids vpc-0a1b2c3d4e5f60718",
        "aws eks describe-addon --cluster-name shop-prod --addon-name vpc-cni",
    ):
        assert sum(command in n for n in notes) == 1, command
    render(complete(draft(folder)))


def test_a_listed_group_that_was_not_described(folder: Path) -> None:
    (folder / "list.json").write_text('{"nodegroups": ["general", "gpu"]}')
    command = "aws eks describe-nodegroup --cluster-name shop-prod --nodegroup-name gpu"
    assert any(command in n.text for n in draft(folder).notes)


def test_a_partial_page_is_said(folder: Path) -> None:
    path = folder / "describe-network-interfaces.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "NextToken": "more"}))
    assert any("the output is not complete (NextToken)" in n.text for n in draft(folder).notes)


def test_a_saved_error_is_no_answer(folder: Path) -> None:
    (folder / "x.json").write_text('{"Error": {"Code": "AccessDenied", "Message": "secret words"}}')
    notes = " ".join(n.text for n in draft(folder).notes)
    assert "a saved error (AccessDenied), not output of a command" in notes
    assert "secret" not in notes


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Subnets": [', "ends in the middle"),
        ('{"Subnets": [{"SubnetId": "s", "CidrBlock": NaN}]}', "NaN"),
        ('{"Subnets": ' + "[" * 100_000, "nested too deeply"),
        ('{"Subnets": 3}', "Subnets: expected a list of objects"),
        ('{"NetworkInterfaces": [{}]}', "has no NetworkInterfaceId"),
        ('{"Subnets": [{"SubnetId": "s", "VpcId": "vpc-0a1b2c3d4e5f60718", "CidrBlock": "10.0.0.0/33"}]}', "s: "),
    ],
)
def test_hostile_files_are_one_line(folder: Path, text: str, message: str) -> None:
    (folder / "bad.json").write_text(text)
    with pytest.raises(SpecError, match=message) as caught:
        draft(folder)
    assert "\n" not in str(caught.value)


def test_nothing_of_aws(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no such folder"):
        read_folder(tmp_path / "none")
    with pytest.raises(SpecError, match="is empty"):
        read_folder(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\xff\xfe\x00")
    with pytest.raises(SpecError, match="holds no output of the AWS CLI"):
        read_folder(tmp_path)


def test_strangers_beside_answers_are_said(folder: Path) -> None:
    (folder / "readme.txt").write_text("hello")
    (folder / ".hidden").write_text("{")
    assert any("not output of the AWS CLI, ignored: readme.txt" in n.text for n in draft(folder).notes)


def test_several_clusters_need_a_name(folder: Path) -> None:
    answer = json.loads((folder / "describe-cluster.json").read_text())
    answer["cluster"]["name"] = "shop-test"
    (folder / "second.json").write_text(json.dumps(answer))
    with pytest.raises(SpecError, match=r"several clusters .*'shop-prod' or 'shop-test'"):
        found(folder)
    assert found(folder, "shop-prod").name == "shop-prod"
    with pytest.raises(SpecError, match=r"no cluster 'shop-prd' .*\(found 'shop-prod'\)"):
        found(folder, "shop-prd")


def test_without_the_cluster_the_node_groups_name_it(folder: Path) -> None:
    (folder / "describe-cluster.json").unlink()
    plan = draft(folder)
    assert plan.name == "shop-prod"
    assert any("aws eks describe-cluster --name shop-prod" in n.text for n in plan.notes)


def test_commands_are_safe_to_paste(folder: Path) -> None:
    (folder / "list.json").write_text(json.dumps({"nodegroups": ["general", "x; rm -rf $HOME"]}))
    assert any("--nodegroup-name 'x; rm -rf $HOME'" in n.text for n in draft(folder).notes)


def test_subnets_alone_make_a_network(folder: Path, tmp_path: Path) -> None:
    for path in folder.iterdir():
        if path.name != "describe-subnets.json":
            path.unlink()
    (tmp_path / "plan.yaml").write_text(render(complete(draft(folder))))
    plan = read_plan(tmp_path / "plan.yaml")
    assert [(s.name, s.used) for s in plan.subnets] == [("private-a", 54), ("private-b", 49)]  # 123 less free
    assert plan.node_groups == ()


def test_a_name_that_steers_terminals_is_not_written(folder: Path, tmp_path: Path) -> None:
    change(folder, "describe-nodegroup-general.json", nodegroupName="\x1b[31mred")
    (tmp_path / "plan.yaml").write_text(render(complete(draft(folder))))
    assert "\x1b" not in (tmp_path / "plan.yaml").read_text()


def test_the_command_reads_a_folder(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan.yaml"
    done = CliRunner().invoke(app, ["import", "aws", "--from", str(folder), "--out-file", str(out)])
    assert done.exit_code == 0, done.output
    assert yaml.safe_load(out.read_text())["metadata"]["name"] == "shop-prod"
    assert "\n" not in done.stdout
    refused = CliRunner().invoke(app, ["import", "aws", "--from", str(folder), "--region", "eu-west-1"])
    assert isinstance(refused.exception, SpecError)


class TestGroups:
    def group(self, folder: Path, **changes: Any) -> Any:
        change(folder, "describe-nodegroup-general.json", **changes)
        (only,) = draft(folder).node_groups
        return only

    def test_as_saved(self, folder: Path) -> None:
        group = self.group(folder)
        assert (group.min_nodes, group.desired, group.max_nodes) == (2, 4, 8)
        assert (group.ami, group.provisioner, group.max_unavailable) == ("al2023", "managed", "33%")

    def test_the_autoscaling_groups_count_wins(self, folder: Path) -> None:
        group = self.group(folder, scalingConfig={"minSize": 2, "maxSize": 8, "desiredSize": 3})
        assert group.desired == 4
        assert any("requests 4 nodes, EKS reports 3: 4 is used" in n.text for n in draft(folder).notes)

    @pytest.mark.parametrize(
        ("update", "unavailable", "strategy"),
        [
            ({"maxUnavailable": 2, "updateStrategy": "MINIMAL"}, 2, "minimal"),
            ({"maxUnavailablePercentage": 50}, "50%", None),
        ],
    )
    def test_updates(self, folder: Path, update: dict[str, Any], unavailable: Any, strategy: str | None) -> None:
        group = self.group(folder, updateConfig=update)
        assert (group.max_unavailable, group.update_strategy) == (unavailable, strategy)

    def test_taints_are_said(self, folder: Path) -> None:
        self.group(folder, taints=[{"key": "gpu", "value": "true", "effect": "NO_SCHEDULE"}])
        assert any("tainted (gpu=true:NO_SCHEDULE)" in n.text for n in draft(folder).notes)

    def test_an_ami_of_ones_own_has_the_amis_max_pods(self, folder: Path) -> None:
        group = self.group(folder, amiType="CUSTOM")
        assert (group.ami, group.provisioner) == ("al2023", "self-managed")
        assert any("EKS does not set max pods" in n.text for n in draft(folder).notes)

    def test_an_unread_template_is_a_gap(self, folder: Path) -> None:
        self.group(folder, launchTemplate={"id": "lt-1", "version": "3"})
        command = "aws ec2 describe-launch-template-versions --launch-template-id lt-1 --versions 3"
        assert any(command in n.text for n in draft(folder).notes)

    def test_unknown_types_are_said_and_left_out(self, folder: Path) -> None:
        group = self.group(folder, instanceTypes=["m99.large", "m5.large"])
        assert group.instance_types == ("m5.large",)
        assert any("m99.large is not in the catalog" in n.text for n in draft(folder).notes)

    def test_what_most_nodes_run_on_comes_first(self, folder: Path) -> None:
        assert self.group(folder, instanceTypes=["c5.large", "m5.large"]).instance_types == ("m5.large", "c5.large")

    def test_karpenters_nodes_become_a_group(self, folder: Path) -> None:
        path = folder / "describe-instances.json"
        answer = json.loads(path.read_text())
        for instance in answer["Reservations"][0]["Instances"][:3]:
            instance["Tags"] = [
                {"Key": "karpenter.sh/nodepool", "Value": "spot"},
                {"Key": "kubernetes.io/cluster/shop-prod", "Value": "owned"},
            ]
        path.write_text(json.dumps(answer))
        general, spot = draft(folder).node_groups
        assert general.name == "general"
        assert (spot.name, spot.provisioner, spot.desired, spot.max_nodes) == ("spot", "karpenter", 3, None)

    def test_a_self_managed_group(self, folder: Path) -> None:
        path = folder / "describe-auto-scaling-groups.json"
        answer = json.loads(path.read_text())
        (group,) = answer["AutoScalingGroups"]
        overrides = [{"InstanceType": "m5.large"}, {"InstanceType": "m5a.large"}]
        answer["AutoScalingGroups"].append(
            {
                **group,
                "AutoScalingGroupName": "own",
                "Instances": [],
                "DesiredCapacity": 0,
                "MinSize": 0,
                "Tags": [{"Key": "kubernetes.io/cluster/shop-prod", "Value": "owned"}],
                "MixedInstancesPolicy": {"LaunchTemplate": {"Overrides": overrides}},
            }
        )
        path.write_text(json.dumps(answer))
        own = next(g for g in draft(folder).node_groups if g.name == "own")
        assert (own.provisioner, own.instance_types, own.subnets) == (
            "self-managed",
            ("m5.large", "m5a.large"),
            ("private-a", "private-b"),
        )


def test_load_balancers_stand_in_where_no_interface_is_known(folder: Path) -> None:
    (folder / "describe-network-interfaces.json").unlink()
    (balancer,) = draft(folder).tenants
    assert (balancer.kind, balancer.name, balancer.subnets, balancer.addresses) == (
        "alb",
        "web (alb)",
        ("private-a", "private-b"),
        None,
    )


def test_enis_that_the_cni_did_not_add(folder: Path) -> None:
    path = folder / "describe-network-interfaces.json"
    answer = json.loads(path.read_text())
    for number in (0, 1, 2, 3, 0):  # one node has two of them: what every node has is one
        own = {"InstanceId": f"i-0{number + 1:016x}", "DeviceIndex": 3}
        answer["NetworkInterfaces"].append(
            {
                "NetworkInterfaceId": f"eni-own{len(answer['NetworkInterfaces'])}",
                "SubnetId": "subnet-0aaaaaaaaaaaaaa01",
                "PrivateIpAddress": f"10.20.0.{100 + len(answer['NetworkInterfaces'])}",
                "Attachment": own,
            }
        )
    path.write_text(json.dumps(answer))
    (group,) = draft(folder).node_groups
    assert group.unmanaged_enis == 1


def test_auto_mode_is_said(folder: Path) -> None:
    change(folder, "describe-cluster.json", computeConfig={"enabled": True})
    assert any("EKS Auto Mode" in n.text for n in draft(folder).notes)


class TestCni:
    def configured(self, folder: Path, values: str) -> PlanDraft:
        change(folder, "describe-addon-vpc-cni.json", configurationValues=values)
        return draft(folder)

    def test_json_and_yaml(self, folder: Path) -> None:
        assert self.configured(folder, '{"env": {"WARM_IP_TARGET": 2}}').env == {"WARM_IP_TARGET": "2"}
        assert self.configured(folder, "env:\n  ENABLE_POD_ENI: true\n").env == {"ENABLE_POD_ENI": "true"}
        assert any("neither JSON nor YAML" in n.text for n in self.configured(folder, "env: [").notes)

    def test_pod_subnets_of_custom_networking(self, folder: Path) -> None:
        values = {
            "env": {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"},
            "eniConfig": {
                "create": True,
                "subnets": {
                    "eu-central-1a": {"id": "subnet-0aaaaaaaaaaaaaa01"},
                    "eu-central-1b": {"id": "subnet-0aaaaaaaaaaaaaa02"},
                },
            },
        }
        (group,) = self.configured(folder, json.dumps(values)).node_groups
        assert group.pod_subnets == ("private-a", "private-b")

    def test_prefixes_on_nodes_prove_their_switch(self, folder: Path) -> None:
        path = folder / "describe-network-interfaces.json"
        answer = json.loads(path.read_text())
        eni = next(e for e in answer["NetworkInterfaces"] if e["Description"].startswith("aws-K8S-i-00"))
        eni["PrivateIpAddresses"] = eni["PrivateIpAddresses"][:1]
        eni["Ipv4Prefixes"] = [{"Ipv4Prefix": "10.20.0.96/28"}]
        path.write_text(json.dumps(answer))
        plan = draft(folder)
        assert plan.env["ENABLE_PREFIX_DELEGATION"] == "true"
        assert any("the nodes' interfaces show it" in n.text for n in plan.notes)


def tag_subnets(folder: Path, **of: str) -> None:
    """Tags on the subnets of these names."""
    path = folder / "describe-subnets.json"
    answer = json.loads(path.read_text())
    for subnet in answer["Subnets"]:
        name = next((t["Value"] for t in subnet["Tags"] if t["Key"] == "Name"), "")
        subnet["Tags"] += [{"Key": key, "Value": value} for key, value in of.items() if name == "private-a"]
    path.write_text(json.dumps(answer))


def test_the_tags_that_subnet_discovery_reads_come_along(folder: Path, tmp_path: Path) -> None:
    cluster = found(folder).name
    tag_subnets(
        folder, **{"kubernetes.io/role/cni": "", f"cni.networking.k8s.aws/cluster/{cluster}": "shared", "x": "y"}
    )
    read = draft(folder)
    role, kept = ("kubernetes.io/role/cni", "1"), (f"cni.networking.k8s.aws/cluster/{cluster}", "shared")
    assert {s.name: s.tags for s in read.subnets} == {"private-a": (role, kept), "private-b": None}  # not "0" is 1
    assert read.env["CLUSTER_NAME"] == cluster  # EKS sets it on the add-on
    (tmp_path / "plan.yaml").write_text(render(complete(read)))
    subnet = read_plan(tmp_path / "plan.yaml").subnet("private-a")
    assert (subnet.discovery, subnet.clusters) == (True, (cluster,))


def test_two_sources_that_tag_differently_are_said(folder: Path) -> None:
    tag_subnets(folder, **{"kubernetes.io/role/cni": "1"})
    read = draft(folder)
    other = replace(read.subnets[0], tags=(("kubernetes.io/role/cni", "0"),))
    both = merge(read, PlanDraft(subnets=(other,), source="tf"))
    assert both.subnets[0].tags == read.subnets[0].tags
    assert any("tf has" in note.text and "kubernetes.io/role/cni" in note.text for note in both.notes)


def test_the_doctor_counts_pods_where_tags_send_them(folder: Path) -> None:
    before = {n.name: n.capacity for n in evidence_of(found(folder)).nodes}
    tag_subnets(folder, **{"kubernetes.io/role/cni": "0"})
    path = folder / "describe-subnets.json"
    answer = json.loads(path.read_text())
    first = next(s for s in answer["Subnets"] if {"Key": "Name", "Value": "private-a"} in s["Tags"])
    more = dict(first, SubnetId="subnet-more", CidrBlock="10.40.200.0/24", AvailableIpAddressCount=251)
    more["Tags"] = [{"Key": "Name", "Value": "more"}, {"Key": "kubernetes.io/role/cni", "Value": "1"}]
    answer["Subnets"].append(more)
    path.write_text(json.dumps(answer))
    seen = evidence_of(found(folder))
    assert {s.name: s.serves_pods for s in seen.subnets} == {"private-a": False, "private-b": True, "more": True}
    after = {n.name: n.capacity for n in seen.nodes}
    fewer = [name for name, pods in before.items() if pods is not None and (after[name] or 0) < pods]
    assert 0 < len(fewer) < len(before)  # nodes in private-a lose the addresses of their primary ENI
