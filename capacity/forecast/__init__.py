"""Forecast when subnets run out, from the growth in the plan or from a history."""
