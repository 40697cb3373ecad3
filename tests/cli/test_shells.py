"""`capacity completion` in the real shells: a person types the start of a word and presses Tab."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from capacity.cli.completion import SHELLS
from tests.cli.entry import capacity

PLAN = """\
apiVersion: capacity/v1
vpc: {subnets: [{name: private-a}, {name: private-b}]}
nodeGroups: [{name: general}, {name: batch}]
checks: {scenarios: [steady, upgrade+zone-loss, {burst: {nodes: 10}}]}
"""
# What is typed, and the line after Tab.
TYPED = [
    ("capacity expl", "capacity explain "),
    ("capacity fleet forec", "capacity fleet forecast "),
    ("capacity check --exit-", "capacity check --exit-zero "),
    ("capacity check --scenario bur", "capacity check --scenario burst "),
    ("capacity check --scenario peak+z", "capacity check --scenario peak+zone-loss "),
    ("capacity check -o sla", "capacity check -o slack "),
    ("capacity explain IP018", "capacity explain IP018 "),
    ("capacity explain private-b", "capacity explain private-b "),
    ("capacity explain private-b.w", "capacity explain private-b.warm "),
    ("capacity explain gener", "capacity explain general "),
    ("capacity maxpods m7g.2", "capacity maxpods m7g.2xlarge "),
    ("capacity completion f", "capacity completion fish "),
]
LONGEST = 30  # seconds until a shell must have answered
FOUND = [shell for shell in SHELLS if shell == "bash" or shutil.which(shell)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a plan, and the scripts of the shells."""
    (tmp_path / "capacity.yaml").write_text(PLAN)
    for shell in SHELLS:
        (tmp_path / f"script.{shell}").write_text(capacity("completion", shell).stdout)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(folder), "TERM": "dumb", "PS1": "> ", "LC_ALL": "C.UTF-8"}


class Terminal:
    """An interactive shell behind a pseudo-terminal."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.screen = ""
        self.end, other = pty.openpty()
        self.process = subprocess.Popen(
            command,
            stdin=other,
            stdout=other,
            stderr=other,
            cwd=folder,
            env=environment(folder),
            start_new_session=True,
        )
        os.close(other)

    def type(self, text: str, until: str) -> str:
        """Type, and wait until the shell has shown a text; what it has shown."""
        os.write(self.end, text.encode())
        latest, shown = time.monotonic() + LONGEST, ""
        while until not in shown:
            assert time.monotonic() < latest, f"no {until!r} after {text!r}: {shown!r}"
            if select.select([self.end], [], [], 0.1)[0]:
                self.screen += os.read(self.end, 65536).decode("utf-8", "replace")
            shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x07", "", self.screen)
        return shown

    def clear(self) -> None:
        self.screen = ""

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.end)


def interactive(shell: str, folder: Path) -> Terminal:
    """An interactive shell with its completion script loaded and nothing else."""
    if shell == "bash":
        terminal = Terminal(["bash", "--norc", "--noprofile", "-i"], folder)
        load = "bind 'set enable-bracketed-paste off'; source script.bash; echo lo''aded\n"
    else:
        terminal = Terminal(["zsh", "-f", "-i"], folder)
        load = "autoload -U compinit; compinit -u; source script.zsh; echo lo''aded\n"
    terminal.type(load, "loaded")
    return terminal


@pytest.mark.parametrize("shell", [s for s in FOUND if s != "fish"])
def test_tab_completes_the_line(shell: str, folder: Path) -> None:
    terminal = interactive(shell, folder)
    try:
        for typed, line in TYPED:
            terminal.clear()
            terminal.type(f"{typed}\t", line)
            terminal.type("\x15echo ne''xt\n", "next")  # Ctrl-U: the line is not run
    finally:
        terminal.close()


@pytest.mark.parametrize("shell", FOUND)
def test_the_script_is_one_of_the_shell(shell: str, folder: Path) -> None:
    checked = subprocess.run([shell, "-n", f"script.{shell}"], cwd=folder, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize("shell", [s for s in FOUND if s == "fish"])
def test_fish_offers_the_line(shell: str, folder: Path) -> None:
    for typed, line in TYPED:
        command = f"source script.fish; complete --do-complete '{typed}'"
        done = subprocess.run(
            [shell, "--no-config", "-c", command],
            cwd=folder,
            env=environment(folder),
            capture_output=True,
            text=True,
            check=False,
        )
        offered = [answer.split("\t")[0] for answer in done.stdout.splitlines()]
        assert line.split()[-1] in offered, (typed, done.stdout, done.stderr)


def test_a_setting_completes_without_a_space_and_is_no_pattern(folder: Path) -> None:
    (folder / "nodeGroupsb.maxPods=").touch()  # what nodeGroups[batch].maxPods= would match as a pattern
    terminal = interactive("bash", folder)
    try:
        terminal.type("capacity check --set nodeGroups[b", "nodeGroups[b")
        terminal.type("\t", "nodeGroups[batch].")
        terminal.type("maxP\t5", "nodeGroups[batch].maxPods=5")
    finally:
        terminal.close()


def test_another_shell_is_refused() -> None:
    done = capacity("completion", "tcsh")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr == "error: SHELL: 'tcsh' is not one of bash, zsh, fish\n"
