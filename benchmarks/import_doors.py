"""Doors of an import: every way by which text of others comes in, with files that become something there.

benchmarks/fuzz_import.py damages these files, and benchmarks/import_facts.py changes their facts.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capacity.advice.doctor import diagnose
from capacity.errors import SpecError
from capacity.forecast.snapshot import parse_describe_subnets
from capacity.readers.aws.aws_cluster import parse_cluster, with_unread
from capacity.readers.aws.doctor import evidence_of
from capacity.readers.aws.draft import aws_draft
from capacity.readers.aws.folder import read_folder
from capacity.readers.aws.types import limit_rows
from capacity.readers.complete import complete
from capacity.readers.decode import parse_documents
from capacity.readers.detect import detect
from capacity.readers.draft import PlanDraft
from capacity.readers.existing_plan import render
from capacity.readers.kubernetes.facts import streamed
from capacity.readers.sources import FILE_SOURCES, read_source
from capacity.readers.taken import read_fills

SEEDS = Path(__file__).parent / "import_seeds"
EXAMPLES = Path(__file__).parents[1] / "examples"


@dataclass(frozen=True)
class Seed:
    """A file before it is damaged: its text, and the decoded documents where it is YAML or JSON."""

    name: str
    text: str
    documents: Sequence[Any] = ()

    @property
    def is_json(self) -> bool:
        return self.text.lstrip()[:1] in ("{", "[")


@dataclass(frozen=True)
class Door:
    """A way in: its files (all of them for a folder, else one at a time) and what reads them."""

    name: str
    seeds: Sequence[Seed]
    read: Callable[[Path], object]
    folder: bool = False


def seed(path: Path) -> Seed:
    text = path.read_text("utf-8")
    documents: Sequence[Any] = ()
    if path.suffix != ".tf":
        with contextlib.suppress(SpecError):
            documents = _natural(text, path.name)
    return Seed(path.name, text, documents)


def _natural(text: str, name: str) -> list[Any]:
    """Documents with short tags of CloudFormation in the long form; JSON's numbers as numbers."""
    try:
        return [json.loads(text)]
    except ValueError:
        return parse_documents(text, name)


def _plan(draft: PlanDraft) -> str:
    return "" if draft.is_empty else render(complete(draft))


def _of(source: str) -> Callable[[Path], object]:
    return lambda path: _plan(read_source(source, [str(path)]))


def _aws(path: Path) -> object:
    return _plan(aws_draft(parse_cluster(with_unread(read_folder(path), ""), "")))


def _doctor(path: Path) -> object:
    found = parse_cluster(with_unread(read_folder(path), "", doctor=True), "")
    return [c.evidence for c in diagnose(evidence_of(found))]


def _facts(path: Path) -> object:
    from capacity.readers.kubernetes.facts import parse_kubernetes

    return parse_kubernetes(streamed(str(path)))


def _refresh(path: Path) -> object:
    return limit_rows(read_folder(path).of("instance_types"), dt.date(2026, 1, 2))


def _snapshot(path: Path) -> object:
    return parse_describe_subnets(path.read_bytes(), path.name, dt.datetime(2026, 1, 2, tzinfo=dt.UTC))


def doors(extra: Path | None = None) -> list[Door]:
    """Every door with the seeds of this folder and the examples, and those of a folder of one's own."""
    own = ("aws-more.json", "instance-types.json")  # of doors of their own
    files = [p for p in sorted(SEEDS.iterdir()) if p.is_file() and p.name not in own]
    files += sorted(p for p in (EXAMPLES / "import").rglob("*") if p.is_file())
    files += sorted(p for p in extra.rglob("*") if p.is_file()) if extra else []
    by_source: dict[str, list[Seed]] = {name: [] for name in FILE_SOURCES}
    for path in files:
        if path.suffix == ".tf":
            by_source["terraform"].append(seed(path))
            continue
        with contextlib.suppress(SpecError, UnicodeDecodeError):
            found = seed(path)
            for source in by_source.keys() & {detect(d)[0] for d in found.documents}:
                by_source[source].append(found)
            by_source["files"].append(found)
    found_doors = [Door(name, seeds, _of(name)) for name, seeds in by_source.items() if name != "terraform"]
    terraform = by_source["terraform"]
    found_doors.append(Door("terraform-json", [s for s in terraform if s.documents], _of("terraform")))
    found_doors.append(Door("terraform-hcl", [s for s in terraform if not s.documents], _of("terraform")))
    answers = [seed(p) for p in [*sorted((EXAMPLES / "aws-answers").iterdir()), SEEDS / "aws-more.json"]]
    found_doors.append(Door("aws", answers, _aws, folder=True))
    found_doors.append(Door("doctor", answers, _doctor, folder=True))
    found_doors.append(Door("doctor-kubectl", by_source["kubectl"], _facts))
    found_doors.append(Door("subnets-from", answers, lambda path: read_fills([path]), folder=True))
    found_doors.append(Door("record", [seed(EXAMPLES / "describe-subnets.json")], _snapshot))
    found_doors.append(Door("data-refresh", [seed(SEEDS / "instance-types.json")], _refresh))
    return found_doors
