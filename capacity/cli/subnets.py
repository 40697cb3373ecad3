"""`capacity subnets`: usage, owners and free /28 blocks of subnets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import Color, OutFile, Output, Quiet, Wide, one_of, packed, sink
from capacity.cli.tab_completion import complete_scenario
from capacity.errors import SpecError

if TYPE_CHECKING:
    from fractions import Fraction

    from capacity.pages.answer import Answer
    from capacity.plan.model import Subnet
    from capacity.vpc.fill import SubnetFill

MAPS = ("auto", "all", "none")

PlanOption = Annotated[
    Path | None,
    typer.Argument(
        help="Plan file. Default, without --cidr and --from: capacity.yaml in this folder or a parent.",
        metavar="[PLAN]",
    ),
]
Cidr = Annotated[
    str | None, typer.Option("--cidr", help="One subnet instead of a plan.", metavar="CIDR", show_default=False)
]
Used = Annotated[
    int | None,
    typer.Option("--used", help="With --cidr: number of single addresses in use.", metavar="N", show_default=False),
]
Prefixes = Annotated[
    int, typer.Option("--prefixes", help="With --used: number of /28 prefixes in use, in addition.", metavar="N")
]
Taken = Annotated[
    str | None,
    typer.Option(
        "--taken",
        help="With --cidr: the addresses in use, separated by commas, or a file of them (text, or saved "
        "output of aws ec2 describe-network-interfaces).",
        metavar="LIST|FILE",
        show_default=False,
    ),
]
ReservationOption = Annotated[
    list[str] | None,
    typer.Option("--reservation", metavar="CIDR:TYPE", help="With --cidr: CIDR:prefix or CIDR:explicit. Repeatable."),
]
Answers = Annotated[
    list[Path] | None,
    typer.Option(
        "--from",
        help="Saved output of aws ec2 describe-subnets and describe-network-interfaces: a file or a folder. "
        "Repeatable.",
        metavar="PATH",
    ),
]
Scenario = Annotated[
    str,
    typer.Option("--scenario", help="Scenario of the plan.", metavar="NAME", autocompletion=complete_scenario),
]
Want = Annotated[
    int | None,
    typer.Option(
        "--want",
        help="Additional prefixes to fit: shows the probability, and the CIDR reservation that guarantees them.",
        metavar="N",
        show_default=False,
    ),
]
Probability = Annotated[
    str,
    typer.Option("--probability", help="Probability for the number of blocks that are likely free.", metavar="PERCENT"),
]
BlockMap = Annotated[
    str, typer.Option("--map", help="Block maps: auto (if addresses are known), all or none.", metavar="WHEN")
]


def register(app: typer.Typer) -> None:
    app.command("subnets")(subnets)


def subnets(
    plan: PlanOption = None,
    cidr: Cidr = None,
    used: Used = None,
    prefixes: Prefixes = 0,
    taken: Taken = None,
    reservation: ReservationOption = None,
    answers: Answers = None,
    scenario: Scenario = "steady",
    want: Want = None,
    probability: Probability = "95%",
    block_map: BlockMap = "auto",
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Show usage, owners, free /28 blocks and fragmentation of subnets.

    With a list of addresses, free blocks are counted exactly. With counts only, the expected number of free blocks
    and the probabilities are exact.

    Examples: capacity subnets examples/shop-prod.yaml · capacity subnets --cidr 10.0.0.0/24 --used 60 --want 8 ·
    capacity subnets --from answers/
    """
    given = packed(SubnetsOptions, locals())
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    from capacity.cli.output import emit

    emit(_answered(given), to)


@dataclass(frozen=True)
class SubnetsOptions:
    """The options of `capacity subnets` as given, named as its parameters are."""

    plan: Path | None
    cidr: str | None
    used: int | None
    prefixes: int
    taken: str | None
    reservation: list[str] | None
    answers: list[Path] | None
    scenario: str
    want: int | None
    probability: str
    block_map: str


def _answered(given: SubnetsOptions) -> Answer:
    """The subnets for the given options."""
    one_of("--map", given.block_map, MAPS)
    likely, want = _share(given.probability), given.want
    if want is not None and not 1 <= want <= 4096:
        raise SpecError(f"--want: {want} is out of range (expected 1 to 4,096)")
    _one_source(given)
    from capacity.pages.subnets_page import Question, answer

    notes: Sequence[str] = ()
    if given.cidr is not None:
        fill, notes = _single(given, given.cidr)
        fills: Sequence[SubnetFill] = [fill]
    elif given.answers:
        from capacity.readers.taken import read_fills

        fills, notes = read_fills(given.answers)
    else:
        fills, notes = _of_plan(given.plan, given.scenario)
        notes = [*notes, ANYWHERE]
    of_plan = given.cidr is None and not given.answers
    inputs: dict[str, object] = {
        "plan": str(given.plan) if given.plan else None,
        "cidr": given.cidr,
        "from": [str(a) for a in given.answers or ()],
        "scenario": given.scenario if of_plan else None,
        "want": want,
        "probability": given.probability,
    }
    return answer(fills, Question(want, likely, given.block_map), inputs, notes)


ANYWHERE = "the positions of the free addresses are unknown: every placement is assumed to be equally likely"


def _one_source(given: SubnetsOptions) -> None:
    named = [n for n, v in (("PLAN", given.plan), ("--cidr", given.cidr), ("--from", given.answers)) if v]
    used, taken, prefixes = given.used, given.taken, given.prefixes
    if len(named) > 1:
        raise SpecError(f"{named[0]} and {named[1]} cannot be combined")
    if given.cidr is None:
        of_cidr = (
            ("--used", used),
            ("--taken", taken),
            ("--reservation", given.reservation),
            ("--prefixes", prefixes or None),
        )
        for name, value in of_cidr:
            if value is not None and value != []:
                raise SpecError(f"{name} needs --cidr")
    elif used is not None and taken is not None:
        raise SpecError("--used and --taken cannot be combined")
    elif used is None and taken is None:
        raise SpecError("--cidr needs --used N (how many addresses are in use) or --taken LIST (which ones)")
    elif prefixes and used is None:
        raise SpecError("--prefixes needs --used (a list contains its prefixes, such as 10.0.0.16/28)")


def _share(text: str) -> Fraction:
    from capacity.units import parse_percent

    share = parse_percent(text, "--probability")
    if not 0 < share <= 1:
        raise SpecError(f"--probability: {text!r} is out of range (expected more than 0% and at most 100%)")
    return share


def _subnet(cidr: str, reservations: list[str]) -> Subnet:
    from capacity.plan.fields import Field
    from capacity.plan.model import Reservation, Subnet

    block = Field(cidr, "", None, None, "--cidr").cidr(16, 28)
    found: list[Reservation] = []
    for text in reservations:
        part, _, kind = text.rpartition(":")
        if kind not in ("prefix", "explicit"):
            raise SpecError(f"--reservation: {text!r} is not CIDR:prefix or CIDR:explicit")
        inner = Field(part, "", None, None, "--reservation").cidr(16, 28 if kind == "prefix" else 32, (block,))
        if not inner.subnet_of(block):
            raise SpecError(f"--reservation: {inner} is outside {block}")
        for other in found:
            if inner.overlaps(other.cidr):
                raise SpecError(f"--reservation: {inner} overlaps {other.cidr}")
        found.append(Reservation(inner, kind))
    return Subnet(str(block), "", block, reservations=tuple(found))


def _single(given: SubnetsOptions, cidr: str) -> tuple[SubnetFill, Sequence[str]]:
    from capacity.vpc.fill import SubnetFill
    from capacity.vpc.fragments import fragments_of_counts, fragments_of_list

    used, prefixes, taken = given.used, given.prefixes, given.taken
    subnet = _subnet(cidr, given.reservation or [])
    if taken is not None:
        from capacity.readers.taken import read_taken

        blocks = read_taken(taken)
        outside = sum(not block.overlaps(subnet.cidr) for block in blocks)
        notes = (
            [f"{outside:,} of {len(blocks):,} listed addresses are outside {subnet.cidr} and are ignored"]
            if outside
            else []
        )
        found = fragments_of_list(subnet, blocks)
    else:
        if used is None or not 0 <= used <= subnet.usable:
            raise SpecError(f"--used: {used} is out of range (expected 0 to {subnet.usable:,}, what {cidr} has)")
        if not 0 <= prefixes <= (subnet.usable - used) // 16:
            most = (subnet.usable - used) // 16
            raise SpecError(
                f"--prefixes: {prefixes} is out of range (expected 0 to {most:,} with {used:,} single addresses)"
            )
        found, notes = fragments_of_counts(subnet, used, prefixes), [ANYWHERE]
    return SubnetFill(str(subnet.cidr), "", found, {"in use": found.taken} if found.taken else {}), notes


def _of_plan(path: Path | None, scenario: str) -> tuple[list[SubnetFill], Sequence[str]]:
    from capacity.advice.judge import check
    from capacity.plan.parse import find_plan, read_plan
    from capacity.vpc.fill import fill_of_state

    result = check(read_plan(path or find_plan()), [scenario])
    return [fill_of_state(s, state.title) for state in result.scenarios for s in state.left], result.notes
