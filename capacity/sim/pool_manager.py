"""ipamd's life on one node, step by step: initialisation, then the pool loop.

Each step is a generator that yields milliseconds to wait, for a sleep or the latency of an EC2 call. Whoever drives it
(:mod:`capacity.sim.node_life`) sets ``node.now`` before it goes on, so that pods come and go while a call runs: no lock
is held over calls.

Source: aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go; IPv4, the default network card.
"""

from __future__ import annotations

from collections.abc import Generator

from capacity.sim.ec2_api import CallFailed
from capacity.sim.ec2_side import Ec2Eni, EniFull, SubnetFull
from capacity.sim.ipam_store import StoredEni
from capacity.sim.pool_targets import deletable_eni, extra_enis, room_for_eni, too_low, too_many, wanted
from capacity.sim.simulated_node import SimulatedNode, Steps, call

LOOP_SLEEP = 2_500  # before each half of the loop (ipamd.go L60, L786-793) [ms]
DECREASE_INTERVAL = 30_000  # L64, L825-834
RECONCILE_INTERVAL = 60_000  # L63, L1570-1577
FREED_FOR = 60_000  # reconciliation does not add a CIDR released less long ago (L68, L333-358)
INSUFFICIENT_WAIT = 120_000  # no increase after a full subnet (L167, L978-981)
DETACH_PAUSE = 2_000  # between DetachNetworkInterface and DeleteNetworkInterface (awsutils.go L1428-1551)


def initialise(node: SimulatedNode) -> Steps:
    """Start of ipamd (nodeInit, ipamd.go L458-672), with one increase (handlePreScaling, L674-693).

    Under custom networking a pool that is still empty fails it: the node does not get ready. The trunk is flagged
    before the increase, so it can take the address or the slot that the first ENI for pods lacks.
    """
    yield from call(node, "DescribeNetworkInterfaces")
    managed = node.ec2.metadata()
    for number in managed:
        yield from tag_eni(node, number)
        yield from set_up_eni(node, number)
        if node.setup.settings.ipv6:  # one /80 for all pods (L1177-1214)
            yield from call(node, "DescribeNetworkInterfaces")
            yield from call(node, "AssignIpv6Addresses")
    if not node.setup.settings.custom_networking:  # awsutils.go L668-705
        for _ in managed:
            yield from call(node, "ModifyNetworkInterfaceAttribute")
    if node.setup.settings.ipv6:
        node.ready = True
        return
    flag_for_trunk(node)
    if too_low(node.setup, node.stats):
        yield from increase(node)
    node.ready = node.stats.total > 0 or not node.setup.settings.custom_networking


def flag_for_trunk(node: SimulatedNode) -> None:
    """Ask for the trunk if a slot is free (ipamd.go L1467-1484); the controller then attaches it at once."""
    if not node.awaits_trunk or len(node.store.enis) >= node.setup.eni_limit - node.setup.unmanaged:
        return
    if node.setup.trunking and not any(eni.trunk for eni in node.ec2.enis.values()):
        try:
            own = node.ec2.space.take(1)
        except SubnetFull:
            return
        node.ec2.add(Ec2Eni(own, trunk=True))
        node.in_step = None


def tag_eni(node: SimulatedNode, number: int) -> Steps:
    """Give an ENI ipamd's tags if it lacks them; the trunk gets none (ipamd.go L525-535, L1620-1625)."""
    eni = node.ec2.enis[number]
    if not eni.trunk and not eni.tagged:
        yield from call(node, "CreateTags")
        eni.tagged = True


def set_up_eni(node: SimulatedNode, number: int) -> Steps:
    """Enter an ENI, and only after the subnet's description its CIDRs (setupENI, ipamd.go L1267-1340)."""
    node.store.add_eni(StoredEni(number, node.now, node.ec2.enis[number].trunk))
    if node.setup.discovery:
        yield from call(node, "DescribeSubnets")
    for base in node.ec2.enis[number].cidrs:
        node.store.add_cidr(number, base)


def update(node: SimulatedNode) -> Steps:
    """First half of the loop (updateIPPoolIfRequired, ipamd.go L796-823)."""
    flag_for_trunk(node)
    stats = node.stats
    decreased = False
    if too_low(node.setup, stats):
        yield from increase(node)
    elif too_many(node.setup, node.store, stats) and node.now - node.last_decrease > DECREASE_INTERVAL:
        yield from decrease(node)
        decreased = True
    if extra_enis(node.setup, node.store, stats):
        yield from free_eni(node)
    if decreased:
        node.last_decrease = node.last_action = node.now


def increase(node: SimulatedNode) -> Steps:
    """Grow one ENI, or attach a new one (increaseDatastorePool, ipamd.go L968-1009); an error ends it."""
    if not node.provisions or node.now - node.last_insufficient <= INSUFFICIENT_WAIT:
        return
    try:
        ended = yield from _grow_eni(node)
        if not ended and room_for_eni(node.setup, node.store):
            yield from _new_eni(node)
    except CallFailed as error:
        node.say(f"{error.kind} failed: the increase ends, the next loop tries again")


def growable(node: SimulatedNode) -> list[StoredEni]:
    """ENIs that can get CIDRs (GetAllocatableENIs, data_store.go L1118-1139)."""
    most = node.setup.per_eni
    idle_primary = node.setup.idle_primary
    return [e for e in node.store.walk() if not e.trunk and not (e.primary and idle_primary) and len(e.cidrs) < most]


def _grow_eni(node: SimulatedNode) -> Generator[int, None, bool]:
    """Ask for CIDRs on one ENI after the other until one gets any (tryAssignIPs, tryAssignPrefixes, L1115-1260).

    True if that ends the increase: an ENI grew, or the subnet is full and discovery is off. A call that fails for
    another reason is tried once more for one CIDR, then ends the increase too.
    """
    before, request = node.stats, wanted(node.setup, node.store)
    most = node.setup.per_eni
    for eni in growable(node) if request else ():
        for count in (min(most - len(eni.cidrs), request), 1):
            try:
                yield from call(node, "AssignPrivateIpAddresses")
                given = node.ec2.assign(eni.number, count)
            except SubnetFull:
                node.say(f"low, but the subnet has no room for {count} more on ENI {eni.number}")
                failed: CallFailed | None = None
                continue
            except CallFailed as error:
                failed = error
                continue
            except EniFull:  # EC2 has CIDRs that the store lost: all of them enter (L1150-1170)
                yield from call(node, "DescribeNetworkInterfaces")
                given = sorted(node.ec2.enis[eni.number].cidrs)
            for base in given:
                node.store.add_cidr(eni.number, base)
            node.last_action = node.now
            node.say(f"low: ENI {eni.number} gets {count} more", before)
            return True
        if failed:
            raise failed
        if not node.setup.discovery:
            node.last_insufficient = node.now
            node.say("the subnet is full and discovery is off: no increase for 120 s")
            return True
    return False


def _new_eni(node: SimulatedNode) -> Steps:
    """Create, attach and set up an ENI with all its CIDRs, or none (tryAllocateENI, L1050-1101; awsutils.go L978-1221).

    The request is counted a second time: pods may have come or gone while calls failed (L2551-2568). With discovery
    each subnet of the zone is tried, the one with the most free addresses first.
    """
    before, request = node.stats, min(wanted(node.setup, node.store), node.setup.per_eni)
    if request:
        if not node.setup.settings.custom_networking:
            yield from call(node, "DescribeSubnets")
        number = yield from _create_eni(node, request)
        if number is None:
            node.last_insufficient = node.now
            node.say(f"low, but no subnet has room for an ENI with {request}: no increase for 120 s")
            return
        try:
            yield from call(node, "DescribeInstances")
            yield from call(node, "AttachNetworkInterface")
            if node.ec2.attached >= node.setup.type_enis:  # one that could not be detached is still there
                raise CallFailed("AttachNetworkInterface")
        except CallFailed:
            yield from _delete_eni(node, number)
            raise
        node.ec2.enis[number].attached = True
        yield from call(node, "ModifyNetworkInterfaceAttribute")
        yield from set_up_eni(node, number)
        node.say(f"low: new ENI {number} with {request}", before)
    node.last_action = node.now


def _create_eni(node: SimulatedNode, request: int) -> Generator[int, None, int | None]:
    """Number of a new ENI, or None if no subnet has room for it."""
    for space in node.ec2.choices:
        yield from call(node, "CreateNetworkInterface")
        try:
            return node.ec2.create(request, space)
        except SubnetFull:
            continue
    return None


def decrease(node: SimulatedNode) -> Steps:
    """Release CIDRs without pods, cooling or not (tryUnassignCidrsFromAll, ipamd.go L892-941)."""
    before = node.stats
    over = too_many(node.setup, node.store, before)
    for eni in node.store.walk():
        gone = node.store.shuffled(eni.empty_cidrs)[:over]
        if not gone:
            continue
        for base in gone:
            node.store.drop_cidr(eni.number, base)
            node.freed[base] = node.now + FREED_FOR
        node.say(f"high: ENI {eni.number} releases {len(gone)}", before)
        over -= len(gone)
        try:
            yield from call(node, "UnassignPrivateIpAddresses")
            node.ec2.unassign(eni.number, gone)
        except CallFailed:  # EC2 keeps them; a later reconciliation enters them again
            node.say("UnassignPrivateIpAddresses failed")
        if over <= 0:
            return


def free_eni(node: SimulatedNode) -> Steps:
    """Detach and delete one ENI; its addresses stay taken until the end (tryFreeENI, ipamd.go L849-889)."""
    eni = deletable_eni(node.setup, node.store, node.now) if node.provisions else None
    if eni is None:
        return
    node.say(f"high: ENI {eni.number} has no pods and is deleted", node.stats)
    node.store.drop_eni(eni.number)
    try:
        yield from call(node, "DescribeNetworkInterfaces")
        yield from call(node, "DetachNetworkInterface")
    except CallFailed:  # it stays attached; a later reconciliation enters it again
        node.say(f"ENI {eni.number} could not be detached")
        return
    node.ec2.enis[eni.number].attached = False
    yield DETACH_PAUSE
    yield from _delete_eni(node, eni.number)


def _delete_eni(node: SimulatedNode, number: int) -> Steps:
    """Delete a detached ENI; a call that fails is made again."""
    while True:
        try:
            yield from call(node, "DeleteNetworkInterface")
        except CallFailed:
            yield DETACH_PAUSE
            continue
        node.ec2.delete(number)
        return


def reconcile(node: SimulatedNode) -> Steps:
    """Second half of the loop: the metadata holds (nodeIPPoolReconcile, ipamd.go L1570-1708)."""
    if node.now - node.last_action <= RECONCILE_INTERVAL and not node.awaits_trunk:
        return
    if not in_step(node):
        try:
            yield from _reconcile_enis(node)
        except CallFailed:
            return  # the next loop tries again
    node.last_action = node.now


def in_step(node: SimulatedNode) -> bool:
    """Whether a reconciliation changes nothing: the store has what EC2 has, and no CIDR of late among it."""
    if node.in_step is None:
        attached = node.ec2.metadata()
        node.in_step = node.store.enis.keys() == set(attached) and all(
            node.store.enis[number].cidrs.keys() == node.ec2.enis[number].cidrs
            and node.freed.keys().isdisjoint(node.ec2.enis[number].cidrs)
            for number in attached
        )
    return node.in_step


def _reconcile_enis(node: SimulatedNode) -> Steps:
    node.in_step = None
    attached = node.ec2.metadata()
    if any(number not in node.store.enis for number in attached):
        yield from call(node, "DescribeNetworkInterfaces")
    for number in attached:
        if number in node.store.enis:
            yield from _reconcile_cidrs(node, number)
            continue
        yield from tag_eni(node, number)
        yield from set_up_eni(node, number)


def _reconcile_cidrs(node: SimulatedNode, number: int) -> Steps:
    """Make the CIDRs of an ENI those that EC2 has, but for CIDRs released in the last 60 s (L1731-1935).

    Such a CIDR leaves the store, pods or not, where EC2 gave it to the ENI again.
    """
    known = set(node.store.enis[number].cidrs)
    attached = sorted(node.ec2.enis[number].cidrs)
    asked = known != set(attached)
    if asked:
        yield from call(node, "DescribeNetworkInterfaces")
        attached = sorted(node.ec2.enis[number].cidrs)
    seen = set()
    for base in attached:
        if base in node.freed:
            if node.now < node.freed[base]:
                continue
            if not asked:
                yield from call(node, "DescribeNetworkInterfaces")
                asked = True
            del node.freed[base]
        node.store.add_cidr(number, base)
        seen.add(base)
    for base in known - seen:
        lost = node.store.enis[number].cidrs[base].pods
        if lost:
            node.say(f"reconciliation drops an address that was released within 60 s, and {len(lost)} pod with it")
        node.store.drop_cidr(number, base)
