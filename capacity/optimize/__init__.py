"""Which nodes to buy: node groups for the workloads of a plan at a provably near-least price."""
