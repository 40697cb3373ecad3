"""Monthly cost of a change of the plan, computed from the nodes that the checks counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from capacity.cluster.check import CheckResult
from capacity.cost.bill import Bill
from capacity.cost.dollar_words import AT_REST
from capacity.cost.inputs import CostInputs
from capacity.cost.plan_cost import difference
from capacity.cost.rates import PriceBook
from capacity.errors import check_kind

Dollars = Mapping[str, float | None]  # change by scenario; None if not known. [USD per month]
Order = tuple[bool, float]  # sort key: cheaper first, unknown last


class Prices:
    """Prices for one search and the cost of the unchanged plan, looked up once."""

    def __init__(self, result: CheckResult, inputs: CostInputs | None) -> None:
        self.inputs = CostInputs() if inputs is None else inputs
        check_kind("prices", self.inputs, CostInputs, "CostInputs(...), or None")
        self.book = PriceBook(result.plan.region, self.inputs)
        bill = Bill(result.plan, self.inputs, self.book)
        self._before = {s.title: bill.cost(s) for s in result.scenarios}

    def change(self, after: CheckResult, refused_in: str = "") -> dict[str, float | None]:
        """Cost increase of a changed plan by scenario: steady, peak, ceiling, and the scenario that refused the change.

        Scenarios that are missing from either check are omitted.
        """
        bill = Bill(after.plan, self.inputs, self.book)
        now = {s.title: s for s in after.scenarios}
        titles = dict.fromkeys((*AT_REST, refused_in))
        both = [title for title in titles if title in self._before and title in now]
        return {title: difference(self._before[title], bill.cost(now[title])) for title in both}


def first_change(changes: Dollars) -> tuple[str, float | None]:
    """Cost change that decides the order of sets, with its scenario: now, else peak, ceiling, or another.

    >>> first_change({"peak": 12.5, "ceiling": 20.0}), first_change({})
    (('peak', 12.5), ('', None))
    """
    return next(iter(changes.items()), ("", None))


def cost_order(changes: Dollars) -> Order:
    """Sort key for changes: cheaper first, unknown last.

    The bill of an ordinary month decides; the cost at peak decides only if steady was not checked.

    >>> cost_order({"steady": -1.0, "peak": 9.0}) < cost_order({"steady": 5.0}) < cost_order({"steady": None})
    True
    """
    return _known(first_change(changes)[1])


def sum_order(several: Iterable[Dollars]) -> Order:
    """Sort key for sets: the sum of what their levers cost alone."""
    firsts = [first_change(changes)[1] for changes in several]
    known = [figure for figure in firsts if figure is not None]
    return _known(round(sum(known), 2) if len(known) == len(firsts) else None)


def _known(figure: float | None) -> Order:
    return figure is None, figure or 0.0
