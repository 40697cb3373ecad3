"""What the reference pages say of a key of the plan, from its declaration."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction

from capacity.plan import declaration as kinds
from capacity.plan.declaration import Key


def plain(markdown: str) -> str:
    """Markdown of one line as plain text; a link in brackets of its own goes.

    >>> plain("`alb`, see [below](#tenants) ([why](model.md))")
    'alb, see below'
    """
    text = re.sub(r" \(\[[^\]]*\]\([^)]*\)\)", "", markdown)
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("`", "")


def left_out(key: Key) -> str:
    """The default of a key, in Markdown."""
    if key.absent or key.default is None:
        return key.absent
    if isinstance(key.default, bool):
        return str(key.default).lower()
    if isinstance(key.default, Fraction):
        return f"{float(key.default):.0%}"
    return str(key.default)


def described(key: Key) -> str:
    """Meaning, unit and default of a key, as plain text.

    >>> from capacity.plan.pod_keys import WORKLOAD
    >>> described(WORKLOAD["volumes"])
    'EBS volumes that each pod attaches [volumes] (default: 0)'
    """
    parts = [plain(key.what)]
    if key.kind == kinds.BLOCK:
        parts.append(f"(/{key.low} to /{key.high})")
    if key.unit and key.kind != kinds.VERSION:
        parts.append(f"[{key.unit}]")
    if absent := plain(left_out(key)):
        parts.append(f"(default: {absent})")
    return " ".join(parts)


def holds(key: Key) -> str:
    """The allowed values of a key, in Markdown.

    >>> from capacity.plan.keys import NODE_GROUP, SUBNET
    >>> holds(NODE_GROUP["maxPods"]), holds(SUBNET["cidr"])
    ('number, 1 to 100,000 [pods]', 'IPv4 block, /16 to /28')
    """
    unit = f" [{key.unit}]" if key.unit and key.kind != kinds.VERSION else ""
    return _HELD[key.kind](key) + unit


def _bounds(key: Key) -> str:
    if key.high is None:
        return ""
    sign = "%" if key.kind == kinds.PERCENT else ""
    if key.above:
        return f", more than {key.low}{sign}, at most {key.high:,}{sign}"
    return f", {key.low:,}{sign} to {key.high:,}{sign}"


def _words(key: Key) -> str:
    return ", ".join(f"`{word}`" for word in key.words)


def _keys_of(key: Key) -> str:
    assert key.of is not None, key.name
    return ", ".join(f"`{name}`" for name in key.of.by_name)


_HELD: Mapping[str, Callable[[Key], str]] = {
    kinds.TEXT: lambda _: "text",
    kinds.NAME: lambda _: "text",
    kinds.VERSION: lambda _: "text",
    kinds.WORD: _words,
    kinds.CONSTANT: _words,
    kinds.COUNT: lambda key: f"number{_bounds(key)}",
    kinds.FLAG: lambda _: "true or false",
    kinds.CPU: lambda _: "CPU quantity",
    kinds.MEMORY: lambda _: "memory quantity",
    kinds.PERCENT: lambda key: f"percent{_bounds(key)}",
    kinds.COUNT_OR_PERCENT: lambda key: f"number{_bounds(key)}, or percent",
    kinds.BLOCK: lambda key: f"IPv4 block, /{key.low} to /{key.high}",
    kinds.BLOCKS: lambda key: f"IPv4 blocks, /{key.low} to /{key.high}",
    kinds.DATE: lambda _: "date",
    kinds.FACTOR: lambda key: f"factor{_bounds(key)}",
    kinds.RATE: lambda key: f"percent per {', '.join(key.words[:-1])} or {key.words[-1]}",
    kinds.LABELS: lambda _: "mapping",
    kinds.TENANT_KIND: lambda _: "word",
    kinds.MAPPING: lambda _: "mapping",
    kinds.COUNT_OR_MAPPING: lambda key: f"number, or {_keys_of(key)}",
    kinds.WORD_OR_WEIGHTS: lambda key: f"{_words(key)}, or a weight per zone",
    kinds.ENTRIES: lambda _: "list",
    kinds.NAMES: lambda _: "list of names",
    kinds.SCENARIO_LIST: lambda _: "list",
    kinds.VARIABLES: lambda _: "mapping",
    kinds.CONFIG_MAP_DATA: lambda _: "mapping",
    kinds.TAGS: lambda _: "mapping",
}
