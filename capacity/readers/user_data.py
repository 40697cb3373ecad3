"""Read boot settings of nodes: AMI families by name, and boot scripts, which are searched and never copied."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import zlib

KUBELET_MAX_PODS = 110  # the kubelet's default; bootstrap.sh --use-max-pods false leaves it


def max_pods_in(user_data: object) -> int | None:
    """Max pods that a boot script or a nodeadm document sets, plain or in base64 (also gzipped).

    >>> max_pods_in("/etc/eks/bootstrap.sh shop --kubelet-extra-args '--max-pods=110'")
    110
    """
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
    for script in texts:
        found = re.search(r"max-?pods[\"']?\s*[:= ]\s*[\"']?([0-9]{1,5})\b", script, re.IGNORECASE)
        if found:
            return int(found[1]) or None
        if re.search(r"--use-max-pods[= ]+[\"']?false", script):
            return KUBELET_MAX_PODS
    return None


def is_node_script(user_data: object) -> bool:
    """Whether a boot script joins an EKS cluster."""
    if not isinstance(user_data, str):
        return False
    text = user_data
    with contextlib.suppress(ValueError):  # plain text is not base64
        text += base64.b64decode(user_data, validate=True).decode("utf-8", "replace")
    return any(mark in text for mark in ("bootstrap.sh", "nodeadm", "node.eks.aws", "Start-EKSBootstrap", "kubelet"))


def script_of(user_data: object) -> str:
    """A boot script as text, given plain or in base64; empty if there is none."""
    if not isinstance(user_data, str):
        return ""
    try:
        return base64.b64decode(user_data, validate=True).decode("utf-8")
    except ValueError:
        return user_data


def decoded_user_data(data: str) -> str:
    """User data of a launch template as text; empty if it is not base64."""
    try:
        return base64.b64decode(data, validate=False).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def family_of_user_data(user_data: str) -> str | None:
    """AMI family of user data: nodeadm, bootstrap.sh, Bottlerocket's settings or PowerShell."""
    for mark, family in (
        ("node.eks.aws/", "al2023"),
        ("/etc/eks/bootstrap.sh", "al2"),
        ("[settings.kubernetes", "bottlerocket"),
        ("Start-EKSBootstrap", "windows"),
    ):
        if mark in user_data:
            return family
    return None


_MAX_PODS = re.compile(r"(?:--max-pods[= ]+|\bmaxPods\"?\s*:\s*|^\s*max-pods\s*=\s*)\"?(\d{1,9})", re.MULTILINE)
_EXPRESSION = re.compile(r"^\s*maxPodsExpression:\s*(?P<quote>[\"']?)(?P<text>.+?)(?P=quote)\s*$", re.MULTILINE)


def max_pods_of_user_data(user_data: str) -> tuple[int | None, str | None]:
    """Max pods and nodeadm's maxPodsExpression of user data.

    >>> max_pods_of_user_data("/etc/eks/bootstrap.sh shop --kubelet-extra-args '--max-pods=58'")
    (58, None)
    """
    number, expression = _MAX_PODS.search(user_data), _EXPRESSION.search(user_data)
    return int(number[1]) if number else None, expression["text"] if expression else None


def ami_of_parameter(path: str) -> str | None:
    """AMI family of a public parameter of Systems Manager with an image ID; None if it is not one of EKS.

    >>> ami_of_parameter("/aws/service/eks/optimized-ami/1.29/amazon-linux-2/recommended/image_id")
    'al2'
    """
    found = re.search(r"amazon-linux-2023|amazon-linux-2|bottlerocket|ami-windows", path.lower())
    return ami_of(found[0].replace("ami-", "")) if found else None


def ami_of(family: str | None) -> str | None:
    """Plan value for an AMI family or EKS amiType; None if the plan has none.

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
