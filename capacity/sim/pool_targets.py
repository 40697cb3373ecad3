"""When ipamd's pool is too low or too high, and by how much: pure questions about its store.

Source: aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go and pkg/ipamd/datastore/data_store.go.
"""

from __future__ import annotations

from math import inf

from capacity.sim.ec2_side import PREFIX
from capacity.sim.ipam_store import IpamStore, PoolStats, StoredEni
from capacity.sim.node_setup import NodeSetup

MIN_ENI_AGE = 60_000  # younger ENIs are not freed (data_store.go L38, L1096-1098) [ms]


def short_of_targets(setup: NodeSetup, stats: PoolStats) -> int:
    """CIDRs that WARM_IP_TARGET and MINIMUM_IP_TARGET lack (datastoreTargetState, ipamd.go L2177-2231)."""
    warm, least = setup.settings.warm_ip, setup.settings.minimum_ip
    addresses = max(warm - stats.available, least - stats.total, 0)
    return -(-addresses // setup.unit)


def over_targets(setup: NodeSetup, store: IpamStore, stats: PoolStats) -> int:
    """CIDRs above both IP targets (ipamd.go L2177-2231)."""
    warm, least = setup.settings.warm_ip, setup.settings.minimum_ip
    if not setup.settings.prefix:
        return max(min(stats.available - warm, stats.total - least), 0)
    prefixes = stats.total // PREFIX
    over = max(min(store.empty_cidrs, prefixes + (-(stats.assigned + warm) // PREFIX)), 0)
    return max(min(over, prefixes + (-least // PREFIX)), 0)


def too_low(setup: NodeSetup, stats: PoolStats) -> bool:
    """Whether the pool must grow (isDatastorePoolTooLow, ipamd.go L2623-2657); never from max pods on."""
    if stats.total >= setup.max_pods:
        return False
    if setup.settings.ip_targets:
        return short_of_targets(setup, stats) > 0
    if setup.settings.prefix:
        unit, target = PREFIX, setup.settings.warm_prefix
    else:
        unit, target = setup.per_eni, setup.settings.warm_eni
    return stats.available < unit * target or (target == 0 and stats.available == 0)


def wanted(setup: NodeSetup, store: IpamStore) -> int:
    """CIDRs to ask EC2 for, before the ENI's limit (ipamd.go L2551-2568, L2714-2731)."""
    short = short_of_targets(setup, store.stats)
    if setup.settings.prefix:
        if setup.settings.ip_targets:
            return max(1, short)
        return max(1, setup.settings.warm_prefix - store.empty_cidrs)
    return short if setup.settings.ip_targets else setup.per_eni


def too_many(setup: NodeSetup, store: IpamStore, stats: PoolStats) -> int:
    """CIDRs to give back; 0 with only WARM_ENI_TARGET (isDatastorePoolTooHigh, ipamd.go L2659-2677, L892-900)."""
    if setup.settings.ip_targets:
        return over_targets(setup, store, stats)
    return max(store.empty_cidrs - setup.settings.warm_prefix, 0) if setup.settings.prefix else 0


def extra_enis(setup: NodeSetup, store: IpamStore, stats: PoolStats) -> bool:
    """Whether an ENI may be freed, ``stats`` of the update's start (shouldRemoveExtraENIs, ipamd.go L1488-1514)."""
    if setup.settings.ip_targets:
        return True
    if not setup.settings.prefix:
        return stats.available >= (setup.settings.warm_eni + 1) * setup.per_eni
    if stats.available >= (setup.settings.warm_prefix + 1) * PREFIX * setup.per_eni:
        return True
    return any(not eni.primary and not eni.trunk and eni.assigned == 0 for eni in store)


def room_for_eni(setup: NodeSetup, store: IpamStore) -> bool:
    """Whether one more ENI is allowed (hasRoomForEni, ipamd.go L2592-2621); an awaited trunk keeps its slot."""
    reserved = 1 if setup.trunk_slot and not store.trunk else 0
    return len(store.enis) < setup.eni_limit - setup.unmanaged - reserved


def deletable_eni(setup: NodeSetup, store: IpamStore, now: int) -> StoredEni | None:
    """The first ENI that can be freed (getDeletableENI, data_store.go L1042-1093)."""
    return next((eni for eni in store.walk() if deletable_from(setup, store, eni) <= now), None)


def deletable_from(setup: NodeSetup, store: IpamStore, eni: StoredEni) -> float:
    """When an ENI can be freed if no pod comes or goes; never is infinite. [ms]"""
    if eni.primary or eni.trunk or eni.assigned:
        return inf
    total = store.total - eni.total
    settings = setup.settings
    if settings.warm_ip and total - len(store.pods) < _rounded(settings.warm_ip, setup.unit):
        return inf
    if settings.minimum_ip and total < _rounded(settings.minimum_ip, setup.unit):
        return inf
    # WARM_PREFIX_TARGET holds here even under IP targets: FreeENI passes it always (ipamd.go L867).
    if settings.prefix and settings.warm_prefix and store.empty_cidrs - len(eni.cidrs) < settings.warm_prefix:
        return inf
    last, old_enough = eni.last_left(), eni.created + MIN_ENI_AGE
    return old_enough if last is None else max(old_enough, last + store.cooldown + 1)


def _rounded(addresses: int, unit: int) -> int:
    """Up to whole CIDRs."""
    return -(-addresses // unit) * unit
