"""Facts of the files of an import, deleted or changed one at a time: which of them change neither plan nor notes.

    python -m benchmarks.fuzz_facts [--door NAME] [--all]

The files are those of benchmarks/fuzz_import.py. A fact is a value of a decoded document, or a literal of .tf text.
Silent facts are listed without indexes, with a count: each should bear on no address, node or pod, or be overridden by
another fact of the same file (a second VPC, the type of a template if the group has types). Facts with a name in
:data:`WITHOUT_EFFECT` are left out unless ``--all`` is given.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.fuzz_import import Door, Seed, doors
from capacity.errors import CapacityError
from capacity.readers.complete import complete
from capacity.readers.draft import PlanDraft
from capacity.readers.existing_plan import render
from capacity.readers.sources import read_source

SOURCES = {"kubectl": "kubectl", "eksctl": "eksctl", "cloudformation": "cloudformation", "karpenter": "karpenter",
           "helm": "helm", "terraform-json": "terraform", "terraform-hcl": "terraform"}  # fmt: skip
WITHOUT_EFFECT = re.compile(
    r"(^|\.)(metadata\.(labels|annotations|uid|resourceVersion|creationTimestamp|selfLink)"
    r"|description|Description|AWSTemplateFormatVersion|format_version|terraform_version|serial|lineage"
    r"|arn|role_arn|iam|IAM\w*|tags_all|sensitive_values|provider_name|schema_version|provider_config_key)(\.|$)"
)
_LITERAL = re.compile(r'(?<![\w."$-])(\d+)(?![\w."/-])|"((?:[^"\\\n$]|\\.)+)"|\b(true|false)\b')


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
    """Another value of the same kind: the next number, the next block, the opposite, another word."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and re.fullmatch(r"\d+", value):
        return str(int(value) + 1)
    if isinstance(value, str) and value in ("true", "false"):
        return "false" if value == "true" else "true"
    if isinstance(value, str) and (block := re.fullmatch(r"(\d+)\.(\d+)\.(.*/\d+)", value)):
        return f"{block[1]}.{(int(block[2]) + 1) % 256}.{block[3]}"
    return f"{value}x" if isinstance(value, str) else "x"


def result(source: str, path: Path, text: str) -> str:
    """The plan with its notes, or the refusal."""
    path.write_text(text, "utf-8")
    try:
        draft = read_source(source, [str(path)])
    except CapacityError as error:
        return f"refused: {error}"
    return _shown(draft)


def _shown(draft: PlanDraft) -> str:
    notes = "\n".join(note.text for note in draft.notes)
    return notes if draft.is_empty else f"{render(complete(draft))}\n{notes}"


def silent_facts(door: Door, folder: Path) -> Counter[str]:
    """Facts of a door's files, without indexes, whose deletion or change is not seen."""
    found: Counter[str] = Counter()
    for given in door.seeds:
        path = folder / given.name
        found.update(_of_documents(door, given, path) if given.documents else _of_text(door, given, path))
    return found


def _of_documents(door: Door, given: Seed, path: Path) -> Iterator[str]:
    source = SOURCES[door.name]
    whole = list(given.documents)

    def read(documents: list[Any]) -> str:
        return result(source, path, "\n".join(json.dumps(d, default=str) for d in documents))

    before = read(whole)
    for fact in facts(whole):
        if len(fact) < 2:
            continue
        for delete in (True, False):
            if read(list(changed(whole, fact, delete=delete))) == before:  # type: ignore[call-overload]
                yield f"{'deleted' if delete else 'changed'} " + ".".join(str(k) for k in fact if isinstance(k, str))


def _of_text(door: Door, given: Seed, path: Path) -> Iterator[str]:
    source = SOURCES[door.name]
    before = result(source, path, given.text)
    for match in _LITERAL.finditer(given.text):
        number, text, truth = match.groups()
        new = str(int(number) + 1) if number else f'"{other(text)}"' if text else str(other(truth))
        if result(source, path, given.text[: match.start()] + new + given.text[match.end() :]) == before:
            line = given.text[: match.start()].count("\n")
            yield f"changed {given.name}: {given.text.splitlines()[line].strip()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--door", help="one source")
    parser.add_argument("--all", action="store_true", help="list the facts without effect too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for door in doors():
            if door.name not in SOURCES or (options.door and door.name != options.door):
                continue
            found = silent_facts(door, Path(folder))
            told = {k: n for k, n in sorted(found.items()) if options.all or not WITHOUT_EFFECT.search(k)}
            print(f"{door.name}: {len(told)} silent facts")
            for fact, count in told.items():
                print(f"  {count:4} {fact}")


if __name__ == "__main__":
    main()
