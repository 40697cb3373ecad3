"""The Containerfile by the rules that linters of such files have; `make image-test` builds and runs the image."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
FILE = (REPO / "Containerfile").read_text(encoding="utf-8")


def instructions(text: str) -> list[tuple[str, str]]:
    """Each instruction with its arguments; continued lines are joined, comments left out."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines())]


def complaints(text: str) -> list[str]:
    """What is wrong with a Containerfile."""
    found = []
    steps = instructions(text)
    arguments = dict(rest.partition("=")[::2] for word, rest in steps if word == "ARG")
    stages = [rest for word, rest in steps if word == "FROM"]
    for stage in stages:
        image = re.sub(r"\$\{(\w+)\}", lambda m: arguments.get(m[1], ""), stage.split()[0])
        if not re.search(r"@sha256:[0-9a-f]{64}$", image):
            found.append(f"{image}: not pinned by digest")
        if image.partition("@")[0].endswith(":latest"):
            found.append(f"{image}: latest")
    last = steps[max(i for i, (word, _) in enumerate(steps) if word == "FROM") :]
    users = [rest for word, rest in last if word == "USER"]
    if not users or not re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1]):
        found.append("the image does not end as a user with a number other than 0")
    if any(word == "RUN" for word, _ in last):
        found.append("a command runs in the last stage")
    for word, rest in steps:
        if word == "ADD":
            found.append(f"ADD {rest}: use COPY")
        if word == "COPY" and "." in rest.split()[:-1]:
            found.append(f"COPY {rest}: copies whatever is in the folder")
        if word == "RUN" and re.search(r"\b(sudo|curl|wget|apt-get)\b", rest):
            found.append(f"RUN {rest[:40]}: fetches what is not pinned")
        for command in re.findall(r"pip\S*(?: --python \S+)? install ([^&]*)", rest) if word == "RUN" else ():
            if not ("--require-hashes" in command or "--no-index --no-deps" in command):
                found.append(f"pip install {command}: not pinned by hash")
            if "--no-cache-dir" not in command:
                found.append(f"pip install {command}: leaves a cache")
        if word in ("ENTRYPOINT", "CMD") and not rest.startswith("["):
            found.append(f"{word} {rest}: runs in a shell")
    return found


def test_the_containerfile_has_no_complaints() -> None:
    assert complaints(FILE) == []
    assert ("ENTRYPOINT", '["capacity"]') in instructions(FILE)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (r"@sha256:[0-9a-f]{64}", "", "not pinned by digest"),
        (r":3\.13-slim@", ":latest@", "latest"),
        (r"USER 65532:65532", "USER root", "user with a number"),
        (r"USER 65532:65532\n", "", "user with a number"),
        (r"USER 65532:65532", "RUN id\nUSER 1:1", "last stage"),
        (r"COPY data data", "ADD data data", "use COPY"),
        (r"COPY data data", "COPY . .", "whatever is in the folder"),
        (r"--require-hashes --only-binary :all: -r requirements/build.txt", "-r requirements/build.txt", "by hash"),
        (r"--no-cache-dir --no-index", "--no-index", "cache"),
        (r'ENTRYPOINT \["capacity"\]', "ENTRYPOINT capacity", "shell"),
        (r"COPY data data", "RUN curl x", "not pinned"),
    ],
)
def test_each_rule_finds_what_it_is_for(old: str, new: str, said: str) -> None:
    broken, count = re.subn(old, new, FILE, count=1)
    assert count == 1
    assert any(said in complaint for complaint in complaints(broken)), complaints(broken)


def test_only_named_files_reach_the_builder() -> None:
    rules = [line for line in (REPO / ".containerignore").read_text().splitlines() if not line.startswith("#")]
    assert rules[0] == "*"
    copies = [rest.split()[:-1] for word, rest in instructions(FILE) if word == "COPY" and "--from" not in rest]
    copied = {name for names in copies for name in names}
    assert copied == {rule[1:] for rule in rules if rule.startswith("!")}
