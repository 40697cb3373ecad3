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
# Nothing exists yet. Three workloads and an agent on every node will run in three zones. Which node groups and which
# subnets do they need, and what does it cost? `optimize_plan` is `capacity optimize`; it needs the extra `optimize`
# (`pip install 'eks-pod-capacity[optimize]'`).

# %%
# %matplotlib inline
import capacity
from capacity.charts import plot_frontier, plot_packed_nodes, plot_subnet_states

document = capacity.sketched(
    [("web", "250m", "512Mi", 300), ("api", "1", "2Gi", 40), ("jobs", "500m", "8Gi", 60)], region="us-east-1"
)
document["workloads"][0]["replicas"] = {"now": 300, "max": 420}  # at the peak
document["daemonSets"] = [{"name": "log-agent", "requests": {"cpu": "50m", "memory": "128Mi"}}]

# %% [markdown]
# ## What to buy
#
# The choices are the allowed types. Here: current x86_64 families, at most 16 vCPUs per node. A fifth of the hours are
# at the peak.

# %%
choices = capacity.Choices(types=("m6i.*", "m7i.*", "c6i.*", "c7i.*", "r6i.*", "r7i.*"), arch="x86_64", max_vcpus=16)
found = capacity.optimize_plan(document, capacity.Request(choices), zones=3)
groups = capacity.node_groups_frame(found)
groups[["instance_types", "nodes", "nodes_peak", "pods_per_node", "binding", "subnet_addresses", "usd_per_hour"]]

# %% [markdown]
# The answer is schedulable: `check` of the plan with these node groups leaves no pod unschedulable and none without an
# address. No placement of these pods on these types costs less than the bound.

# %%
bought, packed = found.bought, found.packed
assert bought.result.verdict == "ok"
assert packed.bound <= packed.usd_per_hour <= bought.usd_per_hour
for name, usd in (("to buy", bought.usd_per_hour), ("perfect packing", packed.usd_per_hour), ("bound", packed.bound)):
    print(f"{name:16} {730 * usd:10,.2f} USD per month")

# %% [markdown]
# ## What a node holds
#
# The resource that stops the next pod is marked. Max pods and addresses have room: CPU and memory are what is bought.

# %%
plot_packed_nodes(capacity.mean_nodes(found))

# %% [markdown]
# ## What other choices cost
#
# Fewer types, and prefixes instead of secondary IPs; then the trade-off of cost, addresses and nodes. Each point passes
# `check`; `Choices(minimize="addresses")` buys the one with the fewest addresses.

# %%
capacity.alternatives_frame(found)[["usd_per_month", "extra_pct", "nodes", "subnet_addresses", "note"]]

# %%
capacity.frontier_frame(found)

# %%
plot_frontier(capacity.frontier_rows(found))

# %% [markdown]
# ## The subnets
#
# The plan had no VPC, so the answer sized one: the smallest subnets with which every scenario is ok.

# %%
plan = bought.result.plan
print(*(f"{subnet.name} {subnet.cidr} in {subnet.zone}" for subnet in plan.subnets), sep="\n")
plot_subnet_states(bought.result["peak"])

# %% [markdown]
# ## The file that creates them

# %%
print(capacity.node_group_file(found, "eksctl"))
