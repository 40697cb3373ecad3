"""A node at one moment as ipamd knows it and as EC2 has it, and the calls that it makes.

Source: aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field

from capacity.sim.ec2_api import MOST_TRIES, NO_RETRY_GAIN, RETRY_PRICE, RETRY_TOKENS, THROTTLED, CallFailed, Ec2Api
from capacity.sim.ec2_side import Ec2Side
from capacity.sim.ipam_store import IpamStore, PoolStats
from capacity.sim.node_setup import NodeSetup

NEVER = -(10**15)

Steps = Generator[int, None, None]


@dataclass(slots=True)
class SimulatedNode:
    """A node at one moment: ipamd's store and memory, EC2's side, and the clock. Times in milliseconds.

    Attributes
    ----------
    freed : dict of int to int
        Until when reconciliation does not add a CIDR that was released.
    in_step : bool or None
        Whether a reconciliation would change nothing; None if that is not known since the last EC2 call.
    log : list of str or None
        Reasons of the decisions taken, if they are asked for.
    unschedulable : bool
        Whether the node has the taint ``node.kubernetes.io/unschedulable``, as ``kubectl cordon`` and ``drain`` set it.
    retry_tokens : int
        What is left of the SDK's quota for retries.
    """

    setup: NodeSetup
    ec2: Ec2Side
    store: IpamStore
    api: Ec2Api
    now: int = 0
    ready: bool = False
    last_decrease: int = NEVER
    last_action: int = NEVER
    last_insufficient: int = NEVER
    freed: dict[int, int] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    in_step: bool | None = None
    log: list[tuple[int, str]] | None = None
    unschedulable: bool = False
    retry_tokens: int = RETRY_TOKENS

    @property
    def provisions(self) -> bool:
        """Whether the pool may grow and ENIs may be freed (isENIAttachmentAllowed, ipamd.go L955-965, L855-858)."""
        return not self.unschedulable or self.setup.manages_unschedulable

    def forget(self) -> None:
        """ipamd exits: what it knew is lost, and read again from EC2 when it starts."""
        self.store = IpamStore(self.store.unit, self.store.cooldown, random=self.store.random)
        self.last_decrease = self.last_action = self.last_insufficient = NEVER
        self.freed, self.in_step = {}, None
        self.retry_tokens = RETRY_TOKENS

    @property
    def stats(self) -> PoolStats:
        """The pool now."""
        return self.store.stats

    @property
    def awaits_trunk(self) -> bool:
        """ENABLE_POD_ENI, and no trunk in the store."""
        return self.setup.settings.pod_eni and not self.store.trunk

    def say(self, text: str, before: PoolStats | None = None) -> None:
        """Keep the reason of a decision, with the pool ``before`` it against its targets."""
        if self.log is None:
            return
        if before:
            text += f" ({before.available} of {before.total} addresses had no pod; {self._targets()})"
        self.log.append((self.now, text))

    def _targets(self) -> str:
        targets = self.setup.settings
        if targets.ip_targets:
            return f"WARM_IP_TARGET {targets.warm_ip}, MINIMUM_IP_TARGET {targets.minimum_ip}"
        unit, target = ("PREFIX", targets.warm_prefix) if targets.prefix else ("ENI", targets.warm_eni)
        return f"WARM_{unit}_TARGET {target}"


def call(node: SimulatedNode, kind: str) -> Steps:
    """One EC2 call: its latency first; the caller then changes EC2's side.

    A throttled call is sent again after a pause, as the SDK does, if its quota for retries allows.

    Raises
    ------
    CallFailed
        EC2 answered with an error, or throttled the last try.
    """
    paid = 0
    for number, pause in enumerate(node.api.pauses(), 1):
        wait, error = node.api.send(kind, node.now)
        yield wait
        node.calls[kind] += 1
        node.in_step = None
        if error is None:
            node.retry_tokens = min(node.retry_tokens + (paid or NO_RETRY_GAIN), RETRY_TOKENS)
            return
        if error != THROTTLED or number == MOST_TRIES or node.retry_tokens < RETRY_PRICE:
            break
        paid = RETRY_PRICE
        node.retry_tokens -= paid
        yield pause()
    raise CallFailed(kind)
