"""EKS's public price list, read from a server on loopback with a file of its shape, and what a cost makes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from capacity.catalog.fees import fee, lists_auto_mode
from capacity.catalog.prices import price
from capacity.catalog.table import load_catalog
from capacity.cost.inputs import CostInputs
from capacity.cost.rates import PriceBook
from capacity.errors import CapacityError, CatalogError
from capacity.readers.aws import offer_file
from capacity.readers.aws.eks_fees import fetch_fees
from tests.cli.command import run
from tests.fixtures.price_site import Site, csv_file, head, index_file, served

EC2, EKS = "/offers/v1.0/aws/AmazonEC2", "/offers/v1.0/aws/AmazonEKS"
FILE = "20261125174521/eu-west-1/index"
COLUMNS = (
    "SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange", "EndingRange",
    "Unit", "PricePerUnit", "Currency", "Product Family", "serviceCode", "Location", "Location Type", "Instance Type",
    "usageType", "operation", "Region Code", "eksproducttype", "serviceName", "tiertype",
)  # fmt: skip
KEPT = {"TermType": "OnDemand", "Unit": "Hours", "Currency": "USD", "Product Family": "Compute",
        "serviceCode": "AmazonEKS", "Location Type": "AWS Region", "Region Code": "eu-west-1"}  # fmt: skip
PRICES = {
    "EU-AmazonEKS-Hours:perCluster": "0.1000000000",
    "EU-AmazonEKS-Hours:extendedSupport": "0.5000000000",
    "EU-AmazonEKS-Hours:XL-ProvisionedTier": "1.7500000000",
    "EU-Fargate-vCPU-Hours:perCPU": "0.0451000000",
    "EU-Fargate-GB-Hours": "0.0049600000",
    "EU-EKS-Auto:m5.large-management-hours": "0.0128400000",
    "EU-EKS-Auto:g5.xlarge-management-hours": "0.0521000000",
}
OTHERS = {
    "EU-AmazonEKS-Local-Outposts-Hours:perCluster": "0.1",
    "EU-AmazonEKSHybridNodes-Hours:pervCPU": "0.02",
    "EU-AmazonEKSCapabilities-ArgoCD-Hours:perCapability": "0.03",
    "EU-Fargate-ARM-vCPU-Hours:perCPU": "0.036",
    "EU-Fargate-EphemeralStorage-GB-Hours": "0.0001",
}


def line(usage: str, figure: str, **other: str) -> dict[str, str]:
    return KEPT | {"usageType": usage, "PricePerUnit": figure} | {k.replace("_", " "): v for k, v in other.items()}


def body(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS, service: str = "AmazonEKS") -> bytes:
    return csv_file(head(service), columns, rows)


WHOLE = body(*(line(usage, figure) for usage, figure in (PRICES | OTHERS).items()))


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as found:
        found.answers = {
            f"{EKS}/current/region_index.json": index_file(f"{EKS}/{FILE}.json"),
            f"{EKS}/{FILE}.csv": WHOLE,
        }
        yield found


def fees(site: Site) -> dict[str, str]:
    return {row.split(",")[0]: row.split(",")[2] for row in fetch_fees("eu-west-1", site.url).rows}


def test_the_fees_that_a_plan_needs(site: Site) -> None:
    assert fees(site) == {
        "control-plane": "0.1",
        "extended-support": "0.5",
        "tier-xl": "1.75",
        "fargate-vcpu": "0.0451",
        "fargate-gb": "0.00496",
        "auto-mode:m5.large": "0.01284",
        "auto-mode:g5.xlarge": "0.0521",
    }
    found = fetch_fees("eu-west-1", site.url)
    assert "fargate-gb,eu-west-1,0.00496,USD per GB-hour,2026-11-25,aws_price_list" in found.rows
    assert found.several == ()


def test_prices_of_other_places_and_terms_are_not_kept(site: Site) -> None:
    cluster = line("EU-AmazonEKS-Hours:perCluster", "0.1")
    usage = "EU-Fargate-GB-Hours"
    site.answers[f"{EKS}/{FILE}.csv"] = body(
        cluster,
        line(usage, "0.1", TermType="Reserved"),
        line(usage, "0.2", Region_Code="eu-west-2"),
        line(usage, "0.3", Location_Type="AWS Local Zone"),
        line(usage, "0.4", Currency="CNY"),
        line(usage, "0.5", Unit="Requests"),
        line(usage, "0.0000000000"),
    )
    assert fees(site) == {"control-plane": "0.1"}


def test_us_east_1_has_no_prefix_and_other_files_may_name_the_column_otherwise(site: Site) -> None:
    columns = tuple("UsageType" if c == "usageType" else c for c in COLUMNS)
    rows = [line("", "0.1") | {"UsageType": "AmazonEKS-Hours:perCluster"}]
    site.answers[f"{EKS}/{FILE}.csv"] = body(*rows, columns=columns)
    assert fees(site) == {"control-plane": "0.1"}


def test_a_fee_with_several_prices_has_none(site: Site) -> None:
    twice = [line("EU-Fargate-GB-Hours", figure) for figure in ("0.0049", "0.005")]
    site.answers[f"{EKS}/{FILE}.csv"] = body(line("EU-AmazonEKS-Hours:perCluster", "0.1"), *twice)
    found = fetch_fees("eu-west-1", site.url)
    assert [row.split(",")[0] for row in found.rows] == ["control-plane"]
    assert found.several == ("fargate-gb",)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (body(line("EU-Fargate-GB-Hours", "0.005")), "no price of an EKS cluster in eu-west-1"),
        (body(service="AmazonECS"), "not a price list of AmazonEKS in format v1"),
        (body(columns=tuple(c for c in COLUMNS if c != "usageType")), "no column 'usageType'"),
        (WHOLE[:-40], "cut off|not a line of CSV"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(site: Site, content: bytes, why: str) -> None:
    site.answers[f"{EKS}/{FILE}.csv"] = content
    with pytest.raises(CapacityError, match=why):
        fetch_fees("eu-west-1", site.url)


class TestCommand:
    @pytest.fixture(autouse=True)
    def _cache(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: Site) -> None:
        monkeypatch.setenv("CAPACITY_CACHE_DIR", str(tmp_path / "cache"))
        monkeypatch.setattr(offer_file, "BASE_URL", site.url)
        row = {
            "TermType": "OnDemand", "Unit": "Hrs", "Tenancy": "Shared", "Operating System": "Linux",
            "Pre Installed S/W": "NA", "CapacityStatus": "Used", "Instance Type": "m5.large", "PricePerUnit": "0.107",
            "Currency": "USD", "Region Code": "eu-west-1",
        }  # fmt: skip
        site.answers |= {
            f"{EC2}/current/region_index.json": index_file(f"{EC2}/{FILE}.json"),
            f"{EC2}/{FILE}.csv": csv_file(head("AmazonEC2"), tuple(row), [row]),
        }

    def refresh(self, *options: str) -> None:
        done = run("data", "refresh", "--prices", "--region", "eu-west-1", *options)
        assert (done.code, done.stderr) == (0, "")

    def test_prices_and_fees_go_into_the_cache_and_into_costs(self, tmp_path: Path) -> None:
        assert fee("fargate-vcpu", "eu-west-1") is None
        done = run("data", "refresh", "--prices", "--region", "eu-west-1", "-o", "json")
        results = json.loads(done.stdout)["results"]
        assert (results["prices"], results["fees"]) == (1, 7)
        assert sorted(p.name for p in (tmp_path / "cache").iterdir()) == ["fees.csv", "prices.csv"]
        found = fee("fargate-vcpu", "eu-west-1")
        assert found is not None
        assert (found.value, found.date, found.source) == (0.0451, "2026-11-25", "aws_price_list")
        assert fee("tier-xl", "eu-west-1").value == 1.75  # type: ignore[union-attr]  # newer than the packaged one
        assert fee("tier-xl", "us-east-1").value == 1.65  # type: ignore[union-attr]
        status = json.loads(run("data", "status", "--as-of", "2026-11-30", "-o", "json").stdout)["results"]["layers"]
        assert [(row["holds"], row["rows"], row["date"]) for row in status] == [
            ("prices", 1, "2026-11-25"),
            ("fees", 7, "2026-11-25"),
        ]

    def test_auto_mode_has_the_fee_of_the_type(self) -> None:
        m5, g5, c5 = (load_catalog().get(name) for name in ("m5.large", "g5.xlarge", "c5.large"))
        book = PriceBook("eu-west-1", CostInputs())
        assert not lists_auto_mode("eu-west-1")
        assert book.auto_mode(g5).usd_per_hour is None
        self.refresh()
        assert lists_auto_mode("eu-west-1")
        assert not lists_auto_mode("us-east-1")
        assert book.auto_mode(m5).usd_per_hour == 0.01284
        assert book.auto_mode(g5).usd_per_hour == 0.0521
        assert book.auto_mode(c5).unknown == "AWS lists no fee of EKS Auto Mode for c5.large in eu-west-1"

    def test_a_damaged_list_of_fees_leaves_the_prices(self, site: Site) -> None:
        site.answers[f"{EKS}/{FILE}.csv"] = b"<html>"
        done = run("data", "refresh", "--prices", "--region", "eu-west-1")
        assert done.code == 0
        assert "warning: fees of EKS not refreshed: " in done.stderr
        assert "1 prices and 0 EKS fees" in done.stdout
        assert price("m5.large", "eu-west-1") is not None

    def test_fees_of_other_regions_stay(self, tmp_path: Path) -> None:
        self.refresh()
        path = tmp_path / "cache" / "fees.csv"
        path.write_text(path.read_text() + "control-plane,eu-west-3,0.2,USD per cluster-hour,2026-11-25,x\n")
        self.refresh()
        assert "eu-west-3" in path.read_text()
        assert path.read_text().count("control-plane,") == 2

    @pytest.mark.parametrize(
        ("row", "why"),
        [
            ("control-plane,eu-west-1,free,USD per cluster-hour,2026-11-25,x", "fees.csv:2: could not convert"),
            ("control-plane,eu-west-1,0,USD per cluster-hour,2026-11-25,x", "'0' is not above 0"),
            ("control-plane,eu-west-1,0.1,USD per cluster-hour,soon,x", "fees.csv:2: 'soon' is not a date"),
            ("control-plane,eu-west-1", "fees.csv:2: 2 cells instead of 6"),
        ],
    )
    def test_a_damaged_cache_is_refused(self, tmp_path: Path, row: str, why: str) -> None:
        (tmp_path / "cache").mkdir()
        (tmp_path / "cache" / "fees.csv").write_text(f"fee,region,value,unit,date,source\n{row}\n")
        with pytest.raises(CatalogError, match=why):
            fee("control-plane", "eu-west-1")
