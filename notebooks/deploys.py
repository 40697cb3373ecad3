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
# # What happens during a deploy
#
# `check` says what a cluster holds before and after. In between, pods wait: an ENI takes seconds to attach, an address
# of a deleted pod cools down for 30 s, and after a full subnet the CNI pauses for two minutes. `simulate` runs the
# steps of the CNI on every node.

# %%
# %matplotlib inline
from dataclasses import replace

import capacity
from capacity.charts import plot_simulation
from capacity.sim import SimulationInputs, simulate

plan = capacity.read_plan("examples/shop-prod.yaml")
rollout = simulate(plan, "rollout", SimulationInputs(seconds=600))
plot_simulation(rollout)

# %% [markdown]
# The pools are settled at the start, with as many free addresses as `check` says. New pods need addresses while old
# ones cool down, but every node has a warm ENI: no pod waits.

# %%
first = rollout.timeline[0]
(steady,) = capacity.check(plan, ["steady"]).scenarios
assert dict(first.subnet_free) == {s.subnet.name: s.free for s in steady.subnets}
print(rollout.started, "pods start,", rollout.waited, "of them wait;", rollout.total_calls, "EC2 calls")

# %% [markdown]
# ## The same deploy with small warm targets
#
# WARM_IP_TARGET=2 holds fewer addresses. Now most of the new pods wait for the next turn of the pool loop, and then for
# the kubelet, which tries again after 10 to 15 s.

# %%
env = {**plan.cni.env, "WARM_IP_TARGET": "2"}
small = replace(plan, cni=replace(plan.cni, env=env))
waits = simulate(small, "rollout", SimulationInputs(seconds=600))
plot_simulation(waits)

# %%
assert waits.waited > 10 > rollout.waited
for percent in (50, 90, 99):
    print(f"P{percent}: {waits.delay(percent):.0f} s")
print(waits.total_calls, "EC2 calls:", dict(waits.calls))

# %% [markdown]
# ## A subnet that runs out
#
# At peak, private-b has too few addresses. From then on every new ENI there fails, and each failure stops the node's
# pool for two minutes.

# %%
peak = simulate(plan, "peak", SimulationInputs(seconds=1800))
plot_simulation(peak)

# %%
full = next(s for s in peak.subnets if s.exhausted_at is not None)
print(f"{full.name} runs out after {full.exhausted_at:.0f} s; {peak.still_waiting} pods still wait at the end")
assert full.name == "private-b"
