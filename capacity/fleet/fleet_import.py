"""Imports the clusters of several accounts and regions from AWS: a folder of plans and a fleet file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from capacity.errors import CapacityError, MissingExtra, SpecError
from capacity.files import write_file
from capacity.fleet.fleet_file import KIND
from capacity.plan.constants import API_VERSION
from capacity.plan.yaml_writer import plan_lines
from capacity.readers.aws.client import Caller, Refused
from capacity.readers.values import text, texts

FLEET = "fleet.yaml"


@dataclass(frozen=True)
class ImportedPlan:
    """A plan that was written: its file in the folder, the account and VPC of the cluster, and the import's notes."""

    file: str
    name: str
    account: str
    region: str
    vpc: str
    notes: int


@dataclass(frozen=True)
class FleetImport:
    """The plans of all accounts, and what could not be read, one line each."""

    plans: tuple[ImportedPlan, ...]
    errors: tuple[str, ...]


def import_fleet(
    profiles: Sequence[str | None],
    regions: Sequence[str | None],
    folder: Path,
    tell: Callable[[str], None] = lambda _line: None,
) -> FleetImport:
    """Write a plan for each cluster of some profiles and regions, and a fleet file that lists them.

    Read-only calls, one after the other: clusters of an account share its request rate, so a second connection would
    only be throttled sooner. A profile, region or cluster that cannot be read does not stop the others. A plan that is
    already in the folder keeps its values, as with `import --into`.

    Parameters
    ----------
    profiles, regions : sequence of str or None
        As for the AWS CLI; None for its default.
    tell : callable
        Called with a line for each cluster that was read.

    Raises
    ------
    SpecError
        The folder cannot be written.
    MissingExtra
        boto3 is not installed.
    """
    plans: list[ImportedPlan] = []
    errors: list[str] = []
    for profile in profiles:
        for region in regions:
            place = " in ".join(filter(None, (profile or "default profile", region)))
            try:
                for cluster, caller in _clusters(profile, region):
                    try:
                        plans.append(_import(caller, cluster, folder))
                        tell(f"{place}: {cluster}")
                    except (CapacityError, Refused) as error:
                        errors.append(f"{place}: {cluster}: {error}")
            except MissingExtra:
                raise
            except (CapacityError, Refused) as error:
                errors.append(f"{place}: {error}")
    if plans:
        write_file(folder / FLEET, fleet_text(plans), str(folder / FLEET))
    return FleetImport(tuple(plans), tuple(errors))


def _clusters(profile: str | None, region: str | None) -> Iterator[tuple[str, Caller]]:
    from capacity.readers.aws import client

    caller = Caller(client.open_session(profile, region))
    pages = list(caller.pages("eks", "list_clusters", key="clusters"))
    return ((name, caller) for page in pages for name in sorted(texts(page, "clusters")))


def _import(caller: Caller, name: str, folder: Path) -> ImportedPlan:
    from capacity.readers.aws.aws_cluster import parse_cluster
    from capacity.readers.aws.compared import with_comparison
    from capacity.readers.aws.draft import aws_draft
    from capacity.readers.aws.fetch import fetch_answers
    from capacity.readers.imported import imported

    found = parse_cluster(fetch_answers(caller, name), name)
    parts = text(found.item, "arn").split(":")
    account = parts[4] if len(parts) > 4 and parts[4] else "unknown-account"
    region = found.region or caller.region
    file = "/".join(_safe(part) for part in (account, region, name)) + ".yaml"
    path = folder / file
    result = imported(with_comparison(aws_draft(found, "AWS"), found), path if path.exists() else None)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SpecError(f"{path.parent}: {error.strerror or error}") from error
    write_file(path, result.text, str(path))
    vpc = next((text(v, "VpcId") for v in found.answers.of("vpcs")), "")
    return ImportedPlan(file, name, account, region, vpc, len(result.notes))


def _safe(part: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", part).strip(".") or "cluster"


def fleet_text(plans: Sequence[ImportedPlan]) -> str:
    """The fleet file: each plan with its account and VPC.

    >>> print(fleet_text([ImportedPlan("1/eu-west-1/a.yaml", "a", "1", "eu-west-1", "vpc-0a", 0)]), end="")
    # Made by capacity fleet import. Add quotas of the accounts, peerings and addressSpace by hand.
    apiVersion: capacity/v1
    kind: Fleet
    plans:
      - {path: "1/eu-west-1/a.yaml", account: "1", vpc: vpc-0a}
    accounts:
      - {id: "1"}
    """
    entries = [{"path": plan.file, "account": plan.account} | ({"vpc": plan.vpc} if plan.vpc else {}) for plan in plans]
    accounts = [{"id": account} for account in dict.fromkeys(plan.account for plan in plans)]
    document = {"apiVersion": API_VERSION, "kind": KIND, "plans": entries, "accounts": accounts}
    head = "# Made by capacity fleet import. Add quotas of the accounts, peerings and addressSpace by hand."
    return "\n".join([head, *plan_lines(document, {})]) + "\n"
