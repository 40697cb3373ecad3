"""What `capacity data refresh` does."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path

from capacity.catalog.cache import store
from capacity.catalog.table import load_catalog, packaged_catalog
from capacity.cli.progress import progress
from capacity.errors import CapacityError, SpecError
from capacity.pages.answer import Answer
from capacity.pages.data_page import prices_answer, refresh_answer
from capacity.readers.aws import eks_fees, offer_file, price_list
from capacity.readers.aws.client import Caller, Refused, open_session
from capacity.readers.aws.folder import read_folder
from capacity.readers.aws.types import fetch_instance_types, fetch_prices, limit_rows


def refreshed(source: Path | None, region: str | None, profile: str | None, *, prices: bool, day: dt.date) -> Answer:
    """Fetch or read limits and prices, store them, and report what is new."""
    warnings: list[str] = []
    lines: list[str] = []
    if source is not None:
        answers = read_folder(source)
        types = list(answers.of("instance_types"))
        warnings += answers.notes
        if not types:
            raise SpecError(f"{source}: no instance types in the input (aws ec2 describe-instance-types)")
    else:
        caller = Caller(open_session(profile, region))
        region = caller.region
        try:
            types = fetch_instance_types(caller)
        except Refused as error:
            raise SpecError(f"nothing refreshed: {error.reason} (IAM action ec2:DescribeInstanceTypes)") from error
        if prices:
            lines, notes = fetch_prices(caller, day)
            warnings += [n.text for n in notes]
    before = packaged_catalog()
    limits = limit_rows(types, day)
    folder = store(limits, lines)
    load_catalog()
    new = [line.partition(",")[0] for line in limits if line.partition(",")[0] not in before]
    results = {
        "cache": str(folder),
        "region": region,
        "date": day.isoformat(),
        "instance_types": len(limits),
        "new_types": new,
        "prices": len(lines),
        "fees": 0,
    }
    inputs = {"from": str(source) if source else None, "region": region, "as_of": day.isoformat()}
    return refresh_answer(inputs, results, warnings)


def refreshed_prices(region: str | None, others: Sequence[str], *, quiet: bool) -> Answer:
    """Read the prices and the EKS fees of a region from the public price list, and store them.

    ``others``: options that were given and do not apply.
    """
    if others:
        raise SpecError(f"--prices reads AWS's public price list: {others[0]} does not apply")
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    if not region:
        raise SpecError("--prices requires a region (--region NAME, or AWS_REGION)")
    with progress(f"reading the price list of {region}", quiet=quiet) as tell:
        found = price_list.fetch_price_list(region, offer_file.BASE_URL, tell)
        fees, warnings = _fees(region)
    warnings += [f"several prices for {name} in the price list: none is stored" for name in found.several]
    folder = store((), found.rows, fees)
    results = {
        "cache": str(folder),
        "region": region,
        "date": found.date.isoformat(),
        "instance_types": 0,
        "new_types": [],
        "prices": len(found.rows),
        "fees": len(fees),
    }
    inputs = {"from": offer_file.BASE_URL, "region": region, "as_of": found.date.isoformat()}
    return prices_answer(inputs, results, warnings)


def _fees(region: str) -> tuple[Sequence[str], list[str]]:
    """Rows of the fees of EKS in a region, and warnings; the prices are worth storing without them."""
    try:
        found = eks_fees.fetch_fees(region, offer_file.BASE_URL)
    except CapacityError as error:
        return (), [f"fees of EKS not refreshed: {error}"]
    return found.rows, [f"several prices for {name} in the price list: none is stored" for name in found.several]
