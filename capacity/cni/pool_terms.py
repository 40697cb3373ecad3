"""Explains one node's pool in terms, with the lines of the CNI's source."""

from __future__ import annotations

from itertools import pairwise

from capacity.cni.calls import ASSIGN_CALLS, CallCosts
from capacity.cni.cilium_pool import addresses_wanted
from capacity.cni.node_limits import NodeLimits
from capacity.cni.node_pool import FIGURES, rest, slots_and_enis
from capacity.cni.vpc_cni import most_held, packed
from capacity.plan import constants
from capacity.plan.cilium import CiliumIpam
from capacity.plan.cni_env import CniSettings
from capacity.plan.constants import OVERLAY, PREFIX_SIZE
from capacity.trace import Term
from capacity.units import counted

CNI = "aws/amazon-vpc-cni-k8s@b5218838"
Terms = list[Term]


def pool_terms(limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int) -> Terms:
    """Each term of the pool with ``pods`` pods on VPC addresses."""
    slots, enis = slots_and_enis(limits, settings, max_pods, pods)
    unit = PREFIX_SIZE if settings.prefix else 1
    if settings.cni == OVERLAY:
        return [Term("pod addresses", 0, "overlay CNI: pods use no VPC addresses", "docs/explanation/overlay.md")]
    if settings.cilium is not None:
        return _cilium(limits, settings.cilium, pods, slots, enis, unit)
    terms: Terms = [Term("k", limits.k, "addresses or prefixes per ENI without its primary address")]
    if settings.ipv6:
        return [Term("secondary_ips", 0, "IPv6: pods use no IPv4 address", f"{CNI} ipamd.go L771-780")]
    terms.append(Term("serving ENIs", limits.serving, "ENIs that can have pod addresses", f"{CNI} ipamd.go L2592-2621"))
    if limits.windows:
        terms.append(_windows(settings, pods, slots, limits.k))
    elif settings.ip_targets:
        terms.append(_ip_target(settings, pods, max_pods, slots, limits))
    elif settings.prefix:
        terms.append(_prefix_target(settings, pods, max_pods, slots, limits))
    else:
        terms.append(_eni_target(settings, pods, max_pods, slots, limits))
    idle = " + 1 primary without pod addresses" if limits.idle_primary else ""
    terms.append(Term("enis", enis, f"⌈{slots} ÷ {limits.k}⌉{idle}, at least 1", f"{CNI} ipamd.go L968-1009"))
    if limits.trunk:
        terms.append(
            Term(
                "trunk",
                1,
                "ENABLE_POD_ENI on a trunk-capable type, one slot in addition to the primary",
                f"{CNI} ipamd.go L1467-1484",
            )
        )
    held = slots * unit
    terms.append(Term("pod addresses", held, f"{slots} × {unit}"))
    terms.append(Term("warm", held - min(pods, held), f"{held} held − {min(pods, held)} assigned"))
    return terms


def bound_terms(limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int) -> Terms:
    """The fewest and most addresses that the node can hold with a number of pods."""
    node = rest(limits, settings, max_pods, pods)
    lowest, highest = FIGURES["lowest"](node), FIGURES["highest"](node)
    terms: Terms = [Term("lowest", lowest, "a new node with packed pods")]
    if settings.cni == constants.CILIUM:
        return [*terms, Term("highest", highest, "the most of the settled pool after growth and scale-down")]
    slots, enis = most_held(node)
    others = limits.trunk + limits.unmanaged
    why = (
        f"the most of the settled pool after growth in bursts and scale-down: {slots} × {node.unit} on "
        f"{counted(enis, 'ENI')}"
    )
    why += f", and {counted(others, 'additional ENI')}" if others else ""
    return [*terms, Term("highest", highest, why, f"{CNI} ipamd.go L2637-2677; data_store.go L1042-1098")]


def _eni_target(settings: CniSettings, pods: int, max_pods: int, slots: int, limits: NodeLimits) -> Term:
    k, target = limits.k, settings.warm_eni
    wanted = f"{target} + ⌈{pods} ÷ {k}⌉" if target else f"1 + ⌊{pods} ÷ {k}⌋"
    why = f"{k} × min({wanted} for WARM_ENI_TARGET={target}, ⌈{max_pods} max pods ÷ {k}⌉, {limits.serving} ENIs)"
    return Term("secondary_ips", slots, why, f"{CNI} ipamd.go L2637-2649")


def _ip_target(settings: CniSettings, pods: int, max_pods: int, slots: int, limits: NodeLimits) -> Term:
    warm, least = settings.warm_ip, settings.minimum_ip
    wanted = f"max({pods} + {warm}, {least})" if warm else f"{least}"
    label, per = ("prefixes", f"⌈{wanted} ÷ 16⌉") if settings.prefix else ("secondary_ips", wanted)
    why = f"{per} for WARM_IP_TARGET={warm}, MINIMUM_IP_TARGET={least}"
    why += f"; growth stops at {max_pods} max pods; at most {limits.serving} × {limits.k}"
    return Term(label, slots, why, f"{CNI} ipamd.go L2177-2231")


def _prefix_target(settings: CniSettings, pods: int, max_pods: int, slots: int, limits: NodeLimits) -> Term:
    target = settings.warm_prefix
    if target < 2:
        wanted = f"{target} + ⌈{pods} ÷ 16⌉" if target else f"1 + ⌊{pods} ÷ 16⌋"
        bounds = f"⌈{max_pods} max pods ÷ 16⌉, {limits.serving} × {limits.k}"
        why = f"min({wanted} for WARM_PREFIX_TARGET={target}, {bounds})"
        return Term("prefixes", slots, why, f"{CNI} ipamd.go L2647-2655")
    fewest, _ = packed(limits, settings, max_pods, pods)
    why = f"the mean of 10,000 walks with WARM_PREFIX_TARGET={target} and {limits.k} prefixes per ENI, rounded up"
    why += f" ({fewest} with packed pods, which is not the case)" if fewest < slots else ""
    why += f"; growth stops at {max_pods} max pods"
    why += f"; at most {limits.serving} × {limits.k}"
    return Term("prefixes", slots, why, f"{CNI} ipamd.go L2647-2655, L2714-2731; data_store.go L782-860")


def _windows(settings: CniSettings, pods: int, slots: int, k: int) -> Term:
    told = settings.windows
    label = "prefixes" if settings.prefix else "secondary_ips"
    wanted = f"max({pods} + {told.warm_ip}, {told.minimum_ip})"
    targets = f"warm-ip-target {told.warm_ip}, minimum-ip-target {told.minimum_ip}"
    if told.warm_prefix:
        wanted, targets = f"{told.warm_prefix} + ⌈{pods} ÷ 16⌉", f"warm-prefix-target {told.warm_prefix}"
    elif settings.prefix:
        wanted = f"⌈{wanted} ÷ 16⌉"
    why = f"min({wanted}, {k}): one ENI, {targets}"
    return Term(label, slots, why, "aws/amazon-vpc-resource-controller-k8s@fc57373 pkg/pool/pool.go getPDDeviation")


CILIUM = "cilium/cilium@00137987"


def _cilium(limits: NodeLimits, ipam: CiliumIpam, pods: int, slots: int, enis: int, unit: int) -> Terms:
    """The terms of :mod:`capacity.cni.cilium_pool`."""
    own, held = limits.own, slots * unit + limits.primary * (enis - limits.idle_primary)
    used, busy = pods + own, f"{counted(pods, 'pod')} + {own}"
    wanted = addresses_wanted(used, ipam.pre_allocate, ipam.min_allocate, limits.most)
    least = f", at least {ipam.min_allocate}" if ipam.min_allocate else ""
    above = f"; plus {ipam.max_above_watermark} with each request" if ipam.max_above_watermark else ""
    primary = ", including primary addresses" if limits.primary else ""
    node, eni = f"{CILIUM} pkg/ipam/node.go", f"{CILIUM} pkg/aws/eni/node.go"
    idle = " + 1 primary without pod addresses (firstInterfaceIndex)" if limits.idle_primary else ", at least 1"
    label = "prefixes" if unit > 1 else "secondary_ips"
    why = f"{wanted} addresses" + (f" in whole /28s of {unit}" if unit > 1 else "") + above + primary
    return [
        Term("k", limits.k, "addresses or prefixes per ENI without its primary address"),
        Term("serving ENIs", limits.serving, "ENIs that can have pod addresses", f"{eni} GetMaximumAllocatableIPv4"),
        Term("in use", used, f"{busy} used by Cilium itself (router, health endpoint)", "cilium/cilium#22054"),
        Term(
            "target addresses",
            wanted,
            f"{used} + {ipam.pre_allocate} free (preAllocate){least}, at most {limits.most}",
            f"{node} calculateNeededIPs",
        ),
        Term(label, slots, why, f"{eni} AllocateIPs, CreateInterface"),
        Term("enis", enis, f"⌈{wanted} ÷ {limits.k * unit + limits.primary}⌉{idle}", f"{eni} CreateInterface"),
        Term("pod addresses", held, f"{slots} × {unit}{primary}"),
        Term("warm", held - min(pods, max(held - own, 0)), f"{held} held − {min(pods, max(held - own, 0))} pods"),
    ]


def call_terms(limits: NodeLimits, settings: CniSettings, max_pods: int, pods: int, costs: CallCosts) -> Terms:
    """The EC2 calls from a new node until ``pods`` pods run, by purpose."""
    empty, enis_empty = slots_and_enis(limits, settings, max_pods, 0)
    steps = [slots_and_enis(limits, settings, max_pods, n) for n in range(pods + 1)]
    pairs = list(pairwise(steps))
    further = steps[-1][1] - 1
    topped = sum(after[0] > before[0] and after[1] == before[1] for before, after in pairs)
    first = int(empty > 0 and not limits.idle_primary)
    why = f"{first} to fill the primary ENI with {min(empty, limits.k)}, {topped} for pods that started one by one"
    start, starts = costs.launch, "the CNI starts on a new node"
    if limits.trunk:
        start, starts = start + costs.trunk, f"{starts} ({costs.launch}) and finds its trunk ({costs.trunk})"
    return [
        Term("calls: start", start, starts, f"{CNI} ipamd.go L488, L531, L1296, L1570-1625"),
        Term(
            "calls: ENIs",
            further * costs.new_eni,
            f"{further} additional × {costs.new_eni}",
            f"{CNI} awsutils.go L978-1221",
        ),
        Term("calls: addresses", (first + topped) * ASSIGN_CALLS, why, f"{CNI} ipamd.go L1115-1260"),
        Term("ENIs without pods", enis_empty, f"holding {empty} addresses or prefixes", f"{CNI} ipamd.go L674-693"),
    ]
