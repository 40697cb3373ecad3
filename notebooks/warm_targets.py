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
# # Choosing warm targets
#
# Every spare address on a node is one that a pod gets at once and that nobody else can have. The CNI's default keeps a
# whole ENI spare. Fewer spares mean more calls to EC2 while pods come and go. `warm_for_plan` tries every sensible
# setting on the nodes of a plan, in steady and in peak.

# %%
# %matplotlib inline
from dataclasses import replace

import capacity
from capacity.charts import plot_subnet_states, plot_warm_tradeoff, warm_choices

plan = capacity.read_plan("examples/shop-prod.yaml")
answer = capacity.warm_for_plan(plan)
plot_warm_tradeoff(warm_choices(answer))

# %% [markdown]
# A setting up and to the left is better: more pods at once, fewer addresses. The numbers in the legend are the EC2
# calls for a pod that comes and one that goes.

# %%
best = answer.recommendation
assert best is not None
print(best.row.targets.label)
print(best.rule)
for command in best.commands:
    print(command)

# %% [markdown]
# ## Before and after
#
# The peak of the plan as it is, then with the recommended targets.

# %%
before = capacity.check(plan, ["peak"])
plot_subnet_states(before.scenarios[0])

# %%
env = {n: v for n, v in {**plan.cni.env, **best.change}.items() if v is not None}
changed = replace(plan, cni=replace(plan.cni, env=env))
after = capacity.check(changed, ["peak"])
plot_subnet_states(after.scenarios[0])

# %%
free_before = {s.subnet.name: s.free for s in before.scenarios[0].subnets}
free_after = {s.subnet.name: s.free for s in after.scenarios[0].subnets}
assert min(free_before.values()) < 0 <= min(free_after.values())
{name: (free_before[name], free_after[name]) for name in free_before}
