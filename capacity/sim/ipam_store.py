"""ipamd's own store of ENIs, CIDRs and pod addresses (pkg/ipamd/datastore/data_store.go).

Source: aws/amazon-vpc-cni-k8s@b5218838. The code walks Go maps, whose order is random; here every walk is by ENI
number, then by address, as in recorded traces, or shuffled if the store has a random generator. Times are in
milliseconds, addresses are numbers as EC2's side gives them. What the pool loop asks for each time is counted as it
changes, never counted again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple, TypeVar

_T = TypeVar("_T")


class PoolStats(NamedTuple):
    """What GetIPStats counts (data_store.go L916-946); cooling addresses are available too (L911-913)."""

    total: int
    assigned: int

    @property
    def available(self) -> int:
        """Addresses without a pod, those in cooldown included."""
        return self.total - self.assigned


@dataclass(slots=True)
class StoredCidr:
    """A secondary IP (size 1) or prefix (size 16) from ``base`` on.

    Attributes
    ----------
    pods : dict of int to int
        The pod of each address that has one.
    left : dict of int to int
        When each address that had a pod at least once lost it, the earliest first. [ms]
    """

    base: int
    size: int
    pods: dict[int, int] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)

    def unused(self, now: int, cooldown: int) -> int | None:
        """The address for the next pod (getUnusedIP, data_store.go L1499-1536).

        Addresses out of cooldown are forgotten, all at once, and the lowest of them is given; else the lowest that
        never had a pod. ``<=`` is still in cooldown (L252-254).
        """
        left = self.left
        if left:
            ready = [at for at, since in left.items() if now - since > cooldown]
            if ready:
                for at in ready:
                    del left[at]
                return min(ready)
        if len(self.pods) + len(left) == self.size:
            return None
        at = self.base
        while at in self.pods or at in left:
            at += 1
        return at

    def cooling(self, now: int, cooldown: int) -> int:
        """Addresses in cooldown."""
        return sum(now - since <= cooldown for since in self.left.values())


@dataclass(slots=True)
class StoredEni:
    """An ENI that ipamd knows; ``created`` is when it entered the store, ``assigned`` its addresses with a pod."""

    number: int
    created: int
    trunk: bool = False
    cidrs: dict[int, StoredCidr] = field(default_factory=dict)
    assigned: int = 0
    total: int = 0
    in_order: list[StoredCidr] | None = None

    @property
    def primary(self) -> bool:
        """Whether it is the node's first ENI."""
        return self.number == 0

    @property
    def by_address(self) -> list[StoredCidr]:
        """CIDRs in order."""
        if self.in_order is None:
            self.in_order = [self.cidrs[base] for base in sorted(self.cidrs)]
        return self.in_order

    @property
    def empty_cidrs(self) -> list[int]:
        """CIDRs without pods, by address; those with cooling addresses too (FindFreeableCidrs, L1562-1586)."""
        return [cidr.base for cidr in self.by_address if not cidr.pods]

    def cooling(self, now: int, cooldown: int) -> int:
        """Addresses in cooldown."""
        return sum(cidr.cooling(now, cooldown) for cidr in self.cidrs.values() if cidr.left)

    def last_left(self) -> int | None:
        """When the last of its addresses lost its pod; None if none did."""
        return max((since for cidr in self.cidrs.values() if cidr.left for since in cidr.left.values()), default=None)


@dataclass(slots=True)
class IpamStore:
    """The ENIs by number, and where each pod has its address.

    Attributes
    ----------
    unit : int
        Addresses of one CIDR.
    cooldown : int
        IP_COOLDOWN_PERIOD. [ms]
    random : Random or None
        Shuffles the walks that Go does in random order; None walks in order.
    total, empty_cidrs : int
        Pod addresses, and free CIDRs: those of which no address has a pod, cooling or not (L1448-1461).
    """

    unit: int
    cooldown: int
    enis: dict[int, StoredEni] = field(default_factory=dict)
    pods: dict[int, tuple[StoredEni, StoredCidr, int]] = field(default_factory=dict)
    random: Random | None = None
    total: int = 0
    empty_cidrs: int = 0

    def __iter__(self) -> Iterator[StoredEni]:
        return iter([self.enis[number] for number in sorted(self.enis)] if len(self.enis) > 1 else self.enis.values())

    def walk(self) -> list[StoredEni]:
        """The ENIs in the order of a Go map."""
        return self.shuffled(list(self))

    def shuffled(self, items: list[_T]) -> list[_T]:
        """A list in the order of a Go map; in order without a random generator."""
        if self.random is not None and len(items) > 1:
            draw = self.random.random
            items.sort(key=lambda _: draw())
        return items

    @property
    def trunk(self) -> bool:
        """Whether the trunk is in the store."""
        return any(eni.trunk for eni in self.enis.values())

    @property
    def stats(self) -> PoolStats:
        """The pool."""
        return PoolStats(self.total, len(self.pods))

    def cooling(self, now: int) -> int:
        """Addresses in cooldown."""
        return sum(eni.cooling(now, self.cooldown) for eni in self.enis.values())

    def add_eni(self, eni: StoredEni) -> None:
        """Enter an ENI without CIDRs."""
        self.enis[eni.number] = eni

    def drop_eni(self, number: int) -> None:
        """Remove an ENI without pods, and its CIDRs."""
        eni = self.enis[number]
        for base in list(eni.cidrs):
            self.drop_cidr(number, base)
        del self.enis[number]

    def add_cidr(self, number: int, base: int) -> None:
        """Enter a CIDR; one that is there stays as it is."""
        eni = self.enis[number]
        if base not in eni.cidrs:
            eni.cidrs[base] = StoredCidr(base, self.unit)
            eni.in_order = None
            eni.total += self.unit
            self.total += self.unit
            self.empty_cidrs += 1

    def drop_cidr(self, number: int, base: int) -> None:
        """Remove a CIDR; pods on it lose their entry (DelIPv4CidrFromStore with force)."""
        eni = self.enis[number]
        cidr = eni.cidrs.pop(base)
        eni.in_order = None
        eni.total -= self.unit
        self.total -= self.unit
        if not cidr.pods:
            self.empty_cidrs -= 1
        for pod in cidr.pods.values():
            del self.pods[pod]
            eni.assigned -= 1

    def place(self, pod: int, now: int) -> int | None:
        """Give a pod the first free address (AssignPodIPv4Address, L782-860); None if there is none."""
        for eni in self.walk():
            if eni.assigned == eni.total:
                continue
            for cidr in self._for_next_pod(eni, now) if self.random else eni.by_address:
                if len(cidr.pods) < cidr.size and (at := cidr.unused(now, self.cooldown)) is not None:
                    if not cidr.pods:
                        self.empty_cidrs -= 1
                    cidr.pods[at] = pod
                    eni.assigned += 1
                    self.pods[pod] = eni, cidr, at
                    return at
        return None

    def _for_next_pod(self, eni: StoredEni, now: int) -> list[StoredCidr]:
        """The CIDRs of an ENI in random order; of secondary IPs only one that is ready, if any is."""
        assert self.random is not None
        cidrs = eni.by_address
        if self.unit > 1:
            return self.shuffled(list(cidrs))
        cooldown = self.cooldown
        ready = [c for c in cidrs if not c.pods and (not c.left or now - c.left[c.base] > cooldown)]
        return [ready[int(self.random.random() * len(ready))]] if ready else []

    def release(self, pod: int, now: int) -> None:
        """A pod goes: its address cools down from ``now`` on (L1239-1295). A pod without an entry changes nothing."""
        if pod in self.pods:
            eni, cidr, at = self.pods.pop(pod)
            del cidr.pods[at]
            cidr.left[at] = now
            eni.assigned -= 1
            if not cidr.pods:
                self.empty_cidrs += 1
