"""Kinds of AWS responses: how to recognize each, the call that returns it, and what is unknown without it."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

MOST_NAME = 200  # characters; a tag's value can have 256


@dataclass(frozen=True, slots=True)
class Kind:
    """Kind of answer.

    Attributes
    ----------
    name : str
        Ours.
    key : str
        Top-level key of the answer with the objects.
    ident : str
        Key that identifies one object: the same object in two answers counts once.
    marks : frozenset of str
        Keys that identify a bare object (a result of ``--query``) as this kind.
    actions : tuple of str
        IAM actions of the calls that return it.
    command : str
        The AWS CLI command that returns the answer; ``{cluster}``, ``{vpc}`` … are filled in.
    lost : str
        What is unknown without it.
    use : str
        ``must`` (always required), ``plan``, or ``doctor``.
    """

    name: str
    key: str
    ident: str
    marks: frozenset[str]
    actions: tuple[str, ...]
    command: str
    lost: str
    use: str = "plan"

    def command_for(self, **names: str) -> str:
        """The command with names filled in, safe to paste into a shell; a name not given stays a placeholder."""
        return self.command.format_map(_Names({key: quote(name) for key, name in names.items()}))


class _Names(dict[str, str]):
    """Names for a command line; an unknown one is its capitalized key."""

    def __missing__(self, key: str) -> str:
        return key.upper()


def _kind(
    name: str, key: str, ident: str, marks: str, actions: str, command: str, lost: str, use: str = "plan"
) -> Kind:
    return Kind(name, key, ident, frozenset(marks.split()), tuple(actions.split()), command, lost, use)


_OF_VPC = " --filters Name=vpc-id,Values={vpc}"

KINDS = {
    kind.name: kind
    for kind in (
        _kind(
            "cluster",
            "cluster",
            "name",
            "name resourcesVpcConfig",
            "eks:DescribeCluster",
            "aws eks describe-cluster --name {cluster}",
            "the cluster itself",
            "must",
        ),
        _kind(
            "nodegroups",
            "nodegroup",
            "nodegroupName",
            "nodegroupName clusterName",
            "eks:ListNodegroups eks:DescribeNodegroup",
            "aws eks describe-nodegroup --cluster-name {cluster} --nodegroup-name {nodegroup}",
            "the managed node groups: sizes, types, subnets, update settings",
        ),
        _kind(
            "addons",
            "addon",
            "addonName",
            "addonName addonVersion",
            "eks:DescribeAddon",
            "aws eks describe-addon --cluster-name {cluster} --addon-name vpc-cni",
            "the settings of the VPC CNI",
        ),
        _kind(
            "vpcs",
            "Vpcs",
            "VpcId",
            "VpcId CidrBlock CidrBlockAssociationSet",
            "ec2:DescribeVpcs",
            "aws ec2 describe-vpcs --vpc-ids {vpc}",
            "the VPC's CIDR blocks",
        ),
        _kind(
            "subnets",
            "Subnets",
            "SubnetId",
            "SubnetId CidrBlock AvailabilityZone",
            "ec2:DescribeSubnets",
            "aws ec2 describe-subnets" + _OF_VPC,
            "the subnets",
            "must",
        ),
        _kind(
            "reservations",
            "SubnetIpv4CidrReservations",
            "SubnetCidrReservationId",
            "SubnetCidrReservationId ReservationType",
            "ec2:GetSubnetCidrReservations",
            "aws ec2 get-subnet-cidr-reservations --subnet-id {subnet}",
            "CIDR reservations of the subnets",
        ),
        _kind(
            "interfaces",
            "NetworkInterfaces",
            "NetworkInterfaceId",
            "NetworkInterfaceId SubnetId",
            "ec2:DescribeNetworkInterfaces",
            "aws ec2 describe-network-interfaces" + _OF_VPC,
            "who holds the addresses of each subnet",
        ),
        _kind(
            "instances",
            "Instances",
            "InstanceId",
            "InstanceId InstanceType",
            "ec2:DescribeInstances",
            "aws ec2 describe-instances" + _OF_VPC,
            "which instances are nodes of which cluster",
        ),
        _kind(
            "launch_templates",
            "LaunchTemplateVersions",
            "",
            "LaunchTemplateId LaunchTemplateData",
            "ec2:DescribeLaunchTemplateVersions",
            "aws ec2 describe-launch-template-versions --launch-template-id {template} --versions {version}",
            "instance types, AMI and user data of launch templates",
        ),
        _kind(
            "autoscaling_groups",
            "AutoScalingGroups",
            "AutoScalingGroupName",
            "AutoScalingGroupName MinSize",
            "autoscaling:DescribeAutoScalingGroups",
            "aws autoscaling describe-auto-scaling-groups",
            "self-managed node groups",
        ),
        _kind(
            "load_balancers",
            "LoadBalancers",
            "LoadBalancerArn",
            "LoadBalancerArn Type",
            "elasticloadbalancing:DescribeLoadBalancers",
            "aws elbv2 describe-load-balancers",
            "subnets in which load balancers can grow",
        ),
        _kind(
            "classic_load_balancers",
            "LoadBalancerDescriptions",
            "LoadBalancerName",
            "LoadBalancerName BackendServerDescriptions",
            "elasticloadbalancing:DescribeLoadBalancers",
            "aws elb describe-load-balancers",
            "subnets in which Classic Load Balancers can grow",
        ),
        _kind(
            "security_groups",
            "SecurityGroups",
            "GroupId",
            "GroupId IpPermissions",
            "ec2:DescribeSecurityGroups",
            "aws ec2 describe-security-groups" + _OF_VPC,
            "whether security groups let the traffic through",
            "doctor",
        ),
        _kind(
            "roles",
            "RoleDetailList",
            "RoleName",
            "RoleName AttachedManagedPolicies",
            "iam:ListAttachedRolePolicies iam:ListRolePolicies iam:GetRolePolicy",
            "aws iam get-account-authorization-details --filter Role LocalManagedPolicy AWSManagedPolicy",
            "the permissions of the roles of the nodes and of the CNI",
            "doctor",
        ),
        _kind(
            "policies",
            "Policies",
            "Arn",
            "PolicyName PolicyVersionList",
            "iam:GetPolicy iam:GetPolicyVersion",
            "aws iam get-account-authorization-details --filter Role LocalManagedPolicy AWSManagedPolicy",
            "the text of the policies",
            "doctor",
        ),
        _kind(
            "instance_types",
            "InstanceTypes",
            "InstanceType",
            "InstanceType NetworkInfo",
            "ec2:DescribeInstanceTypes",
            "aws ec2 describe-instance-types",
            "limits of instance types",
            "data",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be read: what, why, what is unknown without it, and how to get it."""

    kind: str
    reason: str
    lost: str
    command: str
    actions: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """Gap in one line."""
        return f"not known: {self.lost} ({self.reason}; {self.command})"
