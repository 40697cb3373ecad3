"""Damaged input at every door of the command: an answer or one clear line, soon, in bounded memory.

    python -m benchmarks.fuzz_doors 200000 [SEED [DOOR…]]

A door is a way by which text of others comes in: plans, options, histories of several kinds, overrides, the user's
cache. Each input goes through the command's own entry point, in this process. What is damaged is text (characters,
lines) or a document (values, keys, branches); numbers are replaced by those that break arithmetic.
"""

from __future__ import annotations

import copy
import io
import json
import os
import random
import re
import resource
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import yaml
from typer.utils import get_params_from_function

from benchmarks.fuzz_check import WORST, _damage_document, _damage_text, damaged, example_plans
from capacity.cli.main import run as command

SECONDS = 5  # of processor time
MOST_BYTES = 1 << 30  # of memory
EXAMPLES = Path(__file__).parents[1] / "examples"
SHOP = str(EXAMPLES / "shop-prod.yaml")
FORMATS = ("table", "json", "yaml", "csv", "md")
START = datetime(2026, 10, 1, tzinfo=UTC)
COUNT = re.compile("[1-9][0-9]{0,8}")
Made = list[str]  # arguments of the command


class TooSlow(BaseException):
    """An input took longer than :data:`SECONDS`; no handler of ours may catch it."""


@dataclass
class Tally:
    """What became of the inputs of one door."""

    codes: Counter[int] = field(default_factory=Counter)
    slowest_s: float = 0.0
    faults: dict[str, str] = field(default_factory=dict)


# --- the doors --------------------------------------------------------------------------


def _number(rng: random.Random) -> str:
    word = rng.choice(WORST)
    return (
        word if isinstance(word, str) and rng.random() < 0.8 else str(rng.choice((0, 1, -1, 10**7, 10**18, "9" * 5000)))
    )


def _text_of(text: str, rng: random.Random) -> str:
    return _damage_text(text, rng) if rng.random() < 0.8 else text.replace(rng.choice("0123456789"), _number(rng), 1)


def _document_of(document: Any, rng: random.Random) -> str:
    if rng.random() < 0.2:
        return _damage_text(json.dumps(document), rng)
    changed = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if changed:
            _damage_document(changed, rng)
    return json.dumps(changed)


def _saved(folder: Path, name: str, content: str | bytes) -> str:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return str(path)


def _form(rng: random.Random) -> Made:
    return ["-o", rng.choice(FORMATS)]


def damaged_database(whole: bytes, rng: random.Random) -> bytes:
    """An SQLite file with other bytes, cut short, with a sector overwritten or a page copied over another."""
    blob = bytearray(whole)
    kind = rng.randrange(4)
    if kind == 0:
        for _ in range(rng.choice((1, 3, 20))):
            blob[rng.randrange(len(blob))] = rng.randrange(256)
    elif kind == 1:
        del blob[rng.randrange(len(blob)) :]
    elif kind == 2:
        at = rng.randrange(len(blob))
        blob[at : at + 512] = rng.randbytes(512)
    else:
        here, there = (rng.randrange(len(blob) // 4096) * 4096 for _ in range(2))
        blob[here : here + 4096] = blob[there : there + 4096]
    return bytes(blob)


class Doors:
    """Each method makes one input: the files it needs in ``folder``, and the arguments."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder
        self.plans = damaged(example_plans(), seed)
        self.documents = [yaml.safe_load(text) for text in example_plans()]
        self.snapshots = _history(folder)

    def plan(self, rng: random.Random) -> Made:
        """A plan, to the verbs that read one."""
        path = _saved(self.folder, "plan.yaml", next(self.plans))
        verb = rng.choice(("check", "check", "check", "subnets", "warm", "explain", "compare", "forecast"))
        more = {
            "check": ["--no-fixes"],
            "compare": ["--set", "cni.env.WARM_IP_TARGET=2"],
            "forecast": ["--paths", "100", "--as-of", "2026-11-01"],
        }
        first = [rng.choice(("private-a", "a", "general", "private-a.warm"))] if verb == "explain" else []
        return [verb, *first, path, *more.get(verb, []), *(["-o", rng.choice(FORMATS[:3])] if first else _form(rng))]

    def counts(self, rng: random.Random) -> Made:
        """A plan that is right but for its size: counts of ten million, the most that a field accepts."""
        document = copy.deepcopy(rng.choice(self.documents))
        places = [(at, key) for at, key in places_of(document) if COUNT.fullmatch(str(at[key]))]
        for at, key in rng.sample(places, min(rng.choice((1, 1, 2, 4, 12)), len(places))):
            at[key] = rng.choice((10**7, 10**7, 10**6, 10**5, 10**5 + 1, 65_537))
        path = _saved(self.folder, "counts.yaml", yaml.dump(document, Dumper=yaml.CSafeDumper, sort_keys=False))
        verb: Made = rng.choice((
            ["check", "--no-fixes"], ["check", "--fixes"], ["check", "--scenario", "burst:nodes=9999999"], ["subnets"],
            ["size"], ["warm"], ["compare", "--set", "cni.env.WARM_IP_TARGET=2"], ["report", "-o", "md"],
            ["forecast", "--paths", "100"], ["record", "--into", str(self.folder / "counted.db")],
        ))  # fmt: skip
        return [verb[0], path, *verb[1:], *([] if verb[0] == "report" else _form(rng))]

    def setting(self, rng: random.Random) -> Made:
        """``--set``."""
        path = rng.choice(
            (
                "cni.env.WARM_IP_TARGET", "nodeGroups.general.nodes.max", "nodeGroups[0].maxPods", "vpc.subnets[+]",
                "vpc.cidrs[0]", "workloads[0].replicas", "tenants[+]", "checks.minFree", "controlPlane.subnets",
                "nodeGroups[+].name",
            )
        )  # fmt: skip
        setting = f"{path}={_number(rng)}"
        if rng.random() < 0.5:
            setting = _text_of(setting, rng)
        return ["check", SHOP, "--no-fixes", "--set", setting, *_form(rng)]

    def scenario(self, rng: random.Random) -> Made:
        """``--scenario``."""
        known = rng.choice(
            ("peak", "burst:nodes=20", "burst:nodes=3,spread=worst", "upgrade+zone-loss", "spot-storm:share=30%",
             "rollout:workload=web,mode=recreate", "zone-loss:zone=us-east-1a", "blue-green:group=general")
        )  # fmt: skip
        return ["check", SHOP, "--no-fixes", "--scenario", _text_of(known, rng), *_form(rng)]

    def options(self, rng: random.Random) -> Made:
        """Texts and numbers in other options."""
        made: Made = rng.choice((
            ["node", "m5.large", "--pod-cpu", "250m", "--pod-memory", "512Mi"],
            ["node", "m5.large", "--pods", "12", "--env", "WARM_IP_TARGET=2"],
            ["node", "m5.large", "--daemonset", "a=100m,128Mi", "--system-reserved", "cpu=1,memory=1Gi"],
            ["node", "m5.*", "--eviction-hard", "5%", "--memory-min", "4Gi", "--limit", "5"],
            ["maxpods", "m5.large", "--expression", "max_pods * 2", "--max-eni", "2", "--reserved-enis", "1"],
            ["warm", "--type", "m5.large", "--pods-per-node", "8..30", "--swing", "25%"],
            ["size", SHOP, "--vpc-cidr", "100.64.0.0/20"],
            ["subnets", "--cidr", "10.0.0.0/24", "--used", "60", "--want", "8", "--prefixes", "2"],
            ["subnets", "--cidr", "10.0.0.0/24", "--taken", "10.0.0.9,10.0.0.16/28"],
            ["subnets", "--cidr", "10.0.0.0/24", "--reservation", "10.0.0.32/28:prefix", "--used", "3"],
            ["forecast", SHOP, "--horizon", "18mo", "--as-of", "2026-11-01", "--paths", "100", "--seed", "3"],
            ["explain", "private-b.warm", SHOP, "--scenario", "peak"],
            ["record", SHOP, "--into", str(self.folder / "made.db"), "--time", "2026-11-01", "--prune", "90d"],
        ))  # fmt: skip
        made = [*made]
        for _ in range(rng.choice((1, 1, 2))):
            place = rng.randrange(1, len(made))
            if made[place] not in (SHOP, str(self.folder / "made.db")) and not made[place].startswith("--"):
                made[place] = _text_of(made[place], rng)
        return [a.replace("\0", "") for a in made]

    def history(self, rng: random.Random) -> Made:
        """A file of ``capacity record``."""
        path = _saved(self.folder, "history.db", damaged_database(self.snapshots, rng))
        Path(f"{path}-journal").unlink(missing_ok=True)
        if rng.random() < 0.3:
            return ["record", SHOP, "--into", path, *_form(rng)]
        if rng.random() < 0.5:
            return ["record", "--list", "--into", path, *_form(rng)]
        return self._forecast(path, rng)

    def demand_csv(self, rng: random.Random) -> Made:
        """A table of free addresses."""
        rows = "".join(f"2026-10-{d:02d}T06:00:00Z,a,{200 - d},251\n" for d in range(1, 20))
        return self._forecast(_saved(self.folder, "free.csv", _text_of("time,subnet,free,usable\n" + rows, rng)), rng)

    def prometheus(self, rng: random.Random) -> Made:
        """A range query's answer."""
        points = [[int((START + timedelta(days=d)).timestamp()), str(200 - d)] for d in range(8)]
        series = [
            {"metric": {"__name__": "available_ips", "subnet_id": f"subnet-0000000{i}"}, "values": points}
            for i in (1, 2)
        ]
        answer = {"status": "success", "data": {"resultType": "matrix", "result": series}}
        return self._forecast(_saved(self.folder, "prometheus.json", _document_of(answer, rng)), rng)

    def cloudwatch(self, rng: random.Random) -> Made:
        """An answer of ``get-metric-data`` or ``get-metric-statistics``."""
        days = [(START + timedelta(days=d)).isoformat() for d in range(8)]
        data = {
            "Id": "a",
            "Label": "AvailableIpAddressCount subnet-0123456789abcdef0",
            "Timestamps": days,
            "Values": [200.0] * 8,
        }
        points = [{"Timestamp": day, "Minimum": 100.0, "Unit": "Count"} for day in days]
        answer = rng.choice(({"MetricDataResults": [data]}, {"Label": "subnet-01234567 free", "Datapoints": points}))
        return self._forecast(_saved(self.folder, "cloudwatch.json", _document_of(answer, rng)), rng)

    def describe_subnets(self, rng: random.Random) -> Made:
        """A saved answer to record."""
        subnet = {"SubnetId": "subnet-1", "CidrBlock": "10.0.0.0/24", "AvailableIpAddressCount": 200, "Tags": []}
        answer = {"Subnets": [subnet, {**subnet, "SubnetId": "subnet-2", "Tags": [{"Key": "Name", "Value": "b"}]}]}
        into = self.folder / "described.db"
        into.unlink(missing_ok=True)
        return ["record", _saved(self.folder, "s.json", _document_of(answer, rng)), "--into", str(into), *_form(rng)]

    def overrides(self, rng: random.Random) -> Made:
        """An override file: limits and prices."""
        toml = (
            '[types."m9x.large"]\nvcpus = 2\nmemory_mib = 8192\nmax_enis = 3\nipv4_per_eni = 10\n'
            '[types."m5.large"]\nmax_enis = 4\n[prices."m5.large"]\nus-east-1 = 0.09\n'
        )
        table = "instance_type,max_enis,ipv4_per_eni,memory_mib\nm9x.large,3,10,8192\nm5.large,4,,\n"
        name, text = rng.choice((("overrides.toml", toml), ("overrides.csv", table)))
        os.environ["CAPACITY_OVERRIDES"] = _saved(self.folder, name, _text_of(text, rng))
        return rng.choice((
            ["maxpods", "m5.large", "m9x.large"], ["node", "m5.large", "--pod-cpu", "1"],
            ["maxpods", rng.choice((*["m5.*"] * 9, "--all"))], ["data", rng.choice(("status", "diff"))],
        )) + _form(rng)  # fmt: skip

    def cache(self, rng: random.Random) -> Made:
        """The user's cache of limits and prices."""
        folder = self.folder / "cache"
        folder.mkdir(exist_ok=True)
        for name in ("eni_limits.csv", "prices.csv"):
            lines = (EXAMPLES.parent / "data" / name).read_text().splitlines(keepends=True)
            picked = [lines[0], *(line for line in lines if line.startswith("m5.large,"))]
            _saved(folder, name, _text_of("".join(picked), rng))
        os.environ["CAPACITY_CACHE_DIR"] = str(folder)
        return rng.choice((
            ["maxpods", "m5.large"], ["node", "m5.large", "--pod-cpu", "1"],
            ["check", SHOP, "--no-fixes"], ["data", rng.choice(("status", "diff"))],
        )) + _form(rng)  # fmt: skip

    def taken(self, rng: random.Random) -> Made:
        """A list of the addresses taken."""
        text = "# taken\n10.0.0.9\n10.0.0.16/28, 10.0.0.40\n"
        interface = {
            "NetworkInterfaceId": "eni-1",
            "SubnetId": "s",
            "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.9"}],
        }
        content = _text_of(text, rng) if rng.random() < 0.5 else _document_of({"NetworkInterfaces": [interface]}, rng)
        return ["subnets", "--cidr", "10.0.0.0/24", "--taken", _saved(self.folder, "taken", content), *_form(rng)]

    def _forecast(self, path: str, rng: random.Random) -> Made:
        return ["forecast", "--history", path, "--usable", "251", "--paths", "100", *_form(rng)]


def places_of(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every entry of the mappings and lists of a document: what holds it, and its key or number there."""
    keys: Any = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from places_of(value[key])


DOORS = tuple(name for name in vars(Doors) if not name.startswith("_"))


def _history(folder: Path) -> bytes:
    from capacity.forecast.history import FillSnapshot, RecordedFill, record

    path = folder / "whole.db"
    for day in range(20):
        fills = tuple(RecordedFill(f"s{i}", 200 - day - i, 251, 3, {"warm": 20}) for i in range(4))
        record(path, FillSnapshot(START + timedelta(days=day), "plan.yaml", fills, nodes=3, pods=40))
    with closing(sqlite3.connect(path)) as db:
        db.execute("VACUUM")
    return path.read_bytes()


# --- running ----------------------------------------------------------------------------


def judge(arguments: Made) -> int:
    """Run the command; its exit code.

    Raises
    ------
    AssertionError
        A crash, or an error that is not one line.
    TooSlow
        It took more than :data:`SECONDS` of processor time.
    """
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code = 0
    with (
        mock.patch.object(sys, "argv", ["capacity", *arguments]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO())),
        mock.patch.object(sys, "stdout", out),
        mock.patch.object(sys, "stderr", err),
    ):
        signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
        try:
            command()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 2
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    said = _said(err)
    assert code in (0, 1, 2), said
    assert "Traceback" not in said, said
    if code == 2 and not said.startswith("Usage: "):
        lines = said.splitlines()
        assert lines, "exit 2 without a word"
        assert all(line.startswith(("error: ", "warning: ", "note: ")) for line in lines), said
        assert lines[-1].startswith("error: "), said
        assert len(lines[-1]) < 2000, said[:3000]
    return code


def _said(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode()


@contextmanager
def bounded() -> Iterator[None]:
    """Memory and processor time bounded; whatever the caller's environment says put back."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, before[1]))
    old = signal.signal(signal.SIGVTALRM, _too_slow)
    try:
        with (
            mock.patch.dict(os.environ, {"CAPACITY_CACHE_DIR": os.devnull, "CAPACITY_DEBUG": "1"}),
            # A verb's options, which typer would work out again for every input: a quarter of the time.
            mock.patch("typer.main.get_params_from_function", cache(get_params_from_function)),
        ):
            yield
    finally:
        signal.signal(signal.SIGVTALRM, old)
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _too_slow(*_: object) -> None:
    raise TooSlow(f"more than {SECONDS} s of processor time")


def run(
    count: int, seed: int = 1, names: tuple[str, ...] = DOORS, say: Callable[[str], None] | None = None
) -> dict[str, Tally]:
    """So many inputs, the doors in turn; a fault is kept with what caused it, one of each kind."""
    tallies = {name: Tally() for name in names}
    with tempfile.TemporaryDirectory() as place, bounded():
        folder, rng = Path(place), random.Random(seed)
        doors = Doors(folder, seed)
        for number in range(count):
            name = names[number % len(names)]
            with mock.patch.dict(os.environ):
                arguments = getattr(doors, name)(rng)
                start = time.process_time()
                tally = tallies[name]
                try:
                    code = judge(arguments)
                except (Exception, TooSlow) as error:
                    told = f"input {number} of seed {seed}: {arguments}\n{_files(arguments)}\n{error}"
                    tally.faults.setdefault(f"{type(error).__name__}: {str(error)[-300:]}", told)
                    continue
            tally.codes[code] += 1
            tally.slowest_s = max(tally.slowest_s, time.process_time() - start)
            if say and number % 5000 == 4999:
                say(f"{number + 1:,} inputs, slowest {max(t.slowest_s for t in tallies.values()):.2f} s")
    return tallies


def _files(arguments: Made) -> str:
    """What the input's files held, for the report of a fault."""
    paths = [a for a in (*arguments, os.environ.get("CAPACITY_OVERRIDES", "")) if a.startswith(tempfile.gettempdir())]
    return "\n".join(f"{p}: {Path(p).read_bytes()[:4000]!r}" for p in paths if Path(p).is_file())


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    begin = time.process_time()
    done = run(number, int(sys.argv[2]) if len(sys.argv) > 2 else 1, tuple(sys.argv[3:]) or DOORS, print)
    for fault in (f for tally in done.values() for f in tally.faults.values()):
        print(f"{fault}\n")
    print("| door | inputs | answered | bad news | refused | slowest, s |")
    print("|---|---:|---:|---:|---:|---:|")
    for door, tally in done.items():
        codes = " | ".join(f"{tally.codes[code]:,}" for code in (0, 1, 2))
        print(f"| {door} | {tally.codes.total():,} | {codes} | {tally.slowest_s:.2f} |")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent, faults = time.process_time() - begin, sum(len(tally.faults) for tally in done.values())
    print(f"{number:,} inputs in {spent:.0f} s of processor time, {peak:.0f} MiB at most, {faults} kinds of faults")
    sys.exit(1 if faults else 0)
