"""A step-by-step model of Cilium's operator in ENI mode, written from its source and not from our closed forms.

cilium/cilium@00137987 pkg/ipam/node.go and pkg/aws/eni/node.go: one decision at a time – how many addresses are
needed, which ENI has room, else a new ENI – until nothing is needed. The agent takes the first free address.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class Eni:
    index: int
    slots: int = 0  # secondary IPs or prefixes
    used: int = 0  # addresses in use


@dataclass
class Node:
    adapters: int
    ipv4: int
    first_index: int = 0
    use_primary: bool = False
    prefix: bool = False
    pre_allocate: int = 8
    min_allocate: int = 0
    max_allocate: int = 0
    above: int = 0
    release: bool = False
    excluded: int = 0
    enis: list[Eni] = field(default_factory=list)
    used: int = 0
    lost: int = 0
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.enis = [Eni(0)]
        self.tagged = [Eni(100 + i) for i in range(self.excluded)]

    @property
    def unit(self) -> int:
        return 16 if self.prefix else 1

    @property
    def pod_enis(self) -> list[Eni]:
        return [e for e in self.enis if e.index >= self.first_index]

    def addresses_on(self, eni: Eni) -> int:
        return eni.slots * self.unit + self.use_primary

    @property
    def available(self) -> int:
        return sum(map(self.addresses_on, self.pod_enis))

    @property
    def maximum(self) -> int:
        if self.max_allocate > 0:
            return self.max_allocate
        return max(self.adapters - self.first_index, 0) * (self.ipv4 - 1) * self.unit

    def needed(self) -> int:
        needed = self.pre_allocate - (self.available - self.used)
        if self.min_allocate > 0:
            needed = max(needed, self.min_allocate - self.available)
        if self.available + needed > self.maximum:
            needed = self.maximum - self.available
        return max(needed, 0)

    def excess(self) -> int:
        """As of eni.rst @0e22bde5; before it a node above its minimum could give back below it, and flap."""
        base = self.min_allocate + self.above
        if self.used <= base and self.available <= base:
            return 0
        if self.used + self.pre_allocate <= base:
            return self.available - base
        return max(self.available - self.used - self.pre_allocate - self.above, 0)

    def room(self, eni: Eni) -> int:
        return max((self.ipv4 - 1) * self.unit + self.use_primary - self.addresses_on(eni), 0)

    def allocate(self, pending: int = 0) -> bool:
        """One maintenance of the pool; False where nothing was done."""
        needed = self.needed()
        if not needed:
            return False
        order = needed + self.above + max(pending - needed, 0)
        for eni in self.pod_enis:
            if self.room(eni) > 0:
                eni.slots += -(-min(self.room(eni), order) // self.unit)
                self.calls.append("AssignPrivateIpAddresses")
                return True
        if self.adapters - len(self.enis) - len(self.tagged) <= 0:
            return False
        index = self.first_index
        while any(e.index == index for e in self.enis):
            index += 1
        self.enis.append(Eni(index, -(-min(order, self.ipv4 - 1) // self.unit)))
        self.calls += ["CreateNetworkInterface", "AttachNetworkInterface", "ModifyNetworkInterfaceAttribute"]
        return True

    def settle(self, pending: int = 0) -> None:
        while self.allocate(pending):
            pass

    def use(self) -> None:
        """The agent hands out one address."""
        for eni in self.pod_enis:
            if eni.used < self.addresses_on(eni):
                eni.used += 1
                self.used += 1
                return
        self.lost += 1

    def free(self, rng: random.Random) -> None:
        eni = rng.choice([e for e in self.pod_enis if e.used])
        eni.used -= 1
        self.used -= 1

    def give_back(self) -> bool:
        """One release: from the ENI with most to give, never a prefix, never an ENI's own address."""
        excess = self.excess()
        if not self.release or self.prefix or not excess:
            return False
        eni = max(self.pod_enis, key=lambda e: e.slots - e.used, default=None)
        if eni is None or eni.slots <= eni.used:
            return False
        eni.slots -= min(excess, eni.slots - eni.used)
        return True

    def rest(self, pending: int = 0, most: int = 500) -> bool:
        """Up and down until at rest; False where it flaps for ever."""
        for _ in range(most):
            self.settle(pending)
            if not self.give_back():
                return True
        return False

    @property
    def subnet_addresses(self) -> int:
        return len(self.enis) + len(self.tagged) + sum(e.slots * self.unit for e in self.enis)


def grown(node: Node, pods: int) -> Node:
    """A fresh node after Cilium took its two addresses and ``pods`` pods came one by one."""
    node.settle()
    for _ in range(2 + pods):
        node.use()
        node.settle()
    return node
