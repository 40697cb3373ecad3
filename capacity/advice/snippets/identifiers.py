"""Convert names of a plan to identifiers of other languages, one distinct identifier per name.

Names in a plan are any text of one line; Terraform, a shell and CloudFormation accept little more than letters and
digits. Removed characters can make two names equal, so every function converts all names together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

LONGEST = 200  # characters; a CloudFormation logical ID can have 255, including its prefix
# zsh uses these for its settings; upper-case names belong to the environment (PATH, IFS, VPC_ID)
_SHELLS_OWN = frozenset(("argv", "cdpath", "fignore", "fpath", "mailpath", "manpath", "path", "pipestatus", "prompt"))
_SHELLS_OWN |= {"psvar", "status", "watch", "zle_bracketed_paste"}


def terraform_names(names: Iterable[str]) -> dict[str, str]:
    """Terraform resource name of each name.

    >>> terraform_names(["private-1", "private 1", "1a", "私"])
    {'private-1': 'private_1', 'private 1': 'private_1_2', '1a': '_1a', '私': 'subnet'}
    """
    return _distinct(names, _word, "_")


def shell_variables(names: Iterable[str]) -> dict[str, str]:
    """Shell variable of each name, none that a shell or the environment already uses.

    >>> shell_variables(["private-1", "PATH", "path"])
    {'private-1': 'private_1', 'PATH': 'subnet_PATH', 'path': 'subnet_path'}
    """
    return _distinct(names, _variable, "_")


def logical_ids(names: Iterable[str], start: str = "Subnet") -> dict[str, str]:
    """CloudFormation logical ID of each name: letters and digits only.

    Source: AWS CloudFormation user guide, resources section structure: alphanumeric, unique in the template.

    >>> logical_ids(["private-1-1", "private-11", "***"])
    {'private-1-1': 'SubnetPrivate11', 'private-11': 'SubnetPrivate11x2', '***': 'Subnet'}
    """
    return _distinct(names, lambda name: start + _word(name, "").title().replace("_", ""), "x")


def placeholder(name: str) -> str:
    """Placeholder for an unknown subnet ID, without commas, which separate IDs in some options.

    >>> placeholder("private-a"), placeholder("a,b")
    ('ID-OF-private-a', 'ID-OF-a%2Cb')
    """
    return "ID-OF-" + name.replace(",", "%2C")


def _word(name: str, nothing: str = "subnet") -> str:
    word = re.sub(r"[^A-Za-z0-9_]", "_", name)[:LONGEST]
    if not word.strip("_"):
        return nothing
    return f"_{word}" if word[0].isdigit() else word


def _variable(name: str) -> str:
    word = _word(name)
    return f"subnet_{word}" if word in _SHELLS_OWN or not re.search("[a-z]", word) else word


def _distinct(names: Iterable[str], make: Callable[[str], str], joint: str) -> dict[str, str]:
    """One identifier per name, numbered if two would be equal."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    for name in names:
        if name in found:
            continue
        first = word = make(name)
        while word in taken:
            numbers[first] = numbers.get(first, 1) + 1
            word = f"{first}{joint}{numbers[first]}"
        taken.add(word)
        found[name] = word
    return found
