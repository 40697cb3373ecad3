"""Identify a Terraform module by its source: developer.hashicorp.com/terraform/language/modules/sources."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REGISTRY = re.compile(r"(?:(?:registry\.terraform\.io|registry\.opentofu\.org)/)?([\w-]+)/([\w-]+)/([a-z0-9]+)")
_GITHUB = re.compile(
    r"(?:git::)?(?:(?:https?|ssh|git)://)?(?:[\w-]+@)?github\.com[/:]([\w.-]+)/([\w.-]+?)(?:\.git)?(?=//|\?|$)"
)


@dataclass(frozen=True)
class ModuleSource:
    """Source of a module.

    Attributes
    ----------
    name : str
        ``namespace/name/provider`` of the public registry, or of the same module on GitHub; empty for any other.
    part : str
        The submodule, such as ``modules/vpc-endpoints``.
    ref : str
        Version in a Git source; empty if there is none.
    local : bool
        Whether it is a folder beside the file.
    """

    name: str = ""
    part: str = ""
    ref: str = ""
    local: bool = False


def module_source(source: str) -> ModuleSource:
    """Identify a source.

    >>> module_source("git::https://github.com/terraform-aws-modules/terraform-aws-eks.git?ref=v20.8.5")
    ModuleSource(name='terraform-aws-modules/eks/aws', part='', ref='v20.8.5', local=False)
    >>> module_source("terraform-aws-modules/vpc/aws//modules/vpc-endpoints").part
    'modules/vpc-endpoints'
    """
    if source.startswith(("./", "../", ".\\", "..\\")) or source in (".", ".."):
        return ModuleSource(local=True)
    path, _, query = source.partition("?")
    ref = next((q.removeprefix("ref=") for q in query.split("&") if q.startswith("ref=")), "")
    github = _GITHUB.match(source)
    if github:
        owner, repository = github[1], github[2]
        provider_and_name = re.fullmatch(r"terraform-([a-z0-9]+)-([\w-]+)", repository)
        part = path[github.end() :].removeprefix("//").strip("/") if len(path) >= github.end() else ""
        if provider_and_name is None:
            return ModuleSource(f"{owner}/{repository}", part, ref)
        return ModuleSource(f"{owner}/{provider_and_name[2]}/{provider_and_name[1]}", part, ref)
    base, _, part = path.partition("//")
    registry = _REGISTRY.fullmatch(base)
    return ModuleSource("/".join(registry.groups()), part.strip("/"), ref) if registry else ModuleSource()


def major_of(constraint: str) -> int | None:
    """Major version that a constraint or tag fixes; None if it allows several.

    >>> [major_of(c) for c in ("~> 20.8", "v20.8.5", "18.31.2", ">= 19.0", "~> 20")]
    [20, 20, 18, None, None]
    """
    text = constraint.strip()
    found = re.fullmatch(r"(?P<sign>~>|=)?\s*v?(?P<major>[0-9]{1,3})(?P<rest>(?:\.[0-9A-Za-z-]+)*)", text)
    if found is None or (found["sign"] == "~>" and not found["rest"]):
        return None
    return int(found["major"])
