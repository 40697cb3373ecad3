"""Compares the JSON answers of two checkouts over every example plan and a few instance types.

python tools/same_answers.py ../before .

Each checkout answers in a process of its own, with the plans of the second. Lists every path of the JSON that differs,
with both values. The version and the amounts and dates of the data are not compared. Exit code 1: an answer differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from capacity.units import counted

PLAN_VERBS = (
    ("check", "--exit-zero"),
    ("size",),
    ("compare", "--set", "cni.env.WARM_IP_TARGET=4"),
    ("forecast", "--horizon", "6mo"),
    ("subnets",),
    ("warm",),
)
TYPES = ("m5.large", "c7g.4xlarge", "t3.small", "p5.48xlarge")
MODES = ("secondary", "prefix", "ipv6", "all")
NOT_COMPARED = ("version", "data")  # of the envelope
SHOWN = 8  # differences of one command

# Run with -P: the code is that of the checkout, not of the folder it runs in. Reads commands as lines of JSON and
# answers each with a line: its JSON, or its exit code and the end of its messages.
ANSWER = """
import json, sys
from typer.testing import CliRunner
from capacity.cli.main import app

for line in sys.stdin:
    done = CliRunner().invoke(app, json.loads(line))
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        answer = {"exit_code": done.exit_code, "message": done.stderr[-400:]}
    print(json.dumps(answer), file=sys.__stdout__, flush=True)
"""


def commands(checkout: Path) -> list[list[str]]:
    """Every verb that answers with JSON, on each example plan of a checkout and on a few types."""
    plans = [p for p in sorted((checkout / "examples").rglob("*.yaml")) if "apiVersion: capacity/v1" in p.read_text()]
    found = [[verb, str(plan.relative_to(checkout)), *options] for plan in plans for verb, *options in PLAN_VERBS]
    found += [["maxpods", name, "--mode", mode] for name in TYPES for mode in MODES]
    found += [["node", name, "--pod-cpu", "250m", "--pod-memory", "512Mi", "--pods", "9"] for name in TYPES]
    return [[*command, "--output", "json", "--quiet"] for command in found]


def answers(checkout: Path, asked: Sequence[Sequence[str]], folder: Path) -> list[Any]:
    """The answers of a checkout's code to some commands that are run in ``folder``."""
    env = os.environ | {"PYTHONPATH": str(checkout.resolve()), "SOURCE_DATE_EPOCH": "1795996800"}
    lines = "".join(json.dumps(command) + "\n" for command in asked)
    program = (sys.executable, "-P", "-c", ANSWER)
    done = subprocess.run(program, input=lines, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Each path at which two JSON values differ, with both values.

    >>> list(differences({"a": [1, 2], "b": 0}, {"a": [1, 3], "c": 0}))
    [('.a[1]', 2, 3), ('.b', 0, '(none)'), ('.c', '(none)', 0)]
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from differences(old.get(key, "(none)"), new.get(key, "(none)"), f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{path}[{i}]")
    elif old != new or type(old) is not type(new):
        yield path, old, new


def without_words(value: Any) -> Any:
    """The value with every sentence left out: texts with a blank.

    >>> without_words({"verdict": "ok", "why": "it fits"})
    {'verdict': 'ok', 'why': '…'}
    """
    if isinstance(value, dict):
        return {key: without_words(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_words(inner) for inner in value]
    return "…" if isinstance(value, str) and " " in value else value


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Compare the JSON answers of two checkouts over every example.")
    parser.add_argument("old", type=Path, help="folder of the checkout before")
    parser.add_argument("new", type=Path, help="folder of the checkout after; its example plans are used")
    parser.add_argument("--without-words", action="store_true", help="do not compare sentences")
    parser.add_argument("--ignore", action="append", default=[], metavar="KEY", help="do not compare this key")
    told = parser.parse_args(arguments)
    asked = commands(told.new)
    before, after = (answers(checkout, asked, told.new) for checkout in (told.old, told.new))
    left_out = {*NOT_COMPARED, *told.ignore}
    unlike = 0
    for command, *pair in zip(asked, before, after, strict=True):
        old, new = map(without_words, pair) if told.without_words else pair
        found = [d for d in differences(old, new) if left_out.isdisjoint(d[0].replace("[", ".").split("."))]
        unlike += bool(found)
        for path, one, other in found[:SHOWN]:
            print(f"{' '.join(command)}\n  {path}\n  - {str(one)[:200]}\n  + {str(other)[:200]}")
        if len(found) > SHOWN:
            print(f"  and {len(found) - SHOWN} more")
    print(f"{counted(len(asked), 'command')}: {len(asked) - unlike} with the same answer, {unlike} with another")
    return 1 if unlike else 0


if __name__ == "__main__":
    sys.exit(main())
