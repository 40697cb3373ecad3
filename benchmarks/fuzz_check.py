"""Damaged plans against `check`: each gets a verdict that adds up, or one clear line, and soon.

    python -m benchmarks.fuzz_check 20000 [SEED]

Plans are damaged as text (characters, lines) and as documents (values, keys, branches), several times
each. Everything runs in this process: what the command adds is one `except` around it.
"""

from __future__ import annotations

import copy
import json
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from capacity.advice.findings.rules import findings
from capacity.advice.fixes import Fixes, with_fix
from capacity.advice.search import find_fixes
from capacity.cluster.check import CheckResult, check
from capacity.errors import SpecError
from capacity.pages.check_page import answer
from capacity.pages.written import rendered
from capacity.plan.document import parse_yaml
from capacity.plan.parse import parse_plan
from capacity.plan.sections import PlanSection

SECONDS = 5  # of processor time: a plan of this size that takes longer hangs
EXAMPLES = Path(__file__).parents[1] / "examples"
FILE = str(EXAMPLES / "shared-subnets" / "plan.yaml")  # where the plans that name another find it
SEARCHED = 5  # the search for a fix runs on every so many plans that are not ok
WORST: list[Any] = [
    None,
    "",
    "-1",
    "0",
    "1",
    "7",
    "250",
    "1000000",
    "10000000",
    "9" * 30,
    "1e300",
    "0.1",
    "100%",
    "0%",
    "50%",
    ".nan",
    "true",
    "false",
    "10.0.0.0/16",
    "10.0.0.0/28",
    "10.0.0.64/28",
    "100.64.0.0/16",
    "::/0",
    "0.0.0.0/0",
    "m5.large",
    "t3.nano",
    "t2.small",
    "p4d.24xlarge",
    "a1.metal",
    "u-6tb1.112xlarge",
    "windows",
    "bottlerocket",
    "karpenter",
    "self-managed",
    "fargate",
    "auto",
    "ipv6",
    "worst",
    "even",
    "250m",
    "512Mi",
    "4%/month",
    "max_pods * 2",
    "-",
    "\u202e",
    "x" * 300,
    [],
    {},
    ["1"],
    {"a": "b"},
    {"now": "3", "max": "4000"},
    {"min": "0", "max": "500"},
    {"us-east-1a": "1", "us-east-1b": "3"},
    {"kubernetes.io/role/cni": "1"},
    {"kubernetes.io/role/cni": "0"},
    "cilium",
    {"name": "cilium", "cilium": {"firstInterfaceIndex": "1", "prefixDelegation": "true"}},
    {"kind": "cluster", "plan": "staging.yaml"},
    "shop.yaml",
]
SETTINGS = {
    "WARM_ENI_TARGET": ["0", "1", "2", "15", "-1", "x", ""],
    "WARM_IP_TARGET": ["0", "1", "5", "100", "1000000"],
    "MINIMUM_IP_TARGET": ["0", "1", "10", "400"],
    "WARM_PREFIX_TARGET": ["0", "1", "2", "9", ""],
    "MAX_ENI": ["0", "1", "2", "100"],
    "ENABLE_PREFIX_DELEGATION": ["true", "false", "maybe"],
    "ENABLE_POD_ENI": ["true", "false"],
    "ENABLE_SUBNET_DISCOVERY": ["true", "false"],
    "CLUSTER_NAME": ["shop", ""],
    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": ["true", "false"],
}
TEXT = list("{}[]:,-#&*!|>'\"%@`\t\n\r \\0a\x00\x1b\ufeff\u202e§")


class TooSlow(Exception):
    """A plan took longer than :data:`SECONDS`."""


@dataclass
class Tally:
    """What became of the plans."""

    verdicts: Counter[str]
    refused: Counter[str]
    slowest_s: float = 0.0


def damaged(sources: list[str], seed: int) -> Iterator[str]:
    """Plans, each damaged one to four times, without end."""
    rng = random.Random(seed)
    documents = [yaml.load(s, Loader=yaml.BaseLoader) for s in sources]
    while True:
        index = rng.randrange(len(sources))
        if rng.random() < 0.25:
            yield _damage_text(sources[index], rng)
            continue
        document = copy.deepcopy(documents[index])
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
            _damage_document(document, rng)
        yield yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True)


def _damage_text(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) or 1)
        kind = rng.randrange(4)
        if kind == 0:
            text = text[:at] + rng.choice(TEXT) + text[at + 1 :]
        elif kind == 1:
            text = text[:at] + rng.choice(TEXT) + text[at:]
        elif kind == 2:
            lines = text.split("\n")
            line = rng.randrange(len(lines))
            text = "\n".join([*lines[:line], *lines[line + 1 :]])
        else:
            text = text[: max(at, 1)]
    return text


def _damage_document(document: Any, rng: random.Random) -> None:
    if rng.random() < 0.2 and isinstance(document.get("cni"), dict):
        env = document["cni"].setdefault("env", {})
        if isinstance(env, dict):
            name = rng.choice(list(SETTINGS))
            env[name] = rng.choice(SETTINGS[name])
        return
    places = list(_places(document))
    parent, key = rng.choice(places)
    kind = rng.randrange(10)
    if kind < 6:
        parent[key] = copy.deepcopy(rng.choice(WORST))
    elif kind == 6:
        del parent[key]
    elif kind == 7:
        other, its = rng.choice(places)
        parent[key] = copy.deepcopy(other[its])
    elif kind == 8 and isinstance(parent, list):
        parent.append(copy.deepcopy(parent[key]))
    elif isinstance(parent[key], str) and parent[key].isdigit():
        parent[key] = str(int(parent[key]) * rng.choice((0, 2, 10, 1000)))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def judge(text: str, search: bool = False) -> str:
    """The verdict, or the refusal's first line; ``search``: with the search for a fix.

    Raises
    ------
    AssertionError
        A verdict whose figures do not add up, or a refusal whose errors are not one line each.
    """
    try:
        document = parse_yaml(text, FILE)
        if not isinstance(document, PlanSection):
            return "refused: not a mapping"
        result = check(parse_plan(document, FILE))
    except SpecError as error:
        for line in error.lines:
            assert line.startswith((FILE, "and "))
            assert "\n" not in line.strip()
        return f"refused: {error.lines[0].removeprefix(FILE)}"
    fixes = None
    if search and result.verdict != "ok":
        fixes = find_fixes(document, result)
        assert fixes.best is None or fixes.best.verdict == "ok"
    hold_to_account(result, fixes)
    return result.verdict


def hold_to_account(result: CheckResult, fixes: Fixes | None) -> None:
    """What must hold of every check, and that every format can say it."""
    for scenario in result.scenarios:
        for s in scenario.subnets:
            assert sum(s.used.values()) + s.free == s.subnet.usable
            assert min(s.used.values()) >= 0
            assert s.used_lowest <= s.used_total <= s.used_highest, (scenario.title, s.subnet.name)
            assert 0 <= s.free_reserved <= s.subnet.usable
            assert (s.verdict == "exhausted") == (s.free < 0 or not s.prefixes_placed)
        placed = sum(c.count * (c.pods - g.shape.first.start[4]) for g in scenario.groups for c in g.classes)
        assert placed >= 0
    said = answer(result, with_fix(findings(result), fixes), fixes=fixes)
    json.loads(rendered(said, "json"))
    assert rendered(said, "csv")
    for form in ("table", "md"):
        page = rendered(said, form)
        assert all(line.isprintable() for line in page.split("\n")), form


def run(sources: list[str], count: int, seed: int = 1, say: Callable[[str], None] | None = None) -> Tally:
    """Judge so many damaged plans.

    Raises
    ------
    Exception
        Whatever a plan raised that it should not have, with the plan as a note.
    """
    tally = Tally(Counter(), Counter())
    old = signal.signal(signal.SIGPROF, _too_slow)
    plans = damaged(sources, seed)
    try:
        for number in range(count):
            text = next(plans)
            signal.setitimer(signal.ITIMER_PROF, SECONDS)
            start = time.process_time()
            try:
                said = judge(text, search=number % SEARCHED == 0)
            except Exception as error:
                error.add_note(f"plan {number} of seed {seed}:\n{text}")
                raise
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            tally.slowest_s = max(tally.slowest_s, time.process_time() - start)
            if said.startswith("refused: "):
                tally.refused[said.partition(": ")[2].rpartition(": ")[2][:40]] += 1
            else:
                tally.verdicts[said] += 1
            if say and number % 5000 == 4999:
                say(f"{number + 1:,} plans, slowest {tally.slowest_s:.2f} s")
    finally:
        signal.signal(signal.SIGPROF, old)
    return tally


def _too_slow(*_: object) -> None:
    raise TooSlow(f"more than {SECONDS} s")


def example_plans() -> list[str]:
    """The examples, and the plans of the tests that hold every key."""
    sys.path.insert(0, str(EXAMPLES.parent))
    from tests.fixtures.plans import FULL, FULL_CILIUM, SMALL

    texts = (p.read_text(encoding="utf-8") for p in sorted(EXAMPLES.rglob("*.yaml")))
    return [FULL, FULL_CILIUM, SMALL, *(text for text in texts if "apiVersion: capacity/v1" in text)]


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    begin = time.process_time()
    done = run(example_plans(), number, int(sys.argv[2]) if len(sys.argv) > 2 else 1, print)
    verdicts = ", ".join(f"{n:,} {v}" for v, n in done.verdicts.most_common())
    spent, peak = time.process_time() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{number:,} damaged plans in {spent:.0f} s of processor time, {peak:.0f} MiB at most")
    print(f"{verdicts}; {done.refused.total():,} refused")
    print(f"slowest plan {done.slowest_s:.2f} s; no traceback, no plan that hangs, no figures that do not add up")
