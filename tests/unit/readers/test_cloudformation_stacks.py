"""CloudFormation: nested stacks, loops, launch templates, images, and what a template only names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from capacity.readers.cloudformation.intrinsics import Resolver
from capacity.readers.cloudformation.partial_values import Pieces, ToResource, Unresolved
from capacity.readers.cloudformation.template import parse_cloudformation
from capacity.readers.decode import parse_documents
from capacity.readers.draft import GroupDraft, PlanDraft
from capacity.readers.imported import read_cloudformation
from capacity.readers.user_data import ami_of_parameter

ROOT = """
Parameters: {Kind: {Type: String, Default: c6i.xlarge}}
Resources:
  Network: {Type: "AWS::CloudFormation::Stack", Properties: {TemplateURL: !Sub "https://${Bucket}/v1/network.yaml"}}
  Nodes:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: !Join ["/", ["https://bucket", !Ref Release, nodes.yaml]]
      Parameters: {Kind: !Ref Kind, Most: 12, Ids: !GetAtt Network.Outputs.Private, Alone: !GetAtt Network.Outputs.One}
"""
NETWORK = """
Resources:
  Vpc: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.0.0.0/16}}
  A: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.0.0/20, AvailabilityZone: eu-west-1a}}
  B: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.16.0/20, AvailabilityZone: eu-west-1b}}
  Pods: {Type: "AWS::EC2::Subnet", Properties: {VpcId: !Ref Vpc, CidrBlock: 10.0.64.0/18, AvailabilityZone: eu-west-1a}}
Outputs: {Private: {Value: !Sub "${A},${B}"}, One: {Value: !Ref B}}
"""
NODES = """
Parameters:
  Kind: {Type: String, Default: t3.medium}
  Most: {Type: Number, Default: 3}
  Ids: {Type: "List<AWS::EC2::Subnet::Id>"}
  Alone: {Type: String}
Resources:
  Group:
    Type: AWS::EKS::Nodegroup
    Properties: {InstanceTypes: [!Ref Kind], ScalingConfig: {MinSize: 1, MaxSize: !Ref Most}, Subnets: !Ref Ids}
  One:
    Type: AWS::EKS::Nodegroup
    Properties: {InstanceTypes: [!Ref Kind], Subnets: [!Ref Alone]}
  Nat: {Type: "AWS::EC2::NatGateway", Properties: {SubnetId: !Select [1, !Ref Ids]}}
"""


def parsed(text: str) -> PlanDraft:
    return parse_cloudformation(parse_documents(text, "t.yaml")[0], "t.yaml")


def said(draft: PlanDraft) -> str:
    return "\n".join(n.text for n in draft.notes)


def files(folder: Path, **texts: str) -> list[Path]:
    paths = [folder / f"{name}.yaml" for name in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text)
    return paths


# --- nested stacks --------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_a_nested_stack_gets_what_its_parent_gives(tmp_path: Path, order: tuple[int, ...]) -> None:
    paths = files(tmp_path, root=ROOT, network=NETWORK, nodes=NODES)
    found = read_cloudformation(*(paths[i] for i in order)).found
    group, one = found.node_groups
    assert (group.name, group.instance_types, group.max_nodes) == ("Group", ("c6i.xlarge",), 12)
    assert group.subnets == ("A", "B")  # of the network's output, not all three
    assert one.subnets == ("B",)
    assert [(t.kind, t.subnets) for t in found.tenants] == [("natGateway", ("B",))]
    assert [s.name for s in found.subnets] == ["A", "B", "Pods"]
    assert "nested stack" not in said(found)


def test_a_nested_stack_without_its_template_is_named(tmp_path: Path) -> None:
    (root, nodes) = files(tmp_path, root=ROOT, nodes=NODES)
    found = read_cloudformation(root, nodes).found
    assert "Network: a nested stack (https://${Bucket}/v1/network.yaml): import its template too" in said(found)
    assert "Nodes.Group.Subnets: is an output of the nested stack Network" in said(found)
    assert found.node_groups[0].subnets is None


def test_two_stacks_of_one_template_are_two_stacks(tmp_path: Path) -> None:
    twice = "Resources:\n" + "".join(
        f"  {name}: {{Type: 'AWS::CloudFormation::Stack', Properties: {{TemplateURL: ./nodes.yaml, "
        f"Parameters: {{Kind: {kind}}}}}}}\n"
        for name, kind in (("Small", "m5.large"), ("Large", "m5.4xlarge"))
    )
    found = read_cloudformation(*files(tmp_path, root=twice, nodes=NODES)).found
    kinds = {g.name: g.instance_types for g in found.node_groups}
    assert kinds == {"Group": ("m5.large",), "One": ("m5.large",), "Group-2": ("m5.4xlarge",), "One-2": ("m5.4xlarge",)}


def test_templates_that_use_each_other_end(tmp_path: Path) -> None:
    def calling(other: str) -> str:
        return (
            "Resources:\n  V: {Type: 'AWS::EC2::VPC', Properties: {CidrBlock: 10.0.0.0/16}}\n"
            f"  S: {{Type: 'AWS::CloudFormation::Stack', Properties: {{TemplateURL: {other}.yaml}}}}\n"
        )

    found = read_cloudformation(*files(tmp_path, a=calling("b"), b=calling("a"))).found
    assert [str(c) for c in found.vpc_cidrs] == ["10.0.0.0/16"]


def test_texts_with_resources_are_split_at_their_marks() -> None:
    a, b = ToResource("A"), ToResource("B")
    assert Pieces((a, ",", b)).split(",") == [a, b]
    assert Pieces(("x,", a, "-y,z")).split(",") == ["x", Pieces((a, "-y")), "z"]
    resolver = Resolver({"Resources": {"A": {}, "B": {}}})
    joined = {"Fn::Join": [",", [{"Ref": "A"}, {"Fn::Sub": "${B}"}]]}
    assert resolver.value({"Fn::Split": [",", joined]}) == [a, b]
    assert resolver.value({"Fn::Sub": "only ${A}"}) == Pieces(("only ", a))


# --- loops ----------------------------------------------------------------------------------------


def test_loops_are_unrolled_in_each_other_and_over_parameters() -> None:
    draft = parsed(
        """
Transform: AWS::LanguageExtensions
Parameters: {Letters: {Type: CommaDelimitedList, Default: "a, b"}}
Resources:
  V: {Type: "AWS::EC2::VPC", Properties: {CidrBlock: 10.0.0.0/16}}
  'Fn::ForEach::Zones':
    - Zone
    - !Ref Letters
    - 'Fn::ForEach::Tiers':
        - Tier
        - ['0', '1']
        - 'Net${Zone}${Tier}':
            Type: AWS::EC2::Subnet
            Properties:
              VpcId: !Ref V
              AvailabilityZone: !Sub 'eu-west-1${Zone}'
              CidrBlock: !If [No, 10.1.0.0/24, !Select [!Ref Tier, !FindInMap [Blocks, !Ref Zone, All]]]
              Tags:
                - {Key: Name, Value: 'net-&{Zone}'}
Conditions: {No: !Equals [a, b]}
Mappings: {Blocks: {a: {All: [10.0.0.0/24, 10.0.1.0/24]}, b: {All: [10.0.2.0/24, 10.0.3.0/24]}}}
"""
    )
    assert [(s.name, s.zone, str(s.cidr)) for s in draft.subnets] == [
        ("net-a", "eu-west-1a", "10.0.0.0/24"),
        ("net-a-2", "eu-west-1a", "10.0.1.0/24"),
        ("net-b", "eu-west-1b", "10.0.2.0/24"),
        ("net-b-2", "eu-west-1b", "10.0.3.0/24"),
    ]


@pytest.mark.parametrize("collection", ["!Ref Open", "!GetAtt Other.Names", "[!Ref Open]"])
def test_a_loop_over_an_unknown_collection_is_said(collection: str) -> None:
    draft = parsed(
        f"""
Parameters: {{Open: {{Type: CommaDelimitedList}}}}
Resources:
  V: {{Type: "AWS::EC2::VPC", Properties: {{CidrBlock: 10.0.0.0/16}}}}
  'Fn::ForEach::X': [N, {collection}, {{'S${{N}}': {{Type: "AWS::EC2::Subnet", Properties: {{VpcId: !Ref V}}}}}}]
"""
    )
    assert draft.subnets == ()
    assert "Fn::ForEach::X: its collection is not known: what it creates is not in the plan" in said(draft)


# --- node groups ----------------------------------------------------------------------------------


def managed(launch: str, group: str = "") -> tuple[GroupDraft, str]:
    draft = parsed(
        f"""
Parameters:
  Image: {{Type: "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", Default: {SSM}/amazon-linux-2/recommended/image_id}}
Resources:
  LT: {{Type: "AWS::EC2::LaunchTemplate", Properties: {{LaunchTemplateData: {launch}}}}}
  G: {{Type: "AWS::EKS::Nodegroup", Properties: {{LaunchTemplate: {{Id: !Ref LT}}, Subnets: [subnet-0a], {group}}}}}
"""
    )
    return draft.node_groups[0], said(draft)


SSM = "/aws/service/eks/optimized-ami/1.29"


def test_a_launch_template_without_a_type_leaves_eks_its_default() -> None:
    group, notes = managed("{MetadataOptions: {HttpTokens: required}}")
    assert group.instance_types == ("t3.medium",)
    assert "G: no instance type: EKS uses t3.medium" in notes
    assert managed("{InstanceType: m6i.large}")[0].instance_types == ("m6i.large",)
    assert managed("{InstanceType: m6i.large}", "InstanceTypes: [c5.large]")[0].instance_types == ("c5.large",)
    group, notes = managed("{InstanceRequirements: {VCpuCount: {Min: 2}}}")
    assert group.instance_types is None
    assert "EC2 chooses among the types" in notes


def test_the_type_in_a_launch_template_elsewhere_is_not_known() -> None:
    draft = parsed("Resources: {G: {Type: 'AWS::EKS::Nodegroup', Properties: {LaunchTemplate: {Id: lt-1}}}}")
    assert draft.node_groups[0].instance_types is None
    assert "G.LaunchTemplate: its instance type is not in this template" in said(draft)


@pytest.mark.parametrize(
    ("path", "family"),
    [
        (f"{SSM}/amazon-linux-2/recommended/image_id", "al2"),
        (f"{SSM}/amazon-linux-2-arm64/recommended/image_id", "al2"),
        (f"{SSM}/amazon-linux-2023/x86_64/standard/recommended/image_id", "al2023"),
        ("/aws/service/bottlerocket/aws-k8s-1.34/x86_64/latest/image_id", "bottlerocket"),
        ("/aws/service/ami-windows-latest/Windows_Server-2022-English-Core-EKS_Optimized-1.34/image_id", "windows"),
        ("/golden/images/latest", None),
    ],
)
def test_images_by_parameter(path: str, family: str | None) -> None:
    assert ami_of_parameter(path) == family
    assert managed(f"{{ImageId: '{{{{resolve:ssm:{path}:1}}}}'}}")[0].ami == family


def test_an_own_image_without_max_pods_has_those_of_the_ami() -> None:
    group, notes = managed("{ImageId: !Ref Image}")
    assert (group.ami, group.provisioner, group.max_pods) == ("al2", "self-managed", None)
    assert "custom AMI: EKS does not set max pods" in notes
    script = '!Base64 {"Fn::Sub": "/etc/eks/bootstrap.sh ${Name} --kubelet-extra-args --max-pods=40"}'
    group, _ = managed(f"{{ImageId: !Ref Image, UserData: {script}}}")  # ${Name} is not known
    assert (group.provisioner, group.max_pods) == ("managed", 40)


def test_spot_groups() -> None:
    assert managed("{InstanceType: m6i.large}", "CapacityType: SPOT")[0].capacity_type == "spot"
    assert managed("{InstanceType: m6i.large}", "CapacityType: ON_DEMAND")[0].capacity_type is None


def test_interfaces_of_a_launch_template_take_addresses() -> None:
    cards = ", ".join(f"{{NetworkCardIndex: {i}, InterfaceType: efa}}" for i in range(4))
    launch = f"{{InstanceType: p4d.24xlarge, NetworkInterfaces: [{cards}]}}"
    draft = parsed(
        f"""
Resources:
  LT: {{Type: "AWS::EC2::LaunchTemplate", Properties: {{LaunchTemplateData: {launch}}}}}
  G:
    Type: AWS::EKS::Nodegroup
    Properties: {{LaunchTemplate: {{Id: !Ref LT}}, Subnets: [subnet-0a], ScalingConfig: {{MinSize: 0, MaxSize: 5}}}}
"""
    )
    assert [(t.name, t.kind, t.addresses) for t in draft.tenants] == [("efa-G", "other", 15)]
    template = {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateData": {"InstanceType": "m5.large"}}}
    without = parse_cloudformation({"Resources": {"LT": template}})
    assert without.tenants == ()


# --- the add-on, other holders, and what is only named -----------------------------------------------


def test_an_add_on_names_pod_subnets_of_the_template() -> None:
    draft = parsed(
        """
Resources:
  A: {Type: "AWS::EC2::Subnet", Properties: {CidrBlock: 100.64.0.0/18, AvailabilityZone: eu-west-1a}}
  Cni:
    Type: AWS::EKS::Addon
    Properties:
      AddonName: vpc-cni
      AddonVersion: v1.20.1-eksbuild.1
      ConfigurationValues: !Sub >-
        {"env": {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "true"}, "enableWindowsIpam": "true",
         "eniConfig": {"create": true, "subnets": {"eu-west-1a": {"id": "${A}"}, "eu-west-1b": {"id": "subnet-0b"}}}}
  Other: {Type: "AWS::EKS::Addon", Properties: {AddonName: adot}}
"""
    )
    assert draft.pod_subnets == ("A", "subnet-0b")
    assert [(s.name, s.id) for s in draft.subnets] == [("A", None), ("subnet-0b", "subnet-0b")]
    assert draft.windows == {"enable-windows-ipam": "true"}
    assert draft.cni_version == "1.20.1"
    assert "1 add-on not in the plan (adot)" in said(draft)


NLB = "Type: network, SubnetMappings: [{SubnetId: !Ref A}]"
FIVE = "NetworkInterfaces: [{SubnetId: !Ref A, SecondaryPrivateIpAddressCount: 4}]"


@pytest.mark.parametrize(
    ("kind", "properties", "tenant"),
    [
        ("AWS::EC2::Instance", "SubnetId: !Ref A", ("ec2", None)),
        (
            "AWS::EC2::Instance",
            "NetworkInterfaces: [{SubnetId: !Ref A, SecondaryPrivateIpAddressCount: 4}]",
            ("ec2", 5),
        ),
        ("AWS::Lambda::Function", "VpcConfig: {SubnetIds: [!Ref A]}", ("lambda", None)),
        ("AWS::Lambda::Function", "Runtime: python3.13", None),
        ("AWS::EC2::TransitGatewayAttachment", "SubnetIds: [!Ref A]", ("transitGateway", None)),
        ("AWS::DirectoryService::MicrosoftAD", "VpcSettings: {SubnetIds: [!Ref A]}", ("directory", None)),
        (
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "Type: network, SubnetMappings: [{SubnetId: !Ref A}]",
            ("nlb", None),
        ),
        ("AWS::EC2::VPCEndpoint", "VpcEndpointType: Gateway", None),
    ],
)
def test_other_holders_of_addresses(kind: str, properties: str, tenant: tuple[str, int | None] | None) -> None:
    draft = parsed(
        f"""
Resources:
  A: {{Type: "AWS::EC2::Subnet", Properties: {{CidrBlock: 10.0.0.0/20, AvailabilityZone: eu-west-1a}}}}
  X: {{Type: "{kind}", Properties: {{{properties}}}}}
"""
    )
    assert [(t.kind, t.addresses) for t in draft.tenants] == ([tenant] if tenant else [])
    assert "X" not in said(draft)


def test_what_could_matter_is_named_with_its_kind() -> None:
    kinds = {
        "Db": "AWS::RDS::DBInstance",
        "Db2": "AWS::RDS::DBInstance",
        "Own": "Custom::MakeNodes",
        "Role": "AWS::IAM::Role",
    }
    resources: dict[str, Any] = {name: {"Type": kind} for name, kind in kinds.items()}
    resources["V"] = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}
    notes = said(
        parse_cloudformation({"Resources": resources, "Transform": ["AWS::LanguageExtensions", "MyMacro"]}, "t")
    )
    assert "2 AWS::RDS::DBInstance not in the plan (Db, Db2)" in notes
    assert "1 Custom::MakeNodes not in the plan (Own): what it creates is not known" in notes
    assert "1 Fn::Transform not in the plan (MyMacro)" in notes
    assert "IAM" not in notes


def test_the_cluster_is_named_by_its_nodes() -> None:
    tags = [{"Key": "kubernetes.io/cluster/shop", "Value": "owned"}]
    group = {"Type": "AWS::AutoScaling::AutoScalingGroup", "Properties": {"MaxSize": 1, "Tags": tags}}
    assert parse_cloudformation({"Resources": {"G": group}}).name == "shop"


def test_an_unknown_text_keeps_what_is_known_of_it() -> None:
    value = Resolver({}).value({"Fn::Join": ["", ["bootstrap.sh ", {"Ref": "AWS::StackName"}, " --max-pods=20"]]})
    assert isinstance(value, Unresolved)
    assert value.text == "bootstrap.sh  --max-pods=20"


def test_auto_mode_is_said() -> None:
    cluster = {"Type": "AWS::EKS::Cluster", "Properties": {"Name": "shop", "ComputeConfig": {"Enabled": True}}}
    assert "C: EKS Auto Mode runs separate nodes" in said(parse_cloudformation({"Resources": {"C": cluster}}))


def test_a_condition_that_is_not_known_is_said_once() -> None:
    resources = {name: {"Type": "AWS::EC2::Subnet", "Condition": "Wide", "Properties": {}} for name in ("A", "B")}
    resources["Role"] = {"Type": "AWS::IAM::Role", "Condition": "Other", "Properties": {}}
    conditions = {
        "Wide": {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "1"]},
        "Other": {"Fn::Equals": [{"Ref": "X"}, "1"]},
    }
    draft = parse_cloudformation({"Resources": resources, "Conditions": conditions})
    assert [s.name for s in draft.subnets] == ["A", "B"]
    assert said(draft).count("the condition Wide is not known") == 1
    assert "assumed true for A, B" in said(draft)
    assert "Other" not in said(draft)


def test_taints_and_images_of_unknown_family_are_said() -> None:
    taint = "Taints: [{Key: gpu, Value: 'true', Effect: NO_SCHEDULE}]"
    _, notes = managed("{ImageId: ami-1, InstanceType: g6.xlarge}", taint)
    assert "tainted (gpu=true:NO_SCHEDULE)" in notes
    assert "neither the image nor the boot script shows the AMI family" in notes


@pytest.mark.parametrize(
    ("version", "properties", "family"),
    [
        ("1.29", {}, "al2"),
        ("1.30", {}, None),
        ("1.33", {"Version": "1.29"}, "al2"),
        ("1.29", {"AmiType": "BOTTLEROCKET_x86_64"}, "bottlerocket"),
    ],
)
def test_the_family_that_eks_uses(version: str, properties: dict[str, str], family: str | None) -> None:
    cluster = {"Type": "AWS::EKS::Cluster", "Properties": {"Version": version}}
    group = {"Type": "AWS::EKS::Nodegroup", "Properties": {"InstanceTypes": ["m6i.large"], **properties}}
    draft = parse_cloudformation({"Resources": {"C": cluster, "G": group}})
    assert draft.node_groups[0].ami == family


def test_a_text_that_is_no_list_of_subnets_ends() -> None:
    group = {"Type": "AWS::EKS::Nodegroup", "Properties": {"Subnets": {"Fn::Sub": "x-${V}"}}}
    draft = parse_cloudformation({"Resources": {"V": {"Type": "AWS::EC2::VPC"}, "G": group}})
    assert draft.node_groups[0].subnets is None
    odd = {"Fn::Equals": [{"Ref": ["A"]}, "x"]}
    assert Resolver({"Conditions": {"C": odd}}).holds("C") == Unresolved("['A'] is not in the template")
