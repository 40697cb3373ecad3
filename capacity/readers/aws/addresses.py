"""Account for every address of a subnet: its holder, and whether AWS's count of free addresses agrees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING

from capacity.errors import SpecError
from capacity.plan.constants import PREFIX_SIZE
from capacity.plan.model import RESERVED_BY_AWS
from capacity.readers.decode import brief
from capacity.readers.values import Item, count, discovery_tags, section, tags, text, texts
from capacity.vpc.blocks import kept_by_aws

if TYPE_CHECKING:
    from capacity.readers.aws.answers import AwsAnswers
    from capacity.readers.aws.owners import Interface


@dataclass(frozen=True, slots=True)
class SubnetAccount:
    """Addresses of one subnet by holder.

    Attributes
    ----------
    ident, name, zone : str
        The name is the Name tag if it is unique and printable, else the identifier.
    cidr : IPv4Network
    reservations : tuple of (IPv4Network, str)
        Blocks and types of the CIDR reservations.
    tags : tuple of (str, str), or None
        Tags that subnet discovery reads.
    owners : dict of str to int
        Addresses by owner; those of another cluster are under ``other_cluster``. [addresses]
    reported_free : int or None
        AvailableIpAddressCount. [addresses]
    reserved_unused : int
        Usable addresses inside reservations that no interface holds. [addresses]
    reserved_prefixes : int
        Whole /28 blocks in these that are reserved for prefixes. [blocks]
    reserved_kept : int
        Addresses reserved by AWS inside reservations. [addresses]
    free_blocks : int
        /28 blocks that a prefix can use, outside explicit reservations. [blocks]
    interfaces : int
        [ENIs]
    """

    ident: str
    name: str
    zone: str
    cidr: IPv4Network
    reservations: tuple[tuple[IPv4Network, str], ...]
    tags: tuple[tuple[str, str], ...] | None
    owners: dict[str, int]
    reported_free: int | None
    reserved_unused: int
    reserved_prefixes: int
    reserved_kept: int
    free_blocks: int
    interfaces: int

    @property
    def usable(self) -> int:
        """Addresses of the subnet minus the five that AWS reserves. [addresses]"""
        return self.cidr.num_addresses - RESERVED_BY_AWS

    @property
    def held(self) -> int:
        """Addresses of the listed interfaces. [addresses]"""
        return sum(self.owners.values())

    @property
    def expected_free(self) -> int:
        """Expected AvailableIpAddressCount: usable - held - reserved and unused. [addresses]

        EC2 does not count addresses in reservations, whether an interface has them or not.

        Source
        ------
        awslabs/eks-perf-tests#511 ("If we reserve full /12 for prefix, AvailableIpAddressCount will become 0");
        aws-samples/sample-apex-skills#223 (the field does not count reserved and unallocated space as available).
        EC2's API reference does not say.
        """
        return self.usable - self.held - self.reserved_unused

    @property
    def counts_reservations(self) -> bool:
        """Whether AWS's count excludes the unused addresses of reservations, as EC2's does."""
        reported = self.reported_free
        return self.reserved_unused > 0 and reported is not None and reported < self.usable - self.held

    @property
    def reported_impossible(self) -> bool:
        """Whether AWS reports more free addresses than the subnet has."""
        return self.reported_free is not None and self.reported_free > self.usable

    @property
    def difference(self) -> int:
        """Addresses that AWS counts as used and no listed interface holds; negative: held, but counted as free.

        Differences that reservations explain do not count: a count that includes their unused addresses (an answer
        saved before the reservation), or one that also excludes the addresses reserved by AWS inside them.
        """
        if self.reported_free is None or self.reported_impossible:
            return 0
        found = self.expected_free - self.reported_free
        if 0 < found <= self.reserved_kept:
            return 0
        return found if found > 0 else min(found + self.reserved_unused, 0)

    @property
    def taken(self) -> int:
        """Used addresses: those of listed interfaces, and additional ones that AWS counts as used.

        [addresses]
        """
        return self.held + max(self.difference, 0)

    @property
    def open_free(self) -> int | None:
        """Free addresses outside reservations, which any interface can get; None if unknown. [addresses]"""
        if self.reported_free is None or (self.reported_impossible and not self.held):
            return None
        return self.usable - self.taken - self.reserved_unused

    def note(self, *, interfaces_known: bool) -> str | None:
        """Note on the difference in one line; None if there is none."""
        place = f"subnet {self.name} ({self.ident})"
        if self.reported_impossible:
            return (
                f"{place}: AWS reports {self.reported_free} free, more than the {self.usable} that {self.cidr} has: "
                "edited data, or data of another subnet; not used"
            )
        if not interfaces_known:
            return self._unlisted_reservations(place)
        if not self.difference:
            return None
        if self.difference > 0:
            return (
                f"{place}: {self.difference} addresses are in use that no listed interface holds "
                f"({self.held} held, {self.reported_free} reported free of {self.usable}{self._less}): interfaces of "
                "another account, data from different times, or a partial list; counted as used"
            )
        return (
            f"{place}: the listed interfaces hold {-self.difference} addresses more than AWS counts as used "
            f"({self.held} held, {self.reported_free} reported free of {self.usable}{self._less}): data from "
            "different times; the addresses of the interfaces are counted"
        )

    @property
    def _less(self) -> str:
        return f", {self.reserved_unused} reserved and unused" if self.reserved_unused else ""

    def _unlisted_reservations(self, place: str) -> str | None:
        """Note that the use of reservations is unknown without the interfaces."""
        if not self.reservations:
            return None
        return (
            f"{place}: the use of its CIDR reservations is not known without the network interfaces: assumed unused "
            "(AvailableIpAddressCount excludes reserved addresses, in use or not)"
        )


def parse_subnets(answers: AwsAnswers, interfaces: Sequence[Interface], cluster: Item) -> tuple[SubnetAccount, ...]:
    """Accounts of all IPv4 subnets in the cluster's VPC, by zone, then by CIDR.

    Raises
    ------
    SpecError
        A subnet without a usable CIDR.
    """
    vpc = vpc_of(answers, cluster)
    described = [s for s in answers.of("subnets") if text(s, "CidrBlock") and (not vpc or text(s, "VpcId") == vpc)]
    names = subnet_names(described)
    by_subnet: dict[str, list[Interface]] = {text(s, "SubnetId"): [] for s in described}
    for interface in interfaces:
        by_subnet.get(interface.subnet, []).append(interface)
    found = [_account(s, names, by_subnet[text(s, "SubnetId")], answers, text(cluster, "name")) for s in described]
    return tuple(sorted(found, key=lambda a: (a.zone, int(a.cidr.network_address))))


def vpc_of(answers: AwsAnswers, cluster: Item) -> str:
    """VPC of a cluster: from its answer, else from its subnets, else the VPC of all subnets if there is only one."""
    config = section(cluster, "resourcesVpcConfig")
    if text(config, "vpcId"):
        return text(config, "vpcId")
    own = set(texts(config, "subnetIds"))
    mine = {text(s, "VpcId") for s in answers.of("subnets") if text(s, "SubnetId") in own}
    found = mine or {text(s, "VpcId") for s in answers.of("subnets")}
    return found.pop() if len(found) == 1 else ""


def subnet_names(described: Iterable[Item]) -> dict[str, str]:
    """Name of each subnet: the Name tag if it is unique and printable, else the identifier."""
    tagged = {text(s, "SubnetId"): tags(s).get("Name", "").strip() for s in described}
    uses = Counter(tagged.values())
    return {
        ident: name if name and uses[name] == 1 and name.isprintable() and len(name) <= 128 else ident
        for ident, name in tagged.items()
    }


def _account(
    item: Item, names: dict[str, str], interfaces: list[Interface], answers: AwsAnswers, cluster: str
) -> SubnetAccount:
    ident = text(item, "SubnetId")
    try:
        cidr = IPv4Network(text(item, "CidrBlock"))
        reservations = tuple(
            sorted(
                (IPv4Network(text(r, "Cidr")), text(r, "ReservationType"))
                for r in answers.of("reservations")
                if text(r, "SubnetId") == ident and ":" not in text(r, "Cidr")
            )
        )
    except ValueError as error:
        raise SpecError(f"{ident}: {brief(error)}") from error
    owners: Counter[str] = Counter()
    for interface in interfaces:
        foreign = interface.cluster and interface.cluster != cluster
        owners["other_cluster" if foreign else interface.owner] += interface.addresses
    spans = [span for interface in interfaces for span in interface.spans]
    return SubnetAccount(
        ident=ident,
        name=names[ident],
        zone=text(item, "AvailabilityZone") or text(item, "AvailabilityZoneId"),
        cidr=cidr,
        reservations=reservations,
        tags=discovery_tags(tags(item)),
        owners={k: owners[k] for k in sorted(owners)},
        reported_free=count(item, "AvailableIpAddressCount"),
        reserved_unused=reserved_unused(cidr, reservations, spans),
        reserved_prefixes=free_blocks(cidr, reservations, spans)
        - free_blocks(cidr, [(block, "explicit") for block, _ in reservations], spans),
        reserved_kept=sum(IPv4Address(a) in block for block, _ in reservations for a in kept_by_aws(cidr)),
        free_blocks=free_blocks(cidr, reservations, spans),
        interfaces=len(interfaces),
    )


def reserved_unused(
    cidr: IPv4Network, reservations: Sequence[tuple[IPv4Network, str]], spans: Sequence[tuple[int, int]]
) -> int:
    """Usable addresses inside reservations that no interface holds. [addresses]

    >>> reserved_unused(IPv4Network("10.0.0.0/24"), [(IPv4Network("10.0.0.0/28"), "prefix")], [(167772165, 167772166)])
    10
    """
    total = 0
    for block, _ in reservations:
        low, high = int(block.network_address), int(block.broadcast_address)
        held = sum(max(min(high, last) - max(low, first) + 1, 0) for first, last in spans)
        total += high - low + 1 - sum(low <= a <= high for a in kept_by_aws(cidr)) - held
    return total


def free_blocks(
    cidr: IPv4Network, reservations: Sequence[tuple[IPv4Network, str]], spans: Sequence[tuple[int, int]]
) -> int:
    """Aligned /28 blocks without a used address; exact if every interface is listed. [blocks]

    Explicit reservations are closed to prefixes that AWS chooses; those of type prefix are open.

    Source
    ------
    aws/aws-eks-best-practices@dc0243a prefix-mode_linux.adoc L22-26; awsdocs/amazon-vpc-user-guide
    subnet-sizing.md L9, subnet-cidr-reservation.md L3-14.

    Examples
    --------
    >>> free_blocks(IPv4Network("10.0.0.0/24"), [], [(167772180, 167772180)])  # 10.0.0.20
    13
    """
    first, last = int(cidr.network_address) // PREFIX_SIZE, int(cidr.broadcast_address) // PREFIX_SIZE
    touched = {a // PREFIX_SIZE for a in kept_by_aws(cidr)}
    for low, high in spans:
        touched.update(range(low // PREFIX_SIZE, high // PREFIX_SIZE + 1))
    for block, kind in reservations:
        if kind != "prefix":
            touched.update(
                range(int(block.network_address) // PREFIX_SIZE, int(block.broadcast_address) // PREFIX_SIZE + 1)
            )
    return last - first + 1 - sum(first <= b <= last for b in touched)
