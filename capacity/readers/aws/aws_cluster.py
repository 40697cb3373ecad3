"""Read one cluster from AWS responses: its network, its CNI, its node groups, and what could not be read."""

from __future__ import annotations

from dataclasses import dataclass

from capacity.catalog.table import Catalog, load_catalog
from capacity.errors import SpecError, either, nearest_names
from capacity.readers.aws.addresses import SubnetAccount, parse_subnets, vpc_of
from capacity.readers.aws.answers import AwsAnswers
from capacity.readers.aws.cni import CniFound, parse_cni
from capacity.readers.aws.groups import Groups, parse_groups
from capacity.readers.aws.kinds import KINDS, Gap
from capacity.readers.aws.owners import Interface, cluster_of, parse_interfaces
from capacity.readers.values import Item, region_of_zone, tags, text


@dataclass(frozen=True)
class AwsCluster:
    """One cluster in its VPC from AWS responses, for the plan and for the doctor."""

    answers: AwsAnswers
    item: Item
    name: str
    interfaces: tuple[Interface, ...]
    accounts: tuple[SubnetAccount, ...]
    cni: CniFound
    groups: Groups

    @property
    def region(self) -> str | None:
        """Region from the cluster's ARN, else from the zone names."""
        parts = text(self.item, "arn").split(":")
        if len(parts) > 3 and parts[3]:
            return parts[3]
        regions = {region for a in self.accounts if (region := region_of_zone(a.zone))}
        return regions.pop() if len(regions) == 1 else None

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return (*self.answers.gaps, *self.groups.gaps)


def parse_cluster(answers: AwsAnswers, cluster: str = "", catalog: Catalog | None = None) -> AwsCluster:
    """Read the named cluster from the answers, or the only one.

    Raises
    ------
    SpecError
        No such cluster, several and no name, or an answer that cannot be right.
    """
    item = _cluster(answers, cluster)
    name = text(item, "name")
    interfaces = parse_interfaces(answers)
    accounts = parse_subnets(answers, interfaces, item)
    return AwsCluster(
        answers=answers,
        item=item,
        name=name,
        interfaces=interfaces,
        accounts=accounts,
        cni=parse_cni(answers, name, interfaces),
        groups=parse_groups(answers, name, {a.ident: a.name for a in accounts}, catalog or load_catalog()),
    )


def _cluster(answers: AwsAnswers, name: str) -> Item:
    """Answer for the cluster; else its name from the node groups; subnets alone are read as a network."""
    known = {text(c, "name"): c for c in answers.of("cluster")}
    if name in known:
        return known[name]
    if known and name:
        near = nearest_names(name, known, 1)
        raise SpecError(f"--cluster: no cluster {name!r} in the input (found {either(near or sorted(known))})")
    if len(known) > 1:
        raise SpecError(f"--cluster: several clusters in the input: choose one ({either(sorted(known))})")
    if known:
        return next(iter(known.values()))
    names = {text(g, "clusterName") for g in answers.of("nodegroups")} - {""}
    names = names or {cluster_of(tags(i)) for i in answers.of("instances")} - {""}
    if not name and len(names) > 1:
        raise SpecError(f"--cluster: several clusters in the input: choose one ({either(sorted(names))})")
    if not name and names:
        name = names.pop()
    if not name and not answers.of("subnets"):
        raise SpecError(f"no cluster in the input: {KINDS['cluster'].command_for()}")
    vpcs = {text(s, "VpcId") for s in answers.of("subnets")} - {""}
    if len(vpcs) > 1:
        command = KINDS["cluster"].command_for(cluster=name or "CLUSTER")
        raise SpecError(f"subnets of {len(vpcs)} VPCs, and the VPC of the cluster is not known: {command}")
    return {"name": name}


def with_unread(answers: AwsAnswers, cluster: str = "", *, doctor: bool = False) -> AwsAnswers:
    """Saved output with a gap for every missing kind, and the command that collects it.

    The reader of node groups reports missing launch templates.
    """
    item = next(iter(answers.of("cluster")), {})
    groups = {text(g, "clusterName") for g in answers.of("nodegroups")} - {""}
    name = cluster or text(item, "name") or (groups.pop() if len(groups) == 1 else "CLUSTER")
    names = {"cluster": name, "vpc": vpc_of(answers, item) or "VPC"}
    uses = ("must", "plan", "doctor") if doctor else ("must", "plan")
    return answers.with_gaps(
        Gap(kind.name, "not in the input", kind.lost, kind.command_for(**names), kind.actions)
        for kind in KINDS.values()
        if kind.use in uses and not answers.has(kind.name) and kind.name not in ("launch_templates", "policies")
    )
