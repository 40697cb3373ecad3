"""Check paths through security groups: whether one set of interfaces can reach another on a port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from shlex import quote
from typing import TYPE_CHECKING, Any

from capacity.advice.evidence import PathFacts
from capacity.readers.values import Item, objects, section, text, texts

if TYPE_CHECKING:
    from capacity.readers.aws.aws_cluster import AwsCluster
    from capacity.readers.aws.owners import Interface

PROTOCOLS = {"6": "tcp", "17": "udp", "tcp": "tcp", "udp": "udp", "-1": "all"}
ANY = 0  # an unknown port, such as the target port of a load balancer
DATABASES = {"rds": (3306, 5432, 1433, 1521), "elasticache": (6379, 11211)}

_TARGETS = {
    "sg-load-balancers-to-nodes": "load balancer",
    "sg-nodes-to-endpoints": "interface endpoint",
    "sg-nodes-to-efs": "EFS mount target",
    "sg-nodes-to-databases": "RDS or ElastiCache interface",
}


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a path: the security groups of its interfaces (all apply), and their addresses."""

    groups: frozenset[str]
    addresses: frozenset[int]
    name: str


def path_facts(found: AwsCluster) -> tuple[PathFacts, ...]:
    """Facts about every path to check whose two ends are known."""
    if not found.answers.has("security_groups") or not found.answers.has("interfaces"):
        return ()
    rules = {text(g, "GroupId"): g for g in found.answers.of("security_groups")}
    mine = [i for i in found.interfaces if i.cluster == found.name]
    nodes = _sides([i for i in mine if i.owner == "node_primary"], "nodes")
    control = _sides([i for i in mine if i.owner == "control_plane"], "control plane") or _configured(found)
    pods = _sides([i for i in mine if i.owner in ("node_primary", "cni_secondary")], "pods")
    out: list[PathFacts] = []
    for port in (10250, 443):
        out += _paths("sg-control-plane-to-nodes", control, nodes, "tcp", (port,), rules)
    out += _paths("sg-nodes-to-control-plane", nodes, control, "tcp", (443,), rules)
    for protocol in ("tcp", "udp"):
        out += _paths("sg-node-to-node", pods, pods, protocol, (53,), rules)
    others = found.interfaces
    for kind, what in (("alb", "ALB"), ("nlb", "NLB"), ("clb", "CLB")):
        balancers = _sides([i for i in others if i.owner == kind], what, by_name=True)
        out += _paths("sg-load-balancers-to-nodes", balancers, nodes, "tcp", (ANY,), rules)
    endpoints = _sides([i for i in others if i.owner == "endpoint"], "endpoint", by_name=True)
    out += _paths("sg-nodes-to-endpoints", nodes, endpoints, "tcp", (443,), rules)
    mounts = _sides([i for i in others if i.owner == "efs"], "EFS")
    out += _paths("sg-nodes-to-efs", nodes, mounts, "tcp", (2049,), rules)
    for owner, ports in DATABASES.items():
        databases = _sides([i for i in others if i.owner == owner], owner)
        out += _paths("sg-nodes-to-databases", nodes, databases, "tcp", ports, rules)
    if nodes:
        looked_at = {p.check for p in out}
        out += [
            PathFacts(c, "", open=True, evidence=f"no {what} in the VPC", command="")
            for c, what in _TARGETS.items()
            if c not in looked_at
        ]
    return tuple(out)


def _sides(interfaces: Iterable[Interface], name: str, by_name: bool = False) -> list[Side]:
    """Ends of a path: interfaces with the same groups (and optionally the same name) are one end."""
    found: dict[tuple[str, frozenset[str]], set[int]] = {}
    for i in interfaces:
        label = f"{name} {i.name}".strip() if by_name else name
        found.setdefault((label, frozenset(i.groups)), set()).update(first for first, _ in i.spans[:1])
    return [Side(groups, frozenset(found[label, groups]), label) for label, groups in sorted(found, key=_side_order)]


def _side_order(key: tuple[str, frozenset[str]]) -> tuple[str, list[str]]:
    return key[0], sorted(key[1])


def _configured(found: AwsCluster) -> list[Side]:
    """The control plane from the cluster's configuration, if its interfaces are not known."""
    config = section(found.item, "resourcesVpcConfig")
    groups = [*texts(config, "securityGroupIds"), text(config, "clusterSecurityGroupId")]
    wanted = frozenset(g for g in groups if g)
    return [Side(wanted, frozenset(), "control plane")] if wanted else []


def _paths(
    check: str,
    sources: Sequence[Side],
    targets: Sequence[Side],
    protocol: str,
    ports: Sequence[int],
    rules: Mapping[str, Item],
) -> list[PathFacts]:
    """One fact per pair of ends that is closed or unknown, and one for all that are open."""
    opened, out = 0, []
    for source in sources:
        for target in targets:
            state, why = reachable(source, target, protocol, ports, rules)
            if state:
                opened += 1
                continue
            out.append(
                PathFacts(check, f"{source.name} → {target.name}", state, why, _mend(source, target, protocol, ports))
            )
    port = _ports(protocol, ports)
    if opened and not out:
        where = f"{sources[0].name.split()[0]} → {targets[0].name.split()[0]}" if opened > 1 else ""
        where = where or f"{sources[0].name} → {targets[0].name}"
        out.append(
            PathFacts(
                check,
                where,
                open=True,
                evidence=f"{port} is open ({opened} pair{'s' if opened > 1 else ''} of groups)",
                command="",
            )
        )
    return out


def _ports(protocol: str, ports: Sequence[int]) -> str:
    if ports == (ANY,):
        return f"a {protocol} port"
    return f"{protocol} {' or '.join(map(str, ports))}"


def _mend(source: Side, target: Side, protocol: str, ports: Sequence[int]) -> str:
    port = "PORT" if ports == (ANY,) else str(ports[0])
    into = min(target.groups, default="sg-OF-THE-TARGET")
    peer = min(source.groups, default="")
    origin = f"--source-group {quote(peer)}" if peer else "--cidr CIDR"
    allow = f"aws ec2 authorize-security-group-ingress --group-id {quote(into)}"
    return f"{allow} --protocol {protocol} --port {port} {origin}"


def reachable(
    source: Side, target: Side, protocol: str, ports: Sequence[int], rules: Mapping[str, Item]
) -> tuple[bool | None, str]:
    """Whether the rules let traffic out of the source and into the target, with the reason; None if not known.

    Rules of all groups of an interface add up. An interface without a group (possible for a Network Load
    Balancer) is matched by its address. Network ACLs and routes are not checked.
    """
    out: bool | None = True if not source.groups else _any_open(source.groups, target, "Egress", protocol, ports, rules)
    into: bool | None = True if not target.groups else _any_open(target.groups, source, "", protocol, ports, rules)
    port = _ports(protocol, ports)
    if out and into:
        return True, ""
    if out is False:
        return False, f"no egress rule of {_names(source.groups)} allows {port} to {_names(target.groups)}"
    if into is False and not source.groups:
        return None, (
            f"{source.name} has no security group, and no rule of {_names(target.groups)} allows its addresses on "
            f"{port}: if client addresses are preserved, the addresses of the clients decide"
        )
    if into is False:
        return False, f"no rule of {_names(target.groups)} allows {_names(source.groups)} on {port}"
    return None, f"rules of {_names(source.groups | target.groups)} are not all in the input, or use prefix lists"


def _names(groups: frozenset[str]) -> str:
    return ", ".join(sorted(groups)) or "no group"


def _any_open(
    groups: frozenset[str], peer: Side, way: str, protocol: str, ports: Sequence[int], rules: Mapping[str, Item]
) -> bool | None:
    """Whether any rule of the groups opens a port to the peer; None if a rule that could do so is not known."""
    doubt = bool(groups - rules.keys())
    for group in groups & rules.keys():
        for rule in objects(rules[group], f"IpPermissions{way}", group):
            if not _covers(rule, protocol, ports):
                continue
            if _meets(rule, peer):
                return True
            doubt = doubt or bool(rule.get("PrefixListIds"))
    return None if doubt else False


def _covers(rule: Item, protocol: str, ports: Sequence[int]) -> bool:
    of_rule = PROTOCOLS.get(str(rule.get("IpProtocol")))
    if of_rule == "all":
        return True
    if of_rule != protocol:
        return False
    low, high = _number(rule.get("FromPort")), _number(rule.get("ToPort"))
    if low is None or high is None:
        return True
    return any(port == ANY or low <= port <= high for port in ports)


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _meets(rule: Item, peer: Side) -> bool:
    """Whether the rule covers the peer: by one of its groups, or by blocks that contain all its addresses."""
    if any(text(p, "GroupId") in peer.groups for p in objects(rule, "UserIdGroupPairs")):
        return True
    blocks = []
    for entry in objects(rule, "IpRanges"):
        try:
            blocks.append(IPv4Network(text(entry, "CidrIp"), strict=False))
        except ValueError:
            continue
    if not peer.addresses:
        return any(b.prefixlen == 0 for b in blocks)
    return bool(blocks) and all(any(IPv4Address(a) in b for b in blocks) for a in peer.addresses)
