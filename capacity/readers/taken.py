"""Read addresses in use: a text list, or saved output of the AWS CLI."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, summarize_address_range
from pathlib import Path

from capacity.errors import SpecError
from capacity.plan.model import Reservation, Subnet
from capacity.readers.aws.addresses import SubnetAccount, parse_subnets
from capacity.readers.aws.answers import AwsAnswers
from capacity.readers.aws.folder import read_folder
from capacity.readers.aws.owners import NODE_OWNERS, Interface, parse_interfaces
from capacity.vpc.cidr_rules import LARGEST, SMALLEST
from capacity.vpc.drain import Drain, drains
from capacity.vpc.fill import SubnetFill
from capacity.vpc.fragments import fragments_of_counts, fragments_of_list

MOST_BYTES = 64_000_000


def read_taken(text: str) -> tuple[IPv4Network, ...]:
    """Read the addresses and prefixes of ``--taken``.

    A file of addresses (one per word, ``#`` starts a comment), a saved ``describe-network-interfaces``
    answer, or the addresses themselves, separated by commas.

    Raises
    ------
    SpecError
        Neither a file nor addresses.
    """
    path = Path(text)
    try:
        is_file = path.is_file()
    except (OSError, ValueError):  # longer than a path can be
        is_file = False
    if not is_file:
        return parse_taken(text, "--taken")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise SpecError(f"--taken {text}: is larger than {MOST_BYTES:,} bytes")
        content = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SpecError(f"--taken {text}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"--taken {text}: is not UTF-8 text (byte {error.start})") from None
    if content.lstrip()[:1] in ("{", "["):
        answers = read_folder(path)
        if not answers.has("interfaces"):
            raise SpecError(f"--taken {text}: has no network interfaces (aws ec2 describe-network-interfaces)")
        return spans_of(parse_interfaces(answers))
    return parse_taken(content, text)


def parse_taken(content: str, name: str) -> tuple[IPv4Network, ...]:
    """Parse words as addresses or blocks; an error has the line of the first that is neither."""
    found = []
    for number, line in enumerate(content.splitlines(), 1):
        for word in line.partition("#")[0].replace(",", " ").replace(";", " ").split():
            try:
                found.append(IPv4Network(word))
            except ValueError:
                place = f"{name}:{number}" if name != "--taken" else name
                raise SpecError(
                    f"{place}: {word[:60]!r} is neither an IPv4 address, a block such as 10.0.0.16/28, nor a file"
                ) from None
    if not found:
        raise SpecError(f"{name}: is empty (if no address is in use, use --used 0)")
    return tuple(found)


def spans_of(interfaces: Sequence[Interface]) -> tuple[IPv4Network, ...]:
    """Spans of all addresses and prefixes of network interfaces."""
    return tuple(
        block
        for interface in interfaces
        for low, high in interface.spans
        for block in summarize_address_range(IPv4Address(low), IPv4Address(high))
    )


def read_fills(paths: Sequence[Path]) -> tuple[tuple[SubnetFill, ...], tuple[str, ...]]:
    """Read subnets and their addresses in use from saved AWS CLI output, with notes for the user.

    Exact if the network interfaces are in the answers, else from AvailableIpAddressCount.

    Raises
    ------
    SpecError
        There are no subnets in the answers, or one has an invalid size or unknown use.
    """
    answers = _merged([read_folder(path) for path in paths])
    if not answers.of("subnets"):
        where = ", ".join(map(str, paths))
        raise SpecError(
            f"{where}: has no subnets (add the output of aws ec2 describe-subnets, or use --cidr and --taken)"
        )
    interfaces = parse_interfaces(answers)
    accounts = parse_subnets(answers, interfaces, {})
    listed = answers.has("interfaces")
    for account in accounts:
        _refuse_unknown(account, listed)
    notes = [*answers.notes, *(note for a in accounts if (note := a.note(interfaces_known=listed)))]
    unchecked = [a.name for a in accounts if a.reported_free is None]
    if unchecked:
        notes.append(f"no AvailableIpAddressCount of {', '.join(unchecked)}: the list is assumed complete")
    if not listed:
        notes.append("no describe-network-interfaces output: free /28 blocks are computed from counts, not looked up")
    return tuple(_fill(account, interfaces, listed) for account in accounts), tuple(notes)


def _refuse_unknown(account: SubnetAccount, listed: bool) -> None:
    if not LARGEST <= account.cidr.prefixlen <= SMALLEST:
        size = f"/{LARGEST} to /{SMALLEST}"
        raise SpecError(f"{account.ident}: {account.cidr} has a size AWS does not allow (expected {size})")
    if not listed and (account.reported_free is None or account.reported_impossible):
        raise SpecError(
            f"{account.ident}: neither AvailableIpAddressCount nor network interfaces show the addresses in use "
            "(add the output of aws ec2 describe-network-interfaces)"
        )


def _merged(parts: Sequence[AwsAnswers]) -> AwsAnswers:
    """Merge several answers; an object in two of them counts once."""
    kinds = {kind for part in parts for kind in part.items}
    items = {
        kind: tuple({repr(item): item for part in parts for item in part.of(kind)}.values()) for kind in sorted(kinds)
    }
    return AwsAnswers(items=items, notes=tuple(dict.fromkeys(n for part in parts for n in part.notes)))


def _fill(account: SubnetAccount, interfaces: Sequence[Interface], listed: bool) -> SubnetFill:
    reservations = tuple(Reservation(cidr, kind) for cidr, kind in account.reservations)
    subnet = Subnet(account.name, account.zone, account.cidr, reservations=reservations)
    if listed:
        mine = [i for i in interfaces if i.subnet == account.ident]
        owners = {owner: addresses for owner, addresses in account.owners.items() if addresses}
        unlisted = max(account.difference, 0)
        if unlisted:
            owners["not listed"] = unlisted
        found = fragments_of_list(subnet, spans_of(mine), unlisted)
        # If addresses are not listed, any block can have one of them.
        steps = () if unlisted else _drains(subnet, mine)
        return SubnetFill(account.name, account.zone, found, owners, drains=steps)
    taken = max(account.taken, 0)
    found = fragments_of_counts(subnet, taken)
    return SubnetFill(account.name, account.zone, found, {"in use": taken} if taken else {})


def _drains(subnet: Subnet, interfaces: Sequence[Interface]) -> tuple[Drain, ...]:
    """Spans by node, for instances whose interfaces belong to the CNI or EKS; all others stay."""
    by_node: dict[str, list[tuple[int, int]]] = {}
    others: list[tuple[int, int]] = []
    for interface in interfaces:
        node = interface.instance if interface.owner in NODE_OWNERS else ""
        (by_node.setdefault(node, []) if node else others).extend(interface.spans)
    return drains(subnet, by_node, others)
