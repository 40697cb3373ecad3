"""Another cluster's plan, named by a tenant of this plan: which subnets the two share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from capacity.errors import SpecError
from capacity.plan.document import Section, read_document
from capacity.plan.fields import Field
from capacity.plan.model import Plan, Subnet
from capacity.plan.reading import Problems


def read_neighbour(
    entry: Field, subnets: Mapping[str, Subnet], parse: Callable[[Section, str], Plan]
) -> tuple[Plan, dict[str, str]]:
    """The plan that a field names, relative to the plan's own file, and its name for each subnet that both have.

    Parameters
    ----------
    entry : Field
        The file's name.
    subnets : mapping
        This plan's, by name.
    parse : callable
        Reads a plan from a document and its file's name.

    Raises
    ------
    SpecError
        The file is no plan, shares no subnet with this one, cuts a shared block in another way, or has it in
        another zone.
    """
    path = Path(entry.name(1024))
    base = Path(entry.file)
    if str(path) == "-":
        entry.fail("expected a file, not standard input")
    if base.is_file() and (base.parent / path).resolve() == base.resolve():
        entry.fail("is this plan itself (expected the plan of another cluster)")
    try:
        # Names such as <stdin> have no folder of their own: the working directory it is.
        other = parse(read_document(base.parent / path), str(base.parent / path))
    except SpecError as error:
        problems = Problems()
        for one in error.errors:
            problems.keep(entry.error(f"the other cluster's plan is not usable: {one}"))
        problems.check()
        raise
    shared: dict[str, str] = {}
    for theirs in other.subnets:
        for mine in subnets.values():
            if mine.cidr == theirs.cidr:
                if mine.zone != theirs.zone:
                    entry.fail(
                        f"{theirs.name} ({theirs.cidr}) there is in {theirs.zone}, {mine.name} here in {mine.zone} "
                        "(expected one zone; by zone ID, such as use1-az1, where accounts name zones differently)"
                    )
                shared[mine.name] = theirs.name
            elif mine.cidr.overlaps(theirs.cidr):
                entry.fail(f"{theirs.name} ({theirs.cidr}) there overlaps {mine.name} ({mine.cidr}) here")
    if not shared:
        entry.fail(f"{path} shares no subnet with this plan (subnets are the same where their CIDR is)")
    return other, shared
