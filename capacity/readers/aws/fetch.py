"""Read a cluster and its VPC from AWS: the calls, their order, and a gap for each refusal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import Any

from capacity.errors import CapacityError, SpecError, did_you_mean, either
from capacity.readers.aws.answers import AwsAnswers, Sorter
from capacity.readers.aws.client import PAGE, Caller, Refused
from capacity.readers.aws.kinds import KINDS, Gap
from capacity.readers.aws.owners import cluster_of
from capacity.readers.values import Item, objects, section, tags, text, texts


def fetch_answers(caller: Caller, cluster: str = "", *, doctor: bool = False) -> AwsAnswers:
    """Read a cluster and its VPC from AWS; ``doctor`` adds security groups, roles and CoreDNS.

    Raises
    ------
    SpecError
        No such cluster.
    CapacityError
        The cluster or its subnets cannot be read; they are required.
    """
    return _Fetch(caller, doctor=doctor).run(cluster)


class _Fetch:
    def __init__(self, caller: Caller, *, doctor: bool) -> None:
        self.caller = caller
        self.doctor = doctor
        self.sorter = Sorter()
        self.gaps: list[Gap] = []
        self.names: dict[str, str] = {}

    def run(self, cluster: str) -> AwsAnswers:
        item = self._cluster(cluster)
        name = text(item, "name")
        vpc = text(section(item, "resourcesVpcConfig"), "vpcId") or self._vpc_of_subnets(item)
        self.names = {"cluster": name, "vpc": vpc}
        of_vpc = {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}
        self._take("vpcs", "ec2", "describe_vpcs", VpcIds=[vpc])
        self._take("subnets", "ec2", "describe_subnets", **of_vpc)
        subnets = [text(s, "SubnetId") for s in self.sorter.done().of("subnets")]
        self._reservations(subnets)
        self._take("interfaces", "ec2", "describe_network_interfaces", **of_vpc, PaginationConfig={"PageSize": PAGE})
        self._take("instances", "ec2", "describe_instances", **of_vpc, PaginationConfig={"PageSize": PAGE})
        self._nodegroups(name)
        self._addons(name)
        self._take("autoscaling_groups", "autoscaling", "describe_auto_scaling_groups")
        self._templates(name)
        self._take("load_balancers", "elbv2", "describe_load_balancers")
        self._take("classic_load_balancers", "elb", "describe_load_balancers")
        if self.doctor:
            self._take("security_groups", "ec2", "describe_security_groups", **of_vpc)
            self._roles()
        return self.sorter.done().with_gaps(self.gaps)

    def _cluster(self, name: str) -> Item:
        if not name:
            name = self._only_cluster()
        try:
            answer = self.caller.one("eks", "describe_cluster", key="cluster", name=name)
        except Refused as error:
            if error.code != "ResourceNotFoundException":
                raise CapacityError(f"the cluster {name!r} cannot be read: {error.reason}") from error
            hint = ""
            with contextlib.suppress(Refused):
                hint = did_you_mean(name, self._clusters())
            raise SpecError(f"--cluster: no cluster {name!r} in {self.caller.region}{hint}") from error
        self.sorter.add(answer, "describe-cluster")
        return section(answer, "cluster")

    def _vpc_of_subnets(self, item: Item) -> str:
        """VPC of the cluster's subnets, if the answer for the cluster has none."""
        own = texts(section(item, "resourcesVpcConfig"), "subnetIds")
        try:
            answer = self.caller.one("ec2", "describe_subnets", key="Subnets", SubnetIds=own)
        except Refused as error:
            raise CapacityError(f"{KINDS['subnets'].lost} cannot be read: {error.reason}") from error
        return next((text(s, "VpcId") for s in objects(answer, "Subnets")), "")

    def _clusters(self) -> list[str]:
        pages = self.caller.pages("eks", "list_clusters", key="clusters")
        return [name for page in pages for name in texts(page, "clusters")]

    def _only_cluster(self) -> str:
        try:
            known = self._clusters()
        except Refused as error:
            raise SpecError(f"--cluster: choose a cluster of {self.caller.region} ({error.reason})") from error
        if len(known) == 1:
            return known[0]
        found = f"found {either(known[:10])}" if known else "none found"
        raise SpecError(f"--cluster: choose a cluster of {self.caller.region} ({found})")

    def _gap(self, kind: str, error: Refused, **names: str) -> None:
        known = KINDS[kind]
        if known.use == "must":
            raise CapacityError(f"{known.lost} cannot be read: {error.reason}") from error
        command = known.command_for(**(self.names | names))
        self.gaps.append(Gap(kind, error.reason, known.lost, command, known.actions))

    def _take(self, kind: str, service: str, operation: str, **arguments: Any) -> None:
        """Read all pages of one kind; a refusal becomes a gap and discards earlier pages."""
        try:
            key = _ANSWERS.get(operation, KINDS[kind].key)
            pages = list(self.caller.pages(service, operation, key=key, **arguments))
        except Refused as error:
            self._gap(kind, error)
            return
        for page in pages:
            page.pop("NextToken", None), page.pop("NextMarker", None), page.pop("nextToken", None)
            page.pop("Marker", None)
            self.sorter.add(page, operation.replace("_", "-"))

    def _reservations(self, subnets: Sequence[str]) -> None:
        for subnet in subnets:
            try:
                answer = self.caller.one("ec2", "get_subnet_cidr_reservations", key=RESERVATIONS, SubnetId=subnet)
            except Refused as error:
                self._gap("reservations", error, subnet=subnet)
                return
            self.sorter.add(
                {RESERVATIONS: objects(answer, RESERVATIONS)},
                f"reservations of {subnet}",
            )

    def _nodegroups(self, cluster: str) -> None:
        try:
            listed = [
                n
                for page in self.caller.pages("eks", "list_nodegroups", key="nodegroups", clusterName=cluster)
                for n in texts(page, "nodegroups")
            ]
        except Refused as error:
            self._gap("nodegroups", error)
            return
        self.sorter.add({"nodegroups": listed}, "list-nodegroups")
        for name in listed:
            try:
                answer = self.caller.one(
                    "eks", "describe_nodegroup", key="nodegroup", clusterName=cluster, nodegroupName=name
                )
            except Refused as error:
                self._gap("nodegroups", error, nodegroup=name)
                return
            self.sorter.add(answer, "describe-nodegroup")

    def _addons(self, cluster: str) -> None:
        self.sorter.present("addons")
        for name in ("vpc-cni", "coredns") if self.doctor else ("vpc-cni",):
            try:
                answer = self.caller.one("eks", "describe_addon", key="addon", clusterName=cluster, addonName=name)
            except Refused as error:
                if error.code == "ResourceNotFoundException":
                    continue  # not an EKS add-on: installed by hand, or not installed
                self._gap("addons", error)
                self.sorter.absent("addons")
                return
            self.sorter.add(answer, "describe-addon")

    def _templates(self, cluster: str) -> None:
        """Read the launch template versions that the cluster's groups refer to."""
        for ident, version in template_references(self.sorter.done(), cluster):
            try:
                answer = self.caller.one(
                    "ec2",
                    "describe_launch_template_versions",
                    key="LaunchTemplateVersions",
                    LaunchTemplateId=ident,
                    Versions=[version],
                )
            except Refused as error:
                if error.code.startswith("InvalidLaunchTemplate"):
                    continue  # deleted: the reader of the group reports it
                self._gap("launch_templates", error, template=ident, version=version)
                return
            answer.pop("NextToken", None)
            self.sorter.add(answer, "describe-launch-template-versions")

    def _roles(self) -> None:
        """Read attached and inline policies of the nodes' and the CNI's roles, in the format of IAM's export."""
        found = self.sorter.done()
        arns = [text(g, "nodeRole") for g in found.of("nodegroups")]
        arns += [text(a, "serviceAccountRoleArn") for a in found.of("addons")]
        documents: dict[str, None] = {}
        for role in dict.fromkeys(a.rsplit("/", 1)[-1] for a in arns if a):
            try:
                attached = [
                    p
                    for page in self.caller.pages(
                        "iam", "list_attached_role_policies", key="AttachedPolicies", RoleName=role
                    )
                    for p in objects(page, "AttachedPolicies")
                ]
                inline = [
                    self.caller.one("iam", "get_role_policy", key="PolicyDocument", RoleName=role, PolicyName=policy)
                    for page in self.caller.pages("iam", "list_role_policies", key="PolicyNames", RoleName=role)
                    for policy in texts(page, "PolicyNames")
                ]
            except Refused as error:
                self._gap("roles", error)
                return
            self.sorter.add(
                {"RoleDetailList": [{"RoleName": role, "AttachedManagedPolicies": attached, "RolePolicyList": inline}]},
                "iam",
            )
            documents.update(dict.fromkeys(text(p, "PolicyArn") for p in attached))
        self._policies(documents)

    def _policies(self, arns: Iterable[str]) -> None:
        for arn in arns:
            try:
                policy = section(self.caller.one("iam", "get_policy", key="Policy", PolicyArn=arn), "Policy")
                version = section(
                    self.caller.one(
                        "iam",
                        "get_policy_version",
                        key="PolicyVersion",
                        PolicyArn=arn,
                        VersionId=text(policy, "DefaultVersionId"),
                    ),
                    "PolicyVersion",
                )
            except Refused as error:
                self._gap("policies", error)
                return
            entry = {"Arn": arn, "PolicyName": text(policy, "PolicyName"), "PolicyVersionList": [version]}
            self.sorter.add({"Policies": [entry]}, "iam")


def template_references(answers: AwsAnswers, cluster: str) -> list[tuple[str, str]]:
    """Launch templates and versions that the groups of a cluster use, each once."""
    found: dict[tuple[str, str], None] = {}
    for group in answers.of("nodegroups"):
        reference = section(group, "launchTemplate")
        found[text(reference, "id"), str(reference.get("version") or "$Default")] = None
    for group in answers.of("autoscaling_groups"):
        tagged = tags(group)
        if cluster_of(tagged) != cluster and f"k8s.io/cluster-autoscaler/{cluster}" not in tagged:
            continue
        if tagged.get("eks:nodegroup-name"):
            continue  # created by EKS from the template of the managed group
        wanted = section(section(group, "MixedInstancesPolicy"), "LaunchTemplate")
        reference = section(wanted, "LaunchTemplateSpecification") or section(group, "LaunchTemplate")
        found[text(reference, "LaunchTemplateId"), str(reference.get("Version") or "$Default")] = None
    return sorted(key for key in found if key[0])


RESERVATIONS = "SubnetIpv4CidrReservations"
_ANSWERS = {"describe_instances": "Reservations"}  # kinds whose answer has a different key
