"""The request of the user, and the allowed types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from capacity.catalog.regions import unknown_region
from capacity.catalog.table import load_catalog
from capacity.cluster.check import check as check_addresses
from capacity.cost.inputs import CostInputs
from capacity.errors import SpecError, check_function, check_kind, check_switch, check_word, did_you_mean
from capacity.optimize.buy import Judge
from capacity.optimize.choices import EFFORT_NAMES, Choices, allowed_types
from capacity.optimize.market import Market, open_market
from capacity.optimize.open_plan import Draft
from capacity.plan.constants import ARCHS


@dataclass(frozen=True)
class Request:
    """The request of the user.

    Attributes
    ----------
    choices : Choices
    inputs : CostInputs
        Prices.
    effort : str
        ``quick``, ``normal`` or ``thorough``.
    judge : callable
        The check of a plan in some scenarios.
    stopped : callable
        Called between steps; True ends the search with the best result so far.
    simpler : bool
        Whether simpler and other choices are computed too.
    current : bool
        Whether the plan must have node groups, which are compared regardless of ``simpler``.
    """

    choices: Choices = field(default_factory=Choices)
    inputs: CostInputs = field(default_factory=CostInputs)
    effort: str = "normal"
    judge: Judge = check_addresses
    stopped: Callable[[], bool] = lambda: False
    simpler: bool = True
    current: bool = False

    def __post_init__(self) -> None:
        check_kind("choices", self.choices, Choices, "Choices(...)")
        check_kind("inputs", self.inputs, CostInputs, "CostInputs(...)")
        check_word("effort", self.effort, EFFORT_NAMES)
        check_function("judge", self.judge)
        check_function("stopped", self.stopped)
        check_switch("simpler", self.simpler)
        check_switch("current", self.current)


def archs_of(draft: Draft, choices: Choices) -> tuple[str, ...]:
    """Allowed architectures: those requested; otherwise those of the named types, of the plan's groups, or x86_64."""
    if choices.arch is not None:
        return (choices.arch,)
    if choices.types:
        return ARCHS
    own = {k.arch for g in draft.replaced for k in g.instance_types}
    return tuple(a for a in ARCHS if a in own) or ARCHS[:1]


def market_of(draft: Draft, request: Request, archs: Sequence[str] = ()) -> tuple[Market, tuple[str, ...]]:
    """The allowed types as nodes with prices, and their architectures.

    Raises
    ------
    SpecError
        No type is left.
    """
    choices = request.choices
    catalog = draft.catalog or load_catalog()
    chosen = tuple(archs) or archs_of(draft, choices)
    for glob in choices.types:
        if not any(c in glob for c in "*?[") and glob not in catalog:
            raise SpecError(f"--types: {glob!r} is not a known instance type{did_you_mean(glob, catalog.names())}")
    gpus = any(w.requests.gpus for w in draft.plan.workloads if w.name in draft.workloads)
    kinds = allowed_types(catalog.all(), choices, chosen, gpus=gpus)
    if not kinds:
        raise SpecError(f"no instance type is allowed: {_filters(choices, chosen)}")
    market = open_market(draft.plan, draft.template, kinds, request.inputs)
    if not market.candidates:
        region = draft.plan.region
        reason, names = market.left_out[0]
        what = f"{reason} in {region}" if reason == "no known price" else reason
        doubt = unknown_region(region) if region else ""
        why = doubt or f"{what} ({names[0]}, …); {_CURE}"
        raise SpecError(f"none of {len(kinds)} allowed types can be bought: {why}")
    present = {c.shape.first.instance_type.arch for c in market.candidates}
    return market, tuple(a for a in chosen if a in present)


_CURE = "give --price-file, or --price-factor for the prices of us-east-1 times a factor"


def _filters(choices: Choices, archs: Sequence[str]) -> str:
    told = [f"architecture {' or '.join(archs)}"]
    told += [f"--types {','.join(choices.types)}"] if choices.types else []
    told += [f"at most {choices.max_vcpus} vCPUs"] if choices.max_vcpus is not None else []
    hint = "; metal types only if a glob names metal" if any("*" in g for g in choices.types) else ""
    return ", ".join(told) + hint
