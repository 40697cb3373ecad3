"""What a plan and a change cost in dollars a month: prices, hours and fees, each with source and date."""

from __future__ import annotations

from capacity.cost.bill import Bill, plan_cost
from capacity.cost.inputs import CostInputs
from capacity.cost.price_file import PriceFile, read_price_file
from capacity.cost.result import Cost, CostLine, PlanCost, Rate, difference

__all__ = [
    "Bill",
    "Cost",
    "CostInputs",
    "CostLine",
    "PlanCost",
    "PriceFile",
    "Rate",
    "difference",
    "plan_cost",
    "read_price_file",
]
