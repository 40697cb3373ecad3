"""Kinds of things beside nodes that take addresses of a subnet, with the count AWS states for each."""

from __future__ import annotations

import io
from functools import cache
from typing import NamedTuple

from capacity.catalog.packaged import data_dir, read_text


class TenantKind(NamedTuple):
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
    growth : str
        What it may come to take, in words.
    enis : int or None
        Network interfaces per subnet, None where unknown. [ENIs]
    nau : int or None
        Network address usage of one ``nau_per``; None where AWS's table does not list it. [NAU]
    nau_per : str
        ``subnet``, ``tenant``, ``address`` or empty.
    """

    name: str
    addresses: int
    holder: str
    what: str
    source: str
    growth: str = ""
    enis: int | None = None
    nau: int | None = None
    nau_per: str = ""


@cache
def tenant_kinds() -> dict[str, TenantKind]:
    """All kinds by name, from ``data/tenants.csv``."""
    import csv

    rows = csv.DictReader(io.StringIO(read_text(data_dir() / "tenants.csv")))
    return {
        row["kind"]: TenantKind(
            name=row["kind"],
            addresses=int(row["addresses"]),
            holder=row["holder"],
            what=row["what"],
            source=row["source"],
            growth=row["growth"],
            enis=int(row["enis"]) if row["enis"] else None,
            nau=int(row["nau"]) if row["nau"] else None,
            nau_per=row["nau_per"],
        )
        for row in rows
    }
