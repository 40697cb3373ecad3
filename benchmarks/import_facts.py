"""Facts of the files of an import, deleted or changed one at a time: plan or notes change, or a reason is known.

    python -m benchmarks.fuzz_import 0 [--door NAME] [--list]

A fact is a simple value of a decoded document, or a literal of .tf text. A fact whose deletion or change shows neither
in the plan nor in the notes is silent. A silent fact has a reason in benchmarks/facts_without_effect.py: it bears on no
address, node or pod, or another fact of the same file has the last word. A silent fact without a reason is a fault of
the reader; a reason without a silent fact is out of date.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.import_doors import Door, Seed
from capacity.errors import CapacityError
from capacity.readers.aws.aws_cluster import parse_cluster, with_unread
from capacity.readers.aws.draft import aws_draft
from capacity.readers.aws.folder import read_folder
from capacity.readers.complete import complete
from capacity.readers.draft import PlanDraft
from capacity.readers.existing_plan import render
from capacity.readers.sources import read_source

SOURCES = {"kubectl": "kubectl", "eksctl": "eksctl", "cloudformation": "cloudformation", "karpenter": "karpenter",
           "helm": "helm", "terraform-json": "terraform", "terraform-hcl": "terraform", "aws": "aws"}  # fmt: skip
_PAIRS = (
    ("true", "false"),
    ("spot", "on-demand"),
    ("SPOT", "ON_DEMAND"),
    ("In", "NotIn"),
    ("RollingUpdate", "Recreate"),
    ("DoNotSchedule", "ScheduleAnyway"),
    ("HighlyAvailable", "Single"),
    ("AmazonLinux2023", "Bottlerocket"),
    ("AL2023_x86_64_STANDARD", "BOTTLEROCKET_x86_64"),
    ("IPv4", "IPv6"),
    ("linux", "windows"),
    ("amd64", "arm64"),
    ("Running", "Succeeded"),
    ("m5.large", "m5.xlarge"),
    ("application", "network"),
    ("managed", "data"),
    ("Bottlerocket OS 1.40 (aws-k8s-1.33)", "Amazon Linux 2023"),
    ("efa", "efa-only"),
    ("associated", "failed"),
    ("running", "terminated"),
    ("in-use", "available"),
    ("Gt", "Lt"),
)  # words of one vocabulary
_WORDS = {word: instead for a, b in _PAIRS for word, instead in ((a, b), (b, a))}
_NAMES = ("name", "Name", "address", "Key", "key", "type")
_LITERAL = re.compile(r'(?<![\w."$-])(\d+)(?![\w."/-])|"((?:[^"\\\n$]|\\.)+)"|\b(true|false)\b')


@dataclass
class FactTally:
    """Facts of one door: how many, and the silent ones with their reason (None: there is none)."""

    facts: int = 0
    silent: dict[str, str | None] = field(default_factory=dict)

    @property
    def unexplained(self) -> list[str]:
        return [fact for fact, why in self.silent.items() if why is None]


def facts(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of the values of a document: of simple ones, and of empty containers."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from facts(inner, (*path, key))
    elif isinstance(value, list) and value:
        for i, inner in enumerate(value):
            yield from facts(inner, (*path, i))
    elif path:
        yield path


def changed(document: object, path: tuple[Any, ...], *, delete: bool) -> object:
    """The document with one fact deleted, or changed to another value of its kind."""
    made = copy.deepcopy(document)
    here: Any = made
    for key in path[:-1]:
        here = here[key]
    if delete:
        del here[path[-1]]
    else:
        here[path[-1]] = other(here[path[-1]])
    return made


def other(value: object) -> object:
    """Another value of the same kind: the next number, quantity, version or block, the opposite, another known word.

    >>> other(7), other("250m"), other("v1.33.1-eks-1"), other("10.0.0.0/16"), other("spot"), other("web")
    (8, '251m', 'v1.34.1-eks-1', '10.1.0.0/16', 'on-demand', 'webx')
    """
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if not isinstance(value, str):
        return "x"
    if value in _WORDS:
        return _WORDS[value]
    if number := re.fullmatch(r"([0-9]+)([a-zA-Z%]{0,3})", value):
        return f"{int(number[1]) + 1}{number[2]}"
    if dotted := re.fullmatch(r"(v?[0-9]+)\.([0-9]+)(\..*)?", value):
        return f"{dotted[1]}.{(int(dotted[2]) + 1) % 256}{dotted[3] or ''}"
    return f"{value}x"


def label(document: object, path: Sequence[Any]) -> str:
    """Words for a fact: its keys, and the name of each entry of a list.

    >>> label({"groups": [{"name": "web", "min": 1}]}, ("groups", 0, "min"))
    'groups[web].min'
    """
    text, here = "", document
    for key in path:
        here = here[key]  # type: ignore[index]
        text += f"[{_name(here, key)}]" if isinstance(key, int) else f".{key}"
    return text.lstrip(".")


def _name(value: object, index: int) -> str:
    if not isinstance(value, dict):
        return str(index)
    metadata = value.get("metadata")
    if isinstance(metadata, dict) and value.get("kind"):
        return f"{value['kind']}/{metadata.get('name')}"
    return next((str(value[k]) for k in _NAMES if isinstance(value.get(k), str)), str(index))


def result(source: str, path: Path, text: str) -> str:
    """The plan with its notes, or the refusal; of all files of the folder for answers of AWS."""
    path.write_text(text, "utf-8")
    try:
        if source == "aws":
            return _shown(aws_draft(parse_cluster(with_unread(read_folder(path.parent), ""), "")))
        return _shown(read_source(source, [str(path)]))
    except CapacityError as error:
        return f"refused: {error}"


def _shown(draft: PlanDraft) -> str:
    notes = "\n".join(note.text for note in draft.notes)
    return notes if draft.is_empty else f"{render(complete(draft))}\n{notes}"


def tally(door: Door, folder: Path, reasons: Mapping[str, str], every: int = 1) -> FactTally:
    """The facts of a door's files, or one of ``every`` so many; ``reasons`` are patterns of silent facts."""
    found = FactTally()
    known = [(re.compile(pattern), why) for pattern, why in reasons.items()]
    for given in door.seeds if door.folder else ():
        (folder / given.name).write_text(given.text, "utf-8")
    for given in door.seeds:
        path = folder / given.name
        read = _of_documents if given.documents else _of_text
        for fact, seen in read(door, given, path, every):
            found.facts += 1
            if not seen:
                found.silent[fact] = next((why for pattern, why in known if pattern.search(fact)), None)
    return found


def unused(reasons: Mapping[str, str], silent: Sequence[str]) -> list[str]:
    """Patterns that no silent fact has."""
    return [pattern for pattern in reasons if not any(re.search(pattern, fact) for fact in silent)]


def _of_documents(door: Door, given: Seed, path: Path, every: int) -> Iterator[tuple[str, bool]]:
    source = SOURCES[door.name]
    whole = list(given.documents)

    def read(documents: list[Any]) -> str:
        return result(source, path, "\n".join(json.dumps(d, default=str) for d in documents))

    before = read(whole)
    for fact in islice((f for f in facts(whole) if len(f) > 1), 0, None, every):
        for delete in (True, False):
            seen = read(list(changed(whole, fact, delete=delete))) != before  # type: ignore[call-overload]
            yield f"{'deleted' if delete else 'changed'} {given.name} {label(whole, fact)}", seen
    path.write_text(given.text, "utf-8")


def _of_text(door: Door, given: Seed, path: Path, every: int) -> Iterator[tuple[str, bool]]:
    source = SOURCES[door.name]
    before = result(source, path, given.text)
    for match in islice(_LITERAL.finditer(given.text), 0, None, every):
        number, text, truth = match.groups()
        new = str(int(number) + 1) if number else f'"{other(text)}"' if text else str(other(truth))
        line = given.text[: match.start()].count("\n")
        seen = result(source, path, given.text[: match.start()] + new + given.text[match.end() :]) != before
        yield f"changed {given.name} {given.text.splitlines()[line].strip()}: {match[0]}", seen
