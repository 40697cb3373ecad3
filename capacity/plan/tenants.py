"""Kinds of tenants that use addresses of a subnet, with the count that AWS documents for each."""

from __future__ import annotations

import io
from functools import cache
from typing import NamedTuple

from capacity.catalog.packaged import data_dir, read_text

LOAD_BALANCER_KINDS = ("alb", "nlb", "clb")


class TenantKind(NamedTuple):
    """A kind of tenant.

    Attributes
    ----------
    name : str
        Name, as in a plan's ``kind``.
    addresses : int
        Default count per subnet; 0 if the plan must set it. [addresses]
    holder : str
        The holder in the ledger.
    what, source : str
        One line of explanation, and the source of the figure.
    growth : str
        How it can grow, in words.
    enis : int or None
        Network interfaces per subnet; None if unknown. [ENIs]
    nau : int or None
        Network address usage of one ``nau_per``; None if AWS's table does not list it. [NAU]
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
