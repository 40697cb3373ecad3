"""Kinds of things beside nodes that take addresses of a subnet, with the count AWS states for each."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import cache

from capacity.catalog.files import data_dir, read_text


@dataclass(frozen=True, slots=True)
class TenantKind:
    """A kind of tenant.

    Attributes
    ----------
    name : str
        As a plan's ``kind``.
    addresses : int
        Per subnet, unless the plan says otherwise; 0 where only the plan can say. [addresses]
    holder : str
        The holder of the ledger it is booked under.
    what, source : str
        One line of explanation and where the figure comes from.
    """

    name: str
    addresses: int
    holder: str
    what: str
    source: str


@cache
def tenant_kinds() -> dict[str, TenantKind]:
    """All kinds by name, from ``data/tenants.csv``."""
    rows = csv.DictReader(io.StringIO(read_text(data_dir() / "tenants.csv")))
    return {
        row["kind"]: TenantKind(row["kind"], int(row["addresses"]), row["holder"], row["what"], row["source"])
        for row in rows
    }
