"""`capacity compare`: what changes between two plans, or with a changed setting."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.cost_options import (
    CostOptions,
    PerNodeCost,
    PriceFactor,
    PriceFile,
    PublicIpv4,
    SavingsPlan,
    SpotDiscount,
    Tier,
    cost_inputs,
)
from capacity.cli.options import Color, OutFile, Output, Quiet, Scenario, Set, Wide, packed, sink
from capacity.plan.constants import TIERS


def register(app: typer.Typer) -> None:
    app.command("compare")(compare)


def compare(
    before: Annotated[
        Path | None,
        typer.Argument(
            help="Plan before, YAML or JSON. Default: capacity.yaml in this folder or a parent.",
            metavar="[BEFORE]",
            show_default=False,
        ),
    ] = None,
    after: Annotated[Path | None, typer.Argument(help="Plan after.", metavar="[AFTER]", show_default=False)] = None,
    settings: Set = None,
    scenario: Scenario = None,
    price_file: PriceFile = None,
    price_factor: PriceFactor = None,
    savings_plan: SavingsPlan = None,
    spot_discount: SpotDiscount = None,
    per_node_cost: PerNodeCost = 0.0,
    public_ipv4: PublicIpv4 = None,
    control_plane_tier: Tier = TIERS[0],
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Compare two plans, or a plan before and after a change.

    Per scenario and subnet: addresses, nodes, findings and runway. With one plan, --set is the change. With two
    plans, --set changes the second. Exit 0 regardless of the verdicts.

    Examples: capacity compare before.yaml after.yaml ·
    capacity compare examples/shop-prod.yaml --set cni.env.WARM_IP_TARGET=2 --set cni.env.MINIMUM_IP_TARGET=13
    """
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    from capacity.advice.compare import compare as compare_checks
    from capacity.advice.judge import check
    from capacity.cli.output import emit
    from capacity.cost.bill import plan_cost
    from capacity.errors import SpecError
    from capacity.pages.compare_page import answer
    from capacity.plan.document import read_plan_file
    from capacity.plan.parse import find_plan, parse_patched, parse_plan, read_patched
    from capacity.plan.patch import parse_settings

    patch = parse_settings(settings or ())
    prices = cost_inputs(packed(CostOptions, locals()))
    if after is None and not patch:
        raise SpecError("compare: nothing to compare (give two plans, or a change with --set PATH=VALUE)")
    first = before or find_plan()
    if str(first) == str(after) == "-":
        raise SpecError("compare: standard input can be read only once (give a file)")
    read = read_plan_file(first)
    plan = parse_plan(read.document, read.name)
    changed = parse_patched(read.document, patch, read.name) if after is None else read_patched(after, patch)
    old, new = check(plan, scenario), check(changed, scenario)
    costs = plan_cost(old, prices), plan_cost(new, prices)
    emit(answer(compare_checks(old, new), patch, costs), to)
