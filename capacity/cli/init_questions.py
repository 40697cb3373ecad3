"""The questions of `capacity init` on a terminal, and the plan that their answers make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TypeVar

import typer

from capacity.errors import CapacityError, SpecError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answers:
    """What is asked for; every other figure of the plan is a commented default."""

    name: str
    region: str
    cidr: IPv4Network
    zones: int
    subnet_prefix: int
    instance_type: str
    nodes: int
    nodes_max: int
    pods: int
    pods_max: int
    cpu: str
    memory: str
    prefixes: bool


def ask() -> Answers:
    """One question after the other; a wrong answer is explained and asked again."""
    name = _ask("Name of the cluster", "my-cluster", _name)
    region = _ask("Region", "us-east-1", _name)
    cidr = _ask("CIDR of the VPC", "10.0.0.0/16", _network)
    zones = _ask("Zones", "3", _count(1, 6))
    room = cidr.prefixlen + (zones - 1).bit_length()
    subnet_prefix = _ask("Subnets: one per zone, size /", str(max(room, min(22, 28))), _count(room, 28))
    instance_type = _ask("Instance type", "m6i.large", _type)
    nodes = _ask("Nodes now", "3", _count(0, 100_000))
    nodes_max = _ask("Nodes at most", str(max(2 * nodes, 1)), _count(max(nodes, 1), 100_000))
    pods = _ask("Pods now, without daemonsets", "20", _count(0, 1_000_000))
    pods_max = _ask("Pods at most", str(2 * pods), _count(pods, 1_000_000))
    cpu = _ask("CPU request of a pod", "250m", _cpu)
    memory = _ask("Memory request of a pod", "512Mi", _memory)
    prefixes = typer.confirm("Prefix delegation", default=False, err=True)
    return Answers(
        name, region, cidr, zones, subnet_prefix, instance_type, nodes, nodes_max, pods, pods_max, cpu, memory, prefixes
    )


def _ask(question: str, default: str, read: Callable[[str], T]) -> T:
    while True:
        text = typer.prompt(question, default=default, err=True)
        try:
            return read(str(text).strip())
        except CapacityError as error:
            typer.echo(f"  {error}", err=True)


def _name(text: str) -> str:
    if not text or not text.replace("-", "").replace("_", "").replace(".", "").isalnum() or not text.isascii():
        raise SpecError(f"{text!r}: expected letters, digits and - _ .")
    return text


def _network(text: str) -> IPv4Network:
    from capacity.plan.fields import Field

    return Field(text, "", None, None, "VPC block").cidr(16, 28)


def _count(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise SpecError(f"{text!r}: expected a number from {low:,} to {high:,}")
        return int(text)

    return read


def _type(text: str) -> str:
    from capacity.catalog.table import load_catalog

    return load_catalog().get(text).name


def _cpu(text: str) -> str:
    from capacity.units import parse_cpu

    parse_cpu(text)
    return text


def _memory(text: str) -> str:
    from capacity.units import parse_memory

    parse_memory(text)
    return text


def plan_text(answers: Answers) -> str:
    """The plan in YAML with comments; values are quoted as in every plan that is written."""
    from capacity.plan.yaml_writer import flow, scalar

    blocks = answers.cidr.subnets(new_prefix=answers.subnet_prefix)
    names = [f"private-{letter}" for letter in "abcdef"[: answers.zones]]
    subnets = "\n".join(
        "    - " + flow({"name": name, "zone": f"{answers.region}{name[-1]}", "cidr": str(next(blocks)), "used": 0})
        for name in names
    )
    prefixes = {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}
    env = prefixes if answers.prefixes else {"WARM_ENI_TARGET": "1"}
    return f"""\
# Made by `capacity init`. Change what is not yours, then ask:  capacity check @FILE@
apiVersion: capacity/v1
metadata: {flow({"name": answers.name})}
region: {scalar(answers.region)}
cni:
  env: {flow(env)}   # variables of the aws-node daemonset; those not named have the chart's values
vpc:
  cidrs: {flow([str(answers.cidr)])}
  subnets:                             # used: addresses taken by what is not in this plan
{subnets}
controlPlane: {flow({"subnets": names})}
nodeGroups:
  - name: general
    instanceTypes: {flow([answers.instance_type])}
    ami: al2023                        # al2023 | bottlerocket | al2 | windows
    provisioner: managed               # managed | self-managed | karpenter
    nodes: {flow({"min": 0, "desired": answers.nodes, "max": answers.nodes_max})}
    subnets: {flow(names)}
workloads:
  - name: pods
    replicas: {flow({"now": answers.pods, "max": answers.pods_max})}
    requests: {flow({"cpu": answers.cpu, "memory": answers.memory})}
tenants: []                            # such as {{kind: alb, name: public, subnets: [private-a]}}
checks:
  minFree: 20%                         # below this a subnet is called tight
"""
