"""Options about prices, which several verbs share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import words
from capacity.cli.tab_completion import complete_group
from capacity.errors import SpecError
from capacity.plan.constants import TIERS

if TYPE_CHECKING:
    from capacity.cost.inputs import CostInputs

PriceFile = Annotated[
    Path | None,
    typer.Option(
        "--price-file",
        help="CSV file with prices: type, usd_per_hour and, if needed, region, os, capacity_type.",
        metavar="PATH",
        show_default=False,
    ),
]
PriceFactor = Annotated[
    str | None,
    typer.Option(
        "--price-factor",
        help="If the region has no known price, use the us-east-1 price times this factor.",
        metavar="NUMBER",
        show_default=False,
    ),
]
SavingsPlan = Annotated[
    str | None,
    typer.Option(
        "--savings-plan",
        help="Savings Plan discount on the On-Demand price of nodes, such as 28%.",
        metavar="PERCENT",
        show_default=False,
    ),
]
SpotDiscount = Annotated[
    str | None,
    typer.Option(
        "--spot-discount",
        help="Spot discount on the On-Demand price, such as 60%.",
        metavar="PERCENT",
        show_default=False,
    ),
]
PerNodeCost = Annotated[
    float, typer.Option("--per-node-cost", help="License or support cost of each node, in USD per hour.", metavar="USD")
]
PublicIpv4 = Annotated[
    list[str] | None,
    typer.Option(
        "--public-ipv4",
        help="Node group in which each node has a public IPv4 address. Repeatable.",
        metavar="GROUP",
        show_default=False,
        autocompletion=complete_group,
    ),
]
Tier = Annotated[
    str,
    typer.Option(
        "--control-plane-tier",
        help=f"Control plane tier: {', '.join(TIERS[:-1])} or {TIERS[-1]}.",
        metavar="TIER",
        autocompletion=words(*TIERS),
    ),
]


@dataclass(frozen=True, eq=False, repr=False)
class CostOptions:
    """The options about prices as given, named as a verb's parameters are."""

    price_file: Path | None = None
    price_factor: str | None = None
    savings_plan: str | None = None
    spot_discount: str | None = None
    per_node_cost: float = 0.0
    public_ipv4: list[str] | None = None
    control_plane_tier: str = TIERS[0]


def cost_inputs(given: CostOptions) -> CostInputs:
    """The inputs of a cost from the options; an error names the option."""
    from capacity.cost.inputs import CostInputs, check_factor, check_node_cost, check_share, check_tier
    from capacity.cost.price_file import read_price_file
    from capacity.units import parse_percent

    factor = None if given.price_factor is None else _factor(given.price_factor)
    plan = None if given.savings_plan is None else parse_percent(given.savings_plan, "--savings-plan")
    spot = None if given.spot_discount is None else parse_percent(given.spot_discount, "--spot-discount")
    check_factor("--price-factor", factor)
    check_share("--savings-plan", plan)
    check_share("--spot-discount", spot)
    check_node_cost("--per-node-cost", given.per_node_cost)
    check_tier("--control-plane-tier", given.control_plane_tier)
    return CostInputs(
        prices=None if given.price_file is None else read_price_file(given.price_file),
        price_factor=factor,
        savings_plan=plan or Fraction(0),
        spot_discount=spot,
        node_cost=given.per_node_cost,
        public_ipv4=tuple(dict.fromkeys(given.public_ipv4 or ())),
        tier=given.control_plane_tier,
    )


def with_network(inputs: CostInputs, cross_zone_gb: float, nat_gb: float, *, counted: bool) -> CostInputs:
    """The inputs with the network's cost, if it is to be counted; an error names the option."""
    from dataclasses import replace

    from capacity.cost.inputs import MOST_GB, NetworkUse

    for option, value in (("--cross-zone-gb", cross_zone_gb), ("--nat-gb", nat_gb)):
        if value and not counted:
            raise SpecError(f"{option} needs --network-cost")
        if not 0 <= value <= MOST_GB:
            raise SpecError(f"{option}: {value:g} is out of range (expected 0 to {MOST_GB:,.0f})")
    return replace(inputs, network=NetworkUse(cross_zone_gb, nat_gb)) if counted else inputs


_NUMBER = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,6})?")


def _factor(text: str) -> Fraction:
    if not _NUMBER.fullmatch(text.strip()):
        raise SpecError(f"--price-factor: {text!r} is not a number (expected something like 1.15)")
    return Fraction(text.strip())


def cost_words(inputs: CostInputs, price_file: Path | None) -> list[str]:
    """The command-line options for these inputs."""
    shares = (("--savings-plan", inputs.savings_plan or None), ("--spot-discount", inputs.spot_discount))
    found = [] if price_file is None else ["--price-file", str(price_file)]
    found += [] if inputs.price_factor is None else ["--price-factor", f"{float(inputs.price_factor):g}"]
    found += [part for name, share in shares if share is not None for part in (name, f"{float(100 * share):g}%")]
    found += ["--per-node-cost", f"{inputs.node_cost:g}"] if inputs.node_cost else []
    found += [part for group in inputs.public_ipv4 for part in ("--public-ipv4", group)]
    return [*found, *(["--control-plane-tier", inputs.tier] if inputs.tier != TIERS[0] else [])]
