"""EC2's view of one node: its ENIs, what they hold, and the addresses of the subnet.

ipamd's store (:mod:`capacity.sim.ipam_store`) differs from it while calls run. All times elsewhere are in milliseconds;
nothing here has a clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

PREFIX = 16  # addresses of a /28
RESERVED_FIRST = 4  # AWS reserves the first four addresses of a subnet and the last one

EC2_CALLS = (
    "DescribeNetworkInterfaces",
    "DescribeSubnets",
    "CreateTags",
    "ModifyNetworkInterfaceAttribute",
    "AssignPrivateIpAddresses",
    "UnassignPrivateIpAddresses",
    "CreateNetworkInterface",
    "DescribeInstances",
    "AttachNetworkInterface",
    "DetachNetworkInterface",
    "DeleteNetworkInterface",
)


class SubnetFull(Exception):
    """InsufficientFreeAddressesInSubnet or InsufficientCidrBlocks: nothing was given."""


class EniFull(Exception):
    """PrivateIpAddressLimitExceeded: the ENI would hold more than the type allows; nothing was given."""


class AddressSpace:
    """The addresses of one subnet as offsets from its first: the lowest free one is given first.

    Parameters
    ----------
    size : int
        Addresses of the subnet's CIDR, reserved ones included.
    used_by_others : iterable of int
        Offsets that are taken from the start.
    """

    def __init__(self, size: int, used_by_others: Iterable[int] = ()) -> None:
        self._taken = bytearray(size)
        for offset in (*range(min(RESERVED_FIRST, size)), size - 1, *used_by_others):
            self._taken[offset] = 1

    @property
    def free(self) -> int:
        """Addresses that are free."""
        return self._taken.count(0)

    def take(self, count: int, size: int = 1) -> list[int]:
        """Offsets of ``count`` free aligned blocks of ``size`` addresses (1 or 16): all, or :exc:`SubnetFull`."""
        found: list[int] = []
        at = 0
        while len(found) < count:
            at = self._taken.find(bytes(size), at)
            if at < 0:
                raise SubnetFull
            if at % size == 0:
                found.append(at)
                at += size
            else:
                at += size - at % size
        for offset in found:
            self._taken[offset : offset + size] = b"\1" * size
        return found

    def release(self, offsets: Iterable[int], size: int = 1) -> None:
        """Make blocks of ``size`` addresses free again."""
        for offset in offsets:
            self._taken[offset : offset + size] = bytes(size)


@dataclass
class Ec2Eni:
    """An ENI as EC2 has it.

    Attributes
    ----------
    own : list of int
        Offset of its primary address; empty if that is in another subnet.
    cidrs : set of int
        Offsets of its secondary IPs or prefixes.
    managed, trunk, attached : bool
        Whether ipamd may use it, whether it is the trunk, and whether the instance metadata shows it.
    """

    own: list[int]
    cidrs: set[int] = field(default_factory=set)
    managed: bool = True
    trunk: bool = False
    attached: bool = True


@dataclass
class Ec2Side:
    """The node's ENIs by number, in order of creation, and the subnet that pods have addresses of.

    Attributes
    ----------
    space : AddressSpace
        The subnet.
    unit : int
        Addresses of one CIDR: 1 for secondary IPs, 16 for prefixes.
    most : int
        Secondary IPs or prefixes that one ENI can hold.
    """

    space: AddressSpace
    unit: int
    most: int
    enis: dict[int, Ec2Eni] = field(default_factory=dict)
    created: int = 0

    def add(self, eni: Ec2Eni) -> int:
        """Number of a new ENI."""
        number, self.created = self.created, self.created + 1
        self.enis[number] = eni
        return number

    def create(self, count: int) -> int:
        """Number of a new ENI with ``count`` CIDRs, not attached yet: all or :exc:`SubnetFull`."""
        own = self.space.take(1)
        try:
            cidrs = self.space.take(count, self.unit)
        except SubnetFull:
            self.space.release(own)
            raise
        return self.add(Ec2Eni(own, set(cidrs), attached=False))

    def assign(self, number: int, count: int) -> list[int]:
        """Give an ENI ``count`` CIDRs: all, or :exc:`EniFull` or :exc:`SubnetFull`."""
        eni = self.enis[number]
        if len(eni.cidrs) + count > self.most:
            raise EniFull
        given = self.space.take(count, self.unit)
        eni.cidrs.update(given)
        return given

    def unassign(self, number: int, cidrs: Iterable[int]) -> None:
        """Take CIDRs from an ENI."""
        gone = list(cidrs)
        self.enis[number].cidrs.difference_update(gone)
        self.space.release(gone, self.unit)

    def delete(self, number: int) -> None:
        """Delete an ENI: only now are its addresses free."""
        eni = self.enis.pop(number)
        self.space.release(eni.own)
        self.space.release(eni.cidrs, self.unit)

    def metadata(self) -> list[int]:
        """Numbers of the attached ENIs that ipamd manages."""
        return [number for number, eni in self.enis.items() if eni.attached and eni.managed]
