"""`capacity import FILE…`: the source of each file is detected; folders mix sources; `-` is a file too."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from capacity.plan.model import Plan
from capacity.plan.parse import parse_plan
from capacity.readers.any_source import LARGE, sources_of
from capacity.readers.existing_plan import plan_section
from tests.cli.entry import capacity

EXAMPLES = Path(__file__).parents[2] / "examples"
IMPORT, ANSWERS = EXAMPLES / "import", EXAMPLES / "aws-answers"


def imported(*words: str | Path, stdin: bytes = b"") -> Plan:
    done = capacity("import", *map(str, words), stdin=stdin)
    assert done.code == 0, done.stderr
    return parse_plan(plan_section(done.stdout, "plan.yaml"), "plan.yaml")


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("cluster.yaml", "eksctl"),
        ("objects.yaml", "kubectl"),
        ("tfplan.json", "terraform"),
        ("terraform", "terraform"),
        ("template.yaml", "cloudformation"),
        ("nodepool.yaml", "karpenter"),
        ("values.yaml", "helm"),
    ],
)
def test_each_source_alone_is_as_if_it_were_named(file: str, source: str) -> None:
    assert sources_of(str(IMPORT / file))[0] == [source]
    detected, named = (capacity("import", *words, str(IMPORT / file)) for words in ((), (source,)))
    assert (detected.code, detected.stdout, detected.stderr) == (named.code, named.stdout, named.stderr)


def test_several_sources_become_one_plan() -> None:
    plan = imported("-q", IMPORT / "cluster.yaml", IMPORT / "objects.yaml", IMPORT / "nodepool.yaml")
    assert {g.name for g in plan.node_groups} == {"general", "batch", "spot"}
    assert [w.name for w in plan.workloads] == ["shop/web"]
    spot = next(g for g in plan.node_groups if g.name == "spot")
    assert spot.subnets == ("private-eu-west-1a", "private-eu-west-1b")  # the zones of the pool


def test_documents_of_several_sources_in_one_file(tmp_path: Path) -> None:
    file = tmp_path / "all.yaml"
    parts = [(IMPORT / name).read_text() for name in ("cluster.yaml", "nodepool.yaml", "objects.yaml")]
    file.write_text("\n---\n".join(parts))
    done = capacity("import", str(file))
    assert done.code == 0
    assert "reads it" not in done.stderr  # each part is read by its reader
    plan = imported("-", stdin=file.read_bytes())
    assert {g.name for g in plan.node_groups} == {"general", "batch", "spot"}
    assert plan.workloads


def test_a_folder_mixes_sources_and_names_what_it_leaves_out(tmp_path: Path) -> None:
    shutil.copy(IMPORT / "cluster.yaml", tmp_path)
    (tmp_path / "pools").mkdir()
    shutil.copy(IMPORT / "nodepool.yaml", tmp_path / "pools")
    (tmp_path / "ci.yaml").write_text("jobs: {test: {steps: []}}\n")
    (tmp_path / "redis.yaml").write_text("image: {repository: redis}\nreplicaCount: 3\n")
    (tmp_path / "README.md").write_text("# not data\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config.yaml").write_text("a: b\n")
    done = capacity("import", str(tmp_path))
    assert {g.name for g in imported("-q", tmp_path).node_groups} == {"general", "batch", "spot"}
    assert "note: ci.yaml: ignored a mapping with jobs" in done.stderr
    assert "note: redis.yaml: ignored Helm values of another chart" in done.stderr
    assert "README" not in done.stderr
    assert "config.yaml" not in done.stderr


def test_terraform_folders_in_a_folder_are_read_once(tmp_path: Path) -> None:
    shutil.copytree(IMPORT / "terraform", tmp_path / "infra")
    (tmp_path / "infra" / "modules").mkdir()
    (tmp_path / "infra" / "modules" / "unused.tf").write_text(
        'resource "aws_vpc" "x" { cidr_block = "172.16.0.0/16" }\n'
    )
    plan = imported("-q", tmp_path)
    assert [str(c) for c in plan.vpc_cidrs] == ["10.40.0.0/16"]


def test_answers_of_aws_are_read_together() -> None:
    folder = imported("aws", "--from", ANSWERS)
    plan = imported("-q", ANSWERS)
    assert [(s.name, str(s.cidr), s.used) for s in plan.subnets] == [
        (s.name, str(s.cidr), s.used) for s in folder.subnets
    ]
    assert [g.name for g in plan.node_groups] == [g.name for g in folder.node_groups]


def test_options_before_the_file_and_into_a_plan(tmp_path: Path) -> None:
    base = tmp_path / "plan.yaml"
    base.write_text(capacity("import", "-q", str(IMPORT / "cluster.yaml")).stdout)
    plan = imported("--into", base, IMPORT / "values.yaml", "-q")
    assert plan.cni.settings.custom_networking
    assert capacity("import", str(IMPORT / "cluster.yaml"), "--diff", str(base), "--exit-code").code == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["kubctl"], "No such command 'kubctl'. Did you mean 'kubectl'"),
        (["nope.yaml"], "nope.yaml: no such file"),
        (["{tmp}/empty"], "no file of a known source"),
        (["{tmp}/notes.txt"], "plain text (accepted sources: eksctl, karpenter"),
        (["{tmp}/plan.yaml"], "a capacity plan: merge into it with --into"),
        (["{tmp}/c.yaml.gz"], "is compressed: gunzip it first (gunzip -c c.yaml.gz | capacity import -)"),
        (["{tmp}/err.txt"], "is a saved error (AccessDenied of DescribeVpcs)"),
    ],
)
def test_refusals(tmp_path: Path, words: list[str], why: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("only words\n")
    (tmp_path / "plan.yaml").write_text("apiVersion: capacity/v1\n")
    (tmp_path / "c.yaml.gz").write_bytes(b"\x1f\x8b\x08")
    (tmp_path / "err.txt").write_text("An error occurred (AccessDenied) when calling the DescribeVpcs operation: no\n")
    done = capacity("import", *(w.replace("{tmp}", str(tmp_path)) for w in words))
    assert (done.code, done.stdout) == (2, "")
    assert why in done.stderr


@pytest.mark.parametrize(
    ("start", "source"),
    [
        ({"apiVersion": "v1", "kind": "List"}, "kubectl"),
        ({"terraform_version": "1.9.0"}, "terraform"),
        ({"Subnets": []}, "aws"),
    ],
)
def test_large_files_are_known_by_their_start(tmp_path: Path, start: dict[str, object], source: str) -> None:
    file = tmp_path / "large.json"
    file.write_text(json.dumps({**start, "items": []})[:-1] + " " * LARGE + "}")
    assert sources_of(str(file)) == ([source], "")


def test_the_cluster_of_answers_with_several(tmp_path: Path) -> None:
    shutil.copytree(ANSWERS, tmp_path / "answers")
    other = json.loads((ANSWERS / "describe-cluster.json").read_text())
    other["cluster"] |= {"name": "other", "arn": "arn:aws:eks:eu-central-1:111122223333:cluster/other"}
    (tmp_path / "answers" / "other.json").write_text(json.dumps(other))
    assert capacity("import", str(tmp_path / "answers")).code == 2
    assert imported("-q", tmp_path / "answers", "--cluster", "shop-prod").name == "shop-prod"


FAKE = """#!/bin/sh
case "$4" in nodes*) ;; *) exit 1 ;; esac
echo '{"kind": "List", "items": [{"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "web",
"namespace": "'"${2##*/}"'"}, "spec": {"replicas": 2, "template": {"spec": {"containers": []}}}}]}'
"""


def test_several_contexts_are_a_plan_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "bin" / "kubectl"
    tool.parent.mkdir()
    tool.write_text(FAKE)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    asked = ("import", "kubectl", "--live", "-q", "--context", "a", "--context", "arn:aws:eks:r:1:cluster/b")
    refused = capacity(*asked)
    assert refused.code == 2
    assert "several --context are several plans: give a folder for them with --out-file FOLDER" in refused.stderr
    plans = tmp_path / "plans"
    plans.mkdir()
    assert capacity(*asked, "--out-file", str(plans)).code == 0
    assert sorted(p.name for p in plans.iterdir()) == ["a.yaml", "b.yaml"]
    assert "name: b/web" in (plans / "b.yaml").read_text()
    assert capacity(*asked, "--context", "x/b", "--out-file", str(plans)).code == 2  # the same name of a file
