"""The offers of instance types for one pod shape, as the answer of `node`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from capacity.catalog.age import MOST_NAMES, price_notes
from capacity.catalog.instance_type import InstanceType
from capacity.cost.inputs import CostInputs
from capacity.cost.plan_cost import Rate
from capacity.cost.rates import PriceBook
from capacity.node.allocatable import Keep
from capacity.node.offer import Daemon, PodAsked, daemons_on, offer
from capacity.node.platform import Platform
from capacity.pages.answer import Answer
from capacity.pages.node_page import NodeView, answer
from capacity.plan.cni_env import CniSettings
from capacity.units import some_of

REGION = "us-east-1"  # whose prices are shown if no region is given


@dataclass(frozen=True)
class OfferInputs:
    """What the offers are for.

    Attributes
    ----------
    platform, settings : Platform, CniSettings
        The node's platform and the CNI's settings.
    max_pods : int or None
        Max pods set by the user. [pods]
    pods : int or None
        Pods on VPC addresses of the node whose address pool is shown. [pods]
    env : sequence of str
        The CNI's variables as given.
    cni : str
        The CNI's name as given.
    """

    platform: Platform
    settings: CniSettings
    pod: PodAsked = field(default_factory=PodAsked)
    daemons: Sequence[Daemon] = ()
    keep: Keep = field(default_factory=Keep)
    max_pods: int | None = None
    pods: int | None = None
    region: str = REGION
    prices: CostInputs = field(default_factory=CostInputs)
    env: Sequence[str] = ()
    cni: str = "vpc-cni"


@dataclass(frozen=True)
class OfferView:
    """How the offers are shown: sorted by a key (``-key``: descending), the first ``limit``, with every term."""

    sort: str | None = None
    limit: int | None = None
    explain: bool = False


def offers_answer(
    given: OfferInputs, kinds: Sequence[InstanceType], shown: OfferView | None = None, notes: Sequence[str] = ()
) -> Answer:
    """The answer of `node` for these types."""
    shown = shown or OfferView()
    platform, cost = given.platform, given.prices.node_cost
    book = PriceBook(given.region, given.prices)
    rates = {k.name: book.of_type(k.name, windows=platform.ami == "windows") for k in kinds}
    offers = [
        offer(k, platform, given.pod, given.daemons, given.max_pods, given.keep, rates[k.name].usd_per_hour, cost)
        for k in kinds
    ]
    notes_on = partial(_price_notes, rates, book)
    view = NodeView(platform, given.settings, notes_on, given.pods, shown.sort, shown.limit, explain=shown.explain)
    return answer(offers, kinds, view, _inputs(given), notes)


def _price_notes(rates: Mapping[str, Rate], book: PriceBook, shown: Sequence[str]) -> list[str]:
    """Notes on prices that are missing, old, or from another region."""
    listed = [name for name in shown if rates[name].usd_per_hour is None or rates[name].region == book.region]
    windows = [name for name in listed if "Windows" in rates[name].unknown]
    found = price_notes([name for name in listed if name not in windows], book.region)
    if windows:
        found.append(f"Windows prices are not known (--price-file): {some_of(windows, MOST_NAMES)}")
    return [*found, *book.notes()]


def _inputs(given: OfferInputs) -> dict[str, Any]:
    """The inputs of the answer, after defaults."""
    platform, pod, told = given.platform, given.pod, given.prices.told()
    return {
        "mode": platform.mode,
        "custom_networking": platform.custom_networking,
        "pod_eni": platform.pod_eni,
        "max_eni": platform.max_eni,
        "reserved_enis": platform.reserved_enis,
        "ami": platform.ami,
        "provisioner": platform.provisioner,
        "expression": platform.expression,
        "max_pods": given.max_pods,
        "pod": {
            "cpu_millicores": pod.cpu,
            "memory_bytes": pod.memory,
            "security_groups": pod.branch,
            "volumes": pod.volumes,
        },
        "daemonsets": [asdict(d) for d in daemons_on(platform, given.daemons)],
        "vm_memory_overhead": given.keep.overhead_ppm / 10**6,
        "region": given.region,
        "pods": given.pods,
        "env": list(given.env),
        "cni": given.cni,
        "cilium": None if platform.cilium is None else asdict(platform.cilium),
        **{key: told[key] for key in ("per_node_cost", "price_file", "price_factor", "savings_plan_pct")},
    }
