#!/usr/bin/env python3
"""Make ``data/eni_limits.csv``, ``data/disagreements.csv`` and the generated half of ``data/SOURCES.toml``.

    python tools/build_catalog.py                 # from the installed moto
    python tools/build_catalog.py --moto PATH     # from a moto wheel, a site-packages folder or the JSON itself
    python tools/build_catalog.py --check         # write nothing; exit 1 where a file would change

Two inputs, nothing else and no network: the ``describe-instance-types`` answers that the ``moto``
package ships, and ``data/facts.csv``, the statements of every other source in our own format.
Two runs on the same inputs write the same bytes.

Conflict rules, in order (each case they decide is a row of ``data/disagreements.csv``; the reasoning is
in ``docs/explanation/data-sources.md``):

``ec2``
    What EC2 itself answers wins over what others derived from an older answer of it.
``newer``
    Between sources that are not EC2's answer, the later date wins.
``rounded``
    Two figures that agree once cut to two decimals are one figure; the exact one stays.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import json
import sys
import tomllib
import zipfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from capacity.readers.aws.types import type_facts

DATA = Path(__file__).resolve().parent.parent / "data"
RESOURCE = "moto/ec2/resources/instance_types.json.gz"
MARKER = "# Written by tools/build_catalog.py from here on; edit above this line only.\n"

FIELDS = (
    "max_enis",
    "max_enis_total",
    "network_cards",
    "ipv4_per_eni",
    "ipv6_per_eni",
    "branch_enis",
    "trunking",
    "vcpus",
    "memory_mib",
    "arch",
    "hypervisor",
    "bare_metal",
    "gpus",
    "accelerator",
    "accelerators",
    "network_baseline_gbps",
    "network_peak_gbps",
    "ebs_attachments",
    "ebs_shared",
    "current_generation",
)
COLUMNS = ("instance_type", "family", *FIELDS, "sources", "as_of")
DISAGREEMENT_COLUMNS = ("instance_type", "field", "chosen", "chosen_sources", "other", "other_sources", "rule")

LISTED = (
    "disagreements.csv",
    "eni_limits.csv",
    "exceptions.csv",
    "facts.csv",
    "fees.csv",
    "kubernetes_versions.csv",
    "prefix_walks.csv",
    "prices.csv",
    "stated_max_pods.csv",
)
"""The data files whose checksums SOURCES.toml keeps."""

ABSENT = "none"
"""How a source says that there is none (EC2 names no hypervisor for bare metal): an empty cell."""


class BuildError(Exception):
    """The inputs cannot be used; the message is one line for whoever runs the script."""


class Statement(NamedTuple):
    """One value and the keys of the sources that state it."""

    value: str
    sources: tuple[str, ...]


class Disagreement(NamedTuple):
    """A statement that lost against another."""

    instance_type: str
    field: str
    chosen: Statement
    other: Statement
    rule: str


@dataclass(frozen=True)
class Moto:
    """The answers moto ships: by instance type, with the version and checksum they came from."""

    types: dict[str, Any]
    sha256: str
    version: str | None


# ---------------------------------------------------------------- moto


def installed_moto() -> Path:
    """Folder that holds the installed ``moto`` package."""
    from importlib.util import find_spec

    spec = find_spec("moto")
    if spec is None or spec.origin is None:
        raise BuildError("moto is not installed: pip install moto==5.2.5, or give its wheel with --moto PATH")
    return Path(spec.origin).parent.parent


def read_moto(path: Path) -> Moto:
    """Read ``instance_types.json.gz`` out of a wheel, a folder that has ``moto/`` in it, or plain.

    The checksum is of the compressed file as moto ships it.
    """
    version = None
    try:
        if path.is_dir():
            payload = (path / RESOURCE).read_bytes()
            info = sorted(path.glob("moto-*.dist-info"))
            version = info[0].name.split("-")[1].removesuffix(".dist") if info else None
        elif path.suffix == ".whl":
            payload = zipfile.ZipFile(path).read(RESOURCE)
            version = path.name.split("-")[1]
        else:
            payload = path.read_bytes()
        text = gzip.decompress(payload) if payload[:2] == b"\x1f\x8b" else payload
        answer = json.loads(text)
    except (OSError, KeyError, zipfile.BadZipFile, ValueError) as error:
        raise BuildError(f"{path}: no describe-instance-types answers of moto there ({error})") from error
    return Moto(answer, hashlib.sha256(payload).hexdigest(), version)


# ---------------------------------------------------------------- facts and their resolution


def read_facts(path: Path, known_sources: set[str]) -> dict[str, dict[str, list[Statement]]]:
    """``facts.csv`` by instance type and field; every source key must be in SOURCES.toml."""
    facts: dict[str, dict[str, list[Statement]]] = defaultdict(lambda: defaultdict(list))
    with path.open(encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), start=2):
            sources = tuple(row["sources"].split(";"))
            unknown = set(sources) - known_sources
            if unknown:
                raise BuildError(f"{path.name}:{number}: source {sorted(unknown)[0]!r} is not in SOURCES.toml")
            if row["field"] not in (*FIELDS, "name"):
                raise BuildError(f"{path.name}:{number}: unknown field {row['field']!r}")
            facts[row["instance_type"]][row["field"]].append(Statement(row["value"], sources))
    return facts


def same_when_cut(a: str, b: str) -> bool:
    """Whether two decimal figures agree once cut to two decimals (66.66 and 66.666)."""
    try:
        return int(float(a) * 100 + 1e-6) == int(float(b) * 100 + 1e-6)
    except ValueError:
        return False


ON_THE_NODE = {"cni", "eks_ami"}
"""The tables that a node really reads: nodeadm's for max pods, ipamd's for the ENIs it may attach."""


def resolve(
    field: str, statements: list[Statement], dates: dict[str, str]
) -> tuple[Statement, list[tuple[Statement, str]]]:
    """The statement to believe, with every source that agrees, and the others with the rule that beat them."""

    def strength(s: Statement) -> tuple[bool, bool, str]:
        on_node = field == "max_enis" and set(s.sources) >= ON_THE_NODE
        return on_node, "moto" in s.sources, max(dates[k] for k in s.sources)

    ranked = sorted(statements, key=strength, reverse=True)
    best = ranked[0]
    agreeing = {k for s in ranked if s.value == best.value for k in s.sources}
    losers = []
    for other in ranked[1:]:
        if other.value == best.value:
            continue
        rule = "rounded" if same_when_cut(best.value, other.value) else "ec2" if "moto" in best.sources else "newer"
        if strength(best)[0]:
            rule = "node"
        if rule == "newer" and strength(other) == strength(best):
            raise BuildError(f"{best} and {other} are equally new: no rule decides")
        losers.append((other, rule))
    return Statement(best.value, tuple(sorted(agreeing))), losers


def merge(
    name: str, answer: dict[str, Any] | None, stated: dict[str, list[Statement]], dates: dict[str, str]
) -> tuple[list[str], list[Disagreement]]:
    """One row of ``eni_limits.csv`` and what was overruled in it."""
    pool: dict[str, list[Statement]] = defaultdict(list)
    for field, value in (type_facts(answer) if answer else {}).items():
        pool[field].append(Statement(value, ("moto",)))
    for field, statements in stated.items():
        pool[field].extend(statements)
    values: dict[str, str] = {}
    believed: set[str] = set()
    overruled = []
    for field in (*FIELDS, "name"):
        if field in pool:
            best, losers = resolve(field, pool[field], dates)
            values[field] = "" if best.value == ABSENT else best.value
            believed.update(best.sources)
            overruled += [Disagreement(name, field, best, other, rule) for other, rule in losers]
    row = [name, name.partition(".")[0], *(values.get(f, "") for f in FIELDS)]
    row += [";".join(sorted(believed)), max(dates[k] for k in believed)]
    if any("," in cell or '"' in cell or "\n" in cell for cell in row):
        raise BuildError(f"{name}: a value holds a comma or a quote, which the fast reader does not expect: {row}")
    return row, overruled


# ---------------------------------------------------------------- output


def to_csv(header: tuple[str, ...], rows: list[list[str]]) -> bytes:
    """Rows as CSV bytes with Unix line ends."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def data_rows(blob: bytes) -> int:
    """Lines of a CSV file without its header."""
    return blob.count(b"\n") - 1


def sources_toml(head: str, moto: dict[str, str], files: dict[str, bytes]) -> bytes:
    """The hand-kept head, then moto's release and the checksum of every data file."""
    lines = [head + MARKER, "[sources.moto]"]
    lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in moto.items()]
    for name in sorted(files):
        lines += [
            "",
            f'[files."{name}"]',
            f'sha256 = "{hashlib.sha256(files[name]).hexdigest()}"',
            f"rows = {data_rows(files[name])}",
        ]
    return ("\n".join(lines) + "\n").encode()


def moto_source(moto: Moto, recorded: dict[str, str], version: str | None, date: str | None) -> dict[str, str]:
    """The entry for moto: as recorded for the same bytes, else as told on the command line."""
    if moto.sha256 == recorded.get("sha256"):
        return recorded
    version = version or moto.version
    if not version or not date:
        raise BuildError("not the recorded moto release: give its date with --date YYYY-MM-DD (and --version)")
    return {**recorded, "version": version, "date": date, "sha256": moto.sha256}


def build(data: Path, moto: Moto, version: str | None = None, date: str | None = None) -> dict[str, bytes]:
    """Every file this script writes, by name, as bytes."""
    toml = (data / "SOURCES.toml").read_text(encoding="utf-8")
    head = toml.partition(MARKER)[0]
    recorded = tomllib.loads(toml)["sources"]
    recorded["moto"] = moto_source(moto, recorded["moto"], version, date)
    dates = {key: entry["date"] for key, entry in recorded.items()}
    facts = read_facts(data / "facts.csv", set(dates))
    rows, overruled = [], []
    for name in sorted(set(moto.types) | set(facts)):
        row, lost = merge(name, moto.types.get(name), facts.get(name, {}), dates)
        rows.append(row)
        overruled += [disagreement_row(d) for d in lost]
    made = {
        "eni_limits.csv": to_csv(COLUMNS, rows),
        "disagreements.csv": to_csv(DISAGREEMENT_COLUMNS, overruled),
    }
    every = {name: made[name] if name in made else (data / name).read_bytes() for name in LISTED}
    made["SOURCES.toml"] = sources_toml(head, recorded["moto"], every)
    return made


def disagreement_row(d: Disagreement) -> list[str]:
    """The cells of one row of ``disagreements.csv``."""
    chosen, other = (d.chosen.value, ";".join(d.chosen.sources)), (d.other.value, ";".join(d.other.sources))
    return [d.instance_type, d.field, *chosen, *other, d.rule]


def lost_types(data: Path, made: dict[str, bytes]) -> list[str]:
    """Types that the catalog had and would lose: moto drops withdrawn types, the catalog keeps them."""
    if not (data / "eni_limits.csv").exists():
        return []

    def names(blob: bytes) -> set[str]:
        return {line.split(",")[0] for line in blob.decode().splitlines()[1:]}

    return sorted(names((data / "eni_limits.csv").read_bytes()) - names(made["eni_limits.csv"]))


def main(arguments: list[str] | None = None) -> int:
    """Run the script; 0 written or unchanged, 1 ``--check`` found a difference, 2 unusable input."""
    parser = argparse.ArgumentParser(description="Rebuild data/eni_limits.csv from moto and data/facts.csv.")
    parser.add_argument("--moto", type=Path, help="a moto wheel, a folder with moto/ in it, or the JSON (.gz)")
    parser.add_argument("--version", help="moto's version, where it cannot be read from the path")
    parser.add_argument("--date", help="when that moto release was made, YYYY-MM-DD")
    parser.add_argument("--data", type=Path, default=DATA, help="the data folder")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where a file would change")
    parser.add_argument("--allow-lost", action="store_true", help="let types vanish from the catalog")
    options = parser.parse_args(arguments)
    try:
        made = build(options.data, read_moto(options.moto or installed_moto()), options.version, options.date)
        lost = lost_types(options.data, made)
        if lost and not options.allow_lost:
            shown = ", ".join(lost[:5])
            raise BuildError(f"{len(lost)} types would vanish ({shown} …): put what is known of them into facts.csv")
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return put(options.data, made, only_check=options.check)


def put(data: Path, made: dict[str, bytes], only_check: bool) -> int:
    """Write what changed, or only say so; 1 where ``only_check`` found a difference."""
    changed = [n for n, blob in made.items() if not (data / n).exists() or (data / n).read_bytes() != blob]
    for name in changed:
        print(f"{'differs' if only_check else 'written'}: {name}")
        if not only_check:
            (data / name).write_bytes(made[name])
    return 1 if only_check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
