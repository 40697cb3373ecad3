"""The planner page's adapter: answers of the commands, bytes for bytes, and errors with their lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from capacity import planner
from capacity.cli.main import app
from capacity.errors import CapacityError
from capacity.plan.document import parse_yaml
from tests.planner.calls import EXAMPLE, REPO, TWO, Case, cases

TEXT = (REPO / EXAMPLE).read_text(encoding="utf-8")


def asked(call: str, **request: Any) -> Any:
    return json.loads(planner.answer(call, json.dumps(request)))


def command(*arguments: str) -> tuple[str, str]:
    """The output of a command, and its error."""
    try:
        done = CliRunner().invoke(app, [*arguments, "-q", "-o", "json"], catch_exceptions=False)
    except CapacityError as error:
        return "", "\n".join(error.lines)
    return done.stdout, ""


@pytest.mark.parametrize("case", cases(), ids=lambda case: " ".join(case.command))
def test_the_page_answers_as_the_command(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    printed, said = command(*case.command)
    answer = planner.answer(case.call, json.dumps(case.request))
    if printed:
        assert answer == printed
    else:
        assert json.loads(answer)["error"] == said


def test_it_needs_nothing_compiled_nor_the_command_line() -> None:
    blocked = ("numpy", "pandas", "matplotlib", "scipy", "celpy", "typer", "jinja2", "markupsafe", "_yaml", "highspy")
    program = f"""
import json, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocked())
from capacity import planner
text = open({EXAMPLE!r}, encoding="utf-8").read()
two = {TWO!r}
for call, request in (
    ("live", dict(text=text)), ("comment", dict(text=text)), ("fixes", dict(text=text)), ("warm", dict(text=text)),
    ("size", dict(text=two)), ("explain", dict(text=text, what="private-b")), ("extras", dict(text=text)),
    ("curve", dict(text=text)), ("curve", dict(text=text, group="general")), ("compare", dict(before=text, text=two)),
    ("applied", dict(text=text, patch={{"checks.minFree": "5%"}})), ("split", dict(text=two, subnet="a")),
    ("join", dict(text=two, subnet="a")), ("maxpods", dict(types=["m5.large"])), ("node", dict(types=["m5.large"])),
    ("start", dict(pods=30, kind="m5.large")), ("types", dict()),
    ("import_files", dict(paths=["examples/nodes-and-pods.json", "examples/describe-subnets.json"])),
):
    found = json.loads(planner.answer(call, json.dumps(request)))
    assert not isinstance(found, dict) or "error" not in found, (call, found)
loaded = {{name.partition(".")[0] for name in sys.modules}} & set({blocked!r})
print(sorted(loaded), [m for m in sys.modules if m.startswith("capacity.cli")])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=REPO)
    assert (done.stdout, done.stderr) == ("[] []\n", "")


def test_errors_have_their_lines() -> None:
    found = asked("check", text=TEXT.replace("cidr: 10.40.2.0/24", "cidr: 10.40.2.0/33").replace("m6i.xl", "m6i.xxl"))
    assert found["line"] == 14
    assert [e["line"] for e in found["errors"]] == [14, 19]
    assert found["error"].startswith("plan.yaml:14 vpc.subnets[1].cidr: ")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[" * 1000, "nested more than 100 deep"),
        ("", "is empty"),
        ("a: \x00", "control character"),
        ("a: [1", "not valid YAML"),
        ("# " + "x" * planner.LARGEST_TEXT, "more than 512 KB, too large for the page (use capacity check)"),
    ],
)
def test_bad_texts_are_answers(text: str, part: str) -> None:
    assert part in asked("live", text=text)["error"]


def test_what_the_page_lacks_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "celpy", None)
    text = TEXT.replace("provisioner: managed", "provisioner: self-managed\n    maxPodsExpression: max_pods - 3")
    assert asked("live", text=text)["error"] == "the page cannot use maxPodsExpression: run the command instead"


def test_live_is_the_answer_with_its_sentence() -> None:
    found = asked("live", text=TEXT)
    assert found["answer"] == planner.answer("check", json.dumps({"text": TEXT}))
    assert (found["verdict"], found["min_free"]) == ("exhausted", 0.2)
    assert found["sentence"].startswith("private-b (10.40.2.0/24, us-east-1b) is ")


def test_a_comment_is_the_commands_markdown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("plan.yaml").write_text(TEXT, encoding="utf-8")
    done = CliRunner().invoke(app, ["check", "plan.yaml", "--no-fixes", "-q", "-o", "md"])
    assert asked("comment", text=TEXT) == done.stdout


def test_sliders_have_the_paths_of_what_the_plan_has() -> None:
    found = asked("extras", text=TWO)["sliders"]
    assert {s["path"]: s["value"] for s in found["numbers"]} == {
        "cni.env.WARM_IP_TARGET": 0,
        "cni.env.MINIMUM_IP_TARGET": 0,
        "nodeGroups[web].nodes.max": 4,
        "workloads[app].replicas": 20,
    }
    assert found["types"] == [{"path": "nodeGroups[web].instanceTypes", "label": "web", "value": "m5.large"}]
    for path in ("nodeGroups[web].nodes.max", "workloads[app].replicas"):
        assert "error" not in asked("live", text=TWO, settings=[f"{path}=5"])


def test_maps_cover_every_block_and_say_what_can_be_split_and_joined() -> None:
    maps = {m["name"]: m for m in asked("extras", text=TWO)["maps"]}
    assert {name: sum(n for _, n in m["blocks"]) for name, m in maps.items()} == {"a": 8, "b": 8, "c": 1}
    assert {name: (m["split"], m["join"]) for name, m in maps.items()} == {
        "a": (True, "b"),
        "b": (True, "a"),
        "c": (False, None),
    }
    for m in maps.values():
        assert sum(m["holders"].values()) + m["free"] == m["usable"]


def test_a_curve_names_the_crossing() -> None:
    found = asked("curve", text=TEXT, group="general")
    ends = dict(zip(found["subnets"], found["exhausted_at"], strict=True))
    assert found["now"] == 9
    assert f"private-b runs out at {ends['private-b']} nodes of general" in found["sentence"]
    place = found["counts"].index(ends["private-b"])
    row = found["free"][found["subnets"].index("private-b")]
    assert row[place] < 0 <= row[place - 1]


def test_a_split_keeps_the_name_below_and_a_join_takes_it_back() -> None:
    halves = asked("split", text=TEXT, subnet="private-a")["text"]
    plan: Any = parse_yaml(halves, "plan")
    blocks = {s["name"]: s["cidr"] for s in plan["vpc"]["subnets"]}
    assert (blocks["private-a"], blocks["private-a-2"]) == ("10.40.0.0/24", "10.40.1.0/24")
    assert all("private-a-2" in g["subnets"] for g in plan["nodeGroups"])
    assert "private-a-2" not in plan["controlPlane"]["subnets"]
    assert asked("join", text=halves, subnet="private-a-2")["text"] == TEXT


def test_a_join_adds_up_used_addresses_and_moves_tenants() -> None:
    plan: Any = parse_yaml(asked("join", text=TWO, subnet="b")["text"], "plan")
    assert plan["vpc"]["subnets"][0] == {"name": "a", "zone": "us-east-1a", "cidr": "10.0.0.0/24", "used": "7"}
    assert plan["nodeGroups"][0]["subnets"] == ["a", "c"]
    assert plan["tenants"][0]["subnets"] == ["a"]


@pytest.mark.parametrize(
    ("call", "subnet", "said"),
    [
        ("split", "c", "c: 10.0.1.0/28 cannot be split (a subnet is /28 or larger)"),
        ("join", "c", "c: no subnet in us-east-1b is the other half of its parent block"),
        ("split", "aa", "there is no subnet 'aa' in the plan (did you mean 'a'?)"),
    ],
)
def test_what_cannot_be_split_or_joined(call: str, subnet: str, said: str) -> None:
    assert asked(call, text=TWO, subnet=subnet)["error"] == said


def test_a_reservation_forbids_both() -> None:
    held = TWO.replace("cidr: 10.0.0.0/25,", "cidr: 10.0.0.0/25, reservations: [{type: prefix, cidr: 10.0.0.32/28}],")
    for call in ("split", "join"):
        assert "a subnet with reservations" in asked(call, text=held, subnet="a")["error"]
    found = {m["name"]: (m["split"], m["join"]) for m in asked("extras", text=held)["maps"]}
    assert (found["a"], found["b"]) == ((False, "b"), (True, None))


@pytest.mark.parametrize("mode", ["secondary", "prefix", "custom"])
def test_a_started_plan_is_what_size_prints(mode: str) -> None:
    options = {"prefix": ["--mode", "prefix"], "custom": ["--custom-networking"]}.get(mode, [])
    asked_for = ["size", "--pods", "300", "--type", "m6i.xlarge", "--pod-cpu", "250m", "--zones", "2", *options]
    printed, _ = command(*asked_for, "--snippet", "plan")
    found = asked("start", pods=300, kind="m6i.xlarge", cpu="250m", zones=2, mode=mode)
    assert found["answer"] == printed
    assert asked("live", text=found["text"])["verdict"] == "ok"


def test_imports_are_the_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    files = ["examples/nodes-and-pods.json", "examples/describe-subnets.json"]
    printed, _ = command("import", "files", *files)
    found = asked("import_files", paths=files)
    assert found["answer"] == printed
    assert "error" not in asked("live", text=found["text"])


def test_a_search_tells_its_progress() -> None:
    told: list[tuple[int, int]] = []
    planner.answer("fixes", json.dumps({"text": TEXT}), lambda done, most: told.append((done, most)))
    assert told[0][0] < told[-1][0] <= told[-1][1]


def test_the_date_of_notes_is_the_days(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "SOURCE_DATE_EPOCH", "1900000000")
    (note,) = (w for w in asked("maxpods", types=["m5.large"])["warnings"] if "days old" in w)
    assert "instance limits" in note
