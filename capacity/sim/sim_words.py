"""A simulation in one sentence."""

from __future__ import annotations

from collections.abc import Iterator

from capacity.sim.monte_carlo import Distribution
from capacity.sim.observed import ONE_NODE, SimulationResult
from capacity.units import counted


def span(seconds: float) -> str:
    """A length of time for people.

    >>> span(0.3), span(42.4), span(90), span(600), span(3900), span(90_000)
    ('0.3 s', '42 s', '1 min 30 s', '10 min', '1 h 5 min', '1 d 1 h')
    """
    if seconds < 10:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    for size, name, below, part in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {name}" + (f" {rest} {part}" if rest else "")
    return f"{whole} s"


def sentence(found: Distribution) -> str:
    """What happened: which subnet runs out when, how long pods wait, how many calls it takes."""
    result = found.first
    parts = [_exhausted(found), *_waits(result), _calls(result)]
    start = "" if result.complete else f"Interrupted after {span(result.seconds)}: "
    many = f" ({len(found.results)} simulations; the first is described)" if len(found.results) > 1 else ""
    return f"{start}{'; '.join(parts)}{many}."


def _exhausted(found: Distribution) -> str:
    result = found.first
    out = sorted((s.exhausted_at, s.name) for s in result.subnets if s.exhausted_at is not None)
    if not out:
        return "no subnet runs out"
    at, name = out[0]
    quiet = result.title in ("steady", ONE_NODE)
    when = "at the start" if at < 1 else f"after {span(at)}" if quiet else f"{span(at)} into {result.title}"
    more = f", and {counted(len(out) - 1, 'more subnet')} later" if len(out) > 1 else ""
    return f"{name} runs out {when}{more}"


def _waits(result: SimulationResult) -> Iterator[str]:
    longest = result.longest
    if result.waited and longest is not None:
        pods, verb = counted(result.waited, "pod"), _verb(result.waited, "wait")
        share = result.waited / result.started
        yield f"{pods} of {result.started:,} ({share:.1%}) {verb} for an address, up to {span(longest)}"
    elif result.started and (result.still_waiting or result.never):
        yield f"{counted(result.started, 'pod')} {_verb(result.started, 'get')} an address without a wait"
    elif result.started:
        yield f"none of {counted(result.started, 'pod')} waits for an address"
    if result.still_waiting:
        yield f"{counted(result.still_waiting, 'pod')} still {_verb(result.still_waiting, 'wait')} at the end"
    if result.never:
        yield f"{counted(result.never, 'pod')} {'is' if result.never == 1 else 'are'} deleted without one"
    if result.pending:
        yield f"{counted(result.pending, 'pod')} {'has' if result.pending == 1 else 'have'} no node at the end"
    if result.launch_failures:
        yield f"{counted(result.launch_failures, 'node launch', 'node launches')} found no address"


def _verb(pods: int, verb: str) -> str:
    return f"{verb}s" if pods == 1 else verb


def _calls(result: SimulationResult) -> str:
    throttled = f", throttled for {span(result.throttled_s)}" if result.throttled_s else ""
    return f"{counted(result.total_calls, 'EC2 call')}{throttled}"
