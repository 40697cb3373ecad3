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
# A pod gets a spare address of its node immediately, and nothing else can use that address. The CNI's default keeps a
# whole ENI spare. Fewer spare addresses mean more calls to EC2 while pods start and stop. `warm_for_plan` tries every
# sensible setting on the nodes of a plan, in the steady state and at peak.

# %%
# %matplotlib inline
from dataclasses import replace

import capacity
from capacity.charts import plot_subnet_states, plot_warm_tradeoff, warm_choices

plan = capacity.read_plan("examples/shop-prod.yaml")
answer = capacity.warm_for_plan(plan)
plot_warm_tradeoff(warm_choices(answer))

# %% [markdown]
# A setting further up and to the left is better: more pods start immediately, with fewer addresses. The numbers in the
# legend are the EC2 calls per pod that starts and per pod that stops.

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
# The peak of the plan with its current targets, then with the recommended ones.

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
