"""`capacity init`: every example is a plan that `check` takes, and nothing is replaced unasked."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from capacity.cli.init_questions import Answers, plan_text
from capacity.cluster.check import check
from capacity.plan.document import parse_yaml
from capacity.plan.parse import parse_plan, read_plan

CAPACITY = Path(sys.executable).with_name("capacity")


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CAPACITY, *arguments], cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("name", ["small", "prod", "hybrid"])
def test_every_example_is_ok_and_commented(name: str, tmp_path: Path) -> None:
    done = run("init", "--example", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "wrote capacity.yaml; next: capacity check capacity.yaml\n"
    result = check(read_plan(tmp_path / "capacity.yaml"))
    assert result.verdict == "ok"
    assert result.plan.name == name
    text = (tmp_path / "capacity.yaml").read_text()
    assert text.count("#") >= 7
    assert "@FILE@" not in text
    assert run("check", "-q", cwd=tmp_path).returncode == 0


def test_an_example_to_stdout(tmp_path: Path) -> None:
    done = run("init", "--example", "small", "-", cwd=tmp_path)
    assert done.stdout.startswith("# A small cluster")
    assert list(tmp_path.iterdir()) == []


def test_it_does_not_replace_a_file_unasked(tmp_path: Path) -> None:
    path = tmp_path / "capacity.yaml"
    path.write_text("mine")
    done = run("init", "--example", "small", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "error: 'capacity.yaml' already exists (--force replaces it)\n"
    assert path.read_text() == "mine"
    assert run("init", "--example", "small", "--force", cwd=tmp_path).returncode == 0
    assert path.read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "error: --example: one of small, prod, hybrid is required without a terminal"),
        (["--example", "prd"], "error: --example: 'prd' is not one of small, prod, hybrid (did you mean 'prod'?)"),
        (["--example", "prod", "no/such/x.yaml"], "error: 'no/such/x.yaml': No such file or directory"),
    ],
)
def test_bad_usage(arguments: list[str], message: str, tmp_path: Path) -> None:
    done = run("init", *arguments, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, message + "\n")


def test_questions_on_a_terminal(tmp_path: Path) -> None:
    """A wrong answer is explained and asked again; empty ones take the default."""
    answers = "demo\n\n10.9.0.0/99\n10.9.0.0/20\n2\n24\nm5.lrage\nm5.large\n4\n9\n30\n60\n\n\ny\n"
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [CAPACITY, "init"], cwd=tmp_path, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    os.close(terminal)
    os.write(controller, answers.encode())
    out, err = process.communicate(timeout=60)
    os.close(controller)
    assert (process.returncode, out.strip()) == (0, "")  # click writes a blank per question, for readline
    assert "'10.9.0.0/99' is not an IPv4 block" in err
    assert "did you mean" in err
    plan = read_plan(tmp_path / "capacity.yaml")
    assert (plan.name, len(plan.subnets), plan.subnets[1].cidr) == ("demo", 2, IPv4Network("10.9.1.0/24"))
    assert plan.cni.settings.prefix
    assert (plan.node_groups[0].desired, plan.workloads[0].max_replicas) == (4, 60)


@pytest.mark.parametrize(("zones", "size"), [(1, 16), (3, 18), (6, 28)])
def test_any_answers_make_a_plan(zones: int, size: int) -> None:
    answers = Answers(
        "a", "eu-west-1", IPv4Network("10.0.0.0/16"), zones, size, "m5.large", 0, 1, 0, 0, "1", "1Gi", True
    )
    plan = parse_plan(parse_yaml(plan_text(answers), "x"), "x")
    assert len(plan.subnets) == zones
    check(plan)
