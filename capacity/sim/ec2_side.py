"""EC2's view of one node: its ENIs, what they hold, and the subnets that the addresses come from.

ipamd's store (:mod:`capacity.sim.ipam_store`) differs from it while calls run. All times elsewhere are in milliseconds;
nothing here has a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from random import Random

PREFIX = 16  # addresses of a /28
RESERVED_FIRST = 4  # AWS reserves the first four addresses of a subnet and the last one
TRIES = 32  # random picks before the free addresses are listed

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
ALL_CALLS = (*EC2_CALLS, "AssignIpv6Addresses")  # with those of an IPv6 cluster


class SubnetFull(Exception):
    """InsufficientFreeAddressesInSubnet or InsufficientCidrBlocks: nothing was given."""


class EniFull(Exception):
    """PrivateIpAddressLimitExceeded: the ENI would hold more than the type allows; nothing was given."""


FREE, TAKEN, FOR_PREFIXES = 0, 1, 2  # states of an address


class AddressSpace:
    """The addresses of one subnet, counted from ``first``.

    Parameters
    ----------
    size : int
        Addresses of the subnet's CIDR, reserved ones included.
    used_by_others : iterable of int
        Offsets that are taken from the start.
    first : int
        Number of the subnet's first address; 0 gives offsets.
    name : str
        The subnet.
    random : Random, optional
        Picks single addresses at random, as EC2 scatters them; without it the lowest free one is given. Prefixes
        are always the lowest free aligned block.

    Attributes
    ----------
    free, open : int
        Free addresses, and those that no reservation keeps for prefixes.
    usable : int
        Free at the start.
    refused_at : int or None
        When it first had too few addresses or no free block, by ``clock``.
    """

    def __init__(
        self,
        size: int,
        used_by_others: Iterable[int] = (),
        *,
        first: int = 0,
        name: str = "",
        random: Random | None = None,
    ) -> None:
        self.name, self.first, self.size = name, first, size
        self._state = bytearray(size)
        self._rest = bytearray(size)  # the state of each address when it is not taken
        self._random = random
        self.refused_at: int | None = None
        self.clock: Callable[[], int] = int
        for offset in (*range(min(RESERVED_FIRST, size)), size - 1, *used_by_others):
            self._state[offset] = TAKEN
        self.open = self.free = self.usable = self._state.count(FREE)

    @property
    def free_blocks(self) -> int:
        """Aligned /28 blocks that are wholly free."""
        return sum(TAKEN not in self._state[at : at + PREFIX] for at in range(0, self.size, PREFIX))

    def keep_for_prefixes(self, offsets: range) -> None:
        """Reserve a range of whole blocks: EC2 gives none of its addresses but as prefixes."""
        for offset in offsets:
            self._rest[offset] = FOR_PREFIXES
            if self._state[offset] == FREE:
                self._state[offset] = FOR_PREFIXES
                self.open -= 1

    def occupy(self, offsets: Iterable[int], most: int | None = None) -> int:
        """Take the free ones among some offsets, at most ``most``; returns how many it took."""
        taken = 0
        for offset in offsets:
            if taken == most:
                break
            if self._state[offset] != TAKEN:
                self.open -= self._state[offset] == FREE
                self._state[offset] = TAKEN
                taken += 1
        self.free -= taken
        return taken

    def take(self, count: int, size: int = 1) -> list[int]:
        """``count`` free aligned blocks of ``size`` addresses (1 or 16): all, or :exc:`SubnetFull`."""
        try:
            if count * size > (self.open if size == 1 else self.free):
                raise SubnetFull
            found = self._scattered(count) if self._random and size == 1 else self._lowest(count, size)
        except SubnetFull:
            self.refuse()
            raise
        for offset in found:
            self.open -= size if self._state[offset] == FREE else 0
            self._state[offset : offset + size] = bytes((TAKEN,)) * size
        self.free -= count * size
        return [self.first + offset for offset in found]

    def refuse(self) -> None:
        """The subnet had too few addresses for the request."""
        if self.refused_at is None:
            self.refused_at = self.clock()

    def _lowest(self, count: int, size: int) -> list[int]:
        found: list[int] = []
        for state in (FOR_PREFIXES, FREE) if size > 1 else (FREE,):
            at, wanted = 0, bytes((state,)) * size
            while len(found) < count:
                at = self._state.find(wanted, at)
                if at < 0:
                    break
                if at % size == 0:
                    found.append(at)
                    at += size
                else:
                    at += size - at % size
        if len(found) < count:
            raise SubnetFull
        return found

    def _scattered(self, count: int) -> list[int]:
        assert self._random is not None
        found: list[int] = []
        for _ in range(TRIES + 2 * count):
            if len(found) == count:
                return found
            at = int(self._random.random() * self.size)
            if self._state[at] == FREE and at not in found:
                found.append(at)
        if len(found) == count:
            return found
        return self._random.sample([at for at, state in enumerate(self._state) if state == FREE], count)

    def release(self, addresses: Iterable[int], size: int = 1) -> None:
        """Make blocks of ``size`` addresses free again."""
        for address in addresses:
            offset = address - self.first
            self._state[offset : offset + size] = self._rest[offset : offset + size]
            self.free += size
            self.open += size if self._rest[offset] == FREE else 0


@dataclass(slots=True)
class Ec2Eni:
    """An ENI as EC2 has it.

    Attributes
    ----------
    own : list of int
        Its primary address; empty if that is in a subnet that is not counted.
    cidrs : set of int
        First addresses of its secondary IPs or prefixes.
    managed, trunk, attached, tagged : bool
        Whether ipamd may use it, whether it is the trunk, whether the instance metadata shows it, and whether it has
        ipamd's tags.
    space : AddressSpace or None
        Its subnet; None until it is added.
    """

    own: list[int]
    cidrs: set[int] = field(default_factory=set)
    managed: bool = True
    trunk: bool = False
    attached: bool = True
    tagged: bool = False
    space: AddressSpace | None = None


@dataclass(slots=True)
class Ec2Side:
    """The node's ENIs by number, in order of creation, and the subnets that new ones can be in.

    Attributes
    ----------
    space : AddressSpace
        The subnet that pods have addresses of; the first choice for a new ENI.
    unit : int
        Addresses of one CIDR: 1 for secondary IPs, 16 for prefixes.
    most : int
        Secondary IPs or prefixes that one ENI can hold.
    others : tuple of AddressSpace
        Subnets of the zone that discovery finds too.
    """

    space: AddressSpace
    unit: int
    most: int
    enis: dict[int, Ec2Eni] = field(default_factory=dict)
    created: int = 0
    others: tuple[AddressSpace, ...] = ()

    def add(self, eni: Ec2Eni) -> int:
        """Number of a new ENI."""
        number, self.created = self.created, self.created + 1
        eni.space = eni.space or self.space
        self.enis[number] = eni
        return number

    @property
    def choices(self) -> list[AddressSpace]:
        """Subnets for a new ENI, the one with the most free addresses first (awsutils.go L1249)."""
        if not self.others:
            return [self.space]
        return sorted((self.space, *self.others), key=lambda space: -space.free)

    def create(self, count: int, space: AddressSpace | None = None) -> int:
        """Number of a new ENI with ``count`` CIDRs, not attached yet: all or :exc:`SubnetFull`."""
        space = space or self.space
        own = space.take(1)
        try:
            cidrs = space.take(count, self.unit)
        except SubnetFull:
            space.release(own)
            raise
        return self.add(Ec2Eni(own, set(cidrs), attached=False, tagged=True, space=space))

    def assign(self, number: int, count: int) -> list[int]:
        """Give an ENI ``count`` CIDRs: all, or :exc:`EniFull` or :exc:`SubnetFull`."""
        eni = self.enis[number]
        if len(eni.cidrs) + count > self.most:
            raise EniFull
        assert eni.space is not None
        given = eni.space.take(count, self.unit)
        eni.cidrs.update(given)
        return given

    def unassign(self, number: int, cidrs: Iterable[int]) -> None:
        """Take CIDRs from an ENI."""
        gone, eni = list(cidrs), self.enis[number]
        assert eni.space is not None
        eni.cidrs.difference_update(gone)
        eni.space.release(gone, self.unit)

    def delete(self, number: int) -> None:
        """Delete an ENI: only now are its addresses free."""
        eni = self.enis.pop(number)
        assert eni.space is not None
        eni.space.release(eni.own)
        eni.space.release(eni.cidrs, self.unit)

    def terminate(self) -> None:
        """The instance is gone, and its ENIs with it."""
        for number in list(self.enis):
            self.delete(number)

    @property
    def attached(self) -> int:
        """ENIs that the instance has, managed or not."""
        return sum(eni.attached for eni in self.enis.values())

    def metadata(self) -> list[int]:
        """Numbers of the attached ENIs that ipamd manages."""
        return [number for number, eni in self.enis.items() if eni.attached and eni.managed]
