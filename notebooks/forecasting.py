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
# # Forecasting from history
#
# When does a subnet run out? There are two inputs: the growth in the plan, or the history of the subnet.

# %%
# %matplotlib inline
from datetime import date
from pathlib import Path

import numpy as np

import capacity
from capacity.charts import plot_forecast

# %% [markdown]
# ## From the plan's growth
#
# `web` grows by 4% a month, `checkout` by 3%, both uncertain. The replicas of every simulation become nodes, ENIs and
# addresses, so addresses grow in steps as in a real cluster.

# %%
plan = capacity.read_plan("examples/shop-prod.yaml")
span = capacity.parse_horizon("5y", date(2026, 11, 25))
growth = capacity.forecast_growth(plan, span, paths=2000)
tightest = next(s for s in growth.subnets if s.name == "private-b")
print(tightest.note)
plot_forecast(tightest)

# %% [markdown]
# ## From history
#
# A year of daily free addresses in a /24, generated here by a known law: 200 free at first, 0.4 fewer each day, and
# noise. Real histories come from a CSV file, CloudWatch, Prometheus or `capacity record`.

# %%
rng = np.random.default_rng(7)
days = np.arange(365)
free = np.round(200 - 0.4 * days + rng.normal(0, 3, days.size)).astype(int)
start = np.datetime64("2025-11-25")
lines = [f"{start + int(d)},private-b,{f}" for d, f in zip(days, free, strict=True)]
path = Path("free.csv")
path.write_text("time,subnet,free\n" + "\n".join(lines) + "\n")

# %%
series = capacity.daily_series(capacity.read_history(path).observations)
sizes = capacity.sizes_of(series, None, {"": 251})
ahead = capacity.parse_horizon("12mo", date(2026, 11, 24))
found = capacity.forecast_history(series, ahead, sizes, backtest=True)
plot_forecast(found.subnets[0])

# %% [markdown]
# By hand: after 365 days about 200 − 0.4 × 365 = 54 are left, and 54 ÷ 0.4 is 135 more days, the middle of April 2027.

# %%
subnet = found.subnets[0]
assert subnet.date_p50 is not None
assert abs((subnet.date_p50 - date(2027, 4, 9)).days) < 45
print(subnet.date_p10, subnet.date_p50, subnet.date_p90)
print(subnet.backtest)
path.unlink()
