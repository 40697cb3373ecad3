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
# # A design review, from plan to report
#
# The plan of a web shop: three zones with one subnet each, one of them a /24 from an older design. Will it run out?

# %%
# %matplotlib inline
import capacity
from capacity.charts import plot_headroom, plot_limits, plot_subnet_states

plan = capacity.read_plan("examples/shop-prod.yaml")
result = capacity.check(plan)
print(result.verdict)

# %% [markdown]
# ## Where, and in which scenario

# %%
frame = capacity.subnet_frame(result)
frame.pivot_table(index="scenario", columns="name", values="free", aggfunc="min", sort=False)

# %%
peak = next(s for s in result.scenarios if s.name == "peak")
plot_subnet_states(peak)

# %% [markdown]
# private-b is the /24: it has 256 − 5 = 251 usable addresses and needs 294.

# %%
private_b = next(s for s in peak.subnets if s.subnet.name == "private-b")
assert (private_b.subnet.usable, private_b.used_total, private_b.free) == (251, 294, -43)

# %% [markdown]
# ## How far the plan can grow
#
# The runway counts additional nodes that fit even if all of them start in that subnet; the chart spreads them over the
# zones.

# %%
capacity.runway_frame(result)

# %%
plot_headroom(capacity.headroom_by_nodes(result, "general"))

# %%
plot_headroom(capacity.headroom_by_pods(result))

# %% [markdown]
# ## Nodes are not limited by addresses here
#
# CPU is the limit: each node could address three times the pods that it runs. The addresses are held, not used.

# %%
plot_limits(capacity.group_offers(result), title="The groups' mean pods, by limit")

# %% [markdown]
# ## Findings

# %%
for found in capacity.findings(result):
    print(f"{found.code} {found.severity}: {found.message}")

# %% [markdown]
# ## The document for the review
#
# On the command line, run `capacity report examples/shop-prod.yaml`. It writes `report.html`, one file with charts,
# findings, fixes, assumptions and their sources; see [how to read it](../docs/how-to/read-the-report.md).
