"""ipamd's own store of ENIs, CIDRs and pod addresses (pkg/ipamd/datastore/data_store.go).

Source: aws/amazon-vpc-cni-k8s@b5218838. The code walks Go maps, whose order is random; here every walk is by ENI
number, then by address, as in recorded traces. Times are in milliseconds, addresses are offsets in the subnet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple


class PoolStats(NamedTuple):
    """What GetIPStats counts (data_store.go L916-946); cooling addresses are available too (L911-913)."""

    total: int
    assigned: int
    cooling: int

    @property
    def available(self) -> int:
        """Addresses without a pod, those in cooldown included."""
        return self.total - self.assigned


@dataclass
class UsedAddress:
    """An address that had a pod at least once: the pod it has, or since when it has none."""

    pod: int | None
    unassigned: int = 0

    def cooling(self, now: int, cooldown: int) -> bool:
        """Whether it cannot be given to a pod yet: ``<=`` is still in cooldown (data_store.go L252-254)."""
        return self.pod is None and now - self.unassigned <= cooldown


@dataclass
class StoredCidr:
    """A secondary IP (size 1) or prefix (size 16) from ``base`` on, with the addresses used at least once."""

    base: int
    size: int
    used: dict[int, UsedAddress] = field(default_factory=dict)

    @property
    def assigned(self) -> int:
        """Addresses with a pod."""
        return sum(address.pod is not None for address in self.used.values())

    def cooling(self, now: int, cooldown: int) -> int:
        """Addresses in cooldown."""
        return sum(address.cooling(now, cooldown) for address in self.used.values())

    def unused(self, now: int, cooldown: int) -> int | None:
        """The address for the next pod (getUnusedIP, data_store.go L1499-1536).

        Addresses out of cooldown are forgotten, all at once, and the lowest of them is given; else the lowest that
        never had a pod.
        """
        ready = [at for at, used in self.used.items() if used.pod is None and not used.cooling(now, cooldown)]
        for at in ready:
            del self.used[at]
        if ready:
            return min(ready)
        return next((at for at in range(self.base, self.base + self.size) if at not in self.used), None)


@dataclass
class StoredEni:
    """An ENI that ipamd knows; ``created`` is when it entered the store."""

    number: int
    created: int
    trunk: bool = False
    cidrs: dict[int, StoredCidr] = field(default_factory=dict)

    @property
    def primary(self) -> bool:
        """Whether it is the node's first ENI."""
        return self.number == 0

    @property
    def assigned(self) -> int:
        """Addresses with a pod."""
        return sum(cidr.assigned for cidr in self.cidrs.values())

    @property
    def total(self) -> int:
        """Pod addresses."""
        return sum(cidr.size for cidr in self.cidrs.values())

    @property
    def empty_cidrs(self) -> list[int]:
        """CIDRs without pods, by address; those with cooling addresses too (FindFreeableCidrs, L1562-1586)."""
        return [base for base, cidr in sorted(self.cidrs.items()) if cidr.assigned == 0]

    def cooling(self, now: int, cooldown: int) -> int:
        """Addresses in cooldown."""
        return sum(cidr.cooling(now, cooldown) for cidr in self.cidrs.values())


@dataclass
class IpamStore:
    """The ENIs by number, and where each pod has its address.

    Attributes
    ----------
    unit : int
        Addresses of one CIDR.
    cooldown : int
        IP_COOLDOWN_PERIOD. [ms]
    """

    unit: int
    cooldown: int
    enis: dict[int, StoredEni] = field(default_factory=dict)
    pods: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[StoredEni]:
        return iter([self.enis[number] for number in sorted(self.enis)])

    @property
    def trunk(self) -> bool:
        """Whether the trunk is in the store."""
        return any(eni.trunk for eni in self.enis.values())

    @property
    def empty_cidrs(self) -> int:
        """Free prefixes: CIDRs of which no address has a pod; cooldown does not matter (L1448-1461)."""
        return sum(len(eni.empty_cidrs) for eni in self.enis.values())

    def stats(self, now: int) -> PoolStats:
        """The pool at ``now``."""
        enis = self.enis.values()
        return PoolStats(
            sum(eni.total for eni in enis),
            sum(eni.assigned for eni in enis),
            sum(eni.cooling(now, self.cooldown) for eni in enis),
        )

    def add_cidr(self, number: int, base: int) -> None:
        """Enter a CIDR; one that is there stays as it is."""
        self.enis[number].cidrs.setdefault(base, StoredCidr(base, self.unit))

    def drop_cidr(self, number: int, base: int) -> None:
        """Remove a CIDR; pods on it lose their entry (DelIPv4CidrFromStore with force)."""
        cidr = self.enis[number].cidrs.pop(base)
        for address in cidr.used.values():
            if address.pod is not None:
                del self.pods[address.pod]

    def place(self, pod: int, now: int) -> int | None:
        """Give a pod the first free address (AssignPodIPv4Address, L782-860); None if there is none."""
        for eni in self:
            for base, cidr in sorted(eni.cidrs.items()):
                at = cidr.unused(now, self.cooldown)
                if at is not None:
                    cidr.used[at] = UsedAddress(pod)
                    self.pods[pod] = (eni.number, base, at)
                    return at
        return None

    def release(self, pod: int, now: int) -> None:
        """A pod goes: its address cools down from ``now`` on (L1239-1295). A pod without an entry changes nothing."""
        if pod in self.pods:
            number, base, at = self.pods.pop(pod)
            self.enis[number].cidrs[base].used[at] = UsedAddress(None, now)
