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
# # Prefix delegation: when it helps
#
# With prefixes, a node requests its addresses in blocks of 16. It can address many more pods, but it also holds 16
# addresses where one is enough. Two questions decide: do the pods fit on the node, and what does it cost the subnet?

# %%
# %matplotlib inline
from matplotlib.figure import Figure

import capacity
from capacity.charts import plot_modes

catalog = capacity.load_catalog()

# %% [markdown]
# ## Effect on max pods

# %%
names = ["m5.large", "m5.xlarge", "c6i.4xlarge", "r6i.12xlarge"]
modes = [("secondary", False), ("secondary", True), ("prefix", False), ("prefix", True)]
rows = [
    capacity.max_pods(catalog.get(n), capacity.Platform(mode=mode, custom_networking=custom))
    for n in names
    for mode, custom in modes
]
plot_modes(rows)

# %% [markdown]
# By hand for m5.large: 3 ENIs × 9 addresses + 2 = 29 pods. With prefixes 3 × 9 × 16 + 2 = 434, which EKS caps at 110.

# %%
by_mode = {(r.instance_type, r.mode, r.custom_networking): r for r in rows}
assert by_mode["m5.large", "secondary", False].max_pods == 29
assert by_mode["m5.large", "prefix", False].max_pods_formula == 434
assert by_mode["m5.large", "prefix", False].max_pods == 110

# %% [markdown]
# ## Addresses that a node holds
#
# The settled pool of an m5.large with the chart's defaults: a spare ENI, or a spare prefix.

# %%
pods = list(range(0, 28))
single, _ = capacity.cni_settings({})
prefix, _ = capacity.cni_settings({"ENABLE_PREFIX_DELEGATION": "true"})
targets, _ = capacity.cni_settings({"WARM_IP_TARGET": "2", "MINIMUM_IP_TARGET": "10"})
types = [catalog.get("m5.large")]
held = {
    "one spare ENI": capacity.sweep(types, single, pods, 29)["subnet_addresses"][0],
    "one spare prefix": capacity.sweep(types, prefix, pods, 110)["subnet_addresses"][0],
    "WARM_IP_TARGET=2, MINIMUM_IP_TARGET=10": capacity.sweep(types, targets, pods, 29)["subnet_addresses"][0],
}


def plot_held():
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot()
    for (name, values), marker in zip(held.items(), "os^", strict=True):
        axes.step(pods, values, where="post", label=name, marker=marker, markevery=3)
    axes.set_xlabel("pods on VPC addresses (m5.large)")
    axes.set_ylabel("addresses of the subnet")
    axes.legend(frameon=False)
    return figure


plot_held()

# %% [markdown]
# With up to 9 pods, the default of secondary IPs holds two ENIs, 20 addresses. Prefixes hold a prefix in use, a spare
# one and the node's primary address, 33. Prefixes never save addresses of the subnet here. They help if more than 27
# pods of this size fit on the node, because the cluster then needs fewer nodes.

# %%
assert (held["one spare ENI"][5], held["one spare prefix"][5]) == (20, 33)

# %% [markdown]
# ## The whole plan in both modes

# %%
plan = capacity.read_plan("examples/shop-prod.yaml")
explored = capacity.what_if(capacity.check(plan))
for mode, outcomes in zip(explored.modes, explored.outcomes, strict=True):
    now = outcomes[explored.now]
    print(f"{mode.name}: {min(now.free)} free in the tightest subnet, {now.warm} held but unused, {now.verdict}")
