"""Computes the settled address pool of one node, in closed form.

Every function takes ints or integer arrays of one broadcast shape. Letters follow the derivation in
``docs/explanation/cni-addresses.md``: k addresses (or prefixes) per ENI without its primary address, P pods on
VPC addresses, u addresses per slot (1 for a secondary IP, 16 for a /28 prefix).

The figure is for a new node on which pods start one by one, packed, with the pool settled after each; if the pool
alternates between two states, it is the larger. If the placement of pods on prefixes matters (WARM_PREFIX_TARGET of 2
and more), it is the mean over many such nodes.

Source: aws/amazon-vpc-cni-k8s@b5218838 pkg/ipamd/ipamd.go (isDatastorePoolTooLow L2623-2657,
datastoreTargetState L2177-2231, increaseDatastorePool L968-1009) and
pkg/ipamd/datastore/data_store.go. Conformance: tests/conformance/cni_steady_state.csv and a
step-by-step model of the same code, tests/property/test_pool_against_steps.py.
"""

from __future__ import annotations

from capacity.cni.prefix_walks import walked_prefixes
from capacity.plan.constants import PREFIX_SIZE
from capacity.units import IntLike, ceil_div, larger, smaller


def managed_enis(limit: IntLike, max_eni: IntLike, unmanaged: IntLike, trunk: IntLike) -> IntLike:
    """ENIs that ipamd can use on one node, including the primary. [ENIs]

    Parameters
    ----------
    limit : int or ndarray of int
        ENIs of the default network card. [ENIs]
    max_eni : int or ndarray of int
        MAX_ENI, or ``limit`` if it is not set. [ENIs]
    unmanaged : int or ndarray of int
        ENIs tagged no_manage, unmanaged ENIs without tags, EFA-only ENIs. [ENIs]
    trunk : int or ndarray of int
        1 if ENABLE_POD_ENI reserves a slot for a trunk. [ENIs]

    Notes
    -----
    max(1, min(limit, max_eni) - unmanaged - trunk): the primary is always there.

    Source
    ------
    ipamd.go L1406-1422 (MAX_ENI), L2149-2168 (unmanaged), L2592-2621 (trunk slot).

    Examples
    --------
    >>> managed_enis(limit=4, max_eni=4, unmanaged=0, trunk=1)
    3
    """
    return larger(smaller(limit, max_eni) - unmanaged - trunk, 1)


def trunk_attaches(limit: IntLike, max_eni: IntLike, unmanaged: IntLike) -> IntLike:
    """1 if there is a slot for a trunk in addition to the primary, otherwise 0. [ENIs]

    Notes
    -----
    ipamd requests a trunk at its start if its ENIs are fewer than min(limit, MAX_ENI) - unmanaged; it has the primary
    at that time. If there is no other slot, no trunk is ever attached, and no pod gets a branch ENI.

    Source
    ------
    ipamd.go L1467-1484.

    Examples
    --------
    >>> trunk_attaches(limit=3, max_eni=3, unmanaged=0), trunk_attaches(limit=3, max_eni=1, unmanaged=0)
    (1, 0)
    """
    return smaller(larger(smaller(limit, max_eni) - unmanaged - 1, 0), 1)


def slots_with_whole_units(pods: IntLike, unit: IntLike, target: IntLike) -> IntLike:
    """Units (ENIs or prefixes) that keep ``target`` whole units of addresses free. [units]

    Notes
    -----
    target + ceil(P / unit) for target >= 1. For target 0 the pool grows when no address is left:
    1 + floor(P / unit), the larger of the two alternating states if unit divides P.

    Source
    ------
    ipamd.go L2639-2655: low while available < unit * target, or target = 0 and available = 0.

    Examples
    --------
    >>> slots_with_whole_units(pods=11, unit=9, target=1)  # m5.large, WARM_ENI_TARGET=1
    3
    """
    return larger(target, 1) + (pods + (unit - 1) * (target > 0)) // unit


def enis_within_reach(unit: IntLike, k: IntLike, max_pods: IntLike, serving: IntLike) -> IntLike:
    """ENIs that can ever have pod addresses: another one is created only if all are full and hold less than max pods.
    [ENIs]

    Source
    ------
    ipamd.go L968-1009 (an ENI is created if none can grow), L2637 (max pods).

    Examples
    --------
    >>> enis_within_reach(unit=1, k=49, max_pods=110, serving=15), enis_within_reach(16, 49, 110, 15)
    (3, 1)
    """
    return smaller(serving, ceil_div(ceil_div(max_pods, unit), k))


def most_slots_grown(
    request: IntLike, first: IntLike, least: IntLike, unit: IntLike, k: IntLike, max_pods: IntLike, serving: IntLike
) -> IntLike:
    """Most secondary IPs or prefixes that any growth reaches: one step can start just below max pods. [slots]

    Parameters
    ----------
    request : int or ndarray of int
        Most slots that one step requests if none is free. [slots]
    first : int or ndarray of int
        Slots that an empty node requests. [slots]
    least : int or ndarray of int
        MINIMUM_IP_TARGET in slots. [slots]

    Notes
    -----
    Growth stops at max pods, and a step stays on one ENI. The last step starts one slot below max pods, if the pool
    ever settles there; a pool with a larger initial target stops only at full ENIs.

    Source
    ------
    ipamd.go L2637, L2714-2731, L1115-1260.

    Examples
    --------
    >>> most_slots_grown(request=3, first=3, least=0, unit=16, k=49, max_pods=110, serving=15)  # m5.24xlarge
    9
    """
    stop = ceil_div(max_pods, unit)
    enis = enis_within_reach(unit, k, max_pods, serving)
    beyond = (first >= stop) * 1
    start = (1 - beyond) * (stop - 1) + beyond * (enis - 1) * k
    return smaller(enis * k, larger(start + request, least))


def enis_by_eni_target(pods: IntLike, k: IntLike, warm_eni: IntLike, max_pods: IntLike, serving: IntLike) -> IntLike:
    """ENIs with pod addresses for a WARM_ENI_TARGET; each has k secondary IPs. [ENIs]

    Parameters
    ----------
    pods : int or ndarray of int
        Pods on VPC addresses. [pods]
    k : int or ndarray of int
        IPv4 addresses per ENI minus its primary. [addresses]
    warm_eni : int or ndarray of int
        WARM_ENI_TARGET. [ENIs]
    max_pods : int or ndarray of int
        The node's max pods: growth stops once the pool holds as many addresses. [pods]
    serving : int or ndarray of int
        ENIs that can have pod addresses. [ENIs]

    Source
    ------
    ipamd.go L2637 (max pods), L2647-2649, L1115-1175 (an ENI is filled immediately).

    Examples
    --------
    >>> enis_by_eni_target(pods=60, k=49, warm_eni=1, max_pods=110, serving=15)
    3
    """
    wanted = slots_with_whole_units(pods, k, warm_eni)
    return smaller(smaller(wanted, ceil_div(max_pods, k)), serving)


def slots_by_ip_target(
    pods: IntLike, unit: IntLike, k: IntLike, warm_ip: IntLike, minimum_ip: IntLike, max_pods: IntLike, serving: IntLike
) -> IntLike:
    """Secondary IPs (unit 1) or prefixes (unit 16) for WARM_IP_TARGET and MINIMUM_IP_TARGET. [slots]

    Notes
    -----
    An empty node allocates max(w, m) addresses in batches of at most one ENI, and stops after the batch that reaches
    max pods; then each new pod fills the pool to P + w until max pods. With only MINIMUM_IP_TARGET set (w = 0) nothing
    is added for pods: those above m never get an address. Overall at most k slots on each serving ENI.

    Source
    ------
    ipamd.go L2177-2231 (short), L1115-1260 (batches), L2637 (max pods).

    Examples
    --------
    >>> slots_by_ip_target(pods=5, unit=1, k=3, warm_ip=2, minimum_ip=5, max_pods=11, serving=3)  # t3.small
    7
    >>> slots_by_ip_target(pods=45, unit=16, k=49, warm_ip=5, minimum_ip=10, max_pods=250, serving=15)
    4
    """
    first = smaller(ceil_div(larger(warm_ip, minimum_ip), unit), k * ceil_div(max_pods, unit * k))
    grown = smaller(ceil_div(pods + warm_ip, unit), ceil_div(max_pods, unit)) * (warm_ip > 0)
    return smaller(larger(first, grown), serving * k)


def prefixes_by_prefix_target(
    pods: IntLike, k: IntLike, warm_prefix: IntLike, max_pods: IntLike, serving: IntLike
) -> IntLike:
    """Prefixes for a WARM_PREFIX_TARGET with packed pods. [prefixes]

    Notes
    -----
    An empty node allocates the target in batches of at most one ENI; then one prefix at a time. For target 1 the figure
    is exact for any placement of the pods; from 2 it is the fewest.

    Source
    ------
    ipamd.go L2647-2655, L2714-2731 (request: max(1, target - wholly free prefixes)).

    Examples
    --------
    >>> prefixes_by_prefix_target(pods=58, k=3, warm_prefix=1, max_pods=110, serving=3)  # t3.small
    5
    """
    first = smaller(warm_prefix, k * ceil_div(max_pods, PREFIX_SIZE * k))
    grown = smaller(slots_with_whole_units(pods, PREFIX_SIZE, warm_prefix), ceil_div(max_pods, PREFIX_SIZE))
    return smaller(larger(first, grown), serving * k)


def prefixes_by_chance(pods: IntLike, k: IntLike, warm_prefix: int, max_pods: IntLike, serving: IntLike) -> IntLike:
    """Prefixes for a WARM_PREFIX_TARGET of 2 and more, with random placement of pods on prefixes. [prefixes]

    Notes
    -----
    The mean of many walks, rounded up. A pool of N prefixes grows with pod 16 × (N - target) + 1 independent of the
    past, so the stop at max pods gives as many prefixes as with 16 × (⌈max pods ÷ 16⌉ - target) pods.

    Source
    ------
    ipamd.go L2637, L2647-2655, L2714-2731; data_store.go L782-860; :mod:`capacity.cni.prefix_walks`.

    Examples
    --------
    >>> prefixes_by_chance(pods=20, k=14, warm_prefix=3, max_pods=110, serving=4)  # m5.xlarge; packed: 5
    7
    >>> prefixes_by_chance(pods=100, k=14, warm_prefix=3, max_pods=110, serving=4)  # stopped by max pods
    8
    """
    stop = ceil_div(max_pods, PREFIX_SIZE)
    sixteens = smaller(ceil_div(pods, PREFIX_SIZE), larger(stop - warm_prefix, 0))
    walked = walked_prefixes(warm_prefix, sixteens, k)
    return smaller(walked, k * enis_within_reach(PREFIX_SIZE, k, max_pods, serving))


def enis_holding(slots: IntLike, k: IntLike, idle_primary: IntLike) -> IntLike:
    """ENIs attached when ``slots`` secondary IPs or prefixes are filled one ENI after the other. [ENIs]

    ``idle_primary`` is 1 if the primary ENI has no pod addresses (custom networking), otherwise 0.

    >>> enis_holding(slots=5, k=3, idle_primary=0), enis_holding(slots=0, k=3, idle_primary=1)
    (2, 1)
    """
    return idle_primary + larger(ceil_div(slots, k), 1 - idle_primary)


def windows_slots(
    pods: IntLike, unit: IntLike, k: IntLike, warm_ip: IntLike = 1, minimum_ip: IntLike = 3, warm_prefix: IntLike = 0
) -> IntLike:
    """Secondary IPs (unit 1) or prefixes (unit 16) of a Windows node, which has one ENI. [slots]

    Parameters
    ----------
    warm_ip, minimum_ip : int or ndarray of int
        Addresses to keep free, and the minimum to hold; the chart's values by default. [addresses]
    warm_prefix : int or ndarray of int
        Prefixes to keep wholly free if the other two are 0. [prefixes]

    Notes
    -----
    min( ⌈max(pods + warm, minimum) ÷ unit⌉ + warm prefixes, k ). Pods first use the rest of a partly used prefix.

    Source
    ------
    aws/amazon-vpc-resource-controller-k8s@fc57373 pkg/pool/pool.go getPDDeviation, assignResourceFromMinGroup;
    docs/windows/prefix_delegation_config_options.md, secondary_ip_mode_config_options.md (tables);
    aws/amazon-vpc-cni-k8s@b5218838 charts/aws-vpc-cni/values.yaml L127-133.

    Examples
    --------
    >>> windows_slots(pods=4, unit=1, k=9), windows_slots(pods=40, unit=16, k=9)
    (5, 3)
    >>> windows_slots(pods=17, unit=16, k=9, warm_ip=0, minimum_ip=0, warm_prefix=1)
    3
    """
    return smaller(ceil_div(larger(pods + warm_ip, minimum_ip), unit) + warm_prefix, k)
