"""What a cluster's network must allow, the IAM actions of the CNI, and what each network policy engine costs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from capacity.catalog.packaged import data_dir, read_rows

PATH_COLUMNS = ("from", "to", "protocol", "ports", "why", "source")
POLICY_COLUMNS = ("engine", "max_pods", "addresses", "enis", "limits", "notes", "source")
ACTION_COLUMNS = ("use", "action", "family", "source")
GROUP_NAMES = {
    "control plane": "CLUSTER_SG",
    "nodes": "NODE_SG",
    "load balancers": "LB_SG",
    "interface endpoints": "ENDPOINT_SG",
    "EFS": "EFS_SG",
    "databases": "DATABASE_SG",
}


@cache
def security_paths() -> tuple[Mapping[str, str], ...]:
    """The paths that security groups must allow, from ``data/security_paths.csv``."""
    rows = read_rows(data_dir() / "security_paths.csv", *PATH_COLUMNS)
    return tuple({name: row[name] for name in PATH_COLUMNS} for row in rows)


@cache
def policy_engines() -> tuple[Mapping[str, str], ...]:
    """What each engine of network policies costs, from ``data/network_policy.csv``."""
    rows = read_rows(data_dir() / "network_policy.csv", *POLICY_COLUMNS)
    return tuple({name: row[name] for name in POLICY_COLUMNS} for row in rows)


class IamAction(NamedTuple):
    """An action that a role needs, for which use (``cni`` or ``nodes``), and its source."""

    use: str
    action: str
    source: str


def iam_actions(family: str) -> list[IamAction]:
    """The actions that nodes and the VPC CNI need in an ``ipv4`` or ``ipv6`` cluster.

    >>> "ec2:AssignIpv6Addresses" in {action.action for action in iam_actions("ipv6")}
    True
    """
    rows = read_rows(data_dir() / "iam_actions.csv", *ACTION_COLUMNS)
    return [IamAction(r["use"], r["action"], r["source"]) for r in rows if r["family"] in (family, "both")]


def security_group_commands() -> Iterator[str]:
    """Commands that allow the paths with fixed ports; names in capitals are to be replaced."""
    for path in security_paths():
        ports = path["ports"]
        if ports != "all" and not ports.replace("-", "").isdigit():
            continue
        source, target = GROUP_NAMES[path["from"]], GROUP_NAMES[path["to"]]
        protocol = "-1" if path["protocol"] == "all" else path["protocol"].lower()
        port = "" if ports == "all" else f" --port {ports}"
        yield (
            f"aws ec2 authorize-security-group-ingress --group-id {target} --source-group {source} "
            f"--protocol {protocol}{port}"
        )
