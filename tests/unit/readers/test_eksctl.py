"""eksctl: the network it creates, the nodes it starts, and what only adds to an existing cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capacity.catalog.table import load_catalog
from capacity.errors import SpecError
from capacity.readers.cni_addon import addon_values
from capacity.readers.complete import complete
from capacity.readers.decode import parse_documents
from capacity.readers.draft import GroupDraft, PlanDraft, SourceNotes
from capacity.readers.efa import efa_tenant
from capacity.readers.eksctl.cluster_config import parse_eksctl
from capacity.readers.imported import read_eksctl, read_kubectl
from capacity.readers.merge import merge

ZONES = ["eu-west-1a", "eu-west-1b"]


def config(**stated: Any) -> dict[str, Any]:
    return {"metadata": {"name": "shop", "region": "eu-west-1"}, "availabilityZones": ZONES, **stated}


def read(**stated: Any) -> PlanDraft:
    return parse_eksctl(config(**stated), "c.yaml")


def group(**stated: Any) -> GroupDraft:
    return read(nodeGroups=[{"name": "g", "instanceType": "m6i.large", **stated}]).node_groups[0]


def blocks(draft: PlanDraft) -> dict[str, str]:
    return {s.name: str(s.cidr) for s in draft.subnets}


def said(draft: PlanDraft) -> str:
    return "\n".join(n.text for n in draft.notes)


# --- the VPC ------------------------------------------------------------------------------------


def test_local_zones_take_subnets_after_those_of_the_region() -> None:
    draft = read(
        vpc={"cidr": "10.0.0.0/16"},
        availabilityZones=["us-east-1a", "us-east-1b", "us-east-1c"],
        localZones=["us-east-1-bos-1a", "us-east-1-mia-1a"],
        nodeGroups=[
            {"name": "edge", "localZones": ["us-east-1-bos-1a"]},
            {"name": "inside", "localZones": ["us-east-1-mia-1a"], "privateNetworking": "true"},
            {"name": "region"},
        ],
    )
    # five zones: 10 subnets, so 16 parts of /20; part i is public, part i + 5 is private
    assert blocks(draft)["public-us-east-1-bos-1a"] == "10.0.48.0/20"
    assert blocks(draft)["private-us-east-1a"] == "10.0.80.0/20"
    assert blocks(draft)["private-us-east-1-mia-1a"] == "10.0.144.0/20"
    edge, inside, region = draft.node_groups
    assert edge.subnets == ("public-us-east-1-bos-1a",)
    assert inside.subnets == ("private-us-east-1-mia-1a",)
    assert region.subnets == ("public-us-east-1a", "public-us-east-1b", "public-us-east-1c")
    assert not any("bos" in s or "mia" in s for s in draft.control_plane or ())


@pytest.mark.parametrize(
    ("stated", "private_only"),
    [
        ({}, False),
        ({"vpc": {"controlPlaneOnPrivateSubnets": True}}, True),
        ({"autoModeConfig": {"enabled": "true"}}, True),
        ({"autoModeConfig": {"enabled": False}}, False),
        ({"outpost": {"controlPlaneOutpostARN": "arn:aws:outposts:eu-west-1:1:outpost/op-1"}}, True),
    ],
)
def test_subnets_of_the_control_plane(stated: dict[str, Any], private_only: bool) -> None:
    names = read(**stated).control_plane or ()
    assert all(n.startswith("private-") for n in names) is private_only
    assert len(names) == (2 if private_only else 4)


def test_a_private_cluster_has_no_public_subnets_and_an_endpoint_per_service() -> None:
    draft = read(
        vpc={"cidr": "10.0.0.0/16"},
        privateCluster={"enabled": True, "additionalEndpointServices": ["autoscaling", "logs"]},
        cloudWatch={"clusterLogging": {"enableTypes": ["audit"]}},
    )
    # the private parts stay where they are with public ones: parts 2 and 3 of 8
    assert blocks(draft) == {"private-eu-west-1a": "10.0.64.0/19", "private-eu-west-1b": "10.0.96.0/19"}
    names = [t.name.removeprefix("endpoint-") for t in draft.tenants]
    assert names == ["ec2", "ecr.api", "ecr.dkr", "sts", "autoscaling", "logs"]  # that of S3 is a gateway
    assert {t.subnets for t in draft.tenants} == {("private-eu-west-1a", "private-eu-west-1b")}
    assert read(privateCluster={"enabled": True, "skipEndpointCreation": True}).tenants == ()


@pytest.mark.parametrize(
    ("gateway", "subnets"),
    [
        ("HighlyAvailable", ("public-eu-west-1a", "public-eu-west-1b")),
        ("Single", ("public-eu-west-1a",)),
        (None, ("public-eu-west-1a",)),
        ("Disable", None),
        ("${NAT}", None),
    ],
)
def test_nat_gateways(gateway: str | None, subnets: tuple[str, ...] | None) -> None:
    draft = read(vpc={"nat": {"gateway": gateway}} if gateway else {})
    assert [(t.kind, t.subnets) for t in draft.tenants] == ([("natGateway", subnets)] if subnets else [])
    assert ("vpc.nat" in said(draft)) is (gateway in (None, "${NAT}"))


def test_in_an_existing_vpc_eksctl_creates_no_nat_gateway() -> None:
    draft = read(vpc={"nat": {"gateway": "Single"}, "subnets": {"private": {"a": {"id": "subnet-0a"}}}})
    assert draft.tenants == ()
    assert "vpc.nat: has no effect" in said(draft)


@pytest.mark.parametrize(
    ("stated", "private"),
    [
        ({"region": "us-east-1"}, {"us-east-1a": "192.168.64.0/19", "us-east-1b": "192.168.96.0/19"}),
        (
            {"region": "eu-west-1"},
            {"eu-west-1a": "192.168.96.0/19", "eu-west-1b": "192.168.128.0/19", "eu-west-1c": "192.168.160.0/19"},
        ),
    ],
)
def test_zones_that_eksctl_chooses(stated: dict[str, str], private: dict[str, str]) -> None:
    draft = parse_eksctl({"metadata": {"name": "x", **stated}, "nodeGroups": [{"name": "g"}]})
    assert {s.zone: str(s.cidr) for s in draft.subnets if s.name.startswith("private")} == private
    assert len(draft.assumed) == 2 * len(private)  # the zones


def test_an_outpost_has_one_zone() -> None:
    outpost = {"controlPlaneOutpostARN": "arn:aws:outposts:us-west-2:1:outpost/op-1"}
    draft = parse_eksctl({"metadata": {"name": "x", "region": "us-west-2"}, "outpost": outpost})
    assert blocks(draft) == {"private-us-west-2a": "192.168.32.0/19", "public-us-west-2a": "192.168.0.0/19"}
    assert "that of the Outpost" in said(draft)


def test_keys_that_are_placeholders_get_readable_names() -> None:
    text = """
vpc:
  subnets:
    private:
      {{ zone_a }}: {id: "{{ subnet_a }}", cidr: 10.0.0.0/20}
      ${ZONE_B}: {id: subnet-0b, az: {{ zone_b }}}
managedNodeGroups: [{name: app, privateNetworking: true}]
"""
    (document,) = parse_documents(text, "c.yaml")
    draft = parse_eksctl({"metadata": {"name": "x"}, **document}, "c.yaml")
    assert [(s.name, s.id) for s in draft.subnets] == [("private-1", None), ("private-2", "subnet-0b")]
    assert draft.node_groups[0].subnets == ("private-1", "private-2")
    assert "'{{ zone_b }}' is a placeholder" in said(draft)  # as the file has it


# --- nodes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stated",
    [
        {"maxPodsPerNode": 58},
        {"kubeletExtraConfig": {"maxPods": "58"}},
        {"bottlerocket": {"settings": {"kubernetes": {"max-pods": 58}}}},
        {"overrideBootstrapCommand": "/etc/eks/bootstrap.sh x --use-max-pods false --kubelet-extra-args --max-pods=58"},
        {"preBootstrapCommands": ["echo hello", "echo '{\"maxPods\": 58}' > /etc/kubelet.json"]},
        {"maxPodsPerNode": 58, "kubeletExtraConfig": {"maxPods": 110}},
    ],
)
def test_max_pods(stated: dict[str, Any]) -> None:
    assert group(**stated).max_pods == 58


def test_without_a_number_bootstrap_leaves_the_kubelets_default() -> None:
    assert group(overrideBootstrapCommand="/etc/eks/bootstrap.sh x --use-max-pods false").max_pods == 110
    assert group(overrideBootstrapCommand="/etc/eks/bootstrap.sh x").max_pods is None


@pytest.mark.parametrize(
    ("stated", "spot"),
    [
        ({"spot": True}, True),
        ({"spot": False}, False),
        ({"instancesDistribution": {"onDemandPercentageAboveBaseCapacity": 0}}, True),
        ({"instancesDistribution": {"onDemandBaseCapacity": 1, "onDemandPercentageAboveBaseCapacity": 0}}, False),
        ({"instancesDistribution": {"instanceTypes": ["m5.large"]}}, False),
    ],
)
def test_spot(stated: dict[str, Any], spot: bool) -> None:
    assert group(**stated).capacity_type == ("spot" if spot else None)


def test_an_efa_group_takes_an_address_for_each_network_card() -> None:
    efa = {"name": "gpu", "instanceType": "p5.48xlarge", "desiredCapacity": 3, "efaEnabled": True}
    draft = read(vpc={"nat": {"gateway": "Disable"}}, managedNodeGroups=[efa])
    (holder,) = draft.tenants
    # 32 cards, one of them the primary interface: 3 x 31 addresses in two subnets
    assert (holder.kind, holder.addresses, len(holder.subnets)) == ("other", 47, 2)
    assert "3 nodes take 96 addresses, 93 of them in tenants[efa-gpu]" in said(draft)
    assert draft.node_groups[0].unmanaged_enis is None  # cards above 0 take no ENI from the CNI


def test_efa_on_a_type_with_one_card_adds_nothing() -> None:
    notes = SourceNotes("f")
    one_card = GroupDraft("g", ("c5n.18xlarge",), max_nodes=4, subnets=("a",))
    assert efa_tenant(one_card, load_catalog(), notes, "here") is None
    assert efa_tenant(GroupDraft("g", ("zz9.huge",), max_nodes=4, subnets=("a",)), load_catalog(), notes, "x") is None
    assert [n.text for n in notes.notes] == [
        "f x: EFA: one interface with an address for each network card of a node; cards not known"
    ]


def test_an_instance_selector_does_not_ask_for_current_types() -> None:
    types = group(instanceType=None, instanceSelector={"vCPUs": 2, "memory": "8"}).instance_types or ()
    assert {"m4.large", "m5.large", "m6i.large"} <= set(types)
    assert not {"m6g.large", "c5.large"} & set(types)
    metal = group(instanceType=None, instanceSelector={"vCPUs": 96, "memory": "192GiB"}).instance_types or ()
    assert "c5.metal" in metal
    assert len(group(instanceType=None, instanceSelector={"gpus": 0}).instance_types or ()) == 40


# --- a file that only adds to a cluster -----------------------------------------------------------

PLAN = """apiVersion: capacity/v1
metadata: {name: shop}
region: eu-west-1
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {name: nodes-a, zone: eu-west-1a, cidr: 10.0.0.0/20}
    - {name: nodes-b, zone: eu-west-1b, cidr: 10.0.16.0/20}
nodeGroups: [{name: app, instanceTypes: [m6i.large], nodes: 2, subnets: [nodes-a, nodes-b]}]
"""


@pytest.mark.parametrize(
    ("added", "subnets"),
    [
        ("{name: arm, instanceType: t4g.medium, subnets: [$SUBNET]}", ("nodes-a", "nodes-b")),
        ("{name: arm, instanceType: t4g.medium}", ("nodes-a", "nodes-b")),
        ("{name: arm, instanceType: t4g.medium, availabilityZones: [eu-west-1b]}", ("nodes-b",)),
    ],
)
def test_a_node_group_comes_without_the_default_vpc(tmp_path: Path, added: str, subnets: tuple[str, ...]) -> None:
    plan, file = tmp_path / "plan.yaml", tmp_path / "ng.yaml"
    plan.write_text(PLAN)
    file.write_text(
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1}\n"
        f"managedNodeGroups: [{added}]\n"
    )
    made = read_eksctl(file, into=plan)
    assert [s.name for s in made.plan.subnets] == ["nodes-a", "nodes-b"]
    assert [str(c) for c in made.plan.vpc_cidrs] == ["10.0.0.0/16"]
    assert made.plan.node_groups[1].subnets == subnets
    assert made.plan.tenants == ()
    assert "192.168" not in made.text


def test_a_default_vpc_is_no_difference(tmp_path: Path) -> None:
    plan, file = tmp_path / "plan.yaml", tmp_path / "ng.yaml"
    plan.write_text(PLAN)
    file.write_text(
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: shop, region: eu-west-1}\n"
        "managedNodeGroups: [{name: app, instanceType: m6i.large, minSize: 2, maxSize: 2}]\n"
    )
    paths = [d.path for d in read_eksctl(file).differences(plan)]
    assert not any(path.startswith(("vpc", "tenants", "controlPlane")) for path in paths), paths


def test_add_ons_alone_make_no_vpc() -> None:
    document = {"metadata": {"name": "x", "version": "1.34"}, "addons": [{"name": "coredns"}, {"name": "adot"}]}
    draft = parse_eksctl(document, "addon.yaml")
    assert (draft.vpc_cidrs, draft.subnets) == ((), ())
    assert "1 add-on not in the plan (adot)" in said(draft)


def test_a_stated_vpc_goes_before_a_default_one_in_either_order() -> None:
    default = parse_eksctl({"metadata": {"name": "x"}, "nodeGroups": [{"name": "g"}]}, "ng.yaml")
    stated = read(vpc={"cidr": "10.0.0.0/16"})
    for merged in (merge(default, stated), merge(stated, default)):
        assert [str(c) for c in merged.vpc_cidrs] == ["10.0.0.0/16"]
        assert len(merged.subnets) == 4
        assert merged.node_groups[0].subnets is None
    same = merge(read(), default)  # both default: the one with stated zones
    assert {s.zone for s in same.subnets} == set(ZONES)


# --- the add-on ---------------------------------------------------------------------------------

VALUES = """
env: {AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: "true"}
enableWindowsPrefixDelegation: true
eniConfig:
  create: true
  subnets:
    eu-west-1a: {id: subnet-0a1, securityGroups: [sg-1]}
    eu-west-1b: {id: subnet-0b1}
"""


def test_an_add_on_brings_its_eniconfigs_and_windows_settings() -> None:
    draft = read(
        addons=[{"name": "vpc-cni", "version": "v1.20.1-eksbuild.1", "configurationValues": VALUES}],
        managedNodeGroups=[{"name": "app", "instanceType": "m6i.large", "privateNetworking": True}],
    )
    assert draft.windows == {"enable-windows-prefix-delegation": "true"}
    assert draft.cni_version == "1.20.1"
    whole = complete(draft)
    assert whole.node_groups[0].pod_subnets == ("subnet-0a1", "subnet-0b1")
    assert not any(s.name.startswith("assumed-pods") for s in whole.subnets)


def test_pod_subnets_of_the_vpc_keep_their_names() -> None:
    given = {"private": {"pods-a": {"id": "subnet-0a1", "az": "eu-west-1a", "cidr": "100.64.0.0/18"}}}
    draft = read(vpc={"subnets": given}, addons=[{"name": "vpc-cni", "configurationValues": VALUES}])
    assert draft.pod_subnets == ("pods-a", "subnet-0b1")
    assert [s.name for s in draft.subnets] == ["pods-a", "subnet-0b1"]


@pytest.mark.parametrize(
    ("create", "used", "note"),
    [
        ("create: true", 1, None),
        ("create: false", 0, "create is false"),
        ("region: eu-west-1", 1, "assumed true"),
    ],
)
def test_the_chart_creates_eniconfigs_only_if_told(create: str, used: int, note: str | None) -> None:
    notes = SourceNotes("f")
    text = f"eniConfig: {{{create}, subnets: {{eu-west-1a: {{id: subnet-0a1}}}}}}"
    assert len(addon_values(text, notes, "addon").pod_subnets) == used
    assert (note or "") in " ".join(n.text for n in notes.notes)
    assert bool(notes.notes) is bool(note)


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("read_file", [read_eksctl, read_kubectl])
@pytest.mark.parametrize(("start", "tool"), [(b"\x1f\x8b\x08\x00", "gunzip -c"), (b"PK\x03\x04", "unzip -p")])
def test_a_compressed_file_says_what_to_do(tmp_path: Path, read_file: Any, start: bytes, tool: str) -> None:
    packed = tmp_path / "my file.gz"
    packed.write_bytes(start + b"\x00" * 40)
    with pytest.raises(SpecError, match=rf"is compressed.*{tool} 'my file.gz' \| capacity import -"):
        read_file(packed)


def test_a_placeholder_is_no_pod_subnet(tmp_path: Path) -> None:
    file = tmp_path / "e.yaml"
    file.write_text(
        "apiVersion: crd.k8s.amazonaws.com/v1alpha1\nkind: ENIConfig\nmetadata: {name: eu-west-1a}\n"
        "spec: {subnet: PODS-A-SUBNET}\n"
    )
    with pytest.raises(SpecError, match="'PODS-A-SUBNET' is not an ID"):
        read_kubectl(file)


def test_placeholders_of_ids_are_no_ids() -> None:
    given = {"private": {"a": {"id": "subnet-xxxxxxxx"}, "b": {"id": "subnet-xxxxxxxx"}, "c": {"id": "subnet-0c"}}}
    nodes = [{"name": "all", "subnets": ["a", "b", "subnet-0c"]}, {"name": "open", "subnets": ["subnet-xxxx"]}]
    draft = read(vpc={"subnets": given}, nodeGroups=nodes)
    assert [(s.name, s.id) for s in draft.subnets] == [("a", None), ("b", None), ("c", "subnet-0c")]
    assert [g.subnets for g in draft.node_groups] == [("a", "b", "c"), None]
    assert "vpc.subnets.private.a: id 'subnet-xxxxxxxx' is not an ID" in said(draft)


@pytest.mark.parametrize(
    "taints", [{"gpu": "true:NoSchedule"}, [{"key": "gpu", "value": "true", "effect": "NoSchedule"}]]
)
def test_taints_and_templates_are_said(taints: Any) -> None:
    draft = read(managedNodeGroups=[{"name": "g", "taints": taints, "launchTemplate": {"id": "lt-1", "version": "4"}}])
    assert "tainted (gpu=true:NoSchedule)" in said(draft)
    assert "lt-1 version 4 is not in this file: its type, AMI, max pods and interfaces are not known" in said(draft)


def test_an_own_image_of_a_managed_group() -> None:
    image = {"name": "g", "instanceType": "m6i.large", "ami": "ami-0123"}
    draft = read(managedNodeGroups=[image, {**image, "name": "h", "maxPodsPerNode": 50}])
    assert [(g.provisioner, g.max_pods) for g in draft.node_groups] == [("self-managed", None), ("managed", 50)]
    assert "custom AMI: EKS does not set max pods" in said(draft)


def test_pools_and_profiles_are_named() -> None:
    profile = {"name": "jobs", "selectors": [{"namespace": "batch"}], "subnets": ["private-one"]}
    draft = read(autoModeConfig={"enabled": True, "nodePools": ["system"]}, fargateProfiles=[profile])
    assert "EKS Auto Mode runs separate nodes (system)" in said(draft)
    assert "fargateProfiles[0] jobs: each of its pods (namespaces batch) uses an address of private-one" in said(draft)


@pytest.mark.parametrize(("version", "family"), [("1.29", "al2"), ("1.30", None), ("latest", None), (None, None)])
def test_the_family_that_eksctl_uses(version: str | None, family: str | None) -> None:
    nodes = [{"name": "g", "instanceType": "m6i.large"}, {"name": "h", "amiFamily": "Bottlerocket"}]
    draft = read(metadata={"name": "x", "version": version}, managedNodeGroups=nodes)
    assert [g.ami for g in draft.node_groups] == [family, "bottlerocket"]
    assert ("eksctl uses AmazonLinux2" in said(draft)) is (family == "al2")
