"""Computes the scenarios of a plan: workloads to nodes, nodes to zones, addresses to the ledger."""
