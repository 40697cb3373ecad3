"""Snippets for new subnets: Terraform, AWS CLI, eksctl, CloudFormation, the plan file.

Every name and block comes from the plan; VPC and subnet IDs are variables. Functions named ``…_of`` accept any new
subnets, the others the answer of ``capacity size``.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network

from capacity.advice.snippets.identifiers import logical_ids, placeholder, shell_variables, terraform_names
from capacity.cluster.sizing import Sizing
from capacity.plan.discovery import tags_of
from capacity.plan.model import Subnet


def snippets(sizing: Sizing, document: Mapping[str, object] | None = None) -> dict[str, str]:
    """All snippets by name; empty texts if every subnet is kept.

    ``document``: a plan whose ``vpc`` is a placeholder; the snippet for the plan is then the whole file.
    """
    found = {kind: make(sizing) for kind, make in MAKERS.items()}
    return found if document is None else found | {"plan": yaml_text({**document, "vpc": _vpc(sizing)})}


def _new(sizing: Sizing) -> list[Subnet]:
    return [sizing.plan.subnet(s.name) for s in sizing.subnets if not s.kept]


def _tags(subnet: Subnet) -> dict[str, str]:
    """Tags of a new subnet: its name, and those that subnet discovery reads."""
    return {"Name": subnet.name} | tags_of(subnet)


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def hcl(text: str) -> str:
    """Quoted Terraform string; templates in it are escaped."""
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")


def terraform(sizing: Sizing) -> str:
    """``aws_subnet`` resources, with the VPC's added blocks and the CIDR reservations."""
    return terraform_of(_new(sizing), sizing.added_blocks)


def terraform_of(new: Sequence[Subnet], added_blocks: Sequence[IPv4Network] = ()) -> str:
    """Terraform resources for any new subnets, with VPC blocks and CIDR reservations."""
    lines: list[str] = []
    words = terraform_names(s.name for s in new)
    for i, block in enumerate(added_blocks, 1):
        lines += [
            f'resource "aws_vpc_ipv4_cidr_block_association" "secondary_{i}" {{',
            "  vpc_id     = var.vpc_id",
            f'  cidr_block = "{block}"',
            "}",
            "",
        ]
    for s in new:
        lines += [f'resource "aws_subnet" "{words[s.name]}" {{', "  vpc_id            = var.vpc_id"]
        lines += [f"  availability_zone = {hcl(s.zone)}", f'  cidr_block        = "{s.cidr}"']
        pairs = ", ".join(f"{k if k == 'Name' else hcl(k)} = {hcl(v)}" for k, v in _tags(s).items())
        lines += [f"  tags              = {{ {pairs} }}"]
        for i, block in enumerate(added_blocks, 1):
            if s.cidr.subnet_of(block):
                lines.append(f"  depends_on        = [aws_vpc_ipv4_cidr_block_association.secondary_{i}]")
        lines += ["}", ""]
        for i, reservation in enumerate(s.reservations, 1):
            lines += [
                f'resource "aws_ec2_subnet_cidr_reservation" "{words[s.name]}_prefixes_{i}" {{',
                f"  subnet_id        = aws_subnet.{words[s.name]}.id",
                f'  cidr_block       = "{reservation.cidr}"',
                '  reservation_type = "prefix"',
                "}",
                "",
            ]
    return "\n".join(lines).rstrip()


def aws_cli(sizing: Sizing) -> str:
    """``aws ec2`` commands; the user sets ``$VPC_ID``."""
    return "\n".join(aws_cli_of(_new(sizing), sizing.added_blocks))


def aws_cli_of(new: Sequence[Subnet], added_blocks: Sequence[IPv4Network] = (), *, variables: bool = True) -> list[str]:
    """``aws ec2`` commands for any new subnets; each ID goes to a variable, or is printed to fill its placeholder."""
    lines = [f'aws ec2 associate-vpc-cidr-block --vpc-id "$VPC_ID" --cidr-block {block}' for block in added_blocks]
    words = shell_variables(s.name for s in new)
    for s in new:
        tags = shlex.quote(json.dumps([{"ResourceType": "subnet", "Tags": _listed(_tags(s))}]))
        create = (
            f'aws ec2 create-subnet --vpc-id "$VPC_ID" --availability-zone {shlex.quote(s.zone)} '
            f"--cidr-block {s.cidr} --tag-specifications {tags} --query Subnet.SubnetId --output text"
        )
        lines.append(f"{words[s.name]}=$({create})" if variables else create)
        lines += [reservation_command(f'"${words[s.name]}"', r.cidr) for r in s.reservations if variables]
    return lines


def reservation_command(subnet_id: str, cidr: IPv4Network) -> str:
    return f"aws ec2 create-subnet-cidr-reservation --subnet-id {subnet_id} --reservation-type prefix --cidr {cidr}"


def reservation_snippets(reserved: Mapping[str, Sequence[IPv4Network]]) -> Iterator[str]:
    """Snippets for CIDR reservations of existing subnets: AWS CLI, Terraform as comments; CloudFormation has none."""
    words = terraform_names(reserved)
    for name, cidrs in reserved.items():
        yield from (reservation_command(shlex.quote(placeholder(name)), cidr) for cidr in cidrs)
        yield "# Terraform:"
        for i, cidr in enumerate(cidrs, 1):
            yield f'#   resource "aws_ec2_subnet_cidr_reservation" "{words[name]}_prefixes_{i}" {{'
            yield f"#     subnet_id        = {hcl(placeholder(name))}"
            yield f'#     cidr_block       = "{cidr}"'
            yield '#     reservation_type = "prefix"'
            yield "#   }"


def eksctl(sizing: Sizing) -> str:
    """``vpc.subnets`` of a ClusterConfig with existing subnets: eksctl itself creates only equal eighths."""
    import yaml

    if not _new(sizing):
        return ""
    private = {
        s.name: {"id": f"<id of {s.name}>", "az": s.zone, "cidr": str(s.cidr)}
        for s in sizing.subnets
        if s.serves != "pods"
    }
    vpc = {"id": "<id of the VPC>", "subnets": {"private": private}}
    return str(yaml.safe_dump({"vpc": vpc}, sort_keys=False, allow_unicode=True)).rstrip()


def cloudformation(sizing: Sizing) -> str:
    """CloudFormation resources of a template with a parameter ``VpcId``."""
    import yaml

    resources = cloudformation_of(_new(sizing), sizing.added_blocks)
    if not resources:
        return ""
    return str(
        yaml.dump({"Resources": resources}, Dumper=_plain_dumper(), sort_keys=False, allow_unicode=True)
    ).rstrip()


def cloudformation_of(new: Sequence[Subnet], added_blocks: Sequence[IPv4Network] = ()) -> dict[str, object]:
    """CloudFormation resources as a mapping."""
    resources: dict[str, object] = {}
    vpc = {"Ref": "VpcId"}
    for i, block in enumerate(added_blocks, 1):
        properties = {"VpcId": vpc, "CidrBlock": str(block)}
        resources[f"SecondaryBlock{i}"] = {"Type": "AWS::EC2::VPCCidrBlock", "Properties": properties}
    words = logical_ids(s.name for s in new)
    for s in new:
        entry: dict[str, object] = {"Type": "AWS::EC2::Subnet"}
        needs = [f"SecondaryBlock{i}" for i, b in enumerate(added_blocks, 1) if s.cidr.subnet_of(b)]
        if needs:
            entry["DependsOn"] = needs
        entry["Properties"] = {
            "VpcId": {"Ref": "VpcId"},
            "AvailabilityZone": s.zone,
            "CidrBlock": str(s.cidr),
            "Tags": _listed(_tags(s)),
        }
        resources[words[s.name]] = entry
    return resources


def _plain_dumper() -> type:
    """YAML dumper without anchors for repeated values, which CloudFormation does not accept."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
            return True

    return Dumper


def plan_yaml(sizing: Sizing) -> str:
    """``vpc`` section of the plan with the new subnets."""
    return yaml_text({"vpc": _vpc(sizing)})


def _vpc(sizing: Sizing) -> dict[str, object]:
    return {
        "cidrs": [str(c) for c in sizing.plan.vpc_cidrs],
        "subnets": [_subnet_entry(s) for s in sizing.plan.subnets],
    }


def yaml_text(document: Mapping[str, object]) -> str:
    import yaml

    return str(yaml.dump(document, Dumper=_plain_dumper(), sort_keys=False, allow_unicode=True, width=200)).rstrip()


def _subnet_entry(subnet: Subnet) -> dict[str, object]:
    entry: dict[str, object] = {"name": subnet.name, "zone": subnet.zone, "cidr": str(subnet.cidr)}
    if subnet.used:
        entry["used"] = subnet.used
    if subnet.reservations:
        entry["reservations"] = [{"cidr": str(r.cidr), "type": r.type} for r in subnet.reservations]
    if tags := tags_of(subnet):
        entry["tags"] = tags
    return entry


MAKERS: Mapping[str, Callable[[Sizing], str]] = {
    "terraform": terraform,
    "aws": aws_cli,
    "eksctl": eksctl,
    "cloudformation": cloudformation,
    "plan": plan_yaml,
}
KINDS: Sequence[str] = tuple(MAKERS)
