"""Writes docs/reference/quotas.md, tenants.md and vpc-cidrs.md from the data files of the same facts.

python tools/build_network_reference.py
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from capacity.plan.fields import SHARED
from capacity.plan.tenants import tenant_kinds
from capacity.vpc.cidr_rules import BLOCKS_BY_DEFAULT, LARGEST, MOST_BLOCKS, SMALLEST, cidr_rules
from capacity.vpc.quotas import Quota, load_quotas

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
MADE = "Generated from `data/{}` by `make docs-reference`; edit the data, not this page."

QUOTAS = f"""\
# Quotas

{MADE.format("quotas.csv")}

*Default* is the quota of an account without an increase, *most* the value to which it can be raised. An empty cell is
unknown: the sources do not publish it. Kubernetes' own limits are sizes that it is tested for, not quotas. `check`
reports [IP027](findings/IP027.md) if a default is too low; `capacity.cluster.quota_use` shows how much of each quota a
plan uses:

```python
>>> from capacity.cluster.check import check
>>> from capacity.cluster.quota_use import quota_usage
>>> from capacity.plan.parse import read_plan
>>> for use in quota_usage(check(read_plan("examples/shop-prod.yaml")))[:5]:
...     print(use.quota.name, use.used, use.quota.default, use.verdict, use.where)
vpc_ipv4_blocks 1 5 ok{" "}
vpc_subnets 3 200 ok{" "}
vpc_nau ... 64000 ok ...
peered_nau ... 128000 ok ...
region_enis ... 5000 ok ...

```

## How network address usage is counted

Each address on an instance's interface counts one unit, each interface after the first counts one, and each prefix
counts one: a /28 is one unit, not sixteen. Load balancers (NLB), endpoints, NAT gateways, transit gateway attachments,
Lambda functions and EFS count six each. What AWS's table does not list (ALB, RDS, the control plane's interfaces,
Fargate) is not counted.

By hand: an m5.large with 20 pods and the CNI's defaults holds 3 interfaces with 9 secondary addresses each: 3 + 27
addresses and 2 additional interfaces are **32** units. The same pods on prefixes: 1 interface, ⌈20 ÷ 16⌉ + 1 warm = 3
prefixes: 1 + 3 = **4** units. 64,000 units are therefore 2,000 such nodes, or 16,000 with prefixes.

## EC2 calls of a scale-up

EC2 throttles each API with a separate bucket per account and Region. AWS does not publish the sizes of these buckets,
so `check` counts the calls and not the time they take. Service Quotas shows the sizes for your account, and
[`capacity simulate --bucket`](../how-to/why-do-pods-wait.md) takes them. Each node that starts makes at least these
calls (`capacity.cni.api_rates`):

| API | start, default | per additional ENI | custom networking: start | per ENI | IPv6 |
|---|---|---|---|---|---|
| DescribeNetworkInterfaces | 1 | 0 | 1 | 0 | 2 |
| CreateTags | 1 | 0 | 1 | 0 | 1 |
| DescribeSubnets (with subnet discovery) | 1 | 2 | 1 | 1 | 1 |
| ModifyNetworkInterfaceAttribute | 1 | 1 | 0 | 1 | 1 |
| AssignPrivateIpAddresses | 1 | 0 | 0 | 0 | 0 |
| AssignIpv6Addresses | 0 | 0 | 0 | 0 | 1 |
| CreateNetworkInterface | 0 | 1 | 0 | 1 | 0 |
| AttachNetworkInterface | 0 | 1 | 0 | 1 | 0 |
| DescribeInstances | 0 | 1 | 0 | 1 | 0 |
| **total** | **5** | **6** | **3** | **5** | **6** |

With custom networking, the first interface for pods is already an additional one: 3 + 5 = 8 calls per node. By hand:
ten m5.large with 20 pods each need 3 ENIs, so 10 × (5 + 2 × 6) = **170** calls, 20 of them CreateNetworkInterface.

With `ENABLE_POD_ENI`, the node finds its trunk later, with one more DescribeNetworkInterfaces and, with subnet
discovery, one DescribeSubnets: **2** more calls if a trunk can attach.

## The table

"""

TENANTS = f"""\
# What else uses addresses

{MADE.format("tenants.csv")}

The `tenants` of a plan are everything other than nodes and pods that uses its subnets. Each tenant holds the number
below in **every** subnet that it names, unless it sets `addresses: N`; the ledger of `check` shows it under *holder*.
*NAU* is its network address usage, empty if AWS's table does not list it.

These are counted although they are not tenants:

"""

BESIDE_TENANTS = (
    (
        "control plane",
        "4 interfaces over the cluster's subnets (at least 2; all 4 can be in one subnet)",
        "`controlPlane.subnets`",
    ),
    ("control plane, during an update", "up to 5 more", "the scenario `upgrade`"),
    ("Windows nodes", "as node groups with `ami: windows`", "`nodeGroups`"),
    (
        "addresses in cooldown",
        "in *warm*: a released pod address waits 30 s, so deletions per second × 30 per node",
        "the ledger's *warm*",
    ),
    (
        "subnet CIDR reservations",
        "not used, but available only to prefixes (`prefix`) or to nothing in this model (`explicit`)",
        "`free_reserved`",
    ),
    ("addresses that AWS reserves", "never counted as usable: the first four and the last of each subnet", "`usable`"),
)

CIDRS = f"""\
# Blocks that can join a VPC

{MADE.format("vpc_cidr_rules.csv")}

A VPC's block is /{LARGEST} to /{SMALLEST}; a VPC has {BLOCKS_BY_DEFAULT} by default, up to {MOST_BLOCKS} once the quota
is raised, including the primary. A block cannot be resized. It must not overlap a block of the VPC or of a peer, and it
must not be the same as or larger than the destination of a route in the VPC. Other restrictions depend on the range of
the **primary** block, the first of a plan's `vpc.cidrs` (`check` reports [IP028](findings/IP028.md)). `{SHARED}` can
join every VPC, so `capacity size` proposes it.

```python
>>> from ipaddress import IPv4Network
>>> from capacity.vpc.cidr_rules import addable
>>> addable(IPv4Network("198.19.0.0/16"), [IPv4Network("10.0.0.0/16")])
Addable(verdict='no', reason='AWS services use 198.19.0.0/16 in VPCs with RFC 1918 blocks', source='...')

```

AWS's best-practices guide names 198.19.0.0/16 as a range to add for pods (custom-networking.adoc L31). The VPC guide
does not allow it together with RFC 1918, and 198.19.0.0/16 is RFC 2544's benchmark range, not carrier-grade NAT space.

"""


def cell(value: object) -> str:
    if value is None:
        return ""
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("|", "\\|").replace("<", "&lt;")


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def quotas_page() -> str:
    def row(q: Quota) -> tuple[object, ...]:
        return (f"`{q.name}`", q.what, q.default, q.most, q.adjustable, q.unit, q.scope, q.source)

    heads = ("name", "what", "default", "most", "can be raised", "unit", "counted per", "source")
    return QUOTAS + table(heads, map(row, load_quotas().values()))


def tenants_page() -> str:
    heads = ("kind", "addresses per subnet", "what", "growth", "holder", "interfaces per subnet", "NAU", "source")
    rows = [
        (
            f"`{k.name}`",
            k.addresses or "required",
            k.what,
            k.growth,
            k.holder,
            k.enis,
            f"{k.nau} per {k.nau_per}" if k.nau is not None else None,
            k.source,
        )
        for k in tenant_kinds().values()
    ]
    return TENANTS + table(("what", "addresses", "where"), BESIDE_TENANTS) + "\n" + table(heads, rows)


def cidrs_page() -> str:
    heads = ("primary block in", "refused", "only if the VPC has a block in", "why", "source")
    names = {"any": "anywhere", "other": "public or 100.64.0.0/10"}
    rows = [(names.get(r.primary, r.primary), r.refused, r.only_if, r.reason, r.source) for r in cidr_rules()]
    return CIDRS + table(heads, rows)


PAGES = {"quotas.md": quotas_page, "tenants.md": tenants_page, "vpc-cidrs.md": cidrs_page}


def main() -> None:
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        print(os.path.relpath(FOLDER / name))


if __name__ == "__main__":
    main()
