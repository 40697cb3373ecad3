"""The action against a recorded pull-request event and a GitHub on loopback."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import tempfile
from pathlib import Path

import pytest
import yaml

from action.pull_request import MOST_CHARACTERS, Inputs, comment_of, inputs_from, run
from tests.action.github import BOT, TOKEN, GitHub, github

ROOT = Path(__file__).parents[2]
EVENT = json.loads((Path(__file__).parent / "pull_request_event.json").read_text(encoding="utf-8"))
PLAN = """\
apiVersion: capacity/v1
metadata: {name: shop}
region: us-east-1
cni: {env: {WARM_ENI_TARGET: "1"}}
vpc:
  cidrs: [10.0.0.0/16]
  subnets:
    - {name: a, zone: us-east-1a, cidr: 10.0.0.0/24}
    - {name: b, zone: us-east-1b, cidr: 10.0.1.0/24}
nodeGroups:
  - {name: web, instanceTypes: [m5.large], subnets: [a, b], nodes: 4}
workloads:
  - {name: shop, replicas: 40}
"""
LARGER = PLAN.replace("nodes: 4", "nodes: 30").replace("replicas: 40", "replicas: 700")
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: default}
spec:
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec: {containers: [{name: api, image: api, resources: {requests: {cpu: 100m, memory: 64Mi}}}]}
"""


class Repository:
    """A clone with a base branch and the working tree of a pull request."""

    def __init__(self, path: Path, base: str | None) -> None:
        self.path = path
        self.plan = path / "capacity.yaml"
        self._git("init", "-q")
        (path / "README.md").write_text("a cluster\n")
        if base is not None:
            self.plan.write_text(base)
        self._git("add", "-A")
        self._git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "base")
        self.base = self._git("rev-parse", "HEAD")
        event = {**EVENT, "pull_request": {**EVENT["pull_request"], "base": {"ref": "main", "sha": self.base}}}
        self.event = path / "event.json"
        self.event.write_text(json.dumps(event))
        self.outputs, self.summary = path / "outputs", path / "summary.md"

    def _git(self, *arguments: str) -> str:
        return subprocess.run(
            ["git", *arguments], cwd=self.path, check=True, capture_output=True, text=True
        ).stdout.strip()

    def env(self, server: GitHub | None, **more: str) -> dict[str, str]:
        found = {
            "GITHUB_EVENT_PATH": str(self.event),
            "GITHUB_REPOSITORY": "shop/infra",
            "GITHUB_OUTPUT": str(self.outputs),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "INPUT_TOKEN": TOKEN,
        }
        return found | ({"GITHUB_API_URL": server.address} if server else {}) | more

    def output(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.outputs.read_text().splitlines())


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.chdir(tmp_path)
    return Repository(tmp_path, PLAN)


def test_the_first_comment_says_what_changes_per_subnet_and_in_dollars(repository: Repository) -> None:
    repository.plan.write_text(LARGER)
    with github() as server:
        code = run(repository.env(server, INPUT_SARIF_FILE="capacity.sarif"))
    (comment,) = server.comments
    body = comment["body"]
    assert code == 1
    assert body.startswith('<!-- capacity plan "capacity.yaml" -->\n### IP capacity: shop')
    assert "**EXHAUSTED: " in body
    assert "#### What this pull request changes" in body
    assert "OK → EXHAUSTED" in body
    assert "per month now (+" in body
    assert "| steady | ok → exhausted |" in body
    assert "<details><summary>Every scenario</summary>" in body
    assert "**Fix**" in body or "Nearest" in body
    order = ["**EXHAUSTED: ", "#### What this pull request changes", "per month now (+", "#### The plan of this branch"]
    places = [body.index(text) for text in [*order, "**Fix**"]]
    assert places == sorted(places)  # the verdict, what changes, in dollars, then the fix
    assert repository.summary.read_text() in body
    assert repository.output() == {
        "verdict": "exhausted",
        "exit-code": "1",
        "comment-url": "https://x/c1",
        "sarif-file": "capacity.sarif",
    }
    assert json.loads(Path("capacity.sarif").read_text())["version"] == "2.1.0"


def test_the_same_comment_is_updated(repository: Repository) -> None:
    repository.plan.write_text(LARGER)
    theirs = {"id": 7, "user": {"login": "a-person"}, "body": '<!-- capacity plan "capacity.yaml" -->\nmine'}
    many = [{"id": 100 + i, "user": {"login": "a-person"}, "body": f"comment {i}"} for i in range(120)]
    with github([theirs, *many]) as server:
        assert run(repository.env(server)) == 1
        repository.plan.write_text(PLAN)
        assert run(repository.env(server)) == 0
    ours = [c for c in server.comments if c["user"]["login"] == BOT]
    assert len(ours) == 1
    assert "**OK" in ours[0]["body"]
    assert str(theirs["body"]).endswith("mine")
    assert [line.split()[0] for line in server.log] == ["GET", "GET", "POST", "GET", "GET", "PATCH"]


def test_a_pull_request_from_a_fork_has_a_verdict_but_no_comment(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.plan.write_text(LARGER)
    with github(status=403) as server:
        assert run(repository.env(server)) == 1
        assert run(repository.env(server, INPUT_TOKEN="")) == 1
    out = capsys.readouterr().out
    assert "The comment was not written: GitHub answered 403" in out
    assert "there is no token" in out
    assert server.comments == []
    assert "**EXHAUSTED" in repository.summary.read_text()


def test_a_github_that_does_not_answer_changes_no_verdict(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    with github() as server:
        gone = server.address
    assert run(repository.env(None, GITHUB_API_URL=gone)) == 0
    assert "GitHub was not reached" in capsys.readouterr().out


def test_a_deleted_plan_is_no_pass(repository: Repository) -> None:
    repository.plan.unlink()
    with github() as server:
        assert run(repository.env(server)) == 2
    assert "This pull request deletes the plan `capacity.yaml`: there is no verdict." in server.comments[0]["body"]
    assert repository.output()["verdict"] == ""


def test_no_plan_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mine = Repository(tmp_path, None)
    with github() as server:
        assert run(mine.env(server)) == 2
    assert "There is no plan `capacity.yaml`" in server.comments[0]["body"]


def test_a_broken_plan_names_its_line(repository: Repository) -> None:
    repository.plan.write_text(PLAN.replace("replicas: 40", "replicas: many"))
    with github() as server:
        assert run(repository.env(server)) == 2
    body = server.comments[0]["body"]
    assert "The plan cannot be read" in body
    assert "capacity.yaml:13" in body
    assert "OK" not in body


def test_a_broken_base_is_said_and_does_not_hide_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mine = Repository(tmp_path, "apiVersion: capacity/v1\nnodeGroups: 7\n")
    mine.plan.write_text(PLAN)
    with github() as server:
        assert run(mine.env(server)) == 0
    assert "the plan of the base branch cannot be read" in server.comments[0]["body"]


def test_a_new_plan_is_compared_with_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    mine = Repository(tmp_path, None)
    mine.plan.write_text(PLAN)
    with github() as server:
        assert run(mine.env(server)) == 0
    assert "The base branch has no plan, so nothing is compared." in server.comments[0]["body"]


def test_a_base_that_was_not_fetched_is_no_new_plan(repository: Repository) -> None:
    event = json.loads(repository.event.read_text())
    event["pull_request"]["base"]["sha"] = "0" * 40
    repository.event.write_text(json.dumps(event))
    with github() as server:
        assert run(repository.env(server)) == 0
    assert "was not fetched (set `fetch-depth: 0`" in server.comments[0]["body"]


def test_the_output_of_kustomize_is_merged_into_the_plan(repository: Repository) -> None:
    Path("built.yaml").write_text(DEPLOYMENT)
    with github() as server:
        assert run(repository.env(server, INPUT_IMPORT="built.yaml", INPUT_SARIF_FILE="found.sarif")) == 0
        assert "### IP capacity: shop (capacity.yaml, " in server.comments[0]["body"]
        assert tempfile.gettempdir() not in server.comments[0]["body"] + Path("found.sarif").read_text()
        assert run(repository.env(server, INPUT_IMPORT="missing.yaml")) == 2
    assert "missing.yaml" in server.comments[0]["body"]
    assert len(server.comments) == 1


@pytest.mark.usefixtures("repository")
def test_outside_a_pull_request_the_plan_is_checked_and_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run({"INPUT_PLAN": "capacity.yaml"}) == 0
    assert "### IP capacity: shop" in capsys.readouterr().out


def test_text_of_the_plan_cannot_speak_for_the_runner(
    repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "capacity\n::set-env name=PATH::x"
    assert run(repository.env(None, INPUT_PLAN=name, INPUT_COMMENT="false")) == 2
    assert not any(line.startswith("::") for line in capsys.readouterr().out.splitlines())
    assert not any(line.startswith("::") for line in repository.summary.read_text().splitlines())


def test_a_long_comment_is_cut_and_says_so(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps(EVENT))
    inputs: Inputs = inputs_from({"GITHUB_EVENT_PATH": str(event)})
    text = comment_of(inputs, "<details>\n\n" + "one line\n" * 20_000)
    assert len(text) < MOST_CHARACTERS + 200
    assert text.endswith("The comment is too long for GitHub and is cut here.\n")
    assert text.count("<details>") == text.count("</details>")
    assert inputs.number == EVENT["pull_request"]["number"]


def test_the_action_passes_every_input_to_the_script() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    (step,) = [s for s in action["runs"]["steps"] if s.get("id") == "check"]
    passed = {
        name.removeprefix("INPUT_").lower().replace("_", "-") for name in step["env"] if name.startswith("INPUT_")
    }
    assert passed == set(action["inputs"]) - {"python"}
    read = (ROOT / "action" / "pull_request.py").read_text(encoding="utf-8")
    assert all(name in read for name in step["env"] if name.startswith("INPUT_"))
    assert os.access(ROOT / "action.yml", os.R_OK)


def test_findings_go_to_code_scanning(repository: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    repository.plan.write_text(LARGER)
    of_commit = {"GITHUB_SHA": "2" * 40, "GITHUB_REF": "refs/pull/42/merge", "INPUT_SARIF_FILE": "capacity.sarif"}
    with github() as server:
        assert run(repository.env(server, **of_commit)) == 1
    (sent,) = server.sarif
    assert (sent["commit_sha"], sent["ref"]) == ("2" * 40, "refs/pull/42/merge")
    assert gzip.decompress(base64.b64decode(sent["sarif"])) == Path("capacity.sarif").read_bytes()
    with github(status=403) as server:
        assert run(repository.env(server, **of_commit)) == 1
    assert "The findings were not sent to code scanning: GitHub answered 403" in capsys.readouterr().out


def test_the_action_uses_no_other_action() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    assert not [s for s in action["runs"]["steps"] if "uses" in s]
