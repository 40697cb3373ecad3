"""What several sources share: names of AMI families, CNI add-on settings, blocks, catalog queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Any

from capacity.catalog.instance_type import InstanceType
from capacity.catalog.table import Catalog
from capacity.errors import SpecError
from capacity.plan.cni_env import CNI_VARIABLES
from capacity.plan.discovery import CLUSTER_TAG, ROLE_TAG
from capacity.readers.decode import PLACEHOLDER, mapping, parse_documents, placeholders, text_of
from capacity.readers.draft import Note
from capacity.units import counted

# Of the CNI's own variables these can hold secrets or names; what is no variable of the CNI stays out anyway.
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
MOST_PLACEHOLDERS = 12


@dataclass
class Findings:
    """Notes collected while one file is read; ``file`` begins each of them."""

    file: str
    notes: list[Note] = field(default_factory=list)

    def say(self, where: str, text: str, path: str = "") -> None:
        """A note: place in the source, what about it, place in the plan."""
        place = f"{self.file} {where}".strip()
        self.notes.append(Note(f"{place}: {text}", path))

    def say_placeholders(self, value: Any) -> None:
        """List the placeholders of a document: their values are unknown here."""
        found = [(p, t) for p, t in placeholders(value) if not p.endswith(("UserData", "userData", "user_data"))]
        for path, text in found[:MOST_PLACEHOLDERS]:
            self.say(path, f"{text!r} is a placeholder: its value is not known here")
        if len(found) > MOST_PLACEHOLDERS:
            self.say("", f"and {len(found) - MOST_PLACEHOLDERS} more placeholders")


def discovery_tags(tags: Mapping[str, Any]) -> tuple[tuple[str, str], ...] | None:
    """Those of a subnet's tags that the VPC CNI's discovery reads: it only asks whether the role is "0" or not.

    >>> discovery_tags({"Name": "pods", "kubernetes.io/role/cni": "1"})
    (('kubernetes.io/role/cni', '1'),)
    """
    role = "" if tags.get(ROLE_TAG) == "" else text_of(tags.get(ROLE_TAG))
    found = [] if role is None else [(ROLE_TAG, "0" if role == "0" else "1")]
    found += sorted((key, text_of(value) or "shared") for key, value in tags.items() if key.startswith(CLUSTER_TAG))
    return tuple(found) or None


def block_of(value: Any) -> IPv4Network | None:
    """An IPv4 block, host bits dropped, or None where the value is none."""
    if not isinstance(value, str) or "/" not in value or ":" in value:
        return None
    try:
        return IPv4Network(value.strip(), strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def ami_of(family: str | None) -> str | None:
    """An AMI family or type as the plan names it; None where it names none of ours.

    >>> [ami_of(x) for x in ("AmazonLinux2023", "AL2_x86_64", "BOTTLEROCKET_ARM_64", "WindowsServer2022FullContainer")]
    ['al2023', 'al2', 'bottlerocket', 'windows']
    """
    text = (family or "").lower().replace("_", "").replace("-", "")
    if "windows" in text:
        return "windows"
    if "bottlerocket" in text:
        return "bottlerocket"
    if "2023" in text and ("al" in text or "amazon" in text):
        return "al2023"
    if text.startswith(("al2", "amazonlinux2", "amazoneksnodeal2")) and "2022" not in text:
        return "al2"
    return None


def cni_environment(env: Any, said: Findings, where: str) -> dict[str, str]:
    """The CNI's variables among an environment (mapping, or list of name and value); nothing else is copied."""
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
            said.say(f"{where}.{name}", f"{text!r} is a placeholder: left out", "cni.env")
        else:
            kept[name] = text
    if left_out:
        what = counted(len(left_out), "variable that is no setting", "variables that are no settings")
        said.say(where, f"not copied: {what} of the CNI")
    return kept


def addon_environment(configuration: Any, said: Findings, where: str) -> dict[str, str]:
    """The ``env`` of the vpc-cni add-on's configuration values: text that holds JSON or YAML, or a mapping."""
    if configuration is None or configuration == "":
        return {}
    if isinstance(configuration, str):
        try:
            decoded = parse_documents(configuration, where)
        except SpecError:
            said.say(where, "is neither JSON nor YAML: left out", "cni.env")
            return {}
        configuration = decoded[0] if decoded else {}
    if not isinstance(configuration, dict):
        said.say(where, "is no mapping: left out", "cni.env")
        return {}
    env = configuration.get("env")
    return cni_environment(env, said, f"{where}.env") if env else {}


def cni_version_of(text: Any) -> str | None:
    """A CNI version out of an add-on version or an image tag.

    >>> cni_version_of("v1.19.2-eksbuild.1"), cni_version_of("latest")
    ('1.19.2', None)
    """
    found = re.match(r"v?([0-9]+\.[0-9]+\.[0-9]+)", str(text or ""))
    return found[1] if found else None


def kubernetes_version_of(value: Any) -> str | None:
    """``1.34`` out of a version as people write it, None where it is none (``latest``, a placeholder)."""
    found = re.match(r"v?([0-9]+\.[0-9]+)", text_of(value) or "")
    return found[1] if found else None


def catalog_order(kind: InstanceType) -> tuple[bool, bool, int, int, str]:
    """Ordinary types first, then small ones: `check` reckons with the first of a list."""
    special = bool(kind.gpus or kind.accelerators)
    return (special, not re.match(r"[cmrt][0-9]", kind.family), kind.vcpus or 0, kind.memory_mib or 0, kind.name)


def candidates(catalog: Catalog, keep: Callable[[InstanceType], bool]) -> list[str]:
    """Names of the types that can be planned and are kept, small ones first."""
    found = [
        kind
        for kind in catalog.all()
        if kind.max_enis and kind.ipv4_per_eni and kind.vcpus and kind.memory_mib and keep(kind)
    ]
    return [kind.name for kind in sorted(found, key=catalog_order)]


def unique(name: str, taken: Iterable[str]) -> str:
    """``name``, with a number where it is taken."""
    names = taken if isinstance(taken, Set) else set(taken)
    if name not in names:
        return name
    return next(candidate for i in range(2, len(names) + 3) if (candidate := f"{name}-{i}") not in names)


def max_pods_in(user_data: Any) -> int | None:
    """The kubelet's max pods set by a boot script or a nodeadm document, plain or in base64 (gzipped too).

    >>> max_pods_in("/etc/eks/bootstrap.sh shop --kubelet-extra-args '--max-pods=110'")
    110
    """
    import base64
    import zlib

    if not isinstance(user_data, str) or len(user_data) > 400_000:
        return None
    texts = [user_data]
    if re.fullmatch(r"[A-Za-z0-9+/=\s]{40,}", user_data):
        try:
            raw = base64.b64decode(user_data)
            if raw[:2] == b"\x1f\x8b":
                raw = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(raw, 1_000_000)
            texts.append(raw.decode("utf-8", "replace"))
        except (ValueError, zlib.error):
            pass
    for text in texts:
        found = re.search(r"max-?pods[\"']?\s*[:= ]\s*[\"']?([0-9]{1,5})\b", text, re.IGNORECASE)
        if found:
            return int(found[1]) or None
    return None


def is_node_script(user_data: Any) -> bool:
    """Whether a boot script joins an EKS cluster."""
    import base64
    import contextlib

    if not isinstance(user_data, str):
        return False
    text = user_data
    with contextlib.suppress(ValueError):  # plain text is no base64
        text += base64.b64decode(user_data, validate=True).decode("utf-8", "replace")
    return any(mark in text for mark in ("bootstrap.sh", "nodeadm", "node.eks.aws", "Start-EKSBootstrap", "kubelet"))
