"""Read values of documents from other tools: a wrong type, a placeholder or a missing key means no value.

Files that people write (YAML, templates) are read by value: ``text_of``, ``int_of``, ``bool_of`` return None for
a value of another type or with a placeholder. Answers that a machine wrote (AWS, Kubernetes) are read by key: ``text``,
``section``, ``texts``, ``count``, ``tags``; :func:`objects` alone refuses, because a list of something else is no
answer of AWS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError
from typing import Any

from capacity.errors import SpecError
from capacity.plan.constants import IP_FAMILIES
from capacity.plan.subnet_tags import CLUSTER_TAG, ROLE_TAG

Item = dict[str, Any]

PLACEHOLDER = re.compile(r"\$\{[^}]*\}?|\$[A-Z_][A-Z0-9_]*|<<?[A-Za-z_][\w .-]*>>?|\{\{.*?\}\}|%[A-Za-z_]\w*%|__\w+__")
MOST_PLACEHOLDERS = 12

# --- by value: files that people write ---------------------------------------------------------


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def path_of(value: object, *keys: str) -> Any:
    """The value under nested keys, None if one is missing."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text_of(value: object, longest: int = 253) -> str | None:
    """Non-empty text without a placeholder, else None."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value).strip()
    return text if text and len(text) <= longest and not PLACEHOLDER.search(text) else None


def int_of(value: object, least: int = 0, most: int = 10_000_000) -> int | None:
    """A whole number within limits, written as a number or as text, else None."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value).strip()
    if not re.fullmatch(r"-?[0-9]{1,12}(\.0+)?", text):
        return None
    number = int(text.partition(".")[0])
    return number if least <= number <= most else None


def bool_of(value: object) -> bool | None:
    """A boolean, written as one or as text, else None."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "yes", "on", "1"):
        return True
    if isinstance(value, str) and value.strip().lower() in ("false", "no", "off", "0"):
        return False
    return None


def prefix_of(value: object) -> int | None:
    """Prefix length that a VPC or a subnet can have, else None.

    >>> prefix_of("20"), prefix_of(29), prefix_of(None)
    (20, None, None)
    """
    found = int_of(value)
    return found if found is not None and 16 <= found <= 28 else None


def placeholders(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """All texts with a placeholder and their paths, without scripts, which have their own variables."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from placeholders(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from placeholders(inner, f"{path}[{i}]")
    elif isinstance(value, str) and len(value) < 200 and value.count(" ") < 4 and PLACEHOLDER.search(value):
        yield path, value


def say_placeholders(value: object, say: Callable[[str, str], None]) -> None:
    """Note the placeholders of a document, whose values are unknown."""
    found = [(p, t) for p, t in placeholders(value) if not p.endswith(("UserData", "userData", "user_data"))]
    for path, text in found[:MOST_PLACEHOLDERS]:
        say(path, f"{text!r} is a placeholder: its value is not known")
    if len(found) > MOST_PLACEHOLDERS:
        say("", f"and {len(found) - MOST_PLACEHOLDERS} more placeholders")


# --- by value: facts of a cluster and its network ----------------------------------------------


def discovery_tags(tags: Mapping[str, Any]) -> tuple[tuple[str, str], ...] | None:
    """Tags of a subnet that the VPC CNI's discovery reads: only whether the role is "0" matters.

    >>> discovery_tags({"Name": "pods", "kubernetes.io/role/cni": "1"})
    (('kubernetes.io/role/cni', '1'),)
    """
    role = "" if tags.get(ROLE_TAG) == "" else text_of(tags.get(ROLE_TAG))
    found = [] if role is None else [(ROLE_TAG, "0" if role == "0" else "1")]
    found += sorted((key, text_of(value) or "shared") for key, value in tags.items() if key.startswith(CLUSTER_TAG))
    return tuple(found) or None


_ZONE = re.compile(r"([a-z]{2}(?:-[a-z]+)+-[0-9]{1,2})(?:[a-z]|-[a-z]{3}-[0-9]{1,2}[a-z]|-wl[0-9]-[a-z]{3}-wlz-[0-9])")
_SUBNET_ID = re.compile(r"subnet-(?!x+$)[A-Za-z0-9-]+")


def region_of_zone(zone: str | None) -> str | None:
    """Region of an Availability Zone, Local Zone or Wavelength Zone; None if the text is not the name of one.

    >>> region_of_zone("us-west-2a"), region_of_zone("us-west-2-lax-1a"), region_of_zone("zone-a")
    ('us-west-2', 'us-west-2', None)
    """
    found = _ZONE.fullmatch(zone or "")
    return found[1] if found else None


def subnet_id_of(value: object) -> str | None:
    """ID of a subnet; None for a placeholder, which can have any form.

    >>> subnet_id_of("subnet-0a1b2c3d"), subnet_id_of("NEW-SUBNET-ID2"), subnet_id_of("subnet-xxxx")
    ('subnet-0a1b2c3d', None, None)
    """
    text = text_of(value)
    return text if text and _SUBNET_ID.fullmatch(text) else None


def block_of(value: object) -> IPv4Network | None:
    """An IPv4 block without its host bits; None if the value is not one."""
    if not isinstance(value, str) or "/" not in value or ":" in value:
        return None
    try:
        return IPv4Network(value.strip(), strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def kubernetes_version_of(value: object) -> str | None:
    """Minor version such as ``1.34`` of a version text; None if it is not a version (``latest``, a placeholder)."""
    found = re.match(r"v?([0-9]+\.[0-9]+)", text_of(value) or "")
    return found[1] if found else None


def ip_family_of(value: object) -> str | None:
    """``ipv4`` or ``ipv6`` in any case, else None."""
    family = (text_of(value) or "").lower()
    return family if family in IP_FAMILIES else None


# --- by key: answers that a machine wrote -------------------------------------------------------


def objects(item: Mapping[str, Any], key: str, place: str = "") -> list[Item]:
    """Objects of a list; an absent or null key is an empty list.

    Raises
    ------
    SpecError
        The value is not a list of objects.
    """
    value = item.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise SpecError(f"{place + ': ' if place else ''}{key}: expected a list of objects")
    return value


def texts(item: Mapping[str, Any], key: str) -> list[str]:
    """Strings of a list, without values of other types."""
    value = item.get(key)
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def text(item: Mapping[str, Any], key: str) -> str:
    """A string; empty if it is absent or of another type."""
    value = item.get(key)
    return value if isinstance(value, str) else ""


def section(item: Mapping[str, Any], key: str) -> Item:
    """An object; empty if it is absent or of another type."""
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def count(item: Mapping[str, Any], key: str) -> int | None:
    """A whole number of 0 or more, also as digits; None if it is absent or of another type."""
    value = item.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 18:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def tags(item: Mapping[str, Any], key: str = "Tags") -> dict[str, str]:
    """Tags as a mapping, from a list of Key/Value pairs or a mapping."""
    value = item.get(key)
    if isinstance(value, dict):
        return {k: v for k, v in value.items() if isinstance(v, str)}
    if not isinstance(value, list):
        return {}
    return {text(t, "Key"): text(t, "Value") for t in value if isinstance(t, dict)}


def moment(value: object) -> float | None:
    """Time in seconds since 1970 from ISO text, an epoch number, or a recorder's ``{__class__: datetime}``."""
    import datetime as dt

    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, dt.datetime):
        return value.timestamp() if value.tzinfo else value.replace(tzinfo=dt.UTC).timestamp()
    try:
        if isinstance(value, str):
            when = dt.datetime.fromisoformat(value)
        elif isinstance(value, dict) and value.get("__class__") == "datetime":
            year, month, day, hour, minute, second = (
                int(value.get(p, 0)) for p in ("year", "month", "day", "hour", "minute", "second")
            )
            when = dt.datetime(year, month, day, hour, minute, second)
        else:
            return None
    except (ValueError, TypeError, OverflowError):
        return None
    return (when if when.tzinfo else when.replace(tzinfo=dt.UTC)).timestamp()
