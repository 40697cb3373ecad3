"""A cluster called `shop` in a VPC of its own, made by API calls alone."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

ACCOUNT_ROLE = "arn:aws:iam::123456789012:role/"
CNI_ACTIONS = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:AttachNetworkInterface",
    "ec2:CreateNetworkInterface",
    "ec2:CreateTags",
    "ec2:DeleteNetworkInterface",
    "ec2:Describe*",
    "ec2:DetachNetworkInterface",
    "ec2:ModifyNetworkInterfaceAttribute",
    "ec2:UnassignPrivateIpAddresses",
]


@dataclass
class World:
    """Identifiers by name."""

    vpc: str = ""
    subnets: dict[str, str] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    enis: dict[str, str] = field(default_factory=dict)


def tags(**named: str) -> list[dict[str, str]]:
    return [{"Key": k, "Value": v} for k, v in named.items()]


def tagged(kind: str, values: list[dict[str, str]]) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": values}]


def build(client: Any) -> World:
    """Everything; ``client(service)`` makes a boto3 client."""
    world = World()
    ec2, eks, iam = client("ec2"), client("eks"), client("iam")
    world.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    ec2.associate_vpc_cidr_block(VpcId=world.vpc, CidrBlock="100.64.0.0/16")
    for name, zone, cidr in (
        ("private-a", "us-east-1a", "10.0.0.0/24"),
        ("private-b", "us-east-1b", "10.0.1.0/24"),
        ("data-a", "us-east-1a", "10.0.2.0/26"),
    ):
        answer = ec2.create_subnet(
            VpcId=world.vpc,
            CidrBlock=cidr,
            AvailabilityZone=zone,
            TagSpecifications=tagged("subnet", tags(Name=name)),
        )
        world.subnets[name] = answer["Subnet"]["SubnetId"]
    for name in ("nodes", "control", "lb"):
        world.groups[name] = ec2.create_security_group(GroupName=name, Description=name, VpcId=world.vpc)["GroupId"]
    _rules(ec2, world.groups)
    _roles(iam)
    homes = [world.subnets["private-a"], world.subnets["private-b"]]
    eks.create_cluster(
        name="shop",
        version="1.34",
        roleArn=ACCOUNT_ROLE + "cluster",
        resourcesVpcConfig={"subnetIds": homes, "securityGroupIds": [world.groups["control"]]},
        kubernetesNetworkConfig={"serviceIpv4Cidr": "172.20.0.0/16"},
    )
    eks.create_nodegroup(
        clusterName="shop",
        nodegroupName="general",
        subnets=homes,
        nodeRole=ACCOUNT_ROLE + "nodes",
        instanceTypes=["m5.large"],
        amiType="BOTTLEROCKET_x86_64",
        scalingConfig={"minSize": 1, "maxSize": 6, "desiredSize": 2},
        updateConfig={"maxUnavailablePercentage": 33},
        labels={"team": "shop"},
        taints=[{"key": "dedicated", "value": "web", "effect": "NO_SCHEDULE"}],
    )
    _custom_group(ec2, eks, homes)
    _instances(ec2, world)
    _interfaces(ec2, world)
    return world


def _rules(ec2: Any, groups: dict[str, str]) -> None:
    def admit(into: str, source: str, protocol: str, low: int, high: int) -> None:
        ec2.authorize_security_group_ingress(
            GroupId=groups[into],
            IpPermissions=[
                {
                    "IpProtocol": protocol,
                    "FromPort": low,
                    "ToPort": high,
                    "UserIdGroupPairs": [{"GroupId": groups[source]}],
                }
            ],
        )

    admit("nodes", "control", "tcp", 443, 443)
    admit("nodes", "control", "tcp", 10250, 10250)
    admit("control", "nodes", "tcp", 443, 443)
    admit("nodes", "nodes", "tcp", 0, 65535)  # and no UDP: DNS is closed


def _roles(iam: Any) -> None:
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    for name in ("cluster", "nodes"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": CNI_ACTIONS, "Resource": "*"}]}
    arn = iam.create_policy(PolicyName="cni", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="nodes", PolicyArn=arn)
    pull = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": ["ecr:Get*"], "Resource": "*"},
    }  # no BatchGetImage
    iam.put_role_policy(RoleName="nodes", PolicyName="pull", PolicyDocument=json.dumps(pull))


def _custom_group(ec2: Any, eks: Any, homes: list[str]) -> None:
    """A group whose type, AMI and max pods stand in a launch template."""
    user_data = "#!/bin/bash\n/etc/eks/bootstrap.sh shop --kubelet-extra-args '--max-pods=40' --token s3cret\n"
    template = ec2.create_launch_template(
        LaunchTemplateName="custom",
        LaunchTemplateData={
            "InstanceType": "m5.xlarge",
            "ImageId": "ami-12345678",
            "UserData": base64.b64encode(user_data.encode()).decode(),
        },
    )["LaunchTemplate"]["LaunchTemplateId"]
    eks.create_nodegroup(
        clusterName="shop",
        nodegroupName="custom",
        subnets=homes[:1],
        nodeRole=ACCOUNT_ROLE + "nodes",
        amiType="CUSTOM",
        launchTemplate={"id": template, "version": "1"},
        scalingConfig={"minSize": 0, "maxSize": 3, "desiredSize": 0},
    )


def _instances(ec2: Any, world: World) -> None:
    mine = [
        {"Key": "eks:cluster-name", "Value": "shop"},
        {"Key": "eks:nodegroup-name", "Value": "general"},
        {"Key": "kubernetes.io/cluster/shop", "Value": "owned"},
    ]
    others = [{"Key": "kubernetes.io/cluster/other", "Value": "owned"}]
    for name, subnet, values in (
        ("node-a", "private-a", mine),
        ("node-b", "private-b", mine),
        ("other-node", "private-a", others),
        ("bastion", "data-a", tags(Name="bastion")),
    ):
        answer = ec2.run_instances(
            ImageId="ami-12345678",
            InstanceType="m5.large",
            MinCount=1,
            MaxCount=1,
            SubnetId=world.subnets[subnet],
            SecurityGroupIds=[world.groups["nodes"]],
            TagSpecifications=tagged("instance", values),
        )
        world.instances[name] = answer["Instances"][0]["InstanceId"]


def _interfaces(ec2: Any, world: World) -> None:
    """What the CNI, EKS, a load balancer and nobody left in the subnets."""

    def made(name: str, subnet: str, description: str, group: str = "nodes", more: int = 0, **values: str) -> str:
        extra = {"SecondaryPrivateIpAddressCount": more} if more else {}
        answer = ec2.create_network_interface(
            SubnetId=world.subnets[subnet],
            Description=description,
            Groups=[world.groups[group]],
            TagSpecifications=tagged("network-interface", [{"Key": k, "Value": v} for k, v in values.items()]),
            **extra,
        )
        world.enis[name] = answer["NetworkInterface"]["NetworkInterfaceId"]
        return world.enis[name]

    for name, subnet in (("node-a", "private-a"), ("node-b", "private-b"), ("other-node", "private-a")):
        instance = world.instances[name]
        cluster = "other" if name == "other-node" else "shop"
        values = {"node.k8s.amazonaws.com/instance_id": instance, "cluster.k8s.amazonaws.com/name": cluster}
        eni = made(f"cni-{name}", subnet, f"aws-K8S-{instance}", more=9, **values)
        ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=instance, DeviceIndex=1)
    made("x-a", "private-a", "Amazon EKS shop", "control")
    made("x-b", "private-b", "Amazon EKS shop", "control")
    made("alb-a", "private-a", "ELB app/web/50dc6c495c0c9188", "lb")
    made("alb-b", "private-b", "ELB app/web/50dc6c495c0c9188", "lb")
    gone = {"node.k8s.amazonaws.com/instance_id": "i-0123456789abcdef0", "cluster.k8s.amazonaws.com/name": "shop"}
    made("leaked", "private-a", "aws-K8S-i-0123456789abcdef0", more=4, **gone)
    made("rds", "data-a", "RDSNetworkInterface")
