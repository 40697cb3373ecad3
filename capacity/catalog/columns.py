"""The columns of the instance-type table, and the parser of a cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Column(NamedTuple):
    """A column of ``eni_limits.csv``: its name, kind (``str``, ``int``, ``float``, ``bool``, ``list``) and unit."""

    name: str
    kind: str
    unit: str


COLUMNS = (
    Column("instance_type", "str", ""),
    Column("family", "str", ""),
    Column("max_enis", "int", "ENIs of the default network card"),
    Column("max_enis_total", "int", "ENIs of all network cards"),
    Column("network_cards", "int", "cards"),
    Column("ipv4_per_eni", "int", "addresses, including the primary"),
    Column("ipv6_per_eni", "int", "addresses"),
    Column("branch_enis", "int", "branch ENIs"),
    Column("trunking", "bool", ""),
    Column("vcpus", "int", "vCPUs"),
    Column("memory_mib", "int", "MiB"),
    Column("arch", "str", ""),
    Column("hypervisor", "str", ""),
    Column("bare_metal", "bool", ""),
    Column("gpus", "int", "GPUs"),
    Column("accelerator", "str", ""),
    Column("accelerators", "int", "devices other than GPUs"),
    Column("network_baseline_gbps", "float", "Gbit/s"),
    Column("network_peak_gbps", "float", "Gbit/s"),
    Column("ebs_attachments", "int", "volumes"),
    Column("ebs_shared", "bool", ""),
    Column("current_generation", "bool", ""),
    Column("sources", "list", "keys of SOURCES.toml"),
    Column("as_of", "str", "ISO date"),
)
HEADER = ",".join(c.name for c in COLUMNS)


MOST = 2**31 - 1  # largest count in the table: columns are 32 bits wide
MOST_DIGITS = 10


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ValueError("not a whole number of 0 or more")
    if len(text) > MOST_DIGITS or int(text) > MOST:
        raise ValueError(f"out of range (expected 0 to {MOST:,})")
    return int(text)


def _figure(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError("not a finite number of 0 or more")
    return value


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("not true or false")
    return text == "true"


_READ: dict[str, Callable[[str], Any]] = {"str": str, "int": _count, "float": _figure, "bool": _flag}


def parse_cell(column: Column, text: str) -> Any:
    """The value of one cell; empty means unknown, ``None``."""
    if column.kind == "list":
        return tuple(text.split(";")) if text else ()
    if column.name in ("instance_type", "family", "as_of"):
        return text
    return _READ[column.kind](text) if text else None
