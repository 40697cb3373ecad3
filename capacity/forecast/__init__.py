"""When subnets run out: growth of the plan along time, or the past carried on."""
