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
# # First steps with `capacity`
#
# This notebook reads, checks and changes a plan with the public names of `import capacity`. Open this file as a
# notebook with jupytext, or run it directly.

# %%
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

import capacity

EXAMPLES = next(p for p in (Path("examples"), Path("../examples")) if p.is_dir())

# %% [markdown]
# ## One node
#
# How many pods can an m5.large run, and how many addresses does it hold with 11 of them? 3 ENIs with 10 addresses each:
# 3 × (10 − 1) + 2 = 29 pods, and 1 + ⌈11 ÷ 9⌉ = 3 ENIs, 30 addresses.

# %%
m5_large = capacity.load_catalog().get("m5.large")
row = capacity.max_pods(m5_large, capacity.Platform())
pool = capacity.node_pool(m5_large, capacity.CniSettings(), pods=11, max_pods=row.max_pods)
assert (row.max_pods, pool.enis, pool.subnet_addresses) == (29, 3, 30)
print(pool)

# %% [markdown]
# ## A cluster
#
# Will we run out of IPs?

# %%
plan = capacity.read_plan(EXAMPLES / "first-plan.yaml")
result = capacity.check(plan)
print(result.verdict)

# %% [markdown]
# Every subnet in every scenario, as a DataFrame. Held and free addresses add up to the usable addresses.

# %%
subnets = capacity.subnet_frame(result)
print(subnets.head(8).to_string())

# %%
for state in result.scenarios:
    for subnet in state.subnets:
        assert sum(subnet.used.values()) + subnet.free == subnet.subnet.usable

# %% [markdown]
# The same figures as a chart of free addresses; values below 0 are missing addresses.


# %%
def free_addresses(scenario: str) -> Figure:
    """Free addresses of each subnet in one scenario."""
    state = next(s for s in result.scenarios if s.name == scenario)
    figure = Figure(figsize=(5, 2.5), layout="constrained")
    axes = figure.subplots()
    axes.barh([s.subnet.name for s in state.subnets], [s.free for s in state.subnets])
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel(f"free addresses in {scenario}")
    return figure


free_addresses("peak")

# %% [markdown]
# The fix:

# %%
for finding in capacity.findings(result):
    print(finding.code, finding.severity, finding.message)

# %% [markdown]
# How much more fits into the subnets:

# %%
print(capacity.runway_frame(result).to_string())

# %% [markdown]
# ## Other settings
#
# The same plan with fewer spare addresses on each node: with `MINIMUM_IP_TARGET=10` and `WARM_IP_TARGET=2`, a node
# holds at least 10 addresses for pods, and then 2 spare ones.

# %%
env = {**plan.cni.env, "MINIMUM_IP_TARGET": "10", "WARM_IP_TARGET": "2"}
thrifty = replace(plan, cni=replace(plan.cni, env=env))
before = sum(s.free for s in result.scenarios[0].subnets)
after = sum(s.free for s in capacity.check(thrifty).scenarios[0].subnets)
print(f"free in steady: {before} before, {after} after")
assert after > before
