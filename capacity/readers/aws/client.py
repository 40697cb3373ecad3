"""AWS asked live: read-only calls, page by page, with back-off, and a clear word where a call was refused.

boto3 is the optional extra ``[aws]`` and is imported here alone. Every call this module can make is in
``docs/reference/iam-policy.json``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from capacity.errors import CapacityError, MissingExtra, SpecError, did_you_mean, either
from capacity.readers.aws.answers import KINDS, Answers, Gap, Sorter
from capacity.readers.aws.owners import cluster_of
from capacity.readers.values import Item, objects, section, tags, text, texts

MOST_ATTEMPTS = 6  # of one call, the first included; botocore's standard mode waits 1, 2, 4 … s at most between two
CONNECT_S, READ_S = 5, 20  # before an attempt counts as failed; a page of 1,000 objects takes EC2 some 2 s
MOST_UNANSWERED = 2  # calls without an answer before AWS counts as not there: the rest would wait as long each
PAGE = 1000  # the most that EC2's describe calls answer at once

DENIED = frozenset(
    ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException", "AuthorizationError")
)
NO_LOGIN = frozenset(
    (
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "AuthFailure",
        "SignatureDoesNotMatch",
        "RequestExpired",
        "InvalidToken",
        "MissingAuthenticationToken",
    )
)
THROTTLED = frozenset(("Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"))
UNREADABLE, SILENT = "unreadable answer", "no answer"
IAM_PREFIX = {"elbv2": "elasticloadbalancing", "elb": "elasticloadbalancing"}


RESERVATIONS = "SubnetIpv4CidrReservations"
_ANSWERS = {"describe_instances": "Reservations"}  # where the answer's key is not that of the kind


class Refused(Exception):
    """A call that AWS answered with an error, with nothing that can be read, or not at all.

    ``reason`` is one phrase for a gap, with the name of the call.
    """

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        self.reason = reason
        super().__init__(reason)


def open_session(profile: str | None = None, region: str | None = None) -> Any:
    """A boto3 session with the user's own credentials.

    Raises
    ------
    MissingExtra
        boto3 is not installed.
    SpecError
        No such profile, or no region is set.
    """
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise MissingExtra("asking AWS needs boto3: pip install 'eks-pod-capacity[aws]'") from None
    try:
        # boto3 reads AWS_DEFAULT_REGION alone; the AWS CLI puts AWS_REGION before it and before the profile
        region = region or os.environ.get("AWS_REGION") or None
        session = boto3.session.Session(profile_name=profile, region_name=region)
        has_region = session.region_name
    except BotoCoreError as error:
        raise SpecError(f"AWS: {_one_line(error)}") from error
    if not has_region:
        raise SpecError("AWS: no region is set (--region, AWS_REGION, or the profile's region)")
    return session


class Caller:
    """Makes read-only calls with one session; clients are made when first needed."""

    def __init__(self, session: Any) -> None:
        from botocore.config import Config

        self.session = session
        self.region: str = session.region_name
        self._config = Config(
            retries={"mode": "standard", "total_max_attempts": MOST_ATTEMPTS},
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
        )
        self._clients: dict[str, Any] = {}
        self._unanswered = 0

    def client(self, service: str, region: str | None = None) -> Any:
        key = f"{service}@{region}"
        if key not in self._clients:
            from botocore.exceptions import BotoCoreError

            try:
                self._clients[key] = self.session.client(service, region_name=region, config=self._config)
            except (BotoCoreError, ValueError) as error:
                raise SpecError(f"AWS: {_one_line(error)}") from error
        return self._clients[key]

    def one(self, service: str, operation: str, /, region: str | None = None, *, key: str, **arguments: Any) -> Item:
        """One call; ``key`` is what its answer always holds.

        Raises
        ------
        Refused
            AWS answered with an error, or with nothing that can be read: a reader may live with it.
        CapacityError
            No credentials, or AWS cannot be reached.
        """
        client = self.client(service, region)
        return next(self._asked(client, operation, key, lambda: iter([getattr(client, operation)(**arguments)])))

    def pages(
        self, service: str, operation: str, /, region: str | None = None, *, key: str, **arguments: Any
    ) -> Iterator[Item]:
        """All pages of a call, with the errors of :meth:`one`."""
        client = self.client(service, region)
        return self._asked(client, operation, key, lambda: client.get_paginator(operation).paginate(**arguments))

    def _asked(self, client: Any, operation: str, key: str, call: Callable[[], Iterable[Item]]) -> Iterator[Item]:
        from botocore import exceptions as bce

        name: str = client.meta.method_to_api_mapping[operation]
        try:
            for answer in call():
                answer.pop("ResponseMetadata", None)
                if key not in answer:  # a page in HTML, or half a document, parses as an answer with nothing in it
                    raise Refused(UNREADABLE, f"{name} was answered with something else than {key}")
                yield answer
        except bce.ClientError as error:
            raise self._refused(error) from error
        except (bce.HTTPClientError, bce.ConnectionError, bce.ResponseStreamingError) as error:
            raise self._silent(name, error) from error
        except (
            bce.NoCredentialsError,
            bce.PartialCredentialsError,
            bce.CredentialRetrievalError,
            bce.TokenRetrievalError,
            bce.SSOError,
        ) as error:
            raise CapacityError(
                f"no usable AWS credentials: {_one_line(error)} "
                "(aws configure, aws sso login, or --from FOLDER with saved answers)"
            ) from error
        except bce.BotoCoreError as error:
            raise CapacityError(f"AWS could not be asked: {_one_line(error)}") from error
        except _unparsable() as error:  # the error's own text may hold the whole answer
            raise Refused(UNREADABLE, f"{name} was answered with what is no answer of AWS") from error

    def _silent(self, name: str, error: Exception) -> Exception:
        """No answer, or half of one: a gap, but not for every call in turn."""
        self._unanswered += 1
        what = f"{name} was not answered ({type(error).__name__.removesuffix('Error')}: {_one_line(error)})"
        if self._unanswered >= MOST_UNANSWERED:
            return CapacityError(f"AWS could not be asked: {what}, after {self._unanswered - 1} calls before it")
        return Refused(SILENT, what)

    def _refused(self, error: Any) -> Exception:
        problem = error.response.get("Error") or {}
        code, operation = str(problem.get("Code") or "unknown error"), error.operation_name
        if code in NO_LOGIN:
            return CapacityError(f"AWS does not accept the credentials ({code}): log in again, or choose --profile")
        if code in DENIED:
            return Refused(code, f"{operation} was denied ({code})")
        if code in THROTTLED:
            return Refused(code, f"{operation} was throttled {MOST_ATTEMPTS} times ({code}): try again later")
        return Refused(code, f"{operation} failed ({code})")


def _unparsable() -> tuple[type[Exception], ...]:
    """What botocore raises for an answer that it cannot parse: its parsers let plain errors of Python through."""
    from botocore.parsers import ResponseParserError

    return (ResponseParserError, LookupError, ValueError, AttributeError, TypeError)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


def fetch_answers(caller: Caller, cluster: str = "", doctor: bool = False) -> Answers:
    """Everything about a cluster and its VPC; ``doctor`` adds security groups, roles and CoreDNS.

    Raises
    ------
    SpecError
        No such cluster.
    CapacityError
        The cluster or its subnets cannot be read: nothing can be said without them.
    """
    return _Fetch(caller, doctor).run(cluster)


class _Fetch:
    def __init__(self, caller: Caller, doctor: bool) -> None:
        self.caller = caller
        self.doctor = doctor
        self.sorter = Sorter()
        self.gaps: list[Gap] = []
        self.names: dict[str, str] = {}

    def run(self, cluster: str) -> Answers:
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
        """The VPC of the cluster's subnets, where its own answer does not say."""
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
            raise SpecError(f"--cluster: say which cluster of {self.caller.region} ({error.reason})") from error
        if len(known) == 1:
            return known[0]
        found = f"found {either(known[:10])}" if known else "none found"
        raise SpecError(f"--cluster: say which cluster of {self.caller.region} ({found})")

    def _gap(self, kind: str, error: Refused, **names: str) -> None:
        known = KINDS[kind]
        if known.use == "must":
            raise CapacityError(f"{known.lost} cannot be read: {error.reason}") from error
        command = known.command_for(**(self.names | names))
        self.gaps.append(Gap(kind, error.reason, known.lost, command, known.actions))

    def _take(self, kind: str, service: str, operation: str, **arguments: Any) -> None:
        """All pages of one kind; a refusal becomes a gap and drops what came before it."""
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
                    continue  # not an add-on of EKS here: installed by hand, or not at all
                self._gap("addons", error)
                self.sorter.absent("addons")
                return
            self.sorter.add(answer, "describe-addon")

    def _templates(self, cluster: str) -> None:
        """Launch template versions that the cluster's groups refer to."""
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
                    continue  # gone: the reader of the group says so
                self._gap("launch_templates", error, template=ident, version=version)
                return
            answer.pop("NextToken", None)
            self.sorter.add(answer, "describe-launch-template-versions")

    def _roles(self) -> None:
        """Attached and inline policies of the nodes' and the CNI's roles, in the shape of IAM's own export."""
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


def template_references(answers: Answers, cluster: str) -> list[tuple[str, str]]:
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
            continue  # made by EKS from the managed group's own template
        wanted = section(section(group, "MixedInstancesPolicy"), "LaunchTemplate")
        reference = section(wanted, "LaunchTemplateSpecification") or section(group, "LaunchTemplate")
        found[text(reference, "LaunchTemplateId"), str(reference.get("Version") or "$Default")] = None
    return sorted(key for key in found if key[0])
