# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Sizing before purchase
#
# Nothing exists yet. 300 pods that request 500m CPU and 1 Gi memory will run in three zones. Which type, how many nodes
# and which subnet sizes do they need?

# %%
# %matplotlib inline
from fractions import Fraction
from math import ceil
from pathlib import Path

import yaml

import capacity
from capacity.charts import plot_limits, plot_price_per_pod

catalog = capacity.load_catalog()
PODS, ZONES, MIB = 300, 3, 2**20
pod = capacity.PodAsked(cpu=500, memory=1024 * MIB)
agents = [capacity.Daemon("log-agent", cpu=50, memory=128 * MIB)]

# %% [markdown]
# ## Which type
#
# Every type of the catalog that has a price, the cheapest per pod first.

# %%
frame = capacity.node_frame(catalog, capacity.Platform(), pod, agents, region="us-east-1")
current = frame["instance_type"].str.match(r"^(m|c|r)[67](i|a|g)\.(x|2x|4x)?large$")
cheapest = frame[current & frame["usd_per_pod_month"].notna()].sort_values(["usd_per_pod_month", "instance_type"])
cheapest[["instance_type", "pods", "binding", "usd_per_pod_month"]].head(8)

# %%
names = list(cheapest["instance_type"].head(6))
offers = [
    capacity.offer(catalog.get(n), capacity.Platform(), pod, agents, price=capacity.price_per_hour(n, "us-east-1"))
    for n in names
]
plot_price_per_pod(offers)

# %%
plot_limits(offers, title="500m and 1 Gi beside a log agent")

# %% [markdown]
# ## How many nodes, how many addresses
#
# A full node runs its pods and the agent on VPC addresses; its settled pool follows from the CNI's settings. An upgrade
# adds a third more nodes, and every fifth address must stay free.

# %%
best = offers[0]
kind = catalog.get(best.instance_type)
nodes = ceil(PODS / best.pods)
settings, _ = capacity.cni_settings({})
on_vpc = best.pods + len(agents)
pool = capacity.node_pool(kind, settings, on_vpc, best.max_pods)
per_zone = ceil(ceil(nodes * Fraction(4, 3)) / ZONES)
wanted = ceil(per_zone * pool.subnet_addresses / Fraction(4, 5))
prefix = max(p for p in range(16, 29) if 2 ** (32 - p) - 5 >= wanted)
print(f"{nodes} × {kind.name}, {best.pods} pods each; a node takes {pool.subnet_addresses} addresses")
print(f"per zone {per_zone} nodes and {wanted} addresses with a fifth free: a /{prefix}")

# %% [markdown]
# ## Check
#
# The same cluster as a plan, checked in every scenario.

# %%
subnets = [
    {"name": f"private-{z}", "zone": f"us-east-1{z}", "cidr": f"10.0.{16 * i}.0/{prefix}"} for i, z in enumerate("abc")
]
document = {
    "apiVersion": "capacity/v1",
    "region": "us-east-1",
    "vpc": {"cidrs": ["10.0.0.0/16"], "subnets": subnets},
    "nodeGroups": [
        {
            "name": "general",
            "instanceTypes": [kind.name],
            "nodes": {"min": 3, "desired": nodes, "max": ceil(nodes * 4 / 3)},
            "subnets": [s["name"] for s in subnets],
        }
    ],
    "workloads": [{"name": "app", "replicas": PODS, "requests": {"cpu": "500m", "memory": "1Gi"}}],
    "daemonSets": [{"name": "log-agent", "requests": {"cpu": "50m", "memory": "128Mi"}}],
}
Path("sized.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
result = capacity.check(capacity.read_plan("sized.yaml"))
Path("sized.yaml").unlink()
assert result.verdict != "exhausted"
print(result.verdict)
capacity.runway_frame(result)
