#!/usr/bin/env python3
"""Make ``data/prices.csv`` from the price tables in a checkout of Karpenter's AWS provider.

    python tools/build_prices.py PATH/TO/karpenter-provider-aws
    python tools/build_catalog.py      # afterwards: it keeps the checksums

Reads ``pkg/providers/pricing/zz_generated.pricing_aws*.go`` (commercial, GovCloud, China): per region the
on-demand Linux price of each type, and a comment that says when it was taken from AWS's price list. Then
raise ``date`` and ``version`` of ``[sources.pricing]`` in ``data/SOURCES.toml`` by hand.
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data"
FOLDER = "pkg/providers/pricing"
COLUMNS = ("instance_type", "region", "currency", "price_per_hour", "date", "source")

_DATED = re.compile(r"generated at (\d{4}-\d{2}-\d{2})T\S+ for ([a-z0-9-]+)")
_REGION = re.compile(r'^\t"([a-z0-9-]+)": \{$')
_PRICE = re.compile(r'"([a-z0-9-]+\.[a-z0-9-]+)": ([0-9]+(?:\.[0-9]+)?)')


class BuildError(Exception):
    """The checkout cannot be used; the message is one line for whoever runs the script."""


def currency_of(region: str) -> str:
    """Currency AWS bills in: CNY in its China regions, else USD."""
    return "CNY" if region.startswith("cn-") else "USD"


def plain(figure: str) -> str:
    """A price without the zeros that pad it: ``0.204000`` is ``0.204``."""
    return figure.rstrip("0").rstrip(".") if "." in figure else figure


def parse_prices(source: str) -> list[list[str]]:
    """Rows of one generated Go file; a price of 0 means that the table has none.

    Raises
    ------
    BuildError
        A price stands outside a region, or its region has no date.
    """
    dates = {region: day for day, region in _DATED.findall(source)}
    rows = []
    region = ""
    for line in source.splitlines():
        if opened := _REGION.match(line):
            region = opened[1]
            continue
        for name, figure in _PRICE.findall(line):
            if region not in dates:
                raise BuildError(f"{name}: its price stands in no dated region")
            if float(figure) > 0:
                rows.append([name, region, currency_of(region), plain(figure), dates[region], "pricing"])
    return rows


def build(checkout: Path) -> bytes:
    """The content of ``prices.csv``, sorted by type and region."""
    files = sorted((checkout / FOLDER).glob("zz_generated.pricing_aws*.go"))
    if not files:
        raise BuildError(f"{checkout}: no {FOLDER}/zz_generated.pricing_aws*.go there")
    rows = [row for file in files for row in parse_prices(file.read_text(encoding="utf-8"))]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(rows))
    return out.getvalue().encode()


def main(arguments: list[str] | None = None) -> int:
    """Run the script; 0 written, 2 unusable checkout."""
    parser = argparse.ArgumentParser(description="Rebuild data/prices.csv from a Karpenter checkout.")
    parser.add_argument("checkout", type=Path, help="a checkout of aws/karpenter-provider-aws")
    parser.add_argument("--data", type=Path, default=DATA, help="the data folder")
    options = parser.parse_args(arguments)
    try:
        made = build(options.checkout)
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    (options.data / "prices.csv").write_bytes(made)
    print(f"written: prices.csv, {made.count(bytes([10])) - 1} prices; now run tools/build_catalog.py")
    return 0


if __name__ == "__main__":
    sys.exit(main())
