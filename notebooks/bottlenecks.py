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
# # IPs against CPU and memory
#
# A node is full when it reaches its first limit: addresses of its ENIs, CPU, memory, or max pods. Which limit that is
# depends on the instance type *and* on the pod. This notebook looks at one pod, then at all pods, then at all types.

# %%
# %matplotlib inline
import capacity
from capacity.charts import plot_bottleneck_map, plot_limits, plot_price_per_pod

catalog = capacity.load_catalog()
MIB = 2**20

# %% [markdown]
# ## One pod shape, five families
#
# 250m CPU and 512 Mi memory on a node that EKS manages, one address per pod (the CNI's default).

# %%
pod = capacity.PodAsked(cpu=250, memory=512 * MIB)
names = ["c6i.xlarge", "m6i.xlarge", "r6i.xlarge", "t3.medium", "m5.large"]
offers = [
    capacity.offer(catalog.get(n), capacity.Platform(), pod, price=capacity.price_per_hour(n, "us-east-1"))
    for n in names
]
plot_limits(offers, title="250m and 512 Mi, by limit")

# %% [markdown]
# By hand for m5.large: 2 vCPUs minus 70m kube-reserved are 1930m, and 1930 ÷ 250 is 7 pods. Its three ENIs could
# address 3 × 9 = 27 pods, four times as many as CPU allows.

# %%
assert (offers[-1].pods, offers[-1].binding, offers[-1].fits["ips"]) == (7, "cpu", 27)
plot_price_per_pod(offers)

# %% [markdown]
# ## All pod shapes on one type
#
# Addresses (or the max pods that follow from them) are the limit only in the lower left corner, where pods request
# little.

# %%
cpu, memory = capacity.request_grid(33)
single = capacity.shape_map(catalog.get("m5.large"), capacity.Platform(), cpu, memory)
plot_bottleneck_map(single)

# %% [markdown]
# With prefixes the corner shrinks: max pods rises from 29 to 110.

# %%
prefixes = capacity.shape_map(catalog.get("m5.large"), capacity.Platform(mode="prefix"), cpu, memory)
plot_bottleneck_map(prefixes)


# %%
def share_of_density(found):
    """Share of the pod shapes for which addresses or max pods bind."""
    density = [i for i, name in enumerate(found.limits) if name in ("ips", "max_pods")]
    return float(sum((found.binding == i).mean() for i in density))


assert share_of_density(prefixes) < share_of_density(single)
{"secondary IPs": round(share_of_density(single), 3), "prefixes": round(share_of_density(prefixes), 3)}

# %% [markdown]
# ## Every type of the catalog
#
# How many types are limited by each resource? One row of the frame is one type; the formulas run over all types
# together.

# %%
frame = capacity.node_frame(catalog, capacity.Platform(), pod)
frame["binding"].value_counts()
