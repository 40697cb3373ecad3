"""Checks the plan of a pull request and keeps one comment about it: the script of ``action.yml``.

Runs the installed ``capacity`` on the plan of this branch and of the base branch. Works without GitHub too: without a
token or a pull request, the comment is printed and nothing is sent.

Environment: ``INPUT_PLAN``, ``INPUT_IMPORT``, ``INPUT_FAIL_ON``, ``INPUT_SARIF_FILE``, ``INPUT_COMMENT``,
``INPUT_COMMENT_AUTHOR`` and ``INPUT_TOKEN`` (see ``action.yml``), and GitHub's own ``GITHUB_EVENT_PATH``,
``GITHUB_REPOSITORY``, ``GITHUB_SHA``, ``GITHUB_REF``, ``GITHUB_API_URL``, ``GITHUB_OUTPUT`` and
``GITHUB_STEP_SUMMARY``.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capacity.inert import log_line, markdown_code

MOST_CHARACTERS = 65_000  # GitHub refuses comments of more than 65,536
PAGE = 100  # comments per request
TIMEOUT = 30  # seconds per request
NO_PLAN, FAILED = 2, 70  # exit codes: of a plan that cannot be read, and from which an error is capacity's own


@dataclass(frozen=True)
class Inputs:
    """The inputs of the action.

    Attributes
    ----------
    plan : str
        Path of the plan in the repository.
    imports : tuple of str
        Files from which the plan of this branch is imported (into the plan, if there is one).
    base : str
        Commit of the base branch; empty outside a pull request.
    number : int
        Number of the pull request, 0 outside one.
    commit, ref : str
        What is checked, for code scanning.
    """

    plan: str
    imports: tuple[str, ...]
    fail_on: str
    sarif: str
    comments: bool
    author: str
    token: str = field(repr=False)
    repository: str
    api: str
    base: str
    number: int
    commit: str
    ref: str


class GitHubRefusedError(Exception):
    """GitHub did not accept a request."""


def inputs_from(env: Mapping[str, str]) -> Inputs:
    """The inputs from the environment and from the event that started the workflow."""
    event: dict[str, Any] = {}
    if env.get("GITHUB_EVENT_PATH"):
        event = json.loads(Path(env["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8"))
    pull = event.get("pull_request") or {}
    return Inputs(
        plan=env.get("INPUT_PLAN") or "capacity.yaml",
        imports=tuple((env.get("INPUT_IMPORT") or "").split()),
        fail_on=env.get("INPUT_FAIL_ON") or "error",
        sarif=env.get("INPUT_SARIF_FILE") or "",
        comments=(env.get("INPUT_COMMENT") or "true").lower() == "true",
        author=env.get("INPUT_COMMENT_AUTHOR") or "github-actions[bot]",
        token=env.get("INPUT_TOKEN") or "",
        repository=env.get("GITHUB_REPOSITORY") or "",
        api=(env.get("GITHUB_API_URL") or "https://api.github.com").rstrip("/"),
        base=str((pull.get("base") or {}).get("sha") or ""),
        number=int(pull.get("number") or 0),
        commit=env.get("GITHUB_SHA") or "",
        ref=env.get("GITHUB_REF") or "",
    )


# --- the plans --------------------------------------------------------------------------------------


def capacity(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the installed command, in a folder if its answer names a file there."""
    command = [sys.executable, "-m", "capacity", *arguments]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, cwd=cwd)


def base_plan(inputs: Inputs, folder: Path) -> Path | None:
    """The plan of the base branch in a file; None if the base branch has none, or its commit was not fetched."""
    if not inputs.base:
        return None
    command = ["git", "show", f"{inputs.base}:./{inputs.plan}"]
    found = subprocess.run(command, capture_output=True, check=False)
    if found.returncode:
        return None
    path = folder / f"base-{Path(inputs.plan).name}"
    path.write_bytes(found.stdout)
    return path


def base_is_here(inputs: Inputs) -> bool:
    """Whether the commit of the base branch is in the clone."""
    command = ["git", "cat-file", "-e", f"{inputs.base}^{{commit}}"]
    return not inputs.base or not subprocess.run(command, capture_output=True, check=False).returncode


def head_plan(inputs: Inputs, folder: Path) -> tuple[Path | None, str]:
    """The plan of this branch, imported if files are given, and what is wrong with it."""
    plan = Path(inputs.plan)
    if not inputs.imports:
        return (plan, "") if plan.is_file() else (None, "")
    into = ("--into", str(plan)) if plan.is_file() else ()
    inside = not plan.is_absolute() and ".." not in plan.parts
    path = _imported(folder) / (plan if inside else plan.name)  # the answer names it as the repository does
    path.parent.mkdir(parents=True)
    done = capacity("import", "files", *inputs.imports, *into, "--out-file", str(path), "-q")
    return (path, "") if done.returncode == 0 else (None, done.stderr.strip())


def _imported(folder: Path) -> Path:
    """The folder of the imported plan, which has the plan's own path in it."""
    return folder / "imported"


# --- what is said -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What the action says about the plan.

    Attributes
    ----------
    code : int
        Exit code of the gate.
    verdict : str
        ok, tight, exhausted; empty without one.
    body : str
        Markdown of the comment, without its marker.
    """

    code: int
    verdict: str
    body: str


def answer(inputs: Inputs, folder: Path) -> Answer:
    """Check the plan and compare it with the base branch."""
    base = base_plan(inputs, folder)
    head, wrong = head_plan(inputs, folder)
    if wrong:
        return _unread(inputs, wrong)
    if head is None:
        gone = "This pull request deletes the plan" if base else "There is no plan"
        return Answer(NO_PLAN, "", f"**{gone} {markdown_code(inputs.plan)}: there is no verdict.**\n")
    root = _imported(folder) if inputs.imports else None
    named = str(head.relative_to(root) if root else head)
    said = capacity("check", named, "-q", "-o", "md", "--fail-on", inputs.fail_on, cwd=root)
    if said.returncode not in (0, 1):
        return _unread(inputs, said.stderr.strip(), said.returncode)
    if inputs.sarif:
        sarif = str(Path(inputs.sarif).resolve())
        capacity("check", named, "-q", "-o", "sarif", "--exit-zero", "--out-file", sarif, cwd=root)
    quick = capacity("check", str(head), "-q", "-o", "json", "--exit-zero", "--no-fixes")
    verdict = str(json.loads(quick.stdout)["results"]["verdict"])
    return Answer(said.returncode, verdict, _ordered(said.stdout, _changes(inputs, base, head)))


def _ordered(checked: str, changes: str) -> str:
    """The verdict, then what the pull request changes, then the plan in detail with its fix."""
    if not changes:
        return checked
    title, verdict, details = checked.split("\n\n", 2)
    return f"{title}\n\n{verdict}\n{changes}\n#### The plan of this branch\n\n{details}"


def _unread(inputs: Inputs, errors: str, code: int = NO_PLAN) -> Answer:
    """The answer for a plan that cannot be read, or for an error of capacity itself."""
    title = "The plan cannot be read" if code < FAILED else "capacity failed"
    lines = "\n".join(f"- {markdown_code(line)}" for line in errors.splitlines())
    return Answer(code, "", f"**{title}: {markdown_code(inputs.plan)}. There is no verdict.**\n\n{lines}\n")


def _changes(inputs: Inputs, base: Path | None, head: Path) -> str:
    """What the pull request changes, per subnet and in dollars; its details are folded."""
    if not inputs.base:
        return ""
    if base is None:
        new = base_is_here(inputs)
        why = "The base branch has no plan" if new else "The commit of the base branch was not fetched"
        hint = "" if new else " (set `fetch-depth: 0` for actions/checkout)"
        return f"\n{why}{hint}, so nothing is compared.\n"
    done = capacity("compare", str(base), str(head), "-q", "-o", "md")
    if done.returncode:
        return f"\nNothing is compared, because the plan of the base branch cannot be read: {_first(done.stderr)}\n"
    short, details = _split(done.stdout)
    return (
        f"\n#### What this pull request changes\n\n{short}\n"
        f"<details><summary>Every scenario</summary>\n\n{details}\n</details>\n"
    )


def _first(text: str) -> str:
    return markdown_code((text.strip().splitlines() or ["unknown error"])[0])


def _split(comparison: str) -> tuple[str, str]:
    """The comparison up to its first table, and the rest."""
    lines = comparison.splitlines()
    table = next((i for i, line in enumerate(lines) if line.startswith("|")), len(lines))
    end = next((i for i in range(table, len(lines)) if not lines[i].startswith("|")), len(lines))
    return "\n".join(lines[:end]).strip() + "\n", "\n".join(lines[end:]).strip() + "\n"


def comment_of(inputs: Inputs, body: str) -> str:
    """The comment with the marker by which the next run finds it, cut to what GitHub accepts."""
    text = f"{marker(inputs)}\n{body}"
    if len(text) <= MOST_CHARACTERS:
        return text
    kept = text[:MOST_CHARACTERS].rsplit("\n", 1)[0]
    closing = "\n\n</details>\n" if kept.count("<details>") > kept.count("</details>") else "\n"
    return f"{kept}{closing}\nThe comment is too long for GitHub and is cut here.\n"


def marker(inputs: Inputs) -> str:
    """An HTML comment that names the plan, so that each plan has one comment."""
    return f"<!-- capacity plan {json.dumps(inputs.plan).replace('--', '- -')} -->"


# --- GitHub -----------------------------------------------------------------------------------------


def send(inputs: Inputs, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
    """One request to GitHub's REST API.

    Raises
    ------
    GitHubRefusedError
        GitHub refused it or was not reached.
    """
    request = urllib.request.Request(
        f"{inputs.api}/repos/{inputs.repository}/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {inputs.token}",
            "Content-Type": "application/json",
            "User-Agent": "eks-pod-capacity",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise GitHubRefusedError(f"GitHub answered {error.code} {error.reason}") from error
    except (OSError, ValueError) as error:
        raise GitHubRefusedError(f"GitHub was not reached: {error}") from error


def comments(inputs: Inputs) -> Iterator[dict[str, Any]]:
    """All comments of the pull request, oldest first."""
    page = 1
    while True:
        found = send(inputs, "GET", f"issues/{inputs.number}/comments?per_page={PAGE}&page={page}")
        yield from found
        if len(found) < PAGE:
            return
        page += 1


def post(inputs: Inputs, text: str) -> str:
    """Create or update the comment; return its address. A comment of someone else is never changed."""
    for comment in comments(inputs):
        mine = (comment.get("user") or {}).get("login") == inputs.author
        if mine and str(comment.get("body") or "").startswith(marker(inputs)):
            answered = send(inputs, "PATCH", f"issues/comments/{int(comment['id'])}", {"body": text})
            return str(answered.get("html_url") or "")
    answered = send(inputs, "POST", f"issues/{inputs.number}/comments", {"body": text})
    return str(answered.get("html_url") or "")


def upload(inputs: Inputs) -> None:
    """Send the findings to code scanning: the SARIF file, compressed."""
    packed = base64.b64encode(gzip.compress(Path(inputs.sarif).read_bytes(), mtime=0)).decode()
    send(inputs, "POST", "code-scanning/sarifs", {"commit_sha": inputs.commit, "ref": inputs.ref, "sarif": packed})


# --- the run ----------------------------------------------------------------------------------------


def run(env: Mapping[str, str], say: Callable[[str], object] = print) -> int:
    """Check, comment, set the outputs; return the exit code of the gate."""
    inputs = inputs_from(env)
    with tempfile.TemporaryDirectory() as folder:
        found = answer(inputs, Path(folder))
    text = comment_of(inputs, found.body)
    url = ""
    if inputs.comments and inputs.number and inputs.token:
        try:
            url = post(inputs, text)
        except GitHubRefusedError as error:  # a pull request from a fork has a token that cannot write
            say(log_line(f"The comment was not written: {error}"))
    elif inputs.comments and inputs.number:
        say("The comment was not written: there is no token (a pull request from a fork has none that can write)")
    written = bool(inputs.sarif) and Path(inputs.sarif).is_file()
    if written and inputs.token and inputs.commit:
        try:
            upload(inputs)
        except GitHubRefusedError as error:  # without code scanning, or without security-events: write
            say(log_line(f"The findings were not sent to code scanning: {error}"))
    _append(env.get("GITHUB_STEP_SUMMARY"), found.body)
    if not env.get("GITHUB_STEP_SUMMARY") and not url:
        say(text)
    outputs = {"verdict": found.verdict, "exit-code": str(found.code), "comment-url": url}
    outputs["sarif-file"] = inputs.sarif if written else ""
    _append(env.get("GITHUB_OUTPUT"), "".join(f"{name}={log_line(value)}\n" for name, value in outputs.items()))
    return found.code


def _append(path: str | None, text: str) -> None:
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    sys.exit(run(os.environ))
