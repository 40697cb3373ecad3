"""The public price list, read from a server on loopback with files of its shape, whole and damaged."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from capacity.catalog.prices import price
from capacity.errors import CapacityError, SpecError
from capacity.readers.aws import offer_file
from capacity.readers.aws.price_list import fetch_price_list
from tests.cli.command import run
from tests.fixtures.price_site import Pairs, Site, csv_file, head, index_file, send, served

INDEX = "/offers/v1.0/aws/AmazonEC2/current/region_index.json"
FOLDER = "/offers/v1.0/aws/AmazonEC2/20261125174521/eu-west-1"
COLUMNS = (
    "SKU", "OfferTermCode", "RateCode", "TermType", "PriceDescription", "EffectiveDate", "StartingRange", "EndingRange",
    "Unit", "PricePerUnit", "Currency", "RelatedTo", "LeaseContractLength", "PurchaseOption", "OfferingClass",
    "Product Family", "serviceCode", "Location", "Location Type", "Instance Type", "Current Generation", "vCPU",
    "Operating System", "License Model", "Tenancy", "Pre Installed S/W", "CapacityStatus", "operation", "Region Code",
    "MarketOption",
)  # fmt: skip
KEPT = {
    "SKU": "S", "TermType": "OnDemand", "Unit": "Hrs", "Currency": "USD", "Product Family": "Compute Instance",
    "Location Type": "AWS Region", "Operating System": "Linux", "License Model": "No License required",
    "Tenancy": "Shared", "Pre Installed S/W": "NA", "CapacityStatus": "Used", "Region Code": "eu-west-1",
    "MarketOption": "OnDemand",
}  # fmt: skip
HEAD = head("AmazonEC2")


def line(kind: str, figure: str, **other: str) -> dict[str, str]:
    more = {name.replace("_", " "): value for name, value in other.items()}
    return KEPT | {"Instance Type": kind, "PricePerUnit": figure} | more


def body(*rows: dict[str, str], head: Pairs = HEAD, columns: tuple[str, ...] = COLUMNS) -> bytes:
    return csv_file(head, columns, rows)


def index(path: object = f"{FOLDER}/index.json") -> bytes:
    return index_file(path)


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as found:
        found.answers = {INDEX: index(), f"{FOLDER}/index.csv": body(line("m5.large", "0.1070000000"))}
        yield found


def prices(site: Site) -> dict[str, str]:
    return {row.split(",")[0]: row.split(",")[3] for row in fetch_price_list("eu-west-1", site.url).rows}


def test_only_on_demand_linux_of_the_region_is_kept(site: Site) -> None:
    site.answers[f"{FOLDER}/index.csv"] = body(
        line("m5.large", "0.1070000000"),
        line("m5.metal", "5.136", Product_Family="Compute Instance (bare metal)"),
        line("m5.large", "0.06", TermType="Reserved"),
        line("m5.large", "0.113", Tenancy="Dedicated"),
        line("m5.large", "0.199", Operating_System="Windows"),
        line("m5.large", "0.587", **{"Pre Installed S/W": "SQL Std"}),
        line("m5.large", "0.107", CapacityStatus="UnusedCapacityReservation"),
        line("m5.large", "0.2", License_Model="Bring your own license"),
        line("m5.large", "0.13", Location_Type="AWS Local Zone"),
        line("m5.large", "0.3", Region_Code="eu-west-2"),
        line("m5.large", "0.5", MarketOption="CapacityBlock"),
        line("m5.large", "0.05", Unit="vCPU-Hours"),
        line("t3.micro", "0.0000000000"),
        line("", "0.1", Product_Family="Storage"),
        line("c7g.large", "free"),
        line("r5.large", "0.141", Currency="EUR"),
    )
    assert prices(site) == {"m5.large": "0.107", "m5.metal": "5.136"}
    assert site.seen == [INDEX, f"{FOLDER}/index.csv"]


def test_a_type_with_several_prices_has_none(site: Site) -> None:
    rows = (line("m5.large", "0.107"), line("c5.large", "0.1"), line("m5.large", "0.108"), line("c5.large", "0.1"))
    site.answers[f"{FOLDER}/index.csv"] = body(*rows)
    found = fetch_price_list("eu-west-1", site.url)
    assert [row.split(",")[0] for row in found.rows] == ["c5.large"]
    assert found.several == ("m5.large",)


def test_the_columns_may_come_in_any_order(site: Site) -> None:
    site.answers[f"{FOLDER}/index.csv"] = body(line("m5.large", "0.107"), columns=tuple(reversed(COLUMNS)))
    assert prices(site) == {"m5.large": "0.107"}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            body(line("m5.large", "0.1"))[:-30],
            r"index\.csv:7: 1?[0-9] cells \(expected 30\): cut off\?|not a line of CSV",
        ),
        (body(), "no on-demand Linux price of eu-west-1"),
        (b"", "not a price list of AmazonEC2 in format v1"),
        (b"<html>Sign in</html>\n" * 9, "not a price list of AmazonEC2 in format v1"),
        (body(line("m5.large", "0.1"), head=(*HEAD[:4], ("OfferCode", "AmazonRDS"))), "OfferCode AmazonRDS"),
        (body(line("m5.large", "0.1"), head=(("FormatVersion", "v2.0"), *HEAD[1:])), "FormatVersion v2.0"),
        (body(line("m5.large", "0.1"), head=(*HEAD[:2], ("Date", "x"), *HEAD[3:])), "no Publication Date"),
        (body(line("m5.large", "0.1"), columns=tuple(c for c in COLUMNS if c != "Tenancy")), "no column 'Tenancy'"),
        (
            body(line("m5.large", "0.1")) + b'"' + b"x" * 70_000 + b'"\n',
            "index.csv:8: a line of more than 65,536 bytes",
        ),
        (body(line("m5.large", "0.1")) + b'"a\n' * 9, "not a line of CSV|cells"),
        (body(line("m5.large", "0.1")) + b"\xff\xfe\n", "index.csv:8: not UTF-8 text"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(site: Site, content: bytes, why: str) -> None:
    site.answers[f"{FOLDER}/index.csv"] = content
    with pytest.raises(CapacityError, match=why):
        fetch_price_list("eu-west-1", site.url)


def test_a_file_that_is_cut_off_between_lines(site: Site) -> None:
    whole = body(line("m5.large", "0.1"), line("m5.xlarge", "0.2"))

    def cut(handler: BaseHTTPRequestHandler) -> None:
        send(handler, whole, len(whole) + 1000)

    site.answers[f"{FOLDER}/index.csv"] = cut
    with pytest.raises(CapacityError, match=rf"cut off after {len(whole):,} of {len(whole) + 1000:,} bytes"):
        fetch_price_list("eu-west-1", site.url)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"not json", "not an index of regions"),
        (b"[]", "not an index of regions"),
        (b'{"regions": {"eu-west-1": {}}}', "not an index of regions"),
        (b"[" * 100_000, "not an index of regions"),
        (b" " * (4 * 1024 * 1024 + 1), "larger than"),
        (index("http://127.0.0.1:1/offers/v1.0/aws/AmazonEC2/x/index.json"), "is not the path of a price list"),
        (index("/offers/v1.0/aws/AmazonEC2/../../../x/index.json"), "is not the path of a price list"),
        (index(7), "is not the path of a price list"),
    ],
)
def test_an_index_that_is_not_what_it_should_be(site: Site, content: bytes, why: str) -> None:
    site.answers[INDEX] = content
    with pytest.raises(SpecError, match=why):
        fetch_price_list("eu-west-1", site.url)
    assert site.seen == [INDEX]


def test_a_region_that_is_not_in_the_list(site: Site) -> None:
    with pytest.raises(SpecError, match=r"no region 'eu-west-11' \(did you mean 'eu-west-1'\?\)"):
        fetch_price_list("eu-west-11", site.url)


def test_an_http_error_is_said(site: Site) -> None:
    del site.answers[f"{FOLDER}/index.csv"]
    with pytest.raises(CapacityError, match=r"index\.csv: HTTP 404"):
        fetch_price_list("eu-west-1", site.url)


def test_a_server_that_is_not_there() -> None:
    with pytest.raises(CapacityError, match="cannot be read"):
        fetch_price_list("eu-west-1", "http://127.0.0.1:9")


def test_a_redirect_elsewhere_is_refused(site: Site) -> None:
    def away(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "http://localhost:9/elsewhere")
        handler.end_headers()

    site.answers[f"{FOLDER}/index.csv"] = away
    with pytest.raises(CapacityError, match="redirected to http://localhost:9, which is not AWS's price list"):
        fetch_price_list("eu-west-1", site.url)


def test_a_redirect_on_the_same_host_is_followed(site: Site) -> None:
    def along(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "/other.csv")
        handler.end_headers()

    site.answers["/other.csv"] = site.answers[f"{FOLDER}/index.csv"]
    site.answers[f"{FOLDER}/index.csv"] = along
    assert prices(site) == {"m5.large": "0.107"}


def test_an_answer_that_is_compressed_is_refused(site: Site) -> None:
    site.answers[f"{FOLDER}/index.csv"] = lambda handler: send(handler, b"x", Content_Encoding="gzip")
    with pytest.raises(SpecError, match="compressed"):
        fetch_price_list("eu-west-1", site.url)


def test_a_large_file_takes_no_more_memory(site: Site) -> None:
    other = body(line("m5.large", "0.2", TermType="Reserved")).splitlines(keepends=True)[-1] * 40
    start = body(line("m5.large", "0.107"))
    times = 2_000  # about 20 MB

    def long(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(start) + times * len(other)))
        handler.end_headers()
        handler.wfile.write(start)
        for _ in range(times):
            handler.wfile.write(other)

    site.answers[f"{FOLDER}/index.csv"] = long
    told: list[tuple[int, int]] = []
    tracemalloc.start()
    found = fetch_price_list("eu-west-1", site.url, lambda done, total: told.append((done, total)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.rows) == 1
    assert peak < 2_000_000 < len(start) + times * len(other)
    assert told == sorted(told)
    assert told[-1][0] <= told[-1][1] == len(start) + times * len(other)


class TestCommand:
    @pytest.fixture(autouse=True)
    def _cache(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, site: Site) -> None:
        monkeypatch.setenv("CAPACITY_CACHE_DIR", str(tmp_path / "cache"))
        monkeypatch.setattr(offer_file, "BASE_URL", site.url)
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)

    def test_prices_go_into_the_cache_and_into_answers(self, tmp_path: Path) -> None:
        done = run("data", "refresh", "--prices", "--region", "eu-west-1", "-o", "json")
        assert (done.code, done.stderr) == (0, "")
        results = json.loads(done.stdout)["results"]
        assert (results["prices"], results["date"], results["region"]) == (1, "2026-11-25", "eu-west-1")
        assert [p.name for p in (tmp_path / "cache").iterdir()] == ["prices.csv"]
        found = price("m5.large", "eu-west-1")
        assert found is not None
        assert (found.per_hour, found.date, found.source) == (0.107, "2026-11-25", "aws_price_list")
        asked = run("node", "m5.large", "--region", "eu-west-1", "-o", "json", "-q")
        assert json.loads(asked.stdout)["results"][0]["usd_per_hour"] == 0.107

    def test_a_failure_leaves_the_cache_alone(self, tmp_path: Path, site: Site) -> None:
        run("data", "refresh", "--prices", "--region", "eu-west-1")
        before = (tmp_path / "cache" / "prices.csv").read_bytes()
        site.answers[f"{FOLDER}/index.csv"] = body(line("m5.large", "9"))[:-5]
        done = run("data", "refresh", "--prices", "--region", "eu-west-1")
        assert (done.code, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert (tmp_path / "cache" / "prices.csv").read_bytes() == before

    @pytest.mark.parametrize(
        ("options", "why"),
        [
            ((), "--prices requires a region"),
            (("--region", "mars"), "--region: AWS's price list has no region 'mars'"),
            (("--region", "eu-west-1", "--profile", "x"), "--profile does not apply"),
            (("--region", "eu-west-1", "--from", "x.json"), "--from does not apply"),
            (("--region", "eu-west-1", "--as-of", "2026-01-01"), "--as-of does not apply"),
        ],
    )
    def test_bad_input(self, options: tuple[str, ...], why: str) -> None:
        done = run("data", "refresh", "--prices", *options)
        assert (done.code, done.stdout) == (2, "")
        assert why in done.stderr
