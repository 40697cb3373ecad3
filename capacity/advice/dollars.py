"""What a change of the plan costs or saves a month, from nodes that checks have counted already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from capacity.cluster.check import CheckResult
from capacity.cluster.scenario import ScenarioState
from capacity.cost.bill import Bill
from capacity.cost.inputs import CostInputs
from capacity.cost.rates import PriceBook
from capacity.cost.result import difference
from capacity.cost.words import AT_REST

Dollars = Mapping[str, float | None]  # change by scenario; None where it is not known. [USD per month]
Order = tuple[bool, float]  # sorts the cheaper first, what is not known last


class Prices:
    """Prices for one search: looked up once, whatever is tried."""

    def __init__(self, result: CheckResult, inputs: CostInputs | None) -> None:
        self.inputs = inputs or CostInputs()
        self.book = PriceBook(result.plan.region, self.inputs)

    def change(self, before: CheckResult, after: CheckResult, refused_in: str = "") -> dict[str, float | None]:
        """By scenario what the second check costs more: in the scenarios at rest, and in that which refused a change.

        Those that either check lacks are left out.
        """
        titles = (*AT_REST, *([refused_in] if refused_in else []))
        was, now = _states(before, titles), _states(after, titles)
        both = [title for title in titles if title in was and title in now]
        bills = Bill(before.plan, self.inputs, self.book), Bill(after.plan, self.inputs, self.book)
        return {t: difference(bills[0].cost(was[t]), bills[1].cost(now[t])) for t in dict.fromkeys(both)}


def _states(result: CheckResult, titles: Iterable[str]) -> dict[str, ScenarioState]:
    wanted = set(titles)
    return {s.title: s for s in result.scenarios if s.title in wanted}


def first_change(changes: Dollars) -> tuple[str, float | None]:
    """The change that counts for the order of sets, and its scenario: now, else at peak, at the ceiling, or in another.

    >>> first_change({"peak": 12.5, "ceiling": 20.0}), first_change({})
    (('peak', 12.5), ('', None))
    """
    return next(iter(changes.items()), ("", None))


def cost_order(changes: Dollars) -> Order:
    """Sorts changes: the cheaper first, what is not known last.

    What counts is the bill of an ordinary month, so the cost at peak decides only where steady was not checked.

    >>> cost_order({"steady": -1.0, "peak": 9.0}) < cost_order({"steady": 5.0}) < cost_order({"steady": None})
    True
    """
    return _known(first_change(changes)[1])


def sum_order(several: Iterable[Dollars]) -> Order:
    """Sorts sets by what their levers cost alone, in sum."""
    firsts = [first_change(changes)[1] for changes in several]
    known = [figure for figure in firsts if figure is not None]
    return _known(round(sum(known), 2) if len(known) == len(firsts) else None)


def _known(figure: float | None) -> Order:
    return figure is None, figure or 0.0
