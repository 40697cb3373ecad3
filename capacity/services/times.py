"""How long kube-proxy takes: published seconds, measured growth, the first packet of a connection, and memory."""

from __future__ import annotations

from functools import cache
from math import log
from typing import NamedTuple

from capacity.catalog.packaged import data_dir, read_rows

COLUMNS = (
    "mode", "event", "services", "endpoints", "seconds_low", "seconds_high", "conditions", "date", "source",
)  # fmt: skip
EVENTS = {
    "full": "full sync",
    "partial": "partial sync",
    "create": "creation of all Services",
    "latency": "change to rule",
}


class PublishedTime(NamedTuple):
    """A duration that somebody else published; ``services`` and ``endpoints`` are None if the source has none."""

    mode: str
    event: str
    services: int | None
    endpoints: int | None
    seconds_low: float
    seconds_high: float
    conditions: str
    date: str
    source: str

    @property
    def what(self) -> str:
        """The event with its size and conditions, in words."""
        size = ""
        if self.services is not None:
            size = f", {self.services:,} Services with {self.endpoints:,} endpoints"
        return f"{EVENTS[self.event]}{size}: {self.conditions}"


@cache
def published_times() -> tuple[PublishedTime, ...]:
    """All published durations, from ``data/kube_proxy_times.csv``."""
    return tuple(
        PublishedTime(
            row["mode"],
            row["event"],
            int(row["services"]) if row["services"] else None,
            int(row["endpoints"]) if row["endpoints"] else None,
            float(row["seconds_low"]),
            float(row["seconds_high"]),
            row["conditions"],
            row["date"],
            row["source"],
        )
        for row in read_rows(data_dir() / "kube_proxy_times.csv", *COLUMNS)
    )


def published(mode: str, services: int) -> list[PublishedTime]:
    """The published durations of a mode, the nearest number of Services first, then those without a number."""
    of_mode = [time for time in published_times() if time.mode == mode]
    return sorted(of_mode, key=lambda t: _distance(t.services, services))


def _distance(of_source: int | None, services: int) -> float:
    return float("inf") if of_source is None else abs(log(of_source / max(services, 1)))


# --- growth -------------------------------------------------------------------------------------


class SyncGrowth(NamedTuple):
    """Exponents by which the time of a sync grows with the number of Services; None if not measured.

    Doubling the Services multiplies the time by 2 to the exponent.
    """

    full: float | None
    partial: float | None


GROWTH_SOURCE = (
    "benchmarks/RESULTS.md, measured with 1,000 to 20,000 ClusterIP Services of 2 endpoints, iptables 1.8.9 and nft "
    "1.0.6, Linux 6.18 (2026-11-30); CPU time of the tools, without kube-proxy's own"
)
GROWTH = {"iptables": SyncGrowth(1.4, 1.2), "nftables": SyncGrowth(1.9, 1.2), "ipvs": SyncGrowth(None, None)}
NFT_BACKED = SyncGrowth(2.6, 1.5)  # iptables mode on a host whose iptables is nft-backed
GROWTH_NOTES = {
    "iptables": "with nft-backed iptables on the host: full 2.6, partial 1.5",
    "nftables": "each sync also lists the table: chains 1.3, sets 2.0",
    "ipvs": "not measured; each sync visits every virtual server",
}


def times_longer(exponent: float, factor: float = 2) -> float:
    """How many times longer a sync takes with ``factor`` times the Services.

    >>> round(times_longer(1.9), 1)
    3.7
    """
    return float(factor**exponent)


# --- the first packet ---------------------------------------------------------------------------


class FirstPacket(NamedTuple):
    """Round trip of the first packet of a connection; None if it is not published. [ms]"""

    p50: float | None
    p99: float | None


FIRST_PACKET_SOURCE = (
    "kubernetes/enhancements keps/sig-network/3866-nftables-proxy, iptables-vs-nftables.svg (5,000, 10,000 and 30,000 "
    "Services; bars read to 0.002 ms)"
)
MOST_MEASURED = 30_000  # Services of that chart


def first_packet(mode: str, services: int) -> FirstPacket:
    """Round trip of the first packet of a connection to a Service. [ms]

    Notes
    -----
    iptables: fits to upstream's chart, p99 = 0.041 + 22.5e-6 × Services and p50 = 9.5e-6 × Services, at least nftables'
    figures (a packet walks at least its own chains). nftables: constant. IPVS: no published figure; upstream describes
    nftables as the same or slightly better. Later packets of a connection do not walk the list.

    Source
    ------
    kubernetes/enhancements keps/sig-network/3866-nftables-proxy; kubernetes.io blog of 2025-02-28.

    Examples
    --------
    >>> first_packet("iptables", 10_000), first_packet("nftables", 10_000)
    (FirstPacket(p50=0.095, p99=0.266), FirstPacket(p50=0.014, p99=0.037))
    """
    constant = FirstPacket(0.014, 0.037)
    if mode == "nftables":
        return constant
    if mode == "ipvs":
        return FirstPacket(None, None)
    return FirstPacket(
        round(max(0.014, 9.5e-6 * services), 3),
        round(max(0.037, 0.041 + 22.5e-6 * services), 3),
    )


# --- memory -------------------------------------------------------------------------------------

KB_PER_RULE = (0.4, 0.7)  # measured: slab, vmalloc and percpu memory of the kernel, ±20%


def kernel_memory_mib(rules: int) -> tuple[float, float]:
    """Memory of a rule set in the kernel, lowest and highest. [MiB]

    >>> kernel_memory_mib(40_000)
    (15.6, 27.3)
    """
    low, high = (round(rules * kb / 1024, 1) for kb in KB_PER_RULE)
    return low, high


# --- 2017 ---------------------------------------------------------------------------------------


class OldTime(NamedTuple):
    """A row of the 2017 talk: Services, rules in iptables mode, and seconds to add them."""

    services: int
    rules: int
    seconds: int


TALK = (OldTime(5_000, 40_000, 660), OldTime(20_000, 160_000, 18_000))
TALK_SOURCE = (
    'Haibin Xie and Quinton Hoole, "Scale Kubernetes to Support 50,000 Services", KubeCon Europe, Berlin, March 2017'
)
TALK_NOTE = (
    "the 2017 test; consistent with installing the rules one at a time. Current kube-proxy sends one batch: the same "
    "rules then load in seconds, so the figures do not apply to a current cluster"
)


def talk_seconds(rules: int) -> float:
    """The power law through the two points of the 2017 talk: it draws that curve, and predicts nothing. [s]

    Notes
    -----
    660 s × (rules ÷ 40,000)^2.385, where 2.385 = ln(18,000 ÷ 660) ÷ ln 4.

    Examples
    --------
    >>> round(talk_seconds(40_000)), round(talk_seconds(160_000))
    (660, 18000)
    """
    first, last = TALK
    exponent = log(last.seconds / first.seconds) / log(last.rules / first.rules)
    return float(first.seconds * (rules / first.rules) ** exponent)
