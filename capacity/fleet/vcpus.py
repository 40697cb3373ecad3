"""The vCPU quotas of EC2: which one limits an instance type."""

from __future__ import annotations

import re

# Quota by the letters before the generation, as Service Quotas groups the families ("Running On-Demand Standard (A, C,
# D, H, I, M, R, T, Z) instances"). Mac instances run on Dedicated Hosts, which have another quota.
FAMILIES = {
    **dict.fromkeys(("a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"), "standard"),
    **dict.fromkeys(("g", "gr", "vt"), "g_vt"),
    **dict.fromkeys(("u", "u-"), "high_memory"),
    **{name: name for name in ("dl", "f", "hpc", "inf", "p", "trn", "x")},
}
NOT_SPOT = ("high_memory", "hpc")
_LETTERS = re.compile(r"[a-z]+-?")


def vcpu_quota(instance_type: str, capacity_type: str) -> str | None:
    """The name of the quota in ``data/quotas.csv``; None if the family has none.

    >>> vcpu_quota("m5.large", "on-demand"), vcpu_quota("g5.xlarge", "spot"), vcpu_quota("mac1.metal", "on-demand")
    ('vcpus_standard', 'spot_vcpus_g_vt', None)
    """
    found = _LETTERS.match(instance_type)
    family = FAMILIES.get(found.group()) if found else None
    if family is None or (capacity_type == "spot" and family in NOT_SPOT):
        return None
    return f"spot_vcpus_{family}" if capacity_type == "spot" else f"vcpus_{family}"
