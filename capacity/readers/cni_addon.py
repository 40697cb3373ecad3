"""Read settings of the VPC CNI: container environments, add-on configuration, Helm values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from capacity.errors import SpecError
from capacity.plan.cni_env import CNI_VARIABLES
from capacity.readers.decode import parse_documents
from capacity.readers.values import PLACEHOLDER, mapping
from capacity.units import counted

if TYPE_CHECKING:
    from capacity.readers.draft import SourceNotes

# CNI variables that can contain secrets or names. Other variables are never copied.
_PRIVATE = frozenset(
    [
        "ADDITIONAL_ENI_TAGS",
        "AWS_EC2_ENDPOINT",
        "CLUSTER_ENDPOINT",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
    ]
)


def cni_environment(env: object, said: SourceNotes, where: str) -> dict[str, str]:
    """CNI variables of an environment (mapping, or list of name and value); nothing else is copied."""
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(env, list):
        pairs = ((mapping(e).get("name"), mapping(e).get("value")) for e in env)
    else:
        pairs = mapping(env).items()
    kept: dict[str, str] = {}
    left_out = []
    for name, value in pairs:
        if not isinstance(name, str) or name not in CNI_VARIABLES or name in _PRIVATE:
            left_out.append(str(name))
            continue
        if value is None or isinstance(value, (dict, list)):
            continue  # from a field or a secret: no setting
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if PLACEHOLDER.search(text):
            said.say(f"{where}.{name}", f"{text!r} is a placeholder: ignored", "cni.env")
        else:
            kept[name] = text
    if left_out:
        what = counted(len(left_out), "variable that is not a setting", "variables that are not settings")
        said.say(where, f"not copied: {what} of the CNI")
    return kept


def addon_environment(configuration: object, said: SourceNotes, where: str) -> dict[str, str]:
    """The ``env`` of the vpc-cni add-on's configuration values: text that holds JSON or YAML, or a mapping."""
    if configuration is None or configuration == "":
        return {}
    if isinstance(configuration, str):
        try:
            decoded = parse_documents(configuration, where)
        except SpecError:
            said.say(where, "is neither JSON nor YAML: ignored", "cni.env")
            return {}
        configuration = decoded[0] if decoded else {}
    if not isinstance(configuration, dict):
        said.say(where, "is not a mapping: ignored", "cni.env")
        return {}
    env = configuration.get("env")
    return cni_environment(env, said, f"{where}.env") if env else {}


def cni_version_of(text: object) -> str | None:
    """A CNI version out of an add-on version or an image tag.

    >>> cni_version_of("v1.19.2-eksbuild.1"), cni_version_of("latest")
    ('1.19.2', None)
    """
    found = re.match(r"v?([0-9]+\.[0-9]+\.[0-9]+)", str(text or ""))
    return found[1] if found else None
