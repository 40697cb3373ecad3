"""A second, plain reading of ipamd's rules: every loop is played, and nothing is counted in advance.

It shares no code with :mod:`capacity.sim`; :mod:`tests.property.test_two_readings` compares both.
Source: aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go and pkg/ipamd/datastore/data_store.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

Steps = Generator[int, None, None]
Line = dict[str, Any]


class NoAddress(Exception):
    """The subnet has too few."""


@dataclass
class Eni:
    """An ENI in the store: of each CIDR its addresses used at least once, with their pod or the time it left."""

    created: int
    primary: bool
    trunk: bool
    cidrs: dict[int, dict[int, tuple[int | None, int]]] = field(default_factory=dict)

    @property
    def pods(self) -> int:
        return sum(pod is not None for used in self.cidrs.values() for pod, _ in used.values())


@dataclass
class Attached:
    """An ENI as EC2 has it."""

    own: list[int]
    cidrs: set[int] = field(default_factory=set)
    attached: bool = True
    managed: bool = True
    trunk: bool = False


class PlainNode:
    """One node; ``trunk_slot`` and ``trunking`` are those of its type."""

    def __init__(self, header: Mapping[str, Any], *, trunk_slot: bool, trunking: bool) -> None:
        env = header["env"]

        def number(name: str, default: int) -> int:
            return int(env.get(name, default))

        self.header = header
        self.prefix = header["mode"] == "prefix"
        self.unit = 16 if self.prefix else 1
        self.warm_eni, self.warm_prefix = number("WARM_ENI_TARGET", 1), number("WARM_PREFIX_TARGET", 0)
        self.warm_ip, self.minimum = number("WARM_IP_TARGET", 0), number("MINIMUM_IP_TARGET", 0)
        self.by_ip = self.warm_ip != 0 or self.minimum != 0
        most = number("MAX_ENI", -1)
        self.enis_allowed = (most if 1 <= most < header["max_enis"] else header["max_enis"]) - header["unmanaged_enis"]
        self.each: int = header["ipv4_per_eni"] - 1
        self.cooldown = 1000 * number("IP_COOLDOWN_PERIOD", 30)
        self.discovery = env.get("ENABLE_SUBNET_DISCOVERY", "true") == "true"
        self.custom = header["custom_networking"]
        self.pod_eni = env.get("ENABLE_POD_ENI", "false") == "true"
        self.trunk_slot, self.trunking = self.pod_eni and trunk_slot, self.pod_eni and trunking
        self.size = ip_network(header["subnet"]).num_addresses
        self.taken = {0, 1, 2, 3, self.size - 1, *header["others"]}
        self.calls: Counter[str] = Counter()
        self.now = 0
        self.store: dict[int, Eni] = {}
        self.ec2: dict[int, Attached] = {}
        self.created = 0
        self.decreased = self.acted = self.insufficient = -(10**12)
        self.freed: dict[int, int] = {}
        self.ready = False
        for n in range(1 + header["unmanaged_enis"]):
            self.attach(Attached([] if self.custom else self.take(1, 1), managed=n == 0))

    # EC2

    def attach(self, eni: Attached) -> int:
        self.ec2[self.created] = eni
        self.created += 1
        return self.created - 1

    def take(self, count: int, size: int) -> list[int]:
        free = [at for at in range(0, self.size, size) if self.taken.isdisjoint(range(at, at + size))][:count]
        if len(free) < count:
            raise NoAddress
        self.give(free, size, taken=True)
        return free

    def give(self, bases: Sequence[int] | set[int], size: int, *, taken: bool = False) -> None:
        addresses = {at for base in bases for at in range(base, base + size)}
        self.taken = self.taken | addresses if taken else self.taken - addresses

    def call(self, kind: str) -> Steps:
        yield self.header["latency_ms"][kind]
        self.calls[kind] += 1

    # the pool

    @property
    def total(self) -> int:
        return sum(len(eni.cidrs) * self.unit for eni in self.store.values())

    @property
    def assigned(self) -> int:
        return sum(eni.pods for eni in self.store.values())

    @staticmethod
    def empty(used: Mapping[int, tuple[int | None, int]]) -> bool:
        return all(pod is None for pod, _ in used.values())

    def free_cidrs(self, enis: Sequence[Eni]) -> int:
        return sum(self.empty(used) for eni in enis for used in eni.cidrs.values())

    @property
    def has_trunk(self) -> bool:
        return any(eni.trunk for eni in self.store.values())

    def cools(self, entry: tuple[int | None, int]) -> bool:
        return entry[0] is None and self.now - entry[1] <= self.cooldown

    def place(self, pod: int) -> int | None:
        for _, eni in sorted(self.store.items()):
            for base, used in sorted(eni.cidrs.items()):
                ready = [at for at, entry in used.items() if entry[0] is None and not self.cools(entry)]
                for at in ready:
                    del used[at]
                found = min(ready, default=next((at for at in range(base, base + self.unit) if at not in used), None))
                if found is not None:
                    used[found] = pod, 0
                    return found
        return None

    def release(self, pod: int) -> None:
        for eni in self.store.values():
            for used in eni.cidrs.values():
                used.update({at: (None, self.now) for at, entry in used.items() if entry[0] == pod})

    def up(self, addresses: int) -> int:
        return -(-addresses // self.unit) * self.unit

    def short(self, total: int, assigned: int) -> int:
        return self.up(max(self.warm_ip - (total - assigned), self.minimum - total, 0)) // self.unit

    def low(self, total: int, assigned: int) -> bool:
        if total >= self.header["max_pods"]:
            return False
        if self.by_ip:
            return self.short(total, assigned) > 0
        unit, target = (16, self.warm_prefix) if self.prefix else (self.each, self.warm_eni)
        return total - assigned < unit * target or (target == 0 and total == assigned)

    def over(self, total: int, assigned: int) -> int:
        free = self.free_cidrs(list(self.store.values()))
        if not self.by_ip:
            return max(free - self.warm_prefix, 0) if self.prefix else 0
        if not self.prefix:
            return max(min(total - assigned - self.warm_ip, total - self.minimum), 0)
        held = total // 16
        needed = max(self.up(assigned + self.warm_ip), self.up(self.minimum)) // 16
        return max(min(free, held - needed), 0)

    def request(self) -> int:
        short = self.short(self.total, self.assigned)
        if self.prefix:
            free = self.free_cidrs(list(self.store.values()))
            return max(1, short if self.by_ip else self.warm_prefix - free)
        return short if self.by_ip else self.each

    # steps

    def set_up(self, n: int) -> Steps:
        self.store[n] = Eni(self.now, n == 0, self.ec2[n].trunk)
        if self.discovery:
            yield from self.call("DescribeSubnets")
        for base in self.ec2[n].cidrs:
            self.store[n].cidrs.setdefault(base, {})

    def flag(self) -> None:
        room = self.pod_eni and not self.has_trunk and len(self.store) < self.enis_allowed
        if room and self.trunking and not any(eni.trunk for eni in self.ec2.values()):
            self.attach(Attached(self.take(1, 1), trunk=True))

    def start(self) -> Steps:
        yield from self.call("DescribeNetworkInterfaces")
        yield from self.call("CreateTags")
        yield from self.set_up(0)
        if not self.custom:
            yield from self.call("ModifyNetworkInterfaceAttribute")
        self.flag()
        if self.low(self.total, self.assigned):
            yield from self.increase()
        self.ready = self.total > 0 or not self.custom

    def increase(self) -> Steps:
        if self.now - self.insufficient <= 120_000:
            return
        request = self.request()
        for n in sorted(self.store) if request else ():
            eni, ec2 = self.store[n], self.ec2[n]
            held, given = set(ec2.cidrs), ec2.cidrs
            if eni.trunk or (eni.primary and self.custom) or len(eni.cidrs) >= self.each:
                continue
            for count in (min(self.each - len(eni.cidrs), request), 1):
                yield from self.call("AssignPrivateIpAddresses")
                if len(ec2.cidrs) + count > self.each:  # PrivateIpAddressLimitExceeded: the store lost some
                    yield from self.call("DescribeNetworkInterfaces")
                else:
                    try:
                        ec2.cidrs.update(self.take(count, self.unit))
                    except NoAddress:
                        continue
                    given = ec2.cidrs - held
                for base in given:
                    eni.cidrs.setdefault(base, {})
                self.acted = self.now
                return
            if not self.discovery:
                self.insufficient = self.now
                return
        reserved = self.trunk_slot and not self.has_trunk
        if len(self.store) < self.enis_allowed - reserved:
            yield from self.new_eni(min(self.request(), self.each))

    def new_eni(self, request: int) -> Steps:
        if request:
            if not self.custom:
                yield from self.call("DescribeSubnets")
            yield from self.call("CreateNetworkInterface")
            try:
                own = self.take(1, 1)
            except NoAddress:
                self.insufficient = self.now
                return
            try:
                n = self.attach(Attached(own, set(self.take(request, self.unit)), attached=False))
            except NoAddress:
                self.give(own, 1)
                self.insufficient = self.now
                return
            yield from self.call("DescribeInstances")
            yield from self.call("AttachNetworkInterface")
            self.ec2[n].attached = True
            yield from self.call("ModifyNetworkInterfaceAttribute")
            yield from self.set_up(n)
        self.acted = self.now

    def decrease(self) -> Steps:
        over = self.over(self.total, self.assigned)
        for n in sorted(self.store):
            cidrs = self.store[n].cidrs
            gone = [base for base in sorted(cidrs) if self.empty(cidrs[base])][: max(over, 0)]
            if gone:
                for base in gone:
                    del cidrs[base]
                    self.freed[base] = self.now + 60_000
                over -= len(gone)
                yield from self.call("UnassignPrivateIpAddresses")
                self.ec2[n].cidrs.difference_update(gone)
                self.give(gone, self.unit)

    def extra(self, total: int, assigned: int) -> bool:
        if self.by_ip:
            return True
        if not self.prefix:
            return total - assigned >= (self.warm_eni + 1) * self.each
        idle = any(not (eni.primary or eni.trunk or eni.pods) for eni in self.store.values())
        return idle or total - assigned >= (self.warm_prefix + 1) * 16 * self.each

    def deletable(self, n: int) -> bool:
        eni, others = self.store[n], [other for m, other in self.store.items() if m != n]
        if eni.primary or eni.trunk or eni.pods or self.now - eni.created < 60_000:
            return False
        if any(self.cools(entry) for used in eni.cidrs.values() for entry in used.values()):
            return False
        left = sum(len(other.cidrs) * self.unit for other in others)
        warm = not self.warm_ip or left - self.assigned >= self.up(self.warm_ip)
        least = not self.minimum or left >= self.up(self.minimum)
        prefix = not (self.prefix and self.warm_prefix) or self.free_cidrs(others) >= self.warm_prefix
        return warm and least and prefix

    def free_eni(self) -> Steps:
        n = next((n for n in sorted(self.store) if self.deletable(n)), None)
        if n is None:
            return
        del self.store[n]
        yield from self.call("DescribeNetworkInterfaces")
        yield from self.call("DetachNetworkInterface")
        self.ec2[n].attached = False
        yield 2_000
        yield from self.call("DeleteNetworkInterface")
        eni = self.ec2.pop(n)
        self.give(eni.own, 1)
        self.give(eni.cidrs, self.unit)

    def update(self) -> Steps:
        self.flag()
        total, assigned = self.total, self.assigned
        decreases = not self.low(total, assigned) and self.over(total, assigned) > 0
        decreases = decreases and self.now - self.decreased > 30_000
        if self.low(total, assigned):
            yield from self.increase()
        elif decreases:
            yield from self.decrease()
        if self.extra(total, assigned):
            yield from self.free_eni()
        if decreases:
            self.decreased = self.acted = self.now

    def reconcile(self) -> Steps:
        if self.now - self.acted <= 60_000 and not (self.pod_eni and not self.has_trunk):
            return
        shown = [n for n, eni in self.ec2.items() if eni.attached and eni.managed]
        if any(n not in self.store for n in shown):
            yield from self.call("DescribeNetworkInterfaces")
        for n in shown:
            yield from self.compare(n) if n in self.store else self.set_up(n)
        self.acted = self.now

    def compare(self, n: int) -> Steps:
        cidrs, known = self.store[n].cidrs, set(self.store[n].cidrs)
        asked = known != self.ec2[n].cidrs
        if asked:
            yield from self.call("DescribeNetworkInterfaces")
        seen = set()
        for base in sorted(self.ec2[n].cidrs):
            if self.freed.get(base, 0) > self.now:
                continue
            if base in self.freed:
                del self.freed[base]
                if not asked:
                    yield from self.call("DescribeNetworkInterfaces")
                    asked = True
            cidrs.setdefault(base, {})
            seen.add(base)
        for base in known - seen:
            cidrs.pop(base, None)

    def life(self) -> Generator[int | tuple[str, int | None], None, None]:
        yield from self.start()
        end = round(1000 * self.header["end"])
        if not self.ready:
            yield max(end - self.now, 0)
            return
        yield "init", None
        while self.now < end:
            for event, step in (("update", self.update), ("reconcile", self.reconcile)):
                yield 2_500
                began = self.now
                yield from step()
                yield event, began


def play(node: PlainNode, events: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    """Every line of a node's life, those without a change left out."""
    before: object = None
    for line in _lines(node, events):
        after = [eni[:3] for eni in line["per_eni"]], line["ec2_calls"], line["subnet_free"]
        if line["event"] not in ("update", "reconcile") or after != before:
            yield line
        before = after


def _lines(node: PlainNode, events: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    times = [round(1000 * event["t"]) for event in events]
    waiting: list[int] = []
    steps, due, done, last = node.life(), 0, 0, -1

    def placed() -> list[list[int]]:
        found = []
        while waiting and node.ready and (at := node.place(waiting[0])) is not None:
            found.append([waiting.pop(0), at])
        return found

    while True:
        moments = times[done : done + 1]
        if waiting:
            tries = (second * 1000 + 37 for second in range(last // 1000, 10**6))
            moments.append(next(t for t in tries if t > last and all(t // 1000 != at // 1000 for at in times)))
        if not moments or due <= min(moments):
            node.now = due
            step = next(steps, None)
            if step is None:
                yield _line(node, "end", waiting)
                return
            if isinstance(step, int):
                due += step
            else:
                yield _line(node, step[0], waiting, began=step[1])
            continue
        node.now = last = min(moments)
        if done < len(times) and times[done] == last:
            event, done = events[done], done + 1
            pods = event.get("pods", [])
            if event["event"] == "add":
                waiting += pods
            for pod in pods if event["event"] == "delete" else ():
                waiting.remove(pod) if pod in waiting else node.release(pod)
            yield _line(node, event["event"], waiting, pods=pods, placed=placed() if event["event"] == "add" else [])
        elif got := placed():
            yield _line(node, "retry", waiting, placed=got)


def _line(node: PlainNode, event: str, waiting: Sequence[int], **more: Any) -> Line:
    def seconds(milliseconds: int) -> float | int:
        return milliseconds / 1000 if milliseconds % 1000 else milliseconds // 1000

    line: Line = {"t": seconds(node.now), "event": event}
    if more.get("began") is not None:
        line["began"] = seconds(more["began"])
    line |= {key: more[key] for key in ("pods", "placed") if more.get(key)}
    enis = sorted(node.store.items())
    cooling = [sum(node.cools(entry) for used in eni.cidrs.values() for entry in used.values()) for _, eni in enis]
    return line | {
        "waiting": len(waiting),
        "enis": len(enis),
        "per_eni": [[n, len(eni.cidrs), eni.pods, cools] for (n, eni), cools in zip(enis, cooling, strict=True)],
        "total_ips": node.total,
        "assigned": node.assigned,
        "cooldown": sum(cooling),
        "available": node.total - node.assigned,
        "ec2_calls": [node.calls[kind] for kind in node.header["latency_ms"]],
        "subnet_free": node.size - len(node.taken),
    }
