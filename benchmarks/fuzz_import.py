"""Damaged files at every door of an import: a plan that `check` reads, or one clear line, and soon.

    python -m benchmarks.fuzz_import 20000 [SEED] [--door NAME] [--seeds FOLDER]

Then each fact of the files is deleted and changed: the plan or the notes change, or the reason why not is known
(benchmarks/import_facts.py). Both must hold, else the exit code is 1; a count of 0 tries the facts alone.

What is no source of an import (plans, options, histories, overrides) is benchmarks/fuzz_doors.py.

Documents are damaged as decoded (any node becomes null, a list, a mapping, a number, text, a huge value, another
node, an unresolved function) and as text (characters, lines, ends, encodings). Everything runs in this process: what
the command adds is one `except` around it. ``--seeds`` adds files of your own.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks.facts_without_effect import REASONS
from benchmarks.import_doors import Door, Seed, doors
from benchmarks.import_facts import SOURCES, tally, unused
from capacity.errors import CapacityError

SECONDS = 5  # of processor time for one input
MOST_MESSAGE = 2000  # characters of a refusal
WRONG: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    -1,
    7,
    250,
    10**30,
    -(10**18),
    1.5,
    1e308,
    "",
    " ",
    "x",
    "0",
    "-1",
    "9" * 30,
    "1e9",
    "true",
    "${x}",
    "{{ x }}",
    "a\nb: [",
    "\x00",
    "\u202e",
    "x" * 5000,
    "10.0.0.0/16",
    "10.0.0.0/33",
    "0.0.0.0/0",
    "::/0",
    "300.1.1.1",
    "m5.large",
    "arn:aws:x",
    "{}",
    "[]",
    "v1",
    "List",
    [],
    {},
    [None],
    [[]],
    [[[]]],
    [{}],
    ["x", "x"],
    [1, "a", None, {}, []],
    {"a": None},
    {"a": {"b": []}},
    {"": ""},
    {"name": ["x"], "value": {"y": 1}},
    {"Key": [], "Value": {}},
    {"id": 5},
]
FUNCTIONS: list[Any] = [
    {"Ref": "Env"},
    {"Ref": "Vpc"},
    {"Ref": "Nowhere"},
    {"Ref": ["Vpc"]},
    {"Ref": "AWS::NoValue"},
    {"Ref": "AWS::AccountId"},
    {"Fn::GetAtt": ["Vpc", "CidrBlock"]},
    {"Fn::GetAtt": "Vpc"},
    {"Fn::GetAtt": {}},
    {"Fn::If": ["Prod", {"a": 1}, []]},
    {"Fn::If": ["Prod"]},
    {"Fn::If": [[], 1, 2]},
    {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://a/b.yaml"}}},
    {"Fn::ForEach::Each": ["X", ["a", "b"], {"S${X}": {"Type": "AWS::EC2::Subnet"}}]},
    {"Fn::Split": ["", "10.0.0.0/16"]},
    {"Fn::Split": [{}, "a,b"]},
    {"Fn::Select": [-1, ["a"]]},
    {"Fn::Select": ["x", []]},
    {"Fn::Join": [[], ["a"]]},
    {"Fn::Join": ["", {"Ref": "Zones"}]},
    {"Fn::Sub": "${Env}-${Vpc.X}-${!Y}"},
    {"Fn::Sub": [[], {}]},
    {"Fn::Cidr": ["10.0.0.0/16", 300, 8]},
    {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, {}, []]},
    {"Fn::FindInMap": ["Sizes", {"Ref": "Env"}, "Type"]},
    {"Fn::FindInMap": [[], {}, None]},
    {"Fn::ImportValue": {"Fn::Sub": "x-${Env}"}},
    {"Fn::GetAZs": {"Ref": "Env"}},
    {"Fn::Base64": {"Fn::Join": ["", [1, None]]}},
    {"Fn::ToJsonString": {"a": {"Ref": "Env"}}},
    {"Fn::Length": []},
]
TEXT = [*"{}[]:,-#&*!|>'\"%@`=$()\t\n\r \\0a/.~?<\x00\x1b\ufeff\u202e§", "${", "%{", "<<", "!!", "---\n", "{{", "}}"]

EXPRESSIONS = [  # of HCL, for the value of an attribute
    *(
        "null",
        "true",
        "7",
        "-1",
        "1e400",
        '""',
        '"x"',
        '"${var.region}"',
        "[]",
        "{}",
        "[null]",
        '["a", 1, {}]',
        "var.nope",
    ),
    *("local.cidrs", "local.nope.a[3]", "each.value", "count.index", "aws_vpc.main", "aws_subnet.nodes[9].id"),
    *("module.vpc.private_subnets[0]", "module.nope.x", "data.aws_subnet.x.id", "self.id", "path.module", "1 / 0"),
    *(
        'cidrsubnet("10.0.0.0/16", 99, 5)',
        'cidrsubnet("x", 1, 1)',
        "cidrsubnets()",
        "element([], 3)",
        "slice([1], 5, 2)",
    ),
    *('lookup({}, "a")', "merge(null, [])", "format()", 'format("%d %s", "a")', "range(100000000)", "range(0, 5, 0)"),
    *(
        'jsondecode("{")',
        "jsonencode(local.name)",
        "max()",
        "length(null)",
        "flatten([[[]]])",
        "toset([{}])",
        "tolist({})",
    ),
    *(
        "[for x in null : x]",
        "{for k, v in [1] : v => k...}",
        "[for k, v in {} : k if v]",
        "var.sizes[*].x",
        '"a" + 1',
        "!5",
    ),
    *(
        "local.zones == null ? 1 : {}",
        '"%{ if true }a%{ endif }"',
        "2 ** 9999",
        "9999999999 * 9999999999",
        'join(1, "a")',
    ),
    *(
        'split("", "abc")',
        'replace("a", "/(/", "b")',
        'regex("(", "a")',
        'zipmap(["a"], [])',
        'yamldecode("a: [")',
        "try()",
    ),
]


class TooSlow(BaseException):
    """An input took longer than :data:`SECONDS`; nothing in between may catch it."""


@dataclass
class Tally:
    """What became of the inputs of one door."""

    plans: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    crashes: dict[str, str] = field(default_factory=dict)
    crashed: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.plans + self.refused + self.crashed.total()


# --- damage -------------------------------------------------------------------------------------


def damaged(given: Seed, rng: random.Random) -> bytes:
    """The file, damaged as documents or as text."""
    if given.name.endswith(".tf") and rng.random() < 0.7:
        return _damaged_values(given.text, rng).encode()
    if not given.documents or rng.random() < 0.2:
        return _damaged_text(given.text, rng)
    documents = copy.deepcopy(list(given.documents))
    for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3, 5))):
        _damage(documents, rng)
    if given.is_json or rng.random() < 0.5:
        return "\n".join(json.dumps(d, default=str) for d in documents).encode()
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump_all(documents, Dumper=dumper, sort_keys=False, allow_unicode=True)).encode("utf-8")


def _damaged_values(text: str, rng: random.Random) -> str:
    """HCL with other values for some attributes: it stays HCL."""
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if re.fullmatch(r"\s*[\w\"/.-]+\s*=\s*[^{(\[]*", line)]
    places += [i for i, line in enumerate(lines) if re.fullmatch(r"\s*\w+\s*=\s*(\{.*\}|\[.*\]|\w+\(.*\))\s*", line)]
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.choice(places)
        lines[at] = lines[at].partition("=")[0] + "= " + rng.choice(EXPRESSIONS)
    return "\n".join(lines)


def _damaged_text(text: str, rng: random.Random) -> bytes:
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) or 1)
        kind = rng.randrange(6)
        if kind == 0:
            text = text[:at] + rng.choice(TEXT) + text[at + 1 :]
        elif kind == 1:
            text = text[:at] + rng.choice(TEXT) + text[at:]
        elif kind == 2:
            lines = text.split("\n")
            del lines[rng.randrange(len(lines))]
            text = "\n".join(lines)
        elif kind == 3:
            text = text[: max(at, 1)]
        elif kind == 4:
            end = at + rng.randrange(1, 60)
            text = text[:at] + text[at:end] * rng.choice((2, 3, 50)) + text[end:]
        else:
            other = rng.randrange(len(text) or 1)
            text = text[:at] + text[other : other + 20] + text[at:]
    encoding = rng.choice(("utf-8",) * 12 + ("utf-16", "utf-32", "latin-1", "utf-8-sig"))
    return text.encode(encoding, "replace")


def _damage(documents: list[Any], rng: random.Random) -> None:
    places = list(_places(documents))
    if not places:
        return
    parent, key = rng.choice(places)
    kind = rng.randrange(12)
    if kind < 6:
        parent[key] = copy.deepcopy(rng.choice(WRONG))
    elif kind == 6:
        parent[key] = copy.deepcopy(rng.choice(FUNCTIONS))
    elif kind == 7:
        del parent[key]
    elif kind == 8:
        other, its = rng.choice(places)
        parent[key] = copy.deepcopy(other[its])
    elif kind == 9:
        parent[key] = [parent[key]] if rng.random() < 0.5 else {"x": parent[key]}
    elif kind == 10 and isinstance(parent, list):
        parent.insert(rng.randrange(len(parent) + 1), copy.deepcopy(parent[key]))
    elif isinstance(parent, dict):
        name = rng.choice(list(parent))
        parent[name] = parent.pop(key)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


# --- judging ------------------------------------------------------------------------------------


def judge(door: Door, path: Path) -> bool:
    """Whether it became something; False: refused with one line.

    Raises
    ------
    AssertionError
        A refusal that is no one line.
    """
    try:
        door.read(path)
    except CapacityError as error:
        message = str(error)
        assert message.strip(), "an empty message"
        lines = [str(one) for one in getattr(error, "errors", ())] or [message.strip()]
        assert not any("\n" in line for line in lines), f"an error of several lines: {message[:200]!r}"
        assert len(message) <= MOST_MESSAGE, f"a message of {len(message):,} characters: {message[:200]!r}"
        return False
    return True


def one(door: Door, rng: random.Random, at: Path, tally: Tally) -> None:
    """One damaged input at a door."""
    given = rng.choice(door.seeds)
    blob = damaged(given, rng)
    target = at / given.name
    target.write_bytes(blob)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    start = time.process_time()
    try:
        if judge(door, at if door.folder else target):
            tally.plans += 1
        else:
            tally.refused += 1
    except (Exception, TooSlow) as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        what = f"{type(error).__name__} {Path(where.filename).name}:{where.lineno} {str(error)[:80]!r}"
        tally.crashed[what.partition(" '")[0]] += 1
        tally.crashes.setdefault(what.partition(" '")[0], f"{given.name}\n{traceback.format_exc()}\n{blob[:20000]!r}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    tally.slowest_s = max(tally.slowest_s, time.process_time() - start)
    if door.folder:
        target.write_text(given.text, "utf-8")
    else:
        target.unlink()


def run(
    count: int, number: int = 1, only: str | None = None, extra: Path | None = None, say: Callable[[str], object] = str
) -> dict[str, Tally]:
    """So many damaged inputs over all doors, in turn."""
    old = signal.signal(signal.SIGPROF, _too_slow)
    tallies: dict[str, Tally] = {}
    try:
        with tempfile.TemporaryDirectory() as scratch:
            open_doors = [d for d in doors(extra) if only in (None, d.name)]
            for door in open_doors:
                place = Path(scratch) / door.name
                place.mkdir()
                for given in door.seeds if door.folder else ():
                    (place / given.name).write_text(given.text, "utf-8")
            rng = random.Random(number)
            for i in range(count):
                door = open_doors[i % len(open_doors)]
                one(door, rng, Path(scratch) / door.name, tallies.setdefault(door.name, Tally()))
                if i % 5000 == 4999:
                    say(f"{i + 1:,} inputs, {sum(t.crashed.total() for t in tallies.values()):,} crashes")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, old)
    return tallies


def _too_slow(*_: object) -> None:
    raise TooSlow(f"more than {SECONDS} s")


def most_memory_mib() -> float:
    """The most that this process held. [MiB]"""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1024 if sys.platform != "darwin" else most / 1024 / 1024


def table(tallies: dict[str, Tally]) -> str:
    lines = ["| door | inputs | plans | refused | crashes | slowest |", "|---|---:|---:|---:|---:|---:|"]
    for name, t in tallies.items():
        counts = f"{t.total:,} | {t.plans:,} | {t.refused:,} | {t.crashed.total():,}"
        lines.append(f"| {name} | {counts} | {t.slowest_s:.2f} s |")
    return "\n".join(lines)


def damage(asked: argparse.Namespace) -> bool:
    """Damage files and print the figures; False if an input crashed."""
    begin = time.perf_counter()
    done = run(asked.count, asked.seed, asked.door, asked.seeds, print)
    print(table(done))
    print(f"{asked.count:,} inputs in {time.perf_counter() - begin:.0f} s; {most_memory_mib():.0f} MiB at most")
    found = Counter({f"{name}: {what}": n for name, t in done.items() for what, n in t.crashed.items()})
    for what, n in found.most_common():
        print(f"{n:6,} {what}")
    shown = [text for t in done.values() for text in t.crashes.values()]
    print("\n\n".join(shown[: asked.show]))
    return not found


def change(only: str | None) -> bool:
    """Delete and change facts and print the figures; False if a silent fact has no reason, or a reason no fact."""
    held = True
    print("| door | facts | silent | without a reason |\n|---|---:|---:|---:|")
    left: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for door in doors():
            if door.name not in SOURCES or only not in (None, door.name):
                continue
            reasons = REASONS.get(door.name, {})
            found = tally(door, Path(folder), reasons)
            left += [f"{door.name}: without a reason: {fact}" for fact in found.unexplained]
            left += [f"{door.name}: no silent fact has: {pattern}" for pattern in unused(reasons, list(found.silent))]
            counts = f"{found.facts:,} | {len(found.silent):,} | {len(found.unexplained):,}"
            print(f"| {door.name} | {counts} |")
            held = held and not left
    print("\n".join(left))
    return held


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("count", type=int, nargs="?", default=2000)
    options.add_argument("seed", type=int, nargs="?", default=1)
    options.add_argument("--door")
    options.add_argument("--seeds", type=Path)
    options.add_argument("--show", type=int, default=0, help="so many different crashes in full")
    given = options.parse_args()
    outcome = [damage(given)] if given.count else []
    outcome.append(change(given.door))
    sys.exit(0 if all(outcome) else 1)
