"""Runs the commands of a ```console block as a person would type them, and compares what the block shows."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """A command with the output shown under it; ``""`` where none is shown."""

    command: str
    shown: str


def steps(text: str) -> list[Step]:
    """The block as steps: ``$ `` starts a command, a backslash at its end (or ``> ``) goes on, the rest is output."""
    found: list[tuple[list[str], list[str]]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif not found:
            raise ValueError(f"a console block starts with '$ ', not with {line!r}")
        elif found[-1][0][-1].endswith("\\") and not found[-1][1]:
            found[-1][0].append(line.removeprefix("> "))
        else:
            found[-1][1].append(line)
    return [Step("\n".join(command), "\n".join(output)) for command, output in found]


def run(block: list[Step], folder: Path) -> list[str]:
    """What each step prints (both streams, as on a terminal), then its exit code on a line of its own.

    One shell runs the whole block, so ``cd``, variables and ``$?`` carry over from step to step.
    """
    end = "---end-of-step---"
    script = "".join(f"{step.command}\nset -- $?; echo '{end}' $1; (exit $1)\n" for step in block)
    env = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.defpath]),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
        "TERM": "dumb",
        "SOURCE_DATE_EPOCH": os.environ["SOURCE_DATE_EPOCH"],
    }
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return re.split(rf"{end} ", done.stdout)


def complaints(block: list[Step], folder: Path) -> list[str]:
    """What a reader who typed the block would have found different."""
    pieces = run(block, folder)
    if len(pieces) != len(block) + 1:
        return [f"the shell stopped after {len(pieces) - 1} of {len(block)} commands:\n{''.join(pieces)}"]
    found = []
    for i, step in enumerate(block):
        printed = pieces[i].split("\n", 1)[1] if i else pieces[i]  # the first line ends the previous step
        code = pieces[i + 1].split("\n", 1)[0]
        if not step.shown:
            if code != "0":
                found.append(f"$ {step.command}\nexit code {code}, and the block shows no output:\n{printed}")
        elif not same(step.shown, printed):
            found.append(f"$ {step.command}\nthe page shows:\n{step.shown}\nit prints:\n{printed}")
    return found


def same(shown: str, printed: str) -> bool:
    """Equal but for trailing blanks; ``...`` stands for any text, over lines too."""
    want, got = ("".join(line.rstrip() + "\n" for line in text.strip("\n").splitlines()) for text in (shown, printed))
    return doctest.OutputChecker().check_output(want, got, doctest.ELLIPSIS)
