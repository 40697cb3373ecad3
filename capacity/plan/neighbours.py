"""Reads another cluster's plan that a tenant names, and the subnets that both share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from capacity.errors import SpecError
from capacity.plan.document import PlanSection, read_document
from capacity.plan.fields import Field
from capacity.plan.model import Plan, Subnet
from capacity.plan.reading import Problems

LONGEST_FILE = 1024  # characters


def read_neighbour(
    entry: Field, subnets: Mapping[str, Subnet], parse: Callable[[PlanSection, str], Plan]
) -> tuple[Plan, dict[str, str]]:
    """The plan that a field names (relative to this plan's file), and its name of each shared subnet.

    Parameters
    ----------
    entry : Field
        The file's name.
    subnets : mapping
        Subnets of this plan, by name.
    parse : callable
        Reads a plan from a document and its file's name.

    Raises
    ------
    SpecError
        The file is not a plan, shares no subnet with this one, divides a shared block differently, or has it in
        another zone.
    """
    path = Path(entry.name(LONGEST_FILE))
    base = Path(entry.file)
    if str(path) == "-":
        entry.fail("expected a file, not standard input")
    if base.is_file() and (base.parent / path).resolve() == base.resolve():
        entry.fail("is this plan itself (expected the plan of another cluster)")
    try:
        # Names such as <stdin> have no folder: the working directory is used.
        other = parse(read_document(base.parent / path), str(base.parent / path))
    except SpecError as error:
        problems = Problems()
        for one in error.errors:
            problems.keep(entry.error(f"the other cluster's plan is not valid: {one}"))
        problems.check()
        raise
    shared: dict[str, str] = {}
    for theirs in other.subnets:
        for mine in subnets.values():
            if mine.cidr == theirs.cidr:
                if mine.zone != theirs.zone:
                    entry.fail(
                        f"{theirs.name} ({theirs.cidr}) in the other plan is in {theirs.zone}, but {mine.name} "
                        f"here is in {mine.zone} (expected the same zone; use zone IDs such as use1-az1 if the "
                        "accounts name zones differently)"
                    )
                shared[mine.name] = theirs.name
            elif mine.cidr.overlaps(theirs.cidr):
                entry.fail(f"{theirs.name} ({theirs.cidr}) in the other plan overlaps {mine.name} ({mine.cidr}) here")
    if not shared:
        entry.fail(f"{path} shares no subnet with this plan (subnets are shared if their CIDRs are equal)")
    return other, shared
