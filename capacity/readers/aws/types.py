"""Convert answers of EC2 and the Pricing API to rows of the catalog: instance limits and prices."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from capacity.catalog.columns import COLUMNS, Column, parse_cell
from capacity.errors import SpecError
from capacity.readers.aws.client import Caller, Refused
from capacity.readers.decode import brief
from capacity.readers.draft import Note
from capacity.readers.values import Item, count, objects, section, text, texts

SOURCE = "ec2_cache"
PRICING_REGION = "us-east-1"  # the Pricing API answers for every commercial region from few endpoints
PRICING_REGION_CHINA = "cn-northwest-1"
PRICE_FILTERS = {
    "operatingSystem": "Linux",
    "tenancy": "Shared",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "licenseModel": "No License required",
}


def type_facts(answer: Item) -> dict[str, str]:
    """Facts of one ``describe-instance-types`` answer by catalog column; ``none`` is a known value, not unknown.

    Bounds on pods come from the default card: ``NetworkCards`` is searched for
    ``DefaultNetworkCardIndex``, as nodeadm does (awslabs/amazon-eks-ami@81fec2e8,
    nodeadm/internal/util/ec2.go L37-42); ``MaximumNetworkInterfaces`` counts all cards. An old answer
    without cards is of a time when every type had one.
    """
    network = section(answer, "NetworkInfo")
    index = count(network, "DefaultNetworkCardIndex") or 0
    cards = [c for c in objects(network, "NetworkCards") if (count(c, "NetworkCardIndex") or 0) == index]
    total = count(network, "MaximumNetworkInterfaces")
    baseline, peak = network_gbps(network)
    gpus, accelerators, name = devices(answer)
    ebs = section(answer, "EbsInfo")
    facts: dict[str, Any] = {
        "max_enis": count(cards[0], "MaximumNetworkInterfaces") if cards else total,
        "max_enis_total": total,
        "network_cards": count(network, "MaximumNetworkCards"),
        "ipv4_per_eni": count(network, "Ipv4AddressesPerInterface"),
        "ipv6_per_eni": count(network, "Ipv6AddressesPerInterface"),
        "vcpus": count(section(answer, "VCpuInfo"), "DefaultVCpus"),
        "memory_mib": count(section(answer, "MemoryInfo"), "SizeInMiB"),
        "arch": architecture(texts(section(answer, "ProcessorInfo"), "SupportedArchitectures")),
        "hypervisor": text(answer, "Hypervisor") or "none",
        "bare_metal": answer.get("BareMetal"),
        "gpus": gpus,
        "accelerator": name or "none",
        "accelerators": accelerators,
        "network_baseline_gbps": baseline,
        "network_peak_gbps": peak,
        "ebs_attachments": ebs.get("MaximumEbsAttachments"),
        "ebs_shared": {"shared": True, "dedicated": False}.get(text(ebs, "AttachmentLimitType")),
        "current_generation": answer.get("CurrentGeneration"),
    }
    return {field: written(value) for field, value in facts.items() if value is not None}


def architecture(supported: Sequence[str]) -> str | None:
    """The 64-bit architecture if a type also runs 32-bit systems, else the first listed."""
    return "x86_64" if "x86_64" in supported else next(iter(supported), None)


def network_gbps(network: Item) -> tuple[float | None, float | None]:
    """Baseline and peak bandwidth of the whole instance, in Gbit/s.

    With one card they are the card's own. With several they cannot be summed: each card of
    c6in.32xlarge says 200 and so does the instance, the eight of p6-b200.48xlarge say 200 and the
    instance 3,200. Then the figure that EC2 states for the instance (``200 Gigabit``,
    ``4x 100 Gigabit``) is both.
    """
    cards = objects(network, "NetworkCards")
    if len(cards) == 1:
        return _figure(cards[0].get("BaselineBandwidthInGbps")), _figure(cards[0].get("PeakBandwidthInGbps"))
    stated = re.fullmatch(r"(?:(\d+)x )?(\d+(?:\.\d+)?) Gigabit", text(network, "NetworkPerformance"))
    if stated is None or not cards:
        return None, None
    total = int(stated[1] or 1) * float(stated[2])
    return total, total


def _figure(value: Any) -> float | None:
    """A number, also as text; whole numbers stay whole when written."""
    try:
        return None if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def devices(answer: Item) -> tuple[int, int, str]:
    """GPUs, other accelerators, and their names.

    A fractional GPU (g6f: a part of one L4) counts as the one logical GPU a pod can request.
    Inferentia appears both as Neuron and as inference device and is counted once.
    """
    gpus = objects(section(answer, "GpuInfo"), "Gpus")
    neuron = objects(section(answer, "NeuronInfo"), "NeuronDevices")
    inference = objects(section(answer, "InferenceAcceleratorInfo"), "Accelerators")
    media = objects(section(answer, "MediaAcceleratorInfo"), "Accelerators")
    fpgas = objects(section(answer, "FpgaInfo"), "Fpgas")
    others = [*(neuron or inference), *media, *fpgas]
    names = dict.fromkeys(text(d, "Name") for d in [*gpus, *others])
    return (
        sum(n if (n := count(g, "LogicalGpuCount")) is not None else count(g, "Count") or 0 for g in gpus),
        sum(count(d, "Count") or 0 for d in others),
        " + ".join(names),
    )


def written(value: object) -> str:
    """Text of a value in the CSV files: ``true``, ``8``, ``12.5``."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


def limit_rows(answers: Iterable[Item], day: dt.date) -> list[str]:
    """Lines of a catalog table, one per instance type, sorted; ``day`` is the date of the answer.

    Raises
    ------
    SpecError
        A value that no instance type can have.
    """
    rows = {}
    for answer in answers:
        name = text(answer, "InstanceType")
        facts = {k: "" if v == "none" else v for k, v in type_facts(answer).items()}
        cells = {"instance_type": name, "family": name.partition(".")[0], "sources": SOURCE, "as_of": day.isoformat()}
        cells |= facts
        rows[name] = ",".join(_checked(name, c, cells.get(c.name, "")) for c in COLUMNS)
    return [rows[n] for n in sorted(rows)]


def _checked(name: str, column: Column, cell: str) -> str:
    where = f"describe-instance-types: {name!r:.80}: {column.name} {cell!r:.80}"
    try:
        parse_cell(column, cell)
    except ValueError as error:
        raise SpecError(f"{where} is {brief(error)}") from error
    if any(c in cell for c in ',"\n\r'):
        raise SpecError(f"{where} cannot be in a table")
    return cell


def fetch_instance_types(caller: Caller) -> list[Item]:
    """Fetch all instance types of the session's region.

    Raises
    ------
    Refused
        The call was denied or failed.
    """
    pages = caller.pages("ec2", "describe_instance_types", key="InstanceTypes")
    return [t for page in pages for t in objects(page, "InstanceTypes")]


def fetch_prices(caller: Caller, day: dt.date) -> tuple[list[str], list[Note]]:
    """Lines of the price table for the session's region, and a note if the Pricing API refused."""
    region = caller.region
    endpoint = PRICING_REGION_CHINA if region.startswith("cn-") else PRICING_REGION
    filters = [
        {"Type": "TERM_MATCH", "Field": k, "Value": v} for k, v in {**PRICE_FILTERS, "regionCode": region}.items()
    ]
    found: list[str] = []
    try:
        pages = caller.pages(
            "pricing", "get_products", region=endpoint, key="PriceList", ServiceCode="AmazonEC2", Filters=filters
        )
        for page in pages:
            found += texts(page, "PriceList")
    except Refused as error:
        return [], [Note(f"prices not refreshed: {error.reason} (IAM action pricing:GetProducts)")]
    return price_rows(found, region, day), []


def price_rows(price_list: Iterable[str], region: str, day: dt.date) -> list[str]:
    """Lines of the price table from the JSON texts of ``PriceList``: on-demand Linux, per hour.

    >>> price_rows([], "us-east-1", dt.date(2026, 11, 25))
    []
    """
    rows: dict[str, str] = {}
    for blob in price_list:
        try:
            entry = json.loads(blob)
        except (ValueError, RecursionError) as error:
            raise SpecError(f"the response of the Pricing API is not JSON ({error})") from error
        if not isinstance(entry, dict):
            raise SpecError("the response of the Pricing API has an entry that is not an object")
        attributes = section(section(entry, "product"), "attributes")
        name = text(attributes, "instanceType")
        if text(attributes, "regionCode") not in (region, "") or "." not in name:
            continue
        for currency, figure in _on_demand(entry):
            if re.fullmatch(r"[a-z0-9.-]+", name) and figure > 0:
                rows[name] = f"{name},{region},{currency},{figure:.10g},{day.isoformat()},{SOURCE}"
    return [rows[n] for n in sorted(rows)]


def _on_demand(entry: Item) -> list[tuple[str, float]]:
    """Currencies and prices of the hourly on-demand terms of one product."""
    found = []
    for term in section(section(entry, "terms"), "OnDemand").values():
        for dimension in section(term, "priceDimensions").values() if isinstance(term, dict) else ():
            if not isinstance(dimension, dict) or text(dimension, "unit") != "Hrs":
                continue
            for currency, figure in section(dimension, "pricePerUnit").items():
                number = _figure(figure)
                if currency in ("USD", "CNY") and number is not None and number < float("inf"):
                    found.append((currency, number))
    return found
