"""A step-by-step model of ipamd's pool manager, written from its source and not from our closed forms.

aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go: one decision at a time – too low, grow one ENI or
attach one, too high, shrink, free one ENI – until nothing changes. Pods come one by one and take the
first free address (packed), or with a source of chance any; ENIs grow in the order in which they came, or in any.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

UNIT = {False: 1, True: 16}


@dataclass
class Eni:
    slots: list[int] = field(default_factory=list)  # pods in each secondary IP or prefix


@dataclass
class Node:
    k: int
    limit: int  # ENIs ipamd may use, the primary included
    idle_primary: bool
    prefix: bool
    warm_eni: int
    warm_ip: int
    minimum_ip: int
    warm_prefix: int
    max_pods: int
    enis: list[Eni] = field(default_factory=lambda: [Eni()])
    lost: int = 0

    @property
    def unit(self) -> int:
        return UNIT[self.prefix]

    @property
    def total(self) -> int:
        return self.unit * sum(len(e.slots) for e in self.enis)

    @property
    def assigned(self) -> int:
        return sum(sum(e.slots) for e in self.enis)

    @property
    def free_slots(self) -> int:
        return sum(s == 0 for e in self.enis for s in e.slots)

    def targets(self) -> bool:
        return bool(self.warm_ip or self.minimum_ip)

    def short(self) -> int:
        available = self.total - self.assigned
        short = max(self.warm_ip - available, self.minimum_ip - self.total, 0)
        return -(-short // self.unit)

    def over(self) -> int:
        if not self.prefix:
            return max(min(self.total - self.assigned - self.warm_ip, self.total - self.minimum_ip), 0)
        prefixes = self.total // 16
        over = max(min(self.free_slots, prefixes - -(-(self.assigned + self.warm_ip) // 16)), 0)
        return max(min(over, prefixes - -(-self.minimum_ip // 16)), 0)

    def too_low(self) -> bool:
        if self.total >= self.max_pods:
            return False
        if self.targets():
            return self.short() > 0
        available = self.total - self.assigned
        unit, target = (16, self.warm_prefix) if self.prefix else (self.k, self.warm_eni)
        return available < unit * target or (target == 0 and available == 0)

    def wanted(self) -> int:
        if self.targets():
            return max(1, self.short()) if self.prefix else self.short()
        return max(1, self.warm_prefix - self.free_slots) if self.prefix else self.k

    def grow(self, rng: random.Random | None = None) -> bool:
        wanted = self.wanted()
        serving = self.enis[1 if self.idle_primary else 0 :]
        for eni in rng.sample(serving, len(serving)) if rng else serving:
            if len(eni.slots) < self.k:
                eni.slots += [0] * min(self.k - len(eni.slots), wanted)
                return True
        if len(self.enis) < self.limit:
            self.enis.append(Eni([0] * min(wanted, self.k)))
            return True
        return False

    def settle_up(self) -> None:
        while self.too_low() and self.grow():
            pass

    def add_pod(self, rng: random.Random | None = None) -> None:
        places = [(e, i) for e in self.enis for i, pods in enumerate(e.slots) if pods < self.unit]
        if places:
            eni, i = rng.choice(places) if rng else places[0]
            eni.slots[i] += 1
        else:
            self.lost += 1

    def remove_pods(self, count: int, rng: random.Random) -> None:
        """Any ``count`` of the pods go, together."""
        places = [(e, i) for e in self.enis for i, pods in enumerate(e.slots) for _ in range(pods)]
        for eni, i in rng.sample(places, min(count, len(places))):
            eni.slots[i] -= 1

    def step(self, rng: random.Random, old: bool) -> None:
        """One decision of the pool manager; ``old``: ENIs may be freed, and addresses were long not given back."""
        if self.too_low():
            self.grow(rng)
        elif old:
            self.shrink(rng)

    def shrink(self, rng: random.Random) -> bool:
        """One decrease of slots or one freed ENI, cooldowns and ages passed; False where nothing changes."""
        if self.targets() or self.prefix:
            over = self.over() if self.targets() else max(self.free_slots - self.warm_prefix, 0)
            if over > 0:
                places = [(e, i) for e in self.enis for i, pods in enumerate(e.slots) if pods == 0]
                for eni, i in sorted(rng.sample(places, min(over, len(places))), key=lambda p: -p[1]):
                    del eni.slots[i]
                return True
        return self.free_eni(rng)

    def free_eni(self, rng: random.Random) -> bool:
        available = self.total - self.assigned
        if not self.targets():
            empty = any(not sum(e.slots) for e in self.enis[1:])
            threshold = (self.warm_prefix + 1) * 16 * self.k if self.prefix else (self.warm_eni + 1) * self.k
            if not (available >= threshold or (self.prefix and empty)):
                return False
        for eni in rng.sample(self.enis[1:], len(self.enis) - 1):
            if sum(eni.slots):
                continue
            others = [e for e in self.enis if e is not eni]
            total = self.unit * sum(len(e.slots) for e in others)
            warm = -(-self.warm_ip // self.unit) * self.unit
            least = -(-self.minimum_ip // self.unit) * self.unit
            if self.warm_ip and total - sum(sum(e.slots) for e in others) < warm:
                continue
            if self.minimum_ip and total < least:
                continue
            if self.prefix and self.warm_prefix and sum(s == 0 for e in others for s in e.slots) < self.warm_prefix:
                continue
            self.enis = others  # not remove(): an ENI that was emptied equals an idle primary
            return True
        return False

    def settle(self, rng: random.Random, most: int = 300) -> bool:
        """Up and down until at rest; False where it flaps for ever."""
        for _ in range(most):
            self.settle_up()
            if not self.shrink(rng):
                return not (self.too_low() and len(self.enis) < self.limit)
        return False

    @property
    def addresses(self) -> int:
        return len(self.enis) + self.total


def grown(node: Node, pods: int) -> Node:
    """The node after ``pods`` pods came one by one."""
    node.settle_up()
    for _ in range(pods):
        node.add_pod()
        node.settle_up()
    return node
