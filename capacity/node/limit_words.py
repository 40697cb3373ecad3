"""One word for each limit, as every page, chart and message names it."""

from __future__ import annotations

from typing import overload

LIMITS = {
    "ips": "pod addresses",
    "addresses": "the addresses of Windows nodes",  # of other nodes they never keep a pod from being scheduled
    "cpu": "CPU",
    "memory": "memory",
    "max_pods": "max pods",
    "branch_enis": "branch ENIs",
    "volumes": "EBS volumes",
    "gpus": "GPUs",
    "anti_affinity": "anti-affinity",
    "topology_spread": "the spread over zones",
    "nodes": "the number of nodes",
    "enis": "ENIs",
    "recommended-cap": "AWS's cap",
    "hypervisor": "Xen",
}


@overload
def limit_words(limit: str) -> str: ...


@overload
def limit_words(limit: None) -> None: ...


def limit_words(limit: str | None) -> str | None:
    """The display name of a limit; the limit itself if it has none.

    >>> limit_words("max_pods"), limit_words("enis"), limit_words("some_limit")
    ('max pods', 'ENIs', 'some limit')
    """
    return limit and LIMITS.get(limit, limit.replace("_", " "))
