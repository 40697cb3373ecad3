# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From the 2018 notes to now
#
# A page of notes on EKS of October 2018 asked: do addresses run out before CPU and memory? And it warned of Services:
# 5,000 Services are 40,000 iptables rules and take 11 minutes. This notebook answers both with today's figures. All 37
# rows of the notes are in `docs/explanation/from-the-2018-notes.md`.

# %%
from pathlib import Path

from matplotlib.figure import Figure

import capacity
from capacity.charts import plot_bottleneck_map

EXAMPLES = next(p for p in (Path("examples"), Path("../examples")) if p.is_dir())

# %% [markdown]
# ## Addresses before CPU and memory
#
# With 27 addresses for pods, an m5.large is limited by addresses (and max pods) if its pods request little.

# %%
cpu, memory = capacity.request_grid(33)
plot_bottleneck_map(capacity.shape_map(capacity.load_catalog().get("m5.large"), capacity.Platform(), cpu, memory))

# %% [markdown]
# ## Services: the rules of 2017, counted
#
# 5,000 ClusterIP Services with two endpoints have 8 rules each: 40,000, and 9 of kube-proxy itself.


# %%
def rules(services, endpoints=2):
    """What kube-proxy builds on a node for equal ClusterIP Services."""
    return capacity.rule_sets([(capacity.ServiceShape(endpoints=endpoints), services)], capacity.KubeProxy())


sets = rules(5000)
assert (sets.iptables.rules, sets.nftables.rules) == (40_009, 30_023)
print(sets.iptables.rules, sets.nftables.rules, sets.ipvs.virtual_servers)

# %% [markdown]
# The count grows with Services and endpoints in every mode. What changed is the time: kube-proxy no longer installs
# rules one at a time, and nftables mode finds a Service in a map instead of walking a list.


# %%
def growth_chart(sizes):
    """Rules of iptables and nftables mode and real servers of IPVS mode, by number of Services."""
    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(sizes, [rules(n).iptables.rules for n in sizes], label="iptables: rules")
    axes.plot(sizes, [rules(n).nftables.rules for n in sizes], label="nftables: rules")
    axes.plot(sizes, [rules(n).ipvs.real_servers for n in sizes], label="IPVS: real servers")
    axes.set_xlabel("Services with two endpoints")
    axes.set_ylabel("on each node")
    axes.legend()
    return figure


growth_chart([100 * n for n in range(1, 101)])

# %% [markdown]
# ## A plan with Services

# %%
plan = capacity.read_plan(EXAMPLES / "services.yaml")
found = capacity.service_overview(capacity.question_of_plan(plan, peak=True))
assert found.choice.mode == "nftables"
print(f"{found.figures.services:,} Services, {found.figures.endpoints:,} endpoints: {found.choice.mode}")
for warning in found.choice.warnings:
    print("-", warning)

# %% [markdown]
# ## What a cluster costs a month
#
# In 2018 a cluster was 0.20 USD an hour, 146 USD in a month of 730 hours. Today it is 73 USD in standard support.

# %%
cost = capacity.plan_cost(capacity.check(plan, ["steady"])).costs[0]
{line.item: line.usd_per_month for line in cost.lines}
